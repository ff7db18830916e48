//! What is known of how datalogic-rs differs.

use super::Theirs;
use serde_json::{Map, Value as Json};

pub(super) fn reason(
    _rule: &Json,
    _context: &Map<String, Json>,
    _theirs: &Theirs,
) -> Option<&'static str> {
    None
}

/// The operators of the rule, for differences that nothing explains.
pub(super) fn class(rule: &Json) -> String {
    let mut words = Vec::new();
    operators(rule, &mut words);
    words.sort_unstable();
    words.dedup();
    words.join(" ")
}

fn operators<'r>(rule: &'r Json, into: &mut Vec<&'r str>) {
    match rule {
        Json::Object(members) => {
            for (name, args) in members {
                into.push(name);
                operators(args, into);
            }
        }
        Json::Array(items) => items.iter().for_each(|item| operators(item, into)),
        _ => {}
    }
}
