//! Whether a plan fits the fleet that is there, asked before anything is done by it.

use nonevent_router::{Arm, Snapshot};
use nonevent_strategy::{Checked, FleetState, Misfit, Plan, diff, replan};

use crate::error::{DriverError, DriverErrorKind};
use crate::fleet::{self, Fleet, Instance};
use crate::hands::Hands;
use crate::router_client::Router;

/// Refuses a plan that does not begin where router and fleet say that they are: to be asked before
/// the first effect of a rollout. Nothing is changed by asking. If only the number of instances
/// differs, the refusal shows what a plan for the fleet as it is would change.
///
/// # Errors
/// [`DriverErrorKind::Misfit`] with every reason and what to do about each;
/// [`DriverErrorKind::Start`] if router or fleet cannot be seen.
pub async fn begins_on<R: Router, F: Fleet + 'static>(
    hands: &Hands<R, F>,
    checked: &Checked,
    plan: &Plan,
) -> Result<(), DriverError> {
    let (snapshot, fleet) = seen(hands).await?;
    refuse(checked, plan, &found(&snapshot, &fleet, &plan.release.from))
}

/// As [`begins_on`], before the present version is brought up: a fleet without any instance has
/// nothing yet that could differ.
pub(crate) async fn takes_over<R: Router, F: Fleet + 'static>(
    hands: &Hands<R, F>,
    checked: &Checked,
    plan: &Plan,
) -> Result<(), DriverError> {
    let (snapshot, fleet) = seen(hands).await?;
    if fleet.instances.iter().all(Instance::has_exited) {
        return Ok(());
    }
    refuse(checked, plan, &found(&snapshot, &fleet, &plan.release.from))
}

async fn seen<R: Router, F: Fleet + 'static>(
    hands: &Hands<R, F>,
) -> Result<(Snapshot, fleet::FleetState), DriverError> {
    hands.report().await.map_err(|text| {
        let text = format!("the fleet cannot be seen: {text}");
        DriverError::new(DriverErrorKind::Start, text)
    })
}

/// The fleet as a plan sees it: what runs, ready or not, since all of it takes its place. Of
/// instances of several versions in one arm, one that is not `from` is told.
fn found(snapshot: &Snapshot, fleet: &fleet::FleetState, from: &str) -> FleetState {
    let running = |arm| fleet.of(arm).filter(|it| !it.has_exited());
    let count = |arm| u32::try_from(running(arm).count()).unwrap_or(u32::MAX);
    let version = |arm| {
        let versions = running(arm).map(|it| &it.version);
        versions.max_by_key(|it| *it != from).cloned()
    };
    FleetState {
        stable: count(Arm::Stable),
        canary: count(Arm::Canary),
        split: Some(snapshot.split),
        stable_version: version(Arm::Stable),
        canary_version: version(Arm::Canary),
    }
}

fn refuse(checked: &Checked, plan: &Plan, found: &FleetState) -> Result<(), DriverError> {
    match plan.fits(found) {
        Ok(()) => Ok(()),
        Err(misfit) => Err(DriverError::new(
            DriverErrorKind::Misfit,
            refusal(checked, plan, found, &misfit),
        )),
    }
}

fn refusal(checked: &Checked, plan: &Plan, found: &FleetState, misfit: &Misfit) -> String {
    let text = format!("the plan does not fit the fleet that is there, nothing was done: {misfit}");
    if !misfit.can_replan() {
        return text;
    }
    match replan(checked, found, plan) {
        Ok(other) => format!("{text}\nplanned anew:\n{}", diff(plan, &other)),
        Err(cannot) if cannot == *misfit => text,
        Err(cannot) => format!("{text}; {cannot}"),
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};

    use nonevent_router::{Counters, Desired, Pools, RouterError, Split};
    use nonevent_strategy::{Deployment, Facts, StrategyKind, check, plan};

    use super::*;
    use crate::fleet::{FleetError, InstanceId, InstanceState, Scaled};

    /// A router that says what it has, and counts what it is told.
    struct Says(Split, Arc<AtomicU32>);

    impl Router for Says {
        async fn apply(&self, _: &Desired) -> Result<(), RouterError> {
            self.1.fetch_add(1, Ordering::SeqCst);
            Ok(())
        }

        async fn read(&self) -> Result<Snapshot, RouterError> {
            Ok(Snapshot {
                started: String::from("once"),
                listen: None,
                split: self.0,
                pools: Pools::default(),
                fence: None,
                unsaved: None,
                counters: Counters::default(),
                backends: Vec::new(),
            })
        }
    }

    /// A fleet that has these instances, and counts what is done to it.
    struct Has(Vec<Instance>, Arc<AtomicU32>);

    impl Has {
        fn acted(&self) {
            self.1.fetch_add(1, Ordering::SeqCst);
        }
    }

    impl Fleet for Has {
        async fn scale(&self, _: Arm, _: u32) -> Result<Scaled, FleetError> {
            self.acted();
            Ok(Scaled::default())
        }

        async fn surplus(&self, _: Arm, _: u32) -> Result<Vec<InstanceId>, FleetError> {
            Ok(Vec::new())
        }

        async fn stop(&self, _: InstanceId, _: u64) -> Result<(), FleetError> {
            self.acted();
            Ok(())
        }

        async fn forget(&self, _: InstanceId) -> Result<(), FleetError> {
            self.acted();
            Ok(())
        }

        async fn observe(&self) -> Result<fleet::FleetState, FleetError> {
            Ok(fleet::FleetState {
                instances: self.0.clone(),
            })
        }
    }

    fn instance(arm: Arm, number: u32, version: &str, state: InstanceState) -> Instance {
        Instance {
            id: InstanceId { arm, number },
            address: ([127, 0, 0, 1], 1).into(),
            pid: 0,
            version: String::from(version),
            state,
            since_unix_ms: 0,
            log: PathBuf::new(),
        }
    }

    fn stable(count: u32) -> Vec<Instance> {
        let one = |number| instance(Arm::Stable, number, "<previous>", InstanceState::Ready);
        (1..=count).map(one).collect()
    }

    /// What is said of a fleet to a plan for three instances, at the two moments.
    async fn told(split: Split, instances: Vec<Instance>) -> (String, String) {
        let deployment = Deployment::default_for(StrategyKind::Rolling);
        let checked = check(deployment, Facts::default(), None).unwrap();
        let plan = plan(&checked);
        let acts = Arc::new(AtomicU32::new(0));
        let hands = Hands::new(
            Says(split, Arc::clone(&acts)),
            Arc::new(Has(instances, Arc::clone(&acts))),
            plan.digest().unwrap(),
            plan.fleet.clone(),
            1,
        );
        let text = |answer: Result<(), DriverError>| match answer {
            Ok(()) => String::new(),
            Err(error) => {
                assert_eq!(error.kind(), DriverErrorKind::Misfit);
                error.to_string()
            }
        };
        let over = text(takes_over(&hands, &checked, &plan).await);
        let begins = text(begins_on(&hands, &checked, &plan).await);
        assert_eq!(acts.load(Ordering::SeqCst), 0, "something was done");
        (over, begins)
    }

    #[tokio::test]
    async fn a_fleet_as_planned_is_begun_on() {
        let (over, begins) = told(Split::STABLE, stable(3)).await;
        assert_eq!((over.as_str(), begins.as_str()), ("", ""));
        let exited = InstanceState::Exited {
            why: String::from("it ended"),
        };
        let mut instances = stable(3);
        instances.push(instance(Arm::Stable, 4, "<previous>", exited));
        assert_eq!(told(Split::STABLE, instances).await.1, "");
    }

    #[tokio::test]
    async fn another_count_is_refused_with_the_plan_that_fits() {
        let (over, begins) = told(Split::STABLE, stable(5)).await;
        assert_eq!(over, begins);
        assert!(begins.contains("5 instances found"), "{begins}");
        let (_, anew) = begins.split_once("planned anew:\n").unwrap();
        assert!(anew.contains('5'), "{anew}");
    }

    #[tokio::test]
    async fn what_no_plan_begins_on_is_refused_with_what_to_do() {
        let mut leftover = stable(3);
        leftover.push(instance(Arm::Canary, 1, "<release>", InstanceState::Ready));
        let mut other = stable(2);
        other.push(instance(Arm::Stable, 3, "0.9", InstanceState::Ready));
        let half = Split::canary(5_000).unwrap();
        for (split, instances, part) in [
            (Split::STABLE, leftover, "\"<release>\""),
            (Split::STABLE, other, "\"0.9\" serves"),
            (half, stable(3), "goes to the new version already"),
        ] {
            let (over, begins) = told(split, instances).await;
            assert_eq!(over, begins);
            assert!(begins.contains(part), "{begins}");
            assert!(!begins.contains("planned anew"), "{begins}");
        }
    }

    #[tokio::test]
    async fn an_empty_fleet_may_be_brought_up_and_not_begun_on() {
        let (over, begins) = told(Split::STABLE, Vec::new()).await;
        assert_eq!(over, "");
        assert!(begins.contains("no stable instance"), "{begins}");
    }
}
