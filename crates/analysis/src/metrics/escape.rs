//! Texts written so that they stand for themselves: in string literals and regular expressions.

use alloc::format;
use alloc::string::{String, ToString};

use super::body::quoted;

/// Whether a text that is put between `before` and `after` stands for itself in a regular
/// expression: not in a class, a repetition, a group's flags or an escape, and not repeated.
/// `before` is without the placeholders in it: their braces are not the expression's.
pub(super) fn regex_place(before: &str, after: &str) -> Result<(), &'static str> {
    let mut rest = before.chars().peekable();
    let (mut class, mut braces, mut flags) = (false, false, false);
    while let Some(character) = rest.next() {
        match character {
            '\\' => match rest.next() {
                None | Some('Q' | 'x' | 'p' | 'P' | '0'..='9') => {
                    return Err(
                        "a placeholder may not follow `\\`, `\\Q`, `\\x` or `\\p` in a regular \
                                expression",
                    );
                }
                Some(_) => {}
            },
            '[' if !class => {
                class = true;
                // `]` right after the opening stands for itself.
                let _ = rest.next_if_eq(&'^');
                let _ = rest.next_if_eq(&']');
            }
            // `[:alpha:]` within a class ends at its own bracket.
            '[' if rest.next_if_eq(&':').is_some() => {
                while rest.next().is_some_and(|named| named != ']') {}
            }
            ']' => class = false,
            '{' if !class => braces = true,
            '}' => braces = false,
            '(' if !class => flags = rest.next_if_eq(&'?').is_some(),
            ')' | ':' | '>' => flags = false,
            _ => {}
        }
    }
    let repeated =
        after.starts_with(['*', '+', '?']) || after.starts_with('{') && !after.starts_with("{{");
    if class || braces || flags {
        Err("a placeholder may not stand in the `[…]`, `{…}` or `(?…` of a regular expression")
    } else if repeated {
        Err("a repeated placeholder would repeat its last character only; put it in `(?:…)`")
    } else {
        Ok(())
    }
}

/// A text as a regular expression that matches it only (RE2's `QuoteMeta`).
pub(super) fn regex_quoted(text: &str) -> String {
    let mut out = String::new();
    for character in text.chars() {
        if r"\.+*?()|[]{}^$".contains(character) {
            out.push('\\');
        }
        out.push(character);
    }
    out
}

pub(super) fn in_literal(text: &str, quote: u8) -> Result<String, String> {
    let quote = char::from(quote);
    if quote == '`' {
        return if text.contains('`') {
            Err(format!(
                "\"{}\" holds a backtick, which cannot be written between backticks; use \"…\" in \
                 the template",
                quoted(text)
            ))
        } else {
            Ok(text.to_string())
        };
    }
    let mut out = String::new();
    for character in text.chars() {
        match character {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            _ if character == quote => {
                out.push('\\');
                out.push(character);
            }
            _ if character.is_ascii_control() => {
                out.push_str(&format!("\\x{:02x}", u32::from(character)));
            }
            _ => out.push(character),
        }
    }
    Ok(out)
}
