//! `smoke` as other programs call it: what it prints, what it writes, and how it ends.

#![expect(
    clippy::unwrap_used,
    reason = "clippy knows test functions as tests, and not what they call"
)]

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::thread;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

/// A server that ends with the test program: `/wait` is never answered, `/missing` with 404 until
/// it is there.
struct Server {
    has_missing: Arc<AtomicBool>,
    address: SocketAddr,
    /// The path of each request, as it comes.
    asked: Receiver<String>,
}

impl Server {
    fn start() -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (tell, asked) = channel();
        let has_missing = Arc::new(AtomicBool::new(false));
        let is_there = Arc::clone(&has_missing);
        thread::spawn(move || {
            // What is not answered is held open.
            let mut held = Vec::new();
            for stream in listener.incoming().flatten() {
                let path = path(&stream);
                let _gone = tell.send(path.clone());
                if path == "/wait" {
                    held.push(stream);
                    continue;
                }
                let status = if path == "/missing" && !is_there.load(Ordering::SeqCst) {
                    "404 Not Found"
                } else {
                    "200 OK"
                };
                let body = "##[error]no\n::error::forged";
                let length = body.len();
                let head = format!("HTTP/1.1 {status}\r\ncontent-length: {length}\r\n\r\n");
                let _gone = (&stream).write_all((head + body).as_bytes());
            }
        });
        Server {
            has_missing,
            address,
            asked,
        }
    }

    fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

fn path(stream: &TcpStream) -> String {
    let mut lines = BufReader::new(stream).lines().map_while(Result::ok);
    let first = lines.next().unwrap_or_default();
    let _rest = lines.take_while(|line| !line.is_empty()).count();
    first.split(' ').nth(1).unwrap_or_default().to_owned()
}

const SUITE: &str = "\
tests:
  - { name: Home, path: / }
  - { name: Missing, path: /missing, tags: [old] }
";

/// Exit status, standard output, standard error.
fn smoke(folder: &Path, url: &str, arguments: &[&str]) -> (i32, String, String) {
    let ended = command(folder, url, arguments).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    let code = ended.status.code().unwrap();
    (code, text(ended.stdout), text(ended.stderr))
}

fn command(folder: &Path, url: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_nonevent"));
    command.args(["smoke", "--url", url]).args(arguments);
    command
        .current_dir(folder)
        .env_remove("GITHUB_STEP_SUMMARY");
    command
}

fn folder(suite: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("suite.yaml"), suite).unwrap();
    folder
}

#[test]
fn every_report_is_written_and_says_the_same() {
    let server = Server::start();
    let folder = folder(SUITE);
    let path = folder.path();
    let (code, out, err) = smoke(
        path,
        &server.url(),
        &[
            "--config",
            "suite.yaml",
            "--junit",
            "j.xml",
            "--report",
            "r.json",
            "--html",
            "p.html",
        ],
    );
    assert_eq!((code, err.as_str()), (1, ""), "{out}");
    assert!(
        out.contains("failed: 1 passed, 1 failed of 2 tests in "),
        "{out}"
    );
    let read = |name: &str| fs::read_to_string(path.join(name)).unwrap();
    assert!(read("j.xml").contains("tests=\"2\" failures=\"1\" errors=\"0\""));
    let report: Value = serde_json::from_str(&read("r.json")).unwrap();
    assert_eq!(report["counts"]["failed"], 1);
    assert_eq!(report["tests"][1]["name"], "Missing");
    assert!(read("p.html").contains("1 passed, 1 failed of 2 tests"));
    let names = fs::read_dir(path).unwrap().count();
    assert_eq!(names, 4, "nothing else is left behind");

    let skip = ["--config", "suite.yaml", "--skip-tag", "old", "--json"];
    let (code, out, err) = smoke(path, &server.url(), &skip);
    let report: Value = serde_json::from_str(&out).unwrap();
    assert_eq!((code, &report["counts"]["tests"]), (0, &Value::from(1)));
    assert!(err.starts_with("passed: 1 passed of 1 tests in "), "{err}");
}

#[test]
fn each_backend_is_asked_and_a_quorum_is_enough() {
    let (server, other) = (Server::start(), Server::start());
    let folder = folder("tests: [ { name: Home, path: / } ]\n");
    let gone = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let backends = format!("a={},b={},gone={gone}", server.address, other.address);
    let arguments = ["--config", "suite.yaml", "--backends", &backends];
    let url = "http://shop.example.com";
    let (code, out, _) = smoke(folder.path(), url, &arguments);
    assert_eq!(code, 1, "{out}");
    assert!(
        out.contains("2 of 3 backends passed, and all had to"),
        "{out}"
    );
    let quorum = [&arguments[..], &["--quorum", "2"]].concat();
    let (code, out, _) = smoke(folder.path(), url, &quorum);
    assert_eq!(code, 0, "{out}");
    assert!(out.contains("unreachable   gone ("), "{out}");
    assert!(
        out.contains("\nwarned: 2 passed, 1 inconclusive of 3 tests in "),
        "{out}"
    );
}

#[test]
fn the_servers_that_a_router_lists_are_asked() {
    let (server, other) = (Server::start(), Server::start());
    let folder = folder("tests: [ { name: Home, path: / } ]\n");
    let path = folder.path();
    let upstreams = format!(
        r#"[{{"address":"{}","num_requests":0,"fails":0}},{{"address":"{}","num_requests":1,"fails":0}}]"#,
        server.address, other.address
    );
    fs::write(path.join("upstreams.json"), upstreams).unwrap();
    let url = "http://shop.example.com";
    let from = |from: &str| {
        let arguments = ["--config", "suite.yaml", "--backends-from", from];
        smoke(path, url, &arguments)
    };
    let (code, out, err) = from("caddy=upstreams.json");
    assert_eq!((code, err.as_str()), (0, ""), "{out}");
    assert!(out.contains("2 passed of 2 tests"), "{out}");
    assert_eq!(
        (
            server.asked.iter().take(1).count(),
            other.asked.iter().take(1).count()
        ),
        (1, 1)
    );
    for (bad, why) in [
        ("caddy", "write DIALECT=FILE"),
        (
            "apache=x",
            "the dialects with a list are haproxy, nginx, envoy, caddy, traefik",
        ),
        ("caddy=none.json", "No such file"),
        ("haproxy=upstreams.json", "haproxy"),
    ] {
        let (code, _, err) = from(bad);
        assert_eq!(code, 2, "{err}");
        assert!(
            err.contains("--backends-from") && err.contains(why),
            "{err}"
        );
    }
}

#[test]
fn two_versions_are_compared() {
    let (old, new) = (Server::start(), Server::start());
    new.has_missing.store(true, Ordering::SeqCst);
    let folder = folder(SUITE);
    let path = folder.path();
    let old_address = old.address.to_string();
    let against = ["--config", "suite.yaml", "--against", &old_address];
    let (code, out, err) = smoke(
        path,
        &new.url(),
        &[&against[..], &["--report", "c.json"]].concat(),
    );
    assert_eq!((code, err.as_str()), (1, ""), "{out}");
    assert!(out.contains("      status: was 404, is 200\n"), "{out}");
    assert!(
        out.contains("different: 1 same, 1 different of 2 tests in "),
        "{out}"
    );
    let report: Value = serde_json::from_slice(&fs::read(path.join("c.json")).unwrap()).unwrap();
    assert_eq!(
        (&report["kind"], &report["verdict"]),
        (&"SmokeComparison".into(), &"different".into())
    );

    let ignored = [&against[..], &["--ignore", "status", "--json"]].concat();
    let (code, out, _) = smoke(path, &new.url(), &ignored);
    let report: Value = serde_json::from_str(&out).unwrap();
    assert_eq!((code, &report["verdict"]), (0, &"same".into()));

    let (code, _, err) = smoke(path, &new.url(), &["--against", "nowhere"]);
    assert_eq!(code, 2);
    assert!(
        err.contains("--against \"nowhere\"") && err.contains("write a URL"),
        "{err}"
    );
}

#[test]
fn what_changed_since_the_run_before_is_said() {
    let server = Server::start();
    let folder = folder(SUITE);
    let path = folder.path();
    let config = ["--config", "suite.yaml"];
    let (code, ..) = smoke(
        path,
        &server.url(),
        &[&config[..], &["--report", "before.json"]].concat(),
    );
    assert_eq!(code, 1);
    server.has_missing.store(true, Ordering::SeqCst);
    let (code, _, err) = smoke(
        path,
        &server.url(),
        &[&config[..], &["--baseline", "before.json"]].concat(),
    );
    assert_eq!(code, 0, "{err}");
    assert_eq!(
        err,
        "since the run before: 1 changed, 0 for the worse; 2 were run both times\n  \
         Missing: verdict was failed, is passed; status was 404, is 200\n"
    );
    let (code, _, err) = smoke(
        path,
        &server.url(),
        &[&config[..], &["--baseline", "suite.yaml"]].concat(),
    );
    assert_eq!(code, 2);
    assert!(
        err.contains("--baseline suite.yaml: this is no report"),
        "{err}"
    );
}

#[test]
fn a_run_becomes_evidence_that_can_be_signed() {
    let server = Server::start();
    let folder = folder("tests: [ { name: Home, path: / } ]\n");
    let path = folder.path();
    let plan = format!("sha256:{}", "ab".repeat(32));
    let statement = [
        "--config",
        "suite.yaml",
        "--statement",
        "s.json",
        "--subject",
        "shop=suite.yaml",
        "--plan",
        &plan,
        "--phase",
        "after",
        "--set",
        "release=1.5.0",
    ];
    let (code, out, err) = smoke(path, &server.url(), &statement);
    assert_eq!((code, err.as_str()), (0, ""), "{out}");
    let written: Value = serde_json::from_slice(&fs::read(path.join("s.json")).unwrap()).unwrap();
    assert_eq!(
        written["predicateType"],
        "https://in-toto.io/attestation/test-result/v0.1"
    );
    assert_eq!(written["subject"].as_array().unwrap().len(), 2);
    assert_eq!(written["predicate"]["passedTests"][0], "Home");
    let evidence = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_nonevent"));
        command.arg("evidence").args(arguments).current_dir(path);
        command.output().unwrap()
    };
    assert!(
        evidence(&["keygen", "--output", "key", "--label", "ci"])
            .status
            .success()
    );
    let signed = evidence(&["sign", "--key", "key", "s.json"]);
    assert!(
        signed.status.success(),
        "{}",
        String::from_utf8_lossy(&signed.stderr)
    );

    let part = [
        "--only",
        "Home",
        "--statement",
        "s.json",
        "--subject",
        "shop=suite.yaml",
    ];
    let (code, _, err) = smoke(path, &server.url(), &part);
    assert_eq!(code, 2, "{err}");
}

#[test]
fn github_is_told_in_commands_and_nothing_else_is_one() {
    let server = Server::start();
    let folder = folder(SUITE);
    let path = folder.path();
    fs::write(path.join("summary.md"), "before\n").unwrap();
    let mut command = command(path, &server.url(), &["--config", "suite.yaml", "--github"]);
    let ended = command
        .env("GITHUB_STEP_SUMMARY", "summary.md")
        .output()
        .unwrap();
    let out = String::from_utf8(ended.stdout).unwrap();
    let lines: Vec<&str> = out.lines().collect();
    let word = lines[0].strip_prefix("::stop-commands::").unwrap();
    let end = format!("::{word}::");
    let end = lines.iter().position(|line| *line == end).unwrap();
    let [error, notice] = &lines[end + 1..] else {
        panic!("{out}");
    };
    let wanted = "::error title=Missing,file=suite.yaml,line=3::assertion: status is 404, ";
    assert!(error.starts_with(wanted), "{out}");
    assert!(
        notice.starts_with("::notice title=smoke suite.yaml::failed: "),
        "{out}"
    );
    let summary = fs::read_to_string(path.join("summary.md")).unwrap();
    assert!(summary.starts_with("before\n## "), "{summary}");
    assert!(summary.contains("| failed | Missing | 404 |"), "{summary}");
}

#[test]
fn what_cannot_be_done_is_said_before_anything_is_asked() {
    let server = Server::start();
    let folder = folder(SUITE);
    let url = server.url();
    let cases: [(&[&str], i32, &str); 9] = [
        (
            &["--junit", "none/j.xml"],
            3,
            "create the folder none first",
        ),
        (&["--html", "."], 3, "this is a folder"),
        (&["--ca", "none.pem"], 2, "--ca none.pem: "),
        (&["--config", "none.yaml"], 2, "none.yaml: "),
        (&["--set", "release"], 2, "write NAME=VALUE"),
        (&["--backends", "shop"], 2, "write [NAME=]HOST:PORT"),
        (&["--quorum", "2"], 2, "--backends"),
        (&["--proxy", "ftp://x"], 2, "--proxy: target `ftp://x`"),
        (
            &["--config", "suite.yaml", "--tag", "new"],
            2,
            "the tags are: old",
        ),
    ];
    for (arguments, wanted, says) in cases {
        let (code, out, err) = smoke(folder.path(), &url, arguments);
        assert_eq!((code, out.as_str()), (wanted, ""), "{arguments:?}: {err}");
        assert!(err.contains(says), "{arguments:?}: {err}");
    }
    assert!(server.asked.try_recv().is_err(), "something was asked");
}

const WAITING: &str = "\
setup: [ { name: Sign in, path: / } ]
tests: [ { name: Waits, path: /wait } ]
";

/// Starts a run that waits, with an older report beside it.
fn waiting(server: &Server, folder: &Path) -> Child {
    fs::write(folder.join("r.json"), "old").unwrap();
    let arguments = ["--config", "suite.yaml", "--report", "r.json"];
    let mut command = command(folder, &server.url(), &arguments);
    let child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    while server.asked.recv().unwrap() != "/wait" {}
    child
}

fn interrupt(child: &Child) {
    let id = Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap();
    kill_process(id, Signal::INT).unwrap();
}

#[test]
fn an_interrupt_cancels_and_the_teardown_is_run() {
    let server = Server::start();
    let teardown = "teardown: [ { name: Sign out, path: /out } ]\n";
    let folder = folder(&format!("{WAITING}{teardown}"));
    let child = waiting(&server, folder.path());
    interrupt(&child);
    let ended = child.wait_with_output().unwrap();
    let out = String::from_utf8(ended.stdout).unwrap();
    assert_eq!(ended.status.code(), Some(130), "{out}");
    assert_eq!(server.asked.recv().unwrap(), "/out");
    assert!(
        out.contains("cancelled: the run was cancelled before its end"),
        "{out}"
    );
    let err = String::from_utf8(ended.stderr).unwrap();
    assert!(err.starts_with("cancelled: "), "{err}");
    let report = fs::read_to_string(folder.path().join("r.json")).unwrap();
    let report: Value = serde_json::from_str(&report).unwrap();
    assert_eq!(report["verdict"], "inconclusive");
    assert_eq!(report["counts"]["tests"], 3);
}

#[test]
fn a_second_interrupt_ends_at_once_and_leaves_the_old_report() {
    let server = Server::start();
    let folder = folder(&format!(
        "{WAITING}teardown: [ {{ name: Hangs, path: /wait }} ]\n"
    ));
    let mut child = waiting(&server, folder.path());
    interrupt(&child);
    // The teardown has begun.
    assert_eq!(server.asked.recv().unwrap(), "/wait");
    interrupt(&child);
    let code = child.wait().unwrap().code();
    let mut err = String::new();
    child
        .stderr
        .take()
        .unwrap()
        .read_to_string(&mut err)
        .unwrap();
    assert_eq!(code, Some(130), "{err}");
    assert!(err.contains("ended at once"), "{err}");
    let report = fs::read_to_string(folder.path().join("r.json")).unwrap();
    assert_eq!(report, "old");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
}
