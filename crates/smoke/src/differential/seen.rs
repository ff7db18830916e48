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

    /// All that another one has seen.
    pub(super) fn merge(&mut self, other: &Seen) {
        for text in &other.texts {
            self.text(text);
        }
        self.forms.extend(&other.forms);
        for number in other
            .numbers
            .iter()
            .flat_map(|range| [range.least, range.most])
        {
            self.number(number);
        }
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
            let is_kin = |known: &Form| known.is_made() && text.len() >= 8 || *known == Form::Mixed;
            return self.forms.iter().any(is_kin)
                && matches!(
                    form,
                    Form::Hex | Form::Token | Form::Mixed | Form::Words | Form::Number
                )
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
            Form::Words | Form::Mixed => self.admits_words(text),
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
        for split in [of_words, of_parts, of_name_and_number] {
            let parted: Vec<Vec<&str>> = self.texts.iter().map(|text| split(text)).collect();
            let count = parted.first().map_or(0, Vec::len);
            if parted.iter().any(|parts| parts.len() != count) {
                break;
            }
            let new = split(text);
            if count > 1 && new.len() == count {
                return admits_parts(&parted, &new);
            }
            if count > 1 {
                // What moves may itself have in it what parts words.
                break;
            }
        }
        free && self.admits_middle(text)
    }

    /// Whether a text begins and ends as all of the others do, with something between that has the
    /// form of what they have there.
    fn admits_middle(&self, text: &str) -> bool {
        let texts: Vec<&str> = self.texts.iter().map(String::as_str).collect();
        let (Some(first), Some(shortest)) = (texts.first(), texts.iter().map(|it| it.len()).min())
        else {
            return true;
        };
        let is_joint = |c: char| !c.is_alphanumeric() && !matches!(c, '-' | '_');
        let agree = |at: usize| {
            texts
                .iter()
                .all(|it| it.as_bytes().get(at) == first.as_bytes().get(at))
        };
        let start = (0..shortest).take_while(|at| agree(*at)).count();
        let start = first
            .get(..start)
            .and_then(|it| it.rfind(is_joint))
            .map_or(0, |at| at + 1);
        let back = |text: &str, at: usize| {
            text.len()
                .checked_sub(at + 1)
                .and_then(|at| text.as_bytes().get(at).copied())
        };
        let agree = |at: usize| texts.iter().all(|it| back(it, at) == back(first, at));
        let end = (0..shortest - start.min(shortest))
            .take_while(|at| agree(*at))
            .count();
        let end = first
            .get(first.len() - end..)
            .and_then(|it| it.find(is_joint).map(|at| it.len() - at));
        let end = end.unwrap_or_default();
        let (Some(before), Some(after)) = (first.get(..start), first.get(first.len() - end..))
        else {
            return true;
        };
        let middle = |text: &'_ str| -> Option<String> {
            let inner = text.strip_prefix(before)?.strip_suffix(after)?;
            Some(inner.to_owned())
        };
        let Some(new) = middle(text) else {
            return false;
        };
        let known = texts
            .iter()
            .filter_map(|text| middle(text))
            .map(|it| Form::of(&it));
        let known: BTreeSet<Form> = known.collect();
        let form = Form::of(&new);
        known.contains(&Form::Words)
            || known.contains(&form)
            || known.iter().any(|known| known.is_made()) && form != Form::Empty
    }

    /// Whether a number is of the sign and about of the size of the others: at most ten times as
    /// large as the largest, or 100 where that is more.
    pub(super) fn admits_number(&self, number: f64) -> bool {
        let Some(Range { least, most }) = self.numbers else {
            return false;
        };
        let largest = 10.0 * least.abs().max(most.abs()).max(10.0);
        let sign = (number >= 0.0 || least < 0.0) && (number <= 0.0 || most >= 0.0);
        sign && number.abs() <= largest
    }
}

fn of_words(text: &str) -> Vec<&str> {
    words(text).collect()
}

fn of_parts(text: &str) -> Vec<&str> {
    parts(text).collect()
}

/// `worker7` as `worker` and `7`.
fn of_name_and_number(text: &str) -> Vec<&str> {
    let name = text.trim_end_matches(|c: char| c.is_ascii_digit());
    let (name, number) = text.split_at(name.len());
    if number.is_empty() || !name.chars().all(char::is_alphabetic) {
        vec![text]
    } else {
        vec![name, number]
    }
}

/// Whether each part is the one that all have there, or has the form of those.
fn admits_parts(parted: &[Vec<&str>], new: &[&str]) -> bool {
    new.iter().enumerate().all(|(at, part)| {
        let known: BTreeSet<&str> = parted
            .iter()
            .filter_map(|parts| parts.get(at))
            .copied()
            .collect();
        if known.len() < 2 {
            return known.contains(part);
        }
        let mut seen = Seen::default();
        known.iter().for_each(|known| seen.text(known));
        seen.admits_text(part)
    })
}
