//! What each request does, and what is answered.

use std::net::IpAddr;
use std::time::{Duration, Instant};

use ringfence_wire::stun::{AddressFamily, Attribute, Class, Message, Method};
use ringfence_wire::turn::{CHANNELS, TRANSPORT_UDP};

use super::allocation::{Allocation, Full, NotBound, Port};
use super::credentials::{Unbelieved, User};
use super::{Client, Turn};
use crate::fault::Fault;
use crate::figures::{TURN_ALLOCATIONS, TURN_LIFETIME_S, TURN_MAX_LIFETIME_S, TURN_PER_USER, TURN_REALM};
use crate::log::Line;

/// Below this an attribute that is not understood refuses the request. RFC 8489, section 14.
const OPTIONAL_FROM: u16 = 0x8000;
const DONT_FRAGMENT: u16 = 0x001a;

/// An error response in the making.
struct Refusal(u16, &'static str);

impl Turn {
    /// The answer to a request; `None` if there is none to give.
    pub(super) async fn request(
        &mut self,
        bytes: &[u8],
        message: &Message,
        client: Client,
        now: Instant,
    ) -> Option<Vec<u8>> {
        if message.method == Method::BINDING {
            let answer = match unknown(message) {
                Some(unknown) => refused(message, Refusal(420, "Unknown Attribute")).with(unknown),
                None => success(message).with(Attribute::XorMappedAddress(client.address)),
            };
            return answer.fingerprinted().ok()?.emit().ok();
        }
        if !TURN_METHODS.contains(&message.method) {
            return refused(message, Refusal(400, "Bad Request")).emit().ok();
        }
        let (answer, user) = match self.credentials.check(bytes, message, client.address, now) {
            Ok(user) => (self.serve_user(message, client, Some(&user), now).await, Some(user)),
            Err(Unbelieved::Anonymous) if self.lets_strangers(message, client, now) => {
                (self.serve_user(message, client, None, now).await, None)
            }
            Err(unbelieved) => (self.unbelieved(message, unbelieved, client, now), None),
        };
        self.note(message, &answer, client);
        // RFC 8489, section 9.2.4: signed with the key of the request, never where that key was not shown to be known.
        let answer = match user {
            Some(User { key, .. }) => answer.signed(&key).ok()?,
            None => answer,
        };
        answer.emit().ok()
    }

    /// Whether a request without MESSAGE-INTEGRITY is served. An allocation that needed no login needs none later.
    fn lets_strangers(&self, message: &Message, client: Client, now: Instant) -> bool {
        match self.living(client, now) {
            Some(allocation) => allocation.owner.is_none(),
            None => message.method == Method::ALLOCATE && self.faults.broken(Fault::TurnOpen),
        }
    }

    fn unbelieved(&self, message: &Message, why: Unbelieved, client: Client, now: Instant) -> Message {
        let refusal = match why {
            Unbelieved::Malformed => return refused(message, Refusal(400, "Bad Request")),
            Unbelieved::StaleNonce => Refusal(438, "Stale Nonce"),
            Unbelieved::Anonymous | Unbelieved::Wrong => Refusal(401, "Unauthorized"),
        };
        refused(message, refusal)
            .with(Attribute::Realm(TURN_REALM.to_owned()))
            .with(Attribute::Nonce(self.credentials.nonce(client.address, now)))
    }

    async fn serve_user(&mut self, message: &Message, client: Client, user: Option<&User>, now: Instant) -> Message {
        if let Some(unknown) = unknown(message) {
            return refused(message, Refusal(420, "Unknown Attribute")).with(unknown);
        }
        let served = match message.method {
            Method::ALLOCATE => self.allocate(message, client, user, now).await,
            method => match self.allocations.get_mut(&client).filter(|allocation| now < allocation.expires) {
                None => Err(Refusal(437, "Allocation Mismatch")),
                Some(held) if held.owner.as_ref() != user.map(|user| &user.name) => {
                    Err(Refusal(441, "Wrong Credentials"))
                }
                Some(_) => match method {
                    Method::REFRESH => self.refresh(message, client, now),
                    Method::CREATE_PERMISSION => self.create_permission(message, client, now),
                    _ => self.channel_bind(message, client, now),
                },
            },
        };
        served.unwrap_or_else(|refusal| refused(message, refusal))
    }

    /// RFC 8656, section 7.2.
    async fn allocate(
        &mut self,
        message: &Message,
        client: Client,
        user: Option<&User>,
        now: Instant,
    ) -> Result<Message, Refusal> {
        if let Some(held) = self.living(client, now) {
            let again = held.made_by == message.transaction;
            return if again {
                Ok(granted(message, client, held, now))
            } else {
                Err(Refusal(437, "Allocation Mismatch"))
            };
        }
        match message.requested_transport() {
            None => return Err(Refusal(400, "Bad Request")),
            Some(TRANSPORT_UDP) => {}
            Some(_) => return Err(Refusal(442, "Unsupported Transport Protocol")),
        }
        let relay_ip = self.socket.local_addr().map_err(|_| Refusal(508, "Insufficient Capacity"))?.ip();
        let family = |a: &Attribute| if let Attribute::RequestedAddressFamily(f) = a { Some(*f) } else { None };
        // Not asked means IPv4. RFC 8656, section 18.6.
        if message.find(family).unwrap_or(AddressFamily::V4) != family_of(relay_ip) {
            return Err(Refusal(440, "Address Family not Supported"));
        }
        let even = message.find(|a| if let Attribute::EvenPort(reserve) = a { Some(*reserve) } else { None });
        self.allocations.retain(|_, allocation| now < allocation.expires);
        let owner = user.map(|user| user.name.clone());
        if owner.is_some() && self.allocations.values().filter(|held| held.owner == owner).count() >= TURN_PER_USER {
            return Err(Refusal(486, "Allocation Quota Reached"));
        }
        // The next port is never reserved here.
        if self.allocations.len() >= TURN_ALLOCATIONS || even == Some(true) {
            return Err(Refusal(508, "Insufficient Capacity"));
        }
        let port = Port::open(relay_ip, even.is_some()).await.map_err(|_| Refusal(508, "Insufficient Capacity"))?;
        let expires = now + lifetime(message);
        let allocation = Allocation::start(port, (client, owner), message.transaction, expires, self.queue.clone());
        let answer = granted(message, client, &allocation, now);
        self.allocations.insert(client, allocation);
        Ok(answer)
    }

    /// RFC 8656, section 8.2.
    fn refresh(&mut self, message: &Message, client: Client, now: Instant) -> Result<Message, Refusal> {
        if message.lifetime() == Some(0) {
            self.allocations.remove(&client);
            return Ok(success(message).with(Attribute::Lifetime(0)));
        }
        let held = self.held(client)?;
        held.expires = now + lifetime(message);
        Ok(success(message).with(Attribute::Lifetime(held.left_s(now))))
    }

    /// RFC 8656, section 10.2.
    fn create_permission(&mut self, message: &Message, client: Client, now: Instant) -> Result<Message, Refusal> {
        let peers: Vec<IpAddr> = message.peer_addresses().map(|peer| peer.ip()).collect();
        if peers.is_empty() {
            return Err(Refusal(400, "Bad Request"));
        }
        peers.iter().try_for_each(|peer| self.permittable(*peer))?;
        self.held(client)?.permit(&peers, now).map_err(|Full| Refusal(508, "Insufficient Capacity"))?;
        Ok(success(message))
    }

    /// RFC 8656, section 12.2.
    fn channel_bind(&mut self, message: &Message, client: Client, now: Instant) -> Result<Message, Refusal> {
        let (Some(number), Some(peer)) = (message.channel_number(), message.peer_addresses().next()) else {
            return Err(Refusal(400, "Bad Request"));
        };
        if !CHANNELS.contains(&number) {
            return Err(Refusal(400, "Bad Request"));
        }
        self.reachable(peer.ip())?;
        if !self.peers.may_send(peer) {
            return Err(Refusal(403, "Forbidden"));
        }
        self.held(client)?.bind(number, peer, now).map_err(|why| match why {
            NotBound::Conflict => Refusal(400, "Bad Request"),
            NotBound::Full => Refusal(508, "Insufficient Capacity"),
        })?;
        Ok(success(message))
    }

    fn permittable(&self, peer: IpAddr) -> Result<(), Refusal> {
        let unlisted = self.reachable(peer);
        let is_plain = matches!(peer, IpAddr::V4(peer) if !peer.is_multicast());
        if unlisted.is_err() && is_plain && self.faults.broken(Fault::TurnAclMissing) { Ok(()) } else { unlisted }
    }

    fn reachable(&self, peer: IpAddr) -> Result<(), Refusal> {
        if self.peers.allowed(peer) {
            return Ok(());
        }
        Err(Refusal(403, "Forbidden"))
    }

    fn held(&mut self, client: Client) -> Result<&mut Allocation, Refusal> {
        self.allocations.get_mut(&client).ok_or(Refusal(437, "Allocation Mismatch"))
    }

    fn note(&self, message: &Message, answer: &Message, client: Client) {
        let status = answer.error_code().unwrap_or(200);
        let user = message.username().unwrap_or_default();
        let method = match message.method {
            Method::ALLOCATE => "Allocate",
            Method::REFRESH => "Refresh",
            Method::CREATE_PERMISSION => "CreatePermission",
            _ => "ChannelBind",
        };
        self.log.write(Line { part: "turn", method, status, user, source: client.address.ip() });
    }
}

const TURN_METHODS: [Method; 4] = [Method::ALLOCATE, Method::REFRESH, Method::CREATE_PERMISSION, Method::CHANNEL_BIND];

/// Whether the attribute has to be understood and is not. DONT-FRAGMENT counts: this server cannot set the bit.
pub(super) fn is_unknown(attribute: &Attribute) -> bool {
    match attribute {
        Attribute::Other { kind, .. } => *kind < OPTIONAL_FROM,
        Attribute::DontFragment => true,
        _ => false,
    }
}

fn unknown(message: &Message) -> Option<Attribute> {
    let kinds: Vec<u16> = message
        .trusted()
        .filter(|attribute| is_unknown(attribute))
        .map(|attribute| if let Attribute::Other { kind, .. } = attribute { *kind } else { DONT_FRAGMENT })
        .collect();
    (!kinds.is_empty()).then_some(Attribute::UnknownAttributes(kinds))
}

/// What is wished, but no less than the default and no more than an hour. RFC 8656, section 7.2.
fn lifetime(message: &Message) -> Duration {
    let wished = message.lifetime().unwrap_or(TURN_LIFETIME_S);
    Duration::from_secs(u64::from(wished.clamp(TURN_LIFETIME_S, TURN_MAX_LIFETIME_S)))
}

fn family_of(ip: IpAddr) -> AddressFamily {
    if ip.is_ipv4() { AddressFamily::V4 } else { AddressFamily::V6 }
}

fn granted(request: &Message, client: Client, allocation: &Allocation, now: Instant) -> Message {
    success(request)
        .with(Attribute::XorRelayedAddress(allocation.relayed))
        .with(Attribute::Lifetime(allocation.left_s(now)))
        .with(Attribute::XorMappedAddress(client.address))
}

fn success(request: &Message) -> Message {
    Message::new(Class::Success, request.method, request.transaction)
}

fn refused(request: &Message, Refusal(code, reason): Refusal) -> Message {
    let error = Attribute::ErrorCode { code, reason: reason.to_owned() };
    Message::new(Class::Error, request.method, request.transaction).with(error)
}
