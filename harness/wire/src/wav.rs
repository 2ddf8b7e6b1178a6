//! WAV files: one format chunk and one data chunk in a RIFF (Microsoft and IBM, *Multimedia Programming Interface and
//! Data Specifications 1.0*, 1991; `WAVEFORMATEXTENSIBLE` as of 2001).
//!
//! # Limits
//! Other chunks are skipped. The size in the RIFF header is ignored, since many writers get it wrong; that of a chunk has
//! to be there in full.

use crate::Error;
use crate::bytes::Reader;

/// Format tag of linear samples.
pub const PCM: u16 = 1;
/// Format tag of A-law codes.
pub const A_LAW: u16 = 6;
/// Format tag of mu-law codes.
pub const MU_LAW: u16 = 7;

/// The real tag stands in the first two bytes of the sub-format, 24 bytes into the chunk.
const EXTENSIBLE: u16 = 0xfffe;
const SUB_FORMAT_AT: usize = 24;
/// From the front of a file to its samples, as [`emit`] writes it: `RIFF`, its size, `WAVE`, and two chunks' heads.
const HEAD_BYTES: usize = 44;

/// What a file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wav<'a> {
    /// [`PCM`], [`A_LAW`], [`MU_LAW`], or another.
    pub tag: u16,
    /// 1 is mono.
    pub channels: u16,
    /// Samples of one channel per second.
    pub rate_hz: u32,
    /// Bits of one sample.
    pub bits: u16,
    /// The samples, little-endian and signed where they have 16 bits.
    pub data: &'a [u8],
}

impl<'a> Wav<'a> {
    /// Reads a file.
    ///
    /// # Errors
    /// It is no RIFF of type WAVE, a chunk is longer than the file, or one of the two chunks is missing.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, Error> {
        let mut rest = Reader(bytes);
        if &rest.array::<4>("wav header")? != b"RIFF" {
            return Err(Error::Invalid("wav header"));
        }
        rest.array::<4>("wav header")?;
        if &rest.array::<4>("wav header")? != b"WAVE" {
            return Err(Error::Invalid("wav header"));
        }
        let mut format = None;
        while !rest.is_empty() {
            let name = rest.array::<4>("wav chunk name")?;
            let stated = u32::from_le_bytes(rest.array("wav chunk length")?) as usize;
            let field = if &name == b"data" { "wav data chunk" } else { "wav chunk" };
            let actual = rest.0.len();
            let body = rest.take(stated, field).map_err(|_| Error::Length { field, stated, actual })?;
            if stated % 2 == 1 && !rest.is_empty() {
                rest.array::<1>("wav padding")?;
            }
            match (&name, format) {
                (b"fmt ", None) => format = Some(read_format(body)?),
                (b"data", Some((tag, channels, rate_hz, bits))) => {
                    return Ok(Self { tag, channels, rate_hz, bits, data: body });
                }
                (b"data", None) => return Err(Error::Missing("wav format chunk before the data")),
                _ => {}
            }
        }
        Err(Error::Missing(if format.is_none() { "wav format chunk" } else { "wav data chunk" }))
    }
}

/// Tag, channels, rate, bits.
fn read_format(chunk: &[u8]) -> Result<(u16, u16, u32, u16), Error> {
    let mut rest = Reader(chunk);
    let field = "wav format chunk";
    let tag = u16::from_le_bytes(rest.array(field)?);
    let channels = u16::from_le_bytes(rest.array(field)?);
    let rate_hz = u32::from_le_bytes(rest.array(field)?);
    rest.take(6, field)?; // bytes per second and per frame: both follow from the others
    let bits = u16::from_le_bytes(rest.array(field)?);
    let tag = match tag {
        EXTENSIBLE => {
            let sub_format = chunk.get(SUB_FORMAT_AT..).and_then(<[u8]>::first_chunk);
            u16::from_le_bytes(*sub_format.ok_or(Error::Truncated(field))?)
        }
        tag => tag,
    };
    Ok((tag, channels, rate_hz, bits))
}

/// A whole file of linear mono samples of 16 bits.
///
/// # Errors
/// More samples than a 32-bit length can say.
pub fn emit(rate_hz: u32, samples: &[i16]) -> Result<Vec<u8>, Error> {
    const BYTES: u16 = 2;
    let limit = u32::MAX as usize;
    let data_bytes = samples.len().saturating_mul(BYTES.into());
    let field = "wav data chunk";
    let riff_bytes = u32::try_from(data_bytes.saturating_add(HEAD_BYTES - 8));
    let riff_bytes = riff_bytes.map_err(|_| Error::TooLarge { field, limit })?;
    let mut bytes = Vec::with_capacity(HEAD_BYTES + data_bytes);
    bytes.extend_from_slice(b"RIFF");
    bytes.extend_from_slice(&riff_bytes.to_le_bytes());
    bytes.extend_from_slice(b"WAVEfmt ");
    bytes.extend_from_slice(&16u32.to_le_bytes());
    for value in [PCM, 1] {
        bytes.extend_from_slice(&value.to_le_bytes());
    }
    for value in [rate_hz, rate_hz.saturating_mul(BYTES.into())] {
        bytes.extend_from_slice(&value.to_le_bytes());
    }
    for value in [BYTES, BYTES * 8] {
        bytes.extend_from_slice(&value.to_le_bytes());
    }
    bytes.extend_from_slice(b"data");
    bytes.extend_from_slice(&(riff_bytes - (HEAD_BYTES as u32 - 8)).to_le_bytes());
    samples.iter().for_each(|sample| bytes.extend_from_slice(&sample.to_le_bytes()));
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back() {
        for samples in [&[][..], &[0, 1, -1, i16::MAX, i16::MIN]] {
            let bytes = emit(8000, samples).unwrap();
            assert_eq!(bytes.len(), HEAD_BYTES + 2 * samples.len());
            let wav = Wav::parse(&bytes).unwrap();
            assert_eq!((wav.tag, wav.channels, wav.rate_hz, wav.bits), (PCM, 1, 8000, 16));
            let read: Vec<i16> = wav.data.chunks(2).map(|pair| i16::from_le_bytes(pair.try_into().unwrap())).collect();
            assert_eq!(read, samples);
            for cut in 0..bytes.len() {
                assert!(Wav::parse(&bytes[..cut]).is_err(), "cut at {cut}");
            }
        }
    }

    #[test]
    fn other_chunks_are_skipped_and_an_extensible_format_is_looked_into() {
        let mut format = Vec::new();
        for value in [0xfffe_u16, 1, 8000, 0, 8000, 0, 1, 8, 22, 8, 4, 0, A_LAW] {
            format.extend_from_slice(&value.to_le_bytes());
        }
        format.extend_from_slice(&[0; 14]);
        let mut bytes = b"RIFF\0\0\0\0WAVELIST\x03\0\0\0abc\0fmt \x28\0\0\0".to_vec();
        bytes.extend_from_slice(&format);
        bytes.extend_from_slice(b"data\x03\0\0\0\xd5\xd5\xd5");
        let wav = Wav::parse(&bytes).unwrap();
        assert_eq!((wav.tag, wav.bits, wav.data), (A_LAW, 8, &b"\xd5\xd5\xd5"[..]));
    }

    #[test]
    fn what_is_wrong_is_named() {
        let whole = emit(8000, &[1, 2, 3]).unwrap();
        let with = |at: usize, bytes: &[u8]| {
            let mut changed = whole.clone();
            changed[at..at + bytes.len()].copy_from_slice(bytes);
            Wav::parse(&changed).unwrap_err().to_string()
        };
        assert_eq!(with(0, b"RIFX"), "wav header is not valid");
        assert_eq!(with(8, b"AVI "), "wav header is not valid");
        assert_eq!(with(12, b"junk"), "wav format chunk before the data is missing");
        assert_eq!(with(16, &[0xff; 4]), "wav chunk says 4294967295 bytes, there are 30");
        assert_eq!(with(40, &[0xff; 4]), "wav data chunk says 4294967295 bytes, there are 6");
        assert_eq!(with(36, b"junk"), "wav data chunk is missing");
        assert_eq!(Wav::parse(&whole[..12]).unwrap_err(), Error::Missing("wav format chunk"));
    }
}
