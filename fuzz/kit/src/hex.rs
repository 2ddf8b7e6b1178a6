//! Bytes as the standards print them.

/// The bytes that these hexadecimal digits stand for; blanks and line ends between them do not count.
///
/// # Panics
/// If anything else stands there, or half a byte: what is read here stands in this crate.
pub fn bytes(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
    let (pairs, rest) = digits.as_chunks::<2>();
    assert!(rest.is_empty(), "half a byte");
    let byte = |pair: &[u8; 2]| {
        let text = std::str::from_utf8(pair).expect("ASCII");
        u8::from_str_radix(text, 16).expect("hexadecimal digits")
    };
    pairs.iter().map(byte).collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn digits_become_bytes() {
        assert_eq!(super::bytes("00 ff\n1A2b"), [0, 0xff, 0x1a, 0x2b]);
    }
}
