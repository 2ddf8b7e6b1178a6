//! WAV files.

use arbitrary::Arbitrary;
use ringfence_wire::Error;
use ringfence_wire::wav::{PCM, Wav, emit};

use crate::generators::value;
use crate::oracle::Oracle;
use crate::oracles::{ALLOCATION, Bound, FIXPOINT, allocating};
use crate::target::{Seed, Target};

/// A WAV file, or samples for one behind a NUL, with which no file begins.
pub const TARGET: Target = Target {
    name: "wav",
    reads: "a WAV file; behind a byte 0, bytes to draw rate and samples from",
    oracles: &[&ALLOCATION, &FIXPOINT, &INSIDE, &SKIPPED],
    run,
    accepts: |bytes| Wav::parse(&file(bytes)).is_ok(),
    show: |bytes| format!("{:#?}", Wav::parse(&file(bytes))),
    seeds,
    dictionary: None,
    max_len: 4_096,
    covers: &["harness/wire/src/wav.rs"],
};

/// The samples are those of the data chunk.
pub const INSIDE: Oracle = Oracle::new(
    "samples are those of the data chunk",
    "what is played to a target is measured again in its echo: a sample too many or too few is another sound (RIFF: a chunk is a name, a length, and \
     so many bytes)",
);

/// A chunk of another name changes nothing.
pub const SKIPPED: Oracle = Oracle::new(
    "other chunks are skipped",
    "editors add chunks with titles and cue points; a reader passes over what it does not know (RIFF)",
);

/// Nothing is copied; an error names a field.
const BOUND: Bound = Bound { per_byte: 0, fixed: 256 };
const HEADER_BYTES: usize = 12; // RIFF, a length, WAVE

#[derive(Arbitrary, Debug)]
struct Sound {
    rate_hz: u32,
    samples: Vec<i16>,
}

fn file(bytes: &[u8]) -> Vec<u8> {
    let drawn = bytes.strip_prefix(&[0]).and_then(value::<Sound>);
    drawn.and_then(|sound| emit(sound.rate_hz, &sound.samples).ok()).unwrap_or_else(|| bytes.to_vec())
}

/// One run.
pub fn run(bytes: &[u8]) {
    if let Some(sound) = bytes.strip_prefix(&[0]).and_then(value::<Sound>) {
        written(&sound, |bytes| Wav::parse(bytes));
    }
    let bytes = file(bytes);
    if let Ok(wav) = allocating(BOUND, bytes.len(), || Wav::parse(&bytes)) {
        inside(&bytes, wav.data);
        skipped(&bytes, wav, |bytes| Wav::parse(bytes));
    }
}

type Read = for<'a> fn(&'a [u8]) -> Result<Wav<'a>, Error>;

/// What is written is read.
fn written(sound: &Sound, read: Read) {
    let bytes = emit(sound.rate_hz, &sound.samples).expect("a short sound");
    let samples: Vec<u8> = sound.samples.iter().flat_map(|sample| sample.to_le_bytes()).collect();
    let expected = Wav { tag: PCM, channels: 1, rate_hz: sound.rate_hz, bits: 16, data: &samples };
    FIXPOINT.same(&read(&bytes), &Ok(expected), "a file that was written and read");
}

fn inside(bytes: &[u8], data: &[u8]) {
    let head = [b"data".as_slice(), &u32::try_from(data.len()).unwrap_or(u32::MAX).to_le_bytes()].concat();
    let places = bytes.windows(head.len()).enumerate().filter(|(_, window)| *window == head);
    let found =
        places.into_iter().any(|(at, _)| bytes.get(at + head.len()..).is_some_and(|rest| rest.starts_with(data)));
    INSIDE.holds(found, || format!("{} samples' bytes are in no data chunk", data.len()));
}

fn skipped(bytes: &[u8], wav: Wav<'_>, read: Read) {
    let Some((header, chunks)) = bytes.split_at_checked(HEADER_BYTES) else { return };
    let titled = [header, b"LIST\x03\0\0\0abc\0", chunks].concat();
    SKIPPED.same(&read(&titled), &Ok(wav), "with a chunk of three bytes and its padding before, and without");
}

fn seeds() -> Vec<Seed> {
    let sound = emit(8_000, &[0, 1, -1, i16::MAX, i16::MIN]).expect("a short sound");
    let format = |tag: u16, rest: &[u8]| {
        let chunk = [&tag.to_le_bytes()[..], &[1, 0, 0x40, 0x1f, 0, 0, 0x40, 0x1f, 0, 0, 1, 0, 8, 0], rest].concat();
        let length = u32::try_from(chunk.len()).unwrap_or(0).to_le_bytes();
        [b"RIFF\0\0\0\0WAVEfmt ".as_slice(), &length, &chunk, b"data\x03\0\0\0\xd5\x55\xd5\0"].concat()
    };
    let extensible = [&[22, 0, 8, 0, 4, 0, 0, 0, 7, 0][..], b"\0\0\0\0\x10\0\x80\0\0\xaa\0\x38\x9b\x71"].concat();
    vec![
        Seed::valid("linear", sound.clone()),
        Seed::valid("a-law", format(6, &[])),
        Seed::valid("extensible-mu-law", format(0xfffe, &extensible)),
        Seed::valid("drawn", [&[0][..], &crate::generators::stretch(3, 60)].concat()),
        Seed::other("extensible-cut-short", format(0xfffe, &extensible[..4])),
        Seed::other("no-riff", *b"RIFX\0\0\0\0WAVE"),
        Seed::other("no-wave", *b"RIFF\0\0\0\0AVI "),
        Seed::other("data-first", *b"RIFF\0\0\0\0WAVEdata\0\0\0\0"),
        Seed::other("no-format", *b"RIFF\0\0\0\0WAVE"),
        Seed::other("no-data", sound.get(..36).unwrap_or_default()),
        Seed::other("data-longer-than-the-file", sound.get(..50).unwrap_or_default()),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oracle::caught;

    fn without_last(bytes: &[u8]) -> Result<Wav<'_>, Error> {
        Wav::parse(bytes).map(|wav| Wav { data: wav.data.split_last().map_or(&[], |(_, data)| data), ..wav })
    }

    #[test]
    fn a_reader_that_loses_a_byte_is_caught() {
        let sound = Sound { rate_hz: 8_000, samples: vec![1, 2, 3] };
        written(&sound, |bytes| Wav::parse(bytes));
        caught(&FIXPOINT, || written(&sound, without_last));
        let file = emit(8_000, &sound.samples).unwrap();
        inside(&file, Wav::parse(&file).unwrap().data);
        caught(&INSIDE, || inside(&file, without_last(&file).unwrap().data));
    }

    /// Expects the format right behind the header, as many do.
    fn rigid(bytes: &[u8]) -> Result<Wav<'_>, Error> {
        if bytes.get(HEADER_BYTES..HEADER_BYTES + 4) == Some(b"fmt ") {
            Wav::parse(bytes)
        } else {
            Err(Error::Missing("fmt"))
        }
    }

    #[test]
    fn a_reader_that_knows_one_order_is_caught() {
        let file = emit(8_000, &[1, 2]).unwrap();
        let wav = rigid(&file).unwrap();
        skipped(&file, wav, |bytes| Wav::parse(bytes));
        caught(&SKIPPED, || skipped(&file, wav, rigid));
    }
}
