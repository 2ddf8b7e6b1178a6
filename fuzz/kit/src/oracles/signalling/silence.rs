//! Who has closed says no more.

use std::time::Duration;

use ringfence_wire::sip::Message;

use super::{Moment, Watcher};
use crate::oracle::Oracle;

/// Nothing is written on a connection that is gone.
pub const SILENCE: Oracle =
    Oracle::new("silence after the end", "what is written on a closed connection is lost, or goes out on another");

/// Remembers the end.
#[derive(Debug, Default)]
pub struct Silence {
    gone: bool,
}

impl Watcher for Silence {
    fn happens(&mut self, moment: &Moment, _at: Duration) {
        self.gone |= matches!(moment, Moment::Gone);
    }

    fn writes(&mut self, moment: &Moment, bytes: &[u8], _message: Option<&Message>) {
        SILENCE.holds(!self.gone, || {
            format!("it wrote on a closed connection, because of {moment:?}:\n{}", String::from_utf8_lossy(bytes))
        });
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples::{request, write};
    use super::*;
    use crate::oracle::caught;

    #[test]
    fn a_word_after_the_end_is_caught() {
        let bye = request("BYE", "z9hG4bK1", 2, "");
        let mut silence = Silence::default();
        write(&mut silence, &Moment::Timer, &bye);
        silence.happens(&Moment::Gone, Duration::ZERO);
        caught(&SILENCE, move || write(&mut silence, &Moment::Timer, &bye));
    }
}
