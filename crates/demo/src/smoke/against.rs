//! `smoke --against`: two versions asked the same.

use std::future::pending;
use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::process::ExitCode;

use clap::Args;
use nonevent::smoke::{
    Backends, CompareRule, CompareVerdict, Compared, Comparison, LatencyRule, Options, Suite,
    Target, compare,
};
use tokio::sync::oneshot;

use super::arguments::Smoke;
use super::signals;
use crate::code::{INTERRUPTED, UNASKED, USAGE, fail, print, say};
use crate::place::Place;

/// How two versions are compared.
#[derive(Args)]
#[command(next_help_heading = "Two versions")]
pub(crate) struct Against {
    /// Ask the old version here the same, and say only what the one at --url answers otherwise
    #[arg(
        long,
        value_name = "URL|IP:PORT",
        conflicts_with_all = ["junit", "html", "github", "quiet", "backends", "backends_from", "baseline", "statement"]
    )]
    pub(crate) against: Option<String>,
    /// Also ask in turn, until it is decided whether the new version is slower
    #[arg(long, requires = "against")]
    latency: bool,
    /// The slowdown in percent that must not go unnoticed
    #[arg(
        long,
        value_name = "PERCENT",
        default_value_t = 20,
        requires = "latency",
        value_parser = clap::value_parser!(u32).range(1..=1_000)
    )]
    margin: u32,
    /// How often the old version is asked, to learn what differs by itself
    #[arg(
        long,
        value_name = "N",
        default_value_t = 2,
        requires = "against",
        value_parser = clap::value_parser!(u8).range(2..=20)
    )]
    samples: u8,
    /// How often it is asked again before what the new one answers otherwise is a difference
    #[arg(
        long,
        value_name = "N",
        default_value_t = 3,
        requires = "against",
        value_parser = clap::value_parser!(u8).range(0..=20)
    )]
    confirm: u8,
    /// A place where they may differ, such as `$.version` or `header etag`; may be given several times
    #[arg(long, value_name = "PLACE", requires = "against")]
    ignore: Vec<String>,
}

impl Against {
    fn rule(&self) -> CompareRule {
        let latency = self.latency.then(|| LatencyRule {
            margin_percent: self.margin,
            ..LatencyRule::default()
        });
        CompareRule {
            samples: self.samples.into(),
            confirmations: self.confirm.into(),
            latency,
            ignored: self.ignore.clone(),
            ..CompareRule::default()
        }
    }
}

/// The old version: at another URL, or behind the same one at another address.
fn old_target(arguments: &Smoke, against: &str) -> Result<Target, String> {
    if let Ok(address) = against.parse::<SocketAddr>() {
        return Ok(arguments.target_of(&arguments.url)?.connect_to(address));
    }
    let way = "write a URL, or an IP:PORT behind the host of --url";
    let target = arguments.target_of(against);
    target.map_err(|error| format!("--against {against:?}: {error}: {way}"))
}

/// Compares the two, and says what differs as it is found.
pub(crate) fn run(
    arguments: &Smoke,
    against: &str,
    suite: &Suite,
    new: &Target,
    options: &Options,
) -> Result<ExitCode, ExitCode> {
    let old = old_target(arguments, against).map_err(|error| fail(USAGE, error))?;
    let options = Options {
        backends: Backends::Any,
        ..options.clone()
    };
    let report = match &arguments.report {
        Some(path) => Some(Place::open(path).map_err(|error| fail(UNASKED, error))?),
        None => None,
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| fail(UNASKED, error))?;
    let rule = arguments.against.rule();
    let compared = runtime.block_on(watch(suite, [&old, new], &options, &rule));
    runtime.shutdown_background();
    let comparison = compared?;
    let json = serde_json::to_string_pretty(&comparison).map_err(|error| fail(UNASKED, error))?;
    if arguments.json {
        print(format_args!("{json}\n"));
    } else {
        print(comparison.text(arguments.is_coloured()));
    }
    if let Some((place, mut file)) = report {
        let written = writeln!(file, "{json}").and_then(|()| file.flush());
        let put = written.and_then(|()| place.put());
        put.map_err(|error| fail(UNASKED, format!("the report could not be written: {error}")))?;
    }
    Ok(ExitCode::from(comparison.exit_code()))
}

async fn watch(
    suite: &Suite,
    [old, new]: [&Target; 2],
    options: &Options,
    rule: &CompareRule,
) -> Result<Comparison, ExitCode> {
    let (cancel, cancelled) = oneshot::channel();
    let cancelled = async {
        if cancelled.await.is_err() {
            pending::<()>().await;
        }
    };
    let told = || say("cancelled: what was prepared is cleaned up; Ctrl-C again ends at once");
    tokio::select! {
        biased;
        compared = compare(suite, old, new, options, rule, cancelled, progress) => {
            compared.map_err(|findings| {
                say(findings.render(suite.name(), suite.text(), false));
                ExitCode::from(USAGE)
            })
        }
        () = signals(cancel, told) => {
            say("ended at once: no report was written, and what was prepared may be left behind");
            Err(ExitCode::from(INTERRUPTED))
        }
    }
}

/// One line for each test that is not the same, where the report comes at the end.
fn progress(compared: &Compared) {
    if io::IsTerminal::is_terminal(&io::stderr()) && compared.verdict != CompareVerdict::Same {
        say(format_args!(
            "{}: {}",
            compared.verdict,
            super::live::harmless(&compared.name)
        ));
    }
}
