//! The messages of `--remote-debugging-pipe`: JSON, each ended by one NUL.

use serde_json::Value;

/// Bytes of one message. A page decides how large a frame or an answer is that is told here (house).
pub(super) const MAX_MESSAGE_BYTES: usize = 32 * 1024 * 1024;

/// Why the stream cannot be read on.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum CodecError {
    #[error("message over {MAX_MESSAGE_BYTES} bytes")]
    TooLarge,
    #[error("message that is no JSON")]
    NotJson,
}

/// Collects bytes to messages.
#[derive(Default)]
pub(super) struct Decoder {
    bytes: Vec<u8>,
    /// So many of them hold no NUL.
    searched: usize,
}

impl Decoder {
    /// Takes what came.
    pub fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// The next whole message.
    ///
    /// # Errors
    /// Too large, or no JSON: the stream is lost.
    pub fn next(&mut self) -> Result<Option<Value>, CodecError> {
        let unsearched = self.bytes.get(self.searched..).unwrap_or_default();
        let Some(end) = unsearched.iter().position(|byte| *byte == 0) else {
            self.searched = self.bytes.len();
            return if self.searched > MAX_MESSAGE_BYTES { Err(CodecError::TooLarge) } else { Ok(None) };
        };
        let message: Vec<u8> = self.bytes.drain(..=self.searched + end).collect();
        self.searched = 0;
        let text = message.strip_suffix(&[0]).unwrap_or(&message);
        if text.len() > MAX_MESSAGE_BYTES {
            return Err(CodecError::TooLarge);
        }
        serde_json::from_slice(text).map(Some).map_err(|_| CodecError::NotJson)
    }
}

/// The bytes of a message.
pub(super) fn encode(message: &Value) -> Vec<u8> {
    // JSON escapes U+0000 inside strings, so the only NUL is the last byte.
    let mut bytes = message.to_string().into_bytes();
    bytes.push(0);
    bytes
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn messages_come_out_however_they_are_cut() {
        let (one, two) = (json!({ "id": 1, "text": "a\u{0}b" }), json!({ "method": "x" }));
        let stream = [encode(&one), encode(&two)].concat();
        for size in [1, 2, 7, stream.len()] {
            let mut decoder = Decoder::default();
            let mut found = vec![];
            for chunk in stream.chunks(size) {
                decoder.push(chunk);
                while let Some(message) = decoder.next().unwrap() {
                    found.push(message);
                }
            }
            assert_eq!(found, [one.clone(), two.clone()], "{size}");
        }
    }

    #[test]
    fn what_is_too_large_or_no_json_ends_it() {
        let mut decoder = Decoder::default();
        decoder.push(b"nothing\0");
        assert_eq!(decoder.next(), Err(CodecError::NotJson));
        let mut decoder = Decoder::default();
        decoder.push(&vec![b' '; MAX_MESSAGE_BYTES]);
        assert_eq!(decoder.next(), Ok(None));
        decoder.push(b"  ");
        assert_eq!(decoder.next(), Err(CodecError::TooLarge));
    }
}
