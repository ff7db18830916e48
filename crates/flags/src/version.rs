//! Versions read as leniently as flagd reads them, compared as Semantic Versioning 2.0.0 says.

use semver::{BuildMetadata, Prerelease, Version};

/// Reads a version: a leading `v` or `V` is dropped, `1` and `1.2` are `1.0.0` and `1.2.0`,
/// build metadata must be well formed and is then left out (it has no precedence). A pre-release
/// needs all three numbers.
///
/// Allocates only if the pre-release is longer than the eight bytes that `semver` keeps in place.
pub(crate) fn lenient(text: &str) -> Option<Version> {
    let text = text.strip_prefix(['v', 'V']).unwrap_or(text);
    let (text, build) = match text.split_once('+') {
        Some((text, build)) => (text, Some(build)),
        None => (text, None),
    };
    let (core, pre) = match text.split_once('-') {
        Some((core, pre)) => (core, Some(pre)),
        None => (text, None),
    };
    let mut parts = core.split('.');
    let major = numeric(parts.next()?)?;
    let (minor, patch) = (parts.next(), parts.next());
    if parts.next().is_some() || (patch.is_none() && (pre.is_some() || build.is_some())) {
        return None;
    }
    if !build.is_none_or(is_build) {
        return None;
    }
    let pre = match pre {
        None => Prerelease::EMPTY,
        Some("") => return None,
        Some(pre) => Prerelease::new(pre).ok()?,
    };
    Some(Version {
        major,
        minor: minor.map_or(Some(0), numeric)?,
        patch: patch.map_or(Some(0), numeric)?,
        pre,
        build: BuildMetadata::EMPTY,
    })
}

/// Reads a version as Semantic Versioning 2.0.0 writes it: three numbers, no `v`.
pub(crate) fn strict(text: &str) -> Option<Version> {
    let core = text.split(['-', '+']).next()?;
    short(text).filter(|_| core.split('.').count() == 3)
}

/// As [`lenient`], but without a `v`.
pub(crate) fn short(text: &str) -> Option<Version> {
    lenient(text).filter(|_| !text.starts_with(['v', 'V']))
}

/// As [`short`], and also `1-rc.1` and `1.2+build`, as LaunchDarkly's SDKs read them.
pub(crate) fn padded(text: &str) -> Option<Version> {
    let end = text.find(['-', '+']).unwrap_or(text.len());
    let (core, rest) = text.split_at(end);
    let (mut version, rest) = (short(core)?, rest);
    let (pre, build) = match rest.split_once('+') {
        Some((pre, build)) => (pre, Some(build)),
        None => (rest, None),
    };
    version.pre = match pre.strip_prefix('-') {
        Some("") => return None,
        Some(pre) => Prerelease::new(pre).ok()?,
        None => Prerelease::EMPTY,
    };
    build.is_none_or(is_build).then_some(version)
}

fn numeric(part: &str) -> Option<u64> {
    let plain = part.bytes().all(|byte| byte.is_ascii_digit());
    let leading_zero = part.len() > 1 && part.starts_with('0');
    if plain && !leading_zero {
        part.parse().ok()
    } else {
        None
    }
}

fn is_build(build: &str) -> bool {
    build.split('.').all(|part| {
        !part.is_empty()
            && part
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    })
}

#[cfg(test)]
mod tests {
    use super::{lenient, short, strict};
    use alloc::string::{String, ToString};
    use proptest::prelude::*;

    #[test]
    fn lenient_forms() {
        for (text, expected) in [
            ("1.2.3", "1.2.3"),
            ("v1.2.3", "1.2.3"),
            ("V1", "1.0.0"),
            ("1.2", "1.2.0"),
            ("1.2.3-rc.1+build.7", "1.2.3-rc.1"),
            ("0.0.0-0", "0.0.0-0"),
        ] {
            assert_eq!(
                lenient(text).map(|v| v.to_string()).as_deref(),
                Some(expected),
                "{text}"
            );
        }
        for text in [
            "",
            "v",
            "vv1",
            "1.",
            ".1",
            "1.2.3.4",
            "01.2.3",
            "1.2.x",
            "1-rc",
            "1.2-rc",
            "1.2.3-",
            "1.2.3+",
            "1.2.3-a..b",
            "1.2.3-01",
            "1.2.3+a_b",
            "one",
            " 1.2.3",
            "-1",
            "99999999999999999999",
        ] {
            assert_eq!(lenient(text), None, "{text:?}");
        }
    }

    #[test]
    fn strict_and_short_forms() {
        for (text, is_strict, is_short) in [
            ("1.2.3-rc.1+b", true, true),
            ("1.2", false, true),
            ("v1.2.3", false, false),
            ("1.2-rc", false, false),
            ("", false, false),
        ] {
            assert_eq!(strict(text).is_some(), is_strict, "{text}");
            assert_eq!(short(text).is_some(), is_short, "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_the_strict_grammar_takes_means_the_same(text in "[0-9]{1,3}\\.[0-9]{1,3}\\.[0-9]{1,3}(-[0-9a-z.-]{1,12})?(\\+[0-9a-z.-]{1,12})?") {
            let strict = semver::Version::parse(&text).ok().map(|mut version| {
                version.build = semver::BuildMetadata::EMPTY;
                version
            });
            prop_assert_eq!(lenient(&text), strict.clone());
            prop_assert_eq!(super::strict(&text), strict);
        }

        #[test]
        fn any_text_is_read_without_panic(text: String) {
            let _ = lenient(&text);
        }
    }
}
