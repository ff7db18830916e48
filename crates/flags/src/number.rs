//! Numbers as ECMAScript reads and writes them, without allocation.
//!
//! JsonLogic is defined by its JavaScript implementation, so its coercions are ECMAScript's:
//! `Number(text)`, `parseFloat(text)` and `Number::toString` (ECMA-262 §7.1.4.1, §19.2.4, §6.1.6.1.20).

use core::fmt::{self, Write};

/// A short text on the stack.
pub(crate) struct Short {
    bytes: [u8; 32],
    len: usize,
}

impl Short {
    pub(crate) const fn new() -> Self {
        Self {
            bytes: [0; 32],
            len: 0,
        }
    }

    pub(crate) fn as_str(&self) -> &str {
        core::str::from_utf8(&self.bytes[..self.len]).unwrap_or("")
    }
}

impl Write for Short {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let end = self.len + text.len();
        let room = self.bytes.get_mut(self.len..end).ok_or(fmt::Error)?;
        room.copy_from_slice(text.as_bytes());
        self.len = end;
        Ok(())
    }
}

/// Writes the number as `String(number)` does: `1`, `0.5`, `1e+21`, `NaN`, `Infinity`.
pub(crate) fn write_float(out: &mut dyn Write, value: f64) -> fmt::Result {
    if value.is_nan() {
        return out.write_str("NaN");
    }
    if value == 0.0 {
        return out.write_str("0");
    }
    if value < 0.0 {
        out.write_str("-")?;
    }
    if value.is_infinite() {
        return out.write_str("Infinity");
    }
    // Rust's exponent form has the shortest digits that read back as the same number, as
    // ECMAScript asks: `d.ddde-7`. Only the layout differs.
    let mut scientific = Short::new();
    write!(scientific, "{:e}", value.abs())?;
    let (mantissa, exponent) = scientific.as_str().split_once('e').ok_or(fmt::Error)?;
    let exponent: i32 = exponent.parse().map_err(|_| fmt::Error)?;
    let (first, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    layout(out, first, fraction, exponent)
}

fn layout(out: &mut dyn Write, first: &str, fraction: &str, exponent: i32) -> fmt::Result {
    match exponent {
        0..=20 => {
            let whole = usize::try_from(exponent).map_err(|_| fmt::Error)?;
            out.write_str(first)?;
            if fraction.len() <= whole {
                out.write_str(fraction)?;
                zeros(out, whole - fraction.len())
            } else {
                let (before, after) = fraction.split_at(whole);
                write!(out, "{before}.{after}")
            }
        }
        -6..=-1 => {
            out.write_str("0.")?;
            zeros(out, usize::try_from(-exponent - 1).map_err(|_| fmt::Error)?)?;
            write!(out, "{first}{fraction}")
        }
        _ => {
            let point = if fraction.is_empty() { "" } else { "." };
            write!(out, "{first}{point}{fraction}e{exponent:+}")
        }
    }
}

fn zeros(out: &mut dyn Write, count: usize) -> fmt::Result {
    (0..count).try_for_each(|_| out.write_str("0"))
}

/// `Number(text)`: the whole text must be a number; blank is 0; otherwise not a number.
pub(crate) fn number_of(text: &str) -> f64 {
    let text = text.trim_matches(is_space);
    if text.is_empty() {
        return 0.0;
    }
    let radix = match text.get(..2) {
        Some("0x" | "0X") => 16,
        Some("0o" | "0O") => 8,
        Some("0b" | "0B") => 2,
        _ => {
            return if decimal_len(text) == text.len() {
                decimal(text)
            } else {
                f64::NAN
            };
        }
    };
    let digits = &text[2..];
    if digits.is_empty() {
        return f64::NAN;
    }
    digits
        .chars()
        .try_fold(0.0, |sum, digit| {
            digit
                .to_digit(radix)
                .map(|digit| sum * f64::from(radix) + f64::from(digit))
        })
        .unwrap_or(f64::NAN)
}

/// A plain decimal number and nothing else: no space, no `Infinity`, no other base.
pub(crate) fn decimal_of(text: &str) -> Option<f64> {
    let digits = text.trim_start_matches(['+', '-']);
    let plain = decimal_len(text) == text.len() && !digits.starts_with('I');
    if plain { text.parse().ok() } else { None }
}

/// `parseFloat(text)`: the longest start of the text that is a number.
pub(crate) fn leading_number_of(text: &str) -> f64 {
    let text = text.trim_start_matches(is_space);
    decimal(&text[..decimal_len(text)])
}

fn decimal(text: &str) -> f64 {
    match text.trim_start_matches(['+', '-']) {
        "Infinity" if text.starts_with('-') => f64::NEG_INFINITY,
        "Infinity" => f64::INFINITY,
        _ => text.parse().unwrap_or(f64::NAN),
    }
}

/// The length of the decimal literal (StrDecimalLiteral) that `text` starts with; 0 if none.
fn decimal_len(text: &str) -> usize {
    let bytes = text.as_bytes();
    let digits = |from: usize| {
        bytes[from..]
            .iter()
            .take_while(|b| b.is_ascii_digit())
            .count()
    };
    let sign = usize::from(matches!(bytes.first(), Some(b'+' | b'-')));
    if text[sign..].starts_with("Infinity") {
        return sign + "Infinity".len();
    }
    let whole = digits(sign);
    let mut end = sign + whole;
    let mut fraction = 0;
    if bytes.get(end) == Some(&b'.') {
        fraction = digits(end + 1);
        if whole + fraction > 0 {
            end += 1 + fraction;
        }
    }
    if whole + fraction == 0 {
        return 0;
    }
    if matches!(bytes.get(end), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(bytes.get(end + 1), Some(b'+' | b'-')));
        let exponent = digits((end + 1 + sign).min(bytes.len()));
        if exponent > 0 {
            end += 1 + sign + exponent;
        }
    }
    end
}

/// ECMAScript's white space and line terminators.
fn is_space(c: char) -> bool {
    (c.is_whitespace() && c != '\u{85}') || c == '\u{feff}'
}

#[cfg(test)]
mod tests {
    use super::{decimal_of, leading_number_of, number_of, write_float};
    use alloc::string::String;
    use proptest::prelude::*;

    fn text(value: f64) -> String {
        let mut out = String::new();
        write_float(&mut out, value).expect("a string takes all");
        out
    }

    #[test]
    fn numbers_are_written_as_javascript_writes_them() {
        for (value, expected) in [
            (0.0, "0"),
            (-0.0, "0"),
            (1.0, "1"),
            (-1.5, "-1.5"),
            (0.1, "0.1"),
            (123_456.789, "123456.789"),
            (1e20, "100000000000000000000"),
            (1e21, "1e+21"),
            (1.5e300, "1.5e+300"),
            (0.000_001, "0.000001"),
            (0.000_000_1, "1e-7"),
            (1.25e-9, "1.25e-9"),
            (5e-324, "5e-324"),
            (f64::MAX, "1.7976931348623157e+308"),
            (f64::NAN, "NaN"),
            (f64::NEG_INFINITY, "-Infinity"),
        ] {
            assert_eq!(text(value), expected);
        }
    }

    #[test]
    fn whole_texts_as_numbers() {
        for (text, expected) in [
            ("", 0.0),
            (" \t\n", 0.0),
            ("12", 12.0),
            (" -1.5e2 ", -150.0),
            (".5", 0.5),
            ("5.", 5.0),
            ("+3", 3.0),
            ("0x1F", 31.0),
            ("0b101", 5.0),
            ("-Infinity", f64::NEG_INFINITY),
        ] {
            assert_eq!(number_of(text), expected, "{text:?}");
        }
        for text in [
            "a", "1a", "1 2", "inf", "nan", "0x", "-0x1", "1e", ".", "+", "1_0", "é", "1é",
        ] {
            assert!(number_of(text).is_nan(), "{text:?}");
        }
    }

    #[test]
    fn leading_numbers() {
        for (text, expected) in [("3.5px", 3.5), ("  7", 7.0), ("1e", 1.0), ("1.2.3", 1.2)] {
            assert_eq!(leading_number_of(text), expected, "{text:?}");
        }
        for text in ["", "px", "-", "é"] {
            assert!(leading_number_of(text).is_nan(), "{text:?}");
        }
    }

    #[test]
    fn plain_decimals() {
        for (text, expected) in [("1", 1.0), ("-1.5e2", -150.0), (".5", 0.5), ("+3.", 3.0)] {
            assert_eq!(decimal_of(text), Some(expected), "{text:?}");
        }
        for text in [
            "",
            " 1",
            "1 ",
            "0x1",
            "Infinity",
            "-Infinity",
            "NaN",
            "1.2.3",
            "--1",
            "é",
        ] {
            assert_eq!(decimal_of(text), None, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(value: f64) {
            let read = number_of(&text(value));
            prop_assert!(read == value || (read.is_nan() && value.is_nan()));
        }

        #[test]
        fn any_text_is_read_without_panic(text: String) {
            let _ = (number_of(&text), leading_number_of(&text), decimal_of(&text));
        }
    }
}
