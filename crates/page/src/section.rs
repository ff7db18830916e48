//! The parts of a page.

use alloc::string::String;
use alloc::vec::Vec;

use crate::svg::Svg;
use crate::{Html, Inline, Table, Tone, escape};

/// A part of a page under a heading.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Section {
    heading: String,
    body: String,
}

impl Section {
    /// A section with nothing in it.
    #[must_use]
    pub fn new(heading: impl Into<String>) -> Self {
        Section {
            heading: heading.into(),
            body: String::new(),
        }
    }

    /// The heading.
    #[must_use]
    pub fn heading(&self) -> &str {
        &self.heading
    }

    pub(crate) fn body(&self) -> &str {
        &self.body
    }

    fn push(mut self, parts: &[&str]) -> Self {
        for part in parts {
            self.body.push_str(part);
        }
        self
    }

    /// Adds a paragraph.
    #[must_use]
    pub fn paragraph(self, text: impl Into<Inline>) -> Self {
        self.push(&["<p>", text.into().html(), "</p>\n"])
    }

    /// Adds a paragraph that stands out.
    #[must_use]
    pub fn notice(self, tone: Tone, text: impl Into<Inline>) -> Self {
        let text = text.into();
        let sign = ["<span aria-hidden=\"true\">", tone.sign(), " </span>"].concat();
        let class = ["<p class=\"notice ", tone.class(), "\">"].concat();
        self.push(&[&class, &sign, text.html(), "</p>\n"])
    }

    /// Adds a list; the order means something if it is `ordered`.
    #[must_use]
    pub fn list(self, ordered: bool, items: impl IntoIterator<Item = Inline>) -> Self {
        let tag = if ordered { "ol" } else { "ul" };
        let mut out = ["<", tag, ">\n"].concat();
        for item in items {
            out.push_str("<li>");
            out.push_str(item.html());
            out.push_str("</li>\n");
        }
        self.push(&[&out, "</", tag, ">\n"])
    }

    /// Adds names and what they stand for.
    #[must_use]
    pub fn facts<'a>(self, facts: impl IntoIterator<Item = (&'a str, Inline)>) -> Self {
        let mut out = String::from("<dl>\n");
        for (name, value) in facts {
            out.push_str("<div><dt>");
            out.push_str(&escape::text(name));
            out.push_str("</dt><dd>");
            out.push_str(value.html());
            out.push_str("</dd></div>\n");
        }
        self.push(&[&out, "</dl>\n"])
    }

    /// Adds a table.
    #[must_use]
    pub fn table(mut self, table: &Table) -> Self {
        table.write(&mut self.body);
        self
    }

    /// Adds lines of code or output, as they are.
    #[must_use]
    pub fn code(self, text: &str) -> Self {
        // A line break right after `<pre>` would be swallowed, so there is one to swallow.
        let open = "<pre tabindex=\"0\"><code>";
        let first = if text.starts_with('\n') { "\n" } else { "" };
        self.push(&[open, first, &escape::text(text), "</code></pre>\n"])
    }

    /// Adds a drawing with a caption.
    #[must_use]
    pub fn figure(self, drawing: &Svg, caption: impl Into<Inline>) -> Self {
        let caption = caption.into();
        self.push(&[
            "<figure>\n",
            drawing.as_str(),
            "<figcaption>",
            caption.html(),
            "</figcaption>\n</figure>\n",
        ])
    }

    /// Adds markup as it is.
    #[must_use]
    pub fn html(self, markup: &Html) -> Self {
        self.push(&[markup.as_str(), "\n"])
    }

    /// Adds something that is folded away until asked for; print shows it.
    #[must_use]
    pub fn folded(self, summary: impl Into<Inline>, inner: &Section) -> Self {
        let summary = summary.into();
        self.push(&[
            "<details>\n<summary>",
            summary.html(),
            "</summary>\n",
            inner.body(),
            "</details>\n",
        ])
    }
}

/// Fragment names for headings: letters and digits, unique on the page.
pub(crate) fn fragments<'a>(headings: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut taken: Vec<String> = alloc::vec![String::from("main")];
    for heading in headings {
        let mut words = String::new();
        for character in heading.chars().flat_map(char::to_lowercase) {
            if character.is_alphanumeric() {
                words.push(character);
            } else if !words.is_empty() && !words.ends_with('-') {
                words.push('-');
            }
        }
        let base = match words.trim_end_matches('-') {
            "" => "section",
            base => base,
        };
        let mut name = String::from(base);
        let mut number = 2;
        while taken.contains(&name) {
            name = alloc::format!("{base}-{number}");
            number += 1;
        }
        taken.push(name);
    }
    taken.remove(0);
    taken
}
