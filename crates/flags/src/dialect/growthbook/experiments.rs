//! Experiments: of a rule, or of the page that is open.

use super::conditions::At;
use super::rules::{ID, digest, flagged, list, number, places, ranges, subject};
use super::{Reader, Values, text};
use crate::codes::{self, Refusal};
use crate::condition::Bucket;
use crate::dialect::shape::wrong;
use crate::experiment::{Arm, Bandit, Experiment, Leaf, Placing, Sticky, Subject};
use crate::ir::{DefaultVariant, Digest, Expr, Flag, Keyless, Kind, Op, Rule, RuleReason};
use crate::url::{Page, Simple, Target, Targets};
use alloc::boxed::Box;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use nonevent_document::{Node, item_path, member_path};

/// Versions of an experiment's buckets whose assignments may still block.
const BLOCKED_MAX: u64 = 1000;

/// Weights are meant to sum to 1; when they are this far off, all variations get the same.
const SUM_TOLERANCE: f64 = 0.01;

impl<'n> Reader<'n> {
    /// An experiment of the page: a flag of its own, whose first variation is for those outside it.
    pub(super) fn experiment_flag(
        &mut self,
        flag: &mut Flag,
        node: &'n Node,
        path: &str,
    ) -> Result<(), Refusal> {
        flag.about.kind = Some(Kind::Experiment);
        let mut values = Values::default();
        let key = alloc::sync::Arc::clone(&flag.key);
        let run = self.experiment(&key, node, path, &mut values)?;
        if let Some(arm) = run.arms.first() {
            flag.default = DefaultVariant::Variant(arm.variant);
        }
        flag.rules = Box::from([Rule {
            label: None,
            when: None,
            serve: Expr::Experiment(Box::new(run)),
            reason: RuleReason::Split,
        }]);
        flag.variants = values.0.into();
        Ok(())
    }

    pub(super) fn experiment(
        &mut self,
        key: &str,
        node: &'n Node,
        path: &str,
        values: &mut Values,
    ) -> Result<Experiment, Refusal> {
        let arms = arms(key, node, path, values)?;
        let status = node.get("status").and_then(Node::as_str);
        let is_active = node.get("active").and_then(Node::as_bool) != Some(false);
        let coverage = number(node, "coverage", path)?.unwrap_or(1.0);
        let weights = weights(node, "weights", path)?;
        let (digest, total) = match digest(node, 1) {
            Some((digest, total)) => (Some(digest), total),
            None => (None, 1),
        };
        let shares = |weights: Option<&[f64]>| -> Vec<(f64, f64)> {
            let weights = shares_of(arms.len(), weights);
            let mut start = 0.0;
            let share = |weight: &f64| {
                let share = (start, start + coverage.clamp(0.0, 1.0) * weight);
                start += weight;
                share
            };
            weights.iter().map(share).collect()
        };
        let placed = |ranges: Vec<(f64, f64)>| -> Box<[(u32, u32)]> {
            let placed = ranges.into_iter().map(|range| places(range, total));
            placed.collect()
        };
        let own = match ranges(node, "ranges", path)? {
            Some(ranges) => ranges,
            None => shares(weights.as_deref()),
        };
        let placing = Placing {
            digest,
            total,
            seed: text(node, "seed").unwrap_or(key).into(),
            ranges: placed(own),
        };
        let bandit = match text(node, "contextualBanditRef") {
            Some(name) => self.bandit(name, |weights| placed(shares(Some(weights))))?,
            None => None,
        };
        let bandit = bandit.map(|bandit| Bandit {
            weights: shares_of(arms.len(), weights.as_deref()).into(),
            ..bandit
        });
        let is_sticky = !flagged(node, "disableStickyBucketing");
        let fallback = text(node, "fallbackAttribute").filter(|_| is_sticky);
        let sticky = is_sticky.then(|| sticky(key, node, path)).transpose()?;
        Ok(Experiment {
            key: key.into(),
            active: is_active && status != Some("draft"),
            subject: Subject {
                attribute: text(node, "hashAttribute").unwrap_or(ID).into(),
                fallback: fallback.map(Into::into),
            },
            placing,
            pages: self.pages(node, path)?,
            targeting: self.targeting(node, path)?,
            forced: match node.get("force") {
                Some(force) => {
                    let force = force.as_u64();
                    Some(force.and_then(|force| usize::try_from(force).ok()))
                }
                // One that was stopped serves nothing but what it is forced to.
                None => (status == Some("stopped")).then_some(None),
            },
            sticky,
            bandit,
            arms: arms.into(),
        })
    }

    /// For whom it is, unless an assignment is remembered.
    fn targeting(&mut self, node: &'n Node, path: &str) -> Result<Option<Expr>, Refusal> {
        // Filters took the place of namespaces.
        let mut needs = self.filters(node, path)?;
        let has_filters = node.get("filters").is_some_and(|it| !it.is_null());
        needs.extend(namespace(node).filter(|_| !has_filters));
        needs.extend(self.condition_of(node, path, At::Attributes));
        let path = member_path(path, "parentConditions");
        for (at, parent) in list(node, "parentConditions", &path)?.iter().enumerate() {
            needs.push(self.parent(parent, &item_path(&path, at))?);
        }
        Ok(Expr::joined(Op::And, needs))
    }

    fn pages(&mut self, node: &Node, path: &str) -> Result<Option<Targets>, Refusal> {
        let path_of = |field: &str| member_path(path, field);
        let mut targets = Vec::new();
        let path = path_of("urlPatterns");
        for (at, pattern) in list(node, "urlPatterns", &path)?.iter().enumerate() {
            let written = text(pattern, "pattern").unwrap_or_default();
            let page = match pattern.get("type").and_then(Node::as_str) {
                Some("regex") => self.page(pattern, &item_path(&path, at), written),
                _ => Page::Simple(Simple::new(written)),
            };
            let include = pattern.get("include").and_then(Node::as_bool) != Some(false);
            targets.push(Target { include, page });
        }
        // As pages were written before there were patterns.
        if let Some(written) = text(node, "url") {
            let page = self.page(node, &path_of("url"), written);
            let include = true;
            targets.push(Target { include, page });
        }
        Ok((!targets.is_empty()).then(|| Targets(targets.into())))
    }

    fn page(&mut self, node: &Node, path: &str, written: &str) -> Page {
        match self.patterns.compile(written, false) {
            Ok(pattern) => Page::Regex(pattern),
            Err(why) => {
                let message = format!("this regular expression cannot be used: {why}");
                self.warn(codes::ARGUMENTS, node, path, &message);
                Page::None
            }
        }
    }

    /// A contextual bandit's leaves; `None` if it is not in the file.
    fn bandit(
        &mut self,
        name: &str,
        placed: impl Fn(&[f64]) -> Box<[(u32, u32)]>,
    ) -> Result<Option<Bandit>, Refusal> {
        let Some(node) = self.bandits.and_then(|bandits| bandits.get(name)) else {
            return Ok(None);
        };
        if node.as_object().is_none() {
            return Ok(None);
        }
        let path = member_path("contextualBandits", name);
        let contexts = member_path(&path, "contexts");
        let mut leaves = Vec::new();
        for (at, leaf) in list(node, "contexts", &contexts)?.iter().enumerate() {
            let path = item_path(&contexts, at);
            let weights = weights(leaf, "weights", &path)?.unwrap_or_default();
            leaves.push(Leaf {
                id: leaf.get("leafId").and_then(Node::as_i64).unwrap_or(-1),
                when: self.condition_of(leaf, &path, At::Attributes),
                ranges: placed(&weights),
                weights: weights.into(),
            });
        }
        Ok(Some(Bandit {
            version: node.get("banditVersion").map(Node::to_json),
            leaves: leaves.into(),
            weights: Box::default(),
        }))
    }
}

fn arms(key: &str, node: &Node, path: &str, values: &mut Values) -> Result<Vec<Arm>, Refusal> {
    let field = match node.get("variations") {
        Some(_) => "variations",
        None => "contextualVariations",
    };
    let variations = list(node, field, &member_path(path, field))?;
    let meta = list(node, "meta", &member_path(path, "meta"))?;
    let arm = |(at, value): (usize, &Node)| {
        let meta = meta.get(at);
        let own = meta.and_then(|meta| text(meta, "key")).map(String::from);
        let own = own.unwrap_or_else(|| at.to_string());
        let (variant, name) = values.add(&format!("{key}/{own}"), value);
        Arm {
            variant,
            name,
            key: own.into(),
            passes: meta.is_some_and(|meta| flagged(meta, "passthrough")),
        }
    };
    Ok(variations.iter().enumerate().map(arm).collect())
}

fn weights(node: &Node, field: &str, path: &str) -> Result<Option<Vec<f64>>, Refusal> {
    if node.get(field).is_none_or(Node::is_null) {
        return Ok(None);
    }
    let path = member_path(path, field);
    let weight = |(at, item): (usize, &Node)| {
        item.as_f64().ok_or_else(|| {
            let help = "write a number from 0 to 1";
            let path = item_path(&path, at);
            wrong(codes::SPLIT, item, path, "this is no weight", help)
        })
    };
    let items = list(node, field, &path)?;
    let weights: Result<_, _> = items.iter().enumerate().map(weight).collect();
    weights.map(Some)
}

/// These weights, if they are as many as there are variations and sum to 1; otherwise equal ones.
fn shares_of(count: usize, weights: Option<&[f64]>) -> Vec<f64> {
    if let Some(weights) = weights.filter(|weights| weights.len() == count) {
        let sum: f64 = weights.iter().sum();
        if (1.0 - SUM_TOLERANCE..=1.0 + SUM_TOLERANCE).contains(&sum) {
            return weights.to_vec();
        }
    }
    let count_f64 = u32::try_from(count).map_or(f64::INFINITY, f64::from);
    alloc::vec![1.0 / count_f64; count]
}

/// A part of the subjects that experiments share out among themselves.
fn namespace(node: &Node) -> Option<Expr> {
    let namespace = node.get("namespace").filter(|it| !it.is_null())?;
    let parts = namespace.as_array().unwrap_or_default();
    let [id, start, end] = parts else {
        return Some(Expr::constant(false));
    };
    let (Some(id), Some(start), Some(end)) = (id.as_str(), start.as_f64(), end.as_f64()) else {
        return Some(Expr::constant(false));
    };
    const PLACES: u32 = 1000;
    Some(Expr::Bucket(Box::new(Bucket {
        digest: Digest::Fnv1a,
        salt: format!("__{id}").into(),
        by: subject(node),
        keyless: Keyless::Null,
        total: PLACES,
        ranges: Box::from([places((start, end), PLACES)]),
    })))
}

fn sticky(key: &str, node: &Node, path: &str) -> Result<Sticky, Refusal> {
    let version = |field: &str| {
        let found = node.get(field).filter(|it| !it.is_null());
        let read = found.map_or(Some(0), Node::as_u64);
        read.ok_or_else(|| {
            let message = format!("`{field}` is no version");
            let help = "write a whole number from 0";
            wrong(
                codes::DEFINITION,
                node,
                member_path(path, field),
                message,
                help,
            )
        })
    };
    let oldest = version("minBucketVersion")?;
    if oldest > BLOCKED_MAX {
        let message = format!("{oldest} earlier versions are too many to look for");
        let help = "begin again under another key";
        let path = member_path(path, "minBucketVersion");
        return Err(wrong(codes::TOO_LARGE, node, path, message, help));
    }
    let id = |version: u64| format!("{key}__{version}").into();
    Ok(Sticky {
        id: id(version("bucketVersion")?),
        blocked: (0..oldest).map(id).collect(),
    })
}
