//! One server, what it is asked, and what must be found.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use nonevent_smoke::{Cause, Limits, Options, Report, Suite, SuiteVerdict, Target, Verdict};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::server::{Server, options, read_request, suite};

/// A row of a table. What a builder method does not change is: `GET /` is asked of the server and
/// must give 200, within 400 ms.
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) start: Pin<Box<dyn Future<Output = Fixture> + Send>>,
    pub(crate) suite: Suite,
    pub(crate) options: Options,
    pub(crate) wanted: Wanted,
    /// By when the run must have ended; 100 ms more are granted.
    pub(crate) deadline_ms: u64,
    pub(crate) also: Option<fn(&Fixture, &Report)>,
}

/// What a server's behaviour must come to.
pub(crate) struct Wanted {
    pub(crate) verdict: Verdict,
    pub(crate) suite: SuiteVerdict,
    /// The cause of the one failure, and a piece of its message; nothing if it passes.
    pub(crate) failure: Option<(Cause, &'static str)>,
    /// Another one that is as right, where two limits are reached at about the same time.
    pub(crate) or: Option<(Cause, &'static str)>,
}

/// The servers of a case, which end with it, and whom to ask.
pub(crate) struct Fixture {
    pub(crate) target: Target,
    pub(crate) servers: Vec<Server>,
    /// What else must live as long.
    pub(crate) _kept: Vec<TcpStream>,
    pub(crate) _listener: Option<TcpListener>,
}

impl From<Server> for Fixture {
    fn from(server: Server) -> Fixture {
        Fixture::new(server.target(), vec![server])
    }
}

impl Fixture {
    pub(crate) fn new(target: Target, servers: Vec<Server>) -> Fixture {
        Fixture {
            target,
            servers,
            _kept: Vec::new(),
            _listener: None,
        }
    }
}

/// Small enough for everything that is too much to be sent in no time.
const LIMITS: Limits = Limits {
    total_ms: 400,
    connect_ms: 5_000,
    tls_ms: 5_000,
    first_byte_ms: 60_000,
    idle_ms: 60_000,
    teardown_ms: 30_000,
    header_bytes_max: 16 * 1024,
    header_count_max: 50,
    informational_max: 16,
    body_bytes_max: 64 * 1024,
    decoded_bytes_max: 256 * 1024,
    wire_bytes_max: 1024 * 1024,
    rate_bytes_per_s_min: 64,
    rate_grace_ms: 5_000,
    redirects_max: 5,
    backends_max: 1_000,
    addresses_max: 8,
    excerpt_chars_max: 400,
};

/// A case of a server that reads a request and answers with these bytes, then closes.
pub(crate) fn answering(name: impl Into<String>, bytes: impl Into<Vec<u8>>) -> Case {
    let bytes: Arc<[u8]> = bytes.into().into();
    after_request(name, move |mut stream| {
        let bytes = Arc::clone(&bytes);
        async move {
            let _ignored = stream.write_all(&bytes).await;
        }
    })
}

/// A case of a server that does with each connection, after reading the request, what it is told.
pub(crate) fn after_request<F>(
    name: impl Into<String>,
    then: impl Fn(TcpStream) -> F + Send + Sync + Clone + 'static,
) -> Case
where
    F: Future<Output = ()> + Send + 'static,
{
    let server = Server::start(move |mut stream, _| {
        let then = then.clone();
        async move {
            if read_request(&mut stream).await.is_some() {
                then(stream).await;
            }
        }
    });
    Case::new(name, server)
}

/// A case of a server that reads a request, writes `head`, then `piece` for ever with a pause
/// between; without a pause, many at once.
pub(crate) fn endless(
    name: impl Into<String>,
    head: impl Into<Vec<u8>>,
    piece: impl Into<Vec<u8>>,
    pause_ms: u64,
) -> Case {
    let (head, piece) = (head.into(), piece.into());
    after_request(name, move |mut stream| {
        let (head, piece) = (head.clone(), piece.clone());
        async move {
            if stream.write_all(&head).await.is_ok() {
                repeat(&mut stream, &piece, pause_ms).await;
            }
        }
    })
}

/// Writes `piece` until the other side closes.
pub(crate) async fn repeat(stream: &mut TcpStream, piece: &[u8], pause_ms: u64) {
    if piece.is_empty() {
        return hold_open(stream).await;
    }
    let pieces = if pause_ms == 0 {
        (16 * 1024 / piece.len()).max(1)
    } else {
        1
    };
    let flood = piece.repeat(pieces);
    while stream.write_all(&flood).await.is_ok() {
        if pause_ms > 0 {
            tokio::time::sleep(Duration::from_millis(pause_ms)).await;
        }
    }
}

/// Reads and forgets until the other side closes.
pub(crate) async fn hold_open(stream: &mut TcpStream) {
    let mut buffer = [0; 4096];
    while matches!(stream.read(&mut buffer).await, Ok(count) if count > 0) {}
}

impl Case {
    pub(crate) fn new<S: Into<Fixture>>(
        name: impl Into<String>,
        start: impl Future<Output = S> + Send + 'static,
    ) -> Case {
        Case {
            name: name.into(),
            start: Box::pin(async move { start.await.into() }),
            suite: Suite::default_suite(),
            options: Options {
                limits: LIMITS,
                ..options()
            },
            wanted: Wanted {
                verdict: Verdict::Passed,
                suite: SuiteVerdict::Passed,
                failure: None,
                or: None,
            },
            deadline_ms: LIMITS.total_ms,
            also: None,
        }
    }

    /// Asks one test of these fields instead.
    pub(crate) fn test(mut self, fields: &str) -> Case {
        self.suite = suite(&format!(r#"{{"tests":[{{"name":"t",{fields}}}]}}"#));
        self
    }

    pub(crate) fn limits(mut self, change: impl FnOnce(&mut Limits)) -> Case {
        change(&mut self.options.limits);
        self.deadline_ms = self.options.limits.total_ms;
        self
    }

    /// The run ends by another deadline than the attempt's.
    pub(crate) fn ends_within(mut self, deadline_ms: u64) -> Case {
        self.deadline_ms = deadline_ms;
        self
    }

    pub(crate) fn options(mut self, change: impl FnOnce(&mut Options)) -> Case {
        change(&mut self.options);
        self
    }

    /// Looks at the servers and the report too.
    pub(crate) fn also(mut self, look: fn(&Fixture, &Report)) -> Case {
        self.also = Some(look);
        self
    }

    /// The service was reached, and what it did was wrong.
    pub(crate) fn fails(self, cause: Cause, says: &'static str) -> Case {
        self.wanted(Verdict::Failed, SuiteVerdict::Failed, cause, says)
    }

    /// There was no connection.
    pub(crate) fn never_connects(self, cause: Cause, says: &'static str) -> Case {
        let verdict = Verdict::Inconclusive;
        self.wanted(verdict, SuiteVerdict::Unreachable, cause, says)
    }

    /// It was not asked.
    pub(crate) fn never_asks(self, cause: Cause, says: &'static str) -> Case {
        let verdict = Verdict::Inconclusive;
        self.wanted(verdict, SuiteVerdict::Inconclusive, cause, says)
    }

    fn wanted(
        mut self,
        verdict: Verdict,
        suite: SuiteVerdict,
        cause: Cause,
        says: &'static str,
    ) -> Case {
        self.wanted = Wanted {
            verdict,
            suite,
            failure: Some((cause, says)),
            or: None,
        };
        self
    }

    /// Or with this failure instead: which limit is reached first depends on who is faster.
    pub(crate) fn or(mut self, cause: Cause, says: &'static str) -> Case {
        self.wanted.or = Some((cause, says));
        self
    }
}
