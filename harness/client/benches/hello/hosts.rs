//! Many servers at once: how many complete enumerations a second of one core's time yields.

use std::error::Error;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Instant;

use futures_util::stream::{self, StreamExt};
use ringfence_client::hello::{Ask, Enumerator};
use ringfence_wire::hello::Version;

use crate::cost;
use crate::nginx::{self, Nginx, Setting};
use crate::ours::{self, Asked};
use crate::print::Goals;
use crate::rounds::middle;
use crate::{Arguments, scanners};

/// Enumerations of a round (house).
const ENUMERATIONS: usize = 400;
/// Of these at a time (house).
const AT_ONCE: usize = 16;
/// Hellos of the floor (house).
const FLOOR: usize = 3500;
/// Enumerations a second and core.
const RATE: f64 = 500.0;
/// So many times as many as sslscan and testssl get through with the same processor time.
const AGAINST: [f64; 2] = [8.0, 2000.0];

/// Measures, and prints what came of it.
///
/// # Errors
/// A server or tool does not start, or an enumeration is not complete.
pub fn compare(arguments: &Arguments, goals: &mut Goals) -> Result<(), Box<dyn Error>> {
    let nginx = Nginx::start(Setting::Defaults)?;
    let net = ours::net()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let hosts: Vec<SocketAddr> = nginx::addresses().map(|address| SocketAddr::from((address, nginx.port))).collect();
    let (mut rates, mut walls, mut floors, mut hellos) = (Vec::new(), Vec::new(), Vec::new(), 0);
    let mut peers: [Vec<f64>; 2] = Default::default();
    let there = [scanners::there("sslscan"), !arguments.quick && scanners::there("testssl")];
    for round in 1..=arguments.rounds {
        cost::tell(&format!("many hosts: round {round} of {}", arguments.rounds));
        let (before, begin) = (cost::thread()?, Instant::now());
        let all = stream::iter(hosts.iter().cycle().take(ENUMERATIONS));
        let found: Vec<Option<u32>> = runtime.block_on(
            all.map(|host| async {
                let report = ours::tls(&net, *host, Asked::Suites).await.ok()?;
                (report.unknown().count() == 0 && report.suites().count() > 0).then(|| report.hellos_sent())
            })
            .buffer_unordered(AT_ONCE)
            .collect(),
        );
        let spent = cost::thread()?.saturating_sub(before).as_secs_f64();
        hellos = found[0].ok_or("many hosts: an enumeration is not complete")?;
        if found.iter().any(|of_host| *of_host != Some(hellos)) {
            return Err("many hosts: an enumeration is not complete".into());
        }
        rates.push(ENUMERATIONS as f64 / spent);
        walls.push(ENUMERATIONS as f64 / begin.elapsed().as_secs_f64());
        floors.push(floor(hosts[0])?);
        for (number, tool) in [scanners::sslscan, scanners::testssl].into_iter().enumerate() {
            if there[number] {
                peers[number].push(tool(nginx.port)?.0.cpu.as_secs_f64());
            }
        }
    }
    cost::told();
    let (rate, wall, floor) = (middle(rates), middle(walls), middle(floors));
    println!(
        "\n{ENUMERATIONS} enumerations of {} hosts, nginx with its defaults, {AT_ONCE} at once, one thread:",
        hosts.len()
    );
    println!("{rate:.0} a second of its processor time, {wall:.0} a second by the clock");
    let own = 1e6 / rate / hellos as f64;
    println!(
        "a hello: {own:.1} us of processor time; {floor:.1} us with the same hellos and nothing but connect, write, read\n"
    );
    goals.rate("many hosts: complete enumerations a second and core of client CPU", RATE, rate);
    for (number, name) in ["sslscan, ciphers only", "testssl -p -E"].into_iter().enumerate() {
        let times = (!peers[number].is_empty()).then(|| middle(std::mem::take(&mut peers[number])) * rate);
        goals.times(&format!("many hosts: enumerations of the same CPU, against {name}"), AGAINST[number], times);
    }
    Ok(())
}

/// Microseconds of processor time a hello where nobody decides, waits for several or keeps a clock: our first hellos, one after the
/// other.
fn floor(server: SocketAddr) -> Result<f64, Box<dyn Error>> {
    let mut streams = Vec::new();
    for version in [Version::SSL3, Version::TLS10, Version::TLS11, Version::TLS12, Version::TLS13] {
        if let Ask::Hello(hello) = Enumerator::new(version, ours::question(Asked::Suites)).next() {
            // As often as the scan of such a server asks for it.
            let times = match version {
                Version::TLS12 => 28,
                Version::TLS13 => 4,
                _ => 1,
            };
            streams.extend(std::iter::repeat_n(hello.to_tls()?, times));
        }
    }
    let before = cost::thread()?;
    let mut answer = [0; 4096];
    for stream in streams.iter().cycle().take(FLOOR) {
        let mut connection = TcpStream::connect(server)?;
        connection.write_all(stream)?;
        if connection.read(&mut answer)? == 0 {
            return Err("floor: no answer".into());
        }
    }
    Ok(cost::thread()?.saturating_sub(before).as_secs_f64() * 1e6 / FLOOR as f64)
}
