//! Requests that are written by hand, so that they can be wrong in one place.

use ringfence_client::adapters::CallConfig;

/// Seconds of a registration (house); nothing but a connection of ours is behind its contact.
pub(super) const REGISTERED_S: u32 = 60;
/// Octets of a body whose length is contradicted.
pub(super) const BODY: &[u8] = b"ringfence";

/// Who sends, and what stays the same in all that is sent.
pub(super) struct Words {
    /// Domain of the sender's address-of-record.
    pub realm: String,
    /// User part of it.
    pub user: String,
    /// A user whom nobody was given: no torture message reaches a person.
    pub nobody: String,
    /// Sets this step's Call-IDs, tags and markers apart from all others.
    pub mark: String,
    /// The transport as Via names it. RFC 7118, section 5.2.
    via: &'static str,
}

impl Words {
    pub fn new(config: &CallConfig, seed: u64) -> Self {
        let secure = config.ws_uri.get(..4).is_some_and(|scheme| scheme.eq_ignore_ascii_case("wss:"));
        Self {
            realm: config.realm.clone(),
            user: config.aor_user.clone(),
            nobody: format!("ringfence-nobody-{:08x}", seed as u32),
            mark: format!("{seed:016x}"),
            via: if secure { "WSS" } else { "WS" },
        }
    }

    /// A Via of the sender's, without its branch. RFC 7118, section 5.2.
    pub fn via(&self) -> String {
        format!("SIP/2.0/{} {}", self.via, self.host())
    }

    fn host(&self) -> String {
        format!("{}.invalid", self.mark)
    }

    /// The Call-ID of the item of this name.
    pub fn call_id(&self, item: &str) -> String {
        let word = |c: char| if c.is_ascii_alphanumeric() { c } else { '-' };
        format!("{}-{}", item.chars().map(word).collect::<String>(), self.mark)
    }
}

/// What is wrong with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flaw {
    /// Content-Length 4, and 9 behind it. RFC 3261, section 20.14, knows one.
    LengthTwice,
    /// The same with the second one's name in compact form.
    LengthTwiceCompact,
    /// One octet more than there is: 400 to a request. The other way round is none: what is beyond the length has to be
    /// discarded where messages have an end of their own. RFC 3261, section 18.3.
    LengthBeyond,
    /// NUL in the method. RFC 3261, section 25.1: no production outside of a quoted pair has it.
    NulInMethod,
    /// NUL in the Request-URI.
    NulInUri,
    /// NUL in the name of a header field.
    NulInName,
    /// NUL in the value of a header field.
    NulInValue,
}

impl Flaw {
    pub const ALL: [Flaw; 7] = [
        Flaw::LengthTwice,
        Flaw::LengthTwiceCompact,
        Flaw::LengthBeyond,
        Flaw::NulInMethod,
        Flaw::NulInUri,
        Flaw::NulInName,
        Flaw::NulInValue,
    ];

    /// Its name in the observation.
    pub const fn name(self) -> &'static str {
        match self {
            Flaw::LengthTwice => "length-twice",
            Flaw::LengthTwiceCompact => "length-twice-compact",
            Flaw::LengthBeyond => "length-beyond",
            Flaw::NulInMethod => "nul-in-method",
            Flaw::NulInUri => "nul-in-uri",
            Flaw::NulInName => "nul-in-name",
            Flaw::NulInValue => "nul-in-value",
        }
    }

    /// Whether it is about a body, so that its sound twin has one.
    pub const fn has_body(self) -> bool {
        matches!(self, Self::LengthTwice | Self::LengthTwiceCompact | Self::LengthBeyond)
    }
}

/// A request before it has a number and credentials.
#[derive(Clone, Debug)]
pub(super) struct Draft {
    pub method: &'static str,
    pub uri: String,
    /// URI of To.
    pub to: String,
    pub call_id: String,
    /// Further header fields, each as it is, without the line end behind it.
    pub lines: Vec<Vec<u8>>,
    /// Content type and octets.
    pub body: Option<(&'static str, Vec<u8>)>,
    pub flaw: Option<Flaw>,
    /// From, with its tag.
    pub from: String,
    /// [`Words::via`].
    pub via: String,
}

impl Draft {
    /// A request to `uri`, from the sender.
    pub fn new(words: &Words, method: &'static str, uri: String, call_id: String) -> Self {
        Self {
            method,
            to: uri.clone(),
            uri,
            call_id,
            lines: Vec::new(),
            body: None,
            flaw: None,
            from: format!("<sip:{}@{}>;tag={}", words.user, words.realm, words.mark),
            via: words.via(),
        }
    }

    /// OPTIONS to the server itself, whom no phone stands behind.
    pub fn options(words: &Words, item: &str) -> Self {
        Self::new(words, "OPTIONS", format!("sip:{}", words.realm), words.call_id(item))
    }

    /// REGISTER of the sender's own address for so many seconds; 0 takes it back.
    pub fn register(words: &Words, item: &str, seconds: u32) -> Self {
        let mut draft = Self::new(words, "REGISTER", format!("sip:{}", words.realm), words.call_id(item));
        draft.to = format!("sip:{}@{}", words.user, words.realm);
        draft.line(format!("Contact: <sip:rf@{};transport=ws>;expires={seconds}", words.host()));
        draft
    }

    /// Adds a header field as it is.
    pub fn line(&mut self, line: impl Into<Vec<u8>>) {
        self.lines.push(line.into());
    }

    /// Its octets under this number, with the field that holds the credentials.
    pub fn bytes(&self, number: u32, login: Option<&str>) -> Vec<u8> {
        let nul_if = |flaw, text: &str| {
            let at = text.len() / 2;
            let (start, end) = text.split_at_checked(at).unwrap_or((text, ""));
            if self.flaw == Some(flaw) { format!("{start}\0{end}") } else { text.to_owned() }
        };
        let mut bytes = Vec::with_capacity(512);
        let mut add = |line: &[u8]| {
            bytes.extend_from_slice(line);
            bytes.extend_from_slice(b"\r\n");
        };
        let (method, uri) = (nul_if(Flaw::NulInMethod, self.method), nul_if(Flaw::NulInUri, &self.uri));
        let branch = format!("z9hG4bK{}-{number}", self.call_id);
        add(format!("{method} {uri} SIP/2.0").as_bytes());
        add(format!("Via: {};branch={branch}", self.via).as_bytes());
        add(b"Max-Forwards: 70");
        add(format!("From: {}", self.from).as_bytes());
        add(format!("To: <{}>", self.to).as_bytes());
        add(format!("Call-ID: {}", self.call_id).as_bytes());
        add(format!("CSeq: {number} {}", self.method).as_bytes());
        self.lines.iter().for_each(|line| add(line));
        if let Some(login) = login {
            add(login.as_bytes());
        }
        match self.flaw {
            Some(Flaw::NulInName) => add(b"Sub\0ject: ringfence"),
            Some(Flaw::NulInValue) => add(b"Subject: ring\0fence"),
            _ => {}
        }
        let body = self.body.as_ref().map_or(&[][..], |(_, body)| body);
        if let Some((kind, _)) = &self.body {
            add(format!("Content-Type: {kind}").as_bytes());
        }
        let length = body.len();
        match self.flaw {
            Some(Flaw::LengthTwice) => {
                add(format!("Content-Length: {}", length / 2).as_bytes());
                add(format!("Content-Length: {length}").as_bytes());
            }
            Some(Flaw::LengthTwiceCompact) => {
                add(format!("Content-Length: {length}").as_bytes());
                add(format!("l: {}", length / 2).as_bytes());
            }
            Some(Flaw::LengthBeyond) => add(format!("Content-Length: {}", length + 1).as_bytes()),
            _ => add(format!("Content-Length: {length}").as_bytes()),
        }
        add(b"");
        bytes.extend_from_slice(body);
        bytes
    }
}

#[cfg(test)]
pub(super) mod tests {
    use ringfence_wire::sip;

    use super::*;

    pub(in super::super) fn words() -> Words {
        Words {
            realm: "sip.test".into(),
            user: "visitor".into(),
            nobody: "ringfence-nobody-00000001".into(),
            mark: "00ff".into(),
            via: "WSS",
        }
    }

    #[test]
    fn a_draft_is_sound_and_each_flaw_is_one() {
        let words = words();
        for draft in [Draft::options(&words, "sound"), Draft::register(&words, "sound", 60)] {
            let with_body = Draft { body: Some(("text/plain", BODY.to_vec())), ..draft.clone() };
            for sound in [&draft, &with_body] {
                let read = sip::prepare(&sound.bytes(7, Some("Authorization: Digest x=\"y\""))).unwrap();
                assert!(read.repairs.is_empty());
                assert_eq!(read.message.cseq(), Some((7, draft.method)));
                assert_eq!(read.message.header("Call-ID"), Some("sound-00ff"));
                assert!(read.message.header("Authorization").is_some());
            }
            for flaw in Flaw::ALL {
                let base = if flaw.has_body() { with_body.clone() } else { draft.clone() };
                let bytes = Draft { flaw: Some(flaw), ..base }.bytes(1, None);
                assert!(sip::prepare(&bytes).is_err(), "{flaw:?}");
                let nuls = bytes.iter().filter(|byte| **byte == 0).count();
                assert_eq!(nuls, usize::from(!flaw.has_body()), "{flaw:?}");
            }
        }
    }
}
