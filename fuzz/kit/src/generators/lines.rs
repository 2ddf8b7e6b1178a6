//! A file of ours with some of its lines changed: keys keep their names while values become others'.

use std::borrow::Cow;

use arbitrary::{Result, Unstructured};

/// Most lines that are changed.
const MAX_EDITS: usize = 4;

/// The file after some edits: a value replaced by one of `values`, a line left out, written twice or moved, one of `lines` put in.
pub fn edited(u: &mut Unstructured<'_>, file: &str, values: &[&str], lines: &[&'static str]) -> Result<String> {
    let mut edited: Vec<Cow<'_, str>> = file.lines().map(Cow::Borrowed).collect();
    for _ in 0..u.int_in_range(0..=MAX_EDITS)? {
        if edited.is_empty() {
            break;
        }
        let at = u.choose_index(edited.len())?;
        match u.int_in_range(0..=9)? {
            0 => drop(edited.remove(at)),
            1 => {
                let line = edited.get(at).cloned().unwrap_or_default();
                edited.insert(u.choose_index(edited.len())?, line);
            }
            2 => {
                let line = edited.remove(at);
                let to = u.int_in_range(0..=edited.len())?;
                edited.insert(to, line);
            }
            3 if !lines.is_empty() => edited.insert(at, Cow::Borrowed(*u.choose(lines)?)),
            _ => {
                let value = *u.choose(values)?;
                if let Some(line) = edited.get_mut(at)
                    && let Some((key, _)) = line.split_once(" = ")
                {
                    *line = Cow::Owned(format!("{key} = {value}"));
                }
            }
        }
    }
    Ok(edited.join("\n") + "\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generators::stretch;

    #[test]
    fn some_stay_as_they_are_and_most_do_not() {
        let file = "a = 1\nb = 2\n[c]\nd = 3\n";
        let drawn =
            |seed| edited(&mut Unstructured::new(&stretch(seed, 40)), file, &["7"], &["[x]"]).expect("there is input");
        let changed = (0..200).filter(|seed| drawn(*seed) != file).count();
        assert!((100..200).contains(&changed), "{changed}");
        assert!((0..200).any(|seed| drawn(seed).contains("d = 7")));
    }
}
