//! Reading what a test asserts.

use http::header::HeaderName;
use nonevent_document::{Node, Value, item_path, member_path};

use crate::bind::template::Template;
use crate::codes;
use crate::judge::path::JsonPath;
use crate::suite::expectations::{
    Build, BuildSource, CONNECTIONS_DEFAULT, CONNECTIONS_MAX, Expectations, HeaderRule, JsonRule,
};
use crate::suite::model::{Field, Place, Probe};
use crate::suite::read::Fields;
use crate::suite::reader::Reader;
use crate::suite::status::{StatusSet, parse_range};

impl Reader {
    pub(crate) fn expectations(
        &mut self,
        fields: &Fields<'_>,
        path: &str,
        place: &Place,
        probe: Option<&Probe>,
    ) -> Expectations {
        let before = self.findings.len();
        let asks_http = probe.is_none_or(|probe| matches!(probe, Probe::Http(_)));
        let expect = Expectations {
            status: match fields.get("expected_status") {
                None => asks_http.then(|| StatusSet::only(200)),
                Some(Node {
                    value: Value::Null, ..
                }) => None,
                Some(node) => self.status(node, &member_path(path, "expected_status")),
            },
            body_contains: fields
                .get("expected_body_contains")
                .map(|node| self.contains(node, &member_path(path, "expected_body_contains")))
                .unwrap_or_default(),
            headers: fields
                .get("expected_headers")
                .map(|node| self.header_rules(node, &member_path(path, "expected_headers")))
                .unwrap_or_default(),
            json: fields
                .get("expected_json")
                .map(|node| self.json_rules(node, &member_path(path, "expected_json")))
                .unwrap_or_default(),
            build: fields
                .get("expected_build")
                .and_then(|node| self.build(node, &member_path(path, "expected_build"))),
        };
        let read_whole = self.findings.len() == before;
        if read_whole && asks_http && asserts_nothing(&expect) {
            self.error(
                codes::ASSERTS_NOTHING,
                place,
                "no answer could fail this test",
                "expect a status, or a text in the body",
            );
        }
        expect
    }

    fn status(&mut self, node: &Node, path: &str) -> Option<StatusSet> {
        let mut ranges = Vec::new();
        if let Value::Array(items) = &node.value {
            for (at, item) in items.iter().enumerate() {
                ranges.push(self.status_range(item, &item_path(path, at))?);
            }
            if items.is_empty() {
                let message = "no status is expected".to_owned();
                self.bad_value(node, path, message, "write at least one status");
                return None;
            }
        } else {
            ranges.push(self.status_range(node, path)?);
        }
        Some(StatusSet::of_ranges(ranges))
    }

    fn status_range(&mut self, node: &Node, path: &str) -> Option<(u16, u16)> {
        let text = match &node.value {
            Value::Number(_) => node.to_json().to_string(),
            _ => self
                .text(
                    node,
                    path,
                    "a status such as 200, or a range such as \"200-299\"",
                )?
                .into(),
        };
        let range = parse_range(&text);
        if range.is_none() {
            let message = format!("`{text}` is no status");
            let help = "write 100 to 599, or a range such as \"200-299\"";
            self.bad_value(node, path, message, help);
        }
        range
    }

    fn contains(&mut self, node: &Node, path: &str) -> Vec<Field<Template>> {
        let wanted = "text that the body contains, or a list of such";
        if let Value::Array(items) = &node.value {
            return items
                .iter()
                .enumerate()
                .filter_map(|(at, item)| self.template(item, &item_path(path, at), wanted))
                .collect();
        }
        self.template(node, path, wanted).into_iter().collect()
    }

    fn header_rules(&mut self, node: &Node, path: &str) -> Vec<(HeaderName, HeaderRule)> {
        let Some(members) = self.members(node, path, "an object of names and values") else {
            return Vec::new();
        };
        let mut rules = Vec::new();
        for member in members {
            let path = member_path(path, &member.key);
            let Some(name) = self.header_name(member, &path) else {
                continue;
            };
            if let Some(rule) = self.header_rule(&member.value, &path) {
                rules.push((name, rule));
            }
        }
        rules
    }

    fn header_rule(&mut self, node: &Node, path: &str) -> Option<HeaderRule> {
        let wanted = "the value as text, { \"contains\": text }, or null for absent";
        match &node.value {
            Value::Null => Some(HeaderRule::Absent),
            Value::Object(members) => {
                let mut rule = None;
                for member in members {
                    if member.key == "contains" {
                        let inner = member_path(path, "contains");
                        rule = self
                            .template(&member.value, &inner, "text")
                            .map(HeaderRule::Contains);
                    } else {
                        self.unknown_own(member, path, "contains");
                    }
                }
                if members.is_empty() {
                    let message = "nothing is expected of the header".to_owned();
                    self.bad_value(node, path, message, &format!("write {wanted}"));
                }
                rule
            }
            _ => self.template(node, path, wanted).map(HeaderRule::Equals),
        }
    }

    fn json_rules(&mut self, node: &Node, path: &str) -> Vec<(JsonPath, JsonRule)> {
        let wanted = "a list of { \"path\": \"$.status\", \"equals\": \"ok\" }";
        let Some(items) = self.items(node, path, wanted) else {
            return Vec::new();
        };
        items
            .iter()
            .enumerate()
            .filter_map(|(at, item)| self.json_rule(item, &item_path(path, at), wanted))
            .collect()
    }

    fn json_rule(&mut self, node: &Node, path: &str, wanted: &str) -> Option<(JsonPath, JsonRule)> {
        let mut at = None;
        let mut rules = Vec::new();
        for member in self.members(node, path, wanted)? {
            let (inner, value) = (member_path(path, &member.key), &member.value);
            match member.key.as_str() {
                "path" => at = self.json_path(value, &inner),
                "equals" => rules.extend(self.json(value, &inner).map(JsonRule::Equals)),
                "exists" => rules.extend(self.flag(value, &inner).map(JsonRule::Exists)),
                _ => self.unknown_own(member, path, "path, equals, exists"),
            }
        }
        if node.get("path").is_none() || rules.len() > 1 || !has_one_rule(node) {
            let message = "an expectation has a `path`, and either `equals` or `exists`".to_owned();
            self.bad_value(node, path, message, &format!("write {wanted}"));
            return None;
        }
        Some((at?, rules.pop()?))
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

    fn build(&mut self, node: &Node, path: &str) -> Option<Build> {
        let wanted = "{ \"header\": \"x-version\", \"equals\": \"${release}\" }";
        let (mut sources, mut equals, mut connections) = (Vec::new(), None, CONNECTIONS_DEFAULT);
        for member in self.members(node, path, wanted)? {
            let (inner, value) = (member_path(path, &member.key), &member.value);
            match member.key.as_str() {
                "header" => {
                    sources.push(self.header_name_of(value, &inner).map(BuildSource::Header))
                }
                "json" => sources.push(self.json_path(value, &inner).map(BuildSource::Json)),
                "equals" => equals = Some(self.template(value, &inner, "the wanted build as text")),
                "connections" => {
                    let count = self.whole(value, &inner, 1, u64::from(CONNECTIONS_MAX))?;
                    connections = u32::try_from(count).ok()?;
                }
                _ => self.unknown_own(member, path, "header, json, equals, connections"),
            }
        }
        if sources.len() != 1 || equals.is_none() {
            let message = "a build has either `header` or `json`, and `equals`".to_owned();
            self.bad_value(node, path, message, &format!("write {wanted}"));
            return None;
        }
        let equals = equals??;
        if equals.value.pieces().is_empty() {
            let message = "an empty build is no build".to_owned();
            self.bad_value(node, path, message, &format!("write {wanted}"));
            return None;
        }
        Some(Build {
            source: sources.pop()??,
            equals,
            connections,
        })
    }
}

fn has_one_rule(node: &Node) -> bool {
    node.get("equals").is_some() != node.get("exists").is_some()
}

fn asserts_nothing(expect: &Expectations) -> bool {
    expect.status.as_ref().is_none_or(StatusSet::is_everything)
        && expect
            .body_contains
            .iter()
            .all(|text| text.value.pieces().is_empty())
        && expect.headers.is_empty()
        && expect.json.is_empty()
        && expect.build.is_none()
}
