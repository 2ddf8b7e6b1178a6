use std::path::Path;

use ringfence_model::target::Target;

use super::*;

/// Nothing here takes longer, unless it is broken.
const LIMIT: Duration = Duration::from_secs(30);

async fn proxy() -> Proxy {
    let text = "name = \"x\"\nadapter = \"cognigy\"\n[endpoints]\nconfig = \"https://c.test/t\"\n\
                [[scope]]\nnetworks = [\"127.0.0.0/8\"]\n";
    let net = Net::new(&Target::parse(text, Path::new("t.toml")).unwrap()).unwrap();
    Proxy::start(net, true).await.unwrap()
}

/// Sends a head and reads until the far side closes.
async fn ask(proxy: &Proxy, head: &str) -> String {
    let exchange = async {
        let mut browser = TcpStream::connect(proxy.address()).await.unwrap();
        browser.write_all(head.as_bytes()).await.unwrap();
        let mut bytes = vec![];
        let _ = browser.read_to_end(&mut bytes).await;
        String::from_utf8(bytes).unwrap()
    };
    timeout(LIMIT, exchange).await.expect("the proxy answers")
}

/// A server that answers its first connection with what it got.
async fn mirror() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut buffer = vec![0; 4096];
        let count = stream.read(&mut buffer).await.unwrap();
        stream.write_all(&buffer[..count]).await.unwrap();
    });
    address
}

#[tokio::test]
async fn what_is_out_of_scope_is_refused_and_told() {
    let proxy = proxy().await;
    for head in ["CONNECT 192.0.2.1:443 HTTP/1.1\r\n\r\n", "GET http://192.0.2.2/ HTTP/1.1\r\n\r\n"] {
        assert!(ask(&proxy, head).await.starts_with("HTTP/1.1 403 "), "{head}");
    }
    let traffic = proxy.traffic();
    assert_eq!(traffic.refused.into_iter().collect::<Vec<_>>(), ["192.0.2.1", "192.0.2.2"]);
    assert_eq!(proxy.shared.net.conversations(), 0);
    let sampled = proxy.shared.net.sampled();
    assert!(sampled.addresses.is_empty() && sampled.refused.len() == 2, "{:?}", sampled.refused);
    assert!(ask(&proxy, "nothing\r\n\r\n").await.starts_with("HTTP/1.1 400 "));
}

#[tokio::test]
async fn requests_and_tunnels_reach_their_server() {
    let proxy = proxy().await;
    let server = mirror().await;
    let seen = ask(&proxy, &format!("GET http://{server}/a HTTP/1.1\r\nHost: {server}\r\n\r\n")).await;
    assert!(seen.starts_with("GET /a HTTP/1.1\r\n"), "{seen}");
    let server = mirror().await;
    let seen = ask(&proxy, &format!("CONNECT {server} HTTP/1.1\r\n\r\nhello")).await;
    assert_eq!(seen, "HTTP/1.1 200 Connection established\r\n\r\nhello");
    assert!(proxy.shared.net.answered() && proxy.traffic().bytes >= 5);
    assert_eq!(proxy.shared.net.conversations(), 2);
}

#[tokio::test]
async fn a_server_that_does_not_verify_is_not_shown_to_the_browser() {
    let proxy = proxy().await;
    let server = mirror().await;
    // A ClientHello's first byte; the server behind it is no TLS server.
    let seen = ask(&proxy, &format!("CONNECT {server} HTTP/1.1\r\n\r\n\u{16}\u{3}\u{1}")).await;
    assert_eq!(seen, "HTTP/1.1 200 Connection established\r\n\r\n");
    assert_eq!(proxy.traffic().bytes, 0, "nothing of the browser's went there");
    assert!(proxy.traffic().failures.contains_key(&server.to_string()));
}

#[tokio::test]
async fn dropped_it_closes_what_is_open() {
    let proxy = proxy().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut browser = TcpStream::connect(proxy.address()).await.unwrap();
    browser.write_all(format!("CONNECT {} HTTP/1.1\r\n\r\n", listener.local_addr().unwrap()).as_bytes()).await.unwrap();
    let mut first = [0; 1];
    timeout(LIMIT, browser.read_exact(&mut first)).await.expect("answered").unwrap();
    drop(proxy);
    let mut rest = vec![];
    let _ = timeout(LIMIT, browser.read_to_end(&mut rest)).await.expect("closed");
}
