//! AES-GCM: RFC 7714.
//!
//! The primitive is AWS-LC's, as counter mode's is: as fast as ring's, and twice as fast as RustCrypto's (README, "Where the time
//! goes"). It wipes its keys when it frees them (`OPENSSL_free` cleanses). It also wipes what it cannot authenticate, so a copy
//! is kept while a packet is opened: one that is refused stays as it was, and the next key can be tried on it.

use aws_lc_rs::aead::{AES_128_GCM, AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use zeroize::Zeroizing;

use crate::index::RTP_BITS;
use crate::key_derivation::{Labels, MasterKey};
use crate::packet::RTCP_CLEAR_BYTES;
use crate::profile::SRTCP_WORD_BYTES;

const IV_BYTES: usize = 12; // RFC 7714, section 8.1; and the salt: section 14.2
const TAG_BYTES: usize = 16; // RFC 7714, section 13.2: never truncated

/// A session key with its salt.
pub(crate) struct Gcm {
    key: LessSafeKey,
    /// As a number, so that IVs are computed as the RFC writes them.
    salt: Zeroizing<u128>,
}

/// Twelve bytes that are different for each packet under one key.
pub(crate) type Iv = [u8; IV_BYTES];

/// Room for a packet beside its place, kept so that nothing is allocated per packet. Nothing secret gets there: ciphertext, and
/// RTCP that is sent in the clear.
pub(crate) type Scratch = Vec<u8>;

impl Gcm {
    pub(crate) fn derive(master: &MasterKey, labels: Labels, r: u64) -> Self {
        let mut key = Zeroizing::new([0; 32]);
        let key = &mut key[..master.key_len()];
        let mut salt = Zeroizing::new([0; 16]);
        master.derive(labels.encryption, r, key);
        master.derive(labels.salt, r, &mut salt[16 - IV_BYTES..]);
        Self::new(key, Zeroizing::new(u128::from_be_bytes(*salt)))
    }

    fn new(key: &[u8], salt: Zeroizing<u128>) -> Self {
        let algorithm = if key.len() == AES_256_GCM.key_len() { &AES_256_GCM } else { &AES_128_GCM };
        let key = UnboundKey::new(algorithm, key).expect("a master key has the length of its profile");
        Self { key: LessSafeKey::new(key), salt }
    }

    /// RFC 7714, section 8.1: two zero bytes, SSRC, rollover counter and sequence number, XOR the salt. Section 9.1: two zero
    /// bytes, SSRC, two zero bytes, SRTCP index, XOR the salt, which is the same with a shorter index.
    #[inline]
    pub(crate) fn iv(&self, ssrc: u32, index: u64) -> Iv {
        let packet = u128::from(ssrc) << RTP_BITS | u128::from(index);
        let [_, _, _, _, iv @ ..] = (packet ^ *self.salt).to_be_bytes();
        iv
    }

    /// Encrypts `data` and writes the tag.
    #[inline]
    pub(crate) fn seal(&self, iv: Iv, aad: &[u8], data: &mut [u8], tag: &mut [u8]) {
        let sealed = self.key.seal_in_place_scatter(Nonce::assume_unique_for_key(iv), Aad::from(aad), data, &[], tag);
        sealed.expect("a datagram is far below GCM's limits");
    }

    /// Decrypts `data` if the tag matches, and else leaves it alone. AWS-LC compares in constant time.
    #[inline]
    pub(crate) fn open(&self, iv: Iv, aad: &[u8], data: &mut [u8], tag: &[u8], scratch: &mut Scratch) -> bool {
        if scratch.len() < data.len() {
            scratch.resize(data.len(), 0);
        }
        let sealed = &mut scratch[..data.len()];
        sealed.copy_from_slice(data);
        let nonce = Nonce::assume_unique_for_key(iv);
        let genuine = self.key.open_in_place_separate_tag(nonce, Aad::from(aad), tag, data).is_ok();
        if !genuine {
            data.copy_from_slice(sealed);
        }
        genuine
    }

    /// Whether the tag of what is not encrypted matches.
    pub(crate) fn check(&self, iv: Iv, aad: &[u8], tag: &[u8]) -> bool {
        let nonce = Nonce::assume_unique_for_key(iv);
        self.key.open_in_place_separate_tag(nonce, Aad::from(aad), tag, &mut []).is_ok()
    }

    /// Decrypts `data` whatever its tag: GCM encrypts in counter mode, which undoes itself.
    pub(crate) fn strip(&self, iv: Iv, data: &mut [u8]) {
        self.seal(iv, &[], data, &mut [0; TAG_BYTES]);
    }
}

/// RFC 7714, section 9.2: the clear header and the index word, which on the wire stand far apart.
pub(crate) fn encrypted_rtcp_aad(packet: &[u8], word: u32) -> [u8; RTCP_CLEAR_BYTES + SRTCP_WORD_BYTES] {
    let mut aad = [0; RTCP_CLEAR_BYTES + SRTCP_WORD_BYTES];
    aad[..RTCP_CLEAR_BYTES].copy_from_slice(&packet[..RTCP_CLEAR_BYTES]);
    aad[RTCP_CLEAR_BYTES..].copy_from_slice(&word.to_be_bytes());
    aad
}

/// RFC 7714, section 9.3: of a packet that is not encrypted everything is associated data, the index word last.
pub(crate) fn clear_rtcp_aad<'a>(packet: &[u8], word: u32, scratch: &'a mut Scratch) -> &'a [u8] {
    scratch.clear();
    scratch.extend_from_slice(packet);
    scratch.extend_from_slice(&word.to_be_bytes());
    scratch
}

#[cfg(test)]
mod tests {
    use zeroize::Zeroizing;

    use super::{Gcm, Scratch};
    use crate::packet::Rtp;
    use crate::testing::{hex, hex_array};
    use crate::transform::{E_FLAG, Transform};

    /// RFC 7714, section 16: the session key 00 01 02 ... of this length and the salt "Quid pro quo".
    fn gcm(key_len: u8) -> Gcm {
        let key: Vec<u8> = (0..key_len).collect();
        Gcm::new(&key, Zeroizing::new(0x5175_6964_2070_726f_2071_756f))
    }

    const RTP: &str = "8040f17b 8041f8d3 5501a0b2
        47616c6c696120657374206f6d6e69732064697669736120696e207061727465732074726573"; // "Gallia est omnis ..."
    const INDEX: u64 = 0xf17b;

    #[track_caller]
    fn rtp_case(gcm: Gcm, ciphertext: &str, expected_tag: &str) {
        let gcm = Transform::Gcm(gcm);
        let (mut packet, mut tag) = (hex(RTP), [0; 16]);
        let header = Rtp::parse(&packet).unwrap();
        gcm.seal_rtp(&mut packet, header, INDEX, &mut tag);
        assert_eq!((&packet[..12], &packet[12..]), (&hex(RTP)[..12], &hex(ciphertext)[..]));
        assert_eq!(tag[..], hex(expected_tag));
        let mut stripped = packet.clone();
        assert!(gcm.open_rtp(&mut packet, header, INDEX, &tag, &mut Scratch::default()));
        assert_eq!(packet, hex(RTP));
        gcm.strip_rtp(&mut stripped, header, INDEX);
        assert_eq!(stripped, hex(RTP));
    }

    #[test]
    fn rfc_7714_16_1_1_and_16_1_2_aead_aes_128_gcm() {
        let ciphertext = "f24de3a3fb34de6cacba861c9d7e4bcabe633bd50d294e6f42a5f47a51c7d19b36de3adf8833";
        rtp_case(gcm(16), ciphertext, "899d7f27beb16a9152cf765ee4390cce");
    }

    #[test]
    fn rfc_7714_16_2_1_and_16_2_2_aead_aes_256_gcm() {
        let ciphertext = "32b1de78a822fe12ef9f78fa332e33aab18012389a58e2f3b50b2a0276ffae0f1ba63799b87b";
        rtp_case(gcm(32), ciphertext, "7aa3db36dfffd6b0f9bb7878d7a76c13");
    }

    #[test]
    fn rfc_7714_16_1_3_to_16_1_4_and_16_2_3_to_16_2_4_tagging_only() {
        for (key_len, expected) in [(16, "22493f82d2bce397e9d79e3b19aa4216"), (32, "a866d5910f887463067ceefec45215d4")]
        {
            let gcm = gcm(key_len);
            let iv = gcm.iv(0x5501_a0b2, INDEX);
            assert_eq!(iv, hex_array("51753c6580c2726f20718414"));
            let mut tag = [0; 16];
            gcm.seal(iv, &hex(RTP), &mut [], &mut tag);
            assert_eq!(tag[..], hex(expected));
            assert!(gcm.check(iv, &hex(RTP), &tag));
            tag[15] ^= 1;
            assert!(!gcm.check(iv, &hex(RTP), &tag));
        }
    }

    const RTCP: &str = "81c8000d 4d617273
        4e545031 4e545032 52545020 0000042a 0000e930 4c756e61 deadbeef deadbeef deadbeef deadbeef deadbeef";
    const MARS: u32 = u32::from_be_bytes(*b"Mars");

    #[track_caller]
    fn rtcp_case(gcm: Gcm, word: u32, body: &str, expected_tag: &str) {
        assert_eq!(gcm.iv(MARS, 0x5d4), hex_array("517524055203726f207170bb"));
        let gcm = Transform::Gcm(gcm);
        let (mut packet, mut tag, mut scratch) = (hex(RTCP), [0; 16], Scratch::default());
        gcm.seal_rtcp(&mut packet, MARS, word, &mut tag, &mut scratch);
        assert_eq!((&packet[..8], &packet[8..]), (&hex(RTCP)[..8], &hex(body)[..]));
        assert_eq!(tag[..], hex(expected_tag));
        let mut stripped = packet.clone();
        assert!(gcm.open_rtcp(&mut packet, MARS, word, &tag, &mut scratch));
        assert_eq!(packet, hex(RTCP));
        gcm.strip_rtcp(&mut stripped, MARS, word);
        assert_eq!(stripped, hex(RTCP));
    }

    #[test]
    fn rfc_7714_17_1_and_17_2_srtcp_encryption() {
        let body = "63e94885dcdab67ca727d7662f6b7e997ff5c0f76c06f32dc676a5f1730d6fda4ce09b4686303ded0bb9275b";
        rtcp_case(gcm(16), E_FLAG | 0x5d4, body, "c84aa45896cf4d2fc5abf87245d9eade");
        let body = "d50ae4d1f5ce5d304ba297e47d470c282c3ece5dbffe0a50a2eaa5c1110555be8415f658c61de0476f1b6fad";
        rtcp_case(gcm(32), E_FLAG | 0x5d4, body, "1d1eb30c4446839f57ff6f6cb26ac3be");
    }

    #[test]
    fn rfc_7714_17_3_and_17_4_srtcp_tagging_only() {
        let clear = &RTCP[18..];
        rtcp_case(gcm(16), 0x5d4, clear, "841dd9683dd78ec92ae58790125f62b3");
        rtcp_case(gcm(32), 0x5d4, clear, "91db4afbfeee5a978fab4393ed2615fe");
    }
}
