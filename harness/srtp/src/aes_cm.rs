//! AES in counter mode: RFC 3711, section 4.1.1; with 256-bit keys RFC 6188.
//!
//! The primitive is AWS-LC's, as GCM's is; ring has none, and RustCrypto's is slower from some 300 bytes on (README, "Where the
//! time goes"). It wipes its key schedules on drop.

use aws_lc_rs::cipher::{AES_128, AES_256, EncryptingKey, EncryptionContext, UnboundCipherKey};
use aws_lc_rs::iv::FixedLength;
use zeroize::Zeroizing;

use crate::hmac_sha1::{HmacSha1, KEY_BYTES};
use crate::key_derivation::{Labels, MasterKey};

const BLOCK_BYTES: usize = 16; // FIPS 197: AES works on 128 bits
const SALT_BYTES: usize = 14; // RFC 3711, section 4.1.1: 112 bits; RFC 6188, section 2: with any key length

/// A session encryption key with its salt.
pub(crate) struct AesCm {
    key: EncryptingKey,
    /// As a number, so that IVs are computed as the RFC writes them.
    salt: Zeroizing<u128>,
}

impl AesCm {
    pub(crate) fn derive(master: &MasterKey, labels: Labels, r: u64) -> Self {
        let mut key = Zeroizing::new([0; 32]);
        let key = &mut key[..master.key_len()];
        let mut salt = Zeroizing::new([0; BLOCK_BYTES]);
        master.derive(labels.encryption, r, key);
        master.derive(labels.salt, r, &mut salt[BLOCK_BYTES - SALT_BYTES..]);
        Self { key: expand(key), salt: Zeroizing::new(u128::from_be_bytes(*salt)) }
    }

    /// Encrypts `payload`, or decrypts it: XORs the keystream of this packet onto it.
    #[inline]
    pub(crate) fn crypt(&self, ssrc: u32, index: u64, payload: &mut [u8]) {
        // RFC 3711, section 4.1.1.
        let iv = *self.salt << 16 ^ u128::from(ssrc) << 64 ^ u128::from(index) << 16;
        keystream(&self.key, iv.to_be_bytes(), payload);
    }
}

/// The session authentication key. RFC 3711, section 4.3.1.
pub(crate) fn authentication(master: &MasterKey, labels: Labels, r: u64) -> HmacSha1 {
    let mut key = Zeroizing::new([0; KEY_BYTES]);
    master.derive(labels.authentication, r, &mut *key);
    HmacSha1::new(&key)
}

/// The key schedule of AES-128 or AES-256.
pub(crate) fn expand(key: &[u8]) -> EncryptingKey {
    let algorithm = if key.len() == 32 { &AES_256 } else { &AES_128 };
    let key = UnboundCipherKey::new(algorithm, key).and_then(EncryptingKey::ctr);
    key.expect("every profile's keys have 16 or 32 bytes")
}

/// XORs E(IV) || E(IV + 1) || ... onto `data`.
#[inline]
pub(crate) fn keystream(key: &EncryptingKey, iv: [u8; BLOCK_BYTES], data: &mut [u8]) {
    let context = EncryptionContext::Iv128(FixedLength::from(iv));
    key.less_safe_encrypt(data, context).expect("counter mode takes data of any length");
}

#[cfg(test)]
mod tests {
    use zeroize::Zeroizing;

    use super::{AesCm, expand};
    use crate::testing::hex;

    fn data(key: &str) -> Vec<u8> {
        const SALT: u128 = 0xf0f1_f2f3_f4f5_f6f7_f8f9_fafb_fcfd; // of both sections
        let mut data = vec![0; 0xff02 * 16];
        AesCm { key: expand(&hex(key)), salt: Zeroizing::new(SALT) }.crypt(0, 0, &mut data);
        data
    }

    #[test]
    fn rfc_3711_b_2_aes_cm() {
        let data = data("2B7E151628AED2A6ABF7158809CF4F3C");
        let case = |counter: usize, expected| assert_eq!(data[counter * 16..][..16], hex(expected));
        case(0x0000, "E03EAD0935C95E80E166B16DD92B4EB4");
        case(0x0001, "D23513162B02D0F72A43A2FE4A5F97AB");
        case(0x0002, "41E95B3BB0A2E8DD477901E4FCA894C0");
        case(0xfeff, "EC8CDF7398607CB0F2D21675EA9EA1E4");
        case(0xff00, "362B7C3C6773516318A077D7FC5073AE");
        case(0xff01, "6A2CC3787889374FBEB4C81B17BA6C44");
    }

    #[test]
    fn rfc_6188_7_1_aes_256_ctr() {
        let key = "57f82fe3613fd170a85ec93c40b1f0922ec4cb0dc025b58272147cc438944a98";
        let data = data(key);
        let case = |counter: usize, expected| assert_eq!(data[counter * 16..][..16], hex(expected));
        case(0x0000, "92bdd28a93c3f52511c677d08b5515a4");
        case(0x0001, "9da71b2378a854f67050756ded165bac");
        case(0x0002, "63c4868b7096d88421b563b8c94c9a31");
        case(0xfeff, "cea518c90fd91ced9cbb18c078a54711");
        case(0xff00, "3dbc4814f4da5f00a08772b63c6a046d");
        case(0xff01, "6eb246913062a16891433e97dd01a57f");
    }
}
