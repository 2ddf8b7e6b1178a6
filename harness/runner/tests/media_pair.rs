//! The client's media against the lab's, over loopback sockets: two implementations that share no ICE and no DTLS code.

#[path = "support/pair.rs"]
mod pair;

use std::time::{Duration, Instant};

use pair::{LIMIT, Pair, negotiate};
use ringfence_client::media::{Codec, Event, FingerprintBend, MediaPlan, Sdes, Setup, SrtpProfile, TransportProfile};
use ringfence_lab::fault::Fault;
use ringfence_lab::media::{Answered, Ended};
use ringfence_model::observation::CallSeen;

impl Pair {
    /// Offers, lets a lab with this fault answer, and turns audio on.
    async fn call(plan: MediaPlan, fault: Option<Fault>) -> Self {
        let (client, answered, offer) = negotiate(plan, fault).await;
        let Answered::Accepted { sdp, call } = answered else { panic!("{answered:?}\n{offer}") };
        client.answer(sdp).await;
        client.audio(true).await;
        Self { client, lab: call, events: Vec::new() }
    }
}

/// What every healthy call shows.
#[track_caller]
fn assert_healthy(seen: &CallSeen, role: &str) {
    assert!(seen.ice.connected && seen.dtls.completed, "{seen:#?}");
    assert_eq!(seen.dtls.role.as_deref(), Some(role), "{seen:#?}");
    assert_eq!(seen.dtls.version.as_deref(), Some("1.2"));
    assert_eq!(seen.dtls.suite.as_deref(), Some("TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"));
    assert!(seen.dtls.certificate.matches && seen.dtls.certificate.digest.is_some());
    assert!(seen.dtls.client_random.is_some() && seen.dtls.server_random.is_some() && seen.srtp.keys.is_some());
    assert!(seen.dtls.alert.is_none() && seen.dtls.alert_sent.is_none(), "{seen:#?}");
    assert!(seen.media.echoed > 0 && seen.media.authenticated >= seen.media.echoed, "{seen:#?}");
    assert_eq!((seen.media.plain_received, seen.rtcp.plain_received), (0, 0), "{seen:#?}");
}

#[tokio::test]
async fn a_call_echoes_in_each_dtls_role() {
    for (setup, role) in [(Setup::Active, "client"), (Setup::Passive, "server")] {
        let began = Instant::now();
        let mut pair = Pair::call(MediaPlan { setup, ..MediaPlan::default() }, None).await;
        let seen = pair.echoed().await;
        println!("{role}: first echo after {:?}", began.elapsed());
        assert_healthy(&seen, role);
        assert_eq!(seen.dtls.client_certificate_requested, role == "client");
        assert!(pair.lab.stats().authenticated > 0);
        pair.client.close().await;
        assert_eq!(pair.lab.ended().await, Ended::PeerClosed, "our close_notify");
    }
}

#[tokio::test]
async fn a_call_echoes_with_each_profile() {
    for profile in [SrtpProfile::AeadAes128Gcm, SrtpProfile::AeadAes256Gcm, SrtpProfile::AesCm128HmacSha1_80] {
        let plan = MediaPlan { srtp_profiles: vec![profile], ..MediaPlan::default() };
        let seen = Pair::call(plan, None).await.echoed().await;
        assert_eq!(seen.srtp.profile.as_deref(), Some(profile.name()));
        assert_eq!(seen.srtp.tag_bytes, i64::try_from(profile.tag_len()).ok());
    }
}

#[tokio::test]
async fn a_call_echoes_with_g711_alone() {
    for codec in [Codec::Pcmu, Codec::Pcma] {
        let mut pair = Pair::call(MediaPlan { codecs: vec![codec], ..MediaPlan::default() }, None).await;
        assert_healthy(&pair.echoed().await, "client");
    }
}

#[tokio::test]
async fn what_comes_before_the_answer_is_kept() {
    let (client, answered, _) = negotiate(MediaPlan::default(), None).await;
    let Answered::Accepted { sdp, call } = answered else { panic!("{answered:?}") };
    let checked = tokio::time::timeout(LIMIT, async {
        while client.seen().datagrams_received == 0 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    });
    checked.await.expect("the lab checks as soon as it has answered");
    client.answer(sdp).await;
    client.audio(true).await;
    let mut pair = Pair { client, lab: call, events: Vec::new() };
    assert_healthy(&pair.echoed().await, "client");
}

#[tokio::test]
async fn nothing_is_sent_outside_the_scope() {
    let (client, answered, _) = negotiate(MediaPlan::default(), None).await;
    let Answered::Accepted { sdp, call } = answered else { panic!("{answered:?}") };
    // The lab's candidate moves to a documentation address: RFC 5737.
    let foreign = sdp.replace(" 127.0.0.1 ", " 192.0.2.1 ").replace("IN IP4 127.0.0.1", "IN IP4 192.0.2.1");
    assert_ne!(foreign, sdp);
    client.answer(foreign).await;
    let reached = tokio::time::timeout(LIMIT, async {
        while client.refused() == 0 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    });
    reached.await.expect("the candidate is refused");
    assert!(!client.seen().ice.connected);
    drop(call);
}

#[tokio::test]
async fn a_wrong_fingerprint_is_refused_in_each_role() {
    for (setup, role) in [(Setup::Active, "client"), (Setup::Passive, "server")] {
        let plan = MediaPlan { setup, fingerprint: FingerprintBend::Wrong, ..MediaPlan::default() };
        let mut pair = Pair::call(plan, None).await;
        let alert = pair.until("alert", |event| matches!(event, Event::PeerAlert(_))).await;
        assert_eq!(alert, Event::PeerAlert("bad_certificate".into()));
        let seen = pair.client.seen();
        assert_eq!(seen.dtls.role.as_deref(), Some(role));
        assert_eq!(seen.dtls.alert.as_deref(), Some("bad_certificate"));
        assert!(seen.dtls.alert_after_ms.is_some_and(|ms| ms < 3000), "{seen:#?}");
        assert_eq!(
            (seen.media.authenticated, seen.media.echoed, seen.dtls.alert_sent.clone()),
            (0, 0, None),
            "{seen:#?}"
        );
        assert_eq!(pair.lab.ended().await, Ended::FingerprintMismatch);
    }
}

#[tokio::test]
async fn an_unchecked_fingerprint_shows_as_media() {
    let plan = MediaPlan { setup: Setup::Active, fingerprint: FingerprintBend::Wrong, ..MediaPlan::default() };
    let seen = Pair::call(plan, Some(Fault::FingerprintUncheckedAsServer)).await.echoed().await;
    assert_healthy(&seen, "client");
}

#[tokio::test]
async fn a_stranger_as_target_is_refused_by_us() {
    for setup in [Setup::Active, Setup::Passive] {
        let (client, answered, _) = negotiate(MediaPlan { setup, ..MediaPlan::default() }, None).await;
        let Answered::Accepted { sdp, call } = answered else { panic!("{answered:?}") };
        let (before, rest) = sdp.split_once("a=fingerprint:sha-256 ").expect("a fingerprint");
        let flipped = if rest.starts_with('0') { '1' } else { '0' };
        let stranger = format!("{before}a=fingerprint:sha-256 {flipped}{}", &rest[1..]);
        client.answer(stranger).await;
        client.audio(true).await;
        let mut pair = Pair { client, lab: call, events: Vec::new() };
        let failed = pair.until("refusal", |event| matches!(event, Event::Failed(_))).await;
        assert_eq!(failed, Event::Failed("dtls: certificate fits no announced fingerprint".into()));
        let seen = pair.client.seen();
        assert!(!seen.dtls.completed && !seen.dtls.certificate.matches && seen.dtls.certificate.digest.is_some());
        assert_eq!(seen.dtls.alert_sent.as_deref(), Some("bad_certificate"));
        assert_eq!((seen.media.sent, seen.media.authenticated), (0, 0));
    }
}

#[tokio::test]
async fn keys_in_the_sdp_are_refused_by_the_healthy_lab_and_work_with_the_broken_one() {
    let only = || MediaPlan {
        profile: TransportProfile::Savp,
        sdes: Sdes::Only,
        fingerprint: FingerprintBend::Missing,
        ..MediaPlan::default()
    };
    let (_, answered, offer) = negotiate(only(), None).await;
    assert!(matches!(answered, Answered::Refused { status: 488, .. }), "{answered:?}\n{offer}");

    let both = MediaPlan { sdes: Sdes::Both, ..MediaPlan::default() };
    let seen = Pair::call(both, None).await.echoed().await;
    assert!(!seen.sdp.has_crypto && seen.dtls.completed);

    let seen = Pair::call(only(), Some(Fault::AnswersSdes)).await.echoed().await;
    assert!(seen.sdp.has_crypto && !seen.dtls.completed && seen.media.authenticated > 0, "{seen:#?}");
    assert_eq!(seen.media.plain_received, 0);
}

#[tokio::test]
async fn unprotected_packets_are_told_from_protected_ones() {
    let mut pair = Pair::call(MediaPlan::default(), Some(Fault::ClearPacketsSent)).await;
    pair.echoed().await;
    let reached = tokio::time::timeout(LIMIT, async {
        loop {
            let seen = pair.client.seen();
            if seen.media.plain_received > 0 && seen.rtcp.plain_received > 0 && seen.rtcp.authenticated > 0 {
                return seen;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    });
    let seen = reached.await.unwrap_or_else(|_| panic!("{:#?}", pair.client.seen()));
    assert!(seen.rtcp.plain_received < seen.rtcp.received && seen.media.plain_received < seen.media.received);
}

#[tokio::test]
async fn a_reused_identity_repeats_certificate_and_client_random() {
    let first = MediaPlan { setup: Setup::Active, ..MediaPlan::default() };
    let second = MediaPlan { setup: Setup::Active, certificate: first.certificate.clone(), ..MediaPlan::default() };
    let fresh = MediaPlan { setup: Setup::Active, ..MediaPlan::default() };
    let mut seen = Vec::new();
    for plan in [first, second, fresh] {
        seen.push(Pair::call(plan, None).await.echoed().await);
    }
    assert_eq!(seen[0].dtls.client_random, seen[1].dtls.client_random);
    assert_ne!(seen[0].dtls.client_random, seen[2].dtls.client_random);
    assert_ne!(seen[0].dtls.server_random, seen[1].dtls.server_random);
    assert_ne!(seen[0].srtp.keys, seen[1].srtp.keys);
}
