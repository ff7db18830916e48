//! The WebSocket echo (RFC 6455).

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{SinkExt as _, StreamExt as _};
use http::header::{CONNECTION, HeaderValue, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, UPGRADE};
use http::{HeaderMap, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use tokio::sync::watch;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error, Message};

use super::Service;
use super::answers::{JSON, reply};
use crate::demonstration::told_to_stop;

/// The longest message taken, and with it what one connection can hold.
const MESSAGE_BYTES_MAX: usize = 64 * 1024;

/// How long a closing handshake may take once our side of it is sent.
const CLOSE_MS_MAX: u64 = 1_000;

/// The reason in the Close frame of a service that is told to end.
pub(super) const DRAINED: &str = "drained";

/// Answers the upgrade and carries the echo on in a task of its own.
pub(super) fn upgrade(service: &Arc<Service>, request: Request<Incoming>) -> Response<Full<Bytes>> {
    let Some(key) = key_of(request.headers()) else {
        let mut refusal = reply(
            StatusCode::UPGRADE_REQUIRED,
            JSON,
            r#"{"error":"a WebSocket lives here"}"#,
        );
        refusal
            .headers_mut()
            .insert(UPGRADE, HeaderValue::from_static("websocket"));
        return refusal;
    };
    let Ok(accept) = HeaderValue::from_str(&derive_accept_key(key.as_bytes())) else {
        return reply(StatusCode::BAD_REQUEST, JSON, r#"{"error":"bad key"}"#);
    };
    let (service, in_flight) = (Arc::clone(service), service.in_flight.subscribe());
    tokio::spawn(async move {
        // A client that leaves, before the switch or later, has nothing more to be told.
        if let Ok(upgraded) = hyper::upgrade::on(request).await {
            drop(echo(upgraded, &service.version, service.stop.clone()).await);
        }
        drop(in_flight);
    });
    let mut response = reply(StatusCode::SWITCHING_PROTOCOLS, JSON, "");
    let headers = response.headers_mut();
    headers.clear();
    headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
    headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(SEC_WEBSOCKET_ACCEPT, accept);
    response
}

/// The client's key if its headers ask for what RFC 6455 section 4.2.1 says they must.
fn key_of(headers: &HeaderMap) -> Option<String> {
    let says = |name: &str, token: &str| {
        headers
            .get_all(name)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .any(|value| {
                value
                    .split(',')
                    .any(|one| one.trim().eq_ignore_ascii_case(token))
            })
    };
    let asks = says("connection", "upgrade")
        && says("upgrade", "websocket")
        && says("sec-websocket-version", "13");
    let key = headers.get(SEC_WEBSOCKET_KEY)?.to_str().ok()?;
    asks.then(|| key.to_owned())
}

/// Names the version, then echoes until either side has enough.
async fn echo(
    upgraded: Upgraded,
    version: &str,
    mut stop: watch::Receiver<bool>,
) -> Result<(), Error> {
    let limits = WebSocketConfig::default()
        .read_buffer_size(4 * 1024)
        .write_buffer_size(4 * 1024)
        .max_write_buffer_size(4 * MESSAGE_BYTES_MAX)
        .max_message_size(Some(MESSAGE_BYTES_MAX))
        .max_frame_size(Some(MESSAGE_BYTES_MAX));
    let io = TokioIo::new(upgraded);
    let mut socket = WebSocketStream::from_raw_socket(io, Role::Server, Some(limits)).await;
    let hello = serde_json::json!({ "version": version }).to_string();
    socket.send(Message::text(hello)).await?;
    loop {
        tokio::select! {
            // What has arrived is echoed before the socket is closed.
            biased;
            message = socket.next() => match message {
                Some(Ok(message @ (Message::Text(_) | Message::Binary(_)))) => {
                    socket.send(message).await?;
                }
                Some(Ok(_)) => {}
                Some(Err(error)) => return Err(error),
                None => return Ok(()),
            },
            () = told_to_stop(&mut stop) => break,
        }
    }
    let frame = CloseFrame {
        code: CloseCode::Away,
        reason: DRAINED.into(),
    };
    socket.send(Message::Close(Some(frame))).await?;
    // Reading on completes the handshake: dropping the socket with unread input would reset the
    // connection, and the client might never see why it was closed.
    let rest = async { while let Some(Ok(_)) = socket.next().await {} };
    drop(tokio::time::timeout(Duration::from_millis(CLOSE_MS_MAX), rest).await);
    Ok(())
}
