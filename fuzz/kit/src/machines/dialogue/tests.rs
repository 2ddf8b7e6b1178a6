//! Everything that is asked in a dialogue, asked of machines that are broken on purpose.

use ringfence_model::Untrusted;

use super::*;
use crate::generators::peer::acts;
use crate::machines::broken::signals;
use crate::oracle::{Oracle, caught};
use crate::oracles::GRAMMAR;
use crate::oracles::machine::{DRAINING, PROGRESS};
use crate::oracles::signalling::{
    ANSWERING, ASKED, BELIEF, ECONOMY, ENDING, LOGIN, REGISTERING, SECRECY, SILENCE, TRANSACTIONS, WRITING,
};

/// The play of a broken machine.
type Play = Box<dyn FnOnce()>;

/// What the targets do with a script, and a machine that does this with each input and then wishes for nothing.
fn play(script: &str, does: impl Fn(&Input<'_>) -> Vec<Output>) {
    let subject = signals(move |_, input| (does(input), None));
    let mut dialogue = Dialogue::new(subject, Instant::now(), false, Record::default());
    acts(script.as_bytes()).iter().for_each(|act| dialogue.play(act));
    dialogue.fall_silent();
}

fn request(method: &str, branch: &str, more: &str) -> Output {
    Output::Transmit(
        format!(
            "{method} sip:b@sip.test SIP/2.0\r\nVia: SIP/2.0/WSS a.invalid;branch={branch}\r\nMax-Forwards: 69\r\n\
             To: <sip:b@sip.test>\r\nFrom: <sip:a@sip.test>;tag=1\r\nCall-ID: call\r\nCSeq: 1 {method}\r\n\
             {more}Content-Length: 0\r\n\r\n"
        )
        .into(),
    )
}

/// Says this when it is asked to ring, and nothing else.
fn calls(says: impl Fn() -> Vec<Output>) -> impl Fn(&Input<'_>) -> Vec<Output> {
    move |input| if matches!(input, Input::Invite { .. }) { says() } else { vec![] }
}

/// What it hears it says.
fn echoes(input: &Input<'_>) -> Vec<Output> {
    if let Input::Message(bytes) = input { vec![Output::Transmit(bytes.to_vec())] } else { vec![] }
}

#[test]
fn everything_that_is_asked_is_asked_of_a_broken_machine() {
    let told = |event: Event| calls(move || vec![Output::Event(event.clone())]);
    let said = |more: &'static str| calls(move || vec![request("MESSAGE", "z9hG4bK1", more)]);
    let registered = || Event::Registered { status: 200, contact_ok: true, expires_s: Some(600) };
    let login = "Authorization: Digest username=\"u\", realm=\"r\", nonce=\"n\", uri=\"x\", response=\"0\"\r\n";
    let all: Vec<(&Oracle, Play)> = vec![
        (&DRAINING, Box::new(|| play("I", calls(|| vec![Output::Event(Event::Ended); 65])))),
        (
            &PROGRESS,
            Box::new(|| {
                let subject = signals(|now, _| (vec![], Some(now)));
                Dialogue::new(subject, Instant::now(), true, Record::default()).fall_silent();
            }),
        ),
        (&WRITING, Box::new(|| play("I", calls(|| vec![request("MESSAGE", "1", "")])))),
        (&GRAMMAR, Box::new(move || play("I", said("Subject: one\r\n two\r\n")))),
        (&TRANSACTIONS, Box::new(|| play("I", calls(|| vec![request("MESSAGE", "z9hG4bK1", ""); 2])))),
        (
            &ANSWERING,
            Box::new(|| {
                play("=SIP/2.0 200 OK~To: <sip:a>~From: <sip:b>~Call-ID: c~CSeq: 1 BYE~Content-Length: 0~~", echoes)
            }),
        ),
        (&BELIEF, Box::new(move || play("I", told(Event::Ended)))),
        (
            &REGISTERING,
            Box::new(move || {
                play("Ro1\na0 200 t", move |input| match input {
                    Input::Register { .. } => vec![request("REGISTER", "z9hG4bK1", "Expires: 600\r\n")],
                    Input::Message(_) => vec![Output::Event(registered())],
                    _ => vec![],
                });
            }),
        ),
        (&LOGIN, Box::new(move || play("I", said(login)))),
        (
            &SECRECY,
            Box::new(|| {
                let reason = || Untrusted::new(MARKER);
                play("Ro1\na0 403 t", move |input| match input {
                    Input::Register { .. } => vec![request("REGISTER", "z9hG4bK1", "")],
                    Input::Message(_) => {
                        vec![Output::Event(Event::RegisterFinal { status: 403, reason: reason() })]
                    }
                    _ => vec![],
                });
            }),
        ),
        (&SILENCE, Box::new(|| play("!\n-", echoes))),
        (&ECONOMY, Box::new(|| play("I", calls(|| vec![Output::Transmit(b"\r\n".to_vec()); 10])))),
        (&ENDING, Box::new(|| play("I", |_| vec![]))),
    ];
    let names = |all: &[&Oracle]| all.iter().map(|oracle| oracle.name).collect::<Vec<_>>();
    assert_eq!(names(&all.iter().map(|(oracle, _)| *oracle).collect::<Vec<_>>()), names(ASKED));
    for (oracle, broken) in all {
        caught(oracle, std::panic::AssertUnwindSafe(broken));
    }
    play("-", echoes);
}
