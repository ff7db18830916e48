//! XML of tools, read without entities and without fetching anything.

use alloc::borrow::Cow;
use alloc::format;
use alloc::string::String;

use roxmltree::{Document, ParsingOptions};

/// The most XML nodes in one report.
const NODES_MAX: u32 = 500_000;

/// A document. One that names a document type elsewhere is read without it; one that brings its own
/// is refused, since that is where entities are defined.
pub(crate) fn parse(text: &str) -> Result<Document<'_>, String> {
    if has_doctype(text) {
        return Err(String::from(
            "it brings a document type with definitions of its own, which are not read",
        ));
    }
    let options = ParsingOptions {
        // What is left of it can define nothing, and nothing is fetched.
        allow_dtd: true,
        nodes_limit: NODES_MAX,
        ..ParsingOptions::default()
    };
    Document::parse_with_options(text, options)
        .map_err(|bad| format!("not read as XML: {}", Cow::from(format!("{bad}"))))
}

/// Whether there is a document type declaration with an internal subset (XML 1.0, section 2.8).
fn has_doctype(text: &str) -> bool {
    // It stands before the first element.
    let mut rest = text;
    while let Some(at) = rest.find('<') {
        rest = &rest[at..];
        let skipped = if rest.starts_with("<!--") {
            rest.find("-->").map(|end| end + 3)
        } else if rest.starts_with("<?") {
            rest.find("?>").map(|end| end + 2)
        } else if rest.starts_with("<!DOCTYPE") {
            let end = rest.find('>').unwrap_or(rest.len());
            return rest[..end].contains('[');
        } else {
            return false;
        };
        match skipped {
            Some(end) => rest = &rest[end..],
            None => return false,
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn a_document_type_elsewhere_is_left_alone_and_one_of_its_own_refused() {
        for text in [
            "<a/>",
            "<?xml version=\"1.0\"?>\n<!DOCTYPE coverage SYSTEM \"http://a.example/c.dtd\">\n<coverage/>",
            "<!-- <!DOCTYPE a [ -->\n<a/>",
        ] {
            assert!(parse(text).is_ok(), "{text}");
        }
        for text in [
            "<!DOCTYPE a [<!ENTITY b \"c\">]><a>&b;</a>",
            "<?xml version=\"1.0\"?><!DOCTYPE a SYSTEM \"x\" [<!ENTITY b SYSTEM \"file:///etc/passwd\">]><a/>",
            "<a>&b;</a>",
            "<a>",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
