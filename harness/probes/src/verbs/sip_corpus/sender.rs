//! Sends items over one WebSocket after the other, and listens.

use std::collections::BTreeMap;
use std::time::Duration;

use ringfence_client::adapters::CallConfig;
use ringfence_client::drive::frames::{Came, FrameLine};
use ringfence_client::drive::ws::Upgrade;
use ringfence_client::{Failure, Net};
use ringfence_model::Secret;
use ringfence_model::observation::Outcome;
use ringfence_wire::digest::Authorization;
use ringfence_wire::websocket::{BINARY, Frame, TEXT};
use tokio::time::{Instant, sleep, timeout_at};
use url::Url;

use super::answer::Answer;
use super::draft::{Draft, Words};
use super::item::{Asks, Item, MASK, PATIENTLY, Say};

/// Statuses that are remembered of one Call-ID (house); three are usual.
const MAX_STATUSES: usize = 32;
/// Challenges of one request that are answered (house).
const MAX_LOGINS: u32 = 2;
/// Answers to INVITE that are ended while one item is listened to (house).
const MAX_ENDINGS: u32 = 16;
/// So many times as the slowest answer so far is waited for one that may be none (house).
const PATIENCE: u32 = 4;
/// How long a target that closed may go without letting the sender in again (house), and the time between two tries.
const REOPENED_WITHIN: Duration = Duration::from_secs(6);
const REOPEN_EVERY: Duration = Duration::from_millis(500);
/// How long what came before a break is listened to (house).
const LAST_WORDS: Duration = Duration::from_secs(1);

/// What became of one item.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Told {
    /// It went out, as far as the target read.
    pub sent: bool,
    /// The target closed the connection over it.
    pub closed: bool,
    /// A refusal came that names no request of ours: a server need not read what it refuses.
    pub refused: bool,
    /// What came could not be read, so that nothing behind it was heard.
    pub unheard: bool,
    /// It was answered, or what followed it was.
    pub read: bool,
    /// How long the answer took, where one came.
    pub took: Duration,
    /// How long it would have been waited for.
    pub given: Duration,
}

/// What was heard about one Call-ID.
#[derive(Default)]
struct Heard {
    statuses: Vec<u16>,
    /// Request-URI of the request.
    uri: String,
}

/// The sending side.
pub(super) struct Sender {
    net: Net,
    upgrade: Upgrade,
    realm: String,
    login: Option<(String, Secret)>,
    /// [`Words::via`].
    via: String,
    line: Option<FrameLine>,
    was_open: bool,
    /// How often each nonce was used.
    nonces: BTreeMap<String, u32>,
    /// By the Call-IDs of what was sent; others are not kept.
    heard: BTreeMap<String, Heard>,
    /// How long the slowest answer took.
    slowest: Duration,
    /// Answers to INVITE that were ended, of all items and of this one.
    endings: (u32, u32),
    /// Times that the target closed.
    pub losses: i64,
}

impl Sender {
    /// One that is not connected yet. Credentials are the configuration's.
    ///
    /// # Errors
    /// The configuration's WebSocket address is no URL.
    pub fn new(net: &Net, config: &CallConfig, origin: Option<String>, words: &Words) -> Result<Self, Failure> {
        let url = Url::parse(&config.ws_uri).map_err(|error| Failure::protocol(format!("wsUri is no URL: {error}")))?;
        let user = config.username.clone().unwrap_or_else(|| config.aor_user.clone());
        Ok(Self {
            net: net.clone(),
            upgrade: Upgrade::sip(url, origin),
            realm: config.realm.clone(),
            login: config.password.clone().map(|password| (user, password)),
            via: words.via(),
            line: None,
            was_open: false,
            nonces: BTreeMap::new(),
            heard: BTreeMap::new(),
            slowest: Duration::ZERO,
            endings: (0, 0),
            losses: 0,
        })
    }

    /// The configuration's realm.
    pub fn realm(&self) -> &str {
        &self.realm
    }

    /// Connects, if there is no connection. A target that closed may take some seconds to let us in again.
    ///
    /// # Errors
    /// Why it does not.
    pub async fn open(&mut self) -> Result<(), Failure> {
        let give_up = Instant::now() + if self.was_open { REOPENED_WITHIN } else { Duration::ZERO };
        while self.line.is_none() {
            match FrameLine::open(&self.net, &self.upgrade).await {
                Ok(line) => {
                    self.line = Some(line);
                    self.was_open = true;
                }
                Err(refused) if Instant::now() >= give_up => return Err(refused.failure),
                Err(_) => sleep(REOPEN_EVERY).await,
            }
        }
        Ok(())
    }

    /// Ends the connection, if there is one.
    pub async fn close(&mut self) {
        if let Some(line) = self.line.take() {
            line.close().await;
        }
    }

    /// Statuses that the request with this Call-ID was answered, in order.
    pub fn statuses(&self, call_id: &str) -> Vec<u16> {
        self.heard.get(call_id).map(|heard| heard.statuses.clone()).unwrap_or_default()
    }

    /// Sends one item and waits for what comes of it. Without a connection nothing is sent. What got no answer on a connection
    /// that others had used goes out once more, alone: that connection may have been dead, or unread, before.
    pub async fn say(&mut self, item: &Item) -> Told {
        if item.fresh {
            self.close().await;
        }
        let is_alone = self.line.is_none();
        let told = self.say_once(item).await;
        let has_to_be_read = item.behind.is_some() || matches!(item.asks, Asks::Answered | Asks::Accepted);
        if is_alone || told.read || !has_to_be_read {
            return told;
        }
        self.close().await;
        let again = self.say_once(item).await;
        Told { closed: told.closed || again.closed, refused: told.refused || again.refused, ..again }
    }

    async fn say_once(&mut self, item: &Item) -> Told {
        let mut told = Told::default();
        if self.open().await.is_err() {
            return told;
        }
        self.net.turn().await;
        told.sent = true;
        self.endings.1 = 0;
        for call_id in &item.call_ids {
            let uri = item.request_line().map(|(_, uri)| uri).unwrap_or_default();
            self.heard.entry(call_id.clone()).or_default().uri = uri;
        }
        match &item.say {
            Say::Message(bytes) => self.tell(&message(bytes), item, &mut told).await,
            Say::Bytes(bytes) => self.tell(bytes, item, &mut told).await,
            Say::Request(draft) => self.ask(draft, item, &mut told).await,
            Say::Slowly(bytes) => self.tell_slowly(bytes, &mut told).await,
        }
        if let Some(behind) = item.behind.as_ref().filter(|_| !told.read) {
            let patience = if self.slowest.is_zero() { PATIENTLY } else { self.patience(Duration::from_secs(1)) };
            let sound = Item { wait: patience, ..Item::request(&item.name, Asks::Answered, behind.clone()) };
            self.heard.entry(behind.call_id.clone()).or_default().uri.clone_from(&behind.uri);
            self.ask(behind, &sound, &mut told).await;
            if !told.read {
                self.close().await; // what comes next is not to go where nobody may read
            }
        }
        told
    }

    /// So long, or longer with a target that takes its time; never more than a few seconds, since each wait allows an answer
    /// that is slower still.
    fn patience(&self, least: Duration) -> Duration {
        least.max(PATIENCE * self.slowest.min(PATIENTLY))
    }

    async fn tell(&mut self, bytes: &[u8], item: &Item, told: &mut Told) {
        self.send(bytes, told).await;
        self.wait(item, told).await;
    }

    async fn tell_slowly(&mut self, bytes: &[u8], told: &mut Told) {
        for byte in bytes {
            let Some(line) = self.line.as_mut() else { return };
            if let Err(failure) = line.send_part(&[*byte]).await {
                self.lose(&failure, told);
            }
            self.listen(Instant::now() + Duration::from_secs(1), told, |_, _| false).await;
        }
        self.close().await;
    }

    async fn ask(&mut self, draft: &Draft, item: &Item, told: &mut Told) {
        let mut login = None;
        for number in 1..=1 + MAX_LOGINS {
            self.send(&message(&draft.bytes(number, login.as_deref())), told).await;
            let asked = self.wait(item, told).await;
            login = asked.and_then(|answer| self.answer_challenge(&answer, draft));
            if login.is_none() {
                break;
            }
        }
    }

    /// The header field that answers a challenge; `None` where there is none, or nothing to answer it with.
    fn answer_challenge(&mut self, answer: &Answer, draft: &Draft) -> Option<String> {
        let (user, password) = self.login.as_ref()?;
        let (field, challenge) = answer.challenge()?;
        let used = self.nonces.entry(challenge.nonce.clone()).or_default();
        *used += 1;
        let with = (*used, draft.call_id.as_str());
        let login = (user.as_str(), password.expose().as_str());
        let authorization = Authorization::answer(&challenge, login, (draft.method, draft.uri.as_str()), with).ok()?;
        Some(format!("{field}: {authorization}"))
    }

    async fn send(&mut self, bytes: &[u8], told: &mut Told) {
        let Some(line) = self.line.as_mut() else { return };
        // What came before it broke is still heard, and then that it broke.
        if let Err(failure) = line.send(bytes).await {
            self.listen(Instant::now() + LAST_WORDS, told, |_, _| false).await;
            self.lose(&failure, told);
        }
    }

    /// Gives a broken connection up. One that a target no longer reads is not closed by it, and one whose frames cannot be read
    /// was given up by us.
    fn lose(&mut self, failure: &Failure, told: &mut Told) {
        if self.line.take().is_none() {
            return;
        }
        match failure.outcome {
            Outcome::Closed => {
                told.closed = true;
                self.losses += 1;
            }
            Outcome::Timeout => {}
            _ => told.unheard = true,
        }
    }

    /// Waits for the final answer to the item, or for any refusal where that is enough.
    async fn wait(&mut self, item: &Item, told: &mut Told) -> Option<Answer> {
        let any = item.asks == Asks::Refused;
        let last = item.call_ids.last();
        let given = if item.asks.is_held_against_others() { self.patience(item.wait) } else { item.wait };
        told.given = told.given.max(given);
        let from = Instant::now();
        let answer = if any && told.refused {
            None
        } else {
            let is_enough = |answer: &Answer, told: &Told| {
                any && told.refused || answer.status >= 200 && last == Some(&answer.call_id)
            };
            self.listen(from + given, told, is_enough).await
        };
        if answer.is_some() {
            told.took = told.took.max(from.elapsed());
            self.slowest = self.slowest.max(told.took);
        }
        told.read |= last.is_some_and(|call_id| !self.statuses(call_id).is_empty());
        answer
    }

    /// Listens until then, until the connection ends, or until `enough`.
    async fn listen(
        &mut self,
        until: Instant,
        told: &mut Told,
        enough: impl Fn(&Answer, &Told) -> bool,
    ) -> Option<Answer> {
        // The time is looked at by itself: who talks without end is always ready.
        while Instant::now() < until
            && let Some(line) = self.line.as_mut()
        {
            let came = match timeout_at(until, line.receive()).await {
                Ok(Ok(came)) => came,
                Ok(Err(failure)) => {
                    self.lose(&failure, told);
                    return None;
                }
                Err(_) => return None,
            };
            let Came::Message(bytes) = came else { continue };
            // Keep-alives and requests of the server's answer nothing.
            let Some(answer) = Answer::read(&bytes) else { continue };
            let uri = match self.heard.get_mut(&answer.call_id) {
                Some(heard) => {
                    if heard.statuses.len() < MAX_STATUSES && heard.statuses.last() != Some(&answer.status) {
                        heard.statuses.push(answer.status);
                    }
                    heard.uri.as_str()
                }
                None => {
                    told.refused |= answer.status >= 400;
                    ""
                }
            };
            let ending = answer.ending(uri, &self.via, self.endings.0);
            if !ending.is_empty() && self.endings.1 < MAX_ENDINGS {
                self.endings = (self.endings.0 + 1, self.endings.1 + 1);
                for request in ending {
                    let _ = line.send(&message(&request)).await; // what is gone has ended
                }
            }
            if enough(&answer, told) {
                return Some(answer);
            }
        }
        None
    }
}

/// A message in one frame.
fn message(bytes: &[u8]) -> Vec<u8> {
    let opcode = if std::str::from_utf8(bytes).is_ok() { TEXT } else { BINARY };
    Frame::masked(opcode, MASK, bytes).emit()
}
