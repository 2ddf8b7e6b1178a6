//! A hostile peer as a script: a text with one act on a line, so that a finding can be read, and a seed written by hand.
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
//!
//! Every text is a script: a letter that stands for nothing is taken for one that does, a missing word for a usual one.

use std::time::Duration;

use crate::machines::MARKER;

/// Acts of one script that are played: a run has to end.
pub const MAX_ACTS: usize = 96;
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
    Plan(&'a [u8]),
    /// We register: with this login, so many times.
    Register(u8, u32),
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
    Raw(&'a [u8]),
    /// The connection is gone.
    Gone,
    /// The peer's keep-alive.
    Ping,
    /// A datagram, in a call that has media: see `machines/call.rs`.
    Datagram(&'a [u8]),
}

/// An answer of the peer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply<'a> {
    /// To which of our requests, counted back from the last.
    pub back: usize,
    /// What is wrong with it: `b`ranch, `c`Seq, `m`ethod, Call-`i`D, no `v`ia; else nothing.
    pub bend: u8,
    /// Its status as it is written.
    pub status: &'a [u8],
    /// The peer's tag; none, if empty.
    pub tag: &'a [u8],
    /// Fields, and `+` for a description: alone, with lines to add, or `+!` and all of it.
    pub fields: Vec<&'a [u8]>,
}

/// A request of the peer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Demand<'a> {
    /// Where: in our `d`ialog, in one that has our Call-ID and another's tag (`w`), or in none.
    pub place: u8,
    /// Its method.
    pub method: &'a [u8],
    /// Its number as it is written.
    pub cseq: &'a [u8],
    /// The peer's tag.
    pub tag: &'a [u8],
    /// Fields, and `+` for a description: alone, with lines to add, or `+!` and all of it.
    pub fields: Vec<&'a [u8]>,
}

/// The acts of a script, [`MAX_ACTS`] at most; none, where it knows our password.
pub fn acts(script: &[u8]) -> Vec<Act<'_>> {
    let script = if knows_our_password(script) { b"" } else { script };
    lines(script).take(MAX_ACTS).map(act).collect()
}

/// Whether each line begins with a letter that stands for something, and they are not too many: a script made on purpose.
pub fn is_deliberate(script: &[u8]) -> bool {
    let count = lines(script).count();
    (1..=MAX_ACTS).contains(&count) && lines(script).all(|line| line.first().is_some_and(|c| LETTERS.contains(c)))
}

/// Whether our password is in a script: a fuzzer learns it from whoever compares with it, and then we are told it by the peer.
pub(super) fn knows_our_password(script: &[u8]) -> bool {
    script.windows(MARKER.len()).any(|window| window == MARKER.as_bytes())
}

/// A field, as often as `*N ` before it says.
pub fn repeated(field: &[u8]) -> (usize, &[u8]) {
    let Some(rest) = field.strip_prefix(b"*") else { return (1, field) };
    let (times, field) = head(rest, b' ');
    (usize::try_from(number(times)).unwrap_or(MAX_REPEATED).clamp(1, MAX_REPEATED), field)
}

pub(super) fn lines(script: &[u8]) -> impl Iterator<Item = &[u8]> {
    script.split(|byte| *byte == b'\n').filter(|line| !line.is_empty())
}

fn act(line: &[u8]) -> Act<'_> {
    let (letter, rest) = line.split_first().map_or((b'.', line), |(letter, rest)| (*letter, rest));
    let known = LETTERS.iter().copied().find(|known| *known == letter);
    let letter = known.or_else(|| LETTERS.get(usize::from(letter) % LETTERS.len()).copied()).unwrap_or(b'w');
    match letter {
        b'.' => Act::Wait(Duration::from_millis(number(rest).min(MAX_WAIT) * 100)),
        b'P' => Act::Plan(rest),
        b'R' => {
            let (login, times) = rest.split_first().map_or((b'o', rest), |(login, times)| (*login, times));
            Act::Register(login, u32::try_from(number(times).min(4)).unwrap_or(1))
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
        b'=' => Act::Raw(rest),
        b'!' => Act::Gone,
        b'-' => Act::Ping,
        b':' => Act::Datagram(rest),
        _ => Act::Wake,
    }
}

fn reply(rest: &[u8]) -> Reply<'_> {
    let (words, fields) = sentence(rest);
    let [place, status, tag] = words;
    let back = place.first().map_or(0, |digit| usize::from(digit.saturating_sub(b'0') % 10));
    let status = if status.is_empty() { b"200" } else { status };
    Reply { back, bend: place.get(1).copied().unwrap_or(b'.'), status, tag, fields }
}

fn demand(rest: &[u8]) -> Demand<'_> {
    let (place, rest) = rest.split_first().map_or((b'n', rest), |(place, rest)| (*place, rest));
    let (words, fields) = sentence(rest.strip_prefix(b" ").unwrap_or(rest));
    let [method, cseq, tag] = words;
    let (method, cseq) =
        (if method.is_empty() { b"OPTIONS" } else { method }, if cseq.is_empty() { b"1" } else { cseq });
    Demand { place, method, cseq, tag, fields }
}

/// Three words, and behind a bar the fields.
fn sentence(text: &[u8]) -> ([&[u8]; 3], Vec<&[u8]>) {
    let mut parts = text.split(|byte| *byte == b'|');
    let mut words = parts.next().unwrap_or_default().split(|byte| *byte == b' ');
    let mut word = || words.next().unwrap_or_default();
    ([word(), word(), word()], parts.collect())
}

/// The method of this name, or one that the first letter picks.
fn method(name: &[u8]) -> &'static str {
    let known = METHODS.iter().find(|known| known.as_bytes() == name);
    let picked = || METHODS.get(usize::from(name.first().copied().unwrap_or_default()) % METHODS.len());
    known.or_else(picked).copied().unwrap_or("OPTIONS")
}

pub(super) fn head(text: &[u8], end: u8) -> (&[u8], &[u8]) {
    let mut parts = text.splitn(2, |byte| *byte == end);
    (parts.next().unwrap_or_default(), parts.next().unwrap_or_default())
}

/// The digits that a text begins with.
pub(super) fn number(text: &[u8]) -> u64 {
    let digits = text.iter().take_while(|byte| byte.is_ascii_digit()).take(9);
    digits.fold(0, |sum, digit| sum * 10 + u64::from(digit - b'0'))
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
            bend: b'b',
            status: b"401",
            tag: b"t",
            fields: vec![b"WWW-Authenticate: x".as_slice(), b"+"],
        };
        let demand = Demand { place: b'd', method: b"BYE", cseq: b"7", tag: b"t", fields: vec![] };
        let wanted = [
            Act::Plan(b"s"),
            Act::Register(b'o', 2),
            Act::Reply(reply),
            Act::Demand(demand),
            Act::Wait(Duration::from_millis(12_500)),
            Act::Ask(true, "INFO"),
            Act::Raw(b"OPTIONS~~"),
        ];
        assert_eq!(acts, wanted);
    }

    #[test]
    fn everything_is_a_script() {
        for letter in 0..=u8::MAX {
            for rest in [&b""[..], b" ", b"|", b"9999999999999", b"\xff\xff 1 2 3 4|"] {
                let line = [&[letter], rest].concat();
                let expected = lines(&line).count();
                assert_eq!(acts(&line).len(), expected, "{line:?}");
            }
        }
        assert!(!is_deliberate(b"") && !is_deliberate(b"Ro1\n\xff"));
        assert_eq!(acts(&b"w\n".repeat(MAX_ACTS + 9)).len(), MAX_ACTS);
    }

    #[test]
    fn a_peer_that_knows_our_password_does_nothing() {
        assert_eq!(acts(format!("I\n-{MARKER}").as_bytes()), []);
        assert_eq!(acts(format!("I\n-{}", &MARKER[1..]).as_bytes()), [Act::Invite, Act::Ping]);
    }

    #[test]
    fn a_field_may_come_often() {
        assert_eq!(repeated(b"*12 Via: x"), (12, &b"Via: x"[..]));
        assert_eq!(repeated(b"*99999 Via: x").0, MAX_REPEATED);
        assert_eq!(repeated(b"Via: x"), (1, &b"Via: x"[..]));
    }
}
