use std::fs;
use std::io::Write;

use super::*;

const SECRET: &str = "canary?>secret~1";

fn detector(what: What) -> Detector {
    let (given, computed) = (Ledger::default(), Ledger::default());
    given.add("sip-password", SECRET);
    computed.add("ha1", "0123456789abcdef0123456789abcdef");
    computed.add("login", &BASE64_STANDARD.encode("widget:canary?>secret~1"));
    let test_user = vec!["Erika Mustermann".to_owned()];
    Detector {
        what,
        given: given.search().unwrap(),
        computed: computed.search().unwrap(),
        test_user,
        user: Some("widget".into()),
    }
}

#[track_caller]
fn line(what: What, text: &str, expected: &[(&str, &str)]) {
    let found = detector(what).find(text);
    let found: Vec<(&str, &str)> = found.iter().map(|(kind, form, ..)| (kind.as_str(), *form)).collect();
    assert_eq!(found, expected, "{text}");
}

#[test]
fn each_form_is_told() {
    let secrets = |text: &str, expected: &[(&str, &str)]| line(What::Secrets, text, expected);
    secrets("GET 200 {\"x\":\"canary?>secret~1\"}", &[("sip-password", "plain")]);
    secrets("GET /?p=canary%3F%3Esecret%7E1 200", &[("sip-password", "url")]);
    secrets(
        &format!("body={}", BASE64_STANDARD.encode(format!("{{\"p\":\"{SECRET}\"}}"))),
        &[("sip-password", "base64")],
    );
    secrets("ha1=0123456789abcdef0123456789abcdef", &[("ha1", "ha1")]);
    secrets(
        r#"Authorization: Digest username="w", realm="r", response="fedcba9876543210fedcba9876543210""#,
        &[("authorization", "authorization")],
    );
    secrets("127.0.0.1 - - \"GET /token HTTP/1.1\" 200 613 \"-\" \"Mozilla/5.0\"", &[]);
    let basic = format!("auth: Basic {}", BASE64_STANDARD.encode("widget:canary?>secret~1"));
    let found = detector(What::Secrets).find(&basic);
    assert!(found.iter().any(|(kind, form, ..)| (kind.as_str(), *form) == ("login", "authorization")), "{found:?}");
    line(What::Pii, "user=erika@example.com", &[("email", "plain")]);
    line(What::Canaries, "ringfence-visitor-00 said no", &[("canary", "plain")]);
    line(What::Canaries, "u=RXJpa2EgTXVzdGVybWFubg==", &[("test-user", "base64")]);
    line(What::ApiKeys, &format!("k=AKIA{} and erika@example.com", "IOSFODNN7EXAMPLE"), &[("cloud-key", "plain")]);
    line(What::ApiKeys, "nothing", &[]);
}

#[test]
fn somebody_elses_login_is_told_apart() {
    let ours = |text: &str| detector(What::Secrets).find(text).iter().any(|(.., ours)| *ours);
    let login = |user: &str| {
        format!("Authorization: Digest username=\"{user}\", response=\"fedcba9876543210fedcba9876543210\"")
    };
    assert!(ours(&login("widget")) && ours(SECRET));
    assert!(!ours(&login("gadget")) && !ours("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl"));
}

fn scanned(text: &[u8], left: u64) -> Seen {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.log");
    fs::File::create(&path).unwrap().write_all(text).unwrap();
    let mut scan = Scan { seen: Seen::default(), left, detector: detector(What::Secrets) };
    scan.file(regular(&path).map(|(file, _)| Newer { path: path.clone(), file, from: 0 }).map_err(|_| path.clone()));
    scan.file(Err(folder.path().join("gone")));
    scan.seen
}

#[test]
fn lines_are_counted_and_nothing_is_shown() {
    let text = format!(
        "one\ntwo {SECRET}\r\né three\n-----BEGIN PRIV{}\nMIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg",
        "ATE KEY-----"
    );
    let seen = scanned(text.as_bytes(), BYTES);
    assert_eq!((seen.files_read, seen.files_not_read.len(), seen.newer_lines, seen.cut), (1, 1, 5, false));
    let found: Vec<_> = seen.matches.iter().map(|m| (m.line, m.offset, m.kind.as_str())).collect();
    assert_eq!(found.first(), Some(&(2, 4, "sip-password")));
    assert_eq!(found.get(1).map(|(line, _, kind)| (*line, *kind)), Some((4, "private-key")));
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(!serde_json::to_string(&seen).unwrap().contains("canary"));
}

#[test]
fn long_lines_and_long_files_stay_in_bounds() {
    // Where the first piece of a long line ends.
    let mut text = vec![b'.'; 256 * 1024 - 5];
    text.extend(SECRET.as_bytes());
    let seen = scanned(&text, BYTES);
    assert_eq!((seen.newer_lines, seen.matches.len(), seen.cut), (1, 1, false));
    let seen = scanned(&text, 1024);
    assert_eq!((seen.bytes_read, seen.matches.len(), seen.cut), (1024, 0, true));
    let flood = format!("{SECRET}\n").repeat(10_000);
    assert_eq!(scanned(flood.as_bytes(), BYTES).matches.len(), LISTED);
}
