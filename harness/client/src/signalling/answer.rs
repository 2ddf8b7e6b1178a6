//! What a final answer says, in the form in which it is told.

use ringfence_model::Untrusted;
use ringfence_wire::digest::Challenge;
use ringfence_wire::sip;

use super::auth::{FIELDS, challenges};
use super::message::Answer;

/// One final answer to a request of ours.
#[derive(Clone, Debug, Default)]
pub struct FinalAnswer {
    /// The request's method.
    pub method: String,
    /// Status code.
    pub status: u16,
    /// Reason phrase.
    pub reason: Untrusted,
    /// Digest challenges of both fields, in order.
    pub challenges: Vec<Challenge>,
    /// Authentication schemes of both fields; those that everybody knows in their usual case.
    pub schemes: Vec<Untrusted>,
    /// `Server`, or `User-Agent` where that is what the server writes.
    pub server: Option<Untrusted>,
    /// `Retry-After`.
    pub retry_after: Option<Untrusted>,
    /// All header fields.
    pub headers: Vec<(String, String)>,
}

impl FinalAnswer {
    pub(super) fn of(answer: &Answer) -> Self {
        let message = &answer.message;
        let text = |name: &str| message.header(name).map(Untrusted::new);
        Self {
            method: answer.method.clone(),
            status: answer.status,
            reason: Untrusted::new(&answer.reason),
            challenges: FIELDS.iter().flat_map(|(asks, _)| challenges(message, asks)).collect(),
            schemes: FIELDS.iter().flat_map(|(asks, _)| message.headers(asks)).flat_map(schemes).collect(),
            server: text("Server").or_else(|| text("User-Agent")),
            retry_after: text("Retry-After"),
            headers: message.headers.clone(),
        }
    }
}

/// The schemes of one field: one comma both ends a parameter and starts the next challenge (RFC 9110, section 11.6.1).
fn schemes(value: &str) -> Vec<Untrusted> {
    let scheme = |(at, part): (usize, &str)| {
        let (word, rest) = part.split_once([' ', '\t']).unwrap_or((part, ""));
        let starts = at == 0 || !word.contains(['=', '"']) && !rest.trim_start().starts_with('=');
        let known = ["Basic", "Bearer", "Digest"].into_iter().find(|known| known.eq_ignore_ascii_case(word));
        starts.then(|| Untrusted::new(known.unwrap_or(word)))
    };
    sip::split_list(value).into_iter().enumerate().filter_map(scheme).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_scheme_of_a_field_is_told() {
        let of = |value: &str| schemes(value).iter().map(|scheme| scheme.raw().to_owned()).collect::<Vec<_>>();
        assert_eq!(of("Digest realm=\"a, Basic b\", nonce=\"n\", qop=\"auth\""), ["Digest"]);
        assert_eq!(of("digest realm=\"a\", nonce = \"n\", BASIC realm=\"x\""), ["Digest", "Basic"]);
        assert_eq!(of("Negotiate"), ["Negotiate"]);
        assert_eq!(of("Negotiate, Basic realm=x, stale=true"), ["Negotiate", "Basic"]);
        assert!(of("").is_empty());
    }
}
