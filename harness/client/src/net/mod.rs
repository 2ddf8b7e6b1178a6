//! The one way out: every connection of a run is dialled here, inside the scope, within the limits.

mod dial;
mod early_data;
mod limits;
mod owner;
mod pace;
mod record;
mod scope;
mod shown;
mod special;
mod tls;

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ringfence_model::observation::Outcome;
use ringfence_model::report::Sampled;
use ringfence_model::target::{Destinations, Target};
use tokio::sync::watch;
use url::Url;

use crate::Failure;
use crate::adapters::dialling::{self, Dial, FOREIGN_DIALS};

pub use limits::Limits;
pub use owner::{Owners, PERMISSION};
pub use pace::Rate;
pub use record::Via;
pub use scope::{Cidr, Scope};
pub use shown::{ServerCertificate, TlsShown, TlsVersion};
pub(crate) use tls::{tls_error, version_word};

/// What is wrong with our own side: the target file or the machine.
#[derive(Debug, thiserror::Error)]
pub enum NetError {
    /// The certificates of `ca_file` cannot be used.
    #[error("ca_file: cannot use {path}: {why}")]
    CaFile {
        /// The file.
        path: PathBuf,
        /// Why.
        why: String,
    },
    /// A network that cannot be read.
    #[error("{key}: {message}")]
    Network {
        /// The key of the target file.
        key: &'static str,
        /// What is wrong.
        message: String,
    },
    /// TLS cannot be set up at all.
    #[error("cannot set up TLS: {0}")]
    Tls(String),
}

/// The network of one run. Clones share what was resolved and counted; limits, source address and what a step may do are
/// each clone's own.
#[derive(Clone, Debug)]
pub struct Net {
    shared: Arc<Shared>,
    /// One for each clone, but for one that waits to be the last.
    user: Option<watch::Receiver<()>>,
    limits: Limits,
    source: Option<IpAddr>,
    step: Step,
}

/// What the step that asks may do, and what came of that.
#[derive(Clone, Debug)]
struct Step {
    /// It does no more than a visitor's client.
    visitor: bool,
    /// How fast it may ask, where that is declared.
    rate: Option<Rate>,
    vendor: Arc<Mutex<Vendor>>,
}

/// How a step met hosts of a vendor that permits no more than a visitor does.
#[derive(Debug, Default)]
struct Vendor {
    /// It spoke to one, as a visitor does.
    visited: Option<String>,
    /// It wanted more, and was not let.
    withheld: Option<String>,
}

#[derive(Debug)]
struct Shared {
    scope: Scope,
    owners: owner::Owners,
    record: Mutex<record::Record>,
    rests: pace::Rests,
    foreign_dials: AtomicU32,
    trust: tls::Trust,
    destinations: Destinations,
    /// Addresses by name, checked once and kept for the whole run: a second answer of the name server changes nothing.
    pins: Mutex<HashMap<String, Vec<IpAddr>>>,
    answered: AtomicBool,
    conversations: AtomicU64,
    users: watch::Sender<()>,
}

impl Net {
    /// Reads scope and certificates of a target file.
    ///
    /// # Errors
    /// An unreadable `ca_file`, or a network in the scope that cannot be read.
    pub fn new(target: &Target) -> Result<Self, NetError> {
        let (users, user) = watch::channel(());
        let shared = Shared {
            users,
            scope: Scope::new(target)?,
            owners: owner::Owners::new(target),
            record: Mutex::default(),
            rests: pace::Rests::default(),
            foreign_dials: AtomicU32::new(0),
            trust: tls::Trust::new(target.ca_file.as_deref(), target.accept_untrusted)?,
            destinations: target.destinations.clone(),
            pins: Mutex::default(),
            answered: AtomicBool::new(false),
            conversations: AtomicU64::new(0),
        };
        Ok(Self {
            shared: Arc::new(shared),
            user: Some(user),
            limits: Limits::of(&target.limits),
            source: None,
            step: Step::visitor(),
        })
    }

    /// The same network with other limits.
    pub fn with_limits(self, limits: Limits) -> Self {
        Self { limits, ..self }
    }

    /// The same network, dialling from this address wherever it can reach the far side.
    pub fn with_source(&self, source: IpAddr) -> Self {
        Self { source: Some(source), ..self.clone() }
    }

    /// The same network for one step: a `visitor` does no more than a visitor's client, which is all that a vendor's hosts
    /// get without its permission; with a `rate`, its requests keep to that.
    pub fn for_step(&self, visitor: bool, rate: Option<Rate>) -> Self {
        Self { step: Step { visitor, rate, vendor: Arc::default() }, ..self.clone() }
    }

    /// Waits until the declared rate lets this step send its next request; at once where none is declared. Dialling waits by
    /// itself: this is for whoever sends many requests on one connection.
    pub async fn turn(&self) {
        if let Some(rate) = &self.step.rate {
            rate.turn().await;
        }
    }

    /// Why this step was not let, where it wanted more of a vendor's host than a visitor's client does.
    pub fn withheld(&self) -> Option<String> {
        lock(&self.step.vendor).withheld.clone()
    }

    /// Why a later step must do no more than a visitor with what this one has opened: its far side is a vendor's.
    pub fn visited_vendor(&self) -> Option<String> {
        lock(&self.step.vendor).visited.clone()
    }

    /// The address that is dialled from, where one was chosen.
    pub fn source(&self) -> Option<IpAddr> {
        self.source
    }

    /// The limits.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Whether an address that came from SDP, ICE, TURN or a header may be dialled: it lies in a network of the scope, or
    /// a name of the scope led to it in this run, and it is no vendor's that permits too little.
    pub fn allows(&self, address: SocketAddr) -> bool {
        if address.port() == 0 {
            return false;
        }
        let known = || self.pins().values().any(|pinned| pinned.contains(&address.ip()));
        match self.shared.scope.admit(None, address.ip()) {
            Err(why) if !known() => {
                self.refuse(why);
                false
            }
            _ => self.owner_permits(None, address.ip()).is_ok(),
        }
    }

    /// As [`Net::allows`], for media: what is allowed is sent to, and counts as dialled.
    pub(crate) fn allows_media(&self, address: SocketAddr) -> bool {
        let allowed = self.allows(address);
        if allowed {
            self.note_dialled(address, Via::Udp);
        }
        allowed
    }

    /// Whether the owner of a host lets this step do what it does.
    fn owner_permits(&self, host: Option<&str>, address: IpAddr) -> Result<(), Failure> {
        let owners = &self.shared.owners;
        let named = || self.pins().iter().any(|(name, to)| to.contains(&address) && owners.withholds_name(name));
        let withheld = owners.withholds_address(special::effective(address))
            || host.map_or_else(named, |host| owners.withholds_name(host));
        if !withheld {
            return Ok(());
        }
        let why = owner::why(&host.map_or_else(|| address.to_string(), str::to_owned));
        let mut vendor = lock(&self.step.vendor);
        if self.step.visitor {
            vendor.visited.get_or_insert(why);
            return Ok(());
        }
        vendor.withheld.get_or_insert_with(|| why.clone());
        drop(vendor);
        Err(self.refuse(why))
    }

    /// Notes what is left alone for want of scope or consent.
    fn refuse(&self, why: String) -> Failure {
        lock(&self.shared.record).refused(&why);
        Failure::new(Outcome::OutOfScope, why)
    }

    /// The host names of the scope, `*.` in front for any below; `None` where networks are in it too, so that any name may
    /// lead into it.
    pub fn scope_names(&self) -> Option<Vec<String>> {
        self.shared.scope.names_only()
    }

    /// Whether a Request-URI, Refer-To or number may be dialled: the rule of [`dialling`], asked before every INVITE and REFER
    /// by whoever sends one. `realm` is the configuration's. A foreign number is counted.
    ///
    /// # Errors
    /// [`Outcome::OutOfScope`], with the entry of the rule that denies it; [`Outcome::Budget`] for a foreign number beyond the
    /// twelve of a run.
    pub fn may_dial(&self, uri_or_number: &str, realm: &str) -> Result<Dial, Failure> {
        let own = |host: &str| host.eq_ignore_ascii_case(realm) || self.shared.scope.holds(host);
        let dial = dialling::may_dial(uri_or_number, &self.shared.destinations, own).map_err(|why| self.refuse(why))?;
        if dial == Dial::Foreign && self.shared.foreign_dials.fetch_add(1, Ordering::Relaxed) >= FOREIGN_DIALS {
            let why = format!("more than {FOREIGN_DIALS} dials of foreign numbers in one run");
            return Err(Failure::new(Outcome::Budget, why));
        }
        Ok(dial)
    }

    /// Whether anything of the target answered in this run.
    pub fn answered(&self) -> bool {
        self.shared.answered.load(Ordering::Relaxed)
    }

    /// Notes that the target answered: whoever reads from a socket of [`Net::udp`] or [`Net::tcp`] calls it at the first
    /// datagram or byte.
    pub fn note_answer(&self) {
        self.shared.answered.store(true, Ordering::Relaxed);
    }

    /// Connections and UDP associations that were begun in this run.
    pub fn conversations(&self) -> u64 {
        self.shared.conversations.load(Ordering::Relaxed)
    }

    /// Waits until no other clone works with the network: until a call is hung up, say.
    pub async fn left_alone(&mut self) {
        self.user = None;
        self.shared.users.closed().await;
    }

    /// Notes a call that is placed, or, where it was `answered`, that one was.
    pub fn note_call(&self, answered: bool) {
        lock(&self.shared.record).call(answered);
    }

    /// Notes an address that sent media, as we see it: what stands behind a relay is the relay.
    pub fn note_media_node(&self, address: IpAddr) {
        lock(&self.shared.record).media_node(address);
    }

    /// What of the target this run has touched so far, and what it left alone. All of it is target text.
    pub fn sampled(&self) -> Sampled {
        lock(&self.shared.record).sampled()
    }

    /// Notes an address that is dialled.
    pub(crate) fn note_dialled(&self, address: SocketAddr, via: Via) {
        lock(&self.shared.record).dialled(address, via);
    }

    /// Waits until the server no longer asks to be left alone. Only for who does no more than a visitor: whoever tries how
    /// often a server lets him does not wait.
    pub(crate) async fn rest(&self, url: &Url) {
        if self.step.visitor {
            self.shared.rests.over(url, self.source).await;
        }
    }

    /// Notes how long a server asks to be left alone.
    pub(crate) fn note_rest(&self, url: &Url, status: u16, retry_after: Option<&str>) {
        self.shared.rests.note(url, self.source, status, retry_after);
    }

    /// Counts a connection or UDP association.
    pub(crate) fn note_conversation(&self) {
        self.shared.conversations.fetch_add(1, Ordering::Relaxed);
    }

    fn pins(&self) -> MutexGuard<'_, HashMap<String, Vec<IpAddr>>> {
        lock(&self.shared.pins)
    }
}

impl Step {
    fn visitor() -> Self {
        Self { visitor: true, rate: None, vendor: Arc::default() }
    }
}

/// What is kept here is sound after any panic of another thread.
fn lock<T>(kept: &Mutex<T>) -> MutexGuard<'_, T> {
    kept.lock().unwrap_or_else(PoisonError::into_inner)
}
