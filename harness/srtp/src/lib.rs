//! The reference SRTP and SRTCP of ringfence: RFC 3711 with the four profiles that WebRTC negotiates by DTLS-SRTP.
//!
//! Sans-IO: packets are changed in the caller's `Vec<u8>`, nothing here reads a socket or a clock.
//!
//! | file | subject | source |
//! |---|---|---|
//! | `profile` | the profiles and their lengths | RFC 5764 4.1.2, RFC 7714 14.2 |
//! | `key_derivation` | exporter output, master keys, session keys | RFC 5764 4.2, RFC 3711 4.3 |
//! | `rollover` | which 48-bit index a 16-bit sequence number means | RFC 3711 3.3.1, appendix A |
//! | `replay` | the window of indices already seen | RFC 3711 3.3.2 |
//! | `packet` | where header, payload and SSRC lie | RFC 3550 5.1, 6.4.1 |
//! | `transform` | what every cipher must be able to do | RFC 3711 3.1, 3.4 |
//! | `aes_cm` | AES counter mode with HMAC-SHA1 | RFC 3711 4.1.1, 4.2.1 |
//! | `aes_gcm` | AES-GCM | RFC 7714 |
//! | `streams` | the state kept per SSRC | RFC 3711 3.2.3 |
//! | `context` | protect and unprotect | RFC 3711 3.3, 3.4 |
//! | `bend` | deliberate misbehaviour | none: what attackers and broken products do |
//!
//! # Contract
//! - No input makes a packet function panic.
//! - A call that returns `Err` leaves the packet as it was and no trace in the context.
//! - A packet that does not authenticate creates no state; the number of streams is bounded ([`MAX_STREAMS`]).
//! - Apart from the caller's `Vec` growing by at most [`Profile::rtcp_overhead`] bytes, and the first packet of a stream,
//!   nothing is allocated per packet.
//!
//! # Limits
//! No MKI, no key derivation rate other than zero, no re-keying within a context: DTLS-SRTP uses none of them.
//! RTP padding and RTCP compound rules lie inside the protected part and are the codecs' business, not this crate's.
//!
//! ```
//! use ringfence_srtp::{Context, Profile, SessionKeys};
//!
//! let profile = Profile::AeadAes128Gcm;
//! let exported = vec![7; profile.keying_material_len()]; // in real life from the DTLS exporter
//! let keys = SessionKeys::from_exporter(profile, &exported)?;
//! let mut client_sends = Context::new(profile, &keys.client);
//! let mut server_receives = Context::new(profile, &keys.client);
//!
//! let rtp = [&[0x80, 0, 0, 1, 0, 0, 0, 160, 0xca, 0xfe, 0xba, 0xbe][..], b"voice"].concat();
//! let mut packet = rtp.clone();
//! client_sends.protect_rtp(&mut packet)?;
//! assert_ne!(packet, rtp);
//! server_receives.unprotect_rtp(&mut packet)?;
//! assert_eq!(packet, rtp);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![forbid(unsafe_code)]
#![deny(missing_docs)]

mod aes_cm;
mod aes_gcm;
pub mod bend;
mod context;
mod error;
mod key_derivation;
mod packet;
mod profile;
mod replay;
mod rollover;
mod streams;
mod transform;

pub use context::Context;
pub use error::{KeyError, ProtectError, UnprotectError};
pub use key_derivation::{EXPORTER_LABEL, MasterKey, SessionKeys};
pub use packet::MAX_PACKET_BYTES;
pub use profile::Profile;
pub use streams::MAX_STREAMS;
