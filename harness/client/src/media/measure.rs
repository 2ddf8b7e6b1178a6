//! Which profile protects the target's packets: the agreed one, or where that opens none another one with the same keying
//! material. RFC 5764, section 4.2: each profile cuts its keys and salts out of the front of the exporter's output. Whoever confuses
//! profiles may have cut for the agreed one all the same.

use ringfence_model::Secret;
use ringfence_srtp::{Context, MasterKey, MasterKeys, Profile, bend};

/// Packets that are tried under every profile (house): one is enough, where it is one of the target's.
const MAX_TRIED: u32 = 64;

/// What is tried, and what was found.
#[derive(Default)]
pub(super) struct Measure {
    /// Contexts of the other profiles for what the target sends.
    others: Vec<Context>,
    tried: u32,
    used: Option<Profile>,
}

impl Measure {
    /// Takes the exporter's output, of which as much is read as there is. `client` says whether we are the DTLS client.
    pub(super) fn key(&mut self, agreed: Profile, material: &Secret<Vec<u8>>, client: bool) {
        let others = Profile::ALL.into_iter().filter(|profile| *profile != agreed);
        let bytes = material.expose();
        let contexts = others.flat_map(|profile| [cut(profile, bytes, client), recut(agreed, profile, bytes, client)]);
        self.others = contexts.flatten().map(|key| Context::new(&key)).collect();
        self.tried = 0;
    }

    /// A packet opened under the keys of the call, which are of this profile.
    pub(super) fn opened(&mut self, profile: Profile) {
        self.used.get_or_insert(profile);
    }

    /// No key of the call opens this SRTP packet. A tag of four bytes fits by chance once in four billion packets.
    pub(super) fn refused(&mut self, packet: &[u8]) {
        if self.used.is_some() || self.tried >= MAX_TRIED {
            return;
        }
        self.tried += 1;
        let opens = |context: &mut Context| bend::unprotect_rtp_ignoring_replay(context, &mut packet.to_vec()).is_ok();
        self.used = self.others.iter_mut().find_map(|context| opens(context).then(|| context.profile()));
    }

    /// The profile that the target's packets opened under.
    pub(super) fn used(&self) -> Option<Profile> {
        self.used
    }
}

/// The key of what the target sends, as this profile has it cut.
fn cut(profile: Profile, material: &[u8], client: bool) -> Option<MasterKey> {
    let keys = MasterKeys::from_exporter(profile, material.get(..profile.keying_material_len())?).ok()?;
    Some(if client { keys.server } else { keys.client })
}

/// The same where key and salt were cut for the agreed profile, and the salt then filled up with zeros or cut short.
fn recut(agreed: Profile, profile: Profile, material: &[u8], client: bool) -> Option<MasterKey> {
    let (keys, salts) = material.split_at_checked(2 * agreed.key_len())?;
    let theirs = usize::from(client);
    let key = keys.chunks_exact(agreed.key_len()).nth(theirs)?;
    let mut salt = salts.chunks_exact(agreed.salt_len()).nth(theirs)?.to_vec();
    salt.resize(profile.salt_len(), 0);
    MasterKey::new(profile, key, &salt).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const RTP: [u8; 16] = [0x80, 0, 0, 1, 0, 0, 0, 160, 0xca, 0xfe, 0xba, 0xbe, 1, 2, 3, 4];

    fn material() -> Secret<Vec<u8>> {
        Secret::new((0..92).collect())
    }

    /// A packet of a server that protects under this profile, whatever was agreed.
    fn from_server(profile: Profile) -> Vec<u8> {
        let material = material();
        let keys = MasterKeys::from_exporter(profile, &material.expose()[..profile.keying_material_len()]).unwrap();
        let mut packet = RTP.to_vec();
        Context::new(&keys.server).protect_rtp(&mut packet).unwrap();
        packet
    }

    #[test]
    fn another_profile_under_the_same_keys_is_found() {
        for agreed in Profile::ALL {
            for used in Profile::ALL.into_iter().filter(|used| *used != agreed) {
                let mut measure = Measure::default();
                measure.key(agreed, &material(), true);
                assert_eq!(measure.used(), None);
                measure.refused(&from_server(used));
                // Their first tags differ in length, and the longer one is another profile's packet.
                assert_eq!(measure.used(), Some(used), "{agreed:?} was agreed on");
            }
        }
    }

    #[test]
    fn keys_that_were_cut_for_the_agreed_profile_are_found() {
        let (agreed, used) = (Profile::AeadAes128Gcm, Profile::AesCm128HmacSha1_80);
        let material = material();
        let bytes = material.expose();
        let salt = [&bytes[44..56], &[0, 0]].concat();
        let mut packet = RTP.to_vec();
        Context::new(&MasterKey::new(used, &bytes[16..32], &salt).unwrap()).protect_rtp(&mut packet).unwrap();
        let mut measure = Measure::default();
        measure.key(agreed, &material, false);
        measure.refused(&packet);
        assert_eq!(measure.used(), None, "those are the other side's keys");
        measure.key(agreed, &material, true);
        measure.refused(&packet);
        assert_eq!(measure.used(), Some(used));
    }

    #[test]
    fn the_agreed_profile_counts_once_it_opened_anything() {
        let mut measure = Measure::default();
        measure.key(Profile::AeadAes128Gcm, &material(), true);
        measure.opened(Profile::AeadAes128Gcm);
        measure.refused(&from_server(Profile::AesCm128HmacSha1_80));
        assert_eq!(measure.used(), Some(Profile::AeadAes128Gcm));
    }

    #[test]
    fn noise_opens_under_nothing_and_is_not_tried_for_ever() {
        let mut measure = Measure::default();
        measure.key(Profile::AeadAes128Gcm, &material(), true);
        (0..MAX_TRIED).for_each(|number| measure.refused(&[&RTP[..], &[number as u8; 40]].concat()));
        measure.refused(&from_server(Profile::AesCm128HmacSha1_80));
        assert_eq!(measure.used(), None);
        let mut short = Measure::default();
        short.key(Profile::AeadAes128Gcm, &Secret::new(vec![1; 56]), true);
        short.refused(&from_server(Profile::AeadAes256Gcm)); // no bytes for its keys: nothing is tried
        assert_eq!(short.used(), None);
    }
}
