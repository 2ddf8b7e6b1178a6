#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
#![deny(missing_docs)]

mod aes_cm;
mod aes_gcm;
pub mod bend;
mod context;
mod error;
mod hmac_sha1;
mod index;
mod key_derivation;
mod keys;
mod layout;
mod packet;
mod profile;
mod protect;
mod replay;
mod session;
mod settings;
mod streams;
#[cfg(test)]
mod testing;
mod transform;
mod unprotect;

pub use context::Context;
pub use error::{KeyError, ProtectError, RekeyError, RolloverError, SettingsError, UnprotectError};
pub use key_derivation::{EXPORTER_LABEL, MasterKey, MasterKeys};
pub use keys::{MAX_KEYS, PacketsLeft};
pub use packet::MAX_PACKET_BYTES;
pub use profile::Profile;
pub use session::{Role, Session};
pub use settings::Settings;
pub use streams::MAX_STREAMS;
