//! STUN messages.

use std::net::SocketAddr;

use ringfence_wire::stun::{Attribute, Message, is_stun};
use ringfence_wire::turn::frame_bytes;

use crate::generators::stun::messages;
use crate::mutators::stun::{Span, framed, spans};
use crate::oracle::Oracle;
use crate::oracles::{ALLOCATION, Bound, FIXPOINT, allocating, fixpoint};
use crate::target::Target;

/// A STUN message, as it comes in a datagram.
pub const TARGET: Target = Target {
    name: "stun_message",
    reads: "a STUN message",
    oracles: &[&ALLOCATION, &FIXPOINT, &BYTES, &FRAME, &UNSEEN],
    run,
    accepts: |bytes| Message::parse(bytes).is_ok(),
    show: |bytes| format!("{:#?}", Message::parse(bytes)),
    seeds: messages,
    dictionary: Some("stun"),
    max_len: 2_100, // a message is 2,048 bytes at most
    covers: &["harness/wire/src/stun.rs", "harness/wire/src/stun/attributes.rs"],
};

/// What was read is written with the same bytes, but for padding and what is reserved.
pub const BYTES: Oracle = Oracle::new(
    "the same bytes are written",
    "MESSAGE-INTEGRITY and FINGERPRINT cover bytes (RFC 8489, sections 14.5 and 14.7): a reader that loses one bit of a message \
     reads another than the sender signed; padding and reserved bits are ignored (section 14)",
);

/// What is read as a message is a frame of a stream too, and looks like STUN.
pub const FRAME: Oracle = Oracle::new(
    "one frame everywhere",
    "who tells protocols apart by the first bytes (RFC 7983, section 7) and who cuts a stream (RFC 8489, section 6.2.2) has to see \
     the message that its reader sees",
);

/// What stands behind MESSAGE-INTEGRITY, of either kind, tells nothing.
pub const UNSEEN: Oracle = Oracle::new(
    "nothing is read behind MESSAGE-INTEGRITY",
    "RFC 8489, sections 14.5 and 14.6: what follows it is ignored, since anybody on the way can have added it",
);

const BOUND: Bound = Bound { per_byte: 64, fixed: 4_096 };

/// One run.
pub fn run(bytes: &[u8]) {
    // Few changes leave every length right: what is refused is read a second time with its frame repaired.
    if !read(bytes) {
        read(&framed(bytes));
    }
}

fn read(bytes: &[u8]) -> bool {
    let Ok(message) = allocating(BOUND, bytes.len(), || Message::parse(bytes)) else { return false };
    let written = message.emit().expect("what was read can be printed");
    if written != bytes {
        // Equal bytes need no second look, and most are: it would take half of the time.
        BYTES.holds(same_but_reserved(bytes, &written), || {
            format!("{message:?}\n  read:    {bytes:x?}\n  written: {written:x?}")
        });
        fixpoint(&message, |_| written.as_slice(), |bytes| Message::parse(bytes));
    }
    frames(bytes, is_stun, |bytes| frame_bytes(bytes).ok().flatten());
    if let Some(cut) = signed_part(&message) {
        unseen(&message, &cut, View::of);
    }
    true
}

fn frames(bytes: &[u8], looks: impl Fn(&[u8]) -> bool, length: impl Fn(&[u8]) -> Option<usize>) {
    let told = length(bytes);
    FRAME.holds(looks(bytes) && told == Some(bytes.len()), || {
        format!("a message of {} bytes, a frame of {told:?}", bytes.len())
    });
}

/// Everything that a message is asked for by name.
#[derive(Debug, PartialEq)]
struct View<'a> {
    addresses: [Option<SocketAddr>; 2],
    peers: Vec<SocketAddr>,
    texts: [Option<&'a str>; 3],
    numbers: [Option<u32>; 4],
    data: Option<&'a [u8]>,
}

impl<'a> View<'a> {
    fn of(message: &'a Message) -> Self {
        Self {
            addresses: [message.mapped_address(), message.relayed_address()],
            peers: message.peer_addresses().collect(),
            texts: [message.username(), message.realm(), message.nonce()],
            numbers: [
                message.error_code().map(u32::from),
                message.lifetime(),
                message.channel_number().map(u32::from),
                message.requested_transport().map(u32::from),
            ],
            data: message.data(),
        }
    }
}

fn unseen<'a, T: PartialEq + std::fmt::Debug>(message: &'a Message, cut: &'a Message, view: impl Fn(&'a Message) -> T) {
    UNSEEN.same(&view(message), &view(cut), "with what follows, and without");
}

/// The message up to MESSAGE-INTEGRITY or MESSAGE-INTEGRITY-SHA256 (0x001c), if it has one of them and more behind it.
fn signed_part(message: &Message) -> Option<Message> {
    let signed = |attribute: &Attribute| {
        matches!(attribute, Attribute::MessageIntegrity(_) | Attribute::Other { kind: 0x001c, .. })
    };
    let end = message.attributes.iter().position(signed).filter(|end| end + 1 < message.attributes.len())?;
    Some(Message { attributes: message.attributes.get(..end)?.to_vec(), ..*message })
}

/// Whether both messages are the same in every bit that means something.
fn same_but_reserved(read: &[u8], written: &[u8]) -> bool {
    let mut plain = read.to_vec();
    for span in spans(read) {
        blank(&mut plain, span);
    }
    // What is written has zeros there, so that one mask is enough.
    plain == written
}

/// Zero in every bit of an attribute that its reader has to ignore.
fn blank(message: &mut [u8], span: Span) {
    let (value, end) = (span.value(), span.end());
    let Some(bytes) = message.get_mut(value..end) else { return };
    let (bytes, padding) = bytes.split_at_mut(span.length);
    padding.fill(0);
    let keep: &[u8] = match span.kind {
        0x0001 | 0x0012 | 0x0016 | 0x0020 => &[0], // the addresses: RFC 8489, sections 14.1 and 14.2
        0x0009 => &[0, 0, 0x07],                   // ERROR-CODE: RFC 8489, section 14.8
        0x000c => &[0xff, 0xff, 0, 0],             // CHANNEL-NUMBER: RFC 8656, section 18.1
        0x0017 | 0x0019 => &[0xff, 0, 0, 0],       // family and transport: RFC 8656, sections 18.6 and 18.8
        0x0018 => &[0x80],                         // EVEN-PORT: RFC 8656, section 18.7
        _ => &[],
    };
    bytes.iter_mut().zip(keep).for_each(|(byte, keep)| *byte &= keep);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oracle::caught;

    fn example(name: &str) -> Vec<u8> {
        messages().into_iter().find(|seed| seed.name == name).expect("the seed is there").bytes
    }

    #[test]
    fn a_writer_that_loses_a_bit_is_caught() {
        let bytes = example("allocate-tcp");
        assert!(same_but_reserved(&bytes, &Message::parse(&bytes).unwrap().emit().unwrap()));
        let mut other = bytes.clone();
        *other.last_mut().unwrap() = 1; // padding of EVEN-PORT
        assert!(same_but_reserved(&other, &bytes));
        caught(&BYTES, || {
            let lossy = |bytes: &[u8]| bytes.iter().map(|byte| byte & 0x7f).collect::<Vec<u8>>();
            BYTES.holds(same_but_reserved(&bytes, &lossy(&bytes)), String::new);
        });
    }

    #[test]
    fn a_frame_of_another_length_is_caught() {
        let bytes = example("check");
        let believing = |bytes: &[u8]| Some(usize::from(bytes[3]));
        caught(&FRAME, || frames(&bytes, is_stun, believing));
        caught(&FRAME, || frames(&bytes, |_| false, |bytes| Some(bytes.len())));
    }

    #[test]
    fn a_view_of_everything_is_caught() {
        let message = Message::parse(&example("behind-the-integrity")).unwrap();
        let cut = signed_part(&message).expect("it is signed");
        unseen(&message, &cut, View::of);
        let careless = |message: &Message| {
            message.attributes.iter().filter(|a| matches!(a, Attribute::XorMappedAddress(_))).count()
        };
        caught(&UNSEEN, || unseen(&message, &cut, careless));
    }
}
