//! Calls to runtime endpoints: nobody logs in, and who is let in is decided by the identity that the INVITE names.

use super::Session;
use super::request::Request;
use crate::config::Identity;
use crate::fault::Fault;

impl Session {
    /// Whether an INVITE to a runtime endpoint names the endpoint's own tenant; `None` for one that calls somebody else. Such
    /// an endpoint is called by its identifier at the host of the WebSocket.
    pub(super) fn admits(&self, request: &Request) -> Option<bool> {
        let host = self.shared.host.rsplit_once(':').map_or(self.shared.host.as_str(), |(host, _)| host);
        let mut runtime = self.shared.endpoints.iter().filter(|endpoint| endpoint.runtime && request.host == host);
        let called = runtime.find(|endpoint| endpoint.identity.endpoint == request.user)?;
        let Identity { organisation, project, endpoint } = &called.identity;
        // Each once: which of two counts is anybody's guess.
        let named = |name: &str, value: &str| request.raw.headers(name).eq([value]);
        let right = named("X-Organisation-Id", organisation)
            && named("X-Project-Id", project)
            && named("X-Endpoint-Id", endpoint);
        let known = || request.raw.header("X-Endpoint-Id") == Some(endpoint);
        Some(right || self.shared.faults.broken(Fault::TenantHeadersUnchecked) && known())
    }
}
