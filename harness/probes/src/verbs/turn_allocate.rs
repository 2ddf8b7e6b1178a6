//! `turn-allocate`: a TURN Allocate (RFC 8656, section 7), or several. What is granted is kept for later steps, and always
//! given back.

mod logins;
mod offers;

use std::time::Duration;

use ringfence_client::adapters::CallConfig;
use ringfence_client::media::TurnTransport;
use ringfence_client::turn::{Client, Credentials, Family, Server as ServerAddress, Wish};
use ringfence_client::{Failure, Net};
use ringfence_model::{Digest, Untrusted};
use ringfence_wire::turn::TimedUser;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;
use tokio::time::sleep;

use crate::address::Address;
use crate::step_ref::ConfigRef;
use crate::{Asked, Cost, Cx, Kept, OwnFault, Probe};

/// Between two allocations of one step: five a second.
const RAMP: Duration = Duration::from_millis(200);
/// Allocations of one step at most.
const MAX_TIMES: u32 = 100;

/// See [`Probe::DOES`].
pub struct TurnAllocate;

/// Parameters.
#[derive(Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct With {
    /// The step whose configuration names the server; left out: a fresh one.
    pub config: Option<ConfigRef>,
    /// Transport towards the server.
    pub transport: Transport,
    /// Whose credentials to use.
    pub login: Login,
    /// The wished family of the relayed address; left out: not said, which means IPv4.
    pub family: Option<FamilyWord>,
    /// What is relayed.
    pub relay_protocol: RelayProtocol,
    /// How many, each from a port of its own, five a second; the first that is not granted is the last.
    #[schemars(range(min = 1, max = 100))]
    pub times: u32,
    /// From which address of this machine.
    pub address: Address,
    /// Which of the offered URLs is dialled.
    pub server: Server,
}

impl Default for With {
    fn default() -> Self {
        Self {
            config: None,
            transport: Transport::Udp,
            login: Login::Valid,
            family: None,
            relay_protocol: RelayProtocol::Udp,
            times: 1,
            address: Address::Own,
            server: Server::Turn,
        }
    }
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
#[serde(rename_all = "kebab-case")]
pub enum Login {
    /// The configuration's.
    #[default]
    Valid,
    /// None.
    None,
    /// The configuration's, one bit of the password changed.
    Wrong,
    /// The configuration's once its time has passed by ten seconds, else the pair of `turn.expired_login`.
    Expired,
    /// Ten pairs that servers and tutorials come with, one after the other.
    Static,
    /// The configuration's user name with the password that a second participant got.
    OtherParticipant,
    /// The SIP account, under the server's realm and then under that of SIP.
    Sip,
}

/// Address family of the relayed address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
pub enum FamilyWord {
    /// IPv4.
    #[serde(rename = "4")]
    V4,
    /// IPv6.
    #[serde(rename = "6")]
    V6,
    /// Both.
    #[serde(rename = "both")]
    Both,
}

/// What is relayed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum RelayProtocol {
    /// UDP.
    #[default]
    Udp,
    /// TCP: RFC 6062.
    Tcp,
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
    /// How many were granted.
    pub granted: u32,
    /// How many pairs of user name and password there were to try.
    pub tried: u32,
    /// ERROR-CODE of the final answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_code: Option<u16>,
    /// LIFETIME of the allocation, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lifetime_s: Option<u32>,
    /// NONCE of the first refusal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nonce: Option<Digest>,
    /// The nonce announces the features of RFC 8489.
    pub nonce_cookie: bool,
    /// PASSWORD-ALGORITHMS of the first refusal: `md5`, `sha-256`, or a number.
    pub password_algorithms: Vec<Untrusted>,
    /// The first refusal carries MESSAGE-INTEGRITY.
    pub integrity_on_401: bool,
    /// SOFTWARE.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub software: Option<Untrusted>,
    /// The connection's TLS.
    pub tls: TlsSeen,
    /// Relayed addresses.
    pub relayed: Vec<Untrusted>,
    /// Bytes that we sent.
    pub bytes_out: usize,
    /// Bytes that the server sent.
    pub bytes_in: usize,
    /// Unix time at which a TURN REST user name expires.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub username_expiry_s: Option<i64>,
}

/// The connection's TLS.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub struct TlsSeen {
    /// There is TLS, and its certificate was verified.
    pub trusted: bool,
}

/// Allocations that a step holds.
pub struct HeldAllocation {
    /// The first of them is the one that later steps work with.
    clients: Mutex<Vec<Client>>,
    /// Where the server is.
    pub server: ServerAddress,
    /// From where it was asked.
    pub net: Net,
}

impl HeldAllocation {
    /// The running allocations; none when they were given back.
    pub(super) async fn clients(&self) -> tokio::sync::MutexGuard<'_, Vec<Client>> {
        self.clients.lock().await
    }

    /// Gives them back.
    pub async fn end(&self) {
        for mut client in std::mem::take(&mut *self.clients.lock().await) {
            client.release().await;
        }
    }
}

impl Probe for TurnAllocate {
    const NAME: &'static str = "turn-allocate";
    const DOES: &'static str = "one TURN Allocate, kept for later steps if it succeeds and always released";
    type With = With;
    type Seen = Seen;

    fn cost(with: &With) -> Cost {
        let mints = u32::from(with.config.is_none()) + u32::from(with.login == Login::OtherParticipant);
        let plain =
            With { config: with.config.clone(), transport: with.transport, server: with.server, ..With::default() };
        Cost { allocations: with.times.clamp(1, MAX_TIMES), mints, ..Cost::ACTIVE }.passive_if(*with == plain)
    }

    async fn ask(cx: &Cx, with: With) -> Result<Asked<Seen>, OwnFault> {
        let config = match cx.config(with.config.as_ref()).await? {
            Ok(config) => config,
            Err(failure) => return Ok(Asked::failed(Seen::default(), failure)),
        };
        let mut seen = Seen::default();
        let wanted = (with.server, with.transport);
        let Some(offer) = offers::find(cx, &config.ice_servers, wanted)? else { return Ok(Asked::answered(seen)) };
        seen.offered = true;
        seen.username_expiry_s = expiry_s(&offer.own.username);
        let net = match with.address.of(&cx.net) {
            Ok(net) => net,
            Err(failure) => return Ok(Asked::failed(seen, failure)),
        };
        let logins = match logins::of(cx, with.login, &offer, &config).await? {
            Ok(logins) => logins,
            Err(failure) => return Ok(Asked::failed(seen, failure)),
        };
        seen.tried = u32::try_from(logins.len()).unwrap_or(u32::MAX);
        if logins.is_empty() && with.login != Login::None {
            return Ok(Asked::failed(seen, Failure::protocol("there is no such pair of user name and password")));
        }
        let wish = Wish { family: with.family.map(Family::from), tcp_peers: with.relay_protocol == RelayProtocol::Tcp };
        let mut clients = Vec::new();
        let mut failure = None;
        for number in 0..with.times.clamp(1, MAX_TIMES) {
            if number > 0 {
                sleep(RAMP).await;
            }
            match one(cx, &net, (&offer.server, wish), &logins, (number == 0, &mut seen)).await {
                Ok(Some(client)) => clients.push(client),
                // Without credentials nothing is granted, and what is asked for is in the refusals.
                Ok(None) if with.login == Login::None => {}
                Ok(None) => break,
                Err(why) => {
                    failure = Some(why);
                    break;
                }
            }
        }
        seen.granted = u32::try_from(clients.len()).unwrap_or(u32::MAX);
        seen.allocated = !clients.is_empty();
        seen.tls.trusted = seen.reachable && with.transport == Transport::Tls && !cx.target.accept_untrusted;
        let held = HeldAllocation { clients: Mutex::new(clients), server: offer.server, net };
        let kept = seen.allocated.then(|| Kept::Allocation(held.into()));
        Ok(match failure {
            Some(failure) => Asked::failed(seen, failure).keeping(kept),
            None => Asked::answered(seen).keeping(kept),
        })
    }
}

/// One allocation, with the first login that is let in; `None` if none is. What the first of a step sees is told.
async fn one(
    cx: &Cx,
    net: &Net,
    (server, wish): (&ServerAddress, Wish),
    logins: &[Credentials],
    (is_first, seen): (bool, &mut Seen),
) -> Result<Option<Client>, Failure> {
    let mut client = Client::open(net, server, wish).await?;
    let asked = ask(cx, &mut client, logins, is_first, seen).await;
    let bytes = client.bytes();
    seen.bytes_out += bytes.sent;
    seen.bytes_in += bytes.received;
    asked?;
    let Some(granted) = client.granted().cloned() else { return Ok(None) };
    if is_first {
        seen.lifetime_s = granted.lifetime_s;
        seen.relayed = granted.relayed.iter().map(|address| Untrusted::new(address.to_string())).collect();
    }
    Ok(Some(client))
}

async fn ask(
    cx: &Cx,
    client: &mut Client,
    logins: &[Credentials],
    is_first: bool,
    seen: &mut Seen,
) -> Result<(), Failure> {
    let first = client.first().await?;
    seen.reachable = true;
    seen.error_code = first.error_code;
    if is_first {
        seen.software = first.software.map(Untrusted::new);
        seen.nonce = first.nonce.as_ref().map(|nonce| cx.key.digest(nonce.as_bytes()));
        seen.nonce_cookie = first.nonce_cookie;
        seen.password_algorithms = first.password_algorithms.into_iter().map(Untrusted::new).collect();
        seen.integrity_on_401 = first.is_signed && first.error_code.is_some();
    }
    if client.granted().is_some() {
        return Ok(());
    }
    for login in logins {
        match client.allocate(login).await? {
            Ok(_) => {
                seen.error_code = None;
                return Ok(());
            }
            Err(refused) => seen.error_code = refused.code,
        }
    }
    Ok(())
}

impl From<FamilyWord> for Family {
    fn from(word: FamilyWord) -> Self {
        match word {
            FamilyWord::V4 => Self::V4,
            FamilyWord::V6 => Self::V6,
            FamilyWord::Both => Self::Both,
        }
    }
}

impl From<Transport> for TurnTransport {
    fn from(word: Transport) -> Self {
        match word {
            Transport::Udp => Self::Udp,
            Transport::Tcp => Self::Tcp,
            Transport::Tls => Self::Tls,
        }
    }
}

fn expiry_s(username: &str) -> Option<i64> {
    TimedUser::parse(username).ok().and_then(|user| i64::try_from(user.expires_unix_s).ok())
}

/// The credentials of a configuration that has none of its own for TURN. See [`CallConfig`].
pub(super) fn sip_pair(config: &CallConfig) -> Option<(String, ringfence_model::Secret)> {
    Some((config.username.clone()?, config.password.clone()?))
}
