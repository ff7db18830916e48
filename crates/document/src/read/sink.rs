//! Takes what a reader reads, under limits.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::ops::Range;

use crate::lines::LineIndex;
use crate::rules::{ALIAS, CONTROL, DEPTH, NODES};
use crate::{Finding, Findings, Limits, Position, Rule, Span, Value, item_path, member_path};

/// One operation in the making of a tree.
#[derive(Clone, Debug)]
pub(super) enum Op {
    /// A value that is neither list nor mapping.
    Scalar(Value, Span),
    /// The key of the member whose value follows.
    Key(String, Span),
    /// A list begins. The span is that of the whole.
    StartArray(Span),
    /// A mapping begins. The span is that of the whole.
    StartObject(Span),
    /// The innermost list or mapping ends.
    End,
}

/// A finding that ends the reading.
pub(super) type Fatal = Box<Finding>;

/// How many findings that do not end the reading are kept.
const SOFT_MAX: usize = 20;

pub(super) struct Sink<'a> {
    text: &'a str,
    lines: &'a LineIndex<'a>,
    limits: &'a Limits,
    ops: Vec<Op>,
    /// Where in `ops` the lists and mappings began that have not ended.
    open: Vec<usize>,
    nodes: usize,
    /// Where the last key or value ends, if there is one.
    last_end: Option<usize>,
    /// Bytes of text that aliases have repeated.
    repeated_bytes: usize,
    findings: Findings,
}

impl<'a> Sink<'a> {
    pub(super) fn new(text: &'a str, lines: &'a LineIndex<'a>, limits: &'a Limits) -> Self {
        Sink {
            text,
            lines,
            limits,
            // About as many as a dense text has; memory that is not written to costs nothing.
            ops: Vec::with_capacity((text.len() / 5).min(1 << 20)),
            open: Vec::new(),
            nodes: 0,
            last_end: None,
            repeated_bytes: 0,
            findings: Findings::new(),
        }
    }

    /// A sink for the same text under the same limits that has taken nothing yet.
    pub(super) fn afresh(&self) -> Self {
        Sink::new(self.text, self.lines, self.limits)
    }

    pub(super) fn into_parts(self) -> (Vec<Op>, Findings) {
        (self.ops, self.findings)
    }

    /// How many operations there are so far.
    pub(super) fn len(&self) -> usize {
        self.ops.len()
    }

    pub(super) fn lines(&self) -> &LineIndex<'a> {
        self.lines
    }

    fn span(&self, bytes: Range<usize>) -> Span {
        Span {
            start: self.lines.position(bytes.start),
            end: self.lines.position(bytes.end),
            bytes,
        }
    }

    /// A finding at these bytes, with the path that is being read.
    pub(super) fn finding(
        &self,
        rule: Rule,
        bytes: Range<usize>,
        message: impl Into<String>,
        help: &str,
    ) -> Fatal {
        let finding = rule.finding(self.path(), message, help);
        Box::new(finding.spanning(&self.span(bytes)))
    }

    /// Keeps a finding that does not end the reading.
    pub(super) fn report(
        &mut self,
        rule: Rule,
        bytes: Range<usize>,
        message: impl Into<String>,
        help: &str,
    ) {
        if self.findings.len() < SOFT_MAX {
            let finding = self.finding(rule, bytes, message, help);
            self.findings.push(*finding);
        }
    }

    fn count(&mut self, bytes: &Range<usize>, nodes: usize) -> Result<(), Fatal> {
        self.nodes += nodes;
        if self.nodes <= self.limits.nodes_max {
            return Ok(());
        }
        Err(self.finding(
            NODES,
            bytes.clone(),
            format!(
                "the document has more than {} values",
                self.limits.nodes_max
            ),
            "make it smaller; values repeated through aliases count each time",
        ))
    }

    fn check_depth(&self, bytes: &Range<usize>, more: usize) -> Result<(), Fatal> {
        if self.open.len() + more <= self.limits.depth_max {
            return Ok(());
        }
        // The path would be longer than everything else that there is to say.
        let limit = self.limits.depth_max;
        let message = format!("the document is nested more than {limit} deep");
        let finding = DEPTH.finding("", message, "make it flatter");
        Err(Box::new(finding.spanning(&self.span(bytes.clone()))))
    }

    fn check_text(&mut self, text: &str, bytes: &Range<usize>) {
        if text.contains('\0') {
            let message = "the text contains an escaped NUL character";
            self.report(CONTROL, bytes.clone(), message, "remove it");
        }
    }

    pub(super) fn scalar(&mut self, value: Value, bytes: Range<usize>) -> Result<(), Fatal> {
        self.count(&bytes, 1)?;
        if let Value::String(text) = &value {
            self.check_text(text, &bytes);
        }
        let mut span = self.span(bytes);
        if !span.bytes.is_empty() {
            self.last_end = Some(span.bytes.end);
        }
        if span.bytes.is_empty()
            && let Some(Op::Key(_, key_span)) = self.ops.last()
        {
            // An absent value has no place of its own.
            span = key_span.clone();
        }
        self.ops.push(Op::Scalar(value, span));
        Ok(())
    }

    pub(super) fn key(&mut self, key: String, bytes: Range<usize>) {
        self.check_text(&key, &bytes);
        self.last_end = Some(bytes.end);
        let span = self.span(bytes);
        self.ops.push(Op::Key(key, span));
    }

    pub(super) fn start_array(&mut self, bytes: Range<usize>) -> Result<(), Fatal> {
        self.start(bytes, Op::StartArray)
    }

    pub(super) fn start_object(&mut self, bytes: Range<usize>) -> Result<(), Fatal> {
        self.start(bytes, Op::StartObject)
    }

    fn start(&mut self, bytes: Range<usize>, op: fn(Span) -> Op) -> Result<(), Fatal> {
        self.count(&bytes, 1)?;
        self.check_depth(&bytes, 1)?;
        self.open.push(self.ops.len());
        let span = self.span(bytes);
        self.ops.push(op(span));
        Ok(())
    }

    /// The innermost list or mapping ends at byte `end`.
    pub(super) fn end(&mut self, end: usize) {
        self.ops.push(Op::End);
        self.last_end = Some(end);
        let Some(start) = self.open.pop() else {
            return;
        };
        let position = self.lines.position(end);
        if let Op::StartArray(span) | Op::StartObject(span) = &mut self.ops[start]
            && end > span.bytes.start
        {
            span.bytes.end = end;
            span.end = position;
        }
    }

    /// Repeats the operations of one value, for an alias that stands at `bytes`.
    pub(super) fn repeat(&mut self, ops: Range<usize>, bytes: &Range<usize>) -> Result<(), Fatal> {
        let (mut nodes, mut depth, mut deepest, mut text_bytes) = (0, 0_usize, 0, 0);
        for op in &self.ops[ops.clone()] {
            match op {
                Op::Scalar(value, _) => {
                    nodes += 1;
                    if let Value::String(text) = value {
                        text_bytes += text.len();
                    }
                }
                Op::Key(key, _) => text_bytes += key.len(),
                Op::StartArray(_) | Op::StartObject(_) => {
                    nodes += 1;
                    depth += 1;
                    deepest = deepest.max(depth);
                }
                Op::End => depth = depth.saturating_sub(1),
            }
        }
        self.count(bytes, nodes)?;
        self.check_depth(bytes, deepest)?;
        self.repeated_bytes += text_bytes;
        if self.repeated_bytes > self.limits.bytes_max {
            let limit = self.limits.bytes_max;
            let message = format!("aliases repeat more than {limit} bytes of text");
            return Err(self.finding(ALIAS, bytes.clone(), message, "use fewer aliases"));
        }
        self.ops.extend_from_within(ops);
        self.last_end = Some(bytes.end);
        Ok(())
    }

    /// The end of the value before a block list or mapping ends: what follows it is white space.
    pub(super) const fn last_end(&self) -> Option<usize> {
        self.last_end
    }

    pub(super) fn text(&self) -> &'a str {
        self.text
    }

    /// The innermost `[` or `{` that has not been closed, and where it stands.
    pub(super) fn unclosed_bracket(&self) -> Option<(char, Position)> {
        let (Op::StartArray(span) | Op::StartObject(span)) = &self.ops[*self.open.last()?] else {
            return None;
        };
        let first = self.text[span.bytes.start..].chars().next();
        let bracket = first.filter(|first| matches!(first, '[' | '{'))?;
        Some((bracket, span.start))
    }

    /// The path of what is being read.
    fn path(&self) -> String {
        let mut path = String::new();
        for (level, start) in self.open.iter().enumerate() {
            let end = self
                .open
                .get(level + 1)
                .map_or(self.ops.len(), |next| *next);
            let mut depth = 0_usize;
            let (mut items, mut last_key) = (0, None);
            for op in &self.ops[start + 1..end] {
                match op {
                    Op::Key(key, _) if depth == 0 => last_key = Some(key),
                    // A member that is complete is no longer what is being read.
                    Op::Scalar(..) if depth == 0 => (items, last_key) = (items + 1, None),
                    Op::StartArray(_) | Op::StartObject(_) => {
                        if depth == 0 {
                            (items, last_key) = (items + 1, None);
                        }
                        depth += 1;
                    }
                    Op::End => depth = depth.saturating_sub(1),
                    Op::Key(..) | Op::Scalar(..) => {}
                }
            }
            path = match (&self.ops[*start], last_key) {
                (Op::StartArray(_), _) => item_path(&path, items),
                (_, Some(key)) => member_path(&path, key),
                (_, None) => path,
            };
        }
        path
    }
}
