//! Data, embedded: scenarios, the words that they use, policies, claims and clauses, the JSON Schemas of all formats, and
//! the messages of [`corpora`].
//!
//! No code of ours but these lists. A test holds each list against its folder: a file that nobody embeds fails it.

pub mod corpora;

/// A file: its path below this crate's folder, with `/` between, and its text.
pub type File = (&'static str, &'static str);

macro_rules! files {
    ($($path:literal),* $(,)?) => { &[$(($path, include_str!(concat!("../", $path)))),*] };
}

/// Every scenario, as `area/slug.toml`, in the order of their paths.
pub const SCENARIOS: &[File] = files![
    "cors/any-origin.toml",
    "cors/not-quite-trusted.toml",
    "cors/websocket-origin.toml",
    "cors/wildcard-on-secret.toml",
    "credentials/answer-cacheable.toml",
    "credentials/exposed-in-browser.toml",
    "credentials/in-logs.toml",
    "credentials/in-page.toml",
    "credentials/in-url.toml",
    "credentials/nonce-replay.toml",
    "credentials/other-aor.toml",
    "credentials/register-without.toml",
    "credentials/shared.toml",
    "credentials/weak-challenge.toml",
    "credentials/weak.toml",
    "ice/unauthenticated-check.toml",
    "identity/header-admission.toml",
    "identity/pii-in-identifiers.toml",
    "identity/pii-user-id-accepted.toml",
    "identity/predictable-user-id.toml",
    "identity/user-id-injection.toml",
    "keys/known-default-certificate.toml",
    "keys/rekey-ineffective.toml",
    "keys/repeated-between-calls.toml",
    "media/aes256-not-used.toml",
    "media/answer-fingerprint-wrong.toml",
    "media/certificate-weak.toml",
    "media/dtls-amplification.toml",
    "media/dtls-old-version.toml",
    "media/dtls-weak-suite.toml",
    "media/fingerprint-mismatch-as-client.toml",
    "media/fingerprint-mismatch.toml",
    "media/forged-packet-accepted.toml",
    "media/not-dtls-srtp.toml",
    "media/plain-offer-accepted.toml",
    "media/plain-rtp-accepted.toml",
    "media/profile-not-used.toml",
    "media/renegotiation-accepted.toml",
    "media/replay-accepted.toml",
    "media/sdes-accepted.toml",
    "media/weak-srtp-profile.toml",
    "page/auto-answers.toml",
    "page/browser-media.toml",
    "page/capture-before-consent.toml",
    "signalling/hostile-message-kills-service.toml",
    "signalling/invalid-sip-accepted.toml",
    "signalling/torture-kills-service.toml",
    "signalling/unauthenticated-invite.toml",
    "signalling/websocket-nonconformant.toml",
    "tokens/credentials-survive-hangup.toml",
    "tokens/expired-accepted.toml",
    "tokens/used-twice.toml",
    "transport/certificate-bad.toml",
    "transport/config-unsafe-uri.toml",
    "transport/endpoint-over-http.toml",
    "transport/hsts-missing.toml",
    "transport/page-over-http.toml",
    "transport/secure-flag-contradiction.toml",
    "transport/tls-no-forward-secrecy.toml",
    "transport/tls-old-versions.toml",
    "transport/tls-weak-suites.toml",
    "transport/unsafe-redirect.toml",
    "transport/ws-cleartext.toml",
    "turn/relays-to-special-addresses.toml",
    "turn/tls-weak.toml",
    "turn/unauthenticated-allocate.toml",
];

/// The words that scenarios use.
pub const WORDS: &str = include_str!("../words.toml");

/// Every policy, as `policies/NAME.toml`.
pub const POLICIES: &[File] = files![
    "policies/asvs-l2.toml",
    "policies/asvs-l3.toml",
    "policies/bsi-tr-02102.toml",
    "policies/nist-800-52r2.toml",
    "policies/strict-aead.toml",
    "policies/webrtc-mti.toml",
];

/// Claims of vendors.
pub const CLAIMS: &str = include_str!("../standards/claims.toml");

/// Clauses of standards.
pub const CONTROLS: &str = include_str!("../standards/controls.toml");

/// JSON Schemas, as `schema/NAME.json`: written from the Rust types by a test that holds them up to date.
pub const SCHEMAS: &[File] = files![
    "schema/browse-page.seen.json",
    "schema/browse-page.with.json",
    "schema/call.seen.json",
    "schema/call.with.json",
    "schema/cors-probe.seen.json",
    "schema/cors-probe.with.json",
    "schema/decode-token.seen.json",
    "schema/decode-token.with.json",
    "schema/dtls-attack.seen.json",
    "schema/dtls-attack.with.json",
    "schema/dtls-scan.seen.json",
    "schema/dtls-scan.with.json",
    "schema/enumeration.json",
    "schema/fetch-config.seen.json",
    "schema/fetch-config.with.json",
    "schema/http-request.seen.json",
    "schema/http-request.with.json",
    "schema/ice-attack.seen.json",
    "schema/ice-attack.with.json",
    "schema/inspect.seen.json",
    "schema/inspect.with.json",
    "schema/journal.json",
    "schema/media-attack.seen.json",
    "schema/media-attack.with.json",
    "schema/open-websocket.seen.json",
    "schema/open-websocket.with.json",
    "schema/policy.json",
    "schema/register.seen.json",
    "schema/register.with.json",
    "schema/rekey.seen.json",
    "schema/rekey.with.json",
    "schema/report.json",
    "schema/scan-log.seen.json",
    "schema/scan-log.with.json",
    "schema/scan-page.seen.json",
    "schema/scan-page.with.json",
    "schema/scenario.json",
    "schema/sip-corpus.seen.json",
    "schema/sip-corpus.with.json",
    "schema/sip-request.seen.json",
    "schema/sip-request.with.json",
    "schema/target-in-cel.json",
    "schema/target.json",
    "schema/tls-scan.seen.json",
    "schema/tls-scan.with.json",
    "schema/turn-allocate.seen.json",
    "schema/turn-allocate.with.json",
    "schema/turn-permission.seen.json",
    "schema/turn-permission.with.json",
    "schema/use-token.seen.json",
    "schema/use-token.with.json",
    "schema/wait.seen.json",
    "schema/wait.with.json",
];

/// The policies by name, `NAME` for `policies/NAME.toml`.
pub fn policies() -> impl Iterator<Item = File> {
    let name = |path: &'static str| path.trim_start_matches("policies/").trim_end_matches(".toml");
    POLICIES.iter().map(move |(path, text)| (name(path), *text))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    /// Folders that hold no scenarios.
    const OTHER: [&str; 6] = ["corpora", "policies", "schema", "src", "standards", "tests"];

    /// Paths of the files in a folder below this crate's, with an ending.
    fn found(folder: &str, ending: &str) -> Vec<String> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
        let Ok(entries) = std::fs::read_dir(root) else { return Vec::new() };
        let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
        names.filter(|name| name.ends_with(ending)).map(|name| format!("{folder}/{name}")).collect()
    }

    #[track_caller]
    fn same(mut found: Vec<String>, embedded: &[File]) {
        found.sort();
        let embedded: Vec<&str> = embedded.iter().map(|(path, _)| *path).collect();
        assert_eq!(embedded, found, "files embedded (left) and files there (right)");
    }

    #[test]
    fn every_scenario_is_embedded() {
        let root = std::fs::read_dir(env!("CARGO_MANIFEST_DIR")).expect("this crate has a folder");
        let folders = root.filter_map(|entry| {
            let entry = entry.ok().filter(|entry| entry.path().is_dir())?;
            entry.file_name().into_string().ok().filter(|name| !OTHER.contains(&name.as_str()))
        });
        same(folders.flat_map(|folder| found(&folder, ".toml")).collect(), SCENARIOS);
    }

    #[test]
    fn every_policy_and_schema_is_embedded() {
        same(found("policies", ".toml"), POLICIES);
        same(found("schema", ".json"), SCHEMAS);
    }

    #[test]
    fn policies_go_by_name() {
        let names: Vec<&str> = policies().map(|(name, _)| name).collect();
        assert_eq!(names, ["asvs-l2", "asvs-l3", "bsi-tr-02102", "nist-800-52r2", "strict-aead", "webrtc-mti"]);
    }
}
