//! What scenarios may read of a visit.

use ringfence_model::observation::Leak;
use ringfence_model::{Digest, Untrusted};
use schemars::JsonSchema;
use serde::Serialize;

use crate::verbs::fetch_config::IceServerSeen;

/// Observation. With several visits: what any of them showed, and `peer` of the last that had media.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub struct Seen {
    /// The page and what it needs came, in every visit.
    pub loaded: bool,
    /// A call was begun: an INVITE was sent, or a peer connection connected. In at least one visit.
    pub call_started: bool,
    /// In how many visits a call was begun.
    pub calls_started: i64,
    /// Visits that were made.
    pub visits: i64,
    /// INVITEs that the page sent on its own account; one repeated with a login is the same INVITE.
    pub invites_sent: i64,
    /// Secrets in the console.
    pub console_leaks: Vec<Leak>,
    /// Secrets in local and session storage, IndexedDB, cookies that scripts can read, and caches.
    pub storage_leaks: Vec<Leak>,
    /// Secrets in addresses: of the page, its requests and WebSockets, and in `Referer`.
    pub url_leaks: Vec<Leak>,
    /// Secrets in text and attributes of the document.
    pub dom_leaks: Vec<Leak>,
    /// Addresses that the page asked for in the clear, `http:` or `ws:`, without user, query and fragment.
    pub insecure_requests: Vec<Untrusted>,
    /// Addresses of the page's WebSockets, without user, query and fragment.
    pub websocket_urls: Vec<Untrusted>,
    /// By what the page names its visitor.
    pub identifiers: Vec<IdentifierSeen>,
    /// STUN and TURN servers that the page gave to its peer connections.
    pub ice_servers: Vec<IceServerSeen>,
    /// The peer connection that carried the call.
    pub peer: PeerSeen,
    /// The microphone was asked for before anything was clicked.
    pub microphone_without_click: bool,
    /// The privacy notice was accepted before the microphone was asked for; false where no notice was shown.
    pub notice_before_capture: bool,
    /// Service workers of the page's origin.
    pub service_workers: Vec<ServiceWorkerSeen>,
    /// Requests that were put into the page's own WebSocket.
    pub injected: i64,
    /// The page answered such a request, in whatever way: it was delivered.
    pub injected_answered: bool,
    /// The page accepted one without its visitor: 2xx to an INVITE, a call to where a REFER points, or a new peer
    /// connection that sends audio.
    pub auto_answered: bool,
    /// Hosts outside the scope that the page asked for and did not reach.
    pub refused_hosts: Vec<Untrusted>,
}

/// One value by which the page names its visitor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct IdentifierSeen {
    /// `user-id`, `display-name`, `contact-user`, or the name of a header field in lower case.
    pub kind: Untrusted,
    /// Its value, as a digest: personal data may be in it. `inspect` reads it.
    pub value: Digest,
}

/// One peer connection, as its own statistics tell (W3C webrtc-stats).
#[derive(Clone, Debug, Default, Serialize, JsonSchema)]
pub struct PeerSeen {
    /// `1.2` or `1.3`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dtls_version: Option<String>,
    /// IANA name of the cipher suite.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dtls_cipher: Option<Untrusted>,
    /// `cm-sha1-80`, `cm-sha1-32`, `gcm-128`, `gcm-256`, or the browser's name for another one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub srtp_cipher: Option<Untrusted>,
    /// Of the browser's certificate, `hash value`, as SDP writes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub local_fingerprint: Option<Untrusted>,
    /// Of the certificate that the target showed, `hash value`, as SDP writes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remote_fingerprint: Option<Untrusted>,
    /// Types of the candidates that the browser gathered: `host`, `srflx`, `prflx`, `relay`.
    pub candidate_types: Vec<String>,
    /// Type of the browser's candidate in the pair that carries the media.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub selected_type: Option<String>,
    /// `all` or `relay`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transport_policy: Option<String>,
    /// Bytes of RTP payload that came.
    pub bytes_received: i64,
    /// Bytes of RTP payload that were sent.
    pub bytes_sent: i64,
}

/// One service worker.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct ServiceWorkerSeen {
    /// Addresses that it controls.
    pub scope: Untrusted,
    /// Host of its script.
    pub script_host: Untrusted,
    /// It handles requests of the page.
    pub fetch_handler: bool,
}
