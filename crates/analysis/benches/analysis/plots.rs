//! The tables as curves: by which minute what share of the runs was called worse.

use std::path::Path;

use nonevent_page::svg::{LinePlot, Unit};

use crate::contest::{ALPHA, Cell, Found, LOOKS, NAMES};
use crate::tables::Table;

/// The tests that are drawn: all six would be a tangle.
const DRAWN: [usize; 3] = [0, 1, 2];

/// Which cells are drawn, and under which file name.
const PLOTS: [(&str, u64, f64, f64); 6] = [
    ("alarms-500", 500, 1.0, 1.0),
    ("alarms-50", 50, 1.0, 1.0),
    ("threefold-500-steady", 500, 0.0, 3.0),
    ("threefold-500-bursts", 500, 1.0, 3.0),
    ("threefold-50-steady", 50, 0.0, 3.0),
    ("threefold-50-bursts", 50, 0.5, 3.0),
];

/// Writes `analysis-….svg` files into a folder.
pub(crate) fn write(folder: &Path, tables: &[Table]) -> std::io::Result<()> {
    for (name, requests, variation, ratio) in PLOTS {
        let wanted = Cell {
            requests: [requests, requests],
            ratio,
            variation,
            shared: false,
        };
        let mut cells = tables.iter().flat_map(|table| &table.cells);
        let Some((cell, found)) = cells.find(|(cell, _)| *cell == wanted) else {
            continue;
        };
        let path = folder.join(format!("analysis-{name}.svg"));
        std::fs::write(path, draw(cell, found))?;
    }
    Ok(())
}

fn draw(cell: &Cell, found: &Found) -> String {
    let what = if cell.ratio == 1.0 {
        "Good canaries called worse".to_owned()
    } else {
        format!(
            "Canaries with {} times the errors that were found",
            cell.ratio
        )
    };
    let title = format!(
        "{what}: {} requests a minute per version, CV {}",
        cell.requests[0], cell.variation
    );
    let mut plot = LinePlot::new(title, Unit::PartsPerMillion);
    for test in DRAWN {
        let points = (0..=LOOKS).map(|minute| {
            let by_then = found.minutes[test].partition_point(|first| *first <= minute);
            let ppm = by_then as u64 * 1_000_000 / found.runs;
            (minute as i64 * 60_000, i64::try_from(ppm).ok())
        });
        plot = plot.series(NAMES[test], points);
    }
    if cell.ratio == 1.0 {
        plot = plot.limit((ALPHA * 1e6) as i64, "alpha");
    }
    plot.draw().as_str().to_owned()
}
