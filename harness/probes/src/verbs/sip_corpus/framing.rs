//! Frames that RFC 6455 allows, and such that it makes a server fail the connection for, each with one OPTIONS in or behind
//! it. Nothing is above 16 KiB.

use ringfence_wire::sip::KEEPALIVE_PING;
use ringfence_wire::websocket::{BINARY, CONTINUATION, Frame, PING, PONG, TEXT};

use super::draft::{Draft, Words};
use super::item::{Asks, FLAWED, Item, MASK, PATIENTLY, Say};

/// The items that the invalid ones are held against: before them, and behind.
const PLAIN: &str = "text";
const AGAIN: &str = "text-again";
/// Bytes of the body that makes a message one of almost 16 KiB. RFC 3261, section 18.1.1: 65,535 have to be taken.
const LONG_BODY: usize = 15 * 1024;
/// A reserved opcode. RFC 6455, section 5.2.
const RESERVED: u8 = 3;

/// Valid ones first.
pub(super) fn items(words: &Words) -> Vec<Item> {
    let request = |name: &str| Draft::options(words, name).bytes(1, None);
    let mut items = Vec::new();
    let mut valid = |name: &str, frames: &dyn Fn(Vec<u8>) -> Vec<Frame>| {
        items.push(item(words, name, Asks::Answered, frames(request(name))));
    };
    valid(PLAIN, &|request| vec![text(request)]);
    valid("binary", &|request| vec![Frame::masked(BINARY, MASK, request)]);
    valid("fragments", &|request| fragments(&request, vec![]));
    valid("ping-between-fragments", &|request| fragments(&request, vec![Frame::masked(PING, MASK, *b"ringfence")]));
    valid("keep-alive", &|request| vec![text(KEEPALIVE_PING.to_vec()), text(request)]);
    valid("unasked-pong", &|request| vec![Frame::masked(PONG, MASK, []), text(request)]);
    let long = Draft { body: Some(("text/plain", vec![b'r'; LONG_BODY])), ..Draft::options(words, "long") };
    valid("long", &|_| vec![text(long.bytes(1, None))]);

    let not_as = Asks::NotAnsweredAs(controls());
    let mut invalid = |name: &str, frames: &dyn Fn(Vec<u8>) -> Vec<Frame>| {
        let item = item(words, name, not_as.clone(), frames(request(name)));
        items.push(Item { fresh: true, wait: FLAWED, ..item });
    };
    invalid("two-messages-one-request", &|request| {
        let (start, end) = request.split_at(request.len() / 2);
        vec![text(start.to_vec()), text(end.to_vec())]
    });
    invalid("reserved-opcode", &|request| vec![Frame::masked(RESERVED, MASK, request)]);
    invalid("rsv1", &|request| vec![Frame { rsv: 4, ..text(request) }]);
    invalid("unmasked", &|request| vec![Frame::plain(TEXT, request)]);
    invalid("ping-in-fragments", &|request| {
        let begun = Frame { fin: false, ..Frame::masked(PING, MASK, *b"ring") };
        vec![begun, Frame::masked(CONTINUATION, MASK, *b"fence"), text(request)]
    });
    invalid("ping-of-126-bytes", &|request| vec![Frame::masked(PING, MASK, [b'r'; 126]), text(request)]);
    invalid("text-that-is-no-utf-8", &|request| vec![text(no_utf8(request))]);
    invalid("continuation-of-nothing", &|request| vec![Frame::masked(CONTINUATION, MASK, request)]);
    invalid("message-inside-another", &|request| {
        vec![Frame { fin: false, ..text(b"OPTIONS ".to_vec()) }, text(request)]
    });
    items.push(joined(words));
    // A target that answers this sender no more has not failed what it left unanswered.
    let again = item(words, AGAIN, Asks::Alive, vec![text(request(AGAIN))]);
    items.push(Item { fresh: true, ..again });
    items
}

fn controls() -> [String; 2] {
    [PLAIN, AGAIN].map(str::to_owned)
}

/// Two requests in one message. The first may be answered; the second is not there for who reads messages.
fn joined(words: &Words) -> Item {
    let name = "second-request-in-one-message";
    let first = Draft::options(words, "first-request-in-one-message");
    let second = Draft::options(words, name);
    let both = [first.bytes(1, None), second.bytes(1, None)].concat();
    Item {
        fresh: true,
        // Its answer would come behind that to the first.
        wait: PATIENTLY,
        call_ids: vec![first.call_id, second.call_id],
        ..item(words, name, Asks::NotThere(controls()), vec![text(both)])
    }
}

fn item(words: &Words, name: &str, asks: Asks, frames: Vec<Frame>) -> Item {
    Item {
        name: name.to_owned(),
        asks,
        say: Say::Bytes(frames.iter().flat_map(Frame::emit).collect()),
        call_ids: vec![words.call_id(name)],
        fresh: false,
        wait: PATIENTLY,
        behind: None,
    }
}

fn text(bytes: Vec<u8>) -> Frame {
    Frame::masked(TEXT, MASK, bytes)
}

/// A text message in two frames, with others between them.
fn fragments(request: &[u8], between: Vec<Frame>) -> Vec<Frame> {
    let (start, end) = request.split_at(request.len() / 2);
    let begun = Frame { fin: false, ..text(start.to_vec()) };
    let rest = Frame::masked(CONTINUATION, MASK, end);
    std::iter::once(begun).chain(between).chain([rest]).collect()
}

/// The same with an octet in a header field that no UTF-8 text has.
fn no_utf8(mut request: Vec<u8>) -> Vec<u8> {
    let at = request.windows(4).position(|window| window == b"\r\n\r\n").unwrap_or_default();
    request.splice(at..at, *b"\r\nSubject: \xff");
    request
}

#[cfg(test)]
mod tests {
    use ringfence_wire::sip;
    use ringfence_wire::websocket::{Message, Messages, Reader, Side};

    use super::*;
    use crate::verbs::sip_corpus::draft::tests::words;

    /// The SIP requests that a strict reader takes out of an item; none where it fails the connection.
    fn requests(item: &Item) -> Option<usize> {
        let Say::Bytes(bytes) = &item.say else { panic!("{} has no frames", item.name) };
        assert!(bytes.len() < 16 * 1024 + 14, "{}", item.name);
        let frames = Reader::new(1 << 16).push(bytes).ok()?;
        let mut messages = Messages::new(Side::Client, 1 << 16);
        let mut found = 0;
        for frame in frames {
            match messages.take(frame).ok()? {
                Some(Message::Text(text)) => found += usize::from(sip::prepare(text.as_bytes()).is_ok()),
                Some(Message::Binary(bytes)) => found += usize::from(sip::prepare(&bytes).is_ok()),
                _ => {}
            }
        }
        (!messages.is_unfinished()).then_some(found)
    }

    #[test]
    fn valid_items_are_one_request_each_and_invalid_ones_none() {
        let items = items(&words());
        assert_eq!(items.iter().map(|item| &item.name).collect::<std::collections::BTreeSet<_>>().len(), items.len());
        for item in &items {
            let valid = item.asks == Asks::Answered || item.name == AGAIN;
            assert_eq!(requests(item).unwrap_or_default(), usize::from(valid), "{}", item.name);
            let against = [Asks::NotAnsweredAs(controls()), Asks::NotThere(controls())].contains(&item.asks);
            assert!(valid || against && item.fresh, "{}", item.name);
            assert_eq!(item.call_ids.last(), Some(&words().call_id(&item.name)), "{}", item.name);
        }
        assert_eq!(items.iter().filter(|item| item.asks == Asks::Answered).count(), 7);
        assert!(items.last().is_some_and(|item| item.name == AGAIN && item.fresh), "behind all others");
    }
}
