//! What of an answer is free to move: whoever makes an answer up marks it, and whoever changes an
//! answer keeps away from it.

use core::ops::Range;

use serde_json::Value as Json;

/// Why something is free to move.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    /// A date or a time, in any form.
    Time,
    /// An id or a token that is made anew.
    Id,
    /// A counter.
    Count,
    /// A measurement.
    Measure,
    /// One of a few values.
    Choice,
    /// Something that is there at some times.
    Optional,
    /// A list, or lines, of which there are more or fewer.
    Length,
    /// A list, or lines, in any order.
    Order,
    /// A map whose keys are made anew.
    Keys,
}

const KINDS: [Kind; 9] = [
    Kind::Time,
    Kind::Id,
    Kind::Count,
    Kind::Measure,
    Kind::Choice,
    Kind::Optional,
    Kind::Length,
    Kind::Order,
    Kind::Keys,
];

impl Kind {
    fn code(self) -> char {
        let at = KINDS.iter().position(|it| *it == self).unwrap_or_default();
        char::from(b'0' + u8::try_from(at).expect("there are nine"))
    }

    fn of_code(code: char) -> Option<Kind> {
        KINDS.into_iter().find(|it| it.code() == code)
    }

    /// Whether the value itself moves, not only whether or where it is.
    pub(crate) fn is_of_value(self) -> bool {
        matches!(
            self,
            Kind::Time | Kind::Id | Kind::Count | Kind::Measure | Kind::Choice
        )
    }
}

const OPEN: char = '\u{e000}';
const CLOSE: char = '\u{e001}';

/// `text` with the mark around it.
pub(crate) fn mark_text(kind: Kind, text: &str) -> String {
    format!("{OPEN}{}{text}{CLOSE}", kind.code())
}

/// `value` with the mark around it.
pub(crate) fn mark_json(kind: Kind, value: Json) -> Json {
    let mut marked = serde_json::Map::new();
    marked.insert(OPEN.to_string(), kind.code().to_string().into());
    marked.insert("value".to_owned(), value);
    Json::Object(marked)
}

/// A text without its marks, and where they were.
#[derive(Debug, Clone, Default)]
pub(crate) struct Text {
    pub(crate) plain: String,
    pub(crate) marks: Vec<(Range<usize>, Kind)>,
}

impl Text {
    pub(crate) fn of(marked: &str) -> Text {
        let mut text = Text::default();
        let mut open: Vec<(usize, Kind)> = Vec::new();
        let mut chars = marked.chars();
        while let Some(c) = chars.next() {
            match c {
                OPEN => {
                    let kind = chars
                        .next()
                        .and_then(Kind::of_code)
                        .expect("a mark has a kind");
                    open.push((text.plain.len(), kind));
                }
                CLOSE => {
                    let (from, kind) = open.pop().expect("marks are closed once");
                    text.marks.push((from..text.plain.len(), kind));
                }
                c => text.plain.push(c),
            }
        }
        text
    }

    /// Whether a mark of one of these kinds has a part of `range`.
    pub(crate) fn is_marked(&self, range: &Range<usize>, is: impl Fn(Kind) -> bool) -> bool {
        self.marks
            .iter()
            .any(|(mark, kind)| is(*kind) && mark.start < range.end && range.start < mark.end)
    }
}

/// A JSON value without its marks, and where they were.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tree {
    pub(crate) plain: Json,
    pub(crate) marks: Vec<(String, Kind)>,
    /// Texts of which a part moves.
    pub(crate) texts: Vec<(String, Text)>,
}

impl Tree {
    pub(crate) fn of(marked: &Json) -> Tree {
        let mut tree = Tree::default();
        tree.plain = tree.strip(marked, "");
        tree
    }

    fn strip(&mut self, value: &Json, pointer: &str) -> Json {
        match value {
            Json::Object(members) => {
                let kind = members.get(&OPEN.to_string()).and_then(Json::as_str);
                if let Some(kind) = kind.and_then(|it| Kind::of_code(it.chars().next()?)) {
                    self.marks.push((pointer.to_owned(), kind));
                    return self.strip(&members["value"], pointer);
                }
                let stripped = members.iter().map(|(key, value)| {
                    let key = Text::of(key).plain;
                    let value = self.strip(value, &format!("{pointer}/{}", escaped(&key)));
                    (key, value)
                });
                Json::Object(stripped.collect())
            }
            Json::Array(items) => items
                .iter()
                .enumerate()
                .map(|(at, item)| self.strip(item, &format!("{pointer}/{at}")))
                .collect(),
            Json::String(text) => {
                let text = Text::of(text);
                let plain = Json::String(text.plain.clone());
                match text.marks.as_slice() {
                    [] => {}
                    [(range, kind)] if *range == (0..text.plain.len()) => {
                        self.marks.push((pointer.to_owned(), *kind));
                    }
                    _ => self.texts.push((pointer.to_owned(), text)),
                }
                plain
            }
            value => value.clone(),
        }
    }

    /// Whether the place, or one that it is within, has a mark of one of these kinds.
    pub(crate) fn is_within(&self, pointer: &str, is: impl Fn(Kind) -> bool) -> bool {
        self.marks
            .iter()
            .any(|(mark, kind)| is(*kind) && is_at_or_below(pointer, mark))
    }

    /// Whether the place itself has the mark.
    pub(crate) fn is_at(&self, pointer: &str, kind: Kind) -> bool {
        self.marks
            .iter()
            .any(|(mark, of)| mark == pointer && *of == kind)
    }

    /// Whether anything below the place, or the place itself, has a mark.
    pub(crate) fn has_within(&self, pointer: &str) -> bool {
        let mut marks = self.marks.iter().map(|(mark, _)| mark);
        let mut texts = self.texts.iter().map(|(mark, _)| mark);
        marks.any(|mark| is_at_or_below(mark, pointer))
            || texts.any(|mark| is_at_or_below(mark, pointer))
    }
}

fn is_at_or_below(pointer: &str, root: &str) -> bool {
    pointer
        .strip_prefix(root)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// A key as JSON pointers have it.
pub(crate) fn escaped(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}
