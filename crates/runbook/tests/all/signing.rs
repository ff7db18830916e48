//! Pages that are signed, followed, and meddled with.

use std::sync::OnceLock;

use nonevent_document::{Digest, Timestamp};
use nonevent_evidence::{Decision, Predicate, RunbookReview};
use nonevent_runbook::{
    Record, RecordOutcome, Reviewer, Standing, TickErrorKind, Verified, page_digest, parse, review,
    sign, signed_text, tick, verify,
};
use nonevent_strategy::Plan;

use crate::plans::{filled, fixture_plan, runbook};

const ROLES: [&str; 3] = ["deploy-lead", "on-call-engineer", "product-owner"];

fn plan() -> &'static Plan {
    static PLAN: OnceLock<Plan> = OnceLock::new();
    PLAN.get_or_init(|| fixture_plan("canary.yaml"))
}

fn page() -> String {
    filled(&runbook(plan()).to_markdown())
}

fn reviewer(role: &str, person: &str) -> Reviewer {
    Reviewer {
        role: role.to_owned(),
        person: person.to_owned(),
        decision: Decision::Approved,
        at: "2026-01-05T13:00:00Z".parse().unwrap(),
    }
}

fn reviewed(page: &str, reviewer: &Reviewer) -> RunbookReview {
    let statement = review(page, plan().digest().unwrap(), reviewer);
    assert_eq!(statement.subjects.len(), 2);
    match statement.predicate {
        Predicate::RunbookReview(review) => review,
        other => unreachable!("{other:?}"),
    }
}

/// The page signed by three people, with what they signed.
fn signed() -> (String, Vec<RunbookReview>) {
    let mut page = page();
    let mut reviews = Vec::new();
    for (role, person) in ROLES.iter().zip(["ada", "grace", "edsger"]) {
        let reviewer = reviewer(role, person);
        reviews.push(reviewed(&page, &reviewer));
        page = sign(&page, &reviewer).unwrap();
    }
    (page, reviews)
}

fn verified(page: &str, reviews: &[RunbookReview]) -> Vec<Verified> {
    let slots = parse(page, plan()).unwrap().sign_offs;
    let reviews: Vec<&RunbookReview> = reviews.iter().collect();
    verify(page, plan().digest().unwrap(), &ROLES, &slots, &reviews)
}

fn holds(page: &str, reviews: &[RunbookReview]) -> bool {
    verified(page, reviews).iter().all(Verified::holds)
}

#[test]
fn people_sign_one_after_another_and_the_page_shows_it() {
    let (page, reviews) = signed();
    assert!(holds(&page, &reviews));
    let slots = parse(&page, plan()).unwrap().sign_offs;
    let shown: Vec<_> = slots
        .iter()
        .map(|it| (it.ticked, it.name.as_deref(), it.date.as_deref()))
        .collect();
    let at = Some("2026-01-05T13:00:00Z");
    assert_eq!(
        shown,
        [
            (true, Some("ada"), at),
            (true, Some("grace"), at),
            (true, Some("edsger"), at)
        ]
    );
    assert!(
        parse(&page, plan())
            .unwrap()
            .findings
            .iter()
            .next()
            .is_none()
    );
}

fn record(seen: &str) -> Record {
    Record {
        outcome: RecordOutcome::Done,
        at: "2026-01-06T06:01:02Z".parse().unwrap(),
        by: "ada".to_owned(),
        took_ms: 12_000,
        seen: seen.to_owned(),
    }
}

#[test]
fn following_a_page_leaves_what_was_signed_alone() {
    let (mut page, reviews) = signed();
    let noted = "<!-- id: step/smoke-before/do -->\n";
    let before = page.clone();
    let ids: Vec<String> = parse(&page, plan())
        .unwrap()
        .items
        .iter()
        .map(|it| it.id.clone())
        .collect();
    for id in &ids {
        let record = record("two are ready\n- [ ] | `x` <!-- id: a --> <b>");
        page = tick(&page, id, Some(&record)).unwrap();
        assert_eq!(
            tick(&page, id, Some(&record)).unwrap(),
            page,
            "twice is once"
        );
        page = tick(&page.replace('\n', "\r\n"), id, None)
            .unwrap()
            .replace("\r\n", "\n");
    }
    assert_ne!(page, before);
    assert!(holds(&page, &reviews), "{:?}", verified(&page, &reviews));
    assert_eq!(signed_text(&page), signed_text(&before));
    let items = parse(&page, plan()).unwrap().items;
    assert!(
        items
            .iter()
            .all(|it| it.ticked && it.note.is_none() && it.records.len() == 1)
    );
    let record = &items[0].records[0];
    assert_eq!(record.outcome, "Done");
    assert_eq!(
        record.at,
        "2026-01-06T06:01:02Z".parse::<Timestamp>().unwrap()
    );
    assert_eq!(
        record.text,
        "by ada in 12s: two are ready␊- [ ] | `x` <!-- id: a --> <b>"
    );
    assert!(!holds(
        &page.replace(noted, &format!("{noted}  - a note\n")),
        &reviews
    ));
}

#[test]
fn what_failed_is_recorded_and_not_ticked() {
    let failed = Record {
        outcome: RecordOutcome::Failed,
        ..record("")
    };
    let page = tick(&page(), "step/traffic-5/do", Some(&failed)).unwrap();
    let items = parse(&page, plan()).unwrap().items;
    let item = items
        .iter()
        .find(|it| it.id == "step/traffic-5/do")
        .unwrap();
    assert!(!item.ticked);
    assert_eq!(item.records[0].outcome, "Failed");
    for (id, kind) in [
        ("step/nowhere", TickErrorKind::Missing),
        ("step/traffic-5/back", TickErrorKind::NoBox),
        ("header/plan", TickErrorKind::NoBox),
    ] {
        assert_eq!(tick(&page, id, None).unwrap_err().kind(), kind, "{id}");
    }
}

#[test]
fn every_change_of_one_byte_voids_every_signature() {
    let (page, reviews) = signed();
    // What may change is the inside of boxes; names and dates, which are held against what was
    // signed.
    let boxes: Vec<usize> = page.match_indices("- [").map(|(at, _)| at + 3).collect();
    let mut refused = 0;
    for at in 0..page.len() {
        if boxes.contains(&at) {
            continue;
        }
        let mut bytes = page.clone().into_bytes();
        bytes[at] ^= 1;
        // A page that is no text is refused before anybody asks who signed it.
        let Ok(changed) = String::from_utf8(bytes) else {
            continue;
        };
        let standings = verified(&changed, &reviews);
        assert!(
            standings.iter().any(|it| !it.holds()),
            "{at}: {:?}",
            &changed[at.saturating_sub(30)..at]
        );
        refused += 1;
    }
    assert!(refused > page.len() - 1_000, "{refused} of {}", page.len());
}

fn told(page: &str, reviews: &[RunbookReview]) -> String {
    let lead = verified(page, reviews).remove(0);
    let mut text = format!("{:?}", lead.standing);
    for change in &lead.changes {
        let line = change.at.map_or(0, |at| at.line);
        let shown = page
            .lines()
            .nth((line as usize).wrapping_sub(1))
            .unwrap_or("");
        let shown: String = shown.chars().take(60).collect();
        text.push_str(&format!("\n  {line}: {} | {shown}", change.what));
    }
    text
}

#[test]
fn what_changed_is_told() {
    let (page, reviews) = signed();
    let swapped = {
        let mut lines: Vec<&str> = page.lines().collect();
        let at = lines
            .iter()
            .position(|it| it.contains("check/gates"))
            .unwrap();
        lines.swap(at, at + 3);
        lines.join("\n") + "\n"
    };
    let cases = [
        ("as signed", page.clone()),
        (
            "a step's words",
            page.replace("from 0 to exactly 1", "from 0 to exactly 2"),
        ),
        ("two items changed places", swapped),
        (
            "an item more",
            page.replace(
                "<!-- id: check/people -->\n",
                "<!-- id: check/people -->\n- [x] And this.\n",
            ),
        ),
        (
            "a note",
            page.replace(
                "<!-- id: check/gates -->\n",
                "<!-- id: check/gates -->\n  use host B\n",
            ),
        ),
        ("a line less", page.replace("- data is damaged\n", "")),
        (
            "a space at a line's end",
            page.replace("- data is damaged\n", "- data is damaged \n"),
        ),
        ("another name", page.replace("Name: ada", "Name: mallory")),
        (
            "another day",
            page.replace("Date: 2026-01-05T13", "Date: 2026-01-05T14"),
        ),
        ("all of it", "# Something else\n".to_owned()),
    ];
    let told: Vec<String> = cases
        .iter()
        .map(|(name, page)| format!("{name}: {}", told(page, &reviews)))
        .collect();
    insta::assert_snapshot!(told.join("\n\n"));
}

#[test]
fn the_latest_word_in_a_role_counts() {
    let (page, mut reviews) = signed();
    let mut later = Reviewer {
        decision: Decision::Rejected,
        at: "2026-01-05T14:00:00Z".parse().unwrap(),
        ..reviewer("deploy-lead", "barbara")
    };
    reviews.push(reviewed(&page, &later));
    assert_eq!(verified(&page, &reviews)[0].standing, Standing::Rejected);
    later.decision = Decision::Approved;
    later.at = "2026-01-05T15:00:00Z".parse().unwrap();
    reviews.push(reviewed(&page, &later));
    assert_eq!(verified(&page, &reviews)[0].standing, Standing::OtherName);
    assert!(holds(&sign(&page, &later).unwrap(), &reviews));
    assert_eq!(
        verified(&page, &reviews[1..3])[0].standing,
        Standing::Missing
    );
    let slots = parse(&page, plan()).unwrap().sign_offs;
    let all: Vec<&RunbookReview> = reviews.iter().collect();
    let other = verify(&page, Digest::of(b"another plan"), &ROLES, &slots, &all);
    assert!(other.iter().all(|it| it.standing == Standing::OtherPlan));
    assert!(verify(&page, plan().digest().unwrap(), &[], &slots, &all).is_empty());
    assert_ne!(page_digest(&page), page_digest(""));
}
