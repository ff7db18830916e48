//! Values that are taken out of an answer for later tests.

use nonevent_document::Redactor;
use serde_json::Value as Json;

use crate::judge::excerpt::visible;
use crate::judge::parse::parse;
use crate::net::exchange::Answer;
use crate::report::result::Failure;
use crate::suite::model::{Capture, CaptureSource};
use crate::trouble::{Cause, Trouble};

/// Longest value that is kept.
const VALUE_BYTES_MAX: usize = 64 * 1024;

/// The value, or why there is none.
pub(crate) fn capture(
    wanted: &Capture,
    answer: &Answer,
    redactor: &Redactor,
) -> Result<String, Box<Failure>> {
    let fail = |why: String| {
        let message = format!("`{}` is not captured: {why}", wanted.name);
        Box::new(Failure::from(Trouble::new(
            Cause::Assertion,
            redactor.apply(&message),
        )))
    };
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let value = match &wanted.source {
        CaptureSource::Status => answer.status.to_string(),
        CaptureSource::Body => text(&answer.body),
        CaptureSource::Header(name) => answer
            .headers
            .get(name)
            .map(|value| text(value.as_bytes()))
            .ok_or_else(|| fail(format!("there is no header {name}")))?,
        CaptureSource::Cookie(name) => cookie(answer, name)
            .ok_or_else(|| fail(format!("no cookie `{}` is set", visible(name))))?,
        CaptureSource::Json(path) => {
            let body = parse(&answer.body).map_err(|trouble| match trouble.cause {
                Cause::Assertion => fail(format!("the body is no JSON: {}", trouble.message)),
                _ => Box::new(trouble.into()),
            })?;
            match path.find(&body).first() {
                None => return Err(fail(format!("there is nothing at {path}"))),
                Some(Json::String(text)) => text.clone(),
                Some(other) => other.to_string(),
            }
        }
        CaptureSource::Regex(regex) => {
            let body = text(&answer.body);
            let found = regex
                .captures(&body)
                .and_then(|groups| groups.get(1).or_else(|| groups.get(0)))
                .map(|found| found.as_str().to_owned());
            found.ok_or_else(|| fail(format!("nothing matches `{regex}`")))?
        }
    };
    if value.len() > VALUE_BYTES_MAX {
        return Err(fail(format!("it has over {VALUE_BYTES_MAX} bytes")));
    }
    Ok(value)
}

/// The value of a cookie that an answer sets (RFC 6265, section 4.1.1).
fn cookie(answer: &Answer, name: &str) -> Option<String> {
    answer
        .headers
        .get_all(http::header::SET_COOKIE)
        .iter()
        .find_map(|value| {
            let text = String::from_utf8_lossy(value.as_bytes());
            let pair = text.split(';').next().unwrap_or_default();
            let (found, value) = pair.split_once('=')?;
            (found.trim() == name).then(|| value.trim().trim_matches('"').to_owned())
        })
}
