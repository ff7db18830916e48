//! From a plot's data to its markup.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::Unit;
use super::plot::{Plot, Series};
use crate::escape;
use crate::style::PLOT_STYLE;

// All lengths are tenths of a pixel.
const WIDTH: i64 = 7200;
const LEFT: i64 = 620;
const RIGHT: i64 = 7000;
const LEGEND: i64 = 180;
const TOP: i64 = 680;
const BOTTOM: i64 = 2500;
const HEIGHT: i64 = 2840;
/// The names of marks stand on this many lines in turn, so that neighbours do not overlap.
const MARK_LINES: usize = 3;
/// Values and milliseconds beyond this are drawn as if they were this: far from overflow.
const EXTREME: i64 = 1_000_000_000_000_000;

/// From values to tenths of a pixel.
struct Axis {
    from: i64,
    to: i64,
    start: i64,
    end: i64,
}

impl Axis {
    fn place(&self, value: i64) -> i64 {
        let value = i128::from(value.clamp(self.from, self.to)) - i128::from(self.from);
        let range = (i128::from(self.to) - i128::from(self.from)).max(1);
        let length = i128::from(self.end) - i128::from(self.start);
        let offset = value * length / range;
        self.start + i64::try_from(offset).expect("it lies between the ends of the axis")
    }

    /// Multiples of the step within the axis.
    fn ticks(&self, step: i64) -> impl Iterator<Item = i64> + '_ {
        let first = self.from.div_euclid(step) * step;
        let first = if first < self.from {
            first.saturating_add(step)
        } else {
            first
        };
        let next = move |tick: &i64| tick.checked_add(step);
        core::iter::successors(Some(first), next).take_while(|tick| *tick <= self.to)
    }
}

/// Tenths of a pixel as SVG writes them.
pub(super) fn px(tenths: i64) -> String {
    match (tenths / 10, tenths % 10) {
        (whole, 0) => whole.to_string(),
        (whole, tenth) => format!("{whole}.{tenth}"),
    }
}

fn values(plot: &Plot) -> impl Iterator<Item = i64> + '_ {
    let points = plot.series.iter().flat_map(|series| series.points.iter());
    points.filter_map(|(_, value)| *value)
}

fn time_axis(plot: &Plot) -> Axis {
    let points = plot.series.iter().flat_map(|series| series.points.iter());
    let times = points
        .map(|(ms, _)| *ms)
        .chain(plot.marks.iter().map(|(ms, _)| *ms));
    let (mut from, mut to) = (i64::MAX, plot.until_ms);
    for ms in times {
        from = from.min(ms);
        to = to.max(ms);
    }
    let to = to.clamp(-EXTREME, EXTREME);
    let from = from.clamp(-EXTREME, EXTREME).min(to.max(0));
    Axis {
        from,
        to: to.max(from.saturating_add(1000)),
        start: LEFT,
        end: RIGHT,
    }
}

fn value_axis(plot: &Plot) -> (Axis, i64) {
    let all = || values(plot).chain(plot.limits.iter().map(|(value, _)| *value));
    let lowest = all().min().unwrap_or(0).clamp(-EXTREME, 0);
    let highest = plot.top.or_else(|| all().max()).unwrap_or(0);
    let highest = highest.clamp(lowest, EXTREME);
    let highest = if highest <= lowest {
        plot.unit.least_top()
    } else {
        highest
    };
    let step = plot.unit.step(highest.saturating_sub(lowest), 6);
    let round_up = |value: i64| match value.rem_euclid(step) {
        0 => value,
        rest => value.saturating_add(step - rest),
    };
    let axis = Axis {
        from: lowest.saturating_sub(lowest.rem_euclid(step)),
        to: round_up(highest),
        start: BOTTOM,
        end: TOP,
    };
    (axis, step)
}

/// The `svg` element with a line break at the end.
pub(super) fn svg(plot: &Plot) -> String {
    let time = time_axis(plot);
    let (value, value_step) = value_axis(plot);
    let mut inner = String::new();
    grid(&mut inner, plot, &time, &value, value_step);
    for (index, series) in plot.series.iter().enumerate() {
        let path = path(plot, series, &time, &value);
        let class = index % 4;
        inner.push_str(&format!(
            "<path class=\"ne-series ne-s{class}\" d=\"{path}\"/>\n"
        ));
    }
    lines(&mut inner, plot, &time, &value);
    legend(&mut inner, plot);
    let title = escape::text(&plot.title);
    let description = escape::text(&description(plot, &time));
    // Names in a page have to differ between drawings, and be the same each time.
    let id = format!("ne-{:016x}", fnv(&[&title, &description, &inner]));
    let (width, height) = (px(WIDTH), px(HEIGHT));
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"ne-plot\" viewBox=\"0 0 {width} \
         {height}\" role=\"img\" aria-labelledby=\"{id}-title {id}-desc\">\n\
         <title id=\"{id}-title\">{title}</title>\n<desc id=\"{id}-desc\">{description}</desc>\n\
         <style>\n{PLOT_STYLE}</style>\n{inner}</svg>\n"
    )
}

/// FNV-1a, 64 bits.
pub(super) fn fnv(parts: &[&str]) -> u64 {
    let bytes = parts.iter().flat_map(|part| part.bytes());
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

fn grid(out: &mut String, plot: &Plot, time: &Axis, value: &Axis, value_step: i64) {
    for tick in value.ticks(value_step) {
        let y = value.place(tick);
        horizontal(out, "ne-grid", y);
        let label = plot.unit.label(tick);
        label_at(out, LEFT - 80, y + 40, "end", "", &label);
    }
    let step = Unit::Milliseconds.step(time.to.saturating_sub(time.from), 9);
    for tick in time.ticks(step) {
        let x = time.place(tick);
        let (x1, y1, y2) = (px(x), px(BOTTOM), px(BOTTOM + 50));
        out.push_str(&format!(
            "<line class=\"ne-grid\" x1=\"{x1}\" y1=\"{y1}\" x2=\"{x1}\" y2=\"{y2}\"/>\n"
        ));
        let label = Unit::Milliseconds.label(tick);
        label_at(out, x, BOTTOM + 190, "middle", "", &label);
    }
    if values(plot).next().is_none() {
        label_at(
            out,
            (LEFT + RIGHT) / 2,
            (TOP + BOTTOM) / 2,
            "middle",
            "ne-name",
            "no data",
        );
    }
}

fn horizontal(out: &mut String, class: &str, y: i64) {
    let (x1, x2, y) = (px(LEFT), px(RIGHT), px(y));
    out.push_str(&format!(
        "<line class=\"{class}\" x1=\"{x1}\" y1=\"{y}\" x2=\"{x2}\" y2=\"{y}\"/>\n"
    ));
}

pub(super) fn label_at(out: &mut String, x: i64, y: i64, anchor: &str, class: &str, label: &str) {
    let (x, y) = (px(x), px(y));
    let class = if class.is_empty() {
        String::new()
    } else {
        format!(" class=\"{class}\"")
    };
    let label = escape::text(label);
    out.push_str(&format!(
        "<text{class} x=\"{x}\" y=\"{y}\" text-anchor=\"{anchor}\">{label}</text>\n"
    ));
}

/// Limits and marks, above the series.
fn lines(out: &mut String, plot: &Plot, time: &Axis, value: &Axis) {
    for (at, name) in &plot.limits {
        let y = value.place(*at);
        horizontal(out, "ne-limit", y);
        label_at(out, RIGHT, y - 40, "end", "ne-mark-name", name);
    }
    let mut marks: Vec<&(i64, String)> = plot.marks.iter().collect();
    marks.sort_by_key(|(ms, _)| *ms);
    for (index, (ms, name)) in marks.into_iter().enumerate() {
        let x = time.place(*ms);
        let top = LEGEND + 140 + 120 * i64::try_from(index % MARK_LINES).unwrap_or_default();
        let (x1, y1, y2) = (px(x), px(top), px(BOTTOM));
        out.push_str(&format!(
            "<line class=\"ne-mark\" x1=\"{x1}\" y1=\"{y1}\" x2=\"{x1}\" y2=\"{y2}\"/>\n"
        ));
        let (anchor, shift) = if x > (LEFT + RIGHT) / 2 {
            ("end", -40)
        } else {
            ("start", 40)
        };
        label_at(out, x + shift, top + 80, anchor, "ne-mark-name", name);
    }
}

fn legend(out: &mut String, plot: &Plot) {
    let mut x = LEFT;
    for (index, series) in plot.series.iter().enumerate() {
        let class = index % 4;
        let (x1, x2, y) = (px(x), px(x + 240), px(LEGEND - 40));
        out.push_str(&format!(
            "<line class=\"ne-series ne-s{class}\" x1=\"{x1}\" y1=\"{y}\" x2=\"{x2}\" y2=\"{y}\"/>\n"
        ));
        label_at(out, x + 300, LEGEND, "start", "ne-name", &series.name);
        // About seven pixels for each character of the name.
        let length = i64::try_from(series.name.chars().count()).unwrap_or_default();
        x = x
            .saturating_add(length.saturating_mul(70))
            .saturating_add(540);
    }
}

fn path(plot: &Plot, series: &Series, time: &Axis, value: &Axis) -> String {
    let mut out = String::new();
    let mut last: Option<(i64, i64)> = None;
    let points = series
        .points
        .iter()
        .map(|(ms, v)| (time.place(*ms), v.map(|v| value.place(v))));
    for (x, y) in thinned(points) {
        let Some(y) = y else {
            last = None;
            continue;
        };
        match last {
            None => out.push_str(&format!("M{} {}", px(x), px(y))),
            Some(_) if plot.steps => out.push_str(&format!("H{}V{}", px(x), px(y))),
            Some((before_x, _)) if before_x == x => out.push_str(&format!("V{}", px(y))),
            Some(_) => out.push_str(&format!("L{} {}", px(x), px(y))),
        }
        last = Some((x, y));
    }
    match last {
        Some((x, _)) if plot.steps && x < RIGHT => out.push_str(&format!("H{}", px(RIGHT))),
        // A single point would not show.
        Some((x, _)) if series.points.len() == 1 => out.push_str(&format!("H{}", px(x + 30))),
        _ => {}
    }
    out
}

/// At most four points for each pixel: the first, the lowest, the highest and the last, so that
/// the picture stays the same however many points there are.
fn thinned(
    points: impl Iterator<Item = (i64, Option<i64>)>,
) -> impl Iterator<Item = (i64, Option<i64>)> {
    let mut out: Vec<(i64, Option<i64>)> = Vec::new();
    let mut column: Vec<(i64, Option<i64>)> = Vec::new();
    for point in points {
        if column.first().is_some_and(|(x, _)| x / 10 != point.0 / 10) {
            close_column(&mut column, &mut out);
        }
        column.push(point);
    }
    close_column(&mut column, &mut out);
    out.into_iter()
}

fn close_column(column: &mut Vec<(i64, Option<i64>)>, out: &mut Vec<(i64, Option<i64>)>) {
    if column.len() > 4 {
        let with_value = || column.iter().enumerate().filter(|(_, (_, y))| y.is_some());
        let lowest = with_value()
            .max_by_key(|(_, (_, y))| *y)
            .map_or(0, |(at, _)| at);
        let highest = with_value()
            .min_by_key(|(_, (_, y))| *y)
            .map_or(0, |(at, _)| at);
        let mut kept = [0, lowest, highest, column.len() - 1];
        kept.sort_unstable();
        let mut before = None;
        for at in kept {
            if before != Some(at) {
                out.push(column[at]);
            }
            before = Some(at);
        }
        column.clear();
    }
    out.append(column);
}

/// What the plot shows, for those who do not see it.
fn description(plot: &Plot, time: &Axis) -> String {
    let label = |value: i64| plot.unit.label(value);
    let duration = Unit::Milliseconds.label(time.to.saturating_sub(time.from));
    let mut out = format!("{} over {duration}.", plot.title);
    for series in &plot.series {
        let present = || series.points.iter().filter_map(|(_, value)| *value);
        let (Some(first), Some(last)) = (present().next(), present().next_back()) else {
            out.push_str(&format!(" {}: no data.", series.name));
            continue;
        };
        let lowest = present().min().unwrap_or(first);
        let highest = present().max().unwrap_or(first);
        out.push_str(&format!(
            " {}: from {} to {}, lowest {}, highest {}.",
            series.name,
            label(first),
            label(last),
            label(lowest),
            label(highest)
        ));
    }
    for (value, name) in &plot.limits {
        out.push_str(&format!(" Limit {name}: {}.", label(*value)));
    }
    for (ms, name) in &plot.marks {
        let at = Unit::Milliseconds.label(ms.saturating_sub(time.from));
        out.push_str(&format!(" {name} at {at}."));
    }
    out
}
