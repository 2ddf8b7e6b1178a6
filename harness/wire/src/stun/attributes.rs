//! The attributes of STUN, ICE and TURN: types and values.

use super::{MAGIC_COOKIE, TransactionId};
use crate::Error;
use crate::bytes::{Reader, length16, padding, text};
use std::net::{IpAddr, SocketAddr};

// Types. RFC 8489, section 18.3; RFC 8445, section 16.1; RFC 8656, section 18.
const MAPPED_ADDRESS: u16 = 0x0001;
const USERNAME: u16 = 0x0006;
pub(super) const MESSAGE_INTEGRITY: u16 = 0x0008;
const ERROR_CODE: u16 = 0x0009;
const UNKNOWN_ATTRIBUTES: u16 = 0x000a;
const CHANNEL_NUMBER: u16 = 0x000c;
const LIFETIME: u16 = 0x000d;
const XOR_PEER_ADDRESS: u16 = 0x0012;
const DATA: u16 = 0x0013;
const REALM: u16 = 0x0014;
const NONCE: u16 = 0x0015;
const XOR_RELAYED_ADDRESS: u16 = 0x0016;
const REQUESTED_ADDRESS_FAMILY: u16 = 0x0017;
const EVEN_PORT: u16 = 0x0018;
const REQUESTED_TRANSPORT: u16 = 0x0019;
const DONT_FRAGMENT: u16 = 0x001a;
pub(super) const MESSAGE_INTEGRITY_SHA256: u16 = 0x001c;
const XOR_MAPPED_ADDRESS: u16 = 0x0020;
const PRIORITY: u16 = 0x0024;
const USE_CANDIDATE: u16 = 0x0025;
const SOFTWARE: u16 = 0x8022;
pub(super) const FINGERPRINT: u16 = 0x8028;
const ICE_CONTROLLED: u16 = 0x8029;
const ICE_CONTROLLING: u16 = 0x802a;

/// RFC 8656, section 18.6.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AddressFamily {
    /// 0x01.
    V4,
    /// 0x02.
    V6,
}

/// One attribute. Values are those of the named RFC section; XOR addresses are held in the clear.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Attribute {
    /// RFC 8489, section 14.1.
    MappedAddress(SocketAddr),
    /// RFC 8489, section 14.2.
    XorMappedAddress(SocketAddr),
    /// RFC 8489, section 14.3.
    Username(String),
    /// RFC 8489, section 14.5: HMAC-SHA1 over what stands before.
    MessageIntegrity([u8; 20]),
    /// RFC 8489, section 14.7: CRC-32 over what stands before, xor 0x5354554e.
    Fingerprint(u32),
    /// RFC 8489, section 14.8.
    ErrorCode {
        /// 300 to 699.
        code: u16,
        /// For people.
        reason: String,
    },
    /// RFC 8489, section 14.9.
    Realm(String),
    /// RFC 8489, section 14.10.
    Nonce(String),
    /// RFC 8489, section 14.13: types that were not understood.
    UnknownAttributes(Vec<u16>),
    /// RFC 8489, section 14.14.
    Software(String),
    /// RFC 8445, section 7.1.1.
    Priority(u32),
    /// RFC 8445, section 7.1.2.
    UseCandidate,
    /// RFC 8445, section 7.1.3: the tie-breaker.
    IceControlled(u64),
    /// RFC 8445, section 7.1.3: the tie-breaker.
    IceControlling(u64),
    /// RFC 8656, section 18.1: 0x4000 to 0x4fff, which is not checked here.
    ChannelNumber(u16),
    /// RFC 8656, section 18.2, in seconds.
    Lifetime(u32),
    /// RFC 8656, section 18.3.
    XorPeerAddress(SocketAddr),
    /// RFC 8656, section 18.4.
    Data(Vec<u8>),
    /// RFC 8656, section 18.5.
    XorRelayedAddress(SocketAddr),
    /// RFC 8656, section 18.6.
    RequestedAddressFamily(AddressFamily),
    /// RFC 8656, section 18.7: whether the next port is to be reserved.
    EvenPort(bool),
    /// RFC 8656, section 18.8: an IP protocol number, 17 for UDP.
    RequestedTransport(u8),
    /// RFC 8656, section 18.9.
    DontFragment,
    /// Any other type. With the type of a known one it writes what that could not say, and reads back as the known one.
    Other {
        /// Below 0x8000 a receiver has to understand it.
        kind: u16,
        /// Without padding.
        value: Vec<u8>,
    },
}

impl Attribute {
    pub(super) fn parse(kind: u16, value: &[u8], transaction: &TransactionId) -> Result<Self, Error> {
        let mut rest = Reader(value);
        let (attribute, name) = match kind {
            MAPPED_ADDRESS => (Self::MappedAddress(address(&mut rest, "MAPPED-ADDRESS", None)?), "MAPPED-ADDRESS"),
            XOR_MAPPED_ADDRESS => {
                let name = "XOR-MAPPED-ADDRESS";
                (Self::XorMappedAddress(address(&mut rest, name, Some(transaction))?), name)
            }
            XOR_PEER_ADDRESS => {
                let name = "XOR-PEER-ADDRESS";
                (Self::XorPeerAddress(address(&mut rest, name, Some(transaction))?), name)
            }
            XOR_RELAYED_ADDRESS => {
                let name = "XOR-RELAYED-ADDRESS";
                (Self::XorRelayedAddress(address(&mut rest, name, Some(transaction))?), name)
            }
            USERNAME => return text(value, "USERNAME").map(Self::Username),
            REALM => return text(value, "REALM").map(Self::Realm),
            NONCE => return text(value, "NONCE").map(Self::Nonce),
            SOFTWARE => return text(value, "SOFTWARE").map(Self::Software),
            MESSAGE_INTEGRITY => (Self::MessageIntegrity(rest.array("MESSAGE-INTEGRITY")?), "MESSAGE-INTEGRITY"),
            FINGERPRINT => (Self::Fingerprint(rest.u32("FINGERPRINT")?), "FINGERPRINT"),
            ERROR_CODE => return error_code(rest),
            UNKNOWN_ATTRIBUTES => return unknown_attributes(rest),
            PRIORITY => (Self::Priority(rest.u32("PRIORITY")?), "PRIORITY"),
            USE_CANDIDATE => (Self::UseCandidate, "USE-CANDIDATE"),
            ICE_CONTROLLED => (Self::IceControlled(rest.u64("ICE-CONTROLLED")?), "ICE-CONTROLLED"),
            ICE_CONTROLLING => (Self::IceControlling(rest.u64("ICE-CONTROLLING")?), "ICE-CONTROLLING"),
            CHANNEL_NUMBER => {
                let number = rest.u16("CHANNEL-NUMBER")?;
                rest.u16("CHANNEL-NUMBER")?; // reserved, ignored
                (Self::ChannelNumber(number), "CHANNEL-NUMBER")
            }
            LIFETIME => (Self::Lifetime(rest.u32("LIFETIME")?), "LIFETIME"),
            DATA => return Ok(Self::Data(value.to_vec())),
            REQUESTED_ADDRESS_FAMILY => {
                let name = "REQUESTED-ADDRESS-FAMILY";
                let family = family(rest.u8(name)?).ok_or(Error::Invalid(name))?;
                rest.take(3, name)?; // reserved, ignored
                (Self::RequestedAddressFamily(family), name)
            }
            EVEN_PORT => (Self::EvenPort(rest.u8("EVEN-PORT")? & 0x80 != 0), "EVEN-PORT"),
            REQUESTED_TRANSPORT => {
                let protocol = rest.u8("REQUESTED-TRANSPORT")?;
                rest.take(3, "REQUESTED-TRANSPORT")?; // reserved, ignored
                (Self::RequestedTransport(protocol), "REQUESTED-TRANSPORT")
            }
            DONT_FRAGMENT => (Self::DontFragment, "DONT-FRAGMENT"),
            _ => return Ok(Self::Other { kind, value: value.to_vec() }),
        };
        rest.end(name)?;
        Ok(attribute)
    }

    /// Appends type, length, value and padding.
    pub(super) fn emit(&self, transaction: &TransactionId, bytes: &mut Vec<u8>) -> Result<(), Error> {
        let mut put = |kind: u16, parts: &[&[u8]]| {
            let length = parts.iter().map(|part| part.len()).sum();
            bytes.extend_from_slice(&kind.to_be_bytes());
            bytes.extend_from_slice(&length16(length, "STUN attribute length")?);
            parts.iter().for_each(|part| bytes.extend_from_slice(part));
            bytes.extend_from_slice([0; 3].get(..padding(length)).unwrap_or_default());
            Ok(())
        };
        match self {
            Self::MappedAddress(x) => put_address(put, MAPPED_ADDRESS, *x, None),
            Self::XorMappedAddress(x) => put_address(put, XOR_MAPPED_ADDRESS, *x, Some(transaction)),
            Self::XorPeerAddress(x) => put_address(put, XOR_PEER_ADDRESS, *x, Some(transaction)),
            Self::XorRelayedAddress(x) => put_address(put, XOR_RELAYED_ADDRESS, *x, Some(transaction)),
            Self::Username(x) => put(USERNAME, &[x.as_bytes()]),
            Self::Realm(x) => put(REALM, &[x.as_bytes()]),
            Self::Nonce(x) => put(NONCE, &[x.as_bytes()]),
            Self::Software(x) => put(SOFTWARE, &[x.as_bytes()]),
            Self::MessageIntegrity(x) => put(MESSAGE_INTEGRITY, &[x]),
            Self::Fingerprint(x) => put(FINGERPRINT, &[&x.to_be_bytes()]),
            Self::ErrorCode { code, reason } => put(ERROR_CODE, &[&error_code_bytes(*code)?, reason.as_bytes()]),
            Self::UnknownAttributes(x) => {
                let kinds: Vec<u8> = x.iter().flat_map(|kind| kind.to_be_bytes()).collect();
                put(UNKNOWN_ATTRIBUTES, &[&kinds])
            }
            Self::Priority(x) => put(PRIORITY, &[&x.to_be_bytes()]),
            Self::UseCandidate => put(USE_CANDIDATE, &[]),
            Self::IceControlled(x) => put(ICE_CONTROLLED, &[&x.to_be_bytes()]),
            Self::IceControlling(x) => put(ICE_CONTROLLING, &[&x.to_be_bytes()]),
            Self::ChannelNumber(x) => put(CHANNEL_NUMBER, &[&x.to_be_bytes(), &[0, 0]]),
            Self::Lifetime(x) => put(LIFETIME, &[&x.to_be_bytes()]),
            Self::Data(x) => put(DATA, &[x]),
            Self::RequestedAddressFamily(x) => put(REQUESTED_ADDRESS_FAMILY, &[&[family_byte(*x), 0, 0, 0]]),
            Self::EvenPort(reserve) => put(EVEN_PORT, &[&[u8::from(*reserve) << 7]]),
            Self::RequestedTransport(x) => put(REQUESTED_TRANSPORT, &[&[*x, 0, 0, 0]]),
            Self::DontFragment => put(DONT_FRAGMENT, &[]),
            Self::Other { kind, value } => put(*kind, &[value]),
        }
    }
}

fn family(byte: u8) -> Option<AddressFamily> {
    match byte {
        1 => Some(AddressFamily::V4),
        2 => Some(AddressFamily::V6),
        _ => None,
    }
}

fn family_byte(family: AddressFamily) -> u8 {
    match family {
        AddressFamily::V4 => 1,
        AddressFamily::V6 => 2,
    }
}

/// What an address is xored with: the cookie, then the transaction id. RFC 8489, section 14.2.
fn mask(transaction: Option<&TransactionId>) -> (u16, u32, u128) {
    let Some(transaction) = transaction else { return (0, 0, 0) };
    let low = transaction.iter().fold(0u128, |sum, byte| sum << 8 | u128::from(*byte));
    ((MAGIC_COOKIE >> 16) as u16, MAGIC_COOKIE, u128::from(MAGIC_COOKIE) << 96 | low)
}

fn address(rest: &mut Reader, name: &'static str, xored: Option<&TransactionId>) -> Result<SocketAddr, Error> {
    let (mask16, mask32, mask128) = mask(xored);
    rest.u8(name)?; // zero, ignored
    let family = family(rest.u8(name)?).ok_or(Error::Invalid(name))?;
    let port = rest.u16(name)? ^ mask16;
    let ip: IpAddr = match family {
        AddressFamily::V4 => (rest.u32(name)? ^ mask32).to_be_bytes().into(),
        AddressFamily::V6 => (u128::from_be_bytes(rest.array(name)?) ^ mask128).to_be_bytes().into(),
    };
    Ok(SocketAddr::new(ip, port))
}

fn put_address(
    mut put: impl FnMut(u16, &[&[u8]]) -> Result<(), Error>,
    kind: u16,
    address: SocketAddr,
    xored: Option<&TransactionId>,
) -> Result<(), Error> {
    let (mask16, mask32, mask128) = mask(xored);
    let port = (address.port() ^ mask16).to_be_bytes();
    let head = |family| [0, family_byte(family)];
    match address.ip() {
        IpAddr::V4(ip) => put(kind, &[&head(AddressFamily::V4), &port, &(u32::from(ip) ^ mask32).to_be_bytes()]),
        IpAddr::V6(ip) => put(kind, &[&head(AddressFamily::V6), &port, &(u128::from(ip) ^ mask128).to_be_bytes()]),
    }
}

fn error_code(mut rest: Reader) -> Result<Attribute, Error> {
    let [_, _, class, number] = rest.array("ERROR-CODE")?;
    let class = class & 0x07; // the upper bits are reserved, ignored
    if !(3..=6).contains(&class) || number > 99 {
        return Err(Error::Invalid("ERROR-CODE"));
    }
    let code = u16::from(class) * 100 + u16::from(number);
    Ok(Attribute::ErrorCode { code, reason: text(rest.0, "ERROR-CODE reason")? })
}

fn error_code_bytes(code: u16) -> Result<[u8; 4], Error> {
    if !(300..=699).contains(&code) {
        return Err(Error::Invalid("ERROR-CODE"));
    }
    Ok((u32::from(code / 100) << 8 | u32::from(code % 100)).to_be_bytes())
}

fn unknown_attributes(mut rest: Reader) -> Result<Attribute, Error> {
    let mut kinds = Vec::new();
    while !rest.is_empty() {
        kinds.push(rest.u16("UNKNOWN-ATTRIBUTES")?);
    }
    Ok(Attribute::UnknownAttributes(kinds))
}
