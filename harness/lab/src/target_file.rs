//! The target file of a lab, ready for `ringfence run --target`.

use std::net::IpAddr;
use std::path::Path;

use crate::Urls;
use crate::figures::{CLOCK_LEEWAY_S, NONCE_LIFE, PAIR_UNUSED, SESSION_END_S, TEST_USER};

/// Writes the file's text. Paths in it are absolute, so the text may be saved anywhere.
pub(crate) fn text(urls: &Urls, ip: IpAddr, ca_file: &Path, log_file: &Path) -> String {
    let Urls { page, page_origin, config, second, runtime, runtime_second, .. } = urls;
    let (ca_file, log_file) = (quoted(&ca_file.display().to_string()), quoted(&log_file.display().to_string()));
    let network = match ip {
        IpAddr::V4(ip) if ip.is_loopback() => "127.0.0.0/8".to_owned(),
        IpAddr::V4(ip) => format!("{ip}/32"),
        IpAddr::V6(ip) => format!("{ip}/128"),
    };
    let (nonce_life_s, credential_life_s) = (NONCE_LIFE.as_secs(), PAIR_UNUSED.as_secs());
    format!(
        r##"# A lab of ringfence's own: a simulator on this machine, for trying things and for proofs.
name = "lab"
adapter = "cognigy"
ca_file = {ca_file}
trusted_origins = ["{page_origin}"]
participants = "unlimited"
at_once = {{ calls = 16, connections = 64, allocations = 16, mints_per_s = 50 }}
budget = {{ calls = 500, minutes = 15 }}

[endpoints]
page = "{page}"
config = "{config}"
sessions.second = "{second}"
sessions.runtime = "{runtime}"
sessions.runtime-second = "{runtime_second}"
api = "none"
login = "none"
archive = "none"
recording = "none"
webhook = "none"

[page]
start = "#call"
test_user = ["{TEST_USER}"]

[destinations.call]
uri = "configured"
echo = true
record = true

[files]
log = [{log_file}]

[declared]
session_end_s = {SESSION_END_S}
nonce_life_s = {nonce_life_s}
credential_life_s = {credential_life_s}
clock_leeway_s = {CLOCK_LEEWAY_S}
session_scope = true
expect_aes256 = true
validates_user_ids = true
admission = "register"
networks = ["{network}"]
allowed_private = ["{network}"]
allowed_peers = ["{network}"]

[[scope]]
hosts = ["localhost"]
networks = ["{network}"]
owner = "lab"

[disruptive]
allow = true
rate = 50
webhook = true
injection = true
"##
    )
}

/// A TOML basic string.
fn quoted(text: &str) -> String {
    let escaped = text.chars().map(|c| match c {
        '"' | '\\' => format!("\\{c}"),
        c if c.is_control() => format!("\\u{:04x}", u32::from(c)),
        c => c.to_string(),
    });
    format!("\"{}\"", escaped.collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;
    use ringfence_model::target::Target;

    #[test]
    fn odd_paths_survive() {
        let urls = Urls {
            page: "https://localhost:1/call".into(),
            page_origin: "https://localhost:1".into(),
            config: "https://localhost:2/a".into(),
            second: "https://localhost:2/b".into(),
            runtime: "https://localhost:2/c".into(),
            runtime_second: "https://localhost:2/d".into(),
            signalling: "wss://localhost:3".into(),
            turn: "turn:127.0.0.1:4?transport=udp".into(),
            turn_tcp: "turn:127.0.0.1:4?transport=tcp".into(),
            turns: "turns:localhost:5?transport=tcp".into(),
        };
        let odd = Path::new("/tmp/a \"b\"\\c\n/ca.pem");
        let text = text(&urls, "127.0.0.1".parse().unwrap(), odd, odd);
        let target = Target::parse(&text, Path::new("target.toml")).unwrap();
        assert_eq!(target.ca_file.as_deref(), Some(odd));
        assert_eq!(target.need("browser"), Some(ringfence_model::target::Need::Given));
        assert_eq!(target.page.test_user, [TEST_USER]);
        assert_eq!(target.need("echo"), Some(ringfence_model::target::Need::Given));
    }
}
