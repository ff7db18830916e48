//! The hands: carry out the machine's effects on a real router and a real fleet, and say what
//! stands there.
//!
//! The pools of the router follow the readiness of the instances: an instance is put in when it is
//! ready and warm, and taken out before it is stopped. An instance that shall go first drains: it
//! is stopped when the router holds nothing on it any more, or when its time is over.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use nonevent_document::{Digest, Timestamp};
use nonevent_rollout::{ArmSeen, Effect, FleetSeen, Input, RouterSeen, TaskVerdict};
use nonevent_router::{
    Arm, Backend, Counters, Desired, Fence, Pools, RouterErrorKind, Snapshot, Split,
};
use nonevent_strategy::{ConnectionPolicy, FleetPlan, Ways};
use tokio::task::JoinSet;

use crate::error::with_causes;
use crate::fleet::{Fleet, FleetState, Instance, InstanceId, InstanceState};
use crate::router_client::Router;

/// Time between being told to end and being killed, in milliseconds.
const STOP_GRACE_MS: u64 = 2_000;
/// The least time between two readings for "stood still" to mean anything, in milliseconds.
const QUIET_MS: i64 = 200;

/// What the hands saw last.
#[derive(Clone, Debug)]
pub struct Sight {
    /// When.
    pub at: Timestamp,
    /// The router.
    pub snapshot: Snapshot,
    /// The fleet.
    pub fleet: FleetState,
}

/// The hands on one router and one fleet.
pub struct Hands<R, F> {
    router: R,
    fleet: Arc<F>,
    plan: Digest,
    numbers: FleetPlan,
    epoch: u64,
    /// Orders the hands' own requests to the router; begins anew with each epoch.
    issued: u64,
    /// Instances that shall go, and since when.
    leaving: BTreeMap<InstanceId, Timestamp>,
    stopping: JoinSet<(InstanceId, Option<String>)>,
    being_stopped: Vec<InstanceId>,
    /// Instances that were found running by a controller that took over: they have been warm.
    found: Option<BTreeSet<InstanceId>>,
    quiet: Quiet,
    troubles: Vec<String>,
}

/// Since when the canary's counter has stood still.
#[derive(Clone, Debug, Default)]
struct Quiet {
    requests: Option<(String, u64)>,
    since: Option<Timestamp>,
}

impl<R: Router, F: Fleet + 'static> Hands<R, F> {
    /// Hands for the plan `plan`, which act in the name of `epoch`. What they find running at
    /// their first look is taken for warm.
    pub fn new(router: R, fleet: Arc<F>, plan: Digest, numbers: FleetPlan, epoch: u64) -> Self {
        Hands {
            router,
            fleet,
            plan,
            numbers,
            epoch,
            issued: 0,
            leaving: BTreeMap::new(),
            stopping: JoinSet::new(),
            being_stopped: Vec::new(),
            found: None,
            quiet: Quiet::default(),
            troubles: Vec::new(),
        }
    }

    /// What went wrong since it was asked last, in words.
    pub fn take_troubles(&mut self) -> Vec<String> {
        std::mem::take(&mut self.troubles)
    }

    /// The instances of `arm` that may be sent requests past the router.
    #[must_use]
    pub fn ready(&self, fleet: &FleetState, arm: Arm, now: Timestamp) -> Vec<Instance> {
        fleet
            .of(arm)
            .filter(|instance| self.is_warm(instance, now))
            .cloned()
            .collect()
    }

    /// Carries out one effect and reads back what came of it. Smoke suites, tasks and flags are not
    /// the hands'.
    pub async fn carry_out(&mut self, effect: Effect, now: Timestamp) -> Vec<Input> {
        match effect {
            Effect::Observe => match self.look(now).await {
                Ok(sight) => {
                    vec![
                        Input::Router(self.router_seen(&sight)),
                        self.fleet_input(&sight),
                    ]
                }
                Err(input) => vec![input],
            },
            Effect::Shift { split, ways } if ways.is_none() => vec![self.shift(split, now).await],
            // No rollout is begun that asks for this.
            Effect::Shift { .. } => vec![Input::RouterFailed],
            Effect::Scale { arm, count } => vec![self.scale(arm, count, now).await],
            Effect::Task { step } => {
                let verdict = TaskVerdict::Failed;
                vec![Input::Task { step, verdict }]
            }
            Effect::Withdraw { extra } => vec![Input::Withdrawn { extra, gone: false }],
            Effect::Smoke { .. } => Vec::new(),
        }
    }

    /// What router and fleet report, with nothing done about it; or what kept them from it.
    pub(crate) async fn report(&self) -> Result<(Snapshot, FleetState), String> {
        let fleet = self.fleet.observe().await;
        let fleet = fleet.map_err(|error| with_causes(&error))?;
        let snapshot = self.router.read().await;
        let snapshot = snapshot.map_err(|error| with_causes(&error))?;
        Ok((snapshot, fleet))
    }

    /// Reads router and fleet, keeps the pools in step, and lets go what has drained.
    ///
    /// # Errors
    /// The input that says what could not be read.
    pub async fn look(&mut self, now: Timestamp) -> Result<Sight, Input> {
        let fleet = self.fleet.observe().await.map_err(|error| {
            self.troubles.push(with_causes(&error));
            Input::FleetFailed
        })?;
        let running = || {
            fleet
                .instances
                .iter()
                .filter(|it| !it.has_exited())
                .map(|it| it.id)
        };
        self.found.get_or_insert_with(|| running().collect());
        let mut snapshot = self.read().await?;
        let pools = self.pools(&fleet, &snapshot.pools, now);
        if pools != snapshot.pools {
            // The split that the router has is kept: pools never move traffic between versions.
            let split = snapshot.split;
            if self.ask(split, pools).await {
                snapshot = self.read().await?;
            }
        }
        self.let_go(&snapshot, &fleet, now);
        self.reap();
        let sight = Sight {
            at: now,
            snapshot,
            fleet,
        };
        self.note_quiet(&sight);
        Ok(sight)
    }

    /// The router's counters now, if it answers.
    pub async fn counters(&mut self) -> Option<Counters> {
        self.router
            .read()
            .await
            .ok()
            .map(|snapshot| snapshot.counters)
    }

    /// What the machine is told about the router.
    #[must_use]
    pub fn router_seen(&self, sight: &Sight) -> RouterSeen {
        let canary = &sight.snapshot.counters.canary;
        let still = self
            .quiet
            .since
            .is_some_and(|since| sight.at.ms_since(since) >= QUIET_MS);
        let idle = canary.in_flight == 0 && canary.upgraded == 0;
        RouterSeen {
            split: sight.snapshot.split,
            ways: Ways::NONE,
            canary_quiet: still && idle,
        }
    }

    /// What the machine is told about the fleet.
    #[must_use]
    pub fn fleet_seen(&self, sight: &Sight) -> FleetSeen {
        let count = |arm: Arm| {
            let mut seen = ArmSeen::default();
            for instance in sight.fleet.of(arm) {
                if instance.has_exited() {
                    seen.failed += u16::from(!self.leaving.contains_key(&instance.id));
                    continue;
                }
                seen.present += 1;
                if !self.leaving.contains_key(&instance.id) {
                    seen.kept += 1;
                    seen.ready += u16::from(self.is_warm(instance, sight.at));
                }
            }
            seen
        };
        FleetSeen {
            stable: count(Arm::Stable),
            canary: count(Arm::Canary),
        }
    }

    fn fleet_input(&self, sight: &Sight) -> Input {
        Input::Fleet(self.fleet_seen(sight))
    }

    async fn read(&mut self) -> Result<Snapshot, Input> {
        self.router.read().await.map_err(|error| {
            self.troubles.push(with_causes(&error));
            Input::RouterFailed
        })
    }

    /// Whether the router acknowledged a state with this split and these pools.
    async fn ask(&mut self, split: Split, pools: Pools) -> bool {
        self.issued += 1;
        let fence = Fence {
            epoch: self.epoch,
            generation: self.issued,
        };
        let desired = Desired {
            split,
            pools,
            plan: self.plan,
            fence,
        };
        match self.router.apply(&desired).await {
            Ok(()) => true,
            Err(error) => {
                let superseded = error.kind() == RouterErrorKind::Stale;
                let hint = if superseded {
                    " (somebody else took over)"
                } else {
                    ""
                };
                self.troubles.push(format!("{}{hint}", with_causes(&error)));
                false
            }
        }
    }

    async fn shift(&mut self, split: Split, now: Timestamp) -> Input {
        self.quiet = Quiet::default();
        let Ok(fleet) = self.fleet.observe().await else {
            return Input::RouterFailed;
        };
        let Ok(snapshot) = self.read().await else {
            return Input::RouterFailed;
        };
        let pools = self.pools(&fleet, &snapshot.pools, now);
        if !self.ask(split, pools).await {
            return Input::RouterFailed;
        }
        match self.read().await {
            Ok(snapshot) => Input::Router(RouterSeen {
                split: snapshot.split,
                ways: Ways::NONE,
                canary_quiet: false,
            }),
            Err(input) => input,
        }
    }

    async fn scale(&mut self, arm: Arm, count: u16, now: Timestamp) -> Input {
        match self.try_scale(arm, count, now).await {
            Ok(()) => match self.look(now).await {
                Ok(sight) => self.fleet_input(&sight),
                Err(_) => Input::FleetFailed,
            },
            Err(trouble) => {
                self.troubles.push(trouble);
                Input::FleetFailed
            }
        }
    }

    async fn try_scale(&mut self, arm: Arm, count: u16, now: Timestamp) -> Result<(), String> {
        let state = self
            .fleet
            .observe()
            .await
            .map_err(|error| with_causes(&error))?;
        for instance in state.of(arm).filter(|instance| instance.has_exited()) {
            let id = instance.id;
            self.leaving.remove(&id);
            self.fleet
                .forget(id)
                .await
                .map_err(|error| with_causes(&error))?;
        }
        let alive: Vec<&Instance> = state.of(arm).filter(|it| !it.has_exited()).collect();
        let kept = |hands: &Self| {
            alive
                .iter()
                .filter(|it| !hands.leaving.contains_key(&it.id))
                .count()
        };
        // Those that were to go and have not been told yet may as well stay.
        for instance in &alive {
            if kept(self) < usize::from(count) && !self.being_stopped.contains(&instance.id) {
                self.leaving.remove(&instance.id);
            }
        }
        let going = alive.len() - kept(self);
        if kept(self) < usize::from(count) {
            // The fleet counts what is going as well: it must not stand in for what shall stay.
            let wanted = u32::from(count) + u32::try_from(going).unwrap_or(u32::MAX);
            let _ = self
                .fleet
                .scale(arm, wanted)
                .await
                .map_err(|error| with_causes(&error))?;
            return Ok(());
        }
        let mut staying: Vec<&Instance> = alive
            .iter()
            .copied()
            .filter(|it| !self.leaving.contains_key(&it.id))
            .collect();
        // Those that are not ready go first, then the highest number.
        staying.sort_by_key(|it| (it.is_ready(), std::cmp::Reverse(it.id.number)));
        let surplus = staying.len() - usize::from(count);
        for instance in staying.into_iter().take(surplus) {
            self.leaving.insert(instance.id, now);
        }
        Ok(())
    }

    fn is_warm(&self, instance: &Instance, now: Timestamp) -> bool {
        let warm_up_ms = i64::try_from(self.numbers.warm_up_ms).unwrap_or(i64::MAX);
        let since = Timestamp::from_unix_ms(instance.since_unix_ms);
        let found = self
            .found
            .as_ref()
            .is_some_and(|found| found.contains(&instance.id));
        instance.is_ready()
            && !self.leaving.contains_key(&instance.id)
            && (found || now.ms_since(since) >= warm_up_ms)
    }

    /// The instances that may get requests. A pool is never emptied while it has instances that
    /// live: when all of them fail their health checks at once, refusing every request helps
    /// nobody.
    fn pools(&self, fleet: &FleetState, present: &Pools, now: Timestamp) -> Pools {
        let backend = |instance: &Instance| Backend {
            id: instance.id.to_string(),
            address: instance.address.to_string(),
        };
        let pool = |arm: Arm| -> Vec<Backend> {
            let ready = self.ready(fleet, arm, now);
            if !ready.is_empty() {
                return ready.iter().map(backend).collect();
            }
            let lives = |it: &&Instance| !it.has_exited() && !self.leaving.contains_key(&it.id);
            let living = fleet.of(arm).filter(lives).map(backend);
            living.filter(|it| present.of(arm).contains(it)).collect()
        };
        Pools {
            stable: pool(Arm::Stable),
            canary: pool(Arm::Canary),
        }
    }

    /// Stops what shall go and holds nothing any more, or has had its time.
    fn let_go(&mut self, snapshot: &Snapshot, fleet: &FleetState, now: Timestamp) {
        let drain_ms = i64::try_from(self.numbers.drain_ms).unwrap_or(i64::MAX);
        let at_once = self.numbers.connections == ConnectionPolicy::CloseAtOnce;
        let known = |id: &InstanceId| fleet.instances.iter().any(|it| it.id == *id);
        self.leaving.retain(|id, _| known(id));
        for (id, since) in &self.leaving {
            let name = id.to_string();
            let drained = snapshot.may_stop(id.arm, &name);
            let late = now.ms_since(*since) >= drain_ms;
            let out = snapshot
                .pools
                .of(id.arm)
                .iter()
                .all(|backend| backend.id != name);
            if !self.being_stopped.contains(id) && out && (drained || late || at_once) {
                let (fleet, id) = (Arc::clone(&self.fleet), *id);
                self.being_stopped.push(id);
                self.stopping.spawn(async move {
                    let stopped = fleet.stop(id, STOP_GRACE_MS).await;
                    (id, stopped.err().map(|error| with_causes(&error)))
                });
            }
        }
    }

    fn reap(&mut self) {
        while let Some(ended) = self.stopping.try_join_next() {
            let Ok((id, trouble)) = ended else { continue };
            self.being_stopped.retain(|other| *other != id);
            match trouble {
                None => {
                    self.leaving.remove(&id);
                }
                Some(trouble) => self.troubles.push(trouble),
            }
        }
    }

    fn note_quiet(&mut self, sight: &Sight) {
        let canary = &sight.snapshot.counters.canary;
        let now = (sight.snapshot.started.clone(), canary.requests);
        if self.quiet.requests.as_ref() != Some(&now) {
            self.quiet = Quiet {
                requests: Some(now),
                since: Some(sight.at),
            };
        }
    }
}

/// Why an instance is not what it should be, in words.
#[must_use]
pub fn trouble_of(instance: &Instance) -> Option<String> {
    match &instance.state {
        InstanceState::Ready | InstanceState::Starting { why: None } => None,
        InstanceState::Starting { why: Some(why) }
        | InstanceState::Unready { why }
        | InstanceState::Exited { why } => Some(format!("{}: {why}", instance.id)),
    }
}
