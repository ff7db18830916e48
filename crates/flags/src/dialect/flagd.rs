//! flagd's flag definitions.
//!
//! Source: flagd's JSON Schemas (`flags.json`, `targeting.json`) and its documentation of flag
//! definitions, custom operations and the rules for disabled flags and missing default variants.

use super::jsonlogic::{Compiler, Names};
use super::shape::{self, wrong};
use crate::codes::{self, Refusal};
use crate::ir::{
    DefaultVariant, Flag, HashMode, Metadata, Origin, Rule, RuleReason, State, Variant,
};
use crate::load::{Draft, Fractional, LoadOptions};
use crate::quick::Quick;
use alloc::boxed::Box;
use alloc::format;
use alloc::sync::Arc;
use alloc::vec::Vec;
use nonevent_document::{Finding, Member, Node, Value as Tree, item_path, member_path};

const FIELDS: [&str; 8] = [
    "key",
    "state",
    "variants",
    "defaultVariant",
    "targeting",
    "metadata",
    "source",
    "selector",
];

/// Reads a whole file.
pub(crate) fn read(root: &Node, options: &LoadOptions, draft: &mut Draft) -> Result<(), Refusal> {
    let Some(flags) = root.get("flags") else {
        let message = "there is no `flags` here";
        let help = "a flagd file has `flags`: a map from keys to flags";
        return Err(wrong(codes::NOT_FLAGS, root, "", message, help));
    };
    let hash = match options.fractional {
        Fractional::V1 => HashMode::FlagdV1,
        Fractional::V2 => HashMode::FlagdV2,
        Fractional::V3 => HashMode::FlagdV3,
    };
    let mut compiler = Compiler::new(hash, &options.limits);
    match root.get("$evaluators").map(|node| (&node.value, node)) {
        None | Some((Tree::Null, _)) => {}
        Some((Tree::Object(members), _)) => compiler.evaluators(members),
        Some((_, node)) => draft.findings.push(
            Finding::error(
                codes::DEFINITION,
                "$evaluators",
                format!("`$evaluators` is {}", node.kind()),
                "write a map from names to rules",
            )
            .spanning(&shape::place(node)),
        ),
    }
    if let Some(node) = root.get("metadata") {
        draft.metadata = metadata(node, "metadata", &mut draft.findings);
    }
    match &flags.value {
        Tree::Object(members) => {
            for Member { key, value, .. } in members {
                let path = member_path("flags", key);
                draft
                    .flags
                    .push(flag(key, value, &path, &mut compiler, &mut draft.findings));
            }
        }
        Tree::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                let path = item_path("flags", index);
                match item.get("key").and_then(Node::as_str) {
                    Some(key) if !key.is_empty() => {
                        let flag = flag(key, item, &path, &mut compiler, &mut draft.findings);
                        draft.flags.push(flag);
                    }
                    _ => draft.findings.push(
                        Finding::error(
                            codes::DEFINITION,
                            path,
                            "this flag has no key",
                            "flags in a list need a `key`",
                        )
                        .spanning(&shape::place(item)),
                    ),
                }
            }
        }
        _ => {
            let message = format!("`flags` is {}", flags.kind());
            let help = "write a map from keys to flags";
            return Err(wrong(codes::NOT_FLAGS, flags, "flags", message, help));
        }
    }
    draft.segments = compiler.segments();
    draft.findings.append(&mut compiler.findings);
    Ok(())
}

/// One flag; if its definition is wrong, a broken one that keeps its key and metadata.
fn flag<'n>(
    key: &str,
    node: &'n Node,
    path: &str,
    compiler: &mut Compiler<'n>,
    findings: &mut Vec<Finding>,
) -> Flag {
    let meta = node.get("metadata");
    let meta_path = member_path(path, "metadata");
    let mut flag = Flag {
        key: key.into(),
        state: State::Enabled,
        variants: Box::default(),
        default: DefaultVariant::Caller,
        rules: Box::default(),
        quick: Quick::default(),
        metadata: Box::default(),
        about: meta
            .map(|meta| shape::about(meta, &meta_path, findings))
            .unwrap_or_default(),
        origin: Origin {
            path: path.into(),
            at: Some(node.span.start),
        },
    };
    if let Some(meta) = meta {
        flag.metadata = metadata(meta, &meta_path, findings);
    }
    if let Err(finding) = definition(&mut flag, node, path, compiler, findings) {
        // Switched off is switched off, whatever else is wrong.
        if flag.state == State::Enabled {
            flag.state = State::Broken(Arc::from(&*finding.message));
        }
        findings.push(*finding);
    }
    flag
}

fn definition<'n>(
    flag: &mut Flag,
    node: &'n Node,
    path: &str,
    compiler: &mut Compiler<'n>,
    findings: &mut Vec<Finding>,
) -> Result<(), Refusal> {
    let refuse = |node: &Node, field: &str, message: &str, help: &str| {
        let path = if field.is_empty() {
            path.into()
        } else {
            member_path(path, field)
        };
        wrong(codes::DEFINITION, node, path, message, help)
    };
    let Tree::Object(members) = &node.value else {
        let message = format!("the flag is {}", node.kind());
        return Err(refuse(
            node,
            "",
            &message,
            "write an object with `state` and `variants`",
        ));
    };
    unknown_fields(members, path, findings);
    match node.get("state").map(|state| (state, state.as_str())) {
        Some((_, Some("ENABLED"))) => {}
        Some((_, Some("DISABLED"))) => flag.state = State::Disabled(None),
        Some((state, _)) => {
            let message = "the state is neither ENABLED nor DISABLED";
            return Err(refuse(state, "state", message, "write one of the two"));
        }
        None => findings.push(
            Finding::warning(
                codes::DEFINITION,
                path,
                "the flag has no state, so it is taken as enabled",
                "write `state: ENABLED`",
            )
            .spanning(&shape::place(node)),
        ),
    }
    let listed = node.get("variants");
    let Some(Tree::Object(variants)) = listed.map(|variants| &variants.value) else {
        let message = "the flag has no variants";
        return Err(refuse(
            node,
            "",
            message,
            "write `variants`: a map from names to values",
        ));
    };
    flag.variants = variants
        .iter()
        .map(|member| Variant::new(&member.key, member.value.to_json()))
        .collect();
    let at = shape::place(listed.unwrap_or(node));
    let conflict = |message| {
        let help = "give all variants of a flag one type, so that callers can ask for it";
        Finding::warning(
            codes::TYPE_CONFLICT,
            member_path(path, "variants"),
            message,
            help,
        )
        .spanning(&at)
    };
    let values = flag
        .variants
        .iter()
        .map(|variant| (&*variant.name, &variant.value));
    shape::one_type(values, conflict, findings);
    flag.default = default_variant(node, path, &flag.variants, findings)?;
    flag.rules = targeting(node, path, &flag.variants, compiler)?;
    Ok(())
}

fn unknown_fields(members: &[Member], path: &str, findings: &mut Vec<Finding>) {
    for member in members
        .iter()
        .filter(|member| !FIELDS.contains(&&*member.key))
    {
        let path = member_path(path, &member.key);
        let message = "flagd knows no such field, so it has no effect";
        let finding = match shape::similar(&member.key, &FIELDS) {
            Some(field) => {
                let help = format!("write `{field}`, if that is what is meant");
                Finding::warning(codes::UNKNOWN_FIELD, path, message, help)
            }
            None => {
                let help = "put it under `metadata`, if it is for people";
                Finding::note(codes::UNKNOWN_FIELD, path, message, help)
            }
        };
        findings.push(finding.spanning(&member.key_span));
    }
}

fn default_variant(
    node: &Node,
    path: &str,
    variants: &[Variant],
    findings: &mut Vec<Finding>,
) -> Result<DefaultVariant, Refusal> {
    let Some(default) = node.get("defaultVariant") else {
        return Ok(DefaultVariant::Caller);
    };
    let name = match &default.value {
        Tree::Null => return Ok(DefaultVariant::Caller),
        Tree::String(name) if name.is_empty() => return Ok(DefaultVariant::Caller),
        Tree::String(name) => name.as_str(),
        Tree::Bool(true) => "true",
        Tree::Bool(false) => "false",
        _ => {
            let path = member_path(path, "defaultVariant");
            let message = format!("the default variant is {}", default.kind());
            let help = "write the name of a variant, or null for the caller's default";
            return Err(wrong(codes::DEFINITION, default, path, message, help));
        }
    };
    if let Some(index) = variants.iter().position(|variant| *variant.name == *name) {
        return Ok(DefaultVariant::Variant(index));
    }
    findings.push(
        Finding::error(
            codes::UNDEFINED_VARIANT,
            member_path(path, "defaultVariant"),
            format!("the default variant {name:?} is not defined"),
            "name one of the variants",
        )
        .spanning(&shape::place(default)),
    );
    Ok(DefaultVariant::Undefined(name.into()))
}

/// The one rule that targeting is; none if it is empty.
fn targeting<'n>(
    node: &'n Node,
    path: &str,
    variants: &[Variant],
    compiler: &mut Compiler<'n>,
) -> Result<Box<[Rule]>, Refusal> {
    let Some(targeting) = node.get("targeting") else {
        return Ok(Box::default());
    };
    match &targeting.value {
        Tree::Null => return Ok(Box::default()),
        Tree::Object(members) if members.is_empty() => return Ok(Box::default()),
        Tree::Object(_) => {}
        _ => {
            let path = member_path(path, "targeting");
            let message = format!("the targeting is {}", targeting.kind());
            let help = "write a rule such as {\"if\": [condition, \"variant\"]}";
            return Err(wrong(codes::DEFINITION, targeting, path, message, help));
        }
    }
    let serve = compiler.rule(
        targeting,
        &member_path(path, "targeting"),
        Names::Of(variants),
    )?;
    let label = Some("targeting".into());
    Ok(Box::new([Rule {
        label,
        when: None,
        serve,
        reason: RuleReason::Targeting,
    }]))
}

/// Texts, numbers and booleans by name; anything else is left out with a finding.
fn metadata(node: &Node, path: &str, findings: &mut Vec<Finding>) -> Metadata {
    let wrong = |node: &Node, path: &str, help: &str| {
        let message = format!("metadata is {}", node.kind());
        Finding::error(codes::METADATA, path, message, help).spanning(&shape::place(node))
    };
    let Tree::Object(members) = &node.value else {
        if node.value != Tree::Null {
            findings.push(wrong(node, path, "write a map"));
        }
        return Box::default();
    };
    let mut entries = Vec::with_capacity(members.len());
    for member in members {
        match &member.value.value {
            Tree::Bool(_) | Tree::Number(_) | Tree::String(_) => {
                entries.push((Arc::from(&*member.key), member.value.to_json()));
            }
            _ => {
                let path = member_path(path, &member.key);
                findings.push(wrong(
                    &member.value,
                    &path,
                    "use texts, numbers and booleans only",
                ));
            }
        }
    }
    entries.into()
}
