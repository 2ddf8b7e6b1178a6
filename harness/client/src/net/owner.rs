//! Whose hosts they are: a vendor's gets only what a visitor's client does, unless the vendor permits more.

use std::net::IpAddr;

use ringfence_model::target::{Owner, Target};

use super::scope::{Cidr, matches, plain};

/// The entries of `[[scope]]`, as far as they say whose hosts theirs are.
#[derive(Clone, Debug, Default)]
pub struct Owners(Vec<Claim>);

/// One host or network of an entry.
#[derive(Clone, Debug)]
struct Claim {
    place: Place,
    /// A vendor's, and no permission of its stands in the file.
    withheld: bool,
}

#[derive(Clone, Debug)]
enum Place {
    /// Lower case; `*.` at the front stands for any name below.
    Name(String),
    Network(Cidr),
}

impl Owners {
    /// Reads the scope; networks that cannot be read are the scope's own affair.
    pub fn new(target: &Target) -> Self {
        let claims = target.scope.iter().flat_map(|entry| {
            let withheld = entry.owner == Owner::Vendor && entry.vendor_permission.is_none();
            let hosts = entry.hosts.iter().map(|host| match plain(host).parse() {
                Ok(network) => Place::Network(network),
                Err(_) => Place::Name(plain(host)),
            });
            let networks = entry.networks.iter().filter_map(|network| network.parse().ok()).map(Place::Network);
            hosts.chain(networks).map(move |place| Claim { place, withheld })
        });
        Self(claims.collect())
    }

    /// Whether all that may be dialled is a vendor's that permits too little.
    pub fn withhold_all(&self) -> bool {
        !self.0.is_empty() && self.0.iter().all(|claim| claim.withheld)
    }

    /// Whether more than a visitor's client does is withheld from this host, a name or an address.
    pub fn withholds(&self, host: &str) -> bool {
        let host = plain(host);
        host.parse().map_or_else(|_| self.withholds_name(&host), |address| self.withholds_address(address))
    }

    /// Whether it is withheld from this name. The nearest entry decides: a name itself before a
    /// `*.`, a longer one before a shorter; of two that are equal, the vendor's.
    pub(super) fn withholds_name(&self, host: &str) -> bool {
        self.nearest(|place| match place {
            Place::Name(pattern) if matches(pattern, host) => {
                Some(if pattern.starts_with("*.") { pattern.len() } else { usize::MAX })
            }
            _ => None,
        })
    }

    /// Whether it is withheld from this address. A smaller network decides before a larger one around it.
    pub(super) fn withholds_address(&self, address: IpAddr) -> bool {
        self.nearest(|place| match place {
            Place::Network(network) if network.contains(address) => Some(usize::from(network.prefix())),
            _ => None,
        })
    }

    fn nearest(&self, rank: impl Fn(&Place) -> Option<usize>) -> bool {
        let ranked = self.0.iter().filter_map(|claim| Some((rank(&claim.place)?, claim.withheld)));
        ranked.max().is_some_and(|(_, withheld)| withheld)
    }
}

/// Why something is withheld from a host, and what would let it be asked.
pub(super) fn why(host: &str) -> String {
    format!("{host} is a vendor's, which gets only what a visitor's client does unless it permits more")
}

/// The line that declares a vendor's permission.
pub const PERMISSION: &str =
    "[[scope]]\nowner = \"vendor\"\nvendor_permission = { reference = \"where it can be read\", expires = 2027-01-31 }";

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn the_nearest_entry_decides() {
        let text = "name = \"x\"\nadapter = \"cognigy\"\n[endpoints]\nconfig = \"https://c.test/t\"\n\
            [[scope]]\nhosts = [\"*.vendor.test\", \"203.0.113.7\"]\nnetworks = [\"198.51.100.0/24\"]\nowner = \"vendor\"\n\
            [[scope]]\nhosts = [\"Own.vendor.test\", \"same.test\"]\nnetworks = [\"198.51.100.128/25\"]\n\
            [[scope]]\nhosts = [\"same.test\"]\nowner = \"vendor\"\n\
            [[scope]]\nhosts = [\"lent.test\"]\nowner = \"vendor\"\nvendor_permission = { reference = \"r\", expires = 2026-01-01 }\n";
        let owners = Owners::new(&Target::parse(text, Path::new("t.toml")).unwrap());
        for (host, withheld) in [
            ("a.vendor.test", true),
            ("own.vendor.test", false),
            ("same.test", true),
            ("lent.test", false),
            ("c.test", false),
        ] {
            assert_eq!(owners.withholds_name(host), withheld, "{host}");
        }
        for (address, withheld) in
            [("198.51.100.1", true), ("198.51.100.200", false), ("203.0.113.7", true), ("203.0.113.8", false)]
        {
            assert_eq!(owners.withholds_address(address.parse().unwrap()), withheld, "{address}");
        }
    }
}
