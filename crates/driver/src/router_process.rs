//! The embedded router as a process of its own.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::embedded::EmbeddedConfig;
use crate::fleet::{FleetError, FleetErrorKind};
use crate::process::{Ended, Launch, ProcessIdentity, Start, end, find_marked, is_marker, start};
use crate::router_client::{Router, RouterClient};

/// The name under which the router is marked, beside the instances `stable-1` and so on.
const NAME: &str = "router";

/// How often a starting router is asked whether it answers.
const ASK_EVERY: Duration = Duration::from_millis(10);

/// How to run the embedded router as a process.
#[derive(Clone, Debug)]
pub struct RouterProcessConfig {
    /// The program that calls [`embedded::run`](crate::embedded::run). It gets one more argument:
    /// `router` as JSON.
    pub launch: Launch,
    /// What the router is started with.
    pub router: EmbeddedConfig,
    /// Where its output goes.
    pub log: PathBuf,
    /// The marker of the fleet that it belongs to.
    pub start_marker: String,
}

/// An embedded router in a process of its own, which outlives the controller.
#[derive(Clone, Debug)]
pub struct RouterProcess {
    process: ProcessIdentity,
    client: RouterClient,
    marker: String,
}

impl RouterProcess {
    /// The router that an earlier controller left, if it lives.
    ///
    /// # Errors
    ///
    /// The system does not tell about processes.
    pub fn find(config: &RouterProcessConfig) -> Result<Option<RouterProcess>, FleetError> {
        let found = routers(&config.start_marker).map_err(|error| {
            FleetError::new(
                FleetErrorKind::System,
                "the system does not tell about processes; /proc is needed",
            )
            .caused_by(error)
        })?;
        Ok(found.into_iter().next().map(|process| RouterProcess {
            process,
            client: RouterClient::new(&config.router.control),
            marker: config.start_marker.clone(),
        }))
    }

    /// The router that lives, or a new one. It is returned when it answers on its control socket.
    ///
    /// # Errors
    ///
    /// It cannot be started, ends at once, or does not answer within `answer_ms`; the log says
    /// more.
    pub async fn find_or_start(
        config: &RouterProcessConfig,
        answer_ms: u64,
    ) -> Result<RouterProcess, FleetError> {
        let router = match RouterProcess::find(config)? {
            Some(router) => router,
            None => RouterProcess::start(config)?,
        };
        let deadline = Instant::now() + Duration::from_millis(answer_ms);
        loop {
            let error = match router.client.read().await {
                Ok(_) => return Ok(router),
                Err(error) => error,
            };
            let why = if !router.lives() {
                "ended at once"
            } else if Instant::now() >= deadline {
                "does not answer"
            } else {
                sleep(ASK_EVERY).await;
                continue;
            };
            return Err(FleetError::new(
                FleetErrorKind::Start,
                format!("the router {why}; its log is {}", config.log.display()),
            )
            .caused_by(error));
        }
    }

    fn start(config: &RouterProcessConfig) -> Result<RouterProcess, FleetError> {
        let failed = |error: io::Error| {
            FleetError::new(FleetErrorKind::Start, "the router cannot be started").caused_by(error)
        };
        if !is_marker(&config.start_marker) {
            return Err(FleetError::new(
                FleetErrorKind::Config,
                format!(
                    "`{}` cannot mark a router",
                    config.start_marker.escape_debug()
                ),
            ));
        }
        let mut launch = config.launch.clone();
        let argument = serde_json::to_string(&config.router).map_err(io::Error::from);
        launch.argv.push(argument.map_err(failed)?);
        let process = start(
            &launch,
            Start {
                marker: &config.start_marker,
                name: NAME,
                env: &[],
                log: &config.log,
            },
        )
        .map_err(failed)?;
        Ok(RouterProcess {
            process,
            client: RouterClient::new(&config.router.control),
            marker: config.start_marker.clone(),
        })
    }

    /// The client of its control socket.
    #[must_use]
    pub fn client(&self) -> &RouterClient {
        &self.client
    }

    /// Its process.
    #[must_use]
    pub fn process(&self) -> &ProcessIdentity {
        &self.process
    }

    /// Whether it has not ended.
    #[must_use]
    pub fn lives(&self) -> bool {
        self.process.lives()
    }

    /// Ends it: it finishes the requests it has for at most `drain_ms`, and is then forced.
    ///
    /// # Errors
    ///
    /// It does not end.
    pub async fn stop(&self, drain_ms: u64) -> Result<Ended, FleetError> {
        // A router that cannot be asked is ended by signals.
        let asked = self.client.shut_down(drain_ms).await.is_ok();
        let drain = Duration::from_millis(drain_ms) + Duration::from_secs(1);
        if asked
            && tokio::time::timeout(drain, self.process.ended())
                .await
                .is_ok()
        {
            self.process.forget_child();
            return Ok(Ended::Asked);
        }
        let find = || {
            let mut found = routers(&self.marker)?;
            found.extend(Some(self.process.clone()).filter(ProcessIdentity::lives));
            found.dedup();
            Ok(found)
        };
        end(find, Duration::from_secs(1)).await.map_err(|error| {
            FleetError::new(FleetErrorKind::Stop, "the router cannot be ended").caused_by(error)
        })
    }
}

fn routers(marker: &str) -> io::Result<Vec<ProcessIdentity>> {
    let marked = find_marked(marker)?;
    Ok(marked
        .into_iter()
        .filter(|marked| marked.name == NAME)
        .map(|marked| marked.process)
        .collect())
}
