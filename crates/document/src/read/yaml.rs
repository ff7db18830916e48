//! YAML, from the events of `saphyr-parser`.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use core::ops::Range;

use saphyr_parser::{Event, Parser, ScalarStyle, Span as Marks, StrInput};

use super::explain::explain;
use super::plain::plain;
use super::sink::{Fatal, Sink};
use crate::rules::{ALIAS, EMPTY, KEY, MANY, NUMBER, SYNTAX, TAG};
use crate::{Value, text::shown};

pub(super) fn read(text: &str, sink: &mut Sink<'_>) -> Result<(), Fatal> {
    let mut parser: Parser<'_, StrInput<'_>> = Parser::new_from_str(text);
    let mut reader = Reader {
        sink,
        anchors: BTreeMap::new(),
        frames: alloc::vec::Vec::new(),
        documents: 0,
    };
    while let Some(event) = parser.next_event() {
        let (event, marks) = event.map_err(|error| {
            let at = reader.sink.lines().byte_of_char(error.marker().index());
            refused(text, error.info(), at, reader.sink)
        })?;
        reader.event(event, marks)?;
    }
    if reader.documents == 0 {
        let message = "the document is empty";
        return Err(reader
            .sink
            .finding(EMPTY, 0..0, message, "write something into it"));
    }
    Ok(())
}

/// How the scanner says that brackets are nested more deeply than it can count.
const TOO_DEEP: &str = "recursion limit";

/// How the scanner says that a line is no `key: value`. It notices on the next line that has text.
const NO_COLON: &str = "simple key expect";

/// What the scanner says that it cannot go on with, at byte `at`.
fn refused(text: &str, info: &str, at: usize, sink: &Sink<'_>) -> Fatal {
    // The scanner opens brackets ahead of what it hands over, and gives up on them far behind the
    // place where our own limit lies; what stands before shows that place.
    if info.contains(TOO_DEEP)
        && at < text.len()
        && let Err(finding) = read(&text[..at], &mut sink.afresh())
    {
        return finding;
    }
    let (message, help) = explain(info);
    let message = format!("not valid YAML: {message}");
    let unclosed = sink
        .unclosed_bracket()
        .map(|(bracket, at)| format!("{help}; the `{bracket}` at {at} is not closed yet"));
    let help = unclosed.as_deref().unwrap_or(help);
    let bytes = if info.contains(NO_COLON) {
        line_before(text, at)
    } else {
        at..at
    };
    sink.finding(SYNTAX, bytes, message, help)
}

/// The last line before byte `at` that says something, if only white space stands between them.
fn line_before(text: &str, at: usize) -> Range<usize> {
    let line_start = text[..at].rfind('\n').map_or(0, |at| at + 1);
    if !text[line_start..at].trim().is_empty() {
        return at..at;
    }
    let mut end = line_start;
    for line in text[..line_start].split_inclusive('\n').rev() {
        let start = end - line.len();
        let said = line.trim();
        if !said.is_empty() && !said.starts_with('#') {
            let start = end - line.trim_start().len();
            return start..start + said.len();
        }
        end = start;
    }
    at..at
}

/// How many bytes a text in quotes has, from the opening quote to the closing one.
fn quoted_length(written: &str) -> Option<usize> {
    let mut bytes = written.bytes().enumerate();
    let (_, quote) = bytes.next()?;
    while let Some((at, byte)) = bytes.next() {
        match byte {
            b'\\' if quote == b'"' => {
                let _ = bytes.next();
            }
            // Two single quotes are one that is meant.
            b'\'' if quote == b'\'' && written.as_bytes().get(at + 1) == Some(&b'\'') => {
                let _ = bytes.next();
            }
            _ if byte == quote => return Some(at + 1),
            _ => {}
        }
    }
    None
}

/// A list or mapping that has begun.
enum Frame {
    Array { anchor: usize },
    Object { anchor: usize, key_next: bool },
}

struct Reader<'r, 'a> {
    sink: &'r mut Sink<'a>,
    /// The operations of each anchor's value, from the first to behind the last; `None` while the
    /// value has not ended.
    anchors: BTreeMap<usize, (usize, Option<usize>)>,
    frames: alloc::vec::Vec<Frame>,
    documents: usize,
}

impl Reader<'_, '_> {
    fn bytes(&self, marks: Marks) -> Range<usize> {
        let lines = self.sink.lines();
        let start = lines.byte_of_char(marks.start.index());
        start..lines.byte_of_char(marks.end.index()).max(start)
    }

    /// The place of a value begins after its anchor.
    fn without_anchor(&self, event: &Event<'_>, bytes: Range<usize>) -> Range<usize> {
        let (Event::Scalar(_, _, anchor, _)
        | Event::SequenceStart(anchor, _)
        | Event::MappingStart(anchor, _)) = event
        else {
            return bytes;
        };
        let space = [' ', '\t', '\n', '\r'];
        let written = &self.sink.text()[bytes.start..];
        if *anchor == 0 || !written.starts_with('&') {
            return bytes;
        }
        let name = written.find(space).unwrap_or(written.len());
        let value = written[name..].trim_start_matches(space);
        let start = bytes.start + written.len() - value.len();
        // An anchor on nothing at all keeps its own place.
        if start > bytes.end && bytes.end > bytes.start {
            return bytes;
        }
        start..bytes.end.max(start)
    }

    fn event(&mut self, event: Event<'_>, marks: Marks) -> Result<(), Fatal> {
        let bytes = self.without_anchor(&event, self.bytes(marks));
        match event {
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => Ok(()),
            Event::DocumentStart(_) => {
                self.documents += 1;
                if self.documents == 1 {
                    return Ok(());
                }
                let message = "a second document begins here";
                let help = "keep one document in a file";
                Err(self.sink.finding(MANY, bytes, message, help))
            }
            Event::Alias(anchor) => self.alias(anchor, bytes),
            Event::Scalar(text, style, anchor, tag) => {
                self.check_tag(tag.is_some(), &bytes);
                let bytes = self.scalar_bytes(style, bytes);
                if self.key_is_next() {
                    return self.key(text.into_owned(), style, anchor, bytes);
                }
                let start = self.sink.len();
                let value = self.scalar_value(text.into_owned(), style, &bytes);
                self.sink.scalar(value, bytes)?;
                self.value_done(anchor, start);
                Ok(())
            }
            Event::SequenceStart(anchor, tag) => {
                self.check_tag(tag.is_some(), &bytes);
                self.refuse_as_key(&bytes)?;
                self.anchors.insert(anchor, (self.sink.len(), None));
                self.sink.start_array(bytes)?;
                self.frames.push(Frame::Array { anchor });
                Ok(())
            }
            Event::MappingStart(anchor, tag) => {
                self.check_tag(tag.is_some(), &bytes);
                self.refuse_as_key(&bytes)?;
                self.anchors.insert(anchor, (self.sink.len(), None));
                self.sink.start_object(bytes)?;
                let key_next = true;
                self.frames.push(Frame::Object { anchor, key_next });
                Ok(())
            }
            Event::SequenceEnd | Event::MappingEnd => {
                self.end(bytes);
                Ok(())
            }
        }
    }

    fn end(&mut self, bytes: Range<usize>) {
        // A bracket closes a flow collection, and the scanner counts what follows it as well; a
        // block one ends where its last value does.
        let is_flow = self.sink.unclosed_bracket().is_some();
        let end = if is_flow && self.sink.text()[bytes.clone()].starts_with([']', '}']) {
            bytes.start + 1
        } else {
            self.sink.last_end().unwrap_or(bytes.start)
        };
        self.sink.end(end);
        let anchor = match self.frames.pop() {
            Some(Frame::Array { anchor } | Frame::Object { anchor, .. }) => anchor,
            None => 0,
        };
        let start = self.anchors.get(&anchor).map_or(0, |(start, _)| *start);
        self.value_done(anchor, start);
    }

    fn key_is_next(&self) -> bool {
        matches!(
            self.frames.last(),
            Some(Frame::Object { key_next: true, .. })
        )
    }

    /// A value is complete: its anchor can be used, and in a mapping a key comes next.
    fn value_done(&mut self, anchor: usize, start: usize) {
        if anchor != 0 {
            self.anchors.insert(anchor, (start, Some(self.sink.len())));
        }
        if let Some(Frame::Object { key_next, .. }) = self.frames.last_mut() {
            *key_next = true;
        }
    }

    fn alias(&mut self, anchor: usize, bytes: Range<usize>) -> Result<(), Fatal> {
        self.refuse_as_key(&bytes)?;
        match self.anchors.get(&anchor) {
            Some(&(start, Some(end))) => {
                self.sink.repeat(start..end, &bytes)?;
                self.value_done(0, 0);
                Ok(())
            }
            _ => {
                let message = "the alias stands inside the value that it refers to";
                let help = "write the value out";
                Err(self.sink.finding(ALIAS, bytes, message, help))
            }
        }
    }

    fn refuse_as_key(&self, bytes: &Range<usize>) -> Result<(), Fatal> {
        if !self.key_is_next() {
            return Ok(());
        }
        let message = "a key has to be text";
        let help = "write a plain or quoted text before the colon; if this is a template \
                    placeholder or starts with `[`, `{` or `*`, put it in quotes";
        Err(self.sink.finding(KEY, bytes.clone(), message, help))
    }

    fn key(
        &mut self,
        text: String,
        style: ScalarStyle,
        anchor: usize,
        bytes: Range<usize>,
    ) -> Result<(), Fatal> {
        if anchor != 0 {
            let message = "a key cannot carry an anchor";
            return Err(self
                .sink
                .finding(KEY, bytes, message, "put the anchor on a value"));
        }
        let plain = style == ScalarStyle::Plain;
        if plain && text == "<<" {
            let message = "merge keys are not part of YAML 1.2";
            let help = "write the members out, or put the key in quotes if it is text";
            self.sink.report(KEY, bytes.clone(), message, help);
        }
        if plain && text.is_empty() {
            let message = "a key is missing before the colon";
            let help = "write a key, or `\"\"` if it is meant to be empty";
            self.sink.report(KEY, bytes.clone(), message, help);
        }
        self.sink.key(text, bytes);
        if let Some(Frame::Object { key_next, .. }) = self.frames.last_mut() {
            *key_next = false;
        }
        Ok(())
    }

    fn scalar_value(&mut self, text: String, style: ScalarStyle, bytes: &Range<usize>) -> Value {
        if style != ScalarStyle::Plain {
            return Value::String(text);
        }
        plain(&text).unwrap_or_else(|trap| {
            let message = format!("`{}` is {}", shown(&text), trap.message());
            self.sink
                .report(NUMBER, bytes.clone(), message, trap.help());
            Value::String(text)
        })
    }

    /// Trailing white space and line breaks belong to no scalar's place, and what follows a closing
    /// quote does not either: the scanner ends a quoted text where the next one begins.
    fn scalar_bytes(&self, style: ScalarStyle, bytes: Range<usize>) -> Range<usize> {
        let written = &self.sink.text()[bytes.clone()];
        if matches!(style, ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted) {
            let length = quoted_length(written).unwrap_or(written.len());
            return bytes.start..bytes.start + length;
        }
        let trimmed = written.trim_end_matches([' ', '\t', '\n', '\r']).len();
        bytes.start..bytes.start + trimmed
    }

    fn check_tag(&mut self, tagged: bool, bytes: &Range<usize>) {
        if tagged {
            let message = "tags are not read";
            let help =
                "remove the word that begins with `!`; put a value in quotes to make it text";
            self.sink.report(TAG, bytes.clone(), message, help);
        }
    }
}
