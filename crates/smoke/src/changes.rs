//! What changed between two runs: one's report is the other's baseline.

use core::fmt;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::judge::excerpt::visible;
use crate::report::Report;
use crate::report::result::{Attempt, TestResult};
use crate::report::verdict::Verdict;

/// What changed between a run before and a run after, test by test.
///
/// ```
/// # fn compare(before: &nonevent_smoke::Report, after: &nonevent_smoke::Report) {
/// let changes = after.changes_since(before);
/// if changes.regressions().next().is_some() {
///     println!("{changes}");
/// }
/// # }
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Changes {
    /// Whether both ran the same suite, byte for byte; if not, tests are compared by their names.
    pub same_suite: bool,
    /// Tests that were run both times.
    pub compared: usize,
    /// The tests of which something changed, in the order of the run after; then those that were
    /// run before only.
    pub tests: Vec<TestChange>,
}

/// What changed of one test.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TestChange {
    /// The test's name.
    pub name: String,
    /// The backend, where each was asked by itself both times.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backend: Option<String>,
    /// What changed; never nothing.
    pub changes: Vec<Change>,
}

/// One thing that is another than before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Change {
    /// It was not run before.
    New,
    /// It was run before, and was not now.
    Gone,
    /// The verdict.
    Verdict {
        /// Of the run before.
        before: Verdict,
        /// Of the run after.
        after: Verdict,
    },
    /// Neither passed, and what was wrong first is another thing.
    Failure {
        /// Of the run before.
        before: String,
        /// Of the run after.
        after: String,
    },
    /// The status, although both are as expected or both are not.
    Status {
        /// Of the run before.
        before: u16,
        /// Of the run after.
        after: u16,
    },
    /// The builds that answered, in alphabetical order.
    Builds {
        /// Of the run before.
        before: Vec<String>,
        /// Of the run after.
        after: Vec<String>,
    },
    /// The version of HTTP.
    Http {
        /// Of the run before.
        before: String,
        /// Of the run after.
        after: String,
    },
    /// The service's certificate, by its digest.
    Certificate {
        /// Of the run before.
        before: String,
        /// Of the run after.
        after: String,
    },
    /// Where redirects led in the end.
    Redirect {
        /// Of the run before; nothing if none was followed.
        before: Option<String>,
        /// Of the run after.
        after: Option<String>,
    },
}

impl TestChange {
    /// Whether the test passed before, and does not now.
    #[must_use]
    pub fn is_regression(&self) -> bool {
        self.changes.iter().any(|change| {
            matches!(change, Change::Verdict { before, after } if before.is_yes() && !after.is_yes())
        })
    }
}

impl Changes {
    /// The tests that passed before and do not now.
    pub fn regressions(&self) -> impl Iterator<Item = &TestChange> {
        self.tests.iter().filter(|test| test.is_regression())
    }
}

impl Report {
    /// What is another than in the run `before`, which serves as the baseline.
    ///
    /// Tests are matched by backend and name, the n-th of one name with the n-th. Where the runs
    /// did not ask the same backends, they are matched by name alone if one of them asked none by
    /// itself. Latencies are not compared: two single measurements say nothing.
    #[must_use]
    pub fn changes_since(&self, before: &Report) -> Changes {
        let by_backend = !self.summary.backends.is_empty() && !before.summary.backends.is_empty();
        let earlier = keyed(&before.tests, by_backend);
        let later = keyed(&self.tests, by_backend);
        let mut changes = Changes {
            same_suite: self.summary.suite.digest == before.summary.suite.digest,
            ..Changes::default()
        };
        let of = |key: &Key<'_>, found: Vec<Change>| TestChange {
            name: key.name.to_owned(),
            backend: key.backend.map(str::to_owned),
            changes: found,
        };
        let mut in_order: Vec<_> = later.iter().collect();
        in_order.sort_by_key(|(_, (at, _))| *at);
        for (key, (_, after)) in in_order {
            let found = match earlier.get(key) {
                None => vec![Change::New],
                Some((_, before)) => {
                    changes.compared += 1;
                    difference(before, after)
                }
            };
            if !found.is_empty() {
                changes.tests.push(of(key, found));
            }
        }
        let mut gone: Vec<_> = earlier
            .iter()
            .filter(|(key, _)| !later.contains_key(key))
            .collect();
        gone.sort_by_key(|(_, (at, _))| *at);
        let gone = gone.into_iter().map(|(key, _)| of(key, vec![Change::Gone]));
        changes.tests.extend(gone);
        changes
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Key<'r> {
    backend: Option<&'r str>,
    name: &'r str,
    /// Which one of this name.
    number: usize,
}

/// Each test, with its place, by what finds it again.
fn keyed(tests: &[TestResult], by_backend: bool) -> BTreeMap<Key<'_>, (usize, &TestResult)> {
    let mut numbers: BTreeMap<(Option<&str>, &str), usize> = BTreeMap::new();
    let mut keyed = BTreeMap::new();
    for (at, test) in tests.iter().enumerate() {
        let backend = test.backend.as_deref().filter(|_| by_backend);
        let number = numbers.entry((backend, &test.name)).or_default();
        let key = Key {
            backend,
            name: &test.name,
            number: *number,
        };
        *number += 1;
        keyed.insert(key, (at, test));
    }
    keyed
}

fn difference(before: &TestResult, after: &TestResult) -> Vec<Change> {
    let mut found = Vec::new();
    if before.verdict != after.verdict {
        found.push(Change::Verdict {
            before: before.verdict,
            after: after.verdict,
        });
    }
    let (first, second) = (failure(before), failure(after));
    if let (Some(first), Some(second)) = (first, second)
        && first != second
    {
        found.push(Change::Failure {
            before: first,
            after: second,
        });
    }
    let builds = |test: &TestResult| test.builds.keys().cloned().collect::<Vec<_>>();
    if builds(before) != builds(after) {
        found.push(Change::Builds {
            before: builds(before),
            after: builds(after),
        });
    }
    // Without an answer both times there is nothing to compare.
    let (Some(before), Some(after)) = (answered(before), answered(after)) else {
        return found;
    };
    if let (Some(before), Some(after)) = (before.status, after.status)
        && before != after
    {
        found.push(Change::Status { before, after });
    }
    if let (Some(before), Some(after)) = (&before.http, &after.http)
        && before != after
    {
        found.push(Change::Http {
            before: before.clone(),
            after: after.clone(),
        });
    }
    if let (Some(before), Some(after)) = (&before.tls, &after.tls)
        && before.certificate != after.certificate
    {
        found.push(Change::Certificate {
            before: before.certificate.to_string(),
            after: after.certificate.to_string(),
        });
    }
    let led = |attempt: &Attempt| attempt.redirects.last().map(|last| last.to.clone());
    if led(before) != led(after) {
        found.push(Change::Redirect {
            before: led(before),
            after: led(after),
        });
    }
    found
}

/// The first thing that was wrong.
fn failure(test: &TestResult) -> Option<String> {
    test.failures().next().map(ToString::to_string)
}

/// The last attempt that was answered.
fn answered(test: &TestResult) -> Option<&Attempt> {
    let mut attempts = test.attempts.iter().rev();
    attempts.find(|attempt| attempt.status.is_some())
}

/// A line for each test of which something changed; what came from a server is escaped.
impl fmt::Display for Changes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let changed = self.tests.len();
        let regressions = self.regressions().count();
        writeln!(
            f,
            "since the run before: {changed} changed, {regressions} for the worse; {} were run both times",
            self.compared
        )?;
        if !self.same_suite {
            writeln!(
                f,
                "the suite is another than before; tests are compared by name"
            )?;
        }
        for test in &self.tests {
            let backend = test.backend.as_deref();
            let backend = backend.map_or(String::new(), |name| format!(" at {}", visible(name)));
            let changes: Vec<String> = test.changes.iter().map(ToString::to_string).collect();
            let worse = if test.is_regression() { "worse: " } else { "" };
            let name = visible(&test.name);
            writeln!(f, "  {worse}{name}{backend}: {}", changes.join("; "))?;
        }
        Ok(())
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let pair = |f: &mut fmt::Formatter<'_>, what: &str, before: &str, after: &str| {
            write!(f, "{what} was {}, is {}", visible(before), visible(after))
        };
        let names = |builds: &[String]| match builds {
            [] => "none".to_owned(),
            builds => builds
                .iter()
                .map(|build| if build.is_empty() { "unnamed" } else { build })
                .collect::<Vec<_>>()
                .join(", "),
        };
        let place = |place: &Option<String>| place.clone().unwrap_or_else(|| "nowhere".to_owned());
        match self {
            Change::New => f.write_str("is new"),
            Change::Gone => f.write_str("was not run this time"),
            Change::Verdict { before, after } => {
                pair(f, "verdict", before.as_str(), after.as_str())
            }
            Change::Failure { before, after } => pair(f, "failure", before, after),
            Change::Status { before, after } => {
                pair(f, "status", &before.to_string(), &after.to_string())
            }
            Change::Builds { before, after } => pair(f, "build", &names(before), &names(after)),
            Change::Http { before, after } => pair(f, "protocol", before, after),
            Change::Certificate { before, after } => pair(f, "certificate", before, after),
            Change::Redirect { before, after } => {
                pair(f, "redirected to", &place(before), &place(after))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::Change;
    use crate::report::Report;
    use crate::report::verdict::Verdict;

    fn test(name: &str, verdict: &str, more: &Value) -> Value {
        let mut attempt = json!({
            "connection": 1, "retry": 0, "verdict": "passed", "reused": false, "status": 200,
            "bodyBytes": 2, "timings": { "totalUs": 7 }, "failures": []
        });
        if let (Some(attempt), Some(more)) = (attempt.as_object_mut(), more.as_object()) {
            attempt.extend(more.clone());
        }
        json!({
            "index": 0, "name": name, "method": "GET", "url": "http://a.example/", "verdict": verdict,
            "attempts": [attempt], "durationUs": 9
        })
    }

    fn report(tests: &[Value]) -> Report {
        serde_json::from_value(json!({
            "apiVersion": "nonevent/v1", "kind": "SmokeReport", "verdict": "passed",
            "counts": { "tests": 1, "passed": 1, "flaky": 0, "failed": 0, "inconclusive": 0 },
            "suite": { "name": "s", "digest": nonevent_document::Digest::of(b"s"), "tests": 1 },
            "target": "http://a.example", "startedAt": "2026-01-05T10:00:00Z", "durationMs": 1,
            "reuseConnections": false, "tests": tests
        }))
        .expect("a report")
    }

    #[test]
    fn a_run_is_no_change_of_itself() {
        let run = report(&[
            test("a", "passed", &json!({})),
            test("a", "failed", &json!({})),
        ]);
        let changes = run.changes_since(&run);
        assert_eq!((changes.tests.len(), changes.compared), (0, 2));
        assert!(changes.same_suite);
    }

    #[test]
    fn what_is_another_is_said() {
        let wrong = |message: &str| {
            json!({ "verdict": "failed",
                    "failures": [ { "cause": "assertion", "message": message } ] })
        };
        let before = report(&[
            test("same", "passed", &json!({})),
            test("broke", "passed", &json!({})),
            test("mended", "failed", &wrong("a")),
            test("still", "failed", &wrong("a")),
            test("status", "passed", &json!({ "status": 204 })),
            test("http", "passed", &json!({ "http": "HTTP/1.1" })),
            test("gone", "passed", &json!({})),
        ]);
        let after = report(&[
            test("new", "passed", &json!({})),
            test("same", "passed", &json!({})),
            test("broke", "failed", &wrong("b")),
            test("mended", "passed", &json!({})),
            test("still", "failed", &wrong("b")),
            test("status", "passed", &json!({})),
            test("http", "passed", &json!({ "http": "HTTP/2" })),
        ]);
        let changes = after.changes_since(&before);
        insta::assert_snapshot!(changes.to_string());
        let worse: Vec<&str> = changes.regressions().map(|t| t.name.as_str()).collect();
        assert_eq!(worse, ["broke"]);
        let text = serde_json::to_string(&changes).expect("JSON");
        let read: super::Changes = serde_json::from_str(&text).expect("it is read back");
        assert_eq!(read, changes);
        let back = before.changes_since(&after);
        assert!(
            back.tests
                .iter()
                .any(|t| t.name == "mended" && t.is_regression())
        );
        let is_gone = |t: &super::TestChange| t.name == "new" && t.changes == [Change::Gone];
        assert!(back.tests.iter().any(is_gone));
        let broke = changes
            .tests
            .iter()
            .find(|t| t.name == "broke")
            .expect("broke");
        let (before, after) = (Verdict::Passed, Verdict::Failed);
        assert!(broke.changes.contains(&Change::Verdict { before, after }));
    }
}
