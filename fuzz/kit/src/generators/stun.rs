//! STUN and TURN messages.

use std::net::{IpAddr, SocketAddr};

use arbitrary::{Arbitrary, Result, Unstructured};
use ringfence_wire::stun::{AddressFamily, Attribute, Class, Message, Method, long_term_key};
use ringfence_wire::turn::{TRANSPORT_TCP, TRANSPORT_UDP};

use super::lab;
use crate::target::Seed;

/// The password of RFC 5769, sections 2.1 to 2.3.
pub const SHORT_TERM: &[u8] = b"VOkJxbRl1RmTxUk/WvJxBt";

// RFC 5769, sections 2.1 to 2.4.
const VECTORS: [(&str, &str); 4] = [
    (
        "rfc5769-2.1",
        "000100582112a442b7e7a701bc34d686fa87dfae802200105354554e207465737420636c69656e740024\
         00046e0001ff80290008932ff9b151263b36000600096576746a3a68367659202020000800149aeaa70c\
         bfd8cb56781ef2b5b2d3f249c1b571a280280004e57a3bcf",
    ),
    (
        "rfc5769-2.2",
        "0101003c2112a442b7e7a701bc34d686fa87dfae8022000b7465737420766563746f7220002000080001\
         a147e112a643000800142b91f599fd9e90c38c7489f92af9ba53f06be7d780280004c07d4c96",
    ),
    (
        "rfc5769-2.3",
        "010100482112a442b7e7a701bc34d686fa87dfae8022000b7465737420766563746f7220002000140002\
         a1470113a9faa5d3f179bc25f4b5bed2b9d900080014a382954e4be67bf11784c97c8292c275bfe3ed41\
         80280004c8fb0b4c",
    ),
    (
        "rfc5769-2.4",
        "000100602112a44278ad3433c6ad72c029da412e00060012e3839ee38388e383aae38383e382afe382b9\
         00000015001c662f2f3439396b39353464364f4c33346f4c394653547679363473410014000b6578616d\
         706c652e6f72670000080014f67024656dd64a3e02b8e0712e85c9a28ca89666",
    ),
];

/// A message of any class and method, with attributes that can be written.
#[derive(Clone, Debug)]
pub struct AnyMessage(pub Message);

impl<'a> Arbitrary<'a> for AnyMessage {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        let class = *u.choose(&[Class::Request, Class::Indication, Class::Success, Class::Error])?;
        let known = [1, 3, 4, 6, 7, 8, 9, 10, 11];
        let number = if u.ratio(7, 8)? { *u.choose(&known)? } else { u.arbitrary()? };
        let mut message = Message::new(class, Method::new(number), u.arbitrary()?);
        for _ in 0..u.int_in_range(0..=8)? {
            message.attributes.push(attribute(u)?);
        }
        Ok(Self(message))
    }
}

fn attribute(u: &mut Unstructured) -> Result<Attribute> {
    Ok(match u.int_in_range(0..=22)? {
        0 => Attribute::MappedAddress(address(u)?),
        1 => Attribute::XorMappedAddress(address(u)?),
        2 => Attribute::XorPeerAddress(address(u)?),
        3 => Attribute::XorRelayedAddress(address(u)?),
        4 => Attribute::Username(text(u)?),
        5 => Attribute::Realm(text(u)?),
        6 => Attribute::Nonce(text(u)?),
        7 => Attribute::Software(text(u)?),
        8 => Attribute::ErrorCode { code: u.int_in_range(300..=699)?, reason: text(u)? },
        9 => Attribute::UnknownAttributes(u.arbitrary_iter()?.take(8).collect::<Result<_>>()?),
        10 => Attribute::Priority(u.arbitrary()?),
        11 => Attribute::UseCandidate,
        12 => Attribute::IceControlled(u.arbitrary()?),
        13 => Attribute::IceControlling(u.arbitrary()?),
        14 => Attribute::ChannelNumber(u.arbitrary()?),
        15 => Attribute::Lifetime(u.arbitrary()?),
        16 => Attribute::Data(bytes(u)?),
        17 => Attribute::RequestedAddressFamily(*u.choose(&[AddressFamily::V4, AddressFamily::V6])?),
        18 => Attribute::EvenPort(u.arbitrary()?),
        19 => Attribute::RequestedTransport(u.arbitrary()?),
        20 => Attribute::DontFragment,
        21 => Attribute::Fingerprint(u.arbitrary()?),
        // Types that are nobody's: what has a reader of its own may be refused for its value.
        _ => Attribute::Other { kind: u.int_in_range(0xc100..=u16::MAX)?, value: bytes(u)? },
    })
}

fn address(u: &mut Unstructured) -> Result<SocketAddr> {
    let (ip, port): (IpAddr, u16) = u.arbitrary()?;
    Ok(SocketAddr::new(ip, port))
}

fn text(u: &mut Unstructured) -> Result<String> {
    let length = u.int_in_range(0..=40)?;
    (0..length).map(|_| u.arbitrary::<char>()).collect()
}

fn bytes(u: &mut Unstructured) -> Result<Vec<u8>> {
    let length = u.int_in_range(0..=60)?;
    (0..length).map(|_| u.arbitrary()).collect()
}

/// Messages to begin with: the RFC's own, one of each kind of TURN, and some that are refused.
pub fn messages() -> Vec<Seed> {
    let mut seeds: Vec<Seed> = VECTORS.iter().map(|(name, hex)| Seed::valid(*name, unhex(hex))).collect();
    seeds.push(Seed::valid("binding-request", *b"\x00\x01\x00\x00\x21\x12\xa4\x42abcdefghijkl"));
    seeds.extend(turn().map(|(name, message)| {
        let bytes = message.emit().expect("attributes of that length can be written");
        Seed::valid(name, bytes)
    }));
    seeds.extend(lab::said("stun"));
    let base = unhex(VECTORS[1].1);
    type Ruin = fn(&mut Vec<u8>);
    let ruins: [(&str, Ruin); 8] = [
        ("header-alone-cut", |bytes| bytes.truncate(19)),
        ("length-short", |bytes| bytes[3] -= 4),
        ("length-no-multiple", |bytes| bytes[3] -= 1),
        ("attribute-over-the-end", |bytes| bytes[23] = 0xff),
        ("family-unknown", |bytes| bytes[41] = 3),
        ("first-bits-set", |bytes| bytes[0] |= 0xc0),
        ("cookie-wrong", |bytes| bytes[4] = 0),
        ("bytes-behind", |bytes| bytes.extend([0; 4])),
    ];
    seeds.extend(ruins.into_iter().map(|(name, ruin)| {
        let mut bytes = base.clone();
        ruin(&mut bytes);
        Seed::other(name, bytes)
    }));
    seeds
}

fn turn() -> impl Iterator<Item = (&'static str, Message)> {
    use Attribute as A;
    let place: SocketAddr = "192.0.2.15:49152".parse().expect("an address");
    let six: SocketAddr = "[2001:db8::7]:5000".parse().expect("an address");
    let new = |class, method| Message::new(class, method, *b"ringfence/05");
    let key = long_term_key("9999999999:alice", "example.com", "password");
    let login = move |message: Message| {
        let named = message.with(A::Username("9999999999:alice".into())).with(A::Realm("example.com".into()));
        named.with(A::Nonce("obMatJos2AAAB".into())).signed(&key).expect("short enough")
    };
    let request = |method| new(Class::Request, method);
    let refused =
        |code, reason: &str| new(Class::Error, Method::ALLOCATE).with(A::ErrorCode { code, reason: reason.into() });
    [
        ("allocate", login(request(Method::ALLOCATE).with(A::RequestedTransport(TRANSPORT_UDP)).with(A::DontFragment))),
        ("allocate-tcp", request(Method::ALLOCATE).with(A::RequestedTransport(TRANSPORT_TCP)).with(A::EvenPort(true))),
        (
            "allocate-v6",
            request(Method::ALLOCATE)
                .with(A::RequestedTransport(TRANSPORT_UDP))
                .with(A::RequestedAddressFamily(AddressFamily::V6)),
        ),
        (
            "allocated",
            new(Class::Success, Method::ALLOCATE)
                .with(A::XorRelayedAddress(place))
                .with(A::XorMappedAddress(six))
                .with(A::Lifetime(600))
                .with(A::Software("ringfence".into()))
                .signed(b"key")
                .and_then(Message::fingerprinted)
                .expect("short enough"),
        ),
        ("unauthorized", refused(401, "Unauthorized").with(A::Realm("example.com".into())).with(A::Nonce("n".into()))),
        ("stale-nonce", refused(438, "Stale Nonce").with(A::Nonce("n2".into())).with(A::Realm("example.com".into()))),
        ("unknown-attribute", refused(420, "").with(A::UnknownAttributes(vec![0x0019, 0x7fff]))),
        ("refresh", login(request(Method::REFRESH).with(A::Lifetime(0)))),
        (
            "permission-for-two",
            login(request(Method::CREATE_PERMISSION).with(A::XorPeerAddress(place)).with(A::XorPeerAddress(six))),
        ),
        (
            "channel-bind",
            login(request(Method::CHANNEL_BIND).with(A::ChannelNumber(0x4001)).with(A::XorPeerAddress(place))),
        ),
        (
            "send",
            new(Class::Indication, Method::SEND).with(A::XorPeerAddress(place)).with(A::Data(b"hello, peer".to_vec())),
        ),
        ("data", new(Class::Indication, Method::DATA).with(A::XorPeerAddress(six)).with(A::Data(Vec::new()))),
        (
            "check",
            request(Method::BINDING)
                .with(A::Username("theirs:ours".into()))
                .with(A::IceControlling(7))
                .with(A::UseCandidate)
                .with(A::Priority(1_845_501_695))
                .signed(SHORT_TERM)
                .and_then(Message::fingerprinted)
                .expect("short enough"),
        ),
        (
            "role-conflict",
            new(Class::Error, Method::BINDING).with(A::ErrorCode { code: 487, reason: "Role Conflict".into() }),
        ),
        ("old-server", new(Class::Success, Method::BINDING).with(A::MappedAddress(place))),
        (
            "behind-the-integrity",
            new(Class::Success, Method::BINDING)
                .with(A::Lifetime(1))
                .signed(SHORT_TERM)
                .expect("short enough")
                .with(A::XorMappedAddress(place))
                .with(A::Other { kind: 0x001c, value: vec![1; 32] }),
        ),
    ]
    .into_iter()
}

fn unhex(text: &str) -> Vec<u8> {
    let digit = |byte: u8| (byte as char).to_digit(16).expect("a digit") as u8;
    text.as_bytes().chunks_exact(2).map(|pair| digit(pair[0]) << 4 | digit(pair[1])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generators::{stretch, value};

    #[test]
    fn drawn_messages_are_written_and_read() {
        let noise = stretch(1, 4_000);
        let mut attributes = 0;
        for part in noise.windows(500).step_by(7) {
            let AnyMessage(message) = value(part).expect("bytes enough");
            let bytes = message.emit().expect("it can be written");
            attributes += message.attributes.len();
            assert_eq!(Message::parse(&bytes), Ok(message));
        }
        assert!(attributes > 1_000, "{attributes}");
    }
}
