//! What is served: a variation, or shares of several.

use super::{Reader, USER, list};
use crate::codes::{self, Refusal};
use crate::dialect::shape::{place, wrong};
use crate::ir::{Expr, Flag};
use crate::kinds::{Attribute, Fraction, Rollout, SHARES};
use alloc::boxed::Box;
use alloc::format;
use alloc::string::ToString;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::cmp::Ordering;
use nonevent_document::{Finding, Node, item_path, member_path};

impl Reader<'_> {
    /// What `node` serves, and whether that is in shares. `of_flag` is the flag, whose salt it is.
    pub(super) fn serve(
        &mut self,
        flag: &Flag,
        node: &Node,
        path: &str,
        of_flag: &Node,
    ) -> Result<(Expr, bool), Refusal> {
        if let Some(variation) = node.get("variation").filter(|it| !it.is_null()) {
            return Ok((self.variation(flag, variation, path), false));
        }
        let Some(rollout) = node.get("rollout").filter(|it| !it.is_null()) else {
            let message = "neither a variation nor a rollout is said";
            return Ok((self.malformed(node, path, message), false));
        };
        let path = member_path(path, "rollout");
        let arms = list(rollout, &path, "variations")?;
        if arms.is_empty() {
            let message = "the rollout has no variations";
            return Ok((self.malformed(rollout, &path, message), false));
        }
        let path_of = |at: usize| item_path(&member_path(&path, "variations"), at);
        let mut shares = Vec::with_capacity(arms.len());
        for (at, arm) in arms.iter().enumerate() {
            let path = path_of(at);
            let weight = arm.get("weight").map_or(Some(0), Node::as_u64);
            let Some(weight) = weight.and_then(|weight| u32::try_from(weight).ok()) else {
                let path = member_path(&path, "weight");
                let help = "write a whole number of 100000";
                let message = "this is no weight";
                return Err(wrong(codes::SPLIT, arm, path, message, help));
            };
            let serve = match arm.get("variation") {
                Some(variation) => self.variation(flag, variation, &path),
                // As SDKs read a number that is not there.
                None => self.variation_at(flag, 0, arm, &path),
            };
            shares.push((weight, serve));
        }
        self.check_sum(rollout, &path, &shares);
        let is_experiment = rollout.get("kind").and_then(Node::as_str) == Some("experiment");
        let divided = self.fraction(rollout, &path, (&flag.key, of_flag), !is_experiment)?;
        let fraction = match divided {
            Ok(fraction) => fraction,
            Err(malformed) => return Ok((malformed, false)),
        };
        let rollout = Rollout {
            fraction,
            arms: shares.into(),
        };
        Ok((Expr::Rollout(Box::new(rollout)), true))
    }

    /// Weights are parts of a whole that does not depend on them.
    fn check_sum(&mut self, rollout: &Node, path: &str, shares: &[(u32, Expr)]) {
        let sum: u64 = shares.iter().map(|(weight, _)| u64::from(*weight)).sum();
        let what = match sum.cmp(&u64::from(SHARES)) {
            Ordering::Equal => return,
            Ordering::Less => "the last variation gets what is missing",
            Ordering::Greater => "what is beyond is never reached",
        };
        let message = format!("the weights sum to {sum}, not {SHARES}: {what}");
        let help = "let them sum to 100000, which is everybody";
        let at = rollout.get("variations").unwrap_or(rollout);
        let path = member_path(path, "variations");
        let finding = Finding::warning(codes::SPLIT, path, message, help);
        self.findings.push(finding.spanning(&place(at)));
    }

    fn variation(&mut self, flag: &Flag, node: &Node, path: &str) -> Expr {
        match node.as_u64().and_then(|at| usize::try_from(at).ok()) {
            Some(at) => self.variation_at(flag, at, node, path),
            None => self.malformed(node, path, "this is no variation's number"),
        }
    }

    pub(super) fn variation_at(&mut self, flag: &Flag, at: usize, node: &Node, path: &str) -> Expr {
        match flag.variants.get(at) {
            Some(variant) => Expr::Variant(at, Arc::clone(&variant.name)),
            None => self.malformed(
                node,
                path,
                "a variation is named that the flag does not have",
            ),
        }
    }

    /// An error for whom it comes to that, and a finding.
    pub(super) fn malformed(&mut self, node: &Node, path: &str, message: &'static str) -> Expr {
        let help = "whoever gets here gets the caller's default: name one of the flag's variations";
        self.findings
            .push(*wrong(codes::UNDEFINED_VARIANT, node, path, message, help));
        Expr::Malformed(message)
    }

    /// What a rollout, or a rule of a segment, divides subjects by; an error for whom it comes to
    /// that, if it is no attribute. `of` is whose salt it is.
    pub(super) fn fraction(
        &mut self,
        node: &Node,
        path: &str,
        (key, of): (&str, &Node),
        may_choose: bool,
    ) -> Result<Result<Fraction, Expr>, Refusal> {
        let text = |node: &Node, field: &str| -> Option<Arc<str>> {
            let text = node.get(field).and_then(Node::as_str);
            text.filter(|text| !text.is_empty()).map(Arc::from)
        };
        let kind_named = text(node, "contextKind").or_else(|| text(node, "rolloutContextKind"));
        let kind = kind_named.clone().unwrap_or_else(|| USER.into());
        let by = text(node, "bucketBy").filter(|_| may_choose);
        let by = match by {
            None => Attribute {
                kind,
                name: "key".into(),
                inner: Box::default(),
            },
            Some(name) => match attribute(&kind, &name, kind_named.is_some()) {
                Some(attribute) => attribute,
                None => {
                    let path = member_path(path, "bucketBy");
                    let message = "what subjects are divided by is no reference to an attribute";
                    return Ok(Err(self.malformed(node, &path, message)));
                }
            },
        };
        let salt = match node.get("seed").filter(|seed| !seed.is_null()) {
            Some(seed) => match seed.as_i64() {
                Some(seed) => format!("{seed}."),
                None => {
                    let path = member_path(path, "seed");
                    let help = "write a whole number";
                    return Err(wrong(codes::SPLIT, seed, path, "this is no seed", help));
                }
            },
            None => {
                let salt = of.get("salt").and_then(Node::as_str).unwrap_or_default();
                format!("{key}.{salt}.")
            }
        };
        Ok(Ok(Fraction {
            salt: salt.into(),
            by,
        }))
    }
}

/// An attribute by its name or, where a kind is named and it begins with `/`, by a path whose parts
/// have `~1` for `/` and `~0` for `~`.
pub(super) fn attribute(kind: &str, text: &str, is_reference: bool) -> Option<Attribute> {
    let plain = |name: &str| Attribute {
        kind: kind.into(),
        name: name.into(),
        inner: Box::default(),
    };
    let Some(path) = text.strip_prefix('/').filter(|_| is_reference) else {
        return (!text.is_empty()).then(|| plain(text));
    };
    let mut parts = Vec::new();
    for part in path.split('/') {
        let mut name = alloc::string::String::new();
        let mut pieces = part.split('~');
        name.push_str(pieces.next().filter(|_| !part.is_empty())?);
        for piece in pieces {
            let (escaped, rest) = match piece.split_at_checked(1)? {
                ("0", rest) => ('~', rest),
                ("1", rest) => ('/', rest),
                _ => return None,
            };
            name.push(escaped);
            name.push_str(rest);
        }
        parts.push(Arc::<str>::from(name));
    }
    let first = parts.remove(0);
    Some(Attribute {
        inner: parts.into(),
        ..plain(&first)
    })
}

/// Says that something is not known here.
pub(super) fn unknown(node: &Node, path: &str, message: alloc::string::String) -> Finding {
    let help = "it holds for nobody; what is known is in the documentation of this crate";
    let mut finding = Finding::warning(codes::UNKNOWN_OPERATOR, path.to_string(), message, help);
    finding.at = Some(node.span.start);
    finding
}
