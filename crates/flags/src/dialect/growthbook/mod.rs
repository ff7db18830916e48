//! GrowthBook's features, experiments and saved groups, as its API gives them to SDKs.
//!
//! Source: GrowthBook's documentation for those who build SDKs, in the version of its specification
//! that the test data calls 6: values are compared without coercion between types, and a condition
//! that uses what an SDK does not know holds for nobody, negated or not.
//!
//! A feature has rules, tried in order: one forces a value, perhaps for a share of the subjects, or
//! divides them among the variations of an experiment. What a context has beyond its attributes is in
//! its attribute `__gb`: `enabled`, `qaMode`, `forcedVariations` (a map from an experiment's key to a
//! variation's number) and `stickyBuckets` (a map from `ATTRIBUTE||VALUE` to documents with
//! `assignments`); without the last, no assignment is remembered. The page that is open is `url`.

mod conditions;
mod experiments;
mod groups;
mod rules;

use super::shape::wrong;
use crate::codes::{self, Refusal};
use crate::encrypted::DecryptionKey;
use crate::ir::{About, DefaultVariant, Flag, Origin, State, Variant};
use crate::load::{Draft, LoadOptions};
use crate::pattern::Patterns;
use crate::quick::Quick;
use alloc::boxed::Box;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;
use groups::Groups;
use nonevent_document::{Finding, Member, Node, Value as Tree, item_path, member_path};

/// Reads a whole file.
pub(crate) fn read(root: &Node, options: &LoadOptions, draft: &mut Draft) -> Result<(), Refusal> {
    let features = root.get("features");
    let experiments = root.get("experiments").and_then(Node::as_array);
    let features = match features.map(|features| &features.value) {
        Some(Tree::Object(members)) => &members[..],
        None if experiments.is_some() => &[],
        _ => {
            if root.get("encryptedFeatures").is_some() {
                let help = "give the decryption key of its SDK connection (--decryption-key-file)";
                let message = "the features are encrypted";
                return Err(wrong(codes::NOT_FLAGS, root, "", message, help));
            }
            let message = "there is no map `features` here";
            let help = "a file of GrowthBook has `features`: a map from keys to features";
            return Err(wrong(codes::NOT_FLAGS, root, "", message, help));
        }
    };
    let mut reader = Reader {
        groups: Groups::new(root.get("savedGroups")),
        bandits: root.get("contextualBandits"),
        patterns: Patterns::default(),
        findings: Vec::new(),
        nodes_max: options.limits.expression_nodes_max,
        nodes: 0,
        depth_max: options.limits.expression_depth_max,
        depth: 0,
        deepest: 0,
        too_large: false,
    };
    reader.check_groups();
    for Member { key, value, .. } in features {
        let path = member_path("features", key);
        let flag = reader.flag(key, value, &path, Reader::feature);
        draft.flags.push(flag);
    }
    for (at, node) in experiments.unwrap_or_default().iter().enumerate() {
        let path = item_path("experiments", at);
        let Some(key) = node.get("key").and_then(Node::as_str) else {
            let help = "add it: it is what subjects are divided by";
            let message = "the experiment has no `key`";
            let finding = wrong(codes::DEFINITION, node, path, message, help);
            reader.findings.push(*finding);
            continue;
        };
        let flag = reader.flag(key, node, &path, Reader::experiment_flag);
        draft.flags.push(flag);
    }
    draft.findings.append(&mut reader.findings);
    Ok(())
}

/// What may be encrypted, and what it is when it is not.
const ENCRYPTED: [(&str, &str); 3] = [
    ("encryptedFeatures", "features"),
    ("encryptedExperiments", "experiments"),
    ("encryptedSavedGroups", "savedGroups"),
];

/// The file with its encrypted parts opened; `None` if it has none.
pub(crate) fn decrypted(root: &Node, key: &DecryptionKey) -> Result<Option<String>, Refusal> {
    let has = |(name, _): &(&str, &str)| text(root, name).is_some();
    if !ENCRYPTED.iter().any(has) {
        return Ok(None);
    }
    let mut opened = root.to_json();
    for (name, plain) in ENCRYPTED {
        let Some(part) = root.get(name) else {
            continue;
        };
        let help = "use the key and the file of the same SDK connection";
        let wrong = |message: String| wrong(codes::NOT_FLAGS, part, name, message, help);
        let found = key.decrypt(part.as_str().unwrap_or_default());
        let found = found.map_err(|why| wrong(why.to_string()))?;
        let found: serde_json::Value = serde_json::from_str(&found)
            .map_err(|why| wrong(format!("what is encrypted is no JSON: {why}")))?;
        opened[plain] = found;
    }
    Ok(Some(opened.to_string()))
}

/// What is shared by all flags of a file.
struct Reader<'n> {
    groups: Groups<'n>,
    bandits: Option<&'n Node>,
    patterns: Patterns,
    findings: Vec<Finding>,
    /// How many tests one flag may have, those of saved groups counted as often as they are used.
    nodes_max: usize,
    nodes: usize,
    /// How deep they may nest, those of saved groups within those that name them.
    depth_max: usize,
    depth: usize,
    /// The deepest so far.
    deepest: usize,
    too_large: bool,
}

/// Reads a flag's definition into it.
type Define<'n> = fn(&mut Reader<'n>, &mut Flag, &'n Node, &str) -> Result<(), Refusal>;

impl<'n> Reader<'n> {
    /// One flag; if its definition is wrong, a broken one that keeps its key.
    fn flag(&mut self, key: &str, node: &'n Node, path: &str, define: Define<'n>) -> Flag {
        let mut flag = Flag {
            key: key.into(),
            state: State::Enabled,
            variants: Box::default(),
            default: DefaultVariant::Caller,
            rules: Box::default(),
            quick: Quick::default(),
            metadata: Box::default(),
            // The form has no place for an owner.
            about: About {
                bare: true,
                ..About::default()
            },
            origin: Origin {
                path: path.into(),
                at: Some(node.span.start),
            },
        };
        (self.nodes, self.depth, self.deepest) = (0, 0, 0);
        self.too_large = false;
        let defined = define(self, &mut flag, node, path);
        let defined = defined.and_then(|()| match self.too_large {
            false => Ok(()),
            true => {
                let (parts, deep) = (self.nodes_max, self.depth_max);
                let message = format!(
                    "its conditions have more than {parts} parts, or nest over {deep} deep"
                );
                let help = "split it, or name fewer saved groups that name others";
                Err(wrong(codes::TOO_LARGE, node, path, message, help))
            }
        });
        if let Err(finding) = defined {
            flag.state = State::Broken(Arc::from(&*finding.message));
            flag.default = DefaultVariant::Caller;
            self.findings.push(*finding);
        }
        flag
    }

    fn feature(&mut self, flag: &mut Flag, node: &'n Node, path: &str) -> Result<(), Refusal> {
        if node.as_object().is_none() {
            let help = "write a map with `defaultValue` and `rules`";
            let message = "the feature is no map";
            return Err(wrong(codes::DEFINITION, node, path, message, help));
        }
        let mut values = Values::default();
        if let Some(default) = node.get("defaultValue").filter(|value| !value.is_null()) {
            flag.default = DefaultVariant::Variant(values.add("default", default).0);
        }
        let rules = self.rules(flag, node, path, &mut values)?;
        flag.variants = values.0.into();
        flag.rules = rules.into();
        Ok(())
    }

    fn warn(&mut self, code: nonevent_document::Code, node: &Node, path: &str, message: &str) {
        let help = "correct it; for whom it comes to that, the rules go on as if it did not hold";
        let mut finding = Finding::warning(code, path.to_string(), message.to_string(), help);
        finding.at = Some(node.span.start);
        self.findings.push(finding);
    }
}

/// The values that a flag can have.
#[derive(Default)]
struct Values(Vec<Variant>);

impl Values {
    /// Adds one; its place and name. Names are made different by a number.
    fn add(&mut self, name: &str, value: &Node) -> (usize, Arc<str>) {
        let taken = |name: &str| self.0.iter().any(|variant| *variant.name == *name);
        let mut own = name.to_string();
        let mut number = 2;
        while taken(&own) {
            own = format!("{name}-{number}");
            number += 1;
        }
        self.0.push(Variant::new(&own, value.to_json()));
        (self.0.len() - 1, own.into())
    }
}

/// A text in this field that is not empty.
fn text<'t>(node: &'t Node, field: &str) -> Option<&'t str> {
    let text = node.get(field).and_then(Node::as_str);
    text.filter(|text| !text.is_empty())
}
