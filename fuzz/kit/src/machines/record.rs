//! What happened in a play, in lines: they are there also where an oracle ends it.

use std::cell::RefCell;
use std::fmt::Debug;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;

/// Lines that a play and who watches it share; nothing, where nobody wants them.
#[derive(Clone, Debug, Default)]
pub struct Record(Option<Rc<RefCell<Vec<String>>>>);

impl Record {
    /// What happens in this play, up to its end or to the oracle that ends it.
    pub fn of(play: impl FnOnce(&Record)) -> String {
        let record = Self(Some(Rc::default()));
        if catch_unwind(AssertUnwindSafe(|| play(&record))).is_err() {
            record.note(|| "here an oracle ends it".into());
        }
        record.0.map(|lines| lines.borrow().join("\n") + "\n").unwrap_or_default()
    }

    /// One more line.
    pub fn note(&self, line: impl FnOnce() -> String) {
        if let Some(lines) = &self.0 {
            let line = line();
            lines.borrow_mut().push(line);
        }
    }

    /// An act of the script; what comes of it follows.
    pub fn act(&self, act: &impl Debug) {
        self.note(|| format!("> {act:?}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_happened_before_an_oracle_spoke_is_kept() {
        let text = Record::of(|record| {
            record.act(&"Wake");
            record.note(|| "something".into());
            panic!("an oracle");
        });
        assert_eq!(text, "> \"Wake\"\nsomething\nhere an oracle ends it\n");
        assert_eq!(Record::of(|record| record.note(|| "all".into())), "all\n");
    }

    #[test]
    fn what_nobody_wants_is_not_made() {
        Record::default().note(|| unreachable!("a line"));
    }
}
