//! The areas of scenarios in words: where on the path of a call they lie, and what is at risk when they fail.

/// One stage of the path of a call.
pub struct Stage {
    /// Its name.
    pub name: &'static str,
    /// What runs there.
    pub protocol: &'static str,
}

/// The path of a call, in order. The last two are shown only where a scenario lies there.
pub const STAGES: [Stage; 7] = [
    Stage { name: "Configuration", protocol: "HTTPS" },
    Stage { name: "Signalling", protocol: "SIP over WSS" },
    Stage { name: "Connection", protocol: "ICE and DTLS" },
    Stage { name: "Media", protocol: "SRTP" },
    Stage { name: "Relay", protocol: "TURN" },
    Stage { name: "Recording", protocol: "HTTPS" },
    Stage { name: "Other", protocol: "" },
];

/// How many of [`STAGES`] every call passes.
pub const ALWAYS: usize = 5;

/// Where ids lie, by their beginnings: the first that fits counts.
const PLACES: [(&str, usize); 15] = [
    ("transport/ws-", 1),
    ("cors/websocket-", 1),
    ("credentials/register-", 1),
    ("transport/", 0),
    ("page/", 0),
    ("cors/", 0),
    ("credentials/", 0),
    ("tokens/", 0),
    ("signalling/", 1),
    ("identity/", 1),
    ("ice/", 2),
    ("keys/", 2),
    ("media/", 3),
    ("turn/", 4),
    ("recording/", 5),
];

/// The index in [`STAGES`] of the stage that a scenario lies in.
pub fn stage(id: &str) -> usize {
    PLACES.iter().find(|(start, _)| id.starts_with(start)).map_or(STAGES.len() - 1, |(_, stage)| *stage)
}

/// The part of an id before the slash.
pub fn area(id: &str) -> &str {
    id.split('/').next().unwrap_or(id)
}

/// What a failure in an area puts at risk, in words for people who run a business and not a protocol.
pub fn risk(area: &str) -> &'static str {
    match area {
        "transport" => "What callers and servers tell each other can be read or changed on its way",
        "page" => "The page with the call button gives away data, or others can change what it runs",
        "cors" => "A foreign website can use the service in a visitor's name",
        "credentials" => {
            "Strangers can register or call with credentials that are not theirs: toll fraud, calls taken over"
        }
        "tokens" => "Credentials work longer, or for more, than the call that they were made for",
        "identity" => "A caller can pass for somebody else",
        "signalling" => "The signalling service can be misused or taken down",
        "ice" => "Media can be led to an address of an attacker's choice",
        "media" => "Calls can be overheard, or sound can be slipped into them",
        "keys" => "Calls share secrets that should be theirs alone, so that breaking one helps to break another",
        "turn" => "Strangers can use the relay: for traffic at the operator's cost, or to reach what lies behind it",
        "recording" => "Recordings can be reached or altered by people who should not",
        _ => "A promise of the deployment does not hold",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_lie_where_their_protocol_runs() {
        let name = |id| STAGES[stage(id)].name;
        assert_eq!(name("transport/ws-cleartext"), "Signalling");
        assert_eq!(name("transport/endpoint-over-http"), "Configuration");
        assert_eq!(name("keys/repeated-between-calls"), "Connection");
        assert_eq!(name("house/own-scenario"), "Other");
    }

    #[test]
    fn every_place_has_a_risk_of_its_own() {
        for (start, _) in PLACES {
            assert_ne!(risk(area(start)), risk("house"), "{start}");
        }
    }
}
