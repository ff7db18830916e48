//! Conditions, after the query documents of MongoDB.
//!
//! Negations are pushed down to the tests: `wanted` says how a part is to come out. A part that
//! cannot be judged does not hold either way.

use super::Reader;
use crate::codes;
use crate::condition::Relation;
use crate::eval::val::{short_text, truthy};
use crate::ir::{Expr, Literal, Op, Path};
use crate::matching::{Match, Test, Versions};
use crate::value::Value;
use alloc::boxed::Box;
use alloc::format;
use alloc::sync::Arc;
use alloc::vec::Vec;
use nonevent_document::{Member, Node, Value as Tree, item_path, member_path};

/// What a condition's attributes are of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum At {
    /// The context, or an element of a list.
    Attributes,
    /// Another flag, which has its `value` and nothing else.
    Parent,
}

impl At {
    /// Where an attribute is; `None` where there cannot be one.
    pub(super) fn path(self, attribute: &str) -> Option<Path> {
        let mut names = attribute.split('.').map(Arc::from);
        if self == At::Parent && names.next().as_deref() != Some("value") {
            return None;
        }
        Some(Path(names.collect()))
    }
}

/// What holds for nobody, negated or not.
pub(super) fn never() -> Expr {
    Expr::constant(false)
}

/// The element, or the length, itself.
fn itself() -> Option<Path> {
    Some(Path(Box::default()))
}

fn test(of: Option<Path>, test: Test, wanted: bool) -> Expr {
    Expr::Match(Box::new(Match { of, test, wanted }))
}

/// All of these, or not all of them: each part has come out as `wanted` already.
fn all(parts: Vec<Expr>, wanted: bool) -> Expr {
    let op = if wanted { Op::And } else { Op::Or };
    Expr::joined(op, parts).unwrap_or_else(|| Expr::constant(wanted))
}

/// Any of these, or none of them.
fn any(parts: Vec<Expr>, wanted: bool) -> Expr {
    let op = if wanted { Op::Or } else { Op::And };
    Expr::joined(op, parts).unwrap_or_else(|| Expr::constant(!wanted))
}

impl<'n> Reader<'n> {
    /// A rule's condition; `None` if it has none.
    pub(super) fn condition_of(&mut self, node: &'n Node, path: &str, at: At) -> Option<Expr> {
        let condition = node.get("condition").filter(|it| !it.is_null())?;
        let path = member_path(path, "condition");
        if has_malformed(condition) {
            let message = "a part of the condition is null, so it holds for nobody";
            self.warn(codes::DEFINITION, condition, &path, message);
            return Some(never());
        }
        match condition.as_object() {
            Some([]) => None,
            _ => Some(self.condition(condition, &path, at, true)),
        }
    }

    /// Conditions joined by "and", by their keys.
    pub(super) fn condition(&mut self, node: &'n Node, path: &str, at: At, wanted: bool) -> Expr {
        let Some(members) = node.as_object() else {
            return Expr::constant(!wanted);
        };
        let part = |Member { key, value, .. }: &'n Member| {
            let path = member_path(path, key);
            self.part(key, value, &path, at, wanted)
        };
        let parts = members.iter().map(part).collect();
        all(parts, wanted)
    }

    fn part(&mut self, key: &str, node: &'n Node, path: &str, at: At, wanted: bool) -> Expr {
        self.within(|reader| reader.part_of(key, node, path, at, wanted))
    }

    fn part_of(&mut self, key: &str, node: &'n Node, path: &str, at: At, wanted: bool) -> Expr {
        match key {
            "$or" if node.as_array().is_some_and(<[_]>::is_empty) => Expr::constant(wanted),
            "$or" => self.of_list(node, path, at, (true, wanted)),
            "$nor" if node.as_array().is_some_and(<[_]>::is_empty) => Expr::constant(!wanted),
            // None of no list does not hold.
            "$nor" if node.as_array().is_none() => Expr::constant(!wanted),
            "$nor" => self.of_list(node, path, at, (true, !wanted)),
            "$and" => self.of_list(node, path, at, (false, wanted)),
            "$not" if node.as_object().is_none() => Expr::constant(!wanted),
            "$not" => self.condition(node, path, at, !wanted),
            "$savedGroup" => self.saved_group(node, path, at, wanted),
            // What people write in GrowthBook, which it resolves before SDKs see it.
            "$savedGroups" => Expr::constant(!wanted),
            attribute => self.value(node, path, at.path(attribute), wanted),
        }
    }

    fn of_list(
        &mut self,
        node: &'n Node,
        path: &str,
        at: At,
        (is_any, wanted): (bool, bool),
    ) -> Expr {
        let Some(items) = node.as_array() else {
            return Expr::constant(!wanted);
        };
        let mut parts = Vec::with_capacity(items.len());
        for (index, item) in items.iter().enumerate() {
            parts.push(self.condition(item, &item_path(path, index), at, wanted));
        }
        if is_any {
            any(parts, wanted)
        } else {
            all(parts, wanted)
        }
    }

    /// What is asked of a value: operators, or to be equal.
    fn value(&mut self, node: &'n Node, path: &str, of: Option<Path>, wanted: bool) -> Expr {
        let Some(members) = operators(node) else {
            return test(of, Test::Equals(node.to_json()), wanted);
        };
        let mut parts = Vec::with_capacity(members.len());
        for Member { key, value, .. } in members {
            let path = member_path(path, key);
            parts.push(self.operator(key, value, &path, &of, wanted));
        }
        all(parts, wanted)
    }

    fn operator(
        &mut self,
        name: &str,
        node: &'n Node,
        path: &str,
        of: &Option<Path>,
        wanted: bool,
    ) -> Expr {
        self.within(|reader| reader.operator_of(name, node, path, of, wanted))
    }

    fn operator_of(
        &mut self,
        name: &str,
        node: &'n Node,
        path: &str,
        of: &Option<Path>,
        wanted: bool,
    ) -> Expr {
        let of = of.clone();
        let no = || Expr::constant(!wanted);
        match name {
            "$not" => self.value(node, path, of, !wanted),
            "$eq" => equal(of, node, wanted),
            "$ne" => equal(of, node, !wanted),
            "$exists" => {
                let exists = truthy(Value::from(&node.to_json()));
                test(of, Test::Exists, exists == wanted)
            }
            "$type" => match node.as_str() {
                Some(name) => test(of, Test::Type(name.into()), wanted),
                None => no(),
            },
            "$in" | "$nin" | "$ini" | "$nini" if node.as_array().is_none() => no(),
            "$in" => one_of(of, node, false, wanted),
            "$nin" => one_of(of, node, false, !wanted),
            "$ini" => one_of(of, node, true, wanted),
            "$nini" => one_of(of, node, true, !wanted),
            "$inGroup" => self.in_group(node, path, of, true, wanted),
            "$notInGroup" => self.in_group(node, path, of, false, wanted),
            "$all" => self.all_in(node, path, &of, (false, wanted)),
            "$alli" => self.all_in(node, path, &of, (true, wanted)),
            "$size" => {
                let body = Box::new(self.value(node, path, itself(), wanted));
                test(of, Test::Size(body), wanted)
            }
            "$elemMatch" => self.element(node, path, of, wanted),
            "$regex" => self.pattern(node, path, of, (false, true, wanted)),
            "$regexi" => self.pattern(node, path, of, (true, true, wanted)),
            "$notRegex" => self.pattern(node, path, of, (false, false, wanted)),
            "$notRegexi" => self.pattern(node, path, of, (true, false, wanted)),
            // These stand where a condition does, and hold of no value.
            "$or" | "$and" | "$nor" | "$savedGroup" | "$savedGroups" => no(),
            name => match compared(name, node) {
                Compared::By(what) => test(of, what, wanted),
                Compared::Not => no(),
                Compared::Always => Expr::constant(wanted),
                Compared::Unknown => {
                    let message = format!("the operator {name:?} is not known here");
                    self.warn(codes::UNKNOWN_OPERATOR, node, path, &message);
                    never()
                }
            },
        }
    }

    /// `$all`: the value is a list, and for each of these it has an element that fits.
    fn all_in(
        &mut self,
        node: &'n Node,
        path: &str,
        of: &Option<Path>,
        (ignore_case, wanted): (bool, bool),
    ) -> Expr {
        let Some(items) = node.as_array() else {
            return Expr::constant(!wanted);
        };
        let mut parts = Vec::from([test(of.clone(), Test::Type("array".into()), wanted)]);
        for (index, item) in items.iter().enumerate() {
            let body = match item.as_str().filter(|_| ignore_case) {
                Some(text) => {
                    let values = Box::new(Literal::new(Vec::from([text]).into()));
                    let one = Test::In {
                        values,
                        ignore_case,
                    };
                    test(itself(), one, wanted)
                }
                None => self.value(item, &item_path(path, index), itself(), wanted),
            };
            let body = Box::new(body);
            let any = Test::Any { body, nulls: true };
            parts.push(test(of.clone(), any, wanted));
        }
        all(parts, wanted)
    }

    /// `$elemMatch`: the value is a list with an element that fits, by operators on it or by a
    /// condition on what it has.
    fn element(&mut self, node: &'n Node, path: &str, of: Option<Path>, wanted: bool) -> Expr {
        let Some(members) = node.as_object() else {
            return Expr::constant(!wanted);
        };
        let joins =
            |member: &Member| matches!(&*member.key, "$or" | "$and" | "$nor" | "$savedGroup");
        let body = if operators(node).is_some() && !members.iter().any(joins) {
            self.value(node, path, itself(), wanted)
        } else {
            self.condition(node, path, At::Attributes, wanted)
        };
        let body = Box::new(body);
        test(of, Test::Any { body, nulls: false }, wanted)
    }

    fn pattern(
        &mut self,
        node: &Node,
        path: &str,
        of: Option<Path>,
        (ignore_case, matches, wanted): (bool, bool, bool),
    ) -> Expr {
        let compiled = match node.as_str() {
            Some(text) => self.patterns.compile(text, ignore_case),
            None => Err("it is no text".into()),
        };
        match compiled {
            Ok(pattern) => test(of, Test::Matches(pattern), matches == wanted),
            Err(why) => {
                let message = format!("this regular expression cannot be used: {why}");
                self.warn(codes::ARGUMENTS, node, path, &message);
                Expr::constant(!wanted)
            }
        }
    }

    /// A part, one deeper, if there is room for it.
    fn within(&mut self, part: impl FnOnce(&mut Self) -> Expr) -> Expr {
        self.nodes += 1;
        if !self.reaches(self.depth + 1) || self.nodes > self.nodes_max {
            self.too_large = true;
        }
        if self.too_large {
            return never();
        }
        self.depth += 1;
        let part = part(self);
        self.depth -= 1;
        part
    }

    /// Whether parts may nest so deep, as they now do.
    pub(super) fn reaches(&mut self, depth: usize) -> bool {
        self.deepest = self.deepest.max(depth);
        depth <= self.depth_max
    }
}

/// The operators, if all keys are.
fn operators(node: &Node) -> Option<&[Member]> {
    let members = node.as_object()?;
    let are = members.iter().all(|member| member.key.starts_with('$'));
    are.then_some(members)
}

/// JavaScript's `===`: lists and maps are equal to nothing.
fn equal(of: Option<Path>, node: &Node, wanted: bool) -> Expr {
    match &node.value {
        Tree::Array(_) | Tree::Object(_) => Expr::constant(!wanted),
        _ => test(of, Test::Equals(node.to_json()), wanted),
    }
}

fn one_of(of: Option<Path>, node: &Node, ignore_case: bool, wanted: bool) -> Expr {
    let values = Box::new(Literal::new(node.to_json()));
    test(
        of,
        Test::In {
            values,
            ignore_case,
        },
        wanted,
    )
}

/// What an operator of order comes to.
enum Compared {
    By(Test),
    /// With this it holds of no value.
    Not,
    /// With this it holds of every value.
    Always,
    Unknown,
}

fn compared(name: &str, node: &Node) -> Compared {
    let (relation, as_version) = match name {
        "$lt" => (Relation::Less, false),
        "$lte" => (Relation::LessEqual, false),
        "$gt" => (Relation::Greater, false),
        "$gte" => (Relation::GreaterEqual, false),
        "$vlt" => (Relation::Less, true),
        "$vlte" => (Relation::LessEqual, true),
        "$vgt" => (Relation::Greater, true),
        "$vgte" => (Relation::GreaterEqual, true),
        "$veq" => (Relation::Equal, true),
        "$vne" => (Relation::NotEqual, true),
        _ => return Compared::Unknown,
    };
    let as_text = |number: f64| short_text(Value::Float(number)).map(|text| text.as_str().into());
    match (node.as_str(), node.as_f64()) {
        (Some(version), _) if as_version => {
            Compared::By(Test::Version(relation, version.into(), Versions::Texts))
        }
        (None, number) if as_version => match number.and_then(as_text) {
            Some(version) => Compared::By(Test::Version(relation, version, Versions::Numbers)),
            // What is no version is none that is equal.
            None if relation == Relation::NotEqual => Compared::Always,
            None => Compared::Not,
        },
        (Some(text), _) => Compared::By(Test::Text(relation, text.into())),
        (None, Some(number)) => Compared::By(Test::Number(relation, number)),
        (None, None) => Compared::Not,
    }
}

/// Whether there is a null where conditions are to be, which GrowthBook's own SDK fails on.
fn has_malformed(node: &Node) -> bool {
    let Some(members) = node.as_object() else {
        return node.is_null();
    };
    members.iter().any(|member| match &*member.key {
        "$not" => has_malformed(&member.value),
        "$or" | "$and" | "$nor" => match member.value.as_array() {
            Some(items) => items.iter().any(has_malformed),
            None => member.value.is_null(),
        },
        _ => false,
    })
}
