//! The dialect of Caddy: its admin API, on a `reverse_proxy` handler with an `@id` and the
//! selection policy `weighted_round_robin`.
//!
//! | ask | answer |
//! |---|---|
//! | `GET /id/ID/load_balancing/selection_policy/weights` | an array of numbers, with an `Etag` |
//! | `PATCH` the same, with `If-Match` | 200 with no content; 412 if it was changed since |
//! | `GET /id/ID/upstreams` | the addresses, in the order of the weights |
//! | `GET /reverse_proxy/upstreams` | requests in flight by address |
//!
//! Weights are exact and as small as they can be, for Caddy serves them in runs: of 19 : 1 it
//! sends nineteen requests in a row to one and then one to the other, so that a split is true
//! only over a whole run of the sum of the weights.
//!
//! What to know: the entity tag is a digest of the weights, not a number that grows, so a
//! controller whose own last weights are in force again is not told that others acted in between.
//! All weights 0 are refused with 500 and nothing changes, so the router cannot be closed. A change
//! loads the whole configuration anew and keeps connections, but by default closes upgraded ones
//! (`stream_close_delay`). It outlives a restart only with `caddy run --resume`. Which instance is
//! at which place is the configuration's matter ([`Config::slots`]) and checked when read back.
//! An instance that has no request yet is missing from the list of those in flight.

use alloc::borrow::ToOwned;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use serde::Deserialize;

use crate::answers::{answer, any_answer, nth, said_no, unreadable};
use crate::names::{self, refused};
use crate::weights::{self, PerInstance};
use crate::{
    Abilities, Adapter, Arm, Desired, Dialect, FULL_WEIGHT, Fencing, Granularity, Instance, Method,
    Observed, Operation, ReadBack, Reply, Request, RouterError, RouterErrorKind, Stickiness,
    Traffic,
};

/// The most instances that are configured here.
pub const SLOTS_MAX: usize = 2_000;

/// The longest entity tag, in bytes.
pub const MARK_BYTES_MAX: usize = 1_024;

/// What Caddy can do.
pub const ABILITIES: Abilities = Abilities {
    granularity: Granularity::Parts(FULL_WEIGHT),
    read_back: ReadBack::State,
    fencing: Fencing::Compare,
    stickiness: Stickiness::None,
    closes: false,
    counts: false,
    reports_draining: true,
    survives_restart: false,
    survives_reload: false,
    sets_pools: true,
    routes_headers: false,
    mirrors: false,
    ends_sessions: false,
};

/// One upstream of the handler.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Slot {
    /// The version.
    pub arm: Arm,
    /// `host:port`, as the configuration dials it.
    pub address: String,
}

/// The names that this dialect needs.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Config {
    /// The admin API: scheme, host and port, such as `http://127.0.0.1:2019`.
    pub admin: String,
    /// The handler's `@id`.
    pub id: String,
    /// The handler's upstreams, in their order.
    pub slots: Vec<Slot>,
}

/// Caddy, configured.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Caddy {
    config: Config,
}

#[derive(Deserialize)]
struct Dial {
    dial: String,
}

#[derive(Deserialize)]
struct InFlight {
    address: String,
    num_requests: u64,
}

impl Caddy {
    /// Checks the names.
    ///
    /// # Errors
    ///
    /// [`RouterErrorKind::Refused`] if a name could be read as more than a name, or an address
    /// occurs twice.
    pub fn new(config: Config) -> Result<Caddy, RouterError> {
        names::origin("admin", &config.admin)?;
        names::name("id", &config.id)?;
        if config.slots.len() > SLOTS_MAX {
            return Err(refused(format!("more than {SLOTS_MAX} upstreams")));
        }
        let mut seen = BTreeSet::new();
        for slot in &config.slots {
            if !seen.insert(names::address(&slot.address)?) {
                return Err(refused(format!("upstream {} occurs twice", slot.address)));
            }
        }
        Ok(Caddy { config })
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

    fn weights_path(&self) -> String {
        let id = &self.config.id;
        format!("/id/{id}/load_balancing/selection_policy/weights")
    }

    fn weights(&self, desired: &Desired) -> Result<PerInstance, RouterError> {
        weights::check(desired)?;
        if desired.split.is_closed() {
            return Err(refused(
                "Caddy cannot be closed: it refuses weights that are all 0".into(),
            ));
        }
        for arm in Arm::BOTH {
            for backend in desired.pools.of(arm) {
                let known = |slot: &Slot| slot.arm == arm && slot.address == backend.address;
                if !self.config.slots.iter().any(known) {
                    return Err(refused(format!(
                        "Caddy has no upstream {} for instance `{}` of {arm}",
                        backend.address, backend.id
                    )));
                }
            }
        }
        Ok(weights::exact(desired))
    }
}

impl Adapter for Caddy {
    fn dialect(&self) -> Dialect {
        Dialect::Caddy
    }

    fn abilities(&self) -> Abilities {
        ABILITIES
    }

    fn traffic(&self, desired: &Desired) -> Result<Traffic, RouterError> {
        Ok(self.weights(desired)?.traffic(desired))
    }

    fn set(&self, desired: &Desired, mark: Option<&str>) -> Result<Vec<Operation>, RouterError> {
        let weights = self.weights(desired)?;
        let values: Vec<u64> = self
            .config
            .slots
            .iter()
            .map(|slot| {
                let mut pool = desired.pools.of(slot.arm).iter();
                match pool.any(|backend| backend.address == slot.address) {
                    true => weights.of(slot.arm),
                    false => 0,
                }
            })
            .collect();
        let mut headers = vec![("content-type".to_owned(), "application/json".to_owned())];
        if let Some(mark) = mark {
            let fits = |c: char| c.is_ascii_graphic() || c == ' ';
            if mark.len() > MARK_BYTES_MAX || !mark.chars().all(fits) {
                return Err(refused("the mark is no entity tag".into()));
            }
            headers.push(("if-match".to_owned(), mark.to_owned()));
        }
        let body = serde_json::to_vec(&values).expect("numbers are always JSON");
        Ok(vec![Operation::Send {
            origin: self.config.admin.clone(),
            request: Request {
                method: Method::Patch,
                path: self.weights_path(),
                headers,
                body,
            },
        }])
    }

    fn acknowledge(&self, _: &Operation, reply: &Reply) -> Result<(), RouterError> {
        let answered = any_answer(reply)?;
        // Caddy says 500 to a configuration that it cannot load, and keeps the one it has.
        if answered.status == 500
            && answered
                .body
                .starts_with(br#"{"error":"loading new config"#)
        {
            return Err(said_no(RouterErrorKind::Refused, 500, answered.body));
        }
        answer(reply).map(drop)
    }

    fn read(&self) -> Vec<Operation> {
        let id = &self.config.id;
        vec![
            self.send(Method::Get, &self.weights_path()),
            self.send(Method::Get, &format!("/id/{id}/upstreams")),
            self.send(Method::Get, "/reverse_proxy/upstreams"),
        ]
    }

    fn observe(&self, replies: &[Reply]) -> Result<Observed, RouterError> {
        let slots = &self.config.slots;
        let answered = answer(nth(replies, 0, "the weights")?)?;
        let weights: Vec<u64> = answered.json("Caddy's weights")?;
        let upstreams: Vec<Dial> = answer(nth(replies, 1, "the upstreams")?)?.json("upstreams")?;
        let in_place = |(dial, slot): (&Dial, &Slot)| dial.dial == slot.address;
        if weights.len() != slots.len()
            || upstreams.len() != slots.len()
            || !upstreams.iter().zip(slots).all(in_place)
        {
            return Err(unreadable(format!(
                "Caddy has {} weights for {} upstreams; {} other upstreams or another order were expected",
                weights.len(),
                upstreams.len(),
                slots.len()
            )));
        }
        let in_flight: Vec<InFlight> = answer(nth(replies, 2, "requests in flight")?)?
            .json("Caddy's list of requests in flight")?;
        let held: BTreeMap<&str, u64> = in_flight
            .iter()
            .map(|upstream| (upstream.address.as_str(), upstream.num_requests))
            .collect();
        let mut totals = [0u64; 2];
        let mut instances = Vec::new();
        for (slot, weight) in slots.iter().zip(&weights) {
            let total = &mut totals[slot.arm.index()];
            *total = total.saturating_add(*weight);
            instances.push(Instance {
                arm: slot.arm,
                address: slot.address.clone(),
                takes: *weight > 0,
                in_flight: Some(held.get(slot.address.as_str()).copied().unwrap_or(0)),
            });
        }
        instances.sort();
        Ok(Observed {
            traffic: Traffic::of(totals[0], totals[1]),
            instances: Some(instances),
            mark: answered.header("etag").map(ToOwned::to_owned),
            ..Observed::NOTHING
        })
    }
}
