//! SIP pre-pass: no panic on any bytes, and preparing twice changes nothing.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ringfence_wire::sip::prepare;

fuzz_target!(|bytes: &[u8]| {
    let Ok(once) = prepare(bytes) else { return };
    let first = once.bytes();
    let twice = prepare(&first).expect("what was prepared is well formed");
    assert_eq!(twice.bytes(), first);
});
