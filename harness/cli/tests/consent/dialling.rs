//! The dialling rule, as far as it shows on the wire.

use ringfence_model::exit::Exit;
use ringfence_model::verdict::State;
use ringfence_wire::sip::Message;

use super::scenario::{asked, text};
use crate::fakes::config;
use crate::fakes::pki::Pki;
use crate::fakes::sip::{Act, Agent, reply};
use crate::support::TargetFile;

const FOREIGN: &str = "+14155552671";

fn call(target: &str) -> String {
    format!("[[step]]\nname = \"c\"\nprobe = \"call\"\nwith = {{ target = \"{target}\", media_s = 1 }}\n")
}

async fn around(agent: &Agent) -> TargetFile {
    let pki = Pki::new();
    let address = agent.serve(&pki).await;
    let target = config::naming(&pki, &format!("wss://{address}")).await;
    target.table(&format!("[destinations]\nforeign_numbers = [\"{FOREIGN}\"]\n"))
}

fn ringing(invite: &Message) -> Vec<Act> {
    vec![Act::Say(reply(invite, 180, "Ringing").build().expect("a message"))]
}

#[tokio::test]
async fn an_emergency_number_is_never_dialled() {
    let agent = Agent::new(ringing);
    let target = around(&agent).await;
    for number in ["sip:112@fake.invalid", "sip:9%2d911@fake.invalid", "tel:911", "sip:+49301234567@fake.invalid"] {
        let outputs = asked(&target, &text("active", &call(number), "!c.answered")).await;
        assert_eq!(outputs.state(), State::Inconclusive, "never a pass: {}", outputs.said());
        assert_eq!(outputs.report.gate.exit, Exit::Refused, "{}", outputs.report.gate.sentence);
        outputs.ended("c", "out-of-scope", "is not dialled");
        assert_eq!(outputs.report.sampled.calls, 0);
    }
    assert_eq!(agent.methods(), Vec::<String>::new());
}

#[tokio::test]
async fn a_foreign_number_rings_for_seconds_whatever_it_says() {
    let agent = Agent::new(ringing);
    let target = around(&agent).await.limit("ring_s", 600.0);
    // The run would outlast the test, did nobody hang up.
    let outputs = asked(&target, &text("active", &call(&format!("sip:{FOREIGN}@fake.invalid")), "!c.answered")).await;
    assert_eq!((outputs.report.sampled.calls, outputs.report.sampled.answered), (1, 0));
    assert_eq!(agent.methods().first().map(String::as_str), Some("INVITE"));
    assert!(agent.methods().contains(&"CANCEL".into()), "{:?}", agent.methods());
}
