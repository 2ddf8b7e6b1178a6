//! What the client does beside its own handshake with the lab's media, or to it: a stranger's hellos, no `use_srtp`, and packets
//! under a profile that was not agreed on.

#[path = "support/pair.rs"]
mod pair;
#[path = "support/relayed.rs"]
mod relayed;

use pair::{Pair, negotiate};
use relayed::{LIMIT, Rig};
use ringfence_client::adapters::{Ask, fetch};
use ringfence_client::drive::call::{CallPlan, place};
use ringfence_client::media::{CandidatePolicy, Event, MediaPlan, Setup, SrtpProfile};
use ringfence_lab::fault::Fault;
use ringfence_lab::media::Answered;
use ringfence_model::RunKey;

/// As DTLS client.
fn active() -> MediaPlan {
    MediaPlan { setup: Setup::Active, ..MediaPlan::default() }
}

async fn call(plan: MediaPlan, fault: Option<Fault>) -> Pair {
    let (client, answered, _) = negotiate(plan, fault).await;
    let Answered::Accepted { sdp, call } = answered else { panic!("{answered:?}") };
    client.answer(sdp).await;
    client.audio(true).await;
    Pair { client, lab: call, events: vec![] }
}

#[tokio::test]
async fn a_strangers_hellos_get_nothing_of_a_sound_port() {
    let mut pair = call(MediaPlan { stranger_hellos: 5, ..active() }, None).await;
    let seen = pair.echoed().await;
    let drew = pair.client.strangers_seen();
    assert_eq!((drew.hellos, drew.bytes_in, drew.server_hellos, drew.relayed), (5, 0, 0, false));
    assert!(drew.bytes_out > 500 && drew.bytes_out < 800, "{drew:?}");
    assert!(seen.dtls.completed && seen.dtls.certificate.matches, "{seen:#?}");
}

#[tokio::test]
async fn a_flight_for_a_stranger_ends_the_hellos_and_not_the_call() {
    let mut pair = call(MediaPlan { stranger_hellos: 5, ..active() }, Some(Fault::DtlsAnswersStrangers)).await;
    let seen = pair.echoed().await;
    let drew = pair.client.strangers_seen();
    assert_eq!((drew.hellos, drew.server_hellos, drew.cookies), (1, 1, 0), "{drew:?}");
    assert!(drew.bytes_in > 3 * drew.bytes_out, "{drew:?}");
    assert!(seen.dtls.completed && seen.media.authenticated > 0, "{seen:#?}");
}

#[tokio::test]
async fn a_relay_keeps_strangers_out() {
    let rig = Rig::start().await;
    let fetched = fetch(&rig.net, &rig.target, &Ask::default()).await.unwrap_or_else(|error| panic!("{error}"));
    let config = fetched.config.expect("the lab's configuration is whole");
    let media = MediaPlan { candidates: CandidatePolicy::Relay, stranger_hellos: 5, ..active() };
    let plan = CallPlan::honest(config, media, 1);
    let mut live = place(&rig.net, plan, &RunKey::from_random([7; 32]), |_| {}).await;
    assert!(live.run_until_echoes(1, LIMIT).await, "{:#?}", live.seen());
    let ended = live.hang_up().await;
    assert!(ended.strangers.relayed, "{ended:#?}");
    assert_eq!((ended.strangers.hellos, ended.strangers.bytes_out), (0, 0));
    rig.lab.stop().await;
}

#[tokio::test]
async fn without_use_srtp_the_handshake_ends_and_nothing_flows() {
    let mut pair = call(MediaPlan { without_use_srtp: true, ..active() }, None).await;
    pair.until("handshake", |event| *event == Event::DtlsCompleted).await;
    assert_eq!(pair.lab.ended().await, ringfence_lab::media::Ended::DtlsFailed("no SRTP profile in common".into()));
    let seen = pair.client.seen();
    assert_eq!((seen.dtls.use_srtp, seen.media.received), (None, 0));
}

#[tokio::test]
async fn what_protects_the_packets_is_measured() {
    let gcm = || MediaPlan { srtp_profiles: vec![SrtpProfile::AeadAes128Gcm], ..active() };
    let mut sound = call(gcm(), None).await;
    let seen = sound.echoed().await.srtp;
    assert_eq!(
        (seen.profile.as_deref(), seen.used_profile.as_deref(), seen.tag_bytes),
        (Some("gcm-128"), Some("gcm-128"), Some(16))
    );

    let mut other = call(gcm(), Some(Fault::ProfileTagMismatch)).await;
    other.until("handshake", |event| *event == Event::DtlsCompleted).await;
    let waiting = async {
        while other.client.seen().srtp.used_profile.is_none() {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(LIMIT, waiting).await.expect("packets come");
    let seen = other.client.seen();
    let srtp = seen.srtp;
    assert_eq!(
        (srtp.profile.as_deref(), srtp.used_profile.as_deref(), srtp.tag_bytes),
        (Some("gcm-128"), Some("cm-sha1-80"), Some(10))
    );
    assert_eq!(seen.media.authenticated, 0, "nothing opens under what was agreed on");
}
