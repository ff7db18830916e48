//! What the pages look like, and that their figures are the plan's.

use nonevent_page::escape;
use nonevent_router::Arm;
use nonevent_runbook::Runbook;
use nonevent_strategy::{StrategyKind, plan_duration_ms};

use crate::plans::{default_plan, facts, fixture_plan, runbook, without_digests, without_imprint};

fn markdown(runbook: &Runbook) -> String {
    without_digests(without_imprint(&runbook.to_markdown()), runbook)
}

#[test]
fn a_canary_that_is_all_blanks() {
    insta::assert_snapshot!(markdown(&runbook(&default_plan(StrategyKind::Canary))));
}

#[test]
fn a_canary_in_markdown() {
    insta::assert_snapshot!(markdown(&runbook(&fixture_plan("canary.yaml"))));
}

#[test]
fn a_canary_by_instance_share_in_markdown() {
    insta::assert_snapshot!(markdown(&runbook(&fixture_plan("canary-workers.yaml"))));
}

#[test]
fn a_canary_with_a_baseline_set_in_markdown() {
    let plan = fixture_plan("canary-baseline.yaml");
    let page = runbook(&plan);
    assert_eq!(page.header.expected_ms, plan_duration_ms(&plan).0);
    insta::assert_snapshot!(markdown(&page));
}

#[test]
fn people_and_a_point_of_no_return_in_markdown() {
    let page = runbook(&fixture_plan("../rollout/no-return.yaml"));
    insta::assert_snapshot!(markdown(&page));
    // The same is said where there is nothing to read but HTML.
    let html = page.to_html();
    let first = page.steps.iter().position(|step| step.no_return).unwrap();
    for (index, step) in page.steps.iter().enumerate() {
        assert_eq!(step.no_return, index >= first, "{}", step.plan_step);
    }
    for part in ["none. What fails pauses", "1.0.0 reads the dropped column"] {
        assert!(html.contains(part), "{part}");
    }
}

#[test]
fn a_late_step_goes_back_or_pauses_as_the_plan_says() {
    let plan = fixture_plan("canary-full.yaml");
    let page = runbook(&plan);
    let late = |id: &str| {
        let step = page.steps.iter().find(|step| step.plan_step == id);
        step.unwrap().late.to_string()
    };
    assert_eq!(
        late("approve-go-half"),
        "if it is not done by then, the rollout goes back."
    );
    let pauses = "pauses, and people decide within an hour; after that the rollout ends";
    assert!(
        late("approve-go-wide").contains(pauses),
        "past the point of no return"
    );
    assert!(
        late("pause-3").contains("without data it pauses"),
        "{}",
        late("pause-3")
    );
    assert!(late("pause-3").ends_with("after that it goes back."));
    let mut other = plan;
    other.rollback.no_return_from = None;
    let page = runbook(&other);
    let wide = page
        .steps
        .iter()
        .find(|step| step.plan_step == "approve-go-wide");
    let wide = wide.unwrap().late.to_string();
    assert!(
        wide.ends_with("within an hour; after that it goes back."),
        "{wide}"
    );
}

#[test]
fn a_blue_green_in_markdown() {
    insta::assert_snapshot!(markdown(&runbook(&fixture_plan("blue-green.yaml"))));
}

#[test]
fn a_rolling_in_markdown() {
    insta::assert_snapshot!(markdown(&runbook(&fixture_plan("rolling.yaml"))));
}

#[test]
fn a_recreate_in_markdown() {
    insta::assert_snapshot!(markdown(&runbook(&fixture_plan("recreate.yaml"))));
}

#[test]
fn a_canary_in_html() {
    let runbook = runbook(&fixture_plan("canary.yaml"));
    let page = runbook.to_html();
    // The style and the drawing are the page crate's, and tested there.
    let body = page.split_once("</head>").unwrap().1;
    let (before, rest) = body.split_once("<svg").unwrap();
    let (drawing, after) = rest.split_once("</svg>").unwrap();
    assert!(drawing.contains("1.4.2") && drawing.contains("1.5.0"));
    let text = format!("{before}[drawing]{after}");
    insta::assert_snapshot!(without_digests(&text, &runbook));
}

#[test]
fn a_canary_in_json() {
    let runbook = runbook(&fixture_plan("canary.yaml"));
    insta::assert_snapshot!(without_digests(&runbook.to_json(), &runbook));
}

#[test]
fn html_stands_alone_and_has_its_landmarks() {
    let page = runbook(&default_plan(StrategyKind::BlueGreen)).to_html();
    for part in [
        "<main ",
        "<header>",
        "<nav ",
        "<footer>",
        "<h1>",
        "@media print",
    ] {
        assert!(page.contains(part), "{part} is missing");
    }
    for part in ["<script", "<img", "<link", "url(", "http://", "https://"] {
        let own = page.replace("xmlns=\"http://www.w3.org/2000/svg\"", "");
        assert!(!own.contains(part), "{part} would load something");
    }
    assert_eq!(page.matches("<h1>").count(), 1);
    assert!(
        page.contains(&escape::text("<service>")),
        "blanks are shown"
    );
    assert!(!page.contains("<service>"), "blanks are no elements");
}

#[test]
fn the_figures_are_the_plans() {
    for kind in StrategyKind::ALL {
        let plan = default_plan(kind);
        let runbook = runbook(&plan);
        let (expected_ms, longest_ms) = plan_duration_ms(&plan);
        assert_eq!(runbook.header.plan, plan.digest().unwrap());
        assert_eq!(runbook.header.shape, plan.shape().unwrap());
        assert_eq!(
            (runbook.header.expected_ms, runbook.header.longest_ms),
            (expected_ms, longest_ms)
        );
        assert_eq!(runbook.steps.len(), plan.steps.len());
        for (page, step) in runbook.steps.iter().zip(&plan.steps) {
            assert_eq!(page.plan_step, step.id);
            assert_eq!(page.target, step.target);
            assert_eq!(page.deadline_ms, step.deadline_ms);
            assert_eq!(page.back_within_ms, step.back_within_ms);
        }
        // The timeline ends when the plan is expected to, with everything on the new version.
        let timeline = &runbook.overview.timeline;
        let last = timeline.last().unwrap();
        assert_eq!(last.at_ms, expected_ms, "{kind}");
        assert_eq!(last.split.weight(Arm::Canary), 10_000);
        assert!(timeline.is_sorted_by_key(|moment| moment.at_ms));
    }
}

#[test]
fn a_policy_of_ones_own_gives_the_triggers() {
    let mut plan = fixture_plan("canary.yaml");
    let policy = &mut plan.analysis.as_mut().unwrap().policy;
    policy.error_rate_max_ppm = Some(12_500);
    policy.error_ratio_max_percent = None;
    policy.p99_max_ms = Some(300);
    let triggers = runbook(&plan).triggers.signals;
    let threshold = |id: &str| {
        let trigger = triggers.iter().find(|trigger| trigger.id == id).unwrap();
        (
            trigger.threshold.to_string(),
            trigger.watched_by.to_string(),
        )
    };
    let analysis = "the analysis, every 1m while a step watches: the rollout goes back by itself";
    assert_eq!(
        threshold("trigger/error-rate"),
        (
            String::from("over 1.25% of requests"),
            String::from(analysis)
        )
    );
    assert_eq!(
        threshold("trigger/p99"),
        (String::from("over 300ms"), String::from(analysis))
    );
    // What the analysis does not judge, people watch.
    assert_eq!(
        threshold("trigger/error-ratio"),
        (
            String::from("over 2 times the old version's"),
            String::from("the on-call engineer: roll back")
        )
    );
}

#[test]
fn ids_outlive_a_new_step() {
    let ids = |plan: &nonevent_strategy::Plan| -> Vec<(String, u64)> {
        let pages = Runbook::of(plan, &facts()).unwrap().steps;
        pages
            .into_iter()
            .filter_map(|page| Some((page.id, page.pause_ms?)))
            .collect()
    };
    let plan = fixture_plan("canary.yaml");
    let before = ids(&plan);
    let mut longer = plan.clone();
    // A pause at 10 % is put in, and the planner counts its pauses anew.
    let first = plan
        .steps
        .iter()
        .position(|step| step.id == "pause")
        .unwrap();
    let mut added = plan.steps[first].clone();
    let split = nonevent_router::Split::canary(1_000).unwrap();
    added.target.split = split;
    longer.steps.insert(first + 1, added);
    let mut count = 0;
    for step in longer
        .steps
        .iter_mut()
        .filter(|step| step.id.starts_with("pause"))
    {
        count += 1;
        step.id = if count == 1 {
            String::from("pause")
        } else {
            format!("pause-{count}")
        };
    }
    let after = ids(&longer);
    for named in &before {
        assert!(after.contains(named), "{named:?} is not in {after:?}");
    }
    assert!(after.iter().any(|(id, _)| id == "step/pause-at-10"));
    assert_eq!(after.len(), before.len() + 1);
}

#[test]
fn a_plan_beyond_exact_json_has_no_runbook() {
    let mut plan = default_plan(StrategyKind::Canary);
    // What the arithmetic yields for a way back that never ends.
    plan.steps[0].back_within_ms = u64::MAX;
    assert!(Runbook::of(&plan, &facts()).is_err());
}

#[test]
fn a_canary_as_text() {
    let runbook = runbook(&fixture_plan("canary-full.yaml"));
    let text = without_digests(&runbook.to_text(80), &runbook);
    insta::assert_snapshot!(text);
}

#[test]
fn the_other_strategies_in_every_form() {
    for name in ["blue-green", "rolling", "recreate"] {
        let runbook = runbook(&fixture_plan(&format!("{name}.yaml")));
        let forms = [
            ("text", runbook.to_text(100)),
            ("html", runbook.to_html()),
            ("json", runbook.to_json()),
        ];
        for (form, page) in forms {
            insta::assert_snapshot!(format!("{name}_{form}"), without_digests(&page, &runbook));
        }
    }
}

#[test]
fn text_fits_its_width_and_steers_no_terminal() {
    let mut plan = fixture_plan("canary.yaml");
    plan.service = String::from("a\u{1b}[2Jb\u{7}\r\n\u{202e}c");
    plan.owner = Some("word ".repeat(50));
    for width in [0, 40, 57, 200] {
        let text = runbook(&plan).to_text(width);
        let steers = |c: char| c.is_control() && c != '\n' || c == '\u{202e}';
        assert!(!text.contains(steers));
        for line in text.lines().filter(|line| !line.starts_with("Runbook")) {
            if line.starts_with("after ") {
                continue;
            }
            let columns = line.chars().count();
            let longest = line.split(' ').map(|word| word.chars().count()).max();
            let fits = columns <= width.max(40) || longest > Some(20);
            assert!(fits, "{columns} of {width}: {line}");
        }
    }
}

#[test]
fn a_router_that_is_named_has_its_commands() {
    let mut plan = fixture_plan("canary-haproxy.yaml");
    let page = runbook(&plan).to_markdown();
    assert!(page.contains("<!-- id: step/traffic-5/by-hand -->"));
    assert!(
        page.contains(
            "socat -t 5 - UNIX-CONNECT:/RUNTIME-SOCKET <<'END'\nset map /MAP-FILE KEY 500\n"
        ),
        "{page}"
    );
    for (router, expected) in [
        (
            "envoy",
            "'http://ADMIN-HOST:9901/runtime_modify?KEY-PREFIX.STABLE=9500&KEY-PREFIX.CANARY=500",
        ),
        ("gateway-api", "kubectl apply --server-side"),
    ] {
        plan.target.router = Some(router.to_owned());
        let page = runbook(&plan).to_markdown();
        assert!(page.contains(expected), "{router}: {page}");
    }
    for router in [Some("nginx"), Some("dns"), None] {
        plan.target.router = router.map(str::to_owned);
        assert!(!runbook(&plan).to_markdown().contains("by-hand"));
    }
    // A router whose names are known has its own.
    let own = |split: nonevent_router::Split| {
        let weight = split.weight(Arm::Canary).to_string();
        vec![nonevent_router::Command::new([
            "set-weight",
            "it's",
            &weight,
        ])]
    };
    let bound = runbook(&plan).with_commands(&plan, own).unwrap();
    assert!(
        bound
            .to_markdown()
            .contains("\n```text\nset-weight 'it'\\''s' 500\n```\n")
    );
    let json: serde_json::Value = serde_json::from_str(&bound.to_json()).unwrap();
    let step = &json["steps"][3]["byHand"];
    assert_eq!(step["commands"][0]["argv"][1], "it's");
    assert!(bound.to_html().contains("set-weight"));
    let broken = |_| vec![nonevent_router::Command::new(["a\nb"])];
    assert!(
        runbook(&plan)
            .with_commands(&plan, broken)
            .unwrap_err()
            .contains("line break")
    );
}
