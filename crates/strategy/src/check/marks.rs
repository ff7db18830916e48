//! What goes to the canary beside its share: chosen users and copied requests.

use alloc::format;
use alloc::string::String;

use nonevent_router::FULL_WEIGHT;

use super::{Checker, step_path};
use crate::deployment::{Canary, CanaryStep, Judged, Match};
use crate::rules;

const USERS_REQUESTS_MAX: u32 = 100_000;
const MARK_CHARS_MAX: usize = 200;

impl Checker<'_> {
    pub(super) fn besides(&mut self, canary: &Canary) {
        if !(1..=USERS_REQUESTS_MAX).contains(&canary.requests_per_user) {
            self.push(
                rules::USERS_RANGE,
                "strategy.canary.requests_per_user",
                format!("{} requests are out of range", canary.requests_per_user),
                "write 1 to 100000",
            );
        }
        for (index, step) in canary.steps.iter().enumerate() {
            self.marks(index, step);
            if let Some(mirror) = step.mirror {
                let path = step_path(index, "mirror");
                if mirror.share.basis_points() == 0 {
                    self.push(
                        rules::MIRROR_NOTHING,
                        &path,
                        String::from("this step copies no requests"),
                        "write more than 0%, or take it out",
                    );
                }
                if step.traffic.basis_points() == FULL_WEIGHT {
                    self.push(
                        rules::MIRROR_NOTHING,
                        &path,
                        String::from("every request goes to the new version: none is left to copy"),
                        "take it out of this step",
                    );
                }
                if mirror.unsafe_methods {
                    self.push(
                        rules::MIRROR_UNSAFE,
                        &path,
                        String::from("requests that change something are made twice"),
                        "take `unsafe_methods` out, unless the new version's writes go nowhere",
                    );
                }
            }
            let exposes = step.traffic.basis_points() > 0;
            if exposes && step.analysis == Judged::Unjudged && self.deployment.analysis.is_some() {
                self.push(
                    rules::UNJUDGED_STEP,
                    &step_path(index, "analysis"),
                    format!("nothing judges the new version at {}", step.traffic),
                    "take `analysis: none` out",
                );
            }
        }
    }

    fn marks(&mut self, index: usize, step: &CanaryStep) {
        for mark in &step.chosen {
            let (kind, name, value) = match mark {
                Match::Header { name, value } => ("headers", name, value),
                Match::Cookie { name, value } => ("cookies", name, value),
            };
            let token = !name.is_empty() && name.bytes().all(is_token);
            let plain = !value.is_empty() && !value.chars().any(char::is_control);
            let short = name.len() <= MARK_CHARS_MAX && value.chars().count() <= MARK_CHARS_MAX;
            if !(token && plain && short) {
                let path = step_path(index, &format!("chosen.{kind}"));
                self.push(
                    rules::MARK,
                    &nonevent_document::member_path(&path, name),
                    format!("{name:?} with the value {value:?} cannot be sent"),
                    "write a name of letters, digits and hyphens, and a value of one line, 1 to 200 \
                     characters each",
                );
            }
        }
    }
}

/// `tchar` of RFC 9110, section 5.6.2.
const fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(
            byte,
            b'!' | b'#'
                | b'$'
                | b'%'
                | b'&'
                | b'\''
                | b'*'
                | b'+'
                | b'-'
                | b'.'
                | b'^'
                | b'_'
                | b'`'
                | b'|'
                | b'~'
        )
}
