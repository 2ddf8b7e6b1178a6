//! A vendor's hosts get only what a visitor's client does, unless the vendor permits more.

use ringfence_model::exit::Exit;
use ringfence_model::verdict::State;
use serde_json::json;

use super::scenario::{asked, gate, text};
use crate::fakes::https::{Https, Reply};
use crate::fakes::media::{MediaPort, answer};
use crate::fakes::pki::Pki;
use crate::fakes::sip::{Act, Agent, answered};
use crate::fakes::{answers, config};
use crate::support::TargetFile;

const PLAIN: &str = "[[step]]\nname = \"c\"\nprobe = \"call\"\nwith = { media_s = 1, hold = true }\n";
const BENT: &str = "[[step]]\nname = \"c\"\nprobe = \"call\"\nwith = { fingerprint = \"wrong\" }\n";
const WRONG: &str = "[[step]]\nname = \"r\"\nprobe = \"register\"\nwith = { login = \"wrong\" }\n";
const FORGED: &str = "[[step]]\nname = \"m\"\nprobe = \"media-attack\"\nwith = { call = \"c\", kind = \"forged-tag\", count = 1, rate = 50 }\n";

/// An endpoint of our own whose configuration leads to a vendor's signalling, by another name.
struct Deployment {
    agent: Agent,
    target: TargetFile,
}

impl Deployment {
    async fn start(vendor: &str) -> Self {
        let (pki, port) = (Pki::new(), MediaPort::ice_lite().await);
        let agent = Agent::new(move |invite| vec![Act::Say(answered(invite, answer(port.address, "")))]);
        let signalling = agent.serve(&pki).await;
        let document = config::document(&format!("wss://localhost:{}", signalling.port()));
        let target = config::serving(&pki, document).await.limit("media_s", 2.0).table(&format!(
            "[[scope]]\nhosts = [\"127.0.0.1\"]\n[[scope]]\nhosts = [\"localhost\"]\nowner = \"vendor\"\n{vendor}\n"
        ));
        Self { agent, target }
    }
}

#[tokio::test]
async fn a_configuration_that_leads_an_active_step_there_skips_its_scenario() {
    let vendor = Deployment::start("").await;
    for steps in [WRONG.to_owned(), BENT.to_owned()] {
        let that = if steps == WRONG { "r.status == 403" } else { "!c.answered" };
        let outputs = asked(&vendor.target, &text("active", &steps, that)).await;
        assert_eq!(outputs.state(), State::Skipped, "{}", outputs.said());
        let line = outputs.only().verdict.to_enable.clone().expect("the line to add");
        assert!(line.contains("vendor_permission = { reference = "), "{line}");
        assert!(outputs.said().contains("localhost is a vendor's"), "{}", outputs.said());
        assert!(outputs.report.sampled.refused.iter().any(|why| why.contains("localhost is a vendor's")));
        assert_eq!(outputs.report.gate.exit, Exit::Inconclusive, "nothing is left that the gate looks at");
    }
    assert_eq!(vendor.agent.heard(), "", "not a word was said to it");
}

#[tokio::test]
async fn a_plain_call_and_its_hang_up_are_a_visitors() {
    let vendor = Deployment::start("").await;
    let outputs = asked(&vendor.target, &text("active", PLAIN, "c.answered")).await;
    assert_eq!(outputs.state(), State::Pass, "{}", outputs.said());
    let methods = vendor.agent.methods();
    assert!(methods.starts_with(&["INVITE".into()]) && methods.contains(&"BYE".into()), "{methods:?}");
}

#[tokio::test]
async fn what_a_plain_call_has_opened_is_not_attacked_either() {
    let vendor = Deployment::start("").await;
    let outputs = asked(&vendor.target, &text("active", &format!("{PLAIN}{FORGED}"), "m.attack_echoed == 0")).await;
    assert_eq!(outputs.state(), State::Skipped, "{}", outputs.said());
    assert!(outputs.said().contains("step `m`: localhost is a vendor's"), "{}", outputs.said());
    assert!(vendor.agent.methods().contains(&"BYE".into()), "the call was hung up");
}

#[tokio::test]
async fn its_permission_counts_until_its_last_day() {
    let permission = |expires: &str| format!("vendor_permission = {{ reference = \"letter 7\", expires = {expires} }}");
    let scenario = text("active", BENT, "has(c.status)");
    let permitted = Deployment::start(&permission("2999-12-31")).await;
    let outputs = asked(&permitted.target, &scenario).await;
    assert_ne!(outputs.state(), State::Skipped, "{}", outputs.said());
    assert!(permitted.agent.methods().contains(&"INVITE".into()));

    let over = Deployment::start(&permission("2001-01-01")).await;
    let ended = gate(&over.target, &scenario).ends().await;
    assert!(
        ended.stderr().contains("note: the vendor's permission `letter 7` ended on 2001-01-01"),
        "{}",
        ended.stderr()
    );
    assert_eq!(over.agent.heard(), "");
}

#[tokio::test]
async fn where_the_target_file_tells_the_plan_already_leaves_it_out() {
    let pki = Pki::new();
    let server = Https::serve(&pki, |_| Reply::Bytes(answers::json(&json!({}).to_string()))).await;
    let target = TargetFile::cognigy(server.url(config::URL_TOKEN)).trusting(&pki.ca_pem);
    let target = target.table("[[scope]]\nnetworks = [\"127.0.0.0/8\"]\nowner = \"vendor\"\n");
    for (with, state) in [
        ("endpoint = \"config\", method = \"DELETE\"", State::Skipped),
        ("endpoint = \"config\", login = \"wrong\"", State::Skipped),
        ("endpoint = \"config\", repeat = 2", State::Skipped),
        ("endpoint = \"config\"", State::Pass),
    ] {
        let steps = format!("[[step]]\nname = \"a\"\nprobe = \"http-request\"\nwith = {{ {with} }}\n");
        let outputs = asked(&target, &text("active", &steps, "a.status == 200")).await;
        assert_eq!(outputs.state(), state, "{with}: {}", outputs.said());
        if state == State::Skipped {
            assert!(outputs.only().evidence.is_empty(), "left out by the plan");
            assert!(outputs.only().verdict.to_enable.as_ref().is_some_and(|line| line.contains("vendor_permission")));
        }
    }
    assert_eq!(server.heads().len(), 1);
}
