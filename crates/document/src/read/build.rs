//! The tree from the list of operations.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::sink::Op;
use crate::rules::DUPLICATE;
use crate::{Finding, Findings, Member, Node, Position, Value, item_path, member_path};

/// The tree; `None` if there is no value at all. Duplicate keys are reported.
pub(super) fn tree(ops: Vec<Op>, findings: &mut Findings) -> Option<Node> {
    let mut builder = Builder {
        ops: ops.into_iter(),
        duplicates: Vec::new(),
    };
    let root = builder.node(&Trail::Root);
    findings.extend(builder.duplicates);
    root
}

/// How many duplicate keys are reported.
const DUPLICATES_MAX: usize = 20;

/// In a mapping with more members than this, keys are looked for in an order of their own.
const FEW: usize = 16;

/// The places of a mapping's keys, once they are many.
#[derive(Default)]
struct Known(BTreeMap<String, usize>);

impl Known {
    fn find(&self, members: &[Member], key: &str) -> Option<Position> {
        let at = if members.len() > FEW {
            self.0.get(key).copied()
        } else {
            members.iter().position(|member| member.key == key)
        };
        Some(members.get(at?)?.key_span.start)
    }

    /// The last of the members was not there before.
    fn add(&mut self, members: &[Member]) {
        let new = match members.len().checked_sub(1) {
            Some(last) if last > FEW => last..=last,
            Some(FEW) => 0..=FEW,
            _ => return,
        };
        for (at, member) in members.iter().enumerate().skip(*new.start()) {
            self.0.insert(member.key.clone(), at);
        }
    }
}

struct Builder {
    ops: alloc::vec::IntoIter<Op>,
    duplicates: Vec<Finding>,
}

/// The way to a node, written out only when there is something to say about it.
enum Trail<'a> {
    Root,
    Key(&'a Trail<'a>, &'a str),
    Item(&'a Trail<'a>, usize),
}

impl Trail<'_> {
    fn path(&self) -> Box<str> {
        match self {
            Trail::Root => Box::from(""),
            Trail::Key(parent, key) => member_path(&parent.path(), key).into(),
            Trail::Item(parent, index) => item_path(&parent.path(), *index).into(),
        }
    }
}

impl Builder {
    /// The next node; `None` at the end of the list or mapping around it.
    fn node(&mut self, trail: &Trail<'_>) -> Option<Node> {
        match self.ops.next()? {
            Op::Scalar(value, span) => Some(Node { value, span }),
            Op::StartArray(span) => {
                let mut items = Vec::new();
                while let Some(item) = self.node(&Trail::Item(trail, items.len())) {
                    items.push(item);
                }
                let value = Value::Array(items);
                Some(Node { value, span })
            }
            Op::StartObject(span) => {
                let value = Value::Object(self.members(trail));
                Some(Node { value, span })
            }
            // A key outside a mapping cannot come from either reader.
            Op::End | Op::Key(..) => None,
        }
    }

    fn members(&mut self, trail: &Trail<'_>) -> Vec<Member> {
        let mut members: Vec<Member> = Vec::new();
        let mut known = Known::default();
        while let Some(Op::Key(key, key_span)) = self.ops.next() {
            let Some(value) = self.node(&Trail::Key(trail, &key)) else {
                break;
            };
            if let Some(first) = known.find(&members, &key) {
                if self.duplicates.len() < DUPLICATES_MAX {
                    let path = Trail::Key(trail, &key).path().to_string();
                    let message = format!(
                        "the key `{}` is already there, at {first}",
                        crate::text::shown(&key)
                    );
                    let finding = DUPLICATE.finding(path, message, "keep one of the two");
                    self.duplicates.push(finding.spanning(&key_span));
                }
                continue;
            }
            members.push(Member {
                key,
                key_span,
                value,
            });
            known.add(&members);
        }
        members
    }
}
