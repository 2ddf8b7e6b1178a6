//! Session descriptions and their attributes.

use arbitrary::{Arbitrary, Result, Unstructured};
use ringfence_wire::sdp::{Attribute, Candidate, Crypto, Description, Fingerprint, Line, Media, RtpMap};

use crate::target::Seed;

/// A description that is written as one that can be read: in order, with values of every kind of attribute and of none.
#[derive(Clone, Debug)]
pub struct AnyDescription(pub Description);

impl<'a> Arbitrary<'a> for AnyDescription {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        let mut lines = vec![Line { kind: 'v', value: "0".into() }];
        lines.extend(several(u, 6, line)?);
        let attributes = several(u, 6, attribute)?;
        let media = several(u, 3, media)?;
        Ok(Self(Description { lines, attributes, media }))
    }
}

fn media(u: &mut Unstructured) -> Result<Media> {
    let mut formats = several(u, 4, word)?;
    formats.push(u.int_in_range(0..=127_u8)?.to_string());
    Ok(Media {
        kind: (*u.choose(&["audio", "video", "application"])?).into(),
        port: u.arbitrary()?,
        port_count: u.arbitrary()?,
        profile: (*u.choose(&["UDP/TLS/RTP/SAVPF", "RTP/AVP", "RTP/SAVP", "UDP/DTLS/SCTP", "x"])?).into(),
        formats,
        lines: several(u, 3, line)?,
        attributes: several(u, 8, attribute)?,
    })
}

fn line(u: &mut Unstructured) -> Result<Line> {
    // No `v`, `a`, `m`: these have a meaning of their own.
    let kind = char::from(*u.choose(b"osiuepcbtrzk")?);
    let value = match kind {
        'c' => (*u.choose(&["IN IP4 192.0.2.1/127", "IN IP6 ::1", "IN IP4 0.0.0.0", "IN"])?).into(),
        'o' => "- 1 1 IN IP4 203.0.113.1".into(),
        _ => text(u)?,
    };
    Ok(Line { kind, value })
}

fn attribute(u: &mut Unstructured) -> Result<Attribute> {
    Ok(match u.int_in_range(0..=9)? {
        0 => Attribute::new("candidate", candidate(u)?),
        1 => Attribute::new("fingerprint", fingerprint(u)?),
        2 => Attribute::new("crypto", crypto(u)?),
        3 => Attribute::new("rtpmap", rtpmap(u)?),
        4 => Attribute::new("setup", u.choose(&["active", "PASSIVE", "actpass", "holdconn", "x"])?),
        5 => Attribute::flag(u.choose(&["sendrecv", "sendonly", "recvonly", "inactive", "rtcp-mux", "ice-lite", ""])?),
        6 => Attribute::new("rtcp", u.choose(&["9 IN IP4 192.0.2.7", "9", ""])?),
        7 => Attribute::new("ssrc", u.choose(&["1 cname:x", "x cname:x", "1"])?),
        8 => Attribute::new(u.choose(&["ice-ufrag", "ice-pwd", "mid", "tls-id", "candidate", "crypto"])?, text(u)?),
        _ => Attribute::new(&word(u)?.replace(':', ""), text(u)?),
    })
}

/// A candidate that reads as it was written.
pub fn candidate(u: &mut Unstructured) -> Result<Candidate> {
    Ok(Candidate {
        foundation: word(u)?.replace(':', "+"),
        component: u.arbitrary()?,
        transport: (*u.choose(&["udp", "UDP", "tcp", "x"])?).into(),
        priority: u.arbitrary()?,
        address: (*u.choose(&["192.0.2.1", "2001:db8::1", "a.local", "0.0.0.0", "127.1"])?).into(),
        port: u.arbitrary()?,
        kind: (*u.choose(&["host", "srflx", "prflx", "relay", "typ"])?).into(),
        related: if u.arbitrary()? { Some((word(u)?, u.arbitrary()?)) } else { None },
        // `raddr` in front would be the related address.
        extensions: several(u, 3, |u| Ok((word(u)?.replace("raddr", "x"), word(u)?)))?,
    })
}

/// A fingerprint that reads as it was written.
pub fn fingerprint(u: &mut Unstructured) -> Result<Fingerprint> {
    let mut bytes: Vec<u8> = several(u, 32, |u| u.arbitrary())?;
    bytes.push(u.arbitrary()?);
    Ok(Fingerprint { hash: (*u.choose(&["sha-256", "sha-1", "md5", "sha-512", "x"])?).into(), bytes })
}

/// SDES keys that read as they were written.
pub fn crypto(u: &mut Unstructured) -> Result<Crypto> {
    let mut keys = several(u, 2, word)?;
    keys.push("d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj|2^20|1:4".into());
    keys.iter_mut().for_each(|key| *key = key.replace(';', ""));
    Ok(Crypto { tag: u.arbitrary()?, suite: word(u)?, keys, parameters: several(u, 2, word)? })
}

/// A mapping that reads as it was written.
pub fn rtpmap(u: &mut Unstructured) -> Result<RtpMap> {
    Ok(RtpMap {
        payload_type: u.int_in_range(0..=127)?,
        encoding: word(u)?.replace('/', ""),
        clock_hz: u.arbitrary()?,
        channels: u.arbitrary()?,
    })
}

fn several<T>(
    u: &mut Unstructured,
    most: usize,
    mut one: impl FnMut(&mut Unstructured) -> Result<T>,
) -> Result<Vec<T>> {
    let count = u.int_in_range(0..=most)?;
    (0..count).map(|_| one(u)).collect()
}

/// Printable ASCII without a blank, at least a letter.
fn word(u: &mut Unstructured) -> Result<String> {
    let length = u.int_in_range(0..=12)?;
    (0..length).map(|_| u.int_in_range(b'!'..=b'~').map(char::from)).chain([Ok('w')]).collect()
}

/// Anything that a line can hold.
fn text(u: &mut Unstructured) -> Result<String> {
    let length = u.int_in_range(0..=30)?;
    let line = |c: &char| !['\0', '\r', '\n'].contains(c);
    let drawn: String = (0..length).map(|_| u.arbitrary::<char>()).collect::<Result<_>>()?;
    Ok(drawn.chars().filter(line).collect())
}

/// Descriptions to begin with.
pub fn descriptions() -> Vec<Seed> {
    let browser = include_str!("../../../../harness/wire/tests/fixtures/chrome-offer.sdp");
    let proxy = include_str!("../../../../harness/wire/tests/fixtures/rtpengine-answer.sdp");
    let mut seeds = vec![
        Seed::valid("browser-offer", browser),
        Seed::valid("browser-offer-lf", browser.replace("\r\n", "\n")),
        Seed::valid("proxy-answer", proxy),
        Seed::valid("shortest", "v=0\r\n"),
        // RFC 8866, section 5: the example description.
        Seed::valid(
            "rfc8866-5",
            "v=0\r\no=jdoe 3724394400 3724394405 IN IP4 198.51.100.1\r\ns=Call to John Smith\r\n\
             i=SDP Offer #1\r\nu=http://www.jdoe.example.com/home.html\r\ne=Jane Doe <jane@jdoe.example.com>\r\n\
             p=+1 617 555-6011\r\nc=IN IP4 198.51.100.1\r\nt=0 0\r\nm=audio 49170 RTP/AVP 0\r\n\
             m=audio 49180 RTP/AVP 0\r\nm=video 51372 RTP/AVP 99\r\nc=IN IP6 2001:db8::2\r\na=rtpmap:99 h263-1998/90000\r\n",
        ),
        // RFC 4568, section 6.1 shows such an offer.
        Seed::valid(
            "sdes-offer",
            "v=0\r\no=a 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio 5004/2 RTP/SAVP 0 8\r\n\
             a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz|2^20|1:4 KDR=1\r\n\
             a=crypto:2 AES_CM_128_HMAC_SHA1_32 inline:NzB4d1BINUAvLEw6UzF3WSJ+PSdFcGdUJShpX1Zj|2^20;inline:AAAA\r\n",
        ),
        Seed::valid(
            "both-levels",
            "v=0\nc=IN IP4 192.0.2.1\na=setup:active\na=inactive\na=ice-lite\na=fingerprint:sha-1 0a:fF\n\
             m=audio 9 RTP/SAVP 0\nc=IN IP4 233.0.113.1/127\na=setup:passive\na=recvonly\na=rtcp:9 IN IP6 ::1\n\
             a=ssrc:5 cname:x\nm=audio 0 RTP/AVP 0\ni=late\n\n\n",
        ),
        Seed::other("no-version", "o=- 1 1 IN IP4 0.0.0.0\r\n"),
        Seed::other("version-one", "v=1\r\n"),
        Seed::other("carriage-return-within", "v=0\r\ns=a\rb\r\n"),
        Seed::other("no-format", "v=0\r\nm=audio 9 RTP/AVP\r\n"),
        Seed::other("port-too-big", "v=0\r\nm=audio 65536 RTP/AVP 0\r\n"),
        Seed::other("leading-blank", " v=0\r\n"),
        Seed::other("many-media", format!("v=0\n{}", "m=x 0 x 0\n".repeat(65))),
    ];
    seeds.extend(super::lab::said("sdp"));
    seeds
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generators::{stretch, value};

    #[test]
    fn drawn_descriptions_are_written_and_read() {
        let noise = stretch(1, 6_000);
        let (mut media, mut candidates) = (0, 0);
        for part in noise.windows(1_500).step_by(11) {
            let AnyDescription(description) = value(part).expect("bytes enough");
            let text = description.to_string();
            assert_eq!(Description::parse(text.as_bytes()), Ok(description.clone()), "{text}");
            media += description.media.len();
            candidates += description.sections().map(|section| section.candidates().flatten().count()).sum::<usize>();
        }
        assert!(media > 100 && candidates > 20, "{media} {candidates}");
    }
}
