//! Pages that people have worked on.

use nonevent_document::Digest;
use nonevent_evidence::Predicate;
use nonevent_runbook::{RULES, Reviewed, page_digest, parse, to_statement};
use nonevent_strategy::{Plan, StrategyKind};

use crate::plans::{default_plan, filled, fixture_plan, now, runbook};

fn plan() -> Plan {
    fixture_plan("canary.yaml")
}

/// The page of [`plan`] with its one blank filled in.
fn page() -> String {
    filled(&runbook(&plan()).to_markdown())
}

fn reviewed(page: &str) -> Reviewed {
    parse(page, &plan()).unwrap()
}

/// Code, path, line and column.
type Fault = (String, String, Option<(u32, u32)>);

fn faults(page: &str) -> Vec<Fault> {
    let findings = reviewed(page).findings;
    let at = |finding: &nonevent_document::Finding| finding.at.map(|at| (at.line, at.column));
    findings
        .iter()
        .map(|it| (it.code.to_string(), it.path.clone(), at(it)))
        .collect()
}

/// Where a text stands in the page, as line and column in characters.
fn place(page: &str, text: &str) -> Option<(u32, u32)> {
    let at = page.find(text)?;
    let line = page[..at].matches('\n').count() + 1;
    let start = page[..at].rfind('\n').map_or(0, |end| end + 1);
    let column = page[start..at].chars().count() + 1;
    Some((u32::try_from(line).ok()?, u32::try_from(column).ok()?))
}

fn fault(code: &str, path: &str, at: Option<(u32, u32)>) -> Fault {
    (code.to_owned(), path.to_owned(), at)
}

#[test]
fn a_page_as_rendered_has_no_fault_but_its_blanks() {
    assert_eq!(faults(&page()), []);
    let plan = default_plan(StrategyKind::Canary);
    let page = runbook(&plan).to_markdown();
    let findings = parse(&page, &plan).unwrap().findings;
    let names: Vec<&str> = findings
        .iter()
        .map(|finding| finding.message.split(" is").next().unwrap())
        .collect();
    assert_eq!(
        names,
        [
            "<service>",
            "<release>",
            "<environment>",
            "<previous>",
            "<owner>",
            "<window start, UTC>",
            "<on-call contact>",
            "<escalation contact>"
        ]
    );
    assert_eq!(
        findings
            .iter()
            .next()
            .unwrap()
            .at
            .map(|at| (at.line, at.column)),
        Some((1, 12))
    );
}

#[test]
fn ticks_notes_and_signatures_are_read() {
    let page = page()
        .replace("- [ ] All earlier gates", "- [x] All earlier gates")
        .replace("- [ ] `1.5.0` is built", "* [X] `1.5.0` is built")
        .replace(
            "<!-- id: check/baseline -->\n",
            "<!-- id: check/baseline -->\n  - errors at 0.02 %, see *board 7*\n  - p99 41 ms\n",
        )
        .replace(
            "- [ ] Deploy lead <!-- id: sign-off/deploy-lead -->\n  - Name: \\<name\\>\n  - Date: \\<date, UTC\\>",
            "- [x] Deploy lead <!-- id: sign-off/deploy-lead -->\n  - Name: Ada \\*L\\*\n  - Date: 2026-01-05\n  - with thanks",
        );
    let reviewed = reviewed(&page);
    assert_eq!(faults(&page), []);
    assert!(reviewed.matches);
    let ticked: Vec<&str> = reviewed
        .items
        .iter()
        .filter(|it| it.ticked)
        .map(|it| it.id.as_str())
        .collect();
    assert_eq!(ticked, ["check/gates", "check/artifact"]);
    let noted: Vec<(&str, &str)> = reviewed
        .items
        .iter()
        .filter_map(|item| Some((item.id.as_str(), item.note.as_deref()?)))
        .collect();
    assert_eq!(
        noted,
        [(
            "check/baseline",
            "- errors at 0.02 %, see *board 7*\n  - p99 41 ms"
        )]
    );
    let lead = &reviewed.sign_offs[0];
    assert_eq!((lead.role, lead.ticked), ("Deploy lead", true));
    assert_eq!(lead.name.as_deref(), Some("Ada *L*"));
    assert_eq!(lead.date.as_deref(), Some("2026-01-05"));
    assert_eq!(lead.note.as_deref(), Some("- with thanks"));
    assert_eq!(
        Some((lead.at.line, lead.at.column)),
        place(&page, "- [x] Deploy lead")
    );
    assert!(
        reviewed.sign_offs[1..]
            .iter()
            .all(|it| !it.ticked && it.name.is_none())
    );
}

#[test]
fn line_ends_of_another_system_change_nothing() {
    let unix = page().replace("- [ ] All earlier gates", "- [x] All earlier gates");
    let windows = unix.replace('\n', "\r\n");
    assert_eq!(reviewed(&unix), reviewed(&windows));
}

#[test]
fn a_page_of_another_plan_is_found_out() {
    let mut other = plan();
    other.release.to = String::from("1.5.1");
    let page = page();
    let reviewed = parse(&page, &other).unwrap();
    assert!(!reviewed.matches);
    assert_eq!(reviewed.digest_in_page, Some(plan().digest().unwrap()));
    let finding = reviewed.findings.iter().next().unwrap();
    assert_eq!(finding.code.as_str(), "NE6003");
    assert!(
        finding.message.contains(&plan().digest().unwrap().short()),
        "{finding}"
    );
    assert!(
        finding.message.contains(&other.digest().unwrap().short()),
        "{finding}"
    );
    assert_eq!(
        finding.at.map(|at| (at.line, at.column)),
        place(&page, "<!-- id: header/plan -->")
    );
}

#[test]
fn a_digest_that_is_gone_is_no_digest() {
    let digest = plan().digest().unwrap().to_string();
    let without = page().replace(&digest, "sha256:0");
    assert_eq!(reviewed(&without).digest_in_page, None);
    let at = place(&without, "<!-- id: header/plan -->");
    assert_eq!(faults(&without), [fault("NE6002", "header/plan", at)]);
    let line = page()
        .lines()
        .find(|line| line.contains("header/plan"))
        .unwrap()
        .to_owned();
    let without = page().replace(&line, "");
    assert!(!reviewed(&without).matches);
    assert!(faults(&without).contains(&fault("NE6002", "header/plan", Some((1, 1)))));
}

#[test]
fn items_that_are_gone_twice_or_unknown_are_found() {
    let page = page();
    let line = |id: &str| {
        let anchor = format!("<!-- id: {id} -->");
        page.lines()
            .find(|line| line.contains(&anchor))
            .unwrap()
            .to_owned()
            + "\n"
    };
    let gone = page.replace(&line("step/traffic-25/back"), "");
    assert_eq!(
        faults(&gone),
        [fault("NE6005", "step/traffic-25/back", None)]
    );
    let gone = page.replace(&line("check/people"), "");
    assert_eq!(faults(&gone), [fault("NE6006", "check/people", None)]);

    let second = line("check/people").replace("- [ ]", "- [x]");
    let twice = page.replace(&line("check/gates"), &(line("check/gates") + &second));
    let found = reviewed(&twice);
    let at = found
        .findings
        .iter()
        .next()
        .unwrap()
        .at
        .map(|at| (at.line, at.column));
    let last = twice.rfind("<!-- id: check/people -->").unwrap();
    assert_eq!(
        at.unwrap().0 as usize,
        twice[..last].matches('\n').count() + 1
    );
    assert_eq!(faults(&twice), [fault("NE6004", "check/people", at)]);
    assert_eq!(
        found
            .items
            .iter()
            .filter(|item| item.id == "check/people")
            .count(),
        1
    );

    let unknown = page.replace("id: check/gates", "id: check/gate");
    assert_eq!(
        faults(&unknown),
        [
            fault("NE6006", "check/gates", None),
            fault(
                "NE6007",
                "check/gate",
                place(&unknown, "<!-- id: check/gate -->")
            ),
        ]
    );

    let boxless = page.replace("- [ ] All earlier gates", "- All earlier gates");
    let at = place(&boxless, "<!-- id: check/gates -->");
    assert_eq!(faults(&boxless), [fault("NE6008", "check/gates", at)]);
    assert!(
        reviewed(&boxless)
            .items
            .iter()
            .any(|it| it.id == "check/gates" && !it.ticked)
    );
}

#[test]
fn a_signature_needs_a_name_and_a_date() {
    let page = page();
    let ticked = page.replace("- [ ] On-call", "- [x] On-call");
    let at = place(&ticked, "<!-- id: sign-off/on-call-engineer -->");
    assert_eq!(
        faults(&ticked),
        [fault("NE6010", "sign-off/on-call-engineer", at)]
    );
    let slots =
        "<!-- id: sign-off/on-call-engineer -->\n  - Name: \\<name\\>\n  - Date: \\<date, UTC\\>";
    let dated = ticked.replace(
        slots,
        "<!-- id: sign-off/on-call-engineer -->\n  - Name: Grace\n  - Date: tomorrow",
    );
    assert_eq!(
        faults(&dated),
        [fault("NE6011", "sign-off/on-call-engineer", at)]
    );
    let nameless = ticked.replace(
        slots,
        "<!-- id: sign-off/on-call-engineer -->\n  - Name: ________\n  - Date: 2026-01-05T10:00:00Z",
    );
    assert_eq!(
        faults(&nameless),
        [fault("NE6010", "sign-off/on-call-engineer", at)]
    );
}

#[test]
fn blanks_are_found_where_a_reader_would_miss_them() {
    let page = page();
    // Unescaped, a blank is an element, and no browser shows it.
    let mut plan = plan();
    plan.service = String::from("<service>");
    let own = runbook(&plan)
        .to_markdown()
        .replace("`<service>`", "<service>");
    let found = parse(&own, &plan).unwrap().findings;
    assert!(
        found
            .iter()
            .any(|it| it.message.starts_with("<service> is still a blank")),
        "{found}"
    );
    // One of the reader's own.
    let own = page.replace("checkout team <!--", r"\<team name\> <!--");
    let at = place(&own, "<team name");
    assert_eq!(faults(&own), [fault("NE6009", "", at)]);
    // Comparisons, elements and commands are none.
    let own = page.replace(
        "<!-- id: check/baseline -->\n",
        "<!-- id: check/baseline -->\n  - p99 < 40 ms and > 10 ms, <br> `a <b> c` \\<3\\>\n",
    );
    assert_eq!(faults(&own), []);
}

#[test]
fn an_id_in_a_note_does_not_move_an_item() {
    let page = page().replace(
        "<!-- id: check/gates -->\n",
        "<!-- id: check/gates --> seen <!-- id: check/plan -->\n",
    );
    let found = reviewed(&page);
    assert_eq!(found.items[0].id, "check/gates");
    assert_eq!(
        found.items[0].note.as_deref(),
        Some("seen <!-- id: check/plan -->")
    );
    let codes: Vec<String> = faults(&page).into_iter().map(|(code, _, _)| code).collect();
    assert_eq!(
        codes,
        ["NE6008", "NE6004"],
        "the item itself now comes second, and is said to"
    );
}

#[test]
fn a_page_without_end_is_refused() {
    let page = "x".repeat(nonevent_runbook::PAGE_BYTES_MAX + 1);
    assert_eq!(faults(&page), [fault("NE6001", "", None)]);
}

#[test]
fn rules_are_told_apart() {
    assert!(RULES.is_sorted_by_key(|rule| rule.code.as_str()));
    assert!(
        RULES
            .iter()
            .all(|rule| rule.code.as_str().starts_with("NE6"))
    );
}

#[test]
fn the_page_becomes_evidence_of_the_plan() {
    let (page, digest) = (page(), plan().digest().unwrap());
    let statement = to_statement(digest, "docs/runbook.md", &page, now());
    let digests: Vec<Digest> = statement.subjects.iter().map(|it| it.digest).collect();
    assert_eq!(digests, [digest, Digest::of(page.as_bytes())]);
    let Predicate::Runbook(rendered) = statement.predicate else {
        panic!("another predicate")
    };
    assert_eq!(
        (rendered.plan, rendered.page, rendered.at),
        (digest, page_digest(&page), now())
    );
}

#[test]
fn what_people_did_beside_filling_it_in_is_told() {
    let page = page()
        .replace("and know how to abort", "and have lunch")
        .replace(
            "<!-- id: check/gates -->\n",
            "<!-- id: check/gates -->\n- [x] Coffee is *made*.\n  - [ ] with milk\n",
        )
        .replace("- data is damaged\n", "")
        .replace(" <!-- id: check/rehearsal -->", "");
    let reviewed = reviewed(&page);
    let told = |edit: &nonevent_runbook::ReviewedEdit| {
        (
            edit.id.clone(),
            edit.text.clone(),
            edit.ticked,
            edit.at.line,
        )
    };
    let reworded: Vec<_> = reviewed.reworded.iter().map(told).collect();
    let window = page
        .lines()
        .position(|it| it.contains("check/window"))
        .unwrap()
        + 1;
    // The window, what was reworded, and the two contacts.
    assert_eq!(reworded.len(), 4, "{reworded:?}");
    assert_eq!(reworded[0].3, u32::try_from(window).unwrap());
    assert_eq!(
        reworded[1].1,
        "The deploy lead and the on-call engineer are there and have lunch."
    );
    let added: Vec<_> = reviewed.added.iter().map(told).collect();
    let rehearsal = "The rollback has been rehearsed with a plan of this shape.";
    assert_eq!(
        added,
        [
            (None, "Coffee is *made*.".to_owned(), true, 47),
            (None, "with milk".to_owned(), false, 48),
            (None, rehearsal.to_owned(), false, 52),
        ]
    );
    assert_eq!(reviewed.removed, ["check/rehearsal"]);
}
