//! What the caller decides about a run.

use core::fmt;
use std::collections::BTreeMap;
use std::io;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use nonevent_document::{Secret, Timestamp};

use crate::backends::{Backends, Quorum};
use crate::limits::Limits;
use crate::net::transport::{Network, Transport};

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
#[derive(Clone)]
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
    /// Runs only the tests of these names, and what they need; all if empty.
    pub only: Vec<String>,
    /// Runs only tests with at least one of these tags, and what they need; all if empty.
    pub tags: Vec<String>,
    /// Leaves out tests with any of these tags, unless another one needs them.
    pub skip_tags: Vec<String>,
    /// Which servers of the target are asked.
    pub backends: Backends,
    /// How many of them must pass, where each is asked by itself.
    pub quorum: Quorum,
    /// What `${name}` stands for.
    pub variables: BTreeMap<String, String>,
    /// What `${env:NAME}` stands for.
    pub secrets: Secrets,
    /// Where the files that a suite names are: bodies, certificates.
    pub files: Files,
    /// How addresses and connections come about.
    pub transport: Arc<dyn Transport>,
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
            tags: Vec::new(),
            skip_tags: Vec::new(),
            backends: Backends::Any,
            quorum: Quorum::All,
            variables: BTreeMap::new(),
            secrets: Secrets::none(),
            files: Files::none(),
            transport: Arc::new(Network),
            limits: Limits::default(),
        }
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("started_at", &self.started_at)
            .field("jobs", &self.jobs)
            .field("backends", &self.backends)
            .finish_non_exhaustive()
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

/// Where the files that a suite names come from.
#[derive(Clone)]
pub struct Files {
    read: Arc<Read>,
}

/// A file's name to its bytes.
type Read = dyn Fn(&str) -> io::Result<Vec<u8>> + Send + Sync;

impl Files {
    /// No files: every name is a finding.
    #[must_use]
    pub fn none() -> Files {
        Files::from_fn(|_| Err(io::Error::other("this run is given no files")))
    }

    /// The files in `folder` and the folders in it, usually the one of the suite. Absolute names
    /// and ones that lead out of it (`..`) are refused, so that a suite from elsewhere cannot send
    /// away what it should not know; a link in the folder is followed.
    #[must_use]
    pub fn under(folder: impl Into<PathBuf>) -> Files {
        let folder = folder.into();
        Files::from_fn(move |name| {
            let inside = Path::new(name)
                .components()
                .all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
            if !inside {
                return Err(io::Error::other("it is not in the folder of the suite"));
            }
            let path = folder.join(name);
            if std::fs::metadata(&path)?.len() > FILE_BYTES_MAX {
                let message = format!("it has over {FILE_BYTES_MAX} bytes");
                return Err(io::Error::other(message));
            }
            std::fs::read(path)
        })
    }

    /// Asks `read` with the name as the suite writes it.
    pub fn from_fn(read: impl Fn(&str) -> io::Result<Vec<u8>> + Send + Sync + 'static) -> Files {
        Files {
            read: Arc::new(read),
        }
    }

    pub(crate) fn read(&self, name: &str) -> io::Result<Vec<u8>> {
        (self.read)(name)
    }
}

/// Bytes of one file.
const FILE_BYTES_MAX: u64 = 16 * 1024 * 1024;

impl fmt::Debug for Files {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Files(..)")
    }
}
