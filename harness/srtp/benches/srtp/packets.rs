//! The packets and keys, byte for byte those of `../libsrtp2/bench.c`.

use ringfence_srtp::Profile;

use crate::cells::{Cell, Kind};

const FIRST_SSRC: u32 = 0xcafe_0000;

/// The longest packet with the longest tag, index word and MKI, so that no buffer ever grows.
pub const ROOM_BYTES: usize = 2048;

/// Master key and master salt.
pub fn key_and_salt(profile: Profile) -> (Vec<u8>, Vec<u8>) {
    let byte = |n: usize| (n * 37 + 11) as u8;
    ((0..profile.key_len()).map(byte).collect(), (100..100 + profile.salt_len()).map(byte).collect())
}

/// Writes the packet with this number; no two are the same, and every one is new to the receiver.
pub fn write(packet: &mut Vec<u8>, cell: &Cell, number: u32) {
    packet.clear();
    let ssrc = FIRST_SSRC + number % cell.streams;
    match cell.kind {
        Kind::Rtp { payload } => rtp(packet, number, number / cell.streams, ssrc, payload),
        Kind::Rtcp => rtcp(packet, number, ssrc),
    }
}

fn rtp(packet: &mut Vec<u8>, number: u32, sequence: u32, ssrc: u32, payload: usize) {
    packet.extend([0x80, 0x6f]);
    packet.extend((sequence as u16).to_be_bytes());
    packet.extend(sequence.wrapping_mul(960).to_be_bytes());
    packet.extend(ssrc.to_be_bytes());
    packet.extend((0..payload).map(|n| (number as usize * 31 + n * 7) as u8));
}

/// A sender report with one block, and the name of one source.
fn rtcp(packet: &mut Vec<u8>, number: u32, ssrc: u32) {
    packet.extend([0x81, 200, 0, 12]);
    packet.extend(ssrc.to_be_bytes());
    for n in 0..11 {
        packet.extend(number.wrapping_mul(0x0100_0193).wrapping_add(n).to_be_bytes());
    }
    packet.extend([0x81, 202, 0, 11]);
    packet.extend(ssrc.to_be_bytes());
    packet.extend([1, 36]);
    packet.extend((0..36).map(|n| b'a' + n % 26));
    packet.extend([0, 0]);
}
