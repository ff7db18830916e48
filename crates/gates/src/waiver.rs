//! Waivers: a criterion that is not met and is let pass for a while, by somebody who may.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use nonevent_document::format_duration_ms;
use nonevent_evidence::{CLOCK_SKEW_MS, Predicate, Waiver};

use crate::evaluate::Sight;
use crate::notice::Notice;
use crate::outcome::{Input, Outcome};
use crate::path::visible;
use crate::policy::Gate;
use crate::verdict::CriterionResult;
use crate::witness::Aside;

/// See [`Notice`].
const EXPIRED: &str = "NE3030";
const UNUSED: &str = "NE3031";
const REFUSED: &str = "NE3032";

/// Waives what may be waived, and says of every waiver that did nothing why.
pub(crate) fn apply(
    criteria: &mut [CriterionResult],
    gate: &Gate<'_>,
    sight: &Sight<'_>,
) -> Vec<Notice> {
    let mut notices = Vec::new();
    for aside in &sight.witnesses.by_policy().asides {
        let Predicate::Waiver(waiver) = &aside.statement.predicate else {
            continue;
        };
        let Some((phase, id)) = waiver.criterion.split_once('/') else {
            notices.push(of_no_criterion(aside, waiver));
            continue;
        };
        if !gate.policy.has_criterion(phase, id) {
            notices.push(of_no_criterion(aside, waiver));
            continue;
        }
        // One for another gate is that gate's.
        let own = criteria
            .iter_mut()
            .find(|it| phase == gate.phase.id && it.id == id);
        let Some(result) = own else {
            continue;
        };
        if let Err(notice) = waive(result, gate, sight, aside, waiver) {
            notices.push(notice);
        }
    }
    notices
}

/// Waives the criterion, or says why the waiver does nothing.
fn waive(
    result: &mut CriterionResult,
    gate: &Gate<'_>,
    sight: &Sight<'_>,
    aside: &Aside,
    waiver: &Waiver,
) -> Result<(), Notice> {
    let person = visible(&waiver.person);
    if let Some((code, why, help)) = why_not(result, gate, sight, aside, waiver) {
        let message = format!(
            "the waiver of {} by {person} {why}",
            visible(&waiver.criterion)
        );
        return Err(Notice::new(code, aside.digest, message, help));
    }
    let check = &mut result.check;
    check.found = format!(
        "{} ({}); waived by {person} ({}) until {}, {} answers for it: {}",
        check.found,
        check.outcome,
        visible(&waiver.role),
        waiver.expires,
        visible(&waiver.owner),
        visible(&waiver.reason)
    );
    check.outcome = Outcome::Waived;
    check.inputs.push(Input {
        name: String::from("waiver"),
        digest: aside.digest,
    });
    Ok(())
}

/// Why the waiver does nothing, if it does: a code, what it is, and what to do.
fn why_not(
    result: &CriterionResult,
    gate: &Gate<'_>,
    sight: &Sight<'_>,
    aside: &Aside,
    waiver: &Waiver,
) -> Option<(&'static str, String, &'static str)> {
    let now = sight.context.now;
    if waiver.expires < now {
        let why = format!("expired at {}", waiver.expires);
        return Some((EXPIRED, why, "meet the criterion, or have it waived again"));
    }
    let Some(rule) = &gate.policy.waivers else {
        let help = "name the roles that may waive under `waivers` in the policy";
        return Some((
            REFUSED,
            "counts for nothing: the policy allows none".into(),
            help,
        ));
    };
    if !rule.roles.contains(&waiver.role) {
        let why = format!("is in the role {}, which may not", visible(&waiver.role));
        let help = "have it signed by somebody in a role that the policy names under `waivers`";
        return Some((REFUSED, why, help));
    }
    if !gate.is_waivable(&result.id) {
        let why = "counts for nothing: the policy lets nobody waive this criterion";
        return Some((REFUSED, why.into(), "meet the criterion"));
    }
    if now.ms_since(waiver.at) < -CLOCK_SKEW_MS {
        let why = format!("is dated {}, which is still to come", waiver.at);
        return Some((REFUSED, why, "set the clock of the machine that signs"));
    }
    let lasts = waiver.expires.ms_since(waiver.at);
    if lasts > rule.longest_ms {
        let lasts = format_duration_ms(u64::try_from(lasts).unwrap_or(0));
        let why = format!("lasts {lasts}, longer than the policy allows");
        return Some((REFUSED, why, "have it waived for a shorter time"));
    }
    let is_of_this_plan = waiver.plan.is_none() || waiver.plan == sight.context.plan;
    if !is_of_this_plan || !is_about_this(gate, sight, aside) {
        let why = "is about neither this plan, artifact, commit or runbook nor this policy";
        return Some((REFUSED, why.into(), "have it waived for what is there now"));
    }
    let why = match result.outcome() {
        Outcome::Waived => "is not needed: another one waives it",
        Outcome::Pass => "is not needed: the criterion is met",
        Outcome::NotApplicable => "is not needed: the criterion does not apply",
        _ => return None,
    };
    let help = "withdraw it: a waiver that does nothing is forgotten until it does something";
    Some((UNUSED, why.into(), help))
}

fn is_about_this(gate: &Gate<'_>, sight: &Sight<'_>, aside: &Aside) -> bool {
    let it = sight.context;
    let known = [it.plan, it.artifact, it.commit, it.runbook];
    let mut known = known.into_iter().flatten().chain([gate.policy.digest]);
    known.any(|digest| aside.statement.is_about(&digest))
}

fn of_no_criterion(aside: &Aside, waiver: &Waiver) -> Notice {
    Notice::new(
        UNUSED,
        aside.digest,
        format!(
            "the waiver by {} is of {}, which is no criterion of this policy",
            visible(&waiver.person),
            visible(&waiver.criterion)
        ),
        "name it as PHASE/CRITERION",
    )
}
