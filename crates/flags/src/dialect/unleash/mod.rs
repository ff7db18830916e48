//! Unleash's features, as its client API and its exports give them.
//!
//! Source: Unleash's documentation of activation strategies, constraints, segments, variants,
//! stickiness and dependent features, its client specification, and the behaviour of its
//! open-source clients where those are silent.
//!
//! A feature is on or off, and has a variant besides. It becomes a list of rules: that its
//! parents are not as it needs them, then each strategy. The first that holds decides both.

mod constraints;
mod state;
mod strategies;
mod variants;

use super::shape::{self, wrong};
use crate::codes::{self, Refusal};
use crate::ir::{
    About, DefaultVariant, Expr, Flag, Gate, Kind, Metadata, Op, Origin, Prerequisite, Rule,
    RuleReason, Segment, State, Variant,
};
use crate::load::Draft;
use crate::pattern::Patterns;
use crate::quick::Quick;
use alloc::boxed::Box;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use nonevent_document::{Finding, Node, Value as Tree, item_path, member_path};
use state::{Placed, State as File};

/// The variants that every feature has.
const OFF: usize = 0;
const ON: usize = 1;
/// How many those are.
const BUILT_IN: usize = 2;

/// Reads a whole file.
pub(crate) fn read(root: &Node, draft: &mut Draft) -> Result<(), Refusal> {
    let file = File::read(root)?;
    let mut reader = Reader {
        segments: BTreeMap::new(),
        children: file.children(),
        patterns: Patterns::default(),
        findings: Vec::new(),
    };
    for segment in &file.segments {
        reader.segment(segment);
    }
    for feature in &file.features {
        if let Some(flag) = reader.feature(feature) {
            draft.flags.push(flag);
        }
    }
    draft.segments = reader.segments.into_values().flatten().collect();
    draft.findings.append(&mut reader.findings);
    Ok(())
}

/// What the features of one file share.
struct Reader<'n> {
    /// By number; `None` for one that is wrong.
    segments: BTreeMap<i64, Option<Arc<Segment>>>,
    /// Features that depend on others, which nothing may depend on.
    children: BTreeSet<&'n str>,
    patterns: Patterns,
    findings: Vec<Finding>,
}

impl<'n> Reader<'n> {
    fn segment(&mut self, segment: &Placed<'n>) {
        let Some(id) = segment.node.get("id").and_then(Node::as_i64) else {
            let help = "write a whole number as its `id`";
            self.note(
                segment.node,
                &segment.path,
                "the segment has no number",
                help,
            );
            return;
        };
        let body = constraints::all(segment.node, &segment.path, &mut self.patterns);
        let compiled = match body {
            Ok(body) => Some(Arc::new(Segment {
                name: format!("segment-{id}").into(),
                body: body.unwrap_or_else(|| Expr::constant(true)),
            })),
            Err(finding) => {
                self.findings.push(*finding);
                None
            }
        };
        self.segments.insert(id, compiled);
    }

    /// One feature; if its definition is wrong, a broken one that keeps its name.
    fn feature(&mut self, feature: &Placed<'n>) -> Option<Flag> {
        let Placed { node, path } = feature;
        let Some(name) = node.get("name").and_then(Node::as_str) else {
            self.note(
                node,
                path,
                "this feature has no name",
                "write a text as its `name`",
            );
            return None;
        };
        let mut flag = Flag {
            key: name.into(),
            state: State::Enabled,
            variants: Box::from([
                gated("off", false.into(), Gate::Off),
                gated("on", true.into(), Gate::On),
            ]),
            default: DefaultVariant::Variant(OFF),
            rules: Box::default(),
            quick: Quick::default(),
            metadata: metadata(node),
            about: about(node),
            origin: Origin {
                path: path.as_str().into(),
                at: Some(node.span.start),
            },
        };
        if let Err(finding) = self.definition(&mut flag, name, node, path) {
            if flag.state == State::Enabled {
                flag.state = State::Broken(Arc::from(&*finding.message));
            }
            self.findings.push(*finding);
        }
        Some(flag)
    }

    fn definition(
        &mut self,
        flag: &mut Flag,
        name: &str,
        node: &'n Node,
        path: &str,
    ) -> Result<(), Refusal> {
        match node.get("enabled").and_then(Node::as_bool) {
            Some(true) => {}
            Some(false) => flag.state = State::Disabled(Some(OFF)),
            None => {
                let message = "the feature does not say whether it is enabled";
                let help = "write `enabled`: true or false";
                return Err(wrong(codes::DEFINITION, node, path, message, help));
            }
        }
        let mut listed = core::mem::take(&mut flag.variants).into_vec();
        let mut rules = Vec::new();
        rules.extend(self.dependencies(node, path)?);
        let base = variants::of_feature(name, node, path, &mut listed, &mut self.findings)?;
        let (items, path) = list(node, path, "strategies")?;
        if items.is_empty() && rules.is_empty() && listed.len() == BUILT_IN {
            flag.default = DefaultVariant::Variant(ON);
        } else if items.is_empty() {
            rules.push(Rule {
                label: None,
                when: None,
                reason: reason(false, base.is_split),
                serve: base.serve.clone(),
            });
        }
        for (index, item) in items.iter().enumerate() {
            let path = item_path(&path, index);
            match self.strategy(name, item, &path, &base, &mut listed) {
                Ok(rule) => rules.push(rule),
                // One that is wrong is off; the others may still turn the feature on.
                Err(finding) => self.findings.push(*finding),
            }
        }
        flag.variants = listed.into();
        flag.rules = rules.into();
        Ok(())
    }

    /// The rule that turns a feature off whose parents are not as it needs them.
    fn dependencies(&mut self, node: &Node, path: &str) -> Result<Option<Rule>, Refusal> {
        let (items, path) = list(node, path, "dependencies")?;
        let mut wanted = Vec::with_capacity(items.len());
        for (index, item) in items.iter().enumerate() {
            let path = item_path(&path, index);
            let parent = text(item, &path, "feature")?;
            if self.children.contains(parent) {
                let message = format!("{parent:?} has dependencies itself, so this is never on");
                let help = "depend on the parent's parent, or on neither";
                self.note(item, &path, &message, help);
                wanted.push(Expr::constant(false));
                continue;
            }
            let on = item.get("enabled").and_then(Node::as_bool).unwrap_or(true);
            let (names, path) = list(item, &path, "variants")?;
            let mut variants = texts(names, &path)?;
            if !on {
                // A parent that is off has none.
                variants.clear();
            }
            wanted.push(Expr::Prerequisite(Box::new(Prerequisite {
                flag: parent.into(),
                on,
                variants: variants.into(),
            })));
        }
        Ok(Expr::joined(Op::And, wanted).map(|wanted| Rule {
            label: Some("dependencies".into()),
            when: Some(wanted.negated()),
            serve: Expr::Variant(OFF, "off".into()),
            reason: RuleReason::Default,
        }))
    }

    fn note(&mut self, node: &Node, path: &str, message: &str, help: &str) {
        let finding = Finding::error(codes::DEFINITION, path, message, help);
        self.findings.push(finding.spanning(&shape::place(node)));
    }
}

fn gated(name: &str, value: serde_json::Value, gate: Gate) -> Variant {
    Variant {
        name: name.into(),
        value,
        gate,
    }
}

const fn reason(targeted: bool, split: bool) -> RuleReason {
    match (targeted, split) {
        (true, _) => RuleReason::Targeting,
        (_, true) => RuleReason::Split,
        _ => RuleReason::Static,
    }
}

fn about(node: &Node) -> About {
    let text = |field: &str| node.get(field).and_then(Node::as_str);
    About {
        kind: text("type").and_then(|kind| match kind {
            "operational" | "kill-switch" => Some(Kind::Ops),
            kind => Kind::of(kind),
        }),
        description: text("description").map(Into::into),
        created: text("createdAt").and_then(|time| time.parse().ok()),
        // The format has no place for an owner.
        bare: true,
        ..About::default()
    }
}

/// What callers may want to know besides: whether impressions are to be reported, and so on.
fn metadata(node: &Node) -> Metadata {
    ["project", "type", "stale", "impressionData"]
        .into_iter()
        .filter_map(|name| {
            let value = node.get(name)?.to_json();
            (value.is_string() || value.is_boolean()).then(|| (name.into(), value))
        })
        .collect()
}

/// The text in this field.
fn text<'n>(node: &'n Node, path: &str, field: &str) -> Result<&'n str, Refusal> {
    node.get(field).and_then(Node::as_str).ok_or_else(|| {
        let message = format!("there is no text `{field}` here");
        let path = member_path(path, field);
        wrong(codes::DEFINITION, node, path, message, "add it")
    })
}

/// The list in this field, empty if there is none, and its path.
fn list<'n>(node: &'n Node, path: &str, field: &str) -> Result<(&'n [Node], String), Refusal> {
    let path = member_path(path, field);
    match node.get(field).map(|field| (&field.value, field)) {
        None | Some((Tree::Null, _)) => Ok((&[], path)),
        Some((Tree::Array(items), _)) => Ok((items, path)),
        Some((_, field)) => {
            let message = format!("`{}` is {}", path, field.kind());
            Err(wrong(
                codes::DEFINITION,
                field,
                path,
                message,
                "write a list",
            ))
        }
    }
}

/// All of these as texts.
fn texts(items: &[Node], path: &str) -> Result<Vec<Arc<str>>, Refusal> {
    let text = |(index, item): (usize, &Node)| {
        item.as_str().map(Arc::from).ok_or_else(|| {
            let message = format!("this is {}, not text", item.kind());
            let path = item_path(path, index);
            wrong(codes::DEFINITION, item, path, message, "write a text")
        })
    };
    items.iter().enumerate().map(text).collect()
}
