//! A request as a value that any HTTP client can send.

use alloc::string::String;
use alloc::vec::Vec;

use super::error::MetricsError;

/// What to send. The host, the scheme and the credentials are the sender's.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct HttpRequest {
    /// `GET` or `POST`.
    pub method: Method,
    /// Path and query, percent-encoded, beginning with `/`.
    pub target: String,
    /// Names in lower case, and values; those for credentials are to be added.
    pub headers: Vec<(&'static str, &'static str)>,
    /// The body; empty for `GET`.
    pub body: Vec<u8>,
}

/// The methods that metric sources are asked with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Method {
    /// Without a body.
    Get,
    /// With a form as the body.
    Post,
}

impl Method {
    /// As it stands in a request line.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
        }
    }
}

impl HttpRequest {
    pub(crate) fn get(path: &str, form: &str) -> Self {
        let mut target = String::from(path);
        if !form.is_empty() {
            target.push('?');
            target.push_str(form);
        }
        Self {
            method: Method::Get,
            target,
            headers: alloc::vec![("accept", "application/json")],
            body: Vec::new(),
        }
    }

    pub(crate) fn post_form(path: &str, form: String) -> Self {
        Self {
            method: Method::Post,
            target: String::from(path),
            headers: alloc::vec![
                ("accept", "application/json"),
                ("content-type", "application/x-www-form-urlencoded"),
            ],
            body: form.into_bytes(),
        }
    }
}

/// Adds `name=value`, encoded so that it is right in a query and in a form: everything but
/// RFC 3986's unreserved characters is written `%XX`, spaces too.
pub(crate) fn add_pair(form: &mut String, name: &str, value: &str) {
    if !form.is_empty() {
        form.push('&');
    }
    encode(form, name);
    form.push('=');
    encode(form, value);
}

fn encode(out: &mut String, text: &str) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            out.push(char::from(byte));
        } else {
            out.push('%');
            out.push(char::from(HEX[usize::from(byte >> 4)]));
            out.push(char::from(HEX[usize::from(byte & 15)]));
        }
    }
}

/// The path that an API lives under, without a slash at its end: `""`, `"/prometheus"`.
pub(crate) fn base_path(text: &str) -> Result<String, MetricsError> {
    let path = text.trim_end_matches('/');
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@/%".contains(&byte);
    let climbs = path.split('/').any(|part| part == ".." || part == ".");
    if (!path.is_empty() && !path.starts_with('/')) || !path.bytes().all(allowed) || climbs {
        return Err(MetricsError::usage(
            "a base path begins with `/` and holds no query, fragment, space or `..`, such as \
             `/prometheus`",
        ));
    }
    Ok(String::from(path))
}
