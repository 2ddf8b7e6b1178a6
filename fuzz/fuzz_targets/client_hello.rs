//! ClientHello: no panic on any bytes, what is read is written back as the same bytes, and a stream that is cut anywhere
//! tells nothing else than the whole one.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ringfence_wire::hello::ClientHello;

fuzz_target!(|bytes: &[u8]| {
    let _ = ClientHello::from_datagram(bytes);
    stream(bytes);
    let Ok(hello) = ClientHello::parse(bytes) else { return };
    for list in [hello.groups(), hello.signature_schemes(), hello.srtp_profiles()] {
        assert!(list.len() <= bytes.len());
    }
    if let Ok(stream) = hello.to_tls() {
        let whole = ClientHello::from_tls(&stream);
        if hello.legacy_version.is_some_and(|version| !version.is_dtls()) {
            let read = whole.expect("what was written is a hello").expect("it is whole");
            assert_eq!(ClientHello { record_version: None, ..read }, hello);
        }
    }
    if let Ok(datagrams) = hello.to_dtls(0, 0, bytes.len().max(1)) {
        let [datagram] = &datagrams[..] else { return }; // longer than a record
        if hello.legacy_version.is_some_and(|version| version.is_dtls()) {
            let (read, sequence) = ClientHello::from_datagram(datagram).expect("what was written is a hello");
            assert_eq!((ClientHello { record_version: None, ..read }, sequence), (hello, 0));
        }
    }
});

/// A hello that is there stays the same whatever follows it, and was not there before it was whole.
fn stream(bytes: &[u8]) {
    let Ok(Some(hello)) = ClientHello::from_tls(bytes) else { return };
    let mut whole = 0..bytes.len();
    // Halves: the fewest bytes with which it is whole.
    while whole.start + 1 < whole.end {
        let middle = whole.start.midpoint(whole.end);
        match ClientHello::from_tls(&bytes[..middle]) {
            Ok(None) => whole.start = middle,
            Ok(Some(read)) => {
                assert_eq!(read, hello);
                whole.end = middle;
            }
            Err(error) => panic!("{middle} of its bytes: {error}"),
        }
    }
}
