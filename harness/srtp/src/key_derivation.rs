//! From the DTLS exporter to master keys, and from a master key to session keys.

use std::fmt;

use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::aes_cm::{expand, keystream};
use crate::{KeyError, Profile};

/// The label to give to the DTLS exporter, without context. RFC 5764, section 4.2.
pub const EXPORTER_LABEL: &str = "EXTRACTOR-dtls_srtp";

/// What session keys are for. RFC 3711, sections 4.3.1 and 4.3.2.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Labels {
    pub encryption: u8,
    pub authentication: u8,
    pub salt: u8,
}

/// RFC 3711, section 4.3.1.
pub(crate) const RTP: Labels = Labels { encryption: 0x00, authentication: 0x01, salt: 0x02 };
/// RFC 3711, section 4.3.2.
pub(crate) const RTCP: Labels = Labels { encryption: 0x03, authentication: 0x04, salt: 0x05 };

/// A master key and master salt of a profile, for one direction. Wiped on drop; `Debug` prints nothing of either.
#[derive(Clone)]
pub struct MasterKey {
    profile: Profile,
    key: Zeroizing<Vec<u8>>,
    salt: Zeroizing<Vec<u8>>,
}

impl MasterKey {
    /// Takes copies of a master key and salt of exactly [`Profile::key_len`] and [`Profile::salt_len`] bytes.
    ///
    /// # Errors
    /// [`KeyError::Length`] if either has another length.
    pub fn new(profile: Profile, key: &[u8], salt: &[u8]) -> Result<Self, KeyError> {
        exactly("master key", profile.key_len(), key)?;
        exactly("master salt", profile.salt_len(), salt)?;
        Ok(Self { profile, key: Zeroizing::new(key.to_vec()), salt: Zeroizing::new(salt.to_vec()) })
    }

    /// The profile that it was made for.
    pub fn profile(&self) -> Profile {
        self.profile
    }

    /// Bytes of the key.
    pub(crate) fn key_len(&self) -> usize {
        self.key.len()
    }

    /// Whether both are the same key and salt. In constant time.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        (self.key.ct_eq(&other.key) & self.salt.ct_eq(&other.salt)).into()
    }

    /// Fills `out` with the session key for `label`; `r` is the packet index divided by the key derivation rate, 0 without
    /// one.
    pub(crate) fn derive(&self, label: u8, r: u64, out: &mut [u8]) {
        // RFC 3711, section 4.3.1: x = (label || r) XOR the 112-bit master salt, aligned on the right; section 4.3.3: the
        // keystream of x * 2^16 (AES_CM_PRF; with 256-bit keys AES_256_CM_PRF of RFC 6188, section 3, and RFC 7714,
        // section 11). r has 48 bits for SRTCP too: erratum 3712, and what libsrtp2 and its like do. A 96-bit salt (GCM)
        // fills the first 12 bytes and leaves zeros behind it; RFC 7714 is silent on it, its implementations do just this.
        let mut iv = Zeroizing::new([0; 16]);
        iv[..self.salt.len()].copy_from_slice(&self.salt);
        iv[7] ^= label;
        iv[8..14].iter_mut().zip(&r.to_be_bytes()[2..]).for_each(|(byte, r)| *byte ^= r);
        out.fill(0);
        keystream(&expand(&self.key), *iv, out);
    }
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MasterKey([redacted])")
    }
}

/// The master keys of both sides of one DTLS association.
#[derive(Debug, Clone)]
pub struct MasterKeys {
    /// Protects what the DTLS client sends.
    pub client: MasterKey,
    /// Protects what the DTLS server sends.
    pub server: MasterKey,
}

impl MasterKeys {
    /// Cuts the exporter's output into the master keys: client key, server key, client salt, server salt
    /// (RFC 5764, section 4.2). `bytes` has exactly [`Profile::keying_material_len`] bytes.
    ///
    /// # Errors
    /// [`KeyError::Length`] if it has another length.
    pub fn from_exporter(profile: Profile, bytes: &[u8]) -> Result<Self, KeyError> {
        exactly("keying material", profile.keying_material_len(), bytes)?;
        let (keys, salts) = bytes.split_at(2 * profile.key_len());
        let (client_key, server_key) = keys.split_at(profile.key_len());
        let (client_salt, server_salt) = salts.split_at(profile.salt_len());
        Ok(Self {
            client: MasterKey::new(profile, client_key, client_salt)?,
            server: MasterKey::new(profile, server_key, server_salt)?,
        })
    }
}

fn exactly(field: &'static str, expected: usize, bytes: &[u8]) -> Result<(), KeyError> {
    let actual = bytes.len();
    if actual == expected { Ok(()) } else { Err(KeyError::Length { field, expected, actual }) }
}

#[cfg(test)]
mod tests {
    use super::{Labels, MasterKey, MasterKeys, RTCP, RTP};
    use crate::testing::hex;
    use crate::{KeyError, Profile};

    fn master(key: &str, salt: &str) -> MasterKey {
        let profile = if key.len() == 64 { Profile::AesCm256HmacSha1_80 } else { Profile::AesCm128HmacSha1_80 };
        MasterKey::new(profile, &hex(key), &hex(salt)).unwrap()
    }

    #[track_caller]
    fn case(master: &MasterKey, label: u8, r: u64, expected: &str) {
        let mut out = vec![0xff; expected.len() / 2];
        master.derive(label, r, &mut out);
        assert_eq!(out, hex(expected));
    }

    #[test]
    fn rfc_3711_b_3_key_derivation() {
        let master = master("E1F97A0D3E018BE0D64FA32C06DE4139", "0EC675AD498AFEEBB6960B3AABE6");
        case(&master, RTP.encryption, 0, "C61E7A93744F39EE10734AFE3FF7A087");
        case(&master, RTP.salt, 0, "30CBBC08863D8C85D49DB34A9AE1");
        let authentication = "CEBE321F6FF7716B6FD4AB49AF256A156D38BAA48F0A0ACF3C34E2359E6CDBCEE049646C43D9327AD175578EF7227\
            0986371C10C9A369AC2F94A8C5FBCDDDC256D6E919A48B610EF17C2041E474035766B68642C59BBFC2F34DB60DBDFB2";
        case(&master, RTP.authentication, 0, authentication);
    }

    #[test]
    fn rfc_6188_7_2_key_derivation() {
        let key = "f0f04914b513f2763a1b1fa130f10e2998f6f6e43e4309d1e622a0e332b9f1b6";
        let master = master(key, "3b04803de51ee7c96423ab5b78d2");
        let encryption = "5ba1064e30ec51613cad926c5a28ef731ec7fb397f70a960653caf06554cd8c4";
        case(&master, RTP.encryption, 0, encryption);
        case(&master, RTP.salt, 0, "fa31791685ca444a9e07c6c64e93");
        case(&master, RTP.authentication, 0, "fd9c32d39ed5fbb5a9dc96b30818454d1313dc05");
    }

    /// Encryption key, authentication key and salt.
    #[track_caller]
    fn keys(master: &MasterKey, labels: Labels, r: u64, expected: [&str; 3]) {
        case(master, labels.encryption, r, expected[0]);
        case(master, labels.authentication, r, expected[1]);
        case(master, labels.salt, r, expected[2]);
    }

    /// NIST ACVP, kdf-components-srtp-1.0, with 48 bits of SRTCP index: test cases 21, 121 and 771.
    #[test]
    fn derivation_rates_of_sp_800_135() {
        let of = master("8c307f105f79d5d2c26b1a933ae22cd5", "563b4c15458d977b68080242cee1");
        let expected = [
            "a920df50eaa111d03fbe9b203121c07d",
            "a337dc070c0dafa942f1e3a27acd3c9917ce4b4d",
            "9e2bc99c86037f2ad98d72927428",
        ];
        keys(&of, RTP, 0x0828_4b49_f520, expected);
        let expected = [
            "a2c079ec6518fec73fa0f30af94739a7",
            "2696b85adb9b56961d1137cbccf49b3fcc6cee51",
            "353c36948021cd2d8c8ed2f5b3d4",
        ];
        keys(&of, RTCP, 0x69b6_2109, expected);

        let of = master("34e438fdbe54904c88247e24ecaa1968", "d05d19bb3e2aff71fdcbe401c706");
        let expected = [
            "4de3c54c905e774782cee45ea2e46525",
            "c7ede76167f833d9086a8658c58569261366498e",
            "471a5d00cc7a41fb8174b126018b",
        ];
        keys(&of, RTP, 0x6254_8e09_9a5d / 1024, expected);
        let expected = [
            "7dbcfec7c3e6b7876941ba5162cb2c4b",
            "f5c9194711b22240300898113290c255cb482ebf",
            "81f77d540c75beaca30c2661bde8",
        ];
        keys(&of, RTCP, 0x016c_559d / 1024, expected);

        let key = "2f1edb98ec702b4f150d6769836f8783aa4e659ffeeaa27ca77df9e9285c6c89";
        let of = master(key, "cfd7a76ae2b21e0892f15af301ba");
        let expected = [
            "e9bb9ac261596bc855fae851815fd3a2f685ac99485e9e892156b47b2ac769ec",
            "f2f70dbf07146bb02d81f342cb910a4d844caaba",
            "06fa72f18e36511883489bb57c8d",
        ];
        keys(&of, RTP, 0xc95d_cd19_3462 / 0x80_0000, expected);
        let expected = [
            "1747d9fe7c70446d810cd8304f09a8e0dcb781ba70fb0edf03dd030613a0a557",
            "94f4ac9174c055d71e76c8a77bbdc2a7d35519dd",
            "f38794d1477bef85c0245f325ca9",
        ];
        keys(&of, RTCP, 0x212e_0a91 / 0x80_0000, expected);
    }

    #[test]
    fn exporter_output_is_cut_in_the_order_of_the_rfc() {
        let bytes: Vec<u8> = (0..56).collect();
        let keys = MasterKeys::from_exporter(Profile::AeadAes128Gcm, &bytes).unwrap();
        assert_eq!(keys.client.key[..], bytes[..16]);
        assert_eq!(keys.server.key[..], bytes[16..32]);
        assert_eq!(keys.client.salt[..], bytes[32..44]);
        assert_eq!(keys.server.salt[..], bytes[44..]);
    }

    #[test]
    fn wrong_lengths_are_named() {
        let wrong = |field, expected, actual| Some(KeyError::Length { field, expected, actual });
        let profile = Profile::AeadAes256Gcm;
        assert_eq!(MasterKey::new(profile, &[0; 16], &[0; 12]).err(), wrong("master key", 32, 16));
        assert_eq!(MasterKey::new(profile, &[0; 32], &[0; 14]).err(), wrong("master salt", 12, 14));
        assert_eq!(MasterKeys::from_exporter(profile, &[0; 60]).err(), wrong("keying material", 88, 60));
    }

    #[test]
    fn nothing_secret_is_printed() {
        let key = MasterKey::new(Profile::AeadAes128Gcm, &[0x5a; 16], &[0x5a; 12]).unwrap();
        assert_eq!(format!("{key:?}"), "MasterKey([redacted])");
    }
}
