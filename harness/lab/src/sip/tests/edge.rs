//! One visitor calls another.

use super::*;
use crate::figures::PASSED_LIMIT;

/// Two registered visitors, the second as `sip:callee@…`, and what the first is going to call.
fn visitors(fault: Option<Fault>) -> (Desk, Phone, Phone) {
    let (desk, now) = (Desk::new(fault), Instant::now());
    let mut caller = Phone::new(&desk, 1, &desk.mint(now), now);
    let mut callee = Phone::new(&desk, 2, &desk.mint(now), now);
    callee.user = "callee".into();
    caller.target = format!("sip:callee@{SIP_REALM}");
    assert_eq!((caller.register().status(), callee.register().status()), (Some(200), Some(200)));
    (desk, caller, callee)
}

/// An INVITE with a login and these lines; what comes back at once.
fn call(caller: &mut Phone, lines: &[&str]) -> Vec<Option<u16>> {
    let target = caller.target.clone();
    let request = caller.request("INVITE", &target, &format!("<{target}>")).body("application/sdp", OFFER);
    let asked = caller.ask(request);
    assert_eq!(asked.status(), Some(407));
    let login = caller.answer_to(&asked, "INVITE", &target, 1);
    let request = caller.request("INVITE", &target, &format!("<{target}>")).header("Proxy-Authorization", login);
    let request = lines.iter().fold(request, |request, line| request.raw_header(line));
    caller.send(request.body("application/sdp", OFFER)).iter().map(Message::status).collect()
}

fn answer(callee: &mut Phone, invite: &Message, status: u16) -> Vec<Message> {
    let answer = reply(invite, status, "As It Is", Some("theirs")).header("Contact", "<sip:callee@c.invalid>");
    callee.send(answer)
}

#[tokio::test]
async fn a_refusal_comes_back_by_the_way_that_the_invite_went() {
    let (_desk, mut caller, mut callee) = visitors(None);
    let lines = ["Route: <sip:elsewhere@h;lr>", "Max-Forwards: 7", "X-Other: stays"];
    assert_eq!(call(&mut caller, &lines), [Some(100)]);
    let invite = callee.next().await.pop().unwrap();
    let vias: Vec<&str> = invite.headers("Via").collect();
    assert!(vias.len() == 2 && vias[0].starts_with("SIP/2.0/WSS localhost:1;branch=z9hG4bK"), "{vias:?}");
    assert_eq!((invite.header("Max-Forwards"), invite.header("X-Other")), (Some("6"), Some("stays")));
    assert!(invite.header("Route").is_none() && invite.header("Proxy-Authorization").is_none());
    assert_eq!(invite.body, OFFER.as_bytes());

    assert!(answer(&mut callee, &invite, 100).is_empty());
    assert!(answer(&mut callee, &invite, 180).is_empty());
    let ringing = caller.next().await.pop().unwrap();
    assert_eq!((ringing.status(), ringing.headers("Via").count()), (Some(180), 1));
    let ack = answer(&mut callee, &invite, 603).pop().unwrap();
    assert_eq!((ack.method(), ack.header("Via"), ack.header("Call-ID")), (Some("ACK"), Some(vias[0]), Some("call-1")));
    let refused = caller.next().await.pop().unwrap();
    assert_eq!((refused.status(), refused.headers("Via").count()), (Some(603), 1));
    assert!(answer(&mut callee, &invite, 603).is_empty(), "nobody waits for a second one");
    assert_eq!(call(&mut caller, &[]), [Some(100)], "and the caller may call again");
}

#[tokio::test]
async fn what_is_the_operators_to_say_is_taken_out_in_every_spelling() {
    let spellings = [
        "P-Asserted-Identity: <sip:marker-1@h>",
        "P-Asserted-Identity : <sip:marker-2@h>",
        "Remote-Party-ID\t: <sip:marker-3@h>",
        "p-aSSERTED-iDENTITY: <sip:marker-4@h>",
        "X-Ringfence-Strip:\r\n marker-5",
        "X-Ringfence-Strip: marker-6",
    ];
    for (fault, passed) in [(None, &[][..]), (Some(Fault::HeaderSpaceSmuggled), &["marker-2", "marker-3"])] {
        let (desk, mut caller, mut callee) = visitors(fault);
        assert_eq!(call(&mut caller, &spellings), [Some(100)]);
        let invite = String::from_utf8(callee.next().await.pop().unwrap().emit()).unwrap();
        let markers = (1..=6).map(|number| format!("marker-{number}"));
        assert_eq!(markers.filter(|marker| invite.contains(marker)).collect::<Vec<_>>(), passed, "{fault:?}");
        assert!(desk.shared.faults.met().contains(&Fault::HeaderSpaceSmuggled));
    }
}

#[tokio::test]
async fn nobody_is_joined_to_a_visitor() {
    let (_desk, mut caller, mut callee) = visitors(None);
    call(&mut caller, &[]);
    let invite = callee.next().await.pop().unwrap();
    let out = answer(&mut callee, &invite, 200);
    let methods: Vec<_> = out.iter().map(Message::method).collect();
    assert_eq!(methods, [Some("ACK"), Some("BYE")]);
    assert_eq!(caller.next().await.pop().unwrap().status(), Some(480));
    let ok = reply(&out[1], 200, "OK", None);
    assert!(callee.send(ok).is_empty());
}

#[tokio::test]
async fn a_call_that_nobody_answers_is_taken_back() {
    let (_desk, mut caller, mut callee) = visitors(None);
    call(&mut caller, &[]);
    let invite = callee.next().await.pop().unwrap();
    let late = caller.session.wake(Event::PassedExpired, caller.now + PASSED_LIMIT);
    assert_eq!(Message::parse(&late[0]).unwrap().status(), Some(408));
    let cancel = callee.next().await.pop().unwrap();
    assert_eq!((cancel.method(), cancel.header("Via")), (Some("CANCEL"), invite.headers("Via").next()));
    assert_eq!(answer(&mut callee, &invite, 487).pop().unwrap().method(), Some("ACK"));
    let unheard = tokio::time::timeout(Duration::from_millis(50), caller.next()).await;
    assert_eq!(unheard.ok(), Some(vec![]), "the caller has had his answer");

    call(&mut caller, &[]);
    let target = caller.target.clone();
    caller.cseq -= 1; // CANCEL has the number and the branch of its INVITE
    let cancel = caller.request("CANCEL", &target, &format!("<{target}>"));
    let statuses: Vec<_> = caller.send(cancel).iter().map(Message::status).collect();
    assert_eq!(statuses, [Some(200), Some(487)]);
}

#[tokio::test]
async fn only_who_may_call_reaches_a_visitor() {
    let (desk, mut caller, mut callee) = visitors(None);
    let now = caller.now;
    let mut stranger = Phone::new(&desk, 3, &desk.mint(now), now);
    stranger.target = caller.target.clone();
    assert_eq!(stranger.invite().pop().unwrap().status(), Some(403), "not registered");
    assert_eq!(call(&mut caller, &["Max-Forwards: 0"]), [Some(483)]);
    assert_eq!(call(&mut caller, &[]), [Some(100)]);
    assert_eq!(call(&mut caller, &[]), [Some(403)], "one at a time");
    caller.target = "sip:visitor@sip.lab.test".into();
    assert_eq!(call(&mut caller, &[]), [Some(404)], "nobody calls himself");
    assert_eq!(callee.next().await.len(), 1);
    drop(callee);
    caller.session.wake(Event::PassedExpired, now + PASSED_LIMIT);
    caller.target = "sip:callee@sip.lab.test".into();
    assert_eq!(call(&mut caller, &[]), [Some(404)], "who has left is not there");
}

#[tokio::test]
async fn a_negative_length_is_an_outage_only_where_broken() {
    for (fault, struck) in [(None, false), (Some(Fault::TortureCrash), true)] {
        let desk = Desk::new(fault);
        let mut watch = desk.shared.outage.watch();
        let mut session = Session::new(desk.shared.clone(), 1, SOURCE);
        for (frame, negative) in [
            ("OPTIONS sip:a SIP/2.0\r\nX: -1\r\nContent-Length: 9\r\n\r\nl: -1", false),
            ("OPTIONS sip:a SIP/2.0\r\nl : -999\r\n\r\n", true),
        ] {
            assert_eq!(session.receive(frame.as_bytes(), Instant::now()), Err(BadFrame::NoMessage));
            let told = tokio::time::timeout(Duration::from_millis(20), watch.struck()).await;
            assert_eq!(told.is_ok(), struck && negative, "{frame}");
            assert_eq!(desk.shared.faults.met().contains(&Fault::TortureCrash), negative);
        }
    }
}

#[test]
fn too_many_fields_are_too_large() {
    let desk = Desk::new(None);
    let fields = "X: 1\r\n".repeat(2000);
    let frame = format!("OPTIONS sip:a SIP/2.0\r\n{fields}\r\n");
    let mut session = Session::new(desk.shared.clone(), 1, SOURCE);
    assert_eq!(session.receive(frame.as_bytes(), Instant::now()), Err(BadFrame::TooLarge));
}
