//! The reports of one run, each written while it goes on.

use std::fs::File;
use std::hash::{BuildHasher as _, RandomState};
use std::io::{self, BufWriter, IsTerminal as _, Write};
use std::path::Path;

use nonevent::smoke::{
    GithubWriter, HtmlWriter, JsonWriter, JunitWriter, ReportWriter, Suite, Summary, TestResult,
    TextWriter,
};

use super::arguments::Smoke;
use super::paced::Paced;
use crate::place::Place;

/// Every report that was asked for.
pub(crate) struct Outputs {
    outputs: Vec<Output>,
}

struct Output {
    /// What errors call it.
    name: String,
    writer: Box<dyn ReportWriter + Send>,
    /// Nothing where it goes to a stream.
    place: Option<Place>,
    /// Why it is not written any more.
    failed: Option<io::Error>,
}

impl Outputs {
    /// Begins the reports that the flags name.
    ///
    /// # Errors
    ///
    /// When a file cannot be written, in a sentence; before anything is asked.
    pub(crate) fn open(arguments: &Smoke, suite: &Suite, color: bool) -> Result<Outputs, String> {
        let mut outputs = Vec::new();
        if let Some(path) = &arguments.junit {
            let (place, file) = Place::open(path)?;
            let spool = place.spool()?;
            let writer = JunitWriter::new(file, spool, suite.name(), arguments.dialect());
            outputs.push(Output::file(path, place, writer));
        }
        if let Some(path) = &arguments.report {
            let (place, file) = Place::open(path)?;
            outputs.push(Output::file(path, place, JsonWriter::new(file)));
        }
        if let Some(path) = &arguments.html {
            let (place, file) = Place::open(path)?;
            outputs.push(Output::file(path, place, HtmlWriter::new(file)));
        }
        let printed: Box<dyn ReportWriter + Send> = if arguments.json {
            Box::new(JsonWriter::new(BufWriter::new(io::stdout())))
        } else {
            let out: Box<dyn Write + Send> = if io::stdout().is_terminal() || arguments.github {
                Box::new(io::stdout())
            } else {
                Box::new(Paced::new(io::stdout()))
            };
            let text = TextWriter::new(out);
            let text = text.color(color).only_problems(arguments.quiet);
            if arguments.github {
                Box::new(Quoted::new(Box::new(text)))
            } else {
                Box::new(text)
            }
        };
        outputs.push(Output::stream("standard output", printed));
        if arguments.github {
            let github = github(arguments, suite)?;
            outputs.push(Output::stream("GitHub's annotations and summary", github));
        }
        Ok(Outputs { outputs })
    }

    /// Takes a result into each report.
    pub(crate) fn test(&mut self, result: &TestResult) {
        for output in &mut self.outputs {
            if output.failed.is_none() {
                output.failed = output.writer.test(result).err();
            }
        }
    }

    /// Ends each report and puts it in its place; a sentence for each that could not be written.
    pub(crate) fn finish(self, summary: &Summary) -> Vec<String> {
        let mut failed = Vec::new();
        for mut output in self.outputs {
            let ended = match output.failed.take() {
                Some(error) => Err(error),
                None => output.writer.finish(summary),
            };
            let put = ended.and_then(|()| output.place.map_or(Ok(()), Place::put));
            match put {
                Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                    failed.push(format!("{} could not be written: {error}", output.name));
                }
                // A reader that has gone away has seen what it wanted.
                _ => {}
            }
        }
        failed
    }
}

impl Output {
    fn file(path: &Path, place: Place, writer: impl ReportWriter + Send + 'static) -> Output {
        Output {
            name: path.display().to_string(),
            writer: Box::new(writer),
            place: Some(place),
            failed: None,
        }
    }

    fn stream(name: &str, writer: Box<dyn ReportWriter + Send>) -> Output {
        Output {
            name: name.to_owned(),
            writer,
            place: None,
            failed: None,
        }
    }
}

fn github(arguments: &Smoke, suite: &Suite) -> Result<Box<dyn ReportWriter + Send>, String> {
    let commands: Box<dyn Write + Send> = if arguments.json {
        // Standard output is one JSON document; the runner reads commands here too.
        Box::new(io::stderr())
    } else {
        Box::new(io::stdout())
    };
    let github = GithubWriter::new(commands, step_summary()?);
    Ok(match &arguments.config {
        Some(path) => Box::new(github.suite(&path.display().to_string(), suite)),
        None => Box::new(github),
    })
}

/// The file that a step's summary goes to, if GitHub Actions names one.
fn step_summary() -> Result<Box<dyn Write + Send>, String> {
    let Some(path) = std::env::var_os("GITHUB_STEP_SUMMARY").filter(|path| !path.is_empty()) else {
        return Ok(Box::new(io::sink()));
    };
    let opened = File::options().append(true).create(true).open(&path);
    let path = Path::new(&path).display();
    let file = opened.map_err(|error| format!("$GITHUB_STEP_SUMMARY ({path}): {error}"))?;
    Ok(Box::new(file))
}

/// Text whose lines are no commands to the runner of GitHub Actions, whatever they say: they stand
/// between `::stop-commands::` and a word that nobody else knows.
struct Quoted {
    text: Box<dyn ReportWriter + Send>,
    word: String,
    has_begun: bool,
}

impl Quoted {
    fn new(text: Box<dyn ReportWriter + Send>) -> Quoted {
        // The standard library's random keys, twice.
        let [a, b] = [0, 1].map(|n| RandomState::new().hash_one(n));
        Quoted {
            text,
            word: format!("{a:016x}{b:016x}"),
            has_begun: false,
        }
    }

    fn begin(&mut self) -> io::Result<()> {
        if self.has_begun {
            return Ok(());
        }
        self.has_begun = true;
        writeln!(io::stdout(), "::stop-commands::{}", self.word)
    }
}

impl ReportWriter for Quoted {
    fn test(&mut self, result: &TestResult) -> io::Result<()> {
        self.begin()?;
        self.text.test(result)
    }

    fn finish(&mut self, summary: &Summary) -> io::Result<()> {
        self.begin()?;
        self.text.finish(summary)?;
        writeln!(io::stdout(), "::{}::", self.word)
    }
}
