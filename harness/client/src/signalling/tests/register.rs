//! REGISTER and digest.

use super::*;

fn registering(login: LoginBend, times: u32) -> Script {
    let mut script = Script::new(|_| {});
    script.input(Input::Register { login, times });
    script
}

fn statuses(script: &Script) -> Vec<u16> {
    let status = |event: &Event| if let Event::FinalAnswer(answer) = event { Some(answer.status) } else { None };
    script.events.iter().filter_map(status).collect()
}

fn challenge(realm: &str, nonce: &str, rest: &str) -> String {
    format!("WWW-Authenticate: Digest realm=\"{realm}\", nonce=\"{nonce}\"{rest}")
}

#[test]
fn a_browsers_register() {
    let script = registering(LoginBend::Own, 1);
    let request = script.last("REGISTER");
    let via = request.header("Via").unwrap();
    assert!(via.starts_with("SIP/2.0/WSS ") && via.contains(".invalid;branch=z9hG4bK"), "{via}");
    let contact = request.header("Contact").unwrap();
    for part in [".invalid;transport=ws>", ";reg-id=1", ";+sip.instance=\"<urn:uuid:", ";expires=600"] {
        assert!(contact.contains(part), "{contact}");
    }
    assert!(request.header("Authorization").is_none());
    assert_eq!(request.cseq(), Some((1, "REGISTER")));

    let mut plain = Script::new(|plan| plan.transport = Transport::Ws);
    plain.input(Input::Register { login: LoginBend::Own, times: 1 });
    assert!(plain.last("REGISTER").header("Via").unwrap().starts_with("SIP/2.0/WS "));
}

#[test]
fn the_strongest_of_several_challenges_is_answered() {
    let md5 = challenge("r", "n1", ", algorithm=MD5, qop=\"auth\"");
    let sha = challenge("r", "n2", ", algorithm=SHA-256, qop=\"auth,auth-int\", opaque=\"o\"");
    let odd = challenge("r", "n3", ", algorithm=SHA-512-256, qop=\"auth\"");
    let joined = format!("{md5}, Digest {}", sha.split_once("Digest ").unwrap().1);
    for challenges in [format!("{odd}\n{md5}\n{sha}"), format!("{sha}\n{md5}"), joined] {
        let mut script = registering(LoginBend::Own, 1);
        script.answer("REGISTER", 401, &challenges);
        let answer = verified(script.last("REGISTER"), "Authorization");
        assert_eq!((answer.algorithm.as_deref(), answer.nonce.as_str()), (Some("SHA-256"), "n2"));
        assert_eq!((answer.nc, answer.opaque.as_deref(), answer.uri.as_str()), (Some(1), Some("o"), "sip:sip.test"));
        assert_eq!(script.last("REGISTER").cseq(), Some((2, "REGISTER")));
        assert_eq!(script.last("REGISTER").headers("Authorization").count(), 1);
    }
}

#[test]
fn old_forms_and_proxies() {
    let mut script = registering(LoginBend::Own, 1);
    script.answer("REGISTER", 407, "Proxy-Authenticate: Digest realm=\"p\", nonce=\"n\"");
    let answer = verified(script.last("REGISTER"), "Proxy-Authorization");
    assert_eq!((answer.algorithm, answer.qop, answer.nc), (None, None, None));
    // Behind the proxy the registrar asks too: both are answered then, the proxy's nonce counted up.
    script.answer("REGISTER", 401, &challenge("r", "m", ", qop=\"auth\", algorithm=MD5"));
    let request = script.last("REGISTER").clone();
    verified(&request, "Proxy-Authorization");
    assert_eq!(verified(&request, "Authorization").nonce, "m");
    script.answer("REGISTER", 200, "");
    assert_eq!(statuses(&script), [407, 401, 200]);

    let mut both = registering(LoginBend::Own, 1);
    both.answer(
        "REGISTER",
        401,
        &format!("{}\nProxy-Authenticate: Digest realm=\"p\", nonce=\"n\"", challenge("r", "m", "")),
    );
    verified(both.last("REGISTER"), "Authorization");
    verified(both.last("REGISTER"), "Proxy-Authorization");
}

#[test]
fn stale_and_one_time_nonces_are_answered_but_not_for_ever() {
    let mut script = registering(LoginBend::Own, 1);
    for nonce in ["a", "b", "c", "d"] {
        script.answer("REGISTER", 401, &challenge("r", nonce, ", stale=true, qop=\"auth\""));
    }
    assert_eq!(script.count("REGISTER"), 4);
    assert!(matches!(script.last_event(), Event::RegisterFinal { status: 401, .. }));

    // Each hop's nonces serve once, and neither says stale: what went through before was no refusal.
    let mut hops = registering(LoginBend::Own, 1);
    hops.answer("REGISTER", 407, "Proxy-Authenticate: Digest realm=\"p\", nonce=\"p1\"");
    hops.answer("REGISTER", 401, &challenge("r", "r1", ""));
    hops.answer("REGISTER", 407, "Proxy-Authenticate: Digest realm=\"p\", nonce=\"p2\"");
    let request = hops.last("REGISTER").clone();
    assert_eq!(verified(&request, "Proxy-Authorization").nonce, "p2");
    assert_eq!(verified(&request, "Authorization").nonce, "r1");
    hops.answer("REGISTER", 200, "");
    assert_eq!(statuses(&hops), [407, 401, 407, 200]);

    let mut same = registering(LoginBend::Own, 1);
    same.answer("REGISTER", 401, &challenge("r", "a", ""));
    same.answer("REGISTER", 401, &challenge("r", "a", ""));
    assert_eq!(same.count("REGISTER"), 2);
    assert!(matches!(same.last_event(), Event::RegisterFinal { status: 401, .. }));
}

#[test]
fn what_was_refused_is_not_tried_again() {
    // RFC 3261, section 22.1: only a stale nonce is worth the same credentials once more.
    let mut script = registering(LoginBend::Own, 1);
    script.answer("REGISTER", 401, &challenge("r", "a", ""));
    script.answer("REGISTER", 401, &challenge("r", "b", ""));
    assert_eq!(script.count("REGISTER"), 2);
    assert!(matches!(script.last_event(), Event::RegisterFinal { status: 401, .. }));
}

#[test]
fn a_challenge_that_cannot_be_answered_is_final() {
    for unusable in [
        challenge("r", "n", ", algorithm=SHA-512-256"),
        challenge("r", "n", ", qop=\"auth-int\""),
        "WWW-Authenticate: Digest realm=\"r\"".into(),
        "WWW-Authenticate: Basic realm=\"r\"".into(),
        String::new(),
    ] {
        let mut script = registering(LoginBend::Own, 1);
        script.answer("REGISTER", 401, &unusable);
        assert!(matches!(script.last_event(), Event::RegisterFinal { status: 401, .. }), "{unusable}");
        assert_eq!(script.count("REGISTER"), 1);
    }
    // One that cannot be read does not hide one that can.
    let mut script = registering(LoginBend::Own, 1);
    script.answer("REGISTER", 401, &format!("WWW-Authenticate: Digest nonsense\n{}", challenge("r", "n", "")));
    verified(script.last("REGISTER"), "Authorization");
}

#[test]
fn nobodys_wrong_and_other_logins() {
    let mut none = registering(LoginBend::None, 2);
    none.answer("REGISTER", 401, &challenge("r", "a", ""));
    none.answer("REGISTER", 200, "");
    assert_eq!(statuses(&none), [401, 200]);
    assert_eq!(none.count("REGISTER"), 2);
    assert!(none.sent.iter().all(|request| request.header("Authorization").is_none()));

    let mut wrong = registering(LoginBend::Wrong, 1);
    wrong.answer("REGISTER", 401, &challenge("r", "a", ""));
    let value = wrong.last("REGISTER").header("Authorization").unwrap().to_owned();
    let answer = ringfence_wire::digest::Authorization::parse(&value).unwrap().unwrap();
    let ha1 = ringfence_wire::digest::ha1(ringfence_wire::digest::Algorithm::Md5, "user", "r", "pass");
    assert_eq!(answer.username, "user");
    assert!(answer.verify(&ha1, "REGISTER").is_err());
    // One wrong login is one: a new nonce does not make it two.
    wrong.answer("REGISTER", 401, &challenge("r", "b", ""));
    assert_eq!(wrong.count("REGISTER"), 2);
    assert!(matches!(wrong.last_event(), Event::RegisterFinal { status: 401, .. }));

    let mut other = registering(LoginBend::Other { username: "user".into(), password: Secret::from("pass") }, 1);
    other.machine.plan.password = None;
    other.answer("REGISTER", 401, &challenge("r", "a", ""));
    verified(other.last("REGISTER"), "Authorization");
}

#[test]
fn the_answer_to_a_registration_is_read() {
    let mut script = registering(LoginBend::Own, 1);
    let own = script.last("REGISTER").header("Contact").unwrap().replace("expires=600", "expires=120");
    script.answer(
        "REGISTER",
        200,
        &format!("Contact: <sip:x@y>;expires=9, {own}\nContact: <sip:z@z>;expires=7\nExpires: 60"),
    );
    assert!(matches!(script.last_event(), Event::Registered { status: 200, contact_ok: true, expires_s: Some(120) }));
    // Refreshed in time, challenged again.
    assert_eq!(script.wait(), Duration::from_secs(96));
    script.answer("REGISTER", 401, &challenge("r", "later", ""));
    verified(script.last("REGISTER"), "Authorization");

    let mut foreign = registering(LoginBend::Own, 1);
    foreign.answer("REGISTER", 200, "Contact: <sip:x@y>;expires=9\nExpires: 60");
    assert!(matches!(foreign.last_event(), Event::Registered { contact_ok: false, expires_s: Some(60), .. }));
}

#[test]
fn a_longer_interval_is_asked_for_when_wished() {
    let mut script = registering(LoginBend::Own, 1);
    script.answer("REGISTER", 423, "Min-Expires: 3600");
    assert_eq!(script.last("REGISTER").header("Expires"), Some("3600"));
    assert!(script.last("REGISTER").header("Contact").unwrap().ends_with(";expires=3600"));
    script.answer("REGISTER", 423, "Min-Expires: 3601");
    script.answer("REGISTER", 423, "Min-Expires: 3602");
    assert!(matches!(script.last_event(), Event::RegisterFinal { status: 423, .. }));
    let mut absurd = registering(LoginBend::Own, 1);
    absurd.answer("REGISTER", 423, "Min-Expires: 99999999999");
    assert_eq!(absurd.count("REGISTER"), 1);
}

#[test]
fn silence_and_garbage_end_in_time() {
    let mut script = registering(LoginBend::Own, 1);
    script.answer("REGISTER", 100, "");
    assert_eq!(script.wait(), TRANSACTION);
    let Event::Failed(failure) = script.last_event() else { panic!("{:?}", script.events) };
    assert_eq!(failure.outcome.word(), "timeout");
    assert!(script.wake.is_none());

    let mut garbage = registering(LoginBend::Own, 1);
    for text in
        ["nonsense", "SIP/2.0 200 OK\r\n\r\n", "SIP/2.0 200 OK\r\nContent-Length: 9\r\n\r\n", "\r\n", "\r\n\r\n"]
    {
        garbage.receive(text);
    }
    garbage.wait();
    let Event::Failed(failure) = garbage.last_event() else { panic!("{:?}", garbage.events) };
    assert_eq!(failure.outcome.word(), "protocol");

    let mut closed = registering(LoginBend::Own, 1);
    closed.input(Input::Closed);
    let Event::Failed(failure) = closed.last_event() else { panic!("{:?}", closed.events) };
    assert_eq!(failure.outcome.word(), "closed");
    closed.input(Input::Register { login: LoginBend::Own, times: 1 });
    assert!(closed.wake.is_none());
}

#[test]
fn hostile_configuration_cannot_break_a_line() {
    let mut script = Script::new(|plan| plan.aor_user = "a\r\nX-Injected: b".into());
    script.input(Input::Register { login: LoginBend::Own, times: 1 });
    assert!(script.sent.is_empty());
    assert!(matches!(script.last_event(), Event::Failed(_)));
}

#[test]
fn answers_to_others_change_nothing() {
    let mut script = registering(LoginBend::Own, 1);
    let mut other = script.last("REGISTER").clone();
    for (name, value) in &mut other.headers {
        if name == "Via" {
            *value = value.replace("z9hG4bK", "z9hG4bKx");
        }
    }
    script.answer_to(&other, 200, "t", "", "");
    let mut wrong_number = script.last("REGISTER").clone();
    wrong_number
        .headers
        .iter_mut()
        .filter(|(name, _)| name == "CSeq")
        .for_each(|(_, value)| *value = "9 REGISTER".into());
    script.answer_to(&wrong_number, 200, "t", "", "");
    assert!(script.events.is_empty(), "{:?}", script.events);
}
