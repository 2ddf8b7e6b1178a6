//! SRTP and SRTCP: how two ends are set up, and what happens between them. RFC 3711.
//!
//! Both read their bytes from the front, so that a conversation can be written down as input: [`Script::bytes`].

use arbitrary::{Arbitrary, Result, Unstructured};
use ringfence_srtp::{Context, MasterKey, Profile, Settings};

use super::rtp::Rtp;

/// Steps of a conversation at most.
const MAX_STEPS: usize = 64;
/// Streams of a conversation.
const STREAMS: u8 = 4;
/// RFC 3550, section 6.1: version 2, and a sender report's type.
const RTCP_FIXED: [u8; 4] = [0x80, 200, 0, 1];

/// Keys and settings that both ends have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Setup {
    /// Its place in [`Profile::ALL`].
    pub profile: u8,
    /// What keys and salts are made of.
    pub key: u8,
    /// Packets that the replay list reaches back are 64 and four times this.
    pub window: u8,
    /// The binary logarithm of the key derivation rate; above 24 there is none.
    pub rate: u8,
    /// Bytes of the master key identifier, 0 to 15.
    pub mki: u8,
}

impl Setup {
    /// The profile.
    pub fn profile(&self) -> Profile {
        Profile::ALL[usize::from(self.profile) % Profile::ALL.len()]
    }

    /// Packets that the replay list reaches back.
    pub fn window(&self) -> u16 {
        64 + 4 * u16::from(self.window)
    }

    /// What a context is told.
    pub fn settings(&self) -> Settings {
        Settings {
            replay_window: self.window(),
            rtcp_replay_window: self.window(),
            key_derivation_rate: 1_u32.checked_shl(self.rate.into()).filter(|rate| *rate <= 1 << 24).unwrap_or(0),
            mki: self.identifier(0),
            ..Settings::default()
        }
    }

    /// Key and salt number so-and-so: both ends have the same ones.
    pub fn key_and_salt(&self, number: u8) -> (Vec<u8>, Vec<u8>) {
        let bytes =
            |first: u8, length: usize| (0..length).map(|n| first ^ number ^ (n as u8).wrapping_mul(29)).collect();
        let profile = self.profile();
        (bytes(self.key, profile.key_len()), bytes(!self.key, profile.salt_len()))
    }

    /// The master key of that number.
    pub fn master(&self, number: u8) -> MasterKey {
        let (key, salt) = self.key_and_salt(number);
        MasterKey::new(self.profile(), &key, &salt).expect("the lengths are the profile's")
    }

    /// Its identifier, empty if there is none.
    pub fn identifier(&self, number: u8) -> Vec<u8> {
        vec![number; usize::from(self.mki & 0x0f)]
    }

    /// An end with key number 0.
    pub fn context(&self) -> Context {
        Context::with(&self.master(0), self.settings()).expect("settings in their ranges")
    }
}

/// What happens next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step<'a> {
    /// An RTP packet is protected.
    Rtp {
        /// Which stream's.
        stream: u8,
        /// Sequence numbers behind the one before.
        skip: u16,
        /// The packet, or what becomes one.
        packet: &'a [u8],
    },
    /// An RTCP packet is protected.
    Rtcp {
        /// Which stream's.
        stream: u8,
        /// The packet, or what becomes one.
        packet: &'a [u8],
    },
    /// What was protected arrives.
    Deliver {
        /// So many packets ago.
        back: u8,
    },
    /// The same, with one bit turned.
    Forge {
        /// So many packets ago.
        back: u8,
        /// Which bit, from the front.
        bit: u16,
    },
    /// The same, cut off.
    Cut {
        /// So many packets ago.
        back: u8,
        /// So many bytes shorter.
        bytes: u8,
    },
    /// Anything arrives.
    Raw {
        /// Whether it is taken for SRTCP.
        rtcp: bool,
        /// What arrives.
        packet: &'a [u8],
    },
    /// The next key.
    Rekey {
        /// The sender has it.
        sender: bool,
        /// The receiver has it.
        receiver: bool,
    },
    /// The receiver forgets all keys but the newest.
    Forget,
    /// Both ends are told the rollover counter of the next packet.
    Rollover {
        /// Which stream's.
        stream: u8,
        /// The counter.
        roc: u32,
    },
    /// The receiver protects a packet.
    Own {
        /// In which stream.
        stream: u8,
    },
}

impl Step<'_> {
    fn arbitrary<'a>(u: &mut Unstructured<'a>) -> Result<Step<'a>> {
        let [kind, argument]: [u8; 2] = u.arbitrary()?;
        let stream = argument % STREAMS;
        Ok(match kind % 10 {
            0 => Step::Rtp { stream, skip: wide(u)?, packet: packet(u)? },
            1 => Step::Rtcp { stream, packet: packet(u)? },
            2 => Step::Deliver { back: argument },
            3 => Step::Forge { back: argument, bit: wide(u)? },
            4 => Step::Cut { back: argument, bytes: u.arbitrary()? },
            5 => Step::Raw { rtcp: argument & 1 == 1, packet: packet(u)? },
            6 => Step::Rekey { sender: argument & 1 == 1, receiver: argument & 2 == 2 },
            7 => Step::Forget,
            8 => Step::Rollover { stream, roc: u32::from(wide(u)?) << 16 | u32::from(wide(u)?) },
            _ => Step::Own { stream },
        })
    }

    fn write(&self, bytes: &mut Vec<u8>) {
        let packet = |packet: &[u8]| [&(packet.len() as u16).to_be_bytes(), packet].concat();
        bytes.extend(match *self {
            Step::Rtp { stream, skip, packet: p } => [&[0, stream], &skip.to_be_bytes()[..], &packet(p)].concat(),
            Step::Rtcp { stream, packet: p } => [&[1, stream], &packet(p)[..]].concat(),
            Step::Deliver { back } => vec![2, back],
            Step::Forge { back, bit } => [[3, back], bit.to_be_bytes()].concat(),
            Step::Cut { back, bytes } => vec![4, back, bytes],
            Step::Raw { rtcp, packet: p } => [&[5, rtcp.into()], &packet(p)[..]].concat(),
            Step::Rekey { sender, receiver } => vec![6, u8::from(sender) | u8::from(receiver) << 1],
            Step::Forget => vec![7, 0],
            Step::Rollover { stream, roc } => [&[8, stream], &roc.to_be_bytes()[..]].concat(),
            Step::Own { stream } => vec![9, stream],
        });
    }
}

fn wide(u: &mut Unstructured<'_>) -> Result<u16> {
    Ok(u16::from_be_bytes(u.arbitrary()?))
}

fn packet<'a>(u: &mut Unstructured<'a>) -> Result<&'a [u8]> {
    let length = usize::from(wide(u)?);
    u.bytes(length.min(u.len()))
}

/// A conversation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Script<'a> {
    /// How both ends begin.
    pub setup: Setup,
    /// What happens.
    pub steps: Vec<Step<'a>>,
}

impl<'a> Arbitrary<'a> for Script<'a> {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        let [profile, key, window, rate, mki] = u.arbitrary()?;
        let mut steps = Vec::new();
        while !u.is_empty() && steps.len() < MAX_STEPS {
            steps.push(Step::arbitrary(u)?);
        }
        Ok(Self { setup: Setup { profile, key, window, rate, mki }, steps })
    }
}

impl Script<'_> {
    /// The input that stands for this conversation.
    pub fn bytes(&self) -> Vec<u8> {
        let Setup { profile, key, window, rate, mki } = self.setup;
        let mut bytes = vec![profile, key, window, rate, mki];
        self.steps.iter().for_each(|step| step.write(&mut bytes));
        bytes
    }
}

/// The SSRC of a stream.
pub fn ssrc(stream: u8) -> u32 {
    0xcafe_0000 | u32::from(stream)
}

/// These bytes as an RTP packet of a stream.
pub fn rtp(stream: u8, sequence: u16, bytes: &[u8]) -> Rtp {
    Rtp::of(bytes).at(ssrc(stream), sequence)
}

/// These bytes as an RTCP packet of a stream: version 2, and at least eight bytes.
pub fn rtcp(stream: u8, bytes: &[u8]) -> Vec<u8> {
    let mut packet = bytes.to_vec();
    if packet.len() < 8 {
        packet = [RTCP_FIXED, [0; 4]].concat();
    }
    packet[0] = 2 << 6 | packet[0] & 0x3f;
    packet.splice(4..8, ssrc(stream).to_be_bytes());
    packet
}

/// The sequence numbers of all streams.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sequences([u16; STREAMS as usize]);

impl Sequences {
    /// The next one of a stream, so many behind the one before.
    pub fn next(&mut self, stream: u8, skip: u16) -> u16 {
        let sequence = &mut self.0[usize::from(stream % STREAMS)];
        *sequence = sequence.wrapping_add(skip);
        *sequence
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generators::value;

    #[test]
    fn inputs_say_what_was_written_down() {
        let setup = Setup { profile: 4, key: 7, window: 9, rate: 8, mki: 3 };
        let steps = vec![
            Step::Rtp { stream: 1, skip: 0xfff0, packet: b"rtp" },
            Step::Rtcp { stream: 2, packet: b"" },
            Step::Deliver { back: 200 },
            Step::Forge { back: 1, bit: 0x0102 },
            Step::Cut { back: 0, bytes: 3 },
            Step::Raw { rtcp: true, packet: b"raw" },
            Step::Rekey { sender: true, receiver: false },
            Step::Forget,
            Step::Rollover { stream: 3, roc: 0xffff_fffe },
            Step::Own { stream: 0 },
        ];
        let script = Script { setup, steps };
        assert_eq!(value::<Script>(&script.bytes()), Some(script));
    }

    #[test]
    fn every_setup_makes_a_context_and_every_packet_can_be_sent() {
        for byte in 0..=255 {
            let setup = Setup { profile: byte, key: byte, window: byte, rate: byte, mki: byte };
            let mut context = setup.context();
            for length in [0, 1, 7, 8, 30] {
                let bytes = vec![byte; length];
                context.protect_rtp(&mut rtp(0, length as u16, &bytes).bytes).expect("RTP");
                context.protect_rtcp(&mut rtcp(1, &bytes)).expect("RTCP");
            }
        }
    }
}
