//! A report as JSON, test by test.

use std::io::{self, Write};

use serde::Serialize;

use crate::report::result::TestResult;
use crate::report::writer::ReportWriter;
use crate::report::{ApiVersion, Kind, Summary};

/// Writes the document that a [`Report`](crate::Report) is as JSON: `serde_json` reads it back into
/// one. The tests stand before the summary, one on each line, in the order in which they ended.
#[derive(Debug)]
pub struct JsonWriter<W> {
    out: W,
    has_begun: bool,
}

impl<W: Write> JsonWriter<W> {
    /// Writes to `out`, nothing before the first result.
    pub fn new(out: W) -> JsonWriter<W> {
        JsonWriter {
            out,
            has_begun: false,
        }
    }

    fn separate(&mut self) -> io::Result<()> {
        if self.has_begun {
            return self.out.write_all(b",\n");
        }
        self.has_begun = true;
        let head = Head::default();
        self.out.write_all(b"{")?;
        write_members(&mut self.out, &head)?;
        self.out.write_all(b",\"tests\":[\n")
    }
}

#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct Head {
    api_version: ApiVersion,
    kind: Kind,
}

/// An object without its braces.
fn write_members(out: &mut impl Write, object: &impl Serialize) -> io::Result<()> {
    let text = serde_json::to_string(object)?;
    let members = text.strip_prefix('{').and_then(|it| it.strip_suffix('}'));
    out.write_all(members.unwrap_or_default().as_bytes())
}

impl<W: Write> ReportWriter for JsonWriter<W> {
    fn test(&mut self, result: &TestResult) -> io::Result<()> {
        self.separate()?;
        serde_json::to_writer(&mut self.out, result)?;
        Ok(())
    }

    fn finish(&mut self, summary: &Summary) -> io::Result<()> {
        if !self.has_begun {
            self.separate()?;
        }
        self.out.write_all(b"\n],")?;
        write_members(&mut self.out, summary)?;
        self.out.write_all(b"}\n")?;
        self.out.flush()
    }
}
