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
    use super::*;
    use crate::oracle::caught;

    #[test]
    fn media_that_authenticate_without_keys_are_caught() {
        keyless(&CallSeen::default());
        let mut seen = CallSeen::default();
        seen.media.authenticated = 1;
        caught(&KEYLESS, move || keyless(&seen));
        let mut seen = CallSeen::default();
        seen.dtls.completed = true;
        caught(&KEYLESS, move || keyless(&seen));
        told_keyless(&Event::IceConnected);
        caught(&KEYLESS, || told_keyless(&Event::DtlsCompleted));
        caught(&KEYLESS, || told_keyless(&Event::Echoed));
    }

    #[test]
    fn a_word_beyond_the_scope_is_caught() {
        let (here, there) = (SocketAddr::from(([127, 0, 0, 1], 9)), SocketAddr::from(([192, 0, 2, 1], 9)));
        scoped(here, false);
        caught(&SCOPE, || scoped(there, false));
        caught(&SCOPE, || scoped(here, true));
    }
}
