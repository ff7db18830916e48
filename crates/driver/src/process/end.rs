//! Ending processes: asked first, then forced.

use std::io;
use std::time::Duration;

use rustix::process::Signal;
use tokio::time::{Instant, sleep, timeout_at};

use super::identity::ProcessIdentity;

/// How long a process may take to be gone after SIGKILL, for instance in the kernel.
const KILL_WAIT: Duration = Duration::from_secs(5);

/// How processes ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Ended {
    /// There was none.
    WasGone,
    /// By themselves, after SIGTERM.
    Asked,
    /// By SIGKILL, since the grace had passed.
    Forced,
}

/// Ends all processes that `find` finds: SIGTERM, then, after `grace`, SIGKILL. It looks again
/// until there are none, so that what they start meanwhile ends too.
///
/// # Errors
///
/// They cannot be found or signalled, or do not end.
pub(crate) async fn end<F>(find: F, grace: Duration) -> io::Result<Ended>
where
    F: Fn() -> io::Result<Vec<ProcessIdentity>> + Send,
{
    let deadline = Instant::now() + grace;
    let mut asked: Vec<ProcessIdentity> = Vec::new();
    loop {
        let left = find()?;
        if left.is_empty() {
            break;
        }
        for process in left.iter().filter(|process| !asked.contains(process)) {
            process.signal(Signal::TERM)?;
        }
        asked.clone_from(&left);
        let gone = async {
            for process in &left {
                process.ended().await;
            }
        };
        if timeout_at(deadline, gone).await.is_err() {
            return force(find).await;
        }
        asked.iter().for_each(ProcessIdentity::forget_child);
    }
    Ok(if asked.is_empty() {
        Ended::WasGone
    } else {
        Ended::Asked
    })
}

async fn force<F>(find: F) -> io::Result<Ended>
where
    F: Fn() -> io::Result<Vec<ProcessIdentity>> + Send,
{
    let deadline = Instant::now() + KILL_WAIT;
    loop {
        let left = find()?;
        if left.is_empty() {
            return Ok(Ended::Forced);
        }
        if Instant::now() >= deadline {
            return Err(io::Error::new(
                io::ErrorKind::TimedOut,
                format!("process {} does not end, even by SIGKILL", left[0].pid()),
            ));
        }
        for process in &left {
            process.signal(Signal::KILL)?;
        }
        // Those in the same state are looked at again soon.
        let _ = timeout_at(Instant::now() + Duration::from_millis(50), async {
            for process in &left {
                process.ended().await;
            }
        })
        .await;
        left.iter().for_each(ProcessIdentity::forget_child);
        sleep(Duration::from_millis(1)).await;
    }
}
