//! More than anybody needs, made here and stored nowhere. Each item is alone on its connection.

use ringfence_wire::websocket::{BINARY, CONTINUATION, Frame, TEXT};

use super::draft::{Draft, Words};
use super::item::{Asks, Item, MASK, OVERSIZE_REFUSED, Say};

const KIB: usize = 1024;
const MIB: usize = 1024 * KIB;
/// Bytes of one fragment of a message of [`MIB`]s.
const FRAGMENT: usize = 64 * KIB;
/// Seconds, and bytes, of the slow sender.
const SLOW_BYTES: usize = 20;

/// Those of the catalogue.
pub(super) fn items(words: &Words) -> Vec<Item> {
    let options = |name: &str| Draft::options(words, name);
    let line = {
        let mut draft = options("header-line-of-256-kib");
        draft.line(format!("Subject: {}", "r".repeat(256 * KIB)));
        draft
    };
    let headers = {
        let mut draft = options("2000-header-fields");
        (0..2000).for_each(|number| draft.line(format!("X-Ringfence-{number}: a")));
        draft
    };
    let vias = {
        let mut draft = options("1000-vias");
        (0..1000).for_each(|number| draft.line(format!("Via: SIP/2.0/WSS v{number}.invalid;branch=z9hG4bK{number}")));
        draft
    };
    let body = Draft { body: Some(("text/plain", vec![b'r'; 4 * MIB])), ..options("body-of-4-mib") };
    let uri = Draft { uri: format!("sip:{}@{}", "r".repeat(64 * KIB), words.realm), ..options("uri-of-64-kib") };
    let deep = json(words, "json-of-100000-levels", ["[".repeat(100_000), "]".repeat(100_000)].concat());
    let long = json(words, "json-string-of-1-mib", format!("{{\"ringfence\":\"{}\"}}", "r".repeat(MIB)));
    let mut items: Vec<Item> = [line, headers, body, vias, uri, deep, long].into_iter().map(one_message).collect();
    items.push(fragments(words));
    items.push(slow(words));
    items
}

fn json(words: &Words, name: &str, text: String) -> Draft {
    let uri = format!("sip:{}@{}", words.nobody, words.realm);
    let body = Some(("application/json", text.into_bytes()));
    Draft { body, ..Draft::new(words, "INFO", uri, words.call_id(name)) }
}

fn one_message(draft: Draft) -> Item {
    let name = draft.call_id.rsplit_once('-').map_or(draft.call_id.as_str(), |(name, _)| name).to_owned();
    let call_ids = vec![draft.call_id.clone()];
    Item {
        name,
        asks: Asks::Refused,
        say: Say::Message(draft.bytes(1, None)),
        call_ids,
        fresh: true,
        wait: OVERSIZE_REFUSED,
        behind: None,
    }
}

/// 16 MiB in fragments, each of a size that a server may well take.
fn fragments(words: &Words) -> Item {
    let draft = Draft::options(words, "16-mib-in-fragments");
    let mut message = draft.bytes(1, None);
    message.resize(16 * MIB, b'r');
    let last = message.len().div_ceil(FRAGMENT) - 1;
    let frames = message.chunks(FRAGMENT).enumerate().flat_map(|(number, piece)| {
        let opcode = if number == 0 { BINARY } else { CONTINUATION };
        Frame { fin: number == last, ..Frame::masked(opcode, MASK, piece) }.emit()
    });
    Item { say: Say::Bytes(frames.collect()), ..one_message(draft) }
}

/// The beginning of a message, a byte each second. Servers wait for minutes, and may: only that others are served counts.
fn slow(words: &Words) -> Item {
    let draft = Draft::options(words, "one-byte-a-second");
    let bytes = Frame::masked(TEXT, MASK, draft.bytes(1, None)).emit().into_iter().take(SLOW_BYTES).collect();
    Item { say: Say::Slowly(bytes), asks: Asks::Alive, ..one_message(draft) }
}

#[cfg(test)]
mod tests {
    use ringfence_wire::sip;
    use ringfence_wire::websocket::{Message, Messages, Reader, Side};

    use super::*;
    use crate::verbs::sip_corpus::draft::tests::words;

    #[test]
    fn items_are_as_large_as_they_say() {
        let items = items(&words());
        let sizes: Vec<(&str, usize)> = items
            .iter()
            .map(|item| {
                let (Say::Message(bytes) | Say::Bytes(bytes) | Say::Slowly(bytes)) = &item.say else {
                    panic!("{} is a request", item.name)
                };
                (item.name.as_str(), bytes.len())
            })
            .collect();
        for ((name, size), (expected, least)) in sizes.iter().zip([
            ("header-line-of-256-kib", 256 * KIB),
            ("2000-header-fields", 2000 * 10),
            ("body-of-4-mib", 4 * MIB),
            ("1000-vias", 1000 * 30),
            ("uri-of-64-kib", 64 * KIB),
            ("json-of-100000-levels", 200_000),
            ("json-string-of-1-mib", MIB),
            ("16-mib-in-fragments", 16 * MIB),
            ("one-byte-a-second", 20),
        ]) {
            assert_eq!(*name, expected);
            assert!((least..least + least / 2 + 16 * KIB).contains(size), "{name}: {size}");
        }
        assert_eq!(sizes.len(), 9);
        // Each would be sound, were it not for its size: what refuses it refuses that.
        for item in &items {
            if let Say::Message(bytes) = &item.say {
                assert!(matches!(sip::prepare(bytes), Err(ringfence_wire::Error::TooLarge { .. })), "{}", item.name);
            }
        }
        let Say::Bytes(bytes) = &items[7].say else { panic!("no frames") };
        let mut messages = Messages::new(Side::Client, 32 * MIB);
        let frames = Reader::new(FRAGMENT).push(bytes).unwrap();
        assert_eq!(frames.len(), 256);
        let whole = frames.into_iter().filter_map(|frame| messages.take(frame).unwrap()).next();
        assert!(matches!(whole, Some(Message::Binary(bytes)) if bytes.len() == 16 * MIB));
    }
}
