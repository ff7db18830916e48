//! Reading how often, when and in which order tests are asked.

use std::collections::BTreeMap;

use nonevent_document::{Node, Value, item_path, member_path};

use crate::bind::template::{Piece, Template};
use crate::codes;
use crate::report::verdict::Severity;
use crate::suite::model::{CompareTest, POLL_MS_MAX, Place, Poll, REPEAT_MAX, ROWS_MAX, Row, Test};
use crate::suite::read::Fields;
use crate::suite::reader::Reader;

impl Reader {
    /// `variables` of the suite: what `${name}` stands for where the caller does not say.
    pub(crate) fn variables(&mut self, root: &Node) -> BTreeMap<String, String> {
        let Some(node) = root.get("variables").filter(|node| !node.is_null()) else {
            return BTreeMap::new();
        };
        self.row(node, "variables").into_iter().collect()
    }

    pub(crate) fn severity(&mut self, fields: &Fields<'_>, path: &str) -> Severity {
        let Some(node) = fields.get("severity") else {
            return Severity::default();
        };
        let path = member_path(path, "severity");
        let wanted = "\"critical\" or \"warning\"";
        match self.text(node, &path, wanted) {
            Some("warning") => Severity::Warning,
            Some("critical") | None => Severity::Critical,
            Some(other) => {
                let message = format!("`{other}` is no severity");
                self.bad_value(node, &path, message, &format!("write {wanted}"));
                Severity::Critical
            }
        }
    }

    pub(crate) fn tags(&mut self, fields: &Fields<'_>, path: &str) -> Vec<String> {
        let Some(node) = fields.get("tags") else {
            return Vec::new();
        };
        self.words(node, &member_path(path, "tags"), "a list of tags")
            .into_iter()
            .map(|(tag, _)| tag)
            .collect()
    }

    /// Whether it is compared between two versions, or where they may differ.
    pub(crate) fn compare(&mut self, fields: &Fields<'_>, path: &str) -> Option<Box<CompareTest>> {
        let node = fields.get("compare")?;
        let mut compare = CompareTest::default();
        let path = member_path(path, "compare");
        if let Value::Bool(wanted) = node.value {
            compare.wanted = Some(wanted);
            return Some(Box::new(compare));
        }
        let wanted = "true, false, or { \"ignore\": [\"$.version\"] }";
        for member in self.members(node, &path, wanted).unwrap_or_default() {
            let inner = member_path(&path, &member.key);
            match member.key.as_str() {
                "wanted" => compare.wanted = self.flag(&member.value, &inner),
                "ignore" => {
                    let wanted = "a place such as \"$.version\", or a list of them";
                    for (text, place) in self.words(&member.value, &inner, wanted) {
                        if is_place(&text) {
                            compare.ignored.push(text);
                        } else {
                            let message = format!("`{text}` is no place of an answer");
                            let help = "write `$.a.b`, `header NAME`, `status` or `body`";
                            self.error(codes::BAD_VALUE, &place, message, help);
                        }
                    }
                }
                _ => self.unknown_own(member, &path, "wanted, ignore"),
            }
        }
        Some(Box::new(compare))
    }

    /// The names of the tests that must have passed before.
    pub(crate) fn depends_on(&mut self, fields: &Fields<'_>, path: &str) -> Vec<(String, Place)> {
        let Some(node) = fields.get("depends_on") else {
            return Vec::new();
        };
        let wanted = "the name of a test, or a list of them";
        self.words(node, &member_path(path, "depends_on"), wanted)
    }

    /// A text, or a list of texts.
    fn words(&mut self, node: &Node, path: &str, wanted: &str) -> Vec<(String, Place)> {
        if let Value::Array(items) = &node.value {
            return items
                .iter()
                .enumerate()
                .filter_map(|(at, item)| {
                    let path = item_path(path, at);
                    let text = self.text(item, &path, wanted)?;
                    Some((text.to_owned(), Place::of(item, path)))
                })
                .collect();
        }
        self.text(node, path, wanted)
            .map(|text| (text.to_owned(), Place::of(node, path)))
            .into_iter()
            .collect()
    }

    /// The rows of a table; none where there is no table.
    pub(crate) fn rows(&mut self, fields: &Fields<'_>, path: &str) -> Vec<Row> {
        let Some(node) = fields.get("for_each") else {
            return Vec::new();
        };
        let path = member_path(path, "for_each");
        let wanted = "a list of rows such as [ { \"country\": \"se\" } ]";
        let items = self.items(node, &path, wanted).unwrap_or_default();
        if items.is_empty() || items.len() > ROWS_MAX {
            let message = format!("the table has {} rows", items.len());
            let help = format!("write 1 to {ROWS_MAX}");
            self.bad_value(node, &path, message, &help);
            return Vec::new();
        }
        let rows: Vec<Row> = items
            .iter()
            .enumerate()
            .map(|(at, item)| self.row(item, &item_path(&path, at)))
            .collect();
        let names = |row: &Row| row.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
        let first = rows.first().map(names).unwrap_or_default();
        for (at, row) in rows.iter().enumerate() {
            if row.is_empty() || names(row) != first {
                let message = "the rows of a table have the same names in the same order";
                let help = format!("write {} in each", first.join(", "));
                let item = items.get(at).unwrap_or(node);
                self.bad_value(item, &item_path(&path, at), message.to_owned(), &help);
            }
        }
        rows
    }

    /// Names with their values as text.
    fn row(&mut self, node: &Node, path: &str) -> Row {
        let wanted = "an object of names and values";
        let mut row = Row::new();
        for member in self.members(node, path, wanted).unwrap_or_default() {
            let path = member_path(path, &member.key);
            if !is_variable(&member.key) {
                let message = format!("`{}` is no name for a variable", member.key);
                let help = "use letters, digits, `_`, `-` and `.`, and begin with a letter";
                self.bad_value(&member.value, &path, message, help);
            }
            let value = match &member.value.value {
                Value::Number(_) | Value::Bool(_) => member.value.to_json().to_string(),
                _ => match self.text(&member.value, &path, "text, a number, true or false") {
                    Some(text) => text.to_owned(),
                    None => continue,
                },
            };
            row.push((member.key.clone(), value));
        }
        row
    }

    pub(crate) fn repeat(&mut self, fields: &Fields<'_>, path: &str) -> u32 {
        let Some(node) = fields.get("repeat") else {
            return 1;
        };
        let count = self.whole(node, &member_path(path, "repeat"), 1, u64::from(REPEAT_MAX));
        count
            .and_then(|count| u32::try_from(count).ok())
            .unwrap_or(1)
    }

    pub(crate) fn poll(
        &mut self,
        fields: &Fields<'_>,
        path: &str,
        kind: &str,
        idempotent: bool,
    ) -> Option<Poll> {
        let node = fields.get("poll")?;
        let path = member_path(path, "poll");
        let wanted = "{ \"within_ms\": 30000, \"interval_ms\": 500 }";
        let mut poll = Poll {
            within_ms: 0,
            interval_ms: 500,
            factor: 1.5,
            interval_ms_max: 10_000,
        };
        for member in self.members(node, &path, wanted)? {
            let (inner, value) = (member_path(&path, &member.key), &member.value);
            match member.key.as_str() {
                "within_ms" => poll.within_ms = self.whole(value, &inner, 1, POLL_MS_MAX)?,
                "interval_ms" => poll.interval_ms = self.whole(value, &inner, 1, POLL_MS_MAX)?,
                "interval_ms_max" => {
                    poll.interval_ms_max = self.whole(value, &inner, 1, POLL_MS_MAX)?;
                }
                "factor" => poll.factor = self.factor(value, &inner)?,
                _ => {
                    let known = "within_ms, interval_ms, factor, interval_ms_max";
                    self.unknown_own(member, &path, known);
                }
            }
        }
        if poll.within_ms == 0 {
            let message = "a poll says how long it goes on".to_owned();
            self.bad_value(node, &path, message, &format!("write {wanted}"));
        }
        if let Some(node) = fields.get("retries") {
            let message = "a test that polls is not retried besides".to_owned();
            self.bad_value(node, &path, message, "keep `poll` or `retries`");
        }
        if !idempotent {
            let message = format!("a {kind} that is polled acts each time");
            let help = "poll with a GET, or write \"idempotency\": \"idempotent\" if repeating it \
                        does no harm";
            self.error(codes::NOT_REPEATABLE, &Place::of(node, path), message, help);
        }
        Some(poll)
    }

    fn factor(&mut self, node: &Node, path: &str) -> Option<f64> {
        let factor = node.as_f64().filter(|factor| (1.0..=10.0).contains(factor));
        if factor.is_none() {
            let message = "`factor` is out of its bounds".to_owned();
            self.bad_value(node, path, message, "write a number from 1 to 10");
        }
        factor
    }

    /// Finds for each test those that must be asked before it: the ones it names, and the ones that
    /// capture what it uses.
    pub(crate) fn order(
        &mut self,
        tests: &mut [Test],
        named: &[Vec<(String, Place)>],
        variables: &BTreeMap<String, String>,
    ) {
        let mut capturing: BTreeMap<String, usize> = BTreeMap::new();
        for (at, test) in tests.iter().enumerate() {
            for capture in &test.captures {
                let place = &capture.place;
                if let Some(first) = capturing.insert(capture.name.clone(), at) {
                    let other = tests.get(first).map_or("", |test| test.name.as_str());
                    let message = format!("`{}` is also captured by `{other}`", capture.name);
                    self.error(codes::BAD_VALUE, place, message, "give each its own name");
                }
                if variables.contains_key(&capture.name) {
                    let message = format!("`{}` is also one of `variables`", capture.name);
                    self.error(codes::BAD_VALUE, place, message, "give each its own name");
                }
            }
        }
        let mut needs: Vec<Vec<usize>> = vec![Vec::new(); tests.len()];
        for (at, (test, names)) in tests.iter().zip(named).enumerate() {
            let mut needed = Vec::new();
            for (name, place) in names {
                match tests.iter().position(|other| other.name == *name) {
                    Some(found) => needed.push((found, place.clone())),
                    None => {
                        let message = format!("no test is called `{name}`");
                        let help = "write the whole of a test's name";
                        self.error(codes::BAD_VALUE, place, message, help);
                    }
                }
            }
            crate::bind::visit(test, &mut |template: &Template| {
                for piece in template.pieces() {
                    if let Piece::Variable(name) = piece
                        && let Some(&found) = capturing.get(name)
                    {
                        needed.push((found, test.place.clone()));
                    }
                }
            });
            for (found, place) in needed {
                // Only what stands before can be asked before: so there is no circle.
                if found >= at {
                    let other = tests.get(found).map_or("", |test| test.name.as_str());
                    let message = format!(
                        "`{}` needs `{other}`, which does not stand before it",
                        test.name
                    );
                    self.error(codes::BAD_VALUE, &place, message, "move it up");
                } else if let Some(needs) = needs.get_mut(at)
                    && !needs.contains(&found)
                {
                    needs.push(found);
                }
            }
        }
        for (test, needs) in tests.iter_mut().zip(needs) {
            test.needs = needs;
        }
    }
}

/// Whether a text can stand in `${…}` as a variable.
pub(crate) fn is_variable(name: &str) -> bool {
    let mut chars = name.chars();
    chars
        .next()
        .is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
        && chars.all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.'))
}

/// Whether a text names a place where answers can differ.
pub(crate) fn is_place(text: &str) -> bool {
    matches!(text, "status" | "body" | "$")
        || text.starts_with("$.")
        || text.starts_with("$[")
        || text
            .strip_prefix("header ")
            .is_some_and(|name| !name.is_empty())
}
