//! Calls that say or show something else than an honest one, against the lab: what of it the lab takes, and what is seen.

#[path = "support/pair.rs"]
mod pair;

use pair::{LIMIT, Pair, negotiate};
use ringfence_client::media::{
    AudioBefore, DtlsGroup, DtlsSuite, Event, FingerprintBend, Identity, MediaPlan, Setup, Shown, TransportProfile,
};
use ringfence_lab::fault::Fault;
use ringfence_lab::media::{Answered, Ended};
use ringfence_model::observation::CallSeen;

/// A call with a lab that takes the offer, audio on.
async fn call(plan: MediaPlan, fault: Option<Fault>) -> Pair {
    let (client, answered, offer) = negotiate(plan, fault).await;
    let Answered::Accepted { sdp, call } = answered else { panic!("{answered:?}\n{offer}") };
    client.answer(sdp).await;
    client.audio(true).await;
    Pair { client, lab: call, events: Vec::new() }
}

/// Waits until the figures are as wanted.
async fn until(pair: &Pair, wanted: impl Fn(&CallSeen) -> bool) -> CallSeen {
    let waiting = async {
        while !wanted(&pair.client.seen()) {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(LIMIT, waiting).await.unwrap_or_else(|_| panic!("{:#?}", pair.client.seen()));
    pair.client.seen()
}

#[tokio::test]
async fn audio_before_dtls_is_not_echoed_and_the_call_goes_on() {
    for setup in [Setup::Active, Setup::Passive] {
        let plan = MediaPlan { setup, audio_before: Some(AudioBefore::Dtls), ..MediaPlan::default() };
        let seen = call(plan, None).await.echoed().await;
        assert!(seen.dtls.completed && seen.media.echoed > 0, "{seen:#?}");
        assert_eq!((seen.media.early_echoed, seen.media.plain_received), (0, 0), "{seen:#?}");
    }
}

#[tokio::test]
async fn audio_before_ice_is_not_echoed_and_the_call_goes_on() {
    let plan = MediaPlan { audio_before: Some(AudioBefore::Ice), ..MediaPlan::default() };
    let seen = call(plan, None).await.echoed().await;
    assert!(seen.ice.connected && seen.media.early_echoed == 0, "{seen:#?}");
}

#[tokio::test]
async fn a_plain_offer_is_refused_by_the_healthy_lab_and_echoed_by_the_broken_one() {
    for profile in [TransportProfile::Avp, TransportProfile::Avpf] {
        let plan = || MediaPlan { profile, fingerprint: FingerprintBend::Missing, ..MediaPlan::default() };
        let (_, answered, offer) = negotiate(plan(), None).await;
        assert!(matches!(answered, Answered::Refused { status: 488, .. }), "{answered:?}\n{offer}");

        let mut pair = call(plan(), Some(Fault::AcceptsPlainOffer)).await;
        pair.until("way in clear", |event| *event == Event::InClear).await;
        let seen = until(&pair, |seen| seen.media.plain_received > 0).await;
        assert_eq!(seen.sdp.profile.as_ref().map(|profile| profile.raw()), Some(profile.word()));
        assert!(seen.sdp.fingerprints.is_empty() && !seen.sdp.has_crypto && !seen.dtls.completed);
        assert_eq!((seen.media.authenticated, seen.media.echoed), (0, 0), "{seen:#?}");
    }
}

#[tokio::test]
async fn a_stale_fingerprint_is_seen_by_who_finishes_the_handshake_all_the_same() {
    for setup in [Setup::Active, Setup::Passive] {
        let plan = MediaPlan { setup, meets_strangers: true, ..MediaPlan::default() };
        let seen = call(plan, Some(Fault::AnswerFingerprintStale)).await.echoed().await;
        assert!(seen.dtls.completed && !seen.dtls.certificate.matches, "{seen:#?}");
        assert_eq!((seen.dtls.alert.as_ref(), seen.dtls.alert_sent.as_ref()), (None, None));
    }
    let mut honest = call(MediaPlan::default(), Some(Fault::AnswerFingerprintStale)).await;
    let failed = honest.until("refusal", |event| matches!(event, Event::Failed(_))).await;
    assert_eq!(failed, Event::Failed("dtls: certificate fits no announced fingerprint".into()));
}

#[tokio::test]
async fn as_client_the_lab_compares_the_certificate_unless_it_is_broken() {
    let plan = || MediaPlan { setup: Setup::Passive, fingerprint: FingerprintBend::Wrong, ..MediaPlan::default() };
    let mut pair = call(plan(), None).await;
    assert_eq!(pair.lab.ended().await, Ended::FingerprintMismatch);
    let seen = call(plan(), Some(Fault::FingerprintUncheckedAsClient)).await.echoed().await;
    assert_eq!(seen.dtls.role.as_deref(), Some("server"));
    let mut pair = call(plan(), Some(Fault::FingerprintUncheckedAsServer)).await;
    assert_eq!(pair.lab.ended().await, Ended::FingerprintMismatch, "the other role's fault");
}

#[tokio::test]
async fn the_lab_takes_the_fingerprints_that_prove_something() {
    for fingerprint in [FingerprintBend::Two, FingerprintBend::SessionLevel] {
        let seen = call(MediaPlan { fingerprint, ..MediaPlan::default() }, None).await.echoed().await;
        assert!(seen.dtls.completed, "{fingerprint:?}");
    }
    let mut pair = call(MediaPlan { fingerprint: FingerprintBend::StrongWrong, ..MediaPlan::default() }, None).await;
    assert_eq!(pair.lab.ended().await, Ended::FingerprintMismatch);
    for fingerprint in [FingerprintBend::Sha1, FingerprintBend::Md5, FingerprintBend::Missing] {
        let (_, answered, offer) = negotiate(MediaPlan { fingerprint, ..MediaPlan::default() }, None).await;
        assert!(matches!(answered, Answered::Refused { status: 488, .. }), "{answered:?}\n{offer}");
    }
}

#[tokio::test]
async fn another_certificate_or_none_is_refused() {
    let other = MediaPlan { shown: Shown::Other(Identity::fresh().unwrap()), ..MediaPlan::default() };
    assert_eq!(call(other, None).await.lab.ended().await, Ended::FingerprintMismatch);
    let none = MediaPlan { shown: Shown::None, setup: Setup::Active, ..MediaPlan::default() };
    let mut pair = call(none, None).await;
    let ended = pair.lab.ended().await;
    assert!(matches!(ended, Ended::DtlsFailed(_) | Ended::FingerprintMismatch), "{ended:?}");
    let seen = pair.client.seen();
    assert!(seen.dtls.client_certificate_requested && seen.media.authenticated == 0, "{seen:#?}");
}

#[tokio::test]
async fn groups_and_suites_are_those_that_were_asked_for() {
    for (group, name) in [(DtlsGroup::P256, "secp256r1"), (DtlsGroup::P384, "secp384r1"), (DtlsGroup::X25519, "x25519")]
    {
        for setup in [Setup::Active, Setup::Passive] {
            let plan = MediaPlan { setup, dtls_groups: vec![group], ..MediaPlan::default() };
            let seen = call(plan, None).await.echoed().await;
            assert_eq!(seen.dtls.group.as_deref(), Some(name), "{setup:?}");
            assert!(seen.dtls.extended_master_secret, "{setup:?}");
        }
    }
    let suite = DtlsSuite::EcdsaChaCha20;
    let plan = MediaPlan { setup: Setup::Active, dtls_suites: vec![suite], ..MediaPlan::default() };
    let seen = call(plan, None).await.echoed().await;
    assert_eq!(seen.dtls.suite.as_deref(), Some(suite.name()));
}

#[tokio::test]
async fn the_certificate_is_described() {
    let seen = call(MediaPlan::default(), None).await.echoed().await.dtls.certificate;
    assert_eq!((seen.key_type.as_deref(), seen.key_bits), (Some("ec"), Some(256)));
    assert_eq!(seen.signature_hash.as_deref(), Some("sha256"));
    assert_eq!(seen.names, ["WebRTC".into()]);
}
