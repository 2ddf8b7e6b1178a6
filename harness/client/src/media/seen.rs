//! The counters of a call, and evidence made of them.

use ringfence_model::Untrusted;
use ringfence_model::observation::{IceSeen, MediaSeen, RtcpSeen};

/// Sources that evidence lists.
const MAX_SSRCS: usize = 32;

/// What was counted; everything only goes up.
#[derive(Clone, Debug, Default)]
pub(super) struct Counters {
    /// Datagrams of any kind, apart from those of STUN and TURN servers.
    pub datagrams: i64,
    /// RTP.
    pub media: MediaSeen,
    /// RTCP.
    pub rtcp: RtcpSeen,
    /// Candidates and datagrams that the scope forbids.
    pub out_of_scope: u64,
}

impl Counters {
    /// Adds a source of the target.
    pub(super) fn source(&mut self, ssrc: u32) {
        let ssrc = i64::from(ssrc);
        if self.media.ssrcs.len() < MAX_SSRCS && !self.media.ssrcs.contains(&ssrc) {
            self.media.ssrcs.push(ssrc);
        }
    }
}

/// ICE in evidence, without what only the selected pair tells.
pub(super) fn ice(credentials: Option<&(String, String)>, key: &ringfence_model::RunKey) -> IceSeen {
    let Some((ufrag, pwd)) = credentials else { return IceSeen::default() };
    let length = |text: &str| i64::try_from(text.chars().count()).unwrap_or(i64::MAX);
    IceSeen {
        remote_ufrag: Some(key.digest(ufrag.as_bytes())),
        remote_pwd: Some(key.digest(pwd.as_bytes())),
        ufrag_length: length(ufrag),
        pwd_length: length(pwd),
        ..IceSeen::default()
    }
}

/// An address as evidence.
pub(super) fn address(address: std::net::SocketAddr) -> Untrusted {
    Untrusted::new(address.to_string())
}
