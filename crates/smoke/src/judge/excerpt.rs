//! What is shown of a body: little, from the right place, and harmless on a terminal.

/// Replaces control characters, invisible and direction-changing ones by escapes, so that what
/// a server sent can neither move the cursor nor forge a line of the report.
pub(crate) fn visible(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c.is_control() || is_invisible(c) => {
                out.extend(c.escape_unicode());
            }
            c => out.push(c),
        }
    }
    out
}

/// Zero-width, line-separating and bidirectional formatting characters (Unicode `Cf`, `Zl`, `Zp`
/// as far as they change how a line is read) and noncharacters.
fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{fffe}' | '\u{ffff}')
}

/// At most `chars_max` characters from the start.
pub(crate) fn head(text: &str, chars_max: usize) -> String {
    around(text, 0, chars_max)
}

/// The part of `text` nearest to containing `needle`: where its longest prefix stands, else the
/// start. Also says how many bytes of the needle were found there.
pub(crate) fn nearest(text: &str, needle: &str, chars_max: usize) -> (String, usize) {
    // Containing a prefix is monotone in its length, so it can be searched by halves.
    let ends: Vec<usize> = needle
        .char_indices()
        .map(|(at, _)| at)
        .chain([needle.len()])
        .collect();
    let (mut low, mut high) = (0, ends.len().saturating_sub(1));
    while low < high {
        let middle = (low + high).div_ceil(2);
        let contained = ends
            .get(middle)
            .and_then(|&end| needle.get(..end))
            .is_some_and(|p| text.contains(p));
        if contained {
            low = middle;
        } else {
            high = middle - 1;
        }
    }
    let found = ends.get(low).copied().unwrap_or(0);
    // One or two characters are found anywhere and say nothing.
    if low < 3 {
        return (head(text, chars_max), 0);
    }
    let at = needle
        .get(..found)
        .and_then(|prefix| text.find(prefix))
        .unwrap_or(0);
    (around(text, at, chars_max), found)
}

/// At most `chars_max` characters of `text`, as [`visible`] shows them, with a third of them before
/// byte `at`; what is left out is counted.
pub(crate) fn around(text: &str, at: usize, chars_max: usize) -> String {
    let before = text.get(..at).map_or(0, |head| head.chars().count());
    let skip = before.saturating_sub(chars_max / 3);
    let shown: String = text.chars().skip(skip).take(chars_max).collect();
    let left = text.chars().count() - skip - shown.chars().count();
    let mut out = String::new();
    if skip > 0 {
        out.push_str(&format!("[{skip} characters] "));
    }
    out.push_str(&visible(&shown));
    if left > 0 {
        out.push_str(&format!(" [{left} more characters]"));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{head, nearest, visible};

    #[test]
    fn a_terminal_is_safe_from_a_body() {
        assert_eq!(
            visible("a\x1b[2Jb\r\nc\u{202e}d\u{9b}"),
            "a\\u{1b}[2Jb\\r\\nc\\u{202e}d\\u{9b}"
        );
        assert_eq!(visible("grüße 日本"), "grüße 日本");
    }

    #[test]
    fn an_excerpt_is_bounded_and_says_what_is_missing() {
        assert_eq!(head("abcdef", 4), "abcd [2 more characters]");
        assert_eq!(head("äöü", 3), "äöü");
        assert_eq!(head("", 3), "");
    }

    #[test]
    fn the_place_of_the_longest_prefix_is_shown() {
        let body = format!("{}version 1.4.2{}", "x".repeat(100), "y".repeat(100));
        let (text, found) = nearest(&body, "version 1.5.0", 30);
        assert_eq!(found, "version 1.".len());
        assert!(text.contains("version 1.4.2"), "{text}");
        assert!(text.starts_with("[90 characters] "), "{text}");
        let (text, found) = nearest(&body, "missing", 5);
        assert_eq!((text.as_str(), found), ("xxxxx [208 more characters]", 0));
        assert_eq!(nearest("", "", 5), (String::new(), 0));
    }
}
