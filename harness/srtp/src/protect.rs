//! Protecting packets: RFC 3711, sections 3.3 and 3.4, sender.

use crate::packet::{Rtp, fits_datagram, rtcp_ssrc};
use crate::streams::{Direction, MAX_STREAMS};
use crate::transform::E_FLAG;
use crate::{Context, ProtectError};

impl Context {
    /// Turns an RTP packet into an SRTP packet, [`Context::rtp_overhead`] bytes longer. Sequence numbers may come in any order
    /// within the replay window; each only once.
    ///
    /// # Errors
    /// `TooShort`, `TooLong`, `Version`: not an RTP packet that can be sent. `Reused`, `Index`: no keystream is left for this
    /// sequence number. `Lifetime`: the key is too old. `Collision`: the SSRC is the other side's. `Streams`: too many SSRCs.
    pub fn protect_rtp(&mut self, packet: &mut Vec<u8>) -> Result<(), ProtectError> {
        grow(packet, self.layout.rtp_len(), |buffer, len| self.protect_rtp_in(buffer, len))
    }

    /// As [`Context::protect_rtp`], for the packet in the first `len` bytes of a buffer, which has room for what is added. Says
    /// how long the SRTP packet is.
    ///
    /// # Errors
    /// As there, and `Room`.
    pub fn protect_rtp_in(&mut self, buffer: &mut [u8], len: usize) -> Result<usize, ProtectError> {
        let (packet, total) = outgoing(buffer, len, self.layout.rtp_len())?;
        let header = Rtp::parse(packet)?;
        let ssrc = header.ssrc;
        let index = match self.streams.get(ssrc) {
            Some(stream) if stream.is_against(Direction::Sent) => return Err(ProtectError::Collision { ssrc }),
            Some(stream) => {
                let index = stream.rtp.rtp_index(header.sequence).ok_or(ProtectError::Index { ssrc })?;
                if !stream.rtp.is_fresh(index) {
                    return Err(ProtectError::Reused { ssrc, index }); // RFC 3711, section 9.1
                }
                index
            }
            None => self.first_sent(ssrc, header.sequence.into())?,
        };
        let schedule = self.keys.schedule();
        let key = self.keys.newest();
        // RFC 3711, section 9.2: so many RTP packets or so many RTCP packets, whichever occurs before.
        key.left.rtp = key.left.rtp.checked_sub(1).filter(|_| key.left.rtcp > 0).ok_or(ProtectError::Lifetime)?;
        let (body, tail) = buffer[..total].split_at_mut(len);
        let tail = self.layout.rtp(tail);
        tail.mki.copy_from_slice(key.mki()); // RFC 3711, section 3.3, step 6
        key.rtp(schedule, index).seal_rtp(body, header, index, tail.tag);
        let stream = self.streams.entry(ssrc);
        stream.direction = Some(Direction::Sent);
        stream.rtp.accept(index); // RFC 3711, section 3.3, step 8
        Ok(total)
    }

    /// Turns an RTCP packet, compound or not, into an SRTCP packet, [`Context::rtcp_overhead`] bytes longer, with the E flag
    /// set. The index starts at 0 for each SSRC and counts up.
    ///
    /// # Errors
    /// `TooShort`, `TooLong`, `Version`: not an RTCP packet that can be sent. `Index`: 2^31 packets were sent.
    /// `Lifetime`, `Collision`, `Streams` as [`Context::protect_rtp`].
    pub fn protect_rtcp(&mut self, packet: &mut Vec<u8>) -> Result<(), ProtectError> {
        grow(packet, self.layout.rtcp_len(), |buffer, len| self.protect_rtcp_in(buffer, len))
    }

    /// As [`Context::protect_rtcp`], for the packet in the first `len` bytes of a buffer, which has room for what is added.
    /// Says how long the SRTCP packet is.
    ///
    /// # Errors
    /// As there, and `Room`.
    pub fn protect_rtcp_in(&mut self, buffer: &mut [u8], len: usize) -> Result<usize, ProtectError> {
        let (packet, total) = outgoing(buffer, len, self.layout.rtcp_len())?;
        let ssrc = rtcp_ssrc(packet)?;
        let index = match self.streams.get(ssrc) {
            Some(stream) if stream.is_against(Direction::Sent) => return Err(ProtectError::Collision { ssrc }),
            Some(stream) => stream.rtcp.next().ok_or(ProtectError::Index { ssrc })?,
            None => self.first_sent(ssrc, 0)?, // RFC 3711, section 3.4: zero before the first packet
        };
        let schedule = self.keys.schedule();
        let key = self.keys.newest();
        // With RTP at its end there may be something to say about it yet: section 9.2 leaves it to the sender.
        key.left.rtcp = key.left.rtcp.checked_sub(1).ok_or(ProtectError::Lifetime)?;
        let (body, tail) = buffer[..total].split_at_mut(len);
        let tail = self.layout.rtcp(tail);
        tail.mki.copy_from_slice(key.mki());
        let transform = key.rtcp(schedule, index);
        let word = index as u32 | if transform.encrypts() { E_FLAG } else { 0 }; // the index has 31 bits
        tail.word.copy_from_slice(&word.to_be_bytes());
        transform.seal_rtcp(body, ssrc, word, tail.tag, &mut self.scratch);
        let stream = self.streams.entry(ssrc);
        stream.direction = Some(Direction::Sent);
        stream.rtcp.accept(index);
        Ok(total)
    }

    fn first_sent(&self, ssrc: u32, index: u64) -> Result<u64, ProtectError> {
        let full = ProtectError::Streams { ssrc, limit: MAX_STREAMS };
        if self.streams.has_room() { Ok(index) } else { Err(full) }
    }
}

/// The packet in a buffer, and its length when it is protected.
pub(crate) fn outgoing(buffer: &[u8], len: usize, overhead: usize) -> Result<(&[u8], usize), ProtectError> {
    let actual = buffer.len();
    let needed = len.saturating_add(overhead);
    fits_datagram(needed)?;
    match buffer.get(..len) {
        Some(packet) if needed <= actual => Ok((packet, needed)),
        _ => Err(ProtectError::Room { needed, actual }),
    }
}

/// Makes room behind a packet, and takes it back if it was not used.
pub(crate) fn grow(
    packet: &mut Vec<u8>,
    overhead: usize,
    protect: impl FnOnce(&mut [u8], usize) -> Result<usize, ProtectError>,
) -> Result<(), ProtectError> {
    let len = packet.len();
    packet.resize(len + overhead, 0);
    let protected = protect(packet, len);
    packet.truncate(protected.unwrap_or(len));
    protected.map(|_| ())
}
