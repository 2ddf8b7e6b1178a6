//! Scenarios of the tests' own, and a lab to ask them of.

use ringfence_lab::fault::Fault;
use ringfence_lab::{Lab, LabOptions};
use tempfile::TempDir;

use crate::support::Gate;

/// Passes on a healthy lab within a second, without a call.
pub const CACHEABLE: &str = "credentials/answer-cacheable";

/// A lab in this process, with its folder.
pub struct Served {
    /// The lab.
    pub lab: Lab,
    _folder: TempDir,
}

impl Served {
    /// Starts one.
    pub async fn new(fault: Option<Fault>) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let options = LabOptions { fault, ..LabOptions::healthy(folder.path()) };
        Self { lab: Lab::start(options).await.expect("the lab starts"), _folder: folder }
    }

    /// `ringfence run` against it: see [`Gate::run_text`].
    pub fn run(&self, only: &[&str]) -> Gate {
        Gate::run_text(&self.lab.target_file(), only)
    }

    /// What its log says so far.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.lab.log_path()).expect("the lab writes its log")
    }
}

/// Adds a scenario `house/SLUG` to a run, which asks these steps and expects this.
pub fn with_scenario(gate: Gate, slug: &str, steps: &str, expect: &str) -> Gate {
    let text = format!(
        "id = \"house/{slug}\"\ntitle = \"A scenario of the test's own\"\nseverity = \"low\"\nlevel = \"must\"\n\
         intrusion = \"active\"\nadapters = [\"any\"]\nmanual = {{ why = \"w\", how = \"h\", remedy = \"r\", limits = \"l\" }}\n\
         {steps}\n[[verdict.expect]]\nthat = \"{expect}\"\nelse = \"it was otherwise\"\n"
    );
    let path = gate.path("scenarios/house").join(format!("{slug}.toml"));
    let first = !path.parent().expect("a folder").exists();
    std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
    std::fs::write(path, text).expect("a scenario");
    let gate = if first { gate.arg("--scenarios").arg("scenarios") } else { gate };
    gate.arg("--only").arg(&format!("house/{slug}"))
}

/// A call through the relay that is held while two minutes pass: nothing but a signal ends it sooner.
pub fn holding(gate: Gate) -> Gate {
    let steps = "[[step]]\nname = \"c\"\nprobe = \"call\"\nwith = { media_s = 1, hold = true, candidates = \"relay\" }\n\
                 [[step]]\nname = \"w\"\nprobe = \"wait\"\nwith = { for = \"duration\", seconds = 120 }\n\
                 [[step]]\nname = \"m\"\nprobe = \"media-attack\"\nwith = { call = \"c\", kind = \"forged-tag\", count = 1, rate = 1 }\n";
    with_scenario(gate, "held", steps, "c.answered && m.call_alive")
}

/// A step that this version cannot take although its scenario loads: `aor = "text"` wants a text, and none is given.
pub fn own_fault(gate: Gate) -> Gate {
    let steps = "[[step]]\nname = \"r\"\nprobe = \"register\"\nwith = { aor = \"text\" }\n";
    with_scenario(gate, "own-fault", steps, "r.status == 200")
}
