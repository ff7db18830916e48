//! Names: that what a step names is defined, what is defined is used, and no two are the same.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use nonevent_document::member_path;

use super::Checker;
use crate::deployment::{Deployment, Judged, Partition, Strategy};
use crate::rules;

/// Where the document names something, and the name.
type Named<'a> = (String, &'a str);

impl Checker<'_> {
    pub(super) fn references(&mut self) {
        let deployment = self.deployment;
        let approvals = approvals_asked(deployment);
        let analyses = analyses_asked(deployment);
        self.resolved("approval", &approvals, &deployment.approvals, "approvals");
        self.resolved("analysis", &analyses, &deployment.analyses, "analyses");
        for (name, approval) in &deployment.approvals {
            if !deployment.roles.contains_key(&approval.role) {
                self.push(
                    rules::UNKNOWN_NAME,
                    &format!("{}.role", member_path("approvals", name)),
                    format!("no role is called {:?}", approval.role),
                    "add it to `roles`, with the people who hold it",
                );
            }
        }
        self.twice();
    }

    /// Every name that is asked for is defined, and the other way round.
    fn resolved<T>(
        &mut self,
        kind: &str,
        asked: &[Named<'_>],
        defined: &BTreeMap<String, T>,
        section: &str,
    ) {
        for (path, name) in asked {
            if !defined.contains_key(*name) {
                self.push(
                    rules::UNKNOWN_NAME,
                    path,
                    format!("no {kind} is called {name:?}"),
                    &format!("add it to `{section}`, or name one that is there"),
                );
            }
        }
        for name in defined.keys() {
            if !asked.iter().any(|(_, other)| other == name) {
                self.push(
                    rules::UNUSED_NAME,
                    &member_path(section, name),
                    format!("no step names the {kind} {name:?}"),
                    "name it where it is meant, or take it out",
                );
            }
        }
    }

    /// No two migrations, steps by hand, flags or stages of one name.
    fn twice(&mut self) {
        let deployment = self.deployment;
        let migrations = deployment.migrations.iter().map(|it| it.name.as_str());
        self.unique("migrations", "name", migrations.collect());
        let manual = deployment.manual.iter().map(|it| it.name.as_str());
        self.unique("manual", "name", manual.collect());
        let flags = deployment.flags.iter().map(|it| it.flag.as_str());
        self.unique("flags", "flag", flags.collect());
        for (index, flag) in deployment.flags.iter().enumerate() {
            let stages = flag.stages.iter().map(|it| it.name.as_str()).collect();
            self.unique(&format!("flags[{index}].stages"), "name", stages);
        }
    }

    fn unique(&mut self, section: &str, field: &str, names: Vec<&str>) {
        let mut seen = BTreeSet::new();
        for (index, name) in names.into_iter().enumerate() {
            if !seen.insert(name) {
                self.push(
                    rules::NAME_TWICE,
                    &format!("{section}[{index}].{field}"),
                    format!("{name:?} is there already"),
                    "give each a name of its own",
                );
            }
        }
    }
}

/// Every approval that a step asks for.
pub(super) fn approvals_asked(deployment: &Deployment) -> Vec<Named<'_>> {
    let mut asked: Vec<(String, Option<&str>)> = Vec::new();
    match &deployment.strategy {
        Strategy::Canary(canary) => {
            asked.extend(canary.steps.iter().enumerate().map(|(index, step)| {
                let path = super::step_path(index, "approval");
                (path, step.approval.as_deref())
            }));
        }
        Strategy::BlueGreen(blue_green) => asked.push((
            String::from("strategy.blue_green.approval"),
            blue_green.approval.as_deref(),
        )),
        Strategy::Rolling(rolling) => {
            if let Partition::Waves(waves) = &rolling.partition {
                asked.extend(waves.iter().enumerate().map(|(index, wave)| {
                    let path = format!("strategy.rolling.waves[{index}].approval");
                    (path, wave.approval.as_deref())
                }));
            }
        }
        Strategy::Recreate(_) => {}
    }
    for (index, flag) in deployment.flags.iter().enumerate() {
        asked.extend(flag.stages.iter().enumerate().map(|(stage, it)| {
            let path = format!("flags[{index}].stages[{stage}].approval");
            (path, it.approval.as_deref())
        }));
    }
    let named = asked.into_iter();
    named
        .filter_map(|(path, name)| Some((path, name?)))
        .collect()
}

/// Every analysis that a step names.
pub(super) fn analyses_asked(deployment: &Deployment) -> Vec<Named<'_>> {
    let Strategy::Canary(canary) = &deployment.strategy else {
        return Vec::new();
    };
    let steps = canary.steps.iter().enumerate();
    let named = steps.filter_map(|(index, step)| match &step.analysis {
        Judged::Named(name) => Some((super::step_path(index, "analysis"), name.as_str())),
        Judged::Default | Judged::Unjudged => None,
    });
    named.collect()
}
