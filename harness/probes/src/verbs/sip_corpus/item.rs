//! One message of a corpus, and what is asked of the target about it.

use std::time::Duration;

use super::draft::Draft;

/// How long the answer to a message that may be dropped is waited for (house).
pub(super) const SHORTLY: Duration = Duration::from_millis(400);
/// How long the answer to a sound message is waited for (house).
pub(super) const PATIENTLY: Duration = Duration::from_secs(2);
/// How long something oversize may go without a refusal (the catalogue's figure).
pub(super) const OVERSIZE_REFUSED: Duration = Duration::from_secs(10);

/// Methods over which somebody is rung, or a message costs (house); in any case, since parsers take them so.
const DIALLING: [&str; 3] = ["INVITE", "REFER", "MESSAGE"];

/// One message, or what takes the place of one.
pub(super) struct Item {
    /// Our name for it.
    pub name: String,
    pub asks: Asks,
    pub say: Say,
    /// The Call-IDs of what is sent; the last one is the one that counts.
    pub call_ids: Vec<String>,
    /// It goes out on a connection of its own: what the one before left half said must not hurt it.
    pub fresh: bool,
    pub wait: Duration,
}

/// What is asked of the target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Asks {
    /// That the service lives on.
    Alive,
    /// That it is not taken for malformed: answered by one of these.
    NotRefusedBy(Vec<u16>),
    /// That it is not accepted.
    NotAccepted,
    /// That it is accepted: it is what invalid ones are held against.
    Accepted,
    /// That it is not accepted, while the item of this name is.
    LessThan(String),
    /// That it is answered, by whatever status.
    Answered,
    /// That it is not answered as the item of this name is: the frame around it is wrong.
    NotAnsweredAs(String),
    /// The same of one that stands behind another in one message: it is not there for who reads messages.
    NotThere(String),
    /// That it is refused, or closed on, in time.
    Refused,
}

/// What goes over the connection.
pub(super) enum Say {
    /// One message, text where it is UTF-8.
    Message(Vec<u8>),
    /// A request; asked again with credentials where they are wanted.
    Request(Draft),
    /// Bytes under the WebSocket: frames.
    Bytes(Vec<u8>),
    /// The same, one each second.
    Slowly(Vec<u8>),
}

impl Item {
    /// What a switch may dial over it, for the dialling rule to say whether it goes out. Requests of other methods dial nobody.
    pub fn dials(&self) -> Option<String> {
        let dials = |method: &str| DIALLING.iter().any(|known| known.eq_ignore_ascii_case(method));
        let line = match &self.say {
            Say::Request(draft) => return Some(draft.uri.clone()).filter(|_| dials(draft.method)),
            Say::Message(bytes) => bytes.split(|byte| *byte == b'\r').next().unwrap_or_default(),
            Say::Bytes(_) | Say::Slowly(_) => return None, // OPTIONS to the server itself
        };
        let line = String::from_utf8_lossy(line);
        let mut words = line.split_ascii_whitespace();
        words.next().filter(|method| dials(method))?;
        words.next().map(str::to_owned)
    }

    /// A request of which an answer is expected.
    pub fn request(name: &str, asks: Asks, draft: Draft) -> Self {
        Self {
            name: name.to_owned(),
            asks,
            call_ids: vec![draft.call_id.clone()],
            say: Say::Request(draft),
            fresh: false,
            wait: PATIENTLY,
        }
    }

    /// One that need not be answered.
    pub fn hostile(self) -> Self {
        Self { fresh: true, wait: SHORTLY, ..self }
    }
}
