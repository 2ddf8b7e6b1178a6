//! Where the browser's media would go. UDP does not pass the proxy, so what the page names is looked at as it comes.

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};

use ringfence_model::observation::Outcome;

use super::super::watch::Watch;
use super::Visitor;
use crate::Failure;

/// Addresses of media that were not looked at yet: `host:port` of ICE servers, addresses of the far side.
pub(super) fn unchecked<'a>(watch: &'a Watch, checked: &'a BTreeSet<String>) -> impl Iterator<Item = String> + 'a {
    let peers = watch.record.peers.values();
    let all = peers.flat_map(|peer| {
        let servers = peer.ice_servers.iter().flat_map(|server| &server.urls).filter_map(|url| authority(url));
        servers.chain(peer.remote_addresses.iter().map(|address| SocketAddr::new(*address, 9).to_string()))
    });
    all.filter(|place| !checked.contains(place))
}

impl Visitor<'_> {
    /// Whether all places of media lie in the scope.
    ///
    /// # Errors
    /// One does not: the visit is over.
    pub(super) async fn in_scope(&mut self) -> Result<(), Failure> {
        let new: BTreeSet<String> = self.session.seen(|watch| unchecked(watch, &self.checked).collect());
        for place in new {
            let Some((host, port)) = place.rsplit_once(':').and_then(|(host, port)| Some((host, port.parse().ok()?)))
            else {
                continue;
            };
            let bare = host.trim_start_matches('[').trim_end_matches(']');
            let out = match bare.parse::<IpAddr>() {
                Ok(address) => !self.net.allows(SocketAddr::new(address, port)),
                // A name that nobody knows leads nowhere.
                Err(_) => {
                    self.net.resolve(bare, port).await.is_err_and(|failure| failure.outcome == Outcome::OutOfScope)
                }
            };
            if out {
                let why = format!("the page's media would use {host}, which is in no [[scope]] of the target file");
                return Err(Failure::new(Outcome::OutOfScope, why));
            }
            self.checked.insert(place);
        }
        Ok(())
    }
}

/// `host:port` of a STUN or TURN address. RFC 7064, section 3.1; RFC 7065, section 3.1.
fn authority(url: &str) -> Option<String> {
    let (scheme, rest) = url.split_once(':')?;
    let place = rest.split('?').next()?;
    let parsed = url::Url::parse(&format!("http://{place}/")).ok()?;
    let default = if scheme.ends_with('s') { 5349 } else { 3478 };
    // Port 80 is the default of the borrowed scheme, and then not shown.
    let port = parsed.port().unwrap_or(if place.ends_with(":80") { 80 } else { default });
    Some(format!("{}:{port}", parsed.host_str()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ice_servers_have_a_host_and_a_port() {
        for (url, expected) in [
            ("stun:a.test", Some("a.test:3478")),
            ("turns:a.test?transport=tcp", Some("a.test:5349")),
            ("turn:192.0.2.1:80", Some("192.0.2.1:80")),
            ("turn:[::1]:9", Some("[::1]:9")),
            ("nothing", None),
            ("turn:", None),
        ] {
            assert_eq!(authority(url).as_deref(), expected, "{url}");
        }
    }
}
