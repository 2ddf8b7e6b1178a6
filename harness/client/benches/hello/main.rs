//! Our enumeration of TLS and DTLS beside other tools: `cargo bench -p ringfence-client --bench hello [-- [--markdown] [--quick]
//! [--rounds N] [WORD...]]`.
//!
//! Wants nginx, openssl, sslscan and testssl; what is missing is told, and nothing is held against it. Every tool asks the same
//! servers in turn, round after round; what is shown is the median of the rounds, and the median of the rounds' ratios. A word keeps
//! the parts that have it in their name: `wide`, `defaults`, `dtls`, `hosts`. `--quick` leaves out the peers that take minutes.
//! Without `--bench`, which `cargo bench` gives, or with `--test`, nothing is measured: the tools only show that they find the same.
//!
//! | file | subject |
//! |---|---|
//! | `ours` | our enumeration, as a process of its own and many times in one |
//! | `nginx`, `openssl` | the servers, and the loop of `openssl s_client` |
//! | `scanners` | sslscan, testssl and the command `ringfence tls` |
//! | `cost` | what is measured: wall clock, processor time of a process tree, connections |
//! | `rounds` | medians and ratios |
//! | `tls`, `dtls`, `hosts` | the three comparisons |
//! | `print`, `machine` | what is printed |

mod cost;
mod dtls;
mod hosts;
mod machine;
mod nginx;
mod openssl;
mod ours;
mod print;
mod rounds;
mod scanners;
mod tls;

use std::error::Error;
use std::process::ExitCode;

/// Rounds unless the command line says otherwise (house).
const ROUNDS: usize = 5;

/// What was typed.
struct Arguments {
    rounds: usize,
    markdown: bool,
    quick: bool,
    only_check: bool,
    words: Vec<String>,
}

fn main() -> ExitCode {
    let given: Vec<String> = std::env::args().skip(1).collect();
    let done = match given.split_first() {
        Some((word, of)) if word == ours::AS_CHILD => ours::child(of),
        _ => arguments(given.into_iter()).and_then(|arguments| run(&arguments)),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn arguments(mut given: impl Iterator<Item = String>) -> Result<Arguments, Box<dyn Error>> {
    let mut arguments =
        Arguments { rounds: ROUNDS, markdown: false, quick: false, only_check: false, words: Vec::new() };
    let mut bench = false;
    while let Some(argument) = given.next() {
        match argument.as_str() {
            "--bench" => bench = true,
            "--test" => arguments.only_check = true,
            "--markdown" => arguments.markdown = true,
            "--quick" => arguments.quick = true,
            "--rounds" => {
                let rounds = given.next().and_then(|rounds| rounds.parse().ok()).filter(|rounds| *rounds > 0);
                arguments.rounds = rounds.ok_or("rounds: not a number above 0")?;
            }
            option if option.starts_with('-') => return Err(format!("option {option}: unknown").into()),
            word => arguments.words.push(word.to_lowercase()),
        }
    }
    arguments.only_check |= !bench;
    if arguments.only_check {
        (arguments.quick, arguments.rounds) = (true, 1);
    }
    Ok(arguments)
}

fn run(arguments: &Arguments) -> Result<(), Box<dyn Error>> {
    let wanted = |name: &str| arguments.words.is_empty() || arguments.words.iter().any(|word| name.contains(word));
    if !["tls wide", "tls defaults", "dtls", "hosts"].into_iter().any(wanted) {
        return Err("word: no part has it in its name".into());
    }
    if !arguments.only_check {
        machine::print();
    }
    if !openssl::there() {
        println!("openssl: not here, so nothing is measured (apt-get install openssl)");
        return Ok(());
    }
    let mut goals = print::Goals::default();
    if nginx::there() {
        for setting in [nginx::Setting::Defaults, nginx::Setting::Wide] {
            if wanted(&format!("tls {}", setting.name())) {
                tls::compare(arguments, setting, &mut goals)?;
            }
        }
        if wanted("hosts") && !arguments.only_check {
            hosts::compare(arguments, &mut goals)?;
        }
    } else {
        println!("nginx: not here, so TLS is not measured (apt-get install nginx)");
    }
    if wanted("dtls") {
        dtls::compare(arguments, &mut goals)?;
    }
    if !arguments.only_check {
        goals.print();
    }
    Ok(())
}
