//! What is measured.

use std::fmt;

use ringfence_srtp::Profile;

/// One figure of the tables: what is done to which packets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cell {
    pub profile: Profile,
    pub kind: Kind,
    pub direction: Direction,
    /// SSRCs, which take turns.
    pub streams: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// An RTP packet with so many bytes behind its twelve-byte header.
    Rtp { payload: usize },
    /// A compound RTCP packet of 100 bytes.
    Rtcp,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    Protect,
    Unprotect,
}

/// The profiles with their registered names, without `SRTP_`.
pub const PROFILES: [(Profile, &str); 5] = [
    (Profile::AesCm128HmacSha1_80, "AES_CM_128_HMAC_SHA1_80"),
    (Profile::AesCm128HmacSha1_32, "AES_CM_128_HMAC_SHA1_32"),
    (Profile::AesCm256HmacSha1_80, "AES_256_CM_HMAC_SHA1_80"),
    (Profile::AeadAes128Gcm, "AEAD_AES_128_GCM"),
    (Profile::AeadAes256Gcm, "AEAD_AES_256_GCM"),
];

/// 160 bytes are 20 ms of G.711, 100 about those of Opus, 1200 a full packet of video.
pub const PAYLOADS: [usize; 3] = [100, 160, 1200];

pub const DIRECTIONS: [Direction; 2] = [Direction::Protect, Direction::Unprotect];

/// Streams of the cells with several of them (house).
pub const SEVERAL: u32 = 16;

/// Every cell, in the order of the tables.
pub fn all() -> Vec<Cell> {
    let mut cells = Vec::new();
    for streams in [1, SEVERAL] {
        for (profile, _) in PROFILES {
            for direction in DIRECTIONS {
                let rtp = PAYLOADS.map(|payload| Cell { profile, kind: Kind::Rtp { payload }, direction, streams });
                cells.extend(rtp);
            }
        }
    }
    for (profile, _) in PROFILES {
        cells.extend(DIRECTIONS.map(|direction| Cell { profile, kind: Kind::Rtcp, direction, streams: 1 }));
    }
    cells
}

impl Cell {
    /// Whether each of these lowercase words is in the cell's name.
    pub fn has(&self, words: &[String]) -> bool {
        let name = self.to_string().to_lowercase();
        words.iter().all(|word| name.contains(word))
    }

    pub fn profile_name(&self) -> &'static str {
        PROFILES.iter().find(|(profile, _)| *profile == self.profile).map_or("?", |(_, name)| name)
    }
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.profile_name(), self.kind, self.direction)?;
        if let Kind::Rtp { payload } = self.kind {
            write!(f, " {payload} B")?;
        }
        if self.streams > 1 {
            write!(f, " {} streams", self.streams)?;
        }
        Ok(())
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Rtp { .. } => "rtp",
            Self::Rtcp => "rtcp",
        })
    }
}

impl fmt::Display for Direction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Protect => "protect",
            Self::Unprotect => "unprotect",
        })
    }
}
