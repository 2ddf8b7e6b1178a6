//! Keys in the SDP (RFC 4568): what a healthy callee never does, for the fault that does.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ringfence_srtp::{MasterKey, Profile};
use ringfence_wire::sdp::{Crypto, Section};

use super::identity::random;

/// The keys of both directions, and the line that answers. No `Debug`: the line is a key.
pub(crate) struct SdesKeys {
    /// Protects what the caller sends.
    pub theirs: MasterKey,
    /// Protects what the callee sends.
    pub ours: MasterKey,
    /// The answer's `a=crypto`.
    pub line: Crypto,
}

/// Takes the first `a=crypto` that can be answered, with a fresh key of our own. RFC 4568, section 5.1.2.
pub(crate) fn answer(section: &Section) -> Option<SdesKeys> {
    section.crypto().flatten().find_map(|line| keys(&line))
}

fn keys(offered: &Crypto) -> Option<SdesKeys> {
    // RFC 4568, section 6.3.2: session parameters such as UNENCRYPTED_SRTP that are not understood refuse the line.
    let profile = profile(&offered.suite).filter(|_| offered.parameters.is_empty())?;
    let theirs = master_key(profile, &STANDARD.decode(offered.key_base64()?).ok()?)?;
    let fresh: [u8; 64] = random()?;
    let fresh = fresh.get(..profile.key_len() + profile.salt_len())?;
    let line = Crypto { keys: vec![STANDARD.encode(fresh)], ..offered.clone() };
    Some(SdesKeys { theirs, ours: master_key(profile, fresh)?, line })
}

fn master_key(profile: Profile, bytes: &[u8]) -> Option<MasterKey> {
    let (key, salt) = bytes.split_at_checked(profile.key_len())?;
    MasterKey::new(profile, key, salt).ok()
}

fn profile(suite: &str) -> Option<Profile> {
    Some(match suite {
        "AES_CM_128_HMAC_SHA1_80" => Profile::AesCm128HmacSha1_80, // RFC 4568, section 6.2
        "AEAD_AES_128_GCM" => Profile::AeadAes128Gcm,              // RFC 7714, section 14.1
        "AEAD_AES_256_GCM" => Profile::AeadAes256Gcm,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_that_fits_is_answered_under_its_own_tag() {
        let key = STANDARD.encode([7; 28]);
        let line = |text: String| keys(&Crypto::parse(&text).unwrap());
        let answered = line(format!("3 AEAD_AES_128_GCM inline:{key}|2^31")).unwrap();
        assert_eq!((answered.ours.profile(), answered.line.tag), (Profile::AeadAes128Gcm, 3));
        assert_eq!(answered.line.keys.len(), 1);
        assert_ne!(answered.line.keys[0], key);
        assert_eq!(STANDARD.decode(&answered.line.keys[0]).unwrap().len(), 28);

        assert!(line(format!("1 AES_CM_128_HMAC_SHA1_80 inline:{key}")).is_none(), "two bytes short");
        assert!(line(format!("1 AES_CM_128_HMAC_SHA1_32 inline:{key}")).is_none());
        assert!(line(format!("1 AEAD_AES_128_GCM inline:{key} UNENCRYPTED_SRTP")).is_none());
        assert!(line("1 AEAD_AES_128_GCM inline:???".into()).is_none());
    }
}
