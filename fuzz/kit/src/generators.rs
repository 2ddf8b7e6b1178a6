//! Input with structure: values drawn from the fuzzer's bytes.

use arbitrary::{Arbitrary, Unstructured};

/// The value that these bytes stand for; none, if they are too few. Every target draws this way, so that a file is one input for
/// every engine.
pub fn value<'a, T: Arbitrary<'a>>(bytes: &'a [u8]) -> Option<T> {
    T::arbitrary_take_rest(Unstructured::new(bytes)).ok()
}
