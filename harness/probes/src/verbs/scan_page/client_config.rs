//! The settings that an Avaya client is built with, as a page's scripts write them: one `isSecure` per server.

use std::collections::BTreeSet;

use ringfence_model::Untrusted;

use super::LISTED;
use super::seen::ClientConfigSeen;

/// Bytes of one server's settings (house).
const NEAR: usize = 400;
/// Servers of such a client, in lower case.
const SERVERS: [&str; 5] = ["authserver", "serviceserver", "restserver", "websocketserver", "sseserver"];
/// What gives a server's address, in lower case, by its ending.
const ADDRESSES: [&str; 4] = ["url", "uri", "hostname", "address"];

/// What was found so far.
#[derive(Debug, Default)]
pub(super) struct ClientConfig {
    values: BTreeSet<&'static str>,
    servers: bool,
    urls: BTreeSet<String>,
}

impl ClientConfig {
    /// Reads a text.
    pub fn read(&mut self, text: &str) {
        for (at, name) in text.match_indices("isSecure") {
            let Some(value) = value(text.get(at + name.len()..).unwrap_or_default()) else { continue };
            self.values.insert(value);
            self.addresses(text, at);
        }
        let lower = text.to_ascii_lowercase();
        self.servers |= SERVERS.iter().any(|server| {
            lower.match_indices(server).any(|(at, _)| is_setting(lower.get(at + server.len()..).unwrap_or_default()))
        });
    }

    /// Absolute addresses in quotes, named as such, near a place.
    fn addresses(&mut self, text: &str, at: usize) {
        let (from, to) = (at.saturating_sub(NEAR), text.len().min(at + NEAR));
        let around = String::from_utf8_lossy(text.as_bytes().get(from..to).unwrap_or_default());
        let mut pieces = around.split(['"', '\'', '`']).peekable();
        while let Some(before) = pieces.next() {
            let name = before.trim_end().trim_end_matches(':').trim_end().to_ascii_lowercase();
            let name = name.rsplit(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or_default();
            let named = ADDRESSES.iter().any(|ending| name.ends_with(ending));
            let address = pieces.peek().filter(|next| named && next.contains("://") && self.urls.len() < LISTED);
            self.urls.extend(address.map(|next| (*next).to_owned()));
        }
    }

    /// As the observation has it.
    pub fn into_seen(self) -> ClientConfigSeen {
        let values: Vec<&str> = self.values.iter().copied().collect();
        let is_secure = match values.as_slice() {
            [] => self.servers.then_some("missing"),
            [one] => Some(*one),
            several if several.contains(&"not-boolean") => Some("not-boolean"),
            _ => Some("mixed"),
        };
        ClientConfigSeen {
            is_secure: is_secure.map(str::to_owned),
            urls: self.urls.into_iter().map(Untrusted::new).collect(),
        }
    }
}

/// A name in front of settings: `x: {`, `"x": {`.
fn is_setting(behind: &str) -> bool {
    let behind = behind.trim_start_matches(['"', '\'']).trim_start();
    behind.strip_prefix([':', '=']).is_some_and(|behind| behind.trim_start().starts_with('{'))
}

/// What is assigned, as scripts and minifiers write it; `None` where nothing is.
fn value(behind: &str) -> Option<&'static str> {
    let behind = behind.trim_start_matches(['"', '\'']).trim_start();
    let behind = behind.strip_prefix(':').or_else(|| behind.strip_prefix('=').filter(|rest| !rest.starts_with('=')))?;
    let behind = behind.trim_start();
    let is = |words: [&str; 2]| words.iter().any(|word| behind.starts_with(word));
    match () {
        () if is(["true", "!0"]) => Some("true"),
        () if is(["false", "!1"]) => Some("false"),
        () if behind.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '"' | '\'' | '`'))
            || is(["null", "undefined"]) =>
        {
            Some("not-boolean")
        }
        // A variable: what it holds is not seen.
        () => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn told(text: &str, expected: Option<&str>, urls: &[&str]) {
        let mut config = ClientConfig::default();
        config.read(text);
        let seen = config.into_seen();
        assert_eq!(seen.is_secure.as_deref(), expected, "{text}");
        assert_eq!(seen.urls.iter().map(Untrusted::raw).collect::<Vec<_>>(), urls, "{text}");
    }

    #[test]
    fn each_spelling_is_told() {
        told(
            r#"serviceServer: { hostname: "a.test", isSecure: true, baseUrl: "https://a.test/x" }"#,
            Some("true"),
            &["https://a.test/x"],
        );
        told(r#"{"authServer":{"isSecure":false},"sseServer":{"isSecure":true}}"#, Some("mixed"), &[]);
        told("{isSecure:!1}", Some("false"), &[]);
        told("config.isSecure = 'false';", Some("not-boolean"), &[]);
        told(r#"{ authServer: { hostname: "a.test" } }"#, Some("missing"), &[]);
        told("if (this.isSecure === true) {} isSecure: secure", None, &[]);
        told("let authServer = null;", None, &[]);
    }
}
