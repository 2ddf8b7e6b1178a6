//! `ringfence tls` and `ringfence dtls` as the real binary, against servers of OpenSSL. Without the program the tests say so
//! and do nothing; in CI that fails.

#[path = "hello/refusals.rs"]
mod refusals;
#[path = "hello/server.rs"]
mod server;

use serde_json::Value;
use server::{Server, exits, json, names, ringfence, stdout};

/// What a scan of a loaded machine may wait for one answer.
const PATIENT: [&str; 2] = ["--timeout", "30"];

fn ask(command: &str, server: &Server, more: &[&str]) -> std::process::Output {
    ringfence(&[&[command, &server.place()], &PATIENT[..], more].concat())
}

fn version<'a>(seen: &'a Value, version: &str) -> &'a Value {
    let all = seen["versions"].as_array().expect("a list");
    all.iter().find(|one| one["version"] == version).expect("a version that was asked for")
}

#[test]
fn a_sound_server_is_fine_and_its_table_says_what_it_accepts() {
    let ciphers = "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-RSA-AES128-GCM-SHA256";
    let arguments =
        ["-serverpref", "-cipher", ciphers, "-ciphersuites", "TLS_AES_128_GCM_SHA256", "-groups", "P-256:X25519"];
    let Some(server) = Server::start(&arguments) else { return };
    let ca = server.ca();
    let trusted = ["--ca-file", &ca, "--name", "a.example.test"];
    let output = ask("tls", &server, &[&trusted[..], &["--json"]].concat());
    exits(&output, 0);
    let seen = json(&output);
    assert_eq!(seen["findings"].as_array().map(Vec::len), Some(0), "{seen}");
    let old = version(&seen, "1.2");
    let gcm = ["TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"];
    assert_eq!(names(&old["suites"]), gcm);
    assert_eq!(names(&version(&seen, "1.3")["suites"]), ["TLS_AES_128_GCM_SHA256"]);
    assert_eq!(names(&old["groups"]), ["secp256r1", "x25519"]);
    assert_eq!(old["server_order"], true);
    assert_eq!(seen["chosen_version"], "1.3");
    assert_eq!((&old["suites"][0]["rank"], &old["suites"][0]["bits"]), (&"fine".into(), &256.into()));
    assert_eq!((&old["extended_master_secret"], &old["secure_renegotiation"]), (&true.into(), &true.into()));
    for refused in ["ssl3", "1.0", "1.1"] {
        assert_eq!(version(&seen, refused)["state"], "refused", "{refused}");
    }
    let certificate = &seen["certificates"][0];
    assert_eq!((&certificate["trusted"], &certificate["name_matches"]), (&true.into(), &true.into()), "{certificate}");
    assert_eq!((&certificate["key_type"], &certificate["key_bits"]), (&"rsa".into(), &2048.into()));
    assert!(seen["hellos_sent"].as_u64().is_some_and(|hellos| hellos > 8), "{seen}");

    let output = ask("tls", &server, &trusted);
    exits(&output, 0);
    let text = stdout(&output);
    let wanted = [
        "OK TLS of 127.0.0.1:",
        "asked for as a.example.test",
        "policy: webrtc-mti",
        "TLS 1.2: 2 suites, in the server's order",
        "+ TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384         ECDHE   secp256r1           256",
        "fine        secp256r1, x25519",
        "made out to a.example.test",
        "leads to a root that is trusted",
        "- SSL 3.0   refused",
        "+ TLS 1.3   accepted, chosen where all are offered",
    ];
    for part in wanted {
        assert!(text.contains(part), "{part} in {text}");
    }
    assert!(text.is_ascii() && text.lines().all(|line| line.len() <= 80), "{text}");
    let place = text.find("AES_256_GCM_SHA384").zip(text.find("ECDHE_RSA_WITH_AES_128_GCM"));
    assert!(place.is_some_and(|(first, second)| first < second), "the server's order: {text}");
    let coloured = ask("tls", &server, &[&trusted[..], &["--color", "always"]].concat());
    assert!(stdout(&coloured).contains("\u{1b}["));
}

#[test]
fn an_open_server_fails_by_what_the_policy_says() {
    let everything = "ALL:COMPLEMENTOFALL:!PSK:!SRP:@SECLEVEL=0";
    let Some(server) = Server::start(&["-cipher", everything]) else { return };
    let output = ask("tls", &server, &["--json"]);
    exits(&output, 1);
    let seen = json(&output);
    let rank = |name: &str| {
        let suites = version(&seen, "1.2")["suites"].as_array().expect("a list").iter();
        suites.clone().find(|suite| suite["name"] == name).map(|suite| suite["rank"].clone())
    };
    assert_eq!(rank("TLS_RSA_WITH_AES_128_GCM_SHA256"), Some("discouraged".into()));
    assert_eq!(rank("TLS_DH_anon_WITH_AES_128_GCM_SHA256"), Some("forbidden".into()));
    assert_eq!(rank("TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"), Some("fine".into()));
    assert_eq!(rank("TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA"), Some("note".into()));
    assert_eq!(version(&seen, "1.0")["rank"], "forbidden");
    let rules: Vec<&str> =
        seen["findings"].as_array().expect("a list").iter().filter_map(|one| one["rule"].as_str()).collect();
    for rule in ["version", "suite", "forward-secrecy", "certificate"] {
        assert!(rules.contains(&rule), "{rule} in {rules:?}");
    }
    exits(&ask("tls", &server, &["--fail-on", "critical"]), 0);

    // The same server by a policy of one's own that lets nothing through, and one that lets everything.
    let strict =
        server.file("strict.toml", "extends = \"strict-aead\"\ntitle = \"ours\"\nsuites_forbidden = [\"*\"]\n");
    let output = ask("tls", &server, &["--json", "--policy", &strict]);
    exits(&output, 1);
    assert_eq!(json(&output)["policy"], strict.as_str());
    assert!(
        json(&output)["versions"]
            .as_array()
            .expect("a list")
            .iter()
            .all(|one| { one["suites"].as_array().expect("a list").iter().all(|suite| suite["rank"] == "forbidden") })
    );
    let wrong = server.file("wrong.toml", "extends = \"strict-aed\"\ntitle = \"ours\"\n");
    let output = ask("tls", &server, &["--policy", &wrong]);
    exits(&output, 2);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("wrong.toml:1:11") && said.contains("did you mean `strict-aead`?"), "{said}");
    let output = ask("tls", &server, &["--policy", "none-of-them"]);
    exits(&output, 2);
    assert!(String::from_utf8_lossy(&output.stderr).contains("webrtc-mti"));
}

#[test]
fn a_server_of_the_newest_version_alone_shows_its_certificate_in_a_handshake() {
    let Some(server) = Server::start(&["-tls1_3", "-groups", "X25519:P-384"]) else { return };
    let output = ask("tls", &server, &["--json", "--policy", "asvs-l2"]);
    exits(&output, 1);
    let seen = json(&output);
    assert_eq!(seen["certificates"][0]["key_bits"], 2048, "{seen}");
    assert!(seen["chosen_version"].is_null(), "of one version none is chosen among others");
    assert_eq!(seen["certificates"][0]["name_matches"], false, "made out to a name, asked by address");
    assert_eq!(names(&version(&seen, "1.3")["groups"]), ["x25519", "secp384r1"]);
    let messages = seen["findings"].to_string();
    for part in ["TLS 1.2 is refused", "2048 bits; the policy's least is 3072", "no group of secp256r1"] {
        assert!(messages.contains(part), "{part} in {messages}");
    }
}

#[test]
fn a_certificate_whose_key_everybody_has_is_named() {
    let kept = concat!(env!("CARGO_MANIFEST_DIR"), "/../lab/src/media/certificates/default");
    let (certificate, key) = (format!("{kept}.der"), format!("{kept}.pk8"));
    let given = ["-dtls1_2", "-cert", &certificate, "-certform", "DER", "-key", &key, "-keyform", "DER"];
    let Some(server) = Server::start(&given) else { return };
    let output = ask("dtls", &server, &["--json"]);
    exits(&output, 1);
    let seen = json(&output);
    let shown = &seen["certificates"][0];
    assert!(shown["key_public_in"].as_str().is_some_and(|source| source.contains("lab")), "{shown}");
    assert!(shown["sha256"].as_str().is_some_and(|hash| hash.len() == 64), "{shown}");
    assert!(seen["findings"].to_string().contains("published default"), "{seen}");
}

#[test]
fn srtp_profiles_of_a_dtls_server_are_told_with_the_preferred_one() {
    let profiles = "SRTP_AEAD_AES_256_GCM:SRTP_AES128_CM_SHA1_80:SRTP_AEAD_AES_128_GCM";
    let ciphers = "ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-SHA256";
    let arguments = ["-dtls1_2", "-cipher", ciphers, "-groups", "P-256:X25519", "-use_srtp", profiles];
    let Some(server) = Server::start(&arguments) else { return };
    let output = ask("dtls", &server, &["--json"]);
    exits(&output, 0);
    let seen = json(&output);
    assert_eq!((&seen["protocol"], &seen["host"]), (&"dtls".into(), &"127.0.0.1".into()));
    let found = version(&seen, "1.2");
    assert_eq!(names(&found["srtp_profiles"]), ["gcm-256", "cm-sha1-80", "gcm-128"]);
    assert_eq!(found["preferred_srtp_profile"], "gcm-256");
    assert_eq!((&found["cookie"], &found["goes_without_srtp"]), (&true.into(), &true.into()));
    assert_eq!(found["suites"].as_array().map(Vec::len), Some(2), "{found}");
    assert_eq!(version(&seen, "1.0")["state"], "refused");
    assert!(seen["certificates"][0]["name_matches"].is_null() && seen["certificates"][0]["key_bits"] == 2048, "{seen}");

    let output = ask("dtls", &server, &["--policy", "strict-aead"]);
    exits(&output, 1);
    let text = stdout(&output);
    for part in ["fine        gcm-256 (preferred), gcm-128", "cm-sha1-80", "cookie      demanded", "DTLS 1.2: 2 suites"]
    {
        assert!(text.contains(part), "{part} in {text}");
    }
    assert!(text.lines().all(|line| line.len() <= 80), "{text}");
}

#[test]
fn what_is_printed_is_what_the_schema_says() {
    let Some(server) = Server::start(&["-tls1_2", "-cipher", "AES128-GCM-SHA256"]) else { return };
    let seen = json(&ask("tls", &server, &["--json"]));
    let schema = json(&ringfence(&["schema", "enumeration"]));
    let check = |object: &Value, schema: &Value| {
        let properties = schema["properties"].as_object().expect("properties");
        for name in schema["required"].as_array().expect("a list") {
            assert!(!object[name.as_str().expect("a name")].is_null(), "{name} in {object}");
        }
        for name in object.as_object().expect("an object").keys() {
            assert!(properties.contains_key(name), "{name} is in no schema");
        }
    };
    check(&seen, &schema);
    check(version(&seen, "1.2"), &schema["$defs"]["VersionSeen"]);
    check(&version(&seen, "1.2")["suites"][0], &schema["$defs"]["SuiteSeen"]);
    check(&seen["certificates"][0], &schema["$defs"]["CertificateSeen"]);
    check(&seen["findings"][0], &schema["$defs"]["Breach"]);
    assert_eq!(seen["format"], "ringfence.enumeration/v1");
}
