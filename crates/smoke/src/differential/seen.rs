//! What the values of one place have looked like, and what else would look so.

use std::collections::BTreeSet;

use crate::differential::form::Form;
use crate::differential::tokens::{parts, words};

/// What the values of one place have looked like.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Seen {
    forms: BTreeSet<Form>,
    numbers: Option<Range>,
    bytes: Option<(usize, usize)>,
    /// The values themselves: noise often takes one of a few.
    texts: BTreeSet<String>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct Range {
    least: f64,
    most: f64,
}

/// Different texts of one place that are remembered.
const TEXTS_MAX: usize = 50;
/// Bytes of a text that is looked into word by word.
const PARTED_BYTES_MAX: usize = 4_096;

impl Seen {
    pub(super) fn text(&mut self, text: &str) {
        self.forms.insert(Form::of(text));
        let (shortest, longest) = self.bytes.unwrap_or((text.len(), text.len()));
        self.bytes = Some((shortest.min(text.len()), longest.max(text.len())));
        if let Ok(number) = text.trim().parse() {
            self.number(number);
        }
        if self.texts.len() < TEXTS_MAX {
            self.texts.insert(text.to_owned());
        }
    }

    pub(super) fn number(&mut self, number: f64) {
        let range = self.numbers.get_or_insert(Range {
            least: number,
            most: number,
        });
        range.least = range.least.min(number);
        range.most = range.most.max(number);
    }

    /// Whether this very text was seen.
    pub(super) fn knows(&self, text: &str) -> bool {
        self.texts.contains(text)
    }

    /// Whether a text has the form of the others.
    pub(super) fn admits_text(&self, text: &str) -> bool {
        if self.knows(text) {
            return true;
        }
        let form = Form::of(text);
        let (shortest, longest) = self.bytes.unwrap_or_default();
        if !self.forms.contains(&form) {
            // A random token is now and then all digits or without any, or looks like a word.
            return self.forms.iter().any(|known| known.is_made())
                && matches!(form, Form::Hex | Form::Token | Form::Words | Form::Number)
                && text.len() >= 8
                && (shortest..=longest).contains(&text.len())
                && !text.contains(char::is_whitespace);
        }
        match form {
            Form::Number => {
                let number = text.trim().parse();
                number.is_ok_and(|number| self.admits_number(number))
            }
            Form::Hex | Form::Token => {
                let slack = longest / 4 + 2;
                text.len() <= longest + slack && text.len() + slack >= shortest
            }
            Form::Words => self.admits_words(text),
            _ => true,
        }
    }

    /// Texts of several words have words in common, which stay; the others have forms of their own.
    /// Texts that have nothing in common are free, but about as long as those that were seen.
    fn admits_words(&self, text: &str) -> bool {
        let (_, longest) = self.bytes.unwrap_or_default();
        let free = text.len() <= 3 * longest + 16;
        if longest.max(text.len()) > PARTED_BYTES_MAX || self.texts.len() < 2 {
            return free;
        }
        let mut parted: Vec<Vec<&str>> = self.texts.iter().map(|it| words(it).collect()).collect();
        let mut new: Vec<&str> = words(text).collect();
        if parted.iter().all(|words| words.len() == 1) {
            parted = self.texts.iter().map(|it| parts(it).collect()).collect();
            new = parts(text).collect();
        }
        let count = parted.first().map_or(0, Vec::len);
        if count < 2 || parted.iter().any(|words| words.len() != count) {
            return free;
        }
        new.len() == count
            && new.iter().enumerate().all(|(at, word)| {
                let known: BTreeSet<&str> = parted
                    .iter()
                    .filter_map(|words| words.get(at))
                    .copied()
                    .collect();
                if known.len() < 2 {
                    return known.contains(word);
                }
                let mut seen = Seen::default();
                known.iter().for_each(|word| seen.text(word));
                seen.admits_text(word)
            })
    }

    /// Whether a number is of the sign and about of the size of the others: at most ten times as
    /// large as the largest, or 10 where that is less.
    pub(super) fn admits_number(&self, number: f64) -> bool {
        let Some(Range { least, most }) = self.numbers else {
            return false;
        };
        let largest = 10.0 * least.abs().max(most.abs()).max(1.0);
        let sign = (number >= 0.0 || least < 0.0) && (number <= 0.0 || most >= 0.0);
        sign && number.abs() <= largest
    }
}
