//! Clients of other making than the lab: reqwest, tungstenite, and the codecs of `ringfence-wire`.

use std::sync::Arc;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use ringfence_lab::Lab;
use ringfence_wire::digest::{Authorization, challenges};
use ringfence_wire::sip::{Builder, Message};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use serde_json::Value;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::{Error, Message as Frame};
use tokio_tungstenite::{WebSocketStream, client_async};

/// Nothing on loopback takes this long.
pub const LONG: Duration = Duration::from_secs(20);

/// What trusts the lab's authority and nobody else.
pub fn tls(lab: &Lab) -> ClientConfig {
    let ca = lab.target_path().with_file_name("ca.pem");
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(ca).unwrap()).unwrap();
    ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth()
}

pub fn https_client(lab: &Lab) -> reqwest::Client {
    let builder = reqwest::Client::builder().tls_backend_preconfigured(tls(lab)).no_proxy().timeout(LONG);
    builder.redirect(reqwest::redirect::Policy::none()).build().unwrap()
}

/// A configuration.
pub struct Config(pub Value);

impl Config {
    pub fn sip(&self, name: &str) -> String {
        self.0["endpointSettings"]["sipConnectivityInfo"][name].as_str().unwrap().to_owned()
    }

    pub fn turn(&self, name: &str) -> String {
        self.0["iceServers"][0][name].as_str().unwrap().to_owned()
    }
}

pub async fn fetch(lab: &Lab) -> Config {
    let answer = https_client(lab).get(&lab.urls().config).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    Config(answer.json().await.unwrap())
}

pub async fn connect_tls(lab: &Lab, address: &str) -> TlsStream<TcpStream> {
    let stream = TcpStream::connect(address).await.unwrap();
    let name = "localhost".try_into().unwrap();
    TlsConnector::from(Arc::new(tls(lab))).connect(name, stream).await.unwrap()
}

/// Host and port of a URL.
pub fn authority(url: &str) -> String {
    url.split("//").nth(1).unwrap().split('/').next().unwrap().to_owned()
}

/// One WebSocket upgrade; `None` for the origin or the subprotocol leaves it out.
pub async fn upgrade<S>(
    stream: S,
    url: &str,
    origin: Option<&str>,
    subprotocol: Option<&str>,
) -> Result<(WebSocketStream<S>, Option<String>), Error>
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
{
    let mut request = url.into_client_request().unwrap();
    for (name, value) in [("Origin", origin), ("Sec-WebSocket-Protocol", subprotocol)] {
        if let Some(value) = value {
            request.headers_mut().insert(name, HeaderValue::from_str(value).unwrap());
        }
    }
    let (socket, response) = timeout(LONG, client_async(request, stream)).await.unwrap()?;
    let echoed = response.headers().get("Sec-WebSocket-Protocol");
    let echoed = echoed.map(|value| value.to_str().unwrap().to_owned());
    Ok((socket, echoed))
}

/// A SIP client over WSS with one account.
pub struct Phone {
    socket: WebSocketStream<TlsStream<TcpStream>>,
    user: &'static str,
    cseq: u32,
}

impl Phone {
    pub async fn connect(lab: &Lab) -> Self {
        Self::connect_as(lab, "visitor").await
    }

    pub async fn connect_as(lab: &Lab, user: &'static str) -> Self {
        let url = &lab.urls().signalling;
        let stream = connect_tls(lab, &authority(url)).await;
        let (socket, echoed) = upgrade(stream, url, None, Some("sip")).await.unwrap();
        assert_eq!(echoed.as_deref(), Some("sip"));
        Self { socket, user, cseq: 0 }
    }

    pub fn request(&mut self, method: &str, uri: &str, to: &str) -> Builder {
        self.cseq += 1;
        Builder::request(method, uri)
            .header("Via", format!("SIP/2.0/WSS p.invalid;branch=z9hG4bK{}", self.cseq))
            .header("Max-Forwards", "70")
            .header("From", format!("<sip:{}@sip.lab.test>;tag=mine", self.user))
            .header("To", to)
            .header("Call-ID", "one")
            .header("CSeq", format!("{} {method}", self.cseq))
            .header("Contact", "<sip:me@p.invalid;transport=ws>")
    }

    pub async fn send(&mut self, frame: impl Into<Vec<u8>>) {
        let text = String::from_utf8(frame.into()).unwrap();
        self.socket.send(Frame::text(text)).await.unwrap();
    }

    pub async fn frame(&mut self) -> Frame {
        timeout(LONG, self.socket.next()).await.unwrap().unwrap().unwrap()
    }

    pub async fn raw(&mut self, frame: Frame) {
        self.socket.send(frame).await.unwrap();
    }

    pub async fn receive(&mut self) -> Message {
        Message::parse(&self.frame().await.into_data()).unwrap()
    }

    /// The final answer.
    pub async fn ask(&mut self, request: Builder) -> Message {
        self.send(request.build().unwrap()).await;
        loop {
            let answer = self.receive().await;
            if answer.status().is_some_and(|status| status >= 200) {
                return answer;
            }
        }
    }

    /// Asks twice, the second time with the login that was asked for.
    pub async fn ask_with(&mut self, config: &Config, method: &str, uri: &str, to: &str, body: &str) -> Message {
        let with_body =
            |request: Builder| if body.is_empty() { request } else { request.body("application/sdp", body) };
        let first = with_body(self.request(method, uri, to));
        let asked = self.ask(first).await;
        let (field, answer_field) = match asked.status() {
            Some(401) => ("WWW-Authenticate", "Authorization"),
            Some(407) => ("Proxy-Authenticate", "Proxy-Authorization"),
            _ => return asked,
        };
        let all = challenges(asked.headers(field)).unwrap();
        let (user, password) = (config.sip("username"), config.sip("password"));
        let login = Authorization::answer(&all[0], (&user, &password), (method, uri), (1, "abc")).unwrap();
        let second = with_body(self.request(method, uri, to).header(answer_field, login.to_string()));
        self.ask(second).await
    }

    pub async fn register(&mut self, config: &Config) -> Message {
        let own = format!("<sip:{}@sip.lab.test>", self.user);
        self.ask_with(config, "REGISTER", "sip:sip.lab.test", &own, "").await
    }

    /// Waits until the lab has closed the connection.
    pub async fn closed(mut self) {
        let end = async {
            while let Some(Ok(frame)) = self.socket.next().await {
                if frame.is_close() {
                    break;
                }
            }
        };
        timeout(LONG, end).await.expect("the connection is still open");
    }
}
