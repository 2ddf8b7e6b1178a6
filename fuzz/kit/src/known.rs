//! Differences between implementations that are known, each with its reason and an input that still shows it.
//!
//! A target that holds two implementations against each other looks here before it complains: see
//! [`agreeing`](crate::oracles::agreeing). What stands here is somebody's fault, or a liberty that a standard leaves; which, and how
//! far it reaches, is said with each.

#[cfg(feature = "peers-sip")]
pub mod sip;
#[cfg(feature = "peers-srtp")]
pub mod srtp;
#[cfg(feature = "peers-stun")]
pub mod stun;
pub mod torture;
pub mod websocket;

/// A difference that is known.
#[derive(Clone, Copy)]
pub struct Difference<C: ?Sized + 'static> {
    /// What it is, in lower case with `-` between: `bare-line-feed`.
    pub id: &'static str,
    /// The other implementation: its crate's name.
    pub parser: &'static str,
    /// What it says.
    pub theirs: &'static str,
    /// What ours says.
    pub ours: &'static str,
    /// Who is right, with the section.
    pub rfc: &'static str,
    /// What somebody can do with it over the network or on the machine; `none` if nothing.
    pub reach: &'static str,
    /// Whether this difference is what the two say of that case. As narrow as can be: what it takes in is not looked at again.
    pub explains: fn(&C) -> bool,
    /// An input that shows it: `fuzz/findings/PARSER/ID`, if somebody can use it. `tests/findings` holds that it still does, so that a
    /// peer that was mended is noticed.
    pub example: &'static [u8],
}
