//! The known name that a misspelt one probably means.

use alloc::string::String;
use alloc::vec::Vec;

/// Longer names are not compared: no field's name is that long.
const LENGTH_MAX: usize = 64;

/// The nearest of `known`, if it is near enough to be a likely slip: the same but for case and
/// separators, or at most a third of the letters edited.
pub(super) fn nearest<'k>(name: &str, known: &[&'k str]) -> Option<&'k str> {
    if name.len() > LENGTH_MAX {
        return None;
    }
    let folded = fold(name);
    let scored = known.iter().map(|candidate| {
        let distance = distance(&folded, &fold(candidate));
        (distance, *candidate)
    });
    let (distance, candidate) = scored.min_by_key(|(distance, _)| *distance)?;
    let allowed = (folded.len().max(2) + 1) / 3;
    (distance <= allowed).then_some(candidate)
}

fn fold(name: &str) -> Vec<char> {
    let kept = name.chars().filter(|c| !matches!(c, '_' | '-' | ' '));
    kept.flat_map(char::to_lowercase).collect()
}

/// Edits between two words: insert, delete, replace, swap two neighbours (optimal string
/// alignment distance).
fn distance(a: &[char], b: &[char]) -> usize {
    let mut before_last: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut row = alloc::vec![i + 1];
        for (j, y) in b.iter().enumerate() {
            let replaced = last[j] + usize::from(x != y);
            let mut best = replaced.min(last[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && *x == b[j - 1] && a[i - 1] == *y {
                best = best.min(before_last[j - 1] + 1);
            }
            row.push(best);
        }
        before_last = core::mem::replace(&mut last, row);
    }
    last[b.len()]
}

/// What to do about a name that is not among the `known`: "did you mean `x`?" if one of them is
/// near, else what is known (at most 16 of them), or that nothing is.
///
/// ```
/// use nonevent_document::name_advice;
/// assert_eq!(name_advice("stagnig", &["staging", "production"]), "did you mean `staging`?");
/// assert_eq!(name_advice("live", &["staging"]), "known here: `staging`");
/// ```
#[must_use]
pub fn advice(name: &str, known: &[&str]) -> String {
    if let Some(nearest) = nearest(name, known) {
        return alloc::format!("did you mean `{nearest}`?");
    }
    if known.is_empty() {
        return String::from("remove it; nothing can stand here");
    }
    let listed: Vec<String> = known
        .iter()
        .take(16)
        .map(|name| alloc::format!("`{name}`"))
        .collect();
    let more = if known.len() > listed.len() {
        ", …"
    } else {
        ""
    };
    alloc::format!("known here: {}{more}", listed.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_recognised_and_strangers_are_not() {
        let known = ["steps", "max_surge", "pause", "on"];
        let cases = [
            ("step", Some("steps")),
            ("setps", Some("steps")),
            ("maxSurge", Some("max_surge")),
            ("max-surge", Some("max_surge")),
            ("puase", Some("pause")),
            ("no", Some("on")),
            ("replicas", None),
            ("", None),
        ];
        for (name, expected) in cases {
            assert_eq!(nearest(name, &known), expected, "{name}");
        }
    }
}
