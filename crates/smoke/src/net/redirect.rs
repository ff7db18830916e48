//! Where a redirect leads, and what of the request goes there (RFC 9110, section 15.4).

use bytes::Bytes;
use fluent_uri::{Uri as AbsoluteUri, UriRef};
use http::header::{
    ACCEPT, ACCEPT_ENCODING, CONTENT_TYPE, HOST, HeaderValue, LOCATION, USER_AGENT,
};
use http::{HeaderMap, Method, Uri};

use crate::judge::excerpt::head;
use crate::net::exchange::{Answer, Call};
use crate::net::route::{Origin, OriginProblem};
use crate::trouble::{Cause, Trouble};

/// Characters that are shown of where a redirect leads.
const LOCATION_CHARS_MAX: usize = 400;

/// The next request.
#[derive(Debug)]
pub(crate) struct Next {
    pub(crate) origin: Origin,
    pub(crate) call: Call,
    pub(crate) url: String,
}

/// Whether a status says that the answer is elsewhere.
pub(crate) fn is_redirect(status: u16) -> bool {
    matches!(status, 301 | 302 | 303 | 307 | 308)
}

/// What is asked for next after a redirect. Nothing if the answer names no other place.
///
/// # Errors
///
/// Where it leads from https to http, or to what is no URL.
pub(crate) fn next(from: &Origin, call: &Call, answer: &Answer) -> Result<Option<Next>, Trouble> {
    let Some(location) = answer.headers.get(LOCATION) else {
        return Ok(None);
    };
    let location = String::from_utf8_lossy(location.as_bytes()).into_owned();
    let bad = |why: &str| {
        let shown = head(&without_credentials(&location), LOCATION_CHARS_MAX);
        let message = format!("it redirects to `{shown}`, {why}");
        Trouble::new(Cause::Redirect, message)
    };
    let base =
        AbsoluteUri::parse(answer.url.as_str()).map_err(|_| bad("which cannot be resolved"))?;
    let to = UriRef::parse(location.as_str())
        .ok()
        .and_then(|to| to.resolve_against(&base).ok())
        .ok_or_else(|| bad("which is no URL"))?;
    let url = to.as_str().split('#').next().unwrap_or_default().to_owned();
    let uri: Uri = url.parse().map_err(|_| bad("which is no URL"))?;
    let origin = Origin::of(&uri).map_err(|problem| {
        bad(match problem {
            OriginProblem::Credentials => "with credentials, which are never sent",
            _ => "which is no http or https URL of a host",
        })
    })?;
    if from.https && !origin.https {
        return Err(bad("from https to http, which is never followed"));
    }
    let path = uri.path_and_query().cloned().map(Uri::from);
    let mut call = followed(call, answer.status);
    call.uri = path.unwrap_or_else(|| Uri::from_static("/"));
    if origin != *from {
        call.headers = impersonal(&call.headers);
        let host = HeaderValue::from_str(&origin.authority);
        call.headers
            .insert(HOST, host.map_err(|_| bad("which names no host"))?);
    }
    Ok(Some(Next { origin, call, url }))
}

/// A URL as it may be shown.
fn without_credentials(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("//") else {
        return url.to_owned();
    };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    match authority.rsplit_once('@') {
        Some((_, host)) => format!("{scheme}//***@{host}{path}"),
        None => url.to_owned(),
    }
}

/// The request that a status asks for: 307 and 308 repeat it, the others get.
fn followed(call: &Call, status: u16) -> Call {
    let mut call = call.clone();
    let keeps_method =
        matches!(status, 307 | 308) || matches!(call.method, Method::GET | Method::HEAD);
    if !keeps_method {
        call.method = Method::GET;
        call.body = Bytes::new();
        call.headers.remove(CONTENT_TYPE);
    }
    call
}

/// What may go to another origin than the one the test is written for: only what the runner
/// itself says of each request, and what kind of body it has.
fn impersonal(headers: &HeaderMap) -> HeaderMap {
    let mut kept = HeaderMap::new();
    if let Some(kind) = headers.get(CONTENT_TYPE) {
        kept.insert(CONTENT_TYPE, kind.clone());
    }
    kept.insert(USER_AGENT, HeaderValue::from_static(crate::bind::AGENT));
    kept.insert(ACCEPT, HeaderValue::from_static("*/*"));
    kept.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    kept
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::{HeaderMap, Method, Uri};

    use super::{Next, next};
    use crate::net::exchange::{Answer, Call};
    use crate::net::route::Origin;
    use crate::trouble::Trouble;

    fn go(
        from: &str,
        method: Method,
        status: u16,
        location: &str,
    ) -> Result<Option<Next>, Trouble> {
        let uri: Uri = from.parse().expect("a URL");
        let origin = Origin::of(&uri).expect("an origin");
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("authorization", "Bearer x"),
            ("host", "a.example"),
            ("x-own", "1"),
        ] {
            headers.insert(name, value.parse().expect("a value"));
        }
        let call = Call {
            method,
            uri: Uri::from(uri.path_and_query().expect("a path").clone()),
            headers,
            body: Bytes::from_static(b"body"),
        };
        let mut headers = HeaderMap::new();
        headers.insert("location", location.parse().expect("a value"));
        let answer = Answer {
            status,
            url: from.to_owned(),
            headers,
            body: Bytes::new(),
            coding: None,
        };
        next(&origin, &call, &answer)
    }

    #[test]
    fn a_location_is_resolved() {
        let cases = [
            ("http://a.example/x/y?q=1", "/z", "http://a.example/z"),
            ("http://a.example/x/y", "z", "http://a.example/x/z"),
            (
                "http://a.example/x/y",
                "../z?a=b#c",
                "http://a.example/z?a=b",
            ),
            ("http://a.example/x", "?a=b", "http://a.example/x?a=b"),
            ("https://a.example/x", "//b.example", "https://b.example"),
            (
                "http://a.example/x",
                "https://a.example/x",
                "https://a.example/x",
            ),
        ];
        for (from, location, url) in cases {
            let next = go(from, Method::GET, 302, location)
                .expect(location)
                .expect(location);
            assert_eq!(next.url, url, "{from} to {location}");
        }
    }

    #[test]
    fn what_must_not_be_followed_is_not() {
        for (from, location) in [
            ("https://a.example/", "http://a.example/"),
            ("http://a.example/", "ftp://a.example/"),
            ("http://a.example/", "http://me:pw@a.example/"),
            ("http://a.example/", "http://a b/"),
            ("http://a.example/", "javascript:alert(1)"),
        ] {
            assert!(go(from, Method::GET, 302, location).is_err(), "{location}");
        }
    }

    #[test]
    fn the_method_changes_as_the_status_says() {
        let method = |status, method| {
            let next = go("http://a.example/", method, status, "/z").expect("ok");
            let call = next.expect("a redirect").call;
            (call.method.to_string(), call.body.len())
        };
        for status in [301, 302, 303] {
            assert_eq!(method(status, Method::POST), ("GET".to_owned(), 0));
            assert_eq!(method(status, Method::HEAD), ("HEAD".to_owned(), 4));
        }
        for status in [307, 308] {
            assert_eq!(method(status, Method::POST), ("POST".to_owned(), 4));
        }
    }

    #[test]
    fn another_origin_is_told_nothing_of_the_test() {
        let headers = |location| {
            let next = go("http://a.example/", Method::GET, 302, location).expect("ok");
            next.expect("a redirect").call.headers
        };
        let same = headers("/z");
        assert!(same.contains_key("authorization") && same.contains_key("x-own"));
        for location in [
            "http://b.example/",
            "http://a.example:81/",
            "https://a.example/",
        ] {
            let other = headers(location);
            assert!(!other.contains_key("authorization"), "{location}");
            assert!(!other.contains_key("x-own"), "{location}");
            assert_ne!(other["host"], "a.example:80");
        }
    }
}
