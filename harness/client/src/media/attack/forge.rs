//! The packets of an attack, one after the other.

use std::collections::VecDeque;
use std::ops::RangeInclusive;

use ringfence_srtp::{Context, MasterKey, Profile, bend};
use ringfence_wire::rtcp::{self, Packet};
use ringfence_wire::rtp::Header;

use super::corpus::malformed;
use super::{Attack, AttackKind, Corpus, History};
use crate::media::audio::{MARKER_BYTES, MARKER_OFFSET, Marker, PacketKind, Stream};
use crate::media::srtp::Srtp;

/// How far behind the newest packet replays lie. The newest itself is left out: a jitter buffer may well repeat it.
pub(super) const RECENT: RangeInclusive<usize> = 1..=40;
pub(super) const OLD: RangeInclusive<usize> = 100..=250;
/// What somebody on the path may have captured.
const CAPTURED: RangeInclusive<usize> = 1..=250;
/// How far ahead a jump goes: less than half of the sequence numbers, so that no wrap is assumed. RFC 3711, section 3.3.1.
const JUMP: u16 = 32_000;
/// The longest step of good packets towards the wrap, how many of them lead there from anywhere, and how far before it the
/// packets go on one by one.
const STEP: u16 = 29_000;
const STEPS: u32 = 3;
const BEFORE_WRAP: u16 = 100;
/// The last SRTCP index that a key may protect. RFC 3711, section 9.2.
const LAST_SRTCP_INDEX: u32 = (1 << 31) - 1;
/// First bytes that are not RTP's (RFC 7983, section 7), apart from those that say padding or extension.
const FIRST_BYTES: [RangeInclusive<u8>; 3] = [4..=15, 64..=79, 192..=207];
/// Payload types of G.711, beside the negotiated one.
const SPRAYED_TYPES: [u8; 2] = [0, 8];

/// What packets are made with.
pub(super) struct Hand<'a> {
    pub stream: &'a mut Stream,
    pub srtp: &'a mut Srtp,
    pub history: &'a mut History,
    /// The first source of the target.
    pub target_ssrc: Option<u32>,
}

/// One packet.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Forged {
    pub bytes: Vec<u8>,
    /// Markers that betray a receiver who took it.
    pub markers: Vec<Marker>,
    /// Sequence number that only the attack uses.
    pub sequence: Option<u16>,
    /// The middle of its NTP time, if it is a sender report.
    pub time: Option<u32>,
    /// It is a good packet of this number.
    pub good: Option<u64>,
    /// A source that only the attack uses, and that must be refused.
    pub ssrc: Option<u32>,
    /// To the next odd port instead of the call's.
    pub odd_port: bool,
}

/// Makes the packets.
pub(super) struct Forge {
    attack: Attack,
    made: u32,
    /// Under keys that nobody has agreed on.
    foreign: Option<Context>,
    /// Opens what we send.
    view: Option<Context>,
    replays: Option<VecDeque<(Marker, Vec<u8>)>>,
    /// A source that nobody has heard of.
    stray: (u32, u16),
}

impl Forge {
    pub fn new(attack: Attack, hand: &mut Hand<'_>) -> Self {
        let profile = hand.srtp.profile();
        let random = hand.stream.random();
        Self {
            attack,
            made: 0,
            foreign: profile.and_then(random_context),
            view: hand.srtp.targets_view(hand.stream.ssrc()),
            replays: None,
            stray: (random as u32, (random >> 32) as u16 >> 1),
        }
    }

    /// The next packet; `None` if there is nothing to make it of.
    pub fn next(&mut self, hand: &mut Hand<'_>) -> Option<Forged> {
        let forged = match self.attack.kind {
            AttackKind::ForgedTag => self.taken(hand, |_, hand, clear| {
                let tag = hand.srtp.profile()?.tag_len();
                let mut packet = hand.srtp.protect_rtp(clear)?;
                *packet.last_mut()? ^= 1;
                // The last byte of the ciphertext, behind the marker. With the other profiles it would change nothing more:
                // their tag covers it, and it is the tag that is wrong.
                let ciphertext_end = packet.len().checked_sub(tag + 1)?;
                *packet.get_mut(ciphertext_end)? ^= u8::from(tag == Profile::AeadAes128Gcm.tag_len());
                Some(packet)
            }),
            AttackKind::NoTag => self.taken(hand, |_, hand, clear| {
                let tag = hand.srtp.profile()?.tag_len();
                let mut packet = hand.srtp.protect_rtp(clear)?;
                packet.truncate(packet.len().checked_sub(tag)?);
                Some(packet)
            }),
            AttackKind::PlainRtp => self.taken(hand, |_, _, clear| Some(clear)),
            AttackKind::WrongKey => self.taken(hand, |forge, _, mut clear| {
                forge.foreign.as_mut()?.protect_rtp(&mut clear).ok()?;
                Some(clear)
            }),
            AttackKind::Flood => self.taken(hand, |_, hand, clear| hand.srtp.protect_rtp(clear)),
            AttackKind::Truncated => self.taken(hand, |_, hand, clear| {
                let mut packet = hand.srtp.protect_rtp(clear)?;
                packet.truncate((hand.stream.random() % packet.len().max(1) as u64) as usize);
                Some(packet)
            }),
            AttackKind::Demux => self.other_first_byte(hand),
            AttackKind::Replay => self.replay(hand, &RECENT),
            AttackKind::ReplayOld => self.replay(hand, &OLD),
            AttackKind::RocJump => self.jump(hand),
            AttackKind::RocWrap => self.towards_wrap(hand),
            AttackKind::WrongSsrc => self.other_source(hand),
            AttackKind::Malformed => self.malformed(hand),
            AttackKind::BleedSpray | AttackKind::Inject => self.stranger(hand),
            AttackKind::SrtcpReplay => {
                let (time, bytes) = hand.history.old_report()?.clone();
                Some(Forged { bytes, time: Some(time), ..Forged::default() })
            }
            AttackKind::SrtcpForged | AttackKind::SrtcpPlain | AttackKind::SrtcpIndexLimit => self.report(hand),
        };
        self.made += u32::from(forged.is_some());
        forged
    }

    /// A packet on the stream's next number, of which `bend` makes what goes out.
    fn taken(
        &mut self,
        hand: &mut Hand<'_>,
        bend: impl FnOnce(&mut Self, &mut Hand<'_>, Vec<u8>) -> Option<Vec<u8>>,
    ) -> Option<Forged> {
        let (clear, marker, sequence) = hand.stream.packet(PacketKind::Attack);
        let bytes = bend(self, hand, clear)?;
        let mut markers: Vec<Marker> = marker.into_iter().collect();
        if matches!(self.attack.kind, AttackKind::WrongKey | AttackKind::Inject) {
            markers.extend(self.garbage_marker(&bytes));
        }
        Some(Forged { bytes, markers, sequence: Some(sequence), ..Forged::default() })
    }

    /// A receiver who ignores tags decrypts a foreign packet with the right key: what then stands in the marker's place.
    fn garbage_marker(&mut self, packet: &[u8]) -> Option<Marker> {
        let mut copy = packet.to_vec();
        bend::unprotect_rtp_ignoring_tag(self.view.as_mut()?, &mut copy).ok()?;
        let (_, payload) = Header::parse(&copy).ok()?;
        payload.get(MARKER_OFFSET..MARKER_OFFSET + MARKER_BYTES)?.try_into().ok()
    }

    fn replay(&mut self, hand: &mut Hand<'_>, behind: &RangeInclusive<usize>) -> Option<Forged> {
        let count = self.attack.count as usize;
        // Where nothing comes back at all, reports may still tell.
        let came_back = self.attack.corpus != Corpus::CapturedSrtp && hand.history.replayable(behind) > 0;
        let replays = self.replays.get_or_insert_with(|| hand.history.take(behind, count, came_back));
        let (_, bytes) = replays.pop_front()?;
        Some(Forged { bytes, ..Forged::default() }) // what comes back of it is a good marker once more
    }

    fn jump(&mut self, hand: &mut Hand<'_>) -> Option<Forged> {
        let sequence = hand.stream.next_sequence().wrapping_add(JUMP);
        let (ssrc, payload_type) = (hand.stream.ssrc(), hand.stream.payload_type());
        let (mut bytes, marker) = hand.stream.stray(ssrc, sequence, payload_type);
        self.foreign.as_mut()?.protect_rtp(&mut bytes).ok()?;
        Some(Forged { bytes, markers: vec![marker], sequence: Some(sequence), ..Forged::default() })
    }

    /// A good packet on its way over the last sequence number.
    fn towards_wrap(&self, hand: &mut Hand<'_>) -> Option<Forged> {
        let far = (u16::MAX - BEFORE_WRAP).checked_sub(hand.stream.next_sequence());
        hand.stream.skip(far.filter(|_| self.made < STEPS).map_or(0, |far| far.min(STEP)));
        let number = hand.stream.packets();
        let (clear, marker, _) = hand.stream.packet(PacketKind::Good);
        let bytes = hand.srtp.protect_rtp(clear)?;
        Some(Forged { bytes, markers: marker.into_iter().collect(), good: Some(number), ..Forged::default() })
    }

    fn other_first_byte(&mut self, hand: &mut Hand<'_>) -> Option<Forged> {
        let bytes: Vec<u8> = FIRST_BYTES.into_iter().flatten().collect();
        let first = *bytes.get(self.made as usize % bytes.len())?;
        self.taken(hand, |_, hand, mut clear| {
            // The low bits count contributing sources: they are there, so that nothing else is wrong with the packet.
            let sources = 4 * usize::from(first & 0x0f);
            *clear.first_mut()? = first;
            clear.splice(12..12, std::iter::repeat_n(0, sources));
            hand.srtp.protect_rtp_raw(clear, 12 + sources)
        })
    }

    fn other_source(&mut self, hand: &mut Hand<'_>) -> Option<Forged> {
        let second_half = self.made >= self.attack.count / 2;
        let theirs = hand.target_ssrc.filter(|_| second_half);
        self.stray.1 = self.stray.1.wrapping_add(1);
        let (ssrc, payload_type) = (theirs.unwrap_or(self.stray.0), hand.stream.payload_type());
        let (clear, marker) = hand.stream.stray(ssrc, self.stray.1, payload_type);
        let bytes = hand.srtp.protect_rtp(clear)?;
        Some(Forged { bytes, markers: vec![marker], ..Forged::default() })
    }

    fn malformed(&mut self, hand: &mut Hand<'_>) -> Option<Forged> {
        let Attack { corpus, item, .. } = self.attack;
        let protected = self.made % 2 == 1;
        let sequence = hand.stream.next_sequence();
        let clear = malformed(corpus, item, hand.stream.ssrc(), sequence);
        let sealed = || match corpus {
            Corpus::Rtcp => hand.srtp.protect_rtcp(clear.clone()),
            _ => {
                hand.stream.skip(1);
                hand.srtp.protect_rtp_raw(clear.clone(), 12)
            }
        };
        let bytes = protected.then(sealed).flatten().unwrap_or(clear); // too short for a header: as it is
        Some(Forged { bytes, ..Forged::default() })
    }

    fn stranger(&mut self, hand: &mut Hand<'_>) -> Option<Forged> {
        let sprays = self.attack.kind == AttackKind::BleedSpray;
        let odd_port = sprays && self.made % 2 == 1;
        if self.attack.corpus == Corpus::CapturedSrtp {
            let captured = self.replay(hand, &CAPTURED);
            return captured.map(|forged| Forged { odd_port, ..forged });
        }
        let noise = self.attack.corpus == Corpus::RandomSrtp;
        let scramble = |hand: &mut Hand<'_>, mut clear: Vec<u8>| {
            let tag = hand.srtp.profile().filter(|_| noise).map_or(0, |profile| profile.tag_len());
            clear.resize(clear.len() + tag, 0);
            if noise {
                clear.iter_mut().skip(12).for_each(|byte| *byte = hand.stream.random() as u8);
            }
            clear
        };
        if !sprays {
            return self.taken(hand, |_, hand, clear| Some(scramble(hand, clear)));
        }
        let random = hand.stream.random();
        let types = [SPRAYED_TYPES[0], SPRAYED_TYPES[1], hand.stream.payload_type()];
        let payload_type = *types.get(self.made as usize / 2 % types.len())?;
        let (clear, marker) = hand.stream.stray(random as u32, (random >> 32) as u16, payload_type);
        let bytes = scramble(hand, clear);
        Some(Forged { bytes, markers: vec![marker], ssrc: Some(random as u32), odd_port, ..Forged::default() })
    }

    /// A sender report with a time of its own, and with the other kinds a BYE for our SSRC behind it.
    fn report(&mut self, hand: &mut Hand<'_>) -> Option<Forged> {
        let ssrc = hand.stream.ssrc();
        let ntp = hand.stream.random() | 1 << 63; // later than 1968, like any sender's
        let (rtp, packets, octets) =
            (hand.stream.timestamp(), hand.stream.packets() as u32, hand.stream.octets() as u32);
        let (reports, extension) = (Vec::new(), Vec::new());
        let report = Packet::SenderReport { ssrc, ntp, rtp, packets, octets, reports, extension };
        let bye = Packet::Bye { sources: vec![ssrc], reason: None };
        let bytes = match self.attack.kind {
            AttackKind::SrtcpPlain => rtcp::emit(&[report, bye]).ok()?,
            AttackKind::SrtcpForged => {
                let mut packet = hand.srtp.protect_rtcp(rtcp::emit(&[report, bye]).ok()?)?;
                // RFC 3711, section 3.4: the tag is the end of the packet; with GCM the index is, and the tag lies before it.
                let gcm = hand.srtp.profile()?.tag_len() == Profile::AeadAes128Gcm.tag_len();
                let place = packet.len().checked_sub(if gcm { 5 } else { 1 })?;
                *packet.get_mut(place)? ^= 1;
                packet
            }
            _ => {
                let index = if self.made == 0 { LAST_SRTCP_INDEX } else { self.made - 1 };
                hand.srtp.protect_rtcp_at(rtcp::emit(&[report]).ok()?, index)?
            }
        };
        Some(Forged { bytes, time: Some((ntp >> 16) as u32), ..Forged::default() })
    }
}

fn random_context(profile: Profile) -> Option<Context> {
    let (mut key, mut salt) = (vec![0; profile.key_len()], vec![0; profile.salt_len()]);
    getrandom::fill(&mut key).and_then(|()| getrandom::fill(&mut salt)).ok()?;
    Some(Context::new(&MasterKey::new(profile, &key, &salt).ok()?))
}
