//! STUN: no panic on any bytes, and what parses prints to what parses to the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ringfence_wire::stun::Message;

fuzz_target!(|bytes: &[u8]| {
    let Ok(message) = Message::parse(bytes) else { return };
    let printed = message.emit().expect("what was parsed can be printed");
    assert_eq!(Message::parse(&printed).expect("what was printed parses"), message);
});
