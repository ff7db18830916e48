//! What a request is answered: OFREP 0.3
//! (<https://github.com/open-feature/protocol>, `service/openapi.yaml`).

use std::collections::BTreeSet;

use bytes::Bytes;
use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ALLOW, AUTHORIZATION, CACHE_CONTROL,
    CONTENT_TYPE, ETAG, IF_NONE_MATCH, ORIGIN, VARY, WWW_AUTHENTICATE,
};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};
use nonevent_document::{Digest, Timestamp};
use nonevent_flags::{Context, ErrorCode, MetadataView, Reason, Resolution};
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::flag_server::keeper::Kept;

/// All flags; with `/` and a key, one.
const FLAGS: &str = "/ofrep/v1/evaluate/flags";
const HEALTH: &str = "/healthz";
/// Where changes are told as they come: server-sent events (HTML Living Standard, section 9.2).
pub(super) const EVENTS: &str = "/ofrep/v1/events";
/// Seconds after which a client that nobody looks at ends its stream.
const INACTIVITY_SECONDS: u32 = 120;
const API_KEY: &str = "x-api-key";

type Answer = Response<Bytes>;

/// Who may ask.
#[derive(Debug)]
pub(super) struct Access {
    /// Digests of tokens; compared as digests, so that how long it takes tells nothing.
    pub(super) tokens: BTreeSet<Digest>,
    pub(super) origins: Vec<String>,
    /// Who knows it may be told that flags changed: browsers cannot send a token along with that
    /// question. It is made anew at each start and told to whoever may ask for flags.
    pub(super) ticket: String,
}

impl Access {
    /// The answer to a request, by the flags that are in use.
    pub(super) fn answer(&self, kept: &Kept, request: &Request<Bytes>, now: Timestamp) -> Answer {
        let answer = self.routed(kept, request, now);
        self.shared_with_pages(request.headers(), answer)
    }

    /// What a request for the stream of changes is answered, if it may not have it.
    pub(super) fn not_listening<B>(&self, request: &Request<B>) -> Option<Answer> {
        if *request.method() != Method::GET {
            return Some(not_allowed("GET"));
        }
        let query = request.uri().query().unwrap_or_default();
        let ticket = query
            .split('&')
            .find_map(|pair| pair.strip_prefix("ticket="));
        // As digests, so that how long it takes tells nothing.
        let digest = |text: &str| Digest::of(text.as_bytes());
        let is_known = ticket.is_some_and(|ticket| digest(ticket) == digest(&self.ticket));
        if is_known || self.is_known(request.headers()) {
            return None;
        }
        let text =
            "this address is no longer valid: ask for all flags, whose answer has the new one";
        Some(refusal(StatusCode::FORBIDDEN, text))
    }

    /// With what a browser needs to let a page of an allowed origin have it.
    pub(super) fn shared_with_pages<B>(
        &self,
        asked: &HeaderMap,
        mut answer: Response<B>,
    ) -> Response<B> {
        if let Some(origin) = self.allowed_origin(asked) {
            let headers = answer.headers_mut();
            headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
            headers.insert(
                ACCESS_CONTROL_EXPOSE_HEADERS,
                HeaderValue::from_static("etag"),
            );
            headers.append(VARY, HeaderValue::from_static("origin"));
        }
        answer
    }

    fn routed(&self, kept: &Kept, request: &Request<Bytes>, now: Timestamp) -> Answer {
        let path = request.uri().path();
        if path == HEALTH {
            return match *request.method() {
                Method::GET | Method::HEAD => health(kept, now),
                _ => not_allowed("GET, HEAD"),
            };
        }
        let key = match path.strip_prefix(FLAGS) {
            Some("") => None,
            Some(rest) if rest.len() > 1 && rest.starts_with('/') => match decoded(&rest[1..]) {
                Some(key) => Some(key),
                None => {
                    let text = "the flag's key in the path is not percent-encoded UTF-8";
                    return refusal(StatusCode::BAD_REQUEST, text);
                }
            },
            _ => {
                let text = format!("there is nothing at {path}; flags are at {FLAGS}");
                return refusal(StatusCode::NOT_FOUND, &text);
            }
        };
        match *request.method() {
            Method::OPTIONS => return preflight(),
            Method::POST => {}
            _ => return not_allowed("POST, OPTIONS"),
        }
        if !self.is_known(request.headers()) {
            return unauthorized(request.headers());
        }
        let context = match context(request.body()) {
            Ok(context) => context,
            Err((code, details)) => return bad_context(key.as_deref(), code, &details),
        };
        let subject = context.get("targetingKey").and_then(Value::as_str);
        let subject = Context::new(subject.unwrap_or_default())
            .with(&context)
            .at(now);
        match key {
            Some(key) => single(kept, &key, &subject, now),
            None => {
                let asked = (&context, &subject);
                bulk(kept, asked, now, (request.headers(), &self.ticket))
            }
        }
    }

    fn is_known(&self, headers: &HeaderMap) -> bool {
        if self.tokens.is_empty() {
            return true;
        }
        let bearer = headers.get(AUTHORIZATION).and_then(|value| {
            let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
            let is_bearer = scheme.eq_ignore_ascii_case("bearer");
            is_bearer.then(|| token.trim().as_bytes())
        });
        let given = bearer.or_else(|| headers.get(API_KEY).map(HeaderValue::as_bytes));
        given.is_some_and(|token| self.tokens.contains(&Digest::of(token)))
    }

    fn allowed_origin(&self, headers: &HeaderMap) -> Option<HeaderValue> {
        let asked = headers.get(ORIGIN)?;
        let is_allowed = |origin: &String| origin == "*" || origin.as_bytes() == asked.as_bytes();
        self.origins.iter().any(is_allowed).then(|| asked.clone())
    }
}

/// The evaluation context of a request.
fn context(body: &[u8]) -> Result<Map<String, Value>, (ErrorCode, String)> {
    let body: Value = serde_json::from_slice(body).map_err(|error| {
        let text = format!("the body is not JSON: {error}; send {{\"context\": {{…}}}}");
        (ErrorCode::ParseError, text)
    })?;
    let invalid = |text: &str| Err((ErrorCode::InvalidContext, text.to_owned()));
    let Value::Object(mut body) = body else {
        return invalid("the body is not a JSON object with a context");
    };
    let Some(context) = body.remove("context") else {
        return invalid("the body has no context");
    };
    let Value::Object(context) = context else {
        return invalid("the context is not a JSON object");
    };
    match context.get("targetingKey") {
        Some(Value::String(_)) => Ok(context),
        Some(_) => invalid("the context's targetingKey is not a text"),
        None => invalid("the context has no targetingKey"),
    }
}

fn single(kept: &Kept, key: &str, context: &Context<'_>, now: Timestamp) -> Answer {
    let Some(set) = kept.set_of(key) else {
        let code = ErrorCode::FlagNotFound.as_str();
        let body = json!({"key": key, "errorCode": code, "errorDetails": "no flag of this key is defined"});
        return sent(StatusCode::NOT_FOUND, &body);
    };
    let resolution = set.evaluate(key, context);
    kept.usage.record(key, &resolution, now);
    let status = match resolution.error_code {
        None => StatusCode::OK,
        Some(ErrorCode::FlagNotFound) => StatusCode::NOT_FOUND,
        Some(_) => StatusCode::BAD_REQUEST,
    };
    sent(status, &Evaluated::of(key, &resolution))
}

fn bulk(
    kept: &Kept,
    (attributes, context): (&Map<String, Value>, &Context<'_>),
    now: Timestamp,
    (headers, ticket): (&HeaderMap, &str),
) -> Answer {
    let resolutions: Vec<_> = kept
        .flags()
        .map(|(set, flag)| (flag.key(), set.evaluate(flag.key(), context)))
        .collect();
    for (key, resolution) in &resolutions {
        kept.usage.record(key, resolution, now);
    }
    let flags = resolutions
        .iter()
        .map(|(key, resolution)| Evaluated::of(key, resolution));
    let body = All {
        flags: flags.collect(),
        // Of several files, none speaks for all.
        metadata: match &kept.sets[..] {
            [one] => Some(one.metadata()).filter(|metadata| !metadata.is_empty()),
            _ => None,
        },
        event_streams: [EventStream {
            kind: "sse",
            endpoint: Endpoint {
                request_uri: format!("{EVENTS}?ticket={ticket}"),
            },
            inactivity_delay_sec: INACTIVITY_SECONDS,
        }],
    };
    let mut answer = sent(StatusCode::OK, &body);
    // Of the set and the context, and of what came of them, since rules may ask for the time.
    let parts = [
        kept.digest.hex(),
        Digest::of(&serde_json::to_vec(attributes).unwrap_or_default()).hex(),
        Digest::of(answer.body()).hex(),
    ];
    let tag = format!("\"{}\"", &Digest::of(parts.concat().as_bytes()).hex()[..32]);
    if let Ok(value) = HeaderValue::from_str(&tag) {
        answer.headers_mut().insert(ETAG, value);
    }
    if is_matched(headers, &tag) {
        *answer.status_mut() = StatusCode::NOT_MODIFIED;
        *answer.body_mut() = Bytes::new();
        answer.headers_mut().remove(CONTENT_TYPE);
    }
    answer
}

/// Whether the client has it already (RFC 9110, section 13.1.2). Clients that leave the quotes out
/// are meant too.
fn is_matched(headers: &HeaderMap, tag: &str) -> bool {
    let tags = headers.get_all(IF_NONE_MATCH).iter();
    let tags = tags.filter_map(|value| value.to_str().ok());
    tags.flat_map(|value| value.split(',')).any(|given| {
        let given = given.trim();
        let given = given.strip_prefix("W/").unwrap_or(given);
        given == "*" || given == tag || given == tag.trim_matches('"')
    })
}

/// One flag, as the protocol has it: a success, or a failure.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Evaluated<'a> {
    key: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<&'a Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    variant: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error_code: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error_details: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    metadata: Option<MetadataView<'a>>,
}

impl<'a> Evaluated<'a> {
    fn of(key: &'a str, resolution: &Resolution<'a, Option<&'a Value>>) -> Evaluated<'a> {
        let metadata = Some(resolution.metadata).filter(|metadata| !metadata.is_empty());
        match resolution.error_code {
            Some(code) => Evaluated {
                key,
                value: None,
                reason: None,
                variant: None,
                error_code: Some(code.as_str()),
                error_details: resolution.error_message,
                metadata,
            },
            None => Evaluated {
                key,
                // Without a value the client uses its own default.
                value: resolution.value.filter(|value| !value.is_null()),
                reason: Some(reason(resolution.reason)),
                variant: resolution.variant,
                error_code: None,
                error_details: None,
                metadata,
            },
        }
    }
}

/// The protocol has fewer reasons than OpenFeature.
const fn reason(reason: Reason) -> &'static str {
    match reason {
        Reason::Static | Reason::TargetingMatch | Reason::Split | Reason::Disabled => {
            reason.as_str()
        }
        _ => Reason::Unknown.as_str(),
    }
}

/// All flags.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct All<'a> {
    flags: Vec<Evaluated<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    metadata: Option<MetadataView<'a>>,
    event_streams: [EventStream; 1],
}

/// Where a client is told of changes; on the server that it asks, whatever name that has for it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct EventStream {
    #[serde(rename = "type")]
    kind: &'static str,
    endpoint: Endpoint,
    inactivity_delay_sec: u32,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Endpoint {
    request_uri: String,
}

/// That flags changed, as an event of a stream.
pub(super) fn changed(kept: &Kept) -> Bytes {
    let digest = &kept.digest.hex()[..32];
    let seconds = kept.read_at.unix_ms().div_euclid(1000).max(0);
    let data = json!({"type": "refetchEvaluation", "etag": digest, "lastModified": seconds});
    format!("event: message\nid: {digest}\ndata: {data}\n\n").into()
}

/// The head of a stream of events.
pub(super) fn stream<B>(body: B) -> Response<B> {
    let mut answer = Response::new(body);
    let headers = answer.headers_mut();
    let value = HeaderValue::from_static("text/event-stream");
    headers.insert(CONTENT_TYPE, value);
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    // What stands in between is not to collect it.
    let name = http::HeaderName::from_static("x-accel-buffering");
    headers.insert(name, HeaderValue::from_static("no"));
    answer
}

fn health(kept: &Kept, now: Timestamp) -> Answer {
    let age_ms = now.unix_ms().saturating_sub(kept.read_at.unix_ms());
    let body = json!({
        "status": if kept.refused.is_none() { "ok" } else { "stale" },
        "flags": kept.len(),
        "dialects": kept.dialects(),
        "digest": kept.digest.hex(),
        "ageMs": age_ms.max(0),
        "refused": kept.refused,
    });
    sent(StatusCode::OK, &body)
}

fn sent(status: StatusCode, body: &impl Serialize) -> Answer {
    // Texts, numbers and maps with text keys are always written.
    let body = serde_json::to_vec(body).unwrap_or_default();
    let mut answer = Response::new(Bytes::from(body));
    *answer.status_mut() = status;
    let headers = answer.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    // What one subject gets is nobody else's, and what is in between cannot tell them apart.
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    answer
}

/// An error that is not of a flag.
pub(super) fn refusal(status: StatusCode, details: &str) -> Answer {
    sent(status, &json!({ "errorDetails": details }))
}

fn bad_context(key: Option<&str>, code: ErrorCode, details: &str) -> Answer {
    let mut body = json!({ "errorCode": code.as_str(), "errorDetails": details });
    if let Some(key) = key {
        body["key"] = key.into();
    }
    sent(StatusCode::BAD_REQUEST, &body)
}

/// 401 for nobody, 403 for somebody else (RFC 9110, sections 15.5.2 and 15.5.4).
fn unauthorized(headers: &HeaderMap) -> Answer {
    if headers.contains_key(AUTHORIZATION) || headers.contains_key(API_KEY) {
        let mut answer = refusal(StatusCode::FORBIDDEN, "the token is not known here");
        let value = HeaderValue::from_static("Bearer error=\"invalid_token\"");
        answer.headers_mut().insert(WWW_AUTHENTICATE, value);
        return answer;
    }
    let text = "a token is wanted: send Authorization: Bearer, or X-API-Key";
    let mut answer = refusal(StatusCode::UNAUTHORIZED, text);
    let value = HeaderValue::from_static("Bearer");
    answer.headers_mut().insert(WWW_AUTHENTICATE, value);
    answer
}

fn not_allowed(allowed: &'static str) -> Answer {
    let text = format!("this is asked by {allowed}");
    let mut answer = refusal(StatusCode::METHOD_NOT_ALLOWED, &text);
    let value = HeaderValue::from_static(allowed);
    answer.headers_mut().insert(ALLOW, value);
    answer
}

/// What a browser asks before it lets a page ask.
fn preflight() -> Answer {
    let mut answer = Response::new(Bytes::new());
    *answer.status_mut() = StatusCode::NO_CONTENT;
    let headers = answer.headers_mut();
    let methods = HeaderValue::from_static("POST");
    headers.insert(ACCESS_CONTROL_ALLOW_METHODS, methods);
    let allowed = "authorization, content-type, if-none-match, x-api-key";
    headers.insert(
        ACCESS_CONTROL_ALLOW_HEADERS,
        HeaderValue::from_static(allowed),
    );
    headers.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("600"));
    headers.insert(ALLOW, HeaderValue::from_static("POST, OPTIONS"));
    answer
}

/// A percent-encoded part of a path (RFC 3986, section 2.1).
fn decoded(part: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(part.len());
    let mut rest = part.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        rest = after;
        if first != b'%' {
            bytes.push(first);
            continue;
        }
        let (digits, after) = rest.split_at_checked(2)?;
        let digits = core::str::from_utf8(digits).ok()?;
        // `+7` is a number to a parser.
        let is_hex = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        bytes.push(u8::from_str_radix(digits, 16).ok().filter(|_| is_hex)?);
        rest = after;
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests;
