//! Against small servers that misbehave, each for one reason.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use ringfence_model::target::Target;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::*;

/// Serves `behave` on every connection, and says where.
async fn server<F, R>(behave: F) -> Url
where
    F: Fn(TcpStream) -> R + Send + 'static,
    R: Future<Output = io::Result<()>> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/token", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(behave(stream));
        }
    });
    Url::parse(&url).unwrap()
}

fn net(extra: &str) -> Net {
    let text = format!(
        "name = \"x\"\nadapter = \"cognigy\"\n{extra}\n[endpoints]\nconfig = \"https://c.test/t\"\n\
         [[scope]]\nnetworks = [\"127.0.0.0/8\"]\n"
    );
    Net::new(&Target::parse(&text, Path::new("t.toml")).unwrap()).unwrap().with_limits(limits(30_000))
}

/// One that gives up soon: where the target keeps silent.
fn hurried() -> Net {
    net("").with_limits(limits(300))
}

fn limits(ms: u64) -> Limits {
    let wait = Duration::from_millis(ms);
    Limits { connect: wait, tls: wait, idle: wait, exchange: 5 * wait, ..Limits::default() }
}

/// Reads until the blank line, so that closing does not reset the connection.
async fn read_request(stream: &mut TcpStream) -> io::Result<String> {
    let mut text = String::new();
    while !text.ends_with("\r\n\r\n") {
        text.push(char::from(stream.read_u8().await?));
    }
    Ok(text)
}

async fn write_for_ever(mut stream: TcpStream, head: &'static [u8], piece: Vec<u8>) -> io::Result<()> {
    read_request(&mut stream).await?;
    stream.write_all(head).await?;
    loop {
        stream.write_all(&piece).await?;
    }
}

#[track_caller]
fn failed(result: Result<Answer, Failure>, outcome: Outcome, reason: &str) {
    let failure = result.err().expect("no failure");
    assert_eq!(failure.outcome, outcome, "{failure}");
    assert!(failure.error.raw().contains(reason), "{failure}");
}

#[tokio::test]
async fn a_plain_answer_comes_whole() {
    let url = server(|mut stream| async move {
        let request = read_request(&mut stream).await?;
        let body = format!("[{}]", request.lines().filter(|l| l.starts_with("origin") || l.starts_with("GET")).count());
        let head =
            format!("HTTP/1.1 203 X\r\nX-Mixed-Case: A\r\nx-mixed-case: B\r\nContent-Length: {}\r\n\r\n", body.len());
        stream.write_all((head + &body).as_bytes()).await
    })
    .await;
    let net = net("");
    let answer = request(&net, Request::get(url).header("Origin", "https://a.test")).await.unwrap();
    assert_eq!((answer.status, answer.body.as_slice(), answer.tls_version.as_deref()), (203, &b"[2]"[..], None));
    assert_eq!(answer.headers.iter().filter(|(name, _)| name == "x-mixed-case").count(), 2);
    assert_eq!(answer.header("x-mixed-case"), Some("A"));
    assert!(net.answered());
    assert_eq!(net.conversations(), 1);
}

#[tokio::test]
async fn redirects_are_answers_and_connections_are_fresh() {
    let url = server(|mut stream| async move {
        read_request(&mut stream).await?;
        stream.write_all(b"HTTP/1.1 302 Found\r\nLocation: /other\r\nContent-Length: 0\r\n\r\n").await?;
        // A second request on this connection would be answered differently.
        read_request(&mut stream).await?;
        stream.write_all(b"HTTP/1.1 500 Reused\r\nContent-Length: 0\r\n\r\n").await
    })
    .await;
    let net = net("");
    for _ in 0..2 {
        let answer = request(&net, Request::get(url.clone())).await.unwrap();
        assert_eq!((answer.status, answer.header("location")), (302, Some("/other")));
    }
    assert_eq!(net.conversations(), 2);
}

#[tokio::test]
async fn endless_bodies_and_headers_end_at_the_limit() {
    let body = server(|stream| write_for_ever(stream, b"HTTP/1.1 200 OK\r\n\r\n", vec![b'x'; 65536])).await;
    failed(request(&net(""), Request::get(body)).await, Outcome::Protocol, "body is over 1048576 bytes");

    let fields = server(|stream| write_for_ever(stream, b"HTTP/1.1 200 OK\r\n", b"X-A: b\r\n".to_vec())).await;
    failed(request(&net(""), Request::get(fields)).await, Outcome::Protocol, "");

    let field = server(|stream| write_for_ever(stream, b"HTTP/1.1 200 OK\r\nX-A: ", vec![b'x'; 65536])).await;
    failed(request(&net(""), Request::get(field)).await, Outcome::Protocol, "");

    let long = server(|mut stream| async move {
        read_request(&mut stream).await?;
        let value = "x".repeat(17 * 1024);
        stream.write_all(format!("HTTP/1.1 200 OK\r\nX-A: {value}\r\nContent-Length: 0\r\n\r\n").as_bytes()).await
    })
    .await;
    failed(request(&net(""), Request::get(long)).await, Outcome::Protocol, "x-a");
}

#[tokio::test]
async fn garbage_is_a_protocol_error() {
    for garbage in [&b"\x16\x03\x01\x00\xff garbage\r\n\r\n"[..], b"SSH-2.0-x\r\n\r\n", b"HTTP/1.1 abc\r\n\r\n"] {
        let url = server(move |mut stream| async move {
            read_request(&mut stream).await?;
            stream.write_all(garbage).await
        })
        .await;
        failed(request(&net(""), Request::get(url)).await, Outcome::Protocol, "HTTP");
    }
    let chunk = server(|mut stream| async move {
        read_request(&mut stream).await?;
        stream.write_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n").await
    })
    .await;
    failed(request(&net(""), Request::get(chunk)).await, Outcome::Protocol, "");
}

#[tokio::test]
async fn another_protocol_is_told_from_a_broken_answer() {
    // What a TLS server says to a plain request (RFC 8446, section 6): unexpected_message, decode_error.
    for alert in [&b"\x15\x03\x01\x00\x02\x02\x0a"[..], b"\x15\x03\x03\x00\x02\x02\x32", b"SSH-2.0-x\r\n\r\n"] {
        let url = server(move |mut stream| async move {
            read_request(&mut stream).await?;
            stream.write_all(alert).await
        })
        .await;
        let broken = whole_or_broken(&net(""), Request::get(url)).await.err().expect("no answer");
        assert!(broken.not_http && broken.answer.status == 0, "{alert:02x?}: {}", broken.failure);
    }
    for (head, status) in [
        (&b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc"[..], 200),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n", 200),
        (b"HTTP/1.1 2000\r\n\r\n", 0),
    ] {
        let url = server(move |mut stream| async move {
            read_request(&mut stream).await?;
            stream.write_all(head).await
        })
        .await;
        let broken = whole_or_broken(&net(""), Request::get(url)).await.err().expect("no whole answer");
        assert!(!broken.not_http, "{}", broken.failure);
        assert_eq!(broken.answer.status, status, "{}", broken.failure);
    }
    let dripping = server(|mut stream| async move {
        read_request(&mut stream).await?;
        stream.write_all(b"HTTP/1.1 200 OK\r\nX-A: b\r\n\r\nsecret").await?;
        stream.read_u8().await.map(|_| ())
    })
    .await;
    let broken = whole_or_broken(&hurried(), Request::get(dripping)).await.err().expect("no end");
    assert_eq!((broken.failure.outcome, broken.answer.status), (Outcome::Timeout, 200));
    assert_eq!((broken.answer.header("x-a"), broken.answer.body.as_slice()), (Some("b"), &b"secret"[..]));
}

#[tokio::test]
async fn tarpits_and_drips_end() {
    let silent = server(|mut stream| async move {
        read_request(&mut stream).await?;
        stream.read_u8().await.map(|_| ())
    })
    .await;
    failed(request(&hurried(), Request::get(silent)).await, Outcome::Timeout, "HTTP answer");

    let drip = server(|mut stream| async move {
        read_request(&mut stream).await?;
        stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await?;
        loop {
            stream.write_all(b"x").await?;
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await;
    failed(request(&hurried(), Request::get(drip)).await, Outcome::Timeout, "no whole HTTP answer");
}

#[tokio::test]
async fn closed_refused_and_out_of_scope_are_told_apart() {
    let closing = server(|mut stream| async move { read_request(&mut stream).await.map(|_| ()) }).await;
    failed(request(&net(""), Request::get(closing)).await, Outcome::Closed, "closed");

    let short = server(|mut stream| async move {
        read_request(&mut stream).await?;
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc").await
    })
    .await;
    failed(request(&net(""), Request::get(short)).await, Outcome::Closed, "");

    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = Url::parse(&format!("http://{}/", listener.local_addr().unwrap())).unwrap();
    drop(listener);
    let net = net("");
    failed(request(&net, Request::get(url)).await, Outcome::Unreachable, "refused");
    assert!(!net.answered());

    let metadata = Url::parse("http://169.254.169.254/latest").unwrap();
    failed(request(&net, Request::get(metadata)).await, Outcome::OutOfScope, "169.254.169.254");
    assert_eq!(net.conversations(), 1);
}

#[tokio::test]
async fn tls_versions_are_seen_and_certificates_judged() {
    let key = rcgen::generate_simple_self_signed(vec!["127.0.0.1".into()]).unwrap();
    let folder = std::env::temp_dir().join(format!("ringfence-http-{}.pem", std::process::id()));
    std::fs::write(&folder, key.cert.pem()).unwrap();
    let trusting = net(&format!("ca_file = {:?}", folder.to_str().unwrap()));
    std::fs::remove_file(&folder).unwrap();

    for (version, word) in [(&rustls::version::TLS12, "1.2"), (&rustls::version::TLS13, "1.3")] {
        let private = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.signing_key.serialize_der()));
        let config = rustls::ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_protocol_versions(&[version])
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![key.cert.der().clone()], private)
            .unwrap();
        let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
        let mut url = server(move |stream| {
            let acceptor = acceptor.clone();
            async move {
                let mut stream = acceptor.accept(stream).await?;
                let mut seen = Vec::new();
                while !seen.ends_with(b"\r\n\r\n") {
                    seen.push(stream.read_u8().await?);
                }
                stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await?;
                stream.shutdown().await
            }
        })
        .await;
        url.set_scheme("https").unwrap();
        let answer = request(&trusting, Request::get(url.clone())).await.unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(answer.tls_version.as_deref(), Some(word));
        let careful = net("");
        failed(request(&careful, Request::get(url.clone())).await, Outcome::TlsFailed, "certificate");
        assert!(careful.answered());
        let careless = net("accept_untrusted = true");
        assert_eq!(request(&careless, Request::get(url)).await.map_err(|e| e.to_string()).unwrap().status, 200);
    }
}
