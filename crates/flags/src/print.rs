//! The representation as text and as data.

use crate::condition::{Bucket, Condition};
use crate::ir::{
    Arm, By, DefaultVariant, Digest, Expr, Flag, HashMode, Op, Path, Rule, Split, State, Weight,
};
use crate::kinds::SHARES;
use alloc::string::ToString;
use alloc::vec::Vec;
use core::fmt::{self, Display, Formatter};
use serde::ser::{Serialize, SerializeMap, SerializeSeq, Serializer};

/// Deep enough for every expression that loads.
const WHOLE: usize = usize::MAX;

impl Display for Expr {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write_expr(f, self, WHOLE)
    }
}

/// An expression whose parts are shown only if they are simple: `if … then "on" else …`.
pub(crate) struct Brief<'e>(pub(crate) &'e Expr);

impl Display for Brief<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write_expr(f, self.0, 1)
    }
}

/// Writes `expr`; composed ones below `depth` levels become `…`.
fn write_expr(f: &mut Formatter<'_>, expr: &Expr, depth: usize) -> fmt::Result {
    match expr {
        Expr::Const(literal) => literal.value.fmt(f),
        Expr::Variant(_, name) => write!(f, "{name:?}"),
        Expr::Var {
            path,
            default: None,
        } => path.fmt(f),
        Expr::Segment(segment) => write!(f, "${}", segment.name),
        Expr::SegmentAt(_, name) => write!(f, "${name}"),
        Expr::Serves(wanted) => write!(f, "(flag {} serves {:?})", wanted.flag, wanted.variant),
        Expr::Malformed(why) => write!(f, "(malformed: {why})"),
        Expr::Now => f.write_str("now"),
        Expr::CallerDefault => f.write_str("the caller's default"),
        Expr::Match(asked) => asked.fmt(f),
        Expr::Prerequisite(wanted) => {
            let state = if wanted.on { "on" } else { "off" };
            write!(f, "(flag {} is {state}", wanted.flag)?;
            if !wanted.variants.is_empty() {
                write!(f, " and has one of {:?}", wanted.variants)?;
            }
            f.write_str(")")
        }
        _ if depth == 0 => f.write_str("…"),
        Expr::List(items) => {
            f.write_str("[")?;
            separated(f, items, depth - 1)?;
            f.write_str("]")
        }
        Expr::Var {
            path,
            default: Some(default),
        } => {
            write!(f, "({path} or else ")?;
            write_expr(f, default, depth - 1)?;
            f.write_str(")")
        }
        Expr::Call { op, args } => write_call(f, *op, args, depth - 1),
        Expr::Split(split) => write_split(f, split, depth - 1),
        Expr::Condition(condition) => write_condition(f, condition, depth - 1),
        Expr::Bucket(bucket) => write_bucket(f, bucket, depth - 1),
        Expr::Clause(clause) => clause.fmt(f),
        Expr::Experiment(run) => run.fmt(f),
        Expr::Parent(parent) => {
            write!(f, "(flag {} is such that ", parent.flag)?;
            write_expr(f, &parent.condition, depth - 1)?;
            f.write_str(")")
        }
        Expr::Under(under) => write!(f, "({} under {} of {SHARES})", under.fraction, under.share),
        Expr::Rollout(rollout) => {
            write!(f, "rollout of {}: [", rollout.fraction)?;
            for (at, (share, serve)) in rollout.arms.iter().enumerate() {
                f.write_str(if at == 0 { "" } else { ", " })?;
                write_expr(f, serve, depth - 1)?;
                write!(f, " {share}")?;
            }
            f.write_str("]")
        }
    }
}

fn write_call(f: &mut Formatter<'_>, op: Op, args: &[Expr], depth: usize) -> fmt::Result {
    use Op::{
        Add, And, Divide, Equal, Greater, GreaterEqual, If, In, Less, LessEqual, Modulo, Multiply,
        NotEqual, Or, SemVer, StrictEqual, StrictNotEqual, Subtract,
    };
    match (op, args) {
        (If, args) => write_branches(f, args, depth),
        (
            And | Or | In | Equal | StrictEqual | NotEqual | StrictNotEqual | Less | LessEqual
            | Greater | GreaterEqual | Add | Subtract | Multiply | Divide | Modulo,
            [first, rest @ ..],
        ) if !rest.is_empty() => {
            f.write_str("(")?;
            write_expr(f, first, depth)?;
            for arg in rest {
                write!(f, " {} ", op.name())?;
                write_expr(f, arg, depth)?;
            }
            f.write_str(")")
        }
        (SemVer, [left, operator, right]) => {
            let operator = operator
                .as_const()
                .and_then(serde_json::Value::as_str)
                .unwrap_or("?");
            f.write_str("(version ")?;
            write_expr(f, left, depth)?;
            write!(f, " {operator} ")?;
            write_expr(f, right, depth)?;
            f.write_str(")")
        }
        (op, args) => {
            write!(f, "{}(", op.name())?;
            separated(f, args, depth)?;
            f.write_str(")")
        }
    }
}

fn write_branches(f: &mut Formatter<'_>, args: &[Expr], depth: usize) -> fmt::Result {
    let (pairs, last) = args.as_chunks::<2>();
    for (index, [condition, result]) in pairs.iter().enumerate() {
        f.write_str(if index == 0 { "if " } else { " else if " })?;
        write_expr(f, condition, depth)?;
        f.write_str(" then ")?;
        write_expr(f, result, depth)?;
    }
    if let [last] = last {
        f.write_str(if pairs.is_empty() { "" } else { " else " })?;
        write_expr(f, last, depth)?;
    }
    Ok(())
}

fn write_condition(f: &mut Formatter<'_>, condition: &Condition, depth: usize) -> fmt::Result {
    f.write_str(if condition.wanted { "(" } else { "(not " })?;
    write_expr(f, &condition.of, depth)?;
    write!(f, " {})", condition.test)
}

fn write_bucket(f: &mut Formatter<'_>, bucket: &Bucket, depth: usize) -> fmt::Result {
    write!(f, "({} of {:?} and ", bucket.digest.as_str(), bucket.salt)?;
    write_expr(f, &bucket.by, depth)?;
    write!(f, " of {} in", bucket.total)?;
    bucket
        .ranges
        .iter()
        .try_for_each(|(start, end)| write!(f, " {start}..{end}"))?;
    f.write_str(")")
}

fn write_split(f: &mut Formatter<'_>, split: &Split, depth: usize) -> fmt::Result {
    f.write_str("split of ")?;
    match &split.by {
        By::FlagAndTargetingKey => f.write_str("flag key and targeting key")?,
        By::Expr(by) => write_expr(f, by, depth)?,
        By::Salted(salt, by) => {
            write!(f, "{salt:?} and ")?;
            write_expr(f, by, depth)?;
        }
    }
    write!(f, " by {}: [", split.hash.as_str())?;
    for (index, arm) in split.arms.iter().enumerate() {
        f.write_str(if index == 0 { "" } else { ", " })?;
        write_expr(f, &arm.serve, depth)?;
        f.write_str(" ")?;
        match &arm.weight {
            Weight::Fixed(weight) => weight.fmt(f)?,
            Weight::Computed(weight) => write_expr(f, weight, depth)?,
        }
    }
    f.write_str("]")
}

fn separated(f: &mut Formatter<'_>, items: &[Expr], depth: usize) -> fmt::Result {
    for (index, item) in items.iter().enumerate() {
        f.write_str(if index == 0 { "" } else { ", " })?;
        write_expr(f, item, depth)?;
    }
    Ok(())
}

impl Display for Path {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let plain = |name: &str| {
            !name.is_empty()
                && name
                    .chars()
                    .all(|c| c.is_alphanumeric() || matches!(c, '_' | '$' | '-'))
        };
        if self.0.is_empty() {
            return f.write_str("(all data)");
        }
        for (index, name) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str(".")?;
            }
            if plain(name) {
                f.write_str(name)?;
            } else {
                write!(f, "{name:?}")?;
            }
        }
        Ok(())
    }
}

impl HashMode {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            HashMode::FlagdV1 => "flagd-v1",
            HashMode::FlagdV2 => "flagd-v2",
            HashMode::FlagdV3 => "flagd-v3",
            HashMode::Remainder(digest) => digest.as_str(),
        }
    }
}

impl Digest {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Digest::Md5 => "md5",
            Digest::Murmur3 { seed: 0 } => "murmur3",
            Digest::Murmur3 { .. } => "murmur3-seeded",
            Digest::Fnv1a => "fnv1a",
            Digest::Fnv1aTwice => "fnv1a-twice",
        }
    }
}

impl Display for Flag {
    /// The flag as it was compiled, several lines.
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "flag {}", self.key)?;
        match &self.state {
            State::Enabled => {}
            State::Disabled(_) => f.write_str(", disabled")?,
            State::Broken(why) => write!(f, ", broken: {why}")?,
            State::Unknown(what) => write!(f, ", not known: {what}")?,
        }
        f.write_str("\n")?;
        for variant in &self.variants {
            writeln!(f, "  variant {:?} is {}", variant.name, variant.value)?;
        }
        for (index, rule) in self.rules.iter().enumerate() {
            writeln!(f, "  rule {}{rule}", index + 1)?;
        }
        match &self.default {
            DefaultVariant::Caller => writeln!(f, "  otherwise the caller's default"),
            DefaultVariant::Variant(index) => {
                let name = self
                    .variants
                    .get(*index)
                    .map_or("", |variant| &variant.name);
                writeln!(f, "  otherwise {name:?}")
            }
            DefaultVariant::Undefined(name) => {
                writeln!(f, "  otherwise {name:?}, which is not defined")
            }
        }
    }
}

impl Display for Rule {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if let Some(label) = &self.label {
            write!(f, " {label:?}")?;
        }
        if let Some(when) = &self.when {
            write!(f, ", when {when}")?;
        }
        write!(f, ": {}", self.serve)
    }
}

impl Serialize for Flag {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        match &self.state {
            State::Enabled => map.serialize_entry("state", "enabled")?,
            State::Disabled(serves) => {
                map.serialize_entry("state", "disabled")?;
                map.serialize_entry("serves", &serves.map(|index| self.variant_name(index)))?;
            }
            State::Broken(why) => {
                map.serialize_entry("state", "broken")?;
                map.serialize_entry("why", &**why)?;
            }
            State::Unknown(what) => {
                map.serialize_entry("state", "unknown")?;
                map.serialize_entry("why", &**what)?;
            }
        }
        map.serialize_entry("variants", &Variants(self))?;
        map.serialize_entry("rules", &Rules(&self.rules))?;
        let default = match &self.default {
            DefaultVariant::Caller => None,
            DefaultVariant::Variant(index) => Some(self.variant_name(*index)),
            DefaultVariant::Undefined(name) => Some(&**name),
        };
        map.serialize_entry("default", &default)?;
        map.end()
    }
}

struct Variants<'f>(&'f Flag);

impl Serialize for Variants<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.variants.iter().map(|v| (&*v.name, &v.value)))
    }
}

struct Rules<'f>(&'f [Rule]);

impl Serialize for Rules<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0)
    }
}

impl Serialize for Rule {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        if let Some(label) = &self.label {
            map.serialize_entry("label", &**label)?;
        }
        if let Some(when) = &self.when {
            map.serialize_entry("when", when)?;
        }
        map.serialize_entry("serve", &self.serve)?;
        map.end()
    }
}

impl Serialize for Expr {
    /// One-entry maps: `{"const": …}`, `{"var": "a.b"}`, `{"==": […]}`, `{"split": …}`.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        match self {
            Expr::Const(literal) => map.serialize_entry("const", &literal.value)?,
            Expr::Variant(_, name) => map.serialize_entry("variant", &**name)?,
            Expr::List(items) => map.serialize_entry("list", &**items)?,
            Expr::Var { path, default } => {
                map.serialize_entry("var", &path.to_string())?;
                if let Some(default) = default {
                    map.serialize_entry("default", &**default)?;
                }
            }
            Expr::Call { op, args } => map.serialize_entry(op.name(), &**args)?,
            Expr::Split(split) => map.serialize_entry("split", &**split)?,
            Expr::Segment(segment) => map.serialize_entry("segment", &*segment.name)?,
            Expr::Condition(condition) => map.serialize_entry("condition", &**condition)?,
            Expr::Bucket(bucket) => map.serialize_entry("bucket", &**bucket)?,
            Expr::Clause(clause) => map.serialize_entry("clause", &**clause)?,
            Expr::Under(under) => map.serialize_entry("share", &**under)?,
            Expr::Rollout(rollout) => map.serialize_entry("rollout", &**rollout)?,
            Expr::Serves(wanted) => {
                map.serialize_entry("serves", &(&*wanted.flag, &*wanted.variant))?;
            }
            Expr::SegmentAt(_, name) => map.serialize_entry("segment", &**name)?,
            Expr::Malformed(why) => map.serialize_entry("malformed", why)?,
            Expr::Now => map.serialize_entry("now", &true)?,
            Expr::CallerDefault => map.serialize_entry("caller_default", &true)?,
            Expr::Match(asked) => map.serialize_entry("match", &**asked)?,
            Expr::Experiment(run) => map.serialize_entry("experiment", &**run)?,
            Expr::Parent(parent) => {
                map.serialize_entry("flag", &*parent.flag)?;
                map.serialize_entry("is", &parent.condition)?;
            }
            Expr::Prerequisite(wanted) => {
                let variants: Vec<_> = wanted.variants.iter().map(|name| &**name).collect();
                map.serialize_entry("flag", &*wanted.flag)?;
                map.serialize_entry("on", &wanted.on)?;
                map.serialize_entry("variants", &variants)?;
            }
        }
        map.end()
    }
}

impl Serialize for Split {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("hash", self.hash.as_str())?;
        match &self.by {
            By::FlagAndTargetingKey => map.serialize_entry("by", "flag-key-and-targeting-key")?,
            By::Expr(by) => map.serialize_entry("by", by)?,
            By::Salted(salt, by) => {
                map.serialize_entry("salt", &**salt)?;
                map.serialize_entry("by", by)?;
            }
        }
        map.serialize_entry("arms", &Arms(&self.arms))?;
        map.end()
    }
}

struct Arms<'s>(&'s [Arm]);

impl Serialize for Arms<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut seq = serializer.serialize_seq(Some(self.0.len()))?;
        for arm in self.0 {
            match &arm.weight {
                Weight::Fixed(weight) => seq.serialize_element(&(&arm.serve, weight))?,
                Weight::Computed(weight) => seq.serialize_element(&(&arm.serve, weight))?,
            }
        }
        seq.end()
    }
}

impl Flag {
    fn variant_name(&self, index: usize) -> &str {
        self.variants.get(index).map_or("", |variant| &variant.name)
    }
}
