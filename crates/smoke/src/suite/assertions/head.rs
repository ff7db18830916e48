//! Reading what is asserted of the head of an answer: status, headers, redirect, URL, build.

use http::header::HeaderName;
use nonevent_document::{Node, Value, item_path, member_path};

use crate::suite::expectations::{
    Build, BuildSource, CONNECTIONS_DEFAULT, CONNECTIONS_MAX, Expectations, HeaderRule, Text,
    TextRule,
};
use crate::suite::model::Probe;
use crate::suite::read::Fields;
use crate::suite::reader::Reader;
use crate::suite::status::{StatusSet, parse_range};

/// The statuses that redirect (RFC 9110, section 15.4).
const REDIRECTS: (u16, u16) = (300, 399);

impl Reader {
    pub(super) fn status(&mut self, node: &Node, path: &str) -> Option<StatusSet> {
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

    pub(super) fn header_rules(
        &mut self,
        node: &Node,
        path: &str,
    ) -> Vec<(HeaderName, HeaderRule<Text>)> {
        let Some(members) = self.members(node, path, "an object of names and values") else {
            return Vec::new();
        };
        let mut rules = Vec::new();
        for member in members {
            let path = member_path(path, &member.key);
            let Some(name) = self.header_name(member, &path) else {
                continue;
            };
            let found = self.rules_of_header(&member.value, &path);
            rules.extend(found.into_iter().map(|rule| (name.clone(), rule)));
        }
        rules
    }

    fn rules_of_header(&mut self, node: &Node, path: &str) -> Vec<HeaderRule<Text>> {
        let wanted = "the value as text, { \"contains\": text }, or null for absent";
        let members = match &node.value {
            Value::Null => return vec![HeaderRule::Exists(false)],
            Value::Object(members) => members,
            _ => {
                let equals = self.template(node, path, wanted).map(TextRule::Equals);
                return equals.map(HeaderRule::Text).into_iter().collect();
            }
        };
        if members.is_empty() {
            let message = "nothing is expected of the header".to_owned();
            self.bad_value(node, path, message, &format!("write {wanted}"));
        }
        let mut rules = Vec::new();
        for member in members {
            if member.key == "exists" {
                let exists = self.flag(&member.value, &member_path(path, "exists"));
                rules.extend(exists.map(HeaderRule::Exists));
                continue;
            }
            match self.text_rule(member, path) {
                Some(rule) => rules.extend(rule.map(HeaderRule::Text)),
                None => self.unknown_own(member, path, "equals, contains, matches, exists"),
            }
        }
        if members.len() > 1 && node.get("exists").and_then(Node::as_bool) == Some(false) {
            let message = "a header that is absent has no value".to_owned();
            self.bad_value(node, path, message, "keep `exists` or the others");
        }
        rules
    }

    pub(super) fn redirect(
        &mut self,
        fields: &Fields<'_>,
        node: &Node,
        path: &str,
        probe: Option<&Probe>,
        expect: &mut Expectations,
    ) {
        let wanted = "{ \"location\": \"/login\" }";
        let Some(members) = self.members(node, path, wanted) else {
            return;
        };
        let told = fields
            .get("expected_status")
            .filter(|node| !node.is_null())
            .map(|_| expect.status.take());
        let mut status = Some(StatusSet::of_ranges(vec![REDIRECTS]));
        for member in members {
            let inner = member_path(path, &member.key);
            match member.key.as_str() {
                "status" => {
                    status = self.status(&member.value, &inner);
                    if told.is_some() {
                        let message = "`expected_status` says so too".to_owned();
                        self.bad_value(&member.value, &inner, message, "keep one of them");
                    }
                }
                "location" => expect.location = self.text_rules(&member.value, &inner),
                _ => self.unknown_own(member, path, "status, location"),
            }
        }
        expect.status = told.unwrap_or(status);
        if let Some(status) = &expect.status
            && !(REDIRECTS.0..=REDIRECTS.1).any(|code| status.contains(code))
        {
            let message = format!("no redirect has a status of {status}");
            self.bad_value(node, path, message, "expect one from 300 to 399");
        }
        if node.get("location").is_none() {
            let message = "a redirect leads somewhere".to_owned();
            self.bad_value(node, path, message, &format!("write {wanted}"));
        }
        if follows_redirects(probe) {
            let message = "a redirect that is followed is not the answer".to_owned();
            let help = "remove `follow_redirects`, or write `expected_url` instead";
            self.bad_value(node, path, message, help);
        }
    }

    pub(super) fn url(
        &mut self,
        node: &Node,
        path: &str,
        probe: Option<&Probe>,
    ) -> Vec<TextRule<Text>> {
        if probe.is_some() && !follows_redirects(probe) {
            let message = "only the URL that is asked can answer".to_owned();
            self.bad_value(node, path, message, "add `follow_redirects`");
        }
        self.text_rules(node, path)
    }

    pub(super) fn build(&mut self, node: &Node, path: &str) -> Option<Build> {
        let wanted = "{ \"header\": \"x-version\", \"equals\": \"${release}\" }";
        let (mut sources, mut equals, mut connections) = (Vec::new(), None, CONNECTIONS_DEFAULT);
        for member in self.members(node, path, wanted)? {
            let (inner, value) = (member_path(path, &member.key), &member.value);
            match member.key.as_str() {
                "header" => {
                    sources.push(self.header_name_of(value, &inner).map(BuildSource::Header));
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

fn follows_redirects(probe: Option<&Probe>) -> bool {
    matches!(probe, Some(Probe::Http(http)) if http.redirects_max > 0)
}
