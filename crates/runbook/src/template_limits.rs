//! What a template may not be: too large, too deep, or able to include itself. The engine walks
//! templates by recursion, so depth is refused before it is asked.

use alloc::format;
use alloc::string::String;

/// The longest template, in bytes.
const BYTES_MAX: usize = 256 * 1024;
/// Blocks within blocks; an `else` counts as one more.
const DEPTH_MAX: usize = 32;
/// Parentheses within parentheses in one tag.
const PARENTHESES_MAX: usize = 8;

/// Why the template is refused, with the line.
pub(crate) fn refuse(name: &str, source: &str) -> Option<(usize, String)> {
    if source.len() > BYTES_MAX {
        let text = format!(
            "it has {} bytes; at most {BYTES_MAX} are read",
            source.len()
        );
        return Some((1, text));
    }
    // Blocks that are open, and how many branches each has had.
    let mut depth = 0usize;
    let mut rest = source;
    while let Some(start) = rest.find("{{") {
        let line = source[..source.len() - rest.len() + start]
            .matches('\n')
            .count()
            + 1;
        let tag = &rest[start + 2..];
        let inside = tag.trim_start_matches(['{', '~']).trim_start();
        let content = inside.split("}}").next().unwrap_or(inside);
        if let Some(text) = refuse_tag(name, content) {
            return Some((line, text));
        }
        if content.starts_with(['#', '^']) || content.starts_with("else") {
            depth += 1;
        }
        if content.starts_with('/') {
            depth = depth.saturating_sub(1);
        }
        if depth > DEPTH_MAX {
            return Some((
                line,
                format!("its blocks are nested more than {DEPTH_MAX} deep"),
            ));
        }
        rest = tag;
    }
    None
}

fn refuse_tag(name: &str, content: &str) -> Option<String> {
    let word = content.trim_start_matches(['#', '~']).trim_start();
    if word.starts_with('*') {
        return Some(String::from("templates define no partials of their own"));
    }
    if word.starts_with('>') && (name != "page" || content.starts_with('#')) {
        return Some(String::from(
            "only `page` includes other templates, as {{> name}}; a section stands alone",
        ));
    }
    let mut open = 0usize;
    for byte in content.bytes() {
        match byte {
            b'(' => open += 1,
            b')' => open = open.saturating_sub(1),
            _ => {}
        }
        if open > PARENTHESES_MAX {
            return Some(format!(
                "parentheses are nested more than {PARENTHESES_MAX} deep"
            ));
        }
    }
    None
}
