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

    fn new(profile: Profile) -> Result<Self, Box<dyn Error>> {
        let (key, salt) = key_and_salt(profile);
        let settings = Settings { replay_window: WINDOW, rtcp_replay_window: WINDOW, ..Settings::default() };
        Ok(Self(Context::with(&MasterKey::new(profile, &key, &salt)?, settings)?))
    }

    fn operate<'a>(&mut self, cell: &Cell, packet: &'a mut Vec<u8>) -> Result<&'a [u8], Box<dyn Error>> {
        match (cell.kind, cell.direction) {
            (Kind::Rtp { .. }, Direction::Protect) => self.0.protect_rtp(packet)?,
            (Kind::Rtp { .. }, Direction::Unprotect) => self.0.unprotect_rtp(packet)?,
            (Kind::Rtcp, Direction::Protect) => self.0.protect_rtcp(packet)?,
            (Kind::Rtcp, Direction::Unprotect) => self.0.unprotect_rtcp(packet)?,
        };
        Ok(packet)
    }
}

/// Unprotects what somebody protected for this cell.
pub fn open(cell: &Cell, packet: &mut Vec<u8>) -> Result<(), Box<dyn Error>> {
    Ours::new(cell.profile)?.operate(&Cell { direction: Direction::Unprotect, ..*cell }, packet)?;
    Ok(())
}
