//! The header and the overview.

use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use nonevent_document::{Digest, format_duration_ms};
use nonevent_router::{Arm, FULL_WEIGHT, Split};
use nonevent_strategy::{Action, Plan, PlanError, Step, StrategyKind, WatchKind, plan_duration_ms};

use super::{failing, words};
use crate::runbook::{Fact, Facts, Header, Moment, Overview, ProofSummary};
use crate::text::{Text, text};

/// The id of the header's line that names the plan.
pub(crate) const PLAN_ID: &str = "header/plan";

pub(crate) fn header(plan: &Plan, facts: &Facts) -> Result<Header, PlanError> {
    let (expected_ms, longest_ms) = plan_duration_ms(plan);
    let digest = plan.digest()?;
    let shape = plan.shape()?;
    Ok(Header {
        service: plan.service.clone(),
        environment: plan.environment.clone(),
        strategy: plan.strategy,
        release: plan.release.clone(),
        owner: plan.owner.clone(),
        plan: digest,
        shape,
        generated: facts.generated,
        expected_ms,
        longest_ms,
        proof: facts.proof,
        facts: lines(plan, facts, &digest, &shape),
    })
}

fn lines(plan: &Plan, facts: &Facts, digest: &Digest, shape: &Digest) -> Vec<Fact> {
    let (expected_ms, longest_ms) = plan_duration_ms(plan);
    let mut lines = Vec::new();
    let mut line = |id: &str, label, value| {
        lines.push(Fact {
            id: format!("header/{id}"),
            label,
            value,
        });
    };
    line("service", "Service", text!(code(plan.service)));
    line("environment", "Environment", text!(code(plan.environment)));
    line("strategy", "Strategy", Text::plain(plan.strategy.name()));
    line(
        "versions",
        "Versions",
        text!(code(plan.release.from), " → ", code(plan.release.to)),
    );
    line("owner", "Owner", Text::plain(words::owner(plan)));
    line("plan", "Plan", Text::code(digest.to_string()));
    line("shape", "Shape", Text::code(shape.to_string()));
    line(
        "generated",
        "Generated (UTC)",
        Text::plain(facts.generated.to_string()),
    );
    line(
        "duration",
        "Duration",
        text!(
            format_duration_ms(expected_ms),
            " expected, ",
            format_duration_ms(longest_ms),
            " at the longest"
        ),
    );
    if let Some(downtime) = &plan.downtime {
        line("downtime", "Downtime", accepted(plan, downtime.at_most_ms));
    }
    if let Some(target) = &facts.target {
        line("target", "Target", Text::plain(words::name(target)));
    }
    line("proof", "Proof", proof(facts.proof.as_ref()));
    lines
}

fn accepted(plan: &Plan, at_most_ms: u64) -> Text {
    let by = plan
        .downtime
        .as_ref()
        .map_or(words::OWNER, |downtime| words::name(&downtime.accepted_by));
    text!(
        "at most ",
        format_duration_ms(at_most_ms),
        " each way, accepted by ",
        by
    )
}

fn proof(proof: Option<&ProofSummary>) -> Text {
    let Some(proof) = proof else {
        return text!("none: nothing is proved of this plan");
    };
    let faults = match proof.faults {
        0 => String::from("no fault"),
        1 => String::from("at most 1 fault"),
        faults => format!("at most {faults} faults"),
    };
    text!(
        format!(
            "every run with {faults} examined: {} states, {} transitions; ",
            proof.states, proof.transitions
        ),
        "the slowest way back took ",
        format_duration_ms(proof.worst_recovery_ms)
    )
}

pub(crate) fn overview(plan: &Plan) -> Overview {
    let mut summary = Vec::from([course(plan)]);
    summary.push(text!(
        format!(
            "In steady state {} of the service run; at most {} run at once. ",
            words::instances(plan.fleet.replicas),
            words::peak(plan)
        ),
        "A step that is not done by its deadline, a failed smoke suite",
        if analyses(plan) {
            ", a failed analysis"
        } else {
            ""
        },
        " or an instance of the new version that ends by itself turns the rollout back."
    ));
    summary.extend(failing::point_of_no_return(plan));
    Overview {
        summary,
        timeline: timeline(plan),
    }
}

fn analyses(plan: &Plan) -> bool {
    let looks = |step: &Step| matches!(step.action, Action::Watch { analyse: true, .. });
    plan.steps.iter().any(looks)
}

fn course(plan: &Plan) -> Text {
    let (old, new) = (&plan.release.from, &plan.release.to);
    match plan.strategy {
        StrategyKind::Canary if words::by_share(plan) => text!(
            "Instances of ",
            code(old),
            " are replaced by instances of ",
            code(new),
            format!(
                " in steps ({}), each watched before the next; the work follows the instances.",
                ramp(plan)
            )
        ),
        StrategyKind::Canary => text!(
            "Traffic moves from ",
            code(old),
            " to ",
            code(new),
            format!(" in steps ({}), each watched before the next.", ramp(plan))
        ),
        StrategyKind::BlueGreen => text!(
            "A second environment with ",
            code(new),
            " is started and tested without traffic; then all traffic is switched to it at once. ",
            code(old),
            format!(" stays in readiness for {} after the switch.", kept(plan))
        ),
        StrategyKind::Rolling => text!(
            "Instances of ",
            code(old),
            " are replaced by instances of ",
            code(new),
            " a few at a time; traffic follows the instances."
        ),
        StrategyKind::Recreate => text!(
            "The router is closed, ",
            code(old),
            " is stopped, ",
            code(new),
            " is started and tested, and the router is opened again. In between nobody is served."
        ),
    }
}

/// The shares that are watched: on the way to one, a canary by instance share has others.
fn ramp(plan: &Plan) -> String {
    let mut ramp = String::new();
    let mut last = 0;
    for step in &plan.steps {
        let weight = step.target.split.weight(Arm::Canary);
        if matches!(step.action, Action::Watch { .. }) && weight != last {
            if !ramp.is_empty() {
                ramp.push_str(", ");
            }
            ramp.push_str(&words::share(weight));
            last = weight;
        }
    }
    ramp
}

fn kept(plan: &Plan) -> String {
    let waits = plan.steps.iter().filter_map(|step| match &step.action {
        Action::Watch {
            kind: WatchKind::Bake | WatchKind::Keep,
            for_ms,
            ..
        } => Some(*for_ms),
        _ => None,
    });
    format_duration_ms(waits.fold(0, u64::saturating_add))
}

fn timeline(plan: &Plan) -> Vec<Moment> {
    let mut moments: Vec<Moment> = Vec::from([Moment {
        at_ms: 0,
        split: Split::STABLE,
    }]);
    let mut at_ms = 0u64;
    for (index, step) in plan.steps.iter().enumerate() {
        at_ms = at_ms.saturating_add(words::expected_ms(plan, index, step));
        let split = step.target.split;
        if moments.last().is_none_or(|last| last.split != split) {
            moments.push(Moment { at_ms, split });
        }
    }
    let split = plan
        .steps
        .last()
        .map_or(Split::STABLE, |step| step.target.split);
    debug_assert!(split.weight(Arm::Canary) <= FULL_WEIGHT);
    moments.push(Moment { at_ms, split });
    moments
}
