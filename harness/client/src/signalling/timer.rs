//! Session timers: RFC 4028. Who refreshes does so at half of the interval; who is refreshed hangs up where that does not
//! come.

use std::time::{Duration, Instant};

use ringfence_wire::sip::{self, Message};

use super::Event;
use super::dialog::contact;
use super::invite::Invite;
use super::machine::Signalling;
use super::message::{Answer, Draft};
use crate::Failure;

/// Shortest and longest interval that is kept, in seconds (house). RFC 4028 asks for 90 at least, which is the far side's
/// to keep.
const INTERVALS: std::ops::RangeInclusive<u64> = 2..=86_400;
/// Longest interval that 422 may wish, in seconds (house).
const MAX_WISH: u32 = 7200;
/// How long a refused refresh waits for its next try. RFC 3261, section 14.1: the caller 2.1 to 4 seconds.
const GLARE: Duration = Duration::from_secs(3);

/// Whose turn it is, and when.
#[derive(Clone, Copy)]
pub(super) struct SessionTimer {
    interval: Duration,
    /// We refresh; else we wait for the far side to do it.
    pub ours: bool,
    pub due: Instant,
}

/// Whose request a `Session-Expires` belongs to: `uac` and `uas` count from there. RFC 4028, section 3.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum AskedBy {
    Us,
    FarSide,
}

impl SessionTimer {
    /// What an agreed `Session-Expires` means. One that names nobody leaves the refresh to who asked.
    pub fn agreed(now: Instant, value: &str, asked_by: AskedBy) -> Option<Self> {
        let seconds = value.split(';').next()?.trim().parse::<u64>().ok()?;
        let interval = Duration::from_secs(seconds).min(Duration::from_secs(*INTERVALS.end()));
        let uac = sip::param(value, "refresher").is_none_or(|who| !who.eq_ignore_ascii_case("uas"));
        let ours = uac == (asked_by == AskedBy::Us);
        INTERVALS.contains(&interval.as_secs()).then(|| Self { interval, ours, due: now }.from(now))
    }

    /// As `Session-Expires` of a request of ours.
    pub fn words(&self) -> String {
        format!("{};refresher={}", self.interval.as_secs(), if self.ours { "uac" } else { "uas" })
    }

    /// The same interval again. RFC 4028, section 10: half of it for who refreshes; for who waits, the end less a third of
    /// it, but 32 seconds at most.
    fn from(self, now: Instant) -> Self {
        let wait = self.interval - (self.interval / 3).min(Duration::from_secs(32));
        Self { due: now + if self.ours { self.interval / 2 } else { wait }, ..self }
    }
}

impl Signalling {
    /// The timer is due.
    pub(super) fn on_session_timer(&mut self, now: Instant) {
        let Some(dialog) = self.invite.as_mut().and_then(Invite::live_dialog) else { return };
        let Some(timer) = dialog.timer else { return };
        if timer.ours {
            dialog.timer = Some(timer.from(now));
            if !self.is_refreshing() {
                self.refresh(now, timer.interval, false);
            }
            return;
        }
        dialog.timer = None;
        let why = format!("the target let the session of {:?} expire without a refresh", timer.interval);
        self.fail(Failure::timeout(why));
        self.bye(now);
    }

    /// An UPDATE without a description (RFC 4028, section 7.4); a re-INVITE with the one that stands where the far side does
    /// not know UPDATE. `wished` says that the far side wants no shorter interval (RFC 4028, section 7.3).
    fn refresh(&mut self, now: Instant, interval: Duration, wished: bool) {
        let contact = self.agent.dialog_contact();
        let Some(invite) = &mut self.invite else { return };
        let sdp = invite.sdp.clone();
        let Some(dialog) = invite.live_dialog() else { return };
        let mut draft = dialog.draft(if dialog.knows_update { "UPDATE" } else { "INVITE" });
        if !dialog.knows_update {
            draft.header("Allow", super::peer::ALLOW);
            draft.body = Some(("application/sdp".into(), sdp.into_bytes()));
        }
        draft.header("Contact", contact);
        draft.header("Supported", "timer");
        draft.header("Session-Expires", format!("{};refresher=uac", interval.as_secs()));
        if wished {
            draft.header("Min-SE", interval.as_secs().to_string());
        }
        self.send_request(now, draft, false);
    }

    /// The answer to a refresh.
    pub(super) fn on_refresh_answer(&mut self, now: Instant, draft: Draft, answer: &Answer) {
        let description = Some(answer.message.body.clone()).filter(|sdp| !sdp.is_empty() && answer.status < 300);
        if draft.method == "INVITE" {
            self.acknowledge_reinvite(&draft, answer);
        }
        if answer.status >= 300 && self.changed(Some(answer.status), None) {
            return;
        }
        let Some(dialog) = self.invite.as_mut().and_then(Invite::live_dialog) else {
            self.changed(Some(answer.status), description); // the call is over, and still that was asked for
            return;
        };
        match answer.status {
            200..300 => {
                // Without a word on it the interval that was asked for goes on.
                if let Some(value) = answer.message.header("Session-Expires") {
                    dialog.timer = SessionTimer::agreed(now, value, AskedBy::Us).or(dialog.timer);
                }
                if let Some(target) = contact(&answer.message) {
                    dialog.target = target;
                }
                if self.changed(Some(answer.status), description.clone()) {
                    return;
                }
                if let Some(sdp) = description {
                    self.event(Event::Described { sdp });
                }
            }
            422 => {
                let wished = min_se(&answer.message).map(|seconds| Duration::from_secs(seconds.into()));
                // Who wishes again and again is not followed.
                let first = draft.headers.iter().all(|(name, _)| name != "Min-SE");
                let longer = wished.zip(dialog.timer).filter(|(wished, timer)| first && *wished > timer.interval);
                dialog.timer = longer.map(|(interval, timer)| SessionTimer { interval, ..timer }.from(now));
                if let Some((interval, _)) = longer {
                    self.refresh(now, interval, true);
                }
            }
            // Both asked at once, or the far side is busy with its own change.
            491 | 500 => {
                dialog.timer = dialog.timer.map(|timer| SessionTimer { due: now + GLARE.min(timer.interval), ..timer });
            }
            405 | 501 if std::mem::take(&mut dialog.knows_update) => {
                if let Some(timer) = dialog.timer {
                    self.refresh(now, timer.interval, false);
                }
            }
            // A far side that does not want it is not asked again; if it then hangs up, that is what it does to browsers.
            _ => dialog.timer = None,
        }
    }

    /// Nobody answers a refresh, or a change. RFC 4028, section 10: a far side that is not there any more is hung up on; what becomes
    /// of an unanswered change is the caller's to say.
    pub(super) fn on_refresh_silence(&mut self, now: Instant, draft: &Draft) {
        if draft.method == "INVITE" && self.changed(None, None) {
            return;
        }
        let is_over = self.invite.as_ref().is_none_or(|invite| invite.is_ending());
        let Some(dialog) = self.invite.as_mut().and_then(Invite::live_dialog).filter(|_| !is_over) else { return };
        dialog.timer = None;
        self.fail(self.silence(&draft.method));
        self.bye(now);
    }
}

/// RFC 4028, section 6: the interval that a 422 wishes, in seconds.
pub(super) fn min_se(message: &Message) -> Option<u32> {
    let wish = message.header("Min-SE")?.split(';').next()?.trim().parse::<u32>().ok()?;
    (wish <= MAX_WISH).then_some(wish)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn turns_count_from_who_asked() {
        let now = Instant::now();
        for (value, asked_by, ours, due) in [
            ("90;refresher=uac", AskedBy::Us, true, 45),
            ("90;refresher=UAS", AskedBy::Us, false, 60),
            ("90", AskedBy::Us, true, 45),
            ("1800;refresher=uac", AskedBy::FarSide, false, 1768),
            ("90 ; refresher=uas", AskedBy::FarSide, true, 45),
        ] {
            let timer = SessionTimer::agreed(now, value, asked_by).unwrap();
            assert_eq!((timer.ours, timer.due - now), (ours, Duration::from_secs(due)), "{value}");
        }
        for absurd in ["", "x", "0", "1", "-90", "99999999999999999999"] {
            assert!(SessionTimer::agreed(now, absurd, AskedBy::Us).is_none(), "{absurd}");
        }
        assert!(SessionTimer::agreed(now, "999999999", AskedBy::Us).is_some_and(|timer| timer.due > now));
    }
}
