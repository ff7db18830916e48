//! Segments: whom they include, whom not, and their rules.

use super::serving::unknown;
use super::{Reader, USER, key_in, list, texts};
use crate::codes::{self, Refusal};
use crate::dialect::shape::wrong;
use crate::ir::{Expr, Op};
use crate::kinds::Under;
use alloc::boxed::Box;
use alloc::string::ToString;
use alloc::vec::Vec;
use nonevent_document::{Node, item_path, member_path};

impl<'d> Reader<'d> {
    /// What holds for whom the segment has. One that is wrong is an error for whom it comes to it.
    pub(super) fn segment(&mut self, key: &str, node: &'d Node, path: &str) -> Expr {
        match self.members(key, node, path) {
            Ok(expr) => expr,
            Err(finding) => {
                self.findings.push(*finding);
                Expr::Malformed("a segment's definition is wrong")
            }
        }
    }

    fn members(&mut self, key: &str, node: &'d Node, path: &str) -> Result<Expr, Refusal> {
        if node.get("unbounded").and_then(Node::as_bool) == Some(true) {
            let message = "the members of this segment are not in the file".to_string();
            self.findings.push(unknown(node, path, message));
            return Ok(Expr::constant(false));
        }
        let included = named(node, path, "included", "includedContexts")?;
        let excluded = named(node, path, "excluded", "excludedContexts")?;
        let mut rules = Vec::new();
        for (at, rule) in list(node, path, "rules")?.iter().enumerate() {
            let path = item_path(&member_path(path, "rules"), at);
            rules.push(self.segment_rule(key, rule, &path, node)?);
        }
        // Included, or else not excluded and by a rule.
        let mut by_rule = Vec::new();
        if let Some(excluded) = excluded {
            by_rule.push(excluded.negated());
        }
        by_rule.push(Expr::joined(Op::Or, rules).unwrap_or_else(|| Expr::constant(false)));
        let any = included.into_iter().chain(Expr::joined(Op::And, by_rule));
        Ok(Expr::joined(Op::Or, any.collect()).unwrap_or_else(|| Expr::constant(false)))
    }

    fn segment_rule(
        &mut self,
        key: &str,
        node: &'d Node,
        path: &str,
        segment: &Node,
    ) -> Result<Expr, Refusal> {
        let mut all: Vec<Expr> = self.clauses(node, path)?.into_iter().collect();
        if let Some(weight) = node.get("weight").filter(|weight| !weight.is_null()) {
            let share = weight.as_u64().and_then(|share| u32::try_from(share).ok());
            let Some(share) = share else {
                let path = member_path(path, "weight");
                let help = "write a whole number of 100000";
                return Err(wrong(codes::SPLIT, weight, path, "this is no weight", help));
            };
            all.push(match self.fraction(node, path, (key, segment), true)? {
                Ok(fraction) => Expr::Under(Box::new(Under { fraction, share })),
                Err(malformed) => malformed,
            });
        }
        Ok(Expr::joined(Op::And, all).unwrap_or_else(|| Expr::constant(true)))
    }
}

/// Whom a segment names: users, and contexts of other kinds.
fn named(node: &Node, path: &str, users: &str, contexts: &str) -> Result<Option<Expr>, Refusal> {
    let mut any = Vec::new();
    let keys = texts(node, path, users)?;
    if !keys.is_empty() {
        any.push(key_in(USER, keys));
    }
    for (at, target) in list(node, path, contexts)?.iter().enumerate() {
        let path = item_path(&member_path(path, contexts), at);
        let kind = target.get("contextKind").and_then(Node::as_str);
        let kind = kind.filter(|kind| !kind.is_empty()).unwrap_or(USER);
        let keys = texts(target, &path, "values")?;
        if !keys.is_empty() {
            any.push(key_in(kind, keys));
        }
    }
    Ok(Expr::joined(Op::Or, any))
}
