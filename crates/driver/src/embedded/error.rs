//! Why the embedded router could not start.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::path::Path;

/// What the embedded router could not do at its start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ServeErrorKind {
    /// The state file cannot be read or is damaged.
    State,
    /// The address for requests cannot be bound.
    Listen,
    /// The control socket cannot be bound, or another router answers on it.
    Control,
    /// The system refused something that every process may have: random bytes, signal handling.
    System,
}

/// The embedded router could not start.
#[derive(Debug)]
pub struct ServeError {
    kind: ServeErrorKind,
    message: String,
    source: Box<dyn std::error::Error + Send + Sync>,
}

impl ServeError {
    /// What could not be done.
    #[must_use]
    pub const fn kind(&self) -> ServeErrorKind {
        self.kind
    }

    fn new(
        kind: ServeErrorKind,
        message: String,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> ServeError {
        ServeError {
            kind,
            message,
            source: source.into(),
        }
    }

    pub(super) fn state(path: &Path, source: io::Error) -> ServeError {
        let message = format!("the router's state file {} is of no use", path.display());
        ServeError::new(ServeErrorKind::State, message, source)
    }

    pub(super) fn listen(listen: SocketAddr, source: io::Error) -> ServeError {
        let message = format!("the router cannot take requests on {listen}");
        ServeError::new(ServeErrorKind::Listen, message, source)
    }

    pub(super) fn control(path: &Path, source: io::Error) -> ServeError {
        let message = format!(
            "the router cannot use {} as its control socket",
            path.display()
        );
        ServeError::new(ServeErrorKind::Control, message, source)
    }

    pub(super) fn signals(source: io::Error) -> ServeError {
        let message = "the router cannot handle signals".to_owned();
        ServeError::new(ServeErrorKind::System, message, source)
    }

    pub(super) fn entropy(source: getrandom::Error) -> ServeError {
        let message = "the router got no random bytes".to_owned();
        ServeError::new(ServeErrorKind::System, message, source)
    }
}

impl fmt::Display for ServeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for ServeError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&*self.source)
    }
}
