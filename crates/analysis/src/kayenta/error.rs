//! Why there is no answer.

use alloc::string::{String, ToString};
use core::fmt;

/// Why a comparison or a judgement could not be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KayentaError {
    kind: KayentaErrorKind,
    message: String,
}

/// The kinds of [`KayentaError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum KayentaErrorKind {
    /// An arm has no samples.
    Empty,
    /// A sample is NaN, infinite or beyond [`SAMPLE_MAGNITUDE_MAX`](super::SAMPLE_MAGNITUDE_MAX).
    NotFinite,
    /// An arm has more than [`SAMPLES_MAX`](super::SAMPLES_MAX) samples.
    TooManySamples,
    /// The configuration has [problems](super::Config::problems).
    Config,
    /// Samples of a metric that is not configured, or of one twice.
    Samples,
}

impl KayentaErrorKind {
    pub(super) fn because(self, message: &str) -> KayentaError {
        KayentaError {
            kind: self,
            message: message.to_string(),
        }
    }
}

impl KayentaError {
    /// What kind of error it is.
    #[must_use]
    pub const fn kind(&self) -> KayentaErrorKind {
        self.kind
    }
}

impl fmt::Display for KayentaError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl core::error::Error for KayentaError {}
