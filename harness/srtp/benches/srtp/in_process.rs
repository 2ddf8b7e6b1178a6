//! How an implementation in Rust is measured; `../libsrtp2/bench.c` does the same in C.

use std::error::Error;
use std::hint::black_box;
use std::marker::PhantomData;

use ringfence_srtp::Profile;
use rustix::time::{ClockId, clock_gettime};

use crate::Implementation;
use crate::cells::{Cell, Direction};
use crate::measurements::median;
use crate::ours::Ours;
use crate::packets::{self, ROOM_BYTES};

/// Different packets between two looks at the clock (house): a loop over one would flatter.
pub const BATCH: usize = 256;
/// Batches before the clock counts, and those that it counts (house).
pub const WARM_UP: usize = 10;
pub const REPETITIONS: usize = 15;
/// Packets that the replay windows of all implementations reach back.
pub const WINDOW: u16 = 128;

/// The state of an implementation for one direction.
pub trait Session: Sized {
    const NAME: &'static str;
    /// Bytes that lie behind a packet to be protected, for who does it in place.
    const ROOM: usize = 0;
    /// The packet as the operation leaves it.
    type Packet<'a>: AsRef<[u8]>;

    fn new(profile: Profile) -> Result<Self, Box<dyn Error>>;
    /// What is measured: the operation of the cell, on a packet in a buffer that is kept and has room.
    fn operate<'a>(&mut self, cell: &Cell, packet: &'a mut Vec<u8>) -> Result<Self::Packet<'a>, Box<dyn Error>>;
}

/// An [`Implementation`] in this process.
pub struct InProcess<S>(PhantomData<S>);

impl<S: Session> InProcess<S> {
    pub fn new() -> Self {
        Self(PhantomData)
    }
}

impl<S: Session> Implementation for InProcess<S> {
    fn name(&self) -> &'static str {
        S::NAME
    }

    fn measure(&mut self, cell: &Cell) -> Result<f64, Box<dyn Error>> {
        let mut session = S::new(cell.profile)?;
        let mut batches = Batches::new(cell, S::ROOM)?;
        let mut times = Vec::new();
        for repetition in 0..WARM_UP + REPETITIONS {
            let batch = batches.next()?;
            let begin = thread_cpu_nanoseconds();
            for packet in batch {
                black_box(session.operate(cell, packet)?);
            }
            let end = thread_cpu_nanoseconds();
            if repetition >= WARM_UP {
                times.push((end - begin) as f64 / BATCH as f64);
            }
        }
        Ok(median(&mut times))
    }

    fn show(&mut self, cell: &Cell) -> Result<Vec<u8>, Box<dyn Error>> {
        let mut session = S::new(cell.profile)?;
        let mut batches = Batches::new(cell, S::ROOM)?;
        let mut last = Vec::new();
        for packet in batches.next()? {
            last = session.operate(cell, packet)?.as_ref().to_vec();
        }
        Ok(last)
    }
}

/// Makes batch after batch, outside the clock, in buffers that are kept.
struct Batches<'c> {
    cell: &'c Cell,
    room: usize,
    /// Protects what is to be unprotected.
    sender: Ours,
    packets: Vec<Vec<u8>>,
    made: u32,
}

impl<'c> Batches<'c> {
    fn new(cell: &'c Cell, room: usize) -> Result<Self, Box<dyn Error>> {
        let packets = (0..BATCH).map(|_| Vec::with_capacity(ROOM_BYTES)).collect();
        Ok(Self { cell, room, sender: Ours::new(cell.profile)?, packets, made: 0 })
    }

    fn next(&mut self) -> Result<&mut [Vec<u8>], Box<dyn Error>> {
        for packet in &mut self.packets {
            packets::write(packet, self.cell, self.made);
            self.made += 1;
            match self.cell.direction {
                Direction::Protect => packet.resize(packet.len() + self.room, 0),
                Direction::Unprotect => self.sender.protect(self.cell, packet)?,
            }
        }
        Ok(&mut self.packets)
    }
}

pub fn thread_cpu_nanoseconds() -> u64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

/// The last packet of the first batch before anybody touches it.
pub fn last_packet(cell: &Cell) -> Vec<u8> {
    let mut packet = Vec::new();
    packets::write(&mut packet, cell, BATCH as u32 - 1);
    packet
}
