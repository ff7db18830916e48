//! From one check on disk to one check as data.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use nonevent_document::Digest;
use serde_json::{Number, Value};

use crate::checks::{
    Check, Condition, EvidenceCheck, FilesCheck, JunitCheck, LcovCheck, MarkdownCheck,
    Signers, Source, StructuredCheck, SubjectKind, Syntax, Test,
};
use crate::predicate::PredicateKind;
use crate::read::Reader;
use crate::wire::{
    CheckWire, ConditionWire, EvidenceWire, FilesWire, JunitWire, LcovWire, MarkdownWire,
    PreviousWire, StructuredWire, SubjectWire,
};

/// The words a section must have if the policy asks for nothing else in it.
const SECTION_WORDS: u32 = 20;
/// The largest number of files, tests, rows or lines that may be asked for.
const COUNT_MAX: u32 = 1000;

/// The check, or `None` after at least one finding.
pub(crate) fn read_check(reader: &mut Reader, wire: CheckWire, path: &str) -> Option<Check> {
    match wire {
        CheckWire::All(parts) => Some(Check::All(read_parts(reader, parts, &format!("{path}.all"))?)),
        CheckWire::Any(parts) => Some(Check::Any(read_parts(reader, parts, &format!("{path}.any"))?)),
        CheckWire::AtLeast(wire) => {
            let path = format!("{path}.at_least");
            let held = wire.of.len();
            if wire.n == 0 || wire.n as usize > held {
                reader.refuse(
                    "NE3009",
                    format!("{path}.n"),
                    format!("{} of {held} cannot be asked for", wire.n),
                    "write a number from 1 to the number of parts",
                );
            }
            let parts = read_parts(reader, wire.of, &format!("{path}.of"))?;
            Some(Check::AtLeast(wire.n, parts))
        }
        CheckWire::Files(wire) => files(reader, &wire, &format!("{path}.files")),
        CheckWire::Markdown(wire) => markdown(reader, wire, &format!("{path}.markdown")),
        CheckWire::Json(wire) => structured(reader, wire, Syntax::Json, &format!("{path}.json")),
        CheckWire::Yaml(wire) => structured(reader, wire, Syntax::Yaml, &format!("{path}.yaml")),
        CheckWire::Junit(wire) => junit(reader, &wire, &format!("{path}.junit")),
        CheckWire::Lcov(wire) => lcov(reader, wire, &format!("{path}.lcov")),
        CheckWire::Evidence(wire) => evidence(reader, wire, &format!("{path}.evidence")),
    }
}

fn read_parts(reader: &mut Reader, parts: Vec<CheckWire>, path: &str) -> Option<Vec<Check>> {
    if parts.is_empty() {
        reader.refuse(
            "NE3009",
            path,
            "there is no part",
            "add a check: nothing to ask is not a pass",
        );
        return None;
    }
    let read: Vec<Option<Check>> = parts
        .into_iter()
        .enumerate()
        .map(|(index, part)| read_check(reader, part, &format!("{path}[{index}]")))
        .collect();
    read.into_iter().collect()
}

/// A number that must be at least 1 and no larger than is sensible.
fn positive(reader: &mut Reader, number: u32, path: String) {
    if number == 0 || number > COUNT_MAX {
        reader.refuse(
            "NE3014",
            path,
            format!("{number} cannot be asked for"),
            format!("write 1 to {COUNT_MAX}: none is what an absent file has"),
        );
    }
}

fn source(reader: &mut Reader, file: &str, ignored: bool, path: &str) -> Option<Source> {
    let glob = reader.glob(file, &format!("{path}.file"))?;
    Some(Source { glob, ignored })
}

fn files(reader: &mut Reader, wire: &FilesWire, path: &str) -> Option<Check> {
    if wire.include.is_empty() {
        reader.refuse(
            "NE3009",
            format!("{path}.include"),
            "no file is named",
            "name at least one path or glob",
        );
    }
    positive(reader, wire.min_count, format!("{path}.min_count"));
    if wire.min_bytes == 0 {
        reader.refuse(
            "NE3014",
            format!("{path}.min_bytes"),
            "a file of no bytes says nothing",
            "write 1 or more",
        );
    }
    let include = reader.globs(&wire.include, &format!("{path}.include"))?;
    let sound = (1..=COUNT_MAX).contains(&wire.min_count) && !include.is_empty();
    sound.then_some(Check::Files(FilesCheck {
        include,
        ignored: wire.ignored,
        min_count: wire.min_count,
        min_bytes: wire.min_bytes,
    }))
}

fn markdown(reader: &mut Reader, wire: MarkdownWire, path: &str) -> Option<Check> {
    if wire.heading.is_none() && !wire.checklist_complete && wire.table_rows_min.is_none() {
        reader.refuse(
            "NE3010",
            path,
            "the check asks nothing of the document",
            "write `heading`, `checklist_complete: true` or `table_rows_min`",
        );
    }
    if wire.heading.is_none() && wire.words_min.is_some() {
        reader.refuse(
            "NE3010",
            format!("{path}.words_min"),
            "words are counted within a section",
            "write the section's `heading`",
        );
    }
    if let Some(words) = wire.words_min {
        positive(reader, words, format!("{path}.words_min"));
    }
    if let Some(rows) = wire.table_rows_min {
        positive(reader, rows, format!("{path}.table_rows_min"));
    }
    if wire.heading.as_ref().is_some_and(|heading| heading.trim().is_empty()) {
        reader.refuse(
            "NE3010",
            format!("{path}.heading"),
            "the heading is empty",
            "write the heading as it stands in the document, without `#`",
        );
    }
    let only_words = !wire.checklist_complete && wire.table_rows_min.is_none();
    let words_min = if only_words { SECTION_WORDS } else { 1 };
    Some(Check::Markdown(MarkdownCheck {
        source: source(reader, &wire.file, wire.ignored, path)?,
        heading: wire.heading,
        words_min: wire.words_min.unwrap_or(words_min),
        checklist_complete: wire.checklist_complete,
        table_rows_min: wire.table_rows_min,
    }))
}

fn structured(
    reader: &mut Reader,
    wire: StructuredWire,
    syntax: Syntax,
    path: &str,
) -> Option<Check> {
    let comparison = Comparison {
        pointer: wire.path,
        field: "path",
        equals: wire.equals,
        at_least: wire.at_least,
        at_most: wire.at_most,
        exists: wire.exists,
        items_at_least: wire.items_at_least,
    };
    let condition = comparison.read(reader, path);
    let source = source(reader, &wire.file, wire.ignored, path)?;
    Some(Check::Structured(StructuredCheck {
        source,
        syntax,
        condition: condition?,
    }))
}

/// A comparison as documents write it: exactly one of five tests.
struct Comparison {
    pointer: String,
    field: &'static str,
    equals: Option<Value>,
    at_least: Option<Number>,
    at_most: Option<Number>,
    exists: Option<bool>,
    items_at_least: Option<u32>,
}

impl Comparison {
    fn read(self, reader: &mut Reader, path: &str) -> Option<Condition> {
        let pointer = &self.pointer;
        let escapes_are_sound = pointer.split('~').skip(1).all(|t| t.starts_with(['0', '1']));
        if !(pointer.is_empty() || pointer.starts_with('/')) || !escapes_are_sound {
            reader.refuse(
                "NE3011",
                format!("{path}.{}", self.field),
                "this is no JSON Pointer",
                "write `/` before each name, `~1` for a slash within one and `~0` for a tilde",
            );
            return None;
        }
        if matches!(self.equals, Some(Value::Array(_) | Value::Object(_))) {
            reader.refuse(
                "NE3010",
                format!("{path}.equals"),
                "lists and objects are not compared",
                "compare one text, number or truth value",
            );
            return None;
        }
        if self.exists == Some(false) {
            reader.refuse(
                "NE3010",
                format!("{path}.exists"),
                "absence is not asked for: a mistyped pointer would meet it",
                "name a value whose presence means that the thing is absent",
            );
            return None;
        }
        let mut tests = Vec::new();
        tests.extend(self.equals.map(Test::Equals));
        tests.extend(self.at_least.map(Test::AtLeast));
        tests.extend(self.at_most.map(Test::AtMost));
        tests.extend(self.exists.map(|_| Test::Exists));
        tests.extend(self.items_at_least.map(Test::ItemsAtLeast));
        match <[Test; 1]>::try_from(tests) {
            Ok([test]) => Some(Condition {
                pointer: self.pointer,
                test,
            }),
            Err(tests) => {
                reader.refuse(
                    "NE3010",
                    path,
                    format!("there are {} comparisons", tests.len()),
                    "write exactly one of `equals`, `at_least`, `at_most`, `exists: true`, \
                     `items_at_least`",
                );
                None
            }
        }
    }
}

fn junit(reader: &mut Reader, wire: &JunitWire, path: &str) -> Option<Check> {
    if wire.min_tests == 0 {
        reader.refuse(
            "NE3014",
            format!("{path}.min_tests"),
            "no test is no result",
            "write how many tests must have run, at least 1",
        );
    }
    Some(Check::Junit(JunitCheck {
        source: source(reader, &wire.file, wire.ignored, path)?,
        min_tests: wire.min_tests,
        max_failures: wire.max_failures,
    }))
}

fn lcov(reader: &mut Reader, wire: LcovWire, path: &str) -> Option<Check> {
    for (zero, field) in [
        (wire.lines_min.basis_points() == 0, "lines_min"),
        (wire.measured_min == 0, "measured_min"),
    ] {
        if zero {
            reader.refuse(
                "NE3014",
                format!("{path}.{field}"),
                "nothing measured would be enough",
                "write more than none",
            );
        }
    }
    let of = match &wire.of {
        Some(of) => Some(reader.glob(of, &format!("{path}.of"))?),
        None => None,
    };
    Some(Check::Lcov(LcovCheck {
        source: source(reader, &wire.file, wire.ignored, path)?,
        of,
        lines_min: wire.lines_min,
        measured_min: wire.measured_min,
    }))
}

fn evidence(reader: &mut Reader, wire: EvidenceWire, path: &str) -> Option<Check> {
    let predicate = PredicateKind::of_name(&wire.predicate);
    if predicate.is_none() {
        reader.refuse(
            "NE3012",
            format!("{path}.predicate"),
            format!(
                "`{}` is no kind of evidence",
                crate::path::visible(&wire.predicate)
            ),
            format!("there are {}", PredicateKind::names()),
        );
    }
    let subjects = subjects(reader, wire.subjects, path);
    let max_age_ms = age(reader, wire.max_age.0, path);
    let which = conditions(reader, wire.which, predicate, &format!("{path}.which"));
    let require = conditions(reader, wire.require, predicate, &format!("{path}.require"));
    let signers = signers(reader, wire.trusted, path);
    Some(Check::Evidence(EvidenceCheck {
        predicate: predicate?,
        subjects: subjects?,
        signers,
        max_age_ms,
        which: which?,
        require: require?,
        gate: None,
    }))
}

/// What every criterion on a previous verdict shares.
pub(crate) fn read_previous(
    reader: &mut Reader,
    wire: PreviousWire,
    path: &str,
) -> Option<EvidenceCheck> {
    let subjects = subjects(reader, wire.subjects, path);
    Some(EvidenceCheck {
        predicate: PredicateKind::GateVerdict,
        subjects: subjects?,
        signers: signers(reader, wire.trusted, path),
        max_age_ms: age(reader, wire.max_age.0, path),
        which: Vec::new(),
        require: Vec::new(),
        gate: None,
    })
}

fn signers(reader: &mut Reader, trusted: Option<Vec<Digest>>, path: &str) -> Signers {
    match trusted {
        None => Signers::Policy,
        Some(ids) => {
            if ids.is_empty() {
                reader.refuse(
                    "NE3015",
                    format!("{path}.trusted"),
                    "no key is listed, so no evidence could be trusted",
                    "list key ids, or leave `trusted` out to go by the trust policy",
                );
            }
            Signers::Listed(ids)
        }
    }
}

fn age(reader: &mut Reader, max_age_ms: u64, path: &str) -> i64 {
    match i64::try_from(max_age_ms) {
        Ok(age) if age > 0 => age,
        _ => {
            reader.refuse(
                "NE3014",
                format!("{path}.max_age"),
                "no evidence is that young",
                "write how old it may be, such as `31d`",
            );
            0
        }
    }
}

fn subjects(
    reader: &mut Reader,
    wires: Vec<SubjectWire>,
    path: &str,
) -> Option<Vec<SubjectKind>> {
    let path = format!("{path}.subjects");
    if wires.is_empty() {
        reader.refuse(
            "NE3012",
            path,
            "the evidence may be about anything",
            "name what it must be about: `plan`, `shape`, `runbook`, `artifact`, `commit` or \
             `file: PATH`",
        );
        return None;
    }
    let mut subjects = Vec::new();
    for (index, wire) in wires.into_iter().enumerate() {
        subjects.push(match wire {
            SubjectWire::Plan => SubjectKind::Plan,
            SubjectWire::Shape => SubjectKind::Shape,
            SubjectWire::Runbook => SubjectKind::Runbook,
            SubjectWire::Artifact => SubjectKind::Artifact,
            SubjectWire::Commit => SubjectKind::Commit,
            SubjectWire::File(file) => {
                let path = format!("{path}[{index}].file");
                let glob = reader.glob(&file, &path)?;
                if !glob.is_literal() {
                    reader.refuse(
                        "NE3012",
                        path,
                        "evidence is about one file",
                        "write its path without `*`, `?` or braces",
                    );
                    return None;
                }
                SubjectKind::File(Source {
                    glob,
                    ignored: false,
                })
            }
        });
    }
    Some(subjects)
}

fn conditions(
    reader: &mut Reader,
    wires: Vec<ConditionWire>,
    predicate: Option<PredicateKind>,
    path: &str,
) -> Option<Vec<Condition>> {
    let mut conditions = Vec::new();
    for (index, wire) in wires.into_iter().enumerate() {
        let path = format!("{path}[{index}]");
        let comparison = Comparison {
            pointer: wire.field.clone(),
            field: "field",
            equals: wire.equals,
            at_least: wire.at_least,
            at_most: wire.at_most,
            exists: wire.exists,
            items_at_least: wire.items_at_least,
        };
        conditions.push(comparison.read(reader, &path)?);
        let known = predicate.is_none_or(|predicate| predicate.has_field(&wire.field));
        if !known {
            reader.refuse(
                "NE3012",
                format!("{path}.field"),
                format!(
                    "this kind of evidence has no field `{}`",
                    crate::path::visible(&wire.field)
                ),
                predicate.map_or_else(String::new, PredicateKind::fields_in_words),
            );
        }
    }
    Some(conditions)
}
