//! Our offer: RFC 9429, section 5.2.1, with whatever the plan bends.

use std::net::{IpAddr, SocketAddr};

use ringfence_wire::sdp::{Attribute, Description, Line, Media};

use super::plan::{FingerprintBend, MediaPlan, Sdes};

/// What the offer says besides the plan.
pub(super) struct OfferParts<'a> {
    /// Our choices.
    pub plan: &'a MediaPlan,
    /// The number in `o=`.
    pub session: u64,
    /// Our ICE username fragment.
    pub ufrag: &'a str,
    /// Our ICE password.
    pub pwd: &'a str,
    /// Candidates without the `candidate:` prefix.
    pub candidates: &'a [String],
    /// The default candidate: relayed before reflexive before host. RFC 8839, section 4.2.1.2.
    pub default: SocketAddr,
    /// `a=tls-id`. RFC 8842, section 4.
    pub tls_id: &'a str,
    /// `a=crypto` without name.
    pub crypto: Option<&'a str>,
    /// Our synchronisation source.
    pub ssrc: u32,
}

/// The text of the offer.
pub(super) fn write(parts: &OfferParts<'_>) -> String {
    let line = |kind, value: &str| Line { kind, value: value.to_owned() };
    let family = |ip: IpAddr| if ip.is_ipv4() { "IP4" } else { "IP6" };
    let address = parts.default.ip();
    let description = Description {
        lines: vec![
            line('v', "0"),
            // RFC 9429, section 5.2.1: the address says nothing.
            line('o', &format!("- {} 2 IN IP4 127.0.0.1", parts.session)),
            line('s', "-"),
            line('t', "0 0"),
        ],
        attributes: vec![Attribute::new("group", "BUNDLE 0")],
        media: vec![Media {
            kind: "audio".into(),
            port: parts.default.port(),
            port_count: None,
            profile: parts.plan.profile.word().into(),
            formats: parts.plan.codecs.iter().map(|codec| codec.payload_type().to_string()).collect(),
            lines: vec![line('c', &format!("IN {} {address}", family(address)))],
            attributes: attributes(parts),
        }],
    };
    description.to_string()
}

fn attributes(parts: &OfferParts<'_>) -> Vec<Attribute> {
    let plan = parts.plan;
    let mut attributes = vec![Attribute::new("mid", "0"), Attribute::flag("sendrecv"), Attribute::flag("rtcp-mux")];
    attributes.push(Attribute::new("ice-ufrag", parts.ufrag));
    attributes.push(Attribute::new("ice-pwd", parts.pwd));
    attributes.extend(parts.candidates.iter().map(|candidate| Attribute::new("candidate", candidate)));
    attributes.push(Attribute::flag("end-of-candidates"));
    if plan.sdes != Sdes::Only {
        let fingerprint = match plan.fingerprint {
            FingerprintBend::Right => Some(plan.certificate.fingerprint()),
            FingerprintBend::Wrong => Some(plan.certificate.foreign_fingerprint()),
            FingerprintBend::Missing => None,
        };
        attributes.extend(fingerprint.map(|fingerprint| Attribute::new("fingerprint", fingerprint)));
        attributes.push(Attribute::new("setup", plan.setup.word()));
        attributes.push(Attribute::new("tls-id", parts.tls_id));
    }
    attributes.extend(parts.crypto.map(|crypto| Attribute::new("crypto", crypto)));
    for codec in &plan.codecs {
        attributes.push(Attribute::new("rtpmap", format!("{} {}", codec.payload_type(), codec.rtpmap())));
        let fmtp = codec.fmtp().map(|fmtp| format!("{} {fmtp}", codec.payload_type()));
        attributes.extend(fmtp.map(|fmtp| Attribute::new("fmtp", fmtp)));
    }
    attributes.push(Attribute::new("ptime", 20));
    attributes.push(Attribute::new("msid", "- audio"));
    attributes.push(Attribute::new("ssrc", format!("{} cname:{}", parts.ssrc, plan.cname)));
    attributes
}

#[cfg(test)]
mod tests {
    use super::super::plan::{Setup, TransportProfile};
    use super::*;

    fn offer(plan: &MediaPlan, crypto: Option<&str>) -> Description {
        let parts = OfferParts {
            plan,
            session: 7,
            ufrag: "ufragufrag",
            pwd: "pwdpwdpwdpwdpwdpwdpwdpwd",
            candidates: &["1 1 udp 2130706431 127.0.0.1 5000 typ host".into()],
            default: "127.0.0.1:5000".parse().unwrap(),
            tls_id: "abcdefghijklmnopqrst",
            crypto,
            ssrc: 99,
        };
        Description::parse(write(&parts).as_bytes()).unwrap()
    }

    #[test]
    fn an_honest_offer_announces_its_certificate() {
        let plan = MediaPlan::default();
        let description = offer(&plan, None);
        let audio = description.section(0).unwrap();
        assert_eq!(audio.media().unwrap().profile, "UDP/TLS/RTP/SAVPF");
        assert_eq!(audio.media().unwrap().formats, ["111", "0", "8", "101"]);
        assert_eq!(audio.fingerprints().next(), Some(Ok(plan.certificate.fingerprint())));
        assert_eq!(audio.value("setup"), Some("actpass"));
        assert_eq!(audio.candidates().count(), 1);
        assert_eq!(audio.cname(), Some((99, plan.cname.as_str())));
        assert!(audio.is_rtcp_mux() && audio.crypto().next().is_none());
    }

    #[test]
    fn each_bend_is_written() {
        let plan = MediaPlan {
            profile: TransportProfile::Savp,
            sdes: Sdes::Only,
            fingerprint: FingerprintBend::Missing,
            ..MediaPlan::default()
        };
        let description = offer(&plan, Some("1 AES_CM_128_HMAC_SHA1_80 inline:AAAA"));
        let audio = description.section(0).unwrap();
        assert_eq!(audio.media().unwrap().profile, "RTP/SAVP");
        assert!(audio.fingerprints().next().is_none() && audio.setup().is_none() && audio.tls_id().is_none());
        assert_eq!(audio.crypto().count(), 1);

        let plan = MediaPlan { fingerprint: FingerprintBend::Wrong, setup: Setup::Passive, ..MediaPlan::default() };
        let description = offer(&plan, None);
        let audio = description.section(0).unwrap();
        assert_eq!(audio.fingerprints().next(), Some(Ok(plan.certificate.foreign_fingerprint())));
        assert_eq!(audio.value("setup"), Some("passive"));
    }
}
