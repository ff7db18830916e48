//! Reading replies within limits: what is not the expected kind, too long, or not text is an
//! error that says so.

use alloc::format;
use alloc::string::String;

use serde::de::DeserializeOwned;

use crate::names::shown;
use crate::{Fence, Reply, RouterError, RouterErrorKind};

/// The longest reply of a router that is read, in bytes.
pub const REPLY_BYTES_MAX: usize = 4 << 20;

pub(crate) fn unreadable(why: String) -> RouterError {
    RouterError::new(RouterErrorKind::Unreadable, why)
}

/// A whole HTTP answer.
pub(crate) struct Answered<'a> {
    pub(crate) status: u16,
    headers: &'a [(String, String)],
    pub(crate) body: &'a [u8],
}

impl<'a> Answered<'a> {
    /// The first field of this name, given in lower case.
    pub(crate) fn header(&self, name: &str) -> Option<&'a str> {
        self.headers
            .iter()
            .find(|(given, _)| given.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// The content as JSON; unknown members are ignored, for the format is a foreign one.
    pub(crate) fn json<T: DeserializeOwned>(&self, what: &str) -> Result<T, RouterError> {
        serde_json::from_slice(self.body)
            .map_err(|error| unreadable(format!("{what} cannot be read: {error}")))
    }

    /// The content as text.
    pub(crate) fn text(&self, what: &str) -> Result<&'a str, RouterError> {
        core::str::from_utf8(self.body)
            .map_err(|_| unreadable(format!("{what} cannot be read: it is not UTF-8")))
    }
}

fn within_limit(bytes: &[u8]) -> Result<(), RouterError> {
    if bytes.len() > REPLY_BYTES_MAX {
        return Err(unreadable(format!(
            "the router's reply has over {REPLY_BYTES_MAX} bytes"
        )));
    }
    Ok(())
}

/// An HTTP answer of any status.
pub(crate) fn any_answer(reply: &Reply) -> Result<Answered<'_>, RouterError> {
    let Reply::Answered {
        status,
        headers,
        body,
    } = reply
    else {
        return Err(unreadable("an HTTP answer was expected".into()));
    };
    within_limit(body)?;
    Ok(Answered {
        status: *status,
        headers,
        body,
    })
}

/// An HTTP answer that says 200 to 299, or the fault it says.
pub(crate) fn answer(reply: &Reply) -> Result<Answered<'_>, RouterError> {
    let answered = any_answer(reply)?;
    let kind = match answered.status {
        200..=299 => return Ok(answered),
        409 | 412 => RouterErrorKind::Stale,
        400..=499 => RouterErrorKind::Refused,
        500..=599 => RouterErrorKind::Failed,
        _ => RouterErrorKind::Unreadable,
    };
    Err(said_no(kind, answered.status, answered.body))
}

pub(crate) fn said_no(kind: RouterErrorKind, status: u16, body: &[u8]) -> RouterError {
    let reason = String::from_utf8_lossy(body);
    RouterError::new(
        kind,
        format!("the router answered {status}: {}", shown(reason.trim())),
    )
}

/// What was read from a socket.
pub(crate) fn said(reply: &Reply) -> Result<&str, RouterError> {
    let Reply::Said(bytes) = reply else {
        return Err(unreadable("a reply from the socket was expected".into()));
    };
    within_limit(bytes)?;
    core::str::from_utf8(bytes).map_err(|_| unreadable("the router's reply is not UTF-8".into()))
}

/// That a file was written.
pub(crate) fn written(reply: &Reply) -> Result<(), RouterError> {
    match reply {
        Reply::Written => Ok(()),
        _ => Err(unreadable("a written file was expected".into())),
    }
}

/// That a program ended with 0, or what it wrote.
pub(crate) fn ran(program: &str, reply: &Reply, kind: RouterErrorKind) -> Result<(), RouterError> {
    let Reply::Ran { code, output } = reply else {
        return Err(unreadable("a program's end was expected".into()));
    };
    let last = || {
        let from = output.len().saturating_sub(REPLY_BYTES_MAX);
        let text = String::from_utf8_lossy(&output[from..]);
        // The first line that names a fault says more than the last, which says that there was one.
        let lines = || text.lines().filter(|line| !line.trim().is_empty());
        let line = lines()
            .find(|line| line.contains("[emerg]"))
            .or_else(|| lines().next_back());
        shown(line.unwrap_or("it says nothing").trim())
    };
    match code {
        Some(0) => Ok(()),
        Some(code) => Err(RouterError::new(
            kind,
            format!("`{program}` ended with {code}: {}", last()),
        )),
        None => Err(RouterError::new(
            RouterErrorKind::Failed,
            format!("`{program}` was ended by a signal: {}", last()),
        )),
    }
}

/// The reply at this place.
pub(crate) fn nth<'a>(
    replies: &'a [Reply],
    at: usize,
    what: &str,
) -> Result<&'a Reply, RouterError> {
    replies
        .get(at)
        .ok_or_else(|| unreadable(format!("{what} was not asked")))
}

/// A fence as routers carry it for us: `epoch.generation`.
pub(crate) fn fence_label(fence: Fence) -> String {
    format!("{}.{}", fence.epoch, fence.generation)
}

/// Reads [`fence_label`] back; nothing else is a fence.
pub(crate) fn parse_fence(label: &str) -> Option<Fence> {
    let (epoch, generation) = label.split_once('.')?;
    let number = |text: &str| {
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        digits.then(|| text.parse().ok()).flatten()
    };
    Some(Fence {
        epoch: number(epoch)?,
        generation: number(generation)?,
    })
}
