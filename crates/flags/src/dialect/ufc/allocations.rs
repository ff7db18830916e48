//! Allocations, their splits and shards.

use super::{conditions, list, text};
use crate::codes::{self, Refusal};
use crate::condition::{Bucket, Condition, Relation, Test};
use crate::dialect::shape::wrong;
use crate::ir::{Digest, Expr, Keyless, Op, Path, Rule, RuleReason, Variant};
use crate::pattern::Patterns;
use alloc::boxed::Box;
use alloc::format;
use alloc::sync::Arc;
use alloc::vec::Vec;
use nonevent_document::{Node, item_path, member_path};

/// How many shards there are where the file does not say.
const TOTAL_SHARDS: u32 = 10_000;

/// All allocations of a flag, as rules.
pub(super) fn read(
    node: &Node,
    path: &str,
    variants: &[Variant],
    patterns: &mut Patterns,
) -> Result<Box<[Rule]>, Refusal> {
    let total = match node.get("totalShards") {
        None => TOTAL_SHARDS,
        Some(total) => shard_count(total, &member_path(path, "totalShards"))?,
    };
    let (items, path) = list(node, path, "allocations", false)?;
    let mut rules = Vec::with_capacity(items.len());
    for (index, item) in items.iter().enumerate() {
        let path = item_path(&path, index);
        allocation(item, &path, total, variants, patterns, &mut rules)?;
    }
    Ok(rules.into())
}

/// One allocation: one rule, or several where its splits give different reasons.
fn allocation(
    node: &Node,
    path: &str,
    total: u32,
    variants: &[Variant],
    patterns: &mut Patterns,
    rules: &mut Vec<Rule>,
) -> Result<(), Refusal> {
    let label = node.get("key").and_then(Node::as_str).map(Arc::<str>::from);
    let mut when = Vec::new();
    // Open from the first instant to the last, both included.
    for (field, relation) in [
        ("startAt", Relation::GreaterEqual),
        ("endAt", Relation::LessEqual),
    ] {
        when.extend(date(node, path, field, relation)?);
    }
    let dated = !when.is_empty();
    let targeted = conditions::rules(node, path, patterns)?;
    let is_targeted = targeted.is_some();
    when.extend(targeted);
    let when = Expr::joined(Op::And, when);
    let (items, path) = list(node, path, "splits", false)?;
    let mut splits = Vec::with_capacity(items.len());
    for (index, item) in items.iter().enumerate() {
        let (shards, serve) = split(item, &item_path(&path, index), total, variants)?;
        let reason = match (is_targeted, shards.is_some(), dated) {
            (true, _, _) => RuleReason::Targeting,
            (_, true, _) => RuleReason::Split,
            (_, _, true) => RuleReason::Default,
            _ => RuleReason::Static,
        };
        splits.push((reason, shards, serve));
    }
    for run in splits.chunk_by(|(before, ..), (after, ..)| before == after) {
        let Some((reason, ..)) = run.first() else {
            continue;
        };
        rules.push(Rule {
            label: label.clone(),
            when: when.clone(),
            serve: first_of(run),
            reason: *reason,
        });
    }
    Ok(())
}

/// The first split that has the subject.
fn first_of(splits: &[(RuleReason, Option<Expr>, Expr)]) -> Expr {
    let mut args = Vec::with_capacity(splits.len() * 2);
    for (_, shards, serve) in splits {
        match shards {
            Some(shards) => args.extend([shards.clone(), serve.clone()]),
            None => {
                args.push(serve.clone());
                break;
            }
        }
    }
    match args.len() {
        1 => args.remove(0),
        _ => Expr::Call {
            op: Op::If,
            args: args.into(),
        },
    }
}

fn date(node: &Node, path: &str, field: &str, relation: Relation) -> Result<Option<Expr>, Refusal> {
    let Some(value) = node.get(field).filter(|value| !value.is_null()) else {
        return Ok(None);
    };
    let Some(time) = value.as_str().and_then(|text| text.parse().ok()) else {
        let path = member_path(path, field);
        let help = "write it as RFC 3339 says: 2026-02-15T09:00:00Z";
        return Err(wrong(codes::DATE, value, path, "this is not a time", help));
    };
    let condition = Condition {
        of: Expr::Now,
        test: Test::Time(relation, time),
        wanted: true,
    };
    Ok(Some(condition.into_expr()))
}

/// What the subject must be in, if anything, and what it then gets.
fn split(
    node: &Node,
    path: &str,
    total: u32,
    variants: &[Variant],
) -> Result<(Option<Expr>, Expr), Refusal> {
    let name = text(node, path, "variationKey")?;
    let Some(index) = variants.iter().position(|variant| *variant.name == *name) else {
        let path = member_path(path, "variationKey");
        let message = format!("the variation {name:?} is not defined");
        let help = "name one of `variations`";
        return Err(wrong(codes::UNDEFINED_VARIANT, node, path, message, help));
    };
    let (items, path) = list(node, path, "shards", false)?;
    let shards: Result<Vec<_>, _> = items
        .iter()
        .enumerate()
        .map(|(index, item)| shard(item, &item_path(&path, index), total))
        .collect();
    Ok((
        Expr::joined(Op::And, shards?),
        Expr::Variant(index, name.into()),
    ))
}

fn shard(node: &Node, path: &str, total: u32) -> Result<Expr, Refusal> {
    let total = match node.get("totalShards") {
        None => total,
        Some(total) => shard_count(total, &member_path(path, "totalShards"))?,
    };
    let salt = text(node, path, "salt")?;
    let (items, path) = list(node, path, "ranges", false)?;
    let range = |(index, item): (usize, &Node)| {
        let bound = |field: &str| {
            let bound = item.get(field).and_then(Node::as_u64);
            bound.and_then(|bound| u32::try_from(bound).ok())
        };
        match (bound("start"), bound("end")) {
            (Some(start), Some(end)) if start <= end && end <= total => Ok((start, end)),
            _ => {
                let message = format!("this is no range among {total} shards");
                let help = "write `start` and `end`, whole numbers, the end not included";
                let path = item_path(&path, index);
                Err(wrong(codes::SPLIT, item, path, message, help))
            }
        }
    };
    let ranges: Result<Box<[_]>, _> = items.iter().enumerate().map(range).collect();
    Ok(Expr::Bucket(Box::new(Bucket {
        digest: Digest::Md5,
        salt: format!("{salt}-").into(),
        by: Expr::Var {
            path: Path(Box::from(["targetingKey".into()])),
            default: None,
        },
        keyless: Keyless::Error,
        total,
        ranges: ranges?,
    })))
}

fn shard_count(node: &Node, path: &str) -> Result<u32, Refusal> {
    let count = node.as_u64().and_then(|count| u32::try_from(count).ok());
    count.filter(|count| *count > 0).ok_or_else(|| {
        let help = "write a whole number from 1 to 4294967295";
        wrong(
            codes::SPLIT,
            node,
            path,
            "this is no number of shards",
            help,
        )
    })
}
