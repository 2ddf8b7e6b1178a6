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
        example: include_bytes!("../../../findings/rtc-srtp/srtcp-counts-from-one"),
    },
    Difference {
        id: "srtcp-without-e-flag",
        parser: "rtc-srtp",
        theirs: "takes SRTCP whose E flag is clear as it comes, whatever its tag (AES-CM)",
        ours: "authenticates it, and refuses what nobody sealed",
        rfc: "RFC 3711, section 3.4: authentication of SRTCP is mandatory, encrypted or not",
        reach: "network: anybody who can send a datagram forges receiver reports, picture loss and goodbyes",
        explains: |case| {
            let clear =
                case.packet.len().checked_sub(case.profile.rtcp_overhead()).and_then(|end| case.packet.get(..end));
            !case.profile.is_aead() && case.clear_flag() && case.ours.is_err() && case.theirs.as_deref() == clear
        },
        example: include_bytes!("../../../findings/rtc-srtp/srtcp-without-e-flag"),
    },
    Difference {
        id: "gcm-e-flag",
        parser: "rtc-srtp",
        theirs: "takes the E flag for set when it authenticates SRTCP (GCM)",
        ours: "authenticates the word as it stands in the packet",
        rfc: "RFC 7714, section 9.2: the associated data end with the ESRTCP word",
        reach: "network, on the path: the flag can be cleared, and the packet is taken all the same",
        explains: |case| case.profile.is_aead() && case.clear_flag() && case.ours.is_err() && case.theirs.is_some(),
        example: include_bytes!("../../../findings/rtc-srtp/gcm-e-flag"),
    },
    Difference {
        id: "extension-read",
        parser: "rtc-srtp",
        theirs: "takes the end of the elements of RFC 8285 for the end of the extension, and encrypts from there",
        ours: "the extension is as long as its length says",
        rfc: "RFC 3550, section 5.3.1, and RFC 3711, section 3.1: what is encrypted begins behind the extension",
        reach: "network: with identifier 15, or an element that is too long, the peer's media is not understood",
        explains: |case| {
            case.is_rtp() && case.their_header().is_some_and(|theirs| Some(theirs) != header(&case.packet))
        },
        example: include_bytes!("../../../findings/rtc-srtp/extension-read"),
    },
    Difference {
        id: "extension-refused",
        parser: "rtc-srtp",
        theirs: "refuses a packet whose extension is not made of whole elements of RFC 8285",
        ours: "does not look into extensions",
        rfc: "RFC 3550, section 5.3.1: an extension that is not understood is ignored",
        reach: "network: such packets are lost",
        explains: |case| {
            case.is_rtp() && header(&case.packet).is_some() && case.their_header().is_none() && case.theirs.is_none()
        },
        example: include_bytes!("../../../findings/rtc-srtp/extension-refused"),
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
        example: include_bytes!("../../../findings/rtc-srtp/rollover-from-the-last"),
    },
    Difference {
        id: "index-used-again",
        parser: "rtc-srtp",
        theirs: "protects a second packet under an index",
        ours: "refuses it",
        rfc: "RFC 3711, section 9.1: two packets under one index share their keystream; of GCM it gives the key of the tag away",
        reach: "local: who repeats a sequence number, after a restart or by mistake, tells both payloads",
        explains: |case| case.protecting && case.is_rtp() && case.ours == Err(Refusal::Used) && case.theirs.is_some(),
        example: include_bytes!("../../../findings/rtc-srtp/index-used-again"),
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
