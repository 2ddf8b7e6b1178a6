//! That pairs of the hardened bed end, seen without scenarios: pairs are made here, from the bed's own secret.

use std::process::{Command, Stdio};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::bed::Up;
use crate::ringfence;

/// Seconds; more than the token service gives, since this machine may be busy.
const LIFE_S: u64 = 60;

/// A pair admits until its time is over, for one call, and to its own application only.
pub fn pairs_end(up: &Up) {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs();
    assert_eq!(status(up, &format!("{}:a-late", now - 1), "app-a"), 401, "a second late");
    assert_eq!(status(up, &format!("{}:b-other", now + LIFE_S), "app-a"), 404, "another application");
    let good = format!("{}:a-good", now + LIFE_S);
    assert_eq!(status(up, &good, "app-a"), 200);
    assert_eq!(status(up, &good, "app-a"), 403, "the pair's call is over");
}

/// Calls with a pair whose password is right; the final status.
fn status(up: &Up, username: &str, callee: &str) -> u64 {
    let folder = tempfile::tempdir().expect("a folder");
    let secret = std::fs::read_to_string(up.folder().join("sip-secret")).expect("the bed's secret");
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).expect("a file is written");
    write("user", username);
    let password = Command::new("sh")
        .args(["-c", "openssl dgst -sha1 -hmac \"$1\" -binary user | openssl base64", "sh", &secret])
        .current_dir(folder.path())
        .stderr(Stdio::inherit())
        .output()
        .expect("openssl runs");
    write("password", String::from_utf8_lossy(&password.stdout).trim());
    let (ca, address) = (up.folder().join("tls/ca.pem"), up.address());
    let aor = username.split(':').next_back().unwrap_or_default();
    write(
        "target.toml",
        &format!(
            "name = \"pair\"\nadapter = \"sip\"\nca_file = \"{}\"\ntrusted_origins = [\"https://{address}:8443\"]\n\
             [sip]\nws_uri = \"wss://{address}:8445\"\nusername = \"{username}\"\npassword = {{ file = \"password\" }}\n\
             realm = \"sip.bed.test\"\naor = \"{aor}\"\ntarget = \"{callee}\"\n\
             [destinations.call]\nuri = \"configured\"\n[[scope]]\nnetworks = [\"127.0.0.0/8\"]\n",
            ca.display()
        ),
    );
    let call = ringfence(folder.path()).args(["call", "--json", "--seconds", "1", "--target", "target.toml"]).output();
    let call = call.expect("ringfence runs");
    let said = String::from_utf8_lossy(&call.stderr);
    let seen: serde_json::Value =
        serde_json::from_slice(&call.stdout).unwrap_or_else(|error| panic!("{error}: {said}"));
    seen["status"].as_u64().unwrap_or_else(|| panic!("{username}: no final status: {said} {seen}"))
}
