//! In steady state nothing is allocated, whatever the profile.

mod fixtures;

use fixtures::{both_ends_with, rtcp, rtp};
use ringfence_srtp::{Profile, Settings, UnprotectError};

#[test]
fn nothing_is_allocated_per_packet() {
    for (profile, mki) in Profile::ALL.into_iter().flat_map(|profile| [(profile, vec![]), (profile, vec![1, 2])]) {
        let settings = Settings { mki, ..Settings::default() };
        let (mut sender, mut receiver) = both_ends_with(profile, &settings);
        let room = |packet: Vec<u8>| [packet, vec![7; 1200]].concat();
        let mut packet = room(rtp(0, 0));
        let mut report = room(rtcp(0));
        packet.reserve(sender.rtp_overhead());
        report.reserve(sender.rtcp_overhead());
        let mut forged = packet.clone();
        let mut as_sent = forged.clone();
        let mut round = |sequence: u16| {
            for ssrc in 0..3_u32 {
                packet[2..4].copy_from_slice(&sequence.to_be_bytes());
                packet[8..12].copy_from_slice(&ssrc.to_be_bytes());
                sender.protect_rtp(&mut packet).unwrap();
                receiver.unprotect_rtp(&mut packet).unwrap();
                report[4..8].copy_from_slice(&ssrc.to_be_bytes());
                sender.protect_rtcp(&mut report).unwrap();
                receiver.unprotect_rtcp(&mut report).unwrap();
                forged[2..4].copy_from_slice(&(sequence + 1).to_be_bytes());
                as_sent.copy_from_slice(&forged);
                let refused = receiver.unprotect_rtp(&mut forged);
                assert!(matches!(
                    refused,
                    Err(UnprotectError::Authentication { .. } | UnprotectError::Identifier { .. })
                ));
                assert_eq!(forged, as_sent);
            }
        };
        round(0); // the streams are made
        let counted = allocation_counter::measure(|| (1..1000).for_each(&mut round));
        assert_eq!(counted.count_total, 0, "{profile:?}");
    }
}

/// Else the test above would count nothing at all.
#[test]
fn what_is_allocated_is_counted() {
    let counted = allocation_counter::measure(|| drop(std::hint::black_box(vec![1; 10])));
    assert_eq!(counted.count_total, 1);
}
