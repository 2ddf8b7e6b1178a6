//! `turn-permission`: whether an allocation relays to peers of the special-purpose blocks.
//!
//! None of them is ever sent any data, whatever the server allows: the answers to CreatePermission, ChannelBind and Connect
//! tell. Data goes to a control peer alone, which is ours or the operator's.

mod peers;

use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

use ringfence_client::net::Cidr;
use ringfence_client::turn::{Answer, Client, ControlPeer, ControlSeen};
use ringfence_client::{Failure, Net};
use ringfence_model::Untrusted;
use ringfence_model::observation::Outcome;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use self::peers::Peer;
use super::turn_allocate::HeldAllocation;
use crate::step_ref::AllocationRef;
use crate::{Asked, Cost, Cx, OwnFault, Probe};

pub use self::peers::PeerSet;

/// Peers in a row without any answer, after which the rest is not asked (house): each of them takes seconds.
const MAX_SILENT: usize = 3;
/// The channel of the first peer; the control has 0x4000.
const FIRST_CHANNEL: u16 = 0x4001;
/// RFC 6062, section 6.3: the server tried, and nobody took the connection.
const CONNECTION_FAILED: u16 = 447;

/// See [`Probe::DOES`].
pub struct TurnPermission;

/// Parameters.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct With {
    /// The step that holds the allocation.
    pub allocation: AllocationRef,
    /// Which peers.
    pub peers: Vec<PeerSet>,
    /// How the server is asked for them.
    pub by: By,
}

/// How the server is asked for a peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum By {
    /// CreatePermission.
    Permission,
    /// ChannelBind.
    Channel,
    /// Connect, of an allocation with TCP peers.
    TcpConnect,
    /// Send without a permission, to the control peer alone; the others by the permission that they then get or do not get.
    Send,
}

/// Observation.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub struct Seen {
    /// Data went to the control peer and came back, before and after.
    pub control_ok: bool,
    /// What went wrong with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub control_error: Option<Untrusted>,
    /// With `by = "send"`: data went to the control peer before anything permitted it. Not seen where that peer is out of the
    /// relay's reach anyway.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sends_unpermitted: Option<bool>,
    /// The answers, one for each peer that was asked for.
    pub answers: Vec<PeerAnswer>,
    /// The peers that the server would relay to.
    pub allowed: Vec<String>,
    /// The peers for which no answer came, or that were not asked for behind too many of those.
    pub silent: Vec<String>,
}

/// The answer about one peer.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub struct PeerAnswer {
    /// Its address.
    pub peer: String,
    /// Its set: `loopback` …; of own addresses `own-server` or `own-relayed`.
    pub set: String,
    /// ERROR-CODE.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_code: Option<u16>,
    /// The server would relay to it.
    pub allowed: bool,
    /// The answer is an error of 4xx, other than 447.
    pub refused: bool,
    /// The target file's `allowed_peers` holds it.
    pub declared: bool,
}

impl Probe for TurnPermission {
    const NAME: &'static str = "turn-permission";
    const DOES: &'static str =
        "ask a held allocation to relay to each peer of a named set, with a permitted control peer";
    type With = With;
    type Seen = Seen;

    fn cost(_: &With) -> Cost {
        Cost { connections: 1, allocations: 1, ..Cost::ACTIVE }
    }

    async fn ask(cx: &Cx, with: With) -> Result<Asked<Seen>, OwnFault> {
        let declared: Result<Vec<Cidr>, _> =
            cx.target.declared.allowed_peers.iter().map(|network| Cidr::from_str(network)).collect();
        let declared = declared.map_err(|error| OwnFault(format!("declared.allowed_peers: {error}")))?;
        let held = cx.allocation(&with.allocation)?;
        let mut clients = held.clients().await;
        let Some(client) = clients.first_mut() else {
            return Ok(Asked::failed(Seen::default(), Failure::closed("the allocation is given back")));
        };
        let mut seen = Seen::default();
        Ok(match converse(cx, &held, client, &with, &declared, &mut seen).await {
            Ok(()) => Asked::answered(seen),
            Err(failure) => Asked::failed(seen, failure),
        })
    }
}

async fn converse(
    cx: &Cx,
    held: &HeldAllocation,
    client: &mut Client,
    with: &With,
    declared: &[Cidr],
    seen: &mut Seen,
) -> Result<(), Failure> {
    let mut control = control_peer(cx, &held.net, client).await?;
    let by_channel = with.by == By::Channel;
    let mut before = control.round_trip(&held.net, &held.server, client, by_channel).await?;
    // A relay that reaches nothing but its own deployment does not reach us: but we may meet on it.
    if matches!(control, ControlPeer::Own(..)) && !before.relayed {
        note_control(seen, &before);
        control = ControlPeer::relayed(&held.net, &held.server, client).await?;
        before = control.round_trip(&held.net, &held.server, client, by_channel).await?;
    } else if with.by == By::Send {
        seen.sends_unpermitted = unpermitted(held, client, &control).await;
    }
    note_control(seen, &before);
    let mut silent_in_a_row = 0;
    for (peer, channel) in peers::of(&with.peers, client, with.by).into_iter().zip(FIRST_CHANNEL..) {
        let name = named(peer.address, with.by);
        if silent_in_a_row == MAX_SILENT {
            seen.silent.push(name);
            continue;
        }
        match question(client, peer.address, with.by, channel).await {
            Ok(answer) => {
                silent_in_a_row = 0;
                let answer = judged(&peer, name, &answer, declared);
                if answer.allowed {
                    seen.allowed.push(answer.peer.clone());
                }
                seen.answers.push(answer);
            }
            Err(failure) if failure.outcome == Outcome::Timeout => {
                silent_in_a_row += 1;
                seen.silent.push(name);
            }
            Err(failure) => return Err(failure),
        }
    }
    let after = control.round_trip(&held.net, &held.server, client, by_channel).await;
    control.end().await;
    let after = after?;
    note_control(seen, &after);
    seen.control_ok = before.relayed && after.relayed;
    Ok(())
}

/// Asked of an allocation of its own: what permits a peer once permits it for minutes.
async fn unpermitted(held: &HeldAllocation, client: &Client, control: &ControlPeer) -> Option<bool> {
    let mut fresh = client.sibling(&held.net, &held.server).await.ok()?;
    let arrived = control.unpermitted(&mut fresh).await;
    fresh.release().await;
    arrived.ok()?
}

/// The operator's peer, where there is one, else a socket of ours.
async fn control_peer(cx: &Cx, net: &Net, client: &Client) -> Result<ControlPeer, Failure> {
    if client.has_tcp_peers() {
        return ControlPeer::tcp(client).await;
    }
    match &cx.target.turn.control_peer {
        Some(text) => {
            let address = SocketAddr::from_str(text)
                .map_err(|_| Failure::protocol("turn.control_peer: expected an address and a port"))?;
            Ok(ControlPeer::Named(address))
        }
        None => ControlPeer::own(net, client).await,
    }
}

fn note_control(seen: &mut Seen, control: &ControlSeen) {
    if let Some(why) = &control.why {
        seen.control_error.get_or_insert_with(|| Untrusted::new(why));
    }
}

async fn question(client: &mut Client, peer: SocketAddr, by: By, channel: u16) -> Result<Answer, Failure> {
    match by {
        By::Permission | By::Send => client.permit(peer).await,
        By::Channel => client.bind(channel, peer).await,
        By::TcpConnect => client.connect(peer).await,
    }
}

fn judged(peer: &Peer, name: String, answer: &Answer, declared: &[Cidr]) -> PeerAnswer {
    let error_code = answer.as_ref().err().and_then(|refused| refused.code);
    // A server that tried to connect would have relayed.
    let allowed = answer.is_ok() || error_code == Some(CONNECTION_FAILED);
    PeerAnswer {
        peer: name,
        set: peer.set.to_owned(),
        error_code,
        allowed,
        refused: !allowed && error_code.is_some_and(|code| (400..500).contains(&code)),
        declared: is_declared(peer.address.ip(), declared),
    }
}

fn is_declared(ip: IpAddr, declared: &[Cidr]) -> bool {
    declared.iter().any(|network| network.contains(ip))
}

/// A permission names no port. RFC 8656, section 9.
fn named(peer: SocketAddr, by: By) -> String {
    match by {
        By::Permission | By::Send => peer.ip().to_string(),
        By::Channel | By::TcpConnect => peer.to_string(),
    }
}
