//! The structure of a Markdown document: sections with text, checklists, tables.

use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

use crate::checks::source::{Source, SourceFile};
use crate::outcome::{Input, Unmet};
use crate::tree::Tree;

/// The longest Markdown document looked into, in bytes.
const BYTES_MAX: usize = 1 << 20;

/// Asks for structure; prose is never searched for words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct MarkdownCheck {
    pub(crate) source: Source,
    /// The section looked at; none is the whole document.
    pub(crate) heading: Option<String>,
    /// With a heading, the words its section must have.
    pub(crate) words_min: u32,
    pub(crate) checklist_complete: bool,
    pub(crate) table_rows_min: Option<u32>,
}

/// What a document, or the sections of one heading, hold.
#[derive(Debug, Default, PartialEq, Eq)]
struct Counts {
    sections: u32,
    words: u32,
    ticked: u32,
    unticked: u32,
    /// The rows with text below the header of the table that has most.
    table_rows: u32,
}

impl MarkdownCheck {
    pub(crate) fn asked(&self) -> String {
        let mut asked = format!("in {}", self.source.glob);
        if let Some(heading) = &self.heading {
            asked.push_str(&format!(
                ", a section \u{201c}{heading}\u{201d} of at least {} words",
                self.words_min
            ));
        }
        if self.checklist_complete {
            asked.push_str(", a checklist with every box ticked");
        }
        if let Some(rows) = self.table_rows_min {
            asked.push_str(&format!(", a table of at least {rows} row(s)"));
        }
        asked
    }

    pub(crate) fn evaluate(&self, tree: &Tree) -> Result<(String, Vec<Input>), Unmet> {
        let (files, inputs) = self.source.open(tree)?;
        let mut found = Vec::new();
        for file in &files {
            found.push(self.evaluate_file(file)?);
        }
        Ok((found.join("; "), inputs))
    }

    fn evaluate_file(&self, file: &SourceFile<'_>) -> Result<String, Unmet> {
        let path = file.path;
        if file.bytes.len() > BYTES_MAX {
            return Err(Unmet::error(format!("{path} is over {BYTES_MAX} bytes")));
        }
        let text = core::str::from_utf8(file.bytes).map_err(|bad| {
            Unmet::error(format!("{path} is not UTF-8 at byte {}", bad.valid_up_to()))
        })?;
        let counts = count(text, self.heading.as_deref());
        let mut figures = Vec::new();
        let mut met = true;
        if let Some(heading) = &self.heading {
            if counts.sections == 0 {
                return Err(Unmet::fail(format!(
                    "{path} has no section \u{201c}{heading}\u{201d}"
                )));
            }
            met &= counts.words >= self.words_min;
            figures.push(format!("{} words", counts.words));
        }
        if self.checklist_complete {
            let boxes = counts.ticked + counts.unticked;
            met &= boxes > 0 && counts.unticked == 0;
            figures.push(format!("{} of {boxes} boxes ticked", counts.ticked));
        }
        if let Some(rows) = self.table_rows_min {
            met &= counts.table_rows >= rows;
            figures.push(format!("{} table rows", counts.table_rows));
        }
        let found = format!("{path}: {}", figures.join(", "));
        if met {
            Ok(found)
        } else {
            Err(Unmet::fail(found))
        }
    }
}

/// Counts within the sections headed `heading`, or in the whole document.
fn count(text: &str, heading: Option<&str>) -> Counts {
    let mut reader = Reader {
        wanted: heading.map(folded),
        within: None,
        title: None,
        rows: 0,
        row_has_text: false,
        in_table_head: false,
        counts: Counts::default(),
    };
    let options = Options::ENABLE_TABLES | Options::ENABLE_TASKLISTS;
    for event in Parser::new_ext(text, options) {
        reader.take(&event);
    }
    reader.counts
}

struct Reader {
    wanted: Option<String>,
    /// The level of the wanted heading we are under.
    within: Option<u8>,
    /// The heading being read.
    title: Option<(u8, String)>,
    rows: u32,
    row_has_text: bool,
    in_table_head: bool,
    counts: Counts,
}

impl Reader {
    fn take(&mut self, event: &Event<'_>) {
        match event {
            Event::Start(Tag::Heading { level, .. }) => {
                self.title = Some((*level as u8, String::new()));
            }
            Event::End(TagEnd::Heading(_)) => self.end_heading(),
            Event::Text(text) | Event::Code(text) => self.text(text),
            Event::SoftBreak | Event::HardBreak => self.text(" "),
            Event::TaskListMarker(ticked) if self.counting() => {
                let boxes = if *ticked {
                    &mut self.counts.ticked
                } else {
                    &mut self.counts.unticked
                };
                *boxes = boxes.saturating_add(1);
            }
            Event::Start(Tag::Table(_)) => self.rows = 0,
            Event::Start(Tag::TableHead) => self.in_table_head = true,
            Event::End(TagEnd::TableHead) => self.in_table_head = false,
            Event::Start(Tag::TableRow) => self.row_has_text = false,
            Event::End(TagEnd::TableRow) if self.row_has_text => {
                self.rows = self.rows.saturating_add(1);
            }
            Event::End(TagEnd::Table) if self.counting() => {
                self.counts.table_rows = self.counts.table_rows.max(self.rows);
            }
            _ => {}
        }
    }

    fn counting(&self) -> bool {
        self.wanted.is_none() || self.within.is_some()
    }

    fn text(&mut self, text: &str) {
        if let Some((_, title)) = &mut self.title {
            title.push_str(text);
            return;
        }
        let has_word = |word: &&str| word.chars().any(char::is_alphanumeric);
        let words = text.split_whitespace().filter(has_word).count();
        if words > 0 {
            self.row_has_text = true;
        }
        if self.counting() && !self.in_table_head {
            let words = u32::try_from(words).unwrap_or(u32::MAX);
            self.counts.words = self.counts.words.saturating_add(words);
        }
    }

    fn end_heading(&mut self) {
        let Some((level, title)) = self.title.take() else {
            return;
        };
        if self.within.is_some_and(|outer| level <= outer) {
            self.within = None;
        }
        if self.within.is_none() && self.wanted.as_ref() == Some(&folded(&title)) {
            self.within = Some(level);
            self.counts.sections = self.counts.sections.saturating_add(1);
        }
    }
}

/// A heading without regard to case and spacing.
fn folded(title: &str) -> String {
    let words: Vec<&str> = title.split_whitespace().collect();
    words.join(" ").to_lowercase().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "\
# Plan\n\nIntro words here.\n\n## Roll  back\n\nOne two `three`.\n<!-- four five -->\n\n### Deeper\n\nsix\n\n\
- [x] done\n- [ ] not done\n\n| a | b |\n|---|---|\n| 1 |   |\n|   |   |\n\n## Next\n\nseven\n";

    #[test]
    fn a_section_reaches_to_the_next_heading_of_its_level() {
        let counts = count(TEXT, Some("roll back"));
        assert_eq!(
            counts,
            Counts {
                sections: 1,
                words: 8,
                ticked: 1,
                unticked: 1,
                table_rows: 1
            }
        );
        assert_eq!(count(TEXT, Some("next")).words, 1);
        assert_eq!(count(TEXT, Some("absent")), Counts::default());
    }

    #[test]
    fn without_a_heading_the_whole_document_counts() {
        let counts = count(TEXT, None);
        assert_eq!(
            (counts.ticked, counts.unticked, counts.table_rows),
            (1, 1, 1)
        );
    }

    #[test]
    fn a_heading_in_a_code_block_is_none() {
        assert_eq!(
            count("```\n# Roll back\nyes\n```\n", Some("roll back")).sections,
            0
        );
    }
}
