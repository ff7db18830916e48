//! A text as lines, and a line as words.

use std::collections::BTreeSet;

use crate::differential::Response;
use crate::differential::form::Form;
use crate::differential::tokens::words;

/// A text, as it is compared.
pub(super) struct Text<'t> {
    pub(super) lines: Vec<Line<'t>>,
    /// Of a metrics exposition: each family with the names of its labels.
    families: BTreeSet<String>,
    /// Series with several samples.
    repeated: BTreeSet<&'t str>,
}

/// A line, or of markup what stands between two tags.
pub(super) struct Line<'t> {
    /// The number of the text's line it is in, from 1.
    pub(super) number: usize,
    /// All of it, or of a sample in a metrics exposition all but its value.
    pub(super) text: &'t str,
    /// Its words; blanks are one, however many.
    pub(super) words: Vec<&'t str>,
    /// The words, with numbers, moments and made-up ones by their form.
    pub(super) frame: String,
    /// The words by their form alone.
    pub(super) shape: String,
    family: Option<String>,
}

impl<'t> Text<'t> {
    pub(super) fn of(text: &'t str, response: &Response) -> Text<'t> {
        let is_exposition = is_exposition(text, response);
        let mut lines = Vec::new();
        for (at, whole) in text.lines().enumerate() {
            if is_exposition && let Some((series, family)) = series(whole) {
                lines.push(Line::of(at + 1, series, Some(family)));
                continue;
            }
            let mut rest = whole;
            while let Some(end) = rest.find("><") {
                let (part, after) = rest.split_at(end + 1);
                lines.push(Line::of(at + 1, part, None));
                rest = after;
            }
            lines.push(Line::of(at + 1, rest, None));
        }
        let families = lines
            .iter()
            .filter_map(|line| line.family.clone())
            .collect();
        let mut once = BTreeSet::new();
        let all = lines.iter().filter(|line| line.family.is_some());
        let repeated = all.filter(|line| !once.insert(line.text));
        let repeated = repeated.map(|line| line.text).collect();
        Text {
            lines,
            families,
            repeated,
        }
    }

    /// Whether it is a sample of a known metric with the labels that it has: series come with what
    /// is first asked for.
    pub(super) fn has_family_of(&self, line: &Line<'_>) -> bool {
        let family = line.family.as_ref();
        family.is_some_and(|family| self.families.contains(family))
    }

    /// Whether it is a sample of a series that has several, which no exposition may have.
    pub(super) fn repeats(&self, line: &Line<'_>) -> bool {
        line.family.is_some() && self.repeated.contains(line.text)
    }
}

impl<'t> Line<'t> {
    fn of(number: usize, text: &'t str, family: Option<String>) -> Line<'t> {
        let is_blank = |word: &str| word.starts_with([' ', '\t', '\r']);
        let words: Vec<&str> = words(text)
            .map(|word| if is_blank(word) { " " } else { word })
            .collect();
        let words = match words.as_slice() {
            [rest @ .., " "] => rest.to_vec(),
            _ => words,
        };
        let frame = words
            .iter()
            .map(|word| match Form::of(word) {
                Form::Words | Form::Empty => (*word).to_owned(),
                form => format!("\u{0}{form:?}\u{0}"),
            })
            .collect();
        let shape = words
            .iter()
            .map(|word| match Form::of(word) {
                Form::Words if word.contains(char::is_alphanumeric) => "w".to_owned(),
                Form::Words | Form::Empty => (*word).to_owned(),
                form => format!("\u{0}{form:?}\u{0}"),
            })
            .collect();
        Line {
            number,
            text,
            words,
            frame,
            shape,
            family,
        }
    }

    /// Whether it has as many words, and half of them or more are the same or have one form.
    pub(super) fn is_like(&self, words: &[&str]) -> bool {
        if self.words.len() != words.len() {
            return false;
        }
        let (mut all, mut alike) = (0, 0);
        for (a, b) in self.words.iter().zip(words) {
            if a.chars().any(char::is_alphanumeric) || b.chars().any(char::is_alphanumeric) {
                all += 1;
                alike += usize::from(is_alike(a, b));
            }
        }
        2 * alike >= all
    }

    /// Whether it is markup that opens and closes as the other does, such as `<li>` and `</li>`.
    pub(super) fn is_element_as(&self, words: &[&str]) -> bool {
        let is_markup = |words: &[&str]| words.first() == Some(&"<") && words.last() == Some(&">");
        if !is_markup(&self.words) || !is_markup(words) {
            return false;
        }
        let (start, end) = ends(&self.words, words, is_alike);
        start >= TAG_WORDS && end >= TAG_WORDS
    }

    /// With how many words both lines begin, and with how many of the others they end.
    pub(super) fn ends(
        &self,
        other: &Line<'_>,
        is_same: impl Fn(&str, &str) -> bool,
    ) -> (usize, usize) {
        ends(&self.words, &other.words, is_same)
    }
}

/// Words of the shortest tag: `<`, its name and `>`.
const TAG_WORDS: usize = 3;

fn ends(a: &[&str], b: &[&str], is_same: impl Fn(&str, &str) -> bool) -> (usize, usize) {
    let is_same = |(x, y): &(&&str, &&str)| is_same(x, y);
    let start = a.iter().zip(b).take_while(is_same).count();
    let rest = a.len().min(b.len()) - start;
    let from_back = a.iter().rev().zip(b.iter().rev()).take(rest);
    (start, from_back.take_while(is_same).count())
}

/// Whether two words are the same or have one form.
fn is_alike(a: &str, b: &str) -> bool {
    let form = Form::of(a);
    a == b || form != Form::Words && form == Form::of(b)
}

/// Whether a text is metrics in the Prometheus text format or in OpenMetrics.
fn is_exposition(text: &str, response: &Response) -> bool {
    let is_named = response.headers.iter().any(|(name, value)| {
        name == "content-type" && (value.contains("version=0.0.4") || value.contains("openmetrics"))
    });
    is_named || text.starts_with("# HELP ") || text.starts_with("# TYPE ")
}

/// Of a sample in a metrics exposition the metric with its labels, and its name with the names of
/// the labels. Its value is a measurement.
fn series(line: &str) -> Option<(&str, String)> {
    let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | ':');
    let name = line.len() - line.trim_start_matches(is_name).len();
    if name == 0 {
        return None;
    }
    let (end, family) = match line.get(name..)?.strip_prefix('{') {
        Some(labels) => {
            let (length, names) = labels_of(labels)?;
            (name + 1 + length, names)
        }
        None => (name, String::new()),
    };
    let value = line.get(end..)?.split_whitespace().next()?;
    value.parse::<f64>().ok()?;
    Some((line.get(..end)?, format!("{}{{{family}", line.get(..name)?)))
}

/// The bytes up to and with the `}`, and the names of the labels.
fn labels_of(text: &str) -> Option<(usize, String)> {
    let (mut names, mut is_value, mut is_escaped) = (String::new(), false, false);
    for (at, c) in text.char_indices() {
        match c {
            _ if is_escaped => is_escaped = false,
            '\\' if is_value => is_escaped = true,
            '"' => is_value = !is_value,
            _ if is_value => {}
            '}' => return Some((at + 1, names)),
            c => names.push(c),
        }
    }
    None
}
