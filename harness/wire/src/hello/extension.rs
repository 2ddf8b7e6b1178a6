//! Extensions: a number and bytes, with constructors for those that a scan offers.

use super::MAX_EXTENSIONS;
use crate::Error;
use crate::bytes::{Reader, length16};

/// Bytes for which room is made at once: the extensions of most hellos that are written here.
pub(super) const USUAL_BYTES: usize = 1024; // (house)

/// One extension, whatever it says.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Extension {
    /// ExtensionType.
    pub kind: u16,
    /// extension_data, without its length; at most 65,535 bytes can be written.
    pub data: Vec<u8>,
}

impl Extension {
    /// RFC 6066, section 3.
    pub const SERVER_NAME: u16 = 0;
    /// RFC 6066, section 4.
    pub const MAX_FRAGMENT_LENGTH: u16 = 1;
    /// RFC 6066, section 8.
    pub const STATUS_REQUEST: u16 = 5;
    /// RFC 8422, section 5.1.1; RFC 8446, section 4.2.7.
    pub const SUPPORTED_GROUPS: u16 = 10;
    /// RFC 8422, section 5.1.2.
    pub const EC_POINT_FORMATS: u16 = 11;
    /// RFC 5246, section 7.4.1.4.1; RFC 8446, section 4.2.3.
    pub const SIGNATURE_ALGORITHMS: u16 = 13;
    /// RFC 5764, section 4.1.1.
    pub const USE_SRTP: u16 = 14;
    /// RFC 6520, section 2.
    pub const HEARTBEAT: u16 = 15;
    /// RFC 7301, section 3.1.
    pub const ALPN: u16 = 16;
    /// RFC 7366, section 2.
    pub const ENCRYPT_THEN_MAC: u16 = 22;
    /// RFC 7627, section 5.1.
    pub const EXTENDED_MASTER_SECRET: u16 = 23;
    /// RFC 5077, section 3.2.
    pub const SESSION_TICKET: u16 = 35;
    /// RFC 8446, section 4.2.11.
    pub const PRE_SHARED_KEY: u16 = 41;
    /// RFC 8446, section 4.2.10.
    pub const EARLY_DATA: u16 = 42;
    /// RFC 8446, section 4.2.1.
    pub const SUPPORTED_VERSIONS: u16 = 43;
    /// RFC 8446, section 4.2.2.
    pub const COOKIE: u16 = 44;
    /// RFC 8446, section 4.2.9.
    pub const PSK_KEY_EXCHANGE_MODES: u16 = 45;
    /// RFC 8446, section 4.2.3.
    pub const SIGNATURE_ALGORITHMS_CERT: u16 = 50;
    /// RFC 8446, section 4.2.8.
    pub const KEY_SHARE: u16 = 51;
    /// RFC 5746, section 3.2.
    pub const RENEGOTIATION_INFO: u16 = 0xff01;

    /// Any extension.
    pub fn new(kind: u16, data: impl Into<Vec<u8>>) -> Self {
        Self { kind, data: data.into() }
    }

    /// One host name. An address in numbers is not allowed here: leave the extension out. RFC 6066, section 3.
    ///
    /// # Errors
    /// The name has no byte, or more than 65,530.
    pub fn server_name(name: &str) -> Result<Self, Error> {
        if name.is_empty() {
            return Err(Error::Missing("name in server_name"));
        }
        let mut entry = vec![0]; // host_name
        entry.extend_from_slice(&length16(name.len(), "server_name in bytes")?);
        entry.extend_from_slice(name.as_bytes());
        Ok(Self::new(Self::SERVER_NAME, prefixed16(&entry, "server_name in bytes")?))
    }

    /// Groups in the order of preference, by their numbers: [`super::names::groups`].
    ///
    /// # Errors
    /// More than 32,766 groups.
    pub fn supported_groups(groups: &[u16]) -> Result<Self, Error> {
        list16(Self::SUPPORTED_GROUPS, groups, "supported_groups in bytes")
    }

    /// Uncompressed points only: the one format that RFC 8422 left.
    pub fn ec_point_formats() -> Self {
        Self::new(Self::EC_POINT_FORMATS, [1, 0])
    }

    /// Schemes in the order of preference, by their numbers: [`super::names::signature_schemes`].
    ///
    /// # Errors
    /// More than 32,766 schemes.
    pub fn signature_algorithms(schemes: &[u16]) -> Result<Self, Error> {
        list16(Self::SIGNATURE_ALGORITHMS, schemes, "signature_algorithms in bytes")
    }

    /// The versions, most wanted first. [`super::ClientHello`] adds the one of 1.3 by itself.
    ///
    /// # Errors
    /// More than 127 versions.
    pub fn supported_versions(versions: &[super::Version]) -> Result<Self, Error> {
        let numbers: Vec<u8> = versions.iter().flat_map(|x| x.0.to_be_bytes()).collect();
        Ok(Self::new(Self::SUPPORTED_VERSIONS, prefixed8(&numbers, "supported_versions in bytes")?))
    }

    /// No share at all: asks for a HelloRetryRequest. RFC 8446, section 4.2.8.
    pub fn key_share_empty() -> Self {
        Self::new(Self::KEY_SHARE, [0, 0])
    }

    /// Shares as given: group and key_exchange each.
    ///
    /// # Errors
    /// A share or all of them do not fit their 16-bit length.
    pub fn key_share(shares: &[(u16, &[u8])]) -> Result<Self, Error> {
        let mut list = Vec::new();
        for (group, key) in shares {
            list.extend_from_slice(&group.to_be_bytes());
            list.extend_from_slice(&prefixed16(key, "key_share entry in bytes")?);
        }
        Ok(Self::new(Self::KEY_SHARE, prefixed16(&list, "key_share in bytes")?))
    }

    /// SRTP protection profiles in the order of preference, without MKI. RFC 5764, section 4.1.1.
    ///
    /// # Errors
    /// More than 32,766 profiles.
    pub fn use_srtp(profiles: &[u16]) -> Result<Self, Error> {
        let mut extension = list16(Self::USE_SRTP, profiles, "use_srtp in bytes")?;
        extension.data.push(0); // srtp_mki
        Ok(extension)
    }

    /// RFC 7627, section 5.1.
    pub fn extended_master_secret() -> Self {
        Self::new(Self::EXTENDED_MASTER_SECRET, [])
    }

    /// RFC 7366, section 2.
    pub fn encrypt_then_mac() -> Self {
        Self::new(Self::ENCRYPT_THEN_MAC, [])
    }

    /// As in a first handshake: with no verify_data. RFC 5746, section 3.4.
    pub fn renegotiation_info() -> Self {
        Self::new(Self::RENEGOTIATION_INFO, [0])
    }

    /// Asks for a stapled OCSPResponse of any responder. RFC 6066, section 8.
    pub fn status_request() -> Self {
        Self::new(Self::STATUS_REQUEST, [1, 0, 0, 0, 0])
    }

    /// Protocol names in the order of preference. RFC 7301, section 3.1.
    ///
    /// # Errors
    /// A name has no byte or more than 255, or all of them do not fit.
    pub fn alpn(protocols: &[&[u8]]) -> Result<Self, Error> {
        let mut list = Vec::new();
        for name in protocols {
            if name.is_empty() {
                return Err(Error::Missing("name in ALPN"));
            }
            list.extend_from_slice(&prefixed8(name, "ALPN name in bytes")?);
        }
        Ok(Self::new(Self::ALPN, prefixed16(&list, "ALPN in bytes")?))
    }

    /// The cookie of a HelloRetryRequest, sent back. RFC 8446, section 4.2.2.
    ///
    /// # Errors
    /// More than 65,533 bytes.
    pub fn cookie(cookie: &[u8]) -> Result<Self, Error> {
        Ok(Self::new(Self::COOKIE, prefixed16(cookie, "cookie in bytes")?))
    }

    /// An empty ticket: asks for one. RFC 5077, section 3.2.
    pub fn session_ticket() -> Self {
        Self::new(Self::SESSION_TICKET, [])
    }

    /// psk_dhe_ke only. RFC 8446, section 4.2.9.
    pub fn psk_key_exchange_modes() -> Self {
        Self::new(Self::PSK_KEY_EXCHANGE_MODES, [1, 1])
    }

    /// Says that early data follow. RFC 8446, section 4.2.10.
    pub fn early_data() -> Self {
        Self::new(Self::EARLY_DATA, [])
    }
}

/// The extensions block that ends a hello; nothing at all is a hello without. `field` names the block.
pub(super) fn parse_list(mut rest: Reader<'_>, field: &'static str) -> Result<Vec<Extension>, Error> {
    let mut extensions = Vec::new();
    if rest.is_empty() {
        return Ok(extensions);
    }
    let stated = usize::from(rest.u16(field)?);
    if stated != rest.0.len() {
        return Err(Error::Length { field, stated, actual: rest.0.len() });
    }
    while !rest.is_empty() {
        if extensions.len() == MAX_EXTENSIONS {
            return Err(Error::TooLarge { field: "number of extensions", limit: MAX_EXTENSIONS });
        }
        let kind = rest.u16(field)?;
        let length = rest.u16(field)?;
        extensions.push(Extension::new(kind, rest.take(usize::from(length), field)?));
    }
    Ok(extensions)
}

/// The extensions block that ends a hello; nothing at all if there are none.
pub(super) fn write_list<'a>(extensions: impl Iterator<Item = &'a Extension>) -> Result<Vec<u8>, Error> {
    let mut block = Vec::with_capacity(USUAL_BYTES);
    for extension in extensions {
        block.extend_from_slice(&extension.kind.to_be_bytes());
        block.extend_from_slice(&length16(extension.data.len(), "extension in bytes")?);
        block.extend_from_slice(&extension.data);
    }
    if block.is_empty() { Ok(block) } else { prefixed16(&block, "extensions in bytes") }
}

fn list16(kind: u16, numbers: &[u16], field: &'static str) -> Result<Extension, Error> {
    Ok(Extension::new(kind, prefixed16(&bytes_of(numbers), field)?))
}

/// Numbers of two bytes each. In one piece: a scan of many hosts does little else.
pub(super) fn bytes_of(numbers: &[u16]) -> Vec<u8> {
    numbers.iter().map(|number| number.to_be_bytes()).collect::<Vec<_>>().into_flattened()
}

/// `bytes` behind their length in one byte.
pub(super) fn prefixed8(bytes: &[u8], field: &'static str) -> Result<Vec<u8>, Error> {
    let length = u8::try_from(bytes.len()).map_err(|_| Error::TooLarge { field, limit: 255 })?;
    Ok([&[length], bytes].concat())
}

/// `bytes` behind their length in two bytes.
pub(super) fn prefixed16(bytes: &[u8], field: &'static str) -> Result<Vec<u8>, Error> {
    Ok([&length16(bytes.len(), field)?, bytes].concat())
}
