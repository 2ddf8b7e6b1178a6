//! What was meant: the known name nearest to a mistyped one.

/// Longest list of known names that a message prints.
const LISTED: usize = 12;

/// `; did you mean …` for a near name, else the known names where they are few, else nothing.
pub fn hint<'a>(wrong: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    let mut known: Vec<&str> = known.into_iter().filter(|name| !name.is_empty()).collect();
    known.sort_unstable();
    known.dedup();
    if let Some(near) = nearest(wrong, known.iter().copied()) {
        return format!("; did you mean `{near}`?");
    }
    match known.len() {
        0 => String::new(),
        1..=LISTED => format!("; known: {}", known.join(", ")),
        _ => String::new(),
    }
}

/// The nearest name, if it is near enough to be a slip: a third of its letters at most.
pub(crate) fn nearest<'a>(wrong: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let lower = wrong.to_lowercase();
    let scored = known.into_iter().map(|name| (distance(&lower, &name.to_lowercase()), name));
    let (distance, name) = scored.min_by_key(|(distance, name)| (*distance, name.len()))?;
    let length = wrong.chars().count().max(name.chars().count());
    // Any two single letters are one edit apart, which means nothing.
    let allowed = if length > 1 { (length / 3).max(1) } else { 0 };
    (distance <= allowed).then_some(name)
}

/// Edits between two words: insertion, deletion, replacement, and two neighbours swapped, one each.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().take(80).collect(), b.chars().take(80).collect());
    let mut rows: Vec<Vec<usize>> = vec![(0..=b.len()).collect()];
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let replaced = rows[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut best = replaced.min(rows[i - 1][j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(rows[i - 2][j - 2] + 1);
            }
            row.push(best);
        }
        rows.push(row);
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn case(wrong: &str, known: &[&str], said: &str) {
        assert_eq!(hint(wrong, known.iter().copied()), said);
    }

    #[test]
    fn names_the_near_one_or_the_few() {
        case("medai", &["media", "dtls"], "; did you mean `media`?");
        case("titel", &["title", "level"], "; did you mean `title`?");
        case("Answered", &["answered", "closed"], "; did you mean `answered`?");
        case("xyz", &["media", "dtls"], "; known: dtls, media");
        case("a", &["b"], "; known: b");
        case("x", &[], "");
    }
}
