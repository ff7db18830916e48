//! Requests as values: a dialect builds them, somebody else sends them.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

/// The method of a [`Request`] (RFC 9110 §9).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Method {
    /// `GET`
    Get,
    /// `PUT`
    Put,
    /// `POST`
    Post,
    /// `PATCH` (RFC 5789)
    Patch,
}

impl Method {
    /// The method's token, such as `PUT`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Method::Get => "GET",
            Method::Put => "PUT",
            Method::Post => "POST",
            Method::Patch => "PATCH",
        }
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// One HTTP request to a router's control interface.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Request {
    /// Its method.
    pub method: Method,
    /// The path and query, beginning with `/`.
    pub path: String,
    /// Header fields, names in lower case. `Host` and `Content-Length` are the sender's matter.
    pub headers: Vec<(String, String)>,
    /// The content; empty for none.
    pub body: Vec<u8>,
}

/// One HTTP answer from a router's control interface.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Answer {
    /// The status code, 100 to 599.
    pub status: u16,
    /// The content.
    pub body: Vec<u8>,
}
