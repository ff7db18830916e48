//! The one representation that every dialect is compiled to.
//!
//! All of it is data: it compares, prints ([`crate::FlagSet`]'s `Display`) and serialises. A flag
//! is a list of rules over expressions; dialects differ in the leaf operators ([`Op`] for
//! JsonLogic's, [`Condition`] for typed ones) and in how a subject is hashed ([`HashMode`],
//! [`Digest`]), nothing else.

use crate::condition::{Bucket, Condition};
use crate::experiment::Experiment;
use crate::kinds::{Clause, Rollout, Under};
use crate::matching::Match;
use crate::quick::Quick;
use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use nonevent_document::{Position, Timestamp};

/// One flag, compiled.
#[derive(Debug, Clone, PartialEq)]
pub struct Flag {
    pub(crate) key: Arc<str>,
    pub(crate) state: State,
    pub(crate) variants: Box<[Variant]>,
    pub(crate) default: DefaultVariant,
    pub(crate) rules: Box<[Rule]>,
    /// The same rules, if they are simple. Made when the file has been read.
    pub(crate) quick: Quick,
    pub(crate) metadata: Metadata,
    pub(crate) about: About,
    pub(crate) origin: Origin,
}

/// Named values in the order of the file.
pub(crate) type Metadata = Box<[(Arc<str>, serde_json::Value)]>;

/// Whether a flag may be evaluated.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum State {
    /// Rules and default apply.
    Enabled,
    /// Switched off: this variant is served, or the caller's default.
    Disabled(Option<usize>),
    /// Its definition is wrong; this is why. Other flags are not affected.
    Broken(Arc<str>),
    /// It is in order, but uses what this engine does not know; this is what. The caller's default
    /// is served, as the dialect asks of engines older than the file.
    Unknown(Arc<str>),
}

/// One of the values a flag can have.
#[derive(Debug, Clone, PartialEq)]
pub struct Variant {
    pub(crate) name: Arc<str>,
    pub(crate) value: serde_json::Value,
    pub(crate) gate: Gate,
}

impl Variant {
    /// One of a flag that is its value.
    pub(crate) fn new(name: &str, value: impl Into<serde_json::Value>) -> Self {
        Self {
            name: name.into(),
            value: value.into(),
            gate: Gate::None,
        }
    }
}

/// How a variant stands to a flag that is on or off apart from its variants, as Unleash's are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Gate {
    /// There is no such thing: the flag is its value.
    None,
    /// The flag is off.
    Off,
    /// The flag is on and has no variant.
    On,
    /// The flag is on, with this variant.
    OnWith,
}

impl Gate {
    /// Whether the flag is on, if that is apart from its value.
    pub(crate) const fn is_on(self) -> Option<bool> {
        match self {
            Gate::None => None,
            Gate::Off => Some(false),
            Gate::On | Gate::OnWith => Some(true),
        }
    }
}

/// What is served when no rule decides.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum DefaultVariant {
    /// The caller's own default.
    Caller,
    /// The variant at this index.
    Variant(usize),
    /// A variant of this name, which is not defined.
    Undefined(Arc<str>),
}

/// The first rule whose condition holds and whose result is not null decides.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Rule {
    /// What the file calls it, for explanations.
    pub(crate) label: Option<Arc<str>>,
    /// The condition; none holds always.
    pub(crate) when: Option<Expr>,
    /// Names the variant to serve.
    pub(crate) serve: Expr,
    /// The reason given when it decides.
    pub(crate) reason: RuleReason,
}

/// Why a rule's variant was served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RuleReason {
    /// The context matched.
    Targeting,
    /// The subject fell into a share.
    Split,
    /// It is for everyone.
    Static,
    /// It is for everyone, for the time being.
    Default,
    /// The flag is as good as switched off.
    Disabled,
}

/// What is known about a flag besides how to evaluate it.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct About {
    pub(crate) kind: Option<Kind>,
    pub(crate) owner: Option<Arc<str>>,
    pub(crate) description: Option<Arc<str>>,
    pub(crate) created: Option<Timestamp>,
    pub(crate) cleanup_by: Option<Timestamp>,
    /// Since when everyone is served the same.
    pub(crate) full_since: Option<Timestamp>,
    /// Written as a bare value, so there is no place for an owner.
    pub(crate) bare: bool,
}

/// What a flag is for, which decides how long it should live.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Hides unfinished work; days to weeks.
    Release,
    /// Compares variants; weeks to months.
    Experiment,
    /// Kill switch or degradation; long-lived.
    Ops,
    /// By plan, role or organisation; permanent.
    Permission,
}

impl Kind {
    /// The kind's name in documents.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Kind::Release => "release",
            Kind::Experiment => "experiment",
            Kind::Ops => "ops",
            Kind::Permission => "permission",
        }
    }

    pub(crate) fn of(name: &str) -> Option<Self> {
        [Kind::Release, Kind::Experiment, Kind::Ops, Kind::Permission]
            .into_iter()
            .find(|kind| kind.as_str() == name)
    }
}

/// Where a flag stands in its file.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Origin {
    /// Document path, such as `flags.new-checkout`.
    pub(crate) path: Arc<str>,
    pub(crate) at: Option<Position>,
}

/// An expression. Its result is a JSON value.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Expr {
    /// A value as it stands.
    Const(Literal),
    /// A literal where the result names a variant: the variant at this index.
    Variant(usize, Arc<str>),
    /// A list with at least one computed element.
    List(Box<[Expr]>),
    /// What the context has at this path; otherwise the default, or null.
    Var {
        path: Path,
        default: Option<Box<Expr>>,
    },
    /// An operator and its arguments.
    Call { op: Op, args: Box<[Expr]> },
    /// Divides subjects into shares.
    Split(Box<Split>),
    /// A rule that several flags share.
    Segment(Arc<Segment>),
    /// A typed test of one value.
    Condition(Box<Condition>),
    /// Whether the subject is in some of the places.
    Bucket(Box<Bucket>),
    /// A test of an attribute of the context of one kind.
    Clause(Box<Clause>),
    /// Whether the subject's fraction is under a share.
    Under(Box<Under>),
    /// Shares by the subject's fraction.
    Rollout(Box<Rollout>),
    /// A test of one value, as GrowthBook's conditions have them.
    Match(Box<Match>),
    /// Variations by the subject's place, with all that GrowthBook has for experiments.
    Experiment(Box<Experiment>),
    /// Whether what another flag serves is as wanted.
    Parent(Box<Parent>),
    /// Of a rule: the caller's default is served.
    CallerDefault,
    /// A segment of the set by its place there, so that one may lead back to itself; and its name.
    SegmentAt(u32, Arc<str>),
    /// A part of the definition that is wrong, and why: an error only for whom it comes to that.
    Malformed(&'static str),
    /// The time, in milliseconds since 1970; null if the caller gives none.
    Now,
    /// Whether another flag is as wanted.
    Prerequisite(Box<Prerequisite>),
    /// Whether another flag is switched on and serves a variant.
    Serves(Box<Serves>),
}

/// A constant.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Literal {
    pub(crate) value: serde_json::Value,
    /// For a long list of texts only, the indices in order of the text, so that membership is a
    /// binary search.
    pub(crate) sorted: Box<[usize]>,
}

/// Names to descend by; empty for the whole context.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Path(pub(crate) Box<[Arc<str>]>);

/// An expression with a name, shared.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Segment {
    pub(crate) name: Arc<str>,
    pub(crate) body: Expr,
}

/// What is asked of another flag, for the same context.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Prerequisite {
    pub(crate) flag: Arc<str>,
    /// Whether it is to be on. One that is not defined is neither.
    pub(crate) on: bool,
    /// The variants that it may have; empty for any. A flag without a variant has `disabled`.
    pub(crate) variants: Box<[Arc<str>]>,
}

/// A variant that another flag is to serve, for the same context.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Serves {
    pub(crate) flag: Arc<str>,
    pub(crate) variant: Arc<str>,
}

/// A condition on what another flag serves, for the same context.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Parent {
    pub(crate) flag: Arc<str>,
    /// Looks at the flag's value, which is null if there is none.
    pub(crate) condition: Expr,
}

/// Shares of the subjects, each with what it gives.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Split {
    pub(crate) by: By,
    pub(crate) hash: HashMode,
    /// What a subject without a key means.
    pub(crate) keyless: Keyless,
    pub(crate) arms: Box<[Arm]>,
}

/// What is hashed.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum By {
    /// The flag's key and the targeting key, which must be a text that is not empty.
    FlagAndTargetingKey,
    /// The result of this.
    Expr(Expr),
    /// A text (its separator included) and the result of this.
    Salted(Arc<str>, Expr),
}

/// What a split or a bucket gives when there is no key to hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Keyless {
    /// Null (of a bucket: false), so the next rule or the default decides.
    Null,
    /// The error `TARGETING_KEY_MISSING`.
    Error,
    /// The place that the caller's random number gives.
    Lot,
}

/// How a subject becomes a place among the shares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum HashMode {
    /// `|murmur3 as i32| / i32::MAX`, as a double, against percentages.
    FlagdV1,
    /// `murmur3 * total >> 32` of the text, in integers.
    FlagdV2,
    /// As version 2, of the value's deterministic CBOR.
    FlagdV3,
    /// The remainder of dividing by the total.
    Remainder(Digest),
}

/// A hash of salt and key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Digest {
    /// The first four bytes of MD5, the first the highest.
    Md5,
    Murmur3 {
        seed: u32,
    },
    /// FNV-1a of key and then salt.
    Fnv1a,
    /// FNV-1a of the digits of FNV-1a of salt and key.
    Fnv1aTwice,
}

/// One share.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Arm {
    pub(crate) serve: Expr,
    pub(crate) weight: Weight,
}

/// A share's size relative to the sum of all.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Weight {
    Fixed(u32),
    Computed(Expr),
}

macro_rules! operators {
    ($($variant:ident = $name:literal),* $(,)?) => {
        /// Operators, by the names JsonLogic and flagd give them.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Op { $($variant),* }

        impl Op {
            pub(crate) const fn name(self) -> &'static str {
                match self { $(Op::$variant => $name),* }
            }

            pub(crate) fn of(name: &str) -> Option<Self> {
                match name { $($name => Some(Op::$variant),)* _ => None }
            }
        }
    };
}

operators! {
    If = "if", And = "and", Or = "or", Not = "!", Truthy = "!!",
    Equal = "==", StrictEqual = "===", NotEqual = "!=", StrictNotEqual = "!==",
    Less = "<", LessEqual = "<=", Greater = ">", GreaterEqual = ">=",
    Max = "max", Min = "min",
    Add = "+", Subtract = "-", Multiply = "*", Divide = "/", Modulo = "%",
    Map = "map", Filter = "filter", Reduce = "reduce", All = "all", None = "none", Some = "some",
    Merge = "merge", In = "in", Cat = "cat", Substr = "substr",
    Var = "var", Missing = "missing", MissingSome = "missing_some", Log = "log",
    StartsWith = "starts_with", EndsWith = "ends_with", SemVer = "sem_ver",
}

/// Lists longer than this get an order for binary search.
const SORTED_MIN: usize = 8;

impl Literal {
    pub(crate) fn new(value: serde_json::Value) -> Self {
        let sorted = match &value {
            serde_json::Value::Array(values)
                if values.len() > SORTED_MIN && values.iter().all(serde_json::Value::is_string) =>
            {
                let mut order: Box<[usize]> = (0..values.len()).collect();
                order.sort_by_key(|&index| values[index].as_str());
                order
            }
            _ => Box::default(),
        };
        Self { value, sorted }
    }

    /// Whether this is a sorted list of texts that has `text`; `None` if it is not sorted.
    pub(crate) fn has(&self, text: &str) -> Option<bool> {
        let values = self.value.as_array().filter(|_| !self.sorted.is_empty())?;
        let found = self.sorted.binary_search_by(|&index| {
            values
                .get(index)
                .and_then(serde_json::Value::as_str)
                .cmp(&Some(text))
        });
        Some(found.is_ok())
    }
}

impl Expr {
    pub(crate) fn null() -> Self {
        Self::constant(serde_json::Value::Null)
    }

    pub(crate) fn constant(value: impl Into<serde_json::Value>) -> Self {
        Expr::Const(Literal::new(value.into()))
    }

    /// These, joined by the operator; none of none.
    pub(crate) fn joined(op: Op, mut args: Vec<Self>) -> Option<Self> {
        match args.len() {
            0 => None,
            1 => args.pop(),
            _ => Some(Expr::Call {
                op,
                args: args.into(),
            }),
        }
    }

    /// Whether this does not hold.
    pub(crate) fn negated(self) -> Self {
        Expr::Call {
            op: Op::Not,
            args: Box::from([self]),
        }
    }

    pub(crate) const fn as_const(&self) -> Option<&serde_json::Value> {
        match self {
            Expr::Const(literal) => Some(&literal.value),
            _ => None,
        }
    }
}
