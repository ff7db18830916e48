//! The texts of a document: names, references, and what people are told to do.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use nonevent_document::member_path;

use crate::deployment::{Deployment, Strategy};

/// Where a text stands, and the text.
pub(super) type Text<'a> = (String, &'a str);

/// Every name of a document, with its path.
pub(super) fn named(deployment: &Deployment) -> Vec<Text<'_>> {
    let plain = |path: &str, name| (String::from(path), name);
    let release = &deployment.release;
    let mut names: Vec<Text<'_>> = alloc::vec![
        plain("service", deployment.service.as_str()),
        plain("environment", deployment.environment.as_str()),
        plain("release.from", release.from.as_str()),
        plain("release.to", release.to.as_str()),
    ];
    let optional = [
        ("owner", &deployment.owner),
        ("author", &deployment.author),
        ("target.fleet", &deployment.target.fleet),
    ];
    names.extend(
        optional
            .iter()
            .filter_map(|(path, name)| Some(plain(path, name.as_deref()?))),
    );
    if let Some(artifact) = &release.artifact {
        names.push(plain("release.artifact.name", &artifact.name));
    }
    if let Some(artifact) = &release.from_artifact {
        names.push(plain("release.from_artifact.name", &artifact.name));
    }
    if let Strategy::Recreate(recreate) = &deployment.strategy {
        let path = "strategy.recreate.downtime.accepted_by";
        names.push(plain(path, &recreate.downtime.accepted_by));
    }
    if let Some(accepted) = &deployment.rollback.no_way_back {
        names.push(plain(
            "rollback.no_way_back.accepted_by",
            &accepted.accepted_by,
        ));
    }
    for (role, holders) in &deployment.roles {
        let path = member_path("roles", role);
        names.push((path.clone(), role));
        names.extend(
            holders
                .iter()
                .enumerate()
                .map(|(index, holder)| (format!("{path}[{index}]"), holder.as_str())),
        );
    }
    let keys = |section: &str, name: &String| member_path(section, name);
    names.extend(
        deployment
            .approvals
            .keys()
            .map(|name| (keys("approvals", name), name.as_str())),
    );
    names.extend(
        deployment
            .analyses
            .keys()
            .map(|name| (keys("analyses", name), name.as_str())),
    );
    names.extend(
        deployment
            .fleet
            .zones
            .keys()
            .map(|name| (keys("fleet.zones", name), name.as_str())),
    );
    for (index, migration) in deployment.migrations.iter().enumerate() {
        names.push((format!("migrations[{index}].name"), &migration.name));
        let owner = migration.owner.as_deref();
        names.extend(owner.map(|owner| (format!("migrations[{index}].owner"), owner)));
    }
    for (index, manual) in deployment.manual.iter().enumerate() {
        names.push((format!("manual[{index}].name"), &manual.name));
        let owner = manual.owner.as_deref();
        names.extend(owner.map(|owner| (format!("manual[{index}].owner"), owner)));
    }
    for (index, flag) in deployment.flags.iter().enumerate() {
        names.push((format!("flags[{index}].flag"), &flag.flag));
        names.extend(flag.stages.iter().enumerate().map(|(stage, it)| {
            (
                format!("flags[{index}].stages[{stage}].name"),
                it.name.as_str(),
            )
        }));
    }
    names
}

/// Every name of something that is found elsewhere, with its path.
pub(super) fn references(deployment: &Deployment) -> Vec<Text<'_>> {
    let mut texts = deployment.suites();
    texts.extend(deployment.files());
    let notifications = deployment.notifications.iter().enumerate();
    texts.extend(notifications.map(|(index, it)| {
        let path = format!("notifications[{index}].to");
        (path, it.to.as_str())
    }));
    let own = deployment.analysis.iter();
    let own = own.map(|it| (String::from("analysis"), it));
    let analyses = deployment.analyses.iter();
    let analyses = analyses.map(|(name, it)| (member_path("analyses", name), it));
    for (path, analysis) in own.chain(analyses) {
        for (name, metric) in &analysis.metrics {
            let at = member_path(&format!("{path}.metrics"), name);
            let source = metric.source.as_deref();
            texts.extend(source.map(|source| (format!("{at}.source"), source)));
            texts.push((at, name));
        }
    }
    texts
}

/// Every text that tells a person something, with its path.
pub(super) fn instructions(deployment: &Deployment) -> Vec<Text<'_>> {
    let migrations = deployment.migrations.iter().enumerate();
    let migrations =
        migrations.map(|(index, it)| (format!("migrations[{index}].how"), it.how.as_str()));
    let manual = deployment.manual.iter().enumerate();
    let manual = manual.flat_map(|(index, it)| {
        [
            (format!("manual[{index}].how"), it.how.as_str()),
            (format!("manual[{index}].expect"), it.expect.as_str()),
        ]
    });
    let accepted = deployment.rollback.no_way_back.iter();
    let accepted = accepted.map(|it| {
        let path = String::from("rollback.no_way_back.reason");
        (path, it.reason.as_str())
    });
    migrations.chain(manual).chain(accepted).collect()
}
