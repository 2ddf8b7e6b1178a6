//! What can be wrong with bytes, in words that name the field.

/// Why bytes could not be read, or a value not be written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The input ends inside this field.
    #[error("{0} is cut short")]
    Truncated(&'static str),
    /// The field is there, but breaks the grammar or the range of its format.
    #[error("{0} is not valid")]
    Invalid(&'static str),
    /// The format needs this field.
    #[error("{0} is missing")]
    Missing(&'static str),
    /// The field says that it is text, and its bytes are not UTF-8.
    #[error("{0} is not UTF-8")]
    NotUtf8(&'static str),
    /// The field is given more than once, and its values differ.
    #[error("{0} is given twice with different values")]
    Conflict(&'static str),
    /// A bound against hostile input, or of the format itself.
    #[error("{field} is over the limit of {limit}")]
    TooLarge {
        /// What is too large, with its unit where that is not plain.
        field: &'static str,
        /// The largest value that is accepted.
        limit: usize,
    },
    /// A stated length and the bytes that are there disagree.
    #[error("{field} says {stated} bytes, there are {actual}")]
    Length {
        /// The length field.
        field: &'static str,
        /// What it says, in bytes.
        stated: usize,
        /// What is there, in bytes.
        actual: usize,
    },
    /// A checksum, authentication code or password does not fit.
    #[error("{0} does not verify")]
    Unverified(&'static str),
    /// Well formed, but not something this crate computes.
    #[error("{0} is not supported")]
    Unsupported(&'static str),
}
