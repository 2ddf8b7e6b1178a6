//! Our SRTP beside its peers: `cargo bench -p ringfence-srtp [-- [--markdown] [--rounds N] [WORD...]]`.
//!
//! Every implementation does every cell in turn, round after round; what is shown of a cell is the median of the rounds,
//! and the median of the rounds' ratios. A word keeps the cells that have it in their name: `-- gcm`, `-- rtcp 128`, `-- 160`.
//! Without `--bench`, which `cargo bench` gives, or with `--test`, nothing is measured: the Rust implementations only show
//! that they agree.
//!
//! | file | subject |
//! |---|---|
//! | `cells` | what is measured |
//! | `packets` | on which packets |
//! | `in_process` | how: batches, warm-up, thread CPU time |
//! | `ours`, `peers` | the implementations in Rust |
//! | `libsrtp2` | the two in C, as child processes: `../libsrtp2` |
//! | `measurements` | medians and ratios |
//! | `table`, `goals`, `machine` | what is printed |
//! | `parts` | what the algorithms alone cost |

mod cells;
mod goals;
mod in_process;
mod libsrtp2;
mod machine;
mod measurements;
mod ours;
mod packets;
mod parts;
mod peers;
mod table;

use std::error::Error;
use std::process::ExitCode;

use cells::{Cell, Direction};
use in_process::InProcess;
use measurements::Measurements;

/// A library that protects and unprotects.
trait Implementation {
    /// As the tables call it.
    fn name(&self) -> &'static str;
    /// Nanoseconds of thread CPU time a packet.
    fn measure(&mut self, cell: &Cell) -> Result<f64, Box<dyn Error>>;
    /// What becomes of the last packet of the first batch.
    fn show(&mut self, cell: &Cell) -> Result<Vec<u8>, Box<dyn Error>>;
}

/// Rounds unless the command line says otherwise (house).
const ROUNDS: usize = 9;

struct Arguments {
    rounds: usize,
    markdown: bool,
    only_check: bool,
    words: Vec<String>,
}

fn main() -> ExitCode {
    match arguments(std::env::args().skip(1)).and_then(|arguments| run(&arguments)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn arguments(mut given: impl Iterator<Item = String>) -> Result<Arguments, Box<dyn Error>> {
    let mut arguments = Arguments { rounds: ROUNDS, markdown: false, only_check: false, words: Vec::new() };
    let mut bench = false;
    while let Some(argument) = given.next() {
        match argument.as_str() {
            "--bench" => bench = true,
            "--test" => arguments.only_check = true,
            "--markdown" => arguments.markdown = true,
            "--rounds" => {
                let rounds = given.next().and_then(|rounds| rounds.parse().ok()).filter(|rounds| *rounds > 0);
                arguments.rounds = rounds.ok_or("rounds: not a number above 0")?;
            }
            option if option.starts_with('-') => return Err(format!("option {option}: unknown").into()),
            word => arguments.words.push(word.to_lowercase()),
        }
    }
    arguments.only_check |= !bench;
    Ok(arguments)
}

fn run(arguments: &Arguments) -> Result<(), Box<dyn Error>> {
    let cells: Vec<Cell> = cells::all().into_iter().filter(|cell| cell.has(&arguments.words)).collect();
    if cells.is_empty() {
        return Err("word: no cell has it in its name".into());
    }
    let mut implementations: Vec<Box<dyn Implementation>> = Vec::new();
    if !arguments.only_check {
        machine::print();
        implementations.extend(libsrtp2::all());
    }
    implementations.push(Box::new(InProcess::<peers::WebrtcSrtp>::new()));
    implementations.push(Box::new(InProcess::<peers::RtcSrtp<peers::Ring>>::new()));
    implementations.push(Box::new(InProcess::<peers::RtcSrtp<peers::AwsLc>>::new()));
    implementations.push(Box::new(InProcess::<ours::Ours>::new()));

    check(&cells, &mut implementations)?;
    println!("{} implementations agree in {} cells\n", implementations.len(), cells.len());
    if arguments.only_check {
        return Ok(());
    }
    let measurements = measure(cells, &mut implementations, arguments.rounds)?;
    table::print(&measurements, arguments.markdown);
    goals::print(&measurements);
    if arguments.words.is_empty() {
        parts::print();
    }
    Ok(())
}

/// An implementation that does something else, or nothing, must not be measured as fast: ours must be able to open what it
/// protects, and it what ours protects. (The packets are not compared: libsrtp2 and its like begin SRTCP with index 1.)
fn check(cells: &[Cell], implementations: &mut [Box<dyn Implementation>]) -> Result<(), Box<dyn Error>> {
    for cell in cells {
        for implementation in &mut *implementations {
            let name = implementation.name();
            let mut packet = implementation.show(cell).map_err(|error| format!("{name}, {cell}: {error}"))?;
            if cell.direction == Direction::Protect {
                ours::open(cell, &mut packet).map_err(|error| format!("{name}, {cell}: ours: {error}"))?;
            }
            if packet != in_process::last_packet(cell) {
                return Err(format!("{name}, {cell}: another packet than before comes out").into());
            }
        }
    }
    Ok(())
}

fn measure(
    cells: Vec<Cell>,
    implementations: &mut [Box<dyn Implementation>],
    rounds: usize,
) -> Result<Measurements, Box<dyn Error>> {
    let names = implementations.iter().map(|implementation| implementation.name()).collect();
    let mut measurements = Measurements::new(cells, names);
    for round in 1..=rounds {
        eprintln!("round {round} of {rounds}");
        measurements.round(|cell, n| implementations[n].measure(cell))?;
    }
    Ok(measurements)
}
