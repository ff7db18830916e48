//! Features and segments as a file has them: listed, or as events that change what was before.

use crate::codes::{self, Refusal};
use crate::dialect::shape::wrong;
use alloc::collections::BTreeSet;
use alloc::string::String;
use alloc::vec::Vec;
use nonevent_document::{Node, Value as Tree, item_path, member_path};

/// A part of the file and its path.
pub(super) struct Placed<'n> {
    pub(super) node: &'n Node,
    pub(super) path: String,
}

#[derive(Default)]
pub(super) struct State<'n> {
    pub(super) features: Vec<Placed<'n>>,
    pub(super) segments: Vec<Placed<'n>>,
}

impl<'n> State<'n> {
    pub(super) fn read(root: &'n Node) -> Result<Self, Refusal> {
        let mut state = State::default();
        if let Some(Tree::Array(events)) = root.get("events").map(|events| &events.value) {
            for (index, event) in events.iter().enumerate() {
                state.apply(event, &item_path("events", index))?;
            }
            return Ok(state);
        }
        if root
            .get("features")
            .is_none_or(|node| node.as_array().is_none())
        {
            let message = "there is no list `features` here";
            let help = "an Unleash file has `features` (and `segments`), or `events`";
            return Err(wrong(codes::NOT_FLAGS, root, "", message, help));
        }
        state.hydrate(root, "");
        Ok(state)
    }

    /// Takes all that is here in place of what there was.
    fn hydrate(&mut self, node: &'n Node, path: &str) {
        let listed = |field: &str| {
            let path = member_path(path, field);
            let items = node.get(field).and_then(Node::as_array).unwrap_or_default();
            let placed = |(index, node)| Placed {
                node,
                path: item_path(&path, index),
            };
            items.iter().enumerate().map(placed).collect()
        };
        self.features = listed("features");
        self.segments = listed("segments");
    }

    fn apply(&mut self, event: &'n Node, path: &str) -> Result<(), Refusal> {
        let field = |field: &str| {
            event.get(field).ok_or_else(|| {
                let path = member_path(path, field);
                let message = "the event does not say what it is about";
                wrong(codes::DEFINITION, event, path, message, "add this field")
            })
        };
        match event.get("type").and_then(Node::as_str) {
            Some("hydration") => self.hydrate(event, path),
            Some("feature-updated") => {
                let node = field("feature")?;
                let path = member_path(path, "feature");
                replace(&mut self.features, Placed { node, path }, "name");
            }
            Some("feature-removed") => {
                let name = field("featureName")?;
                remove(&mut self.features, "name", name);
            }
            Some("segment-updated") => {
                let node = field("segment")?;
                let path = member_path(path, "segment");
                replace(&mut self.segments, Placed { node, path }, "id");
            }
            Some("segment-removed") => {
                let id = field("segmentId")?;
                remove(&mut self.segments, "id", id);
            }
            _ => {
                let help = "the types are hydration, feature-updated, feature-removed, \
                            segment-updated and segment-removed";
                let message = "this is no event that is known, and what it changes cannot be told";
                return Err(wrong(codes::DEFINITION, event, path, message, help));
            }
        }
        Ok(())
    }

    /// The names of features that depend on others.
    pub(super) fn children(&self) -> BTreeSet<&'n str> {
        let child = |feature: &Placed<'n>| {
            let parents = feature.node.get("dependencies")?.as_array()?;
            let name = feature.node.get("name")?.as_str()?;
            (!parents.is_empty()).then_some(name)
        };
        self.features.iter().filter_map(child).collect()
    }
}

/// Puts `new` in the place of what has the same `field`, or at the end.
fn replace<'n>(all: &mut Vec<Placed<'n>>, new: Placed<'n>, field: &str) {
    let key = |node: &Node| node.get(field).map(|value| value.value.clone());
    let same = |old: &&mut Placed<'n>| key(old.node) == key(new.node);
    match all.iter_mut().find(same) {
        Some(old) => *old = new,
        None => all.push(new),
    }
}

fn remove(all: &mut Vec<Placed<'_>>, field: &str, gone: &Node) {
    all.retain(|placed| {
        let own = placed.node.get(field);
        own.is_none_or(|own| own.value != gone.value)
    });
}
