//! The service, asked over real sockets.

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::task::JoinHandle;
use tokio_tungstenite::client_async;
use tokio_tungstenite::tungstenite::Message;

use super::*;

/// An instance in a task of this test.
struct Instance {
    address: SocketAddr,
    tell: watch::Sender<bool>,
    ended: JoinHandle<io::Result<Ended>>,
}

impl Instance {
    async fn start(fault: Fault, change: impl FnOnce(&mut Timing)) -> Instance {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let mut config = ServiceConfig::new(address.port(), "1.5.0", fault);
        config.seed = Some(42);
        config.timing.startup_ms = 0;
        change(&mut config.timing);
        let (tell, stop) = watch::channel(false);
        let ended = tokio::spawn(serve_on(listener, config, stop));
        Instance {
            address,
            tell,
            ended,
        }
    }

    async fn good() -> Instance {
        Instance::start(Fault::None, |_| {}).await
    }

    async fn get(&self, path: &str) -> Answer {
        self.ask("GET", path, "", "").await
    }

    async fn ask(&self, method: &str, path: &str, headers: &str, body: &str) -> Answer {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        let length = body.len();
        let head = format!("{method} {path} HTTP/1.1\r\nhost: test\r\nconnection: close\r\n");
        let request = format!("{head}content-length: {length}\r\n{headers}\r\n{body}");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).await.unwrap();
        Answer::new(&text)
    }
}

struct Answer {
    status: u16,
    head: String,
    body: String,
}

impl Answer {
    fn new(text: &str) -> Answer {
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Answer {
            status,
            head: head.to_owned(),
            body: body.to_owned(),
        }
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.head
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

#[tokio::test]
async fn every_endpoint_answers_and_names_its_version() {
    let instance = Instance::good().await;
    for (method, path, body, status) in [
        ("GET", "/health", "", 200),
        ("HEAD", "/health", "", 200),
        ("GET", "/version", "", 200),
        ("GET", "/", "", 200),
        ("GET", "/work?x=1", "", 200),
        ("GET", "/session", "", 200),
        ("POST", "/orders", r#"{"reference":"r1"}"#, 201),
        ("POST", "/orders", "not JSON", 400),
        ("POST", "/orders", &"x".repeat(16 * 1024 + 1), 413),
        ("GET", "/orders", "", 405),
        ("POST", "/work", "", 405),
        ("GET", "/ws", "", 426),
        ("GET", "/nowhere", "", 404),
    ] {
        let answer = instance.ask(method, path, "", body).await;
        assert_eq!(answer.status, status, "{method} {path}");
        assert_eq!(answer.header("x-version"), Some("1.5.0"), "{method} {path}");
    }
    assert_eq!(
        instance.get("/health").await.body,
        r#"{"status":"ok","version":"1.5.0"}"#
    );
    let page = instance.ask("GET", "/", "accept: text/html\r\n", "").await;
    assert!(page.body.contains("<strong>1.5.0</strong>"));
    assert_eq!(
        instance.ask("GET", "/orders", "", "").await.header("allow"),
        Some("POST")
    );
}

#[tokio::test]
async fn the_same_order_twice_is_two_orders() {
    let instance = Instance::good().await;
    let order = r#"{"reference":"r1"}"#;
    let first = instance.ask("POST", "/orders", "", order).await.json();
    let second = instance.ask("POST", "/orders", "", order).await.json();
    assert_eq!(
        (&first["reference"], &first["version"]),
        (&"r1".into(), &"1.5.0".into())
    );
    assert_ne!(first["id"], second["id"]);
}

#[tokio::test]
async fn readiness_takes_its_time() {
    let instance = Instance::start(Fault::None, |timing| timing.startup_ms = 150).await;
    let begun = Instant::now();
    for path in ["/health", "/work"] {
        let early = instance.get(path).await;
        assert_eq!(
            (early.status, &early.json()["status"]),
            (503, &"starting".into())
        );
    }
    while instance.get("/health").await.status != 200 {
        assert!(begun.elapsed() < Duration::from_secs(2));
        sleep(Duration::from_millis(10)).await;
    }
    assert!(begun.elapsed() >= Duration::from_millis(100));
}

/// Asks a thousand times, fifty at once; returns how many failed and how many took over 19 ms.
async fn thousand(instance: &Instance, method: &str, path: &str, body: &str) -> (usize, usize) {
    let asked = futures_util::stream::iter(0..1_000)
        .map(|_| async {
            let begun = Instant::now();
            let status = instance.ask(method, path, "", body).await.status;
            (status == 500, begun.elapsed() > Duration::from_millis(19))
        })
        .buffer_unordered(50);
    let told: Vec<_> = asked.collect().await;
    let count = |of: fn(&(bool, bool)) -> bool| told.iter().filter(|one| of(one)).count();
    (count(|one| one.0), count(|one| one.1))
}

#[tokio::test]
async fn errors_come_at_their_rate_and_health_hides_them() {
    let instance = Instance::start(Fault::Errors, |_| {}).await;
    let (failed, _) = thousand(&instance, "GET", "/work", "").await;
    assert!((250..=350).contains(&failed), "{failed}");
    let (failed, _) = thousand(&instance, "POST", "/orders", "{}").await;
    assert!((250..=350).contains(&failed), "{failed}");
    for _ in 0..50 {
        assert_eq!(instance.get("/health").await.status, 200);
    }
}

#[tokio::test]
async fn latency_comes_at_its_rate() {
    let instance = Instance::start(Fault::Latency, |_| {}).await;
    let (failed, slow) = thousand(&instance, "GET", "/work", "").await;
    // The machine may make more of them slow, but never fewer.
    assert!(failed == 0 && slow >= 240, "{failed} failed, {slow} slow");
}

#[tokio::test]
async fn a_crash_follows_the_first_work_and_not_health() {
    let instance = Instance::start(Fault::Crash, |timing| timing.crash_ms = (50, 60)).await;
    for _ in 0..10 {
        assert_eq!(instance.get("/health").await.status, 200);
        sleep(Duration::from_millis(10)).await;
    }
    let begun = Instant::now();
    assert_eq!(instance.get("/work").await.status, 200);
    assert_eq!(instance.ended.await.unwrap().unwrap(), Ended::Crashed);
    assert!(begun.elapsed() >= Duration::from_millis(45));
}

#[tokio::test]
async fn told_to_end_it_finishes_what_is_in_flight() {
    let instance = Instance::good().await;
    let mut idle = TcpStream::connect(instance.address).await.unwrap();
    idle.write_all(b"GET /health HTTP/1.1\r\nhost: test\r\n\r\n")
        .await
        .unwrap();
    let mut buffer = [0; 1024];
    assert!(idle.read(&mut buffer).await.unwrap() > 0);

    // An order whose body is still on its way is in flight, however long that takes.
    let mut busy = TcpStream::connect(instance.address).await.unwrap();
    let head = b"POST /orders HTTP/1.1\r\nhost: test\r\ncontent-length: 18\r\n\r\n{\"refer";
    busy.write_all(head).await.unwrap();
    sleep(Duration::from_millis(50)).await;
    instance.tell.send_replace(true);
    assert_eq!(
        idle.read(&mut buffer).await.unwrap(),
        0,
        "an idle connection is closed"
    );
    while TcpStream::connect(instance.address).await.is_ok() {
        sleep(Duration::from_millis(5)).await;
    }
    assert!(!instance.ended.is_finished());
    busy.write_all(b"ence\":\"r2\"}").await.unwrap();
    let mut text = String::new();
    busy.read_to_string(&mut text).await.unwrap();
    let answer = Answer::new(&text);
    assert_eq!(
        (answer.status, &answer.json()["reference"]),
        (201, &"r2".into())
    );
    assert_eq!(answer.header("connection"), Some("close"));
    assert_eq!(instance.ended.await.unwrap().unwrap(), Ended::Drained);
}

#[tokio::test]
async fn the_grace_is_not_endless() {
    let instance = Instance::start(Fault::None, |timing| timing.grace_ms = 100).await;
    let mut busy = TcpStream::connect(instance.address).await.unwrap();
    let head = b"POST /orders HTTP/1.1\r\nhost: test\r\ncontent-length: 18\r\n\r\n{\"refer";
    busy.write_all(head).await.unwrap();
    sleep(Duration::from_millis(50)).await;
    instance.tell.send_replace(true);
    assert_eq!(instance.ended.await.unwrap().unwrap(), Ended::CutOff);
}

#[tokio::test]
async fn a_websocket_echoes_and_is_closed_politely() {
    let instance = Instance::good().await;
    let stream = TcpStream::connect(instance.address).await.unwrap();
    let (mut socket, answer) = client_async("ws://test/ws", stream).await.unwrap();
    assert_eq!(answer.headers()["x-version"], "1.5.0");
    let hello = socket.next().await.unwrap().unwrap();
    assert_eq!(hello.into_text().unwrap(), r#"{"version":"1.5.0"}"#);
    for message in [Message::text("one"), Message::binary(vec![0, 255])] {
        socket.send(message.clone()).await.unwrap();
        assert_eq!(socket.next().await.unwrap().unwrap(), message);
    }
    instance.tell.send_replace(true);
    let Some(Ok(Message::Close(Some(frame)))) = socket.next().await else {
        panic!("no Close frame")
    };
    assert_eq!(
        (u16::from(frame.code), frame.reason.as_str()),
        (1001, "drained")
    );
    assert!(socket.next().await.is_none());
    assert_eq!(instance.ended.await.unwrap().unwrap(), Ended::Drained);
}

#[tokio::test]
async fn a_session_goes_on_at_another_instance() {
    let (one, other) = (Instance::good().await, Instance::good().await);
    let visit = async |at: &Instance, cookie: &str| {
        let header = format!("cookie: a=b; {cookie}\r\n");
        let answer = at.ask("GET", "/session", &header, "").await;
        let cookie = answer
            .header("set-cookie")
            .unwrap()
            .split(';')
            .next()
            .unwrap();
        (answer.json(), cookie.to_owned())
    };
    let (first, cookie) = visit(&one, "").await;
    let (second, cookie) = visit(&other, &cookie).await;
    let (third, cookie) = visit(&one, &cookie).await;
    assert_eq!(
        (&first["count"], &second["count"], &third["count"]),
        (&1.into(), &2.into(), &3.into())
    );
    assert!(first["session"] == second["session"] && second["session"] == third["session"]);
    // A forged counter is not believed: it begins a session of its own.
    let (forged, _) = visit(&one, &cookie.replace(".3.", ".9.")).await;
    assert_eq!(forged["count"], 1);
    assert_ne!(forged["session"], first["session"]);
}

#[test]
fn a_command_line_reads_back() {
    let mut config = ServiceConfig::new(8080, "1.5.0-rc.1+b", Fault::Latency);
    config.seed = Some(7);
    config.timing = Timing {
        startup_ms: 1,
        crash_ms: (2, 3),
        grace_ms: 4,
    };
    assert_eq!(
        ServiceConfig::read(config.arguments(), Some("8080")),
        Ok(config)
    );
    let read =
        |line: &str, port| ServiceConfig::read(line.split_whitespace().map(str::to_owned), port);
    let least = ServiceConfig::new(1, "2", Fault::None);
    assert_eq!(read("--version 2", Some("1")), Ok(least));
    for (line, port) in [
        ("--version 2", None),
        ("--version 2", Some("70000")),
        ("--version 2", Some("")),
        ("", Some("1")),
        ("--version <b>", Some("1")),
        ("--version 2 --fault slow", Some("1")),
        ("--version 2 --port 1", Some("1")),
    ] {
        assert!(read(line, port).is_err(), "{line} {port:?}");
    }
}
