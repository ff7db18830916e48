//! Equal texts are kept once, but for such as collide.
//!
//! A file of ten thousand flags has ten thousand variants called `on`. After loading, all of them
//! are one text in memory.

use crate::condition::{Condition, Test};
use crate::index::{same, start};
use crate::ir::{By, Expr, Flag, Split, Weight};
use crate::kinds::{Attribute, Of};
use crate::matching::{self, Match};
use alloc::sync::Arc;
use alloc::vec::Vec;

const PLACES_MIN: usize = 64;

/// A text that so many others are in the way of stays alone. Without an end, texts that were chosen to
/// have one hash would take a file's time.
const RUN_MAX: usize = 32;

/// The texts seen so far, each at the first free place from the one that its hash gives. At least half
/// of the places are free, and their number is a power of two.
#[derive(Default)]
pub(crate) struct Strings {
    places: Vec<Option<Arc<str>>>,
    taken: usize,
}

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
        if self.taken * 2 >= self.places.len() {
            self.grow();
        }
        let Some(at) = self.place(text) else {
            return;
        };
        match self.places.get_mut(at) {
            Some(Some(known)) => *text = Arc::clone(known),
            Some(free) => {
                *free = Some(Arc::clone(text));
                self.taken += 1;
            }
            None => {}
        }
    }

    /// Where this text is, or is to be; `None` if too many others are in its way.
    fn place(&self, text: &str) -> Option<usize> {
        let last = self.places.len().checked_sub(1)?;
        let first = start(text, 0);
        let mut places = (0..RUN_MAX).map(|run| first.wrapping_add(run) & last);
        places.find(|at| match self.places.get(*at) {
            Some(Some(known)) => same(known, text),
            _ => true,
        })
    }

    fn grow(&mut self) {
        let places = alloc::vec![None; (self.places.len() * 2).max(PLACES_MIN)];
        let known = core::mem::replace(&mut self.places, places);
        for text in known.into_iter().flatten() {
            let free = self.place(&text).and_then(|at| self.places.get_mut(at));
            match free {
                Some(free) => *free = Some(text),
                None => self.taken -= 1,
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

#[cfg(test)]
mod tests {
    use super::Strings;
    use alloc::sync::Arc;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn equal_texts_become_one_and_no_others(texts in proptest::collection::vec("[a-c]{0,4}", 0..300)) {
            let mut strings = Strings::default();
            let mut shared: alloc::vec::Vec<Arc<str>> = texts.iter().map(|text| text.as_str().into()).collect();
            shared.iter_mut().for_each(|text| strings.share(text));
            for (one, text) in shared.iter().zip(&texts) {
                prop_assert_eq!(&**one, text.as_str());
                for other in &shared {
                    prop_assert_eq!(Arc::ptr_eq(one, other), one == other);
                }
            }
        }
    }
}
