//! What a call owes to its owner, whatever the far side sends.

use std::net::SocketAddr;

use ringfence_client::media::Event;
use ringfence_model::observation::CallSeen;

use crate::oracle::Oracle;

/// Nobody authenticates without keys.
pub const KEYLESS: Oracle = Oracle::new(
    "no keys, nothing authenticated",
    "evidence says `authenticated` and `completed` of a peer that holds the keys of a DTLS handshake (RFC 5764, 4.2), and of nobody else",
);
/// Nothing goes where nothing may go.
pub const SCOPE: Oracle = Oracle::new(
    "datagrams stay in scope",
    "candidates are the far side's word (RFC 8445, 5.1.1 and 19.5.1): without a limit they turn us against whom it likes",
);

/// What was seen of a call whose peer never had keys.
#[track_caller]
pub fn keyless(seen: &CallSeen) {
    let authenticated = seen.media.authenticated + seen.media.echoed + seen.rtcp.authenticated;
    KEYLESS.holds(authenticated == 0 && !seen.dtls.completed, || {
        let (media, rtcp) = (&seen.media, &seen.rtcp);
        format!(
            "authenticated {}, echoed {}, RTCP {}, DTLS completed {}",
            media.authenticated, media.echoed, rtcp.authenticated, seen.dtls.completed
        )
    });
}

/// The media of such a call told this.
#[track_caller]
pub fn told_keyless(event: &Event) {
    let believes = matches!(event, Event::DtlsCompleted | Event::MediaAuthenticated | Event::Echoed | Event::InClear);
    KEYLESS.holds(!believes, || format!("{event:?} is told"));
}

/// A datagram goes there; the scope is this machine, or nobody.
#[track_caller]
pub fn scoped(remote: SocketAddr, refuses_all: bool) {
    SCOPE.holds(!refuses_all && remote.ip().is_loopback(), || format!("a datagram goes to {remote}"));
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use ringfence_client::media::Output;

    use super::*;
    use crate::machines::broken::{carries, signals};
    use crate::machines::{Call, Dialogue, Record};
    use crate::oracle::caught;

    /// What the target does with media that begin with this, and say at the end that they have seen that.
    fn play(begins: Output, seen: CallSeen, letters: &[u8]) {
        let quiet = Dialogue::new(signals(|_, _| (vec![], None)), Instant::now(), true, Record::default());
        let media = carries((vec![begins], None), seen, |_, _| (vec![], None));
        Call::new(quiet, media, letters, Record::default()).fall_silent();
    }

    fn datagram(remote: [u8; 4]) -> Output {
        let local = SocketAddr::from(([127, 0, 0, 1], 50_000));
        Output::Transmit { local, remote: SocketAddr::from((remote, 9)), bytes: vec![0] }
    }

    #[test]
    fn media_that_authenticate_without_keys_are_caught() {
        play(Output::Event(Event::IceConnected), CallSeen::default(), b"");
        for event in [Event::DtlsCompleted, Event::Echoed, Event::MediaAuthenticated, Event::InClear] {
            caught(&KEYLESS, || play(Output::Event(event), CallSeen::default(), b""));
        }
        let (mut opened, mut completed) = (CallSeen::default(), CallSeen::default());
        (opened.media.authenticated, completed.dtls.completed) = (1, true);
        for seen in [opened, completed] {
            caught(&KEYLESS, || play(Output::Event(Event::IceConnected), seen, b""));
        }
    }

    #[test]
    fn a_word_beyond_the_scope_is_caught() {
        play(datagram([127, 0, 0, 1]), CallSeen::default(), b"");
        caught(&SCOPE, || play(datagram([192, 0, 2, 1]), CallSeen::default(), b""));
        caught(&SCOPE, || play(datagram([127, 0, 0, 1]), CallSeen::default(), b"z"));
    }
}
