//! The evaluator: one recursive function over the representation, generic over what watches it.
//!
//! It never panics and takes no lock. It allocates only where an operator makes a new text or
//! list. Work is counted in steps (an expression, an element, a few bytes of new text), so a rule
//! can be slow only up to a limit.

mod bucket;
pub(crate) mod condition;
mod experiment;
mod kinds;
mod lists;
mod matching;
mod math;
pub(crate) mod quick;
pub(crate) mod split;
pub(crate) mod text;
pub(crate) mod val;

use core::cmp::Ordering;

use crate::context::Root;
use crate::evaluate::Budget;
use crate::index::same;
use crate::ir::{Expr, Flag, Gate, Op, Path, Prerequisite, Variant};
use crate::record::Record;
use crate::set::FlagSet;
use crate::trace::Trace;
use crate::value::Value;
use nonevent_document::Timestamp;
use val::{Val, loosely_equal, order, strictly_equal, truthy};

/// Why an evaluation ended without a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stop {
    /// It took more steps than allowed.
    Steps,
    /// It made values that nest too deep.
    Nesting,
    /// Too many flags wait for each other, perhaps in a circle.
    Waiting,
    /// A split needs a targeting key, and the context has none.
    TargetingKeyMissing,
    /// It came to a part of the definition that is wrong.
    Malformed(&'static str),
}

/// What Unleash calls the variant of a flag that has none.
const NO_VARIANT: &str = "disabled";

pub(crate) type Eval<'e> = Result<Val<'e>, Stop>;

/// What `var` looks into.
pub(crate) enum Scope<'e> {
    /// The context.
    Root,
    /// One element of a list (`map`, `filter`, `all`, `none`, `some`), or for `reduce` an
    /// element and what was accumulated so far.
    Item(Val<'e>),
}

/// One evaluation of one flag.
pub(crate) struct Machine<'e, T> {
    pub(crate) root: &'e Root<'e>,
    pub(crate) set: &'e FlagSet,
    /// How many flags wait for this one.
    pub(crate) depth: u8,
    /// How many segments wait for this one.
    pub(crate) segment_depth: u8,
    pub(crate) steps_left: u32,
    pub(crate) trace: &'e mut T,
}

/// How many flags may wait for each other.
pub(crate) const FLAG_DEPTH_MAX: u8 = 16;

impl<'e, T: Trace> Machine<'e, T> {
    /// The value of `expr`.
    pub(crate) fn eval(&mut self, expr: &'e Expr, scope: &Scope<'e>) -> Eval<'e> {
        match expr {
            Expr::Const(literal) => return Ok(Val::Plain((&literal.value).into())),
            Expr::Variant(index, name) => return Ok(Val::Variant(*index, name)),
            _ => self.spend(1)?,
        }
        if T::ON {
            self.trace.enter();
        }
        let result = match expr {
            Expr::Var { path, default } => self.var(path, default.as_deref(), scope),
            Expr::Call { op, args } => self.call(*op, args, scope),
            Expr::List(items) => self.list(items, scope),
            Expr::Split(split) => self.split(split, scope),
            Expr::Segment(segment) => self.eval(&segment.body, scope),
            Expr::Prerequisite(wanted) => self.prerequisite(wanted).map(Val::bool),
            Expr::Condition(condition) => self.condition(condition, scope).map(Val::bool),
            Expr::Bucket(bucket) => self.bucket(bucket, scope).map(Val::bool),
            Expr::Serves(wanted) => self.serves(wanted).map(Val::bool),
            Expr::Clause(clause) => self.clause(clause).map(Val::bool),
            Expr::Under(under) => Ok(Val::bool(self.under(under))),
            Expr::SegmentAt(at, _) => self.segment_at(*at, scope).map(Val::bool),
            Expr::Rollout(rollout) => self.rollout(rollout, scope),
            Expr::Match(asked) => self.matching(asked, scope).map(Val::bool),
            Expr::Parent(parent) => self.parent(parent).map(Val::bool),
            Expr::Experiment(run) => self.experiment(run, scope),
            Expr::Malformed(why) => Err(Stop::Malformed(why)),
            Expr::Now => Ok(Val::Plain(self.root.now().map(Timestamp::unix_ms).into())),
            Expr::Const(_) | Expr::Variant(..) | Expr::CallerDefault => Ok(Val::NULL),
        };
        if T::ON {
            self.trace.leave(expr, result.as_ref().map(Val::view).ok());
        }
        result
    }

    /// Whether the value of `expr` is truthy.
    ///
    /// Where nobody watches, what only asks yes or no is answered without making values of the
    /// answers: moving those about takes longer than most comparisons.
    pub(crate) fn holds(&mut self, expr: &'e Expr, scope: &Scope<'e>) -> Result<bool, Stop> {
        if T::ON {
            return Ok(truthy(self.eval(expr, scope)?.view()));
        }
        // Paid for by what is asked otherwise, too.
        let steps_left = self.steps_left;
        self.spend(1)?;
        match expr {
            Expr::Condition(condition) => self.condition(condition, scope),
            Expr::Bucket(bucket) => self.bucket(bucket, scope),
            Expr::Prerequisite(wanted) => self.prerequisite(wanted),
            Expr::Serves(wanted) => self.serves(wanted),
            Expr::Clause(clause) => self.clause(clause),
            Expr::Under(under) => Ok(self.under(under)),
            Expr::Match(asked) => self.matching(asked, scope),
            Expr::Parent(parent) => self.parent(parent),
            Expr::Segment(segment) => self.holds(&segment.body, scope),
            Expr::SegmentAt(at, _) => self.segment_at(*at, scope),
            Expr::Call { op: Op::Not, args } => match args.first() {
                Some(arg) => self.holds(arg, scope).map(|holds| !holds),
                None => Ok(true),
            },
            Expr::Call {
                op: op @ (Op::And | Op::Or),
                args,
            } => {
                let decides = *op == Op::Or;
                for arg in args {
                    if self.holds(arg, scope)? == decides {
                        return Ok(decides);
                    }
                }
                // Neither of nothing holds.
                Ok(!decides && !args.is_empty())
            }
            expr => {
                if let Expr::Call { op, args } = expr
                    && let [a, b] = &args[..]
                    && let Some(holds) = self.compares(*op, a, b, scope)?
                {
                    return Ok(holds);
                }
                self.steps_left = steps_left;
                Ok(truthy(self.eval(expr, scope)?.view()))
            }
        }
    }

    /// What a comparison of two values comes to that are at hand, if it is one.
    fn compares(
        &mut self,
        op: Op,
        a: &'e Expr,
        b: &'e Expr,
        scope: &Scope<'e>,
    ) -> Result<Option<bool>, Stop> {
        match op {
            Op::In => {
                let Expr::Const(literal) = b else {
                    return Ok(None);
                };
                let Some(Value::Str(text)) = self.at_hand(a, scope)? else {
                    return Ok(None);
                };
                if let Some(found) = literal.has(text) {
                    return Ok(Some(found));
                }
                let Some(list) = literal.value.as_array() else {
                    return Ok(None);
                };
                self.spend(list.len())?;
                let is_it =
                    |item: &serde_json::Value| item.as_str().is_some_and(|it| same(it, text));
                Ok(Some(list.iter().any(is_it)))
            }
            Op::Equal
            | Op::NotEqual
            | Op::StrictEqual
            | Op::StrictNotEqual
            | Op::Less
            | Op::LessEqual
            | Op::Greater
            | Op::GreaterEqual => {
                let (Some(a), Some(b)) = (self.at_hand(a, scope)?, self.at_hand(b, scope)?) else {
                    return Ok(None);
                };
                Ok(Some(compared(op, a, b)))
            }
            _ => Ok(None),
        }
    }

    /// A literal, or what is found in the context.
    #[inline]
    fn at_hand(&mut self, expr: &'e Expr, scope: &Scope<'e>) -> Result<Option<Value<'e>>, Stop> {
        match expr {
            Expr::Const(literal) => Ok(Some((&literal.value).into())),
            _ => self.found(expr, scope),
        }
    }

    /// What `expr` finds in the context, if that is all it does: a path, others in its place, the
    /// time. As with [`Self::holds`], nothing is moved about that need not be.
    #[inline]
    fn found(&mut self, expr: &'e Expr, scope: &Scope<'e>) -> Result<Option<Value<'e>>, Stop> {
        if T::ON || !matches!(scope, Scope::Root) {
            return Ok(None);
        }
        let mut expr = expr;
        loop {
            self.spend(1)?;
            match expr {
                Expr::Var { path, default } => {
                    let mut names = path.0.iter();
                    let found = match names.next() {
                        Some(first) => Record::get(self.root, first),
                        None => Some(Value::Map(self.root)),
                    };
                    let found = names.fold(found, |value, name| val::step(value?, name));
                    match (found, default) {
                        (None, Some(default)) => expr = default,
                        (found, _) => return Ok(Some(found.unwrap_or(Value::Null))),
                    }
                }
                Expr::Now => return Ok(Some(self.root.now().map(Timestamp::unix_ms).into())),
                _ => return Ok(None),
            }
        }
    }

    /// Evaluates another flag for the same context, on what steps are left.
    fn prerequisite(&mut self, wanted: &Prerequisite) -> Result<bool, Stop> {
        let Some(flag) = self.set.get(&wanted.flag) else {
            self.trace.because(|| "no such flag is defined".into());
            return Ok(false);
        };
        let variant = self.variant_of(flag)?;
        let (on, name) = match variant.map(|variant| (variant, variant.gate)) {
            None | Some((_, Gate::Off)) => (false, NO_VARIANT),
            Some((_, Gate::On)) => (true, NO_VARIANT),
            Some((variant, Gate::OnWith)) => (true, &*variant.name),
            // Laid over from another dialect, where only false is off.
            Some((variant, Gate::None)) => (variant.value != false, &*variant.name),
        };
        self.trace
            .because(|| alloc::format!("it is {} and has {name:?}", if on { "on" } else { "off" }));
        let fits = wanted.variants.is_empty() || wanted.variants.iter().any(|own| **own == *name);
        Ok(on == wanted.on && fits)
    }

    /// The variant that another flag serves, if it serves one.
    fn variant_of(&mut self, flag: &'e Flag) -> Result<Option<&'e Variant>, Stop> {
        if self.depth >= FLAG_DEPTH_MAX {
            return Err(Stop::Waiting);
        }
        let budget = Budget {
            depth: self.depth + 1,
            steps_left: self.steps_left,
        };
        let (variant, steps_left) = self.set.served(flag, self.root.context(), budget)?;
        self.steps_left = steps_left;
        Ok(variant)
    }

    /// Takes `steps` from what is left.
    #[inline]
    pub(crate) fn spend(&mut self, steps: usize) -> Result<(), Stop> {
        let steps = u32::try_from(steps).map_err(|_| Stop::Steps)?;
        self.steps_left = self.steps_left.checked_sub(steps).ok_or(Stop::Steps)?;
        Ok(())
    }

    /// The argument at `index`; null if there is none.
    fn arg(&mut self, args: &'e [Expr], index: usize, scope: &Scope<'e>) -> Eval<'e> {
        args.get(index)
            .map_or(Ok(Val::NULL), |arg| self.eval(arg, scope))
    }

    fn call(&mut self, op: Op, args: &'e [Expr], scope: &Scope<'e>) -> Eval<'e> {
        match op {
            Op::If => self.choose(args, scope),
            Op::And => self.first(args, scope, |value| !truthy(value)),
            Op::Or => self.first(args, scope, truthy),
            Op::Not => Ok(Val::bool(!truthy(self.arg(args, 0, scope)?.view()))),
            Op::Truthy => Ok(Val::bool(truthy(self.arg(args, 0, scope)?.view()))),
            Op::Equal | Op::NotEqual | Op::StrictEqual | Op::StrictNotEqual => {
                self.equality(op, args, scope)
            }
            Op::Less | Op::LessEqual | Op::Greater | Op::GreaterEqual => {
                self.relation(op, args, scope)
            }
            Op::Max | Op::Min | Op::Add | Op::Subtract | Op::Multiply | Op::Divide | Op::Modulo => {
                self.arithmetic(op, args, scope)
            }
            Op::Map | Op::Filter | Op::Reduce | Op::All | Op::None | Op::Some | Op::Merge => {
                self.over_list(op, args, scope)
            }
            Op::In => self.membership(args, scope),
            Op::Cat => self.cat(args, scope),
            Op::Substr => self.substr(args, scope),
            Op::StartsWith | Op::EndsWith => self.affix(op, args, scope),
            Op::SemVer => self.sem_ver(args, scope),
            Op::Var => self.computed_var(args, scope),
            Op::Missing => self.missing(args, scope),
            Op::MissingSome => self.missing_some(args, scope),
            Op::Log => self.arg(args, 0, scope),
        }
    }

    /// The branch that is taken past all conditions, still to be evaluated; none is null. For when
    /// nobody watches.
    pub(crate) fn taken(&mut self, mut expr: &'e Expr) -> Result<Option<&'e Expr>, Stop> {
        'nested: while let Expr::Call { op: Op::If, args } = expr {
            self.spend(1)?;
            let (pairs, last) = args.as_chunks::<2>();
            for [condition, result] in pairs {
                if self.holds(condition, &Scope::Root)? {
                    expr = result;
                    continue 'nested;
                }
            }
            match last.first() {
                Some(last) => expr = last,
                None => return Ok(None),
            }
        }
        Ok(Some(expr))
    }

    /// `if`: pairs of condition and result, then an optional last result.
    fn choose(&mut self, args: &'e [Expr], scope: &Scope<'e>) -> Eval<'e> {
        let (pairs, last) = args.as_chunks::<2>();
        for [condition, result] in pairs {
            if self.holds(condition, scope)? {
                return self.eval(result, scope);
            }
        }
        self.arg(last, 0, scope)
    }

    /// The first argument that `decides`; otherwise the last.
    fn first(
        &mut self,
        args: &'e [Expr],
        scope: &Scope<'e>,
        decides: fn(Value<'_>) -> bool,
    ) -> Eval<'e> {
        let mut last = Val::NULL;
        for arg in args {
            last = self.eval(arg, scope)?;
            if decides(last.view()) {
                break;
            }
        }
        Ok(last)
    }

    fn equality(&mut self, op: Op, args: &'e [Expr], scope: &Scope<'e>) -> Eval<'e> {
        let a = self.arg(args, 0, scope)?;
        let b = self.arg(args, 1, scope)?;
        self.compared(&a, &b);
        Ok(Val::bool(compared(op, a.view(), b.view())))
    }

    /// Two arguments, or three for "between".
    fn relation(&mut self, op: Op, args: &'e [Expr], scope: &Scope<'e>) -> Eval<'e> {
        let holds = |a: &Val<'e>, b: &Val<'e>| compared(op, a.view(), b.view());
        let a = self.arg(args, 0, scope)?;
        let b = self.arg(args, 1, scope)?;
        self.compared(&a, &b);
        let between = matches!(op, Op::Less | Op::LessEqual) && args.len() > 2;
        if !between || !holds(&a, &b) {
            return Ok(Val::bool(holds(&a, &b)));
        }
        let c = self.arg(args, 2, scope)?;
        self.compared(&b, &c);
        Ok(Val::bool(holds(&b, &c)))
    }

    /// What the context has at `path`, or the default.
    fn var(&mut self, path: &'e Path, default: Option<&'e Expr>, scope: &Scope<'e>) -> Eval<'e> {
        let mut names = path.0.iter();
        let mut found = match scope {
            Scope::Root => match names.next() {
                None => Some(Val::Plain(Value::Map(self.root))),
                Some(first) => Record::get(self.root, first).map(Val::Plain),
            },
            Scope::Item(item) => Some(item.clone()),
        };
        for name in names {
            found = found.and_then(|value| value.step(name));
        }
        match (found, default) {
            (Some(value), _) => Ok(value),
            (None, Some(default)) => self.eval(default, scope),
            (None, None) => {
                self.trace.because(|| "not in the context".into());
                Ok(Val::NULL)
            }
        }
    }

    /// `var` whose path is itself computed.
    fn computed_var(&mut self, args: &'e [Expr], scope: &Scope<'e>) -> Eval<'e> {
        let name = self.arg(args, 0, scope)?;
        match self.lookup(name.view(), scope) {
            Some(value) => Ok(value),
            None => self.arg(args, 1, scope),
        }
    }

    /// What a path given as a value leads to.
    fn lookup(&self, name: Value<'_>, scope: &Scope<'e>) -> Option<Val<'e>> {
        let start = match scope {
            Scope::Root => Val::Plain(Value::Map(self.root)),
            Scope::Item(item) => item.clone(),
        };
        if matches!(name, Value::Null | Value::Str("")) {
            return Some(start);
        }
        let short = val::short_text(name);
        let path = match (name, &short) {
            (Value::Str(path), _) => path,
            (_, Some(short)) => short.as_str(),
            _ => return None,
        };
        path.split('.')
            .try_fold(start, |value, step| value.step(step))
    }

    /// Tells the trace which two values met.
    fn compared(&mut self, a: &Val<'e>, b: &Val<'e>) {
        self.trace
            .because(|| alloc::format!("compared {:?} with {:?}", a.view(), b.view()));
    }
}

/// What an equality or a relation says of two values.
fn compared(op: Op, a: Value<'_>, b: Value<'_>) -> bool {
    let ordered = |fits: fn(Ordering) -> bool| order(a, b).is_some_and(fits);
    match op {
        Op::Equal => loosely_equal(a, b),
        Op::NotEqual => !loosely_equal(a, b),
        Op::StrictEqual => strictly_equal(a, b),
        Op::StrictNotEqual => !strictly_equal(a, b),
        Op::Less => ordered(Ordering::is_lt),
        Op::LessEqual => ordered(Ordering::is_le),
        Op::Greater => ordered(Ordering::is_gt),
        _ => ordered(Ordering::is_ge),
    }
}
