//! Any text as a runbook that people worked on: read, checked, compared, signed, ticked, and brought up
//! to a plan.

#![no_main]

use std::sync::OnceLock;

use libfuzzer_sys::fuzz_target;
use nonevent_document::Timestamp;
use nonevent_runbook::{
    Circumstances, Facts, Record, RecordOutcome, Runbook, check, compare, parse, signed_text, tick,
    update,
};
use nonevent_strategy::{Deployment, Facts as PlanFacts, Plan, StrategyKind, check as strategy_check, plan};

/// Two plans with their pages.
fn plans() -> &'static [(Plan, String)] {
    static PLANS: OnceLock<Vec<(Plan, String)>> = OnceLock::new();
    PLANS.get_or_init(|| {
        let of = |replicas| {
            let mut deployment = Deployment::default_for(StrategyKind::Canary);
            deployment.fleet.replicas = replicas;
            deployment.fleet.spare = replicas;
            let checked = strategy_check(deployment, PlanFacts::default(), None).expect("sound");
            let plan = plan(&checked);
            let runbook = Runbook::of(&plan, &Facts::at(Timestamp::from_unix_ms(0)));
            let page = runbook.expect("it has a digest").to_markdown();
            (plan, page)
        };
        vec![of(3), of(4)]
    })
}

/// A page of a plan with pieces of it replaced: each line of the input is a place and what stands
/// there; or the input itself.
fn page_of(text: &str) -> String {
    let Some(edits) = text.strip_prefix('\u{1}') else {
        return text.to_owned();
    };
    let mut page = plans()[0].1.clone();
    for (index, edit) in edits.split('\u{2}').enumerate() {
        let mut chars = edit.chars();
        let place = chars.next().map_or(0, |c| c as usize) * 97 + index;
        let at = (0..=page.len()).rev().find(|at| *at <= place % (page.len() + 1) && page.is_char_boundary(*at));
        page.insert_str(at.unwrap_or(0), chars.as_str());
    }
    page
}

fuzz_target!(|text: &str| {
    let page = page_of(text);
    for (plan, rendered) in plans() {
        let reviewed = parse(&page, plan).expect("the plan has a digest");
        for finding in &reviewed.findings {
            assert!(!finding.message.is_empty() && !finding.help.is_empty());
        }
        check(&page, plan, &Circumstances::default()).expect("as before");
        let updated = update(&page, rendered);
        let again = update(&updated.page, rendered);
        assert!(!again.changed && again.page == updated.page, "once is enough");
        if let Some(item) = reviewed.items.iter().find(|it| !it.ticked) {
            let record = Record {
                outcome: RecordOutcome::Done,
                at: Timestamp::from_unix_ms(0),
                by: text.chars().take(20).collect(),
                took_ms: 1,
                seen: text.chars().take(40).collect(),
            };
            if let Ok(ticked) = tick(&page, &item.id, Some(&record)) {
                assert_eq!(tick(&ticked, &item.id, Some(&record)).as_ref(), Ok(&ticked));
            }
        }
    }
    let signed = signed_text(&page);
    assert!(signed.len() <= page.len());
    assert_eq!(compare(&page, &page), []);
});
