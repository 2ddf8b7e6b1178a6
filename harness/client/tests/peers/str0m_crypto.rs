//! Primitives for str0m, from `rtc-crypto` and `dimpl`: its own choices bring AWS-LC or OpenSSL into the build.

use std::fmt;
use std::sync::{Arc, LazyLock};
use std::time::Instant;

use dimpl::{Config, Dtls};
use rtc::crypto::{AeadAlgorithm, BlockCipherAlgorithm, RTCCryptoProvider, StreamCipherAlgorithm};
use str0m::crypto::dtls::{
    DtlsCert, DtlsImplError, DtlsInstance, DtlsOutput, DtlsProvider, DtlsVersion, ProtocolVersion,
};
use str0m::crypto::{
    AeadAes128GcmCipher, AeadAes256GcmCipher, Aes128CmSha1_80Cipher, CryptoError, CryptoProvider, Sha1HmacProvider,
    Sha1Provider, Sha256Provider, SrtpProvider, SupportedAeadAes128Gcm, SupportedAeadAes256Gcm,
    SupportedAes128CmSha1_80,
};

const GCM_TAG_BYTES: usize = 16; // RFC 7714, section 13.2

static RTC: LazyLock<Arc<dyn RTCCryptoProvider>> = LazyLock::new(|| rtc::crypto::default_provider().expect("ring"));

/// What str0m computes with.
pub fn provider() -> CryptoProvider {
    CryptoProvider {
        srtp_provider: &Primitives,
        sha1_hmac_provider: &Primitives,
        sha1_provider: &Primitives,
        sha256_provider: &Primitives,
        dtls_provider: &Primitives,
    }
}

/// A self-signed certificate.
pub fn certificate() -> DtlsCert {
    let key = rcgen::KeyPair::generate().expect("a key");
    let params = rcgen::CertificateParams::new(Vec::<String>::new()).expect("no names");
    let certificate = params.self_signed(&key).expect("a certificate");
    DtlsCert { certificate: certificate.der().to_vec(), private_key: key.serialize_der() }
}

#[derive(Debug)]
struct Primitives;

impl SrtpProvider for Primitives {
    fn aes_128_cm_sha1_80(&self) -> &'static dyn SupportedAes128CmSha1_80 {
        &Primitives
    }

    fn aead_aes_128_gcm(&self) -> &'static dyn SupportedAeadAes128Gcm {
        &Primitives
    }

    fn aead_aes_256_gcm(&self) -> &'static dyn SupportedAeadAes256Gcm {
        &Primitives
    }

    fn srtp_aes_128_ecb_round(&self, key: &[u8], input: &[u8], output: &mut [u8]) {
        block(BlockCipherAlgorithm::Aes128, key, input, output);
    }

    fn srtp_aes_256_ecb_round(&self, key: &[u8], input: &[u8], output: &mut [u8]) {
        block(BlockCipherAlgorithm::Aes256, key, input, output);
    }
}

/// `output` is longer than a block: some backends pad.
fn block(algorithm: BlockCipherAlgorithm, key: &[u8], input: &[u8], output: &mut [u8]) {
    let place = &mut output[..input.len()];
    place.copy_from_slice(input);
    RTC.crypto().block_encrypt(algorithm, key, place).expect("a key and a block of the right length");
}

impl SupportedAes128CmSha1_80 for Primitives {
    fn create_cipher(&self, key: [u8; 16], _encrypt: bool) -> Box<dyn Aes128CmSha1_80Cipher> {
        Box::new(CounterMode(key))
    }
}

impl SupportedAeadAes128Gcm for Primitives {
    fn create_cipher(&self, key: [u8; 16], _encrypt: bool) -> Box<dyn AeadAes128GcmCipher> {
        Box::new(Gcm(AeadAlgorithm::Aes128Gcm, key.to_vec()))
    }
}

impl SupportedAeadAes256Gcm for Primitives {
    fn create_cipher(&self, key: [u8; 32], _encrypt: bool) -> Box<dyn AeadAes256GcmCipher> {
        Box::new(Gcm(AeadAlgorithm::Aes256Gcm, key.to_vec()))
    }
}

#[derive(Debug)]
struct CounterMode([u8; 16]);

impl Aes128CmSha1_80Cipher for CounterMode {
    fn encrypt(&mut self, iv: &[u8; 16], input: &[u8], output: &mut [u8]) -> Result<(), CryptoError> {
        let place = &mut output[..input.len()];
        place.copy_from_slice(input);
        let cipher = RTC.crypto().new_stream_cipher(StreamCipherAlgorithm::Aes128Ctr, &self.0);
        cipher.and_then(|mut cipher| cipher.apply_keystream(iv, place)).map_err(other)
    }

    fn decrypt(&mut self, iv: &[u8; 16], input: &[u8], output: &mut [u8]) -> Result<(), CryptoError> {
        self.encrypt(iv, input, output)
    }
}

#[derive(Debug)]
struct Gcm(AeadAlgorithm, Vec<u8>);

impl Gcm {
    fn seal(&self, iv: &[u8; 12], aad: &[u8], input: &[u8], output: &mut [u8]) -> Result<(), CryptoError> {
        let (text, tag) = output[..input.len() + GCM_TAG_BYTES].split_at_mut(input.len());
        text.copy_from_slice(input);
        let cipher = RTC.crypto().new_aead(self.0, &self.1);
        cipher.and_then(|mut cipher| cipher.seal_in_place(iv, aad, text, tag)).map_err(other)
    }

    fn open(&self, iv: &[u8; 12], aads: &[&[u8]], input: &[u8], output: &mut [u8]) -> Result<usize, CryptoError> {
        let (sealed, tag) = input.split_at(input.len() - GCM_TAG_BYTES);
        let text = &mut output[..sealed.len()];
        text.copy_from_slice(sealed);
        let cipher = RTC.crypto().new_aead(self.0, &self.1);
        cipher.and_then(|mut cipher| cipher.open_in_place(iv, &aads.concat(), text, tag)).map_err(other)?;
        Ok(sealed.len())
    }
}

macro_rules! gcm_cipher {
    ($($cipher:ident),+) => {$(
        impl $cipher for Gcm {
            fn encrypt(&mut self, iv: &[u8; 12], aad: &[u8], from: &[u8], to: &mut [u8]) -> Result<(), CryptoError> {
                self.seal(iv, aad, from, to)
            }

            fn decrypt(
                &mut self,
                iv: &[u8; 12],
                aads: &[&[u8]],
                from: &[u8],
                to: &mut [u8],
            ) -> Result<usize, CryptoError> {
                self.open(iv, aads, from, to)
            }
        }
    )+};
}
gcm_cipher!(AeadAes128GcmCipher, AeadAes256GcmCipher);

impl Sha1HmacProvider for Primitives {
    fn sha1_hmac(&self, key: &[u8], payloads: &[&[u8]]) -> [u8; 20] {
        let mut tag = [0; 20];
        let mac = RTC.crypto().new_hmac(rtc::crypto::HmacAlgorithm::Sha1, key);
        mac.and_then(|mut mac| mac.sign(payloads, &mut tag)).expect("HMAC takes any key");
        tag
    }
}

impl Sha1Provider for Primitives {
    fn sha1(&self, _data: &[u8]) -> [u8; 20] {
        panic!("only for fingerprints of SHA-1, which we do not offer")
    }
}

impl Sha256Provider for Primitives {
    fn sha256(&self, data: &[u8]) -> [u8; 32] {
        use sha2::Digest as _;
        sha2::Sha256::digest(data).into()
    }
}

impl DtlsProvider for Primitives {
    fn generate_certificate(&self) -> Option<DtlsCert> {
        Some(certificate())
    }

    fn new_dtls(
        &self,
        cert: &DtlsCert,
        now: Instant,
        version: DtlsVersion,
        _mtu: Option<usize>,
    ) -> Result<Box<dyn DtlsInstance>, CryptoError> {
        assert_eq!(version, DtlsVersion::Dtls12, "str0m's default");
        let config = Config::builder().use_server_cookie(false).build().map_err(other)?;
        Ok(Box::new(Association(Dtls::new_12(Arc::new(config), cert.clone(), now))))
    }
}

struct Association(Dtls);

impl fmt::Debug for Association {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Association")
    }
}

impl DtlsInstance for Association {
    fn set_active(&mut self, active: bool) {
        self.0.set_active(active);
    }

    fn handle_packet(&mut self, packet: &[u8]) -> Result<(), DtlsImplError> {
        self.0.handle_packet(packet)
    }

    fn poll_output<'a>(&mut self, buffer: &'a mut [u8]) -> DtlsOutput<'a> {
        self.0.poll_output(buffer)
    }

    fn handle_timeout(&mut self, now: Instant) -> Result<(), DtlsImplError> {
        self.0.handle_timeout(now)
    }

    fn send_application_data(&mut self, data: &[u8]) -> Result<usize, DtlsImplError> {
        self.0.send_application_data(data)
    }

    fn is_active(&self) -> bool {
        self.0.is_active()
    }

    fn protocol_version(&self) -> Option<ProtocolVersion> {
        self.0.protocol_version()
    }

    fn is_closing(&self) -> bool {
        self.0.is_closing()
    }

    fn is_closed(&self) -> bool {
        self.0.is_closed()
    }

    fn close(&mut self) -> Result<(), DtlsImplError> {
        self.0.close()
    }
}

fn other(error: impl fmt::Display) -> CryptoError {
    CryptoError::Other(error.to_string())
}
