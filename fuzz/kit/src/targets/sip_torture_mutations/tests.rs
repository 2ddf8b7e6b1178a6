use super::*;
use crate::oracle::caught;

fn named(name: &str) -> &'static Torture {
    MESSAGES.iter().find(|message| message.name == name).expect("a torture message")
}

fn change(kind: Kind, place: usize, detail: usize) -> Change {
    Change { kind, place, detail }
}

#[test]
fn every_message_with_every_change_is_as_it_has_to_be() {
    for message in MESSAGES.iter() {
        for (kind, _) in KINDS {
            for (place, detail) in [(0, 1), (5, 250)] {
                examine(message, &[change(*kind, place, detail)], |bytes| Message::parse(bytes).ok());
            }
        }
    }
}

#[test]
fn readers_that_refuse_or_miscount_are_caught() {
    caught(&VERDICT, || examine(named("wsinv"), &[], |_| None));
    caught(&VERDICT, || examine(named("ncl"), &[], |_| Message::parse(named("wsinv").bytes).ok()));
    caught(&VERDICT, || {
        examine(named("wsinv"), &[], |bytes| {
            let mut message = Message::parse(bytes).ok()?;
            message.headers.pop();
            Some(message)
        });
    });
}

#[test]
fn a_reader_that_knows_no_short_names_is_caught() {
    fn long_only(bytes: &[u8]) -> Option<Message> {
        let layout = Layout::of(bytes)?;
        let mut message = Message::parse(bytes).ok()?;
        for (at, (name, _)) in message.headers.iter_mut().enumerate() {
            *name = layout.name(at)?.into_owned();
        }
        Some(message)
    }
    examine(named("unkscm"), &[], long_only);
    for place in [0, 1] {
        caught(&REWRITING, || examine(named("unkscm"), &[change(Kind::NameForm, place, 0)], long_only));
    }
}

#[test]
fn a_reader_that_guesses_where_the_body_ends_is_caught() {
    fn careless(bytes: &[u8]) -> Option<Message> {
        let layout = Layout::of(bytes)?;
        let mut whole = layout.clone();
        whole.body.clear();
        whole.fields.retain(|field| !field.to_ascii_lowercase().starts_with(b"content-length"));
        let length = bytes.len() - whole.bytes().len();
        let mut message = Message::parse(bytes).or_else(|_| Message::parse(&whole.bytes())).ok()?;
        message.body.truncate(length);
        Some(message)
    }
    let subject = named("semiuri");
    caught(&DEFECT, || examine(subject, &[change(Kind::BodyOfOtherLength, 0, 0)], careless));
}

#[test]
fn each_defect_is_one_that_some_message_can_have() {
    let layout = Layout::of(named("semiuri").bytes).expect("an empty line");
    for (kind, _) in KINDS.iter().filter(|(_, effect)| *effect == Effect::Breaks) {
        let broken = defects::broken(&layout, change(*kind, 3, 5));
        assert!(broken.is_some_and(|broken| broken != named("semiuri").bytes), "{kind:?}");
    }
}
