//! In front of a healthy lab: signalling and media pass through, until this peer hangs up in the lab's name, in the middle of
//! the call's audio.

use std::net::SocketAddr;
use std::sync::Arc;

use futures_util::{SinkExt, StreamExt};
use ringfence_lab::Lab;
use ringfence_wire::demux::{Kind, classify};
use ringfence_wire::sip::{Builder, Message};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket};
use tokio::sync::{Mutex, Notify};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::protocol::Message as Frame;

use super::pki::Pki;
use super::{config, sip, tcp};
use crate::support::TargetFile;

/// RTP packets of the lab after which the call counts as running.
const RUNNING: u32 = 20;

/// A target file for a deployment whose calls end by a BYE while audio flows.
pub async fn hanging_up_in_mid_call(lab: &Lab) -> TargetFile {
    let ca_pem = std::fs::read(lab.target_path().with_file_name("ca.pem")).expect("the lab's authority");
    let lab_tls = connector(&ca_pem);
    let mut document = fetch(&lab_tls, &lab.urls().config).await;
    let signalling = lab.urls().signalling.clone();
    let pki = Pki::new();
    let acceptor = pki.acceptor();
    let address = tcp::serve(move |stream| {
        let (acceptor, lab_tls, signalling) = (acceptor.clone(), lab_tls.clone(), signalling.clone());
        async move {
            if let Ok(stream) = acceptor.accept(stream).await
                && let Ok(socket) = tokio_tungstenite::accept_hdr_async(stream, sip::sip_subprotocol).await
            {
                pass(socket, &lab_tls, &signalling).await;
            }
        }
    })
    .await;
    document["endpointSettings"]["sipConnectivityInfo"]["wsUri"] = format!("wss://{address}").into();
    document["iceServers"] = Value::Array(Vec::new());
    config::serving(&pki, document).await
}

/// Carries frames both ways, with the addresses of both descriptions replaced by ours.
async fn pass(client: tokio_tungstenite::WebSocketStream<sip::Tls>, lab_tls: &TlsConnector, signalling: &str) {
    let media = Arc::new(MediaPath::open().await);
    let mut request = signalling.into_client_request().expect("a WebSocket address");
    request.headers_mut().insert("Sec-WebSocket-Protocol", HeaderValue::from_static("sip"));
    let authority = signalling.trim_start_matches("wss://");
    let stream = connect(lab_tls, authority).await;
    let (lab, _) = tokio_tungstenite::client_async(request, stream).await.expect("the lab lets us in");
    let (mut to_client, mut from_client) = client.split();
    let (mut to_lab, mut from_lab) = lab.split();
    let mut invite: Option<Message> = None;
    loop {
        tokio::select! {
            Some(Ok(frame)) = from_client.next() => {
                let frame = match Message::parse(&frame.clone().into_data()) {
                    Ok(message) if message.method() == Some("INVITE") => {
                        invite = Some(message.clone());
                        Frame::text(rewritten(&message, media.to_lab_address))
                    }
                    _ => frame,
                };
                if to_lab.send(frame).await.is_err() { return }
            }
            Some(Ok(frame)) = from_lab.next() => {
                let frame = match Message::parse(&frame.clone().into_data()) {
                    Ok(message) if message.status() == Some(200) && !message.body.is_empty() => {
                        media.clone().start(candidate(&message.body));
                        if let Some(known) = &mut invite {
                            // The dialog has the lab's tag; a BYE in its name needs it.
                            known.headers.retain(|(name, _)| !name.eq_ignore_ascii_case("To"));
                            known.headers.push(("To".into(), message.header("To").unwrap_or_default().into()));
                        }
                        Frame::text(rewritten(&message, media.to_client_address))
                    }
                    _ => frame,
                };
                if to_client.send(frame).await.is_err() { return }
            }
            () = media.running.notified() => {
                let Some(invite) = &invite else { return };
                let bye = String::from_utf8(sip::bye(invite)).expect("our own text");
                if to_client.send(Frame::text(bye)).await.is_err() { return }
            }
            else => return,
        }
    }
}

/// The message with every address of its description replaced.
fn rewritten(message: &Message, address: SocketAddr) -> String {
    let body = String::from_utf8(message.body.clone()).expect("a description is text");
    let (ip, port) = (address.ip(), address.port());
    let mut candidates = 0;
    let lines = body.lines().filter_map(|line| match line.split_once([':', '=']) {
        Some(("c", _)) => Some(format!("c=IN IP4 {ip}")),
        Some(("m", rest)) => rest.splitn(3, ' ').nth(2).map(|rest| format!("m=audio {port} {rest}")),
        Some(("a", rest)) if rest.starts_with("candidate:") => {
            candidates += 1;
            (candidates == 1).then(|| format!("a=candidate:1 1 udp 2130706431 {ip} {port} typ host"))
        }
        _ => Some(line.to_owned()),
    });
    let body = lines.map(|line| line + "\r\n").collect::<String>();
    let mut builder = Builder::new(&message.start_line);
    for (name, value) in &message.headers {
        if !["content-length", "content-type"].contains(&name.to_ascii_lowercase().as_str()) {
            builder = builder.header(name, value);
        }
    }
    let bytes = builder.body("application/sdp", body).build().expect("the message stays one");
    String::from_utf8(bytes).expect("SIP with SDP is text")
}

/// The address of the first candidate of a description.
fn candidate(body: &[u8]) -> SocketAddr {
    let text = String::from_utf8_lossy(body);
    let line = text.lines().find_map(|line| line.strip_prefix("a=candidate:")).expect("the lab names a candidate");
    let words: Vec<&str> = line.split(' ').collect();
    format!("{}:{}", words[4], words[5]).parse().expect("an address and a port")
}

/// Two sockets between client and lab.
struct MediaPath {
    client_side: UdpSocket,
    lab_side: UdpSocket,
    to_client_address: SocketAddr,
    to_lab_address: SocketAddr,
    client: Mutex<Option<SocketAddr>>,
    running: Notify,
}

impl MediaPath {
    async fn open() -> Self {
        let client_side = UdpSocket::bind("127.0.0.1:0").await.expect("a free port");
        let lab_side = UdpSocket::bind("127.0.0.1:0").await.expect("a free port");
        Self {
            to_client_address: client_side.local_addr().expect("a bound address"),
            to_lab_address: lab_side.local_addr().expect("a bound address"),
            client_side,
            lab_side,
            client: Mutex::default(),
            running: Notify::new(),
        }
    }

    fn start(self: Arc<Self>, lab: SocketAddr) {
        let path = self.clone();
        tokio::spawn(async move {
            let mut buffer = [0; 2048];
            loop {
                let Ok((length, from)) = path.client_side.recv_from(&mut buffer).await else { continue };
                *path.client.lock().await = Some(from);
                // What cannot be passed on is lost, as on any path.
                let _ = path.lab_side.send_to(&buffer[..length], lab).await;
            }
        });
        tokio::spawn(async move {
            let (mut buffer, mut rtp) = ([0; 2048], 0);
            loop {
                let Ok((length, _)) = self.lab_side.recv_from(&mut buffer).await else { continue };
                let Some(client) = *self.client.lock().await else { continue };
                let _ = self.client_side.send_to(&buffer[..length], client).await;
                rtp += u32::from(classify(&buffer[..length]) == Kind::Rtp);
                if rtp == RUNNING {
                    self.running.notify_one();
                }
            }
        });
    }
}

fn connector(ca_pem: &[u8]) -> TlsConnector {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(ca_pem).expect("a certificate")).expect("an authority");
    let config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("TLS 1.2 and 1.3")
        .with_root_certificates(roots)
        .with_no_client_auth();
    TlsConnector::from(Arc::new(config))
}

async fn connect(tls: &TlsConnector, authority: &str) -> TlsStream<TcpStream> {
    let stream = TcpStream::connect(authority).await.expect("the lab listens");
    let host = authority.split(':').next().expect("a host").to_owned();
    tls.connect(ServerName::try_from(host).expect("a name"), stream).await.expect("the lab speaks TLS")
}

/// The lab's configuration.
async fn fetch(tls: &TlsConnector, url: &str) -> Value {
    let (authority, path) = url.trim_start_matches("https://").split_once('/').expect("a path");
    let mut stream = connect(tls, authority).await;
    let request = format!("GET /{path} HTTP/1.1\r\nHost: {authority}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.expect("the lab reads");
    let mut answer = Vec::new();
    // An end without close_notify is as good here.
    let _ = stream.read_to_end(&mut answer).await;
    let text = String::from_utf8(answer).expect("JSON is text");
    let (_, body) = text.split_once("\r\n\r\n").expect("a head");
    serde_json::from_str(body).expect("the lab's configuration is JSON")
}
