//! What has to hold of every call, and of all together.

use std::time::Duration;

use ringfence_client::media::{Event, SrtpProfile};
use ringfence_lab::media::Ended;

use super::call::Outcome;
use super::conditions::Conditions;
use super::network::Side;

/// From the offer to the first echo, if a call has to come about at all.
const ECHO_WITHIN: Duration = Duration::from_secs(20);
/// Datagrams of one machine within a second: audio is 50, or 100 with its echo's reports and checks.
const MAX_PER_SECOND: usize = 300;

/// One call.
#[track_caller]
pub fn check(conditions: &Conditions, outcome: &Outcome) {
    only_what_was_sent_is_accepted(outcome);
    both_agree(conditions, outcome);
    if conditions.must_connect() {
        it_comes_about(outcome);
    }
    both_end(conditions, outcome);
    assert!(outcome.busiest_second <= MAX_PER_SECOND, "{} datagrams in a second", outcome.busiest_second);
}

/// Each datagram once, as it was sent: no damaged one, and no copy.
fn only_what_was_sent_is_accepted(outcome: &Outcome) {
    let Outcome { seen, stats, .. } = outcome;
    let [from_client, from_lab] = &outcome.counts;
    let count = |number: i64| u64::try_from(number).expect("a count");
    assert!(stats.authenticated <= from_client.rtp, "the lab accepts what did not come, or twice");
    assert!(stats.reports <= from_client.rtcp, "the lab accepts reports that did not come, or twice");
    assert!(stats.echoed <= stats.authenticated, "the lab echoes what it did not accept");
    assert!(stats.unauthenticated <= from_client.damaged_media, "the lab refuses what was sent");
    assert!(count(seen.media.authenticated) <= from_lab.rtp, "the client accepts what did not come, or twice");
    assert!(count(seen.rtcp.authenticated) <= from_lab.rtcp, "the client accepts reports that did not come, or twice");
    assert!(seen.media.echoed <= seen.media.authenticated);
    assert!(count(seen.media.echoed) <= stats.echoed.max(from_lab.rtp), "an echo of nothing");
    assert_eq!((seen.media.plain_received, seen.rtcp.plain_received), (0, 0), "nothing was sent in the clear");
}

/// What one side believes of the other is so. That keys fit shows in the echo: it opened under the lab's and under ours.
fn both_agree(conditions: &Conditions, outcome: &Outcome) {
    let seen = &outcome.seen;
    assert!(!seen.dtls.completed || seen.dtls.certificate.matches, "completed with a stranger");
    assert!(seen.media.authenticated == 0 || seen.dtls.completed, "media without keys");
    assert_eq!(seen.media.authenticated > 0, outcome.told(&Event::MediaAuthenticated).is_some());
    assert_eq!(seen.media.echoed > 0, outcome.told(&Event::Echoed).is_some());
    if let Some(profile) = &seen.srtp.profile {
        assert!(conditions.profiles.iter().any(|offered| offered.name() == profile), "{profile} was not offered");
    }
}

/// ICE, DTLS, media, in this order and in time.
fn it_comes_about(outcome: &Outcome) {
    let steps = [Event::IceConnected, Event::DtlsCompleted, Event::MediaAuthenticated, Event::Echoed];
    let at: Vec<Duration> =
        steps.iter().map(|step| outcome.told(step).unwrap_or_else(|| panic!("no {step:?}"))).collect();
    assert!(at.is_sorted(), "{at:?}");
    assert!(at.iter().all(|at| *at <= ECHO_WITHIN), "{at:?}");
    assert!(outcome.stats.connected && outcome.stats.echoed > 0, "{:?}", outcome.stats);
}

/// Whoever hangs up, and whatever becomes of the goodbye, neither side goes on for ever.
fn both_end(conditions: &Conditions, outcome: &Outcome) {
    let (_, ended) = outcome.lab_ended.as_ref().expect("the lab ends");
    let hung_up = outcome.hung_up.expect("somebody hung up");
    let may_fail = !conditions.must_connect();
    match ended {
        Ended::Stopped => assert!(conditions.lab_hangs_up),
        Ended::PeerClosed => assert!(!conditions.lab_hangs_up, "a goodbye of nobody"),
        // The goodbye was lost: no more consent.
        Ended::IceFailed => assert!(!conditions.lab_hangs_up || may_fail, "the lab lost its path"),
        Ended::DtlsFailed(_) => assert!(may_fail, "{ended:?}"),
        Ended::FingerprintMismatch => assert!(conditions.dtls_may_be_damaged(), "{ended:?}"),
        Ended::ProgramEnded => panic!("there is no program"),
    }
    assert!(outcome.client_idle, "the client goes on after its end");
    let goodbye = outcome.told(&Event::RemoteClosed);
    assert!(goodbye.is_none_or(|at| at >= hung_up && conditions.lab_hangs_up), "a goodbye of nobody");
    let failed = outcome.events.iter().find(|(_, event)| matches!(event, Event::Failed(_)));
    assert!(failed.is_none_or(|(at, _)| *at > hung_up) || may_fail, "{failed:?}");
    let alert =
        outcome.events.iter().find(|(_, event)| matches!(event, Event::PeerAlert(name) if name != "close_notify"));
    assert!(alert.is_none() || conditions.dtls_may_be_damaged(), "{alert:?}");
}

/// What all calls together have met: a network without losses would prove nothing.
#[derive(Debug, Default)]
pub struct Totals {
    calls: u64,
    echoing: u64,
    lost: u64,
    repeated: u64,
    damaged: u64,
    overtaken: u64,
    rtp_again: u64,
    reports: u64,
    replays_refused: u64,
    damage_refused: u64,
    goodbyes_lost: u64,
    profiles: [u64; 3],
    slowest_echo: Duration,
}

impl Totals {
    pub fn add(&mut self, conditions: &Conditions, outcome: &Outcome) {
        self.calls += 1;
        let echo = outcome.told(&Event::Echoed);
        self.echoing += u64::from(echo.is_some());
        self.slowest_echo = self.slowest_echo.max(echo.unwrap_or_default());
        for side in [Side::Client, Side::Lab] {
            let counts = &outcome.counts[side as usize];
            self.lost += counts.lost;
            self.repeated += counts.repeated;
            self.damaged += counts.damaged;
            self.overtaken += counts.overtaken;
            self.rtp_again += counts.rtp_again;
        }
        self.reports += u64::from(outcome.stats.reports > 0 && outcome.seen.rtcp.authenticated > 0);
        self.replays_refused += outcome.stats.replayed;
        self.damage_refused += outcome.stats.unauthenticated;
        let lab_lost_us = !conditions.lab_hangs_up && matches!(outcome.lab_ended, Some((_, Ended::IceFailed)));
        let we_lost_it = conditions.lab_hangs_up && outcome.told(&Event::RemoteClosed).is_none();
        self.goodbyes_lost += u64::from(echo.is_some() && (lab_lost_us || we_lost_it));
        let profiles = [SrtpProfile::AeadAes128Gcm, SrtpProfile::AeadAes256Gcm, SrtpProfile::AesCm128HmacSha1_80];
        for (count, profile) in self.profiles.iter_mut().zip(profiles) {
            *count += u64::from(outcome.seen.srtp.profile.as_deref() == Some(profile.name()));
        }
    }

    /// Everything has happened.
    pub fn check(&self) {
        let happened = [self.lost, self.repeated, self.damaged, self.overtaken, self.rtp_again, self.replays_refused];
        assert!(happened.iter().all(|count| *count > 0), "{self:?}");
        assert!(self.damage_refused > 0 && self.goodbyes_lost > 0, "{self:?}");
        assert!(self.profiles.iter().all(|count| *count > 0), "{self:?}");
        assert!(self.echoing * 10 >= self.calls * 9, "most calls come about: {self:?}");
        assert!(self.reports * 2 >= self.calls, "most calls have reports both ways: {self:?}");
    }
}
