#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| ringfence_fuzz_kit::targets::stun_parsers_agree::TARGET.check(bytes));
