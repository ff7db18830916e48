//! The files that Envoy watches, as JSON: routes and endpoints.

use alloc::string::String;
use alloc::vec::Vec;

use serde_json::{Value, json};

use super::{Config, HeaderRoute, Layout};
use crate::answers::fence_label;
use crate::names;
use crate::{Arm, Desired, RouterError, Split};

fn text(version: &str, resource: &Value) -> String {
    let file = json!({ "version_info": version, "resources": [resource] });
    let mut text = serde_json::to_string_pretty(&file).expect("a JSON value is always JSON");
    text.push('\n');
    text
}

/// A `DiscoveryResponse` with one `RouteConfiguration`.
pub(super) fn routes(config: &Config, desired: &Desired) -> String {
    let mut routes = Vec::new();
    let mut name = "";
    if let Layout::Routes {
        name: given,
        header,
        mirrored,
        ..
    } = &config.share
    {
        name = given;
        if desired.split.is_closed() {
            routes.push(json!({
                "match": { "prefix": "/" },
                "direct_response": { "status": 503 },
            }));
        } else {
            // Nothing is sent to a canary that has no instance, whatever the header says.
            let reaches = !desired.pools.canary.is_empty();
            let header = header.as_ref().filter(|_| reaches);
            routes.extend(header.map(|header| by_header(config, header)));
            let mirrored = if reaches { *mirrored } else { 0 };
            routes.push(json!({
                "match": { "prefix": "/" },
                "route": divided(config, desired.split, mirrored),
            }));
        }
    }
    text(
        &fence_label(desired.fence),
        &json!({
            "@type": "type.googleapis.com/envoy.config.route.v3.RouteConfiguration",
            "name": name,
            "virtual_hosts": [{ "name": name, "domains": ["*"], "routes": routes }],
        }),
    )
}

fn by_header(config: &Config, header: &HeaderRoute) -> Value {
    json!({
        "match": {
            "prefix": "/",
            "headers": [{ "name": header.name, "string_match": { "exact": header.value } }],
        },
        "route": { "cluster": config.canary },
    })
}

fn divided(config: &Config, split: Split, mirrored: u16) -> Value {
    let mut route = json!({
        "weighted_clusters": {
            "clusters": [
                { "name": config.stable, "weight": split.weight(Arm::Stable) },
                { "name": config.canary, "weight": split.weight(Arm::Canary) },
            ],
        },
    });
    if mirrored > 0 {
        route["request_mirror_policies"] = json!([{
            "cluster": config.canary,
            "runtime_fraction": {
                "default_value": { "numerator": mirrored, "denominator": "TEN_THOUSAND" },
            },
        }]);
    }
    route
}

/// A `DiscoveryResponse` with one `ClusterLoadAssignment`.
pub(super) fn endpoints(cluster: &str, desired: &Desired, arm: Arm) -> Result<String, RouterError> {
    let mut endpoints = Vec::new();
    for backend in desired.pools.of(arm) {
        let address = names::address(&backend.address)?;
        endpoints.push(json!({
            "endpoint": {
                "hostname": backend.id,
                "address": {
                    "socket_address": {
                        "address": address.ip(),
                        "port_value": address.port(),
                    },
                },
            },
        }));
    }
    Ok(text(
        &fence_label(desired.fence),
        &json!({
            "@type": "type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment",
            "cluster_name": cluster,
            "endpoints": [{ "lb_endpoints": endpoints }],
        }),
    ))
}
