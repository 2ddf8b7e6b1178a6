//! RTCP compound packets in the clear (RFC 3550, section 6).
//!
//! # Limits
//! At most 64 packets in one datagram. Reports, CNAMEs and BYE are read; feedback and anything newer is kept as bytes.
//! That a compound starts with a report is not asked, since reduced size (RFC 5506) is common.

use crate::Error;
use crate::bytes::{Reader, length16, padding, text};

/// Most packets that are read from one datagram.
pub const MAX_PACKETS: usize = 64;
/// SDES item: the canonical name. RFC 3550, section 6.5.1.
pub const SDES_CNAME: u8 = 1;

const VERSION: u8 = 2; // RFC 3550, section 6.4.1
const SENDER_REPORT: u8 = 200; // RFC 3550, section 12.1, as the next three
const RECEIVER_REPORT: u8 = 201;
const SOURCE_DESCRIPTION: u8 = 202;
const GOODBYE: u8 = 203;
const MAX_COUNT: usize = 31; // five bits

/// What one receiver says of one sender. RFC 3550, section 6.4.1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ReportBlock {
    /// The sender in question.
    pub ssrc: u32,
    /// Lost since the last report, in 1/256.
    pub fraction_lost: u8,
    /// Lost in all; a signed 24-bit number, duplicates make it negative.
    pub lost: i32,
    /// Highest sequence number, extended by the cycles.
    pub highest_sequence: u32,
    /// Interarrival jitter in timestamp units.
    pub jitter: u32,
    /// The middle of the last sender report's NTP time.
    pub last_report: u32,
    /// Since that report, in 1/65,536 s.
    pub delay: u32,
}

/// The items of one source. RFC 3550, section 6.5.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chunk {
    /// The source that is described.
    pub ssrc: u32,
    /// Item type (not 0) and value (at most 255 bytes), in order.
    pub items: Vec<(u8, Vec<u8>)>,
}

impl Chunk {
    /// A chunk with only a CNAME.
    pub fn cname(ssrc: u32, name: &str) -> Self {
        Self { ssrc, items: vec![(SDES_CNAME, name.as_bytes().to_vec())] }
    }
}

/// One packet of a compound.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Packet {
    /// RFC 3550, section 6.4.1.
    SenderReport {
        /// Who reports.
        ssrc: u32,
        /// Seconds since 1900 in the upper 32 bits, fraction below.
        ntp: u64,
        /// The same instant in RTP time.
        rtp: u32,
        /// Packets sent.
        packets: u32,
        /// Payload bytes sent.
        octets: u32,
        /// At most 31.
        reports: Vec<ReportBlock>,
        /// Profile-specific, a multiple of four bytes.
        extension: Vec<u8>,
    },
    /// RFC 3550, section 6.4.2.
    ReceiverReport {
        /// Who reports.
        ssrc: u32,
        /// At most 31.
        reports: Vec<ReportBlock>,
        /// Profile-specific, a multiple of four bytes.
        extension: Vec<u8>,
    },
    /// RFC 3550, section 6.5. At most 31 chunks.
    SourceDescription(Vec<Chunk>),
    /// RFC 3550, section 6.6.
    Bye {
        /// Who leaves, at most 31.
        sources: Vec<u32>,
        /// At most 255 bytes.
        reason: Option<String>,
    },
    /// Any other type.
    Other {
        /// 205 and 206 are feedback (RFC 4585).
        packet_type: u8,
        /// The five bits after version and padding, 0 to 31.
        count: u8,
        /// What follows the four bytes of header; a multiple of four bytes.
        body: Vec<u8>,
    },
}

/// Reads a datagram. Padding of the last packet is dropped.
///
/// # Errors
/// Names the field. An empty datagram is an error.
pub fn parse(datagram: &[u8]) -> Result<Vec<Packet>, Error> {
    let mut rest = Reader(datagram);
    let mut packets = Vec::new();
    loop {
        if packets.len() == MAX_PACKETS {
            return Err(Error::TooLarge { field: "number of RTCP packets", limit: MAX_PACKETS });
        }
        let [flags, packet_type] = rest.array("RTCP header")?;
        if flags >> 6 != VERSION {
            return Err(Error::Invalid("RTCP version"));
        }
        let length = usize::from(rest.u16("RTCP length")?) * 4;
        let mut body = rest.take(length, "RTCP packet")?;
        if flags & 0x20 != 0 {
            body = without_padding(body, rest.is_empty())?;
        }
        packets.push(parse_body(packet_type, flags & 0x1f, body)?);
        if rest.is_empty() {
            return Ok(packets);
        }
    }
}

/// Writes a compound, without padding.
///
/// # Errors
/// A count is above 31, an item longer than 255 bytes, a body no multiple of four bytes, or a packet longer than 65,536
/// words.
pub fn emit(packets: &[Packet]) -> Result<Vec<u8>, Error> {
    let mut datagram = Vec::new();
    for packet in packets {
        let (packet_type, count, body) = emit_body(packet)?;
        let count = u8::try_from(count).ok().filter(|count| usize::from(*count) <= MAX_COUNT);
        let count = count.ok_or(Error::TooLarge { field: "RTCP count", limit: MAX_COUNT })?;
        if body.len() % 4 != 0 {
            return Err(Error::Invalid("RTCP length"));
        }
        datagram.extend_from_slice(&[VERSION << 6 | count, packet_type]);
        datagram.extend_from_slice(&length16(body.len() / 4, "RTCP length in words")?);
        datagram.extend_from_slice(&body);
    }
    Ok(datagram)
}

// RFC 3550, section 6.4.1: only the last packet may be padded, in multiples of four bytes.
fn without_padding(body: &[u8], last: bool) -> Result<&[u8], Error> {
    let count = usize::from(*body.last().ok_or(Error::Truncated("RTCP padding"))?);
    let end = body.len().checked_sub(count).filter(|_| last && count > 0 && count % 4 == 0);
    end.and_then(|end| body.get(..end)).ok_or(Error::Invalid("RTCP padding"))
}

fn parse_body(packet_type: u8, count: u8, body: &[u8]) -> Result<Packet, Error> {
    let mut rest = Reader(body);
    Ok(match packet_type {
        SENDER_REPORT => Packet::SenderReport {
            ssrc: rest.u32("sender report SSRC")?,
            ntp: rest.u64("sender report NTP time")?,
            rtp: rest.u32("sender report RTP time")?,
            packets: rest.u32("sender report packet count")?,
            octets: rest.u32("sender report octet count")?,
            reports: parse_reports(&mut rest, count)?,
            extension: rest.0.to_vec(),
        },
        RECEIVER_REPORT => Packet::ReceiverReport {
            ssrc: rest.u32("receiver report SSRC")?,
            reports: parse_reports(&mut rest, count)?,
            extension: rest.0.to_vec(),
        },
        SOURCE_DESCRIPTION => {
            let chunks = (0..count).map(|_| parse_chunk(&mut rest)).collect::<Result<_, _>>()?;
            rest.end("SDES chunks")?;
            Packet::SourceDescription(chunks)
        }
        GOODBYE => {
            let sources = (0..count).map(|_| rest.u32("BYE source")).collect::<Result<_, _>>()?;
            let mut reason = None;
            if !rest.is_empty() {
                let length = usize::from(rest.u8("BYE reason length")?);
                reason = Some(text(rest.take(length, "BYE reason")?, "BYE reason")?);
                rest.take(padding(length + 1), "BYE reason")?;
                rest.end("BYE reason")?;
            }
            Packet::Bye { sources, reason }
        }
        _ => Packet::Other { packet_type, count, body: body.to_vec() },
    })
}

fn parse_reports(rest: &mut Reader, count: u8) -> Result<Vec<ReportBlock>, Error> {
    (0..count)
        .map(|_| {
            let ssrc = rest.u32("report block SSRC")?;
            let lost = rest.u32("report block loss")?;
            Ok(ReportBlock {
                ssrc,
                fraction_lost: (lost >> 24) as u8,
                lost: (lost << 8) as i32 >> 8, // keeps the sign of the 24 bits
                highest_sequence: rest.u32("report block sequence")?,
                jitter: rest.u32("report block jitter")?,
                last_report: rest.u32("report block last report")?,
                delay: rest.u32("report block delay")?,
            })
        })
        .collect()
}

// Items end with a zero byte, and zeros follow up to the next word. RFC 3550, section 6.5.
fn parse_chunk(rest: &mut Reader) -> Result<Chunk, Error> {
    let ssrc = rest.u32("SDES SSRC")?;
    let before = rest.0.len();
    let mut items = Vec::new();
    loop {
        let kind = rest.u8("SDES item type")?;
        if kind == 0 {
            rest.take(padding(before - rest.0.len()), "SDES padding")?;
            return Ok(Chunk { ssrc, items });
        }
        let length = usize::from(rest.u8("SDES item length")?);
        items.push((kind, rest.take(length, "SDES item")?.to_vec()));
    }
}

fn emit_body(packet: &Packet) -> Result<(u8, usize, Vec<u8>), Error> {
    let mut body = Vec::new();
    Ok(match packet {
        Packet::SenderReport { ssrc, ntp, rtp, packets, octets, reports, extension } => {
            body.extend_from_slice(&ssrc.to_be_bytes());
            body.extend_from_slice(&ntp.to_be_bytes());
            for word in [rtp, packets, octets] {
                body.extend_from_slice(&word.to_be_bytes());
            }
            emit_reports(&mut body, reports, extension);
            (SENDER_REPORT, reports.len(), body)
        }
        Packet::ReceiverReport { ssrc, reports, extension } => {
            body.extend_from_slice(&ssrc.to_be_bytes());
            emit_reports(&mut body, reports, extension);
            (RECEIVER_REPORT, reports.len(), body)
        }
        Packet::SourceDescription(chunks) => {
            for Chunk { ssrc, items } in chunks {
                body.extend_from_slice(&ssrc.to_be_bytes());
                for (kind, value) in items {
                    if *kind == 0 {
                        return Err(Error::Invalid("SDES item type"));
                    }
                    body.push(*kind);
                    emit_short(&mut body, value, "SDES item")?;
                }
                body.push(0);
                body.resize(body.len() + padding(body.len()), 0);
            }
            (SOURCE_DESCRIPTION, chunks.len(), body)
        }
        Packet::Bye { sources, reason } => {
            body.extend(sources.iter().flat_map(|source| source.to_be_bytes()));
            if let Some(reason) = reason {
                emit_short(&mut body, reason.as_bytes(), "BYE reason")?;
                body.resize(body.len() + padding(body.len()), 0);
            }
            (GOODBYE, sources.len(), body)
        }
        Packet::Other { packet_type, count, body } => (*packet_type, usize::from(*count), body.clone()),
    })
}

fn emit_reports(body: &mut Vec<u8>, reports: &[ReportBlock], extension: &[u8]) {
    for block in reports {
        let loss = u32::from(block.fraction_lost) << 24 | block.lost as u32 & 0x00ff_ffff;
        for word in [block.ssrc, loss, block.highest_sequence, block.jitter, block.last_report, block.delay] {
            body.extend_from_slice(&word.to_be_bytes());
        }
    }
    body.extend_from_slice(extension);
}

fn emit_short(body: &mut Vec<u8>, value: &[u8], field: &'static str) -> Result<(), Error> {
    body.push(u8::try_from(value.len()).map_err(|_| Error::TooLarge { field, limit: 255 })?);
    body.extend_from_slice(value);
    Ok(())
}
