//! What a TURN client owes to who uses it, whatever the server does.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use crate::oracle::Oracle;

/// Gathering ends in time.
pub const GATHERING: Oracle = Oracle::new(
    "gathering ends",
    "an offer goes out with the candidates that are there (RFC 8445, 5.1): a server that plays dead or mad must not hold a call up",
);
/// No relayed candidate on the word of somebody who does not know the password.
pub const TRUST: Oracle = Oracle::new(
    "a relay is believed if it is signed",
    "once a client has sent its credentials it has to check MESSAGE-INTEGRITY of the answer (RFC 8489, 9.2.5), and to ignore \
     what stands behind it (14.5): else whoever is on the way gives it a relay of their own",
);
/// Nothing goes elsewhere than to the server, and not much.
pub const MODESTY: Oracle = Oracle::new(
    "a relayed call talks to its server",
    "relay-only is there to hide our address (RFC 8828, 5), and requests that multiply are an attack on somebody",
);

/// How long gathering may take: four seconds, and one for the last timer.
const MOST: Duration = Duration::from_secs(5);

/// So long after the beginning an offer or a failure was told, or not.
#[track_caller]
pub fn gathered(after: Duration, told: bool) {
    GATHERING.holds(told || after <= MOST, || format!("no offer and no failure after {after:?}"));
}

/// An offer came, and these addresses had been granted under the password.
#[track_caller]
pub fn offered(offer: &str, granted: &[SocketAddr]) {
    for line in offer.lines().filter(|line| line.contains(" typ relay")) {
        TRUST.holds(address(line).is_some_and(|address| granted.contains(&address)), || {
            format!("rightly signed were {granted:?}, and the offer says {line}")
        });
    }
}

/// RFC 8839, section 5.1: foundation, component, transport, priority, address and port.
fn address(candidate: &str) -> Option<SocketAddr> {
    let mut words = candidate.split(' ').skip(4);
    let ip: IpAddr = words.next()?.parse().ok()?;
    Some(SocketAddr::new(ip, words.next()?.parse().ok()?))
}

/// So many datagrams went out to the server, and so many elsewhere, in so long a time, for so many that came in and so many
/// wishes of ours.
#[track_caller]
pub fn sent(datagrams: usize, elsewhere: usize, time: Duration, came: usize) {
    MODESTY.holds(elsewhere == 0, || format!("{elsewhere} datagrams went to somebody else"));
    // A request is sent eight times at most; checks of a pair go on, one every 15 ms.
    let most = 64 + 8 * came + 80 * usize::try_from(time.as_secs()).unwrap_or(usize::MAX);
    MODESTY.holds(datagrams <= most, || format!("{datagrams} datagrams in {time:?}, for {came} that came"));
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use ringfence_client::media::{Event, Output};
    use ringfence_model::observation::CallSeen;

    use super::*;
    use crate::machines::broken::carries;
    use crate::machines::{MARKER, Record, Relayed};
    use crate::oracle::caught;
    use crate::oracles::signalling::SECRECY;

    const RELAYED: &str = "a=candidate:1 1 udp 16 192.0.2.1 9 typ relay raddr 127.0.0.1 rport 9";

    /// What the target does with a machine that begins with this, and then does nothing.
    fn play(begins: Vec<Output>) {
        let machine = carries((begins, None), CallSeen::default(), |_, _| (vec![], None));
        Relayed::new(machine, Instant::now(), false, Record::default()).fall_silent();
    }

    fn offer(line: &str) -> Output {
        Output::Event(Event::Offer(line.into()))
    }

    fn datagram(remote: [u8; 4]) -> Output {
        let local = SocketAddr::from(([127, 0, 0, 1], 50_000));
        Output::Transmit { local, remote: SocketAddr::from((remote, 3478)), bytes: vec![0] }
    }

    #[test]
    fn a_call_that_waits_for_ever_is_caught() {
        play(vec![offer("")]);
        caught(&GATHERING, || play(vec![]));
    }

    #[test]
    fn a_relay_that_nobody_granted_is_caught() {
        play(vec![offer("a=candidate:1 1 udp 16 192.0.2.1 9 typ host")]);
        caught(&TRUST, || play(vec![offer(RELAYED)]));
        offered(RELAYED, &[SocketAddr::from(([192, 0, 2, 1], 9))]);
        caught(&TRUST, || offered(RELAYED, &[SocketAddr::from(([192, 0, 2, 1], 10))]));
    }

    #[test]
    fn a_password_in_a_datagram_is_caught() {
        let Output::Transmit { local, remote, .. } = datagram([127, 0, 0, 9]) else { unreachable!("it is one") };
        let bytes = [b"xx", MARKER.as_bytes()].concat();
        caught(&SECRECY, || play(vec![Output::Transmit { local, remote, bytes }]));
    }

    #[test]
    fn a_flood_or_a_word_elsewhere_is_caught() {
        play((0..60).map(|_| datagram([127, 0, 0, 9])).chain([offer("")]).collect());
        caught(&MODESTY, || play((0..65).map(|_| datagram([127, 0, 0, 9])).collect()));
        caught(&MODESTY, || play(vec![datagram([127, 0, 0, 8])]));
    }
}
