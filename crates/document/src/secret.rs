//! Secrets that cannot be printed by accident.

use alloc::string::String;
use core::fmt;

use serde::Deserialize;

/// A text that must not be shown: no `Display`, no `Serialize`, and `Debug` keeps it back.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// Takes a text into custody.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Secret(text.into())
    }

    /// The text itself, for the one place that sends it. Whoever calls this also hands the secret
    /// to the [`Redactor`](crate::Redactor).
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}
