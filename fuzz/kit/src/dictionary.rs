//! The dictionaries of `fuzz/dictionaries`, in the format of AFL and libFuzzer.

/// The words of a dictionary; an error names the first line that is none.
///
/// A line is empty, a comment behind `#`, or `"word"` with `\\`, `\"` and `\xAB` inside, before which `name=` may stand.
pub fn words(text: &str) -> Result<Vec<Vec<u8>>, String> {
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty() && !line.starts_with('#'));
    lines.map(|(at, line)| word(line).ok_or_else(|| format!("line {}: {line:?} is no entry", at + 1))).collect()
}

fn word(line: &str) -> Option<Vec<u8>> {
    let quoted = &line[line.find('"')?..];
    let mut bytes = quoted.trim_end().strip_prefix('"')?.strip_suffix('"')?.bytes();
    let mut word = Vec::new();
    while let Some(byte) = bytes.next() {
        word.push(match byte {
            b'"' => return None,
            b'\\' => match bytes.next()? {
                b'x' => {
                    let digit = |byte: u8| (byte as char).to_digit(16);
                    u8::try_from(digit(bytes.next()?)? * 16 + digit(bytes.next()?)?).ok()?
                }
                escaped @ (b'\\' | b'"') => escaped,
                _ => return None,
            },
            plain => plain,
        });
    }
    Some(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bytes of a word that libFuzzer takes at most.
    const MAX_WORD: usize = 64;

    #[test]
    fn every_dictionary_is_read() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../dictionaries");
        let mut seen = 0;
        for file in std::fs::read_dir(folder).expect("the folder is there") {
            let path = file.expect("a file").path();
            if path.extension().is_none_or(|ending| ending != "dict") {
                continue;
            }
            let words = words(&std::fs::read_to_string(&path).expect("text")).expect("a dictionary");
            assert!(words.len() > 100, "{} words in {}", words.len(), path.display());
            assert!(words.iter().all(|word| (1..=MAX_WORD).contains(&word.len())), "{}", path.display());
            seen += 1;
        }
        assert_eq!(seen, 4);
    }

    #[test]
    fn escapes_are_read_and_nonsense_is_not() {
        assert_eq!(words("# x\n\nname=\"a\\x00\\\\\\\"b\"\n"), Ok(vec![b"a\0\\\"b".to_vec()]));
        for wrong in ["word", "\"word", "\"a\\q\"", "\"a\"b\"", "\"\\x0\""] {
            assert!(words(wrong).is_err(), "{wrong}");
        }
    }
}
