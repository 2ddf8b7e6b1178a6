//! The lines of a file within bounds, and with what a line needs of the next.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};

/// Bytes of a line that are read at once; a longer one comes in pieces (house).
const LINE: u64 = 256 * 1024;
/// Bytes that each further piece repeats, so that nothing is cut in two: longer than any secret that is kept (house).
const OVERLAP: usize = 8 * 1024;
/// What goes on in the next line: RFC 7468, section 3.
const GOES_ON: &str = "-----BEGIN ";

/// Reads line by line.
pub(super) struct Lines {
    file: BufReader<File>,
    /// Where the next byte stands.
    at: u64,
    left: u64,
    read: u64,
    count: i64,
    cut: bool,
    /// The end of a piece of a line that goes on.
    overlap: Vec<u8>,
    /// A line that was read ahead.
    ahead: Option<Line>,
}

/// One line, or a piece of one.
#[derive(Debug, Clone)]
pub(super) struct Line {
    /// From 1.
    pub number: i64,
    /// Where it begins in the file.
    pub offset: u64,
    /// What it says.
    pub text: String,
}

impl Lines {
    /// Of a file that stands at `from`; not more than so many bytes.
    pub fn new(file: File, from: u64, most: u64) -> Self {
        let (overlap, ahead) = (Vec::new(), None);
        Self { file: BufReader::new(file), at: from, left: most, read: 0, count: 0, cut: false, overlap, ahead }
    }

    /// Bytes that were read.
    pub fn read(&self) -> u64 {
        self.read
    }

    /// Lines that were read.
    pub fn count(&self) -> i64 {
        self.count
    }

    /// The file goes on, or could not be read to its end.
    pub fn is_cut(&self) -> bool {
        self.cut
    }

    /// The next line; with the one behind it, where it begins something that goes on there.
    pub fn next(&mut self) -> Option<Line> {
        let mut line = self.ahead.take().or_else(|| self.one())?;
        if line.text.contains(GOES_ON) {
            self.ahead = self.one();
            line.text.extend(self.ahead.iter().flat_map(|next| ["\n", next.text.as_str()]));
        }
        Some(line)
    }

    fn one(&mut self) -> Option<Line> {
        let mut bytes = std::mem::take(&mut self.overlap);
        let (repeated, offset) = (bytes.len(), self.at);
        let read = Read::by_ref(&mut self.file).take(LINE.min(self.left)).read_until(b'\n', &mut bytes);
        let Ok(length) = read else {
            self.cut = true;
            return None;
        };
        if length == 0 {
            self.cut |= self.left == 0 && self.file.fill_buf().is_ok_and(|rest| !rest.is_empty());
            return None;
        }
        let length = length as u64;
        self.left -= length.min(self.left);
        self.read += length;
        self.at += length;
        if repeated == 0 {
            self.count += 1;
        }
        if bytes.last() != Some(&b'\n') && length == LINE {
            self.overlap = bytes.get(bytes.len() - OVERLAP..).unwrap_or_default().to_vec();
        }
        let text = String::from_utf8_lossy(&bytes).trim_end_matches(['\r', '\n']).to_owned();
        Some(Line { number: self.count, offset, text })
    }
}
