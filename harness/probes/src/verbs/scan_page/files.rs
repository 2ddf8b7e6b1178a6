//! Files beside a page's scripts: their source maps, and what the page's own host stores for them, as far as it is named.

use base64::prelude::*;
use ringfence_client::http::Answer;
use serde_json::Value;
use url::Url;

/// Endings of files that hold data for scripts.
const STORED: [&str; 10] =
    [".json", ".webmanifest", ".xml", ".txt", ".env", ".yml", ".yaml", ".ini", ".properties", ".config"];
/// Bytes of a name (house).
const NAME: usize = 256;

/// A source map: in an address, or in the script itself.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum SourceMap {
    /// To be fetched.
    At(Url),
    /// Its text.
    Inside(String),
}

/// Where a script says that its source map is: ECMA-426, section 11.1.
pub(super) fn source_map(script: &str, answer: &Answer, url: &Url) -> Option<SourceMap> {
    let said = |mark: &str| script.rfind(mark).and_then(|at| script.get(at + mark.len()..));
    let in_script = said("//# sourceMappingURL=").or_else(|| said("//@ sourceMappingURL="));
    let in_script = in_script.and_then(|rest| rest.split_whitespace().next());
    let header = |name: &str| answer.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.trim());
    let address = in_script.or_else(|| header("sourcemap")).or_else(|| header("x-sourcemap"))?;
    if let Some(data) = address.strip_prefix("data:") {
        let encoded = data.split_once(";base64,").map(|(_, encoded)| encoded)?;
        return Some(SourceMap::Inside(String::from_utf8(BASE64_STANDARD.decode(encoded).ok()?).ok()?));
    }
    url.join(address).ok().filter(|url| matches!(url.scheme(), "http" | "https")).map(SourceMap::At)
}

/// The sources that a map holds, also where it is made of several: ECMA-426, sections 9 and 10. serde_json refuses documents
/// deeper than 128.
pub(super) fn sources(map: &str) -> Vec<String> {
    fn collect(map: Value, found: &mut Vec<String>) {
        let Value::Object(mut fields) = map else { return };
        if let Some(Value::Array(sources)) = fields.remove("sourcesContent") {
            found.extend(sources.into_iter().filter_map(|source| source.as_str().map(str::to_owned)));
        }
        if let Some(Value::Array(sections)) = fields.remove("sections") {
            sections.into_iter().for_each(|mut section| collect(section["map"].take(), found));
        }
    }
    let mut found = Vec::new();
    // A line that keeps others from running it as a script may stand before it.
    let map = map.strip_prefix(")]}'").map_or(map, |rest| rest.split_once('\n').map_or("", |(_, rest)| rest));
    collect(serde_json::from_str(map).unwrap_or_default(), &mut found);
    found
}

/// Files of the page's own origin that a text names in quotes. `fetch` takes such names as the page's.
pub(super) fn stored(text: &str, page: &Url) -> Vec<Url> {
    let names = text.split(['"', '\'', '`']).filter(|name| !name.is_empty() && name.len() <= NAME);
    let own = |name: &str| stored_at(name, page);
    names.filter_map(own).collect()
}

/// The same of one name.
pub(super) fn stored_at(name: &str, page: &Url) -> Option<Url> {
    let path = name.split(['?', '#']).next().unwrap_or_default();
    let plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/.-_~:?=&%+@".contains(&byte));
    let base = path.rsplit('/').next().unwrap_or_default();
    let is_file = STORED.iter().any(|ending| base.len() > ending.len() && base.ends_with(ending)) || base == ".env";
    let url = page.join(name).ok().filter(|_| plain && is_file)?;
    (url.origin() == page.origin()).then_some(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_found_by_name() {
        let page = Url::parse("https://a.test/call/").unwrap();
        let text = r#"fetch("config.json"); load('/assets/settings.yml?v=2'); x = "https://b.test/c.json"; y = ".json"; z = "a b.json""#;
        let found: Vec<String> = stored(text, &page).iter().map(ToString::to_string).collect();
        assert_eq!(found, ["https://a.test/call/config.json", "https://a.test/assets/settings.yml?v=2"]);
    }

    #[test]
    fn maps_are_found_and_read() {
        let url = Url::parse("https://a.test/js/main.js").unwrap();
        let none = Answer::default();
        let at = |text: &str| Some(SourceMap::At(Url::parse(text).unwrap()));
        assert_eq!(
            source_map("x\n//# sourceMappingURL=main.js.map\n", &none, &url),
            at("https://a.test/js/main.js.map")
        );
        let header = Answer { headers: vec![("sourcemap".into(), "/m.map".into())], ..Answer::default() };
        assert_eq!(source_map("x", &header, &url), at("https://a.test/m.map"));
        let inside = format!("//# sourceMappingURL=data:application/json;base64,{}", BASE64_STANDARD.encode("{}"));
        assert_eq!(source_map(&inside, &none, &url), Some(SourceMap::Inside("{}".into())));
        assert_eq!(source_map("x", &none, &url), None);
        let map = r#")]}'
            {"version":3,"sourcesContent":["a",null],"sections":[{"map":{"sourcesContent":["b"]}},{}]}"#;
        assert_eq!(sources(map), ["a", "b"]);
        assert!(sources("no map").is_empty());
    }
}
