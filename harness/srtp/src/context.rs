//! Protecting and unprotecting packets: RFC 3711, sections 3.3 and 3.4.

use std::fmt;

use aes::{Aes128, Aes256};

use crate::aes_cm::AesCm;
use crate::aes_gcm::Gcm;
use crate::packet::{Malformed, RTCP_CLEAR_BYTES, Rtp, fits_datagram, has, rtcp_ssrc};
use crate::rollover::estimate;
use crate::streams::{MAX_STREAMS, Streams};
use crate::transform::{E_FLAG, Transform};
use crate::{MasterKey, Profile, ProtectError, UnprotectError};

/// SRTCP packets that one key may protect in one stream: 2^31. RFC 3711, section 9.2.
pub(crate) const RTCP_INDEX_LIMIT: u64 = 1 << 31;

/// The cryptographic context of one direction: one master key, many SSRCs. RFC 3711, section 3.2.
///
/// What it sent and what it received is remembered apart, so that a test may use one context for both ends.
pub struct Context {
    profile: Profile,
    pub(crate) transform: Box<dyn Transform>,
    pub(crate) sent: Streams,
    pub(crate) received: Streams,
}

impl Context {
    /// Derives the session keys. They live, and are wiped, with the context.
    ///
    /// # Panics
    /// If `master` was made for a profile with other key lengths: a mistake of the program, never of a packet.
    pub fn new(profile: Profile, master: &MasterKey) -> Self {
        assert!(master.fits(profile), "the master key was made for another profile");
        let transform: Box<dyn Transform> = match profile {
            Profile::AesCm128HmacSha1_80 | Profile::AesCm128HmacSha1_32 => Box::new(AesCm::new(profile, master)),
            Profile::AeadAes128Gcm => Box::new(Gcm::<Aes128>::new(master)),
            Profile::AeadAes256Gcm => Box::new(Gcm::<Aes256>::new(master)),
        };
        Self { profile, transform, sent: Streams::default(), received: Streams::default() }
    }

    /// The profile that the context was made for.
    pub fn profile(&self) -> Profile {
        self.profile
    }

    /// The highest 48-bit RTP index that was protected for `ssrc`; its upper 32 bits are the rollover counter.
    pub fn sent_index(&self, ssrc: u32) -> Option<u64> {
        self.sent.peek(ssrc).rtp.highest()
    }

    /// The highest 48-bit RTP index that was received and authenticated from `ssrc`.
    pub fn received_index(&self, ssrc: u32) -> Option<u64> {
        self.received.peek(ssrc).rtp.highest()
    }

    /// Turns an RTP packet into an SRTP packet, [`Profile::tag_len`] bytes longer. Sequence numbers may come in any
    /// order within the 64 newest; each only once.
    ///
    /// # Errors
    /// `TooShort`, `TooLong`, `Version`: not an RTP packet that can be sent. `Reused`, `Index`: no keystream is left for
    /// this sequence number. `Streams`: too many SSRCs.
    pub fn protect_rtp(&mut self, packet: &mut Vec<u8>) -> Result<(), ProtectError> {
        let header = self.outgoing_rtp(packet)?;
        let ssrc = header.ssrc;
        let window = self.sent.peek(ssrc).rtp;
        let index = estimate(window.highest(), header.sequence).ok_or(ProtectError::Index { ssrc })?;
        if !window.is_fresh(index) {
            return Err(ProtectError::Reused { ssrc, index }); // RFC 3711, section 9.1
        }
        self.room_to_send(ssrc)?;
        self.transform.seal_rtp(packet, header, index);
        self.sent.entry(ssrc).rtp.accept(index);
        Ok(())
    }

    /// Turns an SRTP packet back into the RTP packet.
    ///
    /// # Errors
    /// `TooShort`, `TooLong`, `Version`: not an SRTP packet. `Replay`: seen before or too old. `Authentication`: the tag does
    /// not match. `Index`, `Streams`: a limit is reached. The packet and the context are then as before.
    pub fn unprotect_rtp(&mut self, packet: &mut Vec<u8>) -> Result<(), UnprotectError> {
        self.unprotect_rtp_if(packet, Replays::Refused)
    }

    /// Turns an RTCP packet, compound or not, into an SRTCP packet, [`Profile::rtcp_overhead`] bytes longer, with the
    /// E flag set. The index starts at 0 for each SSRC and counts up.
    ///
    /// # Errors
    /// `TooShort`, `TooLong`, `Version`: not an RTCP packet that can be sent. `Index`: 2^31 packets were sent. `Streams`: too
    /// many SSRCs.
    pub fn protect_rtcp(&mut self, packet: &mut Vec<u8>) -> Result<(), ProtectError> {
        let ssrc = self.outgoing_rtcp(packet)?;
        // RFC 3711, section 3.4: zero before the first packet, one more after each.
        let index = self.sent.peek(ssrc).rtcp.highest().map_or(0, |last| last + 1);
        let word = index_word(ssrc, index)?;
        self.room_to_send(ssrc)?;
        self.transform.seal_rtcp(packet, ssrc, word);
        self.sent.entry(ssrc).rtcp.accept(index);
        Ok(())
    }

    /// Turns an SRTCP packet back into the RTCP packet. A packet without the E flag is authenticated all the same, as
    /// RFC 3711, section 3.4 has it.
    ///
    /// # Errors
    /// As [`Context::unprotect_rtp`], without `Index`.
    pub fn unprotect_rtcp(&mut self, packet: &mut Vec<u8>) -> Result<(), UnprotectError> {
        let (ssrc, word) = self.incoming_rtcp(packet)?;
        let index = u64::from(word & !E_FLAG);
        if !self.received.peek(ssrc).rtcp.is_fresh(index) {
            return Err(UnprotectError::Replay { ssrc, index }); // RFC 3711, section 3.4
        }
        self.room_to_receive(ssrc)?;
        if !self.transform.open_rtcp(packet, ssrc, word) {
            return Err(UnprotectError::Authentication { ssrc, index });
        }
        self.received.entry(ssrc).rtcp.accept(index);
        Ok(())
    }

    /// The steps of RFC 3711, section 3.3, receiver, in their order; `bend` leaves the replay check out.
    pub(crate) fn unprotect_rtp_if(&mut self, packet: &mut Vec<u8>, replays: Replays) -> Result<(), UnprotectError> {
        let (header, index) = self.incoming_rtp(packet, replays)?;
        let ssrc = header.ssrc;
        has("authentication tag", packet, header.header_len + self.profile.tag_len())?;
        if !self.transform.open_rtp(packet, header, index) {
            return Err(UnprotectError::Authentication { ssrc, index });
        }
        self.received.entry(ssrc).rtp.accept(index);
        Ok(())
    }

    /// Everything about a received packet that can be judged before its tag.
    pub(crate) fn incoming_rtp(&self, packet: &[u8], replays: Replays) -> Result<(Rtp, u64), UnprotectError> {
        fits_datagram(packet.len())?;
        let header = Rtp::parse(packet)?;
        let ssrc = header.ssrc;
        let window = self.received.peek(ssrc).rtp;
        let index = estimate(window.highest(), header.sequence).ok_or(UnprotectError::Index { ssrc })?;
        if replays == Replays::Refused && !window.is_fresh(index) {
            return Err(UnprotectError::Replay { ssrc, index });
        }
        self.room_to_receive(ssrc)?;
        Ok((header, index))
    }

    /// SSRC and index word of a received packet that is long enough for tag and word.
    pub(crate) fn incoming_rtcp(&self, packet: &[u8]) -> Result<(u32, u32), Malformed> {
        fits_datagram(packet.len())?;
        let ssrc = rtcp_ssrc(packet)?;
        has("srtcp index and tag", packet, RTCP_CLEAR_BYTES + self.profile.rtcp_overhead())?;
        Ok((ssrc, self.transform.rtcp_word(packet)))
    }

    pub(crate) fn outgoing_rtp(&self, packet: &[u8]) -> Result<Rtp, Malformed> {
        fits_datagram(packet.len().saturating_add(self.profile.tag_len()))?;
        Rtp::parse(packet)
    }

    pub(crate) fn outgoing_rtcp(&self, packet: &[u8]) -> Result<u32, Malformed> {
        fits_datagram(packet.len().saturating_add(self.profile.rtcp_overhead()))?;
        rtcp_ssrc(packet)
    }

    pub(crate) fn room_to_receive(&self, ssrc: u32) -> Result<(), UnprotectError> {
        let full = UnprotectError::Streams { ssrc, limit: MAX_STREAMS };
        if self.received.has_room_for(ssrc) { Ok(()) } else { Err(full) }
    }

    fn room_to_send(&self, ssrc: u32) -> Result<(), ProtectError> {
        let full = ProtectError::Streams { ssrc, limit: MAX_STREAMS };
        if self.sent.has_room_for(ssrc) { Ok(()) } else { Err(full) }
    }
}

/// The streams and their indices, nothing of the keys.
impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context")
            .field("profile", &self.profile)
            .field("sent", &self.sent)
            .field("received", &self.received)
            .finish_non_exhaustive()
    }
}

/// What to do with an index that was seen before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Replays {
    Refused,
    Accepted,
}

/// The SRTCP index behind a set E flag.
pub(crate) fn index_word(ssrc: u32, index: u64) -> Result<u32, ProtectError> {
    match u32::try_from(index) {
        Ok(index) if u64::from(index) < RTCP_INDEX_LIMIT => Ok(E_FLAG | index),
        _ => Err(ProtectError::Index { ssrc }), // RFC 3711, section 9.2
    }
}

#[cfg(test)]
mod tests {
    use super::{Context, RTCP_INDEX_LIMIT};
    use crate::rollover::RTP_INDEX_LIMIT;
    use crate::{MasterKey, Profile, ProtectError};

    /// RFC 3711, section 9.2. No test can send so many packets, so the memory is set by hand.
    #[test]
    fn a_sender_stops_when_the_indices_are_used_up() {
        let profile = Profile::AeadAes128Gcm;
        let mut context = Context::new(profile, &MasterKey::new(profile, &[1; 16], &[2; 12]).unwrap());
        let stream = context.sent.entry(7);
        stream.rtp.accept(RTP_INDEX_LIMIT - 1);
        stream.rtcp.accept(RTCP_INDEX_LIMIT - 1);
        let rtp = [0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7].to_vec();
        let rtcp = [0x80, 201, 0, 1, 0, 0, 0, 7].to_vec();
        assert_eq!(context.protect_rtp(&mut rtp.clone()), Err(ProtectError::Index { ssrc: 7 }));
        assert_eq!(context.protect_rtcp(&mut rtcp.clone()), Err(ProtectError::Index { ssrc: 7 }));
    }
}
