//! The controlling process is killed at seeded random moments, and another one goes on: every run
//! ends wholly on one version, and the journal says which and why.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use serde_json::Value;

const PROGRAM: &str = env!("CARGO_BIN_EXE_nonevent");
const RUNS: u64 = 30;
const AT_A_TIME: usize = 3;
/// From its first action on the target, a run is killed within this time, in milliseconds.
const KILLED_WITHIN_MS: u64 = 2_000;
/// How long a run may take to its first action, in milliseconds.
const BEGINS_WITHIN_MS: u64 = 30_000;
const SEED: u64 = 20_261_123;

/// SplitMix64 (Steele, Lea, Flood 2014).
fn random(seed: u64) -> u64 {
    let mut z = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// A state folder whose processes are ended with it.
struct Place {
    dir: tempfile::TempDir,
}

impl Place {
    fn new() -> Place {
        Place {
            dir: tempfile::tempdir().expect("a temporary folder can be made"),
        }
    }

    fn state(&self) -> PathBuf {
        self.dir.path().join("state")
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(PROGRAM);
        command.args(words).arg("--state").arg(self.state());
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    fn run(&self, words: &[&str]) -> Output {
        self.command(words)
            .output()
            .expect("the program can be run")
    }

    fn deploy(&self) -> Command {
        let service = |version: &str| format!("{PROGRAM} __service --version {version}");
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/kill.yaml");
        let (old, new) = (service("1.4.2"), service("1.5.0"));
        let file = file.display().to_string();
        self.command(&[
            "deploy", "-f", &file, "--old", &old, "--new", &new, "--rate", "50", "--yes",
        ])
    }

    fn status(&self) -> Value {
        let output = self.run(&["status", "--json"]);
        serde_json::from_slice(&output.stdout).unwrap_or(Value::Null)
    }

    /// The versions that answer a few requests through the router; nothing where nobody listens.
    fn versions(&self) -> Vec<String> {
        let Ok(binding) = std::fs::read(self.state().join("run.json")) else {
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
}

impl Drop for Place {
    fn drop(&mut self) {
        drop(self.run(&["cleanup"]));
    }
}

fn version_at(listen: &str) -> Option<String> {
    let mut stream = TcpStream::connect(listen).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(5))).ok()?;
    stream
        .write_all(b"GET /version HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\r\n")
        .ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    let version = answer
        .lines()
        .find_map(|line| line.strip_prefix("x-version: "))?;
    Some(version.trim().to_owned())
}

/// One run: killed `after_ms` after its start, or after a journal began, then resumed; says how it
/// ended.
fn killed_after(after_ms: u64, journal: Option<&str>) -> Result<&'static str, String> {
    let place = Place::new();
    let mut child = place
        .deploy()
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| error.to_string())?;
    let started = Instant::now();
    let journal = journal.map(|name| place.state().join(name));
    while journal.as_ref().is_some_and(|journal| !journal.exists()) {
        if started.elapsed() > Duration::from_millis(BEGINS_WITHIN_MS) {
            drop(child.kill());
            return Err("it did not begin in time".to_owned());
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    let began = Instant::now();
    while began.elapsed() < Duration::from_millis(after_ms) {
        if child
            .try_wait()
            .map_err(|error| error.to_string())?
            .is_some()
        {
            break;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    // SIGKILL: it cannot be caught.
    drop(child.kill());
    child.wait().map_err(|error| error.to_string())?;
    let mut said = String::new();
    for _ in 0..3 {
        let resumed = place.run(&["resume"]);
        said = String::from_utf8_lossy(&resumed.stderr).into_owned();
        let status = place.status();
        if !status["rollout"]["outcome"].is_null() || status["rollout"].is_null() {
            break;
        }
    }
    let status = place.status();
    let outcome = &status["rollout"]["outcome"];
    let (end, expected) = if outcome == "promoted" {
        ("promoted", "1.5.0")
    } else if !outcome["rolled_back"]["reason"].is_null() {
        ("rolled back", "1.4.2")
    } else if status["rollout"].is_null() {
        ("not begun", "1.4.2")
    } else {
        return Err(format!("it did not end: {status}; resume said: {said}"));
    };
    let versions = place.versions();
    let whole = versions == [expected] || (end == "not begun" && versions.is_empty());
    if !whole {
        return Err(format!(
            "{end}, but {versions:?} answer; resume said: {said}"
        ));
    }
    let left = String::from_utf8_lossy(&place.run(&["cleanup"]).stderr).into_owned();
    let other = if expected == "1.4.2" {
        "canary-"
    } else {
        "stable-"
    };
    if left.contains(other) {
        return Err(format!(
            "{end}, but instances of the other version are left: {left}"
        ));
    }
    Ok(end)
}

#[test]
fn every_run_that_is_killed_ends_wholly_on_one_version() {
    let next = AtomicU64::new(0);
    let ends = std::sync::Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..AT_A_TIME {
            scope.spawn(|| {
                loop {
                    let run = next.fetch_add(1, Ordering::Relaxed);
                    if run >= RUNS {
                        return;
                    }
                    let after_ms = random(SEED + run) % KILLED_WITHIN_MS;
                    let journal = match run % 6 {
                        0 => None,
                        1 => Some("rehearsal.jsonl"),
                        _ => Some("journal.jsonl"),
                    };
                    let end = killed_after(after_ms, journal);
                    ends.lock()
                        .expect("no thread panics with it")
                        .push((run, after_ms, end));
                }
            });
        }
    });
    let ends = ends.into_inner().expect("no thread panics with it");
    let bad: Vec<String> = ends
        .iter()
        .filter_map(|(run, after_ms, end)| {
            let error = end.as_ref().err()?;
            Some(format!("run {run}, killed after {after_ms} ms: {error}"))
        })
        .collect();
    assert!(bad.is_empty(), "{}", bad.join("\n"));
    let count = |wanted: &str| ends.iter().filter(|(_, _, end)| *end == Ok(wanted)).count();
    println!(
        "of {RUNS} runs {} were promoted, {} went back, {} had not begun",
        count("promoted"),
        count("rolled back"),
        count("not begun")
    );
    assert!(
        count("promoted") > 0 && count("rolled back") > 0,
        "the moments do not reach every part of a rollout"
    );
}
