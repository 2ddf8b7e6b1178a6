//! ClientHellos: the message's body, and what carries it over TLS and DTLS.

use ringfence_wire::Error;
use ringfence_wire::hello::{ClientHello, Extension, Version};

use crate::hex;
use crate::oracle::Oracle;
use crate::oracles::{ALLOCATION, Bound, FIXPOINT, allocating, fixpoint};
use crate::target::{Seed, Target};

/// What a client sends first: the body of a ClientHello, TLS records, or a DTLS datagram. Each input is read as all three.
pub const TARGET: Target = Target {
    name: "client_hello",
    reads: "a ClientHello: its body, a TLS stream or a DTLS datagram",
    oracles: &[&ALLOCATION, &FIXPOINT, &WRITTEN, &WHOLE],
    run,
    accepts: |bytes| read_all(bytes).iter().any(Option::is_some),
    show: |bytes| {
        let [body, stream, datagram] = read_all(bytes);
        format!("as a body: {body:#?}\nas a TLS stream: {stream:#?}\nas a DTLS datagram: {datagram:#?}")
    },
    seeds,
    dictionary: Some("dtls"),
    max_len: 8_192,
    covers: &["harness/wire/src/hello/arrival.rs", "harness/wire/src/hello/client.rs"],
};

/// What was read of a hello is written as the bytes that it was read from.
pub const WRITTEN: Oracle = Oracle::new(
    "the same bytes",
    "a hello that is asked again must differ from the first in nothing but its cookie (RFC 6347, section 4.2.1; \
     RFC 8446, section 4.1.2)",
);

/// A hello is not there before all of it came, and stays what it is whatever follows.
pub const WHOLE: Oracle = Oracle::new(
    "there once it is whole",
    "a server that decides on the beginning of a hello decides on what the client may never have said",
);

const BOUND: Bound = Bound { per_byte: 64, fixed: 8_192 };

/// One run.
pub fn run(bytes: &[u8]) {
    for hello in read_all(bytes).into_iter().flatten() {
        again(&hello);
    }
    if let Ok(hello) = ClientHello::parse(bytes)
        && let Some(written) = write(&hello)
    {
        same_body(&hello, bytes, &written);
    }
    stream(bytes);
}

/// As a body, a TLS stream and a DTLS datagram.
fn read_all(bytes: &[u8]) -> [Option<ClientHello>; 3] {
    let body = allocating(BOUND, bytes.len(), || ClientHello::parse(bytes)).ok();
    let stream = allocating(BOUND, bytes.len(), || ClientHello::from_tls(bytes)).ok().flatten();
    let datagram = allocating(BOUND, bytes.len(), || ClientHello::from_datagram(bytes)).ok();
    [body, stream, datagram.map(|(hello, _)| hello)]
}

/// What is written of a hello reads as that hello.
fn again(hello: &ClientHello) {
    for list in [hello.groups(), hello.signature_schemes(), hello.srtp_profiles()] {
        FIXPOINT.holds(list.len() <= usize::from(u16::MAX) / 2, || format!("a list of {} numbers", list.len()));
    }
    let Some(written) = write(hello) else { return };
    let plain = ClientHello { record_version: None, ..hello.clone() };
    let read = |written: &Vec<u8>| {
        let read = if is_dtls(hello) {
            ClientHello::from_datagram(written).map(|(hello, _)| hello)
        } else {
            ClientHello::from_tls(written).map(|hello| hello.expect("what is written is whole"))
        };
        read.map(|read| ClientHello { record_version: None, ..read })
    };
    fixpoint(&plain, |_| written.clone(), read);
}

/// One record; nothing, if the hello is longer than that.
fn write(hello: &ClientHello) -> Option<Vec<u8>> {
    const RECORD: usize = 16_000;
    let written = if is_dtls(hello) { hello.to_dtls(0, 0, RECORD) } else { hello.to_tls().map(|stream| vec![stream]) };
    match written {
        Ok(pieces) => <[Vec<u8>; 1]>::try_from(pieces).ok().map(|[one]| one).filter(|one| one.len() <= RECORD),
        Err(Error::TooLarge { .. }) => None,
        Err(error) => {
            FIXPOINT.holds(false, || format!("{hello:?} was read and cannot be written: {error}"));
            None
        }
    }
}

fn is_dtls(hello: &ClientHello) -> bool {
    hello.legacy_version.unwrap_or(hello.version).is_dtls()
}

fn same_body(hello: &ClientHello, body: &[u8], written: &[u8]) {
    let header = if is_dtls(hello) { 13 + 12 } else { 5 + 4 };
    let written = written.get(header..).unwrap_or_default();
    // An empty list of extensions is written as none.
    let empty = hello.extensions.is_empty() && body.len() == written.len() + 2;
    let body = if empty { body.strip_suffix(&[0, 0]).unwrap_or(body) } else { body };
    WRITTEN.same(&body, &written, "the body that was read, and the one that is written");
}

/// A hello that is there stays the same whatever follows it, and was not there before it was whole.
fn stream(bytes: &[u8]) {
    let Ok(Some(hello)) = ClientHello::from_tls(bytes) else { return };
    whole(bytes, &hello, ClientHello::from_tls);
}

/// Halves, until the fewest bytes are found with which the hello is there.
fn whole<T, E>(bytes: &[u8], hello: &T, read: impl Fn(&[u8]) -> Result<Option<T>, E>)
where
    T: PartialEq + std::fmt::Debug,
    E: std::fmt::Debug,
{
    let (mut short, mut long) = (0, bytes.len());
    while short + 1 < long {
        let middle = short.midpoint(long);
        match read(bytes.get(..middle).unwrap_or_default()) {
            Ok(None) => short = middle,
            Ok(Some(read)) => {
                WHOLE.same(&read, hello, "the hello of fewer bytes, and of all");
                long = middle;
            }
            Err(error) => WHOLE.holds(false, || format!("{middle} of {} bytes: {error:?}", bytes.len())),
        }
    }
}

/// RFC 8448, section 3: a ClientHello of TLS 1.3.
pub(crate) const RFC8448: &str = "
    01 00 00 c0 03 03 cb 34 ec b1 e7 81 63 ba 1c 38 c6 da cb 19 6a 6d ff a2 1a 8d 99 12 ec 18 a2 ef 62 83 02 4d
    ec e7 00 00 06 13 01 13 03 13 02 01 00 00 91 00 00 00 0b 00 09 00 00 06 73 65 72 76 65 72 ff 01 00 01 00 00
    0a 00 14 00 12 00 1d 00 17 00 18 00 19 01 00 01 01 01 02 01 03 01 04 00 23 00 00 00 33 00 26 00 24 00 1d 00
    20 99 38 1d e5 60 e4 bd 43 d2 3d 8e 43 5a 7d ba fe b3 c0 6e 51 c1 3c ae 4d 54 13 69 1e 52 9a af 2c 00 2b 00
    03 02 03 04 00 0d 00 20 00 1e 04 03 05 03 06 03 02 03 08 04 08 05 08 06 04 01 05 01 06 01 02 01 04 02 05 02
    06 02 02 02 00 2d 00 02 01 01 00 1c 00 02 40 01";

fn seeds() -> Vec<Seed> {
    let rfc8448 = hex::bytes(RFC8448);
    let record = |body: &[u8]| [&[22, 3, 1, 0, body.len() as u8], body].concat();
    let tls13 = ClientHello { suites: vec![0x1301, 0xc02b], extensions: extensions(), ..new(Version::TLS13) };
    let dtls = ClientHello { cookie: vec![5; 20], ..ClientHello { version: Version::DTLS12, ..tls13.clone() } };
    let dtls13 = ClientHello { version: Version::DTLS13, ..tls13.clone() };
    let ssl3 = ClientHello { suites: vec![0x0004, 0x000a], ..new(Version::SSL3) };
    let datagram = |hello: &ClientHello, seq, size| hello.to_dtls(seq, 7, size).expect("a sound hello").concat();
    let other_family = Extension::supported_versions(&[Version::DTLS12, Version::TLS12]).expect("two versions");
    let mixed = ClientHello { extensions: vec![other_family], ..new(Version::TLS12) };
    vec![
        Seed::valid("rfc8448-one-record", record(&rfc8448)),
        Seed::valid("rfc8448-body", rfc8448.get(4..).unwrap_or_default()),
        Seed::valid("rfc8448-records-of-three-bytes", rfc8448.chunks(3).flat_map(record).collect::<Vec<u8>>()),
        Seed::valid("tls13", tls13.to_tls().expect("a sound hello")),
        Seed::valid("ssl3", ssl3.to_tls().expect("a sound hello")),
        Seed::valid("dtls12-with-cookie", datagram(&dtls, 1, 1_400)),
        Seed::valid("dtls13", datagram(&dtls13, 0, 1_400)),
        Seed::valid("versions-of-the-other-family", mixed.to_tls().expect("a sound hello")),
        Seed::other("dtls12-in-fragments", datagram(&dtls, 1, 40)),
        Seed::other("ssl2", hex::bytes("802e0103010015000000100000 0a000005000004000003")),
    ]
}

fn new(version: Version) -> ClientHello {
    ClientHello { session_id: vec![9; 32], ..ClientHello::new(version, [7; 32]) }
}

fn extensions() -> Vec<Extension> {
    let some = [
        Extension::server_name("phone.example"),
        Extension::supported_groups(&[29, 23, 24]),
        Extension::signature_algorithms(&[0x0403, 0x0804, 0x0401]),
        Extension::use_srtp(&[7, 8, 1]),
        Extension::alpn(&[b"http/1.1", b"h2"]),
        Extension::cookie(&[3; 16]),
    ];
    let more = [Extension::extended_master_secret(), Extension::ec_point_formats(), Extension::key_share_empty()];
    some.into_iter().map(|extension| extension.expect("a sound one")).chain(more).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oracle::caught;

    #[test]
    fn a_writer_that_changes_a_byte_is_caught() {
        let hello = ClientHello::parse(&hex::bytes(RFC8448)[4..]).expect("the RFC's own");
        let written = write(&hello).expect("one record");
        same_body(&hello, &hex::bytes(RFC8448)[4..], &written);
        caught(&WRITTEN, || same_body(&hello, &hex::bytes(RFC8448)[4..], &[&written[..60], &written[61..]].concat()));
    }

    #[test]
    fn a_reader_that_does_not_wait_is_caught() {
        let hasty = |bytes: &[u8]| Ok::<_, ()>((bytes.len() > 1).then(|| bytes.len().min(6)));
        whole(b"hello and more", &6, |bytes| Ok::<_, ()>((bytes.len() > 5).then_some(6)));
        caught(&WHOLE, || whole(b"hello and more", &6, hasty));
    }
}
