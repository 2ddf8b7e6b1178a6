//! INVITE, its end, and what the far side may ask meanwhile.

use super::*;

pub(super) const ROUTES: &str = "Record-Route: <sip:p3;lr;x=1>, <sip:p2;lr>\nRecord-Route: \"P, 1\" <sip:p1;lr>;ftag=2\nContact: <sip:masked@10.9.8.7:1;ob>";

pub(super) fn inviting(change: impl FnOnce(&mut SignallingPlan)) -> Script {
    let mut script = Script::new(change);
    script.input(Input::Invite { sdp: SDP.into(), headers: vec![("X-Source".into(), "webrtc".into())] });
    script
}

pub(super) fn answered(more: &str) -> Script {
    let mut script = inviting(|_| {});
    let invite = script.last("INVITE").clone();
    script.answer_to(&invite, 200, "there", more, SDP);
    assert!(matches!(script.last_event(), Event::Answered { status: 200, sdp: Some(_), .. }), "{:?}", script.events);
    script
}

/// A request of the far side within the call.
pub(super) fn peer_request(script: &mut Script, method: &str, cseq: u32, more: &str, body: &str) -> Message {
    let ack = script.last("ACK").clone();
    let field = |name: &str| ack.header(name).unwrap().to_owned();
    let more: String = more.lines().map(|line| format!("{line}\r\n")).collect();
    script.receive(&format!(
        "{method} sip:us@x SIP/2.0\r\nVia: SIP/2.0/WSS a;branch=z9hG4bKpeer{cseq}, SIP/2.0/UDP b;branch=z9hG4bKq\r\n\
         To: {}\r\nFrom: {}\r\nCall-ID: {}\r\nCSeq: {cseq} {method}\r\n{more}Content-Length: {}\r\n\r\n{body}",
        field("From"),
        field("To"),
        field("Call-ID"),
        body.len(),
    ));
    script.sent.last().unwrap().clone()
}

#[test]
fn a_call_from_invite_to_bye() {
    let mut script = inviting(|_| {});
    let invite = script.last("INVITE").clone();
    assert_eq!(invite.headers("X-Project-Id").chain(invite.headers("X-Source")).collect::<Vec<_>>(), ["p", "webrtc"]);
    assert_eq!(invite.body, SDP.as_bytes());
    script.answer("INVITE", 100, "");
    script.answer("INVITE", 183, "Contact: <sip:early@x>");
    script.answer_to(&invite, 200, "there", ROUTES, SDP);
    let told: Vec<u16> = script
        .events
        .iter()
        .filter_map(|e| if let Event::Provisional { status } = e { Some(*status) } else { None })
        .collect();
    assert_eq!(told, [100, 183]);

    script.input(Input::Bye);
    for method in ["ACK", "BYE"] {
        let request = script.last(method);
        assert!(
            matches!(&request.start_line, sip::StartLine::Request { uri, .. } if uri == "sip:masked@10.9.8.7:1;ob")
        );
        let routes: Vec<&str> = request.headers("Route").collect();
        assert_eq!(routes, ["\"P, 1\" <sip:p1;lr>;ftag=2", "<sip:p2;lr>", "<sip:p3;lr;x=1>"], "{method}");
        assert!(request.header("To").unwrap().ends_with(";tag=there"));
    }
    assert_eq!(script.last("ACK").cseq(), Some((1, "ACK")));
    assert_eq!(script.last("BYE").cseq(), Some((2, "BYE")));
    assert_ne!(script.last("ACK").header("Via"), invite.header("Via"));
    script.answer("BYE", 200, "");
    assert!(matches!(script.last_event(), Event::Ended));
    assert!(script.wake.is_none());
}

#[test]
fn a_strict_router_becomes_the_request_uri() {
    let mut script = answered("Record-Route: <sip:far;lr>\nRecord-Route: <sip:strict>\nContact: <sip:t@h>");
    script.input(Input::Bye);
    let bye = script.last("BYE");
    assert!(matches!(&bye.start_line, sip::StartLine::Request { uri, .. } if uri == "sip:strict"));
    assert_eq!(bye.headers("Route").collect::<Vec<_>>(), ["<sip:far;lr>", "<sip:t@h>"]);
}

#[test]
fn every_repeated_answer_is_acknowledged() {
    let mut script = answered(ROUTES);
    let (invite, ack) = (script.last("INVITE").clone(), script.last("ACK").clone());
    let events = script.events.len();
    for _ in 0..3 {
        script.answer_to(&invite, 200, "there", ROUTES, SDP);
        assert_eq!(script.sent.last(), Some(&ack));
    }
    assert_eq!((script.count("ACK"), script.events.len()), (4, events));
    // Another fork: acknowledged, and ended at once.
    script.answer_to(&invite, 200, "elsewhere", "Contact: <sip:fork@h>", SDP);
    assert!(script.last("ACK").header("To").unwrap().ends_with("tag=elsewhere"));
    assert!(script.last("BYE").header("To").unwrap().ends_with("tag=elsewhere"));
    script.answer("BYE", 200, "");
    assert_eq!(script.events.len(), events);
    for _ in 0..1000 {
        script.answer_to(&invite, 200, "there", ROUTES, SDP);
    }
    assert!(script.count("ACK") < 100);
}

#[test]
fn a_refusal_is_acknowledged_in_its_transaction() {
    for status in [301, 404, 486, 500, 603] {
        let mut script = inviting(|_| {});
        let invite = script.last("INVITE").clone();
        script.answer("INVITE", status, "");
        assert!(matches!(script.last_event(), Event::Refused { status: told, .. } if *told == status));
        let ack = script.last("ACK");
        assert_eq!(ack.header("Via"), invite.header("Via"));
        assert!(ack.header("To").unwrap().ends_with(";tag=there"));
        script.answer_to(&invite, status, "there", "", "");
        assert_eq!((script.count("ACK"), script.events.len()), (2, 2), "the answer, and what it means, once");
        assert!(script.wake.is_none());
    }
}

#[test]
fn invite_and_bye_are_challenged_with_one_time_nonces() {
    let mut script = inviting(|_| {});
    script.answer(
        "INVITE",
        407,
        "Proxy-Authenticate: Digest realm=\"r\", nonce=\"one\", qop=\"auth\", algorithm=SHA-256",
    );
    assert_eq!(script.count("ACK"), 1);
    let invite = script.last("INVITE").clone();
    let authorization = verified(&invite, "Proxy-Authorization");
    assert_eq!((authorization.nonce.as_str(), authorization.uri.as_str()), ("one", "sip:app-1@sip.test"));
    assert_eq!(invite.cseq(), Some((2, "INVITE")));
    script.answer_to(&invite, 200, "there", "Contact: <sip:t@h>", SDP);
    // RFC 3261, section 22.1: the ACK repeats the INVITE's credentials.
    assert_eq!(script.last("ACK").header("Proxy-Authorization"), invite.header("Proxy-Authorization"));
    script.input(Input::Bye);
    assert!(script.last("BYE").header("Proxy-Authorization").is_none());
    script.answer("BYE", 401, "WWW-Authenticate: Digest realm=\"r\", nonce=\"two\"");
    assert_eq!(verified(script.last("BYE"), "Authorization").nonce, "two");
    assert_eq!(script.last("BYE").cseq(), Some((4, "BYE")));
    script.answer("BYE", 481, "");
    assert!(matches!(script.last_event(), Event::Ended));
}

#[test]
fn cancel_waits_for_a_provisional_answer() {
    let mut script = inviting(|_| {});
    script.input(Input::Cancel);
    assert_eq!(script.count("CANCEL"), 0);
    script.answer("INVITE", 100, "");
    let (invite, cancel) = (script.last("INVITE").clone(), script.last("CANCEL").clone());
    assert_eq!((cancel.header("Via"), cancel.header("To")), (invite.header("Via"), invite.header("To")));
    assert_eq!(cancel.cseq(), Some((1, "CANCEL")));
    assert!(cancel.body.is_empty() && cancel.header("Contact").is_none());
    script.answer_to(&cancel, 200, "there", "", "");
    script.answer("INVITE", 487, "");
    assert!(matches!(script.events.as_slice(), [.., Event::Refused { status: 487, .. }, Event::Ended]));
}

#[test]
fn an_answer_that_crosses_the_cancel_is_hung_up() {
    let mut script = inviting(|_| {});
    script.answer("INVITE", 180, "");
    script.input(Input::Bye);
    assert_eq!(script.count("CANCEL"), 1);
    let invite = script.last("INVITE").clone();
    script.answer_to(&invite, 200, "there", "Contact: <sip:t@h>", SDP);
    assert_eq!((script.count("ACK"), script.count("BYE")), (1, 1));
    script.answer("BYE", 200, "");
    assert!(matches!(script.last_event(), Event::Ended));
    assert!(!script.events.iter().any(|event| matches!(event, Event::Answered { .. })));
}

#[test]
fn trying_for_ever_is_cancelled_by_our_own_limit() {
    let mut script = inviting(|plan| plan.answer_within = Duration::from_secs(20));
    for _ in 0..200 {
        script.answer("INVITE", 100, "");
    }
    assert!(script.events.len() < 50);
    assert_eq!(script.wait(), Duration::from_secs(20));
    assert_eq!(script.count("CANCEL"), 1);
    let mut refusing = Script { events: Vec::new(), ..script };
    refusing.answer("INVITE", 487, "");
    assert!(matches!(refusing.last_event(), Event::Failed(failure) if failure.outcome.word() == "timeout"));

    let mut silent = inviting(|plan| plan.answer_within = Duration::from_secs(20));
    silent.answer("INVITE", 100, "");
    silent.wait();
    assert_eq!(silent.wait(), TRANSACTION);
    assert!(matches!(silent.last_event(), Event::Failed(failure) if failure.outcome.word() == "timeout"));
    assert!(silent.wake.is_none());

    let mut dead = inviting(|_| {});
    assert_eq!(dead.wait(), TRANSACTION);
    assert!(matches!(dead.last_event(), Event::Failed(_)));
    assert_eq!(dead.count("CANCEL"), 0);
}

#[test]
fn the_far_side_hangs_up() {
    let mut script = answered(ROUTES);
    let reply = peer_request(&mut script, "BYE", 5, "Reason: SIP;cause=480", "");
    assert_eq!(reply.status(), Some(200));
    assert_eq!(reply.headers("Via").flat_map(sip::split_list).count(), 2);
    assert_eq!(reply.header("CSeq"), Some("5 BYE"));
    assert!(matches!(script.last_event(), Event::RemoteBye { reason: Some(_) }));
    assert!(script.wake.is_none());
    assert_eq!(peer_request(&mut script, "BYE", 6, "", "").status(), Some(481));
    script.input(Input::Bye);
    assert_eq!(script.count("BYE"), 0);
    assert!(matches!(script.last_event(), Event::Ended));
}

#[test]
fn requests_of_the_far_side_are_answered() {
    let mut script = answered(ROUTES);
    for (number, (method, status)) in
        [("OPTIONS", 200), ("NOTIFY", 200), ("MESSAGE", 200), ("REFER", 603), ("NEWMETHOD", 405), ("PUBLISH", 405)]
            .into_iter()
            .enumerate()
    {
        let reply = peer_request(&mut script, method, 10 + number as u32, "", "");
        assert_eq!(reply.status(), Some(status), "{method}");
        assert!(reply.header("Allow").is_some());
    }
    let reply = peer_request(&mut script, "INFO", 20, "Content-Type: application/json", "{}");
    assert_eq!(reply.status(), Some(200));
    assert!(
        matches!(script.last_event(), Event::Info { content_type, body } if content_type.raw() == "application/json" && body == b"{}")
    );
    assert_eq!(peer_request(&mut script, "INFO", 19, "", "").status(), Some(500));

    let sent = script.sent.len();
    peer_request(&mut script, "ACK", 20, "", "");
    assert_eq!(script.sent.len(), sent);
    script.input(Input::Message(sip::KEEPALIVE_PING));
}

#[test]
fn strangers_are_turned_away() {
    let mut script = answered(ROUTES);
    for (method, to, status) in [
        ("INVITE", "<sip:us@x>", 603),
        ("OPTIONS", "<sip:us@x>", 200),
        ("MESSAGE", "<sip:us@x>", 405),
        ("BYE", "<sip:us@x>;tag=guessed", 481),
        ("INFO", "<sip:us@x>;tag=guessed", 481),
    ] {
        script.receive(&format!(
            "{method} sip:us@x SIP/2.0\r\nv: SIP/2.0/WSS a;branch=z9hG4bKs\r\nt: {to}\r\nf: <sip:s@x>;tag=s\r\ni: other\r\nCSeq: 1 {method}\r\n\r\n"
        ));
        let reply = script.sent.last().unwrap();
        assert_eq!((reply.status(), reply.header("To").unwrap().contains(";tag=")), (Some(status), true), "{method}");
    }
    assert!(script.machine.invite.as_ref().is_some_and(crate::signalling::invite::Invite::is_live));
}

#[test]
fn unknown_demands_are_named() {
    let mut script = answered(ROUTES);
    let reply = peer_request(&mut script, "UPDATE", 5, "Require: timer, foo\nRequire: bar", "");
    assert_eq!((reply.status(), reply.header("Unsupported")), (Some(420), Some("foo, bar")));
    assert_eq!(peer_request(&mut script, "UPDATE", 6, "Require: timer", "").status(), Some(200));
    let reply = peer_request(&mut script, "OPTIONS", 7, &format!("Require: {}", vec!["x"; 2000].join(",")), "");
    assert!(reply.header("Unsupported").unwrap().len() < 100);
}

#[test]
fn a_storm_is_not_answered_for_ever() {
    let mut script = answered(ROUTES);
    for number in 0..2000 {
        peer_request(&mut script, "OPTIONS", 50 + number, "", "");
    }
    assert!(script.sent.len() < 300);
    script.now += Duration::from_secs(5000);
    let reply = peer_request(&mut script, "OPTIONS", 5000, "", "");
    assert_eq!(reply.status(), Some(200), "a long call may be asked more");
    assert!(matches!(script.last_event(), Event::Failed(_)));
    assert_eq!(script.events.iter().filter(|event| matches!(event, Event::Failed(_))).count(), 1);
}

#[test]
fn other_requests_and_lost_connections() {
    let mut script = answered(ROUTES);
    let info = |within| Input::Request {
        method: "INFO".into(),
        headers: vec![("X-A".into(), "b".into())],
        body: Some(("text/plain".into(), b"x".to_vec())),
        within,
    };
    script.input(info(Within::Call));
    assert_eq!(script.last("INFO").headers("Route").count(), 3);
    script.answer("INFO", 200, "");
    assert!(matches!(script.last_event(), Event::Answer { method, status: 200, .. } if method == "INFO"));
    script.input(info(Within::Nothing));
    assert_ne!(script.last("INFO").header("Call-ID"), script.last("ACK").header("Call-ID"));
    script.wait();
    assert!(matches!(script.last_event(), Event::Failed(_)));
    script.input(Input::Closed);
    assert!(matches!(script.last_event(), Event::Failed(failure) if failure.outcome.word() == "closed"));
    assert!(script.wake.is_none());
}
