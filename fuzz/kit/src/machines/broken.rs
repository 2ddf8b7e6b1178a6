//! Machines that are broken on purpose, for the tests of oracles: all that one knows is what it does with each input.

use std::collections::VecDeque;
use std::time::Instant;

use ringfence_client::media;
use ringfence_client::signalling::{Input, Output};
use ringfence_model::observation::CallSeen;

use super::subject::{Medium, Subject};

/// What comes of an input: outputs, and the wish to be woken.
pub type Does<O> = (Vec<O>, Option<Instant>);

struct Broken<O, F> {
    outputs: VecDeque<O>,
    wake: Option<Instant>,
    does: F,
    seen: CallSeen,
}

impl<O, F> Broken<O, F> {
    fn take(&mut self, (outputs, wake): Does<O>) {
        self.outputs.extend(outputs);
        self.wake = wake;
    }
}

impl<F: FnMut(Instant, &Input<'_>) -> Does<Output>> Subject for Broken<Output, F> {
    fn input(&mut self, now: Instant, input: Input<'_>) {
        let does = (self.does)(now, &input);
        self.take(does);
    }

    fn poll(&mut self) -> Output {
        let rests = self.wake.map_or(Output::Idle, Output::Timeout);
        self.outputs.pop_front().unwrap_or(rests)
    }
}

impl<F: FnMut(Instant, &media::Input<'_>) -> Does<media::Output>> Medium for Broken<media::Output, F> {
    fn input(&mut self, now: Instant, input: media::Input<'_>) {
        let does = (self.does)(now, &input);
        self.take(does);
    }

    fn poll(&mut self) -> media::Output {
        let rests = self.wake.map_or(media::Output::Idle, media::Output::Timeout);
        self.outputs.pop_front().unwrap_or(rests)
    }

    fn unconnected(&self) -> Option<usize> {
        None
    }

    fn seen(&self, _now: Instant) -> CallSeen {
        self.seen.clone()
    }
}

/// A machine that signals so.
pub fn signals(does: impl FnMut(Instant, &Input<'_>) -> Does<Output>) -> impl Subject {
    Broken { outputs: VecDeque::new(), wake: None, does, seen: CallSeen::default() }
}

/// A machine that carries media so: what it begins with, what it says that it has seen, and what it does.
pub fn carries(
    (outputs, wake): Does<media::Output>,
    seen: CallSeen,
    does: impl FnMut(Instant, &media::Input<'_>) -> Does<media::Output>,
) -> impl Medium {
    Broken { outputs: outputs.into(), wake, does, seen }
}
