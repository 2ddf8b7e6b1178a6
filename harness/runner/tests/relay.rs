//! A relayed call against the lab's own TURN server: TURN client and server are of different making, and so is the rest.

use std::time::Duration;

use ringfence_client::Net;
use ringfence_client::adapters::{Ask, CallConfig, fetch};
use ringfence_client::drive::call::{CallObservation, CallPlan, EndedBy, place};
use ringfence_client::media::{CandidatePolicy, MediaPlan};
use ringfence_lab::{Lab, LabOptions};
use ringfence_model::observation::Outcome;
use ringfence_model::target::Target;
use ringfence_model::{RunKey, Secret};

/// Nothing here takes longer, unless it is broken.
const LIMIT: Duration = Duration::from_secs(20);

async fn relayed(target: &Target, net: &Net, change: impl FnOnce(&mut CallConfig)) -> CallObservation {
    let fetched = fetch(net, target, &Ask::default()).await.unwrap_or_else(|error| panic!("{error}"));
    let mut config = fetched.config.expect("the lab's configuration is whole");
    change(&mut config);
    let media = MediaPlan { candidates: CandidatePolicy::Relay, ..MediaPlan::default() };
    let calling = async {
        let mut live = place(net, CallPlan::honest(config, media, 1), &RunKey::from_random([7; 32]), |_| {}).await;
        live.run_until_echoes(25, Duration::from_secs(5)).await;
        live.hang_up().await
    };
    tokio::time::timeout(LIMIT, calling).await.expect("a call ends")
}

#[tokio::test]
async fn a_relayed_call_echoes_through_the_labs_turn_server() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let lab = Lab::start(LabOptions::healthy(folder.path())).await.expect("the lab starts");
    let target = Target::read(lab.target_path()).expect("the lab's target file is right");
    let net = Net::new(&target).expect("and its scope");

    let seen = relayed(&target, &net, |_| {}).await;
    assert_eq!((&seen.failure, &seen.own_fault), (&None, &None), "{seen:#?}");
    assert_eq!(seen.media.ice.local_type.as_deref(), Some("relay"), "{seen:#?}");
    assert!(seen.media.dtls.completed && seen.media.dtls.certificate.matches);
    assert!(seen.media.media.echoed >= 25 && seen.media.media.plain_received == 0, "{seen:#?}");
    assert_eq!((seen.ended_by, seen.out_of_scope), (Some(EndedBy::Us), 0));
    let log = std::fs::read_to_string(lab.log_path()).expect("the lab's log");
    for line in ["method=Allocate status=200", "method=CreatePermission status=200", "method=Refresh status=200"] {
        assert!(log.contains(line), "{line}: the allocation is used and given back\n{log}");
    }

    // A relay that lets nobody in is what the target does, at once, and no fault of ours.
    let refused = relayed(&target, &net, |config| {
        config.ice_servers.iter_mut().for_each(|server| server.credential = Some(Secret::from("wrong")));
    })
    .await;
    assert_eq!(refused.own_fault, None);
    assert_eq!(refused.failure.as_ref().map(|failure| failure.outcome), Some(Outcome::Unreachable), "{refused:#?}");
    assert!(!refused.answered && refused.status.is_none(), "without an offer nobody is called");
    lab.stop().await;
}
