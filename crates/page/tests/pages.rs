//! Whole pages and drawings, and what must not get into them.

use nonevent_page::svg::{LinePlot, StepPlot, Unit};
use nonevent_page::{Html, Inline, Page, Section, Table, Tone};

fn traffic() -> StepPlot {
    StepPlot::traffic("Traffic")
        .series(
            "stable",
            [
                (0, 10_000),
                (10_000, 9_500),
                (20_000, 7_500),
                (26_000, 10_000),
            ],
        )
        .series(
            "canary",
            [(0, 0), (10_000, 500), (20_000, 2_500), (26_000, 0)],
        )
        .mark(26_000, "rolled back")
        .until(30_000)
}

fn latency() -> LinePlot {
    LinePlot::new("p99 latency", Unit::Milliseconds)
        .series("stable", (0..30).map(|s| (s * 1000, Some(20 + s % 3))))
        .series(
            "canary",
            (0..30).map(|s| (s * 1000, (10..26).contains(&s).then_some(20 + s * s / 4))),
        )
        .limit(44, "2x baseline")
}

fn page() -> Page {
    Page::new("Rollout of shop 1.5.0")
        .summary(
            Inline::new()
                .badge(Tone::Bad, "rolled back")
                .plain(" after 26 s"),
        )
        .section(
            Section::new("Steps")
                .figure(&traffic().draw(), "Traffic by version.")
                .figure(
                    &latency().draw(),
                    Inline::new().code("p99").plain(" by version."),
                ),
        )
        .section(
            Section::new("Figures").table(
                &Table::new("Requests by step")
                    .column("Step")
                    .number_column("Requests")
                    .number_column("Errors")
                    .row(["5%".into(), "500".into(), "80".into()])
                    .row(["25%".into(), "<2500>".into()]),
            ),
        )
        .section(
            Section::new("Figures")
                .facts([
                    ("Plan", Inline::new().code("sha256:a27f")),
                    ("By", "R. & O.".into()),
                ])
                .notice(Tone::Warning, "Read the journal.")
                .list(true, ["one".into(), Inline::new().strong("two")])
                .code("\n$ nonevent deploy <file>\n")
                .folded("More", &Section::new("").paragraph("inner"))
                .html(&Html::trusted("<hr>")),
        )
        .footer("Made from the journal.")
}

#[test]
fn a_page_with_everything() {
    insta::assert_snapshot!(page().render());
}

#[test]
fn a_step_plot() {
    insta::assert_snapshot!(traffic().draw().as_str());
}

#[test]
fn a_line_plot_with_gaps_and_a_limit() {
    insta::assert_snapshot!(latency().draw().as_str());
}

/// Every tag that is opened is closed, in order.
fn assert_well_formed(markup: &str) {
    let mut open: Vec<&str> = Vec::new();
    let mut rest = markup;
    while let Some(start) = rest.find('<') {
        let end = start + rest[start..].find('>').expect("every tag ends");
        let tag = &rest[start + 1..end];
        rest = &rest[end + 1..];
        let name = tag
            .trim_start_matches('/')
            .split([' ', '\n'])
            .next()
            .unwrap_or_default();
        let empty = ["!doctype", "meta", "hr"].contains(&name) || tag.ends_with('/');
        if tag.starts_with('/') {
            assert_eq!(open.pop(), Some(name), "{tag}");
        } else if !empty {
            open.push(name);
        }
    }
    assert_eq!(open, Vec::<&str>::new());
}

#[test]
fn pages_are_well_formed_and_refer_to_nothing_outside() {
    let html = page().render();
    assert_well_formed(&html);
    let without_names = html.replace("http://www.w3.org/2000/svg", "");
    for outside in [
        "http:", "https:", "src=", "url(", "@import", "<script", "<link", "<img", "<iframe",
    ] {
        assert!(!without_names.contains(outside), "{outside}");
    }
    for name in html
        .split("id=\"")
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
    {
        assert_eq!(html.matches(&format!("id=\"{name}\"")).count(), 1, "{name}");
    }
}

#[test]
fn foreign_text_stays_text_everywhere() {
    let evil = "\"'><script>alert(1)</script>&\u{0}";
    let page = Page::new(evil)
        .language(evil)
        .summary(evil)
        .section(
            Section::new(evil)
                .paragraph(
                    Inline::new()
                        .plain(evil)
                        .code(evil)
                        .strong(evil)
                        .badge(Tone::Good, evil),
                )
                .notice(Tone::Bad, evil)
                .facts([(evil, evil.into())])
                .list(false, [evil.into()])
                .code(evil)
                .folded(evil, &Section::new(evil).paragraph(evil))
                .table(&Table::new(evil).column(evil).row([evil.into()]))
                .figure(
                    &StepPlot::traffic(evil)
                        .series(evil, [(0, 1)])
                        .mark(0, evil)
                        .draw(),
                    evil,
                )
                .figure(
                    &LinePlot::new(evil, Unit::Count).limit(3, evil).draw(),
                    evil,
                ),
        )
        .footer(evil);
    let html = page.render();
    assert!(!html.contains("<script"), "{html}");
    assert!(!html.contains('\0'));
    assert_well_formed(&html);
}

#[test]
fn plots_bear_any_numbers() {
    let extremes = [(i64::MIN, i64::MIN), (i64::MAX, i64::MAX), (0, 0), (0, -1)];
    for unit in [
        Unit::Count,
        Unit::BasisPoints,
        Unit::PartsPerMillion,
        Unit::Milliseconds,
    ] {
        let plot = StepPlot::new("x", unit)
            .series("x", extremes)
            .mark(i64::MIN, "m");
        assert_well_formed(plot.draw().as_str());
        let points = extremes.map(|(ms, value)| (ms, Some(value)));
        let plot = LinePlot::new("x", unit)
            .series("x", points)
            .limit(i64::MAX, "l");
        assert_well_formed(plot.draw().as_str());
        let empty = LinePlot::new("x", unit).series("x", [(5, None)]).draw();
        assert!(empty.as_str().contains("no data"));
    }
}

#[test]
fn many_points_make_a_bounded_drawing_that_keeps_the_extremes() {
    let spike = |n: i64| if n == 123_456 { 9_000 } else { n % 7 };
    let few = LinePlot::new("x", Unit::Count).series("x", [(0, Some(9_000)), (200_000, Some(0))]);
    let many =
        LinePlot::new("x", Unit::Count).series("x", (0..200_000).map(|n| (n, Some(spike(n)))));
    let drawn = many.draw();
    assert!(drawn.as_str().len() < 60_000, "{}", drawn.as_str().len());
    let top_of = |svg: &str| svg.contains("68") && svg.contains("9000");
    assert!(top_of(few.draw().as_str()) && top_of(drawn.as_str()));
}
