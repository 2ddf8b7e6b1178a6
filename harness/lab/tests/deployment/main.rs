//! A lab from outside: real sockets, real TLS, the protocols as a client speaks them.

mod clients;
mod hostile;
mod https;
mod signalling;
mod tls;
mod turn;
mod turn_streams;

use std::collections::BTreeSet;

use ringfence_lab::fault::Fault;
use ringfence_lab::{Lab, LabError, LabOptions, Ports};
use ringfence_model::target::{Need, Target};
use tempfile::TempDir;

use clients::{fetch, https_client};

/// A lab, and the folder that goes with it.
struct Running {
    lab: Lab,
    folder: TempDir,
}

async fn start(fault: Option<Fault>) -> Running {
    let folder = tempfile::tempdir().unwrap();
    let options = LabOptions { fault, ..LabOptions::healthy(folder.path()) };
    Running { lab: Lab::start(options).await.unwrap(), folder }
}

#[tokio::test]
async fn the_target_file_is_ready_to_use() {
    let Running { lab, folder: _folder } = start(None).await;
    let target = Target::read(lab.target_path()).unwrap();
    assert_eq!(std::fs::read_to_string(lab.target_path()).unwrap(), lab.target_file());
    assert_eq!(target.trusted_origins, [lab.urls().page_origin.clone()]);
    for need in
        ["call-destination", "echo", "second-participant", "session-end-wait", "trusted-origin", "turn", "page-url"]
    {
        assert_eq!(target.need(need), Some(Need::Given), "{need}");
    }
    assert!(std::fs::read_to_string(target.ca_file.unwrap()).unwrap().starts_with("-----BEGIN CERTIFICATE-----"));
}

#[tokio::test]
async fn two_labs_are_strangers() {
    let (a, b) = tokio::join!(start(None), start(Some(Fault::ConfigCacheable)));
    let (one, two) = tokio::join!(fetch(&a.lab), fetch(&b.lab));
    assert_ne!(one.sip("username"), two.sip("username"));
    assert!(a.lab.faults().met().contains(&Fault::ConfigCacheable));
    assert_eq!((a.lab.faults().chosen(), b.lab.faults().chosen()), (None, Some(Fault::ConfigCacheable)));
    let foreign = https_client(&a.lab).get(&b.lab.urls().config).send().await;
    assert!(foreign.is_err(), "each has an authority of its own");
}

#[tokio::test]
async fn ports_are_free_again_and_may_be_chosen() {
    let first = start(None).await;
    let address = first.lab.urls().page_origin.rsplit_once(':').unwrap().1.parse().unwrap();
    let options = |folder: &TempDir| LabOptions { ports: Ports::From(address), ..LabOptions::healthy(folder.path()) };
    let folder = tempfile::tempdir().unwrap();
    let taken = Lab::start(options(&folder)).await.unwrap_err();
    assert!(matches!(taken, LabError::Listener { part: "page", .. }), "{taken}");
    first.lab.stop().await;
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", address)).await;
    assert!(listener.is_ok(), "{listener:?}");
}

#[tokio::test]
async fn dropping_a_lab_closes_its_connections() {
    let Running { lab, folder: _folder } = start(None).await;
    let phone = clients::Phone::connect(&lab).await;
    drop(lab);
    phone.closed().await;
}

#[tokio::test]
async fn the_log_has_no_secrets() {
    let Running { lab, folder: _folder } = start(None).await;
    let config = fetch(&lab).await;
    let mut phone = clients::Phone::connect(&lab).await;
    assert_eq!(phone.register(&config).await.status(), Some(200));
    turn::allocate(&lab, Some(&config)).await;
    let log = std::fs::read_to_string(lab.log_path()).unwrap();
    for part in ["part=config", "part=signalling", "part=turn", "method=REGISTER", "status=200", "user=visitor"] {
        assert!(log.contains(part), "{part}: {log}");
    }
    let token = lab.urls().config.rsplit_once('/').unwrap().1.to_owned();
    for secret in [config.sip("password"), config.turn("credential"), token] {
        assert!(!log.contains(&secret), "{log}");
    }
    assert!(!log.contains("Digest") && !log.contains("cnonce"));
}

/// Every fault is asked for in one place of the lab, so that its knob has one meaning.
#[test]
fn every_fault_is_read_in_one_place() {
    let mut sources = String::new();
    let mut folders = vec![std::path::PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/src"))];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            match path.extension().and_then(|extension| extension.to_str()) {
                Some("rs") => sources += &std::fs::read_to_string(path).unwrap(),
                _ if path.is_dir() => folders.push(path),
                _ => {}
            }
        }
    }
    let asked: Vec<&str> = sources.split("broken(Fault::").skip(1).filter_map(|rest| rest.split(')').next()).collect();
    let once: BTreeSet<&str> = asked.iter().copied().collect();
    assert_eq!(asked.len(), once.len(), "asked twice: {asked:?}");
    let all: BTreeSet<String> = Fault::ALL.iter().map(|fault| format!("{fault:?}")).collect();
    assert_eq!(once, all.iter().map(String::as_str).collect());
}
