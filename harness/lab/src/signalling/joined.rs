//! WebSocket messages read as one stream of bytes, which is how SIP comes over TCP (RFC 3261, section 18.3) and what a
//! server must not do here: one WebSocket message is one SIP message (RFC 7118, section 5). Only broken labs do.

use ringfence_wire::sip;

use crate::figures::MAX_FRAME_BYTES;

const BLANK_LINE: &[u8] = b"\r\n\r\n";

/// The stream of one connection.
#[derive(Debug, Default)]
pub(super) struct Joined {
    rest: Vec<u8>,
}

impl Joined {
    /// The SIP messages that are whole with what has come now. The beginning of the next one is kept.
    pub fn cut(&mut self, message: &[u8]) -> Vec<Vec<u8>> {
        if self.rest.is_empty() && sip::is_keepalive(message) {
            return vec![message.to_vec()];
        }
        self.rest.extend_from_slice(message);
        let mut whole = Vec::new();
        while let Some(end) = end(&self.rest).filter(|end| *end <= self.rest.len()) {
            let next = self.rest.split_off(end);
            whole.push(std::mem::replace(&mut self.rest, next));
        }
        if self.rest.len() > MAX_FRAME_BYTES {
            self.rest.clear();
        }
        whole
    }
}

/// Where the first message ends by its own Content-Length, none being 0; `None` while its header is not whole.
fn end(bytes: &[u8]) -> Option<usize> {
    let head = bytes.windows(BLANK_LINE.len()).position(|window| window == BLANK_LINE)?;
    let lines = bytes.get(..head).unwrap_or_default().split(|byte| *byte == b'\n');
    let mut lengths = lines.filter_map(|line| {
        let (name, value) = std::str::from_utf8(line).ok()?.split_once(':')?;
        let known = ["Content-Length", "l"].iter().any(|known| name.trim().eq_ignore_ascii_case(known));
        if known { value.trim().parse::<usize>().ok() } else { None }
    });
    (head + BLANK_LINE.len()).checked_add(lengths.next_back().unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_found_whatever_carries_them() {
        let first: &[u8] = b"INFO sip:a SIP/2.0\r\nl: 4\r\n\r\nbody";
        let second: &[u8] = b"OPTIONS sip:a SIP/2.0\r\nContent-Length: 0\r\n\r\n";
        let mut stream = Joined::default();
        assert_eq!(stream.cut(first), [first]);
        assert_eq!(stream.cut(&[first, second].concat()), [first, second], "two in one message");
        assert!(stream.cut(&first[..20]).is_empty());
        assert_eq!(stream.cut(&[&first[20..], &second[..10]].concat()), [first], "one in two messages");
        assert_eq!(stream.cut(&second[10..]), [second]);
        assert_eq!(stream.cut(sip::KEEPALIVE_PING), [sip::KEEPALIVE_PING]);
    }

    #[test]
    fn what_never_ends_is_not_kept() {
        let mut stream = Joined::default();
        let huge = format!("INFO sip:a SIP/2.0\r\nl: {}\r\n\r\n", usize::MAX);
        for _ in 0..8 {
            assert!(stream.cut(huge.as_bytes()).is_empty());
            assert!(stream.cut(&[b'x'; MAX_FRAME_BYTES]).is_empty());
            assert!(stream.rest.is_empty(), "dropped at the limit");
        }
    }
}
