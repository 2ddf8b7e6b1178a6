//! Typed questions about a part of a description.

use super::{Attribute, Candidate, Crypto, Description, Direction, Fingerprint, Line, Media, RtpMap, Setup};
use crate::Error;

/// Where an address stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AddressUse {
    /// `o=`: never dialled, but it may leak.
    Origin,
    /// `c=`.
    Connection,
    /// `a=rtcp`.
    Rtcp,
    /// A candidate.
    Candidate,
    /// A candidate's `raddr`: never dialled, but it may leak.
    Related,
}

/// An address or host name in a description, as written.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Address {
    /// Where it stands.
    pub place: AddressUse,
    /// The text.
    pub text: String,
}

/// One media section with the session behind it, or the session alone.
#[derive(Debug, Clone, Copy)]
pub struct Section<'a> {
    pub(super) session: &'a Description,
    pub(super) media: Option<&'a Media>,
}

impl<'a> Section<'a> {
    /// The section itself, if this is not the session's part.
    pub fn media(&self) -> Option<&'a Media> {
        self.media
    }

    /// All attributes of this name of the section itself.
    pub fn own(&self, name: &'a str) -> impl Iterator<Item = &'a Attribute> + use<'a> {
        let attributes = self.media.map_or(&self.session.attributes, |media| &media.attributes);
        named(attributes, name)
    }

    /// All attributes of this name: the section's, or if it has none the session's.
    pub fn attributes(&self, name: &'a str) -> impl Iterator<Item = &'a Attribute> + use<'a> {
        let own = self.own(name).next().is_some();
        let attributes = self.media.filter(|_| own).map_or(&self.session.attributes, |media| &media.attributes);
        named(attributes, name)
    }

    /// The value of the first attribute of this name, the section's or the session's.
    pub fn value(&self, name: &'a str) -> Option<&'a str> {
        self.attributes(name).find_map(|attribute| attribute.value.as_deref())
    }

    /// `a=fingerprint`, every one; a malformed one is an error in its place.
    pub fn fingerprints(&self) -> impl Iterator<Item = Result<Fingerprint, Error>> + use<'a> {
        self.attributes("fingerprint").map(|a| Fingerprint::parse(a.value.as_deref().unwrap_or_default()))
    }

    /// `a=setup`.
    pub fn setup(&self) -> Option<Result<Setup, Error>> {
        self.value("setup").map(Setup::parse)
    }

    /// `a=ice-ufrag`.
    pub fn ice_ufrag(&self) -> Option<&'a str> {
        self.value("ice-ufrag")
    }

    /// `a=ice-pwd`.
    pub fn ice_pwd(&self) -> Option<&'a str> {
        self.value("ice-pwd")
    }

    /// `a=ice-lite`, which only the session can have. RFC 8839, section 5.3.
    pub fn is_ice_lite(&self) -> bool {
        named(&self.session.attributes, "ice-lite").next().is_some()
    }

    /// `a=rtcp-mux`, which only a section can have. RFC 5761, section 5.1.1.
    pub fn is_rtcp_mux(&self) -> bool {
        self.media.is_some() && self.own("rtcp-mux").next().is_some()
    }

    /// `a=tls-id`. RFC 8842, section 4.
    pub fn tls_id(&self) -> Option<&'a str> {
        self.value("tls-id")
    }

    /// `a=mid`, of the section itself.
    pub fn mid(&self) -> Option<&'a str> {
        self.own("mid").find_map(|attribute| attribute.value.as_deref())
    }

    /// `a=candidate`, every one of the section itself; a malformed one is an error in its place.
    pub fn candidates(&self) -> impl Iterator<Item = Result<Candidate, Error>> + use<'a> {
        self.own("candidate").map(|a| Candidate::parse(a.value.as_deref().unwrap_or_default()))
    }

    /// `a=crypto`, every one of the section itself; a malformed one is an error in its place.
    pub fn crypto(&self) -> impl Iterator<Item = Result<Crypto, Error>> + use<'a> {
        self.own("crypto").map(|a| Crypto::parse(a.value.as_deref().unwrap_or_default()))
    }

    /// `a=rtpmap`, every one of the section itself; a malformed one is an error in its place.
    pub fn rtpmaps(&self) -> impl Iterator<Item = Result<RtpMap, Error>> + use<'a> {
        self.own("rtpmap").map(|a| RtpMap::parse(a.value.as_deref().unwrap_or_default()))
    }

    /// The CNAME of the first `a=ssrc:… cname:…`, with its source. RFC 5576, section 6.1.
    pub fn cname(&self) -> Option<(u32, &'a str)> {
        self.own("ssrc").find_map(|attribute| {
            let (source, rest) = attribute.value.as_deref()?.split_once(' ')?;
            Some((source.parse().ok()?, rest.strip_prefix("cname:")?))
        })
    }

    /// The direction, `sendrecv` if nothing is said. RFC 8866, section 6.7.
    pub fn direction(&self) -> Direction {
        let own = self.media.and_then(|media| direction(&media.attributes));
        own.or_else(|| direction(&self.session.attributes)).unwrap_or(Direction::SendRecv)
    }

    /// The address of `c=`, without TTL.
    pub fn connection(&self) -> Option<&'a str> {
        let own = self.media.and_then(|media| connection(&media.lines));
        own.or_else(|| connection(&self.session.lines))
    }

    /// Every address of this part itself, in order; the session's part also has `o=`.
    pub fn addresses(&self) -> Vec<Address> {
        let mut addresses = Vec::new();
        let mut add = |place, text: &str| addresses.push(Address { place, text: text.to_owned() });
        let lines = self.media.map_or(&self.session.lines, |media| &media.lines);
        for line in lines {
            match line.kind {
                'o' => line.value.split_ascii_whitespace().nth(5).into_iter().for_each(|x| add(AddressUse::Origin, x)),
                'c' => line_address(line).into_iter().for_each(|x| add(AddressUse::Connection, x)),
                _ => {}
            }
        }
        // `port nettype addrtype address`. RFC 3605, section 2.1.
        let rtcp = self.own("rtcp").filter_map(|a| a.value.as_deref()?.split_ascii_whitespace().nth(3));
        rtcp.for_each(|text| add(AddressUse::Rtcp, text));
        for candidate in self.candidates().flatten() {
            add(AddressUse::Candidate, &candidate.address);
            candidate.related.iter().for_each(|(text, _)| add(AddressUse::Related, text));
        }
        addresses
    }
}

fn named<'a>(attributes: &'a [Attribute], name: &'a str) -> impl Iterator<Item = &'a Attribute> + use<'a> {
    attributes.iter().filter(move |attribute| attribute.name == name)
}

fn direction(attributes: &[Attribute]) -> Option<Direction> {
    attributes.iter().filter(|a| a.value.is_none()).find_map(|a| Direction::parse(&a.name).ok())
}

fn connection(lines: &[Line]) -> Option<&str> {
    lines.iter().find(|line| line.kind == 'c').and_then(line_address)
}

// `nettype addrtype address[/ttl[/count]]`. RFC 8866, section 5.7.
fn line_address(line: &Line) -> Option<&str> {
    line.value.split_ascii_whitespace().nth(2)?.split('/').next()
}
