//! From bytes to a tree, in two steps: a reader (YAML or JSON) writes a flat list of operations
//! under limits, then a tree is built from the list. Aliases copy a range of the list, so that an
//! anchor costs nothing until it is used and every copy is counted before it is made. JSON that is
//! in order takes neither step: it is read straight to its tree.

mod build;
mod direct;
mod explain;
mod json;
mod plain;
mod sink;
mod yaml;

use crate::lines::LineIndex;
use crate::rules::{CONTROL, DEPTH, ENCODING, NODES, SIZE};
use crate::{Finding, Findings, Limits, Node, Rule};

/// However much a caller allows: trees are walked recursively, also when they are dropped.
const DEPTH_CEILING: usize = 200;

/// Text (without a byte order mark) and tree of a document.
pub(crate) fn read<'t>(
    name: &str,
    bytes: &'t [u8],
    limits: &Limits,
) -> Result<(&'t str, Node), Findings> {
    if bytes.len() > limits.bytes_max {
        return Err(Findings::from(SIZE.finding(
            "",
            alloc::format!(
                "the document has {} bytes, more than the limit of {}",
                bytes.len(),
                limits.bytes_max
            ),
            "split it, or read it with a higher limit",
        )));
    }
    let text = decode_utf8(bytes)?;
    let limits = Limits {
        depth_max: limits.depth_max.min(DEPTH_CEILING),
        ..limits.clone()
    };
    let is_json = is_json(name, text);
    if is_json && let Some(root) = direct::read(text, &limits) {
        // It has no control character either: there is no place for one in JSON.
        return Ok((text, root));
    }
    let lines = LineIndex::new(text);
    if let Some(finding) = control_character(text, &lines) {
        return Err(Findings::from(finding));
    }
    let mut sink = sink::Sink::new(text, &lines, &limits);
    let done = if is_json {
        json::read(text, &mut sink)
    } else {
        yaml::read(text, &mut sink)
    };
    let (ops, mut findings) = sink.into_parts();
    if let Err(finding) = done {
        findings.push(*finding);
        return Err(findings);
    }
    let root = build::tree(ops, &mut findings);
    match root {
        Some(root) if findings.is_empty() => Ok((text, root)),
        _ => Err(findings),
    }
}

/// Holds a tree that no reader made to the limits of one.
pub(crate) fn check_tree(root: &Node, limits: &Limits) -> Result<(), Findings> {
    let refused = |rule: Rule, message, help: &str| {
        let finding = rule.finding("", message, help);
        Err(Findings::from(finding.spanning(&root.span)))
    };
    let depth_max = limits.depth_max.min(DEPTH_CEILING);
    if root.depth() > depth_max {
        let message = alloc::format!("the document is nested more than {depth_max} deep");
        return refused(DEPTH, message, "make it flatter");
    }
    if root.count() > limits.nodes_max {
        let message = alloc::format!("the document has more than {} values", limits.nodes_max);
        return refused(NODES, message, "make it smaller");
    }
    Ok(())
}

/// Whether a text is read as strict JSON.
pub(crate) fn is_json(name: &str, text: &str) -> bool {
    has_json_name(name) || text.trim_start().starts_with('{')
}

fn has_json_name(name: &str) -> bool {
    let extension = name.len().checked_sub(5).and_then(|at| name.get(at..));
    extension.is_some_and(|extension| extension.eq_ignore_ascii_case(".json"))
}

fn decode_utf8(bytes: &[u8]) -> Result<&str, Findings> {
    let without_mark = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    core::str::from_utf8(without_mark).map_err(|error| {
        let valid = &without_mark[..error.valid_up_to()];
        let valid = core::str::from_utf8(valid).unwrap_or_default();
        let at = LineIndex::new(valid).position(valid.len());
        let wide = matches!(bytes, [0xff, 0xfe, ..] | [0xfe, 0xff, ..]);
        let message = if wide {
            "the text is UTF-16, not UTF-8"
        } else {
            "the text is not valid UTF-8 here"
        };
        Findings::from(ENCODING.finding("", message, "save it as UTF-8").at(at))
    })
}

fn control_character(text: &str, lines: &LineIndex<'_>) -> Option<Finding> {
    let refused = |byte: &u8| *byte < 0x20 && !matches!(byte, b'\t' | b'\n' | b'\r');
    let at = text.bytes().position(|byte| refused(&byte))?;
    let message = match text.as_bytes()[at] {
        0 => alloc::string::String::from("the text contains a NUL byte"),
        byte => alloc::format!("the text contains the control character U+{byte:04X}"),
    };
    let help = "remove it; in a quoted text, other control characters than NUL can be escaped";
    let mut finding = CONTROL.finding("", message, help);
    finding.span = Some(at..at + 1);
    Some(finding.at(lines.position(at)))
}
