//! The source address of each chain: on loopback one of its own, so that limits per source stay apart.

use std::net::{IpAddr, Ipv4Addr};

use ringfence_model::target::Target;

/// Whether all that the target names is loopback, so that each chain can have a source address of its own and limits per
/// source stay apart.
pub(crate) fn loopback_only(target: &Target) -> bool {
    cfg!(target_os = "linux") && crate::consent::loopback_only(target)
}

/// The source address of a chain: one of 127.0.0.0/8, from 127.1.0.1 on, none twice in sixteen thousand.
pub(crate) fn source(index: usize) -> IpAddr {
    // Neither 0 nor 255 at the end: some systems take them for a network and a broadcast address.
    let (net, host) = ((index / 254) % 64, index % 254 + 1);
    let byte = |number| u8::try_from(number).unwrap_or(1);
    IpAddr::V4(Ipv4Addr::new(127, 1, byte(net), byte(host)))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_chain_has_a_source_of_its_own() {
        let sources: BTreeSet<IpAddr> = (0..1000).map(source).collect();
        assert_eq!(sources.len(), 1000);
        assert_eq!(source(0), "127.1.0.1".parse::<IpAddr>().unwrap());
        assert!(sources.iter().all(IpAddr::is_loopback));
    }
}
