//! Typed access: a flag's rules are followed until one decides.

use crate::context::{Context, Root};
use crate::eval::quick::{self, End};
use crate::eval::val::{Val, short_text};
use crate::eval::{Machine, Scope, Stop};
use crate::ir::{DefaultVariant, Expr, Flag, Gate, Rule, RuleReason, State, Variant};
use crate::load::{Dialect, NoDefault};
use crate::quick::MACHINE_STEPS_MIN;
use crate::resolution::{ErrorCode, MetadataView, Reason, Resolution};
use crate::set::FlagSet;
use crate::trace::{NoTrace, Trace, Verdict};
use crate::value::Value;

/// The value of a flag before it is read as a type: `None` is the caller's default.
type Untyped<'a> = Resolution<'a, Option<&'a serde_json::Value>>;

impl FlagSet {
    /// The flag as a boolean; of a flag that is on or off apart from its value (Unleash's),
    /// whether it is on.
    ///
    /// `default` is the value if the flag is missing, disabled, wrong, of another type, or has
    /// no default variant; the resolution says which.
    pub fn bool(&self, key: &str, default: bool, context: &Context<'_>) -> Resolution<'_, bool> {
        let (untyped, gate) = self.found(key, context);
        let read = |value: &serde_json::Value| gate.is_on().or_else(|| value.as_bool());
        typed(untyped, default, read, "the flag's value is not a boolean")
    }

    /// The flag as a whole number. `10.0` is one; `0.5` is not.
    pub fn i64(&self, key: &str, default: i64, context: &Context<'_>) -> Resolution<'_, i64> {
        typed(
            self.evaluate(key, context),
            default,
            whole,
            "the flag's value is not a whole number",
        )
    }

    /// The flag as a number.
    pub fn f64(&self, key: &str, default: f64, context: &Context<'_>) -> Resolution<'_, f64> {
        let read = serde_json::Value::as_f64;
        typed(
            self.evaluate(key, context),
            default,
            read,
            "the flag's value is not a number",
        )
    }

    /// The flag as a text.
    pub fn str<'a>(
        &'a self,
        key: &str,
        default: &'a str,
        context: &Context<'_>,
    ) -> Resolution<'a, &'a str> {
        let read = serde_json::Value::as_str;
        typed(
            self.evaluate(key, context),
            default,
            read,
            "the flag's value is not a text",
        )
    }

    /// The flag as an object or a list.
    pub fn json<'a>(
        &'a self,
        key: &str,
        default: &'a serde_json::Value,
        context: &Context<'_>,
    ) -> Resolution<'a, &'a serde_json::Value> {
        let read = |value: &'a serde_json::Value| {
            Some(value).filter(|value| value.is_object() || value.is_array())
        };
        typed(
            self.evaluate(key, context),
            default,
            read,
            "the flag's value is no object or list",
        )
    }

    /// The flag whatever its type. The value is `None` where a typed accessor would give the
    /// caller's default.
    pub fn evaluate(&self, key: &str, context: &Context<'_>) -> Untyped<'_> {
        self.found(key, context).0
    }

    #[inline]
    fn found(&self, key: &str, context: &Context<'_>) -> (Untyped<'_>, Gate) {
        match self.get(key) {
            Some(flag) => self.resolve(flag, context, &mut NoTrace),
            None => {
                let resolution = Resolution {
                    value: None,
                    variant: None,
                    reason: Reason::Error,
                    error_code: Some(ErrorCode::FlagNotFound),
                    error_message: Some("no flag of this key is defined"),
                    metadata: self.metadata(),
                };
                (resolution, Gate::None)
            }
        }
    }

    /// The variant that another flag depends on, if any is served, and the steps left.
    pub(crate) fn served<'s>(
        &'s self,
        flag: &'s Flag,
        context: &Context<'_>,
        budget: Budget,
    ) -> Result<(Option<&'s Variant>, u32), Stop> {
        match self.decide(flag, context, budget, &mut NoTrace) {
            (Answer::Variant(index, _), left) => Ok((flag.variants.get(index), left)),
            (Answer::Caller(_) | Answer::Failed(..), left) => Ok((None, left)),
            (Answer::Stopped(stop), _) => Err(stop),
        }
    }

    #[inline]
    pub(crate) fn resolve<'s, T: Trace>(
        &'s self,
        flag: &'s Flag,
        context: &Context<'_>,
        trace: &mut T,
    ) -> (Untyped<'s>, Gate) {
        let budget = Budget {
            depth: 0,
            steps_left: self.steps_max,
        };
        let (answer, _) = self.decide(flag, context, budget, trace);
        self.answered(flag, answer)
    }

    /// What is served, and how many steps are left.
    #[inline]
    fn decide<'s, T: Trace>(
        &'s self,
        flag: &'s Flag,
        context: &Context<'_>,
        budget: Budget,
        trace: &mut T,
    ) -> (Answer<'s>, u32) {
        let answer = match &flag.state {
            State::Disabled(None) => Answer::Caller(Reason::Disabled),
            State::Disabled(Some(index)) => Answer::Variant(*index, Reason::Disabled),
            State::Broken(why) => Answer::Failed(ErrorCode::ParseError, why),
            State::Unknown(_) => Answer::Caller(Reason::Default),
            State::Enabled => match flag.rules.first() {
                None => self.default(flag, Reason::Static),
                // The same for everyone: nothing in the context is asked for.
                Some(rule)
                    if !T::ON
                        && let Some(answer) = always(rule) =>
                {
                    trace.decided(rule);
                    answer
                }
                Some(_) => {
                    if !T::ON && budget.steps_left >= MACHINE_STEPS_MIN {
                        match quick::follow(&flag.quick, context) {
                            End::Serve { rule, variant } => {
                                if let Some(rule) = flag.rules.get(rule) {
                                    trace.decided(rule);
                                    let answer = Answer::Variant(variant, reason(rule));
                                    return (answer, budget.steps_left);
                                }
                            }
                            End::Default => {
                                return (self.default(flag, Reason::Default), budget.steps_left);
                            }
                            End::GiveUp => {}
                        }
                    }
                    return self.followed(flag, context, budget, trace);
                }
            },
        };
        (answer, budget.steps_left)
    }

    /// What the rules come to for this context.
    #[inline]
    fn followed<'s, T: Trace>(
        &'s self,
        flag: &'s Flag,
        context: &Context<'_>,
        budget: Budget,
        trace: &mut T,
    ) -> (Answer<'s>, u32) {
        let root = Root::new(context, &flag.key, self.dialect);
        let mut machine = Machine {
            root: &root,
            set: self,
            depth: budget.depth,
            segment_depth: 0,
            steps_left: budget.steps_left,
            trace,
        };
        let answer = match follow(&mut machine, &flag.rules, flag) {
            Ok(Some(answer)) => answer,
            Ok(None) => self.default(flag, Reason::Default),
            Err(stop) => Answer::Stopped(stop),
        };
        (answer, machine.steps_left)
    }

    fn default<'s>(&self, flag: &'s Flag, reason: Reason) -> Answer<'s> {
        match (&flag.default, self.no_default) {
            (DefaultVariant::Variant(index), _) => Answer::Variant(*index, reason),
            (DefaultVariant::Caller, NoDefault::CallerDefault) => Answer::Caller(Reason::Default),
            (DefaultVariant::Caller, NoDefault::FlagNotFound) => {
                Answer::Failed(ErrorCode::FlagNotFound, "the flag has no default variant")
            }
            (DefaultVariant::Undefined(_), _) => {
                Answer::Failed(ErrorCode::General, "the default variant is not defined")
            }
        }
    }

    #[inline]
    fn answered<'s>(&'s self, flag: &'s Flag, answer: Answer<'s>) -> (Untyped<'s>, Gate) {
        let mut resolution = Resolution {
            value: None,
            variant: None,
            reason: Reason::Error,
            error_code: None,
            error_message: None,
            metadata: MetadataView::new(&flag.metadata, &self.metadata),
        };
        let mut gate = Gate::None;
        match answer {
            Answer::Variant(index, reason) => {
                resolution.reason = reason;
                if let Some(variant) = flag.variants.get(index) {
                    resolution.variant = Some(&variant.name);
                    // GrowthBook's null is no value: the caller's default is served.
                    let is_none = self.dialect == Dialect::GrowthBook && variant.value.is_null();
                    resolution.value = Some(&variant.value).filter(|_| !is_none);
                    gate = variant.gate;
                }
            }
            Answer::Caller(reason) => resolution.reason = reason,
            Answer::Failed(code, message) => {
                resolution.error_code = Some(code);
                resolution.error_message = Some(message);
            }
            Answer::Stopped(stop) => {
                let (code, message) = stopped(stop);
                resolution.error_code = Some(code);
                resolution.error_message = Some(message);
            }
        }
        (resolution, gate)
    }
}

/// What following a flag's rules came to.
#[derive(Clone, Copy)]
enum Answer<'s> {
    Variant(usize, Reason),
    Caller(Reason),
    Failed(ErrorCode, &'s str),
    Stopped(Stop),
}

/// What an evaluation may use up.
#[derive(Clone, Copy)]
pub(crate) struct Budget {
    /// How many flags wait for the one evaluated.
    pub(crate) depth: u8,
    pub(crate) steps_left: u32,
}

/// Tries the rules in order; `None` if none decides.
#[inline]
fn follow<'s, 'e, T: Trace>(
    machine: &mut Machine<'e, T>,
    rules: &'e [Rule],
    flag: &'s Flag,
) -> Result<Option<Answer<'s>>, Stop> {
    for rule in rules {
        if !T::ON {
            let answer = unwatched(machine, rule, flag)?;
            if answer.is_some() {
                machine.trace.decided(rule);
                return Ok(answer);
            }
            continue;
        }
        let result = match result_of(machine, rule) {
            Ok(result) => result,
            Err(stop) => {
                machine.trace.rule(rule.label.as_deref(), Verdict::Stopped);
                return Err(stop);
            }
        };
        let (verdict, answer) = match &result {
            None => (Verdict::ConditionFalse, None),
            Some(_) if rule.serve == Expr::CallerDefault => {
                (Verdict::CallerDefault, Some(Answer::Caller(reason(rule))))
            }
            Some(result) if result.is_null() => (Verdict::Null, None),
            Some(result) => match variant_index(flag, result) {
                Some(index) => {
                    let reason = reason(rule);
                    (
                        Verdict::Decides(result.view()),
                        Some(Answer::Variant(index, reason)),
                    )
                }
                None => (Verdict::NoVariant(result.view()), Some(NO_VARIANT)),
            },
        };
        machine.trace.rule(rule.label.as_deref(), verdict);
        if answer.is_some() {
            machine.trace.decided(rule);
            return Ok(answer);
        }
    }
    Ok(None)
}

const NO_VARIANT: Answer<'static> = Answer::Failed(
    ErrorCode::General,
    "the rule's result names a variant that is not defined",
);

/// As [`follow`] does with one rule, where nobody watches: without a value for what only names a
/// variant.
#[inline]
fn unwatched<'s, 'e, T: Trace>(
    machine: &mut Machine<'e, T>,
    rule: &'e Rule,
    flag: &'s Flag,
) -> Result<Option<Answer<'s>>, Stop> {
    if !applies(machine, rule)? {
        return Ok(None);
    }
    if matches!(rule.serve, Expr::CallerDefault) {
        return Ok(Some(Answer::Caller(reason(rule))));
    }
    let index = match machine.taken(&rule.serve)? {
        None => return Ok(None),
        Some(Expr::Variant(index, _)) => Some(*index),
        Some(expr) => {
            let result = machine.eval(expr, &Scope::Root)?;
            if result.is_null() {
                return Ok(None);
            }
            variant_index(flag, &result)
        }
    };
    Ok(Some(match index {
        Some(index) => Answer::Variant(index, reason(rule)),
        None => NO_VARIANT,
    }))
}

/// What a rule without a condition serves, if that is the same for everyone.
#[inline]
const fn always(rule: &Rule) -> Option<Answer<'_>> {
    match (&rule.when, &rule.serve) {
        (None, Expr::Variant(index, _)) => Some(Answer::Variant(*index, reason(rule))),
        _ => None,
    }
}

const fn reason(rule: &Rule) -> Reason {
    match rule.reason {
        RuleReason::Targeting => Reason::TargetingMatch,
        RuleReason::Split => Reason::Split,
        RuleReason::Static => Reason::Static,
        RuleReason::Default => Reason::Default,
        RuleReason::Disabled => Reason::Disabled,
    }
}

/// What a rule results in; `None` if its condition does not hold.
fn result_of<'e, T: Trace>(
    machine: &mut Machine<'e, T>,
    rule: &'e Rule,
) -> Result<Option<Val<'e>>, Stop> {
    if !applies(machine, rule)? {
        return Ok(None);
    }
    machine.eval(&rule.serve, &Scope::Root).map(Some)
}

#[inline]
fn applies<'e, T: Trace>(machine: &mut Machine<'e, T>, rule: &'e Rule) -> Result<bool, Stop> {
    match &rule.when {
        Some(when) => machine.holds(when, &Scope::Root),
        None => Ok(true),
    }
}

/// The variant that a rule's result names: texts as they are, booleans and numbers by their text.
fn variant_index(flag: &Flag, result: &Val<'_>) -> Option<usize> {
    if let Val::Variant(index, _) = result {
        return Some(*index);
    }
    let value = result.view();
    let short = short_text(value);
    let name = match (value, &short) {
        (Value::Str(name), _) => name,
        (_, Some(short)) => short.as_str(),
        _ => return None,
    };
    flag.variants
        .iter()
        .position(|variant| *variant.name == *name)
}

const fn stopped(stop: Stop) -> (ErrorCode, &'static str) {
    match stop {
        Stop::Steps => (ErrorCode::General, "the rules took too many steps"),
        Stop::Nesting => (
            ErrorCode::General,
            "the rules made values that nest too deep",
        ),
        Stop::Waiting => (
            ErrorCode::General,
            "more than 16 flags wait for each other, perhaps in a circle",
        ),
        Stop::Malformed(why) => (ErrorCode::ParseError, why),
        Stop::TargetingKeyMissing => (
            ErrorCode::TargetingKeyMissing,
            "the flag is rolled out by targeting key, and the context has none",
        ),
    }
}

#[inline]
fn typed<'a, T>(
    untyped: Untyped<'a>,
    default: T,
    read: impl FnOnce(&'a serde_json::Value) -> Option<T>,
    mismatch: &'static str,
) -> Resolution<'a, T> {
    let Some(found) = untyped.value else {
        return untyped.map(|_| default);
    };
    if let Some(value) = read(found) {
        return untyped.map(|_| value);
    }
    Resolution {
        value: default,
        variant: None,
        reason: Reason::Error,
        error_code: Some(ErrorCode::TypeMismatch),
        error_message: Some(mismatch),
        metadata: untyped.metadata,
    }
}

/// A whole number that an `i64` holds exactly.
fn whole(value: &serde_json::Value) -> Option<i64> {
    value.as_i64().or_else(|| {
        let float = value.as_f64()?;
        let exact = libm::trunc(float) == float && float.abs() <= 9_007_199_254_740_992.0;
        #[expect(
            clippy::cast_possible_truncation,
            reason = "whole and in range, so exact"
        )]
        exact.then_some(float as i64)
    })
}
