//! What an unquoted scalar means (YAML 1.2.2, section 10.3.2, less its traps).

use alloc::borrow::ToOwned;

use crate::{Number, Value};

/// An unquoted scalar that YAML 1.2 takes for a number and another reader for something else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trap {
    /// `0x10`
    Hexadecimal,
    /// `0o7`
    Octal,
    /// `010`
    LeadingZero,
    /// `.inf`, `.nan`
    NotFinite,
    /// More than 64 bits, or more than a double can hold.
    Range,
}

impl Trap {
    pub(super) fn message(self) -> &'static str {
        match self {
            Trap::Hexadecimal => "a hexadecimal number",
            Trap::Octal => "an octal number",
            Trap::LeadingZero => "a number with leading zeros, which some readers take for octal",
            Trap::NotFinite => "not a finite number",
            Trap::Range => "a number that does not fit into 64 bits",
        }
    }

    pub(super) fn help(self) -> &'static str {
        match self {
            Trap::Hexadecimal | Trap::Octal | Trap::LeadingZero => {
                "write it in decimal, or put it in quotes if it is text"
            }
            Trap::NotFinite => "write a number, or put it in quotes if it is text",
            Trap::Range => "put it in quotes if it is text",
        }
    }
}

/// The value of an unquoted scalar.
pub(super) fn plain(text: &str) -> Result<Value, Trap> {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Ok(Value::Null),
        "true" | "True" | "TRUE" => return Ok(Value::Bool(true)),
        "false" | "False" | "FALSE" => return Ok(Value::Bool(false)),
        _ => {}
    }
    match number(text)? {
        Some(number) => Ok(Value::Number(number)),
        None => Ok(Value::String(text.to_owned())),
    }
}

fn all(text: &str, is: impl Fn(&u8) -> bool) -> bool {
    !text.is_empty() && text.as_bytes().iter().all(is)
}

fn number(text: &str) -> Result<Option<Number>, Trap> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let radix = unsigned.split_at_checked(2);
    if let Some(("0x" | "0X", digits)) = radix
        && all(digits, u8::is_ascii_hexdigit)
    {
        return Err(Trap::Hexadecimal);
    }
    if let Some(("0o" | "0O", digits)) = radix
        && all(digits, |digit| (b'0'..=b'7').contains(digit))
    {
        return Err(Trap::Octal);
    }
    if matches!(unsigned, ".inf" | ".Inf" | ".INF") || matches!(text, ".nan" | ".NaN" | ".NAN") {
        return Err(Trap::NotFinite);
    }
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        None => (unsigned, None),
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
    };
    let (whole, fraction) = match mantissa.split_once('.') {
        None => (mantissa, None),
        Some((whole, fraction)) => (whole, Some(fraction)),
    };
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let exponent_digits = exponent.map(|text| text.strip_prefix(['+', '-']).unwrap_or(text));
    let is_number = digits(whole)
        && fraction.is_none_or(digits)
        && !(whole.is_empty() && fraction.is_none_or(str::is_empty))
        && exponent_digits.is_none_or(|text| all(text, u8::is_ascii_digit));
    if !is_number {
        return Ok(None);
    }
    if whole.len() > 1 && whole.starts_with('0') {
        return Err(Trap::LeadingZero);
    }
    let number = if fraction.is_none() && exponent.is_none() {
        Number::integer(text)
    } else {
        Number::float(text)
    };
    number.map(Some).ok_or(Trap::Range)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_core_schema() {
        for text in ["", "~", "null", "Null", "NULL"] {
            assert_eq!(plain(text), Ok(Value::Null), "{text}");
        }
        let numbers: &[(&str, f64)] = &[
            ("0", 0.0),
            ("-0", 0.0),
            ("+12", 12.0),
            ("-7", -7.0),
            ("1.5", 1.5),
            ("5.", 5.0),
            (".5", 0.5),
            ("-.5", -0.5),
            ("1e3", 1000.0),
            ("12e03", 12000.0),
            ("1E-2", 0.01),
            ("18446744073709551615", 18_446_744_073_709_551_615.0),
        ];
        for (text, expected) in numbers {
            let Ok(Value::Number(number)) = plain(text) else {
                panic!("{text}")
            };
            assert_eq!(number.as_f64(), *expected, "{text}");
        }
        for text in [
            "yes",
            "no",
            "on",
            "off",
            "y",
            "tRUE",
            "nULL",
            "1_000",
            "1.2.3",
            "0b1",
            ".",
            "-",
            "+",
            "-.",
            "e3",
            "1e",
            "1e+",
            "12:30",
            "2026-01-05",
            "0xfg",
            "0o8",
            "v1",
            "--1",
            "inf",
            "nan",
        ] {
            assert_eq!(plain(text), Ok(Value::String(text.to_owned())), "{text}");
        }
    }

    #[test]
    fn the_traps() {
        let cases: &[(&str, Trap)] = &[
            ("0x10", Trap::Hexadecimal),
            ("-0xFF", Trap::Hexadecimal),
            ("0o7", Trap::Octal),
            ("010", Trap::LeadingZero),
            ("00", Trap::LeadingZero),
            ("-007", Trap::LeadingZero),
            ("01.5", Trap::LeadingZero),
            ("09", Trap::LeadingZero),
            (".inf", Trap::NotFinite),
            ("-.INF", Trap::NotFinite),
            (".nan", Trap::NotFinite),
            ("1e999", Trap::Range),
            ("18446744073709551616", Trap::Range),
            ("-9223372036854775809", Trap::Range),
        ];
        for (text, trap) in cases {
            assert_eq!(plain(text), Err(*trap), "{text}");
        }
    }
}
