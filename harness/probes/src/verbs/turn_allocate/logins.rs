//! Whose credentials are shown to a TURN server.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use ringfence_client::Failure;
use ringfence_client::adapters::{self, Ask, CallConfig, FetchError};
use ringfence_client::turn::Credentials;
use ringfence_model::Secret;

use super::offers::{self, Offer};
use super::{Login, Server, Transport, expiry_s, sip_pair};
use crate::{Cx, OwnFault};

/// How long a user name's time has to have passed: clocks differ.
const LEEWAY: Duration = Duration::from_secs(10);

/// Pairs of manuals, examples and images, which somebody puts into service every day.
const STATIC: [(&str, &str); 10] = [
    ("username1", "key1"),
    ("ninefingers", "youhavetoberealistic"),
    ("gorst", "hero"),
    ("guest", "somepassword"),
    ("test", "test"),
    ("turn", "turn"),
    ("coturn", "coturn"),
    ("user", "password"),
    ("username", "password"),
    ("admin", "admin"),
];

/// The pairs to try, one after the other; an inner failure is the target's.
pub(super) async fn of(
    cx: &Cx,
    login: Login,
    offer: &Offer,
    config: &CallConfig,
) -> Result<Result<Vec<Credentials>, Failure>, OwnFault> {
    let own = &offer.own;
    Ok(Ok(match login {
        Login::None => vec![],
        Login::Valid => vec![own.clone()],
        Login::Wrong => vec![Credentials { password: bent(&own.password), ..own.clone() }],
        Login::Expired => expired(cx, own)?.into_iter().collect(),
        Login::Static => {
            let pair = |(username, password): (&str, &str)| Credentials {
                username: username.into(),
                password: Secret::new(password.into()),
                realm: None,
            };
            let is_own = |pair: &Credentials| pair.username == own.username;
            STATIC.into_iter().map(pair).filter(|pair| !is_own(pair)).collect()
        }
        Login::OtherParticipant => match others_password(cx, offer).await? {
            Ok(password) => {
                let differs = password.as_ref().filter(|password| password.expose() != own.password.expose());
                differs.map(|password| Credentials { password: password.clone(), ..own.clone() }).into_iter().collect()
            }
            Err(failure) => return Ok(Err(failure)),
        },
        Login::Sip => {
            let Some((username, password)) = sip_pair(config) else { return Ok(Ok(vec![])) };
            let pair = |realm| Credentials { username: username.clone(), password: password.clone(), realm };
            vec![pair(None), pair(Some(config.realm.clone()))]
        }
    }))
}

/// One bit of the password changed; of an empty one there is none, so a text instead.
fn bent(password: &Secret) -> Secret {
    let mut text = password.expose().clone();
    match text.pop() {
        // The lowest bit of a character outside the surrogates' neighbourhood makes another character.
        Some(last) => text.push(char::from_u32(u32::from(last) ^ 1).unwrap_or('0')),
        None => text.push_str("ringfence-wrong-credential"),
    }
    Secret::new(text)
}

/// The own pair once its time has passed, else one of the target file that was good once. Its time is never rewritten, which
/// would only break its HMAC.
fn expired(cx: &Cx, own: &Credentials) -> Result<Option<Credentials>, OwnFault> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_err(OwnFault::new)?;
    let passed = |at: i64| u64::try_from(at).is_ok_and(|at| Duration::from_secs(at) + LEEWAY < now);
    if expiry_s(&own.username).is_some_and(passed) {
        return Ok(Some(own.clone()));
    }
    let Some(login) = &cx.target.turn.expired_login else { return Ok(None) };
    let password = login.credential.read("turn.expired_login.credential").map_err(OwnFault::new)?;
    Ok(Some(Credentials { username: login.username.clone(), password, realm: None }))
}

/// What a second participant got for the same server.
async fn others_password(cx: &Cx, offer: &Offer) -> Result<Result<Option<Secret>, Failure>, OwnFault> {
    let ask = Ask { participant: 2, ..Ask::default() };
    let fetched = match adapters::fetch(&cx.net, &cx.target, &ask).await {
        Ok(fetched) => fetched,
        Err(FetchError::Own(why)) => return Err(OwnFault(why)),
        Err(FetchError::Target(failure)) => return Ok(Err(failure)),
    };
    cx.learn_answer(&fetched.answer);
    let Some(config) = &fetched.config else { return Ok(Err(crate::cx::unusable(&fetched))) };
    cx.learn(config);
    let kinds = [Server::Turn, Server::Turns];
    let transports = [Transport::Udp, Transport::Tcp, Transport::Tls];
    let all = kinds.into_iter().flat_map(|kind| transports.map(|transport| (kind, transport)));
    let same = all.filter_map(|wanted| offers::first(&config.ice_servers, wanted));
    let same =
        same.into_iter().find(|(server, _)| server.host == offer.server.host && server.port == offer.server.port);
    Ok(Ok(same.and_then(|(_, index)| config.ice_servers.get(index)?.credential.clone())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_password_differs_in_one_bit() {
        for text in ["aGVsbG8=", "x", "pass\u{e9}"] {
            let wrong = bent(&Secret::new(text.into()));
            let (a, b) = (text.chars().last().unwrap(), wrong.expose().chars().last().unwrap());
            assert_eq!((u32::from(a) ^ u32::from(b)).count_ones(), 1, "{text}");
            assert_eq!(wrong.expose().chars().count(), text.chars().count());
        }
        assert!(!bent(&Secret::default()).expose().is_empty());
    }
}
