//! That a flag file was checked, as evidence for a gate.

use nonevent_document::{Digest, Findings, Severity, Timestamp};
use nonevent_evidence::{FlagCheck, Predicate, Statement};
use nonevent_flags::FlagSet;

/// The statement that the file with this `digest` was read as `set` and checked `at` that time, and
/// what was found: of all the findings those that are errors and warnings are counted. To be signed.
#[must_use]
pub fn flag_check_statement(
    name: &str,
    digest: Digest,
    set: &FlagSet,
    findings: &Findings,
    at: Timestamp,
) -> Statement {
    let count = |severity| {
        let found = findings.iter().filter(|it| it.severity == severity);
        found.count() as u64
    };
    let check = FlagCheck {
        file: digest,
        dialect: set.dialect().to_string(),
        flags: set.len() as u64,
        errors: count(Severity::Error),
        warnings: count(Severity::Warning),
        checker: format!("nonevent {}", env!("CARGO_PKG_VERSION")),
        at,
    };
    Statement::about(name, digest, Predicate::FlagCheck(check))
}

#[cfg(test)]
mod tests {
    use super::*;
    use nonevent_flags::LoadOptions;

    #[test]
    fn what_was_found_is_counted() {
        let bytes = br#"{"flags": {
            "good": {"state": "ENABLED", "variants": {"on": true, "off": false}, "defaultVariant": "off"},
            "bad": {"state": "ENABLED", "variants": {"on": true}, "defaultVariant": "gone"}
        }}"#;
        let loaded = FlagSet::load("flags.json", bytes, LoadOptions::default());
        let loaded = loaded.expect("a flag file");
        let at = Timestamp::from_unix_ms(1_770_000_000_000);
        let digest = Digest::of(bytes);
        let statement =
            flag_check_statement("flags.json", digest, &loaded.set, &loaded.findings, at);
        assert!(statement.is_about(&digest));
        let Predicate::FlagCheck(check) = statement.predicate else {
            unreachable!("it is a flag check");
        };
        assert_eq!((check.dialect.as_str(), check.flags), ("flagd", 2));
        assert!(check.errors >= 1, "{check:?}");
    }
}
