//! From byte offsets to lines and columns.

use alloc::vec::Vec;

use nonevent_document::Position;

/// Characters are counted up to every so many bytes once, so that a question costs no more than
/// that, however long a line is.
const MARK_BYTES: usize = 1024;

/// Where the lines of a text begin.
pub(crate) struct Lines<'a> {
    text: &'a [u8],
    starts: Vec<usize>,
    /// Characters before each multiple of `MARK_BYTES`.
    marks: Vec<usize>,
}

impl<'a> Lines<'a> {
    pub(crate) fn of(text: &'a str) -> Lines<'a> {
        let text = text.as_bytes();
        let breaks = text.iter().enumerate().filter(|(_, byte)| **byte == b'\n');
        let mut marks = Vec::with_capacity(text.len() / MARK_BYTES + 1);
        let mut before = 0;
        for chunk in text.chunks(MARK_BYTES) {
            marks.push(before);
            before += characters(chunk);
        }
        marks.push(before);
        let starts = core::iter::once(0)
            .chain(breaks.map(|(at, _)| at + 1))
            .collect();
        Lines {
            text,
            starts,
            marks,
        }
    }

    /// Line and column of a byte offset, both from 1, the column in characters.
    pub(crate) fn position(&self, at: usize) -> Position {
        let at = at.min(self.text.len());
        let line = self
            .starts
            .partition_point(|start| *start <= at)
            .saturating_sub(1);
        let start = self.starts.get(line).copied().unwrap_or(0);
        let number = |n: usize| u32::try_from(n + 1).unwrap_or(u32::MAX);
        let column = self
            .characters_before(at)
            .saturating_sub(self.characters_before(start));
        Position {
            line: number(line),
            column: number(column),
        }
    }

    fn characters_before(&self, at: usize) -> usize {
        let mark = at / MARK_BYTES;
        let counted = self.marks.get(mark).copied().unwrap_or(0);
        counted + self.text.get(mark * MARK_BYTES..at).map_or(0, characters)
    }
}

/// Bytes of UTF-8 that begin a character.
fn characters(text: &[u8]) -> usize {
    text.iter().filter(|byte| **byte & 0xc0 != 0x80).count()
}

#[cfg(test)]
mod tests {
    use super::Lines;

    #[test]
    fn columns_count_characters_on_lines_of_any_length() {
        let text = alloc::format!("é1\n{}x\r\n", "é".repeat(3_000));
        let lines = Lines::of(&text);
        let at = |byte: usize| {
            let position = lines.position(byte);
            (position.line, position.column)
        };
        assert_eq!(at(0), (1, 1));
        assert_eq!(at(2), (1, 2));
        assert_eq!(at(4), (2, 1));
        assert_eq!(at(text.find('x').unwrap()), (2, 3_001));
        assert_eq!(at(text.len()), (3, 1));
        assert_eq!(at(usize::MAX), (3, 1));
    }
}
