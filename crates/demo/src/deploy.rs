//! `deploy` and `resume`.

use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::Duration;

use nonevent::document::Timestamp;
use nonevent::driver::{
    Admitting, Archive, Binding, BreakingGlass, Client, ClientFigures, Clock, DeployOptions,
    Deployed, DriverError, Order, PageFile, Router as _, RouterClient, Session, SignedRunbook,
    StateDir, Summary, clean_up, forget_orders, forget_orders_to_go_on, leftovers, outcome_text,
    runbook_reviews, take_orders,
};
use nonevent::gates::EvidenceSet;
use nonevent::rollout::{FaultModel, Input, Outcome};
use tokio::runtime::Runtime;
use tokio::sync::mpsc;
use tokio::time::sleep;

use crate::args;
use crate::ask::signals;
use crate::code::{INTERRUPTED, NO, STUCK, UNASKED, fail, failed, say};
use crate::demonstration::load::ledger::read_ledger;
use crate::demonstration::load::summary::LedgerSummary;
use crate::gate;
use crate::origin::{Origin, origin, start_clients};
use crate::show;
use crate::story;

/// The demonstration's own gate.
const DEMO_GATE: &str = include_str!("../../../fixtures/gates/demo.yaml");
/// What the demonstration's keys say of themselves.
const DEMO_LABEL: &str = "DEMO: not trusted";
/// How long clients run before anything is changed, so that there is something to compare with.
const SETTLE_MS: u64 = 1_500;
/// How long clients run on after the end.
const AFTERWARDS: Duration = Duration::from_millis(1_000);
/// How long clients are given to write down what they know.
const CLIENTS_END: Duration = Duration::from_secs(5);

/// What the command line says of gates.
type Chosen = (
    Option<Admitting>,
    Option<BreakingGlass>,
    Option<SignedRunbook>,
);

fn options(settle_ms: u64) -> DeployOptions {
    DeployOptions {
        key_label: DEMO_LABEL.to_owned(),
        gate: Some((
            "demo.yaml".to_owned(),
            DEMO_GATE.to_owned(),
            "deployment".to_owned(),
        )),
        admission: None,
        runbook: None,
        break_glass: None,
        rehearse: true,
        faults: FaultModel::default(),
        settle_ms,
    }
}

pub(crate) fn runtime() -> Result<Runtime, ExitCode> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|error| fail(UNASKED, error))
}

/// `nonevent deploy`.
pub(crate) fn deploy(arguments: &args::Deploy) -> ExitCode {
    let origin = match origin(arguments) {
        Ok(origin) => origin,
        Err(code) => return code,
    };
    let chosen = admission(&arguments.admission)
        .and_then(|admission| Ok((admission, break_glass(arguments)?, signed(arguments)?)));
    let chosen = match chosen {
        Ok(chosen) => chosen,
        Err(code) => return code,
    };
    match runtime() {
        Ok(runtime) => {
            let code = runtime.block_on(run(arguments, origin, chosen));
            runtime.shutdown_background();
            code
        }
        Err(code) => code,
    }
}

/// The verdict that there has to be, if the command line names one.
fn admission(arguments: &args::AdmissionArguments) -> Result<Option<Admitting>, ExitCode> {
    let Some(trust) = arguments
        .trust
        .as_ref()
        .filter(|_| !arguments.verdicts.is_empty())
    else {
        return Ok(None);
    };
    let (policy, ..) = gate::policy(arguments.policy.as_deref())?;
    let mut evidence = EvidenceSet::new(gate::trust(trust)?);
    for path in &arguments.verdicts {
        let (name, bytes) = gate::read(path)?;
        evidence.read(&name, &bytes);
    }
    let artifact = arguments.artifact.as_deref().map(gate::artifact);
    Ok(Some(Admitting {
        commit: gate::commit(&arguments.project_dir, &policy),
        artifact: artifact.transpose()?,
        evidence,
        phase: arguments.phase.clone(),
        age_ms_max: arguments.verdict_age_max,
        policy,
    }))
}

/// The gates that the command line has skipped, if any.
fn break_glass(arguments: &args::Deploy) -> Result<Option<BreakingGlass>, ExitCode> {
    let glass = &arguments.glass;
    let trust = &arguments.admission.trust;
    let given = (&glass.break_glass, &glass.person, &glass.key, trust);
    let (Some(reason), Some(person), Some(key), Some(trust)) = given else {
        return Ok(None);
    };
    Ok(Some(BreakingGlass {
        gates: glass.skip_gate.clone(),
        reason: reason.clone(),
        person: person.clone(),
        key: gate::key(key)?,
        trust: gate::trust(trust)?,
    }))
}

/// The page that must be signed, if the command line names one.
fn signed(arguments: &args::Deploy) -> Result<Option<SignedRunbook>, ExitCode> {
    let given = (&arguments.runbook.runbook, &arguments.admission.trust);
    let (Some(path), Some(trust)) = given else {
        return Ok(None);
    };
    let page = PageFile::open(path).map_err(|error| failed(&error))?;
    let (state, now) = (&arguments.watching.place.state, Clock::new().now());
    let reviews = runbook_reviews(state, &gate::trust(trust)?, now);
    Ok(Some(SignedRunbook {
        name: path.display().to_string(),
        page: page.text().to_owned(),
        roles: arguments.runbook.signed_by.clone(),
        reviews: reviews.map_err(|error| failed(&error))?,
    }))
}

async fn run(arguments: &args::Deploy, origin: Origin, chosen: Chosen) -> ExitCode {
    let state = match StateDir::open(&arguments.watching.place.state) {
        Ok(state) => state,
        Err(error) => return failed(&error),
    };
    let binding = match Binding::new(
        &state,
        origin.programs.clone(),
        origin.prepared.suites.clone(),
    ) {
        Ok(binding) => binding,
        Err(error) => return failed(&error),
    };
    let mut reporter = show::reporter(&arguments.watching, &origin.prepared.plan);
    reporter.opening(&origin.prepared.plan, &binding, origin.own);
    let (admission, break_glass, runbook) = chosen;
    let options = DeployOptions {
        admission,
        runbook,
        break_glass,
        ..options(if origin.own { SETTLE_MS } else { 0 })
    };
    let mut session = match Session::begin(&state, &origin.prepared, binding, &options) {
        Ok(session) => session,
        Err(error) => return failed(&error),
    };
    forget_orders(&state);
    let (to, mut orders) = mpsc::channel(16);
    let heard = tokio::spawn(signals(to.clone(), !arguments.yes, reporter.asking()));
    let left = tokio::spawn(take_orders(state.clone(), to));
    let mut client = Clients {
        state: state.clone(),
        start: Some((arguments, origin.own)),
    };
    let deployed = session
        .deploy(
            &origin.prepared,
            &options,
            &mut orders,
            &mut reporter,
            &mut client,
        )
        .await;
    heard.abort();
    left.abort();
    reporter.closing();
    conclude(
        &state,
        deployed,
        arguments.watching.json,
        arguments.keep,
        origin.own,
    )
    .await
}

/// `nonevent resume`, and `nonevent abort` where nobody is at work.
pub(crate) fn resume(arguments: &args::Watching, first: Option<Input>) -> ExitCode {
    match runtime() {
        Ok(runtime) => {
            let code = runtime.block_on(go_on(arguments, first));
            runtime.shutdown_background();
            code
        }
        Err(code) => code,
    }
}

async fn go_on(arguments: &args::Watching, first: Option<Input>) -> ExitCode {
    let state = match StateDir::existing(&arguments.place.state) {
        Ok(state) => state,
        Err(error) => return failed(&error),
    };
    if let Some(code) = over(&state) {
        return code;
    }
    let options = options(0);
    let mut session = match Session::resume(&state, &options).await {
        Ok(session) => session,
        Err(error) => return failed(&error),
    };
    // Orders to stop that the process before did not live to take are heeded: they are this
    // rollout's. One to go on was meant for the step that it was at.
    forget_orders_to_go_on(&state);
    let mut reporter = show::reporter(arguments, session.plan());
    let (to, mut orders) = mpsc::channel::<Order>(16);
    let heard = tokio::spawn(signals(to.clone(), true, reporter.asking()));
    let left = tokio::spawn(take_orders(state.clone(), to));
    let mut client = Clients {
        state: state.clone(),
        start: None,
    };
    let deployed = session
        .go_on(first, &options, &mut orders, &mut reporter, &mut client)
        .await;
    heard.abort();
    left.abort();
    reporter.closing();
    conclude(&state, deployed, arguments.json, true, false).await
}

/// The exit status of a rollout that has ended and whose evidence is written: nothing is left to
/// go on with.
fn over(state: &StateDir) -> Option<ExitCode> {
    let summary = Summary::read(&state.journal()).ok()?;
    let code = match summary.outcome? {
        Outcome::Promoted => 0,
        Outcome::RolledBack { .. } => NO,
        Outcome::Stuck { .. } => return None,
    };
    if !state.path("summary.json").exists() {
        return None;
    }
    say(format_args!(
        "nothing is left to do: {}",
        outcome_text(&summary)
    ));
    Some(ExitCode::from(code))
}

/// Tells how it ended, and ends what need not go on.
async fn conclude(
    state: &StateDir,
    deployed: Result<Deployed, DriverError>,
    json: bool,
    keep: bool,
    own: bool,
) -> ExitCode {
    let deployed = match deployed {
        Ok(deployed) => deployed,
        Err(error) => {
            let code = failed(&error);
            if own && !keep && !state.journal().exists() {
                // Nothing was deployed: the demonstration leaves nothing behind.
                if let Err(error) = clean_up(state).await {
                    say(error);
                }
            } else if leftovers(state).is_ok_and(|found| !found.is_empty()) {
                say(
                    "what was started still runs: `nonevent status` tells, `nonevent cleanup` ends it",
                );
            }
            return code;
        }
    };
    let Some(outcome) = deployed.outcome else {
        say("left as it is: `nonevent resume` goes on, `nonevent abort` goes back");
        return ExitCode::from(INTERRUPTED);
    };
    if own {
        sleep(AFTERWARDS).await;
    }
    end_clients(state).await;
    let counted = router_count(state).await;
    story::tell(state, &deployed, counted, json);
    if own && !keep {
        match clean_up(state).await {
            Ok(count) if !json => {
                say(format_args!(
                    "The demonstration's {count} processes were ended; --keep leaves them."
                ));
            }
            Ok(_) => {}
            Err(error) => say(error),
        }
    }
    if !json && (keep || !own) && leftovers(state).is_ok_and(|found| !found.is_empty()) {
        say("The service goes on running; `nonevent cleanup` ends it.");
    }
    match outcome {
        Outcome::Promoted if deployed.gate_open != Some(false) => ExitCode::SUCCESS,
        Outcome::Promoted | Outcome::RolledBack { .. } => ExitCode::from(NO),
        Outcome::Stuck { .. } => ExitCode::from(STUCK),
    }
}

/// Asks the clients to end, and waits until they have written down what they know.
async fn end_clients(state: &StateDir) {
    let Ok(found) = leftovers(state) else { return };
    for client in found.into_iter().filter(|it| it.name == "load") {
        // One that has ended meanwhile has written its report.
        drop(client.process.signal(rustix::process::Signal::TERM));
        drop(tokio::time::timeout(CLIENTS_END, client.process.ended()).await);
    }
}

/// How many requests the router has counted, if it answers.
async fn router_count(state: &StateDir) -> Option<u64> {
    let binding = Binding::load(state).ok()?;
    let snapshot = RouterClient::new(&binding.router.control)
        .read()
        .await
        .ok()?;
    Some(snapshot.counters.client_requests())
}

/// The clients' ledger.
struct Clients<'a> {
    state: StateDir,
    /// How to start them, and whether the demonstration's own service is deployed; absent where
    /// they were started before.
    start: Option<(&'a args::Deploy, bool)>,
}

impl Client for Clients<'_> {
    fn start(&mut self, service: SocketAddr) -> Result<(), DriverError> {
        match self.start {
            Some((arguments, own)) => start_clients(&self.state, service, arguments, own),
            None => Ok(()),
        }
    }

    fn figures(&mut self, from: Timestamp, to: Timestamp) -> Option<ClientFigures> {
        let ledger = read_ledger(&self.state.path("ledger.jsonl")).ok()?;
        let stretch = from.unix_ms()..to.unix_ms().saturating_add(1);
        let summary = LedgerSummary::of_stretch(stretch).with(&ledger.entries);
        let total = summary.total();
        Some(ClientFigures {
            requests: total.sent,
            harmed: total.harmed(),
            lost: total.lost,
        })
    }
}

/// How many pieces of evidence there are.
pub(crate) fn evidence_count(state: &StateDir) -> usize {
    Archive::open(state, DEMO_LABEL).map_or(0, |archive| archive.envelopes().len())
}
