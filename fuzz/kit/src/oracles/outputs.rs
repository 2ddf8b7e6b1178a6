//! What every output of a report owes its reader, whatever text stands in it.

use pulldown_cmark::{Event, Options, Parser, Tag};
use quick_xml::Reader;
use quick_xml::events::Event as Xml;
use serde_json::Value;

use crate::oracle::Oracle;

/// No character acts.
pub const INERT: Oracle = Oracle::new(
    "no character acts",
    "controls, direction marks and invisible characters of a target would move a cursor or show a reader another text than is there",
);
/// Text adds no structure.
pub const STRUCTURE: Oracle = Oracle::new(
    "text adds no structure",
    "an element, cell, link or heading that the target wrote looks as if it were ours, and may run",
);
/// No line is an order.
pub const ORDERS: Oracle = Oracle::new(
    "no line is an order",
    "a CI service obeys `::…` and `##[…` in a log, a spreadsheet a cell that begins with a formula's sign",
);

/// Nothing, if no character could move a cursor, turn the direction of writing or hide. `\r\n` ends rows of CSV alone.
pub fn inert(name: &str, text: &str) {
    let acts = |c: char| {
        (c.is_control() && c != '\n')
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
    };
    let text = if name == "csv" { text.replace("\r\n", "\n") } else { text.to_owned() };
    let found = text.char_indices().find(|(_, c)| acts(*c));
    INERT.holds(found.is_none(), || {
        let at = found.map_or(0, |(at, _)| at);
        let before: Vec<char> = text.get(..at).unwrap_or_default().chars().rev().take(80).collect();
        format!("{name}: {found:?} behind {:?}", before.into_iter().rev().collect::<String>())
    });
}

/// Nothing, if both have the same structure: `hostile`, and `harmless`, which has other texts in the same places.
///
/// # Panics
/// Of a format that is not known here: a new one has to be.
pub fn structured(name: &str, hostile: &str, harmless: &str) {
    let (one, other) = match name {
        "junit" => (elements(hostile), elements(harmless)),
        "html" | "html-flat" => (tags(hostile), tags(harmless)),
        "markdown" => (blocks(hostile), blocks(harmless)),
        "csv" => (rows(hostile), rows(harmless)),
        "json" | "sarif" | "sarif-full" => (shape(hostile), shape(harmless)),
        other => panic!("nothing is known of the structure of {other}"),
    };
    let apart = one.iter().zip(&other).position(|(one, other)| one != other).unwrap_or(one.len().min(other.len()));
    STRUCTURE.holds(one == other, || {
        let near = |list: &[String]| {
            list.get(apart.saturating_sub(5)..(apart + 5).min(list.len())).unwrap_or_default().join(" ")
        };
        format!(
            "{name}: {} and {} parts, apart at {apart}\n  hostile:  {}\n  harmless: {}",
            one.len(),
            other.len(),
            near(&one),
            near(&other)
        )
    });
}

/// Nothing, if no line of a log and no cell of a table is obeyed.
pub fn obeyed(name: &str, text: &str) {
    match name {
        "csv" => {
            for cell in cells(text).iter().flatten() {
                let acts =
                    cell.trim_start().starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠']);
                ORDERS.holds(!acts && !cell.contains(['\n', '\r']), || format!("the cell {cell:?}"));
            }
        }
        "terminal" | "brief" | "markdown" => {
            for line in text.lines() {
                let acts = line.trim_start().starts_with("::")
                    || name != "markdown" && (line.contains("##[") || line.contains("##vso["));
                ORDERS.holds(!acts, || format!("{name}: the line {line:?}"));
            }
        }
        _ => {}
    }
}

/// Elements of an XML document and their attributes' names; what is not well formed ends the list.
fn elements(xml: &str) -> Vec<String> {
    let mut reader = Reader::from_str(xml);
    reader.config_mut().check_end_names = true;
    let mut found = Vec::new();
    loop {
        match reader.read_event() {
            Ok(Xml::Start(start) | Xml::Empty(start)) => {
                let names = start.attributes().map(|attribute| match attribute {
                    Ok(attribute) => String::from_utf8_lossy(attribute.key.as_ref()).into_owned(),
                    Err(error) => error.to_string(),
                });
                found.push(format!(
                    "{}{:?}",
                    String::from_utf8_lossy(start.name().as_ref()),
                    names.collect::<Vec<_>>()
                ));
            }
            Ok(Xml::Eof) => return found,
            Ok(Xml::Text(_) | Xml::End(_) | Xml::Decl(_) | Xml::GeneralRef(_)) => {}
            Ok(other) => found.push(format!("{other:?}")),
            Err(error) => {
                found.push(format!("no XML: {error}"));
                return found;
            }
        }
    }
}

/// Names of the tags of a page, without the report that it holds.
fn tags(page: &str) -> Vec<String> {
    let start = r#"<script type="application/json" id="report">"#;
    let (before, rest) = page.split_once(start).unwrap_or((page, ""));
    let (held, behind) = rest.split_once("</script>").unwrap_or((rest, ""));
    let name = |tag: &str| tag.split(['>', ' ', '\n']).next().unwrap_or_default().to_owned();
    let mut tags: Vec<String> = before.split('<').skip(1).chain(behind.split('<').skip(1)).map(name).collect();
    tags.push(format!("the report holds {} tags", held.matches('<').count()));
    tags
}

/// Blocks, links and markup of a page, as CommonMark reads it.
fn blocks(page: &str) -> Vec<String> {
    let kept = |event| match event {
        Event::Start(tag) if !matches!(tag, Tag::Emphasis | Tag::Strong) => Some(format!("{tag:?}")),
        Event::Html(html) | Event::InlineHtml(html) => {
            Some(html.split([' ', '>']).next().unwrap_or_default().to_owned())
        }
        Event::FootnoteReference(_) | Event::InlineMath(_) | Event::DisplayMath(_) | Event::Rule => {
            Some(format!("{event:?}"))
        }
        _ => None,
    };
    Parser::new_ext(page, Options::all()).filter_map(kept).collect()
}

/// How many cells each row has.
fn rows(table: &str) -> Vec<String> {
    cells(table).iter().map(|row| row.len().to_string()).collect()
}

/// The cells of a table. RFC 4180, section 2.
fn cells(table: &str) -> Vec<Vec<String>> {
    let (mut rows, mut row, mut cell, mut quoted) = (Vec::new(), Vec::new(), String::new(), false);
    let mut rest = table.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '"' if quoted && rest.peek() == Some(&'"') => cell.extend(rest.next()),
            '"' => quoted = !quoted,
            ',' if !quoted => row.push(std::mem::take(&mut cell)),
            '\r' if !quoted && rest.peek() == Some(&'\n') => {}
            '\n' if !quoted => {
                row.push(std::mem::take(&mut cell));
                rows.push(std::mem::take(&mut row));
            }
            c => cell.push(c),
        }
    }
    rows
}

/// Kinds of all values in their order; where it is no JSON, that.
fn shape(document: &str) -> Vec<String> {
    fn add(value: &Value, found: &mut Vec<String>) {
        match value {
            Value::Array(list) => {
                found.push(format!("[{}", list.len()));
                list.iter().for_each(|value| add(value, found));
            }
            Value::Object(map) => {
                found.push(format!("{{{}", map.len()));
                map.values().for_each(|value| add(value, found));
            }
            Value::String(_) => found.push("text".to_owned()),
            other => found.push(other.to_string()),
        }
    }
    let mut found = Vec::new();
    match serde_json::from_str(document) {
        Ok(value) => add(&value, &mut found),
        Err(error) => found.push(format!("no JSON: {error}")),
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oracle::caught;

    #[test]
    fn an_output_with_a_character_that_acts_is_caught() {
        for text in ["a\u{1b}[2J", "a\u{202e}b", "a\rb", "a\u{85}"] {
            caught(&INERT, || inert("terminal", text));
        }
        inert("csv", "a,b\r\n");
    }

    #[test]
    fn markup_of_the_target_s_is_caught_in_every_format() {
        let cases = [
            ("junit", "<a><b x='1'/></a>", "<a><b/></a>"),
            ("junit", "<a>&broken</a>", "<a>x</a>"),
            ("html", "<p><img src=x></p>", "<p>x</p>"),
            ("markdown", "a [x](http://evil.example)\n", "a x\n"),
            ("markdown", "a <b>x</b>\n", "a x\n"),
            ("csv", "a,\"b\",c\r\n", "a,\"b,c\"\r\n"),
            ("csv", "a\r\nb\r\n", "a b\r\n"),
            ("json", "{\"a\":\"\",\"b\":1}", "{\"a\":\"x\"}"),
            ("sarif", "{\"a\":\"\"", "{\"a\":\"x\"}"),
        ];
        for (name, hostile, harmless) in cases {
            caught(&STRUCTURE, || structured(name, hostile, harmless));
        }
        structured("csv", "a,\"b \"\"c\"\",\"\r\n", "a,b\r\n");
    }

    #[test]
    fn an_output_that_gives_orders_is_caught() {
        for (name, text) in
            [("terminal", " ::error::x"), ("brief", "a ##[error]x"), ("csv", "a,\"=1+1\"\r\n"), ("csv", " ＋1\r\n")]
        {
            caught(&ORDERS, || obeyed(name, text));
        }
        obeyed("csv", "'=1+1\r\n");
    }
}
