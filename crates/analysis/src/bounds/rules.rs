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
    TEXT_LONG "NE1601" Error "The text of a bound has at most 16384 bytes."
        "A bound is one sentence that people review. What is longer is the wrong text, and would \
         be parsed at every check.";
    EMPTY "NE1602" Error "A bound has at least one clause."
        "A bound that says nothing allows everything.";
    DEEP "NE1603" Error "At most 16 levels of parentheses, `and` and `or` lie within each other."
        "Nobody can say what so deep an expression allows.";
    MANY "NE1604" Error "A bound has at most 32 clauses."
        "Each clause is a test of its own: with more of them, each has to see more requests \
         before it may judge.";
    CHARACTER "NE1605" Error "The text has only characters of the language."
        "A character from another alphabet or a word processor looks like one of ours and is \
         none.";
    EXPECTED "NE1606" Error "The text follows the grammar."
        "What does not follow the grammar can only be guessed at, and a guess would judge a \
         release.";
    OPERATOR "NE1607" Error "The operators are `<=`, `<`, `>=` and `>`."
        "`=` and `==` ask for one exact value, which no measurement ever has; a clause with them \
         would always be broken.";
    CHAIN "NE1608" Error "A clause compares once."
        "`1% <= x <= 2%` means one thing in mathematics and another in most programming \
         languages.";
    COMMA "NE1609" Error "No comma stands in a bound."
        "A comma is a decimal point for some and a list for others: `1,5%` may mean one and a \
         half or fifteen.";
    NOT "NE1610" Error "A clause is not negated."
        "A negated clause turns missing data into a pass. The opposite operator says the same \
         without that.";
    WORD "NE1611" Error "Clauses are joined by the words `and` and `or`."
        "`&&`, `,` or nothing at all between two clauses leaves open whether both must hold or \
         one is enough.";
    NAME "NE1612" Error "Names of metrics are letters, digits and `_` in parts joined by dots."
        "A name that another system would write differently finds no data, and a clause without \
         data never passes.";
    UNIT_UNKNOWN "NE1613" Error "Units are ones of the language."
        "A limit whose unit is not known cannot be compared with anything that is measured.";
    NUMBER "NE1614" Error "Numbers are exact, not negative and in range."
        "A limit that is rounded or cut off is not the one that was agreed.";
    DURATION "NE1615" Error "`for` is followed by a duration from 1 ms to 7 d."
        "Less than a millisecond is no time, and in more than a week no deployment is still being \
         watched.";
    REQUESTS "NE1616" Error "`of at least` is followed by a count of requests."
        "The count says how much has to be seen before the clause may judge; without it one \
         request could.";
    BASELINE "NE1617" Error "A limit by the baseline is `baseline`, `* factor`, `+ quantity`."
        "What else can be written of the baseline, such as a sum of factors, has no confidence \
         bound that would hold.";
    MIXED "NE1618" Note "`and` and `or` are mixed with parentheses."
        "`and` binds tighter than `or`, which not every reader remembers. The parentheses show \
         what is meant.";
    TURNED "NE1619" Error "The metric stands before the operator."
        "Written the other way round, `<=` says what is at least, and is easily read as what is \
         at most.";
    METRIC_UNKNOWN "NE1620" Error "Metrics are well known or the document's own."
        "A metric that nobody measures is never broken and never kept. A misspelt one waits for \
         data for ever.";
    UNIT_MISSING "NE1621" Error "A limit has its metric's unit."
        "`p99 <= 500` may be milliseconds or seconds, `error_rate <= 1` may be one percent or all \
         of them.";
    UNIT_MISMATCH "NE1622" Error "A metric is compared with what it is measured in."
        "A latency is no share. Most often the wrong metric stands before the limit.";
    SHARE_OVER "NE1623" Error "A share is at most 100 %."
        "No share is more than the whole, so the clause could never be broken. A digit too many \
         does that.";
    NEVER_BROKEN "NE1624" Error "A bound can be broken."
        "A clause that holds whatever happens looks like a safeguard in review and is none.";
    ALWAYS_BROKEN "NE1625" Error "A bound can be kept."
        "Every release would be turned back, however good, until somebody switches the analysis \
         off.";
    NO_BASELINE "NE1626" Error "`baseline` needs a version to compare with."
        "Where only one version runs there is nothing to compare with, and the clause would never \
         be judged.";
    FACTOR "NE1627" Warning "A canary is not asked to be better than the baseline."
        "Asked to be better than the version it replaces, a release that is just as good is \
         turned back.";
    CONTRADICTION "NE1628" Error "Clauses that must all be kept do not contradict each other."
        "Both cannot be kept at once, so every release would be turned back.";
    DUPLICATE "NE1629" Warning "A clause is written once."
        "The second has no effect. Often another metric or limit was meant.";
    IMPLIED "NE1630" Warning "A clause says something that the others do not."
        "The stricter clause decides alone. Whoever later loosens it believes that the other \
         still holds.";
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
