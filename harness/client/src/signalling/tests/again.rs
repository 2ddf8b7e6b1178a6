//! Logins that are presented twice, names that break lines, and requests that belong to others' dialogs.

use super::*;

const CHALLENGE: &str = "WWW-Authenticate: Digest realm=\"r\", nonce=\"n\", qop=\"auth\", algorithm=SHA-256";

/// What a registration was let in with.
fn spent() -> Vec<SpentLogin> {
    let mut script = Script::new(|_| {});
    script.input(Input::Register { login: LoginBend::Own, times: 1 });
    script.answer("REGISTER", 401, CHALLENGE);
    let sent = script.last("REGISTER").header("Authorization").unwrap().to_owned();
    script.answer("REGISTER", 200, "");
    let told = script.events.iter().find_map(|event| match event {
        Event::LoggedIn(login) => Some(login.clone()),
        _ => None,
    });
    let login = told.expect("it was let in");
    assert!(!format!("{login:?}").contains(&sent), "a captured answer is a secret");
    login
}

fn again(how: Again) -> Script {
    let mut script = Script::new(|plan| plan.seed = 8);
    script.input(Input::Register { login: LoginBend::Again { login: spent(), how }, times: 1 });
    script
}

#[test]
fn a_login_is_presented_again_and_no_challenge_is_answered() {
    let first = verified(again(Again::Replayed).last("REGISTER"), "Authorization");
    let same = verified(again(Again::SameCount).last("REGISTER"), "Authorization");
    let next = verified(again(Again::NextCount).last("REGISTER"), "Authorization");
    assert_eq!((first.nc, same.nc, next.nc), (Some(1), Some(1), Some(2)));
    assert!(first.nonce == same.nonce && same.nonce == next.nonce);
    assert_ne!(first.cnonce, same.cnonce, "a client nonce of its own");

    let mut refused = again(Again::Replayed);
    refused.answer("REGISTER", 401, CHALLENGE);
    assert_eq!(refused.count("REGISTER"), 1);
    assert!(matches!(refused.last_event(), Event::RegisterFinal { status: 401, .. }));
    refused.input(Input::Unregister);
    assert_eq!(refused.count("REGISTER"), 1, "there is nothing to take back");

    // What a server bound all the same is taken back with the right login.
    let mut taken = again(Again::Replayed);
    taken.answer("REGISTER", 200, "");
    taken.input(Input::Unregister);
    assert!(taken.last("REGISTER").header("Authorization").is_none());
    taken.answer("REGISTER", 401, "WWW-Authenticate: Digest realm=\"r\", nonce=\"fresh\", qop=\"auth\"");
    assert_eq!(verified(taken.last("REGISTER"), "Authorization").nonce, "fresh");
}

#[test]
fn one_algorithm_alone_is_answered() {
    use ringfence_wire::digest::Algorithm;
    let both = format!("{CHALLENGE}\nWWW-Authenticate: Digest realm=\"r\", nonce=\"m\", qop=\"auth\", algorithm=MD5");
    for (algorithm, nonce) in [(None, "n"), (Some(Algorithm::Sha256), "n"), (Some(Algorithm::Md5), "m")] {
        let mut script = Script::new(|plan| plan.algorithm = algorithm);
        script.input(Input::Register { login: LoginBend::Own, times: 1 });
        script.answer("REGISTER", 401, &both);
        assert_eq!(verified(script.last("REGISTER"), "Authorization").nonce, nonce);
    }
    let mut script = Script::new(|plan| plan.algorithm = Some(Algorithm::Md5));
    script.input(Input::Register { login: LoginBend::Own, times: 1 });
    script.answer("REGISTER", 401, CHALLENGE);
    assert!(matches!(script.last_event(), Event::RegisterFinal { status: 401, .. }));
}

#[test]
fn a_hostile_name_is_written_as_it_is_and_a_targets_is_not() {
    let mut script = Script::new(|plan| plan.register_as = Some("a\r\nX-Injected: b".into()));
    script.input(Input::Register { login: LoginBend::Own, times: 1 });
    let request = script.last("REGISTER");
    assert_eq!(request.header("To"), Some("<sip:a"));
    assert_eq!(request.headers("X-Injected").count(), 2, "in To and From");
}

#[test]
fn requests_may_claim_anothers_dialog() {
    let ids = DialogIds {
        call_id: "theirs".into(),
        local: "<sip:a@h>;tag=1".into(),
        remote: "<sip:b@h>;tag=2".into(),
        target: "sip:c@h".into(),
        routes: vec!["<sip:p@h;lr>".into()],
        cseq: 1001,
    };
    let mut script = Script::new(|_| {});
    let request = |method: &str| Input::Request {
        method: method.into(),
        headers: vec![("From".into(), "<sip:ceo@h>".into()), ("X-A".into(), "b".into())],
        body: None,
        within: Within::Other(ids.clone()),
    };
    script.input(request("INVITE"));
    let invite = script.last("INVITE").clone();
    assert_eq!((invite.header("Call-ID"), invite.header("To")), (Some("theirs"), Some("<sip:b@h>;tag=2")));
    assert_eq!((invite.header("From"), invite.cseq()), (Some("<sip:ceo@h>;tag=1"), Some((1001, "INVITE"))));
    assert_eq!((invite.header("Route"), invite.header("X-A")), (Some("<sip:p@h;lr>"), Some("b")));
    script.answer("INVITE", 481, "");
    assert_eq!(script.last("ACK").header("Via"), invite.header("Via"));
    assert!(matches!(script.last_event(), Event::Answer { status: 481, .. }));
    script.input(request("BYE"));
    script.answer("BYE", 403, "Server: s");
    let told = script.events.iter().any(|event| matches!(event, Event::FinalAnswer(answer) if answer.status == 403));
    assert!(told && !script.events.iter().any(|event| matches!(event, Event::Ended)), "it was not our call");
}

#[test]
fn a_dialog_is_read_from_the_answer_that_made_it() {
    let field = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let headers = [
        field("Record-Route", "<sip:far@h;lr>, <sip:near@h;lr>"),
        field("To", "<sip:b@h>;tag=2"),
        field("From", "<sip:a@h>;tag=1"),
        field("Call-ID", "c"),
        field("CSeq", "7 INVITE"),
        field("Contact", "<sip:desk@h;transport=ws>"),
    ];
    let ids = DialogIds::of_answer(&headers).unwrap();
    assert_eq!((ids.target.as_str(), ids.cseq), ("sip:desk@h;transport=ws", 1007));
    assert_eq!(ids.routes, ["<sip:near@h;lr>", "<sip:far@h;lr>"]);
    for missing in 1..headers.len() {
        let rest: Vec<_> =
            headers.iter().enumerate().filter(|(at, _)| *at != missing).map(|(_, f)| f.clone()).collect();
        assert!(DialogIds::of_answer(&rest).is_none(), "{:?}", headers[missing]);
    }
}

#[test]
fn what_comes_from_outside_of_the_call_is_refused_and_told() {
    let mut script = Script::new(|_| {});
    script.receive(
        "INVITE sip:a@b SIP/2.0\r\nVia: SIP/2.0/WSS x.invalid;branch=z9hG4bK1\r\nFrom: <sip:ceo@h>;tag=1\r\n\
         To: <sip:alice@sip.test>\r\nCall-ID: x\r\nCSeq: 1 INVITE\r\nP-Asserted-Identity: <sip:pai@h>\r\nContent-Length: 0\r\n\r\n",
    );
    assert_eq!(script.sent.last().and_then(Message::status), Some(603));
    let Event::Asked(asked) = script.last_event() else { panic!("{:?}", script.events) };
    assert_eq!(asked.method, "INVITE");
    assert!(asked.headers.contains(&("P-Asserted-Identity".into(), "<sip:pai@h>".into())));
}
