//! SRTP done wrong on purpose: for probes that attack, and for labs that must be seen to fail.
//!
//! Everything honest lives in [`Context`]; nothing there calls into this file.

use crate::context::{Replays, index_word};
use crate::packet::{Malformed, Rtp, fits_datagram, has};
use crate::transform::E_FLAG;
use crate::{Context, ProtectError, UnprotectError};

/// Whether the tag of a packet that was decrypted anyway did match.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verified(pub bool);

/// Decrypts an SRTP packet even if its tag is wrong, and one that is too short for a tag as if it had none. With GCM
/// this is plain counter mode. A tag that matches counts as usual; one that does not leaves the context as it was.
///
/// # Errors
/// As [`Context::unprotect_rtp`], without `Authentication` and without `TooShort` for the tag.
pub fn unprotect_rtp_ignoring_tag(context: &mut Context, packet: &mut Vec<u8>) -> Result<Verified, UnprotectError> {
    let (header, index) = context.incoming_rtp(packet, Replays::Refused)?;
    let room_for_tag = packet.len() - header.header_len >= context.profile().tag_len();
    let verified = room_for_tag && context.transform.open_rtp(packet, header, index);
    if verified {
        context.received.entry(header.ssrc).rtp.accept(index);
    } else {
        context.transform.strip_rtp(packet, header, index);
    }
    Ok(Verified(verified))
}

/// Accepts an SRTP packet as often as it comes, if its tag matches.
///
/// # Errors
/// As [`Context::unprotect_rtp`], without `Replay`. A packet older than half the sequence numbers is taken for a newer one
/// and so fails authentication.
pub fn unprotect_rtp_ignoring_replay(context: &mut Context, packet: &mut Vec<u8>) -> Result<(), UnprotectError> {
    context.unprotect_rtp_if(packet, Replays::Accepted)
}

/// Decrypts an SRTCP packet whatever its tag and however often its index has come. A tag that matches counts as usual.
///
/// # Errors
/// `TooShort`, `TooLong`, `Version`, `Streams` as [`Context::unprotect_rtcp`].
pub fn unprotect_rtcp_ignoring_tag_and_replay(
    context: &mut Context,
    packet: &mut Vec<u8>,
) -> Result<Verified, UnprotectError> {
    let (ssrc, word) = context.incoming_rtcp(packet)?;
    context.room_to_receive(ssrc)?;
    let verified = context.transform.open_rtcp(packet, ssrc, word);
    if verified {
        context.received.entry(ssrc).rtcp.accept(u64::from(word & !E_FLAG));
    } else {
        context.transform.strip_rtcp(packet, ssrc, word);
    }
    Ok(Verified(verified))
}

/// Accepts an SRTCP packet as often as it comes, if its tag matches; also index 0 after 2^31 - 1.
///
/// # Errors
/// As [`Context::unprotect_rtcp`], without `Replay`.
pub fn unprotect_rtcp_ignoring_replay(context: &mut Context, packet: &mut Vec<u8>) -> Result<(), UnprotectError> {
    let (ssrc, word) = context.incoming_rtcp(packet)?;
    context.room_to_receive(ssrc)?;
    let index = u64::from(word & !E_FLAG);
    if !context.transform.open_rtcp(packet, ssrc, word) {
        return Err(UnprotectError::Authentication { ssrc, index });
    }
    context.received.entry(ssrc).rtcp.accept(index);
    Ok(())
}

/// Protects an RTP packet under the rollover counter given, whatever was sent before, and remembers nothing of it.
///
/// # Errors
/// `TooShort`, `TooLong`, `Version` as [`Context::protect_rtp`]; never `Reused`: it may well use keystream twice.
pub fn protect_rtp_at(context: &mut Context, packet: &mut Vec<u8>, roc: u32) -> Result<(), ProtectError> {
    let header = context.outgoing_rtp(packet)?;
    let index = u64::from(roc) << 16 | u64::from(header.sequence);
    context.transform.seal_rtp(packet, header, index);
    Ok(())
}

/// Protects an RTCP packet under the index given, 0 to 2^31 - 1, whatever was sent before, and remembers nothing of it.
///
/// # Errors
/// `TooShort`, `TooLong`, `Version` as [`Context::protect_rtcp`]; `Index` from 2^31 on.
pub fn protect_rtcp_at(context: &mut Context, packet: &mut Vec<u8>, index: u32) -> Result<(), ProtectError> {
    let ssrc = context.outgoing_rtcp(packet)?;
    let word = index_word(ssrc, index.into())?;
    context.transform.seal_rtcp(packet, ssrc, word);
    Ok(())
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
    let ssrc = context.outgoing_rtcp(packet)?;
    let word = index_word(ssrc, index.into())?;
    context.transform.seal_rtcp(packet, ssrc, word & !E_FLAG);
    Ok(())
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
    fits_datagram(packet.len().saturating_add(context.profile().tag_len()))?;
    let header = raw_header(packet, header_len)?;
    context.transform.seal_rtp(packet, header, index);
    Ok(())
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
    fits_datagram(packet.len())?;
    let header = raw_header(packet, header_len)?;
    has("authentication tag", packet, header_len + context.profile().tag_len())?;
    Ok(Verified(context.transform.open_rtp(packet, header, index)))
}

/// Takes an index for received, as if a packet with it had authenticated: for who joins a stream after its first rollover.
pub fn assume_received(context: &mut Context, ssrc: u32, index: u64) {
    if context.received.has_room_for(ssrc) {
        context.received.entry(ssrc).rtp.accept(index);
    }
}

fn raw_header(packet: &[u8], header_len: usize) -> Result<Rtp, Malformed> {
    has("rtp header", packet, header_len.max(12))?;
    Ok(Rtp {
        ssrc: u32::from_be_bytes([packet[8], packet[9], packet[10], packet[11]]),
        sequence: u16::from_be_bytes([packet[2], packet[3]]),
        header_len: header_len.max(12),
    })
}
