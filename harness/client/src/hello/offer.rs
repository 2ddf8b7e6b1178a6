//! What is asked for, and the hello that asks it.

use ringfence_wire::Error;
use ringfence_wire::hello::{ClientHello, Extension, Version};
use sha2::{Digest, Sha256};

use super::axis::{Each, Rider, Set};
use super::suite;

/// Signals support of RFC 5746 where a hello has no extensions.
const RENEGOTIATION_SCSV: u16 = 0x00ff;

/// Extensions for which room is made at once: as many as a hello has at most.
const EXTENSIONS: usize = 12;

/// Which lists are asked for besides the version. A list that is not asked for is offered whole in each hello.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// Every suite. Without, the one that is chosen first is all that is told, and the other lists are asked for with it alone.
    pub suites: bool,
    /// Groups of the key exchange.
    pub groups: bool,
    /// Signature schemes; versions 1.2 only, as no other shows them without a handshake.
    pub schemes: bool,
    /// SRTP profiles; DTLS 1.0 and 1.2 only, as 1.3 answers with them under encryption.
    pub profiles: bool,
    /// Whether the server follows its own order of suites.
    pub order: bool,
}

impl Wanted {
    /// All.
    pub const ALL: Self = Self { suites: true, groups: true, schemes: true, profiles: true, order: true };
    /// Versions and suites only: a hello for each suite that is accepted, and one more.
    pub const SUITES: Self = Self { suites: true, ..Self::VERSIONS };
    /// Versions only: one hello for each.
    pub const VERSIONS: Self = Self { suites: false, groups: false, schemes: false, profiles: false, order: false };

    /// Whether answers of this version can name the list, and it is wanted.
    pub(super) fn has(self, rider: Rider, version: Version) -> bool {
        let explicit = matches!(version, Version::TLS12 | Version::DTLS12);
        match rider {
            Rider::Groups => self.groups && version != Version::SSL3,
            Rider::Schemes => self.schemes && explicit,
            Rider::Profiles => self.profiles && version.is_dtls() && !version.is_13(),
        }
    }
}

/// What is asked of a server.
#[derive(Clone, Debug)]
pub struct Question {
    /// What server_name says (RFC 6066, section 3); none for an address.
    pub server_name: Option<String>,
    /// The lists.
    pub wanted: Wanted,
    /// The randoms of all hellos come from this: not secret, but no two runs should have the same.
    pub seed: [u8; 32],
}

/// The lists of one hello.
#[derive(Clone, Debug)]
pub(super) struct Offer {
    pub suites: Vec<u16>,
    pub lists: Each<Vec<u16>>,
    pub sets: Each<Set>,
}

impl Offer {
    /// The hello. `count` keeps the randoms of a run apart.
    ///
    /// # Errors
    /// The server name is empty or too long.
    pub fn hello(&self, version: Version, question: &Question, count: u32) -> Result<ClientHello, Error> {
        let mut random = [0; 32];
        random.copy_from_slice(
            &Sha256::new()
                .chain_update(question.seed)
                .chain_update(version.0.to_be_bytes())
                .chain_update(count.to_be_bytes())
                .finalize(),
        );
        let mut hello = ClientHello::new(version, random);
        hello.suites.clone_from(&self.suites);
        if version == Version::SSL3 {
            hello.suites.push(RENEGOTIATION_SCSV);
            hello.compression = vec![1, 0];
            return Ok(hello);
        }
        let extensions = &mut hello.extensions;
        extensions.reserve(EXTENSIONS);
        if let Some(name) = &question.server_name {
            extensions.push(Extension::server_name(name)?);
        }
        extensions.push(Extension::supported_groups(self.lists.get(Rider::Groups))?);
        extensions.push(Extension::ec_point_formats());
        let schemes = self.lists.get(Rider::Schemes);
        if !schemes.is_empty() {
            extensions.push(Extension::signature_algorithms(schemes)?);
            // Certificates may be signed as they like: their list never shrinks. RFC 8446, section 4.2.3.
            let mut whole = Extension::signature_algorithms(&suite::schemes(version))?;
            whole.kind = Extension::SIGNATURE_ALGORITHMS_CERT;
            extensions.push(whole);
        }
        let profiles = self.lists.get(Rider::Profiles);
        if !profiles.is_empty() {
            extensions.push(Extension::use_srtp(profiles)?);
        }
        if version.is_13() {
            extensions.push(Extension::psk_key_exchange_modes());
            extensions.push(Extension::key_share_empty());
            if version == Version::TLS13 {
                // As middleboxes expect it. RFC 8446, section D.4; not so in DTLS, RFC 9147, section 5.3.
                hello.session_id = Sha256::digest(random).to_vec();
            }
        } else {
            extensions.push(Extension::extended_master_secret());
            extensions.push(Extension::renegotiation_info());
            extensions.push(Extension::status_request());
            hello.compression = vec![1, 0]; // DEFLATE, RFC 3749
        }
        Ok(hello)
    }
}
