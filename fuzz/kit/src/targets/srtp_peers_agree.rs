//! SRTP and SRTCP against `rtc-srtp`: both protect to the same bytes, and open the same packets.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use ringfence_srtp::{Context, Profile, ProtectError, UnprotectError};
use rtc_crypto::RTCCryptoProvider;
use rtc_srtp::context::Context as Peer;
use rtc_srtp::protection_profile::ProtectionProfile;

use super::srtp_roundtrip::model::nearest;
use crate::generators::srtp::{Script, Sequences, Setup, Step, rtcp, rtp, ssrc};
use crate::generators::value;
use crate::known::srtp::{Case, DIFFERENCES, Refusal, header, their_header};
use crate::oracles::{AGREEMENT, agreeing};
use crate::target::{Seed, Target};

/// A conversation, behind five bytes of keys and settings. `rtc-srtp` has neither identifiers nor a key derivation rate, and is asked
/// without its replay list, which knows sequence numbers only.
pub const TARGET: Target = Target {
    name: "srtp_peers_agree",
    reads: "keys and settings, and what is sent, forged and delivered",
    oracles: &[&AGREEMENT],
    run,
    accepts: |bytes| talk(bytes).is_some_and(|talk| talk.opened > 0),
    show: |bytes| format!("{:#?}", value::<Script<'_>>(bytes)),
    seeds,
    dictionary: None,
    max_len: 4_096,
    covers: &["harness/srtp/src/packet.rs", "harness/srtp/src/transform.rs", "harness/srtp/src/aes_cm.rs"],
};

/// One run.
pub fn run(bytes: &[u8]) {
    talk(bytes);
}

/// Plays one input, and returns the known differences that were seen: parser and id.
///
/// # Panics
/// If there is a difference that nothing explains.
pub fn differences(bytes: &[u8]) -> Vec<(&'static str, &'static str)> {
    talk(bytes).into_iter().flat_map(|talk| talk.known).map(|known| (PEER, known)).collect()
}

fn talk(bytes: &[u8]) -> Option<Talk> {
    let script = value::<Script<'_>>(bytes)?;
    let mut talk = Talk::new(Setup { rate: u8::MAX, mki: 0, ..script.setup });
    script.steps.iter().for_each(|step| talk.step(step));
    Some(talk)
}

/// The crate of the other side.
const PEER: &str = "rtc-srtp";

struct Talk {
    profile: Profile,
    ours: Ends<Context>,
    theirs: Ends<Peer>,
    sequences: Sequences,
    /// Whether it is RTCP, and its bytes.
    sent: Vec<(bool, Vec<u8>)>,
    known: BTreeSet<&'static str>,
    opened: usize,
}

struct Ends<T> {
    sender: T,
    receiver: T,
    /// The index of the last packet of each stream: that was sent, and that was received.
    last: [BTreeMap<u32, u64>; 2],
}

impl Talk {
    fn new(setup: Setup) -> Self {
        let [sender, receiver] = std::array::from_fn(|_| setup.context());
        let ours = Ends { sender, receiver, last: Default::default() };
        let [sender, receiver] = std::array::from_fn(|_| peer(&setup));
        let theirs = Ends { sender, receiver, last: Default::default() };
        let (sequences, known) = (Sequences::default(), BTreeSet::new());
        Self { profile: setup.profile(), ours, theirs, sequences, sent: Vec::new(), known, opened: 0 }
    }

    fn step(&mut self, step: &Step<'_>) {
        match *step {
            Step::Rtp { stream, skip, packet } => {
                let packet = rtp(stream, self.sequences.next(stream, skip), packet).bytes;
                // It would panic: `known` shows it.
                if their_header(&packet).is_none_or(|length| length <= packet.len()) {
                    self.protect_rtp(packet);
                }
            }
            Step::Rtcp { stream, packet } => self.protect_rtcp(rtcp(stream, packet), ssrc(stream)),
            Step::Deliver { back } => self.deliver(back, |_| ()),
            Step::Forge { back, bit } => self.deliver(back, |packet| {
                let place = usize::from(bit) / 8 % packet.len().max(1);
                packet.iter_mut().skip(place).take(1).for_each(|byte| *byte ^= 1 << (bit % 8));
            }),
            Step::Cut { back, bytes } => {
                self.deliver(back, |packet| packet.truncate(packet.len().saturating_sub(bytes.into())));
            }
            Step::Raw { rtcp, packet } => self.open(rtcp, packet.to_vec()),
            Step::Rekey { .. } | Step::Forget | Step::Rollover { .. } | Step::Own { .. } => {}
        }
    }

    fn protect_rtp(&mut self, packet: Vec<u8>) {
        let (ssrc, sequence) = stream_of(&packet);
        let ours = nearest(self.ours.sender.rtp_index(ssrc), sequence);
        let theirs = nearest(self.theirs.last[0].get(&ssrc).copied(), sequence);
        let peer = self.theirs.sender.encrypt_rtp(&packet).ok();
        if peer.is_some() {
            self.theirs.last[0].insert(ssrc, theirs);
        }
        let mut protected = packet.clone();
        let result = match self.ours.sender.protect_rtp(&mut protected) {
            Ok(()) => Ok(protected),
            Err(ProtectError::Reused { .. }) => Err(Refusal::Used),
            Err(_) => Err(Refusal::Other),
        };
        let how = How { protecting: true, indices: [ours, theirs], ..How::default() };
        self.compare(how, &packet, &result, peer.as_deref());
        self.sent.extend(result.map(|bytes| (false, bytes)));
    }

    fn protect_rtcp(&mut self, packet: Vec<u8>, ssrc: u32) {
        let how = |first| How { rtcp: true, protecting: true, first, ..How::default() };
        let peer = self.theirs.sender.encrypt_rtcp(&packet).ok();
        let first = self.ours.sender.rtcp_index(ssrc).is_none();
        let mut result = protected_rtcp(&mut self.ours.sender, &packet);
        if first {
            self.compare(how(true), &packet, &result, peer.as_deref());
            result = protected_rtcp(&mut self.ours.sender, &packet); // theirs begins with the second one
        }
        self.compare(how(false), &packet, &result, peer.as_deref());
        self.sent.extend(result.map(|bytes| (true, bytes)));
    }

    fn deliver(&mut self, back: u8, change: impl FnOnce(&mut Vec<u8>)) {
        let place = self.sent.len().checked_sub(1 + usize::from(back) % self.sent.len().max(1));
        let Some((rtcp, mut packet)) = place.and_then(|place| self.sent.get(place).cloned()) else { return };
        change(&mut packet);
        self.open(rtcp, packet);
    }

    fn open(&mut self, rtcp: bool, packet: Vec<u8>) {
        let (ssrc, sequence) = stream_of(&packet);
        let ours = nearest(self.ours.receiver.rtp_index(ssrc), sequence);
        let theirs = nearest(self.theirs.last[1].get(&ssrc).copied(), sequence);
        let open = if rtcp { Context::unprotect_rtcp } else { Context::unprotect_rtp };
        let mut opened = packet.clone();
        let result = match open(&mut self.ours.receiver, &mut opened) {
            Ok(()) => Ok(opened),
            Err(UnprotectError::Replay { .. }) => return,
            Err(_) => Err(Refusal::Other),
        };
        let receiver = &mut self.theirs.receiver;
        let peer = if rtcp { receiver.decrypt_rtcp(&packet) } else { receiver.decrypt_rtp(&packet) }.ok();
        if peer.is_some() && !rtcp {
            self.theirs.last[1].insert(ssrc, theirs);
        }
        self.opened += usize::from(result.is_ok() && peer.is_some());
        self.compare(How { rtcp, indices: [ours, theirs], ..How::default() }, &packet, &result, peer.as_deref());
    }

    /// Whether both made the same of one packet; if not, why is noted.
    fn compare(&mut self, how: How, packet: &[u8], ours: &Result<Vec<u8>, Refusal>, theirs: Option<&[u8]>) {
        let said = ours.as_deref().ok();
        if said == theirs {
            return;
        }
        let How { rtcp, protecting, first, indices } = how;
        let (packet, ours, peer) = (packet.to_vec(), ours.clone(), theirs.map(<[u8]>::to_vec));
        let case = Case { profile: self.profile, rtcp, protecting, first, packet, indices, ours, theirs: peer };
        self.known.extend(agreeing(DIFFERENCES, PEER, &case, &said, &theirs).map(|known| known.id));
    }
}

fn protected_rtcp(context: &mut Context, packet: &[u8]) -> Result<Vec<u8>, Refusal> {
    let mut protected = packet.to_vec();
    context.protect_rtcp(&mut protected).map(|()| protected).map_err(|_| Refusal::Other)
}

/// What was done with a packet; as in [`Case`].
#[derive(Clone, Copy, Default)]
struct How {
    rtcp: bool,
    protecting: bool,
    first: bool,
    indices: [u64; 2],
}

/// SSRC and sequence number, 0 of what is too short to have them.
fn stream_of(packet: &[u8]) -> (u32, u16) {
    match *packet {
        [_, _, a, b, _, _, _, _, c, d, e, f, ..] if header(packet).is_some() => {
            (u32::from_be_bytes([c, d, e, f]), u16::from_be_bytes([a, b]))
        }
        _ => (0, 0),
    }
}

/// An end of theirs.
fn peer(setup: &Setup) -> Peer {
    let profile = match setup.profile() {
        Profile::AesCm128HmacSha1_80 => ProtectionProfile::Aes128CmHmacSha1_80,
        Profile::AesCm128HmacSha1_32 => ProtectionProfile::Aes128CmHmacSha1_32,
        Profile::AesCm256HmacSha1_80 => ProtectionProfile::Aes256CmHmacSha1_80,
        Profile::AesCm256HmacSha1_32 => ProtectionProfile::Aes256CmHmacSha1_32,
        Profile::AeadAes128Gcm => ProtectionProfile::AeadAes128Gcm,
        Profile::AeadAes256Gcm => ProtectionProfile::AeadAes256Gcm,
    };
    let (key, salt) = setup.key_and_salt(0);
    Peer::new(&key, &salt, profile, None, None, provider().crypto()).expect("it takes the keys")
}

fn provider() -> &'static dyn RTCCryptoProvider {
    static PROVIDER: OnceLock<std::sync::Arc<dyn RTCCryptoProvider>> = OnceLock::new();
    &**PROVIDER.get_or_init(|| rtc_crypto::default_provider().expect("it has one"))
}

fn seeds() -> Vec<Seed> {
    let packets: [&[u8]; 6] = [
        b"\x80\x6f\0\0\0\0\x03\xc0\0\0\0\0\xf8\xff\xfe and some speech",
        b"\x92\x6f\0\0\0\0\x03\xc0\0\0\0\0\0\0\0\x07\0\0\0\x08\xbe\xde\0\x01\x10\x7f\0\0speech",
        b"\x90\x6f\0\0\0\0\x03\xc0\0\0\0\0\x10\x00\0\x02\x01\x02ab\0\x03\x01cspeech",
        b"\x90\x6f\0\0\0\0\x03\xc0\0\0\0\0\xc0\xde\0\x01abcdspeech",
        b"\x90\x6f\0\0\0\0\x03\xc0\0\0\0\0\xbe\xde\0\0",
        b"\xa0\x6f\0\0\0\0\x03\xc0\0\0\0\0speech\0\x02",
    ];
    let report: &[u8] = b"\x81\xc9\0\x07\0\0\0\0\xca\xfe\0\0\0\0\0\0\0\0\0\x01\0\0\0\0\0\0\0\0\0\0\0\0";
    let mut steps = vec![Step::Rtcp { stream: 1, packet: report }, Step::Deliver { back: 0 }];
    for packet in packets {
        steps.extend([Step::Rtp { stream: 0, skip: 0x3fff, packet }, Step::Forge { back: 0, bit: 200 }]);
        steps.extend([Step::Deliver { back: 0 }, Step::Cut { back: 0, bytes: 9 }]);
    }
    steps.extend([
        Step::Rtcp { stream: 1, packet: report },
        Step::Forge { back: 0, bit: 80 },
        Step::Deliver { back: 0 },
    ]);
    let script = |profile| {
        Script { setup: Setup { profile, key: 5, window: 0, rate: 255, mki: 0 }, steps: steps.clone() }.bytes()
    };
    let mut seeds: Vec<Seed> = (0..6).map(|n| Seed::valid(format!("profile-{n}"), script(n))).collect();
    seeds.extend(DIFFERENCES.iter().map(|known| Seed::other(format!("known-{}", known.id), known.example)));
    seeds
}
