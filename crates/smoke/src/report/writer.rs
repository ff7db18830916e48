//! What every form of a report has in common: it is written while the run goes on.

use std::io;

use crate::report::Summary;
use crate::report::result::TestResult;

/// One form of a report. It is told of each test as it ends, keeps no more than a bounded part of
/// what it is told, and is finished with the summary; so a run of any length can be written in
/// constant memory.
///
/// ```
/// use nonevent_smoke::{Event, ReportWriter, Summary, TextWriter};
///
/// /// What a caller of `stream` hands in to observe the run.
/// fn observe(event: Event<'_>, text: &mut impl ReportWriter) -> std::io::Result<()> {
///     match event {
///         Event::Finished { result, .. } => text.test(result),
///         _ => Ok(()),
///     }
/// }
/// let mut text = TextWriter::new(std::io::stdout());
/// // … then `stream(…, |event| { observe(event, &mut text); })`, and at its end:
/// let end = |summary: &Summary| text.finish(summary);
/// # let _ = (observe::<TextWriter<Vec<u8>>>, end);
/// ```
pub trait ReportWriter {
    /// Takes the next result, in the order in which tests end.
    ///
    /// # Errors
    ///
    /// When what is written to fails; the report is then useless.
    fn test(&mut self, result: &TestResult) -> io::Result<()>;

    /// Writes what only the end tells, and flushes. To be called once, after the last result.
    ///
    /// # Errors
    ///
    /// As [`ReportWriter::test`].
    fn finish(&mut self, summary: &Summary) -> io::Result<()>;
}
