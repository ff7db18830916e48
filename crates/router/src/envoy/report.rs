//! Reading what Envoy's admin interface reports. Unknown members are ignored: the format is
//! Envoy's and grows.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use serde::Deserialize;

use super::{Envoy, FULL_WEIGHT, Traffic, shown, unreadable};
use crate::answers::parse_fence;
use crate::{Arm, Fence, Instance, RouterError, Tallies};

#[derive(Deserialize)]
pub(super) struct Runtime {
    #[serde(default)]
    entries: BTreeMap<String, Entry>,
}

#[derive(Deserialize)]
struct Entry {
    final_value: String,
}

impl Runtime {
    fn number(&self, key: &str) -> Result<Option<u64>, RouterError> {
        let Some(entry) = self.entries.get(key) else {
            return Ok(None);
        };
        entry.final_value.parse().map(Some).map_err(|_| {
            unreadable(format!(
                "Envoy's runtime value `{}` of {key} is no number",
                shown(&entry.final_value)
            ))
        })
    }
}

/// The traffic that the runtime says; untold if it has no weights, so that the route's own hold.
pub(super) fn runtime(
    envoy: &Envoy,
    runtime: &Runtime,
    prefix: &str,
    closed: Option<&str>,
) -> Result<Traffic, RouterError> {
    if let Some(key) = closed {
        match runtime.number(key)? {
            Some(100) => return Ok(Traffic::Closed),
            None | Some(0) => {}
            Some(other) => {
                return Err(unreadable(format!(
                    "{other} % of Envoy's traffic is closed"
                )));
            }
        }
    }
    let weight = |arm| runtime.number(&envoy.key(prefix, arm));
    match (weight(Arm::Stable)?, weight(Arm::Canary)?) {
        (None, None) => Ok(Traffic::Untold),
        (Some(stable), Some(canary)) => checked(stable, canary),
        _ => Err(unreadable(
            "Envoy's runtime has the weight of one version only".into(),
        )),
    }
}

fn checked(stable: u64, canary: u64) -> Result<Traffic, RouterError> {
    if stable.checked_add(canary) == Some(u64::from(FULL_WEIGHT)) {
        return Ok(Traffic::of(stable, canary));
    }
    Err(unreadable(format!(
        "Envoy's weights {stable} and {canary} do not sum to {FULL_WEIGHT}"
    )))
}

#[derive(Deserialize)]
pub(super) struct Dump {
    #[serde(default)]
    configs: Vec<Dynamic>,
}

#[derive(Deserialize)]
struct Dynamic {
    #[serde(default)]
    version_info: String,
    route_config: RouteConfig,
}

#[derive(Deserialize)]
struct RouteConfig {
    #[serde(default)]
    name: String,
    #[serde(default)]
    virtual_hosts: Vec<VirtualHost>,
}

#[derive(Deserialize)]
struct VirtualHost {
    #[serde(default)]
    routes: Vec<Route>,
}

#[derive(Deserialize)]
struct Route {
    route: Option<Action>,
    direct_response: Option<Direct>,
}

#[derive(Deserialize)]
struct Action {
    weighted_clusters: Option<Weighted>,
}

#[derive(Deserialize)]
struct Weighted {
    clusters: Vec<Cluster>,
}

#[derive(Deserialize)]
struct Cluster {
    name: String,
    /// Absent is none.
    #[serde(default)]
    weight: u64,
}

#[derive(Deserialize)]
struct Direct {
    status: u16,
}

/// The traffic of the route configuration of this name, and the change it was written by.
pub(super) fn routes(
    envoy: &Envoy,
    dump: &Dump,
    name: &str,
) -> Result<(Traffic, Option<Fence>), RouterError> {
    let mut found = dump.configs.iter();
    let Some(config) = found.find(|config| config.route_config.name == name) else {
        return Ok((Traffic::Untold, None));
    };
    let routes = || {
        let hosts = config.route_config.virtual_hosts.iter();
        hosts.flat_map(|host| &host.routes)
    };
    let fence = parse_fence(&config.version_info);
    let mut weighted =
        routes().filter_map(|route| route.route.as_ref()?.weighted_clusters.as_ref());
    let traffic = match (weighted.next(), weighted.next()) {
        (Some(weighted), None) => {
            let weight = |arm| {
                let mut clusters = weighted.clusters.iter();
                clusters
                    .find(|cluster| cluster.name == envoy.cluster(arm))
                    .map(|cluster| cluster.weight)
            };
            match (
                weight(Arm::Stable),
                weight(Arm::Canary),
                weighted.clusters.len(),
            ) {
                (Some(stable), Some(canary), 2) => checked(stable, canary)?,
                _ => {
                    return Err(unreadable("Envoy's route has other clusters".into()));
                }
            }
        }
        (None, _)
            if routes().count() == 1
                && routes().all(|route| {
                    let direct = route.direct_response.as_ref();
                    direct.is_some_and(|direct| direct.status == 503)
                }) =>
        {
            Traffic::Closed
        }
        _ => {
            return Err(unreadable(
                "Envoy's routes are not those that are written here".into(),
            ));
        }
    };
    Ok((traffic, fence))
}

#[derive(Deserialize)]
pub(super) struct Clusters {
    #[serde(default)]
    cluster_statuses: Vec<Status>,
}

#[derive(Deserialize)]
struct Status {
    name: String,
    #[serde(default)]
    host_statuses: Vec<Host>,
}

#[derive(Deserialize)]
struct Host {
    address: Address,
    #[serde(default)]
    stats: Vec<HostStat>,
}

#[derive(Deserialize)]
struct Address {
    socket_address: Option<SocketAddress>,
}

#[derive(Deserialize)]
struct SocketAddress {
    address: String,
    #[serde(default)]
    port_value: u32,
}

#[derive(Deserialize)]
struct HostStat {
    name: String,
    /// 64-bit numbers are strings in this JSON; absent if 0.
    value: Option<String>,
}

/// The instances of both clusters. A host that left its cluster is in none of them, whatever it
/// still holds.
pub(super) fn instances(envoy: &Envoy, clusters: Clusters) -> Result<Vec<Instance>, RouterError> {
    let mut instances = Vec::new();
    for status in clusters.cluster_statuses {
        let of = |arm: &Arm| envoy.cluster(*arm) == status.name;
        let Some(arm) = Arm::BOTH.into_iter().find(of) else {
            continue;
        };
        for host in status.host_statuses {
            let socket = host.address.socket_address.ok_or_else(|| {
                unreadable(format!(
                    "a host of Envoy's cluster {} has no IP address",
                    status.name
                ))
            })?;
            let active = host.stats.iter().find(|stat| stat.name == "rq_active");
            let in_flight = active.map(|stat| match &stat.value {
                None => Ok(0),
                Some(text) => text.parse().map_err(|_| {
                    unreadable(format!("Envoy's rq_active `{}` is no number", shown(text)))
                }),
            });
            let address = match socket.address.contains(':') {
                true => format!("[{}]:{}", socket.address, socket.port_value),
                false => format!("{}:{}", socket.address, socket.port_value),
            };
            instances.push(Instance {
                arm,
                address,
                takes: true,
                in_flight: in_flight.transpose()?,
            });
        }
    }
    instances.sort();
    Ok(instances)
}

#[derive(Deserialize)]
pub(super) struct Stats {
    stats: Vec<Stat>,
}

#[derive(Deserialize)]
struct Stat {
    /// Absent where histograms are reported.
    name: Option<String>,
    value: Option<u64>,
}

/// The counters of both clusters.
pub(super) fn tallies(envoy: &Envoy, stats: &Stats) -> Result<Tallies, RouterError> {
    let values: BTreeMap<&str, u64> = stats
        .stats
        .iter()
        .filter_map(|stat| Some((stat.name.as_deref()?, stat.value?)))
        .collect();
    let mut tallies = Tallies::default();
    for arm in Arm::BOTH {
        let cluster = envoy.cluster(arm);
        let value = |name: &str| {
            let name = format!("cluster.{cluster}.upstream_{name}");
            values.get(name.as_str()).copied()
        };
        // These two exist as soon as the cluster does; the others with their first event.
        let (Some(total), Some(completed)) = (value("rq_total"), value("rq_completed")) else {
            return Err(unreadable(format!(
                "Envoy counts nothing for cluster {cluster}"
            )));
        };
        let tally = tallies.of_mut(arm);
        // A request whose connection failed is completed, with 503, and not in the total.
        tally.requests = total.max(completed);
        tally.finished = completed;
        tally.errors = value("rq_5xx").unwrap_or(0);
        tally.lost = Some(value("cx_destroy_remote_with_active_rq").unwrap_or(0));
        tally.connect_failures = value("cx_connect_fail");
        tally.in_flight = value("rq_active");
    }
    Ok(tallies)
}
