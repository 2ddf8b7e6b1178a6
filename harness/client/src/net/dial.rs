//! Names to addresses, addresses to sockets.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use ringfence_model::observation::Outcome;
use rustls::pki_types::ServerName;
use tokio::net::{TcpSocket, TcpStream, UdpSocket, lookup_host};
use tokio::time::{Instant, timeout, timeout_at};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::scope::{outside, plain};
use super::{Net, Via, tls};
use crate::Failure;

impl Net {
    /// The address that `host` is dialled at, the same for the whole run.
    ///
    /// # Errors
    /// Out of scope, unknown to the name server, or no answer of it within the limit.
    pub async fn resolve(&self, host: &str, port: u16) -> Result<SocketAddr, Failure> {
        let addresses = self.addresses(host, port).await?;
        addresses.first().copied().ok_or_else(|| unreachable(format!("DNS: {host} has no address")))
    }

    /// A TCP connection.
    ///
    /// # Errors
    /// As [`Net::resolve`]; refused, or not accepted within the limit, by every address of the name.
    pub async fn tcp(&self, host: &str, port: u16) -> Result<TcpStream, Failure> {
        let addresses = self.addresses(host, port).await?;
        self.turn().await;
        self.note_conversation();
        // Each address gets its share, so that one black hole does not hide the others.
        let share = self.limits.connect / u32::try_from(addresses.len()).unwrap_or(u32::MAX).max(1);
        let deadline = Instant::now() + self.limits.connect;
        let mut last = unreachable(format!("{host} has no address of the family of our source address"));
        for address in addresses {
            let until = deadline.min(Instant::now() + share.max(Duration::from_millis(500)));
            match timeout_at(until, self.connect(address)).await {
                Ok(Ok(stream)) => {
                    self.prefer(host, address.ip());
                    return Ok(stream);
                }
                Ok(Err(error)) => last = Failure::from_io(&format!("cannot connect to {address}"), &error),
                Err(_) => last = Failure::timeout(format!("{address} did not accept a TCP connection in time")),
            }
        }
        Err(last)
    }

    /// A TLS connection, verified as the target file says. `alpn` holds protocol names (RFC 7301).
    ///
    /// # Errors
    /// As [`Net::tcp`]; the handshake failed, or took longer than the limit.
    pub async fn tls(&self, host: &str, port: u16, alpn: &[&[u8]]) -> Result<TlsStream<TcpStream>, Failure> {
        let name = ServerName::try_from(plain(host))
            .map_err(|_| unreachable(format!("{host} is neither a host name nor an address")))?;
        let (config, _) =
            self.shared.trust.config(alpn).map_err(|error| Failure::new(Outcome::TlsFailed, error.to_string()))?;
        let stream = self.tcp(host, port).await?;
        let handshake = TlsConnector::from(Arc::new(config)).connect(name, stream);
        match timeout(self.limits.tls, handshake).await {
            Ok(Ok(stream)) => {
                self.note_answer();
                Ok(stream)
            }
            Ok(Err(error)) => {
                if tls::tls_error(&error).is_some() {
                    self.note_answer(); // an alert, a certificate or garbage: something spoke
                }
                Err(tls::handshake_failure(host, &error))
            }
            Err(_) => Err(Failure::timeout(format!("TLS handshake with {host} did not finish in time"))),
        }
    }

    /// A UDP socket that is connected to `remote`.
    ///
    /// # Errors
    /// Out of scope, or the system refuses.
    pub async fn udp(&self, remote: SocketAddr) -> Result<UdpSocket, Failure> {
        if remote.port() == 0 {
            return Err(unreachable(format!("{remote} has no port")));
        }
        self.addresses(&remote.ip().to_string(), remote.port()).await?;
        self.turn().await;
        self.note_conversation();
        self.note_dialled(remote, Via::Udp);
        let any = if remote.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
        let local = self.source_for(remote.ip()).unwrap_or(any);
        let open = async {
            let socket = UdpSocket::bind((local, 0)).await?;
            socket.connect(remote).await?;
            Ok(socket)
        };
        open.await.map_err(|error: io::Error| Failure::from_io(&format!("cannot open UDP to {remote}"), &error))
    }

    /// Every address that may be dialled for `host`, the one that last worked first.
    pub(crate) async fn addresses(&self, host: &str, port: u16) -> Result<Vec<SocketAddr>, Failure> {
        let host = plain(host);
        if let Ok(address) = host.parse::<IpAddr>() {
            let known = self.pins().values().any(|pinned| pinned.contains(&address));
            if !known {
                self.shared.scope.admit(None, address).map_err(|why| self.refuse(why))?;
            }
            self.owner_permits(None, address)?;
            return Ok(vec![SocketAddr::new(address, port)]);
        }
        let mut pinned = self.pins().get(&host).cloned();
        if pinned.is_none() {
            if !self.shared.scope.may_resolve(&host) {
                return Err(self.refuse(outside(&host)));
            }
            if self.pins().len() >= self.limits.names {
                return Err(Failure::new(Outcome::Budget, "more host names than a run resolves"));
            }
            let answer = match timeout(self.limits.dns, lookup_host((host.as_str(), port))).await {
                Ok(Ok(addresses)) => addresses.map(|address| address.ip()).take(self.limits.addresses).collect(),
                Ok(Err(error)) => return Err(unreachable(format!("DNS: {host}: {error}"))),
                Err(_) => return Err(unreachable(format!("DNS: no answer about {host} in time"))),
            };
            let admitted = self.admit_answer(&host, answer)?;
            // Whoever was first decides, also for those who asked at the same time.
            pinned = Some(self.pins().entry(host.clone()).or_insert(admitted).clone());
        }
        let mut addresses = pinned.unwrap_or_default();
        for address in &addresses {
            self.owner_permits(Some(&host), *address)?;
        }
        if let Some(source) = self.source {
            addresses.sort_by_key(|address| address.is_ipv4() != source.is_ipv4());
        }
        Ok(addresses.into_iter().map(|address| SocketAddr::new(address, port)).collect())
    }

    /// The addresses of a DNS answer that lie in the scope.
    fn admit_answer(&self, host: &str, answer: Vec<IpAddr>) -> Result<Vec<IpAddr>, Failure> {
        let mut refused = None;
        let mut admitted: Vec<IpAddr> = Vec::new();
        for address in answer {
            match self.shared.scope.admit(Some(host), address) {
                Ok(()) if !admitted.contains(&address) => admitted.push(address),
                Ok(()) => {}
                Err(why) => refused = Some(self.refuse(why)),
            }
        }
        match (admitted.is_empty(), refused) {
            (false, _) => Ok(admitted),
            (true, Some(failure)) => Err(failure),
            (true, None) => Err(unreachable(format!("DNS: {host} has no address"))),
        }
    }

    async fn connect(&self, address: SocketAddr) -> io::Result<TcpStream> {
        self.note_dialled(address, Via::Tcp);
        let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
        if let Some(source) = self.source_for(address.ip()) {
            socket.bind(SocketAddr::new(source, 0))?;
        }
        let stream = socket.connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(stream)
    }

    /// The source address, where packets from it can reach `remote`: a loopback source reaches loopback only.
    pub(crate) fn source_for(&self, remote: IpAddr) -> Option<IpAddr> {
        let reaches =
            |source: &IpAddr| source.is_ipv4() == remote.is_ipv4() && (!source.is_loopback() || remote.is_loopback());
        self.source.filter(reaches)
    }

    /// A configuration for a library that makes its own handshakes, and where to read the version afterwards.
    pub(crate) fn tls_config(&self) -> Result<(rustls::ClientConfig, tls::Recorded), Failure> {
        let config = self.shared.trust.config(&[]);
        config.map_err(|error| Failure::new(Outcome::TlsFailed, error.to_string()))
    }

    fn prefer(&self, host: &str, address: IpAddr) {
        if let Some(pinned) = self.pins().get_mut(&plain(host)) {
            pinned.sort_by_key(|known| *known != address); // stable
        }
    }
}

fn unreachable(why: String) -> Failure {
    Failure::new(Outcome::Unreachable, why)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use ringfence_model::target::Target;
    use tokio::net::TcpListener;

    use super::*;
    use crate::net::Limits;

    fn net(scope: &str) -> Net {
        let text = format!("name = \"x\"\nadapter = \"cognigy\"\n[endpoints]\nconfig = \"https://c.test/t\"\n{scope}");
        Net::new(&Target::parse(&text, Path::new("t.toml")).unwrap()).unwrap()
    }

    const LOOPBACK: &str = "[[scope]]\nhosts = [\"localhost\"]\nnetworks = [\"127.0.0.0/8\"]\n";

    fn ips(texts: &[&str]) -> Vec<IpAddr> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    #[tokio::test]
    async fn an_address_is_pinned_and_stays_in_scope() {
        let net = net("[[scope]]\nhosts = [\"a.test\"]\n");
        let mixed = net.admit_answer("a.test", ips(&["10.0.0.1", "8.8.8.8", "8.8.8.8", "127.0.0.1"])).unwrap();
        assert_eq!(mixed, ips(&["8.8.8.8"]));
        let inside = net.admit_answer("a.test", ips(&["10.0.0.1"])).unwrap_err();
        assert_eq!(inside.outcome, Outcome::OutOfScope);
        assert_eq!(net.admit_answer("a.test", vec![]).unwrap_err().outcome, Outcome::Unreachable);

        // Once pinned, no name server is asked again: `a.test` exists nowhere.
        net.pins().insert("a.test".into(), mixed);
        assert_eq!(net.clone().resolve("A.test.", 443).await.unwrap(), "8.8.8.8:443".parse::<SocketAddr>().unwrap());
        assert!(net.allows("8.8.8.8:9".parse().unwrap()));
        assert!(!net.allows("8.8.4.4:9".parse().unwrap()));
        assert!(!net.allows("8.8.8.8:0".parse().unwrap()));
    }

    /// A name of the scope that a name server, or here the hosts file, points at this machine (DNS rebinding).
    #[tokio::test]
    async fn a_name_that_leads_inside_is_not_dialled() {
        let own = std::fs::read_to_string("/etc/hosts").unwrap_or_default();
        let mut names = own.lines().filter_map(|line| line.split('#').next()).flat_map(|line| {
            let mut fields = line.split_whitespace();
            let address: Option<IpAddr> = fields.next().and_then(|address| address.parse().ok());
            fields.filter(move |name| address.is_some_and(|address| address.is_loopback()) && *name != "localhost")
        });
        let Some(name) = names.next() else { return }; // nothing here leads inside; `admit_answer` is tested above
        let net = net(&format!("[[scope]]\nhosts = [\"{name}\"]\n"));
        for _ in 0..2 {
            let failure = net.tcp(name, 9).await.unwrap_err();
            assert_eq!(failure.outcome, Outcome::OutOfScope, "{failure}");
            assert!(failure.error.raw().contains("special-purpose"), "{failure}");
        }
        assert_eq!(net.conversations(), 0);
        assert!(net.sampled().refused.iter().all(|why| why.contains(name) && why.contains("allowed_private")));
    }

    #[tokio::test]
    async fn a_run_dials_twelve_foreign_numbers_and_a_vendor_gets_a_visitor() {
        let net = net("[destinations]\nforeign_numbers = [\"+14155552671\"]\n\
            [[scope]]\nhosts = [\"127.0.0.1\"]\n[[scope]]\nhosts = [\"127.0.0.2\"]\nowner = \"vendor\"\n");
        for dial in 1..=13 {
            let failure = net.clone().may_dial("sip:+14155552671@pbx", "pbx").err();
            assert_eq!(failure.map(|failure| failure.outcome), (dial > 12).then_some(Outcome::Budget), "dial {dial}");
            assert!(net.may_dial("sip:echo@pbx", "pbx").is_ok());
        }
        let vendor: SocketAddr = "127.0.0.2:9".parse().unwrap();
        let (visitor, active) = (net.for_step(true, None), net.for_step(false, None));
        assert!(visitor.udp(vendor).await.is_ok() && visitor.allows(vendor));
        assert!(visitor.withheld().is_none() && visitor.visited_vendor().is_some_and(|why| why.contains("127.0.0.2")));
        assert!(!active.allows(vendor) && active.allows("127.0.0.1:9".parse().unwrap()));
        assert_eq!(active.udp(vendor).await.unwrap_err().outcome, Outcome::OutOfScope);
        assert_eq!(active.tcp("127.0.0.2", 9).await.unwrap_err().outcome, Outcome::OutOfScope);
        assert!(active.withheld().is_some_and(|why| why.contains("127.0.0.2")) && active.visited_vendor().is_none());
        assert_eq!(net.sampled().addresses, ["127.0.0.2:9/udp"]);
    }

    #[tokio::test]
    async fn what_is_out_of_scope_is_not_even_looked_up() {
        let net = net("");
        for host in ["other.test", "127.0.0.1", "[::1]", "localhost"] {
            assert_eq!(net.tcp(host, 80).await.unwrap_err().outcome, Outcome::OutOfScope, "{host}");
        }
        assert_eq!(net.udp("127.0.0.1:9".parse().unwrap()).await.unwrap_err().outcome, Outcome::OutOfScope);
        assert_eq!(net.conversations(), 0);
    }

    #[tokio::test]
    async fn dialled_from_the_chosen_source() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let net = net(LOOPBACK).with_source("127.0.0.9".parse().unwrap());
        let stream = net.tcp("localhost", port).await.unwrap();
        assert_eq!(stream.local_addr().unwrap().ip(), "127.0.0.9".parse::<IpAddr>().unwrap());
        assert_eq!(listener.accept().await.unwrap().1.ip(), net.source().unwrap());
        let udp = net.udp(listener.local_addr().unwrap()).await.unwrap();
        assert_eq!(udp.local_addr().unwrap().ip(), net.source().unwrap());
        assert_eq!(net.conversations(), 2);
        assert!(!net.answered());
    }

    #[tokio::test]
    async fn refused_closed_and_garbage_are_told_apart() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let net = net(LOOPBACK);
        let server = tokio::spawn(async move {
            drop(listener.accept().await.unwrap());
            let (mut stream, _) = listener.accept().await.unwrap();
            tokio::io::AsyncWriteExt::write_all(&mut stream, b"HTTP/1.0 400 Bad Request\r\n\r\n").await.unwrap();
            // Kept open: what came is judged, not the close after it.
            (stream, listener)
        });
        assert_eq!(net.tls("127.0.0.1", port, &[]).await.unwrap_err().outcome, Outcome::Closed);
        assert!(!net.answered());
        assert_eq!(net.tls("127.0.0.1", port, &[]).await.unwrap_err().outcome, Outcome::TlsFailed);
        assert!(net.answered());
        drop(server.await.unwrap());
        let refused = net.tcp("127.0.0.1", port).await.unwrap_err();
        assert_eq!(refused.outcome, Outcome::Unreachable);
        assert!(refused.error.raw().contains("refused"), "{refused}");
    }

    #[tokio::test]
    async fn a_tarpit_ends_at_the_limit() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let limits = Limits { tls: Duration::from_millis(50), ..Limits::default() };
        let failure = net(LOOPBACK).with_limits(limits).tls("127.0.0.1", port, &[]).await.unwrap_err();
        assert_eq!(failure.outcome, Outcome::Timeout);
    }
}
