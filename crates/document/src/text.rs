//! Foreign text inside our own sentences.

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
