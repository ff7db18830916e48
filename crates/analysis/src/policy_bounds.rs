//! A policy stated in the language of bounds.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use crate::bounds::{Bound, Clause, Limit, Quantity, Unit};
use crate::policy::{Policy, PolicyProblem};

/// The field that a problem with a bound is reported for.
const FIELD: &str = "bounds";

impl Policy {
    /// Replaces the policy's bounds by those of a text in the language of [`bounds`](crate::bounds):
    /// what the text does not name is switched off. The other figures stay.
    ///
    /// A router's counters know of every request whether it failed and how long it took, so these can
    /// be judged, joined by `and`:
    ///
    /// - `error_rate <= 1%` or `availability >= 99%`
    /// - `error_rate <= baseline * 2`, also with a floor: `(error_rate <= baseline * 2 or
    ///   error_rate <= 0.1%)`
    /// - `p99 <= 500ms`
    /// - `p99 <= baseline * 2`, also with a floor: `(p99 <= baseline * 2 or p99 <= 5ms)`
    ///
    /// Other metrics and other forms are for a [`Panel`](crate::panel::Panel).
    ///
    /// # Errors
    ///
    /// Every part that cannot be judged so.
    ///
    /// ```
    /// use nonevent_analysis::{Policy, bounds::Bound};
    /// let text = "error_rate <= 1% and (error_rate <= baseline * 1.5 or error_rate <= 0.1%)";
    /// let policy = Policy::default().with_bounds(&text.parse::<Bound>()?).expect("it can be judged");
    /// assert_eq!(policy.error_rate_max_ppm, Some(10_000));
    /// assert_eq!(policy.error_ratio_max_percent, Some(150));
    /// assert_eq!(policy.p99_ratio_max_percent, None);
    /// # Ok::<(), nonevent_document::Findings>(())
    /// ```
    pub fn with_bounds(self, bound: &Bound) -> Result<Self, Vec<PolicyProblem>> {
        let mut reader = Reader {
            policy: Self {
                error_rate_max_ppm: None,
                error_ratio_max_percent: None,
                p99_ratio_max_percent: None,
                p99_max_ms: None,
                ..self
            },
            problems: Vec::new(),
        };
        match bound {
            Bound::All(parts) => parts.iter().for_each(|part| reader.part(part)),
            part => reader.part(part),
        }
        if reader.problems.is_empty() {
            Ok(reader.policy)
        } else {
            Err(reader.problems)
        }
    }
}

struct Reader {
    policy: Policy,
    problems: Vec<PolicyProblem>,
}

/// What a clause limits, with the limit in the policy's units.
enum Said {
    ErrorRate(u64),
    ErrorRatio(u64),
    P99Ms(u64),
    P99Us(u64),
    P99Ratio(u64),
}

impl Reader {
    fn part(&mut self, part: &Bound) {
        match part {
            Bound::Clause(clause) => match said(clause) {
                Some(Said::ErrorRate(ppm)) => {
                    set(
                        &mut self.policy.error_rate_max_ppm,
                        ppm,
                        clause,
                        &mut self.problems,
                    );
                }
                Some(Said::P99Ms(ms)) => {
                    set(&mut self.policy.p99_max_ms, ms, clause, &mut self.problems);
                }
                Some(Said::ErrorRatio(percent)) => self.errors(percent, 0, clause),
                Some(Said::P99Ratio(percent)) => self.p99(percent, 0, clause),
                Some(Said::P99Us(_)) | None => self.cannot(part),
            },
            Bound::Any(parts) => match &**parts {
                [Bound::Clause(one), Bound::Clause(other)] => self.with_floor(part, one, other),
                _ => self.cannot(part),
            },
            Bound::All(_) => self.cannot(part),
        }
    }

    fn with_floor(&mut self, part: &Bound, one: &Clause, other: &Clause) {
        match (said(one), said(other)) {
            (Some(Said::ErrorRatio(percent)), Some(Said::ErrorRate(floor)))
            | (Some(Said::ErrorRate(floor)), Some(Said::ErrorRatio(percent))) => {
                self.errors(percent, floor, one);
            }
            (Some(Said::P99Ratio(percent)), Some(Said::P99Ms(floor)))
            | (Some(Said::P99Ms(floor)), Some(Said::P99Ratio(percent))) => {
                self.p99(percent, floor.saturating_mul(1_000), one);
            }
            (Some(Said::P99Ratio(percent)), Some(Said::P99Us(floor)))
            | (Some(Said::P99Us(floor)), Some(Said::P99Ratio(percent))) => {
                self.p99(percent, floor, one);
            }
            _ => self.cannot(part),
        }
    }

    fn errors(&mut self, percent: u64, floor_ppm: u64, clause: &Clause) {
        let problems = &mut self.problems;
        set(
            &mut self.policy.error_ratio_max_percent,
            percent,
            clause,
            problems,
        );
        self.policy.error_rate_floor_ppm = narrow(floor_ppm, clause, problems).unwrap_or(0);
    }

    fn p99(&mut self, percent: u64, floor_us: u64, clause: &Clause) {
        let problems = &mut self.problems;
        set(
            &mut self.policy.p99_ratio_max_percent,
            percent,
            clause,
            problems,
        );
        self.policy.latency_floor_us = narrow(floor_us, clause, problems).unwrap_or(0);
    }

    fn cannot(&mut self, part: &Bound) {
        let message = format!(
            "`{part}` cannot be judged by a router's counters; write `error_rate <= 1%`, \
             `error_rate <= baseline * 2`, `p99 <= 500ms` or `p99 <= baseline * 2`, each without \
             `for` and `of at least`"
        );
        self.problems.push(PolicyProblem {
            field: FIELD,
            message,
        });
    }
}

fn problem(message: String) -> PolicyProblem {
    PolicyProblem {
        field: FIELD,
        message,
    }
}

fn narrow(value: u64, clause: &Clause, problems: &mut Vec<PolicyProblem>) -> Option<u32> {
    let narrow = u32::try_from(value).ok();
    if narrow.is_none() {
        problems.push(problem(format!(
            "the limit of `{clause}` is too large; lower it"
        )));
    }
    narrow
}

fn set(field: &mut Option<u32>, value: u64, clause: &Clause, problems: &mut Vec<PolicyProblem>) {
    if field.is_some() {
        problems.push(problem(format!(
            "`{clause}` limits what is limited already; leave one of the two out"
        )));
    }
    *field = narrow(value, clause, problems);
}

/// What a clause says, if the policy has a figure for it and the limit is a whole number there.
fn said(clause: &Clause) -> Option<Said> {
    if clause.sustained_ms().is_some() || clause.requests_min().is_some() {
        return None;
    }
    let upper = clause.operator().is_upper();
    match (clause.metric().as_str(), clause.limit()) {
        ("error_rate", Limit::Absolute(share)) if upper => ppm(share).map(Said::ErrorRate),
        ("availability", Limit::Absolute(share)) if !upper => {
            let failed = 1_000_000u64.checked_sub(ppm(share)?)?;
            Some(Said::ErrorRate(failed))
        }
        ("p99", Limit::Absolute(time)) if upper => {
            let us = whole(time.size(), 1_000_000)?;
            Some(if us.is_multiple_of(1_000) {
                Said::P99Ms(us / 1_000)
            } else {
                Said::P99Us(us)
            })
        }
        (metric, Limit::Baseline { factor, plus: None }) if upper => {
            let percent = whole(u128::from(factor.millionths()), 10_000)?;
            match metric {
                "error_rate" => Some(Said::ErrorRatio(percent)),
                "p99" => Some(Said::P99Ratio(percent)),
                _ => None,
            }
        }
        _ => None,
    }
}

/// A percentage in millionths of 1.
fn ppm(share: Quantity) -> Option<u64> {
    let percentage = share.unit == Unit::Percent;
    whole(share.size(), 100).filter(|_| percentage)
}

fn whole(value: u128, per: u128) -> Option<u64> {
    let exact = value.is_multiple_of(per);
    u64::try_from(value / per).ok().filter(|_| exact)
}
