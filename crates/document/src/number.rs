//! Numbers as documents write them.

use core::fmt;

/// A finite number: a 64-bit integer, signed or not, or a double.
#[derive(Clone, Copy, PartialEq)]
pub struct Number(Form);

/// Integers that are not negative are always `Unsigned`, so that equal numbers compare equal.
#[derive(Clone, Copy, PartialEq)]
enum Form {
    Unsigned(u64),
    Negative(i64),
    Float(f64),
}

impl Number {
    /// The number as an `i64`, if it is an integer and fits.
    #[must_use]
    pub fn as_i64(self) -> Option<i64> {
        match self.0 {
            Form::Unsigned(value) => i64::try_from(value).ok(),
            Form::Negative(value) => Some(value),
            Form::Float(_) => None,
        }
    }

    /// The number as a `u64`, if it is an integer and not negative.
    #[must_use]
    pub fn as_u64(self) -> Option<u64> {
        match self.0 {
            Form::Unsigned(value) => Some(value),
            Form::Negative(_) | Form::Float(_) => None,
        }
    }

    /// The nearest double.
    #[must_use]
    pub fn as_f64(self) -> f64 {
        match self.0 {
            Form::Unsigned(value) => value as f64,
            Form::Negative(value) => value as f64,
            Form::Float(value) => value,
        }
    }

    /// Whether it was written as an integer (`5`, not `5.0`).
    #[must_use]
    pub fn is_integer(self) -> bool {
        !matches!(self.0, Form::Float(_))
    }

    pub(crate) fn to_json(self) -> serde_json::Value {
        match self.0 {
            Form::Unsigned(value) => value.into(),
            Form::Negative(value) => value.into(),
            Form::Float(value) => value.into(),
        }
    }

    /// A decimal integer: an optional sign and digits only.
    pub(crate) fn integer(text: &str) -> Option<Number> {
        let digits = text.strip_prefix('+').unwrap_or(text);
        if let Ok(value) = digits.parse::<u64>() {
            return Some(Number(Form::Unsigned(value)));
        }
        match digits.parse::<i64>() {
            Ok(0) => Some(Number(Form::Unsigned(0))),
            Ok(value) => Some(Number(Form::Negative(value))),
            Err(_) => None,
        }
    }

    /// A decimal number with a fraction or an exponent; `None` if too large for a double.
    pub(crate) fn float(text: &str) -> Option<Number> {
        let value = text.parse::<f64>().ok()?;
        value.is_finite().then_some(Number(Form::Float(value)))
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Form::Unsigned(value) => write!(f, "{value}"),
            Form::Negative(value) => write!(f, "{value}"),
            Form::Float(value) => write!(f, "{value:?}"),
        }
    }
}

impl fmt::Debug for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Number({self})")
    }
}
