//! What stands beside the verdicts of the broken report: method, sample, waivers, baseline, matrices, digests.

use ringfence_model::report::{
    AuthorizationView, Basis, Delta, Fixed, Integrity, MatrixRow, Met, Method, OracleUse, Report, Sampled, ScopeView,
    Standing, TargetFile, WaiverState, WaiverUse,
};
use ringfence_model::standards::Claim;
use ringfence_model::verdict::{Severity, State};

/// The scenario whose finding is waived.
pub const WAIVED: &str = "tokens/credentials-survive-hangup";

/// Adds all of it.
pub fn audit(report: &mut Report) {
    report.method = method();
    report.sampled = sampled();
    report.integrity = Integrity {
        journal_head: "9c1d".repeat(16),
        journal_lines: 131,
        journal: "41b7".repeat(16),
        scenarios: "d00f".repeat(16),
        policy: "77aa".repeat(16),
        target: "0e5b".repeat(16),
    };
    for result in &mut report.results {
        let (area, slug) = result.verdict.scenario.split_once('/').expect("area/slug");
        result.proved = (area != "cors").then(|| format!("{slug}-fault"));
    }
    report.basis = Basis {
        lab: false,
        proved: 12,
        unproved: vec!["cors/any-origin".into(), "cors/websocket-origin".into()],
        sentence: "12 of the 14 scenarios of this run are proved on the lab to fail when they should.".into(),
    };
    waive(report);
    compare(report);
    matrices(report);
}

fn method() -> Method {
    Method {
        profile: "full".into(),
        classification: Some("Confidential – Example Ltd".into()),
        authorization: Some(AuthorizationView {
            statement: "Yearly test of the front desk".into(),
            contact: "security@example.test".into(),
            expires: "2026-12-31".into(),
        }),
        scope: vec![
            ScopeView {
                hosts: vec!["*.example.test".into()],
                networks: vec!["192.0.2.0/24".into()],
                owner: "self".into(),
                vendor_permission: None,
            },
            ScopeView {
                hosts: vec!["relay.vendor.test".into()],
                networks: vec![],
                owner: "vendor".into(),
                vendor_permission: Some("CASE-1182, until 2027-01-31".into()),
            },
        ],
        disruptive_rate: None,
        tries: 3,
        browser: Some("Chromium 140.0".into()),
        seed: "00c0ffee00c0ffee".into(),
        target_file: Some(TargetFile {
            path: "deploy/front-desk.toml".into(),
            lines: [("endpoints", 9), ("endpoints.config", 10), ("destinations.call", 17)]
                .map(|(name, line)| (name.to_owned(), line))
                .into(),
        }),
    }
}

fn sampled() -> Sampled {
    let oracle = |scenario: &str, oracle: &str| OracleUse { scenario: scenario.into(), oracle: oracle.into() };
    Sampled {
        calls: 17,
        answered: 15,
        addresses: vec!["192.0.2.10:443/tcp".into(), "192.0.2.11:8443/tcp".into()],
        media_nodes: vec!["192.0.2.40:40012/udp".into()],
        refused: vec!["198.51.100.7:3478/udp: outside the scope".into()],
        oracles: vec![
            oracle("media/fingerprint-mismatch", "echo"),
            oracle("media/forged-packet-accepted", "echo"),
            oracle("media/not-dtls-srtp", "none"),
        ],
    }
}

/// One finding waived, one waiver over, one unused.
fn waive(report: &mut Report) {
    let waiver = |scenario: &str, fingerprint: &str, expires: &str, days_left, state| WaiverUse {
        scenario: scenario.into(),
        target: "front-*".into(),
        fingerprint: fingerprint.into(),
        reason: "The registrar is replaced in January; the session ends within the hour anyway".into(),
        owner: "Voice operations".into(),
        ticket: Some("VOICE-311".into()),
        expires: expires.into(),
        days_left,
        state,
    };
    let mut waivers = Vec::new();
    for result in &mut report.results {
        for finding in &mut result.verdict.findings {
            match result.verdict.scenario.as_str() {
                WAIVED => {
                    let used = waiver(WAIVED, &finding.fingerprint, "2026-12-15", 24, WaiverState::Used);
                    finding.waived = Some(used.reason.clone());
                    waivers.push(used);
                }
                id @ "cors/any-origin" if finding.severity == Severity::Low => {
                    waivers.push(waiver(id, &finding.fingerprint, "2026-11-01", -20, WaiverState::Expired));
                }
                _ => {}
            }
        }
    }
    let unknown = format!("v1:{}", "5e".repeat(16));
    waivers.push(waiver("media/sdes-accepted", &unknown, "2027-03-01", 100, WaiverState::Unused));
    waivers.push(waiver("credentials/shared", &unknown, "2027-03-01", 100, WaiverState::NotJudged));
    report.waivers = waivers;
}

fn compare(report: &mut Report) {
    let mut delta = Delta { baseline: "run 11c0 of 2026-11-14".into(), ..Delta::default() };
    let findings = report.results.iter_mut().flat_map(|result| &mut result.verdict.findings);
    for (i, finding) in findings.filter(|finding| finding.waived.is_none()).enumerate() {
        let (standing, number) = match i % 3 {
            0 => (Standing::New, &mut delta.new),
            1 => (Standing::Unchanged, &mut delta.unchanged),
            _ => (Standing::Reopened, &mut delta.reopened),
        };
        finding.standing = Some(standing);
        *number += 1;
    }
    let gone = |scenario: &str, title: &str| Fixed {
        scenario: scenario.into(),
        title: title.into(),
        severity: Severity::High,
        fingerprint: format!("v1:{}", "77".repeat(16)),
    };
    delta.fixed = vec![gone("transport/ws-cleartext", "SIP is served over a WebSocket without TLS")];
    delta.not_judged = vec![gone("credentials/shared", "Two participants get the same SIP credentials")];
    report.delta = Some(delta);
}

fn matrices(report: &mut Report) {
    report.claims.push(Claim {
        id: "cognigy/C30".into(),
        document: "Click to call, security notes".into(),
        statement: "Recordings are encrypted at rest.".into(),
        kind: "promise".into(),
        testable: "no".into(),
        how: "Stored data cannot be seen from outside.".into(),
    });
    let bearing = |on: &dyn Fn(&[String], &[String]) -> bool| {
        let own = report.results.iter().filter(|result| on(&result.claims, &result.controls));
        own.map(|result| (result.verdict.scenario.clone(), result.verdict.state)).collect::<Vec<_>>()
    };
    let row = |id: &str, bears: Vec<(String, State)>| {
        let any = |state| bears.iter().any(|(_, seen)| *seen == state);
        let (met, why) = match () {
            () if bears.is_empty() => (Met::NotTestable, "stored data cannot be seen from outside"),
            () if any(State::Fail) => (Met::NotMet, "a scenario that decides it failed"),
            () if any(State::Pass) && bears.iter().all(|(_, state)| *state == State::Pass) => {
                (Met::Met, "every scenario that bears on it passed")
            }
            () if any(State::Pass) => (Met::Partly, "some scenarios passed, others gave no verdict"),
            () => (Met::NotTested, "no scenario gave a verdict"),
        };
        let not_asked = if met == Met::Partly { vec!["media/replay-accepted".into()] } else { vec![] };
        let scenarios = bears.into_iter().map(|(id, _)| id).collect();
        MatrixRow { id: id.into(), met, scenarios, why: why.into(), not_asked }
    };
    report.claim_matrix =
        report.claims.iter().map(|c| row(&c.id, bearing(&|claims, _| claims.contains(&c.id)))).collect();
    report.control_matrix =
        report.controls.iter().map(|c| row(&c.id, bearing(&|_, controls| controls.contains(&c.id)))).collect();
}
