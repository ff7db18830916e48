//! The load client against servers that count, and servers that misbehave on purpose.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::sleep;

use super::ledger::{LedgerTail, read_ledger};
use super::report::ClosedBy;
use super::*;
use crate::demonstration::service::{Ended, Fault, ServiceConfig, serve_on};

/// What a test server does with a request.
#[derive(Debug, Clone)]
enum Reply {
    /// Answers 200 with the version and, for an order, its reference.
    Good,
    /// The same after a while.
    After(u64),
    /// Answers with this text and keeps the connection.
    Text(&'static str),
    /// Sends this text and ends the connection.
    Last(&'static str),
}

/// Counts the requests that it has read whole, by path.
struct Server {
    address: SocketAddr,
    seen: Mutex<BTreeMap<String, u64>>,
    at_once: AtomicUsize,
    at_once_max: AtomicUsize,
    reply: fn(u64) -> Reply,
}

impl Server {
    async fn start(reply: fn(u64) -> Reply) -> Arc<Server> {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = Arc::new(Server {
            address: listener.local_addr().unwrap(),
            seen: Mutex::default(),
            at_once: AtomicUsize::new(0),
            at_once_max: AtomicUsize::new(0),
            reply,
        });
        let shared = Arc::clone(&server);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(Arc::clone(&shared).converse(stream));
            }
        });
        server
    }

    async fn converse(self: Arc<Server>, stream: TcpStream) -> io::Result<()> {
        let mut stream = BufReader::new(stream);
        loop {
            let (mut path, mut length) = (String::new(), 0);
            loop {
                let mut line = String::new();
                if stream.read_line(&mut line).await? == 0 {
                    return Ok(());
                }
                if path.is_empty() {
                    path = line.split(' ').nth(1).unwrap().to_owned();
                } else if let Some(value) = line.strip_prefix("content-length: ") {
                    length = value.trim().parse().unwrap();
                } else if line == "\r\n" {
                    break;
                }
            }
            let mut body = vec![0; length];
            stream.read_exact(&mut body).await?;
            let number = {
                let mut seen = self.seen.lock().unwrap();
                *seen.entry(path).or_default() += 1;
                seen.values().sum::<u64>() - 1
            };
            let at_once = self.at_once.fetch_add(1, Ordering::Relaxed) + 1;
            self.at_once_max.fetch_max(at_once, Ordering::Relaxed);
            let reply = (self.reply)(number);
            if let Reply::After(ms) = reply {
                sleep(Duration::from_millis(ms)).await;
            }
            let body = String::from_utf8(body).unwrap();
            let good = format!("{{\"version\":\"9.9\",\"echo\":{body:?}}}").replace('\\', "");
            let head = "HTTP/1.1 200 OK\r\nx-version: 9.9\r\nx-nonevent-arm: canary\r\n";
            let good = format!("{head}content-length: {}\r\n\r\n{good}", good.len());
            let text = match reply {
                Reply::Good | Reply::After(_) => &good,
                Reply::Text(text) | Reply::Last(text) => text,
            };
            stream.write_all(text.as_bytes()).await?;
            self.at_once.fetch_sub(1, Ordering::Relaxed);
            if matches!(reply, Reply::Last(_)) {
                return stream.shutdown().await;
            }
        }
    }

    fn seen(&self) -> BTreeMap<String, u64> {
        self.seen.lock().unwrap().clone()
    }

    fn seen_total(&self) -> u64 {
        self.seen.lock().unwrap().values().sum()
    }
}

/// A configuration for half a second of traffic, with a folder for its files.
fn config(address: SocketAddr) -> (tempfile::TempDir, LoadConfig) {
    let folder = tempfile::tempdir().unwrap();
    let ledger = folder.path().join("ledger.jsonl");
    let mut config = LoadConfig::new(&format!("http://{address}"), ledger);
    config.duration_ms_max = 500;
    config.request_timeout_ms = 1_000;
    config.websocket_every_ms = 20;
    config.session_every_ms = 20;
    (folder, config)
}

/// Runs to the end of its time.
async fn ran(config: &LoadConfig) -> LoadReport {
    let (_tell, stop) = watch::channel(false);
    run(config.clone(), stop).await.unwrap()
}

/// The entries, after a look at whether every number given out is there exactly once.
fn entries(path: &Path, report: &LoadReport) -> Vec<ledger::Entry> {
    let ledger = read_ledger(path).unwrap();
    assert_eq!(ledger.torn_bytes, 0);
    let mut numbers: Vec<u64> = ledger.entries.iter().map(|entry| entry.sequence).collect();
    numbers.sort_unstable();
    assert_eq!(numbers, (0..report.numbered).collect::<Vec<_>>());
    let summary = LedgerSummary::new().with(&ledger.entries);
    assert_eq!(
        summary.figures(),
        report.requests,
        "the file and the memory agree"
    );
    ledger.entries
}

#[tokio::test]
async fn the_ledger_has_exactly_what_the_server_saw() {
    let server = Server::start(|_| Reply::Good).await;
    let (_folder, config) = config(server.address);
    let report = ran(&config).await;
    let entries = entries(&config.ledger, &report);
    let mut by_path = BTreeMap::<String, u64>::new();
    for entry in &entries {
        *by_path.entry(entry.path.clone()).or_default() += 1;
    }
    assert_eq!(by_path, server.seen());
    let (work, orders, health) = (by_path["/work"], by_path["/orders"], by_path["/health"]);
    assert!(
        work > orders && orders > health && work + orders + health >= 150,
        "{by_path:?}"
    );
    assert_eq!(
        report.requests.by_version["9.9"].sent,
        report.requests.total.sent
    );
    assert_eq!(report.requests.total.lost + report.requests.not_sent, 0);
    assert!(
        entries
            .iter()
            .any(|entry| entry.arm.as_deref() == Some("canary"))
    );
}

#[tokio::test]
async fn dropped_connections_are_lost_requests() {
    let server = Server::start(|n| {
        if n % 10 == 9 {
            Reply::Last("")
        } else {
            Reply::Good
        }
    })
    .await;
    let (_folder, mut config) = config(server.address);
    config.traffic = Traffic::Path("/a".to_owned());
    let report = ran(&config).await;
    let entries = entries(&config.ledger, &report);
    let seen = server.seen_total();
    assert!(seen >= 100, "{seen}");
    assert_eq!(entries.len() as u64, seen);
    assert_eq!(
        report.requests.losses,
        BTreeMap::from([(Loss::Reset, seen / 10)])
    );
    assert_eq!(report.requests.nameless.lost, seen / 10);
}

#[tokio::test]
async fn nothing_listens_and_all_is_lost() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let (_folder, mut config) = config(address);
    config.duration_ms_max = 200;
    let report = ran(&config).await;
    let total = &report.requests.total;
    assert!(total.sent > 20 && total.lost == total.sent);
    assert_eq!(
        report.requests.losses.keys().collect::<Vec<_>>(),
        [&Loss::Connect]
    );
    assert!(report.websocket.unwrap().connections_failed > 0);
    assert!(report.session.unwrap().unanswered > 0);
}

#[tokio::test]
async fn each_misbehaviour_has_its_name() {
    const CASES: [(Reply, Option<Loss>, Option<u16>); 9] = [
        (Reply::Good, None, Some(200)),
        (
            Reply::Text("HTTP/1.1 503 No\r\ncontent-length: 0\r\n\r\n"),
            None,
            Some(503),
        ),
        (Reply::After(400), Some(Loss::Timeout), None),
        (
            Reply::Last("HTTP/1.1 200 OK\r\ncontent-le"),
            Some(Loss::Reset),
            None,
        ),
        (
            Reply::Last("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nshort"),
            Some(Loss::BrokenBody),
            Some(200),
        ),
        (
            Reply::Text("HTTP/1.1 200 OK\r\nx-version: 1\r\ncontent-length: 3\r\n\r\n\"2\""),
            Some(Loss::BrokenBody),
            Some(200),
        ),
        (
            // Somebody else's order: the version is right, the reference is not.
            Reply::Text("HTTP/1.1 201 OK\r\nx-version: 1\r\ncontent-length: 3\r\n\r\n\"1\""),
            Some(Loss::BrokenBody),
            Some(201),
        ),
        (
            Reply::Text("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n"),
            Some(Loss::Timeout),
            Some(200),
        ),
        (Reply::Last("SSH-2.0-hello\r\n"), Some(Loss::Protocol), None),
    ];
    let server = Server::start(|n| CASES[usize::try_from(n).unwrap()].0.clone()).await;
    let host = HeaderValue::from_static("test");
    let client = Client::new(server.address, host, 4, Duration::from_millis(200));
    for (reply, loss, status) in CASES {
        let mut due = Due::get(client.next_sequence(), Instant::now(), "/orders");
        due.method = Method::POST;
        due.body = "order-7".into();
        due.expects = Some("order-7".to_owned());
        let entry = client.exchange(due).await.entry;
        assert_eq!((entry.loss, entry.status), (loss, status), "{reply:?}");
    }
    assert_eq!(server.seen_total(), CASES.len() as u64);
}

#[tokio::test]
async fn a_connection_that_closed_while_idle_costs_no_request() {
    const BYE: &str = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";
    let server = Server::start(|_| Reply::Last(BYE)).await;
    let (_folder, mut config) = config(server.address);
    config.traffic = Traffic::Path("/".to_owned());
    config.connections = 2;
    config.rate_per_s = 50;
    let report = ran(&config).await;
    assert!(report.requests.total.sent >= 15);
    assert_eq!(report.requests.total.lost, 0);
}

#[tokio::test]
async fn a_slow_server_does_not_slow_the_sender() {
    let server = Server::start(|_| Reply::After(300)).await;
    let (_folder, mut config) = config(server.address);
    config.traffic = Traffic::Path("/".to_owned());
    config.rate_per_s = 200;
    let report = ran(&config).await;
    assert!(server.at_once_max.load(Ordering::Relaxed) > 30);
    assert_eq!(
        (report.requests.total.lost, report.requests.not_sent),
        (0, 0)
    );
    assert!(report.requests.total.p50_us.unwrap() >= 300_000);
}

#[tokio::test]
async fn what_the_bound_holds_back_is_recorded_as_such() {
    let server = Server::start(|_| Reply::After(300)).await;
    let (_folder, mut config) = config(server.address);
    config.traffic = Traffic::Path("/".to_owned());
    config.rate_per_s = 200;
    config.in_flight_max = 5;
    let report = ran(&config).await;
    assert_eq!(
        entries(&config.ledger, &report).len() as u64,
        report.numbered
    );
    assert_eq!(
        report.numbered - report.requests.not_sent,
        server.seen_total()
    );
    assert_eq!(server.at_once_max.load(Ordering::Relaxed), 5);
    assert!(report.requests.not_sent > 50);
    assert_eq!(
        report.requests.total.lost, 0,
        "what was not sent is not lost"
    );
}

#[tokio::test]
async fn the_ledger_and_the_report_can_be_followed() {
    let server = Server::start(|_| Reply::Good).await;
    let (folder, mut config) = config(server.address);
    config.duration_ms_max = 60_000;
    config.report = Some(folder.path().join("load.json"));
    let (tell, stop) = watch::channel(false);
    let running = tokio::spawn(run(config.clone(), stop));
    let begun = Instant::now();
    let mut followed = 0;
    while followed < 40 {
        assert!(begun.elapsed() < Duration::from_secs(2));
        sleep(Duration::from_millis(10)).await;
        if let Ok(mut tail) = LedgerTail::open(&config.ledger) {
            followed = tail.read_new(|_| {}).unwrap();
        }
    }
    let path: PathBuf = config.report.clone().unwrap();
    assert_eq!(LoadReport::read(&path).unwrap().ended_at_ms, None);
    drop(tell);
    let report = running.await.unwrap().unwrap();
    assert!(report.ended_at_ms.unwrap() >= report.started_at_ms);
    assert_eq!(LoadReport::read(&path).unwrap(), report);
    assert_eq!(
        std::fs::read_dir(folder.path()).unwrap().count(),
        2,
        "nothing else is left"
    );
}

#[tokio::test]
async fn a_ledger_is_never_written_over() {
    let (_folder, config) = config("127.0.0.1:9".parse().unwrap());
    std::fs::write(&config.ledger, "kept").unwrap();
    let (_tell, stop) = watch::channel(false);
    let error = run(config.clone(), stop.clone()).await.unwrap_err();
    assert_eq!(error.kind(), LoadErrorKind::Ledger);
    assert_eq!(std::fs::read_to_string(&config.ledger).unwrap(), "kept");
    let far = LoadConfig {
        base_url: "http://192.0.2.1:80".to_owned(),
        ..config
    };
    assert_eq!(
        run(far, stop).await.unwrap_err().kind(),
        LoadErrorKind::Usage
    );
}

/// An instance of the demonstration service, ready at once.
async fn instance(
    version: &str,
) -> (
    SocketAddr,
    watch::Sender<bool>,
    tokio::task::JoinHandle<io::Result<Ended>>,
) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let mut config = ServiceConfig::new(address.port(), version, Fault::None);
    config.timing.startup_ms = 0;
    let (tell, stop) = watch::channel(false);
    (
        address,
        tell,
        tokio::spawn(serve_on(listener, config, stop)),
    )
}

#[tokio::test]
async fn the_end_of_the_server_is_in_the_report() {
    let (address, tell, ended) = instance("1.4.2").await;
    let (_folder, mut config) = config(address);
    config.duration_ms_max = 800;
    let running = tokio::spawn(async move { ran(&config).await });
    sleep(Duration::from_millis(300)).await;
    tell.send_replace(true);
    assert_eq!(ended.await.unwrap().unwrap(), Ended::Drained);
    let websocket = running.await.unwrap().websocket.unwrap();
    assert_eq!((websocket.connections, websocket.interruptions), (1, 1));
    assert!(!websocket.survived() && websocket.connections_failed > 0);
    let close = &websocket.closes[0];
    assert_eq!(
        (close.by, close.code, close.reason.as_str()),
        (ClosedBy::Server, Some(1001), "drained")
    );
    assert_eq!(close.version.as_deref(), Some("1.4.2"));
    assert!(websocket.messages_echoed > 3);
    assert_eq!(
        websocket.messages_sent,
        websocket.messages_echoed + websocket.messages_lost
    );
}

/// Forwards bytes to whichever address is current when a connection comes.
async fn switch(target: watch::Receiver<SocketAddr>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut from, _)) = listener.accept().await {
            let target = *target.borrow();
            tokio::spawn(async move {
                let mut to = TcpStream::connect(target).await?;
                tokio::io::copy_bidirectional(&mut from, &mut to).await
            });
        }
    });
    address
}

#[tokio::test]
async fn a_session_and_a_websocket_go_over_to_the_new_version() {
    let (old, tell_old, old_ended) = instance("1.4.2").await;
    let (new, _tell_new, _new_ended) = instance("1.5.0").await;
    let (aim, target) = watch::channel(old);
    let (_folder, mut config) = config(switch(target).await);
    config.duration_ms_max = 1_200;
    let ledger = config.ledger.clone();
    let running = tokio::spawn(async move { ran(&config).await });
    sleep(Duration::from_millis(300)).await;
    aim.send_replace(new);
    tell_old.send_replace(true);
    assert_eq!(old_ended.await.unwrap().unwrap(), Ended::Drained);
    let gone_ms = epoch_ms();
    let report = running.await.unwrap();

    let session = report.session.clone().unwrap();
    let versions: Vec<_> = session
        .versions
        .iter()
        .map(|seen| seen.version.as_str())
        .collect();
    assert_eq!(versions, ["1.4.2", "1.5.0"]);
    assert_eq!(session.breaks, []);
    let websocket = report.websocket.clone().unwrap();
    let versions: Vec<_> = websocket
        .versions
        .iter()
        .map(|seen| seen.version.as_str())
        .collect();
    assert_eq!(versions, ["1.4.2", "1.5.0"]);
    assert_eq!(websocket.closes.len(), 2);
    assert_eq!(
        (websocket.closes[0].by, websocket.closes[1].by),
        (ClosedBy::Server, ClosedBy::Client)
    );
    let summary = LedgerSummary::new().with(&entries(&ledger, &report));
    assert_eq!(summary.answered_since(gone_ms), ["1.5.0"]);
    assert!(summary.version("1.4.2").unwrap().sent > 30);
}
