//! The rules that the text of a bound is checked against, as data, and where findings gather.

use alloc::string::String;
use alloc::vec::Vec;
use core::ops::Range;

use nonevent_document::{Finding, Findings, Position, Rule, Severity, Span};

/// The most errors of one text that are listed, and as many warnings and notes.
pub const FINDINGS_MAX: usize = 100;

nonevent_document::rules! {
    /// Every rule, by code.
    pub RULES;
    TEXT_LONG "NE1601" Error "The text of a bound has at most 16384 bytes.";
    EMPTY "NE1602" Error "A bound has at least one clause.";
    DEEP "NE1603" Error "At most 16 levels of parentheses, `and` and `or` lie within each other.";
    MANY "NE1604" Error "A bound has at most 32 clauses.";
    CHARACTER "NE1605" Error "The text has only characters of the language.";
    EXPECTED "NE1606" Error "The text follows the grammar.";
    OPERATOR "NE1607" Error "The operators are `<=`, `<`, `>=` and `>`.";
    CHAIN "NE1608" Error "A clause compares once.";
    COMMA "NE1609" Error "No comma stands in a bound.";
    NOT "NE1610" Error "A clause is not negated.";
    WORD "NE1611" Error "Clauses are joined by the words `and` and `or`.";
    NAME "NE1612" Error "Names of metrics are letters, digits and `_` in parts joined by dots.";
    UNIT_UNKNOWN "NE1613" Error "Units are ones of the language.";
    NUMBER "NE1614" Error "Numbers are exact, not negative and in range.";
    DURATION "NE1615" Error "`for` is followed by a duration from 1 ms to 7 d.";
    REQUESTS "NE1616" Error "`of at least` is followed by a count of requests.";
    BASELINE "NE1617" Error "A limit by the baseline is `baseline`, `* factor`, `+ quantity`.";
    MIXED "NE1618" Note "`and` and `or` are mixed with parentheses.";
    TURNED "NE1619" Error "The metric stands before the operator.";
    METRIC_UNKNOWN "NE1620" Error "Metrics are well known or the document's own.";
    UNIT_MISSING "NE1621" Error "A limit has its metric's unit.";
    UNIT_MISMATCH "NE1622" Error "A metric is compared with what it is measured in.";
    SHARE_OVER "NE1623" Error "A share is at most 100 %.";
    NEVER_BROKEN "NE1624" Error "A bound can be broken.";
    ALWAYS_BROKEN "NE1625" Error "A bound can be kept.";
    NO_BASELINE "NE1626" Error "`baseline` needs a version to compare with.";
    FACTOR "NE1627" Warning "A canary is not asked to be better than the baseline.";
    CONTRADICTION "NE1628" Error "Clauses that must all be kept do not contradict each other.";
    DUPLICATE "NE1629" Warning "A clause is written once.";
    IMPLIED "NE1630" Warning "A clause says something that the others do not.";
}

/// Gathers findings about one text.
pub(super) struct Sink<'a> {
    pub(super) text: &'a str,
    findings: Vec<Finding>,
    errors: usize,
}

impl<'a> Sink<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Sink {
            text,
            findings: Vec::new(),
            errors: 0,
        }
    }

    /// Adds one about these bytes. What is over [`FINDINGS_MAX`] is left out, errors apart from the
    /// rest, so that no error is lost to warnings.
    pub(super) fn push(
        &mut self,
        rule: Rule,
        bytes: Range<usize>,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        let of_kind = match rule.severity {
            Severity::Error => self.errors,
            _ => self.findings.len() - self.errors,
        };
        if of_kind >= FINDINGS_MAX {
            return;
        }
        self.errors += usize::from(rule.severity == Severity::Error);
        let span = Span {
            start: position(self.text, bytes.start),
            end: position(self.text, bytes.end),
            bytes,
        };
        let finding = rule.finding("", message, help);
        self.findings.push(finding.spanning(&span));
    }

    pub(super) const fn failed(&self) -> bool {
        self.errors > 0
    }

    pub(super) fn into_findings(self) -> Findings {
        self.findings.into_iter().collect()
    }
}

fn position(text: &str, byte: usize) -> Position {
    let before = text.get(..byte).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |at| at + 1);
    let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    Position {
        line: number(before.matches('\n').count() + 1),
        column: number(before[line_start..].chars().count() + 1),
    }
}
