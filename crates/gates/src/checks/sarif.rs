//! Findings of analysers in SARIF 2.1.0 (OASIS), by level.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use nonevent_document::{Document, Limits};
use serde_json::Value;

use crate::checks::source::{Source, SourceFile};
use crate::checks::structured::first;
use crate::outcome::{Input, Unmet};
use crate::path::visible;
use crate::tree::Tree;

/// What is read of one report.
const LIMITS: Limits = Limits {
    bytes_max: 8 << 20,
    depth_max: 64,
    nodes_max: 1_000_000,
};

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Level {
    Note,
    Warning,
    Error,
}

impl Level {
    const fn word(self) -> &'static str {
        match self {
            Level::Note => "note",
            Level::Warning => "warning",
            Level::Error => "error",
        }
    }

    fn of(name: &str) -> Option<Level> {
        [Level::Note, Level::Warning, Level::Error]
            .into_iter()
            .find(|level| level.word() == name)
    }
}

/// Asks that a tool ran, with rules to look for, and found few enough.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SarifCheck {
    pub(crate) source: Source,
    /// The tool whose run is asked for: without a run of it, that nothing was found means nothing.
    pub(crate) tool: String,
    /// Findings from this level on count.
    pub(crate) level: Level,
    /// So many of them at most.
    pub(crate) max: u32,
    /// The tool has so many rules at least.
    pub(crate) rules_min: u32,
}

/// What the runs of the tool come to.
#[derive(Default)]
struct Found {
    runs: u64,
    rules: u64,
    counted: u64,
    suppressed: u64,
}

impl SarifCheck {
    pub(crate) fn asked(&self) -> String {
        format!(
            "in {}, a run of {} with at least {} rule(s) and at most {} finding(s) of level {} or worse",
            self.source.glob,
            visible(&self.tool),
            self.rules_min,
            self.max,
            self.level.word()
        )
    }

    pub(crate) fn evaluate(&self, tree: &Tree) -> Result<(String, Vec<Input>), Unmet> {
        let (files, inputs) = self.source.open(tree)?;
        let mut found = Found::default();
        for file in &files {
            self.read(file, &mut found)?;
        }
        let figure = format!(
            "{} run(s) of {} with {} rule(s), {} finding(s) of level {} or worse, {} suppressed",
            found.runs,
            visible(&self.tool),
            found.rules,
            found.counted,
            self.level.word(),
            found.suppressed
        );
        let met = found.runs > 0
            && found.rules >= u64::from(self.rules_min.max(1))
            && found.counted <= u64::from(self.max);
        if met {
            Ok((figure, inputs))
        } else {
            Err(Unmet::fail(figure))
        }
    }

    fn read(&self, file: &SourceFile<'_>, found: &mut Found) -> Result<(), Unmet> {
        let path = file.path;
        let refuse = |why: String| Unmet::error(format!("{path}: {}", visible(&why)));
        let document = Document::parse("file.json", file.bytes, &LIMITS)
            .map_err(|findings| refuse(format!("not read: {}", first(&findings))))?;
        let log = document.root().to_json();
        if log.get("version").and_then(Value::as_str) != Some("2.1.0") {
            return Err(refuse(String::from("it is no SARIF log of version 2.1.0")));
        }
        let runs = log.get("runs").and_then(Value::as_array);
        let runs = runs.ok_or_else(|| refuse(String::from("it has no list `runs`")))?;
        for run in runs {
            let driver = run.pointer("/tool/driver");
            let name = driver
                .and_then(|driver| driver.get("name"))
                .and_then(Value::as_str);
            let name = name.ok_or_else(|| refuse(String::from("a run names no tool")))?;
            if name == self.tool {
                self.count(run, found).map_err(refuse)?;
            }
        }
        Ok(())
    }

    fn count(&self, run: &Value, found: &mut Found) -> Result<(), String> {
        let failed = |invocation: &Value| {
            invocation
                .get("executionSuccessful")
                .and_then(Value::as_bool)
                == Some(false)
        };
        if list(run, "invocations").iter().any(failed) {
            return Err(String::from("the tool says that its run failed"));
        }
        // Null says that the results are elsewhere or were not computed (section 3.14.23).
        let results = run.get("results").and_then(Value::as_array);
        let results = results.ok_or_else(|| String::from("a run has no list `results`"))?;
        let rules = Rules::of(run);
        found.runs += 1;
        found.rules += rules.count;
        for result in results {
            let level = rules.level(result)?;
            if is_gone(result) || level.is_none_or(|level| level < self.level) {
                continue;
            }
            if is_suppressed(result) {
                found.suppressed += 1;
            } else {
                found.counted += 1;
            }
        }
        Ok(())
    }
}

/// The rules of a run, and the level that each has where a result says none.
struct Rules<'r> {
    count: u64,
    by_place: Vec<Option<&'r str>>,
    by_id: BTreeMap<&'r str, &'r str>,
}

impl<'r> Rules<'r> {
    fn of(run: &'r Value) -> Rules<'r> {
        let driver = run.pointer("/tool/driver").into_iter();
        let extensions = run.pointer("/tool/extensions").and_then(Value::as_array);
        let components = driver.chain(extensions.into_iter().flatten());
        let default = |rule: &'r Value| {
            let level = rule.pointer("/defaultConfiguration/level");
            level.and_then(Value::as_str)
        };
        let mut rules = Rules {
            count: 0,
            by_place: Vec::new(),
            by_id: BTreeMap::new(),
        };
        for (component, at) in components.zip(0..) {
            for rule in list(component, "rules") {
                rules.count += 1;
                if at == 0 {
                    rules.by_place.push(default(rule));
                }
                if let (Some(id), Some(level)) =
                    (rule.get("id").and_then(Value::as_str), default(rule))
                {
                    rules.by_id.insert(id, level);
                }
            }
        }
        rules
    }

    /// The level of a result (section 3.27.10); `None` for what is no finding.
    fn level(&self, result: &Value) -> Result<Option<Level>, String> {
        let kind = result.get("kind").and_then(Value::as_str).unwrap_or("fail");
        let own = result.get("level").and_then(Value::as_str);
        let id = result.get("ruleId").and_then(Value::as_str);
        let place = result.get("ruleIndex").and_then(Value::as_u64);
        let of_place = place.and_then(|at| usize::try_from(at).ok());
        let of_place = of_place.and_then(|at| self.by_place.get(at).copied().flatten());
        let of_rule = of_place.or_else(|| id.and_then(|id| self.by_id.get(id).copied()));
        let name = match (own, kind) {
            (Some(own), _) => own,
            // Neither passed, nor open, nor not applicable is a finding, unless it says so.
            (None, "fail") => of_rule.unwrap_or("warning"),
            (None, _) => "none",
        };
        match (Level::of(name), name) {
            (Some(level), _) => Ok(Some(level)),
            (None, "none") => Ok(None),
            (None, other) => Err(format!("{other:?} is no level")),
        }
    }
}

/// Found before, and no longer there.
fn is_gone(result: &Value) -> bool {
    result.get("baselineState").and_then(Value::as_str) == Some("absent")
}

/// Suppressed, and nobody has said no to that or still has to answer (section 3.27.23).
fn is_suppressed(result: &Value) -> bool {
    let all = list(result, "suppressions");
    let stands = |suppression: &Value| {
        let status = suppression.get("status").and_then(Value::as_str);
        status.is_none_or(|status| status == "accepted")
    };
    !all.is_empty() && all.iter().all(stands)
}

fn list<'v>(value: &'v Value, name: &str) -> &'v [Value] {
    value
        .get(name)
        .and_then(Value::as_array)
        .map_or(&[], |all| all)
}
