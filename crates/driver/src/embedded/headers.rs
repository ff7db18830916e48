//! What a proxy does to header fields (RFC 9110 §7.6, RFC 9112 §3.2.2).

use std::net::{IpAddr, SocketAddr};

use http::header::{
    CONNECTION, CONTENT_LENGTH, HOST, HeaderMap, HeaderName, HeaderValue, TE, TRAILER,
    TRANSFER_ENCODING, UPGRADE, VIA,
};
use http::uri::PathAndQuery;
use http::{Uri, Version, request, response};

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const OURS: HeaderValue = HeaderValue::from_static("1.1 nonevent");

/// Fields that concern one connection only, whether `Connection` names them or not.
const HOP_BY_HOP: [HeaderName; 9] = [
    CONNECTION,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
    http::header::PROXY_AUTHENTICATE,
    http::header::PROXY_AUTHORIZATION,
    TE,
    TRAILER,
    TRANSFER_ENCODING,
    UPGRADE,
];

/// Fields meant for every recipient: `Connection` must not name them (RFC 9110 §7.6.1), and a
/// client that does so tries to make them vanish between two readers.
const END_TO_END: [HeaderName; 4] = [HOST, CONTENT_LENGTH, VIA, X_FORWARDED_FOR];

/// The protocol that a request asks to upgrade to, if the router will tunnel it.
///
/// `h2c` is not: it would carry requests that no counter sees.
pub(super) fn upgrade_wanted(head: &request::Parts) -> Option<HeaderValue> {
    if head.version != Version::HTTP_11 || !names_upgrade(&head.headers) {
        return None;
    }
    let protocol = head.headers.get(UPGRADE)?;
    let plain = !tokens(protocol).any(|token| token.eq_ignore_ascii_case("h2c"));
    plain.then(|| protocol.clone())
}

/// The protocol that an answer switched to.
pub(super) fn upgrade_given(head: &response::Parts) -> Option<HeaderValue> {
    head.headers.get(UPGRADE).cloned()
}

fn names_upgrade(headers: &HeaderMap) -> bool {
    headers
        .get_all(CONNECTION)
        .iter()
        .flat_map(tokens)
        .any(|option| option.eq_ignore_ascii_case("upgrade"))
}

fn tokens(value: &HeaderValue) -> impl Iterator<Item = &str> {
    value
        .to_str()
        .unwrap_or_default()
        .split(',')
        .map(str::trim)
        .filter(|token| !token.is_empty())
}

/// Makes the head of a client's request fit to be sent to an instance by the router at `listen`.
pub(super) fn to_instance(
    head: &mut request::Parts,
    client: IpAddr,
    listen: SocketAddr,
    upgrade: Option<&HeaderValue>,
) {
    head.extensions.clear();
    // The length of a chunked body is the chunks' matter; a length beside it is an attack.
    if head.headers.contains_key(TRANSFER_ENCODING) {
        head.headers.remove(CONTENT_LENGTH);
    }
    let came_as = head.version;
    strip(&mut head.headers);
    if let Some(protocol) = upgrade {
        switch(&mut head.headers, protocol);
    }
    set_host(head, listen);
    append(&mut head.headers, X_FORWARDED_FOR, &client.to_string());
    add_via(&mut head.headers, came_as);
    head.version = Version::HTTP_11;
}

/// Makes the head of an instance's answer fit to be sent to a client.
pub(super) fn to_client(head: &mut response::Parts, upgrade: Option<&HeaderValue>) {
    head.extensions.clear();
    if head.headers.contains_key(TRANSFER_ENCODING) {
        head.headers.remove(CONTENT_LENGTH);
    }
    let came_as = head.version;
    strip(&mut head.headers);
    if let Some(protocol) = upgrade {
        switch(&mut head.headers, protocol);
    }
    add_via(&mut head.headers, came_as);
    head.version = Version::HTTP_11;
}

fn strip(headers: &mut HeaderMap) {
    let named: Vec<HeaderName> = headers
        .get_all(CONNECTION)
        .iter()
        .flat_map(tokens)
        .filter_map(|option| option.parse().ok())
        .filter(|name| !END_TO_END.contains(name))
        .collect();
    for name in named.iter().chain(&HOP_BY_HOP) {
        headers.remove(name);
    }
}

fn switch(headers: &mut HeaderMap, protocol: &HeaderValue) {
    headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
    headers.insert(UPGRADE, protocol.clone());
}

/// Turns an absolute request target into a path; the host it names outranks the `Host` field.
fn set_host(head: &mut request::Parts, listen: SocketAddr) {
    let authority = head.uri.authority().map(|a| {
        // A user name before the host was never part of `Host`.
        let text = a.as_str();
        text.rsplit_once('@')
            .map_or(text, |(_, host)| host)
            .to_owned()
    });
    if let Some(value) = authority.and_then(|host| HeaderValue::try_from(host).ok()) {
        head.headers.insert(HOST, value);
    }
    // An HTTP/1.0 client may leave it out; HTTP/1.1 demands it.
    if !head.headers.contains_key(HOST)
        && let Ok(value) = HeaderValue::try_from(listen.to_string())
    {
        head.headers.insert(HOST, value);
    }
    let path = head.uri.path_and_query().cloned();
    head.uri = path
        .unwrap_or_else(|| PathAndQuery::from_static("/"))
        .into();
    if head.uri.path().is_empty() {
        head.uri = Uri::from_static("/");
    }
}

fn add_via(headers: &mut HeaderMap, came_as: Version) {
    let protocol = if came_as == Version::HTTP_10 {
        HeaderValue::from_static("1.0 nonevent")
    } else {
        OURS
    };
    headers.append(VIA, protocol);
}

/// Adds to a list field, keeping it one line: several lines are read differently by different
/// servers.
fn append(headers: &mut HeaderMap, name: HeaderName, item: &str) {
    let mut list: Vec<u8> = Vec::new();
    for value in headers.get_all(&name) {
        list.extend_from_slice(value.as_bytes());
        list.extend_from_slice(b", ");
    }
    list.extend_from_slice(item.as_bytes());
    if let Ok(value) = HeaderValue::from_bytes(&list) {
        headers.insert(name, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(fields: &[(&'static str, &str)], target: &str) -> request::Parts {
        let mut builder = http::Request::builder().uri(target);
        for (name, value) in fields {
            builder = builder.header(*name, *value);
        }
        builder.body(()).expect("a request").into_parts().0
    }

    fn sent(fields: &[(&'static str, &str)], target: &str) -> request::Parts {
        let mut head = request(fields, target);
        let upgrade = upgrade_wanted(&head);
        let listen = "127.0.0.1:9001".parse().expect("an address");
        let client = "192.0.2.7".parse().expect("an address");
        to_instance(&mut head, client, listen, upgrade.as_ref());
        head
    }

    fn text(head: &request::Parts) -> Vec<String> {
        let mut lines: Vec<String> = head
            .headers
            .iter()
            .map(|(name, value)| format!("{name}: {}", value.to_str().expect("ASCII")))
            .collect();
        lines.sort();
        lines
    }

    #[test]
    fn fields_of_the_connection_stay_behind() {
        let head = sent(
            &[
                ("host", "shop.example"),
                ("connection", "close, X-Secret"),
                ("connection", "keep-alive"),
                ("keep-alive", "timeout=5"),
                ("proxy-authorization", "Basic eA=="),
                ("proxy-connection", "keep-alive"),
                ("te", "trailers"),
                ("trailer", "x-checksum"),
                ("transfer-encoding", "chunked"),
                ("content-length", "5"),
                ("upgrade", "websocket"),
                ("x-secret", "1"),
                ("cookie", "a=b"),
            ],
            "/path?q=1",
        );
        assert_eq!(
            text(&head),
            [
                "cookie: a=b",
                "host: shop.example",
                "via: 1.1 nonevent",
                "x-forwarded-for: 192.0.2.7",
            ]
        );
        assert_eq!(head.uri, "/path?q=1");
    }

    #[test]
    fn connection_cannot_remove_what_is_meant_for_all() {
        let head = sent(
            &[
                ("host", "shop.example"),
                ("connection", "host, x-forwarded-for, via"),
                ("x-forwarded-for", "198.51.100.1"),
                ("x-forwarded-for", "198.51.100.2"),
            ],
            "/",
        );
        assert_eq!(
            text(&head),
            [
                "host: shop.example",
                "via: 1.1 nonevent",
                "x-forwarded-for: 198.51.100.1, 198.51.100.2, 192.0.2.7",
            ]
        );
    }

    #[test]
    fn an_absolute_target_names_the_host() {
        let head = sent(
            &[("host", "other.example")],
            "http://me@shop.example:81/a?b",
        );
        assert_eq!(head.uri, "/a?b");
        assert_eq!(head.headers[HOST], "shop.example:81");
        let head = sent(&[], "/");
        assert_eq!(head.headers[HOST], "127.0.0.1:9001");
    }

    #[test]
    fn an_upgrade_is_put_back_but_not_h2c() {
        let fields = [("connection", "Upgrade"), ("upgrade", "websocket")];
        let head = sent(&fields, "/");
        assert_eq!(head.headers[CONNECTION], "upgrade");
        assert_eq!(head.headers[UPGRADE], "websocket");

        let fields = [("connection", "upgrade"), ("upgrade", "h2c, websocket")];
        assert!(!sent(&fields, "/").headers.contains_key(UPGRADE));
        assert!(
            !sent(&[("upgrade", "websocket")], "/")
                .headers
                .contains_key(UPGRADE)
        );
    }
}
