//! A whole call, signalling and media, against a scripted hostile peer that never has our keys.

use crate::generators::peer::{Act, acts, is_deliberate};
use crate::machines::Call;
use crate::oracles::calling::{KEYLESS, SCOPE};
use crate::oracles::machine::{DRAINING, PROGRESS};
use crate::oracles::signalling::{ANSWERING, BELIEF, ECONOMY, ENDING, LOGIN, SECRECY, SILENCE, TRANSACTIONS, WRITING};
use crate::target::{Seed, Target};
use crate::targets::sip_transaction::dialogue;

/// Both machines of a call, joined.
pub const TARGET: Target = Target {
    name: "call_flow",
    reads: "a script of a call and its datagrams, a line for each act",
    oracles: &[
        &DRAINING,
        &PROGRESS,
        &KEYLESS,
        &SCOPE,
        &WRITING,
        &TRANSACTIONS,
        &ANSWERING,
        &BELIEF,
        &LOGIN,
        &SECRECY,
        &SILENCE,
        &ECONOMY,
        &ENDING,
    ],
    run,
    accepts: is_deliberate,
    show: |script| played(script, true).join("\n") + "\n",
    seeds,
    dictionary: Some("sdp"),
    max_len: 8_192,
    covers: &["harness/client/src/signalling", "harness/client/src/media"],
};

/// One run.
pub fn run(script: &[u8]) {
    played(script, false);
}

/// One run, with what happened in it where that is to be kept. Whatever the script says, we begin by calling.
pub fn played(script: &[u8], kept: bool) -> Vec<String> {
    let acts = acts(script);
    let letters = if let Some(Act::Plan(letters)) = acts.first() { letters } else { &b""[..] };
    let dialogue = dialogue(&acts);
    let dialogue = if kept { dialogue.recording() } else { dialogue };
    let mut call = Call::new(dialogue, letters, kept);
    if !acts.iter().any(|act| matches!(act, Act::Invite)) {
        call.play(&Act::Invite);
    }
    acts.iter().for_each(|act| call.play(act));
    call.fall_silent();
    call.into_record()
}

fn seeds() -> Vec<Seed> {
    let seed = |name: &str, script: &str| Seed::valid(name, script);
    let answered = "I\na0 200 t|Contact: <sip:b@far.test>|+";
    vec![
        seed("answered", &format!("{answered}\n.5\n:a0\n.5\n:s0\n.20\nB\na0 200")),
        seed("checked-by-another", &format!("{answered}\n.1\n:A0\n:S0\n:a1\n:a2\n.20")),
        seed("early-media", "I\na0 183 t|+\n.1\n:a0\n.5\n:r0xxxxxxxx\na0 200 t\n.20"),
        seed("clear-media", &format!("{answered}\n.1\n:a0\n:r0xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\n:c0\n.20")),
        seed("dtls-nonsense", &format!("{answered}\n.1\n:a0\n.1\n:d0\u{2}xxxxxxxxxxxxxxxxxxxxxxxxxx\n.30")),
        seed(
            "candidates-elsewhere",
            &format!(
                "{answered}a=candidate:2 1 udp 2130706430 192.0.2.66 40000 typ host~a=candidate:3 1 udp 1 127.0.0.1 40001 typ host~\n.20\n:s2\n:s1\n.5"
            ),
        ),
        seed("nobody-in-scope", &format!("Pz\n{answered}\n.20\n:s0\n.5")),
        seed(
            "no-fingerprint",
            "I\na0 200 t|+!v=0~o=- 1 1 IN IP4 127.0.0.1~s=-~t=0 0~m=audio 40000 UDP/TLS/RTP/SAVPF 0~c=IN IP4 127.0.0.1~\n.20",
        ),
        seed(
            "plain-profile",
            "I\na0 200 t|+!v=0~o=- 1 1 IN IP4 127.0.0.1~s=-~t=0 0~m=audio 40000 RTP/AVP 0~c=IN IP4 127.0.0.1~\n:r0xxxxxxxx\n.20",
        ),
        seed("setup-active", &format!("{answered}a=setup:active~\n.1\n:a0\n.100\n:d0xxxx")),
        seed(
            "offered-anew",
            &format!(
                "{answered}\n.1\npd INVITE 2 t|+\npd ACK 2 t\n.5\npd UPDATE 3 t|+a=inactive~\n.5\npd INVITE 4 t\npd ACK 4 t|+\n.5"
            ),
        ),
        seed("hung-up-by-far", &format!("{answered}\n.1\n:a0\n.5\npd BYE 2 t\n.5\n:a0")),
        seed("refused", "I\na0 603 t\n.5\n:s0"),
        seed("session-timer", &format!("Ps\n{answered}\n.1\n:a0\n.5")),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeds_reach_what_they_are_named_for() {
        for (name, event) in [
            ("answered", "media: IceConnected"),
            ("checked-by-another", "media: Failed(\"ice: "),
            ("candidates-elsewhere", "Answered { status: 200"),
            ("no-fingerprint", "media: Failed("),
            ("offered-anew", "media: Description(Some("),
            ("hung-up-by-far", "RemoteBye"),
        ] {
            let all = seeds();
            let text = played(&all.iter().find(|seed| seed.name == name).expect(name).bytes, true).join("\n");
            assert!(text.contains(event), "{name} does not come to {event}:\n{text}");
        }
    }
}
