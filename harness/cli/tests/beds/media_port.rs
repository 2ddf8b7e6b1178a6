//! The media port of rtpengine, through calls: what `ringfence dtls --target` finds is what rtpengine was told to accept, as the
//! `openssl` program reads the same words.

use std::collections::BTreeSet;
use std::process::Command;

use serde_json::Value;

use crate::bed::{Bed, Up};
use crate::ringfence;

/// Seconds for one answer: rtpengine refuses without a word.
const PATIENCE: &str = "3";
/// What rtpengine accepts where its configuration does not say: the default of `dtls-ciphers`, as its manual gives it.
const DEFAULT_CIPHERS: &str = "DEFAULT:!NULL:!aNULL:!SHA256:!SHA384:!aECDH:!AESGCM+AES256:!aPSK";

#[test]
fn the_media_port_of_rtpengine_is_laid_open() {
    for name in ["hardened", "kamailio"] {
        let bed = Bed::named(name);
        if !bed.is_installed() {
            continue;
        }
        let up = bed.up();
        let seen = asked(&up);
        let version = |word: &str| {
            let all = seen["versions"].as_array().expect("a list");
            all.iter().find(|one| one["version"] == word).expect("a version that was asked for")
        };
        assert_eq!(names(&version("1.2")["suites"]), suites(&ciphers(&up)), "{name}");
        let profiles = ["cm-sha1-32", "cm-sha1-80", "gcm-128", "gcm-256"].map(str::to_owned);
        assert_eq!(names(&version("1.2")["srtp_profiles"]), BTreeSet::from(profiles), "{name}");
        // It sets this one curve for its key exchange.
        assert_eq!(names(&version("1.2")["groups"]), BTreeSet::from(["secp256r1".to_owned()]), "{name}");
        for word in ["1.0", "1.3"] {
            assert_eq!(
                version(word)["state"],
                "refused",
                "{name}: OpenSSL's own level keeps 1.0 out, and 3.0 has no 1.3"
            );
        }
        for one in seen["versions"].as_array().expect("a list") {
            assert_eq!(one["unknown"].as_array().map(Vec::len), Some(0), "{name}: {one}");
        }
        let certificate = &seen["certificates"][0];
        assert_eq!((&certificate["key_type"], &certificate["key_bits"]), (&"ec".into(), &256.into()), "{name}");
        assert!(seen["calls"]["placed"].as_u64().is_some_and(|calls| calls > 10), "{name}: {}", seen["calls"]);
        up.down();
    }
}

fn asked(up: &Up) -> Value {
    let folder = tempfile::tempdir().expect("a folder");
    let output = ringfence(folder.path())
        .args(["dtls", "--json", "--policy", "webrtc-mti", "--timeout", PATIENCE, "--target"])
        .arg(up.folder().join("target.toml"))
        .output()
        .expect("ringfence runs");
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("JSON")
}

/// What the bed's configuration says, or rtpengine's own default.
fn ciphers(up: &Up) -> String {
    let text = std::fs::read_to_string(up.folder().join("rtpengine.conf")).unwrap_or_default();
    let said = text.lines().find_map(|line| line.strip_prefix("dtls-ciphers = "));
    said.unwrap_or(DEFAULT_CIPHERS).to_owned()
}

/// Those of DTLS 1.2 that a server with an ECDSA certificate accepts, by the registry's names.
fn suites(ciphers: &str) -> BTreeSet<String> {
    let output = Command::new("openssl").args(["ciphers", "-s", "-stdname", "-v", "-tls1_2", ciphers]).output();
    let output = output.expect("openssl runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let lines = text.lines().filter(|line| line.contains("Au=ECDSA"));
    let names: BTreeSet<String> = lines.filter_map(|line| Some(line.split(' ').next()?.to_owned())).collect();
    assert!(names.len() > 2, "{text}");
    names
}

fn names(list: &Value) -> BTreeSet<String> {
    let list = list.as_array().expect("a list");
    list.iter().filter_map(|entry| Some(entry["name"].as_str()?.to_owned())).collect()
}
