//! A hostile TURN server as a script: see [`super::script`].
//!
//! ```text
//! Pt          the plan: the server is reached over TCP (t) or TLS (s), and our own candidates are offered too (a)
//! g0          the server answers our last request as it should
//! e0 438 lab other-nonce      an error with this realm and nonce
//! s0u4 600    a success: unsigned (u), signed with another password (w), rightly (h); an address of IPv4, IPv6, 0, multicast (m), none (-)
//! x0-e 600    a success, rightly signed, with the first address, and behind the signature the second: elsewhere (e)
//! t0 40       what it should answer, cut to 40 bytes;  b0 17  with the bit of that number turned
//! d           data of a peer in an indication (d), in a channel (c 16384), under an honest envelope
//! f           the next message comes from another address
//! A           the target answers our offer; =… raw bytes; r again; .N tenths of seconds; w; o connected; ! lost; K closed
//! ```

use std::time::Duration;

use super::script::{self, Words, head, letter, number};

/// The longest that one act lets pass, in tenths of a second.
const MAX_WAIT: u64 = 20_000;
/// The letters of acts.
const LETTERS: &[u8] = b".wPgestbdcfA=ro!Kx";

/// One thing that happens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Act<'a> {
    /// Time passes, and what is due meanwhile is done.
    Wait(Duration),
    /// The next thing that is due.
    Wake,
    /// Letters of the plan; of use in the first act alone.
    Plan(Words<'a>),
    /// The server answers the request so many back, so.
    Answer(usize, Answer<'a>),
    /// Data of a peer, in an indication or in this channel.
    Data(Option<u16>, Words<'a>),
    /// The next message comes from another address.
    Stranger,
    /// The target answers our offer.
    Target,
    /// The server sends this.
    Raw(Words<'a>),
    /// The server says again what it said last.
    Repeat,
    /// Its connection is there.
    Connected,
    /// Its connection is gone.
    Lost,
    /// We close.
    Close,
}

/// What the server answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer<'a> {
    /// What it should.
    Due,
    /// An error of this code with realm and nonce, where they are not empty.
    Error(u16, Words<'a>, Words<'a>),
    /// A success, signed so, with such an address and this lifetime in seconds.
    Success(char, char, u32),
    /// A success, rightly signed, with the first address and this lifetime, and the second address behind the signature.
    Behind(char, char, u32),
    /// What it should, cut to so many bytes.
    Cut(usize),
    /// What it should, with this bit turned.
    Turned(usize),
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

fn act(line: &[u8]) -> Act<'_> {
    let (letter, rest) = letter(line, LETTERS);
    let word = |at: usize| char::from(rest.get(at).copied().unwrap_or(b'-'));
    let back = rest.first().map_or(0, |digit| usize::from(digit.saturating_sub(b'0') % 10));
    let words = || head(rest, b' ').1;
    let count = || usize::try_from(number(words())).unwrap_or(usize::MAX);
    let lifetime = || u32::try_from(number(words())).unwrap_or(u32::MAX);
    match letter {
        b'.' => Act::Wait(Duration::from_millis(number(rest).min(MAX_WAIT) * 100)),
        b'P' => Act::Plan(Words(rest)),
        b'g' => Act::Answer(back, Answer::Due),
        b'e' => {
            let (code, rest) = head(words(), b' ');
            let (realm, nonce) = head(rest, b' ');
            let code = u16::try_from(number(code)).unwrap_or(699).clamp(300, 699);
            Act::Answer(back, Answer::Error(code, Words(realm), Words(nonce)))
        }
        b's' => Act::Answer(back, Answer::Success(word(1), word(2), lifetime())),
        b'x' => Act::Answer(back, Answer::Behind(word(1), word(2), lifetime())),
        b't' => Act::Answer(back, Answer::Cut(count())),
        b'b' => Act::Answer(back, Answer::Turned(count())),
        b'd' => Act::Data(None, Words(rest)),
        b'c' => Act::Data(Some(u16::try_from(number(words())).unwrap_or(u16::MAX)), Words(rest)),
        b'f' => Act::Stranger,
        b'A' => Act::Target,
        b'=' => Act::Raw(Words(rest)),
        b'r' => Act::Repeat,
        b'o' => Act::Connected,
        b'!' => Act::Lost,
        b'K' => Act::Close,
        _ => Act::Wake,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_reads_as_its_page_says() {
        let script = b"Pt\ng0\ne0 438 lab other-nonce\ns1u4 600\nx0-e 9\nt0 40\nb0 17\nd\nc 16384\n.5\n";
        assert!(is_deliberate(script));
        let wanted = [
            Act::Plan(Words(b"t")),
            Act::Answer(0, Answer::Due),
            Act::Answer(0, Answer::Error(438, Words(b"lab"), Words(b"other-nonce"))),
            Act::Answer(1, Answer::Success('u', '4', 600)),
            Act::Answer(0, Answer::Behind('-', 'e', 9)),
            Act::Answer(0, Answer::Cut(40)),
            Act::Answer(0, Answer::Turned(17)),
            Act::Data(None, Words(b"")),
            Act::Data(Some(16_384), Words(b" 16384")),
            Act::Wait(Duration::from_millis(500)),
        ];
        assert_eq!(acts(script), wanted);
    }

    #[test]
    fn everything_is_a_script() {
        for letter in 0..=u8::MAX {
            for rest in [&b""[..], b" ", b"9 9999999999999", b"\xff\xff 1 2 3 4"] {
                let line = [&[letter], rest].concat();
                assert_eq!(acts(&line).len(), script::lines(&line).count(), "{line:?}");
            }
        }
    }
}
