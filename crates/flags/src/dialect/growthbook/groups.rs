//! Saved groups: lists of subjects and named conditions.

use super::super::shape::wrong;
use super::Reader;
use super::conditions::{At, never};
use crate::codes;
use crate::ir::{Expr, Literal, Path, Segment};
use crate::matching::{Match, Test};
use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::sync::Arc;
use alloc::vec::Vec;
use nonevent_document::{Node, member_path};

/// Groups that name each other nest no deeper.
const DEPTH_MAX: usize = 32;

/// The file's saved groups, and those of them that are compiled.
pub(super) struct Groups<'n> {
    all: Option<&'n Node>,
    /// By id, where it is looked from, and how it is to come out.
    compiled: BTreeMap<(&'n str, bool, bool), Compiled>,
    /// Those being compiled, each named by the one before.
    open: Vec<&'n str>,
    /// The outermost of the open ones that a circle led back to.
    circle: Option<usize>,
}

/// A group's condition, and how deep it nests.
type Compiled = (Arc<Segment>, usize);

/// What an entry is.
pub(super) enum Group<'n> {
    /// Values alone, as groups were before they had types.
    Values(&'n Node),
    /// Subjects; and the attribute that has them, unless it is said where the group is named.
    List(&'n Node, Option<&'n str>),
    Condition(&'n Node),
    /// Known to the caller alone; and the attribute that its members are known by.
    Remote(Option<&'n str>),
    /// Of a kind that is not known here.
    Unknown,
    /// There is no such group, or it is none.
    None,
    /// There is an entry, and it is of no use.
    Wrong,
}

impl<'n> Groups<'n> {
    pub(super) fn new(all: Option<&'n Node>) -> Self {
        Self {
            all,
            compiled: BTreeMap::new(),
            open: Vec::new(),
            circle: None,
        }
    }

    pub(super) fn find(&self, id: &str) -> Group<'n> {
        let Some(entry) = self.all.and_then(|all| all.get(id)) else {
            return Group::None;
        };
        if entry.as_array().is_some() {
            return Group::Values(entry);
        }
        let attribute = entry.get("attributeKey").and_then(Node::as_str);
        match entry.get("type").and_then(Node::as_str) {
            Some("list") => match entry.get("values") {
                Some(values) if values.as_array().is_some() => Group::List(values, attribute),
                _ => Group::Wrong,
            },
            Some("condition") => match entry.get("condition") {
                Some(condition) if condition.as_object().is_some() => Group::Condition(condition),
                _ => Group::Wrong,
            },
            Some("remote") => Group::Remote(attribute),
            // A map is some kind of group, if not one of those above.
            _ if entry.as_object().is_some() => Group::Unknown,
            _ => Group::Wrong,
        }
    }

    fn id(&self, id: &str) -> Option<&'n str> {
        let members = self.all?.as_object()?;
        let member = members.iter().find(|member| *member.key == *id)?;
        Some(&member.key)
    }
}

impl<'n> Reader<'n> {
    /// `$savedGroup`: whether the subject is in a group.
    pub(super) fn saved_group(&mut self, node: &'n Node, path: &str, at: At, wanted: bool) -> Expr {
        let nobody = || Expr::constant(!wanted);
        let Some(id) = node.get("id").and_then(Node::as_str) else {
            return nobody();
        };
        let own = match node.get("attributeKey") {
            None => None,
            Some(key) => match key.as_str() {
                Some(key) => Some(key),
                None => return nobody(),
            },
        };
        match self.groups.find(id) {
            Group::List(values, attribute) => {
                let Some(attribute) = own.or(attribute) else {
                    return nobody();
                };
                member(at.path(attribute), values, wanted)
            }
            Group::Condition(condition) => self.named_condition(id, condition, at, wanted),
            // Its members are known by their own attribute only.
            Group::Remote(attribute) if own.is_none() || own == attribute => {
                let test = Test::RemoteGroup(id.into());
                let of = None;
                Expr::Match(Box::new(Match { of, test, wanted }))
            }
            Group::Unknown | Group::Remote(_) => {
                let message = format!("the saved group {id:?} is of a kind that is not known here");
                self.warn(codes::UNKNOWN_OPERATOR, node, path, &message);
                never()
            }
            Group::None => {
                let message = format!("the saved group {id:?} is not defined");
                self.warn(codes::REFERENCE, node, path, &message);
                nobody()
            }
            // Only those that have a type are named so.
            Group::Values(_) | Group::Wrong => nobody(),
        }
    }

    /// `$inGroup` and `$notInGroup`: whether an attribute is in a group.
    pub(super) fn in_group(
        &mut self,
        node: &Node,
        path: &str,
        of: Option<Path>,
        is_in: bool,
        wanted: bool,
    ) -> Expr {
        let id = node.as_str().unwrap_or_default();
        match self.groups.find(id) {
            Group::Values(values) | Group::List(values, _) => member(of, values, is_in == wanted),
            // As an empty list.
            Group::None => {
                let message = format!("the saved group {id:?} is not defined");
                self.warn(codes::REFERENCE, node, path, &message);
                Expr::constant(is_in != wanted)
            }
            Group::Unknown | Group::Remote(_) => {
                let message = format!("the saved group {id:?} is no list of values");
                self.warn(codes::UNKNOWN_OPERATOR, node, path, &message);
                never()
            }
            Group::Condition(_) | Group::Wrong => {
                let message = format!("the saved group {id:?} is no list of values");
                self.warn(codes::REFERENCE, node, path, &message);
                Expr::constant(!wanted)
            }
        }
    }

    fn named_condition(&mut self, id: &str, condition: &'n Node, at: At, wanted: bool) -> Expr {
        let Some(id) = self.groups.id(id) else {
            return Expr::constant(!wanted);
        };
        let place = (id, at == At::Parent, wanted);
        if let Some((segment, height)) = self.groups.compiled.get(&place) {
            let (segment, height) = (Arc::clone(segment), *height);
            if !self.reaches(self.depth + height) {
                self.too_large = true;
                return never();
            }
            return Expr::Segment(segment);
        }
        let depth = self.groups.open.len();
        // What leads back to itself has no members by that way.
        if let Some(before) = self.groups.open.iter().position(|open| *open == id) {
            let outermost = self
                .groups
                .circle
                .map_or(before, |circle| circle.min(before));
            self.groups.circle = Some(outermost);
            return Expr::constant(!wanted);
        }
        if depth >= DEPTH_MAX {
            self.too_large = true;
            return never();
        }
        self.groups.open.push(id);
        let outer = self.groups.circle.take();
        let outer_deepest = core::mem::replace(&mut self.deepest, self.depth);
        let path = member_path(&member_path("savedGroups", id), "condition");
        let body = self.condition(condition, &path, at, wanted);
        self.groups.open.pop();
        let height = self.deepest - self.depth;
        self.deepest = self.deepest.max(outer_deepest);
        let segment = Arc::new(Segment {
            name: id.into(),
            body,
        });
        // If a circle led further out than this, it depends on how one came here.
        let circle = self.groups.circle.filter(|circle| *circle < depth);
        if circle.is_none() && !self.too_large {
            let compiled = (Arc::clone(&segment), height);
            self.groups.compiled.insert(place, compiled);
        }
        self.groups.circle = match (outer, circle) {
            (Some(outer), Some(circle)) => Some(outer.min(circle)),
            (outer, circle) => outer.or(circle),
        };
        Expr::Segment(segment)
    }

    /// Says which entries are no groups.
    pub(super) fn check_groups(&mut self) {
        let Some(groups) = self.groups.all.and_then(Node::as_object) else {
            return;
        };
        for group in groups {
            if group.value.as_array().is_none() && group.value.as_object().is_none() {
                let path = member_path("savedGroups", &group.key);
                let help = "write a list of values, or a map with a `type`";
                let message = "this is no saved group";
                let finding = wrong(codes::DEFINITION, &group.value, path, message, help);
                self.findings.push(*finding);
            }
        }
    }
}

fn member(of: Option<Path>, values: &Node, wanted: bool) -> Expr {
    let values = Box::new(Literal::new(values.to_json()));
    let test = Test::In {
        values,
        ignore_case: false,
    };
    Expr::Match(Box::new(Match { of, test, wanted }))
}
