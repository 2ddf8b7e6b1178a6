//! AES-128 in counter mode with HMAC-SHA1: RFC 3711, sections 4.1.1 and 4.2.1.

use aes::Aes128;
use aes::cipher::{InnerIvInit, KeyInit as _, StreamCipherCore};
use ctr::{CtrCore, flavors};
use hmac::{Hmac, Mac};
use sha1::Sha1;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::Profile;
use crate::key_derivation::{Label, MasterKey};
use crate::packet::{RTCP_CLEAR_BYTES, Rtp};
use crate::profile::SRTCP_WORD_BYTES;
use crate::transform::{E_FLAG, Transform, word_at};

const SALT_BYTES: usize = 14; // RFC 3711, section 4.1.1: 112 bits
const MAC_KEY_BYTES: usize = 20; // RFC 3711, section 5.2: 160 bits
const MAC_BYTES: usize = 20; // SHA-1; truncated to the profile's tag

/// The session keys of one profile, `AES_CM_128_HMAC_SHA1_80` or `_32`.
pub(crate) struct AesCm {
    rtp: Keys,
    rtcp: Keys,
    rtp_tag_len: usize,
    rtcp_tag_len: usize,
}

/// One session encryption key with its salt and authentication key, all expanded.
struct Keys {
    cipher: Aes128,
    salt: Zeroizing<[u8; SALT_BYTES]>,
    mac: Hmac<Sha1>,
}

impl AesCm {
    pub(crate) fn new(profile: Profile, master: &MasterKey) -> Self {
        Self {
            rtp: Keys::derive(master, [Label::RtpEncryption, Label::RtpSalt, Label::RtpAuthentication]),
            rtcp: Keys::derive(master, [Label::RtcpEncryption, Label::RtcpSalt, Label::RtcpAuthentication]),
            rtp_tag_len: profile.tag_len(),
            rtcp_tag_len: profile.rtcp_tag_len(),
        }
    }
}

impl Transform for AesCm {
    fn seal_rtp(&self, packet: &mut Vec<u8>, header: Rtp, index: u64) {
        self.rtp.keystream(header.ssrc, index, &mut packet[header.header_len..]);
        // RFC 3711, section 3.3: encrypt, then authenticate header and ciphertext.
        let mac = self.rtp.mac(packet, &rollover_counter(index));
        packet.extend_from_slice(&mac[..self.rtp_tag_len]);
    }

    fn open_rtp(&self, packet: &mut Vec<u8>, header: Rtp, index: u64) -> bool {
        let (body, tag) = packet.split_at(packet.len() - self.rtp_tag_len);
        let genuine = matches(&self.rtp.mac(body, &rollover_counter(index)), tag);
        if genuine {
            self.strip_rtp(packet, header, index);
        }
        genuine
    }

    fn strip_rtp(&self, packet: &mut Vec<u8>, header: Rtp, index: u64) {
        if let Some(end) = packet.len().checked_sub(self.rtp_tag_len).filter(|end| *end >= header.header_len) {
            packet.truncate(end);
        }
        self.rtp.keystream(header.ssrc, index, &mut packet[header.header_len..]);
    }

    fn seal_rtcp(&self, packet: &mut Vec<u8>, ssrc: u32, word: u32) {
        if word & E_FLAG != 0 {
            self.rtcp.keystream(ssrc, u64::from(word & !E_FLAG), &mut packet[RTCP_CLEAR_BYTES..]);
        }
        // RFC 3711, section 3.4: the word follows the encrypted part and is authenticated, the tag comes last.
        packet.extend_from_slice(&word.to_be_bytes());
        let mac = self.rtcp.mac(packet, &[]);
        packet.extend_from_slice(&mac[..self.rtcp_tag_len]);
    }

    fn rtcp_word(&self, packet: &[u8]) -> u32 {
        word_at(packet, packet.len() - self.rtcp_tag_len - SRTCP_WORD_BYTES)
    }

    fn open_rtcp(&self, packet: &mut Vec<u8>, ssrc: u32, word: u32) -> bool {
        let (body, tag) = packet.split_at(packet.len() - self.rtcp_tag_len);
        let genuine = matches(&self.rtcp.mac(body, &[]), tag);
        if genuine {
            self.strip_rtcp(packet, ssrc, word);
        }
        genuine
    }

    fn strip_rtcp(&self, packet: &mut Vec<u8>, ssrc: u32, word: u32) {
        packet.truncate(packet.len() - self.rtcp_tag_len - SRTCP_WORD_BYTES);
        if word & E_FLAG != 0 {
            self.rtcp.keystream(ssrc, u64::from(word & !E_FLAG), &mut packet[RTCP_CLEAR_BYTES..]);
        }
    }
}

impl Keys {
    fn derive(master: &MasterKey, [encryption, salting, authentication]: [Label; 3]) -> Self {
        let mut key = Zeroizing::new([0; 16]);
        let mut salt = Zeroizing::new([0; SALT_BYTES]);
        let mut mac_key = Zeroizing::new([0; MAC_KEY_BYTES]);
        master.derive(encryption, &mut *key);
        master.derive(salting, &mut *salt);
        master.derive(authentication, &mut *mac_key);
        Self::new(&key, salt, &mac_key)
    }

    fn new(key: &[u8; 16], salt: Zeroizing<[u8; SALT_BYTES]>, mac_key: &[u8; MAC_KEY_BYTES]) -> Self {
        let mac = Hmac::<Sha1>::new_from_slice(mac_key).expect("hmac takes keys of any length");
        Self { cipher: Aes128::new(key.into()), salt, mac }
    }

    /// XORs the keystream of this packet onto `data`.
    fn keystream(&self, ssrc: u32, index: u64, data: &mut [u8]) {
        // RFC 3711, section 4.1.1: IV = (salt * 2^16) XOR (SSRC * 2^64) XOR (index * 2^16).
        let mut iv = [0; 16];
        iv[..SALT_BYTES].copy_from_slice(&*self.salt);
        xor(&mut iv[4..8], &ssrc.to_be_bytes());
        xor(&mut iv[8..14], &index.to_be_bytes()[2..]);
        CtrCore::<_, flavors::Ctr128BE>::inner_iv_init(&self.cipher, &iv.into()).apply_keystream_partial(data.into());
    }

    /// HMAC-SHA1 over `body` and `suffix`. RFC 3711, section 4.2.1.
    fn mac(&self, body: &[u8], suffix: &[u8]) -> [u8; MAC_BYTES] {
        let mut mac = self.mac.clone(); // the two key blocks are already hashed
        mac.update(body);
        mac.update(suffix);
        mac.finalize().into_bytes().into()
    }
}

/// RFC 3711, section 4.2: the rollover counter is authenticated behind an RTP packet although it is not sent.
fn rollover_counter(index: u64) -> [u8; 4] {
    ((index >> 16) as u32).to_be_bytes()
}

/// Compares the leading bytes in constant time; how many bytes agree is nobody's business.
fn matches(mac: &[u8; MAC_BYTES], tag: &[u8]) -> bool {
    mac[..tag.len()].ct_eq(tag).into()
}

fn xor(target: &mut [u8], source: &[u8]) {
    target.iter_mut().zip(source).for_each(|(t, s)| *t ^= s);
}

#[cfg(test)]
mod tests {
    use zeroize::Zeroizing;

    use super::{AesCm, Keys};
    use crate::Profile;
    use crate::key_derivation::MasterKey;
    use crate::packet::Rtp;
    use crate::transform::testing::{hex, hex_array};
    use crate::transform::{E_FLAG, Transform};

    /// RFC 3711, appendix B.2.
    #[test]
    fn keystream_of_the_rfc() {
        let key = hex_array("2B7E151628AED2A6ABF7158809CF4F3C");
        let salt = Zeroizing::new(hex_array("F0F1F2F3F4F5F6F7F8F9FAFBFCFD"));
        let mut data = vec![0; 0xff02 * 16];
        Keys::new(&key, salt, &[0; 20]).keystream(0, 0, &mut data);
        let case = |counter: usize, expected| assert_eq!(data[counter * 16..][..16], hex(expected));
        case(0x0000, "E03EAD0935C95E80E166B16DD92B4EB4");
        case(0x0001, "D23513162B02D0F72A43A2FE4A5F97AB");
        case(0x0002, "41E95B3BB0A2E8DD477901E4FCA894C0");
        case(0xfeff, "EC8CDF7398607CB0F2D21675EA9EA1E4");
        case(0xff00, "362B7C3C6773516318A077D7FC5073AE");
        case(0xff01, "6A2CC3787889374FBEB4C81B17BA6C44");
    }

    /// The packets that libsrtp's own self-test compares, under the master key of RFC 3711, appendix B.3.
    #[test]
    fn whole_packets_as_libsrtp_makes_them() {
        let profile = Profile::AesCm128HmacSha1_80;
        let key = hex("E1F97A0D3E018BE0D64FA32C06DE4139");
        let master = MasterKey::new(profile, &key, &hex("0EC675AD498AFEEBB6960B3AABE6")).unwrap();
        let cm = AesCm::new(profile, &master);

        let rtp = hex("800f1234decafbadcafebabe abababababababababababababababab");
        let sealed = hex("800f1234decafbadcafebabe 4e55dc4ce79978d88ca4d215949d2402 b78d6acc99ea179b8dbb");
        let header = Rtp::parse(&rtp).unwrap();
        let mut packet = rtp.clone();
        cm.seal_rtp(&mut packet, header, 0x1234);
        assert_eq!(packet, sealed);
        assert!(cm.open_rtp(&mut packet, header, 0x1234));
        assert_eq!(packet, rtp);

        let rtcp = hex("81c8000bcafebabe abababababababababababababababab");
        let sealed = hex("81c8000bcafebabe 7128035be487b9bdbef89041f977a5a8 80000001 993e08cd54d6c1230798");
        let mut packet = rtcp.clone();
        cm.seal_rtcp(&mut packet, 0xcafe_babe, E_FLAG | 1);
        assert_eq!(packet, sealed);
        assert_eq!(cm.rtcp_word(&packet), E_FLAG | 1);
        assert!(cm.open_rtcp(&mut packet, 0xcafe_babe, E_FLAG | 1));
        assert_eq!(packet, rtcp);
    }

    /// The key schedules wipe themselves only if the crates' features are on.
    #[test]
    fn expanded_keys_are_wiped() {
        fn wiped<T: zeroize::ZeroizeOnDrop>() {}
        wiped::<aes::Aes128>();
        wiped::<sha1::block_api::Sha1Core>();
        wiped::<Zeroizing<[u8; 14]>>();
    }
}
