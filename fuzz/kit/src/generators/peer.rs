//! A hostile peer as a script: see [`super::script`].
//!
//! ```text
//! Ps          the plan: a session timer (s), no user name (n), MD5 alone (m), no refreshes (f), a short time to ring (t), all
//!             checks of ICE answered (i), nobody in scope (z)
//! Ro1         we register once, with our own login; Rn none, Rw wrong, Rx another's, Rr Rs Rc one that was spent
//! a0 401|WWW-Authenticate: Digest realm="r", nonce="n"      the peer answers our last request
//! I           we call
//! a0 183 t|Require: 100rel|RSeq: 1|+                        from its tag `t`, with a description
//! a1b 200 t   the last request but one, with the branch changed
//! pd BYE 7 t  a request of its own, in our dialog
//! .125        12.5 seconds pass
//! :s0 :a0     a check of the target, its answer to ours (S, A: not rightly signed), r RTP, c RTCP, from address 0
//! :h0\x02...  a DTLS handshake message of this type (d: a record of one, t: a record of this type), from address 0
//! ```

use std::time::Duration;

use super::script::{self, Words, head, letter, number};

/// The longest that one act lets pass: two hours, which is beyond every timer but the longest sessions.
const MAX_WAIT: u64 = 72_000;
/// How often one field may be repeated.
const MAX_REPEATED: usize = 300;
/// The letters of acts.
const LETTERS: &[u8] = b".wPRUICADXBQqKarp=!-:";
/// Methods that we ask by hand: none that belongs to another request, which would be a mistake of our own.
pub const METHODS: [&str; 9] =
    ["OPTIONS", "INFO", "BYE", "INVITE", "UPDATE", "REFER", "NOTIFY", "MESSAGE", "NEWMETHOD"];

/// One thing that happens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Act<'a> {
    /// Time passes, and what is due meanwhile is done.
    Wait(Duration),
    /// The next thing that is due.
    Wake,
    /// Letters of the plan; of use in the first act alone.
    Plan(Words<'a>),
    /// We register: with this login, so many times.
    Register(char, u32),
    /// We take our contact back.
    Unregister,
    /// We call.
    Invite,
    /// We change the session.
    Change,
    /// We say to an offer yes, or no.
    Answer(bool),
    /// We stop calling.
    Cancel,
    /// We hang up.
    Bye,
    /// We ask something else: in the call, by this method.
    Ask(bool, &'static str),
    /// We close.
    Close,
    /// The peer answers.
    Reply(Reply<'a>),
    /// The peer says again what it said last.
    Repeat,
    /// The peer asks.
    Demand(Demand<'a>),
    /// The peer says this; `~` is a line end.
    Raw(Words<'a>),
    /// The connection is gone.
    Gone,
    /// The peer's keep-alive.
    Ping,
    /// A datagram, in a call that has media: see `machines/call.rs`.
    Datagram(Words<'a>),
}

/// An answer of the peer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply<'a> {
    /// To which of our requests, counted back from the last.
    pub back: usize,
    /// What is wrong with it: `b`ranch, `c`Seq, `m`ethod, Call-`i`D, no `v`ia; else nothing.
    pub bend: char,
    /// Its status as it is written.
    pub status: Words<'a>,
    /// The peer's tag; none, if empty.
    pub tag: Words<'a>,
    /// Fields, and `+` for a description: alone, with lines to add, or `+!` and all of it.
    pub fields: Vec<Words<'a>>,
}

/// A request of the peer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Demand<'a> {
    /// Where: in our `d`ialog, in one that has our Call-ID and another's tag (`w`), or in none.
    pub place: char,
    /// Its method.
    pub method: Words<'a>,
    /// Its number as it is written.
    pub cseq: Words<'a>,
    /// The peer's tag.
    pub tag: Words<'a>,
    /// Fields, and `+` for a description: alone, with lines to add, or `+!` and all of it.
    pub fields: Vec<Words<'a>>,
}

/// The acts of a script.
pub fn acts(script: &[u8]) -> Vec<Act<'_>> {
    script::acts(script, act)
}

/// Whether a script was made on purpose.
pub fn is_deliberate(script: &[u8]) -> bool {
    script::is_deliberate(script, LETTERS)
}

/// What the first act says of the plan.
pub fn letters<'a>(acts: &[Act<'a>]) -> &'a [u8] {
    if let Some(Act::Plan(letters)) = acts.first() { letters.0 } else { b"" }
}

/// A field, as often as `*N ` before it says.
pub fn repeated(field: &[u8]) -> (usize, &[u8]) {
    let Some(rest) = field.strip_prefix(b"*") else { return (1, field) };
    let (times, field) = head(rest, b' ');
    (usize::try_from(number(times)).unwrap_or(MAX_REPEATED).clamp(1, MAX_REPEATED), field)
}

fn act(line: &[u8]) -> Act<'_> {
    let (letter, rest) = letter(line, LETTERS);
    match letter {
        b'.' => Act::Wait(Duration::from_millis(number(rest).min(MAX_WAIT) * 100)),
        b'P' => Act::Plan(Words(rest)),
        b'R' => {
            let (login, times) = rest.split_first().map_or((b'o', rest), |(login, times)| (*login, times));
            Act::Register(char::from(login), u32::try_from(number(times).min(4)).unwrap_or(1))
        }
        b'U' => Act::Unregister,
        b'I' => Act::Invite,
        b'C' => Act::Change,
        b'A' => Act::Answer(true),
        b'D' => Act::Answer(false),
        b'X' => Act::Cancel,
        b'B' => Act::Bye,
        b'Q' | b'q' => Act::Ask(letter == b'q', method(rest)),
        b'K' => Act::Close,
        b'a' => Act::Reply(reply(rest)),
        b'r' => Act::Repeat,
        b'p' => Act::Demand(demand(rest)),
        b'=' => Act::Raw(Words(rest)),
        b'!' => Act::Gone,
        b'-' => Act::Ping,
        b':' => Act::Datagram(Words(rest)),
        _ => Act::Wake,
    }
}

fn reply(rest: &[u8]) -> Reply<'_> {
    let (words, fields) = sentence(rest);
    let [place, status, tag] = words;
    let back = place.first().map_or(0, |digit| usize::from(digit.saturating_sub(b'0') % 10));
    let status = if status.is_empty() { Words(b"200") } else { status };
    Reply { back, bend: char::from(place.get(1).copied().unwrap_or(b'.')), status, tag, fields }
}

fn demand<'a>(rest: &'a [u8]) -> Demand<'a> {
    let (place, rest) = rest.split_first().map_or((b'n', rest), |(place, rest)| (*place, rest));
    let (words, fields) = sentence(rest.strip_prefix(b" ").unwrap_or(rest));
    let [method, cseq, tag] = words;
    let or = |word: Words<'a>, usual| if word.is_empty() { Words(usual) } else { word };
    let (method, cseq) = (or(method, b"OPTIONS"), or(cseq, b"1"));
    Demand { place: char::from(place), method, cseq, tag, fields }
}

/// Three words, and behind a bar the fields.
fn sentence(text: &[u8]) -> ([Words<'_>; 3], Vec<Words<'_>>) {
    let mut parts = text.split(|byte| *byte == b'|');
    let mut words = parts.next().unwrap_or_default().split(|byte| *byte == b' ');
    let mut word = || Words(words.next().unwrap_or_default());
    ([word(), word(), word()], parts.map(Words).collect())
}

/// The method of this name, or one that the first letter picks.
fn method(name: &[u8]) -> &'static str {
    let known = METHODS.iter().find(|known| known.as_bytes() == name);
    let picked = || METHODS.get(usize::from(name.first().copied().unwrap_or_default()) % METHODS.len());
    known.or_else(picked).copied().unwrap_or("OPTIONS")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_reads_as_its_page_says() {
        let script = b"Ps\nRo2\na0b 401 t|WWW-Authenticate: x|+\n\npd BYE 7 t\n.125\nqINFO\n=OPTIONS~~\n";
        assert!(is_deliberate(script));
        let acts = acts(script);
        let reply = Reply {
            back: 0,
            bend: 'b',
            status: Words(b"401"),
            tag: Words(b"t"),
            fields: vec![Words(b"WWW-Authenticate: x"), Words(b"+")],
        };
        let (place, method, cseq, tag) = ('d', Words(b"BYE"), Words(b"7"), Words(b"t"));
        let demand = Demand { place, method, cseq, tag, fields: vec![] };
        let wanted = [
            Act::Plan(Words(b"s")),
            Act::Register('o', 2),
            Act::Reply(reply),
            Act::Demand(demand),
            Act::Wait(Duration::from_millis(12_500)),
            Act::Ask(true, "INFO"),
            Act::Raw(Words(b"OPTIONS~~")),
        ];
        assert_eq!(acts, wanted);
    }

    #[test]
    fn everything_is_a_script() {
        for letter in 0..=u8::MAX {
            for rest in [&b""[..], b" ", b"|", b"9999999999999", b"\xff\xff 1 2 3 4|"] {
                let line = [&[letter], rest].concat();
                let expected = script::lines(&line).count();
                assert_eq!(acts(&line).len(), expected, "{line:?}");
            }
        }
    }

    #[test]
    fn a_field_may_come_often() {
        assert_eq!(repeated(b"*12 Via: x"), (12, &b"Via: x"[..]));
        assert_eq!(repeated(b"*99999 Via: x").0, MAX_REPEATED);
        assert_eq!(repeated(b"Via: x"), (1, &b"Via: x"[..]));
    }
}
