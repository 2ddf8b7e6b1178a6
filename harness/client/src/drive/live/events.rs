//! What comes from the two sides of a call, and what it means for the call.

use std::time::Instant;

use ringfence_model::Untrusted;

use super::{ForMedia, Job, MAX_KEPT, Task};
use crate::Failure;
use crate::drive::call::{EndedBy, Stage};
use crate::media::{Event as MediaEvent, TransportProfile};
use crate::signalling::Event;

impl Task {
    /// Whether the registration has come to its end, one way or the other.
    pub(super) fn registered(&mut self, events: Vec<Event>) -> bool {
        let mut done = false;
        for event in events {
            match event {
                Event::Registered { status, expires_s, .. } => {
                    self.seen.register_status = Some(status);
                    self.tell(Stage::Registered { status, expires_s });
                    done = true;
                }
                Event::RegisterFinal { status, reason } => {
                    self.seen.register_status = Some(status);
                    self.seen.status = Some(status);
                    self.seen.reason = Some(reason.clone());
                    self.tell(Stage::Refused { status, reason });
                    done = true;
                }
                Event::Failed(failure) => {
                    self.fail(failure);
                    done = true;
                }
                _ => {}
            }
        }
        done
    }

    /// What the far side's signalling means for the call, and what the media have to know.
    pub(super) fn on_signalling(&mut self, event: Event) -> Option<ForMedia> {
        match event {
            Event::Provisional { status } => {
                if self.seen.provisional.len() < MAX_KEPT {
                    self.seen.provisional.push(status);
                }
                self.tell(Stage::Progress { status });
            }
            Event::Answered { status, sdp, headers } => {
                self.seen.status = Some(status);
                self.seen.answered = true;
                let timer = headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("Session-Expires"));
                self.seen.session_expires_s = timer.and_then(|(_, value)| value.split(';').next()?.trim().parse().ok());
                self.seen.headers = headers;
                self.answered_at = Some(Instant::now());
                self.net.note_call(true);
                self.tell(Stage::Answered { status });
                if self.established {
                    self.settle();
                } else {
                    self.seen.media_failure = None; // what failed early begins anew
                }
                if sdp.is_none() {
                    self.fail(Failure::protocol("the call is answered without a description"));
                    self.settle();
                }
                self.publish();
                return sdp.map(|sdp| ForMedia::Answer(text(&sdp)));
            }
            Event::Described { sdp } => return Some(ForMedia::Answer(text(&sdp))),
            Event::Changed { status, sdp } => return Some(ForMedia::Reanswer(status, sdp.as_deref().map(text))),
            Event::Offered { sdp } => return Some(ForMedia::Offer(sdp.as_deref().map(text))),
            Event::Refused { status, reason } => {
                self.seen.status = Some(status);
                self.seen.reason = Some(reason.clone());
                self.tell(Stage::Refused { status, reason });
                self.over = true;
            }
            Event::RemoteBye { reason } => {
                self.seen.bye_reason = reason;
                self.end(EndedBy::Target);
                self.over = true;
            }
            Event::Info { content_type, body } if self.seen.infos.len() < MAX_KEPT => {
                self.seen.infos.push((content_type, Untrusted::from_bytes(&body)));
            }
            Event::FinalAnswer(answer) if answer.method != "INVITE" || self.seen.answered => {
                self.on_final_answer(answer)
            }
            Event::Answer { .. } => {
                self.on_request_over(None);
            }
            Event::Notified { status } => self.seen.notify_status = Some(status),
            Event::Ended => {
                self.end(EndedBy::Us);
                self.over = true;
            }
            // A question of the owner's that nobody answers breaks no call.
            Event::Failed(failure) if self.on_request_over(Some(&failure)) => {}
            Event::Failed(failure) => {
                // A refresh of the registration may fail in mid-call; what has ended is then the connection, if anything.
                if !self.seen.answered {
                    self.over = true;
                }
                self.fail(failure);
            }
            _ => {}
        }
        self.publish();
        None
    }

    pub(super) fn on_lost_line(&mut self) {
        if self.seen.answered {
            self.end(EndedBy::Target);
        }
        if self.seen.failure.is_none() && !matches!(self.job, Some(Job::HangUp { .. })) {
            self.fail(Failure::closed("the target closed the signalling connection"));
        }
        self.over = true;
    }

    pub(super) fn on_media(&mut self, event: MediaEvent) {
        match event {
            MediaEvent::IceConnected => {
                self.tell(Stage::IceConnected);
                // Without DTLS there is nothing more to establish.
                if self.plan.media.hellos
                    || matches!(
                        self.plan.media.profile,
                        TransportProfile::Avp | TransportProfile::Avpf | TransportProfile::Savp
                    )
                {
                    self.establish();
                }
            }
            MediaEvent::InClear => self.establish(),
            MediaEvent::DtlsCompleted => {
                self.secured_at = Some(Instant::now());
                self.tell(Stage::DtlsCompleted);
                self.establish();
            }
            MediaEvent::MediaAuthenticated => {
                self.tell(Stage::MediaAuthenticated);
                self.establish();
            }
            MediaEvent::Echoed => self.tell(Stage::Echoed),
            MediaEvent::PeerAlert(name) => self.tell(Stage::Alert(Untrusted::new(name))),
            MediaEvent::Failed(why) => {
                let why = Untrusted::new(why);
                self.seen.media_failure = Some(why.clone());
                self.tell(Stage::MediaFailed(why));
                if self.seen.answered {
                    self.settle();
                }
            }
            MediaEvent::RemoteClosed => self.end(EndedBy::Target),
            MediaEvent::Offer(_)
            | MediaEvent::Description(_)
            | MediaEvent::HelloAnswered
            | MediaEvent::AttackDone(_)
            | MediaEvent::Reoffer(_)
            | MediaEvent::RekeyDone(_) => {}
        }
    }

    /// The media are there; a call that still rings is not placed yet.
    fn establish(&mut self) {
        self.established = true;
        if self.seen.answered {
            self.settle();
        }
    }
}

fn text(sdp: &[u8]) -> String {
    String::from_utf8_lossy(sdp).into_owned()
}
