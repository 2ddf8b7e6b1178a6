//! Every output of a run, read back: all of them exist, are well-formed, and tell the same story.

use std::collections::BTreeMap;

use quick_xml::Reader;
use quick_xml::events::Event;
use ringfence_model::evidence::{Entry, Event as JournalEvent};
use ringfence_model::report::{Counts, Report, ScenarioResult};
use ringfence_model::verdict::State;
use serde_json::{Map, Value};

use super::Ended;

/// What the harness itself may hold in memory, whatever the target sends.
const MAX_RSS_KIB: u64 = 256 * 1024;

/// The outputs of one run.
pub struct Outputs {
    /// The JSON report.
    pub report: Report,
    /// The same as text.
    pub json: String,
    /// The JUnit file.
    pub junit: String,
    /// The page.
    pub html: String,
    /// The journal, line by line.
    pub journal: Vec<Entry>,
}

impl Outputs {
    /// Reads all outputs, and checks that they agree with each other and with the exit code.
    pub fn of(ended: &Ended) -> Self {
        let text = |name| String::from_utf8(ended.file(name)).expect("outputs are UTF-8");
        let (json, junit, html) = (text("report.json"), text("junit.xml"), text("report.html"));
        let report: Report = serde_json::from_str(&json).expect("report.json has its own form");
        let outputs = Self { report, json, junit, html, journal: journal(&ended.file("run.jsonl")) };
        outputs.agree();
        assert_eq!(ended.code, Some(outputs.report.gate.code.into()), "exit code: {}", ended.stderr());
        let tally = format!("{} scenarios", outputs.report.counts.scenarios);
        let tally = if outputs.report.counts.scenarios == 1 { "1 scenario".to_owned() } else { tally };
        assert!(ended.stdout().contains(&tally), "the terminal counts {tally}:\n{}", ended.stdout());
        outputs
    }

    fn agree(&self) {
        let counts = &self.report.counts;
        assert_eq!(*counts, Counts::of(self.report.results.iter().map(|result| &result.verdict)));
        let elements = elements(&self.junit);
        let number = |tag: &str| elements.get(tag).copied().unwrap_or(0);
        assert_eq!(number("testcase"), counts.scenarios);
        assert_eq!(number("failure"), counts.fail);
        assert_eq!(number("error"), counts.inconclusive + counts.error);
        assert_eq!(number("skipped"), counts.skipped + counts.not_applicable);
        let (_, rest) =
            self.html.split_once(r#"<script type="application/json" id="report">"#).expect("the page's data");
        assert_eq!(rest.split_once("</script>").expect("and its end").0, self.json);
        let open = self.html.matches("class=\"result open\"").count() as u64;
        assert_eq!(open, counts.inconclusive, "the page shows each result as what it is");
        let asked = self.journal.iter().filter(|entry| matches!(entry.event, JournalEvent::Seen(_))).count() as u64;
        assert_eq!(self.report.run.steps, asked, "the report counts the steps of the journal");
    }

    /// The one result of a run that asked one scenario.
    pub fn only(&self) -> &ScenarioResult {
        let [result] = self.report.results.as_slice() else { panic!("{} results", self.report.results.len()) };
        result
    }

    /// The state of the one result.
    pub fn state(&self) -> State {
        self.only().verdict.state
    }

    /// All reasons and findings of the one result, as a person reads them.
    pub fn said(&self) -> String {
        let verdict = &self.only().verdict;
        let findings = verdict.findings.iter().map(|finding| finding.message.visible());
        verdict.reasons.iter().map(|reason| reason.visible()).chain(findings).collect::<Vec<_>>().join("\n")
    }

    /// What a step of the one result saw.
    #[track_caller]
    pub fn seen(&self, step: &str) -> &Map<String, Value> {
        let found = self.only().evidence.iter().find(|evidence| evidence.step == step);
        &found.unwrap_or_else(|| panic!("no evidence of step {step}: {}", self.said())).observation
    }

    /// How a step ended: outcome, and the error in words.
    #[track_caller]
    pub fn ending(&self, step: &str) -> (String, String) {
        let seen = self.seen(step);
        let text = |name: &str| seen.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        (text("outcome"), text("error"))
    }

    /// A step ended like this, with a reason that holds this text, and the verdict repeats it.
    #[track_caller]
    pub fn ended(&self, step: &str, outcome: &str, error: &str) {
        let (found, why) = self.ending(step);
        assert_eq!(found, outcome, "{why}");
        assert!(why.contains(error), "step {step} says `{why}`, expected `{error}`");
    }

    /// The harness stayed small.
    #[track_caller]
    pub fn stayed_small(&self) {
        match self.report.run.peak_rss_kib {
            Some(peak) => assert!(peak < MAX_RSS_KIB, "{peak} KiB"),
            // Other systems do not tell how much memory a process took.
            None if cfg!(target_os = "linux") => panic!("the report has no peak_rss_kib"),
            None => {}
        }
    }
}

/// The entries of a journal; every line is whole and in order.
pub fn journal(bytes: &[u8]) -> Vec<Entry> {
    let text = std::str::from_utf8(bytes).expect("the journal is UTF-8");
    assert!(text.ends_with('\n'), "the last line is whole");
    let entries: Vec<Entry> =
        text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))).collect();
    for (index, entry) in entries.iter().enumerate() {
        assert_eq!(entry.seq, index as u64, "journal lines are in order");
    }
    entries
}

/// How many elements of each name a well-formed document has.
fn elements(xml: &str) -> BTreeMap<String, u64> {
    let mut reader = Reader::from_str(xml);
    reader.config_mut().check_end_names = true;
    let mut found = BTreeMap::new();
    loop {
        match reader.read_event().expect("well-formed XML") {
            Event::Start(start) | Event::Empty(start) => {
                assert!(start.attributes().all(|attribute| attribute.is_ok()), "well-formed attributes");
                let name = String::from_utf8(start.name().as_ref().to_vec()).expect("names are UTF-8");
                *found.entry(name).or_insert(0) += 1;
            }
            Event::Eof => return found,
            _ => {}
        }
    }
}
