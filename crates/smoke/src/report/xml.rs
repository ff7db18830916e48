//! Foreign text in XML 1.0.

use crate::judge::excerpt::visible;

/// An attribute of the schema's type `token`: one line, and never empty.
pub(crate) fn token(text: &str, fallback: &str) -> String {
    let text = visible(text.trim());
    escape(if text.is_empty() { fallback } else { &text })
}

/// Text between tags, where lines may stay lines.
pub(crate) fn content(text: &str) -> String {
    escape(text).replace("&#10;", "\n").replace("&#9;", "\t")
}

/// Text for XML 1.0, in an attribute or between tags. Characters that XML cannot hold, even as references,
/// are written as the escapes that the rest of a report uses.
pub(crate) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            // As they are, a parser would turn them into spaces in an attribute.
            '\n' => out.push_str("&#10;"),
            '\t' => out.push_str("&#9;"),
            '\r' => out.push_str("&#13;"),
            c if is_xml(c) => out.push(c),
            c => out.extend(c.escape_unicode()),
        }
    }
    out
}

/// `Char` of XML 1.0 (fifth edition, section 2.2), without the discouraged controls.
fn is_xml(c: char) -> bool {
    !c.is_control() && !matches!(c, '\u{fffe}' | '\u{ffff}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, prop_assert_eq, proptest};

    use super::{content, escape, token};

    proptest! {
        #[test]
        fn an_xml_parser_reads_back_what_was_escaped(text in any::<String>()) {
            let xml = format!("<a b=\"{}\">{}</a>", escape(&text), content(&text));
            let document = roxmltree::Document::parse(&xml).expect("well-formed");
            let shown: String = text
                .chars()
                .map(|c| match c {
                    '\n' | '\t' | '\r' => c.to_string(),
                    c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => {
                        c.escape_unicode().to_string()
                    }
                    c => c.to_string(),
                })
                .collect();
            let element = document.root_element();
            prop_assert_eq!(element.attribute("b"), Some(shown.as_str()));
            prop_assert_eq!(element.text().unwrap_or_default(), shown.as_str());
        }
    }

    #[test]
    fn a_token_is_one_line_and_not_empty() {
        assert_eq!(token(" a\nb ", "x"), "a\\nb");
        assert_eq!(token("  ", "x"), "x");
    }
}
