//! How long each output of a report of 154 scenarios takes: `cargo bench -p ringfence-reports`, of made results, or
//! `cargo bench -p ringfence-reports -- REPORT.json`, of those that a run had, repeated.

#[path = "../tests/reports/audited.rs"]
#[allow(dead_code)] // the tests use all of it
mod audited;
#[path = "../tests/reports/fourteen.rs"]
#[allow(dead_code)] // the tests use all of it
mod fourteen;
#[path = "../tests/reports/poison.rs"]
#[allow(dead_code)] // the tests use all of it
mod poison;
#[path = "../tests/reports/samples.rs"]
#[allow(dead_code)] // the tests use all of it
mod samples;

use std::time::{Duration, Instant};

use ringfence_reports::{Format, Style, render, terminal};

/// Scenarios of the whole catalogue.
const SCENARIOS: usize = 154;
/// Renderings of which the median is told.
const TIMES: usize = 21;

fn main() {
    let given = std::env::args().skip(1).find(|argument| !argument.starts_with('-'));
    let report = match given {
        Some(path) => {
            let text = std::fs::read_to_string(path).expect("a file");
            samples::repeated(serde_json::from_str(&text).expect("a report"), SCENARIOS)
        }
        None => samples::many(SCENARIOS),
    };
    println!("{SCENARIOS} scenarios, median of {TIMES}:");
    for format in Format::all() {
        let (took, bytes) = median(|| render(format, &report).expect("renders").len());
        println!("  {:<10} {:>8.2} ms {:>9} bytes", format.name(), took.as_secs_f64() * 1e3, bytes);
    }
    let (took, bytes) = median(|| terminal(&report, Style::default()).len());
    println!("  {:<10} {:>8.2} ms {:>9} bytes", "terminal", took.as_secs_f64() * 1e3, bytes);
}

fn median(mut render: impl FnMut() -> usize) -> (Duration, usize) {
    let mut bytes = 0;
    let mut took: Vec<Duration> = (0..TIMES)
        .map(|_| {
            let began = Instant::now();
            bytes = render();
            began.elapsed()
        })
        .collect();
    took.sort();
    (took[TIMES / 2], bytes)
}
