//! Feature flags that are opened after the deployment.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::String;

use nonevent_document::Digest;

use super::Checker;
use crate::deployment::{FlagRollout, Strategy};
use crate::rules;

impl Checker<'_> {
    pub(super) fn flags(&mut self) {
        let deployment = self.deployment;
        let mut files = BTreeMap::new();
        for (index, flag) in deployment.flags.iter().enumerate() {
            let path = format!("flags[{index}]");
            self.flag_stages(&path, flag);
            self.flag_edits(&path, flag, &mut files);
            self.one_kill_switch(&path, flag, &deployment.flags[..index]);
        }
        for (path, name) in deployment.files() {
            if self.facts.files.contains_key(name) {
                continue;
            }
            if self.facts.suites_read {
                self.push(
                    rules::FILE_UNREAD,
                    &path,
                    format!("the file {name:?} could not be read"),
                    "name a file relative to the deployment document",
                );
            } else {
                self.push(
                    rules::FILE_UNKNOWN,
                    &path,
                    format!("not evaluated: what the file {name:?} holds is not known here"),
                    "give the check the file's digest",
                );
            }
        }
    }

    /// A kill switch replaces the file as a whole, with whatever the other flags in it are.
    fn one_kill_switch(&mut self, path: &str, flag: &FlagRollout, before: &[FlagRollout]) {
        let digest = |name: &str| self.facts.files.get(name).copied();
        let same = |other: &FlagRollout| {
            let contents = digest(&other.kill_switch).zip(digest(&flag.kill_switch));
            other.kill_switch == flag.kill_switch || contents.is_some_and(|(one, two)| one == two)
        };
        let other = before.iter().find(|it| it.file == flag.file && !same(it));
        if let Some(other) = other {
            let message = format!(
                "thrown for {:?}, this file undoes the kill switch of {:?}, which is in {:?} too",
                flag.flag, other.flag, flag.file
            );
            self.push(
                rules::KILLS_CLASH,
                &format!("{path}.kill_switch"),
                message,
                "name one file for both, with both features switched off, or keep the flags in \
                 files of their own",
            );
        }
    }

    fn flag_stages(&mut self, path: &str, flag: &FlagRollout) {
        if flag.stages.is_empty() {
            self.push(
                rules::FLAG_STAGES,
                &format!("{path}.stages"),
                String::from("there is no stage"),
                "add at least one, such as `internal`",
            );
        }
        let shares = flag.stages.iter().enumerate();
        let shares = shares.filter_map(|(index, it)| Some((index, it.exposure?)));
        let mut before = None;
        for (index, share) in shares {
            if before.is_some_and(|before| share <= before) {
                self.push(
                    rules::FLAG_STAGES,
                    &format!("{path}.stages[{index}].exposure"),
                    format!("{share} does not rise above the stage before"),
                    "order the stages by rising exposure",
                );
            }
            if before.is_none() {
                self.outruns(&format!("{path}.stages[{index}].exposure"), share);
            }
            before = Some(share);
        }
    }

    fn outruns(&mut self, path: &str, share: nonevent_document::Percent) {
        let Strategy::Canary(canary) = &self.deployment.strategy else {
            return;
        };
        let first = canary
            .steps
            .iter()
            .map(|step| step.traffic)
            .find(|it| it.basis_points() > 0);
        if let Some(first) = first.filter(|first| share > *first) {
            self.push(
                rules::FLAG_OUTRUNS,
                path,
                format!("the feature opens to {share} of users, where traffic began with {first}"),
                "begin with a smaller stage",
            );
        }
    }

    /// Each stage changes the file, and the kill switch is none of them. Several flags may live in
    /// one of the `files`: the next begins with what the one before has left there.
    fn flag_edits<'f>(
        &mut self,
        path: &str,
        flag: &'f FlagRollout,
        files: &mut BTreeMap<&'f str, Digest>,
    ) {
        let digest = |name: &str| self.facts.files.get(name).copied();
        let left = files.get(flag.file.as_str()).copied();
        let Some(mut stands) = left.or_else(|| digest(&flag.file)) else {
            return;
        };
        let mut empty = BTreeSet::new();
        for (index, stage) in flag.stages.iter().enumerate() {
            let Some(content) = digest(&stage.content) else {
                return;
            };
            if content == stands {
                empty.insert(index);
            }
            stands = content;
        }
        files.insert(&flag.file, stands);
        let opens = flag.stages.iter().map(|stage| digest(&stage.content));
        let kills = digest(&flag.kill_switch);
        let kill_opens = kills.is_some() && opens.into_iter().any(|it| it == kills);
        for index in empty {
            self.push(
                rules::FLAG_EDIT_EMPTY,
                &format!("{path}.stages[{index}].content"),
                String::from("this file is the same as what stands there already"),
                "name the file that opens the flag further",
            );
        }
        if kill_opens {
            self.push(
                rules::FLAG_EDIT_EMPTY,
                &format!("{path}.kill_switch"),
                String::from("this file is the same as that of a stage"),
                "name a file with the feature switched off",
            );
        }
    }
}
