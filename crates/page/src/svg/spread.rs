//! How values are spread, over one logarithmic axis of time.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::Svg;
use super::draw::{fnv, label_at, px};
use crate::escape;
use crate::style::{PLOT_STYLE, SPREAD_STYLE};

// All lengths are tenths of a pixel.
const WIDTH: i64 = 4800;
const LEFT: i64 = 760;
const RIGHT: i64 = 4680;
/// Where the rows begin, below the legend.
const TOP: i64 = 340;
const ROW: i64 = 440;
const BAR: i64 = 320;
/// The narrowest bar that is seen.
const BAR_WIDTH_MIN: i64 = 15;
/// The most decades of the axis: from a microsecond to eleven days.
const DECADES_MAX: u32 = 12;

/// Microseconds by how often each occurred: one row of bars for each kind of duration, over a
/// common logarithmic axis, with marks such as percentiles.
///
/// ```
/// use nonevent_page::svg::SpreadPlot;
/// let plot = SpreadPlot::new("Latency by phase")
///     .row("connect", [(800, 1_000, 12), (1_000, 1_200, 30)], [(1_040, "p50"), (1_190, "p99")])
///     .row("total", [(18_000, 22_000, 42)], [(19_000, "p50"), (21_500, "p99")]);
/// assert!(plot.draw().as_str().contains("p99"));
/// ```
#[derive(Clone, Debug)]
pub struct SpreadPlot {
    title: String,
    rows: Vec<Row>,
}

#[derive(Clone, Debug)]
struct Row {
    name: String,
    bars: Vec<(u64, u64, u64)>,
    marks: Vec<(u64, String)>,
}

impl SpreadPlot {
    /// A plot without rows.
    #[must_use]
    pub fn new(title: impl Into<String>) -> Self {
        SpreadPlot {
            title: title.into(),
            rows: Vec::new(),
        }
    }

    /// Adds a row: bars of (from, to, count), and marks of (value, name), all in microseconds. The
    /// legend is that of the first four marks of the first row, and rows name theirs alike.
    #[must_use]
    pub fn row<'a>(
        mut self,
        name: impl Into<String>,
        bars: impl IntoIterator<Item = (u64, u64, u64)>,
        marks: impl IntoIterator<Item = (u64, &'a str)>,
    ) -> Self {
        let marks = marks.into_iter().map(|(us, name)| (us, name.to_string()));
        self.rows.push(Row {
            name: name.into(),
            bars: bars.into_iter().collect(),
            marks: marks.collect(),
        });
        self
    }

    /// The drawing.
    #[must_use]
    pub fn draw(&self) -> Svg {
        let axis = Axis::of(&self.rows);
        let rows = i64::try_from(self.rows.len())
            .unwrap_or_default()
            .min(1_000);
        let bottom = TOP + ROW * rows;
        let mut inner = String::new();
        axis.draw(&mut inner, bottom);
        for (index, row) in self.rows.iter().take(1_000).enumerate() {
            let base = TOP + ROW * (i64::try_from(index).unwrap_or_default() + 1) - 60;
            row.draw(&mut inner, &axis, base);
        }
        self.legend(&mut inner);
        let title = escape::text(&self.title);
        let description = escape::text(&self.description());
        let id = format!("ne-{:016x}", fnv(&[&title, &description, &inner]));
        let (width, height) = (px(WIDTH), px(bottom + 260));
        Svg(format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"ne-plot ne-spread\" viewBox=\"0 0 \
             {width} {height}\" role=\"img\" aria-labelledby=\"{id}-title {id}-desc\">\n<title \
             id=\"{id}-title\">{title}</title>\n<desc id=\"{id}-desc\">{description}</desc>\n\
             <style>\n{PLOT_STYLE}{SPREAD_STYLE}</style>\n{inner}</svg>\n"
        ))
    }

    fn legend(&self, out: &mut String) {
        let mut x = LEFT;
        let marks = self.rows.first().map(|row| row.marks.as_slice());
        for (index, (_, name)) in marks.unwrap_or_default().iter().take(4).enumerate() {
            vertical(out, index, x, 60, 200);
            label_at(out, x + 60, 170, "start", "ne-name", name);
            let length = i64::try_from(name.chars().count()).unwrap_or_default();
            x = x
                .saturating_add(length.saturating_mul(70))
                .saturating_add(240);
        }
    }

    /// What the plot shows, for those who do not see it.
    fn description(&self) -> String {
        let mut out = format!("{}.", self.title);
        for row in &self.rows {
            let counts = row.bars.iter().map(|(_, _, count)| *count);
            let count = counts.fold(0_u64, u64::saturating_add);
            out.push_str(&format!(" {}: {count} values", row.name));
            for (us, name) in &row.marks {
                out.push_str(&format!(", {name} {}", label(*us)));
            }
            out.push('.');
        }
        out
    }
}

impl Row {
    fn draw(&self, out: &mut String, axis: &Axis, base: i64) {
        label_at(out, LEFT - 80, base - 40, "end", "ne-name", &self.name);
        let (x1, x2, y) = (px(LEFT), px(RIGHT), px(base));
        out.push_str(&format!(
            "<line class=\"ne-grid\" x1=\"{x1}\" y1=\"{y}\" x2=\"{x2}\" y2=\"{y}\"/>\n"
        ));
        let counts = self.bars.iter().map(|(_, _, count)| *count);
        let fullest = counts.max().unwrap_or_default().max(1);
        for (from, to, count) in self.bars.iter().filter(|(_, _, count)| *count > 0) {
            let height = i128::from(*count) * i128::from(BAR) / i128::from(fullest);
            // What is rare is still seen.
            let height = i64::try_from(height).unwrap_or(BAR).max(10);
            let left = axis.place(*from);
            // A hair's breadth between neighbours.
            let width = (axis.place(*to) - left - 5).max(BAR_WIDTH_MIN);
            let (x, y) = (px(left), px(base - height));
            let (width, height) = (px(width), px(height));
            out.push_str(&format!(
                "<rect class=\"ne-bar\" x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\"/>\n"
            ));
        }
        for (index, (us, _)) in self.marks.iter().enumerate() {
            vertical(out, index, axis.place(*us), base - BAR - 40, base);
        }
    }
}

fn vertical(out: &mut String, index: usize, x: i64, from: i64, to: i64) {
    let class = index % 4;
    let (x, y1, y2) = (px(x), px(from), px(to));
    out.push_str(&format!(
        "<line class=\"ne-series ne-p{class}\" x1=\"{x}\" y1=\"{y1}\" x2=\"{x}\" y2=\"{y2}\"/>\n"
    ));
}

/// From microseconds to tenths of a pixel; whole decades.
struct Axis {
    /// The power of ten it begins with.
    first: u32,
    decades: u32,
}

impl Axis {
    fn of(rows: &[Row]) -> Axis {
        let bars = || rows.iter().flat_map(|row| &row.bars);
        let marks = || rows.iter().flat_map(|row| &row.marks).map(|(us, _)| *us);
        let lowest = bars().map(|(from, _, _)| *from).chain(marks()).min();
        let highest = bars().map(|(_, to, _)| *to).chain(marks()).max();
        let first = lowest.unwrap_or(1).max(1).ilog10().min(DECADES_MAX - 1);
        // The decade that the highest ends in or at.
        let last = highest.unwrap_or(1).max(2).saturating_sub(1).ilog10() + 1;
        Axis {
            first,
            decades: last.min(DECADES_MAX).saturating_sub(first).max(1),
        }
    }

    fn place(&self, us: u64) -> i64 {
        let from = log2(10_u64.pow(self.first));
        let to = log2(10_u64.pow(self.first + self.decades));
        let at = log2(us.max(1)).clamp(from, to);
        LEFT + (at - from) * (RIGHT - LEFT) / (to - from)
    }

    fn draw(&self, out: &mut String, bottom: i64) {
        for decade in self.first..=self.first + self.decades {
            let us = 10_u64.pow(decade);
            let x = self.place(us);
            let (x1, y1, y2) = (px(x), px(TOP), px(bottom - 20));
            out.push_str(&format!(
                "<line class=\"ne-grid\" x1=\"{x1}\" y1=\"{y1}\" x2=\"{x1}\" y2=\"{y2}\"/>\n"
            ));
            let anchor = if x == RIGHT { "end" } else { "middle" };
            label_at(out, x, bottom + 160, anchor, "", &label(us));
        }
    }
}

/// Microseconds for people: `250µs`, `2.5ms`, `10s`; cut off after the third digit.
fn label(us: u64) -> String {
    let (scale, unit) = match us {
        0..1_000 => return format!("{us}µs"),
        1_000..1_000_000 => (1_000, "ms"),
        _ => (1_000_000, "s"),
    };
    let (whole, rest) = (us / scale, us % scale * 100 / scale);
    let digits = match whole {
        0..10 => format!("{rest:02}"),
        10..100 => format!("{}", rest / 10),
        _ => String::new(),
    };
    let digits = digits.trim_end_matches('0');
    let point = if digits.is_empty() { "" } else { "." };
    format!("{whole}{point}{digits}{unit}")
}

/// The logarithm to base two in 65 536ths, by squaring: in integers, so that it is the same on
/// every machine.
fn log2(value: u64) -> i64 {
    let whole = value.max(1).ilog2();
    // From 1 to 2, in units of 2^-31.
    let mut mantissa = if whole >= 31 {
        value >> (whole - 31)
    } else {
        value << (31 - whole)
    };
    let mut fraction = 0;
    for _ in 0..16 {
        mantissa = (mantissa * mantissa) >> 31;
        fraction <<= 1;
        if mantissa >= 1 << 32 {
            mantissa >>= 1;
            fraction |= 1;
        }
    }
    (i64::from(whole) << 16) | fraction
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logarithms_are_near_and_grow() {
        assert_eq!((log2(1), log2(2), log2(1 << 40)), (0, 1 << 16, 40 << 16));
        // log2(10) = 3.321928…
        assert_eq!(log2(10), 217_705);
        assert!((1..5_000).all(|value| log2(value) < log2(value + 1)));
        assert!(log2(u64::MAX) < 64 << 16);
    }

    #[test]
    fn labels_are_short() {
        let cases = [
            (0, "0µs"),
            (999, "999µs"),
            (1_000, "1ms"),
            (1_250, "1.25ms"),
            (10_040, "10ms"),
            (12_340, "12.3ms"),
            (123_400, "123ms"),
            (10_000_000, "10s"),
        ];
        for (us, expected) in cases {
            assert_eq!(label(us), expected);
        }
    }

    #[test]
    fn an_axis_holds_whatever_it_is_given() {
        for bars in [
            &[][..],
            &[(0, 0, 0)],
            &[(0, u64::MAX, u64::MAX)],
            &[(7, 3, 1)],
        ] {
            let marks = [(0, "a"), (u64::MAX, "b")];
            let plot = SpreadPlot::new("t").row("r", bars.iter().copied(), marks);
            assert!(plot.draw().as_str().ends_with("</svg>\n"));
            let plot = SpreadPlot::new("t").row("r", bars.iter().copied(), []);
            assert!(!plot.draw().as_str().contains("width=\"-"));
        }
        assert!(SpreadPlot::new("t").draw().as_str().starts_with("<svg"));
    }
}
