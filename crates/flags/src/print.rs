//! The representation as text and as data.

use crate::ir::{
    Arm, By, DefaultVariant, Expr, Flag, HashMode, Op, Path, Rule, Split, State, Weight,
};
use alloc::string::ToString;
use core::fmt::{self, Display, Formatter};
use serde::ser::{Serialize, SerializeMap, SerializeSeq, Serializer};

impl Display for Expr {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Expr::Const(literal) => literal.value.fmt(f),
            Expr::Variant(_, name) => write!(f, "{name:?}"),
            Expr::List(items) => {
                f.write_str("[")?;
                separated(f, items, ", ")?;
                f.write_str("]")
            }
            Expr::Var {
                path,
                default: None,
            } => path.fmt(f),
            Expr::Var {
                path,
                default: Some(default),
            } => write!(f, "({path} or else {default})"),
            Expr::Call { op, args } => call(f, *op, args),
            Expr::Split(split) => split.fmt(f),
            Expr::Segment(segment) => write!(f, "${}", segment.name),
        }
    }
}

fn call(f: &mut Formatter<'_>, op: Op, args: &[Expr]) -> fmt::Result {
    match (op, args) {
        (Op::If, args) => branches(f, args),
        (Op::And | Op::Or | Op::In, [_, _, ..])
        | (
            Op::Equal
            | Op::StrictEqual
            | Op::NotEqual
            | Op::StrictNotEqual
            | Op::Less
            | Op::LessEqual
            | Op::Greater
            | Op::GreaterEqual
            | Op::Add
            | Op::Subtract
            | Op::Multiply
            | Op::Divide
            | Op::Modulo,
            [_, _, ..],
        ) => {
            f.write_str("(")?;
            for (index, arg) in args.iter().enumerate() {
                if index > 0 {
                    write!(f, " {} ", op.name())?;
                }
                arg.fmt(f)?;
            }
            f.write_str(")")
        }
        (Op::SemVer, [left, operator, right]) => {
            let operator = operator
                .as_const()
                .and_then(serde_json::Value::as_str)
                .unwrap_or("?");
            write!(f, "(version {left} {operator} {right})")
        }
        (op, args) => {
            write!(f, "{}(", op.name())?;
            separated(f, args, ", ")?;
            f.write_str(")")
        }
    }
}

fn branches(f: &mut Formatter<'_>, args: &[Expr]) -> fmt::Result {
    let (pairs, last) = args.as_chunks::<2>();
    for (index, [condition, result]) in pairs.iter().enumerate() {
        let word = if index == 0 { "if" } else { " else if" };
        write!(f, "{word} {condition} then {result}")?;
    }
    match (pairs, last) {
        ([], [only]) => only.fmt(f),
        (_, [other]) => write!(f, " else {other}"),
        _ => Ok(()),
    }
}

fn separated<T: Display>(f: &mut Formatter<'_>, items: &[T], with: &str) -> fmt::Result {
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            f.write_str(with)?;
        }
        item.fmt(f)?;
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
        }
    }
}

impl Display for Split {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("split of ")?;
        match &self.by {
            By::FlagAndTargetingKey => f.write_str("flag key and targeting key")?,
            By::Expr(by) => by.fmt(f)?,
        }
        write!(f, " by {}: [", self.hash.as_str())?;
        separated(f, &self.arms, ", ")?;
        f.write_str("]")
    }
}

impl Display for Arm {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match &self.weight {
            Weight::Fixed(weight) => write!(f, "{} {weight}", self.serve),
            Weight::Computed(weight) => write!(f, "{} {weight}", self.serve),
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
