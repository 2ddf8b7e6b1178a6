//! A configuration endpoint as the `cognigy` adapter reads it.

use serde_json::{Value, json};

use super::https::{Https, Reply};
use super::pki::Pki;
use super::{answers, sip::Agent};
use crate::support::TargetFile;

/// The last part of the endpoint's path: for this vendor it is the login.
pub const URL_TOKEN: &str = "0a1b2c3d4e5f60718293a4b5c6d7e8f9";

/// A whole configuration for signalling at this address.
pub fn document(ws_uri: &str) -> Value {
    json!({
        "organisationId": "org-1",
        "projectId": "project-1",
        "endpointSettings": {
            "endpointName": "Fake Desk",
            "endpointId": "endpoint-1",
            "sipConnectivityInfo": {
                "applicationSid": "4e4e4e4e-0000-4000-8000-000000000001",
                "username": "fake-user",
                "password": "fake-password-1",
                "realm": "fake.invalid",
                "wsUri": ws_uri,
            },
            "webrtcWidgetConfig": { "active": true },
        },
        "iceServers": [],
    })
}

/// A configuration endpoint that answers like this, and the target file for it.
pub async fn answering(reply: impl Fn(&str) -> Reply + Send + Sync + 'static) -> (Https, TargetFile) {
    let pki = Pki::new();
    let server = Https::serve(&pki, reply).await;
    let target = TargetFile::cognigy(server.url(URL_TOKEN)).trusting(&pki.ca_pem);
    (server, target)
}

/// A configuration endpoint that names this signalling address, under the same authority.
pub async fn naming(pki: &Pki, ws_uri: &str) -> TargetFile {
    serving(pki, document(ws_uri)).await
}

/// A configuration endpoint that answers with this document.
pub async fn serving(pki: &Pki, document: Value) -> TargetFile {
    let body = document.to_string();
    let server = Https::serve(pki, move |_| Reply::Bytes(answers::json(&body))).await;
    TargetFile::cognigy(server.url(URL_TOKEN)).trusting(&pki.ca_pem)
}

/// A whole deployment around a signalling agent.
pub async fn around(agent: Agent) -> TargetFile {
    let pki = Pki::new();
    let address = agent.serve(&pki).await;
    naming(&pki, &format!("wss://{address}")).await
}
