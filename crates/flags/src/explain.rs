//! Why a flag has the value it has.

use crate::context::Context;
use crate::ir::State;
use crate::resolution::{ErrorCode, Reason};
use crate::set::FlagSet;
use crate::trace::{Recorder, RuleTrace};
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;
use serde::Serialize;

/// One evaluation, retold: each rule that was tried, what it compared, and why it did or did not
/// decide. As text by `Display`, as data by `Serialize`.
///
/// It holds the context's values that rules looked at. Treat it as you treat those.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Explanation {
    /// The flag's key.
    pub flag: String,
    /// The value; `None` if the caller's default applies.
    pub value: Option<serde_json::Value>,
    /// The variant's name.
    pub variant: Option<String>,
    /// The reason, as in the resolution.
    pub reason: Reason,
    /// The error, if any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_code: Option<ErrorCode>,
    /// The error in words, if any; or what the flag uses that is not known here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_message: Option<String>,
    /// The rules that were tried, in order.
    pub rules: Vec<RuleTrace>,
}

impl FlagSet {
    /// Evaluates the flag and tells how.
    ///
    /// ```
    /// use nonevent_flags::{Context, FlagSet, LoadOptions};
    ///
    /// let text = br#"{"flags": {"dark-mode": true}}"#;
    /// let flags = FlagSet::load("flags.json", text, LoadOptions::default())?.set;
    /// let told = flags.explain("dark-mode", &Context::anonymous()).to_string();
    /// assert_eq!(told, "dark-mode is true (variant on, STATIC)\n  it has no rules\n");
    /// # Ok::<(), nonevent_document::Findings>(())
    /// ```
    #[must_use]
    pub fn explain(&self, key: &str, context: &Context<'_>) -> Explanation {
        let mut recorder = Recorder::default();
        let resolution = match self.get(key) {
            Some(flag) => self.resolve(flag, context, &mut recorder).0,
            None => self.evaluate(key, context),
        };
        let unknown = match self.get(key).map(|flag| &flag.state) {
            Some(State::Unknown(what)) => Some(&**what),
            _ => None,
        };
        Explanation {
            flag: key.to_string(),
            value: resolution.value.cloned(),
            variant: resolution.variant.map(ToString::to_string),
            reason: resolution.reason,
            error_code: resolution.error_code,
            error_message: resolution
                .error_message
                .or(unknown)
                .map(ToString::to_string),
            rules: recorder.finish(),
        }
    }
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is ", self.flag)?;
        match (&self.value, &self.variant) {
            (Some(value), Some(variant)) => write!(f, "{value} (variant {variant}, ")?,
            (Some(value), None) => write!(f, "{value} (")?,
            (None, _) => f.write_str("the caller's default (")?,
        }
        write!(f, "{}", self.reason)?;
        if let Some(code) = self.error_code {
            write!(f, ": {code}")?;
        }
        f.write_str(")\n")?;
        if let Some(message) = &self.error_message {
            writeln!(f, "  {message}")?;
        }
        let decided = self.rules.iter().any(|rule| rule.decides);
        if self.reason == Reason::Static && !decided {
            f.write_str("  it has no rules\n")?;
        }
        for rule in &self.rules {
            let verb = if rule.decides {
                "decides"
            } else {
                "does not decide"
            };
            writeln!(f, "  rule {} {verb}: {}", rule.rule, rule.because)?;
            rule.steps.iter().try_for_each(|step| step.write(f, 2))?;
        }
        if self.reason == Reason::Default && !decided && !self.rules.is_empty() {
            f.write_str("  no rule decides, so the default does\n")?;
        }
        Ok(())
    }
}
