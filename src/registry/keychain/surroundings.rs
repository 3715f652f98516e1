//! What a keychain sees of the machine: the environment, the home folder, the clock. Passed in, so that a test, a
//! server and a command line each have their own.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long a program may take. Some ask the user's keyring, and `gcloud` and `az` take seconds to start.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Google's metadata server, as every machine of Google Cloud knows it.
const METADATA: &str = "metadata.google.internal";

/// What a keychain sees of the machine.
#[derive(Clone)]
pub struct Surroundings {
    variables: BTreeMap<OsString, OsString>,
    /// The user's home folder.
    pub home: Option<PathBuf>,
    /// How long a program may take to answer.
    pub timeout: Duration,
    /// Where Google's metadata server is: `host[:port]`; `None` when it is not to be asked.
    pub metadata: Option<String>,
    /// What time it is.
    pub clock: Arc<dyn Fn() -> Instant + Send + Sync>,
}

impl Surroundings {
    /// With these variables and nothing else: no home, no metadata server.
    pub fn new(variables: impl IntoIterator<Item = (OsString, OsString)>) -> Self {
        Self {
            variables: variables.into_iter().collect(),
            home: None,
            timeout: TIMEOUT,
            metadata: None,
            clock: Arc::new(Instant::now),
        }
    }

    /// Those of this process.
    #[must_use]
    pub fn of_process() -> Self {
        let mut surroundings = Self::new(std::env::vars_os());
        surroundings.home = surroundings.path("HOME");
        let host = surroundings.variable("GCE_METADATA_HOST").and_then(OsStr::to_str);
        surroundings.metadata = Some(host.unwrap_or(METADATA).to_owned());
        surroundings
    }

    /// The value of a variable; one that is empty counts as none.
    #[must_use]
    pub fn variable(&self, name: &str) -> Option<&OsStr> {
        self.variables.get(OsStr::new(name)).map(OsString::as_os_str).filter(|value| !value.is_empty())
    }

    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.variable(name).and_then(OsStr::to_str)
    }

    pub(super) fn path(&self, name: &str) -> Option<PathBuf> {
        self.variable(name).map(PathBuf::from)
    }

    pub(super) fn variables(&self) -> impl Iterator<Item = (&OsString, &OsString)> {
        self.variables.iter()
    }
}

/// Says the names of the variables alone: values are secrets.
impl fmt::Debug for Surroundings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Surroundings")
            .field("variables", &self.variables.keys())
            .field("home", &self.home)
            .field("timeout", &self.timeout)
            .field("metadata", &self.metadata)
            .finish_non_exhaustive()
    }
}
