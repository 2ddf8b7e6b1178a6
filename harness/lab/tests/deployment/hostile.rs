//! Messages that no sound client sends: the connection that sent them may go, the others stay, but where that is the fault.

use std::time::{Duration, Instant};

use ringfence_lab::fault::Fault;
use ringfence_lab::figures::{CRASH_PAUSE, MAX_FRAME_BYTES};
use ringfence_wire::sip::Message;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message as Frame;
use tokio_tungstenite::tungstenite::protocol::frame::Frame as Raw;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{CloseCode, Data, OpCode};

use crate::clients::{Phone, fetch};
use crate::{Running, start};

/// Long enough for an answer on loopback, and short enough to wait for none.
const SHORT: Duration = Duration::from_millis(300);

fn options(phone: &mut Phone) -> Vec<u8> {
    phone.request("OPTIONS", "sip:sip.lab.test", "<sip:sip.lab.test>").build().unwrap()
}

async fn is_alive(phone: &mut Phone) -> bool {
    let request = phone.request("OPTIONS", "sip:sip.lab.test", "<sip:sip.lab.test>");
    phone.ask(request).await.status() == Some(200)
}

/// The code of the close frame that comes next.
async fn close_code(phone: &mut Phone) -> Option<CloseCode> {
    match phone.frame().await {
        Frame::Close(close) => close.map(|close| close.code),
        other => panic!("no close frame: {other}"),
    }
}

#[tokio::test]
async fn one_websocket_message_is_one_sip_message() {
    for (fault, joined, split) in [(None, 0, 0), (Some(Fault::WsFrameJoined), 2, 1)] {
        let Running { lab, folder: _folder } = start(fault).await;
        let mut phone = Phone::connect(&lab).await;
        let (one, two) = (options(&mut phone), options(&mut phone));
        phone.send([one.clone(), two].concat()).await;
        assert_eq!(answers(&mut phone).await, joined, "{fault:?}, two in one");
        let (head, tail) = one.split_at(one.len() / 2);
        phone.send(head).await;
        phone.send(tail).await;
        assert_eq!(answers(&mut phone).await, split, "{fault:?}, one in two");
        phone.raw(data(head, OpCode::Data(Data::Text), false)).await;
        phone.raw(Frame::Ping(b"between".to_vec().into())).await;
        phone.raw(data(tail, OpCode::Data(Data::Continue), true)).await;
        assert_eq!(phone.frame().await, Frame::Pong(b"between".to_vec().into()));
        assert_eq!(answers(&mut phone).await, 1, "{fault:?}, one in two frames is one message");
        assert!(lab.faults().met().contains(&Fault::WsFrameJoined));
    }
}

fn data(bytes: &[u8], opcode: OpCode, last: bool) -> Frame {
    Frame::Frame(Raw::message(bytes.to_vec(), opcode, last))
}

/// The 200s that come within [`SHORT`].
async fn answers(phone: &mut Phone) -> usize {
    let mut count = 0;
    while let Ok(frame) = timeout(SHORT, phone.frame()).await {
        assert_eq!(Message::parse(&frame.into_data()).unwrap().status(), Some(200));
        count += 1;
    }
    count
}

#[tokio::test]
async fn what_is_too_large_ends_its_own_connection_only() {
    for fault in [None, Some(Fault::OversizeKills)] {
        let Running { lab, folder: _folder } = start(fault).await;
        let (mut large, mut many, mut beside) =
            (Phone::connect(&lab).await, Phone::connect(&lab).await, Phone::connect(&lab).await);
        many.send(format!("OPTIONS sip:a SIP/2.0\r\n{}\r\n", "X: 1\r\n".repeat(2000))).await;
        assert_eq!(close_code(&mut many).await, Some(CloseCode::Size));
        assert!(is_alive(&mut beside).await, "many fields are not the fault");
        large.send(vec![b'x'; MAX_FRAME_BYTES + 1]).await;
        match fault {
            None => {
                assert_eq!(close_code(&mut large).await, Some(CloseCode::Size));
                assert!(is_alive(&mut beside).await);
            }
            Some(_) => {
                large.closed().await;
                beside.closed().await;
            }
        }
        assert!(is_alive(&mut Phone::connect(&lab).await).await, "others are let in at once");
        assert!(lab.faults().met().contains(&Fault::OversizeKills));
    }
}

#[tokio::test]
async fn a_crash_is_an_outage_of_three_seconds() {
    for fault in [None, Some(Fault::TortureCrash)] {
        let Running { lab, folder: _folder } = start(fault).await;
        let (mut sender, mut beside) = (Phone::connect(&lab).await, Phone::connect(&lab).await);
        let began = Instant::now();
        sender.send("INVITE sip:a SIP/2.0\r\nContent-Length: -999\r\n\r\n").await;
        match fault {
            None => assert!(is_alive(&mut beside).await && is_alive(&mut sender).await),
            Some(_) => {
                beside.closed().await;
                sender.closed().await;
                let mut next = Phone::connect(&lab).await;
                assert!(began.elapsed() >= CRASH_PAUSE, "nobody is let in before");
                assert!(is_alive(&mut next).await);
            }
        }
    }
}

#[tokio::test]
async fn a_visitor_reaches_another_through_the_agent() {
    let Running { lab, folder: _folder } = start(None).await;
    let (one, two) = (fetch(&lab).await, fetch(&lab).await);
    let (mut caller, mut callee) = (Phone::connect(&lab).await, Phone::connect_as(&lab, "callee").await);
    assert_eq!(caller.register(&one).await.status(), Some(200));
    assert_eq!(callee.register(&two).await.status(), Some(200));
    let asking = tokio::spawn(async move {
        let target = "sip:callee@sip.lab.test";
        caller.ask_with(&one, "INVITE", target, "<sip:callee@sip.lab.test>", "v=0").await.status()
    });
    let invite = callee.receive().await;
    assert_eq!(invite.method(), Some("INVITE"));
    let mut refusal = ringfence_wire::sip::Builder::response(603, "Decline");
    for via in invite.headers("Via") {
        refusal = refusal.header("Via", via);
    }
    for name in ["From", "To", "Call-ID", "CSeq"] {
        refusal = refusal.header(name, invite.header(name).unwrap());
    }
    callee.send(refusal.build().unwrap()).await;
    assert_eq!(callee.receive().await.method(), Some("ACK"));
    assert_eq!(asking.await.unwrap(), Some(603));
}
