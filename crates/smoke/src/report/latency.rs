//! How long each phase of the attempts took.

use nonevent_page::svg::SpreadPlot;
use nonevent_page::{Section, Table};

use crate::report::histogram::Histogram;
use crate::report::result::TestResult;
use crate::report::wording::took;

const PHASES: [&str; 6] = ["resolve", "connect", "TLS", "first byte", "body", "total"];
const PER_MILLE: [(u64, &str); 3] = [(500, "p50"), (900, "p90"), (990, "p99")];

/// A histogram for each phase.
#[derive(Debug, Default)]
pub(crate) struct Latency {
    phases: [Histogram; 6],
}

impl Latency {
    pub(crate) fn add(&mut self, test: &TestResult) {
        for attempt in &test.attempts {
            let timings = &attempt.timings;
            let values = [
                timings.resolve_us,
                timings.connect_us,
                timings.tls_us,
                timings.first_byte_us,
                timings.body_us,
                Some(timings.total_us),
            ];
            for (phase, us) in self.phases.iter_mut().zip(values) {
                if let Some(us) = us {
                    phase.add(us);
                }
            }
        }
    }

    /// Nothing if nothing was asked.
    pub(crate) fn section(&self) -> Option<Section> {
        let measured = || {
            let phases = PHASES.iter().zip(&self.phases);
            phases.filter(|(_, phase)| phase.count() > 0)
        };
        measured().next()?;
        let mut plot = SpreadPlot::new("How long each phase took");
        let mut table = Table::new("Attempts by phase, to one part in 32")
            .column("Phase")
            .number_column("Attempts")
            .number_column("p50")
            .number_column("p90")
            .number_column("p99")
            .number_column("Longest");
        for (name, phase) in measured() {
            let marks = PER_MILLE.map(|(per_mille, name)| (phase.quantile_us(per_mille), name));
            plot = plot.row(*name, phase.bars(), marks);
            let [p50, p90, p99] = marks.map(|(us, _)| fine(us).into());
            let count = phase.count().to_string().into();
            let longest = fine(phase.max_us()).into();
            table = table.row([(*name).into(), count, p50, p90, p99, longest]);
        }
        let caption = "Every attempt counts, retries and those that failed too. The axis is \
                       logarithmic; each row is as high as its fullest bar.";
        let section = Section::new("Latency");
        Some(section.figure(&plot.draw(), caption).table(&table))
    }
}

/// A duration that may be much shorter than a millisecond.
fn fine(us: u64) -> String {
    match us {
        0..1_000 => format!("{us} µs"),
        _ => took(us),
    }
}
