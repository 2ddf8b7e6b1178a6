//! Opening SRTP and SRTCP: what is not genuine changes nothing.

use ringfence_srtp::bend::{self, Verified};
use ringfence_srtp::{Context, UnprotectError};

use crate::generators::srtp::{Script, Sequences, Setup, Step, rtcp, rtp, ssrc};
use crate::generators::value;
use crate::oracle::Oracle;
use crate::oracles::{ALLOCATION, Bound, allocating};
use crate::target::{Seed, Target};

/// A conversation, behind five bytes of keys and settings. All that arrives is opened, forgeries among it.
pub const TARGET: Target = Target {
    name: "srtp_unprotect",
    reads: "keys and settings, and what is sent, forged and delivered",
    oracles: &[&ALLOCATION, &UNCHANGED, &GENUINE, &FORGETFUL, &LENIENT],
    run,
    accepts: |bytes| opened(bytes) > 0,
    show: |bytes| format!("{:#?}", value::<Script<'_>>(bytes)),
    seeds,
    dictionary: None,
    max_len: 4_096,
    covers: &[
        "harness/srtp/src/unprotect.rs",
        "harness/srtp/src/transform.rs",
        "harness/srtp/src/replay.rs",
        "harness/srtp/src/context.rs",
    ],
};

/// A packet that is refused stays as it was.
pub const UNCHANGED: Oracle = Oracle::new(
    "a refused packet is unchanged",
    "another key may open it yet, or another reader; and half-decrypted bytes of a forgery are an oracle for its maker",
);

/// What is opened was protected with the key.
pub const GENUINE: Oracle = Oracle::new(
    "only what was sent is opened",
    "authentication is what SRTP is for (RFC 3711, section 3.3: a packet whose tag does not match is discarded)",
);

/// A context to which forgeries came is the one to which none came.
pub const FORGETFUL: Oracle = Oracle::new(
    "a failure changes no state",
    "rollover counter and replay list move behind authentication only (RFC 3711, sections 3.3.1 and 3.3.2): else anybody can \
     stop a stream with one datagram",
);

/// Reading without believing the tag changes nothing for what is genuine.
pub const LENIENT: Oracle = Oracle::new(
    "ignoring a tag believes no more",
    "what a target sends under a wrong tag is decrypted to judge it; whoever looks must neither take it for genuine nor be moved by it",
);

/// A stream's replay lists are made with its first packet.
const BOUND: Bound = Bound { per_byte: 8, fixed: 32_768 };
/// A tag as short as this one is hit by chance, sooner or later. RFC 5764, section 4.1.2.
const SHORT_TAG: usize = 4;

/// One run.
pub fn run(bytes: &[u8]) {
    opened(bytes);
}

/// How many packets were opened.
fn opened(bytes: &[u8]) -> usize {
    let Some(script) = value::<Script<'_>>(bytes) else { return 0 };
    let mut talk = Talk::new(script.setup, STRICT, LOOSE);
    script.steps.iter().for_each(|step| talk.step(step));
    talk.end();
    talk.opened
}

/// How RTP is opened, and RTCP.
type Open = [fn(&mut Context, &mut Vec<u8>) -> Result<(), UnprotectError>; 2];
type Look = [fn(&mut Context, &mut Vec<u8>) -> Result<Verified, UnprotectError>; 2];

const STRICT: Open = [Context::unprotect_rtp, Context::unprotect_rtcp];
const LOOSE: Look = [bend::unprotect_rtp_ignoring_tag, bend::unprotect_rtcp_ignoring_tag_and_replay];

struct Talk {
    setup: Setup,
    open: Open,
    look: Look,
    sender: Context,
    receiver: Context,
    /// It gets all that the receiver gets, and reads it whatever the tag.
    looker: Context,
    /// It gets only what the receiver opened.
    twin: Context,
    sequences: Sequences,
    /// Whether it is RTCP, and its bytes.
    sent: Vec<(bool, Vec<u8>)>,
    keys: [u8; 2],
    opened: usize,
    refused: usize,
}

impl Talk {
    fn new(setup: Setup, open: Open, look: Look) -> Self {
        let [sender, receiver, looker, twin] = std::array::from_fn(|_| setup.context());
        let (sequences, sent) = (Sequences::default(), Vec::new());
        Self { setup, open, look, sender, receiver, looker, twin, sequences, sent, keys: [0; 2], opened: 0, refused: 0 }
    }

    fn step(&mut self, step: &Step<'_>) {
        match *step {
            Step::Rtp { stream, skip, packet } => {
                let mut packet = rtp(stream, self.sequences.next(stream, skip), packet).bytes;
                if self.sender.protect_rtp(&mut packet).is_ok() {
                    self.sent.push((false, packet));
                }
            }
            Step::Rtcp { stream, packet } => {
                let mut packet = rtcp(stream, packet);
                if self.sender.protect_rtcp(&mut packet).is_ok() {
                    self.sent.push((true, packet));
                }
            }
            Step::Deliver { back } => self.deliver(back, |_| ()),
            Step::Forge { back, bit } => self.deliver(back, |packet| {
                let place = usize::from(bit) / 8 % packet.len().max(1);
                packet.iter_mut().skip(place).take(1).for_each(|byte| *byte ^= 1 << (bit % 8));
            }),
            Step::Cut { back, bytes } => {
                self.deliver(back, |packet| packet.truncate(packet.len().saturating_sub(bytes.into())));
            }
            Step::Raw { rtcp, packet } => self.arrive(rtcp, packet),
            Step::Rekey { sender, receiver } => self.rekey(sender, receiver),
            Step::Forget => {
                let ends = [&mut self.receiver, &mut self.looker, &mut self.twin];
                ends.into_iter().for_each(Context::forget_former_keys);
            }
            Step::Rollover { stream, roc } => {
                for end in [&mut self.sender, &mut self.receiver, &mut self.looker, &mut self.twin] {
                    let _ = end.set_rollover_counter(ssrc(stream), roc);
                }
            }
            Step::Own { stream } => {
                let [one, other, _] = [&mut self.receiver, &mut self.twin, &mut self.looker].map(|end| {
                    let mut packet = rtp(stream, 1, &[0x80; 20]).bytes;
                    end.protect_rtp(&mut packet).map(|()| packet)
                });
                FORGETFUL.same(&one, &other, "a packet of the receiver's own, and of its twin");
            }
        }
    }

    fn rekey(&mut self, sender: bool, receiver: bool) {
        let [of_sender, of_receiver] = &mut self.keys;
        if sender {
            *of_sender = of_sender.wrapping_add(1);
            let _ = self.sender.rekey(&self.setup.master(*of_sender), &self.setup.identifier(*of_sender));
        }
        if receiver {
            *of_receiver = of_receiver.wrapping_add(1);
            let (master, identifier) = (self.setup.master(*of_receiver), self.setup.identifier(*of_receiver));
            let ends = [&mut self.receiver, &mut self.twin, &mut self.looker];
            let results = ends.map(|end| end.rekey(&master, &identifier));
            FORGETFUL.same(&results[0], &results[1], "a key of the receiver, and of its twin");
        }
    }

    fn deliver(&mut self, back: u8, change: impl FnOnce(&mut Vec<u8>)) {
        let place = self.sent.len().checked_sub(1 + usize::from(back) % self.sent.len().max(1));
        let Some((rtcp, mut packet)) = place.and_then(|place| self.sent.get(place).cloned()) else { return };
        change(&mut packet);
        self.arrive(rtcp, &packet);
    }

    fn arrive(&mut self, rtcp: bool, packet: &[u8]) {
        let open = self.open[usize::from(rtcp)];
        let mut changed = packet.to_vec();
        let result = allocating(BOUND, packet.len(), || open(&mut self.receiver, &mut changed));
        let genuine = self.sent.iter().any(|(kind, sent)| *kind == rtcp && sent == packet);
        match result {
            Err(error) => {
                self.refused += 1;
                UNCHANGED.holds(changed == packet, || format!("{error}: {packet:02x?} became {changed:02x?}"));
            }
            Ok(()) => {
                let by_chance = !rtcp && self.setup.profile().tag_len() == SHORT_TAG;
                GENUINE.holds(genuine || by_chance, || format!("opened, and nobody sent it: {packet:02x?}"));
                let mut again = packet.to_vec();
                let twin = open(&mut self.twin, &mut again);
                FORGETFUL
                    .holds(twin.is_ok() && again == changed, || format!("to a twin without forgeries it is {twin:?}"));
                self.opened += 1;
            }
        }
        let look = self.look[usize::from(rtcp)];
        let mut read = packet.to_vec();
        let seen = allocating(BOUND, packet.len(), || look(&mut self.looker, &mut read));
        let believed = seen == Ok(Verified(true));
        let as_strict = match result {
            Ok(()) => believed && read == changed,
            // Of RTCP it takes replays too.
            Err(_) => !believed || (rtcp && genuine),
        };
        LENIENT.holds(as_strict, || format!("{result:?}, and whatever the tag {seen:?}: {packet:02x?}"));
    }

    /// Nothing is left of what was refused. Where nothing was, both were given the same.
    fn end(&self) {
        if self.refused == 0 {
            return;
        }
        let [one, other] = [&self.receiver, &self.twin].map(|end| format!("{end:?}"));
        FORGETFUL.same(&one, &other, "the receiver, and its twin to which no forgery came");
    }
}

fn seeds() -> Vec<Seed> {
    let audio = b"\x80\x6f\0\0\0\0\x03\xc0\0\0\0\0\xf8\xff\xfe some speech";
    let report = b"\x80\xc9\0\x01\0\0\0\0";
    let steps = [
        Step::Rtp { stream: 0, skip: 0xfffe, packet: audio },
        Step::Deliver { back: 0 },
        Step::Forge { back: 0, bit: 17 },
        Step::Rtp { stream: 0, skip: 3, packet: audio },
        Step::Forge { back: 0, bit: 140 },
        Step::Cut { back: 0, bytes: 1 },
        Step::Deliver { back: 0 },
        Step::Deliver { back: 0 },
        Step::Rtcp { stream: 0, packet: report },
        Step::Forge { back: 0, bit: 100 },
        Step::Deliver { back: 0 },
        Step::Raw { rtcp: false, packet: audio },
        Step::Raw { rtcp: true, packet: report },
        Step::Rekey { sender: true, receiver: true },
        Step::Rtp { stream: 1, skip: 1, packet: audio },
        Step::Deliver { back: 0 },
        Step::Own { stream: 2 },
        Step::Rtp { stream: 2, skip: 1, packet: audio },
        Step::Deliver { back: 0 },
        Step::Rtcp { stream: 2, packet: report },
        Step::Deliver { back: 0 },
        Step::Rollover { stream: 1, roc: u32::MAX },
        Step::Rtp { stream: 1, skip: 0x7ff0, packet: audio },
        Step::Deliver { back: 0 },
        Step::Forget,
        Step::Deliver { back: 4 },
    ];
    let script = |profile: u8, rate, mki| {
        Script { setup: Setup { profile, key: 11, window: 1, rate, mki }, steps: steps.to_vec() }.bytes()
    };
    let mut seeds: Vec<Seed> = (0..6).map(|n| Seed::valid(format!("profile-{n}"), script(n, 255, 0))).collect();
    seeds.push(Seed::valid("with-identifiers", script(0, 255, 4)));
    seeds.push(Seed::valid("with-a-derivation-rate", script(4, 4, 1)));
    seeds
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oracle::caught;

    const SETUP: Setup = Setup { profile: 0, key: 1, window: 0, rate: 255, mki: 0 };
    const SENT: Step<'static> = Step::Rtp { stream: 0, skip: 1, packet: &[0x80; 40] };

    fn talk(rtp: fn(&mut Context, &mut Vec<u8>) -> Result<(), UnprotectError>, steps: &[Step<'_>]) {
        run_with([rtp, STRICT[1]], LOOSE, steps);
    }

    fn run_with(open: Open, look: Look, steps: &[Step<'_>]) {
        let mut talk = Talk::new(SETUP, open, look);
        steps.iter().for_each(|step| talk.step(step));
        talk.end();
    }

    #[test]
    fn an_end_that_spoils_what_it_refuses_is_caught() {
        let spoils = |end: &mut Context, packet: &mut Vec<u8>| {
            let result = end.unprotect_rtp(packet);
            if result.is_err() {
                packet.truncate(1);
            }
            result
        };
        talk(Context::unprotect_rtp, &[SENT, Step::Forge { back: 0, bit: 3 }]);
        caught(&UNCHANGED, || talk(spoils, &[SENT, Step::Forge { back: 0, bit: 3 }]));
    }

    #[test]
    fn an_end_that_asks_for_no_tag_is_caught() {
        let trusts = |end: &mut Context, packet: &mut Vec<u8>| bend::unprotect_rtp_ignoring_tag(end, packet).map(drop);
        caught(&GENUINE, || talk(trusts, &[SENT, Step::Forge { back: 0, bit: 200 }]));
    }

    #[test]
    fn an_end_that_moves_before_it_is_sure_is_caught() {
        let hasty = |end: &mut Context, packet: &mut Vec<u8>| {
            let result = end.unprotect_rtp(packet);
            if result.is_err() {
                bend::assume_received(end, ssrc(0), 9);
            }
            result
        };
        caught(&FORGETFUL, || talk(hasty, &[SENT, Step::Forge { back: 0, bit: 200 }, Step::Deliver { back: 0 }]));
    }

    #[test]
    fn a_look_that_believes_or_doubts_too_much_is_caught() {
        let steps = [SENT, Step::Forge { back: 0, bit: 200 }, Step::Deliver { back: 0 }];
        run_with(STRICT, LOOSE, &steps);
        let believes: Look = [|_, _| Ok(Verified(true)), LOOSE[1]];
        caught(&LENIENT, || run_with(STRICT, believes, &steps));
        let doubts: Look = [|_, _| Ok(Verified(false)), LOOSE[1]];
        caught(&LENIENT, || run_with(STRICT, doubts, &steps));
    }
}
