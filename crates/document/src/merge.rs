//! One tree laid over another, each value keeping the place where it is written.

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

use serde::ser::{Serialize, Serializer};

use crate::{Member, Node, Span, Value};

impl Node {
    /// This value with `over` laid over it, as JSON Merge Patch does it (RFC 7396, section 2): the
    /// members of a mapping are laid over those of the same names, and null removes; anything else
    /// (a list too) takes the place of what was there as a whole. Members keep their order, new
    /// ones come last. Nulls of this value that `over` does not name stay.
    ///
    /// Every value keeps its place in the text. A mapping made of both has the place of this one,
    /// unless `over` took a member away: then what may be missing there is missing because of
    /// `over`, and it has the place of that.
    ///
    /// ```
    /// use nonevent_document::{Document, Limits, to_yaml};
    ///
    /// let text = b"base: { replicas: 8, drain: 30s }\nover: { replicas: 2, drain: null }\n";
    /// let document = Document::parse("x.yaml", text, &Limits::default())?;
    /// let [base, over] = ["base", "over"].map(|key| document.root().get(key).unwrap());
    /// let merged = base.clone().merged(over);
    /// assert_eq!(to_yaml(&merged).unwrap(), "replicas: 2\n");
    /// assert_eq!(merged.get("replicas").unwrap().span.start.line, 2);
    /// # Ok::<(), nonevent_document::Findings>(())
    /// ```
    #[must_use]
    pub fn merged(self, over: &Node) -> Node {
        let Value::Object(changes) = &over.value else {
            return over.clone();
        };
        let (members, mut span) = match self.value {
            Value::Object(members) => (members, self.span),
            _ => (Vec::new(), over.span.clone()),
        };
        let places: BTreeMap<String, usize> = members
            .iter()
            .enumerate()
            .map(|(place, member)| (member.key.clone(), place))
            .collect();
        let mut members: Vec<Option<Member>> = members.into_iter().map(Some).collect();
        for change in changes {
            match places.get(&change.key).map(|place| &mut members[*place]) {
                Some(slot) if change.value.is_null() => {
                    *slot = None;
                    span = over.span.clone();
                }
                Some(slot) => *slot = slot.take().map(|member| changed(member, change)),
                None if change.value.is_null() => {}
                None => members.push(Some(Member {
                    value: without_removals(&change.value),
                    ..change.clone()
                })),
            }
        }
        Node {
            value: Value::Object(members.into_iter().flatten().collect()),
            span,
        }
    }

    /// How many values it holds, itself included.
    #[must_use]
    pub fn count(&self) -> usize {
        let inside: usize = match &self.value {
            Value::Array(items) => items.iter().map(Node::count).sum(),
            Value::Object(members) => members.iter().map(|it| it.value.count()).sum(),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => 0,
        };
        inside + 1
    }

    /// How many lists and mappings stand inside each other, itself included; 0 for any other value.
    #[must_use]
    pub fn depth(&self) -> usize {
        let deepest = match &self.value {
            Value::Array(items) => items.iter().map(Node::depth).max(),
            Value::Object(members) => members.iter().map(|it| it.value.depth()).max(),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => return 0,
        };
        deepest.unwrap_or(0) + 1
    }
}

fn changed(member: Member, change: &Member) -> Member {
    let value = member.value.merged(&change.value);
    // A mapping is located by its key.
    let own = value.span != change.value.span;
    Member {
        key: member.key,
        key_span: place(own, &member.key_span, &change.key_span),
        value,
    }
}

fn place(own: bool, this: &Span, other: &Span) -> Span {
    if own { this.clone() } else { other.clone() }
}

/// A value laid over nothing: its mappings without nulls.
fn without_removals(value: &Node) -> Node {
    let nothing = Node {
        value: Value::Null,
        span: value.span.clone(),
    };
    nothing.merged(value)
}

/// As the value that was written, without its places; members in their order.
impl Serialize for Node {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.value {
            Value::Null => serializer.serialize_unit(),
            Value::Bool(value) => serializer.serialize_bool(*value),
            Value::Number(number) => match (number.as_u64(), number.as_i64()) {
                (Some(value), _) => serializer.serialize_u64(value),
                (None, Some(value)) => serializer.serialize_i64(value),
                (None, None) => serializer.serialize_f64(number.as_f64()),
            },
            Value::String(text) => serializer.serialize_str(text),
            Value::Array(items) => serializer.collect_seq(items),
            Value::Object(members) => {
                serializer.collect_map(members.iter().map(|it| (&it.key, &it.value)))
            }
        }
    }
}
