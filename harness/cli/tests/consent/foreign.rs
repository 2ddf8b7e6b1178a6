//! Somebody who must not be touched: a listener on an address of this machine that no scope names.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::net::{TcpListener, UdpSocket};

/// An address beside the one that the other fakes are at.
const ELSEWHERE: Ipv4Addr = Ipv4Addr::new(127, 77, 0, 7);

/// The listener, on one port for TCP and UDP.
pub struct Foreign {
    /// Where it is.
    pub address: SocketAddr,
    touched: Arc<AtomicU64>,
}

impl Foreign {
    /// Listens.
    pub async fn listen() -> Self {
        let (tcp, udp) = loop {
            let tcp = TcpListener::bind((ELSEWHERE, 0)).await.expect("a free port");
            if let Ok(udp) = UdpSocket::bind(tcp.local_addr().expect("a bound address")).await {
                break (tcp, udp);
            }
        };
        let foreign = Self { address: udp.local_addr().expect("a bound address"), touched: Arc::default() };
        let touched = foreign.touched.clone();
        tokio::spawn(async move {
            let mut buffer = [0; 2048];
            loop {
                tokio::select! {
                    accepted = tcp.accept() => drop(accepted),
                    received = udp.recv_from(&mut buffer) => drop(received),
                }
                touched.fetch_add(1, Ordering::Relaxed);
            }
        });
        foreign
    }

    /// Nobody came, although somebody who comes is noticed.
    pub async fn was_left_alone(&self) {
        assert_eq!(self.touched.load(Ordering::Relaxed), 0, "{} was dialled", self.address);
        let own = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
        own.send_to(b"here", self.address).await.expect("loopback takes it");
        while self.touched.load(Ordering::Relaxed) == 0 {
            tokio::task::yield_now().await;
        }
    }
}
