//! People: roles, approvals, who is told, and what they are told to do.

use alloc::collections::BTreeSet;
use alloc::format;
use alloc::string::{String, ToString as _};

use nonevent_document::member_path;

use super::Checker;
use super::texts::instructions;
use crate::deployment::{Occasion, OnFailure, OnInconclusive, OnNoData, Strategy};
use crate::rules;

/// The most people that an approval may ask for.
const APPROVERS_MAX: u32 = 20;
/// The longest instruction for a person.
const TEXT_CHARS_MAX: usize = 2_000;

impl Checker<'_> {
    pub(super) fn people(&mut self) {
        self.roles();
        self.approvals();
        self.notifications();
        self.instructions();
    }

    fn roles(&mut self) {
        for (role, holders) in &self.deployment.roles {
            let different: BTreeSet<&String> = holders.iter().collect();
            let problem = if holders.is_empty() {
                "nobody holds it"
            } else if different.len() < holders.len() {
                "somebody is named twice"
            } else {
                continue;
            };
            self.push(
                rules::ROLE_EMPTY,
                &member_path("roles", role),
                format!("the role {role:?} cannot be asked: {problem}"),
                "name the people who hold it, each once",
            );
        }
    }

    fn approvals(&mut self) {
        let deployment = self.deployment;
        for (name, approval) in &deployment.approvals {
            let path = member_path("approvals", name);
            if !(1..=APPROVERS_MAX).contains(&approval.count) {
                self.push(
                    rules::APPROVAL_COUNT,
                    &format!("{path}.count"),
                    format!("{} people are out of range", approval.count),
                    "write 1 to 20",
                );
                continue;
            }
            let Some(holders) = deployment.roles.get(&approval.role) else {
                continue;
            };
            let can = deployment.approvers(&approval.role).len();
            if can < usize::try_from(approval.count).unwrap_or(usize::MAX) {
                self.push(
                    rules::APPROVERS_FEW,
                    &path,
                    format!(
                        "{} must approve, and {can} can: the holders of {:?} but for the author",
                        approval.count, approval.role
                    ),
                    "name more holders in `roles`, or ask for fewer",
                );
            } else if can < holders.len() {
                self.push(
                    rules::AUTHOR_APPROVES,
                    &member_path("roles", &approval.role),
                    "the release's author holds the role and will not be asked".to_string(),
                    "take the author out of the role for this release",
                );
            }
        }
    }

    fn notifications(&mut self) {
        let deployment = self.deployment;
        for (index, notification) in deployment.notifications.iter().enumerate() {
            if notification.on.is_empty() || notification.to.trim().is_empty() {
                self.push(
                    rules::NOTIFY_NOTHING,
                    &format!("notifications[{index}]"),
                    String::from("it names no occasion, or nobody"),
                    "write `on: [started, promoted, waiting, rolling_back, rolled_back, stuck]`, \
                     and to whom",
                );
            }
        }
        let told = |occasion| {
            let mut all = deployment.notifications.iter();
            all.any(|it| it.on.contains(&occasion))
        };
        if self.waits_for_people() && !told(Occasion::Waiting) && !told(Occasion::Stuck) {
            self.push(
                rules::WAIT_UNTOLD,
                "notifications",
                String::from("the rollout may wait for people, and nobody is told that it does"),
                "add `notifications: [{ on: [waiting, stuck], to: ... }]`",
            );
        }
    }

    fn waits_for_people(&self) -> bool {
        let deployment = self.deployment;
        let on_failure = match &deployment.strategy {
            Strategy::Rolling(rolling) => rolling.on_failure,
            _ => OnFailure::Rollback,
        };
        let mut analyses = deployment
            .analysis
            .iter()
            .chain(deployment.analyses.values());
        on_failure == OnFailure::Pause
            || !deployment.approvals.is_empty()
            || analyses.any(|it| {
                it.on_no_data == OnNoData::Pause || it.on_inconclusive == OnInconclusive::Pause
            })
    }

    fn instructions(&mut self) {
        for (path, text) in instructions(self.deployment) {
            let problem = if text.trim().is_empty() {
                "it is empty"
            } else if text.chars().any(char::is_control) {
                "it has a control character, such as a line break"
            } else if text.chars().count() > TEXT_CHARS_MAX {
                "it is longer than 2000 characters"
            } else {
                continue;
            };
            self.push(
                rules::TEXT_EMPTY,
                &path,
                format!("this text cannot be used: {problem}"),
                "write one paragraph of 1 to 2000 characters",
            );
        }
    }
}
