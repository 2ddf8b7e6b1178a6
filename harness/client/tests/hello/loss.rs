//! OpenSSL behind a relay that loses, doubles and reorders datagrams: what is found may be too little, and is said to be then,
//! but never wrong.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use ringfence_client::hello::{Bounds, Findings, List, Verdict, Wanted};
use ringfence_wire::hello::Version;
use tokio::net::UdpSocket;

use super::openssl::Server;
use super::servers::{ONE_BY_ONE, dtls, sorted, there};

const BOUNDS: Bounds = Bounds { answer: Duration::from_millis(120), at_once: 1 };

/// Numbers that look random: xorshift.
struct Dice(u64);

impl Dice {
    fn hits(&mut self, percent: u64) -> bool {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 24) % 100 < percent
    }
}

/// One way: each datagram may be lost, doubled, or held back until the next has gone.
struct Way {
    dice: Dice,
    loss: u64,
    held: Option<Vec<u8>>,
}

impl Way {
    fn pass(&mut self, datagram: &[u8]) -> Vec<Vec<u8>> {
        if self.dice.hits(self.loss) {
            return Vec::new();
        }
        if self.held.is_none() && self.dice.hits(self.loss) {
            self.held = Some(datagram.to_vec());
            return Vec::new();
        }
        let copies = 1 + usize::from(self.dice.hits(self.loss));
        let mut out = vec![datagram.to_vec(); copies];
        out.extend(self.held.take());
        out
    }
}

/// In front of `server`; each port that asks has one of its own there.
async fn relay(server: SocketAddr, loss: u64, seed: u64) -> SocketAddr {
    let front = Arc::new(UdpSocket::bind("127.0.0.1:0").await.unwrap());
    let address = front.local_addr().unwrap();
    tokio::spawn(async move {
        let mut backs: HashMap<SocketAddr, (Arc<UdpSocket>, Way)> = HashMap::new();
        let mut buffer = [0; 4096];
        while let Ok((count, from)) = front.recv_from(&mut buffer).await {
            let dice = |salt: u64| Dice((seed * 1_000_003 + u64::from(from.port()) * 7919 + salt) | 1);
            let (back, way) = match backs.entry(from) {
                Entry::Occupied(known) => known.into_mut(),
                Entry::Vacant(new) => {
                    let back = Arc::new(UdpSocket::bind("127.0.0.1:0").await.unwrap());
                    back.connect(server).await.unwrap();
                    let way = Way { dice: dice(1), loss, held: None };
                    tokio::spawn(return_way(front.clone(), back.clone(), from, way));
                    new.insert((back, Way { dice: dice(2), loss, held: None }))
                }
            };
            // The farewell always arrives: s_server would serve nobody else for a minute.
            let out = if buffer[0] == 21 { vec![buffer[..count].to_vec()] } else { way.pass(&buffer[..count]) };
            for datagram in out {
                let _ = back.send(&datagram).await;
            }
        }
    });
    address
}

async fn return_way(front: Arc<UdpSocket>, back: Arc<UdpSocket>, to: SocketAddr, mut way: Way) {
    let mut buffer = [0; 4096];
    while let Ok(count) = back.recv(&mut buffer).await {
        for datagram in way.pass(&buffer[..count]) {
            let _ = front.send_to(&datagram, to).await;
        }
    }
}

const SUITES: [u16; 3] = [0xc009, 0xc02b, 0xc02c];
const GROUPS: [u16; 2] = [23, 29];
const PROFILES: [u16; 2] = [1, 7];

/// Whether all was found; what was found is right in any case.
fn whole(findings: &Findings, seed: u64) -> bool {
    for (list, found, told) in [
        (List::Suites, &findings.suites, &SUITES[..]),
        (List::Groups, &findings.groups, &GROUPS),
        (List::Profiles, &findings.profiles, &PROFILES),
    ] {
        assert!(found.iter().all(|code| told.contains(code)), "{seed}: {findings:?}");
        let unknown = findings.unknown.iter().any(|unknown| unknown.list == list || unknown.list == List::Suites);
        assert!(
            unknown || findings.verdict == Verdict::Unknown || sorted(found) == told,
            "{seed} {list:?}: {findings:?}"
        );
    }
    assert!(matches!(findings.verdict, Verdict::Accepted | Verdict::Unknown), "{seed}: {findings:?}");
    findings.unknown.is_empty() && findings.verdict == Verdict::Accepted
}

async fn rounds(loss: u64, least: usize, rounds: u64) {
    if !there("openssl", "openssl") {
        return;
    }
    let ciphers = "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES128-SHA";
    let profiles = "SRTP_AEAD_AES_128_GCM:SRTP_AES128_CM_SHA1_80";
    let arguments = ["-dtls1_2", "-cipher", ciphers, "-groups", "P-256:X25519", "-use_srtp", profiles, "-mtu", "500"];
    let server = Server::start(&arguments, &["P-256"]);
    let mut all = 0;
    for seed in 0..rounds {
        let address = relay(server.address, loss, seed).await;
        let bounds = if loss == 0 { ONE_BY_ONE } else { BOUNDS };
        let report = dtls(address, Wanted { profiles: true, groups: true, ..Wanted::SUITES }, bounds).await;
        all += usize::from(whole(report.of(Version::DTLS12).unwrap(), seed));
        for version in [Version::DTLS10, Version::DTLS13] {
            let verdict = report.of(version).unwrap().verdict;
            assert!(matches!(verdict, Verdict::Refused(_) | Verdict::Unknown), "{seed} {version:?}: {report:?}");
        }
    }
    println!("{loss} %: {all} of {rounds} whole");
    assert!(all >= least, "{loss} %: {all} of {rounds} whole");
}

#[tokio::test]
async fn nothing_is_lost() {
    rounds(0, 5, 5).await;
}

#[tokio::test]
async fn one_percent() {
    rounds(1, 10, 60).await;
}

#[tokio::test]
async fn five_percent() {
    rounds(5, 5, 60).await;
}
