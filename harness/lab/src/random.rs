//! Unguessable text.

/// `N` random bytes from the operating system.
pub(crate) fn bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the operating system has randomness");
    bytes
}

/// `N` random bytes as hexadecimal text of twice that length.
pub(crate) fn hex<const N: usize>() -> String {
    bytes::<N>().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A random UUID of version 4 (RFC 9562, section 5.4).
pub(crate) fn uuid() -> String {
    let mut raw = u128::from_be_bytes(bytes());
    raw = raw & !(0xf << 76) | 0x4 << 76;
    raw = raw & !(0x3 << 62) | 0x2 << 62;
    let text = format!("{raw:032x}");
    [&text[..8], &text[8..12], &text[12..16], &text[16..20], &text[20..]].join("-")
}

#[cfg(test)]
mod tests {
    #[test]
    fn uuids_say_their_version() {
        let uuid = super::uuid();
        assert_eq!((uuid.len(), &uuid[14..15]), (36, "4"), "{uuid}");
        assert!("89ab".contains(&uuid[19..20]), "{uuid}");
        assert_ne!(uuid, super::uuid());
    }
}
