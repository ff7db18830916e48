//! Rooted globs: which paths of a project a criterion looks at.

use alloc::borrow::ToOwned as _;
use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec;
use alloc::vec::Vec;
use core::fmt;

use crate::path::TreePath;
use crate::tree::LEFT_OUT;

/// A glob may stand for at most this many alternatives once its braces are written out.
const ALTERNATIVES_MAX: usize = 64;
/// The longest glob, in bytes.
const BYTES_MAX: usize = 512;

/// A pattern that is matched against the whole path from the project's root.
///
/// `*` is any run of characters within one name and `?` one character; neither crosses a `/`.
/// `**` as a whole name is any number of folders; `{a,b}` is either. There is nothing else, so a
/// pattern without these is exactly one path. Matching takes time linear in the pattern times the
/// path.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Glob {
    source: String,
    patterns: Vec<Vec<Segment>>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Segment {
    Folders,
    Name(Vec<Token>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Token {
    Byte(u8),
    One,
    Run,
}

impl Glob {
    /// Reads a glob, or says in one sentence why it is none.
    pub(crate) fn parse(source: &str) -> Result<Glob, String> {
        if source.len() > BYTES_MAX {
            return Err(format!("a glob has at most {BYTES_MAX} bytes"));
        }
        if let Some(odd) = source
            .chars()
            .find(|c| matches!(c, '[' | ']' | '\\' | '!') || c.is_control())
        {
            return Err(format!(
                "`{}` has no meaning in a glob here; there are `*`, `?`, `**` and `{{a,b}}`",
                odd.escape_default()
            ));
        }
        let mut patterns = Vec::new();
        for alternative in alternatives(source)? {
            patterns.push(pattern(&alternative)?);
        }
        Ok(Glob {
            source: source.to_owned(),
            patterns,
        })
    }

    /// Whether the glob is the path of one file.
    pub(crate) fn is_literal(&self) -> bool {
        self.patterns.len() == 1
            && self.patterns[0].iter().all(|segment| match segment {
                Segment::Folders => false,
                Segment::Name(tokens) => tokens.iter().all(|t| matches!(t, Token::Byte(_))),
            })
    }

    pub(crate) fn matches(&self, path: &TreePath) -> bool {
        self.patterns
            .iter()
            .any(|pattern| after(pattern, path.names()).last() == Some(&true))
    }

    /// Whether some path below the folder `folder` could match; `None` is the root.
    pub(crate) fn may_match_under(&self, folder: Option<&TreePath>) -> bool {
        self.patterns.iter().any(|pattern| {
            let states = match folder {
                Some(folder) => after(pattern, folder.names()),
                None => after(pattern, core::iter::empty()),
            };
            states[..pattern.len()].contains(&true)
        })
    }

    /// Up to `count` different paths per alternative that match; and as many again that stand a
    /// folder deeper where the pattern has `**`.
    pub(crate) fn examples(&self, count: usize) -> Vec<TreePath> {
        let mut found = Vec::new();
        for pattern in &self.patterns {
            for folder in [None, Some("decoy")] {
                for number in 0..count {
                    let text = example(pattern, folder, number);
                    if let Some(path) = TreePath::new(text)
                        && !found.contains(&path)
                    {
                        found.push(path);
                    }
                }
            }
        }
        found
    }
}

impl fmt::Display for Glob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.source)
    }
}

impl fmt::Debug for Glob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Glob({})", self.source)
    }
}

fn example(pattern: &[Segment], folder: Option<&str>, number: usize) -> Vec<u8> {
    let mut path = Vec::new();
    let mut numbered = false;
    for segment in pattern {
        let before = path.len();
        if before > 0 {
            path.push(b'/');
        }
        match segment {
            Segment::Folders => match folder {
                Some(name) => path.extend_from_slice(name.as_bytes()),
                None => path.truncate(before),
            },
            Segment::Name(tokens) => {
                for token in tokens {
                    match token {
                        Token::Byte(byte) => path.push(*byte),
                        Token::One => path.push(b'x'),
                        Token::Run if numbered => {}
                        Token::Run => {
                            numbered = true;
                            path.extend_from_slice(format!("decoy{number}").as_bytes());
                        }
                    }
                }
            }
        }
    }
    path
}

/// The states of the pattern after `names`: state `i` holds if the first `i` segments can have
/// matched exactly those names.
fn after<'n>(pattern: &[Segment], names: impl Iterator<Item = &'n [u8]>) -> Vec<bool> {
    let mut states = vec![false; pattern.len() + 1];
    states[0] = true;
    close(pattern, &mut states);
    for name in names {
        let mut next = vec![false; pattern.len() + 1];
        for (index, segment) in pattern.iter().enumerate() {
            if states[index] {
                match segment {
                    Segment::Folders => next[index] = true,
                    Segment::Name(tokens) => next[index + 1] |= name_matches(tokens, name),
                }
            }
        }
        close(pattern, &mut next);
        states = next;
    }
    states
}

/// `**` may stand for no folder at all.
fn close(pattern: &[Segment], states: &mut [bool]) {
    for (index, segment) in pattern.iter().enumerate() {
        if states[index] && *segment == Segment::Folders {
            states[index + 1] = true;
        }
    }
}

fn name_matches(tokens: &[Token], name: &[u8]) -> bool {
    let (mut token, mut at) = (0, 0);
    let mut resume: Option<(usize, usize)> = None;
    loop {
        let step = match tokens.get(token) {
            Some(Token::Run) => {
                resume = Some((token + 1, at));
                token += 1;
                continue;
            }
            Some(Token::Byte(byte)) => (name.get(at) == Some(byte)).then_some(1),
            Some(Token::One) => (at < name.len()).then(|| character_bytes(&name[at..])),
            None => (at == name.len()).then_some(0),
        };
        match (step, resume) {
            (Some(0), _) => return true,
            (Some(bytes), _) => {
                token += 1;
                at += bytes;
            }
            (None, Some((again, from))) if from < name.len() => {
                resume = Some((again, from + 1));
                token = again;
                at = from + 1;
            }
            (None, _) => return false,
        }
    }
}

/// The bytes of the first character, or 1 where the bytes are not UTF-8.
fn character_bytes(bytes: &[u8]) -> usize {
    let head = &bytes[..bytes.len().min(4)];
    head.utf8_chunks()
        .next()
        .and_then(|chunk| chunk.valid().chars().next())
        .map_or(1, char::len_utf8)
}

fn alternatives(source: &str) -> Result<Vec<String>, String> {
    let mut done: Vec<String> = vec![String::new()];
    let mut rest = source;
    while let Some(open) = rest.find(['{', '}']) {
        let (before, from) = rest.split_at(open);
        let inner = from
            .strip_prefix('{')
            .and_then(|inner| inner.split_once('}'))
            .filter(|(inner, _)| !inner.contains('{'));
        let Some((inner, behind)) = inner else {
            return Err("braces are not closed, or nested".to_string());
        };
        let mut longer = Vec::new();
        for start in &done {
            for choice in inner.split(',') {
                longer.push(format!("{start}{before}{choice}"));
            }
        }
        if longer.len() > ALTERNATIVES_MAX {
            return Err(format!(
                "braces stand for more than {ALTERNATIVES_MAX} globs"
            ));
        }
        done = longer;
        rest = behind;
    }
    for start in &mut done {
        start.push_str(rest);
    }
    Ok(done)
}

fn pattern(text: &str) -> Result<Vec<Segment>, String> {
    if text.starts_with('/') {
        return Err("globs start at the project's root without a leading `/`".to_string());
    }
    let mut segments = Vec::new();
    for name in text.split('/') {
        match name {
            "" => return Err("a name in the path is empty".to_string()),
            "." | ".." => return Err(format!("`{name}` is no name within the project")),
            "**" => {
                if segments.last() != Some(&Segment::Folders) {
                    segments.push(Segment::Folders);
                }
            }
            _ if name.contains("**") => {
                return Err("`**` stands alone between slashes".to_string());
            }
            _ if LEFT_OUT.contains(&name) => {
                return Err(format!("`{name}` is never looked at"));
            }
            _ => segments.push(Segment::Name(name.bytes().map(token).collect())),
        }
    }
    if segments.last() == Some(&Segment::Folders) {
        segments.push(Segment::Name(vec![Token::Run]));
    }
    Ok(segments)
}

fn token(byte: u8) -> Token {
    match byte {
        b'*' => Token::Run,
        b'?' => Token::One,
        byte => Token::Byte(byte),
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use proptest::prelude::*;

    fn path(text: &str) -> TreePath {
        TreePath::new(text).expect("a relative path")
    }

    #[test]
    fn matching() {
        let cases: &[(&str, &[&str], &[&str])] = &[
            (
                "docs/prd.md",
                &["docs/prd.md"],
                &["prd.md", "docs/prd.md/x", "a/docs/prd.md"],
            ),
            (
                "docs/*.md",
                &["docs/a.md", "docs/.md"],
                &["docs/a/b.md", "docs/a.mdx"],
            ),
            (
                "**/prd.md",
                &["prd.md", "a/b/prd.md"],
                &["prd.md/x", "xprd.md"],
            ),
            ("docs/**", &["docs/a", "docs/a/b"], &["docs", "doc/a"]),
            ("a/**/b/*.x", &["a/b/1.x", "a/q/b/r/b/1.x"], &["a/b/c/1.x"]),
            (
                "{a,b/c}.{yml,yaml}",
                &["a.yml", "b/c.yaml"],
                &["b.yml", "c.yml"],
            ),
            ("v?.md", &["v1.md", "vé.md"], &["v.md", "v12.md"]),
            ("*a*b*", &["ab", "xaxbx", "aab"], &["ba", "b"]),
        ];
        for (glob, yes, no) in cases {
            let glob = Glob::parse(glob).expect("a glob");
            for text in *yes {
                assert!(glob.matches(&path(text)), "{glob} should match {text}");
            }
            for text in *no {
                assert!(!glob.matches(&path(text)), "{glob} should not match {text}");
            }
        }
        let one = Glob::parse("?").expect("a glob");
        assert!(one.matches(&TreePath::new(b"\xff").expect("a name")));
    }

    #[test]
    fn refusals() {
        let mut text = String::new();
        for bad in [
            "",
            "/a",
            "a//b",
            "../a",
            "a/./b",
            "a**",
            "[ab]",
            "a\\b",
            "!a",
            "{a",
            "a}",
            "{a,{b}}",
            "node_modules/x.json",
            "a/target/b",
            "a\nb",
            "{a,b,c,d,e,f,g,h,i}{a,b,c,d,e,f,g,h,i}",
        ] {
            let why = Glob::parse(bad).expect_err(bad);
            text.push_str(&format!("{bad:?}: {why}\n"));
        }
        insta::assert_snapshot!(text);
    }

    #[test]
    fn folders_that_cannot_match_are_not_entered() {
        let glob = Glob::parse("docs/*/x.md").expect("a glob");
        assert!(glob.may_match_under(None));
        assert!(glob.may_match_under(Some(&path("docs"))));
        assert!(glob.may_match_under(Some(&path("docs/a"))));
        assert!(!glob.may_match_under(Some(&path("docs/a/b"))));
        assert!(!glob.may_match_under(Some(&path("src"))));
        assert!(
            !Glob::parse("a")
                .expect("a glob")
                .may_match_under(Some(&path("a")))
        );
    }

    #[test]
    fn literal() {
        assert!(Glob::parse("docs/a.md").expect("a glob").is_literal());
        assert!(!Glob::parse("docs/{a,b}.md").expect("a glob").is_literal());
        assert!(!Glob::parse("docs/*.md").expect("a glob").is_literal());
    }

    proptest! {
        #[test]
        fn examples_match(text in "[a-c*?/.]{1,12}|(\\*\\*/)?[a-z*]{1,6}(/\\*\\*)?") {
            if let Ok(glob) = Glob::parse(&text) {
                for example in glob.examples(3) {
                    prop_assert!(glob.matches(&example), "{} {}", glob, example);
                    let bytes = example.as_bytes();
                    let cut = bytes.iter().rposition(|&b| b == b'/');
                    let folder = cut.map(|at| TreePath::new(&bytes[..at]).expect("a folder"));
                    prop_assert!(glob.may_match_under(folder.as_ref()));
                }
            }
        }

        #[test]
        fn a_name_is_matched_as_the_plain_recursion_would(tokens in "[ab*?]{0,8}", name in "[ab]{0,10}") {
            fn plain(tokens: &[u8], name: &[u8]) -> bool {
                match (tokens.first(), name.first()) {
                    (None, None) => true,
                    (Some(b'*'), _) => {
                        plain(&tokens[1..], name) || (!name.is_empty() && plain(tokens, &name[1..]))
                    }
                    (Some(b'?'), Some(_)) => plain(&tokens[1..], &name[1..]),
                    (Some(t), Some(n)) if t == n => plain(&tokens[1..], &name[1..]),
                    _ => false,
                }
            }
            let compiled: Vec<Token> = tokens.bytes().map(token).collect();
            prop_assert_eq!(name_matches(&compiled, name.as_bytes()),
                            plain(tokens.as_bytes(), name.as_bytes()));
        }
    }
}
