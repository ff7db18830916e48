//! What the router can do of what the document asks.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use nonevent_document::format_duration_ms;
use nonevent_router::{Abilities, Ability, Dialect, Granularity, Split};

use super::{Checker, step_path};
use crate::capacity::weight_of_instances;
use crate::deployment::{Canary, CanaryScale, Deployment, SplitBy, Strategy};
use crate::planner::wanted_canary_count;
use crate::rules;

/// A share that instances make up may be off by so much, of 10 000, to be the one that is meant.
const ROUNDED_MAX: u16 = 100;
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
            Some(name) => match Dialect::by_name(name) {
                Some(dialect) => self.able(name, &dialect.abilities()),
                None => self.push(
                    rules::ROUTER_UNKNOWN,
                    "target.router",
                    format!("no router is called {name:?}"),
                    "write haproxy, nginx, envoy, caddy, traefik, gateway-api, embedded or dns",
                ),
            },
            None => self.able(Dialect::Embedded.name(), &Dialect::Embedded.abilities()),
        }
    }

    /// Everything that the document asks of a router, against what it can do: by its own word, or as
    /// it is usually configured.
    fn able(&mut self, name: &str, usual: &Abilities) {
        let abilities = *self.facts.router.as_ref().unwrap_or(usual);
        for (path, ability) in asked(self.deployment) {
            if !abilities.has(ability) {
                self.push(
                    rules::ROUTER_CANNOT,
                    &path,
                    format!("{name} cannot {ability}"),
                    "take it out, or name a router that can",
                );
            }
        }
        match abilities.granularity {
            Granularity::Instances => return self.shares_of_instances(name),
            Granularity::AllOrNothing => return,
            _ => {}
        }
        for (path, weight) in shares(self.deployment) {
            let Some(split) = Split::canary(weight) else {
                continue;
            };
            if !abilities.expresses(split) {
                let nearest = abilities.at_most(split);
                self.push(
                    rules::SHARE_COARSE,
                    &path,
                    format!("{name} cannot give exactly {split}; {nearest} is the most below it"),
                    "write a share that it can give",
                );
            }
        }
    }

    /// A router whose shares follow the number of instances gives each version what its instances
    /// make up of all: beside the whole stable fleet, which stays until the end.
    fn shares_of_instances(&mut self, name: &str) {
        if let Strategy::Canary(canary) = &self.deployment.strategy
            && canary.is_by_share()
        {
            // Stable gives up what the canary gets, and its shares are checked as such.
            return;
        }
        let replicas = self.deployment.fleet.replicas;
        for (path, weight, canaries) in counted_shares(self.deployment) {
            let given = weight_of_instances(canaries, canaries.saturating_add(replicas));
            let (Some(asked), Some(split)) = (Split::canary(weight), Split::canary(given)) else {
                continue;
            };
            let off = given.abs_diff(weight);
            if off == 0 {
                continue;
            }
            let message = format!(
                "{name} gives what the instances make up, and {canaries} beside {replicas} are \
                 {split}, not {asked}"
            );
            let (rule, help) = if off <= ROUNDED_MAX {
                (rules::SHARE_COARSE, "write the share that it gives")
            } else {
                (
                    rules::ROUTER_CANNOT,
                    "name a router that divides traffic by weights, or use rolling",
                )
            };
            self.push(rule, &path, message, help);
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

/// What the document asks of a router beside shares, with where it asks.
fn asked(deployment: &Deployment) -> Vec<(String, Ability)> {
    let mut asked = Vec::new();
    match &deployment.strategy {
        Strategy::Canary(canary) => {
            asked.push((String::from("strategy.canary"), Ability::Split));
            if !canary.is_by_share() {
                asked_besides(canary, &mut asked);
            }
        }
        Strategy::Recreate(_) => {
            asked.push((String::from("strategy.recreate"), Ability::Close));
        }
        Strategy::BlueGreen(blue_green) => {
            if !blue_green.stages.is_empty() {
                let path = String::from("strategy.blue_green.stages");
                asked.push((path, Ability::Split));
            }
        }
        Strategy::Rolling(_) => asked.push((String::from("strategy.rolling"), Ability::Split)),
    }
    asked
}

/// What a canary behind a router asks of it; one by instance share asks for nothing.
fn asked_besides(canary: &Canary, asked: &mut Vec<(String, Ability)>) {
    if canary.split_by != SplitBy::Request {
        let path = String::from("strategy.canary.split_by");
        asked.push((path, Ability::Stickiness));
    }
    for (index, step) in canary.steps.iter().enumerate() {
        if !step.chosen.is_empty() {
            asked.push((step_path(index, "chosen"), Ability::RouteHeaders));
        }
        if step.mirror.is_some() {
            asked.push((step_path(index, "mirror"), Ability::Mirror));
        }
    }
}

/// The shares that the document names, with where it does.
fn shares(deployment: &Deployment) -> Vec<(String, u16)> {
    match &deployment.strategy {
        Strategy::Canary(canary) => {
            let steps = canary.steps.iter().enumerate();
            // By instance share no router is asked for one.
            let routed = steps.filter(|(_, step)| step.scale != CanaryScale::ByShare);
            let shares = routed
                .map(|(index, step)| (step_path(index, "traffic"), step.traffic.basis_points()));
            shares.collect()
        }
        Strategy::BlueGreen(blue_green) => {
            let stages = blue_green.stages.iter().enumerate();
            let shares = stages.map(|(index, stage)| {
                let path = format!("strategy.blue_green.stages[{index}].traffic");
                (path, stage.traffic.basis_points())
            });
            shares.collect()
        }
        Strategy::Rolling(_) | Strategy::Recreate(_) => Vec::new(),
    }
}

/// The shares above nothing that the document names, with where it does, and the new version's
/// instances by then.
fn counted_shares(deployment: &Deployment) -> Vec<(String, u16, u32)> {
    let shares = shares(deployment).into_iter();
    let mut most = 0;
    let counted = shares.enumerate().map(|(index, (path, weight))| {
        let count = match &deployment.strategy {
            Strategy::Canary(canary) => canary
                .steps
                .get(index)
                .map_or(0, |step| wanted_canary_count(deployment, step)),
            _ => deployment.fleet.replicas,
        };
        // Canary instances do not get fewer from step to step.
        most = most.max(count);
        (path, weight, most)
    });
    counted.filter(|(_, weight, _)| *weight > 0).collect()
}
