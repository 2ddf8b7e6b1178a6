//! The SIP pairs: one per configuration fetched, for one address-of-record, one connection and one call.
//!
//! | a pair | is good |
//! |---|---|
//! | that placed no call | 30 s from the mint |
//! | with a call running | as long as the call runs |
//! | whose call has ended | 2 s more, for REGISTER only |
//!
//! Time comes in as an argument; the lab asks its clock once per request.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use ringfence_model::Secret;
use ringfence_wire::digest::{self, Algorithm};

use crate::fault::{Fault, Faults};
use crate::figures::{MAX_PAIRS, PAIR_AFTER_CALL, PAIR_UNUSED, RESERVED_USERS, SIP_REALM};
use crate::random;

/// Names a signalling connection of this lab.
pub(crate) type ConnectionId = u64;

/// Why a pair does not get what it asks for. A client sees 403 whichever it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Denied {
    /// Too old, or its call is over.
    Dead,
    /// Bound to another address-of-record.
    OtherAor,
    /// Another connection holds it, or a call runs.
    Busy,
    /// This connection has not registered it.
    NotRegistered,
}

/// A user name and password, as the configuration hands them out.
pub(crate) struct Minted {
    /// Digest user name.
    pub username: String,
    /// Digest password.
    pub password: Secret,
}

/// All pairs of one lab.
pub(crate) struct Accounts {
    faults: Arc<Faults>,
    table: Mutex<Table>,
}

#[derive(Default)]
struct Table {
    pairs: HashMap<String, Pair>,
    /// User names, the oldest first.
    order: VecDeque<String>,
}

struct Pair {
    password: Secret,
    /// Which configuration endpoint minted it.
    endpoint: usize,
    minted: Instant,
    /// How often it was handed out: as many sessions it may have.
    handed_out: usize,
    sessions: Vec<Session>,
}

struct Session {
    aor: String,
    holder: Option<ConnectionId>,
    state: State,
}

#[derive(Clone, Copy, PartialEq)]
enum State {
    Idle,
    InCall,
    Over(Instant),
}

/// What a session may still do.
#[derive(Clone, Copy, PartialEq)]
enum Standing {
    Good,
    /// After the call: REGISTER still works, a second call does not.
    Grace,
    Dead,
}

impl Accounts {
    /// No pairs yet.
    pub fn new(faults: Arc<Faults>) -> Self {
        Self { faults, table: Mutex::default() }
    }

    /// The pair for one fetch of the configuration of that endpoint.
    pub fn mint(&self, endpoint: usize, now: Instant) -> Minted {
        let mut table = self.table();
        if self.faults.broken(Fault::CredentialsShared)
            && let Some((username, pair)) = table.first_living(endpoint, now)
        {
            pair.handed_out += 1;
            // Its life begins anew, or a chain of calls would outlive it.
            pair.minted = now;
            return Minted { username, password: pair.password.clone() };
        }
        let username = format!("widget-{}", random::hex::<8>());
        let password = Secret::new(match self.faults.broken(Fault::WeakPassword) {
            true => username.chars().rev().collect(),
            false => random::hex::<16>(),
        });
        let pair = Pair { password: password.clone(), endpoint, minted: now, handed_out: 1, sessions: Vec::new() };
        table.insert(username.clone(), pair);
        Minted { username, password }
    }

    /// What a digest of this user is checked against; `None` for an unknown user. Dead pairs are known: their login is
    /// checked first, so that a stranger learns nothing.
    pub fn ha1(&self, username: &str, algorithm: Algorithm) -> Option<Secret> {
        let password = self.table().pairs.get(username)?.password.clone();
        Some(digest::ha1(algorithm, username, SIP_REALM, password.expose()).into())
    }

    /// Which configuration endpoint minted the pair.
    pub fn endpoint(&self, username: &str) -> Option<usize> {
        self.table().pairs.get(username).map(|pair| pair.endpoint)
    }

    /// Binds the pair to an address-of-record and this connection, or confirms both.
    ///
    /// # Errors
    /// Dead, bound to another address, or held by another connection.
    pub fn register(&self, username: &str, aor: &str, by: ConnectionId, now: Instant) -> Result<(), Denied> {
        let mut table = self.table();
        let pair = table.pairs.get_mut(username).ok_or(Denied::Dead)?;
        let minted = pair.minted;
        let young = self.is_young(minted, now);
        if is_reserved(aor) && !self.takes_any() {
            return Err(Denied::OtherAor);
        }
        let standing = |session: &Session| self.standing(session.state, minted, now);

        if let Some(own) = pair.sessions.iter().find(|s| s.aor == aor && s.holder == Some(by)) {
            return if standing(own) == Standing::Dead { Err(Denied::Dead) } else { Ok(()) };
        }
        let free = |s: &&mut Session| s.aor == aor && s.holder.is_none();
        if let Some(left) = pair.sessions.iter_mut().filter(free).find(|s| standing(s) == Standing::Good) {
            left.holder = Some(by);
            return Ok(());
        }
        if pair.sessions.len() < pair.handed_out && young {
            pair.sessions.push(Session { aor: aor.to_owned(), holder: Some(by), state: State::Idle });
            return Ok(());
        }
        let mut same = pair.sessions.iter_mut().filter(|s| s.aor == aor).peekable();
        if same.peek().is_none() {
            if !young || !self.takes_any() {
                return Err(if young { Denied::OtherAor } else { Denied::Dead });
            }
            pair.sessions.push(Session { aor: aor.to_owned(), holder: Some(by), state: State::Idle });
            return Ok(());
        }
        match same.find(|s| s.holder.is_none()) {
            Some(left) if standing(left) == Standing::Grace => {
                left.holder = Some(by);
                Ok(())
            }
            Some(_) => Err(Denied::Dead),
            None if young && self.faults.broken(Fault::TokenReusable) => {
                pair.sessions.push(Session { aor: aor.to_owned(), holder: Some(by), state: State::Idle });
                Ok(())
            }
            None => Err(Denied::Busy),
        }
    }

    /// Begins the call that the pair is good for.
    ///
    /// # Errors
    /// Not registered by this connection, dead, or its call runs or has run.
    pub fn begin_call(&self, username: &str, aor: &str, by: ConnectionId, now: Instant) -> Result<(), Denied> {
        let mut table = self.table();
        let pair = table.pairs.get_mut(username).ok_or(Denied::NotRegistered)?;
        let minted = pair.minted;
        let own = pair.sessions.iter_mut().find(|s| s.aor == aor && s.holder == Some(by));
        let session = own.ok_or(Denied::NotRegistered)?;
        if session.state == State::InCall {
            return Err(Denied::Busy);
        }
        if self.standing(session.state, minted, now) != Standing::Good {
            return Err(Denied::Dead);
        }
        session.state = State::InCall;
        Ok(())
    }

    /// The call was never answered: the pair is as it was.
    pub fn undo_call(&self, username: &str, by: ConnectionId) {
        self.leave_call(username, by, State::Idle);
    }

    /// The call has ended.
    pub fn end_call(&self, username: &str, by: ConnectionId, now: Instant) {
        self.leave_call(username, by, State::Over(now));
    }

    /// The connection has closed, or unregistered.
    pub fn release(&self, username: &str, by: ConnectionId) {
        let mut table = self.table();
        let Some(pair) = table.pairs.get_mut(username) else { return };
        pair.sessions.iter_mut().filter(|s| s.holder == Some(by)).for_each(|s| s.holder = None);
    }

    fn leave_call(&self, username: &str, by: ConnectionId, state: State) {
        let mut table = self.table();
        let Some(pair) = table.pairs.get_mut(username) else { return };
        let running = |s: &&mut Session| s.holder == Some(by) && s.state == State::InCall;
        pair.sessions.iter_mut().filter(running).for_each(|s| s.state = state);
    }

    /// Whether a pair may name itself as it likes.
    fn takes_any(&self) -> bool {
        self.faults.broken(Fault::AorUnchecked)
    }

    fn standing(&self, state: State, minted: Instant, now: Instant) -> Standing {
        let young = self.is_young(minted, now);
        match state {
            State::InCall => Standing::Good,
            State::Idle if young => Standing::Good,
            State::Idle => Standing::Dead,
            State::Over(_) if self.faults.broken(Fault::CredentialsSurviveHangup) && young => Standing::Good,
            State::Over(at) if now.saturating_duration_since(at) < PAIR_AFTER_CALL => Standing::Grace,
            State::Over(_) => Standing::Dead,
        }
    }

    /// Whether a pair that placed no call is still good.
    fn is_young(&self, minted: Instant, now: Instant) -> bool {
        is_young(minted, now) || self.faults.broken(Fault::ExpiredAccepted)
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        // Nothing in here panics half-way through a change.
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Table {
    fn insert(&mut self, username: String, pair: Pair) {
        if self.order.len() >= MAX_PAIRS
            && let Some(oldest) = self.order.pop_front()
        {
            self.pairs.remove(&oldest);
        }
        self.order.push_back(username.clone());
        self.pairs.insert(username, pair);
    }

    fn first_living(&mut self, endpoint: usize, now: Instant) -> Option<(String, &mut Pair)> {
        let living =
            |name: &&String| self.pairs.get(*name).is_some_and(|p| p.endpoint == endpoint && is_young(p.minted, now));
        let name = self.order.iter().find(living)?.clone();
        self.pairs.get_mut(&name).map(|pair| (name, pair))
    }
}

fn is_reserved(aor: &str) -> bool {
    let user = aor.trim_start_matches("sip:").split('@').next().unwrap_or_default();
    RESERVED_USERS.iter().any(|reserved| reserved.eq_ignore_ascii_case(user))
}

fn is_young(minted: Instant, now: Instant) -> bool {
    now.saturating_duration_since(minted) < PAIR_UNUSED
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    const SECOND: Duration = Duration::from_secs(1);
    const A: &str = "sip:a@sip.lab.test";
    const B: &str = "sip:b@sip.lab.test";

    fn lab(fault: Option<Fault>) -> (Accounts, Instant) {
        (Accounts::new(Arc::new(Faults::new(fault))), Instant::now())
    }

    #[test]
    fn a_pair_is_for_one_address_and_one_connection() {
        let (accounts, now) = lab(None);
        let name = accounts.mint(0, now).username;
        assert_eq!(accounts.begin_call(&name, A, 1, now), Err(Denied::NotRegistered));
        assert_eq!(accounts.register(&name, A, 1, now), Ok(()));
        assert_eq!(accounts.register(&name, A, 1, now), Ok(()), "a refresh");
        assert_eq!(accounts.register(&name, B, 1, now), Err(Denied::OtherAor));
        assert_eq!(accounts.register(&name, A, 2, now), Err(Denied::Busy));
        assert_eq!(accounts.begin_call(&name, A, 2, now), Err(Denied::NotRegistered));
        accounts.release(&name, 1);
        assert_eq!(accounts.register(&name, A, 2, now), Ok(()), "after the first has gone");
        assert_eq!(accounts.register("widget-other", A, 2, now), Err(Denied::Dead));
    }

    #[test]
    fn aor_unchecked_lets_a_pair_take_any_address() {
        const ADMIN: &str = "sip:Admin@sip.lab.test";
        for (fault, expected) in [(None, Err(Denied::OtherAor)), (Some(Fault::AorUnchecked), Ok(()))] {
            let (accounts, now) = lab(fault);
            let name = accounts.mint(0, now).username;
            assert_eq!(accounts.register(&name, ADMIN, 1, now), expected, "{fault:?}: nobody has it yet");
            accounts.release(&name, 1);
            let other = accounts.mint(0, now).username;
            accounts.register(&other, B, 2, now).unwrap();
            let own = accounts.mint(0, now).username;
            assert_eq!(accounts.register(&own, A, 3, now), Ok(()));
            accounts.release(&own, 3);
            for aor in [B, ADMIN] {
                assert_eq!(accounts.register(&own, aor, 4, now), expected, "{fault:?}: {aor}");
            }
        }
    }

    #[test]
    fn a_pair_dies_of_age_but_not_in_its_call() {
        let (accounts, now) = lab(None);
        let name = accounts.mint(0, now).username;
        accounts.register(&name, A, 1, now).unwrap();
        assert_eq!(accounts.begin_call(&name, A, 1, now + 29 * SECOND), Ok(()));
        assert_eq!(accounts.begin_call(&name, A, 1, now + 29 * SECOND), Err(Denied::Busy));
        assert_eq!(accounts.register(&name, A, 1, now + 90 * SECOND), Ok(()), "a running call goes on");

        let unused = accounts.mint(0, now).username;
        assert_eq!(accounts.register(&unused, A, 2, now + 30 * SECOND), Err(Denied::Dead));
        let undone = accounts.mint(0, now).username;
        accounts.register(&undone, A, 3, now).unwrap();
        accounts.begin_call(&undone, A, 3, now).unwrap();
        accounts.undo_call(&undone, 3);
        assert_eq!(accounts.begin_call(&undone, A, 3, now + SECOND), Ok(()), "the first was never answered");
    }

    #[test]
    fn a_pair_that_never_expires_still_ends_with_its_call() {
        let (accounts, now) = lab(Some(Fault::ExpiredAccepted));
        let name = accounts.mint(0, now).username;
        assert_eq!(accounts.register(&name, A, 1, now + 99 * SECOND), Ok(()));
        assert_eq!(accounts.begin_call(&name, A, 1, now + 99 * SECOND), Ok(()));
        accounts.end_call(&name, 1, now + 99 * SECOND);
        accounts.release(&name, 1);
        assert_eq!(accounts.register(&name, A, 2, now + 103 * SECOND), Err(Denied::Dead));
    }

    #[test]
    fn a_reusable_pair_is_for_any_number_of_connections() {
        let (accounts, now) = lab(Some(Fault::TokenReusable));
        let name = accounts.mint(0, now).username;
        for connection in 1..4 {
            assert_eq!(accounts.register(&name, A, connection, now), Ok(()));
            assert_eq!(accounts.begin_call(&name, A, connection, now), Ok(()));
        }
        assert_eq!(accounts.register(&name, B, 4, now), Err(Denied::OtherAor));
        assert_eq!(accounts.register(&name, A, 5, now + 30 * SECOND), Err(Denied::Busy), "too late for another one");
    }

    #[test]
    fn a_pair_dies_with_its_call_unless_broken() {
        for (fault, grace, later) in
            [(None, Err(Denied::Dead), Err(Denied::Dead)), (Some(Fault::CredentialsSurviveHangup), Ok(()), Ok(()))]
        {
            let (accounts, now) = lab(fault);
            let name = accounts.mint(0, now).username;
            accounts.register(&name, A, 1, now).unwrap();
            accounts.begin_call(&name, A, 1, now).unwrap();
            accounts.end_call(&name, 1, now + 2 * SECOND);
            accounts.release(&name, 1);
            assert_eq!(accounts.register(&name, A, 2, now + 3 * SECOND), Ok(()), "{fault:?}: in the grace");
            assert_eq!(accounts.begin_call(&name, A, 2, now + 3 * SECOND), grace, "{fault:?}");
            accounts.end_call(&name, 2, now + 3 * SECOND);
            accounts.release(&name, 2);
            assert_eq!(accounts.register(&name, A, 3, now + 7 * SECOND), later, "{fault:?}");
            accounts.release(&name, 3);
            assert_eq!(accounts.register(&name, A, 4, now + 31 * SECOND), Err(Denied::Dead), "{fault:?}: expired");
        }
    }

    #[test]
    fn a_shared_pair_serves_every_visitor() {
        let (accounts, now) = lab(Some(Fault::CredentialsShared));
        let first = accounts.mint(0, now);
        let second = accounts.mint(0, now + SECOND);
        assert_eq!(first.username, second.username);
        assert_ne!(accounts.mint(1, now).username, first.username, "another endpoint has its own");
        let name = first.username;
        assert_eq!(accounts.register(&name, A, 1, now), Ok(()));
        assert_eq!(accounts.register(&name, B, 2, now), Ok(()));
        assert_eq!(
            accounts.register(&name, "sip:c@sip.lab.test", 3, now),
            Err(Denied::OtherAor),
            "two were handed out"
        );
        // The same visitor again, after a call: each fetch is good for a call of its own.
        accounts.begin_call(&name, A, 1, now).unwrap();
        accounts.end_call(&name, 1, now);
        accounts.release(&name, 1);
        accounts.mint(0, now);
        assert_eq!(accounts.register(&name, A, 4, now), Ok(()));
        assert_eq!(accounts.begin_call(&name, A, 4, now), Ok(()));
        assert_ne!(accounts.mint(0, now + 30 * SECOND).username, name, "while it lives");
    }

    #[test]
    fn the_oldest_pair_is_forgotten() {
        let (accounts, now) = lab(None);
        let first = accounts.mint(0, now).username;
        for _ in 0..MAX_PAIRS {
            accounts.mint(0, now);
        }
        assert!(accounts.ha1(&first, Algorithm::Md5).is_none());
        assert_eq!(accounts.table().pairs.len(), MAX_PAIRS);
    }
}
