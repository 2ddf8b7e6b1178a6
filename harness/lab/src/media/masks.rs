//! What `dimpl` cannot be told to do: two faults that put a mask on what it is given, and take it off again before anything is
//! computed over it, so that the peer's view and its own agree.
//!
//! *A profile is hidden.* The library takes the strongest SRTP profile of a hello. [`without_aes256`] writes another number in the
//! place of AEAD_AES_256_GCM; hash and signature check, through which all of the handshake goes that has to be equal on both
//! sides, see the hello as it came.
//!
//! *A handshake goes on as data.* Once connected the library drops every message of a handshake. DTLS-SRTP has no application data
//! (RFC 5764, section 3), so its record type is free to carry them: [`as_data`] gives a sealed record of a handshake that type,
//! [`as_handshake`] takes it away from one of the library's, and the cipher seals and opens it as what it is on the wire.
//!
//! Both are remembered nowhere: what is masked says so itself.

use std::sync::LazyLock;

use dimpl::CryptoError;
use dimpl::crypto::{
    Aad, Buf, Cipher, CryptoProvider, Dtls12CipherSuite, HashAlgorithm, HashContext, HashProvider, Nonce,
    SignatureAlgorithm, SignatureVerifier, SupportedDtls12CipherSuite, TmpBuf, rust_crypto,
};
use ringfence_wire::hello::{ClientHello, Extension};

// RFC 5246, sections 6.2.1 and 7.4.
const HANDSHAKE: u8 = 22;
const APPLICATION_DATA: u8 = 23;
const CLIENT_HELLO: u8 = 1;
// RFC 6347, sections 4.1 and 4.2.2.
const RECORD_HEADER_BYTES: usize = 13;
const MESSAGE_HEADER_BYTES: usize = 12;
const SEALED_EPOCH: [u8; 2] = [0, 1];
/// In the additional data: behind epoch and sequence number. RFC 5246, section 6.2.3.3.
const TYPE_IN_AAD: usize = 8;
// RFC 5764, section 4.1.2; RFC 7714, section 14.2.
const AES_CM_128_HMAC_SHA1_80: [u8; 2] = [0, 1];
const AEAD_AES_128_GCM: [u8; 2] = [0, 7];
const AEAD_AES_256_GCM: [u8; 2] = [0, 8];
/// A number that no profile has.
const MASK: [u8; 2] = [0xff, 8];

/// The library's cryptography, with both masks. Without one it does what the library's own does.
pub(super) fn provider() -> CryptoProvider {
    static CIPHERS: LazyLock<Vec<Unmasking>> =
        LazyLock::new(|| rust_crypto::default_provider().cipher_suites.iter().map(|suite| Unmasking(*suite)).collect());
    static SUITES: LazyLock<Vec<&'static dyn SupportedDtls12CipherSuite>> =
        LazyLock::new(|| CIPHERS.iter().map(|suite| suite as _).collect());
    CryptoProvider {
        cipher_suites: &SUITES,
        hash_provider: &Unmasked,
        signature_verification: &Unmasked,
        ..rust_crypto::default_provider()
    }
}

/// A hello of one datagram in which AEAD_AES_256_GCM cannot be seen; nothing where it is not offered, or nothing else is.
pub(super) fn without_aes256(datagram: &[u8]) -> Option<Vec<u8>> {
    let (_, message) = datagram.split_at_checked(RECORD_HEADER_BYTES)?;
    let mut masked = datagram.to_vec();
    let profiles = profiles(masked.get_mut(RECORD_HEADER_BYTES..)?, message)?;
    let others = [AEAD_AES_128_GCM, AES_CM_128_HMAC_SHA1_80];
    if !profiles.iter().any(|profile| others.contains(profile)) {
        return None;
    }
    replace(profiles, AEAD_AES_256_GCM, MASK).then_some(masked)
}

/// A datagram of one sealed handshake record, as one of data; nothing of any other datagram.
pub(super) fn as_data(datagram: &[u8]) -> Option<Vec<u8>> {
    let header: &[u8; RECORD_HEADER_BYTES] = datagram.first_chunk()?;
    let [kind, _, _, a, b, .., c, d] = *header;
    let alone = usize::from(u16::from_be_bytes([c, d])) == datagram.len() - RECORD_HEADER_BYTES;
    (kind == HANDSHAKE && [a, b] == SEALED_EPOCH && alone).then(|| retyped(datagram, APPLICATION_DATA))
}

/// A record of data of the library's as one of a handshake; any other as it is.
pub(super) fn as_handshake(datagram: &[u8]) -> Vec<u8> {
    let data = datagram.first() == Some(&APPLICATION_DATA);
    if data { retyped(datagram, HANDSHAKE) } else { datagram.to_vec() }
}

fn retyped(datagram: &[u8], kind: u8) -> Vec<u8> {
    [kind].into_iter().chain(datagram.iter().skip(1).copied()).collect()
}

/// The profiles in `same`, which begins as `message` does: with a whole ClientHello behind its header. Extensions are the last
/// thing in it, so that lengths tell where each one lies.
fn profiles<'a>(same: &'a mut [u8], message: &[u8]) -> Option<&'a mut [[u8; 2]]> {
    let [kind, a, b, c, ..] = *message.first_chunk::<MESSAGE_HEADER_BYTES>()?;
    let end = MESSAGE_HEADER_BYTES + u32::from_be_bytes([0, a, b, c]) as usize;
    let hello = ClientHello::parse(message.get(MESSAGE_HEADER_BYTES..end)?).ok().filter(|_| kind == CLIENT_HELLO)?;
    let at = hello.extensions.iter().position(|extension| extension.kind == Extension::USE_SRTP)?;
    let behind: usize = hello.extensions.iter().skip(at + 1).map(|extension| 4 + extension.data.len()).sum();
    let data = &hello.extensions.get(at)?.data;
    let length = usize::from(u16::from_be_bytes(*data.first_chunk()?));
    let start = end - behind - data.len() + 2;
    Some(same.get_mut(start..start + length.min(data.len() - 2))?.as_chunks_mut().0)
}

/// Whether there was something to replace.
fn replace(profiles: &mut [[u8; 2]], what: [u8; 2], with: [u8; 2]) -> bool {
    let mut found = false;
    for profile in profiles.iter_mut().filter(|profile| **profile == what) {
        *profile = with;
        found = true;
    }
    found
}

/// The messages of a handshake so far, as they were on the wire.
fn unmasked(messages: &[u8]) -> Vec<u8> {
    let mut all = messages.to_vec();
    if let Some(profiles) = profiles(&mut all, messages) {
        replace(profiles, MASK, AEAD_AES_256_GCM);
    }
    all
}

/// Sees hellos as they came.
#[derive(Debug)]
struct Unmasked;

impl HashProvider for Unmasked {
    fn create_hash(&self, algorithm: HashAlgorithm) -> Box<dyn HashContext> {
        Box::new(UnmaskedHash(rust_crypto::default_provider().hash_provider.create_hash(algorithm)))
    }
}

#[derive(Debug)]
struct UnmaskedHash(Box<dyn HashContext>);

impl HashContext for UnmaskedHash {
    fn update(&mut self, data: &[u8]) {
        self.0.update(&unmasked(data)); // the library hashes all messages at once
    }

    fn clone_and_finalize(&self, out: &mut Buf) {
        self.0.clone_and_finalize(out);
    }
}

impl SignatureVerifier for Unmasked {
    fn verify_signature(
        &self,
        cert_der: &[u8],
        data: &[u8],
        signature: &[u8],
        hash_alg: HashAlgorithm,
        sig_alg: SignatureAlgorithm,
    ) -> Result<(), CryptoError> {
        let inner = rust_crypto::default_provider().signature_verification;
        inner.verify_signature(cert_der, &unmasked(data), signature, hash_alg, sig_alg)
    }
}

/// A suite whose data are messages of a handshake.
#[derive(Debug)]
struct Unmasking(&'static dyn SupportedDtls12CipherSuite);

impl SupportedDtls12CipherSuite for Unmasking {
    fn suite(&self) -> Dtls12CipherSuite {
        self.0.suite()
    }

    fn hash_algorithm(&self) -> HashAlgorithm {
        self.0.hash_algorithm()
    }

    fn key_lengths(&self) -> (usize, usize, usize) {
        self.0.key_lengths()
    }

    fn explicit_nonce_len(&self) -> usize {
        self.0.explicit_nonce_len()
    }

    fn tag_len(&self) -> usize {
        self.0.tag_len()
    }

    fn min_protected_fragment_len(&self) -> usize {
        self.0.min_protected_fragment_len()
    }

    fn create_cipher(&self, key: &[u8]) -> Result<Box<dyn Cipher>, CryptoError> {
        Ok(Box::new(UnmaskingCipher(self.0.create_cipher(key)?)))
    }
}

#[derive(Debug)]
struct UnmaskingCipher(Box<dyn Cipher>);

impl Cipher for UnmaskingCipher {
    fn encrypt(&mut self, plaintext: &mut Buf, aad: Aad, nonce: Nonce) -> Result<(), CryptoError> {
        self.0.encrypt(plaintext, of_handshake(aad), nonce)
    }

    fn decrypt(&mut self, ciphertext: &mut TmpBuf, aad: Aad, nonce: Nonce) -> Result<(), CryptoError> {
        self.0.decrypt(ciphertext, of_handshake(aad), nonce)
    }
}

fn of_handshake(mut aad: Aad) -> Aad {
    if let Some(kind) = aad.0.get_mut(TYPE_IN_AAD).filter(|kind| **kind == APPLICATION_DATA) {
        *kind = HANDSHAKE;
    }
    aad
}

#[cfg(test)]
mod tests {
    use super::*;
    use ringfence_wire::hello::Version;

    /// A hello of one datagram that offers these profiles, between two other extensions.
    fn hello(profiles: &[u16]) -> Vec<u8> {
        let mut hello = ClientHello::new(Version::DTLS12, [8; 32]);
        hello.suites = vec![0xc02b, 0x0008];
        let groups = Extension::supported_groups(&[29, 8]).unwrap();
        hello.extensions =
            vec![groups, Extension::use_srtp(profiles).unwrap(), Extension::signature_algorithms(&[8]).unwrap()];
        hello.to_dtls(0, 0, 1200).unwrap().concat()
    }

    #[test]
    fn only_the_profile_is_hidden_and_comes_back() {
        let datagram = hello(&[8, 7, 1]);
        let masked = without_aes256(&datagram).unwrap();
        let changed: Vec<usize> = (0..datagram.len()).filter(|at| datagram[*at] != masked[*at]).collect();
        assert_eq!((changed.len(), masked.len()), (1, datagram.len()));
        let (read, _) = ClientHello::from_datagram(&masked).unwrap();
        assert_eq!(read.extensions[1], Extension::use_srtp(&[0xff08, 7, 1]).unwrap());
        assert_eq!(unmasked(&masked[RECORD_HEADER_BYTES..]), datagram[RECORD_HEADER_BYTES..]);
        let followed = [&masked[RECORD_HEADER_BYTES..], b"the next message"].concat();
        assert_eq!(unmasked(&followed), [&datagram[RECORD_HEADER_BYTES..], b"the next message"].concat());
    }

    #[test]
    fn what_offers_nothing_else_or_nothing_at_all_stays() {
        for profiles in [&[8][..], &[8, 2, 5], &[7, 1], &[]] {
            assert_eq!(without_aes256(&hello(profiles)), None, "{profiles:?}");
        }
        assert!(without_aes256(&hello(&[1, 8])).is_some());
        let datagram = hello(&[8, 1]);
        for length in 0..datagram.len() {
            assert_eq!(without_aes256(&datagram[..length]), None, "{length}");
        }
        for at in 0..datagram.len() {
            let mut broken = datagram.clone();
            broken[at] ^= 0xff;
            let _ = (without_aes256(&broken), unmasked(&broken)); // whatever it says: no panic
        }
    }

    #[test]
    fn only_a_sealed_handshake_becomes_data() {
        let record = |kind, epoch| [&[kind, 0xfe, 0xfd, 0, epoch, 0, 0, 0, 0, 0, 1, 0, 2][..], &[7, 7]].concat();
        assert_eq!(as_data(&record(22, 1)), Some(record(23, 1)));
        assert_eq!(as_handshake(&record(23, 1)), record(22, 1));
        assert_eq!(as_handshake(&record(21, 1)), record(21, 1));
        let twice = record(22, 1).repeat(2);
        for datagram in [&record(22, 0)[..], &record(21, 1), &twice, &record(22, 1)[..14], &[]] {
            assert_eq!(as_data(datagram), None);
        }
    }
}
