//! `open-websocket`: WebSocket upgrades towards the signalling server (RFC 6455, RFC 7118).

use std::time::Duration;

use ringfence_client::drive::ws::{Opened, Socket, Upgrade, UpgradeRefused, open, open_whatever_subprotocol};
use ringfence_client::{Failure, Net};
use ringfence_model::Untrusted;
use ringfence_model::observation::Outcome;
use ringfence_wire::sip;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::time::timeout;
use url::Url;

use super::fetch_config::{Login, TlsSeen};
use super::http_request::login_headers;
use crate::origin::OriginVariant;
use crate::step_ref::ConfigRef;
use crate::{Asked, Cost, Cx, OwnFault, Probe};

/// How long an upgraded connection may take to answer OPTIONS (house).
const SIP_ANSWER: Duration = Duration::from_secs(3);
/// How long a plaintext upgrade may take: a TLS port that waits for more bytes is no plaintext port (house).
const PLAINTEXT: Duration = Duration::from_secs(3);

/// See [`Probe::DOES`].
pub struct OpenWebsocket;

/// Parameters.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct With {
    /// The step whose configuration names the server; left out: a fresh one.
    pub config: Option<ConfigRef>,
    /// Scheme of the upgrade.
    pub scheme: WsScheme,
    /// Ports to try: `advertised` for the configuration's, or numbers.
    pub port: Vec<String>,
    /// Origin to present; left out: none.
    pub origin: Option<OriginVariant>,
    /// Subprotocol to ask for.
    pub subprotocol: Subprotocol,
    /// Whose login to present.
    pub token: Token,
    /// How the SIP request behind the upgrade is framed.
    pub frames: Frames,
}

impl Default for With {
    fn default() -> Self {
        Self {
            config: None,
            scheme: WsScheme::Wss,
            port: vec!["advertised".into()],
            origin: None,
            subprotocol: Subprotocol::Sip,
            token: Token::Valid,
            frames: Frames::Text,
        }
    }
}

/// Scheme of the upgrade.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum WsScheme {
    /// TLS.
    Wss,
    /// In clear.
    Ws,
}

/// Subprotocol to ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Subprotocol {
    /// `sip`.
    Sip,
    /// One that no SIP server speaks.
    Other,
    /// None.
    None,
}

/// How a SIP request is put into WebSocket frames (RFC 7118, section 5: one message each).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Frames {
    /// One text frame.
    Text,
    /// One binary frame.
    Binary,
    /// One text message in two frames, which is legal (RFC 6455, section 5.4).
    Fragmented,
    /// One request in two text messages, which no client sends.
    Split,
    /// Two requests in one text frame, which no client sends.
    Joined,
}

/// Whose login is presented.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Token {
    /// As an honest client does.
    Valid,
    /// One of the same shape that nobody was given.
    Wrong,
    /// None.
    None,
}

/// Observation; of several ports, the fields outside `ports` are those of the last one tried.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub struct Seen {
    /// HTTP status of the upgrade.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// The upgrade was granted.
    pub accepted: bool,
    /// Subprotocol that the target chose.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subprotocol: Option<Untrusted>,
    /// Origin that was presented.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub origin: Option<String>,
    /// TLS of the connection.
    pub tls: TlsSeen,
    /// Code of the target's close frame.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub close_code: Option<u16>,
    /// Answer to one OPTIONS on the open connection.
    pub sip_answer: SipAnswer,
    /// Every port that was tried.
    pub ports: Vec<PortSeen>,
}

/// Answer to one OPTIONS.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub struct SipAnswer {
    /// Its status.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
}

/// One port that was tried.
#[derive(Debug, Serialize, JsonSchema)]
pub struct PortSeen {
    /// The port.
    pub port: u16,
    /// The upgrade was granted.
    pub accepted: bool,
}

impl Probe for OpenWebsocket {
    const NAME: &'static str = "open-websocket";
    const DOES: &'static str = "WebSocket upgrades towards the signalling server";
    type With = With;
    type Seen = Seen;

    fn cost(with: &With) -> Cost {
        let as_advertised = with.scheme == WsScheme::Wss && with.port == ["advertised"];
        let from_page = matches!(with.origin, None | Some(OriginVariant::Trusted));
        let admitted = with.subprotocol == Subprotocol::Sip && with.token == Token::Valid;
        Cost { mints: u32::from(with.config.is_none()), ..Cost::ACTIVE }
            .passive_if(as_advertised && from_page && admitted)
    }

    async fn ask(cx: &Cx, with: With) -> Result<Asked<Seen>, OwnFault> {
        let config = match cx.config(with.config.as_ref()).await? {
            Ok(config) => config,
            Err(failure) => return Ok(Asked::failed(Seen::default(), failure)),
        };
        let advertised = match Url::parse(&config.ws_uri) {
            Ok(url) if matches!(url.scheme(), "ws" | "wss") && url.host().is_some() => url,
            _ => {
                return Ok(Asked::failed(
                    Seen::default(),
                    Failure::protocol("the WebSocket address is no ws: or wss: URL"),
                ));
            }
        };
        let mut seen = Seen { origin: with.origin.and_then(|o| o.value(&cx.target)), ..Seen::default() };
        let mut last = None;
        for port in &with.port {
            let url = address(&advertised, with.scheme, port)?;
            let headers = match with.token {
                Token::Valid => login_headers(cx, Login::Valid, &url)?,
                Token::Wrong => login_headers(cx, Login::Wrong, &url)?,
                Token::None => vec![],
            };
            let upgrade = Upgrade {
                origin: seen.origin.clone(),
                subprotocol: match with.subprotocol {
                    Subprotocol::Sip => Some("sip".to_owned()),
                    Subprotocol::Other => Some("ringfence".to_owned()),
                    Subprotocol::None => None,
                },
                headers,
                url,
            };
            last = try_port(&cx.net, &upgrade, with.frames, &mut seen).await;
        }
        Ok(match last {
            Some(failure) => Asked::failed(seen, failure),
            None => Asked::answered(seen),
        })
    }
}

/// The advertised address with another scheme and port. The port stays the advertised one across schemes, also where that
/// is a default and so is not written.
fn address(advertised: &Url, scheme: WsScheme, port: &str) -> Result<Url, OwnFault> {
    let number = match port {
        "advertised" => advertised.port_or_known_default(),
        number => number.parse().ok(),
    };
    let number = number.ok_or_else(|| OwnFault(format!("port {port:?} is neither `advertised` nor a number")))?;
    let mut url = advertised.clone();
    let scheme = if scheme == WsScheme::Wss { "wss" } else { "ws" };
    url.set_scheme(scheme)
        .and_then(|()| url.set_port(Some(number)))
        .map_err(|()| OwnFault("no such address".into()))?;
    Ok(url)
}

/// One upgrade. Returns how it failed; a refusal by status is an answer.
async fn try_port(net: &Net, upgrade: &Upgrade, frames: Frames, seen: &mut Seen) -> Option<Failure> {
    let ports = std::mem::take(&mut seen.ports);
    *seen = Seen { origin: seen.origin.take(), ports, ..Seen::default() };
    let failure = match in_time(upgrade, open(net, upgrade)).await {
        Ok(opened) => {
            seen.accepted = true;
            converse(opened, upgrade, frames, seen).await
        }
        Err(refused) => {
            seen.status = refused.status;
            match refused.status {
                // Granted, but not as it was asked for. A SIP server that names no subprotocol, or `sip` to everybody, is one
                // all the same; some other program on that port is none.
                Some(101) => {
                    let failure = whatever_subprotocol(net, upgrade, frames, seen).await;
                    if seen.accepted { failure } else { Some(refused.failure) }
                }
                // A status is an answer: the refusal itself is what was asked for.
                Some(_) => None,
                None => Some(refused.failure),
            }
        }
    };
    let port = upgrade.url.port_or_known_default().unwrap_or_default();
    seen.ports.push(PortSeen { port, accepted: seen.accepted });
    failure
}

async fn in_time(
    upgrade: &Upgrade,
    opening: impl Future<Output = Result<Opened, UpgradeRefused>>,
) -> Result<Opened, UpgradeRefused> {
    if upgrade.url.scheme() != "ws" {
        return opening.await;
    }
    timeout(PLAINTEXT, opening).await.unwrap_or_else(|_| {
        let failure = Failure::timeout("the plaintext upgrade is not answered");
        Err(UpgradeRefused { status: None, failure })
    })
}

/// The same upgrade, whatever subprotocol its answer names. It counts as granted if SIP is spoken behind it.
async fn whatever_subprotocol(net: &Net, upgrade: &Upgrade, frames: Frames, seen: &mut Seen) -> Option<Failure> {
    let opened = in_time(upgrade, open_whatever_subprotocol(net, upgrade)).await.ok()?;
    let failure = converse(opened, upgrade, frames, seen).await;
    seen.accepted = seen.sip_answer.status.is_some();
    failure
}

/// What an open connection says, and whether SIP is spoken on it. Returns how it was closed, if it was.
async fn converse(opened: Opened, upgrade: &Upgrade, frames: Frames, seen: &mut Seen) -> Option<Failure> {
    let Opened { status, subprotocol, tls_version, mut stream } = opened;
    seen.status = Some(status);
    seen.subprotocol = subprotocol.map(Untrusted::new);
    seen.tls.version = tls_version;
    let failure = match timeout(SIP_ANSWER, ask_options(&mut stream, &upgrade.url, frames)).await {
        Ok(Ok(status)) => {
            seen.sip_answer.status = status;
            None
        }
        Ok(Err(failure)) => Some(failure).filter(|failure| failure.outcome == Outcome::Closed),
        Err(_) => None,
    };
    seen.close_code = stream.close_code();
    stream.close().await;
    failure
}

/// One OPTIONS (RFC 3261, section 11) and the status of whatever response comes first.
async fn ask_options(socket: &mut Socket, url: &Url, frames: Frames) -> Result<Option<u16>, Failure> {
    let host = url.host_str().unwrap_or_default();
    let uri = format!("sip:{host}");
    let via = if url.scheme() == "wss" { "SIP/2.0/WSS" } else { "SIP/2.0/WS" };
    let mut random = [0; 8];
    getrandom::fill(&mut random).map_err(|error| Failure::protocol(format!("no random bytes: {error}")))?;
    let tag: String = random.iter().map(|b| format!("{b:02x}")).collect();
    let request = sip::Builder::request("OPTIONS", &uri)
        .header("Via", format!("{via} {tag}.invalid;branch=z9hG4bK{tag}"))
        .header("Max-Forwards", "70")
        .header("From", format!("<sip:anonymous@anonymous.invalid>;tag={tag}"))
        .header("To", format!("<{uri}>"))
        .header("Call-ID", &tag)
        .header("CSeq", "1 OPTIONS")
        .build()
        .map_err(|error| Failure::protocol(format!("the OPTIONS request cannot be written: {error}")))?;
    match frames {
        Frames::Text => socket.send(request).await?,
        Frames::Binary => socket.send_binary(request).await?,
        Frames::Fragmented => socket.send_fragmented(request).await?,
        Frames::Split => {
            let (first, rest) = request.split_at(request.len() / 2);
            socket.send(first.to_vec()).await?;
            socket.send(rest.to_vec()).await?;
        }
        Frames::Joined => socket.send([request.clone(), request].concat()).await?,
    }
    loop {
        let message = socket.receive().await?;
        if sip::is_keepalive(&message) {
            continue;
        }
        let prepared = sip::prepare(&message).map_err(|error| Failure::protocol(error.to_string()))?;
        if let Some(status) = prepared.message.status() {
            return Ok(Some(status));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use futures_util::{SinkExt, StreamExt};
    use ringfence_model::target::Target;
    use tokio::net::TcpListener;
    use tokio_tungstenite::tungstenite::Message;
    use tokio_tungstenite::tungstenite::handshake::server::{Request, Response};

    use super::*;

    /// A server in clear that says `answer` to the first message, and closes where there is none.
    async fn asked(echoes_subprotocol: bool, answer: Option<&'static str>) -> Seen {
        framed(echoes_subprotocol, answer, Frames::Text).await.0
    }

    /// The same, and the first message as the server got it.
    async fn framed(echoes_subprotocol: bool, answer: Option<&'static str>, frames: Frames) -> (Seen, Option<Message>) {
        granted(echoes_subprotocol, answer, frames, Some("sip")).await
    }

    /// The same, where this subprotocol is asked for.
    async fn granted(
        echoes_subprotocol: bool,
        answer: Option<&'static str>,
        frames: Frames,
        subprotocol: Option<&str>,
    ) -> (Seen, Option<Message>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = Url::parse(&format!("ws://{}", listener.local_addr().unwrap())).unwrap();
        let (tell, mut told) = tokio::sync::mpsc::unbounded_channel();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                #[expect(clippy::result_large_err, reason = "the library's own signature")]
                let upgrade = |_: &Request, mut response: Response| {
                    if echoes_subprotocol {
                        response.headers_mut().insert("Sec-WebSocket-Protocol", "sip".parse().unwrap());
                    }
                    Ok(response)
                };
                let Ok(mut socket) = tokio_tungstenite::accept_hdr_async(stream, upgrade).await else { continue };
                let came = socket.next().await;
                came.iter().flatten().for_each(|message| drop(tell.send(message.clone())));
                if let (Some(Ok(_)), Some(answer)) = (came, answer) {
                    let _ = socket.send(Message::text(answer)).await; // the client may have seen enough
                }
                let _ = socket.close(None).await;
            }
        });
        let target = "name = \"t\"\nadapter = \"sip\"\n[endpoints]\nconfig = \"https://127.0.0.1/\"\n\
                      [[scope]]\nnetworks = [\"127.0.0.0/8\"]\n";
        let net = Net::new(&Target::parse(target, Path::new("t.toml")).unwrap()).unwrap();
        let upgrade = Upgrade { url, origin: None, subprotocol: subprotocol.map(str::to_owned), headers: vec![] };
        let mut seen = Seen::default();
        try_port(&net, &upgrade, frames, &mut seen).await;
        assert_eq!(seen.ports.len(), 1);
        assert_eq!(seen.ports[0].accepted, seen.accepted);
        (seen, told.try_recv().ok())
    }

    #[tokio::test]
    async fn a_request_comes_framed_as_it_was_wanted() {
        let requests =
            |message: &Message| message.clone().into_data().windows(8).filter(|part| part == b"OPTIONS ").count();
        let ends = |message: &Message| message.clone().into_data().ends_with(b"\r\n\r\n");
        for (frames, number, whole) in [
            (Frames::Text, 1, true),
            (Frames::Fragmented, 1, true),
            (Frames::Joined, 2, true),
            (Frames::Split, 1, false),
        ] {
            let (seen, message) = framed(true, Some(ANSWER), frames).await;
            let message = message.unwrap();
            assert!(seen.accepted && message.is_text(), "{frames:?}");
            // The CSeq line names the method as well, without a blank behind it.
            assert_eq!(requests(&message), number, "{frames:?}");
            assert_eq!(ends(&message), whole, "{frames:?}");
        }
        assert!(framed(true, Some(ANSWER), Frames::Binary).await.1.unwrap().is_binary());
    }

    const ANSWER: &str = "SIP/2.0 405 Method Not Allowed\r\nContent-Length: 0\r\n\r\n";

    #[tokio::test]
    async fn granted_means_that_it_is_a_sip_server() {
        let seen = asked(true, Some(ANSWER)).await;
        assert!(seen.accepted && seen.sip_answer.status == Some(405) && seen.subprotocol.is_some());
        let seen = asked(true, None).await;
        assert!(seen.accepted && seen.sip_answer.status.is_none(), "granted, and closed");
        let seen = asked(false, Some(ANSWER)).await;
        assert!(seen.accepted && seen.subprotocol.is_none(), "it forgets the subprotocol, and speaks SIP");
        for answer in [None, Some("hello")] {
            let seen = asked(false, answer).await;
            assert!(!seen.accepted && seen.status == Some(101), "another program on that port");
        }
    }

    #[tokio::test]
    async fn a_server_that_grants_sip_to_everybody_speaks_it() {
        for subprotocol in [None, Some("ringfence")] {
            let seen = granted(true, Some(ANSWER), Frames::Text, subprotocol).await.0;
            assert!(seen.accepted && seen.sip_answer.status == Some(405), "{subprotocol:?}: {seen:?}");
            let seen = granted(true, None, Frames::Text, subprotocol).await.0;
            assert!(!seen.accepted && seen.status == Some(101), "{subprotocol:?}: {seen:?}");
        }
    }
}
