//! What servers send, put together by hand.

pub const ALERT: u8 = 21;
pub const HANDSHAKE: u8 = 22;
pub const SERVER_HELLO: u8 = 2;
pub const CERTIFICATE: u8 = 11;
pub const SERVER_KEY_EXCHANGE: u8 = 12;
pub const SERVER_HELLO_DONE: u8 = 14;

pub fn length24(length: usize) -> [u8; 3] {
    [(length >> 16) as u8, (length >> 8) as u8, length as u8]
}

pub fn prefixed8(bytes: &[u8]) -> Vec<u8> {
    [&[u8::try_from(bytes.len()).unwrap()], bytes].concat()
}

pub fn prefixed16(bytes: &[u8]) -> Vec<u8> {
    [&u16::try_from(bytes.len()).unwrap().to_be_bytes(), bytes].concat()
}

pub fn prefixed24(bytes: &[u8]) -> Vec<u8> {
    [&length24(bytes.len()), bytes].concat()
}

pub fn extension(kind: u16, data: &[u8]) -> Vec<u8> {
    [&kind.to_be_bytes(), prefixed16(data).as_slice()].concat()
}

/// The body of a ServerHello; without extensions there is no block of them.
pub fn server_hello(version: u16, random: [u8; 32], suite: u16, extensions: &[Vec<u8>]) -> Vec<u8> {
    let mut body = [&version.to_be_bytes()[..], &random, &prefixed8(&[0xab; 4]), &suite.to_be_bytes(), &[0]].concat();
    if !extensions.is_empty() {
        body.extend(prefixed16(&extensions.concat()));
    }
    body
}

pub fn certificates(certificates: &[&[u8]]) -> Vec<u8> {
    prefixed24(&certificates.iter().flat_map(|x| prefixed24(x)).collect::<Vec<_>>())
}

/// A ServerKeyExchange over a named curve, with the signature scheme of 1.2.
pub fn curve_exchange(group: u16, scheme: u16) -> Vec<u8> {
    let mut body = [&[3][..], &group.to_be_bytes(), &prefixed8(&[4; 65]), &scheme.to_be_bytes()].concat();
    body.extend(prefixed16(&[7; 70]));
    body
}

/// A handshake message for a stream.
pub fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    [&[kind], prefixed24(body).as_slice()].concat()
}

pub fn record(kind: u8, version: u16, body: &[u8]) -> Vec<u8> {
    [&[kind][..], &version.to_be_bytes(), &prefixed16(body)].concat()
}

/// The messages of a flight of 1.2: ServerHello with use_srtp, two certificates, ServerKeyExchange, ServerHelloDone.
pub fn flight(version: u16) -> Vec<(u8, Vec<u8>)> {
    let extensions = [extension(14, &[0, 2, 0, 7, 0]), extension(23, &[]), extension(0xff01, &[0])];
    vec![
        (SERVER_HELLO, server_hello(version, [0x11; 32], 0xc02b, &extensions)),
        (CERTIFICATE, certificates(&[&[0x30; 300], &[0x31; 200]])),
        (SERVER_KEY_EXCHANGE, curve_exchange(29, 0x0403)),
        (SERVER_HELLO_DONE, vec![]),
    ]
}

/// [`flight`] as a stream of TLS 1.2, all in one record.
pub fn tls_flight() -> Vec<u8> {
    let messages: Vec<u8> = flight(0x0303).iter().flat_map(|(kind, body)| message(*kind, body)).collect();
    record(HANDSHAKE, 0x0303, &messages)
}

/// One fragment of a handshake message, `range` of its body, without a record around it.
pub fn fragment(kind: u8, sequence: u16, body: &[u8], range: std::ops::Range<usize>) -> Vec<u8> {
    let mut bytes = [&[kind][..], &length24(body.len()), &sequence.to_be_bytes(), &length24(range.start)].concat();
    bytes.extend(prefixed24(&body[range]));
    bytes
}

pub fn dtls_record(kind: u8, epoch: u16, number: u64, body: &[u8]) -> Vec<u8> {
    let number = &number.to_be_bytes()[2..];
    [&[kind, 0xfe, 0xfd][..], &epoch.to_be_bytes(), number, &prefixed16(body)].concat()
}

/// [`flight`] of DTLS 1.2, one whole message in each datagram; the first has this message_seq.
pub fn dtls_flight(first: u16) -> Vec<Vec<u8>> {
    let messages = (first..).zip(flight(0xfefd));
    messages
        .map(|(sequence, (kind, body))| {
            let whole = fragment(kind, sequence, &body, 0..body.len());
            dtls_record(HANDSHAKE, 0, sequence.into(), &whole)
        })
        .collect()
}
