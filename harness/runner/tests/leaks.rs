//! Nothing is left running: a call, a registration and a lab end with whoever holds them.

use std::time::Duration;

use ringfence_client::Net;
use ringfence_client::adapters::{Ask, CallConfig, fetch};
use ringfence_client::drive::call::{CallPlan, EndedBy, LiveCall, place};
use ringfence_client::drive::registration::{RegistrationPlan, register};
use ringfence_client::media::MediaPlan;
use ringfence_lab::{Lab, LabOptions};
use ringfence_model::RunKey;
use ringfence_model::target::Target;
use tempfile::TempDir;
use tokio::runtime::Handle;

/// Nothing here takes longer, unless it is broken.
const LIMIT: Duration = Duration::from_secs(10);

struct Rig {
    lab: Lab,
    target: Target,
    net: Net,
    _folder: TempDir,
}

impl Rig {
    async fn start() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let lab = Lab::start(LabOptions::healthy(folder.path())).await.expect("the lab starts");
        let target = Target::read(lab.target_path()).expect("the lab's target file is right");
        let net = Net::new(&target).expect("and its scope");
        Self { lab, target, net, _folder: folder }
    }

    async fn config(&self) -> CallConfig {
        let fetched = fetch(&self.net, &self.target, &Ask::default()).await.unwrap_or_else(|error| panic!("{error}"));
        fetched.config.expect("the lab's configuration is whole")
    }

    async fn call(&self) -> LiveCall {
        let plan = CallPlan::honest(self.config().await, MediaPlan::default(), 1);
        let mut live = place(&self.net, plan, &key(), |_| {}).await;
        assert!(live.run_until_echoes(1, LIMIT).await, "{:#?}", live.seen());
        live
    }
}

fn key() -> RunKey {
    RunKey::from_random([7; 32])
}

/// Waits until no more tasks run than these.
#[track_caller]
fn back_to(tasks: usize) -> impl Future<Output = ()> {
    let caller = std::panic::Location::caller();
    async move {
        let metrics = Handle::current().metrics();
        let down = async {
            while metrics.num_alive_tasks() > tasks {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        let ended = tokio::time::timeout(LIMIT, down).await;
        assert!(ended.is_ok(), "{caller}: {} tasks run instead of {tasks}", metrics.num_alive_tasks());
    }
}

#[tokio::test]
async fn a_call_ends_with_its_owner() {
    let rig = Rig::start().await;
    let before = Handle::current().metrics().num_alive_tasks();
    drop(rig.call().await);
    back_to(before).await;

    rig.call().await.hang_up().await;
    back_to(before).await;

    // Given up at any moment, placed or not.
    let key = key();
    for after in (0..300).step_by(20) {
        let plan = CallPlan::honest(rig.config().await, MediaPlan::default(), after);
        let placing = place(&rig.net, plan, &key, |_| {});
        let _ = tokio::time::timeout(Duration::from_millis(after), placing).await;
    }
    back_to(before).await;

    let plan = RegistrationPlan::honest(rig.config().await, 1);
    let _ = tokio::time::timeout(Duration::from_millis(5), register(&rig.net, &plan, &key)).await;
    back_to(before).await;
}

#[tokio::test]
async fn a_lab_ends_with_its_owner_and_its_calls_with_it() {
    let rig = Rig::start().await;
    let mut live = rig.call().await;
    let Rig { lab, .. } = rig;
    drop(lab);
    live.run_for(LIMIT).await;
    assert_eq!(live.seen().ended_by, Some(EndedBy::Target), "{:#?}", live.seen());
    drop(live);
    back_to(0).await;
}
