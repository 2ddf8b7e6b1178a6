//! STUN messages.

use ringfence_wire::stun::Message;

use crate::oracles::{ALLOCATION, Bound, FIXPOINT, allocating, fixpoint};
use crate::target::{Seed, Target};

/// A STUN message, as it comes in a datagram.
pub const TARGET: Target = Target {
    name: "stun_message",
    reads: "a STUN message",
    oracles: &[&ALLOCATION, &FIXPOINT],
    run,
    accepts: |bytes| Message::parse(bytes).is_ok(),
    show: |bytes| format!("{:#?}", Message::parse(bytes)),
    seeds,
    dictionary: Some("stun"),
    max_len: 2_100, // a message is 2,048 bytes at most
    covers: &["harness/wire/src/stun.rs", "harness/wire/src/stun"],
};

/// One run.
pub fn run(bytes: &[u8]) {
    let bound = Bound { per_byte: 64, fixed: 4_096 };
    let Ok(message) = allocating(bound, bytes.len(), || Message::parse(bytes)) else { return };
    fixpoint(&message, |message| message.emit().expect("what was read can be printed"), |bytes| Message::parse(bytes));
}

fn seeds() -> Vec<Seed> {
    let binding = b"\x00\x01\x00\x00\x21\x12\xa4\x42abcdefghijkl";
    vec![Seed::valid("binding-request", *binding)]
}
