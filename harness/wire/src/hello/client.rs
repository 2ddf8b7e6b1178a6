//! The ClientHello: written as TLS records or DTLS datagrams, each field as the caller wants it.

use super::extension::{self, prefixed8, prefixed16, write_list};
use super::framing::{Fragments, message, records};
use super::{CLIENT_HELLO, Extension, Version};
use crate::Error;
use crate::bytes::Reader;

/// Most bytes of a ClientHello that is written, without headers.
pub const MAX_HELLO_BYTES: usize = 1 << 16; // (house)

/// A ClientHello. Each field is written as it stands, sensible or not; RFC 8446, section 4.1.2, and RFC 6347, section
/// 4.2.1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientHello {
    /// What is asked for. For 1.3 the writer says so in supported_versions, unless `extensions` has one or
    /// `legacy_version` is set.
    pub version: Version,
    /// The legacy_version field; `None` derives it from `version` ([`Version::legacy`]).
    pub legacy_version: Option<Version>,
    /// The version of the record layer; `None` says what old servers understand: 3.1 (3.0 for SSL 3.0), and 1.0 over
    /// DTLS.
    pub record_version: Option<Version>,
    /// client_random.
    pub random: [u8; 32],
    /// At most 255 bytes are written; more than 32 break the protocol.
    pub session_id: Vec<u8>,
    /// The cookie of a HelloVerifyRequest, at most 255 bytes. Written over DTLS only.
    pub cookie: Vec<u8>,
    /// Cipher suites in the order of preference, at most 32,767; [`super::names::suites`].
    pub suites: Vec<u16>,
    /// Compression methods, at most 255; `[0]` is none.
    pub compression: Vec<u8>,
    /// In the order in which they are written. If there are none (and none is derived) the whole block is left out, as
    /// in SSL 3.0.
    pub extensions: Vec<Extension>,
}

impl ClientHello {
    /// A hello without suites and extensions, no session, no compression.
    pub fn new(version: Version, random: [u8; 32]) -> Self {
        Self {
            version,
            legacy_version: None,
            record_version: None,
            random,
            session_id: Vec::new(),
            cookie: Vec::new(),
            suites: Vec::new(),
            compression: vec![0],
            extensions: Vec::new(),
        }
    }

    /// As TLS records, one behind the other; each holds 16,384 bytes at most.
    ///
    /// # Errors
    /// The version is one of DTLS, a field is longer than its length can say, or the hello than [`MAX_HELLO_BYTES`].
    pub fn to_tls(&self) -> Result<Vec<u8>, Error> {
        if self.version.is_dtls() {
            return Err(Error::Invalid("version of a TLS hello"));
        }
        let message = message(CLIENT_HELLO, &self.body()?)?;
        let derived = if self.version == Version::SSL3 { Version::SSL3 } else { Version::TLS10 };
        records(&message, self.record_version.unwrap_or(derived))
    }

    /// As DTLS datagrams of one record each. `message_seq` is 0 in the first hello and one higher after each
    /// HelloVerifyRequest or HelloRetryRequest; `record_seq` (48 bits) is that of the first datagram and has to rise
    /// likewise; `max_fragment` is how many bytes of the message one datagram carries, 25 less than its size.
    ///
    /// # Errors
    /// The version is not one of DTLS, `max_fragment` is 0, `record_seq` runs over, a field is longer than its length
    /// can say, or the hello than [`MAX_HELLO_BYTES`].
    pub fn to_dtls(&self, message_seq: u16, record_seq: u64, max_fragment: usize) -> Result<Vec<Vec<u8>>, Error> {
        if !self.version.is_dtls() {
            return Err(Error::Invalid("version of a DTLS hello"));
        }
        if max_fragment == 0 {
            return Err(Error::Invalid("fragment size of a DTLS hello"));
        }
        let version = self.record_version.unwrap_or(Version::DTLS10);
        let mut datagrams = Vec::new();
        let fragments = Fragments { version, record_seq, max_fragment };
        fragments.add(&mut datagrams, CLIENT_HELLO, message_seq, &self.body()?)?;
        Ok(datagrams)
    }

    /// Reads the body of a ClientHello message: what stands behind the handshake header. `version` becomes the newest
    /// of its family in supported_versions if there is one, and `legacy_version` what the field says, so that the same bytes are
    /// written again.
    ///
    /// # Errors
    /// Names the field that is cut short, or is not valid.
    pub fn parse(body: &[u8]) -> Result<Self, Error> {
        let mut rest = Reader(body);
        let legacy = Version(rest.u16("ClientHello version")?);
        let mut hello = Self::new(legacy, rest.array("ClientHello random")?);
        let length = rest.u8("ClientHello session id")?;
        hello.session_id = rest.take(usize::from(length), "ClientHello session id")?.to_vec();
        if legacy.is_dtls() {
            let length = rest.u8("ClientHello cookie")?;
            hello.cookie = rest.take(usize::from(length), "ClientHello cookie")?.to_vec();
        }
        let length = rest.u16("ClientHello suites")?;
        let suites = rest.take(usize::from(length), "ClientHello suites")?;
        hello.suites = numbers(suites, "ClientHello suites")?;
        let length = rest.u8("ClientHello compression methods")?;
        hello.compression = rest.take(usize::from(length), "ClientHello compression methods")?.to_vec();
        hello.extensions = extension::parse_list(rest, "ClientHello extensions")?;
        hello.legacy_version = Some(legacy);
        if let Some(offered) = hello.extensions.iter().find(|x| x.kind == Extension::SUPPORTED_VERSIONS) {
            let offered = numbers(offered.data.get(1..).unwrap_or_default(), "supported_versions")?;
            // Versions of DTLS count down. GREASE (RFC 8701) is no version, and one of the other family none that can be had.
            let ours = |version: &Version| version.name().is_some() && version.is_dtls() == legacy.is_dtls();
            let known = offered.into_iter().map(Version).filter(ours);
            let best = if legacy.is_dtls() { known.min() } else { known.max() };
            hello.version = best.unwrap_or(legacy);
        }
        Ok(hello)
    }

    /// The message without its header.
    pub(super) fn body(&self) -> Result<Vec<u8>, Error> {
        let legacy = self.legacy_version.unwrap_or(self.version.legacy());
        let mut body = Vec::with_capacity(2 * extension::USUAL_BYTES);
        body.extend_from_slice(&legacy.0.to_be_bytes());
        body.extend_from_slice(&self.random);
        body.extend_from_slice(&prefixed8(&self.session_id, "session id in bytes")?);
        if self.version.is_dtls() {
            body.extend_from_slice(&prefixed8(&self.cookie, "cookie in bytes")?);
        }
        body.extend_from_slice(&prefixed16(&extension::bytes_of(&self.suites), "cipher suites in bytes")?);
        body.extend_from_slice(&prefixed8(&self.compression, "compression methods in bytes")?);
        body.extend_from_slice(&self.extension_block()?);
        if body.len() > MAX_HELLO_BYTES {
            return Err(Error::TooLarge { field: "hello in bytes", limit: MAX_HELLO_BYTES });
        }
        Ok(body)
    }

    fn extension_block(&self) -> Result<Vec<u8>, Error> {
        let given = self.extensions.iter().any(|x| x.kind == Extension::SUPPORTED_VERSIONS);
        let derived = if self.version.is_13() && self.legacy_version.is_none() && !given {
            Some(Extension::supported_versions(&[self.version])?)
        } else {
            None
        };
        // First, since pre_shared_key has to be the last. RFC 8446, section 4.2.11.
        write_list(derived.iter().chain(&self.extensions))
    }
}

fn numbers(bytes: &[u8], field: &'static str) -> Result<Vec<u16>, Error> {
    let (pairs, []) = bytes.as_chunks::<2>() else { return Err(Error::Invalid(field)) };
    Ok(pairs.iter().map(|pair| u16::from_be_bytes(*pair)).collect())
}
