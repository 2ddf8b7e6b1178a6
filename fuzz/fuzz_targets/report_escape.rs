#![no_main]

libfuzzer_sys::fuzz_target!(init: ringfence_fuzz_kit::generators::report::load(), |bytes: &[u8]| {
    ringfence_fuzz_kit::targets::report_escape::TARGET.check(bytes)
});
