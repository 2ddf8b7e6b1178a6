//! A scenario of the test's own.

use crate::support::{Gate, Outputs, TargetFile};

/// Its id.
pub const ID: &str = "test/asks";

/// A scenario file: `head` replaces or adds keys, `steps` are whole, `that` is what must hold.
pub fn text(intrusion: &str, steps: &str, that: &str) -> String {
    format!(
        "id = \"{ID}\"\ntitle = \"a test asks\"\nseverity = \"low\"\nlevel = \"must\"\nintrusion = \"{intrusion}\"\n\
         adapters = [\"any\"]\nmanual = {{ why = \"w\", how = \"h\", remedy = \"r\", limits = \"l\" }}\n{steps}\n\
         [[verdict.expect]]\nthat = \"{that}\"\nelse = \"not so\"\n"
    )
}

/// A run of that scenario alone.
pub fn gate(target: &TargetFile, scenario: &str) -> Gate {
    let gate = Gate::run(target, &[ID]).arg("--scenarios").arg("extra");
    let folder = gate.path("extra/test");
    std::fs::create_dir_all(&folder).expect("a folder");
    std::fs::write(folder.join("asks.toml"), scenario).expect("the scenario is written");
    gate
}

/// Its outputs.
pub async fn asked(target: &TargetFile, scenario: &str) -> Outputs {
    Outputs::of(&gate(target, scenario).ends().await)
}
