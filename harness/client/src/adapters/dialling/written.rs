//! What number stands in a text: behind every scheme, encoding, separator and parameter that a switch may undo.

use std::net::IpAddr;

/// Behind these a user part is over: parameters, password, headers, a pause, a second party.
const ENDS: [char; 10] = [';', ':', '?', '>', ',', '&', '=', '|', '!', '@'];
/// Pauses in the middle of a number. RFC 2806, section 2.2.
const PAUSES: [char; 4] = ['p', 'P', 'w', 'W'];

/// A text that could be dialled, read.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Written {
    /// Digits, with a leading `+` kept: the number first, then what else it may be taken for.
    pub numbers: Vec<String>,
    /// The number of each address in turn: whoever takes another one than we do must not reach a stranger.
    pub addressed: Vec<String>,
    /// Host of a SIP URI, lower case.
    pub host: Option<String>,
}

impl Written {
    /// Reads a Request-URI, a name-addr (RFC 3261, section 20.10) or a bare number.
    ///
    /// # Errors
    /// It is written as nobody writes a number who does not want to hide one.
    pub fn read(text: &str) -> Result<Self, String> {
        let text = decode(text);
        let mut written = Self::default();
        // In a name-addr the address stands between angle brackets.
        for piece in text.split('<').filter(|piece| !piece.trim().is_empty()) {
            written.add(piece)?;
        }
        Ok(written)
    }

    fn add(&mut self, piece: &str) -> Result<(), String> {
        let (scheme, rest) = without_scheme(piece.trim())?;
        let user = rest.split(ENDS).next().unwrap_or_default();
        if user.chars().any(|c| !c.is_ascii() && c.is_numeric()) {
            return Err(format!("`{user}` has digits that are not ASCII"));
        }
        let bare = user.trim().to_ascii_lowercase();
        if bare == "sos" || bare.starts_with("sos.") {
            return Err(format!("`{user}` is not dialled: emergency service")); // RFC 5031
        }
        let lower = rest.to_ascii_lowercase();
        let has_user = rest.contains('@');
        if has_user {
            let host = rest.rsplit_once('@').map(|(_, host)| host.split([';', '?', '>']).next().unwrap_or_default());
            let host = host.map(|host| host.trim().to_ascii_lowercase());
            self.host = host.map(|host| without_port(&host).to_owned()).or(self.host.take());
        }
        let is_address = !has_user && scheme != Some("tel") && is_address(rest);
        match telephone_number(user).filter(|_| !is_address) {
            Some(number) => {
                self.numbers.extend(in_context(&lower, &number));
                self.numbers.insert(0, number.clone());
                self.addressed.push(number);
            }
            None if scheme == Some("tel") || lower.contains("user=phone") => {
                return Err(format!("`{user}` is to be a telephone number and cannot be read as one"));
            }
            None => {}
        }
        Ok(())
    }
}

/// The text behind `sip:`, `sips:` or `tel:`, however often.
fn without_scheme(text: &str) -> Result<(Option<&'static str>, &str), String> {
    let (mut scheme, mut rest) = (None, text);
    while let Some((before, after)) = rest.split_once(':') {
        let word = before.trim();
        let known = ["sip", "sips", "tel"].into_iter().find(|known| word.eq_ignore_ascii_case(known));
        let is_scheme = word.starts_with(|c: char| c.is_ascii_alphabetic())
            && word.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'));
        match known {
            Some(known) => (scheme, rest) = (Some(known), after.trim_start()),
            None if scheme.is_none() && is_scheme => {
                return Err(format!("`{word}:` is not dialled: neither sip, sips nor tel"));
            }
            None => break,
        }
    }
    Ok((scheme, rest))
}

/// A host alone that is an IP address, with or without a port.
fn is_address(rest: &str) -> bool {
    let host = rest.split([';', '?', '>']).next().unwrap_or_default().trim();
    without_port(host).parse::<IpAddr>().is_ok()
}

fn without_port(host: &str) -> &str {
    match host.strip_prefix('[').and_then(|v6| v6.split_once(']')) {
        Some((v6, _)) => v6,
        None => host.split(':').next().unwrap_or_default(),
    }
}

/// The number as it is where its context stands before it. RFC 3966, section 5.1.5.
fn in_context(rest: &str, number: &str) -> Option<String> {
    let (_, context) = rest.split_once("phone-context")?;
    let value = context.trim_start().strip_prefix('=')?.split([';', '@', '?', '>']).next()?;
    let context = telephone_number(value.trim().trim_matches('"'))?;
    Some(context + number.trim_start_matches('+'))
}

/// Undoes percent-encoding until nothing changes: a proxy on the way may decode once more than we do.
fn decode(text: &str) -> String {
    let mut bytes = text.as_bytes().to_vec();
    loop {
        let mut decoded = Vec::with_capacity(bytes.len());
        let mut rest = bytes.as_slice();
        while let Some((first, tail)) = rest.split_first() {
            let digits = tail.get(..2).filter(|_| *first == b'%').and_then(|pair| std::str::from_utf8(pair).ok());
            let byte = digits.filter(|pair| !pair.starts_with('+')).and_then(|pair| u8::from_str_radix(pair, 16).ok());
            decoded.push(byte.unwrap_or(*first));
            rest = if byte.is_some() { tail.get(2..).unwrap_or_default() } else { tail };
        }
        if decoded == bytes {
            return String::from_utf8_lossy(&bytes).into_owned();
        }
        bytes = decoded;
    }
}

/// The digits, with a leading `+` kept, if there is nothing else but separators, of whatever script. Star and hash are
/// separators too: feature codes dial what stands behind them.
fn telephone_number(user: &str) -> Option<String> {
    let kept: String = user.chars().filter(|c| c.is_alphanumeric() || *c == '+').collect();
    let spoken = kept.split(PAUSES).next().unwrap_or_default();
    let digits = spoken.replace('+', "");
    let only_digits = kept.chars().all(|c| c.is_ascii_digit() || c == '+' || PAUSES.contains(&c));
    let plus = if spoken.starts_with('+') { "+" } else { "" };
    (only_digits && !digits.is_empty()).then(|| format!("{plus}{digits}"))
}
