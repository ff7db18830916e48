//! Reads the structure of a bound: clauses, `and`, `or`, parentheses. After a mistake it goes on
//! with the next clause, so that one reading finds all of them.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::ops::Range;

use super::bound::{Bound, CLAUSES_MAX, Clause, NESTING_MAX};
use super::lex::{Sign, Token, tokens};
use super::rules::{
    CHARACTER, COMMA, DEEP, EMPTY, EXPECTED, MANY, MIXED, NOT, Sink, TEXT_LONG, WORD,
};

/// The longest text of a bound, in bytes. Every canonical text is shorter.
pub const TEXT_BYTES_MAX: usize = 16_384;

/// The longest part of the text that a finding repeats, in bytes.
const SHOWN_BYTES_MAX: usize = 200;

/// A bound with the places of its clauses. Like [`Bound`], no part is of the variant of its whole.
pub(super) enum Tree {
    All(Vec<Tree>),
    Any(Vec<Tree>),
    Clause(Box<Placed>),
    /// What could not be read; the finding is there.
    Broken,
}

/// A clause and where it stands.
pub(super) struct Placed {
    pub(super) clause: Clause,
    /// Whether the operator is the author's and not a guess.
    pub(super) operator_sure: bool,
    pub(super) span: Range<usize>,
    pub(super) metric: Range<usize>,
    pub(super) limit: Range<usize>,
}

/// Reads a text; what is wrong goes to the sink. A broken part always has an error there.
pub(super) fn tree(sink: &mut Sink<'_>) -> Tree {
    let text = sink.text;
    if text.len() > TEXT_BYTES_MAX {
        let mut end = 40;
        while !text.is_char_boundary(end) {
            end += 1;
        }
        let message = format!("the text has {} bytes", text.len());
        let help = format!("write at most {TEXT_BYTES_MAX}");
        sink.push(TEXT_LONG, 0..end, message, help);
        return Tree::Broken;
    }
    let (stray, tokens): (Vec<Token>, Vec<Token>) = tokens(text)
        .into_iter()
        .partition(|token| token.sign == Sign::Stray);
    for token in &stray {
        let message = format!("{} is not of this language", shown(text, *token));
        let rest = text.get(token.end..).unwrap_or("");
        let point = text.get(token.span()) == Some(".");
        let help = if point && rest.starts_with(|next: char| next.is_ascii_digit()) {
            "write numbers as digits, with at most one point between them, such as `0.5`"
        } else {
            "leave it out"
        };
        sink.push(CHARACTER, token.span(), message, help);
    }
    if tokens.len() == 1 {
        if stray.is_empty() {
            let help = "write a clause such as `error_rate <= 1%`";
            sink.push(EMPTY, 0..text.len(), "there is no clause", help);
        }
        return Tree::Broken;
    }
    let mut parser = Parser {
        sink,
        text,
        tokens,
        at: 0,
        level: 0,
        clauses: 0,
    };
    parser.any()
}

/// The bound of a tree; `None` if part of it is broken or it nests too deep.
pub(super) fn bound(tree: &Tree) -> Option<Bound> {
    let all = |parts: &[Tree]| parts.iter().map(bound).collect::<Option<Vec<_>>>();
    match tree {
        Tree::All(parts) => Bound::all(all(parts)?),
        Tree::Any(parts) => Bound::any(all(parts)?),
        Tree::Clause(placed) => Some(Bound::Clause(placed.clause.clone())),
        Tree::Broken => None,
    }
}

/// A token as it is shown in a message.
fn shown(text: &str, token: Token) -> String {
    let words = &text[token.span()];
    match token.sign {
        Sign::End => String::from("the end"),
        _ => {
            let short: String = words.chars().take(40).collect();
            let plain = |c: char| matches!(c, '"' | '\'' | '\\');
            let mut out = String::from("`");
            for character in short.chars() {
                if plain(character) {
                    out.push(character);
                } else {
                    out.extend(character.escape_debug());
                }
            }
            out + "`"
        }
    }
}

pub(super) struct Parser<'a, 's> {
    pub(super) sink: &'s mut Sink<'a>,
    text: &'a str,
    tokens: Vec<Token>,
    at: usize,
    level: usize,
    clauses: usize,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Joint {
    And,
    Or,
}

impl<'a> Parser<'a, '_> {
    pub(super) fn peek(&self) -> Token {
        self.ahead(0)
    }

    /// The token that many places further on; past the end, the end.
    pub(super) fn ahead(&self, places: usize) -> Token {
        let last = self.tokens.len() - 1;
        self.tokens[(self.at + places).min(last)]
    }

    pub(super) fn next(&mut self) -> Token {
        let token = self.peek();
        self.at = (self.at + 1).min(self.tokens.len() - 1);
        token
    }

    /// Where the last token that was taken ends.
    pub(super) fn end(&self) -> usize {
        self.at.checked_sub(1).map_or(0, |at| self.tokens[at].end)
    }

    pub(super) fn words(&self, token: Token) -> &'a str {
        &self.text[token.span()]
    }

    pub(super) fn shown(&self, token: Token) -> String {
        shown(self.text, token)
    }

    pub(super) fn is(&self, token: Token, word: &str) -> bool {
        token.sign == Sign::Word && self.words(token) == word
    }

    pub(super) fn expected(&mut self, what: &str, help: impl Into<String>) {
        let token = self.peek();
        let message = format!("{what} is expected, not {}", self.shown(token));
        self.sink.push(EXPECTED, token.span(), message, help);
    }

    fn joint(&self, token: Token) -> Option<Joint> {
        let words = self.words(token);
        match token.sign {
            Sign::And => Some(Joint::And),
            Sign::Or => Some(Joint::Or),
            Sign::Word if words.eq_ignore_ascii_case("and") => Some(Joint::And),
            Sign::Word if words.eq_ignore_ascii_case("or") => Some(Joint::Or),
            _ => None,
        }
    }

    /// Whether a clause cannot go on over this token.
    pub(super) fn parts_clauses(&self, token: Token) -> bool {
        matches!(token.sign, Sign::Comma | Sign::Close | Sign::End) || self.joint(token).is_some()
    }

    fn any(&mut self) -> Tree {
        let mut parts = Vec::new();
        let mut mixed = None;
        loop {
            let begin = self.peek().start;
            let (part, joined) = self.all();
            parts.push(part);
            if joined {
                mixed = Some(begin..self.end());
            }
            if !self.take(Joint::Or) {
                break;
            }
        }
        if let (true, Some(bytes)) = (parts.len() > 1, mixed) {
            let message = "`and` and `or` are mixed without parentheses; `and` binds tighter";
            let words = self.text.get(bytes.clone()).unwrap_or("");
            let help = if words.len() <= SHOWN_BYTES_MAX {
                format!("write `({words})`")
            } else {
                String::from("write parentheses around the clauses that `and` joins")
            };
            self.sink.push(MIXED, bytes, message, help);
        }
        joined(parts, Tree::Any, |part| match part {
            Tree::Any(inner) => Ok(inner),
            other => Err(other),
        })
    }

    /// With whether an `and` stands in it outside of parentheses.
    fn all(&mut self) -> (Tree, bool) {
        let mut parts = alloc::vec![self.factor()];
        let mut read = 1;
        while self.goes_on() {
            parts.push(self.factor());
            read += 1;
        }
        let tree = joined(parts, Tree::All, |part| match part {
            Tree::All(inner) => Ok(inner),
            other => Err(other),
        });
        (tree, read > 1)
    }

    /// Takes an `and`, or what stands in its place; `false` before `or`, the end of the
    /// parentheses, and the end.
    fn goes_on(&mut self) -> bool {
        loop {
            let token = self.peek();
            match token.sign {
                Sign::End => return false,
                Sign::Close if self.level > 0 => return false,
                Sign::Close => {
                    let help = "leave it out, or write a `(` before";
                    let message = "no `(` stands before this `)`";
                    self.sink.push(EXPECTED, token.span(), message, help);
                    self.next();
                }
                Sign::Comma => {
                    self.comma();
                    return true;
                }
                _ if self.joint(token) == Some(Joint::Or) => return false,
                _ if self.take(Joint::And) => return true,
                sign => {
                    let help = "join two clauses by `and` or `or`";
                    self.expected("`and`, `or` or the end", help);
                    let compares = self.ahead(1).sign.compares();
                    if matches!(sign, Sign::Open | Sign::Not) || sign == Sign::Word && compares {
                        return true;
                    }
                    self.recover();
                }
            }
        }
    }

    fn take(&mut self, joint: Joint) -> bool {
        let token = self.peek();
        if self.joint(token) != Some(joint) {
            return false;
        }
        self.next();
        let word = if joint == Joint::And { "and" } else { "or" };
        if self.words(token) != word {
            let message = format!("{} is not of this language", self.shown(token));
            let help = format!("write `{word}`");
            self.sink.push(WORD, token.span(), message, help);
        }
        true
    }

    fn comma(&mut self) {
        let token = self.next();
        let message = format!("{} does not stand in a bound", self.shown(token));
        let help = "join two clauses by `and` or `or`";
        self.sink.push(COMMA, token.span(), message, help);
    }

    fn factor(&mut self) -> Tree {
        while self.peek().sign == Sign::Not
            || (self.peek().sign == Sign::Word
                && self.words(self.peek()).eq_ignore_ascii_case("not"))
        {
            let token = self.next();
            let message = "a clause is not negated";
            let help = "turn the operator round: for `not x > 1%` write `x <= 1%`";
            self.sink.push(NOT, token.span(), message, help);
        }
        let token = self.peek();
        if token.sign == Sign::Open {
            self.group()
        } else if self.parts_clauses(token) {
            self.expected("a clause", "write one such as `error_rate <= 1%`");
            Tree::Broken
        } else {
            self.counted_clause()
        }
    }

    fn group(&mut self) -> Tree {
        let open = self.next();
        if self.level >= NESTING_MAX {
            let message = "the parentheses nest too deep";
            let help = format!("nest at most {NESTING_MAX} of them");
            self.sink.push(DEEP, open.span(), message, help);
            self.recover();
            self.next();
            return Tree::Broken;
        }
        self.level += 1;
        let tree = self.any();
        self.level -= 1;
        if self.peek().sign == Sign::Close {
            self.next();
        } else if self.clauses <= CLAUSES_MAX {
            let message = "this `(` is not closed";
            self.sink
                .push(EXPECTED, open.span(), message, "write a `)`");
        }
        tree
    }

    fn counted_clause(&mut self) -> Tree {
        self.clauses += 1;
        if self.clauses > CLAUSES_MAX {
            let message = "there are too many clauses";
            let help = format!("write at most {CLAUSES_MAX} in one bound");
            self.sink.push(MANY, self.peek().span(), message, help);
            self.at = self.tokens.len() - 1;
            return Tree::Broken;
        }
        match self.clause() {
            Some(placed) => Tree::Clause(Box::new(placed)),
            None => {
                self.recover();
                Tree::Broken
            }
        }
    }

    /// Skips to the end of the clause.
    fn recover(&mut self) {
        let mut open = 0_usize;
        loop {
            let token = self.peek();
            match token.sign {
                Sign::End => return,
                Sign::Open => open += 1,
                Sign::Close if open > 0 => open -= 1,
                _ if open == 0 && self.parts_clauses(token) => return,
                _ => {}
            }
            self.next();
        }
    }
}

fn joined(
    parts: Vec<Tree>,
    join: fn(Vec<Tree>) -> Tree,
    opened: fn(Tree) -> Result<Vec<Tree>, Tree>,
) -> Tree {
    let mut flat = Vec::new();
    for part in parts {
        match opened(part) {
            Ok(inner) => flat.extend(inner),
            Err(other) => flat.push(other),
        }
    }
    match flat.len() {
        1 => flat.pop().unwrap_or(Tree::Broken),
        _ => join(flat),
    }
}
