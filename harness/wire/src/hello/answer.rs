//! A server's answer, written by hand: it may say what no library of ours would.

use super::extension::{prefixed8, write_list};
use super::framing::{Fragments, length24, message, records};
use super::{CERTIFICATE, Extension, SERVER_HELLO, SERVER_HELLO_DONE, SERVER_KEY_EXCHANGE, Version};
use crate::Error;

/// What a server answers a hello with, in clear, as far as ServerHelloDone: written by hand, nothing of it signed or
/// kept. RFC 5246, section 7.4; RFC 6347, section 4.2. No handshake can be ended with it: for who only asks what is
/// accepted.
///
/// Each field is written as it stands, sensible or not. In 1.3, where the rest is encrypted, the ServerHello is all.
///
/// ```
/// use ringfence_wire::hello::{Depth, Reply, ServerFlight, TlsReader, Version};
/// let mut flight = ServerFlight::new(Version::TLS10, [9; 32], 0x002f);
/// flight.certificates = vec![b"DER".to_vec()];
/// let Some(Reply::ServerHello(read)) = TlsReader::new(Depth::Flight).feed(&flight.to_tls()?) else { panic!() };
/// assert_eq!((read.version, read.suite, read.done), (Version::TLS10, 0x002f, true));
/// # Ok::<(), ringfence_wire::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerFlight {
    /// The version that is chosen. For 1.3 the writer says so in supported_versions, unless `extensions` has one. The
    /// record layer says the same ([`Version::legacy`]).
    pub version: Version,
    /// server_random.
    pub random: [u8; 32],
    /// At most 255 bytes are written; more than 32 break the protocol.
    pub session_id: Vec<u8>,
    /// The cipher suite that is chosen; [`super::names::suites`].
    pub suite: u16,
    /// The compression method that is chosen; 0 is none.
    pub compression: u8,
    /// In the order in which they are written. Without any the whole block is left out.
    pub extensions: Vec<Extension>,
    /// DER, leaf first, at most 16 MiB together. Empty: there is no Certificate message. Nothing in 1.3.
    pub certificates: Vec<Vec<u8>>,
    /// The body of the ServerKeyExchange, if there is one. Nothing in 1.3.
    pub key_exchange: Option<Vec<u8>>,
}

impl ServerFlight {
    /// A ServerHello without session, compression and extensions, and a ServerHelloDone behind it.
    pub fn new(version: Version, random: [u8; 32], suite: u16) -> Self {
        Self {
            version,
            random,
            session_id: Vec::new(),
            suite,
            compression: 0,
            extensions: Vec::new(),
            certificates: Vec::new(),
            key_exchange: None,
        }
    }

    /// As TLS records, one behind the other; each holds 16,384 bytes at most.
    ///
    /// # Errors
    /// The version is one of DTLS, it is 1.3 and something follows the ServerHello, or a field is longer than its length
    /// can say.
    pub fn to_tls(&self) -> Result<Vec<u8>, Error> {
        if self.version.is_dtls() {
            return Err(Error::Invalid("version of a TLS flight"));
        }
        let mut messages = Vec::new();
        for (kind, body) in self.messages()? {
            messages.extend_from_slice(&message(kind, &body)?);
        }
        records(&messages, self.version.legacy())
    }

    /// As DTLS datagrams of one record with one fragment each. `message_seq` is that of the hello that is answered; so
    /// is `record_seq` (48 bits) by custom, it has to be higher than that of a HelloVerifyRequest before;
    /// `max_fragment` is how many bytes of a message one datagram carries, 25 less than its size.
    ///
    /// # Errors
    /// The version is not one of DTLS, it is 1.3 and something follows the ServerHello, `max_fragment` is 0,
    /// `message_seq` or `record_seq` runs over, or a field is longer than its length can say.
    pub fn to_dtls(&self, message_seq: u16, record_seq: u64, max_fragment: usize) -> Result<Vec<Vec<u8>>, Error> {
        if !self.version.is_dtls() {
            return Err(Error::Invalid("version of a DTLS flight"));
        }
        if max_fragment == 0 {
            return Err(Error::Invalid("fragment size of a DTLS flight"));
        }
        let fragments = Fragments { version: self.version.legacy(), record_seq, max_fragment };
        let mut datagrams = Vec::new();
        for (behind, (kind, body)) in (0..).zip(self.messages()?) {
            let sequence = message_seq.checked_add(behind).ok_or(Error::Invalid("message_seq of a DTLS flight"))?;
            fragments.add(&mut datagrams, kind, sequence, &body)?;
        }
        Ok(datagrams)
    }

    /// Kinds and bodies in their order.
    fn messages(&self) -> Result<Vec<(u8, Vec<u8>)>, Error> {
        let mut messages = vec![(SERVER_HELLO, self.hello()?)];
        if self.version.is_13() {
            let alone = self.certificates.is_empty() && self.key_exchange.is_none();
            return if alone { Ok(messages) } else { Err(Error::Invalid("flight of 1.3 behind its ServerHello")) };
        }
        if !self.certificates.is_empty() {
            messages.push((CERTIFICATE, self.certificate_list()?));
        }
        if let Some(body) = &self.key_exchange {
            messages.push((SERVER_KEY_EXCHANGE, body.clone()));
        }
        messages.push((SERVER_HELLO_DONE, Vec::new()));
        Ok(messages)
    }

    /// RFC 5246, section 7.4.1.3.
    fn hello(&self) -> Result<Vec<u8>, Error> {
        let mut body = self.version.legacy().0.to_be_bytes().to_vec();
        body.extend_from_slice(&self.random);
        body.extend_from_slice(&prefixed8(&self.session_id, "session id in bytes")?);
        body.extend_from_slice(&self.suite.to_be_bytes());
        body.push(self.compression);
        let given = self.extensions.iter().any(|x| x.kind == Extension::SUPPORTED_VERSIONS);
        let derived = (self.version.is_13() && !given)
            .then(|| Extension::new(Extension::SUPPORTED_VERSIONS, self.version.0.to_be_bytes()));
        body.extend_from_slice(&write_list(derived.iter().chain(&self.extensions))?);
        Ok(body)
    }

    /// RFC 5246, section 7.4.2.
    fn certificate_list(&self) -> Result<Vec<u8>, Error> {
        let mut list = Vec::new();
        for certificate in &self.certificates {
            list.extend_from_slice(&length24(certificate.len())?);
            list.extend_from_slice(certificate);
        }
        Ok([&length24(list.len())?[..], &list].concat())
    }
}
