//! A description of the target, its answer or a later offer: what a call needs of it, and what evidence keeps of it.

use std::net::{IpAddr, SocketAddr};

use ringfence_model::Untrusted;
use ringfence_model::observation::SdpSeen;
use ringfence_wire::sdp::{Candidate, Crypto, Description, Direction, Fingerprint, RtpMap, Section, Setup as Word};

use super::identity::FINGERPRINT_HASHES;
use super::plan::{Codec, Setup};

/// Most candidates of the target that are checked.
const MAX_CANDIDATES: usize = 32;
/// RFC 8839, section 5.4: 4 to 256 characters and 22 to 256.
const MAX_CREDENTIAL_CHARS: usize = 256;
/// Entries of each list that evidence keeps.
const MAX_KEPT: usize = 64;

/// What a call needs of a description.
#[derive(Debug, Clone, Default)]
pub(super) struct Answer {
    /// ICE credentials, if both are there.
    pub ice: Option<(String, String)>,
    /// Candidates: UDP, component 1, with an IP address.
    pub candidates: Vec<Candidate>,
    /// Fingerprints, of the section or the session.
    pub fingerprints: Vec<Fingerprint>,
    /// `a=setup`, if it is one of the words.
    pub setup: Option<Word>,
    /// SDES keys.
    pub crypto: Vec<Crypto>,
    /// The codec to send and its payload type there.
    pub codec: Option<(Codec, u8)>,
    /// All that we know of its formats, in its order.
    pub formats: Vec<(Codec, u8)>,
    /// What the target does with audio.
    pub direction: Option<Direction>,
    /// It takes audio.
    pub receives: bool,
    /// What evidence keeps.
    pub seen: SdpSeen,
}

impl Answer {
    /// Reads an answer to an offer of one audio section with these codecs, or an offer that follows one.
    ///
    /// # Errors
    /// The text is no session description, or it has no section. The message says what is wrong.
    pub(super) fn read(text: &str, codecs: &[Codec]) -> Result<Self, String> {
        let description = Description::parse(text.as_bytes()).map_err(|error| error.to_string())?;
        // RFC 3264, section 6: sections answer by position, and we offered one.
        let audio = description.section(0).ok_or("the answer has no media section")?;
        let mut answer = Self { seen: seen(&description, &audio), ..Self::default() };
        if !answer.seen.media_accepted {
            return Ok(answer);
        }
        let credential = |text: Option<&str>| text.filter(|text| text.len() <= MAX_CREDENTIAL_CHARS).map(str::to_owned);
        answer.ice = credential(audio.ice_ufrag()).zip(credential(audio.ice_pwd()));
        answer.candidates = candidates(&audio);
        answer.fingerprints = audio.fingerprints().flatten().take(MAX_KEPT).collect();
        answer.setup = audio.setup().and_then(Result::ok);
        answer.crypto = audio.crypto().flatten().take(MAX_KEPT).collect();
        answer.formats = formats(&audio, codecs);
        answer.codec = answer.formats.iter().find(|(codec, _)| *codec != Codec::TelephoneEvent).copied();
        answer.direction = Some(audio.direction());
        // RFC 3264, section 8.4: the old way to hold is to name no address. With ICE a name without address is only early.
        let nowhere =
            audio.connection().and_then(|text| text.parse::<IpAddr>().ok()).is_some_and(|ip| ip.is_unspecified());
        let listens = matches!(audio.direction(), Direction::SendRecv | Direction::RecvOnly);
        answer.receives = listens && (!nowhere || audio.candidates().next().is_some());
        Ok(answer)
    }

    /// Whether we are the DTLS client. RFC 8842, section 5.3: the answer decides where the offer leaves it open. Without a
    /// word the target is the client, as browsers have it.
    ///
    /// # Errors
    /// Its word contradicts ours, or is none that an answer may have.
    pub(super) fn we_are_client(&self, ours: Setup) -> Result<bool, String> {
        let told = self.setup.map_or("nothing", Word::as_str);
        match (ours, self.setup) {
            (Setup::Actpass | Setup::Active, Some(Word::Passive)) | (Setup::Active, None) => Ok(true),
            (Setup::Actpass | Setup::Passive, Some(Word::Active) | None) => Ok(false),
            _ => Err(format!("the answer says setup:{told} to our setup:{}", ours.word())),
        }
    }
}

/// Where a candidate is, if its address is no name.
pub(super) fn socket_address(candidate: &Candidate) -> Option<SocketAddr> {
    Some(SocketAddr::new(candidate.address.parse().ok()?, candidate.port))
}

fn candidates(audio: &Section<'_>) -> Vec<Candidate> {
    let usable = |candidate: &Candidate| {
        let udp = candidate.transport.eq_ignore_ascii_case("udp");
        udp && candidate.component == 1 && candidate.port != 0 && socket_address(candidate).is_some()
    };
    let listed: Vec<_> = audio.candidates().flatten().filter(usable).take(MAX_CANDIDATES).collect();
    let default = audio.connection().and_then(|text| text.parse::<IpAddr>().ok());
    let port = audio.media().map_or(0, |media| media.port);
    match default {
        // RFC 8839, section 4.3: an agent without candidate lines still has its default address.
        Some(ip) if listed.is_empty() && port > 9 && !ip.is_unspecified() => {
            vec![default_candidate(SocketAddr::new(ip, port))]
        }
        _ => listed,
    }
}

fn default_candidate(address: SocketAddr) -> Candidate {
    Candidate {
        foundation: "1".into(),
        component: 1,
        transport: "udp".into(),
        priority: 2_130_706_431, // RFC 8445, section 5.1.2.1: host, highest local preference, component 1
        address: address.ip().to_string(),
        port: address.port(),
        kind: "host".into(),
        related: None,
        extensions: Vec::new(),
    }
}

/// The formats that we know. RFC 3264, section 6.1.
fn formats(audio: &Section<'_>, codecs: &[Codec]) -> Vec<(Codec, u8)> {
    let maps: Vec<RtpMap> = audio.rtpmaps().flatten().collect();
    let formats = audio.media().map_or(&[][..], |media| &media.formats).iter().take(MAX_KEPT);
    let numbers = formats.filter_map(|format| format.parse::<u8>().ok()).filter(|number| *number < 128);
    let known = |number: u8| {
        let map = maps.iter().find(|map| map.payload_type == number);
        let named = |codec: &&Codec| match map {
            Some(map) => {
                let name = codec.rtpmap().split('/').next().unwrap_or_default();
                map.encoding.eq_ignore_ascii_case(name) && map.clock_hz == codec.clock_hz()
            }
            None => codec.payload_type() == number, // static types need no map; others keep our number
        };
        codecs.iter().find(named).map(|codec| (*codec, number))
    };
    numbers.filter_map(known).collect()
}

fn seen(description: &Description, audio: &Section<'_>) -> SdpSeen {
    let media = audio.media();
    let raw = |name| -> Vec<Untrusted> {
        let values = audio.attributes(name).filter_map(|attribute| attribute.value.as_deref());
        values.take(MAX_KEPT).map(Untrusted::from).collect()
    };
    let fingerprints = raw("fingerprint");
    let hash = |value: &Untrusted| value.raw().split_whitespace().next().map(str::to_ascii_lowercase);
    let hashes: Vec<String> = fingerprints.iter().filter_map(hash).collect();
    let strongest = FINGERPRINT_HASHES.into_iter().find(|known| hashes.iter().any(|hash| hash == known));
    let decisive = strongest.or(hashes.first().map(String::as_str)).map(Untrusted::from);
    let parts = [description.session(), *audio];
    let read = audio.fingerprints().flatten().take(MAX_KEPT);
    let sha256 = read.filter(|print| print.hash == "sha-256" && print.bytes.len() == 32).map(|print| hex(&print.bytes));
    SdpSeen {
        profile: media.map(|media| Untrusted::from(media.profile.as_str())),
        media_accepted: media.is_some_and(|media| media.kind == "audio" && media.port != 0),
        has_crypto: description.sections().any(|section| section.own("crypto").next().is_some()),
        fingerprint_hash: decisive,
        fingerprints,
        sha256: sha256.collect(),
        setup: audio.value("setup").map(Untrusted::from),
        rtcp_mux: audio.is_rtcp_mux(),
        ice_lite: audio.is_ice_lite(),
        tls_id: audio.tls_id().map(Untrusted::from),
        candidates: raw("candidate"),
        addresses: parts.iter().flat_map(Section::addresses).take(MAX_KEPT).map(|a| Untrusted::from(a.text)).collect(),
        cname: audio.cname().map(|(_, name)| Untrusted::from(name)),
    }
}

/// In lower case.
fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const CODECS: [Codec; 4] = [Codec::Opus, Codec::Pcmu, Codec::Pcma, Codec::TelephoneEvent];

    fn read(media: &str) -> Answer {
        let text = format!("v=0\r\no=- 1 1 IN IP4 192.0.2.9\r\ns=-\r\nt=0 0\r\n{media}");
        Answer::read(&text, &CODECS).unwrap()
    }

    #[test]
    fn session_level_attributes_and_upper_case_hashes_count() {
        let answer = read(
            "a=fingerprint:SHA-256 AA:BB\r\na=setup:active\r\na=ice-lite\r\na=ice-ufrag:abcd\r\n\
             a=ice-pwd:0123456789012345678901\r\nm=audio 9 RTP/SAVPF 0\r\nc=IN IP4 192.0.2.1\r\na=rtcp-mux\r\n\
             a=candidate:1 1 UDP 2130706431 192.0.2.1 40000 typ host\r\n\
             a=candidate:2 2 UDP 2130706430 192.0.2.1 40001 typ host\r\n\
             a=candidate:3 1 TCP 2130706430 192.0.2.1 9 typ host tcptype active\r\n",
        );
        assert_eq!(answer.fingerprints, [Fingerprint { hash: "sha-256".into(), bytes: vec![0xaa, 0xbb] }]);
        assert_eq!(answer.seen.fingerprint_hash, Some("sha-256".into()));
        assert!(answer.seen.ice_lite && answer.seen.rtcp_mux && answer.seen.media_accepted);
        assert_eq!(answer.candidates.len(), 1);
        assert_eq!(answer.ice, Some(("abcd".into(), "0123456789012345678901".into())));
        assert_eq!(answer.codec, Some((Codec::Pcmu, 0)));
        assert_eq!(answer.we_are_client(Setup::Actpass), Ok(false));
        let addresses: Vec<_> = answer.seen.addresses.iter().map(Untrusted::raw).collect();
        assert!(addresses.starts_with(&["192.0.2.9", "192.0.2.1"]), "{addresses:?}");
    }

    #[test]
    fn the_answers_payload_type_is_used() {
        let answer = read("m=audio 4000 UDP/TLS/RTP/SAVPF 96 0\r\nc=IN IP4 192.0.2.1\r\na=rtpmap:96 OPUS/48000/2\r\n");
        assert_eq!(answer.codec, Some((Codec::Opus, 96)));
        assert_eq!(answer.candidates[0].port, 4000, "the default address stands in for candidates");
        assert_eq!(answer.ice, None);
    }

    #[test]
    fn a_refused_section_gives_nothing_to_dial() {
        let answer = read(
            "m=audio 0 UDP/TLS/RTP/SAVPF 0\r\nc=IN IP4 192.0.2.1\r\na=candidate:1 1 udp 1 192.0.2.1 9 typ host\r\n",
        );
        assert!(!answer.seen.media_accepted && answer.candidates.is_empty());
        assert!(Answer::read("v=0\r\ns=-\r\n", &CODECS).is_err());
        assert!(Answer::read("nonsense", &CODECS).is_err());
    }

    #[test]
    fn roles_follow_the_answer_where_the_offer_leaves_them_open() {
        let role = |setup, ours| Answer { setup, ..Answer::default() }.we_are_client(ours);
        assert_eq!(role(Some(Word::Passive), Setup::Actpass), Ok(true));
        assert_eq!(role(Some(Word::Active), Setup::Actpass), Ok(false));
        assert_eq!(role(None, Setup::Actpass), Ok(false));
        assert_eq!(role(Some(Word::Passive), Setup::Active), Ok(true));
        assert_eq!(role(None, Setup::Active), Ok(true));
        assert_eq!(role(Some(Word::Active), Setup::Passive), Ok(false));
        assert_eq!(role(None, Setup::Passive), Ok(false));
        for (word, ours) in [
            (Word::Active, Setup::Active),
            (Word::Passive, Setup::Passive),
            (Word::Actpass, Setup::Actpass),
            (Word::Holdconn, Setup::Actpass),
        ] {
            let why = role(Some(word), ours).unwrap_err();
            assert_eq!(why, format!("the answer says setup:{word} to our setup:{}", ours.word()));
        }
    }

    #[test]
    fn who_holds_takes_no_audio() {
        for (line, receives) in [
            ("", true),
            ("a=sendrecv\r\n", true),
            ("a=recvonly\r\n", true),
            ("a=sendonly\r\n", false),
            ("a=inactive\r\n", false),
        ] {
            let answer = read(&format!("m=audio 4000 UDP/TLS/RTP/SAVPF 0\r\nc=IN IP4 192.0.2.1\r\n{line}"));
            assert_eq!(answer.receives, receives, "{line}");
        }
        let old = "m=audio 4000 UDP/TLS/RTP/SAVPF 0\r\nc=IN IP4 0.0.0.0\r\n";
        assert!(!read(old).receives);
        let candidate = "a=candidate:1 1 UDP 2130706431 192.0.2.1 40000 typ host\r\n";
        assert!(read(&format!("{old}{candidate}")).receives, "ICE says where");
    }
}
