//! Requests and answers of one connection, against a scripted hostile peer.

use std::time::Instant;

use ringfence_client::signalling::Signalling;

use crate::generators::peer::{Act, acts, is_deliberate, letters};
use crate::machines::{Dialogue, Record, plan};
use crate::oracles::signalling::ASKED;
use crate::target::{Seed, Target};

/// The signalling machine with its transactions and dialogs.
pub const TARGET: Target = Target {
    name: "sip_transaction",
    reads: "a script of both sides, a line for each act",
    oracles: ASKED,
    run,
    accepts: is_deliberate,
    show: |script| Record::of(|record| played(script, record)),
    seeds,
    dictionary: Some("sip"),
    max_len: 4_096,
    covers: &["harness/client/src/signalling"],
};

/// One run.
pub fn run(script: &[u8]) {
    played(script, &Record::default());
}

/// One run, with what happens in it.
fn played(script: &[u8], record: &Record) {
    let acts = acts(script);
    let mut dialogue = dialogue(&acts, record);
    for act in &acts {
        record.act(act);
        dialogue.play(act);
    }
    dialogue.fall_silent();
}

/// A machine with the plan that the first act tells.
pub(super) fn dialogue(acts: &[Act<'_>], record: &Record) -> Dialogue<Signalling> {
    let (now, plan) = (Instant::now(), plan(letters(acts)));
    let has_user = plan.username.is_some();
    Dialogue::new(Signalling::new(now, plan), now, has_user, record.clone())
}

const ASKS: &str = "WWW-Authenticate: Digest realm=\"sip.test\", nonce=\"n1\", qop=\"auth\", algorithm=";

fn seeds() -> Vec<Seed> {
    let asks = |status: u16| format!("a0 {status} t|{ASKS}MD5|{ASKS}SHA-256");
    let seed = |name: &str, script: &str| Seed::valid(name, script);
    vec![
        seed("options-answered", "QOPTIONS\na0 200 t"),
        seed("options-challenged", &format!("QOPTIONS\n{}\na0 200 t", asks(401))),
        seed("options-unanswered", "QOPTIONS\n.330"),
        seed("call-answered-and-over", "I\na0 100\na0 180 t\na0 200 t|Contact: <sip:b@far.test>|+\n.50\nB\na0 200 t"),
        seed(
            "call-challenged",
            &format!("I\n{}\na0 180 t\na0 200 t|Contact: <sip:b@far.test>|+\nB\na0 200", asks(407)),
        ),
        seed("call-refused", "I\na0 486 t\nr\nr"),
        seed("call-cancelled", "I\nX\na0 180 t\na0 200\na1 487 t"),
        seed("call-cancelled-too-late", "I\na0 180 t\nX\na1 200 t|+\na0 200 t"),
        seed("call-rings-for-ever", "Pt\nI\na0 180 t\n.60\na1 487 t"),
        seed("call-forks", "I\na0 180 t\na0 183 u|+\na0 200 t|+\na0 200 u|+\na0 200 v\nB\na0 200"),
        seed(
            "call-reliable",
            "I\na0 183 t|Require: 100rel|RSeq: 1|+\na0 200\na1 183 t|Require: 100rel|RSeq: 2\na2 200 t|+\npd PRACK 1 t",
        ),
        seed(
            "call-session-timer",
            "Ps\nI\na0 422 t|Min-SE: 120\na0 200 t|Session-Expires: 120;refresher=uac|Supported: timer|+\n.600\na0 405\na0 200|+\n.600",
        ),
        seed("call-far-hangs-up", "I\na0 200 t|+\npd BYE 1 t|Reason: Q.850;cause=16\nr"),
        seed(
            "call-changed-by-far",
            "I\na0 200 t|+\npd INVITE 1 t|Contact: <sip:c@far.test>|+\nA\npd ACK 1 t\npd UPDATE 2 t\nD",
        ),
        seed("call-changed-by-us", "I\na0 200 t|+\nC\na0 491\nC\na0 200|+\npd INVITE 9 t\nA\npd ACK 9 t|+"),
        seed(
            "call-routes",
            "I\na0 200 t|Record-Route: <sip:p;lr>, <sip:q;lr>|Contact: <sip:b@far.test>|+\nqINFO\na0 200\nB",
        ),
        seed("call-strict-route", "I\na0 200 t|Record-Route: <sip:p>|Contact: <sip:b@far.test>|+\nB"),
        seed(
            "asked-by-a-stranger",
            "pn OPTIONS 1 u\npn INVITE 1 u|+\npn ACK 1 u\npn SUBSCRIBE 2 u\npn CANCEL 1 u\npw BYE 1 u",
        ),
        seed(
            "asked-in-the-call",
            "I\na0 200 t|+\npd INFO 1 t|Content-Type: x/y|+\npd NOTIFY 2 t|Content-Type: message/sipfrag\npd REFER 3 t\npd OPTIONS 4 t|Require: x\npd FOO 5 t\npd INFO 1 t",
        ),
        seed("answers-to-nothing", "QINFO\na0b 200 t\na0c 200 t\na0m 200 t\na0v 200 t\na0i 200 t\nr"),
        seed("nothing-readable", "-\n=~\n=OPTIONS x~~\n=\u{7f}~SIP/2.0 200 OK~~"),
        seed("closed-in-a-call", "I\na0 200 t|+\n!\n-\npn OPTIONS 1 u"),
        seed("closed-by-us", "QINFO\nK\na0 200 t\n-"),
        seed("no-user-name", &format!("Pn\nQINFO\n{}", asks(401))),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeds_reach_what_they_are_named_for() {
        for (name, event) in [
            ("options-answered", "Answer { method: \"OPTIONS\", status: 200"),
            ("options-challenged", "Answer { method: \"OPTIONS\", status: 200"),
            ("options-unanswered", "Failed("),
            ("call-answered-and-over", "Ended"),
            ("call-challenged", "Answered { status: 200"),
            ("call-refused", "Refused { status: 486"),
            ("call-cancelled", "Ended"),
            ("call-rings-for-ever", "Failed("),
            ("call-far-hangs-up", "RemoteBye"),
            ("call-changed-by-far", "Offered"),
            ("call-changed-by-us", "Changed { status: Some(200)"),
            ("asked-by-a-stranger", "Asked("),
            ("asked-in-the-call", "Info {"),
            ("closed-in-a-call", "Failed("),
        ] {
            let all = seeds();
            let text = (TARGET.show)(&all.iter().find(|seed| seed.name == name).expect(name).bytes);
            assert!(text.contains(&format!("tells {event}")), "{name} does not come to {event}:\n{text}");
        }
    }
}
