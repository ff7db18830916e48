//! Blanks: words in angle brackets that somebody has to fill in.

use alloc::collections::BTreeSet;
use alloc::string::String;
use core::ops::Range;

use crate::runbook::Runbook;
use crate::text::{Piece, Text};

/// The longest blank, in bytes; anything longer is prose.
const BYTES_MAX: usize = 80;

/// Whether the whole value is a blank: `<service>`.
pub(crate) fn is_blank(value: &str) -> bool {
    value
        .strip_prefix('<')
        .and_then(|rest| rest.strip_suffix('>'))
        .is_some_and(is_name)
}

fn is_name(name: &str) -> bool {
    name.len() <= BYTES_MAX
        && name.starts_with(char::is_alphabetic)
        && !name.ends_with(' ')
        && name
            .chars()
            .all(|c| c.is_alphanumeric() || " ,.'/_()-".contains(c))
}

/// Every blank in running text.
pub(crate) fn in_text(text: &str) -> impl Iterator<Item = Range<usize>> {
    text.match_indices('<').filter_map(|(start, _)| {
        let ahead = text.as_bytes()[start..].iter().take(BYTES_MAX + 2);
        let end = start + ahead.into_iter().position(|byte| *byte == b'>')? + 1;
        is_blank(&text[start..end]).then_some(start..end)
    })
}

/// The blanks that the plan itself has, wherever its runbook shows them.
pub(crate) fn known_blanks(runbook: &Runbook) -> BTreeSet<String> {
    let mut blanks = BTreeSet::new();
    let mut take = |text: &Text| {
        for piece in text.pieces() {
            match piece {
                Piece::Code(value) if is_blank(value) => {
                    blanks.insert(value.clone());
                }
                Piece::Code(_) => {}
                Piece::Plain(prose) => {
                    blanks.extend(in_text(prose).map(|range| String::from(&prose[range])));
                }
            }
        }
    };
    runbook
        .header
        .facts
        .iter()
        .for_each(|fact| take(&fact.value));
    let listed = runbook.checklist.iter().chain(&runbook.contacts);
    listed.for_each(|item| take(&item.text));
    runbook
        .messages
        .iter()
        .flat_map(|message| &message.lines)
        .for_each(&mut take);
    blanks
}
