//! What this test program does when it is started again: it serves, controls, or routes.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use nonevent_driver::embedded::EmbeddedConfig;
use nonevent_driver::process::find_marked;
use nonevent_driver::{Fleet, FleetConfig, Health, Launch, ProcessFleet};
use nonevent_router::Arm;

const ROLE: &str = "NONEVENT_TEST_ROLE";

/// No process of a test lives longer than this, whatever happens to the test.
const LIFE: Duration = Duration::from_secs(30);

/// This test program in a role.
pub(crate) fn program(role: &str, version: &str) -> Launch {
    let own = std::env::current_exe().expect("this program has a path");
    let own = own.to_str().expect("a path in UTF-8").to_owned();
    Launch::program(
        [own.as_str(), "role::play", "--exact", "--nocapture"],
        version,
    )
    .with_env(ROLE, role)
}

/// A fleet in a temporary folder, whose processes end with it.
pub(crate) struct TestFleet {
    pub(crate) config: FleetConfig,
    pub(crate) dir: tempfile::TempDir,
}

impl TestFleet {
    pub(crate) fn new() -> TestFleet {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let dir = tempfile::tempdir().expect("a temporary folder");
        TestFleet {
            config: FleetConfig {
                dir: dir.path().to_owned(),
                stable: program("instance", "1.4.2"),
                canary: program("instance", "1.5.0"),
                health: Health {
                    interval_ms: 5,
                    ..Health::default()
                },
                log_bytes_max: 1 << 20,
                start_marker: format!("test-{}-{number}", std::process::id()),
            },
            dir,
        }
    }

    pub(crate) fn open(&self) -> ProcessFleet {
        ProcessFleet::open(self.config.clone()).expect("a fleet")
    }

    pub(crate) fn marker(&self) -> &str {
        &self.config.start_marker
    }
}

impl Drop for TestFleet {
    fn drop(&mut self) {
        for marked in find_marked(self.marker()).unwrap_or_default() {
            let _ = marked.process.signal(rustix::process::Signal::KILL);
        }
    }
}

/// Not a test by itself: the other side of those in this program.
#[test]
fn play() {
    match std::env::var(ROLE).as_deref() {
        Ok("instance") => instance(),
        Ok("controller") => controller(),
        Ok("router") => router(),
        _ => {}
    }
}

/// Serves on `PORT`: `/health` is well until `/sicken`, `/exit` ends it, `/say` fills its log.
fn instance() {
    let port: u16 = std::env::var("PORT")
        .expect("a port")
        .parse()
        .expect("a number");
    let listener = TcpListener::bind(("127.0.0.1", port)).expect("the port is free");
    let mut well = true;
    let begun = Instant::now();
    for stream in listener.incoming() {
        let mut stream = stream.expect("a connection");
        let mut head = [0; 1024];
        let bytes = stream.read(&mut head).expect("a request");
        let head = String::from_utf8_lossy(&head[..bytes]).into_owned();
        let status = match head.split(' ').nth(1) {
            Some("/exit") => std::process::exit(3),
            Some("/sicken") => {
                well = false;
                "200 OK"
            }
            Some("/say") => {
                println!("{}", "said ".repeat(1_000));
                "200 OK"
            }
            _ if well => "200 OK",
            _ => "503 Service Unavailable",
        };
        let answer = format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
        let _ = stream.write_all(answer.as_bytes());
        if begun.elapsed() > LIFE {
            return;
        }
    }
}

/// Starts two canaries and waits to be killed.
#[tokio::main(flavor = "current_thread")]
async fn controller() {
    let config = std::env::var("NONEVENT_TEST_FLEET").expect("a fleet");
    let config: FleetConfig = serde_json::from_str(&config).expect("a configuration");
    let ready: PathBuf = config.dir.join("ready");
    let fleet = ProcessFleet::open(config).expect("a fleet");
    let scaled = fleet.scale(Arm::Canary, 2).await.expect("scaled");
    assert_eq!(scaled.started.len(), 2);
    std::fs::write(ready, "").expect("written");
    tokio::time::sleep(LIFE).await;
}

/// Routes as it is told in its last argument.
#[tokio::main(flavor = "current_thread")]
async fn router() {
    let config = std::env::args().next_back().expect("a configuration");
    let config: EmbeddedConfig = serde_json::from_str(&config).expect("a configuration");
    tokio::select! {
        ended = nonevent_driver::embedded::run(config) => ended.expect("it starts"),
        () = tokio::time::sleep(LIFE) => {}
    }
}
