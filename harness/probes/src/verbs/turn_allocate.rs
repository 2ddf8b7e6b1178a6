//! `turn-allocate`: one TURN Allocate (RFC 8656, section 7), released as soon as it is seen.

use std::time::Duration;

use ringfence_client::adapters::IceServer;
use ringfence_client::{Failure, Net};
use ringfence_model::observation::Outcome;
use ringfence_model::{Digest, Secret, Untrusted};
use ringfence_wire::stun::{Attribute, Class, Message, Method, long_term_key};
use ringfence_wire::turn::{TRANSPORT_UDP, TimedUser};
use ringfence_wire::turn_stream::Frames;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::UdpSocket;
use tokio::time::timeout;

use crate::step_ref::ConfigRef;
use crate::{Asked, Cost, Cx, OwnFault, Probe};

/// First retransmission timeout over UDP (RFC 8489, section 6.2.1); it doubles.
const RTO: Duration = Duration::from_millis(500);
/// Requests sent over UDP before silence counts: 3.5 s in all. RFC 8489 waits for seven, which is 39.5 s (house).
const ATTEMPTS: u32 = 3;
/// How long a stream may take to answer (house).
const STREAM_ANSWER: Duration = Duration::from_secs(5);
/// Default ports (RFC 7065, section 3.2).
const TURN_PORT: u16 = 3478;
const TURNS_PORT: u16 = 5349;
/// A STUN message that is longer is not read (house).
const MAX_ANSWER_BYTES: usize = 2048;

/// See [`Probe::DOES`].
pub struct TurnAllocate;

/// Parameters.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct With {
    /// The step whose configuration names the server; left out: a fresh one.
    pub config: Option<ConfigRef>,
    /// Transport towards the server.
    pub transport: Transport,
    /// Whose credentials to use.
    pub login: Login,
    /// Which of the offered URLs is dialled.
    pub server: Server,
}

/// Transport towards the server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Transport {
    /// UDP.
    #[default]
    Udp,
    /// TCP.
    Tcp,
    /// TLS over TCP.
    Tls,
}

/// Whose credentials are used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Login {
    /// The configuration's.
    #[default]
    Valid,
    /// None.
    None,
    /// The configuration's user name with a wrong password.
    Wrong,
}

/// Which of the offered URLs is dialled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Server {
    /// A `turn:` URL.
    #[default]
    Turn,
    /// A `turns:` URL.
    Turns,
}

/// Observation.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub struct Seen {
    /// A URL of the asked kind is named by the configuration or the target file.
    pub offered: bool,
    /// The server answered anything.
    pub reachable: bool,
    /// The allocation was granted.
    pub allocated: bool,
    /// ERROR-CODE of the final answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_code: Option<u16>,
    /// LIFETIME of the allocation, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lifetime_s: Option<u32>,
    /// NONCE of the first refusal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nonce: Option<Digest>,
    /// The first refusal carries MESSAGE-INTEGRITY.
    pub integrity_on_401: bool,
    /// SOFTWARE.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub software: Option<Untrusted>,
    /// Bytes that we sent.
    pub bytes_out: usize,
    /// Bytes that the server sent.
    pub bytes_in: usize,
    /// Unix time at which a TURN REST user name expires.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub username_expiry_s: Option<i64>,
}

struct Offer {
    host: String,
    port: u16,
    username: String,
    credential: Secret,
}

impl Probe for TurnAllocate {
    const NAME: &'static str = "turn-allocate";
    const DOES: &'static str = "one TURN Allocate, always released";
    type With = With;
    type Seen = Seen;

    fn cost(with: &With) -> Cost {
        Cost { allocations: 1, mints: u32::from(with.config.is_none()), ..Cost::ACTIVE }
    }

    async fn ask(cx: &Cx, with: With) -> Result<Asked<Seen>, OwnFault> {
        let config = match cx.config(with.config.as_ref()).await? {
            Ok(config) => config,
            Err(failure) => return Ok(Asked::failed(Seen::default(), failure)),
        };
        let mut seen = Seen::default();
        let wanted = (with.server, with.transport);
        let Some(offer) = offer(cx, &config.ice_servers, wanted)? else { return Ok(Asked::answered(seen)) };
        seen.offered = true;
        seen.username_expiry_s =
            TimedUser::parse(&offer.username).ok().and_then(|user| i64::try_from(user.expires_unix_s).ok());
        let mut wire = match Wire::open(&cx.net, &offer, with.transport).await {
            Ok(wire) => wire,
            Err(failure) => return Ok(Asked::failed(seen, failure)),
        };
        match converse(cx, &mut wire, &offer, with.login, &mut seen).await {
            Ok(()) => Ok(Asked::answered(seen)),
            Err(failure) => Ok(Asked::failed(seen, failure)),
        }
    }
}

/// The first server of the asked kind, from the configuration or else the target file. A URL that names the asked transport,
/// or none, goes before one that names another.
fn offer(cx: &Cx, servers: &[IceServer], wanted: (Server, Transport)) -> Result<Option<Offer>, OwnFault> {
    for exact in [true, false] {
        for server in servers {
            if let Some((host, port)) = server.urls.iter().find_map(|url| host_port(url, wanted, exact)) {
                let username = server.username.clone().unwrap_or_default();
                let credential = server.credential.clone().unwrap_or_default();
                return Ok(Some(Offer { host, port, username, credential }));
            }
        }
    }
    let own = &cx.target.turn;
    let found = [true, false].iter().find_map(|exact| own.urls.iter().find_map(|url| host_port(url, wanted, *exact)));
    let Some((host, port)) = found else { return Ok(None) };
    let credential = match &own.credential {
        Some(source) => source.read("turn.credential").map_err(OwnFault::new)?,
        None => Secret::default(),
    };
    cx.ledger.add("turn-credential", credential.expose());
    Ok(Some(Offer { host, port, username: own.username.clone().unwrap_or_default(), credential }))
}

/// Host and port of a TURN URL (RFC 7065) of that kind; with `exact`, only if it does not name another transport.
fn host_port(url: &str, (kind, transport): (Server, Transport), exact: bool) -> Option<(String, u16)> {
    let (scheme, rest) = url.trim().split_once(':')?;
    let (word, default) = if kind == Server::Turn { ("turn", TURN_PORT) } else { ("turns", TURNS_PORT) };
    if !scheme.eq_ignore_ascii_case(word) {
        return None;
    }
    let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
    let named = query.split('&').find_map(|part| part.strip_prefix("transport="));
    let asked = if transport == Transport::Udp { "udp" } else { "tcp" };
    if exact && named.is_some_and(|named| !named.eq_ignore_ascii_case(asked)) {
        return None;
    }
    if let Some(v6) = rest.strip_prefix('[') {
        let (host, port) = v6.split_once(']')?;
        return Some((host.to_owned(), port.strip_prefix(':').map_or(Some(default), |p| p.parse().ok())?));
    }
    match rest.rsplit_once(':') {
        Some((host, port)) => Some((host.to_owned(), port.parse().ok()?)),
        None => Some((rest.to_owned(), default)),
    }
}

async fn converse(cx: &Cx, wire: &mut Wire, offer: &Offer, login: Login, seen: &mut Seen) -> Result<(), Failure> {
    let first = wire.ask(allocate()?, None, seen).await?;
    seen.reachable = true;
    seen.software = first.find(|a| if let Attribute::Software(text) = a { Some(Untrusted::new(text)) } else { None });
    if first.class == Class::Success {
        return granted(wire, &first, None, seen).await;
    }
    seen.nonce = first.nonce().map(|nonce| cx.key.digest(nonce.as_bytes()));
    seen.integrity_on_401 = first.is_signed();
    seen.error_code = error_code(&first);
    if login == Login::None {
        return Ok(());
    }
    let password = if login == Login::Wrong { "ringfence-wrong-credential" } else { offer.credential.expose() };
    let mut refusal = first;
    // A nonce may be stale once (438): the answer then brings the next one.
    for _ in 0..2 {
        let (Some(realm), Some(nonce)) = (refusal.realm().map(str::to_owned), refusal.nonce().map(str::to_owned))
        else {
            return Err(Failure::protocol("the refusal names no realm and nonce"));
        };
        let key = long_term_key(&offer.username, &realm, password);
        let login = Auth { username: offer.username.clone(), realm, nonce, key };
        let answer = wire.ask(allocate()?, Some(&login), seen).await?;
        seen.error_code = error_code(&answer);
        if answer.class == Class::Success {
            return granted(wire, &answer, Some(&login), seen).await;
        }
        if seen.error_code != Some(438) {
            return Ok(());
        }
        refusal = answer;
    }
    Ok(())
}

/// Notes the allocation and gives it back at once: a lifetime of 0 ends it (RFC 8656, section 8).
async fn granted(wire: &mut Wire, answer: &Message, login: Option<&Auth>, seen: &mut Seen) -> Result<(), Failure> {
    seen.allocated = true;
    seen.error_code = None;
    seen.lifetime_s = answer.lifetime();
    let release = Message::new(Class::Request, Method::REFRESH, transaction()?).with(Attribute::Lifetime(0));
    // The server's own timer ends it, should this get no answer.
    let _ = wire.ask(release, login, seen).await;
    Ok(())
}

fn allocate() -> Result<Message, Failure> {
    Ok(Message::new(Class::Request, Method::ALLOCATE, transaction()?)
        .with(Attribute::RequestedTransport(TRANSPORT_UDP)))
}

fn transaction() -> Result<[u8; 12], Failure> {
    let mut id = [0; 12];
    getrandom::fill(&mut id).map_err(|error| Failure::protocol(format!("no random bytes: {error}")))?;
    Ok(id)
}

fn error_code(message: &Message) -> Option<u16> {
    message.find(|a| if let Attribute::ErrorCode { code, .. } = a { Some(*code) } else { None })
}

struct Auth {
    username: String,
    realm: String,
    nonce: String,
    key: [u8; 16],
}

trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

enum Wire {
    Datagrams(UdpSocket),
    Stream(Box<dyn Stream>),
}

impl Wire {
    async fn open(net: &Net, offer: &Offer, transport: Transport) -> Result<Self, Failure> {
        Ok(match transport {
            Transport::Udp => Self::Datagrams(net.udp(net.resolve(&offer.host, offer.port).await?).await?),
            Transport::Tcp => Self::Stream(Box::new(net.tcp(&offer.host, offer.port).await?)),
            Transport::Tls => Self::Stream(Box::new(net.tls(&offer.host, offer.port, &[]).await?)),
        })
    }

    /// One request and its answer.
    async fn ask(&mut self, request: Message, login: Option<&Auth>, seen: &mut Seen) -> Result<Message, Failure> {
        let id = request.transaction;
        let bytes = match login {
            None => request.emit(),
            Some(auth) => request
                .with(Attribute::Username(auth.username.clone()))
                .with(Attribute::Realm(auth.realm.clone()))
                .with(Attribute::Nonce(auth.nonce.clone()))
                .signed(&auth.key)
                .and_then(|message| message.emit()),
        };
        let bytes = bytes.map_err(|error| Failure::protocol(format!("cannot write the request: {error}")))?;
        match self {
            Self::Datagrams(socket) => ask_datagrams(socket, &bytes, id, seen).await,
            Self::Stream(stream) => {
                seen.bytes_out += bytes.len();
                timeout(STREAM_ANSWER, ask_stream(stream, &bytes, id, seen)).await.unwrap_or_else(|_| Err(silent()))
            }
        }
    }
}

fn silent() -> Failure {
    Failure { outcome: Outcome::Timeout, error: "the TURN server does not answer".into() }
}

async fn ask_datagrams(socket: &UdpSocket, bytes: &[u8], id: [u8; 12], seen: &mut Seen) -> Result<Message, Failure> {
    for attempt in 0..ATTEMPTS {
        let refused =
            |error: std::io::Error| Failure { outcome: Outcome::Unreachable, error: error.to_string().into() };
        socket.send(bytes).await.map_err(refused)?;
        seen.bytes_out += bytes.len();
        let answer = timeout(RTO * 2u32.pow(attempt), async {
            let mut buffer = [0; MAX_ANSWER_BYTES];
            loop {
                let length = socket.recv(&mut buffer).await.map_err(refused)?;
                seen.bytes_in += length;
                if let Some(message) = answer_to(id, buffer.get(..length).unwrap_or_default()) {
                    return Ok(message);
                }
            }
        });
        if let Ok(answer) = answer.await {
            return answer;
        }
    }
    Err(silent())
}

async fn ask_stream(
    stream: &mut Box<dyn Stream>,
    bytes: &[u8],
    id: [u8; 12],
    seen: &mut Seen,
) -> Result<Message, Failure> {
    let closed = |error: std::io::Error| Failure { outcome: Outcome::Closed, error: error.to_string().into() };
    stream.write_all(bytes).await.map_err(closed)?;
    stream.flush().await.map_err(closed)?;
    let mut frames = Frames::default();
    let mut piece = [0; 512];
    loop {
        while let Some(frame) = frames.next_frame().map_err(|error| Failure::protocol(error.to_string()))? {
            if let Some(message) = answer_to(id, frame) {
                return Ok(message);
            }
        }
        let length = stream.read(&mut piece).await.map_err(closed)?;
        if length == 0 {
            return Err(Failure::closed("the TURN server closed the connection"));
        }
        seen.bytes_in += length;
        frames.push(piece.get(..length).unwrap_or_default());
    }
}

/// The message, if it answers that transaction; anything else on the wire is not ours.
fn answer_to(id: [u8; 12], bytes: &[u8]) -> Option<Message> {
    let message = Message::parse(bytes).ok()?;
    let answers = matches!(message.class, Class::Success | Class::Error);
    (answers && message.transaction == id).then_some(message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn turn_urls_are_read_as_rfc_7065_writes_them() {
        let udp = |url| host_port(url, (Server::Turn, Transport::Udp), true);
        let tls = |url| host_port(url, (Server::Turns, Transport::Tls), true);
        assert_eq!(udp("turn:a.test"), Some(("a.test".into(), 3478)));
        assert_eq!(tls("TURNS:a.test?transport=tcp"), Some(("a.test".into(), 5349)));
        assert_eq!(udp("turn:[2001:db8::1]:99?transport=udp"), Some(("2001:db8::1".into(), 99)));
        assert_eq!(udp("turn:a.test:80?transport=tcp"), None);
        assert_eq!(
            host_port("turn:a.test:80?transport=tcp", (Server::Turn, Transport::Udp), false),
            Some(("a.test".into(), 80))
        );
        for wrong in ["turn:a.test:0x", "stun:a.test", "turns:a.test", "turn"] {
            assert_eq!(udp(wrong), None, "{wrong}");
        }
    }
}
