//! A whole document: its name, its text, its tree.

use alloc::borrow::ToOwned;
use alloc::string::String;

use serde::de::DeserializeOwned;

use crate::decode::decode_all;
use crate::path::Steps;
use crate::{Finding, Findings, Node, Position, Span, Value};

/// How much a document may hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of the text, and once more as many bytes of text repeated through aliases.
    /// Default 1 MiB.
    pub bytes_max: usize,
    /// How many lists and mappings may stand inside each other. Default 64; never more than 200,
    /// whatever is set here, because trees are walked recursively.
    pub depth_max: usize,
    /// Values, counted after aliases are expanded. Default 10 000.
    pub nodes_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            bytes_max: 1 << 20,
            depth_max: 64,
            nodes_max: 10_000,
        }
    }
}

/// A document that was read: text and tree.
///
/// ```
/// use nonevent_document::{Document, Limits};
///
/// let text = b"service: shop\nreplicas: many\n";
/// let document = Document::parse("shop.yaml", text, &Limits::default()).unwrap();
/// assert_eq!(document.root().get("service").unwrap().as_str(), Some("shop"));
///
/// #[derive(serde::Deserialize)]
/// #[serde(deny_unknown_fields)]
/// struct Shop { service: String, replicas: u16 }
///
/// let findings = document.decode::<Shop>().map(|_| ()).unwrap_err();
/// let finding = findings.iter().next().unwrap();
/// assert_eq!(finding.path, "replicas");
/// assert_eq!(finding.at.unwrap().to_string(), "2:11");
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Document {
    name: String,
    text: String,
    root: Node,
    limits: Limits,
}

impl Document {
    /// Reads YAML (1.2, core schema) or JSON.
    ///
    /// A name that ends in `.json`, or a text whose first character is `{`, is read as strict JSON
    /// (RFC 8259). Everything else is YAML, of which these are refused: tags, merge keys, numbers
    /// in hexadecimal, octal or with leading zeros, infinities and NaN, keys that are not text,
    /// aliases that enclose themselves, more than one document.
    ///
    /// # Errors
    ///
    /// At least one finding, each with its position. All are errors with codes `NE0001` to
    /// `NE0019`; what they mean is listed on the crate's page.
    pub fn parse(name: &str, bytes: &[u8], limits: &Limits) -> Result<Document, Findings> {
        let (text, root) = crate::read::read(name, bytes, limits)?;
        Ok(Document {
            name: name.to_owned(),
            text: text.to_owned(),
            root,
            limits: limits.clone(),
        })
    }

    /// The same text with another tree, such as one [merged](Node::merged) from parts of this one.
    /// Paths are then those of the new tree, and positions still those in the text.
    ///
    /// # Errors
    ///
    /// `NE0005` or `NE0006` if the tree is deeper or larger than the limits that the document was
    /// read under.
    pub fn with_root(&self, root: Node) -> Result<Document, Findings> {
        crate::read::check_tree(&root, &self.limits)?;
        Ok(Document {
            name: self.name.clone(),
            text: self.text.clone(),
            root,
            limits: self.limits.clone(),
        })
    }

    /// The outermost value.
    #[must_use]
    pub fn root(&self) -> &Node {
        &self.root
    }

    /// The text, without a byte order mark; the one that spans refer to.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    pub(crate) const fn limits(&self) -> &Limits {
        &self.limits
    }

    /// The name that was given, such as a file name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The name, the text and the tree, for a reader that takes the tree apart.
    #[must_use]
    pub fn into_parts(self) -> (String, String, Node) {
        (self.name, self.text, self.root)
    }

    /// The document as a value of type `T`.
    ///
    /// # Errors
    ///
    /// All that does not fit (at most 20 findings; of a list, up to the first item that is given up
    /// as a whole), with the path and the position of the offending key or value; codes `NE0020` to
    /// `NE0029`. `T`'s own messages (`serde::de::Error::custom`) become a finding too:
    /// what follows the first `; ` in one is taken as the advice.
    pub fn decode<T: DeserializeOwned>(&self) -> Result<T, Findings> {
        decode_all(&self.root)
    }

    /// Where the value at `path` stands: a scalar itself, a list or mapping by its key.
    #[must_use]
    pub fn locate(&self, path: &str) -> Option<Position> {
        let (span, exact) = self.nearest(path);
        exact.then_some(span.start)
    }

    /// The finding with its place filled in from its path, unless it has one. A path that is not
    /// in the document, such as that of a missing field, gets the place of its nearest ancestor.
    #[must_use]
    pub fn resolve(&self, finding: Finding) -> Finding {
        if finding.at.is_some() {
            return finding;
        }
        let (span, _) = self.nearest(&finding.path);
        finding.spanning(span)
    }

    /// The place of a path or of its nearest ancestor, and whether it is the path's own.
    fn nearest(&self, path: &str) -> (&Span, bool) {
        let mut span = &self.root.span;
        let mut node = &self.root;
        for step in Steps::new(path) {
            let Some((key_span, child)) = step.and_then(|step| step.enter(node)) else {
                return (span, false);
            };
            let nested = matches!(child.value, Value::Array(_) | Value::Object(_));
            span = key_span.filter(|_| nested).unwrap_or(&child.span);
            node = child;
        }
        (span, true)
    }
}
