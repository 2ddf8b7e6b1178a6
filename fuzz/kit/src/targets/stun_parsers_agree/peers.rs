//! The two others: `rtc-stun` and `ezk-stun-types`.

use ezk_stun_types as ezk;
use ezk_stun_types::attributes::{self as of, Attribute, turn};
use rtc_crypto::RTCCryptoProvider;
use rtc_crypto::providers::RingProvider;
use rtc_stun::addr::MappedAddress;
use rtc_stun::attributes::AttrType;
use rtc_stun::error_code::ErrorCodeAttribute;
use rtc_stun::fingerprint::FINGERPRINT;
use rtc_stun::integrity::MessageIntegrity;
use rtc_stun::message::{Getter, Message};
use rtc_stun::textattrs::TextAttribute;
use rtc_stun::uattrs::UnknownAttributes;
use rtc_stun::xoraddr::XorMappedAddress;

use super::{KEY, Peer, place, raw};
use crate::known::stun::{Asked, Seen};

const MESSAGE_INTEGRITY: AttrType = AttrType(0x0008);
const CHECKSUM: AttrType = AttrType(0x8028);

/// `rtc-stun`, which our client's ICE is built on.
pub(crate) struct Rtc(Message);

impl Peer for Rtc {
    const NAME: &'static str = "rtc-stun";

    fn read(bytes: &[u8]) -> Option<Self> {
        let mut message = Message::new();
        message.unmarshal_binary(bytes).ok()?;
        Some(Self(message))
    }

    fn answer(&mut self, asked: Asked) -> Option<Seen> {
        let Self(message) = self;
        Some(match asked {
            Asked::Message => {
                Seen::Is([message.typ.value().to_be_bytes().as_slice(), &message.transaction_id.0].concat())
            }
            Asked::Attributes => raw(message.attributes.0.iter().map(|one| (one.typ.0, one.value.as_slice()))),
            Asked::Integrity if !message.contains(MESSAGE_INTEGRITY) => Seen::Absent,
            Asked::Integrity => verdict(MessageIntegrity::check(message, KEY, RingProvider::new().crypto()).is_ok()),
            Asked::Fingerprint if !message.contains(CHECKSUM) => Seen::Absent,
            Asked::Fingerprint => verdict(FINGERPRINT.check(message).is_ok()),
            Asked::Value(kind) if !message.contains(AttrType(kind)) => Seen::Absent,
            Asked::Value(kind) => value(message, kind)?.map_or(Seen::Refused, Seen::Is),
        })
    }
}

fn verdict(right: bool) -> Seen {
    if right { Seen::Is(Vec::new()) } else { Seen::Refused }
}

/// None where it has no reading of its own, and none inside where it refuses the value.
fn value(message: &Message, kind: u16) -> Option<Option<Vec<u8>>> {
    let attribute = AttrType(kind);
    Some(match kind {
        0x0001 => {
            let mut address = MappedAddress::default();
            address.get_from_as(message, attribute).ok().map(|()| place(address.ip, address.port))
        }
        0x0012 | 0x0016 | 0x0020 => {
            let mut address = XorMappedAddress::default();
            address.get_from_as(message, attribute).ok().map(|()| place(address.ip, address.port))
        }
        0x0006 | 0x0014 | 0x0015 | 0x8022 => {
            TextAttribute::get_from_as(message, attribute).ok().map(|text| text.text.into_bytes())
        }
        0x0009 => {
            let mut error = ErrorCodeAttribute::default();
            let read = error.get_from(message).ok();
            read.map(|()| [&u32::from(error.code.0).to_be_bytes(), error.reason.as_slice()].concat())
        }
        0x000a => {
            let mut unknown = UnknownAttributes(Vec::new());
            let read = unknown.get_from(message).ok();
            read.map(|()| unknown.0.iter().flat_map(|kind| kind.0.to_be_bytes()).collect())
        }
        // DATA is its bytes; the other numbers have readers in other crates of that family.
        0x0013 => message.get(attribute).ok(),
        _ => return None,
    })
}

/// `ezk-stun-types`, of another family.
pub(crate) struct Ezk(ezk::Message);

impl Peer for Ezk {
    const NAME: &'static str = "ezk-stun-types";

    fn read(bytes: &[u8]) -> Option<Self> {
        ezk::Message::parse(bytes).ok().map(Self)
    }

    fn answer(&mut self, asked: Asked) -> Option<Seen> {
        let message = &mut self.0;
        Some(match asked {
            Asked::Message => {
                let id = message.buffer().get(8..20).unwrap_or_default();
                Seen::Is([kind(message.class(), message.method()).to_be_bytes().as_slice(), id].concat())
            }
            Asked::Attributes => return None, // it does not show them
            Asked::Integrity => {
                let key = of::MessageIntegrityKey::new(KEY);
                told(message.attribute_with::<of::MessageIntegrity>(key), |_| Vec::new())
            }
            Asked::Fingerprint => read::<of::Fingerprint>(message, |_| Vec::new()),
            Asked::Value(0x0001) => read::<of::MappedAddress>(message, |x| place(x.0.ip(), x.0.port())),
            Asked::Value(0x0012) => read::<turn::XorPeerAddress>(message, |x| place(x.0.ip(), x.0.port())),
            Asked::Value(0x0016) => read::<turn::XorRelayedAddress>(message, |x| place(x.0.ip(), x.0.port())),
            Asked::Value(0x0020) => read::<of::XorMappedAddress>(message, |x| place(x.0.ip(), x.0.port())),
            Asked::Value(0x0006) => read::<of::Username>(message, |x| x.0.as_bytes().to_vec()),
            Asked::Value(0x0014) => read::<of::Realm>(message, |x| x.0.as_bytes().to_vec()),
            Asked::Value(0x0015) => read::<of::Nonce>(message, |x| x.0.to_vec()),
            Asked::Value(0x8022) => read::<of::Software>(message, |x| x.0.as_bytes().to_vec()),
            Asked::Value(0x0009) => {
                read::<of::ErrorCode>(message, |x| [&x.number.to_be_bytes(), x.reason.as_bytes()].concat())
            }
            Asked::Value(0x000a) => {
                read::<of::UnknownAttributes>(message, |x| x.0.iter().flat_map(|kind| kind.to_be_bytes()).collect())
            }
            Asked::Value(0x000c) => read::<turn::ChannelNumber>(message, |x| x.0.to_be_bytes().to_vec()),
            Asked::Value(0x000d) => read::<turn::Lifetime>(message, |x| x.0.to_be_bytes().to_vec()),
            Asked::Value(0x0013) => read::<turn::Data>(message, |x| x.0.to_vec()),
            Asked::Value(0x0018) => read::<turn::EvenPort>(message, |x| vec![u8::from(x.0)]),
            Asked::Value(0x0019) => read::<turn::RequestedTransport>(message, |x| vec![x.protocol_number]),
            Asked::Value(0x0024) => read::<of::Priority>(message, |x| x.0.to_be_bytes().to_vec()),
            Asked::Value(0x8029) => read::<of::IceControlled>(message, |x| x.0.to_be_bytes().to_vec()),
            Asked::Value(0x802a) => read::<of::IceControlling>(message, |x| x.0.to_be_bytes().to_vec()),
            Asked::Value(_) => return None,
        })
    }
}

fn read<'a, A: Attribute<'a, Context = ()> + 'a>(
    message: &'a mut ezk::Message,
    bytes: impl FnOnce(A) -> Vec<u8>,
) -> Seen {
    told(message.attribute::<A>(), bytes)
}

fn told<A>(answer: Option<Result<A, ezk::Error>>, bytes: impl FnOnce(A) -> Vec<u8>) -> Seen {
    match answer {
        None => Seen::Absent,
        Some(Err(_)) => Seen::Refused,
        Some(Ok(value)) => Seen::Is(bytes(value)),
    }
}

/// The message's type as on the wire. RFC 8489, section 5; all seven methods are below 16.
fn kind(class: ezk::Class, method: ezk::Method) -> u16 {
    let class = match class {
        ezk::Class::Request => 0,
        ezk::Class::Indication => 0x0010,
        ezk::Class::Success => 0x0100,
        ezk::Class::Error => 0x0110,
    };
    let method = match method {
        ezk::Method::Binding => 1,
        ezk::Method::Allocate => 3,
        ezk::Method::Refresh => 4,
        ezk::Method::Send => 6,
        ezk::Method::Data => 7,
        ezk::Method::CreatePermission => 8,
        ezk::Method::ChannelBind => 9,
    };
    class | method
}
