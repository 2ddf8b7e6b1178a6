//! SIP messages, as the pre-pass takes them.

use ringfence_wire::sip::prepare;

use crate::oracles::{ALLOCATION, Bound, FIXPOINT, allocating, fixpoint};
use crate::target::{Seed, Target};

/// A SIP message, as it comes in one WebSocket message.
pub const TARGET: Target = Target {
    name: "sip_message",
    reads: "a SIP message",
    oracles: &[&ALLOCATION, &FIXPOINT],
    run,
    accepts: |bytes| prepare(bytes).is_ok(),
    show: |bytes| format!("{:#?}", prepare(bytes)),
    seeds,
    dictionary: Some("sip"),
    max_len: 70_000, // a message is 65,536 bytes at most
    covers: &["harness/wire/src/sip.rs", "harness/wire/src/sip"],
};

/// One run.
pub fn run(bytes: &[u8]) {
    let bound = Bound { per_byte: 64, fixed: 4_096 };
    let Ok(prepared) = allocating(bound, bytes.len(), || prepare(bytes)) else { return };
    fixpoint(&prepared.bytes(), Clone::clone, |bytes| prepare(bytes).map(|prepared| prepared.bytes()));
}

fn seeds() -> Vec<Seed> {
    vec![Seed::valid("options", *b"OPTIONS sip:example.com SIP/2.0\r\nContent-Length: 0\r\n\r\n")]
}
