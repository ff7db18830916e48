//! Clauses of rules.

use super::serving::{attribute, unknown};
use super::{Reader, USER, list};
use crate::codes::{self, Refusal};
use crate::condition::{At, Relation};
use crate::dialect::shape::wrong;
use crate::ir::{Expr, Literal, Op};
use crate::kinds::{Clause, Of, Test};
use crate::version;
use alloc::boxed::Box;
use alloc::format;
use alloc::sync::Arc;
use alloc::vec::Vec;
use nonevent_document::{Node, Timestamp, item_path, member_path};

impl<'d> Reader<'d> {
    /// All clauses of a rule, joined; `None` if there are none, which holds for everybody.
    pub(super) fn clauses(&mut self, node: &'d Node, path: &str) -> Result<Option<Expr>, Refusal> {
        let path = member_path(path, "clauses");
        let mut all = Vec::new();
        for (at, clause) in list(node, &path, "clauses")?.iter().enumerate() {
            all.push(self.clause(clause, &item_path(&path, at))?);
        }
        Ok(Expr::joined(Op::And, all))
    }

    fn clause(&mut self, node: &'d Node, path: &str) -> Result<Expr, Refusal> {
        let op = node.get("op").and_then(Node::as_str).unwrap_or_default();
        let negated = node
            .get("negate")
            .and_then(Node::as_bool)
            .unwrap_or_default();
        let values = list(node, path, "values")?;
        if op == "segmentMatch" {
            let segments = values.iter().filter_map(Node::as_str);
            let segments: Vec<Expr> = segments
                .map(|key| self.segment_named(key, node, path))
                .collect();
            let any = Expr::joined(Op::Or, segments).unwrap_or_else(|| Expr::constant(false));
            return Ok(match negated {
                false => any,
                true => any.negated(),
            });
        }
        let named = |field: &str| node.get(field).and_then(Node::as_str);
        let kind = named("contextKind").filter(|kind| !kind.is_empty());
        let name = named("attribute").unwrap_or_default();
        let of = if name == "kind" {
            Of::Kinds
        } else {
            match attribute(kind.unwrap_or(USER), name, kind.is_some()) {
                Some(attribute) => Of::Attribute(attribute),
                // An error for whom it comes to that, as in SDKs.
                None => {
                    let message = "a clause has no valid reference to an attribute";
                    let path = member_path(path, "attribute");
                    return Ok(self.malformed(node, &path, message));
                }
            }
        };
        let test = self.test(op, values, node, path)?;
        Ok(Expr::Clause(Box::new(Clause { of, test, negated })))
    }

    fn segment_named(&mut self, key: &str, node: &Node, path: &str) -> Expr {
        match self.segments.get(key) {
            Some(place) => Expr::SegmentAt(*place, key.into()),
            None => {
                let message = format!("the segment {key:?} is not defined");
                self.findings.push(unknown(node, path, message));
                Expr::constant(false)
            }
        }
    }

    fn test(
        &mut self,
        op: &str,
        values: &[Node],
        node: &Node,
        path: &str,
    ) -> Result<Test, Refusal> {
        let texts = || -> Box<[Arc<str>]> {
            values
                .iter()
                .filter_map(Node::as_str)
                .map(Arc::from)
                .collect()
        };
        let numbers = || values.iter().filter_map(Node::as_f64).collect();
        let times = || values.iter().filter_map(time).collect();
        let versions = || {
            let texts = values.iter().filter_map(Node::as_str);
            texts.filter_map(version::padded).collect()
        };
        Ok(match op {
            "in" => {
                let values: Vec<_> = values.iter().map(Node::to_json).collect();
                Test::In(Box::new(Literal::new(values.into())))
            }
            "startsWith" => Test::Has(At::Start, texts()),
            "endsWith" => Test::Has(At::End, texts()),
            "contains" => Test::Has(At::Anywhere, texts()),
            "matches" => {
                let mut patterns = Vec::new();
                for text in values.iter().filter_map(Node::as_str) {
                    match self.patterns.compile(text, false) {
                        Ok(pattern) => patterns.push(pattern),
                        // A pattern that is none matches nothing.
                        Err(why) => {
                            let message = format!("{text:?} is no pattern: {why}");
                            self.findings.push(unknown(node, path, message));
                        }
                    }
                }
                Test::Matches(patterns.into())
            }
            "lessThan" => Test::Number(Relation::Less, numbers()),
            "lessThanOrEqual" => Test::Number(Relation::LessEqual, numbers()),
            "greaterThan" => Test::Number(Relation::Greater, numbers()),
            "greaterThanOrEqual" => Test::Number(Relation::GreaterEqual, numbers()),
            "before" => Test::Time(Relation::Less, times()),
            "after" => Test::Time(Relation::Greater, times()),
            "semVerEqual" => Test::Version(Relation::Equal, versions()),
            "semVerLessThan" => Test::Version(Relation::Less, versions()),
            "semVerGreaterThan" => Test::Version(Relation::Greater, versions()),
            "" => {
                let help = "write an `op`, such as in";
                return Err(wrong(
                    codes::DEFINITION,
                    node,
                    path,
                    "a clause has no operator",
                    help,
                ));
            }
            other => {
                let message = format!("the operator {other:?} is not known");
                self.findings.push(unknown(node, path, message));
                Test::Unknown(other.into())
            }
        })
    }
}

/// A time in RFC 3339, or in milliseconds since 1970.
fn time(node: &Node) -> Option<Timestamp> {
    match (node.as_str(), node.as_i64(), node.as_f64()) {
        (Some(text), ..) => text.parse().ok(),
        (_, Some(ms), _) => Some(Timestamp::from_unix_ms(ms)),
        (.., Some(ms)) if libm::fabs(ms) < 9e15 => {
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
