//! What an offer asks for, and which offers are refused: RFC 9429, section 5.8, as far as a healthy callee goes.

use std::net::IpAddr;

use is::{Candidate, IceCreds};
use ringfence_wire::sdp::{Description, Direction, Fingerprint, Section, Setup};

use super::sdes::{self, SdesKeys};
use crate::fault::{Fault, Faults};

/// Most candidates that are checked; the rest is ignored.
const MAX_CANDIDATES: usize = 16;
/// The hashes that a fingerprint may have, the preferred first. RFC 8122, section 5; anything weaker is no proof.
pub(super) const FINGERPRINT_HASHES: [&str; 3] = ["sha-512", "sha-384", "sha-256"];

/// Why an offer starts no call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub status: u16,
    pub reason: &'static str,
}

/// 488 Not Acceptable Here. RFC 3261, section 21.4.26.
const fn unacceptable(reason: &'static str) -> Refusal {
    Refusal { status: 488, reason }
}

/// The part of an offer that is answered: its first audio section. No `Debug`: it may hold keys.
pub(crate) struct Offer {
    pub description: Description,
    /// Which section is answered; all others are refused by port 0.
    pub section: usize,
    pub keying: Keying,
    pub ice: IceCreds,
    pub ice_lite: bool,
    pub candidates: Vec<Candidate>,
    /// At least one, in the offer's order.
    pub codecs: Vec<Codec>,
    /// Seen from the callee.
    pub direction: Direction,
}

/// Where SRTP keys come from.
pub(crate) enum Keying {
    Dtls {
        /// Whether the callee opens the handshake.
        role: Role,
        /// At least one, all of the same hash: any may match. RFC 8122, section 5.
        fingerprints: Vec<Fingerprint>,
    },
    Sdes(SdesKeys),
    /// Nowhere: media in the clear.
    None,
}

/// The callee's part in the handshake.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    Client,
    Server,
}

/// A codec that both sides have; its packets are never decoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Codec {
    pub payload_type: u8,
    /// The value of the answer's `a=rtpmap` after the payload type.
    pub format: &'static str,
    pub clock_hz: u32,
    /// 20 ms of silence.
    pub silence: &'static [u8],
}

impl Offer {
    /// Reads an offer for a callee on `local`.
    ///
    /// # Errors
    /// 400 if it cannot be read, 488 if it asks for something that a healthy callee does not do.
    pub fn read(text: &str, local: IpAddr, faults: &Faults) -> Result<Self, Refusal> {
        let unreadable = Refusal { status: 400, reason: "the offer is not a session description" };
        let description = Description::parse(text.as_bytes()).map_err(|_| unreadable)?;
        let audio = description.media.iter().position(|media| media.kind == "audio" && media.port != 0);
        let index = audio.ok_or(unacceptable("the offer has no audio"))?;
        let section = description.section(index).ok_or(unreadable)?;
        let keying = keying(&section, faults)?;
        if !section.is_rtcp_mux() {
            return Err(unacceptable("rtcp-mux is not offered")); // there is one candidate, and one component only
        }
        let codecs = codecs(&section);
        if codecs.is_empty() {
            return Err(unacceptable("no codec in common"));
        }
        let direction = match section.direction() {
            Direction::SendOnly => Direction::RecvOnly,
            Direction::RecvOnly => Direction::SendOnly,
            both => both,
        };
        let ice = credentials(&section)?;
        let (ice_lite, candidates) = (section.is_ice_lite(), candidates(&section, local));
        Ok(Self { section: index, keying, ice, ice_lite, candidates, codecs, direction, description })
    }
}

fn keying(section: &Section, faults: &Faults) -> Result<Keying, Refusal> {
    let profile = section.media().map_or("", |media| &media.profile);
    let has_crypto = section.own("crypto").next().is_some();
    // RFC 8827, section 6.5: SDES is not offered and not accepted; beside a fingerprint it is as if it were not there.
    if has_crypto && faults.broken(Fault::AnswersSdes) {
        let keys = if profile.contains("RTP/SAVP") { sdes::answer(section) } else { None };
        return keys.map(Keying::Sdes).ok_or(unacceptable("no a=crypto line can be answered"));
    }
    // RFC 8827, section 6.5: all media is protected.
    if matches!(profile, "RTP/AVP" | "RTP/AVPF") && faults.broken(Fault::AcceptsPlainOffer) {
        return Ok(Keying::None);
    }
    if !matches!(profile, "UDP/TLS/RTP/SAVPF" | "RTP/SAVPF") {
        return Err(unacceptable("the profile is not DTLS-SRTP with feedback"));
    }
    let role = match section.setup() {
        // RFC 8842, section 5.3 recommends active against actpass; passive is as valid, and a server has more to show.
        // No a=setup is active: RFC 4145, section 4.
        Some(Ok(Setup::Active | Setup::Actpass)) | None => Role::Server,
        Some(Ok(Setup::Passive)) => Role::Client,
        Some(Ok(Setup::Holdconn) | Err(_)) => return Err(unacceptable("a=setup does not let DTLS begin")),
    };
    Ok(Keying::Dtls { role, fingerprints: fingerprints(section)? })
}

/// Those of the strongest hash that we know. RFC 8122, section 5.
fn fingerprints(section: &Section) -> Result<Vec<Fingerprint>, Refusal> {
    let all: Result<Vec<_>, _> = section.fingerprints().collect();
    let all = all.map_err(|_| unacceptable("a fingerprint is malformed"))?;
    if all.is_empty() {
        return Err(unacceptable("the offer has no fingerprint"));
    }
    let of = |hash: &str| all.iter().filter(|print| print.hash == hash).cloned().collect::<Vec<_>>();
    let strongest = FINGERPRINT_HASHES.into_iter().map(of).find(|prints| !prints.is_empty());
    strongest.ok_or(unacceptable("no fingerprint has a hash that proves anything"))
}

fn credentials(section: &Section) -> Result<IceCreds, Refusal> {
    let missing = unacceptable("the offer has no ICE credentials");
    let ufrag = section.ice_ufrag().ok_or(missing)?.to_owned();
    let pass = section.ice_pwd().ok_or(missing)?.to_owned();
    // RFC 8839, section 5.4.
    let ice_chars = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+/".contains(&byte));
    let valid = (4..=256).contains(&ufrag.len()) && (22..=256).contains(&pass.len());
    if valid && ice_chars(&ufrag) && ice_chars(&pass) {
        Ok(IceCreds { ufrag, pass })
    } else {
        Err(unacceptable("the ICE credentials are malformed"))
    }
}

/// Those that a socket on `local` can reach: UDP, of the same family, for RTP. Names such as `….local` are left to the
/// peer's own checks, which make a reflexive candidate of it.
fn candidates(section: &Section, local: IpAddr) -> Vec<Candidate> {
    let usable = section.candidates().flatten().filter_map(|mut candidate| {
        let ip: IpAddr = candidate.address.parse().ok()?;
        let reachable = candidate.transport.eq_ignore_ascii_case("udp") && ip.is_ipv4() == local.is_ipv4();
        if candidate.component != 1 || !reachable || candidate.port == 0 {
            return None;
        }
        candidate.transport = "udp".into();
        candidate.extensions.clear();
        Candidate::from_sdp_string(&format!("candidate:{candidate}")).ok()
    });
    usable.take(MAX_CANDIDATES).collect()
}

fn codecs(section: &Section) -> Vec<Codec> {
    let maps: Vec<_> = section.rtpmaps().flatten().collect();
    let formats = section.media().map_or(&[][..], |media| &media.formats);
    let known = formats.iter().filter_map(|format| {
        let payload_type: u8 = format.parse().ok()?;
        let (encoding, clock_hz) = match maps.iter().find(|map| map.payload_type == payload_type) {
            Some(map) => (map.encoding.to_ascii_lowercase(), map.clock_hz),
            None if payload_type == 0 => ("pcmu".into(), 8000), // RFC 3551, section 6
            None if payload_type == 8 => ("pcma".into(), 8000),
            None => return None,
        };
        let (format, silence): (_, &[u8]) = match (encoding.as_str(), clock_hz) {
            ("opus", 48_000) => ("opus/48000/2", &[0xf8, 0xff, 0xfe]), // CELT, 20 ms, no sound: RFC 6716, section 3.1
            ("pcmu", 8000) => ("PCMU/8000", &[0xff; 160]),
            ("pcma", 8000) => ("PCMA/8000", &[0xd5; 160]),
            _ => return None,
        };
        Some(Codec { payload_type, format, clock_hz, silence })
    });
    known.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHA256: &str = "a=fingerprint:sha-256 00:01:02:03:04:05:06:07:08:09:0A:0B:0C:0D:0E:0F:\
                          10:11:12:13:14:15:16:17:18:19:1A:1B:1C:1D:1E:1F\r\n";
    const CRYPTO: &str = "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwd\r\n";

    fn read(media: &str, more: &str) -> Result<Offer, Refusal> {
        let text = format!(
            "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\nm={media}\r\nc=IN IP4 127.0.0.1\r\na=rtcp-mux\r\n\
             a=ice-ufrag:abcd\r\na=ice-pwd:abcdefghijklmnopqrstuv\r\na=rtpmap:111 opus/48000/2\r\n\
             a=rtpmap:101 telephone-event/8000\r\n{more}"
        );
        Offer::read(&text, IpAddr::from([127, 0, 0, 1]), &Faults::default())
    }

    #[track_caller]
    fn refused(media: &str, more: &str, status: u16) {
        assert_eq!(read(media, more).err().map(|refusal| refusal.status), Some(status), "{media} {more}");
    }

    #[test]
    fn what_is_not_dtls_srtp_is_refused() {
        for profile in ["RTP/AVP", "RTP/AVPF", "RTP/SAVP", "UDP/TLS/RTP/SAVP", "TCP/DTLS/RTP/SAVPF"] {
            refused(&format!("audio 9 {profile} 0"), SHA256, 488);
            refused(&format!("audio 9 {profile} 0"), CRYPTO, 488);
        }
        refused("audio 9 UDP/TLS/RTP/SAVPF 0", "", 488);
        refused("audio 9 UDP/TLS/RTP/SAVPF 0", CRYPTO, 488);
        refused("audio 9 UDP/TLS/RTP/SAVPF 0", "a=fingerprint:sha-1 00:01\r\n", 488);
        refused("audio 9 UDP/TLS/RTP/SAVPF 0", "a=fingerprint:sha-256 zz\r\n", 488);
        refused("audio 9 UDP/TLS/RTP/SAVPF 0", &format!("{SHA256}a=setup:holdconn\r\n"), 488);
        refused("audio 9 UDP/TLS/RTP/SAVPF 0", &format!("{SHA256}a=setup:nonsense\r\n"), 488);
        refused("audio 9 UDP/TLS/RTP/SAVPF 101", SHA256, 488);
        refused("audio 0 UDP/TLS/RTP/SAVPF 0", SHA256, 488);
        refused("video 9 UDP/TLS/RTP/SAVPF 0", SHA256, 488);
        refused("audio 9", SHA256, 400);
    }

    #[test]
    fn crypto_beside_a_fingerprint_is_ignored() {
        let offer = read("audio 9 RTP/SAVPF 0", &format!("{SHA256}{CRYPTO}")).ok().unwrap();
        assert!(matches!(offer.keying, Keying::Dtls { role: Role::Server, .. }));
    }

    #[test]
    fn the_role_follows_the_setup() {
        let role =
            |line: &str| match read("audio 9 UDP/TLS/RTP/SAVPF 0", &format!("{SHA256}{line}")).ok().unwrap().keying {
                Keying::Dtls { role, .. } => role,
                Keying::Sdes(_) | Keying::None => panic!("a fingerprint was offered"),
            };
        assert_eq!(role(""), Role::Server);
        assert_eq!(role("a=setup:actpass\r\n"), Role::Server);
        assert_eq!(role("a=setup:active\r\n"), Role::Server);
        assert_eq!(role("a=setup:passive\r\n"), Role::Client);
    }

    #[test]
    fn codecs_keep_their_order_and_events_are_left_out() {
        let offer = read("audio 9 UDP/TLS/RTP/SAVPF 8 101 111 0 13", SHA256).ok().unwrap();
        let types: Vec<u8> = offer.codecs.iter().map(|codec| codec.payload_type).collect();
        assert_eq!(types, [8, 111, 0]);
    }

    #[test]
    fn only_candidates_that_the_socket_reaches_are_kept() {
        let lines = "a=candidate:1 1 UDP 2130706431 127.0.0.1 4000 typ host generation 0\r\n\
                     a=candidate:2 1 tcp 2130706431 127.0.0.1 9 typ host tcptype active\r\n\
                     a=candidate:3 2 udp 2130706431 127.0.0.1 4001 typ host\r\n\
                     a=candidate:4 1 udp 2130706431 ::1 4002 typ host\r\n\
                     a=candidate:5 1 udp 2130706431 a.local 4003 typ host\r\n\
                     a=candidate:nonsense\r\n\
                     a=candidate:6 1 udp 16777215 127.0.0.2 4004 typ relay raddr 0.0.0.0 rport 0\r\n";
        let offer = read("audio 9 UDP/TLS/RTP/SAVPF 0", &format!("{SHA256}{lines}")).ok().unwrap();
        let ports: Vec<u16> = offer.candidates.iter().map(|candidate| candidate.addr().port()).collect();
        assert_eq!(ports, [4000, 4004]);
    }
}
