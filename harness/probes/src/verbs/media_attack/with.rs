//! The parameters of `media-attack`.

use ringfence_client::media::{AttackKind, Corpus};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::step_ref::CallRef;

/// Parameters.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct With {
    /// The held call.
    pub call: CallRef,
    /// What is wrong with the packets.
    pub kind: Kind,
    /// Where they come from.
    #[serde(default)]
    pub source: SourceWord,
    /// How many; apart from a flood, 1000 at most.
    #[schemars(range(min = 1, max = 60_000))]
    pub count: u32,
    /// Packets per second; apart from a flood, 500 at most. A flood goes no faster than the target file consents to.
    #[schemars(range(min = 1, max = 3000))]
    pub rate: u32,
    /// What they are made of, where the kind leaves a choice.
    #[serde(default)]
    pub corpus: CorpusWord,
}

macro_rules! words {
    ($(#[$doc:meta])* $name:ident => $type:ident { $($(#[$variant_doc:meta])* $variant:ident),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
        #[serde(rename_all = "kebab-case")]
        pub enum $name { $($(#[$variant_doc])* $variant),+ }

        impl From<$name> for $type {
            fn from(word: $name) -> Self {
                match word { $($name::$variant => $type::$variant),+ }
            }
        }
    };
}

words! {
    /// What is wrong with the packets.
    Kind => AttackKind {
        /// One bit of the tag is flipped; with GCM one of the ciphertext as well.
        ForgedTag,
        /// The tag is left out.
        NoTag,
        /// RTP in the clear.
        PlainRtp,
        /// Protected under another key.
        WrongKey,
        /// Sent once more, 1 to 40 packets behind the newest.
        Replay,
        /// Sent once more, 100 to 250 packets behind the newest.
        ReplayOld,
        /// A sender report and a BYE, one bit of the tag flipped.
        SrtcpForged,
        /// An earlier sender report once more.
        SrtcpReplay,
        /// A sender report and a BYE in the clear.
        SrtcpPlain,
        /// A wrong tag, and a sequence number 32,000 ahead.
        RocJump,
        /// Nothing: good packets whose sequence numbers wrap.
        RocWrap,
        /// Lengths and counts that point past the end, packets of hardly any length; half of them protected. A call beside it.
        Malformed,
        /// Good packets, cut off anywhere. A call beside it.
        Truncated,
        /// Good packets under a second SSRC, then under the target's.
        WrongSsrc,
        /// RTP under random SSRCs, to the call's port and the next odd one.
        BleedSpray,
        /// RTP with our SSRC and next sequence numbers.
        Inject,
        /// Nothing: there are only too many. A call beside it.
        Flood,
        /// A first byte that is none of RTP's, under a tag that fits.
        Demux,
        /// SRTCP index 2^31 - 1, then 0 and up.
        SrtcpIndexLimit,
    }
}

words! {
    /// What packets are made of.
    CorpusWord => Corpus {
        /// RTP in the clear.
        Plain,
        /// An RTP header and noise.
        RandomSrtp,
        /// Packets that we sent before.
        CapturedSrtp,
        /// With `malformed`: RTP.
        Rtp,
        /// With `malformed`: RTCP.
        Rtcp,
    }
}

#[expect(clippy::derivable_impls, reason = "the macro writes the variants, and one of them is the default")]
impl Default for CorpusWord {
    fn default() -> Self {
        CorpusWord::Plain
    }
}

impl Kind {
    /// Whether another participant's call runs beside the attack and is measured: then it is disruptive too.
    pub fn needs_a_call_beside(self) -> bool {
        matches!(self, Kind::Malformed | Kind::Truncated | Kind::Flood)
    }
}

/// Where packets come from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum SourceWord {
    /// The call's own port.
    #[default]
    Own,
    /// A second port of ours.
    OtherPort,
    /// A second address of ours.
    OtherAddress,
}
