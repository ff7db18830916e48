//! A text as words, so that what moves in it can be told from what stays.

use std::sync::LazyLock;

use regex::Regex;

use crate::differential::moment;

/// Moments, which are one word whatever is in them, then words with what joins their parts, then
/// everything else, one character each. Blanks are one word however many they are.
static WORDS: LazyLock<Regex> = LazyLock::new(|| {
    let moment = moment::within();
    Regex::new(&format!(
        r"{moment}|[0-9A-Fa-f]{{8}}-(?:[0-9A-Fa-f]{{4}}-){{3}}[0-9A-Fa-f]{{12}}|[\p{{L}}\p{{N}}_+%@~/-]+(?:[.:]+[\p{{L}}\p{{N}}_+%@~/-]+)*|[ \t\r]+|(?s:.)",
    ))
    .expect("the pattern is right, as the tests show")
});

/// The words of a text, in their order; together they are the text.
pub(super) fn words(text: &str) -> impl Iterator<Item = &str> {
    WORDS.find_iter(text).map(|found| found.as_str())
}

/// The parts of a word: letters with digits, and what joins them, one character each.
static PARTS: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"[0-9A-Fa-f]{8}-(?:[0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}|[\p{L}\p{N}]+|(?s:.)")
        .expect("the pattern is right, as the tests show")
});

/// The parts of a word, in their order; together they are the word.
pub(super) fn parts(word: &str) -> impl Iterator<Item = &str> {
    PARTS.find_iter(word).map(|found| found.as_str())
}
