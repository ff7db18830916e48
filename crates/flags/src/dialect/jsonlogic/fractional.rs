//! flagd's `fractional`.

use super::{Compiled, Draft, Piece, Place};
use crate::codes::{self, Refusal};
use crate::eval::split::{TOTAL_MAX, whole_weight};
use crate::ir::{Arm, By, Expr, Keyless, Split, Weight};
use alloc::boxed::Box;
use alloc::vec::Vec;
use nonevent_document::{Node, Value as Tree};

impl<'n> Draft<'_, 'n, '_> {
    /// `fractional`: an optional bucketing value, then shares `[variant]` or `[variant, weight]`.
    pub(super) fn fractional(&mut self, node: &'n Node, place: Place, depth: usize) -> Compiled {
        let args = match &node.value {
            Tree::Array(items) => items.as_slice(),
            _ => core::slice::from_ref(node),
        };
        let (by, shares) = match args {
            [first, rest @ ..] if !matches!(first.value, Tree::Array(_)) => {
                self.path.push(Piece::Index(0));
                let by = self.expr(first, Place::Inner, depth + 1)?;
                self.path.pop();
                (By::Expr(by), rest)
            }
            shares => (By::FlagAndTargetingKey, shares),
        };
        let first = args.len() - shares.len();
        let mut arms = Vec::with_capacity(shares.len());
        for (index, share) in shares.iter().enumerate() {
            self.path.push(Piece::Index(first + index));
            let arm = self.arm(share, place, depth + 1)?;
            self.path.pop();
            match arm {
                Some(arm) => arms.push(arm),
                // With one wrong share the whole operator gives null.
                None => return Ok(Expr::null()),
            }
        }
        let fixed = |arm: &Arm| match arm.weight {
            Weight::Fixed(weight) => Some(u64::from(weight)),
            Weight::Computed(_) => None,
        };
        match arms.iter().map(fixed).sum::<Option<u64>>() {
            Some(0) => self.note(
                codes::SPLIT,
                node,
                "the weights sum to 0, so nobody is served",
                "give at least one share a weight",
            ),
            Some(total) if total > TOTAL_MAX => self.note(
                codes::SPLIT,
                node,
                "the weights sum to more than 2147483647, so nobody is served",
                "use smaller weights",
            ),
            _ => {}
        }
        let split = Split {
            by,
            hash: self.compiler.hash,
            keyless: Keyless::Null,
            arms: arms.into(),
        };
        Ok(Expr::Split(Box::new(split)))
    }

    /// One share; `None` with a finding if it is none.
    fn arm(&mut self, node: &'n Node, place: Place, depth: usize) -> Result<Option<Arm>, Refusal> {
        let (serve, weight) = match &node.value {
            Tree::Array(items) => match items.as_slice() {
                [serve] => (serve, None),
                [serve, weight] => (serve, Some(weight)),
                _ => return Ok(self.no_share(node, "a share has one or two elements")),
            },
            _ => return Ok(self.no_share(node, "a share is a list")),
        };
        if matches!(serve.value, Tree::Array(_)) {
            return Ok(self.no_share(serve, "a share names a variant, not a list"));
        }
        self.path.push(Piece::Index(0));
        let serve = self.expr(serve, place, depth)?;
        self.path.pop();
        let Some(node) = weight else {
            return Ok(Some(Arm {
                serve,
                weight: Weight::Fixed(1),
            }));
        };
        self.path.push(Piece::Index(1));
        let weight = self.expr(node, Place::Inner, depth)?;
        let weight = match weight.as_const() {
            None => Some(Weight::Computed(weight)),
            Some(value) => whole_weight(value.into())
                .and_then(|weight| u32::try_from(weight).ok())
                .map(Weight::Fixed),
        };
        let arm = match weight {
            Some(weight) => Some(Arm { serve, weight }),
            None => self.no_share(node, "a weight is a whole number"),
        };
        self.path.pop();
        Ok(arm)
    }

    fn no_share(&mut self, node: &Node, message: &str) -> Option<Arm> {
        let help = "write [\"variant\", weight]; as it is, `fractional` gives null for everyone";
        let finding = self.error(codes::SPLIT, node, message.into(), help);
        self.compiler.findings.push(*finding);
        None
    }
}
