//! How fast smoke suites run against a local nginx, beside `wrk` and `curl` on the same server.
//!
//! Every figure that compares is taken in turns within one run, so that a busy machine slows both
//! sides alike. What is not installed is said and left out.

use std::error::Error;
use std::fmt::Write as _;
use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use nonevent::smoke::{Options, Suite, Target, stream};

/// Turns of each comparison.
const TURNS: usize = 7;
const PAGE: &str = "<html><body>Welcome to the shop, all is ok.</body></html>\n";

type Outcome<T> = Result<T, Box<dyn Error>>;

fn main() -> Outcome<()> {
    let folder = tempfile::tempdir()?;
    let Some(nginx) = Nginx::start(folder.path())? else {
        println!("not run: nginx is not installed (apt-get install nginx-light)");
        return Ok(());
    };
    command(folder.path(), &nginx)?;
    rate(&nginx)?;
    Ok(())
}

/// An nginx of this bench's own, which ends with it.
struct Nginx {
    child: Child,
    url: String,
}

impl Nginx {
    fn start(folder: &Path) -> Outcome<Option<Nginx>> {
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let at = folder.display();
        fs::create_dir(folder.join("www"))?;
        fs::write(folder.join("www/index.html"), PAGE)?;
        let mut temporary = String::new();
        for name in ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"] {
            write!(temporary, "{name}_temp_path {at}/{name}; ")?;
        }
        let config = format!(
            "daemon off; worker_processes 1; pid {at}/pid; error_log {at}/error.log;\n\
             events {{ worker_connections 4096; }}\n\
             http {{ access_log off; keepalive_requests 1000000000; {temporary}\n\
             server {{ listen 127.0.0.1:{port} backlog=4096; root {at}/www; }} }}\n"
        );
        let file = folder.join("nginx.conf");
        fs::write(&file, config)?;
        let mut nginx = Command::new("nginx");
        nginx.arg("-p").arg(folder).arg("-c").arg(&file);
        let Ok(child) = nginx.stderr(Stdio::null()).spawn() else {
            return Ok(None);
        };
        let url = format!("http://127.0.0.1:{port}");
        let nginx = Nginx { child, url };
        for _ in 0..200 {
            if TcpStream::connect(("127.0.0.1", port)).is_ok() {
                return Ok(Some(nginx));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Err("nginx does not listen".into())
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        // The worker ends when its master asks it to, which a kill of the master would not do.
        let pid = self.child.id().to_string();
        let _ended = Command::new("kill").args(["-QUIT", &pid]).status();
        let _ended = self.child.wait();
    }
}

fn suite(tests: usize) -> String {
    let test = |at| {
        format!(
            "{{\"name\":\"check {at}\",\"path\":\"/index.html\",\"expected_status\":200,\
             \"expected_body_contains\":\"all is ok\"}}"
        )
    };
    let tests: Vec<String> = (0..tests).map(test).collect();
    format!("{{\"tests\":[{}]}}", tests.join(","))
}

/// The command: its whole wall time, and the memory it takes.
fn command(folder: &Path, nginx: &Nginx) -> Outcome<()> {
    let (thousand, many) = (folder.join("1000.json"), folder.join("10000.json"));
    fs::write(&thousand, suite(1_000))?;
    fs::write(&many, suite(10_000))?;
    let urls = folder.join("urls");
    let line = format!(
        "url = \"{}/index.html\"\noutput = \"/dev/null\"\n",
        nginx.url
    );
    fs::write(&urls, line.repeat(1_000))?;

    let smoke = |file: &Path, reuse: bool| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_nonevent"));
        command.args(["smoke", "--url", &nginx.url, "--jobs", "16", "--config"]);
        command.arg(file);
        if reuse {
            command.arg("--reuse-connections").arg("--junit");
            command.arg(folder.join("junit.xml"));
        }
        command
    };
    let curl = |parallel: bool| {
        let mut command = Command::new("curl");
        command.args(["--silent", "--config"]).arg(&urls);
        if parallel {
            command.args(["--parallel", "--parallel-max", "16"]);
        }
        command
    };
    let mut rows: Vec<(&str, Command, Vec<f64>)> = vec![
        (
            "nonevent, 16 reused connections, JUnit",
            smoke(&thousand, true),
            Vec::new(),
        ),
        (
            "nonevent, fresh connections, 16 at a time",
            smoke(&thousand, false),
            Vec::new(),
        ),
        ("curl, one reused connection", curl(false), Vec::new()),
        ("curl, 16 at a time", curl(true), Vec::new()),
    ];
    for _ in 0..TURNS {
        for (_, command, times) in &mut rows {
            times.extend(timed(command)?);
        }
    }
    println!("1 000 GETs with status and body, wall time of the whole command, {TURNS} turns:");
    for (name, _, times) in &mut rows {
        if times.is_empty() {
            println!("  {name:44} not installed");
            continue;
        }
        times.sort_by(f64::total_cmp);
        let (least, median) = (times[0], times[times.len() / 2]);
        println!("  {name:44} {least:6.1} ms at least, {median:6.1} ms in the median");
    }
    println!("memory at its highest (VmHWM):");
    for (name, file, reuse) in [
        ("1 000 checks, reused connections, JUnit", &thousand, true),
        ("10 000 checks, reused connections, JUnit", &many, true),
        ("10 000 checks, fresh connections", &many, false),
    ] {
        let mib = memory(&mut smoke(file, reuse))?;
        println!("  {name:44} {mib:6.1} MiB");
    }
    Ok(())
}

/// Milliseconds until the command has ended; nothing if it is not installed.
fn timed(command: &mut Command) -> Outcome<Option<f64>> {
    command.stdout(Stdio::null());
    let begun = Instant::now();
    let Ok(status) = command.status() else {
        return Ok(None);
    };
    let ms = begun.elapsed().as_secs_f64() * 1_000.0;
    if !status.success() {
        return Err(format!("{command:?} ended with {status}").into());
    }
    Ok(Some(ms))
}

/// The most memory that a command has had resident, looked at as often as may be while it runs.
fn memory(command: &mut Command) -> Outcome<f64> {
    let mut child = command.stdout(Stdio::null()).spawn()?;
    let file = format!("/proc/{}/status", child.id());
    let mut most = 0.0_f64;
    while child.try_wait()?.is_none() {
        let status = fs::read_to_string(&file).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<f64>().ok());
        most = most.max(kib.unwrap_or_default() / 1_024.0);
        std::thread::sleep(Duration::from_micros(200));
    }
    Ok(most)
}

/// Requests in a second over 64 open connections, in turns with `wrk`.
fn rate(nginx: &Nginx) -> Outcome<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let text = "tests: [ { path: /index.html, expected_body_contains: all is ok, repeat: 10000 }, \
                { path: /index.html, expected_body_contains: all is ok, repeat: 10000, name: b }, \
                { path: /index.html, expected_body_contains: all is ok, repeat: 10000, name: c } ]";
    let suite = Suite::parse("suite.yaml", text.as_bytes())?;
    let target = Target::parse(&nginx.url)?;
    let options = Options {
        jobs: 64,
        reuse_connections: true,
        ..Options::started_at("2026-01-05T10:00:00Z".parse()?)
    };
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..TURNS {
        let begun = Instant::now();
        let cancel = std::future::pending();
        let run = stream(&suite, &target, &options, cancel, |_| ());
        let summary = runtime.block_on(run)?;
        let seconds = begun.elapsed().as_secs_f64();
        if !summary.verdict.is_yes() {
            return Err(format!("the suite is {}", summary.verdict).into());
        }
        #[expect(clippy::cast_precision_loss, reason = "a few thousand tests")]
        ours.push(summary.counts.tests as f64 / seconds);
        theirs.extend(wrk(&nginx.url));
    }
    ours.sort_by(f64::total_cmp);
    theirs.sort_by(f64::total_cmp);
    let ours = ours[ours.len() / 2];
    println!("64 reused connections, one thread, medians of {TURNS} turns:");
    println!("  nonevent {ours:8.0} checks in a second");
    let Some(theirs) = theirs.get(theirs.len() / 2) else {
        println!("  wrk      not installed (apt-get install wrk)");
        return Ok(());
    };
    println!("  wrk      {theirs:8.0} requests in a second");
    println!("  nonevent has {:.0} % of wrk's", 100.0 * ours / theirs);
    Ok(())
}

fn wrk(url: &str) -> Option<f64> {
    let mut command = Command::new("wrk");
    command.args(["-t1", "-c64", "-d1s", &format!("{url}/index.html")]);
    let out = command.output().ok()?;
    let text = String::from_utf8_lossy(&out.stdout).into_owned();
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("Requests/sec:"))?;
    line.trim().parse().ok()
}
