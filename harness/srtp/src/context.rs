//! A cryptographic context: its keys, its streams, and how both are told from outside. RFC 3711, section 3.2.

use std::fmt;

use crate::aes_gcm::Scratch;
use crate::key_derivation::MasterKey;
use crate::keys::{Keys, PacketsLeft};
use crate::layout::Layout;
use crate::settings::Settings;
use crate::streams::{MAX_STREAMS, Streams};
use crate::transform::Cipher;
use crate::{Profile, RekeyError, RolloverError, SettingsError};

/// Keys and streams of one direction: many SSRCs under one master key, and under its successors.
///
/// Its methods are spread over files by what they do: keys and counters here, packets in `protect` and `unprotect`.
pub struct Context {
    cipher: Cipher,
    profile: Profile,
    pub(crate) layout: Layout,
    pub(crate) keys: Keys,
    pub(crate) streams: Streams,
    pub(crate) scratch: Scratch,
}

impl Context {
    /// A context with the settings of DTLS-SRTP, [`Settings::default`].
    pub fn new(master: &MasterKey) -> Self {
        Self::build(Cipher::of(master.profile()), master, &Settings::default())
    }

    /// A context with settings of its own.
    ///
    /// # Errors
    /// `Range`, `KeyDerivationRate`: a setting is out of its range.
    pub fn with(master: &MasterKey, settings: Settings) -> Result<Self, SettingsError> {
        settings.check()?;
        Ok(Self::build(Cipher::of(master.profile()), master, &settings))
    }

    /// The settings are in their ranges.
    pub(crate) fn build(cipher: Cipher, master: &MasterKey, settings: &Settings) -> Self {
        let profile = master.profile();
        let layout = Layout {
            aead: profile.is_aead(),
            tag_len: profile.tag_len(),
            rtcp_tag_len: profile.rtcp_tag_len(),
            mki_len: settings.mki.len(),
        };
        let keys = Keys::new(cipher, master, settings);
        Self { cipher, profile, layout, keys, streams: Streams::new(settings), scratch: Scratch::default() }
    }

    /// The profile that the context was made for.
    pub fn profile(&self) -> Profile {
        self.profile
    }

    /// Bytes that protecting an RTP packet adds: tag and master key identifier.
    pub fn rtp_overhead(&self) -> usize {
        self.layout.rtp_len()
    }

    /// Bytes that protecting an RTCP packet adds: tag, index word and master key identifier.
    pub fn rtcp_overhead(&self) -> usize {
        self.layout.rtcp_len()
    }

    /// Goes on with another master key, whose packets carry `mki` (empty if they carry none). Rollover counters, SRTCP indices
    /// and replay lists go on as they are (RFC 3711, sections 3.3.1 and 3.4), the lifetime starts anew. A stream whose indices
    /// are used up stays so: it needs a context of its own.
    ///
    /// What comes in is opened with the former keys too, up to [`crate::MAX_KEYS`] in all: packets of both kinds are under
    /// way together (RFC 5764, section 5.2). [`Context::forget_former_keys`] ends that.
    ///
    /// # Errors
    /// `Profile`: the key was made for another. `IdentifierLength`: the identifier is not as long as the context's. `SameKey`,
    /// `SameIdentifier`: the context has it already. A key that it has forgotten it does not know again: that a key is not used
    /// twice (RFC 3711, section 9.2) is then the caller's to see to.
    pub fn rekey(&mut self, master: &MasterKey, mki: &[u8]) -> Result<(), RekeyError> {
        if master.profile() != self.profile {
            return Err(RekeyError::Profile { expected: self.profile, actual: master.profile() });
        }
        self.keys.add(master, mki)
    }

    /// Opens nothing any more that is not under the newest key.
    pub fn forget_former_keys(&mut self) {
        self.keys.forget_former();
    }

    /// How many packets the newest key may still protect. RFC 3711, section 9.2: a sender counts.
    pub fn packets_left(&self) -> PacketsLeft {
        self.keys.left()
    }

    /// Sets the rollover counter of the stream's next packet, for who joins it late (RFC 3711, section 3.3.1: the counter is
    /// told by other means then). The one that the stream has already changes nothing.
    ///
    /// # Errors
    /// `Behind`: the stream is past it. `Streams`: too many SSRCs.
    pub fn set_rollover_counter(&mut self, ssrc: u32, roc: u32) -> Result<(), RolloverError> {
        if self.streams.get(ssrc).is_none() && !self.streams.has_room() {
            return Err(RolloverError::Streams { ssrc, limit: MAX_STREAMS });
        }
        let told = self.streams.entry(ssrc).rtp.tell_rollover_counter(roc);
        if told { Ok(()) } else { Err(RolloverError::Behind { ssrc, roc }) }
    }

    /// The highest index that a stream has come to, sent or received: of RTP, 48 bits whose upper 32 are the rollover counter.
    pub fn rtp_index(&self, ssrc: u32) -> Option<u64> {
        self.streams.peek(ssrc)?.rtp.highest()
    }

    /// As [`Context::rtp_index`], of RTCP: 31 bits.
    pub fn rtcp_index(&self, ssrc: u32) -> Option<u64> {
        self.streams.peek(ssrc)?.rtcp.highest()
    }
}

/// The streams and their counters, nothing of the keys.
impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { cipher, profile, streams, .. } = self;
        let mut context = f.debug_struct("Context");
        context.field("cipher", cipher).field("profile", profile).field("left", &self.packets_left());
        context.field("streams", streams).finish_non_exhaustive()
    }
}
