//! What the page notices of being watched, and what is seen of it.

use super::*;

/// Runs a script that gives true or throws; what it said.
async fn holds(script: &str) {
    let script = format!(
        "(async () => {{ {script} }})().then((is) => console.log('verdict ' + is), (e) => console.log('verdict ' + e))"
    );
    let Some(visited) = visit_script(&script, |_| ()).await else { return };
    let verdicts: Vec<&String> = visited.record.console.iter().filter(|line| line.starts_with("verdict")).collect();
    assert_eq!(verdicts, ["verdict true"], "{:?}", visited.record.console);
}

#[tokio::test]
async fn a_page_finds_what_it_expects() {
    holds(
        r#"
        const native = (f) => Function.prototype.toString.call(f).includes("[native code]") && f.toString().includes("[native code]");
        const same = (a, b, what) => { if (a !== b) throw new Error(what + ": " + String(a)); };
        for (const [f, what] of [[RTCPeerConnection, "pc"], [WebSocket, "ws"], [WebSocket.prototype.send, "send"],
            [MediaDevices.prototype.getUserMedia, "gum"], [RTCPeerConnection.prototype.setConfiguration, "set"]]) {
          same(native(f), true, what);
        }
        same(RTCPeerConnection.name, "RTCPeerConnection", "name");
        same(WebSocket.length, 1, "length");
        same(WebSocket.prototype.send.name, "send", "name of a method");
        same(WebSocket.OPEN, 1, "static");
        const pc = new RTCPeerConnection({ iceServers: [] });
        same(pc instanceof RTCPeerConnection, true, "instanceof");
        same(pc.constructor, RTCPeerConnection, "constructor");
        same(webkitRTCPeerConnection, RTCPeerConnection, "alias");
        same(Object.getPrototypeOf(pc), RTCPeerConnection.prototype, "prototype");
        same((await RTCPeerConnection.generateCertificate({ name: "ECDSA", namedCurve: "P-256" })) instanceof RTCCertificate, true, "static method");
        class Own extends RTCPeerConnection { get mine() { return true; } }
        const own = new Own();
        same(own.mine && own instanceof Own && own instanceof RTCPeerConnection, true, "subclass");
        let thrown = "";
        try { RTCPeerConnection(); } catch (error) { thrown = error.constructor.name; }
        same(thrown, "TypeError", "called without new");
        try { new WebSocket("nothing:"); thrown = ""; } catch (error) { thrown = error.name; }
        same(thrown, "SyntaxError", "wrong address");
        try { WebSocket.prototype.send.call({}, "x"); thrown = ""; } catch (error) { thrown = error.constructor.name; }
        same(thrown, "TypeError", "foreign this");
        const all = Object.getOwnPropertyNames(window).filter((name) => /^[0-9a-f]{16}$/.test(name));
        same(all.length, 0, "binding");
        same(Object.getOwnPropertyDescriptor(window, "WebSocket").enumerable, false, "enumerable");
        const stream = await navigator.mediaDevices.getUserMedia({ audio: true });
        same(stream.getAudioTracks().length, 1, "microphone");
        return true;
        "#,
    )
    .await;
}

#[tokio::test]
async fn two_peer_connections_of_a_page_are_seen_as_they_are() {
    let script = r#"
        document.getElementById("start").addEventListener("click", async () => {
          const [a, b] = [new RTCPeerConnection({ iceTransportPolicy: "all", iceServers: [{ urls: "turn:127.0.0.1:9", username: "u", credential: "canary-credential" }] }), new RTCPeerConnection()];
          a.onicecandidate = (e) => b.addIceCandidate(e.candidate);
          b.onicecandidate = (e) => a.addIceCandidate(e.candidate);
          const stream = await navigator.mediaDevices.getUserMedia({ audio: true });
          for (const peer of [a, b]) stream.getTracks().forEach((track) => peer.addTrack(track, stream));
          await a.setLocalDescription();
          await b.setRemoteDescription(a.localDescription);
          await b.setLocalDescription();
          await a.setRemoteDescription(b.localDescription);
        }, { once: true });"#;
    // Host candidates may lie in any network of this machine.
    let Some(executable) = browser() else { return };
    let url = serve(&format!("<button id=start>Start</button><script>{script}</script>")).await;
    let text = "name = \"x\"\nadapter = \"cognigy\"\n[endpoints]\nconfig = \"https://c.test/t\"\n\
                [[scope]]\nnetworks = [\"0.0.0.0/0\", \"::/0\"]\n";
    let net = Net::new(&Target::parse(text, Path::new("t.toml")).unwrap()).unwrap();
    let mut plan = VisitPlan { early_end: true, call_within: Duration::from_secs(60), ..plan(executable, &url) };
    plan.length = Duration::from_secs(60);
    click(&mut plan);
    let visited = tokio::time::timeout(LIMIT, visit(&net, &plan)).await.expect("a visit ends").expect("a browser");
    assert_eq!(visited.failure, None);
    assert!(visited.call_started && visited.invites == 0 && !visited.captured_unasked);
    let carrier = visited.carrier().expect("one carries the call");
    assert!(matches!(carrier.stats.dtls_version.as_deref(), Some("1.2" | "1.3")), "{:?}", carrier.stats);
    assert!(carrier.stats.bytes_received > 0 && carrier.stats.bytes_sent > 0);
    let peers: Vec<&super::super::Peer> = visited.record.peers.values().collect();
    let [a, b] = peers.as_slice() else { panic!("{} peers", peers.len()) };
    assert_eq!(a.stats.local_fingerprint, b.stats.remote_fingerprint);
    assert_eq!(a.stats.remote_fingerprint, b.stats.local_fingerprint);
    assert!(a.connected && b.connected && b.answered && !a.answered && a.sends_audio);
    let server = a.ice_servers.first().expect("its configuration");
    assert_eq!(server.credential.as_ref().map(|secret| secret.expose().as_str()), Some("canary-credential"));
    assert_eq!(a.transport_policy.as_deref(), Some("all"));
}

#[tokio::test]
async fn everything_that_a_page_leaves_behind_is_read() {
    let script = r#"
        const options = { inner: { password: "in-an-object" }, get trap() { throw new Error("ran"); } };
        console.log("said", options);
        console.error(new Error("in-an-error"));
        localStorage.setItem("a", "in-local-storage");
        sessionStorage.setItem("a", "in-session-storage");
        document.cookie = "a=in-a-cookie";
        document.body.insertAdjacentHTML("beforeend", "<p title='in-an-attribute'>in-a-text</p><input id=i>");
        document.getElementById("i").value = "in-a-value";
        document.body.appendChild(document.createElement("div")).attachShadow({ mode: "open" }).innerHTML = "<b>in-a-shadow</b>";
        caches.open("c").then((cache) => cache.put("/x", new Response("in-a-cache")));
        const opening = indexedDB.open("d", 1);
        opening.onupgradeneeded = () => opening.result.createObjectStore("s").put({ deep: ["in-indexed-db"] }, "k");
        fetch("/secret?in-a-request");
        navigator.serviceWorker.register("/worker.js");
        const blob = new Blob(["console.log('from-a-worker'); self.setTimeout(() => {}, 1e6);"], { type: "text/javascript" });
        new Worker(URL.createObjectURL(blob));
        setTimeout(() => { throw new Error("uncaught"); });"#;
    let Some(visited) = visit_script(script, |plan| plan.length = Duration::from_secs(4)).await else { return };
    assert_eq!(visited.failure, None);
    let record = &visited.record;
    let console = record.console.join("\n");
    for text in ["said", "in-an-object", "in-an-error", "from-a-worker", "uncaught"] {
        assert!(console.contains(text), "{text}: {console}");
    }
    assert!(!console.contains("Error: ran"), "no code of the page's runs for us");
    for (place, text) in [
        ("local-storage", "in-local-storage"),
        ("session-storage", "in-session-storage"),
        ("cookie", "in-a-cookie"),
        ("cache", "in-a-cache"),
        ("indexed-db", "in-indexed-db"),
    ] {
        assert!(record.storage.iter().any(|stored| stored.place == place && stored.text.contains(text)), "{place}");
    }
    let read: Vec<(&str, &str)> =
        record.document.iter().map(|text| (text.place.as_str(), text.text.as_str())).collect();
    for text in ["in-a-text", "in-a-value", "in-a-shadow"] {
        assert!(read.contains(&("text", text)), "{text} {read:?}");
    }
    assert!(read.contains(&("attribute", "title=in-an-attribute")), "{read:?}");
    assert!(!read.iter().any(|(_, text)| text.contains("insertAdjacentHTML")), "scripts are no text of the document");
    assert!(record.addresses.iter().any(|address| address.place == "request" && address.url.contains("in-a-request")));
    assert!(record.addresses.iter().any(|address| address.place == "referer"));
    assert!(record.answers.iter().any(|answer| answer.body.windows(6).any(|part| part == b"canary")));
    let worker = record.service_workers.first().expect("a service worker");
    assert!(worker.script.ends_with("/worker.js") && worker.scope.ends_with('/') && worker.fetch_handler);
}

#[tokio::test]
async fn a_click_is_a_visitors_and_comes_after_the_notice() {
    let script = r#"
        const notice = document.body.appendChild(document.createElement("dialog"));
        notice.innerHTML = "<button id=accept>Accept</button>";
        const start = document.getElementById("start");
        start.style.marginTop = "5000px";
        start.onclick = (event) => { console.log("click " + event.isTrusted + " " + navigator.userActivation.isActive); notice.showModal(); };
        document.getElementById("accept").onclick = async () => {
          notice.close();
          await navigator.mediaDevices.getUserMedia({ audio: true });
          console.log("captured");
        };"#;
    let accepting = |plan: &mut VisitPlan| {
        click(plan);
        plan.accept = Some("#accept".into());
    };
    let Some(visited) = visit_script(script, accepting).await else { return };
    assert!(visited.record.console.contains(&"click true true".into()), "{:?}", visited.record.console);
    assert!(visited.record.console.contains(&"captured".into()), "{:?}", visited.record.console);
    assert!(visited.notice_first && !visited.captured_unasked && visited.record.captures == 1);
    let early = "navigator.mediaDevices.getUserMedia({ audio: true });";
    let visited = visit_script(&[early, script].concat(), accepting).await.expect("a browser");
    assert!(!visited.notice_first && visited.captured_unasked);
    // No call came of the click: that is told, and is no success.
    assert!(visited.failure.is_some() && !visited.call_started);
}
