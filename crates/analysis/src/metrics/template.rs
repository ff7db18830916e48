//! Query texts with placeholders, filled so that no value can change what a query asks.

use alloc::borrow::Cow;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

use super::escape::{in_literal, regex_place, regex_quoted};
use super::prometheus::{DURATION_MS_MAX, QUERY_BYTES_MAX, duration};
use super::tokens::{Kind, Piece, Unreadable, hole_end, pieces, unquote};

/// The longest text that fills a placeholder, in bytes.
pub const FILL_BYTES_MAX: usize = 1_024;
/// The most placeholders in a template.
pub const PLACEHOLDERS_MAX: usize = 64;

/// A `PromQL` query with placeholders `{{name}}`.
///
/// A name is made of ASCII letters, digits and `_`, and begins with no digit; spaces around it
/// are allowed. A placeholder may stand in two places:
///
/// - in the string literal of a label matcher, alone or among other text:
///   `{version="{{version}}"}`, `{pod=~"{{service}}-.*"}`. It takes a text, which is escaped by the
///   rules of that literal (`"…"`, `'…'` or `` `…` ``) and, after `=~` and `!~`, by those of RE2
///   before that, so that it matches itself only;
/// - as a whole duration, in a range or after `offset`: `[{{window}}]`, `[1h:{{step}}]`,
///   `offset {{window}}`. It takes a duration.
///
/// Anywhere else, in a metric's or label's name, a number, a function's string or a comment, it is
/// refused. In PromQL `{{` does not occur outside a string; inside one, write a literal `{{` as
/// `\x7b{`. Values are not searched for placeholders again.
///
/// ```
/// use nonevent_analysis::metrics::{Fill, Template};
/// let template = Template::parse(
///     r#"sum(increase(http_requests_total{service=~"{{service}}|all",version="{{version}}"}[{{window}}]))"#,
/// )
/// .map_err(|problems| problems[0].clone())?;
/// let query = template
///     .fill(&[
///         ("service", Fill::Text("shop.front")),
///         ("version", Fill::Text(r#"1.2"} or vector(0)"#)),
///         ("window", Fill::DurationMs(60_000)),
///     ])
///     .map_err(|problems| problems[0].clone())?;
/// assert_eq!(
///     query,
///     r#"sum(increase(http_requests_total{service=~"shop\\.front|all",version="1.2\"} or vector(0)"}[60s]))"#,
/// );
/// # Ok::<(), nonevent_analysis::metrics::TemplateProblem>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    source: String,
    holes: Vec<Hole>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Hole {
    start: usize,
    end: usize,
    name: String,
    place: Place,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Matcher { quote: u8, regex: bool },
    Duration,
}

/// What fills a placeholder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fill<'a> {
    /// A text for a label matcher. Not empty: an empty matcher selects series *without* the label.
    Text(&'a str),
    /// A duration in milliseconds, from 1 to [`DURATION_MS_MAX`].
    DurationMs(u64),
}

/// One thing that is wrong with a template or with what fills it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemplateProblem {
    kind: TemplateProblemKind,
    line: usize,
    column: usize,
    text: String,
}

/// The kinds of [`TemplateProblem`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TemplateProblemKind {
    /// Not made of the tokens of `PromQL`, or longer than its limit.
    Query,
    /// A placeholder without its end.
    Unclosed,
    /// A placeholder without a right name.
    Name,
    /// A placeholder where none may stand.
    Place,
    /// A placeholder for which there is no value.
    Unknown,
    /// A value of the wrong kind, empty, too long, or not writable where it should stand.
    Value,
}

impl TemplateProblem {
    /// What kind of problem it is.
    #[must_use]
    pub const fn kind(&self) -> TemplateProblemKind {
        self.kind
    }

    /// Line of the template, from 1.
    #[must_use]
    pub const fn line(&self) -> usize {
        self.line
    }

    /// Character in the line, from 1.
    #[must_use]
    pub const fn column(&self) -> usize {
        self.column
    }

    fn new(source: &str, at: usize, kind: TemplateProblemKind, text: impl Into<String>) -> Self {
        let before = source.get(..at).unwrap_or(source);
        let line_start = before.rfind('\n').map_or(0, |end| end + 1);
        Self {
            kind,
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
            text: text.into(),
        }
    }
}

impl fmt::Display for TemplateProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.line, self.column, self.text)
    }
}

impl core::error::Error for TemplateProblem {}

impl Template {
    /// Reads a template.
    ///
    /// # Errors
    ///
    /// All problems, in the order in which they stand in the text.
    pub fn parse(text: &str) -> Result<Self, Vec<TemplateProblem>> {
        let mut parsing = Parsing {
            text,
            holes: Vec::new(),
            problems: Vec::new(),
        };
        if text.len() > QUERY_BYTES_MAX {
            let why = format!("the query is longer than {QUERY_BYTES_MAX} bytes");
            parsing.problem(0, TemplateProblemKind::Query, why);
        } else {
            match pieces(text, true) {
                Ok(pieces) => parsing.pieces(&pieces),
                Err(unreadable) => parsing.unreadable(&unreadable),
            }
        }
        if parsing.holes.len() > PLACEHOLDERS_MAX {
            let why = format!("there are more than {PLACEHOLDERS_MAX} placeholders");
            parsing.problem(0, TemplateProblemKind::Query, why);
        }
        let (holes, mut problems) = (parsing.holes, parsing.problems);
        if problems.is_empty() {
            Ok(Self {
                source: text.to_string(),
                holes,
            })
        } else {
            problems.sort_by_key(|problem| (problem.line, problem.column));
            Err(problems)
        }
    }

    /// The text as it was read.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The names of the placeholders, in the order of the text; a name may occur again.
    ///
    /// A query per version that does not use the version asks the same for both: check for it.
    pub fn placeholders(&self) -> impl Iterator<Item = &str> {
        self.holes.iter().map(|hole| hole.name.as_str())
    }

    /// The query, with a value for every placeholder. Values that are not used are not looked at.
    ///
    /// # Errors
    ///
    /// All placeholders without a value, or with one that may not stand there.
    pub fn fill(&self, values: &[(&str, Fill<'_>)]) -> Result<String, Vec<TemplateProblem>> {
        let mut query = String::new();
        let mut problems = Vec::new();
        let mut done = 0;
        for hole in &self.holes {
            query.push_str(&self.source[done..hole.start]);
            done = hole.end;
            let mut fail = |kind, text: String| {
                let text = format!("`{}`: {text}", hole.name);
                problems.push(TemplateProblem::new(&self.source, hole.start, kind, text));
            };
            let value = values.iter().find(|(name, _)| *name == hole.name);
            match value.map(|(_, fill)| written(hole.place, *fill)) {
                Some(Ok(text)) => query.push_str(&text),
                Some(Err(why)) => fail(TemplateProblemKind::Value, why),
                None => {
                    let known: Vec<&str> = values.iter().map(|(name, _)| *name).collect();
                    let why = format!("there is no such value; there are: {}", known.join(", "));
                    fail(TemplateProblemKind::Unknown, why);
                }
            }
        }
        query.push_str(&self.source[done..]);
        if query.len() > QUERY_BYTES_MAX {
            let why = format!("the filled query is longer than {QUERY_BYTES_MAX} bytes");
            let kind = TemplateProblemKind::Query;
            problems.push(TemplateProblem::new(&self.source, 0, kind, why));
        }
        if problems.is_empty() {
            Ok(query)
        } else {
            Err(problems)
        }
    }
}

/// A template that is being read.
struct Parsing<'t> {
    text: &'t str,
    holes: Vec<Hole>,
    problems: Vec<TemplateProblem>,
}

impl Parsing<'_> {
    fn problem(&mut self, at: usize, kind: TemplateProblemKind, why: impl Into<String>) {
        let problem = TemplateProblem::new(self.text, at, kind, why);
        self.problems.push(problem);
    }

    fn unreadable(&mut self, unreadable: &Unreadable) {
        let kind = if self.text[unreadable.at..].starts_with("{{") {
            TemplateProblemKind::Unclosed
        } else {
            TemplateProblemKind::Query
        };
        self.problem(unreadable.at, kind, unreadable.why);
    }

    fn hole(&mut self, start: usize, end: usize, place: Result<Place, &str>) {
        let name = self.text[start + 2..end - 2].trim();
        let word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        let first = name.bytes().next();
        let named = first.is_some_and(|first| !first.is_ascii_digit()) && name.bytes().all(word);
        match place {
            Err(why) => self.problem(start, TemplateProblemKind::Place, why),
            Ok(_) if !named => {
                let why =
                    "a placeholder's name is made of letters, digits and `_`, as in `{{name}}`";
                self.problem(start, TemplateProblemKind::Name, why);
            }
            Ok(place) => self.holes.push(Hole {
                start,
                end,
                name: name.to_string(),
                place,
            }),
        }
    }

    fn pieces(&mut self, pieces: &[Piece]) {
        for piece in pieces.iter().filter(|piece| piece.kind == Kind::Comment) {
            if let Some(at) = self.text[piece.start..piece.end].find("{{") {
                let why = "a placeholder may not stand in a comment";
                self.problem(piece.start + at, TemplateProblemKind::Place, why);
            }
        }
        let tokens: Vec<&Piece> = pieces.iter().filter(|p| p.kind != Kind::Comment).collect();
        for (index, piece) in tokens.iter().enumerate() {
            match piece.kind {
                Kind::Hole => {
                    let place = duration_place(&tokens, index, self.text);
                    self.hole(piece.start, piece.end, place);
                }
                Kind::Text { quote } => {
                    self.literal(piece, quote, matcher_place(&tokens, index, quote));
                }
                _ => {}
            }
        }
    }

    /// A string literal, with the place that a placeholder in it would have.
    fn literal(&mut self, piece: &Piece, quote: u8, place: Result<Place, &str>) {
        let text = self.text;
        if unquote(&text[piece.start..piece.end], quote).is_none() {
            let why = "this string has an escape that PromQL does not know";
            self.problem(piece.start, TemplateProblemKind::Query, why);
            return;
        }
        let (mut from, mut before) = (piece.start, String::new());
        while let Some(at) = text[from..piece.end].find("{{") {
            let start = from + at;
            before.push_str(&text[from..start]);
            // A placeholder holds no quote, so it ends within the literal.
            from = match hole_end(text, start) {
                Ok(end) => end,
                Err(unreadable) => return self.unreadable(&unreadable),
            };
            let place = match place {
                Ok(Place::Matcher { regex: true, .. }) => {
                    let before = format!("{before}{}", char::from(quote));
                    let before = unquote(&before, quote).unwrap_or_default();
                    regex_place(&before, &text[from..piece.end]).and(place)
                }
                place => place,
            };
            self.hole(start, from, place);
        }
    }
}

/// A string literal is a matcher's if it follows a matching operator within braces.
fn matcher_place(tokens: &[&Piece], index: usize, quote: u8) -> Result<Place, &'static str> {
    let open = tokens[..index]
        .iter()
        .rev()
        .find_map(|token| match token.kind {
            Kind::Sign("{") => Some(true),
            Kind::Sign("}") => Some(false),
            _ => None,
        });
    let operator = index.checked_sub(1).map(|before| tokens[before].kind);
    let regex = match operator {
        Some(Kind::Sign("=" | "!=")) => false,
        Some(Kind::Sign("=~" | "!~")) => true,
        _ => return Err("a placeholder in a string must be the value of a label matcher"),
    };
    if open == Some(true) {
        Ok(Place::Matcher { quote, regex })
    } else {
        Err("a placeholder in a string must be the value of a label matcher")
    }
}

/// A placeholder outside strings is a whole duration in a range or after `offset`.
fn duration_place(tokens: &[&Piece], index: usize, text: &str) -> Result<Place, &'static str> {
    const WHY: &str = "a placeholder may stand in the string of a label matcher, or as a whole \
                       duration in `[…]` or after `offset`";
    let before = index.checked_sub(1).map(|before| tokens[before]);
    let after = tokens.get(index + 1);
    let next = after.map(|token| token.kind);
    let in_range = || {
        let sign = |token: &&Piece| matches!(token.kind, Kind::Sign("[" | "]"));
        let bracket = tokens[..index].iter().rev().find(|token| sign(token));
        bracket.is_some_and(|token| token.kind == Kind::Sign("["))
    };
    let stands = match before.map(|token| token.kind) {
        Some(Kind::Sign("[")) => matches!(next, Some(Kind::Sign("]" | ":"))),
        Some(Kind::Sign(":")) => in_range() && next == Some(Kind::Sign("]")),
        Some(Kind::Word) => {
            let word = before.map_or("", |token| &text[token.start..token.end]);
            let apart = after.is_none_or(|token| token.start > tokens[index].end)
                || matches!(next, Some(Kind::Sign(_)));
            let follows = !matches!(next, Some(Kind::Number | Kind::Hole));
            word.eq_ignore_ascii_case("offset") && apart && follows
        }
        _ => false,
    };
    stands.then_some(Place::Duration).ok_or(WHY)
}

/// The value as it is written at its place.
fn written(place: Place, fill: Fill<'_>) -> Result<String, String> {
    match (place, fill) {
        (Place::Duration, Fill::DurationMs(ms)) if (1..=DURATION_MS_MAX).contains(&ms) => {
            Ok(duration(ms))
        }
        (Place::Duration, Fill::DurationMs(_)) => {
            Err(format!("a duration is from 1 to {DURATION_MS_MAX} ms"))
        }
        (Place::Duration, Fill::Text(_)) => Err("a duration stands here, not a text".to_string()),
        (Place::Matcher { .. }, Fill::DurationMs(_)) => {
            Err("a text stands here, not a duration".to_string())
        }
        (Place::Matcher { quote, regex }, Fill::Text(text)) => {
            if text.is_empty() {
                return Err("an empty text would select series without the label".to_string());
            }
            if text.len() > FILL_BYTES_MAX {
                return Err(format!("the text is longer than {FILL_BYTES_MAX} bytes"));
            }
            let text = if regex {
                Cow::Owned(regex_quoted(text))
            } else {
                Cow::Borrowed(text)
            };
            in_literal(&text, quote)
        }
    }
}
