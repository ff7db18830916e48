//! From a file to a [`Suite`].
//!
//! The format is the teams' own: what they write beside the known fields is kept out of the way
//! as a note. Only an unknown field that looks like an assertion is a warning, since leaving it
//! out makes the test weaker than its author thinks.

use std::collections::BTreeMap;

use nonevent_document::{
    Digest, Document, Findings, Limits, Member, Node, Value, item_path, member_path,
};

use crate::bind::template::Template;
use crate::codes;
use crate::report::result::Part;
use crate::suite::model::{CASES_MAX, Place, Probe, Suite, TESTS_MAX, TIMEOUT_MS_MAX, Test};
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
        let (name, text, root) = document.into_parts();
        let variables = reader.variables(&root);
        let place = Place::of(root.get("tests").unwrap_or(&root), "tests");
        let tests = reader.suite(root, &variables, &place);
        if reader.findings.has_errors() {
            return Err(reader.findings);
        }
        Ok(Suite {
            name,
            text,
            digest: Digest::of(bytes),
            variables,
            tests,
            place,
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
#[derive(Debug)]
pub(crate) struct Fields<'n>(Vec<(&'n str, &'n Node)>);

impl<'n> Fields<'n> {
    pub(crate) fn get(&self, name: &str) -> Option<&&'n Node> {
        let mut fields = self.0.iter();
        fields.find_map(|(key, node)| (*key == name).then_some(node))
    }

    pub(crate) fn contains_key(&self, name: &str) -> bool {
        self.get(name).is_some()
    }
}

impl<'n> FromIterator<(&'n str, &'n Node)> for Fields<'n> {
    fn from_iter<I: IntoIterator<Item = (&'n str, &'n Node)>>(fields: I) -> Fields<'n> {
        Fields(fields.into_iter().collect())
    }
}

/// The fields of the suite itself. The ones after `teardown` are notes to people and editors.
const SUITE_FIELDS: [&str; 9] = [
    "tests",
    "variables",
    "setup",
    "teardown",
    "apiVersion",
    "kind",
    "$schema",
    "name",
    "description",
];

/// The fields of a test, in the order of the crate page.
const TEST_FIELDS: [&str; 38] = [
    "name",
    "method",
    "path",
    "query",
    "headers",
    "auth",
    "cookies",
    "body",
    "body_file",
    "form",
    "follow_redirects",
    "tcp",
    "tls",
    "connection",
    "expected_status",
    "expected_body_contains",
    "expected_headers",
    "expected_body",
    "expected_json",
    "expected_schema",
    "expected_build",
    "expected_redirect",
    "expected_url",
    "expected_latency_ms",
    "expected_certificate",
    "expected_tls",
    "expected_http",
    "capture",
    "depends_on",
    "tags",
    "severity",
    "for_each",
    "repeat",
    "poll",
    "timeout_ms",
    "retries",
    "idempotency",
    "compare",
];

impl Reader {
    /// Reads the tests. The tree is given up as they are read, so that a large suite is not held
    /// twice.
    fn suite(
        &mut self,
        root: Node,
        variables: &BTreeMap<String, String>,
        place: &Place,
    ) -> Vec<Test> {
        let whole = Place::of(&root, "");
        let mut members = match root.value {
            Value::Object(members) => members,
            _ => Vec::new(),
        };
        let unknown = |m: &&Member| !SUITE_FIELDS.contains(&m.key.as_str());
        for member in members.iter().filter(unknown) {
            self.unknown(member, "", &SUITE_FIELDS);
        }
        let mut take = |key: &str| {
            let at = members.iter().position(|member| member.key == key)?;
            Some(members.swap_remove(at).value)
        };
        let (setup, list, teardown) = (take("setup"), take("tests"), take("teardown"));
        let Some(list) = list else {
            let help = "write { \"tests\": [ { \"path\": \"/health\" } ] }";
            self.error(codes::NOT_A_SUITE, &whole, "there is no list `tests`", help);
            return Vec::new();
        };
        if matches!(&list.value, Value::Array(items) if items.is_empty()) {
            let help = "write at least one test";
            self.error(codes::NO_TEST, place, "the suite has no test", help);
        }
        let mut tests = Vec::new();
        let mut dependencies = Vec::new();
        // Tests there must be; without setup or teardown a suite is whole.
        let more = |list: Option<Node>| list.filter(|list| !list.is_null());
        for (key, list, part) in [
            ("setup", more(setup), Part::Setup),
            ("tests", Some(list), Part::Test),
            ("teardown", more(teardown), Part::Teardown),
        ] {
            let Some(list) = list else {
                continue;
            };
            let at = Place::of(&list, key);
            if self.items(&list, key, "a list of tests").is_none() {
                continue;
            }
            let Value::Array(items) = list.value else {
                continue;
            };
            if !self.room(items.len() + tests.len(), TESTS_MAX, "tests", &at) {
                return Vec::new();
            }
            tests.reserve_exact(items.len());
            for (at, item) in items.into_iter().enumerate() {
                if let Some((test, needs)) = self.test(&item, &item_path(key, at), part) {
                    tests.push(test);
                    dependencies.push(needs);
                }
            }
        }
        let cases = tests.iter().map(Test::cases).sum();
        self.room(cases, CASES_MAX, "tests, with tables and repeats", place);
        self.same_names(&tests);
        if !self.findings.has_errors() {
            self.order(&mut tests, &dependencies, variables);
        }
        tests
    }

    fn room(&mut self, count: usize, max: usize, what: &str, place: &Place) -> bool {
        if count > max {
            let message = format!("the suite has {count} {what}");
            let help = format!("split it: at most {max}");
            self.error(codes::TOO_MANY, place, message, &help);
        }
        count <= max
    }

    fn test(
        &mut self,
        node: &Node,
        path: &str,
        part: Part,
    ) -> Option<(Test, Vec<(String, Place)>)> {
        let members = self.members(node, path, "a test: { \"path\": \"/health\" }")?;
        let unknown = |m: &&Member| !TEST_FIELDS.contains(&m.key.as_str());
        for member in members.iter().filter(unknown) {
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

        let probe = self.probe(&fields, node, path);
        let rows = self.rows(&fields, path);
        let name = fields
            .get("name")
            .and_then(|node| self.name(node, &member_path(path, "name")));
        let kind = probe.as_ref().map_or("GET", Probe::word).to_owned();
        let expect = self.expectations(&fields, path, &place, probe.as_ref());
        let timeout_ms = fields
            .get("timeout_ms")
            .and_then(|node| self.whole(node, &member_path(path, "timeout_ms"), 1, TIMEOUT_MS_MAX));
        let idempotent = self.idempotency(&fields, path, &kind);
        let retries = self.retries(&fields, path, &kind, idempotent);
        let poll = self.poll(&fields, path, &kind, idempotent);
        self.build_is_repeatable(&expect, &kind, idempotent);
        let name = name.unwrap_or_else(|| {
            let asked = fields.get("path").and_then(|n| n.as_str());
            let port = ["tcp", "tls"]
                .iter()
                .find_map(|kind| fields.get(kind)?.get("port")?.as_i64());
            match (asked, port) {
                (Some(asked), _) => format!("{kind} {asked}"),
                (None, Some(port)) => format!("{kind} port {port}"),
                (None, None) => format!("{kind} /"),
            }
        });
        let has_table = rows.first().is_some_and(|row| !row.is_empty());
        let name_template = has_table
            .then(|| Template::parse(&name).ok())
            .flatten()
            .map(Box::new);
        let test = Test {
            name,
            name_template,
            part,
            severity: self.severity(&fields, path),
            tags: self.tags(&fields, path),
            connection: self.connection(&fields, path),
            expect,
            captures: self.captures(&fields, path, &rows),
            needs: Vec::new(),
            repeat: self.repeat(&fields, path),
            rows,
            poll: poll.map(Box::new),
            compare: self.compare(&fields, path),
            timeout_ms,
            retries,
            idempotent,
            place,
            // Whatever has a finding by now keeps the whole suite from being used.
            probe: probe?,
        };
        Some((test, self.depends_on(&fields, path)))
    }

    fn name(&mut self, node: &Node, path: &str) -> Option<String> {
        let text = self.text(node, path, "text")?;
        (!text.trim().is_empty()).then(|| text.to_owned())
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::{Value as Json, json};

    use super::{SUITE_FIELDS, TEST_FIELDS};
    use crate::suite::model::Suite;

    fn schema() -> Json {
        let path = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../../docs/schema/smoke-suite.schema.json"
        );
        let text = std::fs::read_to_string(path).expect("a schema");
        serde_json::from_str(&text).expect("JSON")
    }

    /// What is read of a test, without the places.
    fn read(test: &Json) -> String {
        let text = json!({ "tests": [test] }).to_string();
        let suite = Suite::parse("suite.json", text.as_bytes())
            .unwrap_or_else(|findings| panic!("{test}: {findings}"));
        let test = &suite.tests[0];
        let http = test
            .http()
            .map(|http| (&http.method, http.path.value.clone()));
        let connections = test.expect.build.as_ref().map(|build| build.connections);
        let secrets: Vec<bool> = test.captures.iter().map(|it| it.secret).collect();
        format!(
            "{http:?} {:?} {} {:?} {:?} {connections:?} {secrets:?}",
            test.severity, test.repeat, test.poll, test.retries
        )
    }

    #[test]
    fn a_default_is_what_a_field_that_is_left_out_means() {
        let schema = schema();
        let cases = [
            ("Test", "", json!({})),
            ("Poll", "/poll", json!({ "poll": { "within_ms": 9 } })),
            ("Retries", "/retries", json!({ "retries": {} })),
            (
                "Build",
                "/expected_build",
                json!({ "expected_build": { "header": "x", "equals": "1" } }),
            ),
            (
                "Capture",
                "/capture/a",
                json!({ "capture": { "a": { "header": "x" } } }),
            ),
        ];
        let mut held = 0;
        for (name, path, test) in &cases {
            let fields = schema["$defs"][name]["properties"].as_object();
            for (field, property) in fields.expect("fields") {
                let Some(default) = property.get("default") else {
                    continue;
                };
                let mut given = test.clone();
                given.pointer_mut(path).expect("a place")[field] = default.clone();
                assert_eq!(read(test), read(&given), "{name}.{field}");
                held += 1;
            }
        }
        assert_eq!(held, schema.to_string().matches("\"default\":").count());
    }

    #[test]
    fn the_schema_has_the_fields_that_are_known() {
        let schema = schema();
        for (object, known) in [
            (&schema, &SUITE_FIELDS[..]),
            (&schema["$defs"]["Test"], &TEST_FIELDS[..]),
        ] {
            let fields = object["properties"].as_object().expect("fields");
            let fields: BTreeSet<&str> = fields.keys().map(String::as_str).collect();
            assert_eq!(fields, known.iter().copied().collect());
        }
    }
}
