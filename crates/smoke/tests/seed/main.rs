//! The verdicts on a corpus of suites, beside those of the loop over Python's `urllib` that teams
//! have.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use nonevent_document::Timestamp;
use nonevent_smoke::{Options, Suite, Target, run};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

const SUITES: usize = 50;
const TIMEOUT_MS: u64 = 2_000;

/// A small generator of its own (splitmix64), so that the corpus is the same everywhere.
struct Draw(u64);

impl Draw {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn of<'a, T>(&mut self, choices: &'a [T]) -> &'a T {
        let at = self.next() as usize % choices.len();
        &choices[at]
    }

    fn one_in(&mut self, n: u64) -> bool {
        self.next().is_multiple_of(n)
    }
}

const PATHS: &[&str] = &[
    "/health",
    "/",
    "/json",
    "/empty",
    "/missing",
    "/broken",
    "/created",
    "/nothing",
    "/latin",
    "/unicode",
    "/large",
    "/chunked",
    "/cut",
    "/reset",
    "/garbage",
    "/echo",
    "/echo?a=b",
    "/close",
    "/found",
    "/gone",
    "/teapot",
    "/chunked-cut",
];

fn test(draw: &mut Draw) -> Value {
    let path = *draw.of(PATHS);
    let mut test = json!({ "path": path });
    if draw.one_in(2) {
        test["name"] = json!(format!("asks {path}"));
    }
    if draw.one_in(3) {
        test["method"] = json!(draw.of(&["GET", "POST", "PUT", "DELETE", "HEAD", "PATCH", "post"]));
    }
    if draw.one_in(4) {
        test["headers"] = json!({ "X-Test": draw.of(&["one", "two"]), "X-Number": 7 });
    }
    if draw.one_in(4) {
        let bodies = [
            json!("plain text"),
            json!({ "a": [1, 2], "b": "ü" }),
            json!(null),
        ];
        test["body"] = draw.of(&bodies).clone();
    }
    if draw.one_in(2) {
        test["expected_status"] =
            json!(draw.of(&[200, 200, 200, 201, 204, 302, 404, 410, 418, 500, 503]));
    }
    if draw.one_in(2) {
        let texts = [
            "ok",
            "OK",
            "version",
            "one",
            "grüße",
            "日本",
            "z",
            "plain text",
            "\u{fffd}",
            "{",
        ];
        test["expected_body_contains"] = json!(draw.of(&texts));
    }
    test
}

async fn serve(mut stream: TcpStream) {
    let mut read = Vec::new();
    let mut buffer = [0; 4096];
    let (request, method) = loop {
        let text = String::from_utf8_lossy(&read).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| {
                let (name, value) = line.split_once(':')?;
                name.eq_ignore_ascii_case("content-length")
                    .then(|| value.trim().parse().ok())?
            });
            if body.len() >= length.unwrap_or(0) {
                let method = head.split(' ').next().unwrap_or_default().to_owned();
                break (text, method);
            }
        }
        match stream.read(&mut buffer).await {
            Ok(count) if count > 0 => read.extend_from_slice(&buffer[..count]),
            _ => return,
        }
    };
    let path = request
        .split(' ')
        .nth(1)
        .unwrap_or("/")
        .split('?')
        .next()
        .unwrap_or("/");
    let plain = |status: &str, body: &[u8]| {
        let head = format!(
            "HTTP/1.1 {status}\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        let body = if method == "HEAD" || status.starts_with("204") {
            &[][..]
        } else {
            body
        };
        [head.as_bytes(), body].concat()
    };
    let answer = match path {
        "/health" | "/" => plain("200 OK", b"ok"),
        "/json" => plain("200 OK", br#"{"version":"1.5.0"}"#),
        "/empty" => plain("200 OK", b""),
        "/broken" => plain("500 Internal Server Error", b"version unknown"),
        "/created" => plain("201 Created", b"ok"),
        "/nothing" => b"HTTP/1.1 204 No Content\r\n\r\n".to_vec(),
        "/latin" => plain("200 OK", b"gr\xfc\xdfe ok"),
        "/unicode" => plain("200 OK", "grüße 日本".as_bytes()),
        "/large" => plain("200 OK", &[b'z'; 200_000]),
        "/chunked" if method != "HEAD" => {
            b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\no\r\n1\r\nk\r\n0\r\n\r\n"
                .to_vec()
        }
        "/chunked-cut" if method != "HEAD" => {
            b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n".to_vec()
        }
        "/cut" if method != "HEAD" => b"HTTP/1.1 200 OK\r\ncontent-length: 50\r\n\r\nok".to_vec(),
        "/reset" => return,
        "/garbage" => b"ok, this is no HTTP\r\n\r\n".to_vec(),
        "/silent" => {
            tokio::time::sleep(std::time::Duration::from_millis(3 * TIMEOUT_MS)).await;
            return;
        }
        "/echo" => plain("200 OK", echo(&request).as_bytes()),
        "/close" if method != "HEAD" => b"HTTP/1.0 200 OK\r\n\r\nok until the end".to_vec(),
        "/found" => {
            b"HTTP/1.1 302 Found\r\nlocation: /health\r\ncontent-length: 0\r\n\r\n".to_vec()
        }
        "/gone" => plain("410 Gone", b"ok once"),
        "/teapot" => plain("418 I'm a teapot", b""),
        _ => plain("404 Not Found", b"there is no such page"),
    };
    let _ignored = stream.write_all(&answer).await;
}

/// What the test asked for, without what each client says of itself.
fn echo(request: &str) -> String {
    let (head, body) = request.split_once("\r\n\r\n").unwrap_or((request, ""));
    let own = |line: &&str| line.to_ascii_lowercase().starts_with("x-");
    let own: Vec<&str> = head.lines().filter(own).collect();
    let first = head.lines().next().unwrap_or_default();
    format!("{first}\n{}\n{body}", own.join("\n").to_ascii_lowercase())
}

async fn start() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(stream));
        }
    });
    address
}

/// The verdicts of the loop; nothing if there is no Python.
async fn seed(url: &str, suite: &Path) -> Option<Vec<bool>> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/smoke/urllib_loop.py");
    let mut command = Command::new("python3");
    let timeout = format!("{}", TIMEOUT_MS as f64 / 1_000.0);
    command.arg(script).args([url]).arg(suite).arg(timeout);
    let out = tokio::task::spawn_blocking(move || command.output());
    let out = out.await.expect("no panic").ok()?;
    let said = String::from_utf8_lossy(&out.stderr);
    assert!(out.status.success(), "{said}");
    Some(serde_json::from_slice(&out.stdout).expect("a list"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_corpus_of_suites_gets_the_verdicts_of_the_loop() {
    let address = start().await;
    let url = format!("http://{address}");
    let target = Target::parse(&url).expect("a URL");
    let mut draw = Draw(20_260_105);
    let (mut passed, mut failed) = (0, 0);
    for number in 0..SUITES {
        let mut tests: Vec<Value> = (0..20).map(|_| test(&mut draw)).collect();
        if number == 0 {
            tests.push(json!({ "path": "/silent" }));
        }
        let text = json!({ "tests": tests }).to_string();
        let file = std::env::temp_dir().join(format!(
            "nonevent-seed-{}-{number}.json",
            std::process::id()
        ));
        fs::write(&file, &text).expect("a writable folder");
        let theirs = seed(&url, &file).await;
        fs::remove_file(&file).expect("the file just written");
        let Some(theirs) = theirs else {
            eprintln!("not run: python3 is not installed");
            return;
        };
        let suite = Suite::parse("smoke-tests.json", text.as_bytes()).expect("a suite");
        let options = Options {
            timeout_ms: Some(TIMEOUT_MS),
            jobs: 8,
            ..Options::started_at(Timestamp::from_unix_ms(0))
        };
        let report = run(&suite, &target, &options, std::future::pending(), |_| {})
            .await
            .expect("it runs");
        let ours: Vec<bool> = report.tests.iter().map(|t| t.verdict.is_yes()).collect();
        for (at, (ours, theirs)) in ours.iter().zip(&theirs).enumerate() {
            let why: Vec<String> = report.tests[at]
                .failures()
                .map(ToString::to_string)
                .collect();
            assert_eq!(ours, theirs, "{}: {why:?}", tests[at]);
        }
        passed += ours.iter().filter(|yes| **yes).count();
        failed += ours.iter().filter(|yes| !**yes).count();
    }
    println!("{SUITES} suites, {passed} tests passed and {failed} failed, alike");
    assert!(passed > SUITES && failed > SUITES, "{passed} {failed}");
}
