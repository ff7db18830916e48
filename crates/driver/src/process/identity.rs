//! Which process is meant: a number alone is reused, a number with its start time is not.

use std::fs;
use std::io;
use std::os::fd::OwnedFd;
use std::time::Duration;

use rustix::io::Errno;
use rustix::process::{
    Pid, PidfdFlags, Signal, WaitOptions, kill_process, pidfd_open, pidfd_send_signal, waitpid,
};
use serde::{Deserialize, Serialize};

/// How often a process is looked at while its end is awaited.
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// One process, told apart from any later one that gets its number.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProcessIdentity {
    pid: u32,
    /// Field 22 of `/proc/<pid>/stat` (proc_pid_stat(5)): clock ticks from boot to its start.
    start_ticks: u64,
    /// The boot that the ticks are counted from.
    boot: String,
}

/// What `/proc/<pid>/stat` says that is needed here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stat {
    state: u8,
    /// Its process group; the group's leader has it as its own number.
    pub(super) group: u32,
    threads: u32,
    start_ticks: u64,
}

impl Stat {
    /// Reads one line of `/proc/<pid>/stat`.
    fn parse(text: &str) -> Option<Stat> {
        // The name stands in parentheses and may itself contain anything, parentheses too.
        let fields = text.get(text.rfind(')')? + 1..)?;
        let mut fields = fields.split_ascii_whitespace();
        let state = *fields.next()?.as_bytes().first()?;
        let group = fields.nth(1)?.parse().ok()?;
        let threads = fields.nth(14)?.parse().ok()?;
        let start_ticks = fields.nth(1)?.parse().ok()?;
        Some(Stat {
            state,
            group,
            threads,
            start_ticks,
        })
    }

    pub(super) fn of(pid: u32) -> Option<Stat> {
        Stat::parse(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
    }

    /// A zombie has ended, only its parent has not yet looked: but not before its last thread has
    /// ended, for until then it holds its files and ports.
    fn lives(self) -> bool {
        match self.state {
            b'X' => false,
            b'Z' => self.threads > 1,
            _ => true,
        }
    }
}

fn boot_id() -> io::Result<String> {
    let id = fs::read_to_string("/proc/sys/kernel/random/boot_id")?;
    Ok(id.trim_end().to_owned())
}

impl ProcessIdentity {
    /// The process that has this number now; `None` if none has.
    ///
    /// # Errors
    ///
    /// The system does not tell (there is no `/proc`).
    pub fn of(pid: u32) -> io::Result<Option<ProcessIdentity>> {
        let boot = boot_id()?;
        Ok(Stat::of(pid).map(|stat| ProcessIdentity {
            pid,
            start_ticks: stat.start_ticks,
            boot,
        }))
    }

    /// Its number.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.pid
    }

    fn raw(&self) -> Option<Pid> {
        i32::try_from(self.pid).ok().and_then(Pid::from_raw)
    }

    /// Whether it has not ended. A zombie has.
    #[must_use]
    pub fn lives(&self) -> bool {
        Stat::of(self.pid).is_some_and(|stat| stat.lives() && stat.start_ticks == self.start_ticks)
            && boot_id().is_ok_and(|boot| boot == self.boot)
    }

    /// A handle that stays with this process even if its number is reused; `Ok(None)` if it has
    /// ended.
    fn handle(&self) -> io::Result<Option<OwnedFd>> {
        let Some(pid) = self.raw() else {
            return Ok(None);
        };
        let handle = match pidfd_open(pid, PidfdFlags::empty()) {
            Ok(handle) => handle,
            Err(Errno::SRCH) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        // Looked at after the handle was opened: if this is the process meant, then it was
        // already there, so the handle is of it.
        Ok(self.lives().then_some(handle))
    }

    /// Sends it a signal. `Ok(false)` if it had already ended; another process that got its
    /// number is never signalled.
    ///
    /// # Errors
    ///
    /// The system refused, as for a process of another user.
    pub fn signal(&self, signal: Signal) -> io::Result<bool> {
        let sent = match self.handle() {
            Ok(None) => return Ok(false),
            Ok(Some(handle)) => pidfd_send_signal(handle, signal),
            // A kernel before 5.3 or a sandbox: the best there is, a moment after the look.
            Err(error) if lacks_handles(&error) => match self.raw().filter(|_| self.lives()) {
                Some(pid) => kill_process(pid, signal),
                None => return Ok(false),
            },
            Err(error) => return Err(error),
        };
        match sent {
            Ok(()) => Ok(true),
            Err(Errno::SRCH) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Waits until it has ended, seen to within 5 ms.
    pub async fn ended(&self) {
        while self.lives() {
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// Lets the system forget it, if it was a child of this process and has ended.
    pub(crate) fn forget_child(&self) {
        let _ = self.reap();
    }

    /// How it ended, if it was a child of this process and nobody has asked before. Asking lets
    /// the system forget it.
    pub(super) fn reap(&self) -> Option<String> {
        let (_, status) = waitpid(self.raw(), WaitOptions::NOHANG).ok().flatten()?;
        let text = match (status.exit_status(), status.terminating_signal()) {
            (Some(code), _) => format!("exit status {code}"),
            (None, Some(signal)) => format!("ended by signal {signal}"),
            (None, None) => "ended".to_owned(),
        };
        Some(text)
    }
}

fn lacks_handles(error: &io::Error) -> bool {
    let code = error.raw_os_error();
    [Errno::NOSYS, Errno::PERM]
        .iter()
        .any(|errno| code == Some(errno.raw_os_error()))
}

#[cfg(test)]
mod tests {
    use std::process::{Command, Stdio};

    use super::*;

    #[test]
    fn a_name_may_look_like_fields() {
        let line = "42 (a) R (b)) S 1 42 42 0 -1 4194304 1 2 3 4 5 6 7 8 20 0 3 0 98765 9 9";
        let stat = Stat::parse(line).expect("a line");
        assert_eq!(
            (stat.state, stat.group, stat.threads, stat.start_ticks),
            (b'S', 42, 3, 98_765)
        );
        for bad in ["", "42", "42 (a", "42 (a) S 1", "42 (a) S 1 x"] {
            assert_eq!(Stat::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn this_process_is_itself() {
        let own = ProcessIdentity::of(std::process::id()).unwrap().unwrap();
        assert!(own.lives());
        let later = ProcessIdentity {
            start_ticks: own.start_ticks + 1,
            ..own.clone()
        };
        let other_boot = ProcessIdentity {
            boot: "another".into(),
            ..own
        };
        for stranger in [later, other_boot] {
            assert!(!stranger.lives());
            // Were this sent, the test would end here.
            assert!(!stranger.signal(Signal::KILL).unwrap());
        }
    }

    #[tokio::test]
    async fn a_zombie_has_ended() {
        #[expect(
            clippy::zombie_processes,
            reason = "that is what is tested; it is reaped below"
        )]
        let mut child = Command::new("/bin/sh")
            .args(["-c", "read line"])
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        let process = ProcessIdentity::of(child.id()).unwrap().unwrap();
        assert!(process.lives());
        assert_eq!(process.reap(), None);
        drop(child.stdin.take());
        process.ended().await;
        assert!(
            !process.lives(),
            "nobody has waited for it, yet it has ended"
        );
        assert_eq!(process.reap().as_deref(), Some("exit status 1"));
        assert_eq!(process.reap(), None);
        assert!(!process.signal(Signal::TERM).unwrap());
    }
}
