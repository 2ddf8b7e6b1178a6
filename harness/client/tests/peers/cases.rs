//! The calls that are placed with each peer.

use ringfence_client::media::{Codec, Event, FingerprintBend, MediaPlan, Setup, SrtpProfile};

use super::call::{Call, LIMIT, Peer, assert_profile, assert_sound};

/// Each way to share out the parts of the handshake: what we say, and what we are. `actpass` leaves the choice to the peer.
pub async fn each_role(answer: impl AsyncFn(String) -> Peer, actpass_makes_us: &str) {
    for (setup, role) in [(Setup::Active, "client"), (Setup::Passive, "server"), (Setup::Actpass, actpass_makes_us)] {
        let (mut call, peer) = place(&answer, MediaPlan { setup, ..MediaPlan::default() }).await;
        let seen = call.echoed().await;
        assert_sound(&seen, role);
        call.close().await;
        over(peer).await;
    }
}

/// Each profile alone.
pub async fn each_profile(answer: impl AsyncFn(String) -> Peer, profiles: &[SrtpProfile]) {
    for profile in profiles {
        for setup in [Setup::Active, Setup::Passive] {
            let plan = MediaPlan { setup, srtp_profiles: vec![*profile], ..MediaPlan::default() };
            let (mut call, _peer) = place(&answer, plan).await;
            assert_profile(&call.echoed().await, *profile);
        }
    }
}

/// Each codec alone. Audio is echoed as it came, byte for byte.
pub async fn each_codec(answer: impl AsyncFn(String) -> Peer, codecs: &[Codec]) {
    for codec in codecs {
        let plan = MediaPlan { codecs: vec![*codec], ..MediaPlan::default() };
        let (mut call, _peer) = place(&answer, plan).await;
        call.echoed().await;
    }
}

/// The peer hangs up: we see its `close_notify`.
pub async fn the_peer_hangs_up(answer: impl AsyncFn(String) -> Peer) {
    for setup in [Setup::Active, Setup::Passive] {
        let (mut call, peer) = place(&answer, MediaPlan { setup, ..MediaPlan::default() }).await;
        call.echoed().await;
        peer.hang_up.send(()).expect("the peer is there");
        call.until("goodbye", |event| *event == Event::RemoteClosed).await;
        let seen = call.seen();
        assert_eq!(seen.dtls.alert.as_deref(), Some("close_notify"), "{seen:#?}");
    }
}

/// Our offer announces another certificate than the one that we have: no peer sends us media. Whether the handshake
/// completes all the same, and what alert comes, is the peer's way to say so.
pub async fn a_wrong_fingerprint(answer: impl AsyncFn(String) -> Peer, completed: bool, alert: Option<&str>) {
    for setup in [Setup::Active, Setup::Passive] {
        let plan = MediaPlan { setup, fingerprint: FingerprintBend::Wrong, ..MediaPlan::default() };
        let (mut call, peer) = place(&answer, plan).await;
        tokio::select! {
            () = over(peer) => {}
            _ = call.until("end", |event| matches!(event, Event::PeerAlert(_) | Event::Failed(_))) => {}
        }
        let seen = call.seen();
        assert_eq!((seen.dtls.completed, seen.dtls.alert.as_deref()), (completed, alert), "{seen:#?}");
        assert!(seen.ice.connected && seen.dtls.role.is_some(), "{seen:#?}");
        assert_eq!((seen.media.authenticated, seen.media.echoed), (0, 0), "{seen:#?}");
    }
}

/// The answer announces another certificate than the peer has: we complete nothing.
pub async fn a_stranger(answer: impl AsyncFn(String) -> Peer) {
    for setup in [Setup::Active, Setup::Passive] {
        let (mut call, offer) = Call::offer(MediaPlan { setup, ..MediaPlan::default() }).await;
        let peer = answer(offer).await;
        let other = MediaPlan::default().certificate.fingerprint();
        let strange = peer.sdp.split_inclusive("\r\n").filter(|line| !line.starts_with("a=fingerprint:"));
        let strange: String = strange.collect();
        assert_ne!(strange, peer.sdp);
        call.answered(&format!("{strange}a=fingerprint:{other}\r\n")).await;
        let failed = call.until("refusal", |event| matches!(event, Event::Failed(_))).await;
        assert_eq!(failed, Event::Failed("dtls: certificate fits no announced fingerprint".into()));
        let seen = call.seen();
        assert!(!seen.dtls.completed && !seen.dtls.certificate.matches, "{seen:#?}");
        assert_eq!((seen.media.sent, seen.media.authenticated), (0, 0), "{seen:#?}");
    }
}

async fn place(answer: &impl AsyncFn(String) -> Peer, plan: MediaPlan) -> (Call, Peer) {
    let (call, offer) = Call::offer(plan).await;
    let peer = answer(offer).await;
    call.answered(&peer.sdp).await;
    (call, peer)
}

/// Waits until the peer's call is over.
async fn over(peer: Peer) {
    let ended = tokio::time::timeout(LIMIT, peer.over).await;
    ended.expect("the peer's call is over").expect("the peer did not panic");
}
