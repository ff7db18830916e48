//! Reading what is asserted of a body as JSON.

use nonevent_document::{Node, Value, item_path, member_path};
use serde_json::{Number, Value as Json};

use crate::judge::path::{JsonPath, order};
use crate::suite::expectations::{JsonRule, JsonType};
use crate::suite::model::{Field, JsonTemplate};
use crate::suite::reader::Reader;

type Rule = JsonRule<Field<JsonTemplate>>;

const KNOWN: &str = "path, exists, equals, not_equals, contains, matches, type, count, min, max";

impl Reader {
    pub(super) fn json_rules(&mut self, node: &Node, path: &str) -> Vec<(JsonPath, Rule)> {
        let wanted = "a list of { \"path\": \"$.status\", \"equals\": \"ok\" }";
        let Some(items) = self.items(node, path, wanted) else {
            return Vec::new();
        };
        let mut rules = Vec::new();
        for (at, item) in items.iter().enumerate() {
            if let Some((at, found)) = self.rules_at(item, &item_path(path, at), wanted) {
                rules.extend(found.into_iter().map(|rule| (at.clone(), rule)));
            }
        }
        rules
    }

    /// The conditions of one path, all of which must hold.
    fn rules_at(&mut self, node: &Node, path: &str, wanted: &str) -> Option<(JsonPath, Vec<Rule>)> {
        let mut at = None;
        let mut rules = Vec::new();
        let members = self.members(node, path, wanted)?;
        for member in members {
            let (inner, value) = (member_path(path, &member.key), &member.value);
            if member.key == "path" {
                at = self.json_path(value, &inner);
                continue;
            }
            match self.condition(&member.key, value, &inner) {
                Some(rule) => rules.extend(rule),
                None => self.unknown_own(member, path, KNOWN),
            }
        }
        let conditions = members.iter().filter(|member| member.key != "path").count();
        let has_exists = node.get("exists").is_some();
        if node.get("path").is_none() || conditions == 0 || has_exists && conditions > 1 {
            let message =
                "an expectation has a `path`, and either `exists` or other conditions".to_owned();
            self.bad_value(node, path, message, &format!("write {wanted}"));
            return None;
        }
        if let (Some(min), Some(max)) = (number(node.get("min")), number(node.get("max")))
            && order(&min, &max) == core::cmp::Ordering::Greater
        {
            let message = "`min` is over `max`".to_owned();
            self.bad_value(node, path, message, "exchange them");
        }
        Some((at?, rules))
    }

    /// Nothing if the key is no condition, and nothing inside if its value is bad.
    fn condition(&mut self, key: &str, value: &Node, path: &str) -> Option<Option<Rule>> {
        Some(match key {
            "exists" => self.flag(value, path).map(JsonRule::Exists),
            "equals" => self.json(value, path).map(JsonRule::Equals),
            "not_equals" => self.json(value, path).map(JsonRule::NotEquals),
            "contains" => self.json(value, path).map(JsonRule::Contains),
            "matches" => self.regex(value, path).map(JsonRule::Matches),
            "type" => self.json_type(value, path).map(JsonRule::Type),
            "count" => self.bounds(value, path).map(JsonRule::Count),
            "min" => self.json_number(value, path).map(JsonRule::Min),
            "max" => self.json_number(value, path).map(JsonRule::Max),
            _ => return None,
        })
    }

    fn json_type(&mut self, node: &Node, path: &str) -> Option<JsonType> {
        let names: Vec<&str> = JsonType::ALL.into_iter().map(JsonType::as_str).collect();
        let wanted = format!("one of {}", names.join(", "));
        let text = self.text(node, path, &wanted)?;
        let found = JsonType::ALL.into_iter().find(|kind| kind.as_str() == text);
        if found.is_none() {
            let message = format!("`{text}` is no type of JSON");
            self.bad_value(node, path, message, &format!("write {wanted}"));
        }
        found
    }

    fn json_number(&mut self, node: &Node, path: &str) -> Option<Number> {
        let found = number(Some(node));
        if found.is_none() {
            self.wrong_type(node, path, "a number");
        }
        found
    }

    pub(crate) fn json_path(&mut self, node: &Node, path: &str) -> Option<JsonPath> {
        let wanted = "a query such as $.status (RFC 9535) or a pointer such as /status (RFC 6901)";
        let text = self.text(node, path, wanted)?;
        match JsonPath::parse(text) {
            Ok(found) => Some(found),
            Err(why) => {
                let message = format!("`{text}` is no place in JSON: {why}");
                self.bad_value(node, path, message, &format!("write {wanted}"));
                None
            }
        }
    }
}

fn number(node: Option<&Node>) -> Option<Number> {
    match node
        .filter(|node| matches!(node.value, Value::Number(_)))?
        .to_json()
    {
        Json::Number(number) => Some(number),
        _ => None,
    }
}
