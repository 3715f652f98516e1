//! How a run ends (rule F9).

/// The exit codes of every command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ExitCode {
    /// Done, or nothing to do.
    Done,
    /// A check found a difference: `--check`, `verify`, `lock diff`, or a function with `validate: true`.
    Changes,
    /// Something failed.
    Error,
}

impl From<ExitCode> for std::process::ExitCode {
    fn from(code: ExitCode) -> Self {
        Self::from(match code {
            ExitCode::Done => 0,
            ExitCode::Changes => 1,
            ExitCode::Error => 2,
        })
    }
}
