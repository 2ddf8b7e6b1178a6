use super::*;

fn frame(sent: bool, lines: &[&str]) -> Frame {
    Frame { socket: "1".into(), sent, text: [lines.join("\r\n").as_str(), "\r\nContent-Length: 0\r\n\r\n"].concat() }
}

const ID: &str = "Call-ID: call-1";
const FROM: &str = "From: \"A \\\"Visitor\\\"\" <sip:a%40b.test@realm.test>;tag=page";
const CONTACT: &str = "Contact: <sip:c0ntact@x.invalid;transport=ws>";

/// Registration, INVITE, login, answer.
fn call() -> Vec<Frame> {
    let login = "Authorization: Digest username=\"u\", realm=\"r\", nonce=\"n\", uri=\"sip:r\", response=\"abcdef\"";
    vec![
        frame(
            true,
            &[
                "REGISTER sip:realm.test SIP/2.0",
                FROM,
                "To: <sip:v@realm.test>",
                "Call-ID: r",
                "CSeq: 1 REGISTER",
                CONTACT,
                login,
            ],
        ),
        frame(false, &["SIP/2.0 200 OK", FROM, "To: <sip:v@realm.test>;tag=x", "Call-ID: r", "CSeq: 1 REGISTER"]),
        frame(
            true,
            &["INVITE sip:desk@realm.test SIP/2.0", FROM, "To: <sip:desk@realm.test>", ID, "CSeq: 1 INVITE", CONTACT],
        ),
        frame(false, &["SIP/2.0 401 Unauthorized", FROM, "To: <sip:desk@realm.test>;tag=y", ID, "CSeq: 1 INVITE"]),
        frame(
            true,
            &[
                "INVITE sip:desk@realm.test SIP/2.0",
                FROM,
                "To: <sip:desk@realm.test>",
                ID,
                "CSeq: 2 INVITE",
                CONTACT,
                "X-Tenant: t-1",
            ],
        ),
        frame(false, &["SIP/2.0 200 OK", FROM, "To: <sip:desk@realm.test>;tag=far", ID, "CSeq: 2 INVITE"]),
    ]
}

fn signalling(frames: &[Frame]) -> Signalling {
    let mut signalling = Signalling::default();
    signalling.read(frames);
    signalling
}

fn injection(request: Request, frames: &[Frame]) -> Option<Injection> {
    let mut drawn = 0;
    let random = |count| {
        drawn += 1;
        format!("{drawn:x}").repeat(count).chars().take(count).collect()
    };
    Injection::new(request, &signalling(frames), random).map(Result::unwrap)
}

/// What a page answers: the fields that RFC 3261, section 8.2.6.2 repeats.
fn answer(message: &str, status: &str) -> String {
    let message = Message::parse(message.as_bytes()).unwrap();
    let repeated =
        ["Via", "From", "To", "Call-ID", "CSeq"].map(|name| format!("{name}: {}", message.header(name).unwrap()));
    format!("SIP/2.0 {status}\r\n{}\r\nContent-Length: 0\r\n\r\n", repeated.join("\r\n"))
}

#[test]
fn identities_come_from_their_fields() {
    let found = identities(&call());
    let values = |kind: IdentityKind| -> Vec<&str> {
        found.iter().filter(|known| known.kind == kind).map(|known| known.value.as_str()).collect()
    };
    assert_eq!(values(IdentityKind::UserId), ["a@b.test", "v"]);
    assert_eq!(values(IdentityKind::DisplayName), ["A \"Visitor\""]);
    assert_eq!(values(IdentityKind::ContactUser), ["c0ntact"]);
    assert_eq!(values(IdentityKind::Header("x-tenant".into())), ["t-1"]);
    assert_eq!(logins(&call()).first().map(|login| login.response.as_str()), Some("abcdef"));
}

#[test]
fn an_invite_with_a_login_is_the_same_call() {
    let mut frames = call();
    let known = signalling(&frames[..4]);
    assert!(known.registered.is_some() && !known.refused() && !known.in_call());
    let known = signalling(&frames);
    assert!(known.calls.len() == 1 && known.in_call());
    frames.push(frame(true, &["BYE sip:desk@realm.test SIP/2.0", FROM, ID, "CSeq: 3 BYE"]));
    assert!(!signalling(&frames).in_call());
    let refused = frame(false, &["SIP/2.0 486 Busy", FROM, ID, "CSeq: 2 INVITE"]);
    assert!(signalling(&[&call()[..5], &[refused]].concat()).refused());
}

#[test]
fn requests_are_addressed_to_the_page_and_its_answers_known() {
    let frames = call();
    for request in [Request::Invite, Request::Replaces, Request::Refer] {
        let injection = injection(request, &frames).unwrap();
        let message = Message::parse(injection.message.as_bytes()).unwrap();
        assert!(injection.message.contains(" sip:c0ntact@x.invalid;transport=ws SIP/2.0\r\n"), "{request:?}");
        assert_eq!(message.header("Call-ID") == Some("call-1"), request == Request::Refer);
        let swallows =
            |text: &str| injection.rules.iter().any(|rule| rule.iter().all(|token| text.contains(token.as_str())));
        for (status, accepted) in [("405 No", false), ("180 Ringing", false), ("200 OK", request != Request::Refer)] {
            let answer = answer(&injection.message, status);
            assert!(swallows(&answer) && injection.is_answered(std::slice::from_ref(&answer)), "{request:?} {status}");
            assert_eq!(injection.is_accepted(&[answer]), accepted, "{request:?} {status}");
        }
        assert!(!frames.iter().any(|frame| swallows(&frame.text)), "the page's own messages go their way");
        assert!(!injection.is_answered(&[frames[5].text.clone()]));
    }
    let replaces = injection(Request::Replaces, &frames).unwrap().message;
    assert!(replaces.contains("Replaces: call-1;to-tag=page;from-tag=far\r\n"), "{replaces}");
}

#[test]
fn a_call_to_where_refer_points_is_known_and_rings_nowhere() {
    let injection = injection(Request::Refer, &call()).unwrap();
    let to = injection.refer_to.clone().unwrap();
    let text = frame(
        true,
        &[
            &format!("INVITE sip:{to}@realm.test SIP/2.0"),
            FROM,
            &format!("To: <sip:{to}@realm.test>"),
            "Call-ID: new",
            "CSeq: 1 INVITE",
        ],
    )
    .text;
    assert!(injection.rules.iter().any(|rule| rule.iter().all(|token| text.contains(token.as_str()))));
    assert!(injection.is_accepted(std::slice::from_ref(&text)) && !injection.is_answered(&[text]));
}

#[test]
fn without_a_dialog_there_is_nothing_to_address() {
    assert!(injection(Request::Invite, &[]).is_none());
    assert!(injection(Request::Refer, &call()[..5]).is_none());
    assert!(injection(Request::Invite, &call()[..2]).unwrap().message.contains("To: <sip:a%40b.test@realm.test>"));
}

#[test]
fn the_offer_is_one_that_a_browser_reads() {
    let injection = injection(Request::Invite, &call()).unwrap();
    let body = Message::parse(injection.message.as_bytes()).unwrap().body;
    let offer = ringfence_wire::sdp::Description::parse(&body).unwrap();
    let audio = offer.section(0).unwrap();
    assert_eq!(audio.fingerprints().next().unwrap().unwrap().bytes.len(), 32);
    assert!(audio.is_rtcp_mux() && audio.ice_ufrag().is_some_and(|text| text.len() >= 4));
}
