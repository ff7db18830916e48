//! Every file under `fixtures/document/bad` gives the findings written down for it.

use std::fmt::Write as _;
use std::path::PathBuf;

use nonevent_document::{Document, Limits};

fn folder() -> PathBuf {
    [
        env!("CARGO_MANIFEST_DIR"),
        "..",
        "..",
        "fixtures",
        "document",
        "bad",
    ]
    .iter()
    .collect()
}

/// The limits that a file is about; the defaults would need large files.
fn limits(name: &str) -> Limits {
    let mut limits = Limits::default();
    match name {
        "size.yaml" => limits.bytes_max = 50,
        "nodes.yaml" => limits.nodes_max = 10,
        "alias-text-bomb.yaml" => limits.bytes_max = 200,
        "alias-too-deep.yaml" => limits.depth_max = 5,
        _ => {}
    }
    limits
}

#[test]
fn bad_documents_have_golden_findings() {
    let mut names: Vec<String> = std::fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    let mut all = String::new();
    for name in names {
        let bytes = std::fs::read(folder().join(&name)).unwrap();
        let findings = Document::parse(&name, &bytes, &limits(&name)).unwrap_err();
        assert!(
            findings.has_errors() && findings.iter().all(|f| f.code.as_str().starts_with("NE00"))
        );
        writeln!(all, "== {name}\n{findings}\n").unwrap();
    }
    insta::assert_snapshot!(all);
}
