#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| ringfence_fuzz_kit::targets::turn_client::TARGET.check(bytes));
