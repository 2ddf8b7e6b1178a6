//! Why a command ends without a verdict: an exit code and what to do about it.

use ringfence_model::Exit;

/// A command that could not do its work.
#[derive(Debug)]
pub struct Problem {
    /// The exit that applies.
    pub exit: Exit,
    /// What is wrong, and what would be right.
    pub message: String,
}

impl Problem {
    /// Usage or configuration.
    pub fn usage(message: impl std::fmt::Display) -> Self {
        Self { exit: Exit::Usage, message: message.to_string() }
    }

    /// A file that cannot be written.
    pub fn output(message: impl std::fmt::Display) -> Self {
        Self { exit: Exit::Output, message: message.to_string() }
    }

    /// Our own fault.
    pub fn internal(message: impl std::fmt::Display) -> Self {
        Self { exit: Exit::Internal, message: message.to_string() }
    }
}
