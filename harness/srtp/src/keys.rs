//! The master keys of a context, with their identifiers and their ages.

use crate::RekeyError;
use crate::key_derivation::{Labels, MasterKey, RTCP, RTP};
use crate::settings::Settings;
use crate::transform::{Cipher, Transform};

/// Master keys that a context opens packets with at once. The oldest is forgotten for a new one.
pub const MAX_KEYS: usize = 8;

/// The keys of a context. The newest protects; each opens, by its identifier or, if packets carry none, in turn.
pub(crate) struct Keys {
    cipher: Cipher,
    /// The binary logarithm of the key derivation rate, if it is not zero.
    rate: Option<u32>,
    mki_len: usize,
    lifetime: PacketsLeft,
    /// The newest first.
    #[expect(clippy::vec_box)] // a vector of keys would leave copies of them behind when it grows
    all: Vec<Box<Key>>,
}

/// One master key, its session keys, and how many packets it may still protect.
pub(crate) struct Key {
    mki: Vec<u8>,
    master: MasterKey,
    rtp: Derived,
    rtcp: Derived,
    pub left: PacketsLeft,
}

/// How many packets a master key may still protect. RFC 3711, section 9.2: a sender counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PacketsLeft {
    /// RTP packets, of all streams together.
    pub rtp: u64,
    /// RTCP packets, of all streams together.
    pub rtcp: u64,
}

/// Session keys, and the quotient of packet index and derivation rate that they belong to. RFC 3711, section 4.3.1.
struct Derived {
    labels: Labels,
    r: u64,
    transform: Transform,
}

impl Keys {
    pub(crate) fn new(cipher: Cipher, master: &MasterKey, settings: &Settings) -> Self {
        let rate = settings.key_derivation_rate;
        let mut keys = Self {
            cipher,
            rate: (rate != 0).then(|| rate.ilog2()),
            mki_len: settings.mki.len(),
            lifetime: PacketsLeft { rtp: settings.rtp_lifetime, rtcp: settings.rtcp_lifetime },
            all: Vec::new(),
        };
        keys.insert(master, &settings.mki);
        keys
    }

    /// Makes `master` the newest key.
    pub(crate) fn add(&mut self, master: &MasterKey, mki: &[u8]) -> Result<(), RekeyError> {
        if mki.len() != self.mki_len {
            return Err(RekeyError::IdentifierLength { expected: self.mki_len, actual: mki.len() });
        }
        if self.all.iter().any(|key| key.master.is_same(master)) {
            return Err(RekeyError::SameKey); // RFC 3711, section 9.2: a key that was used is not used again
        }
        if self.mki_len > 0 && self.all.iter().any(|key| key.mki == mki) {
            return Err(RekeyError::SameIdentifier);
        }
        self.all.truncate(MAX_KEYS - 1);
        self.insert(master, mki);
        Ok(())
    }

    /// Forgets all keys but the newest.
    pub(crate) fn forget_former(&mut self) {
        self.all.truncate(1);
    }

    /// The key that protects.
    #[inline]
    pub(crate) fn newest(&mut self) -> &mut Key {
        &mut self.all[0] // there is always one
    }

    /// How many packets the newest key may still protect.
    pub(crate) fn left(&self) -> PacketsLeft {
        self.all[0].left
    }

    /// The keys that a packet with this identifier may be under, the newest first.
    #[inline]
    pub(crate) fn candidates(&mut self, mki: &[u8]) -> impl Iterator<Item = &mut Key> {
        // Asked first because comparing nothing is dear: glibc's memcmp looks at the empty vector's address, and that costs 50 ns.
        let all = self.all.iter_mut().map(|key| &mut **key);
        all.filter(move |key| mki.is_empty() || key.mki == mki)
    }

    /// Whether a key has this identifier.
    pub(crate) fn knows(&self, mki: &[u8]) -> bool {
        self.all.iter().any(|key| key.mki == mki)
    }

    /// The rate that [`Key::rtp`] and [`Key::rtcp`] want.
    #[inline]
    pub(crate) fn schedule(&self) -> Schedule {
        Schedule { cipher: self.cipher, rate: self.rate }
    }

    fn insert(&mut self, master: &MasterKey, mki: &[u8]) {
        let derived = |labels| Derived { labels, r: 0, transform: Transform::derive(self.cipher, master, labels, 0) };
        let (rtp, rtcp) = (derived(RTP), derived(RTCP));
        let key = Key { mki: mki.to_vec(), master: master.clone(), rtp, rtcp, left: self.lifetime };
        self.all.insert(0, Box::new(key));
    }
}

/// When session keys change.
#[derive(Clone, Copy)]
pub(crate) struct Schedule {
    cipher: Cipher,
    rate: Option<u32>,
}

impl Key {
    /// The identifier.
    pub(crate) fn mki(&self) -> &[u8] {
        &self.mki
    }

    /// The session keys for the RTP packet with this index.
    #[inline]
    pub(crate) fn rtp(&mut self, schedule: Schedule, index: u64) -> &Transform {
        self.rtp.at(schedule, &self.master, index)
    }

    /// The session keys for the RTCP packet with this index.
    #[inline]
    pub(crate) fn rtcp(&mut self, schedule: Schedule, index: u64) -> &Transform {
        self.rtcp.at(schedule, &self.master, index)
    }
}

impl Derived {
    /// Derives anew when the quotient has changed. It is the same for all streams, and going back costs only time, so a forged
    /// packet does no harm here.
    #[inline]
    fn at(&mut self, schedule: Schedule, master: &MasterKey, index: u64) -> &Transform {
        if let Some(rate) = schedule.rate
            && index >> rate != self.r
        {
            self.r = index >> rate;
            self.transform = Transform::derive(schedule.cipher, master, self.labels, self.r);
        }
        &self.transform
    }
}
