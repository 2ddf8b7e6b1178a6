//! Profiles: how much of the library a run asks for when nothing is named.

use ringfence_model::scenario::Scenario;
use ringfence_model::verdict::Intrusion;

use crate::limits::intrusion;
use crate::plan::BROWSER;

/// The one call of [`Profile::Smoke`]: an honest one, which shows whether media are protected at all.
const SMOKE_CALL: &str = "media/not-dtls-srtp";

/// How much is asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Profile {
    /// What a visitor's client does, and one call; no browser. For every commit.
    Smoke,
    /// Everything but what may lock, remove or load. For every night and every release.
    #[default]
    Ci,
    /// Everything that the target file consents to.
    Full,
}

impl Profile {
    /// Every profile, the smallest first.
    pub const ALL: [Profile; 3] = [Profile::Smoke, Profile::Ci, Profile::Full];

    /// The written word.
    pub const fn word(self) -> &'static str {
        match self {
            Profile::Smoke => "smoke",
            Profile::Ci => "ci",
            Profile::Full => "full",
        }
    }

    /// What it asks for, in a line.
    pub const fn about(self) -> &'static str {
        match self {
            Profile::Smoke => "what a visitor's client does, and one call; no browser",
            Profile::Ci => "everything but what may lock, remove or load",
            Profile::Full => "everything that the target file consents to",
        }
    }

    /// The smallest profile that asks for a scenario.
    pub fn of(scenario: &Scenario) -> Profile {
        let browser = scenario.needs.iter().any(|need| need == BROWSER);
        match intrusion(scenario) {
            Intrusion::Passive if !browser => Profile::Smoke,
            Intrusion::Disruptive => Profile::Full,
            _ if scenario.id == SMOKE_CALL => Profile::Smoke,
            _ => Profile::Ci,
        }
    }

    /// Whether it asks for a scenario.
    pub fn asks(self, scenario: &Scenario) -> bool {
        let rank = |profile| Self::ALL.iter().position(|one| *one == profile);
        rank(Self::of(scenario)) <= rank(self)
    }
}
