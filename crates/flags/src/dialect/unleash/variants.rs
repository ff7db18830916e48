//! Variants: which of several a feature that is on has.

use super::strategies::{sticky, subject};
use super::{ON, gated, list, text, texts};
use crate::codes::{self, Refusal};
use crate::condition::{Condition, Test};
use crate::dialect::shape;
use crate::eval::split::TOTAL_MAX;
use crate::ir::{Arm, By, Digest, Expr, Gate, HashMode, Keyless, Op, Split, Variant, Weight};
use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use nonevent_document::{Finding, Node, item_path, member_path};

/// The seed of the hash by which variants are chosen, so that who sees which is independent of
/// who is reached.
const SEED: u32 = 86_028_157;

/// What Unleash lets the weights of a feature sum to.
const WEIGHTS: u64 = 1_000;

/// What a feature that is on serves.
pub(super) struct Base {
    pub(super) serve: Expr,
    /// Whether there is more than one to choose from.
    pub(super) is_split: bool,
}

/// The feature's own variants. Their stickiness is that of the first.
pub(super) fn of_feature(
    feature: &str,
    node: &Node,
    path: &str,
    listed: &mut Vec<Variant>,
    findings: &mut Vec<Finding>,
) -> Result<Base, Refusal> {
    let (items, path) = list(node, path, "variants")?;
    let stickiness = items.first().and_then(|first| first.get("stickiness"));
    let stickiness = stickiness.and_then(Node::as_str);
    let base = choice(feature, stickiness, items, &path, listed, findings)?;
    Ok(base.unwrap_or(Base {
        serve: on(),
        is_split: false,
    }))
}

/// A strategy's variants; `None` if it has none, and the feature's count.
pub(super) fn of_strategy(
    group: &str,
    stickiness: Option<&str>,
    (node, path): (&Node, &str),
    listed: &mut Vec<Variant>,
    findings: &mut Vec<Finding>,
) -> Result<Option<Base>, Refusal> {
    let (items, path) = list(node, path, "variants")?;
    choice(group, stickiness, items, &path, listed, findings)
}

fn on() -> Expr {
    Expr::Variant(ON, "on".into())
}

/// Overrides first, then shares by hash.
fn choice(
    group: &str,
    stickiness: Option<&str>,
    items: &[Node],
    path: &str,
    listed: &mut Vec<Variant>,
    findings: &mut Vec<Finding>,
) -> Result<Option<Base>, Refusal> {
    if items.is_empty() {
        return Ok(None);
    }
    let (mut args, mut arms, mut total) = (Vec::new(), Vec::with_capacity(items.len()), 0_u64);
    for (index, item) in items.iter().enumerate() {
        let path = item_path(path, index);
        let name = text(item, &path, "name")?;
        let variant = Expr::Variant(listed.len(), name.into());
        listed.push(gated(name, payload(item, &path, findings), Gate::OnWith));
        for condition in overrides(item, &path)? {
            args.extend([condition, variant.clone()]);
        }
        let weight = weight(item, &path)?;
        total += u64::from(weight);
        arms.push(Arm {
            serve: variant,
            weight: Weight::Fixed(weight),
        });
    }
    let is_split = arms.len() > 1;
    if total != WEIGHTS && (1..=TOTAL_MAX).contains(&total) {
        let message = format!("the weights sum to {total}, not {WEIGHTS}");
        let help = "let them sum to 1000, in tenths of a percent: a share is divided by the sum";
        findings.push(sum_finding(items, path, message, help));
    }
    args.push(if (1..=TOTAL_MAX).contains(&total) {
        let (by, _) = sticky(stickiness);
        Expr::Split(Box::new(Split {
            by: By::Salted(format!("{group}:").into(), by),
            hash: HashMode::Remainder(Digest::Murmur3 { seed: SEED }),
            keyless: Keyless::Lot,
            arms: arms.into(),
        }))
    } else {
        let message = "the weights sum to 0 or to more than 2147483647, so nobody gets a variant";
        let help = "give at least one variant a weight";
        findings.push(sum_finding(items, path, message.into(), help));
        on()
    });
    let serve = match args.len() {
        1 => args.remove(0),
        _ => Expr::Call {
            op: Op::If,
            args: args.into(),
        },
    };
    Ok(Some(Base { serve, is_split }))
}

/// A warning about all weights, at the first.
fn sum_finding(items: &[Node], path: &str, message: String, help: &str) -> Finding {
    let finding = Finding::warning(codes::SPLIT, path, message, help);
    match items.first() {
        Some(first) => finding.spanning(&shape::place(first.get("weight").unwrap_or(first))),
        None => finding,
    }
}

fn weight(node: &Node, path: &str) -> Result<u32, Refusal> {
    let weight = node.get("weight").and_then(Node::as_u64);
    let weight = weight.and_then(|weight| u32::try_from(weight).ok());
    weight.ok_or_else(|| {
        let message = "the variant has no weight, or it is no whole number";
        let help = "write a whole number from 0 to 4294967295";
        let path = member_path(path, "weight");
        shape::wrong(codes::SPLIT, node, path, message, help)
    })
}

/// For whom this variant is meant whatever the hash says.
fn overrides(node: &Node, path: &str) -> Result<Vec<Expr>, Refusal> {
    let (items, path) = list(node, path, "overrides")?;
    let condition = |(index, item): (usize, &Node)| {
        let path = item_path(&path, index);
        let name = text(item, &path, "contextName")?;
        let (values, path) = list(item, &path, "values")?;
        let condition = Condition {
            of: subject(name),
            test: Test::one_of(texts(values, &path)?),
            wanted: true,
        };
        Ok(condition.into_expr())
    };
    items.iter().enumerate().map(condition).collect()
}

/// A variant's value: its payload as its type says, or true if it has none.
fn payload(node: &Node, path: &str, findings: &mut Vec<Finding>) -> serde_json::Value {
    let Some(payload) = node.get("payload").filter(|payload| !payload.is_null()) else {
        return true.into();
    };
    let field = |field: &str| payload.get(field).and_then(Node::as_str);
    let text = field("value").unwrap_or_default();
    let parsed = match field("type") {
        Some("json") => serde_json::from_str(text).ok(),
        Some("number") => serde_json::from_str::<serde_json::Number>(text.trim())
            .ok()
            .map(Into::into),
        _ => Some(text.into()),
    };
    parsed.unwrap_or_else(|| {
        let message = "the payload is not of its type, so it is served as text";
        let path = member_path(path, "payload");
        let help = "write JSON, or a number";
        let finding = Finding::warning(codes::DEFINITION, path, message, help);
        findings.push(finding.spanning(&shape::place(payload)));
        text.into()
    })
}
