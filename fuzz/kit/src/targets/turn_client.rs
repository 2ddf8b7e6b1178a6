//! Gathering a relayed candidate, and a call through it, against a scripted hostile TURN server.
//!
//! `rtc-turn` draws its transactions and sends what is due at once in their order: a script that has several requests out may answer
//! another one the next time. What was found with such a script has to be replayed some times.

use crate::generators::relay::{acts, is_deliberate, letters};
use crate::machines::{Record, Relayed};
use crate::oracles::machine::{DRAINING, PROGRESS};
use crate::oracles::relaying::{GATHERING, MODESTY, TRUST};
use crate::oracles::signalling::SECRECY;
use crate::target::{Seed, Target};

/// The media machine with a TURN server.
pub const TARGET: Target = Target {
    name: "turn_client",
    reads: "a script of a TURN server, a line for each act",
    oracles: &[&DRAINING, &PROGRESS, &GATHERING, &TRUST, &MODESTY, &SECRECY],
    run,
    accepts: is_deliberate,
    show: |script| Record::of(|record| played(script, record)),
    seeds,
    dictionary: Some("stun"),
    max_len: 4_096,
    covers: &["harness/client/src/media/relay.rs", "harness/client/src/media/gather.rs"],
};

/// One run.
pub fn run(script: &[u8]) {
    played(script, &Record::default());
}

/// One run, with what happens in it.
fn played(script: &[u8], record: &Record) {
    let acts = acts(script);
    let mut relayed = Relayed::of(letters(&acts), record.clone());
    for act in &acts {
        record.act(act);
        relayed.play(act);
    }
    relayed.fall_silent();
}

fn seeds() -> Vec<Seed> {
    let seed = |name: &str, script: &str| Seed::valid(name, script);
    vec![
        seed("granted", "g0\ng0\n.10\nA\ng0\n.20\nd\nc 16384\nK\ng0"),
        seed("granted-over-tcp", "Pt\no\ng0\ng0\nA\ng0\n.20\n!"),
        seed("granted-over-tls", "Ps\n.10\no\ng0\ng0\n.20"),
        seed("granted-beside-our-own", "Pa\ng0\ng0\n.10\nA\ng0\n.20\nd\nK\ng0"),
        seed("never-connected", "Pt\n!\n.60"),
        seed("silent", ".60"),
        seed("forbidden", "e0 403\n.60"),
        seed("stale-nonce", "g0\ne0 438 lab n2\n.20\ng0"),
        seed("mismatch", "g0\ne0 437\n.60"),
        seed("quota", "g0\ne0 486\n.60"),
        seed("try-elsewhere", "g0\ne0 300 lab n\n.60"),
        seed("unsigned", "g0\ns0u4 600\n.60"),
        seed("added-behind-the-signature", "g0\nx0-e 600\n.60"),
        seed("signed-by-another", "g0\ns0w4 600\n.60"),
        seed("signed-ipv6", "g0\ns0h6 600\n.60\nA\n.10"),
        seed("signed-nowhere", "g0\ns0h0 600\n.60\nA\n.10"),
        seed("signed-without-an-address", "g0\ns0h- 600\n.60"),
        seed("no-time", "g0\ns0h4 0\n.60"),
        seed("one-second", "g0\ns0h4 1\nA\n.60\ng0\n.60"),
        seed("for-ever", "g0\ns0h4 4294967295\nA\n.20000"),
        seed("unsigned-at-once", "s0u4 600\n.60"),
        seed("cut", "t0 19\nt0 30\ng0\nt0 60\n.60"),
        seed("turned", "b0 9\ng0\nb0 600\n.60"),
        seed("from-a-stranger", "f\ng0\ng0\nf\ng0\n.60"),
        seed("permission-refused", "g0\ng0\nA\ne0 403\n.60"),
        seed("permission-stale", "g0\ng0\nA\ne0 438 lab n3\n.60\ng0\n.3000"),
        seed("data-unasked", "d\nc 16384\ng0\nd\ng0\nc 99999\nd\nA\ng0\nd"),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(name: &str) -> String {
        let all = seeds();
        (TARGET.show)(&all.iter().find(|seed| seed.name == name).expect(name).bytes)
    }

    #[test]
    fn seeds_reach_what_they_are_named_for() {
        for (name, event) in [
            ("granted", " typ relay "),
            ("granted-beside-our-own", " typ relay "),
            ("granted-beside-our-own", " bytes to 127.0.0.8:40000"),
            ("granted-over-tcp", " typ relay "),
            ("granted-over-tls", " typ relay "),
            ("never-connected", "Failed(\"gathering: gone"),
            ("silent", "Failed(\"gathering: "),
            ("forbidden", "Failed(\"gathering: "),
            ("unsigned", "Failed(\"gathering: "),
            ("added-behind-the-signature", "Failed(\"gathering: "),
            ("signed-by-another", "Failed(\"gathering: "),
            ("from-a-stranger", " from 127.0.0.66:3478"),
        ] {
            let text = told(name);
            assert!(text.contains(event), "{name} does not come to {event}:\n{text}");
        }
    }
}
