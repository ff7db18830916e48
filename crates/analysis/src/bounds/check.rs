//! All findings about the text of a bound: first its grammar, then whether each clause makes sense
//! for its metric, then whether the clauses make sense together.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use nonevent_document::Findings;

use super::bound::{Bound, Limit, Operator};
use super::decimal::Decimal;
use super::metric::{Facts, Measure, MetricKind};
use super::parse::{Placed, Tree, bound, tree};
use super::quantity::{Dimension, Quantity, Unit};
use super::relations::relate;
use super::rules::{
    ALWAYS_BROKEN, DEEP, FACTOR, METRIC_UNKNOWN, NEVER_BROKEN, NO_BASELINE, SHARE_OVER, Sink,
    UNIT_MISMATCH, UNIT_MISSING,
};

/// What a text says, and what is to be said about it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct Checked {
    /// The bound; `None` exactly if a finding is an error.
    pub bound: Option<Bound>,
    /// Each with its bytes, line and column in the text; the path is empty.
    pub findings: Findings,
}

/// Reads a text and checks it against the facts.
///
/// ```
/// use nonevent_analysis::bounds::{Facts, check};
/// let checked = check("p99 <= 1% and error_rat <= 1%", &Facts::default());
/// assert_eq!(checked.bound, None);
/// let messages: Vec<_> = checked.findings.iter().map(|it| it.message.as_str()).collect();
/// assert_eq!(
///     messages,
///     ["`p99 <= 1%` compares a latency with a percentage", "`error_rat` is not a known metric"]
/// );
/// ```
pub fn check(text: &str, facts: &Facts) -> Checked {
    let mut sink = Sink::new(text);
    let tree = tree(&mut sink);
    visit(&tree, &mut |placed| clause(placed, facts, &mut sink));
    relate(&tree, facts, &mut sink);
    finished(&tree, sink)
}

/// The grammar only: the text may have been checked with other facts than are known here.
pub(super) fn read(text: &str) -> Checked {
    let mut sink = Sink::new(text);
    let tree = tree(&mut sink);
    finished(&tree, sink)
}

fn finished(tree: &Tree, mut sink: Sink<'_>) -> Checked {
    let bound = bound(tree);
    if bound.is_none() && !sink.failed() {
        let bytes = 0..sink.text.len();
        let message = "`and` and `or` nest too deep";
        sink.push(DEEP, bytes, message, "nest at most 16 of them");
    }
    Checked {
        bound: bound.filter(|_| !sink.failed()),
        findings: sink.into_findings(),
    }
}

fn visit(tree: &Tree, seen: &mut impl FnMut(&Placed)) {
    match tree {
        Tree::All(parts) | Tree::Any(parts) => {
            for part in parts {
                visit(part, seen);
            }
        }
        Tree::Clause(placed) => seen(placed),
        Tree::Broken => {}
    }
}

fn clause(placed: &Placed, facts: &Facts, sink: &mut Sink<'_>) {
    let name = placed.clause.metric();
    let Some(measure) = facts.measure(name) else {
        let message = format!("`{name}` is not a known metric");
        let help = match facts.meant(name.as_str()) {
            Some(meant) => format!("did you mean `{meant}`?"),
            None => String::from(
                "write error_rate, availability, a percentile such as p99, cpu, memory, restarts \
                 or requests, or declare a metric of your own",
            ),
        };
        sink.push(METRIC_UNKNOWN, placed.metric.clone(), message, help);
        return;
    };
    let quantity = match placed.clause.limit() {
        Limit::Absolute(quantity) => Some(quantity),
        Limit::Baseline { factor, plus } => {
            by_baseline(placed, factor, plus, facts, sink);
            plus
        }
    };
    let fits = quantity.is_none_or(|quantity| unit_fits(placed, quantity, measure, sink));
    if fits && placed.operator_sure {
        can_decide(placed, measure, sink);
    }
}

fn by_baseline(
    placed: &Placed,
    factor: Decimal,
    plus: Option<Quantity>,
    facts: &Facts,
    sink: &mut Sink<'_>,
) {
    let bytes = placed.limit.clone();
    if !facts.baseline {
        let message = "there is no baseline to compare with";
        let help = "write an absolute limit, or give the strategy a baseline";
        sink.push(NO_BASELINE, bytes.clone(), message, help);
    }
    let upper = placed.clause.operator().is_upper();
    let better = if upper {
        factor < Decimal::ONE
    } else {
        factor > Decimal::ONE
    };
    if better && plus.is_none() && placed.operator_sure {
        let text = placed.clause.comparison();
        let message = format!("`{text}` asks the canary to be better than the baseline");
        let most = if upper { "at least 1" } else { "at most 1" };
        let help = format!("write a factor of {most}, unless the release is meant to improve this");
        sink.push(FACTOR, bytes, message, help);
    }
}

/// Whether the quantity is one that the metric can be compared with.
fn unit_fits(placed: &Placed, quantity: Quantity, measure: Measure, sink: &mut Sink<'_>) -> bool {
    let bytes = placed.limit.clone();
    let text = placed.clause.comparison();
    let dimension = quantity.unit.dimension();
    if !measure.dimensions.contains(&dimension) {
        let kind = measure.kind.with_article();
        if quantity.unit == Unit::None {
            let message = format!("the limit of `{text}` has no unit");
            let help = format!("write `{}`", with_unit(quantity.number, measure));
            sink.push(UNIT_MISSING, bytes, message, help);
        } else {
            let with = dimension.with_article();
            let message = format!("`{text}` compares {kind} with {with}");
            let examples = measure
                .dimensions
                .iter()
                .map(|it| format!("{} such as `{}`", it.with_article(), it.example()));
            let examples: Vec<String> = examples.collect();
            let help = format!("write {}", examples.join(" or "));
            sink.push(UNIT_MISMATCH, bytes, message, help);
        }
        return false;
    }
    let hundred = Decimal::ONE.millionths() * 100;
    if measure.kind == MetricKind::Share
        && dimension == Dimension::Percentage
        && quantity.number.millionths() > hundred
    {
        let message = format!("`{text}` compares a share with more than 100 %");
        let help = "write a percentage from 0% to 100%";
        sink.push(SHARE_OVER, bytes, message, help);
        return false;
    }
    true
}

/// What somebody who left the unit out most likely means: a share of 0.01 is 1 %.
fn with_unit(number: Decimal, measure: Measure) -> String {
    let dimension = measure.dimensions.first().copied();
    let unit = dimension.unwrap_or(Dimension::Number).shown_unit();
    let percent = unit == Unit::Percent && number < Decimal::ONE;
    let number = if percent {
        Decimal::from_millionths(number.millionths() * 100).unwrap_or(number)
    } else {
        number
    };
    format!("{}", Quantity { number, unit })
}

/// A clause that nothing can break guards nothing; one that everything breaks is no bound.
fn can_decide(placed: &Placed, measure: Measure, sink: &mut Sink<'_>) {
    let (lowest, fixed) = match placed.clause.limit() {
        Limit::Absolute(quantity) => (Some(quantity), true),
        Limit::Baseline { factor, plus } => (plus, factor.millionths() == 0),
    };
    let zero = fixed && lowest.is_none_or(|quantity| quantity.size() == 0);
    let whole = u128::from(Decimal::ONE.millionths()) * 100;
    let full = measure.kind == MetricKind::Share && lowest.is_some_and(|it| it.size() >= whole);
    let latency = measure.kind == MetricKind::Latency;
    let rule = match placed.clause.operator() {
        Operator::AtMost if full => NEVER_BROKEN,
        Operator::AtMost if zero && latency => ALWAYS_BROKEN,
        Operator::Below if zero => ALWAYS_BROKEN,
        Operator::AtLeast if zero => NEVER_BROKEN,
        Operator::Above if full => ALWAYS_BROKEN,
        _ => return,
    };
    let never = rule.code == NEVER_BROKEN.code;
    let word = if never { "broken" } else { "kept" };
    let message = format!("`{}` can never be {word}", placed.clause.comparison());
    let help = "write a limit that some figures keep and some break, or leave the clause out";
    sink.push(rule, placed.span.clone(), message, help);
}
