//! The client's side of a call with a peer, and what every call has to show.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use ringfence_client::drive::udp::{MediaCall, MediaOptions};
use ringfence_client::media::{Event, MediaPlan, SrtpProfile};
use ringfence_model::RunKey;
use ringfence_model::observation::CallSeen;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// Nothing here takes longer, unless it is broken: an interpreter has to start on a busy machine.
pub const LIMIT: Duration = Duration::from_secs(60);

/// Somebody else's callee that has answered.
pub struct Peer {
    /// Its answer.
    pub sdp: String,
    /// Makes it hang up.
    pub hang_up: oneshot::Sender<()>,
    /// Ends once its call is over: it has hung up, or it saw that we did.
    pub over: JoinHandle<()>,
}

/// Our side.
pub struct Call {
    client: MediaCall,
    events: Vec<Event>,
}

impl Call {
    /// Opens media on loopback and waits for the offer.
    pub async fn offer(plan: MediaPlan) -> (Self, String) {
        let options = MediaOptions {
            plan,
            sources: vec![IpAddr::V4(Ipv4Addr::LOCALHOST)],
            turn: Vec::new(),
            stun: Vec::new(),
            key: RunKey::from_random([7; 32]),
            allow: Arc::new(|address| address.ip().is_loopback()),
        };
        let client = MediaCall::open(options).await.expect("loopback sockets");
        let mut call = Self { client, events: Vec::new() };
        match call.until("offer", |event| matches!(event, Event::Offer(_))).await {
            Event::Offer(offer) => (call, offer),
            other => panic!("{other:?}"),
        }
    }

    /// Takes the answer and begins to talk.
    pub async fn answered(&self, sdp: &str) {
        self.client.answer(sdp).await;
        self.client.audio(true).await;
    }

    /// Waits for an event; everything before it is kept.
    pub async fn until(&mut self, what: &str, wanted: fn(&Event) -> bool) -> Event {
        let waiting = async {
            loop {
                let event = self.client.event().await.expect("the call is open");
                self.events.push(event.clone());
                if wanted(&event) {
                    return event;
                }
            }
        };
        let reached = tokio::time::timeout(LIMIT, waiting).await;
        reached.unwrap_or_else(|_| panic!("no {what}: {:?} {:#?}", self.events, self.client.seen()))
    }

    /// Waits for our own audio and for a report of the peer.
    pub async fn echoed(&mut self) -> CallSeen {
        self.until("echo", |event| *event == Event::Echoed).await;
        self.seen_when("report", |seen| seen.rtcp.authenticated > 0).await
    }

    /// Waits until something was seen.
    pub async fn seen_when(&self, what: &str, wanted: fn(&CallSeen) -> bool) -> CallSeen {
        let waiting = async {
            while !wanted(&self.client.seen()) {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        let reached = tokio::time::timeout(LIMIT, waiting).await;
        reached.unwrap_or_else(|_| panic!("no {what}: {:?} {:#?}", self.events, self.client.seen()));
        self.client.seen()
    }

    /// What the call has seen so far.
    pub fn seen(&self) -> CallSeen {
        self.client.seen()
    }

    /// Hangs up.
    pub async fn close(&self) {
        self.client.close().await;
    }
}

/// What a call shows in which we had this part of the handshake.
#[track_caller]
pub fn assert_sound(seen: &CallSeen, role: &str) {
    assert!(seen.ice.connected && seen.dtls.completed, "{seen:#?}");
    assert_eq!(seen.dtls.role.as_deref(), Some(role), "{seen:#?}");
    assert_eq!(seen.dtls.version.as_deref(), Some("1.2"));
    assert!(seen.dtls.certificate.matches && seen.dtls.certificate.digest.is_some(), "{seen:#?}");
    assert_eq!(seen.dtls.client_certificate_requested, role == "client", "{seen:#?}");
    assert!(seen.dtls.alert.is_none() && seen.dtls.alert_sent.is_none(), "{seen:#?}");
    assert!(seen.srtp.keys.is_some() && seen.srtp.profile.is_some(), "{seen:#?}");
    assert!(seen.media.echoed > 0 && seen.media.authenticated >= seen.media.echoed, "{seen:#?}");
    assert!(seen.rtcp.authenticated > 0, "{seen:#?}");
    assert_eq!((seen.media.plain_received, seen.rtcp.plain_received), (0, 0), "{seen:#?}");
}

/// What a call shows in which only this profile was offered.
#[track_caller]
pub fn assert_profile(seen: &CallSeen, profile: SrtpProfile) {
    assert_eq!(seen.srtp.profile.as_deref(), Some(profile.name()), "{seen:#?}");
    assert_eq!(seen.srtp.tag_bytes, i64::try_from(profile.tag_len()).ok());
}
