//! A body as a JSON value, if that is not far larger than the body.

use serde_json::Value as Json;

use crate::trouble::{Cause, Trouble};

/// Memory that a body may take as a value, as estimated from its text: 40 MiB. Small objects take
/// nearly a hundred times what they do as text.
const VALUE_BYTES_MAX: usize = 40 * 1024 * 1024;
/// A map's first node, which has room for eleven members.
const OBJECT_BYTES: usize = 640;
/// A list's first room, which is for four values.
const LIST_BYTES: usize = 160;
/// A further member or value, with the room that is kept for more.
const ITEM_BYTES: usize = 96;
/// What a string takes beside its text.
const STRING_BYTES: usize = 32;

/// Parses a body.
///
/// # Errors
///
/// Cause [`Cause::Limit`] if it would take too much memory, [`Cause::Assertion`] if it is no JSON.
pub(super) fn parse(body: &[u8]) -> Result<Json, Trouble> {
    if value_bytes(body) > VALUE_BYTES_MAX {
        let max = VALUE_BYTES_MAX / (1024 * 1024);
        let message = format!("the body takes over {max} MiB of memory as JSON, and was not read");
        return Err(Trouble::new(Cause::Limit, message));
    }
    // The error tells a place and shows nothing of the body.
    serde_json::from_slice(body).map_err(|error| Trouble::new(Cause::Assertion, error.to_string()))
}

/// About what a text takes as a value, without reading it whole where it is too much.
fn value_bytes(text: &[u8]) -> usize {
    let mut bytes = 0_usize;
    let (mut in_string, mut escaped) = (false, false);
    for byte in text {
        bytes += match byte {
            _ if escaped => {
                escaped = false;
                1
            }
            b'\\' if in_string => {
                escaped = true;
                1
            }
            b'"' => {
                in_string = !in_string;
                if in_string { STRING_BYTES } else { 0 }
            }
            _ if in_string => 1,
            b'{' => OBJECT_BYTES,
            b'[' => LIST_BYTES,
            b',' => ITEM_BYTES,
            _ => 0,
        };
        if bytes > VALUE_BYTES_MAX {
            break;
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::{ITEM_BYTES, LIST_BYTES, OBJECT_BYTES, STRING_BYTES, value_bytes};

    #[test]
    fn what_a_value_takes_is_read_off_its_text() {
        let cases = [
            ("", 0),
            ("12", 0),
            ("[]", LIST_BYTES),
            ("[1, 2, 3]", LIST_BYTES + 2 * ITEM_BYTES),
            (r#"{"ab": 1}"#, OBJECT_BYTES + STRING_BYTES + 2),
            // What is in a string is text.
            (r#""[{,\",,\\""#, STRING_BYTES + 9),
            (
                r#"["\\", "x"]"#,
                LIST_BYTES + ITEM_BYTES + 2 * STRING_BYTES + 3,
            ),
        ];
        for (text, bytes) in cases {
            assert_eq!(value_bytes(text.as_bytes()), bytes, "{text}");
        }
    }
}
