//! From one check on disk to one check as data.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::Reader;
use super::condition::Comparison;
use super::evidence::{evidence, sign_off};
use crate::checks::{
    Check, ContentType, CoverageCheck, CoverageForm, FilesCheck, GitCheck, JunitCheck, Level,
    MarkdownCheck, SarifCheck, Schema, SchemaCheck, Source, StructuredCheck, Syntax, TagPattern,
    Usable, VersionCheck,
};
use crate::wire::{
    CheckWire, CoverageWire, FilesWire, GitWire, JunitWire, LevelWire, MarkdownWire, SarifWire,
    SchemaWire, StructuredWire, VersionWire,
};

/// The words a section must have if the policy asks for nothing else in it.
const SECTION_WORDS: u32 = 20;
/// The largest number of files, tests, rows or lines that may be asked for.
const COUNT_MAX: u32 = 1000;

/// The check, or `None` after at least one finding.
pub(super) fn read_check(reader: &mut Reader, wire: CheckWire, path: &str) -> Option<Check> {
    match wire {
        CheckWire::All(parts) => Some(Check::All(read_parts(
            reader,
            parts,
            &format!("{path}.all"),
        )?)),
        CheckWire::Any(parts) => Some(Check::Any(read_parts(
            reader,
            parts,
            &format!("{path}.any"),
        )?)),
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
        CheckWire::Schema(wire) => schema(reader, wire, &format!("{path}.schema")),
        CheckWire::Junit(wire) => junit(reader, &wire, &format!("{path}.junit")),
        CheckWire::Lcov(wire) => {
            coverage(reader, &wire, CoverageForm::Lcov, &format!("{path}.lcov"))
        }
        CheckWire::Cobertura(wire) => coverage(
            reader,
            &wire,
            CoverageForm::Cobertura,
            &format!("{path}.cobertura"),
        ),
        CheckWire::Sarif(wire) => sarif(reader, wire, &format!("{path}.sarif")),
        CheckWire::Git(wire) => git(reader, wire, &format!("{path}.git")),
        CheckWire::Version(wire) => version(reader, wire, &format!("{path}.version")),
        CheckWire::SignOff(wire) => sign_off(reader, wire, &format!("{path}.sign_off")),
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
    let content_type = wire.content_type.as_ref().map(|name| {
        let known = ContentType::of_name(name);
        if known.is_none() {
            reader.refuse(
                "NE3010",
                format!("{path}.type"),
                format!("`{}` is no type of content", crate::path::visible(name)),
                format!("there are {}", ContentType::names()),
            );
        }
        known
    });
    if wire.max_age.is_some_and(|age| age.0 == 0) {
        reader.refuse(
            "NE3014",
            format!("{path}.max_age"),
            "no file is that young",
            "write how long ago its last change may be, such as `90d`",
        );
    }
    if wire.max_age.is_some() && wire.ignored {
        reader.refuse(
            "NE3010",
            format!("{path}.max_age"),
            "a file that is not tracked has no commit",
            "leave out `ignored` or `max_age`",
        );
    }
    let include = reader.globs(&wire.include, &format!("{path}.include"))?;
    let sound = (1..=COUNT_MAX).contains(&wire.min_count) && !include.is_empty();
    sound.then_some(Check::Files(FilesCheck {
        include,
        ignored: wire.ignored,
        min_count: wire.min_count,
        min_bytes: wire.min_bytes,
        content_type: match content_type {
            Some(known) => Some(known?),
            None => None,
        },
        max_age_ms: wire
            .max_age
            .map(|age| i64::try_from(age.0).unwrap_or(i64::MAX)),
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
    if wire
        .heading
        .as_ref()
        .is_some_and(|heading| heading.trim().is_empty())
    {
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

fn schema(reader: &mut Reader, wire: SchemaWire, path: &str) -> Option<Check> {
    let named = format!("{path}.file");
    for (file, path) in [
        (Some(&wire.file), &named),
        (wire.schema_file.as_ref(), &format!("{path}.schema_file")),
    ] {
        if file.is_some_and(|file| Syntax::of_name(file).is_none()) {
            reader.refuse(
                "NE3010",
                path.clone(),
                "schemas speak of JSON and YAML",
                "name a file that ends in .json, .yaml or .yml",
            );
            return None;
        }
    }
    let source_of_file = source(reader, &wire.file, wire.ignored, path)?;
    let schema = match (wire.schema, wire.schema_file) {
        (Some(schema), None) => {
            if let Err(why) = Usable::new(&schema) {
                reader.refuse(
                    "NE3010",
                    format!("{path}.schema"),
                    format!("the schema {why}"),
                    "write a `type` and what it requires, as `required` or `minItems`",
                );
                return None;
            }
            Schema::Inline(schema)
        }
        (None, Some(file)) => {
            let glob = reader.glob(&file, &format!("{path}.schema_file"))?;
            if !glob.is_literal() {
                reader.refuse(
                    "NE3010",
                    format!("{path}.schema_file"),
                    "a schema is one file",
                    "write its path without `*`, `?` or braces",
                );
                return None;
            }
            let ignored = false;
            Schema::File(Source { glob, ignored })
        }
        _ => {
            reader.refuse(
                "NE3010",
                path,
                "there is not one schema",
                "write either `schema`, with the schema under it, or `schema_file`",
            );
            return None;
        }
    };
    Some(Check::Schema(SchemaCheck {
        source: source_of_file,
        schema,
    }))
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

fn coverage(
    reader: &mut Reader,
    wire: &CoverageWire,
    form: CoverageForm,
    path: &str,
) -> Option<Check> {
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
    Some(Check::Coverage(CoverageCheck {
        source: source(reader, &wire.file, wire.ignored, path)?,
        form,
        of,
        lines_min: wire.lines_min,
        measured_min: wire.measured_min,
    }))
}

fn sarif(reader: &mut Reader, wire: SarifWire, path: &str) -> Option<Check> {
    if wire.tool.trim().is_empty() {
        reader.refuse(
            "NE3010",
            format!("{path}.tool"),
            "no tool is named, so that nothing was found would mean nothing",
            "write the name that the tool has in its log, at runs[].tool.driver.name",
        );
    }
    if wire.rules_min == 0 {
        reader.refuse(
            "NE3014",
            format!("{path}.rules_min"),
            "a tool without rules looks for nothing",
            "write 1 or more",
        );
    }
    Some(Check::Sarif(SarifCheck {
        source: source(reader, &wire.file, wire.ignored, path)?,
        tool: wire.tool,
        level: match wire.level {
            LevelWire::Error => Level::Error,
            LevelWire::Warning => Level::Warning,
            LevelWire::Note => Level::Note,
        },
        max: wire.max,
        rules_min: wire.rules_min,
    }))
}

fn git(reader: &mut Reader, wire: GitWire, path: &str) -> Option<Check> {
    let nothing = !wire.clean
        && wire.branch.is_empty()
        && wire.tag.is_none()
        && wire.descends_from.is_empty()
        && wire.merged_into.is_empty()
        && wire.max_age.is_none();
    if nothing {
        reader.refuse(
            "NE3010",
            path,
            "the check asks nothing of the repository",
            "write `clean: true`, `branch`, `tag`, `descends_from`, `merged_into` or `max_age`",
        );
    }
    for (names, field) in [
        (&wire.branch, "branch"),
        (&wire.descends_from, "descends_from"),
        (&wire.merged_into, "merged_into"),
    ] {
        if names.iter().any(|name| name.trim().is_empty()) {
            reader.refuse(
                "NE3010",
                format!("{path}.{field}"),
                "a name is empty",
                "write the name of a branch or tag",
            );
        }
    }
    let tag = match &wire.tag {
        Some(tag) => Some(pattern(reader, tag, &format!("{path}.tag"))?),
        None => None,
    };
    Some(Check::Git(GitCheck {
        clean: wire.clean,
        branches: wire.branch,
        tag,
        descends_from: wire.descends_from,
        merged_into: wire.merged_into,
        max_age_ms: wire
            .max_age
            .map(|age| i64::try_from(age.0).unwrap_or(i64::MAX)),
    }))
}

fn pattern(reader: &mut Reader, text: &str, path: &str) -> Option<TagPattern> {
    let pattern = TagPattern::parse(text);
    if pattern.is_none() {
        reader.refuse(
            "NE3010",
            path,
            "this is no pattern of tags",
            "write a tag's name, with one `*` for what changes, such as `v*`",
        );
    }
    pattern
}

fn version(reader: &mut Reader, wire: VersionWire, path: &str) -> Option<Check> {
    let Some(syntax) = Syntax::of_name(&wire.file) else {
        reader.refuse(
            "NE3010",
            format!("{path}.file"),
            "versions are read from JSON and YAML",
            "name a file that ends in .json, .yaml or .yml",
        );
        return None;
    };
    if !wire.path.starts_with('/') {
        reader.refuse(
            "NE3010",
            format!("{path}.path"),
            "this is no JSON Pointer",
            "write it as /version",
        );
        return None;
    }
    let released = pattern(
        reader,
        &wire.later_than_tags,
        &format!("{path}.later_than_tags"),
    )?;
    let source = source(reader, &wire.file, wire.ignored, path)?;
    Some(Check::Version(VersionCheck::new(
        source, syntax, wire.path, released,
    )))
}
