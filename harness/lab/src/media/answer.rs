//! The answer's text: RFC 9429, section 5.3.

use std::net::SocketAddr;

use is::Candidate;
use ringfence_wire::sdp::{Attribute, Description, Line, Media, Section, Setup};

use super::identity::Identity;
use super::offer::{Codec, Keying, Offer, Role};

/// Answers the offer's audio on `local`, and refuses everything else in it.
pub(crate) fn write(offer: &Offer, identity: &Identity, local: SocketAddr) -> String {
    let lines = [
        ('v', "0".into()),
        ('o', format!("- {} {} IN {}", identity.session, identity.version, address(local))),
        ('s', "-".into()),
        ('t', "0 0".into()),
    ];
    let sections = offer.description.media.iter().enumerate();
    let media = sections.map(|(index, media)| {
        let accepted = index == offer.section;
        let section = offer.description.section(index).filter(|_| accepted);
        section.map_or_else(|| refused(media), |section| audio(offer, &section, identity, local))
    });
    let media = media.collect();
    let description = Description {
        lines: lines.into_iter().map(|(kind, value)| Line { kind, value }).collect(),
        attributes: bundle(offer).into_iter().collect(),
        media,
    };
    description.to_string()
}

/// RFC 9143, section 7.3: the group holds what is accepted, if it was in the offer's.
fn bundle(offer: &Offer) -> Option<Attribute> {
    let mid = offer.description.section(offer.section)?.mid()?;
    let session = offer.description.session();
    let mut groups = session.attributes("group").filter_map(|attribute| attribute.value.as_deref());
    let bundled = groups.any(|group| {
        let mut words = group.split_ascii_whitespace();
        words.next() == Some("BUNDLE") && words.any(|word| word == mid)
    });
    bundled.then(|| Attribute::new("group", format!("BUNDLE {mid}")))
}

/// RFC 3264, section 6: the same media, profile and formats, and port 0.
fn refused(offered: &Media) -> Media {
    let attributes = offered.attributes.iter().filter(|attribute| attribute.name == "mid").cloned().collect();
    Media { port: 0, port_count: None, lines: Vec::new(), attributes, ..offered.clone() }
}

fn audio(offer: &Offer, section: &Section, identity: &Identity, local: SocketAddr) -> Media {
    let mut attributes = Vec::new();
    attributes.extend(section.mid().map(|mid| Attribute::new("mid", mid)));
    attributes.push(Attribute::flag(offer.direction.as_str()));
    attributes.push(Attribute::flag("rtcp-mux"));
    attributes.push(Attribute::new("ice-ufrag", &identity.ice.ufrag));
    attributes.push(Attribute::new("ice-pwd", &identity.ice.pass));
    if let Ok(host) = Candidate::host(local, "udp") {
        let text = host.to_sdp_string();
        attributes.push(Attribute::new("candidate", text.strip_prefix("candidate:").unwrap_or(&text)));
        attributes.push(Attribute::flag("end-of-candidates"));
    }
    match &offer.keying {
        Keying::Dtls { role, .. } => {
            let setup = if *role == Role::Client { Setup::Active } else { Setup::Passive };
            attributes.push(Attribute::new("setup", setup));
            attributes.push(Attribute::new("fingerprint", &identity.fingerprint));
            if section.tls_id().is_some() {
                attributes.push(Attribute::new("tls-id", &identity.tls_id)); // RFC 8842, section 5.3: only if offered
            }
        }
        Keying::Sdes(keys) => attributes.push(Attribute::new("crypto", &keys.line)),
        Keying::None => {}
    }
    attributes.extend(offer.codecs.iter().map(rtpmap));
    attributes.push(Attribute::new("ssrc", format!("{} cname:{}", identity.ssrc, identity.cname)));
    Media {
        kind: "audio".into(),
        port: local.port(),
        port_count: None,
        profile: section.media().map(|media| media.profile.clone()).unwrap_or_default(),
        formats: offer.codecs.iter().map(|codec| codec.payload_type.to_string()).collect(),
        lines: vec![Line { kind: 'c', value: format!("IN {}", address(local)) }],
        attributes,
    }
}

fn rtpmap(codec: &Codec) -> Attribute {
    Attribute::new("rtpmap", format!("{} {}", codec.payload_type, codec.format))
}

fn address(local: SocketAddr) -> String {
    format!("{} {}", if local.is_ipv4() { "IP4" } else { "IP6" }, local.ip())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fault::Faults;

    #[test]
    fn other_sections_are_refused_and_the_bundle_shrinks() {
        let text = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE v a\r\n\
                    a=ice-ufrag:abcd\r\na=ice-pwd:abcdefghijklmnopqrstuv\r\n\
                    a=fingerprint:sha-256 00:01\r\na=setup:actpass\r\na=tls-id:abcdefghijklmnopqrstuv\r\n\
                    m=video 9 UDP/TLS/RTP/SAVPF 96 97\r\na=mid:v\r\na=rtcp-mux\r\n\
                    m=audio 9 RTP/SAVPF 0\r\na=mid:a\r\na=rtcp-mux\r\na=recvonly\r\n";
        let local: SocketAddr = "127.0.0.1:4321".parse().unwrap();
        let offer = Offer::read(text, local.ip(), &Faults::default()).ok().unwrap();
        let identity = Identity::fresh(&Faults::default()).unwrap();
        let text = write(&offer, &identity, local);
        let answer = Description::parse(text.as_bytes()).unwrap();

        assert_eq!(answer.session().value("group"), Some("BUNDLE a"));
        assert_eq!((answer.media[0].port, answer.media[0].formats.len()), (0, 2));
        assert_eq!((answer.media[1].port, answer.media[1].profile.as_str()), (4321, "RTP/SAVPF"));
        let audio = answer.section(1).unwrap();
        assert_eq!(audio.setup(), Some(Ok(Setup::Passive)));
        assert_eq!(audio.fingerprints().next(), Some(Ok(identity.fingerprint)));
        assert_eq!(audio.tls_id(), Some(identity.tls_id.as_str()));
        assert_eq!(audio.direction().as_str(), "sendonly");
        assert!(!answer.session().is_ice_lite());
        let candidate = audio.candidates().next().unwrap().unwrap();
        assert_eq!((candidate.address.as_str(), candidate.port, candidate.kind.as_str()), ("127.0.0.1", 4321, "host"));
        assert!(audio.is_rtcp_mux() && audio.crypto().next().is_none());
    }
}
