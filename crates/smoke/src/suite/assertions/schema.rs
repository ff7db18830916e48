//! Reading a JSON Schema that a body must meet.

use std::sync::Arc;

use jsonschema::{PatternOptions, Validator};
use nonevent_document::{Node, Value, item_path, member_path};
use serde_json::Value as Json;

use crate::suite::expectations::SchemaSource;
use crate::suite::reader::Reader;

/// Memory that one pattern of a schema may take.
const PATTERN_BYTES_MAX: usize = 1 << 20;

/// Why a value is no JSON Schema.
#[derive(Debug)]
pub(crate) struct NoSchema {
    /// The JSON pointer of what is wrong.
    pub(crate) at: String,
    pub(crate) why: String,
}

/// Compiles a schema. It is read as draft 2020-12 where it names no other; formats are asserted.
/// Nothing is fetched from anywhere: a reference out of the schema is an error.
pub(crate) fn compile(schema: &Json) -> Result<Arc<Validator>, NoSchema> {
    // The engine that goes through a text once: the texts are a server's.
    let patterns = PatternOptions::regex()
        .size_limit(PATTERN_BYTES_MAX)
        .dfa_size_limit(PATTERN_BYTES_MAX);
    jsonschema::options()
        .with_pattern_options(patterns)
        .should_validate_formats(true)
        .offline()
        .build(schema)
        .map(Arc::new)
        .map_err(|error| NoSchema {
            at: error.instance_path().to_string(),
            why: error.to_string(),
        })
}

impl Reader {
    pub(super) fn schema(&mut self, node: &Node, path: &str) -> Option<SchemaSource> {
        let wanted = "a JSON Schema, or { \"file\": \"name\" }";
        let members = self.members(node, path, wanted)?;
        if let [member] = members
            && member.key == "file"
        {
            let inner = member_path(path, "file");
            let name = self.template(&member.value, &inner, "the name of a file");
            return name.map(SchemaSource::File);
        }
        match compile(&node.to_json()) {
            Ok(validator) => Some(SchemaSource::Inline(validator)),
            Err(NoSchema { at, why }) => {
                let (node, path) = descend(node, path, &at);
                let message = format!("it is no JSON Schema: {why}");
                let help = "correct it; a reference must lead to a part of the same schema";
                self.bad_value(node, &path, message, help);
                None
            }
        }
    }
}

/// The node at a JSON pointer, as far as there is one.
fn descend<'n>(node: &'n Node, path: &str, pointer: &str) -> (&'n Node, String) {
    let (mut node, mut path) = (node, path.to_owned());
    for step in pointer.split('/').skip(1) {
        let key = step.replace("~1", "/").replace("~0", "~");
        let next = match &node.value {
            Value::Array(items) => key
                .parse()
                .ok()
                .and_then(|at: usize| Some((items.get(at)?, item_path(&path, at)))),
            _ => node.get(&key).map(|next| (next, member_path(&path, &key))),
        };
        let Some(next) = next else {
            break;
        };
        (node, path) = next;
    }
    (node, path)
}
