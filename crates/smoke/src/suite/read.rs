//! From a file to a [`Suite`].
//!
//! The format is the teams' own: what they write beside the known fields is kept out of the way
//! as a note. Only an unknown field that looks like an assertion is a warning, since leaving it
//! out makes the test weaker than its author thinks.

use std::collections::BTreeMap;

use http::Method;
use http::header::HeaderName;
use nonevent_document::{
    Digest, Document, Findings, Limits, Member, Node, Value, item_path, member_path,
};

use crate::bind::request::request_path;
use crate::bind::template::{Piece, Template};
use crate::codes;
use crate::suite::model::{Field, Payload, Place, Suite, TESTS_MAX, TIMEOUT_MS_MAX, Test};
use crate::suite::reader::Reader;

impl Suite {
    /// Reads a suite, JSON or YAML; `name` is what findings and reports call it.
    ///
    /// The fields are those of existing `smoke-tests.json` files, with their defaults: `name`,
    /// `method` (GET), `path` (`/`), `headers`, `body` (null, text, or a value sent as JSON),
    /// `expected_status` (200), `expected_body_contains`; and this runner's own beside them, which
    /// the crate page lists.
    ///
    /// # Errors
    ///
    /// All findings, when at least one is an error: a file that is no suite, a field of the wrong
    /// type, no tests, a test that asserts nothing.
    pub fn parse(name: &str, bytes: &[u8]) -> Result<Suite, Findings> {
        let document = Document::parse(name, bytes, &LIMITS)?;
        let mut reader = Reader::default();
        let tests = reader.suite(document.root());
        if reader.findings.has_errors() {
            return Err(reader.findings);
        }
        Ok(Suite {
            document,
            digest: Digest::of(bytes),
            tests,
            notes: reader.findings,
        })
    }
}

/// Room for as many tests as a suite may have, and for what each says.
const LIMITS: Limits = Limits {
    bytes_max: 8 * 1024 * 1024,
    depth_max: 64,
    nodes_max: 50 * TESTS_MAX,
};

/// Where each field of a test is, by name.
pub(crate) type Fields<'n> = BTreeMap<&'n str, &'n Node>;

const TEST_FIELDS: [&str; 13] = [
    "name",
    "method",
    "path",
    "headers",
    "body",
    "expected_status",
    "expected_body_contains",
    "expected_headers",
    "expected_json",
    "expected_build",
    "timeout_ms",
    "retries",
    "idempotency",
];

/// Headers that frame the message or the connection, which the runner decides.
const OWN_HEADERS: [&str; 7] = [
    "connection",
    "content-length",
    "expect",
    "keep-alive",
    "proxy-connection",
    "transfer-encoding",
    "upgrade",
];

impl Reader {
    fn suite(&mut self, root: &Node) -> Vec<Test> {
        let help = "write { \"tests\": [ { \"path\": \"/health\" } ] }";
        let tests = match &root.value {
            Value::Object(members) => {
                for member in members.iter().filter(|member| member.key != "tests") {
                    self.unknown(member, "", &["tests"]);
                }
                root.get("tests")
            }
            _ => None,
        };
        let Some(list) = tests else {
            let place = Place::of(root, "");
            self.error(codes::NOT_A_SUITE, &place, "there is no list `tests`", help);
            return Vec::new();
        };
        let Some(items) = self.items(list, "tests", "a list of tests") else {
            return Vec::new();
        };
        let place = Place::of(list, "tests");
        if items.is_empty() {
            let help = "write at least one test";
            self.error(codes::NO_TEST, &place, "the suite has no test", help);
        }
        if items.len() > TESTS_MAX {
            let message = format!("the suite has {} tests", items.len());
            self.error(
                codes::TOO_MANY,
                &place,
                message,
                &format!("split it: at most {TESTS_MAX}"),
            );
            return Vec::new();
        }
        let tests: Vec<Test> = items
            .iter()
            .enumerate()
            .filter_map(|(at, item)| self.test(item, &item_path("tests", at)))
            .collect();
        self.same_names(&tests);
        tests
    }

    fn test(&mut self, node: &Node, path: &str) -> Option<Test> {
        let members = self.members(node, path, "a test: { \"path\": \"/health\" }")?;
        for member in members
            .iter()
            .filter(|m| !TEST_FIELDS.contains(&m.key.as_str()))
        {
            self.unknown(member, path, &TEST_FIELDS);
        }
        // Null is how existing files say that a field is not given; only for the status it says
        // something else, so that one is kept.
        let fields: Fields<'_> = members
            .iter()
            .filter(|m| !matches!(m.value.value, Value::Null) || m.key == "expected_status")
            .map(|m| (m.key.as_str(), &m.value))
            .collect();
        let place = Place::of(node, path);

        let method = self.method(&fields, path);
        let url = self.path(&fields, node, path);
        let name = fields
            .get("name")
            .and_then(|node| self.name(node, &member_path(path, "name")));
        let headers = fields
            .get("headers")
            .map(|node| self.headers(node, &member_path(path, "headers")));
        let body = fields
            .get("body")
            .map(|node| self.body(node, &member_path(path, "body")));
        let expect = self.expectations(&fields, path, &place);
        let timeout_ms = fields
            .get("timeout_ms")
            .and_then(|node| self.whole(node, &member_path(path, "timeout_ms"), 1, TIMEOUT_MS_MAX));
        let method = method.unwrap_or(Method::GET);
        let idempotent = self.idempotency(&fields, path, &method);
        let retries = self.retries(&fields, path, &method, idempotent);
        self.build_is_repeatable(&expect, &method, idempotent);
        // Whatever has a finding by now keeps the whole suite from being used.
        let (url, body) = (url?, body.unwrap_or(Some(Payload::None))?);
        let name = name.unwrap_or_else(|| {
            format!(
                "{method} {}",
                fields.get("path").and_then(|n| n.as_str()).unwrap_or("/")
            )
        });
        let headers = headers.unwrap_or_default();
        Some(Test {
            name,
            place,
            method,
            path: url,
            headers,
            body,
            expect,
            timeout_ms,
            retries,
            idempotent,
        })
    }

    fn name(&mut self, node: &Node, path: &str) -> Option<String> {
        let text = self.text(node, path, "text")?;
        (!text.trim().is_empty()).then(|| text.to_owned())
    }

    fn path(&mut self, fields: &Fields<'_>, test: &Node, path: &str) -> Option<Field<Template>> {
        let path = member_path(path, "path");
        let Some(node) = fields.get("path") else {
            return self.template_of("/", test, &path);
        };
        let field = self.template(node, &path, "a path such as /health")?;
        if let [Piece::Text(text)] = field.value.pieces()
            && let Err(problem) = request_path("", text)
        {
            self.findings.push(problem.finding(&field.place, text));
            return None;
        }
        Some(field)
    }

    fn method(&mut self, fields: &Fields<'_>, path: &str) -> Option<Method> {
        let Some(node) = fields.get("method") else {
            return Some(Method::GET);
        };
        let path = member_path(path, "method");
        let text = self.text(node, &path, "a method such as GET")?;
        let method = Method::from_bytes(text.to_ascii_uppercase().as_bytes()).ok();
        let method = method.filter(|method| method != Method::CONNECT);
        if method.is_none() {
            let message = format!("`{text}` is no method that a test can use");
            self.bad_value(
                node,
                &path,
                message,
                "write GET, POST, PUT, PATCH, DELETE or HEAD",
            );
        }
        method
    }

    fn headers(&mut self, node: &Node, path: &str) -> Vec<(HeaderName, Field<Template>)> {
        let Some(members) = self.members(node, path, "an object of names and values") else {
            return Vec::new();
        };
        let mut headers = Vec::new();
        for member in members {
            let path = member_path(path, &member.key);
            let Some(name) = self.header_name(member, &path) else {
                continue;
            };
            if OWN_HEADERS.contains(&name.as_str()) {
                let place = Place {
                    path,
                    span: member.key_span.clone(),
                };
                let message = format!("`{}` is decided by the runner and not sent", member.key);
                self.findings
                    .push(place.warning(codes::OWN_HEADER, message, "remove it"));
                continue;
            }
            let value = match &member.value.value {
                Value::Null => continue,
                // Existing files write `"X-Id": 7`.
                Value::Number(_) | Value::Bool(_) => {
                    let text = member.value.to_json().to_string();
                    self.template_of(&text, &member.value, &path)
                }
                _ => self.template(&member.value, &path, "the header's value as text"),
            };
            if let Some(value) = value {
                headers.push((name, value));
            }
        }
        headers
    }

    pub(crate) fn header_name(&mut self, member: &Member, path: &str) -> Option<HeaderName> {
        let name = HeaderName::from_bytes(member.key.as_bytes()).ok();
        if name.is_none() {
            let place = Place {
                path: path.to_owned(),
                span: member.key_span.clone(),
            };
            let message = format!("`{}` is no header name", member.key);
            let help = "use letters, digits and `-`";
            self.error(codes::BAD_VALUE, &place, message, help);
        }
        name
    }

    fn body(&mut self, node: &Node, path: &str) -> Option<Payload> {
        Some(match &node.value {
            Value::Null => Payload::None,
            Value::String(_) => Payload::Text(self.template(node, path, "text")?),
            _ => Payload::Json(self.json(node, path)?),
        })
    }

    fn same_names(&mut self, tests: &[Test]) {
        let mut first: BTreeMap<&str, &Place> = BTreeMap::new();
        for test in tests {
            if let Some(before) = first.insert(&test.name, &test.place) {
                let message = format!("`{}` is also the name of {}", test.name, before.path);
                let help = "give each test its own name, so that reports tell them apart";
                self.findings
                    .push(test.place.note(codes::SAME_NAME, message, help));
            }
        }
    }

    /// A field of the foreign format that this runner does not know.
    fn unknown(&mut self, member: &Member, path: &str, known: &[&str]) {
        let key = member.key.as_str();
        let place = Place {
            path: member_path(path, key),
            span: member.key_span.clone(),
        };
        let near = known
            .iter()
            .copied()
            .find(|known| distance(known, key) <= 2);
        let message = format!("`{key}` is not known here and has no effect");
        let finding = match near {
            Some(near) => {
                place.warning(codes::UNKNOWN_FIELD, message, &format!("is it `{near}`?"))
            }
            None if key.starts_with("expect") || key.starts_with("assert") => place.warning(
                codes::UNKNOWN_FIELD,
                message,
                "it looks like an assertion, which is not made; the crate page lists those there are",
            ),
            None => place.note(codes::UNKNOWN_FIELD, message, "nothing needs to be done"),
        };
        self.findings.push(finding);
    }
}

/// Levenshtein's distance in bytes.
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.bytes().enumerate() {
        let mut diagonal = core::mem::replace(&mut row[0], i + 1);
        for (j, y) in b.bytes().enumerate() {
            let substituted = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}
