//! Every rule passes a sound tree, and fails a tree with one fault.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::law::{self, Purity};
use super::{Repo, check, generated, rules::RULES};

type Files = BTreeMap<String, Option<String>>;

/// The smallest tree that every rule accepts: all members, each with a page and a program.
fn sound() -> Files {
    let mut files = Files::new();
    let mut put = |path: String, text: String| files.insert(path, Some(text));
    put(
        "Cargo.toml".to_owned(),
        "[workspace.dependencies]\n\
         nonevent-router = { path = \"crates/router\", version = \"0.1.0\", default-features = false }\n\
         serde = { version = \"1\", default-features = false }\n\
         clap = \"4\"\n"
            .to_owned(),
    );
    let mut map = String::from("# Map\n\n| crate | job |\n|---|---|\n");
    for row in law::CRATES {
        let folder = row.folder;
        map += &format!("| `{folder}` | something |\n");
        let (dir, name) = match folder {
            "xtask" => (folder.to_owned(), folder.to_owned()),
            "nonevent" => (format!("crates/{folder}"), folder.to_owned()),
            _ => (format!("crates/{folder}"), format!("nonevent-{folder}")),
        };
        let (dependencies, uses) = match folder {
            "strategy" => (
                "nonevent-router.workspace = true\nserde.workspace = true\n",
                "use nonevent_router::Arm;\nuse serde::Serialize;\n",
            ),
            "demo" => ("clap.workspace = true\n", "use clap::Parser;\n"),
            _ => ("", ""),
        };
        put(format!("{dir}/Cargo.toml"), manifest(&name, dependencies));
        put(
            format!("{dir}/README.md"),
            format!("# {name}\n\n```\nexample\n```\n\nIt does not act.\n"),
        );
        put(
            format!("{dir}/examples/{folder}.rs"),
            "//! A program.\nfn main() {}\n".to_owned(),
        );
        let top = match row.purity {
            Purity::Pure | Purity::PureBut(_) => "#![no_std]\n",
            Purity::Facade | Purity::Hands => "",
        };
        put(
            format!("{dir}/src/lib.rs"),
            format!("#![doc = include_str!(\"../README.md\")]\n{top}{uses}"),
        );
    }
    for part in ["arrows", "rules", "dependencies"] {
        map += &format!("<!-- generated: {part} (cargo xtask bless) -->\n<!-- end of {part} -->\n");
    }
    put("docs/ARCHITECTURE.md".to_owned(), map);
    append(
        &mut files,
        "crates/nonevent/README.md",
        "<!-- generated: features (cargo xtask bless) -->\n<!-- end of features -->\n",
    );
    let pages = generated::refreshed(&Repo::new(files.clone()));
    files.extend(
        pages
            .into_iter()
            .map(|(path, text)| (path.to_owned(), Some(text))),
    );
    files
}

fn manifest(name: &str, dependencies: &str) -> String {
    format!(
        "[package]\nname = \"{name}\"\ndescription = \"d\"\nreadme = \"README.md\"\n\
         keywords = [\"k\"]\ncategories = [\"c\"]\nversion.workspace = true\n\
         edition.workspace = true\nrust-version.workspace = true\nlicense.workspace = true\n\
         publish.workspace = true\n\n[lints]\nworkspace = true\n\n[dependencies]\n{dependencies}"
    )
}

fn append(files: &mut Files, path: &str, text: &str) {
    let file = files
        .entry(path.to_owned())
        .or_insert_with(|| Some(String::new()));
    file.get_or_insert_default().push_str(text);
}

/// One way to break one rule: what is added to which file, and what tidy must then say, and where.
struct Fault {
    rule: &'static str,
    file: &'static str,
    adds: &'static str,
    says: &'static str,
}

const fn fault(
    rule: &'static str,
    file: &'static str,
    adds: &'static str,
    says: &'static str,
) -> Fault {
    Fault {
        rule,
        file,
        adds,
        says,
    }
}

const ROUTER: &str = "crates/router/src/lib.rs";
const ROUTER_TOML: &str = "crates/router/Cargo.toml";
const GATES: &str = "crates/gates/src/lib.rs";
const FACADE: &str = "crates/nonevent/src/lib.rs";

/// Every fault breaks its own rule and, but for what follows from it, no other.
const FAULTS: &[Fault] = &[
    fault("readable", ROUTER_TOML, "=", "not TOML"),
    fault("readable", ROUTER, "fn f() { (", "not Rust"),
    fault(
        "arrows",
        ROUTER_TOML,
        "nonevent-strategy.workspace = true\n",
        "Cargo.toml:17: router imports strategy, against the arrows",
    ),
    fault(
        "arrows",
        ROUTER_TOML,
        "[dev-dependencies]\nnonevent-driver.workspace = true\n",
        "router tests with driver, against the arrows",
    ),
    fault(
        "arrows",
        "crates/page/Cargo.toml",
        "[target.'cfg(unix)'.dependencies]\nd = { package = \"nonevent-document\", workspace = true }\n",
        "page imports document, against the arrows",
    ),
    fault(
        "homes",
        ROUTER_TOML,
        "[build-dependencies]\nhyper.workspace = true\n",
        "hyper is not at home in router",
    ),
    fault(
        "homes",
        ROUTER_TOML,
        "leftpad.workspace = true\n",
        "leftpad has no home",
    ),
    fault(
        "homes",
        ROUTER_TOML,
        "insta.workspace = true\n",
        "use it through tests only",
    ),
    fault(
        "homes",
        ROUTER_TOML,
        "[dev-dependencies]\ntokio.workspace = true\n",
        "use it through smoke, driver, demo",
    ),
    fault(
        "pinned",
        ROUTER_TOML,
        "serde = \"1\"\n",
        "serde is pinned outside the workspace's manifest",
    ),
    fault(
        "pinned",
        ROUTER_TOML,
        "serde = { workspace = true, default-features = true }\n",
        "serde switches default features on",
    ),
    fault(
        "pinned",
        "Cargo.toml",
        "p256 = \"0.14\"\n",
        "Cargo.toml:5: p256 is pinned, and no member uses it",
    ),
    fault(
        "used",
        ROUTER_TOML,
        "serde.workspace = true\n",
        "Cargo.toml:17: serde is not used by router",
    ),
    fault(
        "used",
        ROUTER_TOML,
        "[dev-dependencies]\ninsta.workspace = true\n",
        "insta is not used by the tests of router",
    ),
    fault(
        "pure",
        ROUTER,
        "use std::fs;\n",
        "lib.rs:3: `std` in a pure crate",
    ),
    fault(
        "pure",
        ROUTER,
        "extern crate std;\n",
        "`std` in a pure crate",
    ),
    fault(
        "pure",
        ROUTER,
        "fn f() { g!(std::env::var(\"X\")); }\n",
        "`std` in a pure crate",
    ),
    fault(
        "pure",
        ROUTER,
        "#[cfg(not(test))]\nuse std::fs;\n",
        "`std` in a pure crate",
    ),
    fault(
        "pure",
        ROUTER,
        "#[cfg(any(test, unix))]\nuse std::fs;\n",
        "`std` in a pure crate",
    ),
    fault(
        "pure",
        GATES,
        "#[cfg(feature = \"other\")]\nextern crate std;\n",
        "`std` in a pure crate",
    ),
    fault(
        "pure",
        "crates/gates/Cargo.toml",
        "ignore.workspace = true\n",
        "gates is pure, and ignore is not known to be",
    ),
    fault(
        "pure",
        "crates/document/Cargo.toml",
        "jiff = { workspace = true, features = [\"tz-system\"] }\n",
        "feature tz-system of jiff reads the machine's clock",
    ),
    fault(
        "facade",
        FACADE,
        "pub fn f() {}\n",
        "an item that begins with `fn`",
    ),
    fault(
        "facade",
        FACADE,
        "pub use a::{b, c};\nmod m { fn f() {} }\n",
        "lib.rs:3: an item that begins with `mod`",
    ),
    fault(
        "facade",
        FACADE,
        "extern \"C\" fn f() {}\n",
        "an item that begins with `extern`",
    ),
    fault(
        "facade",
        FACADE,
        "m! { fn f() {} }\n",
        "an item that begins with `m`",
    ),
    fault(
        "pages",
        "crates/router/src/extra.rs",
        "// a comment\nfn f() {}\n",
        "does not say what it is for",
    ),
    fault(
        "links",
        "docs/x.md",
        "See `crates/router/src/gone.rs`.\n",
        "docs/x.md:1: points at crates/router/src/gone.rs",
    ),
    fault(
        "links",
        "docs/x.md",
        "\n[map](./ARCHITECTUR.md#top)\n",
        "docs/x.md:2: points at docs/ARCHITECTUR.md",
    ),
    fault(
        "links",
        "crates/page/README.md",
        "[up](../../docs/no.md)",
        "points at docs/no.md",
    ),
    fault(
        "names",
        "crates/router/src/utils.rs",
        "//! Words.\n",
        "`utils` says nothing",
    ),
    fault(
        "names",
        ROUTER,
        "mod helpers { }\n",
        "`helpers` says nothing",
    ),
    fault(
        "names",
        ROUTER,
        "pub(crate) use a::{b::*, c};\n",
        "a re-export by glob",
    ),
    fault(
        "names",
        "crates/page/examples/router/main.rs",
        "//! A program.\n",
        "crates/router/examples/router.rs: crates/page/examples/router/main.rs is an example called `router` too",
    ),
    fault("top", "NOTES.txt", "x", "not one of the agreed names"),
    fault(
        "text",
        "docs/x.md",
        concat!("see `/ro", "ot/.cargo`"),
        "has no business here",
    ),
    fault(
        "text",
        "docs/x.md",
        concat!("https://index.", "crates.io/x"),
        "has no business here",
    ),
    fault(
        "text",
        "Cargo.lock",
        "source = \"registry+https://mirror.example/index\"\n",
        "a package from",
    ),
    fault(
        "generated",
        "crates/nonevent/Cargo.toml",
        "[features]\nflags = [\"dep:nonevent-flags\"]\n",
        "\"features\" is out of date",
    ),
];

fn complaints(files: Files) -> Vec<String> {
    let violations = check(&Repo::new(files));
    violations.iter().map(ToString::to_string).collect()
}

#[test]
fn a_sound_tree_is_tidy() {
    assert_eq!(complaints(sound()), [""; 0]);
}

#[test]
fn every_fault_is_found_where_it_is() {
    for Fault {
        rule,
        file,
        adds,
        says,
    } in FAULTS
    {
        let mut files = sound();
        append(&mut files, file, adds);
        let found = complaints(files);
        let (tag, file) = (format!("tidy[{rule}] "), file.trim_end_matches(".rs"));
        assert!(
            found
                .iter()
                .any(|c| c.starts_with(&tag) && c.contains(says)),
            "{rule}: {adds:?} in {file} should say {says:?}: {found:#?}"
        );
    }
}

#[test]
fn what_is_missing_is_found() {
    let without = |path: &str, text: &str| {
        let mut files = sound();
        let file = files.get_mut(path).and_then(Option::as_mut);
        let file = file.expect("the sound tree has it");
        assert!(file.contains(text), "{path} has no {text:?}");
        *file = file.replace(text, "");
        complaints(files).join("\n")
    };
    for (path, text, says) in [
        (
            ROUTER,
            "#![no_std]\n",
            "tidy[pure] crates/router/src/lib.rs: a pure crate without",
        ),
        (
            ROUTER,
            "#![doc = include_str!(\"../README.md\")]\n",
            "tidy[pages] crates/router/src/lib.rs:1:",
        ),
        (
            ROUTER_TOML,
            "license.workspace = true\n",
            "tidy[manifests] crates/router/Cargo.toml: license",
        ),
        (
            ROUTER_TOML,
            "[lints]\nworkspace = true\n",
            "lints are not inherited",
        ),
        (ROUTER_TOML, "keywords = [\"k\"]\n", "no keywords"),
        (ROUTER_TOML, "nonevent-", "call the package nonevent-router"),
        (
            "crates/router/README.md",
            "```\nexample\n```",
            "shows no example",
        ),
        (
            "crates/router/README.md",
            "It does not act.",
            "leaves open what the crate does not do",
        ),
        (
            "docs/ARCHITECTURE.md",
            "| `router` | something |\n",
            "no row of the code map is for router",
        ),
        (
            "docs/ARCHITECTURE.md",
            "<!-- end of rules -->",
            "\"rules\" has no place",
        ),
        (
            "Cargo.toml",
            ", default-features = false",
            "serde has its default features on",
        ),
    ] {
        let found = without(path, text);
        assert!(found.contains(says), "without {text:?} in {path}: {found}");
    }
    let mut files = sound();
    files.remove("crates/router/examples/router.rs");
    assert!(
        complaints(files)
            .join("")
            .contains("tidy[pages] crates/router/examples: router has no example")
    );
}

#[test]
fn a_file_too_long_for_one_sitting_is_found() {
    let lines = |n: usize| "fn f() {}\n".repeat(n);
    let found = |text: String| {
        let mut files = sound();
        append(
            &mut files,
            "crates/router/src/long.rs",
            &format!("//! Long.\n{text}"),
        );
        complaints(files).join("\n")
    };
    assert_eq!(found(lines(law::CODE_LINES_MAX)), "");
    assert!(found(lines(law::CODE_LINES_MAX + 1)).contains("501 lines of code, of 500 at most"));
    // A literal counts all the lines it spans; comments and tests count none.
    let text = format!(
        "const X: &str = \"{}\";\n",
        "\n".repeat(law::CODE_LINES_MAX)
    );
    assert!(found(text).contains("tidy[size]"));
    let comments = "/// Said.\n// Said.\n\n".repeat(law::CODE_LINES_MAX);
    let tests = lines(law::CODE_LINES_MAX);
    assert_eq!(
        found(format!(
            "{comments}\n#[cfg(test)]\nmod tests {{\n{tests}}}\n"
        )),
        ""
    );
}

#[test]
fn what_only_resembles_a_fault_passes() {
    for (file, adds) in [
        (ROUTER, "#[cfg(test)]\nextern crate std;\n"),
        (
            ROUTER,
            "#[cfg(all(test, unix))]\nmod tests {\n    use std::fs;\n}\n",
        ),
        (
            ROUTER,
            "#[cfg(test)]\nfn f<A, B>(a: A) -> std::io::Result<B> {}\n",
        ),
        (
            ROUTER,
            "/// Not `std::fs`.\nfn f() -> &'static str { \"std::fs\" }\n",
        ),
        (ROUTER, "use a::*;\npub use b::{c, d as e};\n"),
        (GATES, "#[cfg(feature = \"collect\")]\nextern crate std;\n"),
        ("crates/gates/src/collect.rs", "//! Walks.\nuse std::fs;\n"),
        (
            "crates/gates/src/collect/walk.rs",
            "//! Walks.\nuse std::fs;\n",
        ),
        ("crates/router/tests/t.rs", "use std::fs;\n"),
        (
            FACADE,
            "#[cfg(feature = \"flags\")]\npub use nonevent_flags as flags;\npub use a::{b, c};\n",
        ),
        (
            "docs/x.md",
            concat!("target/wo", "rk/ and ${HOME}/ro", "ot/\n"),
        ),
    ] {
        let mut files = sound();
        append(&mut files, file, adds);
        assert_eq!(complaints(files), [""; 0], "{adds:?} in {file}");
    }
    let points = "[map](ARCHITECTURE.md#top) [web](https://example.com/x.md) [`Split`](Split) \
                  [r](../crates/router/) `crates/router/src/lib.rs` `crates/<name>/src`\n\
                  ```text\n`crates/gone.rs`\n```\n";
    let mut files = sound();
    append(&mut files, "docs/x.md", points);
    assert_eq!(complaints(files), [""; 0]);
    // The edge may bring `std` to the whole crate, since it is not there in every build.
    let mut files = sound();
    let edge = "#![doc = include_str!(\"../README.md\")]\n#![cfg_attr(not(feature = \"collect\"), no_std)]\n";
    files.insert(GATES.to_owned(), Some(edge.to_owned()));
    assert_eq!(complaints(files.clone()), [""; 0]);
    files.insert(ROUTER.to_owned(), Some(edge.to_owned()));
    assert!(complaints(files)[0].contains("router/src/lib.rs: a pure crate without"));
    // A dependency that only a test uses.
    let mut files = sound();
    append(
        &mut files,
        ROUTER_TOML,
        "[dev-dependencies]\nserde.workspace = true\n",
    );
    append(
        &mut files,
        "crates/router/tests/t.rs",
        "use serde::Serialize;\n",
    );
    assert_eq!(complaints(files), [""; 0]);
    // A file that only tests compile, and one below it.
    let mut files = sound();
    append(&mut files, ROUTER, "mod split;\n");
    append(
        &mut files,
        "crates/router/src/split.rs",
        "//! S.\n#[cfg(test)]\nmod tests;\n",
    );
    append(
        &mut files,
        "crates/router/src/split/tests.rs",
        "//! T.\nmod more;\nuse std::fs;\n",
    );
    append(
        &mut files,
        "crates/router/src/split/tests/more.rs",
        "//! M.\nuse std::fs;\n",
    );
    assert_eq!(complaints(files), [""; 0]);
}

#[test]
fn every_rule_can_fail() {
    let broken: BTreeSet<&str> = FAULTS.iter().map(|f| f.rule).collect();
    // The others are broken by taking something away, in tests of their own.
    let elsewhere = ["manifests", "size"];
    for rule in RULES {
        assert!(
            broken.contains(rule.name) || elsewhere.contains(&rule.name),
            "no fault breaks {}",
            rule.name
        );
    }
}

#[test]
fn the_tables_agree_with_themselves() {
    let names: Vec<&str> = law::EXTERNALS.iter().map(|e| e.name).collect();
    assert!(names.is_sorted(), "EXTERNALS are sorted by name: {names:?}");
    let mut above = BTreeSet::new();
    for row in law::CRATES {
        for import in row.imports {
            assert!(
                above.contains(import),
                "{} imports {import}, which is not above it",
                row.folder
            );
        }
        above.insert(row.folder);
    }
    for row in law::EXTERNALS {
        for home in row.homes.iter().chain(row.tests) {
            assert!(
                *home == "*" || above.contains(home),
                "{} lives in no crate: {home}",
                row.name
            );
        }
    }
    for (name, _) in law::DEFAULTS_ON {
        assert!(names.contains(name), "{name} has no row in EXTERNALS");
    }
}

#[test]
fn this_repository_is_tidy() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("xtask is in a folder");
    let repo = Repo::read(root).expect("the tests run in a checkout");
    let found: Vec<String> = check(&repo).iter().map(ToString::to_string).collect();
    assert!(
        found.is_empty(),
        "{} violations:\n{}",
        found.len(),
        found.join("\n")
    );
}
