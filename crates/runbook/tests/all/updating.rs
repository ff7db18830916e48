//! A new plan's page, put into one that people have worked on.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use nonevent_document::Percent;
use nonevent_runbook::{RULES, parse, update};
use nonevent_strategy::{CanaryStep, Deployment, Plan, Strategy, StrategyKind};
use proptest::prelude::{Just, any, prop};
use proptest::sample::Index;
use proptest::strategy::Strategy as Generator;
use proptest::test_runner::TestCaseError;
use proptest::{prop_assert, prop_oneof, proptest};

use crate::plans::{cases, deployment, resolve, runbook};

/// Findings that say what people have yet to do.
const TO_FILL_IN: [&str; 3] = ["NE6009", "NE6010", "NE6011"];

/// A plan and its page.
struct Rendered {
    plan: Plan,
    page: String,
}

fn rendered(deployment: Deployment) -> Rendered {
    let plan = resolve(deployment);
    let page = runbook(&plan).to_markdown();
    Rendered { plan, page }
}

fn changed(by: impl FnOnce(&mut Deployment)) -> Rendered {
    let mut deployment = deployment("canary.yaml");
    by(&mut deployment);
    rendered(deployment)
}

/// Does something to the steps of a canary.
fn steps(deployment: &mut Deployment, by: impl FnOnce(&mut Vec<CanaryStep>)) {
    if let Strategy::Canary(canary) = &mut deployment.strategy {
        by(&mut canary.steps);
    }
}

/// Plans that follow on one another, or have little in common.
fn pool() -> &'static [Rendered] {
    static POOL: OnceLock<Vec<Rendered>> = OnceLock::new();
    POOL.get_or_init(|| {
        let one = |percent| CanaryStep::new(Percent::from_basis_points(percent).unwrap(), 600_000);
        vec![
            changed(|_| {}),
            changed(|it| it.release.to = "1.5.1".into()),
            changed(|it| steps(it, |steps| drop(steps.remove(1)))),
            changed(|it| steps(it, |steps| steps.insert(1, one(1_000)))),
            changed(|it| steps(it, |steps| steps.insert(0, one(100)))),
            changed(|it| (it.fleet.replicas, it.fleet.spare) = (12, 12)),
            changed(|it| it.owner = Some("another team | with a bar".into())),
            rendered(deployment("canary-full.yaml")),
            rendered(deployment("blue-green.yaml")),
            rendered(deployment("rolling.yaml")),
            rendered(deployment("recreate.yaml")),
            rendered(Deployment::default_for(StrategyKind::Canary)),
        ]
    })
}

/// Something that a person does to a page.
#[derive(Clone, Debug)]
enum Edit {
    Tick(Index),
    /// Lines put in behind a line.
    Insert(Index, String),
    /// Words put in before the comment or at the end of a line.
    Reword(Index, String),
    Delete(Index),
    /// One more blank line.
    Space(Index),
    /// The next blank line goes.
    Tighten(Index),
    /// A blank line changes places with what follows it.
    Reorder(Index),
    Crlf,
}

fn words() -> impl Generator<Value = String> {
    prop_oneof![
        "[a-zA-Zäß0-9 .,:]{1,30}",
        Just("🚀 emoji 👩‍🚀 and عربى".to_owned()),
        Just("tab\there\tand | a bar `code` *stars* <b>html</b>".to_owned()),
        Just("long ".repeat(400)),
        Just("see <!-- id: check/gates --> above".to_owned()),
    ]
}

fn written() -> impl Generator<Value = String> {
    (words(), 0..9usize).prop_map(|(words, form)| match form {
        0 => format!("  - {words}\n"),
        1 => format!("  {words}\n"),
        2 => format!("- [ ] {words}\n"),
        3 => format!("\n## {words}\n\n{words}\n\n"),
        4 => format!("\n### {words}\n\n- [x] {words}\n  1. {words}\n     - {words}\n\n"),
        5 => format!("\t- [ ] {words}\n\t\t- {words}\n"),
        6 => format!("  ```\n  # {words}\n  - [ ] {words}\n  ```\n"),
        7 => format!("\n\n\n{words}\n\n\n"),
        _ => format!("> {words}\n"),
    })
}

fn edit() -> impl Generator<Value = Edit> {
    let at = any::<Index>;
    prop_oneof![
        4 => at().prop_map(Edit::Tick),
        4 => (at(), written()).prop_map(|(at, text)| Edit::Insert(at, text)),
        2 => (at(), words()).prop_map(|(at, text)| Edit::Reword(at, text)),
        1 => at().prop_map(Edit::Delete),
        1 => at().prop_map(Edit::Space),
        1 => at().prop_map(Edit::Tighten),
        1 => at().prop_map(Edit::Reorder),
        1 => Just(Edit::Crlf),
    ]
}

/// The page after the edits. The comment at its end is nobody's to edit.
fn edited(page: &str, edits: &[Edit]) -> String {
    let (body, imprint) = page.split_at(page.find("\n<!-- rendered:").unwrap());
    let mut lines: Vec<String> = body.split_inclusive('\n').map(String::from).collect();
    let mut crlf = false;
    for edit in edits {
        let count = lines.len();
        match edit {
            Edit::Tick(at) => {
                let at = at.index(count);
                if let Some(line) = lines.iter_mut().skip(at).find(|it| it.contains("[ ]")) {
                    *line = line.replacen("[ ]", "[x]", 1);
                }
            }
            Edit::Insert(at, text) => lines.insert(at.index(count) + 1, text.clone()),
            Edit::Reword(at, text) => {
                let line = &mut lines[at.index(count)];
                let at = line.find(" <!-- id:").unwrap_or(line.trim_end().len());
                line.insert_str(at, text);
            }
            Edit::Delete(at) => drop(lines.remove(at.index(count))),
            Edit::Space(at) => lines.insert(at.index(count), "\n".to_owned()),
            Edit::Tighten(at) => {
                let from = at.index(count);
                if let Some(at) = (from..count).find(|at| lines[*at].trim().is_empty()) {
                    lines.remove(at);
                }
            }
            Edit::Reorder(at) => {
                let from = at.index(count);
                let blank = |at: &usize| lines[*at].trim().is_empty();
                if let Some(at) = (from..count - 1).find(blank) {
                    lines.swap(at, at + 1);
                }
            }
            Edit::Crlf => crlf = true,
        }
        if lines.is_empty() {
            lines.push("\n".to_owned());
        }
    }
    let page = lines.concat() + imprint;
    if crlf {
        page.replace('\n', "\r\n")
    } else {
        page
    }
}

/// A line without its tick.
fn bare(line: &str) -> String {
    line.trim_end().replacen("[x]", "[ ]", 1)
}

/// A line as it is when its tick is taken away.
fn cleared(line: &str) -> String {
    line.replacen("[x]", "[ ]", 1)
}

/// The lines that people wrote, as often as they wrote them, up to the imprint.
fn peoples(page: &str, base: &str) -> BTreeMap<String, usize> {
    let known: BTreeSet<String> = base.lines().map(bare).collect();
    let mut lines = BTreeMap::new();
    for line in page
        .lines()
        .take_while(|it| !it.starts_with("<!-- rendered:"))
    {
        if !line.trim().is_empty() && !known.contains(&bare(line)) {
            *lines.entry(cleared(line)).or_default() += 1;
        }
    }
    lines
}

/// The line as it stands where its item has gone.
fn without_id(line: &str) -> String {
    match line.rsplit_once(" <!-- id:") {
        Some((before, after)) => {
            before.trim_end().to_owned() + after.split_once("-->").map_or("", |it| it.1)
        }
        None => line.to_owned(),
    }
}

fn nothing_is_lost(page: &str, base: &str, updated: &str) -> Result<(), TestCaseError> {
    let mut there: BTreeMap<String, usize> = BTreeMap::new();
    for line in updated.lines() {
        *there.entry(cleared(line)).or_default() += 1;
    }
    for (line, count) in peoples(page, base) {
        let as_it_is = there.get(&line).copied().unwrap_or(0);
        let moved = without_id(&line);
        let kept = if moved == line {
            0
        } else {
            there.get(&moved).copied().unwrap_or(0)
        };
        prop_assert!(
            as_it_is + kept >= count,
            "{count} times in the page, {as_it_is} + {kept} times after: {line:?}"
        );
    }
    Ok(())
}

/// Lines of a page by id, without ticks; each with whether it is ticked.
fn items(page: &str) -> BTreeMap<String, (String, bool)> {
    let mut items = BTreeMap::new();
    for line in page.lines() {
        let Some((_, id)) = line.split_once("<!-- id: ") else {
            continue;
        };
        let Some((id, _)) = id.split_once(" -->") else {
            continue;
        };
        let ticked = line.trim_start().starts_with("- [x]");
        items.entry(id.to_owned()).or_insert((bare(line), ticked));
    }
    items
}

proptest! {
    #![proptest_config(cases(10_000))]

    #[test]
    fn no_byte_that_people_wrote_is_lost(
        from in any::<Index>(),
        to in any::<Index>(),
        edits in prop::collection::vec(edit(), 1..12),
    ) {
        let (from, to) = (from.get(pool()), to.get(pool()));
        let page = edited(&from.page, &edits);
        let same = update(&page, &from.page);
        prop_assert!(!same.changed && same.page == page, "an unchanged plan changes nothing");

        let updated = update(&page, &to.page);
        nothing_is_lost(&page, &from.page, &updated.page)?;
        let again = update(&updated.page, &to.page);
        prop_assert!(!again.changed && again.page == updated.page, "once is enough");
        ticks_hold(&page, from, to, &updated)?;
        // What could be read before can be read after.
        // Words with an id or a bar of their own may be seen or not, by where they stand.
        let forged = page.contains("see <!-- id:") || page.contains("and | a bar");
        if !forged && faults(&page, &from.plan).is_empty() {
            let faults = faults(&updated.page, &to.plan);
            prop_assert!(faults.is_empty(), "{faults:?}\n{}", updated.page);
        }
    }
}

/// What is wrong with a page, but for what people have yet to fill in.
fn faults(page: &str, plan: &Plan) -> Vec<String> {
    let findings = parse(page, plan).unwrap().findings;
    let faults = findings
        .iter()
        .map(|it| (it.code.to_string(), it.to_string()));
    let to_fill_in = |(code, _): &(String, String)| TO_FILL_IN.contains(&code.as_str());
    faults.filter(|it| !to_fill_in(it)).map(|it| it.1).collect()
}

/// A tick stays beside what did not change, and goes, and is told, beside what did.
fn ticks_hold(
    page: &str,
    from: &Rendered,
    to: &Rendered,
    updated: &nonevent_runbook::Updated,
) -> Result<(), TestCaseError> {
    if page.contains("see <!-- id:") {
        return Ok(());
    }
    let (old, new) = (items(&from.page), items(&to.page));
    let (before, after) = (items(page), items(&updated.page));
    for (id, (_, ticked)) in &before {
        let (Some((was, _)), true) = (old.get(id), ticked) else {
            continue;
        };
        let of_the_plan = id.starts_with("sign-off/") || id == "check/plan";
        let stays = new.get(id).is_some_and(|(now, _)| now == was);
        let ticked = after.get(id).is_some_and(|it| it.1);
        let told = updated.cleared.contains(id);
        if !updated.changed || (stays && !of_the_plan) {
            prop_assert!(ticked && !told, "{id} lost its tick");
        } else {
            prop_assert!(!ticked && told, "{id} kept its tick, or nobody was told");
        }
    }
    Ok(())
}

#[test]
fn rules_named_here_exist() {
    for code in TO_FILL_IN {
        assert!(
            RULES.iter().any(|rule| rule.code.to_string() == code),
            "{code}"
        );
    }
}

/// What an update did, and where what people wrote stands then: each line of theirs with the line
/// before it.
fn told(before: &str, base: &str, rendered: &str) -> String {
    let updated = update(before, rendered);
    let mut out = format!(
        "cleared {:?}\nremoved {:?}\nkept {:?}\n",
        updated.cleared, updated.removed, updated.kept
    );
    let theirs = peoples(before, base);
    let mut last = "";
    for line in updated.page.lines().filter(|it| !it.trim().is_empty()) {
        if line.starts_with("## Kept") {
            let (_, rest) = updated.page.split_once(line).unwrap();
            let (rest, _) = rest.split_once("\n<!-- rendered:").unwrap();
            return out + "\n" + line + rest;
        }
        if theirs.contains_key(&cleared(line)) || line.contains("[x]") {
            out.push_str(&format!("\n{last}\n{line}\n"));
        }
        last = line;
    }
    out
}

/// A canary's page, and what several people made of it.
fn worked_on() -> String {
    let page = &pool()[0].page;
    let put = |page: String, id: &str, text: &str| {
        let anchor = format!("<!-- id: {id} -->\n");
        assert!(page.contains(&anchor), "{id}");
        page.replace(&anchor, &(anchor.clone() + text))
    };
    let tick = |page: String, id: &str| {
        let lines = page.lines().map(|line| {
            let here = line.contains(&format!("<!-- id: {id} -->"));
            if here {
                line.replacen("[ ]", "[x]", 1)
            } else {
                line.to_owned()
            }
        });
        lines.collect::<Vec<_>>().join("\n") + "\n"
    };
    let mut page = page.clone();
    for id in [
        "check/gates",
        "check/plan",
        "check/canary/capacity",
        "step/traffic-5/do",
        "step/traffic-25/do",
        "sign-off/deploy-lead",
    ] {
        page = tick(page, id);
    }
    page = put(
        page,
        "check/gates",
        "  - UAT on Friday, see the ticket\n- [ ] Coffee is made.\n",
    );
    page = put(
        page,
        "check/canary/capacity",
        "  Room for 20, says the platform team.\n",
    );
    page = put(page, "step/traffic-25/do", "  - at 10:07, by hand\n");
    page = put(
        page,
        "step/traffic-25/back",
        "\n### Before half of the users\n\nCall the desk.\n",
    );
    page = page.replace(
        "How to check: Read the router back: its weights are 7500",
        "How to check: Look at board 7; its weights are 7500",
    );
    page.replace(r"\<window start, UTC\>", "2026-01-06T06:00:00Z")
}

#[test]
fn one_step_less() {
    insta::assert_snapshot!(told(&worked_on(), &pool()[0].page, &pool()[2].page));
}

#[test]
fn more_instances() {
    insta::assert_snapshot!(told(&worked_on(), &pool()[0].page, &pool()[5].page));
}

#[test]
fn a_page_that_lost_its_last_comment() {
    let page = worked_on();
    let (page, _) = page.split_at(page.find("\n<!-- rendered:").unwrap());
    let updated = update(page, &pool()[5].page);
    assert!(!updated.base_known);
    nothing_is_lost(page, &pool()[0].page, &updated.page).unwrap();
    // Items that the plan no longer has cannot be told from people's own; they are warned of.
    let faults = faults(&updated.page, &pool()[5].plan);
    assert!(faults.iter().all(|it| it.contains("NE6007")), "{faults:?}");
    assert!(!update(&updated.page, &pool()[5].page).changed);
}

#[test]
fn any_text_at_all_can_be_brought_up() {
    for text in [
        "",
        "\n",
        "<!-- rendered: -->",
        "<!-- rendered:\n.\n-->\n\u{feff}x",
        "# A\r\n\r\nb",
    ] {
        let updated = update(text, &pool()[0].page);
        for line in text.split("-->").last().unwrap().lines() {
            assert!(updated.page.contains(line), "{text:?}");
        }
        if !text.contains("rendered:\n.") {
            assert_eq!(
                faults(&updated.page, &pool()[0].plan),
                Vec::<String>::new(),
                "{text:?}"
            );
        }
    }
}
