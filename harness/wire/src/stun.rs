//! STUN messages (RFC 8489), with the attributes of ICE (RFC 8445) and TURN (RFC 8656).
//!
//! # Limits
//! A message that is read has at most 2 KiB and 64 attributes. MESSAGE-INTEGRITY-SHA256 is carried as raw bytes only.
//! Padding is ignored on reading and zero on writing.

mod attributes;
mod integrity;

pub use attributes::{AddressFamily, Attribute};
pub use integrity::{long_term_key, verify_fingerprint, verify_integrity};

use crate::Error;
use crate::bytes::{Reader, length16, padding};

/// The fixed second word of each message. RFC 8489, section 5.
pub const MAGIC_COOKIE: u32 = 0x2112_A442;
/// Largest message that is read, in bytes.
pub const MAX_MESSAGE_BYTES: usize = 2048;
/// Most attributes that are read.
pub const MAX_ATTRIBUTES: usize = 64;

const HEADER_BYTES: usize = 20; // RFC 8489, section 5
const TYPICAL_BYTES: usize = 256; // what a message is written into at first: most need no more

/// Pairs a response with its request. RFC 8489, section 5.
pub type TransactionId = [u8; 12];

/// RFC 8489, section 5: the two class bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Class {
    /// Wants a response.
    Request,
    /// Wants none.
    Indication,
    /// The request was done.
    Success,
    /// The request was refused; see ERROR-CODE.
    Error,
}

/// A method, 12 bits. Those of TURN are in [`crate::turn`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Method(u16);

impl Method {
    /// RFC 8489, section 18.2.
    pub const BINDING: Self = Self(1);

    /// A method by its number; the upper four bits are dropped, since the wire has no place for them.
    pub const fn new(number: u16) -> Self {
        Self(number & 0x0fff)
    }

    /// The method's number, at most 0xfff.
    pub const fn number(self) -> u16 {
        self.0
    }
}

/// One message: the header's values and the attributes in their order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Request, indication or one of the responses.
    pub class: Class,
    /// What is asked.
    pub method: Method,
    /// Chosen by who asks.
    pub transaction: TransactionId,
    /// All attributes, also those that a reader has to ignore; [`Message::trusted`] leaves them out.
    pub attributes: Vec<Attribute>,
}

impl Message {
    /// A message without attributes.
    pub fn new(class: Class, method: Method, transaction: TransactionId) -> Self {
        Self { class, method, transaction, attributes: Vec::new() }
    }

    /// Adds an attribute at the end.
    #[must_use]
    pub fn with(mut self, attribute: Attribute) -> Self {
        self.attributes.push(attribute);
        self
    }

    /// Adds MESSAGE-INTEGRITY over all that is there so far. RFC 8489, section 14.5.
    /// The key is the password, or [`long_term_key`].
    ///
    /// # Errors
    /// As [`Message::emit`].
    pub fn signed(self, key: &[u8]) -> Result<Self, Error> {
        let bytes = self.emit()?;
        let code = integrity::integrity_of(&bytes, key)?;
        Ok(self.with(Attribute::MessageIntegrity(code)))
    }

    /// Adds FINGERPRINT, which has to be the last. RFC 8489, section 14.7.
    ///
    /// # Errors
    /// As [`Message::emit`].
    pub fn fingerprinted(self) -> Result<Self, Error> {
        let bytes = self.emit()?;
        let checksum = integrity::fingerprint_of(&bytes)?;
        Ok(self.with(Attribute::Fingerprint(checksum)))
    }

    /// Reads one whole datagram, or one message of a stream (see [`crate::turn::frame_bytes`]). Checks neither integrity
    /// nor fingerprint: see [`verify_integrity`] and [`verify_fingerprint`].
    ///
    /// # Errors
    /// Names the header field or the attribute that is wrong; one malformed attribute refuses the message.
    pub fn parse(bytes: &[u8]) -> Result<Self, Error> {
        let (kind, transaction, mut rest) = split(bytes)?;
        let mut message = Self::new(class_of(kind), method_of(kind), transaction);
        while !rest.is_empty() {
            if message.attributes.len() == MAX_ATTRIBUTES {
                return Err(Error::TooLarge { field: "number of STUN attributes", limit: MAX_ATTRIBUTES });
            }
            let (kind, value) = next_attribute(&mut rest)?;
            message.attributes.push(Attribute::parse(kind, value, &message.transaction)?);
        }
        Ok(message)
    }

    /// The bytes, with MESSAGE-INTEGRITY and FINGERPRINT as they stand in the list.
    ///
    /// # Errors
    /// An attribute or the message is longer than its 16-bit length can say, or an ERROR-CODE is outside 300 to 699.
    pub fn emit(&self) -> Result<Vec<u8>, Error> {
        let mut bytes = Vec::with_capacity(TYPICAL_BYTES);
        bytes.extend_from_slice(&kind_of(self.class, self.method).to_be_bytes());
        bytes.extend_from_slice(&[0; 2]); // the length, once it is known
        bytes.extend_from_slice(&MAGIC_COOKIE.to_be_bytes());
        bytes.extend_from_slice(&self.transaction);
        for attribute in &self.attributes {
            attribute.emit(&self.transaction, &mut bytes)?;
        }
        let length = length16(bytes.len() - HEADER_BYTES, "STUN message length")?;
        if let Some(field) = bytes.get_mut(2..4) {
            field.copy_from_slice(&length);
        }
        Ok(bytes)
    }

    /// The attributes that count: those before MESSAGE-INTEGRITY and MESSAGE-INTEGRITY-SHA256. RFC 8489, sections 14.5 and
    /// 14.6: what follows the first of them is ignored (FINGERPRINT and the other one excepted), because anybody could have
    /// added it.
    pub fn trusted(&self) -> impl Iterator<Item = &Attribute> {
        self.attributes.iter().take_while(|attribute| match attribute {
            Attribute::MessageIntegrity(_) => false,
            Attribute::Other { kind, .. } => *kind != attributes::MESSAGE_INTEGRITY_SHA256,
            _ => true,
        })
    }

    /// The first value that `pick` takes from [`Message::trusted`]: a repeated attribute counts once, the first time.
    pub fn find<'a, T>(&'a self, pick: impl FnMut(&'a Attribute) -> Option<T>) -> Option<T> {
        self.trusted().find_map(pick)
    }

    /// XOR-MAPPED-ADDRESS, or MAPPED-ADDRESS of an old server.
    pub fn mapped_address(&self) -> Option<std::net::SocketAddr> {
        let xored = self.find(|a| if let Attribute::XorMappedAddress(x) = a { Some(*x) } else { None });
        xored.or_else(|| self.find(|a| if let Attribute::MappedAddress(x) = a { Some(*x) } else { None }))
    }

    /// USERNAME.
    pub fn username(&self) -> Option<&str> {
        self.find(|a| if let Attribute::Username(x) = a { Some(x.as_str()) } else { None })
    }

    /// REALM.
    pub fn realm(&self) -> Option<&str> {
        self.find(|a| if let Attribute::Realm(x) = a { Some(x.as_str()) } else { None })
    }

    /// NONCE.
    pub fn nonce(&self) -> Option<&str> {
        self.find(|a| if let Attribute::Nonce(x) = a { Some(x.as_str()) } else { None })
    }

    /// The number in ERROR-CODE, 300 to 699.
    pub fn error_code(&self) -> Option<u16> {
        self.find(|a| if let Attribute::ErrorCode { code, .. } = a { Some(*code) } else { None })
    }

    /// Whether MESSAGE-INTEGRITY is there; not whether it is right.
    pub fn is_signed(&self) -> bool {
        self.attributes.iter().any(|a| matches!(a, Attribute::MessageIntegrity(_)))
    }
}

/// Whether this looks like STUN: two zero bits and the magic cookie. RFC 8489, section 5.
pub fn is_stun(bytes: &[u8]) -> bool {
    let header: Option<&[u8; HEADER_BYTES]> = bytes.first_chunk();
    header.is_some_and(|[first, _, _, _, a, b, c, d, ..]| {
        first >> 6 == 0 && u32::from_be_bytes([*a, *b, *c, *d]) == MAGIC_COOKIE
    })
}

/// Type, transaction and attributes of a message whose frame is right.
fn split(bytes: &[u8]) -> Result<(u16, TransactionId, Reader<'_>), Error> {
    if bytes.len() > MAX_MESSAGE_BYTES {
        return Err(Error::TooLarge { field: "STUN message in bytes", limit: MAX_MESSAGE_BYTES });
    }
    let mut rest = Reader(bytes);
    let kind = rest.u16("STUN header")?;
    let stated = usize::from(rest.u16("STUN header")?);
    rest.u32("STUN header")?; // the cookie
    let transaction = rest.array("STUN header")?;
    if !is_stun(bytes) {
        return Err(Error::Invalid("STUN magic cookie"));
    }
    if stated != rest.0.len() {
        return Err(Error::Length { field: "STUN message length", stated, actual: rest.0.len() });
    }
    if padding(stated) != 0 {
        return Err(Error::Invalid("STUN message length"));
    }
    Ok((kind, transaction, rest))
}

fn next_attribute<'a>(rest: &mut Reader<'a>) -> Result<(u16, &'a [u8]), Error> {
    let kind = rest.u16("STUN attribute type")?;
    let length = usize::from(rest.u16("STUN attribute length")?);
    let value = rest.take(length, "STUN attribute value")?;
    rest.take(padding(length), "STUN attribute padding")?;
    Ok((kind, value))
}

// The class bits stand inside the method's: M11..M7 C1 M6..M4 C0 M3..M0. RFC 8489, section 5.
fn kind_of(class: Class, method: Method) -> u16 {
    let class = match class {
        Class::Request => 0,
        Class::Indication => 0x0010,
        Class::Success => 0x0100,
        Class::Error => 0x0110,
    };
    let m = method.number();
    (m & 0x0f) | (m & 0x70) << 1 | (m & 0xf80) << 2 | class
}

fn class_of(kind: u16) -> Class {
    match (kind & 0x0100 != 0, kind & 0x0010 != 0) {
        (false, false) => Class::Request,
        (false, true) => Class::Indication,
        (true, false) => Class::Success,
        (true, true) => Class::Error,
    }
}

fn method_of(kind: u16) -> Method {
    Method::new((kind & 0x0f) | (kind & 0xe0) >> 1 | (kind & 0x3e00) >> 2)
}
