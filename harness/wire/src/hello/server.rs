//! What a server chose: ServerHello and HelloRetryRequest, and what the rest of its flight tells.

use super::{Extension, Version, extension};
use crate::Error;
use crate::bytes::Reader;

/// Most extensions of a ServerHello.
pub const MAX_EXTENSIONS: usize = 64; // (house)

/// SHA-256 of "HelloRetryRequest": the random that marks one. RFC 8446, section 4.1.3.
pub(super) const RETRY_RANDOM: [u8; 32] = [
    0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91, 0xc2, 0xa2, 0x11,
    0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c,
];

/// A ServerHello, or a HelloRetryRequest, with what the rest of the flight told if [`super::Depth::Flight`] was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerHello {
    /// The version that was chosen: supported_versions wins over `legacy_version`. RFC 8446, section 4.2.1.
    pub version: Version,
    /// The field of the message.
    pub legacy_version: Version,
    /// What the record around it said; means nothing more.
    pub record_version: Version,
    /// server_random.
    pub random: [u8; 32],
    /// At most 32 bytes; in 1.3 the echo of the client's.
    pub session_id: Vec<u8>,
    /// The cipher suite chosen; [`super::names::suite`] has its name. Whether it was offered is the caller's to check.
    pub suite: u16,
    /// The compression method chosen: 0 is none.
    pub compression: u8,
    /// All extensions in their order, at most [`MAX_EXTENSIONS`].
    pub extensions: Vec<Extension>,
    /// The group: of key_share in 1.3, of the ServerKeyExchange below. 0xff01 and 0xff02 are curves that are spelt out
    /// instead of named (RFC 8422, section 5.1.1).
    pub group: Option<u16>,
    /// Bits of the prime of an ephemeral Diffie-Hellman exchange, at most 65,535. Below 1.3 only.
    pub dh_bits: Option<u16>,
    /// The scheme that signed the ServerKeyExchange of 1.2: hash and signature, or a SignatureScheme, as on the wire.
    /// Below 1.2 the message does not say; in 1.3 it is encrypted.
    pub signature_scheme: Option<u16>,
    /// DER, leaf first, at most [`super::MAX_CERTIFICATES`]; empty if none was seen.
    pub certificates: Vec<Vec<u8>>,
    /// The stapled OCSPResponse, DER. RFC 6066, section 8.
    pub ocsp_response: Option<Vec<u8>>,
    /// A CertificateRequest was seen.
    pub certificate_requested: bool,
    /// All was read, to the ServerHelloDone; or this is 1.3, where no more can be read.
    pub done: bool,
    /// A fatal alert that came in the flight after the ServerHello.
    pub alert: Option<u8>,
    /// What was wrong with the flight after the ServerHello; the reader stopped there and kept what it had.
    pub broken: Option<Error>,
}

impl ServerHello {
    /// Reads the message's body, and whether it is a HelloRetryRequest. RFC 8446, sections 4.1.3 and 4.1.4. Extensions
    /// that the fields and accessors tell of have to be well formed; the others may hold anything.
    pub(super) fn parse(body: &[u8], dtls: bool, record_version: Version) -> Result<(Self, bool), Error> {
        let mut rest = Reader(body);
        let legacy_version = Version(rest.u16("ServerHello version")?);
        let major = if dtls { 0xfe } else { 3 };
        if legacy_version.0 >> 8 != major {
            return Err(Error::Invalid("ServerHello version"));
        }
        let random = rest.array("ServerHello random")?;
        let length = usize::from(rest.u8("ServerHello session id")?);
        if length > 32 {
            return Err(Error::TooLarge { field: "ServerHello session id in bytes", limit: 32 });
        }
        let session_id = rest.take(length, "ServerHello session id")?.to_vec();
        let suite = rest.u16("ServerHello suite")?;
        let compression = rest.u8("ServerHello compression method")?;
        let extensions = extension::parse_list(rest, "ServerHello extensions")?;
        let mut hello = Self {
            version: legacy_version,
            legacy_version,
            record_version,
            random,
            session_id,
            suite,
            compression,
            extensions,
            group: None,
            dh_bits: None,
            signature_scheme: None,
            certificates: Vec::new(),
            ocsp_response: None,
            certificate_requested: false,
            done: false,
            alert: None,
            broken: None,
        };
        let retry = random == RETRY_RANDOM;
        hello.read_extensions(dtls, retry)?;
        Ok((hello, retry))
    }

    fn read_extensions(&mut self, dtls: bool, retry: bool) -> Result<(), Error> {
        match self.extension(Extension::SUPPORTED_VERSIONS) {
            Some(data) => self.version = supported_version(data, dtls)?,
            None if retry => return Err(Error::Missing("supported_versions of HelloRetryRequest")),
            None => {}
        }
        if let Some(data) = self.extension(Extension::KEY_SHARE).filter(|_| self.version.is_13()) {
            self.group = Some(key_share(data, retry)?);
        }
        self.extension(Extension::USE_SRTP).map(srtp_profile).transpose()?;
        Ok(())
    }

    /// The body of the first extension of this kind.
    pub fn extension(&self, kind: u16) -> Option<&[u8]> {
        self.extensions.iter().find(|x| x.kind == kind).map(|x| x.data.as_slice())
    }

    /// The profile in use_srtp. RFC 5764, section 4.1.1.
    pub fn srtp_profile(&self) -> Option<u16> {
        srtp_profile(self.extension(Extension::USE_SRTP)?).ok()
    }

    /// The MKI in use_srtp, at most 255 bytes; empty means none. RFC 5764, section 4.1.3.
    pub fn srtp_mki(&self) -> Option<&[u8]> {
        self.extension(Extension::USE_SRTP)?.get(5..)
    }

    /// Whether extended_master_secret was agreed. RFC 7627. Always true of 1.3, which has it built in.
    pub fn extended_master_secret(&self) -> bool {
        self.version.is_13() || self.extension(Extension::EXTENDED_MASTER_SECRET).is_some()
    }

    /// Whether renegotiation is bound to its connection (RFC 5746). Always true of 1.3, which has none.
    pub fn secure_renegotiation(&self) -> bool {
        self.version.is_13() || self.extension(Extension::RENEGOTIATION_INFO).is_some()
    }

    /// The protocol in application_layer_protocol_negotiation. RFC 7301, section 3.1.
    pub fn alpn(&self) -> Option<&[u8]> {
        let mut rest = Reader(self.extension(Extension::ALPN)?);
        rest.u16("ALPN").ok()?;
        let length = rest.u8("ALPN").ok()?;
        rest.take(usize::from(length), "ALPN").ok()
    }

    /// The cookie extension of a HelloRetryRequest. RFC 8446, section 4.2.2.
    pub fn cookie(&self) -> Option<&[u8]> {
        self.extension(Extension::COOKIE)?.get(2..)
    }

    /// Whether a session ticket was promised. RFC 5077, section 3.2.
    pub fn session_ticket(&self) -> bool {
        self.extension(Extension::SESSION_TICKET).is_some()
    }

    /// Whether the random says that the server could do more than it was asked for: the mark against downgrades. RFC
    /// 8446, section 4.1.3.
    pub fn downgrade_mark(&self) -> bool {
        self.random.ends_with(b"DOWNGRD\x00") || self.random.ends_with(b"DOWNGRD\x01")
    }
}

/// A vector behind a 24-bit length. RFC 8446, section 3.4.
pub(super) fn take24<'a>(rest: &mut Reader<'a>, field: &'static str) -> Result<&'a [u8], Error> {
    let [a, b, c] = rest.array(field)?;
    rest.take(usize::from(a) << 16 | usize::from(b) << 8 | usize::from(c), field)
}

/// RFC 8446, section 4.2.1: one version of the same family.
fn supported_version(data: &[u8], dtls: bool) -> Result<Version, Error> {
    let mut rest = Reader(data);
    let version = Version(rest.u16("supported_versions of ServerHello")?);
    rest.end("supported_versions of ServerHello")?;
    if version.is_dtls() == dtls { Ok(version) } else { Err(Error::Invalid("supported_versions of ServerHello")) }
}

/// RFC 8446, section 4.2.8: a group alone in a HelloRetryRequest, with a key in a ServerHello.
fn key_share(data: &[u8], retry: bool) -> Result<u16, Error> {
    let mut rest = Reader(data);
    let group = rest.u16("key_share of ServerHello")?;
    if !retry {
        let length = rest.u16("key_share of ServerHello")?;
        rest.take(usize::from(length), "key_share of ServerHello")?;
    }
    rest.end("key_share of ServerHello")?;
    Ok(group)
}

/// RFC 5764, section 4.1.1: exactly one profile, and an MKI.
fn srtp_profile(data: &[u8]) -> Result<u16, Error> {
    let mut rest = Reader(data);
    if rest.u16("use_srtp of ServerHello")? != 2 {
        return Err(Error::Invalid("number of profiles in use_srtp of ServerHello"));
    }
    let profile = rest.u16("use_srtp of ServerHello")?;
    let length = rest.u8("MKI in use_srtp of ServerHello")?;
    rest.take(usize::from(length), "MKI in use_srtp of ServerHello")?;
    rest.end("use_srtp of ServerHello")?;
    Ok(profile)
}
