//! Logins, names and registrations.

use super::*;

#[test]
fn both_challenges_stand_in_one_answer_and_either_will_do() {
    let (desk, now) = (Desk::new(None), Instant::now());
    for (id, algorithm) in [(1, Algorithm::Sha256), (2, Algorithm::Md5)] {
        let mut phone = Phone::new(&desk, id, &desk.mint(now), now);
        phone.algorithm = algorithm;
        let asked = phone.bare_register();
        let all = challenges(asked.headers("WWW-Authenticate")).unwrap();
        let names: Vec<_> = all.iter().map(|c| c.algorithm.as_deref().unwrap()).collect();
        assert_eq!(names, ["SHA-256", "MD5"]);
        assert!(all.iter().all(|c| c.qop == ["auth"] && !c.stale));
        let login = phone.answer_to(&asked, "REGISTER", "sip:sip.lab.test", 1);
        let ok = phone.register_with(&login, &[("Expires", "60")]);
        assert_eq!(ok.status(), Some(200));
        let contact = ok.header("Contact").unwrap();
        assert_eq!(param(contact, "expires").as_deref(), Some("60"));
        assert_eq!(param(contact, "+sip.instance").as_deref(), Some("<urn:uuid:1>"));
    }
}

#[test]
fn expiry_is_honoured_within_bounds() {
    let (desk, now) = (Desk::new(None), Instant::now());
    let mut phone = Phone::new(&desk, 1, &desk.mint(now), now);
    let asked = phone.bare_register();
    let mut with = |count, expires| {
        let login = phone.answer_to(&asked, "REGISTER", "sip:sip.lab.test", count);
        phone.register_with(&login, &[("Expires", expires)])
    };
    let brief = with(1, "9");
    assert_eq!((brief.status(), brief.header("Min-Expires")), (Some(423), Some("10")));
    let long = with(2, "99999999999");
    assert_eq!(param(long.header("Contact").unwrap(), "expires").as_deref(), Some("600"));
    assert_eq!(with(3, "soon").status(), Some(400));
    let gone = with(4, "0");
    assert_eq!((gone.status(), gone.header("Contact")), (Some(200), None));
}

#[test]
fn nonces_are_used_in_order_on_their_connection_and_in_time() {
    let (desk, now) = (Desk::new(None), Instant::now());
    let pair = desk.mint(now);
    let mut phone = Phone::new(&desk, 1, &pair, now);
    let asked = phone.bare_register();
    let first = phone.answer_to(&asked, "REGISTER", "sip:sip.lab.test", 1);
    assert_eq!(phone.register_with(&first, &[]).status(), Some(200));
    let stale = |answer: &Message| {
        assert_eq!(answer.status(), Some(401));
        challenges(answer.headers("WWW-Authenticate")).unwrap()[0].stale
    };
    assert!(!stale(&phone.register_with(&first, &[])), "the same count again");

    let mut other = Phone::new(&desk, 2, &pair, now);
    let foreign = phone.answer_to(&asked, "REGISTER", "sip:sip.lab.test", 2);
    assert!(stale(&other.register_with(&foreign, &[])), "a nonce of another connection");

    phone.now = now + NONCE_LIFE;
    let late = phone.answer_to(&asked, "REGISTER", "sip:sip.lab.test", 3);
    assert!(stale(&phone.register_with(&late, &[])));
    let elsewhere = phone.answer_to(&asked, "REGISTER", "sip:other.test", 4);
    assert_eq!(phone.register_with(&elsewhere, &[]).status(), Some(400), "a login for another URI");
}

#[test]
fn wrong_logins_look_alike_and_are_limited() {
    let (desk, now) = (Desk::new(None), Instant::now());
    let known = desk.mint(now);
    let shape = |answer: &Message| {
        let names: Vec<String> = answer.headers.iter().map(|(name, _)| name.clone()).collect();
        (answer.start_line.clone(), names)
    };
    let mut seen = Vec::new();
    for (id, username) in [(1, known.username.as_str()), (2, "widget-unminted")] {
        let mut phone = Phone::new(&desk, id, &known, now);
        phone.pair = (username.to_owned(), "wrong".to_owned());
        let mut asked = phone.bare_register();
        for _ in 0..WRONG_LOGINS {
            let login = phone.answer_to(&asked, "REGISTER", "sip:sip.lab.test", 1);
            asked = phone.register_with(&login, &[]);
            assert_eq!(asked.status(), Some(401));
        }
        let login = phone.answer_to(&asked, "REGISTER", "sip:sip.lab.test", 1);
        let limited = phone.register_with(&login, &[]);
        assert_eq!((limited.status(), limited.header("Retry-After")), (Some(403), Some("60")));
        seen.push((shape(&asked), shape(&limited)));
    }
    assert_eq!(seen[0], seen[1], "an unknown user is told from a known one");

    let mut right = Phone::new(&desk, 3, &known, now + 59 * SECOND);
    assert_eq!(right.register().status(), Some(403), "the right password does not help before the window has passed");
    let fresh = desk.mint(now + 60 * SECOND);
    assert_eq!(Phone::new(&desk, 4, &fresh, now + 60 * SECOND).register().status(), Some(200), "others go on");
}

#[test]
fn who_may_register_what() {
    let (desk, now) = (Desk::new(None), Instant::now());
    let pair = desk.mint(now);
    let mut phone = Phone::new(&desk, 1, &pair, now);
    assert_eq!(phone.register().status(), Some(200));
    phone.user = "somebody-else".into();
    assert_eq!(phone.register().status(), Some(403), "the pair is bound to its first address");
    let mut second = Phone::new(&desk, 2, &pair, now);
    assert_eq!(second.register().status(), Some(403), "one connection at a time");
    drop(phone);
    assert_eq!(second.register().status(), Some(200), "the first has closed");

    let mut odd = Phone::new(&desk, 3, &desk.mint(now), now);
    odd.user = "app-1".into();
    assert_eq!(odd.register().status(), Some(403), "no visitor's name");
    let mut late = Phone::new(&desk, 4, &desk.mint(now), now + PAIR_UNUSED);
    assert_eq!(late.register().status(), Some(403), "the pair has died");
}

#[test]
fn register_open_lets_anybody_in_at_the_second_try() {
    for (fault, expected) in [(None, 401), (Some(Fault::RegisterOpen), 200)] {
        let (desk, now) = (Desk::new(fault), Instant::now());
        let mut phone = Phone::new(&desk, 1, &desk.mint(now), now);
        assert_eq!(phone.bare_register().status(), Some(401));
        assert_eq!(phone.bare_register().status(), Some(expected));
        assert!(desk.shared.faults.met().contains(&Fault::RegisterOpen));
        assert_ne!(phone.invite().pop().unwrap().status(), Some(200), "which is no right to call");
    }
}

/// A login that was good on one connection, and what became of it on another.
fn replayed(fault: Option<Fault>) -> [Option<u16>; 3] {
    let (desk, now) = (Desk::new(fault), Instant::now());
    let pair = desk.mint(now);
    let mut first = Phone::new(&desk, 1, &pair, now);
    let asked = first.bare_register();
    let login = first.answer_to(&asked, "REGISTER", "sip:sip.lab.test", 1);
    assert_eq!(first.register_with(&login, &[]).status(), Some(200));
    drop(first);
    let mut second = Phone::new(&desk, 2, &pair, now + 2 * SECOND);
    let replayed = second.register_with(&login, &[]).status();
    let again = second.answer_to(&asked, "REGISTER", "sip:sip.lab.test", 1);
    let same_count = second.register_with(&again, &[]).status();
    second.now = now + NONCE_LIFE;
    [replayed, same_count, second.register_with(&login, &[]).status()]
}

#[test]
fn nonce_count_ignored_takes_a_login_twice_until_its_nonce_ends() {
    assert_eq!(replayed(None), [Some(401); 3]);
    assert_eq!(replayed(Some(Fault::NonceCountIgnored)), [Some(200), Some(200), Some(401)]);
    assert_eq!(replayed(Some(Fault::CredentialsShared)), [Some(401); 3]);
}

#[test]
fn digest_no_qop_asks_and_takes_the_old_form() {
    let (desk, now) = (Desk::new(Some(Fault::DigestNoQop)), Instant::now());
    let pair = desk.mint(now);
    let mut phone = Phone::new(&desk, 1, &pair, now);
    let asked = phone.bare_register();
    let all = challenges(asked.headers("WWW-Authenticate")).unwrap();
    assert!(all.len() == 2 && all.iter().all(|challenge| challenge.qop.is_empty()));
    let login = phone.answer_to(&asked, "REGISTER", "sip:sip.lab.test", 1);
    assert!(!login.contains("qop"), "{login}");
    assert_eq!(phone.register_with(&login, &[]).status(), Some(200));

    // The healthy registrar asked for qop, and takes nothing less.
    let (desk, now) = (Desk::new(None), Instant::now());
    let mut phone = Phone::new(&desk, 1, &desk.mint(now), now);
    let asked = phone.bare_register();
    let mut challenge = challenges(asked.headers("WWW-Authenticate")).unwrap().remove(0);
    challenge.qop.clear();
    let pair = (phone.pair.0.clone(), phone.pair.1.clone());
    let request = ("REGISTER", "sip:sip.lab.test");
    let login = Authorization::answer(&challenge, (&pair.0, &pair.1), request, (1, "cnonce")).unwrap().to_string();
    assert_eq!(phone.register_with(&login, &[]).status(), Some(401));
}

#[test]
fn user_ids_are_validated_unless_broken() {
    for (fault, mail, break_in) in
        [(None, 403, None), (Some(Fault::PiiUserIdAccepted), 200, None), (Some(Fault::CrlfReflected), 403, Some("1"))]
    {
        let (desk, now) = (Desk::new(fault), Instant::now());
        let mut phone = Phone::new(&desk, 1, &desk.mint(now), now);
        phone.user = "somebody%40example.org".into();
        assert_eq!(phone.register().status(), Some(mail), "{fault:?}");
        let mut phone = Phone::new(&desk, 2, &desk.mint(now), now);
        phone.user = "a%0d%0aX-Injected:%201%0d%0aX-Rest:%20b".into();
        let answer = phone.register();
        assert_eq!((answer.status(), answer.header("X-Injected")), (Some(403), break_in), "{fault:?}");
        let mut reserved = Phone::new(&desk, 3, &desk.mint(now), now);
        reserved.user = "admin".into();
        assert_eq!(reserved.register().status(), Some(403), "{fault:?}");
        let mut test_user = Phone::new(&desk, 4, &desk.mint(now), now);
        test_user.user = "test.user%40example.com".into();
        assert_eq!(test_user.register().status(), Some(200), "{fault:?}: the one account that a visitor may log in to");
    }
}
