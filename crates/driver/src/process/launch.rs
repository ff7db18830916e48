//! What to run, and running it so that it outlives whoever ran it.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::identity::ProcessIdentity;
use super::marked::{INSTANCE_VARIABLE, VERSION_VARIABLE, is_marked};

/// How often, and how long apart, a new process's environment is looked for.
const ENVIRONMENT_TRIES: u32 = 20;
const ENVIRONMENT_WAIT: Duration = Duration::from_micros(500);

/// A program to run as an instance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Launch {
    /// The program and its arguments; the program is looked up in `PATH` if it has no `/`.
    pub argv: Vec<String>,
    /// Environment variables on top of the controller's own.
    #[serde(default)]
    pub env: Vec<(String, String)>,
    /// The label of the version that this runs.
    pub version: String,
    /// Whether `argv` hands a command to a shell, so that its text is the shell's to read.
    #[serde(default)]
    pub shell: bool,
}

impl Launch {
    /// A program with its arguments, run without a shell.
    pub fn program(
        argv: impl IntoIterator<Item = impl Into<String>>,
        version: impl Into<String>,
    ) -> Launch {
        Launch {
            argv: argv.into_iter().map(Into::into).collect(),
            env: Vec::new(),
            version: version.into(),
            shell: false,
        }
    }

    /// A command as one types it, run by `/bin/sh`.
    ///
    /// A command that is a single program is run as `exec COMMAND`, so that it takes the shell's
    /// place and gets its signals. Any other keeps its shell, which is then signalled together
    /// with all that it started.
    ///
    /// ```
    /// use nonevent_driver::Launch;
    /// assert_eq!(Launch::shell("./shop --port $PORT", "1.4.2").argv[2], "exec ./shop --port $PORT");
    /// assert_eq!(Launch::shell("cd shop && ./run", "1.4.2").argv[2], "cd shop && ./run");
    /// ```
    pub fn shell(command: &str, version: impl Into<String>) -> Launch {
        let script = if is_single_program(command) {
            format!("exec {}", command.trim_start())
        } else {
            command.to_owned()
        };
        Launch {
            shell: true,
            ..Launch::program(["/bin/sh".to_owned(), "-c".to_owned(), script], version)
        }
    }

    /// The same with one more environment variable.
    #[must_use]
    pub fn with_env(mut self, name: impl Into<String>, value: impl Into<String>) -> Launch {
        self.env.push((name.into(), value.into()));
        self
    }
}

/// Whether a shell command is one program with arguments: no list, pipe, redirection, group,
/// substitution or assignment, and nothing that only a shell can do.
fn is_single_program(command: &str) -> bool {
    let plain = |c: char| c.is_alphanumeric() || " \t-_./:,+@%=$\"'".contains(c);
    let Some(first) = command.split_whitespace().next() else {
        return false;
    };
    let of_the_shell = [
        ".", ":", "cd", "eval", "exec", "exit", "export", "for", "if", "case", "set", "source",
        "trap", "ulimit", "umask", "unset", "until", "wait", "while",
    ];
    command.chars().all(plain)
        && !command.contains('\n')
        && !first.contains('=')
        && !of_the_shell.contains(&first)
}

/// How a process is marked and where its output goes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Start<'a> {
    pub(crate) marker: &'a str,
    pub(crate) name: &'a str,
    pub(crate) env: &'a [(&'a str, String)],
    /// Output is added to this file. What an earlier process of the name left is kept as `.1`.
    pub(crate) log: &'a Path,
}

/// Starts a program in a process group of its own, without input, its output straight to a file:
/// nothing ties it to this process, so it lives on when this one dies, and a terminal's Ctrl-C
/// does not reach it.
pub(crate) fn start(launch: &Launch, how: Start<'_>) -> io::Result<ProcessIdentity> {
    let (program, arguments) = launch
        .argv
        .split_first()
        .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "no program is given to run"))?;
    let log = fresh_log(how.log)?;
    let mut command = Command::new(program);
    command
        .args(arguments)
        .envs(launch.env.iter().map(|(name, value)| (name, value)))
        .envs(how.env.iter().map(|(name, value)| (*name, value)))
        .env(VERSION_VARIABLE, &launch.version)
        .env(INSTANCE_VARIABLE, format!("{}/{}", how.marker, how.name))
        .stdin(Stdio::null())
        .stderr(log.try_clone()?)
        .stdout(log)
        .process_group(0);
    let child = command.spawn()?;
    // Dropping the handle neither ends nor forgets the child: until it is reaped its number
    // cannot be reused.
    let process =
        ProcessIdentity::of(child.id())?.ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))?;
    // The system lets a starter go on a moment before the new environment can be read.
    for _ in 0..ENVIRONMENT_TRIES {
        if !process.lives() || is_marked(process.pid(), how.marker)? {
            break;
        }
        std::thread::sleep(ENVIRONMENT_WAIT);
    }
    Ok(process)
}

fn fresh_log(path: &Path) -> io::Result<File> {
    match fs::rename(path, earlier(path)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    // Appending, so that the file can be cut while it is written to.
    OpenOptions::new().append(true).create(true).open(path)
}

fn earlier(log: &Path) -> PathBuf {
    let mut name = log.as_os_str().to_owned();
    name.push(".1");
    PathBuf::from(name)
}

/// Cuts a log that has grown beyond `bytes_max`: what it holds is kept as `.1`, in place of what
/// that held. Lines written in the moment of cutting are lost.
pub(crate) fn limit_log(path: &Path, bytes_max: u64) -> io::Result<()> {
    if fs::metadata(path)?.len() <= bytes_max {
        return Ok(());
    }
    fs::copy(path, earlier(path))?;
    OpenOptions::new().write(true).open(path)?.set_len(0)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn only_a_single_program_replaces_its_shell() {
        for single in [
            "shop",
            "./shop -p $PORT",
            " python3 -m http.server \"$PORT\"",
            "a 'b c'",
        ] {
            assert!(is_single_program(single), "{single}");
        }
        for more in [
            "",
            "a; b",
            "a && b",
            "a | b",
            "a > b",
            "A=1 b",
            "cd a",
            "(a)",
            "a\nb",
            "a `b`",
            "a $(b)",
            "exec a",
            "a & b",
            "while true",
        ] {
            assert!(!is_single_program(more), "{more}");
        }
    }

    #[test]
    fn a_log_is_cut_while_it_is_written_to() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("canary-1.log");
        fs::write(&path, "of an earlier process").unwrap();
        let mut log = fresh_log(&path).unwrap();
        assert_eq!(
            fs::read_to_string(earlier(&path)).unwrap(),
            "of an earlier process"
        );
        log.write_all(b"0123456789").unwrap();
        limit_log(&path, 10).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().len(), 10);
        log.write_all(b"!").unwrap();
        limit_log(&path, 10).unwrap();
        log.write_all(b"after").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "after");
        assert_eq!(fs::read_to_string(earlier(&path)).unwrap(), "0123456789!");
    }
}
