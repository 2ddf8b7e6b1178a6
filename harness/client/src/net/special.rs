//! Which addresses are nobody's public address: those that a hostile name server or SDP points a scanner at.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The address that a packet would in the end go to: IPv4 out of its mapped (RFC 4291), translated (RFC 6052, well-known
/// prefix) and 6to4 (RFC 3056) forms.
pub(super) fn effective(address: IpAddr) -> IpAddr {
    let IpAddr::V6(v6) = address else { return address };
    let [a, b, c, d, e, f, g, h] = v6.segments();
    let embedded = |high: u16, low: u16| {
        let [a, b] = high.to_be_bytes();
        let [c, d] = low.to_be_bytes();
        IpAddr::V4(Ipv4Addr::new(a, b, c, d))
    };
    match (a, b, c, d, e, f) {
        (0, 0, 0, 0, 0, 0xffff) | (0x64, 0xff9b, 0, 0, 0, 0) => embedded(g, h),
        (0x2002, high, low, ..) => embedded(high, low),
        _ => address,
    }
}

/// Whether the address is in a special-purpose block of RFC 6890 and its successors. Such an address is dialled only
/// where the operator lists its network.
pub(super) fn is_special(address: IpAddr) -> bool {
    match effective(address) {
        IpAddr::V4(v4) => is_special_v4(v4),
        IpAddr::V6(v6) => is_special_v6(v6),
    }
}

fn is_special_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    matches!(
        (a, b, c),
        (0 | 10 | 127, ..)
            | (100, 64..=127, _) // RFC 6598
            | (169, 254, _)
            | (172, 16..=31, _)
            | (192, 0, 0 | 2)
            | (192, 88, 99)
            | (192, 168, _)
            | (198, 18 | 19, _) // RFC 2544
            | (198, 51, 100)
            | (203, 0, 113)
            | (224..=255, ..)
    )
}

fn is_special_v6(address: Ipv6Addr) -> bool {
    let [a, b, c, ..] = address.segments();
    let global_unicast = (0x2000..=0x3fff).contains(&a);
    !global_unicast
        || (a == 0x2001 && b < 0x0200) // RFC 2928: Teredo, benchmarking, ORCHID …
        || (a == 0x2001 && b == 0x0db8)
        || (a == 0x3fff && b < 0x1000) // RFC 9637
        || (a == 0x2620 && b == 0x004f && c == 0x8000) // AS112
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn special_blocks_in_every_writing() {
        for special in [
            "0.0.0.0",
            "10.1.2.3",
            "100.64.0.1",
            "127.0.0.1",
            "169.254.169.254",
            "172.31.0.1",
            "192.168.0.1",
            "198.19.255.255",
            "224.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "fe80::1",
            "fc00::1",
            "fd00::1",
            "ff02::1",
            "::ffff:127.0.0.1",
            "::127.0.0.1",
            "64:ff9b::a9fe:a9fe",
            "64:ff9b:1::1",
            "2002:7f00:1::",
            "2001:db8::1",
            "2001::1",
            "3fff::1",
        ] {
            assert!(is_special(special.parse().unwrap()), "{special}");
        }
        for public in ["1.1.1.1", "100.128.0.1", "172.32.0.1", "2606:4700::1", "::ffff:8.8.8.8", "2002:808:808::1"] {
            assert!(!is_special(public.parse().unwrap()), "{public}");
        }
    }
}
