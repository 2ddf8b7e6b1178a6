//! Attacks of the client's media on the lab's, over loopback sockets: sound, with each fault, and without an echo.

#[path = "support/pair.rs"]
mod pair;

use pair::{Pair, negotiate, offer, settings};
use ringfence_client::media::{
    Attack, AttackKind, AttackSeen, Corpus, Event, MediaPlan, Oracle, Source, SrtpProfile, malformed_items,
};
use ringfence_lab::fault::Fault;
use ringfence_lab::media::{Answered, answer};

impl Pair {
    /// A call that echoes.
    async fn echoing(plan: MediaPlan, fault: Option<Fault>) -> Self {
        let (client, answered, offer) = negotiate(plan, fault).await;
        let Answered::Accepted { sdp, call } = answered else { panic!("{answered:?}\n{offer}") };
        client.answer(sdp).await;
        client.audio(true).await;
        let mut pair = Self { client, lab: call, events: Vec::new() };
        pair.echoed().await;
        pair
    }

    /// A call whose target only listens, and reports what it hears.
    async fn listening(fault: Option<Fault>) -> Self {
        let (client, offer) = offer(MediaPlan::default()).await;
        let one_way = offer.replace("a=sendrecv", "a=sendonly");
        assert_ne!(one_way, offer);
        let answered = answer(&settings(fault), &one_way).await;
        let Answered::Accepted { sdp, call } = answered else { panic!("{answered:?}\n{offer}") };
        client.answer(sdp).await;
        client.audio(true).await;
        let mut pair = Self { client, lab: call, events: Vec::new() };
        pair.until("handshake", |event| *event == Event::DtlsCompleted).await;
        pair
    }

    async fn attacked(&mut self, attack: Attack) -> AttackSeen {
        self.client.attack(attack).await;
        match self.until("end of the attack", |event| matches!(event, Event::AttackDone(_))).await {
            Event::AttackDone(seen) => seen,
            other => panic!("{other:?}"),
        }
    }

    async fn of(&mut self, kind: AttackKind) -> AttackSeen {
        self.attacked(Attack::new(kind, 10, 100)).await
    }
}

/// The attack went out, and nothing of it arrived.
#[track_caller]
fn assert_refused(what: AttackKind, seen: &AttackSeen, oracle: Oracle) {
    assert_eq!(seen.oracle, Some(oracle), "{what:?} {seen:?}");
    assert!(seen.control_before && seen.control_after && seen.sent > 0, "{what:?} {seen:?}");
    assert!(seen.attack_echoed == 0 && !seen.attack_counted_by_rtcp, "{what:?} {seen:?}");
    assert!(seen.doubled == 0 && seen.elsewhere == 0 && !seen.moved, "{what:?} {seen:?}");
}

#[tokio::test]
async fn a_sound_receiver_takes_nothing_and_goes_on() {
    let mut pair = Pair::echoing(MediaPlan::default(), None).await;
    use AttackKind as K;
    for kind in [K::ForgedTag, K::NoTag, K::WrongKey, K::PlainRtp, K::Replay, K::RocJump, K::Truncated, K::Demux] {
        let seen = pair.of(kind).await;
        assert_refused(kind, &seen, Oracle::Echo);
    }
    assert!(pair.lab.stats().unauthenticated >= 50 && pair.lab.stats().replayed >= 10, "{:?}", pair.lab.stats());
    for corpus in [Corpus::Rtp, Corpus::Rtcp] {
        for item in 0..malformed_items(corpus).len() {
            let seen = pair.attacked(Attack { corpus, item, ..Attack::new(K::Malformed, 4, 100) }).await;
            // What is well formed but for its payload may come back; no marker of ours is in it.
            assert_refused(K::Malformed, &seen, Oracle::Echo);
        }
    }
    // Before the sequence numbers wrap, so that the packets that a replay needs lie close together.
    let seen = pair.of(K::ReplayOld).await;
    assert_refused(K::ReplayOld, &seen, Oracle::Echo);
    let seen = pair.attacked(Attack::new(K::RocWrap, 200, 500)).await;
    assert_refused(K::RocWrap, &seen, Oracle::Echo);
    assert!(seen.good.0 >= 200, "{seen:?}");
    for kind in [K::ForgedTag, K::Replay] {
        let seen = pair.of(kind).await;
        assert_refused(kind, &seen, Oracle::Echo);
    }
}

#[tokio::test]
async fn reports_that_must_be_refused_are_not_named() {
    let mut pair = Pair::echoing(MediaPlan::default(), None).await;
    for kind in [AttackKind::SrtcpForged, AttackKind::SrtcpPlain, AttackKind::SrtcpReplay] {
        let seen = pair.of(kind).await;
        assert_refused(kind, &seen, Oracle::Echo);
        assert!(seen.control_counted_by_rtcp, "{kind:?} {seen:?}");
    }
    let seen = pair.attacked(Attack::new(AttackKind::SrtcpIndexLimit, 4, 10)).await;
    assert_refused(AttackKind::SrtcpIndexLimit, &seen, Oracle::Echo);
    assert!(seen.control_counted_by_rtcp, "the lab named the report with the last index: {seen:?}");
}

#[tokio::test]
async fn right_packets_under_other_sources_and_floods_of_them_come_back() {
    let mut pair = Pair::echoing(MediaPlan::default(), None).await;
    for kind in [AttackKind::WrongSsrc, AttackKind::Flood] {
        let seen = pair.of(kind).await;
        assert!(seen.control_before && seen.control_after && seen.attack_echoed == 10, "{kind:?} {seen:?}");
    }
}

#[tokio::test]
async fn strangers_are_nobody_to_a_sound_receiver() {
    let mut pair = Pair::echoing(MediaPlan::default(), None).await;
    let sources = [Source::OtherPort, Source::OtherAddress([127, 0, 0, 77].into())];
    for source in sources {
        for kind in [AttackKind::BleedSpray, AttackKind::Inject] {
            for corpus in [Corpus::Plain, Corpus::RandomSrtp, Corpus::CapturedSrtp] {
                let seen = pair.attacked(Attack { source, corpus, ..Attack::new(kind, 10, 200) }).await;
                assert_refused(kind, &seen, Oracle::Echo);
            }
        }
    }
    assert_eq!(pair.lab.stats().unauthenticated, 0, "the lab asks first whom it knows");
    let nowhere =
        Attack { source: Source::OtherAddress([192, 0, 2, 1].into()), ..Attack::new(AttackKind::PlainRtp, 1, 1) };
    assert_eq!(pair.attacked(nowhere).await, AttackSeen::default(), "that address is not ours");
}

#[tokio::test]
async fn what_a_careless_receiver_takes_comes_back() {
    let cases = [
        (Fault::SrtpTagIgnored, &[AttackKind::ForgedTag, AttackKind::NoTag, AttackKind::WrongKey][..]),
        (Fault::PlainRtpAccepted, &[AttackKind::PlainRtp]),
        (Fault::SrtpReplayAccepted, &[AttackKind::Replay, AttackKind::ReplayOld]),
    ];
    for (fault, kinds) in cases {
        for profile in [SrtpProfile::AeadAes128Gcm, SrtpProfile::AesCm128HmacSha1_80] {
            let plan = MediaPlan { srtp_profiles: vec![profile], ..MediaPlan::default() };
            let mut pair = Pair::echoing(plan, Some(fault)).await;
            for kind in kinds {
                let seen = pair.of(*kind).await;
                assert!(seen.control_before && seen.control_after, "{profile:?} {kind:?} {seen:?}");
                assert_eq!((seen.sent, seen.attack_echoed, seen.doubled), (10, 10, 0), "{profile:?} {kind:?} {seen:?}");
            }
        }
    }
}

#[tokio::test]
async fn reports_stand_in_where_nothing_comes_back() {
    let mut pair = Pair::listening(None).await;
    for kind in [AttackKind::ForgedTag, AttackKind::PlainRtp, AttackKind::RocJump] {
        let seen = pair.of(kind).await;
        assert_refused(kind, &seen, Oracle::Reports);
    }
}

#[tokio::test]
async fn reports_name_what_a_careless_receiver_took() {
    for (fault, kind) in [(Fault::SrtpTagIgnored, AttackKind::NoTag), (Fault::PlainRtpAccepted, AttackKind::PlainRtp)] {
        let mut pair = Pair::listening(Some(fault)).await;
        let seen = pair.of(kind).await;
        assert!(seen.control_before && seen.control_after && seen.attack_counted_by_rtcp, "{kind:?} {seen:?}");
        assert_eq!((seen.oracle, seen.attack_echoed), (Some(Oracle::Reports), 0));
    }
}

#[tokio::test]
async fn the_loss_that_reports_tell_falls_with_replays() {
    let mut pair = Pair::listening(Some(Fault::SrtpReplayAccepted)).await;
    let seen = pair.attacked(Attack::new(AttackKind::Replay, 30, 100)).await;
    assert!(seen.attack_counted_by_rtcp && seen.oracle == Some(Oracle::Reports), "{seen:?}");
    let mut pair = Pair::listening(None).await;
    let seen = pair.attacked(Attack::new(AttackKind::Replay, 30, 100)).await;
    assert_refused(AttackKind::Replay, &seen, Oracle::Reports);
}
