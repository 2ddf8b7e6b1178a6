//! The second consent, and the rate that comes with it.

use std::sync::{Arc, Mutex};
use std::time::Instant;

use ringfence_model::verdict::State;

use super::scenario::{asked, text};
use crate::fakes::answers;
use crate::fakes::config::URL_TOKEN;
use crate::fakes::https::{Https, Reply};
use crate::fakes::pki::Pki;
use crate::support::TargetFile;

/// An endpoint, the target file for it, and when it was asked.
async fn noting() -> (Https, TargetFile, Arc<Mutex<Vec<Instant>>>) {
    let (pki, times) = (Pki::new(), Arc::new(Mutex::new(Vec::new())));
    let noted = times.clone();
    let server = Https::serve(&pki, move |_| {
        noted.lock().expect("no holder panics").push(Instant::now());
        Reply::Bytes(answers::json("{}"))
    })
    .await;
    let target = TargetFile::cognigy(server.url(URL_TOKEN)).trusting(&pki.ca_pem);
    (server, target, times)
}

const TEN: &str = "[[step]]\nname = \"a\"\nprobe = \"http-request\"\nwith = { endpoint = \"config\", repeat = 10 }\n";

#[tokio::test]
async fn without_it_a_disruptive_scenario_is_skipped_with_the_line_to_add() {
    let (server, target, _) = noting().await;
    let no_rate = "[disruptive]\nallow = true\n";
    for given in ["", no_rate, "[disruptive]\nrate = 5\n", "[disruptive]\nallow = true\nrate = 0\n"] {
        let (pki_target, scenario) = (target.clone().table(given), text("disruptive", TEN, "a.status == 200"));
        let outputs = asked(&pki_target, &scenario).await;
        assert_eq!(outputs.state(), State::Skipped, "{given}");
        let line = outputs.only().verdict.to_enable.clone().expect("the line to add");
        assert!(line.starts_with("[disruptive]\nallow = true\nrate = 50"), "{line}");
    }
    assert_eq!(server.heads(), Vec::<String>::new(), "nobody was asked");
}

#[tokio::test]
async fn narrower_consents_are_asked_for_on_top() {
    let (server, target, _) = noting().await;
    for (need, key) in [("webhook-consent", "webhook"), ("injection-consent", "injection")] {
        let scenario = text("disruptive", TEN, "a.status == 200")
            .replace("adapters =", &format!("needs = [\"{need}\"]\nadapters ="));
        let without = target.clone().table("[disruptive]\nallow = true\nrate = 500\n");
        let outputs = asked(&without, &scenario).await;
        assert_eq!(outputs.state(), State::Skipped);
        let line = outputs.only().verdict.to_enable.clone().expect("the line to add");
        assert!(line.ends_with(&format!("{key} = true")), "{line}");
        let with = target.clone().table(&format!("[disruptive]\nallow = true\nrate = 500\n{key} = true\n"));
        assert_eq!(asked(&with, &scenario).await.state(), State::Pass);
    }
    assert_eq!(server.heads().len(), 20);
}

#[tokio::test]
async fn its_rate_is_kept() {
    let (_, target, times) = noting().await;
    let target = target.table("[disruptive]\nallow = true\nrate = 20\n");
    let outputs = asked(&target, &text("disruptive", TEN, "a.status == 200")).await;
    assert_eq!(outputs.state(), State::Pass, "{}", outputs.said());
    let times = times.lock().expect("no holder panics");
    // Nine gaps of 50 ms; what comes late on a busy machine only makes it more.
    let whole = times[9].duration_since(times[0]).as_millis();
    assert!(times.len() == 10 && whole >= 400, "ten requests within {whole} ms");
}
