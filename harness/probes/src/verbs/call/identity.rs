//! Whose endpoint an INVITE says that it calls.

use super::with::{IdentityWord, With};
use crate::{Cx, Kept, OwnFault};

/// What names the tenant.
const TENANT: [&str; 2] = ["X-Organisation-Id", "X-Project-Id"];
/// What names the endpoint.
const ENDPOINT: &str = "X-Endpoint-Id";

type Headers = Vec<(String, String)>;

/// The header fields, as the parameters want them.
pub(super) fn headers(cx: &Cx, with: &With, own: &[(String, String)]) -> Result<Headers, OwnFault> {
    if matches!(with.identity_headers, IdentityWord::Own | IdentityWord::None) {
        return Ok(bent(with.identity_headers, own, &[]));
    }
    let step =
        with.tenant_of.as_ref().ok_or_else(|| OwnFault("identity_headers of another tenant need tenant_of".into()))?;
    match cx.kept.get(&step.0) {
        Some(Kept::Config(other)) => Ok(bent(with.identity_headers, own, &other.identity_headers)),
        _ => Err(OwnFault(format!("step {} keeps no configuration", step.0))),
    }
}

fn bent(how: IdentityWord, own: &[(String, String)], other: &[(String, String)]) -> Headers {
    let is_tenant = |name: &str| TENANT.iter().any(|one| one.eq_ignore_ascii_case(name));
    let is_identity = |name: &str| is_tenant(name) || ENDPOINT.eq_ignore_ascii_case(name);
    let of =
        |name: &str| other.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.clone());
    let kept = own.iter().cloned();
    match how {
        IdentityWord::Own => kept.collect(),
        IdentityWord::None => kept.filter(|(name, _)| !is_identity(name)).collect(),
        IdentityWord::OtherTenant => kept
            .map(|(name, value)| {
                let foreign = if is_tenant(&name) { of(&name) } else { None };
                (name, foreign.unwrap_or(value))
            })
            .collect(),
        IdentityWord::Duplicated => kept.chain(other.iter().filter(|(name, _)| is_identity(name)).cloned()).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_word_changes_what_it_names() {
        let list = |values: [&str; 3]| -> Headers {
            let named = [TENANT[0], TENANT[1], ENDPOINT].into_iter().zip(values);
            std::iter::once(("X-Source", "webrtc")).chain(named).map(|(n, v)| (n.to_owned(), v.to_owned())).collect()
        };
        let (own, other) = (list(["o1", "p1", "e1"]), list(["o2", "p2", "e2"]));
        let values = |how| bent(how, &own, &other).into_iter().map(|(_, value)| value).collect::<Vec<_>>();
        assert_eq!(values(IdentityWord::Own), ["webrtc", "o1", "p1", "e1"]);
        assert_eq!(values(IdentityWord::None), ["webrtc"]);
        assert_eq!(values(IdentityWord::OtherTenant), ["webrtc", "o2", "p2", "e1"]);
        assert_eq!(values(IdentityWord::Duplicated), ["webrtc", "o1", "p1", "e1", "o2", "p2", "e2"]);
    }
}
