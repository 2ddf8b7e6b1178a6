//! Calls, and requests that belong to none.

use super::*;

#[tokio::test]
async fn a_call_from_invite_to_bye() {
    let (desk, now) = (Desk::new(None), Instant::now());
    let mut phone = Phone::new(&desk, 1, &desk.mint(now), now);
    let ok = phone.call().await;
    assert!(String::from_utf8_lossy(&ok.body).contains("a=fingerprint:"));
    assert_eq!(ok.header("Contact"), Some("<sip:desk@localhost:1;transport=ws>"));

    let again = phone.next().await.pop().unwrap();
    assert_eq!(again, ok, "the 200 comes again until it is acknowledged");
    phone.cseq -= 1; // ACK has the number of its INVITE
    let ack = phone.in_dialog("ACK", &ok);
    assert_eq!(phone.send(ack), []);
    let quiet = tokio::time::timeout(2 * SIP_T1, phone.session.event()).await;
    assert!(quiet.is_err(), "and not after that: {quiet:?}");

    let info = phone.in_dialog("INFO", &ok).body("application/json", "{}");
    assert_eq!(phone.ask(info).status(), Some(200));
    let refresh = phone.in_dialog("INVITE", &ok).body("application/sdp", OFFER);
    let refreshed = phone.ask(refresh);
    assert_eq!((refreshed.status(), &refreshed.body), (Some(200), &ok.body));
    let change = phone.in_dialog("INVITE", &ok).body("application/sdp", OFFER.replace("abcd", "efgh"));
    assert_eq!(phone.ask(change).status(), Some(488));
    let guessed = ok.header("To").unwrap().replace("tag=", "tag=x");
    let guess = phone.request("BYE", "sip:desk@localhost:1", &guessed);
    assert_eq!(phone.ask(guess).status(), Some(481));
    phone.cseq -= 3;
    let old = phone.in_dialog("BYE", &ok);
    assert_eq!(phone.ask(old).status(), Some(500), "out of order");
    phone.cseq += 3;
    let bye = phone.in_dialog("BYE", &ok);
    assert_eq!(phone.ask(bye).status(), Some(200));
    let twice = phone.in_dialog("BYE", &ok);
    assert_eq!(phone.ask(twice).status(), Some(481));
    assert_eq!(phone.invite().pop().unwrap().status(), Some(403), "one call per pair");
}

#[tokio::test]
async fn a_pair_that_survives_its_call_calls_again() {
    let (desk, now) = (Desk::new(Some(Fault::CredentialsSurviveHangup)), Instant::now());
    let mut phone = Phone::new(&desk, 1, &desk.mint(now), now);
    let ok = phone.call().await;
    let bye = phone.in_dialog("BYE", &ok);
    assert_eq!(phone.ask(bye).status(), Some(200));
    phone.now += 5 * SECOND;
    assert_eq!(phone.invite().pop().unwrap().status(), Some(180));
}

#[tokio::test]
async fn the_desk_hangs_up_when_media_end() {
    let (desk, now) = (Desk::new(None), Instant::now());
    let mut phone = Phone::new(&desk, 1, &desk.mint(now), now);
    let ok = phone.call().await;
    let bye = phone.session.wake(Event::MediaEnded, now);
    let bye = Message::parse(&bye[0]).unwrap();
    assert_eq!((bye.method(), bye.header("Call-ID")), (Some("BYE"), Some("call-1")));
    assert!(matches!(&bye.start_line, StartLine::Request { uri, .. } if uri == "sip:me@p.invalid;transport=ws"));
    assert_eq!(bye.header("To").and_then(tag).as_deref(), Some("mine"));
    assert_eq!(bye.header("From").and_then(tag), ok.header("To").and_then(tag));
    let mine = reply(&bye, 200, "OK", None).build().unwrap();
    assert!(phone.session.receive(&mine, now).unwrap().is_empty());
    assert!(!phone.session.in_call());
}

#[tokio::test]
async fn a_call_without_ack_is_given_up() {
    let (desk, now) = (Desk::new(None), Instant::now());
    let mut phone = Phone::new(&desk, 1, &desk.mint(now), now);
    phone.call().await;
    let again = phone.session.wake(Event::Resend, now + 31 * SECOND);
    assert_eq!(Message::parse(&again[0]).unwrap().status(), Some(200));
    let end = phone.session.wake(Event::Resend, now + 32 * SECOND);
    assert_eq!(Message::parse(&end[0]).unwrap().method(), Some("BYE"));
}

#[tokio::test]
async fn a_program_may_answer_hang_up_and_refuse() {
    let now = Instant::now();
    for (command, said) in [("sh -c 'echo v=0; echo .'", (200, &b"v=0\r\n"[..])), ("echo .", (488, b""))] {
        let mut desk = Desk::new(None);
        let program = Program { command: command.to_owned() };
        Arc::get_mut(&mut desk.shared).unwrap().callee = Callee::Program(program);
        let mut phone = Phone::new(&desk, 1, &desk.mint(now), now);
        assert_eq!(phone.register().status(), Some(200));
        phone.invite();
        let answer = phone.next().await.pop().unwrap();
        assert_eq!((answer.status(), answer.body.as_slice()), (Some(said.0), said.1));
        while phone.session.in_call() {
            let message = phone.next().await.pop().unwrap(); // the 200 once more, if the machine is slow
            assert!(message == answer || message.method() == Some("BYE"), "{message:?}");
        }
    }
}

#[tokio::test]
async fn a_cancelled_call_leaves_the_pair_good() {
    let (desk, now) = (Desk::new(None), Instant::now());
    let mut phone = Phone::new(&desk, 1, &desk.mint(now), now);
    phone.register();
    phone.invite();
    phone.cseq -= 1; // CANCEL has number and branch of its INVITE
    let target = phone.target.clone();
    let cancel = phone.request("CANCEL", &target, &format!("<{target}>"));
    let said: Vec<_> = phone.send(cancel).iter().map(|m| (m.status(), m.cseq().unwrap().1.to_owned())).collect();
    assert_eq!(said, [(Some(200), "CANCEL".to_owned()), (Some(487), "INVITE".to_owned())]);
    assert_eq!(phone.invite().pop().unwrap().status(), Some(180));
    assert_eq!(phone.next().await.pop().unwrap().status(), Some(200));
}

#[tokio::test]
async fn who_may_call_whom() {
    let (desk, now) = (Desk::new(None), Instant::now());
    let mut unregistered = Phone::new(&desk, 1, &desk.mint(now), now);
    assert_eq!(unregistered.invite().pop().unwrap().status(), Some(403));

    let mut phone = Phone::new(&desk, 2, &desk.mint(now), now);
    phone.register();
    let right = phone.target.clone();
    for other in [
        format!("sip:app-{}@{SIP_REALM}", desk.shared.endpoints[1].application_sid),
        format!("sip:15550100@{SIP_REALM}"),
        right.replace(SIP_REALM, "elsewhere.test"),
    ] {
        phone.target = other;
        assert_eq!(phone.invite().pop().unwrap().status(), Some(404), "{}", phone.target);
    }
    phone.target = right;
    phone.user = "somebody-else".into();
    assert_eq!(phone.invite().pop().unwrap().status(), Some(403), "From is not what was registered");
    phone.user = "visitor".into();
    assert_eq!(phone.invite().pop().unwrap().status(), Some(180));
    assert_eq!(phone.invite().pop().unwrap().status(), Some(403), "one call at a time");
}

#[tokio::test]
async fn an_offer_that_media_refuse_ends_the_call() {
    let (desk, now) = (Desk::new(None), Instant::now());
    let mut phone = Phone::new(&desk, 1, &desk.mint(now), now);
    phone.register();
    phone.invite();
    let number = phone.session.calls_begun;
    let refused = Answered::Refused { status: 488, reason: "no audio" };
    let out = phone.session.wake(Event::Answered(Some((number, refused))), now);
    let out = Message::parse(&out[0]).unwrap();
    assert_eq!((out.status(), out.header("Warning")), (Some(488), Some("399 sip.lab.test \"no audio\"")));
    assert_eq!(phone.invite().pop().unwrap().status(), Some(180), "the pair has not lost its call");
    let late = phone.session.wake(Event::Answered(Some((number, Answered::Refused { status: 488, reason: "" }))), now);
    assert!(late.is_empty(), "an answer to the call before");
}

#[test]
fn other_messages_get_what_the_rfc_says() {
    let (desk, now) = (Desk::new(None), Instant::now());
    let mut phone = Phone::new(&desk, 1, &desk.mint(now), now);
    assert_eq!(phone.session.receive(b"\r\n\r\n", now).unwrap(), [b"\r\n".to_vec()]);
    assert!(phone.session.receive(b"\r\n", now).unwrap().is_empty());
    assert!(phone.session.receive(b"GET / HTTP/1.1\r\n\r\n", now).is_err());
    assert!(phone.session.receive(b"", now).is_err());
    for (method, status) in
        [("OPTIONS", 200), ("MESSAGE", 405), ("XYZZY", 405), ("BYE", 481), ("INFO", 481), ("CANCEL", 481)]
    {
        let request = phone.request(method, "sip:sip.lab.test", "<sip:x@sip.lab.test>");
        let answer = phone.ask(request);
        assert_eq!(answer.status(), Some(status), "{method}");
        assert!(status != 405 || answer.header("Allow").is_some());
    }
    let required = phone.request("OPTIONS", "sip:sip.lab.test", "<sip:x@sip.lab.test>").header("Require", "100rel");
    let answer = phone.ask(required);
    assert_eq!((answer.status(), answer.header("Unsupported")), (Some(420), Some("100rel")));
    let ack = phone.request("ACK", "sip:sip.lab.test", "<sip:x@sip.lab.test>;tag=1");
    assert_eq!(phone.send(ack), []);
    let nonsense = Builder::request("OPTIONS", "sip:h").header("Via", "x").build().unwrap();
    let answer = Message::parse(&phone.session.receive(&nonsense, now).unwrap()[0]).unwrap();
    assert_eq!(answer.status(), Some(400));
}

#[tokio::test]
async fn invite_unauthenticated_rings_for_anybody_and_ends_pairs_all_the_same() {
    for (fault, expected) in [(None, 407), (Some(Fault::InviteUnauthenticated), 180)] {
        let (desk, now) = (Desk::new(fault), Instant::now());
        let mut stranger = Phone::new(&desk, 1, &desk.mint(now), now);
        let target = stranger.target.clone();
        let invite = stranger.request("INVITE", &target, &format!("<{target}>")).body("application/sdp", OFFER);
        assert_eq!(stranger.ask(invite).status(), Some(expected));
        let elsewhere = format!("sip:15550100@{SIP_REALM}");
        let mut other = Phone::new(&desk, 2, &desk.mint(now), now);
        let invite = other.request("INVITE", &elsewhere, &format!("<{elsewhere}>")).body("application/sdp", OFFER);
        assert_eq!(other.ask(invite).status(), Some(if fault.is_some() { 404 } else { 407 }));
    }
    let (desk, now) = (Desk::new(Some(Fault::InviteUnauthenticated)), Instant::now());
    let mut visitor = Phone::new(&desk, 1, &desk.mint(now), now);
    assert_eq!(visitor.register().status(), Some(200));
    let target = visitor.target.clone();
    let invite = visitor.request("INVITE", &target, &format!("<{target}>")).body("application/sdp", OFFER);
    assert_eq!(visitor.ask(invite).status(), Some(180));
    let ok = visitor.next().await.pop().unwrap();
    let bye = visitor.in_dialog("BYE", &ok);
    assert_eq!(visitor.ask(bye).status(), Some(200));
    visitor.now += 5 * SECOND;
    assert_eq!(visitor.register().status(), Some(403), "the pair of a call that is over");
}
