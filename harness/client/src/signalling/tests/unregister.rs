//! Taking the registered contact back.

use super::*;

const CHALLENGE: &str = "WWW-Authenticate: Digest realm=\"r\", nonce=\"n\", qop=\"auth\"";

fn registering(login: LoginBend, times: u32) -> Script {
    let mut script = Script::new(|_| {});
    script.input(Input::Register { login, times });
    script
}

fn registered() -> Script {
    let mut script = registering(LoginBend::Own, 1);
    script.answer("REGISTER", 401, CHALLENGE);
    script.answer("REGISTER", 200, "Expires: 600");
    assert!(matches!(script.last_event(), Event::Registered { .. }));
    script
}

/// What the last request asks for: its number, and how long it wants to be known.
#[track_caller]
fn asked(script: &Script) -> (u32, String) {
    let request = script.last("REGISTER");
    let expires = request.header("Expires").unwrap().to_owned();
    assert!(request.header("Contact").unwrap().ends_with(&format!(";expires={expires}")));
    (request.cseq().unwrap().0, expires)
}

#[test]
fn a_contact_is_taken_back_by_the_request_that_bound_it() {
    let mut script = registered();
    let bound = script.last("REGISTER").clone();
    script.input(Input::Unregister);
    assert_eq!(asked(&script), (3, "0".into()));
    let request = script.last("REGISTER").clone();
    assert_eq!(request.header("Call-ID"), bound.header("Call-ID"));
    let contact = |message: &Message| sip::uri(message.header("Contact").unwrap()).map(str::to_owned);
    assert_eq!(contact(&request), contact(&bound));

    script.answer("REGISTER", 401, CHALLENGE);
    verified(script.last("REGISTER"), "Authorization");
    assert_eq!(asked(&script), (4, "0".into()));
    // Others' contacts may still be listed, and whatever interval they have is none of ours.
    script.answer("REGISTER", 200, "Contact: <sip:x@y>;expires=500\nExpires: 600");
    assert!(matches!(script.last_event(), Event::Unregistered));
    assert!(script.wake.is_none(), "nothing is refreshed any more");
    let events = script.events.len();
    script.input(Input::Unregister);
    assert_eq!((script.count("REGISTER"), script.events.len()), (4, events + 1));
    assert!(matches!(script.last_event(), Event::Unregistered));
}

#[test]
fn nobody_is_talked_into_staying() {
    let mut longer = registered();
    longer.input(Input::Unregister);
    longer.answer("REGISTER", 423, "Min-Expires: 3600");
    assert_eq!(longer.count("REGISTER"), 3);
    assert!(matches!(longer.last_event(), Event::RegisterFinal { status: 423, .. }));

    let mut challenging = registered();
    challenging.input(Input::Unregister);
    for nonce in 0..100 {
        challenging.answer(
            "REGISTER",
            401,
            &format!("WWW-Authenticate: Digest realm=\"r\", nonce=\"{nonce}\", stale=true"),
        );
    }
    assert!(challenging.count("REGISTER") < 10);
    assert!(matches!(challenging.last_event(), Event::RegisterFinal { status: 401, .. }));

    let mut silent = registered();
    silent.input(Input::Unregister);
    silent.answer("REGISTER", 100, "");
    assert_eq!(silent.wait(), TRANSACTION);
    assert!(matches!(silent.last_event(), Event::Failed(failure) if failure.outcome.word() == "timeout"));
    assert!(silent.wake.is_none());
}

#[test]
fn where_nothing_is_bound_nothing_is_asked() {
    let refused = |login| {
        let mut script = registering(login, 1);
        script.answer("REGISTER", 401, CHALLENGE);
        if script.count("REGISTER") > 1 {
            script.answer("REGISTER", 403, "");
        }
        assert!(matches!(script.last_event(), Event::RegisterFinal { .. }));
        script
    };
    for mut script in
        [Script::new(|_| {}), refused(LoginBend::Wrong), refused(LoginBend::None), refused(LoginBend::Own)]
    {
        let before = script.count("REGISTER");
        script.input(Input::Unregister);
        assert!(matches!(script.last_event(), Event::Unregistered));
        assert_eq!(script.count("REGISTER"), before);
    }
    // A wrong login on its way is not followed by one more.
    let mut wrong = registering(LoginBend::Wrong, 1);
    wrong.input(Input::Unregister);
    assert_eq!(wrong.count("REGISTER"), 1);
    assert!(matches!(wrong.last_event(), Event::Unregistered));
    // Nor are the further ones that were to come.
    let mut several = registering(LoginBend::Wrong, 3);
    several.input(Input::Unregister);
    several.answer("REGISTER", 403, "");
    assert_eq!(several.count("REGISTER"), 1);
    // Let in all the same, it is told and not kept up, and can be taken back.
    let mut let_in = registering(LoginBend::Wrong, 1);
    let_in.input(Input::Unregister);
    let_in.answer("REGISTER", 200, "Expires: 600");
    assert!(matches!(let_in.last_event(), Event::Registered { .. }) && let_in.wake.is_none());
    let_in.input(Input::Unregister);
    assert_eq!(asked(&let_in).1, "0");
    // Unless the registrar took it, which is then undone.
    let mut taken = registering(LoginBend::Wrong, 1);
    taken.answer("REGISTER", 200, "");
    taken.input(Input::Unregister);
    assert_eq!(asked(&taken).1, "0");

    let mut closed = registered();
    closed.input(Input::Closed);
    closed.input(Input::Unregister);
    assert!(matches!(closed.last_event(), Event::Failed(failure) if failure.outcome.word() == "closed"));
    assert!(closed.wake.is_none());
}

#[test]
fn what_is_on_its_way_is_overtaken() {
    let mut first = registering(LoginBend::Own, 3);
    let request = first.last("REGISTER").clone();
    first.input(Input::Unregister);
    assert_eq!(asked(&first), (2, "0".into()));
    first.answer_to(&request, 200, "there", "Expires: 600", "");
    assert!(first.events.is_empty(), "its answer is too late: {:?}", first.events);
    first.answer("REGISTER", 200, "");
    assert!(matches!(first.last_event(), Event::Unregistered));
    assert_eq!(first.count("REGISTER"), 2, "none of the further ones follows");

    let mut refreshing = registered();
    refreshing.wait();
    assert_eq!(asked(&refreshing), (3, "600".into()));
    refreshing.input(Input::Unregister);
    assert_eq!(asked(&refreshing), (4, "0".into()));

    let mut repeated = registering(LoginBend::Own, 2);
    repeated.answer("REGISTER", 200, "Expires: 600");
    repeated.answer("REGISTER", 403, "");
    repeated.input(Input::Unregister);
    assert_eq!(asked(&repeated), (3, "0".into()), "above every number that was used");
}
