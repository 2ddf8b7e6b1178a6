//! One TLS server, asked by all tools in turn.

use std::error::Error;

use crate::cost::{self, Cost};
use crate::nginx::{Nginx, Setting};
use crate::ours::{self, Asked, Found};
use crate::print::{Goals, table};
use crate::rounds::Row;
use crate::{Arguments, scanners};

/// Runs of a tool that count as one round, where a run is short (house).
const RUNS: usize = 5;
/// Versions that we ask for: SSL 3.0 to TLS 1.3.
const VERSIONS: u64 = 5;
/// So many times less processor time than sslscan and testssl, and so many times faster by the clock.
const CPU: [f64; 2] = [10.0, 500.0];
const WALL: [f64; 2] = [5.0, 400.0];

/// A tool: what it costs to ask this port, and what it finds.
type Tool<'a> = Box<dyn Fn(u16) -> Result<(Cost, Found), Box<dyn Error>> + 'a>;

/// Measures, and prints the table.
///
/// # Errors
/// A server or tool does not start, or the tools do not find the same.
pub fn compare(arguments: &Arguments, setting: Setting, goals: &mut Goals) -> Result<(), Box<dyn Error>> {
    let nginx = Nginx::start(setting)?;
    let command = scanners::command();
    let mut tools: Vec<(Row, usize, Tool<'_>)> = vec![
        (Row::new("ringfence, suites"), RUNS, Box::new(|port| ours::run("tls", port, Asked::Suites))),
        (Row::new("sslscan, ciphers only"), 1, Box::new(scanners::sslscan)),
        (Row::new("testssl -p -E"), 1, Box::new(scanners::testssl)),
        (Row::new("ringfence, all lists"), RUNS, Box::new(|port| ours::run("tls", port, Asked::Everything))),
    ];
    if let Some(program) = &command {
        tools.push((Row::new("ringfence tls (command)"), 1, Box::new(move |port| scanners::ringfence(program, port))));
    } else if !arguments.only_check {
        println!("ringfence: not built, so the whole command is left out (cargo build --release -p ringfence)");
    }
    let missing = |row: &Row| match row.name.split([' ', ',']).next().unwrap_or_default() {
        "testssl" => arguments.quick || !scanners::there("testssl"),
        "sslscan" => !scanners::there("sslscan"),
        _ => false,
    };
    let left_out: Vec<bool> = tools.iter().map(|(row, _, _)| missing(row)).collect();
    let mut sets: Vec<Option<Found>> = vec![None; tools.len()];
    for round in 1..=arguments.rounds {
        for (number, (row, runs, tool)) in tools.iter_mut().enumerate() {
            if left_out[number] {
                continue;
            }
            cost::tell(&format!("nginx, {}: round {round} of {}, {}", setting.name(), arguments.rounds, row.name));
            let mut costs = Vec::new();
            for _ in 0..*runs {
                let before = nginx.accepted()?;
                let (cost, found) = tool(nginx.port)?;
                let asked = nginx.accepted()?.saturating_sub(before + 1); // the look itself is one
                costs.push(Cost { asked, ..cost });
                sets[number] = Some(found);
            }
            let found = sets[number].as_ref().map(Found::to_string).unwrap_or_default();
            row.push(&costs, found);
        }
    }
    cost::told();
    let rows: Vec<Row> = tools.into_iter().map(|(row, _, _)| row).collect();
    agree(&rows, &sets)?;
    if arguments.only_check {
        println!(
            "nginx, {}: {} suites, the same by all tools",
            setting.name(),
            sets[0].as_ref().map_or(0, Found::count)
        );
        return Ok(());
    }
    table(&format!("nginx, {}", setting.name()), "connections", &rows, arguments.markdown);
    let place = format!("nginx, {}", setting.name());
    for (number, peer) in [&rows[1], &rows[2]].into_iter().enumerate() {
        let [cpu, wall] = [rows[0].ratio(peer, |cost| cost.cpu), rows[0].ratio(peer, |cost| cost.wall)];
        goals.times(&format!("{place}: client CPU, against {}", peer.name), CPU[number], cpu);
        goals.times(&format!("{place}: wall, against {}", peer.name), WALL[number], wall);
    }
    let accepted = sets[0].as_ref().map_or(0, Found::count) as u64;
    goals.exactly(&format!("{place}: connections, suites + 1 per version"), accepted + VERSIONS, rows[0].cost().asked);
    Ok(())
}

/// Speed counts only where the tools find the same. testssl knows fewer suites by name, so of it nothing is asked but that it
/// finds nothing that we do not.
fn agree(rows: &[Row], sets: &[Option<Found>]) -> Result<(), Box<dyn Error>> {
    let Some(Some(ours)) = sets.first() else { return Err("nothing was found".into()) };
    for (row, found) in rows.iter().zip(sets).filter_map(|(row, found)| Some((row, found.as_ref()?))) {
        let within = || {
            let known =
                |(version, suites): (&String, _)| ours.suites.get(version).is_some_and(|own| own.is_superset(suites));
            found.suites.iter().all(known)
        };
        let same = if row.name.starts_with("testssl") { within() } else { found.suites == ours.suites };
        if !same || found.count() == 0 {
            return Err(format!("{} finds another set: {:x?}, not {:x?}", row.name, found.suites, ours.suites).into());
        }
    }
    Ok(())
}
