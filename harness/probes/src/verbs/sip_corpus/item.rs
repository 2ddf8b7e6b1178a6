//! One message of a corpus, and what is asked of the target about it.

use std::time::Duration;

use super::draft::Draft;

/// How long the answer to a message that may be dropped is waited for (house).
pub(super) const SHORTLY: Duration = Duration::from_millis(400);
/// The same of one whose silence counts as a refusal, at least (house): [`Asks::is_held_against_others`].
pub(super) const FLAWED: Duration = Duration::from_millis(800);
/// How long the answer to a sound message is waited for (house).
pub(super) const PATIENTLY: Duration = Duration::from_secs(2);
/// How long something oversize may go without a refusal (the catalogue's figure).
pub(super) const OVERSIZE_REFUSED: Duration = Duration::from_secs(10);

/// RFC 6455, section 5.3: a browser's key is fresh for each frame. Nothing here is secret, so one does for all.
pub(super) const MASK: [u8; 4] = [0x9e, 0x35, 0x0c, 0x71];

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
    /// How long its answer is waited for; [`Asks::is_held_against_others`] may wait longer.
    pub wait: Duration,
    /// A sound request that follows it where it was not answered: the answer to that shows that this one was read.
    pub behind: Option<Draft>,
}

/// What is asked of the target. Where two names are given, they are those of sound items, one before and one behind: silence of a
/// target that answers nobody any more is no refusal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Asks {
    /// That the service lives on.
    Alive,
    /// That it is not taken for malformed: not answered by one of these.
    NotRefusedBy(Vec<u16>),
    /// That it is not accepted.
    NotAccepted,
    /// That it is accepted: it is what invalid ones are held against.
    Accepted,
    /// That it is not accepted, while the items of these names are.
    LessThan([String; 2]),
    /// That it is answered, by whatever status.
    Answered,
    /// That it is not answered as the items of these names are: the frame around it is wrong.
    NotAnsweredAs([String; 2]),
    /// The same of one that stands behind another in one message: it is not there for who reads messages.
    NotThere([String; 2]),
    /// That it is refused, or closed on, in time.
    Refused,
}

impl Asks {
    /// Whether silence passes, so that an answer that is only late must not be missed.
    pub const fn is_held_against_others(&self) -> bool {
        matches!(self, Self::LessThan(_) | Self::NotAnsweredAs(_) | Self::NotThere(_))
    }
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
        let (method, uri) = self.request_line()?;
        DIALLING.iter().any(|known| known.eq_ignore_ascii_case(&method)).then_some(uri)
    }

    /// Method and Request-URI, as far as there are any; what comes as frames is OPTIONS to the server itself.
    pub fn request_line(&self) -> Option<(String, String)> {
        let line = match &self.say {
            Say::Request(draft) => return Some((draft.method.to_owned(), draft.uri.clone())),
            Say::Message(bytes) => bytes.split(|byte| *byte == b'\r').next().unwrap_or_default(),
            Say::Bytes(_) | Say::Slowly(_) => return None,
        };
        let line = String::from_utf8_lossy(line);
        let mut words = line.split_ascii_whitespace().map(str::to_owned);
        words.next().zip(words.next())
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
            behind: None,
        }
    }

    /// One that need not be answered, on a connection of its own.
    pub fn flawed(self) -> Self {
        Self { fresh: true, wait: FLAWED, ..self }
    }
}
