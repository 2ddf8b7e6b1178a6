//! What a peer connection of the page says about itself: its configuration, its descriptions, its statistics (W3C
//! webrtc-stats).

use std::collections::BTreeSet;
use std::net::IpAddr;

use ringfence_model::Secret;
use ringfence_wire::sdp;
use serde_json::Value;

/// Servers and their addresses that are kept of one configuration (house).
const MAX_SERVERS: usize = 16;

/// A STUN or TURN server as the page gave it.
#[derive(Clone, Default)]
pub struct IceServer {
    /// RFC 7064 and 7065.
    pub urls: Vec<String>,
    /// User name.
    pub username: Option<String>,
    /// Password.
    pub credential: Option<Secret>,
}

/// The statistics of one peer connection, as they were last told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// `1.2` or `1.3`; anything else as the browser wrote it.
    pub dtls_version: Option<String>,
    /// IANA name.
    pub dtls_cipher: Option<String>,
    /// The browser's name for it, such as `AES_CM_128_HMAC_SHA1_80`.
    pub srtp_cipher: Option<String>,
    /// `hash value`, as SDP writes it.
    pub local_fingerprint: Option<String>,
    /// Likewise, of the certificate that came.
    pub remote_fingerprint: Option<String>,
    /// Type of our candidate in the selected pair.
    pub selected_type: Option<String>,
    /// Bytes of RTP payload that came.
    pub bytes_received: u64,
    /// Bytes of RTP payload that went.
    pub bytes_sent: u64,
}

/// One peer connection.
#[derive(Clone, Default)]
pub struct Peer {
    /// Its ICE servers.
    pub ice_servers: Vec<IceServer>,
    /// `all` or `relay`.
    pub transport_policy: Option<String>,
    /// It was connected at some time.
    pub connected: bool,
    /// It is closed or failed.
    pub over: bool,
    /// It answered an offer.
    pub answered: bool,
    /// A live audio track is sent.
    pub sends_audio: bool,
    /// Types of gathered candidates.
    pub candidate_types: BTreeSet<String>,
    /// Addresses of the far side that the page named.
    pub remote_addresses: BTreeSet<IpAddr>,
    /// The last statistics.
    pub stats: Stats,
}

impl Peer {
    /// Takes a report of the observer. `report` is the page's word: everything in it may be missing or wrong.
    pub(super) fn report(&mut self, report: &Value) {
        match report["is"].as_str().unwrap_or_default() {
            "opened" => {
                self.transport_policy = text(&report["policy"]);
                let servers = report["servers"].as_array().into_iter().flatten().take(MAX_SERVERS);
                self.ice_servers = servers.map(ice_server).collect();
            }
            "gathered" => self.candidate_types.extend(candidate_type(&report["type"])),
            "candidate" => self.remote_candidate(report["line"].as_str().unwrap_or_default()),
            "peer" => self.describe(report),
            "stats" => self.statistics(report["stats"].as_array().map(Vec::as_slice).unwrap_or_default()),
            _ => {}
        }
    }

    fn describe(&mut self, report: &Value) {
        let state = report["state"].as_str().unwrap_or_default();
        self.connected |= state == "connected";
        self.over = matches!(state, "closed" | "failed");
        self.answered |= report["local"]["type"] == "answer";
        self.sends_audio |= report["sends"] == true;
        if let Some(Ok(remote)) = report["remote"]["sdp"].as_str().map(|text| sdp::Description::parse(text.as_bytes()))
        {
            self.remote_addresses.extend(addresses(&remote).into_iter().take(sdp::MAX_CANDIDATES));
        }
    }

    fn remote_candidate(&mut self, line: &str) {
        // RFC 8839, section 5.1: foundation, component, transport, priority, address.
        let address: Option<IpAddr> = line.split_ascii_whitespace().nth(4).and_then(|address| address.parse().ok());
        if self.remote_addresses.len() < sdp::MAX_CANDIDATES {
            self.remote_addresses.extend(address);
        }
    }

    fn statistics(&mut self, entries: &[Value]) {
        let by_id = |id: &Value| entries.iter().find(|entry| id.is_string() && entry["id"] == *id);
        let sum = |kind: &str, key: &str| -> u64 {
            entries.iter().filter(|entry| entry["type"] == kind).filter_map(|entry| entry[key].as_u64()).sum()
        };
        let local = entries.iter().filter(|entry| entry["type"] == "local-candidate");
        self.candidate_types.extend(local.filter_map(|entry| candidate_type(&entry["candidateType"])));
        self.stats.bytes_received = sum("inbound-rtp", "bytesReceived").max(self.stats.bytes_received);
        self.stats.bytes_sent = sum("outbound-rtp", "bytesSent").max(self.stats.bytes_sent);
        let Some(transport) = entries.iter().find(|entry| entry["type"] == "transport") else { return };
        let fingerprint = |id: &Value| {
            let certificate = by_id(id)?;
            Some(format!("{} {}", certificate["fingerprintAlgorithm"].as_str()?, certificate["fingerprint"].as_str()?))
        };
        let pair = by_id(&transport["selectedCandidatePairId"]);
        let selected = pair.and_then(|pair| by_id(&pair["localCandidateId"]));
        let new = Stats {
            dtls_version: text(&transport["tlsVersion"]).map(version),
            dtls_cipher: text(&transport["dtlsCipher"]),
            srtp_cipher: text(&transport["srtpCipher"]),
            local_fingerprint: fingerprint(&transport["localCertificateId"]),
            remote_fingerprint: fingerprint(&transport["remoteCertificateId"]),
            selected_type: selected.and_then(|candidate| candidate_type(&candidate["candidateType"])),
            ..Stats::default()
        };
        let last = &mut self.stats;
        let fields = [
            (&mut last.dtls_version, new.dtls_version),
            (&mut last.dtls_cipher, new.dtls_cipher),
            (&mut last.srtp_cipher, new.srtp_cipher),
            (&mut last.local_fingerprint, new.local_fingerprint),
            (&mut last.remote_fingerprint, new.remote_fingerprint),
            (&mut last.selected_type, new.selected_type),
        ];
        for (known, told) in fields {
            *known = told.or(known.take());
        }
    }
}

fn ice_server(entry: &Value) -> IceServer {
    let urls = entry["urls"].as_array().into_iter().flatten().filter_map(Value::as_str).take(MAX_SERVERS);
    IceServer {
        urls: urls.map(str::to_owned).collect(),
        username: text(&entry["username"]),
        credential: text(&entry["credential"]).map(Secret::new),
    }
}

/// Text that says something, cut where nothing sensible is as long.
fn text(value: &Value) -> Option<String> {
    value.as_str().filter(|text| !text.is_empty() && text.len() <= 1024).map(str::to_owned)
}

/// RFC 8445, section 4: the four types.
fn candidate_type(value: &Value) -> Option<String> {
    text(value).filter(|word| ["host", "srflx", "prflx", "relay"].contains(&word.as_str()))
}

/// `FEFD` is DTLS 1.2 (RFC 6347, section 4.1), `FEFC` 1.3 (RFC 9147, section 5.3).
fn version(code: String) -> String {
    match code.to_ascii_uppercase().as_str() {
        "FEFD" => "1.2".into(),
        "FEFC" => "1.3".into(),
        "FEFF" => "1.0".into(),
        _ => code,
    }
}

/// Every address that media would be sent to by this description.
pub(super) fn addresses(description: &sdp::Description) -> Vec<IpAddr> {
    let candidates = description.sections().flat_map(|section| section.candidates()).filter_map(Result::ok);
    candidates.filter_map(|candidate| candidate.address.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn statistics_are_joined_by_their_identifiers() {
        let mut peer = Peer::default();
        peer.report(&json!({ "is": "stats", "stats": [
            { "id": "T", "type": "transport", "tlsVersion": "FEFD", "dtlsCipher": "TLS_X", "srtpCipher": "S",
              "localCertificateId": "L", "remoteCertificateId": "R", "selectedCandidatePairId": "P" },
            { "id": "L", "type": "certificate", "fingerprint": "AA:BB", "fingerprintAlgorithm": "sha-256" },
            { "id": "R", "type": "certificate", "fingerprint": "CC:DD", "fingerprintAlgorithm": "sha-256" },
            { "id": "P", "type": "candidate-pair", "localCandidateId": "C" },
            { "id": "C", "type": "local-candidate", "candidateType": "relay" },
            { "id": "D", "type": "local-candidate", "candidateType": "<script>" },
            { "id": "I", "type": "inbound-rtp", "bytesReceived": 100 },
            { "id": "O", "type": "outbound-rtp", "bytesSent": 50 },
        ]}));
        peer.report(&json!({ "is": "stats", "stats": [{ "type": "transport" }, 7, { "type": "inbound-rtp" }] }));
        assert_eq!(
            peer.stats,
            Stats {
                dtls_version: Some("1.2".into()),
                dtls_cipher: Some("TLS_X".into()),
                srtp_cipher: Some("S".into()),
                local_fingerprint: Some("sha-256 AA:BB".into()),
                remote_fingerprint: Some("sha-256 CC:DD".into()),
                selected_type: Some("relay".into()),
                bytes_received: 100,
                bytes_sent: 50,
            }
        );
        assert_eq!(peer.candidate_types.iter().collect::<Vec<_>>(), ["relay"]);
    }

    #[test]
    fn what_the_page_says_may_be_anything() {
        let mut peer = Peer::default();
        for report in [
            json!(null),
            json!({ "is": "opened", "servers": 7 }),
            json!({ "is": "opened", "servers": [null, { "urls": [1, "stun:a.test"] }] }),
            json!({ "is": "peer", "remote": { "sdp": "v=1" } }),
            json!({ "is": "candidate", "line": "candidate:1 1 udp 1 192.0.2.9 5000 typ host" }),
            json!({ "is": "candidate", "line": "candidate:1 1 udp 1 x.local 5000 typ host" }),
        ] {
            peer.report(&report);
        }
        assert_eq!(peer.ice_servers.iter().flat_map(|server| &server.urls).collect::<Vec<_>>(), ["stun:a.test"]);
        assert_eq!(peer.remote_addresses.into_iter().collect::<Vec<_>>(), ["192.0.2.9".parse::<IpAddr>().unwrap()]);
    }
}
