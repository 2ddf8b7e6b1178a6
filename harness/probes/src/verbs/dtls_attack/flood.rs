//! `cookie-flood`: what a stranger's hellos draw from the port of a call. RFC 6347, section 4.2.1: a server answers a hello without
//! a cookie with no more than a request for one, or behind ICE (RFC 8827, section 6.3) with nothing at all.

use std::time::Duration;

use ringfence_client::adapters::CallConfig;
use ringfence_client::media::MediaPlan;

use super::{Done, Seen, calls};
use crate::Cx;

/// What the hellos and the wait behind them may hold up our own handshake by: 50 ms for each, and two seconds.
fn extra(hellos: u32) -> Duration {
    Duration::from_millis(50) * hellos + Duration::from_secs(2)
}

/// How long the call lives on behind its handshake: repeated flights still come to the stranger.
const LISTENING: Duration = Duration::from_secs(1);

pub(super) async fn cookies(cx: &Cx, config: &CallConfig, hellos: u32, seen: &mut Seen) -> Done {
    let media = MediaPlan { stranger_hellos: hellos, ..calls::media(cx)? };
    let mut live = calls::call(cx, (0, config), media, extra(hellos)).await?;
    live.run_for(LISTENING).await;
    let ended = live.hang_up().await;
    let drew = &ended.strangers;
    seen.attempts = drew.hellos;
    seen.succeeded = drew.server_hellos.min(drew.hellos);
    seen.bytes_out = drew.bytes_out;
    seen.bytes_in = drew.bytes_in;
    seen.cookies = drew.cookies;
    seen.relayed = drew.relayed;
    let completed = ended.media.dtls.completed;
    seen.handshakes_lost = i64::from(ended.media.ice.connected && !completed);
    seen.control_ok = completed && drew.hellos > 0;
    match calls::note(&ended, seen)? {
        Some(failure) => Ok(Err(failure)),
        None => Ok(Ok(())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_handshake_is_given_the_time_that_the_hellos_take() {
        assert_eq!(extra(20), Duration::from_secs(3));
    }
}
