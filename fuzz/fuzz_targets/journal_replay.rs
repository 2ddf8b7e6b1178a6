#![no_main]

libfuzzer_sys::fuzz_target!(init: ringfence_fuzz_kit::library::load(), |bytes: &[u8]| {
    ringfence_fuzz_kit::targets::journal_replay::TARGET.check(bytes)
});
