//! `smoke`.

use std::fs;
use std::io::IsTerminal as _;
use std::process::ExitCode;

use nonevent::driver::Clock;
use nonevent::smoke::{JunitDialect, Options, Secrets, Suite, Target, run};

use crate::args;
use crate::code::{UNASKED, USAGE, fail, print, say};
use crate::planning::print_json;

/// `nonevent smoke`.
pub(crate) fn smoke(arguments: &args::Smoke) -> ExitCode {
    let suite = match read(arguments) {
        Ok(suite) => suite,
        Err(code) => return code,
    };
    let target = match Target::parse(&arguments.url) {
        Ok(target) => target,
        Err(error) => return fail(USAGE, error),
    };
    let mut options = Options {
        timeout_ms: Some(arguments.timeout.saturating_mul(1000)),
        jobs: arguments.jobs,
        reuse_connections: arguments.reuse_connections,
        secrets: Secrets::environment(),
        ..Options::started_at(Clock::new().now())
    };
    for pair in &arguments.variables {
        let Some((name, value)) = pair.split_once('=') else {
            return fail(USAGE, format!("--set {pair:?}: write NAME=VALUE"));
        };
        options.variables.insert(name.to_owned(), value.to_owned());
    }
    let runtime = match tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => return fail(UNASKED, error),
    };
    let cancel = async {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    let ended = runtime.block_on(run(&suite, &target, &options, cancel, |_| ()));
    runtime.shutdown_background();
    let report = match ended {
        Ok(report) => report,
        Err(findings) => {
            say(findings.render(suite.name(), suite.text(), false));
            return ExitCode::from(USAGE);
        }
    };
    if let Some(path) = &arguments.junit
        && let Err(error) = fs::write(path, report.junit(JunitDialect::Ant))
    {
        return fail(UNASKED, format!("{}: {error}", path.display()));
    }
    if let Some(path) = &arguments.report {
        let text = serde_json::to_string_pretty(&report).unwrap_or_default();
        if let Err(error) = fs::write(path, text) {
            return fail(UNASKED, format!("{}: {error}", path.display()));
        }
    }
    if arguments.json {
        print_json(&report);
    } else {
        print(report.text(std::io::stdout().is_terminal()));
    }
    ExitCode::from(report.summary.exit_code())
}

fn read(arguments: &args::Smoke) -> Result<Suite, ExitCode> {
    let Some(path) = &arguments.config else {
        return Ok(Suite::default_suite());
    };
    let name = path.display().to_string();
    let bytes = fs::read(path).map_err(|error| fail(USAGE, format!("{name}: {error}")))?;
    let suite = Suite::parse(&name, &bytes).map_err(|findings| {
        say(findings.render(&name, &String::from_utf8_lossy(&bytes), false));
        ExitCode::from(USAGE)
    })?;
    if !suite.notes().is_empty() {
        say(suite.notes().render(&name, suite.text(), false));
    }
    Ok(suite)
}
