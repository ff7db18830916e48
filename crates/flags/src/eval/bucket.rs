//! Places among so many, by a hash of salt and key.

use super::val::short_text;
use super::{Machine, Scope, Stop};
use crate::condition::Bucket;
use crate::fnv::Fnv1a;
use crate::ir::{Digest, Expr, Keyless};
use crate::murmur::Murmur3;
use crate::trace::Trace;
use crate::value::Value;
use core::fmt::Write;
use md5::{Digest as _, Md5};

impl<'e, T: Trace> Machine<'e, T> {
    #[inline]
    pub(super) fn bucket(&mut self, bucket: &'e Bucket, scope: &Scope<'e>) -> Result<bool, Stop> {
        let hash = self.salted(
            bucket.digest,
            &bucket.salt,
            &bucket.by,
            bucket.keyless,
            scope,
        )?;
        let total = bucket.total.max(1);
        Ok(match hash {
            Salted::Hash(hash) => {
                let place = hash % total;
                self.trace
                    .because(|| alloc::format!("place {place} of {total}"));
                bucket.has(place)
            }
            Salted::Last => bucket.has(total - 1),
            Salted::None => false,
        })
    }

    /// The hash of a salt and the key that `by` gives.
    #[inline]
    pub(super) fn salted(
        &mut self,
        digest: Digest,
        salt: &str,
        by: &'e Expr,
        keyless: Keyless,
        scope: &Scope<'e>,
    ) -> Result<Salted, Stop> {
        if let Some(key) = self.found(by, scope)? {
            return self.salted_key(digest, salt, key, keyless);
        }
        let key = self.eval(by, scope)?;
        self.salted_key(digest, salt, key.view(), keyless)
    }

    #[inline]
    fn salted_key(
        &mut self,
        digest: Digest,
        salt: &str,
        key: Value<'_>,
        keyless: Keyless,
    ) -> Result<Salted, Stop> {
        match (key, keyless) {
            (Value::Null, Keyless::Null) => {
                self.trace.because(|| "the context has no key".into());
                Ok(Salted::None)
            }
            (Value::Null, Keyless::Error) => Err(Stop::TargetingKeyMissing),
            (Value::Null, Keyless::Lot) => Ok(self.lot(digest, salt)),
            (key, _) => {
                let hash = hash_of(digest, salt, key);
                if matches!(hash, Salted::None) {
                    self.trace
                        .because(|| alloc::format!("{key:?} cannot be hashed"));
                }
                Ok(hash)
            }
        }
    }

    /// Where the caller's random number puts a subject that has no key.
    fn lot(&mut self, digest: Digest, salt: &str) -> Salted {
        let Some(lot) = self.root.lot() else {
            self.trace
                .because(|| "no key and no lot was drawn: the last place".into());
            return Salted::Last;
        };
        self.trace.because(|| "no key: by the lot drawn".into());
        let mut text = crate::number::Short::new();
        // Twenty digits fit.
        let _ = write!(text, "{lot}");
        Salted::Hash(hash(digest, salt, text.as_str()))
    }
}

/// What there is to place a subject by.
#[derive(Clone, Copy)]
pub(super) enum Salted {
    Hash(u32),
    /// Nothing, which is to be the last place: only what reaches everyone reaches it.
    Last,
    None,
}

/// The hash of a salt and a key: a text, or a number or truth value by its text.
pub(super) fn hash_of(digest: Digest, salt: &str, key: Value<'_>) -> Salted {
    match (key, digest) {
        (key, Digest::Fnv1a | Digest::Fnv1aTwice) if !can_be_placed(key) => Salted::None,
        (Value::Str(key), _) => Salted::Hash(hash(digest, salt, key)),
        (key, _) => match short_text(key) {
            Some(key) => Salted::Hash(hash(digest, salt, key.as_str())),
            None => Salted::None,
        },
    }
}

/// Texts that are not empty and numbers other than 0 have a place.
pub(super) fn can_be_placed(value: Value<'_>) -> bool {
    match value {
        Value::Str(text) => !text.is_empty(),
        Value::Int(number) => number != 0,
        Value::Uint(_) => true,
        Value::Float(number) => number != 0.0 && number.is_finite(),
        Value::Null | Value::Bool(_) | Value::List(_) | Value::Map(_) => false,
    }
}

#[inline]
fn hash(digest: Digest, salt: &str, key: &str) -> u32 {
    match digest {
        Digest::Md5 => short_md5(salt.as_bytes(), key.as_bytes()).unwrap_or_else(|| {
            let mut md5 = Md5::new();
            md5.update(salt);
            md5.update(key);
            let [a, b, c, d, ..] = <[u8; 16]>::from(md5.finalize());
            u32::from_be_bytes([a, b, c, d])
        }),
        Digest::Murmur3 { seed } => {
            let mut murmur = Murmur3::new(seed);
            murmur.write(salt.as_bytes());
            murmur.write(key.as_bytes());
            murmur.finish()
        }
        Digest::Fnv1a => Fnv1a::new().text(key).text(salt).finish(),
        Digest::Fnv1aTwice => Fnv1a::new().text(salt).text(key).again(),
    }
}

/// The first four bytes of the MD5 of a salt and a key that fit into one block (RFC 1321, 3.1 to
/// 3.4), which almost all do: putting the block together here takes half the time of a hasher that
/// keeps one.
#[inline]
fn short_md5(salt: &[u8], key: &[u8]) -> Option<u32> {
    const LENGTH_AT: usize = 56;
    let end = salt.len() + key.len();
    if end >= LENGTH_AT {
        return None;
    }
    let mut block = [0; 64];
    block.get_mut(..salt.len())?.copy_from_slice(salt);
    block.get_mut(salt.len()..end)?.copy_from_slice(key);
    *block.get_mut(end)? = 0x80;
    let bits = (end as u64) * 8;
    block
        .get_mut(LENGTH_AT..)?
        .copy_from_slice(&bits.to_le_bytes());
    let mut state = [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476];
    md5::block_api::compress(&mut state, &[block]);
    let [first, ..] = state;
    Some(u32::swap_bytes(first))
}

#[cfg(test)]
mod tests {
    use super::{Digest, hash, short_md5};
    use md5::{Digest as _, Md5};
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn one_block_is_hashed_as_any(salt in ".{0,40}", key in ".{0,40}") {
            let whole = <[u8; 16]>::from(Md5::digest(alloc::format!("{salt}{key}")));
            let first = u32::from_be_bytes([whole[0], whole[1], whole[2], whole[3]]);
            prop_assert_eq!(hash(Digest::Md5, &salt, &key), first);
            let fits = salt.len() + key.len() <= 55;
            prop_assert_eq!(short_md5(salt.as_bytes(), key.as_bytes()), fits.then_some(first));
        }
    }

    #[test]
    fn the_first_four_bytes_of_md5_are_big_endian() {
        // RFC 1321, appendix A.5: MD5 ("message digest") = f96b697d…, MD5 ("") = d41d8cd9….
        assert_eq!(hash(Digest::Md5, "message ", "digest"), 0xf96b_697d);
        assert_eq!(hash(Digest::Md5, "", ""), 0xd41d_8cd9);
    }
}
