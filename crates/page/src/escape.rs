//! Escapers, one for each place that a foreign text may land in.
//!
//! Each makes a text harmless and keeps its meaning for exactly one sink; none is good for another.
//! Everywhere, control characters other than tab and line breaks become U+FFFD. Where a sink is one
//! line, line breaks become spaces, so that no value forges a second line.

use alloc::format;
use alloc::string::{String, ToString};

/// Whether a character ends a line in some reader.
fn is_break(character: char) -> bool {
    matches!(
        character,
        '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}'
    )
}

fn is_control(character: char) -> bool {
    character.is_control() && !matches!(character, '\t' | '\n' | '\r')
}

/// On one line: line breaks become one space each (`\r\n` one), control characters U+FFFD.
fn one_line(value: &str) -> String {
    let joined = value.replace("\r\n", "\n");
    let chars = joined.chars().map(|character| match character {
        '\t' => ' ',
        c if is_break(c) => ' ',
        c if is_control(c) => '\u{fffd}',
        c => c,
    });
    chars.collect()
}

/// HTML or SVG text, between tags.
///
/// ```
/// assert_eq!(nonevent_page::escape::text("a < b & c"), "a &lt; b &amp; c");
/// ```
#[must_use]
pub fn text(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    for character in value.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            c if is_control(c) => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

/// The value of an HTML or SVG attribute in double or single quotes. It does not make an address
/// safe: for that, check its scheme.
#[must_use]
pub fn attribute(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    for character in value.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\n' => out.push_str("&#10;"),
            '\r' => out.push_str("&#13;"),
            '\t' => out.push_str("&#9;"),
            c if is_control(c) => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

/// Markdown text (CommonMark and GitHub's extensions) that shows as it is, on one line.
///
/// ```
/// use nonevent_page::escape;
/// assert_eq!(escape::markdown_text("[x] *done*\n# signed"), "\\[x\\] \\*done\\* \\# signed");
/// ```
#[must_use]
pub fn markdown_text(value: &str) -> String {
    escape_markdown(value, "\\|")
}

fn escape_markdown(value: &str, pipe: &str) -> String {
    let line = one_line(value);
    let mut out = String::with_capacity(line.len() + 8);
    // What only means something at the beginning of a line: list items, headings, indented code.
    let line = line.trim();
    let digits = line.len() - line.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    for (at, character) in line.char_indices() {
        let rest = &line[at + character.len_utf8()..];
        let at_start = at == 0 || (digits > 0 && at == digits);
        match character {
            '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '~' | '#' | '$' | '^' => {
                out.push('\\');
                out.push(character);
            }
            '|' => out.push_str(pipe),
            '&' => out.push_str("&amp;"),
            '>' => out.push_str("&gt;"),
            // Links that GitHub makes of bare addresses.
            ':' if rest.starts_with("//") => out.push_str("\\:"),
            '.' if out.ends_with("www") => out.push_str("\\."),
            '+' | '-' | '=' if at == 0 => {
                out.push('\\');
                out.push(character);
            }
            '.' | ')' if at_start => {
                out.push('\\');
                out.push(character);
            }
            other => out.push(other),
        }
    }
    out
}

/// A cell of a Markdown table: as [`markdown_text`], and no `|` ends it.
#[must_use]
pub fn table_cell(value: &str) -> String {
    escape_markdown(value, "&#124;")
}

/// Markdown code within a line, delimiters included; line breaks become spaces.
///
/// ```
/// use nonevent_page::escape;
/// assert_eq!(escape::code_span("a`b"), "``a`b``");
/// assert_eq!(escape::code_span("`"), "`` ` ``");
/// ```
#[must_use]
pub fn code_span(value: &str) -> String {
    let line = one_line(value);
    if line.is_empty() {
        return String::from("` `");
    }
    let fence = "`".repeat(longest_run(&line) + 1);
    let blank = line.chars().all(|c| c == ' ');
    let padded = line.starts_with('`')
        || line.ends_with('`')
        || (line.starts_with(' ') && line.ends_with(' ') && !blank);
    let pad = if padded { " " } else { "" };
    format!("{fence}{pad}{line}{pad}{fence}")
}

/// Code within a cell of a Markdown table, delimiters included. Where a `|` would end the cell even
/// inside code, HTML's `code` is used.
#[must_use]
pub fn table_code(value: &str) -> String {
    if value.contains('|') {
        format!("<code>{}</code>", table_cell(value))
    } else {
        code_span(value)
    }
}

/// A Markdown code block with its fences and a line break at the end. `language` keeps only its
/// letters, digits, `-`, `_` and `+`.
#[must_use]
pub fn code_block(language: &str, value: &str) -> String {
    let fence = "`".repeat((longest_run(value) + 1).max(3));
    let kept = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '+');
    let language: String = language.chars().filter(kept).collect();
    let body = value.replace("\r\n", "\n").replace('\r', "\n");
    let body: String = body
        .chars()
        .map(|c| if is_control(c) { '\u{fffd}' } else { c })
        .collect();
    let body = body.strip_suffix('\n').unwrap_or(&body);
    format!("{fence}{language}\n{body}\n{fence}\n")
}

fn longest_run(value: &str) -> usize {
    value
        .split(|c| c != '`')
        .map(str::len)
        .max()
        .unwrap_or_default()
}

/// One word of a POSIX shell: quoted, unless nothing in it means anything to a shell. NUL, which
/// no argument can hold, becomes U+FFFD.
///
/// ```
/// use nonevent_page::escape;
/// assert_eq!(escape::shell_word("docs/run.md"), "docs/run.md");
/// assert_eq!(escape::shell_word("it's $HOME"), r"'it'\''s $HOME'");
/// assert_eq!(escape::shell_word(""), "''");
/// ```
#[must_use]
pub fn shell_word(value: &str) -> String {
    let plain = |c: char| {
        c.is_ascii_alphanumeric()
            || matches!(c, '_' | '@' | '%' | '+' | ':' | ',' | '.' | '/' | '-')
    };
    if !value.is_empty() && value.chars().all(plain) {
        return value.to_string();
    }
    let quoted = value.replace('\0', "\u{fffd}").replace('\'', r"'\''");
    format!("'{quoted}'")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_and_controls_are_neutralised() {
        assert_eq!(
            text("<b>&\u{0}\u{1b}[31m\n</b>"),
            "&lt;b&gt;&amp;\u{fffd}\u{fffd}[31m\n&lt;/b&gt;"
        );
        assert_eq!(attribute("\"' onload=x\n"), "&quot;&#39; onload=x&#10;");
    }

    #[test]
    fn markdown_values_stay_on_their_line() {
        let cases = [
            ("shop\n- [x] signed off", "shop - \\[x\\] signed off"),
            ("a\u{2028}b\r\nc", "a b c"),
            ("1. one", "1\\. one"),
            ("12) two", "12\\) two"),
            ("1.5 of 2.5", "1\\.5 of 2.5"),
            ("- item", "\\- item"),
            ("a - b", "a - b"),
            ("    code", "code"),
            ("<script>", "\\<script&gt;"),
            ("https://x.test www.x.test", "https\\://x.test www\\.x.test"),
            ("&amp; | a\\|b", "&amp;amp; \\| a\\\\\\|b"),
        ];
        for (value, expected) in cases {
            assert_eq!(markdown_text(value), expected);
        }
        assert_eq!(table_cell("a|b\nc"), "a&#124;b c");
    }

    #[test]
    fn code_keeps_its_fence() {
        assert_eq!(code_span("a``b`c"), "```a``b`c```");
        assert_eq!(code_span(" a "), "`  a  `");
        assert_eq!(code_span("a\nb"), "`a b`");
        assert_eq!(code_span(""), "` `");
        assert_eq!(table_code("a|b`"), "<code>a&#124;b\\`</code>");
        assert_eq!(
            code_block("sh;rm", "x\n```\ny\n"),
            "````shrm\nx\n```\ny\n````\n"
        );
    }
}
