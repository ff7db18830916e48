//! A whole page in one file.

use alloc::string::String;
use alloc::vec::Vec;

use crate::section::fragments;
use crate::style::PAGE_STYLE;
use crate::{Inline, Section, escape};

/// A page: one self-contained HTML document that loads nothing, runs no script, follows the
/// reader's light or dark preference, prints, and can be read with a keyboard or a screen reader.
///
/// ```
/// use nonevent_page::{Page, Section};
/// let page = Page::new("Rollout of shop 1.5.0")
///     .summary("Promoted in 48 s, no request lost.")
///     .section(Section::new("Steps").paragraph("5%, 25%, 50%, 100%"));
/// assert!(page.render().starts_with("<!doctype html>"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    title: String,
    language: String,
    summary: Option<Inline>,
    sections: Vec<Section>,
    footer: Option<Inline>,
}

impl Page {
    /// A page in English with nothing on it but its title.
    #[must_use]
    pub fn new(title: impl Into<String>) -> Self {
        Page {
            title: title.into(),
            language: String::from("en"),
            summary: None,
            sections: Vec::new(),
            footer: None,
        }
    }

    /// The language of the texts (BCP 47), such as `en` or `de`.
    #[must_use]
    pub fn language(mut self, tag: impl Into<String>) -> Self {
        self.language = tag.into();
        self
    }

    /// The one or two sentences under the title.
    #[must_use]
    pub fn summary(mut self, text: impl Into<Inline>) -> Self {
        self.summary = Some(text.into());
        self
    }

    /// Adds a section. From two sections on, the page has a table of contents.
    #[must_use]
    pub fn section(mut self, section: Section) -> Self {
        self.sections.push(section);
        self
    }

    /// The line at the foot, such as who made the page from what.
    #[must_use]
    pub fn footer(mut self, text: impl Into<Inline>) -> Self {
        self.footer = Some(text.into());
        self
    }

    /// The HTML document. The same page gives the same bytes.
    #[must_use]
    pub fn render(&self) -> String {
        let title = escape::text(&self.title);
        let names = fragments(self.sections.iter().map(Section::heading));
        let mut out = String::from("<!doctype html>\n<html lang=\"");
        out.push_str(&escape::attribute(&self.language));
        out.push_str(
            "\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <meta name=\"color-scheme\" content=\"light dark\">\n\
             <meta http-equiv=\"Content-Security-Policy\" \
             content=\"default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; \
             form-action 'none'\">\n\
             <meta name=\"referrer\" content=\"no-referrer\">\n<title>",
        );
        out.push_str(&title);
        out.push_str("</title>\n<style>\n");
        out.push_str(PAGE_STYLE);
        out.push_str("</style>\n</head>\n<body>\n");
        out.push_str("<a class=\"skip\" href=\"#main\">Skip to content</a>\n<header>\n<h1>");
        out.push_str(&title);
        out.push_str("</h1>\n");
        if let Some(summary) = &self.summary {
            push_all(&mut out, &["<p>", summary.html(), "</p>\n"]);
        }
        out.push_str("</header>\n");
        self.write_contents(&mut out, &names);
        out.push_str("<main id=\"main\">\n");
        for (section, name) in self.sections.iter().zip(&names) {
            let heading = escape::text(section.heading());
            push_all(
                &mut out,
                &["<section aria-labelledby=\"", name, "\">\n<h2 id=\"", name],
            );
            push_all(
                &mut out,
                &["\">", &heading, "</h2>\n", section.body(), "</section>\n"],
            );
        }
        out.push_str("</main>\n");
        if let Some(footer) = &self.footer {
            push_all(
                &mut out,
                &["<footer>\n<p>", footer.html(), "</p>\n</footer>\n"],
            );
        }
        out.push_str("</body>\n</html>\n");
        out
    }

    fn write_contents(&self, out: &mut String, names: &[String]) {
        if self.sections.len() < 2 {
            return;
        }
        out.push_str("<nav aria-label=\"Contents\">\n<ol>\n");
        for (section, name) in self.sections.iter().zip(names) {
            let heading = escape::text(section.heading());
            push_all(
                out,
                &["<li><a href=\"#", name, "\">", &heading, "</a></li>\n"],
            );
        }
        out.push_str("</ol>\n</nav>\n");
    }
}

fn push_all(out: &mut String, parts: &[&str]) {
    for part in parts {
        out.push_str(part);
    }
}
