//! What one seed asks for: the offer, the network, and who hangs up.

use std::time::Duration;

use ringfence_client::media::{Codec, Setup, SrtpProfile};
use ringfence_lab::fault::Fault;

use super::random::Random;

/// One seed's call.
#[derive(Clone, Debug)]
pub struct Conditions {
    pub seed: u64,
    pub setup: Setup,
    pub profiles: Vec<SrtpProfile>,
    pub codec: Codec,
    /// How long offer and answer travel, each: the lab's checks may overtake its answer.
    pub signalling: Duration,
    pub weather: Weather,
    /// The lab hangs up, not the client.
    pub lab_hangs_up: bool,
    /// What is wrong with the lab; nothing, but where the oracles themselves are tried.
    pub fault: Option<Fault>,
}

/// What happens to datagrams, each way.
#[derive(Clone, Debug, Default)]
pub struct Weather {
    /// Lost, in a thousand.
    pub loss: u64,
    /// Delivered twice, in a thousand.
    pub duplication: u64,
    /// One byte changed on the way, in a thousand.
    pub corruption: u64,
    /// Also in DTLS. UDP's checksum keeps most of that away, and a handshake has no other protection before its end: such a
    /// call may fail. It still has to end, and to accept nothing.
    pub corrupts_dtls: bool,
    /// Every datagram is under way at least so long.
    pub delay: Duration,
    /// And at most so much longer, in milliseconds; so datagrams overtake each other.
    pub jitter_ms: u64,
    /// Held back for up to a second, in a thousand.
    pub late: u64,
}

impl Conditions {
    /// A tenth of the seeds have a perfect network, the others up to everything at once.
    pub fn of(seed: u64) -> Self {
        use SrtpProfile::{AeadAes128Gcm, AeadAes256Gcm, AesCm128HmacSha1_80};
        let mut random = Random::new(seed);
        let alone = [AeadAes128Gcm, AeadAes256Gcm, AesCm128HmacSha1_80].map(|profile| vec![profile]);
        let all = vec![AesCm128HmacSha1_80, AeadAes256Gcm, AeadAes128Gcm];
        let [a, b, c] = alone;
        Self {
            seed,
            setup: random.one_of(&[Setup::Actpass, Setup::Active, Setup::Passive]),
            profiles: random.one_of(&[a, b, c, all]),
            codec: random.one_of(&[Codec::Opus, Codec::Pcmu, Codec::Pcma]),
            signalling: random.up_to_ms(300),
            lab_hangs_up: random.happens(500),
            weather: Weather::of(&mut random),
            fault: None,
        }
    }

    /// Whether such a call has to come about. Each side says what is not answered five times at least: with one datagram in
    /// ten lost each way, one flight in four thousand stays unanswered.
    pub fn must_connect(&self) -> bool {
        self.weather.loss <= 100 && !self.dtls_may_be_damaged()
    }

    /// Whether the handshake may meet what no handshake survives.
    pub fn dtls_may_be_damaged(&self) -> bool {
        self.weather.corrupts_dtls && self.weather.corruption > 0
    }
}

impl Weather {
    fn of(random: &mut Random) -> Self {
        let clear = random.happens(100);
        let mut up_to = |bound: u64| if clear { 0 } else { random.below(bound + 1) };
        let (loss, duplication, corruption, late) = (up_to(300), up_to(200), up_to(50), up_to(50));
        Self {
            loss,
            duplication,
            corruption,
            late,
            jitter_ms: up_to(80),
            delay: random.up_to_ms(100),
            corrupts_dtls: random.happens(200),
        }
    }
}
