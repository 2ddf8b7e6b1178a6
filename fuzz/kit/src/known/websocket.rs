//! Where our reader of WebSocket frames and tungstenite 0.30 differ.

use ringfence_wire::Error;
use ringfence_wire::websocket::Message;

use super::Difference;

/// What a reader told of a stream, and how that ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told<E> {
    /// Its messages, up to the first error.
    pub messages: Vec<Message>,
    /// The first error, if there is one.
    pub error: Option<E>,
}

/// One stream, as both read it.
#[derive(Clone, Debug)]
pub struct Case {
    /// Ours.
    pub ours: Told<Error>,
    /// Ours of the stream that [`shortest`] makes of it.
    pub of_shortest: Told<Error>,
    /// Theirs; the error as it shows itself.
    pub theirs: Told<String>,
}

/// Messages, and whether an error came. Behind a close that both tell nothing counts any more.
type Said<'a> = (&'a [Message], bool);

impl Case {
    /// What is compared: what we say, and what they do.
    pub fn said(&self) -> (Said<'_>, Said<'_>) {
        let closed = |messages: &[Message]| matches!(messages.last(), Some(Message::Close { .. }));
        let both_closed = closed(&self.ours.messages) && closed(&self.theirs.messages);
        let ours = (&*self.ours.messages, both_closed || self.ours.error.is_some());
        (ours, (&self.theirs.messages, both_closed || self.theirs.error.is_some()))
    }

    /// Whether they read lengths that are not the shortest as if they were, and nothing else otherwise that is not known.
    fn reads_any_length(&self) -> bool {
        let (ours, of_shortest) = (self.of_shortest.clone(), self.of_shortest.clone());
        let plain = Self { ours, of_shortest, theirs: self.theirs.clone() };
        let (ours, theirs) = plain.said();
        refuses_the_length(&self.ours)
            && self.ours != plain.ours
            && (ours == theirs || DIFFERENCES.iter().any(|known| (known.explains)(&plain)))
    }

    /// Whether they stop in a text of which we tell no message, only control frames behind it.
    fn stops_in_a_text(&self) -> bool {
        let behind = self.ours.messages.strip_prefix(&*self.theirs.messages);
        self.theirs.error.as_ref().is_some_and(|error| error.starts_with("Utf8"))
            && behind.is_some_and(|told| !told.iter().any(|one| matches!(one, Message::Text(_) | Message::Binary(_))))
    }
}

fn refuses_the_length(told: &Told<Error>) -> bool {
    told.error == Some(Error::Invalid("WebSocket payload length"))
}

/// The same frames with every length in the fewest bytes, up to one that nobody takes: its highest bit is set.
pub fn shortest(stream: &[u8]) -> Vec<u8> {
    let (mut rest, mut written) = (stream, Vec::with_capacity(stream.len()));
    while let Some((first, mask, length, behind)) = header(rest).filter(|(_, _, length, _)| length >> 63 == 0) {
        written.push(first);
        match (u8::try_from(length), u16::try_from(length)) {
            (Ok(short @ 0..=125), _) => written.push(mask | short),
            (_, Ok(long)) => written.extend([&[mask | 126][..], &long.to_be_bytes()].concat()),
            _ => written.extend([&[mask | 127][..], &length.to_be_bytes()].concat()),
        }
        let key = if mask == 0 { 0 } else { 4 };
        let end = usize::try_from(length).unwrap_or(usize::MAX).saturating_add(key).min(behind.len());
        let (frame, next) = behind.split_at(end);
        written.extend_from_slice(frame);
        rest = next;
    }
    [&written, rest].concat()
}

/// A frame's first byte, its mask's bit, its length in whatever form, and what follows that. RFC 6455, section 5.2.
fn header(bytes: &[u8]) -> Option<(u8, u8, u64, &[u8])> {
    let ([first, second], rest) = bytes.split_first_chunk()?;
    let (length, behind) = match second & 0x7f {
        126 => rest.split_first_chunk().map(|(length, behind)| (u16::from_be_bytes(*length).into(), behind))?,
        127 => rest.split_first_chunk().map(|(length, behind)| (u64::from_be_bytes(*length), behind))?,
        short => (short.into(), rest),
    };
    Some((*first, second & 0x80, length, behind))
}

/// The name of the other one.
pub const TUNGSTENITE: &str = "tungstenite";

/// All that are known. The examples are inputs of the target `websocket_frames`.
pub const DIFFERENCES: &[Difference<Case>] = &[
    Difference {
        id: "length-not-the-shortest",
        parser: TUNGSTENITE,
        theirs: "takes a length in more bytes than it needs",
        ours: "refuses it",
        rfc: "RFC 6455, section 5.2: the minimal number of bytes MUST be used",
        reach: "network: two readers of one stream take different frames only if one of them fails it; nothing is smuggled",
        explains: Case::reads_any_length,
        example: include_bytes!("../../../findings/tungstenite/length-not-the-shortest"),
    },
    Difference {
        id: "text-checked-by-the-frame",
        parser: TUNGSTENITE,
        theirs: "fails text at the frame that cannot become UTF-8 any more",
        ours: "fails it when the message is whole; control frames before that are told",
        rfc: "RFC 6455, section 8.1 asks for failure, not when",
        reach: "none",
        explains: Case::stops_in_a_text,
        example: include_bytes!("../../../findings/tungstenite/text-checked-by-the-frame"),
    },
    Difference {
        id: "close-code-told-as-1002",
        parser: TUNGSTENITE,
        theirs: "tells a close with a code that may not be sent as one with 1002",
        ours: "refuses it",
        rfc: "RFC 6455, section 7.4: neither is asked for; it ends the connection either way",
        reach: "none: ringfence notes close codes and judges none",
        explains: |case| {
            let end = case.theirs.messages.split_last();
            case.ours.error == Some(Error::Invalid("close code"))
                && end.is_some_and(|(last, before)| {
                    before == case.ours.messages && matches!(last, Message::Close { code: Some(1002), .. })
                })
        },
        example: include_bytes!("../../../findings/tungstenite/close-code-told-as-1002"),
    },
    Difference {
        id: "opcode-or-size-before-the-payload",
        parser: TUNGSTENITE,
        theirs: "refuses a reserved opcode, and a frame that is too large, as soon as the header is there",
        ours: "judges an opcode with the whole frame; a size when the length is there, before the mask",
        rfc: "RFC 6455 leaves open when",
        reach: "none",
        explains: |case| {
            let at_header = |error: &str| error.contains("InvalidOpcode") || error.starts_with("Capacity");
            let theirs_first =
                case.theirs.error.as_ref().is_some_and(|error| at_header(error)) && case.ours.error.is_none();
            let large = matches!(case.ours.error, Some(Error::TooLarge { field: "WebSocket payload, in bytes,", .. }))
                || refuses_the_length(&case.ours) && refuses_the_length(&case.of_shortest); // its highest bit is set
            case.ours.messages == case.theirs.messages && (theirs_first || large && case.theirs.error.is_none())
        },
        example: include_bytes!("../../../findings/tungstenite/opcode-or-size-before-the-payload"),
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_become_short_and_nothing_else_changes() {
        let masked = [0x81, 0x80 | 127, 0, 0, 0, 0, 0, 0, 0, 1, 9, 8, 7, 6, b'x', 0x89, 0];
        assert_eq!(shortest(&masked), [0x81, 0x81, 9, 8, 7, 6, b'x', 0x89, 0]);
        for same in
            [&[0x82, 126, 0, 200][..], &[0x82, 126, 0], &[0x82, 127, 0x80, 0, 0, 0, 0, 0, 0, 1, 5], &[0x81], &[]]
        {
            assert_eq!(shortest(same), same);
        }
        assert_eq!(shortest(&[0x82, 126, 0, 9, 1]), [0x82, 9, 1], "what is missing stays away");
    }

    /// A reader that takes long lengths is known; one that makes up a message behind them is not.
    #[test]
    fn a_long_length_explains_no_other_message() {
        let told = |texts: &[&str]| texts.iter().map(|text| Message::Text((*text).into())).collect::<Vec<_>>();
        let refused = Told { messages: vec![], error: Some(Error::Invalid("WebSocket payload length")) };
        let case = |theirs: &[&str]| Case {
            ours: refused.clone(),
            of_shortest: Told { messages: told(&["a", "b"]), error: None },
            theirs: Told { messages: told(theirs), error: None },
        };
        let explained = |case: Case| DIFFERENCES.iter().find(|known| (known.explains)(&case)).map(|known| known.id);
        assert_eq!(explained(case(&["a", "b"])), Some("length-not-the-shortest"));
        assert_eq!(explained(case(&["a", "c"])), None);
        assert_eq!(explained(case(&["a"])), None);
        let untouched = Case { of_shortest: refused.clone(), ..case(&["a"]) };
        assert_eq!(explained(untouched), None, "of a length that nobody takes");
    }
}
