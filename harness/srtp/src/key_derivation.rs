//! From the DTLS exporter to master keys, and from a master key to session keys.

use std::fmt;

use aes::cipher::{KeyIvInit, StreamCipher};
use aes::{Aes128, Aes256};
use ctr::Ctr128BE;
use zeroize::Zeroizing;

use crate::{KeyError, Profile};

/// The label to give to the DTLS exporter, without context. RFC 5764, section 4.2.
pub const EXPORTER_LABEL: &str = "EXTRACTOR-dtls_srtp";

/// What a session key is for. RFC 3711, section 4.3.2.
#[derive(Debug, Clone, Copy)]
#[repr(u8)]
pub(crate) enum Label {
    RtpEncryption = 0x00,
    RtpAuthentication = 0x01,
    RtpSalt = 0x02,
    RtcpEncryption = 0x03,
    RtcpAuthentication = 0x04,
    RtcpSalt = 0x05,
}

/// A master key and master salt for one direction. Wiped on drop; `Debug` prints nothing of either.
#[derive(Clone)]
pub struct MasterKey {
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
        Ok(Self { key: Zeroizing::new(key.to_vec()), salt: Zeroizing::new(salt.to_vec()) })
    }

    /// Whether the lengths are those of `profile`.
    pub(crate) fn fits(&self, profile: Profile) -> bool {
        self.key.len() == profile.key_len() && self.salt.len() == profile.salt_len()
    }

    /// Fills `out` with the session key for `label`.
    ///
    /// The key derivation rate is zero with DTLS-SRTP (RFC 5764, section 4.1.2), so one derivation lasts for the session.
    pub(crate) fn derive(&self, label: Label, out: &mut [u8]) {
        // RFC 3711, section 4.3.1: x = label || r, with r = 0 in 48 bits, XOR the 112-bit master salt; section 4.3.3: the
        // counter mode keystream of x * 2^16. The label therefore meets byte 7. A 96-bit salt (GCM) fills the first 12
        // bytes and leaves zeros behind it; RFC 7714, section 11 is silent on it, libsrtp and its peers do just this.
        let mut iv = Zeroizing::new([0; 16]);
        iv[..self.salt.len()].copy_from_slice(&self.salt);
        iv[7] ^= label as u8;
        out.fill(0);
        if let Ok(mut prf) = Ctr128BE::<Aes128>::new_from_slices(&self.key, &*iv) {
            prf.apply_keystream(out); // AES_CM_PRF
        } else if let Ok(mut prf) = Ctr128BE::<Aes256>::new_from_slices(&self.key, &*iv) {
            prf.apply_keystream(out); // AES_256_CM_PRF: RFC 6188, section 3; RFC 7714, section 11
        } else {
            unreachable!("the constructor admits keys of 16 and 32 bytes only");
        }
    }
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MasterKey([redacted])")
    }
}

/// The master keys of both sides of one DTLS association.
#[derive(Debug, Clone)]
pub struct SessionKeys {
    /// Protects what the DTLS client sends.
    pub client: MasterKey,
    /// Protects what the DTLS server sends.
    pub server: MasterKey,
}

impl SessionKeys {
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
    use super::{Label, MasterKey, SessionKeys};
    use crate::transform::testing::hex;
    use crate::{KeyError, Profile};

    /// RFC 3711, appendix B.3.
    #[test]
    fn session_keys_of_the_rfc() {
        let key = hex("E1F97A0D3E018BE0D64FA32C06DE4139");
        let salt = hex("0EC675AD498AFEEBB6960B3AABE6");
        let master = MasterKey::new(Profile::AesCm128HmacSha1_80, &key, &salt).unwrap();
        let case = |label, expected: &str| {
            let mut out = vec![0xff; expected.len() / 2];
            master.derive(label, &mut out);
            assert_eq!(out, hex(expected));
        };
        case(Label::RtpEncryption, "C61E7A93744F39EE10734AFE3FF7A087");
        case(Label::RtpSalt, "30CBBC08863D8C85D49DB34A9AE1");
        case(
            Label::RtpAuthentication,
            "CEBE321F6FF7716B6FD4AB49AF256A156D38BAA48F0A0ACF3C34E2359E6CDBCEE049646C43D9327AD175578EF7227098\
             6371C10C9A369AC2F94A8C5FBCDDDC256D6E919A48B610EF17C2041E474035766B68642C59BBFC2F34DB60DBDFB2",
        );
    }

    #[test]
    fn exporter_output_is_cut_in_the_order_of_the_rfc() {
        let bytes: Vec<u8> = (0..56).collect();
        let keys = SessionKeys::from_exporter(Profile::AeadAes128Gcm, &bytes).unwrap();
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
        assert_eq!(SessionKeys::from_exporter(profile, &[0; 60]).err(), wrong("keying material", 88, 60));
    }

    #[test]
    fn nothing_secret_is_printed() {
        let key = MasterKey::new(Profile::AeadAes128Gcm, &[0x5a; 16], &[0x5a; 12]).unwrap();
        assert_eq!(format!("{key:?}"), "MasterKey([redacted])");
    }
}
