//! What the messages of a server's first flight say, in their order, whatever carried them.

use super::server::{self, ServerHello};
use super::{
    CERTIFICATE, CERTIFICATE_REQUEST, CERTIFICATE_STATUS, Depth, HELLO_REQUEST, HELLO_VERIFY_REQUEST,
    MAX_CERTIFICATE_MESSAGE_BYTES, MAX_CERTIFICATES, MAX_MESSAGE_BYTES, MAX_WARNINGS, NEW_SESSION_TICKET, Reply,
    SERVER_HELLO, SERVER_HELLO_DONE, SERVER_KEY_EXCHANGE, SUPPLEMENTAL_DATA, Version, key_exchange,
};
use crate::Error;
use crate::bytes::Reader;

pub(super) const LEVEL_WARNING: u8 = 1; // RFC 8446, section 6
pub(super) const LEVEL_FATAL: u8 = 2;
const CLOSE_NOTIFY: u8 = 0;

/// What came so far, and how much of it is wanted.
#[derive(Debug)]
pub(super) struct Flight {
    depth: Depth,
    dtls: bool,
    hello: Option<Box<ServerHello>>,
    warnings: usize,
    last_warning: Option<u8>,
}

impl Flight {
    pub fn new(depth: Depth, dtls: bool) -> Self {
        Self { depth, dtls, hello: None, warnings: 0, last_warning: None }
    }

    /// One whole message. `Some` ends the reading.
    pub fn message(&mut self, kind: u8, body: &[u8], record_version: Version) -> Option<Reply> {
        let result = match &mut self.hello {
            None => self.opening(kind, body, record_version),
            Some(hello) => later(hello, kind, body).map(|()| None),
        };
        match result {
            Ok(None) if self.hello.as_ref().is_some_and(|hello| hello.done) => Some(self.stop(|_| ())),
            Ok(reply) => reply,
            Err(error) => Some(self.fault(error)),
        }
    }

    /// One alert. `Some` ends the reading.
    pub fn alert(&mut self, level: u8, code: u8) -> Option<Reply> {
        match level {
            LEVEL_FATAL if self.hello.is_some() => Some(self.stop(|hello| hello.alert = Some(code))),
            LEVEL_FATAL => Some(Reply::Alert { fatal: true, code }),
            LEVEL_WARNING if code == CLOSE_NOTIFY && self.hello.is_some() => Some(self.stop(|_| ())),
            LEVEL_WARNING if code == CLOSE_NOTIFY => Some(Reply::Alert { fatal: false, code }),
            LEVEL_WARNING if self.warnings == MAX_WARNINGS => {
                Some(self.fault(Error::TooLarge { field: "number of warning alerts", limit: MAX_WARNINGS }))
            }
            LEVEL_WARNING => {
                self.warnings += 1;
                self.last_warning = Some(code);
                None
            }
            _ => Some(self.fault(Error::Invalid("alert level"))),
        }
    }

    /// Nothing that follows can be trusted.
    pub fn fault(&mut self, error: Error) -> Reply {
        if self.hello.is_none() {
            return Reply::Garbage(error);
        }
        self.stop(|hello| hello.broken = Some(error))
    }

    /// Nothing follows. `cut` is what was begun and not ended, if anything.
    pub fn end(mut self, cut: Option<Error>, nothing: Error) -> Reply {
        match (cut, self.last_warning) {
            (cut, _) if self.hello.is_some() => self.stop(|hello| hello.broken = cut),
            (Some(cut), _) => Reply::Garbage(cut),
            (None, Some(code)) => Reply::Alert { fatal: false, code },
            (None, None) => Reply::Garbage(nothing),
        }
    }

    pub fn has_hello(&self) -> bool {
        self.hello.is_some()
    }

    /// The ServerHello as it is, with a last word.
    pub fn stop(&mut self, last: impl FnOnce(&mut ServerHello)) -> Reply {
        match self.hello.take() {
            Some(mut hello) => {
                last(&mut hello);
                Reply::ServerHello(hello)
            }
            None => Reply::Garbage(Error::Missing("ServerHello")),
        }
    }

    fn opening(&mut self, kind: u8, body: &[u8], record_version: Version) -> Result<Option<Reply>, Error> {
        match kind {
            HELLO_REQUEST => Ok(None), // to be ignored: RFC 5246, section 7.4.1.1
            HELLO_VERIFY_REQUEST if self.dtls => hello_verify_request(body).map(Some),
            SERVER_HELLO => {
                let (mut hello, retry) = ServerHello::parse(body, self.dtls, record_version)?;
                hello.done = hello.version.is_13();
                let hello = Box::new(hello);
                if retry {
                    return Ok(Some(Reply::HelloRetryRequest(hello)));
                }
                if self.depth == Depth::Hello {
                    return Ok(Some(Reply::ServerHello(hello)));
                }
                self.hello = Some(hello);
                Ok(None)
            }
            _ => Err(Error::Invalid("handshake message before ServerHello")),
        }
    }
}

/// The longest body of this kind of message that is read, or the words for one that is longer.
pub(super) fn check_length(kind: u8, length: usize) -> Result<(), Error> {
    let (field, limit) = match kind {
        CERTIFICATE => ("Certificate message in bytes", MAX_CERTIFICATE_MESSAGE_BYTES),
        CERTIFICATE_STATUS => ("CertificateStatus message in bytes", MAX_CERTIFICATE_MESSAGE_BYTES),
        _ => ("handshake message in bytes", MAX_MESSAGE_BYTES),
    };
    if length > limit { Err(Error::TooLarge { field, limit }) } else { Ok(()) }
}

/// RFC 6347, section 4.2.1.
fn hello_verify_request(body: &[u8]) -> Result<Reply, Error> {
    let mut rest = Reader(body);
    let version = Version(rest.u16("HelloVerifyRequest version")?);
    let length = rest.u8("HelloVerifyRequest cookie")?;
    let cookie = rest.take(usize::from(length), "HelloVerifyRequest cookie")?.to_vec();
    rest.end("HelloVerifyRequest")?;
    Ok(Reply::HelloVerifyRequest { version, cookie })
}

/// A message behind the ServerHello, below 1.3.
fn later(hello: &mut ServerHello, kind: u8, body: &[u8]) -> Result<(), Error> {
    match kind {
        HELLO_REQUEST | NEW_SESSION_TICKET | SUPPLEMENTAL_DATA => {}
        CERTIFICATE => hello.certificates = certificates(body)?,
        CERTIFICATE_STATUS => hello.ocsp_response = ocsp_response(body)?,
        CERTIFICATE_REQUEST => hello.certificate_requested = true,
        SERVER_KEY_EXCHANGE => {
            let exchange = key_exchange::parse(body, hello.suite, hello.version)?;
            hello.group = exchange.group;
            hello.dh_bits = exchange.dh_bits;
            hello.signature_scheme = exchange.signature_scheme;
        }
        SERVER_HELLO_DONE => {
            Reader(body).end("ServerHelloDone")?;
            hello.done = true;
        }
        _ => return Err(Error::Invalid("handshake message after ServerHello")),
    }
    Ok(())
}

/// RFC 5246, section 7.4.2.
fn certificates(body: &[u8]) -> Result<Vec<Vec<u8>>, Error> {
    let mut message = Reader(body);
    let mut list = Reader(server::take24(&mut message, "Certificate list")?);
    message.end("Certificate message")?;
    let mut certificates = Vec::new();
    while !list.is_empty() {
        if certificates.len() == MAX_CERTIFICATES {
            return Err(Error::TooLarge { field: "number of certificates", limit: MAX_CERTIFICATES });
        }
        let certificate = server::take24(&mut list, "certificate")?;
        if certificate.is_empty() {
            return Err(Error::Missing("certificate"));
        }
        certificates.push(certificate.to_vec());
    }
    Ok(certificates)
}

/// RFC 6066, section 8; other kinds of status (RFC 6961) are passed over.
fn ocsp_response(body: &[u8]) -> Result<Option<Vec<u8>>, Error> {
    const OCSP: u8 = 1;
    let mut rest = Reader(body);
    if rest.u8("CertificateStatus")? != OCSP {
        return Ok(None);
    }
    let response = server::take24(&mut rest, "OCSPResponse")?.to_vec();
    rest.end("CertificateStatus")?;
    Ok(Some(response))
}
