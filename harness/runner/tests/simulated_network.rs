//! The client's media machine against the lab's, on simulated time, over a network that loses, delays, reorders, repeats and
//! damages datagrams: a thousand seeds, no socket, no clock.
//!
//! | file | subject |
//! |---|---|
//! | `random` | where a seed's numbers come from |
//! | `conditions` | what one seed asks for: plan, network, who hangs up |
//! | `network` | datagrams on their way |
//! | `call` | both machines and the network, from offer to end |
//! | `oracles` | what has to hold of every call |
//!
//! A seed repeats its call: who sends what when, and the fate of each datagram. Not what the libraries draw themselves
//! (transaction ids, keys, signatures, whose length varies by a byte or two), and with that not which byte damage hits.
//!
//! `RINGFENCE_SEED=17 cargo test -p ringfence-runner --test simulated_network -- --nocapture` runs one seed and prints its
//! datagrams; `RINGFENCE_SEEDS=100000` runs more than the thousand. `RINGFENCE_RECORD=FILE` writes what is said in a call on a
//! sound network: the fuzz targets begin with that (`fuzz/README.md`).

#[path = "simulated/call.rs"]
mod call;
#[path = "simulated/conditions.rs"]
mod conditions;
#[path = "simulated/network.rs"]
mod network;
#[path = "simulated/oracles.rs"]
mod oracles;
#[path = "simulated/random.rs"]
mod random;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use call::{Call, Outcome};
use conditions::{Conditions, Weather};
use oracles::Totals;
use ringfence_lab::fault::Fault;

const SEEDS: u64 = 1000;
/// So many are enough to see what is wrong.
const MAX_FAILED: usize = 5;

#[test]
fn calls_hold_on_a_bad_network() {
    if let Some(seed) = number("RINGFENCE_SEED") {
        let conditions = Conditions::of(seed);
        println!("{conditions:#?}");
        let outcome = Call::run(conditions.clone(), true);
        outcome.trace.iter().for_each(|line| println!("{line}"));
        println!("{:#?}", Outcome { trace: Vec::new(), ..outcome.clone() });
        return oracles::check(&conditions, &outcome);
    }
    if let Some(path) = std::env::var_os("RINGFENCE_RECORD") {
        let sound = Conditions { weather: Weather::default(), ..Conditions::of(0) };
        let said = Call::run(sound, true).said;
        return std::fs::write(path, said.join("\n") + "\n").expect("the recording can be written");
    }
    let seeds = number("RINGFENCE_SEEDS").unwrap_or(SEEDS);
    let (next, failed, totals) = (AtomicU64::new(0), Mutex::new(Vec::new()), Mutex::new(Totals::default()));
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= seeds || failed.lock().unwrap().len() >= MAX_FAILED {
                        return;
                    }
                    match catch_unwind(AssertUnwindSafe(|| one(seed))) {
                        Ok((conditions, outcome)) => totals.lock().unwrap().add(&conditions, &outcome),
                        Err(_) => failed.lock().unwrap().push(seed), // its message is printed already
                    }
                }
            });
        }
    });
    let (failed, totals) = (failed.into_inner().unwrap(), totals.into_inner().unwrap());
    println!("{totals:#?}");
    assert!(failed.is_empty(), "seeds {failed:?} of {seeds} fail: see each by RINGFENCE_SEED");
    totals.check();
}

#[test]
fn a_seed_repeats_its_call() {
    for seed in 0..20 {
        let [first, second] = [(); 2].map(|()| Call::run(Conditions::of(seed), true).trace);
        // Lengths aside: a signature may be a byte or two longer.
        let [first, second] =
            [&first, &second].map(|trace| trace.iter().map(|line| line.trim_end_matches(char::is_numeric)));
        let differs = first.zip(second).find(|(a, b)| a != b);
        assert_eq!(differs, None, "seed {seed}");
    }
}

#[test]
fn the_oracles_see_what_is_wrong() {
    for (fault, wrong) in [
        (Fault::SrtpTagIgnored, "the lab echoes what it did not accept"),
        (Fault::ClearPacketsSent, "nothing was sent in the clear"),
    ] {
        let seen = (0..50).any(|seed| {
            let conditions = Conditions { fault: Some(fault), ..Conditions::of(seed) };
            let outcome = Call::run(conditions.clone(), false);
            let held = catch_unwind(|| oracles::check(&conditions, &outcome));
            held.is_err_and(|panic| message(panic.as_ref()).contains(wrong))
        });
        assert!(seen, "{fault:?} shows in no call");
    }
}

fn message(panic: &(dyn std::any::Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or_default()
}

fn one(seed: u64) -> (Conditions, Outcome) {
    let conditions = Conditions::of(seed);
    let outcome = Call::run(conditions.clone(), false);
    let held = catch_unwind(AssertUnwindSafe(|| oracles::check(&conditions, &outcome)));
    if let Err(panic) = held {
        println!("seed {seed}: {conditions:?}\n{outcome:#?}");
        std::panic::resume_unwind(panic);
    }
    (conditions, outcome)
}

fn number(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{variable} is no number: {text}")))
}
