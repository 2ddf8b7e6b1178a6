//! This crate.

use std::error::Error;

use ringfence_srtp::{Context, MasterKey, Profile, Settings};

use crate::cells::{Cell, Direction, Kind};
use crate::in_process::{Session, WINDOW};
use crate::packets::key_and_salt;

pub const NAME: &str = "ringfence-srtp";

pub struct Ours(Context);

impl Session for Ours {
    const NAME: &'static str = NAME;
    type Packet<'a> = &'a [u8];
    const ROOM: usize = 20; // the longest tag and the index word

    fn new(profile: Profile) -> Result<Self, Box<dyn Error>> {
        let (key, salt) = key_and_salt(profile);
        let settings = Settings { replay_window: WINDOW, rtcp_replay_window: WINDOW, ..Settings::default() };
        Ok(Self(Context::with(&MasterKey::new(profile, &key, &salt)?, settings)?))
    }

    /// In place, as libsrtp2 does: the packet's length apart from its buffer's.
    fn operate<'a>(&mut self, cell: &Cell, buffer: &'a mut Vec<u8>) -> Result<&'a [u8], Box<dyn Error>> {
        let len = buffer.len();
        let len = match (cell.kind, cell.direction) {
            (Kind::Rtp { .. }, Direction::Protect) => self.0.protect_rtp_in(buffer, len - Self::ROOM)?,
            (Kind::Rtp { .. }, Direction::Unprotect) => self.0.unprotect_rtp_in(buffer)?,
            (Kind::Rtcp, Direction::Protect) => self.0.protect_rtcp_in(buffer, len - Self::ROOM)?,
            (Kind::Rtcp, Direction::Unprotect) => self.0.unprotect_rtcp_in(buffer)?,
        };
        Ok(&buffer[..len])
    }
}

impl Ours {
    /// Makes what is to be unprotected.
    pub fn protect(&mut self, cell: &Cell, packet: &mut Vec<u8>) -> Result<(), Box<dyn Error>> {
        match cell.kind {
            Kind::Rtp { .. } => self.0.protect_rtp(packet)?,
            Kind::Rtcp => self.0.protect_rtcp(packet)?,
        }
        Ok(())
    }
}

/// Unprotects what somebody protected for this cell.
pub fn open(cell: &Cell, packet: &mut Vec<u8>) -> Result<(), Box<dyn Error>> {
    let len = Ours::new(cell.profile)?.operate(&Cell { direction: Direction::Unprotect, ..*cell }, packet)?.len();
    packet.truncate(len);
    Ok(())
}
