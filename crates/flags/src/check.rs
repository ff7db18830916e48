//! What is wrong with a set of flags, and which flags have become debt.

use crate::check_growth;
use crate::check_rules;
use crate::codes;
use crate::ir::{DefaultVariant, Expr, Flag, Kind, Op, Rule, State, Weight};
use crate::set::FlagSet;
use alloc::format;
use nonevent_document::{Code, Finding, Findings, Timestamp};

const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// A release flag is to go this many days after it reached everyone.
const RELEASE_DAYS_MAX: i64 = 14;

impl FlagSet {
    /// All findings: those from loading (unknown operators, shares that do not sum, variants that
    /// are not defined or of different types, …), rules that are never reached, flags that wait for
    /// each other, shares that cannot grow without taking the feature from somebody and, as of `now`,
    /// debt.
    ///
    /// Debt is a flag that nobody owns, one past its cleanup date, a release or experiment flag
    /// without such a date, and a release flag that has served everyone for over two weeks. flagd
    /// files say these things in a flag's `metadata`: `owner`, `type`, `created`, `cleanup_by`,
    /// `full_since` (the day on which everyone was served).
    ///
    /// ```
    /// use nonevent_flags::{FlagSet, LoadOptions};
    ///
    /// let text = br#"{"flags": {"old": {"type": "release", "cleanup_by": "2026-02-15"}}}"#;
    /// let flags = FlagSet::load("flags.json", text, LoadOptions::default())?.set;
    /// let findings = flags.check("2026-03-01T09:00:00Z".parse().expect("a time"));
    /// assert!(findings.iter().any(|finding| finding.code.to_string() == "NE4021"));
    /// # Ok::<(), nonevent_document::Findings>(())
    /// ```
    #[must_use]
    pub fn check(&self, now: Timestamp) -> Findings {
        let mut findings = self.findings.clone();
        let rules = check_rules::findings(self);
        for finding in rules.into_iter().chain(check_growth::findings(self)) {
            findings.push(finding);
        }
        for flag in &self.flags {
            for finding in debt(flag, now) {
                findings.push(finding);
            }
        }
        findings
    }
}

fn debt(flag: &Flag, now: Timestamp) -> impl Iterator<Item = Finding> {
    [
        no_owner(flag),
        overdue(flag, now),
        no_date(flag),
        stale_release(flag, now),
    ]
    .into_iter()
    .flatten()
}

pub(crate) fn warn(
    flag: &Flag,
    code: Code,
    message: impl Into<alloc::string::String>,
    help: &str,
) -> Finding {
    let mut finding = Finding::warning(code, &*flag.origin.path, message, help);
    finding.at = flag.origin.at;
    finding
}

fn no_owner(flag: &Flag) -> Option<Finding> {
    if flag.about().owner.is_some() {
        return None;
    }
    let message = format!("nobody is named as owner of {:?}", flag.key);
    let help = "name the team that will remove it";
    if flag.about().bare {
        // A bare value has no room for an owner, so this is no more than a hint.
        let mut finding = Finding::note(codes::NO_OWNER, &*flag.origin.path, message, help);
        finding.at = flag.origin.at;
        return Some(finding);
    }
    Some(warn(flag, codes::NO_OWNER, message, help))
}

fn overdue(flag: &Flag, now: Timestamp) -> Option<Finding> {
    let date = flag.about().cleanup_by?;
    // The whole of that day is still in time.
    let days = now.ms_since(date) / DAY_MS;
    (now.ms_since(date) >= DAY_MS).then(|| {
        let message = format!("{:?} was to be removed {} ago", flag.key, in_days(days));
        warn(
            flag,
            codes::OVERDUE,
            message,
            "remove the flag and its dead branch, or set a new date",
        )
    })
}

fn no_date(flag: &Flag) -> Option<Finding> {
    let kind = flag
        .about()
        .kind
        .filter(|kind| matches!(kind, Kind::Release | Kind::Experiment))?;
    if flag.about().bare {
        // The format has no place for a date.
        return None;
    }
    flag.about().cleanup_by.is_none().then(|| {
        let message = format!(
            "{:?} has no cleanup date, which {} flags need",
            flag.key,
            kind.as_str()
        );
        warn(flag, codes::NO_CLEANUP_DATE, message, "add `cleanup_by`")
    })
}

fn stale_release(flag: &Flag, now: Timestamp) -> Option<Finding> {
    let about = flag.about();
    if about.kind != Some(Kind::Release) || !serves_everyone(flag) {
        return None;
    }
    let help = "release flags go within two weeks of 100 %: remove it and its dead branch";
    let days_since = |then: Timestamp| now.ms_since(then) / DAY_MS;
    if let Some(days) = about.full_since.map(days_since) {
        return (days > RELEASE_DAYS_MAX).then(|| {
            let message = format!("{:?} has been at 100 % for {}", flag.key, in_days(days));
            warn(flag, codes::STALE_RELEASE, message, help)
        });
    }
    match about.created.map(days_since) {
        Some(days) if days <= RELEASE_DAYS_MAX => None,
        Some(days) => {
            let message = format!(
                "{:?} is at 100 % and was created {} ago; since when it is at 100 % is not recorded",
                flag.key,
                in_days(days)
            );
            let help = "remove it if that is over two weeks, or record the day as `full_since`";
            Some(warn(flag, codes::STALE_RELEASE, message, help))
        }
        None => {
            let message = format!(
                "not evaluated: {:?} is at 100 %, but neither `full_since` nor `created` is recorded",
                flag.key
            );
            let mut finding = Finding::note(
                codes::STALE_RELEASE,
                &*flag.origin.path,
                message,
                "add one of them",
            );
            finding.at = flag.origin.at;
            Some(finding)
        }
    }
}

fn in_days(days: i64) -> alloc::string::String {
    if days == 1 {
        "1 day".into()
    } else {
        format!("{days} days")
    }
}

/// Whether everyone is served one variant, and that variant is not `false`.
fn serves_everyone(flag: &Flag) -> bool {
    let index = match (&flag.state, &*flag.rules, &flag.default) {
        (State::Enabled, [], DefaultVariant::Variant(index)) => Some(*index),
        (State::Enabled, rules, _) => only_served(rules),
        _ => None,
    };
    index
        .and_then(|index| flag.variants.get(index))
        .is_some_and(|variant| variant.value != serde_json::Value::Bool(false))
}

/// The variant that rules serve up to the first that is for everyone, if it is one.
fn only_served(rules: &[Rule]) -> Option<usize> {
    let open = rules.iter().position(|rule| rule.when.is_none())?;
    let mut served = rules.iter().take(open + 1).map(|it| only_result(&it.serve));
    let first = served.next()??;
    served.all(|it| it == Some(first)).then_some(first)
}

/// The variant that an expression gives to everyone with a key.
fn only_result(expr: &Expr) -> Option<usize> {
    match expr {
        Expr::Variant(index, _) => Some(*index),
        Expr::Split(split) => {
            let mut served = split
                .arms
                .iter()
                .filter(|arm| arm.weight != Weight::Fixed(0));
            let arm = served.next()?;
            if served.next().is_some() {
                None
            } else {
                only_result(&arm.serve)
            }
        }
        Expr::Call { op: Op::If, args } => {
            // Conditions and results take turns; a result without a condition is for the rest.
            let (pairs, rest) = args.as_chunks::<2>();
            let is_true = |when: &Expr| when.as_const() == Some(&serde_json::Value::Bool(true));
            let is_open = pairs.last().is_some_and(|[when, _]| is_true(when));
            let served = pairs.iter().map(|[_, serve]| serve).chain(rest);
            let mut served = served.map(only_result);
            let first = served.next()??;
            let is_one = served.all(|it| it == Some(first));
            (is_one && (is_open || !rest.is_empty())).then_some(first)
        }
        _ => None,
    }
}
