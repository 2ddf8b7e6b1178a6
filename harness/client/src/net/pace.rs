//! How fast a run asks: the rate that a second consent allows, and the rest that a server asks for.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep_until};
use url::Url;

/// Longest rest that a server is granted (house). Who asks for more is not waited for: its answer stands.
const MAX_REST: Duration = Duration::from_secs(60);
/// Servers whose rest is kept in mind (house).
const MAX_SERVERS: usize = 256;

/// A token bucket that holds one token: requests of disruptive steps are as far apart as the declared rate says, over all
/// steps that share it.
#[derive(Clone, Debug)]
pub struct Rate {
    apart: Duration,
    next: Arc<Mutex<Instant>>,
}

impl Rate {
    /// So many requests per second at most, at least one.
    pub fn per_second(rate: u32) -> Self {
        Self { apart: Duration::from_secs(1) / rate.max(1), next: Arc::new(Mutex::new(Instant::now())) }
    }

    /// Waits for the next token.
    pub async fn turn(&self) {
        let turn = {
            let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
            let turn = (*next).max(Instant::now());
            *next = turn + self.apart;
            turn
        };
        sleep_until(turn).await;
    }
}

/// Until when servers want to be left alone: 429 (RFC 6585, section 4) and 503 with Retry-After (RFC 9110, section 10.2.3),
/// by origin and by the address that was asked from.
#[derive(Debug, Default)]
pub(super) struct Rests(Mutex<HashMap<(String, Option<IpAddr>), Instant>>);

impl Rests {
    /// Notes what an answer asks for. `retry_after` in seconds; as a date it is not honoured, as our clock need not be theirs.
    pub fn note(&self, url: &Url, source: Option<IpAddr>, status: u16, retry_after: Option<&str>) {
        let seconds = retry_after.and_then(|value| value.trim().parse().ok()).map(Duration::from_secs);
        let Some(rest) = seconds.filter(|rest| matches!(status, 429 | 503) && *rest <= MAX_REST) else { return };
        let mut rests = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if rests.len() < MAX_SERVERS {
            rests.insert((url.origin().ascii_serialization(), source), Instant::now() + rest);
        }
    }

    /// Waits until the server's rest is over.
    pub async fn over(&self, url: &Url, source: Option<IpAddr>) {
        let until = {
            let rests = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            rests.get(&(url.origin().ascii_serialization(), source)).copied()
        };
        if let Some(until) = until {
            sleep_until(until).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn disruptive_requests_are_apart_whoever_sends_them() {
        let rate = Rate::per_second(100);
        let begun = Instant::now();
        let tasks = [rate.clone(), rate].map(|rate| {
            tokio::spawn(async move {
                for _ in 0..10 {
                    rate.turn().await;
                }
            })
        });
        for task in tasks {
            task.await.unwrap();
        }
        assert!(begun.elapsed().as_millis() >= 190, "19 gaps of 10 ms between twenty");
    }

    #[tokio::test]
    async fn a_server_is_left_alone_as_long_as_it_asks_within_bounds() {
        let (url, other) = (Url::parse("https://a.test/x").unwrap(), Url::parse("https://b.test/x").unwrap());
        let noted = |status, value| {
            let rests = Rests::default();
            rests.note(&url, None, status, value);
            let noted = rests.0.lock().unwrap().len();
            (rests, noted)
        };
        for (status, value) in [
            (200, Some("7")),
            (429, None),
            (429, Some("61")),
            (429, Some("999999999")),
            (429, Some("-1")),
            (503, Some("Thu, 01 Jan 1970 00:00:00 GMT")),
        ] {
            assert_eq!(noted(status, value).1, 0, "{status} {value:?}");
        }
        assert_eq!(noted(503, Some(" 3 ")).1, 1);
        let begun = Instant::now();
        let (rests, _) = noted(429, Some("1"));
        rests.over(&other, None).await;
        rests.over(&url, "127.0.0.9".parse().ok()).await;
        rests.over(&url, None).await;
        assert!(begun.elapsed() >= Duration::from_secs(1));
    }
}
