//! Nanoseconds a packet, and the speed against libsrtp2 with OpenSSL.

use ringfence_srtp::Profile;

use crate::cells::{Cell, DIRECTIONS, Direction, Kind, PAYLOADS, PROFILES, SEVERAL};
use crate::libsrtp2;
use crate::measurements::Measurements;

/// One table for each profile, one for several streams, one for SRTCP; a table without a measured cell is left out.
pub fn print(measurements: &Measurements, markdown: bool) {
    for (profile, name) in PROFILES {
        print_one(measurements, markdown, &format!("{name}, one stream"), &[profile], &rtp_columns(1));
    }
    let profiles = PROFILES.map(|(profile, _)| profile);
    print_one(measurements, markdown, &format!("{SEVERAL} streams in turn"), &profiles, &rtp_columns(SEVERAL));
    print_one(measurements, markdown, "SRTCP, a compound packet of 100 bytes", &profiles, &rtcp_columns());
}

/// What a column shows of each profile.
#[derive(Clone, Copy)]
struct Column {
    kind: Kind,
    direction: Direction,
    streams: u32,
}

fn rtp_columns(streams: u32) -> Vec<Column> {
    let column = |direction| PAYLOADS.map(|payload| Column { kind: Kind::Rtp { payload }, direction, streams });
    DIRECTIONS.into_iter().flat_map(column).collect()
}

fn rtcp_columns() -> Vec<Column> {
    DIRECTIONS.map(|direction| Column { kind: Kind::Rtcp, direction, streams: 1 }).into()
}

impl Column {
    fn cell(self, profile: Profile) -> Cell {
        let Self { kind, direction, streams } = self;
        Cell { profile, kind, direction, streams }
    }

    fn heading(self) -> String {
        match self.kind {
            Kind::Rtp { payload } => format!("{} {payload} B", self.direction),
            Kind::Rtcp => self.direction.to_string(),
        }
    }
}

fn print_one(measurements: &Measurements, markdown: bool, title: &str, profiles: &[Profile], columns: &[Column]) {
    let measured = |profile| measurements.cells.iter().any(|cell| columns.iter().any(|c| c.cell(profile) == *cell));
    let profiles: Vec<Profile> = profiles.iter().copied().filter(|profile| measured(*profile)).collect();
    let columns: Vec<Column> = columns
        .iter()
        .copied()
        .filter(|column| profiles.iter().any(|profile| measurements.cells.contains(&column.cell(*profile))))
        .collect();
    if columns.is_empty() {
        return;
    }
    let mut heading = vec!["implementation".to_owned()];
    heading.extend(columns.iter().map(|column| column.heading()));
    let mut rows = vec![heading];
    for profile in &profiles {
        if profiles.len() > 1 {
            rows.push(vec![columns[0].cell(*profile).profile_name().to_owned()]);
        }
        for name in &measurements.names {
            let figures = columns.iter().map(|column| figure(measurements, &column.cell(*profile), name));
            rows.push([(*name).to_owned()].into_iter().chain(figures).collect());
        }
    }
    println!("{}{title}{}\n", if markdown { "**" } else { "" }, if markdown { "**" } else { "" });
    write_rows(&rows, markdown);
    println!();
}

/// `146 (2.05x)`; the ratio is absent when libsrtp2 with OpenSSL is, the whole when the cell was not asked for.
fn figure(measurements: &Measurements, cell: &Cell, name: &str) -> String {
    let Some(nanoseconds) = measurements.nanoseconds(cell, name) else { return "-".to_owned() };
    match measurements.speed(cell, name, libsrtp2::OPENSSL) {
        Some(speed) => format!("{nanoseconds:.0} ({speed:.2}x)"),
        None => format!("{nanoseconds:.0}"),
    }
}

fn write_rows(rows: &[Vec<String>], markdown: bool) {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |n: usize| rows.iter().filter_map(|row| row.get(n)).map(String::len).max().unwrap_or(0);
    let (start, between, end) = if markdown { ("| ", " | ", " |") } else { ("", "  ", "") };
    for (number, row) in rows.iter().enumerate() {
        let cells = (0..columns).map(|n| {
            let text = row.get(n).map_or("", String::as_str);
            if n == 0 { format!("{text:<0$}", width(n)) } else { format!("{text:>0$}", width(n)) }
        });
        println!("{}", format!("{start}{}{end}", cells.collect::<Vec<_>>().join(between)).trim_end());
        if number == 0 && markdown {
            println!("|---|{}", "---:|".repeat(columns - 1));
        }
    }
}
