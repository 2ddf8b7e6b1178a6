//! G.711 (ITU-T Recommendation G.711, 11/1988): one sample of 16 bits to one code of 8, and back, in both laws.

/// Which of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Law {
    /// A-law: PCMA.
    A,
    /// Mu-law: PCMU.
    Mu,
}

/// Every other bit of an A-law code is inverted on the line: section 3.3 and table 1.
const A_LINE: u8 = 0x55;
/// What mu-law adds to a magnitude so that every segment begins at a power of two: 33 of its 14 bits, here of 16.
const MU_BIAS: u16 = 33 << 2;
/// Larger magnitudes have the last code: 8159 of 14 bits, less one.
const MU_CLIP: u16 = 8158 << 2 | 3;

impl Law {
    /// The code of the interval that holds the sample.
    pub fn encode(self, sample: i16) -> u8 {
        match self {
            Law::A => encode_a(sample),
            Law::Mu => encode_mu(sample),
        }
    }

    /// The value of a code.
    pub fn decode(self, code: u8) -> i16 {
        match self {
            Law::A => decode_a(code),
            Law::Mu => decode_mu(code),
        }
    }
}

fn encode_a(sample: i16) -> u8 {
    let sign = if sample < 0 { 0 } else { 0x80 };
    // 11 bits of magnitude; minus one is as near to zero as zero.
    let magnitude = (if sample < 0 { !sample } else { sample } as u16) >> 4;
    let code = match magnitude.checked_ilog2() {
        Some(top @ 5..) => ((top - 3) << 4) as u16 | (magnitude >> (top - 4)) & 0x0f,
        _ => magnitude, // the first two segments are one line
    };
    (sign | code as u8) ^ A_LINE
}

fn decode_a(code: u8) -> i16 {
    let code = code ^ A_LINE;
    let (segment, step) = (code >> 4 & 7, i16::from(code & 0x0f));
    // The middle of the interval.
    let magnitude = match segment {
        0 => step << 4 | 8,
        _ => (step << 4 | 0x108) << (segment - 1),
    };
    if code & 0x80 == 0 { -magnitude } else { magnitude }
}

fn encode_mu(sample: i16) -> u8 {
    let sign = if sample < 0 { 0x80 } else { 0 };
    let magnitude = sample.unsigned_abs().min(MU_CLIP) + MU_BIAS;
    let top = magnitude.ilog2(); // 7 to 14, since the bias is above 128
    let code = (top - 7) << 4 | u32::from(magnitude >> (top - 4) & 0x0f);
    !(sign | code as u8)
}

fn decode_mu(code: u8) -> i16 {
    let code = !code;
    let (segment, step) = (code >> 4 & 7, u16::from(code & 0x0f));
    let magnitude = ((step << 3 | 0x84) << segment) - MU_BIAS;
    let magnitude = magnitude as i16; // at most 32,124
    if code & 0x80 == 0 { magnitude } else { -magnitude }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_survives_in_both_laws() {
        for code in 0..=u8::MAX {
            assert_eq!(Law::A.encode(Law::A.decode(code)), code);
            // Mu-law has two zeros; the positive one is sent.
            let expected = if code == 0x7f { 0xff } else { code };
            assert_eq!(Law::Mu.encode(Law::Mu.decode(code)), expected);
        }
    }

    /// Tables 1a and 2a: decoder output values, in units of the smallest step of 13 and 14 bits.
    #[test]
    fn the_recommendations_own_values() {
        for (code, value) in [(0xd5, 1), (0xd4, 3), (0xc5, 33), (0xf5, 66), (0xe5, 132), (0xaa, 4032), (0x2a, -4032)] {
            assert_eq!(Law::A.decode(code), value * 8, "A {code:02x}");
        }
        for (code, value) in
            [(0xff, 0), (0xfe, 2), (0xf0, 30), (0xef, 33), (0xee, 37), (0xdf, 99), (0x80, 8031), (0, -8031)]
        {
            assert_eq!(Law::Mu.decode(code), value * 4, "mu {code:02x}");
        }
    }

    /// Tables 1a and 2a: decision values between segments, in the same units. A sample lies above its value or below.
    #[test]
    fn samples_on_both_sides_of_a_decision_value_differ() {
        let a = [32, 64, 128, 256, 512, 1024, 2048].map(|value| (Law::A, value * 8));
        let mu = [3, 31, 95, 223, 479, 991, 2015, 4063].map(|value| (Law::Mu, value * 4));
        for (law, decision) in a.into_iter().chain(mu) {
            let got = |sample| law.decode(law.encode(sample));
            assert!(got(decision) > decision && got(decision - 1) < decision, "{law:?} {decision}");
            assert!(got(-decision - 1) < -decision && got(1 - decision) > -decision, "{law:?} -{decision}");
        }
    }

    #[test]
    fn a_louder_sample_has_no_quieter_code() {
        for law in [Law::A, Law::Mu] {
            let values: Vec<i16> = (i16::MIN..=i16::MAX).map(|sample| law.decode(law.encode(sample))).collect();
            assert!(values.is_sorted(), "{law:?}");
            let far = (i16::MIN..=i16::MAX).zip(&values).map(|(sample, value)| sample.abs_diff(*value)).max();
            assert!(far < Some(700), "{law:?}: half of the largest step, and what is clipped: {far:?}");
        }
    }
}
