//! WebSocket and SIP.

use ringfence_lab::fault::Fault;
use ringfence_wire::sip::Message;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::{Error, Message as Frame};

use crate::clients::{Phone, authority, connect_tls, fetch, upgrade};
use crate::{Running, start};

const OFFER: &str = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 0\r\n\
    c=IN IP4 127.0.0.1\r\na=rtcp-mux\r\na=ice-ufrag:abcd\r\na=ice-pwd:abcdefghijklmnopqrstuvwx\r\na=setup:actpass\r\n\
    a=fingerprint:sha-256 E3:B0:C4:42:98:FC:1C:14:9A:FB:F4:C8:99:6F:B9:24:27:AE:41:E4:64:9B:93:4C:A4:95:99:1B:78:52:B8:55\r\n";

#[tokio::test]
async fn upgrades_are_for_our_page_and_for_what_is_no_browser() {
    for fault in [None, Some(Fault::WsOriginUnchecked)] {
        let Running { lab, folder: _folder } = start(fault).await;
        let (url, own) = (lab.urls().signalling.clone(), lab.urls().page_origin.clone());
        let suffix = format!("{own}.evil.test");
        let twin = own.replace("https", "http");
        let broken = fault.is_some();
        for (origin, granted) in [
            (None, true),
            (Some(own.as_str()), true),
            (Some("https://evil.test"), broken),
            (Some("null"), broken),
            (Some(suffix.as_str()), broken),
            (Some(twin.as_str()), broken),
        ] {
            let stream = connect_tls(&lab, &authority(&url)).await;
            match upgrade(stream, &url, origin, Some("sip")).await {
                Ok((_, echoed)) => {
                    assert_eq!((granted, echoed.as_deref()), (true, Some("sip")), "{fault:?} {origin:?}")
                }
                Err(Error::Http(answer)) => assert_eq!((granted, answer.status().as_u16()), (false, 403), "{origin:?}"),
                Err(other) => panic!("{fault:?} {origin:?}: {other}"),
            }
        }
        for other in [None, Some("chat")] {
            let stream = connect_tls(&lab, &authority(&url)).await;
            let refused = upgrade(stream, &url, None, other).await;
            assert!(matches!(&refused, Err(Error::Http(answer)) if answer.status() == 400), "{other:?}");
        }
    }
}

#[tokio::test]
async fn signalling_in_the_clear_only_where_broken() {
    for fault in [None, Some(Fault::WsOnWssPort)] {
        let Running { lab, folder: _folder } = start(fault).await;
        let url = lab.urls().signalling.replace("wss:", "ws:");
        let stream = TcpStream::connect(authority(&url)).await.unwrap();
        match upgrade(stream, &url, None, Some("sip")).await {
            Ok(_) => assert!(fault.is_some()),
            Err(Error::Http(answer)) => assert_eq!((fault, answer.status().as_u16()), (None, 400)),
            Err(other) => panic!("{fault:?}: {other}"),
        }
        assert!(lab.faults().met().contains(&Fault::WsOnWssPort));
    }
}

#[tokio::test]
async fn a_call_over_wss() {
    let Running { lab, folder: _folder } = start(None).await;
    let config = fetch(&lab).await;
    let target = format!("sip:app-{}@{}", config.sip("applicationSid"), config.sip("realm"));
    let to = format!("<{target}>");

    let mut stranger = Phone::connect(&lab).await;
    let bare = stranger.request("INVITE", &target, &to).body("application/sdp", OFFER);
    assert_eq!(stranger.ask(bare).await.status(), Some(407), "not without a login");
    assert_eq!(
        stranger.ask_with(&config, "INVITE", &target, &to, OFFER).await.status(),
        Some(403),
        "not without a registration"
    );

    let mut phone = Phone::connect(&lab).await;
    assert_eq!(phone.register(&config).await.status(), Some(200));
    let ok = phone.ask_with(&config, "INVITE", &target, &to, OFFER).await;
    assert_eq!(ok.status(), Some(200));
    assert!(String::from_utf8_lossy(&ok.body).contains("m=audio"));
    let bye = phone.request("BYE", "sip:desk@localhost", ok.header("To").unwrap());
    assert_eq!(phone.ask(bye).await.status(), Some(200));

    let mut second = Phone::connect(&lab).await;
    assert_eq!(second.register(&config).await.status(), Some(403), "held by the first connection");
}

#[tokio::test]
async fn keep_alives_are_answered_and_nonsense_is_bounded() {
    let Running { lab, folder: _folder } = start(None).await;
    let mut phone = Phone::connect(&lab).await;
    phone.raw(Frame::Ping(b"x".to_vec().into())).await;
    assert_eq!(phone.frame().await, Frame::Pong(b"x".to_vec().into()));
    phone.send(*b"\r\n\r\n").await;
    assert_eq!(phone.frame().await, Frame::text("\r\n"));
    let options = phone.request("OPTIONS", "sip:sip.lab.test", "<sip:sip.lab.test>").build().unwrap();
    phone.raw(Frame::binary(options)).await;
    assert_eq!(Message::parse(&phone.frame().await.into_data()).unwrap().status(), Some(200), "in a binary frame too");
    for _ in 0..=ringfence_lab::figures::MAX_BAD_FRAMES {
        phone.send(*b"nonsense").await;
    }
    phone.closed().await;

    let mut large = Phone::connect(&lab).await;
    large.send(vec![b'x'; ringfence_lab::figures::MAX_FRAME_BYTES + 1]).await;
    large.closed().await;
}

#[tokio::test]
async fn a_second_register_without_login_works_only_where_broken() {
    for (fault, expected) in [(None, 401), (Some(Fault::RegisterOpen), 200)] {
        let Running { lab, folder: _folder } = start(fault).await;
        let mut phone = Phone::connect(&lab).await;
        for status in [401, expected] {
            let request = phone.request("REGISTER", "sip:sip.lab.test", "<sip:visitor@sip.lab.test>");
            assert_eq!(phone.ask(request).await.status(), Some(status), "{fault:?}");
        }
    }
}
