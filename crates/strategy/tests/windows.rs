//! Change windows: what documents say, what is wrong with them, and clocks that change.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "clippy knows test functions as tests, and not what they call"
)]

use std::fmt::Write as _;

use nonevent_document::{Document, Limits, Timestamp, decode_node};
use nonevent_strategy::windows::{
    ClosedBecause, FREEZES_MAX, HORIZON_DAYS, MisfitKind, OnWindowClose, ProblemKind, Resolved,
    Stretch, WINDOWS_MAX, WindowState, Windows, WindowsWire, resolve, zone_data_version,
};

const HOUR_MS: u64 = 3_600_000;
const DAY_MS: u64 = 24 * HOUR_MS;

fn wire(yaml: &str) -> Result<WindowsWire, String> {
    // What begins with a brace is read as JSON.
    let yaml = format!("---\n{yaml}");
    let document = Document::parse("windows.yaml", yaml.as_bytes(), &Limits::default());
    let document = document.map_err(|findings| findings.to_string())?;
    decode_node(document.root(), "").map_err(|error| error.to_string())
}

fn resolved(yaml: &str) -> Resolved {
    resolve(&wire(yaml).unwrap_or_else(|error| panic!("{error}\n{yaml}")))
}

fn windows(yaml: &str) -> Windows {
    let resolved = resolved(yaml);
    let problems = resolved.problems;
    resolved
        .windows
        .unwrap_or_else(|| panic!("{problems:?}\n{yaml}"))
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// Stretches as texts, `2026-03-28T21:00Z 2026-03-29T01:00Z`.
fn stretches(windows: &Windows, from: &str, to: &str) -> Vec<String> {
    let short = |at: Timestamp| at.to_string().replace(":00Z", "Z");
    windows
        .stretches(at(from), at(to), 100)
        .map(|Stretch { start, end }| format!("{} {}", short(start), short(end)))
        .collect()
}

const WHOLE: &str = r#"
zone: Europe/Berlin
allow:
  - { days: [mon, tue, wed, thu], from: "09:00", to: "16:00" }
  - { from: "2026-12-01T08:00", to: "2026-12-01T12:00" }
  - { days: [sat], from: "22:00", to: "24:00", weeks: [1, 3] }
freezes:
  - { name: Black Friday, from: "2026-11-26T00:00", to: "2026-12-01T00:00" }
  - { name: year end, from: "12-20", to: "01-02" }
on_window_close: pause
"#;

#[test]
fn the_whole_form_is_read_and_said_in_words() {
    let windows = windows(WHOLE);
    assert_eq!(windows.on_window_close(), OnWindowClose::Pause);
    assert_eq!(
        windows.to_string(),
        "Mon–Thu 09:00–16:00; 2026-12-01 08:00–12:00; 1st and 3rd Sat 22:00–24:00 Europe/Berlin, \
         not during Black Friday (2026-11-26 00:00 to 2026-12-01 00:00) and year end (12-20 to \
         01-02 every year)"
    );
    let found = stretches(&windows, "2026-11-25T00:00:00Z", "2026-12-06T00:00:00Z");
    assert_eq!(
        found,
        [
            "2026-11-25T08:00Z 2026-11-25T15:00Z",
            // Black Friday; Tuesday's two windows are one.
            "2026-12-01T07:00Z 2026-12-01T15:00Z",
            "2026-12-02T08:00Z 2026-12-02T15:00Z",
            "2026-12-03T08:00Z 2026-12-03T15:00Z",
            "2026-12-05T21:00Z 2026-12-05T23:00Z",
        ]
    );
    let text = serde_json::to_string(&windows).unwrap();
    assert_eq!(serde_json::from_str::<Windows>(&text).unwrap(), windows);
}

#[test]
fn states_say_until_when_and_why() {
    let windows = windows(WHOLE);
    let cases = [
        ("2026-11-25T08:00:00Z", "open until 2026-11-25T15:00:00Z"),
        (
            "2026-11-25T14:59:59.999Z",
            "open until 2026-11-25T15:00:00Z",
        ),
        (
            "2026-11-25T15:00:00Z",
            "closed: outside every window; opens 2026-12-01T07:00:00Z",
        ),
        (
            "2026-11-26T10:00:00Z",
            "closed: Black Friday until 2026-11-30T23:00:00Z; opens 2026-12-01T07:00:00Z",
        ),
        (
            "2026-11-30T22:59:59.999Z",
            "closed: Black Friday until 2026-11-30T23:00:00Z; opens 2026-12-01T07:00:00Z",
        ),
        (
            "2026-11-30T23:00:00Z",
            "closed: outside every window; opens 2026-12-01T07:00:00Z",
        ),
        (
            "2026-12-31T10:00:00Z",
            "closed: year end until 2027-01-02T23:00:00Z; opens 2027-01-04T08:00:00Z",
        ),
        (
            "2027-01-02T10:00:00Z",
            "closed: year end until 2027-01-02T23:00:00Z; opens 2027-01-04T08:00:00Z",
        ),
    ];
    for (time, state) in cases {
        assert_eq!(windows.state(at(time)).to_string(), state, "{time}");
    }
}

#[test]
fn a_deployment_fits_or_overruns() {
    let windows = windows(WHOLE);
    let opens = at("2026-11-25T08:00:00Z");
    assert_eq!(windows.fits(opens, 7 * HOUR_MS), Ok(()));
    assert_eq!(windows.fits(opens, 0), Ok(()));
    let misfit = windows.fits(opens, 7 * HOUR_MS + 1).unwrap_err();
    let closes = at("2026-11-25T15:00:00Z");
    assert_eq!(*misfit.kind(), MisfitKind::Overruns { closes, by_ms: 1 });
    let misfit = windows.fits(closes, 0).unwrap_err();
    assert!(matches!(misfit.kind(), MisfitKind::Closed { .. }));
    let misfit = windows.fits(opens, 9 * HOUR_MS).unwrap_err();
    assert_eq!(
        misfit.to_string(),
        "the window closes at 2026-11-25T15:00:00Z, 2h before the deployment ends"
    );
    let too_long = (u64::from(HORIZON_DAYS) * DAY_MS) + 1;
    for duration in [too_long, u64::MAX] {
        let misfit = windows.fits(opens, duration).unwrap_err();
        assert_eq!(*misfit.kind(), MisfitKind::TooLong);
        assert_eq!(windows.next_fit(opens, duration), None);
    }
    assert_eq!(
        windows.next_fit(opens, 8 * HOUR_MS),
        Some(at("2026-12-01T07:00:00Z"))
    );
    assert_eq!(windows.next_fit(opens, 9 * HOUR_MS), None);
    let later = at("2026-11-25T09:00:00Z");
    assert_eq!(windows.next_fit(later, 6 * HOUR_MS), Some(later));
}

/// Document, range, what is open in it.
type Clocks = (&'static str, [&'static str; 2], &'static [&'static str]);

#[test]
fn clocks_change_in_both_directions() {
    let cases: &[Clocks] = &[
        // Forward 02:00 to 03:00 on 29 March. The window is an hour shorter; what closes or opens
        // in the gap does so at 03:00; what lies in it does not open.
        (
            r#"{ zone: Europe/Berlin, allow: [{ days: [sat], from: "22:00", to: "04:00" }] }"#,
            ["2026-03-28T00:00:00Z", "2026-03-30T00:00:00Z"],
            &["2026-03-28T21:00Z 2026-03-29T02:00Z"],
        ),
        (
            r#"{ zone: Europe/Berlin, allow: [{ days: [sun], from: "01:00", to: "02:30" }] }"#,
            ["2026-03-22T00:00:00Z", "2026-03-30T00:00:00Z"],
            &[
                "2026-03-22T00:00Z 2026-03-22T01:30Z",
                "2026-03-29T00:00Z 2026-03-29T01:00Z",
            ],
        ),
        (
            r#"{ zone: Europe/Berlin, allow: [{ days: [sun], from: "02:30", to: "04:00" }] }"#,
            ["2026-03-28T00:00:00Z", "2026-03-30T00:00:00Z"],
            &["2026-03-29T01:00Z 2026-03-29T02:00Z"],
        ),
        (
            r#"{ zone: Europe/Berlin, allow: [{ days: [sun], from: "02:10", to: "02:50" }] }"#,
            ["2026-03-22T00:00:00Z", "2026-04-06T00:00:00Z"],
            &[
                "2026-03-22T01:10Z 2026-03-22T01:50Z",
                "2026-04-05T00:10Z 2026-04-05T00:50Z",
            ],
        ),
        // Back 03:00 to 02:00 on 25 October: the earlier opens, the later closes.
        (
            r#"{ zone: Europe/Berlin, allow: [{ days: [sun], from: "02:30", to: "04:00" }] }"#,
            ["2026-10-25T00:00:00Z", "2026-10-26T00:00:00Z"],
            &["2026-10-25T00:30Z 2026-10-25T03:00Z"],
        ),
        (
            r#"{ zone: Europe/Berlin, allow: [{ days: [sat], from: "22:00", to: "02:30" }] }"#,
            ["2026-10-24T00:00:00Z", "2026-10-26T00:00:00Z"],
            &["2026-10-24T20:00Z 2026-10-25T01:30Z"],
        ),
        (
            r#"{ zone: Europe/Berlin, allow: [{ days: [sun], from: "02:10", to: "02:20" }] }"#,
            ["2026-10-25T00:00:00Z", "2026-10-26T00:00:00Z"],
            &["2026-10-25T00:10Z 2026-10-25T01:20Z"],
        ),
        (
            r#"{ zone: America/New_York, allow: [{ days: [sun], from: "00:00", to: "24:00" }] }"#,
            ["2026-03-08T00:00:00Z", "2026-03-16T12:00:00Z"],
            &[
                "2026-03-08T05:00Z 2026-03-09T04:00Z",
                "2026-03-15T04:00Z 2026-03-16T04:00Z",
            ],
        ),
        (
            r#"{ zone: America/New_York, allow: [{ days: [sun], from: "01:30", to: "01:45" }] }"#,
            ["2026-11-01T00:00:00Z", "2026-11-02T00:00:00Z"],
            &["2026-11-01T05:30Z 2026-11-01T06:45Z"],
        ),
        // Half an hour, back on 5 April and forward on 4 October 2026, both at 02:00.
        (
            r#"{ zone: Australia/Lord_Howe, allow: [{ days: [sun], from: "01:00", to: "02:15" }] }"#,
            ["2026-04-04T00:00:00Z", "2026-04-06T00:00:00Z"],
            &["2026-04-04T14:00Z 2026-04-04T15:45Z"],
        ),
        (
            r#"{ zone: Australia/Lord_Howe, allow: [{ days: [sun], from: "01:00", to: "02:15" }] }"#,
            ["2026-10-03T00:00:00Z", "2026-10-05T00:00:00Z"],
            &["2026-10-03T14:30Z 2026-10-03T15:30Z"],
        ),
        // Three quarters of an hour off the hour, and no changes.
        (
            r#"{ zone: Asia/Kathmandu, allow: [{ days: [mon], from: "09:00", to: "16:00" }] }"#,
            ["2026-03-30T00:00:00Z", "2026-03-31T00:00:00Z"],
            &["2026-03-30T03:15Z 2026-03-30T10:15Z"],
        ),
        // A day that begins at 01:00.
        (
            r#"{ zone: Africa/Cairo, allow: [{ days: [thu], from: "22:00", to: "24:00" },
                { days: [fri], from: "00:00", to: "02:00" }] }"#,
            ["2026-04-23T00:00:00Z", "2026-04-25T00:00:00Z"],
            &["2026-04-23T20:00Z 2026-04-23T23:00Z"],
        ),
        // A day that was skipped, 30 December 2011.
        (
            r#"{ zone: Pacific/Apia, allow: [{ days: [thu, fri, sat], from: "08:00", to: "10:00" }] }"#,
            ["2011-12-29T00:00:00Z", "2012-01-01T00:00:00Z"],
            &[
                "2011-12-29T18:00Z 2011-12-29T20:00Z",
                "2011-12-30T18:00Z 2011-12-30T20:00Z",
            ],
        ),
    ];
    for (yaml, [from, to], expected) in cases {
        assert_eq!(stretches(&windows(yaml), from, to), *expected, "{yaml}");
    }
}

#[test]
fn freezes_of_every_year_cross_it_and_know_leap_days() {
    let cases: &[Clocks] = &[
        (
            r#"{ zone: UTC, freezes: [{ name: year end, from: "12-20", to: "01-02" }] }"#,
            ["2026-12-19T00:00:00Z", "2027-01-04T00:00:00Z"],
            &[
                "2026-12-19T00:00Z 2026-12-20T00:00Z",
                "2027-01-03T00:00Z 2027-01-04T00:00Z",
            ],
        ),
        (
            r#"{ zone: UTC, freezes: [{ name: leap day, from: "02-29", to: "02-29" }] }"#,
            ["2027-02-27T00:00:00Z", "2027-03-02T00:00:00Z"],
            &["2027-02-27T00:00Z 2027-03-02T00:00Z"],
        ),
        (
            r#"{ zone: UTC, freezes: [{ name: leap day, from: "02-29", to: "02-29" }] }"#,
            ["2028-02-27T00:00:00Z", "2028-03-02T00:00:00Z"],
            &[
                "2028-02-27T00:00Z 2028-02-29T00:00Z",
                "2028-03-01T00:00Z 2028-03-02T00:00Z",
            ],
        ),
        (
            r#"{ zone: UTC, freezes: [{ name: to, from: "02-20", to: "02-29" }] }"#,
            ["2027-02-19T00:00:00Z", "2027-03-02T00:00:00Z"],
            &[
                "2027-02-19T00:00Z 2027-02-20T00:00Z",
                "2027-03-01T00:00Z 2027-03-02T00:00Z",
            ],
        ),
        (
            r#"{ zone: UTC, freezes: [{ name: from, from: "02-29", to: "03-01" }] }"#,
            ["2027-02-27T00:00:00Z", "2027-03-03T00:00:00Z"],
            &[
                "2027-02-27T00:00Z 2027-03-01T00:00Z",
                "2027-03-02T00:00Z 2027-03-03T00:00Z",
            ],
        ),
        // In its own zone, and with the day that clocks go back: 25 hours.
        (
            r#"{ zone: UTC, freezes: [{ name: own, zone: Europe/Berlin, from: "10-25", to: "10-25" }] }"#,
            ["2026-10-24T00:00:00Z", "2026-10-26T00:00:00Z"],
            &[
                "2026-10-24T00:00Z 2026-10-24T22:00Z",
                "2026-10-25T23:00Z 2026-10-26T00:00Z",
            ],
        ),
    ];
    for (yaml, [from, to], expected) in cases {
        assert_eq!(stretches(&windows(yaml), from, to), *expected, "{yaml}");
    }
}

#[test]
fn of_freezes_that_overlap_the_last_to_end_is_named() {
    let windows = windows(
        r#"{ zone: UTC, freezes: [
            { name: long, from: "2026-01-01T00:00", to: "2026-03-01T00:00" },
            { name: short, from: "01-01", to: "01-10" },
        ] }"#,
    );
    let WindowState::Closed { opens, why } = windows.state(at("2026-01-05T00:00:00Z")) else {
        panic!("it is frozen");
    };
    let until = at("2026-03-01T00:00:00Z");
    let name = "long".to_owned();
    assert_eq!(
        (opens, why),
        (Some(until), ClosedBecause::Frozen { name, until })
    );
}

#[test]
fn without_windows_it_is_open_and_far_ends_are_not_sought() {
    let always = windows("{ zone: UTC }");
    assert_eq!(always.to_string(), "at any time");
    let most = u64::from(HORIZON_DAYS) * DAY_MS;
    let far = [i64::MIN, -1, 0, 253_402_300_800_000, i64::MAX].map(Timestamp::from_unix_ms);
    for time in far {
        assert_eq!(always.state(time), WindowState::Open { until: None });
        assert_eq!(always.fits(time, most), Ok(()));
    }
    let some = windows(WHOLE);
    for time in [far[0], far[3], far[4]] {
        let why = ClosedBecause::OutsideWindows;
        assert_eq!(some.state(time), WindowState::Closed { opens: None, why });
        assert!(some.check(time)[0].kind == ProblemKind::NeverOpen);
    }
    assert_eq!(some.stretches(far[0], far[4], 10).count(), 0);
    let decade = some.stretches(far[2], far[4], usize::MAX);
    assert!((1_800..2_400).contains(&decade.count()));
    assert_eq!(some.stretches(far[2], far[4], 3).count(), 3);
    assert_eq!(some.stretches(far[4], far[2], 3).count(), 0);
}

#[test]
fn a_window_that_never_opens_is_found_from_now() {
    let windows =
        windows(r#"{ zone: UTC, allow: [{ from: "2026-01-01T00:00", to: "2026-01-01T01:00" }] }"#);
    assert_eq!(windows.check(at("2026-01-01T00:59:59Z")), []);
    let problems = windows.check(at("2026-01-01T01:00:00Z"));
    assert_eq!(problems[0].kind, ProblemKind::NeverOpen);
    assert_eq!(problems[0].message, "no window opens in the next 400 days");
}

#[test]
fn words_for_every_form() {
    let cases = [
        (
            r#"{ zone: UTC, allow: [{ days: [sun, mon, wed, thu, fri], from: "22:00", to: "02:00" }] }"#,
            "Mon, Wed–Fri and Sun 22:00–02:00 the next day UTC",
        ),
        (
            r#"{ zone: UTC, allow: [{ days: [mon, tue, wed, thu, fri, sat, sun], from: "22:00", to: "00:00" }] }"#,
            "every day 22:00–00:00 UTC",
        ),
        (
            r#"{ zone: UTC, allow: [{ days: [mon], from: "08:00", to: "09:00" },
                { zone: Asia/Kathmandu, days: [tue, wed], from: "08:00", to: "09:00", weeks: [2] },
                { zone: UTC, from: "2026-01-01T10:00", to: "2026-01-02T10:00" }],
               freezes: [{ name: a, from: "12-24", to: "12-24" },
                { name: b, zone: Asia/Kathmandu, from: "01-01", to: "01-02" },
                { name: c, from: "2026-01-01T00:00", to: "2026-01-01T12:00" }] }"#,
            "Mon 08:00–09:00 UTC; 2nd Tue and Wed 08:00–09:00 Asia/Kathmandu; 2026-01-01 10:00 to \
             2026-01-02 10:00 UTC, not during a (12-24 every year), b (01-01 to 01-02 every year \
             Asia/Kathmandu) and c (2026-01-01 00:00 to 2026-01-01 12:00)",
        ),
        (
            r#"{ zone: UTC, freezes: [{ name: a, from: "12-24", to: "12-26" }] }"#,
            "at any time, not during a (12-24 to 12-26 every year UTC)",
        ),
    ];
    for (yaml, words) in cases {
        assert_eq!(windows(yaml).to_string(), words);
    }
}

#[test]
fn what_is_wrong_is_said_with_a_place_and_a_way_out() {
    let entry = |entry: &str| format!("{{ zone: UTC, allow: [{entry}] }}");
    let freeze = |entry: &str| format!("{{ zone: UTC, freezes: [{entry}] }}");
    let many = |count: usize, entry: &str| vec![entry; count].join(",");
    let day = r#"{ days: [mon], from: "08:00", to: "09:00" }"#;
    let year = r#"{ name: a, from: "12-24", to: "12-26" }"#;
    let zones: Vec<String> = (0..20)
        .map(|n| format!(r#"{{ zone: Etc/{n}, days: [mon], from: "08:00", to: "09:00" }}"#))
        .collect();
    let long = "x".repeat(201);
    let cases = [
        "{ zone: europe/berlin }".to_owned(),
        "{ zone: Mars/Base, allow: [{ zone: Berlin, days: [mon], from: '08:00', to: '09:00' }] }"
            .into(),
        "{ zone: UTC, allow: [] }".into(),
        entry(&many(WINDOWS_MAX + 1, day)),
        freeze(&many(FREEZES_MAX + 1, year)),
        entry(&zones.join(",")),
        entry(r#"{ days: [], from: "08:00", to: "09:00" }"#),
        entry(r#"{ days: [Mon, tue, tue], from: "08:00", to: "09:00" }"#),
        entry(r#"{ days: [mon], from: "09:00", to: "09:00" }"#),
        entry(r#"{ days: [mon], from: "24:00", to: "25:00" }"#),
        entry(r#"{ days: [mon], from: "8", to: "2026-01-01T00:00" }"#),
        entry(r#"{ days: [mon], from: "08:00", to: "2026-01-01T00:00" }"#),
        entry(r#"{ from: "08:00", to: "09:00" }"#),
        entry(r#"{ from: "2026-01-01T00:00", to: "09:00" }"#),
        entry(r#"{ from: "12-24", to: "12-26" }"#),
        entry(r#"{ days: [mon], from: "08:00", to: "09:00", weeks: [] }"#),
        entry(r#"{ days: [mon], from: "08:00", to: "09:00", weeks: [1, 1, 6] }"#),
        entry(r#"{ days: [mon], from: "08:00", to: "09:00", weeks: [0] }"#),
        entry(r#"{ from: "2026-01-01T00:00", to: "2026-01-02T00:00", weeks: [1] }"#),
        entry(r#"{ from: "2026-01-02T00:00", to: "2026-01-01T00:00" }"#),
        entry(r#"{ from: "2026-01-01T00:00", to: "2026-01-01T00:00" }"#),
        entry(r#"{ zone: Europe/Berlin, from: "2026-03-29T02:10", to: "2026-03-29T02:50" }"#),
        freeze(r#"{ name: "", from: "12-24", to: "02-30" }"#),
        freeze(r#"{ name: "a\nb", from: "12-24", to: "2026-12-26T00:00" }"#),
        freeze(&format!(
            r#"{{ name: {long}, from: "12-24T00:00", to: "{long}" }}"#
        )),
        freeze(&many(2, year)),
        format!(
            "{{ zone: UTC, allow: [{}, {}], freezes: [{}, {}] }}",
            r#"{ from: "2026-11-28T08:00", to: "2026-11-28T12:00" }"#,
            r#"{ from: "2026-12-23T08:00", to: "2026-12-27T12:00" }"#,
            r#"{ name: a, from: "2026-11-28T00:00", to: "2026-11-28T10:00" }"#,
            r#"{ name: b, zone: Europe/Berlin, from: "11-28", to: "11-29" }"#,
        ),
        "{ zone: UTC, windows: [] }".into(),
        "{ zone: UTC, on_window_close: wait }".into(),
        "{ allow: [] }".into(),
    ];
    let mut page = String::new();
    for yaml in &cases {
        let shown: String = yaml.chars().take(120).collect();
        writeln!(page, "{shown}").unwrap();
        match wire(yaml).map(|wire| resolve(&wire)) {
            Err(error) => writeln!(page, "    unreadable: {error}").unwrap(),
            Ok(resolved) => {
                assert!(!resolved.problems.is_empty(), "{yaml}");
                for it in &resolved.problems {
                    let severity = it.severity();
                    writeln!(
                        page,
                        "    {severity} {:?} at {:?}: {}",
                        it.kind, it.path, it.message
                    )
                    .unwrap();
                    writeln!(page, "        {}", it.help).unwrap();
                }
                let errors = resolved
                    .problems
                    .iter()
                    .any(|it| it.severity().to_string() == "error");
                assert_eq!(resolved.windows.is_none(), errors, "{yaml}");
            }
        }
    }
    insta::assert_snapshot!(page);
}

#[test]
fn errors_of_reading_back_are_short() {
    let bad = r#"{"zone":"x","freezes":[{"name":"","from":"1","to":"2"}]}"#;
    let error = serde_json::from_str::<Windows>(bad)
        .unwrap_err()
        .to_string();
    assert_eq!(
        error,
        "the windows have faults: at `zone`: there is no time zone \"x\"; at `freezes[0].name`: \
         the freeze has no name; at `freezes[0].from`: \"1\" is no such time; and 1 more"
    );
}

#[test]
fn the_zone_data_has_a_version() {
    let version = zone_data_version();
    let (year, release) = version.split_at_checked(4).unwrap();
    assert!(year.parse::<u16>().unwrap() >= 2026, "{version}");
    assert!(
        release.bytes().all(|byte| byte.is_ascii_lowercase()),
        "{version}"
    );
}
