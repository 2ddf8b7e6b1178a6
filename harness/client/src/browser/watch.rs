//! The browser's events become facts, and commands that follow from them. No sockets, no clock.

mod console;
mod network;

use std::collections::{BTreeMap, HashMap, HashSet};

use serde_json::{Value, json};

use super::record::{Budget, MAX_ENTRIES, Record, ServiceWorker};
use console::PLAIN;
use network::Waiting;

/// The observer's own bounds: reports of one document, and what each holds (house).
const OBSERVER_LIMITS: &str =
    "{ reports: 20000, sdp: 65536, line: 1024, peers: 16, servers: 16, stats: 256, sockets: 16 }";
const OBSERVER: &str = include_str!("observer.js");
/// Pages and frames that are watched (house). A page that opens more loses them.
const MAX_PAGES: usize = 8;
/// Workers that are watched (house).
const MAX_WORKERS: usize = 32;
/// Peer connections over all documents (house).
const MAX_PEERS: usize = 64;
/// Dialogs that are answered (house); a page that opens more waits for an answer until its visit is over.
const MAX_DIALOGS: u32 = 100;

/// A command for the browser.
#[derive(Clone, Debug)]
pub(super) struct Command {
    pub session: Option<String>,
    pub method: &'static str,
    pub params: Value,
    pub follow: Option<Follow>,
}

/// What the watch wants of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Follow {
    /// The body of the answer to a script, with its status.
    Body(u16),
    /// The text of an object in the console.
    Console,
    /// Whether the service worker with this script listens for requests.
    FetchHandler(String),
}

impl Command {
    pub fn new(session: Option<&str>, method: &'static str, params: Value) -> Self {
        Self { session: session.map(str::to_owned), method, params, follow: None }
    }

    fn following(self, follow: Follow) -> Self {
        Self { follow: Some(follow), ..self }
    }
}

/// A document with its script world.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Context {
    pub session: String,
    pub id: i64,
    pub frame: String,
}

/// What is known of the browser.
#[derive(Default)]
pub(super) struct Watch {
    /// What was seen of the page.
    pub record: Record,
    /// The name of the binding and of the event: random, and no page sees it.
    name: String,
    /// The target of the page that is visited: the first, since a browser is started without one.
    main: Option<String>,
    /// Sessions of pages by their target, which is also the name of their main frame.
    pages: BTreeMap<String, String>,
    workers: HashMap<String, Worker>,
    /// Scripts' worlds of the documents.
    contexts: Vec<Context>,
    /// Requests whose answer has not come to its end.
    waiting: HashMap<String, Waiting>,
    known: HashSet<(&'static str, String)>,
    scopes: HashMap<String, String>,
    dialogs: u32,
    /// Answers whose bodies were asked for.
    asked: usize,
    answers: Budget,
    /// A visitor has clicked: what the page asks for in a dialog is then allowed.
    pub clicked: bool,
    console: Budget,
    frames: Budget,
    addresses: Budget,
    /// The last request to inject reached a WebSocket of the page.
    pub injected: bool,
    /// The main document could not be loaded: the browser's own reason.
    pub failed: Option<String>,
    /// The observer runs in the page's main document: what it does not tell did not happen.
    pub observed: bool,
    /// Whether the page's main document is loaded so far that it can be clicked.
    pub interactive: bool,
}

struct Worker {
    kind: String,
    url: String,
}

impl Watch {
    /// Watches with a binding of this name.
    pub fn new(name: String) -> Self {
        Self { name, ..Self::default() }
    }

    /// The name of binding and event.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The session of a page's target.
    pub fn page(&self, target: &str) -> Option<&str> {
        self.pages.get(target).map(String::as_str)
    }

    /// Script worlds of documents.
    pub fn contexts(&self) -> &[Context] {
        &self.contexts
    }

    /// Service workers that can be asked.
    pub fn questions(&self) -> Vec<Command> {
        let workers = self.workers.iter().filter(|(_, worker)| worker.kind == "service_worker");
        workers
            .map(|(session, worker)| {
                let ask = "(getEventListeners(self).fetch ?? []).length > 0 || typeof self.onfetch === 'function'";
                let params = json!({ "expression": ask, "includeCommandLineAPI": true, "returnByValue": true });
                Command::new(Some(session), "Runtime.evaluate", params)
                    .following(Follow::FetchHandler(worker.url.clone()))
            })
            .collect()
    }

    /// Notes that the rest will not be seen.
    pub fn broken(&mut self, why: String) {
        self.record.cut.get_or_insert(why);
    }

    fn is_full(&mut self, what: &str) {
        self.broken(format!("the page gave more {what} than a visit keeps"));
    }

    /// Takes the answer to one of the watch's own commands; `None` where it was refused.
    pub fn answer(&mut self, command: &Command, result: Option<Value>) {
        let result = result.unwrap_or_default();
        match &command.follow {
            Some(Follow::Body(status)) => self.body(*status, &result),
            Some(Follow::Console) => {
                if let Some(text) = result["result"]["value"].as_str() {
                    self.say(text.to_owned());
                }
            }
            Some(Follow::FetchHandler(script)) => {
                let handles = result["result"]["value"] == true;
                let same = self.record.service_workers.iter_mut().filter(|worker| worker.script == *script);
                same.for_each(|worker| worker.fetch_handler |= handles);
            }
            None => {}
        }
    }

    /// Takes an event of a session; what to do about it.
    pub fn event(&mut self, session: Option<&str>, method: &str, params: &Value) -> Vec<Command> {
        match method {
            "Target.attachedToTarget" => return self.attached(params),
            "Target.detachedFromTarget" => {
                let session = params["sessionId"].as_str().unwrap_or_default();
                self.pages.retain(|_, known| known != session);
                self.workers.remove(session);
                self.contexts.retain(|context| context.session != session);
            }
            _ => {}
        }
        let Some(session) = session.filter(|session| self.is_watched(session)) else { return vec![] };
        match method {
            "Runtime.bindingCalled" => self.reported(session, params),
            "Runtime.executionContextCreated" => self.context(session, &params["context"]),
            "Runtime.executionContextDestroyed" => {
                let id = params["executionContextId"].as_i64();
                self.contexts.retain(|context| context.session != session || Some(context.id) != id);
            }
            "Runtime.executionContextsCleared" => self.contexts.retain(|context| context.session != session),
            "Page.frameNavigated" => self.shown(&params["frame"]["url"], &params["frame"]["urlFragment"]),
            "Page.navigatedWithinDocument" => self.shown(&params["url"], &Value::Null),
            "Page.javascriptDialogOpening" => return self.dialog(session, params),
            "Page.loadEventFired" => self.record.load_event |= self.is_main(session),
            "Page.domContentEventFired" => self.interactive |= self.is_main(session),
            "Runtime.consoleAPICalled" => return self.called(session, params),
            "Runtime.exceptionThrown" => self.thrown(&params["exceptionDetails"]),
            "Log.entryAdded" => self.logged(&params["entry"]),
            "ServiceWorker.workerRegistrationUpdated" => self.registrations(params),
            "ServiceWorker.workerVersionUpdated" => self.versions(params),
            _ if method.starts_with("Network.") => return self.network(session, method, params),
            _ => {}
        }
        vec![]
    }

    fn is_watched(&self, session: &str) -> bool {
        self.workers.contains_key(session) || self.pages.values().any(|known| known == session)
    }

    fn is_main(&self, session: &str) -> bool {
        // Before its document comes, the empty one is loaded.
        let main = self.main.as_ref().and_then(|target| self.page(target));
        self.record.document_status.is_some() && main == Some(session)
    }

    /// A page, a frame or a worker: it waits until it can be watched from its first script on.
    fn attached(&mut self, params: &Value) -> Vec<Command> {
        let (info, session) = (&params["targetInfo"], params["sessionId"].as_str().unwrap_or_default());
        let (kind, target) = (info["type"].as_str().unwrap_or_default(), info["targetId"].as_str().unwrap_or_default());
        let command = |method, params| Command::new(Some(session), method, params);
        let page = matches!(kind, "page" | "iframe");
        let worker = matches!(kind, "worker" | "shared_worker" | "service_worker");
        let go_on = command("Runtime.runIfWaitingForDebugger", json!({}));
        if page && self.pages.len() >= MAX_PAGES {
            return vec![Command::new(None, "Target.closeTarget", json!({ "targetId": target }))];
        }
        // The browser's own pages, and workers without end.
        if !page && (!worker || self.workers.len() >= MAX_WORKERS) {
            return vec![go_on];
        }
        let observer = format!("({})({}, {OBSERVER_LIMITS});", OBSERVER.trim(), Value::from(self.name.as_str()));
        let network = json!({ "maxTotalBufferSize": 32 << 20, "maxResourceBufferSize": 2 << 20 });
        let mut commands = vec![
            command("Runtime.enable", json!({})),
            command("Network.enable", network),
            command("Runtime.addBinding", json!({ "name": self.name })),
            command("Log.enable", json!({})),
        ];
        if page {
            self.main.get_or_insert_with(|| target.to_owned());
            self.pages.insert(target.to_owned(), session.to_owned());
            commands.extend([
                command("Page.enable", json!({})),
                command("Page.addScriptToEvaluateOnNewDocument", json!({ "source": observer })),
                command("ServiceWorker.enable", json!({})),
            ]);
        } else {
            let url = info["url"].as_str().unwrap_or_default().to_owned();
            self.workers.insert(session.to_owned(), Worker { kind: kind.to_owned(), url });
            commands.push(command("Runtime.evaluate", json!({ "expression": observer })));
        }
        let children = json!({ "autoAttach": true, "waitForDebuggerOnStart": true, "flatten": true });
        commands.extend([command("Target.setAutoAttach", children), go_on]);
        commands
    }

    fn context(&mut self, session: &str, context: &Value) {
        let main = context["auxData"]["isDefault"] == true && context["auxData"]["type"] == "default";
        let (Some(id), Some(frame)) = (context["id"].as_i64(), context["auxData"]["frameId"].as_str()) else { return };
        if main && self.contexts.len() < MAX_ENTRIES {
            self.contexts.push(Context { session: session.to_owned(), id, frame: frame.to_owned() });
        }
    }

    /// The empty document before the page is none.
    fn is_of_main_document(&self, session: &str, id: Option<i64>) -> bool {
        let of = |context: &&Context| context.session == session && Some(context.id) == id;
        let context = self.contexts.iter().find(of).filter(|_| self.record.document_status.is_some());
        context.is_some_and(|context| Some(&context.frame) == self.main.as_ref())
    }

    /// A report of the observer, whose words are the page's at worst: a number per document names a peer connection.
    fn reported(&mut self, session: &str, params: &Value) {
        if params["name"].as_str() != Some(&self.name) {
            return;
        }
        let Some(report) = params["payload"].as_str().and_then(|text| serde_json::from_str::<Value>(text).ok()) else {
            return;
        };
        match report["is"].as_str().unwrap_or_default() {
            "here" => self.observed |= self.is_of_main_document(session, params["executionContextId"].as_i64()),
            "full" => self.is_full("reports"),
            "capture" => self.record.captures += 1,
            "swallowed" => {
                let text = report["text"].as_str().unwrap_or_default();
                if self.frames.take(text.len()) {
                    self.record.swallowed.push(text.to_owned());
                }
            }
            "injected" => self.injected |= report["delivered"] == true,
            _ => {
                let Some(number) = report["number"].as_u64() else { return };
                let key = (format!("{session} {}", params["executionContextId"]), number);
                if self.record.peers.len() < MAX_PEERS || self.record.peers.contains_key(&key) {
                    self.record.peers.entry(key).or_default().report(&report);
                }
            }
        }
    }

    /// A dialog stops the page until it is answered. What a visitor wants is a call: after the click, yes.
    fn dialog(&mut self, session: &str, params: &Value) -> Vec<Command> {
        self.dialogs += 1;
        if self.dialogs > MAX_DIALOGS {
            return vec![];
        }
        let accept = self.clicked || matches!(params["type"].as_str(), Some("alert" | "beforeunload"));
        vec![Command::new(Some(session), "Page.handleJavaScriptDialog", json!({ "accept": accept }))]
    }

    fn registrations(&mut self, params: &Value) {
        for entry in params["registrations"].as_array().into_iter().flatten().take(MAX_WORKERS) {
            let (id, scope) = (entry["registrationId"].as_str(), entry["scopeURL"].as_str());
            if let (Some(id), Some(scope)) = (id, scope)
                && self.scopes.len() < MAX_WORKERS
            {
                self.scopes.insert(id.to_owned(), scope.to_owned());
            }
        }
    }

    fn versions(&mut self, params: &Value) {
        for entry in params["versions"].as_array().into_iter().flatten().take(MAX_WORKERS) {
            let scope = entry["registrationId"].as_str().and_then(|id| self.scopes.get(id)).cloned();
            let script = entry["scriptURL"].as_str().unwrap_or_default().to_owned();
            let worker = ServiceWorker { scope: scope.unwrap_or_default(), script, fetch_handler: false };
            let known = &mut self.record.service_workers;
            let same = |other: &ServiceWorker| other.scope == worker.scope && other.script == worker.script;
            if known.len() < MAX_WORKERS && !known.iter().any(same) {
                known.push(worker);
            }
        }
    }
}

/// Gives an object of the console as text.
fn plain(session: &str, object: &str) -> Command {
    let params = json!({ "objectId": object, "functionDeclaration": PLAIN, "returnByValue": true, "silent": true });
    Command::new(Some(session), "Runtime.callFunctionOn", params).following(Follow::Console)
}

#[cfg(test)]
mod tests;
