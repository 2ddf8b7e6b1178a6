//! What the client and the lab say to each other in a call, recorded by
//! `RINGFENCE_RECORD=fuzz/kit/seeds/lab.txt cargo test -p ringfence-runner --test simulated_network calls_hold`.

use crate::hex;
use crate::target::Seed;

/// Everything of that kind, `sdp`, `stun`, `dtls`, `rtp` or `rtcp` (which are SRTP and SRTCP), as valid seeds.
pub fn said(kind: &str) -> Vec<Seed> {
    let lines = include_str!("../../seeds/lab.txt").lines().filter_map(|line| {
        let mut words = line.split(' ');
        let (who, what, bytes) = (words.next()?, words.next()?, words.next()?);
        (what == kind).then(|| (who, hex::bytes(bytes)))
    });
    lines.enumerate().map(|(number, (who, bytes))| Seed::valid(format!("call-{kind}-{number}-{who}"), bytes)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_sides_say_something_of_each_kind() {
        for kind in ["sdp", "stun", "dtls", "rtp", "rtcp"] {
            let names: Vec<String> = said(kind).into_iter().map(|seed| seed.name).collect();
            for who in ["client", "lab"] {
                assert!(names.iter().any(|name| name.ends_with(who)), "{who} says no {kind}: {names:?}");
            }
        }
    }
}
