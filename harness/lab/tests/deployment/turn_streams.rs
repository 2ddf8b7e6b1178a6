//! The relay over TCP and TLS.

use std::time::Duration;

use ringfence_wire::stun::{self, Attribute, Class, Message, Method};
use ringfence_wire::turn::{ChannelData, TRANSPORT_UDP};
use ringfence_wire::turn_stream::Frames;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket};
use tokio::time::timeout;

use crate::clients::{Config, LONG, connect_tls, fetch};
use crate::{Running, start};

trait Stream: AsyncRead + AsyncWrite + Unpin {}
impl<S: AsyncRead + AsyncWrite + Unpin> Stream for S {}

/// A TURN client on a connection, logged in.
struct Client {
    stream: Box<dyn Stream>,
    frames: Frames,
    config: Config,
    nonce: String,
    count: u32,
}

impl Client {
    async fn new(stream: impl Stream + 'static, config: Config) -> Self {
        let (stream, frames, nonce) = (Box::new(stream), Frames::default(), String::new());
        let mut client = Self { stream, frames, config, nonce, count: 0 };
        let challenge = client.allocate().await;
        assert_eq!(challenge.error_code(), Some(401));
        client.nonce = challenge.nonce().unwrap().to_owned();
        client
    }

    async fn frame(&mut self) -> Vec<u8> {
        loop {
            if let Some(frame) = self.frames.next_frame().unwrap() {
                return frame.to_vec();
            }
            let mut piece = [0; 100];
            let length = timeout(LONG, self.stream.read(&mut piece)).await.unwrap().unwrap();
            assert_ne!(length, 0, "the server closed");
            self.frames.push(&piece[..length]);
        }
    }

    async fn ask(&mut self, method: Method, attributes: Vec<Attribute>) -> Message {
        self.count += 1;
        let mut transaction = [0; 12];
        transaction[..4].copy_from_slice(&self.count.to_be_bytes());
        let mut request = Message::new(Class::Request, method, transaction);
        request.attributes = attributes;
        if !self.nonce.is_empty() {
            let (user, realm) = (self.config.turn("username"), "turn.lab.test");
            let key = stun::long_term_key(&user, realm, &self.config.turn("credential"));
            let login =
                [Attribute::Username(user), Attribute::Realm(realm.into()), Attribute::Nonce(self.nonce.clone())];
            request.attributes.extend(login);
            request = request.signed(&key).unwrap();
        }
        self.stream.write_all(&request.emit().unwrap()).await.unwrap();
        let answer = Message::parse(&self.frame().await).unwrap();
        assert_eq!(answer.transaction, request.transaction);
        answer
    }

    async fn allocate(&mut self) -> Message {
        self.ask(Method::ALLOCATE, vec![Attribute::RequestedTransport(TRANSPORT_UDP)]).await
    }
}

/// `host:port` of a TURN URL.
fn authority(url: &str) -> &str {
    url.split_once(':').unwrap().1.split('?').next().unwrap()
}

#[tokio::test]
async fn frames_are_relayed_over_tcp_and_tls() {
    let Running { lab, folder: _folder } = start(None).await;
    for tls in [false, true] {
        let config = fetch(&lab).await;
        let mut client = if tls {
            Client::new(connect_tls(&lab, authority(&lab.urls().turns)).await, config).await
        } else {
            Client::new(TcpStream::connect(authority(&lab.urls().turn_tcp)).await.unwrap(), config).await
        };
        let relayed = client.allocate().await.relayed_address().unwrap();
        let peer = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let peer_address = Attribute::XorPeerAddress(peer.local_addr().unwrap());
        let bind = vec![Attribute::ChannelNumber(0x4002), peer_address];
        assert_eq!(client.ask(Method::CHANNEL_BIND, bind).await.class, Class::Success);

        // Two frames in one write, the first cut from its padding by nothing but its length.
        let frames = [&b"one"[..], b"second"].map(|data| ChannelData { channel: 0x4002, data }.emit_padded().unwrap());
        client.stream.write_all(&frames.concat()).await.unwrap();
        let mut buffer = [0; 64];
        for expected in [&b"one"[..], b"second"] {
            let (length, from) = timeout(LONG, peer.recv_from(&mut buffer)).await.unwrap().unwrap();
            assert_eq!((&buffer[..length], from), (expected, relayed));
        }
        peer.send_to(b"reply", relayed).await.unwrap();
        let frame = client.frame().await;
        assert_eq!(frame, ChannelData { channel: 0x4002, data: b"reply" }.emit_padded().unwrap());
    }
}

#[tokio::test]
async fn an_allocation_ends_with_its_connection() {
    let Running { lab, folder: _folder } = start(None).await;
    let mut held = Vec::new();
    let config = fetch(&lab).await;
    for _ in 0..ringfence_lab::figures::TURN_PER_USER {
        let stream = TcpStream::connect(authority(&lab.urls().turn_tcp)).await.unwrap();
        let mut client = Client::new(stream, Config(config.0.clone())).await;
        assert_eq!(client.allocate().await.class, Class::Success);
        held.push(client);
    }
    let stream = TcpStream::connect(authority(&lab.urls().turn_tcp)).await.unwrap();
    let mut late = Client::new(stream, config).await;
    assert_eq!(late.allocate().await.error_code(), Some(486));
    held.pop();
    let freed = async {
        while late.allocate().await.class != Class::Success {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(LONG, freed).await.expect("a place is free again");
}

#[tokio::test]
async fn nonsense_closes_the_connection() {
    let Running { lab, folder: _folder } = start(None).await;
    for url in [&lab.urls().turn_tcp, &lab.urls().turns] {
        let address = authority(url).replace("localhost", "127.0.0.1");
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(b"\xffGET / HTTP/1.1\r\n\r\n").await.unwrap();
        let mut rest = Vec::new();
        // Closed in order, or reset: nothing but perhaps a TLS alert comes.
        let _ = timeout(LONG, stream.read_to_end(&mut rest)).await.expect("it is closed");
        assert!(rest.len() < 16, "{rest:?}");
    }
}
