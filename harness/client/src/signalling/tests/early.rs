//! What a far side says before it answers: early descriptions, reliable provisional answers, forks.

use super::call::inviting;
use super::*;

const EARLY: &str = "v=0\r\nearly\r\n";

fn described(script: &Script) -> usize {
    script.events.iter().filter(|event| matches!(event, Event::Described { .. })).count()
}

/// The description that the answer was told with.
#[track_caller]
fn answered_with(script: &Script) -> Option<Vec<u8>> {
    match script.last_event() {
        Event::Answered { sdp, .. } => sdp.clone(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_early_description_stands_for_a_missing_one() {
    for (body, expected) in [("", EARLY), (EARLY, EARLY), (SDP, SDP)] {
        let mut script = inviting(|_| {});
        let invite = script.last("INVITE").clone();
        script.answer_to(&invite, 183, "there", "Contact: <sip:early@x>", EARLY);
        script.answer_to(&invite, 183, "there", "", SDP);
        script.answer_to(&invite, 180, "there", "", "");
        assert_eq!(described(&script), 1, "RFC 3261, section 13.2.1: the first one counts");
        assert!(matches!(&script.events[0], Event::Described { sdp } if sdp == EARLY.as_bytes()));
        script.answer_to(&invite, 200, "there", "Contact: <sip:t@h>", body);
        assert_eq!(answered_with(&script).as_deref(), Some(expected.as_bytes()));
    }
}

#[test]
fn each_fork_has_its_own() {
    let mut script = inviting(|_| {});
    let invite = script.last("INVITE").clone();
    script.answer_to(&invite, 183, "a", "", EARLY);
    script.answer_to(&invite, 183, "b", "", SDP);
    assert_eq!(described(&script), 1);
    script.answer_to(&invite, 200, "b", "Contact: <sip:b@h>", "");
    assert_eq!(answered_with(&script).as_deref(), Some(SDP.as_bytes()));

    let mut silent = inviting(|_| {});
    let invite = silent.last("INVITE").clone();
    silent.answer_to(&invite, 183, "a", "", EARLY);
    silent.answer_to(&invite, 200, "c", "Contact: <sip:c@h>", "");
    assert_eq!(answered_with(&silent), None, "another fork's description is not this one's");

    let mut many = inviting(|_| {});
    let invite = many.last("INVITE").clone();
    for fork in 0..100 {
        many.answer_to(&invite, 183, &format!("fork{fork}"), "", EARLY);
    }
    assert_eq!(many.machine.invite.as_ref().unwrap().early.len(), 8);
}

#[test]
fn a_reliable_answer_is_acknowledged_once_and_in_order() {
    let mut script = inviting(|_| {});
    assert!(!script.last("INVITE").header("Supported").unwrap().contains("100rel"), "nobody asked for it");
    let invite = script.last("INVITE").clone();
    let routes = "Record-Route: <sip:p2;lr>, <sip:p1;lr>\nContact: <sip:early@x>";
    let reliable = |script: &mut Script, rseq: u32| {
        script.answer_to(&invite, 180, "there", &format!("Require: 100rel\nRSeq: {rseq}\n{routes}"), "");
    };
    reliable(&mut script, 7);
    let prack = script.last("PRACK").clone();
    assert_eq!((prack.header("RAck"), prack.cseq()), (Some("7 1 INVITE"), Some((2, "PRACK"))));
    assert!(matches!(&prack.start_line, sip::StartLine::Request { uri, .. } if uri == "sip:early@x"));
    assert_eq!(prack.headers("Route").collect::<Vec<_>>(), ["<sip:p1;lr>", "<sip:p2;lr>"]);
    assert!(prack.header("To").unwrap().ends_with(";tag=there"));
    let told = script.events.len();
    for repeated in [7, 9, 6] {
        reliable(&mut script, repeated);
    }
    assert_eq!((script.count("PRACK"), script.events.len()), (1, told));
    script.answer("PRACK", 200, "");
    reliable(&mut script, 8);
    assert_eq!(script.last("PRACK").header("RAck"), Some("8 1 INVITE"));
    script.answer("PRACK", 407, "Proxy-Authenticate: Digest realm=\"r\", nonce=\"n\"");
    verified(script.last("PRACK"), "Proxy-Authorization");
    assert_eq!(script.last("PRACK").cseq(), Some((4, "PRACK")));
    // The numbers go on in the call.
    script.answer_to(&invite, 200, "there", "Contact: <sip:t@h>", SDP);
    assert_eq!(script.last("ACK").cseq(), Some((1, "ACK")));
    script.input(Input::Bye);
    assert_eq!(script.last("BYE").cseq(), Some((5, "BYE")));

    let mut storm = inviting(|_| {});
    let invite = storm.last("INVITE").clone();
    for rseq in 1..1000 {
        storm.answer_to(&invite, 180, "there", &format!("Require: 100rel\nRSeq: {rseq}"), "");
        storm.answer("PRACK", 200, "");
    }
    assert!(storm.count("PRACK") < 50);
}

#[test]
fn a_far_side_that_insists_on_reliable_answers_is_promised_them() {
    let mut script = inviting(|_| {});
    script.answer("INVITE", 421, "Require: 100rel");
    assert_eq!(script.count("INVITE"), 2);
    assert!(script.last("INVITE").header("Supported").unwrap().ends_with(",100rel"));
    assert_eq!(script.last("INVITE").headers("Supported").count(), 1);
    script.answer("INVITE", 421, "Require: 100rel");
    assert!(matches!(script.last_event(), Event::Refused { status: 421, .. }));

    for other in ["Require: foo", "Require: 100rel, foo", ""] {
        let mut script = inviting(|_| {});
        script.answer("INVITE", 421, other);
        assert!(matches!(script.last_event(), Event::Refused { status: 421, .. }), "{other}");
    }
}

#[test]
fn requests_come_within_an_early_dialog() {
    let mut script = inviting(|_| {});
    let invite = script.last("INVITE").clone();
    script.answer_to(&invite, 183, "there", "Contact: <sip:early@x>", EARLY);
    let ours = invite.header("From").unwrap().to_owned();
    let call_id = invite.header("Call-ID").unwrap().to_owned();
    script.answer_to(&invite, 180, "other", "Contact: <sip:other@x>", "");
    for (number, (method, tag, status)) in [
        ("UPDATE", "there", 200),
        ("INFO", "there", 200),
        ("OPTIONS", "there", 200),
        ("UPDATE", "nobody", 481),
        ("BYE", "there", 481),
        ("INVITE", "there", 481),
    ]
    .into_iter()
    .enumerate()
    {
        script.receive(&format!(
            "{method} sip:us@x SIP/2.0\r\nv: SIP/2.0/WSS a;branch=z9hG4bK{number}\r\nt: {ours}\r\n\
             f: <sip:app-1@sip.test>;tag={tag}\r\ni: {call_id}\r\nCSeq: {} {method}\r\n\r\n",
            number + 1
        ));
        assert_eq!(script.sent.last().unwrap().status(), Some(status), "{method} {tag}");
    }
    // RFC 3311, section 5.2: an offer crosses ours, which this fork has not answered.
    script.receive(&format!(
        "UPDATE sip:us@x SIP/2.0\r\nv: SIP/2.0/WSS a;branch=z9hG4bKo\r\nt: {ours}\r\n\
         f: <sip:app-1@sip.test>;tag=other\r\ni: {call_id}\r\nCSeq: 1 UPDATE\r\nl: {}\r\n\r\n{EARLY}",
        EARLY.len()
    ));
    assert_eq!(script.sent.last().unwrap().status(), Some(491));
    script.answer_to(&invite, 200, "there", "Contact: <sip:t@h>", "");
    assert!(matches!(script.last_event(), Event::Answered { sdp: Some(_), .. }));
}
