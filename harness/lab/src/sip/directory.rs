//! Which connection speaks for an address-of-record, and the post between connections.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use ringfence_wire::sip::Message;
use tokio::sync::mpsc;

use crate::accounts::ConnectionId;
use crate::figures::MAX_POSTED;

/// What one connection tells another.
#[derive(Debug)]
pub(crate) enum Post {
    /// An INVITE for whom the other one speaks for, with our Via on top.
    Invite {
        /// Branch of that Via.
        branch: String,
        /// As it is to go out.
        invite: Box<Message>,
        /// Where answers go.
        back: Poster,
    },
    /// An answer to the INVITE with this branch, as it came.
    Answer {
        /// Branch of our Via.
        branch: String,
        /// The answer.
        answer: Box<Message>,
    },
    /// Nobody waits for the INVITE with this branch any longer.
    Cancel {
        /// Branch of our Via.
        branch: String,
    },
}

/// Where post for a connection is put.
pub(crate) type Poster = mpsc::Sender<Post>;

/// A connection's letter box.
pub(crate) fn letter_box() -> (Poster, mpsc::Receiver<Post>) {
    mpsc::channel(MAX_POSTED)
}

/// Who has registered what.
#[derive(Debug, Default)]
pub(crate) struct Directory {
    entries: Mutex<HashMap<String, Entry>>,
}

#[derive(Debug)]
struct Entry {
    by: ConnectionId,
    until: Instant,
    poster: Poster,
}

impl Directory {
    /// From now until then this connection speaks for the address, whoever did before.
    pub fn enter(&self, aor: &str, by: ConnectionId, until: Instant, poster: Poster) {
        self.entries().insert(aor.to_owned(), Entry { by, until, poster });
    }

    /// This connection speaks for the address no longer; another one that does is left alone.
    pub fn leave(&self, aor: &str, by: ConnectionId) {
        let mut entries = self.entries();
        if entries.get(aor).is_some_and(|entry| entry.by == by) {
            entries.remove(aor);
        }
    }

    /// The post of another connection that speaks for the address.
    pub fn find(&self, aor: &str, except: ConnectionId, now: Instant) -> Option<Poster> {
        let entries = self.entries();
        let entry = entries.get(aor).filter(|entry| entry.by != except && entry.until > now);
        entry.map(|entry| entry.poster.clone())
    }

    fn entries(&self) -> MutexGuard<'_, HashMap<String, Entry>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn the_last_one_speaks_until_it_leaves_or_its_time_is_over() {
        let (directory, now) = (Directory::default(), Instant::now());
        let (later, (poster, _letters)) = (now + Duration::from_secs(9), letter_box());
        directory.enter("sip:a@h", 1, later, poster.clone());
        assert!(directory.find("sip:a@h", 2, now).is_some());
        assert!(directory.find("sip:a@h", 1, now).is_none(), "nobody reaches himself");
        assert!(directory.find("sip:a@h", 2, later).is_none());
        assert!(directory.find("sip:b@h", 2, now).is_none());
        directory.enter("sip:a@h", 2, later, poster);
        directory.leave("sip:a@h", 1);
        assert!(directory.find("sip:a@h", 1, now).is_some());
        directory.leave("sip:a@h", 2);
        assert!(directory.find("sip:a@h", 1, now).is_none());
    }
}
