//! What the owner of a call waits for.

use std::time::{Duration, Instant};

use super::{Command, GOODBYE, Job, LAST_WORD, Task};
use tokio::sync::oneshot;
use tokio::time::timeout;

use crate::Failure;
use crate::drive::call::EndedBy;
use crate::drive::in_call::InCall;
use crate::drive::line::Line;
use crate::drive::udp::MediaCall;
use crate::hello::{Told, Traffic};
use crate::media::{AttackSeen, RekeySeen};
use crate::signalling::{FinalAnswer, Input};

/// Between two looks at the number of echoes: one packet of audio.
const LOOK: Duration = Duration::from_millis(20);

impl Task {
    pub(super) async fn begin(&mut self, command: Command, media: &MediaCall) {
        let now = Instant::now();
        match command {
            Command::Run { time, echoes, reply } => self.job = Some(Job::Run { until: now + time, echoes, reply }),
            Command::Attack { attack, reply } => {
                media.attack(attack).await;
                self.job = Some(Job::Attack { until: now + attack.longest(), reply });
            }
            Command::Rekey { rekey, reply } => {
                media.rekey(rekey).await;
                self.job = Some(Job::Rekey { until: now + rekey.longest(), reply });
            }
            // Whoever asked may be gone.
            Command::CheckKit { reply } => drop(reply.send(media.check_kit())),
            Command::Check { check, reply } => {
                media.check(check).await;
                let _ = reply.send(());
            }
            Command::Hello { ask, reply } => {
                // Its own time ends it; beyond that the media's task is gone.
                self.job = Some(Job::Hello { until: now + ask.within + LAST_WORD, reply });
                media.hello(ask).await;
            }
            Command::StopConsent { reply } => {
                media.stop_consent().await;
                let _ = reply.send(());
            }
            Command::Refresh { reply } => {
                self.look(media);
                let _ = reply.send(()); // whoever asked may be gone
            }
            Command::Request { .. } | Command::HangUp { .. } => {} // they need the line
        }
    }

    pub(super) async fn request(
        &mut self,
        line: &mut Line,
        ask: InCall,
        reply: oneshot::Sender<Result<FinalAnswer, Failure>>,
    ) {
        self.job = Some(Job::Request { until: Instant::now() + ask.answer_within, last: None, reply });
        let InCall { method, headers, body, within, .. } = ask;
        let events = line.input(Input::Request { method, headers, body, within }).await;
        events.into_iter().for_each(|event| drop(self.on_signalling(event)));
    }

    /// One more answer to what the owner asked within the call; challenges come before the last.
    pub(super) fn on_final_answer(&mut self, answer: FinalAnswer) {
        if let Some(Job::Request { last, .. }) = &mut self.job {
            *last = Some(answer);
        }
    }

    /// What the owner asked within the call will get no more answers. False where nothing was asked.
    pub(super) fn on_request_over(&mut self, failure: Option<&Failure>) -> bool {
        match self.job.take() {
            Some(Job::Request { last, reply, .. }) => {
                let failure = || failure.cloned().unwrap_or_else(|| Failure::timeout("no final answer"));
                let _ = reply.send(last.ok_or_else(failure)); // whoever asked may be gone
                true
            }
            other => {
                self.job = other;
                false
            }
        }
    }

    pub(super) async fn hang_up(&mut self, line: &mut Line, media: &MediaCall, reply: Option<oneshot::Sender<()>>) {
        self.look(media);
        self.end(EndedBy::Us);
        media.audio(false).await;
        self.job = Some(Job::HangUp { until: Instant::now() + GOODBYE, reply });
        match timeout(GOODBYE, line.input(Input::Bye)).await {
            Ok(events) => events.into_iter().for_each(|event| drop(self.on_signalling(event))),
            Err(_) => self.over = true, // the target does not even read
        }
    }

    pub(super) fn on_attack_done(&mut self, seen: AttackSeen) {
        match self.job.take() {
            Some(Job::Attack { reply, .. }) => {
                let _ = reply.send(Ok(seen)); // whoever asked may be gone
            }
            other => self.job = other,
        }
    }

    pub(super) fn on_rekey_done(&mut self, seen: RekeySeen) {
        match self.job.take() {
            Some(Job::Rekey { reply, .. }) => {
                let _ = reply.send(Ok(seen)); // whoever asked may be gone
            }
            other => self.job = other,
        }
    }

    /// What came of a hello, or was there of it when the call ended.
    pub(super) fn on_hello_answered(&mut self, media: &MediaCall) {
        match self.job.take() {
            Some(Job::Hello { reply, .. }) => {
                let (traffic, told) = media.take_hello_answer().unwrap_or((Traffic::default(), Told::Silence));
                // A target that hangs up over a hello has closed; a call that ends in another way has told nothing.
                let hung_up = self.seen.ended_by == Some(EndedBy::Target);
                let told = if matches!(told, Told::Silence) && hung_up { Told::Closed } else { told };
                let _ = reply.send((traffic, told)); // whoever asked may be gone
            }
            other => self.job = other,
        }
    }

    /// When to look again although nothing happened.
    pub(super) fn next_look(&self) -> Instant {
        let now = Instant::now();
        let job = match &self.job {
            Some(
                Job::Run { until, echoes: None, .. }
                | Job::Attack { until, .. }
                | Job::Rekey { until, .. }
                | Job::Hello { until, .. }
                | Job::Request { until, .. }
                | Job::HangUp { until, .. },
            ) => *until,
            Some(Job::Run { until, echoes: Some(_), .. }) => (*until).min(now + LOOK),
            None => now + Duration::from_secs(1),
        };
        let job = self.foreign_until.map_or(job, |until| job.min(until));
        match (&self.settle, self.answered_at) {
            (Some(_), Some(answered)) => job.min(answered + self.plan.media_within),
            _ => job,
        }
    }

    /// Ends what is due: settling, running, attacking, hanging up.
    pub(super) fn check(&mut self, media: &MediaCall) {
        let now = Instant::now();
        if self.answered_at.is_some_and(|answered| now >= answered + self.plan.media_within) || self.over {
            self.settle();
        }
        let ended = self.over || self.seen.ended_by.is_some();
        let due = match &self.job {
            Some(Job::Run { until, echoes, .. }) => {
                ended || now >= *until || echoes.is_some_and(|echoes| media.seen().media.echoed >= echoes)
            }
            Some(
                Job::Attack { until, .. }
                | Job::Rekey { until, .. }
                | Job::Hello { until, .. }
                | Job::Request { until, .. },
            ) => self.over || now >= *until,
            Some(Job::HangUp { until, .. }) => {
                self.over |= now >= *until; // nobody has to agree to a hang-up
                false
            }
            None => false,
        };
        if due {
            // What an attack has shown until the target ended the call is evidence too.
            if let Some(seen) = media.attack_so_far() {
                self.on_attack_done(seen);
            }
            self.on_hello_answered(media);
            self.look(media);
            self.finish_job();
        }
    }

    pub(super) fn finish_job(&mut self) {
        self.publish();
        // Whoever asked may be gone.
        match self.job.take() {
            Some(Job::Run { reply, .. }) => drop(reply.send(())),
            Some(Job::Attack { reply, .. }) => {
                drop(reply.send(Err(Failure::closed("the call ended before the attack did"))));
            }
            Some(Job::Rekey { reply, .. }) => {
                drop(reply.send(Err(Failure::closed("the call ended before its keys could change"))));
            }
            // The owner took something else in hand.
            Some(Job::Hello { reply, .. }) => {
                drop(reply.send((Traffic::default(), Told::Broken("the question was given up".into()))));
            }
            Some(Job::Request { last, reply, .. }) => {
                drop(reply.send(last.ok_or_else(|| Failure::closed("no final answer while the call lasted"))));
            }
            Some(Job::HangUp { reply: Some(reply), .. }) => drop(reply.send(())),
            Some(Job::HangUp { reply: None, .. }) | None => {}
        }
    }
}
