//! A bound as data: what was written, without its layout.

use alloc::vec::Vec;
use core::fmt;
use core::ops::Deref;

use nonevent_document::DurationMs;

use super::decimal::Decimal;
use super::metric::{Facts, MetricName, REQUESTS_MIN_DEFAULT};
use super::quantity::Quantity;

/// The most clauses of one bound.
pub const CLAUSES_MAX: usize = 32;

/// The most levels of `and` and `or` within each other, and of parentheses.
pub const NESTING_MAX: usize = 16;

/// The longest time a clause may have to be broken without interruption: seven days, in
/// milliseconds.
pub const SUSTAINED_MS_MAX: u64 = 7 * 24 * 60 * 60 * 1000;

/// The most requests that a clause may demand.
pub const REQUESTS_MIN_MAX: u64 = 1_000_000_000_000;

/// What a canary is allowed.
///
/// A value of it always has a canonical text that reads back as the same value, which is also how
/// it is serialised: [`Bound::all`] and [`Bound::any`] keep to the limits and to one form.
///
/// ```
/// use nonevent_analysis::bounds::Bound;
/// let bound: Bound = "p99 ≤ 800ms or (p99 <= baseline × 2.0)".parse()?;
/// assert_eq!(bound.to_string(), "p99 <= 800ms or p99 <= baseline * 2");
/// assert_eq!(bound.clauses().count(), 2);
/// # Ok::<(), nonevent_document::Findings>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Bound {
    /// Every part must be kept.
    All(Parts),
    /// At least one part must be kept.
    Any(Parts),
    /// One comparison.
    Clause(Clause),
}

/// The two or more parts of [`Bound::All`] or [`Bound::Any`], none of which is of the same variant
/// as the whole; a slice of [`Bound`].
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Parts(Vec<Bound>);

impl Deref for Parts {
    type Target = [Bound];

    fn deref(&self) -> &[Bound] {
        &self.0
    }
}

impl<'a> IntoIterator for &'a Parts {
    type Item = &'a Bound;
    type IntoIter = core::slice::Iter<'a, Bound>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

impl Bound {
    /// Every one of `parts`; one part is itself, and an `All` among them joins in.
    ///
    /// `None` if there is none, or more than [`CLAUSES_MAX`] clauses or [`NESTING_MAX`] levels.
    #[must_use]
    pub fn all(parts: Vec<Bound>) -> Option<Bound> {
        Bound::joined(parts, Bound::All, |part| match part {
            Bound::All(inner) => Ok(inner.0),
            other => Err(other),
        })
    }

    /// At least one of `parts`; one part is itself, and an `Any` among them joins in.
    ///
    /// `None` if there is none, or more than [`CLAUSES_MAX`] clauses or [`NESTING_MAX`] levels.
    #[must_use]
    pub fn any(parts: Vec<Bound>) -> Option<Bound> {
        Bound::joined(parts, Bound::Any, |part| match part {
            Bound::Any(inner) => Ok(inner.0),
            other => Err(other),
        })
    }

    fn joined(
        parts: Vec<Bound>,
        join: fn(Parts) -> Bound,
        opened: fn(Bound) -> Result<Vec<Bound>, Bound>,
    ) -> Option<Bound> {
        let mut flat = Vec::new();
        for part in parts {
            match opened(part) {
                Ok(inner) => flat.extend(inner),
                Err(other) => flat.push(other),
            }
        }
        if flat.len() < 2 {
            return flat.pop();
        }
        let whole = join(Parts(flat));
        let fits = whole.clauses().count() <= CLAUSES_MAX && whole.levels() <= NESTING_MAX;
        fits.then_some(whole)
    }

    /// Its parts; itself alone if it is a clause.
    #[must_use]
    pub fn parts(&self) -> &[Bound] {
        match self {
            Bound::All(parts) | Bound::Any(parts) => parts,
            Bound::Clause(_) => core::slice::from_ref(self),
        }
    }

    /// Every clause, in the order of the text.
    pub fn clauses(&self) -> impl Iterator<Item = &Clause> {
        let mut open = alloc::vec![self];
        core::iter::from_fn(move || {
            loop {
                match open.pop()? {
                    Bound::Clause(clause) => return Some(clause),
                    Bound::All(parts) | Bound::Any(parts) => open.extend(parts.iter().rev()),
                }
            }
        })
    }

    /// How many `All` and `Any` lie within each other.
    fn levels(&self) -> usize {
        match self {
            Bound::Clause(_) => 0,
            Bound::All(parts) | Bound::Any(parts) => {
                1 + parts.iter().map(Bound::levels).max().unwrap_or(0)
            }
        }
    }
}

impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (parts, between) = match self {
            Bound::Clause(clause) => return clause.fmt(f),
            Bound::All(parts) => (parts, " and "),
            Bound::Any(parts) => (parts, " or "),
        };
        for (index, part) in parts.iter().enumerate() {
            if index > 0 {
                f.write_str(between)?;
            }
            match part {
                Bound::Clause(clause) => clause.fmt(f)?,
                _ => write!(f, "({part})")?,
            }
        }
        Ok(())
    }
}

/// How a metric is compared with its limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Operator {
    /// `<=`
    AtMost,
    /// `<`
    Below,
    /// `>=`
    AtLeast,
    /// `>`
    Above,
}

impl Operator {
    /// As it is written.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AtMost => "<=",
            Self::Below => "<",
            Self::AtLeast => ">=",
            Self::Above => ">",
        }
    }

    /// Whether the limit is an upper one.
    #[must_use]
    pub const fn is_upper(self) -> bool {
        matches!(self, Self::AtMost | Self::Below)
    }

    /// The operator that holds exactly when this one does not.
    #[must_use]
    pub const fn turned_round(self) -> Operator {
        match self {
            Self::AtMost => Self::Above,
            Self::Below => Self::AtLeast,
            Self::AtLeast => Self::Below,
            Self::Above => Self::AtMost,
        }
    }
}

/// What a metric is compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Limit {
    /// A fixed value.
    Absolute(Quantity),
    /// A multiple of the same metric of the baseline, and something on top.
    Baseline {
        /// How many times the baseline's value.
        factor: Decimal,
        /// What is added, if anything.
        plus: Option<Quantity>,
    },
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Limit::Absolute(quantity) => quantity.fmt(f),
            Limit::Baseline { factor, plus } => {
                f.write_str("baseline")?;
                if *factor != Decimal::ONE {
                    write!(f, " * {factor}")?;
                }
                plus.map_or(Ok(()), |plus| write!(f, " + {plus}"))
            }
        }
    }
}

/// One comparison of a metric with a limit.
///
/// It states what is allowed: `error_rate <= 1%` is broken when the error rate is shown to be
/// above 1 %.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Clause {
    metric: MetricName,
    operator: Operator,
    limit: Limit,
    sustained_ms: Option<u64>,
    requests_min: Option<u64>,
}

impl Clause {
    /// A clause without conditions.
    #[must_use]
    pub const fn new(metric: MetricName, operator: Operator, limit: Limit) -> Clause {
        Clause {
            metric,
            operator,
            limit,
            sustained_ms: None,
            requests_min: None,
        }
    }

    /// The same, broken only after so many milliseconds without interruption; `None` unless they
    /// are from 1 to [`SUSTAINED_MS_MAX`].
    #[must_use]
    pub fn sustained_for(self, ms: u64) -> Option<Clause> {
        (1..=SUSTAINED_MS_MAX).contains(&ms).then_some(Clause {
            sustained_ms: Some(ms),
            ..self
        })
    }

    /// The same, answered only from so many requests on; `None` unless they are from 1 to
    /// [`REQUESTS_MIN_MAX`].
    #[must_use]
    pub fn of_at_least(self, requests: u64) -> Option<Clause> {
        (1..=REQUESTS_MIN_MAX)
            .contains(&requests)
            .then_some(Clause {
                requests_min: Some(requests),
                ..self
            })
    }

    /// The metric.
    #[must_use]
    pub const fn metric(&self) -> &MetricName {
        &self.metric
    }

    /// How it is compared.
    #[must_use]
    pub const fn operator(&self) -> Operator {
        self.operator
    }

    /// With what.
    #[must_use]
    pub const fn limit(&self) -> Limit {
        self.limit
    }

    /// How long it must be broken without interruption, in milliseconds; `None` means that a
    /// moment is enough.
    #[must_use]
    pub const fn sustained_ms(&self) -> Option<u64> {
        self.sustained_ms
    }

    /// The requests that the clause itself demands.
    #[must_use]
    pub const fn requests_min(&self) -> Option<u64> {
        self.requests_min
    }

    /// The requests that an answer must rest on: what the clause demands, or
    /// [`REQUESTS_MIN_DEFAULT`] where the metric is made of requests or not known, or none.
    #[must_use]
    pub fn requests_needed(&self, facts: &Facts) -> u64 {
        let measure = facts.measure(&self.metric);
        let default = match measure {
            Some(measure) if !measure.kind.rests_on_requests() => 0,
            _ => REQUESTS_MIN_DEFAULT,
        };
        self.requests_min.unwrap_or(default)
    }

    /// Metric, operator and limit, without the conditions.
    pub(super) fn comparison(&self) -> impl fmt::Display + '_ {
        Comparison(self)
    }
}

struct Comparison<'a>(&'a Clause);

impl fmt::Display for Comparison<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Clause {
            metric,
            operator,
            limit,
            ..
        } = self.0;
        write!(f, "{metric} {} {limit}", operator.as_str())
    }
}

impl fmt::Display for Clause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.comparison().fmt(f)?;
        if let Some(ms) = self.sustained_ms {
            write!(f, " for {}", DurationMs(ms))?;
        }
        if let Some(requests) = self.requests_min {
            write!(f, " of at least {requests} requests")?;
        }
        Ok(())
    }
}
