//! Markdown as GitHub and GitLab read it. Target text stands in code spans, where nothing is read. Our own prose stays
//! prose but for words that would be markup, a mention, a reference or a link: these stand in code spans too.

use ringfence_model::verdict::Line;

/// Characters that mean something somewhere in a line: to CommonMark, its tables, or a forge's references.
const MARKUP: &[char] =
    &['`', '*', '_', '[', ']', '<', '>', '|', '\\', '#', '@', '~', '$', '&', '!', '{', '}', '^', '%'];

/// A code span: fenced by more backticks than it holds in a row. On one line, for the text must be.
pub fn code(text: &str) -> String {
    let (mut longest, mut run) = (0, 0);
    for c in text.chars() {
        run = if c == '`' { run + 1 } else { 0 };
        longest = longest.max(run);
    }
    let fence = "`".repeat(longest + 1);
    // One blank on each side is taken away again. It keeps a backtick at an end apart from the fence, and lets a text of
    // blanks, or none, be a span.
    let pad = if text.is_empty() || text.starts_with(['`', ' ']) || text.ends_with(['`', ' ']) { " " } else { "" };
    format!("{fence}{pad}{text}{pad}{fence}")
}

/// Prose that is made visible already, as prose.
pub fn prose(text: &str) -> String {
    let mut out = Vec::new();
    let mut marked: Vec<&str> = Vec::new();
    for word in text.split(' ').filter(|word| !word.is_empty()) {
        if acts(word) {
            marked.push(word);
            continue;
        }
        out.extend((!marked.is_empty()).then(|| code(&marked.join(" "))));
        marked.clear();
        out.push(word.to_owned());
    }
    out.extend((!marked.is_empty()).then(|| code(&marked.join(" "))));
    out.join(" ")
}

/// A sentence of our text and the target's, each piece of the target at most `most` characters long.
pub fn line(line: &Line, most: usize) -> String {
    let mut out = String::new();
    for (target, text) in super::pieces(line) {
        // Two code spans in a row would be one.
        let gap = if out.is_empty() || out.ends_with([' ', '(', '“']) { "" } else { " " };
        let piece = if target { code(&super::shortened(&text, most)) } else { prose(&super::shortened(&text, most)) };
        let tight = !target && text.starts_with([',', '.', ';', ':', ')', '\'']);
        out += if tight { "" } else { gap };
        out += &piece;
    }
    out
}

/// Whether a word is more than a word to some reader of Markdown.
fn acts(word: &str) -> bool {
    let bare = word.trim_matches(|c: char| c.is_ascii_punctuation()).to_ascii_lowercase();
    word.contains(MARKUP)
        || word.contains("://")
        || bare.starts_with("www.")
        || bare.starts_with("gh-")
        || bare.starts_with("mailto:")
        || bare.starts_with("xmpp:")
        || (bare.len() >= 7 && bare.chars().all(|c| c.is_ascii_hexdigit()))
        || word.starts_with("::")
        // At the start of a paragraph these begin a list, a heading's underline or a rule.
        || (!word.is_empty() && word.chars().all(|c| matches!(c, '-' | '+' | '=')))
        || word.strip_suffix(['.', ')']).is_some_and(|n| !n.is_empty() && n.chars().all(|c| c.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use ringfence_model::verdict::Piece;

    use super::*;

    #[test]
    fn a_span_is_fenced_by_more_backticks_than_it_holds() {
        assert_eq!(code("a"), "`a`");
        assert_eq!(code("a ``` b"), "```` a ``` b ````".replace("` a", "`a").replace("b `", "b`"));
        assert_eq!(code("`"), "`` ` ``");
        assert_eq!(code(""), "`  `");
    }

    #[test]
    fn prose_stays_prose_but_for_words_that_act() {
        assert_eq!(prose("Calls can be overheard (RFC 8827, 6.5)."), "Calls can be overheard (RFC 8827, 6.5).");
        assert_eq!(prose("see http://x and @user"), "see `http://x` and `@user`");
        assert_eq!(prose("a <img src=x> b *c*"), "a `<img` `src=x>` b `*c*`".replace("` `", " "));
        assert_eq!(prose("- no list 1. #12 5f0c2a9"), "`-` no list `1. #12 5f0c2a9`");
    }

    #[test]
    fn a_target_s_piece_is_one_span_and_bounded() {
        let long = Line(vec![Piece::Ours("it says ".into()), Piece::Target("x".repeat(500).as_str().into())]);
        assert!(line(&long, 40).len() < 100);
        let two = Line(vec![Piece::Target("a`".into()), Piece::Target("[b](c)".into()), Piece::Ours(", so".into())]);
        assert_eq!(line(&two, 40), "`` a` `` `[b](c)`, so");
    }
}
