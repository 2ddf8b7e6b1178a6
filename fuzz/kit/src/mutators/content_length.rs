//! Content-Length.

/// The message with every Content-Length telling how long the body is, by either name and however spelled; none, if they are right
/// already, or there is none or no body to speak of.
pub fn content_length(message: &[u8]) -> Option<Vec<u8>> {
    let start = message.iter().position(|byte| !b"\r\n".contains(byte))?;
    let end = start + message.get(start..)?.windows(4).position(|window| window == b"\r\n\r\n")?;
    let (head, body) = (message.get(start..end)?, message.get(end..)?);
    let length = (body.len() - 4).to_string();
    let mut repaired = Vec::with_capacity(message.len() + 8);
    repaired.extend_from_slice(message.get(..start)?);
    let mut changed = false;
    for (at, line) in lines(head).enumerate() {
        if at > 0 {
            repaired.extend_from_slice(b"\r\n");
        }
        match line.iter().position(|byte| *byte == b':') {
            Some(colon) if is_length(line.get(..colon)?) => {
                let stated = line.get(colon + 1..)?;
                changed |= stated.trim_ascii() != length.as_bytes();
                repaired.extend_from_slice(line.get(..=colon)?);
                repaired.extend_from_slice(length.as_bytes());
            }
            _ => repaired.extend_from_slice(line),
        }
    }
    repaired.extend_from_slice(body);
    changed.then_some(repaired)
}

fn lines(head: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = Some(head);
    std::iter::from_fn(move || {
        let text = rest?;
        let end = text.windows(2).position(|window| window == b"\r\n");
        rest = end.and_then(|end| text.get(end + 2..));
        end.map_or(Some(text), |end| text.get(..end))
    })
}

fn is_length(name: &[u8]) -> bool {
    let name = name.trim_ascii_end();
    name.eq_ignore_ascii_case(b"Content-Length") || name.eq_ignore_ascii_case(b"l")
}

#[cfg(test)]
mod tests {
    use ringfence_wire::sip::Message;

    use super::*;

    const WRONG: &[u8] = b"\r\nINFO sip:a SIP/2.0\r\nl : 7\r\nSubject: l: 7\r\ncontent-LENGTH:\tx\r\n\r\nbody\r\n\r\n";

    #[test]
    fn what_was_wrong_is_right() {
        let repaired = content_length(WRONG).expect("it was wrong");
        let expected: &[u8] =
            b"\r\nINFO sip:a SIP/2.0\r\nl :8\r\nSubject: l: 7\r\ncontent-LENGTH:8\r\n\r\nbody\r\n\r\n";
        assert_eq!(repaired, expected);
        assert!(Message::parse(WRONG).is_err() && Message::parse(&repaired).is_ok());
        assert_eq!(content_length(&repaired), None, "there is nothing more to repair");
    }

    #[test]
    fn what_is_right_stays() {
        for text in ["", "\r\n\r\n", "INFO", "INFO sip:a SIP/2.0\r\n\r\nbody", "A b c\r\nl: 4 \r\n\r\nbody"] {
            assert_eq!(content_length(text.as_bytes()), None, "{text:?}");
        }
    }
}
