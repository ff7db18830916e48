//! Deterministic CBOR, written straight into a sink: what version 3 of `fractional` hashes.
//!
//! RFC 8949 §4.2: shortest forms, definite lengths, map keys in bytewise order of their encoding.
//! Numbers are first made one kind, as flagd's version 3 asks: a double without a fraction that
//! lies in -2^63 to 2^64-1 is the integer of that value, so `1`, `1.0` and `-0.0`/`0` do not
//! depend on which type the caller's language gave them.

use crate::record::Record;
use crate::value::Value;
use alloc::vec::Vec;

/// Deeper values are refused, so that a context's nesting cannot exhaust the stack.
const DEPTH_MAX: u32 = 64;

/// Maps up to this size are put in order without allocation.
const UNSORTED_MAX: usize = 32;

/// The value is nested deeper than [`DEPTH_MAX`].
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct TooDeep;

const UNSIGNED: u8 = 0 << 5;
const NEGATIVE: u8 = 1 << 5;
const TEXT: u8 = 3 << 5;
const ARRAY: u8 = 4 << 5;
const MAP: u8 = 5 << 5;

type Sink<'s> = &'s mut dyn FnMut(&[u8]);

/// Writes the encoding of `value`, piece by piece.
pub(crate) fn encode(value: Value<'_>, sink: Sink<'_>) -> Result<(), TooDeep> {
    encode_at(value, sink, 0)
}

/// Writes the head of a text of `len` bytes; the bytes follow.
pub(crate) fn text_head(len: usize, sink: Sink<'_>) {
    head(TEXT, len as u64, sink);
}

/// Writes the head of an array of `len` elements; the elements follow.
pub(crate) fn array_head(len: usize, sink: Sink<'_>) {
    head(ARRAY, len as u64, sink);
}

/// Writes a text.
pub(crate) fn text(value: &str, sink: Sink<'_>) {
    text_head(value.len(), sink);
    sink(value.as_bytes());
}

fn encode_at(value: Value<'_>, sink: Sink<'_>, depth: u32) -> Result<(), TooDeep> {
    if depth > DEPTH_MAX {
        return Err(TooDeep);
    }
    match value {
        Value::Null => sink(&[0xf6]),
        Value::Bool(value) => sink(&[0xf4 + u8::from(value)]),
        Value::Int(value) => integer(i128::from(value), sink),
        Value::Uint(value) => integer(i128::from(value), sink),
        Value::Float(value) => float(value, sink),
        Value::Str(value) => text(value, sink),
        Value::List(list) => {
            array_head(list.len(), sink);
            for index in 0..list.len() {
                encode_at(list.get(index).unwrap_or(Value::Null), sink, depth + 1)?;
            }
        }
        Value::Map(map) => object(map, sink, depth)?,
    }
    Ok(())
}

fn head(major: u8, value: u64, sink: Sink<'_>) {
    if let Ok(byte) = u8::try_from(value) {
        if byte < 24 {
            sink(&[major | byte]);
        } else {
            sink(&[major | 24, byte]);
        }
    } else if let Ok(value) = u16::try_from(value) {
        sink(&[major | 25]);
        sink(&value.to_be_bytes());
    } else if let Ok(value) = u32::try_from(value) {
        sink(&[major | 26]);
        sink(&value.to_be_bytes());
    } else {
        sink(&[major | 27]);
        sink(&value.to_be_bytes());
    }
}

/// An integer between -2^63 and 2^64-1.
fn integer(value: i128, sink: Sink<'_>) {
    if let Ok(value) = u64::try_from(value) {
        head(UNSIGNED, value, sink);
    } else if let Ok(value) = u64::try_from(-1 - value) {
        head(NEGATIVE, value, sink);
    }
}

fn float(value: f64, sink: Sink<'_>) {
    let whole = libm::trunc(value) == value;
    // 2^64 itself is the first double out of range; -2^63 is a double and within.
    if whole && (-9_223_372_036_854_775_808.0..18_446_744_073_709_551_616.0).contains(&value) {
        #[expect(
            clippy::cast_possible_truncation,
            reason = "whole and in range, so exact"
        )]
        return integer(value as i128, sink);
    }
    if value.is_nan() {
        return sink(&[0xf9, 0x7e, 0x00]);
    }
    #[expect(
        clippy::cast_possible_truncation,
        reason = "used only if it converts back exactly"
    )]
    let single = value as f32;
    if f64::from(single) != value {
        sink(&[0xfb]);
        return sink(&value.to_be_bytes());
    }
    if let Some(half) = half_bits(single) {
        sink(&[0xf9]);
        sink(&half.to_be_bytes());
    } else {
        sink(&[0xfa]);
        sink(&single.to_be_bytes());
    }
}

/// The IEEE 754 half-precision bits of `value`, if it has them exactly. Not for NaN.
fn half_bits(value: f32) -> Option<u16> {
    let bits = value.to_bits();
    let sign = (bits >> 16) as u16 & 0x8000;
    if value.is_infinite() {
        return Some(sign | 0x7c00);
    }
    let fraction = bits & 0x007f_ffff;
    let biased = bits >> 23 & 0xff;
    // Biased exponents: single 127, half 15.
    let magnitude = match biased {
        0 if fraction == 0 => 0,
        113..=142 if fraction.trailing_zeros() >= 13 => (biased - 112) << 10 | fraction >> 13,
        103..=112 => {
            let all = fraction | 0x0080_0000;
            let shift = 126 - biased;
            if all.trailing_zeros() < shift {
                return None;
            }
            all >> shift
        }
        _ => return None,
    };
    u16::try_from(magnitude)
        .ok()
        .map(|magnitude| sign | magnitude)
}

fn object(map: &dyn Record, sink: Sink<'_>, depth: u32) -> Result<(), TooDeep> {
    let mut count = 0;
    map.each(&mut |_, _| count += 1);
    if count > UNSORTED_MAX {
        return sorted_object(map, sink, depth);
    }
    // The keys in order, found one after the other: small maps need no list.
    let mut distinct = 0_usize;
    let mut last = None;
    while let Some(key) = next_key(map, last) {
        distinct += 1;
        last = Some(key);
    }
    head(MAP, distinct as u64, sink);
    let mut last = None;
    while let Some(key) = next_key(map, last) {
        member(map, key, sink, depth)?;
        last = Some(key);
    }
    Ok(())
}

fn sorted_object(map: &dyn Record, sink: Sink<'_>, depth: u32) -> Result<(), TooDeep> {
    let mut keys = Vec::new();
    map.each(&mut |key, _| keys.push(order(key)));
    keys.sort_unstable();
    keys.dedup();
    head(MAP, keys.len() as u64, sink);
    for (_, key) in keys {
        member(map, key, sink, depth)?;
    }
    Ok(())
}

fn member(map: &dyn Record, key: &str, sink: Sink<'_>, depth: u32) -> Result<(), TooDeep> {
    text(key, sink);
    encode_at(map.get(key).unwrap_or(Value::Null), sink, depth + 1)
}

/// Bytewise order of the encoded keys: the head grows with the length, so shorter ones come first.
const fn order(key: &str) -> (usize, &str) {
    (key.len(), key)
}

fn next_key<'m>(map: &'m dyn Record, after: Option<&str>) -> Option<&'m str> {
    let mut best: Option<&str> = None;
    map.each(&mut |key, _| {
        if after.is_none_or(|after| order(key) > order(after))
            && best.is_none_or(|best| order(key) < order(best))
        {
            best = Some(key);
        }
    });
    best
}

#[cfg(test)]
mod tests {
    use super::{TooDeep, encode};
    use crate::value::Value;
    use alloc::format;
    use alloc::string::{String, ToString};
    use alloc::vec::Vec;
    use serde_json::json;

    fn hex(value: Value<'_>) -> String {
        let mut bytes = Vec::new();
        encode(value, &mut |piece| bytes.extend_from_slice(piece)).expect("shallow");
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    #[test]
    fn examples_of_rfc_8949_appendix_a() {
        for (value, expected) in [
            (json!(0), "00"),
            (json!(23), "17"),
            (json!(24), "1818"),
            (json!(1000), "1903e8"),
            (json!(1_000_000), "1a000f4240"),
            (json!(1_000_000_000_000_u64), "1b000000e8d4a51000"),
            (json!(18_446_744_073_709_551_615_u64), "1bffffffffffffffff"),
            (json!(-1), "20"),
            (json!(-1000), "3903e7"),
            (json!(1.1), "fb3ff199999999999a"),
            (json!(1.5), "f93e00"),
            (json!(5.960_464_477_539_063e-8), "f90001"),
            (json!(0.000_061_035_156_25), "f90400"),
            (json!(3.402_823_466_385_288_6e38), "fa7f7fffff"),
            (json!(1.0e300), "fb7e37e43c8800759c"),
            (json!(-4.1), "fbc010666666666666"),
            (json!(null), "f6"),
            (json!([true, false]), "82f5f4"),
            (json!("ü水"), "65c3bce6b0b4"),
            (json!([1, [2, 3], [4, 5]]), "8301820203820405"),
            (json!({"a": 1, "b": [2, 3]}), "a26161016162820203"),
        ] {
            assert_eq!(hex((&value).into()), expected, "{value}");
        }
        assert_eq!(hex(Value::Float(f64::NAN)), "f97e00");
        assert_eq!(hex(Value::Float(f64::NEG_INFINITY)), "f9fc00");
    }

    #[test]
    fn whole_doubles_are_integers_and_keys_are_in_order() {
        assert_eq!(hex(Value::Float(-0.0)), "00");
        assert_eq!(hex(Value::Float(1.0)), "01");
        assert_eq!(
            hex(Value::Float(-9_223_372_036_854_775_808.0)),
            "3b7fffffffffffffff"
        );
        assert_eq!(hex(Value::Float(1e20)), "fb4415af1d78b58c40");
        let pairs = [
            ("bb", Value::Int(1)),
            ("c", Value::Int(2)),
            ("a", Value::Int(3)),
        ];
        assert_eq!(hex(Value::Map(&pairs)), "a361610361630262626201");
    }

    #[test]
    fn a_large_map_is_written_as_a_small_one() {
        let pairs: Vec<(String, i64)> = (0..100).rev().map(|n| (n.to_string(), n)).collect();
        let text = hex(Value::Map(&pairs));
        assert!(text.starts_with("b8646130006131016132"), "{text}");
    }

    #[test]
    fn nesting_has_a_limit() {
        let mut value = json!(1);
        for _ in 0..100 {
            value = json!([value]);
        }
        assert_eq!(encode((&value).into(), &mut |_| {}), Err(TooDeep));
    }
}
