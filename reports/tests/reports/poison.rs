//! What a hostile target, target file or scenario directory may put into any text, put into every text of a report.

use ringfence_model::report::Report;
use serde_json::{Map, Value};

use crate::samples;

/// All that an output could obey, in one text.
pub const POISON: &str = "\u{1b}[31m\u{1b}]8;;http://evil.example\u{7}\u{9b}2J\u{202e}\u{2066}\u{200b}\u{feff}\u{0}\u{85}\r\n::error::forged\n\
    </script><script>alert(1)</script><!-- <img src=x onerror=alert(2)> \" onmouseover=\"alert(3) ' ]]> javascript:alert(4) \
    {{ 7 * 7 }} {% include 'x' %} ##vso[task.setvariable]x ##[error]x \u{fffe}\u{ffff} & &lt; `code` | =cmd()";

/// One attack each, at the start of a text, where some work only.
pub const CORPUS: &[&str] = &[
    POISON,
    "<script>window.__pwned=1;alert(1)</script>",
    "</style><style>*{display:none}</style><svg onload=alert(1)>",
    "</title></script><script>window.__pwned=1</script>",
    "<!--<script>-->",
    "\" autofocus onfocus=alert(1) x=\"",
    "' onmouseover='alert(1)",
    "javascript:alert(1)",
    "data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==",
    "<img src=https://evil.example/x.png onerror=window.__pwned=1>",
    "<a href=\"javascript:window.__pwned=1\">x</a><iframe srcdoc=\"<script>parent.__pwned=1</script>\"></iframe>",
    "background:url(https://evil.example/x);expression(alert(1))",
    "&lt;script&gt;alert(1)&lt;/script&gt; &#x3c;script&#x3e; &amp;",
    "{{ 7 * 7 }} {% for x in y %} ${7*7} #{7*7} <%= 7*7 %>",
    "]]> <![CDATA[ ]]><!DOCTYPE x [<!ENTITY e SYSTEM \"file:///etc/passwd\">]>&e;",
    "\u{0}\u{1}\u{8}\u{b}\u{c}\u{1f}\u{7f}\u{fffe}\u{ffff}\u{d7ff}\u{e000}",
    "\u{1b}[2J\u{1b}]0;title\u{7}\u{1b}]8;;http://evil.example\u{1b}\\x\u{1b}P+q\u{1b}\\\u{9b}31m",
    "\u{202e}\u{2066}\u{200f}\u{061c}evil\u{2069}\u{200b}\u{200d}\u{feff}\u{00ad}\u{2060}",
    "\u{e0041}\u{e007f}\u{2028}\u{2029}\u{fff9}\u{fffb}",
    "line\r\nline\n\nline\r\n# heading\n\n- list\n\n    code\n\n---\n***\n===",
    "[click](http://evil.example) ![x](http://evil.example/x.png) <http://evil.example> [ref]: http://evil.example",
    "@everyone @octocat #1 GH-1 octo/repo#1 !1 $1 %1 ~bug :smile: www.evil.example me@evil.example",
    "` `` ``` ```` `<img src=x onerror=window.__pwned=1>` ````",
    "```\n</details><script>window.__pwned=1</script>\n```",
    "| a | b |\n| - | - |\n| \\| | \\\\| |",
    "::error file=x,line=1::forged",
    "::set-output name=x::y\n::stop-commands::z\n##[command]x ##vso[task.complete]x",
    "=cmd|' /C calc'!A0",
    "+1+1",
    "-1-1",
    "@SUM(1+1)",
    "\t=1+1",
    "\r=1+1",
    "  =HYPERLINK(\"http://evil.example\",\"x\")",
    "＝1+1",
    "\",\"=1+1\",\"\r\n\"x\"",
    "</script><!-- <script> \\u003c \u{2028}",
    "\\\" \\\\ \\u0000 \\ud800",
    "раураl.example аррlе \u{301}\u{301}\u{301}\u{301}\u{301}",
    "{0} {1} [link](1) [x](http://evil.example) {{",
    "$`\\href{javascript:alert(1)}{x}`$ $$\\unicode{x}$$",
    "../../../../etc/passwd",
    "https://evil.example/?x=<script>alert(1)</script>",
    "%00%0a%0d%3Cscript%3E",
    "\u{fdfd}\u{1f468}\u{200d}\u{1f469}\u{200d}\u{1f467} 漢字",
];

/// Texts that the format itself fixes: a report with others is none.
const FIXED: [&str; 12] = [
    "format",
    "exit",
    "conditions",
    "fail_on",
    "intrusion",
    "state",
    "severity",
    "level",
    "confidence",
    "standing",
    "met",
    "lab",
];
/// Texts by which parts of a report find each other: poisoned each in its own way.
const NAMES: [&str; 7] = ["scenario", "scenarios", "id", "claims", "controls", "fingerprint", "unproved"];

/// The broken report with [`POISON`] in every text.
pub fn poison() -> Report {
    poisoned(POISON)
}

/// The broken report with a text in the place of every text that is not fixed, names of observed fields included.
pub fn poisoned(text: &str) -> Report {
    let mut report = serde_json::to_value(samples::broken()).unwrap();
    let mut replaced = 0;
    walk(&mut report, "", text, &mut replaced);
    assert!(replaced > 400, "{replaced} texts are too few to be all");
    let mut report: Report = serde_json::from_value(report).expect("still a report");
    report.run.complete = false;
    report
}

fn walk(value: &mut Value, name: &str, poison: &str, replaced: &mut usize) {
    match value {
        Value::String(_) if FIXED.contains(&name) => {}
        Value::String(text) => {
            // What names a thing has to stay different from what names another.
            *text = if NAMES.contains(&name) { format!("{text}{poison}") } else { poison.to_owned() };
            *replaced += 1;
        }
        Value::Array(list) => list.iter_mut().for_each(|item| walk(item, name, poison, replaced)),
        // The target's own: here names are text as well, and nothing is fixed.
        Value::Object(map) if ["with", "observation", "target"].contains(&name) => free(map, poison, replaced),
        Value::Object(map) => map.iter_mut().for_each(|(name, value)| walk(value, name, poison, replaced)),
        _ => {}
    }
}

fn free(map: &mut Map<String, Value>, poison: &str, replaced: &mut usize) {
    for (_, value) in map.iter_mut() {
        leaves(value, poison, replaced);
    }
    map.insert(poison.to_owned(), Value::Array(vec![poison.into(), serde_json::json!({ poison: [poison] })]));
}

fn leaves(value: &mut Value, poison: &str, replaced: &mut usize) {
    match value {
        Value::String(text) => {
            *text = poison.to_owned();
            *replaced += 1;
        }
        Value::Array(list) => list.iter_mut().for_each(|item| leaves(item, poison, replaced)),
        Value::Object(map) => free(map, poison, replaced),
        _ => {}
    }
}
