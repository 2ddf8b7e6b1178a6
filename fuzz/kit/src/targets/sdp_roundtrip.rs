//! Descriptions and the attributes that have a type: read, written, read.

use std::fmt::{Debug, Display};

use ringfence_wire::Error;
use ringfence_wire::sdp::{Candidate, Crypto, Description, Direction, Fingerprint, RtpMap, Setup};

use crate::generators::sdp::{AnyDescription, descriptions};
use crate::generators::{stretch, value};
use crate::oracles::{FIXPOINT, fixpoint};
use crate::target::{Seed, Target};

/// A letter that says what is read, and its text; behind any other letter what the generator makes a description of.
pub const TARGET: Target = Target {
    name: "sdp_roundtrip",
    reads: "`d` and a description, `c` candidate, `f` fingerprint, `k` crypto, `r` rtpmap, `s` setup, `w` direction, else a drawn one",
    oracles: &[&FIXPOINT],
    run,
    accepts: |bytes| shown(bytes).is_ok(),
    show: |bytes| shown(bytes).unwrap_or_else(|error| error.to_string()),
    seeds,
    dictionary: Some("sdp"),
    max_len: 70_000, // a description is 65,536 bytes at most
    covers: &["harness/wire/src/sdp.rs", "harness/wire/src/sdp/attributes.rs"],
};

/// One run.
pub fn run(bytes: &[u8]) {
    let Some((what, rest)) = bytes.split_first() else { return };
    if *what == b'd' {
        let Ok(description) = Description::parse(rest) else { return };
        return fixpoint(&description, ToString::to_string, |text: &String| Description::parse(text.as_bytes()));
    }
    let Ok(text) = std::str::from_utf8(rest) else { return drawn(rest) };
    match what {
        b'c' => value_of(text, Candidate::parse),
        b'f' => value_of(text, Fingerprint::parse),
        b'k' => value_of(text, Crypto::parse),
        b'r' => value_of(text, RtpMap::parse),
        b's' => value_of(text, Setup::parse),
        b'w' => value_of(text, Direction::parse),
        _ => drawn(rest),
    }
}

fn value_of<T: PartialEq + Debug + Display>(text: &str, parse: impl Fn(&str) -> Result<T, Error>) {
    let Ok(value) = parse(text) else { return };
    fixpoint(&value, T::to_string, |text| parse(text));
}

/// What was made rather than read: what is written has to be read as what was meant.
fn drawn(bytes: &[u8]) {
    let Some(AnyDescription(description)) = value(bytes) else { return };
    fixpoint(&description, ToString::to_string, |text: &String| Description::parse(text.as_bytes()));
    for section in description.sections() {
        section.candidates().flatten().for_each(|x| fixpoint(&x, ToString::to_string, |text| Candidate::parse(text)));
        section.crypto().flatten().for_each(|x| fixpoint(&x, ToString::to_string, |text| Crypto::parse(text)));
        section.rtpmaps().flatten().for_each(|x| fixpoint(&x, ToString::to_string, |text| RtpMap::parse(text)));
        section
            .fingerprints()
            .flatten()
            .for_each(|x| fixpoint(&x, ToString::to_string, |text| Fingerprint::parse(text)));
    }
}

fn shown(bytes: &[u8]) -> Result<String, Error> {
    let (what, rest) = bytes.split_first().ok_or(Error::Missing("kind"))?;
    let text = || std::str::from_utf8(rest).map_err(|_| Error::NotUtf8("text"));
    Ok(match what {
        b'd' => format!("{:#?}", Description::parse(rest)?),
        b'c' => format!("{:#?}", Candidate::parse(text()?)?),
        b'f' => format!("{:#?}", Fingerprint::parse(text()?)?),
        b'k' => Crypto::parse(text()?)?.to_string(),
        b'r' => format!("{:#?}", RtpMap::parse(text()?)?),
        b's' => format!("{:?}", Setup::parse(text()?)?),
        b'w' => format!("{:?}", Direction::parse(text()?)?),
        _ => format!("{:#?}", value::<AnyDescription>(rest).ok_or(Error::Missing("bytes"))?),
    })
}

fn seeds() -> Vec<Seed> {
    let texts = [
        ("candidate-host", "c1467250027 1 udp 2122260223 192.0.2.7 52100 typ host generation 0"),
        ("candidate-relay", "ccandidate:2 2 UDP 41885695 2001:db8::1 61002 typ relay raddr 0.0.0.0 rport 0 ufrag x"),
        ("candidate-tcp", "c4 1 tcp 1518280447 a.local 9 typ host tcptype active raddr 1 rport 2"),
        (
            "fingerprint",
            "fSHA-256 0b:30:55:7A:9F:C4:E9:0E:33:58:7D:A2:C7:EC:11:36:5B:80:A5:CA:EF:14:39:5E:83:A8:CD:F2:17:3C:61:86",
        ),
        ("fingerprint-short", "f sha-1  0a "),
        (
            "crypto",
            "k1 AES_CM_128_HMAC_SHA1_80 inline:d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj|2^20|1:4 UNENCRYPTED_SRTP",
        ),
        ("crypto-two-keys", "k2 F8_128_HMAC_SHA1_80 inline:AAAA|2^20;inline:BBBB KDR=1 FEC_ORDER=FEC_SRTP"),
        ("rtpmap", "r111 opus/48000/2"),
        ("rtpmap-third-slash", "r0 a b/8000/1/x"),
        ("setup", "s ActPass "),
        ("direction", "wsendrecv"),
    ];
    let refused =
        [("candidate-twice", "ccandidate:candidate:1 1 udp 1 h 9 typ host"), ("fingerprint-odd", "fsha-1 0A:F")];
    let described =
        descriptions().into_iter().map(|seed| Seed { bytes: [b"d", seed.bytes.as_slice()].concat(), ..seed });
    described
        .chain(texts.map(|(name, text)| Seed::valid(name, text)))
        .chain(refused.map(|(name, text)| Seed::other(name, text)))
        .chain([Seed::valid("drawn", [b"\0".as_slice(), &stretch(1, 900)].concat())])
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oracle::caught;

    /// A candidate as it was read before: another prefix stayed in the foundation.
    #[derive(Debug, PartialEq)]
    struct Foundation(String);

    impl Display for Foundation {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str(&self.0)
        }
    }

    #[test]
    fn a_reader_that_drops_one_prefix_is_caught() {
        let parse = |text: &str| Ok(Foundation(text.strip_prefix("candidate:").unwrap_or(text).into()));
        value_of("candidate:1", parse);
        caught(&FIXPOINT, || value_of("candidate:candidate:1", parse));
    }
}
