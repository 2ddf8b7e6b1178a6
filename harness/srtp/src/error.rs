//! What can be wrong with keys and packets. Each message names the field.

use crate::Profile;
use crate::packet::Malformed;

/// Key material of the wrong size.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// A key, a salt or the exporter output does not have the length that the profile prescribes.
    #[error("{field} has {actual} bytes, the profile needs {expected}")]
    Length {
        /// "master key", "master salt" or "keying material".
        field: &'static str,
        /// Bytes that the profile prescribes.
        expected: usize,
        /// Bytes that were given.
        actual: usize,
    },
}

/// A setting outside its range.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SettingsError {
    /// A number is too small or too large.
    #[error("{field} is {actual}, not {least} to {most}")]
    Range {
        /// The setting.
        field: &'static str,
        /// The least that it can be.
        least: u64,
        /// The most that it can be.
        most: u64,
        /// What it was set to.
        actual: u64,
    },
    /// The key derivation rate is neither 0 nor a power of two up to 2^24 (RFC 3711, section 4.3.1).
    #[error("key derivation rate is {rate}, neither 0 nor a power of two up to 2^24")]
    KeyDerivationRate {
        /// What it was set to.
        rate: u32,
    },
    /// No profile without encryption goes with keys of this one ([`crate::bend::null_context`]).
    #[error("{} has no twin without encryption", profile.name())]
    NoNullProfile {
        /// The profile that the key was made for.
        profile: Profile,
    },
}

/// Why a key was not taken. The context goes on with those that it has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RekeyError {
    /// The key was made for another profile than the context.
    #[error("master key is one of {}, the context has {}", actual.name(), expected.name())]
    Profile {
        /// That of the context.
        expected: Profile,
        /// That of the key.
        actual: Profile,
    },
    /// All identifiers of a context have the same length.
    #[error("master key identifier has {actual} bytes, those of the context have {expected}")]
    IdentifierLength {
        /// Bytes of the context's identifiers.
        expected: usize,
        /// Bytes that were given.
        actual: usize,
    },
    /// The context has this key and salt already; a key that was used must not be used again (RFC 3711, section 9.2).
    #[error("master key is one that the context has already")]
    SameKey,
    /// Another key of the context has this identifier.
    #[error("master key identifier is that of another key")]
    SameIdentifier,
}

/// A rollover counter that the stream is past: with it keystream would be used twice, or packets could be replayed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RolloverError {
    /// The stream is further.
    #[error("rollover counter {roc} is behind the stream's (ssrc {ssrc:#010x})")]
    Behind {
        /// The stream.
        ssrc: u32,
        /// The rollover counter that was to be set.
        roc: u32,
    },
    /// The context already keeps [`crate::MAX_STREAMS`] streams.
    #[error("no room for another stream beside {limit} (ssrc {ssrc:#010x})")]
    Streams {
        /// The stream that found no room.
        ssrc: u32,
        /// [`crate::MAX_STREAMS`].
        limit: usize,
    },
}

/// Why a packet was not protected. The packet is unchanged and so is the context.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ProtectError {
    /// The packet ends before `field` does.
    #[error("{field} ends at byte {needed}, the packet has {actual}")]
    TooShort {
        /// The part of the packet that is cut off.
        field: &'static str,
        /// Bytes from the packet's start to the end of `field`.
        needed: usize,
        /// Bytes in the packet.
        actual: usize,
    },
    /// The protected packet would not fit into a UDP datagram ([`crate::MAX_PACKET_BYTES`]).
    #[error("packet would have {actual} bytes, at most {limit} fit into a datagram")]
    TooLong {
        /// [`crate::MAX_PACKET_BYTES`].
        limit: usize,
        /// Bytes that the protected packet would have.
        actual: usize,
    },
    /// The version field is not 2 (RFC 3550, section 5.1).
    #[error("version is {found}, not 2")]
    Version {
        /// The two version bits, 0 to 3.
        found: u8,
    },
    /// The buffer has no room for what protection adds.
    #[error("buffer has {actual} bytes, the protected packet needs {needed}")]
    Room {
        /// Bytes that the protected packet has.
        needed: usize,
        /// Bytes in the buffer.
        actual: usize,
    },
    /// The stream's indices are used up: 2^48 for RTP, 2^31 for RTCP (RFC 3711, section 9.2). It has ended in this context,
    /// with another key too.
    #[error("packet index has reached its limit (ssrc {ssrc:#010x})")]
    Index {
        /// The stream.
        ssrc: u32,
    },
    /// The master key has protected as many packets as it may (RFC 3711, section 9.2). [`crate::Context::rekey`] helps.
    #[error("master key has reached its lifetime")]
    Lifetime,
    /// Packets of this stream come in under the same key: another sender has the same SSRC, and both would use the same
    /// keystream (RFC 3711, section 9.1).
    #[error("ssrc is also the other side's (ssrc {ssrc:#010x})")]
    Collision {
        /// The stream.
        ssrc: u32,
    },
    /// This index was already used to protect a packet, or is too old to tell; using it again would reuse
    /// keystream (RFC 3711, section 9.1). [`crate::bend::protect_rtp_at`] does it on purpose.
    #[error("packet index was already used (ssrc {ssrc:#010x}, index {index})")]
    Reused {
        /// The stream.
        ssrc: u32,
        /// The 48-bit index.
        index: u64,
    },
    /// The context already keeps [`crate::MAX_STREAMS`] streams.
    #[error("no room for another stream beside {limit} (ssrc {ssrc:#010x})")]
    Streams {
        /// The stream that found no room.
        ssrc: u32,
        /// [`crate::MAX_STREAMS`].
        limit: usize,
    },
}

/// Why a packet was refused. The packet is unchanged and so is the context.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UnprotectError {
    /// The packet ends before `field` does.
    #[error("{field} ends at byte {needed}, the packet has {actual}")]
    TooShort {
        /// The part of the packet that is cut off.
        field: &'static str,
        /// Bytes from the packet's start to the end of `field`.
        needed: usize,
        /// Bytes in the packet.
        actual: usize,
    },
    /// The packet is longer than a UDP datagram can be ([`crate::MAX_PACKET_BYTES`]).
    #[error("packet has {actual} bytes, at most {limit} fit into a datagram")]
    TooLong {
        /// [`crate::MAX_PACKET_BYTES`].
        limit: usize,
        /// Bytes in the packet.
        actual: usize,
    },
    /// The version field is not 2 (RFC 3550, section 5.1).
    #[error("version is {found}, not 2")]
    Version {
        /// The two version bits, 0 to 3.
        found: u8,
    },
    /// The sequence number could only mean an index beyond 2^48 - 1 (RFC 3711, section 9.2).
    #[error("packet index has reached its limit (ssrc {ssrc:#010x})")]
    Index {
        /// The stream.
        ssrc: u32,
    },
    /// The index was already received or lies behind the replay window (RFC 3711, section 3.3.2).
    #[error("packet was already received or is too old (ssrc {ssrc:#010x}, index {index})")]
    Replay {
        /// The stream.
        ssrc: u32,
        /// The 48-bit RTP index or the 31-bit SRTCP index.
        index: u64,
    },
    /// No key of the context has the master key identifier that the packet carries (RFC 3711, section 3.1).
    #[error("master key identifier is unknown (ssrc {ssrc:#010x})")]
    Identifier {
        /// The SSRC that the packet claims.
        ssrc: u32,
    },
    /// The packet authenticates, and its stream is one that this context protects: another sender has the same SSRC under
    /// the same key (RFC 3711, section 9.1).
    #[error("ssrc is also ours (ssrc {ssrc:#010x})")]
    Collision {
        /// The stream.
        ssrc: u32,
    },
    /// The authentication tag is not the one that the key gives for these bytes (RFC 3711, section 3.3).
    #[error("authentication tag does not match (ssrc {ssrc:#010x}, index {index})")]
    Authentication {
        /// The SSRC that the packet claims.
        ssrc: u32,
        /// The index that was estimated (RTP) or claimed (RTCP).
        index: u64,
    },
    /// The context already keeps [`crate::MAX_STREAMS`] streams.
    #[error("no room for another stream beside {limit} (ssrc {ssrc:#010x})")]
    Streams {
        /// The SSRC that found no room.
        ssrc: u32,
        /// [`crate::MAX_STREAMS`].
        limit: usize,
    },
}

impl From<Malformed> for ProtectError {
    fn from(malformed: Malformed) -> Self {
        match malformed {
            Malformed::TooShort { field, needed, actual } => Self::TooShort { field, needed, actual },
            Malformed::TooLong { limit, actual } => Self::TooLong { limit, actual },
            Malformed::Version { found } => Self::Version { found },
        }
    }
}

impl From<Malformed> for UnprotectError {
    fn from(malformed: Malformed) -> Self {
        match malformed {
            Malformed::TooShort { field, needed, actual } => Self::TooShort { field, needed, actual },
            Malformed::TooLong { limit, actual } => Self::TooLong { limit, actual },
            Malformed::Version { found } => Self::Version { found },
        }
    }
}
