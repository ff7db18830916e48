//! Why a request got no usable answer.

use core::fmt;

use serde::{Deserialize, Serialize};

use crate::judge::excerpt::head;
use crate::report::result::Failure;

/// The class of what went wrong with an attempt.
///
/// The classes decide the verdict: [`Cause::is_answer`] ones are the service's fault and fail the
/// test, the others mean that it could not be asked and leave it inconclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cause {
    /// An answer came and was not the expected one.
    Assertion,
    /// It was connected, and then a deadline passed.
    Timeout,
    /// The connection ended before the answer was complete.
    Closed,
    /// What came is not HTTP.
    Protocol,
    /// The answer is larger than a limit.
    Limit,
    /// TLS could not be agreed on, or the certificate is not to be trusted.
    Tls,
    /// A redirect that leads where none is followed, or to no end.
    Redirect,
    /// The name has no address.
    Resolve,
    /// No connection: refused, no route, or not within its deadline.
    Connect,
    /// The address is one that must not be asked; see
    /// [`is_link_local_or_metadata`](crate::is_link_local_or_metadata).
    RefusedAddress,
    /// The run's time was used up.
    Budget,
    /// The caller cancelled the run.
    Cancelled,
    /// A test that this one needs did not pass.
    Dependency,
    /// This side is at fault: no file descriptors, no trusted roots.
    Local,
}

impl Cause {
    /// Whether the service was reached, so that the fault is in what it did.
    #[must_use]
    pub const fn is_answer(self) -> bool {
        matches!(
            self,
            Cause::Assertion
                | Cause::Timeout
                | Cause::Closed
                | Cause::Protocol
                | Cause::Limit
                | Cause::Tls
                | Cause::Redirect
        )
    }

    /// Whether the target could not be reached over the network.
    #[must_use]
    pub const fn is_unreachable(self) -> bool {
        matches!(self, Cause::Resolve | Cause::Connect)
    }

    /// The word used in reports, such as `refused-address`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Cause::Assertion => "assertion",
            Cause::Timeout => "timeout",
            Cause::Closed => "closed",
            Cause::Protocol => "protocol",
            Cause::Limit => "limit",
            Cause::Tls => "tls",
            Cause::Redirect => "redirect",
            Cause::Resolve => "resolve",
            Cause::Connect => "connect",
            Cause::RefusedAddress => "refused-address",
            Cause::Budget => "budget",
            Cause::Cancelled => "cancelled",
            Cause::Dependency => "dependency",
            Cause::Local => "local",
        }
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// An attempt that ended without an answer to judge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Trouble {
    pub(crate) cause: Cause,
    pub(crate) message: String,
}

impl Trouble {
    pub(crate) fn new(cause: Cause, message: impl Into<String>) -> Trouble {
        Trouble {
            cause,
            message: message.into(),
        }
    }
}

impl From<Trouble> for Failure {
    fn from(trouble: Trouble) -> Failure {
        Failure {
            cause: trouble.cause,
            message: trouble.message,
            expected: None,
            actual: None,
            diff: None,
            excerpt: None,
        }
    }
}

/// Characters of an error that is not our own: one of TLS lists every name of a certificate, one of
/// HTTP/2 what the service said when it hung up.
const ERROR_CHARS_MAX: usize = 600;

/// An error's own message and those of its sources, each once; cut and made visible, since the
/// service may have written it.
pub(crate) fn chain(error: &(dyn core::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(source) = next {
        let part = source.to_string();
        if !text.contains(&part) {
            text.push_str(": ");
            text.push_str(&part);
        }
        next = source.source();
    }
    head(&text, ERROR_CHARS_MAX)
}
