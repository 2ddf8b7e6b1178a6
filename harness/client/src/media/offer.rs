//! Our descriptions: the offer (RFC 9429, section 5.2.1) with whatever the plan bends, and the answer to a later offer of the
//! target (section 5.3.1).

use std::net::SocketAddr;

use ringfence_wire::sdp::{Attribute, Description, Direction, Line, Media};

use super::answer::Answer;
use super::plan::{Codec, FingerprintBend, MediaPlan, Sdes};

/// In what an offer and an answer differ.
pub(super) struct Shape {
    direction: Direction,
    setup: &'static str,
    /// Codecs and the numbers that they have.
    formats: Vec<(Codec, u8)>,
}

impl Shape {
    /// All that the plan has.
    pub(super) fn offer(plan: &MediaPlan) -> Self {
        let formats = plan.codecs.iter().map(|codec| (*codec, codec.payload_type())).collect();
        Self { direction: Direction::SendRecv, setup: plan.setup.word(), formats }
    }

    /// What fits the target's offer. RFC 3264, section 6.1.
    pub(super) fn answer(theirs: &Answer, client: bool) -> Self {
        let direction = match (theirs.direction, theirs.receives) {
            (Some(Direction::SendOnly), _) => Direction::RecvOnly,
            (Some(Direction::RecvOnly), true) => Direction::SendOnly,
            (_, true) => Direction::SendRecv,
            (Some(Direction::SendRecv), false) => Direction::RecvOnly, // held by its address
            _ => Direction::Inactive,
        };
        Self { direction, setup: if client { "active" } else { "passive" }, formats: theirs.formats.clone() }
    }
}

/// What a description says besides the plan.
pub(super) struct OfferParts<'a> {
    /// Our choices.
    pub plan: &'a MediaPlan,
    /// Offer or answer.
    pub shape: &'a Shape,
    /// The numbers in `o=`: of the session, and of this description.
    pub session: (u64, u64),
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

/// A host candidate with the lowest of all priorities, as its value stands in `a=candidate`.
pub(super) fn extra_candidate((index, address): (usize, &SocketAddr)) -> String {
    let priority = 1_000_000_u32.saturating_sub(u32::try_from(index).unwrap_or(u32::MAX)).max(1);
    format!("x{index} 1 udp {priority} {} {} typ host", address.ip(), address.port())
}

/// The text of our offer, or of our answer to `theirs`.
pub(super) fn write(parts: &OfferParts<'_>, theirs: Option<&Description>) -> String {
    let line = |kind, value: &str| Line { kind, value: value.to_owned() };
    let mut offered = theirs.map_or(&[][..], |theirs| &theirs.media).iter();
    let audio = audio(parts, offered.next());
    let mid = audio.attributes.iter().find(|attribute| attribute.name == "mid").and_then(|mid| mid.value.clone());
    let bundle = mid.filter(|mid| theirs.is_none_or(|theirs| is_bundled(theirs, mid)));
    let at_session = parts.plan.fingerprint == FingerprintBend::SessionLevel;
    let description = Description {
        lines: vec![
            line('v', "0"),
            // RFC 9429, section 5.2.1: the address says nothing.
            line('o', &format!("- {} {} IN IP4 127.0.0.1", parts.session.0, parts.session.1)),
            line('s', "-"),
            line('t', "0 0"),
        ],
        attributes: bundle
            .map(|mid| Attribute::new("group", format!("BUNDLE {mid}")))
            .into_iter()
            .chain(fingerprints(parts.plan).into_iter().filter(|_| at_session))
            .collect(),
        media: std::iter::once(audio).chain(offered.map(refused)).collect(),
    };
    description.to_string()
}

/// The audio section; that of an answer repeats name and profile of the one that it answers.
fn audio(parts: &OfferParts<'_>, offered: Option<&Media>) -> Media {
    let address = parts.default.ip();
    let family = if address.is_ipv4() { "IP4" } else { "IP6" };
    let mid = match offered {
        Some(offered) => offered.attributes.iter().find(|attribute| attribute.name == "mid").cloned(),
        None => Some(Attribute::new("mid", "0")),
    };
    let profile = offered.map_or(parts.plan.profile.word(), |offered| offered.profile.as_str());
    Media {
        kind: "audio".into(),
        port: parts.default.port(),
        port_count: None,
        profile: profile.to_owned(),
        formats: parts.shape.formats.iter().map(|(_, number)| number.to_string()).collect(),
        lines: vec![Line { kind: 'c', value: format!("IN {family} {address}") }],
        attributes: mid.into_iter().chain(attributes(parts)).collect(),
    }
}

/// RFC 3264, section 6: what is not taken keeps its place, with port 0.
fn refused(media: &Media) -> Media {
    let mid = media.attributes.iter().filter(|attribute| attribute.name == "mid").cloned().collect();
    Media { port: 0, port_count: None, lines: Vec::new(), attributes: mid, ..media.clone() }
}

fn is_bundled(theirs: &Description, mid: &str) -> bool {
    let groups = theirs.attributes.iter().filter(|attribute| attribute.name == "group");
    groups.filter_map(|group| group.value.as_deref()).any(|group| {
        let mut words = group.split_ascii_whitespace();
        words.next() == Some("BUNDLE") && words.any(|word| word == mid)
    })
}

/// The `a=fingerprint` lines.
fn fingerprints(plan: &MediaPlan) -> Vec<Attribute> {
    let ours = &plan.certificate;
    let fingerprints = match plan.fingerprint {
        _ if plan.sdes == Sdes::Only => vec![],
        FingerprintBend::Right | FingerprintBend::SessionLevel => vec![ours.fingerprint()],
        FingerprintBend::Wrong => vec![ours.foreign_fingerprint()],
        FingerprintBend::Missing => vec![],
        FingerprintBend::Sha1 => vec![ours.sha1_fingerprint()],
        FingerprintBend::Md5 => vec![ours.md5_fingerprint()],
        FingerprintBend::Two => vec![ours.foreign_fingerprint(), ours.fingerprint()],
        FingerprintBend::StrongWrong => vec![ours.foreign_fingerprint(), ours.sha1_fingerprint()],
    };
    fingerprints.into_iter().map(|fingerprint| Attribute::new("fingerprint", fingerprint)).collect()
}

fn attributes(parts: &OfferParts<'_>) -> Vec<Attribute> {
    let plan = parts.plan;
    let mut attributes = vec![Attribute::flag(parts.shape.direction.as_str()), Attribute::flag("rtcp-mux")];
    attributes.push(Attribute::new("ice-ufrag", parts.ufrag));
    attributes.push(Attribute::new("ice-pwd", parts.pwd));
    attributes.extend(parts.candidates.iter().map(|candidate| Attribute::new("candidate", candidate)));
    attributes.push(Attribute::flag("end-of-candidates"));
    if plan.sdes != Sdes::Only {
        let in_section = plan.fingerprint != FingerprintBend::SessionLevel;
        attributes.extend(fingerprints(plan).into_iter().filter(|_| in_section));
        if !(plan.offers_no_keys() && plan.profile.is_in_clear()) {
            attributes.push(Attribute::new("setup", parts.shape.setup));
            attributes.push(Attribute::new("tls-id", parts.tls_id));
        }
    }
    attributes.extend(parts.crypto.map(|crypto| Attribute::new("crypto", crypto)));
    for (codec, number) in &parts.shape.formats {
        attributes.push(Attribute::new("rtpmap", format!("{number} {}", codec.rtpmap())));
        let fmtp = codec.fmtp().map(|fmtp| format!("{number} {fmtp}"));
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
            shape: &Shape::offer(plan),
            session: (7, 2),
            ufrag: "ufragufrag",
            pwd: "pwdpwdpwdpwdpwdpwdpwdpwd",
            candidates: &["1 1 udp 2130706431 127.0.0.1 5000 typ host".into()],
            default: "127.0.0.1:5000".parse().unwrap(),
            tls_id: "abcdefghijklmnopqrst",
            crypto,
            ssrc: 99,
        };
        Description::parse(write(&parts, None).as_bytes()).unwrap()
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

        let plan =
            MediaPlan { profile: TransportProfile::Avp, fingerprint: FingerprintBend::Missing, ..MediaPlan::default() };
        let description = offer(&plan, None);
        let audio = description.section(0).unwrap();
        assert_eq!(audio.media().unwrap().profile, "RTP/AVP");
        assert!(audio.fingerprints().next().is_none() && audio.setup().is_none() && audio.tls_id().is_none());
    }

    #[test]
    fn each_fingerprint_is_written() {
        let hashes = |fingerprint| {
            let plan = MediaPlan { fingerprint, ..MediaPlan::default() };
            let description = offer(&plan, None);
            let own = description.section(0).unwrap().own("fingerprint").count();
            let ours = [plan.certificate.fingerprint(), plan.certificate.sha1_fingerprint()];
            let ours = ours.into_iter().chain([plan.certificate.md5_fingerprint()]);
            let ours: Vec<_> = ours.map(|fingerprint| fingerprint.bytes).collect();
            let section = description.section(0).unwrap();
            let told = section.fingerprints().flatten().map(|f| (f.hash.clone(), ours.contains(&f.bytes)));
            (own, told.collect::<Vec<_>>())
        };
        let told = |hash: &str, right| (hash.to_owned(), right);
        assert_eq!(hashes(FingerprintBend::Right), (1, vec![told("sha-256", true)]));
        assert_eq!(hashes(FingerprintBend::Wrong), (1, vec![told("sha-256", false)]));
        assert_eq!(hashes(FingerprintBend::Missing), (0, vec![]));
        assert_eq!(hashes(FingerprintBend::Sha1), (1, vec![told("sha-1", true)]));
        assert_eq!(hashes(FingerprintBend::Md5), (1, vec![told("md5", true)]));
        assert_eq!(hashes(FingerprintBend::Two), (2, vec![told("sha-256", false), told("sha-256", true)]));
        assert_eq!(hashes(FingerprintBend::StrongWrong), (2, vec![told("sha-256", false), told("sha-1", true)]));
        assert_eq!(hashes(FingerprintBend::SessionLevel), (0, vec![told("sha-256", true)]));
    }
}
