//! What the service answers.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use bytes::Bytes;
use http::header::{ACCEPT, ALLOW, CONTENT_TYPE, COOKIE, HeaderValue, SET_COOKIE};
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming;
use serde_json::{Value, json};

use super::session::{self, Session};
use super::{Service, websocket};
use crate::demonstration::VERSION_HEADER;
use crate::demonstration::draw::mix;

/// The longest order taken.
const ORDER_BYTES_MAX: usize = 16 * 1024;

pub(super) const JSON: &str = "application/json";

/// Answers one request. Whatever the answer, it names the version.
pub(super) async fn answer(
    service: Arc<Service>,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let mut response = route(&service, request).await;
    response
        .headers_mut()
        .insert(VERSION_HEADER, service.version_header.clone());
    Ok(response)
}

async fn route(service: &Arc<Service>, request: Request<Incoming>) -> Response<Full<Bytes>> {
    if service.ready_at > tokio::time::Instant::now() {
        return state(service, StatusCode::SERVICE_UNAVAILABLE, "starting");
    }
    let path = request.uri().path().to_owned();
    let allowed = match path.as_str() {
        "/orders" => Method::POST,
        "/" | "/health" | "/version" | "/work" | "/session" | "/ws" => Method::GET,
        _ => {
            let error = json!({ "error": "no such page", "version": service.version });
            return reply(StatusCode::NOT_FOUND, JSON, error.to_string());
        }
    };
    // HEAD is GET without its body, which hyper leaves out by itself.
    let asked = request.method();
    if *asked != allowed && !(asked == Method::HEAD && allowed == Method::GET) {
        let error = json!({ "error": "method not allowed", "version": service.version });
        let mut response = reply(StatusCode::METHOD_NOT_ALLOWED, JSON, error.to_string());
        let allow = if allowed == Method::GET {
            "GET, HEAD"
        } else {
            "POST"
        };
        response
            .headers_mut()
            .insert(ALLOW, HeaderValue::from_static(allow));
        return response;
    }
    match path.as_str() {
        "/health" => state(service, StatusCode::OK, "ok"),
        "/version" => json_reply(StatusCode::OK, &json!({ "version": service.version })),
        "/work" => work(service).await,
        "/orders" => order(service, request.into_body()).await,
        "/session" => visit(service, &request),
        "/ws" => websocket::upgrade(service, request),
        _ => home(service, &request),
    }
}

fn state(service: &Service, status: StatusCode, state: &str) -> Response<Full<Bytes>> {
    json_reply(
        status,
        &json!({ "status": state, "version": service.version }),
    )
}

fn home(service: &Service, request: &Request<Incoming>) -> Response<Full<Bytes>> {
    let accepts = request
        .headers()
        .get(ACCEPT)
        .and_then(|value| value.to_str().ok());
    if !accepts.is_some_and(|accepts| accepts.contains("text/html")) {
        let page = json!({ "service": "nonevent demonstration", "version": service.version });
        return json_reply(StatusCode::OK, &page);
    }
    // A version is made of characters that mean nothing in HTML: `is_version` saw to it.
    let page = format!(
        "<!doctype html><html lang=en><meta charset=utf-8>\
         <title>Demonstration {version}</title>\
         <h1>Demonstration</h1><p>Version <strong>{version}</strong>.</p></html>",
        version = service.version
    );
    reply(StatusCode::OK, "text/html; charset=utf-8", page)
}

async fn work(service: &Arc<Service>) -> Response<Full<Bytes>> {
    service.arm_crash();
    let treatment = service.faults.next();
    tokio::time::sleep(treatment.takes).await;
    if treatment.fails {
        return failure(service);
    }
    let done = service.worked.fetch_add(1, Ordering::Relaxed) + 1;
    json_reply(
        StatusCode::OK,
        &json!({ "version": service.version, "done": done }),
    )
}

/// Takes an order. Not idempotent: the same order sent twice is two orders, with two ids, so a
/// router that repeats it does visible harm.
async fn order(service: &Service, body: Incoming) -> Response<Full<Bytes>> {
    let Ok(body) = Limited::new(body, ORDER_BYTES_MAX).collect().await else {
        let error = json!({ "error": "order too long or cut off", "version": service.version });
        return json_reply(StatusCode::PAYLOAD_TOO_LARGE, &error);
    };
    let Ok(order) = serde_json::from_slice::<Value>(&body.to_bytes()) else {
        let error = json!({ "error": "an order is JSON", "version": service.version });
        return json_reply(StatusCode::BAD_REQUEST, &error);
    };
    let treatment = service.faults.next();
    tokio::time::sleep(treatment.takes).await;
    if treatment.fails {
        return failure(service);
    }
    let number = service.ordered.fetch_add(1, Ordering::Relaxed) + 1;
    let receipt = json!({
        "id": format!("{:016x}-{number}", service.instance),
        "reference": order.get("reference").and_then(Value::as_str),
        "version": service.version,
    });
    json_reply(StatusCode::CREATED, &receipt)
}

fn failure(service: &Service) -> Response<Full<Bytes>> {
    let error = json!({ "error": "broken by --fault errors", "version": service.version });
    json_reply(StatusCode::INTERNAL_SERVER_ERROR, &error)
}

fn visit(service: &Service, request: &Request<Incoming>) -> Response<Full<Bytes>> {
    let cookies = request.headers().get_all(COOKIE).iter();
    let known = cookies
        .filter_map(|value| value.to_str().ok())
        .find_map(Session::from_cookies);
    let session = known.map_or_else(|| begin(service), Session::next);
    let body = json!({
        "session": format!("{:016x}", session.id),
        "count": session.count,
        "version": service.version,
    });
    let mut response = json_reply(StatusCode::OK, &body);
    let cookie = format!(
        "{}={session}; Path=/; HttpOnly; SameSite=Lax",
        session::COOKIE
    );
    if let Ok(cookie) = HeaderValue::from_str(&cookie) {
        response.headers_mut().insert(SET_COOKIE, cookie);
    }
    response
}

fn begin(service: &Service) -> Session {
    let nth = service.sessions.fetch_add(1, Ordering::Relaxed);
    Session {
        id: mix(service.instance, nth),
        count: 1,
    }
}

fn json_reply(status: StatusCode, body: &Value) -> Response<Full<Bytes>> {
    reply(status, JSON, body.to_string())
}

pub(super) fn reply(
    status: StatusCode,
    content_type: &'static str,
    body: impl Into<Bytes>,
) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body.into()));
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}
