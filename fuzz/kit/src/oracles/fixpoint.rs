//! Parse, print, parse.

use std::fmt::Debug;

use crate::oracle::Oracle;

/// What was read and is printed reads as the same value.
pub const FIXPOINT: Oracle = Oracle::new(
    "parse-print-parse fixpoint",
    "what we say must mean to the next reader what it meant to us; a difference is where messages are smuggled",
);

/// Nothing, if a value that was read prints as something that reads as the same value.
#[track_caller]
pub fn fixpoint<T, P, E>(value: &T, print: impl Fn(&T) -> P, parse: impl Fn(&P) -> Result<T, E>)
where
    T: PartialEq + Debug,
    P: Debug,
    E: Debug,
{
    let printed = print(value);
    match parse(&printed) {
        Ok(again) => FIXPOINT.holds(*value == again, || {
            format!("it reads otherwise\n  read:    {value:?}\n  printed: {printed:?}\n  again:   {again:?}")
        }),
        Err(error) => {
            FIXPOINT.holds(false, || format!("it is refused: {error:?}\n  read:    {value:?}\n  printed: {printed:?}"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oracle::caught;

    #[allow(clippy::ptr_arg, reason = "it reads what the printer gives, a String")]
    fn number(text: &String) -> Result<u32, std::num::ParseIntError> {
        text.parse()
    }

    #[test]
    fn numbers_are_a_fixpoint() {
        fixpoint(&1_000, u32::to_string, number);
    }

    #[test]
    fn a_printer_that_loses_something_is_caught() {
        caught(&FIXPOINT, || fixpoint(&1_000, |value| (value / 10).to_string(), number));
    }

    #[test]
    fn a_printer_of_what_nobody_reads_is_caught() {
        caught(&FIXPOINT, || fixpoint(&1_000, |value| format!("{value:#x}"), number));
    }
}
