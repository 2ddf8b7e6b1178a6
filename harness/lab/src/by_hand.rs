//! Flights that no sound TLS library sends, written by hand: what a listener with a fault of TLS answers to a hello that the
//! healthy one refuses. Every other hello goes on to the library.

use std::sync::Arc;

use ringfence_wire::hello::{ClientHello, Extension, ServerFlight, Version};
use rustls::crypto::SupportedKxGroup;

use crate::fault::{Fault, Faults};
use crate::random;

/// TLS_RSA_WITH_AES_128_GCM_SHA256: no forward secrecy.
const STATIC_RSA: u16 = 0x009c;
/// TLS_ECDHE_ECDSA_WITH_3DES_EDE_CBC_SHA: blocks of 64 bits.
const TRIPLE_DES: u16 = 0xc008;
/// TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA: as good as it gets in TLS 1.0.
const CBC: u16 = 0xc009;
/// What the healthy lab chooses from below 1.3: AES-128-GCM, AES-256-GCM and ChaCha20 with ECDHE and ECDSA.
const SOUND: [u16; 3] = [0xc02b, 0xc02c, 0xcca9];

/// TLS_EMPTY_RENEGOTIATION_INFO_SCSV. RFC 5746, section 3.3.
const RENEGOTIATION_SCSV: u16 = 0x00ff;
/// ecdsa_secp256r1_sha256, which fits the lab's key. RFC 8446, section 4.2.3.
const ECDSA_SHA256: u16 = 0x0403;
const NAMED_CURVE: u8 = 3; // RFC 8422, section 5.4
const SIGNATURE_BYTES: usize = 70; // of ECDSA on P-256, more or less
/// A fatal handshake_failure in TLS 1.0. RFC 2246, section 7.2.
const HANDSHAKE_FAILURE: [u8; 7] = [21, 3, 1, 0, 2, 2, 40];

/// Whose hellos are answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// The configuration endpoint.
    Config,
    /// TURN over TLS.
    Turns,
}

/// What one listener needs for it.
pub(crate) struct ByHand {
    /// Which faults count.
    pub place: Place,
    /// Whether they are there.
    pub faults: Arc<Faults>,
    /// The lab's own certificate, DER.
    pub ecdsa: Vec<u8>,
    /// One for the same names that shows an RSA key, DER.
    pub rsa: Vec<u8>,
    /// What ephemeral keys are made of.
    pub groups: Vec<&'static dyn SupportedKxGroup>,
}

impl ByHand {
    /// The bytes that answer this hello in place of the library; `None` is nearly always.
    pub fn answer(&self, hello: &ClientHello) -> Option<Vec<u8>> {
        let flight = match hello.version {
            Version::TLS10 if self.accepts_1_0() => self.ephemeral(hello, CBC),
            Version::TLS12 if self.place == Place::Config => return self.weak(hello)?.to_tls().ok(),
            _ => return None,
        };
        // Who accepts a version refuses what is not to his taste in that version's way.
        Some(flight.and_then(|flight| flight.to_tls().ok()).unwrap_or(HANDSHAKE_FAILURE.to_vec()))
    }

    fn accepts_1_0(&self) -> bool {
        match self.place {
            Place::Config => self.faults.broken(Fault::Tls10),
            Place::Turns => self.faults.broken(Fault::TurnsTls10),
        }
    }

    /// A flight of 1.2 for a hello that offers nothing sound.
    fn weak(&self, hello: &ClientHello) -> Option<ServerFlight> {
        let offers = |suite: u16| hello.suites.contains(&suite);
        if SOUND.into_iter().any(offers) {
            return None;
        }
        if offers(TRIPLE_DES) && self.faults.broken(Fault::Tls3des) {
            return self.ephemeral(hello, TRIPLE_DES);
        }
        if offers(STATIC_RSA) && self.faults.broken(Fault::TlsStaticRsa) {
            let flight = opening(hello, STATIC_RSA);
            return Some(ServerFlight { certificates: vec![self.rsa.clone()], ..flight });
        }
        None
    }

    /// A flight with a key of a group that is shared, if there is one, and a signature that is none.
    fn ephemeral(&self, hello: &ClientHello, suite: u16) -> Option<ServerFlight> {
        if !hello.suites.contains(&suite) {
            return None;
        }
        let wanted = hello.groups();
        let group = wanted.iter().find_map(|code| self.groups.iter().find(|group| u16::from(group.name()) == *code))?;
        let exchange = group.start().ok()?;
        let key = exchange.pub_key();
        let mut body = vec![NAMED_CURVE];
        body.extend_from_slice(&u16::from(group.name()).to_be_bytes());
        body.push(u8::try_from(key.len()).ok()?);
        body.extend_from_slice(key);
        if hello.version == Version::TLS12 {
            // Below 1.2 the message does not name it. RFC 5246, section 7.4.3.
            let scheme = hello.signature_schemes().into_iter().find(|scheme| *scheme == ECDSA_SHA256)?;
            body.extend_from_slice(&scheme.to_be_bytes());
        }
        let signature = random::bytes::<SIGNATURE_BYTES>();
        body.extend_from_slice(&u16::try_from(signature.len()).ok()?.to_be_bytes());
        body.extend_from_slice(&signature);
        let flight = opening(hello, suite);
        Some(ServerFlight { certificates: vec![self.ecdsa.clone()], key_exchange: Some(body), ..flight })
    }
}

/// A ServerHello that agrees to what protects a handshake, so that nothing but its fault is wrong with it.
fn opening(hello: &ClientHello, suite: u16) -> ServerFlight {
    let mut flight = ServerFlight::new(hello.version, random::bytes(), suite);
    let offers = |kind: u16| hello.extension(kind).is_some();
    if offers(Extension::RENEGOTIATION_INFO) || hello.suites.contains(&RENEGOTIATION_SCSV) {
        flight.extensions.push(Extension::renegotiation_info());
    }
    if offers(Extension::EXTENDED_MASTER_SECRET) {
        flight.extensions.push(Extension::extended_master_secret());
    }
    if offers(Extension::EC_POINT_FORMATS) && suite != STATIC_RSA {
        flight.extensions.push(Extension::ec_point_formats());
    }
    flight
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use ringfence_wire::hello::{Depth, Reply, ServerHello, TlsReader};

    use super::*;

    fn listener(place: Place, fault: Option<Fault>) -> ByHand {
        let faults = Arc::new(Faults::new(fault));
        let groups = rustls::crypto::ring::default_provider().kx_groups;
        ByHand { place, faults, ecdsa: vec![1; 9], rsa: vec![2; 9], groups }
    }

    fn hello(version: Version, suites: &[u16]) -> ClientHello {
        let mut hello = ClientHello::new(version, [3; 32]);
        hello.suites = suites.to_vec();
        hello.extensions = vec![
            Extension::supported_groups(&[25, 24, 29]).unwrap(),
            Extension::signature_algorithms(&[0x0804, 0x0403]).unwrap(),
            Extension::ec_point_formats(),
            Extension::extended_master_secret(),
        ];
        hello
    }

    /// What it answers is a whole flight.
    #[track_caller]
    fn flight(listener: &ByHand, hello: &ClientHello) -> ServerHello {
        let bytes = listener.answer(hello).expect("an answer by hand");
        let Some(Reply::ServerHello(read)) = TlsReader::new(Depth::Flight).feed(&bytes) else { panic!("{bytes:?}") };
        assert_eq!((read.done, &read.broken, read.version), (true, &None, hello.version));
        assert!(read.extended_master_secret());
        *read
    }

    #[test]
    fn a_healthy_listener_answers_nothing_by_hand() {
        let everything: Vec<u16> = ringfence_wire::hello::names::suites().map(|(code, _)| code).collect();
        for (place, expected) in [
            (Place::Config, BTreeSet::from([Fault::Tls10, Fault::Tls3des, Fault::TlsStaticRsa])),
            (Place::Turns, BTreeSet::from([Fault::TurnsTls10])),
        ] {
            let healthy = listener(place, None);
            for version in [Version::SSL3, Version::TLS10, Version::TLS11, Version::TLS12, Version::TLS13] {
                for suites in [&everything[..], &SOUND, &[TRIPLE_DES, STATIC_RSA]] {
                    assert_eq!(healthy.answer(&hello(version, suites)), None);
                }
            }
            assert_eq!(healthy.faults.met(), expected, "whoever asks for these may meet them");
        }
    }

    #[test]
    fn only_who_asks_for_it_meets_a_fault() {
        for suites in [&SOUND[..1], &[SOUND[2], TRIPLE_DES, STATIC_RSA]] {
            for fault in [Fault::Tls3des, Fault::TlsStaticRsa] {
                let broken = listener(Place::Config, Some(fault));
                assert_eq!(broken.answer(&hello(Version::TLS12, suites)), None, "something better is offered");
                assert_eq!(broken.faults.met(), BTreeSet::new());
            }
        }
        let broken = listener(Place::Turns, Some(Fault::Tls10));
        assert_eq!(broken.answer(&hello(Version::TLS10, &[CBC])), None, "the fault of another listener");
    }

    #[test]
    fn each_fault_chooses_what_it_says() {
        for (place, fault) in [(Place::Config, Fault::Tls10), (Place::Turns, Fault::TurnsTls10)] {
            let broken = listener(place, Some(fault));
            let read = flight(&broken, &hello(Version::TLS10, &[0x000a, CBC]));
            assert_eq!((read.suite, read.group, read.signature_scheme), (CBC, Some(24), None));
            assert_eq!(read.certificates, std::slice::from_ref(&broken.ecdsa));
            let refused = broken.answer(&hello(Version::TLS10, &[0x000a]));
            assert_eq!(refused, Some(HANDSHAKE_FAILURE.to_vec()));
            assert_eq!(broken.answer(&hello(Version::TLS11, &[CBC])), None);
        }
        let broken = listener(Place::Config, Some(Fault::Tls3des));
        let read = flight(&broken, &hello(Version::TLS12, &[STATIC_RSA, TRIPLE_DES, RENEGOTIATION_SCSV]));
        assert_eq!((read.suite, read.group, read.signature_scheme), (TRIPLE_DES, Some(24), Some(ECDSA_SHA256)));
        assert!(read.secure_renegotiation());

        let broken = listener(Place::Config, Some(Fault::TlsStaticRsa));
        let read = flight(&broken, &hello(Version::TLS12, &[TRIPLE_DES, STATIC_RSA]));
        assert_eq!((read.suite, read.group, &read.certificates), (STATIC_RSA, None, &vec![broken.rsa.clone()]));
    }

    #[test]
    fn a_hello_without_a_shared_group_or_scheme_goes_on_to_the_library() {
        let broken = listener(Place::Config, Some(Fault::Tls3des));
        for missing in [Extension::SUPPORTED_GROUPS, Extension::SIGNATURE_ALGORITHMS] {
            let mut hello = hello(Version::TLS12, &[TRIPLE_DES]);
            hello.extensions.retain(|x| x.kind != missing);
            assert_eq!(broken.answer(&hello), None, "{missing}");
        }
    }
}
