//! A session border controller in front of a lab: ice-lite towards the client, on two addresses; a controlling agent of its
//! own towards the lab. It carries DTLS and SRTP between both without looking inside, as rtpengine does with
//! `DTLS=passthrough`.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use ringfence_lab::media::{Answered, MediaCall as LabCall, answer};
use ringfence_wire::stun::{self, Attribute, Class, Message, Method, verify_integrity};
use tokio::net::UdpSocket;

use crate::line;
use crate::pair::settings;

/// Its password on the second address.
pub const RESTARTED_PWD: &str = "restartedRestartedRestarted";
const PWD: &str = "firstFirstFirstFirstFirst";
/// Towards the lab.
const INNER: (&str, &str) = ("sbcinner", "innerInnerInnerInnerInner");
const UFRAG: &str = "sbclite";

pub struct Sbc {
    pub lab: LabCall,
    /// Before the restart, and after it.
    pub addresses: [SocketAddr; 2],
}

impl Sbc {
    /// Answers the client's offer in the lab's place.
    pub async fn answer(offer: &str) -> (Self, String) {
        let bind = || async { UdpSocket::bind("127.0.0.1:0").await.expect("a loopback socket") };
        let (outer, inside) = ([bind().await, bind().await], bind().await);
        let port = inside.local_addr().expect("it is bound").port();
        let candidate = format!("1 1 udp 2130706431 127.0.0.1 {port} typ host");
        let inner = offer
            .replace(line(offer, "a=candidate:"), &candidate)
            .replace(line(offer, "a=ice-ufrag:"), INNER.0)
            .replace(line(offer, "a=ice-pwd:"), INNER.1);
        let answered = answer(&settings(None), &inner).await;
        let Answered::Accepted { sdp, call } = answered else { panic!("{answered:?} {inner}") };
        let addresses = [0, 1].map(|index| outer[index].local_addr().expect("it is bound"));
        let candidate = line(&sdp, "a=candidate:").split(' ').nth(5).expect("a port").to_owned();
        let lab: SocketAddr = format!("127.0.0.1:{candidate}").parse().expect("a port");
        let credentials = [line(&sdp, "a=ice-ufrag:"), line(&sdp, "a=ice-pwd:")].map(str::to_owned);
        tokio::spawn(carry(outer, Arc::new(inside), lab, credentials.clone()));
        let text = sdp
            .replace(&credentials[0], UFRAG)
            .replace(&credentials[1], PWD)
            .replace(&format!(" {candidate} "), &format!(" {} ", addresses[0].port()))
            .replacen("t=0 0\r\n", "t=0 0\r\na=ice-lite\r\n", 1);
        (Self { lab: call, addresses }, text)
    }
}

/// Carries datagrams until the test ends.
async fn carry(outer: [UdpSocket; 2], inside: Arc<UdpSocket>, lab: SocketAddr, [ufrag, pwd]: [String; 2]) {
    let mut client: Option<(usize, SocketAddr)> = None;
    let mut buffers = [vec![0; 2048], vec![0; 2048], vec![0; 2048]];
    let mut checks = tokio::time::interval(Duration::from_millis(50));
    let mut number = 0;
    loop {
        let [first, second, third] = &mut buffers;
        let (from, length, remote) = tokio::select! {
            Ok((length, remote)) = outer[0].recv_from(first) => (0, length, remote),
            Ok((length, remote)) = outer[1].recv_from(second) => (1, length, remote),
            Ok((length, remote)) = inside.recv_from(third) => (2, length, remote),
            _ = checks.tick() => {
                number += 1;
                let _ = inside.send_to(&check(number, &ufrag, &pwd), lab).await;
                continue;
            }
        };
        let bytes = &buffers[from][..length];
        if stun::is_stun(bytes) {
            let (socket, pwd) = match from {
                0 => (&outer[0], PWD),
                1 => (&outer[1], RESTARTED_PWD),
                _ => (&*inside, INNER.1),
            };
            if let Some(success) = success(bytes, remote, pwd) {
                let _ = socket.send_to(&success, remote).await;
            }
        } else if from < 2 {
            client = Some((from, remote));
            let _ = inside.send_to(bytes, lab).await;
        } else if let Some((index, remote)) = client {
            let _ = outer[index].send_to(bytes, remote).await;
        }
    }
}

/// The answer to a check that knows our password.
fn success(bytes: &[u8], remote: SocketAddr, pwd: &str) -> Option<Vec<u8>> {
    let request = Message::parse(bytes).ok().filter(|message| message.class == Class::Request)?;
    verify_integrity(bytes, pwd.as_bytes()).ok()?;
    let message = Message::new(Class::Success, request.method, request.transaction);
    message.with(Attribute::XorMappedAddress(remote)).signed(pwd.as_bytes()).ok()?.fingerprinted().ok()?.emit().ok()
}

fn check(number: u64, ufrag: &str, pwd: &str) -> Vec<u8> {
    let mut transaction = [0; 12];
    transaction[..8].copy_from_slice(&number.to_be_bytes());
    let message = Message::new(Class::Request, Method::BINDING, transaction)
        .with(Attribute::Username(format!("{ufrag}:{}", INNER.0)))
        .with(Attribute::Priority(1 << 24))
        .with(Attribute::IceControlling(7))
        .with(Attribute::UseCandidate);
    let signed = message.signed(pwd.as_bytes()).expect("a short message");
    signed.fingerprinted().and_then(|message| message.emit()).expect("a short message")
}
