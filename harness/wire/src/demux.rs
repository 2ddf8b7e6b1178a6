//! Which protocol a datagram on a media socket belongs to, by its first bytes.

/// RFC 7983, section 7 (RFC 9443 leaves these ranges as they are), with RFC 5761, section 4, for RTP against RTCP.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// 0 to 3. The cookie is not looked at: see [`crate::stun::is_stun`].
    Stun,
    /// 16 to 19.
    Zrtp,
    /// 20 to 63.
    Dtls,
    /// 64 to 79.
    TurnChannel,
    /// 128 to 191, protected or not.
    Rtp,
    /// 128 to 191, with a second byte of 192 to 223.
    Rtcp,
    /// Anything else, also nothing.
    Unknown,
}

/// Classifies a datagram.
pub fn classify(datagram: &[u8]) -> Kind {
    match datagram {
        [0..=3, ..] => Kind::Stun,
        [16..=19, ..] => Kind::Zrtp,
        [20..=63, ..] => Kind::Dtls,
        [64..=79, ..] => Kind::TurnChannel,
        // RTP payload types 64 to 95 are not used where RTCP shares the port, so the byte tells.
        [128..=191, 192..=223, ..] => Kind::Rtcp,
        [128..=191, _, ..] => Kind::Rtp,
        _ => Kind::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_first_byte_has_its_range() {
        for first in 0..=255u8 {
            let expected = match first {
                0..=3 => Kind::Stun,
                16..=19 => Kind::Zrtp,
                20..=63 => Kind::Dtls,
                64..=79 => Kind::TurnChannel,
                128..=191 => Kind::Rtp,
                _ => Kind::Unknown,
            };
            assert_eq!(classify(&[first, 0x6f]), expected, "{first}");
        }
    }

    #[test]
    fn rtcp_is_told_by_the_second_byte() {
        assert_eq!(classify(&[0x80, 200]), Kind::Rtcp);
        assert_eq!(classify(&[0x80, 0x80 | 111]), Kind::Rtp, "marker and Opus");
        assert_eq!(classify(&[0x80]), Kind::Unknown);
        assert_eq!(classify(&[]), Kind::Unknown);
    }
}
