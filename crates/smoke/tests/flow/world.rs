//! The network in memory, and a run on it.

use std::collections::BTreeMap;
use std::future::{Future, pending};
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use nonevent_document::Timestamp;
use nonevent_smoke::{
    Channel, Options, Peer, Report, Suite, Target, Transport, TransportFuture, run,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::time::{Instant, sleep};

/// One request, as a service sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Asked {
    /// Milliseconds since the world began.
    pub(crate) at_ms: u64,
    /// The address or socket that was connected to.
    pub(crate) peer: String,
    /// Which connection it came on, from 0.
    pub(crate) connection: usize,
    /// The request, head and body.
    pub(crate) text: String,
}

impl Asked {
    pub(crate) fn first_line(&self) -> &str {
        self.text.lines().next().unwrap_or_default()
    }

    /// The method and the target: `GET /health`.
    pub(crate) fn what(&self) -> &str {
        let line = self.first_line();
        line.strip_suffix(" HTTP/1.1").unwrap_or(line)
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.text.split("\r\n").skip(1);
        lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }
}

/// What a service does.
pub(crate) enum Reply {
    Say(String),
    SayAfter(Duration, String),
    /// Reads on and says nothing.
    Never,
}

pub(crate) fn ok(body: &str) -> Reply {
    reply("200 OK", "", body)
}

/// A whole answer; `headers` are lines, each with its line break.
pub(crate) fn reply(status: &str, headers: &str, body: &str) -> Reply {
    let length = body.len();
    Reply::Say(format!(
        "HTTP/1.1 {status}\r\n{headers}content-length: {length}\r\n\r\n{body}"
    ))
}

type Serve = dyn Fn(&Asked) -> Reply + Send + Sync;

/// Names, services, and all that was asked of them.
pub(crate) struct World {
    names: BTreeMap<String, Vec<SocketAddr>>,
    /// Addresses at which nothing listens.
    closed: Vec<SocketAddr>,
    serve: Arc<Serve>,
    log: Mutex<Vec<Asked>>,
    connections: Mutex<usize>,
    began: Instant,
    me: std::sync::Weak<World>,
}

impl World {
    /// Every name leads to one address, unless [`World::with`] says otherwise.
    pub(crate) fn new(serve: impl Fn(&Asked) -> Reply + Send + Sync + 'static) -> Arc<World> {
        World::with(&[], &[], serve)
    }

    pub(crate) fn with(
        names: &[(&str, &[&str])],
        closed: &[&str],
        serve: impl Fn(&Asked) -> Reply + Send + Sync + 'static,
    ) -> Arc<World> {
        let addresses = |all: &[&str]| all.iter().map(|it| address(it)).collect();
        let names = names
            .iter()
            .map(|(name, all)| ((*name).to_owned(), addresses(all)));
        Arc::new_cyclic(|me| World {
            names: names.collect(),
            closed: addresses(closed),
            serve: Arc::new(serve),
            log: Mutex::default(),
            connections: Mutex::default(),
            began: Instant::now(),
            me: me.clone(),
        })
    }

    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.log.lock().expect("nobody panicked").clone()
    }

    /// Methods and targets, in the order in which they were asked.
    pub(crate) fn what(&self) -> Vec<String> {
        self.asked()
            .iter()
            .map(|asked| asked.what().to_owned())
            .collect()
    }

    pub(crate) fn connections(&self) -> usize {
        *self.connections.lock().expect("nobody panicked")
    }

    pub(crate) fn options(self: &Arc<World>) -> Options {
        let began = Timestamp::from_unix_ms(1_767_607_200_000);
        Options {
            transport: Arc::clone(self) as Arc<dyn Transport>,
            ..Options::started_at(began)
        }
    }

    async fn talk(self: Arc<World>, peer: String, connection: usize, mut stream: DuplexStream) {
        let mut read = Vec::new();
        while let Some(text) = request(&mut stream, &mut read).await {
            let elapsed = self.began.elapsed();
            let asked = Asked {
                at_ms: u64::try_from(elapsed.as_millis()).expect("a short test"),
                peer: peer.clone(),
                connection,
                text,
            };
            let reply = (self.serve)(&asked);
            let is_connect = asked.what().starts_with("CONNECT ");
            self.log.lock().expect("nobody panicked").push(asked);
            let text = match reply {
                Reply::Say(text) => text,
                Reply::SayAfter(time, text) => {
                    sleep(time).await;
                    text
                }
                Reply::Never => {
                    let _gone = stream.read_to_end(&mut read).await;
                    return;
                }
            };
            let _gone = stream.write_all(text.as_bytes()).await;
            if is_connect {
                read.clear();
            }
        }
    }
}

fn address(text: &str) -> SocketAddr {
    text.parse().expect("an address")
}

/// One request, or what was sent if it is no HTTP and a line is complete.
async fn request(stream: &mut DuplexStream, read: &mut Vec<u8>) -> Option<String> {
    let mut buffer = [0; 4096];
    loop {
        let text = String::from_utf8_lossy(read).into_owned();
        let is_http = text.contains(" HTTP/1.1\r\n") || !text.contains('\n');
        if !is_http {
            read.clear();
            return Some(text);
        }
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head
                .lines()
                .find_map(|line| line.strip_prefix("content-length: "))
                .map_or(0, |length| length.parse().expect("a length"));
            if body.len() >= length {
                read.drain(..head.len() + 4 + length);
                return Some(format!("{head}\r\n\r\n{}", &body[..length]));
            }
        }
        match stream.read(&mut buffer).await {
            Ok(count) if count > 0 => read.extend_from_slice(&buffer[..count]),
            _ => return None,
        }
    }
}

impl Transport for World {
    fn resolve<'a>(&'a self, host: &'a str, port: u16) -> TransportFuture<'a, Vec<SocketAddr>> {
        Box::pin(async move {
            let default = || vec![SocketAddr::from(([10, 0, 0, 1], port))];
            Ok(match self.names.get(host) {
                Some(addresses) if addresses.is_empty() => {
                    return Err(io::Error::other("no such host"));
                }
                Some(addresses) => addresses.clone(),
                None => default(),
            })
        })
    }

    fn connect<'a>(&'a self, peer: &'a Peer) -> TransportFuture<'a, Box<dyn Channel>> {
        Box::pin(async move {
            if let Peer::Tcp(address) = peer
                && self.closed.contains(address)
            {
                return Err(io::ErrorKind::ConnectionRefused.into());
            }
            let (ours, theirs) = tokio::io::duplex(64 * 1024);
            let number = {
                let mut connections = self.connections.lock().expect("nobody panicked");
                *connections += 1;
                *connections - 1
            };
            let world = self.me.upgrade().expect("it is being asked");
            tokio::spawn(world.talk(peer.to_string(), number, theirs));
            Ok(Box::new(ours) as Box<dyn Channel>)
        })
    }
}

pub(crate) fn target() -> Target {
    Target::parse("http://shop.test").expect("a URL")
}

/// Runs a suite without being cancelled or watched.
pub(crate) async fn run_in(world: &Arc<World>, text: &str) -> Report {
    run_with(text, &target(), &world.options()).await
}

pub(crate) async fn run_with(text: &str, target: &Target, options: &Options) -> Report {
    cancelled(text, target, options, pending()).await
}

pub(crate) async fn cancelled(
    text: &str,
    target: &Target,
    options: &Options,
    cancel: impl Future<Output = ()> + Send,
) -> Report {
    let suite = Suite::parse("suite.yaml", text.as_bytes()).expect("a suite without errors");
    run(&suite, target, options, cancel, |_| {})
        .await
        .expect("a suite that can be run")
}
