//! What a run touched and what it left alone: for the report, each thing once, in bounds.

use std::net::{IpAddr, SocketAddr};

use ringfence_model::report::Sampled;

/// Addresses that are kept of each kind (house).
const MAX_ADDRESSES: usize = 256;
/// Refusals that are kept (house).
const MAX_REFUSED: usize = 64;
/// Characters of a refusal that are kept: host names are shorter, and what a target makes up need not be (house).
const MAX_REFUSED_CHARACTERS: usize = 400;

/// The transport of an address that was dialled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Via {
    /// TCP, TLS or not.
    Tcp,
    /// UDP.
    Udp,
}

/// The record of one run.
#[derive(Debug, Default)]
pub(super) struct Record {
    calls: u64,
    answered: u64,
    dialled: Vec<(SocketAddr, Via)>,
    media_nodes: Vec<IpAddr>,
    refused: Vec<String>,
}

impl Record {
    pub fn call(&mut self, answered: bool) {
        *(if answered { &mut self.answered } else { &mut self.calls }) += 1;
    }

    pub fn dialled(&mut self, address: SocketAddr, via: Via) {
        add(&mut self.dialled, (address, via), MAX_ADDRESSES);
    }

    pub fn media_node(&mut self, address: IpAddr) {
        add(&mut self.media_nodes, address, MAX_ADDRESSES);
    }

    pub fn refused(&mut self, why: &str) {
        add(&mut self.refused, why.chars().take(MAX_REFUSED_CHARACTERS).collect(), MAX_REFUSED);
    }

    pub fn sampled(&self) -> Sampled {
        let word = |via| if via == Via::Tcp { "tcp" } else { "udp" };
        Sampled {
            calls: self.calls,
            answered: self.answered,
            addresses: self.dialled.iter().map(|(address, via)| format!("{address}/{}", word(*via))).collect(),
            media_nodes: self.media_nodes.iter().map(IpAddr::to_string).collect(),
            refused: self.refused.clone(),
            oracles: Vec::new(),
        }
    }
}

fn add<T: PartialEq>(list: &mut Vec<T>, item: T, most: usize) {
    if list.len() < most && !list.contains(&item) {
        list.push(item);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_once_and_in_bounds() {
        let mut record = Record::default();
        for port in (0..1000).chain(0..1000) {
            record.dialled(SocketAddr::from(([192, 0, 2, 1], port)), Via::Tcp);
            record.refused(&format!("{port} {}", "x".repeat(1000)));
        }
        record.dialled(SocketAddr::from(([192, 0, 2, 1], 1)), Via::Udp);
        let sampled = record.sampled();
        assert_eq!((sampled.addresses.len(), sampled.refused.len()), (MAX_ADDRESSES, MAX_REFUSED));
        assert_eq!(sampled.addresses[1], "192.0.2.1:1/tcp");
        assert!(sampled.refused.iter().all(|why| why.len() <= MAX_REFUSED_CHARACTERS));
    }
}
