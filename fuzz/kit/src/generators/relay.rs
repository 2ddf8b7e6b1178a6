//! A hostile TURN server as a script, one act on a line, as in `peer`.
//!
//! ```text
//! Pt          the plan: the server is reached over TCP (t) or TLS (s), and our own candidates are offered too (a)
//! g0          the server answers our last request as it should
//! e0 438 lab other-nonce      an error with this realm and nonce
//! s0u4 600    a success: unsigned (u), signed with another password (w), rightly (h); an address of IPv4, IPv6, 0, none (-)
//! t0 40       what it should answer, cut to 40 bytes;  b0 17  with the bit of that number turned
//! d           data of a peer in an indication (d), in a channel (c 16384), under an honest envelope
//! f           the next message comes from another address
//! A           the target answers our offer; =… raw bytes; r again; .N tenths of seconds; w; o connected; ! lost; K closed
//! ```

use std::time::Duration;

use super::peer::{MAX_ACTS, head, knows_our_password, lines, number};

/// The longest that one act lets pass, in tenths of a second.
const MAX_WAIT: u64 = 20_000;
/// The letters of acts.
const LETTERS: &[u8] = b".wPgestbdcfA=ro!K";

/// One thing that happens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Act<'a> {
    /// Time passes, and what is due meanwhile is done.
    Wait(Duration),
    /// The next thing that is due.
    Wake,
    /// Letters of the plan; of use in the first act alone.
    Plan(&'a [u8]),
    /// The server answers the request so many back, so.
    Answer(usize, Answer<'a>),
    /// Data of a peer, in an indication or in this channel.
    Data(Option<u16>, &'a [u8]),
    /// The next message comes from another address.
    Stranger,
    /// The target answers our offer.
    Target,
    /// The server sends this.
    Raw(&'a [u8]),
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
    Error(u16, &'a [u8], &'a [u8]),
    /// A success, signed so, with such an address and this lifetime in seconds.
    Success(u8, u8, u32),
    /// What it should, cut to so many bytes.
    Cut(usize),
    /// What it should, with this bit turned.
    Turned(usize),
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

fn act(line: &[u8]) -> Act<'_> {
    let (letter, rest) = line.split_first().map_or((b'.', line), |(letter, rest)| (*letter, rest));
    let known = LETTERS.iter().copied().find(|known| *known == letter);
    let letter = known.or_else(|| LETTERS.get(usize::from(letter) % LETTERS.len()).copied()).unwrap_or(b'w');
    let back = rest.first().map_or(0, |digit| usize::from(digit.saturating_sub(b'0') % 10));
    let words = || head(rest, b' ').1;
    let count = || usize::try_from(number(words())).unwrap_or(usize::MAX);
    match letter {
        b'.' => Act::Wait(Duration::from_millis(number(rest).min(MAX_WAIT) * 100)),
        b'P' => Act::Plan(rest),
        b'g' => Act::Answer(back, Answer::Due),
        b'e' => {
            let (code, rest) = head(words(), b' ');
            let (realm, nonce) = head(rest, b' ');
            Act::Answer(back, Answer::Error(u16::try_from(number(code)).unwrap_or(699).clamp(300, 699), realm, nonce))
        }
        b's' => {
            let letter = |at: usize| rest.get(at).copied().unwrap_or(b'-');
            Act::Answer(back, Answer::Success(letter(1), letter(2), u32::try_from(number(words())).unwrap_or(u32::MAX)))
        }
        b't' => Act::Answer(back, Answer::Cut(count())),
        b'b' => Act::Answer(back, Answer::Turned(count())),
        b'd' => Act::Data(None, rest),
        b'c' => Act::Data(Some(u16::try_from(number(words())).unwrap_or(u16::MAX)), rest),
        b'f' => Act::Stranger,
        b'A' => Act::Target,
        b'=' => Act::Raw(rest),
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
        let script = b"Pt\ng0\ne0 438 lab other-nonce\ns1u4 600\nt0 40\nb0 17\nd\nc 16384\n.5\n";
        assert!(is_deliberate(script));
        let wanted = [
            Act::Plan(b"t"),
            Act::Answer(0, Answer::Due),
            Act::Answer(0, Answer::Error(438, b"lab", b"other-nonce")),
            Act::Answer(1, Answer::Success(b'u', b'4', 600)),
            Act::Answer(0, Answer::Cut(40)),
            Act::Answer(0, Answer::Turned(17)),
            Act::Data(None, b""),
            Act::Data(Some(16_384), b" 16384"),
            Act::Wait(Duration::from_millis(500)),
        ];
        assert_eq!(acts(script), wanted);
    }

    #[test]
    fn everything_is_a_script() {
        for letter in 0..=u8::MAX {
            for rest in [&b""[..], b" ", b"9 9999999999999", b"\xff\xff 1 2 3 4"] {
                let line = [&[letter], rest].concat();
                assert_eq!(acts(&line).len(), lines(&line).count(), "{line:?}");
            }
        }
    }
}
