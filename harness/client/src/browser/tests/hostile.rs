//! Pages that want to keep, fill or leave their watcher.

use futures_util::{SinkExt, StreamExt};
use ringfence_model::observation::Outcome;
use tokio_tungstenite::tungstenite::Message;

use super::*;

#[tokio::test]
async fn pages_that_hold_on_are_left() {
    for script in [
        "for (;;) {}",
        "for (;;) alert('again');",
        "onbeforeunload = (event) => { event.preventDefault(); return 'stay'; };",
        "setInterval(() => { for (let i = 0; i < 20; i++) open('/', '_blank'); }, 50);",
        "setInterval(() => { location = '/file'; }, 100);",
        "setInterval(() => location.reload(), 30);",
        "const socket = new WebSocket('ws://' + location.host + '/ws'); socket.onopen = () => socket.close(); close();",
        "onclick = () => { for (let i = 0; i < 100; i++) open('/', '_blank'); };",
    ] {
        let hurried = |plan: &mut VisitPlan| {
            click(plan);
            plan.load_within = Duration::from_secs(5);
        };
        let Some(visited) = visit_script(script, hurried).await else { return };
        assert!(!visited.call_started, "{script}");
    }
}

#[tokio::test]
async fn a_page_without_an_end_is_clicked_all_the_same() {
    let Some(executable) = browser() else { return };
    let url = format!("{}slow", serve("").await);
    let mut plan = VisitPlan { load_within: Duration::from_secs(3), ..plan(executable, &url) };
    let visited = tokio::time::timeout(LIMIT, visit(&net(), &plan)).await.expect("a visit ends").expect("a browser");
    assert!(!visited.loaded && visited.failure.is_none(), "{:?}", visited.failure);
    click(&mut plan);
    plan.load_within = Duration::from_secs(20);
    let visited = tokio::time::timeout(LIMIT, visit(&net(), &plan)).await.expect("a visit ends").expect("a browser");
    assert!(visited.loaded, "what can be clicked has come");
}

#[tokio::test]
async fn a_flood_in_the_console_is_cut_and_said_to_be() {
    let script = "for (let i = 0; i < 30000; i++) console.log('line ' + i);";
    let Some(visited) = visit_script(script, |plan| plan.length = Duration::from_secs(10)).await else { return };
    assert!(visited.record.console.len() <= 20_000);
    let failure = visited.failure.expect("what was cut may have been a leak");
    assert!(failure.error.raw().contains("console"), "{failure}");
}

#[tokio::test]
async fn more_in_storage_or_to_tell_than_is_read_is_said() {
    let storage = "indexedDB.open('d').onupgradeneeded = ({ target }) => {
                       const store = target.result.createObjectStore('s');
                       for (let i = 0; i < 1001; i++) store.put('value', i);
                   };";
    // The observer tells of each, and at last that it tells no more.
    let telling =
        "for (let i = 0; i < 30000; i++) RTCPeerConnection.prototype.addIceCandidate.call(0, {}).catch(() => 0);";
    for script in [storage, telling] {
        let Some(visited) = visit_script(script, |plan| plan.length = Duration::from_secs(5)).await else { return };
        let failure = visited.failure.expect("what was cut may have been a leak");
        assert!(failure.error.raw().contains("than a visit keeps"), "{failure}");
    }
}

#[tokio::test]
async fn a_giant_frame_ends_the_visit() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut socket = tokio_tungstenite::accept_async(stream).await.ok()?;
                socket.send(Message::text("x".repeat(40 << 20))).await.ok()?;
                while let Some(Ok(_)) = socket.next().await {}
                Some(())
            });
        }
    });
    let script = format!("new WebSocket('ws://{address}/');");
    let Some(visited) = visit_script(&script, |plan| plan.length = Duration::from_secs(10)).await else { return };
    assert!(visited.failure.is_some(), "what came is not known");
}

#[tokio::test]
async fn nothing_out_of_scope_is_reached() {
    let script = "fetch('http://192.0.2.1/x').catch(() => {}); new WebSocket('wss://192.0.2.2/').onerror = () => {};
                  const image = new Image(); image.src = 'https://other.test/i.png';";
    let Some(visited) = visit_script(script, |plan| plan.length = Duration::from_secs(4)).await else { return };
    let refused: Vec<&str> = visited.traffic.refused.iter().map(String::as_str).collect();
    // A name may lead into a scope of networks, so it is looked up; this one leads nowhere.
    assert_eq!(refused, ["192.0.2.1", "192.0.2.2"]);
    assert_eq!(visited.failure, None);

    let script = "new RTCPeerConnection({ iceServers: [{ urls: 'stun:192.0.2.3:3478' }] });";
    let visited = visit_script(script, |plan| plan.length = Duration::from_secs(60)).await.expect("a browser");
    let failure = visited.failure.expect("media would leave the scope");
    assert_eq!(failure.outcome, Outcome::OutOfScope);
    assert!(failure.error.raw().contains("192.0.2.3"), "{failure}");
}

#[tokio::test]
async fn a_page_that_does_not_come_is_told_as_it_is() {
    let Some(executable) = browser() else { return };
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    for (url, outcome) in [
        (format!("http://{free}/"), Outcome::Unreachable),
        ("https://192.0.2.1/".to_owned(), Outcome::OutOfScope),
        (format!("{}file", serve("").await), Outcome::Protocol),
    ] {
        let visited = visit(&net(), &plan(executable.clone(), &url)).await.expect("a browser");
        assert_eq!(visited.failure.map(|failure| failure.outcome), Some(outcome), "{url}");
        assert!(!visited.loaded);
    }
}
