//! Reading what is asserted of a body as text and as bytes.

use nonevent_document::{Node, Value, item_path, member_path};

use crate::suite::expectations::{BodyRule, Text, matches_everything};
use crate::suite::reader::Reader;

const KNOWN: &str = "equals, contains, not_contains, matches, not_matches, bytes, sha256";

impl Reader {
    pub(super) fn body_contains(&mut self, node: &Node, path: &str) -> Vec<BodyRule<Text>> {
        let wanted = "text that the body contains, or a list of such";
        let texts = self.one_or_several(node, path, wanted);
        texts.into_iter().map(BodyRule::Contains).collect()
    }

    pub(super) fn body_rules(&mut self, node: &Node, path: &str) -> Vec<BodyRule<Text>> {
        let wanted = "an object such as { \"equals\": \"ok\" } or { \"matches\": \"^ok\" }";
        let Some(members) = self.members(node, path, wanted) else {
            return Vec::new();
        };
        if members.is_empty() {
            self.nothing_in(node, path, wanted);
        }
        let mut rules = Vec::new();
        for member in members {
            let (inner, value) = (member_path(path, &member.key), &member.value);
            match member.key.as_str() {
                "equals" => {
                    let text = self.template(value, &inner, "the whole body as text");
                    rules.extend(text.map(BodyRule::Equals));
                }
                "contains" => rules.extend(self.body_contains(value, &inner)),
                "not_contains" => rules.extend(self.body_contains_not(value, &inner)),
                "matches" => rules.extend(self.regex(value, &inner).map(BodyRule::Matches)),
                "not_matches" => {
                    let regex = self.regex(value, &inner);
                    if regex.as_ref().is_some_and(matches_everything) {
                        let message = "it matches everything, so every body fails".to_owned();
                        self.bad_value(value, &inner, message, "write what must not be there");
                    }
                    rules.extend(regex.map(BodyRule::NotMatches));
                }
                "bytes" => rules.extend(self.bounds(value, &inner).map(BodyRule::Bytes)),
                "sha256" => rules.extend(self.sha256(value, &inner).map(BodyRule::Sha256)),
                _ => self.unknown_own(member, path, KNOWN),
            }
        }
        rules
    }

    fn body_contains_not(&mut self, node: &Node, path: &str) -> Vec<BodyRule<Text>> {
        let wanted = "text that the body must not contain, or a list of such";
        let texts = self.one_or_several(node, path, wanted);
        if texts.iter().any(|text| text.value.pieces().is_empty()) {
            let message = "an empty text is in every body".to_owned();
            self.bad_value(node, path, message, "write what must not be there");
        }
        texts.into_iter().map(BodyRule::NotContains).collect()
    }

    fn one_or_several(&mut self, node: &Node, path: &str, wanted: &str) -> Vec<Text> {
        if let Value::Array(items) = &node.value {
            return items
                .iter()
                .enumerate()
                .filter_map(|(at, item)| self.template(item, &item_path(path, at), wanted))
                .collect();
        }
        self.template(node, path, wanted).into_iter().collect()
    }
}
