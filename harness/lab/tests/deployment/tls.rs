//! Hellos to the listeners that have faults of TLS: what is answered by hand, and that nothing else is.

use ringfence_lab::Lab;
use ringfence_lab::fault::Fault;
use ringfence_wire::hello::{ClientHello, Depth, Extension, Reply, TlsReader, Version, names};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::clients::{LONG, fetch};
use crate::{Running, start};

/// Handshake bytes that one segment carries: a hello comes in many.
const PIECE: usize = 200;
const PROTOCOL_VERSION: Reply = Reply::Alert { fatal: true, code: 70 };
const HANDSHAKE_FAILURE: Reply = Reply::Alert { fatal: true, code: 40 };

fn hello(version: Version, suites: &[u16]) -> ClientHello {
    let mut hello = ClientHello::new(version, [8; 32]);
    hello.suites = suites.to_vec();
    let groups: Vec<u16> = names::groups().map(|(code, _)| code).collect();
    let schemes: Vec<u16> = names::signature_schemes().map(|(code, _)| code).collect();
    hello.extensions = vec![
        Extension::supported_groups(&groups).unwrap(),
        Extension::signature_algorithms(&schemes).unwrap(),
        Extension::ec_point_formats(),
        Extension::extended_master_secret(),
        Extension::renegotiation_info(),
    ];
    if version.is_13() {
        hello.extensions.push(Extension::key_share_empty());
    }
    hello
}

/// Every suite there is but these.
fn all_but(taken: &[u16]) -> Vec<u16> {
    names::suites().map(|(code, _)| code).filter(|code| !taken.contains(code)).collect()
}

/// What a listener answers; the address is that of a URL of the lab's.
async fn ask(url: &str, hello: &ClientHello) -> Reply {
    let port = url.split(':').next_back().unwrap().split(['/', '?']).next().unwrap();
    let mut stream = TcpStream::connect(format!("127.0.0.1:{port}")).await.unwrap();
    stream.set_nodelay(true).unwrap();
    for piece in hello.to_tls().unwrap().chunks(PIECE) {
        stream.write_all(piece).await.unwrap();
        tokio::task::yield_now().await;
    }
    let (mut reader, mut bytes) = (TlsReader::new(Depth::Flight), [0; 2000]);
    loop {
        let count = timeout(LONG, stream.read(&mut bytes)).await.unwrap().unwrap();
        if count == 0 {
            return reader.end();
        }
        if let Some(reply) = reader.feed(&bytes[..count]) {
            return reply;
        }
    }
}

/// Configuration, signalling and page, and TURN over TLS.
fn places(lab: &Lab) -> [(&'static str, String); 4] {
    let urls = lab.urls();
    [
        ("config", urls.config.clone()),
        ("signalling", urls.signalling.clone()),
        ("page", urls.page_origin.clone()),
        ("turns", urls.turns.clone()),
    ]
}

#[tokio::test]
async fn the_healthy_lab_accepts_1_2_and_1_3_with_sound_suites_only() {
    let Running { lab, folder: _folder } = start(None).await;
    for (place, url) in places(&lab) {
        for version in [Version::SSL3, Version::TLS10, Version::TLS11] {
            assert_eq!(ask(&url, &hello(version, &all_but(&[]))).await, PROTOCOL_VERSION, "{place}");
        }
        let mut taken = Vec::new();
        loop {
            match ask(&url, &hello(Version::TLS12, &all_but(&taken))).await {
                Reply::ServerHello(found) => taken.push(found.suite),
                reply => break assert_eq!(reply, HANDSHAKE_FAILURE, "{place}"),
            }
        }
        taken.sort();
        assert_eq!(taken, [0xc02b, 0xc02c, 0xcca9], "{place}");
        let reply = ask(&url, &hello(Version::TLS13, &all_but(&[]))).await;
        assert!(matches!(reply, Reply::HelloRetryRequest(_)), "{place}: {reply:?}");
    }
    let met = lab.faults().met();
    for fault in [Fault::Tls10, Fault::Tls3des, Fault::TlsStaticRsa, Fault::TurnsTls10] {
        assert!(met.contains(&fault), "{fault:?}");
    }
}

#[tokio::test]
async fn each_fault_answers_its_hello_at_its_place_alone() {
    let sound = [0xc02b, 0xc02c, 0xcca9];
    for (fault, place, version, suites, chosen) in [
        (Fault::Tls10, "config", Version::TLS10, all_but(&[]), 0xc009),
        (Fault::TurnsTls10, "turns", Version::TLS10, all_but(&[]), 0xc009),
        (Fault::Tls3des, "config", Version::TLS12, all_but(&sound), 0xc008),
        (Fault::TlsStaticRsa, "config", Version::TLS12, all_but(&sound), 0x009c),
    ] {
        let Running { lab, folder: _folder } = start(Some(fault)).await;
        for (asked, url) in places(&lab) {
            let reply = ask(&url, &hello(version, &suites)).await;
            if asked != place {
                assert!(matches!(reply, Reply::Alert { fatal: true, .. }), "{fault:?} {asked}: {reply:?}");
                continue;
            }
            let Reply::ServerHello(found) = reply else { panic!("{fault:?}: {reply:?}") };
            assert_eq!((found.version, found.suite, found.done), (version, chosen, true));
            assert!(found.extended_master_secret() && found.secure_renegotiation() && found.broken.is_none());
            assert_eq!(found.certificates.len(), 1);
            // The rest of the list is refused in the way of whom accepts the version.
            let rest: Vec<u16> = suites.iter().copied().filter(|suite| *suite != chosen).collect();
            assert_eq!(ask(&url, &hello(version, &rest)).await, HANDSHAKE_FAILURE, "{fault:?}");
            // Who asks for better gets it.
            let better = ask(&url, &hello(Version::TLS12, &all_but(&[]))).await;
            assert!(matches!(&better, Reply::ServerHello(hello) if sound.contains(&hello.suite)), "{better:?}");
        }
        fetch(&lab).await;
    }
}

#[tokio::test]
async fn what_is_no_hello_is_left_to_the_library() {
    let Running { lab, folder: _folder } = start(Some(Fault::Tls10)).await;
    let config = lab.urls().config.clone();
    let port = config.split(':').next_back().unwrap().split('/').next().unwrap();
    for bytes in [&[22, 3, 1, 0, 2, 1, 0][..], &[22, 3, 1, 0, 4, 2, 0, 0, 0], &[22; 20_000]] {
        let mut stream = TcpStream::connect(format!("127.0.0.1:{port}")).await.unwrap();
        stream.write_all(bytes).await.unwrap();
        stream.shutdown().await.unwrap();
        let mut answer = Vec::new();
        // An alert, or the end: no flight.
        let _ = timeout(LONG, stream.read_to_end(&mut answer)).await.unwrap();
        assert!(answer.is_empty() || answer.first() == Some(&21), "{answer:?}");
    }
    fetch(&lab).await;
}
