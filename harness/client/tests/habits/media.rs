//! Descriptions of a far side, and as much of its media as signalling needs: an ice-lite agent that answers checks.

use std::net::SocketAddr;

use ringfence_wire::stun::{Attribute, Class, Message, verify_integrity};
use tokio::net::UdpSocket;

const PWD: &str = "theirsTheirsTheirsTheirs";

/// A description whose candidate is this address.
pub fn description(address: SocketAddr) -> String {
    let family = if address.is_ipv4() { "IP4" } else { "IP6" };
    format!(
        "v=0\r\no=- 1 1 IN {family} {ip}\r\ns=-\r\nt=0 0\r\na=ice-lite\r\nm=audio {port} UDP/TLS/RTP/SAVPF 0\r\nc=IN {family} {ip}\r\n\
         a=rtcp-mux\r\na=ice-ufrag:theirs\r\na=ice-pwd:{PWD}\r\na=setup:passive\r\na=fingerprint:sha-256 {}\r\na=mid:0\r\n\
         a=rtpmap:0 PCMU/8000\r\na=candidate:1 1 udp 2130706431 {ip} {port} typ host\r\na=sendrecv\r\n",
        ["0A"; 32].join(":"),
        ip = address.ip(),
        port = address.port(),
    )
}

/// A description whose candidate nobody listens at.
pub fn dead() -> String {
    description(SocketAddr::from(([127, 0, 0, 1], 9)))
}

/// An agent that answers every check as long as the test runs, and its description.
pub async fn ice_lite(address: &str) -> String {
    let socket = UdpSocket::bind(address).await.expect("a loopback address");
    let description = description(socket.local_addr().expect("it is bound"));
    tokio::spawn(async move {
        let mut buffer = [0; 2048];
        while let Ok((length, remote)) = socket.recv_from(&mut buffer).await {
            if let Some(answer) = success(&buffer[..length], remote) {
                let _ = socket.send_to(&answer, remote).await;
            }
        }
    });
    description
}

fn success(bytes: &[u8], remote: SocketAddr) -> Option<Vec<u8>> {
    let request = Message::parse(bytes).ok().filter(|message| message.class == Class::Request)?;
    verify_integrity(bytes, PWD.as_bytes()).ok()?;
    let message = Message::new(Class::Success, request.method, request.transaction);
    message.with(Attribute::XorMappedAddress(remote)).signed(PWD.as_bytes()).ok()?.fingerprinted().ok()?.emit().ok()
}
