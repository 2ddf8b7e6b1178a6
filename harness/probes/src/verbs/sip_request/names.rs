//! What the words in a step's parameters stand for.

use ringfence_client::adapters::CallConfig;
use ringfence_client::signalling::DialogIds;
use ringfence_model::target::Target;
use ringfence_wire::sip;

use super::MAX_NUMBERS;
use super::with::Dialog;
use crate::OwnFault;
use crate::verbs::register::RESERVED_USER;

/// What the words are read from.
pub(super) struct Names<'a> {
    pub target: &'a Target,
    pub config: &'a CallConfig,
    pub second: Option<&'a CallConfig>,
    /// Of the held call.
    pub dialog: Option<&'a DialogIds>,
    pub seed: u64,
}

impl Names<'_> {
    /// The Request-URIs that a word stands for.
    pub fn targets(&self, word: &str) -> Result<Vec<String>, OwnFault> {
        let at_realm = |user: &str| format!("sip:{user}@{}", self.config.realm);
        let named = &self.target.destinations;
        let entry = match word {
            "call" => return Ok(vec![self.config.target_uri.clone()]),
            "other" => return Ok(self.second.map(aor).into_iter().collect()),
            "unknown" => return Ok(vec![at_realm(&format!("ringfence-nobody-{:08x}", self.seed as u32))]),
            "reserved" => return Ok(vec![at_realm(RESERVED_USER)]),
            "foreign-number" => {
                let uri = |entry: &String| if entry.contains(':') { entry.clone() } else { at_realm(entry) };
                return Ok(named.foreign_numbers.iter().take(MAX_NUMBERS).map(uri).collect());
            }
            "recorded" => &named.recorded,
            "rotating" => &named.rotating,
            "callee" => &named.callee,
            "transfer" => &named.transfer,
            text => return Ok(vec![self.fill(text)]),
        };
        match entry {
            Some(destination) => Ok(vec![destination.uri.clone()]),
            None => Err(OwnFault(format!("destinations.{word} is not in the target file"))),
        }
    }

    /// One header field of the parameters.
    pub fn header(&self, line: &str) -> Result<(String, String), OwnFault> {
        let (name, value) = line.split_once(':').ok_or_else(|| OwnFault(format!("`{line}` is no header field")))?;
        Ok((name.trim().to_owned(), self.fill(value.trim())))
    }

    /// The body that a word stands for.
    pub fn body(&self, word: &str) -> String {
        match word {
            "good-json" => "{\"ringfence\":\"hello\"}".into(),
            "canary" => format!("ringfence-canary-{:016x}", self.seed),
            text => self.fill(text),
        }
    }

    /// The text with its placeholders filled in; one that has nothing to stand for stays.
    fn fill(&self, text: &str) -> String {
        let tag = |side: fn(&DialogIds) -> &String| self.dialog.and_then(|dialog| sip::tag(side(dialog)));
        let transfer = || self.target.destinations.transfer.as_ref().map(|destination| destination.uri.clone());
        let known: [(&str, Option<String>); 6] = [
            ("{realm}", Some(self.config.realm.clone())),
            ("{username}", self.config.username.clone()),
            ("{call-id}", self.dialog.map(|dialog| dialog.call_id.clone())),
            ("{to-tag}", tag(|dialog| &dialog.remote)),
            ("{from-tag}", tag(|dialog| &dialog.local)),
            ("{transfer-destination}", transfer().or_else(|| self.second.map(aor))),
        ];
        known.iter().fold(text.to_owned(), |text, (name, value)| match value {
            Some(value) => text.replace(name, value),
            None => text,
        })
    }
}

fn aor(config: &CallConfig) -> String {
    format!("sip:{}@{}", config.aor_user, config.realm)
}

/// A dialog's marks with other tags, or without any.
pub(super) fn bent(ids: DialogIds, how: Dialog, seed: u64) -> DialogIds {
    let bare = |party: &str| sip::uri(party).map_or_else(|| party.to_owned(), |uri| format!("<{uri}>"));
    match how {
        Dialog::None | Dialog::Own => ids,
        Dialog::NoTags => DialogIds { local: bare(&ids.local), remote: bare(&ids.remote), ..ids },
        Dialog::GuessedTags => DialogIds {
            local: format!("{};tag={:010x}", bare(&ids.local), seed),
            remote: format!("{};tag={:010x}", bare(&ids.remote), !seed),
            ..ids
        },
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use ringfence_client::adapters::ConfigKind;

    use super::*;

    fn config(user: &str) -> CallConfig {
        CallConfig {
            kind: ConfigKind::Sip,
            ws_uri: "wss://s.test".into(),
            ws_given: "wss://s.test".into(),
            realm: "sip.test".into(),
            aor_user: user.into(),
            username: Some("u".into()),
            password: None,
            token: None,
            read_at: std::time::SystemTime::now(),
            lifetime_s: None,
            target_uri: "sip:desk@sip.test".into(),
            identity_headers: Vec::new(),
            ice_servers: Vec::new(),
            register: true,
            active: true,
            privacy_notice: false,
        }
    }

    #[test]
    fn words_and_placeholders() {
        let text = "name = \"t\"\nadapter = \"sip\"\n[sip]\nws_uri = \"wss://s.test\"\n[destinations]\n\
                    foreign_numbers = [\"+4930123456\", \"tel:+4930123457\"]\n[destinations.callee]\nuri = \"sip:me@sip.test\"\n";
        let target = Target::parse(text, Path::new("t.toml")).unwrap();
        let (own, other) = (config("a"), config("b"));
        let ids = DialogIds {
            call_id: "c".into(),
            local: "<sip:a@h>;tag=mine".into(),
            remote: "<sip:d@h>;tag=theirs".into(),
            ..DialogIds::default()
        };
        let names = Names { target: &target, config: &own, second: Some(&other), dialog: Some(&ids), seed: 1 };
        assert_eq!(names.targets("call").unwrap(), ["sip:desk@sip.test"]);
        assert_eq!(names.targets("other").unwrap(), ["sip:b@sip.test"]);
        assert_eq!(names.targets("callee").unwrap(), ["sip:me@sip.test"]);
        assert_eq!(names.targets("reserved").unwrap(), ["sip:admin@sip.test"]);
        assert_eq!(names.targets("foreign-number").unwrap(), ["sip:+4930123456@sip.test", "tel:+4930123457"]);
        assert_eq!(names.targets("sip:{username}@{realm}").unwrap(), ["sip:u@sip.test"]);
        assert!(names.targets("rotating").is_err());
        let replaces = names.header("Replaces: {call-id};to-tag={to-tag};from-tag={from-tag}").unwrap();
        assert_eq!(replaces, ("Replaces".into(), "c;to-tag=theirs;from-tag=mine".into()));
        assert_eq!(names.header("Refer-To: <{transfer-destination}>").unwrap().1, "<sip:b@sip.test>");
        assert!(names.header("nonsense").is_err());
        assert_eq!(bent(ids.clone(), Dialog::NoTags, 1).local, "<sip:a@h>");
        let guessed = bent(ids.clone(), Dialog::GuessedTags, 1);
        assert!(sip::tag(&guessed.remote).is_some_and(|tag| tag != "theirs") && guessed.call_id == "c");
        assert_eq!(bent(ids.clone(), Dialog::Own, 1), ids);
    }
}
