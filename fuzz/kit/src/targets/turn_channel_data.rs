//! ChannelData, the frames of a TURN stream, and time-limited user names.

use ringfence_wire::Error;
use ringfence_wire::turn::{ChannelData, TimedUser};
use ringfence_wire::turn_stream::{Frames, MAX_FRAME_BYTES};

use crate::generators::stun::messages;
use crate::oracle::Oracle;
use crate::oracles::{ALLOCATION, Bound, CUTTING, FIXPOINT, allocating, cuts, fixpoint};
use crate::target::{Seed, Target};

/// How a stream is cut (a count and so many sizes), and the stream. What follows the sizes is read as one datagram too, and as a
/// user name.
pub const TARGET: Target = Target {
    name: "turn_channel_data",
    reads: "a count below 16, so many sizes of pieces, and a stream of TURN over TCP",
    oracles: &[&ALLOCATION, &FIXPOINT, &CUTTING, &WHOLE, &FOR_GOOD, &EXACT],
    run,
    accepts: |bytes| frames(&mut std::iter::once(split(bytes).1)).is_ok(),
    show: |bytes| {
        let (sizes, stream) = split(bytes);
        format!("pieces {sizes:?}\n{:#x?}\n{:?}", frames(&mut std::iter::once(stream)), ChannelData::parse(stream))
    },
    seeds,
    dictionary: Some("stun"),
    max_len: 70_000, // a frame is 65,555 bytes at most
    covers: &["harness/wire/src/turn.rs", "harness/wire/src/turn_stream.rs"],
};

/// The frames in a row are the stream, and no frame is longer than one can be.
pub const WHOLE: Oracle = Oracle::new(
    "no byte of a stream is lost or read twice",
    "RFC 8656, section 12.5: frames follow each other without a mark, so that one byte too many makes data into messages",
);

/// After bytes that begin no frame, nothing is read.
pub const FOR_GOOD: Oracle = Oracle::new(
    "garbage ends a stream for good",
    "RFC 8656, section 12.5: there is no mark to find the next frame by; what looks like one was put there",
);

/// The datagram that is written is the header and the data that were read.
pub const EXACT: Oracle = Oracle::new(
    "ChannelData is its header and what the header says",
    "RFC 8656, section 12.4: the length counts the data without padding, and whoever relays it sends just that on",
);

const BOUND: Bound = Bound { per_byte: 2, fixed: 256 };

/// What came out of a stream: all frames to its end, or those before bytes that begin none.
type Told = Result<Vec<Vec<u8>>, (Vec<Vec<u8>>, Error)>;

/// One run.
pub fn run(bytes: &[u8]) {
    let (sizes, stream) = split(bytes);
    whole(stream, &cuts(stream, sizes, frames));
    allocating(BOUND, stream.len(), || {
        let mut reader = Frames::default();
        reader.push(stream);
        while let Ok(Some(frame)) = reader.next_frame() {
            std::hint::black_box(frame);
        }
    });
    if let Ok(data) = allocating(BOUND, 0, || ChannelData::parse(stream)) {
        datagram(stream, &data, ChannelData::emit);
        let value = (data.channel, data.data.to_vec());
        let read = |bytes: &Vec<u8>| ChannelData::parse(bytes).map(|again| (again.channel, again.data.to_vec()));
        fixpoint(&value, |_| data.emit_padded().expect("what was read can be printed"), read);
    }
    if let Some(user) = std::str::from_utf8(stream).ok().and_then(|text| TimedUser::parse(text).ok()) {
        fixpoint(&user, TimedUser::username, |text| TimedUser::parse(text));
    }
}

fn datagram<'a>(bytes: &[u8], data: &ChannelData<'a>, emit: impl Fn(&ChannelData<'a>) -> Result<Vec<u8>, Error>) {
    let written = emit(data);
    let same = written.as_ref().is_ok_and(|written| bytes.starts_with(written) && written.len() == 4 + data.data.len());
    EXACT.holds(same, || format!("{data:x?} is written as {written:x?}"));
}

fn split(bytes: &[u8]) -> (&[u8], &[u8]) {
    let Some((count, rest)) = bytes.split_first() else { return (&[], &[]) };
    rest.split_at(usize::from(count & 0x0f).min(rest.len()))
}

fn frames(pieces: &mut dyn Iterator<Item = &[u8]>) -> Told {
    let (mut reader, mut found) = (Frames::default(), Vec::new());
    for piece in pieces {
        reader.push(piece);
        loop {
            match reader.next_frame() {
                Ok(Some(frame)) => found.push(frame.to_vec()),
                Ok(None) => break,
                Err(error) => {
                    ended(&error, || {
                        reader.push(b"\x40\x01\x00\x00");
                        reader.next_frame().map(|frame| frame.map(<[u8]>::to_vec))
                    });
                    return Err((found, error));
                }
            }
        }
    }
    Ok(found)
}

fn ended(error: &Error, next: impl FnOnce() -> Result<Option<Vec<u8>>, Error>) {
    FOR_GOOD.same(&Err(error.clone()), &next(), "the first error, and what came with more bytes");
}

fn whole(stream: &[u8], told: &Told) {
    let (Ok(frames) | Err((frames, _))) = told;
    let mut rest = stream;
    for frame in frames {
        let next = rest.strip_prefix(frame.as_slice());
        WHOLE.holds(next.is_some() && (1..=MAX_FRAME_BYTES).contains(&frame.len()), || {
            format!("{frame:x?} is not next")
        });
        rest = next.unwrap_or_default();
    }
}

fn seeds() -> Vec<Seed> {
    let stun: Vec<u8> = messages().into_iter().filter(|seed| seed.valid).take(5).flat_map(|seed| seed.bytes).collect();
    let data = |data: &[u8]| ChannelData { channel: 0x4001, data }.emit_padded().expect("short enough");
    let mixed = [data(b"12345"), stun.clone(), data(b""), data(&[0x80; 160])].concat();
    let cut = |sizes: &[u8], stream: &[u8]| [&[sizes.len() as u8], sizes, stream].concat();
    vec![
        Seed::valid("stun-in-one-piece", cut(&[255], &stun)),
        Seed::valid("stun-byte-by-byte", cut(&[], &stun)),
        Seed::valid("mixed", cut(&[3, 20, 1, 60], &mixed)),
        Seed::valid("half-a-frame", cut(&[2], &mixed[..7])),
        Seed::valid("channel-datagram", cut(&[9], &data(b"12345")[..9])),
        Seed::valid("last-channel", cut(&[], b"\x4f\xff\x00\x04abcd")),
        Seed::other("garbage-behind-a-frame", cut(&[5], &[data(b"12345").as_slice(), b"\x80\x00\x00\x00"].concat())),
        Seed::other("http", cut(&[1], b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")),
        Seed::other("timed-user", cut(&[], b"1735689600:alice")),
        Seed::other("timed-user-without-name", cut(&[], b"1735689600")),
        Seed::other("padding-too-long", cut(&[], b"\x40\x00\x00\x01a\0\0\0\0")),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oracle::caught;

    #[test]
    fn a_reader_that_drops_or_repeats_is_caught() {
        let stream = b"\x40\x01\x00\x00\x40\x02\x00\x00";
        let told = frames(&mut std::iter::once(stream.as_slice()));
        whole(stream, &told);
        let frames = told.unwrap();
        caught(&WHOLE, || whole(stream, &Ok(frames[1..].to_vec())));
        caught(&WHOLE, || whole(stream, &Ok(vec![frames[0].clone(), frames[0].clone()])));
        caught(&WHOLE, || whole(stream, &Ok(vec![Vec::new()])));
    }

    #[test]
    fn a_reader_that_finds_its_way_back_is_caught() {
        caught(&FOR_GOOD, || ended(&Error::Invalid("TURN frame"), || Ok(Some(vec![0x40, 1, 0, 0]))));
    }

    #[test]
    fn a_writer_of_padding_is_caught() {
        let bytes = b"\x40\x01\x00\x01a\0\0\0";
        let data = ChannelData::parse(bytes).unwrap();
        datagram(bytes, &data, ChannelData::emit);
        caught(&EXACT, || datagram(bytes, &data, ChannelData::emit_padded));
    }
}
