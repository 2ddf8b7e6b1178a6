//! Whether we are as fast as we mean to be. A miss is told, not an error: the machine decides too.

use ringfence_srtp::Profile;

use crate::cells::{Cell, Direction, Kind};
use crate::measurements::Measurements;
use crate::{libsrtp2, ours, peers};

/// Of one stream, so many times as fast as libsrtp2 with OpenSSL.
const GOALS: [(Profile, Direction, usize, f64); 6] = [
    (Profile::AesCm128HmacSha1_80, Direction::Protect, 160, 1.8),
    (Profile::AesCm128HmacSha1_80, Direction::Protect, 1200, 1.15),
    (Profile::AeadAes128Gcm, Direction::Protect, 160, 2.4),
    (Profile::AeadAes128Gcm, Direction::Protect, 1200, 2.7),
    (Profile::AeadAes128Gcm, Direction::Unprotect, 160, 2.7),
    (Profile::AeadAes128Gcm, Direction::Unprotect, 1200, 2.7),
];

/// Every goal with what was measured.
pub fn print(measurements: &Measurements) {
    println!("goals of {}:\n", ours::NAME);
    for (profile, direction, payload, goal) in GOALS {
        let cell = Cell { profile, kind: Kind::Rtp { payload }, direction, streams: 1 };
        let speed = measurements.speed(&cell, ours::NAME, libsrtp2::OPENSSL);
        line(&format!("{cell}, against {}", libsrtp2::OPENSSL), goal, speed);
    }
    never_behind(measurements, "SRTCP cells", libsrtp2::OPENSSL, |cell| cell.kind == Kind::Rtcp);
    for peer in [peers::RTC_SRTP_RING, peers::RTC_SRTP_AWS_LC] {
        never_behind(measurements, "cells", peer, |_| true);
    }
}

/// The worst cell decides; whichever else is behind is named.
fn never_behind(measurements: &Measurements, what: &str, peer: &str, wanted: impl Fn(&Cell) -> bool) {
    let speed = |cell: &Cell| Some((*cell, measurements.speed(cell, ours::NAME, peer)?));
    let mut speeds: Vec<(Cell, f64)> =
        measurements.cells.iter().filter(|cell| wanted(cell)).filter_map(speed).collect();
    speeds.sort_by(|a, b| a.1.total_cmp(&b.1));
    let worst = speeds.first().map(|(_, speed)| *speed);
    line(&format!("the worst of {} {what}, against {peer}", speeds.len()), 1.0, worst);
    for (cell, speed) in speeds.iter().filter(|(_, speed)| *speed < 1.0) {
        println!("  - behind      {speed:.2}x           {cell}");
    }
}

fn line(what: &str, goal: f64, speed: Option<f64>) {
    match speed {
        Some(speed) if speed >= goal => println!("- met           {speed:.2}x of {goal:.2}x  {what}"),
        Some(speed) => println!("- MISSED        {speed:.2}x of {goal:.2}x  {what}"),
        None => println!("- not measured     - of {goal:.2}x  {what}"),
    }
}
