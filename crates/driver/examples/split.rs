//! Two versions of a service behind the embedded router, and traffic moved between them.
//!
//! `cargo run -p nonevent-driver --example split`

use std::error::Error;
use std::net::SocketAddr;

use nonevent_document::Digest;
use nonevent_driver::embedded::{EmbeddedConfig, EmbeddedRouter};
use nonevent_driver::{Router, RouterClient};
use nonevent_router::{Arm, Backend, Desired, Fence, Pools, Split};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let pools = Pools {
        stable: vec![service("stable-1", "1.4.2").await?],
        canary: vec![service("canary-1", "1.5.0").await?],
    };
    let folder = std::env::temp_dir().join(format!("nonevent-split-{}", std::process::id()));
    std::fs::create_dir(&folder)?;
    let config = EmbeddedConfig::new("127.0.0.1:0".parse()?, folder.join("control"));
    let client = RouterClient::new(&config.control);
    let router = EmbeddedRouter::bind(config).await?;
    let address = router.listen();
    let serving = tokio::spawn(router.serve());

    let mut before = client.read().await?;
    for (generation, percent) in (1..).zip([5, 25, 50, 100]) {
        let split = Split::canary(percent * 100).ok_or("a share of at most 100 %")?;
        let desired = Desired {
            split,
            pools: pools.clone(),
            plan: Digest::of(b"an example"),
            fence: Fence {
                epoch: 1,
                generation,
            },
        };
        client.apply(&desired).await?;
        for _ in 0..200 {
            get(address).await?;
        }
        // What was acknowledged is not taken for what is: read it back.
        let after = client.read().await?;
        let change = after.since(&before)?;
        let p99 = |arm| change.of(arm).latency.quantile_us(9_900).unwrap_or(0);
        println!(
            "{:>5}: stable {:>3} requests, p99 {:>5} µs; canary {:>3} requests, p99 {:>5} µs",
            after.split.to_string(),
            change.of(Arm::Stable).finished,
            p99(Arm::Stable),
            change.of(Arm::Canary).finished,
            p99(Arm::Canary),
        );
        before = after;
    }
    client.shut_down(1_000).await?;
    serving.await?;
    std::fs::remove_dir_all(folder)?;
    Ok(())
}

/// A service that answers every request with its version.
async fn service(id: &str, version: &'static str) -> Result<Backend, Box<dyn Error>> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?.to_string();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(answer(stream, version));
        }
    });
    Ok(Backend {
        id: id.into(),
        address,
    })
}

async fn answer(mut stream: TcpStream, version: &str) -> std::io::Result<()> {
    let mut request = [0; 4096];
    while stream.read(&mut request).await? > 0 {
        let length = version.len();
        let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n{version}");
        stream.write_all(answer.as_bytes()).await?;
    }
    Ok(())
}

async fn get(address: SocketAddr) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(address).await?;
    let request = "GET / HTTP/1.1\r\nhost: shop.example\r\nconnection: close\r\n\r\n";
    stream.write_all(request.as_bytes()).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    Ok(answer)
}
