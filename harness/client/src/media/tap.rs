//! A view into the DTLS record layer, through the crypto provider that `rtc-dtls` lets us supply.
//!
//! `rtc-dtls` answers an alert of the peer with an error that does not say which alert it was, and from the handshake's end
//! on alerts are encrypted. The provider sees each record's plaintext together with its additional data, and so its type:
//! [`Tap`] notes both directions' alerts and hands everything on to the real provider. It can also repeat the
//! client random of an earlier call (`certificate = "reused"`).

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rtc_crypto::{
    ActiveKeyExchange, AeadAlgorithm, AeadCipher, BlockCipherAlgorithm, CbcAlgorithm, CbcCipher, CryptoAlgorithm,
    CryptoError, HashAlgorithm, HmacAlgorithm, KeyExchangeAlgorithm, Mac, PublicKey, RTCCrypto, RTCCryptoProvider,
    RTCRandom, SignatureScheme, SigningKey, StreamCipher, StreamCipherAlgorithm,
};

use super::hello::{DtlsGroup, is_wanted};
use super::random_swap::RandomSwap;

/// RFC 5246, section 6.2.1.
const CONTENT_TYPE_ALERT: u8 = 21;
const CONTENT_TYPE_HANDSHAKE: u8 = 22;
const CONTENT_TYPE_DATA: u8 = 23;
/// RFC 5246, section 7.4.9; behind the header of RFC 6347, section 4.2.2.
const FINISHED: u8 = 20;
const HANDSHAKE_HEADER_BYTES: usize = 12;
/// Additional data of an AEAD record: epoch and sequence number, type, version, length. RFC 5246, section 6.2.3.3.
const AAD_BYTES: usize = 13;
const AAD_TYPE_OFFSET: usize = 8;
/// Alerts that are kept per direction until they are taken.
const MAX_ALERTS: usize = 16;

/// An alert record's two bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Alert {
    /// 1 warning, 2 fatal.
    pub level: u8,
    /// RFC 5246, section 7.2.
    pub description: u8,
}

#[derive(Default)]
struct Heard {
    received: Vec<Alert>,
    sent: Vec<Alert>,
    /// Types of the encrypted handshake messages that came.
    handshakes: Vec<u8>,
    /// What our Finished said.
    verify_data: Vec<u8>,
    /// The next record of data is to be one of a handshake.
    retyping: bool,
}

/// What the tap has heard; a handle that the provider and the DTLS side share.
#[derive(Clone, Default)]
pub(super) struct Ear(Arc<Mutex<Heard>>);

impl Ear {
    /// Takes the encrypted alerts that came since the last call.
    pub(super) fn take_received(&self) -> Vec<Alert> {
        std::mem::take(&mut self.lock().received)
    }

    /// Takes the encrypted alerts that we sent since the last call.
    pub(super) fn take_sent(&self) -> Vec<Alert> {
        std::mem::take(&mut self.lock().sent)
    }

    /// Takes the types of the encrypted handshake messages that came since the last call.
    pub(super) fn take_handshakes(&self) -> Vec<u8> {
        std::mem::take(&mut self.lock().handshakes)
    }

    /// The `verify_data` of our Finished.
    pub(super) fn verify_data(&self) -> Vec<u8> {
        self.lock().verify_data.clone()
    }

    /// Has the next record of data sealed as one of a handshake.
    pub(super) fn retype_next(&self) {
        self.lock().retyping = true;
    }

    fn lock(&self) -> MutexGuard<'_, Heard> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn hear(&self, direction: Direction, aad: &[u8], plaintext: &[u8]) {
        if aad.len() != AAD_BYTES {
            return;
        }
        match aad.get(AAD_TYPE_OFFSET) {
            Some(&CONTENT_TYPE_ALERT) => self.hear_alert(direction, plaintext),
            Some(&CONTENT_TYPE_HANDSHAKE) => self.hear_handshake(direction, plaintext),
            _ => {}
        }
    }

    fn hear_handshake(&self, direction: Direction, plaintext: &[u8]) {
        let Some(kind) = plaintext.first().copied() else { return };
        let mut heard = self.lock();
        match direction {
            Direction::Sent if kind == FINISHED => {
                heard.verify_data = plaintext.get(HANDSHAKE_HEADER_BYTES..).unwrap_or_default().to_vec();
            }
            Direction::Received if heard.handshakes.len() < MAX_ALERTS => heard.handshakes.push(kind),
            _ => {}
        }
    }

    fn hear_alert(&self, direction: Direction, plaintext: &[u8]) {
        let [level, description, ..] = *plaintext else { return };
        let mut heard = self.lock();
        let list = match direction {
            Direction::Received => &mut heard.received,
            Direction::Sent => &mut heard.sent,
        };
        if list.len() < MAX_ALERTS {
            list.push(Alert { level, description });
        }
    }
}

#[derive(Clone, Copy)]
enum Direction {
    Received,
    Sent,
}

/// The real provider with an ear on its records and, where asked, a repeated client random.
pub(super) struct Tap {
    inner: Arc<dyn RTCCryptoProvider>,
    ear: Ear,
    swap: RandomSwap,
    groups: Vec<DtlsGroup>,
}

impl Tap {
    /// Wraps `inner`, of whose groups it has only these.
    pub(super) fn new(inner: Arc<dyn RTCCryptoProvider>, ear: Ear, swap: RandomSwap, groups: Vec<DtlsGroup>) -> Self {
        Self { inner, ear, swap, groups }
    }
}

impl RTCCryptoProvider for Tap {
    fn name(&self) -> &'static str {
        self.inner.name()
    }

    fn crypto(&self) -> &dyn RTCCrypto {
        self
    }

    fn random(&self) -> &dyn RTCRandom {
        self.inner.random()
    }
}

/// Everything that takes handshake bytes sees them with the random that stands on the wire.
impl RTCCrypto for Tap {
    fn supports(&self, algorithm: CryptoAlgorithm) -> bool {
        is_wanted(algorithm, &self.groups) && self.inner.crypto().supports(algorithm)
    }

    fn hash(&self, algorithm: HashAlgorithm, data: &[u8]) -> Result<Vec<u8>, CryptoError> {
        self.inner.crypto().hash(algorithm, &self.swap.to_wire(data))
    }

    fn block_encrypt(&self, algorithm: BlockCipherAlgorithm, key: &[u8], block: &mut [u8]) -> Result<(), CryptoError> {
        self.inner.crypto().block_encrypt(algorithm, key, block)
    }

    fn new_hmac(&self, algorithm: HmacAlgorithm, key: &[u8]) -> Result<Box<dyn Mac>, CryptoError> {
        let inner = self.inner.crypto().new_hmac(algorithm, key)?;
        Ok(Box::new(SwappingMac { inner, swap: self.swap.clone() }))
    }

    fn new_stream_cipher(
        &self,
        algorithm: StreamCipherAlgorithm,
        key: &[u8],
    ) -> Result<Box<dyn StreamCipher>, CryptoError> {
        self.inner.crypto().new_stream_cipher(algorithm, key)
    }

    fn new_aead(&self, algorithm: AeadAlgorithm, key: &[u8]) -> Result<Box<dyn AeadCipher>, CryptoError> {
        let inner = self.inner.crypto().new_aead(algorithm, key)?;
        Ok(Box::new(TappedAead { inner, ear: self.ear.clone() }))
    }

    fn new_cbc(&self, algorithm: CbcAlgorithm, key: &[u8]) -> Result<Box<dyn CbcCipher>, CryptoError> {
        self.inner.crypto().new_cbc(algorithm, key)
    }

    fn start_key_exchange(&self, algorithm: KeyExchangeAlgorithm) -> Result<Box<dyn ActiveKeyExchange>, CryptoError> {
        self.inner.crypto().start_key_exchange(algorithm)
    }

    fn generate_signing_key(&self, scheme: SignatureScheme) -> Result<Arc<dyn SigningKey>, CryptoError> {
        self.inner.crypto().generate_signing_key(scheme)
    }

    fn import_signing_key(
        &self,
        scheme: SignatureScheme,
        pkcs8_der: &[u8],
    ) -> Result<Arc<dyn SigningKey>, CryptoError> {
        let inner = self.inner.crypto().import_signing_key(scheme, pkcs8_der)?;
        Ok(Arc::new(SwappingKey { inner, swap: self.swap.clone() }))
    }

    fn verify_signature(
        &self,
        scheme: SignatureScheme,
        public_key: PublicKey<'_>,
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), CryptoError> {
        self.inner.crypto().verify_signature(scheme, public_key, &self.swap.to_wire(message), signature)
    }
}

struct TappedAead {
    inner: Box<dyn AeadCipher>,
    ear: Ear,
}

impl AeadCipher for TappedAead {
    fn tag_len(&self) -> usize {
        self.inner.tag_len()
    }

    fn seal_in_place(&mut self, nonce: &[u8], aad: &[u8], text: &mut [u8], tag: &mut [u8]) -> Result<(), CryptoError> {
        self.ear.hear(Direction::Sent, aad, text);
        let mut aad = aad.to_vec();
        if let Some(kind) = aad.get_mut(AAD_TYPE_OFFSET).filter(|kind| **kind == CONTENT_TYPE_DATA)
            && std::mem::take(&mut self.ear.lock().retyping)
        {
            *kind = CONTENT_TYPE_HANDSHAKE;
        }
        self.inner.seal_in_place(nonce, &aad, text, tag)
    }

    fn open_in_place(&mut self, nonce: &[u8], aad: &[u8], text: &mut [u8], tag: &[u8]) -> Result<(), CryptoError> {
        self.inner.open_in_place(nonce, aad, text, tag)?;
        self.ear.hear(Direction::Received, aad, text);
        Ok(())
    }
}

struct SwappingMac {
    inner: Box<dyn Mac>,
    swap: RandomSwap,
}

impl Mac for SwappingMac {
    fn output_len(&self) -> usize {
        self.inner.output_len()
    }

    fn sign(&mut self, input: &[&[u8]], output: &mut [u8]) -> Result<(), CryptoError> {
        let joined = input.concat();
        self.inner.sign(&[&self.swap.to_wire(&joined)], output)
    }

    fn verify(&mut self, input: &[&[u8]], expected: &[u8]) -> Result<(), CryptoError> {
        let joined = input.concat();
        self.inner.verify(&[&self.swap.to_wire(&joined)], expected)
    }
}

struct SwappingKey {
    inner: Arc<dyn SigningKey>,
    swap: RandomSwap,
}

impl SigningKey for SwappingKey {
    fn supports(&self, scheme: SignatureScheme) -> bool {
        self.inner.supports(scheme)
    }

    fn public_key(&self) -> PublicKey<'_> {
        self.inner.public_key()
    }

    fn sign(&self, scheme: SignatureScheme, message: &[u8]) -> Result<Vec<u8>, CryptoError> {
        self.inner.sign(scheme, &self.swap.to_wire(message))
    }
}
