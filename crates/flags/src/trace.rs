//! What watches an evaluation: nothing at all, or a recorder.

use crate::exposure::Exposure;
use crate::ir::{Expr, Rule};
use crate::print::Brief;
use crate::value::Value;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;
use serde::Serialize;

/// Told what the evaluator does. With `ON` false, all of it compiles away.
pub(crate) trait Trace {
    const ON: bool;
    fn enter(&mut self) {}
    fn leave(&mut self, _expr: &Expr, _result: Option<Value<'_>>) {}
    /// Why the expression now being evaluated comes out as it does.
    fn because(&mut self, _text: impl FnOnce() -> String) {}
    /// What became of a rule whose expressions were just evaluated.
    fn rule(&mut self, _label: Option<&str>, _verdict: Verdict<'_>) {}
    /// A subject is in a variation of an experiment. Told whether or not this is `ON`.
    fn exposed(&mut self, _exposure: impl FnOnce() -> Exposure) {}
    /// This rule decided. Told whether or not this is `ON`.
    fn decided(&mut self, _rule: &Rule) {}
}

/// What became of a rule.
pub(crate) enum Verdict<'v> {
    ConditionFalse,
    Null,
    NoVariant(Value<'v>),
    CallerDefault,
    Decides(Value<'v>),
    Stopped,
}

/// Watches nothing.
pub(crate) struct NoTrace;

impl Trace for NoTrace {
    const ON: bool = false;
}

/// One expression that was evaluated, with those inside it that were.
///
/// What was not evaluated (the other branch of an `if`, the rest of an `and`) has no step.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Step {
    /// The expression; parts of it that are composed themselves are shown as `…`.
    pub what: String,
    /// What came out; `None` if the evaluation stopped here.
    pub result: Option<serde_json::Value>,
    /// Why, where that is not plain from the steps inside.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub because: Option<String>,
    /// The expressions evaluated for it, in order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<Step>,
}

/// A trace longer than this is cut off.
const STEPS_MAX: usize = 10_000;

/// What became of one rule, and how.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RuleTrace {
    /// The rule's name in the file, or its number.
    pub rule: String,
    /// Whether it decided.
    pub decides: bool,
    /// Why, in words.
    pub because: String,
    /// What was evaluated for it.
    pub steps: Vec<Step>,
}

/// Keeps every step.
#[derive(Default)]
pub(crate) struct Recorder {
    open: Vec<Open>,
    done: Vec<Step>,
    rules: Vec<RuleTrace>,
    count: usize,
}

#[derive(Default)]
struct Open {
    steps: Vec<Step>,
    because: Option<String>,
}

impl Recorder {
    /// All that was recorded.
    pub(crate) fn finish(self) -> Vec<RuleTrace> {
        self.rules
    }

    fn push(&mut self, label: Option<&str>, decides: bool, because: String) {
        let rule = match label {
            Some(label) => label.to_string(),
            None => (self.rules.len() + 1).to_string(),
        };
        let steps = core::mem::take(&mut self.done);
        self.rules.push(RuleTrace {
            rule,
            decides,
            because,
            steps,
        });
    }
}

impl Trace for Recorder {
    const ON: bool = true;

    fn enter(&mut self) {
        self.open.push(Open::default());
    }

    fn leave(&mut self, expr: &Expr, result: Option<Value<'_>>) {
        let Some(open) = self.open.pop() else { return };
        self.count += 1;
        if self.count > STEPS_MAX {
            return;
        }
        let step = Step {
            what: Brief(expr).to_string(),
            result: result.map(Value::to_json),
            because: open.because,
            steps: open.steps,
        };
        match self.open.last_mut() {
            Some(outer) => outer.steps.push(step),
            None => self.done.push(step),
        }
    }

    fn rule(&mut self, label: Option<&str>, verdict: Verdict<'_>) {
        let (decides, because) = match verdict {
            Verdict::ConditionFalse => (false, String::from("its condition does not hold")),
            Verdict::Null => (false, String::from("its result is null")),
            Verdict::NoVariant(value) => (
                true,
                alloc::format!("its result {value:?} names no variant"),
            ),
            Verdict::CallerDefault => (true, String::from("it leaves the caller's default")),
            Verdict::Decides(value) => (true, alloc::format!("its result is {value:?}")),
            Verdict::Stopped => (true, String::from("the evaluation stopped in it")),
        };
        self.push(label, decides, because);
    }

    fn because(&mut self, text: impl FnOnce() -> String) {
        if self.count < STEPS_MAX
            && let Some(open) = self.open.last_mut()
        {
            open.because = Some(text());
        }
    }
}

impl Step {
    /// Writes the step and those inside it, one a line, indented by depth.
    pub(crate) fn write(&self, f: &mut fmt::Formatter<'_>, depth: usize) -> fmt::Result {
        let indent = depth * 2;
        write!(f, "{:indent$}{} is ", "", self.what)?;
        match &self.result {
            Some(result) => write!(f, "{result}")?,
            None => f.write_str("not known: the evaluation stopped here")?,
        }
        if let Some(because) = &self.because {
            write!(f, " ({because})")?;
        }
        f.write_str("\n")?;
        self.steps
            .iter()
            .try_for_each(|step| step.write(f, depth + 1))
    }
}
