//! AES-GCM: RFC 7714.

use aes::cipher::consts::{U12, U16};
use aes::cipher::{BlockCipherEncrypt, BlockSizeUser, InnerIvInit, KeyInit, StreamCipherCore};
use aes_gcm::{AeadInOut, AesGcm};
use ctr::{CtrCore, flavors};
use zeroize::Zeroizing;

use crate::key_derivation::{Label, MasterKey};
use crate::packet::{RTCP_CLEAR_BYTES, Rtp};
use crate::profile::SRTCP_WORD_BYTES;
use crate::transform::{E_FLAG, Transform, word_at};

const SALT_BYTES: usize = 12; // RFC 7714, section 8.1
const TAG_BYTES: usize = 16; // RFC 7714, section 13.2: never truncated
const SRTCP_TAIL_BYTES: usize = TAG_BYTES + SRTCP_WORD_BYTES;

/// An AES that GCM can be built from; `Aes128` and `Aes256`.
pub(crate) trait Aes:
    BlockSizeUser<BlockSize = U16> + BlockCipherEncrypt + KeyInit + Clone + Send + Sync
{
}
impl<A: BlockSizeUser<BlockSize = U16> + BlockCipherEncrypt + KeyInit + Clone + Send + Sync> Aes for A {}

/// The session keys of `AEAD_AES_128_GCM` or `AEAD_AES_256_GCM`.
pub(crate) struct Gcm<A: Aes> {
    rtp: Keys<A>,
    rtcp: Keys<A>,
}

/// One session key with its salt, expanded.
struct Keys<A: Aes> {
    gcm: AesGcm<A, U12>,
    /// The same key once more, to decrypt without a tag (`bend`): `AesGcm` does not lend its own.
    cipher: A,
    salt: Zeroizing<[u8; SALT_BYTES]>,
}

impl<A: Aes> Gcm<A> {
    pub(crate) fn new(master: &MasterKey) -> Self {
        Self {
            rtp: Keys::derive(master, Label::RtpEncryption, Label::RtpSalt),
            rtcp: Keys::derive(master, Label::RtcpEncryption, Label::RtcpSalt),
        }
    }
}

impl<A: Aes> Transform for Gcm<A> {
    fn seal_rtp(&self, packet: &mut Vec<u8>, header: Rtp, index: u64) {
        // RFC 7714, section 8.2: the header, CSRCs and extension included, is the associated data.
        let (header_bytes, payload) = packet.split_at_mut(header.header_len);
        let tag = self.rtp.seal(&self.rtp.rtp_iv(header.ssrc, index), header_bytes, payload);
        packet.extend_from_slice(&tag);
    }

    fn open_rtp(&self, packet: &mut Vec<u8>, header: Rtp, index: u64) -> bool {
        let end = packet.len() - TAG_BYTES;
        let (body, tag) = packet.split_at_mut(end);
        let (header_bytes, payload) = body.split_at_mut(header.header_len);
        let genuine = self.rtp.open(&self.rtp.rtp_iv(header.ssrc, index), header_bytes, payload, tag);
        if genuine {
            packet.truncate(end);
        }
        genuine
    }

    fn strip_rtp(&self, packet: &mut Vec<u8>, header: Rtp, index: u64) {
        if let Some(end) = packet.len().checked_sub(TAG_BYTES).filter(|end| *end >= header.header_len) {
            packet.truncate(end);
        }
        self.rtp.keystream(&self.rtp.rtp_iv(header.ssrc, index), &mut packet[header.header_len..]);
    }

    fn seal_rtcp(&self, packet: &mut Vec<u8>, ssrc: u32, word: u32) {
        let iv = self.rtcp.rtcp_iv(ssrc, word);
        if word & E_FLAG != 0 {
            let aad = encrypted_rtcp_aad(packet, word);
            let tag = self.rtcp.seal(&iv, &aad, &mut packet[RTCP_CLEAR_BYTES..]);
            packet.extend_from_slice(&tag);
            packet.extend_from_slice(&word.to_be_bytes());
        } else {
            // RFC 7714, section 9.3: everything is associated data, the word last; but on the wire the tag precedes it.
            packet.extend_from_slice(&word.to_be_bytes());
            let tag = self.rtcp.seal(&iv, packet, &mut []);
            packet.extend_from_slice(&tag);
            tail(packet).rotate_left(SRTCP_WORD_BYTES);
        }
    }

    fn rtcp_word(&self, packet: &[u8]) -> u32 {
        // RFC 7714, section 9.2: unlike in RFC 3711 the word stands behind the tag, at the very end.
        word_at(packet, packet.len() - SRTCP_WORD_BYTES)
    }

    fn open_rtcp(&self, packet: &mut Vec<u8>, ssrc: u32, word: u32) -> bool {
        let iv = self.rtcp.rtcp_iv(ssrc, word);
        let end = packet.len() - SRTCP_TAIL_BYTES;
        let genuine = if word & E_FLAG != 0 {
            let aad = encrypted_rtcp_aad(packet, word);
            let (body, rest) = packet.split_at_mut(end);
            self.rtcp.open(&iv, &aad, &mut body[RTCP_CLEAR_BYTES..], &rest[..TAG_BYTES])
        } else {
            // Tag and word change places so that the associated data is one slice, and back again on failure.
            tail(packet).rotate_left(TAG_BYTES);
            let (aad, tag) = packet.split_at(end + SRTCP_WORD_BYTES);
            let genuine = self.rtcp.open(&iv, aad, &mut [], tag);
            tail(packet).rotate_right(TAG_BYTES);
            genuine
        };
        if genuine {
            packet.truncate(end);
        }
        genuine
    }

    fn strip_rtcp(&self, packet: &mut Vec<u8>, ssrc: u32, word: u32) {
        packet.truncate(packet.len() - SRTCP_TAIL_BYTES);
        if word & E_FLAG != 0 {
            self.rtcp.keystream(&self.rtcp.rtcp_iv(ssrc, word), &mut packet[RTCP_CLEAR_BYTES..]);
        }
    }
}

impl<A: Aes> Keys<A> {
    fn derive(master: &MasterKey, encryption: Label, salting: Label) -> Self {
        let mut key = Zeroizing::new([0; 32]);
        let key = &mut key[..A::key_size()];
        let mut salt = Zeroizing::new([0; SALT_BYTES]);
        master.derive(encryption, key);
        master.derive(salting, &mut *salt);
        Self::new(key, salt)
    }

    fn new(key: &[u8], salt: Zeroizing<[u8; SALT_BYTES]>) -> Self {
        let cipher = A::new_from_slice(key).expect("the key was cut to the cipher's length");
        Self { gcm: AesGcm::from(cipher.clone()), cipher, salt }
    }

    /// RFC 7714, section 8.1: two zero bytes, SSRC, rollover counter and sequence number, XOR the salt.
    fn rtp_iv(&self, ssrc: u32, index: u64) -> [u8; SALT_BYTES] {
        let mut iv = [0; SALT_BYTES];
        iv[2..6].copy_from_slice(&ssrc.to_be_bytes());
        iv[6..].copy_from_slice(&index.to_be_bytes()[2..]);
        self.salted(iv)
    }

    /// RFC 7714, section 9.1: two zero bytes, SSRC, two zero bytes, the index without its flag, XOR the salt.
    fn rtcp_iv(&self, ssrc: u32, word: u32) -> [u8; SALT_BYTES] {
        let mut iv = [0; SALT_BYTES];
        iv[2..6].copy_from_slice(&ssrc.to_be_bytes());
        iv[8..].copy_from_slice(&(word & !E_FLAG).to_be_bytes());
        self.salted(iv)
    }

    fn salted(&self, mut iv: [u8; SALT_BYTES]) -> [u8; SALT_BYTES] {
        iv.iter_mut().zip(&*self.salt).for_each(|(byte, salt)| *byte ^= salt);
        iv
    }

    fn seal(&self, iv: &[u8; SALT_BYTES], aad: &[u8], data: &mut [u8]) -> [u8; TAG_BYTES] {
        let tag = self.gcm.encrypt_inout_detached(iv.into(), aad, data.into());
        tag.expect("a datagram is far below GCM's limits").into()
    }

    /// Leaves `data` alone if the tag does not match; `aes-gcm` compares in constant time and before it decrypts.
    fn open(&self, iv: &[u8; SALT_BYTES], aad: &[u8], data: &mut [u8], tag: &[u8]) -> bool {
        let Ok(tag) = <&[u8; TAG_BYTES]>::try_from(tag) else { return false };
        self.gcm.decrypt_inout_detached(iv.into(), aad, data.into(), tag.into()).is_ok()
    }

    /// GCM's encryption without its tag: counter mode that starts at 2. NIST SP 800-38D, section 7.1.
    fn keystream(&self, iv: &[u8; SALT_BYTES], data: &mut [u8]) {
        let mut counter = [0; 16];
        counter[..SALT_BYTES].copy_from_slice(iv);
        counter[15] = 2;
        CtrCore::<_, flavors::Ctr32BE>::inner_iv_init(&self.cipher, &counter.into())
            .apply_keystream_partial(data.into());
    }
}

/// RFC 7714, section 9.2: the clear header and the index word, which on the wire stand far apart.
fn encrypted_rtcp_aad(packet: &[u8], word: u32) -> [u8; RTCP_CLEAR_BYTES + SRTCP_WORD_BYTES] {
    let mut aad = [0; RTCP_CLEAR_BYTES + SRTCP_WORD_BYTES];
    aad[..RTCP_CLEAR_BYTES].copy_from_slice(&packet[..RTCP_CLEAR_BYTES]);
    aad[RTCP_CLEAR_BYTES..].copy_from_slice(&word.to_be_bytes());
    aad
}

/// Tag and index word of a protected RTCP packet.
fn tail(packet: &mut [u8]) -> &mut [u8] {
    let start = packet.len() - SRTCP_TAIL_BYTES;
    &mut packet[start..]
}

#[cfg(test)]
mod tests {
    use aes::{Aes128, Aes256};
    use zeroize::Zeroizing;

    use super::{Aes, Gcm, Keys};
    use crate::packet::Rtp;
    use crate::transform::testing::{hex, hex_array};
    use crate::transform::{E_FLAG, Transform};

    /// RFC 7714, sections 16 and 17: session keys 00 01 02 ..., salt "Quid pro quo".
    fn gcm<A: Aes>() -> Gcm<A> {
        let key: Vec<u8> = (0..32).collect();
        let keys = || Keys::new(&key[..A::key_size()], Zeroizing::new(hex_array("517569642070726f2071756f")));
        Gcm { rtp: keys(), rtcp: keys() }
    }

    const RTP: &str = "8040f17b 8041f8d3 5501a0b2
        47616c6c696120657374206f6d6e69732064697669736120696e207061727465732074726573"; // "Gallia est omnis ..."

    #[track_caller]
    fn rtp_case(gcm: &dyn Transform, sealed: &str) {
        let mut packet = hex(RTP);
        let header = Rtp::parse(&packet).unwrap();
        gcm.seal_rtp(&mut packet, header, 0xf17b);
        assert_eq!(packet, hex(sealed));
        let mut stripped = packet.clone();
        assert!(gcm.open_rtp(&mut packet, header, 0xf17b));
        assert_eq!(packet, hex(RTP));
        gcm.strip_rtp(&mut stripped, header, 0xf17b);
        assert_eq!(stripped, hex(RTP));
    }

    /// RFC 7714, sections 16.1.1 and 16.2.1.
    #[test]
    fn rtp_packets_of_the_rfc() {
        let sealed = "8040f17b 8041f8d3 5501a0b2 f24de3a3 fb34de6c acba861c 9d7e4bca be633bd5 0d294e6f 42a5f47a
            51c7d19b 36de3adf 8833899d 7f27beb1 6a9152cf 765ee439 0cce";
        rtp_case(&gcm::<Aes128>(), sealed);
        let sealed = "8040f17b 8041f8d3 5501a0b2 32b1de78 a822fe12 ef9f78fa 332e33aa b1801238 9a58e2f3 b50b2a02
            76ffae0f 1ba63799 b87b7aa3 db36dfff d6b0f9bb 7878d7a7 6c13";
        rtp_case(&gcm::<Aes256>(), sealed);
    }

    const RTCP: &str = "81c8000d 4d617273
        4e545031 4e545032 52545020 0000042a 0000e930 4c756e61 deadbeef deadbeef deadbeef deadbeef deadbeef";

    #[track_caller]
    fn rtcp_case(gcm: &dyn Transform, word: u32, sealed: &str) {
        const MARS: u32 = u32::from_be_bytes(*b"Mars");
        let mut packet = hex(RTCP);
        gcm.seal_rtcp(&mut packet, MARS, word);
        assert_eq!(packet, hex(sealed));
        assert_eq!(gcm.rtcp_word(&packet), word);
        let mut stripped = packet.clone();
        assert!(gcm.open_rtcp(&mut packet, MARS, word));
        assert_eq!(packet, hex(RTCP));
        gcm.strip_rtcp(&mut stripped, MARS, word);
        assert_eq!(stripped, hex(RTCP));
    }

    /// RFC 7714, sections 17.1 to 17.4: encrypted with either key, and tagged only.
    #[test]
    fn rtcp_packets_of_the_rfc() {
        let sealed = "81c8000d 4d617273 63e94885dcdab67ca727d7662f6b7e997ff5c0f76c06f32dc676a5f1730d6fda4ce09b46
            86303ded0bb9275b c84aa45896cf4d2fc5abf87245d9eade 800005d4";
        rtcp_case(&gcm::<Aes128>(), E_FLAG | 0x5d4, sealed);
        let sealed = "81c8000d 4d617273 d50ae4d1f5ce5d304ba297e47d470c282c3ece5dbffe0a50a2eaa5c1110555be8415f658
            c61de0476f1b6fad 1d1eb30c4446839f57ff6f6cb26ac3be 800005d4";
        rtcp_case(&gcm::<Aes256>(), E_FLAG | 0x5d4, sealed);
        rtcp_case(&gcm::<Aes128>(), 0x5d4, &format!("{RTCP} 841dd9683dd78ec92ae58790125f62b3 000005d4"));
        rtcp_case(&gcm::<Aes256>(), 0x5d4, &format!("{RTCP} 91db4afbfeee5a978fab4393ed2615fe 000005d4"));
    }

    /// The key schedules wipe themselves only if the crates' features are on.
    #[test]
    fn expanded_keys_are_wiped() {
        fn wiped<T: zeroize::ZeroizeOnDrop>() {}
        wiped::<Aes128>();
        wiped::<Aes256>();
        wiped::<aes_gcm::Aes128Gcm>();
        wiped::<aes_gcm::Aes256Gcm>();
    }
}
