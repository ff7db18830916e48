//! The rules, one file each.

mod arrows;
mod facade;
mod homes;
mod links;
mod manifests;
mod names;
mod pages;
mod pinned;
mod pure;
mod size;
mod text;
mod top;
mod used;

use super::{Repo, Rule, Violation, generated};

/// All rules, in the order in which they are reported.
pub(crate) const RULES: &[Rule] = &[
    Rule {
        name: "readable",
        holds: "every manifest is TOML and every source file is Rust",
        check: readable,
    },
    Rule {
        name: "arrows",
        holds: "a crate imports only the crates that the design lets it import; its tests only \
                what it may reach that way",
        check: arrows::check,
    },
    Rule {
        name: "homes",
        holds: "every dependency from outside has a row that says where it may be used and why, \
                and is used nowhere else",
        check: homes::check,
    },
    Rule {
        name: "pinned",
        holds: "versions stand in `[workspace.dependencies]` only, with default features off \
                unless a row says why not, and nothing is pinned that nobody uses",
        check: pinned::check,
    },
    Rule {
        name: "used",
        holds: "a crate names no dependency that its sources do not use",
        check: used::check,
    },
    Rule {
        name: "pure",
        holds: "the pure crates are `#![no_std]` and stay so: no `std` outside tests, no \
                dependency and no feature that reaches the world",
        check: pure::check,
    },
    Rule {
        name: "facade",
        holds: "the facade consists of `pub use` alone",
        check: facade::check,
    },
    Rule {
        name: "manifests",
        holds: "each member inherits version, licence and lints, and describes itself",
        check: manifests::check,
    },
    Rule {
        name: "pages",
        holds: "every source file opens with what it is for, every crate has a page with an \
                example and with what it does not do, a program in `examples/`, and a row in the \
                code map",
        check: pages::check,
    },
    Rule {
        name: "links",
        holds: "every file that a page names or links to is there",
        check: links::check,
    },
    Rule {
        name: "names",
        holds: "no module is called by a name that says nothing, nothing is re-exported by glob, and no \
                two examples share a name",
        check: names::check,
    },
    Rule {
        name: "size",
        holds: "a source file holds at most 500 lines of code before its tests",
        check: size::check,
    },
    Rule {
        name: "top",
        holds: "the top of the repository holds only the agreed names",
        check: top::check,
    },
    Rule {
        name: "text",
        holds: "no file tells of the machine it was written on, nor of a package registry's host",
        check: text::check,
    },
    Rule {
        name: "generated",
        holds: "what is generated from the tables and manifests is up to date",
        check: generated::check,
    },
];

fn readable(repo: &Repo) -> Vec<Violation> {
    repo.unreadable
        .iter()
        .map(|v| Violation::new(&v.path, v.line, v.what.clone(), v.todo.clone()))
        .collect()
}
