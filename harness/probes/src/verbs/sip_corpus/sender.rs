//! Sends items over one WebSocket after the other, and listens.

use std::collections::BTreeMap;
use std::time::Duration;

use ringfence_client::adapters::CallConfig;
use ringfence_client::drive::frames::{Came, FrameLine};
use ringfence_client::drive::ws::Upgrade;
use ringfence_client::{Failure, Net};
use ringfence_model::Secret;
use ringfence_wire::digest::Authorization;
use ringfence_wire::websocket::{BINARY, Frame, TEXT};
use tokio::time::{Instant, sleep, timeout_at};
use url::Url;

use super::answer::Answer;
use super::draft::Draft;
use super::item::{Asks, Item, Say};

/// Answers that are remembered (house); three for each item are usual.
const MAX_ANSWERS: usize = 2048;
/// Challenges of one request that are answered (house).
const MAX_LOGINS: u32 = 2;
/// How long a target that closed may go without letting the sender in again (house), and the time between two tries.
const REOPENED_WITHIN: Duration = Duration::from_secs(6);
const REOPEN_EVERY: Duration = Duration::from_millis(500);
/// RFC 6455, section 5.3. Nothing here is secret, so one key does for all.
const MASK: [u8; 4] = [0x9e, 0x35, 0x0c, 0x71];

/// What became of one item.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Told {
    /// It went out, as far as the target read.
    pub sent: bool,
    /// The target closed the connection over it.
    pub closed: bool,
    /// Something came that could be no other item's answer: a pong, or what names no Call-ID.
    pub nameless: bool,
}

/// The sending side.
pub(super) struct Sender {
    net: Net,
    upgrade: Upgrade,
    realm: String,
    login: Option<(String, Secret)>,
    line: Option<FrameLine>,
    was_open: bool,
    /// How often each nonce was used.
    nonces: BTreeMap<String, u32>,
    /// Call-ID and status of every answer, in order.
    pub answers: Vec<(String, u16)>,
    /// Times that the target closed.
    pub losses: i64,
}

impl Sender {
    /// One that is not connected yet. Credentials are the configuration's.
    ///
    /// # Errors
    /// The configuration's WebSocket address is no URL.
    pub fn new(net: &Net, config: &CallConfig, origin: Option<String>) -> Result<Self, Failure> {
        let url = Url::parse(&config.ws_uri).map_err(|error| Failure::protocol(format!("wsUri is no URL: {error}")))?;
        let user = config.username.clone().unwrap_or_else(|| config.aor_user.clone());
        Ok(Self {
            net: net.clone(),
            upgrade: Upgrade::sip(url, origin),
            realm: config.realm.clone(),
            login: config.password.clone().map(|password| (user, password)),
            line: None,
            was_open: false,
            nonces: BTreeMap::new(),
            answers: Vec::new(),
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
        self.answers.iter().filter(|(known, _)| known == call_id).map(|(_, status)| *status).collect()
    }

    /// Sends one item and waits for what comes of it. Without a connection nothing is sent.
    pub async fn say(&mut self, item: &Item) -> Told {
        if item.fresh {
            self.close().await;
        }
        let mut told = Told::default();
        if self.open().await.is_err() {
            return told;
        }
        self.net.turn().await;
        told.sent = true;
        match &item.say {
            Say::Message(bytes) => self.send(&message(bytes), &mut told).await,
            Say::Bytes(bytes) => self.send(bytes, &mut told).await,
            Say::Request(draft) => return self.ask(draft, item, told).await,
            Say::Slowly(bytes) => {
                for byte in bytes {
                    self.send(&[*byte], &mut told).await;
                    self.listen(Instant::now() + Duration::from_secs(1), &mut told, |_, _| false).await;
                }
                self.close().await;
                return told;
            }
        }
        self.wait(item, &mut told).await;
        told
    }

    async fn ask(&mut self, draft: &Draft, item: &Item, mut told: Told) -> Told {
        let mut login = None;
        for number in 1..=1 + MAX_LOGINS {
            let heard = self.answers.len();
            self.send(&message(&draft.bytes(number, login.as_deref())), &mut told).await;
            let asked = self.wait_from(heard, item, &mut told).await;
            login = asked.and_then(|answer| self.answer_challenge(&answer, draft));
            if login.is_none() {
                break;
            }
        }
        told
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
        if line.send(bytes).await.is_err() {
            self.listen(Instant::now() + Duration::from_secs(1), told, |_, _| false).await;
            if self.line.take().is_some() {
                told.closed = true;
                self.losses += 1;
            }
        }
    }

    async fn wait(&mut self, item: &Item, told: &mut Told) {
        let heard = self.answers.len();
        self.wait_from(heard, item, told).await;
    }

    /// Waits for the final answer to the item, or for anything where that is enough.
    async fn wait_from(&mut self, heard: usize, item: &Item, told: &mut Told) -> Option<Answer> {
        let any = item.asks == Asks::Refused;
        let last = item.call_ids.last();
        let until = Instant::now() + item.wait;
        if any && (told.nameless || self.answers.len() > heard) {
            return None;
        }
        self.listen(until, told, |answer, told| match answer {
            Some(answer) => answer.status >= 200 && (any || last == Some(&answer.call_id)),
            None => any && told.nameless,
        })
        .await
    }

    /// Listens until then, until the connection ends, or until `enough`.
    async fn listen(
        &mut self,
        until: Instant,
        told: &mut Told,
        enough: impl Fn(Option<&Answer>, &Told) -> bool,
    ) -> Option<Answer> {
        while let Some(line) = self.line.as_mut() {
            let came = match timeout_at(until, line.receive()).await {
                Ok(Ok(came)) => came,
                Ok(Err(_)) => {
                    self.line = None;
                    self.losses += 1;
                    told.closed = true;
                    return None;
                }
                Err(_) => return None,
            };
            let answer = match came {
                Came::Message(bytes) => Answer::read(&bytes),
                Came::Pong(_) => None,
            };
            match &answer {
                Some(answer) => {
                    if self.answers.len() < MAX_ANSWERS {
                        self.answers.push((answer.call_id.clone(), answer.status));
                    }
                    for request in answer.ending() {
                        let _ = line.send(&message(&request)).await; // what is gone has ended
                    }
                }
                None => told.nameless = true,
            }
            if enough(answer.as_ref(), told) {
                return answer;
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
