//! Values made harmless for the place in a Markdown page where they land.
//!
//! Each function's result stays on its line and inside its place, whatever the value is: it opens
//! no block, closes none, starts no task, table cell, link or HTML, and is shown as it was given
//! but for what no page can show (control characters appear as their pictures).
//! Sources: CommonMark 0.31.2; GitHub Flavored Markdown 0.29, its tables, task lists and extended
//! autolinks.

use alloc::string::String;
use core::fmt::Write as _;

/// What an empty value is shown as.
pub(crate) const EMPTY: &str = "(empty)";

/// Code spans with a longer run of backticks inside than this are written as plain text;
/// renderers have limits of their own on such runs.
const BACKTICKS_MAX: usize = 7;

/// One line without characters that steer: line breaks, tabs and other control characters become
/// their pictures (`␊`), characters that change the direction or the place of others become `�`.
pub(crate) fn one_line(value: &str) -> String {
    // Most values are plain words.
    if value.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        return String::from(value);
    }
    value
        .chars()
        .map(|c| match c {
            '\0'..='\x1f' => char::from_u32(0x2400 + c as u32).unwrap_or('\u{fffd}'),
            '\x7f' => '\u{2421}',
            '\u{80}'..='\u{9f}'
            | '\u{61c}'
            | '\u{200b}'
            | '\u{200e}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{feff}' => '\u{fffd}',
            // Every other space: some parsers trim them, some do not.
            c if c.is_whitespace() => ' ',
            c => c,
        })
        .collect()
}

/// For a place in running text, a heading, an item or a table cell.
pub(crate) fn text(value: &str) -> String {
    let line = one_line(value);
    let trimmed = line.trim();
    if trimmed.is_empty() {
        return String::from(EMPTY);
    }
    escaped(trimmed, true)
}

/// Whether nothing in a line that has begun means anything to a renderer.
fn is_harmless(line: &str) -> bool {
    let harmless = |byte: u8| byte.is_ascii_alphanumeric() || b" .:,;()%'\"!?/+=-".contains(&byte);
    line.bytes().all(harmless) && !line.contains("://") && !has_www(line)
}

/// Whether what some renderers make a link of stands in it, in any case.
fn has_www(line: &str) -> bool {
    let bytes = line.as_bytes();
    bytes.windows(4).any(|at| at.eq_ignore_ascii_case(b"www."))
}

/// `starts` says that a line may begin here, so that what begins a block there is escaped too.
fn escaped(line: &str, starts: bool) -> String {
    if is_harmless(line) && (!starts || begins_with_a_letter(line)) {
        return String::from(line);
    }
    let mut out = String::with_capacity(line.len() + 8);
    let body = line.trim_start();
    out.push_str(&line[..line.len() - body.len()]);
    // A number at the start begins a list only with a full stop or a parenthesis behind it.
    let digits = body.bytes().take_while(u8::is_ascii_digit).count();
    for (at, c) in body.char_indices() {
        let rest = &body[at + c.len_utf8()..];
        let escape = match c {
            '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '&' | '~' | '#' | '$' | '{' | '}' => {
                true
            }
            // Begins an item, an underline or a table's rule.
            '-' | '+' | '=' | ':' if starts && at == 0 => true,
            '.' | ')'
                if starts && at == digits && !rest.starts_with(|c: char| c.is_ascii_digit()) =>
            {
                true
            }
            // Would be made a link by itself.
            ':' => rest.starts_with("//"),
            '.' => {
                let before = &body[..at];
                before.len() >= 3
                    && before.is_char_boundary(at - 3)
                    && before[at - 3..].eq_ignore_ascii_case("www")
            }
            _ => false,
        };
        match c {
            // Cells are parted before anything else is read, so only an entity is safe.
            '|' => out.push_str("&#124;"),
            _ => {
                if escape {
                    out.push('\\');
                }
                out.push(c);
            }
        }
    }
    out
}

/// For an identifier: a code span, or plain text where a code span could not hold it.
pub(crate) fn code(value: &str) -> String {
    let line = one_line(value);
    let run = longest_run(&line, '`');
    if line.trim().is_empty() || line.contains('|') || run > BACKTICKS_MAX {
        return text(value);
    }
    let mut out = String::with_capacity(line.len() + 4);
    let fence = |out: &mut String| (0..=run).for_each(|_| out.push('`'));
    // One space is taken off both ends of a span that has them.
    let padded = line.starts_with(['`', ' ']) || line.ends_with(['`', ' ']);
    fence(&mut out);
    if padded {
        out.push(' ');
    }
    out.push_str(&line);
    if padded {
        out.push(' ');
    }
    fence(&mut out);
    out
}

/// A whole fenced code block, at the left margin, without the line break after it.
///
/// Line breaks in `value` are kept, other control characters are shown as pictures.
pub(crate) fn fence(value: &str, info: &str) -> String {
    let marks = longest_run(value, '`').max(2) + 1;
    let mut out = String::with_capacity(value.len() + 2 * marks + 8);
    (0..marks).for_each(|_| out.push('`'));
    out.extend(info.chars().filter(char::is_ascii_alphanumeric));
    out.push('\n');
    for line in value.lines() {
        out.push_str(&one_line(line));
        out.push('\n');
    }
    (0..marks).for_each(|_| out.push('`'));
    out
}

/// The anchor of an item: an HTML comment that names its id. An id that is no [`id_word`] is made
/// one first.
pub(crate) fn anchor(id: &str) -> String {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "._/%-".contains(c);
    let is_word = !id.is_empty() && id.chars().all(allowed) && !id.contains("--");
    if is_word && !id.starts_with('-') {
        alloc::format!("<!-- id: {id} -->")
    } else {
        alloc::format!("<!-- id: {} -->", id_word(id))
    }
}

/// A name as one part of an id: everything but letters, digits, `.`, `_` and single hyphens written
/// as `%XX`, so that it cannot end the comment it stands in; names that differ stay different.
pub(crate) fn id_word(id: &str) -> String {
    let mut out = String::with_capacity(id.len());
    for byte in id.bytes() {
        match byte {
            b'-' if !out.ends_with('-') && !out.is_empty() => out.push('-'),
            b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' | b'.' | b'_' => {
                out.push(char::from(byte));
            }
            _ => write!(out, "%{byte:02X}").expect("a String takes all that is written to it"),
        }
    }
    out
}

/// What a text shows that [`text`] wrote: without backslashes, with the bar.
pub(crate) fn plain(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    let mut rest = value;
    while let Some(c) = rest.chars().next() {
        let after = &rest[c.len_utf8()..];
        let escapes = c == '\\' && after.starts_with(|c: char| c.is_ascii_punctuation());
        if let Some(after) = rest.strip_prefix("&#124;") {
            out.push('|');
            rest = after;
        } else if let Some(escaped) = after.chars().next().filter(|_| escapes) {
            out.push(escaped);
            rest = &after[escaped.len_utf8()..];
        } else {
            out.push(c);
            rest = after;
        }
    }
    out
}

/// One run of a [`crate::Text`], the first one or a later one, put behind others; prose keeps the
/// spaces at its ends.
pub(crate) fn push_run(out: &mut String, value: &str, is_code: bool, first: bool) {
    // Most runs mean nothing to a renderer, and are copied.
    match is_code {
        true if is_plain_code(value) => {
            out.push('`');
            out.push_str(value);
            out.push('`');
        }
        true => out.push_str(&code(value)),
        false if is_harmless(value) && (!first || begins_with_a_letter(value)) => {
            out.push_str(value);
        }
        false => out.push_str(&escaped(&one_line(value), first)),
    }
}

/// Whether a code span holds it as it is.
fn is_plain_code(value: &str) -> bool {
    let bytes = value.as_bytes();
    let shows = |byte: &u8| matches!(byte, b'!'..=b'~') && !matches!(byte, b'`' | b'|');
    !bytes.is_empty() && bytes.iter().all(shows)
}

fn begins_with_a_letter(value: &str) -> bool {
    value.starts_with(|c: char| c.is_ascii_alphabetic())
}

fn longest_run(text: &str, of: char) -> usize {
    let mut longest = 0;
    let mut run = 0;
    for c in text.chars() {
        run = if c == of { run + 1 } else { 0 };
        longest = longest.max(run);
    }
    longest
}

#[cfg(test)]
mod tests {
    use alloc::string::String;

    use super::{anchor, code, fence, id_word, one_line, push_run, text};

    #[test]
    fn text_shows_as_it_is_and_opens_nothing() {
        let cases = [
            ("1.5.0", "1.5.0"),
            ("checkout-v2 (blue)", "checkout-v2 (blue)"),
            ("<service>", "\\<service\\>"),
            ("a\n- [x] done", "a␊- \\[x\\] done"),
            ("# a | b", "\\# a &#124; b"),
            ("- a", "\\- a"),
            ("1. a", "1\\. a"),
            ("7", "7"),
            ("7)", "7\\)"),
            (" \u{a0} indented ", "indented"),
            (
                "see http://x.test, www.x.test",
                "see http\\://x.test, www\\.x.test",
            ),
            (
                "*a* _b_ `c` ~d~ $e$",
                "\\*a\\* \\_b\\_ \\`c\\` \\~d\\~ \\$e\\$",
            ),
            ("&lt;\\", "\\&lt;\\\\"),
            ("", "(empty)"),
            ("\u{202e}exe", "�exe"),
        ];
        for (value, expected) in cases {
            assert_eq!(text(value), expected, "{value:?}");
        }
        // Behind other text, what begins a block begins none.
        let mut run = String::from("a");
        push_run(&mut run, ". Then - 1. ", false, false);
        assert_eq!(run, "a. Then - 1. ");
    }

    #[test]
    fn code_is_a_span_where_a_span_can_hold_it() {
        let cases = [
            ("1.5.0", "`1.5.0`"),
            ("<release>", "`<release>`"),
            ("a`b", "``a`b``"),
            ("`", "`` ` ``"),
            (" a", "`  a `"),
            ("a|b", "a&#124;b"),
            ("a\nb", "`a␊b`"),
            ("", "(empty)"),
            ("````````", "\\`\\`\\`\\`\\`\\`\\`\\`"),
        ];
        for (value, expected) in cases {
            assert_eq!(code(value), expected, "{value:?}");
        }
    }

    #[test]
    fn a_fence_is_longer_than_any_in_it() {
        assert_eq!(fence("a\r\nb\u{7}", "text"), "```text\na\nb␇\n```");
        assert_eq!(fence("```\n````", "t`\n"), "`````t\n```\n````\n`````");
    }

    #[test]
    fn ids_cannot_leave_their_comment_nor_meet() {
        assert_eq!(
            anchor("step/traffic-25/do"),
            "<!-- id: step/traffic-25/do -->"
        );
        assert_eq!(anchor("x --> y"), "<!-- id: x%20-%2D%3E%20y -->");
        assert_eq!(id_word("a/b"), "a%2Fb");
        let names = ["a--b", "a-b", "a%2D-b", "a-%2Db", "-", "", "--", "é"];
        let words: alloc::collections::BTreeSet<String> =
            names.iter().map(|name| id_word(name)).collect();
        assert_eq!(words.len(), names.len(), "{words:?}");
        assert!(words.iter().all(|word| !word.contains("--")));
        assert_eq!(one_line("a\tb\u{3000}c"), "a␉b c");
    }
}
