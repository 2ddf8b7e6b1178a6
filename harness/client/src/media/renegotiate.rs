//! The first message of a second handshake inside an association. RFC 5246, sections 7.4.1.1 and 7.4.1.2; RFC 5746.
//!
//! `rtc-dtls` knows no second handshake. It is given the message as application data, and [`super::tap`] has it sealed as what it
//! is. What the peer makes of it is seen by the tap as well; the handshake is not carried on.

use super::MediaError;

const HELLO_REQUEST: u8 = 0; // RFC 5246, section 7.4, as the next
const CLIENT_HELLO: u8 = 1;
const VERSION: [u8; 2] = [0xfe, 0xfd]; // DTLS 1.2
/// ECDHE with AES-128-GCM, ECDSA and RSA: RFC 5289, section 3.2.
const SUITES: [u8; 4] = [0xc0, 0x2b, 0xc0, 0x2f];
/// `supported_groups` (x25519, secp256r1), `ec_point_formats` (uncompressed), `signature_algorithms` (ECDSA and RSA with
/// SHA-256), `extended_master_secret`, `use_srtp` (RFC 5764, section 4.1.2: three profiles, no MKI).
const EXTENSIONS: &[u8] = &[
    0, 10, 0, 6, 0, 4, 0, 29, 0, 23, //
    0, 11, 0, 2, 1, 0, //
    0, 13, 0, 6, 0, 4, 4, 3, 4, 1, //
    0, 23, 0, 0, //
    0, 14, 0, 9, 0, 6, 0, 7, 0, 8, 0, 1, 0,
];
const RENEGOTIATION_INFO: [u8; 2] = [0xff, 0x01]; // RFC 5746, section 3.2

/// As the client a ClientHello, with what our Finished said in `renegotiation_info`, so that a peer that renegotiates securely has
/// no reason to refuse; as the server a HelloRequest.
pub(super) fn message(client: bool, verify_data: &[u8]) -> Result<Vec<u8>, MediaError> {
    if !client {
        return Ok(framed(HELLO_REQUEST, &[]));
    }
    let mut random = [0; 32];
    getrandom::fill(&mut random).map_err(MediaError::setup)?;
    let mut info = RENEGOTIATION_INFO.to_vec();
    let length = u8::try_from(verify_data.len()).map_err(MediaError::setup)?;
    info.extend([0, length + 1, length]);
    info.extend_from_slice(verify_data);
    let extensions = [EXTENSIONS, &info].concat();
    let mut body = [&VERSION[..], &random].concat();
    body.extend([0, 0]); // no session, no cookie: the peer has seen us
    body.extend([0, SUITES.len() as u8]);
    body.extend(SUITES);
    body.extend([1, 0]); // no compression
    body.extend(u16::try_from(extensions.len()).map_err(MediaError::setup)?.to_be_bytes());
    body.extend(extensions);
    Ok(framed(CLIENT_HELLO, &body))
}

/// RFC 6347, section 4.2.2: a whole message, the first of its handshake.
fn framed(kind: u8, body: &[u8]) -> Vec<u8> {
    let [_, length @ ..] = u32::try_from(body.len()).unwrap_or(0).to_be_bytes();
    [&[kind][..], &length, &[0; 5], &length, body].concat()
}

#[cfg(test)]
mod truth;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_fit() {
        let hello = message(true, &[7; 12]).unwrap();
        let length = |at: usize| u32::from_be_bytes([0, hello[at], hello[at + 1], hello[at + 2]]) as usize;
        assert_eq!((length(1), length(9)), (hello.len() - 12, hello.len() - 12));
        assert_eq!(hello[hello.len() - 17..hello.len() - 12], [0xff, 1, 0, 13, 12]);
        assert_eq!(message(false, &[]).unwrap(), [0; 12]);
        let extensions = 12 + 2 + 32 + 2 + 2 + SUITES.len() + 2;
        let stated = usize::from(u16::from_be_bytes([hello[extensions], hello[extensions + 1]]));
        assert_eq!(stated, hello.len() - extensions - 2);
    }
}
