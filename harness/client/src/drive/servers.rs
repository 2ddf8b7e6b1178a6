//! The STUN and TURN servers of a configuration, from their URLs to addresses inside the scope.

use std::net::SocketAddr;
use std::time::Duration;

use ringfence_model::observation::Outcome;
use tokio::time::{Instant, timeout_at};
use url::Url;

use crate::adapters::{CallConfig, IceServer};
use crate::media::{TurnServer, TurnTransport};
use crate::{Failure, Net};

/// How long all names together may take: a target that lists many of them and answers about none holds no call up.
const RESOLVING: Duration = Duration::from_secs(10);
/// Connections to TURN servers that one call makes at most (house).
const MAX_STREAMS: usize = 4;

/// What a `stun:` or `turn:` URL says. RFC 7064 and 7065.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IceUrl {
    /// `turn:` or `turns:`, not `stun:` or `stuns:`.
    pub relay: bool,
    /// Over TLS, or DTLS where the transport is UDP.
    pub secure: bool,
    /// `?transport=tcp`, or a secure URL that names no transport.
    pub tcp: bool,
    /// Name or address.
    pub host: String,
    /// The scheme's own port where none is given.
    pub port: u16,
}

impl IceUrl {
    /// Reads a URL; `None` for anything else.
    pub fn parse(text: &str) -> Option<Self> {
        let (scheme, rest) = text.trim().split_once(':')?;
        let (relay, secure) = match scheme.to_ascii_lowercase().as_str() {
            "stun" => (false, false),
            "stuns" => (false, true),
            "turn" => (true, false),
            "turns" => (true, true),
            _ => return None,
        };
        let (authority, query) = rest.split_once('?').unwrap_or((rest, ""));
        let tcp = match query.split('&').find_map(|part| part.strip_prefix("transport=")) {
            Some(transport) => transport.eq_ignore_ascii_case("tcp"),
            None => secure,
        };
        // These URLs have no slashes, so the authority is read as that of one that has.
        let url = Url::parse(&format!("http://{authority}")).ok().filter(|url| matches!(url.path(), "" | "/"))?;
        let named = authority.rsplit_once(':').filter(|(_, port)| !port.contains(']'));
        let port = match named {
            Some((_, port)) => port.parse().ok().filter(|port| *port != 0)?,
            None if secure => 5349,
            None => 3478,
        };
        Some(Self { relay, secure, tcp, host: url.host_str()?.to_owned(), port })
    }
}

/// The servers that a call asks, each address once.
#[derive(Debug, Default)]
pub struct Servers {
    /// With their credentials.
    pub turn: Vec<TurnServer>,
    /// Without; over UDP.
    pub stun: Vec<SocketAddr>,
    /// Why others are left out.
    pub left_out: Vec<Failure>,
}

/// Resolves the servers of a configuration. One that does not resolve in time or is out of scope is left out.
pub async fn resolve(net: &Net, config: &CallConfig) -> Servers {
    resolve_within(RESOLVING, net, config).await
}

async fn resolve_within(within: Duration, net: &Net, config: &CallConfig) -> Servers {
    let until = Instant::now() + within;
    let mut servers = Servers::default();
    for server in &config.ice_servers {
        for text in &server.urls {
            let Some(url) = IceUrl::parse(text) else {
                servers.left_out.push(Failure::protocol(format!("`{text}` is no STUN or TURN URL")));
                continue;
            };
            match (url.secure, url.tcp) {
                (true, false) => {
                    servers
                        .left_out
                        .push(Failure::protocol(format!("`{text}` asks for DTLS, which is not spoken here")));
                    continue;
                }
                (_, true) if !url.relay => continue, // what STUN tells of a TCP port is no use to media
                _ => {}
            }
            let late = || Failure::timeout(format!("{}: not resolved within {within:?}", url.host));
            let resolving = async {
                if Instant::now() >= until {
                    return Err(late());
                }
                timeout_at(until, net.resolve(&url.host, url.port)).await.unwrap_or_else(|_| Err(late()))
            };
            match resolving.await {
                Ok(address) if url.relay => servers.add_turn(url, address, server),
                Ok(address) if !servers.stun.contains(&address) => servers.stun.push(address),
                Ok(_) => {}
                Err(failure) => servers.left_out.push(failure),
            }
        }
    }
    servers
}

impl Servers {
    fn add_turn(&mut self, url: IceUrl, address: SocketAddr, server: &IceServer) {
        let (Some(username), Some(credential)) = (&server.username, &server.credential) else { return };
        let transport = match (url.tcp, url.secure) {
            (false, _) => TurnTransport::Udp,
            (true, false) => TurnTransport::Tcp,
            (true, true) => TurnTransport::Tls,
        };
        if self.turn.iter().any(|turn| (turn.address, turn.transport) == (address, transport)) {
            return;
        }
        let streams = self.turn.iter().filter(|turn| turn.transport != TurnTransport::Udp).count();
        if transport != TurnTransport::Udp && streams >= MAX_STREAMS {
            let why = format!("{}:{}: more than {MAX_STREAMS} TURN servers over TCP and TLS", url.host, url.port);
            return self.left_out.push(Failure::new(Outcome::Budget, why));
        }
        let (username, credential) = (username.clone(), credential.clone());
        self.turn.push(TurnServer { address, host: url.host, transport, username, credential });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn case(text: &str, expected: Option<(bool, bool, bool, &str, u16)>) {
        let found = IceUrl::parse(text).map(|url| (url.relay, url.secure, url.tcp, url.host, url.port));
        assert_eq!(found, expected.map(|(r, s, t, host, port)| (r, s, t, host.to_owned(), port)), "{text}");
    }

    #[test]
    fn urls_as_configurations_write_them() {
        case("stun:a.test", Some((false, false, false, "a.test", 3478)));
        case("TURN:a.test:80?transport=udp", Some((true, false, false, "a.test", 80)));
        case("turn:a.test?transport=tcp", Some((true, false, true, "a.test", 3478)));
        case("turns:a.test", Some((true, true, true, "a.test", 5349)));
        case("turns:[::1]:443?transport=udp", Some((true, true, false, "[::1]", 443)));
        case("turn:[::1]", Some((true, false, false, "[::1]", 3478)));
        for wrong in
            ["", "turn", "http://a.test", "turn:", "turn:a.test:0", "turn:a.test:99999", "turn:a/b", "turn:a b"]
        {
            case(wrong, None);
        }
    }

    #[tokio::test]
    async fn turn_over_tcp_and_tls_counts_as_often_as_it_differs() {
        let mut config = crate::drive::fake::config("ws://127.0.0.1:1/");
        let mut urls: Vec<String> = vec!["turn:127.0.0.1".into(), "turn:127.0.0.1?transport=tcp".into()];
        urls.extend(["turns:127.0.0.1:3478".into(), "turn:127.0.0.1?transport=TCP".into(), "stuns:127.0.0.1".into()]);
        urls.extend(["turns:127.0.0.1?transport=udp".into()]);
        urls.extend((1..=3).map(|port| format!("turns:127.0.0.1:{port}")));
        let (username, credential) = (Some("u".into()), Some("p".into()));
        config.ice_servers = vec![IceServer { urls, username, credential }];
        let servers = resolve(&crate::drive::fake::net(), &config).await;
        let found: Vec<_> = servers.turn.iter().map(|turn| (turn.address.port(), turn.transport)).collect();
        let (udp, tcp, tls) = (TurnTransport::Udp, TurnTransport::Tcp, TurnTransport::Tls);
        assert_eq!(found, [(3478, udp), (3478, tcp), (3478, tls), (1, tls), (2, tls)]);
        assert!(servers.stun.is_empty());
        let outcomes: Vec<_> = servers.left_out.iter().map(|failure| failure.outcome.word()).collect();
        assert_eq!(outcomes, ["protocol", "budget"]);
    }

    #[tokio::test]
    async fn what_is_not_resolved_in_time_or_out_of_scope_is_left_out() {
        let mut config = crate::drive::fake::config("ws://127.0.0.1:1/");
        let urls = ["stun:127.0.0.1:3478", "stun:192.0.2.1"].map(str::to_owned).to_vec();
        config.ice_servers = vec![IceServer { urls, ..IceServer::default() }];
        let net = crate::drive::fake::net();
        for (within, stun, left_out) in
            [(RESOLVING, 1, &["out-of-scope"][..]), (Duration::ZERO, 0, &["timeout", "timeout"])]
        {
            let servers = resolve_within(within, &net, &config).await;
            let outcomes: Vec<_> = servers.left_out.iter().map(|failure| failure.outcome.word()).collect();
            assert_eq!((servers.stun.len(), outcomes.as_slice()), (stun, left_out));
        }
    }
}
