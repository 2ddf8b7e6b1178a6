//! Two associations of ours against each other, on simulated time.

use std::time::{Duration, Instant};

use ringfence_model::RunKey;
use ringfence_srtp::Profile;

use super::audio::Random;
use super::dtls::{Dtls, Told};
use super::identity::Identity;
use super::plan::MediaPlan;

fn plan(ours: &Identity, profiles: &[Profile]) -> MediaPlan {
    MediaPlan { srtp_profiles: profiles.to_vec(), ..MediaPlan::honest(ours.clone(), 1) }
}

fn pair(announced_to_server: &Identity, profiles: [&[Profile]; 2]) -> (Dtls, Dtls, [Identity; 2]) {
    let identities = [announced_to_server.clone(), Identity::fresh().unwrap()];
    let provider = || rtc_crypto::default_provider().unwrap();
    let side = |client: bool, ours: &Identity, profiles: &[Profile], theirs: &Identity| {
        Dtls::new(provider(), client, &plan(ours, profiles), vec![theirs.fingerprint()]).unwrap()
    };
    let client = side(true, &identities[0], profiles[0], &identities[1]);
    let server = side(false, &identities[1], profiles[1], announced_to_server);
    (client, server, identities)
}

/// Carries datagrams until neither side has any.
fn run(now: Instant, client: &mut Dtls, server: &mut Dtls) -> [Vec<Told>; 2] {
    let mut told = [Vec::new(), Vec::new()];
    loop {
        let mut moved = false;
        while let Some(datagram) = client.poll_transmit(now) {
            told[1].extend(server.input(now, &datagram));
            moved = true;
        }
        while let Some(datagram) = server.poll_transmit(now) {
            told[0].extend(client.input(now, &datagram));
            moved = true;
        }
        if !moved {
            return told;
        }
    }
}

const GCM: &[Profile] = &[Profile::AeadAes128Gcm];

#[test]
fn both_roles_meet_with_the_identitys_random_and_hear_the_goodbye() {
    let now = Instant::now();
    let (mut client, mut server, identities) = pair(&Identity::fresh().unwrap(), [GCM, GCM]);
    client.start(now).unwrap();
    let [at_client, at_server] = run(now, &mut client, &mut server);
    let keys = |told: &[Told]| match told {
        [Told::Completed(Some((profile, keys)))] => (*profile, keys.expose().clone()),
        other => panic!("{other:?}"),
    };
    assert_eq!(keys(&at_client), keys(&at_server));
    let key = RunKey::from_random([1; 32]);
    let seen = server.seen(&key);
    assert_eq!(seen.client_random, Some(key.digest(&identities[0].client_random())), "on the wire and in the hashes");
    assert_eq!(client.seen(&key).server_random, seen.server_random);
    assert!(seen.certificate.matches && client.seen(&key).client_certificate_requested);
    assert_eq!(seen.suite.as_deref(), Some("TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"));

    client.close(now);
    let [at_client, at_server] = run(now + Duration::from_millis(7), &mut client, &mut server);
    assert!(matches!(&at_server[..], [Told::Alert(name), Told::Closed] if name == "close_notify"), "{at_server:?}");
    assert!(at_client.is_empty(), "{at_client:?}");
    let seen = server.seen(&key);
    assert_eq!((seen.alert.as_deref(), seen.alert_after_ms), (Some("close_notify"), Some(7)));
    assert_eq!((client.seen(&key).alert, client.seen(&key).alert_sent, seen.alert_sent), (None, None, None));
}

#[test]
fn a_stranger_is_refused_and_hears_why() {
    let now = Instant::now();
    let (_, mut server, identities) = pair(&Identity::fresh().unwrap(), [GCM, GCM]);
    let stranger = Identity::fresh().unwrap();
    let provider = rtc_crypto::default_provider().unwrap();
    let mut client = Dtls::new(provider, true, &plan(&stranger, GCM), vec![identities[1].fingerprint()]).unwrap();
    client.start(now).unwrap();
    let [at_client, at_server] = run(now, &mut client, &mut server);
    assert!(matches!(&at_server[..], [Told::Failed(why)] if why.contains("fingerprint")), "{at_server:?}");
    assert!(matches!(&at_client[..], [Told::Alert(name)] if name == "bad_certificate"), "{at_client:?}");
    let key = RunKey::from_random([1; 32]);
    assert_eq!(server.seen(&key).alert_sent.as_deref(), Some("bad_certificate"));
    assert_eq!(client.seen(&key).alert_sent, None, "no echo of the server's");
    assert!(!server.completed() && !server.seen(&key).certificate.matches);
}

#[test]
fn without_a_common_profile_there_are_no_keys() {
    let now = Instant::now();
    let other: &[Profile] = &[Profile::AesCm128HmacSha1_80];
    let (mut client, mut server, _) = pair(&Identity::fresh().unwrap(), [GCM, other]);
    client.start(now).unwrap();
    let [at_client, at_server] = run(now, &mut client, &mut server);
    assert!(!at_client.iter().chain(&at_server).any(|told| matches!(told, Told::Completed(Some(_)))));
}

#[test]
fn silence_ends_in_a_failure() {
    let mut now = Instant::now();
    let (mut client, _, _) = pair(&Identity::fresh().unwrap(), [GCM, GCM]);
    client.start(now).unwrap();
    let mut datagrams = 0;
    for _ in 0..50 {
        datagrams += std::iter::from_fn(|| client.poll_transmit(now)).count();
        let Some(at) = client.poll_timeout() else { panic!("no timer, no failure") };
        now = at;
        if let [Told::Failed(_)] = &client.timeout(now)[..] {
            assert!(datagrams > 3);
            return;
        }
    }
    panic!("still waiting");
}

#[test]
fn a_flood_of_records_ends_the_handshake() {
    let now = Instant::now();
    let (mut client, _, _) = pair(&Identity::fresh().unwrap(), [GCM, GCM]);
    client.start(now).unwrap();
    let mut told = Vec::new();
    for sequence in 0..5000u16 {
        // An encrypted record of the next epoch, which has to be kept for later.
        let [high, low] = sequence.to_be_bytes();
        let record = [&[22, 0xfe, 0xfd, 0, 1, 0, 0, 0, 0, high, low, 0, 40][..], &[7; 40]].concat();
        told.extend(client.input(now, &record));
    }
    assert!(matches!(&told[..], [Told::Failed(why)] if why.contains("too many")), "{told:?}");
}

#[test]
fn a_hello_after_the_handshake_changes_no_evidence() {
    let now = Instant::now();
    let (mut client, mut server, _) = pair(&Identity::fresh().unwrap(), [GCM, GCM]);
    client.start(now).unwrap();
    run(now, &mut client, &mut server);
    let key = RunKey::from_random([1; 32]);
    let before = client.seen(&key);
    assert!(before.completed);
    // ServerHello of DTLS 1.0 with a suite of static RSA, in the clear: RFC 5246, section 7.4.1.3.
    let body = [&[0xfe, 0xff][..], &[5; 32], &[0], &[0, 0x2f], &[0]].concat();
    let length = u8::try_from(body.len()).unwrap();
    let message = [&[2, 0, 0, length, 0, 0, 0, 0, 0, 0, 0, length][..], &body].concat();
    let record = [&[22, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 99, 0, length + 12][..], &message].concat();
    client.input(now, &record);
    let after = client.seen(&key);
    assert_eq!((after.version, after.suite), (before.version, before.suite));
    assert_eq!(after.server_random, before.server_random);
}

/// Damages one datagram of a handshake, wherever it stands: the far side may fail, and never panics.
#[test]
fn damaged_handshakes_fail_without_a_panic() {
    let now = Instant::now();
    let (certificate, mut random) = (Identity::fresh().unwrap(), Random::new(11));
    for round in 0..300 {
        let (mut client, mut server, _) = pair(&certificate, [GCM, GCM]);
        client.start(now).unwrap();
        let mut left = random.next() % 8;
        let mut damage = |datagram: &mut Vec<u8>| {
            if left == 0 {
                let at = (random.next() as usize) % datagram.len().max(1);
                match random.next() % 4 {
                    0 => datagram.truncate(at),
                    1 => datagram.insert(at, random.next() as u8),
                    2 => datagram.iter_mut().skip(at).take(4).for_each(|byte| *byte = random.next() as u8),
                    _ => datagram.iter_mut().skip(at).take(1).for_each(|byte| *byte = [0, 1, 0x7f, 0xff][round % 4]),
                }
            }
            left = left.wrapping_sub(1);
        };
        for _ in 0..20 {
            let (mut there, mut back) = (Vec::new(), Vec::new());
            there.extend(std::iter::from_fn(|| client.poll_transmit(now)));
            there.iter_mut().for_each(&mut damage);
            there.iter().for_each(|datagram| drop(server.input(now, datagram)));
            back.extend(std::iter::from_fn(|| server.poll_transmit(now)));
            back.iter_mut().for_each(&mut damage);
            back.iter().for_each(|datagram| drop(client.input(now, datagram)));
        }
        // What completed on both sides agreed on one thing.
        let key = RunKey::from_random([1; 32]);
        let (ours, theirs) = (client.seen(&key), server.seen(&key));
        assert!(!ours.completed || ours.certificate.matches, "{ours:?}");
        assert!(!theirs.completed || theirs.certificate.matches, "{theirs:?}");
        assert!(!(ours.completed && theirs.completed) || ours.server_random == theirs.server_random);
    }
}
