//! The SRTP protection profiles, and the lengths that follow from them.

/// An SRTP protection profile: how packets are encrypted and authenticated, and with how long a key.
///
/// Lengths are in bytes. The NULL cipher is none of these: [`crate::bend::NullProfile`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[allow(non_camel_case_types)] // the RFC writes the tag length behind an underscore
pub enum Profile {
    /// `AES_CM_128_HMAC_SHA1_80`: what every WebRTC endpoint must support (RFC 8827, section 6.5).
    AesCm128HmacSha1_80,
    /// `AES_CM_128_HMAC_SHA1_32`: four bytes of tag on RTP, still ten on RTCP.
    AesCm128HmacSha1_32,
    /// `AES_256_CM_HMAC_SHA1_80` (RFC 6188): keyed by SDES or MIKEY, DTLS-SRTP has no number for it.
    AesCm256HmacSha1_80,
    /// `AES_256_CM_HMAC_SHA1_32` (RFC 6188): as above with the short tag on RTP.
    AesCm256HmacSha1_32,
    /// `AEAD_AES_128_GCM` (RFC 7714).
    AeadAes128Gcm,
    /// `AEAD_AES_256_GCM` (RFC 7714).
    AeadAes256Gcm,
}

/// The E flag and the 31-bit SRTCP index, in bytes. RFC 3711, section 3.4.
pub(crate) const SRTCP_WORD_BYTES: usize = 4;

impl Profile {
    /// All profiles.
    pub const ALL: [Self; 6] = [
        Self::AesCm128HmacSha1_80,
        Self::AesCm128HmacSha1_32,
        Self::AesCm256HmacSha1_80,
        Self::AesCm256HmacSha1_32,
        Self::AeadAes128Gcm,
        Self::AeadAes256Gcm,
    ];

    /// The identifier in the `use_srtp` extension of DTLS, for the profiles that have one. IANA registry "DTLS-SRTP
    /// Protection Profiles".
    pub const fn id(self) -> Option<u16> {
        match self {
            Self::AesCm128HmacSha1_80 => Some(0x0001), // RFC 5764, section 4.1.2
            Self::AesCm128HmacSha1_32 => Some(0x0002), // RFC 5764, section 4.1.2
            Self::AesCm256HmacSha1_80 | Self::AesCm256HmacSha1_32 => None, // RFC 6188 registers for SDES and MIKEY only
            Self::AeadAes128Gcm => Some(0x0007),       // RFC 7714, section 14.2
            Self::AeadAes256Gcm => Some(0x0008),       // RFC 7714, section 14.2
        }
    }

    /// The profile with this identifier, if it is one of ours.
    pub fn from_id(id: u16) -> Option<Self> {
        Self::ALL.into_iter().find(|profile| profile.id() == Some(id))
    }

    /// A short name in lower case: `cm-sha1-80`, `cm-sha1-32`, `cm256-sha1-80`, `cm256-sha1-32`, `gcm-128`, `gcm-256`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::AesCm128HmacSha1_80 => "cm-sha1-80",
            Self::AesCm128HmacSha1_32 => "cm-sha1-32",
            Self::AesCm256HmacSha1_80 => "cm256-sha1-80",
            Self::AesCm256HmacSha1_32 => "cm256-sha1-32",
            Self::AeadAes128Gcm => "gcm-128",
            Self::AeadAes256Gcm => "gcm-256",
        }
    }

    /// The profile with this short name, spelled exactly.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|profile| profile.name() == name)
    }

    /// Bytes of the master key, and of the session encryption key.
    pub const fn key_len(self) -> usize {
        match self {
            Self::AesCm128HmacSha1_80 | Self::AesCm128HmacSha1_32 | Self::AeadAes128Gcm => 16,
            Self::AesCm256HmacSha1_80 | Self::AesCm256HmacSha1_32 | Self::AeadAes256Gcm => 32,
        }
    }

    /// Bytes of the master salt, and of the session salt.
    pub const fn salt_len(self) -> usize {
        if self.is_aead() { 12 } else { 14 } // RFC 7714, section 14.2; RFC 3711, section 5.3; RFC 6188, section 3
    }

    /// Bytes of the authentication tag on SRTP packets: what protecting one adds, beside a master key identifier.
    pub const fn tag_len(self) -> usize {
        match self {
            Self::AesCm128HmacSha1_80 | Self::AesCm256HmacSha1_80 => 10,
            Self::AesCm128HmacSha1_32 | Self::AesCm256HmacSha1_32 => 4,
            Self::AeadAes128Gcm | Self::AeadAes256Gcm => 16, // RFC 7714, section 13.2
        }
    }

    /// Bytes of the authentication tag on SRTCP packets.
    pub const fn rtcp_tag_len(self) -> usize {
        // RFC 3711, section 5.2 and RFC 5764, section 4.1.2: the short tag is for SRTP only, SRTCP keeps 80 bits.
        if self.is_aead() { 16 } else { 10 }
    }

    /// Bytes that protecting an RTCP packet adds: the tag and the index word, beside a master key identifier.
    pub const fn rtcp_overhead(self) -> usize {
        self.rtcp_tag_len() + SRTCP_WORD_BYTES
    }

    /// Bytes to draw from the DTLS exporter: keys and salts of both sides. RFC 5764, section 4.2.
    pub const fn keying_material_len(self) -> usize {
        2 * (self.key_len() + self.salt_len())
    }

    /// Whether one algorithm encrypts and authenticates (GCM), rather than two in turn.
    pub const fn is_aead(self) -> bool {
        matches!(self, Self::AeadAes128Gcm | Self::AeadAes256Gcm)
    }
}

#[cfg(test)]
mod tests {
    use super::Profile;

    #[test]
    fn identifiers_and_names_lead_back() {
        for profile in Profile::ALL {
            assert_eq!(profile.id().map(Profile::from_id), profile.id().map(|_| Some(profile)));
            assert_eq!(Profile::from_name(profile.name()), Some(profile));
        }
        assert_eq!(Profile::from_id(0x0005), None, "SRTP_NULL_HMAC_SHA1_80 cannot be had by accident");
        assert_eq!(Profile::from_name("GCM-128"), None);
    }

    #[test]
    fn lengths_are_those_of_the_rfcs() {
        let lengths = Profile::ALL.map(|p| (p.key_len(), p.salt_len(), p.tag_len(), p.rtcp_tag_len()));
        let (cm, gcm) = ([(16, 14, 10, 10), (16, 14, 4, 10)], [(16, 12, 16, 16), (32, 12, 16, 16)]);
        assert_eq!(lengths, [cm[0], cm[1], (32, 14, 10, 10), (32, 14, 4, 10), gcm[0], gcm[1]]);
        assert_eq!(Profile::ALL.map(Profile::keying_material_len), [60, 60, 92, 92, 56, 88]);
    }
}
