//! The four SRTP protection profiles that WebRTC endpoints meet, and the lengths that follow from them.

/// An SRTP protection profile as negotiated by the `use_srtp` extension of DTLS.
///
/// Lengths are in bytes. Sources: RFC 5764, section 4.1.2; RFC 7714, section 14.2.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[allow(non_camel_case_types)] // the RFC writes the tag length behind an underscore
pub enum Profile {
    /// `SRTP_AES128_CM_HMAC_SHA1_80`, 0x0001: what every WebRTC endpoint must support (RFC 8827, section 6.5).
    AesCm128HmacSha1_80,
    /// `SRTP_AES128_CM_HMAC_SHA1_32`, 0x0002: four bytes of tag on RTP, still ten on RTCP.
    AesCm128HmacSha1_32,
    /// `SRTP_AEAD_AES_128_GCM`, 0x0007.
    AeadAes128Gcm,
    /// `SRTP_AEAD_AES_256_GCM`, 0x0008.
    AeadAes256Gcm,
}

/// The E flag and the 31-bit SRTCP index, in bytes. RFC 3711, section 3.4.
pub(crate) const SRTCP_WORD_BYTES: usize = 4;

impl Profile {
    /// All profiles, in the order of their identifiers.
    pub const ALL: [Self; 4] =
        [Self::AesCm128HmacSha1_80, Self::AesCm128HmacSha1_32, Self::AeadAes128Gcm, Self::AeadAes256Gcm];

    /// The identifier in the `use_srtp` extension. IANA registry "DTLS-SRTP Protection Profiles".
    pub const fn id(self) -> u16 {
        match self {
            Self::AesCm128HmacSha1_80 => 0x0001, // RFC 5764, section 4.1.2
            Self::AesCm128HmacSha1_32 => 0x0002, // RFC 5764, section 4.1.2
            Self::AeadAes128Gcm => 0x0007,       // RFC 7714, section 14.2
            Self::AeadAes256Gcm => 0x0008,       // RFC 7714, section 14.2
        }
    }

    /// The profile with this identifier, if it is one of the four.
    pub fn from_id(id: u16) -> Option<Self> {
        Self::ALL.into_iter().find(|profile| profile.id() == id)
    }

    /// The short name that scenarios and policies use: `cm-sha1-80`, `cm-sha1-32`, `gcm-128`, `gcm-256`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::AesCm128HmacSha1_80 => "cm-sha1-80",
            Self::AesCm128HmacSha1_32 => "cm-sha1-32",
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
            Self::AeadAes256Gcm => 32,
        }
    }

    /// Bytes of the master salt, and of the session salt.
    pub const fn salt_len(self) -> usize {
        if self.is_aead() { 12 } else { 14 } // RFC 7714, section 14.2; RFC 5764, section 4.1.2
    }

    /// Bytes of the authentication tag on SRTP packets.
    pub const fn tag_len(self) -> usize {
        match self {
            Self::AesCm128HmacSha1_80 => 10,
            Self::AesCm128HmacSha1_32 => 4,
            Self::AeadAes128Gcm | Self::AeadAes256Gcm => 16, // RFC 7714, section 13.2
        }
    }

    /// Bytes of the authentication tag on SRTCP packets.
    pub const fn rtcp_tag_len(self) -> usize {
        // RFC 5764, section 4.1.2: the short tag is for SRTP only, SRTCP keeps 80 bits.
        if self.is_aead() { 16 } else { 10 }
    }

    /// Bytes that protecting an RTCP packet adds: the tag and the index word. RTP grows by [`Profile::tag_len`] only.
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
            assert_eq!(Profile::from_id(profile.id()), Some(profile));
            assert_eq!(Profile::from_name(profile.name()), Some(profile));
        }
        assert_eq!(Profile::from_id(0x0005), None); // SRTP_NULL_HMAC_SHA1_80 is nothing we ever speak
        assert_eq!(Profile::from_name("GCM-128"), None);
    }

    #[test]
    fn lengths_are_those_of_the_rfcs() {
        let lengths = Profile::ALL.map(|p| (p.key_len(), p.salt_len(), p.tag_len(), p.rtcp_tag_len()));
        assert_eq!(lengths, [(16, 14, 10, 10), (16, 14, 4, 10), (16, 12, 16, 16), (32, 12, 16, 16)]);
        assert_eq!(Profile::ALL.map(Profile::keying_material_len), [60, 60, 56, 88]);
    }
}
