//! `simulate`: a year of releases as a table.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use clap::Args;
use nonevent::document::{Document, Limits, Timestamp, format_duration_ms};
use nonevent::driver::{Wanted, alternatives};
use nonevent::rollout::simulate::{Report, Scenario, StrategyReport, Times, compare};
use nonevent::rollout::{Judgement, Reason};
use nonevent::strategy::Plan;

use crate::code::{USAGE, fail, print, say};
use crate::planning::{print_json, read};
use crate::wrap::wrapped;

/// What `simulate` takes.
#[derive(Args)]
pub(crate) struct Simulate {
    /// The deployment document, YAML or JSON; several are compared on the same releases
    #[arg(short, long, value_name = "FILE", required = true)]
    file: Vec<PathBuf>,
    /// Compare the document's strategy with the other three, in their usual figures
    #[arg(long)]
    compare: bool,
    /// How many days
    #[arg(long, value_name = "N", default_value_t = 365, value_parser = clap::value_parser!(u32).range(1..=36_600))]
    days: u32,
    /// Where all chance comes from: the same seed gives the same answer
    #[arg(long, value_name = "S", default_value_t = 1)]
    seed: u64,
    /// What the world is like, YAML or JSON; what it leaves out has the default that --json prints
    #[arg(long, value_name = "FILE")]
    scenario: Option<PathBuf>,
    /// Which of the document's environments, instead of the one it names
    #[arg(long, value_name = "NAME")]
    environment: Option<String>,
    /// When the deployment would begin; change windows are held against it
    #[arg(long, value_name = "TIME")]
    at: Option<Timestamp>,
    /// Print one JSON document, with all that is needed to have it again
    #[arg(long)]
    json: bool,
}

/// `nonevent simulate`.
pub(crate) fn simulate(arguments: &Simulate) -> ExitCode {
    match simulated(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(code) => code,
    }
}

fn simulated(arguments: &Simulate) -> Result<(), ExitCode> {
    let scenario = match &arguments.scenario {
        Some(file) => scenario(file)?,
        None => Scenario::default(),
    };
    let plans = plans(arguments)?;
    let named: Vec<(&str, &Plan)> = plans.iter().map(|(name, plan)| (&**name, plan)).collect();
    let began = Instant::now();
    let report = compare(&named, &scenario, arguments.seed, arguments.days)
        .map_err(|error| fail(USAGE, error))?;
    let took = began.elapsed().as_secs_f64();
    if arguments.json {
        print_json(&report);
    } else {
        print(text(&report));
        say(format_args!("simulated in {took:.2} s"));
    }
    Ok(())
}

fn scenario(file: &Path) -> Result<Scenario, ExitCode> {
    let name = file.display().to_string();
    let bytes = fs::read(file).map_err(|error| fail(USAGE, format!("{name}: {error}")))?;
    let read = Document::parse(&name, &bytes, &Limits::default())
        .and_then(|document| document.decode::<Scenario>());
    read.map_err(|findings| {
        say(findings.render(&name, &String::from_utf8_lossy(&bytes), false));
        ExitCode::from(USAGE)
    })
}

/// The plans by the names that people will read.
fn plans(arguments: &Simulate) -> Result<Vec<(String, Plan)>, ExitCode> {
    let wanted = Wanted {
        environment: arguments.environment.clone(),
        begins: arguments.at,
    };
    let mut plans = Vec::new();
    for file in &arguments.file {
        let read = read(file, &wanted)?;
        let prepared = read.plan()?;
        let several = arguments.file.len() > 1;
        let stem = file.file_stem().unwrap_or(file.as_os_str());
        let named = |strategy: &str| match several {
            true if arguments.compare => format!("{} {strategy}", stem.display()),
            true => stem.display().to_string(),
            false => strategy.to_owned(),
        };
        if !arguments.compare {
            plans.push((named(prepared.plan.strategy.name()), prepared.plan.clone()));
            continue;
        }
        for (kind, alternative) in alternatives(prepared) {
            match alternative {
                Ok(alternative) => plans.push((named(kind.name()), alternative.plan)),
                Err(findings) => say(format_args!(
                    "{}: not simulated, since the check refuses it here:\n{findings}",
                    named(kind.name())
                )),
            }
        }
    }
    Ok(plans)
}

/// A table, one column for each strategy.
struct Table<'a> {
    strategies: &'a [StrategyReport],
    width: usize,
    text: String,
}

impl Table<'_> {
    fn row(&mut self, name: &str, cell: impl Fn(&StrategyReport) -> String) {
        let cells: Vec<String> = self.strategies.iter().map(cell).collect();
        let widest = cells.iter().map(|cell| cell.chars().count()).max();
        self.width = self.width.max(widest.unwrap_or(0));
        let width = self.width + 2;
        let cells: String = cells.iter().map(|cell| format!("{cell:>width$}")).collect();
        self.text.push_str(format!("{name:<33}{cells}").trim_end());
        self.text.push('\n');
    }

    fn rows(&mut self) {
        self.outcomes();
        self.users();
        self.times();
        self.faults();
        self.reasons();
    }

    fn outcomes(&mut self) {
        self.row("", |it| it.name.clone());
        self.row("promoted", |it| it.promoted.to_string());
        self.row("rolled back", |it| it.rolled_back.to_string());
        self.row("stuck", |it| it.stuck.to_string());
        self.row("bad releases", |it| it.bad.releases.to_string());
        self.row("  caught", |it| part(it.bad.caught, it.bad.releases));
        self.row("    before users", |it| {
            it.bad.caught_before_users.to_string()
        });
        self.row("    by people", |it| it.bad.caught_by_people.to_string());
        self.row("  missed", |it| part(it.bad.missed, it.bad.releases));
        self.row("good releases", |it| it.good.releases.to_string());
        self.row("  rolled back", |it| {
            part(it.good.rolled_back, it.good.releases)
        });
        self.row("    called worse by the analysis", |it| {
            it.good.called_worse.to_string()
        });
    }

    fn users(&mut self) {
        self.row("users harmed", |it| {
            part(it.users.users_harmed, it.users.users)
        });
        self.row("requests harmed", |it| {
            part(it.users.requests_harmed, it.users.requests)
        });
        self.row("  failed", |it| it.users.requests_failed.to_string());
        self.row("  slowed", |it| it.users.requests_slowed.to_string());
        self.row("  refused in a downtime", |it| {
            it.users.requests_refused.to_string()
        });
    }

    fn times(&mut self) {
        for (name, of) in TIMES {
            self.row(name, |it| time(of(it).median_ms));
            self.row("  95 of 100 within", |it| time(of(it).p95_ms));
        }
    }

    fn faults(&mut self) {
        let strategies = self.strategies;
        let faults = strategies.first().map_or(&[][..], |it| &it.faults);
        self.row("rolled back, of those with", |_| String::new());
        for fault in faults.iter().map(|row| row.fault) {
            self.row(&format!("  {}", fault.name()), |it| {
                let of = it.faults.iter().find(|row| row.fault == fault);
                of.map_or(String::new(), |of| part(of.rolled_back, of.releases))
            });
        }
    }

    fn reasons(&mut self) {
        let mut reasons = Vec::new();
        for row in self.strategies.iter().flat_map(|it| &it.reasons) {
            if !reasons.contains(&row.reason) {
                reasons.push(row.reason);
            }
        }
        self.row("why they went back: bad, good", |_| String::new());
        for reason in reasons {
            self.row(&format!("  {}", short(reason)), |it| {
                let of = it.reasons.iter().find(|row| row.reason == reason);
                of.map_or(String::new(), |of| format!("{}, {}", of.bad, of.good))
            });
        }
    }
}

fn text(report: &Report) -> String {
    let names = report.strategies.iter().map(|it| it.name.chars().count());
    let mut table = Table {
        strategies: &report.strategies,
        width: names.max().unwrap_or(0).max(10),
        text: String::new(),
    };
    table.rows();
    // Once more, now that the widest cell is known.
    table.text = format!(
        "{} releases in {} days, seed {}\n\n",
        report.releases, report.days, report.seed
    );
    table.rows();
    let mut text = table.text;
    text.push('\n');
    for sentence in &report.method {
        text.push_str(&wrapped(sentence));
    }
    text
}

/// Which times of a report.
type Which = fn(&StrategyReport) -> Times;

/// The times that are reported, with their names.
const TIMES: [(&str, Which); 3] = [
    ("time to detect, median", |it| it.time_to_detect),
    ("time to recover, median", |it| it.time_to_recover),
    ("lead time, median", |it| it.lead_time),
];

/// A reason in as few words as fit a table.
const fn short(reason: Reason) -> &'static str {
    match reason {
        Reason::AnalysisFailed => "the analysis called it worse",
        Reason::NoEvidence {
            last: Some(Judgement::EnvironmentUnhealthy),
        } => "both versions in trouble",
        Reason::NoEvidence {
            last: Some(Judgement::NoData) | None,
        } => "no figures in time",
        Reason::NoEvidence { .. } => "not enough evidence in time",
        Reason::SmokeFailed => "the smoke suite failed",
        Reason::SmokeUnavailable => "the smoke suite could not run",
        Reason::CanaryCrashed => "instances ended by themselves",
        Reason::CanaryUnready => "instances stopped being ready",
        Reason::StepTooSlow => "a step took too long",
        Reason::Drift => "the router drifted",
        Reason::NotObserved => "router or fleet did not answer",
        Reason::Aborted => "people aborted it",
        Reason::HeldTooLong => "people paused it for too long",
        Reason::TaskFailed => "a task failed",
        Reason::NotApproved => "nobody approved in time",
        Reason::Denied => "an approval was refused",
        Reason::WindowClosed => "the change window closed",
    }
}

/// A count, and its share of all.
fn part(count: u64, all: u64) -> String {
    match all {
        0 => count.to_string(),
        _ => {
            let percent = count as f64 / all as f64 * 100.0;
            format!("{count} ({percent:.2} %)")
        }
    }
}

/// A time in whole seconds, if it is that long.
fn time(ms: Option<u64>) -> String {
    match ms {
        None => String::from("–"),
        Some(ms) if ms < 10_000 => format_duration_ms(ms),
        Some(ms) => format_duration_ms(ms / 1_000 * 1_000),
    }
}
