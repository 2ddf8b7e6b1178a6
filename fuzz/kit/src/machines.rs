//! Our sans-IO machines at play with a hostile peer, on simulated time.

#[cfg(test)]
pub mod broken;
mod call;
mod dialogue;
mod far;
mod keyless;
mod pace;
mod record;
mod relayed;
mod server;
mod subject;

pub use call::Call;
pub use dialogue::Dialogue;
pub use far::Far;
pub use record::Record;
pub use relayed::Relayed;
pub use subject::{MARKER, Medium, Subject, plan};
