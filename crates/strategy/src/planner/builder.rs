//! The steps of each strategy, in their order.

mod canary;

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use nonevent_router::{Arm, FULL_WEIGHT, Split};

use super::file_ref;
use crate::capacity::{Batch, rolling_limits};
use crate::check::Facts;
use crate::deployment::{
    BlueGreen, Deployment, Judged, Moment, Partition, Recreate, Rolling, Strategy,
};
use crate::plan::{Action, FileRef, SmokeTarget, SuiteMoment, Task, WatchKind};

pub(super) struct Builder<'a> {
    deployment: &'a Deployment,
    facts: &'a Facts,
    actions: Vec<(String, Action)>,
    /// Every id taken, with the number of its last copy.
    ids: BTreeMap<String, u32>,
    /// Suites that steps name.
    others: Vec<String>,
}

impl<'a> Builder<'a> {
    pub(super) const fn new(deployment: &'a Deployment, facts: &'a Facts) -> Self {
        Builder {
            deployment,
            facts,
            actions: Vec::new(),
            ids: BTreeMap::new(),
            others: Vec::new(),
        }
    }

    /// The steps with their ids, and the suites that they name.
    pub(super) fn finish(self) -> (Vec<(String, Action)>, Vec<String>) {
        (self.actions, self.others)
    }

    pub(super) fn build(&mut self) {
        self.smoke("smoke-before", SmokeTarget::Router, SuiteMoment::Before);
        self.tasks(Moment::BeforeTraffic);
        match &self.deployment.strategy {
            Strategy::Canary(canary) => self.canary(canary),
            Strategy::BlueGreen(blue_green) => self.blue_green(blue_green),
            Strategy::Rolling(rolling) => self.rolling(rolling),
            Strategy::Recreate(recreate) => self.recreate(recreate),
        }
        self.tasks(Moment::AtEnd);
        self.flags();
    }

    fn push(&mut self, id: &str, action: Action) {
        let id = &slug(id);
        let mut unique = id.clone();
        if let Some(copy) = self.ids.get(id) {
            let mut copy = copy + 1;
            unique = format!("{id}-{copy}");
            while self.ids.contains_key(&unique) {
                copy += 1;
                unique = format!("{id}-{copy}");
            }
            self.ids.insert(id.clone(), copy);
        }
        self.ids.insert(unique.clone(), 1);
        self.actions.push((unique, action));
    }

    fn smoke(&mut self, id: &str, target: SmokeTarget, suite: SuiteMoment) {
        self.push(id, Action::Smoke { target, suite });
    }

    /// A suite that a step names, run on the canary.
    fn smoke_named(&mut self, name: &str) {
        let known = self.others.iter().position(|other| other == name);
        let index = known.unwrap_or_else(|| {
            self.others.push(name.to_string());
            self.others.len() - 1
        });
        let suite = SuiteMoment::Other(u16::try_from(index).unwrap_or(u16::MAX));
        self.smoke("smoke-step", SmokeTarget::Canary, suite);
    }

    fn scale(&mut self, arm: Arm, count: u32) {
        self.push(
            &format!("scale-{arm}-{count}"),
            Action::Scale { arm, count },
        );
    }

    fn shift(&mut self, split: Split) {
        let id = match split {
            Split::Closed => String::from("close"),
            Split::Open { .. } => {
                let weight = split.weight(Arm::Canary);
                match weight % 100 {
                    0 => format!("traffic-{}", weight / 100),
                    part => format!("traffic-{}-{part:02}", weight / 100),
                }
            }
        };
        self.push(&id, Action::Shift { split });
    }

    fn watch(&mut self, kind: WatchKind, for_ms: u64, judged: &Judged) {
        if for_ms == 0 {
            return;
        }
        let id = match kind {
            WatchKind::Baseline => "baseline",
            WatchKind::Pause => "pause",
            WatchKind::Bake => "bake",
            WatchKind::Keep => "keep-old",
        };
        let analyse = self.deployment.analysis_of(judged).is_some();
        let analysis = match judged {
            Judged::Named(name) if analyse => Some(name.clone()),
            _ => None,
        };
        self.push(
            id,
            Action::Watch {
                kind,
                for_ms,
                analyse,
                analysis,
            },
        );
    }

    fn approve(&mut self, approval: Option<&String>) {
        if let Some(approval) = approval {
            self.push(
                &format!("approve-{approval}"),
                Action::Task(Task::Approve {
                    approval: approval.clone(),
                }),
            );
        }
    }

    /// Migrations, then what people do.
    fn tasks(&mut self, moment: Moment) {
        let deployment = self.deployment;
        for migration in &deployment.migrations {
            if migration.moment == moment {
                let task = Task::Migrate {
                    name: migration.name.clone(),
                    migration: migration.kind,
                    reversible: migration.reversible,
                    how: migration.how.clone(),
                    owner: migration.owner.clone(),
                    within_ms: migration.within_ms,
                };
                self.push(&format!("migrate-{}", migration.name), Action::Task(task));
            }
        }
        for manual in &deployment.manual {
            if manual.moment == moment {
                let task = Task::Manual {
                    name: manual.name.clone(),
                    how: manual.how.clone(),
                    expect: manual.expect.clone(),
                    owner: manual.owner.clone(),
                    within_ms: manual.within_ms,
                };
                self.push(&format!("manual-{}", manual.name), Action::Task(task));
            }
        }
    }

    /// Time to learn what is normal, at least so long: the warm-up and five looks at figures that
    /// are from then on, however late.
    fn baseline(&mut self, least_ms: u64) {
        let analysis = self.deployment.analysis.as_ref();
        let looks_ms = analysis.map_or(0, |analysis| {
            let looks_ms = analysis.every_ms.saturating_mul(5);
            let late_ms = analysis.late_ms().saturating_add(analysis.window_ms);
            let looks_ms = looks_ms.saturating_add(late_ms);
            looks_ms.saturating_add(analysis.warm_up_ms)
        });
        self.watch(
            WatchKind::Baseline,
            looks_ms.max(least_ms),
            &Judged::Unjudged,
        );
    }

    fn blue_green(&mut self, blue_green: &BlueGreen) {
        self.scale(Arm::Canary, self.deployment.fleet.replicas);
        self.smoke("smoke-preview", SmokeTarget::Canary, SuiteMoment::Canary);
        self.baseline(blue_green.preview_ms);
        self.approve(blue_green.approval.as_ref());
        for stage in &blue_green.stages {
            self.shift(Split::canary(stage.traffic.basis_points()).unwrap_or(Split::CANARY));
            self.watch(WatchKind::Pause, stage.pause_ms, &Judged::Default);
        }
        self.shift(Split::CANARY);
        self.smoke("smoke-after", SmokeTarget::Router, SuiteMoment::After);
        self.watch(WatchKind::Bake, blue_green.bake_ms, &Judged::Default);
        self.tasks(Moment::AfterBake);
        let kept_ms = blue_green
            .scale_down_delay_ms
            .saturating_sub(blue_green.bake_ms);
        self.watch(WatchKind::Keep, kept_ms, &Judged::Unjudged);
        self.scale(Arm::Stable, 0);
    }

    fn rolling(&mut self, rolling: &Rolling) {
        let replicas = self.deployment.fleet.replicas;
        let limits = rolling_limits(
            rolling.max_surge.of_ceil(replicas),
            rolling.max_unavailable.of_floor(replicas),
        );
        let mut at = Batch {
            new: 0,
            old: replicas,
        };
        let mut bake_ms = rolling.watch_ms;
        let stops = stops(rolling, &self.deployment.fleet);
        if rolling.pause_ms == 0 && stops.iter().all(|stop| stop.pause_ms == 0) {
            // Nothing is watched while both versions serve: what is normal is learnt before.
            self.baseline(0);
        }
        for stop in stops {
            while at.new < stop.upto || at.old > replicas - stop.upto {
                let next = at.next(replicas, limits, stop.upto);
                if next == at {
                    // Both limits 0: `rolling_limits` never gives this.
                    break;
                }
                self.batch(rolling, at, next);
                at = next;
            }
            if stop.upto < replicas {
                self.watch(WatchKind::Pause, stop.pause_ms, &Judged::Default);
                self.approve(stop.approval.as_ref());
            } else {
                bake_ms = bake_ms.max(stop.pause_ms);
            }
        }
        self.smoke("smoke-after", SmokeTarget::Router, SuiteMoment::After);
        self.watch(WatchKind::Bake, bake_ms, &Judged::Default);
        self.tasks(Moment::AfterBake);
    }

    fn batch(&mut self, rolling: &Rolling, before: Batch, batch: Batch) {
        let weight = self.grow(before, batch);
        if batch.new > before.new || weight != before.weight() {
            let judged = match weight {
                FULL_WEIGHT => Judged::Unjudged,
                _ => Judged::Default,
            };
            self.watch(WatchKind::Pause, rolling.pause_ms, &judged);
        }
        self.shrink(before, batch);
    }

    /// The first half of a batch: new instances, tested if they are the first, and the share of the
    /// traffic that the batch leads to, which is returned.
    fn grow(&mut self, before: Batch, batch: Batch) -> u16 {
        if batch.new > before.new {
            self.scale(Arm::Canary, batch.new);
            if before.new == 0 {
                self.smoke("smoke-canary", SmokeTarget::Canary, SuiteMoment::Canary);
            }
        }
        // After a wave there may be no room to grow; traffic moves all the same before old
        // instances go.
        let weight = batch.weight();
        if weight != before.weight() {
            self.shift(Split::canary(weight).unwrap_or(Split::CANARY));
        }
        weight
    }

    /// The second half of a batch: old instances go.
    fn shrink(&mut self, before: Batch, batch: Batch) {
        if batch.old < before.old {
            self.scale(Arm::Stable, batch.old);
        }
    }

    fn recreate(&mut self, recreate: &Recreate) {
        self.baseline(0);
        self.shift(Split::Closed);
        self.scale(Arm::Stable, 0);
        self.scale(Arm::Canary, self.deployment.fleet.replicas);
        self.smoke("smoke-new", SmokeTarget::Canary, SuiteMoment::Canary);
        self.shift(Split::CANARY);
        self.smoke("smoke-after", SmokeTarget::Router, SuiteMoment::After);
        self.watch(WatchKind::Bake, recreate.watch_ms, &Judged::Default);
        self.tasks(Moment::AfterBake);
    }

    fn flags(&mut self) {
        let (deployment, facts) = (self.deployment, self.facts);
        // Several flags may live in one file: the next begins where the one before ended.
        let mut files: BTreeMap<&str, FileRef> = BTreeMap::new();
        for flag in &deployment.flags {
            let stands = files.entry(&flag.file);
            let stands = stands.or_insert_with(|| file_ref(&flag.file, facts));
            for stage in &flag.stages {
                self.approve(stage.approval.as_ref());
                let content = file_ref(&stage.content, facts);
                let task = Task::Flag {
                    flag: flag.flag.clone(),
                    stage: stage.name.clone(),
                    before: core::mem::replace(stands, content.clone()),
                    after: content,
                };
                let id = format!("flag-{}-{}", flag.flag, stage.name);
                self.push(&id, Action::Task(task));
                self.watch(WatchKind::Pause, stage.pause_ms, &Judged::Default);
            }
        }
    }
}

/// An id of lower-case letters, digits and single hyphens, whatever a name in it holds.
fn slug(text: &str) -> String {
    let mut slug = String::with_capacity(text.len());
    for sign in text.chars().flat_map(char::to_lowercase) {
        if sign.is_alphanumeric() {
            slug.push(sign);
        } else if !slug.ends_with('-') {
            slug.push('-');
        }
    }
    slug.truncate(slug.trim_end_matches('-').len());
    slug
}

/// Where a rolling update stops to be watched.
struct Stop {
    /// New instances by then.
    upto: u32,
    pause_ms: u64,
    approval: Option<String>,
}

fn stops(rolling: &Rolling, fleet: &crate::deployment::Fleet) -> Vec<Stop> {
    let last = Stop {
        upto: fleet.replicas,
        pause_ms: 0,
        approval: None,
    };
    let mut stops: Vec<Stop> = match &rolling.partition {
        Partition::Whole => Vec::new(),
        Partition::Zones { pause_ms } => {
            let mut upto = 0u32;
            let zones = fleet.zones.values().map(|count| {
                upto = upto.saturating_add(*count).min(fleet.replicas);
                Stop {
                    upto,
                    pause_ms: *pause_ms,
                    approval: None,
                }
            });
            zones.collect()
        }
        Partition::Waves(waves) => waves
            .iter()
            .map(|wave| Stop {
                upto: wave.upto.of_ceil(fleet.replicas).min(fleet.replicas),
                pause_ms: wave.pause_ms,
                approval: wave.approval.clone(),
            })
            .collect(),
    };
    stops.push(last);
    stops
}
