//! GrowthBook's tests, evaluated.

use super::condition::folded;
use super::val::{Val, short_text};
use super::{Machine, Scope, Stop};
use crate::condition::Relation;
use crate::ir::{Expr, Literal, Path};
use crate::matching::{Match, Test, Versions, padded};
use crate::record::{Record, Sequence};
use crate::trace::Trace;
use crate::value::Value;

/// Where the caller says which remote groups the subject is in: a list of their ids.
const REMOTE_GROUPS: &str = "__gb_remoteGroupIds";

/// Lists and maps that nest deeper than this are equal to nothing.
const DEPTH_MAX: u32 = 64;

impl<'e, T: Trace> Machine<'e, T> {
    pub(super) fn matching(&mut self, asked: &'e Match, scope: &Scope<'e>) -> Result<bool, Stop> {
        let value = match &asked.of {
            Some(path) => self.at_path(path, scope),
            None => Val::NULL,
        };
        let holds = match &asked.test {
            Test::Size(body) => match value.list_len() {
                Some(len) => {
                    let len = Val::Plain(u64::try_from(len).unwrap_or(u64::MAX).into());
                    self.holds(body, &Scope::Item(len))?
                }
                None => !asked.wanted,
            },
            Test::Any { body, nulls } => match value.list_len() {
                Some(len) => self.any_element(&value, len, body, *nulls, asked.wanted)?,
                None => !asked.wanted,
            },
            test => self.compared_with(test, value.view())? == Some(asked.wanted),
        };
        self.trace
            .because(|| alloc::format!("it is {:?}", value.view()));
        Ok(holds)
    }

    /// Whether the body holds of any element (`wanted`), or of all.
    fn any_element(
        &mut self,
        list: &Val<'e>,
        len: usize,
        body: &'e Expr,
        nulls: bool,
        wanted: bool,
    ) -> Result<bool, Stop> {
        for index in 0..len {
            self.spend(1)?;
            let item = list.item(index).unwrap_or(Val::NULL);
            if item.is_null() && !nulls {
                continue;
            }
            if self.holds(body, &Scope::Item(item))? == wanted {
                return Ok(wanted);
            }
        }
        Ok(!wanted)
    }

    /// What is at the path, as JavaScript finds it: a list's length is one of its members.
    fn at_path(&self, path: &Path, scope: &Scope<'e>) -> Val<'e> {
        let mut names = path.0.iter();
        let start = match scope {
            Scope::Root => match names.next() {
                Some(first) => Record::get(self.root, first).map(Val::Plain),
                None => Some(Val::Plain(Value::Map(self.root))),
            },
            Scope::Item(item) => Some(item.clone()),
        };
        let found = names.try_fold(start, |value, name| {
            let value = value?;
            let len = value.list_len().filter(|_| **name == *"length");
            let len = len.and_then(|len| u64::try_from(len).ok());
            Some(match len {
                Some(len) => Some(Val::Plain(len.into())),
                None => value.step(name),
            })
        });
        found.flatten().unwrap_or(Val::NULL)
    }

    /// What a test comes to; `None` where that cannot be known.
    fn compared_with(&mut self, test: &Test, value: Value<'_>) -> Result<Option<bool>, Stop> {
        Ok(Some(match test {
            Test::Equals(wanted) => {
                let mut steps = 0;
                let equal = is_json(value, wanted, 0, &mut steps);
                self.spend(steps)?;
                equal
            }
            Test::In {
                values,
                ignore_case,
            } => match value {
                Value::List(list) => self.any_in(list, values, *ignore_case)?,
                Value::Map(_) => false,
                scalar => self.is_in(scalar, values, *ignore_case)?,
            },
            Test::Exists => !matches!(value, Value::Null),
            Test::Type(name) => type_of(value) == &**name,
            Test::Number(relation, number) => match value.number() {
                Some(own) => own
                    .partial_cmp(number)
                    .is_some_and(|order| relation.holds(order)),
                None => false,
            },
            Test::Text(relation, text) => match value {
                Value::Str(own) => {
                    self.spend(own.len() / 16)?;
                    relation.holds(own.encode_utf16().cmp(text.encode_utf16()))
                }
                _ => false,
            },
            Test::Version(relation, version, versions) => match (value, versions) {
                (Value::Str(own), Versions::Texts) => {
                    self.spend(own.len() / 16)?;
                    relation.holds(padded(own).cmp(padded(version)))
                }
                (Value::Int(_) | Value::Uint(_) | Value::Float(_), Versions::Numbers) => {
                    short_text(value).is_some_and(|own| {
                        relation.holds(padded(own.as_str()).cmp(padded(version)))
                    })
                }
                // A value that is no version is none that is equal.
                _ => *relation == Relation::NotEqual,
            },
            Test::Matches(pattern) => match value {
                Value::Str(text) => pattern.occurs_in(text, |steps| self.spend(steps))?,
                _ => false,
            },
            Test::RemoteGroup(id) => match Record::get(self.root, REMOTE_GROUPS) {
                Some(Value::List(groups)) => {
                    self.spend(groups.len() / 16)?;
                    let groups = (0..groups.len()).filter_map(|at| groups.get(at));
                    groups.map(Value::as_str).any(|group| group == Some(id))
                }
                _ => return Ok(None),
            },
            Test::Size(_) | Test::Any { .. } => return Ok(None),
        }))
    }

    fn any_in(
        &mut self,
        list: &dyn Sequence,
        values: &Literal,
        ignore_case: bool,
    ) -> Result<bool, Stop> {
        for item in (0..list.len()).filter_map(|index| list.get(index)) {
            if !matches!(item, Value::List(_) | Value::Map(_))
                && self.is_in(item, values, ignore_case)?
            {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn is_in(&mut self, value: Value<'_>, values: &Literal, ignore: bool) -> Result<bool, Stop> {
        if let Value::Str(text) = value
            && !ignore
            && let Some(found) = values.has(text)
        {
            self.spend(1)?;
            return Ok(found);
        }
        let all = values.value.as_array().map_or(&[][..], |all| all);
        self.spend(1 + all.len() / 8)?;
        Ok(all.iter().any(|known| match (value, known) {
            (Value::Str(own), serde_json::Value::String(known)) if ignore => {
                same_folded(own, known)
            }
            (value, known) => value == Value::from(known),
        }))
    }
}

/// Whether two texts are the same in lower case.
fn same_folded(a: &str, b: &str) -> bool {
    folded(a).eq(folded(b))
}

/// JavaScript's `typeof`, with lists and null told apart.
const fn type_of(value: Value<'_>) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Int(_) | Value::Uint(_) | Value::Float(_) => "number",
        Value::Str(_) => "string",
        Value::List(_) => "array",
        Value::Map(_) => "object",
    }
}

/// Whether a value is the same JSON, without copying it.
fn is_json(value: Value<'_>, json: &serde_json::Value, depth: u32, steps: &mut usize) -> bool {
    *steps += 1;
    match (value, json) {
        _ if depth > DEPTH_MAX => false,
        (Value::List(list), serde_json::Value::Array(wanted)) => {
            list.len() == wanted.len()
                && wanted.iter().enumerate().all(|(index, wanted)| {
                    let own = list.get(index).unwrap_or(Value::Null);
                    is_json(own, wanted, depth + 1, steps)
                })
        }
        (Value::Map(map), serde_json::Value::Object(wanted)) => {
            let mut len = 0;
            map.each(&mut |_, _| len += 1);
            *steps += len / 8;
            len == wanted.len()
                && wanted.iter().all(|(name, wanted)| {
                    let own = map.get(name);
                    own.is_some_and(|own| is_json(own, wanted, depth + 1, steps))
                })
        }
        (Value::List(_) | Value::Map(_), _) => false,
        (value, wanted) => value == Value::from(wanted),
    }
}

#[cfg(test)]
mod tests {
    use super::{is_json, same_folded};
    use crate::value::Value;
    use proptest::prelude::*;
    use serde_json::{Value as Json, json};

    fn json_value() -> impl Strategy<Value = Json> {
        let leaf = prop_oneof![
            Just(Json::Null),
            any::<bool>().prop_map(Json::from),
            (-2..2_i64).prop_map(Json::from),
            (0..3_u8).prop_map(|it| json!(f64::from(it) / 2.0)),
            "[ab]{0,2}".prop_map(Json::from),
        ];
        leaf.prop_recursive(3, 12, 3, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..3).prop_map(Json::from),
                proptest::collection::btree_map("[ab]", inner, 0..3)
                    .prop_map(|map| Json::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn json_is_the_same_without_copying_as_with(a in json_value(), b in json_value()) {
            let same = |a: &Json, b: &Json| is_json(Value::from(a), b, 0, &mut 0);
            prop_assert!(same(&a, &a));
            prop_assert_eq!(same(&a, &b), Value::from(&a) == Value::from(&b));
        }
    }

    #[test]
    fn letters_without_regard_to_case() {
        assert!(same_folded("Äb", "äB") && !same_folded("a", "ab"));
        assert!(same_folded("ΟΔΟΣ", "οδος"));
    }
}
