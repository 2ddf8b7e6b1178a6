//! SRTP done wrong on purpose: for probes that attack, and for labs that must be seen to fail.
//!
//! Everything honest lives in [`Context`]; nothing there calls into this file.

use crate::index::RTP_BITS;
use crate::packet::{Malformed, Rtp, has, rtcp_ssrc};
use crate::protect::{grow, outgoing};
use crate::streams::Direction;
use crate::transform::{Cipher, E_FLAG};
use crate::unprotect::Replays;
use crate::{Context, MasterKey, Profile, ProtectError, Settings, SettingsError, UnprotectError};

const RTP_INDEX_MASK: u64 = (1 << RTP_BITS) - 1;

/// The profiles that authenticate and do not encrypt (RFC 5764, section 4.1.2): for finding out who accepts them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(non_camel_case_types)] // the RFC writes the tag length behind an underscore
pub enum NullProfile {
    /// `SRTP_NULL_HMAC_SHA1_80`.
    HmacSha1_80,
    /// `SRTP_NULL_HMAC_SHA1_32`: four bytes of tag on RTP, ten on RTCP.
    HmacSha1_32,
}

impl NullProfile {
    /// The identifier in the `use_srtp` extension of DTLS. RFC 5764, section 4.1.2.
    pub const fn id(self) -> u16 {
        match self {
            Self::HmacSha1_80 => 0x0005,
            Self::HmacSha1_32 => 0x0006,
        }
    }

    /// The profile with the same keys and tags, and with encryption.
    pub const fn twin(self) -> Profile {
        match self {
            Self::HmacSha1_80 => Profile::AesCm128HmacSha1_80,
            Self::HmacSha1_32 => Profile::AesCm128HmacSha1_32,
        }
    }

    /// The profile that encrypts nothing and has the keys and tags of `profile`.
    fn of(profile: Profile) -> Option<Self> {
        [Self::HmacSha1_80, Self::HmacSha1_32].into_iter().find(|null| null.twin() == profile)
    }
}

/// A context that encrypts nothing: that of the [`NullProfile`] whose twin the key was made for. [`Context::profile`] is the twin,
/// whose lengths it has; its SRTCP packets have the E flag clear.
///
/// # Errors
/// As [`Context::with`], and `NoNullProfile` if the key was made for another profile.
pub fn null_context(master: &MasterKey, settings: Settings) -> Result<Context, SettingsError> {
    settings.check()?;
    let profile = master.profile();
    match NullProfile::of(profile) {
        Some(_) => Ok(Context::build(Cipher::Null, master, &settings)),
        None => Err(SettingsError::NoNullProfile { profile }),
    }
}

/// Whether the tag of a packet that was decrypted anyway did match.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verified(pub bool);

/// Decrypts an SRTP packet even if its tag is wrong, and one that is too short for a tag as if it had none. With GCM
/// this is plain counter mode. A tag that matches counts as usual; one that does not leaves the context as it was.
///
/// # Errors
/// As [`Context::unprotect_rtp`], without `Authentication`, `Identifier` and `TooShort` for the tag.
pub fn unprotect_rtp_ignoring_tag(context: &mut Context, packet: &mut Vec<u8>) -> Result<Verified, UnprotectError> {
    let (header, index) = context.incoming_rtp(packet, Replays::Refused)?;
    match context.open_rtp(packet, Replays::Refused) {
        Ok(len) => {
            packet.truncate(len);
            return Ok(Verified(true));
        }
        Err(collision @ UnprotectError::Collision { .. }) => return Err(collision),
        Err(_) => {} // of the tag: all else was judged before
    }
    if let Ok(len) = context.rtp_body_len(packet, header) {
        packet.truncate(len);
    }
    let schedule = context.keys.schedule();
    context.keys.newest().rtp(schedule, index).strip_rtp(packet, header, index);
    Ok(Verified(false))
}

/// Accepts an SRTP packet as often as it comes, if its tag matches.
///
/// # Errors
/// As [`Context::unprotect_rtp`], without `Replay`. A packet older than half the sequence numbers is taken for a newer one
/// and so fails authentication.
pub fn unprotect_rtp_ignoring_replay(context: &mut Context, packet: &mut Vec<u8>) -> Result<(), UnprotectError> {
    let len = context.open_rtp(packet, Replays::Accepted)?;
    packet.truncate(len);
    Ok(())
}

/// Decrypts an SRTCP packet whatever its tag and however often its index has come. A tag that matches counts as usual.
///
/// # Errors
/// `TooShort`, `TooLong`, `Version`, `Streams`, `Collision` as [`Context::unprotect_rtcp`].
pub fn unprotect_rtcp_ignoring_tag_and_replay(
    context: &mut Context,
    packet: &mut Vec<u8>,
) -> Result<Verified, UnprotectError> {
    let (ssrc, word, index) = context.incoming_rtcp(packet, Replays::Accepted)?;
    match context.open_rtcp(packet, Replays::Accepted) {
        Ok(len) => {
            packet.truncate(len);
            return Ok(Verified(true));
        }
        Err(collision @ UnprotectError::Collision { .. }) => return Err(collision),
        Err(_) => {}
    }
    packet.truncate(packet.len() - context.layout.rtcp_len());
    let schedule = context.keys.schedule();
    context.keys.newest().rtcp(schedule, index).strip_rtcp(packet, ssrc, word);
    Ok(Verified(false))
}

/// Accepts an SRTCP packet as often as it comes, if its tag matches; also index 0 after 2^31 - 1.
///
/// # Errors
/// As [`Context::unprotect_rtcp`], without `Replay`.
pub fn unprotect_rtcp_ignoring_replay(context: &mut Context, packet: &mut Vec<u8>) -> Result<(), UnprotectError> {
    let len = context.open_rtcp(packet, Replays::Accepted)?;
    packet.truncate(len);
    Ok(())
}

/// Protects an RTP packet under the rollover counter given, whatever was sent before, and remembers nothing of it.
///
/// # Errors
/// `TooShort`, `TooLong`, `Version` as [`Context::protect_rtp`]; never `Reused`: it may well use keystream twice.
pub fn protect_rtp_at(context: &mut Context, packet: &mut Vec<u8>, roc: u32) -> Result<(), ProtectError> {
    let header = Rtp::parse(packet)?;
    seal_rtp(context, packet, header, u64::from(roc) << 16 | u64::from(header.sequence))
}

/// Protects an RTCP packet under the index given, 0 to 2^31 - 1, whatever was sent before, and remembers nothing of it.
///
/// # Errors
/// `TooShort`, `TooLong`, `Version` as [`Context::protect_rtcp`]; `Index` from 2^31 on.
pub fn protect_rtcp_at(context: &mut Context, packet: &mut Vec<u8>, index: u32) -> Result<(), ProtectError> {
    seal_rtcp(context, packet, index, E_FLAG)
}

/// As [`protect_rtcp_at`], but with the E flag clear: authenticated and not encrypted. RFC 3711, section 3.4 allows it,
/// the profiles of WebRTC do not mean it.
///
/// # Errors
/// As [`protect_rtcp_at`].
pub fn protect_rtcp_unencrypted_at(
    context: &mut Context,
    packet: &mut Vec<u8>,
    index: u32,
) -> Result<(), ProtectError> {
    seal_rtcp(context, packet, index, 0)
}

/// Protects bytes as an RTP packet whose header is taken to be `header_len` bytes long, 12 or more, whatever its first byte says
/// of version, CSRC list or extension, under the 48-bit `index`; remembers nothing of it.
///
/// # Errors
/// `TooShort` if there are fewer than 12 or than `header_len` bytes, `TooLong`.
pub fn protect_rtp_raw(
    context: &mut Context,
    packet: &mut Vec<u8>,
    header_len: usize,
    index: u64,
) -> Result<(), ProtectError> {
    let header = raw_header(packet, header_len)?;
    seal_rtp(context, packet, header, index & RTP_INDEX_MASK)
}

/// What [`protect_rtp_raw`] made, opened again under the same index. Whether its tag matched; else the packet is as before.
///
/// # Errors
/// As [`protect_rtp_raw`], with room for the tag.
pub fn unprotect_rtp_raw(
    context: &mut Context,
    packet: &mut Vec<u8>,
    header_len: usize,
    index: u64,
) -> Result<Verified, UnprotectError> {
    crate::packet::fits_datagram(packet.len())?;
    let header = raw_header(packet, header_len)?;
    let len = context.rtp_body_len(packet, header)?;
    let (body, tail) = packet.split_at_mut(len);
    let tail = context.layout.rtp(tail);
    let schedule = context.keys.schedule();
    let index = index & RTP_INDEX_MASK;
    let transform = context.keys.newest().rtp(schedule, index);
    let verified = transform.open_rtp(body, header, index, tail.tag, &mut context.scratch);
    if verified {
        packet.truncate(len);
    }
    Ok(Verified(verified))
}

/// Takes a 48-bit index for received, as if a packet with it had authenticated: for who joins a stream without having been
/// told its rollover counter, but has another packet of it. `false` if there is no room for another stream, or if this one is
/// sent here.
pub fn assume_received(context: &mut Context, ssrc: u32, index: u64) -> bool {
    let Some(known) = context.streams.get(ssrc).map(|stream| stream.is_against(Direction::Received)) else {
        return context.streams.has_room() && assume(context, ssrc, index);
    };
    !known && assume(context, ssrc, index)
}

fn assume(context: &mut Context, ssrc: u32, index: u64) -> bool {
    let stream = context.streams.entry(ssrc);
    stream.direction = Some(Direction::Received);
    stream.rtp.accept(index & RTP_INDEX_MASK);
    true
}

fn seal_rtp(context: &mut Context, packet: &mut Vec<u8>, header: Rtp, index: u64) -> Result<(), ProtectError> {
    let layout = context.layout;
    grow(packet, layout.rtp_len(), |buffer, len| {
        let (_, total) = outgoing(buffer, len, layout.rtp_len())?;
        let (body, tail) = buffer.split_at_mut(len);
        let tail = layout.rtp(tail);
        let schedule = context.keys.schedule();
        let key = context.keys.newest();
        tail.mki.copy_from_slice(key.mki());
        key.rtp(schedule, index).seal_rtp(body, header, index, tail.tag);
        Ok(total)
    })
}

fn seal_rtcp(context: &mut Context, packet: &mut Vec<u8>, index: u32, flag: u32) -> Result<(), ProtectError> {
    let layout = context.layout;
    grow(packet, layout.rtcp_len(), |buffer, len| {
        let (clear, total) = outgoing(buffer, len, layout.rtcp_len())?;
        let ssrc = rtcp_ssrc(clear)?;
        if index & E_FLAG != 0 {
            return Err(ProtectError::Index { ssrc });
        }
        let (body, tail) = buffer.split_at_mut(len);
        let tail = layout.rtcp(tail);
        let schedule = context.keys.schedule();
        let key = context.keys.newest();
        tail.mki.copy_from_slice(key.mki());
        tail.word.copy_from_slice(&(flag | index).to_be_bytes());
        key.rtcp(schedule, index.into()).seal_rtcp(body, ssrc, flag | index, tail.tag, &mut context.scratch);
        Ok(total)
    })
}

fn raw_header(packet: &[u8], header_len: usize) -> Result<Rtp, Malformed> {
    has("rtp header", packet, header_len.max(12))?;
    Ok(Rtp {
        ssrc: u32::from_be_bytes([packet[8], packet[9], packet[10], packet[11]]),
        sequence: u16::from_be_bytes([packet[2], packet[3]]),
        header_len: header_len.max(12),
    })
}
