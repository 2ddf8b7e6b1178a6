//! `ringfence dtls`: what one DTLS server accepts, SRTP profiles among it, and what a policy says to that.

mod target;

use std::time::{Duration, Instant};

use ringfence_client::Net;
use ringfence_client::hello::{self, Bounds, Report};
use ringfence_model::enumeration::{Enumeration, Protocol};
use ringfence_model::{Exit, Untrusted};
use ringfence_reports::Style;

use super::enumerate::{self, Asked};
use crate::args::{DtlsArgs, EnumerateArgs};
use crate::library;
use crate::problem::Problem;

/// Runs the command.
pub async fn dtls(args: DtlsArgs, style: Style) -> Result<Exit, Problem> {
    let Some(place) = args.place else { return target::dtls(args, style).await };
    let policy = library::policy_or_file(args.by.policy())?;
    let timeout = Duration::from_secs(args.timeout.into());
    let ask = EnumerateArgs { place, name: args.name, by: args.by };
    let asked = Asked { protocol: Protocol::Dtls, args: &ask, policy: &policy, timeout };
    let net = asked.net(None)?;
    let server = asked.resolve(&net).await?;
    let question = asked.question()?;
    let bounds = Bounds { answer: timeout, at_once: usize::try_from(args.at_once).unwrap_or(1) };
    let begun = Instant::now();
    let report = hello::dtls(&net, server, &question, bounds).await.map_err(|failure| asked.failed(&failure))?;
    let mut seen = asked.describe(&net, &report)?;
    certificates(&net, &asked, &report, &mut seen);
    asked.finish(seen, begun.elapsed(), style)
}

/// Those that came with the answers.
fn certificates(net: &Net, asked: &Asked<'_>, report: &Report, seen: &mut Enumeration) {
    // Whom it is made out to is nobody's concern: the fingerprint in the SDP stands for it.
    seen.certificates = enumerate::certificates(net, &asked.name(), report, |_| None);
    if seen.certificates.is_empty() {
        seen.no_certificate = Some(Untrusted::from("no answer held one: DTLS 1.3 sends it encrypted"));
    }
}
