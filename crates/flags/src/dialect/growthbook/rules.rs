//! Rules of a feature: for whom they are, and the value that they force.

use super::conditions::At;
use super::{Reader, Values, text};
use crate::codes::{self, Refusal};
use crate::condition::Bucket;
use crate::dialect::shape::wrong;
use crate::ir::{Digest, Expr, Flag, Keyless, Op, Parent, Path, Rule, RuleReason};
use crate::matching::{Match, Test};
use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use nonevent_document::{Node, Value as Tree, item_path, member_path};

/// What subjects are placed by where nothing else is said.
pub(super) const ID: &str = "id";

impl<'n> Reader<'n> {
    pub(super) fn rules(
        &mut self,
        flag: &Flag,
        node: &'n Node,
        path: &str,
        values: &mut Values,
    ) -> Result<Vec<Rule>, Refusal> {
        let path = member_path(path, "rules");
        let mut rules = Vec::new();
        for (at, node) in list(node, "rules", &path)?.iter().enumerate() {
            self.rule(flag, node, &item_path(&path, at), (at, values), &mut rules)?;
        }
        Ok(rules)
    }

    fn rule(
        &mut self,
        flag: &Flag,
        node: &'n Node,
        path: &str,
        (at, values): (usize, &mut Values),
        rules: &mut Vec<Rule>,
    ) -> Result<(), Refusal> {
        let label: Option<Arc<str>> = text(node, "id").map(Into::into);
        let mut needs = self.parents(node, path, rules)?;
        needs.extend(self.filters(node, path)?);
        if let Some(value) = node.get("force") {
            let condition = self.condition_of(node, path, At::Attributes);
            let is_targeted = condition.is_some() || !needs.is_empty();
            needs.extend(condition);
            let share = share(&flag.key, node, path)?;
            let reason = match (is_targeted, &share) {
                (true, _) => RuleReason::Targeting,
                (false, Some(_)) => RuleReason::Split,
                (false, None) => RuleReason::Static,
            };
            needs.extend(share);
            let serve = if value.is_null() {
                Expr::CallerDefault
            } else {
                let name = label
                    .as_deref()
                    .map_or_else(|| format!("rule-{}", at + 1), String::from);
                let (index, name) = values.add(&name, value);
                Expr::Variant(index, name)
            };
            rules.push(Rule {
                label,
                when: Expr::joined(Op::And, needs),
                serve,
                reason,
            });
        } else if node
            .get("variations")
            .or(node.get("contextualVariations"))
            .is_some()
        {
            let key = text(node, "key").unwrap_or(&flag.key);
            let run = self.experiment(key, node, path, values)?;
            rules.push(Rule {
                label,
                when: Expr::joined(Op::And, needs),
                serve: Expr::Experiment(Box::new(run)),
                reason: RuleReason::Split,
            });
        }
        Ok(())
    }

    /// The flags that a rule depends on. A gate that is closed ends the evaluation, by a rule of its
    /// own before this one.
    fn parents(
        &mut self,
        node: &'n Node,
        path: &str,
        rules: &mut Vec<Rule>,
    ) -> Result<Vec<Expr>, Refusal> {
        let path = member_path(path, "parentConditions");
        let mut needs = Vec::new();
        for (at, parent) in list(node, "parentConditions", &path)?.iter().enumerate() {
            let need = self.parent(parent, &item_path(&path, at))?;
            if parent.get("gate").and_then(Node::as_bool) == Some(true) {
                let mut when = needs.clone();
                when.push(need.negated());
                rules.push(Rule {
                    label: None,
                    when: Expr::joined(Op::And, when),
                    serve: Expr::CallerDefault,
                    reason: RuleReason::Disabled,
                });
            } else {
                needs.push(need);
            }
        }
        Ok(needs)
    }

    pub(super) fn parent(&mut self, node: &'n Node, path: &str) -> Result<Expr, Refusal> {
        let Some(flag) = node.get("id").and_then(Node::as_str) else {
            let message = "it is not said which feature this depends on";
            let help = "write the feature's key in `id`";
            return Err(wrong(codes::DEFINITION, node, path, message, help));
        };
        let condition = self.condition_of(node, path, At::Parent);
        Ok(Expr::Parent(Box::new(Parent {
            flag: flag.into(),
            condition: condition.unwrap_or_else(|| Expr::constant(true)),
        })))
    }

    /// Shares that a subject must be in, each by a hash of its own.
    pub(super) fn filters(&mut self, node: &Node, path: &str) -> Result<Vec<Expr>, Refusal> {
        let path = member_path(path, "filters");
        let filters = list(node, "filters", &path)?;
        let filter = |(at, node): (usize, &Node)| {
            let path = item_path(&path, at);
            let (digest, total) = match digest(node, 2) {
                Some(found) => found,
                None => return Ok(Expr::constant(false)),
            };
            let ranges = ranges(node, "ranges", &path)?.unwrap_or_default();
            let places = ranges.iter().map(|range| places(*range, total));
            Ok(Expr::Bucket(Box::new(Bucket {
                digest,
                salt: text(node, "seed").unwrap_or_default().into(),
                by: attribute(text(node, "attribute").unwrap_or(ID)),
                keyless: Keyless::Null,
                total,
                ranges: places.collect(),
            })))
        };
        filters.iter().enumerate().map(filter).collect()
    }
}

/// The share of the subjects that a forced value is for; `None` for all.
fn share(key: &str, node: &Node, path: &str) -> Result<Option<Expr>, Refusal> {
    let range = match node.get("range").filter(|range| !range.is_null()) {
        Some(range) => Some(pair(range, &member_path(path, "range"))?),
        None => number(node, "coverage", path)?.map(|coverage| (0.0, coverage)),
    };
    let Some(range) = range else {
        return Ok(None);
    };
    let Some((digest, total)) = digest(node, 1) else {
        return Ok(Some(Expr::constant(false)));
    };
    Ok(Some(Expr::Bucket(Box::new(Bucket {
        digest,
        salt: text(node, "seed").unwrap_or(key).into(),
        by: subject(node),
        keyless: Keyless::Null,
        total,
        ranges: Box::from([places(range, total)]),
    }))))
}

fn attribute(name: &str) -> Expr {
    Expr::Var {
        path: Path(Box::from([name.into()])),
        default: None,
    }
}

/// What a rule places subjects by: its attribute, or where assignments are remembered another one.
pub(super) fn subject(node: &Node) -> Expr {
    let own = attribute(text(node, "hashAttribute").unwrap_or(ID));
    let is_sticky = !flagged(node, "disableStickyBucketing");
    let Some(fallback) = text(node, "fallbackAttribute").filter(|_| is_sticky) else {
        return own;
    };
    let remembered = Expr::Var {
        path: Path(Box::from(["__gb".into(), "stickyBuckets".into()])),
        default: None,
    };
    let call = |op, args| Expr::Call { op, args };
    let fallback = call(Op::And, Box::from([remembered, attribute(fallback)]));
    // Truth values, lists and maps have no place, no more than what is missing.
    let of_type = |name: &str| {
        let Expr::Var { path, .. } = &own else {
            return Expr::constant(false);
        };
        let test = Test::Type(name.into());
        let (of, wanted) = (Some(path.clone()), true);
        Expr::Match(Box::new(Match { of, test, wanted }))
    };
    let typed = call(Op::Or, Box::from([of_type("string"), of_type("number")]));
    let placed = call(Op::And, Box::from([own.clone(), typed]));
    call(Op::If, Box::from([placed, own, fallback]))
}

pub(super) fn flagged(node: &Node, field: &str) -> bool {
    node.get(field).and_then(Node::as_bool) == Some(true)
}

/// The hash, and how many places it has; `None` for a version that is not known.
pub(super) fn digest(node: &Node, version: u64) -> Option<(Digest, u32)> {
    let version = match node.get("hashVersion").filter(|it| !it.is_null()) {
        Some(version) => version.as_u64()?,
        None => version,
    };
    match version {
        // 0 is as good as nothing to JavaScript.
        0 | 1 => Some((Digest::Fnv1a, 1000)),
        2 => Some((Digest::Fnv1aTwice, 10_000)),
        _ => None,
    }
}

/// The places of a range: those that, divided by the total, are from its start to before its end.
pub(super) fn places((start, end): (f64, f64), total: u32) -> (u32, u32) {
    let first = |bound: f64| {
        let scaled = libm::ceil(bound * f64::from(total));
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "float casts saturate, and what lies outside is cut off"
        )]
        let near = (scaled as u32).min(total);
        // The product was rounded, so the place may be one off either way.
        let is_in = |place: u32| f64::from(place) / f64::from(total) >= bound;
        (near.saturating_sub(1)..=near)
            .find(|place| is_in(*place))
            .unwrap_or_else(|| (near + 1).min(total))
    };
    let (start, end) = (first(start), first(end));
    (start, end.max(start))
}

/// The list in this field; an empty one if there is none.
pub(super) fn list<'n>(node: &'n Node, field: &str, path: &str) -> Result<&'n [Node], Refusal> {
    match node.get(field).map(|field| (&field.value, field)) {
        Some((Tree::Array(items), _)) => Ok(items),
        None | Some((Tree::Null, _)) => Ok(&[]),
        Some((_, found)) => {
            let message = format!("`{field}` is no list");
            Err(wrong(
                codes::DEFINITION,
                found,
                path,
                message,
                "write a list",
            ))
        }
    }
}

pub(super) fn number(node: &Node, field: &str, path: &str) -> Result<Option<f64>, Refusal> {
    let Some(found) = node.get(field).filter(|it| !it.is_null()) else {
        return Ok(None);
    };
    match found.as_f64() {
        Some(number) => Ok(Some(number)),
        None => {
            let path = member_path(path, field);
            let message = format!("`{field}` is no number");
            let help = "write a number from 0 to 1";
            Err(wrong(codes::SPLIT, found, path, message, help))
        }
    }
}

/// Ranges in this field; `None` if there is none.
pub(super) fn ranges(
    node: &Node,
    field: &str,
    path: &str,
) -> Result<Option<Vec<(f64, f64)>>, Refusal> {
    if node.get(field).is_none_or(Node::is_null) {
        return Ok(None);
    }
    let path = member_path(path, field);
    let items = list(node, field, &path)?;
    let pairs = items.iter().enumerate();
    pairs
        .map(|(at, item)| pair(item, &item_path(&path, at)))
        .collect::<Result<_, _>>()
        .map(Some)
}

/// From the first number up to but without the second. A bound that is missing lets nobody in.
fn pair(node: &Node, path: &str) -> Result<(f64, f64), Refusal> {
    match node.as_array() {
        Some([start, end]) if start.as_f64().is_some() && end.as_f64().is_some() => Ok((
            start.as_f64().unwrap_or_default(),
            end.as_f64().unwrap_or_default(),
        )),
        _ => {
            let message = "this is no range";
            let help = "write two numbers from 0 to 1: the start, and the end, which is not in it";
            Err(wrong(codes::SPLIT, node, path, message, help))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::places;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_place_is_in_a_range_exactly_if_its_fraction_is(
            start in -0.1..1.1_f64,
            width in 0.0..1.1_f64,
            place in 0..1000_u32,
        ) {
            let end = start + width;
            let (first, last) = places((start, end), 1000);
            let fraction = f64::from(place) / 1000.0;
            prop_assert_eq!((first..last).contains(&place), fraction >= start && fraction < end);
        }

        #[test]
        fn bounds_on_places_are_exact(place in 0..=10_000_u32) {
            let bound = f64::from(place) / 10_000.0;
            prop_assert_eq!(places((0.0, bound), 10_000), (0, place));
            prop_assert_eq!(places((bound, 1.0), 10_000), (place, 10_000));
        }
    }
}
