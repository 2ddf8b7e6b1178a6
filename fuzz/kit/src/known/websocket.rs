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
    /// Theirs; the error as it shows itself.
    pub theirs: Told<String>,
}

impl Case {
    fn ours_is_a_prefix(&self) -> bool {
        self.theirs.messages.starts_with(&self.ours.messages)
    }

    fn theirs_is_a_prefix(&self) -> bool {
        self.ours.messages.starts_with(&self.theirs.messages)
    }
}

/// The name of the other one.
pub const TUNGSTENITE: &str = "tungstenite";

/// All that are known. The examples are what a server sends.
pub const DIFFERENCES: &[Difference<Case>] = &[
    Difference {
        id: "length-not-the-shortest",
        parser: TUNGSTENITE,
        theirs: "takes a length in more bytes than it needs, and one with the highest bit set",
        ours: "refuses it",
        rfc: "RFC 6455, section 5.2: the minimal number of bytes MUST be used, the highest bit MUST be 0",
        reach: "network: two readers of one stream take different frames only if one of them fails it; nothing is smuggled",
        explains: |case| case.ours.error == Some(Error::Invalid("WebSocket payload length")) && case.ours_is_a_prefix(),
        example: &[0x82, 126, 0, 1, b'x'],
    },
    Difference {
        id: "text-checked-by-the-frame",
        parser: TUNGSTENITE,
        theirs: "fails text at the frame that cannot become UTF-8 any more",
        ours: "fails it when the message is whole; control frames before that are told",
        rfc: "RFC 6455, section 8.1 asks for failure, not when",
        reach: "none",
        explains: |case| {
            case.theirs.error.as_ref().is_some_and(|error| error.starts_with("Utf8")) && case.theirs_is_a_prefix()
        },
        example: &[0x01, 1, 0xff, 0x89, 0, 0x80, 0],
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
        example: &[0x88, 2, 0x03, 0xed],
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
            let large = matches!(case.ours.error, Some(Error::TooLarge { field: "WebSocket payload, in bytes,", .. }));
            case.ours.messages == case.theirs.messages && (theirs_first || large && case.theirs.error.is_none())
        },
        example: &[0x83, 1],
    },
];
