//! Line coverage in Cobertura's XML (its `coverage-04.dtd`).

use alloc::format;
use alloc::string::String;

use super::Lines;
use crate::checks::xml;
use crate::outcome::Unmet;
use crate::path::{TreePath, visible};

/// Adds the lines of every class. A line that several classes or methods list ran if one says so.
pub(super) fn read(path: &TreePath, text: &str, lines: &mut Lines) -> Result<(), Unmet> {
    let refuse = |why: String| Unmet::error(format!("{path}: {why}"));
    let document = xml::parse(text).map_err(refuse)?;
    let root = document.root_element();
    if !root.has_tag_name("coverage") {
        let name = visible(root.tag_name().name());
        return Err(refuse(format!("the root is <{name}>, not <coverage>")));
    }
    for class in root.descendants().filter(|node| node.has_tag_name("class")) {
        let Some(name) = class.attribute("filename").filter(|name| !name.is_empty()) else {
            return Err(refuse(String::from("a <class> has no filename")));
        };
        let hits = lines.entry(String::from(name)).or_default();
        for line in class.descendants().filter(|node| node.has_tag_name("line")) {
            let number = line.attribute("number").and_then(|text| text.parse().ok());
            let count = line
                .attribute("hits")
                .and_then(|text| text.parse::<u64>().ok());
            let (Some(number @ 1_u32..), Some(count)) = (number, count) else {
                let name = visible(name);
                return Err(refuse(format!(
                    "a <line> of {name} has no number or no hits"
                )));
            };
            *hits.entry(number).or_insert(false) |= count > 0;
        }
    }
    declared(root, lines).map_err(refuse)
}

/// A report may not hold fewer lines than it declares: then it was cut short.
fn declared(root: roxmltree::Node<'_, '_>, lines: &Lines) -> Result<(), String> {
    let declared = root
        .attribute("lines-valid")
        .and_then(|text| text.parse::<u64>().ok());
    let held: usize = lines.values().map(alloc::collections::BTreeMap::len).sum();
    match declared {
        // Some tools count a line that two classes share twice, none leaves lines out.
        Some(declared) if held == 0 && declared > 0 => Err(format!(
            "it declares {declared} lines and holds none: it is cut short"
        )),
        _ => Ok(()),
    }
}
