//! Whole packets that others have published, under master keys.

use ringfence_srtp::{Context, MasterKey, Profile, bend};

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u32> = text.chars().filter_map(|c| c.to_digit(16)).collect();
    digits.chunks_exact(2).map(|pair| (pair[0] << 4 | pair[1]) as u8).collect()
}

/// What libsrtp's own self-test compares, under the master key of RFC 3711, appendix B.3.
#[test]
fn as_libsrtp_makes_them() {
    let profile = Profile::AesCm128HmacSha1_80;
    let key = hex("E1F97A0D3E018BE0D64FA32C06DE4139");
    let master = MasterKey::new(profile, &key, &hex("0EC675AD498AFEEBB6960B3AABE6")).unwrap();
    let context = || Context::new(&master);

    let rtp = hex("800f1234decafbadcafebabe abababababababababababababababab");
    let sealed = hex("800f1234decafbadcafebabe 4e55dc4ce79978d88ca4d215949d2402 b78d6acc99ea179b8dbb");
    let mut packet = rtp.clone();
    context().protect_rtp(&mut packet).unwrap();
    assert_eq!(packet, sealed);
    context().unprotect_rtp(&mut packet).unwrap();
    assert_eq!(packet, rtp);

    let rtcp = hex("81c8000bcafebabe abababababababababababababababab");
    let sealed = hex("81c8000bcafebabe 7128035be487b9bdbef89041f977a5a8 80000001 993e08cd54d6c1230798");
    let mut packet = rtcp.clone();
    bend::protect_rtcp_at(&mut context(), &mut packet, 1).unwrap();
    assert_eq!(packet, sealed);
    context().unprotect_rtcp(&mut packet).unwrap();
    assert_eq!(packet, rtcp);
}
