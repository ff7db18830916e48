//! A target on this machine: the embedded router and two versions as processes, found again by
//! whoever takes over.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use nonevent_document::{Digest, Timestamp};
use nonevent_rollout::{Effect, Input};
use nonevent_router::{Arm, Desired, RouterError, RouterErrorKind, Snapshot, Split};
use nonevent_strategy::{FleetPlan, SuiteMoment, Suites, Ways};
use serde::{Deserialize, Serialize};
use tokio::time::sleep;

use crate::clock::Clock;
use crate::embedded::EmbeddedConfig;
use crate::error::{DriverError, DriverErrorKind, with_causes};
use crate::hands::{Hands, trouble_of};
use crate::process::{
    FleetConfig, Health, Launch, Marked, ProcessFleet, ProcessIdentity, Start, find_marked, start,
};
use crate::router_client::{Router, RouterClient};
use crate::router_process::{RouterProcess, RouterProcessConfig};
use crate::state_dir::StateDir;

/// How long the router may take to answer after it was started, in milliseconds.
const ROUTER_START_MS: u64 = 5_000;
/// How much of an instance's output is kept, in bytes; as much again in the log before it.
const LOG_BYTES_MAX: u64 = 1 << 20;
/// Time that processes are given to end when all is cleaned up, in milliseconds.
const CLEANUP_GRACE_MS: u64 = 3_000;

/// Everything that binds a plan to this machine: what is run, and where. No part of the plan, and
/// kept beside its journal so that another process can go on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Binding {
    /// `nonevent/v1`.
    pub api_version: String,
    /// `RunBinding`.
    pub kind: String,
    /// Both versions' programs.
    pub fleet: FleetConfig,
    /// The program that is the router.
    pub router_launch: Launch,
    /// What the router is started with.
    pub router: EmbeddedConfig,
    /// The smoke suites' texts: what was planned is what runs, even if the files change.
    pub suites: Vec<SuiteText>,
    /// The folder of the deployment document, absolute: flag files are named from there.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub documents: Option<PathBuf>,
}

/// The text of one smoke suite, with the moments it is run at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct SuiteText {
    /// The name by which the document knows it.
    pub name: String,
    /// Its text.
    pub text: String,
}

/// The suite among `texts` that a plan means by `moment`.
pub(crate) fn suite_text<'a>(
    texts: &'a [SuiteText],
    suites: &Suites,
    moment: SuiteMoment,
) -> Option<&'a SuiteText> {
    let wanted = suites.get(moment)?;
    texts.iter().find(|suite| {
        suite.name == wanted.name && wanted.digest == Some(Digest::of(suite.text.as_bytes()))
    })
}

/// The two programs and how their instances are asked whether they are well.
#[derive(Clone, Debug)]
pub struct Programs {
    /// The version that serves now.
    pub stable: Launch,
    /// The version to be released.
    pub canary: Launch,
    /// The program of the router; it gets its configuration as one more argument.
    pub router: Launch,
    /// The path that answers 200 when an instance is well.
    pub health_path: String,
}

impl Binding {
    /// A binding for the state folder `state`, on free loopback ports.
    ///
    /// # Errors
    /// No port is free.
    pub fn new(
        state: &StateDir,
        programs: Programs,
        suites: Vec<SuiteText>,
    ) -> Result<Binding, DriverError> {
        let listen = free_address().map_err(|error| {
            DriverError::new(
                DriverErrorKind::Start,
                format!("no loopback port is free for the router: {error}"),
            )
        })?;
        Ok(Binding {
            api_version: "nonevent/v1".to_owned(),
            kind: "RunBinding".to_owned(),
            fleet: FleetConfig {
                dir: state.path("fleet"),
                stable: programs.stable,
                canary: programs.canary,
                health: Health {
                    path: programs.health_path,
                    interval_ms: 200,
                    timeout_ms: 1_000,
                    successes: 1,
                    failures: 3,
                },
                log_bytes_max: LOG_BYTES_MAX,
                start_marker: marker(state),
            },
            router_launch: programs.router,
            router: EmbeddedConfig::new(listen, state.path("router").join("control.sock"))
                .with_state_file(state.path("router").join("desired.json")),
            suites,
            documents: None,
        })
    }

    /// Where the service answers.
    #[must_use]
    pub fn service(&self) -> SocketAddr {
        self.router.listen
    }

    /// The suite that a plan means by `moment`.
    #[must_use]
    pub fn suite(&self, suites: &Suites, moment: SuiteMoment) -> Option<&SuiteText> {
        suite_text(&self.suites, suites, moment)
    }

    /// Writes it where [`Binding::load`] finds it.
    ///
    /// # Errors
    /// As the system says.
    pub fn save(&self, state: &StateDir) -> Result<(), DriverError> {
        let text = serde_json::to_string_pretty(self).map_err(|error| storage(&error))?;
        state
            .write("run.json", text.as_bytes())
            .map_err(|error| storage(&error))
    }

    /// Reads what [`Binding::save`] wrote.
    ///
    /// # Errors
    /// There is none, or it cannot be understood.
    pub fn load(state: &StateDir) -> Result<Binding, DriverError> {
        let path = state.path("run.json");
        let bytes = std::fs::read(&path).map_err(|error| {
            DriverError::new(
                DriverErrorKind::State,
                format!("no rollout is known in {}: {error}", state.root().display()),
            )
        })?;
        serde_json::from_slice(&bytes).map_err(|error| {
            DriverError::new(
                DriverErrorKind::State,
                format!("{} cannot be understood: {error}", path.display()),
            )
        })
    }
}

fn storage(error: &dyn std::fmt::Display) -> DriverError {
    DriverError::new(
        DriverErrorKind::Storage,
        format!("run.json cannot be written: {error}"),
    )
}

/// What tells the processes of one state folder from all others.
#[must_use]
pub fn marker(state: &StateDir) -> String {
    use std::os::unix::ffi::OsStrExt as _;
    format!(
        "nonevent-{}",
        Digest::of(state.root().as_os_str().as_bytes()).short()
    )
}

/// Every living process that was started under this state folder.
///
/// # Errors
/// The system does not tell about processes.
pub fn leftovers(state: &StateDir) -> Result<Vec<Marked>, DriverError> {
    find_marked(&marker(state)).map_err(|error| {
        DriverError::new(
            DriverErrorKind::Storage,
            format!("processes cannot be listed (/proc is needed): {error}"),
        )
    })
}

fn free_address() -> std::io::Result<SocketAddr> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()
}

/// The embedded router, started again if it has died.
#[derive(Clone, Debug)]
pub struct KeptRouter {
    config: RouterProcessConfig,
    client: RouterClient,
}

impl KeptRouter {
    async fn revived(&self, error: RouterError) -> Result<(), RouterError> {
        let dead = matches!(RouterProcess::find(&self.config), Ok(None));
        if error.kind() != RouterErrorKind::Unreachable || !dead {
            return Err(error);
        }
        // It comes up with what it was told last, from its state file.
        match RouterProcess::find_or_start(&self.config, ROUTER_START_MS).await {
            Ok(_) => Ok(()),
            Err(_) => Err(error),
        }
    }
}

impl Router for KeptRouter {
    async fn apply(&self, desired: &Desired) -> Result<(), RouterError> {
        match self.client.apply(desired).await {
            Ok(()) => Ok(()),
            Err(error) => {
                self.revived(error).await?;
                self.client.apply(desired).await
            }
        }
    }

    async fn read(&self) -> Result<Snapshot, RouterError> {
        match self.client.read().await {
            Ok(snapshot) => Ok(snapshot),
            Err(error) => {
                self.revived(error).await?;
                self.client.read().await
            }
        }
    }
}

/// A target that is up.
pub struct Site {
    /// Its router.
    pub router: KeptRouter,
    /// Its instances.
    pub fleet: Arc<ProcessFleet>,
}

impl Site {
    /// Finds router and fleet as an earlier process left them, or brings up the router with an
    /// empty fleet.
    ///
    /// # Errors
    /// Either cannot be found or started.
    pub async fn open(binding: &Binding, state: &StateDir) -> Result<Site, DriverError> {
        let failed = |error: &dyn std::error::Error| {
            DriverError::new(DriverErrorKind::Start, with_causes(error))
        };
        make_dir(&state.path("router"))?;
        let fleet = ProcessFleet::open(binding.fleet.clone()).map_err(|error| failed(&error))?;
        let config = RouterProcessConfig {
            launch: binding.router_launch.clone(),
            router: binding.router.clone(),
            log: state.path("router").join("router.log"),
            start_marker: binding.fleet.start_marker.clone(),
        };
        let process = RouterProcess::find_or_start(&config, ROUTER_START_MS)
            .await
            .map_err(|error| failed(&error))?;
        let client = process.client().clone();
        Ok(Site {
            router: KeptRouter { config, client },
            fleet: Arc::new(fleet),
        })
    }

    /// Hands on this target.
    #[must_use]
    pub fn hands(
        &self,
        plan: Digest,
        numbers: FleetPlan,
        epoch: u64,
    ) -> Hands<KeptRouter, ProcessFleet> {
        Hands::new(
            self.router.clone(),
            Arc::clone(&self.fleet),
            plan,
            numbers,
            epoch,
        )
    }
}

fn make_dir(path: &Path) -> Result<(), DriverError> {
    std::fs::create_dir_all(path).map_err(|error| {
        DriverError::new(
            DriverErrorKind::Storage,
            format!("the folder {} cannot be made: {error}", path.display()),
        )
    })
}

/// Brings the target to where every plan begins: all replicas of stable ready, all traffic on
/// them, no canary.
///
/// # Errors
/// They do not get ready in time, or the router does not obey; with what the instances say.
pub async fn establish(
    hands: &mut Hands<KeptRouter, ProcessFleet>,
    numbers: &FleetPlan,
    clock: Clock,
) -> Result<(), DriverError> {
    let replicas = u16::try_from(numbers.replicas).unwrap_or(u16::MAX);
    let failed = |text: String| DriverError::new(DriverErrorKind::Start, text);
    for (arm, count) in [(Arm::Stable, replicas), (Arm::Canary, 0)] {
        let _ = hands
            .carry_out(Effect::Scale { arm, count }, clock.now())
            .await;
    }
    let within_ms = i64::try_from(numbers.ready_within_ms + numbers.warm_up_ms).unwrap_or(i64::MAX);
    let deadline: Timestamp = clock.now().plus_ms(within_ms);
    loop {
        let now = clock.now();
        let why = match hands.look(now).await {
            Ok(sight) => {
                let seen = hands.fleet_seen(&sight);
                if seen.stable.ready >= replicas && seen.canary.present == 0 {
                    break;
                }
                let troubles: Vec<String> = sight
                    .fleet
                    .instances
                    .iter()
                    .filter_map(trouble_of)
                    .collect();
                troubles.join("; ")
            }
            Err(_) => hands.take_troubles().join("; "),
        };
        if now >= deadline {
            return Err(failed(format!(
                "the present version did not get {replicas} instances ready within {} ms: {why}",
                numbers.ready_within_ms
            )));
        }
        sleep(Duration::from_millis(50)).await;
    }
    let answer = hands
        .carry_out(
            Effect::Shift {
                ways: Ways::NONE,
                split: Split::STABLE,
            },
            clock.now(),
        )
        .await;
    match answer.first() {
        Some(Input::Router(seen)) if seen.split == Split::STABLE => Ok(()),
        _ => Err(failed(format!(
            "the router did not obey: {}",
            hands.take_troubles().join("; ")
        ))),
    }
}

/// Starts a program beside the target, in a process of its own that outlives this one and is found
/// and ended with the target's.
///
/// # Errors
/// It cannot be started.
pub fn companion(
    state: &StateDir,
    name: &str,
    launch: &Launch,
) -> Result<ProcessIdentity, DriverError> {
    let log = state.path(&format!("{name}.log"));
    let marker = marker(state);
    start(
        launch,
        Start {
            marker: &marker,
            name,
            env: &[],
            log: &log,
        },
    )
    .map_err(|error| {
        DriverError::new(
            DriverErrorKind::Start,
            format!("{name} cannot be started: {error}"),
        )
    })
}

/// Ends every process of the state folder: instances, router, and whatever else was started under
/// its marker.
///
/// # Errors
/// Something does not end.
pub async fn clean_up(state: &StateDir) -> Result<usize, DriverError> {
    let found = leftovers(state)?.len();
    if found == 0 {
        return Ok(0);
    }
    let nothing = Launch::program(["/bin/false"], "");
    let config = match Binding::load(state) {
        Ok(binding) => binding.fleet,
        Err(_) => FleetConfig {
            dir: state.path("fleet"),
            stable: nothing.clone(),
            canary: nothing,
            health: Health::default(),
            log_bytes_max: LOG_BYTES_MAX,
            start_marker: marker(state),
        },
    };
    let failed = |error: &dyn std::error::Error| {
        DriverError::new(DriverErrorKind::Start, with_causes(error))
    };
    let fleet = ProcessFleet::open(config).map_err(|error| failed(&error))?;
    let _ = fleet
        .end_all(CLEANUP_GRACE_MS)
        .await
        .map_err(|error| failed(&error))?;
    Ok(found)
}
