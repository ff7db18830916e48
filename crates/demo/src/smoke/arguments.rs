//! What `smoke` takes, and the target and options it stands for.

use std::fs;
use std::io::{self, IsTerminal as _};
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use nonevent::document::{Secret, Timestamp};
use nonevent::smoke::{
    Backends, Files, HttpVersion, JunitDialect, Options, Quorum, Secrets, Target,
};

use super::against::Against;
use super::backends::{backends, listed_by_router};
use super::kept::Kept;

/// What `smoke` takes.
#[derive(Args)]
pub(crate) struct Smoke {
    /// The service's base URL
    #[arg(long)]
    pub(crate) url: String,
    /// The suite; without one, `GET /` must answer 200
    #[arg(short = 'f', long, visible_alias = "file", value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Seconds for one try of a test
    #[arg(long, value_name = "SECONDS", default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=3600))]
    timeout: u64,
    /// Seconds for the whole run; what they do not suffice for is inconclusive
    #[arg(long, value_name = "SECONDS", default_value_t = 300, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    budget: u64,
    /// Tests run at the same time
    #[arg(long, value_name = "N", default_value_t = 1)]
    jobs: usize,
    /// Keep connections open between tests; hides backends that take no new ones
    #[arg(long)]
    reuse_connections: bool,
    /// What `${NAME}` stands for in the suite
    #[arg(long = "set", value_name = "NAME=VALUE")]
    variables: Vec<String>,

    /// Run only the test of this name, and what it needs; may be given several times
    #[arg(long, value_name = "NAME", help_heading = "Which tests")]
    only: Vec<String>,
    /// Run only tests with this tag, and what they need; may be given several times
    #[arg(long, value_name = "TAG", help_heading = "Which tests")]
    tag: Vec<String>,
    /// Leave out tests with this tag, unless another one needs them; may be given several times
    #[arg(long, value_name = "TAG", help_heading = "Which tests")]
    skip_tag: Vec<String>,

    #[command(flatten)]
    way: Way,
    #[command(flatten)]
    pub(crate) against: Against,
    #[command(flatten)]
    pub(crate) kept: Kept,

    /// Write a JUnit XML report
    #[arg(long, value_name = "PATH", help_heading = "Reports")]
    pub(crate) junit: Option<PathBuf>,
    /// Which JUnit XML
    #[arg(
        long,
        value_enum,
        default_value_t = Dialect::Ant,
        requires = "junit",
        help_heading = "Reports"
    )]
    junit_dialect: Dialect,
    /// Write the report as JSON
    #[arg(long, value_name = "PATH", help_heading = "Reports")]
    pub(crate) report: Option<PathBuf>,
    /// Write the report as one self-contained HTML page
    #[arg(long, value_name = "PATH", help_heading = "Reports")]
    pub(crate) html: Option<PathBuf>,
    /// Print annotations for GitHub Actions, and append to the step's summary
    #[arg(long, help_heading = "Reports")]
    pub(crate) github: bool,
    /// Print only what did not pass at the first try, and the summary
    #[arg(long, conflicts_with = "json", help_heading = "Reports")]
    pub(crate) quiet: bool,
    /// Print the report as one JSON document
    #[arg(long, help_heading = "Reports")]
    pub(crate) json: bool,
}

/// How the service is reached.
#[derive(Args)]
#[command(next_help_heading = "How the service is reached")]
struct Way {
    /// Ask each backend by itself: `every-address` of the URL's host, or a list
    #[arg(
        long,
        value_name = "every-address|[NAME=]HOST:PORT,…",
        value_delimiter = ','
    )]
    backends: Vec<String>,
    /// Ask each server that a router lists: its dialect, what it says of itself, and which of its pools
    #[arg(long, value_name = "DIALECT=FILE[#POOL]", conflicts_with = "backends")]
    backends_from: Option<String>,
    /// How many backends must pass: all, a count, or a share such as 90%
    #[arg(long, value_name = "all|N|P%")]
    quorum: Option<Quorum>,
    /// Connect to this address instead of the URL's host; `Host` and server name are kept
    #[arg(long, value_name = "IP:PORT", conflicts_with_all = ["backends", "backends_from", "resolve"])]
    connect_to: Option<SocketAddr>,
    /// Take this for an address of the URL's host; may be given several times
    #[arg(long, value_name = "IP")]
    resolve: Vec<IpAddr>,
    /// Connect to this Unix domain socket
    #[arg(long, value_name = "PATH", conflicts_with_all = ["backends", "backends_from", "connect_to", "resolve"])]
    unix_socket: Option<PathBuf>,
    /// Go through this HTTP proxy
    #[arg(long, value_name = "URL", conflicts_with_all = ["backends", "backends_from", "connect_to", "resolve", "unix_socket"])]
    proxy: Option<String>,
    /// What the proxy is sent as `proxy-authorization`, from the environment, such as `env:PROXY_AUTH`
    #[arg(long, value_name = "env:NAME", requires = "proxy")]
    proxy_authorization: Option<String>,
    /// Trust these certificates (PEM) and no others
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
    /// Show this certificate with its chain (PEM) to a service that asks for one
    #[arg(long, value_name = "FILE", requires = "key")]
    cert: Option<PathBuf>,
    /// The certificate's key (PEM)
    #[arg(long, value_name = "FILE", requires = "cert")]
    key: Option<PathBuf>,
    /// The name asked for in TLS and looked for in the certificate
    #[arg(long, value_name = "NAME")]
    server_name: Option<String>,
    /// Which version of HTTP is spoken
    #[arg(long, value_enum, default_value_t = Http::One)]
    http: Http,
    /// Ask link-local and metadata addresses too, which are refused otherwise
    #[arg(long)]
    allow_link_local: bool,
}

impl Way {
    /// Which backends are asked by themselves.
    fn backends(&self) -> Result<Backends, String> {
        let found = match &self.backends_from {
            Some(word) => listed_by_router(word),
            None => backends(&self.backends),
        }?;
        if found == Backends::Any && self.quorum.is_some() {
            return Err("--quorum needs --backends or --backends-from".to_owned());
        }
        Ok(found)
    }
}

#[derive(Clone, Copy, ValueEnum)]
enum Dialect {
    Ant,
    Surefire,
}

#[derive(Clone, Copy, ValueEnum)]
enum Http {
    #[value(name = "1.1")]
    One,
    #[value(name = "2")]
    Two,
    Any,
}

impl Smoke {
    /// Whether standard output is to have colours.
    pub(crate) fn is_coloured(&self) -> bool {
        !self.json && io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none()
    }

    pub(crate) fn dialect(&self) -> JunitDialect {
        match self.junit_dialect {
            Dialect::Ant => JunitDialect::Ant,
            Dialect::Surefire => JunitDialect::Surefire,
        }
    }

    /// The target; what is wrong with its flags, in a sentence.
    pub(crate) fn target(&self) -> Result<Target, String> {
        self.target_of(&self.url)
    }

    /// What is at another URL, reached in the same way.
    pub(crate) fn target_of(&self, url: &str) -> Result<Target, String> {
        let way = &self.way;
        let mut target = Target::parse(url).map_err(|error| error.to_string())?;
        if let Some(address) = way.connect_to {
            target = target.connect_to(address);
        }
        if !way.resolve.is_empty() {
            target = target.resolve(way.resolve.iter().copied());
        }
        if let Some(path) = &way.unix_socket {
            target = target.unix_socket(path);
        }
        if let Some(url) = &way.proxy {
            let proxied = target.proxy(url);
            target = proxied.map_err(|error| format!("--proxy: {error}"))?;
        }
        if let Some(word) = &way.proxy_authorization {
            let named = word
                .strip_prefix("env:")
                .and_then(|name| std::env::var(name).ok());
            let said = || {
                format!("--proxy-authorization {word:?}: write env:NAME of a variable that is set")
            };
            target = target.proxy_authorization(Secret::new(named.ok_or_else(said)?));
        }
        if let Some(path) = &way.ca {
            target = target.trust_only(read("--ca", path)?);
        }
        if let (Some(cert), Some(key)) = (&way.cert, &way.key) {
            let chain = read("--cert", cert)?;
            let key = read("--key", key)?;
            let key = Secret::new(String::from_utf8_lossy(&key).into_owned());
            target = target.client_certificate(chain, key);
        }
        if let Some(name) = &way.server_name {
            target = target.server_name(name);
        }
        Ok(target
            .http(match way.http {
                Http::One => HttpVersion::Http1,
                Http::Two => HttpVersion::Http2,
                Http::Any => HttpVersion::Any,
            })
            .allow_link_local(way.allow_link_local))
    }

    /// The options; what is wrong with their flags, in a sentence.
    pub(crate) fn options(&self, now: Timestamp) -> Result<Options, String> {
        let mut options = Options {
            timeout_ms: Some(self.timeout.saturating_mul(1000)),
            budget_ms: self.budget.saturating_mul(1000),
            jobs: self.jobs,
            reuse_connections: self.reuse_connections,
            only: self.only.clone(),
            tags: self.tag.clone(),
            skip_tags: self.skip_tag.clone(),
            backends: self.way.backends()?,
            quorum: self.way.quorum.unwrap_or_default(),
            secrets: Secrets::environment(),
            files: self.config.as_deref().map_or_else(Files::none, |path| {
                Files::under(path.parent().unwrap_or(Path::new("")))
            }),
            ..Options::started_at(now)
        };
        for pair in &self.variables {
            let Some((name, value)) = pair.split_once('=') else {
                return Err(format!("--set {pair:?}: write NAME=VALUE"));
            };
            options.variables.insert(name.to_owned(), value.to_owned());
        }
        Ok(options)
    }
}

fn read(flag: &str, path: &Path) -> Result<Vec<u8>, String> {
    fs::read(path).map_err(|error| format!("{flag} {}: {error}", path.display()))
}
