//! All that keeps a tree from being a value, not only the first thing.

use alloc::string::String;
use alloc::vec::Vec;

use serde::de::DeserializeOwned;

use super::decode_node;
use crate::path::{Step, Steps};
use crate::rules::MISSING_FIELD;
use crate::{Finding, Findings, Node, Value};

/// The most findings that are told at once.
const FINDINGS_MAX: usize = 20;
/// The most times that a tree is read for them.
const READS_MAX: usize = 50;

/// `root` as a value of type `T`, or all findings: serde stops at the first thing that does not
/// fit, so that is taken out and the rest is read again.
pub(crate) fn decode_all<T: DeserializeOwned>(root: &Node) -> Result<T, Findings> {
    let mut finding = match decode_node::<T>(root, "") {
        Ok(value) => return Ok(value),
        Err(finding) => finding,
    };
    let mut root = root.clone();
    let mut findings = Findings::default();
    let mut taken: Vec<String> = Vec::new();
    for _ in 0..READS_MAX {
        let path = finding.path.clone();
        if !is_consequence(&finding, &taken) {
            findings.push(finding);
        }
        if findings.len() == FINDINGS_MAX || !take_out(&mut root, &path) {
            break;
        }
        taken.push(path);
        match decode_node::<T>(&root, "") {
            Ok(_) => break,
            Err(next) => finding = next,
        }
    }
    Err(findings)
}

/// Whether something only fails because of what was taken out: a field that is missing where one
/// was, or a whole that does not fit without its part.
fn is_consequence(finding: &Finding, taken: &[String]) -> bool {
    let missing = finding.code == MISSING_FIELD.code;
    let follows = |path: &String| {
        let mut part = Steps::new(path);
        let within = Steps::new(&finding.path).all(|step| part.next() == Some(step));
        let below = part.count();
        within && (below == 1 || (below > 1 && !missing))
    };
    taken.iter().any(follows)
}

/// Takes out what stands at `path`; of a list, all that comes after it too, so that what is left
/// keeps its numbers. `false` if nothing does, or it is the root.
fn take_out(root: &mut Node, path: &str) -> bool {
    let Some(steps) = Steps::new(path).collect::<Option<Vec<_>>>() else {
        return false;
    };
    let Some((last, before)) = steps.split_last() else {
        return false;
    };
    let mut node = root;
    for step in before {
        let child = match (step, &mut node.value) {
            (Step::Key(key), Value::Object(members)) => members
                .iter_mut()
                .find(|member| member.key == *key)
                .map(|member| &mut member.value),
            (Step::Index(index), Value::Array(items)) => items.get_mut(*index),
            _ => None,
        };
        let Some(child) = child else {
            return false;
        };
        node = child;
    }
    match (last, &mut node.value) {
        (Step::Key(key), Value::Object(members)) => {
            let most = members.len();
            members.retain(|member| member.key != *key);
            members.len() < most
        }
        (Step::Index(index), Value::Array(items)) => {
            let most = items.len();
            items.truncate(*index);
            items.len() < most
        }
        _ => false,
    }
}
