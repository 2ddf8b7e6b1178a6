//! `ringfence tls`: what one TLS server accepts, and what a policy says to that.

use std::time::{Duration, Instant};

use ringfence_client::Net;
use ringfence_client::hello::{self, Bounds, Report};
use ringfence_client::net::{ServerCertificate, TlsVersion};
use ringfence_model::enumeration::{Enumeration, Protocol, VersionState};
use ringfence_model::{Exit, Untrusted};
use ringfence_reports::Style;

use super::enumerate::{self, Asked};
use crate::args::TlsArgs;
use crate::library;
use crate::problem::Problem;

/// Runs the command.
pub async fn tls(args: TlsArgs, style: Style) -> Result<Exit, Problem> {
    let policy = library::policy_or_file(&args.ask.policy)?;
    let timeout = Duration::from_secs(args.timeout.into());
    let asked = Asked { protocol: Protocol::Tls, args: &args.ask, policy: &policy, timeout };
    let net = asked.net(args.ca_file.as_deref())?;
    asked.resolve(&net).await?;
    let question = asked.question()?;
    let bounds = Bounds { answer: timeout, at_once: usize::try_from(args.at_once).unwrap_or(1) };
    let begun = Instant::now();
    let place = &args.ask.place;
    let report = hello::tls(&net, &place.host, place.port, &question, bounds).await;
    let report = report.map_err(|failure| asked.failed(&failure))?;
    let mut seen = asked.describe(&net, &report)?;
    certificates(&net, &asked, &report, &mut seen).await;
    asked.finish(seen, begun.elapsed(), style)
}

/// Those that came with the answers; of a server that speaks nothing but 1.3, which encrypts them, that of one handshake.
async fn certificates(net: &Net, asked: &Asked<'_>, report: &Report, seen: &mut Enumeration) {
    let name = asked.name();
    seen.certificates = enumerate::certificates(net, &name, report, |certificate| Some(certificate.name_matches));
    if !seen.certificates.is_empty() {
        return;
    }
    let Some(newest) =
        seen.versions.iter_mut().find(|version| version.version == "1.3" && version.state == VersionState::Accepted)
    else {
        seen.no_certificate = Some(Untrusted::from("no answer held one"));
        return;
    };
    seen.hellos_sent += 1;
    newest.hellos_sent += 1;
    let place = &asked.args.place;
    let why = match net.tls_shown_as(&place.host, place.port, &name, TlsVersion::Tls13).await {
        Ok(shown) => {
            newest.ocsp_stapled = shown.ocsp_stapled;
            let matches = |certificate: &ServerCertificate| Some(certificate.name_matches);
            seen.certificates.extend(shown.certificate.map(|one| enumerate::certificate(one, matches)));
            "it cannot be read".to_owned()
        }
        Err(failure) => failure.error.raw().to_owned(),
    };
    seen.no_certificate = seen.certificates.is_empty().then(|| Untrusted::new(why));
}
