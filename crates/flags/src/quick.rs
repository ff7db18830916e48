//! The short way through the rules of flags that ask little, which are most.
//!
//! A flag whose rules ask whether a text is one of a few, or in which place it hashes to, is laid out
//! as one list of steps when it is loaded: what stands where in the context is worked out, short texts
//! become words, and what a salt adds to a hash is added already. Following the list needs no values
//! in between and no machine. It is data like the rest, and never decides otherwise than the rules do:
//! where the context has something that it does not expect, it gives up and the rules are followed.

use crate::condition::{Bucket, Condition, Test};
use crate::context::TARGETING_KEY;
use crate::index::{Word, word_of};
use crate::ir::{Digest, Expr, Flag, Op, Rule};
use crate::load::Dialect;
use crate::murmur::Murmur3;
use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;

/// Steps to follow from the first; none if the flag has no short way.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Quick(pub(crate) Box<[Step]>);

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Step {
    /// Goes on with the next step if the test comes out as wanted, and at another if not.
    Ask {
        of: Box<[Of]>,
        ask: Ask,
        wanted: bool,
        otherwise: usize,
    },
    /// This rule decides, for this variant.
    Serve { rule: usize, variant: usize },
    /// No rule decides.
    Default,
    /// From here on the rules are to be followed.
    GiveUp,
}

/// Where a value may be; the first place that has one counts.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Of {
    TargetingKey,
    Attribute(Arc<str>),
    /// An attribute of an attribute.
    Inner(Arc<str>, Arc<str>),
}

/// What is asked of a text. Of nothing it does not hold.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Ask {
    /// It is one of these, none of which is long.
    OneOf(Box<[Word]>),
    /// It hashes to a place from the first up to but without the second.
    Place {
        hash: Hash,
        total: u32,
        from: u32,
        to: u32,
    },
}

/// A hash that has taken the salt.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Hash {
    Murmur3(Murmur3),
    Salted(Digest, Arc<str>),
    /// The hash that was taken last.
    AsBefore,
}

/// A flag with more steps has no short way.
const STEPS_MAX: usize = 32;

/// With at least so many of the machine's steps left, none of the short ways would run out of them:
/// each of its steps takes the machine less than 16.
pub(crate) const MACHINE_STEPS_MIN: u32 = 512;

/// Longer lists are searched by halves, which the machine does.
const TEXTS_MAX: usize = 8;

impl Quick {
    /// The short way of a flag's rules, if it has one.
    pub(crate) fn of(flag: &Flag, dialect: Dialect) -> Self {
        let mut steps = Vec::new();
        let mut ends = false;
        for (at, rule) in flag.rules.iter().enumerate() {
            let laid = Laying {
                steps: &mut steps,
                rule: at,
                dialect,
            }
            .rule(rule);
            match laid {
                Some(decides) => ends = decides,
                None => {
                    steps.push(Step::GiveUp);
                    ends = true;
                }
            }
            if ends || steps.len() > STEPS_MAX {
                break;
            }
        }
        if !ends {
            steps.push(Step::Default);
        }
        let useless = matches!(steps.first(), None | Some(Step::GiveUp | Step::Default));
        if useless || steps.len() > STEPS_MAX {
            return Self::default();
        }
        Self(steps.into())
    }
}

/// Where somebody goes on who is asked in vain, until that is known.
const UNKNOWN: usize = usize::MAX;

struct Laying<'s> {
    steps: &'s mut Vec<Step>,
    rule: usize,
    dialect: Dialect,
}

impl Laying<'_> {
    /// Adds a rule: whether it decides for everybody who comes to it. `None` if it cannot be laid
    /// out, and then nothing is added.
    fn rule(&mut self, rule: &Rule) -> Option<bool> {
        let start = self.steps.len();
        let laid = self.parts(rule);
        if laid.is_none() {
            self.steps.truncate(start);
        }
        laid
    }

    fn parts(&mut self, rule: &Rule) -> Option<bool> {
        let start = self.steps.len();
        self.all(rule.when.as_ref())?;
        let decides = self.serve(&rule.serve)?;
        self.lead_on(start);
        Some(decides && rule.when.is_none())
    }

    /// What is served, or the first of several that is for the context; whether there always is one.
    fn serve(&mut self, serve: &Expr) -> Option<bool> {
        let Expr::Call { op: Op::If, args } = serve else {
            return self.variant(serve).map(|()| true);
        };
        let (pairs, last) = args.as_chunks::<2>();
        let mut before = None;
        for [when, serve] in pairs {
            let start = self.steps.len();
            self.all(Some(when))?;
            self.variant(serve)?;
            let bucket = match when {
                Expr::Bucket(bucket) => Some(&**bucket),
                _ => None,
            };
            // Who is in none of the places asked for so far has still the same place.
            if let (Some(before), Some(bucket)) = (before, bucket)
                && is_same_place(before, bucket)
                && let Some(Step::Ask {
                    ask: Ask::Place { hash, .. },
                    ..
                }) = self.steps.get_mut(start)
            {
                *hash = Hash::AsBefore;
            }
            before = bucket;
            self.lead_on(start);
        }
        match last.first() {
            None => Some(false),
            Some(other) if other.as_const().is_some_and(serde_json::Value::is_null) => Some(false),
            Some(last) => self.variant(last).map(|()| true),
        }
    }

    fn variant(&mut self, serve: &Expr) -> Option<()> {
        let Expr::Variant(variant, _) = serve else {
            return None;
        };
        self.steps.push(Step::Serve {
            rule: self.rule,
            variant: *variant,
        });
        Some(())
    }

    /// Whoever is asked in vain from this step on goes on after the last, where it is not known yet.
    fn lead_on(&mut self, start: usize) {
        let after = self.steps.len();
        for step in self.steps.iter_mut().skip(start) {
            match step {
                Step::Ask { otherwise, .. } if *otherwise == UNKNOWN => *otherwise = after,
                _ => {}
            }
        }
    }

    /// Asks for all parts of a condition.
    fn all(&mut self, when: Option<&Expr>) -> Option<()> {
        match when {
            Some(Expr::Call { op: Op::And, args }) if !args.is_empty() => {
                args.iter().try_for_each(|arg| self.ask(arg, true))
            }
            Some(when) => self.ask(when, true),
            None => Some(()),
        }
    }

    fn ask(&mut self, expr: &Expr, wanted: bool) -> Option<()> {
        let (of, ask, wanted) = match expr {
            Expr::Call { op: Op::Not, args } => return self.ask(args.first()?, !wanted),
            Expr::Condition(condition) => (&condition.of, one_of(condition)?, wanted),
            Expr::Bucket(bucket) => (&bucket.by, place(bucket)?, wanted),
            Expr::Call { op, args } => {
                let [of, Expr::Const(literal)] = &**args else {
                    return None;
                };
                let (texts, is_equal) = match op {
                    Op::In => (literal.value.as_array()?.as_slice(), true),
                    Op::Equal | Op::StrictEqual => (core::slice::from_ref(&literal.value), true),
                    Op::NotEqual | Op::StrictNotEqual => {
                        (core::slice::from_ref(&literal.value), false)
                    }
                    _ => return None,
                };
                let texts = texts.iter().map(serde_json::Value::as_str);
                (of, words(texts)?, is_equal == wanted)
            }
            _ => return None,
        };
        let mut places = Vec::new();
        self.places(of, &mut places)?;
        self.steps.push(Step::Ask {
            of: places.into(),
            ask,
            wanted,
            otherwise: UNKNOWN,
        });
        Some(())
    }

    fn places(&self, of: &Expr, into: &mut Vec<Of>) -> Option<()> {
        let Expr::Var { path, default } = of else {
            return None;
        };
        // What is not simply an attribute is found by the machine.
        let is_own =
            |name: &str| name == "$flagd" || name == "id" && self.dialect == Dialect::GrowthBook;
        into.push(match &*path.0 {
            [name] if **name == *TARGETING_KEY => Of::TargetingKey,
            [name, ..] if is_own(name) || **name == *TARGETING_KEY => return None,
            [name] => Of::Attribute(Arc::clone(name)),
            [name, inner] => Of::Inner(Arc::clone(name), Arc::clone(inner)),
            _ => return None,
        });
        match default {
            Some(default) => self.places(default, into),
            None => Some(()),
        }
    }
}

/// Membership in a short list of short texts.
fn one_of(condition: &Condition) -> Option<Ask> {
    match (&condition.test, condition.wanted) {
        (Test::OneOf(texts), true) => words(texts.iter().map(|text| Some(&**text))),
        _ => None,
    }
}

fn words<'t>(texts: impl ExactSizeIterator<Item = Option<&'t str>>) -> Option<Ask> {
    if texts.len() > TEXTS_MAX {
        return None;
    }
    let words: Option<Box<[Word]>> = texts.map(|text| word_of(text?)).collect();
    words.map(Ask::OneOf)
}

/// Whether somebody hashes to the same place in both.
fn is_same_place(a: &Bucket, b: &Bucket) -> bool {
    (a.digest, &a.salt, &a.by, a.total) == (b.digest, &b.salt, &b.by, b.total)
}

/// One range of places, of those who have a key.
fn place(bucket: &Bucket) -> Option<Ask> {
    let [(from, to)] = &*bucket.ranges else {
        return None;
    };
    let hash = match bucket.digest {
        Digest::Murmur3 { seed } => {
            let mut hash = Murmur3::new(seed);
            hash.write(bucket.salt.as_bytes());
            Hash::Murmur3(hash)
        }
        digest => Hash::Salted(digest, Arc::clone(&bucket.salt)),
    };
    Some(Ask::Place {
        hash,
        total: bucket.total.max(1),
        from: *from,
        to: *to,
    })
}

#[cfg(test)]
mod tests;
