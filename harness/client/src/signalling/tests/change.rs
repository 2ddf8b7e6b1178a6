//! Changes of a call that is answered: re-INVITE, UPDATE and session timers.

use super::call::{ROUTES, answered, inviting, peer_request};
use super::*;

const OURS: &str = "v=0\r\no=- 1 2 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 0\r\na=recvonly\r\n";

/// The reply to a change, once the media have said what they make of it.
fn reply_to_change(script: &mut Script, ours: Option<&str>) -> Message {
    assert!(matches!(script.last_event(), Event::Offered { .. }), "{:?}", script.last_event());
    script.input(Input::Answer { sdp: ours.map(str::to_owned) });
    script.sent.last().unwrap().clone()
}

#[test]
fn an_offer_waits_for_the_media() {
    for (number, method) in ["INVITE", "UPDATE"].into_iter().enumerate() {
        let mut script = answered(ROUTES);
        let cseq = 30 + number as u32;
        let sent = script.sent.len();
        peer_request(&mut script, method, cseq, "Contact: <sip:moved@h>", "v=0\r\n");
        assert_eq!(script.sent.len(), sent, "nothing is said yet");
        assert!(matches!(script.last_event(), Event::Offered { sdp: Some(sdp) } if sdp == b"v=0\r\n"));
        // RFC 3261, section 14.2: one at a time.
        let second = peer_request(&mut script, method, cseq + 10, "", "v=0\r\n");
        assert_eq!((second.status(), second.header("Retry-After")), (Some(500), Some("2")));
        let reply = reply_to_change(&mut script, Some(OURS));
        assert_eq!((reply.status(), reply.header("CSeq")), (Some(200), Some(format!("{cseq} {method}").as_str())));
        assert_eq!(reply.body, OURS.as_bytes());
        assert!(reply.header("Contact").is_some());
        script.input(Input::Answer { sdp: Some(OURS.into()) });
        assert_eq!(script.sent.last(), Some(&reply), "one request has one answer");
        script.input(Input::Bye);
        assert!(matches!(&script.last("BYE").start_line, sip::StartLine::Request { uri, .. } if uri == "sip:moved@h"));
    }
}

#[test]
fn a_change_of_ours_has_an_end_when_the_call_is_over() {
    let mut behind = answered(ROUTES);
    behind.input(Input::Bye);
    let sent = behind.sent.len();
    behind.input(Input::Change { sdp: OURS.into() });
    assert_eq!(behind.sent.len(), sent, "a session that was ended is not changed");
    assert!(matches!(behind.last_event(), Event::Changed { status: None, .. }));

    let mut before = answered(ROUTES);
    before.input(Input::Change { sdp: OURS.into() });
    before.input(Input::Bye);
    before.answer("BYE", 200, "");
    assert!(matches!(before.last_event(), Event::Ended));
    before.answer("INVITE", 200, "");
    assert!(matches!(before.last_event(), Event::Changed { status: Some(200), .. }));
}

#[test]
fn what_the_media_refuse_is_refused() {
    let mut script = answered(ROUTES);
    peer_request(&mut script, "INVITE", 5, "Contact: <sip:moved@h>", "v=0\r\n");
    assert_eq!(reply_to_change(&mut script, None).status(), Some(488));
    script.input(Input::Bye);
    assert!(!matches!(&script.last("BYE").start_line, sip::StartLine::Request { uri, .. } if uri == "sip:moved@h"));
}

#[test]
fn an_invite_without_offer_gets_ours_and_answers_in_its_ack() {
    let mut script = answered(ROUTES);
    peer_request(&mut script, "INVITE", 5, "", "");
    assert!(matches!(script.last_event(), Event::Offered { sdp: None }));
    assert_eq!(reply_to_change(&mut script, Some(OURS)).body, OURS.as_bytes());
    peer_request(&mut script, "ACK", 5, "", "v=0\r\n");
    assert!(matches!(script.last_event(), Event::Described { sdp } if sdp == b"v=0\r\n"));
    let events = script.events.len();
    peer_request(&mut script, "ACK", 5, "", "v=0\r\n");
    assert_eq!(script.events.len(), events, "once");
}

#[test]
fn an_update_without_offer_only_refreshes() {
    let mut script = answered(ROUTES);
    let reply = peer_request(&mut script, "UPDATE", 5, "Supported: timer\nSession-Expires: 90;refresher=uac", "");
    assert_eq!((reply.status(), reply.header("Session-Expires")), (Some(200), Some("90;refresher=uac")));
    assert_eq!(reply.header("Require"), Some("timer"));
    assert!(reply.body.is_empty());
    // A proxy asks on behalf of a far side that knows no timers.
    let reply = peer_request(&mut script, "UPDATE", 6, "Session-Expires: 90", "");
    assert_eq!((reply.header("Session-Expires"), reply.header("Require")), (Some("90;refresher=uas"), None));
    assert_eq!(script.wait(), Duration::from_secs(45));
    assert_eq!(script.count("UPDATE"), 1);
}

#[test]
fn a_change_without_an_interval_ends_the_wait_for_refreshes() {
    for more in ["", "Session-Expires: 4294967296", "Session-Expires: ;x"] {
        let mut waiting = answered("Session-Expires: 90;refresher=uas\nContact: <sip:t@h>");
        assert!(waiting.wake.is_some());
        let reply = peer_request(&mut waiting, "UPDATE", 5, more, "");
        assert_eq!((reply.status(), reply.header("Session-Expires")), (Some(200), None), "{more}");
        assert!(waiting.wake.is_none(), "{more}");
    }
    let mut ours = answered("Session-Expires: 90;refresher=uac\nContact: <sip:t@h>");
    peer_request(&mut ours, "UPDATE", 5, "", "");
    assert_eq!(ours.wait(), Duration::from_secs(45), "what we promised goes on");
}

#[test]
fn a_hang_up_ends_a_change_that_waits() {
    let mut script = answered(ROUTES);
    peer_request(&mut script, "INVITE", 5, "", "v=0\r\n");
    peer_request(&mut script, "BYE", 6, "", "");
    let statuses: Vec<_> = script.sent.iter().filter_map(Message::status).collect();
    assert_eq!(statuses, [487, 200]);
    let sent = script.sent.len();
    script.input(Input::Answer { sdp: Some(OURS.into()) });
    assert_eq!(script.sent.len(), sent);
}

#[test]
fn we_refresh_as_agreed() {
    let mut script = inviting(|plan| plan.session_expires = Some(90));
    assert_eq!(script.last("INVITE").header("Session-Expires"), Some("90"));
    script.answer("INVITE", 422, "Min-SE: 120");
    let invite = script.last("INVITE").clone();
    assert_eq!((invite.header("Session-Expires"), invite.header("Min-SE")), (Some("120"), Some("120")));
    script.answer_to(&invite, 200, "there", "Session-Expires: 120;refresher=uac\nContact: <sip:t@h>", SDP);
    assert_eq!(script.wait(), Duration::from_secs(60));
    assert_eq!(script.last("UPDATE").header("Session-Expires"), Some("120;refresher=uac"));
    script.answer("UPDATE", 200, "");
    assert_eq!(script.wait(), Duration::from_secs(60));
    // 422 once more: the longer interval is asked for at once, and kept.
    script.answer("UPDATE", 422, "Min-SE: 200");
    let longer = script.last("UPDATE");
    assert_eq!((longer.header("Session-Expires"), longer.header("Min-SE")), (Some("200;refresher=uac"), Some("200")));
    script.answer("UPDATE", 200, "Session-Expires: 200;refresher=uac");
    assert_eq!(script.wait(), Duration::from_secs(100));
    // Glare: soon again.
    script.answer("UPDATE", 491, "");
    assert_eq!(script.wait(), Duration::from_secs(3));
    script.answer("UPDATE", 403, "");
    assert!(script.wake.is_none());
    assert_eq!(script.count("UPDATE"), 5);

    let mut insatiable = answered("Session-Expires: 90;refresher=uac\nContact: <sip:t@h>");
    insatiable.wait();
    for wish in 91..100 {
        insatiable.answer("UPDATE", 422, &format!("Min-SE: {wish}"));
    }
    assert_eq!(insatiable.count("UPDATE"), 2);

    // Who is not to refresh does not, whichever side the far side names.
    let mut idle = inviting(|plan| plan.session_refresh = false);
    idle.answer("INVITE", 200, "Session-Expires: 90;refresher=uac\nContact: <sip:t@h>");
    peer_request(&mut idle, "UPDATE", 5, "Session-Expires: 90;refresher=uas", "");
    assert!(idle.wake.is_none());
}

#[test]
fn without_update_an_invite_refreshes() {
    for allow in ["", "\nAllow: INVITE, ACK, BYE"] {
        let mut script = answered(&format!("Session-Expires: 90;refresher=uac\nContact: <sip:t@h>{allow}"));
        assert_eq!(script.wait(), Duration::from_secs(45));
        if allow.is_empty() {
            script.answer("UPDATE", 405, "");
        }
        assert_eq!((script.count("UPDATE"), script.count("INVITE")), (usize::from(allow.is_empty()), 2));
        let invite = script.last("INVITE").clone();
        assert_eq!(
            (invite.body.as_slice(), invite.header("Session-Expires")),
            (SDP.as_bytes(), Some("90;refresher=uac"))
        );
        // A change of the far side meets ours.
        assert_eq!(peer_request(&mut script, "INVITE", 9, "", "v=0\r\n").status(), Some(491));
        script.answer_to(&invite, 100, "", "", "");
        script.answer_to(&invite, 401, "", "WWW-Authenticate: Digest realm=\"r\", nonce=\"n\"", "");
        assert_eq!(script.last("ACK").header("Via"), invite.header("Via"), "of the refusal");
        let invite = script.last("INVITE").clone();
        verified(&invite, "Authorization");
        script.answer_to(&invite, 200, "", "Session-Expires: 90;refresher=uac", SDP);
        let ack = script.last("ACK").clone();
        assert_eq!(
            (ack.cseq().map(|(number, _)| number), ack.status()),
            (invite.cseq().map(|(number, _)| number), None)
        );
        script.answer_to(&invite, 200, "", "Session-Expires: 90;refresher=uac", SDP);
        assert_eq!(script.sent.last(), Some(&ack), "repeated for a repeated answer");
        assert!(matches!(script.last_event(), Event::Described { .. }));
    }
}

#[test]
fn a_session_that_nobody_refreshes_ends() {
    let mut script = answered("Session-Expires: 90;refresher=uas\nContact: <sip:t@h>");
    // Refreshed in time, it goes on.
    script.now += Duration::from_secs(50);
    peer_request(&mut script, "UPDATE", 5, "Supported: timer\nSession-Expires: 90;refresher=uac", "");
    assert_eq!(script.wait(), Duration::from_secs(60));
    assert_eq!(script.count("BYE"), 1);
    assert!(matches!(script.last_event(), Event::Failed(failure) if failure.outcome.word() == "timeout"));
    script.answer("BYE", 200, "");
    assert!(matches!(script.last_event(), Event::Ended));
}

#[test]
fn a_far_side_that_answers_no_refresh_is_hung_up_on() {
    let mut script = answered("Session-Expires: 90;refresher=uac\nContact: <sip:t@h>");
    assert_eq!(script.wait(), Duration::from_secs(45));
    assert_eq!((script.count("UPDATE"), script.wait()), (1, TRANSACTION));
    assert_eq!((script.count("UPDATE"), script.count("BYE")), (1, 1));
    assert!(matches!(script.last_event(), Event::Failed(failure) if failure.outcome.word() == "timeout"));
    assert_eq!(script.wait(), TRANSACTION, "of the BYE");
    assert!(script.wake.is_none() && matches!(script.last_event(), Event::Ended));
}
