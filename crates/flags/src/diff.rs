//! Who gets another value if one set takes the place of another.

use crate::context::Context;
use crate::ir::Flag;
use crate::resolution::ErrorCode;
use crate::set::FlagSet;
use alloc::borrow::ToOwned;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;
use core::fmt;
use serde::Serialize;

/// What a flag answers, as far as its caller can tell.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Outcome {
    /// The value; `None` if the caller's default applies.
    pub value: Option<serde_json::Value>,
    /// The error, if the caller's default applies for one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_code: Option<ErrorCode>,
}

impl Outcome {
    fn of(set: &FlagSet, key: &str, context: &Context<'_>) -> Outcome {
        let resolution = set.evaluate(key, context);
        Outcome {
            value: resolution.value.cloned(),
            error_code: resolution.error_code,
        }
    }

    /// Whether the feature is had: the value is `true`.
    fn is_on(&self) -> bool {
        self.value == Some(serde_json::Value::Bool(true))
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.value, self.error_code) {
            (Some(value), _) => write!(f, "{value}"),
            (None, Some(code)) => write!(f, "the caller's default ({code})"),
            (None, None) => f.write_str("the caller's default"),
        }
    }
}

/// How many subjects go from one outcome to another, and one of them.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Transition {
    /// What they get by the old set.
    pub old: Outcome,
    /// What they get by the new one.
    pub new: Outcome,
    /// How many they are.
    pub subjects: usize,
    /// The first of them, by its place in the population from 0.
    pub example: usize,
    /// Its targeting key, if it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub example_key: Option<String>,
}

/// What the change of sets means for one flag.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FlagDiff {
    /// The flag's key.
    pub flag: String,
    /// Whether the old set has it.
    pub is_in_old: bool,
    /// Whether the new set has it.
    pub is_in_new: bool,
    /// How many of the population get another outcome.
    pub changed: usize,
    /// How many of those had the feature (the value `true`) and lose it.
    pub losing: usize,
    /// Who goes from what to what, the most subjects first.
    pub transitions: Vec<Transition>,
}

/// What a change of sets means for a population.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FlagsDiff {
    /// How many subjects were evaluated.
    pub population: usize,
    /// The flags that are in one set only or change for somebody, in the order of their keys.
    pub flags: Vec<FlagDiff>,
    /// Flags that are in both and change for nobody.
    pub unchanged: usize,
    /// How many of the population get another outcome of any flag.
    pub subjects_changed: usize,
}

/// Pairs of outcomes of one flag that are told apart; others are counted with the changed only.
const TRANSITIONS_MAX: usize = 64;

impl FlagSet {
    /// Evaluates every flag of both sets for each of a population, and tells who would get another
    /// value if `new` took the place of this set.
    ///
    /// It says nothing of subjects that are not in the population: take the real ones, or as many
    /// made-up keys as the smallest share needs to be seen.
    ///
    /// ```
    /// use nonevent_flags::{Context, Dialect, FlagSet};
    ///
    /// let load = |percent: u32| {
    ///     let text = format!("flags:\n  basket: {{ rollout_percentage: {percent} }}\n");
    ///     FlagSet::load("flags.yaml", text.as_bytes(), Dialect::Plain).map(|it| it.set)
    /// };
    /// let keys: Vec<String> = (0..1_000).map(|n| format!("user-{n}")).collect();
    /// let diff = load(5)?.diff(&load(25)?, keys.iter().map(|key| Context::new(key)));
    /// let basket = &diff.flags[0];
    /// assert!((150..250).contains(&basket.changed));
    /// assert_eq!(basket.losing, 0);
    /// # Ok::<(), nonevent_document::Findings>(())
    /// ```
    #[must_use]
    pub fn diff<'c>(
        &self,
        new: &FlagSet,
        population: impl IntoIterator<Item = Context<'c>>,
    ) -> FlagsDiff {
        let keys: BTreeSet<&str> = self.flags().chain(new.flags()).map(Flag::key).collect();
        let mut tallies: Vec<Tally<'_>> = keys.into_iter().map(Tally::new).collect();
        let (mut subjects, mut subjects_changed) = (0, 0);
        for context in population {
            let mut is_changed = false;
            for tally in &mut tallies {
                is_changed |= tally.add(self, new, subjects, &context);
            }
            subjects += 1;
            subjects_changed += usize::from(is_changed);
        }
        let mut unchanged = 0;
        let mut flags = Vec::new();
        for tally in tallies {
            let (is_in_old, is_in_new) =
                (self.get(tally.key).is_some(), new.get(tally.key).is_some());
            if is_in_old && is_in_new && tally.changed == 0 {
                unchanged += 1;
            } else {
                flags.push(tally.finish(is_in_old, is_in_new));
            }
        }
        FlagsDiff {
            population: subjects,
            flags,
            unchanged,
            subjects_changed,
        }
    }
}

struct Tally<'k> {
    key: &'k str,
    changed: usize,
    losing: usize,
    /// By both outcomes as text.
    transitions: BTreeMap<(String, String), Transition>,
}

impl<'k> Tally<'k> {
    const fn new(key: &'k str) -> Tally<'k> {
        Tally {
            key,
            changed: 0,
            losing: 0,
            transitions: BTreeMap::new(),
        }
    }

    fn add(&mut self, old: &FlagSet, new: &FlagSet, at: usize, context: &Context<'_>) -> bool {
        let (before, after) = (
            old.evaluate(self.key, context),
            new.evaluate(self.key, context),
        );
        // Most subjects get the same: nothing is copied for them.
        if before.value == after.value && before.error_code == after.error_code {
            return false;
        }
        let (old, new) = (
            Outcome::of(old, self.key, context),
            Outcome::of(new, self.key, context),
        );
        self.changed += 1;
        self.losing += usize::from(old.is_on() && !new.is_on());
        let names = (old.to_string(), new.to_string());
        if let Some(known) = self.transitions.get_mut(&names) {
            known.subjects += 1;
        } else if self.transitions.len() < TRANSITIONS_MAX {
            let transition = Transition {
                old,
                new,
                subjects: 1,
                example: at,
                example_key: context.targeting_key().map(ToOwned::to_owned),
            };
            self.transitions.insert(names, transition);
        }
        true
    }

    fn finish(self, is_in_old: bool, is_in_new: bool) -> FlagDiff {
        let mut transitions: Vec<Transition> = self.transitions.into_values().collect();
        transitions.sort_by_key(|it| core::cmp::Reverse(it.subjects));
        FlagDiff {
            flag: self.key.to_owned(),
            is_in_old,
            is_in_new,
            changed: self.changed,
            losing: self.losing,
            transitions,
        }
    }
}

/// `3 of 1000 (0.3 %)`.
struct Share(usize, usize);

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Share(some, all) = *self;
        write!(f, "{some} of {all}")?;
        match (some.saturating_mul(10_000)).checked_div(all) {
            Some(0) if some > 0 => f.write_str(" (under 0.01 %)"),
            Some(share) => write!(f, " ({}.{:02} %)", share / 100, share % 100),
            None => Ok(()),
        }
    }
}

impl fmt::Display for FlagsDiff {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for flag in &self.flags {
            let what = match (flag.is_in_old, flag.is_in_new) {
                (false, _) => "new: ",
                (_, false) => "gone: ",
                _ => "",
            };
            write!(f, "{what}{}: ", flag.flag)?;
            if flag.changed == 0 {
                f.write_str("the same for all\n")?;
                continue;
            }
            write!(
                f,
                "another value for {}",
                Share(flag.changed, self.population)
            )?;
            if flag.losing > 0 {
                write!(f, ", and {} lose the feature", flag.losing)?;
            }
            f.write_str("\n")?;
            for it in &flag.transitions {
                write!(f, "  {} to {}: {}", it.old, it.new, it.subjects)?;
                match &it.example_key {
                    Some(key) => writeln!(f, ", such as {key:?}")?,
                    None => writeln!(f, ", such as number {}", it.example)?,
                }
            }
        }
        writeln!(
            f,
            "{} get another value of some flag; {} flags are the same for all",
            Share(self.subjects_changed, self.population),
            self.unchanged
        )
    }
}

#[cfg(test)]
mod tests {
    use crate::context::Context;
    use crate::load::Dialect;
    use crate::set::FlagSet;
    use alloc::format;
    use alloc::string::String;
    use alloc::vec::Vec;

    fn set(text: &str) -> FlagSet {
        let loaded = FlagSet::load("flags.yaml", text.as_bytes(), Dialect::Plain);
        loaded.expect("flags").set
    }

    fn keys(count: usize) -> Vec<String> {
        (0..count).map(|n| format!("user-{n}")).collect()
    }

    #[test]
    fn who_changes_is_counted_with_an_example_each() {
        let old = set("flags:\n  a: true\n  b: { rollout_percentage: 50 }\n  c: 7\n  gone: true\n");
        let new = set("flags:\n  a: true\n  b: { rollout_percentage: 40 }\n  c: 8\n  fresh: 1\n");
        let keys = keys(400);
        let diff = old.diff(&new, keys.iter().map(|key| Context::new(key)));
        assert_eq!((diff.population, diff.unchanged), (400, 1));
        let names: Vec<&str> = diff.flags.iter().map(|it| &*it.flag).collect();
        assert_eq!(names, ["b", "c", "fresh", "gone"]);
        let b = &diff.flags[0];
        let expected = keys.iter().filter(|key| {
            let context = Context::new(key);
            old.bool("b", false, &context).value && !new.bool("b", false, &context).value
        });
        assert_eq!(
            (b.changed, b.losing),
            (expected.clone().count(), expected.count())
        );
        assert!(b.losing > 20 && b.transitions.len() == 1);
        assert_eq!(diff.flags[1].transitions[0].subjects, 400);
        assert_eq!(diff.flags[1].losing, 0);
        assert_eq!(
            (diff.flags[3].losing, diff.flags[3].is_in_new),
            (400, false)
        );
        assert_eq!(diff.subjects_changed, 400);
        let text = format!("{diff}");
        assert!(
            text.contains(
                "c: another value for 400 of 400 (100.00 %)\n  7 to 8: 400, such as \"user-0\"\n"
            ),
            "{text}"
        );
        assert!(text.contains("gone: gone: another value"), "{text}");
    }

    #[test]
    fn the_same_set_changes_nothing_and_nobody_is_no_population() {
        let old = set("flags:\n  a: true\n");
        let keys = keys(10);
        let diff = old.diff(&old, keys.iter().map(|key| Context::new(key)));
        assert_eq!(
            (diff.flags.len(), diff.unchanged, diff.subjects_changed),
            (0, 1, 0)
        );
        let new = set("flags:\n  a: false\n");
        let diff = old.diff(&new, []);
        assert_eq!((diff.population, diff.unchanged), (0, 1));
        assert!(
            format!("{diff}")
                .ends_with("0 of 0 get another value of some flag; 1 flags are the same for all\n")
        );
    }
}
