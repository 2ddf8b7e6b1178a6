//! Messages out of frames. RFC 6455, sections 5.4 to 5.6.

use super::{BINARY, CLOSE, CONTINUATION, Frame, MAX_CONTROL_BYTES, PING, PONG, TEXT};
use crate::Error;

/// Who sends the frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The client: every frame is masked.
    Client,
    /// The server: none is.
    Server,
}

/// What the frames said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// Text.
    Text(String),
    /// Bytes.
    Binary(Vec<u8>),
    /// Asks for a pong.
    Ping(Vec<u8>),
    /// Answers, or keeps open.
    Pong(Vec<u8>),
    /// The end.
    Close {
        /// Why, 1000 to 4999; `None` where the frame says nothing. RFC 6455, section 7.4.
        code: Option<u16>,
        /// The same in words.
        reason: String,
    },
}

/// The messages of one sender.
#[derive(Debug)]
pub struct Messages {
    from: Side,
    max_bytes: usize,
    /// The opcode that the message began with, and what it said so far.
    begun: Option<(u8, Vec<u8>)>,
    closed: bool,
    failed: Option<Error>,
}

impl Messages {
    /// Those that `from` sends, of at most so many bytes each.
    pub fn new(from: Side, max_bytes: usize) -> Self {
        Self { from, max_bytes, begun: None, closed: false, failed: None }
    }

    /// The message that ends with this frame, if one does. It has to be the next frame of [`super::Reader`].
    ///
    /// # Errors
    /// What RFC 6455 makes its reader fail the connection for: a reserved bit or opcode, a mask where none belongs or none where one does
    /// (5.1), a control frame in fragments or too long (5.5), a continuation of nothing, another message inside one (5.4), text that is
    /// no UTF-8 (5.6; asked when the message is whole), a close code that may not be sent (7.4.1), anything behind a close (5.5.1);
    /// and a message above the limit. The first error is the answer to all that follows.
    pub fn take(&mut self, frame: Frame) -> Result<Option<Message>, Error> {
        if let Some(error) = &self.failed {
            return Err(error.clone());
        }
        let read = self.read(frame);
        if let Err(error) = &read {
            self.failed = Some(error.clone());
            self.begun = None;
        }
        read
    }

    /// Whether a message has begun and not ended.
    pub fn is_unfinished(&self) -> bool {
        self.begun.is_some()
    }

    fn read(&mut self, frame: Frame) -> Result<Option<Message>, Error> {
        if self.closed {
            return Err(Error::Invalid("frame behind a close"));
        }
        if frame.rsv != 0 {
            return Err(Error::Invalid("reserved bit"));
        }
        if frame.mask.is_some() != (self.from == Side::Client) {
            return Err(Error::Invalid("mask bit"));
        }
        if frame.is_control() { self.control(frame).map(Some) } else { self.data(frame) }
    }

    fn control(&mut self, frame: Frame) -> Result<Message, Error> {
        if !frame.fin {
            return Err(Error::Invalid("control frame in fragments"));
        }
        if frame.payload.len() > MAX_CONTROL_BYTES {
            return Err(Error::TooLarge { field: "control frame, in bytes,", limit: MAX_CONTROL_BYTES });
        }
        match frame.opcode {
            PING => Ok(Message::Ping(frame.payload)),
            PONG => Ok(Message::Pong(frame.payload)),
            CLOSE => {
                self.closed = true;
                close(&frame.payload)
            }
            _ => Err(Error::Invalid("opcode")),
        }
    }

    fn data(&mut self, frame: Frame) -> Result<Option<Message>, Error> {
        let (opcode, mut said) = match (frame.opcode, self.begun.take()) {
            (CONTINUATION, Some(begun)) => begun,
            (CONTINUATION, None) => return Err(Error::Invalid("continuation of nothing")),
            (TEXT | BINARY, Some(_)) => return Err(Error::Invalid("message inside another")),
            (opcode @ (TEXT | BINARY), None) => (opcode, Vec::new()),
            _ => return Err(Error::Invalid("opcode")),
        };
        if frame.payload.len() > self.max_bytes.saturating_sub(said.len()) {
            return Err(Error::TooLarge { field: "WebSocket message, in bytes,", limit: self.max_bytes });
        }
        if said.is_empty() {
            said = frame.payload;
        } else {
            said.extend_from_slice(&frame.payload);
        }
        if !frame.fin {
            self.begun = Some((opcode, said));
            return Ok(None);
        }
        if opcode == BINARY {
            return Ok(Some(Message::Binary(said)));
        }
        String::from_utf8(said).map(|text| Some(Message::Text(text))).map_err(|_| Error::NotUtf8("text message"))
    }
}

/// A close frame's payload: nothing, or a code and words.
fn close(payload: &[u8]) -> Result<Message, Error> {
    let Some((code, reason)) = payload.split_first_chunk() else {
        let empty = payload.is_empty();
        return if empty {
            Ok(Message::Close { code: None, reason: String::new() })
        } else {
            Err(Error::Truncated("close code"))
        };
    };
    let code = u16::from_be_bytes(*code);
    // 1004 is reserved, 1005, 1006 and 1015 are never sent (7.4.1); 1012 to 1014 are IANA's later ones; 1016 to 2999 are for
    // extensions and revisions, of which there are none (7.4.2).
    if !matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999) {
        return Err(Error::Invalid("close code"));
    }
    let reason = std::str::from_utf8(reason).map_err(|_| Error::NotUtf8("close reason"))?;
    Ok(Message::Close { code: Some(code), reason: reason.to_owned() })
}
