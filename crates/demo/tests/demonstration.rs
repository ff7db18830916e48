//! The demonstration's two programs as processes: what signals do, and what survives a kill.

#![expect(
    clippy::unwrap_used,
    reason = "clippy knows test functions as tests, and not what they call"
)]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

/// A process of this test's own, ended with it.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        // Already ended, in most tests.
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

impl Process {
    fn start(words: &[&str], port: Option<&str>) -> Process {
        let mut command = Command::new(env!("CARGO_BIN_EXE_nonevent"));
        command
            .args(words)
            .env_remove("PORT")
            .stderr(Stdio::piped());
        if let Some(port) = port {
            command.env("PORT", port);
        }
        Process(command.spawn().unwrap())
    }

    /// A service on a free port, ready.
    fn service(words: &[&str]) -> (Process, SocketAddr) {
        let words = [&["__service", "--version", "1.4.2"], words].concat();
        let mut process = Process::start(&words, Some("0"));
        let mut lines = BufReader::new(process.0.stderr.take().unwrap());
        let mut line = String::new();
        lines.read_line(&mut line).unwrap();
        // Nobody reads on: the pipe is closed, and the service must not mind.
        drop(lines);
        let address = line.trim().rsplit(' ').next().unwrap().parse().unwrap();
        within(2_000, || status(address, "/health") == Some(200));
        (process, address)
    }

    fn load(rate_per_s: &str, base_url: &str, ledger: &Path, report: &Path) -> Process {
        let (ledger, report) = (ledger.to_str().unwrap(), report.to_str().unwrap());
        let words = [
            "__load",
            "--base-url",
            base_url,
            "--ledger",
            ledger,
            "--report",
            report,
        ];
        let bounds = ["--duration-ms-max", "10000", "--rate-per-s", rate_per_s];
        Process::start(&[&words[..], &bounds].concat(), None)
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.0), signal).unwrap();
    }

    fn ended(&mut self) -> Option<ExitStatus> {
        self.0.try_wait().unwrap()
    }

    fn exit_code(&mut self) -> Option<i32> {
        within(2_000, || self.ended().is_some());
        self.0.wait().unwrap().code()
    }
}

fn within(ms: u64, mut holds: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(
            begun.elapsed() < Duration::from_millis(ms),
            "not within {ms} ms"
        );
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn status(address: SocketAddr, path: &str) -> Option<u16> {
    let mut stream = TcpStream::connect(address).ok()?;
    let request = format!("GET {path} HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).ok()?;
    let mut text = String::new();
    stream.read_to_string(&mut text).ok()?;
    text.split(' ').nth(1)?.parse().ok()
}

#[test]
fn a_service_ends_by_sigterm_only_and_after_its_work() {
    let (mut service, address) = Process::service(&[]);
    service.signal(Signal::INT);
    service.signal(Signal::HUP);
    let mut busy = TcpStream::connect(address).unwrap();
    let head = b"POST /orders HTTP/1.1\r\nhost: test\r\ncontent-length: 2\r\n\r\n{";
    busy.write_all(head).unwrap();
    assert_eq!(status(address, "/work"), Some(200));
    service.signal(Signal::TERM);
    within(1_000, || TcpStream::connect(address).is_err());
    assert_eq!(service.ended(), None);
    busy.write_all(b"}").unwrap();
    let mut text = String::new();
    busy.read_to_string(&mut text).unwrap();
    assert!(text.starts_with("HTTP/1.1 201 "), "{text}");
    assert_eq!(service.exit_code(), Some(0));
}

#[test]
fn a_crash_has_its_exit_status() {
    let crash = [
        "--fault",
        "crash",
        "--crash-ms-min",
        "50",
        "--crash-ms-max",
        "60",
    ];
    let (mut service, address) = Process::service(&crash);
    std::thread::sleep(Duration::from_millis(100));
    assert_eq!(service.ended(), None);
    assert_eq!(status(address, "/work"), Some(200));
    assert_eq!(service.exit_code(), Some(70));
}

#[test]
fn a_wrong_command_line_is_said_and_exits_2() {
    for (words, port, says) in [
        (
            &["__service", "--version", "1"][..],
            None,
            "PORT is not set",
        ),
        (
            &["__service", "--fault", "no"][..],
            Some("1"),
            "--version is missing",
        ),
        (
            &[
                "__load",
                "--base-url",
                "http://192.0.2.1:80",
                "--ledger",
                "x",
            ],
            None,
            "this machine",
        ),
    ] {
        let mut process = Process::start(words, port);
        let mut text = String::new();
        process
            .0
            .stderr
            .take()
            .unwrap()
            .read_to_string(&mut text)
            .unwrap();
        assert!(text.contains(says), "{text}");
        assert_eq!(process.exit_code(), Some(2));
    }
}

/// The entries in a ledger, and what follows the last whole line.
fn ledger(path: &Path) -> (Vec<Value>, String) {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let (whole, torn) = text.rsplit_once('\n').unwrap_or(("", &text));
    let lines = whole
        .lines()
        .skip(1)
        .map(|line| serde_json::from_str(line).unwrap());
    (lines.collect(), torn.to_owned())
}

#[test]
fn a_killed_load_client_leaves_all_but_the_last_moments() {
    let (_service, address) = Process::service(&[]);
    let folder = tempfile::tempdir().unwrap();
    let (path, report) = (
        folder.path().join("ledger.jsonl"),
        folder.path().join("load.json"),
    );
    // So few that they would fill no buffer: they are on disk because their time has come.
    let mut load = Process::load("20", &format!("http://{address}"), &path, &report);
    within(2_000, || ledger(&path).0.len() > 15);
    let before = now_ms();
    load.0.kill().unwrap();
    load.0.wait().unwrap();
    let (entries, _torn) = ledger(&path);
    let newest = entries
        .iter()
        .filter_map(|entry| entry["at"].as_i64())
        .max()
        .unwrap();
    assert!(
        before - newest < 1_500,
        "the newest entry is {} ms old",
        before - newest
    );
    let report: Value = serde_json::from_slice(&std::fs::read(&report).unwrap()).unwrap();
    assert_eq!(report["endedAtMs"], Value::Null);
}

fn now_ms() -> i64 {
    let since = std::time::UNIX_EPOCH.elapsed().unwrap();
    i64::try_from(since.as_millis()).unwrap()
}

#[test]
fn a_load_client_told_to_end_leaves_a_whole_ledger() {
    let (_service, address) = Process::service(&[]);
    let folder = tempfile::tempdir().unwrap();
    let (path, report) = (
        folder.path().join("ledger.jsonl"),
        folder.path().join("load.json"),
    );
    let mut load = Process::load("400", &format!("http://{address}"), &path, &report);
    within(2_000, || ledger(&path).0.len() > 150);
    load.signal(Signal::INT);
    load.signal(Signal::HUP);
    std::thread::sleep(Duration::from_millis(50));
    assert_eq!(load.ended(), None);
    load.signal(Signal::TERM);
    assert_eq!(load.exit_code(), Some(0));
    let (entries, torn) = ledger(&path);
    assert_eq!(torn, "");
    let report: Value = serde_json::from_slice(&std::fs::read(&report).unwrap()).unwrap();
    assert_eq!(report["numbered"], entries.len());
    assert_eq!(report["requests"]["total"]["lost"], 0);
    assert_eq!(report["websocket"]["closes"][0]["by"], "client");
    assert_eq!(report["websocket"]["messagesLost"], 0);
    assert_eq!(report["session"]["breaksTotal"], 0);
    assert!(report["endedAtMs"].is_i64());
}
