//! ServerKeyExchange: group, size and signature of an ephemeral key. RFC 5246, section 7.4.3; RFC 8422, section 5.4.

use super::{Version, names};
use crate::Error;
use crate::bytes::Reader;

/// What the message tells of the exchange.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Exchange {
    pub group: Option<u16>,
    pub dh_bits: Option<u16>,
    pub signature_scheme: Option<u16>,
}

/// Reads the message as `suite` and `version` shape it. Of a suite without a name nothing is read.
pub(super) fn parse(body: &[u8], suite: u16, version: Version) -> Result<Exchange, Error> {
    let Some(shape) = names::suite(suite).map(Shape::of) else { return Ok(Exchange::default()) };
    let mut rest = Reader(body);
    let mut exchange = Exchange::default();
    if shape.hint {
        take16(&mut rest, "PSK identity hint")?;
    }
    match shape.parameters {
        Parameters::None if shape.hint => {}
        Parameters::None => return Err(Error::Invalid("ServerKeyExchange of a suite that has none")),
        Parameters::Ec => {
            exchange.group = Some(curve(&mut rest)?);
            if exchange.group.is_some_and(|group| group >= EXPLICIT_PRIME) {
                return Ok(exchange); // parameters spelt out, and what is behind them, are nothing that a scan needs
            }
        }
        Parameters::Dh => {
            exchange.dh_bits = Some(bits(take16(&mut rest, "DH prime")?)?);
            take16(&mut rest, "DH generator")?;
            take16(&mut rest, "DH public value")?;
        }
        Parameters::Rsa => {
            take16(&mut rest, "RSA modulus")?;
            take16(&mut rest, "RSA exponent")?;
        }
        Parameters::Srp => {
            take16(&mut rest, "SRP prime")?;
            take16(&mut rest, "SRP generator")?;
            let length = rest.u8("SRP salt")?;
            rest.take(usize::from(length), "SRP salt")?;
            take16(&mut rest, "SRP public value")?;
        }
    }
    if shape.signed {
        if version.names_signature_scheme() {
            exchange.signature_scheme = Some(rest.u16("ServerKeyExchange signature scheme")?);
        }
        take16(&mut rest, "ServerKeyExchange signature")?;
    }
    rest.end("ServerKeyExchange")?;
    Ok(exchange)
}

/// RFC 8422, section 5.1.1: numbers that stand for curves without a name.
const EXPLICIT_PRIME: u16 = 0xff01;
const EXPLICIT_CHAR2: u16 = 0xff02;

/// What the message of a suite consists of.
#[derive(Debug, PartialEq, Eq)]
struct Shape {
    /// A PSK identity hint comes first. RFC 4279, section 2; RFC 5489, section 2.
    hint: bool,
    parameters: Parameters,
    signed: bool,
}

#[derive(Debug, PartialEq, Eq)]
enum Parameters {
    None,
    Ec,
    Dh,
    Rsa, // of the export suites: RFC 2246, section 7.4.3
    Srp, // RFC 5054, section 2.5.3
}

impl Shape {
    /// The registry's names tell: what stands before `_WITH_`.
    fn of(name: &str) -> Self {
        let exchange = name.split_once("_WITH_").map_or("", |(exchange, _)| exchange);
        let has = |word: &str| exchange.split('_').any(|x| x == word);
        let parameters = if has("ECDHE") || has("ECDH") && has("anon") {
            Parameters::Ec
        } else if has("DHE") || has("DH") && has("anon") {
            Parameters::Dh
        } else if has("SRP") {
            Parameters::Srp
        } else if has("RSA") && (has("EXPORT") || has("EXPORT1024")) {
            Parameters::Rsa
        } else {
            Parameters::None
        };
        let bare = has("anon") || has("PSK") || has("SRP") && !has("RSA") && !has("DSS");
        Self { hint: has("PSK"), signed: parameters != Parameters::None && !bare, parameters }
    }
}

/// RFC 8422, section 5.4. What is behind the type of an unnamed curve is left.
fn curve(rest: &mut Reader<'_>) -> Result<u16, Error> {
    match rest.u8("EC curve type")? {
        1 => Ok(EXPLICIT_PRIME),
        2 => Ok(EXPLICIT_CHAR2),
        3 => {
            let group = rest.u16("named curve")?;
            let length = rest.u8("EC point")?;
            rest.take(usize::from(length), "EC point")?;
            Ok(group)
        }
        _ => Err(Error::Invalid("EC curve type")),
    }
}

fn take16<'a>(rest: &mut Reader<'a>, field: &'static str) -> Result<&'a [u8], Error> {
    let length = rest.u16(field)?;
    rest.take(usize::from(length), field)
}

/// How long a number is, leading zeros left out.
fn bits(number: &[u8]) -> Result<u16, Error> {
    let zeros = number.iter().take_while(|x| **x == 0).count();
    let Some([first, rest @ ..]) = number.get(zeros..) else { return Err(Error::Invalid("DH prime")) };
    let bits = u64::from(first.ilog2()) + 1 + 8 * u64::try_from(rest.len()).unwrap_or(u64::MAX);
    u16::try_from(bits).map_err(|_| Error::TooLarge { field: "DH prime in bits", limit: u16::MAX.into() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_follow_the_key_exchange() {
        let shape = |hint, parameters, signed| Shape { hint, parameters, signed };
        for (suite, expected) in [
            (0xc02b, shape(false, Parameters::Ec, true)),    // ECDHE_ECDSA
            (0xc018, shape(false, Parameters::Ec, false)),   // ECDH_anon
            (0xc004, shape(false, Parameters::None, false)), // ECDH_ECDSA: static
            (0x009e, shape(false, Parameters::Dh, true)),    // DHE_RSA
            (0x0034, shape(false, Parameters::Dh, false)),   // DH_anon
            (0x0030, shape(false, Parameters::None, false)), // DH_DSS: static
            (0x0014, shape(false, Parameters::Dh, true)),    // DHE_RSA_EXPORT
            (0x0003, shape(false, Parameters::Rsa, true)),   // RSA_EXPORT
            (0x0064, shape(false, Parameters::Rsa, true)),   // RSA_EXPORT1024
            (0x009c, shape(false, Parameters::None, false)), // RSA
            (0x00a8, shape(true, Parameters::None, false)),  // PSK
            (0x00ac, shape(true, Parameters::None, false)),  // RSA_PSK
            (0x00aa, shape(true, Parameters::Dh, false)),    // DHE_PSK
            (0xc0aa, shape(true, Parameters::Dh, false)),    // PSK_DHE, as the registry has it
            (0xd001, shape(true, Parameters::Ec, false)),    // ECDHE_PSK
            (0xc01d, shape(false, Parameters::Srp, false)),  // SRP_SHA
            (0xc01e, shape(false, Parameters::Srp, true)),   // SRP_SHA_RSA
            (0x1301, shape(false, Parameters::None, false)), // 1.3
        ] {
            assert_eq!(names::suite(suite).map(Shape::of), Some(expected), "{suite:#06x}");
        }
    }

    #[test]
    fn bits_of_a_prime() {
        assert_eq!(bits(&[0, 0, 1]), Ok(1));
        assert_eq!(bits(&[0x80; 256]), Ok(2048));
        assert_eq!(bits(&[0x7f; 128]), Ok(1023));
        assert_eq!(bits(&[0, 0]), Err(Error::Invalid("DH prime")));
        assert_eq!(bits(&[]), Err(Error::Invalid("DH prime")));
        assert_eq!(bits(&[0xff; 8192]), Err(Error::TooLarge { field: "DH prime in bits", limit: 65_535 }));
    }
}
