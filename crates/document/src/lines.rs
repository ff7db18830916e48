//! Byte offsets to lines and columns, and back.

use alloc::vec::Vec;
use core::ops::Range;

use crate::Position;

/// How many characters lie between two checkpoints.
const STRIDE: usize = 256;

/// Where the lines of a text begin. Lines end at `\n`; a `\r` before it belongs to the line break.
pub(crate) struct LineIndex<'a> {
    text: &'a str,
    /// The byte at which each line begins.
    starts: Vec<usize>,
    /// Every 256th character, so that counting in one long line is not quadratic in its length;
    /// empty for ASCII.
    checkpoints: Vec<Checkpoint>,
}

/// A character, and what lies before it.
#[derive(Clone, Copy)]
struct Checkpoint {
    /// The byte at which it begins.
    byte: usize,
    /// How many UTF-16 code units the text before it takes.
    units: usize,
}

impl<'a> LineIndex<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        let after_breaks = text
            .bytes()
            .enumerate()
            .filter(|(_, byte)| *byte == b'\n')
            .map(|(at, _)| at + 1);
        let checkpoints = if text.is_ascii() {
            Vec::new()
        } else {
            checkpoints(text)
        };
        LineIndex {
            text,
            starts: core::iter::once(0).chain(after_breaks).collect(),
            checkpoints,
        }
    }

    /// The bytes of a line (from 1) without its line break.
    pub(crate) fn line(&self, line: u32) -> Option<Range<usize>> {
        let index = (line as usize).checked_sub(1)?;
        let start = *self.starts.get(index)?;
        let end = match self.starts.get(index + 1) {
            None => self.text.len(),
            Some(next) => next - 1,
        };
        let end = if self.text[start..end].ends_with('\r') {
            end - 1
        } else {
            end
        };
        Some(start..end)
    }

    /// The byte at which a position lies; columns past the end of the line give its end.
    pub(crate) fn byte(&self, at: Position) -> Option<usize> {
        let line = self.line(at.line)?;
        let column = (at.column as usize).checked_sub(1)?;
        Some(
            self.byte_of_char(self.chars_before(line.start) + column)
                .min(line.end),
        )
    }

    /// The byte at which the character with this number (from 0) begins; past the end, the end.
    pub(crate) fn byte_of_char(&self, number: usize) -> usize {
        if self.checkpoints.is_empty() {
            return number.min(self.text.len());
        }
        let checkpoint = self.checkpoints.get(number / STRIDE);
        let Some(Checkpoint { byte: start, .. }) = checkpoint else {
            return self.text.len();
        };
        self.text[*start..]
            .char_indices()
            .nth(number % STRIDE)
            .map_or(self.text.len(), |(at, _)| start + at)
    }

    /// Line and column of a byte; inside a character, those of the character.
    pub(crate) fn position(&self, byte: usize) -> Position {
        let mut byte = byte.min(self.text.len());
        while !self.text.is_char_boundary(byte) {
            byte -= 1;
        }
        let line = self.starts.partition_point(|start| *start <= byte);
        let start = self.starts[line - 1];
        let column = self.chars_before(byte) - self.chars_before(start);
        let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        Position {
            line: number(line),
            column: number(column + 1),
        }
    }

    /// How many characters begin before a byte, which must be a character boundary.
    fn chars_before(&self, byte: usize) -> usize {
        if self.checkpoints.is_empty() {
            return byte;
        }
        let (number, checkpoint) = self.checkpoint(byte);
        number * STRIDE + self.text[checkpoint.byte..byte].chars().count()
    }

    /// Line and column of a byte, which must be a character boundary; both from 1, the column in
    /// UTF-16 code units.
    pub(crate) fn utf16(&self, byte: usize) -> (usize, usize) {
        let line = self.starts.partition_point(|start| *start <= byte);
        let start = self.starts[line - 1];
        (line, self.units_before(byte) - self.units_before(start) + 1)
    }

    fn units_before(&self, byte: usize) -> usize {
        if self.checkpoints.is_empty() {
            return byte;
        }
        let (_, checkpoint) = self.checkpoint(byte);
        let since = self.text[checkpoint.byte..byte].chars();
        checkpoint.units + since.map(char::len_utf16).sum::<usize>()
    }

    /// The last checkpoint that does not lie behind a byte, and its number; there must be one.
    fn checkpoint(&self, byte: usize) -> (usize, Checkpoint) {
        let number = self.checkpoints.partition_point(|at| at.byte <= byte) - 1;
        (number, self.checkpoints[number])
    }
}

fn checkpoints(text: &str) -> Vec<Checkpoint> {
    let mut units = 0;
    let mut checkpoints = Vec::new();
    for (number, (byte, character)) in text.char_indices().enumerate() {
        if number % STRIDE == 0 {
            checkpoints.push(Checkpoint { byte, units });
        }
        units += character.len_utf16();
    }
    checkpoints
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::String;

    #[test]
    fn every_position_leads_back_to_its_byte() {
        let mut text = String::from("a\r\n\u{1f600}b\n\n");
        for _ in 0..300 {
            text.push_str("\u{e4}\u{1f4a5}\u{20ac}");
        }
        let lines = LineIndex::new(&text);
        for (number, (byte, character)) in text.char_indices().enumerate() {
            assert_eq!(lines.byte_of_char(number), byte);
            if character != '\r' && character != '\n' {
                assert_eq!(lines.byte(lines.position(byte)), Some(byte));
            }
            let line = text[..byte].rfind('\n').map_or(0, |at| at + 1);
            let units = text[line..byte].encode_utf16().count();
            assert_eq!(
                lines.utf16(byte),
                (lines.position(byte).line as usize, units + 1)
            );
        }
        assert_eq!(lines.position(7), Position { line: 2, column: 2 });
        assert_eq!(lines.line(1), Some(0..1));
        assert_eq!(lines.line(3), Some(9..9));
        assert_eq!(lines.line(5), None);
        let end = lines.position(text.len());
        assert_eq!(
            end,
            Position {
                line: 4,
                column: 901
            }
        );
    }
}
