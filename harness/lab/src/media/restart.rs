//! A restart in mid-call: another offer with other ICE credentials (RFC 8445, section 9), and with another certificate another
//! association (RFC 8842, section 5.5). What there is goes on until the new is there.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use is::IceCreds;
use ringfence_wire::sdp::Fingerprint;

use super::answer;
use super::dtls::Association;
use super::identity::Identity;
use super::machine::Machine;
use super::offer::{Keying, Offer, Role};
use crate::fault::Faults;

/// What does not change within a call, and what the last offer said.
pub(super) struct Known {
    local: SocketAddr,
    faults: Arc<Faults>,
    theirs: (IceCreds, Vec<Fingerprint>),
    fingerprint: Fingerprint,
    tls_id: String,
    role: Option<Role>,
    cname: String,
    ssrc: u32,
    session: u64,
    version: u64,
    repeatable: bool,
}

impl Known {
    pub fn of(offer: &Offer, identity: &Identity, local: SocketAddr, faults: Arc<Faults>) -> Self {
        let (role, fingerprints) = dtls_of(offer).map_or((None, Vec::new()), |(role, prints)| (Some(role), prints));
        Self {
            local,
            faults,
            theirs: (offer.ice.clone(), fingerprints),
            fingerprint: identity.fingerprint.clone(),
            tls_id: identity.tls_id.clone(),
            role,
            cname: identity.cname.clone(),
            ssrc: identity.ssrc,
            session: identity.session,
            version: identity.version,
            repeatable: identity.repeatable,
        }
    }
}

impl Machine {
    /// Answers a later offer; nothing where it is no restart, and then all stays as it was.
    pub(super) fn restart(&mut self, text: &str, now: Instant) -> Option<String> {
        let known = &self.known;
        let mut offer = Offer::read(text, known.local.ip(), &known.faults).ok()?;
        let (role, fingerprints) = dtls_of(&offer)?;
        let same = |ours: &IceCreds, theirs: &IceCreds| ours.ufrag == theirs.ufrag && ours.pass == theirs.pass;
        if self.echo.is_none() || self.renewing || known.role.is_none() || same(&offer.ice, &known.theirs.0) {
            return None;
        }
        let fresh = Identity::fresh(&known.faults)?;
        let (session, version) = (known.session, known.version + 1);
        let (cname, ssrc, repeatable) = (known.cname.clone(), known.ssrc, known.repeatable);
        let mut identity = Identity { session, version, cname, ssrc, repeatable, ..fresh };
        let association = if fingerprints == known.theirs.1 {
            // The same peer keeps its association, in the roles that it has.
            identity.fingerprint = known.fingerprint.clone();
            identity.tls_id = known.tls_id.clone();
            if let (Keying::Dtls { role, .. }, Some(known)) = (&mut offer.keying, known.role) {
                *role = known;
            }
            None
        } else {
            let certificate = identity.certificate.clone();
            let faults = known.faults.clone();
            Some((Association::new(role, certificate, identity.repeatable, fingerprints, faults, now)?, role))
        };
        let answer = answer::write(&offer, &identity, known.local);
        self.known = Known::of(&offer, &identity, known.local, known.faults.clone());
        self.ice.restart(identity.ice, offer.ice, offer.ice_lite, now)?;
        offer.candidates.into_iter().for_each(|candidate| self.ice.add(candidate));
        if association.is_some() {
            (self.dtls, self.renewing) = (association, true);
            (self.dtls_wakes, self.deadline) = (None, None);
            self.early.clear();
        }
        self.timeout(now);
        Some(answer)
    }
}

fn dtls_of(offer: &Offer) -> Option<(Role, Vec<Fingerprint>)> {
    match &offer.keying {
        Keying::Dtls { role, fingerprints } => Some((*role, fingerprints.clone())),
        _ => None,
    }
}
