//! The relay.

use std::net::SocketAddr;

use ringfence_lab::Lab;
use ringfence_lab::fault::Fault;
use ringfence_wire::stun::{self, Attribute, Class, Message, Method};
use ringfence_wire::turn::{ChannelData, TRANSPORT_UDP};
use tokio::net::UdpSocket;
use tokio::time::timeout;

use crate::clients::{Config, LONG, fetch};
use crate::{Running, start};

/// A TURN client; with a login once it has been asked for one.
struct Client {
    socket: UdpSocket,
    login: Option<Login>,
    count: u8,
}

struct Login {
    username: String,
    realm: String,
    nonce: String,
    key: [u8; 16],
}

impl Client {
    async fn connect(lab: &Lab) -> Self {
        let url = &lab.urls().turn;
        let server: SocketAddr = url["turn:".len()..].split('?').next().unwrap().parse().unwrap();
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        socket.connect(server).await.unwrap();
        Self { socket, login: None, count: 0 }
    }

    fn request(&mut self, method: Method) -> Message {
        self.count += 1;
        Message::new(Class::Request, method, [self.count; 12])
    }

    async fn receive(&self) -> Vec<u8> {
        let mut buffer = vec![0; 2048];
        let length = timeout(LONG, self.socket.recv(&mut buffer)).await.unwrap().unwrap();
        buffer.truncate(length);
        buffer
    }

    /// Sends with the login, if there is one, and checks that the answer is signed if it must be.
    async fn ask(&mut self, mut request: Message) -> Message {
        if let Some(Login { username, realm, nonce, key }) = &self.login {
            request = request
                .with(Attribute::Username(username.clone()))
                .with(Attribute::Realm(realm.clone()))
                .with(Attribute::Nonce(nonce.clone()))
                .signed(key)
                .unwrap();
        }
        self.socket.send(&request.emit().unwrap()).await.unwrap();
        let bytes = self.receive().await;
        let answer = Message::parse(&bytes).unwrap();
        assert_eq!(answer.transaction, request.transaction);
        match &self.login {
            Some(Login { key, .. }) if !matches!(answer.error_code(), Some(401 | 438)) => {
                stun::verify_integrity(&bytes, key).unwrap();
            }
            _ => assert!(!answer.is_signed()),
        }
        answer
    }

    async fn allocate(&mut self) -> Message {
        let request = self.request(Method::ALLOCATE).with(Attribute::RequestedTransport(TRANSPORT_UDP));
        self.ask(request).await
    }

    /// Takes the challenge over as a login.
    fn log_in(&mut self, challenge: &Message, username: &str, password: &str) {
        let (realm, nonce) = (challenge.realm().unwrap().to_owned(), challenge.nonce().unwrap().to_owned());
        let key = stun::long_term_key(username, &realm, password);
        self.login = Some(Login { username: username.to_owned(), realm, nonce, key });
    }

    async fn with_login(lab: &Lab, config: &Config) -> Self {
        let mut client = Self::connect(lab).await;
        let challenge = client.allocate().await;
        client.log_in(&challenge, &config.turn("username"), &config.turn("credential"));
        client
    }
}

/// An Allocate as a client does it; the last answer.
pub async fn allocate(lab: &Lab, config: Option<&Config>) -> Message {
    match config {
        Some(config) => Client::with_login(lab, config).await.allocate().await,
        None => Client::connect(lab).await.allocate().await,
    }
}

#[tokio::test]
async fn a_relay_needs_a_login_unless_broken() {
    for fault in [None, Some(Fault::TurnOpen)] {
        let Running { lab, folder: _folder } = start(fault).await;
        let mut stranger = Client::connect(&lab).await;
        let answer = stranger.allocate().await;
        assert_eq!(answer.error_code(), fault.is_none().then_some(401), "{fault:?}");
        assert_eq!(answer.relayed_address().is_some(), fault.is_some());
        assert_eq!(answer.realm().is_some() && answer.nonce().is_some(), fault.is_none());
        if fault.is_some() {
            let request = stranger.request(Method::REFRESH).with(Attribute::Lifetime(0));
            assert_eq!(stranger.ask(request).await.lifetime(), Some(0), "what needed no login is given back without");
            continue;
        }
        let config = fetch(&lab).await;
        stranger.log_in(&answer, &config.turn("username"), "wrong");
        let wrong = stranger.allocate().await;
        assert_eq!((wrong.error_code(), wrong.relayed_address()), (Some(401), None));
        assert_ne!(wrong.nonce(), answer.nonce(), "a fresh one each time");
        stranger.log_in(&wrong, "1000000000:old", &config.turn("credential"));
        assert_eq!(stranger.allocate().await.error_code(), Some(401), "expired");
    }
}

#[tokio::test]
async fn an_allocation_relays_both_ways() {
    let Running { lab, folder: _folder } = start(None).await;
    let config = fetch(&lab).await;
    let mut client = Client::with_login(&lab, &config).await;
    let answer = client.allocate().await;
    assert_eq!(answer.lifetime(), Some(600));
    let relayed = answer.relayed_address().unwrap();
    assert_eq!(answer.mapped_address(), Some(client.socket.local_addr().unwrap()));
    assert_eq!(client.allocate().await.error_code(), Some(437), "one for each five-tuple");

    let peer = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let peer_address = peer.local_addr().unwrap();
    let mut buffer = [0; 64];
    let permission = client.request(Method::CREATE_PERMISSION).with(Attribute::XorPeerAddress(peer_address));
    assert_eq!(client.ask(permission).await.class, Class::Success);
    let send = Message::new(Class::Indication, Method::SEND, [9; 12])
        .with(Attribute::XorPeerAddress(peer_address))
        .with(Attribute::Data(b"out".to_vec()));
    client.socket.send(&send.emit().unwrap()).await.unwrap();
    let (length, from) = timeout(LONG, peer.recv_from(&mut buffer)).await.unwrap().unwrap();
    assert_eq!((&buffer[..length], from), (b"out".as_slice(), relayed));
    peer.send_to(b"in", relayed).await.unwrap();
    let data = Message::parse(&client.receive().await).unwrap();
    assert_eq!(
        (data.method, data.data(), data.peer_addresses().next()),
        (Method::DATA, Some(b"in".as_slice()), Some(peer_address))
    );

    let bind = client.request(Method::CHANNEL_BIND);
    let bind = bind.with(Attribute::ChannelNumber(0x4001)).with(Attribute::XorPeerAddress(peer_address));
    assert_eq!(client.ask(bind).await.class, Class::Success);
    let frame = ChannelData { channel: 0x4001, data: b"more" }.emit().unwrap();
    client.socket.send(&frame).await.unwrap();
    let (length, _) = timeout(LONG, peer.recv_from(&mut buffer)).await.unwrap().unwrap();
    assert_eq!(&buffer[..length], b"more");
    peer.send_to(b"back", relayed).await.unwrap();
    assert_eq!(ChannelData::parse(&client.receive().await), Ok(ChannelData { channel: 0x4001, data: b"back" }));

    let refresh = client.request(Method::REFRESH).with(Attribute::Lifetime(100_000));
    assert_eq!(client.ask(refresh).await.lifetime(), Some(3600), "an hour at most");
    let end = client.request(Method::REFRESH).with(Attribute::Lifetime(0));
    assert_eq!(client.ask(end).await.lifetime(), Some(0));
    let refresh = client.request(Method::REFRESH);
    assert_eq!(client.ask(refresh).await.error_code(), Some(437));
}

#[tokio::test]
async fn requests_are_refused_as_the_rfc_says() {
    let Running { lab, folder: _folder } = start(None).await;
    let config = fetch(&lab).await;
    let mut client = Client::with_login(&lab, &config).await;
    let plain = client.request(Method::ALLOCATE);
    assert_eq!(client.ask(plain).await.error_code(), Some(400), "no REQUESTED-TRANSPORT");
    let tcp = client.request(Method::ALLOCATE).with(Attribute::RequestedTransport(6));
    assert_eq!(client.ask(tcp).await.error_code(), Some(442));
    let v6 = client.request(Method::ALLOCATE).with(Attribute::RequestedTransport(TRANSPORT_UDP));
    let v6 = v6.with(Attribute::RequestedAddressFamily(stun::AddressFamily::V6));
    assert_eq!(client.ask(v6).await.error_code(), Some(440));
    let unknown = client.request(Method::ALLOCATE).with(Attribute::Other { kind: 0x7fff, value: vec![] });
    let unknown = client.ask(unknown).await;
    assert_eq!(unknown.error_code(), Some(420));
    assert!(unknown.attributes.contains(&Attribute::UnknownAttributes(vec![0x7fff])));

    assert_eq!(client.allocate().await.class, Class::Success);
    for denied in ["10.0.0.1:9", "169.254.169.254:80", "192.0.2.1:9", "224.0.0.1:9", "0.0.0.0:9", "[::1]:9"] {
        let peer = Attribute::XorPeerAddress(denied.parse().unwrap());
        let permission = client.request(Method::CREATE_PERMISSION).with(peer.clone());
        assert_eq!(client.ask(permission).await.error_code(), Some(403), "{denied}");
        let bind = client.request(Method::CHANNEL_BIND).with(Attribute::ChannelNumber(0x4000)).with(peer);
        assert_eq!(client.ask(bind).await.error_code(), Some(403), "{denied}");
    }
    let own = client.socket.peer_addr().unwrap();
    let circle = client.request(Method::CHANNEL_BIND).with(Attribute::ChannelNumber(0x4000));
    assert_eq!(client.ask(circle.with(Attribute::XorPeerAddress(own))).await.error_code(), Some(403));
    let number = client.request(Method::CHANNEL_BIND).with(Attribute::ChannelNumber(0x5000));
    let number = number.with(Attribute::XorPeerAddress("127.0.0.1:9".parse().unwrap()));
    assert_eq!(client.ask(number).await.error_code(), Some(400));

    let mut thief = Client::connect(&lab).await;
    thief.login = client.login.take();
    assert_eq!(thief.allocate().await.error_code(), Some(438), "a nonce is for one client");
}

#[tokio::test]
async fn one_user_holds_a_bounded_number() {
    let Running { lab, folder: _folder } = start(None).await;
    let config = fetch(&lab).await;
    let mut held = Vec::new();
    for _ in 0..ringfence_lab::figures::TURN_PER_USER {
        let mut client = Client::with_login(&lab, &config).await;
        assert_eq!(client.allocate().await.class, Class::Success);
        held.push(client);
    }
    assert_eq!(allocate(&lab, Some(&config)).await.error_code(), Some(486));
    let other = fetch(&lab).await;
    assert_eq!(allocate(&lab, Some(&other)).await.class, Class::Success, "others go on");
}

#[tokio::test]
async fn binding_needs_no_login() {
    let Running { lab, folder: _folder } = start(None).await;
    let mut client = Client::connect(&lab).await;
    client.socket.send(b"\x00\x01junk").await.unwrap(); // never answered, and harms nobody
    let request = client.request(Method::BINDING);
    assert_eq!(client.ask(request).await.mapped_address(), Some(client.socket.local_addr().unwrap()));
}
