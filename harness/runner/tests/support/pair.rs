//! Both ends of a call's media: the client's and the lab's, on loopback sockets.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use ringfence_client::drive::udp::{MediaCall, MediaOptions};
use ringfence_client::media::{Event, MediaPlan};
use ringfence_lab::fault::{Fault, Faults};
use ringfence_lab::media::{Answered, MediaCall as LabCall, MediaSettings, answer};
use ringfence_model::RunKey;
use ringfence_model::observation::CallSeen;

/// Nothing here takes longer, unless it is broken.
pub const LIMIT: Duration = Duration::from_secs(60);

/// Both ends of a call after the answer, with all events so far.
pub struct Pair {
    pub client: MediaCall,
    pub lab: LabCall,
    pub events: Vec<Event>,
}

impl Pair {
    /// Waits for an event; everything before it is kept.
    pub async fn until(&mut self, what: &'static str, wanted: fn(&Event) -> bool) -> Event {
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

    /// Waits for the first echo.
    pub async fn echoed(&mut self) -> CallSeen {
        self.until("echo", |event| *event == Event::Echoed).await;
        self.client.seen()
    }
}

/// The client's offer, and what a lab with this fault makes of it.
pub async fn negotiate(plan: MediaPlan, fault: Option<Fault>) -> (MediaCall, Answered, String) {
    let (client, offer) = offer(plan).await;
    let answered = answer(&settings(fault), &offer).await;
    (client, answered, offer)
}

/// The client's offer.
pub async fn offer(plan: MediaPlan) -> (MediaCall, String) {
    offer_from(IpAddr::V4(Ipv4Addr::LOCALHOST), plan).await
}

/// The client's offer from this address.
pub async fn offer_from(local: IpAddr, plan: MediaPlan) -> (MediaCall, String) {
    let options = MediaOptions {
        plan,
        sources: vec![local],
        turn: Vec::new(),
        stun: Vec::new(),
        key: RunKey::from_random([7; 32]),
        allow: Arc::new(|address| address.ip().is_loopback()),
    };
    let mut client = MediaCall::open(options).await.expect("loopback sockets");
    let offer = match client.event().await {
        Some(Event::Offer(offer)) => offer,
        other => panic!("no offer but {other:?}"),
    };
    (client, offer)
}

/// Those of a lab on loopback.
pub fn settings(fault: Option<Fault>) -> MediaSettings {
    MediaSettings { local_ip: IpAddr::V4(Ipv4Addr::LOCALHOST), faults: Arc::new(Faults::new(fault)) }
}
