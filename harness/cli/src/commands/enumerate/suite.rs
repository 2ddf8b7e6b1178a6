//! What a cipher suite's name says: RFC 5246, appendix A.5 and its like spell it out.

use ringfence_model::enumeration::SuiteSeen;
use ringfence_model::policy::Ranked;

/// A suite, described by its name.
pub fn seen(code: u16, name: String, ranked: Ranked) -> SuiteSeen {
    let rest = name.strip_prefix("TLS_").unwrap_or(&name);
    let (exchange, cipher) = match rest.split_once("_WITH_") {
        Some((exchange, cipher)) => (Some(exchange), cipher),
        None => (None, rest),
    };
    let (key_exchange, authentication) = exchange.map_or(("(EC)DHE", None), parts);
    SuiteSeen {
        code,
        key_exchange: if name.starts_with("0x") { "?" } else { key_exchange }.to_owned(),
        authentication: authentication.map(str::to_owned),
        forward_secrecy: matches!(key_exchange, "ECDHE" | "DHE" | "(EC)DHE"),
        bits: bits(exchange.unwrap_or_default(), cipher),
        ranked,
        name,
    }
}

/// Key exchange, and how the server proves who it is.
fn parts(exchange: &str) -> (&str, Option<&str>) {
    let exchange = ["_EXPORT1024", "_EXPORT"].iter().find_map(|end| exchange.strip_suffix(end)).unwrap_or(exchange);
    match exchange {
        "RSA" | "PSK" => (exchange, Some(exchange)),
        "PSK_DHE" => ("DHE", Some("PSK")),
        _ if exchange.starts_with("SRP_SHA") => ("SRP", exchange.strip_prefix("SRP_SHA_")),
        _ if exchange.starts_with("GOST") => ("GOST", None),
        _ => exchange.split_once('_').map_or((exchange, None), |(key, by)| (key, Some(by))),
    }
}

/// Bits of the key that an attack on the cipher has to find, at most: 112 for three keys of DES, by the meeting in the middle.
fn bits(exchange: &str, cipher: &str) -> Option<u16> {
    let words: Vec<&str> = cipher.split('_').collect();
    let has = |word: &str| words.contains(&word);
    Some(match () {
        _ if has("NULL") || ["SHA256_SHA256", "SHA384_SHA384"].contains(&cipher) => 0,
        _ if exchange.ends_with("EXPORT1024") || has("56") => 56,
        _ if exchange.ends_with("EXPORT") || has("40") || has("DES40") => 40,
        _ if has("3DES") => 112,
        _ if has("DES") => 56,
        _ if has("CHACHA20") || has("256") || has("KUZNYECHIK") || has("MAGMA") || has("28147") => 256,
        _ if has("128") || has("128L") || has("SEED") || has("IDEA") || has("SM4") => 128,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use ringfence_model::policy::Rank;
    use ringfence_wire::hello::names;

    use super::*;

    fn of(name: &str) -> (String, Option<String>, bool, Option<u16>) {
        let suite = seen(1, name.to_owned(), Ranked { rank: Rank::Fine, listed: true });
        (suite.key_exchange, suite.authentication, suite.forward_secrecy, suite.bits)
    }

    #[test]
    fn names_say_how_keys_are_made_and_how_long_they_are() {
        let case = |name: &str, exchange: &str, by: &str, forward_secrecy: bool, bits: u16| {
            let by = (!by.is_empty()).then(|| by.to_owned());
            assert_eq!(of(name), (exchange.to_owned(), by, forward_secrecy, Some(bits)), "{name}");
        };
        case("TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "ECDHE", "RSA", true, 128);
        case("TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256", "ECDHE", "ECDSA", true, 256);
        case("TLS_DHE_DSS_WITH_3DES_EDE_CBC_SHA", "DHE", "DSS", true, 112);
        case("TLS_RSA_WITH_RC4_128_MD5", "RSA", "RSA", false, 128);
        case("TLS_RSA_EXPORT_WITH_RC2_CBC_40_MD5", "RSA", "RSA", false, 40);
        case("TLS_RSA_EXPORT1024_WITH_DES_CBC_SHA", "RSA", "RSA", false, 56);
        case("TLS_RSA_WITH_NULL_SHA256", "RSA", "RSA", false, 0);
        case("TLS_DH_anon_WITH_AES_256_CBC_SHA", "DH", "anon", false, 256);
        case("TLS_ECDH_ECDSA_WITH_AES_128_CBC_SHA256", "ECDH", "ECDSA", false, 128);
        case("TLS_PSK_DHE_WITH_AES_128_CCM_8", "DHE", "PSK", true, 128);
        case("TLS_RSA_PSK_WITH_AES_256_GCM_SHA384", "RSA", "PSK", false, 256);
        case("TLS_AES_256_GCM_SHA384", "(EC)DHE", "", true, 256);
        case("TLS_SHA256_SHA256", "(EC)DHE", "", true, 0);
        assert_eq!(of("0xABCD").0, "?");
        assert_eq!(of("0xABCD").3, None);
    }

    #[test]
    fn every_suite_that_has_a_name_fits_the_table() {
        for (code, name) in names::suites() {
            let suite = seen(code, name.to_owned(), Ranked { rank: Rank::Fine, listed: true });
            assert!(suite.bits.is_some() && suite.key_exchange.len() <= 7, "{name}: {suite:?}");
        }
    }
}
