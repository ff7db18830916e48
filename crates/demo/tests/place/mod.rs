//! A state folder for one test, whose processes are ended with it.

#![allow(dead_code, reason = "each test program uses its own part of it")]

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_nonevent");

/// A state folder whose processes are ended with it.
pub(crate) struct Place {
    dir: tempfile::TempDir,
}

/// What a program said and how it ended.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl From<Output> for Said {
    fn from(output: Output) -> Said {
        Said {
            code: output.status.code(),
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

impl Place {
    pub(crate) fn new() -> Place {
        Place {
            dir: tempfile::tempdir().expect("a temporary folder can be made"),
        }
    }

    /// A folder beside the state folder.
    pub(crate) fn documents(&self) -> PathBuf {
        let documents = self.dir.path().join("documents");
        fs::create_dir_all(&documents).expect("a folder can be made");
        documents
    }

    pub(crate) fn state(&self) -> PathBuf {
        self.dir.path().join("state")
    }

    pub(crate) fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(PROGRAM);
        command.args(words).arg("--state").arg(self.state());
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    pub(crate) fn run(&self, words: &[&str]) -> Said {
        self.command(words)
            .output()
            .expect("the program can be run")
            .into()
    }

    /// A deployment of the demonstration's service by a document beside the tests, with clients
    /// that only ask for its health.
    pub(crate) fn deploy(&self, document: &str) -> Command {
        let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
        self.deploy_file(&tests.join(document))
    }

    /// The same by a document anywhere.
    pub(crate) fn deploy_file(&self, file: &Path) -> Command {
        self.deploy_bad(file, "none")
    }

    /// The same, with a new version that has this fault.
    pub(crate) fn deploy_bad(&self, file: &Path, fault: &str) -> Command {
        let service = |version: &str, fault: &str| {
            format!("exec {PROGRAM} __service --version {version} --fault {fault}")
        };
        let (old, new) = (service("1.4.2", "none"), service("1.5.0", fault));
        let file = file.display().to_string();
        self.command(&[
            "deploy", "-f", &file, "--old", &old, "--new", &new, "--rate", "50", "--yes",
        ])
    }

    pub(crate) fn status(&self) -> Value {
        let said = self.run(&["status", "--json"]);
        assert_eq!(said.code, Some(0), "{said:?}");
        serde_json::from_str(&said.out).expect("the status is JSON")
    }

    /// The versions that answer a few requests through the router; nothing where nobody listens.
    pub(crate) fn versions(&self) -> Vec<String> {
        let Ok(binding) = fs::read(self.state().join("run.json")) else {
            return Vec::new();
        };
        let binding: Value = serde_json::from_slice(&binding).expect("run.json is JSON");
        let listen = binding["router"]["listen"]
            .as_str()
            .expect("the router listens somewhere");
        let mut versions: Vec<String> = (0..20).filter_map(|_| version_at(listen)).collect();
        versions.sort();
        versions.dedup();
        versions
    }

    /// Sends a few requests for work through the router.
    pub(crate) fn work(&self) {
        let Ok(binding) = fs::read(self.state().join("run.json")) else {
            return;
        };
        let binding: Value = serde_json::from_slice(&binding).expect("run.json is JSON");
        let listen = binding["router"]["listen"]
            .as_str()
            .expect("the router listens somewhere");
        for _ in 0..10 {
            drop(answer(listen, "/work"));
        }
    }

    /// The bodies of the journal's records.
    pub(crate) fn journal(&self) -> Vec<Value> {
        let text = fs::read_to_string(self.state().join("journal.jsonl")).unwrap_or_default();
        let record = |line: &str| -> Option<Value> {
            let line: Value = serde_json::from_str(line).ok()?;
            Some(line["body"].clone())
        };
        text.lines().filter_map(record).collect()
    }

    /// Waits until the rollout stands at a step whose name has `part` in it.
    pub(crate) fn at_step(&self, part: &str) {
        within("the step", || {
            if !self.state().is_dir() {
                return false;
            }
            let status = self.status();
            status["rollout"]["atStep"]
                .as_str()
                .is_some_and(|step| step.contains(part))
        });
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        // Whoever was at work here has been ended before.
        drop(self.run(&["cleanup"]));
    }
}

/// A controlling process that is killed with the test.
pub(crate) struct Controller(Option<Child>);

impl Controller {
    pub(crate) fn start(mut command: Command) -> Controller {
        Controller(Some(command.spawn().expect("the program can be run")))
    }

    pub(crate) fn id(&self) -> u32 {
        self.0.as_ref().map_or(0, Child::id)
    }

    pub(crate) fn signal(&self, signal: Signal) {
        let child = self.0.as_ref().expect("it has not been waited for");
        kill_process(Pid::from_child(child), signal).expect("it can be told");
    }

    /// SIGKILL: it cannot be caught.
    pub(crate) fn kill(self) -> Said {
        self.signal(Signal::KILL);
        self.ended()
    }

    pub(crate) fn ended(mut self) -> Said {
        let child = self.0.take().expect("it is waited for once");
        child
            .wait_with_output()
            .expect("what it says can be read")
            .into()
    }
}

impl Drop for Controller {
    fn drop(&mut self) {
        if let Some(mut child) = self.0.take() {
            drop(child.kill());
            drop(child.wait());
        }
    }
}

/// Waits until it holds, for as long as a busy machine may take.
pub(crate) fn within(what: &str, mut holds: impl FnMut() -> bool) {
    let began = Instant::now();
    while !holds() {
        assert!(
            began.elapsed() < Duration::from_secs(40),
            "{what} did not come in time"
        );
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn version_at(listen: &str) -> Option<String> {
    let answer = answer(listen, "/version")?;
    let version = answer
        .lines()
        .find_map(|line| line.strip_prefix("x-version: "))?;
    Some(version.trim().to_owned())
}

fn answer(listen: &str, path: &str) -> Option<String> {
    let mut stream = TcpStream::connect(listen).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(5))).ok()?;
    let request = format!("GET {path} HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    Some(answer)
}
