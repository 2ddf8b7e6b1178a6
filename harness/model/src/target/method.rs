//! What the target file says about how a run may be done, for the report; and what was read, to the byte.

use std::path::Path;

use sha2::{Digest, Sha256};

use super::{Owner, ScopeEntry, Target};
use crate::report::{AuthorizationView, Method, ScopeView, TargetFile};

/// The file that a target was read from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Source {
    /// SHA-256 of its bytes, hexadecimal.
    pub sha256: String,
    /// Its path, and what stands on which line.
    pub file: TargetFile,
}

impl Source {
    pub(super) fn of(text: &str, path: &Path) -> Self {
        let sha256 = Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect();
        Self { sha256, file: TargetFile { path: path.display().to_string(), lines: lines(text) } }
    }
}

/// The lines of tables, and of the keys in them: `turn`, `endpoints.config`.
fn lines(text: &str) -> std::collections::BTreeMap<String, u32> {
    let mut lines = std::collections::BTreeMap::new();
    let Ok(document) = toml::de::DeTable::parse(text) else { return lines };
    let line = |at: usize| {
        let before = text.bytes().take(at).filter(|byte| *byte == b'\n').count();
        u32::try_from(before + 1).unwrap_or(u32::MAX)
    };
    for (key, value) in document.get_ref() {
        lines.insert(key.get_ref().to_string(), line(key.span().start));
        let inner = value.get_ref().as_table().into_iter().flatten();
        lines.extend(
            inner.map(|(inner, _)| (format!("{}.{}", key.get_ref(), inner.get_ref()), line(inner.span().start))),
        );
    }
    lines
}

impl Target {
    /// By whose leave and how far a run may go. Profile, tries, browser and seed are the run's to say.
    pub fn method(&self) -> Method {
        Method {
            classification: self.classification.clone(),
            authorization: self.authorization.as_ref().map(|authorization| AuthorizationView {
                statement: authorization.statement.clone(),
                contact: authorization.contact.clone(),
                expires: authorization.expires.to_string(),
            }),
            scope: self.scope.iter().map(scope).collect(),
            disruptive_rate: self.disruptive.allow.then_some(self.disruptive.rate),
            target_file: Some(self.source.file.clone()),
            ..Method::default()
        }
    }
}

fn scope(entry: &ScopeEntry) -> ScopeView {
    let owner = match entry.owner {
        Owner::Own => "self",
        Owner::Customer => "customer",
        Owner::Lab => "lab",
        Owner::Vendor => "vendor",
    };
    ScopeView {
        hosts: entry.hosts.clone(),
        networks: entry.networks.clone(),
        owner: owner.into(),
        vendor_permission: entry
            .vendor_permission
            .as_ref()
            .map(|permission| format!("{}, until {}", permission.reference, permission.expires)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_says_who_allows_what_and_where_it_stands() {
        let text = "name = \"x\"\nadapter = \"cognigy\"\n\n[endpoints]\n# the widget\nconfig = \"https://c.test/t\"\n[[scope]]\n\
                    hosts = [\"c.test\"]\nowner = \"vendor\"\nvendor_permission = { reference = \"T-1\", expires = 2027-01-31 }\n\
                    [disruptive]\nallow = true\nrate = 5\n[authorization]\nstatement = \"s\"\ncontact = \"c\"\nexpires = 2026-12-31\n";
        let target = Target::parse(text, Path::new("conf/t.toml")).unwrap();
        let method = target.method();
        assert_eq!(method.authorization.map(|given| given.expires).as_deref(), Some("2026-12-31"));
        assert_eq!(method.scope[0].vendor_permission.as_deref(), Some("T-1, until 2027-01-31"));
        assert_eq!((method.scope[0].owner.as_str(), method.disruptive_rate), ("vendor", Some(5)));
        let file = method.target_file.unwrap();
        assert_eq!(
            (file.path.as_str(), file.lines["endpoints.config"], file.lines["disruptive"]),
            ("conf/t.toml", 6, 11)
        );
        assert!(target.source.sha256.len() == 64);
        assert_ne!(target.source.sha256, Target::parse(&format!("{text}\n"), Path::new("t")).unwrap().source.sha256);
    }
}
