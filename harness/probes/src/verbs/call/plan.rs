//! From the parameters to what the client will do.

use std::time::Duration;

use ringfence_client::adapters::CallConfig;
use ringfence_client::drive::call::CallPlan;
use ringfence_client::media::{AudioBefore, DtlsGroup, DtlsSuite, Identity, MediaPlan, Setup, Shown, SrtpProfile};
use ringfence_model::target::Destination;

use super::identity;
use super::with::{CertificateWord, With};
use crate::origin::OriginVariant;
use crate::{Cx, OwnFault};

/// The only version that the reference client speaks.
const DTLS_VERSION: &str = "1.2";

/// The call as the parameters want it.
pub(in crate::verbs) fn call_plan(cx: &Cx, with: &With, mut config: CallConfig) -> Result<CallPlan, OwnFault> {
    let limits = cx.target.limits;
    if let Some(user_id) = &with.user_id {
        config.aor_user.clone_from(user_id);
    }
    config.identity_headers = identity::headers(cx, with, &config.identity_headers)?;
    Ok(CallPlan {
        target_uri: destination(cx, &with.target)?,
        origin: OriginVariant::Trusted.value(&cx.target),
        transaction: Duration::from_secs_f64(limits.exchange_s),
        answer_within: Duration::from_secs_f64(limits.ring_s),
        media_within: Duration::from_secs_f64(limits.media_s),
        session_expires: with.session_expires,
        session_refresh: with.session_refresh,
        ..CallPlan::honest(config, media_plan(cx, with)?, cx.seed)
    })
}

fn media_plan(cx: &Cx, with: &With) -> Result<MediaPlan, OwnFault> {
    let fresh = || Identity::fresh().map_err(OwnFault::new);
    let certificate = match (with.certificate, &with.certificate_of) {
        (CertificateWord::Reused, Some(step)) => cx.call(step)?.identity.clone(),
        (CertificateWord::Reused, None) => {
            return Err(OwnFault("certificate = \"reused\" needs certificate_of".into()));
        }
        _ => fresh()?,
    };
    let shown = match with.certificate {
        CertificateWord::Fresh | CertificateWord::Reused => Shown::Announced,
        CertificateWord::Other => Shown::Other(fresh()?),
        CertificateWord::None if Setup::from(with.setup) == Setup::Active => Shown::None,
        CertificateWord::None => return Err(OwnFault("certificate = \"none\" needs setup = \"active\"".into())),
    };
    if let Some(version) = with.dtls_versions.iter().find(|version| *version != DTLS_VERSION) {
        return Err(OwnFault(format!("dtls_versions: the reference client speaks {DTLS_VERSION} only, not {version}")));
    }
    let honest = MediaPlan::honest(certificate, cx.seed);
    Ok(MediaPlan {
        profile: with.profile.into(),
        sdes: with.sdes.into(),
        fingerprint: with.fingerprint.into(),
        setup: with.setup.into(),
        candidates: with.candidates.into(),
        audio_before: with.start_audio_before.map(AudioBefore::from),
        srtp_profiles: list("srtp_profiles", &with.srtp_profiles, of_dtls, &honest.srtp_profiles)?,
        dtls_suites: list("dtls_suites", &with.dtls_suites, DtlsSuite::from_name, &honest.dtls_suites)?,
        dtls_groups: list("dtls_groups", &with.dtls_groups, DtlsGroup::from_name, &honest.dtls_groups)?,
        shown,
        meets_strangers: true,
        ..honest
    })
}

/// The profile of this name, if DTLS can offer it.
fn of_dtls(name: &str) -> Option<SrtpProfile> {
    SrtpProfile::from_name(name).filter(|profile| profile.id().is_some())
}

/// The values of these names, or the usual ones where there is none.
fn list<T: Clone>(
    field: &str,
    names: &[String],
    from_name: impl Fn(&str) -> Option<T>,
    usual: &[T],
) -> Result<Vec<T>, OwnFault> {
    if names.is_empty() {
        return Ok(usual.to_vec());
    }
    names.iter().map(|name| from_name(name).ok_or_else(|| OwnFault(format!("{field}: unknown name {name}")))).collect()
}

/// The Request-URI that a target text stands for; `None` for what the configuration says.
fn destination(cx: &Cx, target: &str) -> Result<Option<String>, OwnFault> {
    let named = &cx.target.destinations;
    let entry = match target {
        "call" => return Ok(named.call.as_ref().and_then(uri)),
        "recorded" => &named.recorded,
        "rotating" => &named.rotating,
        "callee" => &named.callee,
        text => return Ok(Some(text.to_owned())),
    };
    let entry = entry.as_ref().ok_or_else(|| OwnFault(format!("target: destinations.{target} is not declared")))?;
    Ok(uri(entry))
}

fn uri(destination: &Destination) -> Option<String> {
    Some(destination.uri.clone()).filter(|uri| uri != "configured")
}

/// Whether a target text stands for a destination that sends our audio back.
pub(super) fn echoes(cx: &Cx, target: &str) -> bool {
    target == "call" && cx.target.destinations.call.as_ref().is_some_and(|destination| destination.echo)
}
