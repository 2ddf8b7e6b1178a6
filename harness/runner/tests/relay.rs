//! Relayed calls against the lab's own TURN server, over UDP, TCP and TLS: TURN client and server are of different making,
//! and so is the rest.

#[path = "support/relayed.rs"]
mod relayed;

use std::net::SocketAddr;
use std::time::Duration;

use relayed::{LIMIT, Rig, assert_heard, only};
use ringfence_model::Secret;
use ringfence_model::observation::Outcome;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

/// Carries connections to a TURN server's URL on from another address. Ends with its connections when dropped.
struct Forwarder {
    address: SocketAddr,
    _carrying: JoinSet<()>,
}

impl Forwarder {
    async fn start(ip: &str, url: &str) -> Self {
        let port = url.split([':', '?']).nth(2).and_then(|port| port.parse::<u16>().ok()).expect("scheme:host:port?…");
        let listener = TcpListener::bind((ip, 0)).await.expect("a free port");
        let address = listener.local_addr().expect("a bound address");
        let mut carrying = JoinSet::new();
        carrying.spawn(async move {
            let (mut near, _) = listener.accept().await.expect("a connection");
            let mut far = TcpStream::connect(("127.0.0.1", port)).await.expect("the server");
            let _ = tokio::io::copy_bidirectional(&mut near, &mut far).await; // until either end is gone
        });
        Self { address, _carrying: carrying }
    }
}

#[tokio::test]
async fn a_relayed_call_echoes_over_every_transport() {
    let rig = Rig::start().await;
    let urls = rig.lab.urls().clone();
    assert_heard(&rig.relayed(|_| {}).await);
    for url in [&urls.turn, &urls.turn_tcp, &urls.turns] {
        let before = std::fs::read_to_string(rig.lab.log_path()).expect("the lab's log").len();
        assert_heard(&rig.relayed(only(url)).await);
        for line in ["method=Allocate status=200", "method=CreatePermission status=200", "method=Refresh status=200"] {
            rig.logged(line).await; // the allocation is used and given back
        }
        let log = std::fs::read_to_string(rig.lab.log_path()).expect("the lab's log");
        assert_eq!(log[before..].matches("method=Allocate status=200").count(), 1, "{url}: one way\n{log}");
    }
    rig.lab.stop().await;
}

#[tokio::test]
async fn a_relay_that_lets_nobody_in_is_what_the_target_does() {
    let rig = Rig::start().await;
    for url in [rig.lab.urls().turn.clone(), rig.lab.urls().turns.clone()] {
        let refused = rig
            .relayed(|config| {
                only(&url)(config);
                config.ice_servers.iter_mut().for_each(|server| server.credential = Some(Secret::from("wrong")));
            })
            .await;
        assert_eq!(refused.own_fault, None);
        assert_eq!(refused.failure.as_ref().map(|failure| failure.outcome), Some(Outcome::Unreachable), "{refused:#?}");
        assert!(!refused.answered && refused.status.is_none(), "without an offer nobody is called");
    }
    rig.lab.stop().await;
}

#[tokio::test]
async fn a_certificate_of_another_name_or_authority_is_refused_and_named() {
    let rig = Rig::start().await;
    let other = Rig::start().await;
    let forwarder = Forwarder::start("127.0.0.3", &rig.lab.urls().turns).await;
    let by_another_name = format!("turns:{}?transport=tcp", forwarder.address);
    for (url, why) in
        [(&other.lab.urls().turns, "invalid peer certificate: BadSignature"), (&by_another_name, "not valid for name")]
    {
        let refused = rig.relayed(only(url)).await;
        let [left_out] = &refused.servers_left_out[..] else { panic!("{refused:#?}") };
        assert_eq!(left_out.outcome, Outcome::TlsFailed);
        assert!(left_out.error.raw().contains(why), "{left_out}");
        let failure = refused.failure.expect("there is no candidate").error.raw().to_owned();
        assert!(failure.starts_with("gathering: TLS handshake with ") && failure.contains(why), "{failure}");
        assert!(!refused.answered);
    }
    rig.lab.stop().await;
}

#[tokio::test]
async fn a_connection_that_ends_in_mid_call_is_named_and_holds_nothing_up() {
    let rig = Rig::start().await;
    let forwarder = Forwarder::start("127.0.0.4", &rig.lab.urls().turn_tcp).await;
    let mut live = rig.place(only(&format!("turn:{}?transport=tcp", forwarder.address))).await;
    assert!(live.run_until_echoes(1, LIMIT).await, "{:#?}", live.seen());
    drop(forwarder);
    let told = async {
        while live.seen().media_failure.is_none() {
            live.run_for(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(LIMIT, told).await.expect("the loss is told");
    let seen = live.hang_up().await;
    let why = seen.media_failure.expect("checked").raw().to_owned();
    assert_eq!(why, "turn: the TURN server 127.0.0.4 closed the connection");
    assert_eq!((seen.own_fault, seen.servers_left_out.len()), (None, 1));
    rig.lab.stop().await;
}
