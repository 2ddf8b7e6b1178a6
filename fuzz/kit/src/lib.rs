//! What the fuzz targets do: generators of input, mutators that repair it, oracles that know what is right, and seeds.
//!
//! Everything here is stable Rust and knows no fuzzing engine. A target is a function of bytes ([`targets::TARGETS`]); what stands in
//! `fuzz/fuzz_targets` hands it libFuzzer's, and `cargo test` hands it the seeds and what was found before (`fuzz/regressions`).

pub mod dictionary;
pub mod generators;
pub mod hex;
pub mod known;
#[cfg(feature = "judge")]
pub mod library;
#[cfg(feature = "client")]
pub mod machines;
pub mod mutators;
pub mod oracle;
pub mod oracles;
pub mod peers;
pub mod sections;
pub mod target;
pub mod targets;
