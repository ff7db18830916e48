//! `FEATURE_NAME=value` pairs.

use super::plain;
use crate::codes;
use crate::load::Draft;
use alloc::format;
use alloc::string::String;
use nonevent_document::Finding;

const PREFIX: &str = "FEATURE_";

/// Words that people mean as booleans, and that are not read as such.
const NEARLY_BOOLEAN: [&str; 8] = ["on", "off", "yes", "no", "1", "0", "enabled", "disabled"];

/// Reads one pair; one without the prefix is left alone.
pub(crate) fn read(name: &str, value: &str, draft: &mut Draft) {
    let Some(rest) = name.strip_prefix(PREFIX).filter(|rest| !rest.is_empty()) else {
        return;
    };
    let key: String = rest
        .chars()
        .flat_map(char::to_lowercase)
        .map(|c| if c == '_' { '-' } else { c })
        .collect();
    let value = value.trim();
    if NEARLY_BOOLEAN
        .iter()
        .any(|word| value.eq_ignore_ascii_case(word))
    {
        draft.findings.push(Finding::warning(
            codes::ENVIRONMENT,
            name,
            format!("{value:?} is not read as a boolean"),
            "write true or false",
        ));
    }
    let value = if value.eq_ignore_ascii_case("true") {
        true.into()
    } else if value.eq_ignore_ascii_case("false") {
        false.into()
    } else {
        match serde_json::from_str::<serde_json::Number>(value) {
            Ok(number) => number.into(),
            Err(_) => value.into(),
        }
    };
    draft.flags.push(plain::bare(&key, value, name, None));
}
