//! The dialect of the Gateway API: one `HTTPRoute` (`gateway.networking.k8s.io/v1`), changed by
//! server-side apply and read back with its conditions.
//!
//! | ask | answer |
//! |---|---|
//! | `PATCH …/httproutes/NAME?fieldManager=nonevent` with the whole route | the route as stored; 409 if it was changed since, or somebody else owns a field |
//! | `GET …/httproutes/NAME` | the route, with `status.parents[].conditions` |
//!
//! Weights of `backendRefs` are whole numbers and sum to 10 000. The resource version of the last
//! reading is sent along, which makes the API server compare; the change's number and the plan
//! stand in annotations. A route counts as in force when every gateway it names has set
//! `Accepted` and `ResolvedRefs` to `True` for the generation that is read; before that its
//! traffic is untold.
//!
//! What to know: conditions say that a controller took the route, not that the proxies follow; a
//! probe does. Which instances a Service has is the cluster's matter, so pools are not set. All
//! weights 0 is answered with 500 by the specification, so the route cannot be closed. Requests
//! to the API server need credentials, which are the sender's matter. These replies are written
//! after the specification (v1.2) and not recorded from a cluster.

use alloc::borrow::ToOwned;
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::answers::{answer, fence_label, nth, parse_fence, unreadable};
use crate::names::{self, refused, shown};
use crate::{
    Abilities, Adapter, Arm, Command, Desired, Dialect, FULL_WEIGHT, Fencing, Granularity,
    HeaderRoute, Method, Observed, Operation, ReadBack, Reply, Request, RouterError,
    RouterErrorKind, Stickiness, Traffic,
};

/// The most hostnames of a route (the specification's limit).
pub const HOSTNAMES_MAX: usize = 16;

/// What the Gateway API can do when everything is configured.
pub const ABILITIES: Abilities = Abilities {
    granularity: Granularity::Parts(FULL_WEIGHT),
    read_back: ReadBack::Accepted,
    fencing: Fencing::Compare,
    stickiness: Stickiness::None,
    closes: false,
    counts: false,
    reports_draining: false,
    survives_restart: true,
    survives_reload: true,
    sets_pools: false,
    routes_headers: true,
    mirrors: true,
    ends_sessions: false,
};

const API_VERSION: &str = "gateway.networking.k8s.io/v1";
const CHANGE: &str = "nonevent/change";
const PLAN: &str = "nonevent/plan";

/// A Service with its port.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Service {
    /// Its name.
    pub name: String,
    /// Its port, 1 to 65 535.
    pub port: u16,
}

/// The names that this dialect needs.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Config {
    /// The API server: scheme, host and port, such as `http://127.0.0.1:8001` of `kubectl proxy`.
    pub api: String,
    /// The namespace of route and Services.
    pub namespace: String,
    /// The route's name.
    pub name: String,
    /// The Gateway it is attached to, in the same namespace.
    pub gateway: String,
    /// The hostnames it answers to; empty for all.
    pub hostnames: Vec<String>,
    /// The Service of stable.
    pub stable: Service,
    /// The Service of the canary.
    pub canary: Service,
    /// A header that sends a request to the canary.
    pub header: Option<HeaderRoute>,
    /// Whether every request is copied to the canary.
    pub mirror: bool,
}

/// An `HTTPRoute`, configured.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct GatewayApi {
    config: Config,
}

#[derive(Deserialize)]
struct HttpRoute {
    kind: String,
    metadata: Metadata,
    spec: Spec,
    #[serde(default)]
    status: Status,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Metadata {
    resource_version: String,
    generation: u64,
    #[serde(default)]
    annotations: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct Spec {
    #[serde(default)]
    rules: Vec<Rule>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Rule {
    #[serde(default)]
    backend_refs: Vec<BackendRef>,
}

#[derive(Deserialize)]
struct BackendRef {
    name: String,
    weight: Option<u64>,
}

#[derive(Default, Deserialize)]
struct Status {
    #[serde(default)]
    parents: Vec<Parent>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Parent {
    parent_ref: ParentRef,
    #[serde(default)]
    conditions: Vec<Condition>,
}

#[derive(Deserialize)]
struct ParentRef {
    name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Condition {
    r#type: String,
    status: String,
    #[serde(default)]
    observed_generation: u64,
    #[serde(default)]
    reason: String,
    #[serde(default)]
    message: String,
}

impl GatewayApi {
    /// Checks the names.
    ///
    /// # Errors
    ///
    /// [`RouterErrorKind::Refused`] if a name could be read as more than a name, a port is 0, or
    /// both versions are one Service.
    pub fn new(config: Config) -> Result<GatewayApi, RouterError> {
        names::origin("api", &config.api)?;
        names::name("namespace", &config.namespace)?;
        names::name("route", &config.name)?;
        names::name("gateway", &config.gateway)?;
        for service in [&config.stable, &config.canary] {
            names::name("service", &service.name)?;
            if service.port == 0 {
                return Err(refused(format!("service `{}` has port 0", service.name)));
            }
        }
        if config.stable.name == config.canary.name {
            return Err(refused("both versions are one Service".into()));
        }
        if config.hostnames.len() > HOSTNAMES_MAX {
            return Err(refused(format!("more than {HOSTNAMES_MAX} hostnames")));
        }
        for hostname in &config.hostnames {
            names::name("hostname", hostname.strip_prefix("*.").unwrap_or(hostname))?;
        }
        config.header.as_ref().map_or(Ok(()), HeaderRoute::check)?;
        Ok(GatewayApi { config })
    }

    fn check(&self, desired: &Desired) -> Result<(), RouterError> {
        if desired.split.is_closed() {
            return Err(refused(
                "an HTTPRoute cannot be closed: weights that are all 0 are answered with 500"
                    .into(),
            ));
        }
        Ok(())
    }

    fn path(&self) -> String {
        format!(
            "/apis/{API_VERSION}/namespaces/{}/httproutes/{}",
            self.config.namespace, self.config.name
        )
    }

    fn backend(&self, arm: Arm) -> Value {
        let service = match arm {
            Arm::Stable => &self.config.stable,
            Arm::Canary => &self.config.canary,
        };
        json!({ "name": service.name, "port": service.port })
    }

    fn weighted(&self, desired: &Desired, arm: Arm) -> Value {
        let mut backend = self.backend(arm);
        backend["weight"] = json!(desired.split.weight(arm));
        backend
    }

    /// The whole route, as it is applied.
    fn route(&self, desired: &Desired, mark: Option<&str>) -> Value {
        let mut rules = Vec::new();
        // Nothing is sent to a canary that has no instance, whatever the header says.
        let reaches = !desired.pools.canary.is_empty();
        if let Some(header) = self.config.header.as_ref().filter(|_| reaches) {
            rules.push(json!({
                "matches": [{
                    "headers": [{ "type": "Exact", "name": header.name, "value": header.value }],
                }],
                "backendRefs": [self.backend(Arm::Canary)],
            }));
        }
        let mut rule = json!({
            "backendRefs": [
                self.weighted(desired, Arm::Stable),
                self.weighted(desired, Arm::Canary),
            ],
        });
        if self.config.mirror && reaches {
            rule["filters"] = json!([{
                "type": "RequestMirror",
                "requestMirror": { "backendRef": self.backend(Arm::Canary) },
            }]);
        }
        rules.push(rule);
        let mut spec = json!({ "parentRefs": [{ "name": self.config.gateway }], "rules": rules });
        if !self.config.hostnames.is_empty() {
            spec["hostnames"] = json!(self.config.hostnames);
        }
        let mut metadata = json!({
            "name": self.config.name,
            "namespace": self.config.namespace,
            "annotations": {
                CHANGE: fence_label(desired.fence),
                PLAN: format!("{}", desired.plan),
            },
        });
        if let Some(mark) = mark {
            metadata["resourceVersion"] = json!(mark);
        }
        json!({
            "apiVersion": API_VERSION,
            "kind": "HTTPRoute",
            "metadata": metadata,
            "spec": spec,
        })
    }

    fn traffic_of(&self, spec: &Spec) -> Result<Traffic, RouterError> {
        let unfit = || unreadable("the HTTPRoute has other rules than are written here".into());
        let rule = spec.rules.last().ok_or_else(unfit)?;
        let weight = |service: &Service| {
            let mut backends = rule.backend_refs.iter();
            let backend = backends.find(|backend| backend.name == service.name)?;
            Some(backend.weight.unwrap_or(1))
        };
        let rules_max = 1 + usize::from(self.config.header.is_some());
        let weights = (weight(&self.config.stable), weight(&self.config.canary));
        let (Some(stable), Some(canary)) = weights else {
            return Err(unfit());
        };
        if spec.rules.len() > rules_max || rule.backend_refs.len() != 2 {
            return Err(unfit());
        }
        Ok(Traffic::of(stable, canary))
    }

    /// Whether the Gateway has taken this generation.
    fn accepted(&self, route: &HttpRoute) -> Result<bool, RouterError> {
        let of_ours = |parent: &&Parent| parent.parent_ref.name == self.config.gateway;
        let parents: Vec<&Parent> = route.status.parents.iter().filter(of_ours).collect();
        let mut accepted = !parents.is_empty();
        for parent in parents {
            for wanted in ["Accepted", "ResolvedRefs"] {
                let mut conditions = parent.conditions.iter();
                let current = conditions.find(|condition| {
                    condition.r#type == wanted
                        && condition.observed_generation == route.metadata.generation
                });
                match current {
                    Some(condition) if condition.status == "False" => {
                        return Err(RouterError::new(
                            RouterErrorKind::Failed,
                            format!(
                                "gateway {} says {wanted} is False: {}: {}",
                                self.config.gateway,
                                shown(&condition.reason),
                                shown(&condition.message)
                            ),
                        ));
                    }
                    Some(condition) => accepted &= condition.status == "True",
                    None => accepted = false,
                }
            }
        }
        Ok(accepted)
    }
}

impl Adapter for GatewayApi {
    fn dialect(&self) -> Dialect {
        Dialect::GatewayApi
    }

    fn abilities(&self) -> Abilities {
        Abilities {
            routes_headers: self.config.header.is_some(),
            mirrors: self.config.mirror,
            ..ABILITIES
        }
    }

    fn traffic(&self, desired: &Desired) -> Result<Traffic, RouterError> {
        self.check(desired)?;
        Ok(Traffic::of(
            desired.split.weight(Arm::Stable).into(),
            desired.split.weight(Arm::Canary).into(),
        ))
    }

    fn set(&self, desired: &Desired, mark: Option<&str>) -> Result<Vec<Operation>, RouterError> {
        self.check(desired)?;
        if let Some(mark) = mark {
            names::name("resource version", mark)?;
        }
        let body = serde_json::to_vec(&self.route(desired, mark));
        Ok(vec![Operation::Send {
            origin: self.config.api.clone(),
            request: Request {
                method: Method::Patch,
                path: format!(
                    "{}?fieldManager=nonevent&fieldValidation=Strict",
                    self.path()
                ),
                headers: vec![(
                    "content-type".to_owned(),
                    "application/apply-patch+yaml".to_owned(),
                )],
                body: body.expect("a JSON value is always JSON"),
            },
        }])
    }

    fn acknowledge(&self, _: &Operation, reply: &Reply) -> Result<(), RouterError> {
        answer(reply).map(drop)
    }

    fn read(&self) -> Vec<Operation> {
        vec![Operation::Send {
            origin: self.config.api.clone(),
            request: Request {
                method: Method::Get,
                path: self.path(),
                headers: vec![("accept".to_owned(), "application/json".to_owned())],
                body: Vec::new(),
            },
        }]
    }

    fn observe(&self, replies: &[Reply]) -> Result<Observed, RouterError> {
        let route: HttpRoute = answer(nth(replies, 0, "the route")?)?.json("the HTTPRoute")?;
        if route.kind != "HTTPRoute" {
            return Err(unreadable(format!(
                "`{}` is no HTTPRoute",
                shown(&route.kind)
            )));
        }
        let stored = self.traffic_of(&route.spec)?;
        let traffic = match self.accepted(&route)? {
            true => stored,
            false => Traffic::Untold,
        };
        let change = route.metadata.annotations.get(CHANGE);
        Ok(Observed {
            traffic,
            fence: change.and_then(|label| parse_fence(label)),
            mark: Some(route.metadata.resource_version),
            ..Observed::NOTHING
        })
    }

    fn commands(&self, desired: &Desired) -> Result<Vec<Command>, RouterError> {
        self.check(desired)?;
        let route = serde_json::to_string_pretty(&self.route(desired, None));
        let command = Command::new([
            "kubectl",
            "apply",
            "--server-side",
            "--field-manager=nonevent",
            "--filename=-",
        ]);
        Ok(vec![
            command.reading(route.expect("a JSON value is always JSON")),
        ])
    }

    fn read_commands(&self) -> Vec<Command> {
        let namespace = format!("--namespace={}", self.config.namespace);
        vec![Command::new([
            "kubectl",
            "get",
            "httproute",
            &self.config.name,
            &namespace,
            "--output=json",
        ])]
    }
}
