//! The two versions, understood where they are semantic versions (Semantic Versioning 2.0.0).

use alloc::format;

use semver::Version;

use super::Checker;
use crate::rules;

impl Checker<'_> {
    pub(super) fn release(&mut self) {
        let release = &self.deployment.release;
        let version = |text: &str| Version::parse(text.strip_prefix('v').unwrap_or(text)).ok();
        let (from, to) = (version(&release.from), version(&release.to));
        if let (Some(from), Some(to)) = (&from, &to)
            && to.cmp_precedence(from).is_lt()
        {
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
