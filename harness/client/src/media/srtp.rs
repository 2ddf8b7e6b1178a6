//! The keys of a call and what they open: SRTP both ways, from DTLS or from SDES.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ringfence_model::observation::SrtpSeen;
use ringfence_model::{RunKey, Secret};
use ringfence_srtp::{Context, MasterKey, MasterKeys, Profile, UnprotectError, bend};
use ringfence_wire::sdp::Crypto;

use super::MediaError;
use super::measure::Measure;

/// Keys that open packets at once: of DTLS, of SDES, and of an early answer that was replaced.
const MAX_RECEIVING: usize = 3;

/// What became of a received packet.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Opened {
    /// It authenticated; the packet in the clear.
    Authentic(Vec<u8>),
    /// It came before, or lies behind the window.
    Replayed,
    /// Its tag fits no key of this call, or it has no room for one.
    Refused,
}

/// Contexts of one call. With SDES and DTLS in one call both sets open packets, and DTLS protects what we send.
#[derive(Default)]
pub(super) struct Srtp {
    sending: Option<Context>,
    sending_key: Option<MasterKey>,
    receiving: Vec<Context>,
    seen: Option<(Profile, Secret<Vec<u8>>)>,
    /// The rollover counter that we send under instead of our own.
    roc: Option<u32>,
    measure: Measure,
}

impl Srtp {
    /// Whether packets can be sent.
    pub(super) fn is_keyed(&self) -> bool {
        self.sending.is_some()
    }

    /// The profile that we send with.
    pub(super) fn profile(&self) -> Option<Profile> {
        self.sending_key.as_ref().map(MasterKey::profile)
    }

    /// Takes the exporter's output: as much as the profile takes, or more, to see whether another one is used. RFC 5764, section
    /// 4.2.
    pub(super) fn key_by_dtls(
        &mut self,
        profile: Profile,
        material: Secret<Vec<u8>>,
        client: bool,
    ) -> Result<(), MediaError> {
        let whole = material.expose();
        let own = whole.get(..profile.keying_material_len()).unwrap_or(whole).to_vec();
        let keys = MasterKeys::from_exporter(profile, &own).map_err(MediaError::setup)?;
        self.measure.key(profile, &material, client);
        let (ours, theirs) = if client { (keys.client, keys.server) } else { (keys.server, keys.client) };
        self.key(profile, ours, &theirs, Secret::new(own));
        Ok(())
    }

    /// Takes our key and the answer's. RFC 4568, section 6.1. `false` if none of the answer's lines fits.
    pub(super) fn key_by_sdes(&mut self, ours: &SdesKey, answer: &[Crypto]) -> bool {
        let theirs = answer.iter().find_map(|line| {
            let fits = line.suite.eq_ignore_ascii_case(SDES_SUITE);
            let text = line.key_base64().filter(|_| fits)?;
            SdesKey::from_base64(text)
        });
        let Some(theirs) = theirs else { return false };
        let (Some(sending), Some(receiving)) = (ours.master(), theirs.master()) else { return false };
        let both = [ours.0.expose().as_slice(), theirs.0.expose()].concat();
        self.key(SDES_PROFILE, sending, &receiving, Secret::new(both));
        true
    }

    fn key(&mut self, profile: Profile, ours: MasterKey, theirs: &MasterKey, material: Secret<Vec<u8>>) {
        self.sending = Some(Context::new(&ours));
        self.sending_key = Some(ours);
        self.receiving.insert(0, Context::new(theirs));
        self.receiving.truncate(MAX_RECEIVING);
        self.seen = Some((profile, material));
    }

    /// Protects an RTP packet; `None` without keys or if the packet cannot be sent.
    pub(super) fn protect_rtp(&mut self, mut packet: Vec<u8>) -> Option<Vec<u8>> {
        let sending = self.sending.as_mut()?;
        match self.roc {
            Some(roc) => bend::protect_rtp_at(sending, &mut packet, roc).ok()?,
            None => sending.protect_rtp(&mut packet).ok()?,
        }
        Some(packet)
    }

    /// The rollover counter of our stream. RFC 3711, section 3.3.1.
    pub(super) fn roc(&self, ssrc: u32) -> Option<u32> {
        u32::try_from(self.sending.as_ref()?.rtp_index(ssrc)? >> 16).ok()
    }

    /// Sends under that rollover counter, whatever was sent before; `None` for the context's own.
    pub(super) fn keep_roc(&mut self, roc: Option<u32>) {
        self.roc = roc;
    }

    /// Whether it does.
    pub(super) fn keeps_roc(&self) -> bool {
        self.roc.is_some()
    }

    /// Protects an RTCP packet.
    pub(super) fn protect_rtcp(&mut self, mut packet: Vec<u8>) -> Option<Vec<u8>> {
        self.sending.as_mut()?.protect_rtcp(&mut packet).ok()?;
        Some(packet)
    }

    /// Opens an SRTP packet.
    pub(super) fn open_rtp(&mut self, packet: &[u8]) -> Opened {
        let opened = self.open(packet, Context::unprotect_rtp);
        match (&opened, &self.seen) {
            (Opened::Authentic(_), Some((profile, _))) => self.measure.opened(*profile),
            (Opened::Refused, _) => self.measure.refused(packet),
            _ => {}
        }
        opened
    }

    /// Opens an SRTCP packet.
    pub(super) fn open_rtcp(&mut self, packet: &[u8]) -> Opened {
        self.open(packet, Context::unprotect_rtcp)
    }

    fn open(
        &mut self,
        packet: &[u8],
        unprotect: fn(&mut Context, &mut Vec<u8>) -> Result<(), UnprotectError>,
    ) -> Opened {
        let mut opened = Opened::Refused;
        for context in &mut self.receiving {
            let mut copy = packet.to_vec();
            match unprotect(context, &mut copy) {
                Ok(()) => return Opened::Authentic(copy),
                Err(UnprotectError::Replay { .. }) => opened = Opened::Replayed,
                Err(_) => {}
            }
        }
        opened
    }

    /// Protects what need be no RTP packet, with a header of so many bytes, as the next of our stream.
    pub(super) fn protect_rtp_raw(&mut self, mut packet: Vec<u8>, header_len: usize) -> Option<Vec<u8>> {
        let sending = self.sending.as_mut()?;
        let sequence = u16::from_be_bytes(packet.get(2..)?.first_chunk().copied()?);
        let ssrc = u32::from_be_bytes(packet.get(8..)?.first_chunk().copied()?);
        let last = sending.rtp_index(ssrc).unwrap_or(0);
        let wrapped = u64::from(sequence < last as u16); // it is a later one
        bend::protect_rtp_raw(sending, &mut packet, header_len, ((last >> 16) + wrapped) << 16 | u64::from(sequence))
            .ok()?;
        Some(packet)
    }

    /// Protects an RTCP packet under this index.
    pub(super) fn protect_rtcp_at(&mut self, mut packet: Vec<u8>, index: u32) -> Option<Vec<u8>> {
        bend::protect_rtcp_at(self.sending.as_mut()?, &mut packet, index).ok()?;
        Some(packet)
    }

    /// A context that opens what we send: how the target sees it, which has received what we sent.
    pub(super) fn targets_view(&self, ssrc: u32) -> Option<Context> {
        let mut view = Context::new(self.sending_key.as_ref()?);
        if let Some(index) = self.sending.as_ref().and_then(|sending| sending.rtp_index(ssrc)) {
            bend::assume_received(&mut view, ssrc, index);
        }
        Some(view)
    }

    /// Opens an SRTP packet that came before, once more.
    pub(super) fn open_again(&mut self, packet: &[u8]) -> Option<Vec<u8>> {
        self.receiving.iter_mut().find_map(|context| {
            let mut copy = packet.to_vec();
            bend::unprotect_rtp_ignoring_replay(context, &mut copy).ok().map(|()| copy)
        })
    }

    /// Whether a packet that came before, or so it seems, is a genuine one. With more keys than one it cannot be told to
    /// which of them a known index belongs.
    pub(super) fn is_genuine_repeat(&mut self, packet: &[u8]) -> bool {
        self.receiving.len() == 1 && self.open_again(packet).is_some()
    }

    /// What was negotiated.
    pub(super) fn seen(&self, key: &RunKey) -> SrtpSeen {
        self.seen.as_ref().map_or_else(SrtpSeen::default, |(profile, material)| SrtpSeen {
            profile: Some(profile.name().to_owned()),
            keys: Some(material.digest(key)),
            used_profile: self.measure.used().map(|used| used.name().to_owned()),
            tag_bytes: self.measure.used().and_then(|used| i64::try_from(used.tag_len()).ok()),
        })
    }
}

/// The suite that we offer: the one that every SDES endpoint must have (RFC 4568, section 6.2).
const SDES_SUITE: &str = "AES_CM_128_HMAC_SHA1_80";
const SDES_PROFILE: Profile = Profile::AesCm128HmacSha1_80;

/// Master key and salt of one direction, as `a=crypto` carries them.
pub(super) struct SdesKey(Secret<Vec<u8>>);

impl SdesKey {
    /// A fresh key.
    pub(super) fn random() -> Result<Self, MediaError> {
        let mut bytes = vec![0; SDES_PROFILE.key_len() + SDES_PROFILE.salt_len()];
        getrandom::fill(&mut bytes).map_err(MediaError::setup)?;
        Ok(Self(Secret::new(bytes)))
    }

    fn from_base64(text: &str) -> Option<Self> {
        let bytes = STANDARD.decode(text).ok()?;
        Some(Self(Secret::new(bytes)))
    }

    fn master(&self) -> Option<MasterKey> {
        let (key, salt) = self.0.expose().split_at_checked(SDES_PROFILE.key_len())?;
        MasterKey::new(SDES_PROFILE, key, salt).ok()
    }

    /// The value of our `a=crypto`.
    pub(super) fn line(&self) -> String {
        let crypto = Crypto {
            tag: 1,
            suite: SDES_SUITE.into(),
            keys: vec![STANDARD.encode(self.0.expose())],
            parameters: Vec::new(),
        };
        crypto.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RTP: [u8; 16] = [0x80, 0, 0, 1, 0, 0, 0, 160, 0xca, 0xfe, 0xba, 0xbe, 1, 2, 3, 4];

    #[test]
    fn both_sides_of_one_exporter_meet() {
        let profile = Profile::AeadAes128Gcm;
        let material = || Secret::new((0..u8::try_from(profile.keying_material_len()).unwrap()).collect::<Vec<_>>());
        let (mut client, mut server) = (Srtp::default(), Srtp::default());
        client.key_by_dtls(profile, material(), true).unwrap();
        server.key_by_dtls(profile, material(), false).unwrap();
        let packet = client.protect_rtp(RTP.to_vec()).unwrap();
        assert_eq!(server.open_rtp(&packet), Opened::Authentic(RTP.to_vec()));
        assert_eq!(server.open_rtp(&packet), Opened::Replayed);
        assert_eq!(client.open_rtp(&packet), Opened::Refused);
        let key = RunKey::from_random([1; 32]);
        assert_eq!(client.seen(&key).keys, server.seen(&key).keys);
        assert!(client.key_by_dtls(profile, Secret::new(vec![0; 3]), true).is_err());
    }

    #[test]
    fn sdes_keys_travel_in_the_line() {
        let (ours, theirs) = (SdesKey::random().unwrap(), SdesKey::random().unwrap());
        let lines = [&ours, &theirs].map(|key| Crypto::parse(&key.line()).unwrap());
        let (mut us, mut them) = (Srtp::default(), Srtp::default());
        assert!(us.key_by_sdes(&ours, &lines[1..]));
        assert!(them.key_by_sdes(&theirs, &lines[..1]));
        let packet = us.protect_rtp(RTP.to_vec()).unwrap();
        assert_eq!(them.open_rtp(&packet), Opened::Authentic(RTP.to_vec()));
        let foreign = Crypto::parse("1 AES_CM_128_HMAC_SHA1_32 inline:AAAA").unwrap();
        assert!(!us.key_by_sdes(&ours, &[foreign]));
    }
}
