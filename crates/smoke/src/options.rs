//! What the caller decides about a run.

use core::fmt;
use std::collections::BTreeMap;
use std::sync::Arc;

use nonevent_document::{Secret, Timestamp};

use crate::limits::Limits;

/// How a suite is run.
///
/// ```
/// use nonevent_document::Timestamp;
/// use nonevent_smoke::{Options, Secrets};
///
/// let now: Timestamp = "2026-01-05T10:00:00Z".parse()?;
/// let options = Options {
///     timeout_ms: Some(2_000),
///     jobs: 4,
///     variables: [("release".to_owned(), "1.5.0".to_owned())].into(),
///     secrets: Secrets::environment(),
///     ..Options::started_at(now)
/// };
/// assert!(!options.reuse_connections);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct Options {
    /// The time of the run's start, for the report; durations are measured apart from it.
    pub started_at: Timestamp,
    /// Milliseconds for one attempt of a test that names no `timeout_ms` of its own; without it
    /// [`Limits::total_ms`].
    pub timeout_ms: Option<u64>,
    /// Milliseconds for the whole run with all its retries. What it does not suffice for is
    /// inconclusive.
    pub budget_ms: u64,
    /// Tests run at the same time; 0 counts as 1.
    pub jobs: usize,
    /// Keeps connections open between tests. Off by default, since an open connection goes on
    /// talking to a backend that takes no new ones.
    pub reuse_connections: bool,
    /// Runs only the tests of these names; all if empty.
    pub only: Vec<String>,
    /// What `${name}` stands for.
    pub variables: BTreeMap<String, String>,
    /// What `${env:NAME}` stands for.
    pub secrets: Secrets,
    /// Everything else that is bounded.
    pub limits: Limits,
}

impl Options {
    /// The defaults: one test at a time, a fresh connection each, 5 minutes in all, no variables
    /// and no secrets.
    #[must_use]
    pub fn started_at(started_at: Timestamp) -> Options {
        Options {
            started_at,
            timeout_ms: None,
            budget_ms: 300_000,
            jobs: 1,
            reuse_connections: false,
            only: Vec::new(),
            variables: BTreeMap::new(),
            secrets: Secrets::none(),
            limits: Limits::default(),
        }
    }
}

/// Where secrets come from. A suite holds references such as `${env:API_TOKEN}`; the caller says
/// what they stand for.
#[derive(Clone)]
pub struct Secrets {
    resolve: Arc<Resolve>,
}

/// Scheme and name to the secret.
type Resolve = dyn Fn(&str, &str) -> Option<Secret> + Send + Sync;

impl Secrets {
    /// No secrets: every reference is a finding.
    #[must_use]
    pub fn none() -> Secrets {
        Secrets::from_fn(|_, _| None)
    }

    /// `${env:NAME}` is this process's environment variable `NAME`.
    #[must_use]
    pub fn environment() -> Secrets {
        Secrets::from_fn(|scheme, name| {
            if scheme != "env" {
                return None;
            }
            std::env::var(name).ok().map(Secret::new)
        })
    }

    /// Asks `resolve` with scheme and name: `env` and `API_TOKEN` for `${env:API_TOKEN}`.
    pub fn from_fn(
        resolve: impl Fn(&str, &str) -> Option<Secret> + Send + Sync + 'static,
    ) -> Secrets {
        Secrets {
            resolve: Arc::new(resolve),
        }
    }

    pub(crate) fn resolve(&self, scheme: &str, name: &str) -> Option<Secret> {
        (self.resolve)(scheme, name)
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secrets(..)")
    }
}
