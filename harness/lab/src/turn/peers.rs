//! Which peers the relay may reach: the lab's own network, and nothing else.

use std::net::{IpAddr, SocketAddr};

/// The rule of one server.
#[derive(Clone, Copy, Debug)]
pub(super) struct Peers {
    own: SocketAddr,
}

impl Peers {
    /// For a server at this address.
    pub fn new(own: SocketAddr) -> Self {
        Self { own }
    }

    /// Loopback for a lab on loopback, else the lab's own address: media of the lab are nowhere else, so private,
    /// link-local, multicast and public addresses alike are denied. IPv4 in IPv6 clothes is IPv6, and denied.
    pub fn allowed(&self, peer: IpAddr) -> bool {
        match (self.own.ip(), peer) {
            (IpAddr::V4(own), IpAddr::V4(peer)) if own.is_loopback() => peer.is_loopback(),
            (own, peer) => own == peer,
        }
    }

    /// Also not to the server itself, which would relay in a circle.
    pub fn may_send(&self, peer: SocketAddr) -> bool {
        self.allowed(peer.ip()) && peer != self.own && peer.port() != 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_labs_own_network() {
        let peers = Peers::new("127.0.0.1:3478".parse().unwrap());
        for (peer, allowed) in [
            ("127.0.0.1", true),
            ("127.8.9.10", true),
            ("10.0.0.1", false),
            ("169.254.169.254", false),
            ("192.0.2.1", false),
            ("224.0.0.1", false),
            ("255.255.255.255", false),
            ("0.0.0.0", false),
            ("::1", false),
            ("::ffff:127.0.0.1", false),
        ] {
            assert_eq!(peers.allowed(peer.parse().unwrap()), allowed, "{peer}");
        }
        assert!(!peers.may_send("127.0.0.1:3478".parse().unwrap()));
        assert!(peers.may_send("127.0.0.1:3479".parse().unwrap()));
        let elsewhere = Peers::new("192.0.2.7:3478".parse().unwrap());
        assert!(elsewhere.allowed("192.0.2.7".parse().unwrap()));
        assert!(!elsewhere.allowed("127.0.0.1".parse().unwrap()));
    }
}
