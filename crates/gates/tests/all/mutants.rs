//! From a project whose gates are open, every mutant of its evidence: none opens the gate.
//!
//! Mutants are made by walking: every byte of every envelope, every field of every predicate,
//! every subject, every key; nothing is listed by hand but the kinds of change.

use super::project::{self, NOW, Project};
use nonevent_document::{Digest, Timestamp};
use nonevent_evidence::{Envelope, SigningKey, Statement};
use nonevent_gates::{Outcome, Side, evaluate};
use serde_json::Value;

const SIDES: [Side; 2] = [Side::Entry, Side::Exit];

fn is_open(project: &Project) -> bool {
    SIDES.iter().all(|side| project.verdict(*side).is_passed())
}

#[test]
fn the_whole_project_passes() {
    for side in SIDES {
        let verdict = Project::whole().verdict(side);
        assert!(verdict.is_passed(), "{}", verdict.to_text());
    }
}

#[test]
fn without_any_one_piece_the_gate_is_closed() {
    for index in 0..Project::whole().statements.len() {
        let mut project = Project::whole();
        let gone = project.statements.remove(index);
        assert!(!is_open(&project), "passes without {gone:?}");
    }
}

#[test]
fn with_any_one_piece_signed_by_another_key_the_gate_is_closed() {
    let stranger = SigningKey::from_seed([9; 32]);
    for index in 0..Project::whole().statements.len() {
        let project = Project::whole();
        let evidence = project.evidence_with(index, &|statement| {
            vec![Envelope::sign(statement, &stranger).expect("signed")]
        });
        assert!(
            !project.opens_with(&evidence),
            "passes with {index} by a stranger"
        );
    }
}

#[test]
fn a_key_speaks_only_of_what_it_may() {
    for index in 0..Project::whole().statements.len() {
        let project = Project::whole();
        let type_taken = project.statements[index]
            .predicate
            .predicate_type()
            .to_string();
        let evidence = project.evidence_where(&|trusted| {
            trusted.may.retain(|may| *may != type_taken);
        });
        assert!(
            !project.opens_with(&evidence),
            "passes though nobody may say {type_taken}"
        );
    }
}

#[test]
fn every_subject_matters() {
    for index in 0..Project::whole().statements.len() {
        let mut project = Project::whole();
        for subject in &mut project.statements[index].subjects {
            subject.digest = Digest::of(b"another");
        }
        // A statement whose predicate names a plan that is no subject cannot even be signed.
        let statement = project.statements.remove(index);
        let mut evidence = project.evidence();
        if let Ok(envelope) = Envelope::sign(&statement, &project.key_of(&statement)) {
            evidence.add(envelope);
        }
        assert!(
            !project.opens_with(&evidence),
            "passes with other subjects in {statement:?}"
        );
    }
}

#[test]
fn the_gate_is_about_this_plan_shape_and_runbook() {
    let changes: [fn(&mut Project); 3] = [
        |project| project.context.plan = Some(Digest::of(b"another")),
        |project| project.context.shape = Some(Digest::of(b"another")),
        |project| project.context.runbook = Some(Digest::of(b"another")),
    ];
    let removals: [fn(&mut Project); 3] = [
        |project| project.context.plan = None,
        |project| project.context.shape = None,
        |project| project.context.runbook = None,
    ];
    for change in changes {
        let mut project = Project::whole();
        change(&mut project);
        assert!(!project.verdict(Side::Entry).is_passed());
    }
    for remove in removals {
        let mut project = Project::whole();
        remove(&mut project);
        let verdict = project.verdict(Side::Entry);
        assert!(!verdict.is_passed());
        assert!(
            verdict
                .closing()
                .any(|result| deep_outcomes(&result.check).contains(&Outcome::Unknown))
        );
    }
}

fn deep_outcomes(check: &nonevent_gates::CheckResult) -> Vec<Outcome> {
    let mut outcomes = vec![check.outcome];
    outcomes.extend(check.parts.iter().flat_map(deep_outcomes));
    outcomes
}

#[test]
fn nothing_is_old_and_nothing_is_from_the_future() {
    for (moved_ms, what) in [
        (400 * 86_400_000, "aged"),
        (-86_400_000, "dated in the future"),
    ] {
        for index in 0..Project::whole().statements.len() {
            let mut project = Project::whole();
            let moved = moved_in_time(&project.statements[index], moved_ms);
            assert_ne!(
                moved.predicate.at(),
                project.statements[index].predicate.at()
            );
            project.statements[index] = moved;
            assert!(!is_open(&project), "passes with {index} {what}");
        }
    }
}

/// The statement with every time in its predicate moved to `ms` earlier.
fn moved_in_time(statement: &Statement, ms: i64) -> Statement {
    fn walk(value: &mut Value, ms: i64) {
        match value {
            Value::String(text) => {
                if let Ok(time) = text.parse::<Timestamp>() {
                    *text = time.plus_ms(-ms).to_string();
                }
            }
            Value::Array(items) => items.iter_mut().for_each(|item| walk(item, ms)),
            Value::Object(members) => members.values_mut().for_each(|member| walk(member, ms)),
            _ => {}
        }
    }
    let mut json = project::json(statement);
    walk(&mut json["predicate"], ms);
    project::statement(&json).expect("still a statement")
}

/// Every field of every predicate, removed, nulled or changed, and signed by the right key. What
/// still passes changes nothing that the gate asks, and is named in the snapshot.
#[test]
fn every_field_of_every_predicate() {
    let whole = Project::whole();
    let mut tried = 0;
    let mut harmless = String::new();
    for (index, statement) in whole.statements.iter().enumerate() {
        let json = project::json(statement);
        let mut pointers = Vec::new();
        fields(&json["predicate"], "/predicate", &mut pointers);
        for pointer in pointers {
            let mut passing = Vec::new();
            for (what, mutant) in mutants(&json, &pointer) {
                let Ok(mutant) = project::statement(&mutant) else {
                    continue;
                };
                let Ok(envelope) = Envelope::sign(&mutant, &whole.key_of(statement)) else {
                    continue;
                };
                if mutant == *statement {
                    continue;
                }
                tried += 1;
                let evidence = whole.evidence_with(index, &|_| vec![envelope.clone()]);
                if whole.opens_with(&evidence) {
                    passing.push(what);
                }
            }
            if !passing.is_empty() {
                let kind = statement.predicate.predicate_type();
                harmless.push_str(&format!(
                    "{index} {kind} {pointer}: {}\n",
                    passing.join(", ")
                ));
            }
        }
    }
    assert!(tried > 100, "{tried} mutants");
    insta::assert_snapshot!(harmless);
}

fn fields(value: &Value, at: &str, pointers: &mut Vec<String>) {
    let mut member = |name: &str, value: &Value| {
        let pointer = format!("{at}/{}", name.replace('~', "~0").replace('/', "~1"));
        pointers.push(pointer.clone());
        fields(value, &pointer, pointers);
    };
    match value {
        Value::Object(members) => members.iter().for_each(|(name, value)| member(name, value)),
        Value::Array(items) => {
            for (index, value) in items.iter().enumerate() {
                member(&index.to_string(), value);
            }
        }
        _ => {}
    }
}

/// The statement without the field, and with every other value of its type that could matter.
fn mutants(json: &Value, pointer: &str) -> Vec<(&'static str, Value)> {
    let (parent, name) = pointer.rsplit_once('/').expect("a pointer below the root");
    let mut without = json.clone();
    match without.pointer_mut(parent) {
        Some(Value::Object(members)) => drop(members.remove(name)),
        Some(Value::Array(items)) => drop(items.remove(name.parse().expect("an index"))),
        _ => unreachable!("a field has a parent"),
    }
    let mut mutants = vec![("removed", without)];
    let mut set = |what, value: Value| {
        let mut mutant = json.clone();
        *mutant.pointer_mut(pointer).expect("the field") = value;
        mutants.push((what, mutant));
    };
    let old = json.pointer(pointer).expect("the field");
    set("null", Value::Null);
    match old {
        Value::Bool(flag) => set("inverted", Value::Bool(!flag)),
        Value::Number(_) => {
            set("zero", 0.into());
            set("large", 1_000_000.into());
        }
        Value::String(text) => {
            set("empty", "".into());
            set("another digest", Digest::of(b"another").to_string().into());
            for word in [
                "failed",
                "FAILED",
                "WARNED",
                "rolled_back",
                "stuck",
                "rejected",
                "before",
                "after",
                "direct",
            ] {
                if word != text {
                    set(word, word.into());
                }
            }
        }
        Value::Array(_) => set("emptied", Value::Array(Vec::new())),
        Value::Object(_) => set("emptied", serde_json::json!({})),
        Value::Null => {}
    }
    mutants
}

/// Every byte of every envelope, changed in its lowest bit.
#[test]
fn every_byte_of_every_envelope() {
    let mut tried = 0;
    let statements = Project::whole().statements;
    for (index, statement) in statements.iter().enumerate() {
        let kind = |other: &Statement| other.predicate.predicate_type().to_string();
        if statements[..index]
            .iter()
            .any(|other| kind(other) == kind(statement))
        {
            continue;
        }
        let (project, index) = Project::around(index);
        let envelope = &project.envelopes()[index];
        let bytes = envelope.to_json().into_bytes();
        let hint = envelope.signatures[0].keyid.as_bytes();
        let others = project.evidence_with(index, &|_| Vec::new());
        for at in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            tried += 1;
            // This alone changes nothing: the field with the key's id, which is an unsigned hint that
            // may be absent, or another tool's.
            let same = within(&bytes, at, b"keyid") || within(&bytes, at, hint);
            let mut evidence = others.clone();
            evidence.read("changed.json", &changed);
            assert_eq!(
                project.opens_with(&evidence),
                same,
                "byte {at} of {} in {:?}",
                bytes.len(),
                project.statements[index]
            );
        }
    }
    assert!(tried > 5000, "{tried} mutants");
}

fn within(bytes: &[u8], at: usize, word: &[u8]) -> bool {
    let start = bytes.windows(word.len()).position(|window| window == word);
    start.is_some_and(|start| (start..start + word.len()).contains(&at))
}

#[test]
fn every_truncation_of_every_envelope() {
    for index in 0..Project::whole().statements.len() {
        let (project, index) = Project::around(index);
        let json = project.envelopes()[index].to_json();
        let others = project.evidence_with(index, &|_| Vec::new());
        for end in (0..json.trim_end().len()).step_by(3) {
            let mut evidence = others.clone();
            evidence.read("cut.json", &json.as_bytes()[..end]);
            assert!(!project.opens_with(&evidence), "{index} cut at {end}");
        }
    }
}

#[test]
fn every_file_of_the_tree_matters() {
    let whole = Project::whole();
    let paths: Vec<Vec<u8>> = whole
        .tree()
        .iter()
        .map(|(path, _)| path.as_bytes().to_vec())
        .collect();
    let mut passing = Vec::new();
    for path in paths {
        let gone = whole.tree_without(&path);
        for (what, tree) in [
            ("gone", gone.clone()),
            ("empty", gone.clone().with_file(&path, b"")),
            ("another", gone.clone().with_file(&path, &[b'x'; 4000])),
            ("a link", gone.clone().with_symlink(&path)),
            ("a folder", gone.clone().with_directory(&path)),
        ] {
            let gate = whole
                .policy
                .gate("deployment", Side::Entry)
                .expect("a phase");
            let verdict = evaluate(&gate, &tree, &whole.evidence(), &whole.context);
            if verdict.is_passed() {
                passing.push(format!("{} {what}", String::from_utf8_lossy(&path)));
            }
        }
    }
    // The runbook is asked for by name and size here, and by digest as evidence. Without a flag file
    // there are no flags to check.
    assert_eq!(
        passing,
        ["docs/deployment-runbook.md another", "flags.json gone"]
    );
}

#[test]
fn a_newer_failure_outweighs_an_older_pass() {
    for index in 0..Project::whole().statements.len() {
        let project = Project::whole();
        let failing = project::contrary(&project.statements[index]);
        let Some(failing) = failing else { continue };
        assert!(failing.predicate.at() < Some(NOW));
        let evidence = project.evidence_with(index, &|statement| {
            [statement, &failing].map(|it| project.sign(it)).to_vec()
        });
        assert!(
            !project.opens_with(&evidence),
            "passes with {index} and {failing:?}"
        );
    }
}
