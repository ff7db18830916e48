//! Says in words why a bound is kept, broken or unknown.

use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use nonevent_document::format_duration_ms;
use serde::{Deserialize, Serialize};

use super::answer::{Answer, ConfidenceOf, Known};
use super::bound::{Bound, Clause, Limit};
use super::decimal::Decimal;
use super::metric::Facts;
use super::quantity::{Dimension, Quantity, Unit};

/// The answer to a bound with the sentences behind it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Explanation {
    /// Whether the bound is kept.
    pub answer: Answer,
    /// The sentences of the clauses that decide it, joined by semicolons.
    pub sentence: String,
    /// Every clause, in the order of the text.
    pub clauses: Vec<ClauseExplanation>,
}

/// The answer to one clause.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClauseExplanation {
    /// The clause.
    pub clause: Clause,
    /// Whether it is kept.
    pub answer: Answer,
    /// Why, in words and figures.
    pub sentence: String,
}

impl Bound {
    /// Whether the bound is kept, from what `known` tells about each of its clauses; it is asked
    /// once for each, in the order of the text.
    ///
    /// ```
    /// use nonevent_analysis::bounds::{Answer, Bound, Confidence, ConfidenceOf, Facts, Known};
    /// let bound: Bound = "error_rate <= 1%".parse()?;
    /// let known = Known {
    ///     canary: Some(0.023),
    ///     confidence: Some(Confidence {
    ///         of: ConfidenceOf::Canary,
    ///         lower: Some(0.016),
    ///         upper: Some(0.032),
    ///     }),
    ///     requests: Some(2_000),
    ///     ..Known::default()
    /// };
    /// let explanation = bound.explain(&Facts::default(), |_| Some(known));
    /// assert_eq!(explanation.answer, Answer::Broken);
    /// assert_eq!(
    ///     explanation.sentence,
    ///     "error_rate 2.3 % (at least 1.6 % at every moment) breaks `error_rate <= 1%`"
    /// );
    /// # Ok::<(), nonevent_document::Findings>(())
    /// ```
    #[must_use]
    pub fn explain(
        &self,
        facts: &Facts,
        mut known: impl FnMut(&Clause) -> Option<Known>,
    ) -> Explanation {
        let mut clauses = Vec::new();
        let (answer, deciding) = decide(self, &mut |clause| {
            let explained = explain_clause(clause, facts, known(clause).as_ref());
            clauses.push(explained);
            let last = clauses.len() - 1;
            (clauses[last].answer, last)
        });
        let sentences: Vec<&str> = deciding
            .into_iter()
            .map(|index| clauses[index].sentence.as_str())
            .collect();
        Explanation {
            answer,
            sentence: sentences.join("; "),
            clauses,
        }
    }
}

/// The answer and the clauses that decide it, by number.
fn decide(
    bound: &Bound,
    clause: &mut impl FnMut(&Clause) -> (Answer, usize),
) -> (Answer, Vec<usize>) {
    let (parts, join): (_, fn(Answer, Answer) -> Answer) = match bound {
        Bound::Clause(one) => {
            let (answer, index) = clause(one);
            return (answer, alloc::vec![index]);
        }
        Bound::All(parts) => (parts, Answer::and),
        Bound::Any(parts) => (parts, Answer::or),
    };
    let answers: Vec<(Answer, Vec<usize>)> =
        parts.iter().map(|part| decide(part, clause)).collect();
    let whole = answers.iter().map(|(answer, _)| *answer).reduce(join);
    let whole = whole.expect("a bound has two parts or more");
    let same = |answer: Answer| core::mem::discriminant(&answer) == core::mem::discriminant(&whole);
    let deciding = answers
        .into_iter()
        .filter(|(answer, _)| same(*answer))
        .flat_map(|(_, deciding)| deciding)
        .collect();
    (whole, deciding)
}

fn explain_clause(clause: &Clause, facts: &Facts, known: Option<&Known>) -> ClauseExplanation {
    let answer = clause.answer(facts, known);
    let sentence = match (answer, known) {
        (Answer::Unknown(why), _) => format!("`{clause}` is unknown: {why}"),
        (Answer::Broken, Some(known)) => broken(clause, facts, known),
        (_, Some(known)) => kept(clause, facts, known),
        (_, None) => format!("`{clause}`"),
    };
    ClauseExplanation {
        clause: clause.clone(),
        answer,
        sentence,
    }
}

fn broken(clause: &Clause, facts: &Facts, known: &Known) -> String {
    let upper = clause.operator().is_upper();
    let edge = bound_in_words(clause, facts, known, upper);
    let since = clause.sustained_ms().map_or(String::new(), |_| {
        let since = known.beyond_since_ms.unwrap_or(known.at_ms);
        let held = known.at_ms.saturating_sub(since);
        format!(" for {}", format_duration_ms(held))
    });
    let seen = subject(clause, facts, known);
    format!("{seen} ({edge} at every moment{since}) breaks `{clause}`")
}

fn kept(clause: &Clause, facts: &Facts, known: &Known) -> String {
    let upper = clause.operator().is_upper();
    let seen = subject(clause, facts, known);
    let far_end = clause.edge(known, !upper);
    match far_end {
        Some(edge) if !clause.is_beyond(edge) => {
            let edge = bound_in_words(clause, facts, known, !upper);
            format!("{seen} ({edge} at every moment) keeps `{clause}`")
        }
        _ => {
            let edge = bound_in_words(clause, facts, known, upper);
            format!("{seen} (known to be {edge} only) is not shown to break `{clause}`")
        }
    }
}

/// The metric with its estimates.
fn subject(clause: &Clause, facts: &Facts, known: &Known) -> String {
    let finite = |value: Option<f64>| value.filter(|value| value.is_finite());
    let mut text = clause.metric().to_string();
    if let Some(canary) = finite(known.canary) {
        text.push(' ');
        text.push_str(&figure(canary, unit(clause, facts)));
    }
    if let (Limit::Baseline { .. }, Some(baseline)) = (clause.limit(), finite(known.baseline)) {
        let baseline = figure(baseline, unit(clause, facts));
        text.push_str(&format!(" beside {baseline} of the baseline"));
    }
    text
}

/// One end of the confidence interval, as a statement.
fn bound_in_words(clause: &Clause, facts: &Facts, known: &Known, lower: bool) -> String {
    let unit = unit(clause, facts);
    let of = known.confidence.map(|confidence| confidence.of);
    let Some(edge) = clause.edge(known, lower) else {
        return String::from("nothing");
    };
    let words = if lower { "at least" } else { "at most" };
    if of != Some(ConfidenceOf::Excess) {
        return format!("{words} {}", figure(edge.value, unit));
    }
    // An excess that is the other way round is said the other way round: nobody reads minus signs.
    let above = edge.value >= 0.0;
    let side = if above { "above" } else { "below" };
    let words = if lower == above {
        "at least"
    } else {
        "at most"
    };
    let size = if above { edge.value } else { -edge.value };
    format!("{words} {} {side} the limit", figure(size, unit))
}

/// The unit of the limit, or the usual one of its metric.
fn unit(clause: &Clause, facts: &Facts) -> Unit {
    match clause.limit() {
        Limit::Absolute(quantity) => quantity.unit,
        Limit::Baseline {
            plus: Some(plus), ..
        } => plus.unit,
        Limit::Baseline { plus: None, .. } => {
            let measure = facts.measure(clause.metric());
            let dimension = measure.and_then(|measure| measure.dimensions.first().copied());
            dimension.unwrap_or(Dimension::Number).shown_unit()
        }
    }
}

/// A value in a unit, to three significant digits.
fn figure(value: f64, unit: Unit) -> String {
    let one = Quantity {
        number: Decimal::ONE,
        unit,
    };
    let value = value / one.value();
    // Of a share near 100 % what is missing counts: 99.95 % is not 100 %.
    let missing = 100.0 - value.abs();
    let size = if unit == Unit::Percent && missing > 0.0 && missing < 50.0 {
        missing
    } else {
        value.abs()
    };
    let places = match size {
        _ if size >= 1e15 || (size < 1e-6 && size > 0.0) => {
            return spaced(&format!("{value:.2e}"), unit);
        }
        _ if size >= 100.0 => 0,
        _ if size >= 10.0 => 1,
        _ if size >= 1.0 => 2,
        _ if size >= 0.1 => 3,
        _ if size >= 0.01 => 4,
        _ if size >= 0.001 => 5,
        _ => 8,
    };
    let text = format!("{value:.places$}");
    let short = match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.'),
        false => &text,
    };
    spaced(short, unit)
}

fn spaced(number: &str, unit: Unit) -> String {
    match unit.dimension() {
        Dimension::Number | Dimension::Rate => format!("{number}{}", unit.as_str()),
        _ => format!("{number} {}", unit.as_str()),
    }
}
