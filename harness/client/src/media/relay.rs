//! One TURN server of a call (RFC 8656), by `rtc-turn`: the allocation, its permissions and what goes through it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use bytes::BytesMut;
use ringfence_wire::stun::{Class, MAGIC_COOKIE, Message, long_term_key, verify_integrity};
use rtc_crypto::RTCCryptoProvider;
use rtc_shared::{TaggedBytesMut, TransportContext, TransportProtocol};
use rtc_turn::client::{Client, ClientConfig, Event};
use sansio::Protocol as _;

use super::MediaError;
use super::gather::Told;
use super::ice::Path;
use super::plan::{TurnServer, TurnTransport};

/// A TURN server, and what we have there.
pub(super) struct Relay {
    server: TurnServer,
    /// Our end of the way there, and what speaks on it. None while a connection is not there yet, or no more.
    link: Option<(SocketAddr, Client)>,
    relayed: Option<SocketAddr>,
    settled: bool,
    /// Of the server's challenge, and so of our credentials.
    realm: Option<String>,
}

impl Relay {
    /// A server that nobody speaks to yet.
    pub(super) fn new(server: TurnServer) -> Self {
        Self { server, link: None, relayed: None, settled: false, realm: None }
    }

    /// Asks for an allocation from `local`: one of our sockets, or our end of a connection to the server.
    pub(super) fn allocate(
        &mut self,
        now: Instant,
        provider: &Arc<dyn RTCCryptoProvider>,
        local: SocketAddr,
    ) -> Result<(), MediaError> {
        let config = ClientConfig {
            turn_serv_addr: self.server.address.to_string(), // a literal address: nothing is looked up
            local_addr: local,
            // Nothing is repeated on a stream.
            transport_protocol: if self.is_stream() { TransportProtocol::TCP } else { TransportProtocol::UDP },
            username: self.server.username.clone(),
            password: self.server.credential.expose().clone(),
            ..ClientConfig::default()
        };
        let mut client = Client::new(config, provider.clone()).map_err(MediaError::setup)?;
        client.allocate(now).map_err(MediaError::setup)?;
        self.link = Some((local, client));
        Ok(())
    }

    /// The server.
    pub(super) fn server(&self) -> &TurnServer {
        &self.server
    }

    /// Whether the server is reached over TCP or TLS.
    pub(super) fn is_stream(&self) -> bool {
        self.server.transport != TurnTransport::Udp
    }

    /// Whether there is an allocation, or will be none.
    pub(super) fn is_settled(&self) -> bool {
        self.settled
    }

    /// The way from us to the server.
    pub(super) fn path(&self) -> Option<Path> {
        self.link.as_ref().map(|(local, _)| Path { local: *local, remote: self.server.address })
    }

    /// Our address on the server, also after the way there was lost.
    pub(super) fn relayed(&self) -> Option<SocketAddr> {
        self.relayed
    }

    /// Takes what the server sent.
    pub(super) fn input(&mut self, now: Instant, bytes: &[u8]) -> Vec<Told> {
        let Some((path, message)) = self.path().zip(self.credible(bytes)) else { return Vec::new() };
        let transport = TransportContext {
            local_addr: path.local,
            peer_addr: path.remote,
            transport_protocol: TransportProtocol::UDP, // never looked at
            ecn: None,
        };
        if let Some((_, client)) = &mut self.link {
            let _ = client.handle_read(TaggedBytesMut { now, transport, message }); // or drops it
        }
        self.take_events()
    }

    /// What may be believed of it. RFC 8489, section 9.2.5: who has sent credentials believes no success that is not signed with
    /// them, and section 14.5: nor what anybody could have added behind the signature. `rtc-turn` looks at neither. An error is
    /// believed as it is: it can take away no more than silence.
    fn credible(&mut self, bytes: &[u8]) -> Option<BytesMut> {
        // What `rtc-turn` takes for STUN, whatever the first two bits say; else it is data of a channel.
        if bytes.get(4..8) != Some(&MAGIC_COOKIE.to_be_bytes()) {
            return Some(bytes.into());
        }
        let message = Message::parse(bytes).ok()?;
        match (message.class, &self.realm) {
            (Class::Success, Some(realm)) => {
                let password = self.server.credential.expose();
                verify_integrity(bytes, &long_term_key(&self.server.username, realm, password)).ok()?;
            }
            (Class::Success | Class::Error, None) if message.nonce().is_some() => {
                self.realm = message.realm().map(str::to_owned);
            }
            _ => {}
        }
        if !message.is_signed() {
            return Some(bytes.into());
        }
        let attributes = message.trusted().cloned().collect();
        Message { attributes, ..message }.emit().ok().map(|bytes| bytes.as_slice().into())
    }

    /// Retransmits, refreshes, gives up.
    pub(super) fn timeout(&mut self, now: Instant) -> Vec<Told> {
        if self.poll_timeout().is_none_or(|at| at > now) {
            return Vec::new();
        }
        if let Some((_, client)) = &mut self.link {
            let _ = client.handle_timeout(now); // never fails
        }
        self.take_events()
    }

    /// When [`Relay::timeout`] is due.
    pub(super) fn poll_timeout(&mut self) -> Option<Instant> {
        self.link.as_mut().and_then(|(_, client)| client.poll_timeout())
    }

    /// The next thing to send to the server.
    pub(super) fn poll_transmit(&mut self) -> Option<(Path, Vec<u8>)> {
        let path = self.path()?;
        let (_, client) = self.link.as_mut()?;
        Some((path, client.poll_write()?.message.to_vec()))
    }

    /// The connection could not be made, or is gone: nothing goes to the server any more.
    pub(super) fn lost(&mut self, why: String) -> Told {
        (self.link, self.settled) = (None, true);
        match self.relayed {
            Some(relayed) => Told::Lost(relayed, why),
            None => Told::Refused(why),
        }
    }

    /// Lets these peers send to our relayed address. RFC 8656, section 9.
    pub(super) fn permit(&mut self, now: Instant, peers: impl Iterator<Item = SocketAddr>) {
        let (Some(relayed), Some((_, client))) = (self.relayed, &mut self.link) else { return };
        for peer in peers.filter(|peer| peer.is_ipv4() == relayed.is_ipv4()) {
            if let Ok(mut handle) = client.relay(relayed) {
                let _ = handle.create_permission(now, peer); // a refusal shows as an unanswered pair
            }
        }
    }

    /// Sends to a peer; without a permission yet it is lost, as on any bad path.
    pub(super) fn send(&mut self, now: Instant, peer: SocketAddr, bytes: &[u8]) {
        let (Some(relayed), Some((_, client))) = (self.relayed, &mut self.link) else { return };
        if let Ok(mut handle) = client.relay(relayed) {
            let _ = handle.send_to(now, bytes, peer);
        }
    }

    /// Gives the allocation back. RFC 8656, section 3.2.
    pub(super) fn close(&mut self, now: Instant) {
        let (Some(relayed), Some((_, client))) = (self.relayed, &mut self.link) else { return };
        if let Ok(mut handle) = client.relay(relayed) {
            let _ = handle.close(now); // the server's own timer ends what we cannot
        }
    }

    fn take_events(&mut self) -> Vec<Told> {
        let mut told = Vec::new();
        let Some((local, client)) = &mut self.link else { return told };
        while let Some(event) = client.poll_event() {
            match event {
                Event::AllocateResponse(_, relayed) => {
                    (self.relayed, self.settled) = (Some(relayed), true);
                    told.push(Told::Relayed(relayed, *local, self.server.transport));
                }
                Event::AllocateError(_, error) if !self.settled => {
                    self.settled = true;
                    told.push(Told::Refused(error.to_string()));
                }
                Event::TransactionTimeout(_) if !self.settled => {
                    self.settled = true;
                    told.push(Told::Refused("the TURN server does not answer".into()));
                }
                Event::DataIndicationOrChannelData(_, peer, data) => {
                    if let Some(relayed) = self.relayed {
                        told.push(Told::Data(Path { local: relayed, remote: peer }, data.to_vec()));
                    }
                }
                _ => {}
            }
        }
        told
    }
}
