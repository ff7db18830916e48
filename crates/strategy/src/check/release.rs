//! The two versions, understood where they are semantic versions (Semantic Versioning 2.0.0).

use alloc::format;

use semver::Version;

use super::Checker;
use crate::rules;

fn version(text: &str) -> Option<Version> {
    Version::parse(text.strip_prefix('v').unwrap_or(text)).ok()
}

/// Whether both are semantic versions, and `one` comes before `other`.
pub(super) fn is_older(one: &str, other: &str) -> bool {
    match (version(one), version(other)) {
        (Some(one), Some(other)) => one.cmp_precedence(&other).is_lt(),
        _ => false,
    }
}

impl Checker<'_> {
    pub(super) fn release(&mut self) {
        let release = &self.deployment.release;
        let (from, to) = (version(&release.from), version(&release.to));
        if release.from != release.to && from.is_some() && from == to {
            self.push(
                rules::SAME_RELEASE,
                "release.to",
                format!(
                    "{:?} and {:?} are the same version",
                    release.from, release.to
                ),
                "name the version that shall replace it; a restart is not a release",
            );
        }
        if is_older(&release.to, &release.from) {
            self.push(
                rules::DOWNGRADE,
                "release.to",
                format!("{} is older than {}", release.to, release.from),
                "use `nonevent rollback` to go back, or swap the versions",
            );
        }
        let production = self.deployment.is_production();
        if production && to.as_ref().is_some_and(|to| !to.pre.is_empty()) {
            self.push(
                rules::PRERELEASE,
                "release.to",
                format!("{} is a pre-release", release.to),
                "release it under its final version first",
            );
        }
        if let (Some(from), Some(to)) = (&release.from_artifact, &release.artifact)
            && from.digest == to.digest
        {
            self.push(
                rules::SAME_ARTIFACT,
                "release.artifact.digest",
                format!("both versions are {}", to.digest),
                "build and push the new version, and name its digest",
            );
        }
    }
}
