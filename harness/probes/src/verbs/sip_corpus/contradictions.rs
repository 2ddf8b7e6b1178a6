//! Requests that contradict themselves, behind their sound twins.

use super::draft::{BODY, Draft, Flaw, REGISTERED_S, Words};
use super::item::{Asks, Item};

/// OPTIONS, and REGISTER where the configuration's client registers: a server need not answer OPTIONS by 2xx, but its own
/// visitor's registration it does.
pub(super) fn items(words: &Words, registers: bool) -> Vec<Item> {
    let mut items = of(words, "options", Draft::options);
    if registers {
        items.extend(of(words, "register", |words, item| Draft::register(words, item, REGISTERED_S)));
    }
    items
}

fn of(words: &Words, method: &str, draft: fn(&Words, &str) -> Draft) -> Vec<Item> {
    let name = |what: &str| format!("{method}/{what}");
    let with_body = |draft: Draft| Draft { body: Some(("text/plain", BODY.to_vec())), ..draft };
    let (plain, bodied, again) = (name("sound"), name("sound-with-body"), name("sound-again"));
    let mut items = vec![
        Item { fresh: true, ..Item::request(&plain, Asks::Accepted, draft(words, &plain)) },
        Item::request(&bodied, Asks::Accepted, with_body(draft(words, &bodied))),
    ];
    for flaw in Flaw::ALL {
        let name = name(flaw.name());
        let base = draft(words, &name);
        let base = if flaw.has_body() { with_body(base) } else { base };
        let twin = if flaw.has_body() { &bodied } else { &plain };
        let draft = Draft { flaw: Some(flaw), ..base };
        items.push(Item::request(&name, Asks::LessThan([twin.clone(), again.clone()]), draft).flawed());
    }
    // A target that answers this sender no more has not refused what it left unanswered.
    items.push(Item { fresh: true, ..Item::request(&again, Asks::Accepted, draft(words, &again)) });
    items
}
