//! The addresses that no relay should reach, by set: two of each block, so that one that is the operator's own leaves another.
//! Blocks: the IANA registries of special-purpose addresses (RFC 6890) and of multicast.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use ringfence_client::turn::Client;
use schemars::JsonSchema;
use serde::Deserialize;

use super::By;

/// The port that is named: discard (RFC 863), where nothing sensible listens.
const PORT: u16 = 9;

/// A named set of peers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum PeerSet {
    /// 127.0.0.0/8, and 0.0.0.0, which many systems take for it.
    Loopback,
    /// RFC 1918.
    Private,
    /// 169.254.0.0/16.
    LinkLocal,
    /// Where clouds keep the secrets of their machines.
    Metadata,
    /// 100.64.0.0/10.
    Cgnat,
    /// 224.0.0.0/4.
    Multicast,
    /// 255.255.255.255.
    Broadcast,
    /// ::, ::1, fe80::/10, fc00::/7, fec0::/10, ff00::/8, 2001:db8::/32.
    V6Special,
    /// ::ffff:0:0/96, and the older ::/96.
    V4Mapped,
    /// 64:ff9b::/96, 64:ff9b:1::/48, 2002::/16 and 2001::/32.
    V6Translated,
    /// The server's own: where it listens, and where it relays.
    OwnAddress,
    /// All of them.
    All,
}

/// One of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Peer {
    pub address: SocketAddr,
    pub set: &'static str,
}

const ALL: [PeerSet; 11] = [
    PeerSet::Loopback,
    PeerSet::Private,
    PeerSet::LinkLocal,
    PeerSet::Metadata,
    PeerSet::Cgnat,
    PeerSet::Multicast,
    PeerSet::Broadcast,
    PeerSet::V6Special,
    PeerSet::V4Mapped,
    PeerSet::V6Translated,
    PeerSet::OwnAddress,
];

const LOOPBACK: [Ipv4Addr; 3] = [Ipv4Addr::LOCALHOST, Ipv4Addr::new(127, 255, 255, 254), Ipv4Addr::UNSPECIFIED];
const PRIVATE: [Ipv4Addr; 6] = [
    Ipv4Addr::new(10, 0, 0, 1),
    Ipv4Addr::new(10, 255, 255, 254),
    Ipv4Addr::new(172, 16, 0, 1),
    Ipv4Addr::new(172, 31, 255, 254),
    Ipv4Addr::new(192, 168, 0, 1),
    Ipv4Addr::new(192, 168, 255, 254),
];
const LINK_LOCAL: [Ipv4Addr; 2] = [Ipv4Addr::new(169, 254, 1, 1), Ipv4Addr::new(169, 254, 254, 254)];
/// Most clouds; containers of one; two clouds with addresses of their own.
const METADATA: [Ipv4Addr; 4] = [
    Ipv4Addr::new(169, 254, 169, 254),
    Ipv4Addr::new(169, 254, 170, 2),
    Ipv4Addr::new(100, 100, 100, 200),
    Ipv4Addr::new(192, 0, 0, 192),
];
const CGNAT: [Ipv4Addr; 2] = [Ipv4Addr::new(100, 64, 0, 1), Ipv4Addr::new(100, 127, 255, 254)];
const MULTICAST: [Ipv4Addr; 2] = [Ipv4Addr::new(224, 0, 0, 1), Ipv4Addr::new(239, 255, 255, 250)];
const V6_SPECIAL: [Ipv6Addr; 10] = [
    Ipv6Addr::UNSPECIFIED,
    Ipv6Addr::LOCALHOST,
    Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 1),
    Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0xa9fe, 0xa9fe),
    Ipv6Addr::new(0xfc00, 0, 0, 0, 0, 0, 0, 1),
    Ipv6Addr::new(0xfd00, 0x0ec2, 0, 0, 0, 0, 0, 0x0254), // metadata of one cloud
    Ipv6Addr::new(0xfec0, 0, 0, 0, 0, 0, 0, 1),
    Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 1),
    Ipv6Addr::new(0xff05, 0, 0, 0, 0, 0, 0, 2),
    Ipv6Addr::new(0x2001, 0x0db8, 0, 0, 0, 0, 0, 1),
];
/// What hides in IPv6: loopback, private, metadata.
const HIDDEN: [Ipv4Addr; 3] = [Ipv4Addr::LOCALHOST, Ipv4Addr::new(10, 0, 0, 1), Ipv4Addr::new(169, 254, 169, 254)];

/// The peers of these sets, each once.
pub(super) fn of(sets: &[PeerSet], client: &Client, by: By) -> Vec<Peer> {
    let all = sets.contains(&PeerSet::All);
    let wanted = if all { &ALL[..] } else { sets };
    let mut peers: Vec<Peer> = Vec::new();
    for set in wanted {
        let own = if *set == PeerSet::OwnAddress { own(client, by) } else { Vec::new() };
        for peer in addresses(*set).into_iter().chain(own) {
            if !peers.iter().any(|known| known.address == peer.address) {
                peers.push(peer);
            }
        }
    }
    peers
}

fn addresses(set: PeerSet) -> Vec<Peer> {
    let v4 = |name, list: &[Ipv4Addr]| list.iter().map(|ip| peer(IpAddr::V4(*ip), name)).collect();
    let hidden = |name, forms: &[fn(Ipv4Addr) -> Ipv6Addr]| {
        forms.iter().flat_map(|form| HIDDEN.map(|ip| peer(IpAddr::V6(form(ip)), name))).collect()
    };
    match set {
        PeerSet::Loopback => v4("loopback", &LOOPBACK),
        PeerSet::Private => v4("private", &PRIVATE),
        PeerSet::LinkLocal => v4("link-local", &LINK_LOCAL),
        PeerSet::Metadata => v4("metadata", &METADATA),
        PeerSet::Cgnat => v4("cgnat", &CGNAT),
        PeerSet::Multicast => v4("multicast", &MULTICAST),
        PeerSet::Broadcast => v4("broadcast", &[Ipv4Addr::BROADCAST]),
        PeerSet::V6Special => V6_SPECIAL.iter().map(|ip| peer(IpAddr::V6(*ip), "v6-special")).collect(),
        PeerSet::V4Mapped => hidden("v4-mapped", &[|ip| ip.to_ipv6_mapped(), |ip| in_prefix([0; 6], ip)]),
        PeerSet::V6Translated => hidden(
            "v6-translated",
            &[
                |ip| in_prefix([0x64, 0xff9b, 0, 0, 0, 0], ip), // RFC 6052, section 2.1
                |ip| in_prefix([0x64, 0xff9b, 1, 0, 0, 0], ip), // RFC 8215
                six_to_four,
                teredo,
            ],
        ),
        PeerSet::OwnAddress | PeerSet::All => Vec::new(),
    }
}

/// Where the server listens, and where it relays. Where both are one address, a permission for it cannot be refused without
/// keeping the server's clients from one another, so it then counts as the latter; a channel names the port.
fn own(client: &Client, by: By) -> Vec<Peer> {
    let (_, server) = client.ends();
    let relayed = client.granted().map(|granted| granted.relayed.clone()).unwrap_or_default();
    let by_port = matches!(by, By::Channel | By::TcpConnect);
    let is_relay = relayed.iter().any(|relayed| relayed.ip() == server.ip());
    let listens = (by_port || !is_relay).then_some(Peer { address: server, set: "own-server" });
    let relays = relayed.into_iter().map(|address| Peer { address, set: "own-relayed" });
    listens.into_iter().chain(relays).collect()
}

fn peer(ip: IpAddr, set: &'static str) -> Peer {
    Peer { address: SocketAddr::new(ip, PORT), set }
}

/// Behind a prefix of 96 bits.
fn in_prefix([a, b, c, d, e, f]: [u16; 6], ip: Ipv4Addr) -> Ipv6Addr {
    let [high, low] = halves(ip);
    Ipv6Addr::new(a, b, c, d, e, f, high, low)
}

/// RFC 3056, section 2.
fn six_to_four(ip: Ipv4Addr) -> Ipv6Addr {
    let [high, low] = halves(ip);
    Ipv6Addr::new(0x2002, high, low, 0, 0, 0, 0, 1)
}

/// RFC 4380, section 4: the client's address and port stand inverted.
fn teredo(ip: Ipv4Addr) -> Ipv6Addr {
    let [high, low] = halves(ip);
    Ipv6Addr::new(0x2001, 0, 0, 0, 0, !PORT, !high, !low)
}

fn halves(ip: Ipv4Addr) -> [u16; 2] {
    let [a, b, c, d] = ip.octets();
    [u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d])]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hidden_addresses_stand_where_the_rfcs_put_them() {
        let names = |set| addresses(set).iter().map(|peer| peer.address.ip().to_string()).collect::<Vec<_>>();
        let mapped = names(PeerSet::V4Mapped);
        assert!(mapped.contains(&"::ffff:169.254.169.254".to_owned()), "{mapped:?}");
        let translated = names(PeerSet::V6Translated);
        for wanted in ["64:ff9b::a00:1", "64:ff9b:1::7f00:1", "2002:7f00:1::1", "2001::fff6:80ff:fffe"] {
            assert!(translated.contains(&wanted.to_owned()), "{wanted} of {translated:?}");
        }
    }

    #[test]
    fn every_block_has_two() {
        for set in ALL {
            let found = addresses(set);
            let least = match set {
                PeerSet::OwnAddress => 0,
                PeerSet::Broadcast => 1,
                _ => 2,
            };
            assert!(found.len() >= least, "{set:?}");
            assert!(found.iter().all(|peer| peer.address.port() == PORT));
        }
    }
}
