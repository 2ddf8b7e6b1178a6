//! The exit codes: a contract with CI, one enum.

use serde::{Deserialize, Serialize};

/// Why the process ended as it did. When several apply, the first in [`Exit::PRECEDENCE`] wins; the code never depends
/// on an output's format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Exit {
    /// 0: every required scenario passed, is not applicable, or failed below the gate.
    Clean,
    /// 1: findings at or above the gate.
    Findings,
    /// 2: usage or configuration.
    Usage,
    /// 3: nothing of the target answered in the whole run.
    Unreachable,
    /// 4: a required scenario is inconclusive, or none was selected.
    Inconclusive,
    /// 5: not authorised or out of scope.
    Refused,
    /// 6: an output could not be written.
    Output,
    /// 7: a waiver or baseline problem.
    Waiver,
    /// 70: our own fault.
    Internal,
    /// 130: interrupted by SIGINT; the journal is valid and says `complete: false`.
    Interrupted,
    /// 143: interrupted by SIGTERM.
    Terminated,
}

impl Exit {
    /// All codes, the ones that win first.
    pub const PRECEDENCE: [Exit; 11] = [
        Exit::Interrupted,
        Exit::Terminated,
        Exit::Internal,
        Exit::Usage,
        Exit::Refused,
        Exit::Unreachable,
        Exit::Findings,
        Exit::Inconclusive,
        Exit::Waiver,
        Exit::Output,
        Exit::Clean,
    ];

    /// The process exit code.
    pub const fn code(self) -> u8 {
        match self {
            Exit::Clean => 0,
            Exit::Findings => 1,
            Exit::Usage => 2,
            Exit::Unreachable => 3,
            Exit::Inconclusive => 4,
            Exit::Refused => 5,
            Exit::Output => 6,
            Exit::Waiver => 7,
            Exit::Internal => 70,
            Exit::Interrupted => 130,
            Exit::Terminated => 143,
        }
    }

    /// What the code means, in a few words.
    pub const fn meaning(self) -> &'static str {
        match self {
            Exit::Clean => "every required scenario passed, is not applicable, or failed below the gate",
            Exit::Findings => "findings at or above the gate",
            Exit::Usage => "usage or configuration error",
            Exit::Unreachable => "nothing of the target answered in the whole run",
            Exit::Inconclusive => "a required scenario is inconclusive, or none was selected",
            Exit::Refused => "not authorised, or out of scope",
            Exit::Output => "an output could not be written",
            Exit::Waiver => "a waiver or baseline problem",
            Exit::Internal => "internal error: a bug of ringfence",
            Exit::Interrupted => "interrupted; what was seen is kept, complete: false",
            Exit::Terminated => "terminated; what was seen is kept, complete: false",
        }
    }

    /// The one that wins among several; [`Exit::Clean`] when there is none.
    pub fn worst(all: impl IntoIterator<Item = Exit>) -> Exit {
        let rank = |exit: &Exit| Self::PRECEDENCE.iter().position(|p| p == exit);
        all.into_iter().min_by_key(rank).unwrap_or(Exit::Clean)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn precedence_is_as_documented() {
        let codes: Vec<u8> = Exit::PRECEDENCE.iter().map(|e| e.code()).collect();
        assert_eq!(codes, [130, 143, 70, 2, 5, 3, 1, 4, 7, 6, 0]);
        assert_eq!(Exit::worst([Exit::Output, Exit::Inconclusive, Exit::Findings]), Exit::Findings);
        assert_eq!(Exit::worst([]), Exit::Clean);
    }
}
