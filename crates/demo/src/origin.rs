//! What is deployed when the command line says so little: the demonstration, or the reader's own
//! two programs.

use std::path::Path;

use nonevent::document::{Document, Findings, Limits};
use nonevent::driver::{
    Clock, DriverError, DriverErrorKind, Launch, Prepared, Programs, StateDir, SuiteText, Wanted,
    companion, prepare, prepare_deployment, suite_facts,
};
use nonevent::strategy::{Deployment, Facts, Release, SmokeSettings, StrategyKind, read};

use crate::args;
use crate::code::{NO, USAGE, fail, say};
use crate::demonstration::load::config::{LoadConfig, Traffic};
use crate::demonstration::service::{Fault, ServiceConfig};
use std::process::ExitCode;

const DEMO_SUITE: &str = include_str!("../../../fixtures/smoke/demo.json");
const DEMO_SUITE_NAME: &str = "../smoke/demo.json";
/// The name of the suite that a service with nothing but a health check gets.
const HEALTH_SUITE_NAME: &str = "health";
/// How long the demonstration's clients go on if nobody ends them, in milliseconds.
const LOAD_MS_MAX: u64 = 30 * 60 * 1_000;

/// The demonstration's own document of a strategy.
fn demo_document(kind: StrategyKind) -> (&'static str, &'static str) {
    match kind {
        StrategyKind::Canary => (
            "demo.yaml",
            include_str!("../../../fixtures/deployment/demo.yaml"),
        ),
        StrategyKind::BlueGreen => (
            "demo-blue-green.yaml",
            include_str!("../../../fixtures/deployment/demo-blue-green.yaml"),
        ),
        StrategyKind::Rolling => (
            "demo-rolling.yaml",
            include_str!("../../../fixtures/deployment/demo-rolling.yaml"),
        ),
        StrategyKind::Recreate => (
            "demo-recreate.yaml",
            include_str!("../../../fixtures/deployment/demo-recreate.yaml"),
        ),
    }
}

/// What is to be deployed, and with which programs.
pub(crate) struct Origin {
    pub(crate) prepared: Prepared,
    pub(crate) programs: Programs,
    /// Whether the demonstration's own service is deployed.
    pub(crate) own: bool,
}

/// Reads what the command line names.
pub(crate) fn origin(arguments: &args::Deploy) -> Result<Origin, ExitCode> {
    let own = arguments.old.is_none();
    let prepared = match (&arguments.file, arguments.strategy) {
        (Some(file), strategy) => {
            let wanted = Wanted {
                environment: arguments.environment.clone(),
                begins: Some(Clock::new().now()),
            };
            from_file(file, &wanted, strategy.map(StrategyKind::from))?
        }
        (None, None) => {
            return Err(fail(
                USAGE,
                "name a strategy for the demonstration, such as `nonevent deploy canary`, or a \
                 document with -f",
            ));
        }
        (None, Some(strategy)) => from_demo(strategy.into(), arguments, own)?,
    };
    let programs = programs(arguments, &prepared)?;
    Ok(Origin {
        prepared,
        programs,
        own,
    })
}

fn from_file(
    file: &Path,
    wanted: &Wanted,
    strategy: Option<StrategyKind>,
) -> Result<Prepared, ExitCode> {
    let name = file.display().to_string();
    let bytes = std::fs::read(file).map_err(|error| fail(USAGE, format!("{name}: {error}")))?;
    let base = file.parent().unwrap_or(Path::new("."));
    let prepared = prepare(&name, &bytes, base, wanted).map_err(|findings| {
        say(findings.render(&name, &String::from_utf8_lossy(&bytes), false));
        ExitCode::from(NO)
    })?;
    if let Some(strategy) = strategy
        && strategy != prepared.plan.strategy
    {
        return Err(fail(
            USAGE,
            format!(
                "{name} is a {} deployment, not {strategy}",
                prepared.plan.strategy
            ),
        ));
    }
    Ok(prepared)
}

fn from_demo(
    kind: StrategyKind,
    arguments: &args::Deploy,
    own: bool,
) -> Result<Prepared, ExitCode> {
    let (name, text) = demo_document(kind);
    let made = || -> Result<Prepared, Findings> {
        let document = Document::parse(name, text.as_bytes(), &Limits::default())?;
        let mut deployment: Deployment = read(&document)?;
        let suites = if own {
            vec![SuiteText {
                name: DEMO_SUITE_NAME.to_owned(),
                text: DEMO_SUITE.to_owned(),
            }]
        } else {
            adopt(&mut deployment, &arguments.health)
        };
        let facts = Facts {
            suites: suite_facts(&suites),
            suites_read: true,
            ..Facts::default()
        };
        prepare_deployment(deployment, suites, facts, Some(&document))
    };
    made().map_err(|findings| {
        say(findings.render(name, text, false));
        ExitCode::from(NO)
    })
}

/// The demonstration's document, about a service of which nothing is known but its health check.
fn adopt(deployment: &mut Deployment, health: &str) -> Vec<SuiteText> {
    let text = serde_json::json!({
        "tests": [{ "name": "Health check", "path": health, "expected_status": 200 }]
    });
    let name = || Some(HEALTH_SUITE_NAME.to_owned());
    deployment.service = "your service".to_owned();
    deployment.release = Release::new("old", "new");
    deployment.smoke = SmokeSettings {
        before: name(),
        canary: name(),
        after: name(),
    };
    vec![SuiteText {
        name: HEALTH_SUITE_NAME.to_owned(),
        text: text.to_string(),
    }]
}

fn own_program() -> Result<String, ExitCode> {
    std::env::current_exe()
        .map(|path| path.display().to_string())
        .map_err(|error| {
            fail(
                crate::code::UNASKED,
                format!("this program's path: {error}"),
            )
        })
}

fn programs(arguments: &args::Deploy, prepared: &Prepared) -> Result<Programs, ExitCode> {
    let release = &prepared.plan.release;
    let program = own_program()?;
    let service = |version: &str, fault: Fault| {
        // The port is the fleet's to choose.
        let words = ServiceConfig::new(0, version, fault).arguments();
        Launch::program(
            [program.clone(), "__service".to_owned()]
                .into_iter()
                .chain(words),
            version,
        )
    };
    let (stable, canary) = match (&arguments.old, &arguments.new) {
        (Some(old), Some(new)) => (
            Launch::shell(old, &*release.from),
            Launch::shell(new, &*release.to),
        ),
        _ if arguments.file.is_some() => {
            return Err(fail(
                USAGE,
                "say what to run: --old 'CMD' --new 'CMD', each a program that listens on \
                 127.0.0.1 at the port in PORT",
            ));
        }
        _ => (
            service(&release.from, Fault::None),
            service(&release.to, arguments.fault),
        ),
    };
    Ok(Programs {
        stable,
        canary,
        router: Launch::program([program, "__router".to_owned()], "router"),
        health_path: arguments.health.clone(),
    })
}

/// Starts the demonstration's clients, as a process of their own.
pub(crate) fn start_clients(
    state: &StateDir,
    service: std::net::SocketAddr,
    arguments: &args::Deploy,
    own: bool,
) -> Result<(), DriverError> {
    let wrong = |text: String| DriverError::new(DriverErrorKind::Input, text);
    let mut config = LoadConfig::new(&format!("http://{service}"), state.path("ledger.jsonl"));
    config.rate_per_s = arguments.rate;
    config.duration_ms_max = LOAD_MS_MAX;
    config.report = Some(state.path("load.json"));
    if !own {
        config.traffic = Traffic::Path(arguments.health.clone());
    }
    config.check().map_err(|error| wrong(error.to_string()))?;
    let program = std::env::current_exe().map_err(|error| wrong(error.to_string()))?;
    let words = [program.display().to_string(), "__load".to_owned()]
        .into_iter()
        .chain(config.arguments());
    companion(state, "load", &Launch::program(words, "clients")).map(drop)
}
