//! Calls that no pair admits.

use super::*;

const NAMES: [&str; 3] = ["X-Organisation-Id", "X-Project-Id", "X-Endpoint-Id"];

/// The identifiers of the first runtime endpoint, and of the second.
fn identities(desk: &Desk) -> [[String; 3]; 2] {
    let runtime: Vec<_> = desk.shared.endpoints.iter().filter(|endpoint| endpoint.runtime).collect();
    [0, 1].map(|at| {
        let identity = &runtime[at].identity;
        [&identity.organisation, &identity.project, &identity.endpoint].map(Clone::clone)
    })
}

/// The last answer to an INVITE of that endpoint, under these identifiers.
async fn calls(fault: Option<Fault>, named: impl Fn(&[[String; 3]; 2]) -> Vec<(usize, String)>) -> Option<u16> {
    let (desk, now) = (Desk::new(fault), Instant::now());
    let known = identities(&desk);
    let nobody = Minted { username: "nobody".into(), password: "none".into() };
    let mut phone = Phone::new(&desk, 1, &nobody, now);
    let uri = format!("sip:{}@localhost", known[0][2]);
    let invite = phone.request("INVITE", &uri, &format!("<{uri}>")).body("application/sdp", OFFER);
    let invite = named(&known).into_iter().fold(invite, |invite, (name, value)| invite.header(NAMES[name], value));
    phone.ask(invite).status()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_runtime_endpoint_admits_its_own_tenant() {
    let own = |known: &[[String; 3]; 2]| known[0].clone().into_iter().enumerate().collect::<Vec<_>>();
    let foreign =
        |known: &[[String; 3]; 2]| vec![(0, known[1][0].clone()), (1, known[1][1].clone()), (2, known[0][2].clone())];
    let doubled = move |known: &[[String; 3]; 2]| own(known).into_iter().chain([(0, known[1][0].clone())]).collect();
    assert_eq!(calls(None, own).await, Some(180));
    assert_eq!(calls(None, foreign).await, Some(403));
    assert_eq!(calls(None, doubled).await, Some(403));
    assert_eq!(calls(None, |_| vec![]).await, Some(403));
    let broken = Some(Fault::TenantHeadersUnchecked);
    assert_eq!(calls(broken, foreign).await, Some(180));
    assert_eq!(calls(broken, doubled).await, Some(180));
    assert_eq!(calls(broken, |_| vec![]).await, Some(403), "somebody has to be called");
}
