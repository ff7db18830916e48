//! A client that holds one WebSocket, counts its echoes and remembers how it ended.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use http::HeaderMap;
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep, timeout};
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, client_async_with_config};

use super::client::{ARM_HEADER, Client, Due, epoch_ms, name_in, whole_us};
use super::ledger::{Entry, Loss};
use super::report::{ClosedBy, WebSocketClose, WebSocketReport, note_version};
use super::writer::Entries;
use crate::demonstration::{VERSION_HEADER, told_to_stop};

/// The longest message taken.
const MESSAGE_BYTES_MAX: usize = 64 * 1024;
/// The longest reason written down.
const REASON_CHARS_MAX: usize = 123;
/// How long to wait before connecting again.
const RECONNECT_MS: u64 = 250;

type Report = Arc<Mutex<WebSocketReport>>;

/// Holds a WebSocket to `/ws`, with a message every `every_ms`, until told to stop. One that
/// ends earlier is noted and replaced. Each handshake is a request in the ledger.
pub(super) async fn hold(
    client: Arc<Client>,
    entries: Entries,
    every_ms: u64,
    report: Report,
    mut stop: watch::Receiver<bool>,
) {
    loop {
        let due = Due::get(client.next_sequence(), Instant::now(), "/ws");
        let (entry, socket) = connect(&client, &due).await;
        if entries.send(entry).await.is_err() {
            return;
        }
        match socket {
            None => lock(&report).connections_failed += 1,
            Some((socket, version)) => {
                let mut held = Held {
                    version,
                    outstanding: 0,
                    waiting_since: Instant::now(),
                    report: &report,
                };
                held.begin();
                let close = held.converse(socket, every_ms, &client, &mut stop).await;
                held.end(close);
            }
        }
        tokio::select! {
            biased;
            () = told_to_stop(&mut stop) => return,
            () = sleep(Duration::from_millis(RECONNECT_MS)) => {}
        }
    }
}

fn lock(report: &Mutex<WebSocketReport>) -> std::sync::MutexGuard<'_, WebSocketReport> {
    report.lock().unwrap_or_else(PoisonError::into_inner)
}

type Socket = WebSocketStream<TcpStream>;

/// One handshake, with its entry for the ledger.
async fn connect(client: &Client, due: &Due) -> (Entry, Option<(Socket, Option<String>)>) {
    let mut entry = due.unsent(Loss::Connect);
    let begun = Instant::now();
    let attempt = async {
        let stream = TcpStream::connect(client.address())
            .await
            .map_err(Error::Io)?;
        drop(stream.set_nodelay(true));
        let request = format!("ws://{}{}", client.address(), due.path).into_client_request()?;
        let limits = WebSocketConfig::default()
            .read_buffer_size(4 * 1024)
            .write_buffer_size(4 * 1024)
            .max_write_buffer_size(4 * MESSAGE_BYTES_MAX)
            .max_message_size(Some(MESSAGE_BYTES_MAX))
            .max_frame_size(Some(MESSAGE_BYTES_MAX));
        entry.sent_at_ms = epoch_ms();
        entry.loss = Some(Loss::Reset);
        client_async_with_config(request, stream, Some(limits)).await
    };
    let outcome = timeout(client.request_timeout(), attempt).await;
    entry.latency_us = whole_us(begun.elapsed());
    let mut note = |status: u16, headers: &HeaderMap| {
        entry.status = Some(status);
        entry.loss = None;
        entry.version = name_in(headers, VERSION_HEADER);
        entry.arm = name_in(headers, ARM_HEADER);
    };
    let socket = match outcome {
        Ok(Ok((socket, answer))) => {
            note(answer.status().as_u16(), answer.headers());
            let version = entry.version.clone();
            Some((socket, version))
        }
        Ok(Err(Error::Http(answer))) => {
            note(answer.status().as_u16(), answer.headers());
            None
        }
        Ok(Err(Error::Protocol(_))) => {
            entry.loss = Some(Loss::Protocol);
            None
        }
        Ok(Err(_)) => None,
        Err(_) => {
            entry.loss = Some(Loss::Timeout);
            None
        }
    };
    (entry, socket)
}

/// One connection while it is held.
struct Held<'a> {
    version: Option<String>,
    /// Messages sent and not echoed yet.
    outstanding: u64,
    /// Since when the next echo is awaited, if any is.
    waiting_since: Instant,
    report: &'a Report,
}

impl Held<'_> {
    fn begin(&self) {
        let mut report = lock(self.report);
        report.connections += 1;
        note_version(&mut report.versions, epoch_ms(), self.version.clone());
    }

    fn end(&self, close: WebSocketClose) {
        let mut report = lock(self.report);
        report.messages_lost += self.outstanding;
        report.note_close(close);
    }

    /// Sends and counts until the connection ends, and says how it did.
    async fn converse(
        &mut self,
        mut socket: Socket,
        every_ms: u64,
        client: &Client,
        stop: &mut watch::Receiver<bool>,
    ) -> WebSocketClose {
        let mut due = interval(Duration::from_millis(every_ms));
        due.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut sent = 0_u64;
        loop {
            tokio::select! {
                biased;
                () = told_to_stop(stop) => break,
                message = socket.next() => if let Some(close) = self.received(message) {
                    // Sends our half of the closing handshake, which tungstenite has queued.
                    let rest = async { while let Some(Ok(_)) = socket.next().await {} };
                    drop(timeout(client.request_timeout(), rest).await);
                    return close;
                },
                _ = due.tick() => {
                    if self.outstanding == 0 {
                        self.waiting_since = Instant::now();
                    } else if self.waiting_since.elapsed() > client.request_timeout() {
                        return self.close(ClosedBy::Broken, None);
                    }
                    // A send that fails is followed by the reason it failed, which may be a
                    // Close frame that lies unread; so reading decides how the connection ended.
                    sent += 1;
                    lock(self.report).messages_sent += 1;
                    self.outstanding += 1;
                    drop(socket.send(Message::text(format!("ping {sent}"))).await);
                }
            }
        }
        self.leave(socket, client.request_timeout()).await
    }

    /// Takes one message; answers how the connection ended if that was its last.
    fn received(&mut self, message: Option<Result<Message, Error>>) -> Option<WebSocketClose> {
        match message {
            Some(Ok(Message::Text(text))) if text.starts_with("ping ") => {
                self.outstanding = self.outstanding.saturating_sub(1);
                self.waiting_since = Instant::now();
                lock(self.report).messages_echoed += 1;
                None
            }
            Some(Ok(Message::Close(frame))) => Some(self.close(ClosedBy::Server, frame)),
            Some(Ok(_)) => None,
            Some(Err(_)) | None => Some(self.close(ClosedBy::Broken, None)),
        }
    }

    /// Waits for the echoes still owed, then closes in due form, each for `patience` at most.
    async fn leave(&mut self, mut socket: Socket, patience: Duration) -> WebSocketClose {
        let owed = async {
            while self.outstanding > 0 {
                let message = socket.next().await;
                if let Some(close) = self.received(message) {
                    return Some(close);
                }
            }
            None
        };
        if let Ok(Some(close)) = timeout(patience, owed).await {
            return close;
        }
        let frame = CloseFrame {
            code: CloseCode::Normal,
            reason: "done".into(),
        };
        let goodbye = async {
            socket.send(Message::Close(Some(frame.clone()))).await?;
            while let Some(Ok(_)) = socket.next().await {}
            Ok::<(), Error>(())
        };
        drop(timeout(patience, goodbye).await);
        self.close(ClosedBy::Client, Some(frame))
    }

    fn close(&self, by: ClosedBy, frame: Option<CloseFrame>) -> WebSocketClose {
        WebSocketClose {
            at_ms: epoch_ms(),
            by,
            code: frame.as_ref().map(|frame| frame.code.into()),
            reason: frame
                .map(|frame| frame.reason.chars().take(REASON_CHARS_MAX).collect())
                .unwrap_or_default(),
            version: self.version.clone(),
        }
    }
}
