//! What the clauses of a bound say about each other: duplicates, contradictions, and clauses that
//! follow from others.

use alloc::format;
use alloc::vec::Vec;
use core::cmp::Ordering;

use super::bound::{Clause, Limit, Operator};
use super::metric::Facts;
use super::parse::{Placed, Tree};
use super::rules::{CONTRADICTION, DUPLICATE, IMPLIED, NEVER_BROKEN, Sink};

/// Compares the clauses with each other; what is wrong goes to the sink.
pub(super) fn relate(tree: &Tree, facts: &Facts, sink: &mut Sink<'_>) {
    within(tree, &[], facts, sink);
}

/// `outer` are the clauses that must be kept as well.
fn within(tree: &Tree, outer: &[&Placed], facts: &Facts, sink: &mut Sink<'_>) {
    let (parts, all) = match tree {
        Tree::All(parts) => (parts, true),
        Tree::Any(parts) => (parts, false),
        Tree::Clause(_) | Tree::Broken => return,
    };
    let clauses: Vec<&Placed> = parts
        .iter()
        .filter_map(|part| match part {
            Tree::Clause(placed) if placed.operator_sure => Some(&**placed),
            _ => None,
        })
        .collect();
    for (index, later) in clauses.iter().enumerate() {
        let beside = clauses[..index]
            .iter()
            .any(|earlier| pair(earlier, later, all, facts, sink));
        if !beside {
            let _ = outer.iter().any(|outer| contradiction(outer, later, sink));
        }
    }
    let mut in_force = outer.to_vec();
    if all {
        in_force.extend(&clauses);
    }
    for part in parts {
        within(part, &in_force, facts, sink);
    }
}

/// Whether there was something to say about two clauses side by side.
fn pair(earlier: &Placed, later: &Placed, all: bool, facts: &Facts, sink: &mut Sink<'_>) -> bool {
    let (a, b) = (&earlier.clause, &later.clause);
    if a.metric() != b.metric() {
        return false;
    }
    let bytes = later.span.clone();
    let [a_implies, b_implies] = [implies(a, b, facts), implies(b, a, facts)];
    if a_implies && b_implies {
        let message = format!("`{b}` is written twice");
        sink.push(DUPLICATE, bytes, message, "leave one of them out");
        return true;
    }
    if a_implies || b_implies {
        // Beside `and` the weaker one is idle, beside `or` the stricter one.
        let later_idle = a_implies == all;
        let (idle, other) = if later_idle { (later, a) } else { (earlier, b) };
        let word = if all { "and" } else { "or" };
        let message = format!("`{}` says nothing beside `{word} {other}`", idle.clause);
        sink.push(IMPLIED, idle.span.clone(), message, "leave it out");
        return true;
    }
    if all {
        return contradiction(earlier, later, sink);
    }
    let never = covers(a, b);
    if never {
        let message = format!("`{a} or {b}` can never be broken");
        let help = "write two limits that leave something between them";
        sink.push(NEVER_BROKEN, bytes, message, help);
    }
    never
}

fn contradiction(earlier: &Placed, later: &Placed, sink: &mut Sink<'_>) -> bool {
    let (a, b) = (&earlier.clause, &later.clause);
    let found = contradict(a, b);
    if found {
        let message = format!("`{b}` and `{a}` cannot both be kept");
        let help = "join them by `or`, or correct one of the limits";
        sink.push(CONTRADICTION, later.span.clone(), message, help);
    }
    found
}

/// Which limit is higher, where that is the same for every baseline but zero.
fn order(a: Limit, b: Limit) -> Option<Ordering> {
    match (a, b) {
        (Limit::Absolute(a), Limit::Absolute(b)) => {
            let same = a.unit.dimension() == b.unit.dimension();
            same.then(|| a.size().cmp(&b.size()))
        }
        (
            Limit::Baseline { factor, plus },
            Limit::Baseline {
                factor: other_factor,
                plus: other_plus,
            },
        ) => {
            if let (Some(a), Some(b)) = (plus, other_plus)
                && a.unit.dimension() != b.unit.dimension()
            {
                return None;
            }
            let size = |plus: Option<super::Quantity>| plus.map_or(0, super::Quantity::size);
            let factors = factor.cmp(&other_factor);
            let added = size(plus).cmp(&size(other_plus));
            match (factors, added) {
                (Ordering::Equal, order) | (order, Ordering::Equal) => Some(order),
                (a, b) => (a == b).then_some(a),
            }
        }
        _ => None,
    }
}

const fn is_strict(operator: Operator) -> bool {
    matches!(operator, Operator::Below | Operator::Above)
}

/// Whether `b` is kept whenever `a` is, and `a` is broken no later than `b`.
fn implies(a: &Clause, b: &Clause, facts: &Facts) -> bool {
    let upper = a.operator().is_upper();
    if upper != b.operator().is_upper() {
        return false;
    }
    let Some(order) = order(a.limit(), b.limit()) else {
        return false;
    };
    let tighter = if upper {
        order == Ordering::Less
    } else {
        order == Ordering::Greater
    };
    let as_strict = is_strict(a.operator()) || !is_strict(b.operator());
    let sustained = a.sustained_ms().unwrap_or(0) <= b.sustained_ms().unwrap_or(0);
    let requests = a.requests_needed(facts) <= b.requests_needed(facts);
    (tighter || (order == Ordering::Equal && as_strict)) && sustained && requests
}

/// The upper and the lower limit of two clauses about one metric, and which is higher.
fn opposite<'a>(a: &'a Clause, b: &'a Clause) -> Option<Ordering> {
    let (upper, lower) = match (a.operator().is_upper(), b.operator().is_upper()) {
        (true, false) => (a, b),
        (false, true) => (b, a),
        _ => return None,
    };
    if upper.metric() != lower.metric() {
        return None;
    }
    order(upper.limit(), lower.limit())
}

/// Whether no value keeps both.
fn contradict(a: &Clause, b: &Clause) -> bool {
    let strict = is_strict(a.operator()) || is_strict(b.operator());
    match opposite(a, b) {
        Some(Ordering::Less) => true,
        Some(Ordering::Equal) => strict,
        _ => false,
    }
}

/// Whether every value keeps one of them.
fn covers(a: &Clause, b: &Clause) -> bool {
    let strict = is_strict(a.operator()) && is_strict(b.operator());
    match opposite(a, b) {
        Some(Ordering::Greater) => true,
        Some(Ordering::Equal) => !strict,
        _ => false,
    }
}
