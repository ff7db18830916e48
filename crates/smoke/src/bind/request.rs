//! The pieces of a request that a suite's texts become, and what can be wrong with them.

use std::borrow::Cow;

use bytes::Bytes;
use http::Uri;
use http::uri::PathAndQuery;
use nonevent_document::Finding;
use serde_json::Value as Json;

use crate::bind::template::{Bindings, Piece};
use crate::codes;
use crate::judge::excerpt::visible;
use crate::suite::model::{JsonTemplate, Place};

/// Why a text is no path of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PathProblem {
    NoSlash,
    Fragment,
    Characters,
}

impl PathProblem {
    pub(crate) fn finding(self, place: &Place, path: &str) -> Finding {
        let (why, help) = match self {
            PathProblem::NoSlash => (
                "does not begin with `/`",
                "write a path on the target such as /health; the host comes from the target",
            ),
            PathProblem::Fragment => ("has a `#`", "remove the fragment: it is never sent"),
            PathProblem::Characters => (
                "has characters that no URL has",
                "percent-encode them, such as %20 for a space",
            ),
        };
        place.error(
            codes::BAD_VALUE,
            format!("the path `{}` {why}", visible(path)),
            help,
        )
    }
}

/// The base's path and a test's: what the request line asks for.
pub(crate) fn request_path(base: &str, path: &str) -> Result<Uri, PathProblem> {
    if !path.is_empty() && !path.starts_with('/') {
        return Err(PathProblem::NoSlash);
    }
    if path.contains('#') {
        return Err(PathProblem::Fragment);
    }
    let joint = if base.is_empty() {
        Cow::Borrowed(path)
    } else {
        Cow::Owned([base, path].concat())
    };
    let joint = if joint.is_empty() { "/" } else { &joint };
    if !joint.is_ascii() {
        return Err(PathProblem::Characters);
    }
    let parsed = PathAndQuery::try_from(joint).map_err(|_| PathProblem::Characters)?;
    Ok(Uri::from(parsed))
}

/// A text as a part of a query or of a form: everything but RFC 3986's unreserved characters is
/// percent-encoded.
pub(crate) fn percent_encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

impl JsonTemplate {
    /// The value with its references replaced; the error is the first one that is not bound.
    pub(crate) fn render(&self, bindings: &Bindings<'_>) -> Result<Json, Piece> {
        Ok(match self {
            JsonTemplate::Fixed(value) => value.clone(),
            JsonTemplate::Text(text) => Json::String(text.render(bindings)?),
            JsonTemplate::Array(items) => Json::Array(
                items
                    .iter()
                    .map(|item| item.render(bindings))
                    .collect::<Result<_, _>>()?,
            ),
            JsonTemplate::Object(members) => Json::Object(
                members
                    .iter()
                    .map(|(key, value)| Ok((key.clone(), value.render(bindings)?)))
                    .collect::<Result<_, _>>()?,
            ),
        })
    }
}

/// What is sent of a JSON value.
pub(crate) fn json_bytes(value: &Json) -> Bytes {
    Bytes::from(value.to_string())
}

#[cfg(test)]
mod tests {
    use super::{PathProblem, request_path};

    #[test]
    fn paths_are_joined_and_checked() {
        let good = [
            ("", "", "/"),
            ("", "/", "/"),
            ("", "/a?b=c&d=%20", "/a?b=c&d=%20"),
            ("/v2", "/a", "/v2/a"),
            ("/v2", "", "/v2"),
            ("", "//a", "//a"),
        ];
        for (base, path, wanted) in good {
            assert_eq!(request_path(base, path).expect(path).to_string(), wanted);
        }
        let bad = [
            ("health", PathProblem::NoSlash),
            ("http://b.example/", PathProblem::NoSlash),
            ("?q=1", PathProblem::NoSlash),
            ("/a#b", PathProblem::Fragment),
            ("/a b", PathProblem::Characters),
            ("/é", PathProblem::Characters),
            ("/a\r\nx: y", PathProblem::Characters),
        ];
        for (path, problem) in bad {
            assert_eq!(request_path("", path).expect_err(path), problem, "{path}");
        }
    }
}
