//! An RSA key that nobody has the private half of: enough to show a certificate to who only looks at it.

use rcgen::{PKCS_RSA_SHA256, PublicKeyData, SignatureAlgorithm};

use crate::random;

/// Bytes of the modulus: 2048 bits.
const BYTES: usize = 256;
/// 65537, as a DER INTEGER.
const EXPONENT: [u8; 5] = [2, 3, 1, 0, 1];

/// RSAPublicKey over a random odd number: RFC 8017, section A.1.1. That it is no product of two primes, nobody sees.
pub(super) struct Modulus(Vec<u8>);

impl Modulus {
    /// A new one.
    pub fn random() -> Self {
        let mut number = random::bytes::<BYTES>();
        number[0] |= 0x80; // the number of bits is what it says
        number[BYTES - 1] |= 1;
        // A DER INTEGER is signed, hence the zero in front.
        let modulus = der(2, &[&[0], &number[..]].concat());
        Self(der(0x30, &[&modulus[..], &EXPONENT].concat()))
    }
}

impl PublicKeyData for Modulus {
    fn der_bytes(&self) -> &[u8] {
        &self.0
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        &PKCS_RSA_SHA256
    }
}

/// Tag, length in two bytes, contents; for contents of 256 bytes to 65,535.
fn der(tag: u8, contents: &[u8]) -> Vec<u8> {
    let [.., high, low] = contents.len().to_be_bytes();
    [&[tag, 0x82, high, low], contents].concat()
}
