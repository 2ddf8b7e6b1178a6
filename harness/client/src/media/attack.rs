//! Attacks on a live call: packets that a receiver must refuse, with good packets before and after as control.
//!
//! Phases: good audio until an echo is back, then the attack, then good audio again until an echo is back. A target that echoes
//! nothing is judged by its receiver reports: see [`Oracle::Reports`]. While packets go out that use sequence numbers of their
//! own, the audio pauses: a correct receiver sees a gap and nothing else, and a report whose highest number lies in the gap
//! shows that it took one of them.
//!
//! | file | subject |
//! |---|---|
//! | `run` | the phases, and what is concluded |
//! | `reports` | the target's receiver reports as oracle |
//! | `forge`, `corpus` | the packets |
//! | `history` | what was sent and may be replayed; what came back twice |
//! | `steps` | the machine's side: sending, and telling the run what came |

mod corpus;
mod forge;
#[cfg(test)]
mod forge_tests;
mod history;
mod reports;
mod run;
#[cfg(test)]
mod run_tests;
mod steps;

use std::net::IpAddr;
use std::time::Duration;

pub use corpus::malformed_items;
pub(super) use history::History;
pub(super) use run::Run;

/// Upper bounds of what is asked: a typing error in a scenario is no flood.
const MAX_COUNT: u32 = 1000;
const MAX_RATE: u32 = 500;
/// Upper bounds of a flood.
const MAX_FLOOD_COUNT: u32 = 60_000;
const MAX_FLOOD_RATE: u32 = 3000;

/// What is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AttackKind {
    /// Right key, SSRC and next sequence number; one bit of the tag flipped, with GCM one bit of the ciphertext as well.
    ForgedTag,
    /// A right packet without its tag.
    NoTag,
    /// RTP in the clear, with our SSRC and next sequence number.
    PlainRtp,
    /// Protected under a random key with the same profile.
    WrongKey,
    /// Packets once more that came back once, 1 to 40 behind the newest.
    Replay,
    /// The same, 100 to 250 behind the newest.
    ReplayOld,
    /// A sender report with a time of its own and a BYE for our SSRC; one bit of the tag is flipped.
    SrtcpForged,
    /// An earlier sender report of ours once more.
    SrtcpReplay,
    /// Report and BYE in the clear.
    SrtcpPlain,
    /// Under a random key, with a sequence number 32,000 ahead.
    RocJump,
    /// Good packets whose sequence numbers go over 65,535, in steps below 30,000.
    RocWrap,
    /// One item of [`malformed_items`].
    Malformed,
    /// Right packets, cut off anywhere.
    Truncated,
    /// Right packets under a second SSRC, then under the target's own.
    WrongSsrc,
    /// Packets of the corpus under random SSRCs, to the call's port and the next odd one.
    BleedSpray,
    /// Packets of the corpus with our SSRC and next sequence numbers.
    Inject,
    /// Right packets, as fast as is asked.
    Flood,
    /// Right packets whose first byte is none of RTP's, their tag made over it.
    Demux,
    /// A right sender report with SRTCP index 2^31 - 1, then such reports with index 0 and up.
    SrtcpIndexLimit,
}

impl AttackKind {
    /// Whether good audio waits until the attack is over.
    fn pauses_audio(self) -> bool {
        use AttackKind as K;
        match self {
            K::ForgedTag | K::NoTag | K::PlainRtp | K::WrongKey | K::Replay | K::ReplayOld => true,
            K::RocWrap | K::Inject | K::Flood | K::Demux => true,
            K::SrtcpForged | K::SrtcpReplay | K::SrtcpPlain | K::SrtcpIndexLimit => false,
            K::RocJump | K::Malformed | K::Truncated | K::WrongSsrc | K::BleedSpray => false,
        }
    }

    /// Whether the target's view of our sender reports is the evidence.
    fn is_srtcp(self) -> bool {
        use AttackKind as K;
        matches!(self, K::SrtcpForged | K::SrtcpReplay | K::SrtcpPlain | K::SrtcpIndexLimit)
    }
}

/// Where packets come from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Source {
    /// The call's own port.
    #[default]
    Own,
    /// A second port of the same address, which no check has been sent from.
    OtherPort,
    /// A port of another address of ours.
    OtherAddress(IpAddr),
}

/// What packets are made of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Corpus {
    /// RTP in the clear.
    #[default]
    Plain,
    /// An RTP header, and noise where ciphertext and tag would be.
    RandomSrtp,
    /// Packets that we sent before, as somebody on the path would have seen them.
    CapturedSrtp,
    /// Malformed RTP.
    Rtp,
    /// Malformed RTCP.
    Rtcp,
}

/// An attack on a live call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attack {
    /// What is sent.
    pub kind: AttackKind,
    /// Where it comes from.
    pub source: Source,
    /// What it is made of, where the kind leaves a choice.
    pub corpus: Corpus,
    /// Which of [`malformed_items`], from 0.
    pub item: usize,
    /// How many packets, 1 to 1000; of a flood 60,000.
    pub count: u32,
    /// How many per second, 1 to 500; of a flood 3000.
    pub rate: u32,
}

impl Attack {
    /// From the call's own port.
    pub fn new(kind: AttackKind, count: u32, rate: u32) -> Self {
        let (most, fastest) = match kind {
            AttackKind::Flood => (MAX_FLOOD_COUNT, MAX_FLOOD_RATE),
            _ => (MAX_COUNT, MAX_RATE),
        };
        let (count, rate) = (count.clamp(1, most), rate.clamp(1, fastest));
        Self { kind, source: Source::Own, corpus: Corpus::Plain, item: 0, count, rate }
    }

    /// How long it can take, with everything that it may have to wait for.
    pub fn longest(&self) -> Duration {
        Duration::from_secs(1) * self.count / self.rate.max(1) + run::WAITS
    }
}

/// How the far side was seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Oracle {
    /// Our audio came back.
    Echo,
    /// The target's receiver reports name our sequence numbers, and showed a gap that we made on purpose as loss. Reports
    /// that a middle box passes on from another leg do not.
    Reports,
}

/// What came of an attack.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AttackSeen {
    /// How the far side was seen before the attack; `None`: not at all.
    pub oracle: Option<Oracle>,
    /// A good packet arrived just before.
    pub control_before: bool,
    /// A good packet arrived just after.
    pub control_after: bool,
    /// Attack packets that came back.
    pub attack_echoed: i64,
    /// Replayed packets that came back under the number that they had come back with before, so that our own replay list refuses
    /// them: somebody forwards them and leaves it to the receiver. None of them is in `attack_echoed`.
    pub passed_on: i64,
    /// Attack packets that were sent.
    pub sent: i64,
    /// How long the sending took, milliseconds.
    pub sending_ms: i64,
    /// Of reports as oracle: one named a sequence number as the highest that only the attack used, or listed its SSRC. Of SRTCP: one
    /// named the time of a sender report that had to be refused. Of replays: the loss that reports tell fell.
    pub attack_counted_by_rtcp: bool,
    /// A report named the time of a good sender report; with [`AttackKind::SrtcpIndexLimit`] that of index 2^31 - 1.
    pub control_counted_by_rtcp: bool,
    /// Good packets that came back twice although they were sent once, in the whole call.
    pub doubled: i64,
    /// Good packets sent from the attack's first packet on, and those of them that did not come back; with echo only.
    pub good: (i64, i64),
    /// RTP of the target that arrived at the second socket.
    pub elsewhere: i64,
    /// More of it than on the call's own path meanwhile.
    pub moved: bool,
}
