//! Bad input, against the real binary: each case is a small fake server or a wrong file. Every run ends within its limits,
//! in inconclusive, fail or exit 3, says why, and still writes every output.

mod fakes;
mod support;

#[path = "bad_input/configuration.rs"]
mod configuration;
#[path = "bad_input/interrupted.rs"]
mod interrupted;
#[path = "bad_input/media.rs"]
mod media;
#[path = "bad_input/network.rs"]
mod network;
#[path = "bad_input/signalling.rs"]
mod signalling;
#[path = "bad_input/usage.rs"]
mod usage;
#[path = "bad_input/websocket.rs"]
mod websocket;
