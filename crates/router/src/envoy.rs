//! The dialect of Envoy: its admin interface, and files that it watches.
//!
//! | ask | answer |
//! |---|---|
//! | `POST /runtime_modify?KEY=VALUE&…` | 200 and `OK` |
//! | `GET /runtime` | `entries.KEY.final_value`, a string |
//! | `GET /config_dump?resource=dynamic_route_configs` | the routes in force, with their version |
//! | `GET /clusters?format=json` | addresses and requests in flight |
//! | `GET /stats?format=json&filter=…` | counters by cluster |
//!
//! The share is kept in the runtime ([`Layout::Runtime`]): the route has `weighted_clusters` with a
//! `runtime_key_prefix` and weights that sum to 10 000, and before it a route that answers 503 to
//! the percentage that the key *closed* says, for Envoy does not take weights that are all 0:
//!
//! ```text
//! {"match": {"prefix": "/", "runtime_fraction": {"default_value": {"numerator": 0},
//!  "runtime_key": "routing.closed.shop"}}, "direct_response": {"status": 503}}
//! ```
//!
//! Or in a file of routes ([`Layout::Routes`], `path_config_source`), which survives restarts,
//! carries the number of the change as its version, and can route by a header and mirror.
//!
//! What to know: runtime values are lost on a restart, and what the route's configuration says
//! then holds; that is read back as untold traffic. An open stream stays on its version. Pools
//! are set through files of endpoints (EDS), if configured. A counter appears with its first
//! event, so an absent one is 0. An answer that breaks off after its head is no error to Envoy,
//! only a connection lost with a request on it, and so is one that never came and was answered
//! with 503: the lost ones are reported beside the errors ([`Tally::lost`](crate::Tally::lost)).
//! Mirrored requests count for the canary like any other.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;

use crate::answers::{answer, nth, unreadable, written};
use crate::names::{self, refused, shown};
use crate::{
    Abilities, Adapter, Arm, Desired, Dialect, FULL_WEIGHT, Fencing, Granularity, HeaderRoute,
    Method, Observed, Operation, ReadBack, Reply, Request, RouterError, Stickiness, Traffic,
    weights,
};

mod file;
mod report;

/// What Envoy can do with [`Layout::Runtime`].
pub const ABILITIES: Abilities = Abilities {
    granularity: Granularity::Parts(FULL_WEIGHT),
    read_back: ReadBack::State,
    fencing: Fencing::None,
    stickiness: Stickiness::None,
    closes: true,
    counts: true,
    reports_draining: false,
    survives_restart: false,
    survives_reload: true,
    sets_pools: true,
    routes_headers: false,
    mirrors: false,
    ends_sessions: false,
};

/// Where the share of the canary is kept.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Layout {
    /// In the runtime's admin layer.
    Runtime {
        /// The route's `runtime_key_prefix`.
        prefix: String,
        /// The key of the percentage that is answered with 503; absent if the route has none.
        closed: Option<String>,
    },
    /// In a file with one `RouteConfiguration`.
    Routes {
        /// The file.
        file: String,
        /// The configuration's name, as the listener asks for it.
        name: String,
        /// A header that sends a request to the canary.
        header: Option<HeaderRoute>,
        /// How many of 10 000 requests are copied to the canary; 0 for none.
        mirrored: u16,
    },
}

/// Files of endpoints, one for each version's cluster.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct EndpointFiles {
    /// The file of stable.
    pub stable: String,
    /// The file of the canary.
    pub canary: String,
}

/// The names that this dialect needs.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Config {
    /// The admin interface: scheme, host and port, such as `http://127.0.0.1:9901`.
    pub admin: String,
    /// The cluster of stable.
    pub stable: String,
    /// The cluster of the canary.
    pub canary: String,
    /// Where the share is kept.
    pub share: Layout,
    /// The files of endpoints; without them the pools are not set here.
    pub endpoints: Option<EndpointFiles>,
}

/// Envoy, configured.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Envoy {
    config: Config,
}

impl Envoy {
    /// Checks the names.
    ///
    /// # Errors
    ///
    /// [`Refused`](crate::RouterErrorKind::Refused) if a name could be read as more than a name,
    /// both versions have one cluster, or more than all requests shall be mirrored.
    pub fn new(config: Config) -> Result<Envoy, RouterError> {
        names::origin("admin", &config.admin)?;
        names::name("cluster", &config.stable)?;
        names::name("cluster", &config.canary)?;
        if config.stable == config.canary {
            return Err(refused(format!(
                "both versions have the cluster `{}`",
                config.stable
            )));
        }
        match &config.share {
            Layout::Runtime { prefix, closed } => {
                names::name("runtime_key_prefix", prefix)?;
                if let Some(key) = closed {
                    names::name("runtime key", key)?;
                }
            }
            Layout::Routes {
                file,
                name,
                header,
                mirrored,
            } => {
                names::path("file", file)?;
                names::name("routes", name)?;
                header.as_ref().map_or(Ok(()), HeaderRoute::check)?;
                if *mirrored > FULL_WEIGHT {
                    return Err(refused(format!("{mirrored} of {FULL_WEIGHT} mirrored")));
                }
            }
        }
        if let Some(files) = &config.endpoints {
            names::path("file", &files.stable)?;
            names::path("file", &files.canary)?;
        }
        Ok(Envoy { config })
    }

    fn cluster(&self, arm: Arm) -> &str {
        match arm {
            Arm::Stable => &self.config.stable,
            Arm::Canary => &self.config.canary,
        }
    }

    fn send(&self, method: Method, path: &str) -> Operation {
        Operation::Send {
            origin: self.config.admin.clone(),
            request: Request {
                method,
                path: path.to_owned(),
                headers: Vec::new(),
                body: Vec::new(),
            },
        }
    }

    fn key(&self, prefix: &str, arm: Arm) -> String {
        format!("{prefix}.{}", self.cluster(arm))
    }

    fn check(&self, desired: &Desired) -> Result<(), RouterError> {
        if self.config.endpoints.is_some() {
            weights::check(desired)?;
        }
        match &self.config.share {
            Layout::Runtime { closed: None, .. } if desired.split.is_closed() => Err(refused(
                "Envoy cannot be closed: no runtime key for it is configured".into(),
            )),
            _ => Ok(()),
        }
    }

    fn runtime_change(&self, desired: &Desired, prefix: &str, closed: Option<&str>) -> String {
        let mut path = "/runtime_modify?".to_owned();
        // Closed keeps the weights: all 0 would be no valid sum.
        if !desired.split.is_closed() {
            for arm in Arm::BOTH {
                path.push_str(&self.key(prefix, arm));
                path.push('=');
                path.push_str(&desired.split.weight(arm).to_string());
                path.push('&');
            }
        }
        if let Some(key) = closed {
            let percent = if desired.split.is_closed() { 100 } else { 0 };
            path.push_str(&format!("{key}={percent}"));
        }
        path.trim_end_matches('&').to_owned()
    }

    fn share_operation(&self, desired: &Desired) -> Operation {
        match &self.config.share {
            Layout::Runtime { prefix, closed } => {
                let path = self.runtime_change(desired, prefix, closed.as_deref());
                self.send(Method::Post, &path)
            }
            Layout::Routes { file, .. } => Operation::Write {
                path: file.clone(),
                content: file::routes(&self.config, desired),
            },
        }
    }

    fn endpoint_operation(
        &self,
        desired: &Desired,
        arm: Arm,
    ) -> Result<Vec<Operation>, RouterError> {
        let Some(files) = &self.config.endpoints else {
            return Ok(Vec::new());
        };
        let path = match arm {
            Arm::Stable => &files.stable,
            Arm::Canary => &files.canary,
        };
        Ok(vec![Operation::Write {
            path: path.clone(),
            content: file::endpoints(self.cluster(arm), desired, arm)?,
        }])
    }
}

impl Adapter for Envoy {
    fn dialect(&self) -> Dialect {
        Dialect::Envoy
    }

    fn abilities(&self) -> Abilities {
        let sets_pools = self.config.endpoints.is_some();
        match &self.config.share {
            Layout::Runtime { closed, .. } => Abilities {
                closes: closed.is_some(),
                sets_pools,
                ..ABILITIES
            },
            Layout::Routes {
                header, mirrored, ..
            } => Abilities {
                survives_restart: true,
                routes_headers: header.is_some(),
                mirrors: *mirrored > 0,
                sets_pools,
                ..ABILITIES
            },
        }
    }

    fn traffic(&self, desired: &Desired) -> Result<Traffic, RouterError> {
        self.check(desired)?;
        Ok(Traffic::of(
            desired.split.weight(Arm::Stable).into(),
            desired.split.weight(Arm::Canary).into(),
        ))
    }

    fn set(&self, desired: &Desired, _: Option<&str>) -> Result<Vec<Operation>, RouterError> {
        self.check(desired)?;
        // A version that shall get traffic has its instances first; one that shall get none
        // loses them last.
        let mut operations = Vec::new();
        let gets = |arm: &Arm| desired.split.weight(*arm) > 0;
        for arm in Arm::BOTH.into_iter().filter(gets) {
            operations.extend(self.endpoint_operation(desired, arm)?);
        }
        operations.push(self.share_operation(desired));
        for arm in Arm::BOTH.into_iter().filter(|arm| !gets(arm)) {
            operations.extend(self.endpoint_operation(desired, arm)?);
        }
        Ok(operations)
    }

    fn acknowledge(&self, operation: &Operation, reply: &Reply) -> Result<(), RouterError> {
        let Operation::Send { .. } = operation else {
            return written(reply);
        };
        let text = answer(reply)?.text("the acknowledgement")?.trim();
        match text {
            "OK" => Ok(()),
            other => Err(unreadable(format!("Envoy says `{}`, not OK", shown(other)))),
        }
    }

    fn read(&self) -> Vec<Operation> {
        let share = match self.config.share {
            Layout::Runtime { .. } => "/runtime",
            Layout::Routes { .. } => "/config_dump?resource=dynamic_route_configs",
        };
        let filter = format!(
            "^cluster\\.({}|{})\\.upstream_(rq_total|rq_completed|rq_5xx|rq_active|cx_connect_fail|cx_destroy_remote_with_active_rq)$",
            self.config.stable.replace('.', "\\."),
            self.config.canary.replace('.', "\\."),
        );
        let stats = format!("/stats?format=json&filter={}", percent_encoded(&filter));
        vec![
            self.send(Method::Get, share),
            self.send(Method::Get, "/clusters?format=json"),
            self.send(Method::Get, &stats),
        ]
    }

    fn observe(&self, replies: &[Reply]) -> Result<Observed, RouterError> {
        let share = answer(nth(replies, 0, "the share")?)?;
        let (traffic, fence) = match &self.config.share {
            Layout::Runtime { prefix, closed } => {
                let runtime = share.json("Envoy's runtime")?;
                let traffic = report::runtime(self, &runtime, prefix, closed.as_deref())?;
                (traffic, None)
            }
            Layout::Routes { name, .. } => {
                report::routes(self, &share.json("Envoy's routes")?, name)?
            }
        };
        let clusters = answer(nth(replies, 1, "the clusters")?)?.json("Envoy's clusters")?;
        let stats = answer(nth(replies, 2, "the counters")?)?.json("Envoy's counters")?;
        Ok(Observed {
            traffic,
            fence,
            instances: Some(report::instances(self, clusters)?),
            tallies: Some(report::tallies(self, &stats)?),
            ..Observed::NOTHING
        })
    }
}

/// Everything but letters, digits and `-._~` (RFC 3986 §2.3) as `%XX`.
fn percent_encoded(text: &str) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}
