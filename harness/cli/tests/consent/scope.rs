//! No host outside the scope is dialled, by whatever way the target leads there.

use std::net::{Ipv4Addr, SocketAddr};

use ringfence_model::exit::Exit;
use ringfence_model::verdict::State;
use ringfence_wire::sip::Message;
use ringfence_wire::stun::{self, Attribute, Class};
use serde_json::{Value, json};
use tokio::net::UdpSocket;

use super::foreign::Foreign;
use super::scenario::{asked, text};
use crate::fakes::https::{Https, Reply};
use crate::fakes::media::{MediaPort, answer};
use crate::fakes::pki::Pki;
use crate::fakes::sip::{Act, Agent, answered, reply};
use crate::fakes::{answers, config};
use crate::support::{Outputs, TargetFile};

const CALL: &str = "[[step]]\nname = \"c\"\nprobe = \"call\"\nwith = { media_s = 1 }\n";
const ALLOCATE: &str = "[[step]]\nname = \"c\"\nprobe = \"turn-allocate\"\n";
const FETCH: &str = "[[step]]\nname = \"c\"\nprobe = \"fetch-config\"\n";

/// The run says that it was led outside, where to, and how that could be allowed.
#[track_caller]
fn led_outside(outputs: &Outputs, foreign: &Foreign) {
    assert_eq!(outputs.report.gate.exit, Exit::Refused, "{}: {}", outputs.report.gate.sentence, outputs.said());
    assert_eq!(outputs.state(), State::Inconclusive, "never a pass: {}", outputs.said());
    listed(outputs, foreign);
}

/// The report lists what was left alone.
#[track_caller]
fn listed(outputs: &Outputs, foreign: &Foreign) {
    let (refused, host) = (&outputs.report.sampled.refused, foreign.address.ip().to_string());
    let names = |why: &&String| why.contains(&host) && why.contains("[[scope]]") && why.contains("add it to");
    assert_eq!(refused.iter().filter(names).count(), 1, "{refused:?}");
    let dialled = &outputs.report.sampled.addresses;
    assert!(!dialled.is_empty() && !dialled.iter().any(|address| address.contains(&host)), "{dialled:?}");
}

/// A deployment whose configuration names these ICE servers, and whose agent answers an INVITE like this.
async fn deployment(ice: Value, on_invite: impl Fn(&Message) -> Vec<Act> + Send + Sync + 'static) -> TargetFile {
    let pki = Pki::new();
    let address = Agent::new(on_invite).serve(&pki).await;
    let mut document = config::document(&format!("wss://{address}"));
    document["iceServers"] = ice;
    config::serving(&pki, document).await
}

fn busy(invite: &Message) -> Vec<Act> {
    vec![Act::Say(reply(invite, 486, "Busy Here").build().expect("a message"))]
}

#[tokio::test]
async fn a_signalling_address() {
    let foreign = Foreign::listen().await;
    let target = config::naming(&Pki::new(), &format!("wss://{}", foreign.address)).await;
    led_outside(&asked(&target, &text("active", CALL, "c.answered")).await, &foreign);
    foreign.was_left_alone().await;
}

#[tokio::test]
async fn a_redirect() {
    let (pki, foreign) = (Pki::new(), Foreign::listen().await);
    for scheme in ["https", "http"] {
        let location = format!("{scheme}://{}/elsewhere", foreign.address);
        let server =
            Https::serve(&pki, move |_| Reply::Bytes(answers::with_headers(302, &[("Location", &location)], b"")))
                .await;
        let target = TargetFile::cognigy(server.url(config::URL_TOKEN)).trusting(&pki.ca_pem);
        let outputs = asked(&target, &text("passive", FETCH, "c.status == 302")).await;
        assert_eq!((outputs.state(), server.heads().len()), (State::Pass, 1), "{}", outputs.said());
    }
    foreign.was_left_alone().await;
}

#[tokio::test]
async fn ice_servers_of_the_configuration() {
    let foreign = Foreign::listen().await;
    let at = foreign.address;
    let urls = [format!("turn:{at}?transport=udp"), format!("turn:{at}?transport=tcp"), format!("turns:{at}")];
    let ice = json!([
        { "urls": [format!("stun:{at}")] },
        { "urls": urls, "username": "u", "credential": "a-turn-credential" },
    ]);
    let target = deployment(ice, busy).await;
    // The call is asked without them, and judged.
    let outputs = asked(&target, &text("active", CALL, "c.status == 486")).await;
    assert_eq!((outputs.state(), outputs.report.gate.exit), (State::Pass, Exit::Clean), "{}", outputs.said());
    listed(&outputs, &foreign);
    // What is asked of the server itself cannot be.
    led_outside(&asked(&target, &text("active", ALLOCATE, "c.allocated")).await, &foreign);
    foreign.was_left_alone().await;
}

#[tokio::test]
async fn candidates_and_connection_lines() {
    let foreign = Foreign::listen().await;
    let at = foreign.address;
    let target = deployment(json!([]), move |invite| vec![Act::Say(answered(invite, answer(at, "")))]).await;
    led_outside(&asked(&target.limit("media_s", 2.0), &text("active", CALL, "media(c)")).await, &foreign);
    foreign.was_left_alone().await;
}

#[tokio::test]
async fn one_candidate_of_many() {
    let (foreign, port) = (Foreign::listen().await, MediaPort::ice_lite().await);
    let (own, at) = (port.address, foreign.address);
    let more = format!("a=candidate:2 1 udp 2130706430 {} {} typ host\r\n", at.ip(), at.port());
    let target = deployment(json!([]), move |invite| vec![Act::Say(answered(invite, answer(own, &more)))]).await;
    let outputs = asked(&target.limit("media_s", 4.0), &text("active", CALL, "c.ice.connected")).await;
    assert_eq!((outputs.state(), outputs.report.gate.exit), (State::Pass, Exit::Clean), "{}", outputs.said());
    listed(&outputs, &foreign);
    foreign.was_left_alone().await;
}

#[tokio::test]
async fn an_alternate_turn_server() {
    let foreign = Foreign::listen().await;
    let server = alternating(foreign.address).await;
    let ice = json!([{ "urls": [format!("turn:{server}?transport=udp")], "username": "u", "credential": "a-turn-credential" }]);
    let target = deployment(ice, busy).await;
    let outputs = asked(&target, &text("active", ALLOCATE, "!c.allocated && c.error_code == 300")).await;
    assert_eq!(outputs.state(), State::Pass, "{}", outputs.said());
    let outputs = asked(&target, &text("active", CALL, "c.status == 486")).await;
    assert_eq!(outputs.state(), State::Pass, "{}", outputs.said());
    assert!(outputs.report.sampled.addresses.contains(&format!("{server}/udp")), "it was asked all the same");
    foreign.was_left_alone().await;
}

/// A TURN server over UDP that sends everybody elsewhere: 300 (Try Alternate), RFC 8489, section 10.
async fn alternating(elsewhere: SocketAddr) -> SocketAddr {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
    let address = socket.local_addr().expect("a bound address");
    tokio::spawn(async move {
        let mut buffer = [0; 2048];
        loop {
            let Ok((length, from)) = socket.recv_from(&mut buffer).await else { continue };
            let Ok(request) = stun::Message::parse(&buffer[..length]) else { continue };
            let SocketAddr::V4(to) = elsewhere else { continue };
            let mut value = vec![0, 1];
            value.extend(to.port().to_be_bytes());
            value.extend(to.ip().octets());
            let answer = stun::Message::new(Class::Error, request.method, request.transaction)
                .with(Attribute::ErrorCode { code: 300, reason: "Try Alternate".into() })
                .with(Attribute::Realm("fake.invalid".into()))
                .with(Attribute::Nonce("a-nonce".into()))
                .with(Attribute::Other { kind: 0x8023, value });
            if let Ok(bytes) = answer.emit() {
                // A client that has gone away is no error of this server.
                let _ = socket.send_to(&bytes, from).await;
            }
        }
    });
    address
}
