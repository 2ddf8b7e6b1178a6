//! `sip-request`: one SIP request outside or inside a dialog, well formed or deliberately not.

mod callee;
mod names;
mod with;

use std::time::Duration;

use ringfence_client::Failure;
use ringfence_client::adapters::CallConfig;
use ringfence_client::drive::request::{RequestLogin, RequestPlan, RequestSeen, offer, request};
use ringfence_client::signalling::{DialogIds, FinalAnswer, Within};
use ringfence_model::Untrusted;
use ringfence_model::observation::HeaderField;
use schemars::JsonSchema;
use serde::Serialize;

use super::register::ChallengeSeen;
use crate::origin::OriginVariant;
use crate::{Asked, Cost, Cx, OwnFault, Probe};
pub use callee::CalleeSaw;
use names::Names;
pub use with::{Connection, Dialog, Login, With};

/// Entries of `destinations.foreign_numbers` that one step dials.
const MAX_NUMBERS: usize = 5;
/// How long an INVITE may wait for its first sign of ringing (house).
const RING: Duration = Duration::from_secs(10);

/// See [`Probe::DOES`].
pub struct SipRequest;

/// Observation; of several numbers, that of the one that got somewhere, else of the last.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub struct Seen {
    /// Final status.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// Its reason phrase.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<Untrusted>,
    /// Header fields of the final answer.
    pub headers: Vec<HeaderField>,
    /// The first challenge.
    pub challenge: ChallengeSeen,
    /// `Server`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server_header: Option<Untrusted>,
    /// Status, reason, and the names of the header fields in order: what tells two answers apart.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signature: Option<Untrusted>,
    /// An INVITE got somewhere: an answer of 180 to 299. It was cancelled, or acknowledged and ended, at once.
    pub progressed: bool,
    /// What the participant saw whom the harness plays.
    pub callee_saw: CalleeSaw,
    /// Status in the last NOTIFY about a REFER.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub notify_status: Option<u16>,
    /// Numbers that were dialled.
    pub dialled: i64,
}

impl Probe for SipRequest {
    const NAME: &'static str = "sip-request";
    const DOES: &'static str = "one SIP request outside or inside a dialog, well formed or deliberately not";
    type With = With;
    type Seen = Seen;

    fn cost(with: &With) -> Cost {
        let second = u32::from(with.needs_second());
        let calls = match with.method.as_str() {
            "INVITE" if with.call.is_none() && with.target == "foreign-number" => MAX_NUMBERS as u32,
            "INVITE" if with.call.is_none() => 1,
            _ => 0,
        };
        let own = u32::from(with.config.is_none() && with.call.is_none());
        Cost { calls, mints: own + second, connections: 1 + second, ..Cost::ACTIVE }
    }

    async fn ask(cx: &Cx, with: With) -> Result<Asked<Seen>, OwnFault> {
        with.check()?;
        match with.call {
            Some(_) => in_call(cx, &with).await,
            None => outside(cx, &with).await,
        }
    }
}

/// A request that begins something.
async fn outside(cx: &Cx, with: &With) -> Result<Asked<Seen>, OwnFault> {
    let config = match cx.config(with.config.as_ref()).await? {
        Ok(config) => config,
        Err(failure) => return Ok(Asked::failed(Seen::default(), failure)),
    };
    let second = match with.needs_second() {
        true => cx.other_config(&config).await?,
        false => None,
    };
    if with.needs_second() && second.is_none() {
        return Ok(Asked::failed(Seen::default(), Failure::protocol("there is no second participant")));
    }
    let names = Names { target: &cx.target, config: &config, second: second.as_deref(), dialog: None, seed: cx.seed };
    let targets = names.targets(&with.target)?;
    let callee = match (&second, with.target.as_str()) {
        (Some(second), "other" | "callee") => Some(callee::listen(cx, second).await),
        _ => None,
    };
    let caller = match (with.from_connection, &second) {
        (Connection::Second, Some(second)) => second,
        _ => &config,
    };
    let mut last: Option<RequestSeen> = None;
    let mut dialled = 0;
    for (number, target_uri) in (0..).zip(targets) {
        let plan = RequestPlan { target_uri, ..plan(cx, with, caller, &names, cx.seed.wrapping_add(number))? };
        let seen = request(&cx.net, &plan, &cx.key).await;
        dialled += 1;
        let progressed = seen.progressed;
        last = Some(seen);
        if progressed {
            break;
        }
    }
    let mut asked = describe(last.unwrap_or_default(), &with.method);
    asked.seen.dialled = dialled;
    if let Some(callee) = callee {
        asked.seen.callee_saw = callee::saw(callee, &with.method).await;
    }
    Ok(asked)
}

/// A request that claims to belong to a held call.
async fn in_call(cx: &Cx, with: &With) -> Result<Asked<Seen>, OwnFault> {
    let Some(step) = &with.call else { return Err(OwnFault("call is missing".into())) };
    let call = cx.call(step)?;
    let mut live = call.live().await;
    let Some(live) = live.as_mut() else {
        return Ok(Asked::failed(Seen::default(), Failure::closed("the call is over")));
    };
    let Some(ids) = DialogIds::of_answer(&live.seen().headers) else {
        return Ok(Asked::failed(Seen::default(), Failure::protocol("the answer to the call makes no dialog")));
    };
    let own = live.config();
    let second = match with.needs_second() {
        true => cx.other_config(&own).await?,
        false => None,
    };
    let names =
        Names { target: &cx.target, config: &own, second: second.as_deref(), dialog: Some(&ids), seed: cx.seed };
    let within = match with.dialog {
        Dialog::None => Within::Nothing,
        Dialog::Own if with.from_connection == Connection::Own => Within::Call,
        bent => Within::Other(names::bent(ids.clone(), bent, cx.seed)),
    };
    let caller = match (with.from_connection, second.clone()) {
        (Connection::Own, _) => own.clone(),
        (Connection::Second, Some(second)) => second,
        (Connection::Second, None) => {
            return Ok(Asked::failed(Seen::default(), Failure::protocol("there is no second participant")));
        }
    };
    let mut targets = names.targets(&with.target)?;
    let target_uri = if targets.is_empty() { String::new() } else { targets.remove(0) };
    let plan = RequestPlan { within, target_uri, ..plan(cx, with, &caller, &names, cx.seed)? };
    if with.from_connection == Connection::Second {
        return Ok(describe(request(&cx.net, &plan, &cx.key).await, &with.method));
    }
    let (answer, notify_status) = live.request(&cx.net, plan).await;
    let seen = match answer {
        Ok(answer) => RequestSeen::answered(answer, &cx.key),
        Err(failure) => RequestSeen { failure: Some(failure), ..RequestSeen::default() },
    };
    let mut asked = describe(seen, &with.method);
    asked.seen.notify_status = notify_status;
    Ok(asked)
}

fn plan(cx: &Cx, with: &With, caller: &CallConfig, names: &Names<'_>, seed: u64) -> Result<RequestPlan, OwnFault> {
    let headers = with.headers.iter().map(|line| names.header(line)).collect::<Result<Vec<_>, _>>()?;
    let (kind, headers) = split_content_type(headers);
    let body = match &with.body {
        Some(text) => Some((kind.unwrap_or_else(|| "text/plain".into()), names.body(text).into_bytes())),
        None if with.method == "INVITE" => {
            Some(("application/sdp".into(), offer(seed).map_err(OwnFault::new)?.into_bytes()))
        }
        None => None,
    };
    let exchange = Duration::from_secs_f64(cx.target.limits.exchange_s);
    Ok(RequestPlan {
        config: caller.clone(),
        method: with.method.clone(),
        target_uri: caller.target_uri.clone(),
        login: match with.login {
            Login::Own => RequestLogin::Own,
            Login::None => RequestLogin::None,
            Login::Wrong => RequestLogin::Wrong,
        },
        // Who has a login of its own uses it as its client does; who has none has not registered either.
        register: with.login == Login::Own && caller.register && with.method != "REGISTER",
        headers,
        body,
        within: Within::Nothing,
        origin: OriginVariant::Trusted.value(&cx.target),
        seed,
        answer_within: exchange,
        ring_within: RING.min(Duration::from_secs_f64(cx.target.limits.ring_s)),
    })
}

/// The body's type, and the other fields.
fn split_content_type(headers: Vec<(String, String)>) -> (Option<String>, Vec<(String, String)>) {
    let (kinds, others): (Vec<_>, Vec<_>) =
        headers.into_iter().partition(|(name, _)| name.eq_ignore_ascii_case("Content-Type"));
    (kinds.into_iter().next().map(|(_, value)| value), others)
}

fn describe(gone: RequestSeen, method: &str) -> Asked<Seen> {
    let denied = gone.upgrade_status.filter(|status| *status != 101);
    let answer = gone.answer.as_ref();
    let field = |(name, value): &(String, String)| HeaderField {
        name: name.to_ascii_lowercase().into(),
        value: value.as_str().into(),
    };
    let seen = Seen {
        status: answer.map(|answer| answer.status).or(denied),
        reason: answer.map(|answer| answer.reason.clone()),
        headers: answer.map(|answer| answer.headers.iter().map(field).collect()).unwrap_or_default(),
        challenge: gone.challenge.into(),
        server_header: answer.and_then(|answer| answer.server.clone()),
        signature: answer.map(signature),
        progressed: gone.progressed && method == "INVITE",
        ..Seen::default()
    };
    match gone.failure {
        Some(failure) => Asked::failed(seen, failure),
        None => Asked::answered(seen),
    }
}

fn signature(answer: &FinalAnswer) -> Untrusted {
    let names: Vec<String> = answer.headers.iter().map(|(name, _)| name.to_ascii_lowercase()).collect();
    Untrusted::new(format!("{} {}: {}", answer.status, answer.reason.raw(), names.join(",")))
}
