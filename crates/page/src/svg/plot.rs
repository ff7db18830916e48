//! The two plots, as data.

use alloc::string::String;
use alloc::vec::Vec;

use super::{Svg, Unit, draw};

/// A plot in the making.
#[derive(Clone, Debug)]
pub(super) struct Plot {
    pub(super) title: String,
    pub(super) unit: Unit,
    pub(super) steps: bool,
    /// The top of the vertical axis, if it is fixed.
    pub(super) top: Option<i64>,
    pub(super) series: Vec<Series>,
    pub(super) limits: Vec<(i64, String)>,
    pub(super) marks: Vec<(i64, String)>,
    /// Where time ends, if later than the last point.
    pub(super) until_ms: i64,
}

/// A named sequence of values over time.
#[derive(Clone, Debug)]
pub(super) struct Series {
    pub(super) name: String,
    /// Milliseconds and value, in order of time; `None` is a gap.
    pub(super) points: Vec<(i64, Option<i64>)>,
}

impl Plot {
    fn new(title: String, unit: Unit, steps: bool) -> Self {
        Plot {
            title,
            unit,
            steps,
            top: None,
            series: Vec::new(),
            limits: Vec::new(),
            marks: Vec::new(),
            until_ms: i64::MIN,
        }
    }

    fn add(&mut self, name: String, mut points: Vec<(i64, Option<i64>)>) {
        points.sort_by_key(|(ms, _)| *ms);
        self.series.push(Series { name, points });
    }
}

/// Values that hold until they change, over time: the traffic of stable and canary.
///
/// The first four series differ in colour and in dashes; more begin again.
///
/// ```
/// use nonevent_page::svg::StepPlot;
/// let plot = StepPlot::traffic("Traffic of the canary")
///     .series("canary", [(0, 0), (10_000, 500), (20_000, 10_000)])
///     .mark(20_000, "promoted")
///     .until(30_000);
/// assert!(plot.draw().as_str().starts_with("<svg"));
/// ```
#[derive(Clone, Debug)]
pub struct StepPlot(Plot);

impl StepPlot {
    /// Shares of the traffic out of 10 000, on an axis from 0% to 100%.
    #[must_use]
    pub fn traffic(title: impl Into<String>) -> Self {
        let mut plot = Plot::new(title.into(), Unit::BasisPoints, true);
        plot.top = Some(10_000);
        StepPlot(plot)
    }

    /// Values of any unit, on an axis that fits them.
    #[must_use]
    pub fn new(title: impl Into<String>, unit: Unit) -> Self {
        StepPlot(Plot::new(title.into(), unit, true))
    }

    /// Adds a series of (milliseconds since the beginning, value from then on).
    #[must_use]
    pub fn series(
        mut self,
        name: impl Into<String>,
        points: impl IntoIterator<Item = (i64, i64)>,
    ) -> Self {
        let points = points.into_iter().map(|(ms, value)| (ms, Some(value)));
        self.0.add(name.into(), points.collect());
        self
    }

    /// Adds a vertical line where something happened.
    #[must_use]
    pub fn mark(mut self, at_ms: i64, name: impl Into<String>) -> Self {
        self.0.marks.push((at_ms, name.into()));
        self
    }

    /// Draws on until then, if that is later than the last point.
    #[must_use]
    pub fn until(mut self, at_ms: i64) -> Self {
        self.0.until_ms = at_ms;
        self
    }

    /// The drawing.
    #[must_use]
    pub fn draw(&self) -> Svg {
        Svg(draw::svg(&self.0))
    }
}

/// Values over time, joined by lines: latencies, error rates.
///
/// The first four series differ in colour and in dashes; more begin again.
///
/// ```
/// use nonevent_page::svg::{LinePlot, Unit};
/// let plot = LinePlot::new("p99 latency", Unit::Milliseconds)
///     .series("stable", [(0, Some(20)), (5_000, Some(22))])
///     .series("canary", [(0, None), (5_000, Some(71))])
///     .limit(44, "2x baseline");
/// assert!(plot.draw().as_str().contains("2x baseline"));
/// ```
#[derive(Clone, Debug)]
pub struct LinePlot(Plot);

impl LinePlot {
    /// A plot of values of this unit.
    #[must_use]
    pub fn new(title: impl Into<String>, unit: Unit) -> Self {
        LinePlot(Plot::new(title.into(), unit, false))
    }

    /// Adds a series of (milliseconds since the beginning, value); `None` is a gap: there was no
    /// data.
    #[must_use]
    pub fn series(
        mut self,
        name: impl Into<String>,
        points: impl IntoIterator<Item = (i64, Option<i64>)>,
    ) -> Self {
        self.0.add(name.into(), points.into_iter().collect());
        self
    }

    /// Adds a horizontal line at a value that must not be passed.
    #[must_use]
    pub fn limit(mut self, value: i64, name: impl Into<String>) -> Self {
        self.0.limits.push((value, name.into()));
        self
    }

    /// Adds a vertical line where something happened.
    #[must_use]
    pub fn mark(mut self, at_ms: i64, name: impl Into<String>) -> Self {
        self.0.marks.push((at_ms, name.into()));
        self
    }

    /// The drawing.
    #[must_use]
    pub fn draw(&self) -> Svg {
        Svg(draw::svg(&self.0))
    }
}
