//! Reading what a test asserts.

mod body;
mod connection;
mod head;
mod json;
mod schema;

use nonevent_document::{Member, Node, Value, member_path};

use crate::codes;
use crate::suite::expectations::{Bounds, Expectations, Text, TextRule, sha256_digits};
use crate::suite::model::{Place, Probe};
use crate::suite::read::Fields;
use crate::suite::reader::Reader;
use crate::suite::status::StatusSet;

pub(crate) use schema::compile;

/// Assertions that need an answer of HTTP.
const OF_AN_ANSWER: [&str; 10] = [
    "expected_status",
    "expected_headers",
    "expected_body_contains",
    "expected_body",
    "expected_json",
    "expected_schema",
    "expected_build",
    "expected_redirect",
    "expected_url",
    "expected_http",
];
/// Assertions that need TLS.
const OF_TLS: [&str; 2] = ["expected_certificate", "expected_tls"];

/// Counts and sizes that a suite may name.
const COUNT_MAX: u64 = 1 << 40;

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
        self.belong_to(fields, path, probe);
        let mut expect = Expectations {
            status: asks_http.then(|| StatusSet::only(200)),
            ..Expectations::default()
        };
        if asks_http {
            self.of_an_answer(fields, path, probe, &mut expect);
        }
        let at = |key: &str| fields.get(key).map(|node| (*node, member_path(path, key)));
        if let Some((node, path)) = at("expected_latency_ms") {
            expect.latency = self.latency(node, &path, probe);
        }
        if let Some((node, path)) = at("expected_certificate") {
            expect.certificate = self.certificate(node, &path);
        }
        if let Some((node, path)) = at("expected_tls") {
            expect.tls = self.tls_version(node, &path);
        }
        let read_whole = self.findings.len() == before;
        if read_whole && asks_http && expect.is_nothing() {
            self.error(
                codes::ASSERTS_NOTHING,
                place,
                "no answer could fail this test",
                "expect a status, or a text in the body",
            );
        }
        expect
    }

    fn of_an_answer(
        &mut self,
        fields: &Fields<'_>,
        path: &str,
        probe: Option<&Probe>,
        expect: &mut Expectations,
    ) {
        let at = |key: &str| fields.get(key).map(|node| (*node, member_path(path, key)));
        if let Some((node, path)) = at("expected_status") {
            expect.status = match node.value {
                Value::Null => None,
                _ => self.status(node, &path),
            };
        }
        if let Some((node, path)) = at("expected_redirect") {
            self.redirect(fields, node, &path, probe, expect);
        }
        if let Some((node, path)) = at("expected_url") {
            expect.url = self.url(node, &path, probe);
        }
        if let Some((node, path)) = at("expected_headers") {
            expect.headers = self.header_rules(node, &path);
        }
        if let Some((node, path)) = at("expected_body_contains") {
            expect.body = self.body_contains(node, &path);
        }
        if let Some((node, path)) = at("expected_body") {
            expect.body.extend(self.body_rules(node, &path));
        }
        if let Some((node, path)) = at("expected_json") {
            expect.json = self.json_rules(node, &path);
        }
        if let Some((node, path)) = at("expected_schema") {
            expect.schema = self.schema(node, &path).map(Box::new);
        }
        if let Some((node, path)) = at("expected_build") {
            expect.build = self.build(node, &path).map(Box::new);
        }
        if let Some((node, path)) = at("expected_http") {
            expect.http = self.http_spoken(node, &path);
        }
    }

    /// Finds what a test asserts and its probe has not.
    fn belong_to(&mut self, fields: &Fields<'_>, path: &str, probe: Option<&Probe>) {
        let (kind, foreign) = match probe {
            None | Some(Probe::Http(_)) => return,
            Some(Probe::Tls(_)) => ("tls", OF_AN_ANSWER.to_vec()),
            Some(Probe::Tcp(_)) => ("tcp", [&OF_AN_ANSWER[..], &OF_TLS].concat()),
        };
        for field in foreign {
            let Some(node) = fields.get(field).filter(|node| !node.is_null()) else {
                continue;
            };
            let needs = if OF_TLS.contains(&field) {
                "TLS"
            } else {
                "an answer of HTTP"
            };
            let message = format!("`{field}` needs {needs}, and `{kind}` asks for none");
            let help = format!("remove `{field}`, or remove `{kind}` to ask by HTTP");
            self.bad_value(node, &member_path(path, field), message, &help);
        }
    }

    /// What a text must be: the text itself, or an object of conditions that all must hold.
    fn text_rules(&mut self, node: &Node, path: &str) -> Vec<TextRule<Text>> {
        let wanted = "text, { \"contains\": text } or { \"matches\": regular expression }";
        let Value::Object(members) = &node.value else {
            let equals = self.template(node, path, wanted);
            return equals.map(TextRule::Equals).into_iter().collect();
        };
        if members.is_empty() {
            self.nothing_in(node, path, wanted);
        }
        let mut rules = Vec::new();
        for member in members {
            match self.text_rule(member, path) {
                Some(rule) => rules.extend(rule),
                None => self.unknown_own(member, path, "equals, contains, matches"),
            }
        }
        rules
    }

    /// One condition; nothing if the member is none, and nothing inside if its value is bad.
    fn text_rule(&mut self, member: &Member, path: &str) -> Option<Option<TextRule<Text>>> {
        let (inner, value) = (member_path(path, &member.key), &member.value);
        Some(match member.key.as_str() {
            "equals" => self.template(value, &inner, "text").map(TextRule::Equals),
            "contains" => self.template(value, &inner, "text").map(TextRule::Contains),
            "matches" => self.regex(value, &inner).map(TextRule::Matches),
            _ => return None,
        })
    }

    /// A number, or `{ "min": 1, "max": 3 }` with at least one of them.
    fn bounds(&mut self, node: &Node, path: &str) -> Option<Bounds> {
        let wanted = "a number, or { \"min\": 1, \"max\": 3 }";
        if matches!(node.value, Value::Number(_)) {
            let count = self.whole(node, path, 0, COUNT_MAX)?;
            return Some(Bounds {
                min: count,
                max: Some(count),
            });
        }
        let mut bounds = Bounds { min: 0, max: None };
        let members = self.members(node, path, wanted)?;
        for member in members {
            let inner = member_path(path, &member.key);
            match member.key.as_str() {
                "min" => bounds.min = self.whole(&member.value, &inner, 0, COUNT_MAX)?,
                "max" => bounds.max = Some(self.whole(&member.value, &inner, 0, COUNT_MAX)?),
                _ => self.unknown_own(member, path, "min, max"),
            }
        }
        if members.is_empty() {
            self.nothing_in(node, path, wanted);
            return None;
        }
        if bounds.max.is_some_and(|max| max < bounds.min) {
            let message = "`min` is over `max`".to_owned();
            self.bad_value(node, path, message, "exchange them");
            return None;
        }
        Some(bounds)
    }

    /// A SHA-256, which may be a reference.
    fn sha256(&mut self, node: &Node, path: &str) -> Option<Text> {
        let wanted = "a SHA-256 as 64 hexadecimal digits";
        let text = self.template(node, path, wanted)?;
        if let Some(plain) = node.as_str()
            && !text.value.has_reference()
            && sha256_digits(plain).is_none()
        {
            let message = format!("`{plain}` is no SHA-256");
            self.bad_value(node, path, message, &format!("write {wanted}"));
        }
        Some(text)
    }

    fn nothing_in(&mut self, node: &Node, path: &str, wanted: &str) {
        let message = "nothing is expected".to_owned();
        self.bad_value(node, path, message, &format!("write {wanted}"));
    }
}
