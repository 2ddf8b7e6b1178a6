//! A journal that an auditor trusts, and that a broken-off run goes on with: against the real binary.

mod fakes;
mod support;

#[path = "journal/chain.rs"]
mod chain;
#[path = "contract/house.rs"]
#[allow(dead_code, reason = "each test target uses its own part")]
mod house;
#[path = "journal/refused.rs"]
mod refused;
#[path = "journal/resumed.rs"]
mod resumed;
