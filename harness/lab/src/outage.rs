//! An outage of signalling: every connection ends at once, and for a while nobody is let in. Only broken labs have one.

use std::time::Duration;

use tokio::sync::watch;

/// Strikes, and is waited for.
#[derive(Debug)]
pub(crate) struct Outage {
    /// How long the last one lasts.
    pause: watch::Sender<Duration>,
}

impl Outage {
    /// None so far.
    pub fn new() -> Self {
        Self { pause: watch::Sender::new(Duration::ZERO) }
    }

    /// Strikes, for so long.
    pub fn strike(&self, pause: Duration) {
        self.pause.send_replace(pause);
    }

    /// Who waits for outages from now on.
    pub fn watch(&self) -> Watch {
        Watch { pause: self.pause.subscribe() }
    }
}

/// Waits for outages.
pub(crate) struct Watch {
    pause: watch::Receiver<Duration>,
}

impl Watch {
    /// How long the next outage lasts, once it strikes.
    pub async fn struck(&mut self) -> Duration {
        match self.pause.changed().await {
            Ok(()) => *self.pause.borrow_and_update(),
            Err(_) => std::future::pending().await, // nobody is left who could strike
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_outage_is_told_once_and_only_to_who_watched() {
        let outage = Outage::new();
        let mut watch = outage.watch();
        outage.strike(Duration::from_secs(3));
        assert_eq!(watch.struck().await, Duration::from_secs(3));
        assert!(tokio::time::timeout(Duration::from_millis(20), watch.struck()).await.is_err(), "no second one");
        outage.strike(Duration::ZERO);
        assert_eq!(watch.struck().await, Duration::ZERO);
    }
}
