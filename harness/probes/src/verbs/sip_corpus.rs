//! `sip-corpus`: a corpus of messages over the signalling connection, while a second connection shows that the service is
//! alive.

mod answer;
mod contradictions;
mod draft;
mod framing;
mod item;
mod oversize;
mod ring;
mod seen;
mod sender;
mod smuggling;
mod torture;
mod weigh;
mod with;

use std::sync::Arc;
use std::time::Duration;

use ringfence_client::adapters::CallConfig;
use ringfence_client::drive::prober::{EVERY, Prober, ProberPlan};
use ringfence_model::verdict::Intrusion;
use tokio::time::sleep;

use super::beside::Beside;
use crate::origin::OriginVariant;
use crate::{Asked, Cost, Cx, OwnFault, Probe};
use draft::{Draft, Words};
use item::{Asks, Item};
pub use seen::{ProberSeen, Seen};
use sender::{Sender, Told};
pub use with::{Corpus, With};

/// How long the prober asks before the first item (house): four questions.
const BASELINE: Duration = EVERY.saturating_mul(4);
/// How long it asks after the last one (house): what was sent may take a moment to hurt.
const AFTERMATH: Duration = Duration::from_secs(2);
/// Questions lost in a row after which no more is sent (house): that is evidence enough, and somebody may have to repair it.
const STOPS_AFTER: u32 = 10;
/// How long a target that lets nobody in again is left alone, once (the catalogue's figure).
const REST: Duration = Duration::from_secs(60);

/// See [`Probe::DOES`].
pub struct SipCorpus;

impl Probe for SipCorpus {
    const NAME: &'static str = "sip-corpus";
    const DOES: &'static str =
        "a corpus of messages over the signalling connection, while another one shows that the service is alive";
    type With = With;
    type Seen = Seen;

    fn cost(with: &With) -> Cost {
        let own = u32::from(with.config.is_none());
        let calls = u32::from(with.corpus.has_a_call_beside());
        let cost = Cost { mints: own + 1 + calls, connections: 2 + calls, calls, ..Cost::ACTIVE };
        let disruptive = Cost { intrusion: Intrusion::Disruptive, ..cost };
        match with.corpus {
            // Participant 2 is rung, whom the harness plays.
            Corpus::Smuggling => Cost { calls: ring::MAX_CALLS, in_turn: true, connections: 3, seconds: 20, ..cost },
            Corpus::Contradictions | Corpus::Framing => Cost { seconds: 25, ..cost },
            Corpus::Rfc4475Mild => Cost { seconds: 25, ..cost },
            Corpus::Rfc4475 | Corpus::FuzzRegressions => Cost { seconds: 40, ..disruptive },
            Corpus::Rfc5118 => Cost { seconds: 20, ..disruptive },
            Corpus::Oversize => Cost { seconds: 120, ..disruptive },
        }
    }

    async fn ask(cx: &Cx, with: With) -> Result<Asked<Seen>, OwnFault> {
        let config = match cx.config(with.config.as_ref()).await? {
            Ok(config) => config,
            Err(failure) => return Ok(Asked::failed(Seen::default(), failure)),
        };
        let second = cx.other_config(&config).await?;
        let origin = OriginVariant::Trusted.value(&cx.target);
        let words = Words::new(&config, cx.seed);
        let mut sender = match Sender::new(&cx.net, &config, origin.clone(), &words) {
            Ok(sender) => sender,
            Err(failure) => return Ok(Asked::failed(Seen::default(), failure)),
        };
        let mut seen = Seen::default();
        // Where the target knows one participant only, that one asks on a second connection.
        let prober = second.as_ref().unwrap_or(&config);
        let plan = ProberPlan { config: (**prober).clone(), origin, seed: cx.seed ^ 2 };
        // It does no more than a visitor, and waits for nobody's turn: a declared rate is for what is sent beside it.
        let prober = Prober::start(&cx.net.for_step(true, None), plan);
        let beside = match with.corpus.has_a_call_beside() {
            true => Some(Beside::place(cx).await?),
            false => None,
        };
        sleep(BASELINE).await;
        prober.mark().await;
        let failure = match sender.open().await {
            Err(failure) => Some(failure),
            Ok(()) => {
                converse(cx, with.corpus, &words, (&config, second.as_ref()), &mut sender, &prober, &mut seen).await?;
                None
            }
        };
        sender.close().await;
        seen.connection_losses = sender.losses;
        sleep(AFTERMATH).await;
        if let Some(beside) = beside {
            let told = beside.end().await;
            (seen.second_call_before, seen.second_call_alive) = (told.heard_before, told.heard);
            seen.second_call_left = told.left;
        }
        seen.prober = prober.finish().await.into();
        Ok(match failure {
            Some(failure) => Asked::failed(seen, failure),
            None => Asked::answered(seen),
        })
    }
}

/// The conversation itself, on a connection that is open.
async fn converse(
    cx: &Cx,
    corpus: Corpus,
    words: &Words,
    (config, second): (&Arc<CallConfig>, Option<&Arc<CallConfig>>),
    sender: &mut Sender,
    prober: &Prober,
    seen: &mut Seen,
) -> Result<(), OwnFault> {
    let registers = config.register && config.password.is_some();
    let items = match corpus {
        Corpus::Smuggling => return ring::smuggle(cx, words, config, second, sender, seen).await,
        Corpus::Rfc4475 => torture::whole(words, 4475)?,
        Corpus::Rfc5118 => torture::whole(words, 5118)?,
        Corpus::Rfc4475Mild => torture::mild(words)?,
        Corpus::FuzzRegressions => torture::regressions(words),
        Corpus::Contradictions => contradictions::items(words, registers),
        Corpus::Framing => framing::items(words),
        Corpus::Oversize => oversize::items(words),
    };
    let hostile = matches!(corpus, Corpus::Oversize | Corpus::FuzzRegressions);
    let told = send_all(cx, &items, sender, prober, hostile, seen).await;
    seen.total = count(items.len());
    weigh::weigh(&items, &told, |call_id| sender.statuses(call_id), seen);
    if corpus == Corpus::Contradictions && registers {
        unregister(words, sender).await;
    }
    Ok(())
}

/// Sends one after the other; what became of those that were reached.
async fn send_all(
    cx: &Cx,
    items: &[Item],
    sender: &mut Sender,
    prober: &Prober,
    hostile: bool,
    seen: &mut Seen,
) -> Vec<Told> {
    let mut told = Vec::new();
    for item in items {
        if prober.lost_in_a_row() >= STOPS_AFTER {
            break;
        }
        if item.dials().is_some_and(|uri| cx.net.may_dial(&uri, sender.realm()).is_err()) {
            told.push(Told::default());
            continue;
        }
        let mut one = sender.say(item).await;
        if !one.sent && hostile && !seen.refused_at_once {
            seen.refused_at_once = true;
            sleep(REST).await;
            one = sender.say(item).await;
        }
        told.push(one);
        if !one.sent {
            break;
        }
    }
    told
}

/// Takes the sender's contact back.
async fn unregister(words: &Words, sender: &mut Sender) {
    let draft = Draft::register(words, "gone", 0);
    sender.say(&Item::request("gone", Asks::Alive, draft)).await;
}

fn count(items: usize) -> i64 {
    i64::try_from(items).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests;
