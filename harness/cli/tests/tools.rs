//! The commands around a run: plan, init, check, schema, report, completions, man. Each as the real binary, before the lab
//! where one is needed.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

const RINGFENCE: &str = env!("CARGO_BIN_EXE_ringfence");

fn ringfence(folder: &Path, args: &[&str]) -> Output {
    Command::new(RINGFENCE).args(args).current_dir(folder).stdin(Stdio::null()).output().expect("it runs")
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("UTF-8")
}

fn said(output: &Output) -> String {
    format!("{}{}", stdout(output), String::from_utf8_lossy(&output.stderr))
}

#[track_caller]
fn exits(output: &Output, code: i32) {
    assert_eq!(output.status.code(), Some(code), "{}", said(output));
}

/// `ringfence lab` in a process and a folder of its own; ended when dropped.
struct Lab(Child, TempDir);

impl Lab {
    fn serve() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let mut lab = Command::new(RINGFENCE);
        lab.arg("lab").arg("--folder").arg(folder.path()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = lab.spawn().expect("the lab starts");
        let mut lines = BufReader::new(child.stderr.take().expect("piped")).lines().map_while(Result::ok);
        assert!(lines.any(|line| line.starts_with("the lab is up")), "the lab said nothing of being up");
        Self(child, folder)
    }

    fn target(&self) -> String {
        self.1.path().join("target.toml").display().to_string()
    }

    fn ca(&self) -> String {
        self.1.path().join("ca.pem").display().to_string()
    }

    fn endpoint(&self, name: &str) -> String {
        let text = std::fs::read_to_string(self.target()).expect("a target file");
        let target: toml::Table = text.parse().expect("TOML");
        target["endpoints"][name].as_str().expect("an address").to_owned()
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        // It may have ended by itself, which the test has then noticed otherwise.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A target file for nobody, which no command here may ask.
const NOBODY: &str =
    "name = \"nobody\"\nadapter = \"cognigy\"\n[endpoints]\nconfig = \"https://nobody.invalid/t\"\npage = \"none\"\n";

fn nobody() -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("target.toml"), NOBODY).expect("a file");
    folder
}

#[test]
fn a_plan_sums_up_and_asks_nobody() {
    let folder = nobody();
    let out = ringfence(folder.path(), &["plan", "--target", "target.toml", "--json", "--browser", "none"]);
    exits(&out, 0);
    let plan: Value = serde_json::from_str(&stdout(&out)).expect("JSON");
    let asked = plan["asked"].as_array().expect("a list");
    for field in ["calls", "connections", "allocations", "fetches", "seconds"] {
        let sum: u64 = asked.iter().map(|one| one[field].as_u64().expect("a number")).sum();
        assert_eq!(plan["once"][field], sum, "{field}");
        assert_eq!(plan["at_most"][field], 3 * sum, "{field}: three tries");
    }
    assert!(asked.iter().any(|one| one["intrusion"] == "passive"));
    assert!(plan["refused"].as_str().expect("not on this machine").contains("[authorization]"));
    let why = |id: &str| {
        let left_out = plan["left_out"].as_array().expect("a list").iter().find(|one| one["scenario"] == id);
        left_out.map(|one| one["why"].as_str().expect("a reason").to_owned()).unwrap_or_default()
    };
    assert!(why("media/sdes-accepted").contains("call-destination"), "{}", why("media/sdes-accepted"));
    assert!(why("transport/page-over-http").contains("declares that it has no page-url"));
    let text = stdout(&ringfence(folder.path(), &["plan", "-t", "target.toml", "--browser", "none"]));
    for part in ["each once", "each 3 times, at most", "budget", "not asked:", "a run would not begin"] {
        assert!(text.contains(part), "{part} in {text}");
    }
    exits(&ringfence(folder.path(), &["plan", "-t", "target.toml", "--only", "cors/any-orign"]), 2);
}

#[test]
fn profiles_ask_for_less_and_more() {
    let lab = Lab::serve();
    let folder = tempfile::tempdir().expect("a folder");
    let asked = |profile: &str| -> Vec<(String, String)> {
        let args = ["plan", "-t", &lab.target(), "--json", "--browser", "none", "--profile", profile];
        let plan: Value = serde_json::from_str(&stdout(&ringfence(folder.path(), &args))).expect("JSON");
        let text = |value: &Value| value.as_str().expect("text").to_owned();
        plan["asked"]
            .as_array()
            .expect("a list")
            .iter()
            .map(|one| (text(&one["scenario"]), text(&one["intrusion"])))
            .collect()
    };
    let (smoke, ci, full) = (asked("smoke"), asked("ci"), asked("full"));
    assert!(
        smoke.len() > 3 && smoke.len() < ci.len() && ci.len() <= full.len(),
        "{} {} {}",
        smoke.len(),
        ci.len(),
        full.len()
    );
    assert!(smoke.iter().all(|(id, intrusion)| intrusion == "passive" || id == "media/not-dtls-srtp"), "{smoke:?}");
    assert!(smoke.iter().all(|one| ci.contains(one)) && ci.iter().all(|one| full.contains(one)));
    assert!(ci.iter().all(|(_, intrusion)| intrusion != "disruptive"));
    exits(&ringfence(folder.path(), &["plan", "-t", &lab.target(), "--profile", "quick"]), 2);

    let run =
        ringfence(folder.path(), &["run", "-t", &lab.target(), "--profile", "smoke", "--quiet", "-o", "json=r.json"]);
    exits(&run, 0);
    let report: Value =
        serde_json::from_slice(&std::fs::read(folder.path().join("r.json")).expect("a report")).expect("JSON");
    assert_eq!(report["method"]["profile"], "smoke");
    assert_eq!(report["counts"]["pass"], smoke.len() as u64);
}

#[test]
fn init_looks_at_an_address_and_writes_a_file_that_runs() {
    let lab = Lab::serve();
    let folder = tempfile::tempdir().expect("a folder");
    let config = lab.endpoint("config");
    let out = ringfence(folder.path(), &["init", &config, "--ca-file", &lab.ca()]);
    exits(&out, 0);
    assert!(said(&out).contains("Cognigy") && !said(&out).contains("password"), "{}", said(&out));
    let text = std::fs::read_to_string(folder.path().join("target.toml")).expect("a file");
    assert!(
        text.contains("adapter = \"cognigy\"") && text.contains(&config) && text.contains("\"localhost\""),
        "{text}"
    );
    exits(&ringfence(folder.path(), &["check", "target.toml"]), 0);
    // Which page may call, nothing but the page tells.
    let page = lab.endpoint("page");
    let filled = text.replace("https://www.example.test", page.trim_end_matches("/call"));
    std::fs::write(folder.path().join("target.toml"), &filled).expect("a file");
    let only = ["--only", "transport/config-unsafe-uri", "--only", "credentials/answer-cacheable", "--browser", "none"];
    exits(&ringfence(folder.path(), &[&["run", "-t", "target.toml", "--quiet"], &only[..]].concat()), 0);

    exits(&ringfence(folder.path(), &["init", &config]), 6);
    let kept = std::fs::read_to_string(folder.path().join("target.toml")).expect("a file");
    assert_eq!(kept, filled, "nothing is replaced without --force");
    let page = ringfence(folder.path(), &["init", &lab.endpoint("page"), "--ca-file", &lab.ca(), "--file", "-"]);
    exits(&page, 0);
    assert!(stdout(&page).contains(&format!("page = \"{}\"", lab.endpoint("page"))), "{}", said(&page));
}

#[test]
fn init_guesses_where_nobody_answers() {
    let folder = tempfile::tempdir().expect("a folder");
    for args in [&["init", "--file", "a.toml"][..], &["init", "--adapter", "sip", "--file", "b.toml"]] {
        exits(&ringfence(folder.path(), args), 0);
    }
    let unreachable = ringfence(folder.path(), &["init", "https://127.0.0.1:1/t", "--file", "c.toml"]);
    exits(&unreachable, 0);
    assert!(said(&unreachable).contains("gave no answer"), "{}", said(&unreachable));
    for wrong in ["ftp://a.test", "a.test", "http://a.test/t"] {
        exits(&ringfence(folder.path(), &["init", wrong, "--file", "d.toml"]), 2);
    }
    assert!(!folder.path().join("d.toml").exists());
    let checked = ringfence(folder.path(), &["check", "a.toml"]);
    exits(&checked, 0);
    assert!(said(&checked).contains("a run would not begin"), "nobody has filled it in: {}", said(&checked));
}

#[test]
fn check_names_everything_that_is_wrong() {
    let folder = nobody();
    let at = |name: &str| folder.path().join(name);
    let wrong = format!("policy = \"strickt\"\nca_file = \"none.pem\"\n{NOBODY}[files]\nlog = [\"none.log\"]\n");
    std::fs::write(at("wrong.toml"), wrong).expect("a file");
    std::fs::write(at("broken.toml"), NOBODY.replace("adapter", "adaptor")).expect("a file");
    std::fs::create_dir_all(at("own/cors")).expect("a folder");
    std::fs::write(at("own/cors/mine.toml"), "id = \"cors/mine\"\n").expect("a file");
    let out = ringfence(folder.path(), &["check", "target.toml", "wrong.toml", "broken.toml", "--scenarios", "own"]);
    exits(&out, 2);
    for part in [
        "target.toml: well-formed",
        "strickt",
        "none.pem",
        "none.log",
        "broken.toml:2:1",
        "did you mean `adapter`",
        "own/cors/mine.toml",
    ] {
        assert!(said(&out).contains(part), "{part} in {}", said(&out));
    }
    exits(&ringfence(folder.path(), &["check"]), 2);
    exits(&ringfence(folder.path(), &["check", "target.toml"]), 0);
}

#[test]
fn schemas_fit_what_is_written() {
    let folder = tempfile::tempdir().expect("a folder");
    let names = stdout(&ringfence(folder.path(), &["schema"]));
    for name in names.lines() {
        let schema: Value = serde_json::from_str(&stdout(&ringfence(folder.path(), &["schema", name]))).expect("JSON");
        assert!(schema["$schema"].is_string(), "{name}");
    }
    for name in ["target", "scenario", "journal", "report", "policy", "call.seen", "tls-scan.with"] {
        assert!(names.lines().any(|known| known == name), "{name}");
    }
    let target: Value = serde_json::from_str(&stdout(&ringfence(folder.path(), &["schema", "target"]))).expect("JSON");
    assert!(target["properties"]["authorization"].is_object() && target["properties"]["source"].is_null());
    let out = ringfence(folder.path(), &["schema", "traget"]);
    exits(&out, 2);
    assert!(said(&out).contains("did you mean `target`"), "{}", said(&out));
}

#[test]
fn report_renders_and_leaves_the_gate_to_others() {
    let lab = Lab::serve();
    let folder = tempfile::tempdir().expect("a folder");
    let run = ["run", "-t", &lab.target(), "--only", "cors/any-origin", "--quiet", "--journal", "run.jsonl"];
    exits(&ringfence(folder.path(), &run), 0);
    let formats = ["json", "html", "junit", "sarif", "markdown", "csv"];
    let outputs: Vec<String> = formats.iter().map(|format| format!("{format}=out/{format}")).collect();
    let mut args = vec!["report", "run.jsonl"];
    outputs.iter().for_each(|output| args.extend(["-o", output]));
    let out = ringfence(folder.path(), &args);
    exits(&out, 0);
    assert_eq!(stdout(&out), "", "nothing but files");
    for format in formats {
        let text = std::fs::read_to_string(folder.path().join("out").join(format)).expect(format);
        // A summary and a list of alerts name what failed; here nothing did.
        assert!(text.contains("cors/any-origin") || ["sarif", "markdown"].contains(&format), "{format}");
    }
    exits(&ringfence(folder.path(), &["report", "run.jsonl"]), 2);
    exits(&ringfence(folder.path(), &["report", "run.jsonl", "-o", "html=/dev/null/x"]), 6);
    exits(&ringfence(folder.path(), &["report", "none.jsonl", "-o", "html=x"]), 2);
}

#[test]
fn completions_and_manuals_come_from_the_definition() {
    let folder = tempfile::tempdir().expect("a folder");
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let text = stdout(&ringfence(folder.path(), &["completions", shell]));
        assert!(text.contains("fail-on") && text.contains("unauthenticated") | text.contains("plan"), "{shell}");
    }
    let page = stdout(&ringfence(folder.path(), &["man"]));
    for part in [".TH ringfence 1", "ringfence\\-run(1)", "143"] {
        assert!(page.contains(part), "{part} in {page}");
    }
    exits(&ringfence(folder.path(), &["man", "--folder", "man"]), 0);
    let written = std::fs::read_dir(folder.path().join("man")).expect("a folder").count();
    let help = stdout(&ringfence(folder.path(), &["--help"]));
    let commands = help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    let names = commands
        .filter(|line| line.starts_with("  ") && !line.starts_with("   "))
        .filter(|line| !line.trim().starts_with("help "));
    assert_eq!(written, 1 + names.count(), "{help}");
    assert!(folder.path().join("man/ringfence-run.1").is_file());
}
