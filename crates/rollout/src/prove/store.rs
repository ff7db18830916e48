//! The states that a search has seen, each once and written small.
//!
//! A state is kept as the numbers that its parts feed to a hasher, in as few bytes as they take:
//! some fifty instead of 256. Each number says itself where it ends and each choice says which it
//! is, so two states with the same bytes are the same state, and nothing is left to the hash.

use alloc::vec::Vec;
use core::hash::{BuildHasher as _, Hash, Hasher};

use foldhash::fast::FixedState;

/// Bytes in a piece; written states are never moved when there are more.
const PIECE: usize = 1 << 20;
/// States begin at multiples of this many bytes, so that 32 bits say where.
const ALIGN: usize = 4;
/// Bytes before a state: its number, and how many bytes follow.
const HEAD: usize = 6;

/// A set of values, numbered in the order in which they came.
///
/// The index is a table with linear probing whose places hold half of a value's hash and where the
/// value is, so that a look-up touches two places in memory and growing touches no value. Values
/// are staged first and placed together: the processor then waits for all those places at once
/// instead of one after another.
pub(super) struct Store {
    /// A power of two, at least half of them empty.
    slots: Vec<Slot>,
    len: usize,
    pieces: Vec<Vec<u8>>,
    /// The values that are to be placed, and where each ends.
    written: Writer,
    staged: Vec<Staged>,
}

#[derive(Clone, Copy)]
struct Staged {
    hash: u32,
    end: usize,
}

#[derive(Clone, Copy, PartialEq, Eq)]
struct Slot {
    hash: u32,
    /// Where the value is, in units of [`ALIGN`].
    begin: u32,
}

impl Slot {
    const EMPTY: Slot = Slot {
        hash: 0,
        begin: u32::MAX,
    };
}

impl Store {
    pub(super) fn new() -> Store {
        Store {
            slots: alloc::vec![Slot::EMPTY; 1 << 10],
            len: 0,
            pieces: Vec::new(),
            written: Writer::default(),
            staged: Vec::new(),
        }
    }

    pub(super) const fn len(&self) -> usize {
        self.len
    }

    /// The number of `value`, and whether it is new; `None` if there is no room for more.
    pub(super) fn insert<T: Hash>(&mut self, value: &T) -> Option<(u32, bool)> {
        let mut placed = Vec::new();
        self.stage(value);
        self.place_staged(&mut placed)?;
        placed.pop()
    }

    /// `value` is to be placed with the next.
    pub(super) fn stage<T: Hash>(&mut self, value: &T) {
        let begin = self.written.0.len();
        self.written.0.extend([0; HEAD]);
        value.hash(&mut self.written);
        let value = &self.written.0[begin + HEAD..];
        let full = FixedState::with_seed(0).hash_one(value);
        self.staged.push(Staged {
            hash: (full ^ (full >> 32)) as u32,
            end: self.written.0.len(),
        });
    }

    /// The number of each staged value, in order, and whether it is new; `None` if there is no
    /// room for more.
    pub(super) fn place_staged(&mut self, placed: &mut Vec<(u32, bool)>) -> Option<()> {
        self.warm_up();
        let mut written = core::mem::take(&mut self.written);
        let mut begin = 0;
        for at in 0..self.staged.len() {
            let Staged { hash, end } = self.staged[at];
            placed.push(self.place(hash, &mut written.0[begin..end])?);
            begin = end;
        }
        written.0.clear();
        self.staged.clear();
        self.written = written;
        Some(())
    }

    /// Touches what the staged values will be compared with: reads that do not depend on one
    /// another go on side by side.
    fn warm_up(&self) {
        let mask = self.slots.len() - 1;
        let slots = self
            .staged
            .iter()
            .map(|it| self.slots[it.hash as usize & mask]);
        let touched = slots.clone().fold(0, |sum, slot| sum ^ slot.begin);
        core::hint::black_box(touched);
        let kept = slots.filter(|slot| *slot != Slot::EMPTY).map(|slot| {
            let begin = slot.begin as usize * ALIGN;
            self.pieces[begin / PIECE][begin % PIECE]
        });
        core::hint::black_box(kept.fold(0, |sum, byte| sum ^ byte));
    }

    fn place(&mut self, hash: u32, bytes: &mut [u8]) -> Option<(u32, bool)> {
        let length = u16::try_from(bytes.len()).ok()?;
        bytes[4..HEAD].copy_from_slice(&length.to_le_bytes());
        let mask = self.slots.len() - 1;
        let mut at = hash as usize & mask;
        while self.slots[at] != Slot::EMPTY {
            let slot = self.slots[at];
            if slot.hash == hash {
                let begin = slot.begin as usize * ALIGN;
                let kept = &self.pieces[begin / PIECE][begin % PIECE..];
                if kept[4..].starts_with(&bytes[4..]) {
                    let number = [kept[0], kept[1], kept[2], kept[3]];
                    return Some((u32::from_le_bytes(number), false));
                }
            }
            at = (at + 1) & mask;
        }
        let number = u32::try_from(self.len).ok()?;
        bytes[..4].copy_from_slice(&number.to_le_bytes());
        let begin = self.keep(bytes)?;
        self.slots[at] = Slot { hash, begin };
        self.len += 1;
        if self.len * 2 > self.slots.len() {
            self.grow();
        }
        Some((number, true))
    }

    fn keep(&mut self, bytes: &[u8]) -> Option<u32> {
        let fits = |piece: &Vec<u8>| PIECE - piece.len() >= bytes.len() + ALIGN;
        if !self.pieces.last().is_some_and(fits) {
            self.pieces.push(Vec::with_capacity(PIECE));
        }
        let before = (self.pieces.len() - 1) * PIECE;
        let piece = self.pieces.last_mut()?;
        let begin = u32::try_from((before + piece.len()) / ALIGN).ok()?;
        piece.extend_from_slice(bytes);
        piece.resize(piece.len().next_multiple_of(ALIGN), 0);
        Some(begin)
    }

    fn grow(&mut self) {
        let size = self.slots.len() * 2;
        let before = core::mem::replace(&mut self.slots, alloc::vec![Slot::EMPTY; size]);
        for slot in before.into_iter().filter(|slot| *slot != Slot::EMPTY) {
            let mut at = slot.hash as usize & (size - 1);
            while self.slots[at] != Slot::EMPTY {
                at = (at + 1) & (size - 1);
            }
            self.slots[at] = slot;
        }
    }
}

/// Writes the numbers that a value feeds to a hasher.
#[derive(Default)]
struct Writer(Vec<u8>);

impl Writer {
    /// Seven bits a byte, the lowest first; the top bit says that there are more.
    #[inline]
    fn number(&mut self, mut number: u64) {
        while number >= 0x80 {
            self.0.push(number as u8 | 0x80);
            number >>= 7;
        }
        self.0.push(number as u8);
    }

    /// Small numbers of either sign become small.
    #[inline]
    fn signed(&mut self, number: i64) {
        self.number(((number << 1) ^ (number >> 63)) as u64);
    }
}

impl Hasher for Writer {
    fn write(&mut self, bytes: &[u8]) {
        self.number(bytes.len() as u64);
        self.0.extend_from_slice(bytes);
    }

    #[inline]
    fn write_u8(&mut self, number: u8) {
        self.number(u64::from(number));
    }

    #[inline]
    fn write_u16(&mut self, number: u16) {
        self.number(u64::from(number));
    }

    #[inline]
    fn write_u32(&mut self, number: u32) {
        self.number(u64::from(number));
    }

    #[inline]
    fn write_u64(&mut self, number: u64) {
        self.number(number);
    }

    #[inline]
    fn write_usize(&mut self, number: usize) {
        self.number(number as u64);
    }

    #[inline]
    fn write_i64(&mut self, number: i64) {
        self.signed(number);
    }

    #[inline]
    fn write_isize(&mut self, number: isize) {
        self.signed(number as i64);
    }

    /// Not for hashing: the bytes themselves are compared.
    fn finish(&self) -> u64 {
        0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    type Value = (
        Option<i64>,
        u16,
        Option<Option<bool>>,
        (i64, [u8; 3]),
        Result<u32, i64>,
    );

    fn values() -> impl Strategy<Value = Vec<Value>> {
        // Few different numbers, so that there are doubles.
        let time = || prop_oneof![Just(0), Just(-1), Just(64), Just(i64::MAX), -300i64..300];
        let value = (
            proptest::option::of(time()),
            prop_oneof![Just(127u16), Just(128), 0u16..4],
            proptest::option::of(proptest::option::of(any::<bool>())),
            (time(), [0u8..2, 0u8..2, 0u8..2]),
            prop_oneof![(0u32..3).prop_map(Ok), time().prop_map(Err)],
        );
        proptest::collection::vec(value, 0..60)
    }

    proptest! {
        #[test]
        fn every_value_is_kept_once(values in values()) {
            let mut store = Store::new();
            let mut kept: Vec<Value> = Vec::new();
            for value in values {
                let known = kept.iter().position(|other| *other == value);
                let (at, new) = store.insert(&value).unwrap();
                prop_assert_eq!(new, known.is_none());
                prop_assert_eq!(at as usize, known.unwrap_or(kept.len()));
                if new {
                    kept.push(value);
                }
            }
            prop_assert_eq!(store.len(), kept.len());
        }
    }

    #[test]
    fn pieces_fill_up_and_go_on() {
        let mut store = Store::new();
        let long = |number: u32| (number, [u64::MAX; 90]);
        for number in 0..3_000 {
            assert_eq!(store.insert(&long(number)), Some((number, true)));
        }
        assert!(store.pieces.len() > 1);
        for number in 0..3_000 {
            assert_eq!(store.insert(&long(number)), Some((number, false)));
        }
    }
}
