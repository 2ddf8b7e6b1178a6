//! Both directions of one DTLS association.

use crate::{Context, KeyError, MasterKey, MasterKeys, Profile};

/// Which side of the DTLS handshake we were. RFC 5764, section 4.2: each side protects with keys of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// We sent the ClientHello (`a=setup:active`).
    Client,
    /// We answered it (`a=setup:passive`).
    Server,
}

/// What we send with and what we receive with.
#[derive(Debug)]
pub struct Session {
    /// Protects what we send.
    pub outbound: Context,
    /// Opens what the other side sends.
    pub inbound: Context,
}

impl Session {
    /// The session that a DTLS handshake has keyed: `exported` is what the exporter gave for [`crate::EXPORTER_LABEL`],
    /// [`Profile::keying_material_len`] bytes of it.
    ///
    /// # Errors
    /// [`KeyError::Length`] if it has another length.
    pub fn from_dtls(profile: Profile, exported: &[u8], role: Role) -> Result<Self, KeyError> {
        let (ours, theirs) = MasterKeys::from_exporter(profile, exported)?.of(role);
        Ok(Self { outbound: Context::new(&ours), inbound: Context::new(&theirs) })
    }
}

impl MasterKeys {
    /// What `role` protects with, and what it opens with.
    pub fn of(self, role: Role) -> (MasterKey, MasterKey) {
        match role {
            Role::Client => (self.client, self.server),
            Role::Server => (self.server, self.client),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Role, Session};
    use crate::Profile;

    #[test]
    fn each_side_opens_what_the_other_protects() {
        for profile in Profile::ALL {
            let exported: Vec<u8> = (0..profile.keying_material_len()).map(|n| n as u8).collect();
            let session = |role| Session::from_dtls(profile, &exported, role).unwrap();
            let (mut client, mut server) = (session(Role::Client), session(Role::Server));
            let rtp = vec![0x80, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 9, 1, 2, 3];
            for (from, to) in [(0, 1), (1, 0)] {
                let sides = [&mut client, &mut server];
                let mut packet = rtp.clone();
                sides[from].outbound.protect_rtp(&mut packet).unwrap();
                assert!(sides[from].inbound.unprotect_rtp(&mut packet).is_err(), "the keys of both sides differ");
                sides[to].inbound.unprotect_rtp(&mut packet).unwrap();
                assert_eq!(packet, rtp);
            }
            assert!(Session::from_dtls(profile, &exported[1..], Role::Client).is_err());
        }
    }
}
