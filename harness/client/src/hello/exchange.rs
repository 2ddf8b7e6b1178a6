//! One hello to a DTLS server from a port of its own, and again with its cookie: datagrams out, datagrams in. No sockets, no
//! clock.

use ringfence_wire::hello::{ClientHello, Depth, DtlsReader, Reply};

use super::findings::Traffic;
use super::machine::Told;

/// Bytes of a hello's message in one datagram: as many as the path of a call carries in one piece. Servers that hold no state
/// before the cookie cannot put fragments together (RFC 6347, section 4.2.1).
const FRAGMENT: usize = 1400; // (house)
/// Record numbers between two hellos of one port, more than a hello has fragments.
const RECORDS: u64 = 1000;
/// A fatal user_canceled (RFC 8446, section 6.1) as a record of epoch 0: a server that is left in the middle of its flight
/// would go on sending it, and some serve nobody else meanwhile.
const FAREWELL: [u8; 15] = [21, 0xfe, 0xfd, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0, 0, 2, 2, 90];
/// Where the version of its record stands.
const FAREWELL_VERSION: std::ops::Range<usize> = 1..3;
/// Where those bytes of its number stand that count the exchanges of one port.
const FAREWELL_EXCHANGE: std::ops::Range<usize> = 5..8;
/// Record numbers of one exchange, its farewell among them.
const RECORDS_OF_ONE: u64 = 1 << 24;

/// What one port of ours says and hears.
///
/// A network may double what the server sent. A HelloVerifyRequest with the cookie that was just sent back is therefore no
/// new one, and is never answered: a second answer would reach a server that has gone on, and that would refuse it.
#[derive(Debug)]
pub struct Exchange {
    depth: Depth,
    reader: DtlsReader,
    cookie: Vec<u8>,
    /// The server wants the cookie that it has; told if nothing better comes.
    stale: Option<Reply>,
    traffic: Traffic,
    /// How many there were before it from the same port, and the number of its next record.
    place: u16,
    records: u64,
}

impl Exchange {
    /// Before anything was sent.
    pub fn new(depth: Depth) -> Self {
        Self::after(0, depth)
    }

    /// The same, from a port that has seen so many others. Record numbers go on: a server drops what it takes for a copy
    /// (RFC 6347, section 4.1.2.6).
    pub fn after(place: u16, depth: Depth) -> Self {
        Self {
            depth,
            reader: DtlsReader::new(depth),
            cookie: Vec::new(),
            stale: None,
            traffic: Traffic::default(),
            place,
            records: u64::from(place) * RECORDS_OF_ONE,
        }
    }

    /// The datagrams of a hello, one record each. `sequence` is 0, and one higher with each cookie
    /// ([`super::Ask::Cookie`] has it).
    ///
    /// # Errors
    /// The hello cannot be written; our words.
    pub fn ask(&mut self, hello: &ClientHello, sequence: u16) -> Result<Vec<Vec<u8>>, String> {
        self.cookie.clone_from(&hello.cookie);
        (self.stale, self.traffic) = (None, Traffic::default());
        self.again(hello, sequence)
    }

    /// The datagrams of the hello that was just asked, once more: for a network that loses some.
    ///
    /// # Errors
    /// The hello cannot be written; our words.
    pub fn again(&mut self, hello: &ClientHello, sequence: u16) -> Result<Vec<Vec<u8>>, String> {
        let datagrams = hello.to_dtls(sequence, self.records, FRAGMENT).map_err(|error| error.to_string())?;
        self.records += RECORDS;
        self.traffic.sent += datagrams.iter().map(|datagram| bytes(datagram.len())).sum::<u64>();
        Ok(datagrams)
    }

    /// One datagram from the server; `Some` once it is clear what the hello got.
    pub fn feed(&mut self, datagram: &[u8]) -> Option<Reply> {
        self.traffic.received = self.traffic.received.saturating_add(bytes(datagram.len()));
        match self.reader.feed(datagram)? {
            Reply::HelloVerifyRequest { version, cookie } if cookie == self.cookie && !cookie.is_empty() => {
                self.stale = Some(Reply::HelloVerifyRequest { version, cookie });
                None
            }
            reply => Some(reply),
        }
    }

    /// Nobody waits longer: what may be said of it all the same. The exchange is over then.
    pub fn end(&mut self) -> Told {
        let reader = std::mem::replace(&mut self.reader, DtlsReader::new(self.depth));
        if !reader.heard() {
            return Told::Silence;
        }
        match (reader.end(), self.stale.take()) {
            (Reply::Garbage(_), Some(stale)) => Told::Reply(stale),
            // Something came, but before this hello: what brought the cookie.
            (Reply::Garbage(_), None) if self.traffic.received == 0 => Told::Silence,
            (reply, _) => Told::Reply(reply),
        }
    }

    /// Bytes of the last hello and of what came since.
    pub fn traffic(&self) -> Traffic {
        self.traffic
    }

    /// The datagram that ends what the server may have begun. Whether it arrives does not matter.
    pub fn farewell(hello: &ClientHello) -> [u8; 15] {
        let mut farewell = FAREWELL;
        if let Some(version) = farewell.get_mut(FAREWELL_VERSION) {
            version.copy_from_slice(&hello.version.legacy().0.to_be_bytes());
        }
        farewell
    }

    /// The same behind the records of this exchange.
    pub fn leave(&self, hello: &ClientHello) -> [u8; 15] {
        let mut farewell = Self::farewell(hello);
        if let Some(exchange) = farewell.get_mut(FAREWELL_EXCHANGE) {
            let [high, low] = self.place.to_be_bytes();
            exchange.copy_from_slice(&[0, high, low]);
        }
        farewell
    }

    /// Whether anything came back since the hello.
    pub fn heard(&self) -> bool {
        self.traffic.received > 0
    }
}

fn bytes(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use ringfence_wire::hello::Version;

    use super::*;

    /// As a record of DTLS 1.0.
    fn verify_request(cookie: &[u8]) -> Vec<u8> {
        let length = u8::try_from(cookie.len()).unwrap();
        let body = [&[0xfe, 0xff, length][..], cookie].concat();
        let size = u8::try_from(body.len()).unwrap();
        let message = [&[3, 0, 0, size, 0, 0, 0, 0, 0, 0, 0, size][..], &body].concat();
        let all = u8::try_from(message.len()).unwrap();
        [&[22, 0xfe, 0xff, 0, 0, 0, 0, 0, 0, 0, 0, 0, all][..], &message].concat()
    }

    #[test]
    fn a_cookie_is_answered_once_however_often_it_comes() {
        let mut hello = ClientHello::new(Version::DTLS12, [3; 32]);
        let mut exchange = Exchange::new(Depth::Flight);
        assert!(matches!(exchange.end(), Told::Silence));
        assert_eq!(exchange.ask(&hello, 0).unwrap().len(), 1);
        let first = verify_request(b"first");
        let Some(Reply::HelloVerifyRequest { cookie, .. }) = exchange.feed(&first) else { panic!("no cookie") };
        hello.cookie = cookie;
        exchange.ask(&hello, 1).unwrap();
        assert_eq!(exchange.feed(&first), None, "a copy");
        assert!(exchange.traffic().received > 0 && exchange.traffic().sent > 0);
        let other = exchange.feed(&verify_request(b"other"));
        assert!(matches!(other, Some(Reply::HelloVerifyRequest { cookie, .. }) if cookie == b"other"));
        // Nothing but the copy: the machine has to know what the server wants.
        assert_eq!(exchange.feed(&first), None);
        assert!(matches!(exchange.end(), Told::Reply(Reply::HelloVerifyRequest { cookie, .. }) if cookie == b"first"));
    }

    #[test]
    fn silence_after_a_cookie_is_silence() {
        let mut hello = ClientHello::new(Version::DTLS12, [3; 32]);
        let mut exchange = Exchange::new(Depth::Hello);
        exchange.ask(&hello, 0).unwrap();
        exchange.feed(&verify_request(b"x")).unwrap();
        hello.cookie = b"x".to_vec();
        exchange.ask(&hello, 1).unwrap();
        assert!(matches!(exchange.end(), Told::Silence));
        // An alert at level warning is something.
        exchange.ask(&hello, 0).unwrap();
        assert_eq!(exchange.feed(&[21, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 9, 0, 2, 1, 41]), None);
        assert!(matches!(exchange.end(), Told::Reply(Reply::Alert { fatal: false, code: 41 })));
        let farewell = Exchange::farewell(&ClientHello::new(Version::DTLS10, [0; 32]));
        assert_eq!((&farewell[..3], &farewell[13..]), (&[21, 0xfe, 0xff][..], &[2, 90][..]));
    }
}
