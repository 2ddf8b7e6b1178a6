//! What both ends of a session have in common.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use ringfence_srtp::bend::{NullProfile, null_context};
use ringfence_srtp::{Context, MasterKey, Profile, Settings};

/// A profile, a master key and a master salt.
#[derive(Debug, Clone)]
pub struct Keys {
    pub profile: Profile,
    /// Set for the profiles that do not encrypt; `profile` is then the twin that does.
    pub null: Option<NullProfile>,
    pub key: Vec<u8>,
    pub salt: Vec<u8>,
}

/// Keys of any profile that encrypts.
pub fn keys() -> impl Strategy<Value = Keys> {
    keys_of(&Profile::ALL)
}

/// Keys of any profile, those without encryption among them.
pub fn keys_or_null() -> impl Strategy<Value = Keys> {
    let null = select(vec![NullProfile::HmacSha1_80, NullProfile::HmacSha1_32])
        .prop_flat_map(|null| keys_of(&[null.twin()]).prop_map(move |keys| Keys { null: Some(null), ..keys }));
    prop_oneof![6 => keys(), 1 => null]
}

/// Keys of one of these profiles.
pub fn keys_of(profiles: &[Profile]) -> impl Strategy<Value = Keys> + use<> {
    select(profiles.to_vec()).prop_flat_map(|profile| {
        let bytes = |len| vec(any::<u8>(), len);
        let key_and_salt = (bytes(profile.key_len()), bytes(profile.salt_len()));
        key_and_salt.prop_map(move |(key, salt)| Keys { profile, null: None, key, salt })
    })
}

impl Keys {
    /// Always the same keys.
    pub fn fixed(profile: Profile) -> Self {
        Self { profile, null: None, key: vec![0x0b; profile.key_len()], salt: vec![0x16; profile.salt_len()] }
    }

    pub fn master(&self) -> MasterKey {
        MasterKey::new(self.profile, &self.key, &self.salt).expect("the lengths are the profile's")
    }

    /// An end of ours.
    pub fn ours(&self) -> Context {
        self.ours_with(Settings::default())
    }

    /// An end of ours with settings of its own.
    pub fn ours_with(&self, settings: Settings) -> Context {
        match self.null {
            None => Context::with(&self.master(), settings),
            Some(_) => null_context(&self.master(), settings),
        }
        .expect("the settings are in their ranges")
    }
}
