//! A scan of the media port of calls. It answers nobody before the ICE checks, and most answer one hello per call: so each
//! question costs a call, as long as the target does not show that it answers more of them.
//!
//! # What is believed
//! The first answer of a call is believed like that of a server that was asked from a fresh port. In a call that was asked
//! before, only a whole ServerHello with a random that was not seen in it counts: silence, alerts and garbage may come of what
//! went before, and the question is put again in a fresh call. Silence in a fresh call counts as a closed connection where the
//! target went on answering connectivity checks behind the hello: a refusal only if it repeats, and if an offer that is known
//! good is accepted after it.

use std::collections::HashSet;
use std::net::SocketAddr;
use std::time::Duration;

use futures_util::future::BoxFuture;
use ringfence_model::RunKey;
use ringfence_model::observation::Outcome;
use ringfence_wire::hello::{ClientHello, Depth, Reply, Version};
use tokio::time::{Instant, sleep_until};

use super::findings::{Report, Traffic};
use super::machine::{Ask, Told};
use super::offer::Question;
use super::scan::{Scan, Step};
use crate::adapters::FetchError;
use crate::drive::call::{CallObservation, CallPlan, LiveCall, place};
use crate::media::{HelloAsk, Setup};
use crate::{Failure, Net};

/// Calls in a row that come to no pair before no more are placed (house): somebody's telephone may ring.
const FRUITLESS: u32 = 3;
/// Between two calls (house): each sends some ten requests, and a limit of thirty a second is usual.
const APART: Duration = Duration::from_millis(400);
/// How many times as long behind so many calls in a row that came to nothing.
const LONGER: [u32; 3] = [1, 8, 32];
/// Questions that a used call leaves open while a fresh one answers them, before calls are used once only (house).
const DISAPPOINTMENTS: u32 = 2;

/// Makes the plan of the next call; its number counts from 0. What it says about SDP and DTLS roles is overwritten where the
/// questions need it.
pub type NextCall<'a> = &'a (dyn Fn(u32) -> BoxFuture<'a, Result<CallPlan, FetchError>> + Sync);

/// The bounds of a scan through calls.
#[derive(Clone, Copy, Debug)]
pub struct CallBounds {
    /// From a hello to the end of its answer: several copies of it go out meanwhile. At least two seconds are of use.
    pub answer: Duration,
    /// Calls in all. What they do not tell is unknown.
    pub max_calls: u32,
    /// From the beginning of one call to that of the next, at least. Behind one that came to nothing it is eight times as
    /// long, behind two thirty-two times: who counts calls may count too many.
    pub apart: Duration,
}

impl CallBounds {
    /// Calls no faster than a target lets configurations be fetched, and than servers that count requests take for a flood.
    pub fn paced(answer: Duration, max_calls: u32, mints_per_s: u32) -> Self {
        Self { answer, max_calls, apart: (Duration::from_secs(1) / mints_per_s.max(1)).max(APART) }
    }
}

/// What the calls told.
#[derive(Clone, Debug, Default)]
pub struct CallsReport {
    /// What was found.
    pub report: Report,
    /// Calls that were placed, whatever came of them.
    pub calls_made: u32,
    /// Questions that were answered in a call that had answered another before.
    pub reused: u32,
    /// Whom the last call's checked pair led to.
    pub address: Option<SocketAddr>,
}

/// How far a scan is, for those who wait for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Calls so far.
    pub calls_made: u32,
    /// Hellos so far, copies not counted.
    pub hellos: u32,
    /// The version that is asked for.
    pub version: Version,
}

/// Asks the media port of calls about these versions, one call at a time, each ended by BYE. `question.server_name` is
/// passed over: nobody names a media port.
///
/// # Errors
/// The scope, the dialling rule or the budget does not allow it, no call came to a checked pair, or something is our own fault.
pub async fn media<'a>(
    net: &'a Net,
    key: &'a RunKey,
    next: NextCall<'a>,
    versions: &[Version],
    question: &Question,
    bounds: CallBounds,
    progress: impl Fn(Progress) + Send,
) -> Result<CallsReport, FetchError> {
    let question = Question { server_name: None, ..question.clone() };
    let mut scan = Scan::of(versions, &question);
    let mut calls = Calls {
        net,
        key,
        next,
        bounds,
        open: None,
        made: 0,
        reused: 0,
        fruitless: 0,
        begun: None,
        ever: false,
        why: None,
        address: None,
        disappointments: 0,
    };
    let mut hellos = 0;
    let result = loop {
        match scan.next() {
            Step::Ask(number, ask) => {
                hellos += 1;
                if let Ask::Hello(hello) = &ask {
                    progress(Progress { calls_made: calls.made, hellos, version: hello.version });
                }
                match calls.ask(ask).await {
                    Ok((traffic, told)) => scan.answer(number, traffic, told),
                    Err(error) => break Err(error),
                }
            }
            // Each question is answered before the next: nothing can be waited for.
            Step::Wait => break Err(FetchError::Own("a scan waits for an answer that nobody was asked for".into())),
            Step::Done(report) => break Ok(*report),
        }
    };
    calls.hang_up().await;
    let report = result?;
    match calls.why.filter(|_| !calls.ever) {
        Some(failure) => Err(FetchError::Target(failure)),
        None => Ok(CallsReport { report, calls_made: calls.made, reused: calls.reused, address: calls.address }),
    }
}

/// One call after the other.
struct Calls<'a> {
    net: &'a Net,
    key: &'a RunKey,
    next: NextCall<'a>,
    bounds: CallBounds,
    open: Option<Open>,
    made: u32,
    reused: u32,
    fruitless: u32,
    /// When the last one was placed.
    begun: Option<Instant>,
    /// A call came to a pair.
    ever: bool,
    /// Why the last one did not.
    why: Option<Failure>,
    address: Option<SocketAddr>,
    disappointments: u32,
}

/// A call that can be asked.
struct Open {
    live: LiveCall,
    /// Randoms of its ServerHellos.
    randoms: HashSet<[u8; 32]>,
    /// Questions that it was asked before the present one.
    used: u32,
}

impl Calls<'_> {
    async fn ask(&mut self, ask: Ask) -> Result<(Traffic, Told), FetchError> {
        let (mut hello, sequence) = match ask {
            Ask::Hello(hello) => (hello, 0),
            Ask::Cookie(hello, sequence) => (hello, sequence),
            Ask::Done(_) => return Ok((Traffic::default(), Told::Broken("nothing was asked".into()))),
        };
        let version = hello.version;
        let may_ask = |open: &Open| sequence > 0 || (open.used > 0 && !version.is_13());
        let mut left_open = false;
        if self.disappointments >= DISAPPOINTMENTS && sequence == 0 {
            self.hang_up().await;
        }
        if let Some(mut open) = self.open.take() {
            if may_ask(&open) && open.live.is_live() {
                let (traffic, told) = self.put(&mut open, &hello, sequence).await;
                let first = open.used == 0;
                if first || open.is_new(&told, &hello) || matches!(told, Told::Reply(Reply::HelloVerifyRequest { .. }))
                {
                    self.reused += u32::from(!first && matches!(told, Told::Reply(Reply::ServerHello(_))));
                    self.keep(open, &told, version).await;
                    return Ok((traffic, told));
                }
                left_open = true;
            }
            open.live.hang_up().await;
        }
        // A cookie is of no use in another call.
        hello.cookie.clear();
        let mut open = match self.fresh().await? {
            Ok(open) => open,
            Err(why) => return Ok((Traffic::default(), Told::Broken(why))),
        };
        let (traffic, told) = self.put(&mut open, &hello, 0).await;
        self.disappointments += u32::from(left_open && matches!(told, Told::Reply(Reply::ServerHello(_))));
        self.keep(open, &told, version).await;
        Ok((traffic, told))
    }

    async fn put(&self, open: &mut Open, hello: &ClientHello, message_seq: u16) -> (Traffic, Told) {
        let within = self.bounds.answer;
        // To the end of the flight in any case: it holds the certificate.
        let ask = HelloAsk { hello: Box::new(hello.clone()), message_seq, depth: Depth::Flight, within };
        open.live.ask(ask).await
    }

    /// Keeps a call that may be asked again, and hangs up any other.
    async fn keep(&mut self, mut open: Open, told: &Told, version: Version) {
        let waits = matches!(told, Told::Reply(Reply::HelloVerifyRequest { .. }));
        let ended = match told {
            Told::Reply(Reply::ServerHello(hello)) => open.randoms.insert(hello.random) && !version.is_13(),
            Told::Reply(Reply::Alert { .. }) => true,
            _ => false,
        };
        // Of a question that got no answer a late one may still come, which is none to the next.
        let again = ended && self.disappointments < DISAPPOINTMENTS && open.live.is_live();
        open.used += u32::from(!waits);
        if waits || again {
            self.open = Some(open);
        } else {
            open.live.hang_up().await;
        }
    }

    /// A call that nobody has asked anything, or our words for why there is none.
    async fn fresh(&mut self) -> Result<Result<Open, String>, FetchError> {
        if self.made >= self.bounds.max_calls {
            return Ok(Err(format!("all {} calls that are allowed were placed", self.bounds.max_calls)));
        }
        if self.fruitless >= FRUITLESS {
            let why = self.why.as_ref().map_or_else(String::new, |failure| format!(": {}", failure.error.raw()));
            return Ok(Err(format!("no call comes to a checked pair any more{why}")));
        }
        if let Some(begun) = self.begun {
            let longer = LONGER.get(usize::try_from(self.fruitless).unwrap_or(usize::MAX)).copied().unwrap_or(1);
            sleep_until(begun + self.bounds.apart * longer).await;
        }
        self.begun = Some(Instant::now());
        let mut plan = match (self.next)(self.made).await {
            Ok(plan) => plan,
            Err(FetchError::Target(failure)) => return self.fruitless(failure),
            Err(own) => return Err(own),
        };
        plan.media.hellos = true;
        plan.media.setup = Setup::Active;
        self.net.turn().await;
        self.made += 1;
        let mut live = place(self.net, plan, self.key, |_| {}).await;
        live.refresh().await;
        let seen = live.seen();
        if let Some(fault) = seen.own_fault {
            return Err(FetchError::Own(fault));
        }
        if live.is_live() && seen.media.ice.connected && seen.media_failure.is_none() {
            (self.ever, self.fruitless, self.why) = (true, 0, None);
            self.address = seen.media.ice.remote_address.as_ref().and_then(|address| address.raw().parse().ok());
            return Ok(Ok(Open { live, randoms: HashSet::new(), used: 0 }));
        }
        live.hang_up().await;
        self.fruitless(failure(&seen))
    }

    fn fruitless(&mut self, failure: Failure) -> Result<Result<Open, String>, FetchError> {
        // Nobody there at all is no reason to try thrice.
        let nobody = failure.outcome == Outcome::Unreachable && !self.ever;
        if nobody || matches!(failure.outcome, Outcome::OutOfScope | Outcome::Budget) {
            return Err(FetchError::Target(failure));
        }
        self.fruitless += 1;
        let why = format!("no call to ask in: {}", failure.error.raw());
        self.why = Some(failure);
        Ok(Err(why))
    }

    async fn hang_up(&mut self) {
        if let Some(open) = self.open.take() {
            open.live.hang_up().await;
        }
    }
}

impl Open {
    /// Whether an answer of a used call can only be to the hello that was just put: a server that answers a late copy of the one
    /// before, with another random, names what was offered then.
    fn is_new(&self, told: &Told, asked: &ClientHello) -> bool {
        let Told::Reply(Reply::ServerHello(hello)) = told else { return false };
        let whole = hello.done && hello.alert.is_none() && hello.broken.is_none();
        let offered = |named: Option<u16>, list: Vec<u16>| named.is_none_or(|code| list.contains(&code));
        let all_offered = asked.suites.contains(&hello.suite)
            && offered(hello.group, asked.groups())
            && offered(hello.signature_scheme, asked.signature_schemes())
            && offered(hello.srtp_profile(), asked.srtp_profiles());
        let fresh = hello.version == asked.version && !self.randoms.contains(&hello.random);
        whole && all_offered && fresh && !asked.version.is_13()
    }
}

/// Why a call did not come to a pair that can be asked on.
fn failure(seen: &CallObservation) -> Failure {
    if let Some(failure) = &seen.failure {
        return failure.clone();
    }
    match (seen.answered, seen.status, &seen.media_failure) {
        (true, _, Some(why)) => Failure::protocol(why.raw()),
        (true, _, None) => Failure::timeout("the call came to no checked pair"),
        (false, Some(status), _) => Failure::closed(format!("the call is refused with {status}")),
        (false, None, Some(why)) => Failure::protocol(why.raw()),
        (false, None, None) => Failure::timeout("the call is not answered"),
    }
}
