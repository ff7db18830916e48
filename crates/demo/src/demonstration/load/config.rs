//! What the load client is asked to do, and the bounds of it.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use http::uri::{PathAndQuery, Uri};

use crate::demonstration::arguments::{Arguments, UsageError};

/// The most requests a second.
const RATE_PER_S_MAX: u32 = 5_000;
/// The longest run.
const DURATION_MS_MAX: u64 = 60 * 60 * 1_000;
/// The most connections, and the most requests in flight.
const IN_FLIGHT_MAX: usize = 1_024;

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Traffic {
    /// The demonstration service: `/work`, `/orders` and `/health`, a WebSocket, a session.
    Demonstration,
    /// Any service: `GET` of one path and nothing else.
    Path(String),
}

/// A run of the load client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LoadConfig {
    /// `http://` and an address of this machine, with a port.
    pub(crate) base_url: String,
    pub(crate) traffic: Traffic,
    /// How many requests are due each second, however long each takes.
    pub(crate) rate_per_s: u32,
    /// When it ends by itself.
    pub(crate) duration_ms_max: u64,
    /// How many connections are kept open. More are opened when all are busy.
    pub(crate) connections: usize,
    /// How many requests may be in flight; one that is due beyond that is recorded as not sent.
    pub(crate) in_flight_max: usize,
    /// The ledger's file, which must not exist yet.
    pub(crate) ledger: PathBuf,
    /// Where the report is kept, rewritten each second.
    pub(crate) report: Option<PathBuf>,
    /// From the moment a request is taken up to the last byte of its answer.
    pub(crate) request_timeout_ms: u64,
    /// Fixes the mix of requests.
    pub(crate) seed: u64,
    /// How often the WebSocket sends.
    pub(crate) websocket_every_ms: u64,
    /// How often the session is visited.
    pub(crate) session_every_ms: u64,
}

impl LoadConfig {
    /// The demonstration's traffic at its usual rate for ten minutes at most.
    pub(crate) fn new(base_url: &str, ledger: PathBuf) -> LoadConfig {
        LoadConfig {
            base_url: base_url.to_owned(),
            traffic: Traffic::Demonstration,
            rate_per_s: 400,
            duration_ms_max: 10 * 60 * 1_000,
            connections: 8,
            in_flight_max: 256,
            ledger,
            report: None,
            request_timeout_ms: 5_000,
            seed: 1,
            websocket_every_ms: 250,
            session_every_ms: 200,
        }
    }

    /// The command line that [`super::main`] reads back.
    pub(crate) fn arguments(&self) -> Vec<String> {
        let mut words: Vec<String> = Vec::new();
        let mut pair = |name: &str, value: String| words.extend([name.to_owned(), value]);
        pair("--base-url", self.base_url.clone());
        if let Traffic::Path(path) = &self.traffic {
            pair("--path", path.clone());
        }
        pair("--rate-per-s", self.rate_per_s.to_string());
        pair("--duration-ms-max", self.duration_ms_max.to_string());
        pair("--connections", self.connections.to_string());
        pair("--in-flight-max", self.in_flight_max.to_string());
        pair("--ledger", self.ledger.display().to_string());
        if let Some(report) = &self.report {
            pair("--report", report.display().to_string());
        }
        pair("--request-timeout-ms", self.request_timeout_ms.to_string());
        pair("--seed", self.seed.to_string());
        pair("--websocket-every-ms", self.websocket_every_ms.to_string());
        pair("--session-every-ms", self.session_every_ms.to_string());
        words
    }

    /// Reads what [`LoadConfig::arguments`] wrote. All but `--base-url` and `--ledger` may be
    /// left out.
    ///
    /// # Errors
    ///
    /// Says which option is wrong.
    pub(crate) fn read(words: impl IntoIterator<Item = String>) -> Result<LoadConfig, UsageError> {
        let mut arguments = Arguments::read(words)?;
        let base_url: String = arguments.required("--base-url")?;
        let mut config = LoadConfig::new(&base_url, arguments.required("--ledger")?);
        if let Some(path) = arguments.optional("--path")? {
            config.traffic = Traffic::Path(path);
        }
        config.report = arguments.optional("--report")?;
        macro_rules! take {
            ($($name:literal => $field:ident),*) => {
                $(if let Some(value) = arguments.optional($name)? { config.$field = value; })*
            };
        }
        take!(
            "--rate-per-s" => rate_per_s,
            "--duration-ms-max" => duration_ms_max,
            "--connections" => connections,
            "--in-flight-max" => in_flight_max,
            "--request-timeout-ms" => request_timeout_ms,
            "--seed" => seed,
            "--websocket-every-ms" => websocket_every_ms,
            "--session-every-ms" => session_every_ms
        );
        arguments.finish()?;
        config.check()?;
        Ok(config)
    }

    /// Checks every bound and returns where to connect.
    ///
    /// # Errors
    ///
    /// Says which field is out of its bounds.
    pub(crate) fn check(&self) -> Result<SocketAddr, UsageError> {
        let within = |name: &str, value: u64, max: u64| {
            let fault = || UsageError::new(format!("{name} {value}: must be from 1 to {max}"));
            (1..=max).contains(&value).then_some(()).ok_or_else(fault)
        };
        within(
            "--rate-per-s",
            self.rate_per_s.into(),
            RATE_PER_S_MAX.into(),
        )?;
        within("--duration-ms-max", self.duration_ms_max, DURATION_MS_MAX)?;
        within(
            "--connections",
            self.connections as u64,
            IN_FLIGHT_MAX as u64,
        )?;
        within(
            "--in-flight-max",
            self.in_flight_max as u64,
            IN_FLIGHT_MAX as u64,
        )?;
        within("--request-timeout-ms", self.request_timeout_ms, 60_000)?;
        within("--websocket-every-ms", self.websocket_every_ms, 60_000)?;
        within("--session-every-ms", self.session_every_ms, 60_000)?;
        if let Traffic::Path(path) = &self.traffic
            && !(path.starts_with('/')
                && path.len() <= 1_024
                && path.parse::<PathAndQuery>().is_ok())
        {
            return Err(UsageError::new(format!(
                "--path `{path}`: must be a path, as /health"
            )));
        }
        loopback(&self.base_url).ok_or_else(|| {
            UsageError::new(format!(
                "--base-url `{}`: write http://127.0.0.1:PORT; the demonstration sends its \
                 traffic to this machine only",
                self.base_url
            ))
        })
    }
}

/// The address in an URL like `http://127.0.0.1:8080`, if it is one of this machine.
fn loopback(base_url: &str) -> Option<SocketAddr> {
    let url: Uri = base_url.parse().ok()?;
    let is_bare = matches!(url.path(), "" | "/") && url.query().is_none();
    if url.scheme_str() != Some("http") || !is_bare {
        return None;
    }
    let host = url.host()?.trim_start_matches('[').trim_end_matches(']');
    let ip = match host {
        "localhost" => IpAddr::V4(Ipv4Addr::LOCALHOST),
        _ => host.parse().ok()?,
    };
    let port = url.port_u16().filter(|port| *port != 0)?;
    let has_user = url.authority()?.as_str().contains('@');
    (ip.is_loopback() && !has_user).then(|| SocketAddr::new(ip, port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_line_reads_back() {
        let mut config = LoadConfig::new("http://127.0.0.1:8080", "a ledger.jsonl".into());
        assert_eq!(LoadConfig::read(config.arguments()), Ok(config.clone()));
        config.traffic = Traffic::Path("/health?deep=1".to_owned());
        config.report = Some("load.json".into());
        config.rate_per_s = 50;
        config.in_flight_max = 9;
        config.session_every_ms = 77;
        assert_eq!(LoadConfig::read(config.arguments()), Ok(config));
    }

    #[test]
    fn only_this_machine_is_sent_to() {
        for (url, address) in [
            ("http://127.0.0.1:80", Some("127.0.0.1:80")),
            ("http://127.3.2.1:8080/", Some("127.3.2.1:8080")),
            ("http://localhost:99", Some("127.0.0.1:99")),
            ("http://[::1]:99", Some("[::1]:99")),
            ("http://127.0.0.1", None),
            ("http://127.0.0.1:0", None),
            ("https://127.0.0.1:443", None),
            ("http://10.0.0.1:80", None),
            ("http://192.168.1.4:80", None),
            ("http://localhost.example.org:80", None),
            ("http://127.0.0.1:80@example.org:80", None),
            ("http://user@127.0.0.1:80", None),
            ("http://127.0.0.1:80/path", None),
            ("127.0.0.1:80", None),
            ("", None),
        ] {
            let found = loopback(url).map(|address| address.to_string());
            assert_eq!(found.as_deref(), address, "{url}");
        }
    }

    #[test]
    fn every_bound_is_checked() {
        type Change = fn(&mut LoadConfig);
        let changes: [(Change, &str); 8] = [
            (|config| config.rate_per_s = 0, "--rate-per-s"),
            (
                |config| config.rate_per_s = RATE_PER_S_MAX + 1,
                "--rate-per-s",
            ),
            (
                |config| config.duration_ms_max = DURATION_MS_MAX + 1,
                "--duration-ms-max",
            ),
            (|config| config.connections = 0, "--connections"),
            (
                |config| config.in_flight_max = IN_FLIGHT_MAX + 1,
                "--in-flight-max",
            ),
            (
                |config| config.request_timeout_ms = 0,
                "--request-timeout-ms",
            ),
            (
                |config| config.traffic = Traffic::Path("health".to_owned()),
                "--path",
            ),
            (
                |config| config.base_url = "http://example.org:80".to_owned(),
                "--base-url",
            ),
        ];
        for (change, option) in changes {
            let mut config = LoadConfig::new("http://127.0.0.1:8080", "ledger".into());
            change(&mut config);
            let error = config.check().unwrap_err().to_string();
            assert!(error.starts_with(option), "{error}");
            assert!(LoadConfig::read(config.arguments()).is_err());
        }
    }
}
