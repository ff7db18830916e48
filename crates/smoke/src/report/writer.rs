//! What every form of a report has in common: it is written while the run goes on.

use std::io;

use crate::report::Summary;
use crate::report::result::TestResult;

/// One form of a report. It is told of each test as it ends, keeps no more than a bounded part of
/// what it is told, and is finished with the summary; so a run of any length can be written in
/// constant memory.
///
/// ```
/// use nonevent_smoke::{Event, ReportWriter, TextWriter};
///
/// let mut text = TextWriter::new(std::io::stdout());
/// let mut failed = None;
/// let observe = |event: Event<'_>| {
///     if let (Event::Finished { result, .. }, None) = (event, &failed) {
///         failed = text.test(result).err();
///     }
/// };
/// // `stream(&suite, &target, &options, cancel, observe).await?` gives the summary for
/// // `text.finish(&summary)?`.
/// # let _ = observe;
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
