//! The ClientHello as a server gets it: out of the first TLS records, or out of one DTLS datagram.

use super::datagrams::{next_fragment, next_record};
use super::stream::check_header;
use super::{CLIENT_HELLO, ClientHello, Extension, HANDSHAKE, MAX_HELLO_BYTES, Version};
use crate::Error;
use crate::bytes::Reader;

/// Bytes of a TLS stream of which the hello has to be a part, headers included: records of one byte each are none's
/// custom.
const MAX_OPENING_BYTES: usize = 2 * MAX_HELLO_BYTES; // (house)

impl ClientHello {
    /// The hello at the beginning of what a TLS client sent so far, whatever follows it. `None`: it is not whole yet;
    /// ask again with more, from the first byte on. `record_version` becomes what the first record says.
    ///
    /// # Errors
    /// This is no TLS, something else comes first, the hello is not valid, or longer than [`MAX_HELLO_BYTES`].
    pub fn from_tls(stream: &[u8]) -> Result<Option<Self>, Error> {
        const FIRST: &str = "first TLS record";
        let mut rest = Reader(stream);
        let mut message = Vec::new();
        let mut record_version = None;
        while let Some(kind) = rest.0.first() {
            if *kind != HANDSHAKE {
                return Err(Error::Invalid(FIRST));
            }
            if stream.len() - rest.0.len() > MAX_OPENING_BYTES {
                return Err(Error::TooLarge { field: "TLS records of a hello in bytes", limit: MAX_OPENING_BYTES });
            }
            let Some(([_, a, b, c, d], body)) = rest.0.split_first_chunk() else { return Ok(None) };
            let (version, length) = (Version(u16::from_be_bytes([*a, *b])), u16::from_be_bytes([*c, *d]).into());
            check_header(*kind, version, length)?;
            record_version.get_or_insert(version);
            let (now, later) = body.split_at_checked(length).unwrap_or((body, &[]));
            message.extend_from_slice(now);
            if let Some(hello) = hello(&message)? {
                of_family(&hello, false)?;
                return Ok(Some(Self { record_version, ..hello }));
            }
            rest.0 = later;
        }
        Ok(None)
    }

    /// The first hello in a DTLS datagram that is not fragmented, with its message_seq: 0, or higher when it answers a
    /// HelloVerifyRequest or HelloRetryRequest. Of a hello in several fragments nothing is read. `record_version`
    /// becomes what its record says.
    ///
    /// # Errors
    /// There is none, or it is not valid.
    pub fn from_datagram(datagram: &[u8]) -> Result<(Self, u16), Error> {
        let mut rest = Reader(datagram);
        while !rest.is_empty() {
            let Some(record) = next_record(&mut rest)?.filter(|record| record.kind == HANDSHAKE) else { continue };
            let mut fragments = Reader(record.body);
            while !fragments.is_empty() {
                let fragment = next_fragment(&mut fragments)?;
                let whole = fragment.offset == 0 && fragment.piece.len() == fragment.length;
                if fragment.kind == CLIENT_HELLO && whole {
                    let hello = Self::parse(fragment.piece)?;
                    of_family(&hello, true)?;
                    return Ok((Self { record_version: Some(record.version), ..hello }, fragment.sequence));
                }
            }
        }
        Err(Error::Missing("ClientHello"))
    }

    /// The body of the first extension of this kind.
    pub fn extension(&self, kind: u16) -> Option<&[u8]> {
        self.extensions.iter().find(|x| x.kind == kind).map(|x| x.data.as_slice())
    }

    /// What supported_groups offers, in its order; nothing if it is not there or not valid.
    pub fn groups(&self) -> Vec<u16> {
        self.list(Extension::SUPPORTED_GROUPS)
    }

    /// What signature_algorithms offers, in its order; nothing if it is not there or not valid.
    pub fn signature_schemes(&self) -> Vec<u16> {
        self.list(Extension::SIGNATURE_ALGORITHMS)
    }

    /// The SRTP profiles in use_srtp, in their order; nothing if it is not there or not valid. RFC 5764, section 4.1.1.
    pub fn srtp_profiles(&self) -> Vec<u16> {
        self.list(Extension::USE_SRTP)
    }

    /// The numbers behind a length of two bytes; what may follow them is left.
    fn list(&self, kind: u16) -> Vec<u16> {
        let mut rest = Reader(self.extension(kind).unwrap_or_default());
        let bytes = rest.u16("list").and_then(|length| rest.take(length.into(), "list")).unwrap_or_default();
        let (pairs, left) = bytes.as_chunks::<2>();
        if left.is_empty() { pairs.iter().map(|pair| u16::from_be_bytes(*pair)).collect() } else { Vec::new() }
    }
}

/// The hello once it is whole.
fn hello(message: &[u8]) -> Result<Option<ClientHello>, Error> {
    if message.first().is_some_and(|kind| *kind != CLIENT_HELLO) {
        return Err(Error::Invalid("first handshake message"));
    }
    let Some(([_, a, b, c], rest)) = message.split_first_chunk() else { return Ok(None) };
    let length = usize::from(*a) << 16 | usize::from(*b) << 8 | usize::from(*c);
    if length > MAX_HELLO_BYTES {
        return Err(Error::TooLarge { field: "hello in bytes", limit: MAX_HELLO_BYTES });
    }
    rest.get(..length).map(ClientHello::parse).transpose()
}

/// The legacy_version tells how the rest was laid out, so it has to be of the family that carried it.
fn of_family(hello: &ClientHello, dtls: bool) -> Result<(), Error> {
    let fits = hello.legacy_version.is_some_and(|version| version.is_dtls() == dtls);
    if fits { Ok(()) } else { Err(Error::Invalid("ClientHello version")) }
}
