//! `openssl s_server` with settings by dice, against the plainest scan that there is: one suite at a time, then one group and one
//! scheme at a time with each of them, alone and beside each other that its certificates may need.

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

use ringfence_client::hello::Wanted;
use ringfence_wire::hello::{ClientHello, Depth, Extension, Reply, ServerHello, TlsReader, Version, names};

use super::openssl::{Server, run};
use super::servers::{PATIENT, there, tls};

/// Servers in a run of the tests.
const SERVERS: u64 = 10;
const VERSIONS: [Version; 4] = [Version::TLS10, Version::TLS11, Version::TLS12, Version::TLS13];
const KEYS: [&str; 6] = ["rsa:2048", "P-256", "P-384", "P-521", "ed25519", "rsa-pss"];
const GROUPS: [&str; 9] =
    ["X25519", "P-256", "P-384", "P-521", "X448", "brainpoolP256r1", "secp256k1", "ffdhe2048", "ffdhe3072"];
const SCHEMES: [&str; 12] = [
    "RSA+SHA256",
    "RSA+SHA384",
    "RSA+SHA512",
    "RSA+SHA1",
    "RSA-PSS+SHA256",
    "RSA-PSS+SHA512",
    "rsa_pss_pss_sha256",
    "ECDSA+SHA256",
    "ECDSA+SHA384",
    "ECDSA+SHA512",
    "ECDSA+SHA1",
    "ed25519",
];

/// Numbers that look random: xorshift.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 24) as usize % sides
    }

    /// Some of these in some order.
    fn some<T: Copy>(&mut self, all: &[T], most: usize) -> Vec<T> {
        let mut all = all.to_vec();
        let count = 1 + self.roll(most);
        (0..count.min(all.len())).map(|_| all.swap_remove(self.roll(all.len()))).collect()
    }
}

fn ask(server: SocketAddr, version: Version, suites: &[u16], groups: &[u16], schemes: &[u16]) -> Option<ServerHello> {
    let mut hello = ClientHello::new(version, [3; 32]);
    hello.suites = suites.to_vec();
    hello.extensions = vec![Extension::ec_point_formats(), Extension::supported_groups(groups).unwrap()];
    if version >= Version::TLS12 {
        hello.extensions.push(Extension::signature_algorithms(schemes).unwrap());
    }
    if version.is_13() {
        hello.extensions.push(Extension::key_share_empty());
    }
    let mut stream = TcpStream::connect(server).ok()?;
    stream.write_all(&hello.to_tls().unwrap()).unwrap();
    let (mut reader, mut piece) = (TlsReader::new(Depth::Flight), [0; 8192]);
    let reply = loop {
        let count = stream.read(&mut piece).unwrap();
        match reader.feed(&piece[..count]) {
            Some(reply) => break reply,
            None if count == 0 => break reader.end(),
            None => {}
        }
    };
    match reply {
        Reply::ServerHello(found) | Reply::HelloRetryRequest(found) if found.version == version => {
            assert!(found.done && found.alert.is_none(), "{found:?}");
            Some(*found)
        }
        Reply::ServerHello(_) | Reply::Alert { fatal: true, .. } => None,
        other => panic!("{version:?}: {other:?}"),
    }
}

type Sets = [BTreeSet<u16>; 3];

/// Suites, groups, schemes.
fn plainest(server: SocketAddr, version: Version) -> Sets {
    let old = |code: &u16| *code < 0x100 || *code >= 0xff00;
    let groups: Vec<u16> = names::groups().map(|(code, _)| code).filter(|code| version.is_13() || old(code)).collect();
    let schemes: Vec<u16> = names::signature_schemes().map(|(code, _)| code).collect();
    let suites = names::suites().map(|(code, _)| code).filter(|code| names::is_13_suite(*code) == version.is_13());
    let mut sets = Sets::default();
    let accepted: Vec<ServerHello> =
        suites.filter_map(|suite| ask(server, version, &[suite], &groups, &schemes)).collect();
    for found in &accepted {
        sets[0].insert(found.suite);
        sets[1].extend(found.group);
        sets[2].extend(found.signature_scheme);
    }
    // Suites whose answers look the same are asked once.
    let mut kinds: Vec<(bool, bool, Vec<Vec<u8>>)> = Vec::new();
    for found in accepted {
        let kind = (found.group.is_some(), found.signature_scheme.is_some(), found.certificates.clone());
        if kinds.contains(&kind) {
            continue;
        }
        kinds.push(kind);
        let beside = |code: u16, all: &[u16]| -> Vec<Vec<u16>> {
            [vec![code]].into_iter().chain(all.iter().map(|other| vec![code, *other])).collect()
        };
        for group in groups.iter().filter(|_| found.group.is_some()) {
            for list in beside(*group, &[23, 24, 25]) {
                sets[1].extend(ask(server, version, &[found.suite], &list, &schemes).and_then(|it| it.group));
            }
        }
        for scheme in schemes.iter().filter(|_| found.signature_scheme.is_some()) {
            for list in beside(*scheme, &schemes) {
                let found = ask(server, version, &[found.suite], &groups, &list);
                sets[2].extend(found.and_then(|it| it.signature_scheme));
            }
        }
    }
    sets
}

#[tokio::test]
async fn settings_by_dice() {
    if !there("openssl", "openssl") {
        return;
    }
    let all = run(&["ciphers", "ALL:COMPLEMENTOFALL:!PSK:!SRP:!aDSS:@SECLEVEL=0"]);
    let all: Vec<&str> = all.trim().split(':').filter(|name| !name.starts_with("TLS_")).collect();
    let mut compared = 0;
    for seed in 0..SERVERS {
        let mut dice = Dice((seed + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let ciphers = format!("{}:@SECLEVEL=0", dice.some(&all, 40).join(":"));
        let (groups, schemes) = (dice.some(&GROUPS, 6).join(":"), dice.some(&SCHEMES, 8).join(":"));
        let keys = dice.some(&KEYS, 2);
        let mut arguments = vec!["-cipher", &ciphers, "-groups", &groups, "-sigalgs", &schemes];
        arguments
            .extend(dice.some(&["-no_tls1", "-no_tls1_1", "-no_tls1_2", "-no_tls1_3", "-serverpref", "-no_ticket"], 3));
        println!("{seed}: {arguments:?} {keys:?}");
        let server = Server::start(&arguments, &keys);
        let address = server.address;
        let report = tls(address, Wanted::ALL, PATIENT).await;
        let truth =
            tokio::task::spawn_blocking(move || VERSIONS.map(|version| plainest(address, version))).await.unwrap();
        if TcpStream::connect(address).is_err() {
            continue; // it ends by itself where its settings fit no hello of a version
        }
        compared += 1;
        assert_eq!(report.unknown().collect::<Vec<_>>(), [], "{report:?}");
        for (version, truth) in VERSIONS.into_iter().zip(truth) {
            let findings = report.of(version).unwrap();
            let lists = [&findings.suites, &findings.groups, &findings.signature_schemes];
            let found = lists.map(|list| list.iter().copied().collect::<BTreeSet<u16>>());
            assert_eq!(found, truth, "{version:?}: {findings:?}");
        }
    }
    assert!(2 * compared > SERVERS, "{compared} of {SERVERS} settings fit some hello");
}
