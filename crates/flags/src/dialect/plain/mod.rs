//! The small files that teams start with: a name and a value each, or an object with a rollout
//! percentage, an allocation, or rules.
//!
//! Subjects are hashed as flagd's `fractional` does in version 2 with its shorthand, so a plain
//! flag that moves to flagd keeps everyone in the same share.

mod rules;
mod shares;

use super::shape::{self, wrong};
use crate::codes::{self, Refusal};
use crate::ir::{
    About, Arm, By, DefaultVariant, Expr, Flag, HashMode, Keyless, Origin, Rule, RuleReason, Split,
    State, Variant, Weight,
};
use crate::load::Draft;
use crate::quick::Quick;
use alloc::boxed::Box;
use alloc::format;
use alloc::vec;
use alloc::vec::Vec;
use nonevent_document::{Finding, Member, Node, Position, Value as Tree, item_path, member_path};
use rules::{always, conditions};
use shares::{EVERYONE, allocation, basis_points, variants};

const FIELDS: [&str; 10] = [
    "enabled",
    "always",
    "rollout_percentage",
    "variants",
    "allocation",
    "rules",
    "match",
    "value",
    "key",
    "id",
];

/// Reads a whole file: `{flags: …}`, a list of flags, or one flag.
pub(crate) fn read(root: &Node, draft: &mut Draft) -> Result<(), Refusal> {
    if let Some(flags) = root.get("flags") {
        match &flags.value {
            Tree::Object(members) => {
                for Member { key, value, .. } in members {
                    draft.flag(key, value, &member_path("flags", key));
                }
                return Ok(());
            }
            Tree::Array(items) => {
                draft.list(items, "flags");
                return Ok(());
            }
            _ => return Err(not_flags(flags, "flags")),
        }
    }
    match &root.value {
        Tree::Array(items) => draft.list(items, ""),
        Tree::Object(_) if root.get("name").is_some() => draft.named(root, ""),
        _ => return Err(not_flags(root, "")),
    }
    Ok(())
}

fn not_flags(node: &Node, path: &str) -> Refusal {
    let help = "write `flags`: a map from names to values or objects";
    wrong(
        codes::NOT_FLAGS,
        node,
        path,
        "there are no flags here",
        help,
    )
}

/// A flag that always has this value.
pub(crate) fn bare(key: &str, value: serde_json::Value, path: &str, at: Option<Position>) -> Flag {
    let (variants, default) = match value.as_bool() {
        Some(value) => (on_and_off(), if value { ON } else { OFF }),
        None => (Box::from([Variant::new("value", value)]), 0),
    };
    Flag {
        key: key.into(),
        state: State::Enabled,
        variants,
        default: DefaultVariant::Variant(default),
        rules: Box::default(),
        quick: Quick::default(),
        metadata: Box::default(),
        about: About {
            bare: true,
            ..About::default()
        },
        origin: Origin {
            path: path.into(),
            at,
        },
    }
}

const ON: usize = 0;
const OFF: usize = 1;

fn on_and_off() -> Box<[Variant]> {
    Box::from([Variant::new("on", true), Variant::new("off", false)])
}

impl Draft {
    fn list(&mut self, items: &[Node], path: &str) {
        for (index, item) in items.iter().enumerate() {
            self.named(item, &item_path(path, index));
        }
    }

    /// A flag that says its name itself.
    fn named(&mut self, item: &Node, path: &str) {
        match item
            .get("name")
            .and_then(Node::as_str)
            .filter(|name| !name.is_empty())
        {
            Some(name) => self.flag(name, item, path),
            None => self.findings.push(
                Finding::error(
                    codes::DEFINITION,
                    path,
                    "this flag has no name",
                    "flags in a list need a `name`",
                )
                .spanning(&shape::place(item)),
            ),
        }
    }

    fn flag(&mut self, key: &str, node: &Node, path: &str) {
        let at = Some(node.span.start);
        let flag = match &node.value {
            Tree::Bool(_) | Tree::Number(_) | Tree::String(_) => {
                bare(key, node.to_json(), path, at)
            }
            Tree::Object(_) => {
                let mut flag = bare(key, false.into(), path, at);
                flag.about = shape::about(node, path, &mut self.findings);
                if let Err(finding) = definition(&mut flag, node, path, &mut self.findings) {
                    self.broken(&mut flag, *finding);
                }
                flag
            }
            _ => {
                let mut flag = bare(key, false.into(), path, at);
                let message = format!("the flag is {}", node.kind());
                let help = "write true, false, a number, a text or an object";
                let refusal = wrong(codes::DEFINITION, node, path, message, help);
                self.broken(&mut flag, *refusal);
                flag
            }
        };
        self.flags.push(flag);
    }

    fn broken(&mut self, flag: &mut Flag, finding: Finding) {
        if flag.state == State::Enabled {
            flag.state = State::Broken((&*finding.message).into());
        }
        self.findings.push(finding);
    }
}

/// Notes unknown fields. One that looks like a misspelt field refuses the flag: without
/// `rollout_percentage`, say, it would be on for everyone.
fn unknown_fields(
    members: &[Member],
    path: &str,
    findings: &mut Vec<Finding>,
) -> Result<(), Refusal> {
    let mut fields = Vec::from(FIELDS);
    fields.extend(shape::ABOUT_FIELDS);
    for member in members
        .iter()
        .filter(|member| !fields.contains(&&*member.key))
    {
        let path = member_path(path, &member.key);
        if let Some(field) = shape::similar(&member.key, &fields) {
            let message = format!("{:?} is no field of a flag", member.key);
            let help = format!("write `{field}`, if that is what is meant; otherwise rename it");
            let finding = Finding::error(codes::UNKNOWN_FIELD, path, message, help);
            return Err(finding.spanning(&member.key_span).into());
        }
        findings.push(
            Finding::note(
                codes::UNKNOWN_FIELD,
                path,
                "a plain flag has no such field, so it has no effect",
                "leave it, if it is for people",
            )
            .spanning(&member.key_span),
        );
    }
    Ok(())
}

fn definition(
    flag: &mut Flag,
    node: &Node,
    path: &str,
    findings: &mut Vec<Finding>,
) -> Result<(), Refusal> {
    unknown_fields(node.as_object().unwrap_or_default(), path, findings)?;
    let says = [
        "enabled",
        "rollout_percentage",
        "variants",
        "allocation",
        "rules",
        "value",
    ];
    if says.iter().all(|field| node.get(field).is_none()) {
        let help = "write at least `enabled: true` or `enabled: false`";
        let message = "the flag does not say whom it is on for";
        return Err(wrong(codes::DEFINITION, node, path, message, help));
    }
    let experiment = node.get("variants").is_some() || node.get("allocation").is_some();
    let valued = node.get("value").is_some();
    match node.get("enabled").map(|node| (node, node.as_bool())) {
        None | Some((_, Some(true))) => {}
        // A switched-off feature is off, whatever default its callers have.
        Some((_, Some(false))) => {
            let off = (!experiment && !valued).then_some(OFF);
            flag.state = State::Disabled(off);
        }
        Some((node, None)) => {
            let path = member_path(path, "enabled");
            let message = format!("`enabled` is {}", node.kind());
            return Err(wrong(
                codes::DEFINITION,
                node,
                path,
                message,
                "write true or false",
            ));
        }
    }
    let percentage = node.get("rollout_percentage");
    if [experiment, valued, percentage.is_some()]
        .iter()
        .filter(|there| **there)
        .count()
        > 1
    {
        let message = "`value`, `rollout_percentage` and `variants` exclude each other";
        return Err(wrong(
            codes::DEFINITION,
            node,
            path,
            message,
            "keep one of them",
        ));
    }
    let when = conditions(node, path)?;
    let first = always(node, path, experiment || valued)?;
    let share = if experiment {
        flag.variants = variants(node, path)?;
        flag.default = DefaultVariant::Caller;
        allocation(node, path, &flag.variants, findings)?
    } else if let Some(value) = node.get("value") {
        flag.variants = Box::from([Variant::new("value", value.to_json())]);
        flag.default = DefaultVariant::Caller;
        vec![EVERYONE]
    } else {
        flag.default = DefaultVariant::Variant(OFF);
        let on = match percentage {
            None => EVERYONE,
            Some(node) => basis_points(node, &member_path(path, "rollout_percentage"))?,
        };
        vec![on, EVERYONE - on]
    };
    serve(flag, when, &share);
    // Where everyone has it, there is nobody to come first.
    let is_open = flag.rules.is_empty() && flag.default == DefaultVariant::Variant(ON);
    if let Some(first) = first.filter(|_| !is_open) {
        let rule = Rule {
            label: Some("always".into()),
            when: Some(first),
            serve: Expr::Variant(ON, "on".into()),
            reason: RuleReason::Targeting,
        };
        let mut rules = vec![rule];
        rules.extend(core::mem::take(&mut flag.rules));
        flag.rules = rules.into();
    }
    Ok(())
}

/// Turns the shares into the flag's one rule, or into a static value where everyone has the same.
fn serve(flag: &mut Flag, when: Option<Expr>, shares: &[u32]) {
    let whole = shares.iter().position(|share| *share == EVERYONE);
    if let (None, Some(index)) = (&when, whole) {
        flag.default = DefaultVariant::Variant(index);
        return;
    }
    let named = |index: usize| {
        let name = flag.variants.get(index).map(|variant| variant.name.clone());
        Expr::Variant(index, name.unwrap_or_else(|| "".into()))
    };
    let (serve, reason, label) = match whole {
        Some(index) => (named(index), RuleReason::Targeting, "rules"),
        None => {
            let arm = |(index, weight): (usize, &u32)| Arm {
                serve: named(index),
                weight: Weight::Fixed(*weight),
            };
            let split = Split {
                by: By::FlagAndTargetingKey,
                hash: HashMode::FlagdV2,
                keyless: Keyless::Error,
                arms: shares.iter().enumerate().map(arm).collect(),
            };
            let label = if flag.default == DefaultVariant::Caller {
                "allocation"
            } else {
                "rollout"
            };
            (Expr::Split(Box::new(split)), RuleReason::Split, label)
        }
    };
    flag.rules = Box::new([Rule {
        label: Some(label.into()),
        when,
        serve,
        reason,
    }]);
}
