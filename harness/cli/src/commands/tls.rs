//! `ringfence tls`: what one TLS server accepts, and what a policy says to that.

use std::time::{Duration, Instant};

use ringfence_client::Net;
use ringfence_client::hello::{self, Bounds, Question, Report};
use ringfence_client::net::{ServerCertificate, TlsVersion};
use ringfence_model::enumeration::{Enumeration, Protocol, Unknown, VersionSeen, VersionState};
use ringfence_model::{Exit, Untrusted};
use ringfence_reports::Style;
use ringfence_wire::hello::Version;

use super::enumerate::{self, Asked};
use crate::args::TlsArgs;
use crate::library;
use crate::problem::Problem;

/// Runs the command.
pub async fn tls(args: TlsArgs, style: Style) -> Result<Exit, Problem> {
    let policy = library::policy_or_file(args.ask.by.policy())?;
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
    choice(&net, &asked, &question, bounds, &mut seen).await;
    certificates(&net, &asked, &report, &mut seen).await;
    asked.finish(seen, begun.elapsed(), style)
}

/// Which version visitors get, where the server accepts several.
async fn choice(net: &Net, asked: &Asked<'_>, question: &Question, bounds: Bounds, seen: &mut Enumeration) {
    // No hello offers SSL 3.0 beside others: who speaks more than that chooses it for nobody.
    let accepted = |version: &VersionSeen| version.state == VersionState::Accepted && version.version != "ssl3";
    if seen.versions.iter().filter(|version| accepted(version)).count() < 2 {
        return;
    }
    let place = &asked.args.place;
    let why = match hello::choice(net, &place.host, place.port, question, bounds).await {
        Ok(choice) => {
            seen.hellos_sent += choice.hellos_sent;
            seen.chosen_version = choice.version.and_then(Version::name).map(str::to_owned);
            "no answer chose a version".to_owned()
        }
        Err(failure) => failure.error.raw().to_owned(),
    };
    let preferred = |version: &&mut VersionSeen| version.version == asked.policy.tls_preferred && accepted(version);
    if seen.chosen_version.is_none()
        && let Some(version) = seen.versions.iter_mut().find(preferred)
    {
        version.unknown.push(Unknown { list: "chosen_version".to_owned(), reason: Untrusted::new(why) });
    }
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
