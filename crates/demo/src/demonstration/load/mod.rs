//! Steady traffic, and a ledger of what became of every request.
//!
//! The load is open-loop: a request is sent when it is due, however slow the ones before it are,
//! so a service that stalls meets the requests that real visitors would have sent meanwhile. No
//! request is ever sent twice; one that gets no answer is lost, and the ledger says so.
//!
//! Traffic goes to this machine only, and is bounded in rate, time and number in flight.
//!
//! [`run`] is a task that can live in any process. The demonstration starts it as a process of
//! its own ([`main`]), since its ledger is to go on when the controller is killed. Either way
//! [`ledger::LedgerTail`] follows the ledger while it grows, and [`LoadReport::read`] the report.

pub(crate) mod config;
pub(crate) mod ledger;
pub(crate) mod report;
pub(crate) mod summary;

mod client;
mod latencies;
mod session;
#[cfg(test)]
mod tests;
mod websocket;
mod writer;

use std::fmt;
use std::io;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http::{HeaderValue, Method};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until};

use super::arguments::UsageError;
use super::draw::mix;
use super::{announce, told_to_stop};
use client::{Client, Due, epoch_ms};
use config::{LoadConfig, Traffic};
use ledger::{Header, Loss};
use report::{LoadReport, SessionReport, WebSocketReport};
use summary::LedgerSummary;
use writer::{Entries, Writer};

/// What kind of thing stopped the load client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LoadErrorKind {
    /// The configuration is out of its bounds.
    Usage,
    /// The ledger cannot be created or written. Traffic without a ledger is no use, so it stops.
    Ledger,
    /// The report cannot be written.
    Report,
    /// The process cannot take signals or run at all.
    System,
}

/// Why the load client stopped before its time.
#[derive(Debug)]
pub(crate) struct LoadError {
    kind: LoadErrorKind,
    message: String,
}

impl LoadError {
    pub(crate) const fn kind(&self) -> LoadErrorKind {
        self.kind
    }

    fn new(kind: LoadErrorKind, what: impl fmt::Display, why: impl fmt::Display) -> LoadError {
        LoadError {
            kind,
            message: format!("{what}: {why}"),
        }
    }
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for LoadError {}

impl From<UsageError> for LoadError {
    fn from(error: UsageError) -> LoadError {
        LoadError::new(LoadErrorKind::Usage, "the load cannot be sent", error)
    }
}

/// Sends the load until `stop` turns true, its sender is gone, or the time is over; then waits
/// for what is in flight and closes the ledger.
///
/// # Errors
///
/// When the configuration is out of its bounds, or ledger or report cannot be written.
pub(crate) async fn run(
    config: LoadConfig,
    mut stop: watch::Receiver<bool>,
) -> Result<LoadReport, LoadError> {
    let address = config.check()?;
    let host = HeaderValue::from_str(&address.to_string())
        .map_err(|error| LoadError::new(LoadErrorKind::Usage, "--base-url", error))?;
    let no_ledger = |error: io::Error| {
        let place = format!("the ledger {}", config.ledger.display());
        LoadError::new(LoadErrorKind::Ledger, place, error)
    };
    let header = Header::new(&config.base_url, config.seed);
    let (writer, entries) = Writer::create(&config.ledger, &header)
        .await
        .map_err(no_ledger)?;
    let timeout = Duration::from_millis(config.request_timeout_ms);
    let client = Arc::new(Client::new(address, host, config.connections, timeout));
    let mut run = Running {
        started_at_ms: epoch_ms(),
        client: Arc::clone(&client),
        writer,
        websocket: Arc::default(),
        session: Arc::default(),
        is_demonstration: config.traffic == Traffic::Demonstration,
    };
    let (end, ending) = watch::channel(false);
    let mut visitors = run.visitors(&config, &entries, &ending);
    let deadline = Instant::now() + Duration::from_millis(config.duration_ms_max);
    let interrupted = tokio::select! {
        // All but the first only ever return when there is nothing more to send.
        () = send_all(&config, &client, &entries) => Ok(()),
        () = told_to_stop(&mut stop) => Ok(()),
        () = sleep_until(deadline) => Ok(()),
        // The writer ends early only when it cannot write.
        () = entries.closed() => Ok(()),
        error = run.keep_report(&config) => Err(error),
    };
    end.send_replace(true);
    while visitors.join_next().await.is_some() {}
    // Requests in flight hold a way into the ledger; the last one to end closes it.
    drop(entries);
    match (&mut run.writer.task).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => return Err(no_ledger(error)),
        Err(error) => return Err(no_ledger(io::Error::other(error))),
    }
    interrupted?;
    let mut report = run.report();
    report.ended_at_ms = Some(epoch_ms());
    if let Some(path) = &config.report {
        report
            .write(path)
            .await
            .map_err(|error| no_report(&config, &error))?;
    }
    Ok(report)
}

fn no_report(config: &LoadConfig, error: &io::Error) -> LoadError {
    let place = config
        .report
        .as_deref()
        .unwrap_or_else(|| "".as_ref())
        .display();
    LoadError::new(LoadErrorKind::Report, format!("the report {place}"), error)
}

/// What a run keeps beside its requests.
struct Running {
    started_at_ms: i64,
    client: Arc<Client>,
    writer: Writer,
    websocket: Arc<Mutex<WebSocketReport>>,
    session: Arc<Mutex<SessionReport>>,
    is_demonstration: bool,
}

impl Running {
    /// Starts the WebSocket and the session.
    fn visitors(
        &self,
        config: &LoadConfig,
        entries: &Entries,
        ending: &watch::Receiver<bool>,
    ) -> JoinSet<()> {
        let mut visitors = JoinSet::new();
        if self.is_demonstration {
            visitors.spawn(websocket::hold(
                Arc::clone(&self.client),
                entries.clone(),
                config.websocket_every_ms,
                Arc::clone(&self.websocket),
                ending.clone(),
            ));
            visitors.spawn(session::visit(
                Arc::clone(&self.client),
                entries.clone(),
                config.session_every_ms,
                Arc::clone(&self.session),
                ending.clone(),
            ));
        }
        visitors
    }

    fn report(&self) -> LoadReport {
        let figures = self.writer.with_summary(LedgerSummary::figures);
        let mut report = LoadReport::new(self.started_at_ms, self.client.numbered(), figures);
        if self.is_demonstration {
            let websocket = self
                .websocket
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            let session = self.session.lock().unwrap_or_else(PoisonError::into_inner);
            report.websocket = Some(websocket.clone());
            report.session = Some(session.clone());
        }
        report
    }

    /// Rewrites the report each second, so that little of it is missing if we are killed.
    async fn keep_report(&self, config: &LoadConfig) -> LoadError {
        let Some(path) = &config.report else {
            return std::future::pending().await;
        };
        let mut due = interval(Duration::from_secs(1));
        due.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            due.tick().await;
            if let Err(error) = self.report().write(path).await {
                return no_report(config, &error);
            }
        }
    }
}

/// Sends each request when it is due, for as long as it is polled.
async fn send_all(config: &LoadConfig, client: &Arc<Client>, entries: &Entries) {
    let slots = Arc::new(Semaphore::new(config.in_flight_max));
    let begun = Instant::now();
    for n in 0_u64.. {
        let at = begun + Duration::from_micros(n * 1_000_000 / u64::from(config.rate_per_s));
        sleep_until(at).await;
        let due = due(config, client.next_sequence(), at);
        match Arc::clone(&slots).try_acquire_owned() {
            Ok(slot) => {
                let (client, entries) = (Arc::clone(client), entries.clone());
                tokio::spawn(async move {
                    let exchange = client.exchange(due).await;
                    // Without a ledger there is nowhere to say anything.
                    drop(entries.send(exchange.entry).await);
                    drop(slot);
                });
            }
            Err(_) => drop(entries.send(due.unsent(Loss::NotSent)).await),
        }
    }
}

/// The request of number `sequence`: of the demonstration's, seven in ten are work, two are
/// orders and one is a health check.
fn due(config: &LoadConfig, sequence: u64, at: Instant) -> Due {
    let path = match &config.traffic {
        Traffic::Path(path) => return Due::get(sequence, at, path),
        Traffic::Demonstration => match mix(config.seed, sequence) % 10 {
            0 => "/health",
            1 | 2 => "/orders",
            _ => "/work",
        },
    };
    let mut due = Due::get(sequence, at, path);
    if path == "/orders" {
        // Named so that an answer to somebody else's order is found out.
        let reference = format!("order-{sequence}-{:08x}", mix(!config.seed, sequence) >> 32);
        due.method = Method::POST;
        due.body = format!(r#"{{"reference":"{reference}"}}"#).into();
        due.expects = Some(reference);
    }
    due
}

/// The hidden subcommand: sends until SIGTERM or the end of its time, and leaves ledger and
/// report. Exits 0 at a proper end, 2 for a wrong command line, 3 if ledger or report fail.
pub(crate) fn main(words: impl IntoIterator<Item = String>) -> ExitCode {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let ended = match (LoadConfig::read(words), runtime) {
        (Err(error), _) => Err(error.into()),
        (_, Err(error)) => Err(LoadError::new(LoadErrorKind::System, "no runtime", error)),
        (Ok(config), Ok(runtime)) => runtime.block_on(run_until_terminated(config)),
    };
    let Err(error) = ended else {
        return ExitCode::SUCCESS;
    };
    announce(&format!("nonevent: {error}"));
    ExitCode::from(if error.kind() == LoadErrorKind::Usage {
        2
    } else {
        3
    })
}

async fn run_until_terminated(config: LoadConfig) -> Result<LoadReport, LoadError> {
    let no_signals =
        |error: io::Error| LoadError::new(LoadErrorKind::System, "signals cannot be taken", error);
    let mut terminate = signal(SignalKind::terminate()).map_err(no_signals)?;
    // Held, not heard: a Ctrl-C or a closed terminal is the controller's to deal with.
    let _ignored = (
        signal(SignalKind::interrupt()).map_err(no_signals)?,
        signal(SignalKind::hangup()).map_err(no_signals)?,
    );
    let (tell, stop) = watch::channel(false);
    tokio::spawn(async move {
        terminate.recv().await;
        tell.send_replace(true);
    });
    run(config, stop).await
}
