use serde_json::json;

use super::*;
use crate::browser::record::MAX_BYTES;

fn watch() -> Watch {
    let mut watch = Watch::new("secret-name".into());
    watch.event(None, "Target.attachedToTarget", &attached("page", "P", "S"));
    watch
}

fn attached(kind: &str, target: &str, session: &str) -> Value {
    json!({ "sessionId": session, "targetInfo": { "type": kind, "targetId": target, "url": "https://w.test/w.js" } })
}

fn methods(commands: &[Command]) -> Vec<&str> {
    commands.iter().map(|command| command.method).collect()
}

#[test]
fn a_page_runs_only_when_it_is_watched() {
    let mut watch = Watch::new("secret-name".into());
    for (kind, script) in [("page", "Page.addScriptToEvaluateOnNewDocument"), ("worker", "Runtime.evaluate")] {
        let commands = watch.event(None, "Target.attachedToTarget", &attached(kind, kind, kind));
        let methods = methods(&commands);
        assert!(methods.contains(&script) && methods.last() == Some(&"Runtime.runIfWaitingForDebugger"), "{methods:?}");
    }
    assert_eq!(watch.page("page"), Some("page"));
    let others = watch.event(None, "Target.attachedToTarget", &attached("browser_ui", "U", "U"));
    assert_eq!(methods(&others), ["Runtime.runIfWaitingForDebugger"]);
    for number in 0..MAX_PAGES {
        let name = number.to_string();
        watch.event(None, "Target.attachedToTarget", &attached("page", &name, &name));
    }
    let popup = watch.event(None, "Target.attachedToTarget", &attached("page", "popup", "popup"));
    assert_eq!(methods(&popup), ["Target.closeTarget"]);
}

#[test]
fn only_answers_to_scripts_are_read() {
    let mut watch = watch();
    let response =
        |id: &str, kind: &str| json!({ "requestId": id, "type": kind, "frameId": "P", "response": { "status": 200 } });
    for (id, kind) in [("1", "Document"), ("2", "Fetch"), ("3", "Image")] {
        assert!(watch.event(Some("S"), "Network.responseReceived", &response(id, kind)).is_empty());
    }
    assert_eq!(watch.record.document_status, Some(200));
    let finished = |id: &str, bytes: u64| json!({ "requestId": id, "encodedDataLength": bytes });
    assert!(watch.event(Some("S"), "Network.loadingFinished", &finished("1", 9)).is_empty());
    let commands = watch.event(Some("S"), "Network.loadingFinished", &finished("2", 9));
    assert_eq!(methods(&commands), ["Network.getResponseBody"]);
    watch.answer(&commands[0], Some(json!({ "body": "e30=", "base64Encoded": true })));
    assert_eq!(watch.record.answers.first().map(|answer| answer.body.as_slice()), Some(&b"{}"[..]));
    watch.event(Some("S"), "Network.responseReceived", &response("4", "XHR"));
    assert!(watch.event(Some("S"), "Network.loadingFinished", &finished("4", 1 << 30)).is_empty());
}

#[test]
fn addresses_and_frames_have_their_places() {
    let mut watch = watch();
    let request = json!({ "type": "Document", "frameId": "P",
        "request": { "url": "https://a.test/?t=1", "headers": { "Referer": "https://b.test/" } } });
    watch.event(Some("S"), "Network.requestWillBeSent", &request);
    watch.event(Some("S"), "Network.webSocketCreated", &json!({ "requestId": "W", "url": "wss://c.test/?k" }));
    watch.event(Some("S"), "Network.webSocketHandshakeResponseReceived", &json!({ "requestId": "W" }));
    watch.event(Some("foreign"), "Network.webSocketCreated", &json!({ "requestId": "X", "url": "wss://d.test/" }));
    let places: Vec<_> = watch.record.addresses.iter().map(|address| (address.place, address.url.as_str())).collect();
    let expected = [("page", "https://a.test/?t=1"), ("referer", "https://b.test/"), ("websocket", "wss://c.test/?k")];
    assert_eq!(places, expected);
    assert!(watch.record.sockets.iter().all(|socket| socket.open));

    let frame =
        |opcode: u8, data: &str| json!({ "requestId": "W", "response": { "opcode": opcode, "payloadData": data } });
    watch.event(Some("S"), "Network.webSocketFrameSent", &frame(1, "text"));
    watch.event(Some("S"), "Network.webSocketFrameReceived", &frame(2, "dGV4dA=="));
    watch.event(Some("S"), "Network.webSocketFrameReceived", &frame(2, "/w=="));
    let frames: Vec<_> = watch.record.frames.iter().map(|frame| (frame.sent, frame.text.as_str())).collect();
    assert_eq!(frames, [(true, "text"), (false, "text")]);
}

#[test]
fn a_flood_is_cut_and_said_to_be() {
    let mut watch = watch();
    let line = json!({ "args": [{ "type": "string", "value": "x".repeat(1 << 20) }] });
    for _ in 0..MAX_BYTES >> 20 {
        watch.event(Some("S"), "Runtime.consoleAPICalled", &line);
        assert_eq!(watch.record.cut, None);
    }
    watch.event(Some("S"), "Runtime.consoleAPICalled", &line);
    assert!(watch.record.cut.as_deref().unwrap_or_default().contains("console"));
    assert_eq!(watch.record.console.len(), MAX_BYTES >> 20);
}

#[test]
fn objects_in_the_console_are_read_whole() {
    let mut watch = watch();
    let call =
        json!({ "args": [{ "value": "options" }, { "objectId": "O", "description": "Object" }, { "value": 7 }] });
    let commands = watch.event(Some("S"), "Runtime.consoleAPICalled", &call);
    assert_eq!(methods(&commands), ["Runtime.callFunctionOn"]);
    watch.answer(&commands[0], Some(json!({ "result": { "value": "password=canary" } })));
    assert_eq!(watch.record.console, ["options Object 7", "password=canary"]);
}

#[test]
fn only_the_binding_reports() {
    let mut watch = watch();
    let report =
        |name: &str, report: Value| json!({ "name": name, "executionContextId": 1, "payload": report.to_string() });
    for name in ["secret-name", "other"] {
        watch.event(Some("S"), "Runtime.bindingCalled", &report(name, json!({ "is": "capture" })));
    }
    assert_eq!(watch.record.captures, 1);
    for number in 0..1000 {
        let opened = report("secret-name", json!({ "is": "opened", "number": number, "servers": [] }));
        watch.event(Some("S"), "Runtime.bindingCalled", &opened);
    }
    assert_eq!(watch.record.peers.len(), MAX_PEERS);
    watch.event(Some("S"), "Runtime.bindingCalled", &json!({ "name": "secret-name", "payload": "{" }));
}

#[test]
fn a_page_is_observed_once_its_main_document_says_so() {
    let mut watch = watch();
    let context = |id: i64, frame: &str| {
        let data = json!({ "isDefault": true, "type": "default", "frameId": frame });
        json!({ "context": { "id": id, "auxData": data } })
    };
    let here = |id: i64| json!({ "name": "secret-name", "executionContextId": id, "payload": "{\"is\":\"here\"}" });
    watch.event(Some("S"), "Runtime.executionContextCreated", &context(1, "inner"));
    watch.event(Some("S"), "Runtime.executionContextCreated", &context(2, "P"));
    watch.event(Some("S"), "Runtime.bindingCalled", &here(1));
    watch.event(Some("S"), "Runtime.bindingCalled", &here(3));
    assert!(!watch.observed, "a frame inside it, and nobody");
    watch.event(Some("S"), "Runtime.bindingCalled", &here(2));
    assert!(!watch.observed, "the empty document");
    let response = json!({ "requestId": "1", "type": "Document", "frameId": "P", "response": { "status": 200 } });
    watch.event(Some("S"), "Network.responseReceived", &response);
    watch.event(Some("S"), "Runtime.bindingCalled", &here(2));
    assert!(watch.observed);
}

#[test]
fn dialogs_are_answered_so_often() {
    let mut watch = watch();
    let mut answers = vec![];
    for kind in ["alert", "confirm", "beforeunload"] {
        answers.extend(watch.event(Some("S"), "Page.javascriptDialogOpening", &json!({ "type": kind })));
    }
    let accepted: Vec<_> = answers.iter().map(|command| command.params["accept"].clone()).collect();
    assert_eq!(accepted, [true, false, true]);
    watch.clicked = true;
    let confirm = watch.event(Some("S"), "Page.javascriptDialogOpening", &json!({ "type": "confirm" }));
    assert_eq!(confirm[0].params["accept"], true);
    let endless =
        (0..1000).flat_map(|_| watch.event(Some("S"), "Page.javascriptDialogOpening", &json!({ "type": "alert" })));
    assert_eq!(endless.count(), MAX_DIALOGS as usize - 4);
}

#[test]
fn what_the_page_writes_into_the_address_bar_is_an_address() {
    let mut watch = watch();
    let inside = json!({ "frameId": "P", "url": "https://w.test/call?ticket=canary-1" });
    watch.event(Some("S"), "Page.navigatedWithinDocument", &inside);
    let frame = json!({ "frame": { "id": "P", "url": "https://w.test/call", "urlFragment": "#canary-2" } });
    watch.event(Some("S"), "Page.frameNavigated", &frame);
    watch.event(Some("S"), "Page.frameNavigated", &json!({ "frame": { "url": "about:blank" } }));
    let urls: Vec<&str> = watch.record.addresses.iter().map(|address| address.url.as_str()).collect();
    assert_eq!(urls, ["https://w.test/call?ticket=canary-1", "https://w.test/call#canary-2"]);
}

#[test]
fn addresses_without_end_are_cut_and_forgotten() {
    let mut watch = watch();
    for number in 0..MAX_ENTRIES + 10 {
        let request = json!({ "request": { "url": format!("https://w.test/{number}") } });
        watch.event(Some("S"), "Network.requestWillBeSent", &request);
    }
    assert_eq!((watch.record.addresses.len(), watch.known.len()), (MAX_ENTRIES, MAX_ENTRIES));
    assert!(watch.record.cut.is_some());
    let socket = json!({ "requestId": "1", "url": format!("wss://w.test/{}", "x".repeat(1 << 20)) });
    watch.event(Some("S"), "Network.webSocketCreated", &socket);
    assert!(watch.record.sockets.iter().all(|socket| socket.url.len() < 1 << 15));
}

#[test]
fn an_observer_that_falls_silent_says_so() {
    let mut watch = watch();
    watch.event(Some("S"), "Runtime.bindingCalled", &json!({ "name": "secret-name", "payload": "{\"is\":\"full\"}" }));
    assert!(watch.record.cut.is_some());
}
