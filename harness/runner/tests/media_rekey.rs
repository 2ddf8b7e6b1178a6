//! Keys that change in mid-call, and checks by hand, against the lab's media.

#[path = "support/pair.rs"]
mod pair;

use std::time::Duration;

use pair::{LIMIT, Pair, negotiate};
use ringfence_client::media::{CheckBend, Event, MediaPlan, Rekey, RekeyHow, RekeySeen, Setup, ThenSend};
use ringfence_lab::fault::Fault;
use ringfence_lab::media::Answered;

/// A call with audio.
async fn call(setup: Setup, fault: Option<Fault>) -> Pair {
    let (client, answered, offer) = negotiate(MediaPlan { setup, ..MediaPlan::default() }, fault).await;
    let Answered::Accepted { sdp, call } = answered else { panic!("{answered:?}\n{offer}") };
    client.answer(sdp).await;
    client.audio(true).await;
    let mut pair = Pair { client, lab: call, events: Vec::new() };
    pair.echoed().await;
    pair
}

/// Changes keys; the lab answers whatever the client offers, or refuses it.
async fn rekey(pair: &mut Pair, plan: Rekey, refuses: bool) -> RekeySeen {
    pair.client.rekey(plan).await;
    let changing = async {
        loop {
            match pair.client.event().await.expect("the call runs") {
                Event::Reoffer(_) if refuses => pair.client.reanswer(Some(488), None).await,
                Event::Reoffer(sdp) => {
                    let answer = pair.lab.restart(&sdp).expect("the lab restarts");
                    pair.client.reanswer(Some(200), Some(answer)).await;
                }
                Event::RekeyDone(seen) => return seen,
                _ => {}
            }
        }
    };
    tokio::time::timeout(LIMIT, changing).await.expect("within the limit")
}

fn restart(then_send: ThenSend) -> Rekey {
    Rekey { how: RekeyHow::IceRestart, then_send, keep_roc: false, time: Duration::from_secs(20) }
}

#[tokio::test]
async fn a_restart_gives_new_keys_and_the_old_ones_are_dead() {
    for setup in [Setup::Active, Setup::Passive] {
        let mut pair = call(setup, None).await;
        // Twice: the second restart begins where the first ended.
        for _ in 0..2 {
            let seen = rekey(&mut pair, restart(ThenSend::Both), false).await;
            assert!(
                seen.ufrag_changed && seen.pwd_changed && seen.tls_id_changed && seen.fingerprint_changed,
                "{seen:#?}"
            );
            assert!(seen.new_association && seen.keys_differ && seen.new_keys_echoed > 0, "{seen:#?}");
            assert_eq!((seen.old_keys_sent, seen.old_keys_echoed, seen.control_after), (25, 0, true), "{seen:#?}");
        }
    }
}

#[tokio::test]
async fn old_keys_that_live_on_are_seen() {
    let mut pair = call(Setup::Actpass, Some(Fault::RekeyKeepsOldKeys)).await;
    let seen = rekey(&mut pair, restart(ThenSend::Both), false).await;
    assert!(seen.new_keys_echoed > 0 && seen.old_keys_echoed > 0, "{seen:#?}");
}

#[tokio::test]
async fn a_refused_restart_changes_nothing() {
    let mut pair = call(Setup::Actpass, None).await;
    let before = pair.client.seen().srtp.keys;
    let seen = rekey(&mut pair, restart(ThenSend::Both), true).await;
    assert_eq!((seen.status, seen.new_association, seen.control_after), (Some(488), false, true), "{seen:#?}");
    assert_eq!(pair.client.seen().srtp.keys, before);
    let seen = rekey(&mut pair, restart(ThenSend::NewKeys), false).await;
    assert!(seen.new_keys_echoed > 0, "and the next one is taken: {seen:#?}");
}

#[tokio::test]
async fn a_second_handshake_inside_the_association_is_not_begun() {
    for setup in [Setup::Active, Setup::Passive] {
        let mut pair = call(setup, None).await;
        let time = Duration::from_secs(2);
        let plan = Rekey { how: RekeyHow::Renegotiate, then_send: ThenSend::NewKeys, keep_roc: false, time };
        let seen = rekey(&mut pair, plan, false).await;
        assert!(seen.renegotiation_refused && seen.control_after && !seen.new_association, "{seen:#?}");
    }
}

#[tokio::test]
async fn only_a_broken_lab_answers_bent_checks() {
    for fault in [None, Some(Fault::IceIntegrityUnchecked)] {
        let pair = call(Setup::Actpass, fault).await;
        let kit = pair.client.check_kit().expect("a pair");
        for bend in [CheckBend::WrongUfrag, CheckBend::BadIntegrity, CheckBend::NoIntegrity] {
            pair.client.check(kit.check(bend, false).unwrap()).await;
        }
        // Behind them on the same path: once it is answered, so were they, or never.
        pair.client.check(kit.check(CheckBend::None, false).unwrap()).await;
        let waiting = async {
            while pair.client.checks_seen().good_answered == 0 {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(LIMIT, waiting).await.expect("a good check is answered");
        assert_eq!(pair.client.checks_seen().bent_answered, if fault.is_some() { 3 } else { 0 }, "{fault:?}");
    }
}
