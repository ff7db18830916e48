//! Findings as a SARIF log, which code hosts and editors show beside the lines they are about.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use serde_json::{Value, json};

use crate::lines::LineIndex;
use crate::{Digest, Finding, Findings, Rule, Severity};

/// Where the schema of a log is published, by OASIS.
const SCHEMA: &str =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

/// What a SARIF log says beside the findings themselves.
#[derive(Clone, Copy, Debug)]
pub struct SarifRun<'a> {
    /// The version of the program that looked, a semantic version.
    pub version: &'a str,
    /// The rules it held the document against. A code that is found and not among them is listed
    /// by its name alone.
    pub rules: &'a [Rule],
    /// The document's path: relative to the root of the repository, if a code host shall find it.
    pub file_name: &'a str,
    /// The document's text.
    pub text: &'a str,
}

impl Findings {
    /// All findings as one log of SARIF 2.1.0 (OASIS Standard, with errata 01), with a single run
    /// of the tool `nonevent`.
    ///
    /// Each is a result at a region of the text, columns in UTF-16 code units, and at its document
    /// path as a logical location. A result's fingerprint depends on its code and its document
    /// path alone, so that it stays what it is when lines above it change.
    ///
    /// ```
    /// use nonevent_document::{Code, Finding, Findings, SarifRun};
    ///
    /// let finding = Finding::warning(Code::new("NE9002"), "name", "a long name", "shorten it");
    /// let log = Findings::from(finding).sarif(&SarifRun {
    ///     version: "1.0.0",
    ///     rules: &[],
    ///     file_name: "deploy/shop 1.yaml",
    ///     text: "name: a service that sells things\n",
    /// });
    /// let result = &log["runs"][0]["results"][0];
    /// assert_eq!(result["level"], "warning");
    /// let place = &result["locations"][0]["physicalLocation"];
    /// assert_eq!(place["artifactLocation"]["uri"], "deploy/shop%201.yaml");
    /// ```
    #[must_use]
    pub fn sarif(&self, run: &SarifRun<'_>) -> Value {
        let rules = self.described(run.rules);
        let indices: BTreeMap<&str, usize> = rules.keys().copied().zip(0..).collect();
        let text = crate::text::unmarked(run.text);
        let lines = LineIndex::new(text);
        let uri = uri(run.file_name);
        let mut twins: BTreeMap<(&str, &str), usize> = BTreeMap::new();
        let mut results = Vec::new();
        for finding in self {
            let code = finding.code.as_str();
            let twin = twins.entry((code, &finding.path)).or_default();
            results.push(json!({
                "ruleId": code,
                "ruleIndex": indices.get(code),
                "level": level(finding.severity),
                "message": { "text": message(finding) },
                "locations": [location(finding, &uri, text, &lines)],
                "partialFingerprints": { "codeAndPath/v1": fingerprint(finding, *twin) },
            }));
            *twin += 1;
        }
        json!({
            "$schema": SCHEMA,
            "version": "2.1.0",
            "runs": [{
                "tool": { "driver": {
                    "name": "nonevent",
                    "semanticVersion": run.version,
                    "version": run.version,
                    "rules": rules.into_values().collect::<Vec<_>>(),
                } },
                "columnKind": "utf16CodeUnits",
                "results": results,
            }],
        })
    }

    /// Every rule as a reporting descriptor, by code: those given, and those that were found.
    fn described(&self, rules: &[Rule]) -> BTreeMap<&'static str, Value> {
        let found = self.iter().map(|finding| {
            let configuration = json!({ "level": level(finding.severity) });
            let code = finding.code.as_str();
            (
                code,
                json!({ "id": code, "defaultConfiguration": configuration }),
            )
        });
        let given = rules
            .iter()
            .map(|rule| (rule.code.as_str(), describe(rule)));
        // Of two with the same code the later stays: what a rule says of itself.
        found.chain(given).collect()
    }
}

fn describe(rule: &Rule) -> Value {
    let mut described = json!({
        "id": rule.code,
        "shortDescription": { "text": rule.rule },
        "defaultConfiguration": { "level": level(rule.severity) },
    });
    if !rule.why.is_empty() {
        described["fullDescription"] = json!({ "text": rule.why });
        described["help"] = json!({ "text": format!("{}\n\n{}", rule.rule, rule.why) });
    }
    described
}

const fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "note",
    }
}

/// Viewers show this and little else, so the advice is part of it.
fn message(finding: &Finding) -> String {
    if finding.help.is_empty() {
        finding.message.clone()
    } else {
        format!("{} ({})", finding.message, finding.help)
    }
}

fn location(finding: &Finding, uri: &str, text: &str, lines: &LineIndex<'_>) -> Value {
    let mut physical = json!({ "artifactLocation": { "uri": uri } });
    if let Some(region) = region(finding, text, lines) {
        physical["region"] = region;
    }
    let mut location = json!({ "physicalLocation": physical });
    if !finding.path.is_empty() {
        location["logicalLocations"] = json!([{ "fullyQualifiedName": finding.path }]);
    }
    location
}

/// From the finding's place to the end of its span, or of the line where it has none.
fn region(finding: &Finding, text: &str, lines: &LineIndex<'_>) -> Option<Value> {
    let at = finding.at?;
    let start = lines.byte(at)?;
    let end = match &finding.span {
        Some(span) => boundary(text, span.end),
        None => lines.line(at.line)?.end,
    };
    let (start_line, start_column) = lines.utf16(start);
    let (end_line, end_column) = lines.utf16(end.max(start));
    Some(json!({
        "startLine": start_line,
        "startColumn": start_column,
        "endLine": end_line,
        "endColumn": end_column,
    }))
}

/// The first byte from `at` on where a character begins or the text ends.
fn boundary(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at += 1;
    }
    at
}

/// Of several findings with one code at one path, `twin` is the number, from 0.
fn fingerprint(finding: &Finding, twin: usize) -> String {
    let (code, path) = (finding.code, &finding.path);
    Digest::of(format!("{code}\n{path}\n{twin}").as_bytes()).hex()
}

/// A path as a URI reference (RFC 3986): relative, unless the path is absolute.
fn uri(path: &str) -> String {
    let mut uri = String::new();
    let relative = path.trim_start_matches("./");
    let path = if path.starts_with('/') {
        uri.push_str("file:///");
        path.trim_start_matches('/')
    } else {
        relative
    };
    for byte in path.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                uri.push(char::from(byte));
            }
            other => uri.push_str(&format!("%{other:02X}")),
        }
    }
    uri
}
