//! Reading a document and checking it: all findings at once.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;

use nonevent_document::{Digest, Document, Finding, Findings, Severity, format_duration_ms};
use nonevent_router::{Arm, FULL_WEIGHT};

use crate::capacity::{instances_needed, rolling_limits};
use crate::deployment::{
    AnalysisSettings, BlueGreen, Canary, Deployment, Fleet, Recreate, Rolling, Strategy,
};
use crate::plan::{Action, Plan};
use crate::planner::{draft, wanted_canary_count};
use crate::rules::{self, Rule};
use crate::wire::{API_VERSION, DeploymentWire, KIND};

/// What a document cannot know and a check needs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// What is known of the smoke suites, by the name the document gives them; a suite that is
    /// missing here could not be read.
    pub suites: BTreeMap<String, SuiteFact>,
    /// Whether anybody tried to read the suites; if not, a check says that it did not evaluate.
    pub suites_read: bool,
}

/// What is known of one smoke suite.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SuiteFact {
    /// SHA-256 of its bytes.
    pub digest: Digest,
    /// How many tests it has that assert something.
    pub tests: usize,
}

/// A deployment without an error among its findings, with the facts it was checked against.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checked {
    deployment: Deployment,
    facts: Facts,
    findings: Findings,
}

impl Checked {
    /// The deployment.
    #[must_use]
    pub const fn deployment(&self) -> &Deployment {
        &self.deployment
    }

    /// What it was checked against.
    #[must_use]
    pub const fn facts(&self) -> &Facts {
        &self.facts
    }

    /// The warnings and notes.
    #[must_use]
    pub const fn findings(&self) -> &Findings {
        &self.findings
    }
}

/// Reads a deployment from a parsed document, with all defaults filled in.
///
/// # Errors
/// What keeps it from being read: unknown fields, wrong types, another version of the format, not
/// exactly one strategy.
pub fn read(document: &Document) -> Result<Deployment, Findings> {
    let wire: DeploymentWire = document.decode()?;
    let mut findings = Findings::default();
    let mut push = |rule: Rule, path: &str, message: String, help: &str| {
        findings.push(document.resolve(finding(rule, path, message, help)));
    };
    if wire.api_version != API_VERSION {
        push(
            rules::API_VERSION,
            "apiVersion",
            format!(
                "this version of the format is not known: {:?}",
                wire.api_version
            ),
            "write `apiVersion: nonevent/v1`",
        );
    }
    if wire.kind != KIND {
        push(
            rules::API_VERSION,
            "kind",
            format!("this is a {:?}, not a deployment", wire.kind),
            "write `kind: Deployment`",
        );
    }
    if wire.strategy.named() != 1 {
        push(
            rules::ONE_STRATEGY,
            "strategy",
            format!("{} strategies are named", wire.strategy.named()),
            "name one of `canary`, `blue_green`, `rolling`, `recreate`; \
             `canary: {}` takes its defaults",
        );
    }
    match wire.into_deployment() {
        Some(deployment) if findings.is_empty() => Ok(deployment),
        _ => Err(findings),
    }
}

/// Checks a deployment against every rule; positions are found in `document`, if there is one.
///
/// # Errors
/// All findings, if there is an error among them.
pub fn check(
    deployment: Deployment,
    facts: Facts,
    document: Option<&Document>,
) -> Result<Checked, Findings> {
    let mut checker = Checker {
        deployment: &deployment,
        facts: &facts,
        findings: Findings::default(),
    };
    checker.names();
    checker.fleet();
    checker.times();
    checker.analysis();
    checker.suites();
    if !checker.findings.has_errors() {
        checker.strategy();
    }
    if !checker.findings.has_errors() {
        checker.plan();
    }
    let findings: Findings = match document {
        Some(document) => checker
            .findings
            .into_iter()
            .map(|finding| document.resolve(finding))
            .collect(),
        None => checker.findings,
    };
    if findings.has_errors() {
        return Err(findings);
    }
    Ok(Checked {
        deployment,
        facts,
        findings,
    })
}

fn finding(rule: Rule, path: &str, message: String, help: &str) -> Finding {
    let finding = match rule.severity {
        Severity::Error => Finding::error(rule.code, path, message, help),
        Severity::Warning => Finding::warning(rule.code, path, message, help),
        Severity::Note => Finding::note(rule.code, path, message, help),
    };
    debug_assert_eq!(finding.severity, rule.severity);
    finding
}

const INSTANCES_MAX: u32 = 5_000;
const DAY_MS: u64 = 86_400_000;
const NAME_CHARS_MAX: usize = 200;
const BLAST_RADIUS_MAX: u16 = 2_500;

struct Checker<'a> {
    deployment: &'a Deployment,
    facts: &'a Facts,
    findings: Findings,
}

impl Checker<'_> {
    fn push(&mut self, rule: Rule, path: &str, message: String, help: &str) {
        self.findings.push(finding(rule, path, message, help));
    }

    fn names(&mut self) {
        let deployment = self.deployment;
        let mut names = alloc::vec![
            ("service", deployment.service.as_str()),
            ("environment", deployment.environment.as_str()),
            ("release.from", deployment.release.from.as_str()),
            ("release.to", deployment.release.to.as_str()),
        ];
        names.extend(deployment.owner.as_deref().map(|owner| ("owner", owner)));
        if let Strategy::Recreate(recreate) = &deployment.strategy {
            names.push((
                "strategy.recreate.downtime.accepted_by",
                &recreate.downtime.accepted_by,
            ));
        }
        for (path, name) in names {
            let problem = if name.trim().is_empty() {
                "it is empty"
            } else if name.chars().any(char::is_control) {
                "it has a control character, such as a line break"
            } else if name.chars().count() > NAME_CHARS_MAX {
                "it is longer than 200 characters"
            } else {
                continue;
            };
            self.push(
                rules::NAME,
                path,
                format!("this name cannot be used: {problem}"),
                "write one line of 1 to 200 characters",
            );
        }
        if deployment.release.from == deployment.release.to {
            self.push(
                rules::SAME_RELEASE,
                "release.to",
                format!("both versions are {:?}", deployment.release.to),
                "name the version that shall replace it; a restart is not a release",
            );
        }
    }

    fn fleet(&mut self) {
        let fleet = &self.deployment.fleet;
        if fleet.replicas == 0 || fleet.replicas > INSTANCES_MAX {
            self.push(
                rules::REPLICAS,
                "fleet.replicas",
                format!("{} instances are out of range", fleet.replicas),
                "write 1 to 5000",
            );
            return;
        }
        if fleet.spare > INSTANCES_MAX {
            self.push(
                rules::REPLICAS,
                "fleet.spare",
                format!("{} spare instances are out of range", fleet.spare),
                "write 0 to 5000",
            );
        }
        let min_ready = fleet.min_ready();
        if min_ready == 0 || min_ready > fleet.replicas {
            self.push(
                rules::MIN_HEALTHY,
                "fleet.min_healthy",
                format!(
                    "{min_ready} of {} instances is out of range",
                    fleet.replicas
                ),
                "write at least 1 and at most fleet.replicas, or 1% to 100%",
            );
        }
    }

    fn times(&mut self) {
        let fleet = &self.deployment.fleet;
        let mut times = alloc::vec![
            ("fleet.warm_up", fleet.warm_up_ms, 0),
            ("fleet.ready_within", fleet.ready_within_ms, 1),
            ("fleet.drain", fleet.drain_ms, 0),
            ("rollback.within", self.deployment.rollback.within_ms, 1),
        ];
        match &self.deployment.strategy {
            Strategy::Canary(_) => {}
            Strategy::BlueGreen(it) => times.extend([
                ("strategy.blue_green.bake", it.bake_ms, 1),
                (
                    "strategy.blue_green.scale_down_delay",
                    it.scale_down_delay_ms,
                    0,
                ),
            ]),
            Strategy::Rolling(it) => times.extend([
                ("strategy.rolling.pause", it.pause_ms, 0),
                ("strategy.rolling.watch", it.watch_ms, 0),
            ]),
            Strategy::Recreate(it) => times.extend([
                (
                    "strategy.recreate.downtime.at_most",
                    it.downtime.at_most_ms,
                    1,
                ),
                ("strategy.recreate.watch", it.watch_ms, 0),
            ]),
        }
        for (path, value_ms, least_ms) in times {
            self.time(path, value_ms, least_ms);
        }
        if let Strategy::Canary(canary) = &self.deployment.strategy {
            for (index, step) in canary.steps.iter().enumerate() {
                self.time(&step_path(index, "pause"), step.pause_ms, 1);
            }
        }
    }

    fn time(&mut self, path: &str, value_ms: u64, least_ms: u64) {
        if (least_ms..=30 * DAY_MS).contains(&value_ms) {
            return;
        }
        self.push(
            rules::TIME_RANGE,
            path,
            format!("{} is out of range", format_duration_ms(value_ms)),
            if least_ms > 0 {
                "write more than 0 and at most 30d"
            } else {
                "write at most 30d"
            },
        );
    }

    fn analysis(&mut self) {
        let Some(AnalysisSettings {
            every_ms, policy, ..
        }) = &self.deployment.analysis
        else {
            if !matches!(self.deployment.strategy, Strategy::Recreate(_)) {
                self.push(
                    rules::NO_ANALYSIS,
                    "",
                    String::from("both versions will serve, and nothing compares them"),
                    "add `analysis: { every: 1m }`",
                );
            }
            return;
        };
        if !(100..=3_600_000).contains(every_ms) {
            self.push(
                rules::EVERY_ZERO,
                "analysis.every",
                format!("{} is out of range", format_duration_ms(*every_ms)),
                "write 100ms to 1h",
            );
        }
        for problem in policy.problems() {
            self.push(
                rules::ANALYSIS_POLICY,
                &format!("analysis.policy.{}", problem.field),
                problem.message,
                "correct it, or leave it out to take its default",
            );
        }
        let bounds = [
            policy.error_rate_max_ppm,
            policy.error_ratio_max_percent,
            policy.p99_ratio_max_percent,
            policy.p99_max_ms,
        ];
        if bounds.iter().all(Option::is_none) {
            self.push(
                rules::EMPTY_ANALYSIS,
                "analysis.policy",
                String::from("every bound is switched off: nothing can fail"),
                "set at least one of error_rate_max_ppm, error_ratio_max_percent, \
                 p99_ratio_max_percent, p99_max_ms",
            );
        }
    }

    fn suites(&mut self) {
        let smoke = &self.deployment.smoke;
        let named = [
            ("smoke.before", &smoke.before),
            ("smoke.canary", &smoke.canary),
            ("smoke.after", &smoke.after),
        ];
        for (path, name) in named {
            let Some(name) = name else { continue };
            match self.facts.suites.get(name) {
                Some(fact) if fact.tests > 0 => {}
                Some(_) => self.push(
                    rules::SUITE_EMPTY,
                    path,
                    format!("the suite {name:?} has no test that asserts anything"),
                    "add a test, or leave the suite out: then one `GET /` must answer 200",
                ),
                None if self.facts.suites_read => self.push(
                    rules::SUITE_UNREAD,
                    path,
                    format!("the suite {name:?} could not be read"),
                    "name a file relative to the deployment document",
                ),
                None => self.push(
                    rules::SUITE_UNKNOWN,
                    path,
                    format!("not evaluated: what the suite {name:?} asserts is not known here"),
                    "give the check the suite's digest and number of tests",
                ),
            }
        }
    }

    fn strategy(&mut self) {
        match &self.deployment.strategy {
            Strategy::Canary(canary) => self.canary(canary),
            Strategy::BlueGreen(blue_green) => self.blue_green(blue_green),
            Strategy::Rolling(rolling) => self.rolling(rolling),
            Strategy::Recreate(recreate) => self.recreate(recreate),
        }
    }

    fn canary(&mut self, canary: &Canary) {
        let fleet = &self.deployment.fleet;
        if canary.steps.is_empty() {
            self.push(
                rules::NO_STEPS,
                "strategy.canary.steps",
                String::from("there is no step"),
                "leave `steps` out for 5 %, 25 %, 50 %, 100 %, or write at least one",
            );
            return;
        }
        let (mut traffic, mut count) = (0u16, 0u32);
        for (index, step) in canary.steps.iter().enumerate() {
            let weight = step.traffic.basis_points();
            let path = step_path(index, "traffic");
            if weight == 0 {
                self.push(
                    rules::ZERO_STEP,
                    &path,
                    String::from("this step sends no traffic to the new version"),
                    "write more than 0%",
                );
            } else if weight <= traffic {
                self.push(
                    rules::RAMP_FALLS,
                    &path,
                    format!("{} does not rise above the step before", step.traffic),
                    "order the steps by rising traffic",
                );
            }
            let wanted = wanted_canary_count(self.deployment, step.replicas, weight);
            let needed = instances_needed(weight, fleet.min_ready());
            if wanted < needed {
                self.push(
                    rules::SHARE_UNCARRIED,
                    &step_path(index, "replicas"),
                    format!(
                        "{} of traffic needs {needed} instances, not {wanted}",
                        step.traffic
                    ),
                    "leave `replicas` out to match the traffic, or raise it",
                );
            }
            if wanted < count {
                self.push(
                    rules::STEP_SHRINKS,
                    &step_path(index, "replicas"),
                    format!("{wanted} instances are fewer than the {count} of the step before"),
                    "leave `replicas` out to match the traffic, or raise it",
                );
            }
            self.pause(index, step.pause_ms, weight);
            (traffic, count) = (weight, wanted.max(count));
        }
        if traffic != FULL_WEIGHT {
            self.push(
                rules::RAMP_UNFINISHED,
                &step_path(canary.steps.len() - 1, "traffic"),
                String::from("the ramp ends before the new version serves everything"),
                "add a last step with `traffic: 100%`; its pause is the bake",
            );
        }
        self.blast_radius(canary);
        self.capacity(count, "leave fewer canary instances, or use rolling");
    }

    fn blast_radius(&mut self, canary: &Canary) {
        let first = canary.steps[0].traffic;
        if first.basis_points() > BLAST_RADIUS_MAX {
            self.push(
                rules::BLAST_RADIUS,
                &step_path(0, "traffic"),
                format!("{first} of traffic meets the new version before anything is known of it"),
                "begin with a smaller step, such as 5%",
            );
        }
    }

    fn pause(&mut self, index: usize, pause_ms: u64, weight: u16) {
        let Some(analysis) = &self.deployment.analysis else {
            return;
        };
        let usable_ms = pause_ms.saturating_sub(analysis.warm_up_ms);
        let path = step_path(index, "pause");
        if usable_ms < 2 * analysis.every_ms {
            self.push(
                rules::PAUSE_BLIND,
                &path,
                format!(
                    "{} leave less than two looks of the analysis, {} apart after {} of warm-up",
                    format_duration_ms(pause_ms),
                    format_duration_ms(analysis.every_ms),
                    format_duration_ms(analysis.warm_up_ms),
                ),
                "lengthen the pause, or look more often",
            );
            return;
        }
        let Some(rate) = self.deployment.fleet.requests_per_second else {
            return;
        };
        let requests =
            u64::from(rate) * usable_ms / 1000 * u64::from(weight) / u64::from(FULL_WEIGHT);
        if requests < u64::from(analysis.policy.requests_min) {
            self.push(
                rules::PAUSE_FEW,
                &path,
                format!(
                    "the canary sees about {requests} requests in this pause, and its analysis \
                     wants {}",
                    analysis.policy.requests_min
                ),
                "lengthen the pause or raise the step's traffic; else the rollout waits, then \
                 goes back",
            );
        }
    }

    fn capacity(&mut self, canary: u32, help: &str) {
        let fleet = &self.deployment.fleet;
        if canary > fleet.spare {
            self.push(
                rules::NO_SPARE,
                "fleet.spare",
                format!(
                    "{canary} new instances run beside the old; {} are spare",
                    fleet.spare
                ),
                &format!("set `spare: {canary}`, or {help}"),
            );
        }
    }

    fn blue_green(&mut self, blue_green: &BlueGreen) {
        if blue_green.scale_down_delay_ms < blue_green.bake_ms {
            self.push(
                rules::DELAY_SHORT,
                "strategy.blue_green.scale_down_delay",
                format!(
                    "the old environment would go after {}, before the bake of {} is over",
                    format_duration_ms(blue_green.scale_down_delay_ms),
                    format_duration_ms(blue_green.bake_ms)
                ),
                "make it at least as long as the bake; 1h is usual",
            );
        }
        self.capacity(
            self.deployment.fleet.replicas,
            "use rolling, which needs less",
        );
    }

    fn rolling(&mut self, rolling: &Rolling) {
        let Fleet {
            replicas, spare, ..
        } = self.deployment.fleet;
        let limits = rolling_limits(
            rolling.max_surge.of_ceil(replicas),
            rolling.max_unavailable.of_floor(replicas),
        );
        if limits.surge > spare {
            self.push(
                rules::ROLLING_SURGE,
                "strategy.rolling.max_surge",
                format!("{} instances of surge; {spare} are spare", limits.surge),
                &format!("set `fleet.spare: {}`, or lower the surge", limits.surge),
            );
        }
        let left = replicas.saturating_sub(limits.unavailable);
        let floor = self.deployment.fleet.min_ready();
        if left < floor {
            self.push(
                rules::ROLLING_FLOOR,
                "strategy.rolling.max_unavailable",
                format!(
                    "{} instances may be missing, which leaves {left}; min healthy is {floor}",
                    limits.unavailable
                ),
                "lower max_unavailable (0 needs a surge), or lower fleet.min_healthy",
            );
        }
    }

    fn recreate(&mut self, _recreate: &Recreate) {
        if self.deployment.is_production() {
            self.push(
                rules::RECREATE_PRODUCTION,
                "strategy.recreate",
                String::from("recreate stops the service before the new version starts"),
                "use canary, blue-green or rolling in production",
            );
        }
    }

    /// What only the plan shows.
    fn plan(&mut self) {
        let plan = draft(self.deployment, self.facts);
        let within_ms = self.deployment.rollback.within_ms;
        let worst = plan
            .steps
            .iter()
            .enumerate()
            .max_by_key(|(_, step)| step.back_within_ms);
        if let Some((index, step)) = worst
            && step.back_within_ms > within_ms
        {
            let (index, back_ms, id) = (index + 1, step.back_within_ms, step.id.clone());
            self.push(
                rules::RECOVERY_SLOW,
                "rollback.within",
                format!(
                    "from step {index} ({id}) the way back may take {}, more than {}",
                    if back_ms == u64::MAX {
                        String::from("for ever")
                    } else {
                        format_duration_ms(back_ms)
                    },
                    format_duration_ms(within_ms)
                ),
                "raise `within`, or shorten fleet.ready_within, fleet.warm_up or fleet.drain",
            );
        }
        let canary_most = plan
            .steps
            .iter()
            .map(|step| step.target.canary)
            .max()
            .unwrap_or(0);
        let keep = self.deployment.rollback.keep;
        if keep > canary_most.min(self.deployment.fleet.spare) {
            self.push(
                rules::KEEP_MANY,
                "rollback.keep",
                format!("{keep} instances cannot be kept beside a full stable fleet"),
                "keep no more than fleet.spare and the canary allow",
            );
        }
        self.downtime(&plan);
    }

    fn downtime(&mut self, plan: &Plan) {
        let Some(downtime) = &plan.downtime else {
            return;
        };
        let mut closed_ms = 0u64;
        for (index, step) in plan.steps.iter().enumerate() {
            let opens = matches!(&step.action, Action::Shift { split } if !split.is_closed());
            if plan.before(index).split.is_closed() && !opens {
                closed_ms = closed_ms.saturating_add(match &step.action {
                    Action::Scale {
                        arm: Arm::Stable, ..
                    } => plan.fleet.drain_ms,
                    Action::Scale {
                        arm: Arm::Canary, ..
                    } => plan.fleet.ready_within_ms + plan.fleet.warm_up_ms,
                    _ => 0,
                });
            }
        }
        if closed_ms > downtime.at_most_ms {
            self.push(
                rules::DOWNTIME_SHORT,
                "strategy.recreate.downtime.at_most",
                format!(
                    "draining and starting may keep the service closed for {}, more than {}",
                    format_duration_ms(closed_ms),
                    format_duration_ms(downtime.at_most_ms)
                ),
                "have a longer downtime accepted, or shorten fleet.ready_within or fleet.drain",
            );
        }
    }
}

fn step_path(index: usize, field: &str) -> String {
    format!("strategy.canary.steps[{index}].{field}")
}
