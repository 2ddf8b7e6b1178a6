//! TURN (RFC 8656): methods, accessors, ChannelData, stream framing, and time-limited credentials.
//!
//! The attributes themselves are variants of [`crate::stun::Attribute`], because one message mixes them.
//!
//! # Limits
//! Relaying of TCP (RFC 6062) and reservation tokens are carried as raw attributes only.

use crate::bytes::{Reader, length16, padding};
use crate::stun::{self, Attribute, Message, Method};
use crate::{Error, hash};
use base64::Engine;
use std::net::SocketAddr;
use std::ops::RangeInclusive;

/// The protocol number of UDP, for REQUESTED-TRANSPORT.
pub const TRANSPORT_UDP: u8 = 17;
/// The protocol number of TCP, for REQUESTED-TRANSPORT. RFC 6062, section 4.1.
pub const TRANSPORT_TCP: u8 = 6;
/// Channel numbers that a client may bind. RFC 8656, section 12.
pub const CHANNELS: RangeInclusive<u16> = 0x4000..=0x4fff;

const CHANNEL_HEADER_BYTES: usize = 4;
const STUN_HEADER_BYTES: usize = 20;

impl Method {
    /// RFC 8656, section 17, as the five below.
    pub const ALLOCATE: Self = Self::new(3);
    /// Keeps or, with lifetime 0, ends an allocation.
    pub const REFRESH: Self = Self::new(4);
    /// Indication to the server.
    pub const SEND: Self = Self::new(6);
    /// Indication from the server.
    pub const DATA: Self = Self::new(7);
    /// Lets a peer's address send to the allocation.
    pub const CREATE_PERMISSION: Self = Self::new(8);
    /// Gives a peer a channel number.
    pub const CHANNEL_BIND: Self = Self::new(9);
    /// Has the server connect to a peer over TCP. RFC 6062, section 6.1, as the next.
    pub const CONNECT: Self = Self::new(10);
    /// Joins a connection of the client to that of a peer.
    pub const CONNECTION_BIND: Self = Self::new(11);
}

/// TURN's values of a message, each the first before MESSAGE-INTEGRITY.
impl Message {
    /// XOR-RELAYED-ADDRESS.
    pub fn relayed_address(&self) -> Option<SocketAddr> {
        self.find(|a| if let Attribute::XorRelayedAddress(x) = a { Some(*x) } else { None })
    }

    /// All of XOR-PEER-ADDRESS: CreatePermission may carry several.
    pub fn peer_addresses(&self) -> impl Iterator<Item = SocketAddr> {
        self.trusted().filter_map(|a| if let Attribute::XorPeerAddress(x) = a { Some(*x) } else { None })
    }

    /// LIFETIME in seconds.
    pub fn lifetime(&self) -> Option<u32> {
        self.find(|a| if let Attribute::Lifetime(x) = a { Some(*x) } else { None })
    }

    /// DATA.
    pub fn data(&self) -> Option<&[u8]> {
        self.find(|a| if let Attribute::Data(x) = a { Some(x.as_slice()) } else { None })
    }

    /// CHANNEL-NUMBER.
    pub fn channel_number(&self) -> Option<u16> {
        self.find(|a| if let Attribute::ChannelNumber(x) = a { Some(*x) } else { None })
    }

    /// REQUESTED-TRANSPORT, an IP protocol number.
    pub fn requested_transport(&self) -> Option<u8> {
        self.find(|a| if let Attribute::RequestedTransport(x) = a { Some(*x) } else { None })
    }
}

/// Data of a bound channel. RFC 8656, section 12.4.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChannelData<'a> {
    /// 0x4000 to 0x4fff.
    pub channel: u16,
    /// What the peer sent or gets.
    pub data: &'a [u8],
}

impl<'a> ChannelData<'a> {
    /// Reads a datagram, or a frame of a stream. Padding after the data is allowed in both, as the RFC has it.
    ///
    /// # Errors
    /// The channel number is out of range, or the data shorter than stated or longer than padding explains.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, Error> {
        let mut rest = Reader(bytes);
        let channel = rest.u16("channel number")?;
        if !CHANNELS.contains(&channel) {
            return Err(Error::Invalid("channel number"));
        }
        let length = usize::from(rest.u16("ChannelData length")?);
        let data = rest.take(length, "ChannelData")?;
        if rest.0.len() > padding(length) {
            let actual = length + rest.0.len();
            return Err(Error::Length { field: "ChannelData length", stated: length, actual });
        }
        Ok(Self { channel, data })
    }

    /// The datagram, without padding.
    ///
    /// # Errors
    /// The data is longer than 65,535 bytes. The channel number is not checked, so that a wrong one can be sent.
    pub fn emit(&self) -> Result<Vec<u8>, Error> {
        let length = length16(self.data.len(), "ChannelData length")?;
        Ok([&self.channel.to_be_bytes(), length.as_slice(), self.data].concat())
    }

    /// The frame for TCP or TLS, padded to four bytes. RFC 8656, section 12.5.
    ///
    /// # Errors
    /// As [`ChannelData::emit`].
    pub fn emit_padded(&self) -> Result<Vec<u8>, Error> {
        let mut bytes = self.emit()?;
        bytes.resize(bytes.len() + padding(bytes.len()), 0);
        Ok(bytes)
    }
}

/// How many bytes the first frame of a TCP or TLS stream has: a STUN message or padded ChannelData. `None` as long as its
/// header is not there; the frame may need more bytes than the buffer has.
///
/// # Errors
/// The stream starts with neither. Nothing after that can be trusted: the connection is to be closed.
pub fn frame_bytes(buffer: &[u8]) -> Result<Option<usize>, Error> {
    let Some([first, _, high, low]) = buffer.first_chunk::<CHANNEL_HEADER_BYTES>() else { return Ok(None) };
    let length = usize::from(u16::from_be_bytes([*high, *low]));
    match first >> 4 {
        0..=3 if buffer.len() < STUN_HEADER_BYTES => Ok(None),
        0..=3 if stun::is_stun(buffer) => Ok(Some(STUN_HEADER_BYTES + length)),
        4 => Ok(Some(CHANNEL_HEADER_BYTES + length + padding(length))),
        _ => Err(Error::Invalid("TURN frame")),
    }
}

/// Time-limited credentials of the TURN REST convention (draft-uberti-behave-turn-rest-00): the user name says until when,
/// and the password proves that the holder of the shared secret said so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimedUser {
    /// Seconds since 1970-01-01 UTC.
    pub expires_unix_s: u64,
    /// Whom the credential was made for; empty if nobody is named.
    pub name: String,
}

impl TimedUser {
    /// Reads `expiry` or `expiry:name`.
    ///
    /// # Errors
    /// The expiry is not a decimal number.
    pub fn parse(username: &str) -> Result<Self, Error> {
        let (expiry, name) = username.split_once(':').unwrap_or((username, ""));
        // `parse` alone would take a plus sign.
        let digits = expiry.bytes().all(|byte| byte.is_ascii_digit());
        let expires_unix_s = expiry.parse().ok().filter(|_| digits).ok_or(Error::Invalid("TURN user's expiry"))?;
        Ok(Self { expires_unix_s, name: name.to_owned() })
    }

    /// The USERNAME.
    pub fn username(&self) -> String {
        match self.name.as_str() {
            "" => self.expires_unix_s.to_string(),
            name => format!("{}:{name}", self.expires_unix_s),
        }
    }
}

/// The password that belongs to a [`TimedUser`]'s name: base64 of HMAC-SHA1 of the user name under the shared secret.
pub fn timed_password(secret: &[u8], username: &str) -> String {
    base64::engine::general_purpose::STANDARD.encode(hash::hmac_sha1(secret, &[username.as_bytes()]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn channel_data_is_padded_on_streams_only() {
        let packet = ChannelData { channel: 0x4001, data: &[1, 2, 3, 4, 5] };
        let datagram = packet.emit().unwrap();
        let frame = packet.emit_padded().unwrap();
        assert_eq!((datagram.len(), frame.len()), (9, 12));
        assert_eq!(ChannelData::parse(&datagram), Ok(packet));
        assert_eq!(ChannelData::parse(&frame), Ok(packet));
        assert_eq!(frame_bytes(&frame), Ok(Some(12)));
        let long = [&frame[..], &[0]].concat();
        assert!(matches!(ChannelData::parse(&long), Err(Error::Length { .. })));
        assert_eq!(ChannelData::parse(&[0x50, 0, 0, 0]), Err(Error::Invalid("channel number")));
    }

    #[test]
    fn frames_are_told_apart() {
        let allocate = Message::new(stun::Class::Request, Method::ALLOCATE, [1; 12])
            .with(Attribute::RequestedTransport(TRANSPORT_UDP))
            .emit()
            .unwrap();
        assert_eq!(frame_bytes(&allocate), Ok(Some(28)));
        assert_eq!(frame_bytes(&allocate[..19]), Ok(None));
        assert_eq!(frame_bytes(&[0x40]), Ok(None));
        assert_eq!(frame_bytes(b"HTTP/1.1 400"), Ok(Some(21_588)), "H is 0x48: only its length gives it away");
        assert!(frame_bytes(&[0x80, 0, 0, 0]).is_err());
    }

    #[test]
    fn timed_credentials() {
        // Computed with `printf 1433895918:alice | openssl dgst -sha1 -hmac north -binary | base64`.
        assert_eq!(timed_password(b"north", "1433895918:alice"), "RqMvcGPYTJMGThVLSi4amT4zFtI=");
        let user = TimedUser { expires_unix_s: 1_433_895_918, name: "alice:b".into() };
        assert_eq!(TimedUser::parse(&user.username()), Ok(user));
        assert_eq!(TimedUser::parse("12").unwrap().username(), "12");
        for wrong in ["", "+5:a", "alice", "99999999999999999999:a"] {
            assert_eq!(TimedUser::parse(wrong), Err(Error::Invalid("TURN user's expiry")), "{wrong}");
        }
    }
}
