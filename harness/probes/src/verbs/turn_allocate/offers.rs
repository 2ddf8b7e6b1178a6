//! Which TURN server is meant: of the configuration, or else of the target file.

use ringfence_client::adapters::IceServer;
use ringfence_client::turn::{Credentials, Server as ServerAddress};
use ringfence_model::Secret;

use super::{Server, Transport};
use crate::{Cx, OwnFault};

/// Default ports (RFC 7065, section 3.2).
const TURN_PORT: u16 = 3478;
const TURNS_PORT: u16 = 5349;

/// A server, and the pair that goes with it.
pub(super) struct Offer {
    pub server: ServerAddress,
    pub own: Credentials,
}

/// The first server of the asked kind, from the configuration or else the target file. A URL that names the asked transport,
/// or none, goes before one that names another.
pub(super) fn find(cx: &Cx, servers: &[IceServer], wanted: (Server, Transport)) -> Result<Option<Offer>, OwnFault> {
    if let Some((server, index)) = first(servers, wanted) {
        let entry = servers.get(index);
        let username = entry.and_then(|entry| entry.username.clone()).unwrap_or_default();
        let password = entry.and_then(|entry| entry.credential.clone()).unwrap_or_default();
        return Ok(Some(Offer { server, own: Credentials { username, password, realm: None } }));
    }
    let own = &cx.target.turn;
    let found = [true, false].iter().find_map(|exact| own.urls.iter().find_map(|url| address(url, wanted, *exact)));
    let Some(server) = found else { return Ok(None) };
    let password = match &own.credential {
        Some(source) => source.read("turn.credential").map_err(OwnFault::new)?,
        None => Secret::default(),
    };
    cx.ledger.add("turn-credential", password.expose());
    let username = own.username.clone().unwrap_or_default();
    Ok(Some(Offer { server, own: Credentials { username, password, realm: None } }))
}

/// The first server of a list that is of the asked kind, and its place.
pub(super) fn first(servers: &[IceServer], wanted: (Server, Transport)) -> Option<(ServerAddress, usize)> {
    for exact in [true, false] {
        for (index, server) in servers.iter().enumerate() {
            if let Some(found) = server.urls.iter().find_map(|url| address(url, wanted, exact)) {
                return Some((found, index));
            }
        }
    }
    None
}

/// Where a TURN URL (RFC 7065) of that kind leads; with `exact`, only if it does not name another transport.
fn address(url: &str, (kind, transport): (Server, Transport), exact: bool) -> Option<ServerAddress> {
    let (scheme, rest) = url.trim().split_once(':')?;
    let (word, default) = if kind == Server::Turn { ("turn", TURN_PORT) } else { ("turns", TURNS_PORT) };
    if !scheme.eq_ignore_ascii_case(word) {
        return None;
    }
    let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
    let named = query.split('&').find_map(|part| part.strip_prefix("transport="));
    let asked = if transport == Transport::Udp { "udp" } else { "tcp" };
    if exact && named.is_some_and(|named| !named.eq_ignore_ascii_case(asked)) {
        return None;
    }
    let (host, port) = if let Some(v6) = rest.strip_prefix('[') {
        let (host, port) = v6.split_once(']')?;
        (host, port.strip_prefix(':').map_or(Some(default), |port| port.parse().ok())?)
    } else {
        match rest.rsplit_once(':') {
            Some((host, port)) => (host, port.parse().ok()?),
            None => (rest, default),
        }
    };
    Some(ServerAddress { host: host.to_owned(), port, transport: transport.into() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn turn_urls_are_read_as_rfc_7065_writes_them() {
        let found = |url, wanted, exact| address(url, wanted, exact).map(|server| (server.host, server.port));
        let udp = |url| found(url, (Server::Turn, Transport::Udp), true);
        let tls = |url| found(url, (Server::Turns, Transport::Tls), true);
        assert_eq!(udp("turn:a.test"), Some(("a.test".into(), 3478)));
        assert_eq!(tls("TURNS:a.test?transport=tcp"), Some(("a.test".into(), 5349)));
        assert_eq!(udp("turn:[2001:db8::1]:99?transport=udp"), Some(("2001:db8::1".into(), 99)));
        assert_eq!(udp("turn:a.test:80?transport=tcp"), None);
        let other = found("turn:a.test:80?transport=tcp", (Server::Turn, Transport::Udp), false);
        assert_eq!(other, Some(("a.test".into(), 80)));
        for wrong in ["turn:a.test:0x", "stun:a.test", "turns:a.test", "turn"] {
            assert_eq!(udp(wrong), None, "{wrong}");
        }
    }
}
