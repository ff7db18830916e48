//! A step of a CI pipeline that embeds the crate: deploys (here: starts) a service, smoke-tests it
//! and lets the pipeline go on only if it passed.
//!
//! ```console
//! $ cargo run -p nonevent-smoke --example ci             # the right build: exit status 0
//! $ cargo run -p nonevent-smoke --example ci -- 1.4.2    # the old one answers: exit status 1
//! ```

use std::error::Error;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

use nonevent_document::Timestamp;
use nonevent_smoke::{Event, JunitDialect, Options, Secrets, Suite, Target, run};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

/// What the repository of the service would hold as `smoke-tests.yaml`.
const SUITE: &str = r#"
tests:
  - name: Health check
    path: /health
    expected_body_contains: ok
    retries: 2
  - name: Every instance serves the new build
    path: /version
    expected_build: { json: $.version, equals: "${release}", connections: 5 }
  - name: The shop's front page
    path: /
    expected_headers: { content-type: { contains: text/html } }
    expected_body_contains: Welcome
"#;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<ExitCode, Box<dyn Error>> {
    let deployed = std::env::args()
        .nth(1)
        .unwrap_or_else(|| "1.5.0".to_owned());
    let address = deploy(deployed).await?;

    let suite = match Suite::parse("smoke-tests.yaml", SUITE.as_bytes()) {
        Ok(suite) => suite,
        Err(findings) => {
            eprint!("{}", findings.render("smoke-tests.yaml", SUITE, false));
            return Ok(ExitCode::from(2));
        }
    };
    let target = Target::parse(&format!("http://{address}"))?;
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH)?;
    let options = Options {
        jobs: 4,
        timeout_ms: Some(2_000),
        variables: [("release".to_owned(), "1.5.0".to_owned())].into(),
        secrets: Secrets::environment(),
        ..Options::started_at(Timestamp::from_unix_ms(i64::try_from(
            since_epoch.as_millis(),
        )?))
    };
    let cancel = async {
        let _unavailable = tokio::signal::ctrl_c().await;
    };
    let progress = |event: Event<'_>| {
        if let Event::Finished {
            result,
            done,
            total,
        } = event
        {
            eprintln!("{done}/{total} {}: {:?}", result.name, result.verdict);
        }
    };
    let report = match run(&suite, &target, &options, cancel, progress).await {
        Ok(report) => report,
        Err(findings) => {
            eprint!("{}", findings.render(suite.name(), suite.text(), false));
            return Ok(ExitCode::from(2));
        }
    };
    print!("{}", report.text(false));
    let junit = std::env::temp_dir().join("nonevent-smoke-ci.xml");
    std::fs::write(&junit, report.junit(JunitDialect::Ant))?;
    println!("JUnit XML: {}", junit.display());
    Ok(ExitCode::from(report.summary.exit_code()))
}

/// Stands for the real thing: one process, one version.
async fn deploy(version: String) -> Result<SocketAddr, Box<dyn Error>> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let version = version.clone();
            tokio::spawn(async move {
                let mut request = [0; 1024];
                let read = stream.read(&mut request).await.unwrap_or(0);
                let request = String::from_utf8_lossy(&request[..read]).into_owned();
                let (kind, body) = match request.split(' ').nth(1) {
                    Some("/health") => ("text/plain", "ok".to_owned()),
                    Some("/version") => {
                        ("application/json", format!(r#"{{"version":"{version}"}}"#))
                    }
                    _ => ("text/html", "<h1>Welcome</h1>".to_owned()),
                };
                let answer = format!(
                    "HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\ncontent-length: {}\r\n\r\n{body}",
                    body.len()
                );
                let _gone = stream.write_all(answer.as_bytes()).await;
            });
        }
    });
    Ok(address)
}
