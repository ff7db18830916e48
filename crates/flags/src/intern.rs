//! Equal texts are kept once.
//!
//! A file of ten thousand flags has ten thousand variants called `on`. After loading, all of them
//! are one text in memory.

use crate::condition::{Condition, Test};
use crate::ir::{By, Expr, Flag, Split, Weight};
use crate::kinds::{Attribute, Of};
use crate::matching::{self, Match};
use alloc::collections::BTreeSet;
use alloc::sync::Arc;

/// The texts seen so far.
#[derive(Default)]
pub(crate) struct Strings(BTreeSet<Arc<str>>);

impl Strings {
    /// Makes all names in the flag share their text with equal ones seen before. Segments are
    /// left alone: they are shared as a whole.
    pub(crate) fn flag(&mut self, flag: &mut Flag) {
        for variant in &mut flag.variants {
            self.share(&mut variant.name);
        }
        for (name, _) in &mut flag.metadata {
            self.share(name);
        }
        if let Some(owner) = &mut flag.about.owner {
            self.share(owner);
        }
        for rule in &mut flag.rules {
            if let Some(label) = &mut rule.label {
                self.share(label);
            }
            if let Some(when) = &mut rule.when {
                self.expr(when);
            }
            self.expr(&mut rule.serve);
        }
    }

    fn share(&mut self, text: &mut Arc<str>) {
        match self.0.get(&**text) {
            Some(known) => *text = Arc::clone(known),
            None => {
                self.0.insert(Arc::clone(text));
            }
        }
    }

    fn expr(&mut self, expr: &mut Expr) {
        match expr {
            Expr::Const(_)
            | Expr::Segment(_)
            | Expr::Malformed(_)
            | Expr::Now
            | Expr::CallerDefault => {}
            Expr::Match(asked) => self.asked(asked),
            Expr::Parent(parent) => {
                self.share(&mut parent.flag);
                self.expr(&mut parent.condition);
            }
            Expr::Experiment(run) => {
                self.share(&mut run.subject.attribute);
                if let Some(targeting) = &mut run.targeting {
                    self.expr(targeting);
                }
                for arm in &mut run.arms {
                    self.share(&mut arm.name);
                    self.share(&mut arm.key);
                }
            }
            Expr::Clause(clause) => {
                if let Of::Attribute(attribute) = &mut clause.of {
                    self.attribute(attribute);
                }
            }
            Expr::Under(under) => self.attribute(&mut under.fraction.by),
            Expr::Rollout(rollout) => {
                self.attribute(&mut rollout.fraction.by);
                let arms = rollout.arms.iter_mut();
                arms.for_each(|(_, serve)| self.expr(serve));
            }
            Expr::SegmentAt(_, name) => self.share(name),
            Expr::Serves(wanted) => {
                self.share(&mut wanted.flag);
                self.share(&mut wanted.variant);
            }
            Expr::Prerequisite(wanted) => {
                self.share(&mut wanted.flag);
                wanted.variants.iter_mut().for_each(|name| self.share(name));
            }
            Expr::Condition(condition) => self.condition(condition),
            Expr::Bucket(bucket) => {
                self.share(&mut bucket.salt);
                self.expr(&mut bucket.by);
            }
            Expr::Variant(_, name) => self.share(name),
            Expr::List(items) => items.iter_mut().for_each(|item| self.expr(item)),
            Expr::Call { args, .. } => args.iter_mut().for_each(|arg| self.expr(arg)),
            Expr::Var { path, default } => {
                path.0.iter_mut().for_each(|name| self.share(name));
                if let Some(default) = default {
                    self.expr(default);
                }
            }
            Expr::Split(split) => self.split(split),
        }
    }

    fn attribute(&mut self, attribute: &mut Attribute) {
        self.share(&mut attribute.kind);
        self.share(&mut attribute.name);
        attribute.inner.iter_mut().for_each(|name| self.share(name));
    }

    fn asked(&mut self, asked: &mut Match) {
        let names = asked.of.iter_mut().flat_map(|path| &mut path.0);
        names.for_each(|name| self.share(name));
        if let matching::Test::Size(body) | matching::Test::Any { body, .. } = &mut asked.test {
            self.expr(body);
        }
    }

    fn condition(&mut self, condition: &mut Condition) {
        self.expr(&mut condition.of);
        if let Test::OneOf(texts) | Test::Has { texts, .. } = &mut condition.test {
            texts.iter_mut().for_each(|text| self.share(text));
        }
    }

    fn split(&mut self, split: &mut Split) {
        match &mut split.by {
            By::FlagAndTargetingKey => {}
            By::Expr(by) => self.expr(by),
            By::Salted(salt, by) => {
                self.share(salt);
                self.expr(by);
            }
        }
        for arm in &mut split.arms {
            self.expr(&mut arm.serve);
            if let Weight::Computed(weight) = &mut arm.weight {
                self.expr(weight);
            }
        }
    }
}
