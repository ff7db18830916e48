//! Drawings that stand in a page or alone: plots over time and of how durations are spread, in
//! integers, so that the same data gives the same bytes on every machine.

mod draw;
mod plot;
mod spread;
mod unit;

use alloc::string::String;

pub use plot::{LinePlot, StepPlot};
pub use spread::SpreadPlot;
pub use unit::Unit;

/// A finished drawing: one `svg` element that refers to nothing outside itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Svg(String);

impl Svg {
    /// The markup, with a line break at the end. It can be written to a file as it is.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
