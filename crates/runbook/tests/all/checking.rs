//! Pages held against their plan and against what else is known, and against one another.

use std::collections::BTreeSet;

use nonevent_document::{Severity, Timestamp};
use nonevent_runbook::{Circumstances, RULES, check, compare, update};
use nonevent_strategy::{Plan, StrategyKind};

use crate::plans::{default_plan, deployment, filled, fixture_plan, resolve, runbook};

fn names(of: &[&str]) -> Option<BTreeSet<String>> {
    Some(of.iter().map(|it| (*it).to_owned()).collect())
}

fn time(text: &str) -> Option<Timestamp> {
    Some(text.parse().unwrap())
}

fn findings(page: &str, plan: &Plan, known: &Circumstances) -> String {
    let findings = check(page, plan, known).unwrap();
    let lines: Vec<String> = findings.iter().map(ToString::to_string).collect();
    lines.join("\n")
}

/// A page with its blanks filled in, and its plan.
fn page(name: &str) -> (String, Plan) {
    let plan = fixture_plan(name);
    let page = filled(&runbook(&plan).to_markdown());
    (page, plan)
}

fn signed(page: &str, role: &str, name: &str) -> String {
    let empty = format!("- [ ] {role} <");
    let at = page.find(&empty).unwrap();
    let (before, after) = page.split_at(at);
    let after = after
        .replacen("- [ ]", "- [x]", 1)
        .replacen(r"\<name\>", name, 1)
        .replacen(r"\<date, UTC\>", "2026-01-05", 1);
    before.to_owned() + &after
}

#[test]
fn a_page_in_order_has_no_findings() {
    let (page, plan) = page("canary.yaml");
    let page = signed(&page, "Deploy lead", "ada");
    let known = Circumstances {
        author: Some("grace".to_owned()),
        people: names(&["ada", "checkout team"]),
        window_ms: Some(2 * 3_600_000),
        changed: time("2026-01-05T11:59:59Z"),
        ..Circumstances::default()
    };
    assert_eq!(findings(&page, &plan, &known), "");
}

#[test]
fn a_blank_in_a_step_may_be_filled_in() {
    let plan = default_plan(StrategyKind::Recreate);
    let page = filled(&runbook(&plan).to_markdown());
    let in_step = |it: &&str| it.contains(r"\<") && it.contains("id: step/");
    let line = page.lines().find(in_step).unwrap();
    let start = line.find(r"\<").unwrap();
    let end = line.find(r"\>").unwrap() + 2;
    let after = page.replace(&line[start..end], "ada");
    let told = findings(&after, &plan, &Circumstances::default());
    assert!(!told.contains("NE6020"), "{told}");
}

#[test]
#[expect(clippy::too_many_lines, reason = "one case after another")]
fn what_stands_against_a_page_is_told() {
    let (page, plan) = page("canary.yaml");
    let nothing = Circumstances::default();
    let put = |id: &str, text: &str| {
        let anchor = format!("<!-- id: {id} -->\n");
        assert!(page.contains(&anchor), "{id}");
        page.replace(&anchor, &(anchor.clone() + text))
    };
    let own_step = "\n### Call the bank\n\n- [ ] Call them.\n";
    let cases = [
        (
            "a step reworded",
            page.replace("from 0 to exactly 1", "from 0 to exactly 2"),
            nothing.clone(),
        ),
        (
            "an item reworded",
            page.replace("and know how to abort", "and have lunch"),
            nothing.clone(),
        ),
        (
            "a blank filled in is not reworded",
            page.clone(),
            nothing.clone(),
        ),
        (
            "nothing decided",
            put(
                "check/gates",
                "  TODO: ask who. Or TBD?\n  AUTODOC is no placeholder, nor XXXL\n",
            ),
            nothing.clone(),
        ),
        (
            "ticks out of order",
            {
                let page = page.replace("- [ ] Start 1 instance", "- [x] Start 1 instance");
                page.replace("- [ ] Set the router", "- [x] Set the router")
            },
            nothing.clone(),
        ),
        (
            "a step of their own",
            put("step/smoke-before/back", own_step),
            nothing.clone(),
        ),
        (
            "one that can be seen",
            put(
                "step/smoke-before/back",
                &format!("{own_step}- Seen: they answer\n"),
            ),
            nothing.clone(),
        ),
        (
            "one that is complete",
            put(
                "step/smoke-before/back",
                &format!("{own_step}- Seen: they answer\n- Way back: call again\n"),
            ),
            nothing.clone(),
        ),
        (
            "a section that is no step",
            put("step/smoke-before/back", "\n### Remember\n\nAll is well.\n"),
            nothing.clone(),
        ),
        (
            "the author signs, twice",
            {
                let page = signed(&page, "Deploy lead", "ada");
                signed(&page, "Product owner", "ada")
            },
            Circumstances {
                author: Some("ada".to_owned()),
                people: names(&["checkout team", "ada"]),
                ..nothing.clone()
            },
        ),
        (
            "somebody unknown signs",
            signed(&page, "Deploy lead", "mallory"),
            Circumstances {
                author: Some("ada".to_owned()),
                people: names(&["ada"]),
                ..nothing.clone()
            },
        ),
        (
            "who made it is not known",
            signed(&page, "Deploy lead", "ada"),
            Circumstances {
                people: names(&["ada", "checkout team"]),
                ..nothing.clone()
            },
        ),
        (
            "a short window",
            page.clone(),
            Circumstances {
                window_ms: Some(3_600_000),
                people: names(&["checkout team"]),
                ..nothing.clone()
            },
        ),
        (
            "an older page",
            page.clone(),
            Circumstances {
                changed: time("2026-01-05T12:00:01Z"),
                people: names(&["checkout team"]),
                ..nothing.clone()
            },
        ),
        (
            "another plan",
            {
                let digest = plan.digest().unwrap().to_string();
                page.replace(&digest, &nonevent_document::Digest::of(b"x").to_string())
            },
            nothing,
        ),
    ];
    let told: Vec<String> = cases
        .iter()
        .map(|(name, page, known)| {
            let digest = plan.digest().unwrap();
            let found = findings(page, &plan, known);
            format!(
                "{name}:\n{}\n",
                found.replace(&digest.short().to_string(), "<plan>")
            )
        })
        .collect();
    insta::assert_snapshot!(told.join("\n"));
}

#[test]
fn windows_and_points_of_no_return_are_held_against_what_is_known() {
    let (page, plan) = page("rolling-windows.yaml");
    let at = |begins| Circumstances {
        begins,
        people: names(&[]),
        ..Circumstances::default()
    };
    let mut told = vec![
        findings(&page, &plan, &at(None)),
        findings(&page, &plan, &at(time("2026-01-04T03:00:00Z"))),
    ];
    let (page, plan) = self::page("canary-full.yaml");
    assert!(
        plan.rollback.no_way_back.is_some(),
        "it has a point of no return"
    );
    let who = plan
        .rollback
        .no_way_back
        .as_ref()
        .unwrap()
        .accepted_by
        .clone();
    told.push(findings(&page, &plan, &Circumstances::default()));
    let signed_by = |name: &str| Circumstances {
        signed_by: names(&[name]),
        ..Circumstances::default()
    };
    told.push(findings(&page, &plan, &signed_by("somebody else")));
    let settled = findings(&page, &plan, &signed_by(&who));
    assert!(!settled.contains("NE6012"), "{settled}");
    let on_page = findings(
        &signed(&page, "Deploy lead", &who),
        &plan,
        &Circumstances::default(),
    );
    assert!(!on_page.contains("NE6012"), "{on_page}");
    insta::assert_snapshot!(told.join("\n\n"));
}

#[test]
fn only_errors_are_in_the_way() {
    let rule = |code: &str| RULES.iter().find(|it| it.code.to_string() == code).unwrap();
    assert_eq!(rule("NE6021").severity, Severity::Note);
    assert_eq!(rule("NE6020").severity, Severity::Error);
}

#[test]
fn pages_are_told_apart_in_words() {
    let (before, _) = page("canary.yaml");
    let mut other = deployment("canary.yaml");
    other.fleet.drain_ms = 45_000;
    let after = runbook(&resolve(other)).to_markdown();
    let mut worked_on = update(&before, &after).page;
    worked_on = worked_on.replace("- [ ] All earlier", "- [x] All earlier");
    worked_on = worked_on.replace(
        "<!-- id: check/gates -->\n",
        "<!-- id: check/gates -->\n  said *so*\n",
    );
    worked_on = worked_on.replace("- data is damaged\n", "");
    let told: Vec<String> = compare(&before, &worked_on)
        .iter()
        .filter(|it| !["header/plan", "header/shape"].contains(&it.id.as_deref().unwrap_or("")))
        .map(|it| format!("{}:{} {it}", it.at.line, it.at.column))
        .collect();
    insta::assert_snapshot!(told.join("\n"));
    assert_eq!(compare(&before, &before), []);
    let later = before.replace("2026-01-05T12:00:00Z", "2026-01-05T13:00:00Z");
    assert_eq!(compare(&before, &later), []);
    let untick = compare(&worked_on, &worked_on.replace("[x]", "[ ]"));
    assert_eq!(untick.len(), 1);
    assert_eq!(untick[0].to_string(), "check/gates: is no longer ticked");
}
