//! The trial of a policy: a criterion that passes on nothing, or on what only looks right, is no
//! criterion.
//!
//! Every check is evaluated on an empty tree and on decoys: files, folders, links and FIFOs of the
//! right names with nothing in them, copies under `node_modules`, blank files, notes that say
//! "NOT", and the empty form of whatever the check reads (a heading with a few words under it, an
//! unticked list, a table with a header only, `null` at the pointer, a report without tests).
//! There is no evidence at a trial. A composed check is tried by its parts: if the parts that some
//! decoy satisfies are enough, it is refused. That mixes decoys, so it errs on the strict side.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use nonevent_document::{Digest, Timestamp};
use serde_json::{Map, Value, json};

use crate::checks::{
    Check, ContentType, CoverageCheck, CoverageForm, FilesCheck, MarkdownCheck, SarifCheck,
    StructuredCheck,
};
use crate::evaluate::{Context, Sight};
use crate::path::TreePath;
use crate::tree::{Content, Entry, EntryKind, Tree};

/// The solid bytes of the longest note left in place of a document: a criterion on files alone
/// must ask for more.
pub const DECOY_NOTE_BYTES: usize = 1024;
/// What a decoy section says; a section must be asked for more words than these.
const NOTE: &str = "NOT decided yet, to be written when there is time for it.";

/// A tree that only looks right, and its name for messages.
struct Decoy {
    name: &'static str,
    tree: Tree,
}

/// The decoy on which `check` passes, if there is one.
pub(crate) fn passes_on_a_decoy(check: &Check) -> Option<String> {
    let parts = check.parts();
    if parts.is_empty() {
        return leaf_passes(check).map(ToString::to_string);
    }
    let mut fooled: Vec<String> = parts.iter().filter_map(passes_on_a_decoy).collect();
    let needed = match check {
        Check::All(parts) => parts.len(),
        Check::AtLeast(n, _) => *n as usize,
        _ => 1,
    };
    let refused = fooled.len() >= needed;
    fooled.sort_unstable();
    fooled.dedup();
    refused.then(|| fooled.join(" and on "))
}

fn leaf_passes(check: &Check) -> Option<&'static str> {
    let digest = Digest::of(b"trial");
    let context = Context {
        plan: Some(digest),
        shape: Some(digest),
        runbook: Some(digest),
        artifact: Some(digest),
        commit: Some(digest),
        now: Timestamp::from_unix_ms(0),
    };
    decoys(check).into_iter().find_map(|decoy| {
        let sight = Sight::without_evidence(&decoy.tree, &context);
        let passed = check.evaluate(&sight).outcome == crate::outcome::Outcome::Pass;
        passed.then_some(decoy.name)
    })
}

fn decoys(check: &Check) -> Vec<Decoy> {
    let paths = examples(check);
    let mut decoys = alloc::vec![Decoy {
        name: "an empty tree",
        tree: Tree::new(),
    }];
    let kinds = [
        ("folders of these names", EntryKind::Directory),
        ("symbolic links of these names", EntryKind::Symlink),
        ("FIFOs of these names", EntryKind::Other),
    ];
    for (name, kind) in kinds {
        let tree = planted(&paths, kind, &Content::NotRead);
        decoys.push(Decoy { name, tree });
    }
    for (name, bytes) in fillings(check) {
        let tree = planted(&paths, EntryKind::File, &Content::read(&bytes, true));
        decoys.push(Decoy { name, tree });
    }
    let copies: Vec<TreePath> = paths.iter().filter_map(under_node_modules).collect();
    let long = note_of(10 * DECOY_NOTE_BYTES);
    decoys.push(Decoy {
        name: "copies under node_modules",
        tree: planted(
            &copies,
            EntryKind::File,
            &Content::read(long.as_bytes(), true),
        ),
    });
    decoys
}

/// Paths that the check's globs match, as many as it asks for.
fn examples(check: &Check) -> Vec<TreePath> {
    let count = match check {
        Check::Files(FilesCheck { min_count, .. }) => (*min_count).max(1) as usize,
        _ => 1,
    };
    let mut paths = Vec::new();
    check.globs(&mut |glob, _, _| paths.extend(glob.examples(count)));
    paths
}

fn planted(paths: &[TreePath], kind: EntryKind, content: &Content) -> Tree {
    let mut tree = Tree::new();
    for path in paths {
        let entry = Entry {
            kind,
            tracked: true,
            content: content.clone(),
        };
        tree.insert(path.clone(), entry);
    }
    tree
}

fn under_node_modules(path: &TreePath) -> Option<TreePath> {
    let mut bytes = b"node_modules/package/".to_vec();
    bytes.extend_from_slice(path.as_bytes());
    TreePath::new(bytes)
}

/// What stands in the decoy files.
fn fillings(check: &Check) -> Vec<(&'static str, Vec<u8>)> {
    let note = note_of(DECOY_NOTE_BYTES);
    let mut fillings = alloc::vec![
        ("empty files of these names", Vec::new()),
        ("files of blanks and NUL bytes", b" \n\0".repeat(1000)),
        ("one-line notes that say NOT", NOTE.as_bytes().to_vec()),
        ("notes of 1 KiB that say NOT", note.into_bytes()),
    ];
    match check {
        Check::Files(check) => {
            if let Some(wanted) = check.content_type {
                fillings.push(("notes of 1 KiB of this type", dressed(wanted)));
            }
        }
        Check::Markdown(check) => {
            fillings.push((
                "a document with nothing filled in",
                form(check).into_bytes(),
            ));
        }
        Check::Structured(check) => {
            for value in [
                Value::Null,
                Value::String(String::new()),
                Value::Array(Vec::new()),
                Value::Object(Map::new()),
            ] {
                fillings.push(("a document with an empty value there", at(check, value)));
            }
        }
        // That a schema asks for something is seen when it is read.
        Check::Schema(_) => fillings.push(("an empty object", b"{}".to_vec())),
        Check::Junit(_) => {
            for report in [
                "<testsuites/>",
                "<testsuite tests=\"0\"/>",
                "<testsuite><testcase name=\"decoy\"><skipped/></testcase></testsuite>",
            ] {
                fillings.push(("a report in which no test ran", report.as_bytes().to_vec()));
            }
        }
        Check::Coverage(check) => {
            for report in uncovered(check) {
                fillings.push(("a report in which no line ran", report.into_bytes()));
            }
        }
        Check::Sarif(check) => {
            for (name, report) in unlooked(check) {
                fillings.push((name, report.into_bytes()));
            }
        }
        _ => {}
    }
    fillings
}

/// A note with exactly `solid` bytes that are not blank.
fn note_of(solid: usize) -> String {
    let mut text = String::new();
    let mut left = solid;
    for character in NOTE.chars().chain(['\n']).cycle() {
        if left == 0 {
            break;
        }
        left -= usize::from(!character.is_ascii_whitespace());
        text.push(character);
    }
    text
}

/// A note that passes for a type, of [`DECOY_NOTE_BYTES`] in all.
fn dressed(wanted: ContentType) -> Vec<u8> {
    let (before, after): (&[u8], &[u8]) = match wanted {
        ContentType::Text | ContentType::Yaml => (b"", b""),
        ContentType::Json => (b"\"", b"\""),
        ContentType::Xml => (b"<a>", b"</a>"),
        ContentType::Pdf => (b"%PDF-", b""),
        ContentType::Png => (b"\x89PNG\r\n\x1a\n", b""),
        ContentType::Jpeg => (b"\xff\xd8\xff", b""),
        ContentType::Gzip => (b"\x1f\x8b\x08", b""),
        ContentType::Zip => (b"PK\x03\x04", b""),
    };
    let note = note_of(DECOY_NOTE_BYTES.saturating_sub(before.len() + after.len()));
    let note = note.replace('\n', " ");
    let mut bytes = before.to_vec();
    bytes.extend_from_slice(note.trim_end().as_bytes());
    bytes.extend_from_slice(after);
    bytes
}

fn form(check: &MarkdownCheck) -> String {
    let heading = match &check.heading {
        Some(heading) => format!("# {heading}\n\n"),
        None => String::new(),
    };
    format!("{heading}{NOTE}\n\n- [ ] not done\n\n| a | b |\n|---|---|\n|   |   |\n|   |   |\n")
}

/// A document that holds `value` where the check looks.
fn at(check: &StructuredCheck, value: Value) -> Vec<u8> {
    let names: Vec<&str> = check.condition.pointer.split('/').skip(1).collect();
    let mut document = value;
    for name in names.into_iter().rev() {
        let name = name.replace("~1", "/").replace("~0", "~");
        document = match name.parse::<usize>() {
            Ok(index) if index < 64 => {
                let mut items = alloc::vec![Value::Null; index];
                items.push(document);
                Value::Array(items)
            }
            _ => Value::Object(Map::from_iter([(name, document)])),
        };
    }
    document.to_string().into_bytes()
}

/// Reports that measured lines of which none ran.
fn uncovered(check: &CoverageCheck) -> [String; 2] {
    let file = measured(check);
    match check.form {
        CoverageForm::Lcov => {
            ["", "DA:1,0\n"].map(|lines| format!("SF:{file}\n{lines}end_of_record\n"))
        }
        CoverageForm::Cobertura => ["", "<line number=\"1\" hits=\"0\"/>"].map(|line| {
            format!("<coverage><class filename=\"{file}\"><lines>{line}</lines></class></coverage>")
        }),
    }
}

/// Reports of analysers that did not look.
fn unlooked(check: &SarifCheck) -> [(&'static str, String); 3] {
    let run = |more: Value| {
        let name = check.tool.clone();
        let rule = json!([{"id": "decoy"}]);
        let mut run = json!({"tool": {"driver": {"name": name, "rules": rule}}});
        if let (Some(run), Some(more)) = (run.as_object_mut(), more.as_object()) {
            run.extend(more.clone());
        }
        json!({"version": "2.1.0", "runs": [run]}).to_string()
    };
    let empty = json!({"version": "2.1.0", "runs": []}).to_string();
    let without_rules = json!({"tool": {"driver": {"name": check.tool}}, "results": []});
    [
        ("a report in which no tool ran", empty),
        ("a report of a tool without rules", run(without_rules)),
        ("a report without results", run(json!({}))),
    ]
}

fn measured(check: &CoverageCheck) -> String {
    let example = check.of.as_ref().and_then(|of| of.examples(1).pop());
    example.map_or_else(|| String::from("src/decoy.rs"), |path| path.to_string())
}
