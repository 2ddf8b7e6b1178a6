//! Reviewed outputs: snapshots of the terminal and of JUnit, the pages in `samples/`, and the published schema.

use std::fs;
use std::path::{Path, PathBuf};

use ringfence_reports::{Format, Style, render, schema, terminal, terminal_brief};

use crate::samples;

/// Compares with a file kept beside the code; with `UPDATE=1` in the environment writes it.
fn kept(file: &str, text: &str) {
    let path: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
    if std::env::var_os("UPDATE").is_some() {
        fs::write(&path, text).unwrap();
    }
    let kept = fs::read_to_string(&path).unwrap_or_default();
    assert!(kept == text, "{file} is not current: review what changed, then run with UPDATE=1");
}

#[test]
fn the_schema_is_current() {
    kept("schema/report-v1.json", &schema());
}

#[test]
fn the_pages_are_current() {
    kept("samples/healthy.html", &render(Format::Html, &samples::healthy()).unwrap());
    kept("samples/broken.html", &render(Format::Html, &samples::broken()).unwrap());
    kept("samples/broken.json", &render(Format::Json, &samples::broken()).unwrap());
}

#[test]
fn the_files_for_machines_and_forges_are_current() {
    let broken = samples::broken();
    kept("samples/broken.sarif", &render(Format::Sarif, &broken).unwrap());
    kept("samples/broken.full.sarif", &render(Format::SarifFull, &broken).unwrap());
    kept("samples/broken.md", &render(Format::Markdown, &broken).unwrap());
    kept("samples/broken.csv", &render(Format::Csv, &broken).unwrap());
}

#[test]
fn terminal_of_a_broken_deployment() {
    let style = Style { color: false, width: 100, unicode: true };
    insta::assert_snapshot!("terminal_broken", terminal(&samples::broken(), style));
    insta::assert_snapshot!(
        "terminal_broken_narrow_ascii",
        terminal(&samples::broken(), Style { width: 48, unicode: false, ..style })
    );
    insta::assert_snapshot!("terminal_brief_broken", terminal_brief(&samples::broken(), style));
}

#[test]
fn terminal_of_a_healthy_deployment() {
    let style = Style { color: false, width: 80, unicode: true };
    insta::assert_snapshot!("terminal_healthy", terminal(&samples::healthy(), style));
}

#[test]
fn junit_of_a_broken_deployment() {
    insta::assert_snapshot!("junit_broken", render(Format::Junit, &samples::broken()).unwrap());
}
