//! SRTP and SRTCP from one end to the other, through loss, delay, repetition, re-keying and rollovers.

use ringfence_srtp::{Context, ProtectError, UnprotectError};

use crate::generators::srtp::{Script, Sequences, Setup, Step, rtcp, rtp, ssrc};
use crate::generators::value;
use crate::oracle::Oracle;
use crate::target::{Seed, Target};

pub mod model;
use model::{Receiver, Verdict};

/// A conversation, behind five bytes of keys and settings. Steps that are no honest sender's are passed over.
pub const TARGET: Target = Target {
    name: "srtp_roundtrip",
    reads: "keys and settings, and what is sent and delivered",
    oracles: &[&OPENS, &CLEAR, &ONCE],
    run,
    accepts: |bytes| opened(bytes) > 0,
    show: |bytes| format!("{:#?}", value::<Script<'_>>(bytes)),
    seeds,
    dictionary: None,
    max_len: 4_096,
    covers: &[
        "harness/srtp/src/protect.rs",
        "harness/srtp/src/unprotect.rs",
        "harness/srtp/src/index.rs",
        "harness/srtp/src/keys.rs",
        "harness/srtp/src/packet.rs",
    ],
};

/// A packet is opened if, and only if, RFC 3711 has it opened.
pub const OPENS: Oracle = Oracle::new(
    "what was protected opens, once, and as what it was",
    "index, window and key decide over a packet (RFC 3711, sections 3.3, 3.3.1 and 3.3.2; RFC 5764, section 5.2, for former keys)",
);

/// Header in the clear, payload not, and as long as promised.
pub const CLEAR: Oracle = Oracle::new(
    "the header in the clear, and nothing else",
    "CSRCs and extension are part of the header (RFC 3711, section 3.1), eight bytes are of RTCP (section 3.4)",
);

/// No index is used twice.
pub const ONCE: Oracle = Oracle::new(
    "an index protects one packet",
    "two packets under one index share their keystream (RFC 3711, section 9.1)",
);

/// Encrypted bytes that cannot be the plain ones by chance.
const TELLING: usize = 16;

/// One run.
pub fn run(bytes: &[u8]) {
    opened(bytes);
}

/// How many packets were opened.
fn opened(bytes: &[u8]) -> usize {
    let Some(script) = value::<Script<'_>>(bytes) else { return 0 };
    let mut talk = Talk::new(script.setup);
    script.steps.iter().for_each(|step| talk.step(step));
    talk.opened
}

struct Sent {
    rtcp: bool,
    ssrc: u32,
    index: u64,
    key: u8,
    plain: Vec<u8>,
    protected: Vec<u8>,
}

struct Talk {
    setup: Setup,
    sender: Context,
    receiver: Context,
    sending: Receiver,
    receiving: Receiver,
    sequences: Sequences,
    sent: Vec<Sent>,
    /// The newest keys of sender and receiver.
    keys: [u8; 2],
    opened: usize,
}

impl Talk {
    fn new(setup: Setup) -> Self {
        let [sending, receiving] = std::array::from_fn(|_| Receiver::new(setup.window()));
        let [sender, receiver] = std::array::from_fn(|_| setup.context());
        let (sequences, sent) = (Sequences::default(), Vec::new());
        Self { setup, sender, receiver, sending, receiving, sequences, sent, keys: [0; 2], opened: 0 }
    }

    fn step(&mut self, step: &Step<'_>) {
        match *step {
            Step::Rtp { stream, skip, packet } => self.send_rtp(stream, skip, packet),
            Step::Rtcp { stream, packet } => self.send_rtcp(stream, packet),
            Step::Deliver { back } => self.deliver(back),
            Step::Rekey { sender, receiver } => self.rekey(sender, receiver),
            Step::Forget => {
                self.receiver.forget_former_keys();
                self.receiving.forget();
            }
            Step::Rollover { stream, roc } => self.tell(ssrc(stream), roc),
            Step::Forge { .. } | Step::Cut { .. } | Step::Raw { .. } | Step::Own { .. } => {}
        }
    }

    fn send_rtp(&mut self, stream: u8, skip: u16, packet: &[u8]) {
        let sequence = self.sequences.next(stream, skip);
        let plain = rtp(stream, sequence, packet);
        let indices = self.sending.of(false, ssrc(stream));
        let index = indices.estimate(sequence);
        let fresh = index.is_some_and(|index| indices.is_fresh(index, self.setup.window()));
        let mut protected = plain.bytes.clone();
        let result = self.sender.protect_rtp(&mut protected);
        once(index, fresh, &result);
        let (Ok(()), Some(index)) = (result, index) else { return };
        indices.take(index);
        clear(&plain.bytes, &protected, plain.header, self.sender.rtp_overhead());
        let [key, _] = self.keys;
        self.sent.push(Sent { rtcp: false, ssrc: ssrc(stream), index, key, plain: plain.bytes, protected });
    }

    fn send_rtcp(&mut self, stream: u8, packet: &[u8]) {
        let plain = rtcp(stream, packet);
        let mut protected = plain.clone();
        let result = self.sender.protect_rtcp(&mut protected);
        ONCE.holds(result.is_ok(), || format!("{result:?} of {plain:02x?}"));
        let index = self.sender.rtcp_index(ssrc(stream)).unwrap_or(u64::MAX);
        let indices = self.sending.of(true, ssrc(stream));
        ONCE.holds(indices.is_fresh(index, self.setup.window()), || format!("SRTCP index {index} again"));
        indices.take(index);
        clear(&plain, &protected, 8, self.sender.rtcp_overhead());
        let [key, _] = self.keys;
        self.sent.push(Sent { rtcp: true, ssrc: ssrc(stream), index, key, plain, protected });
    }

    fn deliver(&mut self, back: u8) {
        let place = self.sent.len().checked_sub(1 + usize::from(back) % self.sent.len().max(1));
        let Some(sent) = place.and_then(|place| self.sent.get(place)) else { return };
        let mut packet = sent.protected.clone();
        let open = if sent.rtcp { Context::unprotect_rtcp } else { Context::unprotect_rtp };
        let result = open(&mut self.receiver, &mut packet);
        self.opened += usize::from(result.is_ok());
        let verdict = self.receiving.arrives(sent.rtcp, sent.ssrc, sent.index, sent.key);
        opens(verdict, &result, packet == sent.plain, sent.index);
    }

    fn rekey(&mut self, sender: bool, receiver: bool) {
        let [of_sender, of_receiver] = &mut self.keys;
        if sender {
            *of_sender = of_sender.wrapping_add(1);
            let result = self.sender.rekey(&self.setup.master(*of_sender), &self.setup.identifier(*of_sender));
            OPENS.holds(result.is_ok(), || format!("a new key is refused: {result:?}"));
        }
        if receiver {
            *of_receiver = of_receiver.wrapping_add(1);
            let result = self.receiver.rekey(&self.setup.master(*of_receiver), &self.setup.identifier(*of_receiver));
            OPENS.holds(result.is_ok(), || format!("a new key is refused: {result:?}"));
            self.receiving.rekey(*of_receiver);
        }
    }

    fn tell(&mut self, ssrc: u32, roc: u32) {
        let ends = [(&mut self.sender, &mut self.sending), (&mut self.receiver, &mut self.receiving)];
        for (end, model) in ends {
            let told = end.set_rollover_counter(ssrc, roc).is_ok();
            OPENS.same(&told, &model.of(false, ssrc).tell(roc), "whether a rollover counter may be told");
        }
    }
}

/// What protecting under this index has to come to.
fn once(index: Option<u64>, fresh: bool, result: &Result<(), ProtectError>) {
    let right = match result {
        Ok(()) => fresh,
        Err(ProtectError::Reused { .. }) => index.is_some() && !fresh,
        Err(ProtectError::Index { .. }) => index.is_none(),
        Err(_) => false,
    };
    ONCE.holds(right, || format!("{result:?}, where index {index:?} is fresh: {fresh}"));
}

fn clear(plain: &[u8], protected: &[u8], header: usize, overhead: usize) {
    let same = plain.get(..header) == protected.get(..header);
    let hidden = plain.len() < header + TELLING || plain.get(header..) != protected.get(header..plain.len());
    let length = protected.len() == plain.len() + overhead;
    CLEAR.holds(same && hidden && length, || format!("{header} bytes of header\n{plain:02x?}\n{protected:02x?}"));
}

fn opens(verdict: Verdict, result: &Result<(), UnprotectError>, same: bool, index: u64) {
    let right = match (verdict, result) {
        (Verdict::Opens, result) => result.is_ok() && same,
        (Verdict::Replay, result) => matches!(result, Err(UnprotectError::Replay { .. })),
        (Verdict::Refused, result) => result.is_err(),
    };
    OPENS.holds(right, || format!("{verdict:?} is right, {result:?} came of index {index}, unchanged: {same}"));
}

fn seeds() -> Vec<Seed> {
    let audio: &[u8] =
        b"\x92\x6f\0\0\0\0\x03\xc0\0\0\0\0\0\0\0\x07\0\0\0\x08\xbe\xde\0\x01\x10\x7f\0\0 twenty bytes of speech";
    let report: &[u8] = b"\x81\xc9\0\x07\0\0\0\0\xca\xfe\0\0\0\0\0\0\0\0\0\x01\0\0\0\0\0\0\0\0\0\0\0\0";
    let rtp = |stream, skip| Step::Rtp { stream, skip, packet: audio };
    let (report, deliver) = (Step::Rtcp { stream: 0, packet: report }, |back| Step::Deliver { back });
    let rekey = |sender, receiver| Step::Rekey { sender, receiver };
    let wrap = vec![
        rtp(0, 0xfffe),
        deliver(0),
        rtp(0, 1),
        rtp(0, 1),
        rtp(0, 1),
        deliver(0),
        deliver(1),
        deliver(2),
        deliver(0),
    ];
    let keys = vec![
        rtp(1, 5),
        rekey(true, true),
        rtp(1, 1),
        report,
        deliver(1),
        deliver(2),
        deliver(0),
        Step::Forget,
        deliver(2),
    ];
    let early = vec![rekey(true, false), rtp(0, 1), deliver(0), rekey(false, true), deliver(0)];
    let late =
        vec![rtp(0, 1), rtp(0, 70), deliver(0), deliver(1), rtp(0, 0x7fff), deliver(0), rtp(0, 0xffff), deliver(0)];
    let rollover = vec![
        Step::Rollover { stream: 2, roc: 0xffff_ffff },
        rtp(2, 0xfffe),
        deliver(0),
        rtp(2, 1),
        deliver(0),
        rtp(2, 1),
        Step::Rollover { stream: 2, roc: 1 },
    ];
    let scripts = [("wrap", wrap), ("keys", keys), ("late", late), ("rollover", rollover)];
    let setups = [(0, 255, 0), (1, 255, 2), (2, 0, 0), (3, 3, 0), (4, 255, 0), (5, 16, 15)];
    let bytes = |(profile, rate, mki): (u8, u8, u8), steps: &Vec<Step<'_>>| {
        Script { setup: Setup { profile, key: 3, window: 0, rate, mki }, steps: steps.clone() }.bytes()
    };
    let all = scripts.iter().flat_map(|(name, steps)| setups.map(|setup| (*name, setup, steps)));
    let mut seeds: Vec<Seed> = all
        .map(|(name, setup, steps)| Seed::valid(format!("{name}-profile-{}", setup.0), bytes(setup, steps)))
        .collect();
    seeds.push(Seed::valid("key-before-the-receiver-has-it", bytes((0, 255, 1), &early)));
    seeds
}

#[cfg(test)]
mod tests {
    use super::model::Indices;
    use super::*;
    use crate::oracle::caught;

    #[test]
    fn an_end_that_opens_twice_or_never_is_caught() {
        let replay = UnprotectError::Replay { ssrc: 1, index: 2 };
        opens(Verdict::Replay, &Err(replay), true, 2);
        caught(&OPENS, || opens(Verdict::Replay, &Ok(()), true, 2));
        caught(&OPENS, || opens(Verdict::Opens, &Err(replay), false, 2));
        caught(&OPENS, || opens(Verdict::Opens, &Ok(()), false, 2));
    }

    #[test]
    fn an_end_that_encrypts_nothing_or_the_header_is_caught() {
        let (plain, overhead) = ([7; 40], [0; 10]);
        let encrypted = [&[7; 12][..], &[9; 28], &overhead].concat();
        clear(&plain, &encrypted, 12, 10);
        caught(&CLEAR, || clear(&plain, &[&plain[..], &overhead].concat(), 12, 10));
        caught(&CLEAR, || clear(&plain, &encrypted, 16, 10));
        caught(&CLEAR, || clear(&plain, &encrypted, 12, 4));
    }

    #[test]
    fn a_sender_that_uses_an_index_again_is_caught() {
        let mut sending = Indices::default();
        sending.take(5);
        let fresh = sending.is_fresh(5, 64);
        once(Some(5), fresh, &Err(ProtectError::Reused { ssrc: 1, index: 5 }));
        caught(&ONCE, || once(Some(5), fresh, &Ok(())));
    }
}
