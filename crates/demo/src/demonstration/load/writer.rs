//! Brings entries to the ledger's file and into its summary.

use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::fs::File;
use tokio::io::AsyncWriteExt as _;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval};

use super::ledger::{Entry, Header};
use super::summary::LedgerSummary;

/// How long an entry waits at most before it is given to the system, which keeps it even if this
/// process is killed. Not synced to the disk: it need not survive the machine.
const FLUSH_MS: u64 = 50;
/// How many entries wait while the disk is slow; beyond it their requests stay in flight.
const ENTRIES_MAX: usize = 8_192;

/// The way into a ledger.
pub(super) type Entries = mpsc::Sender<Entry>;

/// The task that writes. It ends when every way in is dropped.
#[derive(Debug)]
pub(super) struct Writer {
    pub(super) task: JoinHandle<io::Result<()>>,
    summary: Arc<Mutex<LedgerSummary>>,
}

impl Writer {
    /// Creates the file, which must not exist yet, with its header.
    pub(super) async fn create(path: &Path, header: &Header) -> io::Result<(Writer, Entries)> {
        let mut file = File::options()
            .write(true)
            .create_new(true)
            .open(path)
            .await?;
        file.write_all(header.line().as_bytes()).await?;
        file.flush().await?;
        let (entries, received) = mpsc::channel(ENTRIES_MAX);
        let summary = Arc::new(Mutex::new(LedgerSummary::new()));
        let task = tokio::spawn(write(file, received, Arc::clone(&summary)));
        Ok((Writer { task, summary }, entries))
    }

    /// What has come in so far.
    pub(super) fn with_summary<T>(&self, look: impl FnOnce(&LedgerSummary) -> T) -> T {
        look(&self.summary.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

async fn write(
    mut file: File,
    mut received: mpsc::Receiver<Entry>,
    summary: Arc<Mutex<LedgerSummary>>,
) -> io::Result<()> {
    let mut due = interval(Duration::from_millis(FLUSH_MS));
    due.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut lines = String::new();
    let mut is_open = true;
    while is_open {
        tokio::select! {
            // A steady stream of entries must not put off the flush.
            biased;
            _ = due.tick() => {
                file.write_all(lines.as_bytes()).await?;
                file.flush().await?;
                lines.clear();
            }
            entry = received.recv() => match entry {
                Some(entry) => {
                    lines.push_str(&entry.line());
                    summary.lock().unwrap_or_else(PoisonError::into_inner).add(&entry);
                }
                None => is_open = false,
            }
        }
    }
    file.write_all(lines.as_bytes()).await?;
    file.flush().await
}
