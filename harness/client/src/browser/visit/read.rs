//! Reading the page, in a world of our own: its scripts cannot see or change what runs there.

use serde_json::{Value, json};

use super::super::record::{MAX_BYTES, MAX_ENTRIES, Stored};
use super::super::session::CdpError;
use super::super::watch::Context;
use super::{COMMAND, PAGE_COMMAND, Visitor};

const READER: &str = include_str!("../reader.js");
/// Documents that are read (house).
const MAX_DOCUMENTS: usize = 16;
/// The world's name. No page sees it.
const WORLD: &str = "ringfence";

impl Visitor<'_> {
    /// Documents, the page's own first.
    fn documents(&self) -> Vec<Context> {
        let mut documents = self.session.seen(|watch| watch.contexts().to_vec());
        documents.sort_by_key(|context| context.frame != self.target);
        if documents.len() > MAX_DOCUMENTS {
            documents.truncate(MAX_DOCUMENTS);
            self.session.change(|watch| watch.broken("the page has more frames than are read".into()));
        }
        documents
    }

    /// Runs an expression in a document, apart from the page's scripts.
    pub(super) async fn evaluate(&self, document: &Context, mut params: Value) -> Result<Value, CdpError> {
        let session = Some(document.session.as_str());
        let world = json!({ "frameId": document.frame, "worldName": WORLD });
        let world = self.session.call(session, "Page.createIsolatedWorld", world, PAGE_COMMAND).await?;
        params["contextId"] = world["executionContextId"].clone();
        self.session.call(session, "Runtime.evaluate", params, COMMAND).await
    }

    /// Runs an expression in every document; the answers of those that gave one.
    pub(super) async fn in_every_document(&self, expression: &str) -> Vec<(Context, Value)> {
        let mut answers = vec![];
        for document in self.documents() {
            let params = json!({ "expression": expression });
            if let Ok(answer) = self.evaluate(&document, params).await {
                answers.push((document, answer));
            }
        }
        answers
    }

    /// Reads what the page left behind in storage and document.
    pub(super) async fn read(&mut self) {
        // Databases and caches have that many milliseconds each, together less than a command: a busy machine needs some.
        let limits = json!({ "bytes": MAX_BYTES / 4, "entries": MAX_ENTRIES, "items": 1000, "depth": 16, "ms": 4500 });
        let expression = format!("({})({limits})", READER.trim().trim_end_matches(';'));
        for document in self.documents() {
            let params = json!({ "expression": expression, "awaitPromise": true, "returnByValue": true });
            let answer = self.evaluate(&document, params).await;
            let text = answer.as_ref().ok().and_then(|answer| answer["result"]["value"].as_str());
            let found = text.and_then(|text| serde_json::from_str::<Value>(text).ok());
            self.session.change(|watch| match found {
                None if document.frame == self.target => watch.broken("the page could not be read".into()),
                // Frames come and go.
                None => {}
                Some(found) => {
                    if found["cut"] == true {
                        watch.broken("the page left more behind than a visit keeps".into());
                    }
                    keep(&mut watch.record.storage, &found["storage"]);
                    keep(&mut watch.record.document, &found["document"]);
                }
            });
        }
    }

    /// Asks whether service workers listen for requests. One that sleeps is not woken.
    pub(super) async fn ask_service_workers(&self) {
        for command in self.session.seen(|watch| watch.questions()) {
            let asked =
                self.session.call(command.session.as_deref(), command.method, command.params.clone(), PAGE_COMMAND);
            let answer = asked.await.ok();
            self.session.change(|watch| watch.answer(&command, answer));
        }
    }
}

/// What was not there at the first reading.
fn keep(known: &mut Vec<Stored>, found: &Value) {
    for entry in found.as_array().into_iter().flatten().take(MAX_ENTRIES) {
        let (Some(place), Some(text)) = (entry[0].as_str(), entry[1].as_str()) else { continue };
        known.push(Stored { place: place.to_owned(), text: text.to_owned() });
    }
}
