//! The media side of an answer: a port that may answer STUN, and never more than that.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use ringfence_wire::demux::{Kind, classify};
use ringfence_wire::stun::{Attribute, Class, Message};
use tokio::net::UdpSocket;
use tokio::sync::Notify;

const UFRAG: &str = "fake";
const PASSWORD: &str = "fake-ice-password-of-22";

/// A UDP port in an answer.
pub struct MediaPort {
    /// Where it is.
    pub address: SocketAddr,
    /// STUN requests that came.
    pub stun: Arc<AtomicU64>,
    /// DTLS packets that came.
    pub dtls: Arc<AtomicU64>,
    /// Told when a DTLS packet came.
    pub dtls_came: Arc<Notify>,
}

impl MediaPort {
    /// Takes everything and says nothing.
    pub async fn silent() -> Self {
        Self::open(false).await
    }

    /// Answers connectivity checks as an ICE-lite peer does (RFC 8445, section 2.5), and ignores DTLS.
    pub async fn ice_lite() -> Self {
        Self::open(true).await
    }

    async fn open(answers: bool) -> Self {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
        let port = Self {
            address: socket.local_addr().expect("a bound address"),
            stun: Arc::default(),
            dtls: Arc::default(),
            dtls_came: Arc::default(),
        };
        let (stun, dtls, dtls_came) = (port.stun.clone(), port.dtls.clone(), port.dtls_came.clone());
        tokio::spawn(async move {
            let mut buffer = [0; 2048];
            loop {
                // An earlier answer that could not be delivered shows as an error here.
                let Ok((length, from)) = socket.recv_from(&mut buffer).await else { continue };
                let datagram = &buffer[..length];
                match classify(datagram) {
                    Kind::Stun => {
                        stun.fetch_add(1, Ordering::Relaxed);
                        if let Some(answer) = binding_answer(datagram, from).filter(|_| answers) {
                            let _ = socket.send_to(&answer, from).await;
                        }
                    }
                    Kind::Dtls => {
                        dtls.fetch_add(1, Ordering::Relaxed);
                        dtls_came.notify_one();
                    }
                    _ => {}
                }
            }
        });
        port
    }

    /// An answer that makes the client the DTLS client at this port.
    pub fn answer(&self) -> String {
        answer(self.address, "")
    }
}

fn binding_answer(request: &[u8], from: SocketAddr) -> Option<Vec<u8>> {
    let request = Message::parse(request).ok().filter(|message| message.class == Class::Request)?;
    let answer = Message::new(Class::Success, request.method, request.transaction)
        .with(Attribute::XorMappedAddress(from))
        .signed(PASSWORD.as_bytes())
        .and_then(Message::fingerprinted);
    answer.and_then(|message| message.emit()).ok()
}

/// An ordinary answer for a port, with further lines at its end.
pub fn answer(address: SocketAddr, more: &str) -> String {
    let (ip, port) = (address.ip(), address.port());
    let fingerprint = (0..32).map(|byte| format!("{byte:02X}")).collect::<Vec<_>>().join(":");
    format!(
        "v=0\r\no=- 1 1 IN IP4 {ip}\r\ns=-\r\nt=0 0\r\na=ice-lite\r\n\
         m=audio {port} UDP/TLS/RTP/SAVPF 0\r\nc=IN IP4 {ip}\r\na=mid:0\r\na=sendrecv\r\na=rtcp-mux\r\n\
         a=ice-ufrag:{UFRAG}\r\na=ice-pwd:{PASSWORD}\r\na=candidate:1 1 udp 2130706431 {ip} {port} typ host\r\n\
         a=end-of-candidates\r\na=setup:passive\r\na=fingerprint:sha-256 {fingerprint}\r\na=rtpmap:0 PCMU/8000\r\n{more}"
    )
}
