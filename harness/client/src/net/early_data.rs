//! Whether a TLS 1.3 server invites early data, which whoever records it can send again (RFC 8446, section 8).

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use ringfence_model::observation::Outcome;
use rustls::client::{ClientSessionStore, Resumption, Tls12ClientSessionValue, Tls13ClientSessionValue};
use rustls::pki_types::ServerName;
use rustls::version::TLS13;
use rustls::{ClientConfig, NamedGroup};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::Notify;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use super::shown::Watching;
use super::{Net, tls};
use crate::Failure;

/// Bytes of an answer that are read in search of a ticket (house).
const ANSWER_BYTES: usize = 64 * 1024;
/// How long is waited behind a ticket for another one (house): a server writes them all at once, and many, such as one of
/// TURN, do not answer the request.
const MORE: Duration = Duration::from_secs(2);

impl Net {
    /// Whether the tickets of one connection let a client send early data with the next. A request for the headers of `/` makes
    /// a server answer that speaks HTTP: whoever has answered without a ticket resumes nothing. `None` where neither a ticket
    /// nor an answer came.
    ///
    /// # Errors
    /// As [`Net::tcp`]; [`Outcome::TlsFailed`] where no handshake of TLS 1.3 succeeds.
    pub async fn early_data(&self, host: &str, port: u16) -> Result<Option<bool>, Failure> {
        let failed = |error: String| Failure::new(Outcome::TlsFailed, error);
        let plain = super::scope::plain(host);
        let name = ServerName::try_from(plain.to_owned()).map_err(|error| failed(error.to_string()))?;
        let tickets = Arc::new(Tickets::default());
        let mut config = ClientConfig::builder_with_provider(self.shared.trust.provider())
            .with_protocol_versions(&[&TLS13])
            .map_err(|error| failed(error.to_string()))?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(Watching::new(self.shared.trust.clone())))
            .with_no_client_auth();
        config.resumption = Resumption::store(tickets.clone());
        let stream = self.tcp(host, port).await?;
        let handshake = TlsConnector::from(Arc::new(config)).connect(name, stream);
        let mut stream = match timeout(self.limits.tls, handshake).await {
            Ok(Ok(stream)) => stream,
            Ok(Err(error)) => return Err(tls::handshake_failure(host, &error)),
            Err(_) => return Err(Failure::timeout(format!("TLS handshake with {host} did not finish in time"))),
        };
        self.note_answer();
        let (mut read, limit) = (0, self.limits.idle);
        let exchange = async {
            let request = format!("HEAD / HTTP/1.1\r\nHost: {host}:{port}\r\nConnection: close\r\n\r\n");
            stream.write_all(request.as_bytes()).await?;
            let mut piece = [0; 4096];
            while read < ANSWER_BYTES && !tickets.tell(read > 0) {
                let patience = if tickets.seen.load(Ordering::Relaxed) > 0 { MORE } else { limit };
                tokio::select! {
                    () = tickets.came.notified() => {}
                    bytes = timeout(patience, stream.read(&mut piece)) => match bytes {
                        Ok(Ok(count @ 1..)) => read += count,
                        _ => break,
                    },
                }
            }
            std::io::Result::Ok(())
        };
        // How it ended does not matter: a server that does not speak HTTP breaks off behind its tickets.
        let _ = timeout(limit, exchange).await;
        Ok(tickets.verdict(read > 0))
    }
}

/// Counts tickets, and keeps none.
#[derive(Debug, Default)]
struct Tickets {
    seen: AtomicU32,
    most: AtomicU32,
    /// One more did: it is read without a byte for whoever reads.
    came: Notify,
}

impl Tickets {
    /// Nothing that may still come changes the verdict.
    fn tell(&self, answered: bool) -> bool {
        self.most.load(Ordering::Relaxed) > 0 || answered && self.seen.load(Ordering::Relaxed) > 0
    }

    fn verdict(&self, answered: bool) -> Option<bool> {
        if self.most.load(Ordering::Relaxed) > 0 {
            return Some(true);
        }
        (answered || self.seen.load(Ordering::Relaxed) > 0).then_some(false)
    }
}

impl ClientSessionStore for Tickets {
    fn set_kx_hint(&self, _: ServerName<'static>, _: NamedGroup) {}

    fn kx_hint(&self, _: &ServerName<'_>) -> Option<NamedGroup> {
        None
    }

    fn set_tls12_session(&self, _: ServerName<'static>, _: Tls12ClientSessionValue) {}

    fn tls12_session(&self, _: &ServerName<'_>) -> Option<Tls12ClientSessionValue> {
        None
    }

    fn remove_tls12_session(&self, _: &ServerName<'static>) {}

    fn insert_tls13_ticket(&self, _: ServerName<'static>, ticket: Tls13ClientSessionValue) {
        self.seen.fetch_add(1, Ordering::Relaxed);
        self.most.fetch_max(ticket.max_early_data_size(), Ordering::Relaxed);
        self.came.notify_one();
    }

    fn take_tls13_ticket(&self, _: &ServerName<'static>) -> Option<Tls13ClientSessionValue> {
        None
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use ringfence_model::target::Target;
    use rustls::ServerConfig;
    use rustls::pki_types::PrivateKeyDer;
    use tokio::net::TcpListener;
    use tokio_rustls::TlsAcceptor;

    use super::*;

    /// What a server does once the handshake is over.
    #[derive(Clone, Copy)]
    enum Then {
        Answers,
        Closes,
        Waits,
    }

    /// A server that hands out so many tickets, each for so much early data.
    async fn told(tickets: usize, early: u32, then: Then) -> Option<bool> {
        let key = rcgen::KeyPair::generate().unwrap();
        let certificate = rcgen::CertificateParams::new(vec!["a.test".into()]).unwrap().self_signed(&key).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&TLS13])
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], PrivateKeyDer::Pkcs8(key.serialize_der().into()))
            .unwrap();
        (config.send_tls13_tickets, config.max_early_data_size) = (tickets, early);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let server = tokio::spawn(async move {
            let (stream, _) = listener.accept().await.unwrap();
            let mut stream = TlsAcceptor::from(Arc::new(config)).accept(stream).await.unwrap();
            let mut request = [0; 512];
            let count = stream.read(&mut request).await.unwrap();
            assert!(request[..count].starts_with(b"HEAD / HTTP/1.1\r\n"));
            match then {
                Then::Answers => stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await.unwrap(),
                Then::Closes => {}
                Then::Waits => std::future::pending().await,
            }
            stream.shutdown().await.unwrap();
        });
        let text = "name = \"x\"\nadapter = \"cognigy\"\n[endpoints]\nconfig = \"https://c.test/t\"\n\
            [[scope]]\nnetworks = [\"127.0.0.1/32\"]\n";
        let net = Net::new(&Target::parse(text, Path::new("t.toml")).unwrap()).unwrap();
        let limits = super::super::Limits { idle: std::time::Duration::from_millis(300), ..*net.limits() };
        let told = net.with_limits(limits).early_data("127.0.0.1", port).await.unwrap();
        server.abort();
        told
    }

    #[tokio::test]
    async fn tickets_tell_and_so_does_an_answer_without_any() {
        assert_eq!(told(2, 16384, Then::Answers).await, Some(true));
        assert_eq!(told(1, 1, Then::Waits).await, Some(true));
        assert_eq!(told(2, 0, Then::Answers).await, Some(false));
        assert_eq!(told(2, 0, Then::Closes).await, Some(false));
        assert_eq!(told(0, 16384, Then::Answers).await, Some(false), "nothing can be resumed");
        assert_eq!(told(0, 0, Then::Closes).await, None);
        assert_eq!(told(0, 0, Then::Waits).await, None);
    }
}
