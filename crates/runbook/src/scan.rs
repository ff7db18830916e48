//! What stands where on a Markdown page: anchors with their items, and blanks.

use alloc::collections::BTreeSet;
use alloc::string::String;
use alloc::vec::Vec;
use core::ops::Range;

use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

use crate::blank;

/// What a page holds, in its order. All ranges are bytes of the page.
#[derive(Default)]
pub(crate) struct Scan {
    pub(crate) anchors: Vec<Anchor>,
    pub(crate) blanks: Vec<Blank>,
    /// Items with a box and without an id, each with whether it is ticked.
    pub(crate) own: Vec<(Range<usize>, bool)>,
    /// The boxes of task items, `[ ]` or `[x]`, each with whether it is ticked.
    pub(crate) boxes: Vec<(Range<usize>, bool)>,
}

/// An id and what it stands on.
pub(crate) struct Anchor {
    pub(crate) id: String,
    /// The comment.
    pub(crate) span: Range<usize>,
    /// The list item it stands in, up to its end or the next item with an id.
    pub(crate) item: Option<Range<usize>>,
    /// The item's box, if it has one.
    pub(crate) ticked: Option<bool>,
    /// What follows the comment within the item.
    pub(crate) note: Option<Range<usize>>,
    /// The last code span before the comment, within its block.
    pub(crate) code: Option<String>,
}

/// Words in angle brackets.
pub(crate) struct Blank {
    pub(crate) name: String,
    pub(crate) span: Range<usize>,
}

/// What GitHub reads.
fn options() -> Options {
    Options::ENABLE_TABLES
        | Options::ENABLE_TASKLISTS
        | Options::ENABLE_STRIKETHROUGH
        | Options::ENABLE_FOOTNOTES
        | Options::ENABLE_GFM
}

/// Reads the page. `known` are the blanks of the plan, which also count where others would not:
/// in code blocks, and as HTML that a browser would swallow.
pub(crate) fn scan(markdown: &str, known: &BTreeSet<String>) -> Scan {
    let mut scanner = Scanner {
        markdown,
        known,
        page: Scan::default(),
        items: Vec::new(),
        text: String::new(),
        origins: Vec::new(),
        code: None,
        in_code_block: false,
    };
    for (event, range) in Parser::new_ext(markdown, options()).into_offset_iter() {
        scanner.take(event, range);
    }
    scanner.flush();
    scanner.page
}

struct Scanner<'a> {
    markdown: &'a str,
    known: &'a BTreeSet<String>,
    page: Scan,
    /// The list items that are open.
    items: Vec<OpenItem>,
    /// The text of the present block, with where its parts come from.
    text: String,
    origins: Vec<(usize, usize)>,
    code: Option<String>,
    in_code_block: bool,
}

struct OpenItem {
    range: Range<usize>,
    ticked: Option<bool>,
    /// The anchor it has, as an index.
    anchor: Option<usize>,
}

impl Scanner<'_> {
    fn take(&mut self, event: Event<'_>, range: Range<usize>) {
        match event {
            Event::Start(
                Tag::Emphasis
                | Tag::Strong
                | Tag::Strikethrough
                | Tag::Link { .. }
                | Tag::Image { .. },
            )
            | Event::End(
                TagEnd::Emphasis
                | TagEnd::Strong
                | TagEnd::Strikethrough
                | TagEnd::Link
                | TagEnd::Image,
            ) => {}
            Event::Start(tag) => {
                self.flush();
                match tag {
                    Tag::Item => {
                        self.items.push(OpenItem {
                            range,
                            ticked: None,
                            anchor: None,
                        });
                    }
                    Tag::CodeBlock(_) => self.in_code_block = true,
                    _ => {}
                }
            }
            Event::End(tag) => {
                self.flush();
                match tag {
                    TagEnd::Item => {
                        if let Some(item) = self.items.pop()
                            && let (Some(ticked), None) = (item.ticked, item.anchor)
                        {
                            self.page.own.push((item.range, ticked));
                        }
                    }
                    TagEnd::CodeBlock => self.in_code_block = false,
                    _ => {}
                }
            }
            Event::TaskListMarker(ticked) => {
                self.page.boxes.push((range, ticked));
                if let Some(item) = self.items.last_mut() {
                    item.ticked = Some(ticked);
                }
            }
            Event::Text(text) if self.in_code_block => self.known_in(&text, range.start),
            Event::Text(text) => {
                self.origins.push((self.text.len(), range.start));
                self.text.push_str(&text);
            }
            Event::Code(code) => {
                if self.known.contains(&*code) || blank::is_blank(&code) {
                    self.blank(&code, range);
                } else {
                    self.known_in(&code, range.start);
                }
                self.text.push('`');
                self.code = Some(String::from(&*code));
            }
            Event::InlineHtml(html) => {
                self.known_in(&html, range.start);
                // Not within the attribute of an element.
                if html.starts_with("<!--") {
                    self.anchors(range);
                }
            }
            Event::Html(html) => {
                self.known_in(&html, range.start);
                self.anchors(range);
            }
            Event::SoftBreak | Event::HardBreak => self.text.push(' '),
            Event::FootnoteReference(_)
            | Event::InlineMath(_)
            | Event::DisplayMath(_)
            | Event::Rule => {}
        }
    }

    fn blank(&mut self, name: &str, span: Range<usize>) {
        self.page.blanks.push(Blank {
            name: String::from(name),
            span,
        });
    }

    /// The plan's own blanks in text that is shown as it is. `at` is where it begins; offsets
    /// within it are right where source and text agree, as in one line of code.
    fn known_in(&mut self, text: &str, at: usize) {
        for range in blank::in_text(text) {
            let name = &text[range.clone()];
            if self.known.contains(name) {
                let span = self.whole(at + range.start, name.len());
                self.page.blanks.push(Blank {
                    name: String::from(name),
                    span,
                });
            }
        }
    }

    /// The range of `bytes` bytes at `at`, within the page and between characters.
    fn whole(&self, at: usize, bytes: usize) -> Range<usize> {
        let end = (at + bytes).min(self.markdown.len());
        if self.markdown.get(at..end).is_some() {
            at..end
        } else {
            0..0
        }
    }

    /// Ends a block: looks for blanks in its text.
    fn flush(&mut self) {
        let text = core::mem::take(&mut self.text);
        let origins = core::mem::take(&mut self.origins);
        for range in blank::in_text(&text) {
            let part = origins
                .partition_point(|(at, _)| *at <= range.start)
                .saturating_sub(1);
            let Some((at, origin)) = origins.get(part) else {
                continue;
            };
            let span = self.whole(origin + (range.start - at), 1);
            self.page.blanks.push(Blank {
                name: String::from(&text[range]),
                span,
            });
        }
        self.code = None;
    }

    /// The anchors in a piece of HTML.
    fn anchors(&mut self, html: Range<usize>) {
        let Some(text) = self.markdown.get(html.clone()) else {
            return;
        };
        let mut from = 0;
        while let Some(start) = text[from..].find("<!--") {
            let start = from + start;
            let inside = &text[start + 4..];
            // These two are whole comments.
            if inside.starts_with('>') || inside.starts_with("->") {
                from = start + 4;
                continue;
            }
            let Some(length) = inside.find("-->") else {
                return;
            };
            from = start + 4 + length + 3;
            let id = inside[..length].trim().strip_prefix("id:");
            if let Some(id) = id.map(str::trim)
                && !id.is_empty()
                && !id.contains(char::is_whitespace)
            {
                self.anchor(id, html.start + start..html.start + from);
            }
        }
    }

    fn anchor(&mut self, id: &str, span: Range<usize>) {
        let index = self.page.anchors.len();
        let mut anchor = Anchor {
            id: String::from(id),
            span: span.clone(),
            item: None,
            ticked: None,
            note: None,
            code: self.code.clone(),
        };
        let depth = self.items.len();
        if let Some(item) = self.items.last_mut()
            && item.anchor.is_none()
        {
            item.anchor = Some(index);
            anchor.item = Some(item.range.clone());
            anchor.ticked = item.ticked;
            anchor.note = Some(span.end..item.range.end.max(span.end));
            // An item with an id of its own is no note of the one around it.
            let start = item.range.start;
            let outer = self.items[..depth - 1]
                .iter()
                .rev()
                .find_map(|outer| outer.anchor);
            if let Some(outer) = outer.and_then(|outer| self.page.anchors.get_mut(outer)) {
                for range in [&mut outer.item, &mut outer.note].into_iter().flatten() {
                    range.end = range.end.min(start.max(range.start));
                }
            }
        }
        self.page.anchors.push(anchor);
    }
}
