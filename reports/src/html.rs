//! HTML: one file that asks for nothing, works without scripts, and holds the JSON that it shows.
//!
//! Three walls stand between a target's text and the reader: [`crate::escape`] spells out what acts, the template
//! escapes every value by itself (no value of a report is ever marked safe), and the page's content security policy
//! allows only the one style and the one script whose hashes it names. No text of a report becomes an address.

mod matrix;
mod method;
mod results;
mod stages;
mod summary;
mod view;
mod waivers;

use std::sync::LazyLock;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use minijinja::syntax::SyntaxConfig;
use minijinja::value::Serde;
use minijinja::{AutoEscape, Environment, UndefinedBehavior, Value, context};
use ringfence_model::report::Report;
use sha2::{Digest, Sha256};

use crate::{RenderError, json};

const STYLE: &str = concat!(
    include_str!("../templates/style/base.css"),
    include_str!("../templates/style/parts.css"),
    include_str!("../templates/style/results.css"),
    include_str!("../templates/style/narrow.css"),
    include_str!("../templates/style/print.css"),
);
const SCRIPT: &str = include_str!("../templates/page.js");
const TEMPLATES: [(&str, &str); 10] = [
    ("report.html", include_str!("../templates/report.html")),
    ("parts.html", include_str!("../templates/parts.html")),
    ("summary.html", include_str!("../templates/summary.html")),
    ("path.html", include_str!("../templates/path.html")),
    ("findings.html", include_str!("../templates/findings.html")),
    ("untested.html", include_str!("../templates/untested.html")),
    ("passed.html", include_str!("../templates/passed.html")),
    ("matrices.html", include_str!("../templates/matrices.html")),
    ("waivers.html", include_str!("../templates/waivers.html")),
    ("method.html", include_str!("../templates/method.html")),
];

static ENVIRONMENT: LazyLock<Result<Environment<'static>, String>> = LazyLock::new(|| {
    let mut environment = Environment::new();
    environment.set_auto_escape_callback(|_| AutoEscape::Html);
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    let syntax = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).keep_trailing_newline(true).build();
    environment.set_syntax(syntax.map_err(|error| format!("{error:#}"))?);
    for (name, text) in TEMPLATES {
        environment.add_template(name, text).map_err(|error| format!("{error:#}"))?;
    }
    Ok(environment)
});

/// The report as a page that folds what few will read.
pub fn render(report: &Report) -> Result<String, RenderError> {
    page(report, false)
}

/// The report as a page with nothing folded: for browsers that print what is folded as folded.
pub fn render_flat(report: &Report) -> Result<String, RenderError> {
    page(report, true)
}

fn page(report: &Report, flat: bool) -> Result<String, RenderError> {
    let broken = |why: &String| minijinja::Error::new(minijinja::ErrorKind::SyntaxError, why.clone());
    let environment = ENVIRONMENT.as_ref().map_err(broken)?;
    let data = json::render(report)?;
    let page = context! {
        page => Value::from(Serde(view::page(report))),
        // What a folding part is opened by.
        open => if flat { " open" } else { "" },
        // The only texts that are not escaped: ours, and JSON that holds no `<`.
        style => Value::from_safe_string(STYLE.to_owned()),
        script => Value::from_safe_string(SCRIPT.to_owned()),
        data_sha256 => hex(&Sha256::digest(&data)),
        data => Value::from_safe_string(data),
        policy => policy(),
    };
    Ok(environment.get_template("report.html")?.render(page)?)
}

/// What the page may load: its own style and script, by hash, and nothing else.
fn policy() -> String {
    let hash = |text: &str| format!("'sha256-{}'", BASE64_STANDARD.encode(Sha256::digest(text)));
    format!(
        "default-src 'none'; style-src {}; script-src {}; img-src data:; base-uri 'none'; form-action 'none'",
        hash(STYLE),
        hash(SCRIPT)
    )
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn templates_compile_and_mark_nothing_safe() {
        assert!(ENVIRONMENT.is_ok(), "{:?}", ENVIRONMENT.as_ref().err());
        for (name, text) in TEMPLATES {
            for way_out in ["|safe", "| safe", "autoescape", " style=", " onclick="] {
                assert!(!text.contains(way_out), "{name}: {way_out}");
            }
        }
    }

    #[test]
    fn style_and_script_end_where_their_elements_do() {
        assert!(!STYLE.contains("</") && !SCRIPT.contains("</"));
        assert!(!STYLE.contains("url(") && !STYLE.contains("@import") && !SCRIPT.contains("innerHTML"));
    }
}
