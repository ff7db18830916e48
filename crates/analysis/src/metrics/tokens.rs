//! `PromQL` as tokens: enough to know where in a query a text may be put.

use alloc::string::String;
use alloc::vec::Vec;

/// A token of a query.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum QueryToken {
    /// A metric, label, function or keyword.
    Word(String),
    /// A number or a duration, as written.
    Number(String),
    /// A string literal, by the text that it stands for.
    Text(String),
    /// An operator or a bracket.
    Sign(&'static str),
}

/// Why a query is not made of tokens, and at which byte.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Unreadable {
    pub(crate) at: usize,
    pub(crate) why: &'static str,
}

/// The tokens of a query, comments and spaces left out; `None` if it is not made of tokens.
///
/// Two queries with the same tokens mean the same. It is here so that a test of yours can show
/// that a filled query is the one you meant.
///
/// ```
/// use nonevent_analysis::metrics::{QueryToken, query_tokens};
/// let tokens = query_tokens(r#"up{job="a\"b"} # comment"#).expect("a query");
/// assert_eq!(tokens[4], QueryToken::Text("a\"b".into()));
/// assert_eq!(query_tokens(r#"up{job="a"#), None);
/// ```
#[must_use]
pub fn query_tokens(query: &str) -> Option<Vec<QueryToken>> {
    let pieces = pieces(query, false).ok()?;
    let mut tokens = Vec::new();
    for piece in pieces {
        let text = query.get(piece.start..piece.end)?;
        tokens.push(match piece.kind {
            Kind::Word => QueryToken::Word(text.into()),
            Kind::Number => QueryToken::Number(text.into()),
            Kind::Text { quote } => QueryToken::Text(unquote(text, quote)?),
            Kind::Sign(sign) => QueryToken::Sign(sign),
            Kind::Comment => continue,
            Kind::Hole => return None,
        });
    }
    Some(tokens)
}

/// A piece of the text, from byte to byte.
#[derive(Clone, Debug)]
pub(crate) struct Piece {
    pub(crate) kind: Kind,
    pub(crate) start: usize,
    pub(crate) end: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Word,
    Number,
    Text {
        quote: u8,
    },
    Sign(&'static str),
    Comment,
    /// `{{…}}` outside a string and a comment.
    Hole,
}

/// Longest first, so that `=~` is not read as `=`.
const SIGNS: [&str; 24] = [
    "==", "!=", "=~", "!~", ">=", "<=", "=", ">", "<", "+", "-", "*", "/", "%", "^", "(", ")", "{",
    "}", "[", "]", ",", ":", "@",
];

/// Cuts a query into pieces. With `holes`, `{{` opens a placeholder (in `PromQL` itself two
/// braces never stand together outside a string).
pub(crate) fn pieces(query: &str, holes: bool) -> Result<Vec<Piece>, Unreadable> {
    let bytes = query.as_bytes();
    let mut found = Vec::new();
    let (mut at, mut in_range) = (0, false);
    while let Some(&byte) = bytes.get(at) {
        let start = at;
        let kind = match byte {
            b' ' | b'\t' | b'\n' | b'\r' => {
                at += 1;
                continue;
            }
            b'#' => {
                at += count(&bytes[at..], |b| b != b'\n');
                Kind::Comment
            }
            b'"' | b'\'' | b'`' => {
                at = string_end(bytes, at)?;
                Kind::Text { quote: byte }
            }
            b'{' if holes && bytes.get(at + 1) == Some(&b'{') => {
                at = hole_end(query, at)?;
                Kind::Hole
            }
            b'0'..=b'9' | b'.' => {
                at = number_end(bytes, at);
                Kind::Number
            }
            // In a range, a colon parts the range from the resolution.
            b'a'..=b'z' | b'A'..=b'Z' | b'_' => {
                at += count(&bytes[at..], |b| is_word(b) || b == b':' && !in_range);
                Kind::Word
            }
            b':' if !in_range && bytes.get(at + 1).copied().is_some_and(is_word) => {
                at += count(&bytes[at..], |b| is_word(b) || b == b':');
                Kind::Word
            }
            _ => {
                let sign = SIGNS.iter().find(|s| bytes[at..].starts_with(s.as_bytes()));
                let why = "this character does not occur in PromQL outside a string";
                let sign = *sign.ok_or(Unreadable { at, why })?;
                at += sign.len();
                in_range = sign == "[" || in_range && sign != "]";
                Kind::Sign(sign)
            }
        };
        found.push(Piece {
            kind,
            start,
            end: at,
        });
    }
    Ok(found)
}

fn count(bytes: &[u8], belongs: impl Fn(u8) -> bool) -> usize {
    bytes.iter().take_while(|byte| belongs(**byte)).count()
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// Numbers and durations: `5m`, `0x1f`, `.5`, `1e-3`, `1h30m`.
fn number_end(bytes: &[u8], start: usize) -> usize {
    let mut at = start + count(&bytes[start..], |b| is_word(b) || b == b'.');
    let hexadecimal = bytes[start..].starts_with(b"0x") || bytes[start..].starts_with(b"0X");
    let exponent = matches!(bytes[at - 1], b'e' | b'E') && !hexadecimal;
    if exponent && matches!(bytes.get(at), Some(b'+' | b'-')) {
        at += 1 + count(&bytes[at + 1..], |b| b.is_ascii_digit());
    }
    at
}

fn string_end(bytes: &[u8], start: usize) -> Result<usize, Unreadable> {
    let quote = bytes[start];
    let mut at = start + 1;
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'\\' if quote != b'`' => at += 2,
            b'\n' if quote != b'`' => break,
            _ if byte == quote => return Ok(at + 1),
            _ => at += 1,
        }
    }
    let why = "this string is not closed";
    Err(Unreadable { at: start, why })
}

/// The byte after the `}}` of a placeholder that opens at `start`.
pub(crate) fn hole_end(query: &str, start: usize) -> Result<usize, Unreadable> {
    let why = "this placeholder is not closed; it is written `{{name}}`";
    let inside = query.get(start + 2..).unwrap_or_default();
    let length = inside.bytes().take_while(|b| !b"{}\n\"'`".contains(b));
    let end = start + 2 + length.count();
    let closed = query.get(end..).is_some_and(|rest| rest.starts_with("}}"));
    closed
        .then_some(end + 2)
        .ok_or(Unreadable { at: start, why })
}

/// The text that a literal, with its quotes, stands for (Prometheus' `strutil.Unquote`); escapes
/// that would not be text are refused.
pub(crate) fn unquote(literal: &str, quote: u8) -> Option<String> {
    let inside = literal.get(1..literal.len().checked_sub(1)?)?;
    if quote == b'`' {
        return Some(inside.into());
    }
    let mut bytes = Vec::new();
    let mut rest = inside.chars();
    while let Some(character) = rest.next() {
        if character != '\\' {
            push(&mut bytes, character);
            continue;
        }
        let escaped = rest.next()?;
        let mut number = |digits: usize, radix: u32, first: Option<char>| {
            let mut digits_of = first.into_iter().chain(rest.by_ref().take(digits));
            let wanted = digits + usize::from(first.is_some());
            (0..wanted).try_fold(0u32, |sum, _| {
                let digit = digits_of.next()?.to_digit(radix)?;
                Some(sum.checked_mul(radix)? + digit)
            })
        };
        match escaped {
            'a' => bytes.push(7),
            'b' => bytes.push(8),
            'f' => bytes.push(12),
            'n' => bytes.push(b'\n'),
            'r' => bytes.push(b'\r'),
            't' => bytes.push(b'\t'),
            'v' => bytes.push(11),
            '\\' => bytes.push(b'\\'),
            'x' => bytes.push(u8::try_from(number(2, 16, None)?).ok()?),
            'u' => push(&mut bytes, char::from_u32(number(4, 16, None)?)?),
            'U' => push(&mut bytes, char::from_u32(number(8, 16, None)?)?),
            '0'..='7' => bytes.push(u8::try_from(number(2, 8, Some(escaped))?).ok()?),
            _ if escaped == char::from(quote) => bytes.push(quote),
            _ => return None,
        }
    }
    String::from_utf8(bytes).ok()
}

fn push(bytes: &mut Vec<u8>, character: char) {
    let mut buffer = [0; 4];
    bytes.extend_from_slice(character.encode_utf8(&mut buffer).as_bytes());
}
