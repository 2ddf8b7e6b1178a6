//! Hellos that are not the library's to answer: those that it has nothing for, which it would pass over in silence, get an alert;
//! and to some of them a broken lab shows, in a flight by hand, what a careless server accepts.
//!
//! None of these flights leads to a handshake: nothing is signed and nothing is kept. They come at once, without a cookie, and the
//! library never hears of the hello, so that a decent one in the same call is answered as ever. Of what a hello lists a flight
//! takes only what is in the list; a list that is exhausted is refused, by the library.

use ringfence_wire::hello::{ClientHello, Extension, ServerFlight, Version};

use super::identity::random;
use crate::fault::{Fault, Faults};

const CLIENT_HELLO: u8 = 1; // RFC 5246, section 7.4
// RFC 5246, section 7.2.
pub(super) const HANDSHAKE_FAILURE: u8 = 40;
pub(super) const PROTOCOL_VERSION: u8 = 70;
const RECORD_HEADER_BYTES: usize = 13; // RFC 6347, section 4.1
const MESSAGE_HEADER_BYTES: usize = 12; // RFC 6347, section 4.2.2
/// How much of a message a datagram of ours carries, as the library's do (house).
const MAX_FRAGMENT_BYTES: usize = 1100;
/// The suites that the library has: TLS_ECDHE_ECDSA_WITH AES_128_GCM_SHA256, AES_256_GCM_SHA384, CHACHA20_POLY1305_SHA256.
/// RFC 5289, section 3.2; RFC 7905, section 2.
const OURS: [u16; 3] = [0xc02b, 0xc02c, 0xcca9];
/// TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA and AES_256_CBC_SHA, which DTLS 1.0 has too. RFC 8422, section 6.
const OLD: [u16; 2] = [0xc009, 0xc00a];
/// TLS_RSA_WITH_AES_128_CBC_SHA. RFC 5246, appendix A.5.
const STATIC_RSA: [u16; 1] = [0x002f];
/// TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256. RFC 5289, section 3.2.
const ECDHE_RSA: [u16; 1] = [0xc02f];
/// x25519, secp256r1, secp384r1, and how long a public key of each is. RFC 8422, sections 5.1.1 and 5.4.
const GROUPS: [(u16, usize); 3] = [(29, 32), (23, 65), (24, 97)];
const NAMED_CURVE: u8 = 3; // RFC 8422, section 5.4
const UNCOMPRESSED: u8 = 4; // RFC 8422, section 5.4.1
/// What the library signs with: ECDSA with SHA-256 and SHA-384. RFC 5246, section 7.4.1.4.1.
const SIGNING: [u16; 2] = [0x0403, 0x0503];
/// Of a flight by hand: ECDSA with SHA-256, and RSA with it. RFC 5246, section 7.4.1.4.1.
const ECDSA_SCHEMES: [u16; 1] = [0x0403];
const RSA_SCHEMES: [u16; 1] = [0x0401];
/// AEAD_AES_256_GCM, AEAD_AES_128_GCM, SRTP_AES128_CM_HMAC_SHA1_80: the library's, in its order. RFC 5764, section 4.1.2; RFC
/// 7714, section 14.2.
const PROFILES: [u16; 3] = [8, 7, 1];
/// SRTP_NULL_HMAC_SHA1_80. RFC 5764, section 4.1.2.
const NULL_PROFILE: [u16; 1] = [5];

/// Certificates of RSA whose keys nobody has, self-signed.
const RSA_1024: &[u8] = include_bytes!("certificates/rsa1024.der");
const RSA_2048: &[u8] = include_bytes!("certificates/rsa2048.der");

/// What a broken lab answers this hello with, which came on a path that ICE has checked; nothing where the library is to see it.
/// `own` is the call's certificate, DER.
pub(super) fn bent(faults: &Faults, hello: &ClientHello, own: &[u8]) -> Option<ServerFlight> {
    // RFC 8827, section 6.5: nothing older than DTLS 1.2, forward secrecy, no NULL.
    if hello.version == Version::DTLS10 {
        let flight = Ecdhe { suites: &OLD, ..Ecdhe::ours(own) }.answer(hello)?;
        return faults.broken(Fault::Dtls10).then_some(flight);
    }
    if hello.version != Version::DTLS12 {
        return None;
    }
    if chosen(&OURS, &hello.suites).is_some() {
        chosen(&PROFILES, &numbers(hello, Extension::USE_SRTP)?).is_none().then_some(())?;
        let flight = Ecdhe { profiles: &NULL_PROFILE, ..Ecdhe::ours(own) }.answer(hello)?;
        let null = flight.extensions.iter().any(|extension| extension.kind == Extension::USE_SRTP);
        return (null && faults.broken(Fault::SrtpNullProfile)).then_some(flight);
    }
    if let Some(flight) = static_rsa(hello)
        && faults.broken(Fault::DtlsStaticRsa)
    {
        return Some(flight);
    }
    // RFC 9325, section 4.5: at least 2048 bits.
    let weak = Ecdhe { suites: &ECDHE_RSA, certificates: vec![RSA_1024], schemes: &RSA_SCHEMES, ..Ecdhe::ours(own) };
    let flight = weak.answer(hello)?;
    faults.broken(Fault::DtlsCertificateWeak).then_some(flight)
}

/// The alert for a hello that the library has no answer to, and would say nothing of. RFC 5246, sections 7.2.2 and 7.4.1.3; RFC
/// 8422, section 4.
pub(super) fn refusal(hello: &ClientHello) -> Option<u8> {
    // DTLS counts down.
    if hello.legacy_version.is_some_and(|version| version > Version::DTLS12) {
        return Some(PROTOCOL_VERSION);
    }
    let lacks = |kind, ours: &[u16]| numbers(hello, kind).is_some_and(|offered| chosen(ours, &offered).is_none());
    let fits = chosen(&OURS, &hello.suites).is_some()
        && hello.compression.contains(&0)
        && !lacks(Extension::SUPPORTED_GROUPS, &GROUPS.map(|(group, _)| group))
        && !lacks(Extension::SIGNATURE_ALGORITHMS, &SIGNING);
    (!fits).then_some(HANDSHAKE_FAILURE)
}

/// What a broken lab answers anybody's hello with: several times the hello's bytes, with a chain that is longer than it need be.
pub(super) fn careless(faults: &Faults, hello: &ClientHello, own: &[u8]) -> Option<ServerFlight> {
    let chain = Ecdhe { certificates: vec![own, RSA_2048, RSA_2048], ..Ecdhe::ours(own) };
    let flight = chain.answer(hello).filter(|_| hello.version == Version::DTLS12)?;
    // RFC 8445, section 12: nothing but checks is answered before there is a checked pair.
    faults.broken(Fault::DtlsAnswersStrangers).then_some(flight)
}

/// What a ClientHello inside the association is answered with: a ServerHello, the first message of its handshake. Nothing
/// follows it, so that the association stays what it is. `message` has its header: RFC 6347, section 4.2.2.
pub(super) fn renegotiated(message: &[u8]) -> Option<Vec<u8>> {
    let (header, body) = message.split_at_checked(MESSAGE_HEADER_BYTES)?;
    let hello = ClientHello::parse(body).ok().filter(|_| header.first() == Some(&CLIENT_HELLO))?;
    let answer = flight(&hello, *hello.suites.first()?, &PROFILES)?;
    written(&answer, 0).first()?.get(RECORD_HEADER_BYTES..).map(<[u8]>::to_vec)
}

/// The datagrams of a flight that answers the hello with that message_seq.
pub(super) fn written(flight: &ServerFlight, seq: u16) -> Vec<Vec<u8>> {
    flight.to_dtls(seq, seq.into(), MAX_FRAGMENT_BYTES).unwrap_or_default()
}

fn static_rsa(hello: &ClientHello) -> Option<ServerFlight> {
    let mut flight = flight(hello, chosen(&STATIC_RSA, &hello.suites)?, &PROFILES)?;
    flight.certificates = vec![RSA_2048.to_vec()];
    Some(flight)
}

/// A server that has this, each in the order of its preference.
struct Ecdhe<'a> {
    suites: &'a [u16],
    /// DER, leaf first.
    certificates: Vec<&'a [u8]>,
    schemes: &'a [u16],
    profiles: &'a [u16],
}

impl<'a> Ecdhe<'a> {
    /// What the library would show.
    fn ours(own: &'a [u8]) -> Self {
        Self { suites: &OURS, certificates: vec![own], schemes: &ECDSA_SCHEMES, profiles: &PROFILES }
    }

    /// Nothing where a list of the hello has none of ours.
    fn answer(&self, hello: &ClientHello) -> Option<ServerFlight> {
        let mut flight = flight(hello, chosen(self.suites, &hello.suites)?, self.profiles)?;
        // A client without the extension takes any: RFC 8422, section 4; RFC 5246, section 7.4.1.4.1.
        let groups = numbers(hello, Extension::SUPPORTED_GROUPS).unwrap_or(vec![23]);
        let (group, length) = GROUPS.into_iter().find(|(group, _)| groups.contains(group))?;
        let schemes = numbers(hello, Extension::SIGNATURE_ALGORITHMS).unwrap_or(self.schemes.to_vec());
        let scheme = chosen(self.schemes, &schemes);
        let named = hello.version == Version::DTLS12; // a scheme stands in the message from 1.2 on
        if named && scheme.is_none() {
            return None;
        }
        flight.certificates = self.certificates.iter().map(|der| der.to_vec()).collect();
        flight.key_exchange = Some(key_exchange(group, length, scheme.filter(|_| named))?);
        Some(flight)
    }
}

/// The ServerHello, with what it says to the extensions of the hello.
fn flight(hello: &ClientHello, suite: u16, profiles: &[u16]) -> Option<ServerFlight> {
    let mut flight = ServerFlight::new(hello.version, random()?, suite);
    let offers = |kind| hello.extensions.iter().any(|extension| extension.kind == kind);
    let empty = [
        (Extension::EXTENDED_MASTER_SECRET, Extension::extended_master_secret()),
        (Extension::RENEGOTIATION_INFO, Extension::renegotiation_info()),
        (Extension::EC_POINT_FORMATS, Extension::ec_point_formats()),
    ];
    flight.extensions = empty.into_iter().filter(|(kind, _)| offers(*kind)).map(|(_, extension)| extension).collect();
    let offered = numbers(hello, Extension::USE_SRTP).unwrap_or_default();
    let profile = chosen(profiles, &offered);
    flight.extensions.extend(profile.and_then(|profile| Extension::use_srtp(&[profile]).ok()));
    Some(flight)
}

/// A key of the right length that is none, under a signature that proves nothing. RFC 8422, section 5.4.
fn key_exchange(group: u16, length: usize, scheme: Option<u16>) -> Option<Vec<u8>> {
    let mut key: Vec<u8> = random::<97>()?.into_iter().take(length).collect();
    if let Some(first) = key.first_mut().filter(|_| length % 2 == 1) {
        *first = UNCOMPRESSED;
    }
    let signature = random::<72>()?; // as long as one of P-256 gets
    let mut body = vec![NAMED_CURVE];
    body.extend(group.to_be_bytes());
    body.push(u8::try_from(length).ok()?);
    body.extend(key);
    body.extend(scheme.into_iter().flat_map(u16::to_be_bytes));
    body.extend([0, 72]);
    body.extend(signature);
    Some(body)
}

/// The first of ours that is offered.
fn chosen(ours: &[u16], offered: &[u16]) -> Option<u16> {
    ours.iter().copied().find(|own| offered.contains(own))
}

/// The 16-bit numbers that stand behind their length in an extension; nothing where the hello has no such extension.
fn numbers(hello: &ClientHello, kind: u16) -> Option<Vec<u16>> {
    let data = &hello.extensions.iter().find(|extension| extension.kind == kind)?.data;
    let (length, list) =
        data.split_first_chunk().map_or((0, &[][..]), |(length, list)| (u16::from_be_bytes(*length), list));
    let list = list.get(..usize::from(length)).unwrap_or_default();
    Some(list.chunks_exact(2).map(|pair| pair.iter().fold(0, |number, byte| number << 8 | u16::from(*byte))).collect())
}
