//! Reports as `ringfence judge` makes them, made by hand: a healthy deployment and a broken one.

use ringfence_model::Exit;
use ringfence_model::report::{
    Counts, Gate, Integrity, Method, REPORT_FORMAT, Report, RunInfo, Sampled, ScenarioResult, StepEvidence,
};
use ringfence_model::standards::{Claim, Control};
use ringfence_model::verdict::{Confidence, Finding, Level, Line, Piece, Severity, State, Verdict};
use serde_json::{Map, Value, json};

use crate::{audited, fourteen, poison};

/// All fourteen pass.
pub fn healthy() -> Report {
    let mut results = fourteen::results();
    result(&mut results, "turn/unauthenticated-allocate").verdict.notes =
        vec![says(&[Ok("the relay names its software: "), Err("lab-turn 0.1")])];
    assemble(results, Exit::Clean, "Conformant", "All 14 required scenarios hold; nothing was left untested.")
}

/// Findings of different kinds, one of them waived, and one scenario for every other state; audited.
pub fn broken() -> Report {
    let mut results = fourteen::results();

    let wrong = result(&mut results, "media/fingerprint-mismatch");
    observe(
        wrong,
        "c",
        fourteen::call(json!({ "media": { "sent": 300, "received": 212, "authenticated": 212, "echoed": 209 } })),
    );
    fail(
        wrong,
        vec![(
            says(&[
                Err("212"),
                Ok(" packets came under a certificate that was not announced, "),
                Err("209"),
                Ok(" of them our own sound"),
            ]),
            "c.media.authenticated == 0 && c.media.echoed == 0",
            Severity::Critical,
        )],
    );

    let cors = result(&mut results, "cors/any-origin");
    observe(
        cors,
        "a",
        json!({ "outcome": "answered", "elapsed_ms": 41, "allowed": ["evil"], "answers": [
        { "variant": "evil", "origin": "https://evil.example", "actual": { "status": 200, "allow_origin": "https://evil.example", "allow_credentials": false, "carries_secret": true } },
        { "variant": "absent", "actual": { "status": 200, "allow_credentials": false, "carries_secret": true } },
    ] }),
    );
    fail(
        cors,
        vec![
            (
                says(&[
                    Ok("the configuration answer may be read by "),
                    Err("https://evil.example"),
                    Ok(": it copies any Origin"),
                ]),
                "a.allowed.size() == 0",
                Severity::High,
            ),
            (
                says(&[Ok("and it does not vary by Origin, so that a cache may mix answers up")]),
                "a.answers.all(x, x.actual.vary_origin)",
                Severity::Low,
            ),
        ],
    );

    let cache = result(&mut results, "credentials/answer-cacheable");
    observe(
        cache,
        "a",
        json!({ "outcome": "answered", "elapsed_ms": 38, "status": 200, "cache_control": "public, max-age=300" }),
    );
    cache.verdict.confidence = Confidence::Low;
    cache.verdict.tries = 3;
    fail(
        cache,
        vec![(
            says(&[Ok("Cache-Control is "), Err("public, max-age=300"), Ok(", without no-store")]),
            "a.cache_control.contains('no-store')",
            Severity::Medium,
        )],
    );

    let origin = result(&mut results, "cors/websocket-origin");
    origin.verdict.level = Level::Info;
    observe(
        origin,
        "b",
        json!({ "outcome": "answered", "elapsed_ms": 52, "status": 101, "accepted": true, "subprotocol": "sip" }),
    );
    fail(origin, vec![(says(&[Ok("a connection from a foreign Origin was accepted")]), "!b.accepted", Severity::Low)]);

    let forged = result(&mut results, "media/forged-packet-accepted");
    observe(
        forged,
        "a",
        json!({ "outcome": "timeout", "elapsed_ms": 8000, "error": "no packet came back for 6 s", "control_before": true, "control_after": false, "attack_echoed": false, "sent": 50 }),
    );
    open(
        forged,
        State::Inconclusive,
        says(&[
            Ok("the control after step a failed: the call had gone silent ("),
            Err("no packet came back for 6 s"),
            Ok(")"),
        ]),
        None,
    );

    let keys = result(&mut results, "keys/repeated-between-calls");
    keys.evidence.clear();
    open(keys, State::Error, says(&[Ok("step b: the local media port could not be bound: address in use")]), None);

    let shared = result(&mut results, "credentials/shared");
    shared.evidence.clear();
    open(
        shared,
        State::Skipped,
        says(&[Ok("needs a second participant")]),
        Some("participants = [\"valid\", \"other\"]"),
    );

    let turn = result(&mut results, "turn/unauthenticated-allocate");
    turn.evidence.truncate(1);
    open(
        turn,
        State::NotApplicable,
        says(&[Ok("the configuration names no TURN server")]),
        Some("[turn] urls = [\"turn:relay.example.test:3478\"]"),
    );

    let hangup = result(&mut results, audited::WAIVED);
    fail(
        hangup,
        vec![(
            says(&[Ok("after the call had ended the same credentials registered again: "), Err("200 OK")]),
            "c.status != 200",
            Severity::Medium,
        )],
    );

    let mut report = assemble(
        results,
        Exit::Findings,
        "Not conformant",
        "3 findings close the gate, 1 of them critical; 2 required scenarios gave no verdict.",
    );
    audited::audit(&mut report);
    report.counts = Counts::of(report.results.iter().map(|result| &result.verdict));
    report
}

/// The three by name.
pub fn all() -> [(&'static str, Report); 3] {
    [("healthy", healthy()), ("broken", broken()), ("poison", poison::poison())]
}

/// A report of so many scenarios, each of them one of the broken fourteen under a name of its own.
pub fn many(number: usize) -> Report {
    repeated(broken(), number)
}

/// A report with its results as often as makes so many.
pub fn repeated(mut report: Report, number: usize) -> Report {
    let (results, most) = (report.results.clone(), report.results.len());
    report.results = (0..number).map(|i| numbered(&results[i % most], i / most)).collect();
    report.counts = Counts::of(report.results.iter().map(|result| &result.verdict));
    report
}

fn numbered(result: &ScenarioResult, number: usize) -> ScenarioResult {
    let mut result = result.clone();
    if number > 0 {
        result.verdict.scenario += &format!("-{number}");
    }
    result
}

/// A map from a JSON object.
pub fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        other => panic!("{other} is no object"),
    }
}

/// A sentence: `Ok` is ours, `Err` the target's.
fn says(pieces: &[Result<&str, &str>]) -> Line {
    Line(
        pieces
            .iter()
            .map(|piece| match piece {
                Ok(text) => Piece::Ours((*text).into()),
                Err(text) => Piece::Target((*text).into()),
            })
            .collect(),
    )
}

fn result<'a>(results: &'a mut [ScenarioResult], id: &str) -> &'a mut ScenarioResult {
    results.iter_mut().find(|result| result.verdict.scenario == id).expect("one of the fourteen")
}

fn observe(result: &mut ScenarioResult, step: &str, observation: Value) {
    let step: &mut StepEvidence = result.evidence.iter_mut().find(|s| s.step == step).expect("a step of it");
    step.observation = object(observation);
}

fn fail(result: &mut ScenarioResult, findings: Vec<(Line, &str, Severity)>) {
    let verdict: &mut Verdict = &mut result.verdict;
    verdict.state = State::Fail;
    verdict.severity = findings.iter().map(|(_, _, severity)| *severity).max().expect("a finding");
    verdict.tries = verdict.tries.max(2);
    verdict.findings = findings
        .into_iter()
        .enumerate()
        .map(|(i, (message, expected, severity))| Finding {
            message,
            expected: expected.into(),
            step: None,
            severity,
            fingerprint: format!("v1:{:0>30}{i:02x}", format!("{:x}", verdict.scenario.len() * 7919)),
            waived: None,
            standing: None,
            first_seen: None,
        })
        .collect();
}

fn open(result: &mut ScenarioResult, state: State, reason: Line, to_enable: Option<&str>) {
    result.verdict.state = state;
    result.verdict.reasons = vec![reason];
    result.verdict.to_enable = to_enable.map(str::to_owned);
    result.elapsed_ms = 0;
}

fn assemble(results: Vec<ScenarioResult>, exit: Exit, word: &str, sentence: &str) -> Report {
    let (claims, controls) = cited(&results);
    Report {
        format: REPORT_FORMAT.into(),
        run: RunInfo {
            id: "5f0c2a9be1d34477".into(),
            version: "0.1.0".into(),
            started: "2026-11-21T09:30:00Z".into(),
            duration_ms: 8_430,
            complete: true,
            signal: None,
            command: "ringfence run --target front-desk.toml -o json=report.json -o html=report.html".into(),
            target: json!({
                "name": "front-desk", "adapter": "cognigy", "trusted_origins": ["https://www.example.test"], "participants": 0,
                "at_once": { "calls": 2, "connections": 8, "allocations": 2, "mints_per_s": 2 },
                "budget": { "calls": 25, "minutes": 15 },
                "endpoints": [
                    { "name": "config", "url": "https://endpoint.example.test/c/2f1a" },
                    { "name": "page", "url": "https://www.example.test/call" },
                    { "name": "recording", "url": "none" },
                ],
                "destinations": ["call"], "echo": true,
                "authorization": "Yearly test of the front desk, agreed on 2026-11-02 (security@example.test)",
                "session_end_s": 3, "session_scope": true, "allowed_private": ["127.0.0.0/8"],
            }),
            policy: "webrtc-mti".into(),
            policy_title: "What every WebRTC endpoint must implement, and nothing that browsers dropped".into(),
            steps: 47,
            conversations: 63,
            cpu_ms: Some(3_912),
            peak_rss_kib: Some(71_204),
        },
        gate: Gate {
            exit,
            code: exit.code(),
            conditions: if exit == Exit::Findings { vec![exit, Exit::Inconclusive] } else { vec![exit] },
            fail_on: Severity::Low,
            word: word.into(),
            sentence: sentence.into(),
        },
        counts: Counts::of(results.iter().map(|result| &result.verdict)),
        method: Method::default(),
        sampled: Sampled::default(),
        basis: ringfence_model::report::Basis::default(),
        integrity: Integrity::default(),
        results,
        waivers: Vec::new(),
        delta: None,
        claims,
        controls,
        claim_matrix: Vec::new(),
        control_matrix: Vec::new(),
    }
}

fn cited(results: &[ScenarioResult]) -> (Vec<Claim>, Vec<Control>) {
    let claims = fourteen::CLAIMS.iter().map(|(id, statement, how)| Claim {
        id: (*id).into(),
        document: "Click to call, security notes".into(),
        statement: (*statement).into(),
        kind: "promise".into(),
        testable: "yes".into(),
        how: (*how).into(),
    });
    let controls = fourteen::CONTROLS.iter().map(|(id, strength, meaning)| {
        let (framework, section) = id.split_once('/').expect("framework/section");
        Control {
            id: (*id).into(),
            framework: framework.into(),
            section: section.into(),
            strength: (*strength).into(),
            meaning: (*meaning).into(),
            confidence: "read".into(),
            bearing: "direct".into(),
            manual: false,
        }
    });
    (
        claims.filter(|claim| results.iter().any(|result| result.claims.contains(&claim.id))).collect(),
        controls.filter(|control| results.iter().any(|result| result.controls.contains(&control.id))).collect(),
    )
}
