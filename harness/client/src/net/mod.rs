//! The one way out: every connection of a run is dialled here, inside the scope, within the limits.

mod dial;
mod limits;
mod scope;
mod special;
mod tls;

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use ringfence_model::observation::Outcome;
use ringfence_model::target::{Destinations, Target};

use crate::Failure;
use crate::adapters::dialling;

pub use limits::Limits;
pub use scope::{Cidr, Scope};
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

/// The network of one run. Clones share what was resolved and counted; limits and source address are each clone's own.
#[derive(Clone, Debug)]
pub struct Net {
    shared: Arc<Shared>,
    limits: Limits,
    source: Option<IpAddr>,
}

#[derive(Debug)]
struct Shared {
    scope: Scope,
    trust: tls::Trust,
    destinations: Destinations,
    /// Addresses by name, checked once and kept for the whole run: a second answer of the name server changes nothing.
    pins: Mutex<HashMap<String, Vec<IpAddr>>>,
    answered: AtomicBool,
    conversations: AtomicU64,
}

impl Net {
    /// Reads scope and certificates of a target file.
    ///
    /// # Errors
    /// An unreadable `ca_file`, or a network in the scope that cannot be read.
    pub fn new(target: &Target) -> Result<Self, NetError> {
        let shared = Shared {
            scope: Scope::new(target)?,
            trust: tls::Trust::new(target.ca_file.as_deref(), target.accept_untrusted)?,
            destinations: target.destinations.clone(),
            pins: Mutex::default(),
            answered: AtomicBool::new(false),
            conversations: AtomicU64::new(0),
        };
        Ok(Self { shared: Arc::new(shared), limits: Limits::of(&target.limits), source: None })
    }

    /// The same network with other limits.
    pub fn with_limits(self, limits: Limits) -> Self {
        Self { limits, ..self }
    }

    /// The same network, dialling from this address wherever it can reach the far side.
    pub fn with_source(&self, source: IpAddr) -> Self {
        Self { source: Some(source), ..self.clone() }
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
    /// a name of the scope led to it in this run.
    pub fn allows(&self, address: SocketAddr) -> bool {
        let known = || self.pins().values().any(|pinned| pinned.contains(&address.ip()));
        address.port() != 0 && (self.shared.scope.admit(None, address.ip()).is_ok() || known())
    }

    /// The host names of the scope, `*.` in front for any below; `None` where networks are in it too, so that any name may
    /// lead into it.
    pub fn scope_names(&self) -> Option<Vec<String>> {
        self.shared.scope.names_only()
    }

    /// Whether a Request-URI or number may be dialled: the rule of [`dialling`], asked before every INVITE.
    ///
    /// # Errors
    /// [`Outcome::OutOfScope`], with the entry of the rule that denies it.
    pub fn dialling(&self, uri_or_number: &str) -> Result<(), Failure> {
        match dialling::denied(uri_or_number, &self.shared.destinations) {
            None => Ok(()),
            Some(why) => Err(Failure::new(Outcome::OutOfScope, why)),
        }
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

    /// Whether anything besides this clone still works with the network: a call that is being hung up, say.
    pub fn in_use(&self) -> bool {
        Arc::strong_count(&self.shared) > 1
    }

    fn note_conversation(&self) {
        self.shared.conversations.fetch_add(1, Ordering::Relaxed);
    }

    fn pins(&self) -> std::sync::MutexGuard<'_, HashMap<String, Vec<IpAddr>>> {
        // A map of addresses is sound after any panic of another thread.
        self.shared.pins.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
