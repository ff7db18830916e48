//! Changes of the database, and the point of no return.

use alloc::format;
use alloc::string::String;

use super::Checker;
use super::release::is_older;
use crate::deployment::{AfterNoReturn, Migration, MigrationKind, Moment};
use crate::rules;

/// Whether there is no clean way back once it has begun.
const fn cuts_the_way_back(migration: &Migration) -> bool {
    !migration.reversible || migration.kind.breaks_old_code()
}

impl Checker<'_> {
    pub(super) fn migrations(&mut self) {
        let deployment = self.deployment;
        let mut cuts = deployment
            .migrations
            .iter()
            .filter(|it| cuts_the_way_back(it));
        let accepted = deployment.rollback.no_way_back.is_some();
        match cuts.next() {
            Some(first) if !accepted => self.push(
                rules::NO_WAY_BACK,
                "rollback",
                format!(
                    "after the migration {:?} there is no clean way back",
                    first.name
                ),
                "add `no_way_back: { accepted_by: ..., reason: ... }`, or deploy the migration by \
                 itself later",
            ),
            None if accepted => self.push(
                rules::ACCEPTED_NEEDLESSLY,
                "rollback.no_way_back",
                String::from("every step of this deployment can be undone"),
                "take it out",
            ),
            _ => {}
        }
        for (index, migration) in deployment.migrations.iter().enumerate() {
            self.migration(&format!("migrations[{index}]"), migration);
        }
        self.migrations_order();
        let kills = deployment.rollback.after_no_return == AfterNoReturn::KillSwitch;
        if kills && deployment.flags.is_empty() {
            self.push(
                rules::KILL_SWITCH_MISSING,
                "rollback.after_no_return",
                String::from("a kill switch shall be thrown, and the deployment has no flag"),
                "add the flag with its `kill_switch`, or write `pause` or `page`",
            );
        }
    }

    fn migration(&mut self, path: &str, migration: &Migration) {
        let cuts = cuts_the_way_back(migration);
        if cuts && migration.moment == Moment::BeforeTraffic {
            self.push(
                rules::NO_RETURN_EARLY,
                &format!("{path}.moment"),
                format!(
                    "{:?} cannot be undone, and would run before the new version has proved itself",
                    migration.name
                ),
                "write `moment: after_bake` or `at_end`",
            );
        }
        if cuts && migration.owner.is_none() {
            self.push(
                rules::MIGRATION_OWNER,
                path,
                format!("nobody is named who carries out {:?}", migration.name),
                "add `owner`",
            );
        }
        if migration.kind != MigrationKind::Contract {
            return;
        }
        let release = &self.deployment.release;
        let problem = match &migration.unused_since {
            None => String::from("since when nothing uses what it takes away is not said"),
            Some(version) if *version == release.to => {
                format!("{version} is the very release that stops using it")
            }
            Some(version) if is_older(&release.from, version) => {
                format!(
                    "{} is older than {version}, and still uses it",
                    release.from
                )
            }
            Some(_) => return,
        };
        self.push(
            rules::CONTRACT_BESIDE,
            &format!("{path}.unused_since"),
            format!("{:?}: {problem}", migration.name),
            "name the earlier version that stopped using it, or leave the migration to a later \
             deployment",
        );
    }

    fn migrations_order(&mut self) {
        let all = &self.deployment.migrations;
        let place = |it: &Migration| (it.moment, it.kind);
        for (index, pair) in all.windows(2).enumerate() {
            let [one, other] = pair else { continue };
            if place(other) < place(one) {
                self.push(
                    rules::MIGRATIONS_ORDER,
                    &format!("migrations[{}]", index + 1),
                    format!("{:?} comes before {:?}", other.name, one.name),
                    "write them as they run: expand, backfill, contract",
                );
            }
        }
        // Within one list the moments may be right and the kinds still wrong.
        for (index, one) in all.iter().enumerate() {
            let later = all.iter().skip(index + 1);
            let mut wrong = later.filter(|it| it.moment > one.moment && it.kind < one.kind);
            if let Some(other) = wrong.next() {
                self.push(
                    rules::MIGRATIONS_ORDER,
                    &format!("migrations[{index}].moment"),
                    format!("{:?} would run before {:?}", one.name, other.name),
                    "let it run later: expand, backfill, contract",
                );
            }
        }
    }
}
