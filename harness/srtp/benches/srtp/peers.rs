//! The other implementations in Rust, each by its public way of handling a whole packet. They allocate what they return.

use std::error::Error;
use std::marker::PhantomData;

use ringfence_srtp::Profile;
use rtc_crypto::RTCCryptoProvider;
use rtc_crypto::providers::{AwsLcRsProvider, RingProvider};

use crate::cells::{Cell, Direction, Kind};
use crate::in_process::{Session, WINDOW};
use crate::packets::key_and_salt;

pub const RTC_SRTP_RING: &str = "rtc-srtp ring";
pub const RTC_SRTP_AWS_LC: &str = "rtc-srtp aws-lc-rs";

/// `rtc-srtp` over the cryptography of `F`.
pub struct RtcSrtp<F>(rtc_srtp::context::Context, PhantomData<F>);

/// Where `rtc-srtp` takes its cryptography from.
pub trait Flavour {
    const NAME: &'static str;
    fn provider() -> Box<dyn RTCCryptoProvider>;
}

pub struct Ring;

impl Flavour for Ring {
    const NAME: &'static str = RTC_SRTP_RING;
    fn provider() -> Box<dyn RTCCryptoProvider> {
        Box::new(RingProvider::new())
    }
}

pub struct AwsLc;

impl Flavour for AwsLc {
    const NAME: &'static str = RTC_SRTP_AWS_LC;
    fn provider() -> Box<dyn RTCCryptoProvider> {
        Box::new(AwsLcRsProvider::new())
    }
}

/// `webrtc-srtp`, the ancestor of `rtc-srtp`, over RustCrypto.
pub struct WebrtcSrtp(webrtc_srtp::context::Context);

impl<F: Flavour> Session for RtcSrtp<F> {
    const NAME: &'static str = F::NAME;
    type Packet<'a> = bytes::BytesMut;

    fn new(profile: Profile) -> Result<Self, Box<dyn Error>> {
        use rtc_srtp::option::{srtcp_replay_protection, srtp_replay_protection};
        use rtc_srtp::protection_profile::ProtectionProfile as Theirs;
        let theirs = match profile {
            Profile::AesCm128HmacSha1_80 => Theirs::Aes128CmHmacSha1_80,
            Profile::AesCm128HmacSha1_32 => Theirs::Aes128CmHmacSha1_32,
            Profile::AesCm256HmacSha1_80 => Theirs::Aes256CmHmacSha1_80,
            Profile::AesCm256HmacSha1_32 => Theirs::Aes256CmHmacSha1_32,
            Profile::AeadAes128Gcm => Theirs::AeadAes128Gcm,
            Profile::AeadAes256Gcm => Theirs::AeadAes256Gcm,
        };
        let (key, salt) = key_and_salt(profile);
        let (rtp, rtcp) = (srtp_replay_protection(WINDOW.into()), srtcp_replay_protection(WINDOW.into()));
        let provider = F::provider();
        let context = rtc_srtp::context::Context::new(&key, &salt, theirs, Some(rtp), Some(rtcp), provider.crypto())?;
        Ok(Self(context, PhantomData))
    }

    fn operate(&mut self, cell: &Cell, packet: &mut Vec<u8>) -> Result<bytes::BytesMut, Box<dyn Error>> {
        Ok(match (cell.kind, cell.direction) {
            (Kind::Rtp { .. }, Direction::Protect) => self.0.encrypt_rtp(packet)?,
            (Kind::Rtp { .. }, Direction::Unprotect) => self.0.decrypt_rtp(packet)?,
            (Kind::Rtcp, Direction::Protect) => self.0.encrypt_rtcp(packet)?,
            (Kind::Rtcp, Direction::Unprotect) => self.0.decrypt_rtcp(packet)?,
        })
    }
}

impl Session for WebrtcSrtp {
    const NAME: &'static str = "webrtc-srtp";
    type Packet<'a> = bytes::Bytes;

    fn new(profile: Profile) -> Result<Self, Box<dyn Error>> {
        use webrtc_srtp::option::{srtcp_replay_protection, srtp_replay_protection};
        use webrtc_srtp::protection_profile::ProtectionProfile as Theirs;
        let theirs = match profile {
            Profile::AesCm128HmacSha1_80 => Theirs::Aes128CmHmacSha1_80,
            Profile::AesCm128HmacSha1_32 => Theirs::Aes128CmHmacSha1_32,
            Profile::AesCm256HmacSha1_80 => Theirs::Aes256CmHmacSha1_80,
            Profile::AesCm256HmacSha1_32 => Theirs::Aes256CmHmacSha1_32,
            Profile::AeadAes128Gcm => Theirs::AeadAes128Gcm,
            Profile::AeadAes256Gcm => Theirs::AeadAes256Gcm,
        };
        let (key, salt) = key_and_salt(profile);
        let (rtp, rtcp) = (srtp_replay_protection(WINDOW.into()), srtcp_replay_protection(WINDOW.into()));
        Ok(Self(webrtc_srtp::context::Context::new(&key, &salt, theirs, Some(rtp), Some(rtcp))?))
    }

    fn operate(&mut self, cell: &Cell, packet: &mut Vec<u8>) -> Result<bytes::Bytes, Box<dyn Error>> {
        Ok(match (cell.kind, cell.direction) {
            (Kind::Rtp { .. }, Direction::Protect) => self.0.encrypt_rtp(packet)?,
            (Kind::Rtp { .. }, Direction::Unprotect) => self.0.decrypt_rtp(packet)?,
            (Kind::Rtcp, Direction::Protect) => self.0.encrypt_rtcp(packet)?,
            (Kind::Rtcp, Direction::Unprotect) => self.0.decrypt_rtcp(packet)?,
        })
    }
}
