//! What the clear part of a DTLS handshake says: hellos, CertificateRequest, alerts. RFC 6347, RFC 5246.
//!
//! `rtc-dtls` keeps most of this to itself. Only whole, unfragmented hellos are read, which is what every stack sends: they
//! fit into a datagram. What cannot be read is left out, never guessed.

use super::random_swap::RANDOM_BYTES;
use super::tap::Alert;

const RECORD_HEADER_BYTES: usize = 13; // RFC 6347, section 4.1
const HANDSHAKE_HEADER_BYTES: usize = 12; // RFC 6347, section 4.2.2
const CHANGE_CIPHER_SPEC: u8 = 20; // RFC 5246, section 6.2.1, as the next three
const ALERT: u8 = 21;
const HANDSHAKE: u8 = 22;
const APPLICATION_DATA: u8 = 23;
const CLIENT_HELLO: u8 = 1; // RFC 5246, section 7.4, as the next three
const SERVER_HELLO: u8 = 2;
const SERVER_KEY_EXCHANGE: u8 = 12;
const CERTIFICATE_REQUEST: u8 = 13;
const USE_SRTP: u16 = 14; // RFC 5764, section 4.1.1
const EXTENDED_MASTER_SECRET: u16 = 23; // RFC 7627, section 5.1
const NAMED_CURVE: u8 = 3; // RFC 8422, section 5.4
const SUPPORTED_VERSIONS: u16 = 43; // RFC 8446, section 4.2.1

/// One thing seen in the clear.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Clear {
    /// A handshake record, readable or encrypted.
    Handshake,
    /// ClientHello's random.
    ClientHello([u8; RANDOM_BYTES]),
    /// ServerHello.
    ServerHello {
        /// Its random.
        random: [u8; RANDOM_BYTES],
        /// The version that it chose, as on the wire; from `supported_versions` where that is there.
        version: u16,
        /// The cipher suite's number.
        suite: u16,
        /// It agrees to the extended master secret.
        extended_master_secret: bool,
        /// The SRTP profile that it chose.
        profile: Option<u16>,
    },
    /// ServerKeyExchange with a group of this number.
    Group(u16),
    /// The server asks for a certificate.
    CertificateRequest,
    /// An alert before encryption.
    Alert(Alert),
}

/// Whether a datagram consists of whole records of DTLS 1.0 or 1.2. Anything else says nothing about the association and is
/// to be dropped in silence (RFC 6347, section 4.1.2.7); `rtc-dtls` would end the handshake over it.
pub(super) fn is_whole_records(mut datagram: &[u8]) -> bool {
    loop {
        let Some((header, rest)) = datagram.split_first_chunk::<RECORD_HEADER_BYTES>() else { return false };
        let [kind, major, minor, .., length_high, length_low] = *header;
        let known =
            (CHANGE_CIPHER_SPEC..=APPLICATION_DATA).contains(&kind) && matches!((major, minor), (0xfe, 0xff | 0xfd));
        let length = usize::from(u16::from_be_bytes([length_high, length_low]));
        match rest.split_at_checked(length) {
            Some((_, [])) => return known,
            Some((_, after)) if known => datagram = after,
            _ => return false,
        }
    }
}

/// Reads the records of one datagram; stops where it is cut short.
pub(super) fn clear_parts(mut datagram: &[u8]) -> Vec<Clear> {
    let mut parts = Vec::new();
    while let Some((header, rest)) = datagram.split_first_chunk::<RECORD_HEADER_BYTES>() {
        let [kind, _, _, epoch_high, epoch_low, .., length_high, length_low] = *header;
        let length = usize::from(u16::from_be_bytes([length_high, length_low]));
        let Some((body, after)) = rest.split_at_checked(length) else { break };
        datagram = after;
        let in_clear = (epoch_high, epoch_low) == (0, 0);
        match (kind, in_clear) {
            (HANDSHAKE, true) => {
                parts.push(Clear::Handshake);
                handshake_messages(body, &mut parts);
            }
            (HANDSHAKE, false) => parts.push(Clear::Handshake),
            (ALERT, true) => {
                if let [level, description] = *body {
                    parts.push(Clear::Alert(Alert { level, description }));
                }
            }
            _ => {}
        }
    }
    parts
}

fn handshake_messages(mut body: &[u8], parts: &mut Vec<Clear>) {
    while let Some((header, rest)) = body.split_first_chunk::<HANDSHAKE_HEADER_BYTES>() {
        let [kind, a, b, c, _, _, d, e, f, g, h, i] = *header;
        let total = u32::from_be_bytes([0, a, b, c]);
        let offset = u32::from_be_bytes([0, d, e, f]);
        let length = u32::from_be_bytes([0, g, h, i]);
        let Some((message, after)) = rest.split_at_checked(length as usize) else { break };
        body = after;
        let whole = offset == 0 && length == total;
        match kind {
            CLIENT_HELLO if whole => parts.extend(random_of(message).map(Clear::ClientHello)),
            SERVER_HELLO if whole => parts.extend(server_hello(message)),
            SERVER_KEY_EXCHANGE if offset == 0 => parts.extend(group(message)),
            CERTIFICATE_REQUEST if offset == 0 => parts.push(Clear::CertificateRequest),
            _ => {}
        }
    }
}

/// Both hellos begin with version and random.
fn random_of(message: &[u8]) -> Option<[u8; RANDOM_BYTES]> {
    message.get(2..)?.first_chunk().copied()
}

// version, random, session id, suite, compression, extensions. RFC 5246, section 7.4.1.3.
fn server_hello(message: &[u8]) -> Option<Clear> {
    let random = random_of(message)?;
    let version = u16_at(message, 0)?;
    let session = 2 + RANDOM_BYTES;
    let suite_at = session + 1 + usize::from(*message.get(session)?);
    let suite = u16_at(message, suite_at)?;
    let extensions = message.get(suite_at + 5..).unwrap_or_default();
    let chosen = extension(extensions, SUPPORTED_VERSIONS).and_then(|value| u16_at(value, 0));
    let extended_master_secret = extension(extensions, EXTENDED_MASTER_SECRET).is_some();
    // Two bytes of length, then the one profile. RFC 5764, section 4.1.1.
    let profile = extension(extensions, USE_SRTP).and_then(|value| u16_at(value, 2));
    Some(Clear::ServerHello { random, version: chosen.unwrap_or(version), suite, extended_master_secret, profile })
}

fn extension(mut extensions: &[u8], wanted: u16) -> Option<&[u8]> {
    loop {
        let kind = u16_at(extensions, 0)?;
        let length = usize::from(u16_at(extensions, 2)?);
        let (value, after) = extensions.get(4..)?.split_at_checked(length)?;
        if kind == wanted {
            return Some(value);
        }
        extensions = after;
    }
}

// Type of curve, and its number. RFC 8422, section 5.4.
fn group(message: &[u8]) -> Option<Clear> {
    let named = *message.first()? == NAMED_CURVE;
    u16_at(message, 1).filter(|_| named).map(Clear::Group)
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..)?.first_chunk().copied().map(u16::from_be_bytes)
}

/// The version in words: `1.2`.
pub(super) fn version_name(version: u16) -> String {
    match version {
        0xfeff => "1.0".into(), // RFC 6347, section 4.1: ones' complements
        0xfefd => "1.2".into(),
        0xfefc => "1.3".into(),
        other => format!("{other:#06x}"),
    }
}

/// The IANA name of the suites that DTLS-SRTP endpoints choose, else the number.
pub(super) fn suite_name(suite: u16) -> String {
    match suite {
        0x002f => "TLS_RSA_WITH_AES_128_CBC_SHA".into(),
        0x0035 => "TLS_RSA_WITH_AES_256_CBC_SHA".into(),
        0x009c => "TLS_RSA_WITH_AES_128_GCM_SHA256".into(),
        0xc009 => "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA".into(),
        0xc00a => "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA".into(),
        0xc013 => "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA".into(),
        0xc014 => "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA".into(),
        0xc02b => "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256".into(),
        0xc02c => "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384".into(),
        0xc02f => "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256".into(),
        0xc030 => "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384".into(),
        0xcca8 => "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256".into(),
        0xcca9 => "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256".into(),
        0x1301 => "TLS_AES_128_GCM_SHA256".into(),
        0x1302 => "TLS_AES_256_GCM_SHA384".into(),
        0x1303 => "TLS_CHACHA20_POLY1305_SHA256".into(),
        other => format!("{other:#06x}"),
    }
}

/// The word of an SRTP profile, as in `srtp_profiles`, else its number.
pub(super) fn profile_name(profile: u16) -> String {
    ringfence_wire::hello::names::srtp_profile(profile).map_or_else(|| format!("{profile:#06x}"), str::to_owned)
}

/// The group's name at IANA, else its number.
pub(super) fn group_name(group: u16) -> String {
    match group {
        0x0017 => "secp256r1".into(),
        0x0018 => "secp384r1".into(),
        0x0019 => "secp521r1".into(),
        0x001d => "x25519".into(),
        0x001e => "x448".into(),
        other => format!("{other:#06x}"),
    }
}

/// The alert's name in RFC 5246, section 7.2, else its number.
pub(super) fn alert_name(description: u8) -> String {
    let name = match description {
        0 => "close_notify",
        10 => "unexpected_message",
        20 => "bad_record_mac",
        22 => "record_overflow",
        30 => "decompression_failure",
        40 => "handshake_failure",
        41 => "no_certificate",
        42 => "bad_certificate",
        43 => "unsupported_certificate",
        44 => "certificate_revoked",
        45 => "certificate_expired",
        46 => "certificate_unknown",
        47 => "illegal_parameter",
        48 => "unknown_ca",
        49 => "access_denied",
        50 => "decode_error",
        51 => "decrypt_error",
        70 => "protocol_version",
        71 => "insufficient_security",
        80 => "internal_error",
        86 => "inappropriate_fallback", // RFC 7507
        90 => "user_canceled",
        100 => "no_renegotiation",
        109 => "missing_extension", // RFC 8446, as the last two
        110 => "unsupported_extension",
        116 => "certificate_required",
        120 => "no_application_protocol",
        other => return format!("alert_{other}"),
    };
    name.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(kind: u8, epoch: u8, body: &[u8]) -> Vec<u8> {
        let length = u16::try_from(body.len()).unwrap().to_be_bytes();
        [&[kind, 0xfe, 0xfd, 0, epoch, 0, 0, 0, 0, 0, 0], &length[..], body].concat()
    }

    fn message(kind: u8, body: &[u8]) -> Vec<u8> {
        let length = &u32::try_from(body.len()).unwrap().to_be_bytes()[1..];
        [&[kind], length, &[0, 0, 0, 0, 0], length, body].concat()
    }

    #[test]
    fn hellos_requests_and_alerts_are_read() {
        let server = [&[0xfe, 0xfd][..], &[5; 32], &[1, 9], &[0xc0, 0x2b], &[0], &[0, 0]].concat();
        let flight = [
            record(HANDSHAKE, 0, &message(SERVER_HELLO, &server)),
            record(HANDSHAKE, 0, &message(SERVER_KEY_EXCHANGE, &[NAMED_CURVE, 0, 0x1d, 0])),
            record(HANDSHAKE, 0, &message(CERTIFICATE_REQUEST, &[1, 64, 0, 0])),
            record(ALERT, 0, &[2, 42]),
            record(HANDSHAKE, 1, &[0; 40]),
            record(ALERT, 1, &[0; 26]),
        ]
        .concat();
        let expected = [
            Clear::Handshake,
            Clear::ServerHello {
                random: [5; 32],
                version: 0xfefd,
                suite: 0xc02b,
                extended_master_secret: false,
                profile: None,
            },
            Clear::Handshake,
            Clear::Group(0x1d),
            Clear::Handshake,
            Clear::CertificateRequest,
            Clear::Alert(Alert { level: 2, description: 42 }),
            Clear::Handshake,
        ];
        assert_eq!(clear_parts(&flight), expected);
        for end in 0..flight.len() {
            clear_parts(&flight[..end]); // cut anywhere: no panic
        }
    }

    #[test]
    fn only_whole_records_are_dtls() {
        let flight =
            [record(HANDSHAKE, 0, &[1; 30]), record(CHANGE_CIPHER_SPEC, 0, &[1]), record(ALERT, 1, &[])].concat();
        assert!(is_whole_records(&flight));
        let ends = [43, 57, flight.len()]; // of the three records
        assert!((0..=flight.len()).all(|end| is_whole_records(&flight[..end]) == ends.contains(&end)));
        assert!(!is_whole_records(&[&flight[..], &[0]].concat()));
        for (at, byte) in [(0, 24), (0, 19), (1, 3), (2, 0xfc), (44, 0)] {
            let mut bent = flight.clone();
            bent[at] = byte;
            assert!(!is_whole_records(&bent), "{at} {byte}");
        }
    }

    #[test]
    fn the_version_that_counts_is_the_chosen_one() {
        let extensions = [0, 23, 0, 0, 0, 43, 0, 2, 0xfe, 0xfc, 0, 14, 0, 5, 0, 2, 0, 7, 0];
        let hello = [&[0xfe, 0xfd][..], &[5; 32], &[0], &[0x13, 0x01], &[0], &[0, 19], &extensions].concat();
        let parts = clear_parts(&record(HANDSHAKE, 0, &message(SERVER_HELLO, &hello)));
        assert_eq!(
            parts[1],
            Clear::ServerHello {
                random: [5; 32],
                version: 0xfefc,
                suite: 0x1301,
                extended_master_secret: true,
                profile: Some(7),
            }
        );
        assert_eq!(version_name(0xfefc), "1.3");
        assert_eq!((alert_name(42), alert_name(200)), ("bad_certificate".into(), "alert_200".into()));
    }
}
