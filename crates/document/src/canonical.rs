//! Canonical JSON (RFC 8785, the JSON Canonicalization Scheme): one value, one text.

use alloc::string::{String, ToString};
use core::fmt::Write as _;

use serde::Serialize;

use crate::Digest;
use crate::model::{Json, ModelError, json_of};

/// The largest magnitude of an integer: 2^53 - 1 (RFC 7493, section 2.2). Beyond it a reader that
/// keeps numbers as doubles, as RFC 8785 supposes, would see another integer.
const INTEGER_MAX: u64 = (1 << 53) - 1;

/// A value has no canonical JSON.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no canonical JSON: {text}")]
pub struct CanonicalError {
    kind: CanonicalErrorKind,
    text: String,
}

/// Why a value has no canonical JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CanonicalErrorKind {
    /// NaN or an infinity, which JSON cannot write.
    NotFinite,
    /// An integer outside ±(2^53 - 1), which a double cannot hold exactly.
    IntegerRange,
    /// A map key that is not text, or that occurs twice.
    Key,
    /// The value's own `Serialize` refused.
    Custom,
}

impl CanonicalError {
    /// What is wrong.
    #[must_use]
    pub fn kind(&self) -> CanonicalErrorKind {
        self.kind
    }

    fn integer(text: &str) -> Self {
        CanonicalError {
            kind: CanonicalErrorKind::IntegerRange,
            text: alloc::format!(
                "the integer {text} is outside ±(2^53 - 1); write it as text instead"
            ),
        }
    }
}

impl From<ModelError> for CanonicalError {
    fn from(error: ModelError) -> Self {
        let kind = match &error {
            ModelError::NotFinite => CanonicalErrorKind::NotFinite,
            ModelError::IntegerRange(text) => return Self::integer(text),
            ModelError::Key | ModelError::DuplicateKey(_) => CanonicalErrorKind::Key,
            ModelError::Custom(_) => CanonicalErrorKind::Custom,
        };
        CanonicalError {
            kind,
            text: error.to_string(),
        }
    }
}

/// The canonical JSON of `value` (RFC 8785): no white space, members sorted by the UTF-16 code
/// units of their keys, numbers as ECMAScript prints them, and only the escapes JSON demands.
///
/// # Errors
///
/// NaN and infinities, integers outside ±(2^53 - 1), map keys that are not text or occur twice,
/// and whatever the value's own `Serialize` refuses.
///
/// ```
/// use nonevent_document::canonical_json;
/// let value = serde_json::json!({ "b": 1.0, "a": [true, 1e21, 0.000001] });
/// assert_eq!(canonical_json(&value).unwrap(), r#"{"a":[true,1e+21,0.000001],"b":1}"#);
/// ```
pub fn canonical_json<T: Serialize + ?Sized>(value: &T) -> Result<String, CanonicalError> {
    let mut out = String::new();
    write_value(&mut out, &json_of(value)?)?;
    Ok(out)
}

/// The SHA-256 digest of the canonical JSON of `value`.
///
/// # Errors
///
/// As [`canonical_json`].
pub fn digest_of<T: Serialize + ?Sized>(value: &T) -> Result<Digest, CanonicalError> {
    Ok(Digest::of(canonical_json(value)?.as_bytes()))
}

fn write_value(out: &mut String, value: &Json) -> Result<(), CanonicalError> {
    match value {
        Json::Null => out.push_str("null"),
        Json::Bool(true) => out.push_str("true"),
        Json::Bool(false) => out.push_str("false"),
        Json::Unsigned(value) => write_integer(out, *value, value.to_string().as_str())?,
        Json::Signed(value) => {
            write_integer(out, value.unsigned_abs(), value.to_string().as_str())?;
        }
        Json::Float(value) => write_float(out, *value),
        Json::String(text) => write_string(out, text),
        Json::Array(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                write_value(out, item)?;
            }
            out.push(']');
        }
        Json::Object(members) => {
            let mut sorted: alloc::vec::Vec<&(String, Json)> = members.iter().collect();
            sorted.sort_by(|(a, _), (b, _)| a.encode_utf16().cmp(b.encode_utf16()));
            out.push('{');
            for (index, (key, value)) in sorted.into_iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                write_string(out, key);
                out.push(':');
                write_value(out, value)?;
            }
            out.push('}');
        }
    }
    Ok(())
}

fn write_integer(out: &mut String, magnitude: u64, text: &str) -> Result<(), CanonicalError> {
    if magnitude > INTEGER_MAX {
        return Err(CanonicalError::integer(text));
    }
    out.push_str(text);
    Ok(())
}

/// `Number::toString` of ECMAScript (ECMA-262, section 6.1.6.1.20) for a finite double.
fn write_float(out: &mut String, value: f64) {
    if value == 0.0 {
        out.push('0');
        return;
    }
    if value < 0.0 {
        out.push('-');
    }
    let scientific = shortest(value.abs());
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let digits: String = mantissa.chars().filter(char::is_ascii_digit).collect();
    let count = i32::try_from(digits.len()).expect("a double has at most 17 digits");
    let point = exponent
        .parse::<i32>()
        .expect("`{:e}` writes a decimal exponent")
        + 1;
    let zeros = |out: &mut String, n: i32| (0..n).for_each(|_| out.push('0'));
    if (count..=21).contains(&point) {
        out.push_str(&digits);
        zeros(out, point - count);
    } else if (1..=21).contains(&point) {
        let (whole, fraction) = digits.split_at(point.unsigned_abs() as usize);
        out.push_str(whole);
        out.push('.');
        out.push_str(fraction);
    } else if (-5..=0).contains(&point) {
        out.push_str("0.");
        zeros(out, -point);
        out.push_str(&digits);
    } else {
        let (first, rest) = digits.split_at(1);
        out.push_str(first);
        if !rest.is_empty() {
            out.push('.');
            out.push_str(rest);
        }
        let sign = if point > 0 { '+' } else { '-' };
        write!(out, "e{sign}{}", (point - 1).unsigned_abs())
            .expect("writing to a String cannot fail");
    }
}

/// The shortest digits that read back as the same double, in Rust's layout (`d.ddde-7`).
///
/// `{:e}` finds how many digits that takes. Of two equally near texts of that length ECMAScript
/// takes the even one and `{:e}` the upper one; `{:.*e}` rounds half to even, but its nearest text
/// may belong to the neighbouring double at a power of two, hence the check.
fn shortest(value: f64) -> String {
    let shortest = alloc::format!("{value:e}");
    let mantissa = shortest.split('e').next().unwrap_or_default();
    let decimals = mantissa.len().saturating_sub(2);
    let even = alloc::format!("{value:.decimals$e}");
    if even.parse() == Ok(value) {
        even
    } else {
        shortest
    }
}

fn write_string(out: &mut String, text: &str) {
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\u{8}' => out.push_str("\\b"),
            '\t' => out.push_str("\\t"),
            '\n' => out.push_str("\\n"),
            '\u{c}' => out.push_str("\\f"),
            '\r' => out.push_str("\\r"),
            control if control < ' ' => {
                write!(out, "\\u{:04x}", u32::from(control))
                    .expect("writing to a String cannot fail");
            }
            other => out.push(other),
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 8785, appendix B: IEEE 754 bit patterns and their texts.
    #[test]
    fn numbers_as_ecmascript_prints_them() {
        let cases: &[(u64, &str)] = &[
            (0x0000_0000_0000_0000, "0"),
            (0x8000_0000_0000_0000, "0"),
            (0x0000_0000_0000_0001, "5e-324"),
            (0x8000_0000_0000_0001, "-5e-324"),
            (0x7fef_ffff_ffff_ffff, "1.7976931348623157e+308"),
            (0xffef_ffff_ffff_ffff, "-1.7976931348623157e+308"),
            (0x4340_0000_0000_0000, "9007199254740992"),
            (0xc340_0000_0000_0000, "-9007199254740992"),
            (0x4430_0000_0000_0000, "295147905179352830000"),
            (0x44b5_2d02_c7e1_4af5, "9.999999999999997e+22"),
            (0x44b5_2d02_c7e1_4af6, "1e+23"),
            (0x44b5_2d02_c7e1_4af7, "1.0000000000000001e+23"),
            (0x444b_1ae4_d6e2_ef4e, "999999999999999700000"),
            (0x444b_1ae4_d6e2_ef4f, "999999999999999900000"),
            (0x444b_1ae4_d6e2_ef50, "1e+21"),
            (0x3eb0_c6f7_a0b5_ed8c, "9.999999999999997e-7"),
            (0x3eb0_c6f7_a0b5_ed8d, "0.000001"),
            (0x41b3_de43_5555_5553, "333333333.3333332"),
            (0x41b3_de43_5555_5554, "333333333.33333325"),
            (0x41b3_de43_5555_5555, "333333333.3333333"),
            (0x41b3_de43_5555_5556, "333333333.3333334"),
            (0x41b3_de43_5555_5557, "333333333.33333343"),
            (0xbecb_f647_612f_3696, "-0.0000033333333333333333"),
            (0x4314_3ff3_c1cb_0959, "1424953923781206.2"),
        ];
        for (bits, expected) in cases {
            assert_eq!(canonical_json(&f64::from_bits(*bits)).unwrap(), *expected);
        }
    }

    #[test]
    fn keys_sort_by_utf16_code_units() {
        let value = serde_json::json!({
            "\u{20ac}": "Euro Sign", "\r": "Carriage Return", "\u{fb33}": "Hebrew Letter Dalet With Dagesh",
            "1": "One", "\u{1f600}": "Emoji: Grinning Face", "\u{80}": "Control",
            "\u{f6}": "Latin Small Letter O With Diaeresis"
        });
        let text = canonical_json(&value).unwrap();
        let order: alloc::vec::Vec<usize> = [
            "\\r",
            "\"1\"",
            "\u{80}",
            "\u{f6}",
            "\u{20ac}",
            "\u{1f600}",
            "\u{fb33}",
        ]
        .iter()
        .map(|key| text.find(key).unwrap())
        .collect();
        assert!(order.is_sorted(), "{text}");
    }

    #[test]
    fn strings_carry_only_the_escapes_that_json_demands() {
        let text = "\u{20ac}$\u{f}\nA'B\"\\\\\"/\u{7f}\u{2028}";
        assert_eq!(
            canonical_json(text).unwrap(),
            "\"\u{20ac}$\\u000f\\nA'B\\\"\\\\\\\\\\\"/\u{7f}\u{2028}\""
        );
    }

    #[test]
    fn what_a_double_cannot_hold_is_refused() {
        let kind = |result: Result<String, CanonicalError>| result.unwrap_err().kind();
        assert_eq!(
            canonical_json(&9_007_199_254_740_991_u64).unwrap(),
            "9007199254740991"
        );
        assert_eq!(
            canonical_json(&-9_007_199_254_740_991_i64).unwrap(),
            "-9007199254740991"
        );
        assert_eq!(
            kind(canonical_json(&9_007_199_254_740_992_u64)),
            CanonicalErrorKind::IntegerRange
        );
        assert_eq!(
            kind(canonical_json(&i64::MIN)),
            CanonicalErrorKind::IntegerRange
        );
        assert_eq!(
            kind(canonical_json(&u128::MAX)),
            CanonicalErrorKind::IntegerRange
        );
        assert_eq!(
            kind(canonical_json(&f64::NAN)),
            CanonicalErrorKind::NotFinite
        );
        assert_eq!(
            kind(canonical_json(&[f32::INFINITY])),
            CanonicalErrorKind::NotFinite
        );
    }
}
