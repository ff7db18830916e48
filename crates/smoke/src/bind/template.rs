//! Text with `${name}` and `${env:NAME}` in it.

use std::collections::{BTreeMap, BTreeSet};

use nonevent_document::Secret;

/// A text whose references are found but not yet replaced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Template {
    pieces: Vec<Piece>,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Piece {
    Text(String),
    Variable(String),
    Secret(SecretName),
}

/// `env:API_TOKEN`: where a secret is to be found, never the secret itself.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct SecretName {
    pub(crate) scheme: String,
    pub(crate) name: String,
}

/// What references are replaced by. Of a name that is there several times, the first counts.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bindings<'a> {
    /// The row of the test's table.
    pub(crate) row: &'a [(String, String)],
    /// What earlier tests captured.
    pub(crate) captured: &'a BTreeMap<String, String>,
    /// What the caller gave, and what the suite says where the caller did not.
    pub(crate) variables: &'a BTreeMap<String, String>,
    pub(crate) secrets: &'a BTreeMap<SecretName, Secret>,
}

impl Bindings<'_> {
    pub(crate) fn variable(&self, name: &str) -> Option<&str> {
        let of_row = self.row.iter().find(|(known, _)| known == name);
        of_row
            .map(|(_, value)| value)
            .or_else(|| self.captured.get(name))
            .or_else(|| self.variables.get(name))
            .map(String::as_str)
    }
}

impl Template {
    /// Finds the references in a text; `$${` stands for a plain `${`.
    ///
    /// The error is the part that looks like a reference and is none.
    pub(crate) fn parse(text: &str) -> Result<Template, String> {
        let mut pieces = Vec::new();
        let mut plain = String::new();
        let mut rest = text;
        while let Some(at) = rest.find("${") {
            let (before, from) = rest.split_at(at);
            if let Some(before) = before.strip_suffix('$') {
                plain.push_str(before);
                plain.push_str("${");
                rest = &from[2..];
                continue;
            }
            plain.push_str(before);
            let inner = &from[2..];
            let Some(end) = inner.find('}') else {
                return Err(from.chars().take(40).collect());
            };
            let (reference, after) = (&inner[..end], &inner[end + 1..]);
            let piece = reference_of(reference).ok_or_else(|| format!("${{{reference}}}"))?;
            if !plain.is_empty() {
                pieces.push(Piece::Text(core::mem::take(&mut plain)));
            }
            pieces.push(piece);
            rest = after;
        }
        plain.push_str(rest);
        if !plain.is_empty() {
            pieces.push(Piece::Text(plain));
        }
        Ok(Template { pieces })
    }

    pub(crate) fn pieces(&self) -> &[Piece] {
        &self.pieces
    }

    /// Replaces every reference; the error is the first one that is not bound.
    pub(crate) fn render(&self, bindings: &Bindings<'_>) -> Result<String, Piece> {
        let mut out = String::new();
        for piece in &self.pieces {
            let part = match piece {
                Piece::Text(text) => Some(text.as_str()),
                Piece::Variable(name) => bindings.variable(name),
                Piece::Secret(name) => bindings.secrets.get(name).map(Secret::expose),
            };
            out.push_str(part.ok_or_else(|| piece.clone())?);
        }
        Ok(out)
    }

    /// Replaces the references that `row` has, and leaves the others as they are written.
    pub(crate) fn render_row(&self, row: &[(String, String)]) -> String {
        let mut out = String::new();
        for piece in &self.pieces {
            match piece {
                Piece::Text(text) => out.push_str(text),
                Piece::Variable(name) => match row.iter().find(|(known, _)| known == name) {
                    Some((_, value)) => out.push_str(value),
                    None => out.push_str(&format!("${{{name}}}")),
                },
                Piece::Secret(SecretName { scheme, name }) => {
                    out.push_str(&format!("${{{scheme}:{name}}}"));
                }
            }
        }
        out
    }

    pub(crate) fn secrets_into(&self, found: &mut BTreeSet<SecretName>) {
        for piece in &self.pieces {
            if let Piece::Secret(name) = piece {
                found.insert(name.clone());
            }
        }
    }

    pub(crate) fn has_reference(&self) -> bool {
        self.pieces
            .iter()
            .any(|piece| !matches!(piece, Piece::Text(_)))
    }

    pub(crate) fn has_secret(&self) -> bool {
        self.pieces
            .iter()
            .any(|piece| matches!(piece, Piece::Secret(_)))
    }
}

fn reference_of(text: &str) -> Option<Piece> {
    let is_name = |name: &str| {
        name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && name
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.'))
    };
    match text.split_once(':') {
        Some((scheme, name)) if is_name(scheme) && is_name(name) => {
            let (scheme, name) = (scheme.to_owned(), name.to_owned());
            Some(Piece::Secret(SecretName { scheme, name }))
        }
        None if is_name(text) => Some(Piece::Variable(text.to_owned())),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::{Bindings, Piece, Template};

    fn render(template: &Template) -> Result<String, Piece> {
        let map = |name: &str, value: &str| BTreeMap::from([(name.to_owned(), value.to_owned())]);
        template.render(&Bindings {
            row: &[("country".to_owned(), "se".to_owned())],
            captured: &map("id", "7"),
            variables: &[
                map("release", "1.5.0"),
                map("id", "8"),
                map("country", "no"),
            ]
            .into_iter()
            .flatten()
            .collect(),
            secrets: &BTreeMap::new(),
        })
    }

    #[test]
    fn references_are_replaced_once() {
        let cases = [
            ("plain", "plain"),
            ("", ""),
            ("v${release}!", "v1.5.0!"),
            ("${release}${release}", "1.5.01.5.0"),
            ("$${release}", "${release}"),
            ("cost: $5 {x}", "cost: $5 {x}"),
            ("$$$", "$$$"),
            ("${country} ${id}", "se 7"),
        ];
        for (given, wanted) in cases {
            let template = Template::parse(given).expect(given);
            assert_eq!(render(&template).expect(given), wanted, "{given}");
        }
    }

    #[test]
    fn what_looks_like_a_reference_and_is_none_is_an_error() {
        for bad in [
            "${",
            "${}",
            "${a b}",
            "${env:}",
            "x${release",
            "${1}",
            "${a:b:c}",
            "${é}",
        ] {
            assert!(Template::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn an_unbound_reference_is_named() {
        let template = Template::parse("a${nope}").expect("a template");
        assert!(format!("{:?}", render(&template).expect_err("unbound")).contains("nope"));
    }
}
