//! What a hostile target says stays text, in every output.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use ringfence_reports::{Format, Style, render, terminal, terminal_brief};
use sha2::{Digest, Sha256};

use crate::consistency::{elements, embedded};
use crate::counts::cells;
use crate::poison::{self, CORPUS, POISON};
use crate::samples;

/// Whether a character could move a cursor, turn the writing direction or hide.
fn acts(c: char) -> bool {
    (c.is_control() && c != '\n')
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

#[test]
fn no_output_holds_a_character_that_acts() {
    assert!(POISON.chars().filter(|&c| acts(c)).count() > 8, "the poison is none");
    for poison in CORPUS {
        let report = poison::poisoned(poison);
        let style = Style { color: false, width: 70, unicode: true };
        let mut outputs = vec![("terminal", terminal(&report, style)), ("brief", terminal_brief(&report, style))];
        outputs.extend(Format::all().map(|format| (format.name(), render(format, &report).unwrap())));
        for (name, text) in outputs {
            assert!(*poison != POISON || text.contains("alert(1)"), "{name}: the poison must be shown");
            // What CSV asks for between rows.
            let text = if name == "csv" { text.replace("\r\n", "\n") } else { text };
            let bad = text.char_indices().find(|(_, c)| acts(*c));
            let before =
                |at: usize| text[..at].chars().rev().take(60).collect::<Vec<_>>().into_iter().rev().collect::<String>();
            assert!(bad.is_none(), "{name} of {poison:?}: {bad:?} behind {:?}", bad.map(|(at, _)| before(at)));
        }
    }
}

#[test]
fn every_text_of_a_report_is_poisoned() {
    // What stays is fixed by the format: words of closed lists, and numbers.
    let json = render(Format::Json, &poison::poisoned("☠")).unwrap();
    let mut left: Vec<&str> = json.split('"').skip(1).step_by(2).filter(|text| !text.contains('☠')).collect();
    left.sort_unstable();
    left.dedup();
    for own in ["front-desk", "ringfence run", "cognigy", "webrtc-mti", "Confidential", "receiver", "192.0.2"] {
        assert!(!left.iter().any(|text| text.contains(own)), "{own} is left in {left:?}");
    }
}

#[test]
fn a_spreadsheet_runs_nothing() {
    for poison in CORPUS {
        let csv = render(Format::Csv, &poison::poisoned(poison)).unwrap();
        let rows = cells(&csv);
        assert_eq!(rows.len(), samples::broken().results.len() + 1, "{poison:?} makes no row");
        for cell in rows.iter().flatten() {
            let start = cell.trim_start().chars().next().unwrap_or(' ');
            assert!(!"=+-@\t\r\n＝＋－＠".contains(start) || cell.is_empty() || start == ' ', "{poison:?}: {cell}");
            assert!(!cell.contains(['\n', '\r']), "one line per row: {cell}");
        }
    }
}

#[test]
fn the_terminal_obeys_nobody() {
    for width in [20, 40, 77, 200] {
        for unicode in [true, false] {
            let style = Style { color: false, width, unicode };
            let plain = terminal(&poison::poison(), style);
            assert!(unicode || plain.is_ascii());
            for line in plain.lines() {
                assert!(!line.trim_start().starts_with("::"), "{line}");
                assert!(!line.contains("##[") && !line.contains("##vso["), "{line}");
            }
            let coloured = terminal(&poison::poison(), Style { color: true, ..style });
            assert_ne!(plain, coloured);
            assert_eq!(plain, without_colours(&coloured), "colour changes nothing but colour");
        }
    }
}

/// The text without SGR sequences; any other escape stays and makes the comparison fail.
fn without_colours(text: &str) -> String {
    let mut parts = text.split("\x1b[");
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let end = part.find(|c: char| !c.is_ascii_digit() && c != ';').unwrap_or(part.len());
        plain += part[end..].strip_prefix('m').expect("only SGR sequences");
    }
    plain
}

#[test]
fn lines_keep_within_the_width_but_for_what_is_copied() {
    for (name, report) in samples::all() {
        for width in [32, 60, 100] {
            let text = terminal(&report, Style { color: false, width, unicode: true });
            // The last is longer than any line that was broken.
            let uncut = "<!-- <img src=x onerror=alert(2)> \" onmouseover=\"alert(3) ' ]]> javascript:alert(4) {{ 7 * 7 }} {% include";
            let copied = ["ringfence ", "participants = ", "[turn] ", "\\u{1b}", uncut];
            for line in text.lines().filter(|line| !copied.iter().any(|start| line.contains(start))) {
                // An order that is defused at the start of a line grows by five.
                let room = width + if line.contains("\\u{3a}") { 5 } else { 0 };
                assert!(line.chars().count() <= room, "{name} at {width}: {line}");
            }
        }
    }
}

#[test]
fn the_xml_is_well_formed_and_adds_no_element() {
    let tags = |poison: &str| {
        let text = render(Format::Junit, &poison::poisoned(poison)).unwrap();
        let legal = |c: char| matches!(c, '\t' | '\n' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..);
        assert!(text.chars().all(legal), "{poison:?}");
        elements(&text).into_iter().map(|(tag, _)| tag).collect::<Vec<_>>()
    };
    let harmless = tags("no harm");
    for poison in CORPUS {
        assert_eq!(tags(poison), harmless, "{poison:?}");
    }
}

#[test]
fn the_page_s_elements_are_the_same_whatever_the_target_says() {
    let tags = |poison: &str| {
        let page = render(Format::Html, &poison::poisoned(poison)).unwrap();
        let shown = page.replace(embedded(&page), "");
        shown.split('<').skip(1).map(|tag| tag.split(['>', ' ', '\n']).next().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let harmless = tags("no harm");
    for poison in CORPUS {
        let tags = tags(poison);
        let differ = tags.iter().zip(&harmless).position(|(a, b)| a != b);
        assert!(differ.is_none(), "{poison:?}: {:?}", differ.map(|at| &tags[at.saturating_sub(30)..at + 3]));
        assert_eq!(tags.len(), harmless.len(), "{poison:?}");
    }
}

#[test]
fn the_page_gets_no_element_attribute_or_address_from_the_target() {
    let page = render(Format::Html, &poison::poison()).unwrap();
    let shown = page.replace(embedded(&page), "");
    for live in
        ["<script>alert", "<img", "<!--", "onerror=\"", "onmouseover=\"", "href=\"javascript", "href=\"data", "]]>"]
    {
        assert!(!shown.contains(live), "{live}");
    }
    assert_eq!(page.matches("<script").count(), 2, "ours: the data and the code");
    assert_eq!(page.matches("</script").count(), 2);
    assert_eq!(embedded(&page).matches(['<', '\u{1b}']).count(), 0);
    let names = |text: &str| {
        let mut names: Vec<String> =
            text.split('<').skip(1).map(|t| t.split([' ', '>', '\n']).next().unwrap_or_default().to_owned()).collect();
        names.sort();
        names.dedup();
        names
    };
    assert_eq!(names(&page), names(&render(Format::Html, &samples::broken()).unwrap()));
    assert!(page.contains("{{ 7 * 7 }}"), "template text of the target is text");
}

#[test]
fn the_page_asks_for_nothing_and_allows_only_its_own_style_and_script() {
    for (name, report) in samples::all() {
        let page = render(Format::Html, &report).unwrap();
        for loading in ["<link", "<iframe", "<object", "<form", "<base", " src=", "@import", "url(", "srcset", "style="]
        {
            assert!(!page.replace(embedded(&page), "").replace("src=x", "").contains(loading), "{name}: {loading}");
        }
        let policy = page.split("Content-Security-Policy\" content=\"").nth(1).unwrap().split('"').next().unwrap();
        let policy = policy.replace("&#x27;", "'").replace("&#x2f;", "/");
        assert!(policy.starts_with("default-src 'none';"), "{policy}");
        for (tag, directive) in [("style", "style-src"), ("script", "script-src")] {
            let text = page.split(&format!("<{tag}>")).nth(1).unwrap().split(&format!("</{tag}>")).next().unwrap();
            let hash = BASE64_STANDARD.encode(Sha256::digest(text));
            assert!(policy.contains(&format!("{directive} 'sha256-{hash}';")), "{name}: {directive} in {policy}");
        }
    }
}

#[test]
fn every_output_says_within_four_kibibytes_that_it_is_ours() {
    // What `write_atomically` looks for before it replaces a file without being forced.
    for format in Format::all() {
        for (name, report) in samples::all() {
            let text = render(format, &report).unwrap();
            let at = text.find("ringfence.report").unwrap_or(usize::MAX);
            assert!(at < 4096, "{format} of {name}: {at}");
        }
    }
}
