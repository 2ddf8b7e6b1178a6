//! One DTLS server, asked for versions, suites and SRTP profiles.

use std::error::Error;

use crate::Arguments;
use crate::cost;
use crate::openssl::{self, Server};
use crate::ours::{self, Asked};
use crate::print::{Goals, table};
use crate::rounds::Row;

/// Runs that count as one round (house).
const RUNS: usize = 5;
/// So many times less processor time than the loop.
const CPU: f64 = 1000.0;

/// Measures, and prints the table. The loop takes two minutes and is run once.
///
/// # Errors
/// The server does not start, or the two do not find the same.
pub fn compare(arguments: &Arguments, goals: &mut Goals) -> Result<(), Box<dyn Error>> {
    let server = Server::start()?;
    let mut own = Row::new("ringfence, suites and profiles");
    let mut client = Row::new("loop of openssl s_client");
    let mut everything = Row::new("ringfence, all lists");
    let mut sets = Vec::new();
    for round in 1..=arguments.rounds {
        cost::tell(&format!("openssl s_server: round {round} of {}", arguments.rounds));
        let mut costs = Vec::new();
        for _ in 0..RUNS {
            let (cost, found) = ours::run("dtls", server.port, Asked::Profiles)?;
            costs.push(cost);
            sets.push(found);
        }
        own.push(&costs, sets.last().map(ToString::to_string).unwrap_or_default());
        let (cost, found) = ours::run("dtls", server.port, Asked::Everything)?;
        everything.push(&[cost], found.to_string());
    }
    cost::told();
    let Some(found) = sets.first().filter(|first| sets.iter().all(|set| set == *first)) else {
        return Err(format!("another set in each round: {sets:x?}").into());
    };
    if found.count() == 0 || found.profiles == 0 {
        return Err("DTLS: nothing was found".into());
    }
    if !arguments.quick {
        let (cost, theirs) = openssl::client_loop(server.port)?;
        client.push(&[cost], theirs.to_string());
        if theirs != *found {
            return Err(format!("the loop of openssl s_client finds another set: {theirs:x?}, not {found:x?}").into());
        }
    }
    if arguments.only_check {
        println!("openssl s_server: {found}, the same each time");
        return Ok(());
    }
    let ratio = own.ratio(&client, |cost| cost.cpu);
    // Each version is asked for the longer of its two lists, and once more; 1.3, which this server does not speak, once.
    let longest = |suites: usize| suites.max(openssl::PROFILES.len()) as u64 + 1;
    let goal = found.suites.values().map(|suites| longest(suites.len())).sum::<u64>() + 1;
    goals.exactly("openssl s_server: hellos, max(suites, profiles) + 1 per version", goal, own.cost().asked);
    goals.times("openssl s_server: client CPU, against a loop of openssl s_client", CPU, ratio);
    table("openssl s_server, DTLS 1.0 and 1.2", "hellos", &[own, client, everything], arguments.markdown);
    Ok(())
}
