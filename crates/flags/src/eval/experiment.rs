//! Experiments, run for one subject.

use super::bucket::{Salted, can_be_placed, hash_of};
use super::val::{Val, truthy};
use super::{Eval, Machine, Scope, Stop};
use crate::experiment::{Bandit, Experiment, Leaf, Sticky, Subject};
use crate::exposure::{BanditLeaf, Exposure, StickyAssignment};
use crate::ir::Parent;
use crate::number::Short;
use crate::record::Record;
use crate::trace::Trace;
use crate::url::asked_variation;
use crate::value::Value;
use alloc::string::ToString;

/// Where the caller says what is not the subject's own: `enabled`, `qaMode`, `forcedVariations`,
/// `stickyBuckets`.
const SETTINGS: &str = "__gb";
const STICKY_BUCKETS: &str = "stickyBuckets";

/// Who is placed, and by which attribute.
#[derive(Clone, Copy)]
struct Who<'e> {
    attribute: &'e str,
    value: Value<'e>,
}

/// How somebody came into a variation.
#[derive(Clone, Copy, Default)]
struct How {
    bucket: Option<u32>,
    is_hashed: bool,
    is_sticky: bool,
}

impl<'e, T: Trace> Machine<'e, T> {
    /// The variation's variant; null for who is in none, or passes through it.
    pub(super) fn experiment(&mut self, run: &'e Experiment, scope: &Scope<'e>) -> Eval<'e> {
        let settings = self.settings();
        let setting = |name: &str| settings.and_then(|settings| settings.get(name));
        if run.arms.len() < 2 || matches!(setting("enabled"), Some(Value::Bool(false))) {
            return Ok(self.out("it is not run"));
        }
        let url = Record::get(self.root, "url").and_then(Value::as_str);
        if let Some(pages) = &run.pages
            && !pages.have(url.unwrap_or_default(), |steps| self.spend(steps))?
        {
            return Ok(self.out("it is not run on this page"));
        }
        let leaf = match &run.bandit {
            Some(bandit) => self.leaf(bandit, scope)?,
            None => None,
        };
        let who = self.who(&run.subject);
        let asked = url.and_then(|url| asked_variation(url, &run.key, run.arms.len()));
        let forced = match setting("forcedVariations") {
            Some(Value::Map(forced)) => forced.get(&run.key),
            _ => None,
        };
        if let Some(variation) = asked {
            return Ok(self.in_arm(run, Some(variation), who, How::default(), leaf));
        }
        if let Some(variation) = forced {
            return Ok(self.in_arm(run, whole(variation), who, How::default(), leaf));
        }
        let (true, Some(who)) = (run.active, who) else {
            return Ok(self.out("it takes nobody in, or not without the attribute"));
        };
        let remembered = match &run.sticky {
            Some(sticky) => self.remembered(run, sticky, who),
            None => Remembered::Nothing,
        };
        if !matches!(remembered, Remembered::Arm(_))
            && let Some(targeting) = &run.targeting
            && !self.holds(targeting, scope)?
        {
            return Ok(self.out("it is not for this context"));
        }
        let Some(place) = self.place(run, who)? else {
            return Ok(self.out("the subject has no place"));
        };
        let ranges = leaf.map_or(&run.placing.ranges, |leaf| &leaf.ranges);
        let arm = match remembered {
            Remembered::Blocked => return Ok(self.out("an earlier assignment keeps it out")),
            Remembered::Arm(arm) => Some(arm),
            Remembered::Nothing => ranges
                .iter()
                .position(|(start, end)| (*start..*end).contains(&place)),
        };
        let Some(arm) = arm else {
            return Ok(self.out("the subject's place is outside it"));
        };
        if let Some(forced) = run.forced {
            return Ok(self.in_arm(run, forced, Some(who), How::default(), leaf));
        }
        if setting("qaMode").is_some_and(truthy) {
            return Ok(self.out("only forced variations are served"));
        }
        let how = How {
            bucket: Some(place),
            is_hashed: true,
            is_sticky: matches!(remembered, Remembered::Arm(_)),
        };
        Ok(self.in_arm(run, Some(arm), Some(who), how, leaf))
    }

    /// Whether what another flag serves is as wanted.
    pub(super) fn parent(&mut self, parent: &'e Parent) -> Result<bool, Stop> {
        let value = match self.set.get(&parent.flag) {
            Some(flag) => self.variant_of(flag)?.map(|variant| &variant.value),
            None => {
                self.trace.because(|| "no such flag is defined".into());
                None
            }
        };
        let value = value.map_or(Val::NULL, |value| Val::Plain(value.into()));
        self.holds(&parent.condition, &Scope::Item(value))
    }

    fn settings(&self) -> Option<&'e dyn Record> {
        match Record::get(self.root, SETTINGS) {
            Some(Value::Map(settings)) => Some(settings),
            _ => None,
        }
    }

    fn sticky_buckets(&self) -> Option<&'e dyn Record> {
        match self.settings()?.get(STICKY_BUCKETS) {
            Some(Value::Map(buckets)) => Some(buckets),
            _ => None,
        }
    }

    fn out(&mut self, why: &'static str) -> Val<'e> {
        self.trace.because(|| why.into());
        Val::NULL
    }

    fn who(&self, subject: &'e Subject) -> Option<Who<'e>> {
        let named = |attribute: &'e str| {
            let value = Record::get(self.root, attribute).filter(|value| can_be_placed(*value));
            value.map(|value| Who { attribute, value })
        };
        named(&subject.attribute).or_else(|| {
            let fallback = subject.fallback.as_deref()?;
            self.sticky_buckets().and_then(|_| named(fallback))
        })
    }

    fn place(&mut self, run: &'e Experiment, who: Who<'e>) -> Result<Option<u32>, Stop> {
        let Some(digest) = run.placing.digest else {
            return Ok(None);
        };
        Ok(match hash_of(digest, &run.placing.seed, who.value) {
            Salted::Hash(hash) => Some(hash % run.placing.total.max(1)),
            Salted::Last | Salted::None => None,
        })
    }

    /// The first leaf that fits.
    fn leaf(&mut self, bandit: &'e Bandit, scope: &Scope<'e>) -> Result<Option<&'e Leaf>, Stop> {
        for leaf in &bandit.leaves {
            match &leaf.when {
                Some(when) if !self.holds(when, scope)? => {}
                _ => return Ok(Some(leaf)),
            }
        }
        Ok(None)
    }

    fn remembered(&self, run: &'e Experiment, sticky: &'e Sticky, who: Who<'e>) -> Remembered {
        let Some(buckets) = self.sticky_buckets() else {
            return Remembered::Nothing;
        };
        let fallback = run.subject.fallback.as_deref().unwrap_or("id");
        let fallback = Record::get(self.root, fallback)
            .filter(|value| can_be_placed(*value))
            .map(|value| Who {
                attribute: fallback,
                value,
            });
        let own = assignments(buckets, who);
        let other = fallback.and_then(|who| assignments(buckets, who));
        // What is known of the subject itself counts first.
        let find = |id: &str| {
            let find = |all: Option<&'e dyn Record>| all.and_then(|all| all.get(id));
            find(own).or_else(|| find(other))
        };
        if sticky.blocked.iter().any(|id| find(id).is_some()) {
            return Remembered::Blocked;
        }
        let key = find(&sticky.id).and_then(Value::as_str);
        let arm = key.and_then(|key| run.arms.iter().position(|arm| *arm.key == *key));
        arm.map_or(Remembered::Nothing, Remembered::Arm)
    }

    fn in_arm(
        &mut self,
        run: &'e Experiment,
        at: Option<usize>,
        who: Option<Who<'e>>,
        how: How,
        leaf: Option<&'e Leaf>,
    ) -> Val<'e> {
        let Some((at, arm)) = at.and_then(|at| run.arms.get(at).map(|arm| (at, arm))) else {
            return self.out("no such variation is defined");
        };
        self.trace.because(|| match (how.bucket, leaf) {
            (Some(_), _) if how.is_sticky => "as it was assigned before".into(),
            (Some(bucket), None) => alloc::format!("place {bucket} of {}", run.placing.total),
            (Some(bucket), Some(leaf)) => {
                let total = run.placing.total;
                alloc::format!(
                    "place {bucket} of {total}, by the weights of leaf {}",
                    leaf.id
                )
            }
            (None, _) => "the variation is forced".into(),
        });
        self.trace.exposed(|| exposure(run, at, who, how, leaf));
        if arm.passes {
            Val::NULL
        } else {
            Val::Variant(arm.variant, &arm.name)
        }
    }
}

/// What is known of earlier assignments.
#[derive(Clone, Copy)]
enum Remembered {
    Nothing,
    Arm(usize),
    Blocked,
}

/// A whole number that counts variations.
fn whole(value: Value<'_>) -> Option<usize> {
    match value {
        Value::Int(number) => usize::try_from(number).ok(),
        _ => None,
    }
}

/// What is remembered of this subject: `assignments` of the document `ATTRIBUTE||VALUE`.
fn assignments<'v>(buckets: &'v dyn Record, who: Who<'_>) -> Option<&'v dyn Record> {
    let short = super::val::short_text(who.value);
    let value = match (who.value, &short) {
        (Value::Str(text), _) => text,
        (_, short) => short.as_ref().map_or("", Short::as_str),
    };
    let mut found = None;
    buckets.each(&mut |name, document| {
        let rest = name.strip_prefix(who.attribute);
        let own = rest.and_then(|rest| rest.strip_prefix("||"));
        if own == Some(value)
            && let Value::Map(document) = document
            && let Some(Value::Map(assignments)) = document.get("assignments")
        {
            found = Some(assignments);
        }
    });
    found
}

fn exposure(
    run: &Experiment,
    at: usize,
    who: Option<Who<'_>>,
    how: How,
    leaf: Option<&Leaf>,
) -> Exposure {
    let (attribute, value) = match who {
        Some(who) => (who.attribute, who.value.to_json()),
        None => (&*run.subject.attribute, "".into()),
    };
    let arm = run.arms.get(at);
    let key = arm.map_or("", |arm| &arm.key);
    let sticky = run.sticky.as_ref().filter(|_| how.is_hashed);
    let sticky = sticky.map(|sticky| StickyAssignment {
        attribute_name: attribute.to_string(),
        attribute_value: match &value {
            serde_json::Value::String(text) => text.clone(),
            other => other.to_string(),
        },
        experiment: sticky.id.to_string(),
        variation: key.to_string(),
    });
    Exposure {
        experiment: run.key.to_string(),
        variation: at,
        variation_key: key.to_string(),
        passes: arm.is_some_and(|arm| arm.passes),
        attribute: attribute.to_string(),
        value,
        is_hashed: how.is_hashed,
        bucket: how
            .bucket
            .map(|place| f64::from(place) / f64::from(run.placing.total.max(1))),
        is_sticky: how.is_sticky,
        sticky,
        bandit: run.bandit.as_ref().map(|bandit| BanditLeaf {
            leaf: leaf.map_or(-1, |leaf| leaf.id),
            weights: leaf.map_or(&bandit.weights, |leaf| &leaf.weights).to_vec(),
            version: bandit.version.clone(),
        }),
    }
}
