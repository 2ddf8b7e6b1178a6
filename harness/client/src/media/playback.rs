//! Audio of ours: samples that a call sends in place of its markers.

use std::sync::{Arc, Mutex, PoisonError};

use ringfence_wire::wav::{A_LAW, MU_LAW, PCM, Wav};

use super::g711::Law;
use super::plan::Codec;

/// Samples per second of G.711.
pub const RATE_HZ: u32 = 8000;

/// Why a file cannot be played.
#[derive(Debug, thiserror::Error)]
pub enum PlaybackError {
    /// It is no WAV file, or not all of one.
    #[error(transparent)]
    Wav(#[from] ringfence_wire::Error),
    /// Something else than this module plays.
    #[error(
        "{channels} channel(s) of {rate_hz} Hz, {bits} bits, format {tag}; expected mono of 8000 Hz: 16 bits linear \
             (format 1), or A-law or mu-law (formats 6 and 7)"
    )]
    Format {
        /// Format tag.
        tag: u16,
        /// Number of channels.
        channels: u16,
        /// Samples per second.
        rate_hz: u32,
        /// Bits of one sample.
        bits: u16,
    },
    /// There is nothing to be heard.
    #[error("wav data chunk holds no samples")]
    Empty,
}

/// Audio for one call, and how much of it was sent. Clones are the same audio.
#[derive(Clone, Debug)]
pub struct Playback {
    samples: Arc<[i16]>,
    law: Option<Law>,
    played: Arc<Mutex<Played>>,
}

/// What was sent of a [`Playback`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Played {
    /// As which codec; none as long as nothing was sent.
    pub codec: Option<Codec>,
    /// Samples, at most as many as there are: the silence behind them does not count.
    pub samples: usize,
}

impl Playback {
    /// Samples of 8000 Hz.
    pub fn new(samples: impl Into<Arc<[i16]>>) -> Self {
        Self { samples: samples.into(), law: None, played: Arc::default() }
    }

    /// The samples of a WAV file: mono, 8000 Hz, 16 bits linear or G.711.
    ///
    /// # Errors
    /// It is none, or holds something else or nothing.
    pub fn from_wav(bytes: &[u8]) -> Result<Self, PlaybackError> {
        let Wav { tag, channels, rate_hz, bits, data } = Wav::parse(bytes)?;
        let law = match (tag, bits, channels, rate_hz) {
            (PCM, 16, 1, RATE_HZ) => None,
            (A_LAW, 8, 1, RATE_HZ) => Some(Law::A),
            (MU_LAW, 8, 1, RATE_HZ) => Some(Law::Mu),
            _ => return Err(PlaybackError::Format { tag, channels, rate_hz, bits }),
        };
        let samples: Arc<[i16]> = match law {
            Some(law) => data.iter().map(|code| law.decode(*code)).collect(),
            None => {
                let pairs = data.chunks_exact(2).filter_map(<[u8]>::first_chunk);
                pairs.map(|pair| i16::from_le_bytes(*pair)).collect()
            }
        };
        if samples.is_empty() {
            return Err(PlaybackError::Empty);
        }
        Ok(Self { law, ..Self::new(samples) })
    }

    /// The codecs that carry it, the one that loses nothing first.
    pub fn codecs(&self) -> [Codec; 2] {
        match self.law {
            Some(Law::A) => [Codec::Pcma, Codec::Pcmu],
            Some(Law::Mu) | None => [Codec::Pcmu, Codec::Pcma],
        }
    }

    /// How long it is, in seconds.
    pub fn seconds(&self) -> f64 {
        self.samples.len() as f64 / f64::from(RATE_HZ)
    }

    /// What was sent so far.
    pub fn played(&self) -> Played {
        *self.played.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next `count` codes, silence behind the end; `None` for a codec that does not carry it.
    pub(super) fn frame(&self, codec: Codec, count: usize) -> Option<Vec<u8>> {
        let law = codec.law()?;
        let mut played = self.played.lock().unwrap_or_else(PoisonError::into_inner);
        let rest = self.samples.get(played.samples..).unwrap_or_default();
        let samples = rest.iter().copied().chain(std::iter::repeat(0)).take(count);
        *played = Played { codec: Some(codec), samples: (played.samples + count).min(self.samples.len()) };
        Some(samples.map(|sample| law.encode(sample)).collect())
    }
}

#[cfg(test)]
mod tests {
    use ringfence_wire::wav;

    use super::*;

    #[test]
    fn a_file_is_sent_once_and_then_silence() {
        let samples: Vec<i16> = (0..200).map(|n| n * 100).collect();
        let playback = Playback::from_wav(&wav::emit(RATE_HZ, &samples).unwrap()).unwrap();
        assert_eq!((playback.seconds(), playback.played()), (0.025, Played::default()));
        assert_eq!(playback.frame(Codec::Opus, 160), None);
        let sent =
            [playback.frame(Codec::Pcma, 160).unwrap(), playback.clone().frame(Codec::Pcma, 160).unwrap()].concat();
        assert_eq!(playback.played(), Played { codec: Some(Codec::Pcma), samples: 200 });
        let expected: Vec<u8> = samples.iter().copied().chain([0; 120]).map(|sample| Law::A.encode(sample)).collect();
        assert_eq!(sent, expected);
    }

    #[test]
    fn what_cannot_be_played_says_why() {
        let with = |at: usize, value: u8| {
            let mut bytes = wav::emit(RATE_HZ, &[1, 2]).unwrap();
            bytes[at] = value;
            Playback::from_wav(&bytes).err().map(|error| error.to_string())
        };
        assert_eq!(with(0, b'R'), None);
        for (at, value, why) in
            [(22, 2, "2 channel(s)"), (25, 0x2f, "12096 Hz"), (34, 24, "24 bits"), (20, 3, "format 3")]
        {
            assert!(with(at, value).is_some_and(|error| error.contains(why)), "{why}");
        }
        let empty = Playback::from_wav(&wav::emit(RATE_HZ, &[]).unwrap()).unwrap_err();
        assert_eq!(empty.to_string(), "wav data chunk holds no samples");
        assert_eq!(Playback::from_wav(b"").unwrap_err().to_string(), "wav header is cut short");
    }
}
