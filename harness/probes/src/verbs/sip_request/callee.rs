//! The participant whom the harness plays, and what came to it.

use std::sync::Arc;
use std::time::Duration;

use ringfence_client::Failure;
use ringfence_client::adapters::CallConfig;
use ringfence_client::drive::listener::{Listener, ListenerPlan, listen as register};
use ringfence_client::signalling::Asked;
use ringfence_model::Untrusted;
use ringfence_model::observation::HeaderField;
use schemars::JsonSchema;
use serde::Serialize;

use crate::Cx;
use crate::origin::OriginVariant;

/// How much later than the final answer a request may come to the callee (house): what was accepted is delivered afterwards.
const DELIVERY: Duration = Duration::from_secs(1);
/// Fields in which a network, or a client, says who calls. RFC 3325; RPID is its draft's.
const ASSERTED: [&str; 3] = ["P-Asserted-Identity", "P-Preferred-Identity", "Remote-Party-ID"];

/// What came to participant 2.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub struct CalleeSaw {
    /// It was registered, and heard a request of this method.
    pub control_ok: bool,
    /// From of the first such request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<Untrusted>,
    /// Its fields that assert who calls.
    pub asserted: Vec<Untrusted>,
    /// All its header fields.
    pub headers: Vec<HeaderField>,
}

/// Registers participant 2.
pub(super) async fn listen(cx: &Cx, second: &Arc<CallConfig>) -> Result<Listener, Failure> {
    let plan = ListenerPlan {
        config: (**second).clone(),
        origin: OriginVariant::Trusted.value(&cx.target),
        seed: cx.seed ^ 1,
        answer_within: Duration::from_secs_f64(cx.target.limits.exchange_s),
    };
    register(&cx.net, plan).await
}

/// What came, once the request has its final answer.
pub(super) async fn saw(callee: Result<Listener, Failure>, method: &str) -> CalleeSaw {
    let Ok(callee) = callee else { return CalleeSaw::default() };
    tokio::time::sleep(DELIVERY).await;
    let Some(asked) = callee.heard().await.into_iter().find(|asked| asked.method == method) else {
        return CalleeSaw::default();
    };
    let field = |(name, value): &(String, String)| HeaderField {
        name: name.to_ascii_lowercase().into(),
        value: value.as_str().into(),
    };
    CalleeSaw {
        control_ok: true,
        from: values(&asked, "From").into_iter().next(),
        asserted: ASSERTED.into_iter().flat_map(|name| values(&asked, name)).collect(),
        headers: asked.headers.iter().map(field).collect(),
    }
}

fn values(asked: &Asked, name: &str) -> Vec<Untrusted> {
    let named = asked.headers.iter().filter(|(known, _)| known.eq_ignore_ascii_case(name));
    named.map(|(_, value)| Untrusted::new(value)).collect()
}
