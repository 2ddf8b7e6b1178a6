//! Hellos of TLS (SSL 3.0 to TLS 1.3) and DTLS (1.0, 1.2, 1.3), written by hand and read back: what a server accepts,
//! asked without a handshake. RFC 6101, 2246, 4346, 5246, 8446; RFC 4347, 6347, 9147.
//!
//! [`ClientHello`] is written, whatever it says; [`TlsReader`] and [`DtlsReader`] are fed with what comes back until
//! they tell which [`Reply`] it is. One reader per hello. Nothing here holds a key: a hello for 1.3 with
//! [`Extension::key_share_empty`] is answered by a HelloRetryRequest, which names suite and group and costs the server
//! none of its private key.
//!
//! The other side: [`ClientHello::from_tls`] and [`ClientHello::from_datagram`] read what a client sends, and
//! [`ServerFlight`] answers it, whatever that says.
//!
//! # Limits
//! A hello that is written has at most 64 KiB. On reading: [`MAX_MESSAGE_BYTES`], [`MAX_CERTIFICATE_MESSAGE_BYTES`],
//! [`MAX_CERTIFICATES`], [`MAX_EXTENSIONS`], [`MAX_WARNINGS`], [`MAX_REPLY_BYTES`], [`MAX_DATAGRAMS`],
//! [`MAX_FRAGMENTS`].
//!
//! ```
//! use ringfence_wire::hello::{ClientHello, Depth, Extension, Reply, TlsReader, Version};
//! let mut hello = ClientHello::new(Version::TLS12, [7; 32]);
//! hello.suites = vec![0xc02b, 0xc02f];
//! hello.extensions = vec![Extension::supported_groups(&[29, 23])?, Extension::signature_algorithms(&[0x0403])?];
//! let stream = hello.to_tls()?; // to be sent
//! assert_eq!(stream.first(), Some(&22));
//! let mut reader = TlsReader::new(Depth::Flight);
//! let reply = reader.feed(&[21, 3, 3, 0, 2, 2, 40]); // what came back
//! assert_eq!(reply, Some(Reply::Alert { fatal: true, code: 40 }));
//! # Ok::<(), ringfence_wire::Error>(())
//! ```

mod answer;
mod arrival;
mod client;
mod datagrams;
mod extension;
mod flight;
mod framing;
mod key_exchange;
pub mod names;
mod reassembly;
mod server;
mod stream;

pub use answer::ServerFlight;
pub use client::{ClientHello, MAX_HELLO_BYTES};
pub use datagrams::{DtlsReader, MAX_DATAGRAMS, MAX_FRAGMENTS};
pub use extension::Extension;
pub use server::{MAX_EXTENSIONS, ServerHello};
pub use stream::TlsReader;

use crate::Error;

/// Most bytes of one handshake message that is read, certificates excepted.
pub const MAX_MESSAGE_BYTES: usize = 1 << 16; // (house) the longest extensions block alone
/// Most bytes of a Certificate or CertificateStatus message that is read.
pub const MAX_CERTIFICATE_MESSAGE_BYTES: usize = 1 << 18; // (house)
/// Most certificates of one chain.
pub const MAX_CERTIFICATES: usize = 64; // (house)
/// Most alerts at level warning before something else has to come.
pub const MAX_WARNINGS: usize = 16; // (house)
/// Most bytes, headers included, that one reader takes for its reply.
pub const MAX_REPLY_BYTES: usize = 1 << 20; // (house)

/// Most bytes of a TLS or DTLS record before encryption. RFC 8446, section 5.1.
const MAX_RECORD_BYTES: usize = 1 << 14;

// Kinds of records. RFC 8446, section B.1.
const CHANGE_CIPHER_SPEC: u8 = 20;
const ALERT: u8 = 21;
const HANDSHAKE: u8 = 22;

// Kinds of handshake messages. RFC 5246, section A.4; RFC 6347, section 4.3.2; RFC 6066, section 8.
const HELLO_REQUEST: u8 = 0;
const CLIENT_HELLO: u8 = 1;
const SERVER_HELLO: u8 = 2;
const HELLO_VERIFY_REQUEST: u8 = 3;
const NEW_SESSION_TICKET: u8 = 4;
const CERTIFICATE: u8 = 11;
const SERVER_KEY_EXCHANGE: u8 = 12;
const CERTIFICATE_REQUEST: u8 = 13;
const SERVER_HELLO_DONE: u8 = 14;
const CERTIFICATE_STATUS: u8 = 22;
const SUPPLEMENTAL_DATA: u8 = 23; // RFC 4680, section 2

/// A protocol version as on the wire, so that `Version(0xfefd)` is DTLS 1.2. The order is that of the numbers, which DTLS
/// counts down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Version(pub u16);

impl Version {
    /// RFC 6101.
    pub const SSL3: Self = Self(0x0300);
    /// RFC 2246.
    pub const TLS10: Self = Self(0x0301);
    /// RFC 4346.
    pub const TLS11: Self = Self(0x0302);
    /// RFC 5246.
    pub const TLS12: Self = Self(0x0303);
    /// RFC 8446.
    pub const TLS13: Self = Self(0x0304);
    /// RFC 4347.
    pub const DTLS10: Self = Self(0xfeff);
    /// RFC 6347.
    pub const DTLS12: Self = Self(0xfefd);
    /// RFC 9147.
    pub const DTLS13: Self = Self(0xfefc);

    /// "ssl3", "1.0", "1.1", "1.2" or "1.3", the same for TLS and DTLS; `None` for a version that nobody published.
    pub const fn name(self) -> Option<&'static str> {
        Some(match self {
            Self::SSL3 => "ssl3",
            Self::TLS10 | Self::DTLS10 => "1.0",
            Self::TLS11 => "1.1",
            Self::TLS12 | Self::DTLS12 => "1.2",
            Self::TLS13 | Self::DTLS13 => "1.3",
            _ => return None,
        })
    }

    /// Whether this is a version of DTLS: the major number 0xfe. RFC 4347, section 4.1.
    pub const fn is_dtls(self) -> bool {
        self.0 >> 8 == 0xfe
    }

    /// Whether this is TLS 1.3 or DTLS 1.3.
    pub const fn is_13(self) -> bool {
        matches!(self, Self::TLS13 | Self::DTLS13)
    }

    /// What `legacy_version` says in a hello of this version. RFC 8446, section 4.1.2; RFC 9147, section 5.3.
    pub const fn legacy(self) -> Self {
        match self {
            Self::TLS13 => Self::TLS12,
            Self::DTLS13 => Self::DTLS12,
            _ => self,
        }
    }

    /// Whether a ServerKeyExchange of this version names its signature scheme: 1.2. RFC 5246, section 7.4.3.
    pub(crate) const fn names_signature_scheme(self) -> bool {
        matches!(self, Self::TLS12 | Self::DTLS12)
    }
}

/// How far a reader goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Depth {
    /// To the ServerHello: version, suite and extensions. The cheapest.
    Hello,
    /// To the ServerHelloDone: also group, signature scheme, certificates. In 1.3 as `Hello`, since the rest is
    /// encrypted.
    Flight,
}

/// What came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// The server chose. How much of its flight is known depends on [`Depth`] and on [`ServerHello::done`].
    ServerHello(Box<ServerHello>),
    /// DTLS 1.0 and 1.2: the same hello is wanted again, with this cookie, message_seq and record number one higher.
    /// RFC 6347, section 4.2.1.
    HelloVerifyRequest {
        /// What the message says, which is not what the server will choose: servers of DTLS 1.2 only say 1.0 here.
        version: Version,
        /// At most 255 bytes; may be empty from a broken server.
        cookie: Vec<u8>,
    },
    /// 1.3: suite and group that the server wants, and perhaps a cookie. RFC 8446, section 4.1.4.
    HelloRetryRequest(Box<ServerHello>),
    /// The hello was refused. At level warning only as the last that came: close_notify, or the peer fell silent after
    /// it.
    Alert {
        /// Level fatal, else warning.
        fatal: bool,
        /// AlertDescription; [`names::alert`] has the words.
        code: u8,
    },
    /// Nothing that can be trusted came; the words say what was wrong.
    Garbage(Error),
}
