//! Bytes in, flags and findings out.

use crate::codes;
use crate::dialect;
use crate::encrypted::DecryptionKey;
use crate::index::KeyIndex;
use crate::intern::Strings;
use crate::ir::{Flag, Metadata, Segment};
use crate::quick::Quick;
use crate::set::FlagSet;
use alloc::boxed::Box;
use alloc::format;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::str::FromStr;
use nonevent_document::{Document, Finding, Findings};

/// The form a flag file is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Dialect {
    /// flagd's: variants, and targeting in JsonLogic (<https://flagd.dev/reference/flag-definitions>).
    Flagd,
    /// GrowthBook's features, experiments and saved groups, as its API gives them to SDKs.
    GrowthBook,
    /// Small files: names with a value each, or objects with a rollout, an allocation or rules.
    Plain,
    /// LaunchDarkly's data for servers.
    LaunchDarkly,
    /// The Universal Flag Configuration of Eppo and Datadog, for servers.
    Ufc,
    /// Unleash's features, as its client API gives them, or as events of its delta API.
    Unleash,
    /// `FEATURE_NAME=value` pairs. Not a file format: see [`FlagSet::from_environment`].
    Environment,
}

impl Dialect {
    /// The name used in commands: `flagd`, `growthbook`, `launchdarkly`, `plain`, `ufc`, `unleash`, `environment`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Dialect::Flagd => "flagd",
            Dialect::GrowthBook => "growthbook",
            Dialect::Plain => "plain",
            Dialect::LaunchDarkly => "launchdarkly",
            Dialect::Ufc => "ufc",
            Dialect::Unleash => "unleash",
            Dialect::Environment => "environment",
        }
    }
}

impl fmt::Display for Dialect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The name of a dialect that does not exist, or is not read from files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no such flag dialect; there are flagd, growthbook, launchdarkly, plain, ufc and unleash")]
pub struct UnknownDialect(());

impl FromStr for Dialect {
    type Err = UnknownDialect;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        match name {
            "flagd" => Ok(Dialect::Flagd),
            "growthbook" => Ok(Dialect::GrowthBook),
            "plain" => Ok(Dialect::Plain),
            "launchdarkly" => Ok(Dialect::LaunchDarkly),
            "ufc" => Ok(Dialect::Ufc),
            "unleash" => Ok(Dialect::Unleash),
            _ => Err(UnknownDialect(())),
        }
    }
}

/// Which of flagd's ways to divide subjects `fractional` uses.
///
/// They put the same subject in different buckets, and a file does not say which one its author
/// had in mind: choose the one that the team's other flagd evaluators use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Fractional {
    /// The first: `|hash as i32| / i32::MAX` as a floating-point percentage.
    V1,
    /// The one in wide use: `hash * total_weight >> 32` in integers.
    #[default]
    V2,
    /// As version 2, but hashes the deterministic CBOR of the bucketing value, which may then be
    /// of any type.
    V3,
}

/// What a flagd flag without a default variant gives when its targeting names none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum NoDefault {
    /// The caller's default, with reason `DEFAULT`.
    #[default]
    CallerDefault,
    /// The error `FLAG_NOT_FOUND`, as flagd did before it had a rule for this.
    FlagNotFound,
}

/// How much a flag file may ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// The file's length in bytes. 64 MiB.
    pub bytes_max: usize,
    /// How deep values nest in the file. 200, which is also the most that can be had.
    pub depth_max: usize,
    /// How many values the file has, aliases counted as often as they are used. 4 000 000.
    pub nodes_max: usize,
    /// How deep one flag's expressions nest, shared evaluators included. 100.
    pub expression_depth_max: usize,
    /// How many expressions one flag has, shared evaluators counted as often as they are used.
    /// 50 000.
    pub expression_nodes_max: usize,
    /// How many steps one evaluation takes: one for each expression, list element, or 16 bytes of
    /// new text. 1 000 000.
    pub steps_max: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            bytes_max: 64 << 20,
            depth_max: 200,
            nodes_max: 4_000_000,
            expression_depth_max: 100,
            expression_nodes_max: 50_000,
            steps_max: 1_000_000,
        }
    }
}

impl Limits {
    /// Those that hold for any document.
    pub(crate) const fn of_document(&self) -> nonevent_document::Limits {
        nonevent_document::Limits {
            bytes_max: self.bytes_max,
            depth_max: self.depth_max,
            nodes_max: self.nodes_max,
        }
    }
}

/// How to read a flag file. The default recognises the dialect from the file.
///
/// ```
/// use nonevent_flags::{Dialect, Fractional, LoadOptions};
///
/// let options = LoadOptions::from(Dialect::Flagd).fractional(Fractional::V3);
/// ```
#[derive(Debug, Clone, Copy, Default)]
pub struct LoadOptions {
    pub(crate) dialect: Option<Dialect>,
    pub(crate) fractional: Fractional,
    pub(crate) no_default: NoDefault,
    pub(crate) limits: Limits,
    pub(crate) decryption_key: Option<DecryptionKey>,
}

impl From<Dialect> for LoadOptions {
    fn from(dialect: Dialect) -> Self {
        Self {
            dialect: Some(dialect),
            ..Self::default()
        }
    }
}

impl LoadOptions {
    /// With this version of `fractional`.
    #[must_use]
    pub const fn fractional(mut self, fractional: Fractional) -> Self {
        self.fractional = fractional;
        self
    }

    /// With this rule for flags without a default variant.
    #[must_use]
    pub const fn no_default(mut self, no_default: NoDefault) -> Self {
        self.no_default = no_default;
        self
    }

    /// With this key for a file of GrowthBook whose parts are encrypted. What is found in them has
    /// its place in the decrypted text.
    #[must_use]
    pub const fn decryption_key(mut self, key: DecryptionKey) -> Self {
        self.decryption_key = Some(key);
        self
    }

    /// With these limits.
    #[must_use]
    pub const fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }
}

/// A set of flags, and what was noticed about the file.
#[derive(Debug, Clone)]
#[must_use]
pub struct Loaded {
    /// The flags. Those with an error finding answer `PARSE_ERROR`; the others are not affected.
    pub set: FlagSet,
    /// What was noticed, by position.
    pub findings: Findings,
}

impl FlagSet {
    /// Reads a flag file. `name` is for messages; with the text it decides JSON or YAML.
    ///
    /// # Errors
    ///
    /// If nothing can be read: not JSON or YAML, over a limit, no flags in it, or its dialect not
    /// recognised. A flag that is wrong in itself is no error here: it becomes a finding, and
    /// evaluating it gives `PARSE_ERROR`.
    ///
    /// ```
    /// use nonevent_flags::{Context, Dialect, FlagSet};
    ///
    /// let loaded = FlagSet::load("flags.yaml", b"flags:\n  dark-mode: true\n", Dialect::Plain)?;
    /// assert!(loaded.set.bool("dark-mode", false, &Context::anonymous()).value);
    /// # Ok::<(), nonevent_document::Findings>(())
    /// ```
    pub fn load(
        name: &str,
        bytes: &[u8],
        options: impl Into<LoadOptions>,
    ) -> Result<Loaded, Findings> {
        let options = options.into();
        let limits = options.limits.of_document();
        let mut document = Document::parse(name, bytes, &limits)?;
        if let Some(key) = &options.decryption_key
            && let Some(text) = dialect::growthbook::decrypted(document.root(), key)
                .map_err(|refusal| Findings::from(*refusal))?
        {
            document = Document::parse(name, text.as_bytes(), &limits)?;
        }
        let dialect = match options.dialect {
            Some(dialect) => dialect,
            None => {
                dialect::recognise(document.root()).map_err(|refusal| Findings::from(*refusal))?
            }
        };
        let mut draft = Draft::default();
        match dialect {
            Dialect::Flagd => dialect::flagd::read(document.root(), &options, &mut draft),
            Dialect::GrowthBook => dialect::growthbook::read(document.root(), &options, &mut draft),
            Dialect::Plain => dialect::plain::read(document.root(), &mut draft),
            Dialect::LaunchDarkly => dialect::launchdarkly::read(document.root(), &mut draft),
            Dialect::Ufc => dialect::ufc::read(document.root(), &mut draft),
            Dialect::Unleash => dialect::unleash::read(document.root(), &mut draft),
            Dialect::Environment => Err(Box::new(Finding::error(
                codes::NOT_FLAGS,
                "",
                "environment pairs are not read from a file",
                "pass them to FlagSet::from_environment",
            ))),
        }
        .map_err(|refusal| Findings::from(*refusal))?;
        Ok(draft.finish(name, dialect, &options))
    }

    /// The flags in `FEATURE_NAME=value` pairs; other pairs are left alone.
    ///
    /// `FEATURE_DARK_MODE` is the flag `dark-mode`. `true` and `false` in any case are booleans, a
    /// decimal number is a number, all else is a text. Reading the environment is the caller's
    /// part, so that this crate stays free of it:
    ///
    /// ```
    /// use nonevent_flags::{Context, FlagSet};
    ///
    /// let loaded = FlagSet::from_environment([("FEATURE_DARK_MODE", "true"), ("HOME", "/root")]);
    /// assert_eq!(loaded.set.len(), 1);
    /// assert!(loaded.set.bool("dark-mode", false, &Context::anonymous()).value);
    /// // In a program: FlagSet::from_environment(std::env::vars())
    /// ```
    pub fn from_environment<K, V>(pairs: impl IntoIterator<Item = (K, V)>) -> Loaded
    where
        K: AsRef<str>,
        V: AsRef<str>,
    {
        let mut draft = Draft::default();
        for (name, value) in pairs {
            dialect::environment::read(name.as_ref(), value.as_ref(), &mut draft);
        }
        draft.finish("environment", Dialect::Environment, &LoadOptions::default())
    }
}

/// What a front end fills in.
#[derive(Default)]
pub(crate) struct Draft {
    pub(crate) flags: Vec<Flag>,
    pub(crate) segments: Vec<Arc<Segment>>,
    pub(crate) metadata: Metadata,
    pub(crate) findings: Vec<Finding>,
}

impl Draft {
    fn finish(mut self, name: &str, dialect: Dialect, options: &LoadOptions) -> Loaded {
        self.drop_repeated();
        let mut strings = Strings::default();
        for flag in &mut self.flags {
            strings.flag(flag);
            flag.quick = Quick::of(flag, dialect);
        }
        let findings: Findings = self.findings.into_iter().collect();
        let set = FlagSet {
            name: name.into(),
            dialect,
            index: KeyIndex::new(&self.flags.iter().map(|flag| &*flag.key)),
            flags: self.flags.into(),
            segments: self.segments.into(),
            metadata: self.metadata,
            no_default: options.no_default,
            steps_max: options.limits.steps_max,
            findings: findings.clone(),
        };
        Loaded { set, findings }
    }

    /// Of flags with the same key (possible where the file lists flags), the first stays.
    fn drop_repeated(&mut self) {
        let mut seen = alloc::collections::BTreeSet::new();
        let findings = &mut self.findings;
        self.flags.retain(|flag| {
            let first = seen.insert(Arc::clone(&flag.key));
            if !first {
                let mut finding = Finding::error(
                    codes::DEFINITION,
                    &*flag.origin.path,
                    format!("the flag {:?} is defined a second time", flag.key),
                    "keep one of them; the first is the one in use",
                );
                finding.at = flag.origin.at;
                findings.push(finding);
            }
            first
        });
    }
}
