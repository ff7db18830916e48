//! Findings as a compiler shows them, with an excerpt of the text.

use alloc::string::String;
use core::ops::Range;

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

use crate::lines::LineIndex;
use crate::{Finding, Findings, Severity};

/// The longest line that is shown, in bytes. A text can be one line of a megabyte with a thousand
/// findings, and drawing each would take minutes.
const EXCERPT_BYTES_MAX: usize = 4 << 10;

impl Findings {
    /// All findings with excerpts of `text`, as a compiler prints them, a blank line between two;
    /// with `color`, ANSI escapes. Of a line over 4 KiB only the place is told. `file_name` is shown as it is given; a byte order mark is left out.
    #[must_use]
    pub fn render(&self, file_name: &str, text: &str, color: bool) -> String {
        let renderer = if color {
            Renderer::styled()
        } else {
            Renderer::plain()
        };
        let text = crate::text::unmarked(text);
        let lines = LineIndex::new(text);
        let mut out = String::new();
        for finding in self {
            if !out.is_empty() {
                out.push('\n');
            }
            out.push_str(&renderer.render(&[group(finding, file_name, text, &lines)]));
            out.push('\n');
        }
        out
    }
}

fn group<'a>(
    finding: &'a Finding,
    file_name: &'a str,
    text: &'a str,
    lines: &LineIndex<'_>,
) -> Group<'a> {
    let level = match finding.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
        Severity::Note => Level::NOTE,
    };
    let title = level.primary_title(finding.message.as_str());
    let mut group = Group::with_title(title.id(finding.code.as_str()));
    match excerpt(finding, text, lines) {
        Some(excerpt) => {
            let annotation = AnnotationKind::Primary
                .span(excerpt.marked)
                .label((!finding.path.is_empty()).then_some(finding.path.as_str()));
            group = group.element(
                Snippet::source(&text[excerpt.shown])
                    .path(file_name)
                    .line_start(excerpt.line)
                    .annotation(annotation),
            );
        }
        None => {
            let mut origin = String::from(file_name);
            if let Some(at) = finding.at {
                origin.push_str(&alloc::format!(":{at}"));
            }
            if !finding.path.is_empty() {
                origin.push_str(&alloc::format!(": {}", finding.path));
            }
            group = group.element(annotate_snippets::Origin::path(origin));
        }
    }
    if !finding.help.is_empty() {
        group = group.element(Level::HELP.message(finding.help.as_str()));
    }
    group
}

struct Excerpt {
    /// Bytes of the text that are shown: one line.
    shown: Range<usize>,
    /// Bytes of the excerpt that are marked.
    marked: Range<usize>,
    /// The number of the first line shown, from 1.
    line: usize,
}

fn excerpt(finding: &Finding, text: &str, lines: &LineIndex<'_>) -> Option<Excerpt> {
    let at = finding.at?;
    let line = lines.line(at.line)?;
    if line.len() > EXCERPT_BYTES_MAX {
        return None;
    }
    let start = lines.byte(at)?;
    let wanted = finding.span.as_ref().map_or(start, |span| span.end);
    // A span over several lines is marked on its first line only: the rest is what it holds.
    let mut end = wanted.clamp(start, line.end);
    while !text.is_char_boundary(end) {
        end += 1;
    }
    Some(Excerpt {
        marked: start - line.start..end - line.start,
        shown: line,
        line: at.line as usize,
    })
}
