//! What the algorithms alone cost, by library, with nothing of SRTP around them: why each was chosen, and what no
//! implementation over it can go below.

use std::hint::black_box;

use crate::in_process::{BATCH, REPETITIONS, WARM_UP, thread_cpu_nanoseconds};
use crate::measurements::median;

/// Payloads, of RTP packets whose header has [`HEADER`] and whose HMAC has four bytes more of the rollover counter.
const PAYLOADS: [usize; 2] = [160, 1200];
const HEADER: [u8; 12] = [0x80; 12];
const KEY: [u8; 16] = [7; 16];
const TAG_BYTES: usize = 16; // RFC 7714, section 13.2
/// As the others are measured in rounds, and the median of them counts (house).
const ROUNDS: usize = 9;

/// Something to be done with the payload of the packet with this number.
type Part = Box<dyn FnMut(usize, &mut [u8])>;
/// It, for payloads of this length.
type MakePart = fn(usize) -> Part;

/// All of them, at both payloads.
pub fn print() {
    println!("\nparts, nanoseconds at {} and {} bytes:\n", PAYLOADS[0], PAYLOADS[1]);
    for (name, make) in parts() {
        let [short, long] = PAYLOADS.map(|payload| {
            let mut part = make(payload);
            median(&mut [0; ROUNDS].map(|_| measure(&mut part, payload)))
        });
        println!("- {short:>4.0} {long:>5.0}  {name}");
    }
}

fn parts() -> Vec<(&'static str, MakePart)> {
    vec![
        ("SHA-1 of an HMAC's blocks, sha1", |payload| {
            let blocks = vec![[1; 64]; (HEADER.len() + payload + 4 + 9).div_ceil(64) + 1]; // and the outer one
            Box::new(move |_, _| sha1::block_api::compress(black_box(&mut [1; 5]), &blocks))
        }),
        ("HMAC-SHA1, hmac with sha1", |payload| {
            use hmac::{Hmac, KeyInit, Mac};
            let keyed = Hmac::<sha1::Sha1>::new_from_slice(&[7; 20]).expect("any length is a key");
            let packet = vec![1; HEADER.len() + payload];
            Box::new(move |n, _| {
                let mut mac = keyed.clone();
                mac.update(&packet);
                mac.update(&(n as u32).to_be_bytes());
                black_box(mac.finalize());
            })
        }),
        ("HMAC-SHA1, aws-lc-rs", |payload| {
            use aws_lc_rs::hmac::{Context, HMAC_SHA1_FOR_LEGACY_USE_ONLY, Key};
            let keyed = Context::with_key(&Key::new(HMAC_SHA1_FOR_LEGACY_USE_ONLY, &[7; 20]));
            let packet = vec![1; HEADER.len() + payload];
            Box::new(move |n, _| {
                let mut mac = keyed.clone();
                mac.update(&packet);
                mac.update(&(n as u32).to_be_bytes());
                black_box(mac.sign());
            })
        }),
        ("HMAC-SHA1, ring", |payload| {
            use ring::hmac::{Context, HMAC_SHA1_FOR_LEGACY_USE_ONLY, Key};
            let keyed = Context::with_key(&Key::new(HMAC_SHA1_FOR_LEGACY_USE_ONLY, &[7; 20]));
            let packet = vec![1; HEADER.len() + payload];
            Box::new(move |n, _| {
                let mut mac = keyed.clone();
                mac.update(&packet);
                mac.update(&(n as u32).to_be_bytes());
                black_box(mac.sign());
            })
        }),
        ("AES-128 in counter mode, aws-lc-rs", |_| {
            use aws_lc_rs::cipher::{AES_128, EncryptingKey, EncryptionContext, UnboundCipherKey};
            let key = UnboundCipherKey::new(&AES_128, &KEY).and_then(EncryptingKey::ctr).expect("16 bytes");
            Box::new(move |n, data| {
                let context = EncryptionContext::Iv128(iv(n).into());
                key.less_safe_encrypt(data, context).expect("any length");
            })
        }),
        ("AES-128 in counter mode, aes with ctr", |_| {
            use aes::cipher::{InnerIvInit, KeyInit, StreamCipherCore};
            let cipher = aes::Aes128::new(&KEY.into());
            Box::new(move |n, data| {
                let core = ctr::CtrCore::<_, ctr::flavors::Ctr128BE>::inner_iv_init(&cipher, &iv(n).into());
                core.apply_keystream_partial(data.into());
            })
        }),
        ("AES-128-GCM sealing, aws-lc-rs", |_| {
            let key = aws_lc();
            Box::new(move |n, data| {
                use aws_lc_rs::aead::{Aad, Nonce};
                let nonce = Nonce::assume_unique_for_key(nonce(n));
                let mut tag = [0; TAG_BYTES];
                key.seal_in_place_scatter(nonce, Aad::from(HEADER), data, &[], &mut tag).expect("short enough");
                black_box(tag);
            })
        }),
        ("AES-128-GCM sealing, ring", |_| {
            let key = ring();
            Box::new(move |n, data| {
                use ring::aead::{Aad, Nonce};
                let nonce = Nonce::assume_unique_for_key(nonce(n));
                let tag = key.seal_in_place_separate_tag(nonce, Aad::from(HEADER), data);
                let _: ring::aead::Tag = black_box(tag).expect("short enough");
            })
        }),
        ("AES-128-GCM sealing, aes-gcm", |_| {
            use aes_gcm::{AeadInOut, Aes128Gcm, KeyInit};
            let key = Aes128Gcm::new(&KEY.into());
            Box::new(move |n, data| {
                let tag = key.encrypt_inout_detached(&nonce(n).into(), &HEADER, data.into());
                black_box(tag.expect("short enough"));
            })
        }),
        ("AES-128-GCM sealing and opening, aws-lc-rs", |_| {
            let key = aws_lc();
            Box::new(move |n, data| {
                use aws_lc_rs::aead::{Aad, Nonce};
                let mut tag = [0; TAG_BYTES];
                let unique = || Nonce::assume_unique_for_key(nonce(n));
                key.seal_in_place_scatter(unique(), Aad::from(HEADER), data, &[], &mut tag).expect("short enough");
                key.open_in_place_separate_tag(unique(), Aad::from(HEADER), &tag, data).expect("it was sealed");
            })
        }),
        ("AES-128-GCM sealing and opening, ring", |_| {
            let key = ring();
            Box::new(move |n, data| {
                use ring::aead::{Aad, Nonce};
                let unique = || Nonce::assume_unique_for_key(nonce(n));
                let tag = key.seal_in_place_separate_tag(unique(), Aad::from(HEADER), data).expect("short enough");
                key.open_in_place_separate_tag(unique(), Aad::from(HEADER), tag, data, 0..).expect("it was sealed");
            })
        }),
    ]
}

fn aws_lc() -> aws_lc_rs::aead::LessSafeKey {
    use aws_lc_rs::aead::{AES_128_GCM, LessSafeKey, UnboundKey};
    LessSafeKey::new(UnboundKey::new(&AES_128_GCM, &KEY).expect("16 bytes are a key of AES-128"))
}

fn ring() -> ring::aead::LessSafeKey {
    use ring::aead::{AES_128_GCM, LessSafeKey, UnboundKey};
    LessSafeKey::new(UnboundKey::new(&AES_128_GCM, &KEY).expect("16 bytes are a key of AES-128"))
}

fn iv(n: usize) -> [u8; 16] {
    ((n as u128) << 16).to_be_bytes()
}

fn nonce(n: usize) -> [u8; 12] {
    let [_, _, _, _, nonce @ ..] = (n as u128).to_be_bytes();
    nonce
}

fn measure(part: &mut Part, payload: usize) -> f64 {
    let mut data: Vec<Vec<u8>> = (0..BATCH).map(|n| (0..payload).map(|m| (n * 31 + m * 7) as u8).collect()).collect();
    let mut times = Vec::new();
    for repetition in 0..WARM_UP + REPETITIONS {
        let begin = thread_cpu_nanoseconds();
        data.iter_mut().enumerate().for_each(|(n, data)| part(n, black_box(data)));
        let end = thread_cpu_nanoseconds();
        if repetition >= WARM_UP {
            times.push((end - begin) as f64 / BATCH as f64);
        }
    }
    median(&mut times)
}
