//! One document for several environments: profiles and overrides laid over the base, before
//! anything is checked.

use alloc::borrow::ToOwned;
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use nonevent_document::{
    Document, Findings, Member, Node, Rule, Span, Value, member_path, name_advice,
};

use crate::rules;

/// How many profiles may build on each other.
const PROFILE_CHAIN_MAX: usize = 16;

pub(crate) const PROFILES: &str = "profiles";
pub(crate) const ENVIRONMENTS: &str = "environments";
pub(crate) const PROFILE: &str = "profile";
pub(crate) const ENVIRONMENT: &str = "environment";

/// What no override may change: the format, the environment's name, and other overrides.
pub(crate) const FIXED: [&str; 5] = ["apiVersion", "kind", ENVIRONMENT, ENVIRONMENTS, PROFILES];

/// The strategies' keys.
pub(crate) const STRATEGIES: [&str; 4] = ["canary", "blue_green", "rolling", "recreate"];

/// The document as it holds for one environment: without `profiles`, `profile` and
/// `environments`, and with what they change. `environment` chooses one; `None` takes the one that
/// the document names. A document without overrides is its own result.
///
/// Over the base are laid the profile that is named, after the profiles it builds on, and then the
/// environment's own mapping, each as JSON Merge Patch (RFC 7396): mappings are merged, anything
/// else replaces, null removes. A strategy's key in an override removes the other strategies.
/// An environment's `profile` replaces the document's; null takes none.
///
/// Paths are those of the result, and positions those in the text: a finding about a value that an
/// override gives has the line of the override.
///
/// # Errors
/// `NE1110` to `NE1113`: overrides that are no mappings or change what is fixed, an environment or
/// a profile that is not described, profiles that build on themselves.
pub fn resolved(document: &Document, environment: Option<&str>) -> Result<Document, Findings> {
    if document.root().as_object().is_none() {
        // The reader says what it expects instead.
        return Ok(document.clone());
    }
    let mut parts = Parts::of(document);
    parts.check();
    let chosen = parts.choose(environment);
    if parts.findings.has_errors() {
        return Err(parts.findings);
    }
    let mut root = parts.base();
    for layer in parts.layers(chosen.as_ref()) {
        root = root.merged(&layer);
    }
    if let (Value::Object(members), Some(chosen)) = (&mut root.value, chosen) {
        chosen.name_in(members);
    }
    document.with_root(root)
}

/// The names of the environments that a document has overrides for, in its order.
#[must_use]
pub fn environments(document: &Document) -> Vec<&str> {
    let described = document.root().get(ENVIRONMENTS).and_then(Node::as_object);
    let members = described.unwrap_or_default().iter();
    members.map(|member| member.key.as_str()).collect()
}

/// The environment that was chosen.
struct Chosen<'a> {
    name: &'a str,
    /// Where it is named.
    span: Span,
    over: Option<&'a Node>,
}

impl Chosen<'_> {
    /// Makes it the document's environment.
    fn name_in(self, members: &mut Vec<Member>) {
        let value = Node {
            value: Value::String(self.name.to_owned()),
            span: self.span.clone(),
        };
        match members.iter_mut().find(|it| it.key == ENVIRONMENT) {
            Some(member) if member.value.as_str() == Some(self.name) => {}
            Some(member) => member.value = value,
            None => members.push(Member {
                key: ENVIRONMENT.to_owned(),
                key_span: self.span,
                value,
            }),
        }
    }
}

/// The document in its parts.
struct Parts<'a> {
    document: &'a Document,
    root: &'a Node,
    profiles: BTreeMap<&'a str, &'a Node>,
    environments: BTreeMap<&'a str, &'a Member>,
    findings: Findings,
}

impl<'a> Parts<'a> {
    fn of(document: &'a Document) -> Self {
        let root = document.root();
        let members = |key: &str| {
            let members = root.get(key).and_then(Node::as_object).unwrap_or_default();
            members.iter().map(|member| (member.key.as_str(), member))
        };
        Parts {
            document,
            root,
            profiles: members(PROFILES)
                .map(|(name, member)| (name, &member.value))
                .collect(),
            environments: members(ENVIRONMENTS).collect(),
            findings: Findings::new(),
        }
    }

    fn push(&mut self, rule: Rule, path: &str, message: String, help: &str) {
        let finding = rule.finding(path, message, help);
        self.findings.push(self.document.resolve(finding));
    }

    /// Checks all overrides, also those that are not chosen.
    fn check(&mut self) {
        for group in [PROFILES, ENVIRONMENTS] {
            match self.root.get(group).map(|node| (&node.value, node)) {
                None | Some((Value::Null, _)) => {}
                Some((Value::Object(members), _)) => {
                    for member in members {
                        self.form(&member_path(group, &member.key), member);
                    }
                }
                Some((_, node)) => self.push(
                    rules::OVERRIDE_FORM,
                    group,
                    format!("expected a mapping of names, found {}", node.kind()),
                    "write each name as a key, and under it what it changes",
                ),
            }
        }
        self.profile_of("", self.root);
        for (name, profile) in self.profiles.clone() {
            self.chain_ends(name, profile);
        }
    }

    fn form(&mut self, path: &str, member: &Member) {
        let (help, over) = ("write what it changes, as at the top", &member.value);
        match over.as_object() {
            None if over.is_null() => {}
            None => self.push(
                rules::OVERRIDE_FORM,
                path,
                format!("expected a mapping, found {}", over.kind()),
                help,
            ),
            Some(members) => {
                for fixed in members.iter().filter(|it| FIXED.contains(&it.key.as_str())) {
                    self.push(
                        rules::OVERRIDE_FORM,
                        &member_path(path, &fixed.key),
                        format!("an override cannot change `{}`", fixed.key),
                        "write it at the top of the document alone",
                    );
                }
                self.profile_of(path, over);
            }
        }
    }

    /// Checks the profile that a mapping names.
    fn profile_of(&mut self, path: &str, node: &Node) {
        let Some(profile) = node.get(PROFILE).filter(|profile| !profile.is_null()) else {
            return;
        };
        let path = member_path(path, PROFILE);
        let Some(name) = profile.as_str() else {
            let message = format!("expected a profile's name, found {}", profile.kind());
            let help = "name one of `profiles`";
            self.push(rules::OVERRIDE_FORM, &path, message, help);
            return;
        };
        if self.profiles.contains_key(name) {
            return;
        }
        let known: Vec<&str> = self.profiles.keys().copied().collect();
        let help = match known.is_empty() {
            true => String::from("describe it under `profiles`"),
            false => name_advice(name, &known),
        };
        let message = format!("there is no profile {name:?}");
        self.push(rules::PROFILE_UNKNOWN, &path, message, &help);
    }

    /// Checks that the profiles which `start` builds on come to an end. A circle is told once, at
    /// the first of its names.
    fn chain_ends(&mut self, start: &str, profile: &Node) {
        let path = member_path(&member_path(PROFILES, start), PROFILE);
        let mut seen: Vec<&str> = Vec::new();
        let mut below = profile;
        while seen.len() < PROFILE_CHAIN_MAX {
            let Some(name) = below.get(PROFILE).and_then(Node::as_str) else {
                return;
            };
            if name == start && seen.iter().all(|other| start < *other) {
                let message = format!("the profile {start:?} builds on itself");
                let help = "leave `profile` out of one of them";
                self.push(rules::PROFILE_CHAIN, &path, message, help);
            }
            match self.profiles.get(name) {
                Some(next) if name != start && !seen.contains(&name) => below = next,
                _ => return,
            }
            seen.push(name);
        }
        let message = format!("more than {PROFILE_CHAIN_MAX} profiles build on each other");
        let help = "put what they have in common into fewer profiles";
        self.push(rules::PROFILE_CHAIN, &path, message, help);
    }

    /// The environment that was asked for, or the document's own; `None` if it names none, which
    /// is for the reader to say.
    fn choose(&mut self, asked: Option<&'a str>) -> Option<Chosen<'a>> {
        let own = self.root.get(ENVIRONMENT);
        let own = own.and_then(|node| Some((node.as_str()?, &node.span)));
        let name = asked.or(own.map(|(name, _)| name))?;
        if let Some(member) = self.environments.get(name) {
            return Some(Chosen {
                name,
                span: member.key_span.clone(),
                over: Some(&member.value),
            });
        }
        let own = own.filter(|_| self.environments.is_empty() || asked.is_none());
        if self.environments.is_empty()
            && let Some((_, span)) = own.filter(|(own, _)| *own == name)
        {
            // A document of one environment.
            let (span, over) = (span.clone(), None);
            return Some(Chosen { name, span, over });
        }
        let mut known: Vec<&str> = self.environments.keys().copied().collect();
        if known.is_empty() {
            known.extend(own.map(|(name, _)| name));
        }
        let path = if own.is_some() {
            ENVIRONMENT
        } else {
            ENVIRONMENTS
        };
        let message = format!("there is no environment {name:?}");
        let help = match known.is_empty() {
            true => String::from("describe it under `environments`"),
            false => name_advice(name, &known),
        };
        self.push(rules::ENVIRONMENT_UNKNOWN, path, message, &help);
        None
    }

    /// The document without its overrides.
    fn base(&self) -> Node {
        let mut base = self.root.clone();
        if let Value::Object(members) = &mut base.value {
            members.retain(|it| ![PROFILES, PROFILE, ENVIRONMENTS].contains(&it.key.as_str()));
        }
        spell_strategies(&mut base);
        base
    }

    /// What is laid over the base, in its order.
    fn layers(&self, chosen: Option<&Chosen<'_>>) -> Vec<Node> {
        let over = chosen.and_then(|chosen| chosen.over);
        let own = over.and_then(|over| over.get(PROFILE));
        let mut profile = own.or(self.root.get(PROFILE)).and_then(Node::as_str);
        let mut layers: Vec<&Node> = over.into_iter().collect();
        // `check` held that it ends.
        while let Some(found) = profile.and_then(|name| self.profiles.get(name)) {
            layers.push(found);
            profile = found.get(PROFILE).and_then(Node::as_str);
        }
        layers.into_iter().rev().filter_map(layer).collect()
    }
}

/// An override as it is laid over the base; `None` if it changes nothing.
fn layer(over: &Node) -> Option<Node> {
    let mut over = over.clone();
    spell_strategies(&mut over);
    let Value::Object(members) = &mut over.value else {
        return None;
    };
    members.retain(|member| member.key != PROFILE);
    if let Some(strategy) = members.iter_mut().find(|it| it.key == "strategy") {
        remove_others(&mut strategy.value);
    }
    Some(over)
}

/// Lets a strategy that an override names take the place of the others.
fn remove_others(strategy: &mut Node) {
    let Value::Object(members) = &mut strategy.value else {
        return;
    };
    if !members
        .iter()
        .any(|it| is_strategy(it) && !it.value.is_null())
    {
        return;
    }
    for key in STRATEGIES {
        if !members.iter().any(|it| it.key == key) {
            members.push(Member {
                key: key.to_owned(),
                key_span: strategy.span.clone(),
                value: Node {
                    value: Value::Null,
                    span: strategy.span.clone(),
                },
            });
        }
    }
}

fn is_strategy(member: &Member) -> bool {
    STRATEGIES.contains(&member.key.as_str())
}

/// Spells `blue-green`, which is accepted too, like the key that paths have.
fn spell_strategies(root: &mut Node) {
    let Value::Object(members) = &mut root.value else {
        return;
    };
    let strategy = members.iter_mut().find(|it| it.key == "strategy");
    let Some(Value::Object(members)) = strategy.map(|it| &mut it.value.value) else {
        return;
    };
    if members.iter().any(|it| it.key == "blue_green") {
        return;
    }
    for member in members.iter_mut().filter(|it| it.key == "blue-green") {
        member.key = String::from("blue_green");
    }
}
