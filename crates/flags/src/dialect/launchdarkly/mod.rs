//! LaunchDarkly's flag data for servers.
//!
//! Source: the public data model of LaunchDarkly's server-side SDKs and their public test data. A
//! flag that is on serves the first of: the target that names the subject, the rule whose clauses
//! all hold, the fallthrough. One that is off, or of which a prerequisite is not met, serves its off
//! variation.

mod clauses;
mod segments;
mod serving;

use super::shape::wrong;
use crate::codes::{self, Refusal};
use crate::ir::{
    About, DefaultVariant, Expr, Flag, Gate, Op, Origin, Rule, RuleReason, Segment, Serves, State,
    Variant,
};
use crate::kinds::{Attribute, Clause, Of, Test};
use crate::load::Draft;
use crate::pattern::Patterns;
use crate::quick::Quick;
use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::ToString;
use alloc::sync::Arc;
use alloc::vec::Vec;
use nonevent_document::{Finding, Member, Node, Value as Tree, item_path, member_path};

/// The kind of a context where the data name none.
const USER: &str = "user";

/// What the definitions of one file share.
struct Reader<'d> {
    /// Segments by key, with their places.
    segments: BTreeMap<&'d str, u32>,
    patterns: Patterns,
    findings: Vec<Finding>,
}

/// Reads a whole file: `flags` and `segments` as SDKs get them, and `flagValues` as files for SDKs
/// may have them.
pub(crate) fn read(root: &Node, draft: &mut Draft) -> Result<(), Refusal> {
    // What a stream puts has the data one level further in.
    let data = root.get("data").filter(|data| data.get("flags").is_some());
    let (root, base) = data.map_or((root, ""), |data| (data, "data"));
    let at = |name: &str| match base {
        "" => name.to_string(),
        base => member_path(base, name),
    };
    let none: &[Member] = &[];
    let members = |name: &str| match root.get(name).map(|node| &node.value) {
        Some(Tree::Object(members)) => members.as_slice(),
        _ => none,
    };
    if root.get("flags").is_none() && root.get("flagValues").is_none() {
        let message = "there is no map `flags` here";
        let help = "LaunchDarkly's data have `flags`: a map from keys to flags";
        return Err(wrong(codes::NOT_FLAGS, root, "", message, help));
    }
    let segments = members("segments");
    let places = (0..).zip(segments).map(|(place, it)| (&*it.key, place));
    let mut reader = Reader {
        segments: places.collect(),
        patterns: Patterns::default(),
        findings: Vec::new(),
    };
    for Member { key, value, .. } in segments {
        let path = member_path(&at("segments"), key);
        let body = reader.segment(key, value, &path);
        draft.segments.push(Arc::new(Segment {
            name: (&**key).into(),
            body,
        }));
    }
    for Member { key, value, .. } in members("flags") {
        let path = member_path(&at("flags"), key);
        let flag = reader.flag(key, value, &path);
        draft.flags.push(flag);
    }
    for Member { key, value, .. } in members("flagValues") {
        let path = member_path(&at("flagValues"), key);
        draft.flags.push(plain_value(key, value, &path));
    }
    draft.findings.append(&mut reader.findings);
    Ok(())
}

fn empty(key: &str, node: &Node, path: &str) -> Flag {
    Flag {
        key: key.into(),
        state: State::Enabled,
        variants: Box::default(),
        default: DefaultVariant::Caller,
        rules: Box::default(),
        quick: Quick::default(),
        metadata: Box::default(),
        // The format has no place for an owner.
        about: About {
            bare: true,
            ..About::default()
        },
        origin: Origin {
            path: path.into(),
            at: Some(node.span.start),
        },
    }
}

/// A key with a value and nothing else.
fn plain_value(key: &str, node: &Node, path: &str) -> Flag {
    Flag {
        variants: Box::from([Variant {
            name: "0".into(),
            value: node.to_json(),
            gate: Gate::None,
        }]),
        default: DefaultVariant::Variant(0),
        ..empty(key, node, path)
    }
}

impl<'d> Reader<'d> {
    /// One flag; if its definition is wrong, a broken one that keeps its key.
    fn flag(&mut self, key: &str, node: &'d Node, path: &str) -> Flag {
        let mut flag = empty(key, node, path);
        if let Err(finding) = self.definition(&mut flag, node, path) {
            flag.state = State::Broken(Arc::from(&*finding.message));
            self.findings.push(*finding);
        }
        flag
    }

    fn definition(&mut self, flag: &mut Flag, node: &'d Node, path: &str) -> Result<(), Refusal> {
        if node.as_object().is_none() {
            let help = "write an object with `on`, `variations` and `fallthrough`";
            return Err(wrong(
                codes::DEFINITION,
                node,
                path,
                "a flag is an object",
                help,
            ));
        }
        let variations = list(node, path, "variations")?;
        flag.variants = variations
            .iter()
            .enumerate()
            .map(|(at, value)| Variant {
                name: at.to_string().into(),
                value: value.to_json(),
                gate: Gate::None,
            })
            .collect();
        let off = self.off(flag, node, path)?;
        if !node.get("on").and_then(Node::as_bool).unwrap_or_default() {
            flag.state = off;
            return Ok(());
        }
        let mut rules = Vec::new();
        let unmet = self.unmet(node, path)?;
        let serve = match &off {
            State::Disabled(None) => None,
            State::Disabled(Some(off)) => Some(self.variation_at(flag, *off, node, path)),
            _ => Some(Expr::Malformed(
                "the off variation is none of the flag's variations",
            )),
        };
        let has_off = serve.is_some();
        if let (Some(unmet), Some(serve)) = (&unmet, serve) {
            rules.push(Rule {
                label: Some("prerequisites".into()),
                when: Some(unmet.clone()),
                serve,
                reason: RuleReason::Disabled,
            });
        }
        self.targets(flag, node, path, &mut rules)?;
        for (at, rule) in list(node, path, "rules")?.iter().enumerate() {
            let path = item_path(&member_path(path, "rules"), at);
            rules.push(self.rule(flag, rule, &path, node)?);
        }
        let fallthrough = node.get("fallthrough").unwrap_or(node);
        let (serve, is_split) =
            self.serve(flag, fallthrough, &member_path(path, "fallthrough"), node)?;
        rules.push(Rule {
            label: Some("fallthrough".into()),
            when: None,
            serve,
            reason: if is_split {
                RuleReason::Split
            } else {
                RuleReason::Default
            },
        });
        if let (Some(unmet), false) = (unmet, has_off) {
            // Without an off variation it is the caller's default.
            let met = unmet.negated();
            for rule in &mut rules {
                let both = [Some(met.clone()), rule.when.take()];
                rule.when = Expr::joined(Op::And, both.into_iter().flatten().collect());
            }
        }
        flag.rules = rules.into();
        Ok(())
    }

    /// What holds if a prerequisite is not met; `None` if there are none.
    fn unmet(&mut self, node: &Node, path: &str) -> Result<Option<Expr>, Refusal> {
        let mut all = Vec::new();
        for (at, wanted) in list(node, path, "prerequisites")?.iter().enumerate() {
            let path = item_path(&member_path(path, "prerequisites"), at);
            let flag = wanted.get("key").and_then(Node::as_str);
            let variation = wanted.get("variation").map_or(Some(0), Node::as_u64);
            let (Some(flag), Some(variation)) = (flag, variation) else {
                let message = "a prerequisite names a flag and a variation";
                let help = "write `key` and `variation`, a whole number";
                return Err(wrong(codes::REFERENCE, wanted, path, message, help));
            };
            let met = Expr::Serves(Box::new(Serves {
                flag: flag.into(),
                variant: variation.to_string().into(),
            }));
            all.push(met.negated());
        }
        Ok(Expr::joined(Op::Or, all))
    }

    /// The state of a flag that is off.
    fn off(&self, flag: &Flag, node: &Node, path: &str) -> Result<State, Refusal> {
        let Some(off) = node.get("offVariation").filter(|off| !off.is_null()) else {
            return Ok(State::Disabled(None));
        };
        let found = off.as_u64().and_then(|at| usize::try_from(at).ok());
        match found.filter(|at| *at < flag.variants.len()) {
            Some(at) => Ok(State::Disabled(Some(at))),
            // A flag that is on has no use for it.
            None => Ok(State::Broken({
                let path = member_path(path, "offVariation");
                format!("{path} is no variation").into()
            })),
        }
    }

    /// Subjects that are named. Where there are `contextTargets`, those say the order, and those of
    /// users among them stand for the `targets` of the same variation.
    fn targets(
        &mut self,
        flag: &Flag,
        node: &Node,
        path: &str,
        rules: &mut Vec<Rule>,
    ) -> Result<(), Refusal> {
        let users = list(node, path, "targets")?;
        let contexts = list(node, path, "contextTargets")?;
        let variation = |target: &Node| target.get("variation").and_then(Node::as_u64);
        let mut push = |target: &Node, kind: &str, values: &Node, path: &str| {
            let keys = texts(values, path, "values")?;
            let (serve, _) = self.serve(flag, target, path, node)?;
            if !keys.is_empty() {
                rules.push(Rule {
                    label: Some(format!("target {kind}").into()),
                    when: Some(key_in(kind, keys)),
                    serve,
                    reason: RuleReason::Targeting,
                });
            }
            Ok::<_, Refusal>(())
        };
        let listed = if contexts.is_empty() { users } else { contexts };
        let field = if contexts.is_empty() {
            "targets"
        } else {
            "contextTargets"
        };
        for (at, target) in listed.iter().enumerate() {
            let path = item_path(&member_path(path, field), at);
            let kind = target.get("contextKind").and_then(Node::as_str);
            let kind = kind.filter(|kind| !kind.is_empty()).unwrap_or(USER);
            if contexts.is_empty() || kind != USER {
                push(target, kind, target, &path)?;
                continue;
            }
            for user in users
                .iter()
                .filter(|user| variation(user) == variation(target))
            {
                push(target, USER, user, &path)?;
            }
        }
        Ok(())
    }

    fn rule(
        &mut self,
        flag: &Flag,
        node: &'d Node,
        path: &str,
        of_flag: &Node,
    ) -> Result<Rule, Refusal> {
        let when = self.clauses(node, path)?;
        let (serve, is_split) = self.serve(flag, node, path, of_flag)?;
        Ok(Rule {
            label: node.get("id").and_then(Node::as_str).map(Arc::from),
            when,
            serve,
            reason: if is_split {
                RuleReason::Split
            } else {
                RuleReason::Targeting
            },
        })
    }
}

/// Whether the key of the context of a kind is one of these.
fn key_in(kind: &str, keys: Vec<serde_json::Value>) -> Expr {
    Expr::Clause(Box::new(Clause {
        of: Of::Attribute(Attribute {
            kind: kind.into(),
            name: "key".into(),
            inner: Box::default(),
        }),
        test: Test::In(Box::new(crate::ir::Literal::new(keys.into()))),
        negated: false,
    }))
}

/// The list in this field; an empty one if there is none.
fn list<'n>(node: &'n Node, path: &str, field: &str) -> Result<&'n [Node], Refusal> {
    match node.get(field).map(|found| (&found.value, found)) {
        Some((Tree::Array(items), _)) => Ok(items),
        None | Some((Tree::Null, _)) => Ok(&[]),
        Some((_, found)) => {
            let message = format!("`{field}` is no list");
            let path = member_path(path, field);
            Err(wrong(
                codes::DEFINITION,
                found,
                path,
                message,
                "write a list",
            ))
        }
    }
}

/// The texts in the list in this field.
fn texts(node: &Node, path: &str, field: &str) -> Result<Vec<serde_json::Value>, Refusal> {
    let items = list(node, path, field)?.iter().enumerate();
    let text = |(at, item): (usize, &Node)| match item.as_str() {
        Some(text) => Ok(text.into()),
        None => {
            let path = item_path(&member_path(path, field), at);
            let help = "write it in quotes";
            Err(wrong(
                codes::DEFINITION,
                item,
                path,
                "a key is a text",
                help,
            ))
        }
    };
    items.map(text).collect()
}
