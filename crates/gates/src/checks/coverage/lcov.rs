//! Line coverage in lcov's trace file format (`geninfo(1)`).

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;

use super::Lines;
use crate::outcome::Unmet;
use crate::path::{TreePath, visible};

pub(super) fn read(path: &TreePath, text: &str, lines: &mut Lines) -> Result<(), Unmet> {
    let mut record: Option<(String, BTreeMap<u32, bool>)> = None;
    for (index, line) in text.lines().enumerate() {
        let refuse = |why: &str| {
            Unmet::error(format!(
                "{path}:{}: {why}: {}",
                index + 1,
                visible(&head(line))
            ))
        };
        if let Some(name) = line.strip_prefix("SF:") {
            if record.is_some() {
                return Err(refuse("a record begins within a record"));
            }
            record = Some((String::from(name), BTreeMap::new()));
        } else if let Some(hit) = line.strip_prefix("DA:") {
            let (_, hits) = record
                .as_mut()
                .ok_or_else(|| refuse("a line outside a record"))?;
            let (number, ran) = hit_of(hit).ok_or_else(|| refuse("not DA:<line>,<count>"))?;
            *hits.entry(number).or_insert(false) |= ran;
        } else if line == "end_of_record" {
            let (name, hits) = record
                .take()
                .ok_or_else(|| refuse("a record ends that did not begin"))?;
            let all = lines.entry(name).or_default();
            for (number, ran) in hits {
                *all.entry(number).or_insert(false) |= ran;
            }
        }
    }
    if record.is_some() {
        return Err(Unmet::error(format!(
            "{path}: it is cut short, the last record does not end"
        )));
    }
    Ok(())
}

fn head(line: &str) -> String {
    line.chars().take(60).collect()
}

/// `<line>,<count>[,<checksum>]`.
fn hit_of(text: &str) -> Option<(u32, bool)> {
    let mut parts = text.split(',');
    let number: u32 = parts.next()?.parse().ok().filter(|number| *number > 0)?;
    let count: u64 = parts.next()?.parse().ok()?;
    Some((number, count > 0))
}
