//! The smallest service that `nonevent deploy` can deploy: it listens on 127.0.0.1 at the port in
//! `PORT`, answers 200 at `/health`, and names its version in everything else.
//!
//! ```text
//! cargo build -p nonevent-demo --example smallest_service
//! nonevent deploy canary --old 'target/debug/examples/smallest_service 1.0' \
//!                        --new 'target/debug/examples/smallest_service 1.1'
//! ```
//!
//! Without `PORT` it asks itself once, prints the answers and ends.

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

/// A client that neither asks nor goes away is left after this time.
const IDLE: Duration = Duration::from_secs(30);
/// A line of a request's head may be this long.
const LINE_BYTES_MAX: u64 = 8 * 1024;

fn main() -> io::Result<()> {
    let version = std::env::args()
        .nth(1)
        .unwrap_or_else(|| String::from("1.0"));
    match std::env::var("PORT") {
        Ok(port) => {
            let port: u16 = port.parse().map_err(io::Error::other)?;
            serve(&TcpListener::bind((Ipv4Addr::LOCALHOST, port))?, &version);
            Ok(())
        }
        Err(_) => show(&version),
    }
}

/// Serves until the process is ended; the controller sends SIGTERM once the drain time is over.
fn serve(listener: &TcpListener, version: &str) {
    thread::scope(|scope| {
        for stream in listener.incoming().flatten() {
            // A client that breaks off ends its own conversation and nothing else.
            scope.spawn(move || drop(converse(&stream, version)));
        }
    });
}

/// Answers requests on one connection until the client closes it.
fn converse(stream: &TcpStream, version: &str) -> io::Result<()> {
    stream.set_read_timeout(Some(IDLE))?;
    stream.set_nodelay(true)?;
    let mut reader = BufReader::new(stream);
    while let Some((path, body_bytes)) = head(&mut reader)? {
        io::copy(&mut reader.by_ref().take(body_bytes), &mut io::sink())?;
        let body = match path.as_str() {
            "/health" => String::from("well\n"),
            _ => format!("version {version} at {path}\n"),
        };
        let length = body.len();
        let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n{body}");
        (&*stream).write_all(answer.as_bytes())?;
    }
    Ok(())
}

/// The next request's path and the length of its body; nothing once the client has gone.
fn head(reader: &mut BufReader<&TcpStream>) -> io::Result<Option<(String, u64)>> {
    let (mut path, mut body_bytes) = (None, 0);
    loop {
        let mut line = String::new();
        if reader.take(LINE_BYTES_MAX).read_line(&mut line)? == 0 {
            return Ok(None);
        }
        let line = line.trim_end();
        if line.is_empty() {
            return Ok(path.map(|path| (path, body_bytes)));
        }
        if path.is_none() {
            path = line.split(' ').nth(1).map(String::from);
        } else if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            body_bytes = value.trim().parse().map_err(io::Error::other)?;
        }
    }
}

/// Serves itself on any port and prints what it answers.
fn show(version: &str) -> io::Result<()> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let address = listener.local_addr()?;
    let version = version.to_owned();
    thread::spawn(move || serve(&listener, &version));
    for path in ["/health", "/"] {
        print!("GET {path}: {}", ask(address, path)?);
    }
    println!("set PORT to keep it running");
    Ok(())
}

fn ask(address: SocketAddr, path: &str) -> io::Result<String> {
    let mut stream = TcpStream::connect(address)?;
    write!(stream, "GET {path} HTTP/1.1\r\nhost: {address}\r\n\r\n")?;
    stream.shutdown(std::net::Shutdown::Write)?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let (_, body) = answer
        .split_once("\r\n\r\n")
        .ok_or_else(|| io::Error::other("the answer has no end of its head"))?;
    Ok(body.to_owned())
}
