//! `cors-probe`: preflight and actual request from each origin variant.

use ringfence_client::Failure;
use ringfence_client::http::{self, Answer, Request};
use ringfence_model::Untrusted;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use url::Url;

use super::fetch_config::Login;
use super::http_request::{EndpointName, Scheme, header, login_headers};
use crate::origin::OriginVariant;
use crate::{Asked, Cost, Cx, OwnFault, Probe};

/// See [`Probe::DOES`].
pub struct CorsProbe;

/// Parameters.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct With {
    /// Which address of the target file.
    pub endpoint: EndpointName,
    /// Origins to present.
    pub variants: Vec<OriginVariant>,
    /// Method of the actual request.
    #[serde(default = "get")]
    pub method: String,
    /// Header names that the preflight asks for.
    #[serde(default)]
    pub headers: Vec<String>,
    /// Whose login to present in the actual request.
    #[serde(default)]
    pub login: Login,
}

fn get() -> String {
    "GET".into()
}

/// Observation.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub struct Seen {
    /// One answer per variant.
    pub answers: Vec<VariantSeen>,
    /// Variants whose actual answer a browser would let the page read.
    pub allowed: Vec<OriginVariant>,
}

/// What one origin got.
#[derive(Debug, Serialize, JsonSchema)]
pub struct VariantSeen {
    /// The variant.
    pub variant: OriginVariant,
    /// The header's value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub origin: Option<String>,
    /// Answer to OPTIONS.
    pub preflight: PreflightSeen,
    /// Answer to the request itself.
    pub actual: ActualSeen,
}

/// Answer to a preflight.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub struct PreflightSeen {
    /// HTTP status.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// `Access-Control-Allow-Origin`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allow_origin: Option<Untrusted>,
    /// `Access-Control-Allow-Methods`.
    pub allow_methods: Vec<Untrusted>,
    /// `Access-Control-Allow-Headers`.
    pub allow_headers: Vec<Untrusted>,
    /// `Access-Control-Allow-Credentials: true`.
    pub allow_credentials: bool,
    /// `Access-Control-Max-Age`, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_age_s: Option<i64>,
}

/// Answer to an actual request.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub struct ActualSeen {
    /// HTTP status.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// `Access-Control-Allow-Origin`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allow_origin: Option<Untrusted>,
    /// `Access-Control-Allow-Credentials: true`.
    pub allow_credentials: bool,
    /// `Vary` names Origin.
    pub vary_origin: bool,
    /// The body holds a password, token or key.
    pub carries_secret: bool,
}

impl Probe for CorsProbe {
    const NAME: &'static str = "cors-probe";
    const DOES: &'static str = "preflight and actual request from each named origin variant";
    type With = With;
    type Seen = Seen;

    fn cost(with: &With) -> Cost {
        let mints = if with.endpoint == EndpointName::Config { with.variants.len() as u32 } else { 0 };
        let visitor = with.variants.iter().all(|variant| *variant == OriginVariant::Trusted) && with.method == "GET";
        Cost { mints, ..Cost::ACTIVE }.passive_if(visitor && with.login == Login::Valid)
    }

    async fn ask(cx: &Cx, with: With) -> Result<Asked<Seen>, OwnFault> {
        let url =
            with.endpoint.url(&cx.target, Scheme::Https).ok_or_else(|| OwnFault("endpoint is not given".into()))?;
        let (own, valid) = (login_headers(cx, with.login, &url)?, login_headers(cx, Login::Valid, &url)?);
        let mut seen = Seen::default();
        for variant in &with.variants {
            let origin = variant.value(&cx.target);
            let login = if *variant == OriginVariant::WildcardLogin { &valid } else { &own };
            match ask_as(cx, &with, &url, origin.clone(), login).await {
                Ok((preflight, actual)) => {
                    let readable = |allow: &str| allow == "*" || Some(allow) == origin.as_deref();
                    if actual.allow_origin.as_ref().is_some_and(|allow| readable(allow.raw())) {
                        seen.allowed.push(*variant);
                    }
                    seen.answers.push(VariantSeen { variant: *variant, origin, preflight, actual });
                }
                Err(failure) => return Ok(Asked::failed(seen, failure)),
            }
        }
        Ok(Asked::answered(seen))
    }
}

async fn ask_as(
    cx: &Cx,
    with: &With,
    url: &Url,
    origin: Option<String>,
    login: &[(String, String)],
) -> Result<(PreflightSeen, ActualSeen), Failure> {
    let origin: Vec<(String, String)> = origin.into_iter().map(|value| ("origin".to_owned(), value)).collect();
    let mut asks = origin.clone();
    asks.push(("access-control-request-method".into(), with.method.clone()));
    if !with.headers.is_empty() {
        asks.push(("access-control-request-headers".into(), with.headers.join(", ")));
    }
    let preflight = Request { method: "OPTIONS".into(), url: url.clone(), headers: asks, body: None };
    let preflight = read_preflight(&http::request(&cx.net, preflight).await?);
    let headers = origin.into_iter().chain(login.iter().cloned()).collect();
    let actual = Request { method: with.method.clone(), url: url.clone(), headers, body: None };
    let answer = http::request(&cx.net, actual).await?;
    Ok((preflight, read_actual(cx, &answer)))
}

fn read_preflight(answer: &Answer) -> PreflightSeen {
    let list = |name| -> Vec<Untrusted> {
        let value = header(answer, name).unwrap_or_default();
        value.split(',').map(str::trim).filter(|item| !item.is_empty()).map(Untrusted::new).collect()
    };
    PreflightSeen {
        status: Some(answer.status),
        allow_origin: header(answer, "access-control-allow-origin").map(Untrusted::new),
        allow_methods: list("access-control-allow-methods"),
        allow_headers: list("access-control-allow-headers"),
        allow_credentials: header(answer, "access-control-allow-credentials").is_some_and(|v| v == "true"),
        max_age_s: header(answer, "access-control-max-age").and_then(|v| v.trim().parse().ok()),
    }
}

fn read_actual(cx: &Cx, answer: &Answer) -> ActualSeen {
    cx.learn_answer(answer);
    let vary = header(answer, "vary").unwrap_or_default();
    ActualSeen {
        status: Some(answer.status),
        allow_origin: header(answer, "access-control-allow-origin").map(Untrusted::new),
        allow_credentials: header(answer, "access-control-allow-credentials").is_some_and(|v| v == "true"),
        vary_origin: vary.split(',').any(|name| name.trim().eq_ignore_ascii_case("origin")),
        carries_secret: !cx.ledger.leaks_in("body", &answer.body).is_empty(),
    }
}
