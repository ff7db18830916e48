//! Shares: a subject is hashed to a place, and the share that covers the place decides.

use super::bucket::Salted;
use super::val::{Val, write_element};
use super::{Eval, Machine, Scope, Stop};
use crate::cbor;
use crate::ir::{Arm, By, Expr, HashMode, Keyless, Op, Split, Weight};
use crate::murmur::Murmur3;
use crate::trace::Trace;
use crate::value::Value;
use core::fmt;

/// The largest sum of weights: `i32::MAX`, as flagd defines it.
pub(crate) const TOTAL_MAX: u64 = 2_147_483_647;

/// Weights that are kept on the stack.
const KNOWN_MAX: usize = 16;

/// Pieces of a joined key that are hashed without joining them.
const PIECES_MAX: usize = 8;

impl<'e, T: Trace> Machine<'e, T> {
    pub(super) fn split(&mut self, split: &'e Split, scope: &Scope<'e>) -> Eval<'e> {
        let subject = match (&split.by, split.hash) {
            (By::Salted(salt, by), HashMode::Remainder(digest)) => {
                self.salted(digest, salt, by, split.keyless, scope)?
            }
            _ => match (self.subject_hash(split, scope)?, split.keyless) {
                (Some(hash), _) => Salted::Hash(hash),
                (None, Keyless::Error) => return Err(Stop::TargetingKeyMissing),
                (None, Keyless::Null | Keyless::Lot) => Salted::None,
            },
        };
        if let Salted::None = subject {
            return Ok(Val::NULL);
        }
        let mut known = [0; KNOWN_MAX];
        let Some(total) = self.total(&split.arms, &mut known, scope)? else {
            return Ok(Val::NULL);
        };
        let place = match subject {
            Salted::Hash(hash) => Place::new(split.hash, hash, total),
            Salted::Last | Salted::None => Place::last(total),
        };
        let mut end = 0;
        for (index, arm) in split.arms.iter().enumerate() {
            end += match known.get(index) {
                Some(weight) => *weight,
                None => self.weight(arm, scope)?.unwrap_or(0),
            };
            if place.is_before(end) {
                self.trace.because(|| {
                    alloc::format!("{place}: in share {} of {}", index + 1, split.arms.len())
                });
                return self.eval(&arm.serve, scope);
            }
        }
        self.trace
            .because(|| alloc::format!("{place}: beyond the last share"));
        Ok(Val::NULL)
    }

    /// The sum of the weights; `None` if one is not valid or the sum is 0 or too large.
    /// The first weights go to `known`, so that computed ones are computed once.
    fn total(
        &mut self,
        arms: &'e [Arm],
        known: &mut [u64; KNOWN_MAX],
        scope: &Scope<'e>,
    ) -> Result<Option<u64>, Stop> {
        let mut total = 0_u64;
        for (index, arm) in arms.iter().enumerate() {
            let Some(weight) = self.weight(arm, scope)? else {
                self.trace
                    .because(|| "a weight is not a whole number".into());
                return Ok(None);
            };
            if let Some(slot) = known.get_mut(index) {
                *slot = weight;
            }
            total += weight;
        }
        let valid = (1..=TOTAL_MAX).contains(&total);
        if !valid {
            self.trace
                .because(|| alloc::format!("the weights sum to {total}"));
        }
        Ok(valid.then_some(total))
    }

    fn weight(&mut self, arm: &'e Arm, scope: &Scope<'e>) -> Result<Option<u64>, Stop> {
        match &arm.weight {
            Weight::Fixed(weight) => Ok(Some(u64::from(*weight))),
            Weight::Computed(expr) => Ok(whole_weight(self.eval(expr, scope)?.view())),
        }
    }

    /// The hash of the subject; `None` if it has nothing to hash.
    fn subject_hash(&mut self, split: &'e Split, scope: &Scope<'e>) -> Result<Option<u32>, Stop> {
        let by = match &split.by {
            By::FlagAndTargetingKey => {
                let key = self.root.targeting_key().filter(|key| !key.is_empty());
                if key.is_none() {
                    self.trace
                        .because(|| "the context has no targeting key".into());
                }
                return Ok(key.map(|key| pair_hash(split.hash, self.root.flag_key(), key)));
            }
            By::Expr(by) | By::Salted(_, by) => by,
        };
        if let Expr::Call { op: Op::Cat, args } = by
            && args.len() <= PIECES_MAX
        {
            let mut pieces = [const { Val::NULL }; PIECES_MAX];
            for (piece, arg) in pieces.iter_mut().zip(args) {
                *piece = self.eval(arg, scope)?;
            }
            return Ok(joined_hash(split.hash, &pieces[..args.len()]));
        }
        let value = self.eval(by, scope)?;
        let hash = value_hash(split.hash, value.view());
        if hash.is_none() {
            self.trace
                .because(|| alloc::format!("{:?} cannot be hashed", value.view()));
        }
        Ok(hash)
    }
}

/// A weight: a whole number, negative ones count as 0.
pub(crate) fn whole_weight(value: Value<'_>) -> Option<u64> {
    match value {
        Value::Int(weight) => Some(u64::try_from(weight).unwrap_or(0).min(TOTAL_MAX + 1)),
        Value::Uint(_) => Some(TOTAL_MAX + 1),
        Value::Float(weight) if libm::trunc(weight) == weight => {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "float casts saturate, and negative ones are to give 0"
            )]
            let whole = weight as u64;
            Some(whole.min(TOTAL_MAX + 1))
        }
        _ => None,
    }
}

fn pair_hash(mode: HashMode, flag: &str, key: &str) -> u32 {
    let mut hash = Murmur3::new(0);
    match mode {
        HashMode::FlagdV1 | HashMode::FlagdV2 | HashMode::Remainder(_) => {
            hash.write(flag.as_bytes());
            hash.write(key.as_bytes());
        }
        HashMode::FlagdV3 => {
            let sink = &mut |piece: &[u8]| hash.write(piece);
            cbor::array_head(2, sink);
            cbor::text(flag, sink);
            cbor::text(key, sink);
        }
    }
    hash.finish()
}

/// The hash of the text that the pieces make when joined. `None` if one nests too deep.
fn joined_hash(mode: HashMode, pieces: &[Val<'_>]) -> Option<u32> {
    let mut hash = Murmur3::new(0);
    if mode == HashMode::FlagdV3 {
        let mut length = Length(0);
        pieces
            .iter()
            .try_for_each(|piece| write_element(&mut length, piece.view()))
            .ok()?;
        cbor::text_head(length.0, &mut |piece| hash.write(piece));
    }
    pieces
        .iter()
        .try_for_each(|piece| write_element(&mut hash, piece.view()))
        .ok()?;
    Some(hash.finish())
}

/// Versions 1 and 2 (and all but flagd) hash texts only. Version 3 hashes any value but null; a list stands where
/// the first share would, so it is no key either.
fn value_hash(mode: HashMode, value: Value<'_>) -> Option<u32> {
    match (mode, value) {
        (HashMode::FlagdV3, Value::Null | Value::List(_)) => None,
        (HashMode::FlagdV1 | HashMode::FlagdV2 | HashMode::Remainder(_), value) => {
            value.as_str().map(|text| Murmur3::of(0, text.as_bytes()))
        }
        (HashMode::FlagdV3, value) => {
            let mut hash = Murmur3::new(0);
            cbor::encode(value, &mut |piece| hash.write(piece)).ok()?;
            Some(hash.finish())
        }
    }
}

/// Where a subject stands among the shares.
#[derive(Clone, Copy)]
struct Place {
    at: At,
    total: u64,
}

#[derive(Clone, Copy)]
enum At {
    /// Of `total`.
    Unit(u64),
    /// Of 100.
    Percent(f64),
}

impl Place {
    fn new(mode: HashMode, hash: u32, total: u64) -> Self {
        let at = match mode {
            HashMode::FlagdV1 => {
                let magnitude = f64::from(hash.cast_signed()).abs();
                At::Percent(magnitude / f64::from(i32::MAX) * 100.0)
            }
            // Both factors are below 2^32, so the product fits.
            HashMode::FlagdV2 | HashMode::FlagdV3 => At::Unit((u64::from(hash) * total) >> 32),
            HashMode::Remainder(_) => At::Unit(u64::from(hash) % total),
        };
        Self { at, total }
    }

    const fn last(total: u64) -> Self {
        let at = At::Unit(total.saturating_sub(1));
        Self { at, total }
    }

    /// Whether it lies before the end of a share, `end` being the sum of weights up to it.
    fn is_before(self, end: u64) -> bool {
        match self.at {
            At::Unit(unit) => unit < end,
            #[expect(clippy::cast_precision_loss, reason = "sums of weights are below 2^32")]
            At::Percent(percent) => percent < end as f64 * 100.0 / self.total as f64,
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.at {
            At::Unit(unit) => write!(f, "place {unit} of {}", self.total),
            At::Percent(percent) => write!(f, "place {percent:.3} of 100"),
        }
    }
}

/// Counts bytes.
struct Length(usize);

impl fmt::Write for Length {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0 += text.len();
        Ok(())
    }
}
