//! Places among so many, by a hash of salt and key.

use super::val::short_text;
use super::{Machine, Scope, Stop};
use crate::condition::Bucket;
use crate::fnv::Fnv1a;
use crate::ir::{Digest, Expr, Keyless};
use crate::md5::first_word;
use crate::murmur::Murmur3;
use crate::trace::Trace;
use crate::value::Value;
use core::fmt::Write;

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
pub(super) fn hash(digest: Digest, salt: &str, key: &str) -> u32 {
    match digest {
        Digest::Md5 => first_word(salt, key),
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
