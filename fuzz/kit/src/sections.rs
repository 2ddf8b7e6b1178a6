//! Seeds that are kept as text, many in one file.

/// Name and text of each section: a name stands behind `=== `, the text in the lines below it, without the last line's end. What
/// stands before the first one is a comment.
pub fn sections(file: &str) -> impl Iterator<Item = (&str, String)> {
    file.split("\n=== ").skip(1).map(|part| {
        let (name, text) = part.split_once('\n').unwrap_or((part, ""));
        (name.trim_end(), text.replace("\r\n", "\n").trim_end_matches('\n').to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_texts_are_told_apart() {
        let read: Vec<_> = sections("# about\n=== one\na\nb\n\n=== two\n=== three\nc = d\n").collect();
        assert_eq!(read, [("one", "a\nb".into()), ("two", String::new()), ("three", "c = d".into())]);
    }
}
