//! A cursor that cannot run over the end, for the binary formats.

use crate::Error;

/// Reads big-endian fields from the front; the error names what was being read.
#[derive(Clone)]
pub(crate) struct Reader<'a>(pub &'a [u8]);

impl<'a> Reader<'a> {
    pub fn array<const N: usize>(&mut self, field: &'static str) -> Result<[u8; N], Error> {
        let (head, tail) = self.0.split_first_chunk().ok_or(Error::Truncated(field))?;
        self.0 = tail;
        Ok(*head)
    }

    pub fn take(&mut self, count: usize, field: &'static str) -> Result<&'a [u8], Error> {
        let (head, tail) = self.0.split_at_checked(count).ok_or(Error::Truncated(field))?;
        self.0 = tail;
        Ok(head)
    }

    pub fn u8(&mut self, field: &'static str) -> Result<u8, Error> {
        self.array(field).map(u8::from_be_bytes)
    }

    pub fn u16(&mut self, field: &'static str) -> Result<u16, Error> {
        self.array(field).map(u16::from_be_bytes)
    }

    pub fn u32(&mut self, field: &'static str) -> Result<u32, Error> {
        self.array(field).map(u32::from_be_bytes)
    }

    pub fn u64(&mut self, field: &'static str) -> Result<u64, Error> {
        self.array(field).map(u64::from_be_bytes)
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Refuses what is left after the last field.
    pub fn end(&self, field: &'static str) -> Result<(), Error> {
        if self.is_empty() { Ok(()) } else { Err(Error::Invalid(field)) }
    }
}

/// Zero bytes that bring `length` to a multiple of four.
pub(crate) fn padding(length: usize) -> usize {
    length.wrapping_neg() & 3
}

/// A copied text field.
pub(crate) fn text(bytes: &[u8], field: &'static str) -> Result<String, Error> {
    std::str::from_utf8(bytes).map(str::to_owned).map_err(|_| Error::NotUtf8(field))
}

/// `value` as a 16-bit length field.
pub(crate) fn length16(value: usize, field: &'static str) -> Result<[u8; 2], Error> {
    let limit = usize::from(u16::MAX);
    u16::try_from(value).map(u16::to_be_bytes).map_err(|_| Error::TooLarge { field, limit })
}
