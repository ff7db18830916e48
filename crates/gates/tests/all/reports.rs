//! Verdicts in the forms of other tools, the fewest changes that open a gate, and replaying.

use super::project::{NOW, Project};
use nonevent_gates::{
    Bundle, Content, Context, Entry, EntryKind, EvidenceSet, Policy, Side, Tree, TreePath, Verdict,
    evaluate, junit, sarif,
};
use serde_json::Value;

const POLICY: &str = "apiVersion: nonevent/v1
kind: GatePolicy
name: reports
phases:
  - id: one
    title: One
    exit:
      - id: ways
        title: One of two ways <is> \"gone\"
        why: There are several.
        severity: blocking
        owner: team
        remedy: Go one & all.
        check:
          any:
            - all:
                - markdown: { file: a.md, heading: A }
                - markdown: { file: a.md, heading: B }
            - at_least:
                n: 2
                of:
                  - markdown: { file: b.md, heading: A }
                  - markdown: { file: b.md, heading: B }
                  - junit: { file: j.xml, min_tests: 1 }
      - id: notes
        title: Notes
        why: They help.
        severity: warning
        owner: team
        remedy: Write them.
        check:
          markdown: { file: notes.md, heading: Notes }
      - id: images
        title: Images are described
        why: Not everybody sees them.
        severity: blocking
        owner: team
        remedy: Describe them.
        applies_when: { any_file: [\"**/*.png\"] }
        check:
          markdown: { file: images.md, heading: Images }
";

fn words(heading: &str) -> String {
    format!("# {heading}\n\n{}\n", "words ".repeat(30))
}

fn verdict(tree: &Tree) -> Verdict {
    let policy = Policy::parse("reports.yaml", POLICY.as_bytes()).expect("a policy");
    let gate = policy.gate("one", Side::Exit).expect("the phase");
    evaluate(&gate, tree, &EvidenceSet::default(), &Context::at(NOW))
}

#[test]
fn the_fewest_changes_open_the_gate() {
    let asked = |tree: &Tree| -> Vec<String> {
        let verdict = verdict(tree);
        assert_eq!(verdict.changes().is_empty(), verdict.is_passed());
        verdict
            .changes()
            .iter()
            .map(|it| it.asked.clone())
            .collect()
    };
    // Of two ways with two steps each, the first.
    let nothing = asked(&Tree::new());
    assert_eq!(nothing.len(), 2, "{nothing:?}");
    assert!(nothing.iter().all(|it| it.contains("a.md")), "{nothing:?}");
    // One step is done on the second way.
    let tree = Tree::new().with_file("b.md", words("B").as_bytes());
    let one = asked(&tree);
    assert!(one.len() == 1 && one[0].contains("b.md"), "{one:?}");
    // Doing that opens it.
    let both = words("A") + &words("B");
    assert!(asked(&tree.with_file("b.md", both.as_bytes())).is_empty());
}

#[test]
fn as_sarif_and_junit() {
    let verdicts = [verdict(&Tree::new()), Project::whole().verdict(Side::Exit)];
    let log = sarif(&verdicts, "gates.yaml");
    insta::assert_snapshot!(
        "as-sarif",
        serde_json::to_string_pretty(&log).expect("JSON")
    );
    let report = junit(&verdicts);
    let document = roxmltree::Document::parse(&report).expect("XML");
    let count = |name: &str| {
        document
            .descendants()
            .filter(|it| it.has_tag_name(name))
            .count()
    };
    assert_eq!(count("testsuite"), 2);
    assert_eq!(count("failure"), 2);
    let message = document
        .descendants()
        .find(|it| it.has_tag_name("testcase"));
    let title = message.and_then(|case| case.attribute("name"));
    assert_eq!(title, Some("One of two ways <is> \"gone\""));
    insta::assert_snapshot!("as-junit", report);
}

fn odd_tree() -> Tree {
    let mut tree = Project::whole().tree().with_symlink("link.md");
    let odd = TreePath::new(b"docs/\xff\n.md").expect("a path");
    let content = Content::read(b"\xff\x00binary", true);
    tree.insert(
        odd,
        Entry {
            kind: EntryKind::File,
            tracked: false,
            content,
        },
    );
    tree.add_gap(TreePath::new("deep"), "too deep".to_owned());
    let unread = Entry {
        kind: EntryKind::File,
        tracked: true,
        content: Content::Unread("no permission".to_owned()),
    };
    tree.insert(TreePath::new("secret").expect("a path"), unread);
    tree
}

fn bundle() -> (Bundle, Vec<Verdict>) {
    let project = Project::whole();
    let mut evidence = project.evidence();
    evidence.read("torn.json", b"{");
    let tree = odd_tree();
    let verdicts: Vec<Verdict> = [Side::Entry, Side::Exit]
        .into_iter()
        .map(|side| {
            let gate = project.policy.gate("deployment", side).expect("the phase");
            evaluate(&gate, &tree, &evidence, &project.context)
        })
        .collect();
    let text = project.policy_text();
    let policy = ("gates.yaml", text.as_bytes());
    let bundle = Bundle::of(&verdicts, policy, &tree, &evidence, &project.context);
    (bundle.expect("of the same policy"), verdicts)
}

#[test]
fn a_bundle_gives_the_same_bytes_elsewhere() {
    let (bundle, verdicts) = bundle();
    let text = bundle.to_json();
    let again = Bundle::parse("bundle.json", text.as_bytes()).expect("a bundle");
    assert_eq!(again.to_json(), text);
    let replayed = again.replay().expect("the phases are there");
    assert_eq!(replayed.len(), verdicts.len());
    for (replayed, verdict) in replayed.iter().zip(&verdicts) {
        assert!(replayed.is_same());
        assert_eq!(replayed.verdict.to_json(), verdict.to_json());
    }
}

/// Every text in the bundle, changed in turn.
fn each_text(value: &Value, change: &mut dyn FnMut(&[String]), path: &mut Vec<String>) {
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                path.push(key.clone());
                each_text(value, change, path);
                path.pop();
            }
        }
        Value::Array(items) => {
            for (at, value) in items.iter().enumerate() {
                path.push(at.to_string());
                each_text(value, change, path);
                path.pop();
            }
        }
        _ => change(path),
    }
}

#[test]
fn no_change_to_a_bundle_goes_unnoticed() {
    let (bundle, _) = bundle();
    let whole: Value = serde_json::from_str(&bundle.to_json()).expect("JSON");
    let mut unnoticed = Vec::new();
    each_text(
        &whole,
        &mut |path| {
            let pointer: String = path
                .iter()
                .map(|name| format!("/{}", name.replace('~', "~0").replace('/', "~1")))
                .collect();
            let mut changed = whole.clone();
            let value = changed.pointer_mut(&pointer).expect("it is there");
            *value = match value.take() {
                Value::String(text) => Value::String(format!("{text}x")),
                Value::Number(number) => (number.as_u64().unwrap_or(0) + 1).into(),
                Value::Bool(it) => (!it).into(),
                other => other,
            };
            let Ok(read) = Bundle::parse("bundle.json", changed.to_string().as_bytes()) else {
                return;
            };
            let Ok(replayed) = read.replay() else { return };
            if replayed.iter().all(nonevent_gates::Replayed::is_same) {
                unnoticed.push(pointer);
            }
        },
        &mut Vec::new(),
    );
    // The policy is bound by what it says, not by its file's name or a comment at its end.
    unnoticed.retain(|pointer| !matches!(pointer.as_str(), "/policy/name" | "/policy/text"));
    assert_eq!(unnoticed, Vec::<String>::new());
}
