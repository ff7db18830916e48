//! Every form of one report that has every verdict, cause of note, severity, part and backend in it.

use std::fs;
use std::io::{self, Cursor, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

use nonevent_smoke::{
    Failure, GithubWriter, HtmlWriter, JsonWriter, JunitDialect, JunitWriter, Report, ReportWriter,
    Suite, TestResult, TextWriter, Verdict,
};
use proptest::prelude::{any, prop_assert, prop_assert_eq, proptest};

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/smoke")
}

fn everything() -> Report {
    let json = fs::read_to_string(fixtures().join("report/everything.json")).expect("a fixture");
    serde_json::from_str(&json).expect("a report")
}

fn written(report: &Report, writer: impl FnOnce(&mut Vec<u8>) -> Box<dyn Writes + '_>) -> String {
    let mut out = Vec::new();
    writer(&mut out)
        .all(report)
        .expect("memory can be written to");
    String::from_utf8(out).expect("text")
}

/// A writer that is told of a whole report.
trait Writes {
    fn all(&mut self, report: &Report) -> io::Result<()>;
}

impl<W: ReportWriter> Writes for W {
    fn all(&mut self, report: &Report) -> io::Result<()> {
        report.write_to(self)
    }
}

fn html(report: &Report) -> String {
    written(report, |out| Box::new(HtmlWriter::new(out)))
}

/// Commands and summary.
fn github(report: &Report, suite: Option<&Suite>) -> (String, String) {
    let (mut commands, mut markdown) = (Vec::new(), Vec::new());
    let mut writer = GithubWriter::new(&mut commands, &mut markdown);
    if let Some(suite) = suite {
        writer = writer.suite("smoke/shop.yaml", suite);
    }
    report
        .write_to(&mut writer)
        .expect("memory can be written to");
    let text = |bytes| String::from_utf8(bytes).expect("text");
    (text(commands), text(markdown))
}

/// Runs `xmllint` with these arguments, where it is installed.
fn xmllint(name: &str, xml: &str, arguments: &[&str]) {
    let file = format!("nonevent-smoke-{}-{name}.xml", std::process::id());
    let file = std::env::temp_dir().join(file);
    fs::write(&file, xml).expect("a writable folder");
    let ran = Command::new("xmllint").args(arguments).arg(&file).output();
    fs::remove_file(&file).expect("the file just written");
    match ran {
        Ok(out) => {
            let said = String::from_utf8_lossy(&out.stderr);
            assert!(out.status.success(), "{said}");
        }
        Err(_) => eprintln!("not run: xmllint is not installed"),
    }
}

#[test]
fn as_text() {
    let report = everything();
    insta::assert_snapshot!("everything-text", report.text(false));
    let color = report.text(true);
    assert!(
        color.contains("\u{1b}[1;31mFAILED      \u{1b}[0m"),
        "{color}"
    );
    let quiet = written(&report, |out| {
        Box::new(TextWriter::new(out).only_problems(true))
    });
    assert!(
        !quiet.contains("Sign out") && quiet.contains("Search"),
        "{quiet}"
    );
}

#[test]
fn as_junit() {
    let report = everything();
    let ant = report.junit(JunitDialect::Ant);
    let surefire = report.junit(JunitDialect::Surefire);
    insta::assert_snapshot!("everything-junit-ant", ant);
    insta::assert_snapshot!("everything-junit-surefire", surefire);
    let schema = fixtures().join("junit.xsd");
    let schema = schema.to_str().expect("a readable path");
    xmllint("ant", &ant, &["--noout", "--schema", schema]);
    xmllint("surefire", &surefire, &["--noout"]);
}

#[test]
fn as_json() {
    let report = everything();
    let json = written(&report, |out| Box::new(JsonWriter::new(out)));
    let read: Report = serde_json::from_str(&json).expect("a report");
    assert_eq!(read, report);
    assert_eq!(read.summary.exit_code(), 1);
    // One test on each line, so that a report of any length can be looked through.
    let lines: Vec<&str> = json.lines().collect();
    assert_eq!(lines.len(), report.tests.len() + 2);
    assert!(lines[1].starts_with("{\"index\":0,") && lines[1].ends_with("},"));
    // In whatever order they ended.
    let mut out = Vec::new();
    let mut writer = JsonWriter::new(&mut out);
    for test in report.tests.iter().rev() {
        writer.test(test).expect("memory");
    }
    writer.finish(&report.summary).expect("memory");
    let read: Report = serde_json::from_slice(&out).expect("a report");
    assert_eq!(read, report);
    // Without a test.
    let mut empty = report;
    empty.tests.clear();
    let json = written(&empty, |out| Box::new(JsonWriter::new(out)));
    let read: Report = serde_json::from_str(&json).expect("a report");
    assert_eq!(read, empty);
}

#[test]
fn for_github() {
    let report = everything();
    let suite = "tests:\n  - name: a\n    repeat: 3\n  - name: b\n  - name: c\n    repeat: 9\n";
    let suite = Suite::parse("smoke/shop.yaml", suite.as_bytes()).expect("a suite");
    let (commands, markdown) = github(&report, Some(&suite));
    insta::assert_snapshot!("everything-github", commands);
    insta::assert_snapshot!("everything-markdown", markdown);
}

#[test]
fn as_a_page() {
    let page = html(&everything());
    let (_, main) = page.split_once("<main id=\"main\">").expect("a page");
    let (main, _) = main.split_once("</main>").expect("a page");
    insta::assert_snapshot!("everything-html", main);
    // Looked at with `NONEVENT_SMOKE_PAGE=page.html cargo test -p nonevent-smoke as_a_page`.
    if let Some(path) = std::env::var_os("NONEVENT_SMOKE_PAGE") {
        fs::write(path, &page).expect("a writable path");
    }
}

/// The fixture with only one test, whose every text is this.
fn saying(text: &str) -> Report {
    let mut report = everything();
    let mut test = report.tests.remove(3);
    let failure = Failure {
        message: text.to_owned(),
        expected: Some(text.to_owned()),
        actual: Some(format!("not {text}")),
        diff: Some(text.to_owned()),
        excerpt: Some(text.to_owned()),
        ..test.attempts[0].failures[0].clone()
    };
    test.attempts[0].failures = vec![
        failure.clone(),
        Failure {
            diff: None,
            ..failure
        },
    ];
    test.builds.insert(text.to_owned(), 1);
    for place in [&mut test.name, &mut test.url] {
        text.clone_into(place);
    }
    test.backend = Some(text.to_owned());
    test.curl = Some(text.to_owned());
    let suite = &mut report.summary.suite;
    for place in [&mut suite.name, &mut report.summary.target] {
        text.clone_into(place);
    }
    report.summary.backends[0].name = text.to_owned();
    report.tests = vec![test];
    report
}

proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(64))]

    #[test]
    fn no_text_breaks_out_of_its_place(
        text in proptest::prop_oneof![
            any::<String>(),
            "[<>&\"'\\]:,%\r\n\t|`#*\u{1b}\u{0}\u{fffe}a ]{0,40}",
            "(</code>|<script>|]]>|::error::|%0A|\r\n| ){1,6}",
        ],
    ) {
        let report = saying(&text);
        for dialect in [JunitDialect::Ant, JunitDialect::Surefire] {
            let xml = report.junit(dialect);
            let document = roxmltree::Document::parse(&xml).expect("well-formed");
            let failures = document.descendants().filter(|node| node.has_tag_name("failure"));
            prop_assert_eq!(failures.count(), 1);
            prop_assert!(document.descendants().all(|node| !node.has_tag_name("script")));
        }
        let page = html(&report);
        let (_, main) = page.split_once("<main id=\"main\">").expect("a page");
        let (main, _) = main.rsplit_once("</main>").expect("a page");
        let main = format!("<main>{main}</main>");
        let document = roxmltree::Document::parse(&main).expect("well-formed");
        prop_assert!(document.descendants().all(|node| !node.has_tag_name("script")));
        let code = document.descendants().filter(|node| node.has_tag_name("pre"));
        prop_assert_eq!(code.count(), 1);
        let (commands, markdown) = github(&report, None);
        prop_assert_eq!(commands.lines().count(), 2);
        prop_assert!(commands.lines().all(|line| line.starts_with("::")));
        prop_assert!(!commands.contains('\r'));
        // In code, where lines do not begin with markup, anything may stand.
        let markup = |line: &&str| ["| ", "<d", "##"].iter().any(|mark| line.starts_with(mark));
        let mut markup = markdown.lines().take_while(|line| !line.starts_with("```")).filter(markup);
        prop_assert!(markup.all(|line| !line.replace("\\<", "").contains("<script>")));
        let told = report.text(false);
        prop_assert!(told.chars().all(|c| c == '\n' || !c.is_control()));
        let forged = |line: &str| line.trim_start().starts_with("::");
        prop_assert!(!told.lines().any(forged), "{told}");
    }
}

/// Counts what is written and keeps nothing.
#[derive(Default)]
struct Counted(usize);

impl Write for &mut Counted {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn what_is_held_until_the_end_does_not_grow_with_the_run() {
    let report = everything();
    // All kinds of results, over and over, as a long run would give them.
    let length = |tests: usize| {
        let mut summary = report.summary.clone();
        summary.counts.tests = tests;
        let (mut page, mut commands, mut markdown) = Default::default();
        let mut spooled = tempfile();
        let (mut junit, mut text) = (Counted::default(), Counted::default());
        let mut html = HtmlWriter::new(&mut page);
        let mut github = GithubWriter::new(&mut commands, &mut markdown);
        let mut xml = JunitWriter::new(&mut junit, &mut spooled, "suite", JunitDialect::Surefire);
        let mut lines = TextWriter::new(&mut text);
        let writers: [&mut dyn ReportWriter; 4] = [&mut html, &mut github, &mut xml, &mut lines];
        for writer in writers {
            for test in report.tests.iter().cycle().take(tests) {
                writer.test(test).expect("a sink");
            }
            writer.finish(&summary).expect("a sink");
        }
        (page, commands, markdown)
    };
    // A page, annotations and a summary are written at the end, so what they take is what was held.
    let at_most = |(page, commands, markdown): &(Counted, Counted, Counted)| {
        assert!(page.0 < 1_500_000, "{} bytes of page", page.0);
        assert!(commands.0 < 100_000, "{} bytes of commands", commands.0);
        assert!(markdown.0 <= 1024 * 1024, "{} bytes of summary", markdown.0);
    };
    let (some, many) = (length(10_000), length(100_000));
    at_most(&some);
    at_most(&many);
    let grown = many.0.0.abs_diff(some.0.0) + many.2.0.abs_diff(some.2.0);
    assert!(grown < 200, "90 000 more tests take {grown} more bytes");
}

fn tempfile() -> fs::File {
    let name = format!("nonevent-smoke-{}.spool", std::process::id());
    let path = std::env::temp_dir().join(name);
    let mut options = fs::File::options();
    let file = options
        .read(true)
        .write(true)
        .create(true)
        .truncate(true)
        .open(&path);
    let file = file.expect("a writable folder");
    fs::remove_file(&path).expect("the file just made");
    file
}

#[test]
fn a_spool_is_copied_whole() {
    let report = everything();
    let mut out = Vec::new();
    let mut spool = Cursor::new(Vec::new());
    let suite = &report.summary.suite.name;
    let mut writer = JunitWriter::new(&mut out, &mut spool, suite, JunitDialect::Ant);
    let tests: Vec<&TestResult> = report.tests.iter().cycle().take(5_000).collect();
    for test in &tests {
        writer.test(test).expect("memory");
    }
    writer.finish(&report.summary).expect("memory");
    let xml = String::from_utf8(out).expect("text");
    assert_eq!(xml.matches("<testcase ").count(), tests.len());
    let flaky = tests
        .iter()
        .filter(|test| test.verdict == Verdict::Flaky)
        .count();
    assert!(
        xml.contains(&format!(" and {} more\"", flaky - 100)),
        "{flaky}"
    );
}
