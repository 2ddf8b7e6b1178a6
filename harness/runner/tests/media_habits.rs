//! What media servers say in their SDP, each of them heard by the client over real sockets: the lab answers, and its answer
//! is rewritten on the way. Habits of signalling are in `harness/client/tests/habits.rs`.
//!
//! | habit | source | who does it | test |
//! |---|---|---|---|
//! | answers `setup:active`: we are the DTLS server | RFC 8842, section 5.3 | rtpengine, Asterisk, Janus | `the_target_may_be_the_dtls_client` |
//! | names no `a=setup` | as browsers read it | old gateways | `the_target_may_be_the_dtls_client` |
//! | says what contradicts our `a=setup` | RFC 8842, section 5.3 | broken ones | `a_contradictory_setup_fails_at_once` |
//! | no BUNDLE, no mid | RFC 9143 | FreeSWITCH, Asterisk | `every_form_of_an_answer_is_a_call` |
//! | fingerprint, setup, ufrag and pwd of the session | RFC 8122, section 5; RFC 8839, section 5.4 | rtpengine, FreeSWITCH, Janus | `every_form_of_an_answer_is_a_call` |
//! | `m=audio 9`, `c=0.0.0.0` | RFC 9429, section 5.3.1 | Janus, mediasoup | `every_form_of_an_answer_is_a_call` |
//! | `SHA-256`, digits in lower case | RFC 8122, section 5 | Asterisk, FreeSWITCH | `every_form_of_an_answer_is_a_call` |
//! | `RTP/SAVPF` to `UDP/TLS/RTP/SAVPF` | RFC 5124 | Asterisk, old Janus | `every_form_of_an_answer_is_a_call` |
//! | says `ice-lite` | RFC 8839, section 5.3 | Janus, mediasoup, rtpengine | `every_form_of_an_answer_is_a_call`, `ice_restarts` |
//! | candidates of TCP, of RTCP, names | RFC 6544; RFC 8839, section 5.1 | all | `every_form_of_an_answer_is_a_call` |
//! | PCMU only | RFC 3551 | trunks of carriers | `every_form_of_an_answer_is_a_call` |
//! | early media, then the same SDP | RFC 3261, section 13.2.1 | Asterisk, FreeSWITCH, Kamailio | `an_early_answer_is_a_call_already` |
//! | refuses early, then the same SDP | RFC 3261, section 13.2.1 | whoever checks fingerprints | `an_early_refusal_is_the_call_s` |
//! | early media of another fork | RFC 3261, section 13.2.2.4 | forking proxies | `another_fork_answers` |
//! | hold and resume | RFC 3264, section 8.4 | every PBX | `held_we_are_silent` |
//! | ICE restart | RFC 8445, section 9 | rtpengine, Janus | `ice_restarts` |
//! | asks for our offer | RFC 3261, section 14.2 | Cisco, Avaya | `our_offer_is_given_when_asked_for` |
//! | adds video | RFC 3264, section 6 | browsers behind a B2BUA | `our_offer_is_given_when_asked_for` |
//! | wants another certificate in mid-call | RFC 8842, section 5.5 | a transfer, an attacker | `another_certificate_is_refused_in_mid_call` |
//! | IPv6 literals | RFC 8866, section 5.7 | dual-stack servers | `a_call_over_ipv6` |

#[path = "media_habits/sbc.rs"]
mod sbc;

#[path = "support/pair.rs"]
mod pair;

use std::io::Write as _;
use std::time::Duration;

use pair::{LIMIT, Pair, negotiate, offer, offer_from, settings};
use ringfence_client::media::{Event, FingerprintBend, MediaPlan, Setup};
use ringfence_lab::media::{Answered, answer};
use sbc::Sbc;

/// What a target may say once for all sections.
const OF_THE_SESSION: [&str; 5] = ["a=fingerprint", "a=setup", "a=ice-ufrag", "a=ice-pwd", "a=tls-id"];

type Rewrite = dyn Fn(&str) -> String;

/// A call whose answer is rewritten.
async fn rewritten(plan: MediaPlan, rewrite: impl FnOnce(&str) -> String) -> Pair {
    let (client, answered, offer) = negotiate(plan, None).await;
    let Answered::Accepted { sdp, call } = answered else { panic!("{answered:?}\n{offer}") };
    let written = rewrite(&sdp);
    assert_ne!(written, sdp, "nothing was rewritten");
    client.answer(written).await;
    client.audio(true).await;
    Pair { client, lab: call, events: Vec::new() }
}

/// The description without the lines that begin so.
fn without(sdp: &str, starts: &[&str]) -> String {
    sdp.split_inclusive("\r\n").filter(|line| !starts.iter().any(|start| line.starts_with(start))).collect()
}

/// Those lines at the level of the session.
fn hoisted(sdp: &str, starts: &[&str]) -> String {
    let lines: String =
        sdp.split_inclusive("\r\n").filter(|line| starts.iter().any(|start| line.starts_with(start))).collect();
    without(sdp, starts).replacen("m=audio", &format!("{lines}m=audio"), 1)
}

/// The rest of the line that begins so.
#[track_caller]
fn line<'a>(sdp: &'a str, start: &str) -> &'a str {
    sdp.lines().find_map(|line| line.strip_prefix(start)).unwrap_or_else(|| panic!("no {start} in {sdp}"))
}

fn port(sdp: &str) -> &str {
    line(sdp, "m=audio ").split(' ').next().unwrap_or_default()
}

#[tokio::test]
async fn every_form_of_an_answer_is_a_call() {
    let forms: [(&str, &Rewrite); 9] = [
        ("session-level attributes", &|sdp| hoisted(sdp, &OF_THE_SESSION)),
        ("no BUNDLE", &|sdp| without(sdp, &["a=group", "a=mid"])),
        ("m=audio 9", &|sdp| {
            sdp.replace(&format!("m=audio {} ", port(sdp)), "m=audio 9 ")
                .replace("c=IN IP4 127.0.0.1", "c=IN IP4 0.0.0.0")
        }),
        ("upper-case hash, lower-case digits", &|sdp| {
            let value = line(sdp, "a=fingerprint:");
            let (hash, digits) = value.split_once(' ').unwrap();
            sdp.replace(value, &format!("{} {}", hash.to_ascii_uppercase(), digits.to_ascii_lowercase()))
        }),
        ("RTP/SAVPF", &|sdp| sdp.replace("UDP/TLS/RTP/SAVPF", "RTP/SAVPF")),
        ("ice-lite", &|sdp| sdp.replacen("t=0 0\r\n", "t=0 0\r\na=ice-lite\r\n", 1)),
        ("other candidates", &|sdp| {
            let more = "a=candidate:9 2 udp 1 127.0.0.1 9 typ host\r\na=candidate:9 1 tcp 1 127.0.0.1 9 typ host tcptype active\r\n\
                        a=candidate:9 1 udp 1 0b1f2c3d.local 9 typ host\r\na=candidate:nonsense\r\na=candidate:";
            sdp.replacen("a=candidate:", more, 1)
        }),
        ("no candidates", &|sdp| without(sdp, &["a=candidate", "a=end-of-candidates"])),
        ("PCMU only", &|sdp| {
            let kept = without(sdp, &["a=rtpmap", "a=fmtp"]);
            kept.replace(line(sdp, "m=audio "), &format!("{} UDP/TLS/RTP/SAVPF 0", port(sdp)))
        }),
    ];
    for (name, rewrite) in forms {
        println!("{name}");
        let mut pair = rewritten(MediaPlan::default(), rewrite).await;
        let seen = pair.echoed().await;
        assert!(seen.sdp.media_accepted && seen.dtls.certificate.matches, "{name}: {seen:#?}");
        assert_eq!(seen.media.plain_received, 0, "{name}");
    }
}

#[tokio::test]
async fn the_target_may_be_the_dtls_client() {
    for says_so in [true, false] {
        let (client, offered) = offer(MediaPlan::default()).await;
        assert!(offered.contains("a=setup:actpass\r\n"));
        // The lab is the client where we leave it nothing else.
        let answered = answer(&settings(None), &offered.replace("a=setup:actpass", "a=setup:passive")).await;
        let Answered::Accepted { sdp, call } = answered else { panic!("{answered:?}") };
        assert!(sdp.contains("a=setup:active\r\n"), "{sdp}");
        client.answer(if says_so { sdp } else { without(&sdp, &["a=setup"]) }).await;
        client.audio(true).await;
        let seen = Pair { client, lab: call, events: Vec::new() }.echoed().await;
        assert_eq!(seen.dtls.role.as_deref(), Some("server"));
    }
}

#[tokio::test]
async fn a_contradictory_setup_fails_at_once() {
    for (ours, theirs) in [
        (Setup::Active, "active"),
        (Setup::Passive, "passive"),
        (Setup::Actpass, "actpass"),
        (Setup::Actpass, "holdconn"),
    ] {
        let plan = MediaPlan { setup: ours, ..MediaPlan::default() };
        let word = |sdp: &str| sdp.replace(&format!("a=setup:{}", line(sdp, "a=setup:")), &format!("a=setup:{theirs}"));
        let mut pair = rewritten(plan, word).await;
        let failed = pair.until("failure", |event| matches!(event, Event::Failed(_))).await;
        let why = format!("dtls: the answer says setup:{theirs} to our setup:{}", ours.word());
        assert_eq!(failed, Event::Failed(why));
        assert_eq!(pair.events.len(), 1, "nothing was tried before: {:?}", pair.events);
    }
}

#[tokio::test]
async fn an_early_answer_is_a_call_already() {
    let (client, answered, _) = negotiate(MediaPlan::default(), None).await;
    let Answered::Accepted { sdp, call } = answered else { panic!("{answered:?}") };
    client.answer(sdp.clone()).await;
    let mut pair = Pair { client, lab: call, events: Vec::new() };
    pair.until("DTLS", |event| *event == Event::DtlsCompleted).await;
    // The 200 repeats it, and only its version differs.
    pair.client.answer(sdp.replacen(" 1 IN IP4", " 2 IN IP4", 1)).await;
    pair.client.audio(true).await;
    pair.echoed().await;
    let told = |wanted: &Event| pair.events.iter().filter(|event| *event == wanted).count();
    assert_eq!((told(&Event::IceConnected), told(&Event::DtlsCompleted)), (1, 1), "{:?}", pair.events);
}

#[tokio::test]
async fn an_early_refusal_is_the_call_s() {
    for setup in [Setup::Active, Setup::Passive] {
        let plan = MediaPlan { setup, fingerprint: FingerprintBend::Wrong, ..MediaPlan::default() };
        let (client, answered, _) = negotiate(plan, None).await;
        let Answered::Accepted { sdp, call } = answered else { panic!("{answered:?}") };
        client.answer(sdp.clone()).await;
        let mut pair = Pair { client, lab: call, events: Vec::new() };
        pair.until("alert", |event| matches!(event, Event::PeerAlert(_))).await;
        let refused = pair.client.seen().dtls;
        pair.client.answer(sdp.replacen(" 1 IN IP4", " 2 IN IP4", 1)).await;
        pair.until("end", |event| matches!(event, Event::RemoteClosed | Event::Failed(_))).await;
        let seen = pair.client.seen().dtls;
        assert!(refused.alert.is_some() && refused.server_random.is_some(), "{refused:#?}");
        assert_eq!((seen.alert, seen.server_random), (refused.alert, refused.server_random));
    }
}

#[tokio::test]
async fn another_fork_answers() {
    for waits in [false, true] {
        let (client, answered, offered) = negotiate(MediaPlan::default(), None).await;
        let Answered::Accepted { sdp: early, call: first } = answered else { panic!("{answered:?}") };
        let Answered::Accepted { sdp, call } = answer(&settings(None), &offered).await else { panic!("no second lab") };
        let mut pair = Pair { client, lab: call, events: Vec::new() };
        pair.client.answer(early).await;
        if waits {
            pair.until("DTLS with the first", |event| *event == Event::DtlsCompleted).await;
        }
        pair.client.answer(sdp).await;
        pair.client.audio(true).await;
        pair.until("DTLS with the second", |event| *event == Event::DtlsCompleted).await;
        pair.echoed().await;
        assert_eq!(first.stats().authenticated, 0, "the first fork never hears us");
        let connected = pair.events.iter().filter(|event| **event == Event::IceConnected).count();
        assert_eq!(connected, if waits { 2 } else { 1 }, "{:?}", pair.events);
        assert!(pair.lab.stats().authenticated > 0);
    }
}

/// The target's own description as a later offer.
fn as_offer(answer: &str) -> String {
    answer.replace(&format!("a=setup:{}", line(answer, "a=setup:")), "a=setup:actpass")
}

async fn reoffered(pair: &mut Pair, sdp: Option<String>) -> Option<String> {
    pair.client.offer(sdp).await;
    match pair.until("our description", |event| matches!(event, Event::Description(_))).await {
        Event::Description(description) => description,
        other => panic!("{other:?}"),
    }
}

/// Waits until the figure of the client has grown.
async fn grows(pair: &Pair, figure: fn(&Pair) -> i64) {
    let before = figure(pair);
    let growing = async {
        while figure(pair) <= before {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let grown = tokio::time::timeout(LIMIT, growing).await;
    grown.unwrap_or_else(|_| panic!("it stays at {before}: {:#?}", pair.client.seen()));
}

/// A call that echoes, with both descriptions.
async fn established() -> (Pair, String, String) {
    let (client, answered, offered) = negotiate(MediaPlan::default(), None).await;
    let Answered::Accepted { sdp, call } = answered else { panic!("{answered:?}") };
    client.answer(sdp.clone()).await;
    client.audio(true).await;
    let mut pair = Pair { client, lab: call, events: Vec::new() };
    pair.echoed().await;
    (pair, offered, sdp)
}

#[tokio::test]
async fn held_we_are_silent() {
    let (mut pair, offered, theirs) = established().await;
    for (says, answers) in [("sendonly", "recvonly"), ("inactive", "inactive")] {
        let hold = as_offer(&theirs).replace("a=sendrecv", &format!("a={says}"));
        let ours = reoffered(&mut pair, Some(hold)).await.expect("a hold is taken");
        assert!(ours.contains(&format!("a={answers}\r\n")), "{ours}");
        assert!(ours.contains("a=setup:active\r\n"), "the roles stay: {ours}");
        assert_eq!(line(&ours, "a=ice-ufrag:"), line(&offered, "a=ice-ufrag:"));
        assert_eq!(line(&ours, "a=tls-id:"), line(&offered, "a=tls-id:"));
        let version = |sdp: &str| line(sdp, "o=").split(' ').nth(2).and_then(|text| text.parse::<u64>().ok());
        assert!(version(&ours) > version(&offered));
        let sent = pair.client.seen().media.sent;
        tokio::time::sleep(Duration::from_millis(200)).await;
        assert_eq!(pair.client.seen().media.sent, sent, "{says}: we still speak");
        assert!(reoffered(&mut pair, Some(as_offer(&theirs))).await.is_some_and(|ours| ours.contains("a=sendrecv")));
        grows(&pair, |pair| pair.client.seen().media.echoed).await;
    }
    // The old way: no address.
    let old = without(&as_offer(&theirs), &["a=candidate"]).replace("c=IN IP4 127.0.0.1", "c=IN IP4 0.0.0.0");
    let ours = reoffered(&mut pair, Some(old)).await.expect("a hold is taken");
    assert!(ours.contains("a=recvonly\r\n"), "{ours}");
}

#[tokio::test]
async fn ice_restarts() {
    let (client, offered) = offer(MediaPlan::default()).await;
    let (sbc, answered) = Sbc::answer(&offered).await;
    client.answer(answered.clone()).await;
    client.audio(true).await;
    let mut pair = Pair { client, lab: sbc.lab, events: Vec::new() };
    pair.echoed().await;
    assert_eq!(
        pair.client.seen().ice.remote_address.map(|text| text.raw().to_owned()),
        Some(sbc.addresses[0].to_string())
    );

    let restart = as_offer(&answered)
        .replace(line(&answered, "a=ice-ufrag:"), "restarted")
        .replace(line(&answered, "a=ice-pwd:"), sbc::RESTARTED_PWD)
        .replace(&format!(" {} ", sbc.addresses[0].port()), &format!(" {} ", sbc.addresses[1].port()));
    let ours = reoffered(&mut pair, Some(restart)).await.expect("a restart is taken");
    for name in ["a=ice-ufrag:", "a=ice-pwd:"] {
        assert_ne!(line(&ours, name), line(&offered, name), "RFC 8445, section 9: ours change as well");
    }
    assert_eq!(line(&ours, "a=tls-id:"), line(&offered, "a=tls-id:"), "the association stays");
    let moved = async {
        while pair.client.seen().ice.remote_address.is_none_or(|text| text.raw() != sbc.addresses[1].to_string()) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(LIMIT, moved).await.unwrap_or_else(|_| panic!("{:#?}", pair.client.seen()));
    grows(&pair, |pair| pair.client.seen().media.echoed).await;
    let completed = pair.events.iter().filter(|event| **event == Event::DtlsCompleted).count();
    assert_eq!(completed, 1, "{:?}", pair.events);
}

#[tokio::test]
async fn our_offer_is_given_when_asked_for() {
    let (mut pair, offered, theirs) = established().await;
    let ours = reoffered(&mut pair, None).await.expect("an offer");
    assert!(ours.contains("a=setup:actpass\r\n") && ours.contains("a=sendrecv\r\n"), "{ours}");
    assert_eq!(line(&ours, "a=ice-pwd:"), line(&offered, "a=ice-pwd:"));
    pair.client.answer(theirs.clone()).await;
    grows(&pair, |pair| pair.client.seen().media.echoed).await;

    let video = "m=video 9 UDP/TLS/RTP/SAVPF 96\r\nc=IN IP4 0.0.0.0\r\na=mid:1\r\na=rtpmap:96 VP8/90000\r\n";
    let ours = reoffered(&mut pair, Some(format!("{}{video}", as_offer(&theirs)))).await.expect("audio goes on");
    assert!(ours.contains("m=video 0 UDP/TLS/RTP/SAVPF 96\r\n"), "{ours}");
    assert!(ours.contains("a=group:BUNDLE 0\r\n"), "{ours}");
    grows(&pair, |pair| pair.client.seen().media.echoed).await;
}

#[tokio::test]
async fn another_certificate_is_refused_in_mid_call() {
    let (mut pair, _, theirs) = established().await;
    let fingerprint = line(&theirs, "a=fingerprint:");
    let (start, last) = fingerprint.split_at(fingerprint.len() - 1);
    let stranger = theirs.replace(fingerprint, &format!("{start}{}", if last == "0" { "1" } else { "0" }));
    for refused in [
        as_offer(&stranger),
        without(&as_offer(&theirs), &["a=fingerprint"]),
        without(&as_offer(&theirs), &["a=ice-pwd"]),
        as_offer(&theirs).replace("a=setup:actpass", "a=setup:active"),
        theirs.replace("m=audio", "m=video"),
        "nonsense".into(),
        String::new(),
    ] {
        assert_eq!(reoffered(&mut pair, Some(refused)).await, None);
    }
    grows(&pair, |pair| pair.client.seen().media.echoed).await;
}

#[tokio::test]
async fn a_call_over_ipv6() {
    let local: std::net::IpAddr = "::1".parse().unwrap();
    if tokio::net::UdpSocket::bind((local, 0)).await.is_err() {
        // Past the capture of the test runner: who runs this should read it.
        return drop(writeln!(std::io::stderr(), "skipped: this machine has no ::1"));
    }
    let (client, offered) = offer_from(local, MediaPlan::default()).await;
    assert!(offered.contains("c=IN IP6 ::1\r\n"), "{offered}");
    let settings = ringfence_lab::media::MediaSettings { local_ip: local, ..settings(None) };
    let Answered::Accepted { sdp, call } = answer(&settings, &offered).await else { panic!("{offered}") };
    client.answer(sdp).await;
    client.audio(true).await;
    let seen = Pair { client, lab: call, events: Vec::new() }.echoed().await;
    assert!(seen.ice.remote_address.is_some_and(|text| text.raw().starts_with("[::1]:")));
}
