//! The attributes that decide a call's security, as types. Each reads and writes the value after the colon.

use super::decimal;
use crate::{Error, hash};
use std::fmt;

/// `a=fingerprint`. RFC 8122, section 5.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Fingerprint {
    /// Lower case, such as `sha-256`.
    pub hash: String,
    /// The certificate's hash.
    pub bytes: Vec<u8>,
}

impl Fingerprint {
    /// Reads `sha-256 AB:CD:…`, in any case.
    ///
    /// # Errors
    /// There is no hash name, or the rest is not pairs of hexadecimal digits joined by colons.
    pub fn parse(value: &str) -> Result<Self, Error> {
        let wrong = Error::Invalid("SDP fingerprint");
        let (hash, digits) = value.trim().split_once(' ').ok_or(wrong.clone())?;
        let pair = |pair: &str| match pair.as_bytes() {
            [high, low] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => u8::from_str_radix(pair, 16).ok(),
            _ => None,
        };
        let bytes: Option<Vec<u8>> = digits.trim().split(':').map(pair).collect();
        Ok(Self { hash: hash.to_ascii_lowercase(), bytes: bytes.ok_or(wrong)? })
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let pairs: Vec<String> = self.bytes.iter().map(|byte| hash::hex(&[*byte]).to_ascii_uppercase()).collect();
        write!(f, "{} {}", self.hash, pairs.join(":"))
    }
}

/// Declares an enum of fixed words once, for both directions.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident, $field:literal: $($(#[$each:meta])* $variant:ident = $word:literal),+ $(,)?) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum $name { $($(#[$each])* $variant),+ }

        impl $name {
            /// Reads the word, in any case.
            ///
            /// # Errors
            /// It is none of the words.
            pub fn parse(value: &str) -> Result<Self, Error> {
                $(if value.trim().eq_ignore_ascii_case($word) { return Ok(Self::$variant); })+
                Err(Error::Invalid($field))
            }

            /// The word.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

words! {
    /// `a=setup`: who opens DTLS. RFC 4145, section 4; RFC 8842, section 5.2.
    Setup, "SDP setup":
    /// Will be the client.
    Active = "active",
    /// Will be the server.
    Passive = "passive",
    /// Lets the answer choose; for offers.
    Actpass = "actpass",
    /// Not yet.
    Holdconn = "holdconn",
}

words! {
    /// RFC 8866, section 6.7.
    Direction, "SDP direction":
    /// Both ways.
    SendRecv = "sendrecv",
    /// Only sends.
    SendOnly = "sendonly",
    /// Only receives.
    RecvOnly = "recvonly",
    /// Neither.
    Inactive = "inactive",
}

/// `a=candidate`. RFC 8839, section 5.1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// 1 to 32 letters, digits, `+` and `/`, says the RFC. Only a colon is refused here, as browsers take the rest.
    pub foundation: String,
    /// 1 is RTP, 2 is RTCP.
    pub component: u16,
    /// As written, usually `udp` or `UDP`.
    pub transport: String,
    /// RFC 8445, section 5.1.2.
    pub priority: u32,
    /// An IP address, or a name such as `….local`.
    pub address: String,
    /// 9 for active TCP.
    pub port: u16,
    /// `host`, `srflx`, `prflx`, `relay`.
    pub kind: String,
    /// What a reflexive or relayed one stands on: address and port.
    pub related: Option<(String, u16)>,
    /// The rest, name and value, such as `tcptype` and `ufrag`.
    pub extensions: Vec<(String, String)>,
}

impl Candidate {
    /// Reads the value; a leading `candidate:`, as trickling APIs give it, is dropped.
    ///
    /// # Errors
    /// Names the first field that is missing or wrong.
    pub fn parse(value: &str) -> Result<Self, Error> {
        let value = value.trim_ascii_start();
        let value = value.strip_prefix("candidate:").unwrap_or(value);
        let mut words = value.split_ascii_whitespace();
        let mut word = |field| words.next().ok_or(Error::Missing(field));
        let foundation = word("candidate foundation")?;
        if foundation.contains(':') {
            // `candidate:candidate:1` would be another candidate to whoever reads what we write.
            return Err(Error::Invalid("candidate foundation"));
        }
        let mut candidate = Self {
            foundation: foundation.to_owned(),
            component: decimal(word("candidate component")?, "candidate component")?,
            transport: word("candidate transport")?.to_owned(),
            priority: decimal(word("candidate priority")?, "candidate priority")?,
            address: word("candidate address")?.to_owned(),
            port: decimal(word("candidate port")?, "candidate port")?,
            kind: String::new(),
            related: None,
            extensions: Vec::new(),
        };
        if word("candidate type")? != "typ" {
            return Err(Error::Invalid("candidate type"));
        }
        candidate.kind = word("candidate type")?.to_owned();
        while let Some(name) = words.next() {
            let value = words.next().ok_or(Error::Missing("candidate extension value"))?;
            // Both or none; `rport` follows `raddr` directly. RFC 8839, section 5.1.
            if name == "raddr" && candidate.related.is_none() && candidate.extensions.is_empty() {
                let port = words.next().filter(|name| *name == "rport").and_then(|_| words.next());
                let port = decimal(port.ok_or(Error::Missing("candidate rport"))?, "candidate rport")?;
                candidate.related = Some((value.to_owned(), port));
            } else {
                candidate.extensions.push((name.to_owned(), value.to_owned()));
            }
        }
        Ok(candidate)
    }
}

impl fmt::Display for Candidate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {} {} ", self.foundation, self.component, self.transport, self.priority)?;
        write!(f, "{} {} typ {}", self.address, self.port, self.kind)?;
        if let Some((address, port)) = &self.related {
            write!(f, " raddr {address} rport {port}")?;
        }
        self.extensions.iter().try_for_each(|(name, value)| write!(f, " {name} {value}"))
    }
}

/// `a=crypto`: SDES keys (RFC 4568, section 9.1), which WebRTC forbids.
#[derive(Clone, PartialEq, Eq)]
pub struct Crypto {
    /// Pairs offer and answer.
    pub tag: u32,
    /// Such as `AES_CM_128_HMAC_SHA1_80`.
    pub suite: String,
    /// Each after `inline:`: base64 of key and salt, and what follows it after bars.
    pub keys: Vec<String>,
    /// Session parameters, such as `UNENCRYPTED_SRTP`.
    pub parameters: Vec<String>,
}

impl Crypto {
    /// Reads the value.
    ///
    /// # Errors
    /// Names the first field that is missing or wrong; a key that is not `inline:` is wrong.
    pub fn parse(value: &str) -> Result<Self, Error> {
        let mut words = value.split_ascii_whitespace();
        let mut word = |field| words.next().ok_or(Error::Missing(field));
        let tag = decimal(word("crypto tag")?, "crypto tag")?;
        let suite = word("crypto suite")?.to_owned();
        let key = |key: &str| key.strip_prefix("inline:").map(str::to_owned);
        let keys: Option<Vec<String>> = word("crypto key")?.split(';').map(key).collect();
        let keys = keys.ok_or(Error::Invalid("crypto key"))?;
        Ok(Self { tag, suite, keys, parameters: words.map(str::to_owned).collect() })
    }

    /// The base64 text of a key, without lifetime and MKI.
    pub fn key_base64(&self) -> Option<&str> {
        self.keys.first().and_then(|key| key.split('|').next())
    }
}

impl fmt::Display for Crypto {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let keys: Vec<String> = self.keys.iter().map(|key| format!("inline:{key}")).collect();
        write!(f, "{} {} {}", self.tag, self.suite, keys.join(";"))?;
        self.parameters.iter().try_for_each(|parameter| write!(f, " {parameter}"))
    }
}

/// Without the keys: debug output ends up in logs.
impl fmt::Debug for Crypto {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { tag, suite, keys, parameters } = self;
        write!(f, "Crypto {{ {tag} {suite} [{} keys] {parameters:?} }}", keys.len())
    }
}

/// `a=rtpmap`. RFC 8866, section 6.6.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RtpMap {
    /// 0 to 127.
    pub payload_type: u8,
    /// As written, such as `opus`; compared without case.
    pub encoding: String,
    /// Timestamp units per second.
    pub clock_hz: u32,
    /// The number of channels after a second slash.
    pub channels: Option<u8>,
}

impl RtpMap {
    /// Reads `111 opus/48000/2`.
    ///
    /// # Errors
    /// Names the first field that is missing or wrong.
    pub fn parse(value: &str) -> Result<Self, Error> {
        let (payload_type, format) = value.trim().split_once(' ').ok_or(Error::Missing("rtpmap encoding"))?;
        let payload_type = decimal(payload_type, "rtpmap payload type")?;
        if payload_type > 127 {
            return Err(Error::Invalid("rtpmap payload type"));
        }
        let mut parts = format.trim().split('/');
        let encoding = parts.next().unwrap_or_default().to_owned();
        let clock_hz = decimal(parts.next().ok_or(Error::Missing("rtpmap clock"))?, "rtpmap clock")?;
        let channels = parts.next().map(|text| decimal(text, "rtpmap channels")).transpose()?;
        Ok(Self { payload_type, encoding, clock_hz, channels })
    }
}

impl fmt::Display for RtpMap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}/{}", self.payload_type, self.encoding, self.clock_hz)?;
        self.channels.map_or(Ok(()), |channels| write!(f, "/{channels}"))
    }
}
