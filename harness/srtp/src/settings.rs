//! What a context may be told beyond its keys. RFC 3711, section 8.2.

use crate::SettingsError;

/// Settings of a context. The default is what DTLS-SRTP uses (RFC 5764, section 4.1.2): no master key identifier, one key
/// derivation, and the largest lifetimes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// RTP packets that the replay list reaches back, 64 to 32767 (RFC 3711, section 3.3.2: at least 64; beyond half of the
    /// sequence numbers an index cannot be told). A sender may fall back behind its highest sequence number as far.
    pub replay_window: u16,
    /// RTCP packets that the replay list reaches back, 64 to 32767.
    pub rtcp_replay_window: u16,
    /// Packets after which new session keys are derived from the master key: 0 for never, or a power of two up to 2^24.
    /// RFC 3711, section 4.3.1. No lifetime is made longer by it (section 9.2).
    pub key_derivation_rate: u32,
    /// The master key identifier of the first key, 0 to 128 bytes. Empty: packets carry none. RFC 3711, section 3.1; the
    /// upper bound is that of RFC 4568, section 6.1. All keys of a context have identifiers of the same length.
    pub mki: Vec<u8>,
    /// RTP packets that one master key may protect, 1 to 2^48. RFC 3711, section 9.2.
    pub rtp_lifetime: u64,
    /// RTCP packets that one master key may protect, 1 to 2^31. RFC 3711, section 9.2.
    pub rtcp_lifetime: u64,
}

/// Packets that the replay list reaches back unless told otherwise.
pub(crate) const DEFAULT_WINDOW: u16 = 128;
const WINDOWS: std::ops::RangeInclusive<u16> = 64..=32_767;
const MAX_RATE: u32 = 1 << 24; // RFC 3711, section 4.3.1
const MAX_MKI_BYTES: usize = 128; // RFC 4568, section 6.1
/// RTP packets under one master key. RFC 3711, section 9.2.
const MAX_RTP_LIFETIME: u64 = 1 << 48;
/// RTCP packets under one master key. RFC 3711, section 9.2.
const MAX_RTCP_LIFETIME: u64 = 1 << 31;

impl Default for Settings {
    fn default() -> Self {
        Self {
            replay_window: DEFAULT_WINDOW,
            rtcp_replay_window: DEFAULT_WINDOW,
            key_derivation_rate: 0,
            mki: Vec::new(),
            rtp_lifetime: MAX_RTP_LIFETIME,
            rtcp_lifetime: MAX_RTCP_LIFETIME,
        }
    }
}

impl Settings {
    /// Says which of them is out of its range.
    pub(crate) fn check(&self) -> Result<(), SettingsError> {
        for (field, value) in [("replay window", self.replay_window), ("rtcp replay window", self.rtcp_replay_window)] {
            in_range(field, value.into(), (*WINDOWS.start()).into(), (*WINDOWS.end()).into())?;
        }
        in_range("master key identifier length", self.mki.len() as u64, 0, MAX_MKI_BYTES as u64)?;
        in_range("rtp lifetime", self.rtp_lifetime, 1, MAX_RTP_LIFETIME)?;
        in_range("rtcp lifetime", self.rtcp_lifetime, 1, MAX_RTCP_LIFETIME)?;
        let rate = self.key_derivation_rate;
        if rate != 0 && !(rate.is_power_of_two() && rate <= MAX_RATE) {
            return Err(SettingsError::KeyDerivationRate { rate });
        }
        Ok(())
    }
}

fn in_range(field: &'static str, actual: u64, least: u64, most: u64) -> Result<(), SettingsError> {
    if (least..=most).contains(&actual) { Ok(()) } else { Err(SettingsError::Range { field, least, most, actual }) }
}

#[cfg(test)]
mod tests {
    use super::Settings;
    use crate::SettingsError;

    #[test]
    fn what_is_out_of_range_is_named() {
        let default = Settings::default;
        assert_eq!(default().check(), Ok(()));
        let range = |field, least, most, actual| Err(SettingsError::Range { field, least, most, actual });
        let check = |settings: Settings| settings.check();
        assert_eq!(check(Settings { replay_window: 63, ..default() }), range("replay window", 64, 32767, 63));
        let wide = Settings { rtcp_replay_window: 32_768, ..default() };
        assert_eq!(check(wide), range("rtcp replay window", 64, 32767, 32768));
        let long = Settings { mki: vec![0; 129], ..default() };
        assert_eq!(check(long), range("master key identifier length", 0, 128, 129));
        assert_eq!(check(Settings { rtp_lifetime: 0, ..default() }), range("rtp lifetime", 1, 1 << 48, 0));
        let ageless = Settings { rtcp_lifetime: (1 << 31) + 1, ..default() };
        assert_eq!(check(ageless), range("rtcp lifetime", 1, 1 << 31, (1 << 31) + 1));
        for rate in [3, (1 << 24) + 1, 1 << 25] {
            let settings = Settings { key_derivation_rate: rate, ..default() };
            assert_eq!(check(settings), Err(SettingsError::KeyDerivationRate { rate }));
        }
        for rate in [0, 1, 256, 1 << 24] {
            assert_eq!(check(Settings { key_derivation_rate: rate, ..default() }), Ok(()));
        }
    }
}
