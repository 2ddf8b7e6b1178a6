//! Tables, and the goals with what was measured.

use std::time::Duration;

use crate::rounds::Row;

/// The goals in the order in which they were measured.
#[derive(Default)]
pub struct Goals(Vec<String>);

impl Goals {
    /// So many times as cheap, at least.
    pub fn times(&mut self, what: &str, goal: f64, ratio: Option<f64>) {
        self.0.push(match ratio {
            Some(ratio) if ratio >= goal => format!("- met           {ratio:>8.1}x of {goal:>6.1}x  {what}"),
            Some(ratio) => format!("- MISSED        {ratio:>8.1}x of {goal:>6.1}x  {what}"),
            None => format!("- not measured         - of {goal:>6.1}x  {what}"),
        });
    }

    /// Exactly so many.
    pub fn exactly(&mut self, what: &str, goal: u64, count: u64) {
        let word = if count == goal { "met   " } else { "MISSED" };
        self.0.push(format!("- {word}        {count:>8}  of {goal:>6}   {what}"));
    }

    /// So many a second, at least.
    pub fn rate(&mut self, what: &str, goal: f64, rate: f64) {
        let word = if rate >= goal { "met   " } else { "MISSED" };
        self.0.push(format!("- {word}        {rate:>8.0}  of {goal:>6.0}   {what}"));
    }

    /// Prints them.
    pub fn print(&self) {
        println!("goals of ringfence:\n");
        self.0.iter().for_each(|line| println!("{line}"));
    }
}

/// One table: the first row is ours, and what the others' ratios are against.
pub fn table(title: &str, asked: &str, rows: &[Row], markdown: bool) {
    let heading = ["tool", "wall", "against ours", "client CPU", "against ours", asked, "found"];
    let mut lines: Vec<Vec<String>> = vec![heading.map(str::to_owned).into()];
    let Some(first) = rows.first() else { return };
    for row in rows {
        let against = |ratio: Option<f64>| ratio.map_or_else(|| "-".to_owned(), |ratio| format!("{ratio:.1}x"));
        let cost = row.cost();
        lines.push(if row.measured() {
            vec![
                row.name.clone(),
                duration(cost.wall),
                against(first.ratio(row, |cost| cost.wall)),
                duration(cost.cpu),
                against(first.ratio(row, |cost| cost.cpu)),
                cost.asked.to_string(),
                row.found.clone(),
            ]
        } else {
            vec![row.name.clone(), "not measured".to_owned()]
        });
    }
    let bold = if markdown { "**" } else { "" };
    println!("\n{bold}{title}{bold}\n");
    write_rows(&lines, markdown);
    println!();
}

/// `1.23 ms`, `4.56 s`.
fn duration(duration: Duration) -> String {
    match duration.as_secs_f64() {
        seconds if seconds < 1.0 => format!("{:.1} ms", seconds * 1000.0),
        seconds => format!("{seconds:.2} s"),
    }
}

fn write_rows(rows: &[Vec<String>], markdown: bool) {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |n: usize| rows.iter().filter_map(|row| row.get(n)).map(|cell| cell.chars().count()).max().unwrap_or(0);
    let (start, between, end) = if markdown { ("| ", " | ", " |") } else { ("", "  ", "") };
    for (number, row) in rows.iter().enumerate() {
        let cells = (0..columns).map(|n| {
            let text = row.get(n).map_or("", String::as_str);
            if n == 0 || n + 1 == columns { format!("{text:<0$}", width(n)) } else { format!("{text:>0$}", width(n)) }
        });
        println!("{}", format!("{start}{}{end}", cells.collect::<Vec<_>>().join(between)).trim_end());
        if number == 0 && markdown {
            println!("|---|{}---|", "---:|".repeat(columns.saturating_sub(2)));
        }
    }
}
