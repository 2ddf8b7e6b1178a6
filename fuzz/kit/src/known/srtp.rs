//! What `rtc-srtp` says otherwise.

use ringfence_srtp::Profile;

use super::Difference;

/// What became of one packet at both ends.
#[derive(Clone, Debug)]
pub struct Case {
    /// The profile.
    pub profile: Profile,
    /// Whether it is RTCP.
    pub rtcp: bool,
    /// Whether it is protected, not opened.
    pub protecting: bool,
    /// Whether it is the first RTCP packet of its stream that is protected.
    pub first: bool,
    /// The packet as both got it.
    pub packet: Vec<u8>,
    /// The index that a receiver takes its sequence number for, from the highest before it (ours) and from the last one (theirs).
    pub indices: [u64; 2],
    /// What ours made of it.
    pub ours: Result<Vec<u8>, Refusal>,
    /// What theirs made of it.
    pub theirs: Option<Vec<u8>>,
}

/// Why ours refuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The index was used, or received, before.
    Used,
    /// Anything else.
    Other,
}

const FIXED_BYTES: usize = 12; // RFC 3550, section 5.1
const ONE_BYTE: u16 = 0xbede; // RFC 8285, section 4.2
const TWO_BYTE: u16 = 0x1000; // RFC 8285, section 4.3

/// Everything that is known. The examples are inputs of the target `srtp_peers_agree`.
pub const DIFFERENCES: &[Difference<Case>] = &[
    Difference {
        id: "srtcp-counts-from-one",
        parser: "rtc-srtp",
        theirs: "the first SRTCP packet of a stream has index 1",
        ours: "index 0",
        rfc: "RFC 3711, section 3.4: the index is set to zero before the first packet is sent",
        reach: "none: a receiver reads the index from the packet",
        explains: |case| case.protecting && case.first && case.ours.is_ok() && case.theirs.is_some(),
        example: b"\0\x01\0\xff\0\x01\0\0\0",
    },
    Difference {
        id: "srtcp-without-e-flag",
        parser: "rtc-srtp",
        theirs: "takes SRTCP whose E flag is clear as it comes, whatever its tag (AES-CM)",
        ours: "authenticates it, and refuses what nobody sealed",
        rfc: "RFC 3711, section 3.4: authentication of SRTCP is mandatory, encrypted or not",
        reach: "network: anybody who can send a datagram forges receiver reports, picture loss and goodbyes",
        explains: |case| !case.profile.is_aead() && case.clear_flag() && case.ours.is_err() && case.theirs.is_some(),
        example: b"\0\x01\0\xff\0\x05\x01\0\x16\x80\xc9\0\x01\xca\xfe\0\0\0\0\0\x05tagtagtagt",
    },
    Difference {
        id: "gcm-e-flag",
        parser: "rtc-srtp",
        theirs: "takes the E flag for set when it authenticates SRTCP (GCM)",
        ours: "authenticates the word as it stands in the packet",
        rfc: "RFC 7714, section 9.2: the associated data end with the ESRTCP word",
        reach: "network, on the path: the flag can be cleared, and the packet is taken all the same",
        explains: |case| case.profile.is_aead() && case.clear_flag() && case.ours.is_err() && case.theirs.is_some(),
        example: b"\x04\x01\0\xff\0\x01\0\0\0\x03\0\0\xc7",
    },
    Difference {
        id: "extension-read",
        parser: "rtc-srtp",
        theirs: "takes the end of the elements of RFC 8285 for the end of the extension, and encrypts from there",
        ours: "the extension is as long as its length says",
        rfc: "RFC 3550, section 5.3.1, and RFC 3711, section 3.1: what is encrypted begins behind the extension",
        reach: "network: with identifier 15, or an element that is too long, the peer's media is not understood",
        explains: |case| case.is_rtp() && case.their_header().is_some_and(|theirs| Some(theirs) != header(&case.packet)),
        example: b"\0\x01\0\xff\0\0\0\0\x01\0\x28\x90\x60\0\0\0\0\0\0\0\0\0\0\xbe\xde\0\x01\xf0\x01\x02\x03twenty bytes of talk",
    },
    Difference {
        id: "extension-refused",
        parser: "rtc-srtp",
        theirs: "refuses a packet whose extension is not made of whole elements of RFC 8285",
        ours: "does not look into extensions",
        rfc: "RFC 3550, section 5.3.1: an extension that is not understood is ignored",
        reach: "network: such packets are lost",
        explains: |case| case.is_rtp() && header(&case.packet).is_some() && case.their_header().is_none() && case.theirs.is_none(),
        example: b"\0\x01\0\xff\0\0\0\0\x01\0\x18\x90\x60\0\0\0\0\0\0\0\0\0\0\x10\0\0\x01\0\0\0\x05talk",
    },
    Difference {
        id: "rollover-from-the-last",
        parser: "rtc-srtp",
        theirs: "estimates the rollover counter from the last packet",
        ours: "from the highest one",
        rfc: "RFC 3711, section 3.3.1: s_l is the highest sequence number received",
        reach: "network: after a late packet half of the sequence numbers are taken at a wrong place, and refused",
        explains: |case| {
            let [ours, theirs] = case.indices;
            case.is_rtp() && ours != theirs
        },
        example: b"\0\x01\0\xff\0\0\0\x9c\x40\0\0\0\0\xff\xce\0\0\0\0\x80\x31\0\0",
    },
    Difference {
        id: "index-used-again",
        parser: "rtc-srtp",
        theirs: "protects a second packet under an index",
        ours: "refuses it",
        rfc: "RFC 3711, section 9.1: two packets under one index share their keystream; of GCM it gives the key of the tag away",
        reach: "local: who repeats a sequence number, after a restart or by mistake, tells both payloads",
        explains: |case| case.protecting && case.is_rtp() && case.ours == Err(Refusal::Used) && case.theirs.is_some(),
        example: b"\0\x01\0\xff\0\0\0\0\x01\0\0\0\0\0\0\0\0",
    },
];

impl Case {
    fn is_rtp(&self) -> bool {
        !self.rtcp
    }

    /// Whether this is SRTCP that says that it is not encrypted. RFC 3711, section 3.4; RFC 7714, section 9.2.
    fn clear_flag(&self) -> bool {
        let behind = if self.profile.is_aead() { 4 } else { self.profile.rtcp_overhead() };
        let flags = self.packet.len().checked_sub(behind).and_then(|at| self.packet.get(at));
        self.rtcp && !self.protecting && flags.is_some_and(|flags| flags >> 7 == 0)
    }

    fn their_header(&self) -> Option<usize> {
        their_header(&self.packet)
    }
}

/// Bytes of a packet's header. RFC 3550, sections 5.1 and 5.3.1.
pub fn header(packet: &[u8]) -> Option<usize> {
    let fixed = FIXED_BYTES + 4 * usize::from(packet.first()? & 0x0f);
    if packet.first()? & 0x10 == 0 {
        return Some(fixed).filter(|length| *length <= packet.len());
    }
    let [_, _, high, low] = *packet.get(fixed..)?.first_chunk()?;
    let length = fixed + 4 + 4 * usize::from(u16::from_be_bytes([high, low]));
    Some(length).filter(|length| *length <= packet.len())
}

/// Bytes that `rtc-rtp` 0.21.1 takes the header for (`Header::unmarshal`, then `marshal_size`); none if it refuses the packet.
pub fn their_header(packet: &[u8]) -> Option<usize> {
    let end = header(packet)?;
    let fixed = FIXED_BYTES + 4 * usize::from(packet.first()? & 0x0f);
    if fixed == end {
        return Some(end);
    }
    let [high, low, ..] = *packet.get(fixed..)?.first_chunk::<4>()?;
    let wide = match u16::from_be_bytes([high, low]) {
        ONE_BYTE => false,
        TWO_BYTE => true,
        _ => return Some(end),
    };
    let (mut at, mut counted) = (fixed + 4, 0);
    while at < end {
        let element = *packet.get(at)?;
        at += 1;
        counted += 1;
        let length = match (element, wide) {
            (0, _) => continue,
            (_, true) if at >= end => return None,
            (_, true) => {
                at += 1;
                counted += 1;
                usize::from(*packet.get(at - 1)?)
            }
            (_, false) if element >> 4 == 15 => {
                counted -= 1;
                break;
            }
            (_, false) => usize::from(element & 0x0f) + 1,
        };
        at += length;
        counted += length;
        packet.get(..at)?;
    }
    Some(fixed + 4 + counted.next_multiple_of(4))
}

#[cfg(test)]
mod tests {
    use rtc_srtp::context::Context as Peer;
    use rtc_srtp::option::srtp_replay_protection;
    use rtc_srtp::protection_profile::ProtectionProfile;

    use super::*;
    use crate::generators::srtp::{Setup, rtp, ssrc};

    const SETUP: Setup = Setup { profile: 0, key: 1, window: 0, rate: u8::MAX, mki: 0 };
    const FORGED: &[u8] = include_bytes!("../../../findings/rtc-srtp/forged-packet");
    const OVERLONG: &[u8] = include_bytes!("../../../findings/rtc-srtp/extension-longer-than-the-packet");
    const FIFTEEN: &[u8] = include_bytes!("../../../findings/rtc-srtp/extension-with-identifier-fifteen");
    const UNSEALED: &[u8] = include_bytes!("../../../findings/rtc-srtp/srtcp-that-nobody-sealed");

    /// One of theirs with a replay list of 64 packets.
    fn peer() -> Peer {
        let (key, salt) = SETUP.key_and_salt(0);
        let provider = rtc_crypto::default_provider().expect("it has one");
        let list = Some(srtp_replay_protection(64));
        Peer::new(&key, &salt, ProtectionProfile::Aes128CmHmacSha1_80, list, None, provider.crypto())
            .expect("it takes the keys")
    }

    fn protected(sequence: u16) -> Vec<u8> {
        let mut packet = rtp(0, sequence, b"").bytes;
        SETUP.context().protect_rtp(&mut packet).expect("a packet");
        packet
    }

    /// The last element says that it is longer than the extension, and a byte of payload is all that follows: the header is taken
    /// to be longer than the packet.
    #[test]
    fn protecting_an_overlong_extension_panics() {
        assert_eq!((header(OVERLONG), their_header(OVERLONG)), (Some(20), Some(24)));
        let panics = std::panic::catch_unwind(|| peer().encrypt_rtp(OVERLONG).map(|bytes| bytes.len()));
        assert!(panics.is_err(), "{panics:?}");
        let mut ours = OVERLONG.to_vec();
        SETUP.context().protect_rtp(&mut ours).expect("ours counts the words");
        assert_eq!(ours[..20], OVERLONG[..20]);
    }

    /// What stands behind identifier 15 is header, and is encrypted.
    #[test]
    fn a_part_of_the_header_is_encrypted() {
        assert_eq!((header(FIFTEEN), their_header(FIFTEEN)), (Some(20), Some(16)));
        let theirs = peer().encrypt_rtp(FIFTEEN).expect("it is sent");
        assert_ne!(theirs[16..20], FIFTEEN[16..20]);
    }

    #[test]
    fn srtcp_that_nobody_sealed_is_taken() {
        assert_eq!(peer().decrypt_rtcp(UNSEALED).expect("no tag is asked for")[..], UNSEALED[..8]);
        assert!(SETUP.context().unprotect_rtcp(&mut UNSEALED.to_vec()).is_err());
    }

    /// The replay list begins where the first packet says, before anybody asks for its tag.
    #[test]
    fn one_forged_packet_makes_a_stream_deaf() {
        let (mut theirs, mut ours) = (peer(), SETUP.context());
        assert!(theirs.decrypt_rtp(FORGED).is_err() && ours.unprotect_rtp(&mut FORGED.to_vec()).is_err());
        // Sequence numbers up to the forged one's, 30,000: at 50 packets a second ten minutes of silence.
        for sequence in [100, 10_000, 29_000] {
            assert!(theirs.decrypt_rtp(&protected(sequence)).is_err(), "{sequence}");
        }
        assert!(ours.unprotect_rtp(&mut protected(100)).is_ok());
        assert!(peer().decrypt_rtp(&protected(100)).is_ok(), "without the forgery");
    }

    /// State is made for every SSRC that anybody names, and kept.
    #[test]
    fn forged_packets_are_remembered_for_ever() {
        let (mut theirs, mut ours) = (peer(), SETUP.context());
        let forged = |n: u8, m: u8| [&FORGED[..8], &[n, m, 0, 0], &FORGED[12..]].concat();
        let each = |open: &mut dyn FnMut(Vec<u8>)| {
            let all = (0..=255).flat_map(|n| (0..16).map(move |m| forged(n, m)));
            allocation_counter::measure(|| all.for_each(open)).bytes_current
        };
        let kept = each(&mut |packet| assert!(theirs.decrypt_rtp(&packet).is_err()));
        assert!(kept > 4_096 * 64, "{kept} bytes for 4,096 SSRCs");
        let kept = each(&mut |mut packet| assert!(ours.unprotect_rtp(&mut packet).is_err()));
        assert!(kept < 4_096, "{kept} bytes");
        assert_eq!(ours.rtp_index(ssrc(0)), None);
    }
}
