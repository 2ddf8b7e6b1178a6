//! What the ciphers do with a packet whose parts and index are known.
//!
//! The parts come apart already: `body` is the packet without what protection adds, `tag` has the length of the tag, and
//! `word` is the E flag with the SRTCP index. Callers have checked that the header lies within the body.

use subtle::ConstantTimeEq;

use crate::Profile;
use crate::aes_cm::{AesCm, authentication};
use crate::aes_gcm::{Gcm, Scratch, clear_rtcp_aad, encrypted_rtcp_aad};
use crate::hmac_sha1::HmacSha1;
use crate::index::rollover_counter;
use crate::key_derivation::{Labels, MasterKey};
use crate::packet::{RTCP_CLEAR_BYTES, Rtp};

/// The E flag in front of the 31-bit SRTCP index. RFC 3711, section 3.4.
pub(crate) const E_FLAG: u32 = 1 << 31;

/// How a context encrypts and authenticates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cipher {
    AesCm,
    Gcm,
    /// RFC 3711, section 4.1.3; only `bend` asks for it.
    Null,
}

impl Cipher {
    /// The cipher of a profile.
    pub(crate) fn of(profile: Profile) -> Self {
        if profile.is_aead() { Self::Gcm } else { Self::AesCm }
    }
}

/// The session keys of RTP or of RTCP.
#[expect(clippy::large_enum_variant)] // a context has a few of them, and each packet goes through one
pub(crate) enum Transform {
    /// Two algorithms in turn, or only the second of them. RFC 3711, section 3.3: what is encrypted is authenticated.
    Hmac { cipher: Option<AesCm>, mac: HmacSha1 },
    /// One algorithm for both.
    Gcm(Gcm),
}

impl Transform {
    /// Derives the session keys that `labels` name. `r` is the packet index divided by the key derivation rate.
    pub(crate) fn derive(cipher: Cipher, master: &MasterKey, labels: Labels, r: u64) -> Self {
        if cipher == Cipher::Gcm {
            return Self::Gcm(Gcm::derive(master, labels, r));
        }
        let mac = authentication(master, labels, r);
        Self::Hmac { cipher: (cipher == Cipher::AesCm).then(|| AesCm::derive(master, labels, r)), mac }
    }

    /// Encrypts the payload and writes the tag. RFC 3711, section 3.3, sender, steps 5 and 7.
    #[inline]
    pub(crate) fn seal_rtp(&self, body: &mut [u8], header: Rtp, index: u64, tag: &mut [u8]) {
        let (header_bytes, payload) = body.split_at_mut(header.header_len);
        match self {
            // RFC 7714, section 8.2: the header, CSRCs and extension included, is the associated data.
            Self::Gcm(gcm) => gcm.seal(gcm.iv(header.ssrc, index), header_bytes, payload, tag),
            Self::Hmac { cipher, mac } => {
                crypt(cipher, header.ssrc, index, payload);
                // RFC 3711, section 4.2: the rollover counter is authenticated behind the packet although it is not sent.
                write_tag(mac, body, rollover_counter(index), tag);
            }
        }
    }

    /// Decrypts the payload if the tag matches; else leaves the packet as it was and says `false`.
    #[inline]
    pub(crate) fn open_rtp(&self, body: &mut [u8], header: Rtp, index: u64, tag: &[u8], scratch: &mut Scratch) -> bool {
        match self {
            Self::Gcm(gcm) => {
                let (header_bytes, payload) = body.split_at_mut(header.header_len);
                gcm.open(gcm.iv(header.ssrc, index), header_bytes, payload, tag, scratch)
            }
            Self::Hmac { cipher, mac } => {
                let genuine = tag_matches(mac, body, rollover_counter(index), tag);
                if genuine {
                    crypt(cipher, header.ssrc, index, &mut body[header.header_len..]);
                }
                genuine
            }
        }
    }

    /// Decrypts the payload whatever the tag.
    pub(crate) fn strip_rtp(&self, body: &mut [u8], header: Rtp, index: u64) {
        let payload = &mut body[header.header_len..];
        match self {
            Self::Gcm(gcm) => gcm.strip(gcm.iv(header.ssrc, index), payload),
            Self::Hmac { cipher, .. } => crypt(cipher, header.ssrc, index, payload),
        }
    }

    /// Whether an honest sender sets the E flag: there is a cipher. RFC 3711, section 3.4.
    pub(crate) fn encrypts(&self) -> bool {
        !matches!(self, Self::Hmac { cipher: None, .. })
    }

    /// Encrypts if the E flag of `word` says so, and writes the tag. RFC 3711, section 3.4.
    #[inline]
    pub(crate) fn seal_rtcp(&self, body: &mut [u8], ssrc: u32, word: u32, tag: &mut [u8], scratch: &mut Scratch) {
        match self {
            Self::Gcm(gcm) if word & E_FLAG != 0 => {
                let aad = encrypted_rtcp_aad(body, word);
                gcm.seal(gcm.iv(ssrc, carried(word)), &aad, &mut body[RTCP_CLEAR_BYTES..], tag);
            }
            Self::Gcm(gcm) => gcm.seal(gcm.iv(ssrc, carried(word)), clear_rtcp_aad(body, word, scratch), &mut [], tag),
            Self::Hmac { cipher, mac } => {
                crypt_rtcp(cipher, ssrc, word, body);
                write_tag(mac, body, word, tag); // the word is authenticated, encrypted it is not
            }
        }
    }

    /// As [`Transform::open_rtp`], and decrypts only if the E flag says that there is something to decrypt.
    #[inline]
    pub(crate) fn open_rtcp(&self, body: &mut [u8], ssrc: u32, word: u32, tag: &[u8], scratch: &mut Scratch) -> bool {
        match self {
            Self::Gcm(gcm) if word & E_FLAG != 0 => {
                let aad = encrypted_rtcp_aad(body, word);
                gcm.open(gcm.iv(ssrc, carried(word)), &aad, &mut body[RTCP_CLEAR_BYTES..], tag, scratch)
            }
            Self::Gcm(gcm) => gcm.check(gcm.iv(ssrc, carried(word)), clear_rtcp_aad(body, word, scratch), tag),
            Self::Hmac { cipher, mac } => {
                let genuine = tag_matches(mac, body, word, tag);
                if genuine {
                    crypt_rtcp(cipher, ssrc, word, body);
                }
                genuine
            }
        }
    }

    /// As [`Transform::strip_rtp`].
    pub(crate) fn strip_rtcp(&self, body: &mut [u8], ssrc: u32, word: u32) {
        match self {
            Self::Gcm(gcm) if word & E_FLAG != 0 => {
                gcm.strip(gcm.iv(ssrc, carried(word)), &mut body[RTCP_CLEAR_BYTES..])
            }
            Self::Gcm(_) => {}
            Self::Hmac { cipher, .. } => crypt_rtcp(cipher, ssrc, word, body),
        }
    }
}

/// The SRTCP index behind the E flag.
fn carried(word: u32) -> u64 {
    (word & !E_FLAG).into()
}

#[inline]
fn crypt(cipher: &Option<AesCm>, ssrc: u32, index: u64, payload: &mut [u8]) {
    if let Some(cipher) = cipher {
        cipher.crypt(ssrc, index, payload);
    }
}

#[inline]
fn crypt_rtcp(cipher: &Option<AesCm>, ssrc: u32, word: u32, body: &mut [u8]) {
    if word & E_FLAG != 0 {
        crypt(cipher, ssrc, carried(word), &mut body[RTCP_CLEAR_BYTES..]);
    }
}

#[inline]
fn write_tag(mac: &HmacSha1, body: &[u8], word: u32, tag: &mut [u8]) {
    tag.copy_from_slice(&mac.mac(body, word)[..tag.len()]); // RFC 3711, section 4.2.1: the left-most bits
}

/// Compares in constant time; how many bytes agree is nobody's business.
#[inline]
fn tag_matches(mac: &HmacSha1, body: &[u8], word: u32, tag: &[u8]) -> bool {
    mac.mac(body, word)[..tag.len()].ct_eq(tag).into()
}
