//! Opening packets: RFC 3711, sections 3.3 and 3.4, receiver.

use crate::index::{Counter, first_index};
use crate::packet::{Malformed, RTCP_CLEAR_BYTES, Rtp, fits_datagram, has, rtcp_ssrc};
use crate::streams::{Direction, MAX_STREAMS};
use crate::transform::E_FLAG;
use crate::{Context, UnprotectError};

impl Context {
    /// Turns an SRTP packet back into the RTP packet.
    ///
    /// # Errors
    /// `TooShort`, `TooLong`, `Version`: not an SRTP packet. `Replay`: seen before or too old. `Identifier`: no key has its master
    /// key identifier. `Authentication`: the tag does not match. `Index`, `Streams`: a limit is reached. `Collision`: the SSRC
    /// is ours. The packet and the context are then as before.
    pub fn unprotect_rtp(&mut self, packet: &mut Vec<u8>) -> Result<(), UnprotectError> {
        let len = self.unprotect_rtp_in(packet)?;
        packet.truncate(len);
        Ok(())
    }

    /// As [`Context::unprotect_rtp`], for a packet that fills the buffer. Says how long the RTP packet is.
    ///
    /// # Errors
    /// As there.
    pub fn unprotect_rtp_in(&mut self, packet: &mut [u8]) -> Result<usize, UnprotectError> {
        self.open_rtp(packet, Replays::Refused)
    }

    /// Turns an SRTCP packet back into the RTCP packet. One without the E flag is authenticated all the same and not
    /// decrypted, as RFC 3711, section 3.4 has it.
    ///
    /// # Errors
    /// As [`Context::unprotect_rtp`], without `Index`.
    pub fn unprotect_rtcp(&mut self, packet: &mut Vec<u8>) -> Result<(), UnprotectError> {
        let len = self.unprotect_rtcp_in(packet)?;
        packet.truncate(len);
        Ok(())
    }

    /// As [`Context::unprotect_rtcp`], for a packet that fills the buffer. Says how long the RTCP packet is.
    ///
    /// # Errors
    /// As there.
    pub fn unprotect_rtcp_in(&mut self, packet: &mut [u8]) -> Result<usize, UnprotectError> {
        self.open_rtcp(packet, Replays::Refused)
    }

    /// The steps of RFC 3711, section 3.3, receiver, in their order; `bend` leaves the replay check out.
    pub(crate) fn open_rtp(&mut self, packet: &mut [u8], replays: Replays) -> Result<usize, UnprotectError> {
        let (header, index) = self.incoming_rtp(packet, replays)?;
        let ssrc = header.ssrc;
        let len = self.rtp_body_len(packet, header)?;
        let (body, tail) = packet.split_at_mut(len);
        let tail = self.layout.rtp(tail);
        if self.layout.mki_len > 0 && !self.keys.knows(tail.mki) {
            return Err(UnprotectError::Identifier { ssrc });
        }
        let (schedule, scratch) = (self.keys.schedule(), &mut self.scratch);
        let key = self.keys.candidates(tail.mki).find_map(|key| {
            let transform = key.rtp(schedule, index);
            transform.open_rtp(body, header, index, tail.tag, scratch).then_some(transform)
        });
        let Some(transform) = key else { return Err(UnprotectError::Authentication { ssrc, index }) };
        // Only now: who cannot authenticate shall not make us believe in a collision.
        let stream = self.streams.entry(ssrc);
        if stream.is_against(Direction::Received) {
            transform.seal_rtp(body, header, index, tail.tag); // as it was
            return Err(UnprotectError::Collision { ssrc });
        }
        stream.direction = Some(Direction::Received);
        stream.rtp.accept(index);
        Ok(len)
    }

    /// The same for RTCP: RFC 3711, section 3.4.
    pub(crate) fn open_rtcp(&mut self, packet: &mut [u8], replays: Replays) -> Result<usize, UnprotectError> {
        let (ssrc, word, index) = self.incoming_rtcp(packet, replays)?;
        let len = packet.len() - self.layout.rtcp_len();
        let (body, tail) = packet.split_at_mut(len);
        let tail = self.layout.rtcp(tail);
        if self.layout.mki_len > 0 && !self.keys.knows(tail.mki) {
            return Err(UnprotectError::Identifier { ssrc });
        }
        let (schedule, scratch) = (self.keys.schedule(), &mut self.scratch);
        let key = self.keys.candidates(tail.mki).find_map(|key| {
            let transform = key.rtcp(schedule, index);
            transform.open_rtcp(body, ssrc, word, tail.tag, scratch).then_some(transform)
        });
        let Some(transform) = key else { return Err(UnprotectError::Authentication { ssrc, index }) };
        let stream = self.streams.entry(ssrc);
        if stream.is_against(Direction::Received) {
            transform.seal_rtcp(body, ssrc, word, tail.tag, &mut self.scratch); // as it was
            return Err(UnprotectError::Collision { ssrc });
        }
        stream.direction = Some(Direction::Received);
        stream.rtcp.accept(index);
        Ok(len)
    }

    /// Header and index of an SRTP packet, and all that can be judged before its tag.
    pub(crate) fn incoming_rtp(&mut self, packet: &[u8], replays: Replays) -> Result<(Rtp, u64), UnprotectError> {
        fits_datagram(packet.len())?;
        let header = Rtp::parse(packet)?;
        let ssrc = header.ssrc;
        let Some(stream) = self.streams.get(ssrc) else {
            self.room_to_receive(ssrc)?;
            return Ok((header, first_index(header.sequence)));
        };
        let index = stream.rtp.rtp_index(header.sequence).ok_or(UnprotectError::Index { ssrc })?;
        fresh(&stream.rtp, ssrc, index, replays)?;
        Ok((header, index))
    }

    /// SSRC, index word and index of an SRTCP packet that is long enough for what protection adds.
    pub(crate) fn incoming_rtcp(
        &mut self,
        packet: &mut [u8],
        replays: Replays,
    ) -> Result<(u32, u32, u64), UnprotectError> {
        fits_datagram(packet.len())?;
        let ssrc = rtcp_ssrc(packet)?;
        let overhead = self.layout.rtcp_len();
        has("srtcp index and tag", packet, RTCP_CLEAR_BYTES + overhead)?;
        let start = packet.len() - overhead;
        let tail = self.layout.rtcp(&mut packet[start..]);
        let word = tail.word.iter().fold(0, |word, byte| word << 8 | u32::from(*byte));
        let index = (word & !E_FLAG).into(); // RFC 3711, section 3.4: not estimated
        match self.streams.get(ssrc) {
            Some(stream) => fresh(&stream.rtcp, ssrc, index, replays)?,
            None => self.room_to_receive(ssrc)?,
        }
        Ok((ssrc, word, index))
    }

    /// Bytes of an SRTP packet in front of what protection has added.
    pub(crate) fn rtp_body_len(&self, packet: &[u8], header: Rtp) -> Result<usize, Malformed> {
        let overhead = self.layout.rtp_len();
        has("authentication tag", packet, header.header_len + overhead)?;
        Ok(packet.len() - overhead)
    }

    fn room_to_receive(&self, ssrc: u32) -> Result<(), UnprotectError> {
        let full = UnprotectError::Streams { ssrc, limit: MAX_STREAMS };
        if self.streams.has_room() { Ok(()) } else { Err(full) }
    }
}

/// RFC 3711, section 3.3, step 5: first the replay list.
fn fresh(counter: &Counter, ssrc: u32, index: u64, replays: Replays) -> Result<(), UnprotectError> {
    let refused = replays == Replays::Refused && !counter.is_fresh(index);
    if refused { Err(UnprotectError::Replay { ssrc, index }) } else { Ok(()) }
}

/// What to do with an index that was seen before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Replays {
    Refused,
    Accepted,
}
