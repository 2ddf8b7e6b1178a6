//! Messages with one defect, which no reader of ours may take.

use crate::generators::sip_torture::{Change, Kind, Layout};

/// Letters that are part of no token and end none. RFC 3261, section 25.1.
const NO_TOKEN: &[u8] = b"()<>@,;\\/[]?={}\"\x7f\x01";
/// Longest field that is read, in bytes (house).
const MAX_FIELD: usize = 8 * 1024;
/// Most fields that are read (house).
const MAX_FIELDS: usize = 128;

/// The message with this defect; none, if it has nothing that could be broken in this way.
pub(super) fn broken(layout: &Layout, defect: Change) -> Option<Vec<u8>> {
    let bytes = layout.bytes();
    let head = bytes.len() - layout.body.len();
    // Two bytes make one place: heads are longer than 256.
    let place = defect.place * 256 + defect.detail;
    match defect.kind {
        Kind::LineFeedAlone => without_half(bytes, head, place, 0),
        Kind::ReturnAlone => without_half(bytes, head, place, 1),
        Kind::Nul => Some(with(bytes, place % (head - 4), b'\0')),
        Kind::NoText => Some(with(bytes, place % (head - 4), b'\xff')),
        Kind::NoEnd => bytes.get(..place % (head - 1)).map(<[u8]>::to_vec),
        Kind::OtherLength => {
            layout.length_field()?;
            let mut layout = layout.clone();
            let name = if defect.place & 1 == 0 { "Content-Length" } else { "l" };
            layout.fields.push(format!("{name}: {}", layout.body.len() + 1 + defect.detail).into_bytes());
            Some(layout.bytes())
        }
        Kind::BodyOfOtherLength => {
            layout.length_field()?;
            let mut layout = layout.clone();
            if defect.detail & 1 == 0 || layout.body.pop().is_none() {
                layout.body.extend_from_slice(b"\r\nINVITE sip:h SIP/2.0\r\n\r\n");
            }
            Some(layout.bytes())
        }
        Kind::NoToken | Kind::FoldedName | Kind::LongField => in_a_field(layout, defect),
        Kind::ManyFields => {
            let mut layout = layout.clone();
            layout.fields.resize(MAX_FIELDS + 1 + layout.fields.len() + defect.detail, b"X: y".to_vec());
            Some(layout.bytes())
        }
        Kind::OtherVersion => {
            let mut layout = layout.clone();
            let at = layout.start.windows(7).position(|seven| seven == b"SIP/2.0")?;
            let other: &[&[u8]] =
                &[b"SIP/2.1", b"SIP/3.0", b"SIP/02.0", b"SIP/2.00", b"SIP/2", b"SIP", b"HTTP/2.0", b""];
            let other = other.get(defect.detail % other.len())?;
            layout.start.splice(at..at + 7, other.iter().copied());
            Some(layout.bytes())
        }
        _ => None,
    }
}

/// Without CR (0) or LF (1) of one of the line ends of the head.
fn without_half(mut bytes: Vec<u8>, head: usize, place: usize, half: usize) -> Option<Vec<u8>> {
    let ends: Vec<usize> = (0..head - 1).filter(|at| bytes.get(*at..at + 2) == Some(b"\r\n")).collect();
    let at = *ends.get(place.checked_rem(ends.len())?)?;
    bytes.remove(at + half);
    Some(bytes)
}

fn with(mut bytes: Vec<u8>, at: usize, byte: u8) -> Vec<u8> {
    bytes.insert(at, byte);
    bytes
}

fn in_a_field(layout: &Layout, defect: Change) -> Option<Vec<u8>> {
    let mut layout = layout.clone();
    let at = layout.field_of(defect)?;
    let field = layout.fields.get_mut(at)?;
    let name = field.iter().position(|byte| *byte == b':')?;
    let inside = defect.detail % (name + 1);
    match defect.kind {
        Kind::NoToken => field.insert(inside, *NO_TOKEN.get(defect.detail % NO_TOKEN.len())?),
        Kind::FoldedName => drop(field.splice(name..name, *b"\r\n ")),
        _ => field.extend(std::iter::repeat_n(b'x', MAX_FIELD)),
    }
    Some(layout.bytes())
}
