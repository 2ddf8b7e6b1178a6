//! The secrets of the test, and how each may be written.

use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};

/// Target text that has to stay visible: it shows that a field came through.
pub const HARMLESS: &str = "harmless-marker";
/// Characters that move a cursor, change colours, turn the writing direction or hide.
pub const ACTING: &str = "\u{1b}[31m\u{1b}]0;title\u{7}\u{9b}2J\u{202e}\u{2066}\u{200b}\u{feff}";

/// One secret.
#[derive(Clone, Copy, Debug)]
pub struct Canary {
    /// What it is.
    pub kind: &'static str,
    /// Its value. The first and the last part are found alone, too.
    pub value: &'static str,
    /// The environment variable that gives it to the binary.
    pub env: Option<&'static str>,
}

pub const SIP_PASSWORD: Canary = Canary { kind: "sip-password", value: "Qz7sipPw+4Lk/8vT=nR2&xW9", env: None };
pub const TURN_CREDENTIAL: Canary = Canary { kind: "turn-credential", value: "Hb3turnCr+6Ym/1pD=cF5&sJ8", env: None };
const BEARER: Canary =
    Canary { kind: "bearer", value: "Vt9bearerTk.2Gd_7mA-zE4.oU6hN1", env: Some("RINGFENCE_TEST_BEARER") };
const COOKIE: Canary =
    Canary { kind: "cookie", value: "session=Kw5cookieVl8Rb3Xq6Ps", env: Some("RINGFENCE_TEST_COOKIE") };
const API_KEY: Canary = Canary { kind: "key", value: "Jn2apiKeyVl7Tc4Zf9Mg", env: Some("RINGFENCE_TEST_KEY") };
const OTHER_PASSWORD: Canary =
    Canary { kind: "password", value: "Lx8otherPw+5Hs/3yB=eQ1", env: Some("RINGFENCE_TEST_PASSWORD") };
const OWN_TURN: Canary = Canary { kind: "own-turn", value: "Fc6ownTurn+2Wj/9aK=iV7", env: Some("RINGFENCE_TEST_TURN") };
const URL_KEY: Canary = Canary { kind: "url-key", value: "Gp4urlKeyVl1Nd8Su5Cx", env: None };

/// A password that can stand in a host name, and so in a certificate.
pub const HOST_PASSWORD: Canary = Canary { kind: "sip-password", value: "Mz6certPwQy3Jk8Rt2Bw", env: None };

/// All of them.
pub const ALL: [Canary; 8] =
    [SIP_PASSWORD, TURN_CREDENTIAL, BEARER, COOKIE, API_KEY, OTHER_PASSWORD, OWN_TURN, URL_KEY];

/// The user whose Basic credentials hold [`OTHER_PASSWORD`].
pub const BASIC_USER: &str = "basic-user";

impl Canary {
    /// The value as it is commonly written.
    pub fn forms(&self) -> Vec<String> {
        let bytes = self.value.as_bytes();
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        let percent = |plain: &dyn Fn(u8) -> bool| -> String {
            let one = |byte: &u8| if plain(*byte) { char::from(*byte).to_string() } else { format!("%{byte:02X}") };
            bytes.iter().map(one).collect()
        };
        let mut forms = vec![
            self.value.to_owned(),
            BASE64_STANDARD.encode(bytes).trim_end_matches('=').to_owned(),
            BASE64_URL_SAFE_NO_PAD.encode(bytes),
            hex.to_uppercase(),
            hex,
            percent(&|byte| byte.is_ascii_alphanumeric()),
            percent(&|byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte)),
            percent(&|_| false),
        ];
        if self.kind == OTHER_PASSWORD.kind {
            let basic = BASE64_STANDARD.encode(format!("{BASIC_USER}:{}", self.value));
            forms.push(basic.trim_end_matches('=').to_owned());
        }
        forms
    }

    /// Where it stands in a text, in any form and any case; also its first and last ten characters alone, which is what
    /// cutting a text in the middle of it leaves.
    pub fn found_in(&self, text: &str) -> Vec<String> {
        let text = text.to_ascii_lowercase();
        let parts = [&self.value[..10], &self.value[self.value.len() - 10..]].map(str::to_owned);
        let needles = self.forms().into_iter().chain(parts);
        let found = needles.filter_map(|form| {
            let at = text.find(&form.to_ascii_lowercase())?;
            let before: String = text[..at].chars().rev().take(60).collect::<Vec<_>>().into_iter().rev().collect();
            Some(format!("{} as `{form}` after `{before}`", self.kind))
        });
        found.collect()
    }
}

/// Whether a character acts on a terminal or on the eye.
pub fn acts(c: char) -> bool {
    (c.is_control() && c != '\n')
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}
