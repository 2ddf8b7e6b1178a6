//! The chain of a journal's lines: each carries a hash over itself and the line before, so that none can be changed,
//! taken out, put in or moved without being noticed at that very line.
//!
//! A line is `{"hash":"H",REST`. `H` is the SHA-256, in hexadecimal, of the `H` of the line before (of nothing, in the
//! first line) and `REST`, as the bytes stand there, without the line end. Whoever rewrites every line that follows can
//! make a new chain: against that stands the last `H`, which the report names and an operator can sign.

use ringfence_model::evidence::Entry;
use ringfence_model::untrusted::inert_json;
use sha2::{Digest, Sha256};

/// What stands before a line's hash.
const OPENING: &[u8] = b"{\"hash\":\"";
/// What stands between a line's hash and what it covers.
const CLOSING: &[u8] = b"\",";
/// Characters of a hash: SHA-256 in hexadecimal.
const HASH: usize = 64;

/// A chain so far.
#[derive(Clone, Debug, Default)]
pub struct Chain {
    head: String,
    lines: u64,
    file: Sha256,
    unwritten: bool,
}

impl Chain {
    /// The hash of the last line, which stands for every line before it; empty where there is none.
    pub fn head(&self) -> &str {
        &self.head
    }

    /// How many lines there are.
    pub fn lines(&self) -> u64 {
        self.lines
    }

    /// SHA-256 of the file that holds these lines, hexadecimal; empty where they could not all be written.
    pub fn file(&self) -> String {
        if self.unwritten { String::new() } else { hex(&self.file.clone().finalize()) }
    }

    /// The same with bytes behind the last whole line.
    pub(super) fn file_and(&self, torn: &[u8]) -> String {
        hex(&self.file.clone().chain_update(torn).finalize())
    }

    /// Notes that not every line is in a file.
    pub fn not_written(&mut self) {
        self.unwritten = true;
    }

    /// Writes the next line, with its line end; harmless also where somebody prints it on a terminal.
    pub fn line(&mut self, entry: &Entry) -> String {
        // Entries hold JSON values, text and numbers only: none of them can fail to be written, and each is an object.
        let json = inert_json(&serde_json::to_string(entry).unwrap_or_default());
        let rest = json.strip_prefix('{').unwrap_or_default();
        let hash = self.next(rest.as_bytes());
        let line = format!("{{\"hash\":\"{hash}\",{rest}\n");
        self.add(hash, line.as_bytes());
        line
    }

    /// Takes the next line as it stands in a file, without its line end; false where it does not follow.
    pub(super) fn follows(&mut self, line: &[u8]) -> bool {
        let Some((hash, rest)) = parts(line) else { return false };
        let expected = self.next(rest);
        if expected.as_bytes() != hash {
            return false;
        }
        self.add(expected, line);
        self.file.update(b"\n");
        true
    }

    fn next(&self, rest: &[u8]) -> String {
        hex(&Sha256::new().chain_update(&self.head).chain_update(rest).finalize())
    }

    fn add(&mut self, head: String, bytes: &[u8]) {
        self.head = head;
        self.lines += 1;
        self.file.update(bytes);
    }
}

/// A line's hash, and what it covers.
fn parts(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let (hash, rest) = line.strip_prefix(OPENING)?.split_at_checked(HASH)?;
    Some((hash, rest.strip_prefix(CLOSING)?))
}

/// Bytes in hexadecimal.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
