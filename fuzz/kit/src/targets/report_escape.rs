//! Every output of a report, with hostile text in it.

use std::sync::LazyLock;

use ringfence_model::report::Report;
use ringfence_reports::{Format, Style, render, terminal, terminal_brief};

use crate::generators::report::{SMALL, Sample, WHOLE};
use crate::generators::stretch;
use crate::oracle::Oracle;
use crate::oracles::{INERT, ORDERS, STRUCTURE, inert, obeyed, structured};
use crate::target::{Seed, Target};

/// An output, and texts for places of a report.
pub const TARGET: Target = Target {
    name: "report_escape",
    reads: "an output, a width, and up to four texts (place, length, bytes) for a report",
    oracles: &[&INERT, &STRUCTURE, &ORDERS, &COLOUR, &SAME],
    run,
    accepts: |bytes| Input::of(bytes).is_some(),
    show: |bytes| match Input::of(bytes) {
        Some(Input { output, sample, width, texts }) => {
            format!("{output}, {width} wide, of {} places: {texts:#?}", sample.places())
        }
        None => "nothing".to_owned(),
    },
    seeds,
    dictionary: None,
    max_len: 1_024,
    covers: &["reports/src"],
};

/// Colour is all that colour changes.
pub const COLOUR: Oracle =
    Oracle::new("colour changes nothing but colour", "whoever reads a log without colours must read the same");
/// A report that was written reads back.
pub const SAME: Oracle =
    Oracle::new("JSON reads back as the same report", "what is judged, compared and signed later is this file");

/// Most texts of one input.
const MAX_TEXTS: usize = 4;
/// What texts are drawn from: one piece for each value of a byte below 128.
#[rustfmt::skip]
const PIECES: [&str; 64] = [
    "<", ">", "\"", "'", "&", "`", "``", "```", "|", "\\", "/", "#", "##[", "##vso[", "::", "::error::", "=", "+", "-", "@", "\t", "\r", "\n",
    "\r\n", "\u{0}", "\u{1b}[31m", "\u{7}", "\u{85}", "\u{9b}", "\u{200b}", "\u{202e}", "\u{2028}", "\u{2066}", "\u{feff}", "\u{fffe}",
    "\u{e0041}", "]]>", "<![CDATA[", "<!--", "-->", "</script>", "<script>", "</code>", "<img src=x>", "javascript:", "http://evil.example",
    "www.evil.example", "[x](", "![", "](", ")", "{{", "{%", "${", "$$", "~~", "- ", "1. ", "    ", "> ", "***", "＝", "a", "é",
];

/// From this byte on the whole sample is taken: in one of ten inputs.
const WHOLE_FROM: u8 = 230;

static OUTPUTS: LazyLock<Vec<&str>> =
    LazyLock::new(|| Format::all().map(Format::name).chain(["terminal", "brief"]).collect());

struct Input {
    output: &'static str,
    sample: &'static Sample,
    width: usize,
    texts: Vec<(usize, String)>,
}

impl Input {
    fn of(bytes: &[u8]) -> Option<Self> {
        let ([output, width], mut rest) = bytes.split_first_chunk::<2>()?;
        let mut texts = Vec::new();
        while let Some(([high, low, length], behind)) = rest.split_first_chunk::<3>()
            && texts.len() < MAX_TEXTS
        {
            let (text, behind) = behind.split_at(usize::from(length & 127).min(behind.len()));
            let drawn = || text.iter().map(|byte| PIECES[usize::from(byte & 63)]).collect::<String>();
            let text = if length & 128 != 0 { drawn() } else { String::from_utf8_lossy(text).into_owned() };
            texts.push((usize::from(u16::from_be_bytes([*high, *low])), text));
            rest = behind;
        }
        Some(Self {
            output: OUTPUTS.get(usize::from(*output) % OUTPUTS.len())?,
            sample: if *output < WHOLE_FROM { &SMALL } else { &WHOLE },
            width: 20 + usize::from(*width),
            texts,
        })
    }

    /// The same places with texts of the same length and lines in which nothing can act.
    fn harmless(&self) -> Vec<(usize, String)> {
        let kept = |c: char| match c {
            c if c.is_ascii_alphanumeric() => c,
            ' ' | '\n' => c,
            _ if c.is_whitespace() => ' ',
            _ => 'x',
        };
        self.texts
            .iter()
            .map(|(place, text)| (*place, text.replace("\r\n", "\n").chars().map(kept).collect()))
            .collect()
    }
}

/// One run.
pub fn run(bytes: &[u8]) {
    let Some(input) = Input::of(bytes) else { return };
    let report = input.sample.with(&input.texts);
    let text = output(&input, &report, false);
    inert(input.output, &text);
    obeyed(input.output, &text);
    match input.output {
        "terminal" | "brief" => {
            coloured(&text, &output(&input, &report, true));
            let ascii = Style { color: false, width: input.width, unicode: false };
            let plain = if input.output == "brief" { terminal_brief(&report, ascii) } else { terminal(&report, ascii) };
            INERT.holds(plain.is_ascii(), || format!("ASCII alone was asked for: {plain}"));
        }
        // Two names that become one, and two texts that become equal, are one in both or told apart in both only by luck.
        _ => structured(input.output, &text, &output(&input, &input.sample.with(&input.harmless()), false)),
    }
    if input.output == "json" {
        same(&report, &text);
    }
}

fn output(input: &Input, report: &Report, color: bool) -> String {
    let style = Style { color, width: input.width, unicode: true };
    match input.output {
        "terminal" => terminal(report, style),
        "brief" => terminal_brief(report, style),
        name => {
            let format: Format = name.parse().expect("its own name");
            render(format, report).unwrap_or_else(|error| {
                STRUCTURE.holds(false, || format!("{name} is not written: {error}"));
                String::new()
            })
        }
    }
}

/// Without SGR sequences both are the same; any other escape stays and is seen.
fn coloured(plain: &str, coloured: &str) {
    let mut parts = coloured.split("\x1b[");
    let mut without = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let end = part.find(|c: char| !c.is_ascii_digit() && c != ';').unwrap_or(part.len());
        let (_, rest) = part.split_at(end);
        without += rest.strip_prefix('m').unwrap_or(part);
    }
    COLOUR.holds(plain == without, || format!("{plain}\n---\n{without}"));
}

fn same(report: &Report, json: &str) {
    let back = serde_json::from_str::<Report>(json).and_then(serde_json::to_value);
    SAME.holds(back.is_ok() && back.ok() == serde_json::to_value(report).ok(), || json.to_owned());
}

fn seeds() -> Vec<Seed> {
    let one = |output: u8, place: u16, text: &str| {
        let [high, low] = place.to_be_bytes();
        [&[output, 60, high, low, text.len() as u8 & 127], text.as_bytes()].concat()
    };
    let attacks = [
        ("script", "<script>alert(1)</script>"),
        ("attribute", "\" onmouseover=\"alert(1)"),
        ("formula", "=cmd|' /C calc'!A0"),
        ("order", "::error file=x::forged"),
        ("link", "[x](http://evil.example)"),
        ("terminal", "\u{1b}[2J\u{202e}x"),
        ("cdata", "]]> <![CDATA["),
        ("rows", "\",\"=1+1\",\"\r\n\"x\""),
    ];
    let mut seeds = Vec::new();
    for (at, (name, text)) in attacks.into_iter().enumerate() {
        for output in 0..10 {
            let place = 17 + 53 * (at as u16) + 29 * u16::from(output);
            seeds.push(Seed::valid(format!("{name}-{output}"), one(output, place, text)));
        }
    }
    let whole = |output: u8| one(WHOLE_FROM + output, 300 + 41 * u16::from(output), "<b>|`=\"");
    seeds.extend((0..10).map(|output| Seed::valid(format!("whole-{output}"), whole(output))));
    let drawn = |seed: u64| [vec![seed as u8 % 10, 40, 1, seed as u8, 0x8c], stretch(seed, 60)].concat();
    seeds.extend((0..20).map(|seed| Seed::valid(format!("drawn-{seed}"), drawn(seed))));
    seeds
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oracle::caught;

    #[test]
    fn a_page_that_changes_with_its_colours_is_caught() {
        caught(&COLOUR, || coloured("a", "\x1b[31mb\x1b[0m"));
        caught(&COLOUR, || coloured("a", "\x1b[2Ja"));
        coloured("ab", "\x1b[1;31ma\x1b[0mb");
    }

    #[test]
    fn a_file_that_reads_as_another_report_is_caught() {
        let other = serde_json::to_string(&SMALL.with(&[(40, "other".into())])).expect("JSON");
        caught(&SAME, std::panic::AssertUnwindSafe(|| same(&SMALL.with(&[]), &other)));
    }
}
