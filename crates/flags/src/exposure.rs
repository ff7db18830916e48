//! Which experiments an evaluation took its subject into.

use crate::context::Context;
use crate::ir::Rule;
use crate::resolution::Resolution;
use crate::set::FlagSet;
use crate::trace::Trace;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use serde::Serialize;

/// A subject in a variation of an experiment, as an experiment's analysis wants it recorded.
///
/// It holds the value that the subject is placed by. Treat it as you treat that.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Exposure {
    /// The experiment's key.
    pub experiment: String,
    /// The variation's number, from 0.
    pub variation: usize,
    /// The variation's key: the one it has in the file, or its number.
    pub variation_key: String,
    /// Whether the flag's rules went on with the subject, as those of a holdout do.
    pub passes: bool,
    /// The attribute that the subject is placed by.
    pub attribute: String,
    /// Its value; an empty text if the variation was forced on a context without it.
    pub value: serde_json::Value,
    /// Whether the subject's place decided; otherwise the variation was forced, and is none to
    /// analyse.
    pub is_hashed: bool,
    /// The subject's place, from 0 to below 1, if it was asked.
    pub bucket: Option<f64>,
    /// Whether an earlier assignment decided.
    pub is_sticky: bool,
    /// What to remember of it, where assignments are remembered.
    pub sticky: Option<StickyAssignment>,
    /// The weights that a contextual bandit gave, if it is one.
    pub bandit: Option<BanditLeaf>,
}

/// An assignment to remember: it belongs into the document `ATTRIBUTE_NAME||ATTRIBUTE_VALUE`, under
/// `assignments`, as `EXPERIMENT: VARIATION`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StickyAssignment {
    /// The attribute that the subject was placed by.
    pub attribute_name: String,
    /// Its value as text.
    pub attribute_value: String,
    /// The experiment's key and the version of its buckets, such as `checkout__0`.
    pub experiment: String,
    /// The variation's key.
    pub variation: String,
}

/// Where in a contextual bandit the context fell.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct BanditLeaf {
    /// The leaf's id; -1 if none fits and the weights are those for everyone.
    pub leaf: i64,
    /// The weight of each variation, from 0 to 1.
    pub weights: Vec<f64>,
    /// Which state of what was learned this is, as the file says it.
    pub version: Option<serde_json::Value>,
}

/// An evaluation with what it took its subject into.
#[derive(Debug, Clone, PartialEq)]
pub struct Exposed<'a> {
    /// As [`FlagSet::evaluate`] gives it.
    pub resolution: Resolution<'a, Option<&'a serde_json::Value>>,
    /// The name that the file gives the rule that decided, if one did and has one.
    pub rule: Option<String>,
    /// In the order of the rules. Of one that does not pass, the value is served; of flags that this
    /// one depends on, none is listed.
    pub exposures: Vec<Exposure>,
}

impl FlagSet {
    /// Evaluates the flag and tells which experiments of GrowthBook's form that took the subject
    /// into, for their analysis and for what is to be remembered. Unlike [`FlagSet::evaluate`], this
    /// allocates.
    ///
    /// ```
    /// use nonevent_flags::{Context, Dialect, FlagSet};
    ///
    /// let text = br#"{"features": {"checkout": {"defaultValue": 1, "rules": [
    ///     {"key": "test", "variations": [1, 2], "hashVersion": 2}]}}}"#;
    /// let flags = FlagSet::load("features.json", text, Dialect::GrowthBook)?.set;
    /// let exposed = flags.evaluate_exposing("checkout", &Context::new("user-7"));
    /// assert_eq!(exposed.exposures[0].experiment, "test");
    /// assert_eq!(exposed.exposures[0].attribute, "id");
    /// # Ok::<(), nonevent_document::Findings>(())
    /// ```
    #[must_use]
    pub fn evaluate_exposing(&self, key: &str, context: &Context<'_>) -> Exposed<'_> {
        let mut noted = Noted::default();
        let resolution = match self.get(key) {
            Some(flag) => self.resolve(flag, context, &mut noted).0,
            None => self.evaluate(key, context),
        };
        Exposed {
            resolution,
            rule: noted.rule,
            exposures: noted.exposures,
        }
    }
}

/// Notes exposures and the rule that decides, and nothing else.
#[derive(Default)]
struct Noted {
    rule: Option<String>,
    exposures: Vec<Exposure>,
}

impl Trace for Noted {
    const ON: bool = false;

    fn exposed(&mut self, exposure: impl FnOnce() -> Exposure) {
        self.exposures.push(exposure());
    }

    fn decided(&mut self, rule: &Rule) {
        self.rule = rule.label.as_deref().map(ToString::to_string);
    }
}
