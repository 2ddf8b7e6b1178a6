//! Registrations are refreshed in time and in moderation, and taken back once.

use std::time::Duration;

use ringfence_client::signalling::Event;
use ringfence_wire::sip::Message;

use super::{Moment, Watcher, field};
use crate::oracle::Oracle;

/// Refreshes come before the end of what was granted, and not at the registrar's whim.
pub const REGISTERING: Oracle = Oracle::new(
    "registrations in moderation",
    "a binding is refreshed before it expires (RFC 3261, 10.2.4), but no registrar makes a client hammer, and what is taken back stays so",
);
/// The shortest time between two refreshes: eight tenths of the shortest grant that is refreshed.
const SHORTEST: Duration = Duration::from_secs(8);
/// The shortest grant that is refreshed (house): `ringfence_client::signalling`.
const REFRESHED: u64 = 10;
/// Contacts that ask for longer at most (RFC 3261, 21.4.17): a 423 may be followed twice.
const MAX_INTERVALS: usize = 2;

/// Remembers grants and intervals.
#[derive(Debug, Default)]
pub struct Registering {
    at: Duration,
    /// When a registration was told last that is to be kept up, and what was granted; none, once a REGISTER went out.
    granted: Option<(Duration, u64)>,
    /// We want no registration any more: what is granted is told, and not kept up.
    given_up: bool,
    /// It was taken back, and nothing was asked for since.
    taken_back: bool,
    /// Different positive intervals that were asked for since the last wish.
    intervals: Vec<String>,
}

impl Watcher for Registering {
    fn happens(&mut self, moment: &Moment, at: Duration) {
        self.at = at;
        self.is_kept_up(self.granted.is_none_or(|(since, seconds)| at <= since + Duration::from_secs(seconds)));
        match moment {
            Moment::Command("unregister") => (self.granted, self.given_up) = (None, true),
            Moment::Gone => self.granted = None,
            Moment::Command(what) if what.starts_with("register") => {
                *self = Self { at, ..Self::default() };
            }
            _ => {}
        }
    }

    fn writes(&mut self, moment: &Moment, bytes: &[u8], message: Option<&Message>) {
        let Some(register) = message.filter(|message| message.method() == Some("REGISTER")) else { return };
        let text = || String::from_utf8_lossy(bytes).into_owned();
        let expires = field(register, "Expires");
        REGISTERING.holds(!self.taken_back || expires == "0", || format!("it was taken back before:\n{}", text()));
        if expires != "0" && self.intervals.iter().all(|known| known != expires) {
            self.intervals.push(expires.to_owned());
        }
        REGISTERING.holds(self.intervals.len() <= MAX_INTERVALS + 1, || format!("{:?} were asked for", self.intervals));
        if let (Moment::Timer, Some((since, seconds))) = (moment, self.granted.take()) {
            let passed = self.at.saturating_sub(since);
            let in_time = passed >= SHORTEST && passed <= Duration::from_secs(seconds);
            REGISTERING.holds(in_time, || format!("{seconds} s were granted, a refresh comes after {passed:?}"));
        }
    }

    fn tells(&mut self, _moment: &Moment, event: &Event) {
        match event {
            Event::Registered { expires_s, .. } => {
                let seconds = expires_s.map(u64::from).filter(|seconds| *seconds >= REFRESHED && !self.given_up);
                self.granted = seconds.map(|seconds| (self.at, seconds));
            }
            Event::Unregistered => self.taken_back = true,
            _ => {}
        }
    }

    fn ends(&mut self) {
        self.is_kept_up(self.granted.is_none());
    }
}

impl Registering {
    fn is_kept_up(&self, holds: bool) {
        REGISTERING.holds(holds, || format!("nothing refreshes what was granted: {:?}", self.granted));
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples::{request, write};
    use super::*;
    use crate::oracle::caught;

    fn registered(granted: u32) -> Registering {
        let mut watch = Registering::default();
        watch.happens(&Moment::Command("register"), Duration::ZERO);
        watch.tells(&Moment::Timer, &Event::Registered { status: 200, contact_ok: true, expires_s: Some(granted) });
        watch
    }

    fn refresh(watch: &mut Registering, at: u64, expires: &str) {
        watch.happens(&Moment::Timer, Duration::from_secs(at));
        write(watch, &Moment::Timer, &request("REGISTER", "z9hG4bK1", 2, &format!("Expires: {expires}\r\n")));
    }

    #[test]
    fn a_refresh_too_soon_or_too_late_is_caught() {
        refresh(&mut registered(600), 480, "600");
        caught(&REGISTERING, || refresh(&mut registered(600), 7, "600"));
        caught(&REGISTERING, || refresh(&mut registered(600), 601, "600"));
    }

    #[test]
    fn a_registration_that_is_left_to_expire_is_caught() {
        caught(&REGISTERING, || registered(600).happens(&Moment::Timer, Duration::from_secs(601)));
        caught(&REGISTERING, || registered(10).ends());
        registered(9).ends();
        let mut given_up = registered(600);
        given_up.happens(&Moment::Command("unregister"), Duration::ZERO);
        given_up.ends();
    }

    #[test]
    fn an_interval_after_the_other_is_caught() {
        let mut watch = registered(600);
        (1..=3).for_each(|each| refresh(&mut watch, 480, &format!("60{each}")));
        caught(&REGISTERING, move || refresh(&mut watch, 480, "609"));
    }

    #[test]
    fn who_comes_back_unasked_is_caught() {
        let mut watch = registered(600);
        watch.tells(&Moment::Timer, &Event::Unregistered);
        caught(&REGISTERING, move || refresh(&mut watch, 480, "600"));
    }
}
