//! From which address of this machine a step asks.

use std::net::{IpAddr, Ipv4Addr};

use ringfence_client::{Failure, Net};
use ringfence_model::observation::Outcome;
use schemars::JsonSchema;
use serde::Deserialize;

/// From which address of this machine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Address {
    /// The chain's.
    #[default]
    Own,
    /// Another one. Only on loopback is there one that is known to reach the target.
    Second,
}

impl Address {
    /// The network, dialling from there.
    ///
    /// # Errors
    /// There is no second address.
    pub(crate) fn of(self, net: &Net) -> Result<Net, Failure> {
        match (self, second(net)) {
            (Address::Own, _) => Ok(net.clone()),
            (Address::Second, Some(second)) => Ok(net.with_source(second)),
            (Address::Second, None) => {
                Err(Failure::new(Outcome::Unreachable, "this machine has no second address to ask from"))
            }
        }
    }
}

/// The whole of 127.0.0.0/8 is this machine.
fn second(net: &Net) -> Option<IpAddr> {
    match net.source()? {
        IpAddr::V4(own) if own.is_loopback() => {
            let [a, b, c, d] = own.octets();
            Some(Ipv4Addr::new(a, b, c ^ 1, d).into())
        }
        _ => None,
    }
}
