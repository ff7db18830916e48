//! Which phase comes after which.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::Reader;
use crate::wire::PhaseWire;

impl Reader {
    /// The phases, each after those it comes after; ties in the order of the document.
    pub(super) fn order(&mut self, wires: &[PhaseWire]) -> Vec<usize> {
        let mut known: BTreeMap<&str, usize> = BTreeMap::new();
        for (index, wire) in wires.iter().enumerate() {
            if known.insert(&wire.id, index).is_some() {
                self.refuse(
                    "NE3002",
                    format!("phases[{index}].id"),
                    "another phase has this id",
                    "give each phase an id of its own",
                );
            }
        }
        for (index, wire) in wires.iter().enumerate() {
            for (at, name) in wire.after.iter().enumerate() {
                if !known.contains_key(name.as_str()) {
                    self.refuse(
                        "NE3003",
                        format!("phases[{index}].after[{at}]"),
                        "there is no phase of this id",
                        "name a phase of this policy",
                    );
                }
            }
        }
        let mut order: Vec<usize> = Vec::new();
        loop {
            let placed = |name: &String| order.iter().any(|&index| wires[index].id == *name);
            let ready = |index: &usize| {
                let known_ones = |name: &&String| known.contains_key(name.as_str());
                !order.contains(index) && wires[*index].after.iter().filter(known_ones).all(placed)
            };
            match (0..wires.len()).find(ready) {
                Some(next) => order.push(next),
                None => break,
            }
        }
        if let Some(stuck) = (0..wires.len()).find(|index| !order.contains(index)) {
            self.refuse(
                "NE3004",
                format!("phases[{stuck}].after"),
                "the phase comes after itself, directly or through others",
                "break the circle",
            );
        }
        order
    }
}

/// For each phase the phases before it, in order.
pub(super) fn ancestors(wires: &[PhaseWire], order: &[usize]) -> BTreeMap<String, Vec<String>> {
    let mut ancestors: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for &index in order {
        let wire = &wires[index];
        let mut all = BTreeSet::new();
        for parent in &wire.after {
            all.insert(parent.clone());
            all.extend(ancestors.get(parent).into_iter().flatten().cloned());
        }
        let names = order.iter().map(|&index| wires[index].id.clone());
        let sorted = names.filter(|name| all.contains(name)).collect();
        ancestors.insert(wire.id.clone(), sorted);
    }
    ancestors
}
