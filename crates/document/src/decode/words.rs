//! What serde says about Rust types, in the words of a document's author.

use alloc::format;
use alloc::string::{String, ToString};

use serde::de::{Expected, Unexpected};

use crate::text::shown;

/// What stands in the document.
pub(super) fn found(unexpected: &Unexpected<'_>) -> String {
    match unexpected {
        Unexpected::Bool(value) => format!("`{value}`"),
        Unexpected::Unsigned(value) => format!("the number {value}"),
        Unexpected::Signed(value) => format!("the number {value}"),
        Unexpected::Float(value) => format!("the number {value:?}"),
        Unexpected::Char(value) => format!("the text `{value}`"),
        Unexpected::Str(text) => format!("the text `{}`", shown(text)),
        Unexpected::Unit | Unexpected::Option => String::from("nothing"),
        Unexpected::Seq | Unexpected::TupleVariant => String::from("a list"),
        Unexpected::Map | Unexpected::StructVariant => String::from("a mapping"),
        Unexpected::Bytes(_) => String::from("bytes"),
        Unexpected::Enum | Unexpected::UnitVariant => String::from("a name"),
        Unexpected::NewtypeStruct | Unexpected::NewtypeVariant => String::from("a value"),
        Unexpected::Other(what) => String::from(*what),
    }
}

/// What the type asks for.
pub(super) fn expected(expected: &dyn Expected) -> String {
    let rust = expected.to_string();
    let words = match rust.as_str() {
        "a boolean" => "`true` or `false`",
        "u8" => "a whole number from 0 to 255",
        "u16" => "a whole number from 0 to 65535",
        "u32" => "a whole number from 0 to 4294967295",
        "u64" | "usize" | "u128" => "a whole number, not negative",
        "i8" => "a whole number from -128 to 127",
        "i16" => "a whole number from -32768 to 32767",
        "i32" => "a whole number from -2147483648 to 2147483647",
        "i64" | "isize" | "i128" => "a whole number",
        "f32" | "f64" => "a number",
        "a nonzero u8" | "a nonzero u16" | "a nonzero u32" | "a nonzero u64"
        | "a nonzero usize" => "a whole number from 1 on",
        "a string" | "a borrowed string" | "path string" => "text",
        "a character" => "a text of one character",
        "a map" => "a mapping",
        "a sequence" => "a list",
        "unit" => "nothing",
        "variant identifier" => "a name",
        _ if rust.starts_with("struct ") || rust.contains(" tagged enum ") => "a mapping",
        _ if rust.starts_with("enum ") => "a name, or a mapping with one name as its key",
        _ if rust.starts_with("tuple ") || rust.starts_with("a tuple ") => "a list",
        _ => return rust,
    };
    String::from(words)
}

/// What to do about a value of the wrong type.
pub(super) fn advice(unexpected: &Unexpected<'_>, expected: &str) -> &'static str {
    match unexpected {
        Unexpected::Bool(_)
        | Unexpected::Unsigned(_)
        | Unexpected::Signed(_)
        | Unexpected::Float(_)
            if expected == "text" =>
        {
            "put it in quotes"
        }
        Unexpected::Str("yes" | "no" | "on" | "off" | "Yes" | "No" | "On" | "Off")
            if expected == "`true` or `false`" =>
        {
            "write `true` or `false`; YAML 1.2 reads `yes`, `no`, `on` and `off` as text"
        }
        Unexpected::Str(text) if expected.contains("number") && is_number(text) => {
            "remove the quotes"
        }
        Unexpected::Str(text) if expected.contains("number") && is_number(&bare(text)) => {
            "write digits only, without separators"
        }
        Unexpected::Unit => "write a value",
        _ => "change it to what is expected",
    }
}

/// Whether it is a number in decimal; words such as `Infinity` are none.
fn is_number(text: &str) -> bool {
    text.parse::<f64>().is_ok_and(f64::is_finite)
}

/// The text without what people write between a number's digits.
fn bare(text: &str) -> String {
    text.replace(['_', ',', '\'', ' '], "")
}
