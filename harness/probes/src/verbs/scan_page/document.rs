//! What an HTML document loads, names and sets.

use html5gum::{DefaultEmitter, StartTag, Token, Tokenizer};
use url::Url;

/// Entries of each list (house).
const LISTED: usize = 512;

/// What was read of a document. Addresses are absolute.
#[derive(Debug, Default)]
pub(super) struct Document {
    /// Scripts, in order.
    pub scripts: Vec<Script>,
    /// Modules that scripts inside the document import.
    pub imports: Vec<Url>,
    /// Everything that is loaded with the page.
    pub loads: Vec<Url>,
    /// Every address in an attribute, as it is written.
    pub addresses: Vec<String>,
    /// Content security policies in `meta` elements.
    pub csp: Vec<String>,
    /// Referrer policy in the last `meta` element that sets one: HTML, section 4.2.5.1.
    pub referrer_policy: Option<String>,
}

/// A script that a document names.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Script {
    /// Its address.
    pub url: Url,
    /// A digest fixes its content.
    pub integrity: bool,
}

impl Document {
    /// Reads a document that came from `url`.
    pub fn read(html: &[u8], url: &Url) -> Self {
        let mut document = Self::default();
        let mut base = url.clone();
        let mut emitter = DefaultEmitter::default();
        emitter.naively_switch_states(true);
        let mut in_script = false;
        for token in Tokenizer::new_with_emitter(html, emitter) {
            match token {
                Ok(Token::StartTag(tag)) => {
                    in_script = *tag.name == b"script";
                    document.element(&tag, &mut base);
                }
                Ok(Token::EndTag(_)) => in_script = false,
                Ok(Token::String(text)) if in_script => {
                    let found = imports(&String::from_utf8_lossy(&text), &base);
                    document.imports.extend(found);
                    document.imports.truncate(LISTED);
                }
                Ok(_) => {}
                Err(never) => match never {},
            }
        }
        document
    }

    fn element(&mut self, tag: &StartTag<()>, base: &mut Url) {
        let attribute = |name: &str| {
            let value = tag.attributes.get(name.as_bytes())?;
            Some(String::from_utf8_lossy(&value.value).trim().to_owned())
        };
        for name in ["src", "href", "action", "data", "poster"] {
            self.addresses.extend(attribute(name).filter(|_| self.addresses.len() < LISTED));
        }
        // `data-…` attributes tell a script where to fetch from.
        let told = tag.attributes.iter().filter(|(name, _)| name.starts_with(b"data-"));
        let told = told.map(|(_, value)| String::from_utf8_lossy(&value.value).into_owned());
        self.addresses
            .extend(told.filter(|value| value.contains("://")).take(LISTED - self.addresses.len().min(LISTED)));
        let absolute = |name: &str| base.join(&attribute(name)?).ok();
        let loads = match tag.name.as_slice() {
            b"base" => {
                // Of the document's own choosing: HTML, section 4.2.3.
                *base = absolute("href").unwrap_or_else(|| base.clone());
                None
            }
            b"script" => {
                let script = absolute("src").map(|url| Script { url, integrity: attribute("integrity").is_some() });
                self.scripts.extend(script.filter(|_| self.scripts.len() < LISTED));
                absolute("src")
            }
            b"link" => {
                let rel = attribute("rel").unwrap_or_default().to_ascii_lowercase();
                let loaded = ["stylesheet", "preload", "modulepreload", "icon", "manifest"];
                absolute("href").filter(|_| rel.split_ascii_whitespace().any(|word| loaded.contains(&word)))
            }
            b"img" | b"iframe" | b"audio" | b"video" | b"source" | b"embed" | b"track" => absolute("src"),
            b"object" => absolute("data"),
            // Not loaded, but what a visitor types goes there.
            b"form" => absolute("action"),
            b"meta" => {
                self.meta(&attribute);
                None
            }
            _ => None,
        };
        self.loads.extend(loads.filter(|_| self.loads.len() < LISTED));
    }

    fn meta(&mut self, attribute: &impl Fn(&str) -> Option<String>) {
        let is = |name: &str, word: &str| attribute(name).is_some_and(|value| value.eq_ignore_ascii_case(word));
        let Some(content) = attribute("content") else { return };
        if is("http-equiv", "content-security-policy") && self.csp.len() < LISTED {
            self.csp.push(content);
        } else if is("name", "referrer") {
            self.referrer_policy = Some(content);
        }
    }
}

/// Modules that a script imports by a path: `import … from "./x.js"`, `import "/x.js"`, `import("../x.js")`. ECMA-262 has more
/// ways to write it; a bundler, and a person, use these.
pub(super) fn imports(script: &str, base: &Url) -> Vec<Url> {
    let mut found = Vec::new();
    for word in ["from", "import"] {
        for (at, _) in script.match_indices(word) {
            let Some(rest) = script.get(at + word.len()..) else { continue };
            let rest = rest.trim_start().trim_start_matches('(').trim_start();
            let Some(quote) = rest.chars().next().filter(|c| matches!(c, '"' | '\'')) else { continue };
            let Some((path, _)) = rest.get(1..).and_then(|rest| rest.split_once(quote)) else { continue };
            let by_path = ["./", "../", "/", "https://"].iter().any(|start| path.starts_with(start));
            if by_path && path.len() <= 2048 && found.len() < LISTED {
                found.extend(base.join(path).ok().filter(|url| matches!(url.scheme(), "http" | "https")));
            }
        }
    }
    found
}
