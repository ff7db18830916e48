//! Contexts of several kinds, looked into.

use super::condition::stands;
use super::val::Val;
use super::{Eval, Machine, Scope, Stop};
use crate::ir::{Serves, State};
use crate::kinds::{Attribute, Clause, Fraction, Of, Rollout, SHARES, Test, Under};
use crate::number::Short;
use crate::record::Record;
use crate::trace::Trace;
use crate::value::Value;
use crate::version;
use core::fmt::Write as _;
use nonevent_document::Timestamp;
use sha1::{Digest as _, Sha1};

/// The kind of a context that does not say its kind.
const USER: &str = "user";
/// The kind of a context that is several.
const MULTI: &str = "multi";

impl<'e, T: Trace> Machine<'e, T> {
    /// The context of one kind.
    fn individual(&self, kind: &str) -> Option<&'e dyn Record> {
        match self.root.get("kind").and_then(Value::as_str) {
            Some(MULTI) => match self.root.get(kind) {
                Some(Value::Map(individual)) => Some(individual),
                _ => None,
            },
            Some(own) => (own == kind).then_some(self.root),
            None => (kind == USER).then_some(self.root),
        }
    }

    pub(super) fn attribute(&self, attribute: &'e Attribute) -> Option<Value<'e>> {
        let individual = self.individual(&attribute.kind)?;
        let own = individual.get(&attribute.name);
        let mut value = match &*attribute.name {
            "kind" => Some(Value::Str(&attribute.kind)),
            // Only a context that is all there is can have its key apart.
            "key" => own.or_else(|| match self.root.get("kind").and_then(Value::as_str) {
                Some(MULTI) => None,
                _ => self.root.targeting_key().map(Value::Str),
            }),
            "anonymous" => own.or(Some(Value::Bool(false))),
            // Users in the form from before there were kinds have attributes of their own apart.
            name => own.or_else(|| match individual.get("custom") {
                Some(Value::Map(custom)) => custom.get(name),
                _ => None,
            }),
        };
        for name in &attribute.inner {
            value = match value {
                Some(Value::Map(map)) => map.get(name),
                _ => None,
            };
        }
        value.filter(|value| !matches!(value, Value::Null))
    }

    pub(super) fn clause(&mut self, clause: &'e Clause) -> Result<bool, Stop> {
        let holds = match &clause.of {
            Of::Attribute(attribute) => {
                let Some(value) = self.attribute(attribute) else {
                    self.trace
                        .because(|| "the context has no such attribute".into());
                    return Ok(false);
                };
                self.trace.because(|| alloc::format!("it is {value:?}"));
                self.held(&clause.test, value)?
            }
            Of::Kinds => self.of_kinds(&clause.test)?,
        };
        Ok(holds != clause.negated)
    }

    fn of_kinds(&mut self, test: &'e Test) -> Result<bool, Stop> {
        let kind = self.root.get("kind").and_then(Value::as_str);
        if kind != Some(MULTI) {
            return self.held(test, Value::Str(kind.unwrap_or(USER)));
        }
        let mut holds = Ok(false);
        let root: &'e dyn Record = self.root;
        root.each(&mut |name, value| {
            if matches!(value, Value::Map(_)) && !name.starts_with('$') && holds == Ok(false) {
                holds = self.held(test, Value::Str(name));
            }
        });
        holds
    }

    /// Whether the test holds for a value, or for one of the elements of a list.
    fn held(&mut self, test: &Test, value: Value<'_>) -> Result<bool, Stop> {
        let Value::List(list) = value else {
            return self.held_one(test, value);
        };
        for at in 0..list.len() {
            if let Some(element) = list.get(at)
                && self.held_one(test, element)?
            {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn held_one(&mut self, test: &Test, value: Value<'_>) -> Result<bool, Stop> {
        self.spend(1)?;
        Ok(match (test, value) {
            (Test::In(known), Value::Str(text)) if !known.sorted.is_empty() => {
                known.has(text) == Some(true)
            }
            (Test::In(known), value) => {
                let known = known.value.as_array().map_or(&[][..], |known| known);
                self.spend(known.len() / 16)?;
                known.iter().any(|known| is_same(known, value, 0))
            }
            (Test::Has(place, texts), Value::Str(text)) => {
                self.spend(texts.len() + text.len() / 16)?;
                texts.iter().any(|part| stands(part, *place, text, false))
            }
            (Test::Matches(patterns), Value::Str(text)) => {
                for pattern in patterns {
                    if pattern.occurs_in(text, |steps| self.spend(steps))? {
                        return Ok(true);
                    }
                }
                false
            }
            (Test::Number(relation, numbers), value) => value.number().is_some_and(|own| {
                let mut orders = numbers.iter().filter_map(|number| own.partial_cmp(number));
                orders.any(|order| relation.holds(order))
            }),
            (Test::Time(relation, times), value) => time_of(value)
                .is_some_and(|own| times.iter().any(|time| relation.holds(own.cmp(time)))),
            (Test::Version(relation, versions), Value::Str(text)) => {
                let own = version::padded(text);
                own.is_some_and(|own| {
                    versions
                        .iter()
                        .any(|it| relation.holds(own.cmp_precedence(it)))
                })
            }
            _ => false,
        })
    }

    /// The subject's fraction; 0 where there is nothing to take it of.
    fn fraction(&mut self, fraction: &'e Fraction) -> f32 {
        let value = self.attribute(&fraction.by);
        let mut short = Short::new();
        let key = match value {
            Some(Value::Str(text)) => Some(text),
            Some(value @ (Value::Int(_) | Value::Uint(_) | Value::Float(_))) => {
                write_whole(&mut short, value).then(|| short.as_str())
            }
            _ => None,
        };
        let Some(key) = key else {
            self.trace
                .because(|| alloc::format!("{} cannot be hashed: the first share", fraction.by));
            return 0.0;
        };
        fraction_of(&fraction.salt, key)
    }

    pub(super) fn under(&mut self, under: &'e Under) -> bool {
        let place = self.fraction(&under.fraction);
        self.trace
            .because(|| alloc::format!("its fraction is {place}"));
        place < share(under.share)
    }

    pub(super) fn rollout(&mut self, rollout: &'e Rollout, scope: &Scope<'e>) -> Eval<'e> {
        // Without a context of the kind there is no subject, and the first share is everybody's.
        let place = self.fraction(&rollout.fraction);
        let mut end = 0.0;
        for (weight, serve) in &rollout.arms {
            end += share(*weight);
            if place < end {
                self.trace
                    .because(|| alloc::format!("its fraction is {place}"));
                return self.eval(serve, scope);
            }
        }
        // Shares that sum to less than all, or were rounded so.
        match rollout.arms.last() {
            Some((_, serve)) => self.eval(serve, scope),
            None => Ok(Val::NULL),
        }
    }

    /// Evaluates another flag for the same context, on what steps are left.
    pub(super) fn serves(&mut self, wanted: &'e Serves) -> Result<bool, Stop> {
        let Some(flag) = self.set.get(&wanted.flag) else {
            self.trace.because(|| "no such flag is defined".into());
            return Ok(false);
        };
        match flag.state {
            State::Enabled => {}
            // As SDKs do: what depends on a flag that is wrong is wrong.
            State::Broken(_) => {
                return Err(Stop::Malformed("a prerequisite's definition is wrong"));
            }
            _ => {
                self.trace.because(|| "it is switched off".into());
                return Ok(false);
            }
        }
        let variant = self.variant_of(flag).map_err(|stop| match stop {
            Stop::Waiting => Stop::Malformed("flags are prerequisites of each other"),
            other => other,
        })?;
        let found = variant.map(|variant| &*variant.name);
        self.trace.because(|| alloc::format!("it has {found:?}"));
        Ok(found == Some(&*wanted.variant))
    }

    /// A segment of the set, by its place in it.
    pub(super) fn segment_at(&mut self, at: u32, scope: &Scope<'e>) -> Result<bool, Stop> {
        let found = usize::try_from(at)
            .ok()
            .and_then(|at| self.set.segments.get(at));
        let Some(segment) = found else {
            return Ok(false);
        };
        // A segment that leads back to itself would go on for ever, by the same way each time.
        if self.segment_depth >= SEGMENT_DEPTH_MAX {
            return Err(Stop::Malformed("a segment leads back to itself"));
        }
        self.segment_depth += 1;
        let result = self.holds(&segment.body, scope);
        self.segment_depth -= 1;
        result
    }
}

/// Segments within segments.
const SEGMENT_DEPTH_MAX: u8 = 50;

#[expect(
    clippy::cast_precision_loss,
    reason = "SDKs round so, and a subject is to fall on the same side of a boundary"
)]
fn share(weight: u32) -> f32 {
    weight as f32 / SHARES as f32
}

/// The first 60 bits of SHA-1 over what they are at most, in single precision as SDKs have it.
#[expect(
    clippy::cast_precision_loss,
    reason = "SDKs round so, and a subject is to fall on the same side of a boundary"
)]
fn fraction_of(salt: &str, key: &str) -> f32 {
    const MOST: u64 = 0x0FFF_FFFF_FFFF_FFFF;
    let mut sha1 = Sha1::new();
    sha1.update(salt);
    sha1.update(key);
    let digest = <[u8; 20]>::from(sha1.finalize());
    let mut first = [0; 8];
    first.copy_from_slice(&digest[..8]);
    let bits = u64::from_be_bytes(first) >> 4;
    bits as f32 / MOST as f32
}

/// Writes a whole number; whether it is one.
fn write_whole(out: &mut Short, value: Value<'_>) -> bool {
    match value {
        Value::Int(number) => write!(out, "{number}").is_ok(),
        Value::Uint(number) => write!(out, "{number}").is_ok(),
        Value::Float(number) => {
            let is_whole = libm::trunc(number) == number && libm::fabs(number) < 9e15;
            // Minus zero is zero.
            is_whole && write!(out, "{}", number + 0.0).is_ok()
        }
        _ => false,
    }
}

/// A time in RFC 3339, or in milliseconds since 1970.
fn time_of(value: Value<'_>) -> Option<Timestamp> {
    match value {
        Value::Str(text) => text.parse().ok(),
        Value::Int(ms) => Some(Timestamp::from_unix_ms(ms)),
        Value::Float(ms) if libm::fabs(ms) < 9e15 => {
            #[expect(
                clippy::cast_possible_truncation,
                reason = "in range, and the rest is under a millisecond"
            )]
            let ms = ms as i64;
            Some(Timestamp::from_unix_ms(ms))
        }
        _ => None,
    }
}

/// What nests deeper is the same as nothing.
const DEPTH_MAX: u32 = 100;

/// Whether a constant and a value are the same JSON, numbers by their value.
fn is_same(known: &serde_json::Value, value: Value<'_>, depth: u32) -> bool {
    match (known, value) {
        _ if depth > DEPTH_MAX => false,
        (serde_json::Value::Array(known), Value::List(list)) => {
            let same = |(at, known): (usize, &serde_json::Value)| {
                list.get(at)
                    .is_some_and(|value| is_same(known, value, depth + 1))
            };
            known.len() == list.len() && known.iter().enumerate().all(same)
        }
        (serde_json::Value::Object(known), Value::Map(map)) => {
            let mut count = 0;
            map.each(&mut |_, _| count += 1);
            let same = |(name, known): (&alloc::string::String, &serde_json::Value)| {
                map.get(name)
                    .is_some_and(|value| is_same(known, value, depth + 1))
            };
            known.len() == count && known.iter().all(same)
        }
        (known, value) => super::val::strictly_equal(known.into(), value),
    }
}

#[cfg(test)]
mod tests {
    use super::{fraction_of, is_same, share, write_whole};
    use crate::number::Short;
    use crate::value::Value;
    use serde_json::json;

    #[test]
    fn fractions_are_of_the_first_sixty_bits() {
        // FIPS 180-4: SHA-1 ("abc") = a9993e364706816a…
        let expected = 0x0A99_93E3_6470_6816_u64 as f64 / 0x0FFF_FFFF_FFFF_FFFF_u64 as f64;
        let found = f64::from(fraction_of("a", "bc"));
        assert!((found - expected).abs() < 1e-6, "{found} {expected}");
        assert!(share(100_000) == 1.0 && share(0) == 0.0);
    }

    #[test]
    fn whole_numbers_are_keys() {
        for (number, expected) in [
            (Value::Int(-7), Some("-7")),
            (Value::Float(3.0), Some("3")),
            (Value::Float(-0.0), Some("0")),
            (Value::Float(0.5), None),
            (Value::Float(1e21), None),
        ] {
            let mut text = Short::new();
            let is_whole = write_whole(&mut text, number);
            assert_eq!(is_whole.then_some(text.as_str()), expected, "{number:?}");
        }
    }

    #[test]
    fn the_same_json_is_told_from_other_json() {
        let values = [
            json!(1),
            json!(true),
            json!("1"),
            json!(null),
            json!([1, "a"]),
            json!(["a", 1]),
            json!({"a": 1}),
            json!({"a": 1, "b": 2}),
            json!({"a": {"b": []}}),
            json!([]),
            json!({}),
            json!(1.5),
        ];
        for (at, a) in values.iter().enumerate() {
            for (other, b) in values.iter().enumerate() {
                assert_eq!(is_same(a, Value::from(b), 0), at == other, "{a} {b}");
            }
        }
        assert!(is_same(&json!(1), Value::Float(1.0), 0));
        assert!(is_same(
            &json!({"a": [1.0]}),
            Value::from(&json!({"a": [1]})),
            0
        ));
    }
}
