//! A TURN server over UDP that refuses everybody, in these words.

use std::net::{Ipv4Addr, SocketAddr};

use ringfence_wire::stun::{Attribute, Class, Message};
use tokio::net::UdpSocket;

/// Answers each request with 401 and this text in every field that holds text.
pub async fn refusing(words: String) -> SocketAddr {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
    let address = socket.local_addr().expect("a bound address");
    tokio::spawn(async move {
        let mut buffer = [0; 2048];
        loop {
            let Ok((length, from)) = socket.recv_from(&mut buffer).await else { continue };
            let Ok(request) = Message::parse(&buffer[..length]) else { continue };
            let answer = Message::new(Class::Error, request.method, request.transaction)
                .with(Attribute::ErrorCode { code: 401, reason: words.clone() })
                .with(Attribute::Realm(words.clone()))
                .with(Attribute::Nonce(words.clone()))
                .with(Attribute::Software(words.clone()));
            if let Ok(bytes) = answer.emit() {
                // A client that has gone away is no error of this server.
                let _ = socket.send_to(&bytes, from).await;
            }
        }
    });
    address
}
