//! The SRTP profile that an association agreed on, and another one under its bytes.

use dimpl::SrtpProfile;
use ringfence_srtp::{MasterKey, Profile};

use super::offer::Role;

/// Ours for the library's.
pub(super) fn of(profile: SrtpProfile) -> Option<Profile> {
    match profile {
        SrtpProfile::AES128_CM_SHA1_80 => Some(Profile::AesCm128HmacSha1_80),
        SrtpProfile::AEAD_AES_128_GCM => Some(Profile::AeadAes128Gcm),
        SrtpProfile::AEAD_AES_256_GCM => Some(Profile::AeadAes256Gcm),
        _ => None,
    }
}

/// Our key and salt out of an exporter's output for AEAD_AES_128_GCM, for a profile whose salt is two bytes longer.
pub(super) fn as_cm_sha1(material: &[u8], role: Role) -> Option<MasterKey> {
    let (agreed, used) = (Profile::AeadAes128Gcm, Profile::AesCm128HmacSha1_80);
    let (keys, salts) = material.split_at_checked(2 * agreed.key_len())?;
    let second = usize::from(role == Role::Server);
    let key = keys.chunks_exact(agreed.key_len()).nth(second)?;
    let mut salt = salts.chunks_exact(agreed.salt_len()).nth(second)?.to_vec();
    salt.resize(used.salt_len(), 0);
    MasterKey::new(used, key, &salt).ok()
}

#[cfg(test)]
mod tests {
    use ringfence_srtp::Context;

    use super::*;

    #[test]
    fn the_exported_bytes_of_one_profile_make_a_key_of_another() {
        let material: Vec<u8> = (0..56).collect();
        for (role, key, salt) in [(Role::Client, 0..16, 32..44), (Role::Server, 16..32, 44..56)] {
            let salt = [&material[salt], &[0, 0]].concat();
            let same = MasterKey::new(Profile::AesCm128HmacSha1_80, &material[key], &salt).unwrap();
            let packet = [&[0x80, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1][..], b"audio"].concat();
            let mut protected = packet.clone();
            Context::new(&as_cm_sha1(&material, role).unwrap()).protect_rtp(&mut protected).unwrap();
            assert_eq!(protected.len(), packet.len() + 10);
            Context::new(&same).unprotect_rtp(&mut protected).unwrap();
            assert_eq!(protected, packet);
        }
        assert!(as_cm_sha1(&material[..40], Role::Server).is_none());
    }
}
