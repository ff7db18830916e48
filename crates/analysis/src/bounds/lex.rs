//! The text of a bound as words, numbers and signs.

use alloc::vec::Vec;
use core::ops::Range;

use super::bound::Operator;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sign {
    Operator(Operator),
    /// Something that is meant as an operator and is none, and the one that is likely meant.
    WrongOperator(Option<Operator>),
    Open,
    Close,
    Times,
    Plus,
    Minus,
    Slash,
    Percent,
    Comma,
    /// `&&` or `&`.
    And,
    /// `||` or `|`.
    Or,
    /// `!`
    Not,
    Number,
    Word,
    /// Characters that are not of the language.
    Stray,
    End,
}

impl Sign {
    /// Whether it is an operator or meant as one.
    pub(super) const fn compares(self) -> bool {
        matches!(self, Sign::Operator(_) | Sign::WrongOperator(_))
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) sign: Sign,
    pub(super) start: usize,
    pub(super) end: usize,
}

impl Token {
    pub(super) const fn span(self) -> Range<usize> {
        self.start..self.end
    }
}

/// Longer signs stand before their beginnings.
const SIGNS: &[(&str, Sign)] = &[
    ("<=>", Sign::WrongOperator(None)),
    ("===", Sign::WrongOperator(Some(Operator::AtMost))),
    ("<>", Sign::WrongOperator(None)),
    ("!=", Sign::WrongOperator(None)),
    ("\u{2260}", Sign::WrongOperator(None)),
    ("==", Sign::WrongOperator(Some(Operator::AtMost))),
    ("=<", Sign::WrongOperator(Some(Operator::AtMost))),
    ("=>", Sign::WrongOperator(Some(Operator::AtLeast))),
    ("=", Sign::WrongOperator(Some(Operator::AtMost))),
    ("<<", Sign::WrongOperator(Some(Operator::Below))),
    (">>", Sign::WrongOperator(Some(Operator::Above))),
    ("<=", Sign::Operator(Operator::AtMost)),
    (">=", Sign::Operator(Operator::AtLeast)),
    ("\u{2264}", Sign::Operator(Operator::AtMost)),
    ("\u{2265}", Sign::Operator(Operator::AtLeast)),
    ("<", Sign::Operator(Operator::Below)),
    (">", Sign::Operator(Operator::Above)),
    ("(", Sign::Open),
    (")", Sign::Close),
    ("*", Sign::Times),
    ("\u{d7}", Sign::Times),
    ("+", Sign::Plus),
    ("-", Sign::Minus),
    ("\u{2212}", Sign::Minus),
    ("/", Sign::Slash),
    ("%", Sign::Percent),
    (",", Sign::Comma),
    (";", Sign::Comma),
    ("&&", Sign::And),
    ("&", Sign::And),
    ("||", Sign::Or),
    ("|", Sign::Or),
    ("!", Sign::Not),
];

/// Every token with its place; the last is [`Sign::End`]. Stray characters that follow each other
/// are one.
pub(super) fn tokens(text: &str) -> Vec<Token> {
    let mut found: Vec<Token> = Vec::new();
    let mut at = 0;
    while let Some(first) = text[at..].chars().next() {
        let rest = &text[at..];
        if first.is_whitespace() {
            at += first.len_utf8();
            continue;
        }
        let sign = SIGNS.iter().find(|(sign, _)| rest.starts_with(sign));
        let (sign, length) = if first.is_ascii_digit() {
            (Sign::Number, number_length(rest))
        } else if is_word(first) {
            (Sign::Word, word_length(rest))
        } else if let Some((text, sign)) = sign {
            (*sign, text.len())
        } else {
            (Sign::Stray, first.len_utf8())
        };
        let token = Token {
            sign,
            start: at,
            end: at + length,
        };
        match found.last_mut() {
            Some(last) if sign == Sign::Stray && last.sign == sign && last.end == at => {
                last.end = token.end;
            }
            _ => found.push(token),
        }
        at = token.end;
    }
    found.push(Token {
        sign: Sign::End,
        start: text.len(),
        end: text.len(),
    });
    found
}

/// Letters of any language, so that a word of another one is shown whole.
fn is_word(character: char) -> bool {
    character.is_alphabetic() || character == '_'
}

fn number_length(text: &str) -> usize {
    let digits = |text: &str| {
        text.find(|c: char| !c.is_ascii_digit())
            .unwrap_or(text.len())
    };
    let whole = digits(text);
    match text[whole..].strip_prefix('.').map(digits) {
        None | Some(0) => whole,
        Some(places) => whole + 1 + places,
    }
}

/// A point belongs to a word if a letter or digit follows, a hyphen if a letter does.
fn word_length(text: &str) -> usize {
    let mut characters = text.char_indices().peekable();
    while let Some((at, character)) = characters.next() {
        let next = characters.peek().map(|(_, next)| *next);
        let within = is_word(character)
            || character.is_ascii_digit()
            || (character == '.' && next.is_some_and(|c| is_word(c) || c.is_ascii_digit()))
            || (character == '-' && next.is_some_and(is_word));
        if !within {
            return at;
        }
    }
    text.len()
}
