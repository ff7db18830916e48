//! What is wrong with rules, and with flags that depend on others.

use crate::check::warn;
use crate::codes;
use crate::ir::{By, Expr, Flag, Keyless, Rule, Segment, Weight};
use crate::kinds::SHARES;
use crate::matching::Test;
use crate::set::FlagSet;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use nonevent_document::Finding;

/// All that is found in a set.
pub(crate) fn findings(set: &FlagSet) -> Vec<Finding> {
    let mut found: Vec<Finding> = set.flags.iter().filter_map(unreachable).collect();
    let needs: BTreeMap<&str, BTreeSet<&str>> = set
        .flags
        .iter()
        .map(|flag| (&*flag.key, needs(flag, &set.segments)))
        .collect();
    found.extend(set.flags.iter().flat_map(|flag| depends(set, flag, &needs)));
    found
}

/// Rules after one that decides for everybody.
fn unreachable(flag: &Flag) -> Option<Finding> {
    let last = flag.rules.iter().position(decides_for_all)?;
    let after = flag.rules.len() - last - 1;
    (after > 0).then(|| {
        let name = match &flag.rules.get(last)?.label {
            Some(label) => format!("rule {} ({label:?})", last + 1),
            None => format!("rule {}", last + 1),
        };
        let message = format!(
            "{name} of {:?} decides for everybody, so what comes after is never reached: {after} \
             more",
            flag.key
        );
        let help = "take the rules after it out, or put it last";
        Some(warn(flag, codes::UNREACHABLE, message, help))
    })?
}

fn decides_for_all(rule: &Rule) -> bool {
    let is_open = match &rule.when {
        None => true,
        Some(when) => when.as_const() == Some(&serde_json::Value::Bool(true)),
    };
    is_open && serves_all(&rule.serve)
}

/// Whether an expression names a variant for everybody.
fn serves_all(expr: &Expr) -> bool {
    match expr {
        Expr::Variant(..) | Expr::Malformed(_) => true,
        Expr::Rollout(rollout) => {
            let sum: u64 = rollout
                .arms
                .iter()
                .map(|(share, _)| u64::from(*share))
                .sum();
            sum >= u64::from(SHARES) && rollout.arms.iter().all(|(_, serve)| serves_all(serve))
        }
        // Without a key it may serve nothing.
        Expr::Split(split) => {
            let is_fixed = |weight: &Weight| matches!(weight, Weight::Fixed(_));
            split.keyless != Keyless::Null
                && split
                    .arms
                    .iter()
                    .all(|it| is_fixed(&it.weight) && serves_all(&it.serve))
        }
        _ => false,
    }
}

/// The flags that a flag asks for.
fn needs<'s>(flag: &'s Flag, segments: &'s [Arc<Segment>]) -> BTreeSet<&'s str> {
    let mut found = BTreeSet::new();
    let mut seen = BTreeSet::new();
    let rules = flag.rules.iter();
    let mut open: Vec<&Expr> = rules
        .flat_map(|it| it.when.iter().chain([&it.serve]))
        .collect();
    while let Some(expr) = open.pop() {
        match expr {
            Expr::Prerequisite(wanted) => drop(found.insert(&*wanted.flag)),
            Expr::Serves(wanted) => drop(found.insert(&*wanted.flag)),
            Expr::Parent(parent) => drop(found.insert(&*parent.flag)),
            Expr::SegmentAt(at, _) if seen.insert(*at) => {
                let at = usize::try_from(*at).ok();
                open.extend(at.and_then(|at| segments.get(at)).map(|it| &it.body));
            }
            other => children(other, &mut open),
        }
    }
    found
}

pub(crate) fn children<'s>(expr: &'s Expr, open: &mut Vec<&'s Expr>) {
    match expr {
        Expr::List(items) => open.extend(items),
        Expr::Call { args, .. } => open.extend(args),
        Expr::Var { default, .. } => open.extend(default.as_deref()),
        Expr::Segment(segment) => open.push(&segment.body),
        Expr::Condition(condition) => open.push(&condition.of),
        Expr::Bucket(bucket) => open.push(&bucket.by),
        Expr::Parent(parent) => open.push(&parent.condition),
        Expr::Experiment(run) => open.extend(&run.targeting),
        Expr::Match(asked) => {
            if let Test::Size(body) | Test::Any { body, .. } = &asked.test {
                open.push(body);
            }
        }
        Expr::Rollout(rollout) => open.extend(rollout.arms.iter().map(|(_, serve)| serve)),
        Expr::Split(split) => {
            if let By::Expr(by) | By::Salted(_, by) = &split.by {
                open.push(by);
            }
            for arm in &split.arms {
                open.push(&arm.serve);
                if let Weight::Computed(weight) = &arm.weight {
                    open.push(weight);
                }
            }
        }
        _ => {}
    }
}

/// What is to be said of the flags that a flag depends on.
fn depends(set: &FlagSet, flag: &Flag, needs: &BTreeMap<&str, BTreeSet<&str>>) -> Vec<Finding> {
    let mut found = Vec::new();
    let own = needs.get(&*flag.key).into_iter().flatten();
    for needed in own.clone().filter(|needed| set.get(needed).is_none()) {
        let message = format!("{:?} depends on {needed:?}, which is not defined", flag.key);
        let help = "define it, or depend on another flag";
        found.push(warn(flag, codes::REFERENCE, message, help));
    }
    if let Some(way) = way_back(&flag.key, needs) {
        let way: Vec<String> = way.iter().map(|key| format!("{key:?}")).collect();
        let message = format!("flags wait for each other: {}", way.join(", which needs "));
        let help = "take one of the prerequisites out";
        let mut finding = Finding::error(codes::REFERENCE, &*flag.origin.path, message, help);
        finding.at = flag.origin.at;
        found.push(finding);
        return found;
    }
    for needed in own {
        let deeper = needs.get(needed).into_iter().flatten().next();
        if let Some(deeper) = deeper {
            let message = format!(
                "{:?} depends on {needed:?}, which depends on {deeper:?}: who switches one off \
                 must know them all",
                flag.key
            );
            let help = "depend on flags that depend on none";
            found.push(warn(flag, codes::NESTED, message, help));
            break;
        }
    }
    found
}

/// The way from a flag back to itself, if there is one and no flag on it comes before by name: each
/// circle is told once.
fn way_back<'s>(
    start: &'s str,
    needs: &BTreeMap<&'s str, BTreeSet<&'s str>>,
) -> Option<Vec<&'s str>> {
    let mut before: BTreeMap<&str, &str> = BTreeMap::new();
    let mut open = Vec::from([start]);
    while let Some(at) = open.pop() {
        for &next in needs.get(at).into_iter().flatten() {
            if next == start {
                let mut way = Vec::from([start, at]);
                let mut back = at;
                while let Some(&earlier) = before.get(back).filter(|_| back != start) {
                    way.push(earlier);
                    back = earlier;
                }
                if at == start {
                    way.pop();
                    way.push(start);
                }
                way.reverse();
                return Some(way);
            }
            if next > start && !before.contains_key(next) {
                before.insert(next, at);
                open.push(next);
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::way_back;
    use alloc::collections::{BTreeMap, BTreeSet};

    #[test]
    fn each_circle_is_told_once_from_its_first_flag() {
        let needs = |pairs: &[(&'static str, &[&'static str])]| -> BTreeMap<&str, BTreeSet<&str>> {
            pairs
                .iter()
                .map(|(key, all)| (*key, all.iter().copied().collect()))
                .collect()
        };
        let some = needs(&[
            ("a", &["b"]),
            ("b", &["c", "d"]),
            ("c", &["a"]),
            ("d", &[]),
            ("e", &["e"]),
        ]);
        assert_eq!(way_back("a", &some), Some(["a", "b", "c", "a"].into()));
        assert_eq!(way_back("b", &some), None);
        assert_eq!(way_back("d", &some), None);
        assert_eq!(way_back("e", &some), Some(["e", "e"].into()));
        assert_eq!(way_back("x", &some), None);
    }
}
