//! The dialect of Traefik: one file of the file provider, read back from the API.
//!
//! For the name `shop` the file has the weighted service `shop` over `shop-stable` and
//! `shop-canary`, with the addresses of their instances. It is JSON, which is YAML too, and
//! belongs to nonevent as a whole; Traefik reads files that end in `.yml` or `.yaml`. A middleware
//! `shop-change`, which no router uses, carries the change's number, so that what is in force can
//! be told from what is on the disk.
//!
//! | ask | answer |
//! |---|---|
//! | `GET /api/http/services/shop@file` | `weighted.services[].weight`; 404 if there is none |
//! | `GET /api/http/services/shop-stable@file` | `loadBalancer.servers[].url`, `serverStatus` |
//! | `GET /api/http/middlewares/shop-change@file` | the change's number |
//! | `GET /metrics` | requests by service and status |
//!
//! What to know: Traefik takes changes at most every two seconds
//! (`providersThrottleDuration`), and of a file that it cannot read it keeps the former content
//! and writes a line to its log, so only reading back shows what is in force. Weights that are
//! all 0 are answered with 503. A cookie keeps a client on its version while that has weight; at
//! weight 0 the client is moved. Mirrored requests count for the canary like any other. An answer
//! that breaks off after its head is not counted at all.

use alloc::borrow::ToOwned;
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::answers::{answer, any_answer, fence_label, nth, parse_fence, unreadable, written};
use crate::exposition::samples;
use crate::names::{self, refused, shown};
use crate::{
    Abilities, Adapter, Arm, Desired, Dialect, FULL_WEIGHT, Fencing, Granularity, HeaderRoute,
    Instance, Method, Observed, Operation, ReadBack, Reply, Request, RouterError, Stickiness,
    Tallies, Traffic, weights,
};

/// The longest rule, in bytes.
pub const RULE_BYTES_MAX: usize = 1_024;

/// The most entry points.
pub const ENTRY_POINTS_MAX: usize = 32;

/// What Traefik can do when everything is configured.
pub const ABILITIES: Abilities = Abilities {
    granularity: Granularity::Parts(FULL_WEIGHT),
    read_back: ReadBack::State,
    fencing: Fencing::None,
    stickiness: Stickiness::WhileWeighted,
    closes: true,
    counts: true,
    reports_draining: false,
    survives_restart: true,
    survives_reload: true,
    sets_pools: true,
    routes_headers: true,
    mirrors: true,
    ends_sessions: false,
};

/// The router that leads to the service, if the file shall define it too.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Route {
    /// The rule, such as ``PathPrefix(`/`)``.
    pub rule: String,
    /// The entry points it listens on.
    pub entry_points: Vec<String>,
    /// A header that sends a request to the canary.
    pub header: Option<HeaderRoute>,
}

/// The names that this dialect needs.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Config {
    /// What the services are called after.
    pub name: String,
    /// The file, in the directory that Traefik watches.
    pub file: String,
    /// The API: scheme, host and port, such as `http://127.0.0.1:8080`.
    pub api: String,
    /// Where `/metrics` is, if anywhere.
    pub metrics: Option<String>,
    /// The router, unless it is defined elsewhere.
    pub route: Option<Route>,
    /// The cookie that keeps a client on a version.
    pub cookie: Option<String>,
    /// How many percent of requests are copied to the canary; 0 for none.
    pub mirror_percent: u8,
}

/// Traefik, configured.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Traefik {
    config: Config,
}

#[derive(Deserialize)]
struct Service {
    weighted: Option<Weighted>,
    #[serde(rename = "loadBalancer")]
    load_balancer: Option<LoadBalancer>,
    #[serde(default, rename = "serverStatus")]
    server_status: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct Weighted {
    #[serde(default)]
    services: Vec<Member>,
}

#[derive(Deserialize)]
struct Member {
    name: String,
    weight: Option<u64>,
}

#[derive(Deserialize)]
struct LoadBalancer {
    #[serde(default)]
    servers: Vec<Server>,
}

#[derive(Deserialize)]
struct Server {
    url: String,
}

#[derive(Deserialize)]
struct Middleware {
    headers: Option<Headers>,
}

#[derive(Deserialize)]
struct Headers {
    #[serde(default, rename = "customResponseHeaders")]
    response: BTreeMap<String, String>,
}

/// The header of the middleware that carries the change's number.
const CHANGE: &str = "X-Nonevent-Change";

impl Traefik {
    /// Checks the names.
    ///
    /// # Errors
    ///
    /// [`Refused`](crate::RouterErrorKind::Refused) if a name could be read as more than a name,
    /// the file does not end in `.yml` or `.yaml`, the rule is empty or could be a template, or
    /// more than 100 % shall be mirrored.
    pub fn new(config: Config) -> Result<Traefik, RouterError> {
        names::name("name", &config.name)?;
        names::path("file", &config.file)?;
        names::origin("api", &config.api)?;
        if let Some(metrics) = &config.metrics {
            names::origin("metrics", metrics)?;
        }
        if let Some(cookie) = &config.cookie {
            names::name("cookie", cookie)?;
        }
        let read = config.file.ends_with(".yml") || config.file.ends_with(".yaml");
        if !read || config.mirror_percent > 100 {
            return Err(refused(format!(
                "file {} must end in .yml or .yaml, and {} % must be at most 100",
                config.file, config.mirror_percent
            )));
        }
        if let Some(route) = &config.route {
            check_route(route)?;
        }
        Ok(Traefik { config })
    }

    /// The whole text of the file.
    ///
    /// # Errors
    ///
    /// [`Refused`](crate::RouterErrorKind::Refused) if a version shall get traffic but has no instance.
    pub fn file(&self, desired: &Desired) -> Result<String, RouterError> {
        weights::check(desired)?;
        let name = &self.config.name;
        let mut services = Map::new();
        for arm in Arm::BOTH {
            let servers: Vec<Value> = desired
                .pools
                .of(arm)
                .iter()
                .map(|backend| json!({ "url": format!("http://{}", backend.address) }))
                .collect();
            let balancer = json!({ "loadBalancer": { "servers": servers } });
            services.insert(format!("{name}-{arm}"), balancer);
        }
        let weight = |arm: Arm| json!({ "name": format!("{name}-{arm}"), "weight": desired.split.weight(arm) });
        let mut weighted = json!({ "services": [weight(Arm::Stable), weight(Arm::Canary)] });
        if let Some(cookie) = &self.config.cookie {
            weighted["sticky"] = json!({ "cookie": { "name": cookie } });
        }
        services.insert(self.weighted_service(), json!({ "weighted": weighted }));
        if self.config.mirror_percent > 0 {
            // A closed router copies nothing, and there must be somebody to copy to.
            let copies = !desired.split.is_closed() && !desired.pools.canary.is_empty();
            let percent = if copies {
                self.config.mirror_percent
            } else {
                0
            };
            let mirrors = json!([{ "name": format!("{name}-canary"), "percent": percent }]);
            let service = self.weighted_service();
            let mirroring = json!({ "mirroring": { "service": service, "mirrors": mirrors } });
            services.insert(name.clone(), mirroring);
        }
        let change = json!({ CHANGE: fence_label(desired.fence) });
        let mut http = json!({
            "services": services,
            "middlewares": {
                format!("{name}-change"): { "headers": { "customResponseHeaders": change } },
            },
        });
        if let Some(route) = &self.config.route {
            http["routers"] = self.routers(route, desired);
        }
        let file = json!({ "http": http });
        let mut text = serde_json::to_string_pretty(&file).expect("a JSON value is always JSON");
        text.push('\n');
        Ok(text)
    }

    fn weighted_service(&self) -> String {
        let name = &self.config.name;
        match self.config.mirror_percent {
            0 => name.clone(),
            _ => format!("{name}-split"),
        }
    }

    fn routers(&self, route: &Route, desired: &Desired) -> Value {
        let name = &self.config.name;
        let router = |rule: &str, service: &str| json!({ "rule": rule, "entryPoints": route.entry_points, "service": service });
        let mut routers = Map::new();
        routers.insert(name.clone(), router(&route.rule, name));
        let reaches = !desired.split.is_closed() && !desired.pools.canary.is_empty();
        if let Some(header) = route.header.as_ref().filter(|_| reaches) {
            // The longer rule is tried first.
            let rule = format!(
                "({}) && Header(`{}`, `{}`)",
                route.rule, header.name, header.value
            );
            let service = format!("{name}-canary");
            routers.insert(format!("{name}-header"), router(&rule, &service));
        }
        Value::Object(routers)
    }

    fn get(&self, origin: &str, path: String) -> Operation {
        Operation::Send {
            origin: origin.to_owned(),
            request: Request {
                method: Method::Get,
                path,
                headers: Vec::new(),
                body: Vec::new(),
            },
        }
    }

    fn traffic_of(&self, service: &Service) -> Result<Traffic, RouterError> {
        let members = service.weighted.as_ref().map(|weighted| &weighted.services);
        let weight = |arm: Arm| {
            let name = format!("{}-{arm}", self.config.name);
            let member = members?.iter().find(|member| member.name == name)?;
            Some(member.weight.unwrap_or(1))
        };
        match (
            weight(Arm::Stable),
            weight(Arm::Canary),
            members.map(Vec::len),
        ) {
            (Some(stable), Some(canary), Some(2)) => Ok(Traffic::of(stable, canary)),
            _ => Err(unreadable(format!(
                "Traefik's service {} is not over the two versions",
                self.weighted_service()
            ))),
        }
    }

    fn tallies(&self, text: &str) -> Result<(Tallies, Option<String>), RouterError> {
        let mut tallies = Tallies::default();
        for sample in samples(text, "traefik_service_requests_total")? {
            let service = sample.label("service").unwrap_or_default();
            let of = |arm: &Arm| service == format!("{}-{arm}@file", self.config.name);
            if let Some(arm) = Arm::BOTH.into_iter().find(of) {
                let count = sample.count()?;
                let tally = tallies.of_mut(arm);
                tally.requests = tally.requests.saturating_add(count);
                if sample
                    .label("code")
                    .is_some_and(|code| code.starts_with('5'))
                {
                    tally.errors = tally.errors.saturating_add(count);
                }
                tally.finished = tally.requests;
            }
        }
        let start = samples(text, "process_start_time_seconds")?;
        Ok((tallies, start.first().map(|start| start.text().to_owned())))
    }
}

fn check_route(route: &Route) -> Result<(), RouterError> {
    let plain = |c: char| c.is_ascii_graphic() || c == ' ';
    // Traefik runs files of its provider through a template engine.
    let rule = &route.rule;
    let template = rule.contains("{{");
    if rule.is_empty() || rule.len() > RULE_BYTES_MAX || !rule.chars().all(plain) || template {
        return Err(refused(format!(
            "rule `{}`: write 1 to {RULE_BYTES_MAX} visible ASCII characters without `{{{{`",
            shown(rule)
        )));
    }
    if route.entry_points.len() > ENTRY_POINTS_MAX {
        return Err(refused(format!(
            "more than {ENTRY_POINTS_MAX} entry points"
        )));
    }
    for entry_point in &route.entry_points {
        names::name("entry point", entry_point)?;
    }
    route.header.as_ref().map_or(Ok(()), HeaderRoute::check)
}

fn instances(service: &Service, arm: Arm, into: &mut Vec<Instance>) -> Result<(), RouterError> {
    let balancer = service.load_balancer.as_ref();
    let balancer = balancer
        .ok_or_else(|| unreadable(format!("Traefik's service of {arm} balances no load")))?;
    for server in &balancer.servers {
        let address = server.url.strip_prefix("http://").ok_or_else(|| {
            unreadable(format!(
                "Traefik's server `{}` is not http://…",
                shown(&server.url)
            ))
        })?;
        let status = service.server_status.get(&server.url);
        into.push(Instance {
            arm,
            address: address.trim_end_matches('/').to_owned(),
            takes: status.is_none_or(|status| status == "UP"),
            in_flight: None,
        });
    }
    Ok(())
}

impl Adapter for Traefik {
    fn dialect(&self) -> Dialect {
        Dialect::Traefik
    }

    fn abilities(&self) -> Abilities {
        let route = self.config.route.as_ref();
        Abilities {
            stickiness: match self.config.cookie {
                Some(_) => Stickiness::WhileWeighted,
                None => Stickiness::None,
            },
            counts: self.config.metrics.is_some(),
            routes_headers: route.is_some_and(|route| route.header.is_some()),
            mirrors: self.config.mirror_percent > 0,
            ..ABILITIES
        }
    }

    fn traffic(&self, desired: &Desired) -> Result<Traffic, RouterError> {
        weights::check(desired)?;
        Ok(Traffic::of(
            desired.split.weight(Arm::Stable).into(),
            desired.split.weight(Arm::Canary).into(),
        ))
    }

    fn set(&self, desired: &Desired, _: Option<&str>) -> Result<Vec<Operation>, RouterError> {
        Ok(vec![Operation::Write {
            path: self.config.file.clone(),
            content: self.file(desired)?,
        }])
    }

    fn acknowledge(&self, _: &Operation, reply: &Reply) -> Result<(), RouterError> {
        written(reply)
    }

    fn read(&self) -> Vec<Operation> {
        let name = &self.config.name;
        let service = |service: &str| format!("/api/http/services/{service}@file");
        let api = |path| self.get(&self.config.api, path);
        let mut asks = vec![
            api(service(&self.weighted_service())),
            api(service(&format!("{name}-stable"))),
            api(service(&format!("{name}-canary"))),
            api(format!("/api/http/middlewares/{name}-change@file")),
        ];
        asks.extend(
            self.config
                .metrics
                .iter()
                .map(|at| self.get(at, "/metrics".into())),
        );
        asks
    }

    fn observe(&self, replies: &[Reply]) -> Result<Observed, RouterError> {
        let reply = nth(replies, 0, "the service")?;
        if any_answer(reply)?.status == 404 {
            // The file has not been read yet.
            return Ok(Observed::NOTHING);
        }
        let traffic = self.traffic_of(&answer(reply)?.json("Traefik's service")?)?;
        let mut found = Vec::new();
        for (at, arm) in [(1, Arm::Stable), (2, Arm::Canary)] {
            let service = answer(nth(replies, at, "a version's service")?)?;
            instances(&service.json("Traefik's service")?, arm, &mut found)?;
        }
        found.sort();
        let change: Middleware = answer(nth(replies, 3, "the change")?)?.json("the change")?;
        let label = change
            .headers
            .and_then(|headers| headers.response.get(CHANGE).cloned());
        let mut observed = Observed {
            traffic,
            instances: Some(found),
            fence: label.as_deref().and_then(parse_fence),
            ..Observed::NOTHING
        };
        if self.config.metrics.is_some() {
            let metrics = answer(nth(replies, 4, "the counters")?)?;
            let (tallies, started) = self.tallies(metrics.text("Traefik's metrics")?)?;
            observed.tallies = Some(tallies);
            observed.started = started;
        }
        Ok(observed)
    }
}
