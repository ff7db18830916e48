//! Percentages and allocations.

use crate::codes::{self, Refusal};
use crate::dialect::shape::{place, wrong};
use crate::ir::Variant;
use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use nonevent_document::{Finding, Node, Value as Tree, member_path};

/// All subjects, in hundredths of a percent.
pub(super) const EVERYONE: u32 = 10_000;

/// The names of an experiment's variants, which are their values too.
pub(super) fn variants(node: &Node, path: &str) -> Result<Box<[Variant]>, Refusal> {
    let path = member_path(path, "variants");
    let help = "write a list of names, such as [\"control\", \"a\"]";
    let Some(list) = node.get("variants") else {
        return Err(wrong(
            codes::DEFINITION,
            node,
            path,
            "there are no variants",
            help,
        ));
    };
    let Tree::Array(items) = &list.value else {
        let message = format!("`variants` is {}", list.kind());
        return Err(wrong(codes::DEFINITION, list, path, message, help));
    };
    let mut variants: Vec<Variant> = Vec::with_capacity(items.len());
    for item in items {
        let Some(name) = item.as_str() else {
            let message = format!("a variant is {}", item.kind());
            return Err(wrong(codes::DEFINITION, item, path, message, help));
        };
        if variants.iter().any(|variant| *variant.name == *name) {
            let message = format!("the variant {name:?} is there twice");
            return Err(wrong(
                codes::DEFINITION,
                item,
                path,
                message,
                "keep one of them",
            ));
        }
        variants.push(Variant::new(name, name));
    }
    if variants.is_empty() {
        return Err(wrong(
            codes::DEFINITION,
            list,
            path,
            "there are no variants",
            help,
        ));
    }
    Ok(variants.into())
}

/// The share of each variant, in their order. They sum to [`EVERYONE`].
pub(super) fn allocation(
    node: &Node,
    path: &str,
    variants: &[Variant],
    findings: &mut Vec<Finding>,
) -> Result<Vec<u32>, Refusal> {
    let Some(allocation) = node.get("allocation") else {
        return Ok(equal_shares(variants.len()));
    };
    let path = member_path(path, "allocation");
    let Tree::Object(members) = &allocation.value else {
        let message = format!("`allocation` is {}", allocation.kind());
        let help = "write a map from variants to percentages";
        return Err(wrong(codes::DEFINITION, allocation, path, message, help));
    };
    for member in members {
        if variants.iter().all(|variant| *variant.name != *member.key) {
            let message = format!("{:?} is no variant", member.key);
            let help = "name one of `variants`";
            let code = codes::UNDEFINED_VARIANT;
            return Err(wrong(
                code,
                &member.value,
                member_path(&path, &member.key),
                message,
                help,
            ));
        }
    }
    let mut shares = Vec::with_capacity(variants.len());
    for variant in variants {
        shares.push(match allocation.get(&variant.name) {
            Some(node) => basis_points(node, &member_path(&path, &variant.name))?,
            None => {
                let message = format!("the variant {:?} has no share", variant.name);
                let help = "give it a percentage, if only 0";
                let finding = Finding::warning(codes::SPLIT, &*path, message, help);
                findings.push(finding.spanning(&place(allocation)));
                0
            }
        });
    }
    let sum: u32 = shares.iter().sum();
    if sum != EVERYONE {
        let message = format!("the shares sum to {} %, not 100 %", percent(sum));
        let help = "make them sum to 100; until then callers get their default";
        return Err(wrong(codes::SPLIT, allocation, path, message, help));
    }
    Ok(shares)
}

/// As equal as hundredths of a percent allow, what is left over going to the first.
fn equal_shares(count: usize) -> Vec<u32> {
    let count_u32 = u32::try_from(count).unwrap_or(u32::MAX);
    let mut shares = vec![EVERYONE / count_u32; count];
    if let Some(first) = shares.first_mut() {
        *first += EVERYONE % count_u32;
    }
    shares
}

fn percent(basis_points: u32) -> String {
    match basis_points % 100 {
        0 => format!("{}", basis_points / 100),
        rest => format!("{}.{rest:02}", basis_points / 100),
    }
}

/// A percentage from 0 to 100 with at most two decimals, in hundredths.
pub(super) fn basis_points(node: &Node, path: &str) -> Result<u32, Refusal> {
    let hundredths = node.as_f64().map_or(f64::NAN, |percent| percent * 100.0);
    let whole = libm::round(hundredths);
    if (hundredths - whole).abs() < 1e-6 && (0.0..=f64::from(EVERYONE)).contains(&whole) {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "whole and from 0 to 10 000"
        )]
        return Ok(whole as u32);
    }
    let message = "this is no percentage";
    let help = "write a number from 0 to 100 with at most two decimals";
    Err(wrong(codes::SPLIT, node, path, message, help))
}
