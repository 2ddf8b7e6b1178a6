//! Allocate (RFC 8656, section 7), and what is asked of an allocation that is there. Every answer is given as it came.

use std::net::SocketAddr;
use std::time::Duration;

use ringfence_model::Secret;
use ringfence_wire::stun::{AddressFamily, Attribute, Class, Message, Method, TransactionId, long_term_key};
use ringfence_wire::turn::{CHANNELS, ChannelData, TRANSPORT_TCP, TRANSPORT_UDP};

use super::wire::{Bytes, Server, Wire};
use crate::{Failure, Net};

// RFC 8489, section 18.3; RFC 8656, section 17; RFC 6062, section 6.2.
const PASSWORD_ALGORITHMS: u16 = 0x8002;
const ADDITIONAL_ADDRESS_FAMILY: u16 = 0x8000;
const CONNECTION_ID: u16 = 0x002a;
/// How a nonce begins that announces the features of RFC 8489 (section 9.2).
const NONCE_COOKIE: &str = "obMatJos2";
const STALE_NONCE: u16 = 438;
/// PASSWORD-ALGORITHMS of one answer that are read (house).
const MAX_ALGORITHMS: usize = 16;

/// Who asks.
#[derive(Clone, Debug)]
pub struct Credentials {
    /// USERNAME.
    pub username: String,
    /// Its password.
    pub password: Secret,
    /// REALM, where it shall not be the server's own.
    pub realm: Option<String>,
}

/// The address family of a relayed address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// REQUESTED-ADDRESS-FAMILY IPv4.
    V4,
    /// REQUESTED-ADDRESS-FAMILY IPv6.
    V6,
    /// ADDITIONAL-ADDRESS-FAMILY IPv6 beside IPv4. RFC 8656, section 7.1.
    Both,
}

/// What an allocation is wished to be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wish {
    /// Family; `None` says nothing of it, which means IPv4.
    pub family: Option<Family>,
    /// Peers are reached over TCP. RFC 6062.
    pub tcp_peers: bool,
}

/// What a server says to a client that has not told its name.
#[derive(Clone, Debug, Default)]
pub struct First {
    /// ERROR-CODE; `None` if it granted at once.
    pub error_code: Option<u16>,
    /// SOFTWARE.
    pub software: Option<String>,
    /// REALM.
    pub realm: Option<String>,
    /// NONCE.
    pub nonce: Option<String>,
    /// The nonce announces the features of RFC 8489.
    pub nonce_cookie: bool,
    /// PASSWORD-ALGORITHMS: `md5`, `sha-256`, or the number.
    pub password_algorithms: Vec<String>,
    /// MESSAGE-INTEGRITY is there.
    pub is_signed: bool,
}

/// An allocation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Granted {
    /// XOR-RELAYED-ADDRESS, one of each family at most.
    pub relayed: Vec<SocketAddr>,
    /// XOR-MAPPED-ADDRESS: where the server sees us.
    pub mapped: Option<SocketAddr>,
    /// LIFETIME in seconds.
    pub lifetime_s: Option<u32>,
}

/// An error response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refused {
    /// ERROR-CODE; `None` if the response has none.
    pub code: Option<u16>,
}

/// A success response, or an error response.
pub type Answer = Result<Message, Refused>;

/// One client of a server: a connection, and the allocation on it.
pub struct Client {
    wire: Wire,
    wish: Wish,
    /// Realm and nonce of the last refusal.
    challenge: Option<(String, String)>,
    auth: Option<Auth>,
    granted: Option<Granted>,
}

#[derive(Clone)]
struct Auth {
    credentials: Credentials,
    realm: String,
    nonce: String,
}

impl Client {
    /// Connects; nothing is asked yet.
    ///
    /// # Errors
    /// As [`Wire::open`].
    pub async fn open(net: &Net, server: &Server, wish: Wish) -> Result<Self, Failure> {
        let wire = Wire::open(net, server).await?;
        Ok(Self { wire, wish, challenge: None, auth: None, granted: None })
    }

    /// Allocates without credentials: the usual way to learn realm and nonce, and what must not be granted.
    ///
    /// # Errors
    /// No answer, or the connection is gone.
    pub async fn first(&mut self) -> Result<First, Failure> {
        let answer = self.ask(self.wish.request()?, None).await?;
        let first = First::read(&answer);
        self.challenge = first.realm.clone().zip(first.nonce.clone());
        if answer.class == Class::Success {
            self.granted = Some(Granted::read(&answer));
        }
        Ok(first)
    }

    /// Allocates with credentials, behind [`Client::first`].
    ///
    /// # Errors
    /// No answer, the connection is gone, or the refusals before name no realm and nonce.
    pub async fn allocate(&mut self, credentials: &Credentials) -> Result<Answer, Failure> {
        let Some((realm, nonce)) = self.challenge.clone() else {
            return Err(Failure::protocol("the refusal names no realm and nonce"));
        };
        let realm = credentials.realm.clone().unwrap_or(realm);
        self.auth = Some(Auth { credentials: credentials.clone(), realm, nonce });
        let answer = self.signed(self.wish.request()?).await?;
        if let Ok(message) = &answer {
            self.granted = Some(Granted::read(message));
        }
        Ok(answer)
    }

    /// Another client of the same server, allowed in as this one.
    ///
    /// # Errors
    /// No connection, no answer, or no allocation.
    pub async fn sibling(&self, net: &Net, server: &Server) -> Result<Self, Failure> {
        let mut sibling = Self::open(net, server, self.wish).await?;
        sibling.first().await?;
        if let Some(auth) = self.auth.as_ref().filter(|_| sibling.granted.is_none()) {
            let _ = sibling.allocate(&auth.credentials).await?; // what came of it shows below
        }
        match sibling.granted {
            Some(_) => Ok(sibling),
            None => Err(Failure::protocol("a second allocation is refused")),
        }
    }

    /// The allocation, if there is one.
    pub fn granted(&self) -> Option<&Granted> {
        self.granted.as_ref()
    }

    /// Whether its peers are reached over TCP.
    pub fn has_tcp_peers(&self) -> bool {
        self.wish.tcp_peers
    }

    /// Our end, and the server.
    pub fn ends(&self) -> (SocketAddr, SocketAddr) {
        (self.wire.local(), self.wire.remote())
    }

    /// What went over the connection so far.
    pub fn bytes(&self) -> Bytes {
        self.wire.bytes()
    }

    /// CreatePermission for one peer. RFC 8656, section 10.
    ///
    /// # Errors
    /// No answer, or the connection is gone; as the three below.
    pub async fn permit(&mut self, peer: SocketAddr) -> Result<Answer, Failure> {
        let request = request(Method::CREATE_PERMISSION)?.with(Attribute::XorPeerAddress(peer));
        self.signed(request).await
    }

    /// ChannelBind. RFC 8656, section 12.
    ///
    /// # Errors
    /// As [`Client::permit`].
    pub async fn bind(&mut self, channel: u16, peer: SocketAddr) -> Result<Answer, Failure> {
        let request = request(Method::CHANNEL_BIND)?
            .with(Attribute::ChannelNumber(channel))
            .with(Attribute::XorPeerAddress(peer));
        self.signed(request).await
    }

    /// Connect, which has the server connect to a peer over TCP. RFC 6062, section 4.3. Nothing is sent on that connection.
    ///
    /// # Errors
    /// As [`Client::permit`].
    pub async fn connect(&mut self, peer: SocketAddr) -> Result<Answer, Failure> {
        let request = request(Method::CONNECT)?.with(Attribute::XorPeerAddress(peer));
        self.signed(request).await
    }

    /// A connection of its own on which the peer of that Connect speaks. RFC 6062, section 4.3.
    ///
    /// # Errors
    /// The server refuses, does not answer, or gave no CONNECTION-ID.
    pub async fn bind_connection(&self, net: &Net, server: &Server, connected: &Message) -> Result<Wire, Failure> {
        let id = connected.find(|a| match a {
            Attribute::Other { kind: CONNECTION_ID, value } => Some(value.clone()),
            _ => None,
        });
        let value = id.ok_or_else(|| Failure::protocol("the answer to Connect has no CONNECTION-ID"))?;
        let wire = Wire::open(net, server).await?;
        let mut second = Self { wire, wish: self.wish, challenge: None, auth: self.auth.clone(), granted: None };
        let request = request(Method::CONNECTION_BIND)?.with(Attribute::Other { kind: CONNECTION_ID, value });
        match second.signed(request).await? {
            Ok(_) => Ok(second.wire),
            Err(refused) => Err(Failure::protocol(format!("ConnectionBind is refused: {:?}", refused.code))),
        }
    }

    /// A Send indication. RFC 8656, section 11.1.
    ///
    /// # Errors
    /// The connection is gone.
    pub async fn send(&mut self, peer: SocketAddr, data: &[u8]) -> Result<(), Failure> {
        let message = Message::new(Class::Indication, Method::SEND, transaction()?)
            .with(Attribute::XorPeerAddress(peer))
            .with(Attribute::Data(data.to_vec()));
        let bytes = message.emit().map_err(unwritable)?;
        self.wire.send(&bytes).await
    }

    /// Data on a bound channel. RFC 8656, section 12.5.
    ///
    /// # Errors
    /// The connection is gone.
    pub async fn send_on(&mut self, channel: u16, data: &[u8]) -> Result<(), Failure> {
        let bytes = ChannelData { channel, data }.emit().map_err(unwritable)?;
        self.wire.send(&bytes).await
    }

    /// What a peer sent next, by Data indication or on a channel; `None` when the time is up.
    ///
    /// # Errors
    /// The connection is gone.
    pub async fn received(&mut self, wait: Duration) -> Result<Option<Vec<u8>>, Failure> {
        let Some(bytes) = self.wire.unasked(wait).await? else { return Ok(None) };
        if let Ok(ChannelData { channel, data }) = ChannelData::parse(&bytes)
            && CHANNELS.contains(&channel)
        {
            return Ok(Some(data.to_vec()));
        }
        let data = Message::parse(&bytes).ok().filter(|message| message.method == Method::DATA);
        Ok(Some(data.and_then(|message| message.data().map(<[u8]>::to_vec)).unwrap_or_default()))
    }

    /// Gives the allocation back: a lifetime of 0 ends it (RFC 8656, section 8). Without an answer the server's own timer
    /// ends it.
    pub async fn release(&mut self) {
        if self.granted.take().is_none() {
            return;
        }
        if let Ok(release) = request(Method::REFRESH) {
            let _ = self.signed(release.with(Attribute::Lifetime(0))).await;
        }
    }

    /// Asks as who allocated. A nonce may be stale once (438): the answer then brings the next one.
    async fn signed(&mut self, request: Message) -> Result<Answer, Failure> {
        let mut stale = false;
        loop {
            let mut again = request.clone();
            again.transaction = transaction()?;
            let auth = self.auth.clone();
            let answer = self.ask(again, auth.as_ref()).await?;
            if answer.class == Class::Success {
                return Ok(Ok(answer));
            }
            let (realm, nonce) = (answer.realm().map(str::to_owned), answer.nonce().map(str::to_owned));
            let fresh = realm.zip(nonce);
            if let Some(fresh) = fresh.clone() {
                self.challenge = Some(fresh);
            }
            let code = answer.error_code();
            match (&mut self.auth, fresh) {
                (Some(auth), Some((_, nonce))) if code == Some(STALE_NONCE) && !stale => {
                    stale = true;
                    auth.nonce = nonce;
                }
                _ => return Ok(Err(Refused { code })),
            }
        }
    }

    async fn ask(&mut self, request: Message, auth: Option<&Auth>) -> Result<Message, Failure> {
        let id = request.transaction;
        let bytes = match auth {
            None => request.emit(),
            Some(Auth { credentials, realm, nonce }) => {
                let key = long_term_key(&credentials.username, realm, credentials.password.expose());
                request
                    .with(Attribute::Username(credentials.username.clone()))
                    .with(Attribute::Realm(realm.clone()))
                    .with(Attribute::Nonce(nonce.clone()))
                    .signed(&key)
                    .and_then(|message| message.emit())
            }
        };
        self.wire.ask(&bytes.map_err(unwritable)?, id).await
    }
}

impl Wish {
    fn request(self) -> Result<Message, Failure> {
        let protocol = if self.tcp_peers { TRANSPORT_TCP } else { TRANSPORT_UDP };
        let request = request(Method::ALLOCATE)?.with(Attribute::RequestedTransport(protocol));
        Ok(match self.family {
            None => request,
            Some(Family::V4) => request.with(Attribute::RequestedAddressFamily(AddressFamily::V4)),
            Some(Family::V6) => request.with(Attribute::RequestedAddressFamily(AddressFamily::V6)),
            Some(Family::Both) => {
                request.with(Attribute::Other { kind: ADDITIONAL_ADDRESS_FAMILY, value: vec![2, 0, 0, 0] })
            }
        })
    }
}

impl First {
    fn read(answer: &Message) -> Self {
        let algorithms = answer.find(|a| match a {
            Attribute::Other { kind: PASSWORD_ALGORITHMS, value } => Some(algorithms(value)),
            _ => None,
        });
        Self {
            error_code: answer.error_code(),
            software: answer.find(|a| if let Attribute::Software(text) = a { Some(text.clone()) } else { None }),
            realm: answer.realm().map(str::to_owned),
            nonce: answer.nonce().map(str::to_owned),
            nonce_cookie: answer.nonce().is_some_and(|nonce| nonce.starts_with(NONCE_COOKIE)),
            password_algorithms: algorithms.unwrap_or_default(),
            is_signed: answer.is_signed(),
        }
    }
}

impl Granted {
    fn read(answer: &Message) -> Self {
        let relayed = answer.trusted().filter_map(|a| match a {
            Attribute::XorRelayedAddress(address) => Some(*address),
            _ => None,
        });
        Self { relayed: relayed.take(2).collect(), mapped: answer.mapped_address(), lifetime_s: answer.lifetime() }
    }
}

/// PASSWORD-ALGORITHMS: numbers and the lengths of their parameters. RFC 8489, section 14.11.
fn algorithms(mut value: &[u8]) -> Vec<String> {
    let mut names = Vec::new();
    while let Some(([a, b, c, d], rest)) = value.split_first_chunk::<4>() {
        names.push(match u16::from_be_bytes([*a, *b]) {
            1 => "md5".to_owned(),
            2 => "sha-256".to_owned(),
            other => other.to_string(),
        });
        let length = usize::from(u16::from_be_bytes([*c, *d])).next_multiple_of(4);
        value = rest.get(length..).unwrap_or_default();
        if names.len() == MAX_ALGORITHMS {
            break;
        }
    }
    names
}

fn request(method: Method) -> Result<Message, Failure> {
    Ok(Message::new(Class::Request, method, transaction()?))
}

fn transaction() -> Result<TransactionId, Failure> {
    let mut id = [0; 12];
    getrandom::fill(&mut id).map_err(|error| Failure::protocol(format!("no random bytes: {error}")))?;
    Ok(id)
}

fn unwritable(error: ringfence_wire::Error) -> Failure {
    Failure::protocol(format!("cannot write to the TURN server: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn password_algorithms_are_read_with_their_parameters() {
        assert_eq!(algorithms(&[0, 2, 0, 0, 0, 1, 0, 0]), ["sha-256", "md5"]);
        assert_eq!(algorithms(&[0, 9, 0, 3, 1, 2, 3, 0, 0, 1, 0, 0]), ["9", "md5"]);
        assert_eq!(algorithms(&[0, 1, 0xff, 0xff]), ["md5"]);
        assert!(algorithms(&[0, 2]).is_empty());
        assert_eq!(algorithms(&[0; 1000]).len(), MAX_ALGORITHMS);
    }
}
