//! From a flag's key to its place, in one probe on average.

use alloc::boxed::Box;
use alloc::vec;

/// An open-addressed table of places, built once.
///
/// Written here rather than taken from a library because it must be the same in every process:
/// no random seed. A file whose keys were chosen to collide gets another seed.
#[derive(Debug, Clone, Default)]
pub(crate) struct KeyIndex {
    /// Place plus one; 0 is free. The length is a power of two, at least twice the keys.
    slots: Box<[u32]>,
    seed: u64,
}

/// With a longer run of taken slots, another seed is tried.
const RUN_MAX: usize = 24;
const SEEDS: u64 = 16;

impl KeyIndex {
    /// An index over keys that are all different. Keys beyond `u32::MAX` are not found.
    pub(crate) fn new<'k>(keys: &(impl Iterator<Item = &'k str> + Clone)) -> Self {
        let count = keys.clone().count();
        let len = (count * 2).next_power_of_two().max(2);
        let mut best: Option<(usize, Self)> = None;
        for seed in 0..SEEDS {
            let mut index = Self {
                slots: vec![0; len].into_boxed_slice(),
                seed,
            };
            let run = index.fill(keys.clone());
            if best.as_ref().is_none_or(|(shortest, _)| run < *shortest) {
                best = Some((run, index));
            }
            if run <= RUN_MAX {
                break;
            }
        }
        best.map(|(_, index)| index).unwrap_or_default()
    }

    /// Places all keys; returns the longest run that was walked.
    fn fill<'k>(&mut self, keys: impl Iterator<Item = &'k str>) -> usize {
        let mut longest = 0;
        for (place, key) in keys.enumerate() {
            let Ok(stored) = u32::try_from(place + 1) else {
                break;
            };
            let (mut slot, mut run) = (self.start(key), 0);
            while self.slots[slot] != 0 {
                slot = (slot + 1) & (self.slots.len() - 1);
                run += 1;
            }
            self.slots[slot] = stored;
            longest = longest.max(run);
        }
        longest
    }

    /// What `at` finds in the first of the places that `key` may have where it finds anything.
    #[inline]
    pub(crate) fn find<T>(&self, key: &str, at: impl Fn(usize) -> Option<T>) -> Option<T> {
        let last = self.slots.len().checked_sub(1)?;
        let mut slot = self.start(key);
        loop {
            // Never out of range: the length is a power of two.
            let place = usize::try_from(*self.slots.get(slot & last)?).ok()?;
            if let Some(found) = at(place.checked_sub(1)?) {
                return Some(found);
            }
            slot += 1;
        }
    }

    #[inline]
    fn start(&self, key: &str) -> usize {
        start(key, self.seed) & (self.slots.len() - 1)
    }
}

/// A hash of a key, of which the low bits may be used.
#[inline]
pub(crate) fn start(key: &str, seed: u64) -> usize {
    // Multiply and fold eight bytes at a time; the length ends it.
    const MULTIPLIER: u64 = 0x9e37_79b9_7f4a_7c15;
    let fold = |state: u64, word: u64| {
        let product = u128::from(state ^ word) * u128::from(MULTIPLIER);
        #[expect(
            clippy::cast_possible_truncation,
            reason = "the halves are what is wanted"
        )]
        let folded = product as u64 ^ (product >> 64) as u64;
        folded.wrapping_add(MULTIPLIER)
    };
    let (words, _) = key.as_bytes().as_chunks::<8>();
    let mut state = words
        .iter()
        .fold(seed, |state, word| fold(state, u64::from_le_bytes(*word)));
    state = fold(state, tail(key.as_bytes()));
    state = fold(state, key.len() as u64);
    #[expect(
        clippy::cast_possible_truncation,
        reason = "only the low bits are used"
    )]
    let start = state as usize;
    start
}

/// Whether two texts are the same. Most keys are short: comparing them word by word takes less than
/// calling for a comparison of memory.
#[inline]
pub(crate) fn same(a: &str, b: &str) -> bool {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    if a.len() != b.len() {
        return false;
    }
    let ((a_words, _), (b_words, _)) = (a.as_chunks::<8>(), b.as_chunks::<8>());
    let words = |bytes: &[u8; 8]| u64::from_le_bytes(*bytes);
    a_words.iter().map(words).eq(b_words.iter().map(words)) && tail(a) == tail(b)
}

/// A text of up to 16 bytes, by which it is the same as another or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Word {
    len: usize,
    head: u64,
    tail: u64,
}

/// The text as a word; `None` if it is longer.
#[inline]
pub(crate) fn word_of(text: &str) -> Option<Word> {
    let bytes = text.as_bytes();
    let head = match bytes.first_chunk::<8>() {
        Some(first) => u64::from_le_bytes(*first),
        None => 0,
    };
    (bytes.len() <= 16).then(|| Word {
        len: bytes.len(),
        head,
        tail: tail(bytes),
    })
}

/// The last eight bytes, or all of fewer; with the length, no two texts with the same words before
/// have the same. Read in one or two loads: copying them together first takes longer than all else.
#[inline]
fn tail(bytes: &[u8]) -> u64 {
    if let Some(last) = bytes.last_chunk::<8>() {
        return u64::from_le_bytes(*last);
    }
    if let (Some(first), Some(last)) = (bytes.first_chunk::<4>(), bytes.last_chunk::<4>()) {
        let (first, last) = (u32::from_le_bytes(*first), u32::from_le_bytes(*last));
        return u64::from(first) | u64::from(last) << 32;
    }
    bytes
        .iter()
        .fold(0, |word, byte| word << 8 | u64::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::{KeyIndex, same, word_of};
    use alloc::string::String;
    use alloc::vec::Vec;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn finds_what_is_there_and_nothing_else(
            keys in proptest::collection::btree_set(".{0,20}", 0..200),
            other in ".{0,20}",
        ) {
            let keys: Vec<String> = keys.into_iter().collect();
            let index = KeyIndex::new(&keys.iter().map(String::as_str));
            for (place, key) in keys.iter().enumerate() {
                prop_assert_eq!(index.find(key, |at| (keys[at] == *key).then_some(at)), Some(place));
            }
            let expected = keys.iter().position(|key| *key == other);
            prop_assert_eq!(index.find(&other, |at| (keys[at] == other).then_some(at)), expected);
        }

        #[test]
        fn texts_are_the_same_if_all_their_bytes_are(a in "[ab]{0,20}", b in "[ab]{0,20}", at in 0..20_usize) {
            prop_assert!(same(&a, &a));
            prop_assert_eq!(same(&a, &b), a == b);
            let words = (word_of(&a), word_of(&b));
            prop_assert_eq!(words.0.is_some(), a.len() <= 16);
            prop_assert_eq!(words.0 == words.1, a == b || a.len().min(b.len()) > 16);
            let mut bytes = a.clone().into_bytes();
            if let Some(byte) = bytes.get_mut(at) {
                *byte ^= 3;
                let other = String::from_utf8(bytes).expect("ASCII");
                prop_assert!(!same(&a, &other));
            }
        }
    }
}
