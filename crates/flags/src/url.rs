//! Pages that an experiment is run on, by their address.
//!
//! Simple patterns name a host, a path and query parameters with `*` for anything, without regard to
//! case; regular expressions are searched in the whole address and in what follows the host.

use crate::pattern::Pattern;
use alloc::boxed::Box;
use alloc::string::String;
use alloc::sync::Arc;
use core::fmt::{self, Display, Formatter};

/// Pages to be on, and pages not to be on. Without any of the first, all but the second.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Targets(pub(crate) Box<[Target]>);

/// One pattern of addresses.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Target {
    pub(crate) include: bool,
    pub(crate) page: Page,
}

/// Which addresses.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Page {
    Simple(Simple),
    Regex(Pattern),
    /// The pattern cannot be read, so none.
    None,
}

/// Parts of an address, each with `*` for anything.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Simple {
    text: Arc<str>,
    host: Wild,
    path: Wild,
    fragment: Option<Wild>,
    query: Box<[(String, Wild)]>,
}

/// Pieces with anything in between.
#[derive(Debug, Clone, PartialEq)]
struct Wild(Box<[String]>);

impl Targets {
    /// Whether the address is one of the pages. `spend` is asked for room as by [`Pattern`].
    pub(crate) fn have<E>(
        &self,
        url: &str,
        mut spend: impl FnMut(usize) -> Result<(), E>,
    ) -> Result<bool, E> {
        let mut included = true;
        let mut found = false;
        for target in &self.0 {
            let fits = target.page.has(url, &mut spend)?;
            if !target.include && fits {
                return Ok(false);
            }
            if target.include {
                included = false;
                found |= fits;
            }
        }
        Ok((included || found) && !self.0.is_empty())
    }
}

impl Page {
    fn has<E>(&self, url: &str, spend: &mut impl FnMut(usize) -> Result<(), E>) -> Result<bool, E> {
        match self {
            Page::None => Ok(false),
            Page::Regex(pattern) => {
                if pattern.occurs_in(url, &mut *spend)? {
                    return Ok(true);
                }
                let address = Address::of(url);
                match url.find(address.host).filter(|_| !address.host.is_empty()) {
                    Some(at) => pattern.occurs_in(&url[at + address.host.len()..], spend),
                    None => Ok(false),
                }
            }
            Page::Simple(simple) => {
                spend(url.len() / 16)?;
                Ok(simple.has(url))
            }
        }
    }
}

impl Simple {
    pub(crate) fn new(pattern: &str) -> Self {
        let address = Address::of(pattern);
        let wild = |text: &str| Wild(text.split('*').map(lower).collect());
        let any = || Wild(Box::from([String::new(), String::new()]));
        // A slash before or after the path may be there or not.
        Self {
            text: pattern.into(),
            host: if address.host.is_empty() {
                any()
            } else {
                wild(address.host)
            },
            path: wild(address.path.trim_matches('/')),
            fragment: address.fragment.filter(|it| !it.is_empty()).map(wild),
            query: parameters(address.query)
                .map(|(name, value)| (String::from(name), wild(value)))
                .collect(),
        }
    }

    fn has(&self, url: &str) -> bool {
        let address = Address::of(url);
        let bare = |path: &str| {
            self.path.fits(path)
                || path
                    .strip_suffix('/')
                    .is_some_and(|path| self.path.fits(path))
        };
        self.host.fits(address.host)
            && (bare(address.path) || address.path.strip_prefix('/').is_some_and(bare))
            && self
                .fragment
                .as_ref()
                .is_none_or(|wanted| wanted.fits(address.fragment.unwrap_or_default()))
            && self.query.iter().all(|(name, wanted)| {
                let own = parameters(address.query).find(|(own, _)| own == name);
                wanted.fits(own.map_or("", |(_, value)| value))
            })
    }
}

impl Wild {
    /// Whether the whole text is these pieces with anything in between.
    fn fits(&self, text: &str) -> bool {
        let (Some(first), Some(last)) = (self.0.first(), self.0.last()) else {
            return text.is_empty();
        };
        if self.0.len() == 1 {
            return is_folded(text, first);
        }
        let Some(mut rest) = after_folded(text, first) else {
            return false;
        };
        let middle = self.0.get(1..self.0.len() - 1).unwrap_or_default();
        for piece in middle {
            let found = tails(rest).find_map(|tail| after_folded(tail, piece));
            match found {
                Some(after) => rest = after,
                None => return false,
            }
        }
        tails(rest).any(|tail| is_folded(tail, last))
    }
}

fn lower(text: &str) -> String {
    text.to_lowercase()
}

fn tails(text: &str) -> impl Iterator<Item = &str> {
    text.char_indices().map(|(at, _)| &text[at..]).chain([""])
}

fn is_folded(text: &str, lower: &str) -> bool {
    text.chars().flat_map(char::to_lowercase).eq(lower.chars())
}

/// What follows `lower` at the start of `text`.
fn after_folded<'t>(text: &'t str, lower: &str) -> Option<&'t str> {
    let mut wanted = lower.chars();
    for (at, letter) in text.char_indices() {
        if wanted.as_str().is_empty() {
            return Some(&text[at..]);
        }
        for folded in letter.to_lowercase() {
            if wanted.next() != Some(folded) {
                return None;
            }
        }
    }
    wanted.as_str().is_empty().then_some("")
}

/// The parts of an address (RFC 3986, section 3), without checking them.
#[derive(Clone, Copy)]
struct Address<'t> {
    host: &'t str,
    path: &'t str,
    query: &'t str,
    fragment: Option<&'t str>,
}

impl<'t> Address<'t> {
    fn of(text: &'t str) -> Self {
        let (text, fragment) = match text.split_once('#') {
            Some((text, fragment)) => (text, Some(fragment)),
            None => (text, None),
        };
        let (text, query) = text.split_once('?').unwrap_or((text, ""));
        let (host, path) = match text.split_once("://") {
            Some((_, rest)) => rest.split_at(rest.find('/').unwrap_or(rest.len())),
            // Without a scheme, a first part with a dot in it is a host.
            None => {
                let (first, _) = text.split_once('/').unwrap_or((text, ""));
                text.split_at(if first.contains('.') { first.len() } else { 0 })
            }
        };
        Self {
            host,
            path,
            query,
            fragment,
        }
    }
}

fn parameters(query: &str) -> impl Iterator<Item = (&str, &str)> {
    query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
}

/// The variation that an address asks for by a parameter named after the experiment.
pub(crate) fn asked_variation(url: &str, experiment: &str, count: usize) -> Option<usize> {
    // What a second question mark begins is no part of the query here.
    let query = url.split('?').nth(1)?;
    let query = query.split('#').next().unwrap_or_default();
    let (_, value) = parameters(query).find(|(name, _)| *name == experiment)?;
    let end = value.find(|c: char| !c.is_ascii_digit());
    let digits = &value[..end.unwrap_or(value.len())];
    digits.parse().ok().filter(|variation| *variation < count)
}

impl Display for Targets {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for (at, target) in self.0.iter().enumerate() {
            f.write_str(if at == 0 { "" } else { ", " })?;
            f.write_str(if target.include { "" } else { "not " })?;
            match &target.page {
                Page::Simple(simple) => f.write_str(&simple.text)?,
                Page::Regex(pattern) => write!(f, "{pattern:?}")?,
                Page::None => f.write_str("no page")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{Page, Simple, Target, Targets, asked_variation};
    use alloc::boxed::Box;
    use alloc::vec::Vec;

    fn on(patterns: &[(&str, bool)], url: &str) -> bool {
        let targets: Vec<Target> = patterns
            .iter()
            .map(|(pattern, include)| Target {
                include: *include,
                page: Page::Simple(Simple::new(pattern)),
            })
            .collect();
        let free = |_: usize| Ok::<(), ()>(());
        Targets(Box::from(targets)).have(url, free).expect("free")
    }

    #[test]
    fn simple_patterns() {
        for (pattern, url, expected) in [
            ("http://www.example.com/", "http://www.example.com/", true),
            (
                "http://www.example.com/",
                "http://www.example.com/home",
                false,
            ),
            ("https://EXAMPLE.com/a", "https://example.com/A/", true),
            ("/blog/*", "https://example.com/blog/1/2", true),
            ("*/blog/*", "https://example.com/blog/1/2", true),
            ("example.com/*/end", "https://example.com/a/b/end/", true),
            // The slash before the path is optional, so the piece before the next may be empty.
            ("example.com/*/end", "https://example.com/end", true),
            ("example.com/?a=1", "https://example.com/?b=2&a=1", true),
            ("example.com/?a=1", "https://example.com/?a=12", false),
            ("example.com/#top", "https://example.com/#top", true),
            ("example.com/#top", "https://example.com/", false),
        ] {
            assert_eq!(on(&[(pattern, true)], url), expected, "{pattern} {url}");
        }
    }

    #[test]
    fn what_is_left_out_wins() {
        let url = "https://example.com/a";
        assert!(on(&[("example.com/b", false)], url));
        assert!(!on(&[("example.com/a", true), ("*.com/a", false)], url));
        assert!(!on(&[], url));
    }

    #[test]
    fn variations_asked_for_by_the_address() {
        for (url, count, expected) in [
            ("http://example.com?x=1&test=2#test=0", 3, Some(2)),
            ("http://example.com?test=2", 2, None),
            ("http://example.com?test=-1", 2, None),
            ("http://example.com?test=1st", 2, Some(1)),
            ("http://example.com?test", 2, None),
            ("test=1", 2, None),
        ] {
            assert_eq!(asked_variation(url, "test", count), expected, "{url}");
        }
    }
}
