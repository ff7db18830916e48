//! What an evaluation answers: the fields of OpenFeature's resolution details.

use alloc::sync::Arc;
use core::fmt;
use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};

/// A value and how it came about (OpenFeature specification, section 1.4: evaluation details).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Resolution<'a, T> {
    /// The flag's value, or the caller's default.
    pub value: T,
    /// The variant's name; `None` if the value is the caller's default.
    pub variant: Option<&'a str>,
    /// Why this value.
    pub reason: Reason,
    /// What went wrong, if `reason` is [`Reason::Error`].
    pub error_code: Option<ErrorCode>,
    /// The same in words, for people.
    pub error_message: Option<&'a str>,
    /// The flag's metadata over that of its set.
    pub metadata: MetadataView<'a>,
}

impl<'a, T> Resolution<'a, T> {
    /// The same with another value.
    pub(crate) fn map<U>(self, to: impl FnOnce(T) -> U) -> Resolution<'a, U> {
        Resolution {
            value: to(self.value),
            variant: self.variant,
            reason: self.reason,
            error_code: self.error_code,
            error_message: self.error_message,
            metadata: self.metadata,
        }
    }
}

macro_rules! named {
    ($(#[$doc:meta])* $name:ident { $($(#[$item_doc:meta])* $item:ident = $text:literal),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum $name { $($(#[$item_doc])* $item),* }

        impl $name {
            /// The name that the OpenFeature specification gives it.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $($name::$item => $text),* }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }
    };
}

named! {
    /// Why a value was served (OpenFeature specification, section 1.4.7).
    Reason {
        /// The flag has no rules.
        Static = "STATIC",
        /// No rule decided.
        Default = "DEFAULT",
        /// A rule matched the context.
        TargetingMatch = "TARGETING_MATCH",
        /// The subject fell into a share.
        Split = "SPLIT",
        /// The flag is switched off.
        Disabled = "DISABLED",
        /// The value was remembered. Never given by this crate; here for those that cache.
        Cached = "CACHED",
        /// The reason is not known. Never given by this crate.
        Unknown = "UNKNOWN",
        /// The value may be out of date. Never given by this crate; here for those that cache.
        Stale = "STALE",
        /// Something went wrong; the value is the caller's default.
        Error = "ERROR",
    }
}

named! {
    /// What went wrong (OpenFeature specification, types, error codes).
    ErrorCode {
        /// No flag of this key.
        FlagNotFound = "FLAG_NOT_FOUND",
        /// The flag's definition is wrong.
        ParseError = "PARSE_ERROR",
        /// The flag's value is of another type than was asked for.
        TypeMismatch = "TYPE_MISMATCH",
        /// The flag needs a targeting key and the context has none.
        TargetingKeyMissing = "TARGETING_KEY_MISSING",
        /// The context is not one. Never given by this crate; here for those that parse contexts.
        InvalidContext = "INVALID_CONTEXT",
        /// The flags are not loaded yet. Never given by this crate; here for those that load.
        ProviderNotReady = "PROVIDER_NOT_READY",
        /// Anything else.
        General = "GENERAL",
    }
}

/// A flag's metadata laid over its set's, without copying either.
#[derive(Clone, Copy, Default)]
pub struct MetadataView<'a> {
    flag: &'a [(Arc<str>, serde_json::Value)],
    set: &'a [(Arc<str>, serde_json::Value)],
}

impl<'a> MetadataView<'a> {
    pub(crate) const fn new(
        flag: &'a [(Arc<str>, serde_json::Value)],
        set: &'a [(Arc<str>, serde_json::Value)],
    ) -> Self {
        Self { flag, set }
    }

    /// The value of this name: a text, number or boolean.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&'a serde_json::Value> {
        self.flag
            .iter()
            .chain(self.set)
            .find(|(key, _)| **key == *name)
            .map(|(_, value)| value)
    }

    /// All names and values, the flag's own first.
    pub fn iter(&self) -> impl Iterator<Item = (&'a str, &'a serde_json::Value)> + use<'a> {
        let own = self.flag;
        let inherited = self
            .set
            .iter()
            .filter(move |(key, _)| own.iter().all(|(name, _)| name != key));
        own.iter()
            .chain(inherited)
            .map(|(key, value)| (&**key, value))
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.flag.is_empty() && self.set.is_empty()
    }
}

impl PartialEq for MetadataView<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl fmt::Debug for MetadataView<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

impl Serialize for MetadataView<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

impl<T: Serialize> Serialize for Resolution<'_, T> {
    /// With OpenFeature's field names: `value`, `variant`, `reason`, `errorCode`, `errorMessage`,
    /// `metadata`; those without a value are left out.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("value", &self.value)?;
        if let Some(variant) = self.variant {
            map.serialize_entry("variant", variant)?;
        }
        map.serialize_entry("reason", &self.reason)?;
        if let Some(code) = self.error_code {
            map.serialize_entry("errorCode", &code)?;
        }
        if let Some(message) = self.error_message {
            map.serialize_entry("errorMessage", message)?;
        }
        if !self.metadata.is_empty() {
            map.serialize_entry("metadata", &self.metadata)?;
        }
        map.end()
    }
}
