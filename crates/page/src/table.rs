//! Tables with a caption and headings that a screen reader can follow.

use alloc::string::String;
use alloc::vec::Vec;

use crate::{Inline, escape};

/// A table. The first cell of a row is the row's heading.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Table {
    caption: String,
    columns: Vec<Column>,
    rows: Vec<Vec<Inline>>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Column {
    title: String,
    numbers: bool,
}

impl Table {
    /// A table without columns. The caption says what it shows.
    #[must_use]
    pub fn new(caption: impl Into<String>) -> Self {
        Table {
            caption: caption.into(),
            ..Table::default()
        }
    }

    /// Adds a column of texts.
    #[must_use]
    pub fn column(mut self, title: impl Into<String>) -> Self {
        self.columns.push(Column {
            title: title.into(),
            numbers: false,
        });
        self
    }

    /// Adds a column of numbers, aligned to the right.
    #[must_use]
    pub fn number_column(mut self, title: impl Into<String>) -> Self {
        self.columns.push(Column {
            title: title.into(),
            numbers: true,
        });
        self
    }

    /// Adds a row. Cells that are missing are empty; cells beyond the columns are left out.
    #[must_use]
    pub fn row(mut self, cells: impl IntoIterator<Item = Inline>) -> Self {
        self.rows.push(cells.into_iter().collect());
        self
    }

    pub(crate) fn write(&self, out: &mut String) {
        let class = |column: &Column| {
            if column.numbers {
                " class=\"number\""
            } else {
                ""
            }
        };
        // The frame scrolls on narrow screens; a keyboard has to reach it.
        out.push_str("<div class=\"scroll\" role=\"region\" tabindex=\"0\" aria-label=\"");
        out.push_str(&escape::attribute(&self.caption));
        out.push_str("\">\n<table>\n<caption>");
        out.push_str(&escape::text(&self.caption));
        out.push_str("</caption>\n<thead>\n<tr>");
        for column in &self.columns {
            out.push_str("<th scope=\"col\"");
            out.push_str(class(column));
            out.push('>');
            out.push_str(&escape::text(&column.title));
            out.push_str("</th>");
        }
        out.push_str("</tr>\n</thead>\n<tbody>\n");
        for row in &self.rows {
            out.push_str("<tr>");
            for (index, column) in self.columns.iter().enumerate() {
                let (open, close) = if index == 0 {
                    ("<th scope=\"row\"", "</th>")
                } else {
                    ("<td", "</td>")
                };
                out.push_str(open);
                out.push_str(class(column));
                out.push('>');
                out.push_str(row.get(index).map_or("", Inline::html));
                out.push_str(close);
            }
            out.push_str("</tr>\n");
        }
        out.push_str("</tbody>\n</table>\n</div>\n");
    }
}
