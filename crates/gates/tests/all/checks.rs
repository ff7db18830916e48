//! What each kind of check makes of good, bad and hostile inputs.

use std::fmt::Write as _;

use nonevent_document::Timestamp;
use nonevent_gates::{CheckResult, Context, EvidenceSet, Outcome, Policy, Side, Tree, evaluate};

const NOW: Timestamp = Timestamp::from_unix_ms(1_770_000_000_000);

fn result(check: &str, tree: &Tree) -> CheckResult {
    let text = format!(
        "apiVersion: nonevent/v1\nkind: GatePolicy\nname: checks\nphases:\n  - id: one\n    title: One\n    exit:\n      - {{ id: c, title: T, why: W, severity: blocking, owner: O, remedy: R, check: {{ {check} }} }}\n"
    );
    let policy = Policy::parse("checks.yaml", text.as_bytes()).expect("a policy");
    let gate = policy.gate("one", Side::Exit).expect("the phase");
    let verdict = evaluate(&gate, tree, &EvidenceSet::default(), &Context::at(NOW));
    let result = verdict.criteria()[0].check.clone();
    assert_eq!(verdict.is_passed(), result.outcome == Outcome::Pass);
    result
}

/// One line per input: outcome and figure.
fn table(check: &str, path: &str, inputs: &[(&str, Vec<u8>)]) -> String {
    let mut text = format!("{check}\n\n");
    for (name, bytes) in inputs {
        let result = result(check, &Tree::new().with_file(path, bytes));
        writeln!(text, "{name}: {}: {}", result.outcome, result.found).expect("written");
    }
    text
}

fn case(name: &str, bytes: impl AsRef<[u8]>) -> (&str, Vec<u8>) {
    (name, bytes.as_ref().to_vec())
}

#[test]
fn junit() {
    let laughs = r#"<?xml version="1.0"?><!DOCTYPE l [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]><testsuite><testcase name="&b;"/><testcase name="2"/></testsuite>"#;
    let outside = r#"<!DOCTYPE l [<!ENTITY a SYSTEM "file:///etc/passwd">]><testsuite><testcase name="&a;"/><testcase name="2"/></testsuite>"#;
    let deep = format!(
        "{}{}",
        "<testsuite tests='0'>".repeat(50_000),
        "</testsuite>".repeat(50_000)
    );
    let inputs = [
        case(
            "two ran",
            r#"<testsuites tests="3" failures="0"><testsuite name="a" tests="3"><testcase name="1"/><testcase name="2"/><testcase name="3"><skipped/></testcase></testsuite></testsuites>"#,
        ),
        case(
            "as pytest writes it",
            r#"<?xml version="1.0" encoding="utf-8"?><testsuites name="pytest tests"><testsuite name="pytest" errors="0" failures="0" skipped="0" tests="2" time="0.02"><testcase classname="t" name="test_a" time="0.001" /><testcase classname="t" name="test_b" time="0.001" /></testsuite></testsuites>"#,
        ),
        case(
            "one failed",
            r#"<testsuite><testcase name="1"><failure message="no"/></testcase><testcase name="2"/></testsuite>"#,
        ),
        case(
            "one error",
            r#"<testsuite><testcase name="1"><error/></testcase><testcase name="2"/></testsuite>"#,
        ),
        case(
            "one ran",
            r#"<testsuite><testcase name="1"/><testcase name="2"><skipped/></testcase></testsuite>"#,
        ),
        case(
            "fewer than declared",
            r#"<testsuites tests="9"><testsuite><testcase name="1"/><testcase name="2"/></testsuite></testsuites>"#,
        ),
        case(
            "a suite with fewer than declared",
            r#"<testsuites><testsuite tests="9"><testcase name="1"/><testcase name="2"/></testsuite></testsuites>"#,
        ),
        case(
            "more failures declared",
            r#"<testsuite failures="1"><testcase name="1"/><testcase name="2"/></testsuite>"#,
        ),
        case(
            "more failures declared in a suite",
            r#"<testsuites><testsuite failures="1"><testcase name="1"/><testcase name="2"/></testsuite></testsuites>"#,
        ),
        case(
            "no number",
            r#"<testsuite tests="many"><testcase name="1"/><testcase name="2"/></testsuite>"#,
        ),
        case(
            "no names",
            r#"<testsuite><testcase/><testcase/></testsuite>"#,
        ),
        case(
            "cut short",
            r#"<testsuite><testcase name="1"/><testcase name="2"/>"#,
        ),
        case("no report", "<html/>"),
        case("empty", ""),
        case("not UTF-8", b"<testsuite>\xff</testsuite>"),
        case("entities", laughs),
        case("an entity from outside", outside),
        case("very deep", deep),
        case(
            "very many",
            format!("<testsuite>{}</testsuite>", "<a/>".repeat(600_000)),
        ),
    ];
    insta::assert_snapshot!(table(
        "junit: { file: r.xml, min_tests: 2 }",
        "r.xml",
        &inputs
    ));
}

#[test]
fn lcov() {
    let inputs = [
        case(
            "three of four",
            "TN:\nSF:src/a.rs\nDA:1,1\nDA:2,5\nDA:3,0\nDA:4,1,abc\nLF:4\nLH:3\nend_of_record\n",
        ),
        case(
            "two runs together",
            "SF:src/a.rs\nDA:1,1\nDA:2,0\nend_of_record\nSF:src/a.rs\nDA:1,0\nDA:2,1\nDA:3,1\nDA:4,0\nend_of_record\n",
        ),
        case(
            "too little covered",
            "SF:src/a.rs\nDA:1,1\nDA:2,0\nDA:3,0\nDA:4,1\nend_of_record\n",
        ),
        case(
            "too little measured",
            "SF:src/a.rs\nDA:1,1\nDA:2,1\nDA:3,1\nend_of_record\n",
        ),
        case(
            "elsewhere",
            "SF:tests/a.rs\nDA:1,1\nDA:2,1\nDA:3,1\nDA:4,1\nend_of_record\n",
        ),
        case(
            "an absolute path",
            "SF:/home/me/src/a.rs\nDA:1,1\nDA:2,1\nDA:3,1\nDA:4,1\nend_of_record\n",
        ),
        case("cut short", "SF:src/a.rs\nDA:1,1\nDA:2,1\nDA:3,1\nDA:4,1\n"),
        case(
            "cut within a number",
            "SF:src/a.rs\nDA:1,1\nDA:2,1\nDA:3,1\nDA:4,",
        ),
        case(
            "totals only",
            "SF:src/a.rs\nLF:400\nLH:400\nend_of_record\n",
        ),
        case("no record", "DA:1,1\n"),
        case("nested records", "SF:a\nSF:b\nend_of_record\n"),
        case("line zero", "SF:src/a.rs\nDA:0,1\nend_of_record\n"),
        case("a negative count", "SF:src/a.rs\nDA:1,-1\nend_of_record\n"),
        case("prose", "coverage is 100%\n"),
        case("empty", ""),
        case("an escape", "SF:src/a.rs\nDA:\u{1b}[2J\n"),
    ];
    insta::assert_snapshot!(table(
        "lcov: { file: l.info, of: 'src/**', lines_min: '75%', measured_min: 4 }",
        "l.info",
        &inputs
    ));
}

#[test]
fn cobertura() {
    let report = |lines: &str| {
        format!(
            "<?xml version=\"1.0\" ?>\n<!DOCTYPE coverage SYSTEM 'http://cobertura.example/coverage-04.dtd'>\n<coverage line-rate=\"0.5\" lines-valid=\"4\"><packages><package name=\"p\"><classes><class name=\"c\" filename=\"src/a.py\"><methods/><lines>{lines}</lines></class><class name=\"t\" filename=\"tests/t.py\"><lines><line number=\"1\" hits=\"1\"/></lines></class></classes></package></packages></coverage>"
        )
    };
    let line = |number: u32, hits: u32| format!("<line number=\"{number}\" hits=\"{hits}\"/>");
    let inputs = [
        case(
            "three of four",
            report(&[line(1, 1), line(2, 9), line(3, 1), line(4, 0)].concat()),
        ),
        case(
            "one of four",
            report(&[line(1, 1), line(2, 0), line(3, 0), line(4, 0)].concat()),
        ),
        case(
            "too few measured",
            report(&[line(1, 1), line(2, 1)].concat()),
        ),
        case(
            "a line in two methods",
            report(&[line(1, 0), line(1, 1), line(2, 1), line(3, 1)].concat()),
        ),
        case("no hits said", report("<line number=\"1\"/>")),
        case("line 0", report(&line(0, 1))),
        case(
            "hits below none",
            report("<line number=\"1\" hits=\"-1\"/>"),
        ),
        case("no class", "<coverage lines-valid=\"4\"/>"),
        case("a class without a file", "<coverage><class/></coverage>"),
        case("another root", "<testsuites/>"),
        case(
            "entities",
            "<!DOCTYPE c [<!ENTITY a \"b\">]><coverage>&a;</coverage>",
        ),
        case("cut short", "<coverage><class filename=\"a\">"),
    ];
    let check = "cobertura: { file: c.xml, of: src/**, lines_min: 75%, measured_min: 3 }";
    insta::assert_snapshot!("cobertura", table(check, "c.xml", &inputs));
}

#[test]
fn sarif() {
    let log = |run: &str| format!(r#"{{"version":"2.1.0","runs":[{run}]}}"#);
    let run = |more: &str| {
        log(&format!(
            r#"{{"tool":{{"driver":{{"name":"scan","rules":[{{"id":"a","defaultConfiguration":{{"level":"error"}}}},{{"id":"b"}}]}}}}{more}}}"#
        ))
    };
    let results = |results: &str| run(&format!(r#","results":[{results}]"#));
    let inputs = [
        case("nothing found", results("")),
        case("an error by its rule", results(r#"{"ruleId":"a"}"#)),
        case(
            "an error by its rule's place",
            results(r#"{"ruleIndex":0}"#),
        ),
        case("a warning, as none is said", results(r#"{"ruleId":"b"}"#)),
        case(
            "its own level counts",
            results(r#"{"ruleId":"a","level":"note"}"#),
        ),
        case(
            "what passed is no finding",
            results(r#"{"ruleId":"a","kind":"pass"}"#),
        ),
        case(
            "suppressed",
            results(r#"{"ruleId":"a","suppressions":[{"kind":"inSource"}]}"#),
        ),
        case(
            "a suppression nobody accepted",
            results(
                r#"{"ruleId":"a","suppressions":[{"kind":"external","status":"underReview"}]}"#,
            ),
        ),
        case(
            "gone since before",
            results(r#"{"ruleId":"a","baselineState":"absent"}"#),
        ),
        case("a level that is none", results(r#"{"level":"fatal"}"#)),
        case("no results", run("")),
        case("results elsewhere", run(r#","results":null"#)),
        case(
            "a run that failed",
            run(r#","invocations":[{"executionSuccessful":false}],"results":[]"#),
        ),
        case(
            "another tool",
            log(r#"{"tool":{"driver":{"name":"lint","rules":[{"id":"a"}]}},"results":[]}"#),
        ),
        case(
            "no rules",
            log(r#"{"tool":{"driver":{"name":"scan"}},"results":[]}"#),
        ),
        case(
            "rules of an extension",
            log(
                r#"{"tool":{"driver":{"name":"scan"},"extensions":[{"name":"x","rules":[{"id":"a","defaultConfiguration":{"level":"error"}}]}]},"results":[{"ruleId":"a"}]}"#,
            ),
        ),
        case("another version", r#"{"version":"2.0.0","runs":[]}"#),
        case("no log", "[]"),
        case("cut short", r#"{"version":"2.1.0","runs":[{"#),
    ];
    let check = "sarif: { file: s.json, tool: scan, level: error }";
    insta::assert_snapshot!("sarif", table(check, "s.json", &inputs));
}

#[test]
fn markdown() {
    let words = "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen twenty";
    let inputs = [
        case(
            "all there",
            format!("# Roll back\n\n{words}\n\n- [x] a\n- [x] b\n\n| a |\n|---|\n| 1 |\n"),
        ),
        case(
            "underlined heading",
            format!("Roll back\n---------\n\n{words}\n\n- [x] a\n\n| a |\n|---|\n| 1 |\n"),
        ),
        case(
            "too few words",
            "# Roll back\n\nnot much\n\n- [x] a\n\n| a |\n|---|\n| 1 |\n",
        ),
        case(
            "nothing in the section",
            format!("# Roll back\n# Next\n{words}\n- [x] a\n\n| a |\n|---|\n| 1 |\n"),
        ),
        case(
            "one box open",
            format!("# Roll back\n\n{words}\n\n- [x] a\n- [ ] b\n\n| a |\n|---|\n| 1 |\n"),
        ),
        case(
            "no box",
            format!("# Roll back\n\n{words}\n\n| a |\n|---|\n| 1 |\n"),
        ),
        case(
            "boxes in code",
            format!("# Roll back\n\n{words}\n\n```\n- [x] a\n```\n\n| a |\n|---|\n| 1 |\n"),
        ),
        case(
            "blank rows",
            format!("# Roll back\n\n{words}\n\n- [x] a\n\n| a |\n|---|\n|   |\n"),
        ),
        case(
            "only in a comment",
            format!("<!--\n# Roll back\n\n{words}\n\n- [x] a\n-->\n"),
        ),
        case("as prose", format!("We will roll back. {words}\n")),
        case("not UTF-8", b"# Roll back\n\xff"),
        case("empty", ""),
        case("brackets without end", "[".repeat(50_000)),
        case("quotes in quotes", ">".repeat(5_000)),
        case("too long", "x".repeat((1 << 20) + 1)),
    ];
    let check = "markdown: { file: a.md, heading: Roll back, words_min: 20, checklist_complete: true, table_rows_min: 1 }";
    insta::assert_snapshot!(table(check, "a.md", &inputs));
}

#[test]
fn json_and_yaml() {
    let json = [
        case("enough", r#"{"open": {"high": 3}}"#),
        case("too much", r#"{"open": {"high": 4}}"#),
        case("a text", r#"{"open": {"high": "3"}}"#),
        case("elsewhere", r#"{"opened": {"high": 3}}"#),
        case("twice", r#"{"open": {"high": 9, "high": 3}}"#),
        case("YAML", "open: { high: 3 }"),
        case("a comment", "{\"open\": {\"high\": 3}} // yes"),
        case("cut short", r#"{"open": {"high": 3"#),
        case("empty", ""),
        case("very deep", "[".repeat(100_000)),
        case("not UTF-8", b"{\"open\xff\": 1}"),
    ];
    insta::assert_snapshot!(
        "json",
        table(
            "json: { file: bugs.json, path: /open/high, at_most: 3 }",
            "bugs.json",
            &json
        )
    );
    let yaml = [
        case("one", "jobs:\n  build: { runs-on: x }\n"),
        case("none", "jobs: {}\n"),
        case("null", "jobs:\n"),
        case("a list", "jobs: [build]\n"),
        case(
            "an alias bomb",
            "a: &a [1,1,1,1,1,1,1,1,1]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c]\ne: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d]\njobs: [*e,*e,*e,*e,*e,*e,*e,*e,*e]\n",
        ),
        case("two documents", "jobs: { a: 1 }\n---\njobs: { a: 1 }\n"),
    ];
    insta::assert_snapshot!(
        "yaml",
        table(
            "yaml: { file: ci.yml, path: /jobs, items_at_least: 1 }",
            "ci.yml",
            &yaml
        )
    );
}

#[cfg(feature = "schema")]
#[test]
fn schema() {
    let check = "schema: { file: data.json, schema: { type: object, required: [name, stages], \
                 properties: { name: { type: string, minLength: 1, pattern: '^(a+)+$' }, \
                 stages: { type: array, minItems: 1, items: { type: integer } } } } }";
    let endless = format!("{{\"name\": \"{}!\", \"stages\": [1]}}", "a".repeat(50_000));
    let inputs = [
        case("as asked", r#"{"name": "aa", "stages": [5, 100]}"#),
        case(
            "a value of another type",
            r#"{"name": "aa", "stages": [5, "100"]}"#,
        ),
        case("a part is missing", r#"{"name": "aa"}"#),
        case("an empty object", "{}"),
        case("no JSON", "name: aa"),
        case("empty", ""),
        case(
            "a text that a backtracking pattern would not come back from",
            endless,
        ),
        case(
            "a value that acts on a terminal",
            "{\"name\": \"\u{1b}[2J\", \"stages\": [1]}",
        ),
    ];
    insta::assert_snapshot!("schema", table(check, "data.json", &inputs));
}

/// The schema is itself a file of the project, so that anything may stand in it.
#[cfg(feature = "schema")]
#[test]
fn a_schema_in_a_file() {
    let doubling: String = (0..40)
        .map(|at| {
            let next = at + 1;
            format!(
                "\"a{at}\": {{\"allOf\": [{{\"$ref\": \"#/$defs/a{next}\"}}, {{\"$ref\": \"#/$defs/a{next}\"}}]}},"
            )
        })
        .collect();
    let doubling = format!(
        "{{\"$ref\": \"#/$defs/a0\", \"$defs\": {{{doubling} \"a40\": {{\"type\": \"integer\"}}}}}}"
    );
    let mut doubled = "{\"type\": \"array\"}".to_string();
    for _ in 0..15 {
        doubled = format!("{{\"allOf\": [{doubled}, {doubled}]}}");
    }
    let chain: String = (0..2_000)
        .map(|at| format!("\"a{at}\": {{\"$ref\": \"#/$defs/a{}\"}},", at + 1))
        .collect();
    let chain =
        format!("{{\"$ref\": \"#/$defs/a0\", \"$defs\": {{{chain} \"a2000\": {{\"const\": 1}}}}}}");
    let schemas = [
        ("a tree of any depth", r##"{"type": "array", "minItems": 1, "items": {"anyOf": [{"const": 1}, {"$ref": "#"}]}}"##.to_string()),
        ("twice a tree", r##"{"type": "array", "minItems": 1, "items": {"anyOf": [{"const": 1}, {"allOf": [{"$ref": "#"}, {"$ref": "#"}]}]}}"##.to_string()),
        ("by anchor", r##"{"$ref": "#list", "$defs": {"x": {"$anchor": "list", "type": "array", "minItems": 1}}}"##.to_string()),
        ("asks nothing", "{}".to_string()),
        ("asks nothing of lists", r#"{"type": "array"}"#.to_string()),
        ("accepts nothing", r#"{"not": {}}"#.to_string()),
        ("itself", r##"{"$ref": "#"}"##.to_string()),
        ("another file", r#"{"$ref": "file:///etc/passwd"}"#.to_string()),
        ("another host", r#"{"$ref": "https://example.com/schema.json"}"#.to_string()),
        ("nowhere", r##"{"$ref": "#/$defs/gone"}"##.to_string()),
        ("no type", r#"{"type": "lists"}"#.to_string()),
        ("no schema", "[]".to_string()),
        ("looks ahead", r#"{"pattern": "(?=a)b"}"#.to_string()),
        ("doubles forty times", doubling),
        ("a long chain", chain),
        ("an id within", r##"{"type": "array", "minItems": 1, "items": {"$id": "x", "$ref": "#/$defs/y", "$defs": {"y": {}}}}"##.to_string()),
        ("an id of its own", r##"{"$id": "https://example.com/s", "type": "array", "minItems": 1, "items": {"$ref": "#/$defs/y"}, "$defs": {"y": {}}}"##.to_string()),
        ("doubles fifteen times for each value", format!("{{\"minProperties\": 1, \"minItems\": 1, \"type\": [\"array\", \"number\"], \"items\": {doubled}}}")),
        ("no JSON", "{".to_string()),
    ];
    let mut deep = "1".to_string();
    for _ in 0..50 {
        deep = format!("[{deep}]");
    }
    let long = format!("[{}]", vec!["1"; 2_000].join(", "));
    let check = "schema: { file: data.json, schema_file: schema.json }";
    let mut text = String::new();
    for (name, schema) in &schemas {
        for (what, document) in [
            ("deep", &deep),
            ("a number", &"7".to_string()),
            ("long", &long),
        ] {
            let tree = Tree::new()
                .with_file("data.json", document.as_bytes())
                .with_file("schema.json", schema.as_bytes());
            let result = result(check, &tree);
            writeln!(text, "{name}, {what}: {}: {}", result.outcome, result.found)
                .expect("written");
        }
    }
    insta::assert_snapshot!("schema_file", text);
}

#[test]
fn the_type_of_content() {
    let check = "files: { include: ['docs/*.pdf'], type: pdf, min_bytes: 2000 }";
    let real = [b"%PDF-1.7\n".to_vec(), vec![b'x'; 2000]].concat();
    let inputs = [
        case("begins as one", &real),
        case("only the beginning", "%PDF-1.7\n"),
        case("a text of that name", "x".repeat(3000)),
    ];
    insta::assert_snapshot!("content_type", table(check, "docs/plan.pdf", &inputs));
}

#[test]
fn what_is_no_file_says_so() {
    let check = "files: { include: ['docs/*.md', '**/plan.md'], min_count: 2, min_bytes: 2000 }";
    let long = "x".repeat(2000);
    let trees = [
        Tree::new(),
        Tree::new()
            .with_symlink("docs/a.md")
            .with_directory("docs/b.md"),
        Tree::new()
            .with_file("docs/a.md", long.as_bytes())
            .with_file("docs/b.md", b"short"),
        Tree::new().with_file("docs/node_modules/plan.md", long.as_bytes()),
        Tree::new()
            .with_file("docs/a.md", long.as_bytes())
            .with_file("a/b/plan.md", long.as_bytes()),
        {
            let mut tree = Tree::new()
                .with_file("docs/a.md", long.as_bytes())
                .with_file("docs/b.md", long.as_bytes());
            tree.add_gap(
                nonevent_gates::TreePath::new("closed\n"),
                "permission denied".to_string(),
            );
            tree
        },
    ];
    let mut text = String::new();
    for tree in &trees {
        let result = result(check, tree);
        writeln!(text, "{}: {}", result.outcome, result.found).expect("written");
    }
    insta::assert_snapshot!(text);
}
