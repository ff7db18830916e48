//! What the router can do of what the document asks.

use alloc::format;
use alloc::string::String;

use nonevent_document::format_duration_ms;

use super::Checker;
use crate::deployment::Strategy;
use crate::rules;

const ROUTERS: [&str; 7] = [
    "haproxy",
    "nginx",
    "envoy",
    "caddy",
    "traefik",
    "gateway-api",
    "embedded",
];
/// The target that switches a name.
const DNS: &str = "dns";

impl Checker<'_> {
    pub(super) fn target(&mut self) {
        let target = &self.deployment.target;
        match target.router.as_deref() {
            Some(DNS) => self.dns(),
            _ if target.dns_ttl_ms.is_some() => self.push(
                rules::ROUTER_CANNOT,
                "target.dns_ttl",
                String::from("only a switch by `dns` has a TTL"),
                "write `router: dns`, or take it out",
            ),
            Some(name) if ROUTERS.contains(&name) => {}
            Some(name) => self.push(
                rules::ROUTER_UNKNOWN,
                "target.router",
                format!("no router is called {name:?}"),
                "write haproxy, nginx, envoy, caddy, traefik, gateway-api, embedded or dns",
            ),
            None => {}
        }
    }

    fn dns(&mut self) {
        let deployment = self.deployment;
        let within_ms = deployment.rollback.within_ms;
        match deployment.target.dns_ttl_ms {
            None => self.push(
                rules::DNS_TTL_UNKNOWN,
                "target",
                String::from("how long the name's records are kept by resolvers is not said"),
                "add `dns_ttl`; 60s or less before a deployment",
            ),
            Some(ttl_ms) if ttl_ms > within_ms => self.push(
                rules::DNS_TTL,
                "target.dns_ttl",
                format!(
                    "resolvers may send users to the new version for {} after it was given up, more \
                     than {}",
                    format_duration_ms(ttl_ms),
                    format_duration_ms(within_ms)
                ),
                "lower the TTL before the deployment, to 60s or less",
            ),
            Some(_) => {}
        }
        let whole = match &deployment.strategy {
            Strategy::BlueGreen(blue_green) => blue_green.stages.is_empty(),
            Strategy::Recreate(_) => true,
            Strategy::Canary(_) | Strategy::Rolling(_) => false,
        };
        if !whole {
            self.push(
                rules::DNS_SPLIT,
                "target.router",
                String::from("a name sends shares of the traffic nowhere in particular"),
                "use blue-green without stages, or a router that divides requests",
            );
        }
    }
}
