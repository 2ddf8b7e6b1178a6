//! Relayed calls to a lab, over whatever TURN server the configuration is made to name.

#![allow(dead_code, reason = "each test file uses a part of it")]

use std::path::Path;
use std::time::Duration;

use ringfence_client::Net;
use ringfence_client::adapters::{Ask, CallConfig, fetch};
use ringfence_client::drive::call::{CallObservation, CallPlan, EndedBy, LiveCall, place};
use ringfence_client::media::{CandidatePolicy, MediaPlan};
use ringfence_lab::{Lab, LabOptions};
use ringfence_model::RunKey;
use ringfence_model::target::Target;
use tempfile::TempDir;

/// Nothing here takes longer, unless it is broken.
pub const LIMIT: Duration = Duration::from_secs(60);

/// A lab, and a client that may call it.
pub struct Rig {
    pub lab: Lab,
    pub target: Target,
    pub net: Net,
    folder: TempDir,
}

impl Rig {
    pub async fn start() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let lab = Lab::start(LabOptions::healthy(folder.path())).await.expect("the lab starts");
        let target = Target::read(lab.target_path()).expect("the lab's target file is right");
        let net = Net::new(&target).expect("and its scope");
        Self { lab, target, net, folder }
    }

    /// Its folder.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Trusts this authority besides the lab's.
    pub fn trust(&mut self, ca_pem: &str) {
        let both = self.folder().join("both.pem");
        let own = std::fs::read_to_string(self.folder().join("ca.pem")).expect("the lab's authority");
        std::fs::write(&both, own + ca_pem).expect("a file in the folder");
        self.target.ca_file = Some(both);
        self.net = Net::new(&self.target).expect("two authorities");
    }

    /// A call that offers relayed candidates only.
    pub async fn relayed(&self, change: impl FnOnce(&mut CallConfig)) -> CallObservation {
        let calling = async {
            let mut live = self.place(change).await;
            live.run_until_echoes(25, LIMIT).await;
            live.hang_up().await
        };
        tokio::time::timeout(LIMIT, calling).await.expect("a call ends")
    }

    /// The same, held.
    pub async fn place(&self, change: impl FnOnce(&mut CallConfig)) -> LiveCall {
        let fetched = fetch(&self.net, &self.target, &Ask::default()).await.unwrap_or_else(|error| panic!("{error}"));
        let mut config = fetched.config.expect("the lab's configuration is whole");
        change(&mut config);
        let media = MediaPlan { candidates: CandidatePolicy::Relay, ..MediaPlan::default() };
        place(&self.net, CallPlan::honest(config, media, 1), &RunKey::from_random([7; 32]), |_| {}).await
    }

    /// Waits until the lab's log has the line: what the server does last may come after our end of the call.
    pub async fn logged(&self, line: &str) {
        let waiting = async {
            while !std::fs::read_to_string(self.lab.log_path()).expect("the lab's log").contains(line) {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(LIMIT, waiting).await.unwrap_or_else(|_| panic!("no {line}"));
    }
}

/// Leaves one URL in the configuration.
pub fn only(url: &str) -> impl FnOnce(&mut CallConfig) {
    move |config| config.ice_servers.iter_mut().for_each(|server| server.urls = vec![url.to_owned()])
}

/// Audio came back through the relay, and nothing was left out.
#[track_caller]
pub fn assert_heard(seen: &CallObservation) {
    assert_eq!((&seen.failure, &seen.own_fault, &seen.media_failure), (&None, &None, &None), "{seen:#?}");
    assert_eq!(seen.media.ice.local_type.as_deref(), Some("relay"), "{seen:#?}");
    assert!(seen.media.dtls.completed && seen.media.dtls.certificate.matches);
    assert!(seen.media.media.echoed >= 25 && seen.media.media.plain_received == 0, "{seen:#?}");
    assert_eq!((seen.ended_by, seen.out_of_scope), (Some(EndedBy::Us), 0));
    assert!(seen.servers_left_out.is_empty(), "{seen:#?}");
}
