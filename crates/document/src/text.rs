//! Foreign text as our own sentences and places take it.

/// At most this many characters of a document's text are repeated in a message.
const SHOWN_MAX: usize = 60;

/// The beginning of `text`, up to its first line break.
pub(crate) fn shown(text: &str) -> &str {
    let line = text.lines().next().unwrap_or_default();
    match line.char_indices().nth(SHOWN_MAX) {
        None => line,
        Some((end, _)) => &line[..end],
    }
}

/// The text without a byte order mark: the one that places refer to.
pub(crate) fn unmarked(text: &str) -> &str {
    text.strip_prefix('\u{feff}').unwrap_or(text)
}
