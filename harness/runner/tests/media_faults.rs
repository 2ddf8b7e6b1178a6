//! What the client sees of a lab's DTLS and SRTP that are not what they say.

#[path = "media_faults/hellos.rs"]
mod hellos;
#[path = "support/pair.rs"]
mod pair;

use std::time::Duration;

use pair::{LIMIT, Pair, negotiate};
use ringfence_client::media::{Event, MediaPlan, Rekey, RekeyHow, RekeySeen, Setup, SrtpProfile, ThenSend};
use ringfence_lab::fault::Fault;
use ringfence_lab::media::Answered;

const ALL: [SrtpProfile; 3] =
    [SrtpProfile::AeadAes256Gcm, SrtpProfile::AeadAes128Gcm, SrtpProfile::AesCm128HmacSha1_80];

/// A call with audio on.
async fn call(setup: Setup, profiles: &[SrtpProfile], fault: Option<Fault>) -> Pair {
    let plan = MediaPlan { setup, srtp_profiles: profiles.to_vec(), ..MediaPlan::default() };
    let (client, answered, offer) = negotiate(plan, fault).await;
    let Answered::Accepted { sdp, call } = answered else { panic!("{answered:?}\n{offer}") };
    client.answer(sdp).await;
    client.audio(true).await;
    Pair { client, lab: call, events: Vec::new() }
}

#[tokio::test]
async fn a_longer_key_that_is_ignored() {
    for (fault, profile) in [(None, "gcm-256"), (Some(Fault::Aes256Ignored), "gcm-128")] {
        let seen = call(Setup::Active, &ALL, fault).await.echoed().await;
        assert_eq!(seen.srtp.profile.as_deref(), Some(profile), "{fault:?}");
        assert!(seen.dtls.certificate.matches && seen.dtls.client_certificate_requested);
    }
    let alone = &[SrtpProfile::AeadAes256Gcm];
    let seen = call(Setup::Active, alone, Some(Fault::Aes256Ignored)).await.echoed().await;
    assert_eq!(seen.srtp.profile.as_deref(), Some("gcm-256"), "where it is all that is offered");
}

#[tokio::test]
async fn packets_under_another_profile_than_the_agreed_one() {
    for setup in [Setup::Active, Setup::Passive] {
        let fault = Some(Fault::ProfileTagMismatch);
        let pair = call(setup, &[SrtpProfile::AeadAes128Gcm], fault).await;
        let refused = async {
            while pair.client.seen().media.received == 0 || pair.lab.stats().authenticated == 0 {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(LIMIT, refused).await.expect("packets come, and the lab understands ours");
        let seen = pair.client.seen();
        assert_eq!(seen.srtp.profile.as_deref(), Some("gcm-128"));
        assert_eq!(
            (seen.media.authenticated, seen.rtcp.authenticated, seen.media.plain_received),
            (0, 0, 0),
            "{seen:#?}"
        );
        for other in [SrtpProfile::AeadAes256Gcm, SrtpProfile::AesCm128HmacSha1_80] {
            let seen = call(setup, &[other], fault).await.echoed().await;
            assert_eq!(seen.srtp.profile.as_deref(), Some(other.name()));
        }
    }
}

#[tokio::test]
async fn a_certificate_that_everybody_has() {
    for setup in [Setup::Active, Setup::Passive] {
        for (fault, same) in [(None, false), (Some(Fault::DefaultCertificate), true)] {
            let mut fingerprints = Vec::new();
            for _ in 0..2 {
                let seen = call(setup, &ALL, fault).await.echoed().await;
                assert!(seen.dtls.completed && seen.dtls.certificate.matches, "{seen:#?}");
                fingerprints.push(seen.sdp.fingerprints);
            }
            assert_eq!(fingerprints[0] == fingerprints[1], same, "{fault:?}: {fingerprints:?}");
        }
    }
}

async fn renegotiated(setup: Setup, fault: Option<Fault>) -> RekeySeen {
    let mut pair = call(setup, &ALL, fault).await;
    pair.echoed().await;
    let time = Duration::from_secs(5);
    let plan = Rekey { how: RekeyHow::Renegotiate, then_send: ThenSend::NewKeys, keep_roc: false, time };
    pair.client.rekey(plan).await;
    let Event::RekeyDone(seen) = pair.until("end", |event| matches!(event, Event::RekeyDone(_))).await else {
        unreachable!("it was waited for")
    };
    seen
}

#[tokio::test]
async fn a_second_handshake_inside_the_association() {
    let seen = renegotiated(Setup::Active, Some(Fault::RenegotiationAccepted)).await;
    assert!(seen.new_association && !seen.renegotiation_refused && seen.control_after, "{seen:#?}");
    assert_eq!(seen.alert, None);
    let healthy = renegotiated(Setup::Active, None).await;
    assert!(healthy.renegotiation_refused && !healthy.new_association && healthy.control_after, "{healthy:#?}");
}
