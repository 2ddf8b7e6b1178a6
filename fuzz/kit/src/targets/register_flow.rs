//! Registration against a scripted hostile registrar.

use crate::generators::peer::{Act, acts, is_deliberate};
use crate::machines::Record;
use crate::oracles::signalling::ASKED;
use crate::target::{Seed, Target};
use crate::targets::sip_transaction::dialogue;

/// The signalling machine, registering.
pub const TARGET: Target = Target {
    name: "register_flow",
    reads: "a script of a client and its registrar, a line for each act",
    oracles: ASKED,
    run,
    accepts: is_deliberate,
    show: |script| Record::of(|record| played(script, record)),
    seeds,
    dictionary: Some("sip"),
    max_len: 4_096,
    covers: &["harness/client/src/signalling/registration.rs", "harness/client/src/signalling/auth.rs"],
};

/// One run.
pub fn run(script: &[u8]) {
    played(script, &Record::default());
}

/// One run, with what happens in it. Whatever the script says, we begin by registering.
fn played(script: &[u8], record: &Record) {
    let mut acts = acts(script);
    let mut dialogue = dialogue(&acts, record);
    if !acts.iter().any(|act| matches!(act, Act::Register(..))) {
        acts.insert(0, Act::Register('o', 1));
    }
    for act in &acts {
        record.act(act);
        dialogue.play(act);
    }
    dialogue.fall_silent();
}

const ASKS: &str = "WWW-Authenticate: Digest realm=\"sip.test\", nonce=\"n1\", qop=\"auth\", algorithm=MD5";
const STALE: &str = "WWW-Authenticate: Digest realm=\"sip.test\", nonce=\"n2\", qop=\"auth\", stale=true";

fn seeds() -> Vec<Seed> {
    let seed = |name: &str, script: &str| Seed::valid(name, script);
    let (asked, stale) = (format!("a0 401 t|{ASKS}"), format!("a0 401 t|{STALE}"));
    let granted = "a0 200 t|Contact: $c|Expires: 600";
    vec![
        seed("granted", &format!("Ro1\n{asked}\n{granted}")),
        seed("granted-at-once", &format!("Ro1\n{granted}")),
        seed("refreshed", &format!("Ro1\n{asked}\n{granted}\n.4800\n{granted}\n.4800\n{asked}\n{granted}")),
        seed("several", &format!("Ro3\n{asked}\n{granted}\n{granted}\na0 403 t")),
        seed("stale", &format!("Ro1\n{asked}\n{stale}\n{granted}")),
        seed("stale-for-ever", &format!("Ro1\n{asked}\n{stale}\n{asked}\n{stale}\n{asked}")),
        seed("wrong-password", &format!("Rw1\n{asked}\n{asked}")),
        seed("nobody", &format!("Rn1\n{asked}")),
        seed("another", &format!("Rx1\n{asked}\n{granted}")),
        seed("replayed", &format!("Ro1\n{asked}\n{granted}\nRr1\n{granted}\nRs1\na0 403 t\nRc1\n{asked}")),
        seed("interval-too-brief", &format!("Ro1\na0 423 t|Min-Expires: 900\na0 423 t|Min-Expires: 1800\n{granted}")),
        seed("interval-absurd", "Ro1\na0 423 t|Min-Expires: 4294967295"),
        seed("short-grants", "Ro1\na0 200 t|Contact: $c|Expires: 10\n.80\na0 200 t|Contact: $c|Expires: 9\n.100"),
        seed("long-grants", "Ro1\na0 200 t|Contact: $c|Expires: 4294967295\n.72000"),
        seed("many-contacts", "Ro1\na0 200 t|*300 Contact: <sip:x@y>;expires=3, <sip:z@y>|Contact: $c"),
        seed("taken-back", &format!("Ro1\n{asked}\n{granted}\nU\n{asked}\na0 200 t")),
        seed("taken-back-on-the-way", &format!("Ro1\nU\n{granted}\na0 200 t")),
        seed("kept", &format!("Ro1\n{granted}\nU\na0 500 t\nU")),
        seed(
            "realms",
            "Ro1\na0 407 t|Proxy-Authenticate: Digest realm=\"p\", nonce=\"a\"|WWW-Authenticate: Digest realm=\"r\", nonce=\"b\", algorithm=SHA-256\na0 200 t",
        ),
        seed(
            "schemes",
            "Ro1\na0 401 t|WWW-Authenticate: Basic realm=\"x\"|WWW-Authenticate: Bearer a=b, Digest realm=\"r\", nonce=\"b\"",
        ),
        seed("unanswered", "Ro1\n.330"),
        seed("closed", "Ro1\n!\nU"),
        seed("no-user-name", &format!("Pn\nRo1\n{asked}")),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeds_reach_what_they_are_named_for() {
        for (name, event) in [
            ("granted", "Registered { status: 200, contact_ok: true, expires_s: Some(600)"),
            ("several", "RegisterFinal { status: 403"),
            ("stale", "Registered {"),
            ("wrong-password", "RegisterFinal { status: 401"),
            ("interval-too-brief", "Registered {"),
            ("interval-absurd", "RegisterFinal { status: 423"),
            ("replayed", "LoggedIn("),
            ("taken-back", "Unregistered"),
            ("kept", "RegisterFinal { status: 500"),
            ("unanswered", "Failed("),
        ] {
            let all = seeds();
            let text = (TARGET.show)(&all.iter().find(|seed| seed.name == name).expect(name).bytes);
            assert!(text.contains(&format!("tells {event}")), "{name} does not come to {event}:\n{text}");
        }
    }
}
