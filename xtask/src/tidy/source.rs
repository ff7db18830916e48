//! A Rust file as a flat list of tokens that knows what is test code.
//!
//! Tokens are enough for what the rules ask, and unlike a syntax tree they reach into macro
//! calls, where a path to `std` hides just as well.

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};

use super::Violation;

/// Which of a package's folders a file lies in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Place {
    /// `src/`, and `build.rs`.
    Product,
    /// `examples/` and `benches/`.
    Program,
    /// `tests/`.
    Test,
}

/// Words that begin an item or a statement, in which a comma ends nothing.
const ITEM_WORDS: &[&str] = &[
    "const", "enum", "extern", "fn", "impl", "let", "mod", "static", "struct", "trait", "type",
    "union", "use",
];

/// One file.
pub(crate) struct Source {
    /// Path from the repository's root.
    pub(crate) path: String,
    /// Path from the package's root.
    pub(crate) inside: String,
    /// The package's folder.
    pub(crate) folder: String,
    pub(crate) place: Place,
    /// The file is a module that only tests compile.
    pub(crate) test_only: bool,
    /// All tokens but documentation, groups opened out.
    pub(crate) tokens: Vec<Token>,
    /// Modules declared `#[cfg(test)] mod name;`.
    test_modules: Vec<String>,
}

/// A word, a sign, a literal, or one half of a bracket pair.
pub(crate) struct Token {
    pub(crate) text: String,
    /// First line, from 1.
    pub(crate) line: usize,
    /// Last line: literals can span several.
    pub(crate) last_line: usize,
    /// How many groups it stands in; a bracket counts as outside its own group.
    pub(crate) depth: usize,
    /// Only compiled for tests.
    pub(crate) test: bool,
}

impl Source {
    pub(crate) fn read(
        path: &str,
        inside: &str,
        folder: &str,
        text: Option<&str>,
    ) -> Result<Source, Violation> {
        let cannot = |what: String| Violation::new(path, None, what, "mend the file");
        let text = text.ok_or_else(|| cannot("not UTF-8".to_owned()))?;
        let stream: TokenStream = text.parse().map_err(|e| cannot(format!("not Rust: {e}")))?;
        let place = match inside.split('/').next() {
            Some("tests") => Place::Test,
            Some("examples" | "benches") => Place::Program,
            _ => Place::Product,
        };
        let mut source = Source {
            path: path.to_owned(),
            inside: inside.to_owned(),
            folder: folder.to_owned(),
            place,
            test_only: false,
            tokens: Vec::new(),
            test_modules: Vec::new(),
        };
        source.flatten(stream, 0, false);
        Ok(source)
    }

    /// Tokens that are not for tests only.
    pub(crate) fn product_tokens(&self) -> impl Iterator<Item = &Token> {
        let test_only = self.test_only;
        self.tokens.iter().filter(move |t| !test_only && !t.test)
    }

    /// The name of the example program that begins in this file.
    pub(crate) fn example(&self) -> Option<&str> {
        let file = self.inside.strip_prefix("examples/")?;
        let name = file.strip_suffix("/main.rs").or(file.strip_suffix(".rs"))?;
        (!name.contains('/')).then_some(name)
    }

    /// How many lines hold code: neither blank, nor comment, nor test.
    pub(crate) fn code_lines(&self) -> usize {
        let mut lines: Vec<usize> = self
            .product_tokens()
            .flat_map(|t| t.line..=t.last_line)
            .collect();
        lines.sort_unstable();
        lines.dedup();
        lines.len()
    }

    fn flatten(&mut self, stream: TokenStream, depth: usize, test: bool) {
        let trees: Vec<TokenTree> = stream.into_iter().collect();
        let mut at = 0;
        let mut item_is_test = false;
        let mut declares = false;
        let mut whole_is_test = test;
        while let Some(tree) = trees.get(at) {
            if let Some((attribute, length, inner)) = attribute_at(&trees[at..]) {
                if !is_doc(attribute) {
                    let gates = is_test_attribute(attribute);
                    whole_is_test |= inner && gates;
                    item_is_test |= !inner && gates;
                    for part in &trees[at..at + length] {
                        self.push(part, depth, whole_is_test || item_is_test);
                    }
                }
                at += length;
                continue;
            }
            if item_is_test
                && let [
                    TokenTree::Ident(word),
                    TokenTree::Ident(name),
                    TokenTree::Punct(end),
                    ..,
                ] = &trees[at..]
                && *word == "mod"
                && end.as_char() == ';'
            {
                self.test_modules.push(name.to_string());
            }
            self.push(tree, depth, whole_is_test || item_is_test);
            // An item ends with its body or its semicolon; a field or an arm with its comma.
            declares |=
                matches!(tree, TokenTree::Ident(word) if ITEM_WORDS.iter().any(|i| word == i));
            let ends = match tree {
                TokenTree::Group(g) => g.delimiter() == Delimiter::Brace,
                TokenTree::Punct(p) => p.as_char() == ';' || (p.as_char() == ',' && !declares),
                _ => false,
            };
            item_is_test &= !ends;
            declares &= !ends;
            at += 1;
        }
    }

    fn push(&mut self, tree: &TokenTree, depth: usize, test: bool) {
        let TokenTree::Group(group) = tree else {
            let span = tree.span();
            self.word(
                tree.to_string(),
                (span.start().line, span.end().line),
                depth,
                test,
            );
            return;
        };
        let (open, close) = match group.delimiter() {
            Delimiter::Parenthesis => ("(", ")"),
            Delimiter::Brace => ("{", "}"),
            Delimiter::Bracket => ("[", "]"),
            Delimiter::None => ("", ""),
        };
        let (first, last) = (
            group.span_open().start().line,
            group.span_close().end().line,
        );
        self.word(open.to_owned(), (first, first), depth, test);
        self.flatten(group.stream(), depth + 1, test);
        self.word(close.to_owned(), (last, last), depth, test);
    }

    fn word(&mut self, text: String, lines: (usize, usize), depth: usize, test: bool) {
        self.tokens.push(Token {
            text,
            line: lines.0,
            last_line: lines.1,
            depth,
            test,
        });
    }
}

/// Marks files that only a `#[cfg(test)] mod name;` reaches, and all files below them.
pub(crate) fn mark_test_modules(sources: &mut [Source]) {
    let mut below = Vec::new();
    for source in &*sources {
        let (dir, file) = source.path.rsplit_once('/').unwrap_or(("", &source.path));
        let base = match file {
            "lib.rs" | "main.rs" | "mod.rs" => dir.to_owned(),
            _ => format!("{dir}/{}", file.trim_end_matches(".rs")),
        };
        below.extend(source.test_modules.iter().map(|m| format!("{base}/{m}")));
    }
    for source in sources {
        source.test_only = below.iter().any(|module| {
            source
                .path
                .strip_prefix(module.as_str())
                .is_some_and(|rest| rest == ".rs" || rest.starts_with('/'))
        });
    }
}

/// The attribute that starts here: its brackets, how many trees it takes, and whether it is inner.
fn attribute_at(trees: &[TokenTree]) -> Option<(&Group, usize, bool)> {
    let sign = |tree: &TokenTree, c| matches!(tree, TokenTree::Punct(p) if p.as_char() == c);
    match trees {
        [hash, TokenTree::Group(g), ..] if sign(hash, '#') => Some((g, 2, false)),
        [hash, bang, TokenTree::Group(g), ..] if sign(hash, '#') && sign(bang, '!') => {
            Some((g, 3, true))
        }
        _ => None,
    }
    .filter(|(g, ..)| g.delimiter() == Delimiter::Bracket)
}

/// A doc comment, which the lexer turns into `#[doc = "…"]`; a written `#[doc = include_str!(…)]`
/// has no literal and is kept.
fn is_doc(attribute: &Group) -> bool {
    let trees: Vec<TokenTree> = attribute.stream().into_iter().collect();
    matches!(&trees[..], [TokenTree::Ident(name), _, TokenTree::Literal(_)] if *name == "doc")
}

/// `#[test]`, or a `#[cfg(…)]` that no build but a test's can meet.
fn is_test_attribute(attribute: &Group) -> bool {
    let trees: Vec<TokenTree> = attribute.stream().into_iter().collect();
    match &trees[..] {
        [TokenTree::Ident(name)] => *name == "test",
        [TokenTree::Ident(name), TokenTree::Group(condition)] if *name == "cfg" => {
            needs_test(condition.stream())
        }
        _ => false,
    }
}

fn needs_test(condition: TokenStream) -> bool {
    let trees: Vec<TokenTree> = condition.into_iter().collect();
    match &trees[..] {
        [TokenTree::Ident(word)] => *word == "test",
        [TokenTree::Ident(word), TokenTree::Group(inner)] if *word == "all" => {
            alternatives(inner).into_iter().any(needs_test)
        }
        [TokenTree::Ident(word), TokenTree::Group(inner)] if *word == "any" => {
            alternatives(inner).into_iter().all(needs_test)
        }
        _ => false,
    }
}

/// The parts between commas.
fn alternatives(group: &Group) -> Vec<TokenStream> {
    let mut parts = vec![TokenStream::new()];
    for tree in group.stream() {
        match (&tree, parts.last_mut()) {
            (TokenTree::Punct(p), _) if p.as_char() == ',' => parts.push(TokenStream::new()),
            (_, Some(part)) => part.extend([tree]),
            (_, None) => {}
        }
    }
    parts.retain(|p| !p.is_empty());
    parts
}
