//! Page and configuration endpoint.

use reqwest::Method;
use reqwest::header::{HeaderMap, HeaderName};
use ringfence_lab::fault::Fault;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::clients::{Config, LONG, authority, fetch, https_client};
use crate::{Running, start};

const EVIL: &str = "https://evil.test";

fn header(headers: &HeaderMap, name: &str) -> Option<String> {
    headers.get(HeaderName::from_bytes(name.as_bytes()).unwrap()).map(|value| value.to_str().unwrap().to_owned())
}

#[tokio::test]
async fn each_fetch_mints_a_pair() {
    let Running { lab, folder: _folder } = start(None).await;
    let (a, b) = (fetch(&lab).await, fetch(&lab).await);
    assert_ne!(a.sip("username"), b.sip("username"));
    assert_ne!(a.sip("password"), b.sip("password"));
    assert_ne!(a.turn("username"), b.turn("username"));
    assert_eq!(a.sip("wsUri"), lab.urls().signalling);
    assert_eq!(a.0["iceServers"][0]["urls"][0], lab.urls().turn.as_str());
    assert!(a.0["organisationId"].is_string() && a.0["projectId"].is_string());
    assert_eq!(a.0["endpointSettings"]["webrtcWidgetConfig"]["active"], true);

    let second = https_client(&lab).get(&lab.urls().second).send().await.unwrap();
    let second = Config(second.json().await.unwrap());
    assert_ne!(second.sip("applicationSid"), a.sip("applicationSid"));
}

#[tokio::test]
async fn a_shared_pair_goes_to_every_fetch_of_its_endpoint() {
    let Running { lab, folder: _folder } = start(Some(Fault::CredentialsShared)).await;
    let (a, b) = (fetch(&lab).await, fetch(&lab).await);
    assert_eq!((a.sip("username"), a.sip("password")), (b.sip("username"), b.sip("password")));
}

#[tokio::test]
async fn caching_and_other_origins_only_where_broken() {
    for (fault, cache, evil_may_read) in [
        (None, "no-store", false),
        (Some(Fault::ConfigCacheable), "public, max-age=300", false),
        (Some(Fault::CorsReflectAny), "no-store", true),
    ] {
        let Running { lab, folder: _folder } = start(fault).await;
        let client = https_client(&lab);
        let own = lab.urls().page_origin.clone();
        for method in [Method::GET, Method::OPTIONS] {
            for (origin, allowed) in [(own.as_str(), true), (EVIL, evil_may_read), ("null", evil_may_read)] {
                let request = client.request(method.clone(), &lab.urls().config).header("Origin", origin);
                let answer = request.send().await.unwrap();
                let headers = answer.headers();
                let granted = header(headers, "access-control-allow-origin");
                assert_eq!(granted.as_deref(), allowed.then_some(origin), "{fault:?} {method} {origin}");
                assert_eq!(header(headers, "vary").as_deref(), Some("Origin"));
                assert_eq!(header(headers, "access-control-allow-credentials"), None);
                if method == Method::GET {
                    assert_eq!(header(headers, "cache-control").as_deref(), Some(cache), "{fault:?}");
                }
            }
        }
    }
}

#[tokio::test]
async fn other_addresses_and_methods_get_nothing() {
    let Running { lab, folder: _folder } = start(None).await;
    let client = https_client(&lab);
    let unknown = format!("https://{}/{}", authority(&lab.urls().config), "0".repeat(64));
    for url in [unknown, format!("https://{}/", authority(&lab.urls().config)), format!("{}/x", lab.urls().config)] {
        let answer = client.get(&url).send().await.unwrap();
        assert_eq!(answer.status(), 404, "{url}");
    }
    let answer = client.post(&lab.urls().config).send().await.unwrap();
    assert_eq!((answer.status().as_u16(), header(answer.headers(), "allow").as_deref()), (405, Some("GET, OPTIONS")));
}

#[tokio::test]
async fn a_source_that_mints_too_much_has_to_wait() {
    let Running { lab, folder: _folder } = start(None).await;
    let client = https_client(&lab);
    let mut granted = 0;
    let limited = loop {
        let answer = client.get(&lab.urls().config).send().await.unwrap();
        if answer.status() != 200 || granted > ringfence_lab::figures::MINTS_PER_SOURCE {
            break answer;
        }
        granted += 1;
    };
    assert_eq!((granted, limited.status().as_u16()), (ringfence_lab::figures::MINTS_PER_SOURCE, 429));
    let wait: u64 = header(limited.headers(), "retry-after").unwrap().parse().unwrap();
    assert!((1..=10).contains(&wait), "{wait}");
    let neighbour = reqwest::Client::builder().tls_backend_preconfigured(crate::clients::tls(&lab)).no_proxy();
    let neighbour = neighbour.local_address(Some("127.0.0.77".parse().unwrap())).build().unwrap();
    assert_eq!(neighbour.get(&lab.urls().config).send().await.unwrap().status(), 200, "sources are apart");
}

#[tokio::test]
async fn the_page_is_served_under_a_strict_policy() {
    let Running { lab, folder: _folder } = start(None).await;
    let client = https_client(&lab);
    let answer = client.get(&lab.urls().page).send().await.unwrap();
    let policy = header(answer.headers(), "content-security-policy").unwrap();
    assert!(
        policy.starts_with("default-src 'none'") && !policy.contains("unsafe") && !policy.contains('*'),
        "{policy}"
    );
    assert!(policy.contains(&lab.urls().signalling));
    let page = answer.text().await.unwrap();
    assert!(page.contains(&lab.urls().config) && page.contains("<button"), "{page}");
    for (path, status) in [("/page.js", 200), ("/phone.js", 200), ("/call.css", 200), ("/", 404), ("/../ca.pem", 404)] {
        let url = format!("{}{path}", lab.urls().page_origin);
        assert_eq!(client.get(url).send().await.unwrap().status(), status, "{path}");
    }
}

#[tokio::test]
async fn the_page_says_hsts_over_tls_alone() {
    for (fault, expected) in [
        (None, Some("max-age=31536000; includeSubDomains")),
        (Some(Fault::PageOnHttp), Some("max-age=31536000; includeSubDomains")),
        (Some(Fault::HstsMissing), None),
    ] {
        let Running { lab, folder: _folder } = start(fault).await;
        let answer = https_client(&lab).get(&lab.urls().page).send().await.unwrap();
        assert_eq!(header(answer.headers(), "strict-transport-security").as_deref(), expected, "{fault:?}");
        let clear = in_the_clear(&lab.urls().page).await.to_ascii_lowercase();
        assert!(clear.starts_with("http/1.1 ") && !clear.contains("strict-transport"), "{clear}");
    }
}

/// A request in the clear on a port of TLS.
async fn in_the_clear(url: &str) -> String {
    let host = authority(url);
    let path = url.split(&host).nth(1).unwrap();
    let mut stream = TcpStream::connect(&host).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    timeout(LONG, stream.read_to_string(&mut answer)).await.unwrap().unwrap();
    answer
}

#[tokio::test]
async fn the_configuration_is_not_served_in_the_clear_unless_broken() {
    for fault in [None, Some(Fault::ConfigOnHttp)] {
        let Running { lab, folder: _folder } = start(fault).await;
        let answer = in_the_clear(&lab.urls().config).await;
        let expected = if fault.is_some() { "HTTP/1.1 200 OK" } else { "HTTP/1.1 400 Bad Request" };
        assert!(answer.starts_with(expected), "{answer}");
        assert_eq!(answer.contains("password"), fault.is_some(), "{answer}");
        let page = in_the_clear(&lab.urls().page).await;
        assert!(page.starts_with("HTTP/1.1 301 "), "{page}");
    }
}
