//! Writes a small report of a rollout to standard output: `cargo run --example report > r.html`.

use nonevent_page::svg::{LinePlot, StepPlot, Unit};
use nonevent_page::{Inline, Page, Section, Table, Tone};

fn main() {
    let traffic = StepPlot::traffic("Traffic by version")
        .series(
            "1.4.2",
            [
                (0, 10_000),
                (10_000, 9_500),
                (20_000, 7_500),
                (30_000, 5_000),
                (40_000, 0),
            ],
        )
        .series(
            "1.5.0",
            [
                (0, 0),
                (10_000, 500),
                (20_000, 2_500),
                (30_000, 5_000),
                (40_000, 10_000),
            ],
        )
        .mark(40_000, "promoted")
        .until(48_000);
    let latency = LinePlot::new("p99 latency by version", Unit::Milliseconds)
        .series(
            "1.4.2",
            (0..48).map(|s| (s * 1000, (s < 40).then_some(21 + s % 4))),
        )
        .series(
            "1.5.0",
            (0..48).map(|s| (s * 1000, (s >= 10).then_some(19 + s % 5))),
        )
        .limit(42, "2x baseline");
    let steps = Table::new("Requests by step")
        .column("Step")
        .number_column("Requests to 1.5.0")
        .number_column("Errors")
        .row(["5%".into(), "512".into(), "0".into()])
        .row(["25%".into(), "2 498".into(), "1".into()]);

    let page = Page::new("Rollout of shop 1.5.0")
        .summary(
            Inline::new()
                .badge(Tone::Good, "promoted")
                .plain(" in 48 s, no request lost"),
        )
        .section(
            Section::new("Traffic")
                .figure(&traffic.draw(), "Each step held for ten seconds.")
                .table(&steps),
        )
        .section(
            Section::new("Latency").figure(&latency.draw(), "99th percentile of each second."),
        );
    print!("{}", page.render());
}
