//! Our sans-IO machines at play with a hostile peer, on simulated time.

mod call;
mod dialogue;
mod far;
mod keyless;
mod pace;
mod relayed;
mod subject;

pub use call::Call;
pub use dialogue::{Dialogue, Record};
pub use far::Far;
pub use relayed::Relayed;
pub use subject::{MARKER, Subject, outputs, plan};
