//! Digest authentication (RFC 7616, in SIP RFC 3261 section 22 and RFC 8760): challenges, answers, checking.
//!
//! # Limits
//! MD5 and SHA-256 with `qop=auth` or without (RFC 2069). Other algorithms, `-sess` and `auth-int` are read, not
//! computed; `userhash`, `domain` and parameters of no known name are dropped. At most 16 challenges in one field, 64 parameters in each.

use crate::sip::{BLANKS, is_token, quote, split_outside, unquote};
use crate::{Error, hash};
use std::fmt;
use subtle::ConstantTimeEq;

/// Most challenges that are read from one field.
pub const MAX_CHALLENGES: usize = 16;
/// Most parameters that are read of one challenge or answer.
pub const MAX_PARAMETERS: usize = 64;

/// What can be computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Algorithm {
    /// RFC 7616, section 3.2: also what a missing `algorithm` means.
    Md5,
    /// RFC 7616, section 3.2.
    Sha256,
}

impl Algorithm {
    /// Reads the parameter `algorithm`.
    ///
    /// # Errors
    /// `Unsupported` for any other name.
    pub fn named(name: Option<&str>) -> Result<Self, Error> {
        match name {
            None => Ok(Self::Md5),
            Some(name) if name.eq_ignore_ascii_case("MD5") => Ok(Self::Md5),
            Some(name) if name.eq_ignore_ascii_case("SHA-256") => Ok(Self::Sha256),
            Some(_) => Err(Error::Unsupported("digest algorithm")),
        }
    }

    fn hash(self, parts: &[&str]) -> String {
        match self {
            Self::Md5 => hash::hex(&hash::md5_joined(parts)),
            Self::Sha256 => hash::hex(&hash::sha256_joined(parts)),
        }
    }
}

/// `H(username:realm:password)` in hexadecimal: all that a server has to store. RFC 7616, section 3.4.2.
pub fn ha1(algorithm: Algorithm, username: &str, realm: &str, password: &str) -> String {
    algorithm.hash(&[username, realm, password])
}

/// The nonce count as it is hashed and written: eight lower-case digits. RFC 7616, section 3.4.
pub fn nc_text(nc: u32) -> String {
    format!("{nc:08x}")
}

/// The `response`: with `counted` (nonce count and client nonce) for `qop=auth`, without for RFC 2069. RFC 7616, section
/// 3.4.1.
pub fn response(
    algorithm: Algorithm,
    ha1: &str,
    nonce: &str,
    counted: Option<(u32, &str)>,
    method: &str,
    uri: &str,
) -> String {
    let ha2 = algorithm.hash(&[method, uri]);
    match counted {
        Some((nc, cnonce)) => algorithm.hash(&[ha1, nonce, &nc_text(nc), cnonce, "auth", &ha2]),
        None => algorithm.hash(&[ha1, nonce, &ha2]),
    }
}

/// What a server asks for, in WWW-Authenticate or Proxy-Authenticate. RFC 7616, section 3.3. Displayed, it is the value of
/// that field.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Challenge {
    /// Whose password is wanted.
    pub realm: String,
    /// To be given back.
    pub nonce: String,
    /// As written; see [`Algorithm::named`].
    pub algorithm: Option<String>,
    /// Each as written; empty is RFC 2069.
    pub qop: Vec<String>,
    /// To be given back.
    pub opaque: Option<String>,
    /// The nonce was too old, the password was not wrong.
    pub stale: bool,
}

/// Reads the Digest challenges of all fields of one name, in order. Other schemes are left out.
///
/// # Errors
/// Over a limit; a value that is neither a token nor a quoted string; a parameter twice with different values; a Digest
/// challenge without realm or nonce.
pub fn challenges<'a>(values: impl IntoIterator<Item = &'a str>) -> Result<Vec<Challenge>, Error> {
    let mut found = Vec::new();
    for value in values {
        for parameters in digest_parameters(value)? {
            let get = |name| parameters.get(name).map(str::to_owned);
            found.push(Challenge {
                realm: get("realm").ok_or(Error::Missing("digest realm"))?,
                nonce: get("nonce").ok_or(Error::Missing("digest nonce"))?,
                algorithm: get("algorithm"),
                qop: split_outside(parameters.get("qop").unwrap_or_default(), b',')
                    .into_iter()
                    .map(Into::into)
                    .collect(),
                opaque: get("opaque"),
                stale: parameters.get("stale").is_some_and(|text| text.eq_ignore_ascii_case("true")),
            });
        }
    }
    Ok(found)
}

impl fmt::Display for Challenge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digest realm={}, nonce={}", quote(&self.realm), quote(&self.nonce))?;
        write_optional(f, "algorithm", self.algorithm.as_deref().map(token))?;
        write_optional(f, "qop", (!self.qop.is_empty()).then(|| quote(&self.qop.join(","))))?;
        write_optional(f, "opaque", self.opaque.as_deref().map(quote))?;
        write_optional(f, "stale", self.stale.then(|| "true".to_owned()))
    }
}

/// What a client answers, in Authorization or Proxy-Authorization. RFC 7616, section 3.4. Displayed, it is the value of
/// that field.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Authorization {
    /// In the clear.
    pub username: String,
    /// The challenge's.
    pub realm: String,
    /// The challenge's.
    pub nonce: String,
    /// What is asked for; a server compares it with the request's.
    pub uri: String,
    /// See [`response`].
    pub response: String,
    /// The challenge's.
    pub algorithm: Option<String>,
    /// `auth`, or nothing for RFC 2069.
    pub qop: Option<String>,
    /// With `qop`: how often this nonce was used.
    pub nc: Option<u32>,
    /// With `qop`: the client's own nonce.
    pub cnonce: Option<String>,
    /// The challenge's.
    pub opaque: Option<String>,
}

impl Authorization {
    /// Answers a challenge. `cnonce` is random text of the caller's, `nc` counts from 1 for each nonce; both are left out
    /// where the challenge has no `qop`.
    ///
    /// # Errors
    /// `Unsupported` algorithm, or a `qop` without `auth`.
    pub fn answer(
        challenge: &Challenge,
        (username, password): (&str, &str),
        (method, uri): (&str, &str),
        (nc, cnonce): (u32, &str),
    ) -> Result<Self, Error> {
        let algorithm = Algorithm::named(challenge.algorithm.as_deref())?;
        let with_qop = challenge.qop.iter().any(|qop| qop.eq_ignore_ascii_case("auth"));
        if !with_qop && !challenge.qop.is_empty() {
            return Err(Error::Unsupported("digest qop"));
        }
        let counted = with_qop.then_some((nc, cnonce));
        let ha1 = ha1(algorithm, username, &challenge.realm, password);
        Ok(Self {
            username: username.to_owned(),
            realm: challenge.realm.clone(),
            nonce: challenge.nonce.clone(),
            uri: uri.to_owned(),
            response: response(algorithm, &ha1, &challenge.nonce, counted, method, uri),
            algorithm: challenge.algorithm.clone(),
            qop: with_qop.then(|| "auth".to_owned()),
            nc: with_qop.then_some(nc),
            cnonce: with_qop.then(|| cnonce.to_owned()),
            opaque: challenge.opaque.clone(),
        })
    }

    /// Reads the value of one field. `None` for another scheme.
    ///
    /// # Errors
    /// As [`challenges`], for the parameters that an answer needs; or a nonce count that is not eight digits.
    pub fn parse(value: &str) -> Result<Option<Self>, Error> {
        let Some(parameters) = digest_parameters(value)?.into_iter().next() else { return Ok(None) };
        let get = |name| parameters.get(name).map(str::to_owned);
        Ok(Some(Self {
            username: get("username").ok_or(Error::Missing("digest username"))?,
            realm: get("realm").ok_or(Error::Missing("digest realm"))?,
            nonce: get("nonce").ok_or(Error::Missing("digest nonce"))?,
            uri: get("uri").ok_or(Error::Missing("digest uri"))?,
            response: get("response").ok_or(Error::Missing("digest response"))?,
            algorithm: get("algorithm"),
            qop: get("qop"),
            nc: parameters.get("nc").map(parse_nc).transpose()?,
            cnonce: get("cnonce"),
            opaque: get("opaque"),
        }))
    }

    /// Checks the response against the stored [`ha1`], which has to be of the answer's algorithm. Whether nonce, count,
    /// realm and URI are the right ones is the caller's to check.
    ///
    /// # Errors
    /// `Unverified` if it does not fit, `Unsupported` for another algorithm or `qop`, `Missing` if `qop` comes without `nc`
    /// or `cnonce`.
    pub fn verify(&self, ha1: &str, method: &str) -> Result<(), Error> {
        let algorithm = Algorithm::named(self.algorithm.as_deref())?;
        let counted = match self.qop.as_deref() {
            None => None,
            Some(qop) if qop.eq_ignore_ascii_case("auth") => Some((
                self.nc.ok_or(Error::Missing("digest nc"))?,
                self.cnonce.as_deref().ok_or(Error::Missing("digest cnonce"))?,
            )),
            Some(_) => return Err(Error::Unsupported("digest qop")),
        };
        let expected = response(algorithm, ha1, &self.nonce, counted, method, &self.uri);
        let fits: bool = expected.as_bytes().ct_eq(self.response.as_bytes()).into();
        if fits { Ok(()) } else { Err(Error::Unverified("digest response")) }
    }
}

// Which parameters are quoted is fixed: RFC 7616, section 3.4, last paragraphs.
impl fmt::Display for Authorization {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digest username={}, realm={}, ", quote(&self.username), quote(&self.realm))?;
        write!(f, "nonce={}, uri={}, ", quote(&self.nonce), quote(&self.uri))?;
        write!(f, "response={}", quote(&self.response))?;
        write_optional(f, "algorithm", self.algorithm.as_deref().map(token))?;
        write_optional(f, "qop", self.qop.as_deref().map(token))?;
        write_optional(f, "nc", self.nc.map(nc_text))?;
        write_optional(f, "cnonce", self.cnonce.as_deref().map(quote))?;
        write_optional(f, "opaque", self.opaque.as_deref().map(quote))
    }
}

/// What is written without quotes, unless it would say something else then: a peer may have quoted a comma.
fn token(text: &str) -> String {
    if is_token(text) { text.to_owned() } else { quote(text) }
}

fn write_optional(f: &mut fmt::Formatter<'_>, name: &str, value: Option<String>) -> fmt::Result {
    value.map_or(Ok(()), |value| write!(f, ", {name}={value}"))
}

fn parse_nc(text: &str) -> Result<u32, Error> {
    // The text is hashed, so only the form that `nc_text` gives back can be checked.
    let nc = u32::from_str_radix(text, 16).ok().filter(|nc| nc_text(*nc) == text);
    nc.ok_or(Error::Invalid("digest nc"))
}

/// The parameters of one challenge or answer, names in lower case.
#[derive(Default)]
struct Parameters(Vec<(String, String)>);

impl Parameters {
    fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    fn add(&mut self, text: &str) -> Result<(), Error> {
        let (name, value) = text.split_once('=').ok_or(Error::Invalid("digest parameter"))?;
        let (name, value) = (name.trim_matches(BLANKS).to_ascii_lowercase(), value.trim_matches(BLANKS));
        let sound = match value.strip_prefix('"') {
            Some(inner) => is_closed(inner),
            None => !value.contains(['"', '<', '>']),
        };
        if !is_token(&name) || !sound || value.contains(char::is_control) {
            return Err(Error::Invalid("digest parameter"));
        }
        let value = unquote(value);
        match self.get(&name) {
            Some(known) if known == value => return Ok(()),
            Some(_) => return Err(Error::Conflict("digest parameter")),
            None => {}
        }
        if self.0.len() == MAX_PARAMETERS {
            return Err(Error::TooLarge { field: "number of digest parameters", limit: MAX_PARAMETERS });
        }
        self.0.push((name, value));
        Ok(())
    }
}

/// Whether the first quote that is not escaped is the last character.
fn is_closed(inner: &str) -> bool {
    let mut escaped = false;
    let end = inner.find(|c| {
        let ends = c == '"' && !escaped;
        escaped = c == '\\' && !escaped;
        ends
    });
    end.is_some_and(|at| at + 1 == inner.len())
}

/// The parameters of each Digest entry. One comma both ends a parameter and starts the next challenge, so an entry begins
/// where a scheme stands before the parameter. RFC 9110, section 11.6.1.
fn digest_parameters(value: &str) -> Result<Vec<Parameters>, Error> {
    let mut found: Vec<Parameters> = Vec::new();
    let mut in_digest = false;
    let mut schemes = 0;
    for part in split_outside(value, b',') {
        let (scheme, first) = part.split_once(BLANKS).unwrap_or((part, ""));
        let mut parameter = part;
        if is_token(scheme) && !first.trim_start_matches(BLANKS).starts_with('=') {
            schemes += 1;
            if schemes > MAX_CHALLENGES {
                return Err(Error::TooLarge { field: "number of digest challenges", limit: MAX_CHALLENGES });
            }
            in_digest = scheme.eq_ignore_ascii_case("Digest");
            if in_digest {
                found.push(Parameters::default());
            }
            parameter = first.trim_matches(BLANKS);
        }
        if let Some(parameters) = found.last_mut().filter(|_| in_digest && !parameter.is_empty()) {
            parameters.add(parameter)?;
        }
    }
    Ok(found)
}
