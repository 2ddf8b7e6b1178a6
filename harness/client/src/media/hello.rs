//! What a handshake of ours offers or accepts, as far as `rtc-dtls` lets us choose: DTLS 1.2 with AEAD suites, three groups.

use rtc_crypto::{CryptoAlgorithm, KeyExchangeAlgorithm};
use rtc_dtls::cipher_suite::CipherSuiteId;

/// A cipher suite. AEAD only: in those the tap hears alerts, and a mute alert would be taken for silence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DtlsSuite {
    /// RFC 8827, section 6.5 asks for it.
    EcdsaAes128Gcm,
    /// The same with RSA.
    RsaAes128Gcm,
    /// RFC 7905.
    EcdsaChaCha20,
    /// RFC 7905.
    RsaChaCha20,
}

impl DtlsSuite {
    /// All, in the order of an honest hello.
    pub const ALL: [Self; 4] = [Self::EcdsaAes128Gcm, Self::RsaAes128Gcm, Self::EcdsaChaCha20, Self::RsaChaCha20];

    /// IANA's name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::EcdsaAes128Gcm => "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
            Self::RsaAes128Gcm => "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
            Self::EcdsaChaCha20 => "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
            Self::RsaChaCha20 => "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
        }
    }

    /// The suite of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|suite| suite.name() == name)
    }

    pub(super) const fn id(self) -> CipherSuiteId {
        match self {
            Self::EcdsaAes128Gcm => CipherSuiteId::Tls_Ecdhe_Ecdsa_With_Aes_128_Gcm_Sha256,
            Self::RsaAes128Gcm => CipherSuiteId::Tls_Ecdhe_Rsa_With_Aes_128_Gcm_Sha256,
            Self::EcdsaChaCha20 => CipherSuiteId::Tls_Ecdhe_Ecdsa_With_ChaCha20_Poly1305_Sha256,
            Self::RsaChaCha20 => CipherSuiteId::Tls_Ecdhe_Rsa_With_ChaCha20_Poly1305_Sha256,
        }
    }
}

/// A group for the key exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DtlsGroup {
    /// `secp256r1`, which RFC 8827, section 6.5 asks for.
    P256,
    /// `x25519`.
    X25519,
    /// `secp384r1`.
    P384,
}

impl DtlsGroup {
    /// All, in the order of an honest hello.
    pub const ALL: [Self; 3] = [Self::P256, Self::X25519, Self::P384];

    /// IANA's name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::P256 => "secp256r1",
            Self::X25519 => "x25519",
            Self::P384 => "secp384r1",
        }
    }

    /// The group of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|group| group.name() == name)
    }

    const fn algorithm(self) -> CryptoAlgorithm {
        CryptoAlgorithm::KeyExchange(match self {
            Self::P256 => KeyExchangeAlgorithm::P256,
            Self::X25519 => KeyExchangeAlgorithm::X25519,
            Self::P384 => KeyExchangeAlgorithm::P384,
        })
    }
}

/// Whether an algorithm is none of the groups that were left out. `rtc-dtls` offers every group that its provider has, so
/// leaving one out means not to have it.
pub(super) fn is_wanted(algorithm: CryptoAlgorithm, groups: &[DtlsGroup]) -> bool {
    let group = DtlsGroup::ALL.into_iter().find(|group| group.algorithm() == algorithm);
    group.is_none_or(|group| groups.contains(&group))
}
