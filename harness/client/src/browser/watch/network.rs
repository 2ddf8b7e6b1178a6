//! Requests, answers and WebSockets.

use base64::prelude::*;
use serde_json::{Value, json};

use super::{Command, Follow, Watch};
use crate::browser::record::{Address, Answer, Frame, MAX_ANSWER_BYTES, MAX_ANSWERS, MAX_ENTRIES, Socket};

/// Bytes of an address that are kept (house).
const MAX_URL_BYTES: usize = 16 * 1024;

/// An answer whose body is wanted when it is whole.
pub(super) struct Waiting {
    status: u16,
}

impl Watch {
    pub(super) fn network(&mut self, session: &str, method: &str, params: &Value) -> Vec<Command> {
        let id = params["requestId"].as_str().unwrap_or_default();
        match method {
            "Network.requestWillBeSent" => self.request(params),
            "Network.requestWillBeSentExtraInfo" => self.referer(&params["headers"]),
            "Network.responseReceived" => self.response(id, params),
            "Network.loadingFinished" => {
                let small = params["encodedDataLength"].as_f64().unwrap_or_default() <= MAX_ANSWER_BYTES as f64;
                let Some(waiting) = self.waiting.remove(id).filter(|_| small) else { return vec![] };
                let command = Command::new(Some(session), "Network.getResponseBody", json!({ "requestId": id }));
                return vec![command.following(Follow::Body(waiting.status))];
            }
            "Network.loadingFailed" => {
                self.waiting.remove(id);
                if params["type"] == "Document" && self.record.document_status.is_none() {
                    self.failed = params["errorText"].as_str().map(str::to_owned);
                }
            }
            "Network.webSocketCreated" => self.socket_created(id, params),
            "Network.webSocketWillSendHandshakeRequest" => self.referer(&params["request"]["headers"]),
            "Network.webSocketHandshakeResponseReceived" => self.socket_is(id, true),
            "Network.webSocketClosed" => self.socket_is(id, false),
            "Network.webSocketFrameSent" => self.frame(id, true, &params["response"]),
            "Network.webSocketFrameReceived" => self.frame(id, false, &params["response"]),
            _ => {}
        }
        vec![]
    }

    fn request(&mut self, params: &Value) {
        let url = params["request"]["url"].as_str().unwrap_or_default();
        let frame = params["frameId"].as_str().unwrap_or_default();
        let main = params["type"] == "Document" && self.page(frame).is_some();
        self.address(if main { "page" } else { "request" }, url);
        self.referer(&params["request"]["headers"]);
    }

    fn referer(&mut self, headers: &Value) {
        let fields = headers.as_object().into_iter().flatten();
        let found = fields.filter(|(name, _)| name.eq_ignore_ascii_case("referer"));
        for referer in found.filter_map(|(_, value)| value.as_str().map(str::to_owned)).collect::<Vec<_>>() {
            self.address("referer", &referer);
        }
    }

    fn address(&mut self, place: &'static str, url: &str) {
        // Data and blobs never leave the browser.
        if !["http:", "https:", "ws:", "wss:"].iter().any(|scheme| url.starts_with(scheme)) {
            return;
        }
        let known = (place, kept(url).to_owned());
        if self.known.contains(&known) {
            return;
        }
        if !self.addresses.take(known.1.len()) {
            return self.is_full("addresses");
        }
        self.record.addresses.push(Address { place, url: known.1.clone() });
        self.known.insert(known);
    }

    /// The address that a visitor's history keeps, also where the page wrote it without asking a server.
    pub(super) fn shown(&mut self, url: &Value, fragment: &Value) {
        let url = [url.as_str(), fragment.as_str()].into_iter().flatten().collect::<String>();
        self.address("page", &url);
    }

    fn response(&mut self, id: &str, params: &Value) {
        let status = params["response"]["status"].as_u64().and_then(|status| u16::try_from(status).ok());
        let Some(status) = status.filter(|status| *status > 0) else { return };
        match params["type"].as_str() {
            Some("Document") => {
                let main = self.main.as_deref() == params["frameId"].as_str();
                self.record.document_status = self.record.document_status.or(main.then_some(status));
            }
            // What a script of the page asked for: configurations and tokens come this way.
            Some("XHR" | "Fetch") if self.asked < MAX_ANSWERS => {
                self.asked += 1;
                self.waiting.insert(id.to_owned(), Waiting { status });
            }
            Some("XHR" | "Fetch") => self.is_full("answers"),
            _ => {}
        }
    }

    pub(super) fn body(&mut self, status: u16, result: &Value) {
        let Some(text) = result["body"].as_str() else { return };
        let body = match result["base64Encoded"] == true {
            true => BASE64_STANDARD.decode(text).unwrap_or_default(),
            false => text.as_bytes().to_vec(),
        };
        if body.len() as u64 > MAX_ANSWER_BYTES {
            return;
        }
        match self.answers.take(body.len()) {
            true => self.record.answers.push(Answer { status, body }),
            false => self.is_full("answers"),
        }
    }

    fn socket_created(&mut self, id: &str, params: &Value) {
        let url = params["url"].as_str().unwrap_or_default();
        self.address("websocket", url);
        if self.record.sockets.len() >= MAX_ENTRIES {
            return self.is_full("websockets");
        }
        self.record.sockets.push(Socket { id: id.to_owned(), url: kept(url).to_owned(), open: false });
    }

    fn socket_is(&mut self, id: &str, open: bool) {
        self.record.sockets.iter_mut().filter(|socket| socket.id == id).for_each(|socket| socket.open = open);
    }

    fn frame(&mut self, socket: &str, sent: bool, frame: &Value) {
        let payload = frame["payloadData"].as_str().unwrap_or_default();
        // RFC 6455, section 5.2: 1 is text; binary comes in base64. What is binary and no text is none for us.
        let text = match frame["opcode"].as_i64() {
            Some(1) => Some(payload.to_owned()),
            Some(2) => BASE64_STANDARD.decode(payload).ok().and_then(|bytes| String::from_utf8(bytes).ok()),
            _ => None,
        };
        let Some(text) = text else { return };
        match self.frames.take(text.len()) {
            true => self.record.frames.push(Frame { socket: socket.to_owned(), sent, text }),
            false => self.is_full("websocket messages"),
        }
    }
}

/// An address, cut where nothing sensible is as long.
fn kept(url: &str) -> &str {
    let end = (0..=MAX_URL_BYTES.min(url.len())).rev().find(|end| url.is_char_boundary(*end)).unwrap_or(0);
    &url[..end]
}
