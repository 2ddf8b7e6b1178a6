//! Names for numbers, as the registries of IANA have them.

use std::sync::LazyLock;

/// The IANA name of a cipher suite.
pub fn suite(code: u16) -> Option<&'static str> {
    tls_parser::TlsCipherSuite::from_id(code).map(|x| x.name).or_else(|| find(GOST_SUITES, code))
}

/// All cipher suites that a server could choose and that have a name, by number. Those of 1.3 are among them
/// ([`is_13_suite`]); the two signalling values and TLS_NULL_WITH_NULL_NULL are not.
pub fn suites() -> impl Iterator<Item = (u16, &'static str)> {
    static SORTED: LazyLock<Vec<(u16, &'static str)>> = LazyLock::new(|| {
        let table = tls_parser::CIPHERS.entries().map(|(code, x)| (*code, x.name));
        let mut all: Vec<_> = table.chain(GOST_SUITES.iter().copied()).collect();
        all.retain(|(code, name)| *code != 0 && !name.ends_with("_SCSV"));
        all.sort_unstable();
        all
    });
    SORTED.iter().copied()
}

/// Whether a suite is one of 1.3: these name no key exchange, and no older version has them.
pub fn is_13_suite(code: u16) -> bool {
    suite(code).is_some_and(|name| !name.contains("_WITH_") && !name.ends_with("_SCSV")) || GOST_13.contains(&code)
}

/// The IANA name of a group, in IANA's letter case.
pub fn group(code: u16) -> Option<&'static str> {
    find(GROUPS, code)
}

/// All groups that have a name, by number.
pub fn groups() -> impl Iterator<Item = (u16, &'static str)> {
    GROUPS.iter().copied()
}

/// The name of a signature scheme; the pairs of hash and signature of 1.2 that 1.3 left out are named after its
/// pattern.
pub fn signature_scheme(code: u16) -> Option<&'static str> {
    find(SIGNATURE_SCHEMES, code)
}

/// All signature schemes that have a name, by number.
pub fn signature_schemes() -> impl Iterator<Item = (u16, &'static str)> {
    SIGNATURE_SCHEMES.iter().copied()
}

/// The word of an SRTP protection profile: `cm-sha1-80` and the like, and `0x0009` and the like for those that have no
/// short word.
pub fn srtp_profile(code: u16) -> Option<&'static str> {
    find(SRTP_PROFILES, code)
}

/// All SRTP protection profiles of the registry, by number.
pub fn srtp_profiles() -> impl Iterator<Item = (u16, &'static str)> {
    SRTP_PROFILES.iter().copied()
}

/// The name of an alert.
pub fn alert(code: u8) -> Option<&'static str> {
    find(ALERTS, code)
}

type Table<T> = &'static [(T, &'static str)];

fn find<T: Copy + Ord>(table: Table<T>, code: T) -> Option<&'static str> {
    let index = table.binary_search_by_key(&code, |entry| entry.0).ok()?;
    table.get(index).map(|entry| entry.1)
}

/// RFC 9367: named after the pattern of 1.2.
const GOST_13: std::ops::RangeInclusive<u16> = 0xc103..=0xc106;

/// RFC 9189 and 9367, which the table of `tls-parser` lacks.
#[rustfmt::skip]
const GOST_SUITES: Table<u16> = &[
    (0xc100, "TLS_GOSTR341112_256_WITH_KUZNYECHIK_CTR_OMAC"), (0xc101, "TLS_GOSTR341112_256_WITH_MAGMA_CTR_OMAC"),
    (0xc102, "TLS_GOSTR341112_256_WITH_28147_CNT_IMIT"), (0xc103, "TLS_GOSTR341112_256_WITH_KUZNYECHIK_MGM_L"),
    (0xc104, "TLS_GOSTR341112_256_WITH_MAGMA_MGM_L"), (0xc105, "TLS_GOSTR341112_256_WITH_KUZNYECHIK_MGM_S"),
    (0xc106, "TLS_GOSTR341112_256_WITH_MAGMA_MGM_S"),
];

/// IANA, "TLS Supported Groups"; the two drafts of Kyber as deployed.
#[rustfmt::skip]
const GROUPS: Table<u16> = &[
    (0x0001, "sect163k1"), (0x0002, "sect163r1"), (0x0003, "sect163r2"), (0x0004, "sect193r1"), (0x0005, "sect193r2"),
    (0x0006, "sect233k1"), (0x0007, "sect233r1"), (0x0008, "sect239k1"), (0x0009, "sect283k1"), (0x000a, "sect283r1"),
    (0x000b, "sect409k1"), (0x000c, "sect409r1"), (0x000d, "sect571k1"), (0x000e, "sect571r1"), (0x000f, "secp160k1"),
    (0x0010, "secp160r1"), (0x0011, "secp160r2"), (0x0012, "secp192k1"), (0x0013, "secp192r1"), (0x0014, "secp224k1"),
    (0x0015, "secp224r1"), (0x0016, "secp256k1"), (0x0017, "secp256r1"), (0x0018, "secp384r1"), (0x0019, "secp521r1"),
    (0x001a, "brainpoolP256r1"), (0x001b, "brainpoolP384r1"), (0x001c, "brainpoolP512r1"), (0x001d, "x25519"),
    (0x001e, "x448"), (0x001f, "brainpoolP256r1tls13"), (0x0020, "brainpoolP384r1tls13"),
    (0x0021, "brainpoolP512r1tls13"), (0x0022, "GC256A"), (0x0023, "GC256B"), (0x0024, "GC256C"), (0x0025, "GC256D"),
    (0x0026, "GC512A"), (0x0027, "GC512B"), (0x0028, "GC512C"), (0x0029, "curveSM2"), (0x0100, "ffdhe2048"),
    (0x0101, "ffdhe3072"), (0x0102, "ffdhe4096"), (0x0103, "ffdhe6144"), (0x0104, "ffdhe8192"), (0x0200, "MLKEM512"),
    (0x0201, "MLKEM768"), (0x0202, "MLKEM1024"), (0x11eb, "SecP256r1MLKEM768"), (0x11ec, "X25519MLKEM768"),
    (0x11ed, "SecP384r1MLKEM1024"), (0x11ee, "curveSM2MLKEM768"), (0x6399, "X25519Kyber768Draft00"),
    (0x639a, "SecP256r1Kyber768Draft00"), (0xff01, "arbitrary_explicit_prime_curves"),
    (0xff02, "arbitrary_explicit_char2_curves"),
];

/// IANA, "TLS SignatureScheme" and, of the pairs of RFC 5246, section 7.4.1.4.1, those of MD5, SHA-1 and SHA-2.
#[rustfmt::skip]
const SIGNATURE_SCHEMES: Table<u16> = &[
    (0x0101, "rsa_pkcs1_md5"), (0x0102, "dsa_md5"), (0x0103, "ecdsa_md5"), (0x0201, "rsa_pkcs1_sha1"),
    (0x0202, "dsa_sha1"), (0x0203, "ecdsa_sha1"), (0x0301, "rsa_pkcs1_sha224"), (0x0302, "dsa_sha224"),
    (0x0303, "ecdsa_sha224"), (0x0401, "rsa_pkcs1_sha256"), (0x0402, "dsa_sha256"),
    (0x0403, "ecdsa_secp256r1_sha256"), (0x0420, "rsa_pkcs1_sha256_legacy"), (0x0501, "rsa_pkcs1_sha384"),
    (0x0502, "dsa_sha384"), (0x0503, "ecdsa_secp384r1_sha384"), (0x0520, "rsa_pkcs1_sha384_legacy"),
    (0x0601, "rsa_pkcs1_sha512"), (0x0602, "dsa_sha512"), (0x0603, "ecdsa_secp521r1_sha512"),
    (0x0620, "rsa_pkcs1_sha512_legacy"), (0x0704, "eccsi_sha256"), (0x0705, "iso_ibs1"), (0x0706, "iso_ibs2"),
    (0x0707, "iso_chinese_ibs"), (0x0708, "sm2sig_sm3"), (0x0709, "gostr34102012_256a"),
    (0x070a, "gostr34102012_256b"), (0x070b, "gostr34102012_256c"), (0x070c, "gostr34102012_256d"),
    (0x070d, "gostr34102012_512a"), (0x070e, "gostr34102012_512b"), (0x070f, "gostr34102012_512c"),
    (0x0804, "rsa_pss_rsae_sha256"), (0x0805, "rsa_pss_rsae_sha384"), (0x0806, "rsa_pss_rsae_sha512"),
    (0x0807, "ed25519"), (0x0808, "ed448"), (0x0809, "rsa_pss_pss_sha256"), (0x080a, "rsa_pss_pss_sha384"),
    (0x080b, "rsa_pss_pss_sha512"), (0x081a, "ecdsa_brainpoolP256r1tls13_sha256"),
    (0x081b, "ecdsa_brainpoolP384r1tls13_sha384"), (0x081c, "ecdsa_brainpoolP512r1tls13_sha512"),
    (0x0840, "gostr34102012_256"), (0x0841, "gostr34102012_512"), (0x0904, "mldsa44"), (0x0905, "mldsa65"),
    (0x0906, "mldsa87"),
];

/// IANA, "DTLS-SRTP Protection Profiles": RFC 5764, 7714, 8723, 8269.
#[rustfmt::skip]
const SRTP_PROFILES: Table<u16> = &[
    (0x0001, "cm-sha1-80"), (0x0002, "cm-sha1-32"), (0x0005, "null-sha1-80"), (0x0006, "null-sha1-32"),
    (0x0007, "gcm-128"), (0x0008, "gcm-256"), (0x0009, "0x0009"), (0x000a, "0x000A"), (0x000b, "0x000B"),
    (0x000c, "0x000C"), (0x000d, "0x000D"), (0x000e, "0x000E"),
];

/// IANA, "TLS Alerts", and those of SSL 3.0.
#[rustfmt::skip]
const ALERTS: Table<u8> = &[
    (0, "close_notify"), (10, "unexpected_message"), (20, "bad_record_mac"), (21, "decryption_failed"),
    (22, "record_overflow"), (30, "decompression_failure"), (40, "handshake_failure"), (41, "no_certificate"),
    (42, "bad_certificate"), (43, "unsupported_certificate"), (44, "certificate_revoked"),
    (45, "certificate_expired"), (46, "certificate_unknown"), (47, "illegal_parameter"), (48, "unknown_ca"),
    (49, "access_denied"), (50, "decode_error"), (51, "decrypt_error"), (52, "too_many_cids_requested"),
    (60, "export_restriction"), (70, "protocol_version"), (71, "insufficient_security"), (80, "internal_error"),
    (86, "inappropriate_fallback"), (90, "user_canceled"), (100, "no_renegotiation"), (109, "missing_extension"),
    (110, "unsupported_extension"), (111, "certificate_unobtainable"), (112, "unrecognized_name"),
    (113, "bad_certificate_status_response"), (114, "bad_certificate_hash_value"), (115, "unknown_psk_identity"),
    (116, "certificate_required"), (120, "no_application_protocol"), (121, "ech_required"),
];
