//! Who asks: the header fields of a login, and look-alikes that nobody was given.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use ringfence_model::target::{Endpoint, Login, Participants, SecretSource, Target, Value};
use url::Url;

use super::{Ask, FetchError, LoginKind};

/// Endpoints that a login is for. A page is none: where it needs one, a browser presents it.
const HOMES: [&str; 5] = ["config", "api", "login", "archive", "recording"];

/// The header fields that present the login of `ask` to this address; none where it is of no origin that the target file names
/// for it, or its plain twin. A look-alike is nobody's secret and goes anywhere.
pub(super) fn headers(target: &Target, ask: &Ask, url: &Url) -> Result<Vec<(String, String)>, FetchError> {
    if ask.login != LoginKind::Wrong && !is_home(target, url) {
        return Ok(Vec::new());
    }
    let name = match (ask.login, &target.participants) {
        (LoginKind::None, _) => return Ok(Vec::new()),
        (LoginKind::Other, _) => "other",
        (LoginKind::Viewer, _) => "viewer",
        (LoginKind::Valid | LoginKind::Wrong, Participants::Unlimited(_)) => "valid",
        (LoginKind::Valid | LoginKind::Wrong, Participants::Logins(names)) => {
            let index = ask.participant.saturating_sub(1) as usize;
            let missing = || FetchError::Own(format!("participants has no entry number {}", ask.participant));
            names.get(index).ok_or_else(missing)?
        }
    };
    let Some(login) = target.logins.get(name) else {
        // A configuration that anybody gets needs no login; to be somebody else it takes one.
        return match ask.login {
            LoginKind::Valid | LoginKind::Wrong => Ok(Vec::new()),
            _ => Err(FetchError::Own(format!("[logins.{name}] is not in the target file"))),
        };
    };
    present(login, name, ask.login == LoginKind::Wrong)
}

fn present(login: &Login, name: &str, wrong: bool) -> Result<Vec<(String, String)>, FetchError> {
    let read = |source: &SecretSource, key: &str| -> Result<String, FetchError> {
        let secret =
            source.read(&format!("logins.{name}.{key}")).map_err(|error| FetchError::Own(error.to_string()))?;
        Ok(if wrong { look_alike(secret.expose()) } else { secret.expose().clone() })
    };
    let mut headers = Vec::new();
    let mut add = |name: &str, value: String| headers.push((name.to_owned(), value));
    if let Some(source) = &login.bearer {
        add("Authorization", format!("Bearer {}", read(source, "bearer")?));
    }
    if let (Some(user), Some(source)) = (&login.user, &login.password) {
        let pair = format!("{user}:{}", read(source, "password")?);
        add("Authorization", format!("Basic {}", BASE64_STANDARD.encode(pair)));
    }
    if let Some(source) = &login.cookie {
        add("Cookie", read(source, "cookie")?);
    }
    if let Some(source) = &login.key {
        add("X-API-Key", read(source, "key")?);
    }
    Ok(headers)
}

/// Whether the target file itself names this origin as one that logins are for. `wss:` counts as `https:`. Nothing that an
/// answer names becomes one, and what the file names with TLS is none without.
fn is_home(target: &Target, url: &Url) -> bool {
    let endpoints = HOMES.iter().filter_map(|name| match target.endpoints.get(name) {
        Endpoint::Url(url) => Some(url),
        Endpoint::Absent | Endpoint::DeclaredNone => None,
    });
    let sessions = target.endpoints.sessions.values().map(String::as_str);
    let signalling = match &target.sip.ws_uri {
        Some(Value::Text(url)) => Some(url.as_str()),
        _ => None,
    };
    let homes = endpoints.chain(sessions).chain(signalling).filter_map(|text| Url::parse(text).ok());
    let secure = |url: &Url| matches!(url.scheme(), "https" | "wss");
    homes.into_iter().any(|home| {
        let same_port = match (secure(&home), secure(url)) {
            (true, false) => false,
            (false, true) => home.port() == url.port(),
            _ => home.port_or_known_default() == url.port_or_known_default(),
        };
        same_port && home.host().is_some() && home.host() == url.host()
    })
}

/// Random text of the same shape: digits for digits, letters for letters, hexadecimal for hexadecimal, all else kept. It
/// differs from `text` wherever that has a letter or digit.
pub(super) fn look_alike(text: &str) -> String {
    let hexadecimal = text.bytes().filter(u8::is_ascii_alphanumeric).all(|byte| byte.is_ascii_hexdigit());
    let random = |c: char| {
        let alphabet: &[u8] = match c {
            '0'..='9' => b"0123456789",
            'a'..='f' if hexadecimal => b"abcdef",
            'A'..='F' if hexadecimal => b"ABCDEF",
            'a'..='z' => b"abcdefghijklmnopqrstuvwxyz",
            'A'..='Z' => b"ABCDEFGHIJKLMNOPQRSTUVWXYZ",
            _ => return c,
        };
        random_of(alphabet)
    };
    loop {
        let other: String = text.chars().map(random).collect();
        if other != text || !text.contains(|c: char| c.is_ascii_alphanumeric()) {
            return other;
        }
    }
}

/// `count` random characters of an alphabet of at most 256.
pub(super) fn random_text(count: usize, alphabet: &[u8]) -> String {
    (0..count).map(|_| random_of(alphabet)).collect()
}

fn random_of(alphabet: &[u8]) -> char {
    let mut byte = [0];
    // Only a system without any randomness fails here, and a fixed choice is then still a valid one.
    let _ = getrandom::fill(&mut byte);
    alphabet.get(usize::from(byte[0]) % alphabet.len().max(1)).map_or('x', |byte| char::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_goes_to_the_origins_that_the_file_names_for_it() {
        let text = "name = \"x\"\nadapter = \"sip\"\n[endpoints]\nconfig = \"https://a.test/t\"\npage = \"https://page.test/\"\n\
            api = \"https://api.test:8443/\"\nwebhook = \"https://hook.test/\"\nsessions.second = \"http://plain.test:81/t\"\n\
            [sip]\nws_uri = \"wss://ws.test\"\n[logins.valid]\nuser = \"u\"\npassword = { file = \"/dev/null\" }\n";
        let target = Target::parse(text, std::path::Path::new("t.toml")).unwrap();
        let sent = |url: &str, login| {
            let ask = Ask { participant: 1, login, ..Ask::default() };
            !headers(&target, &ask, &Url::parse(url).unwrap()).ok().unwrap().is_empty()
        };
        for (url, expected) in [
            ("https://a.test/else?x", true),
            ("https://A.test:443/", true),
            ("wss://a.test/ws", true),
            ("https://api.test:8443/v2", true),
            ("http://plain.test:81/", true),
            ("https://plain.test:81/", true),
            ("wss://ws.test/", true),
            ("http://a.test/t", false),
            ("ws://a.test/", false),
            ("ws://ws.test/", false),
            ("http://a.test:443/", false),
            ("https://a.test:444/", false),
            ("https://api.test/", false),
            ("https://b.a.test/", false),
            ("https://a.test.evil.test/", false),
            ("https://page.test/", false),
            ("https://hook.test/", false),
            ("https://plain.test/", false),
        ] {
            assert_eq!(sent(url, LoginKind::Valid), expected, "{url}");
            assert!(sent(url, LoginKind::Wrong), "a look-alike to {url}");
        }
    }

    #[test]
    fn look_alikes_keep_the_shape() {
        let token = "0a1b-FFee_99";
        let other = look_alike(token);
        assert_ne!(other, token);
        assert!(token.chars().zip(other.chars()).all(|(a, b)| a.is_ascii_digit() == b.is_ascii_digit()));
        assert!(other.chars().filter(char::is_ascii_alphanumeric).all(|c| c.is_ascii_hexdigit()));
        assert_eq!(look_alike("--"), "--");
    }
}
