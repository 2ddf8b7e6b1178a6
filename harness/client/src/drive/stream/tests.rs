//! Connections against servers made by hand, which answer, stall, close and speak nonsense.

use ringfence_model::observation::Outcome;
use ringfence_wire::turn::ChannelData;
use tokio::net::{TcpListener, TcpStream};

use super::*;
use crate::drive::fake;
use crate::net::Limits;

/// Nothing here takes longer, unless it is broken.
const LIMIT: Duration = Duration::from_secs(60);

/// With the limits of a real run, which none of these servers comes near to.
fn net() -> Net {
    fake::net().with_limits(Limits::default())
}

async fn next(streams: &mut Streams) -> Told {
    timeout(LIMIT, streams.next()).await.expect("something is told")
}

/// The failure that comes next, whatever frames come before it.
async fn failure(streams: &mut Streams) -> Failure {
    loop {
        match next(streams).await {
            Told::Lost { place, failure } => {
                assert_eq!(place, 7);
                return failure;
            }
            Told::Frame { .. } => {}
            Told::Connected(link) => streams.add(link),
        }
    }
}

fn open(net: &Net, server: SocketAddr, transport: TurnTransport, sockets: &[SocketAddr]) -> Streams {
    let host = server.ip().to_string();
    let server = TurnServer { address: server, host, transport, username: "u".into(), credential: "p".into() };
    Streams::open(Some(net), vec![(7, server)], sockets)
}

/// A connection, and the server's end of it.
async fn connected(net: &Net) -> (Streams, SocketAddr, SocketAddr, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let server = listener.local_addr().unwrap();
    let mut streams = open(net, server, TurnTransport::Tcp, &[]);
    let (peer, _) = listener.accept().await.unwrap();
    let Told::Connected(link) = next(&mut streams).await else { panic!("not connected") };
    let local = link.local;
    streams.add(link);
    (streams, local, server, peer)
}

#[tokio::test]
async fn frames_go_both_ways_and_are_padded() {
    let net = net();
    let (mut streams, local, server, mut peer) = connected(&net).await;
    let data = ChannelData { channel: 0x4000, data: b"hello" };
    assert!(streams.send(local, server, &data.emit().unwrap()));
    assert!(!streams.send(server, local, b"no such way"));
    let mut frame = [0; 12];
    peer.read_exact(&mut frame).await.unwrap();
    assert_eq!(frame[..], data.emit_padded().unwrap());

    let (first, second) = frame.split_at(5);
    peer.write_all(first).await.unwrap();
    peer.flush().await.unwrap();
    peer.write_all(second).await.unwrap();
    let Told::Frame { local: at, remote, bytes } = next(&mut streams).await else { panic!("no frame") };
    assert_eq!((at, remote, &bytes[..]), (local, server, &frame[..]));
    assert!(net.answered());

    // What was handed over before the end still arrives, and then the end itself.
    assert!(streams.send(local, server, &frame));
    let ((), rest) = tokio::join!(streams.close(), async {
        let mut rest = Vec::new();
        peer.read_to_end(&mut rest).await.unwrap();
        drop(peer);
        rest
    });
    assert_eq!(rest, frame);
}

#[tokio::test]
async fn a_server_that_closes_or_speaks_nonsense_is_lost() {
    let net = net();
    let (mut streams, _, _, peer) = connected(&net).await;
    drop(peer);
    let gone = failure(&mut streams).await;
    assert_eq!(gone.outcome, Outcome::Closed, "{gone}");

    let (mut streams, _, _, mut peer) = connected(&net).await;
    peer.write_all(b"\xffsurely no TURN").await.unwrap();
    let gone = failure(&mut streams).await;
    assert_eq!(
        (gone.outcome, gone.error.raw()),
        (Outcome::Protocol, "the TURN server 127.0.0.1: TURN frame is not valid")
    );
}

#[tokio::test]
async fn a_server_that_does_not_read_costs_frames_and_then_the_connection() {
    let net = fake::net().with_limits(Limits { idle: Duration::from_millis(200), ..Limits::default() });
    let (mut streams, local, server, _peer) = connected(&net).await;
    let frame = ChannelData { channel: 0x4000, data: &[7; 60_000] }.emit().unwrap();
    // Far more than the buffers of the system hold: the rest waits in no queue of ours.
    let lost = async {
        loop {
            for _ in 0..100 {
                streams.send(local, server, &frame);
            }
            if let Ok(told) = timeout(Duration::from_millis(10), streams.next()).await {
                return told;
            }
            assert!(streams.links.iter().all(|link| link.frames.max_capacity() == MAX_WAITING));
        }
    };
    let Told::Lost { failure, .. } = timeout(LIMIT, lost).await.expect("it is given up") else { panic!("not lost") };
    assert_eq!((failure.outcome, failure.error.raw()), (Outcome::Timeout, "the TURN server 127.0.0.1 does not read"));
}

#[tokio::test]
async fn closing_waits_for_no_server() {
    let net = net();
    let (streams, _, _, _peer) = connected(&net).await; // which never closes its end
    timeout(LIMIT, streams.close()).await.expect("it ends all the same");
}

#[tokio::test]
async fn what_cannot_be_connected_says_why() {
    let net = net();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let server = listener.local_addr().unwrap();
    let speaker = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await.unwrap();
        (stream, listener) // kept open: what came is judged, not its end
    });
    let no_tls = failure(&mut open(&net, server, TurnTransport::Tls, &[])).await;
    assert_eq!(no_tls.outcome, Outcome::TlsFailed, "{no_tls}");
    assert!(no_tls.error.raw().starts_with("TLS handshake with 127.0.0.1"), "{no_tls}");
    drop(speaker.await.unwrap());
    let refused = failure(&mut open(&net, server, TurnTransport::Tcp, &[])).await;
    assert_eq!(refused.outcome, Outcome::Unreachable, "{refused}");
    let outside = failure(&mut open(&net, "192.0.2.1:3478".parse().unwrap(), TurnTransport::Tcp, &[])).await;
    assert_eq!(outside.outcome, Outcome::OutOfScope, "{outside}");
}

#[tokio::test]
async fn no_connection_has_the_address_of_a_socket() {
    let net = net();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let server = listener.local_addr().unwrap();
    // Most of the ports that a connection may get, so that taken ones come up.
    let taken: Vec<SocketAddr> =
        (1024..=u16::MAX).filter(|port| port % 10 > 1).map(|port| ([127, 0, 0, 1], port).into()).collect();
    let mut streams = open(&net, server, TurnTransport::Tcp, &taken);
    let Told::Connected(link) = next(&mut streams).await else { panic!("not connected") };
    assert!(link.local.port() % 10 <= 1, "{}", link.local);
}
