//! What a TURN client owes to who uses it, whatever the server does.

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
    "once a client has sent its credentials it has to check MESSAGE-INTEGRITY of the answer (RFC 8489, 9.2.5): else whoever \
     is on the way gives it a relay of their own",
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

/// An offer came, and the server had granted an allocation under the password, or not.
#[track_caller]
pub fn offered(offer: &str, granted: bool) {
    TRUST.holds(granted || !offer.contains(" typ relay"), || {
        format!("no answer was rightly signed, and the offer is\n{offer}")
    });
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
    use super::*;
    use crate::oracle::caught;

    #[test]
    fn a_call_that_waits_for_ever_is_caught() {
        gathered(Duration::from_secs(4), false);
        gathered(Duration::from_secs(9), true);
        caught(&GATHERING, || gathered(Duration::from_secs(6), false));
    }

    #[test]
    fn a_relay_of_a_stranger_is_caught() {
        let offer = "a=candidate:1 1 udp 16 192.0.2.1 9 typ relay raddr 127.0.0.1 rport 9";
        offered(offer, true);
        offered("a=candidate:1 1 udp 16 192.0.2.1 9 typ host", false);
        caught(&TRUST, || offered(offer, false));
    }

    #[test]
    fn a_flood_or_a_word_elsewhere_is_caught() {
        sent(60, 0, Duration::ZERO, 0);
        caught(&MODESTY, || sent(65, 0, Duration::ZERO, 0));
        caught(&MODESTY, || sent(1, 1, Duration::ZERO, 0));
    }
}
