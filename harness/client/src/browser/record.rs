//! What a visit showed, as it stands: it holds secrets and personal data, so nothing here can be printed.

use std::collections::BTreeMap;

use super::peer::Peer;

/// Most entries of one list (house).
pub(super) const MAX_ENTRIES: usize = 20_000;
/// Most bytes of text that one list keeps (house).
pub(super) const MAX_BYTES: usize = 16 * 1024 * 1024;
/// Most bytes of one answer that is read (house).
pub(super) const MAX_ANSWER_BYTES: u64 = 1024 * 1024;
/// Most answers that are read (house).
pub(super) const MAX_ANSWERS: usize = 512;

/// A list of texts with an end.
#[derive(Clone, Default)]
pub(super) struct Budget {
    entries: usize,
    bytes: usize,
}

impl Budget {
    /// Whether there is room for so many bytes more, which are then taken.
    pub fn take(&mut self, bytes: usize) -> bool {
        let room = self.entries < MAX_ENTRIES && self.bytes.saturating_add(bytes) <= MAX_BYTES;
        if room {
            self.entries += 1;
            self.bytes += bytes;
        }
        room
    }
}

/// An address that the page used.
#[derive(Clone, PartialEq, Eq)]
pub struct Address {
    /// `page`, `request`, `websocket` or `referer`.
    pub place: &'static str,
    /// The address, whole.
    pub url: String,
}

/// The body of an answer to a script of the page.
#[derive(Clone)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// The body.
    pub body: Vec<u8>,
}

/// One message on a WebSocket.
#[derive(Clone)]
pub struct Frame {
    /// Which WebSocket, by the browser's own name for it.
    pub socket: String,
    /// The page sent it.
    pub sent: bool,
    /// The message.
    pub text: String,
}

/// One WebSocket.
#[derive(Clone)]
pub struct Socket {
    /// The browser's own name for it.
    pub id: String,
    /// Its address, whole.
    pub url: String,
    /// It was upgraded and is not closed.
    pub open: bool,
}

/// A text that the page left behind.
#[derive(Clone)]
pub struct Stored {
    /// `local-storage`, `session-storage`, `indexed-db`, `cookie`, `cache`, `text` or `attribute`.
    pub place: String,
    /// The text.
    pub text: String,
}

/// One service worker.
#[derive(Clone, PartialEq, Eq)]
pub struct ServiceWorker {
    /// Addresses that it controls.
    pub scope: String,
    /// Address of its script.
    pub script: String,
    /// It listens for requests of the page.
    pub fetch_handler: bool,
}

/// Everything that a visit showed.
#[derive(Clone, Default)]
pub struct Record {
    /// HTTP status of the page itself.
    pub document_status: Option<u16>,
    /// The page said that it is loaded.
    pub load_event: bool,
    /// Texts in the console, uncaught errors included.
    pub console: Vec<String>,
    /// Addresses that the page used.
    pub addresses: Vec<Address>,
    /// WebSockets, in order.
    pub sockets: Vec<Socket>,
    /// Messages on WebSockets, in order.
    pub frames: Vec<Frame>,
    /// Bodies of answers to scripts.
    pub answers: Vec<Answer>,
    /// Peer connections by their number in their document.
    pub peers: BTreeMap<(String, u64), Peer>,
    /// How often a microphone was asked for.
    pub captures: u64,
    /// Texts that the page left behind: read twice, in the call and at the end.
    pub storage: Vec<Stored>,
    /// Texts of the document, likewise.
    pub document: Vec<Stored>,
    /// Service workers.
    pub service_workers: Vec<ServiceWorker>,
    /// What the page sent on account of what was put into its WebSocket; it never left the browser.
    pub swallowed: Vec<String>,
    /// Why more was to be seen than was kept or could be read: what is not here may have been.
    pub cut: Option<String>,
}
